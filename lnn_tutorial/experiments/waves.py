"""The wave equation: a density is learned on ten nodes and moves a hundred thousand."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, fields, integrate, models, systems, train
from lnn_tutorial.experiments.recipe import (
    NoiseProtocol,
    Polish,
    Recipe,
    command_line,
    compete,
    errors,
    result,
)

WAVES = ("centred", "scaled")
"""What the densities of `wave` see of the string: its shape, or its height as well."""

TRAINING_RING = 10
"""How many nodes the ring has that densities of the wave are trained on, as in the paper's code."""

# fmt: off
WEB = (
    (0, 1), (0, 3), (1, 2), (1, 4), (2, 3), (2, 6), (4, 5), (5, 6), (5, 7), (7, 8), (7, 9), (8, 9),
)
# fmt: on
"""The springs of ten masses that form a square, a loop and a triangle."""


def field_model(nodes, positions="centred"):
    """A density to be learned, 2 × 32 softplus, on given nodes.

    Args:
        nodes: `fields.Neighbourhoods`.
        positions: `"centred"`, where lifting the whole field changes nothing; or `"scaled"`, the
            raw field, as in the paper.
    """
    _inputs.choice("positions", positions, WAVES)
    if not isinstance(nodes, fields.Neighbourhoods):
        raise TypeError(f"expected nodes to be Neighbourhoods, got {type(nodes).__name__}")
    density = models.LNN(dim=nodes.points, position_features=positions, width=32, depth=2)
    return fields.LagrangianGraphNetwork(density, nodes)


def field_recipe(system, polish):
    """White noise: Muon to a peak of 0.01, 32 fields a batch, then a polish.

    Args:
        system: whose fields and accelerations are learned, such as a `systems.WaveEquation`.
        polish: a `Polish`, or its number of steps of 64 fields.
    """
    return Recipe(
        train.labelled(system),
        "white noise",
        lambda steps: train.muon(0.01, steps, 0.1),
        batch_size=32,
        polish=Polish(polish, batch_size=64) if isinstance(polish, int) else polish,
    )


LONG_FIELD_POLISH = Polish(steps=300, batch_size=128)
"""What the shipped densities of the wave got, after 3000 steps."""


