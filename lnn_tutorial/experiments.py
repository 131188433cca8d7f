"""The experiments of the book, headless: train, measure, return what JSON can hold.

`python -m lnn_tutorial reproduce NAME` runs them; the chapters show the same recipes step by step.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lnn_tutorial import _inputs, evaluate, fields, integrate, models, store, systems, train


@dataclass(frozen=True)
class Polish:
    """Gauss–Newton steps for the last digits, see `train.gauss_newton`.

    Args:
        steps: how many.
        batch_size: states in a batch.
        rate: the peak rate, after 20 steps.
    """

    steps: int = 1000
    batch_size: int = 512
    rate: float = 0.4


@dataclass(frozen=True)
class Recipe:
    """How a model is trained, but for the seed and the number of steps.

    Args:
        batches: function `(key, n) -> batch` of training states, see `train.labelled`.
        states: what these states are called, for checkpoints.
        optimizer: function from the number of steps to an optax optimiser.
        loss: a name in `train.LOSSES`.
        scale: a typical acceleration, for the relative loss.
        batch_size: states in a batch.
        polish: how to go on after these steps, a `Polish` or None.
    """

    batches: Callable
    states: str
    optimizer: Callable
    loss: str = "relative"
    scale: float = 1.0
    batch_size: int = 128
    polish: Polish | None = None

    def fit(self, model, *, seed, steps, label, checkpoint=None, progress=True):
        """Train a model from a seed. Returns: `train.Fit`."""
        init_key, data_key = jax.random.split(jax.random.key(seed))
        loss = train.acceleration_loss(model, self.loss, self.scale)
        folder = checkpoint and Path(checkpoint) / label
        configuration = {
            "model": str(model),
            "states": self.states,
            "loss": self.loss,
            "scale": self.scale,
        }
        first = train.fit(
            loss,
            model.init(init_key),
            self.batches,
            key=data_key,
            steps=steps,
            batch_size=self.batch_size,
            optimizer=self.optimizer(steps),
            checkpoint=folder,
            configuration=configuration,
            progress=progress,
            label=label,
        )
        if self.polish is None:
            return first
        more, residual = self.polish, train.relative_residual(model, self.scale)
        rate = optax.warmup_cosine_decay_schedule(0.0, more.rate, 20, max(more.steps, 21))
        last = train.fit(
            loss,
            first.params,
            self.batches,
            key=jax.random.key(seed + 1),
            steps=more.steps,
            batch_size=more.batch_size,
            optimizer=train.gauss_newton(residual, rate),
            chunk=20,
            checkpoint=folder and folder / "polish",
            configuration={**configuration, "after": steps, **asdict(more)},
            progress=progress,
            label=f"{label}, polish",
        )
        losses = np.concatenate([first.losses, last.losses])
        return train.Fit(last.params, losses, first.seconds + last.seconds)

    def states_seen(self, steps):
        """How many states a training of so many steps sees."""
        more = self.polish.batch_size * self.polish.steps if self.polish else 0
        return self.batch_size * steps + more


def _run(model, recipe, protocol, *, seed, steps, label, **settings):
    """Train a model by a recipe and judge it: a dict of figures."""
    fit = recipe.fit(model, seed=seed, steps=steps, label=label, **settings)
    return {
        "states_seen": recipe.states_seen(steps),
        "train_seconds": fit.seconds,
        **protocol.figures(model, fit.params),
    }


def _result(experiment, figures, protocol, *, seed, steps, **facts):
    """What an experiment returns."""
    return {
        "experiment": experiment,
        "seed": seed,
        "steps": steps,
        **facts,
        "states_seen": figures["lnn"]["states_seen"],
        "train_seconds": sum(model["train_seconds"] for model in figures.values()),
        "models": figures,
        "integrator_floor": protocol.floor(),
    }


def spring_pendulum(seed=0, steps=5000, starts=40, checkpoint=None, progress=True):
    """A Lagrangian network and a black box learn the spring pendulum from equal data.

    Both see the same fresh states, 128 a step, with the same width, depth, optimiser and bounded
    loss. Both are judged on 10,000 fresh states, and on released starts over 100 s at 0.1 s with
    eight Runge–Kutta steps in each; energies are measured in units of m g l.

    Args:
        seed: of the parameters and the training states.
        steps: of training, for each model.
        starts: how many motions are judged.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: `experiment`, `seed`, `steps`, `starts`, `train_seconds`, `states_seen`,
        `integrator_floor` and `models`, figures by model.
    """
    system = systems.SpringPendulum()
    face = {"dim": 2, "angles": system.angles, "velocity_scale": 5.0, "width": 64, "depth": 3}
    contestants = {
        "lnn": models.LNN(**face),
        "black_box": models.BlackBox(**face, acceleration_scale=20.0),
    }
    recipe = Recipe(train.labelled(system), "box", lambda n: train.muon(0.02, n), scale=20.0)
    unit = system.mass * system.gravity * system.rest_length
    protocol = evaluate.Protocol(system, unit, starts, substeps=8)
    settings = {"seed": seed, "steps": steps, "checkpoint": checkpoint, "progress": progress}
    figures = {
        name: _run(model, recipe, protocol, label=name, **settings)
        for name, model in contestants.items()
    }
    return _result("spring-pendulum", figures, protocol, seed=seed, steps=steps, starts=starts)


STATES = ("box", "visited")
"""What the networks of `double_pendulum` may be trained on."""


def double_pendulum_protocol(starts=40, **settings):
    """The paper's protocol: near-rest starts, 100 s at 0.1 s, energies over 29.4 J.

    29.4 J is the largest potential energy (m₁ + m₂) g l₁ + m₂ g l₂. The paper averages the last
    frame over 40 starts; `evaluate.energy_error` does, and more.

    Source: the public code of Cranmer et al. (2020).
    """
    return evaluate.Protocol(systems.DoublePendulum(), 29.4, starts, **settings)


def double_pendulum_recipe(states="box", seed=0):
    """This course's recipe: the bounded loss, Muon to a peak of 0.01, batches of 128.

    Args:
        states: `"box"`, the paper's; or `"visited"`, by pendulums that swing (`train.visited`).
        seed: of the visited motions.
    """
    _inputs.choice("states", states, STATES)
    system = systems.DoublePendulum()
    batches = (
        train.labelled(system)
        if states == "box"
        else train.visited(system, jax.random.fold_in(jax.random.key(1_000_003), seed))
    )
    return Recipe(batches, states, lambda steps: train.muon(0.01, steps), scale=5.0)


def double_pendulum_models(**change):
    """This course's contestants, 3 × 64 silu; `change` replaces arguments of both."""
    face = {"dim": 2, "angles": (True, True), "velocity_scale": 5.0, "width": 64, "depth": 3}
    face |= {"activation": "silu", **change}
    return {
        "lnn": models.LNN(**face),
        "black_box": models.BlackBox(**face, acceleration_scale=20.0),
    }


