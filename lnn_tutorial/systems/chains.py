"""Many masses and their neighbours: a string or pendulums on a ring, springs along any graph."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.systems.system import NaturalSystem

DIFFERENCES = ("one-sided", "central")
"""How the slope of a field is written in `WaveEquation`."""


@dataclass(frozen=True)
class Elastic(NaturalSystem):
    """What those below share: q = one number at each node, and white noise for `sample`."""

    @property
    def angles(self):
        """No coordinate is an angle."""
        return (False,) * self.dim

    @property
    def _rate(self):
        """A typical velocity where q is 1, in 1/s."""
        raise NotImplementedError

    def sample(self, key, n):
        """Draw `n` states as the class's docstring says: `(q, q_dot)`, each `[n, nodes]`."""
        _inputs.count(n=n)
        q, q_dot = jax.random.normal(key, (2, n, self.dim))
        return q, self._rate * q_dot


def _three(q, q_dot, names):
    """The state of the three nodes of a neighbourhood on a ring, checked."""
    q, q_dot = _inputs.state(q, q_dot, names)
    if q.shape != (3,):
        raise ValueError(f"expected the three nodes of a neighbourhood, got {q.shape}")
    return q, q_dot


@dataclass(frozen=True)
class WaveEquation(Elastic):
    r"""The wave equation ∂²φ/∂t² = c² ∂²φ/∂x² on a ring: q = φ at its nodes, `[n]`.

    𝓛 = Σᵢ ℓ with the density ℓ = Δx (½ φ̇ᵢ² − ½ c² Dᵢ²) of the nodes i − 1, i and i + 1. A string of
    1 kg/m has this 𝓛 in joules, with φ in metres.

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
    def _rate(self):
        return self.speed / self.spacing

    def density(self, phi, phi_dot):
        """ℓ of the three nodes of one neighbourhood, `[3]` each, in joules (for 1 kg/m)."""
        phi, phi_dot = _three(phi, phi_dot, ("phi", "phi_dot"))
        return self.spacing * 0.5 * (phi_dot[1] ** 2 - self.speed**2 * self._slope(*phi) ** 2)

    def _slope(self, left, middle, right):
        if self.difference == "central":
            return (right - left) / (2 * self.spacing)
        return (right - middle) / self.spacing

    def _kinetic(self, q, q_dot):
        return 0.5 * self.spacing * q_dot @ q_dot

    def _potential(self, q):
        slope = self._slope(jnp.roll(q, 1), q, jnp.roll(q, -1))
        return 0.5 * self.spacing * (self.speed**2 * slope @ slope)

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
        r"""The field `(q, q_dot)` a time t after a start, exact but for rounding: wave by wave.

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


@dataclass(frozen=True)
class CoupledPendulums(Elastic):
    r"""Equal pendulums on a ring, neighbours joined by torsion springs: q = their angles, `[n]`.

    𝓛 = Σᵢ ℓ with the density ℓ = ½ m l² θ̇ᵢ² + m g l cos θᵢ − ½ κ (θᵢ₊₁ − θᵢ)² of the nodes i − 1, i
    and i + 1, and so θ̈ᵢ = −(g/l) sin θᵢ + (κ/(m l²)) (θᵢ₊₁ − 2 θᵢ + θᵢ₋₁).

    `angles` are False: a full turn of one pendulum brings it back, but winds up the springs on
    both of its sides, and they tell the difference.

    `sample`: white noise, every θᵢ and θ̇ᵢ from a normal distribution of width 1 and √(g/l).

    Args:
        nodes: n, the number of pendulums.
        mass: m, in kg.
        length: l, in m.
        gravity: g, in m/s².
        stiffness: κ, in N m.
    """

    nodes: int = 20
    mass: float = 1.0
    length: float = 1.0
    gravity: float = 9.8
    stiffness: float = 5.0

    def __post_init__(self):
        _inputs.count(3, nodes=self.nodes)
        super().__post_init__()

    @property
    def dim(self):
        """The number of coordinates, one for each pendulum."""
        return self.nodes

    @property
    def _rate(self):
        return (self.gravity / self.length) ** 0.5

    def density(self, theta, theta_dot):
        """ℓ of the three nodes of one neighbourhood, `[3]` each, in joules."""
        theta, theta_dot = _three(theta, theta_dot, ("theta", "theta_dot"))
        kinetic = 0.5 * self.mass * self.length**2 * theta_dot[1] ** 2
        twisted = 0.5 * self.stiffness * (theta[2] - theta[1]) ** 2
        return kinetic + self.mass * self.gravity * self.length * jnp.cos(theta[1]) - twisted

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * self.length**2 * q_dot @ q_dot

    def _potential(self, q):
        twist = jnp.roll(q, -1) - q
        hanging = self.mass * self.gravity * self.length * jnp.sum(jnp.cos(q))
        return 0.5 * self.stiffness * twist @ twist - hanging

    def acceleration(self, q, q_dot):
        """θ̈ `[n]`, in rad/s²: see above."""
        q, _ = self._state(q, q_dot)
        curvature = jnp.roll(q, -1) - 2 * q + jnp.roll(q, 1)
        twist = self.stiffness / (self.mass * self.length**2) * curvature
        return twist - self.gravity / self.length * jnp.sin(q)


@dataclass(frozen=True)
class MassesOnSprings(Elastic):
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
    def _rate(self):
        return (self.stiffness / self.mass) ** 0.5

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

    def _kinetic(self, q, q_dot):
        return 0.5 * self.mass * q_dot @ q_dot

    def _potential(self, q):
        stretch, _ = self._stretch(q)
        return 0.5 * self.stiffness * stretch @ stretch

    def acceleration(self, q, q_dot):
        """φ̈ `[n]`, in m/s²: see above."""
        q, _ = self._state(q, q_dot)
        stretch, ends = self._stretch(q)
        pull = self.stiffness / self.mass * stretch
        return jnp.zeros_like(q).at[ends[:, 0]].add(pull).at[ends[:, 1]].add(-pull)
