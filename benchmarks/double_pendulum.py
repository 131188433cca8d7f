r"""The double pendulum over seeds: the tables and the ablation of its chapter.

    python -m benchmarks.double_pendulum [--jobs 2] [--only STUDY] [--json FILE]

Five studies, most of them of whole training runs judged by the paper's protocol:

seeds       five seeds on both kinds of training states: the Lagrangian network, the plain one at
            equal steps, the plain network at equal time
divergence  fifteen more seeds of the Lagrangian network on the box: does any run diverge?
ablation    the recipe with one ingredient taken away, three seeds of 10,000 steps
tuning      peaks of the learning rate and activations, the same grid for both kinds of model,
            10,000 steps: how the recipe was chosen
long        the shipped networks over 1000 s instead of 100: energy errors of all 40 starts

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import optax

from benchmarks import study
from lnn_tutorial import evaluate, experiments, store, train

MINUTES = {"seeds": 4, "divergence": 2, "ablation": 1, "tuning": 1, "long": 2}
"""Of one run, by study."""

SHORT = 10_000

ABLATION = {
    "whole recipe": {},
    "L1 loss": {"loss": "l1"},
    "no kinetic offset": {"model": {"kinetic_offset": False}},
    "wrapped raw angles": {"model": {"angle_features": "wrapped"}},
    "Adam": {"optimizer": "adam"},
    "none of the four": {
        "loss": "l1",
        "model": {"kinetic_offset": False, "angle_features": "wrapped", "initialisation": "eq16"},
        "optimizer": "adam",
    },
}
"""What is changed in the recipe; "none" starts from the paper's initialisation, Eq. 16."""

PEAKS, ACTIVATIONS = (0.005, 0.01, 0.02), ("silu", "softplus")


def runs(name):
    """The runs of a study: `{name: (function, arguments)}`."""
    if name == "seeds":
        return {
            f"seeds, {states}, {seed}": (_experiment, (states, seed))
            for states in experiments.STATES
            for seed in range(5)
        }
    if name == "divergence":
        return {f"divergence, {seed}": (_lnn, (seed, 30_000, {})) for seed in range(5, 20)}
    if name == "ablation":
        return {
            f"ablation, {name}, {seed}": (_lnn, (seed, SHORT, change))
            for name, change in ABLATION.items()
            for seed in range(3)
        }
    if name == "long":
        return {f"long, {name}": (_long, (name,)) for name in ("lnn", "plain", "truth")}
    return {
        f"tuning, {name}, {activation}, {peak}": (_tuned, (name, activation, peak))
        for name in ("lnn", "plain")
        for activation in ACTIVATIONS
        for peak in PEAKS
    }


def _experiment(states, seed):
    return experiments.double_pendulum(seed=seed, states=states, progress=False)


def _lnn(seed, steps, change, name="lnn"):
    """The figures of one model alone, or where its training diverged."""
    recipe = experiments.double_pendulum_recipe()
    recipe = replace(recipe, loss=change.get("loss", recipe.loss))
    if change.get("optimizer") == "adam":
        schedule = optax.warmup_cosine_decay_schedule
        recipe = replace(recipe, optimizer=lambda n: optax.adam(schedule(0.0, 3e-3, n // 20, n)))
    if "peak" in change:
        recipe = replace(recipe, optimizer=lambda n: train.muon(change["peak"], n))
    model = replace(experiments.double_pendulum_models()[name], **change.get("model", {}))
    protocol = experiments.double_pendulum_protocol()
    return study.judged(model, recipe, protocol, seed=seed, steps=steps)


def _tuned(name, activation, peak):
    return _lnn(0, SHORT, {"model": {"activation": activation}, "peak": peak}, name)


def _long(name):
    """Energy errors over 1000 s, averaged over every 10 s: median and worst of the starts."""
    protocol = experiments.double_pendulum_protocol(seconds=1000.0, frame=1.0, substeps=400)
    if name == "truth":
        acceleration = protocol.system.acceleration
    else:
        model, params = store.load_model(f"double_pendulum_{name}")
        acceleration = partial(model.acceleration, params)
    along = evaluate.energies(protocol.system.energy, *protocol.motions(acceleration))
    error = np.abs(along - along[:, :1])[:, 1:] / protocol.unit
    error = error.reshape(len(error), 100, 10).mean(axis=2)
    return {
        "time": np.arange(5.0, 1000.0, 10.0).tolist(),
        "energy_error_median": np.median(error, axis=0).tolist(),
        "energy_error_worst": error.max(axis=0).tolist(),
    }


if __name__ == "__main__":
    study.main(__doc__, "double_pendulum", runs, MINUTES)
