r"""What the gradient of a motion's loss costs, by the number of parameters, and how exact it is.

    python -m benchmarks.sensitivities [--repeats N] [--only PART] [--json FILE]

The loss is `train.motion_loss` of a Lagrangian network of the double pendulum with two hidden
layers, over 16 motions of one second, seen every 0.1 s. The network has learned for a short while
first, so that its motions are about as rough as true ones. `WAYS` tells the ways to the gradient:
four that go back, one of them `ours`, and finite differences, which take two losses for each
parameter. Their time is that of `SAMPLE` parameters, times the number of all over `SAMPLE`.

diffrax chooses its own steps. Its tolerance is the largest one in `TOLERANCES` with which the
motions are as near to the exact ones as those by the fixed steps.

All that is timed is compiled first, on one thread, in float32, and takes turns. The table holds
lists of flat rows, a row for each

    gradients   parameters and way:   parameters, width, way, seconds (the least), median_seconds,
                microseconds_per_parameter (of the least), loss
    ratios      number of parameters: parameters, width, ratio (finite differences over ours),
                tolerance (diffrax's), fixed_error and adaptive_error (root mean square of the
                motions' errors, in radians and in 5 rad/s)
    exactness   way (float64):        parameters, way, against_own (relative error of the derivative
                in a random direction, against central differences of the same way's loss; where
                the solver chooses its steps this loss jumps, and the differences are no measure),
                against_exact (the same, against those of the exact motion's loss)
    memory      way and horizon:      parameters, way, seconds (of the motions), megabytes (that the
                compiled gradient takes beside its arguments and its result)
    slopes      network:              network, width, depth, batch, parameters_lnn,
                parameters_plain, lnn_microseconds and plain_microseconds (the least, of a state),
                lnn_median, plain_median, ratio

and `julia`, the figures of the report that this is set beside; and `made with`, for each part, with
the load of the machine as it began: above 1 the seconds are upper bounds.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from tqdm import tqdm

from benchmarks import study
from lnn_tutorial import data, experiments, integrate, store, systems, train

WIDTHS = (6, 28, 96, 312)
"""Units of the two hidden layers: about 10², 10³, 10⁴ and 10⁵ parameters."""

EXACT_WIDTH, MEMORY_WIDTH, HORIZONS = 28, 96, (1, 4, 16)
"""Networks whose exactness and memory are looked at, and the seconds of the motions for these."""

MOTIONS, FRAME, SUBSTEPS = 16, 0.1, 5
"""Motions in a batch, seconds between frames, and steps of ours in one."""

SAMPLE = 8
"""Parameters that finite differences are timed with."""

TOLERANCES = (1e-4, 5e-5, 2e-5, 1e-5, 5e-6, 2e-6, 1e-6)

NETWORKS = ((16, 2, 1), (64, 3, 128), (128, 2, 128))
"""Width, hidden layers and batch where one right-hand side is timed."""

JULIA = {
    "finite_differences_milliseconds_per_parameter": 80.0,
    "neural_ode_adjoint_milliseconds_per_parameter": 0.3,
    "lnn_microseconds": 35.0,
    "plain_microseconds": 12.5,
    "parameters_lnn": 99,
}

PARTS = ("exactness", "memory", "slopes", "gradients")
"""Lists of the table that are measured on their own; `ratios` come with `gradients`."""

WAYS = {
    "ours": "back through the fixed steps (`integrate.through`)",
    "recompute": "the same, with `recompute=True`",
    "checkpoint": "`integrate.adaptive` with diffrax's RecursiveCheckpointAdjoint",
    "backsolve": "`integrate.adaptive` with diffrax's BacksolveAdjoint",
    "finite_differences": "two losses by our fixed steps for each parameter",
}


def loss_of(model, way, tolerance=1e-5):
    """The loss `(params, windows) -> scalar` whose gradient a way takes."""
    if way in ("ours", "recompute"):
        return train.motion_loss(model, substeps=SUBSTEPS, recompute=way == "recompute")
    adjoints = {
        "checkpoint": diffrax.RecursiveCheckpointAdjoint,
        "backsolve": diffrax.BacksolveAdjoint,
    }
    solver = partial(integrate.adaptive, rtol=tolerance, atol=tolerance, adjoint=adjoints[way]())
    return train.motion_loss(model, solver=solver)


def windows(seconds=1):
    """Exact motions of double pendulums released anywhere with at most 2 rad/s."""
    draw = np.random.default_rng(0)
    frames = round(seconds / FRAME)
    with integrate.double_precision():
        follow = partial(
            integrate.rollout,
            systems.DoublePendulum().acceleration,
            dt=FRAME,
            steps=frames,
            substeps=50,
        )
        starts = (jnp.asarray(draw.uniform(-x, x, (MOTIONS, 2))) for x in (np.pi, 2.0))
        q, q_dot = map(np.asarray, jax.jit(jax.vmap(follow))(*starts))
    return data.motions(FRAME * np.arange(frames + 1), q, q_dot).windows(frames).batch()


def network(width, steps=500):
    """A Lagrangian network that has learned for a short while: `(model, params)`."""
    model = experiments.double_pendulum_models(width=width, depth=2)["lnn"]
    recipe = experiments.double_pendulum_recipe()
    return model, recipe.fit(model, seed=0, steps=steps, label="lnn", progress=False).params


def in_double(tree):
    """A pytree in float64, inside of `integrate.double_precision`."""
    return jax.tree.map(lambda x: jnp.asarray(np.asarray(x, np.float64)), tree)


def matched(model, params, batch):
    """diffrax's tolerance that is worth our steps, and the errors of both."""

    def motions(follow, params, batch):
        def one(q, q_dot, t):
            return jnp.stack(follow(partial(model.slopes, params), q, q_dot, t))

        return jax.vmap(one)(batch.q[:, 0], batch.q_dot[:, 0], batch.t)

    @jax.jit
    def adaptive(tolerance):
        return motions(partial(integrate.adaptive, rtol=tolerance, atol=tolerance), params, batch)

    fixed = motions(partial(integrate.through, substeps=SUBSTEPS), params, batch)
    found = {tolerance: adaptive(tolerance) for tolerance in TOLERANCES}
    with integrate.double_precision():
        fine = partial(integrate.through, substeps=10 * SUBSTEPS)
        exact = np.asarray(jax.jit(partial(motions, fine))(*in_double((params, batch))))

    def error(found):
        miss = (np.asarray(found) - exact) / np.array([1.0, 5.0])[:, None, None]
        return float(np.sqrt(np.mean(miss**2)))

    errors = {tolerance: error(motion) for tolerance, motion in found.items()}
    enough = [tolerance for tolerance in TOLERANCES if errors[tolerance] <= error(fixed)]
    tolerance = max(enough, default=min(TOLERANCES))
    return {
        "tolerance": tolerance,
        "fixed_error": error(fixed),
        "adaptive_error": errors[tolerance],
    }


