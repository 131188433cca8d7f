"""What will be learned from a table, how, and why: decided and told before any training."""

import dataclasses

import jax
import numpy as np

from lnn_tutorial import _inputs, data, models
from lnn_tutorial.data import door
from lnn_tutorial.learning.rounds import FRAMES

MODELS = {"lnn": models.LNN, "delan": models.DeLaN, "plain": models.PlainNetwork}
"""The kinds of model that `learn` takes, by name."""

POSITIONS, STATES = "noisy positions", "exact states"
"""The two ways to learn: `fit_positions` and `fit_states`."""

EXACT = 1e-5
"""States are exact if their noise is below this share of their range."""

SHORTEST = min(FRAMES) + 1
"""Frames of a motion that can be learned from."""

SMALL_FRICTION = 0.1
"""Where training begins, friction takes so much of a velocity in a second."""


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """What `learn` will do; printed, a line for each decision with its reason.

    Args:
        names: the coordinates.
        angles: which of them are angles.
        way: `POSITIONS` or `STATES`.
        training, held_out: `data.Motions`.
        noise: σ of each position `[d]`, as it is used.
        at_most: for each, whether that is an upper bound.
        unsure: the share of σ² by which it may well be wrong.
        frames: how many frames a window may span.
        step: the median time between two frames, in seconds.
        acceleration: a typical acceleration of each coordinate `[d]`.
        model: the model to train.
        plain: the plain network to compare it with, or None.
        seed, steps: as `learn` was given.
        lines: pairs of what is decided and why.
    """

    names: tuple[str, ...]
    angles: tuple[bool, ...]
    way: str
    training: data.Motions
    held_out: data.Motions
    noise: np.ndarray
    at_most: tuple[bool, ...]
    unsure: float
    frames: tuple[int, ...]
    step: float
    acceleration: np.ndarray
    model: models.Model
    plain: models.Model | None
    seed: int
    steps: int
    lines: tuple[tuple[str, str], ...]

    def __str__(self):
        width = max(len(name) for name, _ in self.lines) + 2
        return "\n".join(f"{name:<{width}}{said}".rstrip() for name, said in self.lines)


def plan(table, *, model="lnn", friction=False, seed=0, steps=6000, held_out=0.2, compare=True):
    """Decide how to learn from a table; arguments and errors are those of `learn`.

    Returns:
        `Plan`.
    """
    if not isinstance(table, data.Table):
        raise TypeError(f"expected a data.Table, as data.table reads it, got {table!r}")
    _inputs.choice("model", model, MODELS)
    _inputs.flags("friction and compare", (friction, compare))
    _inputs.count(steps=steps)
    if friction and model == "plain":
        raise ValueError("expected friction with a Lagrangian: a plain network has it in q̈ already")
    motions, lines = _long_enough(table.motions)
    data.fitted.require_unwrapped(motions)
    training, judged, said = _parted(motions, held_out, jax.random.key(_inputs.seed(seed)))
    lines += said
    about = data.describe(motions, table.angles, table.names)
    noise, said = _noise(about)
    lines += said
    way, said = _way(motions, noise, about)
    lines += said
    longest = int(np.unique(training.trajectory, return_counts=True)[1].max()) - 1
    frames = tuple(k for k in FRAMES if k <= longest)
    if way == POSITIONS:
        lines.append(
            ("windows", f"of {frames[0]} to {frames[-1]} frames, {frames[0] * about.step:.2g} to "
             f"{frames[-1] * about.step:.2g} s: each as long as the noise lets the model follow")
        )  # fmt: skip
    acceleration = _accelerations(training, frames, noise, seed)
    shared, said = _scales(motions, table, about, noise)
    lines += said
    chosen, said = _model(model, shared, friction, acceleration)
    lines += said
    plain = None
    if compare and model != "plain":
        plain = _model("plain", shared, False, acceleration)[0]
        lines.append(("compared with", "a plain network for q̈, by the same training"))
    rounds = "NOISY_ROUNDS" if way == POSITIONS else "STATE_ROUNDS"
    lines.append(("training", f"{steps} steps in rounds (see learning.{rounds}), seed {seed}"))
    return Plan(
        names=table.names,
        angles=table.angles,
        way=way,
        training=training,
        held_out=judged,
        noise=noise,
        at_most=about.at_most,
        unsure=float(2 * 1.4 * np.sqrt(5.4 / about.frames)),  # of a median; neighbours overlap
        frames=frames,
        step=about.step,
        acceleration=acceleration,
        model=chosen,
        plain=plain,
        seed=seed,
        steps=steps,
        lines=tuple(lines),
    )


