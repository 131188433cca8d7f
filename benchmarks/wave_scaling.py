r"""One acceleration of a field of n nodes: the paper's dense formula and ours, side by side.

    python -m benchmarks.wave_scaling [--largest N] [--dense N] [--repeats N] [--json FILE]

All contestants get the shipped density of the wave equation and the same white noise on a ring,
and must come close to the true acceleration before their figures count. `paper` takes the velocity
Hessian and the mixed derivatives of the whole Lagrangian as n × n matrices and their
pseudoinverse; `banded` and `cg` are the two solvers of `fields`. Each pair of a contestant and an n
has a process of its own, one after the other, so that the peak of its memory is its own: the table
shows by how much it rose, with compiling, after the ring and its state had been made.

The growth is the slope of log(time) against log(n) from n = 1000 on.
"""

import argparse
import functools
import json
import multiprocessing
import os
import resource
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from tqdm import tqdm

from benchmarks import study
from lnn_tutorial import store

SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
CONTESTANTS = ("paper", "banded", "cg")


def measure(name, n, repeats):
    """Median seconds of one acceleration, seconds of compiling, peak memory in MB, and the error.

    For a process that does nothing else.
    """
    import jax

    from lnn_tutorial import fields, mechanics, store, systems

    wave = systems.WaveEquation(n)
    model, params = store.load_model("wave_lnn")
    density, nodes = functools.partial(model.lagrangian, params), fields.ring(n)
    if name == "paper":
        acceleration = mechanics.acceleration(fields.lagrangian(density, nodes), "pinv")
    else:
        acceleration = fields.acceleration(density, nodes, name)
    state = tuple(x[0] for x in wave.sample(jax.random.key(0), 1))
    before = _peak()
    began = time.perf_counter()
    call = jax.jit(acceleration).lower(*state).compile()
    compiling, seconds = time.perf_counter() - began, []
    found = np.asarray(call(*state))
    while len(seconds) < repeats and sum(seconds) < 20:
        began = time.perf_counter()
        jax.block_until_ready(call(*state))
        seconds.append(time.perf_counter() - began)
    true = np.asarray(wave.acceleration(*state))
    error = float(np.linalg.norm(found - true) / np.linalg.norm(true))
    if not error < 1e-3:
        raise AssertionError(f"{name} is wrong by {error} on {n} nodes")
    return {
        "seconds": statistics.median(seconds),
        "compile_seconds": compiling,
        "peak_mb": _peak() - before,
        "relative_l2": error,
    }


def _peak():
    """The most memory that this process has held so far, in MB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def growth(rows, name):
    """The exponent p of seconds ∝ nᵖ, fitted from n = 1000 on; None with fewer than three sizes."""
    known = [(row["n"], row[name]["seconds"]) for row in rows if name in row and row["n"] >= 1000]
    if len(known) < 3:
        return None
    n, seconds = np.log(np.array(known)).T
    return float(np.polyfit(n, seconds, 1)[0])


def main():
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wave_scaling")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="nodes (default: a million)")
    parser.add_argument("--dense", type=int, default=1_000, help="nodes, for `paper` (1000)")
    parser.add_argument("--repeats", type=int, default=15, help="of each call (default: 15)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    options = study.parsed(parser)
    os.environ |= study.ALL_DIGITS
    if options.largest < SIZES[0] or options.repeats < 1:
        parser.error(f"expected --largest of at least {SIZES[0]} and --repeats of at least 1")
    todo = [
        (name, n)
        for n in SIZES
        for name in CONTESTANTS
        if n <= (options.dense if name == "paper" else options.largest)
    ]
    rows, spawn = {}, multiprocessing.get_context("spawn")
    for name, n in tqdm(todo, desc="a few minutes"):
        with ProcessPoolExecutor(1, spawn) as process:
            figures = process.submit(measure, name, n, options.repeats).result()
        rows.setdefault(n, {"n": n})[name] = figures
    rows = list(rows.values())
    print(f"\n{'':>10}" + "".join(f"{name:^24}" for name in CONTESTANTS) + "paper/banded")
    print(f"{'n':>10}" + f"{'ms':>12}{'MB':>10}  " * len(CONTESTANTS))
    for row in rows:
        line = f"{row['n']:>10,}"
        for name in CONTESTANTS:
            cell = row.get(name)
            line += (
                f"{1e3 * cell['seconds']:>12.2f}{cell['peak_mb']:>10.0f}  " if cell else " " * 24
            )
        if "paper" in row:
            line += f"{row['paper']['seconds'] / row['banded']['seconds']:>11.0f}×"
        print(line)
    exponents = {name: growth(rows, name) for name in CONTESTANTS}
    for name, exponent in exponents.items():
        if exponent is not None:
            print(f"{name}: time grows as n^{exponent:.2f} from n = 1000 on")
    if options.json is not None:
        made = {"command": "python -m benchmarks.wave_scaling", "machine": study.machine()}
        result = {"rows": rows, "growth": exponents, "made with": made}
        text = json.dumps(store.for_json(result, 4), indent=1) + "\n"
        store.write_atomically(options.json, lambda file: file.write(text.encode()))


if __name__ == "__main__":
    main()
