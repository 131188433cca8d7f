"""Accelerations that nobody measured: in the middle of a window of positions, noisy ones too."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from lnn_tutorial import _inputs
from lnn_tutorial.data import between

NODES = np.polynomial.legendre.leggauss(9)[0]
"""Where a given acceleration is asked for, from −1 to 1 along a window: Gauss's nine points."""

SWEEPS = 4
"""How often the states along a window are computed anew from their accelerations."""

AT_ONCE = 1024
"""Windows that are computed at a time: memory does not grow with the data."""


CONFIDENCE = 0.99
"""A window fits if its residual is below what noise alone stays below with this probability."""


def fit(motions, acceleration, frames, noise, degree, rows=None):
    """The windows about some frames, each fitted; the rows of these frames; and their lengths.

    Returns:
        `(found, rows, lengths)`: a dict of arrays with a window along axis 0, the state in the
        middle (`q`, `q_dot`, `q_ddot`, and `context` and `torque` where there are any), and what a
        `paths.Path` is made of. See `Motions.samples`.
    """
    lengths, noise = _checked(motions, frames, noise, degree)
    _require_unwrapped(motions)
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
        made, far = _in_blocks(law, degree, windows)
        finite = np.isfinite(made["q_ddot"]).all(axis=1)
        at, fits = first + length // 2, finite & _fits(far, noise, length - 2 - degree)
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
        raise ValueError(
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


def _in_blocks(law, degree, windows):
    """`_fitted` of all windows, some at a time: one program, and memory for no more than these."""
    made, count = [], len(windows["frames"])
    for start in range(0, count, AT_ONCE):
        rows = np.minimum(np.arange(start, start + AT_ONCE), count - 1)
        block = _fitted(law, degree, {name: x[rows] for name, x in windows.items()})
        made.append(jax.tree.map(lambda x, n=count - start: np.asarray(x)[:n], block))
    return jax.tree.map(lambda *x: np.concatenate(x), *made)


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


def _require_unwrapped(motions):
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


def _basis(s, degree):
    """q, q̇ and q̈ at s by the start, the velocity there and c₀, c₁ …: `[…, degree + 3]` each.

    With half of the window for the unit of time, q = z₀ + z₁ s + Σⱼ cⱼ sʲ⁺² / ((j + 1)(j + 2)).
    """
    j = jnp.arange(degree + 1, dtype=s.dtype)
    s = s[..., None]
    one, none = jnp.ones_like(s), jnp.zeros_like(s)
    return (
        jnp.concatenate([one, s, s ** (j + 2) / ((j + 1) * (j + 2))], axis=-1),
        jnp.concatenate([none, one, s ** (j + 1) / (j + 1)], axis=-1),
        jnp.concatenate([none, none, s**j], axis=-1),
    )


def _torque(window, s):
    """The torque at some s `[…]`, linear between two frames."""
    along = jax.vmap(jnp.interp, (None, None, 1), -1)
    return along(s, window["s"], window["torques"])


def _called(acceleration, q, q_dot, window, s):
    """The acceleration at one state, with the context and the torque there are."""
    if acceleration is None:
        return jnp.zeros_like(q)
    beside = [window["context"]] if "context" in window else []
    if "torques" in window:
        beside = [window.get("context"), _torque(window, s)]
    return acceleration(q, q_dot, *beside).astype(q.dtype)


@partial(jax.jit, static_argnums=1)
def _fitted(acceleration, degree, windows):
    def one(window):
        s, half, weight, q = (window[name] for name in ("s", "half", "weight", "frames"))
        begin, nodes = q[0], jnp.asarray(NODES, q.dtype)
        solve = jnp.linalg.pinv(weight[:, None] * _basis(s, degree)[0]) * weight

        def states(s, z, a):
            """q and q̇ at s, from what is fitted and the accelerations a at the nodes."""
            by_q, by_q_dot, _ = _basis(s, degree)
            once, twice = between.integrals(NODES, s)
            return begin + by_q @ z + half**2 * twice @ a, by_q_dot @ z / half + half * once @ a

        def law(s, q, q_dot):
            return _called(acceleration, q, q_dot, window, s)

        a = jnp.zeros((len(NODES), q.shape[1]), q.dtype)
        z = solve @ (q - begin)
        for _ in range(0 if acceleration is None else SWEEPS):
            a = jax.vmap(law)(nodes, *states(nodes, z, a))
            z = solve @ (q - states(s, jnp.zeros_like(z), a)[0])
        middle = jnp.zeros((), q.dtype)
        made = dict(zip(("q", "q_dot"), states(middle, z, a), strict=True))
        correction = _basis(middle, degree)[2] @ z / half**2
        made["q_ddot"] = law(middle, *made.values()) + correction
        made |= dict(zip(("along_q", "along_q_dot"), states(nodes, z, a), strict=True))
        if "torques" in window:
            made |= {"torque": _torque(window, middle), "along_torque": _torque(window, nodes)}
        return made, weight @ (q - states(s, z, a)[0]) ** 2

    return jax.vmap(one)(windows)
