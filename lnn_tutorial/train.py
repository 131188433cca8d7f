r"""Training: losses on accelerations, and one loop that serves every model.

`fit` draws a fresh batch for every step from its key, runs the steps in compiled chunks, shows a
progress bar, stops with the number of the step when something is no longer finite, and can be
killed and resumed: the batch of step k depends on the key and on k alone, so on one machine the
end is the same bit by bit.
"""

import os
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from tqdm.auto import tqdm

from lnn_tutorial import _inputs, store

CHECKPOINT = "checkpoint.npz"


def relative_error(predicted, true, scale):
    r"""Bounded relative error of one acceleration, ‖â − a‖ / √(s² + ‖a‖² + ‖â‖²), below √2.

    Where a learned mass matrix is nearly singular, â = M⁻¹r is huge; here such a state costs no
    more than a plainly wrong one, and its gradient stays small.

    Args:
        predicted: â `[d]`.
        true: a `[d]`.
        scale: s, a typical acceleration, in the units of a.

    Returns:
        Scalar without unit.
    """
    miss = jnp.sum((predicted - true) ** 2)
    size = scale**2 + jnp.sum(true**2) + jnp.sum(predicted**2)
    # The smallest normal number keeps the square root differentiable at a perfect prediction.
    return jnp.sqrt(miss / size + jnp.finfo(size.dtype).tiny)


def absolute_error(predicted, true, scale=None):
    r"""The paper's L1 error of one acceleration, Σᵢ |âᵢ − aᵢ|; `scale` is not used."""
    return jnp.sum(jnp.abs(predicted - true))


def squared_error(predicted, true, scale=None):
    r"""L2 error of one acceleration, Σᵢ (âᵢ − aᵢ)²; `scale` is not used."""
    return jnp.sum((predicted - true) ** 2)


LOSSES = {"l1": absolute_error, "l2": squared_error, "relative": relative_error}
"""Losses of one state by name."""


def acceleration_loss(model, name="relative", scale=1.0):
    """The mean loss of a model's accelerations over a batch.

    Args:
        model: anything with `acceleration(params, q, q_dot)`.
        name: a name in `LOSSES`.
        scale: a typical acceleration, for `"relative"`.

    Returns:
        Function `(params, (q [n, d], q_dot [n, d], q_ddot [n, d])) -> scalar`.
    """
    _inputs.choice("loss", name, LOSSES)
    _inputs.positive(scale=scale)

    def loss(params, batch):
        def one(q, q_dot, q_ddot):
            return LOSSES[name](model.acceleration(params, q, q_dot), q_ddot, scale)

        return jax.vmap(one)(*batch).mean()

    return loss


def labelled(system):
    """Fresh states of a system with their true accelerations.

    Args:
        system: anything with `sample(key, n)` and `acceleration(q, q_dot)`.

    Returns:
        Function `(key, n) -> (q [n, d], q_dot [n, d], q_ddot [n, d])`.
    """

    def batch(key, n):
        q, q_dot = system.sample(key, n)
        return q, q_dot, jax.vmap(system.acceleration)(q, q_dot)

    return batch


def muon(peak, steps, warmup=0.05):
    """Muon with a warm-up to `peak` over a share `warmup` of the steps, then a cosine to zero.

    Muon orthogonalises the update of every matrix; biases are left to Adam.

    Source: Jordan et al. (2024); `optax.contrib.muon`.
    """
    _inputs.positive(peak=peak)
    _inputs.count(steps=steps)
    first = max(1, int(warmup * steps))
    schedule = optax.warmup_cosine_decay_schedule(0.0, peak, first, max(steps, first + 1))
    return optax.contrib.muon(schedule)


class NonFiniteError(FloatingPointError):
    """Training met an infinity or a NaN.

    Attributes:
        step: the first step whose loss, or whose update, was not finite; counted from 0.
        params: the last finite parameters that are known.
        losses: the losses before `step`.
    """

    def __init__(self, step, what, params, losses):
        super().__init__(
            f"training is no longer finite: {what} at step {step}; "
            f"lower the learning rate or use a bounded loss"
        )
        self.step, self.params, self.losses = step, params, losses


