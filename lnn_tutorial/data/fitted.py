"""Accelerations that nobody measured: in the middle of a window of positions, noisy ones too."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from lnn_tutorial import _inputs
from lnn_tutorial.data import between

NODES = np.polynomial.legendre.leggauss(9)[0]
"""Where a given acceleration is asked for, from −1 to 1 along a window: Gauss's nine points."""

MIDDLE = len(NODES) // 2
"""Which of them is the middle."""

SWEEPS = 6
"""How often the states along a window are computed anew from their accelerations, at most."""

SETTLED = 0.01
"""They are settled once the positions move by so many σ, or by rounding alone, at most."""

MOST = 0.99
"""This share of windows are to be settled: a few may never be."""

AT_ONCE = 256
"""Windows that are computed at a time: memory does not grow with the data."""

WIDE, HIGH = 32, 2
"""All windows of so many frames or less, and polynomials of such a degree, are one program."""

CONFIDENCE = 0.99
"""A window fits if its residual is below what noise alone stays below with this probability."""


class NoWindowError(ValueError):
    """No window of the given motions is as near to its frames as their noise lets expect."""


def fit(motions, acceleration, frames, noise, degree, rows=None, *, all_of_them=False):
    """The windows about some frames, each fitted; the rows of these frames; and their lengths.

    Returns:
        `(found, rows, lengths)`: a dict of arrays with a window along axis 0, the state in the
        middle (`q`, `q_dot`, `q_ddot`, and `context` and `torque` where there are any), which part
        of q_ddot the acceleration did not explain (`correction`), the squared distances of the
        frames from where the acceleration alone leads (`alone` `[w, d]`, see `misses`), and what a
        `paths.Path` is made of. See `Motions.samples`. With `all_of_them` those are there too that
        are farther from their frames than noise lets expect.

    Raises:
        NoWindowError: none fits.
    """
    lengths, noise = _checked(motions, frames, noise, degree)
    require_unwrapped(motions)
    motions.windows(lengths[0])  # every motion has room for one window
    law, longest = between.compiled_once(acceleration), lengths[-1] + 1
    asked, chosen = np.ones(len(motions), bool), np.zeros(len(motions), int)
    if rows is not None:
        asked[:] = False
        asked[np.asarray(rows)] = True
    found, lost = {}, np.zeros(len(motions), bool)
    for length in lengths:
        first = _begins(motions, length)
        first = first[asked[first + length // 2]]
        if not first.size:
            break
        windows = _windows(motions, first, length, longest)
        made, far = _in_blocks(law, degree, noise, windows)
        finite = np.isfinite(made["q_ddot"]).all(axis=1)
        at, fits = (
            first + length // 2,
            finite & (all_of_them | _fits(far, noise, length - 2 - degree)),
        )
        lost[at] = ~finite
        for name, x in (made | windows).items():
            empty = np.zeros((len(motions), *x.shape[1:]), x.dtype)
            found.setdefault(name, empty)[at[fits]] = x[fits]
        chosen[at[fits]] = length
        asked[:] = False
        asked[at[fits]] = True  # what a short window cannot explain is not asked of a longer one
    kept, lost = np.flatnonzero(chosen), lost & (chosen == 0)
    if lost.any() and (noise is None or not kept.size):
        raise FloatingPointError(
            "the acceleration that was given is not finite or runs away near "
            f"{motions.where(int(lost.argmax()))}, and in {lost.sum()} windows"
        )
    if not kept.size:
        raise NoWindowError(
            f"expected a window that is as near to its frames as noise of {noise} lets expect, "
            "found none: more noise, or shorter windows, or a higher degree"
        )
    return {name: x[kept] for name, x in found.items()}, kept, chosen[kept]


def _begins(motions, length):
    """First rows of the windows of a length, but for those that a gap makes half as long again."""
    t, label = motions.t, motions.trajectory
    first = np.flatnonzero(label[length:] == label[: len(label) - length])
    span = t[first + length] - t[first]
    return first[span <= 1.5 * np.median(span)] if first.size else first


def _checked(motions, frames, noise, degree):
    """The lengths of windows as a list, and the noise as an array or None."""
    lengths = [_inputs.whole("frames", k, 2) for k in np.atleast_1d(frames).tolist()]
    _inputs.whole("degree", degree, 0)
    if any(k % 2 for k in lengths) or sorted(set(lengths)) != lengths:
        raise ValueError(f"expected even numbers of frames, each more than the last, got {frames}")
    if lengths[0] < degree + 2:
        raise ValueError(
            f"expected windows of {degree + 2} frames after a first one or more, for a state and "
            f"{degree + 1} coefficients, got frames={frames} with degree={degree}"
        )
    if noise is None:
        if len(lengths) > 1:
            raise ValueError("expected the noise of the positions, to choose between windows")
        return lengths, None
    return lengths, np.asarray(_inputs.scale("noise", noise, motions.q.shape[1]))


def _fits(far, noise, free):
    """Whether the squared distances from windows are no more than noise would leave."""
    if noise is None or not free:
        return np.ones(len(far), bool)
    far = far / np.square(noise)
    return far.sum(axis=1) <= stats.chi2.ppf(CONFIDENCE, free * far.shape[1])


def _in_blocks(law, degree, noise, windows):
    """`_fitted` of all windows, some at a time: one program, and memory for no more than these."""
    made, count, dtype = [], len(windows["frames"]), windows["frames"].dtype
    still = SETTLED * (np.zeros(windows["frames"].shape[2]) if noise is None else noise)
    for start in range(0, count, AT_ONCE):
        rows = np.minimum(np.arange(start, start + AT_ONCE), count - 1)
        block = {name: _wide(name, x[rows]) for name, x in windows.items()}
        block["solve"] = solving(block["s"], block["weight"], degree).astype(dtype)
        block = _fitted(law, block, still.astype(dtype))
        made.append(jax.tree.map(lambda x, n=count - start: np.asarray(x)[:n], block))
    return jax.tree.map(lambda *x: np.concatenate(x), *made)


def _wide(name, x):
    """Arrays of windows, those with a frame along axis 1 as wide as `WIDE` frames are."""
    more = WIDE + 1 - x.shape[1] if name in ("s", "weight", "frames", "torques") else 0
    if more <= 0:
        return x
    last = np.zeros_like(x[:, -1:]) if name == "weight" else x[:, -1:]
    return np.concatenate([x, np.repeat(last, more, axis=1)], axis=1)


def _windows(motions, first, frames, longest):
    """What is fitted; where a window is shorter than the longest one, the rest has no weight."""
    k = np.arange(longest)
    rows = first[:, None] + np.minimum(k, frames)
    half = (motions.t[first + frames] - motions.t[first]) / 2
    found = {
        "s": (motions.t[rows] - motions.t[first, None]) / half[:, None] - 1,
        "half": half,
        "weight": np.broadcast_to(k <= frames, rows.shape),
        "frames": np.asarray(motions.q)[rows],
    }
    if motions.context is not None:
        found["context"] = np.asarray(motions.context)[first]
    if motions.torque is not None:
        found["torques"] = np.asarray(motions.torque)[rows]
    return {name: x.astype(motions.q.dtype) for name, x in found.items()}


def require_unwrapped(motions):
    """Raise where a coordinate jumps by a turn while its steps before and after are small."""
    q = np.asarray(motions.q, float)
    joined = (motions.trajectory[1:] == motions.trajectory[:-1])[:, None]
    span = np.diff(motions.t)[:, None]
    joined &= span <= 1.5 * np.median(span[joined])  # over a gap a motion may well turn round
    step = np.diff(q, axis=0)
    calm = np.pad((np.abs(step) < np.pi / 2) & joined, ((1, 1), (0, 0)))
    turned = (np.abs(np.abs(step) - 2 * np.pi) < np.pi / 2) & joined & (calm[:-2] | calm[2:])
    spans = np.flatnonzero(joined[:, 0])
    between.refuse_turns(motions, spans, turned[spans])


def _basis(s, degree, of=jnp):
    """q, q̇ and q̈ at s by the start, the velocity there and c₀, c₁ …: `[…, degree + 3]` each.

    With half of the window for the unit of time, q = z₀ + z₁ s + Σⱼ cⱼ sʲ⁺² / ((j + 1)(j + 2)).
    """
    j = np.arange(degree + 1)
    s = s[..., None]
    one, none = of.ones_like(s), of.zeros_like(s)
    return (
        of.concatenate([one, s, s ** (j + 2) / ((j + 1) * (j + 2))], axis=-1),
        of.concatenate([none, one, s ** (j + 1) / (j + 1)], axis=-1),
        of.concatenate([none, none, s**j], axis=-1),
    )


def solving(s, weight, degree):
    """How z and c follow from the positions at s, by least squares in float64 `[n, m, K + 1]`.

    Coefficients above the degree are zero.
    """
    weight = np.asarray(weight, float)[..., None]
    q, r = np.linalg.qr(weight * _basis(np.asarray(s, float), degree, np)[0])
    found = np.linalg.solve(r, np.swapaxes(weight * q, 1, 2))
    return np.pad(found, ((0, 0), (0, max(HIGH - degree, 0)), (0, 0)))


def misses(path, a):
    """What is left of the frames of windows `[n, K + 1, d]` by accelerations a `[n, nodes, d]`.

    The accelerations are integrated twice, from the start and with the velocity that bring the
    positions nearest to all frames.

    Args:
        path: a `paths.Path`, or anything with its `s`, `half`, `weight` and `frames`.
        a: at the nodes.
    """
    weight, s = path.weight[..., None], path.s[..., None]
    twice = between.integrals(NODES, path.s)[1].astype(a.dtype)
    left = path.frames - path.frames[:, :1] - path.half[:, None, None] ** 2 * (twice @ a)

    def mean(x):
        return jnp.sum(weight * x, axis=1, keepdims=True) / jnp.sum(weight, axis=1, keepdims=True)

    s, left = s - mean(s), left - mean(left)
    return weight * (left - s * mean(s * left) / mean(s**2))


def _law(acceleration, window):
    """The acceleration at the nodes of all windows, a function of the states there `[n, nodes, d]`.

    All states are rows of one matrix: products of many small ones would take longer.
    """
    beside = [jnp.repeat(window["context"], len(NODES), axis=0)] if "context" in window else []
    if "torques" in window:
        torque = _torque(window)
        beside = [beside[0] if beside else None, torque.reshape(-1, torque.shape[-1])]
    each = jax.vmap(acceleration, (0, 0, *(None if x is None else 0 for x in beside)))

    def law(q, q_dot):
        a = each(*(x.reshape(-1, x.shape[-1]) for x in (q, q_dot)), *beside)
        return a.reshape(q.shape).astype(q.dtype)

    return law


def _torque(window):
    """The torques at the nodes `[n, nodes, d]`, linear between two frames."""
    along = jax.vmap(jax.vmap(jnp.interp, (None, None, 1), 1), (None, 0, 0))
    return along(jnp.asarray(NODES, window["s"].dtype), window["s"], window["torques"])


class _Window(NamedTuple):
    s: jax.Array
    half: jax.Array
    weight: jax.Array
    frames: jax.Array


@jax.jit
def _fitted(acceleration, window, still):
    w = _Window(*(window[name] for name in _Window._fields))
    n, _, d = w.frames.shape
    dtype, solve, half = w.frames.dtype, window["solve"], w.half[:, None, None]
    begin, degree = w.frames[:, :1], solve.shape[1] - 3
    nodes = jnp.asarray(NODES, dtype)
    by_q, by_q_dot, _ = (x.astype(dtype) for x in _basis(nodes, degree))
    once, twice = (jnp.asarray(x, dtype) for x in between.integrals(NODES, NODES))
    at_frames = _basis(w.s, degree)[0].astype(dtype)
    to_frames = half**2 * between.integrals(NODES, w.s)[1].astype(dtype)

    def states(z, a):
        """q and q̇ at the nodes, from what is fitted and the accelerations there."""
        q = begin + by_q @ z + half**2 * (twice @ a)
        return q, by_q_dot @ z / half + half * (once @ a)

    def nearest(a):
        """What is fitted beside accelerations, and what is left of the frames."""
        left = w.frames - begin - to_frames @ a
        z = solve @ left
        return z, w.weight[..., None] * (left - at_frames @ z)

    a = jnp.zeros((n, len(NODES), d), dtype)
    z, left = nearest(a)
    if acceleration is not None:
        law = _law(acceleration, window)
        rounding = jnp.finfo(dtype).eps * jnp.abs(w.frames).max()

        def sweep(made):
            k, z, a, before, _ = made
            a = law(*states(z, a))
            z, left = nearest(a)
            moved = jnp.abs(left - before) <= still + rounding
            return k + 1, z, a, left, moved.all(axis=(1, 2)).mean(dtype=dtype)

        def unsettled(made):
            return (made[0] < SWEEPS) & (made[-1] < MOST)

        made = jax.lax.while_loop(unsettled, sweep, (0, z, a, left, jnp.zeros((), dtype)))
        _, z, a, left, _ = made
    q, q_dot = states(z, a)
    correction = z[:, 2] / w.half[:, None] ** 2
    found = {"along_q": q, "along_q_dot": q_dot, "along_q_ddot": a, "correction": correction}
    found |= {"q": q[:, MIDDLE], "q_dot": q_dot[:, MIDDLE], "q_ddot": a[:, MIDDLE] + correction}
    if "torques" in window:
        found["along_torque"] = _torque(window)
        found["torque"] = found["along_torque"][:, MIDDLE]
    found["alone"] = (misses(w, a) ** 2).sum(axis=1)
    return found, (left**2).sum(axis=1)
