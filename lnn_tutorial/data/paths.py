"""Paths through measured positions: where a law is asked for what it does."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np


class Path(NamedTuple):
    """A path through one window of frames; in a batch, each array has the windows along axis 0.

    Args:
        s: the times of the frames, from −1 to 1 along the window `[K + 1]`; a window that is
            shorter than others repeats its last frame.
        half: half of its duration, in seconds.
        weight: 1 for a frame, 0 for one that is repeated `[K + 1]`.
        frames: measured positions `[K + 1, d]`.
        q, q_dot: the path, at the nodes of Gauss's rule along the window `[nodes, d]`.
        context: `[c]` or None.
        torque: at the nodes `[nodes, d]`, or None.
    """

    s: jax.Array
    half: jax.Array
    weight: jax.Array
    frames: jax.Array
    q: jax.Array
    q_dot: jax.Array
    context: jax.Array | None
    torque: jax.Array | None


@dataclasses.dataclass(frozen=True, eq=False)
class Paths:
    """Paths through windows of motions, as `Motions.paths` makes them.

    Called as `paths(key, n)` it draws a batch of n, any of them more than once: what `train.fit`
    takes for its batches.

    Args:
        all: the paths, a `Path` of arrays `[w, …]`.
        noise: σ of each position `[d]`.
        rows: the frames that they are about, as rows of the motions `[w]`, of NumPy.
        lengths: K of each `[w]`, of NumPy.
        alone: how many σ the frames are from where the acceleration that the paths were made with
            leads alone, the d of `train.integral_loss` `[w]`, of NumPy.
    """

    all: Path
    noise: np.ndarray
    rows: np.ndarray
    lengths: np.ndarray
    alone: np.ndarray

    def __len__(self):
        return len(self.rows)

    def __repr__(self):
        return f"Paths({len(self)} of {self.lengths.min()} to {self.lengths.max()} frames)"

    def batch(self):
        """All paths, as one batch."""
        return self.all

    def __call__(self, key, n):
        pick = jax.random.randint(key, (n,), 0, len(self))
        return jax.tree.map(lambda x: x[pick], self.all)


def made(found, noise, rows, lengths):
    """`Paths` of what `fitted.fit` found."""
    names = {"q": "along_q", "q_dot": "along_q_dot", "torque": "along_torque"}
    arrays = (found.get(names.get(name, name)) for name in Path._fields)
    path = Path(*(None if x is None else jnp.asarray(x) for x in arrays))
    noise = np.broadcast_to(np.asarray(noise, float), path.frames.shape[-1:])
    return Paths(path, noise, rows, lengths, alone(found, noise, lengths))


def alone(found, noise, lengths):
    """How many σ frames are from where an acceleration leads alone, see `Paths`."""
    far = found["alone"] / np.square(noise)
    return np.sqrt(far.mean(axis=1) / (lengths - 1))
