r"""The study behind Eq. 16, rerun: which standard deviations minimise the paper's objective?

    python -m benchmarks.initialisation [--jobs 2] [--only STUDY] [--json FILE]

kl          the paper's objective minimised for 20 widths from 50 to 300, one to three hidden
            layers, three seeds: 2500 evaluations each by `initialisation.search`, from σ = 0.1 (the
            last layer 1) times exp(0.7 N(0, 1)) whatever the width; then 400 fresh draws judge what
            was found, Eq. 16, Glorot, He and LeCun
typical     the objective of the typical state minimised by 500 steps along its gradient, for every
            other width, one seed
training    what the initialisation is worth in training: four rules, the course's recipe whole and
            with parts taken away, the paper's recipe; three seeds on the double pendulum

Networks have two coordinates, softplus, biases zero and no kinetic offset; positions and velocities
come from N(0, 1). Results are written as they come, and a killed run goes on where it was.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import study
from lnn_tutorial import experiments, initialisation, models, networks, store

FILE = store.SHIPPED / "initialisation.json"
STUDIES = ("kl", "typical", "training")
WIDTHS = [round(float(width)) for width in np.geomspace(50, 300, 20)]
DEPTHS, SEEDS = (1, 2, 3), (0, 1, 2)
DRAWS = 400

RECIPES = {
    "whole recipe": {},
    "no offset": {"kinetic_offset": False},
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
        "typical": (minimise_typical, WIDTHS[::2]),
    }[name]
    return {
        f"{name}, {depth}, {width}": (function, (depth, width))
        for width in widths
        for depth in DEPTHS
    }


def network(depth, width):
    """The network of the study."""
    return models.LNN(dim=2, width=width, depth=depth, kinetic_offset=False)


def minimise_kl(depth, width):
    """σ that minimise the paper's objective, for each seed; the rules' σ; values of them all."""
    model = network(depth, width)

    def objective(log_sigma, key):
        return initialisation.kl(log_sigma, key, model).total

    judge = judge_of(model)
    found = minima(model, judge, lambda *start: initialisation.search(objective, *start), SEEDS)
    rules = {
        rule: judge(jnp.log(jnp.asarray(networks.standard_deviations(rule, model.sizes))))
        for rule in networks.INITIALISATIONS
    }
    return {"found": found, "rules": rules}


def minimise_typical(depth, width):
    """The same for the objective of the typical state, along its gradient, with one seed."""
    model = network(depth, width)

    def objective(log_sigma, key):
        return initialisation.typical_kl(log_sigma, key, model).total

    def minimise(*start):
        return initialisation.descend(objective, *start, steps=500)

    return {"found": minima(model, judge_of(model), minimise, SEEDS[:1])}


def minima(model, judge, minimise, seeds):
    """Minimise from a start for each seed, and judge what was found."""
    minimise, found = jax.jit(minimise), []
    for seed in seeds:
        key = jax.random.key(seed)
        noise = jax.random.normal(jax.random.fold_in(key, 1), (model.depth + 1,))
        start = jnp.log(jnp.asarray([0.1] * model.depth + [1.0])) + 0.7 * noise
        log_sigma = minimise(start, key).log_sigma
        found.append({"seed": seed, "start": jnp.exp(start).tolist(), **judge(log_sigma)})
    return found


def judge_of(model):
    """Function from log σ to both objectives there, over fresh draws that are always the same."""
    keys = jax.random.split(jax.random.key(1_000_003), DRAWS)

    @jax.jit
    def paper(log_sigma):
        return jax.lax.map(lambda key: initialisation.kl(log_sigma, key, model).total, keys)

    @jax.jit
    def typical(log_sigma):
        return jax.lax.map(
            lambda key: initialisation.typical_kl(log_sigma, key, model).total, keys[: DRAWS // 4]
        )

    def judge(log_sigma):
        return {
            "sigma": jnp.exp(log_sigma).tolist(),
            "log10_kl": spread(np.log10(paper(log_sigma))),
            "typical_kl": spread(np.asarray(typical(log_sigma))),
        }

    return judge


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
    if recipe == "paper":
        model, how = (
            replace(experiments.paper_models()["lnn"], width=64),
            experiments.paper_recipe(),
        )
        steps = 40_000
    else:
        change = dict(RECIPES[recipe])
        how = experiments.double_pendulum_recipe()
        how = replace(how, loss=change.pop("loss", how.loss))
        model, steps = replace(experiments.double_pendulum_models()["lnn"], **change), 10_000
    return study.judged(replace(model, initialisation=rule), how, seed=seed, steps=steps)


def main():
    """Run what is missing."""
    study.main(
        __doc__,
        command="python -m benchmarks.initialisation",
        runs=runs,
        studies=STUDIES,
        file=FILE,
        minutes={"kl": 2.0, "typical": 0.6, "training": 0.9},
    )


if __name__ == "__main__":
    main()
