"""What is measured is checked here, once: kinds, shapes, labels, what changes and what does not."""

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs

NAMES = ("q", "q_dot", "q_ddot", "context", "torque")
"""The arrays of a batch of samples, in their order."""


def real(name, x):
    """A NumPy array of real numbers."""
    if np.ma.is_masked(x):
        raise TypeError(f"expected {name} without masked entries: leave their rows out")
    try:
        found = np.asarray(x)
    except ValueError as error:
        raise TypeError(f"expected {name} to be an array, got rows of several lengths") from error
    if not jnp.issubdtype(found.dtype, jnp.floating) and found.dtype.kind not in "iu":
        raise TypeError(f"expected {name} to be an array of real numbers, got {found.dtype}")
    return found.astype(float) if found.dtype.kind in "iu" else found


def require_rows(name, x, q):
    """Raise unless an array has the shape that belongs to q."""
    letter = "c" if name == "context" else "d"
    if x.ndim != 2 or 0 in x.shape:
        hint = ""
        if x.ndim == 1 and x.size:
            hint = f"; for one number in each row write {name}[:, None]"
        elif x.ndim > 2:
            hint = "; make the frames of all trajectories rows, and say which by trajectory=…"
        raise ValueError(f"expected {name} of shape [n, {letter}], got {x.shape}{hint}")
    if name == "context" and len(x) != len(q):
        raise ValueError(f"expected q and context of as many rows, got {q.shape} and {x.shape}")
    if name != "context" and x.shape != q.shape:
        raise ValueError(f"expected q and {name} of one shape [n, d], got {q.shape} and {x.shape}")


def labels(trajectory, rows):
    found = np.asarray(trajectory)
    if found.dtype.kind not in "iuU":
        raise TypeError(f"expected trajectory to hold whole numbers or strings, got {found.dtype}")
    if found.shape != (rows,):
        raise ValueError(f"expected trajectory of shape [n], ({rows},), got {found.shape}")
    return found


def require_constant(context, trajectory):
    """Raise where a context changes along a trajectory."""
    _, first, which = np.unique(trajectory, return_index=True, return_inverse=True)
    moved = (context != context[first[which]]).any(axis=1)
    if moved.any():
        row = int(moved.argmax())
        raise ValueError(
            f"expected a context that is constant along a trajectory, but it changes along "
            f"trajectory {trajectory[row]} in row {row}: from {context[first[which[row]]]} to "
            f"{context[row]}. Where ∂𝓛/∂q̇ depends on time, its ∂p/∂t belongs into the equation of "
            "motion, and time as a context leaves it out: what drives a motion comes as torque=…, "
            "and explicit time is an argument t of a Lagrangian, see mechanics.acceleration"
        )


def unwrapped(angle, first):
    """An angle without the jumps of a turn, in those motions that keep within one turn.

    Args:
        angle: `[n]`, in radians, motion after motion.
        first: which rows are the first of a motion `[n]`.

    Returns:
        `(angle [n], mended, left)`: the rows where a jump was, and those where one of more than
        half a turn was left, since the motion goes beyond a turn.
    """
    starts, motion = np.flatnonzero(first), np.cumsum(first) - 1
    step = np.where(first, 0, np.diff(angle, prepend=angle[0]))
    span = np.maximum.reduceat(angle, starts) - np.minimum.reduceat(angle, starts)
    within = (span < 2 * np.pi + 0.5)[motion]
    jump = np.abs(step) > np.pi
    turns = np.cumsum(np.where(jump & within, np.sign(step), 0))
    turns -= turns[starts][motion]
    return angle - 2 * np.pi * turns, np.flatnonzero(jump & within), np.flatnonzero(jump & ~within)


def rate(step):
    """How many frames a second, in digits: three, and never a power of ten."""
    return f"{1 / step:.0f}" if 1 / step >= 999.5 else f"{1 / step:.3g}"


def held_out(trajectory, share, key):
    """Which rows belong to a share of the trajectories that is drawn at random: flags `[n]`.

    At least one trajectory does, and at least one does not.
    """
    _inputs.number(held_out=share)
    if not 0 < share < 1:
        raise ValueError(f"expected a share 0 < held_out < 1, got {share}")
    known = np.unique(trajectory)
    if len(known) < 2:
        raise ValueError(f"expected two trajectories or more, got {len(known)}")
    count = min(max(1, round(share * len(known))), len(known) - 1)
    return np.isin(trajectory, known[np.asarray(jax.random.permutation(key, len(known)))[:count]])


def rows(batch, which):
    """Some rows of a batch, a pytree of arrays with a row for each state."""
    return jax.tree.map(lambda x: x[which], batch)


def not_finite(batch):
    """Where a batch is not finite, in words: its arrays with the numbers of the rows; or "".

    Args:
        batch: a pytree of arrays with a row for each state. Those of a tuple of three to five are
            taken to be `NAMES`.
    """
    named = isinstance(batch, tuple) and 3 <= len(batch) <= len(NAMES)
    found = []
    for path, x in jax.tree.leaves_with_path(batch):
        if jnp.issubdtype(x.dtype, jnp.inexact) and x.size:
            by_row = np.asarray(x).reshape(len(x) if x.ndim else 1, -1)
            bad = np.flatnonzero(~np.isfinite(by_row).all(axis=1))
            if bad.size:
                name = NAMES[path[0].idx] if named else jax.tree_util.keystr(path, simple=True)
                found.append(f"{name} in {_in_words(bad)}")
    return ", ".join(found)


def _in_words(rows, most=5):
    """Row numbers in words, the first few: "rows 3, 17 and 40 more"."""
    listed = ", ".join(str(row) for row in rows[:most])
    more = f" and {len(rows) - most} more" if len(rows) > most else ""
    return f"row{'s' if len(rows) > 1 else ''} {listed}{more}"
