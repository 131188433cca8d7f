"""Whole motions: states at known times, and windows of a few frames to learn from."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.data import between, door, fitted, paths
from lnn_tutorial.data.samples import Samples


class Window(NamedTuple):
    """Some frames in a row of one motion; in a batch, each array has the windows along axis 0.

    Args:
        t: seconds since the first of the frames `[K + 1]`.
        q: `[K + 1, d]`.
        q_dot: `[K + 1, d]`, or None where velocities were not measured.
        context: `[c]` or None.
        torque: `[K + 1, d]` or None.
        begins: the time of the first frame, in seconds, with no more digits than q has.
        row: the first frame's row in `Motions`.
    """

    t: jax.Array
    q: jax.Array
    q_dot: jax.Array | None
    context: jax.Array | None
    torque: jax.Array | None
    begins: jax.Array
    row: jax.Array


@dataclasses.dataclass(frozen=True, eq=False)
class Motions:
    """Motions frame by frame, as `motions` makes and checks them; rows of one motion in a row.

    Args:
        t: times of the frames in seconds `[n]`, of NumPy in float64.
        q: `[n, d]`.
        q_dot: `[n, d]` or None.
        context: `[n, c]` or None.
        torque: `[n, d]` or None.
        trajectory: labels `[n]`, of NumPy.
    """

    t: np.ndarray
    q: jax.Array
    q_dot: jax.Array | None
    context: jax.Array | None
    torque: jax.Array | None
    trajectory: np.ndarray

    def __len__(self):
        return len(self.t)

    def __repr__(self):
        count = len(np.unique(self.trajectory))
        known = {name: list(np.shape(x)) for name, x in vars(self).items() if x is not None}
        shapes = ", ".join(f"{name} {known[name]}" for name in known if name != "trajectory")
        return f"Motions({count} of them, {shapes})"

    def split(self, held_out=0.2, *, key):
        """Motions to train on and motions to judge by; see `Samples.split`."""
        away = door.held_out(self.trajectory, held_out, key)
        return tuple(Motions(**door.rows(vars(self), which)) for which in (~away, away))

    def windows(self, frames, every=1):
        """All windows of some frames after a first one, overlapping ones too.

        Args:
            frames: K, how many frames follow the first one of each window.
            every: n, a window begins at every n-th frame of a motion, the first one among them.

        Returns:
            `Windows`, which `train.fit` takes for its batches.

        Raises:
            ValueError: a motion has no more than K frames.
        """
        _inputs.count(frames=frames, every=every)
        labels, first, counts = np.unique(self.trajectory, return_index=True, return_counts=True)
        short = counts <= frames
        if short.any():
            k = int(short.argmax())
            more = f", and {short.sum() - 1} more like it" if short.sum() > 1 else ""
            raise ValueError(
                f"expected motions of {frames + 1} frames or more for windows of {frames} after a "
                f"first one, but trajectory {labels[k]} has {counts[k]}{more}: leave them out, or "
                f"take windows of at most {counts.min() - 1}"
            )
        begins = [np.arange(a, a + n - frames, every) for a, n in zip(first, counts, strict=True)]
        return Windows(self, frames, np.sort(np.concatenate(begins)))

    def samples(self, acceleration=None, *, frames=None, noise=None, degree=1, rows=None):
        r"""States with the accelerations that the frames tell of, beside those of a model.

        Exact states, `frames=None`: after each frame, over a time h until the next one and with s
        from 0 to 1 on the way,

            q̈ = a(q, q̇) + c₀ + c₁ s,

        where c₀ and c₁ are such that the motion from the one measured state arrives at the other.
        Without an acceleration a it is the cubic through both states; what an a already explains,
        such as that of a model trained so far, need not be interpolated, and the closer it is to
        the truth, the closer are the samples. Noise σ in a velocity becomes about σ/h in q̈.

        Positions, noisy ones too, `frames=K`: about each frame, in a window of K + 1 with s from
        −1 to 1 along it,

            q̈ = a(q, q̇) + c₀ + c₁ s + …,

        where the c and the state in the middle make the motion as near as possible to all measured
        positions (least squares). Without an a it is the local polynomial of Savitzky and Golay,
        for any times. In a window of T seconds noise σ becomes about 27 σ/(√K T²) in q̈: a long
        window needs an a that explains what c cannot. Of several K, each window has the longest
        that leaves no more than the noise would.

        Args:
            acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`, with the context and the
                torque after these where the motions have them; or None.
            frames: None; or how many frames a window spans, an even number, or several, rising.
            noise: with frames, the standard deviation of the measured positions, a number or one
                for each coordinate: windows that are too far from their frames for it, even the
                shortest ones, are left out. With several K it is needed.
            degree: with frames, the highest power of s.
            rows: with frames, about which frames there shall be windows; all by default.

        Returns:
            `Samples`: five for each span between two frames; or one for each window. With frames,
            a window that a gap makes more than half as long again as most is left out, and
            velocities, if any were measured, are not looked at.

        Raises:
            ValueError: no velocities were measured and `frames` is None, or it is and noise, degree
                or rows are given; an angle is wrapped, a motion is too short, no window fits.
            FloatingPointError: the acceleration is not finite, or runs away from the frames.

        Source: defect correction is Zadunaisky's (1976); local polynomials Savitzky's and Golay's
        (1964); the longest window that fits Lepski's (1990).
        """
        if frames is not None:
            found, kept, _ = fitted.fit(self, acceleration, frames, noise, degree, rows)
            state = ("q", "q_dot", "q_ddot", "context", "torque")
            found = {name: jnp.asarray(found[name]) for name in state if name in found}
            return Samples(**found, trajectory=self.trajectory[kept])
        if noise is not None or rows is not None or degree != 1:
            raise ValueError("expected frames beside noise, degree or rows: they are of windows")
        (q, q_dot, q_ddot), rows = between.samples(self, acceleration)
        beside = dict(zip(("context", "torque"), between.beside(self, rows), strict=False))
        return Samples(
            *(x.reshape(-1, self.q.shape[1]) for x in (q, q_dot, q_ddot)),
            **{k: None if x is None else x.reshape(-1, x.shape[-1]) for k, x in beside.items()},
            trajectory=np.repeat(self.trajectory[rows], len(between.NODES)),
        )

    def paths(self, acceleration=None, *, frames, noise, degree=1, rows=None):
        r"""Paths through windows of positions, noisy ones too, for `train.integral_loss`.

        The paths are those of `samples` with the same arguments: motions of an acceleration and of
        a polynomial that makes up for what it does not know, as near to all positions of a window
        as can be, each window as long as the noise allows.

        Args:
            acceleration, frames, noise, degree, rows: as in `samples`; the noise is needed.

        Returns:
            `Paths`.

        Raises:
            ValueError, FloatingPointError: as in `samples`.
        """
        if noise is None:
            raise ValueError("expected the noise of the positions, see data.describe; got none")
        found, kept, lengths = fitted.fit(self, acceleration, frames, noise, degree, rows)
        return paths.made(found, noise, kept, lengths)

    def where(self, row):
        """A frame in words, "frame 3 of trajectory 7"."""
        label = self.trajectory[row]
        return f"frame {row - int((self.trajectory == label).argmax())} of trajectory {label}"


@dataclasses.dataclass(frozen=True, eq=False)
class Windows:
    """Windows of motions, as `Motions.windows` makes them.

    Called as `windows(key, n)` it draws a batch of n windows, any of them more than once: what
    `train.fit` takes for its batches.

    Args:
        motions: the `Motions` that they are cut from.
        frames: K, how many frames follow the first one.
        begins: the rows of the first frames `[w]`, of NumPy.
    """

    motions: Motions
    frames: int
    begins: np.ndarray

    def __len__(self):
        return len(self.begins)

    def __repr__(self):
        return f"Windows({len(self)} of {self.frames} frames after a first one, of {self.motions})"

    def batch(self):
        """All windows, as one batch."""
        return self._at(jnp.asarray(self.begins))

    def __call__(self, key, n):
        pick = jax.random.randint(key, (n,), 0, len(self))
        return self._at(jnp.asarray(self.begins)[pick])

    def _at(self, first):
        of, rows = self.motions, first[:, None] + jnp.arange(self.frames + 1)
        # The steps are taken in float64: late times in float32 would blur them.
        steps = jnp.asarray(np.diff(of.t, append=np.inf), of.q.dtype)
        t = jnp.cumsum(steps[rows[:, :-1]], axis=1)
        q, q_dot, torque = (None if x is None else x[rows] for x in (of.q, of.q_dot, of.torque))
        return Window(
            t=jnp.pad(t, ((0, 0), (1, 0))),
            q=q,
            q_dot=q_dot,
            context=None if of.context is None else of.context[first],
            torque=torque,
            begins=jnp.asarray(of.t, of.q.dtype)[first],
            row=first,
        )


def motions(t, q, q_dot=None, context=None, torque=None, trajectory=None):
    """Check measured motions, of NumPy or JAX or lists, and put them together.

    Either row by row, with a label in each row where there are several motions; or m motions of f
    frames each, with an axis more.

    Args:
        t: the times of the frames in seconds, rising along each motion, not always equally far
            apart: `[n]`; or `[f]` or `[m, f]`.
        q: positions `[n, d]`, or `[m, f, d]`.
        q_dot: velocities of the same shape, or None.
        context: non-dynamical parameters `[n, c]`, which do not change along a motion; or `[m, c]`.
        torque: generalised forces from outside, of the shape of q.
        trajectory: labels `[n]`, whole numbers or strings: rows with one label are one motion.
            None for a single one. Motions may have different lengths.

    Returns:
        `Motions`, its arrays in float64 where JAX allows it and one of them is; else in float32.

    Raises:
        TypeError: something is not an array of real numbers.
        ValueError: shapes that do not fit each other; a number that is not finite, times that do
            not rise, a context that changes, a motion of a single frame: the message names the
            trajectory and the frame.
    """
    given = {"t": t, "q": q, "q_dot": q_dot, "context": context, "torque": torque}
    given = {name: door.real(name, x) for name, x in given.items() if x is not None}
    if given["q"].ndim == 3:
        if trajectory is not None:
            raise ValueError("expected no labels beside q of shape [m, f, d]: each is one motion")
        given, trajectory = _in_rows(given)
    t = given.pop("t")
    for name, x in given.items():
        door.require_rows(name, x, given["q"])
    n = len(given["q"])
    if t.shape != (n,):
        raise ValueError(f"expected a time for each row, t of shape ({n},), got {t.shape}")
    labels = np.zeros(n, int) if trajectory is None else door.labels(trajectory, n)
    order = np.argsort(labels, kind="stable")
    labels, t = labels[order], t[order].astype(np.float64)
    given = {name: x[order] for name, x in given.items()}
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes an infinity
        arrays = {name: jnp.asarray(x) for name, x in given.items()}
    dtype = jnp.result_type(jnp.float32, *arrays.values())
    arrays = {name: x.astype(dtype) for name, x in arrays.items()}
    made = Motions(t, arrays["q"], *map(arrays.get, ("q_dot", "context", "torque")), labels)
    _require_finite(made)
    _require_rising(made)
    if context is not None:
        door.require_constant(given["context"], labels)
    return made


def _in_rows(given):
    """Motions of one length, `[m, f, …]`, as rows with labels."""
    m, f, _ = given["q"].shape
    t = given["t"]
    if t.shape not in ((f,), (m, f)):
        raise ValueError(
            f"expected t of shape ({f},) or ({m}, {f}) beside q of shape {given['q'].shape}, "
            f"got {t.shape}"
        )
    found = {"t": np.broadcast_to(t, (m, f)).ravel()}
    for name in given.keys() - {"t"}:
        x = given[name]
        if name == "context":
            if x.ndim != 2 or len(x) != m:
                raise ValueError(f"expected context of shape [m, c], m = {m}, got {x.shape}")
            x = np.repeat(x[:, None], f, axis=1)
        elif x.shape != given["q"].shape:
            raise ValueError(
                f"expected q and {name} of one shape [m, f, d], "
                f"got {given['q'].shape} and {x.shape}"
            )
        found[name] = x.reshape(m * f, -1)
    return found, np.repeat(np.arange(m), f)


def _require_finite(made):
    arrays = {"t": made.t, "q": made.q, "q_dot": made.q_dot}
    arrays |= {"context": made.context, "torque": made.torque}
    for name, x in arrays.items():
        bad = np.zeros(len(made), bool) if x is None else ~np.isfinite(np.asarray(x))
        bad = bad.reshape(len(made), -1).any(axis=1)
        if bad.any():
            more = f", and {bad.sum() - 1} more" if bad.sum() > 1 else ""
            raise ValueError(
                f"expected numbers that are finite in {made.q.dtype.name}, not so {name} in "
                f"{made.where(int(bad.argmax()))}{more}"
            )


def _require_rising(made):
    t, labels = made.t, made.trajectory
    falls = np.flatnonzero((labels[1:] == labels[:-1]) & ~(np.diff(t) > 0))
    if falls.size:
        row = int(falls[0]) + 1
        raise ValueError(
            f"expected times that rise along a motion, but {made.where(row)} comes at {t[row]:g} s "
            f"after one at {t[row - 1]:g} s"
            + (f", and {falls.size - 1} more" if falls.size > 1 else "")
        )
    known, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"expected two frames or more of each motion, but trajectory "
            f"{known[counts.argmin()]} has one"
        )
