"""One body that falls, bounces, on a spring or about a centre; two on a spring; three alone."""

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
class BouncingBall(NaturalSystem):
    r"""A ball that falls on a floor and bounces: q = (height,), with the floor at q = 0.

    𝓛 = ½ m q̇² − m g q and q̈ = −g above the floor. At the floor the velocity jumps, q̇ → −e q̇, and
    the energy falls to e² of what it was. No function q̈(q, q̇) can hold such a jump: a rollout of
    `acceleration` falls through the floor; `exact` has the motion with its bounces. For e < 1 these
    are infinitely many in a finite time, after which the ball lies still.

    `sample`: heights in 0 … 5 m, velocities in ±5 m/s.

    Args:
        mass: m, in kg.
        gravity: g, in m/s².
        restitution: e, above 0 and at most 1, where no energy is lost.

    Raises:
        ValueError: a height below the floor, in a state that is not traced; a restitution above 1.
    """

    mass: float = 1.0
    gravity: float = 9.8
    restitution: float = 0.8
    dim: ClassVar[int] = 1
    angles: ClassVar[tuple[bool, ...]] = (False,)

    def __post_init__(self):
        super().__post_init__()
        _inputs.at_most(1, restitution=self.restitution)

    def _coordinates(self, q):
        q = super()._coordinates(q)
        _inputs.not_negative(q=q)
        return q

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * q_dot @ q_dot

    def _potential(self, q):
        return self.mass * self.gravity * q[0]

    def acceleration(self, q, q_dot):
        """q̈ = −g, in m/s²: of a ball in flight."""
        q, _ = self._state(q, q_dot)
        return jnp.full_like(q, -self.gravity)

    def exact(self, q, q_dot, t):
        r"""The state `(q, q_dot)` a time t after a start, exact but for rounding, bounces and all.

        The ball moves as if it had been thrown from the floor, with the velocity u = √(q̇² + 2 g q).
        Flight k = 0, 1, … then begins with the velocity u eᵏ at the time τ (1 − eᵏ)/(1 − e), where
        τ = 2 u/g is the duration of the first; for e = 1 that is k τ. At a bounce itself the
        velocity is the one before or the one after it.

        Args:
            q, q_dot: the start, `[1]` each.
            t: time in seconds, a number, 0 or above.
        """
        q, q_dot = self._state(q, q_dot)
        t = _inputs.time(t, q)
        _inputs.not_negative(t=t)
        e, g = jnp.asarray(self.restitution, q.dtype), self.gravity
        throw = jnp.sqrt(q_dot**2 + 2 * g * q)
        duration, since = 2 * throw / g, t + (throw - q_dot) / g
        lies = (1 - e) * since >= duration
        flights = jnp.where(lies, 0, since) / jnp.where(lies, 1, duration)
        lossy = jnp.where(e < 1, e, 0.5)  # any number but 1, where 1 makes 0/0
        loss, log = 1 - lossy, jnp.log(lossy)
        k = jnp.floor(jnp.where(e < 1, jnp.log1p(-loss * flights) / log, flights))
        begun = jnp.where(e < 1, -jnp.expm1(k * log) / loss, k) * duration
        velocity, since = throw * e**k, since - begun
        height = jnp.maximum(velocity * since - 0.5 * g * since**2, 0)
        return tuple(jnp.where(lies, 0, x) for x in (height, velocity - g * since))

    def _box(self):
        return ([0], [-5]), ([5], [5])


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


