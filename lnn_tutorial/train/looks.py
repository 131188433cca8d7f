"""What is looked at after each chunk of steps: is it sane, and what do held-out states say."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import data

HELD_OUT_ROWS = 4096
"""So many held-out states are looked at in one piece."""


class DivergedError(FloatingPointError):
    """Training has lost its way: an infinity or a NaN, or a loss far above the best so far.

    Attributes:
        step: the step where that began, counted from 0.
        params: parameters from before; finite.
        losses: the losses before `step`.
        member: of an ensemble, the number of the member; otherwise None.
    """

    def __init__(self, what, step, params, losses, member=None):
        super().__init__(what)
        self.step, self.params, self.losses, self.member = step, params, losses, member


class NonFiniteError(DivergedError):
    """Training met an infinity or a NaN."""


class State(NamedTuple):
    """What a step goes on from."""

    params: object
    optimizer: object


class Made(NamedTuple):
    """All that a checkpoint holds."""

    state: State
    losses: np.ndarray
    held_out: np.ndarray | None
    best: object


def span(values, digits=".3g"):
    """A number, or the least and the greatest of several, in words."""
    ends = dict.fromkeys(format(x, digits) for x in (np.min(values), np.max(values)))
    return " to ".join(ends)


def require_sane(made, done, chunk, patience, before, loss, batch_of, astray):
    """Raise if what was made in `done` steps is not finite or has lost its way.

    Args:
        made: a `Made`.
        done, chunk, patience: see `fit`.
        before: the parameters before the last chunk.
        loss: what is made small.
        batch_of: function `(column, k) -> batch`, of a member (0 if there is but one) and a step.
        astray: function `(column, k) -> str`, which motions of that batch are not followed.
    """
    advice = advice_after(loss)
    losses = made.losses[:done]
    table = losses.reshape(done, -1)  # a column for each member

    def stop(error, column, k, what, advice=advice):
        member = column if losses.ndim > 1 else None
        who = "training" if member is None else f"training of member {member}"
        raise error(f"{who} {what}{advice}", k, before, losses[:k], member)

    def stop_at(column, k, what):
        wrong = data.not_finite(batch_of(column, k))
        why = f": its batch is not finite, {wrong}" if wrong else astray(column, k) + advice
        stop(NonFiniteError, column, k, f"is no longer finite: {what} at step {k}", why)

    bad = ~np.isfinite(table)
    if bad.any():
        k = int(bad.any(axis=1).argmax())
        column = int(bad[k].argmax())
        stop_at(column, k, f"the loss is {table[k, column]}")
    for x in jax.tree.leaves(made.state.params):
        lost = ~np.isfinite(np.asarray(x).reshape(table.shape[1], -1)).all(axis=1)
        if lost.any():
            stop_at(int(lost.argmax()), done - 1, "a parameter is not finite")
    medians = [np.median(table[k : k + chunk], axis=0) for k in range(0, done, chunk)]
    medians = np.array(medians, float)
    least, last = medians.argmin(axis=0), len(medians) - 1
    lost = (medians[-1] > patience * medians.min(axis=0)) & (medians[-1] > medians[0])
    if lost.any():
        column = int(lost.argmax())
        best = least[column]
        what = (
            f"has diverged: the loss is {medians[-1, column]:.3g} from step {chunk * last} on, "
            f"and was {medians[best, column]:.3g} from step {chunk * best} on"
        )
        stop(DivergedError, column, chunk * last, what)


def lost_motion(loss, batches, params, batch):
    """Which of a batch of windows have a loss that is not finite, in words; "" where none has."""
    if not (isinstance(batches, data.Windows) and hasattr(loss, "each")):
        return ""
    lost = np.flatnonzero(~np.isfinite(jax.jit(loss.each)(params, batch)))
    if not lost.size:
        return ""
    more = f" and of {lost.size - 1} more windows" if lost.size > 1 else ""
    first = batches.motions.where(int(batch.row[lost[0]]))
    return f", the motion from {first}{more} runs away, or its solver gives up"


def advice_after(loss):
    """What may help where training with a loss has diverged."""
    bounded = 'or use a bounded loss, such as acceleration_loss(model, "relative")'
    if getattr(loss, "bounded", False):
        bounded = "or begin from other parameters (the loss is bounded already)"
    return f"; lower the learning rate {bounded}"


def like(trained_on, held_out):
    """A held-out batch, once it is found to be finite and like those that are trained on."""
    held_out = held_out.batch() if isinstance(held_out, data.Samples | data.Windows) else held_out
    held_out = jax.tree.map(jnp.asarray, held_out)
    ours, theirs = (jax.tree.map(lambda x: x.shape[1:], batch) for batch in (held_out, trained_on))
    if ours != theirs:
        raise ValueError(
            f"expected a held-out batch with rows as those trained on, {theirs}, got {ours}"
        )
    rows = {x.shape[:1] for x in jax.tree.leaves(held_out)}
    if len(rows) != 1 or rows & {(), (0,)}:
        raise ValueError(f"expected a held-out batch of as many rows in each array, got {rows}")
    wrong = data.not_finite(held_out)
    if wrong:
        raise ValueError(f"expected a finite held-out batch, not so {wrong}")
    return held_out


def judged(made, look, done, judge, batch):
    """Note the held-out loss, and of each member the parameters if it is its least so far."""
    rows = np.arange(len(jax.tree.leaves(batch)[0]))
    pieces = np.array_split(rows, -(-len(rows) // HELD_OUT_ROWS))
    values = [judge(made.state.params, data.rows(batch, piece)) for piece in pieces]
    value = np.average(values, axis=0, weights=[len(piece) for piece in pieces])
    made.held_out[look] = done, *np.ravel(value)
    if made.best is None:
        return made
    *before, now = made.held_out[: look + 1, 1:].reshape(-1, *np.shape(value))
    better = now < np.fmin.reduce([np.full_like(now, np.inf), *before])

    def chosen(new, old):
        return jnp.where(better.reshape(better.shape + (1,) * (new.ndim - better.ndim)), new, old)

    return made._replace(best=jax.tree.map(chosen, made.state.params, made.best))
