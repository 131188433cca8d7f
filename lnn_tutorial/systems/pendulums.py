"""Pendulums: plane, with friction, on a spring, in space, and two or three on each other."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs
from lnn_tutorial.systems.system import NaturalSystem


@dataclass(frozen=True)
class Pendulum(NaturalSystem):
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

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * self.length**2 * q_dot[0] ** 2

    def _potential(self, q):
        return -self.mass * self.gravity * self.length * jnp.cos(q[0])

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
class DampedPendulum(Pendulum):
    r"""A plane pendulum with viscous friction at its pivot: q = (θ,), from the downward vertical.

    m l² θ̈ = −m g l sin θ − c θ̇. `lagrangian` and `energy` are those of the `Pendulum`, which know
    nothing of the friction: that is a `force` beside 𝓛, Q = −c θ̇, and takes the energy with
    dE/dt = −c θ̇². Small swings lose it as exp(−c t/(m l²)): with the default constants to a tenth
    in 23 s.

    `sample`: as for the `Pendulum`.

    Args:
        mass: m, in kg.
        length: l, in m.
        gravity: g, in m/s².
        friction: c, in N m s.

    Source: Goldstein, Poole & Safko (2002), Section 1.5, for friction beside a Lagrangian.
    """

    friction: float = 0.1

    def force(self, q, q_dot):
        """The generalised force Q = −c θ̇ `[1]`, in N m, as `mechanics.acceleration` takes it."""
        _, q_dot = self._state(q, q_dot)
        return -self.friction * q_dot

    def acceleration(self, q, q_dot):
        """θ̈ = −(g/l) sin θ − c θ̇/(m l²), in rad/s²."""
        inertia = self.mass * self.length**2
        return super().acceleration(q, q_dot) + self.force(q, q_dot) / inertia


@dataclass(frozen=True)
class SpringPendulum(NaturalSystem):
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

    def _kinetic(self, q, q_dot):
        (r, _), (r_dot, theta_dot) = q, q_dot
        return 0.5 * self.mass * (r_dot**2 + r**2 * theta_dot**2)

    def _potential(self, q):
        r, theta = q
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
class SpringPendulumCartesian(SpringPendulum):
    r"""The `SpringPendulum` in Cartesian coordinates: q = (x, y) from the pivot, y upward.

    𝓛 = ½ m |q̇|² − m g y − ½ k (|q| − l)² and q̈ = (0, −g) − (k/m)(1 − l/|q|) q.

    `sample`, `sample_released`: for the same key the very states of the `SpringPendulum`, written
    in these coordinates.

    Args:
        mass: m, in kg.
        stiffness: k, in N/m.
        rest_length: l, in m.
        gravity: g, in m/s².

    Raises:
        ValueError: q = 0, where the spring has no direction, in a state that is not traced; a
            traced one has no finite acceleration there.
    """

    angles: ClassVar[tuple[bool, ...]] = (False, False)

    def _coordinates(self, q):
        q = super()._coordinates(q)
        _inputs.nonzero("q", q, "where the spring has no direction")
        return q

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * q_dot @ q_dot

    def _potential(self, q):
        stretch = jnp.linalg.norm(q) - self.rest_length
        return 0.5 * self.stiffness * stretch**2 + self.mass * self.gravity * q[1]

    def acceleration(self, q, q_dot):
        """q̈ = (0, −g) − (k/m)(1 − l/|q|) q, in m/s²."""
        q, _ = self._state(q, q_dot)
        pull = self.stiffness / self.mass * (1 - self.rest_length / jnp.linalg.norm(q)) * q
        return -pull.at[1].add(self.gravity)

    def from_polar(self, q, q_dot):
        """The state `(q, q_dot)` in these coordinates of one in those of the `SpringPendulum`."""
        q, q_dot = _inputs.state(q, q_dot)
        (place,), (velocity,) = jax.jvp(super().positions, (q,), (q_dot,))
        return place, velocity

    def sample(self, key, n):
        """Draw `n` states as the class's docstring says: `(q, q_dot)`, each `[n, 2]`."""
        return jax.vmap(self.from_polar)(*super().sample(key, n))

    def sample_released(self, key, n):
        """Draw `n` states at rest: up to a right angle aside, within 10 % of balance."""
        return jax.vmap(self.from_polar)(*super().sample_released(key, n))

    def positions(self, q):
        """Cartesian position of the mass, (x, y) `[1, 2]`: q itself."""
        return self._coordinates(q)[None]


