"""What the benchmarks share that consist of many runs: a table that grows, and can be resumed."""

import argparse
import json
import multiprocessing
import os
import platform
import re
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import jax
from tqdm import tqdm

from lnn_tutorial import _inputs, experiments, store, train

ALL_DIGITS = {"JAX_DEFAULT_MATMUL_PRECISION": "highest"}
"""The environment in which products of matrices keep all digits, on a GPU too."""


def double_pendulum(recipe):
    """A Lagrangian network of the double pendulum and how it is trained, on 1,280,000 states.

    Args:
        recipe: `"course"`, 10,000 steps; or `"paper"`, the paper's in 40,000 steps, but 4 × 64 for
            4 × 500, so that it takes half a minute.

    Returns:
        `(model, recipe, steps)`.
    """
    if recipe == "course":
        model = experiments.double_pendulum_models()["lnn"]
        return model, experiments.double_pendulum_recipe(), 10_000
    return experiments.paper_models(width=64)["lnn"], experiments.paper_recipe(), 40_000


def judged(model, recipe, protocol, *, seed, steps):
    """Train a model and judge it by a protocol: its figures, or where its training diverged."""
    try:
        fit = recipe.fit(model, seed=seed, steps=steps, label="model", progress=False)
    except train.DivergedError as error:
        return {"diverged": str(error)}
    figures = protocol.figures(model, fit.params)
    return {"seed": seed, "steps": steps, "train_seconds": fit.seconds, **figures}


def machine():
    """What the table says of the machine that made it."""
    return f"{os.cpu_count()} cores, {platform.machine()}"


def parsed(parser):
    """The options of a benchmark, with a `--json` that can be written."""
    options = parser.parse_args()
    try:
        if options.json is not None:
            _inputs.file("--json", options.json)
    except ValueError as error:
        parser.error(str(error))
    return options


def _kept(file, parser):
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return {**kept, "runs": dict(kept["runs"])}
    except (ValueError, KeyError, TypeError) as error:
        parser.error(f"{file} holds no table of runs ({error!r})")


def _as_text(kept):
    """JSON with a line for each figure, a list of numbers in one."""
    text = json.dumps(kept, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]+\]", lambda x: re.sub(r"\s+", " ", x[0]), text) + "\n"


def _wanted(runs, minutes, only, parser):
    """Pairs of a study and its runs: of all studies, or of those and the runs that are named."""
    of_each = {study: runs(study) for study in minutes}
    if only is None:
        return of_each.items()
    picked = []
    for name in only:
        of = {name: of_each[name]} if name in minutes else {
            study: {key: run for key, run in found.items() if key == f"{study}, {name}"}
            for study, found in of_each.items()
        }  # fmt: skip
        if not any(of.values()):
            some = next(key for found in of_each.values() for key in found).partition(", ")[2]
            parser.error(
                f"expected --only to be a study, {', '.join(minutes)}, or a run such as "
                f"{some!r}, got {name!r}"
            )
        picked += of.items()
    return picked


def main(description, name, runs, minutes):
    """Do the runs that a table has not yet, several at a time, and write each as it comes.

    Args:
        description: of the benchmark; its first line is shown as help.
        name: of the benchmark, and of the table that comes with the package.
        runs: function from a study's name to `{run's name: (function, arguments)}`.
        minutes: of one run, by study, to say beforehand how long it will take.
    """
    command, file = f"python -m benchmarks.{name}", store.SHIPPED / f"{name}.json"
    parser = argparse.ArgumentParser(prog=command, description=description.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    known = ", ".join(minutes)
    help = f"a study ({known}), or a single run by what follows its study's name; may be repeated"
    parser.add_argument("--only", action="append", metavar="STUDY", help=help)
    parser.add_argument("--json", type=Path, default=file, help="where the results are kept")
    options = parsed(parser)
    if options.jobs < 1:
        parser.error(f"expected --jobs of at least 1, got {options.jobs}")
    kept = {"runs": {}}
    if options.json.exists():
        kept = _kept(options.json, parser)
    todo, total, expected = {}, 0, 0.0
    for study, wanted in _wanted(runs, minutes, options.only, parser):
        missing = {key: run for key, run in wanted.items() if key not in kept["runs"]}
        todo, total = todo | missing, total + len(wanted)
        expected += minutes[study] * len(missing) / options.jobs
    print(
        f"{total} runs, {len(todo)} to do, {options.jobs} at a time: {expected:.0f} minutes or so"
    )
    os.environ |= {"PJRT_NPROC": "1"} | ALL_DIGITS
    kept["made with"] = {
        "command": command,
        "jax": jax.__version__,
        "machine": machine(),
        "jobs": options.jobs,
    }
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, spawn) as pool, tqdm(total=len(todo)) as bar:
        pending = {pool.submit(run, *arguments): name for name, (run, arguments) in todo.items()}
        for done in as_completed(pending):
            name = pending[done]
            kept["runs"][name] = store.for_json(done.result(), 4)
            kept["runs"] = {key: kept["runs"][key] for key in sorted(kept["runs"])}
            text = _as_text(kept)
            store.write_atomically(options.json, lambda file, text=text: file.write(text.encode()))
            bar.update()
            bar.set_postfix_str(name)
