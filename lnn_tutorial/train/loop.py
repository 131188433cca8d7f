"""The one loop that serves every model."""

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from tqdm.auto import tqdm

from lnn_tutorial import _inputs, store
from lnn_tutorial.train.checkpoint import CHECKPOINT, as_json, constants, digest, resume
from lnn_tutorial.train.looks import (
    Made,
    State,
    judged,
    like,
    lost_motion,
    require_sane,
    span,
)
from lnn_tutorial.train.optimisers import muon


class Fit(NamedTuple):
    """What training leaves; `print` tells it in a line.

    Args:
        params: the parameters; of an ensemble, stacked along a leading axis.
        losses: the loss of every step before its update, `[steps]`; of n members `[steps, n]`.
        seconds: wall time.
        held_out: the loss of the held-out batch chunk by chunk, rows of (steps done, loss), or of
            (steps done, loss of each member); None where nothing was held out.
    """

    params: object
    losses: np.ndarray
    seconds: float
    held_out: np.ndarray | None = None

    def __str__(self):
        steps, *members = np.shape(self.losses)
        last = np.median(self.losses[-max(1, steps // 10) :], axis=0)
        of = f" of {members[0]} members" if members else ""
        seconds = f"{self.seconds:.{0 if self.seconds >= 10 else 1}f}"
        found = f"{steps} steps{of} in {seconds} s: loss {span(last)} in training"
        if self.held_out is None:
            return found
        steps, losses = self.held_out[:, 0].astype(int), self.held_out[:, 1:]
        best = np.unique(steps[losses.argmin(axis=0)])
        found += f", {span(losses[-1])} held out"
        return f"{found} (least {span(losses.min(axis=0))} after {span(best, 'd')} steps)"


def fit(
    loss,
    params,
    batches,
    *,
    key,
    steps,
    batch_size=128,
    optimizer=None,
    chunk=500,
    patience=100.0,
    held_out=None,
    keep_best=False,
    checkpoint=None,
    configuration=None,
    progress=True,
    label="training",
):
    """Minimise a loss over fresh batches.

    With a vector of n keys it trains an ensemble: n members side by side, each as it would be
    trained alone with its key, but for rounding.

    Args:
        loss: function `(params, batch) -> scalar`, such as `acceleration_loss(model)`.
        params: where to begin, a pytree; of n members, each leaf has them along a leading axis, as
            `jax.vmap(model.init)(keys)` makes it.
        batches: function `(key, n) -> batch`, such as `labelled(system)`, `data.arrays(…)` or
            `data.motions(…).windows(K)`.
        key: a JAX random key, or a vector of n; step k draws from `jax.random.fold_in(key, k)`.
        steps: number of steps.
        batch_size: states in a batch.
        optimizer: an optax optimiser; by default `muon(0.01, steps)`. Its `update` is handed the
            batch as well, which `gauss_newton` needs and others ignore.
        chunk: steps between two looks at the numbers, and between two checkpoints.
        patience: training stops once the median loss of a chunk is above that of the first chunk
            and that many times the least one so far.
        held_out: a batch, or `data.Samples` or `data.Windows`, that is not trained on; its loss is
            taken after each chunk. Of more than `HELD_OUT_ROWS` rows, it is the mean of the losses
            of pieces.
        keep_best: return the parameters with the least held-out loss, each member its own, and
            not the last ones.
        checkpoint: a folder; the state is written there after each chunk, and a run that finds
            its own state there goes on from it. Its own is one of the same numbers of steps, keys,
            first parameters and held-out batch, whose step is the same program with the same
            constants: same model, loss, data and optimiser.
        configuration: dict that JSON can hold, for what should be named where it differs, such as
            the names of the model, the loss and the data; a checkpoint of another one is refused.
        progress: whether to show a bar.
        label: the bar's label.

    Returns:
        `Fit(params, losses, seconds, held_out)`; of a resumed run, the seconds of all its parts.

    Raises:
        NonFiniteError: a loss or a parameter is not finite; it says at which step that began, and
            where the batch was not finite.
        DivergedError: the loss has exploded, see `patience`.
        StoreError: the checkpoint is damaged or belongs to another run.
    """
    for name, value in (("loss", loss), ("batches", batches)):
        _inputs.function(name, value)
    _inputs.count(steps=steps, batch_size=batch_size, chunk=chunk)
    _inputs.positive(patience=patience)
    if patience < 1:
        raise ValueError(f"expected patience >= 1, got {patience}")
    if keep_best and held_out is None:
        raise ValueError("expected a held_out batch with keep_best=True, got none")
    configuration = as_json(configuration)
    optimizer = _optimizer(muon(0.01, steps) if optimizer is None else optimizer)
    params = _finite(params)
    over_members = _over_members(key, params)

    def draw(key, k):
        return batches(jax.random.fold_in(key, k), batch_size)

    def step(key, state, k):
        batch = draw(key, k)
        value, gradient = jax.value_and_grad(loss)(state.params, batch)
        updates, moments = optimizer.update(gradient, state.optimizer, state.params, batch=batch)
        return State(optax.apply_updates(state.params, updates), moments), value

    def batch_of(column, k):
        return jax.jit(draw)(key.ravel()[column], k)

    state = State(params, over_members(optimizer.init, (0,))(params))
    judge = jax.jit(over_members(loss, (0, None)))
    if held_out is not None:
        held_out = like(jax.eval_shape(partial(batch_of, 0), 0), held_out)
    step = partial(over_members(step, (0, 0, None)), key)
    room, kind = min(chunk, steps), jnp.result_type(float)

    @jax.jit
    def run(state, first, count):
        """Some steps from the first one on, up to `room`: one program for any number of them."""

        def one(k, made):
            state, value = step(made[0], first + k)
            return state, made[1].at[k].set(value)

        unknown = jnp.zeros((room, *key.shape), kind)
        return jax.lax.fori_loop(0, count, one, (state, unknown))

    program = run.trace(state, 0, room)
    losses = np.zeros((steps, *key.shape), kind)
    looks = np.full((-(-steps // chunk), 1 + key.size), np.nan, losses.dtype)
    made = Made(state, losses, None if held_out is None else looks, params if keep_best else None)
    done, seconds = 0, 0.0
    if checkpoint is not None:
        checkpoint = Path(checkpoint) / CHECKPOINT
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        made_by = {
            "steps": steps,
            "batch_size": batch_size,
            "chunk": chunk,
            "key": jax.random.key_data(key).tolist(),
            "keep_best": keep_best,
            "configuration": configuration,
            "digests": {
                "first parameters": digest(params),
                "held-out states": digest(held_out),
                "model, loss, data or optimiser": digest(constants(program.jaxpr), program.jaxpr),
            },
        }
        if checkpoint.exists():
            made, done, seconds = resume(checkpoint, made, made_by)
    began = time.perf_counter() - seconds
    with _bar(progress, total=steps, initial=done, desc=label) as bar:
        while done < steps:
            look, ks = done // chunk, np.arange(done, min(done + chunk, steps))
            before, (state, values) = made.state, run(made.state, done, len(ks))
            made, done = made._replace(state=state), done + len(ks)
            made.losses[ks] = values[: len(ks)]

            def astray(column, k, before=before, first=ks[0]):
                """Which windows of a batch of motions are not followed, in words."""
                now = run(before, first, k - first)[0]
                params = jax.tree.map(lambda x: x[column], now.params) if key.ndim else now.params
                return lost_motion(loss, batches, params, batch_of(column, k))

            require_sane(made, done, chunk, patience, before.params, loss, batch_of, astray)
            shown = {"loss": span(np.median(made.losses[ks], axis=0))}
            if held_out is not None:
                made = judged(made, look, done, judge, held_out)
                shown["held_out"] = span(made.held_out[look, 1:])
            seconds = time.perf_counter() - began
            if checkpoint is not None:
                store.save(checkpoint, made, {**made_by, "done": done, "seconds": seconds})
            bar.set_postfix(shown, refresh=False)
            bar.update(len(ks))
    params = made.best if keep_best else made.state.params
    return Fit(params, made.losses, seconds, made.held_out)


def _bar(progress, **settings):
    # tqdm's bar for notebooks does not look at TQDM_DISABLE by itself.
    off = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    # In a log file, where nobody watches, a line every ten seconds is enough.
    in_notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    watched = in_notebook or sys.stderr.isatty()
    return tqdm(disable=off, miniters=1, mininterval=0.1 if watched else 10.0, **settings)


def _optimizer(optimizer):
    if not (hasattr(optimizer, "init") and hasattr(optimizer, "update")):
        raise TypeError(f"expected an optax optimiser, got {optimizer!r}")
    return optax.with_extra_args_support(optimizer)


def _finite(params):
    params = jax.tree.map(jnp.asarray, params)
    for path, x in jax.tree.leaves_with_path(params):
        if not bool(jnp.isfinite(x).all()):
            where = jax.tree_util.keystr(path)
            raise ValueError(f"expected finite parameters to begin with, not so params{where}")
    return params


def _over_members(key, params):
    """What maps a function over members, as `jax.vmap` does; with one key there are none."""
    if not jax.dtypes.issubdtype(getattr(key, "dtype", None), jax.dtypes.prng_key):
        raise TypeError(f"expected key from jax.random.key(seed), got {type(key).__name__}")
    if key.ndim == 0:
        return lambda function, axes: function
    if key.ndim > 1 or key.size == 0:
        raise ValueError(f"expected one key or a vector of keys, got shape {key.shape}")
    for path, x in jax.tree.leaves_with_path(params):
        if x.shape[:1] != key.shape:
            raise ValueError(
                f"expected parameters of {key.size} members along a leading axis, one for each "
                f"key, as jax.vmap(model.init)(keys) makes them; got shape {x.shape} at params"
                f"{jax.tree_util.keystr(path)}"
            )
    return jax.vmap