@dataclass(frozen=True)
class WaveProtocol:
    """How a density of the wave is judged: on noise, and by a pulse that goes round a ring.

    The pulse is a Gaussian at rest, of height 1. Its motion is followed in double precision: no
    force holds the mean height of a ring, and the rounding of single precision, which pushes all
    nodes alike, moves it: by about a per cent of the pulse with the shipped `wave_lnn`.

    Args:
        nodes: of the ring on which the pulse moves; Δx = 1 m and c = 1 m/s.
        seconds: for how long; 350 s are 3.5 times round 100 nodes.
        width: standard deviation of the pulse, in nodes.
        substeps: Runge–Kutta steps a second.
        states: how many rings of fresh noise judge the accelerations.
    """

    nodes: int = 100
    seconds: int = 350
    width: float = 8.0
    substeps: int = 4
    states: int = 10_000

    def __post_init__(self):
        _inputs.count(3, nodes=self.nodes)
        _inputs.count(seconds=self.seconds, substeps=self.substeps, states=self.states)
        _inputs.positive(width=self.width)

    @property
    def system(self):
        """The true string."""
        return systems.WaveEquation(self.nodes)

    def pulse(self):
        """The start `(phi, phi_dot)`, each `[nodes]`, of NumPy."""
        x = np.arange(self.nodes) - self.nodes // 2
        return np.exp(-0.5 * (x / self.width) ** 2), np.zeros(self.nodes)

    def exact(self):
        """The true motion of the pulse, φ `[seconds + 1, nodes]`, wave by wave."""
        with integrate.double_precision():
            at = partial(self.system.exact, *self.pulse())
            times = jnp.arange(self.seconds + 1.0)
            return np.asarray(jax.jit(jax.vmap(lambda t: at(t)[0]))(times))

    def motion(self, model, params):
        """The learned motion of the pulse, `(phi, phi_dot)`, each `[seconds + 1, nodes]`.

        Args:
            model: a density on a ring, as from `field_model`; it is put on this ring.
            params: its parameters.
        """
        deployed = fields.LagrangianGraphNetwork(model.model, _longer(model, self.nodes))
        with integrate.double_precision():
            return self._followed(partial(deployed.acceleration, _doubled(params)))

    def _followed(self, acceleration):
        steps = {"dt": 1.0, "steps": self.seconds, "substeps": self.substeps}
        moved = jax.jit(partial(integrate.rollout, acceleration, **steps))
        return tuple(np.asarray(x) for x in moved(*map(jnp.asarray, self.pulse())))

    def figures(self, model, params):
        """All figures of a trained density.

        Returns:
            Dict of floats: those of `evaluate.acceleration_error` on noise on the ring of the
            model, and those of the motion. `field_error`, ‖φ − φ*‖/‖φ*‖ at the end against the
            exact motion of the nodes, and `field_error_continuum` against that of a string
            without nodes; `energy_error_last`, `_mean` and `_max`, |E(t)/E(0) − 1| of the true
            energy; `wave_speed` in m/s, see `speed`; `mean_shift`, how far the mean height
            strayed. A motion that runs away has infinite errors.
        """
        noise = NoiseProtocol(systems.WaveEquation(model.nodes.size), self.states)
        return noise.figures(model, params) | self.motion_figures(*self.motion(model, params))

    def floor(self):
        """The figures of the true string's motion: what the integrator itself gets wrong."""
        with integrate.double_precision():
            return self.motion_figures(*self._followed(self.system.acceleration))

    def motion_figures(self, phi, phi_dot):
        """Those of the figures that a motion has, from `motion`."""
        with integrate.double_precision():
            energy = np.asarray(jax.vmap(self.system.energy)(phi, phi_dot))
            at_the_end = partial(self.system.exact, phi[0], phi_dot[0], float(self.seconds))
            exact, continuum = (at_the_end(continuum=c)[0] for c in (False, True))
        stray = errors(np.abs(energy / energy[0] - 1))
        return {
            "field_error": _miss(phi[-1], exact),
            "field_error_continuum": _miss(phi[-1], continuum),
            "energy_error_last": float(stray[-1]),
            "energy_error_mean": float(stray.mean()),
            "energy_error_max": float(stray.max()),
            "wave_speed": self.speed(phi, phi_dot),
            "mean_shift": float(errors(phi[-1].mean() - phi[0].mean())),
        }

    def speed(self, phi, phi_dot):
        """ω/k of the longest wave, in m/s, from the turns that its phase makes in a motion."""
        k = 2 * np.pi / self.nodes
        wave, slope = (np.fft.fft(x, axis=1)[:, 1] for x in (phi, phi_dot))
        wave, slope = (wave / wave[0]).real, (slope / wave[0]).real
        # of a pulse at rest the wave stands: φ̂ = cos ωt and −φ̂̇/ω = sin ωt
        omega = np.sqrt(np.sum(slope**2) / np.sum(1 - wave**2))
        phase = np.unwrap(np.arctan2(-slope / omega, wave))
        return float((phase[-1] - phase[0]) / self.seconds / k)


def _doubled(params):
    """Parameters in float64, inside of `integrate.double_precision`."""
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.float64), params)


def _longer(model, nodes):
    """A ring of so many nodes, with the stencil that a density was learned with."""
    if model.nodes.stencil is None:
        raise ValueError(
            "expected a density that was learned on a ring, got one on nodes without a stencil: "
            "nothing says which nodes of a ring it should see"
        )
    return fields.ring(nodes, model.nodes.stencil)


def _miss(found, true):
    found, true = np.asarray(found), np.asarray(true)
    return float(errors(np.linalg.norm(found - true) / np.linalg.norm(true)))


LARGER_RINGS = ((1_000, 100), (100_000, 10))
"""Nodes, and for how many seconds they are followed."""


