r"""The study behind Eq. 16, rerun: which standard deviations minimise the paper's objective?

    python -m benchmarks.initialisation [--jobs 2] [--only STUDY] [--json FILE]

kl          the paper's objective minimised for 20 widths from 50 to 300, one to three hidden
            layers, three seeds: 2500 evaluations each by `initialisation.search`, from σ = 0.1 (the
            last layer 1) times exp(0.7 N(0, 1)) whatever the width; then 400 fresh draws judge what
            was found, Eq. 16, Glorot, He and LeCun
typical     the objective of the typical state minimised by 500 steps along its gradient, for every
            fourth width, one seed
training    what the initialisation is worth in training: four rules, the course's recipe whole and
            with parts taken away, the paper's recipe; three seeds on the double pendulum

Networks have two coordinates, softplus, biases zero and no kinetic offset; positions and velocities
come from N(0, 1). Results are written as they come, and a killed run goes on where it was.
"""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import study
from lnn_tutorial import experiments, initialisation, models, networks

MINUTES = {"kl": 2.0, "typical": 0.6, "training": 0.9}
"""Of one run, by study."""

WIDTHS = [round(float(width)) for width in np.geomspace(50, 300, 20)]
DEPTHS, SEEDS = (1, 2, 3), (0, 1, 2)
DRAWS = 400

RECIPES = {
    "whole recipe": {},
    "no offset, L1": {"kinetic_offset": False, "loss": "l1"},
    "paper": {},
}
"""What is taken away from the course's recipe; "paper" is the paper's, 4 × 64."""


def runs(name):
    """The runs of a study: `{name: (function, arguments)}`."""
    if name == "training":
        return {
            f"training, {recipe}, {rule}, {seed}": (train, (recipe, rule, seed))
            for seed in SEEDS
            for recipe in RECIPES
            for rule in networks.INITIALISATIONS
        }
    function, widths = {
        "kl": (minimise_kl, WIDTHS),
        "typical": (minimise_typical, WIDTHS[::4]),
    }[name]
    return {
        f"{name}, {depth}, {width}": (function, (depth, width))
        for width in widths
        for depth in DEPTHS
    }


def minimise_kl(depth, width):
    """σ that minimise the paper's objective, for each seed, beside the rules'."""
    return minima(initialisation.kl, initialisation.search, depth, width, SEEDS)


def minimise_typical(depth, width):
    """σ that minimise the objective of the typical state, along its gradient, one seed."""
    descend = partial(initialisation.descend, steps=500)
    return minima(initialisation.typical_kl, descend, depth, width, SEEDS[:1])


def minima(objective, minimise, depth, width, seeds):
    """Minimise from a start for each seed; judge what was found and what the rules say.

    All are judged on the same fresh draws. "completed" is what `search` has found, with the last
    layer's σ from `initialisation.with_last_layer`.
    """
    model = models.LNN(dim=2, width=width, depth=depth, kinetic_offset=False)
    keys = jax.random.split(jax.random.key(1_000_003), DRAWS)

    def value(log_sigma, key):
        return objective(log_sigma, key, model).total

    @jax.jit
    def values(log_sigma):
        return jax.lax.map(lambda key: value(log_sigma, key), keys)

    @jax.jit
    def completed(log_sigma):
        return initialisation.with_last_layer(log_sigma, jax.random.key(1_000_033), model)

    def judged(log_sigma):
        return {
            "sigma": jnp.exp(log_sigma).tolist(),
            "log10_kl": spread(np.log10(values(log_sigma))),
        }

    find, found = jax.jit(partial(minimise, value)), []
    for seed in seeds:
        key = jax.random.key(seed)
        noise = jax.random.normal(jax.random.fold_in(key, 1), (depth + 1,))
        start = jnp.log(jnp.asarray([0.1] * depth + [1.0])) + 0.7 * noise
        log_sigma = find(start, key).log_sigma
        run = {"seed": seed, "start": jnp.exp(start).tolist(), **judged(log_sigma)}
        if objective is initialisation.kl:
            run["completed"] = judged(completed(log_sigma))
        found.append(run)
    rules = {
        rule: judged(jnp.log(jnp.asarray(networks.standard_deviations(rule, model.sizes))))
        for rule in networks.INITIALISATIONS
    }
    return {"found": found, "rules": rules}


def spread(values):
    """Quartiles, and the 95 % interval of the median by order statistics."""
    ordered = np.sort(values)
    off = 0.98 * len(ordered) ** 0.5
    low, high = ordered[int(len(ordered) / 2 - off)], ordered[int(len(ordered) / 2 + off)]
    return {
        "quartiles": np.percentile(ordered, [25, 50, 75]).tolist(),
        "median_interval": [float(low), float(high)],
    }


def train(recipe, rule, seed):
    """Figures of a Lagrangian network that is trained from a rule."""
    change = dict(RECIPES[recipe])
    model, how, steps = study.double_pendulum("paper" if recipe == "paper" else "course")
    how = replace(how, loss=change.pop("loss", how.loss))
    model = replace(model, initialisation=rule, **change)
    protocol = experiments.double_pendulum_protocol(10)
    return study.judged(model, how, protocol, seed=seed, steps=steps)


if __name__ == "__main__":
    study.main(__doc__, "initialisation", runs, MINUTES)
