r"""Measured motion: arrays of states and their accelerations, checked once and drawn from.

From arrays to a fit that is judged by motions it has not seen::

    samples = arrays(q, q_dot, q_ddot, trajectory=labels)     # [n, d] each, and [n]
    training, held_out = samples.split(0.2, key=jax.random.key(0))
    fit = train.fit(loss, params, training, key=key, steps=2000, held_out=held_out)

A batch is a tuple `(q, q_dot, q_ddot)`, followed by the context and the torque where there are any;
an absent context before a torque is None.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs

NAMES = ("q", "q_dot", "q_ddot", "context", "torque")
"""The arrays of a batch, in their order."""


@dataclasses.dataclass(frozen=True, eq=False)
class Samples:
    """States with what was measured at them, row by row, as `arrays` makes and checks them.

    Called as `samples(key, n)` it draws a batch of n rows, any of them more than once: what
    `train.fit` takes for its batches.

    Args:
        q, q_dot, q_ddot: `[n, d]`.
        context: `[n, c]` or None.
        torque: `[n, d]` or None.
        trajectory: labels `[n]`, of NumPy, or None.
    """

    q: jax.Array
    q_dot: jax.Array
    q_ddot: jax.Array
    context: jax.Array | None = None
    torque: jax.Array | None = None
    trajectory: np.ndarray | None = None

    def __len__(self):
        return len(self.q)

    def __repr__(self):
        known = {name: list(np.shape(x)) for name, x in vars(self).items() if x is not None}
        return f"Samples({', '.join(f'{name} {shape}' for name, shape in known.items())})"

    def batch(self):
        """All rows, as one batch."""
        found = [self.q, self.q_dot, self.q_ddot, self.context, self.torque]
        while found[-1] is None:
            found.pop()
        return tuple(found)

    def __call__(self, key, n):
        return rows(self.batch(), jax.random.randint(key, (n,), 0, len(self)))

    def split(self, held_out=0.2, *, key):
        """Samples to train on and samples to judge by, whole trajectories each.

        The rows of one motion are near each other: a split by row would judge by states that
        training has all but seen. Rows that were drawn independently are trajectories of one row
        each, `trajectory=range(n)`.

        Args:
            held_out: the share of the trajectories that is held out; at least one is, and at
                least one is not.
            key: a JAX random key, which decides on them.

        Returns:
            `(training, held_out)`, two `Samples`.

        Raises:
            ValueError: no trajectories are known, or only one.
        """
        _inputs.number(held_out=held_out)
        if not 0 < held_out < 1:
            raise ValueError(f"expected a share 0 < held_out < 1, got {held_out}")
        if self.trajectory is None:
            raise ValueError(
                "expected samples with trajectory=…, to hold out whole trajectories: rows of one "
                "motion are too alike to judge each other; for independent rows, say "
                f"trajectory=range({len(self)})"
            )
        labels = np.unique(self.trajectory)
        if len(labels) < 2:
            raise ValueError(f"expected two trajectories or more, got {len(labels)}")
        count = min(max(1, round(held_out * len(labels))), len(labels) - 1)
        chosen = labels[np.asarray(jax.random.permutation(key, len(labels)))[:count]]
        away = np.isin(self.trajectory, chosen)
        return tuple(Samples(**rows(vars(self), which)) for which in (~away, away))


def arrays(q, q_dot, q_ddot, context=None, torque=None, trajectory=None):
    """Check measured arrays, of NumPy or JAX or lists, and put them together.

    Args:
        q, q_dot, q_ddot: positions, velocities and accelerations `[n, d]`.
        context: non-dynamical parameters `[n, c]`, which do not change along a trajectory.
        torque: generalised forces from outside `[n, d]`.
        trajectory: labels `[n]`, whole numbers or strings: rows with one label are one motion.

    Returns:
        `Samples`; in float64 where JAX allows it and an array is, or holds whole numbers; otherwise
        in float32.

    Raises:
        TypeError: something is not an array of real numbers.
        ValueError: the shapes do not fit each other, a number is not finite, or the context
            changes along a trajectory.
    """
    optional = {"context": context, "torque": torque}
    given = {"q": q, "q_dot": q_dot, "q_ddot": q_ddot}
    given |= {name: x for name, x in optional.items() if x is not None}
    given = {name: _real(name, x) for name, x in given.items()}
    for name, x in given.items():
        _require_rows(name, x, given["q"])
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes an infinity
        made = {name: jnp.asarray(x) for name, x in given.items()}
    dtype = jnp.result_type(jnp.float32, *made.values())
    made = Samples(**{name: x.astype(dtype) for name, x in made.items()})
    wrong = not_finite(made.batch())
    if wrong:
        raise ValueError(f"expected numbers that are finite in {dtype.name}, not so {wrong}")
    if trajectory is not None:
        trajectory = _labels(trajectory, len(given["q"]))
        if context is not None:
            _require_constant(given["context"], trajectory)
    return dataclasses.replace(made, trajectory=trajectory)


def _real(name, x):
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


def _require_rows(name, x, q):
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


def _labels(trajectory, rows):
    found = np.asarray(trajectory)
    if found.dtype.kind not in "iuU":
        raise TypeError(f"expected trajectory to hold whole numbers or strings, got {found.dtype}")
    if found.shape != (rows,):
        raise ValueError(f"expected trajectory of shape [n], ({rows},), got {found.shape}")
    return found


def _require_constant(context, trajectory):
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
