"""What every experiment is made of: how models are trained, judged alike, and told of."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import jax
import numpy as np
import optax

from lnn_tutorial import _inputs, evaluate, store, systems, train

NEW_STATES, NEW_STARTS = 1_000_001, 1_000_002
"""Seeds of the states and of the starts that judge, the same for everyone."""


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

    def __post_init__(self):
        _inputs.count(steps=self.steps, batch_size=self.batch_size)
        _inputs.positive(rate=self.rate)

    def optimizer(self, residual):
        """The optimiser for a residual such as `train.relative_residual`."""
        last = max(self.steps, 21)
        rate = optax.warmup_cosine_decay_schedule(0.0, self.rate, 20, last)
        return train.gauss_newton(residual, rate)


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

    def __post_init__(self):
        _inputs.function("batches", self.batches)
        _inputs.function("optimizer", self.optimizer)
        _inputs.choice("loss", self.loss, train.LOSSES)
        _inputs.positive(scale=self.scale)
        _inputs.count(batch_size=self.batch_size)
        if not isinstance(self.polish, Polish | None):
            raise TypeError(f"expected polish to be a Polish or None, got {self.polish!r}")

    def fit(self, model, *, seed, steps, label, checkpoint=None, progress=True):
        """Train a model from a seed.

        Args:
            model: anything that `train.acceleration_loss` takes, with `init`.
            seed: of the parameters and the training states, below 2³².
            steps: of training, before the polish.
            label: of the bar, and of this model's folder among the checkpoints.
            checkpoint: a folder for checkpoints, to resume from.
            progress: whether to show bars.

        Returns:
            `train.Fit`.
        """
        init_key, data_key = jax.random.split(jax.random.key(_inputs.seed(seed)))
        folder = checkpoint and _inputs.folder("checkpoint", Path(checkpoint) / label)
        configuration = {
            "model": str(model),
            "states": self.states,
            "loss": self.loss,
            "scale": self.scale,
        }
        run = partial(
            train.fit,
            train.acceleration_loss(model, self.loss, self.scale),
            batches=self.batches,
            progress=progress,
        )
        first = run(
            model.init(init_key),
            key=data_key,
            steps=steps,
            batch_size=self.batch_size,
            optimizer=self.optimizer(steps),
            checkpoint=folder,
            configuration=configuration,
            label=label,
        )
        if self.polish is None:
            return first
        last = run(
            first.params,
            key=jax.random.key(seed + 1),
            steps=self.polish.steps,
            batch_size=self.polish.batch_size,
            optimizer=self.polish.optimizer(train.relative_residual(model, self.scale)),
            chunk=20,
            checkpoint=folder and folder / "polish",
            configuration={**configuration, "after": steps, **asdict(self.polish)},
            label=f"{label}, polish",
        )
        losses = np.concatenate([first.losses, last.losses])
        return train.Fit(last.params, losses, first.seconds + last.seconds)

    def states_seen(self, steps):
        """How many states a training of so many steps sees."""
        more = self.polish.batch_size * self.polish.steps if self.polish else 0
        return self.batch_size * steps + more


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
        q, q_dot, truth = train.labelled(self.system)(jax.random.key(NEW_STATES), self.states)
        return evaluate.acceleration_error(partial(model.acceleration, params), q, q_dot, truth)


def errors(found):
    """Errors of motions, infinite where one has run away."""
    return np.where(np.isfinite(found), found, np.inf)


def compete(contestants, recipe, protocol, *, seed, steps, label="{}", **settings):
    """Train models by one recipe and judge them by one protocol.

    Args:
        contestants: models by name.
        recipe: a `Recipe`.
        protocol: anything with `figures(model, params)`.
        seed, steps: as in `Recipe.fit`.
        label: as in `Recipe.fit`; the braces hold the model's name.
        settings: `checkpoint` and `progress`, as in `Recipe.fit`.

    Returns:
        `(figures, params)`, dicts by the models' names.
    """
    figures, params = {}, {}
    for name, model in contestants.items():
        fit = recipe.fit(model, seed=seed, steps=steps, label=label.format(name), **settings)
        params[name] = fit.params
        figures[name] = {
            "states_seen": recipe.states_seen(steps),
            "train_seconds": fit.seconds,
            **protocol.figures(model, fit.params),
        }
    return figures, params


def result(experiment, figures, protocol, *, seed, steps, **facts):
    """What an experiment returns: the figures of `compete`, and the facts around them."""
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


class OptionError(ValueError):
    """Arguments of an experiment that do not go together."""


STARTS = {"help": "motions that are judged"}
"""The option of an experiment that judges motions."""


def command_line(tables=None, **options):
    """What the command line offers of an experiment, beside what all of them have.

    Args:
        tables: titles of what the result holds beside the models, by its key there.
        options: for each of the experiment's own arguments a dict with `help`, and `choices` where
            there are some. The kind and the default are those of the argument: a whole number, a
            flag where that is False, or else a word.
    """

    def declare(experiment):
        experiment.tables, experiment.options = tables or {}, options
        return experiment

    return declare


def recorded(name):
    """The committed results of a study, made by `python -m benchmarks.NAME`: what JSON held."""
    path = store.SHIPPED / f"{name}.json"
    _inputs.choice("results", name, [found.stem for found in store.SHIPPED.glob("*.json")])
    return json.loads(path.read_text(encoding="utf-8"))