def in_turns(calls, repeats, most=20.0):
    """Seconds of each of some compiled calls, by name, which take turns `repeats` times or less.

    No call takes much more than `most` seconds in all, but each is made twice.
    """
    seconds = {name: [] for name in calls}
    for call in calls.values():
        jax.block_until_ready(call())
    for k in range(repeats):
        for name, call in calls.items():
            if k > 1 and sum(seconds[name]) > most:
                continue
            began = time.perf_counter()
            jax.block_until_ready(call())
            seconds[name].append(time.perf_counter() - began)
    return seconds


def differences(loss, params, batch, sample=SAMPLE):
    """A function that takes the central differences of some parameters, chosen at random."""
    flat, unravel = ravel_pytree(params)
    picked = np.random.default_rng(0).choice(flat.size, sample, replace=False)

    @jax.jit
    def at(i, change):
        return loss(unravel(flat.at[i].add(change)), batch)

    def call():
        return [(at(i, 1e-2) - at(i, -1e-2)) / 2e-2 for i in picked]

    return call


def gradients(width, repeats, steps=500):
    """The rows of `gradients` for a width, and last the one of `ratios`."""
    (model, params), batch = network(width, steps), windows()
    match = matched(model, params, batch)
    size = ravel_pytree(params)[0].size
    sample = min(SAMPLE, size)
    calls, losses = {}, {}
    for way in WAYS:
        if way == "finite_differences":
            calls[way] = differences(loss_of(model, "ours"), params, batch, sample)
            losses[way] = losses["ours"]
            continue
        found = jax.jit(jax.value_and_grad(loss_of(model, way, match["tolerance"])))
        calls[way] = partial(found, params, batch)
        losses[way] = float(calls[way]()[0])
    seconds = in_turns(calls, repeats)
    seconds["finite_differences"] = [x * size / sample for x in seconds["finite_differences"]]
    rows = [
        {
            "parameters": size,
            "width": width,
            "way": way,
            "seconds": min(taken),
            "median_seconds": statistics.median(taken),
            "microseconds_per_parameter": 1e6 * min(taken) / size,
            "loss": losses[way],
        }
        for way, taken in seconds.items()
    ]
    ratio = min(seconds["finite_differences"]) / min(seconds["ours"])
    return [*rows, {"parameters": size, "width": width, "ratio": ratio, **match}]


