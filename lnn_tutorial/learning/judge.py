"""How far a learned law is from motions that it has not seen, told from noisy positions alone."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy import stats

from lnn_tutorial import data, integrate, mechanics
from lnn_tutorial.data import between, fitted, paths
from lnn_tutorial.models import forces

STARTS = 96
"""Starts of rollouts, over all held-out motions."""

STATES = 500
"""States at which accelerations and mass matrices are looked at."""

LONGEST = 600
"""Frames that are rolled out at most, and of the model's own motions."""

QUIET, AUDIBLE = 0.02, 0.1
"""Noise in an acceleration is small if it is below this share of a typical one; and so small that
an error may be heard beside it."""

HALF = 0.6745
"""Half of all normal numbers are closer to zero than so many σ."""

FAR = 3.0
"""So many σ count as far in the loss of a law, as in `train.integral_loss`."""


def windows(motions, law, frames, noise, rows, degree=1, **settings):
    """`(found, rows, lengths)` of windows as `data.fitted.fit` has them, None where none fits.

    In motions without room for the shortest window there is none.
    """
    _, which, counts = np.unique(motions.trajectory, return_inverse=True, return_counts=True)
    roomy = np.flatnonzero(counts[which] > frames[0])
    wanted = np.isin(roomy, rows)
    if not wanted.any():
        return None
    part = data.Motions(**data.rows(vars(motions), roomy))
    try:
        found = fitted.fit(part, law, frames, noise, degree, np.flatnonzero(wanted), **settings)
    except (fitted.NoWindowError, FloatingPointError):
        return None  # the law explains no window, or runs away in all
    return found[0], roomy[found[1]], found[2]


def spread_rows(motions, count, ahead=0):
    """About so many rows, evenly along all motions, with some frames left after each."""
    _, begins, sizes = np.unique(motions.trajectory, return_index=True, return_counts=True)
    room = [np.arange(b, b + max(n - ahead, 1)) for b, n in zip(begins, sizes, strict=True)]
    room = np.concatenate(room)
    return room[np.unique(np.linspace(0, len(room) - 1, min(count, len(room))).astype(int))]


def horizons(motions, frames, step):
    """Times over which rollouts are followed: 1 and 3 times powers of ten, in seconds."""
    _, begins, sizes = np.unique(motions.trajectory, return_index=True, return_counts=True)
    room = [motions.t[b + n - 1] - motions.t[min(b + frames, b + n - 1)]
            for b, n in zip(begins, sizes, strict=True)]  # fmt: skip
    longest = min(max(room), LONGEST * step)
    ladder = [k * 10.0**power for power in range(-6, 5) for k in (1, 3)]
    found = [x for x in ladder if 2.9 * step < x <= longest * (1 + 1e-9)][-5:]
    return found or [float(f"{max(longest, step):.2g}")]


