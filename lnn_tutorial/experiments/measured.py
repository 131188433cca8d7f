"""A real double pendulum that swings freely: networks beside the physicists' own formula."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, data, learning, models, train
from lnn_tutorial.experiments.recipe import OptionError, command_line

HELD_OUT, VALIDATION = (3, 9, 15, 21), (26, 27, 28, 29)
"""Pieces that models are judged by, some of all energies, and those of the motion's quiet end."""

TRAINING = tuple(piece for piece in range(26) if piece not in HELD_OUT)
"""Pieces to train on, from wide swings to small ones."""

ALL = len(TRAINING)

NOISE = 2e-4
"""σ of the angles in radians. The encoders' readings scatter about smooth curves by a third of it;
the rest is for what no model here knows of the machine.
"""

HORIZONS = {"0.5 s": 0.5, "1 s": 1.0, "end": None}
"""How far motions are followed, in seconds; a piece ends after 2.67 s."""

STARTS = ("smoothed", "recorded")
"""Where motions start: at a state from the angles about it, or at angles and velocities as the file
has them.
"""

ABOUT = 30
"""A smoothed start is the middle one of 2 × 30 + 1 frames, a polynomial of degree six through them.
"""

JOINTS = ((1.0, 0.0), (-1.0, 1.0))
"""What rubs: the upper joint with ω₁, the lower one with ω₂ − ω₁."""


def friction():
    """The forces beside 𝓛: oil and dry surfaces in both joints, and air along both arms."""
    return (
        models.ViscousFriction(along=JOINTS, scale=1e-3),
        models.DryFriction(along=JOINTS, scale=5e-3, speed=0.1),
        models.Drag(scale=3e-5),
    )


def measured_models(width=64):
    """The contestants by name, see `measured_pendulum`."""
    shared = {"dim": 2, "angles": (True, True), "velocity_scale": 5.0, "width": width}
    oil = models.ViscousFriction(along=JOINTS, scale=1e-3)
    return {
        "lnn": models.LNN(**shared, force=friction()),
        "lnn, viscous": models.LNN(**shared, force=oil),
        "lnn, none": models.LNN(**shared),
        "delan": models.DeLaN(**shared, force=friction()),
        "plain": models.PlainNetwork(**shared, acceleration_scale=30.0),
        "physicists": models.RigidArms(force=oil),
        "physicists, more": models.RigidArms(force=friction(), zeros=True),
    }


def training_pieces(count=ALL):
    """So many of the training pieces, evenly from wide swings to small ones, the widest first."""
    _inputs.count(count=count)
    if count > len(TRAINING):
        raise ValueError(f"expected at most {len(TRAINING)} pieces to train on, got {count}")
    return tuple(TRAINING[k] for k in np.linspace(0, len(TRAINING) - 1, count).round().astype(int))


def measured_frames(pieces, *, rate=100, noise=0.0, seed=0):
    """Angles of the measured double pendulum, frame by frame.

    Args:
        pieces: numbers of pieces, see `data.measured`.
        rate: frames a second; of the thousand recorded ones every n-th is taken, 1000 / n within
            2 %.
        noise: σ of normal noise that is added, in radians.
        seed: of the noise.

    Returns:
        `data.Motions` of positions, in single precision.
    """
    _inputs.positive(rate=rate)
    _inputs.number(noise=noise)
    every = max(1, round(1000 / rate))
    if abs(1000 / every - rate) > 0.02 * rate:
        raise ValueError(
            "expected 1000 frames a second, as recorded, or every n-th of them, such as 500 or 333 "
            f"a second, got {rate}"
        )
    if noise < 0:
        raise ValueError(f"expected noise >= 0, got {noise}")
    recorded = data.measured("double pendulum").motions
    rows = _rows_of(recorded, pieces, every)
    q = np.asarray(recorded.q)[rows]
    if noise:
        key = jax.random.fold_in(jax.random.key(1_000_005), _inputs.seed(seed))
        q = q + noise * np.asarray(jax.random.normal(key, q.shape))
    labels = recorded.trajectory[rows]
    return data.motions(recorded.t[rows], q.astype(np.float32), trajectory=labels)


def _rows_of(recorded, pieces, every):
    unknown = set(pieces) - set(recorded.trajectory.tolist())
    if unknown or len(set(pieces)) < len(pieces):
        raise ValueError(f"expected numbers of different pieces, 0 to 29, got {tuple(pieces)}")
    return np.concatenate(
        [np.flatnonzero(recorded.trajectory == piece)[::every] for piece in pieces]
    )