def central(f):
    """f'(0) by central differences of two steps, joined so that the error is O(h⁴)."""
    h = 1e-4
    coarse, fine = ((f(x) - f(-x)) / (2 * x) for x in (h, h / 2))
    return float((4 * fine - coarse) / 3)


def exactness(width, steps=500):
    """The rows of `exactness`: derivatives in one random direction, in float64."""
    (model, params), batch = network(width, steps), windows()
    tolerance = matched(model, params, batch)["tolerance"]
    rows = []
    with integrate.double_precision():
        params, batch = in_double((params, batch))
        flat, unravel = ravel_pytree(params)
        direction = jnp.asarray(np.random.default_rng(0).normal(size=flat.size))
        direction *= jnp.linalg.norm(flat) / jnp.linalg.norm(direction)

        def along(loss):
            return jax.jit(lambda x: loss(unravel(flat + x * direction), batch))

        exact = central(along(train.motion_loss(model, substeps=10 * SUBSTEPS)))
        for way in ("ours", "recompute", "checkpoint", "backsolve"):
            loss = along(loss_of(model, way, tolerance))
            found, own = float(jax.jit(jax.grad(loss))(0.0)), central(loss)
            rows.append(
                {
                    "parameters": flat.size,
                    "way": way,
                    "against_own": abs(found / own - 1),
                    "against_exact": abs(found / exact - 1),
                }
            )
    return rows


def memory(width, way, seconds):
    """The row of `memory` of a program that is compiled and never run."""
    model = experiments.double_pendulum_models(width=width, depth=2)["lnn"]
    params, batch = model.init(jax.random.key(0)), windows(seconds)
    compiled = jax.jit(jax.grad(loss_of(model, way))).lower(params, batch).compile()
    row = {
        "parameters": ravel_pytree(params)[0].size,
        "way": way,
        "seconds": seconds,
        "megabytes": compiled.memory_analysis().temp_size_in_bytes / 2**20,
    }
    return [row]


def slopes(width, depth, batch, repeats, evaluations=200):
    """The row of `slopes` of a network: one acceleration, asked for state after state."""
    draw = np.random.default_rng(0)
    start = tuple(jnp.asarray(draw.uniform(-1, 1, (batch, 2)), jnp.float32) for _ in range(2))
    calls, row = {}, {"network": f"{depth} × {width}", "width": width, "depth": depth}
    row["batch"] = batch
    contestants = experiments.double_pendulum_models(width=width, depth=depth)
    for name, model in contestants.items():
        params = model.init(jax.random.key(0))
        row[f"parameters_{name}"] = ravel_pytree(params)[0].size
        acceleration = partial(model.acceleration, params)
        if batch == 1:
            state = tuple(x[0] for x in start)
        else:
            state, acceleration = start, jax.vmap(acceleration)

        def follow(state, acceleration=acceleration):
            def step(state, _):
                q, q_dot = state
                return (q + 1e-3 * q_dot, q_dot + 1e-3 * acceleration(q, q_dot)), None

            return jax.lax.scan(step, state, length=evaluations)[0]

        calls[name] = partial(jax.jit(follow), state)
    seconds = in_turns(calls, repeats)
    for name, taken in seconds.items():
        each = 1e6 / evaluations / batch
        row[f"{name}_microseconds"] = each * min(taken)
        row[f"{name}_median"] = each * statistics.median(taken)
    return [row | {"ratio": row["lnn_microseconds"] / row["plain_microseconds"]}]