@dataclass(frozen=True)
class SphericalPendulum(NaturalSystem):
    r"""A pendulum that swings in space: q = (θ, φ), from the downward vertical and around it.

    𝓛 = ½ m l² (θ̇² + sin²θ φ̇²) + m g l cos θ, and so θ̈ = sin θ cos θ φ̇² − (g/l) sin θ and
    φ̈ = −2 θ̇ φ̇ cos θ/sin θ. 𝓛 does not depend on φ: p = m l² sin²θ φ̇ is conserved.

    These coordinates are singular at sin θ = 0. Straight down and straight up, φ means nothing, the
    mass matrix has no inverse, and φ̈ is not finite. Motions that pass nearby turn φ fast, and ask
    for short steps.

    `sample`: θ in 0.3 … 2.6, φ anywhere on the circle, θ̇ and φ̇ in ±2 √(g/l).

    Args:
        mass: m, in kg.
        length: l, in m.
        gravity: g, in m/s².
    """

    mass: float = 1.0
    length: float = 1.0
    gravity: float = 9.8
    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (True, True)

    def _kinetic(self, q, q_dot):
        theta_dot, phi_dot = q_dot
        squares = theta_dot**2 + (jnp.sin(q[0]) * phi_dot) ** 2
        return 0.5 * self.mass * self.length**2 * squares

    def _potential(self, q):
        return -self.mass * self.gravity * self.length * jnp.cos(q[0])

    def acceleration(self, q, q_dot):
        """θ̈ = sin θ cos θ φ̇² − (g/l) sin θ and φ̈ = −2 θ̇ φ̇ cos θ/sin θ, in rad/s²."""
        (theta, _), (theta_dot, phi_dot) = self._state(q, q_dot)
        sine, cosine = jnp.sin(theta), jnp.cos(theta)
        theta_ddot = sine * (cosine * phi_dot**2 - self.gravity / self.length)
        return jnp.stack([theta_ddot, -2 * theta_dot * phi_dot * cosine / sine])

    def positions(self, q):
        """Cartesian position of the bob, (x, y, z) `[1, 3]`, the pivot at the origin, z upward."""
        theta, phi = self._coordinates(q)
        across = jnp.sin(theta) * jnp.stack([jnp.cos(phi), jnp.sin(phi)])
        return self.length * jnp.append(across, -jnp.cos(theta))[None]

    def _box(self):
        fastest = 2 * (self.gravity / self.length) ** 0.5
        return (
            ([0.3, -jnp.pi], [-fastest, -fastest]),
            ([2.6, jnp.pi], [fastest, fastest]),
        )


@dataclass(frozen=True)
class MultiplePendulum(NaturalSystem):
    """What the two below share: q = angles from the downward vertical, from the pivot on."""

    @property
    def _lengths(self):
        """The lengths of the arms, from the pivot on."""
        raise NotImplementedError

    def sample_released(self, key, n):
        """Draw `n` near-rest states: angles in 0 … 2π, velocities in 0 … 0.1 rad/s."""
        _inputs.count(n=n)
        high = jnp.array([2 * jnp.pi] * self.dim + [0.1] * self.dim)
        states = jax.random.uniform(key, (n, 2 * self.dim), maxval=high)
        return states[:, : self.dim], states[:, self.dim :]

    def positions(self, q):
        """Cartesian positions of the bobs, (x, y) `[d, 2]`, the pivot at the origin, y upward."""
        q = self._coordinates(q)
        arms = jnp.stack([jnp.sin(q), -jnp.cos(q)], axis=-1)
        return jnp.cumsum(arms * jnp.array(self._lengths)[:, None], axis=0)

    def _box(self):
        d = self.dim
        return ([0] * d, [-10] * d), ([2 * jnp.pi] * d, [10] * d)


