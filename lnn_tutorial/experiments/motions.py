"""Learning from motion: the double pendulum seen frame by frame, without its accelerations."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, data, evaluate, integrate, learning, models, systems
from lnn_tutorial.experiments.double import double_pendulum_models, double_pendulum_protocol
from lnn_tutorial.experiments.recipe import (
    NEW_STATES,
    STARTS,
    command_line,
    compete,
    errors,
    result,
)

SETTINGS = ("course", "julia")
"""What `motion` may be trained on, see `measured_motions`."""


def measured_motions(setting="course", seed=0):
    """Double pendulums as a camera without noise would see them: states at known times.

    `"course"`: 400 released at any angle with |q̇| up to 2 rad/s, and seen for 10 s, every 0.1 s.
    `"julia"`: as few as in a report that trained on t from 0 to 1 s, 1400 frames, here of 40
    motions released at rest with both angles up to a right angle. The report had ten motions, and
    does not say how they were released; from ten of ours, what comes after the first second is
    often new.

    Returns:
        `data.Motions`, of the true motions to rounding in single precision.
    """
    _inputs.choice("setting", setting, SETTINGS)
    key = jax.random.fold_in(jax.random.key(1_000_004), _inputs.seed(seed))
    if setting == "course":
        angle, speed = jax.random.uniform(key, (2, 400, 2), minval=-1.0)
        return _seen(jnp.pi * angle, 2.0 * speed, frame=0.1, steps=100)
    angle = jnp.pi / 2 * jax.random.uniform(key, (40, 2), minval=-1.0)
    return _seen(angle, jnp.zeros_like(angle), frame=1 / 35, steps=35)


def _seen(q, q_dot, frame, steps):
    system = systems.DoublePendulum()
    with integrate.double_precision():
        start = np.asarray(q, float), np.asarray(q_dot, float)
        settings = {"dt": frame, "steps": steps, "substeps": max(1, round(frame / 0.002))}
        seen = evaluate.rollouts(system.acceleration, *start, **settings)
        q, q_dot = (np.asarray(x, np.float32) for x in seen)
    return data.motions(frame * np.arange(steps + 1), q, q_dot)


def motion_models(**change):
    """The contestants: those of the double pendulum, and a Neural ODE of first order."""
    found = double_pendulum_models(**change)
    plain = found["plain"]
    shared = {name: getattr(plain, name) for name in ("width", "depth", "activation")}
    found["ode"] = models.NeuralODE(
        dim=2, angles=(True, True), velocity_scale=5.0, acceleration_scale=20.0, **shared
    )
    return found


@dataclass(frozen=True)
class MotionRecipe:
    """How a model is trained on motions, by `learning.fit_states`.

    Args:
        motions: a `data.Motions`.
        substeps: Runge–Kutta steps from frame to frame, through the solver.
    """

    motions: data.Motions
    substeps: int = 3

    def fit(self, model, *, seed, steps, **settings):
        """Train a model from a seed; arguments and result as those of `Recipe.fit`."""
        key = jax.random.key(_inputs.seed(seed))
        known = {"key": key, "steps": steps, "substeps": self.substeps}
        return learning.fit_states(model, self.motions, **known, **settings)

    def states_seen(self, steps):
        """How many states a training of so many steps sees."""
        return learning.states_seen(learning.STATE_ROUNDS, steps)


@dataclass(frozen=True)
class MotionProtocol:
    """How models that have learned from motion are judged: by states of new motions, and energies.

    Args:
        setting: a name in `SETTINGS`.
        starts: how many motions are followed.
        seed: of the motions that were trained on; those of `"julia"` are followed on from there.
    """

    setting: str = "course"
    starts: int = 40
    seed: int = 0

    def __post_init__(self):
        _inputs.choice("setting", self.setting, SETTINGS)
        _inputs.count(starts=self.starts)

    @property
    def _frames(self):
        paper = double_pendulum_protocol(self.starts)
        seconds = paper.seconds if self.setting == "course" else 30.0
        steps = _inputs.frames(seconds, paper.frame)
        return {"dt": paper.frame, "steps": steps, "substeps": paper.substeps}

    def _released(self):
        system = systems.DoublePendulum()
        if self.setting == "course":
            return system.sample_released(jax.random.key(1_000_002), self.starts)
        known = measured_motions("julia", self.seed)
        first = np.flatnonzero(known.t == 0)[: self.starts]
        return known.q[first], known.q_dot[first]

    def motions(self, follow):
        """Motions by `follow(q, q_dot, **steps)`, `[starts, frames + 1, d]` each."""
        one = jax.jit(jax.vmap(lambda q, q_dot: follow(q, q_dot, **self._frames)))
        return one(*self._released())

    def figures(self, model, params):
        """All figures of a trained model.

        Returns:
            Dict of floats: those of `evaluate.acceleration_error` at states of new motions and of
            `evaluate.energy_error` along the model's own; `position_error_…`, how far these are
            from the true bobs after 1 and 3 s, the median over starts, in metres.
        """
        system = systems.DoublePendulum()
        new = measured_motions(self.setting, NEW_STATES)
        truth = jax.jit(jax.vmap(system.acceleration))(new.q, new.q_dot)
        acceleration = partial(model.acceleration, params)
        found = evaluate.acceleration_error(acceleration, new.q, new.q_dot, truth)
        return found | self._along(partial(model.rollout, params))

    def floor(self):
        """The errors of the true system's motions: what the integrator itself gets wrong."""
        return self._along(partial(integrate.rollout, systems.DoublePendulum().acceleration))

    def _along(self, follow):
        system = systems.DoublePendulum()
        motions = self.motions(follow)
        found = evaluate.energy_error(
            system.energy, *motions, scale=double_pendulum_protocol().unit
        )
        true, _ = self.motions(partial(integrate.rollout, system.acceleration))
        away = errors(evaluate.position_error(system.positions, motions[0], true))
        for seconds in (1, 3):
            frame = round(seconds / self._frames["dt"])
            found[f"position_error_{seconds}s"] = float(np.median(away[:, frame]))
        return found