@command_line({"larger_rings": "the first of them on larger rings, by number of nodes"})
def wave(seed=0, steps=1500, checkpoint=None, progress=True):
    """A Lagrangian density learns the wave equation on 10 nodes, and moves 100 and more.

    Two networks, one that sees the shape of the string and one that sees its height as well, learn
    from equal data: white noise on a ring of 10, 32 rings a step and then, in a polish of a
    twentieth as many steps, 64. `WaveProtocol` judges both on 100 nodes; larger rings get the
    first one.

    Args:
        seed: of the parameters and the training states.
        steps: of training before the polish, for each network.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: as `spring_pendulum`, `lnn` being the first network and `lnn_raw` the second; with
        `larger_rings`, figures by number of nodes, and `dispersion`, ω(k) of the first: lists
        `wavenumber`, `true`, `learned` and `continuum`, in radians a node and a second.
    """
    ring, string = fields.ring(TRAINING_RING), systems.WaveEquation(TRAINING_RING)
    recipe, protocol = field_recipe(string, max(1, steps // 20)), WaveProtocol()
    contestants = {"lnn": field_model(ring, "centred"), "lnn_raw": field_model(ring, "scaled")}
    settings = {"seed": seed, "steps": steps, "checkpoint": checkpoint, "progress": progress}
    figures, params = compete(contestants, recipe, protocol, **settings)
    first = contestants["lnn"], params["lnn"]
    told = result("wave", figures, protocol, seed=seed, steps=steps)
    larger = {f"{n}": larger_ring(*first, n, seconds) for n, seconds in LARGER_RINGS}
    return {**told, "larger_rings": larger, "dispersion": wave_dispersion(*first)}


def larger_ring(model, params, nodes, seconds):
    """A density on a larger ring that is full of pulses of random heights, in single precision.

    Args:
        model: a density on a ring, as from `field_model`.
        params: its parameters.
        nodes: of the larger ring, a multiple of 100.
        seconds: for how long it is followed.

    Returns:
        Dict of floats: `acceleration_relative_l2` of the pulses at the start, and `field_error` at
        the end as in `WaveProtocol`; infinite for a motion that runs away.
    """
    _inputs.count(nodes=nodes, seconds=seconds)
    system, ring, phi = systems.WaveEquation(nodes), _longer(model, nodes), _pulses(nodes)
    phi_dot = jnp.zeros_like(phi)
    density = partial(model.model.lagrangian, params)
    # of the solvers, the one that is compiled in the same time for any number of nodes
    acceleration = jax.jit(fields.acceleration(density, ring, "cg"))
    steps = {"dt": 1.0, "steps": seconds, "substeps": 2}
    moved = jax.jit(partial(integrate.rollout, acceleration, **steps))(phi, phi_dot)[0]
    true = system.acceleration(phi, phi_dot)
    return {
        "acceleration_relative_l2": _miss(acceleration(phi, phi_dot), true),
        "field_error": _miss(moved[-1], system.exact(phi, phi_dot, float(seconds))[0]),
    }


def _pulses(nodes):
    """Pulses of random heights side by side, `[nodes]`, in single precision whatever JAX is in."""
    pulse = WaveProtocol().pulse()[0]
    if nodes % len(pulse):
        raise ValueError(f"expected a multiple of {len(pulse)} nodes, got {nodes}")
    shape = (nodes // len(pulse),)
    heights = jax.random.uniform(jax.random.key(2), shape, jnp.float32, minval=-1.0)
    return jnp.kron(heights, jnp.asarray(pulse, jnp.float32))


def wave_dispersion(model, params, points=33):
    """ω(k) of a learned density, of the true one and of the continuum, for 0 < k ≤ π: lists.

    Args:
        model: a density on a ring, as from `field_model`.
        params: its parameters.
        points: of the even grid from 0 to π; its 0 is left out.
    """
    _inputs.count(2, points=points)
    stencil = _longer(model, model.nodes.size).stencil
    with integrate.double_precision():
        k = np.linspace(0, np.pi, points)[1:]
        density = partial(model.model.lagrangian, _doubled(params))
        learned = fields.dispersion(density, stencil)(k)
        curves = {"learned": learned, "true": systems.WaveEquation().frequency(k), "continuum": k}
        return {"wavenumber": k.tolist()} | {
            name: np.asarray(x).tolist() for name, x in curves.items()
        }