@dataclass(frozen=True)
class DoublePendulum(MultiplePendulum):
    r"""Two pendulums, one hung from the other: q = (θ₁, θ₂), both from the downward vertical.

    𝓛 = ½ (m₁ + m₂) l₁² θ̇₁² + ½ m₂ l₂² θ̇₂² + m₂ l₁ l₂ θ̇₁ θ̇₂ cos(θ₁ − θ₂)
    + (m₁ + m₂) g l₁ cos θ₁ + m₂ g l₂ cos θ₂. The energy is zero where both bobs are at rest at the
    pivot's height.

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

    def _kinetic(self, q, q_dot):
        (theta1, theta2), (omega1, omega2) = q, q_dot
        m1, m2, l1, l2 = self.mass1, self.mass2, self.length1, self.length2
        return (
            0.5 * (m1 + m2) * l1**2 * omega1**2
            + 0.5 * m2 * l2**2 * omega2**2
            + m2 * l1 * l2 * omega1 * omega2 * jnp.cos(theta1 - theta2)
        )

    def _potential(self, q):
        theta1, theta2 = q
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

    @property
    def _lengths(self):
        return self.length1, self.length2


@dataclass(frozen=True)
class TriplePendulum(MultiplePendulum):
    r"""Three pendulums, hung one from the other: q = (θ₁, θ₂, θ₃), all from the downward vertical.

    𝓛 = ½ Σᵢⱼ Mᵢⱼ θ̇ᵢ θ̇ⱼ + Σᵢ wᵢ cos θᵢ, with the mass matrix Mᵢⱼ = (Σₖ mₖ) lᵢ lⱼ cos(θᵢ − θⱼ),
    k from the greater of i and j on, and the weights wᵢ = (Σₖ mₖ) g lᵢ, k from i on. And so
    M θ̈ = F with Fᵢ = −Σⱼ (Σₖ mₖ) lᵢ lⱼ sin(θᵢ − θⱼ) θ̇ⱼ² − wᵢ sin θᵢ. The energy is zero where all
    bobs are at rest at the pivot's height.

    `sample`: all angles anywhere on the circle, all velocities in ±10 rad/s. `sample_released`:
    angles anywhere, velocities within 0 … 0.1 rad/s. Both are as for the `DoublePendulum`.

    Args:
        mass1, mass2, mass3: m₁, m₂, m₃, in kg.
        length1, length2, length3: l₁, l₂, l₃, in m.
        gravity: g, in m/s².
    """

    mass1: float = 1.0
    mass2: float = 1.0
    mass3: float = 1.0
    length1: float = 1.0
    length2: float = 1.0
    length3: float = 1.0
    gravity: float = 9.8
    dim: ClassVar[int] = 3
    angles: ClassVar[tuple[bool, ...]] = (True, True, True)

    @property
    def _lengths(self):
        return self.length1, self.length2, self.length3

    def _hanging(self, q):
        """The masses from each joint on, and the lengths, `[3]` each, in the precision of q."""
        m3 = self.mass3
        m2 = self.mass2 + m3
        return jnp.array([self.mass1 + m2, m2, m3], q.dtype), jnp.array(self._lengths, q.dtype)

    def _couplings(self, q):
        """(Σₖ mₖ) lᵢ lⱼ, what stands before the cosines of M, `[3, 3]`."""
        hanging, lengths = self._hanging(q)
        joint = jnp.arange(3)
        return hanging[jnp.maximum(joint[:, None], joint)] * jnp.outer(lengths, lengths)

    def _weights(self, q):
        hanging, lengths = self._hanging(q)
        return hanging * self.gravity * lengths

    def _kinetic(self, q, q_dot):
        M = self._couplings(q) * jnp.cos(q[:, None] - q)
        return 0.5 * q_dot @ M @ q_dot

    def _potential(self, q):
        return -self._weights(q) @ jnp.cos(q)

    def acceleration(self, q, q_dot):
        """The three angular accelerations in rad/s²: M θ̈ = F, solved."""
        q, q_dot = self._state(q, q_dot)
        couplings, delta = self._couplings(q), q[:, None] - q
        F = -(couplings * jnp.sin(delta)) @ q_dot**2 - self._weights(q) * jnp.sin(q)
        return jnp.linalg.solve(couplings * jnp.cos(delta), F)