def some(motions, which):
    """Some rows of motions."""
    return data.Motions(**data.rows(vars(motions), which))


def _long_enough(motions):
    """The motions that have room for a window, and what is said of the others."""
    _, which, counts = np.unique(motions.trajectory, return_inverse=True, return_counts=True)
    kept = counts >= SHORTEST
    if not kept.any() or counts[kept].sum() < 5 * SHORTEST:
        raise ValueError(
            f"expected {5 * SHORTEST} frames or more in motions of {SHORTEST} or more, got "
            f"{counts[kept].sum()} of {len(motions)} frames: that is too little to learn from"
        )
    if kept.all():
        return motions, []
    left = (~kept).sum()
    said = f"{left} motion{'s' if left > 1 else ''} of less than {SHORTEST} frames, no window fits"
    return some(motions, kept[which]), [("left out", said)]


def _parted(motions, share, key):
    """Motions to learn from, motions to judge by, and what is said of them."""
    count = len(np.unique(motions.trajectory))
    if count > 1:
        training, judged = motions.split(share, key=key)
        parts = [len(np.unique(x.trajectory)) for x in (training, judged)]
        seconds = [_seconds(x) for x in (training, judged)]
        return training, judged, [
            ("learned from", f"{parts[0]} motions, {len(training)} frames, {seconds[0]:.3g} s"),
            ("held out", f"{parts[1]} whole motions, {len(judged)} frames, {seconds[1]:.3g} s, "
             "drawn at random: the report is on these"),
        ]  # fmt: skip
    _inputs.number(held_out=share)
    if not 0 < share < 1:
        raise ValueError(f"expected a share 0 < held_out < 1, got {share}")
    ends = len(motions) - max(2 * SHORTEST, round(share * len(motions)))
    last = np.arange(len(motions)) >= ends
    training, judged = some(motions, ~last), some(motions, last)
    return training, judged, [
        ("learned from", f"the first {len(training)} frames of a single motion, "
         f"{_seconds(training):.3g} s: what it does not visit is not learned"),
        ("held out", f"its last {len(judged)} frames, {_seconds(judged):.3g} s; states like "
         "these may well occur before, so the report may be kinder than a new motion would be"),
    ]  # fmt: skip


def _seconds(motions):
    inside = motions.trajectory[1:] == motions.trajectory[:-1]
    return np.diff(motions.t)[inside].sum()


def _noise(about):
    """σ of each position as it is used, and what is said of it."""
    if np.isnan(about.noise).any():
        raise ValueError(
            "expected a motion of seven frames in a row or more, to tell how noisy the positions "
            "are, got none"
        )
    floor = EXACT * (about.high - about.low)
    said = []
    for i, (name, sigma, unit) in enumerate(
        zip(about.names, about.noise, about.units, strict=True)
    ):
        words = f"{sigma:.2g} {unit}".rstrip()
        words = (
            f"at most {words}, since the motion is fast for the frame rate" * about.at_most[i]
            or words
        )
        if sigma < floor[i]:
            words += f", taken as {EXACT:g} of the range"
        said.append((f"noise of {name}", words))
    rate = f"{door.rate(about.step)} frames a second"
    if about.irregularity > 1.01:
        rate += f", steps from {about.shortest:.3g} to {about.longest:.3g} s"
    found = [("rate", rate), *said]
    if any(about.outliers):
        found.append(
            (
                "outliers",
                f"{sum(about.outliers)}: no window with one fits its noise, but for the shortest",
            )
        )
    return np.maximum(about.noise, floor), found


def _way(motions, noise, about):
    """Which way to learn, and why."""
    if motions.q_dot is None:
        return POSITIONS, [("learned by", "integrals along paths through the noisy positions")]
    speeds = data.describe(data.motions(motions.t, motions.q_dot, trajectory=motions.trajectory))
    exact = [(x.noise < EXACT * (x.high - x.low)).all() for x in (about, speeds)]
    if all(exact):
        return STATES, [
            ("learned by", f"exact states, joined by the model: noise of positions and velocities "
             f"is below {EXACT:g} of their range")
        ]  # fmt: skip
    return POSITIONS, [
        ("learned by", "integrals along paths through the noisy positions"),
        ("velocities", f"not looked at: only where all noise is below {EXACT:g} of the range "
         "do they tell more than the positions do"),
    ]  # fmt: skip