@dataclass(frozen=True)
class ThreeBodies(NaturalSystem):
    r"""Three bodies in a plane that attract one another: q = (x₁, y₁, x₂, y₂, x₃, y₃).

    𝓛 = ½ Σᵢ mᵢ |ṙᵢ|² + Σ_pairs G mᵢ mⱼ/√(|rⱼ − rᵢ|² + ε²), and so
    r̈ᵢ = G Σⱼ mⱼ (rⱼ − rᵢ)/(|rⱼ − rᵢ|² + ε²)^(3/2). The length ε softens gravity: far beyond it
    this is Newton's, within it the pull fades, so that a near passage, even a collision, stays
    finite. Energy, momentum and angular momentum are conserved all the same.

    `sample`: three places drawn uniformly from a disc of radius 2 m and velocities from a normal
    distribution, both then taken about the centre of mass, which rests in the origin. The
    velocities are scaled such that T is a fraction of −V, drawn from 0.2 … 0.8: the energy is
    negative, and the three can never all part. (One may still leave the other two.)

    Args:
        mass1, mass2, mass3: m₁, m₂, m₃, in kg.
        strength: G, in N m²/kg². Any other units that agree will do.
        softening: ε, in m.

    Source: Goldstein, Poole & Safko (2002), Section 3.12, but for the softening.
    """

    mass1: float = 1.0
    mass2: float = 1.0
    mass3: float = 1.0
    strength: float = 1.0
    softening: float = 0.3
    dim: ClassVar[int] = 6
    angles: ClassVar[tuple[bool, ...]] = (False,) * 6

    def _masses(self, q):
        """The masses `[3]`, in the precision of q."""
        return jnp.array([self.mass1, self.mass2, self.mass3], q.dtype)

    def _distances(self, apart):
        """√(|r|² + ε²) for differences of places `[…, 2]`."""
        return jnp.sqrt(jnp.sum(apart**2, axis=-1) + self.softening**2)

    def _kinetic(self, q, q_dot):
        return 0.5 * self._masses(q) @ jnp.sum(q_dot.reshape(3, 2) ** 2, axis=1)

    def _potential(self, q):
        m, r = self._masses(q), q.reshape(3, 2)
        pairs = m * jnp.roll(m, 1) / self._distances(r - jnp.roll(r, 1, axis=0))
        return -self.strength * jnp.sum(pairs)

    def acceleration(self, q, q_dot):
        """r̈ᵢ = G Σⱼ mⱼ (rⱼ − rᵢ)/(|rⱼ − rᵢ|² + ε²)^(3/2) `[6]`, in m/s²."""
        q, _ = self._state(q, q_dot)
        r = q.reshape(3, 2)
        apart = r - r[:, None]
        pull = self.strength * self._masses(q) / self._distances(apart) ** 3
        return jnp.einsum("ij,ijx->ix", pull, apart).ravel()

    def linear_momentum(self, q, q_dot):
        """P = Σᵢ mᵢ ṙᵢ `[2]`, in kg m/s: constant along every motion."""
        q, q_dot = self._state(q, q_dot)
        return self._masses(q) @ q_dot.reshape(3, 2)

    def angular_momentum(self, q, q_dot):
        """L = Σᵢ mᵢ (xᵢ ẏᵢ − yᵢ ẋᵢ), a scalar, in kg m²/s: constant along every motion."""
        q, q_dot = self._state(q, q_dot)
        (x, y), (x_dot, y_dot) = q.reshape(3, 2).T, q_dot.reshape(3, 2).T
        return self._masses(q) @ (x * y_dot - y * x_dot)

    def sample(self, key, n):
        """Draw `n` states as the class's docstring says: `(q, q_dot)`, each `[n, 6]`."""
        _inputs.count(n=n)
        places, velocities, shares = jax.random.split(key, 3)
        area, turn = jax.random.uniform(places, (2, n, 3))
        radius, angle = 2 * area**0.5, 2 * jnp.pi * turn
        r = jnp.stack([radius * jnp.cos(angle), radius * jnp.sin(angle)], axis=-1)
        r_dot = jax.random.normal(velocities, (n, 3, 2))
        weights = self._masses(r) / self._masses(r).sum()
        centred = (x - jnp.einsum("i,nix->nx", weights, x)[:, None] for x in (r, r_dot))
        q, q_dot = (x.reshape(n, 6) for x in centred)
        share = jax.random.uniform(shares, (n,), minval=0.2, maxval=0.8)
        wanted = -share * jax.vmap(self._potential)(q)
        return q, q_dot * jnp.sqrt(wanted / jax.vmap(self._kinetic)(q, q_dot))[:, None]
