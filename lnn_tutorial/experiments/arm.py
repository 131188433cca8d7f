"""A real robot arm with two motors: networks beside the formula of rigid arms, with torques."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, data, integrate, learning, models, train
from lnn_tutorial.experiments.recipe import command_line
from lnn_tutorial.models import forces

ARM_TRAINING, ARM_LIKE, ARM_UNSEEN = (0, 1), (3,), (12,)
"""Recordings to train on; one with other torques and swings like theirs; one that swings up."""

ARM_TORQUES = ("commanded", "measured", "none")
"""What a model may know of the motors."""

ARM_NOISE = 2e-3
"""σ of the angles in radians. The readings scatter about smooth curves by a tenth of it; the rest
is for what no model here knows of the machine.
"""

RATE = 100
"""Frames a second that are learned from and compared; the arm was read 500 times a second."""

AHEAD, APART = 1.0, 0.25
"""For so many seconds motions are followed, from so many seconds after the last."""

MIRRORED = 1000
"""What is added to the label of a recording as a mirror shows it."""

ZERO = 0.05
"""By so much an encoder's zero is typically off, in radians."""


@dataclass(frozen=True)
class Zeroed:
    r"""A model of a machine whose encoders begin anew with every recording: q̈ = model(q − z, q̇).

    Where dry friction holds an arm, it hangs a little off the vertical when its encoders are set to
    zero. The zeros z `[recordings, d]` are learned beside the model; the context of a state says
    which counts, by a one in its place, and with −1 the mirror image of that recording is meant.
    With a context of zeros the angles count as they are.

    Args:
        model: a model without a context.
        recordings: how many have zeros of their own.
    """

    model: models.Model
    recordings: int = len(ARM_TRAINING)

    @property
    def dim(self):
        """Number of coordinates d."""
        return self.model.dim

    @property
    def angles(self):
        """Which coordinates are angles."""
        return self.model.angles

    @property
    def velocity_scale(self):
        """v₀, a typical velocity."""
        return self.model.velocity_scale

    def init(self, key):
        """Draw the model's parameters. Args: a JAX random key. Returns: a pytree."""
        # a vector: Muon would orthogonalise the updates of a matrix
        return {"model": self.model.init(key), "zeros": jnp.zeros(self.recordings * self.dim)}

    def zeros(self, params):
        """The learned zeros in radians `[recordings, d]`."""
        return ZERO * params["zeros"].reshape(self.recordings, self.dim)

    def acceleration(self, params, q, q_dot, context, torque=None):
        """q̈ `[d]` at one state as it was read."""
        q = q - context @ self.zeros(params)
        return self.model.acceleration(params["model"], q, q_dot, torque=torque)


@dataclass(frozen=True)
class GearedArms(models.RigidArms):
    r"""Two rigid arms with a geared motor in the second joint: T has ½ J θ̇² more.

    The rotor turns many times as fast as the joint, θ̇ the rate of the angle between the arms, so
    that a light one counts; J, in kg m², is learned with the other constants. (That of the first
    motor is one with the moment of inertia of the first arm.)
    """

    relative: bool = True

    def init(self, key):
        """The constants' logarithms, with J at a tenth of an arm's m s²."""
        params = super().init(key)
        log = self.layers(params)["log"]
        log["J"] = jnp.log(jnp.asarray(self.weight * self.size**2 / 10))
        return params

    def lagrangian(self, params, q, q_dot, context=None):
        """𝓛 = T − V at one state, a scalar in joules."""
        rate = q_dot[1] if self.relative else q_dot[1] - q_dot[0]
        rotor = 0.5 * self.constants(params)["J"] * rate**2
        return super().lagrangian(params, q, q_dot, context) + rotor


def arm_friction():
    """What rubs in each joint: oil and dry surfaces."""
    return models.ViscousFriction(scale=0.01), models.DryFriction(scale=0.1, speed=0.1)


def arm_models(width=32, torque=True):
    """The contestants by name, see `robot_arm`.

    Args:
        width: units in each of the two hidden layers of the networks.
        torque: whether they know of the motors.
    """
    shared = {"dim": 2, "angles": (True, True), "velocity_scale": 5.0, "width": width}
    motors = (models.Torque(),) if torque else ()
    rubs = (*arm_friction(), *motors)
    plain = {"acceleration_scale": 30.0, "torque_scale": 0.5 if torque else None}
    found = {
        "lnn": models.LNN(**shared, force=rubs),
        "lnn, viscous": models.LNN(**shared, force=(arm_friction()[0], *motors)),
        "lnn, none": models.LNN(**shared, force=motors),
        "delan": models.DeLaN(**shared, force=rubs),
        "plain": models.PlainNetwork(**shared, **plain),
        "rigid": GearedArms(weight=0.5, force=rubs),
    }
    return {name: Zeroed(model) for name, model in found.items()}


