"""How any kind of network is trained on a system of `kinds` and judged, several members at once."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, data, integrate, train
from lnn_tutorial.experiments.kinds import Contest, state_of
from lnn_tutorial.experiments.recipe import NEW_STARTS, NEW_STATES

PEAKS = (0.005, 0.016)
"""The peak rates that each contestant may choose from."""

KIND_SIGNALS = ("accelerations", "motions")
"""What is learned from, states with their accelerations or frames of motions."""

BATCH = 64
"""States in a batch."""

FINE = 0.1
"""Of the steps that learn from motions, the share that goes through the solver."""


@dataclass(frozen=True)
class KindRecipe:
    """How any kind is trained on a system: the bounded loss, Muon, batches of `BATCH`.

    From accelerations it is trained on the states of the motions; from motions on the accelerations
    of cubics through their frames, and then through the solver, from frame to frame.

    Args:
        contest: the system.
        motions: a `data.Motions` of it.
        signal: a name in `KIND_SIGNALS`.
        peak: the peak rate.
    """

    contest: Contest
    motions: data.Motions
    signal: str = "accelerations"
    peak: float = 0.01

    def __post_init__(self):
        _inputs.choice("signal", self.signal, KIND_SIGNALS)
        _inputs.positive(peak=self.peak)

    def fit(
        self,
        model,
        *,
        seeds,
        steps,
        held_out=None,
        label="training",
        checkpoint=None,
        progress=False,
    ):
        """Train one member for each seed.

        Args:
            model: anything with `init` and `acceleration`.
            seeds: of the parameters and the batches.
            steps: of training.
            held_out: a batch of states with accelerations that is not trained on, for
                `Fit.held_out`.
            label: of the bars, and of this model's folder among the checkpoints.
            checkpoint: a folder for checkpoints, to resume from.
            progress: whether to show bars.

        Returns:
            `train.Fit` of the members along a leading axis.

        Raises:
            DivergedError: a member's training has lost its way.
        """
        _inputs.count(2, steps=steps)
        init = jax.vmap(model.init)(_keys(seeds))
        folder = checkpoint and _inputs.folder("checkpoint", Path(checkpoint) / label)
        run = partial(
            train.fit,
            key=_keys(seeds),
            batch_size=BATCH,
            configuration={"model": str(model), "signal": self.signal, "peak": self.peak},
            label=label,
            progress=progress,
        )
        samples = self.contest.samples(self.motions)
        fine = 0
        if self.signal == "motions":
            samples, fine = self.motions.samples(), max(1, round(FINE * steps))
        first = run(
            self._loss(model, samples),
            init,
            samples,
            steps=steps - fine,
            optimizer=train.muon(self.peak, steps - fine),
            held_out=held_out,
            checkpoint=folder,
        )
        if not fine:
            return first
        last = run(
            train.motion_loss(model, scale=0.05),
            first.params,
            self.motions.windows(1),
            steps=fine,
            optimizer=train.muon(self.peak / 4, fine),
            checkpoint=folder and folder / "solver",
        )
        losses = np.concatenate([first.losses, last.losses])
        return train.Fit(last.params, losses, first.seconds + last.seconds, first.held_out)

    def _loss(self, model, samples):
        size = np.sqrt(np.mean(np.sum(np.asarray(samples.q_ddot, float) ** 2, axis=1)))
        return train.acceleration_loss(model, scale=float(size) / 4)


def _keys(seeds):
    return jnp.stack([jax.random.key(_inputs.seed(seed)) for seed in seeds])


@dataclass(frozen=True)
class KindProtocol:
    """How any kind is judged on a system, all members at once.

    Args:
        contest: the system.
        samples: `data.Samples` that were trained on, for what counts as one.
        starts: how many new motions are followed.
        frames: how many frames there are in T.
        substeps: Runge–Kutta steps from frame to frame.
    """

    contest: Contest
    samples: data.Samples
    starts: int = 20
    frames: int = 10
    substeps: int = 10

    def __post_init__(self):
        _inputs.count(starts=self.starts, substeps=self.substeps)
        _inputs.count(2, frames=self.frames)

    def figures(self, model, params):
        """All figures of a trained model.

        Args:
            model: with `acceleration` and `rollout`.
            params: of its members, along a leading axis.

        Returns:
            Dict of arrays, a number for each member; infinite where it is not finite.

            * `acceleration`: √(Σ‖â − a‖² / Σ‖a‖²) over the states of new motions; `outside`, the
              same where all moves faster, see `Contest.faster`;
            * `motion`: how far a motion is from the true one after T, the root mean square over
              coordinates and velocities, each in units of its own in training, angles in radians;
              the median over starts;
            * `energy`: |E − E_true| in units of the mean kinetic energy in training, its mean over
              the motion; the median over starts, and as `energy_worst` the worst;
            * for each of `Contest.conserved` how far it strays, likewise, in SI units;
            * of a model without a force: `drift`, how far its own energy strays within 3T in
              steps of T/100, in units of its standard deviation, the median over eight starts, and
              `drift_ratio`, how many times as far with twice the step. Where only a method of
              fourth order makes it stray, that is 16 or more. A model that has no energy of its own
              is asked for the true one. Below 10⁻¹⁰ there is nothing left to compare, and the
              ratio is infinite; where a motion runs away it is 0.
        """
        new = self.contest.samples(self.contest.motions(NEW_STATES, 0.02))
        found = {
            "acceleration": _off(model, params, new),
            "outside": _off(model, params, self.contest.faster(new)),
        }
        found |= self._along(model, params)
        return found if getattr(model, "forces", ()) else found | self._drift(model, params)

    def floor(self):
        """What the steps of the true motions themselves get wrong, a dict of floats."""
        found = self._along(TrueLaw(self.contest.system), jnp.zeros((1, 1)))
        return {name: x.item() for name, x in found.items()}

    def curves(self, model, params):
        """What a picture shows of a trained model.

        Returns:
            Dict of arrays: `path`, the first one or two coordinates `[5 frames + 1, …]` of one
            motion of the first member over five natural times, and `true_path`; `energy`
            `[members, times + 1]`, |E − E_true| as in `figures`, the median over starts.
        """
        q, q_dot = self._moved(model, params)
        seen = slice(0, 5 * self.frames + 1), slice(0, 2)
        energy = self._energy_errors(q, q_dot)[:, :, :: self.frames]
        return {
            "path": q[0, 0][seen],
            "true_path": self._truth[0][0][seen],
            "energy": np.median(energy, axis=1),
        }

    @property
    def _steps(self):
        dt = self.contest.time / self.frames
        return {"dt": dt, "steps": self.contest.times * self.frames, "substeps": self.substeps}

    @cached_property
    def _start(self):
        return self.contest.starts(jax.random.key(NEW_STARTS), self.starts)

    @cached_property
    def _truth(self):
        finer = self._steps | {"substeps": 4 * self.substeps}
        return self.contest.follow(*self._start, **finer)[1:]

    @property
    def _context(self):
        """The context of each start, along its motion: none, or one array `[starts, 1, c]`."""
        return [np.asarray(x)[:, None] for x in self._start[2:]]

    def _moved(self, model, params):
        return followed(model, params, self._start, **self._steps)

    def _along(self, model, params):
        q, q_dot = self._moved(model, params)
        energy = self._energy_errors(q, q_dot).mean(axis=2)
        found = {
            "motion": self._away(q, q_dot),
            "energy": np.median(energy, axis=1),
            "energy_worst": energy.max(axis=1),
        }
        for name, conserved in self.contest.conserved.items():
            along = values(conserved, q, q_dot, *self._context)
            strayed = np.linalg.norm(along - along[:, :, :1], axis=-1).mean(axis=2)
            found[name] = np.median(or_infinite(strayed), axis=1)
        return found

    def _energy_errors(self, q, q_dot):
        energy = partial(values, self.contest.system.energy)
        unit = values(self.contest.kinetic, *state_of(self.samples)).mean()
        miss = energy(q, q_dot, *self._context) - energy(*self._truth, *self._context)
        return or_infinite(np.abs(miss)[..., 0] / unit)

    def _away(self, q, q_dot):
        turn = np.array(self.contest.system.angles)
        rms = [np.sqrt(np.mean(np.asarray(x) ** 2, axis=0)) for x in state_of(self.samples)[:2]]
        away, away_dot = (
            x[..., self.frames, :] - true[:, self.frames]
            for x, true in zip((q, q_dot), self._truth, strict=True)
        )
        around = (away + np.pi) % (2 * np.pi) - np.pi
        parts = np.where(turn, around, away / rms[0]), away_dot / rms[1]
        far = np.sqrt(np.mean(np.concatenate(parts, axis=-1) ** 2, axis=-1))
        return np.median(or_infinite(far), axis=1)

    def _drift(self, model, params, starts=8, step=50, times=3):
        start = [x[:starts] for x in self._start]
        settings = {"dt": self.contest.time / step, "steps": times * step}
        context = [np.asarray(x, float)[:, None] for x in start[2:]]
        own = partial(_own_energies, self.contest.system, model)
        with integrate.double_precision():
            params = jax.tree.map(lambda x: jnp.asarray(np.asarray(x, float)), params)
            strayed = []
            for substeps in (1, 2):
                moved = followed(model, params, start, **settings, substeps=substeps)
                energy = own(params, *moved, *context)
                away = np.abs(energy - energy[:, :, :1]).max(axis=2)
                strayed.append(np.median(or_infinite(away), axis=1))
            members = len(strayed[0])
            seen = [np.asarray(x, float)[None, None, ::97] for x in state_of(self.samples)]
            seen = [np.broadcast_to(x, (members, *x.shape[1:])) for x in seen[:2]] + [
                x[0] for x in seen[2:]
            ]
            size = np.std(own(params, *seen), axis=(1, 2))
        coarse, fine = (or_infinite(x / size) for x in strayed)
        with np.errstate(invalid="ignore"):
            ratio = np.where(fine < 1e-10, np.inf, coarse / fine)
        known = np.isfinite(coarse) & np.isfinite(fine)
        return {"drift": fine, "drift_ratio": np.where(known, ratio, 0.0)}


@dataclass(frozen=True)
class TrueLaw:
    """The true law with the face of a model."""

    system: object

    def rollout(self, params, q, q_dot, *context, **steps):
        def law(q, q_dot):
            return self.system.acceleration(q, q_dot, *context)

        return integrate.rollout(law, q, q_dot, **steps)


def followed(model, params, start, **steps):
    """Motions of all members from all starts, `[members, starts, frames, d]` each, in float64."""
    start = tuple(jnp.asarray(np.asarray(x), jax.tree.leaves(params)[0].dtype) for x in start)
    return tuple(np.asarray(x, float) for x in _motions(params, start, model=model, **steps))


# What is compiled for a model serves all that is asked of it: hence these at the outermost level.


@partial(jax.jit, static_argnames=("model", "dt", "steps", "substeps"))
def _motions(params, start, *, model, **steps):
    def one(params, *start):
        return model.rollout(params, *start, **steps)

    each = jax.vmap(one, (None, *[0] * len(start)))
    return jax.vmap(each, (0, *[None] * len(start)))(params, *start)


@partial(jax.jit, static_argnames="model")
def _accelerations(params, state, *, model):
    def one(params):
        return jax.vmap(partial(model.acceleration, params))(*state)

    return jax.vmap(one)(params)


@partial(jax.jit, static_argnames="function")
def _mapped(flat, *, function):
    return jax.vmap(lambda *x: jnp.atleast_1d(function(*x)))(*flat)


@partial(jax.jit, static_argnames="model")
def _energies(params, flat, *, model):
    return jax.vmap(lambda params, *flat: jax.vmap(partial(model.energy, params))(*flat))(
        params, *flat
    )


def values(function, *states):
    """A function of states `[…, d]`, in double precision: `[…, m]`, a scalar as a vector."""
    shape = states[0].shape[:-1]
    flat = [np.broadcast_to(x, (*shape, np.shape(x)[-1])) for x in map(np.asarray, states)]
    with integrate.double_precision():
        flat = tuple(jnp.asarray(x.reshape(-1, x.shape[-1]).astype(float)) for x in flat)
        found = np.asarray(_mapped(flat, function=function))
    return found.reshape(*shape, -1)


def _own_energies(system, model, params, *states):
    """A model's own energy, or without one the true one, along motions `[members, n, f, d]`."""
    if not hasattr(model, "energy"):
        return values(system.energy, *states)[..., 0]
    members, *shape = states[0].shape[:-1]
    flat = [np.broadcast_to(x, (members, *shape, x.shape[-1])) for x in states]
    flat = tuple(jnp.asarray(x.reshape(members, -1, x.shape[-1])) for x in flat)
    return np.asarray(_energies(params, flat, model=model)).reshape(members, *shape)


def _off(model, params, samples):
    """√(Σ‖â − a‖² / Σ‖a‖²) of each member."""
    q, q_dot, q_ddot, *context = samples.batch()
    truth = np.asarray(q_ddot, float)
    found = np.asarray(_accelerations(params, (q, q_dot, *context), model=model), float)
    return or_infinite(np.sqrt(np.sum((found - truth) ** 2, axis=(1, 2)) / np.sum(truth**2)))


def or_infinite(x):
    return np.where(np.isfinite(x), x, np.inf)