def paper_recipe(loss="l1"):
    """The paper's recipe: batches of 32 from the box, Adam from 1e-3 down, L1 or L2.

    The paper says "a decaying learning rate"; here it decays linearly to zero.

    Source: Cranmer et al. (2020), Section 5.
    """

    def optimizer(steps):
        return optax.adam(optax.linear_schedule(1e-3, 0.0, steps))

    batches = train.labelled(systems.DoublePendulum())
    return Recipe(batches, "box", optimizer, loss=loss, batch_size=32)


def paper_models():
    """The paper's contestants: 4 × 500 softplus on raw wrapped angles, Eq. 16 for the LNN."""
    face = {"dim": 2, "angles": (True, True), "angle_features": "wrapped"}
    face |= {"width": 500, "depth": 4, "activation": "softplus"}
    return {
        "lnn": models.LNN(**face, initialisation="eq16", kinetic_offset=False),
        "black_box": models.BlackBox(**face),
    }


def double_pendulum(
    seed=0,
    steps=30_000,
    starts=40,
    states="box",
    paper=False,
    loss=None,
    checkpoint=None,
    progress=True,
):
    """A Lagrangian network and a black box learn the double pendulum.

    All see the same states, drawn fresh for every step, with the same width, depth, optimiser,
    schedule and loss. `black_box` has the Lagrangian network's number of steps, and
    `black_box_same_time` about as many as fit into its training time. All are judged by
    `double_pendulum_protocol`.

    Args:
        seed: of the parameters and the training states.
        steps: of training, for the Lagrangian network.
        starts: how many motions are judged.
        states: `"box"` or `"visited"`, see `double_pendulum_recipe`.
        paper: train as the paper's text says, see `paper_recipe` and `paper_models`.
        loss: `"l1"` or `"l2"`, with `paper`; `"l1"` by default.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: as `spring_pendulum`, and what `states` and `recipe` were.
    """
    if paper:
        _inputs.choice("loss", loss or "l1", ("l1", "l2"))
        if states != "box":
            raise ValueError(f"expected states='box' with the paper's recipe, got {states!r}")
        contestants, recipe = paper_models(), paper_recipe(loss or "l1")
    else:
        if loss is not None:
            raise ValueError("expected a loss with paper=True only")
        contestants, recipe = double_pendulum_models(), double_pendulum_recipe(states, seed)
    protocol = double_pendulum_protocol(starts)
    settings = {"seed": seed, "checkpoint": checkpoint, "progress": progress}

    def run(name, model, steps):
        return _run(model, recipe, protocol, steps=steps, label=name, **settings)

    figures = {name: run(name, model, steps) for name, model in contestants.items()}
    ratio = figures["lnn"]["train_seconds"] / figures["black_box"]["train_seconds"]
    more = max(steps, 500 * round(ratio * steps / 500))  # whole chunks of `fit`
    figures["black_box_same_time"] = run("black_box_same_time", contestants["black_box"], more)
    result = _result("double-pendulum", figures, protocol, seed=seed, steps=steps, starts=starts)
    return {**result, "recipe": "paper" if paper else "course", "states": states}


