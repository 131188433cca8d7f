r"""The physics to learn: each system knows its Lagrangian, its energy and its true acceleration.

A system is a small frozen dataclass; its constants are its arguments. `lagrangian`, `energy` and
`acceleration` take one state `(q [d], q_dot [d])`; the acceleration is a closed form worked out by
hand, and so an oracle for everything that automatic differentiation says. `sample` draws the states
that a network is trained on. Angles are in radians from the downward vertical; units are SI.

Where the physics depends on something that does not move, such as the strength of a field, that
comes with each state: a third argument of the functions, a third array from `sample`.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs


@dataclass(frozen=True)
class System:
    """What every system shares: constants checked when it is made, states sampled from a box."""

    dim: ClassVar[int]
    angles: ClassVar[tuple[bool, ...]]
    """Which coordinates are angles, equal again after a full turn."""
    context: ClassVar[int] = 0
    """How many non-dynamical parameters come with each state."""

    def __post_init__(self):
        _inputs.positive(**{f.name: getattr(self, f.name) for f in fields(self)})

    def _box(self):
        """Lower and upper corner of the box of states: two pairs (q [d], q_dot [d])."""
        raise NotImplementedError

    def sample(self, key, n):
        """Draw `n` states uniformly from the system's box, given in the class's docstring.

        Args:
            key: a JAX random key.
            n: how many.

        Returns:
            `(q [n, d], q_dot [n, d])`.
        """
        _inputs.count(n=n)
        low, high = (jnp.concatenate([jnp.asarray(x, float) for x in c]) for c in self._box())
        states = jax.random.uniform(key, (n, 2 * self.dim), minval=low, maxval=high)
        return states[:, : self.dim], states[:, self.dim :]

    def _state(self, q, q_dot):
        q, q_dot = _inputs.state(q, q_dot)
        return self._coordinates(q), q_dot

    def _coordinates(self, q):
        q = _inputs.vector("q", q)
        if q.shape != (self.dim,):
            raise ValueError(f"expected {self.dim} coordinate(s), got q of shape {q.shape}")
        return q


@dataclass(frozen=True)
class FallingBall(System):
    r"""A ball in uniform gravity: q = (height, sideways).

    𝓛 = ½ m (q̇₁² + q̇₂²) − m g q₁ and q̈ = (−g, 0).

    `sample`: heights and distances in ±5 m, velocities in ±5 m/s.

    Args:
        mass: m, in kg.
        gravity: g, in m/s².

    Source: Cranmer et al. (2020), Appendix B, Eq. 9.
    """

    mass: float = 1.0
    gravity: float = 9.8
    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (False, False)

    def lagrangian(self, q, q_dot):
        """𝓛 = ½ m q̇·q̇ − m g q₁, in joules."""
        q, q_dot = self._state(q, q_dot)
        return 0.5 * self.mass * q_dot @ q_dot - self.mass * self.gravity * q[0]

    def energy(self, q, q_dot):
        """E = ½ m q̇·q̇ + m g q₁, in joules."""
        q, q_dot = self._state(q, q_dot)
        return 0.5 * self.mass * q_dot @ q_dot + self.mass * self.gravity * q[0]

    def acceleration(self, q, q_dot):
        """q̈ = (−g, 0), in m/s²."""
        q, q_dot = self._state(q, q_dot)
        return jnp.array([-self.gravity, 0.0], q.dtype)

    def _box(self):
        return ([-5, -5], [-5, -5]), ([5, 5], [5, 5])


@dataclass(frozen=True)
class HarmonicOscillator(System):
    r"""A mass on a spring: q = (displacement,).

    𝓛 = ½ m q̇² − ½ k q² and q̈ = −(k/m) q.

    `sample`: displacements in ±2 m, velocities in ±2 √(k/m) m/s.

    Args:
        mass: m, in kg.
        stiffness: k, in N/m.
    """

    mass: float = 1.0
    stiffness: float = 1.0
    dim: ClassVar[int] = 1
    angles: ClassVar[tuple[bool, ...]] = (False,)

    def lagrangian(self, q, q_dot):
        """𝓛 = ½ m q̇² − ½ k q², in joules."""
        q, q_dot = self._state(q, q_dot)
        return 0.5 * self.mass * q_dot[0] ** 2 - 0.5 * self.stiffness * q[0] ** 2

    def energy(self, q, q_dot):
        """E = ½ m q̇² + ½ k q², in joules."""
        q, q_dot = self._state(q, q_dot)
        return 0.5 * self.mass * q_dot[0] ** 2 + 0.5 * self.stiffness * q[0] ** 2

    def acceleration(self, q, q_dot):
        """q̈ = −(k/m) q, in m/s²."""
        q, q_dot = self._state(q, q_dot)
        return -self.stiffness / self.mass * q

    def _box(self):
        fastest = 2 * (self.stiffness / self.mass) ** 0.5
        return ([-2], [-fastest]), ([2], [fastest])


@dataclass(frozen=True)
class Pendulum(System):
    r"""A plane pendulum: q = (θ,), from the downward vertical.

    𝓛 = ½ m l² θ̇² + m g l cos θ and θ̈ = −(g/l) sin θ.

    `sample`: θ anywhere on the circle, θ̇ up to 1.5 times the speed 2 √(g/l) with which the
    pendulum passes the bottom when it just reaches the top.

    Args:
        mass: m, in kg.
        length: l, in m.
        gravity: g, in m/s².
    """

    mass: float = 1.0
    length: float = 1.0
    gravity: float = 9.8
    dim: ClassVar[int] = 1
    angles: ClassVar[tuple[bool, ...]] = (True,)

    def lagrangian(self, q, q_dot):
        """𝓛 = ½ m l² θ̇² + m g l cos θ, in joules."""
        q, q_dot = self._state(q, q_dot)
        m, l, g = self.mass, self.length, self.gravity
        return 0.5 * m * l**2 * q_dot[0] ** 2 + m * g * l * jnp.cos(q[0])

    def energy(self, q, q_dot):
        """E = ½ m l² θ̇² − m g l cos θ, in joules."""
        q, q_dot = self._state(q, q_dot)
        m, l, g = self.mass, self.length, self.gravity
        return 0.5 * m * l**2 * q_dot[0] ** 2 - m * g * l * jnp.cos(q[0])

    def acceleration(self, q, q_dot):
        """θ̈ = −(g/l) sin θ, in rad/s²."""
        q, q_dot = self._state(q, q_dot)
        return -self.gravity / self.length * jnp.sin(q)

    def positions(self, q):
        """Cartesian position of the bob, (x, y) `[1, 2]`, the pivot at the origin, y upward."""
        q = self._coordinates(q)
        return self.length * jnp.stack([jnp.sin(q), -jnp.cos(q)], axis=-1)

    def _box(self):
        fastest = 3 * (self.gravity / self.length) ** 0.5
        return ([-jnp.pi], [-fastest]), ([jnp.pi], [fastest])


@dataclass(frozen=True)
class SpringPendulum(System):
    r"""A mass on a spring that also swings, in polar coordinates: q = (r, θ).

    𝓛 = ½ m (ṙ² + r² θ̇²) + m g r cos θ − ½ k (r − l)², and so
    r̈ = r θ̇² + g cos θ − (k/m)(r − l) and θ̈ = −(2 ṙ θ̇ + g sin θ)/r.

    `sample`: r within l/2 … 2l, θ anywhere on the circle, ṙ in ±1.6 √(g l) and θ̇ in
    ±2 √(g/l): room for every motion that `sample_released` starts with the default constants.

    Args:
        mass: m, in kg.
        stiffness: k, in N/m.
        rest_length: l, in m.
        gravity: g, in m/s².
    """

    mass: float = 1.0
    stiffness: float = 40.0
    rest_length: float = 1.0
    gravity: float = 9.8
    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (False, True)

    def lagrangian(self, q, q_dot):
        """𝓛 = ½ m (ṙ² + r² θ̇²) + m g r cos θ − ½ k (r − l)², in joules."""
        return self._kinetic(q, q_dot) - self._potential(q, q_dot)

    def energy(self, q, q_dot):
        """E = ½ m (ṙ² + r² θ̇²) − m g r cos θ + ½ k (r − l)², in joules."""
        return self._kinetic(q, q_dot) + self._potential(q, q_dot)

    def _kinetic(self, q, q_dot):
        (r, _), (r_dot, theta_dot) = self._state(q, q_dot)
        return 0.5 * self.mass * (r_dot**2 + r**2 * theta_dot**2)

    def _potential(self, q, q_dot):
        (r, theta), _ = self._state(q, q_dot)
        stretch = r - self.rest_length
        return 0.5 * self.stiffness * stretch**2 - self.mass * self.gravity * r * jnp.cos(theta)

    def acceleration(self, q, q_dot):
        """r̈ = r θ̇² + g cos θ − (k/m)(r − l) in m/s², θ̈ = −(2 ṙ θ̇ + g sin θ)/r in rad/s²."""
        (r, theta), (r_dot, theta_dot) = self._state(q, q_dot)
        pull = self.stiffness / self.mass * (r - self.rest_length)
        r_ddot = r * theta_dot**2 + self.gravity * jnp.cos(theta) - pull
        theta_ddot = -(2 * r_dot * theta_dot + self.gravity * jnp.sin(theta)) / r
        return jnp.stack([r_ddot, theta_ddot])

    def sample_released(self, key, n):
        """Draw `n` states at rest: θ up to a right angle either way, r within 10 % of balance."""
        _inputs.count(n=n)
        radius, angle = jax.random.uniform(key, (2, n), minval=-1.0)
        balance = self.rest_length + self.mass * self.gravity / self.stiffness
        q = jnp.stack([balance * (1 + 0.1 * radius), 0.5 * jnp.pi * angle], axis=1)
        return q, jnp.zeros_like(q)

    def positions(self, q):
        """Cartesian position of the mass, (x, y) `[1, 2]`, the pivot at the origin, y upward."""
        r, theta = self._coordinates(q)
        return r * jnp.stack([jnp.sin(theta), -jnp.cos(theta)])[None]

    def _box(self):
        l, g = self.rest_length, self.gravity
        r_dot, theta_dot = 1.6 * (g * l) ** 0.5, 2 * (g / l) ** 0.5
        return (
            ([0.5 * l, -jnp.pi], [-r_dot, -theta_dot]),
            ([2 * l, jnp.pi], [r_dot, theta_dot]),
        )


@dataclass(frozen=True)
class DoublePendulum(System):
    r"""Two pendulums, one hung from the other: q = (θ₁, θ₂), both from the downward vertical.

    𝓛 = ½ (m₁ + m₂) l₁² θ̇₁² + ½ m₂ l₂² θ̇₂² + m₂ l₁ l₂ θ̇₁ θ̇₂ cos(θ₁ − θ₂)
    + (m₁ + m₂) g l₁ cos θ₁ + m₂ g l₂ cos θ₂.

    `sample`: both angles anywhere on the circle, both velocities in ±10 rad/s: the states on which
    the paper's public code trains. `sample_released`: angles anywhere, velocities within
    0 … 0.1 rad/s: the near-rest starts on which it is judged.

    Args:
        mass1, mass2: m₁, m₂, in kg.
        length1, length2: l₁, l₂, in m.
        gravity: g, in m/s².

    Source: Cranmer et al. (2020), Section 5, with m = l = 1 and g = 9.8.
    """

    mass1: float = 1.0
    mass2: float = 1.0
    length1: float = 1.0
    length2: float = 1.0
    gravity: float = 9.8
    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (True, True)

    def lagrangian(self, q, q_dot):
        """𝓛 = T − V, in joules."""
        return self._kinetic(q, q_dot) - self._potential(q, q_dot)

    def energy(self, q, q_dot):
        """E = T + V, in joules; zero where both bobs are at rest at the pivot's height."""
        return self._kinetic(q, q_dot) + self._potential(q, q_dot)

    def _kinetic(self, q, q_dot):
        (theta1, theta2), (omega1, omega2) = self._state(q, q_dot)
        m1, m2, l1, l2 = self.mass1, self.mass2, self.length1, self.length2
        return (
            0.5 * (m1 + m2) * l1**2 * omega1**2
            + 0.5 * m2 * l2**2 * omega2**2
            + m2 * l1 * l2 * omega1 * omega2 * jnp.cos(theta1 - theta2)
        )

    def _potential(self, q, q_dot):
        (theta1, theta2), _ = self._state(q, q_dot)
        m1, m2, g = self.mass1, self.mass2, self.gravity
        return -(m1 + m2) * g * self.length1 * jnp.cos(theta1) - m2 * g * self.length2 * jnp.cos(
            theta2
        )

    def acceleration(self, q, q_dot):
        """The two angular accelerations in rad/s²: the two by two equations solved by hand."""
        (theta1, theta2), (omega1, omega2) = self._state(q, q_dot)
        m1, m2, l1, l2 = self.mass1, self.mass2, self.length1, self.length2
        g, delta = self.gravity, theta1 - theta2
        # θ̈₁ + a₁ θ̈₂ = f₁ and a₂ θ̈₁ + θ̈₂ = f₂
        a1 = m2 / (m1 + m2) * l2 / l1 * jnp.cos(delta)
        a2 = l1 / l2 * jnp.cos(delta)
        f1 = -m2 / (m1 + m2) * l2 / l1 * omega2**2 * jnp.sin(delta) - g / l1 * jnp.sin(theta1)
        f2 = l1 / l2 * omega1**2 * jnp.sin(delta) - g / l2 * jnp.sin(theta2)
        return jnp.stack([f1 - a1 * f2, f2 - a2 * f1]) / (1 - a1 * a2)

    def sample_released(self, key, n):
        """Draw `n` near-rest states: angles in 0 … 2π, velocities in 0 … 0.1 rad/s."""
        _inputs.count(n=n)
        high = jnp.array([2 * jnp.pi, 2 * jnp.pi, 0.1, 0.1])
        states = jax.random.uniform(key, (n, 4), maxval=high)
        return states[:, :2], states[:, 2:]

    def positions(self, q):
        """Cartesian positions of both bobs, (x, y) `[2, 2]`, the pivot at the origin, y upward."""
        q = self._coordinates(q)
        arms = jnp.stack([jnp.sin(q), -jnp.cos(q)], axis=-1)
        return jnp.cumsum(arms * jnp.array([[self.length1], [self.length2]]), axis=0)

    def _box(self):
        return ([0, 0], [-10, -10]), ([2 * jnp.pi, 2 * jnp.pi], [10, 10])