def arm_frames(recordings, *, torque="commanded", mirrored=False, zeros=True):
    """Frames of the robot arm, a hundred a second, with the torques about each.

    Args:
        recordings: some of `ARM_TRAINING`, `ARM_LIKE` and `ARM_UNSEEN`.
        torque: a name in `ARM_TORQUES`; each is the mean over the time of one frame.
        mirrored: whether all motions come a second time as a mirror shows them, −q with −τ: the
            arm, but for its zeros, is its own mirror image.
        zeros: whether recordings to train on have zeros of their own, see `Zeroed`.

    Returns:
        `data.Motions` of positions in single precision, with a context for `Zeroed`.
    """
    _inputs.choice("torque", torque, ARM_TORQUES)
    recorded = _recorded(torque)
    rows = [_regular(recorded, recording) for recording in recordings]
    pushes = [_averaged(recorded, recording, recorded.t[k])
              for recording, k in zip(recordings, rows, strict=True)]  # fmt: skip
    which = [np.tile([1.0 * (zeros and recording == one) for one in ARM_TRAINING], (len(k), 1))
             for recording, k in zip(recordings, rows, strict=True)]  # fmt: skip
    rows = np.concatenate(rows)
    t, q, label = recorded.t[rows], np.asarray(recorded.q)[rows], recorded.trajectory[rows]
    push, which = np.concatenate(pushes), np.concatenate(which)
    if mirrored:
        t, q, push, which = np.tile(t, 2), *(np.concatenate([x, -x]) for x in (q, push, which))
        label = np.concatenate([label, label + MIRRORED])
    push = None if torque == "none" else push.astype(np.float32)
    return data.motions(
        t, q.astype(np.float32), context=which.astype(np.float32), torque=push, trajectory=label
    )


def _recorded(torque):
    known = "commanded" if torque == "none" else torque
    return data.measured("robot arm", torque=known).motions


def _regular(recorded, recording):
    """The rows that are nearest to the ticks of a clock."""
    rows = np.flatnonzero(recorded.trajectory == recording)
    if not rows.size:
        known = tuple(np.unique(recorded.trajectory).tolist())
        raise ValueError(f"expected recordings out of {known}, got {recording}")
    t = recorded.t[rows]
    ticks = np.arange(t[0], t[-1], 1 / RATE)
    after = np.clip(np.searchsorted(t, ticks), 1, len(t) - 1)
    nearer = after - (ticks - t[after - 1] < t[after] - ticks)
    return rows[np.unique(nearer)]


def _averaged(recorded, recording, t):
    """The torque's mean over the time of one frame about each of some times `[n, 2]`.

    A motor holds a command until the next one comes. That matters: where steps are uneven, a
    controller that sees differences over a step answers with spikes.
    """
    rows = recorded.trajectory == recording
    known, torque = recorded.t[rows], np.asarray(recorded.torque, float)[rows]
    steps = np.diff(known)[:, None] * torque[:-1]
    impulse = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    begin, end = (np.clip(t + side / RATE, known[0], known[-1]) for side in (-0.5, 0.5))
    at = [np.stack([np.interp(x, known, one) for one in impulse.T], 1) for x in (begin, end)]
    return (at[1] - at[0]) / (end - begin)[:, None]