PARTICLES = {"paper": systems.PaperParticle(), "relativistic": systems.RelativisticParticle()}
"""The particle in a uniform potential, by the Lagrangian that rules it."""


def particle_models(lagrangian="paper", **change):
    """Five contestants, 3 × 24 softplus, by name; `change` replaces arguments of all.

    Velocities enter by the feature whose square, as a kinetic offset, makes a mass matrix that
    grows towards the speed of light about as the true one does: rapidity for the paper's γ⁵,
    arcsine for the relativistic γ³.

    Args:
        lagrangian: `"paper"` or `"relativistic"`.
    """
    _inputs.choice("lagrangian", lagrangian, PARTICLES)
    face = {"dim": 1, "position_scale": 3.0, "context": 1, "context_scale": 3.0}
    face |= {"velocity_features": "rapidity" if lagrangian == "paper" else "arcsine"}
    face |= {"width": 24, "depth": 3, "activation": "softplus", **change}
    return {
        "lnn": models.LNN(**face, kinetic_offset=5.0),
        "black_box": models.BlackBox(**face),
        "hnn": models.HNN(**face),
        "delan": models.DeLaN(**face),
        "hnn_canonical": models.HNN(**face, momenta_of=PARTICLES[lagrangian]),
    }


def oscillator_models():
    """The contestants that fail on the particle, for a system that is within their reach."""
    face = {"dim": 1, "width": 24, "depth": 3, "activation": "softplus"}
    return {"hnn": models.HNN(**face), "delan": models.DeLaN(**face)}


def particle_recipe(system, polish):
    """The bounded loss; Muon to a peak of 0.01 after a slow start, then a polish.

    Args:
        system: whose states and accelerations are learned.
        polish: a `Polish`, or its number of steps.
    """
    if not isinstance(polish, Polish):
        polish = Polish(polish)
    return Recipe(
        train.labelled(system),
        "box",
        lambda steps: train.muon(0.01, steps, 0.2),
        scale=0.3,
        batch_size=256,
        polish=polish,
    )


LONG_POLISH = Polish(steps=1000, batch_size=1024)
"""What the shipped models of the particle got."""