@dataclass(frozen=True)
class ParticleInField(System):
    r"""What the two particles below share: q = (position,) in a uniform potential, |q̇| < 1.

    Mass and speed of light are 1; the field strength g is a non-dynamical parameter, handed in with
    every state. `sample`: positions in ±10, velocities 0.99999 tanh(2 N(0, 1)), field strengths
    10 N(0, 1), as in the paper's public code.
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


DIFFERENCES = ("one-sided", "central")
"""How the slope of a field is written in `WaveEquation`."""


@dataclass(frozen=True)
class WaveEquation(System):
    r"""The wave equation ∂²φ/∂t² = c² ∂²φ/∂x² on a ring: q = φ at its nodes, `[n]`.

    𝓛 = Σᵢ ℓ with the density ℓ = Δx (½ φ̇ᵢ² − ½ c² Dᵢ²) of the nodes i − 1, i and i + 1.

    * one-sided, D = (φᵢ₊₁ − φᵢ)/Δx: φ̈ᵢ = c² (φᵢ₊₁ − 2 φᵢ + φᵢ₋₁)/Δx², the usual Laplacian;
    * central, D = (φᵢ₊₁ − φᵢ₋₁)/(2 Δx), as in the paper: φ̈ᵢ = c² (φᵢ₊₂ − 2 φᵢ + φᵢ₋₂)/(4 Δx²).
      On a ring of even length, even and odd nodes then know nothing of each other: the
      checkerboard φᵢ = (−1)ⁱ does not move.

    `sample`: white noise, every φᵢ and φ̇ᵢ from a normal distribution of width 1 and c/Δx.

    Args:
        nodes: n, the number of nodes.
        spacing: Δx, in metres.
        speed: c, in m/s.
        difference: a name in `DIFFERENCES`.

    Source: Cranmer et al. (2020), Section 5.
    """

    nodes: int = 100
    spacing: float = 1.0
    speed: float = 1.0
    difference: str = "one-sided"

    def __post_init__(self):
        _inputs.count(3, nodes=self.nodes)
        _inputs.positive(spacing=self.spacing, speed=self.speed)
        _inputs.choice("difference", self.difference, DIFFERENCES)

    @property
    def dim(self):
        """The number of coordinates, one for each node."""
        return self.nodes

    @property
    def angles(self):
        """No coordinate is an angle."""
        return (False,) * self.nodes

    def density(self, phi, phi_dot):
        """ℓ of the three nodes of one neighbourhood, `[3]` each, in joules."""
        phi, phi_dot = _inputs.state(phi, phi_dot, names=("phi", "phi_dot"))
        if phi.shape != (3,):
            raise ValueError(f"expected the three nodes of a neighbourhood, got {phi.shape}")
        return self.spacing * 0.5 * (phi_dot[1] ** 2 - self.speed**2 * self._slope(*phi) ** 2)

    def _slope(self, left, middle, right):
        if self.difference == "central":
            return (right - left) / (2 * self.spacing)
        return (right - middle) / self.spacing

    def lagrangian(self, q, q_dot):
        """𝓛 = Δx Σ (½ φ̇² − ½ c² D²), in joules."""
        kinetic, potential = self._energies(q, q_dot)
        return kinetic - potential

    def energy(self, q, q_dot):
        """E = Δx Σ (½ φ̇² + ½ c² D²), in joules."""
        return sum(self._energies(q, q_dot))

    def _energies(self, q, q_dot):
        q, q_dot = self._state(q, q_dot)
        slope = self._slope(jnp.roll(q, 1), q, jnp.roll(q, -1))
        elastic = self.speed**2 * slope @ slope
        return 0.5 * self.spacing * q_dot @ q_dot, 0.5 * self.spacing * elastic

    def acceleration(self, q, q_dot):
        """φ̈ `[n]`, in m/s²: see above."""
        q, _ = self._state(q, q_dot)
        step = 2 if self.difference == "central" else 1
        curvature = jnp.roll(q, step) - 2 * q + jnp.roll(q, -step)
        return (self.speed / (step * self.spacing)) ** 2 * curvature

    def frequency(self, wavenumber):
        r"""ω(k) of a wave cos(k x − ω t), in rad/s, for k in rad/m of any shape.

        ω = (2 c/Δx) |sin(k Δx/2)| one-sided and (c/Δx) |sin(k Δx)| central; both are c k for waves
        that are long against Δx.
        """
        phase = jnp.asarray(wavenumber) * self.spacing
        if self.difference == "central":
            return self.speed / self.spacing * jnp.abs(jnp.sin(phase))
        return 2 * self.speed / self.spacing * jnp.abs(jnp.sin(phase / 2))

    def exact(self, q, q_dot, t, continuum=False):
        r"""The field `(q, q_dot)` a time t after a start, to the last digit: wave by wave.

        Every wave of the start oscillates by itself, φ̂(t) = φ̂ cos ωt + φ̂̇ sin(ωt)/ω.

        Args:
            q, q_dot: the start, `[n]` each.
            t: time in seconds, a number.
            continuum: whether ω = c k, as on a ring without nodes, instead of `frequency`.
        """
        q, q_dot = self._state(q, q_dot)
        k = 2 * jnp.pi * jnp.fft.rfftfreq(self.nodes, self.spacing)
        omega = self.speed * k if continuum else self.frequency(k)
        wave, slope = jnp.fft.rfft(q), jnp.fft.rfft(q_dot)
        cosine, along = jnp.cos(omega * t), t * jnp.sinc(omega * t / jnp.pi)  # sin(ωt)/ω
        moved = wave * cosine + slope * along, slope * cosine - wave * omega**2 * along
        return tuple(jnp.fft.irfft(x, self.nodes) for x in moved)

    def sample(self, key, n):
        """Draw `n` states as the class's docstring says: `(q, q_dot)`, each `[n, nodes]`."""
        _inputs.count(n=n)
        q, q_dot = jax.random.normal(key, (2, n, self.nodes))
        return q, self.speed / self.spacing * q_dot