@command_line(
    starts=STARTS,
    setting={
        "choices": SETTINGS,
        "help": "what is trained on: 400 motions of 10 s, or 40 of one second, followed to 30 s",
    },
)
def motion(seed=0, steps=39_500, starts=40, setting="course", checkpoint=None, progress=True):
    """A Lagrangian network and two Neural ODEs learn the double pendulum from its motion.

    All see the same frames of the same motions, by the same `MotionRecipe`. `plain` (a Neural ODE
    of second order) and `ode` (one of first order) have the Lagrangian network's number of steps;
    `…_same_time` about as many as fit into its training time. All are judged by `MotionProtocol`.

    Args:
        seed: of the parameters, the motions and the batches.
        steps: of training, for the Lagrangian network.
        starts: how many motions are followed when judging.
        setting: a name in `SETTINGS`, see `measured_motions`.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.

    Returns:
        Dict: as `spring_pendulum`, and what `setting` was.
    """
    contestants = motion_models()
    recipe = motion_recipe(setting, seed)
    protocol = MotionProtocol(setting, starts, seed)
    settings = {"seed": seed, "checkpoint": checkpoint, "progress": progress}
    figures, _ = compete(contestants, recipe, protocol, steps=steps, **settings)
    for name in [name for name in contestants if name != "lnn"]:
        ratio = figures["lnn"]["train_seconds"] / figures[name]["train_seconds"]
        longer = {f"{name}_same_time": contestants[name]}
        more = max(steps, round(ratio * steps))
        figures |= compete(longer, recipe, protocol, steps=more, **settings)[0]
    facts = {"starts": starts, "setting": setting}
    return result("motion", figures, protocol, seed=seed, steps=steps, **facts)


def motion_recipe(setting="course", seed=0):
    """The recipe of `motion`; frames that are close need one step of the solver each."""
    return MotionRecipe(measured_motions(setting, seed), substeps=3 if setting == "course" else 1)