@dataclass(frozen=True)
class ParticleProtocol:
    """How models of the particle are judged: on fresh states, and on motions over a second.

    Args:
        system: a system with a context.
        starts: how many motions, from fresh states of the paper's sampling.
        states: how many fresh states judge the accelerations.
        seconds: how long each motion is.
        frame: time between two looks at it.
        substeps: Runge–Kutta steps between two looks.
    """

    system: systems.ParticleInField
    starts: int = 100
    states: int = 100_000
    seconds: float = 1.0
    frame: float = 0.02
    substeps: int = 10

    def figures(self, model, params):
        """All figures of a trained model.

        Returns:
            Dict of floats: those of `evaluate.acceleration_error`, weighted with 1 + γ as in the
            paper's public code; for a model with `slopes` also `velocity_weighted_l1`, how wrong
            its q̇ is; of the motions, the median over starts and the worst: `velocity_error`, the
            largest |error| of q̇ along a motion, and `energy_error`, the largest
            |E(t) − E(0)| / K, where K is the largest kinetic energy of the true motion.
        """
        errors = self.acceleration_errors(model, params)
        return errors | self._motion_errors(partial(model.rollout, params))

    def acceleration_errors(self, model, params):
        """Those of the figures that need no motion."""
        q, q_dot, g = self.system.sample(jax.random.key(1_000_001), self.states)
        truth = jax.jit(jax.vmap(self.system.acceleration))(q, q_dot, g)
        weights = 1 + ((1 - q_dot[:, 0]) * (1 + q_dot[:, 0])) ** -0.5
        acceleration = partial(model.acceleration, params)
        found = evaluate.acceleration_error(acceleration, q, q_dot, truth, g, weights)
        if hasattr(model, "slopes"):
            velocity = jax.jit(jax.vmap(partial(model.slopes, params)))(q, q_dot, g)[0]
            miss = jnp.abs(velocity - q_dot)[:, 0]
            found["velocity_weighted_l1"] = float(jnp.average(miss, weights=weights))
        return found

    def floor(self):
        """The errors of the true system's motions: what the integrator itself gets wrong."""
        return self._motion_errors(partial(self._motion, substeps=self.substeps))

    def _motion(self, q, q_dot, g, **steps):
        return integrate.rollout(
            lambda q, q_dot: self.system.acceleration(q, q_dot, g), q, q_dot, **steps
        )

    @cached_property
    def _steps(self):
        return {"dt": self.frame, "steps": round(self.seconds / self.frame)}

    @cached_property
    def _energies(self):
        return jax.jit(jax.vmap(jax.vmap(self.system.energy, (0, 0, None))))

    @cached_property
    def _true_motions(self):
        """Starts, velocities `[n, t, 1]` and largest kinetic energies `[n]`."""
        starts = self.system.sample(jax.random.key(1_000_002), self.starts)
        true = partial(self._motion, **self._steps, substeps=4 * self.substeps)
        _, velocity = jax.jit(jax.vmap(true))(*starts)
        kinetic = self._energies(jnp.zeros_like(velocity), velocity, starts[-1])
        return starts, velocity, np.asarray(kinetic).max(axis=1)

    def _motion_errors(self, motion):
        starts, velocity, kinetic = self._true_motions
        found = jax.jit(jax.vmap(partial(motion, **self._steps, substeps=self.substeps)))
        q, q_dot = found(*starts)
        energy = np.asarray(self._energies(q, q_dot, starts[-1]), float)
        errors = {
            "velocity_error": np.abs(q_dot - velocity)[..., 0].max(axis=1),
            "energy_error": np.abs(energy - energy[:, :1]).max(axis=1) / kinetic,
        }
        figures = {}
        for name, error in errors.items():
            error = np.where(np.isfinite(error), error, np.inf)
            figures[f"{name}_median"] = float(np.median(error))
            figures[f"{name}_worst"] = float(error.max())
        return figures


