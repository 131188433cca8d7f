"""Rounds of finding paths through noisy positions and of learning what moves along them."""

from functools import partial
from pathlib import Path

import jax
import numpy as np

from lnn_tutorial import _inputs, train

FRAMES = (4, 6, 10, 16, 24, 32)
"""How many frames a window may span; each has the longest that its noise allows."""

POLYNOMIALS, MODEL, INTEGRALS = "polynomials", "model and polynomials", "integrals along paths"
ROUNDS = (
    (POLYNOMIALS, 5, 0.01),
    (MODEL, 5, 0.01),
    (INTEGRALS, 6, 0.005),
    (INTEGRALS, 6, 0.003),
)
"""The rounds of `fit_positions`, each with what is learned from, its share of steps, its peak rate.
"""

BATCHES = {POLYNOMIALS: 128, MODEL: 128, INTEGRALS: 32}
"""Samples, or paths, in a batch."""


def fit_positions(
    model,
    motions,
    *,
    noise,
    key,
    steps=11_000,
    frames=FRAMES,
    windows=24_000,
    checkpoint=None,
    progress=True,
    label="training",
):
    """Train a model on measured positions, in the `ROUNDS`.

    First on accelerations of local polynomials, then on those of the model and a polynomial that
    makes up for the rest (`data.Motions.samples`), and then, twice, on the positions themselves,
    with accelerations integrated along paths that the model found (`train.integral_loss`).

    Args:
        model: anything with `init` and `acceleration`.
        motions: a `data.Motions`; velocities, if any were measured, are not looked at.
        noise: σ of the positions, a number or one for each coordinate; see `data.describe`.
        key: a JAX random key.
        steps: of training, in all rounds together.
        frames: how many frames a window may span, even numbers that rise. Longer ones than the
            longest motion are not used.
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
    motions.windows(min(frames))
    longest = int(np.unique(motions.trajectory, return_counts=True)[1].max()) - 1
    frames = tuple(k for k in frames if k <= longest)
    folder = checkpoint and _inputs.folder("checkpoint", Path(checkpoint) / label)
    init_key, rows_key, data_key = jax.random.split(key, 3)
    params, fits, scale = model.init(init_key), [], None
    for number, (kind, count, peak) in enumerate(rounds(steps)):
        some = jax.random.permutation(jax.random.fold_in(rows_key, number), len(motions))
        rows = np.asarray(some[:windows])
        law = None if kind == POLYNOMIALS else partial(model.acceleration, params)
        settings = {"frames": frames, "noise": noise, "rows": rows}
        if kind == INTEGRALS:
            batches = motions.paths(law, **settings)
            loss = train.integral_loss(model, noise)
        else:
            batches = motions.samples(law, **settings, degree=2 if law is None else 1)
            if scale is None:
                scale = typical(batches.q_ddot)
            loss = train.acceleration_loss(model, scale=scale)
        fits.append(
            train.fit(
                loss,
                params,
                batches,
                key=jax.random.fold_in(data_key, number),
                steps=count,
                batch_size=BATCHES[kind],
                optimizer=train.muon(peak, count),
                checkpoint=folder and folder / str(number),
                configuration={"model": str(model), "round": number, "learned from": kind},
                progress=progress,
                label=f"{label}, {kind}",
            )
        )
        params = fits[-1].params
    losses = np.concatenate([fit.losses for fit in fits])
    return train.Fit(params, losses, sum(fit.seconds for fit in fits))


def rounds(steps):
    """What is learned from, steps and peak rate of each round, of so many steps in all."""
    total = sum(weight for _, weight, _ in ROUNDS)
    return [(kind, max(1, round(steps * w / total)), peak) for kind, w, peak in ROUNDS]


def typical(q_ddot):
    """An acceleration that counts as small: a third of the median one."""
    size = float(np.median(np.linalg.norm(np.asarray(q_ddot), axis=1))) / 3
    return max(size, 1e-6)