def _accelerations(motions, frames, noise, seed):
    """A typical acceleration of each coordinate `[d]`, of local polynomials."""
    rows = np.random.default_rng(seed).permutation(len(motions))[:2000]
    found = motions.samples(frames=frames, noise=noise, degree=2, rows=rows).q_ddot
    size = np.abs(np.asarray(found, float))
    size = np.minimum(size, 5 * np.median(size, axis=0))
    return np.maximum(np.sqrt(np.mean(size**2, axis=0)), 1e-6)


def _scales(motions, table, about, noise):
    """What any model of these motions is made with, and what is said of it."""
    q = np.asarray(motions.q, float)
    angles = np.array(table.angles)
    spread = q.std(axis=0)
    of_noise = 2 * np.square(noise / about.step)
    speed = np.sqrt(np.maximum(about.speed**2 - of_noise, (0.05 * about.speed) ** 2))
    position, velocity = np.where(angles, 1.0, spread), 1.5 * speed
    shared = {
        "dim": len(angles),
        "angles": table.angles if angles.any() else (),
        "position_scale": _digits(position),
        "velocity_scale": _digits(velocity),
    }
    said = [
        ("position scale", f"{_list(position)}: 1 for an angle, else the standard deviation"),
        ("velocity scale", f"{_list(velocity)}: 1.5 times the root mean square speed"),
    ]
    for name, x, far in zip(
        table.names, q.T, ~angles & (np.abs(q.mean(axis=0)) > 5 * spread), strict=True
    ):
        if far:
            told = f"{name} is {x.mean():.3g} on average and moves by {x.std():.2g}"
            said.append(("mind", f"{told}: better subtract its mean in the table"))
    if motions.context is not None:
        context = np.asarray(motions.context, float)
        size = np.maximum(np.sqrt(np.mean(context**2, axis=0)), 1e-12)
        shared |= {"context": context.shape[1], "context_scale": _digits(size)}
        said.append(("context scale", f"{_list(size)}: the root mean square"))
    if motions.torque is not None:
        torque = np.asarray(motions.torque, float)
        shared["torque_scale"] = np.maximum(np.sqrt(np.mean(torque**2, axis=0)), 1e-12)
    return shared, said


def _model(kind, shared, friction, acceleration):
    """A model by its kind's name, and what is said of it."""
    settings = dict(shared)
    torque = settings.pop("torque_scale", None)
    settings |= {"width": 64 if shared["dim"] == 1 else 128, "depth": 2}
    size = f"two hidden layers of {settings['width']}"
    if kind == "plain":
        settings["acceleration_scale"] = _digits(acceleration)
        words = f"{_list(acceleration)}: the root mean square, of local polynomials"
        said = [("model", f"a plain network for q̈, {size}"), ("acceleration scale", words)]
        if torque is not None:
            settings["torque_scale"] = _digits(torque)
            said.append(("torque scale", f"{_list(torque)}: the root mean square"))
        return MODELS[kind](**settings), said
    forces = []
    words = {"lnn": "a Lagrangian network", "delan": "a deep Lagrangian network"}[kind]
    said = [("model", f"{words}, {size}")]
    if friction:
        start = SMALL_FRICTION / np.square(settings["velocity_scale"])
        forces.append(models.ViscousFriction(scale=_digits(start)))
        said.append(
            ("friction", f"viscous, for each coordinate; it begins with {SMALL_FRICTION:g} of the "
             "velocity lost in a second")
        )  # fmt: skip
    else:
        said.append(("friction", "none: asked for, viscous friction is learned beside"))
    if torque is not None:
        forces.append(models.Torque(gain="learned"))
        said.append(("torque", "acts on each coordinate, by a gain that is learned"))
    if forces:
        settings["force"] = tuple(forces)
    return MODELS[kind](**settings), said


def _digits(x):
    """Numbers as a tuple of floats of three digits, which a file and a reader can hold."""
    return tuple(float(f"{value:.3g}") for value in np.asarray(x))


def _list(x):
    return ", ".join(f"{value:.3g}" for value in x)