def relativistic_particle(
    seed=0, steps=6_000, starts=100, lagrangian="paper", checkpoint=None, progress=True
):
    """Five kinds of network learn the particle in a uniform potential.

    All see the same fresh states, 256 a step and then, in a polish of a twentieth as many steps,
    512, with the same width, depth, optimisers and loss, and are judged by `ParticleProtocol`. As
    a control, those that cannot learn the particle learn the harmonic oscillator by the same
    recipe.

    Args:
        seed: of the parameters and the training states.
        steps: of training before the polish, for each model.
        starts: how many motions are judged.
        lagrangian: `"paper"` or `"relativistic"`.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: as `spring_pendulum`, with the `lagrangian`, and figures of the `control` by model.
    """
    _inputs.choice("lagrangian", lagrangian, PARTICLES)
    system, oscillator = PARTICLES[lagrangian], systems.HarmonicOscillator()
    protocol, polish = ParticleProtocol(system, starts), max(1, steps // 20)
    recipe = particle_recipe(system, polish)
    settings = {"seed": seed, "steps": steps, "checkpoint": checkpoint, "progress": progress}
    figures = {
        name: _run(model, recipe, protocol, label=f"{lagrangian} {name}", **settings)
        for name, model in particle_models(lagrangian).items()
    }
    control = {}
    for name, model in oscillator_models().items():
        fit = particle_recipe(oscillator, polish).fit(model, label=f"oscillator {name}", **settings)
        q, q_dot, truth = train.labelled(oscillator)(jax.random.key(1_000_001), protocol.states)
        acceleration = partial(model.acceleration, fit.params)
        control[name] = evaluate.acceleration_error(acceleration, q, q_dot, truth)
    result = _result(
        "relativistic-particle", figures, protocol, seed=seed, steps=steps, starts=starts
    )
    return {**result, "lagrangian": lagrangian, "control": control}


WAVES = ("centred", "scaled")
"""What the densities of `wave` see of the string: its shape, or its height as well."""

TRAINING_RING = 10
"""How many nodes the ring has that densities of the wave are trained on, as in the paper's code."""


WEB = (
    (0, 1),
    (0, 3),
    (1, 2),
    (1, 4),
    (2, 3),
    (2, 6),
    (4, 5),
    (5, 6),
    (5, 7),
    (7, 8),
    (7, 9),
    (8, 9),
)
"""The springs of ten masses that form a square, a loop and a triangle."""


def field_model(nodes, positions="centred"):
    """A density to be learned, 2 × 32 softplus, on given nodes.

    Args:
        nodes: `fields.Neighbourhoods`.
        positions: `"centred"`, where lifting the whole field changes nothing; or `"scaled"`, the
            raw field, as in the paper.
    """
    _inputs.choice("positions", positions, WAVES)
    density = models.LNN(dim=nodes.points, position_features=positions, width=32, depth=2)
    return fields.LagrangianGraphNetwork(density, nodes)


def field_recipe(system, polish):
    """White noise: Muon to a peak of 0.01, 32 fields a batch, then a polish.

    Args:
        system: whose fields and accelerations are learned, such as a `systems.WaveEquation`.
        polish: a `Polish`, or its number of steps of 64 fields.
    """
    if not isinstance(polish, Polish):
        polish = Polish(polish, batch_size=64)
    return Recipe(
        train.labelled(system),
        "white noise",
        lambda steps: train.muon(0.01, steps, 0.1),
        batch_size=32,
        polish=polish,
    )


LONG_FIELD_POLISH = Polish(steps=300, batch_size=128)
"""What the shipped densities of the wave got, after 3000 steps."""


@dataclass(frozen=True)
class NoiseProtocol:
    """How any model is judged on fresh states of a system: by its accelerations alone.

    Args:
        system: a system without a context.
        states: how many.
    """

    system: systems.System
    states: int = 10_000

    def __post_init__(self):
        _inputs.count(states=self.states)

    def figures(self, model, params):
        """Dict of floats: those of `evaluate.acceleration_error`."""
        q, q_dot, truth = train.labelled(self.system)(jax.random.key(1_000_001), self.states)
        return evaluate.acceleration_error(partial(model.acceleration, params), q, q_dot, truth)


@dataclass(frozen=True)
class WaveProtocol:
    """How a density of the wave is judged: on noise, and by a pulse that goes round a ring.

    The pulse is a Gaussian at rest, of height 1. Its motion is followed in double precision: no
    force holds the mean height of a ring, so that the rounding of single precision, pushing all
    nodes alike, would move it by a per cent.

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
            model: a density on its nodes, as from `field_model`; it is put on this ring.
            params: its parameters.
        """
        deployed = fields.LagrangianGraphNetwork(model.model, fields.ring(self.nodes))
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
            strayed.
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
        stray = np.abs(energy / energy[0] - 1)
        return {
            "field_error": _miss(phi[-1], exact),
            "field_error_continuum": _miss(phi[-1], continuum),
            "energy_error_last": float(stray[-1]),
            "energy_error_mean": float(stray.mean()),
            "energy_error_max": float(stray.max()),
            "wave_speed": self.speed(phi, phi_dot),
            "mean_shift": float(phi[-1].mean() - phi[0].mean()),
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


def _miss(found, true):
    found, true = np.asarray(found), np.asarray(true)
    return float(np.linalg.norm(found - true) / np.linalg.norm(true))


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
    fitted, figures = {}, {}
    for name, positions in zip(("lnn", "lnn_raw"), WAVES, strict=True):
        model = field_model(ring, positions)
        settings = {"label": positions, "checkpoint": checkpoint, "progress": progress}
        fit = recipe.fit(model, seed=seed, steps=steps, **settings)
        fitted[name] = model, fit.params
        figures[name] = {
            "states_seen": recipe.states_seen(steps),
            "train_seconds": fit.seconds,
            **protocol.figures(model, fit.params),
        }
    result = _result("wave", figures, protocol, seed=seed, steps=steps)
    larger = {f"{n}": larger_ring(*fitted["lnn"], n, seconds) for n, seconds in LARGER_RINGS}
    return {**result, "larger_rings": larger, "dispersion": wave_dispersion(*fitted["lnn"])}


LARGER_RINGS = ((1_000, 100), (100_000, 10))
"""Nodes, and for how many seconds they are followed."""


def larger_ring(model, params, nodes, seconds):
    """A density on a larger ring that is full of pulses of random heights, in single precision.

    Returns:
        Dict of floats: `acceleration_relative_l2` of the pulses at the start, and `field_error` at
        the end as in `WaveProtocol`.
    """
    protocol = WaveProtocol()
    _inputs.count(nodes=nodes, seconds=seconds)
    if nodes % protocol.nodes:
        raise ValueError(f"expected a multiple of {protocol.nodes} nodes, got {nodes}")
    system = systems.WaveEquation(nodes)
    heights = jax.random.uniform(jax.random.key(2), (nodes // protocol.nodes,), minval=-1.0)
    phi = jnp.kron(heights, jnp.asarray(protocol.pulse()[0]))
    phi_dot = jnp.zeros_like(phi)
    density = partial(model.model.lagrangian, params)
    # of the solvers, the one that is compiled in the same time for any number of nodes
    acceleration = jax.jit(fields.acceleration(density, fields.ring(nodes), "cg"))
    steps = {"dt": 1.0, "steps": seconds, "substeps": 2}
    moved = integrate.rollout(acceleration, phi, phi_dot, **steps)[0]
    true = system.acceleration(phi, phi_dot)
    return {
        "acceleration_relative_l2": _miss(acceleration(phi, phi_dot), true),
        "field_error": _miss(moved[-1], system.exact(phi, phi_dot, float(seconds))[0]),
    }


def wave_dispersion(model, params, points=33):
    """ω(k) of a learned density, of the true one and of the continuum, for 0 < k ≤ π: lists."""
    _inputs.count(2, points=points)
    with integrate.double_precision():
        k = np.linspace(0, np.pi, points)[1:]
        learned = fields.dispersion(partial(model.model.lagrangian, _doubled(params)))(k)
        curves = {"learned": learned, "true": systems.WaveEquation().frequency(k), "continuum": k}
        return {"wavenumber": k.tolist()} | {
            name: np.asarray(x).tolist() for name, x in curves.items()
        }


EXPERIMENTS = {
    "double-pendulum": double_pendulum,
    "relativistic-particle": relativistic_particle,
    "spring-pendulum": spring_pendulum,
    "wave": wave,
}
"""Experiments by the name that `reproduce` takes."""


def recorded(name):
    """The committed results of a study, made by `python -m benchmarks.NAME`: what JSON held."""
    path = store.SHIPPED / f"{name}.json"
    _inputs.choice("results", name, [found.stem for found in store.SHIPPED.glob("*.json")])
    return json.loads(path.read_text(encoding="utf-8"))
