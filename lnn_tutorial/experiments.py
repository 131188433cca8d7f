"""The experiments of the book, headless: train, measure, return what JSON can hold.

`python -m lnn_tutorial reproduce NAME` runs them; the chapters show the same recipes step by step.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax
import optax

from lnn_tutorial import _inputs, evaluate, models, store, systems, train


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
    """

    batches: Callable
    states: str
    optimizer: Callable
    loss: str = "relative"
    scale: float = 1.0
    batch_size: int = 128

    def fit(self, model, *, seed, steps, label, checkpoint=None, progress=True):
        """Train a model from a seed. Returns: `train.Fit`."""
        init_key, data_key = jax.random.split(jax.random.key(seed))
        return train.fit(
            train.acceleration_loss(model, self.loss, self.scale),
            model.init(init_key),
            self.batches,
            key=data_key,
            steps=steps,
            batch_size=self.batch_size,
            optimizer=self.optimizer(steps),
            checkpoint=checkpoint and Path(checkpoint) / label,
            configuration={
                "model": str(model),
                "states": self.states,
                "loss": self.loss,
                "scale": self.scale,
            },
            progress=progress,
            label=label,
        )


def _run(model, recipe, protocol, *, seed, steps, label, **settings):
    """Train a model by a recipe and judge it: a dict of figures."""
    fit = recipe.fit(model, seed=seed, steps=steps, label=label, **settings)
    return {
        "states_seen": recipe.batch_size * steps,
        "train_seconds": fit.seconds,
        **protocol.figures(model, fit.params),
    }


def _result(experiment, figures, protocol, *, seed, steps):
    """What an experiment returns."""
    return {
        "experiment": experiment,
        "seed": seed,
        "steps": steps,
        "starts": protocol.starts,
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
    return _result("spring-pendulum", figures, protocol, seed=seed, steps=steps)


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
    result = _result("double-pendulum", figures, protocol, seed=seed, steps=steps)
    return {**result, "recipe": "paper" if paper else "course", "states": states}


EXPERIMENTS = {"double-pendulum": double_pendulum, "spring-pendulum": spring_pendulum}
"""Experiments by the name that `reproduce` takes."""


def recorded(name):
    """The committed results of a study, made by `python -m benchmarks.NAME`: what JSON held."""
    path = store.SHIPPED / f"{name}.json"
    _inputs.choice("results", name, [found.stem for found in store.SHIPPED.glob("*.json")])
    return json.loads(path.read_text(encoding="utf-8"))
