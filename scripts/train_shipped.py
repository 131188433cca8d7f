"""Train the models that come with the package, anew.

    python scripts/train_shipped.py [NAME ...] [--jobs 2]

Each is trained by the recipe of its chapter and then polished by Gauss–Newton steps on larger
batches, on one thread, and judged by its chapter's protocol with steps half as long. Everything
that made it, and its figures, go into the header of its file. Checkpoints are kept in
`_build/shipped`: a killed run goes on where it was.
"""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

CHECKPOINTS = Path(__file__).parents[1] / "_build" / "shipped"
MODELS = {"double_pendulum_lnn": "lnn", "double_pendulum_black_box": "black_box"}
"""Contestants of the double pendulum by the name that they are shipped under."""

STATES, STEPS = "visited", 30_000
POLISH = {"steps": 1000, "batch_size": 512, "rate": 0.4}


def make(name):
    """Train, judge and save one model; returns a line about it."""
    import jax
    import optax

    from lnn_tutorial import experiments, store, train

    model = experiments.double_pendulum_models()[MODELS[name]]
    recipe = experiments.double_pendulum_recipe(STATES)
    folder = CHECKPOINTS / name
    first = recipe.fit(model, seed=0, steps=STEPS, label="recipe", checkpoint=folder)
    steps = POLISH["steps"]
    rate = optax.warmup_cosine_decay_schedule(0.0, POLISH["rate"], 20, steps)
    last = train.fit(
        train.acceleration_loss(model, recipe.loss, recipe.scale),
        first.params,
        recipe.batches,
        key=jax.random.key(1),
        steps=steps,
        batch_size=POLISH["batch_size"],
        optimizer=train.gauss_newton(train.relative_residual(model, recipe.scale), rate),
        chunk=20,
        checkpoint=folder / "polish",
        configuration={"model": str(model), "states": STATES, "rate": POLISH["rate"]},
        label=f"{name}, polish",
    )
    seconds = round(first.seconds + last.seconds)
    figures = experiments.double_pendulum_protocol(substeps=40).figures(model, last.params)
    header = {
        "command": f"python scripts/train_shipped.py {name}",
        "states": STATES,
        "steps": STEPS,
        "polish": POLISH,
        "train_seconds": seconds,
        "figures": {key: float(f"{value:.4g}") for key, value in figures.items()},
    }
    store.save_model(store.SHIPPED / f"{name}.npz", model, last.params, header)
    return f"{name}: {seconds} s, {header['figures']}"


def main():
    """Train what is asked for, by default everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(MODELS)}")
    parser.add_argument("--jobs", type=int, default=2, help="models at a time (default 2)")
    options = parser.parse_args()
    unknown = set(options.names) - set(MODELS)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; known are: {', '.join(MODELS)}")
    os.environ["PJRT_NPROC"] = "1"
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        for line in pool.map(make, options.names or MODELS):
            print(line)


if __name__ == "__main__":
    main()
