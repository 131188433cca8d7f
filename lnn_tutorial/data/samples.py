"""States with their accelerations, row by row."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial.data import door
from lnn_tutorial.data.door import not_finite, rows


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
        if self.trajectory is None:
            raise ValueError(
                "expected samples with trajectory=…, to hold out whole trajectories: rows of one "
                "motion are too alike to judge each other; for independent rows, say "
                f"trajectory=range({len(self)})"
            )
        away = door.held_out(self.trajectory, held_out, key)
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
    given = {name: door.real(name, x) for name, x in given.items()}
    for name, x in given.items():
        door.require_rows(name, x, given["q"])
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes an infinity
        made = {name: jnp.asarray(x) for name, x in given.items()}
    dtype = jnp.result_type(jnp.float32, *made.values())
    made = Samples(**{name: x.astype(dtype) for name, x in made.items()})
    wrong = not_finite(made.batch())
    if wrong:
        raise ValueError(f"expected numbers that are finite in {dtype.name}, not so {wrong}")
    if trajectory is not None:
        trajectory = door.labels(trajectory, len(given["q"]))
        if context is not None:
            door.require_constant(given["context"], trajectory)
    return dataclasses.replace(made, trajectory=trajectory)
