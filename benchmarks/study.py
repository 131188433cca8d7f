"""What the benchmarks share that consist of many runs: a table that grows, and can be resumed."""

import argparse
import json
import multiprocessing
import os
import platform
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import jax
from tqdm import tqdm

from lnn_tutorial import store, train


def judged(model, recipe, protocol, *, seed, steps):
    """Train a model and judge it by a protocol: its figures, or where its training diverged."""
    try:
        fit = recipe.fit(model, seed=seed, steps=steps, label="model", progress=False)
    except train.DivergedError as error:
        return {"diverged": str(error)}
    figures = protocol.figures(model, fit.params)
    return {"seed": seed, "steps": steps, "train_seconds": fit.seconds, **figures}


def main(description, *, command, runs, studies, file, minutes):
    """Do the runs that a table has not yet, several at a time, and write each as it comes.

    Args:
        description: of the benchmark; its first line is shown as help.
        command: how it was called, for the table.
        runs: function from a study's name to `{run's name: (function, arguments)}`.
        studies: names of all studies.
        file: the table, JSON.
        minutes: of one run, by study, to say beforehand how long it will take.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--only", choices=studies, action="append", help="a study; may be repeated")
    parser.add_argument("--json", type=Path, default=file, help="where the results are kept")
    options = parser.parse_args()
    if options.jobs < 1:
        parser.error(f"expected --jobs of at least 1, got {options.jobs}")
    kept = {"runs": {}}
    if options.json.exists():
        kept = json.loads(options.json.read_text(encoding="utf-8"))
    todo, total, expected = {}, 0, 0.0
    for name in options.only or studies:
        wanted = runs(name)
        missing = {key: run for key, run in wanted.items() if key not in kept["runs"]}
        todo, total = todo | missing, total + len(wanted)
        expected += minutes[name] * len(missing) / options.jobs
    print(
        f"{total} runs, {len(todo)} to do, {options.jobs} at a time: {expected:.0f} minutes or so"
    )
    os.environ["PJRT_NPROC"] = "1"
    kept["made with"] = {
        "command": command,
        "jax": jax.__version__,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "jobs": options.jobs,
    }
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.jobs, spawn) as pool, tqdm(total=len(todo)) as bar:
        pending = {pool.submit(run, *arguments): name for name, (run, arguments) in todo.items()}
        for done in as_completed(pending):
            name = pending[done]
            kept["runs"][name] = store.for_json(done.result(), 4)
            kept["runs"] = {key: kept["runs"][key] for key in sorted(kept["runs"])}
            text = json.dumps(kept, indent=1, ensure_ascii=False) + "\n"
            store.write_atomically(options.json, lambda file, text=text: file.write(text.encode()))
            bar.update()
            bar.set_postfix_str(name)
