r"""The double pendulum over seeds: the tables and the ablation of its chapter.

    python -m benchmarks.double_pendulum [--jobs 2] [--only STUDY] [--json FILE]

Five studies, most of them of whole training runs judged by the paper's protocol:

seeds       five seeds on both kinds of training states: the Lagrangian network, the black box at
            equal steps, the black box at equal time
divergence  fifteen more seeds of the Lagrangian network on the box: does any run diverge?
ablation    the recipe with one ingredient taken away, three seeds of 10,000 steps
tuning      peaks of the learning rate and activations, the same grid for both kinds of model,
            10,000 steps: how the recipe was chosen
long        the shipped networks over 1000 s instead of 100: energy errors of all 40 starts

It says beforehand how many runs there are, writes each result to FILE as it comes, and skips
what FILE has already: a killed run goes on where it was. FILE is by default the table that comes
with the package. Each job computes on one thread; with two jobs two runs share the machine.
"""

import argparse
import json
import multiprocessing
import os
import platform
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax
import numpy as np
import optax
from tqdm import tqdm

from lnn_tutorial import evaluate, experiments, store, train

FILE = store.SHIPPED / "double_pendulum.json"
STUDIES = ("seeds", "divergence", "ablation", "tuning", "long")
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


def runs(study):
    """The runs of a study: `{name: (function, arguments)}`."""
    if study == "seeds":
        return {
            f"seeds, {states}, {seed}": (_experiment, (states, seed))
            for states in experiments.STATES
            for seed in range(5)
        }
    if study == "divergence":
        return {f"divergence, {seed}": (_lnn, (seed, 30_000, {})) for seed in range(5, 20)}
    if study == "ablation":
        return {
            f"ablation, {name}, {seed}": (_lnn, (seed, SHORT, change))
            for name, change in ABLATION.items()
            for seed in range(3)
        }
    if study == "long":
        return {f"long, {name}": (_long, (name,)) for name in ("lnn", "black_box", "truth")}
    return {
        f"tuning, {name}, {activation}, {peak}": (_tuned, (name, activation, peak))
        for name in ("lnn", "black_box")
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
    try:
        fit = recipe.fit(model, seed=seed, steps=steps, label=name, progress=False)
    except train.DivergedError as error:
        return {"diverged": str(error)}
    figures = experiments.double_pendulum_protocol().figures(model, fit.params)
    return {"seed": seed, "steps": steps, "train_seconds": fit.seconds, **figures}


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


def _rounded(found):
    """Floats to four digits; None for what is not finite, which JSON has no word for."""
    if isinstance(found, dict):
        return {key: _rounded(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_rounded(value) for value in found]
    if isinstance(found, float):
        return float(f"{found:.4g}") if abs(found) < float("inf") else None
    return found


def main():
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--only", choices=STUDIES, action="append", help="a study; may be repeated")
    parser.add_argument("--json", type=Path, default=FILE, help="where the results are kept")
    options = parser.parse_args()
    kept = {"runs": {}}
    if options.json.exists():
        kept = json.loads(options.json.read_text(encoding="utf-8"))
    wanted = {}
    for study in options.only or STUDIES:
        wanted |= runs(study)
    todo = {name: run for name, run in wanted.items() if name not in kept["runs"]}
    print(f"{len(wanted)} runs, {len(todo)} to do, {options.jobs} at a time; on two cores a run of")
    print("'seeds' takes about 4 minutes, of 'divergence' and 'long' 2, of the others 1")
    os.environ["PJRT_NPROC"] = "1"
    kept["made with"] = {
        "command": "python -m benchmarks.double_pendulum",
        "jax": jax.__version__,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "jobs": options.jobs,
    }
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, spawn) as pool, tqdm(total=len(todo)) as bar:
        pending = {pool.submit(run, *arguments): name for name, (run, arguments) in todo.items()}
        for done in as_completed(pending):
            name = pending[done]
            kept["runs"][name] = _rounded(done.result())
            kept["runs"] = {key: kept["runs"][key] for key in sorted(kept["runs"])}
            text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
            store.write_atomically(options.json, lambda file, text=text: file.write(text.encode()))
            bar.update()
            bar.set_postfix_str(name)


if __name__ == "__main__":
    main()