@dataclass(frozen=True, eq=False)
class ArmRecipe:
    """How a model is trained on the arm's angles: a network in rounds, the formula by SciPy.

    A network goes through the rounds of `learning.fit_positions`. The formula is fitted to the
    accelerations of local polynomials and then to the angles along windows, each
    from the start that fits it best.

    Args:
        motions: those of `arm_frames`.
        noise: σ of the angles in radians.
    """

    motions: data.Motions
    noise: float = ARM_NOISE

    def __post_init__(self):
        _inputs.positive(noise=self.noise)

    def fit(self, model, *, seed, steps, label="training", checkpoint=None, progress=True):
        """Train a model from a seed; arguments and result as those of `Recipe.fit`."""
        key = jax.random.key(_inputs.seed(seed))
        if not isinstance(model.model, models.RigidArms):
            settings = {"checkpoint": checkpoint, "progress": progress, "label": label}
            return learning.fit_positions(
                model, self.motions, noise=self.noise, key=key, steps=steps, **settings
            )
        seen = self.motions.trajectory < MIRRORED  # the formula is its own mirror image
        motions = data.Motions(**data.rows(vars(self.motions), seen))
        samples = motions.samples(None, frames=8, degree=2)
        loss = train.acceleration_loss(model, scale=10.0)
        fits = [train.minimise(loss, model.init(key), samples.batch(), steps=100)]
        for frames, far in ((20, 0.005), (60, 0.01)):
            loss = train.motion_loss(model, starts="free", scale=far, substeps=2)
            some = motions.windows(frames, every=frames // 2)
            fits.append(train.minimise(loss, fits[-1].params, some.batch(), steps=100))
        losses = np.concatenate([one.losses for one in fits])
        return train.Fit(fits[-1].params, losses, sum(one.seconds for one in fits))


@dataclass(frozen=True)
class ArmProtocol:
    """How a model of the arm is judged: open loop over a second, from every quarter of a second.

    A motion starts at the state of a polynomial through the readings about it, and its torques are
    those that were recorded. The angles count as they were read, with no zeros of their own.

    Args:
        torque: what the model knows of the motors, a name in `ARM_TORQUES`.
        substeps: Runge–Kutta steps from frame to frame.
    """

    torque: str = "commanded"
    substeps: int = 2

    def figures(self, model, params):
        """Root mean square errors of both angles in radians, median and worst over the starts.

        Returns:
            Dict of dicts of floats for `"like"` and `"unseen"`: `rmse`, `rmse_worst`.
        """
        found = {}
        for name, recordings in (("like", ARM_LIKE), ("unseen", ARM_UNSEEN)):
            found[name] = _figures([self.errors(model, params, one) for one in recordings])
        return found

    def errors(self, model, params, recording):
        """The root mean square error along each motion through a recording `[starts]`."""
        return _errors(*self.follow(model, params, recording)[1:])

    def floor(self, model, params):
        """What Runge–Kutta steps change: as `figures`, against steps half as long."""
        finer = ArmProtocol(self.torque, 2 * self.substeps)
        pairs = [(self.follow(model, params, one)[1], finer.follow(model, params, one)[1])
                 for one in ARM_LIKE]  # fmt: skip
        return _figures([_errors(*pair) for pair in pairs])

    def follow(self, model, params, recording):
        """A model's motions beside the measured ones.

        Returns:
            `(t [starts, n], q [starts, n, 2], measured [starts, n, 2])`, of NumPy.
        """
        motions = arm_frames((recording,), torque=self.torque)
        windows = motions.windows(round(AHEAD * RATE))
        first = windows.begins[ABOUT :: round(APART * RATE)]
        state = motions.samples(None, frames=2 * ABOUT, degree=4, rows=first)
        found = data.Windows(motions, windows.frames, first).batch()
        motion = partial(_moved, model, self.substeps, params)
        each = [jax.tree.map(lambda x, k=k: x[k], (state.q, state.q_dot, found))
                for k in range(len(first))]  # fmt: skip
        q = np.stack([motion(*one) for one in each]).astype(float)
        t = np.asarray(found.begins)[:, None] + np.asarray(found.t)
        return t, q, np.asarray(found.q, float)


def _errors(q, other):
    away = (q - other + np.pi) % (2 * np.pi) - np.pi
    each = np.sqrt(np.mean(away[:, 1:] ** 2, axis=(1, 2)))
    return np.where(np.isfinite(each), each, np.inf)


def _figures(each):
    each = np.concatenate(each)
    return {"rmse": float(np.median(each)), "rmse_worst": float(np.max(each))}


ABOUT = 4
"""A start is the middle one of 2 × 4 + 1 frames, with a polynomial of degree six through them."""


@partial(jax.jit, static_argnums=(0, 1))
def _moved(model, substeps, params, q, q_dot, window):
    at = None if window.torque is None else forces.linear(window.t, window.torque)

    def slope(q, q_dot, t):
        push = None if at is None else at(t)
        return q_dot, model.acceleration(params, q, q_dot, window.context, push)

    return integrate.through(slope, q, q_dot, window.t, substeps=substeps)[0]


@command_line(
    tables={"unseen": "a swing-up, with torques and swings that nothing was trained on"},
    torque={"choices": ARM_TORQUES, "help": "what the models know of the motors"},
)
def robot_arm(seed=0, steps=4000, torque="commanded", checkpoint=None, progress=True):
    """A real robot arm with two motors: networks beside the formula of rigid arms.

    All learn from the same angles of two recordings of ten seconds, each with encoder zeros of its
    own (`Zeroed`), and from their mirror images; and are followed through two recordings that they
    have not seen. `lnn` and `delan` learn viscous and dry friction beside their Lagrangian,
    `lnn, viscous` and `lnn, none` less of it; `plain` is a network for q̈ that sees the torques.
    `rigid` is the formula of two rigid arms with both frictions.

    Args:
        seed: of parameters and batches; the formula has none.
        steps: training steps of each network.
        torque: a name in `ARM_TORQUES`.
        checkpoint, progress: as in `Recipe.fit`.

    Returns:
        Dict that JSON can hold: the figures of `ArmProtocol` by model, and the facts.
    """
    motions = arm_frames(ARM_TRAINING, torque=torque, mirrored=True)
    recipe, protocol = ArmRecipe(motions), ArmProtocol(torque)
    found = {"like": {}, "unseen": {}}
    for name, model in arm_models(torque=torque != "none").items():
        settings = {"seed": seed, "steps": steps, "checkpoint": checkpoint, "progress": progress}
        fit = recipe.fit(model, label=name, **settings)
        for table, figures in protocol.figures(model, fit.params).items():
            found[table][name] = {"train_seconds": fit.seconds, **figures}
        if name == "rigid":
            found["integrator_floor"] = protocol.floor(model, fit.params)
    return {
        "experiment": "robot-arm",
        "seed": seed,
        "steps": steps,
        "torque": torque,
        "frames": len(motions),
        "states_seen": learning.states_seen(learning.NOISY_ROUNDS, steps),
        "models": found.pop("like"),
        **found,
    }