class Fit(NamedTuple):
    """What training leaves: parameters, and the loss of every step before its update."""

    params: object
    losses: np.ndarray


class _State(NamedTuple):
    params: object
    optimizer: object


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
    checkpoint=None,
    progress=True,
    label="training",
):
    """Minimise a loss over fresh batches.

    Args:
        loss: function `(params, batch) -> scalar`, such as `acceleration_loss(model)`.
        params: where to begin, a pytree.
        batches: function `(key, n) -> batch`, such as `labelled(system)`.
        key: a JAX random key; step k draws from `jax.random.fold_in(key, k)`.
        steps: number of steps.
        batch_size: states in a batch.
        optimizer: an optax optimiser; by default `muon(0.01, steps)`.
        chunk: steps between two looks at the numbers, and between two checkpoints.
        checkpoint: a folder; the state is written there after each chunk, and a run that finds
            its own state there goes on from it.
        progress: whether to show a bar.
        label: the bar's label.

    Returns:
        `Fit(params, losses [steps])`.

    Raises:
        NonFiniteError: a loss or a parameter is not finite; it says at which step that began.
        StoreError: the checkpoint is damaged or belongs to another run.
    """
    for name, value in (("loss", loss), ("batches", batches)):
        _inputs.function(name, value)
    _inputs.count(steps=steps, batch_size=batch_size, chunk=chunk)
    if not jax.dtypes.issubdtype(getattr(key, "dtype", None), jax.dtypes.prng_key):
        raise TypeError(f"expected key from jax.random.key(seed), got {type(key).__name__}")
    optimizer = optimizer or muon(0.01, steps)

    def step(state, k):
        batch = batches(jax.random.fold_in(key, k), batch_size)
        value, gradient = jax.value_and_grad(loss)(state.params, batch)
        updates, moments = optimizer.update(gradient, state.optimizer, state.params)
        return _State(optax.apply_updates(state.params, updates), moments), value

    run = jax.jit(lambda state, ks: jax.lax.scan(step, state, ks))
    params = jax.tree.map(jnp.asarray, params)
    state, losses = _State(params, optimizer.init(params)), np.zeros(steps, np.float32)
    done = 0
    if checkpoint is not None:
        checkpoint = Path(checkpoint) / CHECKPOINT
        made_by = {
            "steps": steps,
            "batch_size": batch_size,
            "chunk": chunk,
            "key": jax.random.key_data(key).tolist(),
        }
        if checkpoint.exists():
            state, losses, done = _resume(checkpoint, state, losses, made_by)
    # tqdm's bar for notebooks does not look at TQDM_DISABLE by itself.
    off = not progress or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    with tqdm(total=steps, initial=done, desc=label, disable=off) as bar:
        while done < steps:
            ks = np.arange(done, min(done + chunk, steps))
            before, (state, values) = state, run(state, ks)
            losses[ks] = values
            _require_finite(losses[: ks[-1] + 1], done, before, state)
            done = int(ks[-1]) + 1
            if checkpoint is not None:
                store.save(checkpoint, (state, losses), {**made_by, "done": done})
            bar.update(len(ks))
            bar.set_postfix(loss=f"{np.median(losses[ks]):.3g}")
    return Fit(state.params, losses)


def _require_finite(losses, start, before, state):
    bad = ~np.isfinite(losses[start:])
    if bad.any():
        k = start + int(bad.argmax())
        raise NonFiniteError(k, f"the loss is {losses[k]}", before.params, losses[:k])
    if not all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(state.params)):
        k = len(losses) - 1
        raise NonFiniteError(k, "a parameter is not finite", before.params, losses[:k])


def _resume(path, state, losses, made_by):
    (state, losses), header = store.load(path, (state, losses))
    for name, value in made_by.items():
        if header.get(name) != value:
            raise store.StoreError(
                f"{path}: of another run: its {name} is {header.get(name)}, this run's is {value}"
            )
    return state, np.array(losses), header["done"]