def main():
    """Measure, print tables, write JSON."""
    name = "python -m benchmarks.sensitivities"
    parser = argparse.ArgumentParser(prog=name, description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15, help="of each call (default: 15)")
    default = store.SHIPPED / "sensitivities.json"
    parser.add_argument("--json", type=Path, default=default, help="where the figures are written")
    parser.add_argument("--only", choices=PARTS, help="a part; the others stay as they are")
    options = study.parsed(parser)
    if options.repeats < 2:
        parser.error(f"expected --repeats of at least 2, got {options.repeats}")
    os.environ |= {"PJRT_NPROC": "1", "TF_CPP_MIN_LOG_LEVEL": "3"} | study.ALL_DIGITS
    found = {"made with": {}}
    if options.only and options.json.exists():
        found = json.loads(options.json.read_text(encoding="utf-8"))
    wanted = [options.only] if options.only else PARTS
    made = {"command": name, "jax": jax.__version__, "diffrax": diffrax.__version__}
    made |= {"machine": study.machine(), "threads": 1, "repeats": options.repeats}
    made |= {"load": os.getloadavg()[0]}
    found["made with"] |= dict.fromkeys(wanted, made)
    back = [way for way in WAYS if way != "finite_differences"]
    untimed = [("exactness", (EXACT_WIDTH,))]
    untimed += [("memory", (MEMORY_WIDTH, way, seconds)) for way in back for seconds in HORIZONS]
    timed = [("slopes", (*size, 10 * options.repeats)) for size in NETWORKS]
    timed += [("gradients", (width, options.repeats)) for width in WIDTHS]
    untimed, timed = ([run for run in runs if run[0] in wanted] for runs in (untimed, timed))
    found |= {part: [] for part in wanted} | {"julia": JULIA}
    found |= {"ratios": []} if "gradients" in wanted else {}
    print(f"{len(untimed) + len(timed)} measurements, ten minutes or so for all parts", flush=True)
    with tqdm(total=len(untimed) + len(timed)) as bar:
        for jobs, parts in ((2, untimed), (1, timed)):
            for part, rows in _in_processes(jobs, parts):
                for row in rows:
                    ratio = part == "gradients" and "ratio" in row
                    found["ratios" if ratio else part].append(row)
                _write(options.json, found)
                bar.update()
    show(found)


def _write(file, found):
    text = json.dumps(store.for_json(found, 4), indent=1, ensure_ascii=False) + "\n"
    store.write_atomically(file, lambda stream: stream.write(text.encode()))


def _in_processes(jobs, parts):
    """Each part and its rows, made in a process of its own, so many at a time."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, max_tasks_per_child=1) as pool:
        made = [pool.submit(globals()[part], *arguments) for part, arguments in parts]
        for (part, _), rows in zip(parts, made, strict=True):
            yield part, rows.result()


def show(found):
    """Print the figures that there are."""
    print(f"\n{'milliseconds a gradient':<28}" + "".join(f"{way:>20}" for way in WAYS))
    for ratio in found.get("ratios", []):
        rows = [row for row in found["gradients"] if row["width"] == ratio["width"]]
        print(
            f"{ratio['parameters']:>9,} parameters{'':<8}"
            + "".join(f"{1e3 * row['seconds']:>20.3f}" for row in rows)
            + f"   {ratio['ratio']:.0f}×, tolerance {ratio['tolerance']:g}"
        )
    print("\nrelative error of a derivative, float64: of the same loss; of the exact motion's")
    for row in found.get("exactness", []):
        print(f"{row['way']:<12}{row['against_own']:>10.1e}{row['against_exact']:>10.1e}")
    print("\nmegabytes")
    for row in found.get("memory", []):
        print(f"{row['way']:<12}{row['seconds']:>4} s{row['megabytes']:>10.2f}")
    print("\nmicroseconds of a right-hand side, for each state: Lagrangian, plain")
    for row in found.get("slopes", []):
        print(
            f"{row['network']}, batch {row['batch']:<4}{row['lnn_microseconds']:>9.2f}"
            f"{row['plain_microseconds']:>9.2f}{row['ratio']:>7.1f}×"
        )


if __name__ == "__main__":
    main()
