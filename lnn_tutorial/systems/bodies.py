"""One body that falls, on a spring or about a centre, and two joined by a spring."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs
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
        return 0.5 * self.mass * q_dot @ q_dot

    def _potential(self, q):
        return 0.5 * self.stiffness * q @ q

    def acceleration(self, q, q_dot):
        """q̈ = −(k/m) q, in m/s²."""
        q, q_dot = self._state(q, q_dot)
        return -self.stiffness / self.mass * q

    def _box(self):
        d, fastest = self.dim, 2 * (self.stiffness / self.mass) ** 0.5
        return ([-2] * d, [-fastest] * d), ([2] * d, [fastest] * d)


@dataclass(frozen=True)
class IsotropicOscillator(HarmonicOscillator):
    r"""A mass that a spring of no length draws to the origin of a plane: q = (x, y).

    𝓛 = ½ m |q̇|² − ½ k |q|² and q̈ = −(k/m) q: an ellipse about the origin.

    `sample`: both coordinates in ±2 m, both velocities in ±2 √(k/m) m/s.

    Args:
        mass: m, in kg.
        stiffness: k, in N/m.

    Source: Goldstein, Poole & Safko (2002), Section 3.6.
    """

    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (False, False)


@dataclass(frozen=True)
class TwoBodiesOnSpring(NaturalSystem):
    r"""Two bodies on a line, joined by a spring and else free: q = (x₁, x₂).

    𝓛 = ½ m₁ ẋ₁² + ½ m₂ ẋ₂² − ½ k s², with the stretch s = x₂ − x₁ − l, and so ẍ₁ = k s/m₁ and
    ẍ₂ = −k s/m₂. The centre of mass moves uniformly; the stretch oscillates with ω = √(k/μ), where
    μ = m₁ m₂/(m₁ + m₂) is the reduced mass.

    `sample`: x₁ in ±l and x₂ in 0 … 2l, so that the stretch is within ±2l; both velocities in
    ±l √(k/μ).

    Args:
        mass1, mass2: m₁, m₂, in kg.
        stiffness: k, in N/m.
        rest_length: l, in m.
    """

    mass1: float = 1.0
    mass2: float = 1.0
    stiffness: float = 1.0
    rest_length: float = 1.0
    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (False, False)

    def _stretch(self, q):
        return q[1] - q[0] - self.rest_length

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass1 * q_dot[0] ** 2 + 0.5 * self.mass2 * q_dot[1] ** 2

    def _potential(self, q):
        return 0.5 * self.stiffness * self._stretch(q) ** 2

    def acceleration(self, q, q_dot):
        """ẍ₁ = k s/m₁ and ẍ₂ = −k s/m₂, in m/s²."""
        q, _ = self._state(q, q_dot)
        pull = self.stiffness * self._stretch(q)
        return jnp.stack([pull / self.mass1, -pull / self.mass2])

    def _box(self):
        l = self.rest_length
        fastest = l * (self.stiffness * (1 / self.mass1 + 1 / self.mass2)) ** 0.5
        return ([-l, 0], [-fastest, -fastest]), ([l, 2 * l], [fastest, fastest])


@dataclass(frozen=True)
class KeplerProblem(NaturalSystem):
    r"""A planet and its sun, which stands still at the origin: q = (x, y).

    𝓛 = ½ m |q̇|² + k/|q| and q̈ = −(k/m) q/|q|³. With a negative energy the orbit is an ellipse
    with the sun in one focus.

    `sample`: ellipses that lie in the ring 0.5 m ≤ |q| ≤ 2 m and never leave it. The nearest and
    the farthest point of each are at two distances drawn uniformly from 0.5 … 2; the direction of
    the nearest point and the place on the ellipse, its eccentric anomaly η, are uniform on the
    circle; both senses of rotation are equally likely.

    Args:
        mass: m, in kg.
        strength: k = G M m, in N m². Any other units that agree will do: in astronomical units and
            years, k/m = 4π² for the Sun.

    Raises:
        ValueError: q = 0, where the bodies collide, in a state that is not traced; a traced one has
            no finite acceleration there.

    Source: Goldstein, Poole & Safko (2002), Sections 3.7–3.9.
    """

    mass: float = 1.0
    strength: float = 1.0
    dim: ClassVar[int] = 2
    angles: ClassVar[tuple[bool, ...]] = (False, False)

    def _coordinates(self, q):
        q = super()._coordinates(q)
        _inputs.nonzero("q", q, "where the bodies collide")
        return q

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * q_dot @ q_dot

    def _potential(self, q):
        return -self.strength / jnp.linalg.norm(q)

    def acceleration(self, q, q_dot):
        """q̈ = −(k/m) q/|q|³, in m/s²."""
        q, _ = self._state(q, q_dot)
        return -self.strength / self.mass * q / jnp.linalg.norm(q) ** 3

    def angular_momentum(self, q, q_dot):
        """L = m (x ẏ − y ẋ), a scalar, in kg m²/s: constant along every motion."""
        q, q_dot = self._state(q, q_dot)
        return self.mass * (q[0] * q_dot[1] - q[1] * q_dot[0])

    def laplace_runge_lenz(self, q, q_dot):
        r"""The Laplace–Runge–Lenz vector A = p × L − m k q/|q|, `[2]`: constant along every motion.

        It points to where the planet is nearest to the sun, and |A| = m k e, where e is the
        eccentricity of the orbit.
        """
        q, q_dot = self._state(q, q_dot)
        turned = self.angular_momentum(q, q_dot) * jnp.stack([q_dot[1], -q_dot[0]])
        return self.mass * (turned - self.strength * q / jnp.linalg.norm(q))

    def sample(self, key, n):
        """Draw `n` states as the class's docstring says: `(q, q_dot)`, each `[n, 2]`."""
        _inputs.count(n=n)
        reach, turns, senses = jax.random.split(key, 3)
        near, far = jnp.sort(jax.random.uniform(reach, (2, n), minval=0.5, maxval=2.0), axis=0)
        direction, eta = jax.random.uniform(turns, (2, n), maxval=2 * jnp.pi)
        sense = jax.random.rademacher(senses, (n,), float)
        # The ellipse from its focus, q = (a (cos η − e), b sin η), with |q| η̇ = √(k/(m a)).
        a, b, focus = (near + far) / 2, (near * far) ** 0.5, (far - near) / 2
        rate = (self.strength / (self.mass * a)) ** 0.5 / (a - focus * jnp.cos(eta))
        q = jnp.stack([a * jnp.cos(eta) - focus, sense * b * jnp.sin(eta)])
        q_dot = rate * jnp.stack([-a * jnp.sin(eta), sense * b * jnp.cos(eta)])
        cosine, sine = jnp.cos(direction), jnp.sin(direction)
        axes = jnp.array([[cosine, -sine], [sine, cosine]])
        return tuple(jnp.einsum("ijn,jn->ni", axes, x) for x in (q, q_dot))
