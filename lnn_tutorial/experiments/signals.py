"""The ladder of signals: the double pendulum from its accelerations down to noisy positions."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import interpolate

from lnn_tutorial import _inputs, data, evaluate, integrate, learning, systems, train
from lnn_tutorial.experiments.double import double_pendulum_protocol
from lnn_tutorial.experiments.recipe import NEW_STATES

FRAME = 0.02
"""Seconds between two frames, fifty a second."""

SIGNALS = {
    "box": 0.0,
    "exact": 0.0,
    "noise 1e-4": 1e-4,
    "noise 1e-3": 1e-3,
    "noise 1e-2": 1e-2,
    "irregular": 1e-3,
    "spoiled": 1e-3,
}
"""What is measured, and σ of the noise in its positions, in radians; see `measured_positions`."""

NOISY = ("noise 1e-4", "noise 1e-3", "noise 1e-2")
WAYS = {
    "accelerations": ("exact",),
    "states": ("exact",),
    "differences": tuple(SIGNALS),
    "polynomials": ("box", "exact", *NOISY),
    "splines": (*NOISY, "irregular", "spoiled"),
    "discrete": ("box", "exact", *NOISY, "irregular"),
    "discrete 4": ("box",),
    "windows": NOISY,
    "rounds": tuple(SIGNALS),
}
"""Ways to learn, each with the signals that it is tried on, see `SignalRecipe`."""

WINDOWS = (4, 6, 10, 16, 24, 34)
"""How many frames after a first one a local polynomial may span."""

WEIGHTS = (1e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3)
"""What a smoothing spline may pay for its curvature."""

TYPICAL = 5.0
"""A typical acceleration, for the loss, in rad/s²."""

PRETRAINING = 0.25
"""The share of steps, before windows through the solver, on accelerations of polynomials."""


class Measured(NamedTuple):
    """Motions as they were measured, and as they were.

    Args:
        motions: `data.Motions`, positions alone.
        q, q_dot, q_ddot: the true states at these frames `[n, 2]`, of NumPy.
    """

    motions: data.Motions
    q: np.ndarray
    q_dot: np.ndarray
    q_ddot: np.ndarray


def measured_positions(name="exact", seed=0, *, noise=None, rate=50):
    """Double pendulums as a camera sees them: positions alone, `rate` frames a second.

    `"box"`: five frames each of 40,000 motions from the paper's box. All others: 100 motions of
    10 s, released at any angles with |q̇| up to 2 rad/s, with noise as `SIGNALS` has it; of
    `"irregular"` each frame comes up to 40 % of a step early or late; of `"spoiled"` one frame in a
    hundred is off by 0.5 rad or so, and in each motion half a second is missing.

    Args:
        name: a name in `SIGNALS`.
        seed: of the motions and of the noise.
        noise: σ in radians, another than that of `SIGNALS`.
        rate: frames a second, a divisor of 500.

    Returns:
        `Measured`.
    """
    _inputs.choice("signal", name, SIGNALS)
    noise = SIGNALS[name] if noise is None else noise
    _inputs.number(noise=noise)
    _inputs.count(rate=rate)
    if noise < 0 or 500 % rate:
        raise ValueError(f"expected noise ≥ 0 and a rate that divides 500, got {noise} and {rate}")
    frame = 1 / rate
    system, draw = systems.DoublePendulum(), np.random.default_rng([1_000_005, _inputs.seed(seed)])
    if name == "box":
        key = jax.random.fold_in(jax.random.key(1_000_005), seed)
        angle, speed = (np.asarray(x, float) for x in system.sample(key, 40_000))
        motions, count = 40_000, 4
    else:
        motions, count = 100, 10 * rate
        angle, speed = draw.uniform(-1, 1, (2, motions, 2)) * np.array([np.pi, 2.0])[:, None, None]
    t = np.broadcast_to(frame * np.arange(count + 1), (motions, count + 1)).copy()
    if name == "irregular":
        t[:, 1:] += draw.uniform(-0.4, 0.4, (motions, count)) * frame
    q, q_dot, q_ddot = _followed(system, angle, speed, t, 500 // rate)
    seen = q + noise * draw.normal(size=q.shape)
    kept = np.ones(t.shape, bool)
    if name == "spoiled":
        off = draw.random(t.shape) < 0.01
        seen[off] += 0.5 * draw.normal(size=seen[off].shape)
        for row, begin in zip(kept, draw.integers(rate, count - rate, motions), strict=True):
            row[begin : begin + rate // 2] = False
    label = np.broadcast_to(np.arange(motions)[:, None], t.shape)
    made = data.motions(t[kept], seen[kept], trajectory=label[kept])
    return Measured(made, q[kept], q_dot[kept], q_ddot[kept])


def _followed(system, angle, speed, t, substeps):
    """True states and accelerations at the times of the frames, `[m, f, 2]` each."""
    with integrate.double_precision():
        slope = lambda q, q_dot: (q_dot, system.acceleration(q, q_dot))  # noqa: E731
        follow = jax.jit(jax.vmap(partial(integrate.through, slope, substeps=substeps)))
        q, q_dot = follow(angle, speed, t)
        q_ddot = jax.jit(jax.vmap(jax.vmap(system.acceleration)))(q, q_dot)
        return tuple(np.asarray(x) for x in (q, q_dot, q_ddot))


@dataclass(frozen=True)
class SignalRecipe:
    """How a model learns from a signal, by one of the `WAYS`.

    Five make samples first, and learn from these as chapter 5 does: `accelerations`, the true ones;
    `states`, the true ones, joined by cubics; `differences`, taken twice; `polynomials` of Savitzky
    and Golay; smoothing `splines`. Polynomials have the best of `WINDOWS` and splines the
    best of `WEIGHTS` by the true accelerations, which nobody has: these rivals are at their best
    here.

    Three learn from the positions themselves: `discrete` by the discrete Euler–Lagrange equation
    of the midpoint rule, `discrete 4` of Simpson's; `windows` of ten frames through the solver with
    free starts, after a quarter of the steps on polynomials. `rounds` is `learning.fit_positions`,
    with the noise that `data.describe` finds, or none where there is none.

    Args:
        measured: a `Measured`.
        way: a name in `WAYS`.
        exact: whether the positions are known to have no noise.
    """

    measured: Measured
    way: str
    exact: bool = False

    def __post_init__(self):
        _inputs.choice("way", self.way, WAYS)

    def fit(self, model, *, seed, steps, label="training", checkpoint=None, progress=True):
        """Train a model from a seed; arguments and result as those of `Recipe.fit`."""
        key = jax.random.key(_inputs.seed(seed))
        settings = {"checkpoint": checkpoint, "progress": progress, "label": label}
        motions = self.measured.motions
        if self.way == "rounds":
            noise = None if self.exact else self._noise()
            known = {"noise": noise, "key": key, "steps": steps}
            return learning.fit_positions(model, motions, **known, **settings)
        init_key, data_key = jax.random.split(key)
        run = partial(train.fit, key=data_key, **settings)
        known = {"params": model.init(init_key), "steps": steps}
        known["optimizer"] = train.muon(0.01, steps)
        if self.way.startswith("discrete"):
            loss = train.discrete_loss(model, order=4 if self.way[-1] == "4" else 2, scale=TYPICAL)
            return run(loss, batches=motions.windows(2), **known)
        loss, samples = train.acceleration_loss(model, scale=TYPICAL), self.samples()
        if self.way != "windows":
            return run(loss, batches=samples, **known)
        first = round(PRETRAINING * steps)
        known |= {"steps": first, "optimizer": train.muon(0.01, first)}
        begun = run(loss, batches=samples, **known)
        rest = max(1, (steps - first) // 8)  # each costs about eight times as much
        far = max(0.02, 5 * float(np.median(self._noise())))
        through = train.motion_loss(model, starts="free", scale=far)
        known = {"steps": rest, "batch_size": 64, "optimizer": train.muon(0.005, rest)}
        last = run(through, begun.params, motions.windows(10), **known)
        losses = np.concatenate([begun.losses, last.losses])
        return train.Fit(last.params, losses, begun.seconds + last.seconds)

    def _noise(self):
        return data.describe(self.measured.motions, (True, True)).noise

    def samples(self):
        """`data.Samples` by a way that makes samples first; for `windows` those of polynomials."""
        q, q_dot, q_ddot = self.measured[1:]
        if self.way == "accelerations":
            return data.arrays(q, q_dot, q_ddot)
        motions = self.measured.motions
        if self.way == "states":
            return data.motions(motions.t, q, q_dot, trajectory=motions.trajectory).samples()
        if self.way == "differences":
            return _differences(motions)
        if self.way == "splines":
            return _best(partial(_splines, motions, weight) for weight in WEIGHTS)
        longest = np.unique(motions.trajectory, return_counts=True)[1].min() - 1
        return _best(
            partial(motions.samples, frames=frames, degree=2)
            for frames in WINDOWS
            if frames <= longest
        )


def _best(makers):
    """Of several samples those for which the loss of the true law is the smallest."""
    system = systems.DoublePendulum()

    @jax.jit
    def loss(q, q_dot, q_ddot):
        truth = jax.vmap(system.acceleration)(q, q_dot)
        return jax.vmap(partial(train.relative_error, scale=TYPICAL))(truth, q_ddot).mean()

    return min((make() for make in makers), key=lambda x: float(loss(x.q, x.q_dot, x.q_ddot)))


def _by_motion(motions, one):
    """Samples by `one(t, q) -> (q, q_dot, q_ddot)` of each motion."""
    q, found = np.asarray(motions.q, float), []
    begins = np.unique(motions.trajectory, return_index=True)[1]
    for rows in np.split(np.arange(len(q)), begins[1:]):
        found.append(one(motions.t[rows], q[rows]))
    return data.arrays(*(np.concatenate(x) for x in zip(*found, strict=True)))


def _differences(motions):
    def one(t, q):
        h = np.diff(t)[:, None]
        slope = np.diff(q, axis=0) / h
        before, after, twice = h[:-1], h[1:], h[:-1] + h[1:]
        q_dot = (before * slope[1:] + after * slope[:-1]) / twice
        return q[1:-1], q_dot, 2 * np.diff(slope, axis=0) / twice

    return _by_motion(motions, one)


def _splines(motions, weight):
    def one(t, q):
        spline = interpolate.make_smoothing_spline(t, q, lam=weight, axis=0)
        return spline(t), spline(t, 1), spline(t, 2)

    return _by_motion(motions, one)


@dataclass(frozen=True)
class SignalProtocol:
    """How models that have learned from positions are judged: as those of chapter 5.

    Accelerations at states of new motions, and energies by `double_pendulum_protocol`. A model that
    learned by a discrete action also moves by it.

    Args:
        order: of the discrete Lagrangian, 2 or 4; or None.
        starts: how many motions are followed.
    """

    order: int | None = None
    starts: int = 40

    def figures(self, model, params):
        """Dict of floats: those of `evaluate.acceleration_error`, those of `evaluate.Protocol`;
        and `by_its_own_step_…`, energies along motions by the discrete Lagrangian at `FRAME`.
        """
        protocol = double_pendulum_protocol(self.starts)
        new = measured_positions("exact", NEW_STATES)
        q, q_dot, truth = (jnp.asarray(x[::5], jnp.float32) for x in new[1:])
        found = protocol.figures(model, params)
        found |= evaluate.acceleration_error(partial(model.acceleration, params), q, q_dot, truth)
        if self.order is not None:
            found |= self._by_its_own_step(protocol, model, params)
        return found

    def _by_its_own_step(self, protocol, model, params):
        def follow(q, q_dot):
            lagrangian = partial(model.lagrangian, params)
            times = protocol.frame * np.arange(round(protocol.seconds / protocol.frame) + 1)
            substeps = round(protocol.frame / FRAME)
            return integrate.variational_through(
                lagrangian, q, q_dot, times, substeps=substeps, order=self.order
            )

        start = protocol.system.sample_released(jax.random.key(1_000_002), self.starts)
        motions = jax.jit(jax.vmap(follow))(*start)
        found = evaluate.energy_error(protocol.system.energy, *motions, scale=protocol.unit)
        return {f"by_its_own_step_{name.removeprefix('energy_error_')}": x
                for name, x in found.items()}  # fmt: skip