@dataclass(frozen=True, eq=False)
class MeasuredRecipe:
    """How a model is trained on angles: a network by `learning.fit_positions`, a formula by SciPy.

    The formula is fitted to accelerations of local polynomials, and then to the angles themselves
    along windows of a second, each from the start that fits it best.

    Args:
        motions: a `data.Motions`.
        noise: σ of the angles in radians.
    """

    motions: data.Motions
    noise: float = NOISE

    def __post_init__(self):
        _inputs.positive(noise=self.noise)

    def fit(self, model, *, seed, steps, label="training", checkpoint=None, progress=True):
        """Train a model from a seed; arguments and result as those of `Recipe.fit`.

        A formula is fitted without a seed, by at most 300 steps, twice.
        """
        key = jax.random.key(_inputs.seed(seed))
        if not isinstance(model, models.RigidArms):
            settings = {"checkpoint": checkpoint, "progress": progress, "label": label}
            return learning.fit_positions(
                model, self.motions, noise=self.noise, key=key, steps=steps, **settings
            )
        counts = np.unique(self.motions.trajectory, return_counts=True)[1]
        step = float(np.median(np.diff(self.motions.t)))
        frames = [k for k in learning.FRAMES if k < counts.max()]
        samples = self.motions.samples(None, frames=frames, noise=self.noise, degree=2)
        loss = train.acceleration_loss(model, scale=10.0)
        state = samples.q, samples.q_dot, samples.q_ddot
        steps = min(steps, 300)
        first = train.minimise(loss, model.init(key), state, steps=steps)
        long = min(round(1 / step), int(counts.min()) - 1)
        some = self.motions.windows(long, every=max(1, long // 2))
        far, substeps = max(0.01, 5 * self.noise), int(np.ceil(step / 0.005))
        loss = train.motion_loss(model, starts="free", scale=far, substeps=substeps)
        last = train.minimise(loss, first.params, some.batch(), steps=steps)
        losses = np.concatenate([first.losses, last.losses])
        return train.Fit(last.params, losses, first.seconds + last.seconds)


@dataclass(frozen=True)
class MeasuredProtocol:
    """How a model of the measured pendulum is judged: open loop, from one state to a piece's end.

    Args:
        pieces: what it is judged by; by default `HELD_OUT` and `VALIDATION`, each by itself.
        substeps: Runge–Kutta steps of a hundredth of a second.
    """

    pieces: tuple[int, ...] | None = None
    substeps: int = 4

    def figures(self, model, params):
        """Root mean square errors of both angles, in radians: median and worst over the pieces.

        Returns:
            Dict of dicts of floats: for `"held out"` and `"validation"`, or `"pieces"`, by each of
            `STARTS`, `rmse_…` and `rmse_…_worst` for each of `HORIZONS`, and `power_max`, the most
            that the learned friction gives to the motion anywhere, where there is one.
        """
        groups = {"held out": HELD_OUT, "validation": VALIDATION}
        if self.pieces is not None:
            groups = {"pieces": self.pieces}
        found = {}
        for name, pieces in groups.items():
            for start in STARTS:
                followed = [self.follow(model, params, piece, start) for piece in pieces]
                found[f"{name}, {start} starts"] = _errors(followed)
                if start == STARTS[0] and getattr(model, "forces", ()):
                    power = _power(model, params, followed)
                    found[f"{name}, {start} starts"]["power_max"] = power
        return found

    def follow(self, model, params, piece, start="smoothed"):
        """A model's motion beside the measured one.

        Args:
            model, params: the model.
            piece: number of a piece.
            start: one of `STARTS`.

        Returns:
            `(t [n], q [n, 2], q_dot [n, 2], measured [n, 2])`, a hundredth of a second apart, of
            NumPy; t from the start on.
        """
        _inputs.choice("start", start, STARTS)
        recorded = data.measured("double pendulum").motions
        rows = _rows_of(recorded, (piece,), 1)
        if start == "smoothed":
            piece_motions = data.Motions(**data.rows(vars(recorded), rows))
            state = piece_motions.samples(None, frames=2 * ABOUT, degree=4, rows=[ABOUT])
            q, q_dot, rows = state.q[0], state.q_dot[0], rows[ABOUT:]
        else:
            q, q_dot = recorded.q[rows[0]], recorded.q_dot[rows[0]]
        rows = rows[:: round(0.01 / 0.001)]
        motion = _motion(model, self.substeps)(params, q, q_dot)
        q, q_dot = (np.asarray(x, float)[: len(rows)] for x in motion)
        t = recorded.t[rows] - recorded.t[rows[0]]
        return t, q, q_dot, np.asarray(recorded.q, float)[rows]

    def floor(self, model, params):
        """What Runge–Kutta steps change: the same as `figures`, against steps half as long."""
        finer = MeasuredProtocol(self.pieces, 2 * self.substeps)
        pairs = [
            (self.follow(model, params, piece), finer.follow(model, params, piece))
            for piece in self.pieces or HELD_OUT
        ]
        return _errors([(t, q, q_dot, better[1]) for (t, q, q_dot, _), better in pairs])


@partial(jax.jit, static_argnums=(0, 1))
def _moved(model, substeps, params, q, q_dot):
    steps = {"dt": 0.01, "steps": 267, "substeps": substeps}
    return model.rollout(params, q, q_dot, **steps)


def _motion(model, substeps):
    return partial(_moved, model, substeps)


def _errors(followed):
    found = {}
    for name, seconds in HORIZONS.items():
        each = []
        for t, q, _, measured in followed:
            away = (q - measured)[t <= (np.inf if seconds is None else seconds + 1e-6)]
            each.append(np.sqrt(np.mean(away**2)) if np.isfinite(away).all() else np.inf)
        found[f"rmse_{name}"] = float(np.median(each))
        found[f"rmse_{name}_worst"] = float(np.max(each))
    return found


def _power(model, params, followed):
    q, q_dot = (jnp.concatenate([motion[k] for motion in followed]) for k in (1, 2))

    def power(q, q_dot):
        return q_dot @ model.generalised_force(params, q, q_dot)

    return float(jax.jit(jax.vmap(power))(q, q_dot).max())


@command_line(
    tables={
        "held out, recorded starts": "held-out pieces, from velocities as recorded",
        "validation, smoothed starts": "the quiet end, from smoothed starts",
        "validation, recorded starts": "the quiet end, from velocities as recorded",
    },
    pieces={"help": f"pieces to train on, 1 to {len(TRAINING)}"},
)
def measured_pendulum(seed=0, steps=10_000, pieces=ALL, checkpoint=None, progress=True):
    """A real double pendulum with friction: networks beside the physicists' own formula.

    All learn from the same angles, a hundred a second, of pieces of one measured release, see
    `data.measured`; and are followed from one state of pieces that they have not seen. `lnn` and
    `delan` learn three frictions beside their Lagrangian, `lnn, viscous` one and `lnn, none` none;
    `plain` is a network for q̈. `physicists` is the ten-parameter formula of those who built the
    machine, and `physicists, more` has the three frictions and the encoders' zeros beside.

    Args:
        seed: of parameters and batches; the formulas have none.
        steps: training steps of each network.
        pieces: how many pieces are trained on, see `training_pieces`.
        checkpoint, progress: as in `Recipe.fit`.

    Returns:
        Dict that JSON can hold: the figures of `MeasuredProtocol` by model, and the facts.
    """
    try:
        chosen = training_pieces(pieces)
    except ValueError as error:
        raise OptionError(f"--pieces: {error}") from None
    motions = measured_frames(chosen)
    recipe, protocol = MeasuredRecipe(motions), MeasuredProtocol()
    found, floor = {}, {}
    for name, model in measured_models().items():
        settings = {"seed": seed, "steps": steps, "checkpoint": checkpoint, "progress": progress}
        fit = recipe.fit(model, label=name, **settings)
        for table, figures in protocol.figures(model, fit.params).items():
            found.setdefault(table, {})[name] = {"train_seconds": fit.seconds, **figures}
        if name == "physicists":
            floor = protocol.floor(model, fit.params)
    return {
        "experiment": "measured-pendulum",
        "seed": seed,
        "steps": steps,
        "pieces": list(chosen),
        "frames": len(motions),
        "states_seen": learning.states_seen(learning.NOISY_ROUNDS, steps),
        "models": found.pop("held out, smoothed starts"),
        **found,
        "integrator_floor": floor,
    }
