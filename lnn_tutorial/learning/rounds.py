"""Rounds of training, from cheap and coarse to true: on states that were measured, or positions."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from lnn_tutorial import _inputs, train


class Round(NamedTuple):
    """One of several trainings that go on from each other.

    Args:
        kind: what is learned from.
        share: its share of all steps.
        peak: its peak rate.
        batch_size: how many of what is learned from in a batch.
    """

    kind: str
    share: float
    peak: float
    batch_size: int = 128


CUBICS, JOINED, SOLVER = "joined by cubics", "joined by the model", "through the solver"
STATE_ROUNDS = (
    Round(CUBICS, 4, 0.01),
    Round(JOINED, 4, 0.01),
    Round(SOLVER, 1.5, 0.005),
    Round(JOINED, 10, 0.005),
    Round(JOINED, 20, 0.005),
)
"""The rounds of `fit_states`."""

POLYNOMIALS, MODEL, INTEGRALS = "polynomials", "model and polynomials", "integrals along paths"
NOISY_ROUNDS = (
    Round(POLYNOMIALS, 5, 0.01),
    Round(MODEL, 5, 0.01),
    Round(MODEL, 8, 0.005),
    Round(INTEGRALS, 8, 0.001, 32),
    Round(INTEGRALS, 6, 0.0005, 32),
)
"""The rounds of `fit_positions`, where positions are noisy."""

EXACT_ROUNDS = (
    Round(POLYNOMIALS, 3, 0.01),
    Round(MODEL, 5, 0.01),
    Round(MODEL, 8, 0.005),
    Round(MODEL, 20, 0.005),
)
"""The rounds of `fit_positions`, where positions are exact."""

FRAMES = (4, 6, 10, 16, 24, 32)
"""How many frames a window of positions may span; each has the longest that its noise allows."""


def steps_of(rounds, steps):
    """How many steps each round has, of so many in all."""
    total = sum(one.share for one in rounds)
    return [max(1, round(steps * one.share / total)) for one in rounds]


def states_seen(rounds, steps):
    """How many states, or windows of frames, these rounds look at in so many steps."""
    counts = steps_of(rounds, steps)
    return sum(one.batch_size * count for one, count in zip(rounds, counts, strict=True))


def fit_states(
    model,
    motions,
    *,
    key,
    steps=39_500,
    substeps=3,
    scale=5.0,
    distance=0.05,
    checkpoint=None,
    progress=True,
    label="training",
):
    """Train a model on states measured along motions, in the `STATE_ROUNDS`.

    On accelerations from cubics through the frames; on those that what was learned so far leaves to
    a cubic (`data.Motions.samples`); through the solver, frame by frame (`train.motion_loss`); and
    twice more on what the model, now true, leaves to a cubic.

    Args:
        model: anything with `init` and `acceleration`.
        motions: a `data.Motions` with velocities.
        key: a JAX random key.
        steps: of training, in all rounds together.
        substeps: Runge–Kutta steps from frame to frame, through the solver.
        scale: a typical acceleration.
        distance: a distance that counts as far, see `train.motion_loss`.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.
        label: of the bars, and of this model's folder among the checkpoints.

    Returns:
        `train.Fit`.

    Raises:
        ValueError: there are no velocities, as `data.Motions.samples` says; NonFiniteError,
            DivergedError: as `train.fit`.
    """

    def compared(kind, params, _):
        if kind == SOLVER:
            loss = train.motion_loss(model, substeps=substeps, scale=distance)
            return loss, motions.windows(1)
        known = None if kind == CUBICS else partial(model.acceleration, params)
        return train.acceleration_loss(model, scale=scale), motions.samples(known)

    settings = {"checkpoint": checkpoint, "progress": progress, "label": label}
    return _in_rounds(model, STATE_ROUNDS, compared, key, steps, **settings)


def fit_positions(
    model,
    motions,
    *,
    noise,
    key,
    steps=16_000,
    frames=FRAMES,
    windows=24_000,
    checkpoint=None,
    progress=True,
    label="training",
):
    """Train a model on measured positions, in the `NOISY_ROUNDS` or the `EXACT_ROUNDS`.

    First on accelerations of local polynomials, then on those of the model and a polynomial that
    makes up for the rest (`data.Motions.samples`), more than once: a model that is nearer to the
    truth finds truer ones. Where there is noise, then, twice, on the positions themselves, with
    accelerations integrated along paths that the model found (`train.integral_loss`).

    Args:
        model: anything with `init` and `acceleration`.
        motions: a `data.Motions`; velocities, if any were measured, are not looked at.
        noise: σ of the positions, a number or one for each coordinate, see `data.describe`; or
            None where positions are exact.
        key: a JAX random key.
        steps: of training, in all rounds together.
        frames: how many frames a window may span, even numbers that rise. Longer ones than the
            longest motion are not used; where positions are exact, only the shortest.
        windows: how many windows are drawn at most for a round.
        checkpoint: a folder for checkpoints, to resume from.
        progress: whether to show bars.
        label: of the bars, and of this model's folder among the checkpoints.

    Returns:
        `train.Fit`.

    Raises:
        ValueError: a motion is shorter than the shortest window, or no window fits, as
            `data.Motions.samples` says; NonFiniteError, DivergedError: as `train.fit`.
    """
    _inputs.count(steps=steps, windows=windows)
    middles = motions.windows(min(frames)).begins + min(frames) // 2
    longest = int(np.unique(motions.trajectory, return_counts=True)[1].max()) - 1
    frames = sorted(k for k in frames if k <= longest)
    scales = []

    def compared(kind, params, key):
        rows = None  # all of them
        if len(middles) > windows:
            rows = np.asarray(jax.random.permutation(key, middles)[:windows])
        law = None if kind == POLYNOMIALS else partial(model.acceleration, params)
        settings = {"frames": frames if noise is not None else frames[0], "noise": noise}
        if kind == INTEGRALS:
            paths = motions.paths(law, **settings, rows=rows)
            return train.integral_loss(model, noise, scale=_far(paths)), paths
        samples = motions.samples(law, **settings, rows=rows, degree=2 if law is None else 1)
        scales.append(_small(samples.q_ddot))
        return train.acceleration_loss(model, scale=scales[0]), samples

    rounds = EXACT_ROUNDS if noise is None else NOISY_ROUNDS
    settings = {"checkpoint": checkpoint, "progress": progress, "label": label}
    return _in_rounds(model, rounds, compared, key, steps, **settings)


def _in_rounds(model, rounds, compared, key, steps, *, checkpoint, progress, label):
    """Train through rounds, with `compared(kind, params, key) -> (loss, batches)` of each."""
    init_key, data_key = jax.random.split(key)
    folder = checkpoint and _inputs.folder("checkpoint", Path(checkpoint) / label)
    params, fits = model.init(init_key), []
    for number, (one, count) in enumerate(zip(rounds, steps_of(rounds, steps), strict=True)):
        round_key = jax.random.fold_in(data_key, number)
        loss, batches = compared(one.kind, params, jax.random.fold_in(round_key, len(rounds)))
        fits.append(
            train.fit(
                loss,
                params,
                batches,
                key=round_key,
                steps=count,
                batch_size=one.batch_size,
                optimizer=train.muon(one.peak, count),
                checkpoint=folder and folder / str(number),
                configuration={"model": str(model), "round": number, "learned from": one.kind},
                progress=progress,
                label=f"{label}, {one.kind}",
            )
        )
        params = fits[-1].params
    losses = np.concatenate([fit.losses for fit in fits])
    return train.Fit(params, losses, sum(fit.seconds for fit in fits))


def _far(paths):
    """How many σ count as far from a path: three, or three times what most are off now."""
    return 3 * max(1.0, float(np.median(paths.alone)))


def _small(q_ddot):
    """An acceleration that counts as small: a third of the median one."""
    size = float(np.median(np.linalg.norm(np.asarray(q_ddot), axis=1))) / 3
    return max(size, 1e-6)
