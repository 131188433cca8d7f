r"""The measured quantities: accelerations, energies and motions against the truth.

Everything takes whole batches and returns plain floats or NumPy arrays, ready for a table or a JSON
file. A rollout that has run away counts as infinitely wrong; nothing is averaged away.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, integrate


def acceleration_error(acceleration, q, q_dot, q_ddot, context=None, weights=None):
    r"""How wrong accelerations are over a batch of states.

    Args:
        acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`.
        q, q_dot: states `[n, d]`.
        q_ddot: true accelerations `[n, d]`.
        context: non-dynamical parameters `[n, c]`, a third argument of `acceleration`.
        weights: of the states `[n]`.

    Returns:
        Dict of floats: `acceleration_l1_sum`, the mean over states of Σᵢ |âᵢ − aᵢ| (the paper's
        loss), and `acceleration_relative_l2`, √(Σ‖â − a‖² / Σ‖a‖²); with weights also
        `acceleration_weighted_l1`, the first mean weighted.
    """
    q, q_dot = _inputs.states(q, q_dot, q.shape[-1])
    state = (q, q_dot) if context is None else (q, q_dot, context)
    miss = jax.jit(jax.vmap(acceleration))(*state) - q_ddot
    found = {
        "acceleration_l1_sum": float(jnp.abs(miss).sum(axis=1).mean()),
        "acceleration_relative_l2": float(jnp.sqrt((miss**2).sum() / (q_ddot**2).sum())),
    }
    if weights is not None:
        weighted = jnp.average(jnp.abs(miss).sum(axis=1), weights=weights)
        found["acceleration_weighted_l1"] = float(weighted)
    return found


def rollouts(acceleration, q, q_dot, *, dt, steps, substeps=1):
    """Motions from a batch of starts `[n, d]`, by RK4: `(q, q_dot)`, each `[n, steps + 1, d]`."""
    q, q_dot = _inputs.states(q, q_dot, q.shape[-1])

    def one(q, q_dot):
        return integrate.rollout(acceleration, q, q_dot, dt=dt, steps=steps, substeps=substeps)

    return jax.jit(jax.vmap(one))(q, q_dot)


def energies(energy, q, q_dot):
    """An energy along motions `[n, t, d]`: `[n, t]`, in double precision.

    The energy of a motion that runs away can be near float32's largest number; in double precision
    a caller can still scale and average it.
    """
    return np.asarray(jax.jit(jax.vmap(jax.vmap(energy)))(q, q_dot), float)


def energy_error(energy, q, q_dot, scale):
    r"""How far an energy strays along motions, |E(t) − E(0)| / scale.

    Args:
        energy: function `(q [d], q_dot [d]) -> scalar`.
        q, q_dot: motions `[n, t, d]`, frame 0 the start.
        scale: what counts as one, in the units of the energy.

    Returns:
        Dict of floats: `energy_error_last` (mean over starts at the last frame, the paper's
        measure), `energy_error_mean` (over starts and times), `energy_error_median` (over starts,
        of the mean over time), `energy_error_worst` (the largest such mean) and
        `energy_error_max` (over starts and times). A motion that is no longer finite makes them
        infinite.
    """
    _inputs.positive(scale=scale)
    along = energies(energy, q, q_dot)
    error = np.abs(along - along[:, :1]) / scale
    error = np.where(np.isfinite(error), error, np.inf)
    by_start = error.mean(axis=1)
    return {
        "energy_error_last": float(error[:, -1].mean()),
        "energy_error_mean": float(error.mean()),
        "energy_error_median": float(np.median(by_start)),
        "energy_error_worst": float(by_start.max()),
        "energy_error_max": float(error.max()),
    }


def position_error(positions, q, q_true):
    """Distance of bodies from where they truly are, along motions.

    Args:
        positions: function `q [d] -> [bodies, 2]`, such as `system.positions`.
        q, q_true: motions `[n, t, d]`.

    Returns:
        `[n, t]`, the root mean square distance over the bodies, in metres; infinite where q is not
        finite.
    """
    place = jax.jit(jax.vmap(jax.vmap(positions)))
    distance = np.sqrt(np.asarray(((place(q) - place(q_true)) ** 2).sum(-1).mean(-1)))
    return np.where(np.isfinite(distance), distance, np.inf)


def match_energy(learned, true):
    r"""Compare two energies up to the freedom that a Lagrangian has: E_true ≈ α E_learned + β.

    Args:
        learned, true: values `[n]` at the same states.

    Returns:
        Dict of floats: `scale` α, `offset` β by least squares, and `unexplained`, the share of the
        variance of the true energy that remains: 0 for a perfect match, 1 for none.
    """
    learned, true = np.ravel(np.asarray(learned, float)), np.ravel(np.asarray(true, float))
    if learned.shape != true.shape or learned.size < 3:
        raise ValueError(
            f"expected two lists of one length of at least 3, got {learned.size} and {true.size}"
        )
    design = np.stack([learned, np.ones_like(learned)], axis=1)
    (scale, offset), *_ = np.linalg.lstsq(design, true, rcond=None)
    rest = true - design @ (scale, offset)
    return {
        "scale": float(scale),
        "offset": float(offset),
        "unexplained": float(rest.var() / true.var()),
    }


@dataclass(frozen=True)
class Protocol:
    """How every model of a system is judged: on fresh states, and on motions from released starts.

    Args:
        system: anything with `sample`, `sample_released`, `acceleration` and `energy`.
        unit: the energy that counts as one, in joules.
        starts: how many motions.
        seconds: how long each.
        frame: seconds between two looks at it.
        substeps: Runge–Kutta steps between two looks.
        states: how many fresh states of the system's box judge the accelerations.
    """

    system: object
    unit: float
    starts: int = 40
    seconds: float = 100.0
    frame: float = 0.1
    substeps: int = 20
    states: int = 10_000

    def motions(self, acceleration):
        """Motions `[starts, frames + 1, d]` from the protocol's starts, the same for everyone."""
        starts = self.system.sample_released(jax.random.key(1_000_002), self.starts)
        steps = round(self.seconds / self.frame)
        return rollouts(acceleration, *starts, dt=self.frame, steps=steps, substeps=self.substeps)

    def figures(self, model, params):
        """All figures of a trained model.

        Returns:
            Dict of floats: those of `acceleration_error` and `energy_error`; for a model with an
            energy of its own also `energy_unexplained` (see `match_energy`) and
            `learned_energy_drift`, how far that energy strays on the model's own motions: the mean
            over starts at the last frame, in the same unit.
        """
        acceleration = partial(model.acceleration, params)
        q, q_dot = self.system.sample(jax.random.key(1_000_001), self.states)
        truth = jax.jit(jax.vmap(self.system.acceleration))(q, q_dot)
        motions = self.motions(acceleration)
        found = acceleration_error(acceleration, q, q_dot, truth)
        found |= energy_error(self.system.energy, *motions, scale=self.unit)
        if hasattr(model, "energy"):
            learned = partial(model.energy, params)
            match = match_energy(
                energies(learned, q[None], q_dot[None]),
                energies(self.system.energy, q[None], q_dot[None]),
            )
            found["energy_unexplained"] = match["unexplained"]
            drift = energy_error(learned, *motions, scale=self.unit / abs(match["scale"]))
            found["learned_energy_drift"] = drift["energy_error_last"]
        return found

    def floor(self):
        """The energy errors of the true system: what the integrator itself gets wrong."""
        motions = self.motions(self.system.acceleration)
        return energy_error(self.system.energy, *motions, scale=self.unit)
