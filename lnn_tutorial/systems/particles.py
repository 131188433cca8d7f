"""A charge in a magnetic field; a particle near the speed of light, by two Lagrangians."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs
from lnn_tutorial.systems.system import System


@dataclass(frozen=True)
class ChargeInMagneticField(System):
    r"""A charge in a plane, across which there is a uniform magnetic field: q = (x, y).

    𝓛 = ½ m |q̇|² + ½ e B (x ẏ − y ẋ) and q̈ = (e B/m)(ẏ, −ẋ). The force comes from a term that is
    linear in the velocity, e q̇·A with the vector potential A = ½ B (−y, x): 𝓛 is not T − V, and
    the momentum is not m q̇. The energy is the kinetic energy; the motion is a circle of radius
    m |q̇|/(e B), run through clockwise in the time 2π m/(e B).

    `sample`: positions in ±2 m, velocities in ±2 m/s.

    Args:
        mass: m, in kg.
        charge: e, in C. A negative charge moves like a positive one in the mirror.
        magnetic_field: B, in T, towards the viewer.

    Source: Goldstein, Poole & Safko (2002), Section 1.5.
    """

    mass: float = 1.0
    charge: float = 1.0
    magnetic_field: float = 1.0
    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (False, False)

    def _potential_momentum(self, q):
        """e A, what the momentum has beside m q̇."""
        return 0.5 * self.charge * self.magnetic_field * jnp.stack([-q[1], q[0]])

    def lagrangian(self, q, q_dot):
        """𝓛 = ½ m |q̇|² + ½ e B (x ẏ − y ẋ), in joules."""
        q, q_dot = self._state(q, q_dot)
        return 0.5 * self.mass * q_dot @ q_dot + self._potential_momentum(q) @ q_dot

    def momentum(self, q, q_dot):
        """The canonical momentum p = m q̇ + e A `[2]`, in kg m/s."""
        q, q_dot = self._state(q, q_dot)
        return self.mass * q_dot + self._potential_momentum(q)

    def energy(self, q, q_dot):
        """E = ½ m |q̇|², in joules: the magnetic force does no work."""
        _, q_dot = self._state(q, q_dot)
        return 0.5 * self.mass * q_dot @ q_dot

    def acceleration(self, q, q_dot):
        """q̈ = (e B/m)(ẏ, −ẋ), in m/s²."""
        _, q_dot = self._state(q, q_dot)
        frequency = self.charge * self.magnetic_field / self.mass
        return frequency * jnp.stack([q_dot[1], -q_dot[0]])

    def _box(self):
        return ([-2, -2], [-2, -2]), ([2, 2], [2, 2])


@dataclass(frozen=True)
class ParticleInField(System):
    r"""What the two particles below share: q = (position,) in a uniform field, |q̇| < 1.

    Mass and speed of light are 1; the field strength g is a non-dynamical parameter, handed in with
    every state, and the potential is −g q (the paper calls that one uniform). `sample`: positions
    in ±10, velocities 0.99999 tanh(2 N(0, 1)), field strengths 10 N(0, 1), as in the paper's public
    code.
    """

    dim: ClassVar[int] = 1
    angles: ClassVar[tuple[bool, ...]] = (False,)
    context: ClassVar[int] = 1

    def lagrangian(self, q, q_dot, g):
        """𝓛 at one state, a scalar."""
        raise NotImplementedError

    def momentum(self, q, q_dot, g):
        """The canonical momentum p = ∂𝓛/∂q̇ `[1]`."""
        raise NotImplementedError

    def energy(self, q, q_dot, g):
        """E = q̇ p − 𝓛, a scalar."""
        raise NotImplementedError

    def acceleration(self, q, q_dot, g):
        """q̈ `[1]`."""
        raise NotImplementedError

    def sample(self, key, n):
        """Draw `n` states as the class's docstring says: `(q, q_dot, g)`, each `[n, 1]`."""
        _inputs.count(n=n)
        where, velocity, field = jax.random.split(key, 3)
        q = jax.random.uniform(where, (n, 1), minval=-10.0, maxval=10.0)
        q_dot = 0.99999 * jnp.tanh(2 * jax.random.normal(velocity, (n, 1)))
        return q, q_dot, 10 * jax.random.normal(field, (n, 1))

    def _state(self, q, q_dot, g):
        q, q_dot = super()._state(q, q_dot)
        _inputs.below("q_dot", q_dot, 1.0, "the speed of light")
        return q, q_dot, *_inputs.context(g, 1)