def rolled_out(model, params, motions, found, rows, lengths, seconds, step):
    """Positions that a law leads to from the middles of windows, at the frames after their ends.

    Returns:
        Dict of arrays with a start along axis 0: `after`, seconds since the window's last frame
        `[starts, f]`, NaN where the motion is over; `measured` and `predicted` `[starts, f, d]`;
        `row`, where a window's middle is, and `at`, where these frames are `[starts, f]`.
    """
    law = partial(model.slopes, params)
    last_of = {label: np.flatnonzero(motions.trajectory == label)[-1]
               for label in np.unique(motions.trajectory)}  # fmt: skip
    q = np.asarray(motions.q, float)
    first = rows - lengths // 2
    ends = first + lengths
    half = found["half"].astype(float)
    middle = motions.t[first] + half
    finish = np.array([last_of[label] for label in motions.trajectory[rows]])
    begin = np.array([np.searchsorted(motions.t[a : b + 1], m + 1e-3 * step) + a
                      for a, b, m in zip(first, finish, middle, strict=True)])  # fmt: skip
    stop = np.array([np.searchsorted(motions.t[a : b + 1], motions.t[e] + seconds * (1 + 1e-6)) + a
                     for a, b, e in zip(first, finish, ends, strict=True)])  # fmt: skip
    count = int(min((stop - begin).max(), LONGEST))
    at = begin[:, None] + np.arange(count)
    inside = at < stop[:, None]
    at = np.minimum(at, finish[:, None])
    t = motions.t[at] - middle[:, None]
    beyond = np.cumsum(~inside, axis=1)
    t = np.where(inside, t, t.max(axis=1, keepdims=True) + step * beyond)
    times = np.concatenate([np.zeros((len(rows), 1)), t], axis=1)
    between_frames = np.linspace(0, 1, _substeps(found, step), endpoint=False)
    start = [jnp.asarray(found[name]) for name in ("q", "q_dot")]
    beside = {}
    if "context" in found:
        beside["context"] = jnp.asarray(found["context"])
    if motions.torque is not None:
        torque = np.asarray(motions.torque)[at]
        beside["torque"] = jnp.concatenate([jnp.asarray(found["torque"])[:, None], torque], axis=1)

    def one(q, q_dot, times, beside):
        context, torque = beside.get("context"), beside.get("torque")
        finer = times[:-1, None] + jnp.diff(times)[:, None] * between_frames.astype(times.dtype)
        finer = jnp.append(finer.ravel(), times[-1])
        if torque is None:
            slope = lambda q, q_dot: law(q, q_dot, context)  # noqa: E731
        else:
            along = forces.linear(times, torque)
            slope = lambda q, q_dot, t: law(q, q_dot, context, along(t))  # noqa: E731
        # as many steps by `substeps` would be unrolled, which takes longer to compile than to run
        return integrate.through(slope, q, q_dot, finer)[0][:: len(between_frames)]

    times = jnp.asarray(times, start[0].dtype)
    went = jax.jit(jax.vmap(one))(*start, times, beside)
    after = np.where(inside, motions.t[at] - motions.t[ends][:, None], np.nan)
    after = np.where(after > 1e-6 * step, after, np.nan)
    return {
        "after": after,
        "measured": q[at],
        "predicted": np.asarray(went, float)[:, 1:],
        "row": rows,
        "at": at,
    }


