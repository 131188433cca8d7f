"""One body that falls, and one on a spring."""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from lnn_tutorial.systems.system import NaturalSystem


@dataclass(frozen=True)
class FallingBall(NaturalSystem):
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

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * q_dot @ q_dot

    def _potential(self, q):
        return self.mass * self.gravity * q[0]

    def acceleration(self, q, q_dot):
        """q̈ = (−g, 0), in m/s²."""
        q, q_dot = self._state(q, q_dot)
        return jnp.array([-self.gravity, 0.0], q.dtype)

    def _box(self):
        return ([-5, -5], [-5, -5]), ([5, 5], [5, 5])


@dataclass(frozen=True)
class HarmonicOscillator(NaturalSystem):
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

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * q_dot[0] ** 2

    def _potential(self, q):
        return 0.5 * self.stiffness * q[0] ** 2

    def acceleration(self, q, q_dot):
        """q̈ = −(k/m) q, in m/s²."""
        q, q_dot = self._state(q, q_dot)
        return -self.stiffness / self.mass * q

    def _box(self):
        fastest = 2 * (self.stiffness / self.mass) ** 0.5
        return ([-2], [-fastest]), ([2], [fastest])