def _lorentz_factor(v):
    """γ = (1 − v²)^(−1/2), with 1 − v² as a product: near v = 1 that keeps its digits."""
    return ((1 - v) * (1 + v)) ** -0.5


@dataclass(frozen=True)
class RelativisticParticle(ParticleInField):
    r"""The particle of special relativity: 𝓛 = 1 − 1/γ + g q, with γ = (1 − q̇²)^(−1/2).

    p = γ q̇, and dp/dt = g gives q̈ = g (1 − q̇²)^(3/2). The energy γ − 1 − g q has the kinetic
    energy γ − 1 in it; 𝓛 has not.

    `sample`: see `ParticleInField`.

    Source: any text on special relativity; it is not the paper's, see `PaperParticle`.
    """

    def lagrangian(self, q, q_dot, g):
        """𝓛 = 1 − (1 − q̇²)^(1/2) + g q, in units of the rest energy."""
        q, q_dot, g = self._state(q, q_dot, g)
        return 1 - 1 / _lorentz_factor(q_dot[0]) + g[0] * q[0]

    def momentum(self, q, q_dot, g):
        """p = γ q̇ `[1]`."""
        _, q_dot, _ = self._state(q, q_dot, g)
        return _lorentz_factor(q_dot) * q_dot

    def energy(self, q, q_dot, g):
        """E = γ − 1 − g q."""
        q, q_dot, g = self._state(q, q_dot, g)
        return _lorentz_factor(q_dot[0]) - 1 - g[0] * q[0]

    def acceleration(self, q, q_dot, g):
        """q̈ = g (1 − q̇²)^(3/2) `[1]`."""
        _, q_dot, g = self._state(q, q_dot, g)
        return g / _lorentz_factor(q_dot) ** 3


@dataclass(frozen=True)
class PaperParticle(ParticleInField):
    r"""The particle of the paper's experiment: 𝓛 = γ − 1 + g q, with γ = (1 − q̇²)^(−1/2).

    This is not special relativity: the kinetic energy γ − 1 stands where 1 − 1/γ belongs, see
    `RelativisticParticle`. It is a good Lagrangian all the same, with p = γ³ q̇ and
    q̈ = g (1 − q̇²)^(5/2) / (1 + 2 q̇²).

    `sample`: see `ParticleInField`.

    Source: Cranmer et al. (2020), Section 5.
    """

    def lagrangian(self, q, q_dot, g):
        """𝓛 = (1 − q̇²)^(−1/2) − 1 + g q."""
        q, q_dot, g = self._state(q, q_dot, g)
        return _lorentz_factor(q_dot[0]) - 1 + g[0] * q[0]

    def momentum(self, q, q_dot, g):
        """p = γ³ q̇ `[1]`."""
        _, q_dot, _ = self._state(q, q_dot, g)
        return _lorentz_factor(q_dot) ** 3 * q_dot

    def energy(self, q, q_dot, g):
        """E = γ³ q̇² − γ + 1 − g q."""
        q, q_dot, g = self._state(q, q_dot, g)
        gamma = _lorentz_factor(q_dot[0])
        return gamma**3 * q_dot[0] ** 2 - gamma + 1 - g[0] * q[0]

    def acceleration(self, q, q_dot, g):
        """q̈ = g (1 − q̇²)^(5/2) / (1 + 2 q̇²) `[1]`."""
        _, q_dot, g = self._state(q, q_dot, g)
        return g / _lorentz_factor(q_dot) ** 5 / (1 + 2 * q_dot**2)
