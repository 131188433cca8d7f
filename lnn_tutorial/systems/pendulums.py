"""Pendulums: plane, on a spring, and two hung from each other."""

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
class DoublePendulum(NaturalSystem):
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