def away(went, seconds, angles):
    """Root mean square distances over the first seconds `[starts, d]`, and of how many frames.

    NaN where the motion does not go on for so long.
    """
    after, far = went["after"], went["predicted"] - went["measured"]
    turn = 2 * np.pi
    far = np.where(np.asarray(angles), (far + np.pi) % turn - np.pi, far)
    far = np.where(np.isfinite(far), far, np.inf)
    counted = after <= seconds * (1 + 1e-6)
    step = np.nanmedian(np.diff(after, axis=1)) if after.shape[1] > 1 else seconds
    known = ~np.all(np.isnan(after), axis=1)
    reach = np.where(known, np.nanmax(np.where(np.isnan(after), -1, after), axis=1), 0)
    whole = reach >= seconds - 1.01 * step
    counts = np.where(whole, counted.sum(axis=1), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = np.where(counted[..., None], far**2, 0).sum(axis=1) / counts[:, None]
    return np.where(whole[:, None] & (counts > 0)[:, None], np.sqrt(squares), np.nan), counts


def without_noise(distances, counts, noise, frames, unsure, lost=0):
    """Median distances `[d]`, and what is left of them without the noise.

    Distances from positions with noise σ over m frames are σ √(median of χ²ₘ / m) without any error
    in half of all cases; what is more is error. Where it is not, by more than chance, it is said
    how large it may be.

    Args:
        distances, counts: of `away`.
        noise: σ of each position `[d]`.
        frames: how many were compared with; starts that share theirs tell less than others.
        unsure: the share of σ² by which the noise may be wrong, an estimate too.
        lost: so many more starts are as far away as can be.

    Returns:
        `(median, error, at_most)`, `[d]` each; error is NaN where it is below the noise.
    """
    known = ~np.isnan(distances).any(axis=1)
    if not known.any():
        return (np.full(distances.shape[1], np.nan),) * 3
    distances, m = distances[known], np.median(counts[known])
    distances = np.concatenate([distances, np.full((lost, distances.shape[1]), np.inf)])
    floor = np.square(noise) * stats.chi2.median(m) / m
    beside = 1 / np.sqrt(min(len(distances), frames / m))
    levels = np.clip([0.5 - beside, 0.5, 0.5 + beside], 0, 1)
    lower, middle, upper = np.quantile(distances**2, levels, axis=0, method="nearest")
    unsure = unsure * floor
    with np.errstate(invalid="ignore"):
        spare = np.sqrt(np.maximum(middle - floor, 0))
        error = np.where(lower > floor + unsure, spare, np.nan)
        at_most = np.sqrt(np.maximum(upper - floor, 0) + unsure)
    return np.sqrt(middle), error, at_most


def accelerations(motions, law, other, frames, noise, size, step):
    """How wrong a law's accelerations are, from what windows of positions correct in them.

    In windows of a law and a polynomial (`Motions.samples`), the polynomial in the middle is the
    law's error, and noise whose σ is known from the least squares. Of the lengths of windows the
    shortest is taken in which the error stands out. Such a window averages the error over its
    duration. By how much, the difference between this law and another one that was learned from the
    same motions tells: it is as rough as the error, and known at each moment.

    Args:
        other: another law, or None.
        size: typical accelerations `[d]`: windows in which noise is not `AUDIBLE` beside these, or
            less, are not tried.
        step: the time between two frames.

    Returns:
        A dict of lists with a number for each coordinate: `error` and `at_most`, in half of the
        states it is less (NaN and a bound where noise hides it); `averaged`, the same as windows
        have it; `typical`, the median of |q̈|; `seconds`, how long the windows are. Without another
        law error and bound are those of the windows.
    """
    rows, d = spread_rows(motions, STATES), motions.q.shape[1]
    names = ("error", "at_most", "averaged", "typical", "seconds")
    kept = dict.fromkeys(names, np.full(d, np.nan)) | {"at_most": np.full(d, np.inf)}
    for length in quiet(frames, noise, size, step, AUDIBLE):
        found = windows(motions, law, [length], noise, rows, all_of_them=True)
        if found is None:
            continue
        told = _corrections(other, found[0], noise, len(motions) / length)
        new = np.isnan(kept["error"])  # what stood out in shorter windows stays
        kept = {name: np.where(new, told[name], kept[name]) for name in names}
        if not np.isnan(kept["error"]).any():
            break
    return {name: x.tolist() for name, x in kept.items()}


def quiet(frames, noise, size, step, share=QUIET):
    """The lengths of windows in which noise is small beside typical accelerations, one at least."""
    steady = {k: _amplification(np.linspace(-1, 1, k + 1)[None], k * step / 2) for k in frames}
    small = [k for k in frames if (np.asarray(noise) * steady[k] < share * size).all()]
    return small or list(frames[-1:])


def _corrections(other, found, noise, independent):
    """What `accelerations` returns, from windows of one length."""
    noise, told = np.asarray(noise), found["q_ddot"] - found["correction"]
    spread = np.median(np.abs(found["correction"]), axis=0) / HALF
    floor = noise * np.median(_amplification(found["s"], found["half"], found["weight"]))
    # a variance from the median of n normal numbers is unsure by about √(5.4/n) of itself
    unsure = 2 * floor**2 * np.sqrt(5.4 / max(min(independent, len(told)), 4))
    spare = spread**2 - floor**2
    averaged = np.where(spare > unsure, HALF * np.sqrt(np.maximum(spare, 0)), np.nan)
    at_most = HALF * np.sqrt(np.maximum(spare, 0) + unsure)
    rough = 1.0 if other is None else _roughness(other, found)
    return {
        "error": averaged * rough,
        "at_most": at_most * rough,
        "averaged": averaged,
        "typical": np.median(np.abs(told), axis=0),
        "seconds": np.full(len(noise), 2 * np.median(found["half"])),
    }


def _roughness(other, found):
    """How many times larger a law's difference from another is than its average over windows `[d]`.

    The law is the one that the windows were found with.
    """
    count = len(fitted.NODES)
    along = {"q": found["along_q"], "q_dot": found["along_q_dot"]}
    if "torque" in found:
        along["torque"] = found["along_torque"]
    along = {name: x.reshape(-1, x.shape[-1]) for name, x in along.items()}
    if "context" in found:
        along["context"] = np.repeat(found["context"], count, axis=0)
    apart = found["along_q_ddot"] - asked(other, along).reshape(found["along_q_ddot"].shape)
    twice = np.asarray(between.integrals(fitted.NODES, found["s"].astype(float))[1])
    moved = twice @ apart  # positions at the frames, in units of half a window squared
    averaged = np.einsum("ik,ikj->ij", _solve(found["s"], found["weight"]), moved)
    small, large = (np.median(np.abs(x), axis=0) for x in (averaged, apart[:, fitted.MIDDLE]))
    return np.maximum(large / np.maximum(small, 1e-12 + 1e-3 * large), 1.0)


def asked(law, states):
    """A law's accelerations `[n, d]` at many states, some at a time: one program for any number."""
    given = [states["q"], states["q_dot"], *([states["context"]] if "context" in states else [])]
    if "torque" in states:
        given = [*given[:2], states.get("context"), states["torque"]]
    law, count, made = between.compiled_once(law), len(given[0]), []
    for start in range(0, count, STATES):
        rows = np.minimum(np.arange(start, start + STATES), count - 1)
        made.append(_asked(law, *(None if x is None else x[rows] for x in given)))
    return np.concatenate(made)[:count]


@jax.jit
def _asked(law, q, q_dot, *beside):
    axes = (0, 0, *(None if x is None else 0 for x in beside))
    return jax.vmap(law, axes)(q, q_dot, *beside)


def _solve(s, weight):
    """How each frame counts in the acceleration in the middle, by least squares `[n, K + 1]`."""
    return fitted.solving(s, weight, 1)[:, 2]


def _amplification(s, half, weight=1.0):
    """How much noise of one becomes in the polynomial at the middle of each window `[n]`."""
    weight = np.broadcast_to(weight, np.shape(s))
    return np.linalg.norm(_solve(s, weight), axis=1) / np.asarray(half, float) ** 2


def loss(law, motions, length, noise):
    """The loss of accelerations integrated along paths (`train.integral_loss`), or NaN."""
    rows = spread_rows(motions, STATES)
    found = windows(motions, law, [length], noise, rows, all_of_them=True)
    if found is None:
        return np.nan
    far = paths.alone(found[0], noise, found[2])
    return float(np.mean(far / np.sqrt(FAR**2 + far**2)))


def at_states(function, params, states):
    """What `function(params, q, q_dot, context)` of a model finds at many states, in float64."""
    context = states.get("context")
    one = jax.vmap(partial(function, params), (0, 0, None if context is None else 0))
    return np.asarray(jax.jit(one)(states["q"], states["q_dot"], context), float)


def mass(model, params, states):
    """Mass matrices `[n, d, d]`; their sign is that of the free factor of a Lagrangian."""

    def one(params, q, q_dot, context):
        lagrangian = lambda q, q_dot: model.lagrangian(params, q, q_dot, context)  # noqa: E731
        return mechanics.mass_matrix(lagrangian)(q, q_dot)

    return at_states(one, params, states)


def friction_power(model, params, states):
    """The power of the forces without torques, q̇·Q `[n]`, in units of 𝓛 a second."""

    def one(params, q, q_dot, context):
        idle = jnp.zeros_like(q) if model.driven else None
        return q_dot @ model.generalised_force(params, q, q_dot, context, idle)

    return at_states(one, params, states)


def drift(model, params, motions, found, rows, scale, step):
    """How far a model's energy strays along its own motions, ten times as long as the measured."""
    labels = motions.trajectory[rows]
    first = [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)][:10]
    longest = np.unique(motions.trajectory, return_counts=True)[1].max()
    steps = int(min(10 * longest, LONGEST))
    context = None if "context" not in found else jnp.asarray(found["context"][first])
    axes = (0, 0, None if context is None else 0)
    substeps = _substeps(found, step)

    def one(q, q_dot, context):
        q, q_dot = model.rollout(params, q, q_dot, context, dt=step, steps=steps, substeps=substeps)
        energy = jax.vmap(lambda q, q_dot: model.energy(params, q, q_dot, context))(q, q_dot)
        return jnp.abs(energy - energy[0]).max()

    q, q_dot = (jnp.asarray(found[name][first]) for name in ("q", "q_dot"))
    strays = np.asarray(jax.jit(jax.vmap(one, axes))(q, q_dot, context), float) / scale
    strays = np.where(np.isfinite(strays), strays, np.inf)
    return {"energy_drift": float(np.median(strays)), "energy_drift_seconds": steps * step}


def _substeps(found, step):
    """Runge–Kutta steps from frame to frame: twenty while a velocity changes by itself."""
    speed, push = (np.sqrt(np.mean(np.square(found[x], dtype=float))) for x in ("q_dot", "q_ddot"))
    return int(np.clip(np.ceil(20 * step * push / max(speed, 1e-9)), 2, 50))
