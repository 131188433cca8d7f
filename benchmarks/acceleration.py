r"""One training step of a Lagrangian network: the paper's Appendix A and ours, side by side.

    python -m benchmarks.acceleration [--repeats N] [--json FILE]

A step is the loss (mean |q̈ − truth|), its gradient and an Adam update, of a network that sees
(q, q̇) as the paper's does: softplus, d = 2. Both contestants get the same parameters and states,
and must agree in loss and gradient before a clock is started. They take turns, so that whatever
else the machine does hits both; the table shows medians.

The floor is what the matrices alone would cost: the passes of a batch through the hidden matrices
that our step needs, over the speed of one such product measured in the same turns. `PASSES` counts
them. The second table shows how the step grows with the number of coordinates d.
"""

import argparse
import json
import statistics
import time
from functools import partial

import jax
import jax.numpy as jnp
import optax
from tqdm import tqdm

from benchmarks import study
from lnn_tutorial import mechanics, models, store

SIZES = [(128, 2, 128), (128, 2, 512), (500, 3, 32), (500, 3, 512)]
"""Width, hidden layers, batch."""

COORDINATES = [1, 2, 4, 8, 16]


def passes(d):
    """Products of a batch with a hidden matrix in one step of ours, for each hidden matrix.

    Value: the network and its gradient (2), d + 1 tangents pushed forward (d + 1). Derivative: one
    tangent through network and gradient (2), and reverse through these four, each a product for
    the input and one for the matrix (8).
    """
    return 2 + (d + 1) + 2 + 8


def contestants(model):
    """Accelerations `(params, q, q_dot) -> q_ddot` by name."""

    def paper(params, q, q_dot):
        return mechanics.acceleration(partial(model.lagrangian, params), "pinv")(q, q_dot)

    return {
        "paper": paper,
        "ours": model.acceleration,
    }


def training_step(acceleration, optimizer):
    """A jitted `(params, moments, batch) -> (params, moments, loss, gradient)`."""

    def loss(params, batch):
        q, q_dot, q_ddot = batch
        predicted = jax.vmap(partial(acceleration, params))(q, q_dot)
        return jnp.abs(predicted - q_ddot).mean()

    @jax.jit
    def step(params, moments, batch):
        value, gradient = jax.value_and_grad(loss)(params, batch)
        updates, moments = optimizer.update(gradient, moments)
        return optax.apply_updates(params, updates), moments, value, gradient

    return step


def measure(width, hidden, batch, d, repeats, names=("paper", "ours")):
    """Median seconds of one step for each contestant, and of one pass through a hidden matrix."""
    model = models.LNN(dim=d, width=width, depth=hidden)
    params, optimizer = model.init(jax.random.key(0)), optax.adam(1e-3)
    states = jax.random.normal(jax.random.key(1), (3, batch, d))
    arguments = params, optimizer.init(params), tuple(states)
    left = jax.random.normal(jax.random.key(2), (batch, width))
    right = jax.random.normal(jax.random.key(3), (width, width))
    calls = {
        name: partial(training_step(acceleration, optimizer), *arguments)
        for name, acceleration in contestants(model).items()
        if name in names
    }
    _require_agreement({name: call() for name, call in calls.items()})
    calls["pass"] = partial(jax.jit(jnp.matmul), left, right)
    seconds = {name: [] for name in calls}
    for call in calls.values():
        jax.block_until_ready(call())
    for _ in range(repeats):
        for name, call in calls.items():
            began = time.perf_counter()
            jax.block_until_ready(call())
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _require_agreement(results):
    (_, _, loss, gradient), *others = results.values()
    for _, _, other_loss, other_gradient in others:
        size = optax.tree.norm(gradient)
        miss = optax.tree.norm(optax.tree.sub(gradient, other_gradient)) / size
        if not (abs(loss - other_loss) < 1e-3 * loss and miss < 1e-2):
            raise AssertionError(f"the contestants disagree: loss {loss} and {other_loss}, {miss}")


def main():
    """Measure, print two tables, write JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.acceleration")
    parser.add_argument("--repeats", type=int, default=25, help="of each step (default: 25)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there")
    options = study.parsed(parser)
    if options.repeats < 1:
        parser.error(f"expected --repeats of at least 1, got {options.repeats}")
    jax.config.update("jax_default_matmul_precision", "highest")  # all digits, on a GPU too
    sizes, growth = [], []
    with tqdm(total=len(SIZES) + len(COORDINATES), desc="about two minutes") as bar:
        for width, hidden, batch in SIZES:
            found = measure(width, hidden, batch, 2, options.repeats)
            floor = passes(2) * (hidden - 1) * found["pass"]
            speed = 2 * batch * width**2 / found["pass"] / 1e9
            sizes.append({"size": f"{hidden} × {width}, batch {batch}", **found, "floor": floor})
            sizes[-1] |= {"gflops": speed}
            bar.update()
        for d in COORDINATES:
            growth.append({"d": d, **measure(128, 2, 128, d, options.repeats)})
            bar.update()
    print(f"\n{'ms a step':<22}{'paper':>9}{'ours':>9}{'ratio':>8}{'floor':>9}{'ours/floor':>12}")
    for row in sizes:
        ratio, above = row["paper"] / row["ours"], row["ours"] / row["floor"]
        print(
            f"{row['size']:<22}{1e3 * row['paper']:>9.2f}{1e3 * row['ours']:>9.2f}{ratio:>7.1f}×"
            f"{1e3 * row['floor']:>9.2f}{above:>11.2f}×   ({row['gflops']:.0f} GFLOP/s)"
        )
    print(f"\n{'2 × 128, batch 128':<22}{'paper':>9}{'ours':>9}{'ratio':>8}")
    for row in growth:
        print(
            f"d = {row['d']:<18}{1e3 * row['paper']:>9.2f}{1e3 * row['ours']:>9.2f}"
            f"{row['paper'] / row['ours']:>7.1f}×"
        )
    if options.json is not None:
        text = json.dumps({"sizes": sizes, "growth": growth}, indent=1) + "\n"
        store.write_atomically(options.json, lambda file: file.write(text.encode()))


if __name__ == "__main__":
    main()
