r"""The playground's JavaScript: what a step costs, and how long until it is as good as the paper.

    python -m benchmarks.playground [--steps 4000 34000] [--seeds 5] [--more 15] [--json FILE]

Everything runs in one thread of Node, as in the page's worker. A step of the same network, batch
and optimiser by the package (JAX, one thread) takes its turns in the same run. The trainings are of
the Lagrangian network with the page's usual settings, 2 × 32, batches of 128; each is judged by the
paper's protocol: 40 releases, 100 s, the mean energy error at the end. `--more` seeds beyond the
first are trained for the fewest steps, to see whether any comes apart.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

import jax
import numpy as np

from lnn_tutorial import models, store, systems, train

NODE = Path(__file__).resolve().parent.parent / "scripts" / "playground_in_node.js"
PROTOCOL = {"starts": 40, "seconds": 100, "dt": 0.005}


def main(arguments=None):
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[4000, 34000])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--more", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found = {"pace": pace()}
    for name, took in found["pace"].items():
        print(f"{name:16} best {took['best']:.2f} ms, median {took['median']:.2f} ms a step")
    for steps in options.steps:
        seeds = options.seeds + (options.more if steps == min(options.steps) else 0)
        found[str(steps)] = runs = [judged(steps, seed) for seed in range(seeds)]
        errors = 100 * np.array([float(run["error"]) for run in runs])
        few = errors[: options.seeds]
        print(f"{steps} steps:")
        for name, clock in (("seconds", "the clock"), ("processor", "the processor")):
            took = np.array([run[name] for run in runs])
            print(f"  {np.median(took):.1f} s of {clock}, at most {took.max():.1f} s")
        print(
            f"  energy error of {len(few)} seeds: {np.median(few):.3f} %, worst {few.max():.3f} %"
        )
        print(f"  of all {seeds} seeds: worst {errors.max():.3f} %; {sum(errors > 100)} came apart")
    if options.json:
        text = json.dumps(found, indent=1) + "\n"
        store.write_atomically(options.json, lambda file: file.write(text.encode()))


def pace(turns=5, steps=300):
    """Milliseconds of a step, the playground's and the package's in turns."""
    best = {"JavaScript": [], "JAX, one thread": []}
    run = jax_steps(steps)
    for _ in range(turns):
        answer = ask({"ask": "pace", "settings": {"steps": 5000}, "steps": 2 * steps})
        best["JavaScript"].append(answer)
        best["JAX, one thread"].append(run())
    return {
        name: {kind: float(np.min([t[kind] for t in times])) for kind in ("best", "median")}
        for name, times in best.items()
    }


def jax_steps(steps):
    """A function that runs compiled steps of the same training, and tells milliseconds."""
    system = systems.DoublePendulum()
    face = {"angles": (True, True), "velocity_scale": 5.0, "width": 32, "depth": 2}
    model = models.LNN(2, **face, activation="silu")
    batches, loss = train.labelled(system), train.acceleration_loss(model, "relative", 5.0)
    optimizer = train.muon(0.02, 5000)
    params = model.init(jax.random.key(0))

    @jax.jit
    def step(params, state, k):
        batch = batches(jax.random.fold_in(jax.random.key(1), k), 128)
        gradient = jax.grad(loss)(params, batch)
        change, state = optimizer.update(gradient, state, params)
        return jax.tree.map(lambda p, c: p + c, params, change), state

    def run():
        now, state, times = params, optimizer.init(params), []
        for k in range(steps):
            began = time.perf_counter()
            now, state = jax.block_until_ready(step(now, state, k))
            times.append(1000 * (time.perf_counter() - began))
        return {"best": np.min(times), "median": np.median(times)}

    run()
    return run


def judged(steps, seed):
    """One training from a seed, and the paper's protocol."""
    settings = {"steps": steps, "seed": seed}
    return ask({"ask": "judged", "settings": settings, "protocol": PROTOCOL})


def ask(request):
    """One answer of the playground's scripts in Node."""
    ran = subprocess.run(
        ["node", NODE], input=json.dumps([request]), capture_output=True, text=True, check=True
    )
    return json.loads(ran.stdout)[0]


if __name__ == "__main__":
    main()