@dataclass(frozen=True)
class MassesOnSprings(System):
    r"""Equal masses joined by equal springs along the edges of a graph: q = their heights, `[n]`.

    𝓛 = ½ m Σᵢ φ̇ᵢ² − ½ κ Σ_edges (φᵢ − φⱼ)² and φ̈ᵢ = (κ/m) Σⱼ (φⱼ − φᵢ), the sum over the
    neighbours j of i. On a grid that is an elastic membrane.

    `sample`: white noise, every φᵢ and φ̇ᵢ from a normal distribution of width 1 and √(κ/m).

    Args:
        edges: pairs of masses, numbered from 0 on, such as `fields.Neighbourhoods.edges`.
        mass: m, in kg.
        stiffness: κ, in N/m.
    """

    edges: tuple[tuple[int, int], ...]
    mass: float = 1.0
    stiffness: float = 1.0

    def __post_init__(self):
        edges = np.asarray(self.edges)
        if edges.ndim != 2 or edges.shape[1] != 2 or not np.issubdtype(edges.dtype, np.integer):
            raise ValueError(f"expected edges as pairs of masses, got {edges.dtype}{edges.shape}")
        if edges.min() < 0 or (edges[:, 0] == edges[:, 1]).any():
            raise ValueError("expected edges between two different masses, numbered from 0 on")
        if not np.bincount(edges.ravel()).all():
            raise ValueError("expected an edge at every mass")
        if len(np.unique(np.sort(edges, axis=1), axis=0)) < len(edges):
            raise ValueError("expected every edge once; edges have no direction")
        object.__setattr__(self, "edges", tuple((int(i), int(j)) for i, j in edges))
        _inputs.positive(mass=self.mass, stiffness=self.stiffness)

    @property
    def dim(self):
        """The number of coordinates, one for each mass."""
        return 1 + max(max(edge) for edge in self.edges)

    @property
    def angles(self):
        """No coordinate is an angle."""
        return (False,) * self.dim

    def density(self, phi, phi_dot):
        """ℓ of one mass, which comes first, and its neighbours, in joules.

        Each spring is seen from both of its ends, and counts half at each.
        """
        phi, phi_dot = _inputs.state(phi, phi_dot, names=("phi", "phi_dot"))
        stretch = phi[1:] - phi[0]
        return 0.5 * self.mass * phi_dot[0] ** 2 - 0.25 * self.stiffness * stretch @ stretch

    def _stretch(self, q):
        ends = np.asarray(self.edges)
        return q[ends[:, 1]] - q[ends[:, 0]], ends

    def lagrangian(self, q, q_dot):
        """𝓛 = ½ m Σ φ̇² − ½ κ Σ (φᵢ − φⱼ)², in joules."""
        kinetic, potential = self._energies(q, q_dot)
        return kinetic - potential

    def energy(self, q, q_dot):
        """E = ½ m Σ φ̇² + ½ κ Σ (φᵢ − φⱼ)², in joules."""
        return sum(self._energies(q, q_dot))

    def _energies(self, q, q_dot):
        q, q_dot = self._state(q, q_dot)
        stretch, _ = self._stretch(q)
        return 0.5 * self.mass * q_dot @ q_dot, 0.5 * self.stiffness * stretch @ stretch

    def acceleration(self, q, q_dot):
        """φ̈ `[n]`, in m/s²: see above."""
        q, _ = self._state(q, q_dot)
        stretch, ends = self._stretch(q)
        pull = self.stiffness / self.mass * stretch
        return jnp.zeros_like(q).at[ends[:, 0]].add(pull).at[ends[:, 1]].add(-pull)

    def sample(self, key, n):
        """Draw `n` states as the class's docstring says: `(q, q_dot)`, each `[n, masses]`."""
        _inputs.count(n=n)
        q, q_dot = jax.random.normal(key, (2, n, self.dim))
        return q, (self.stiffness / self.mass) ** 0.5 * q_dot
