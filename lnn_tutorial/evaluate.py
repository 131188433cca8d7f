r"""The measured quantities: accelerations, energies and motions against the truth.

Everything takes whole batches, of JAX, of NumPy or as lists, and returns plain floats or NumPy
arrays, ready for a table or a JSON file. A rollout that has run away counts as infinitely wrong;
nothing is averaged away. Shapes must agree as written: nothing is stretched to fit.
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
        loss), and `acceleration_relative_l2`, √(Σ‖â − a‖² / Σ‖a‖²), of which 0/0 is 0; with
        weights also `acceleration_weighted_l1`, the first mean weighted. An acceleration that is
        not finite makes them infinite, unless its state has no weight.

    Raises:
        TypeError, ValueError: what is not a batch of states, a true acceleration, context or
            weight of other shape or not finite, weights below zero or all zero.
    """
    state = _states(q, q_dot, context)
    n, d = state[0].shape
    truth = _real("q_ddot", q_ddot, (n, d))
    if weights is not None:
        weights = _real("weights", weights, (n,))
        if (weights < 0).any() or not weights.any():
            raise ValueError("expected weights of at least zero, and not all of them zero")
    miss = np.abs(_result("acceleration", jax.vmap(acceleration), state, (n, d)) - truth)
    miss = np.where(np.isfinite(miss), miss, np.inf)
    wrong, size = np.linalg.norm(miss), np.linalg.norm(truth)
    found = {
        "acceleration_l1_sum": float(miss.sum(axis=1).mean()),
        "acceleration_relative_l2": float(wrong / size if size else np.inf if wrong else 0.0),
    }
    if weights is not None:
        seen = weights > 0
        weighted = np.average(miss[seen].sum(axis=1), weights=weights[seen])
        found["acceleration_weighted_l1"] = float(weighted)
    return found


def spread(acceleration, params, q, q_dot, context=None):
    r"""What the members of an ensemble agree on, and by how much they differ.

    Args:
        acceleration: function `(params, q [d], q_dot [d]) -> q_ddot [d]`, such as that of a model.
        params: parameters of all members, each array with the members along its first axis.
        q, q_dot: states `[n, d]`.
        context: non-dynamical parameters `[n, c]`, a fourth argument of `acceleration`.

    Returns:
        Dict of arrays `[n, d]`: `mean` over the m members, and `deviation`, their standard
        deviation √(Σᵢ (aᵢ − mean)² / m). Where a member is not finite, the deviation is infinite
        and the mean not finite either.

    Raises:
        TypeError, ValueError: what is not a batch of states; parameters whose first axes differ,
            as those of one model do.
    """
    state = _states(q, q_dot, context)
    counts = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(params)}
    if len(counts) != 1 or counts & {(), (0,)}:
        raise ValueError(
            "expected parameters of all members, each array with the members along its first "
            f"axis, got first axes {sorted(counts)}"
        )
    (members,) = counts.pop()

    def of_all(*state):
        return jax.vmap(lambda one: jax.vmap(partial(acceleration, one))(*state))(params)

    found = _result("acceleration", of_all, state, (members, *state[0].shape))
    with np.errstate(invalid="ignore"):
        deviation = found.std(axis=0)
    return {
        "mean": found.mean(axis=0),
        "deviation": np.where(np.isfinite(deviation), deviation, np.inf),
    }


def rollouts(acceleration, q, q_dot, *, dt, steps, substeps=1):
    """Motions from a batch of starts `[n, d]`, by RK4: `(q, q_dot)`, each `[n, steps + 1, d]`."""

    def one(q, q_dot):
        return integrate.rollout(acceleration, q, q_dot, dt=dt, steps=steps, substeps=substeps)

    return jax.jit(jax.vmap(one))(*_states(q, q_dot))


def lyapunov_exponent(acceleration, q, q_dot, *, dt, steps, substeps=1):
    r"""How fast two motions part that begin side by side: |δ(t)| grows like exp(λ t).

    A small difference δ of the state is carried along each motion, linearised, and made short again
    after every dt; λ is its mean growth. Where no motion is chaotic, λ falls to zero as the time
    gets longer; 1/λ is the Lyapunov time of those that are.

    Args:
        acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`.
        q, q_dot: starts `[n, d]`.
        dt, steps, substeps: as in `integrate.rollout`.

    Returns:
        λ in 1/s of each start `[n]`, NumPy: the larger growth of two differences, in directions
        that were drawn once; infinite where a motion runs away.

    Raises:
        TypeError, ValueError: as `integrate.rollout`; a start that is not finite.

    Source: Benettin, Galgani, Giorgilli & Strelcyn (1980).
    """
    q, q_dot = _states(q, q_dot)
    _inputs.count(steps=steps)
    _inputs.positive(dt=dt)

    def step(*state):
        moved = integrate.rollout(acceleration, *state, dt=dt, steps=1, substeps=substeps)
        return tuple(x[-1] for x in moved)

    def growth(q, q_dot, apart):
        def one(carried, _):
            state, apart = carried
            state, apart = jax.jvp(step, state, apart)
            size = jnp.sqrt(sum(jnp.sum(x**2) for x in apart))
            return (state, tuple(x / size for x in apart)), jnp.log(size)

        _, grown = jax.lax.scan(one, ((q, q_dot), apart), length=steps)
        return grown.sum() / (steps * dt)

    def largest(q, q_dot):
        apart = jax.random.normal(jax.random.key(0), (2, 2, q.size), q.dtype)
        apart /= jnp.linalg.norm(apart, axis=(1, 2), keepdims=True)
        return jnp.maximum(*(growth(q, q_dot, tuple(one)) for one in apart))

    found = np.asarray(jax.jit(jax.vmap(largest))(q, q_dot), float)
    return np.where(np.isfinite(found), found, np.inf)


def energies(energy, q, q_dot):
    """An energy along motions `[n, t, d]`: `[n, t]`, in double precision.

    The energy of a motion that runs away can be near float32's largest number; in double precision
    a caller can still scale and average it.

    Raises:
        TypeError, ValueError: motions of unlike shapes or of none, an energy that is no scalar.
    """
    motions = _motions(q=q, q_dot=q_dot)
    return _result("energy", jax.vmap(jax.vmap(energy)), motions, motions[0].shape[:2])


def _states(q, q_dot, context=None):
    """A batch of states, and its context if there is one."""
    q = _inputs.array("q", q)
    q, q_dot = _inputs.states(q, q_dot, q.shape[-1] if q.ndim else 1)
    if context is None:
        return q, q_dot
    context = _inputs.array("context", context)
    _real("context", context, (len(q), *context.shape[1:]))
    return q, q_dot, context


def _motions(**arrays):
    """Motions of one shape `[n, t, d]`; they may have run away."""
    found = [_inputs.array(name, x) for name, x in arrays.items()]
    shape = found[0].shape
    if len(shape) != 3 or 0 in shape or found[1].shape != shape:
        raise ValueError(
            f"expected motions {' and '.join(arrays)} of one shape [n, t, d], "
            f"got {shape} and {found[1].shape}"
        )
    for name, x in zip(arrays, found, strict=True):
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise TypeError(f"expected {name} to hold floating-point numbers, got {x.dtype}")
    return found


def _real(name, x, shape=None):
    """Finite real numbers in double precision, of one shape if it is given."""
    x = np.asarray(x)  # not JAX's, which would cut it to single precision
    if x.dtype.kind not in "iuf":
        raise TypeError(f"expected {name} to hold real numbers, got {x.dtype}")
    if shape is not None and x.shape != shape:
        raise ValueError(f"expected {name} of shape {shape}, got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"expected {name} to be finite, but some entries are not")
    return x.astype(float)


def _result(name, function, batch, shape):
    """What a mapped function returns for a batch, in double precision."""
    found = np.asarray(jax.jit(function)(*batch), float)
    if found.shape != shape:
        raise ValueError(f"expected {name} to return {shape} for all states, got {found.shape}")
    return found


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

    Raises:
        TypeError, ValueError: as `energies`; motions of a single frame, a scale that is not above
            zero.
    """
    _inputs.positive(scale=scale)
    if np.ndim(q) == 3 and np.shape(q)[1] < 2:
        raise ValueError(f"expected motions of two frames or more, got shape {np.shape(q)}")
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

    Raises:
        TypeError, ValueError: motions of unlike shapes, a true one that is not finite, positions
            that are not `[bodies, 2]`.
    """
    motions = _motions(q=q, q_true=q_true)
    _real("q_true", motions[1])
    found, true = (np.asarray(jax.jit(jax.vmap(jax.vmap(positions)))(q), float) for q in motions)
    if found.ndim != 4 or found.shape[3] != 2:
        raise ValueError(f"expected positions to return [bodies, 2], got {found.shape[2:]}")
    distance = np.sqrt(((found - true) ** 2).sum(-1).mean(-1))
    return np.where(np.isfinite(distance), distance, np.inf)


def match_energy(learned, true):
    r"""Compare two energies up to the freedom that a Lagrangian has: E_true ≈ α E_learned + β.

    Args:
        learned, true: values at the same states, of one shape.

    Returns:
        Dict of floats: `scale` α, `offset` β by least squares, and `unexplained`, the share of the
        variance of the true energy that remains: 0 for a perfect match, 1 for none. A learned
        energy that is constant, or not finite somewhere, explains nothing: α = 0.

    Raises:
        TypeError, ValueError: values of unlike shapes or fewer than three, a true energy that is
            not finite or does not vary.
    """
    learned, true = np.asarray(learned, float), _real("true", true)
    if learned.shape != true.shape or true.size < 3:
        raise ValueError(
            "expected learned and true energies of one shape, at least 3 of them, "
            f"got {learned.shape} and {true.shape}"
        )
    if true.min() == true.max():
        raise ValueError(f"expected a true energy that varies, got {true.flat[0]} at every state")
    scale, offset = 0.0, true.mean()
    if np.isfinite(learned).all() and learned.min() < learned.max():
        size = np.abs(learned).max()
        centre = (learned / size).mean()
        around = learned / size - centre
        slope = (around * (true - offset)).sum() / (around**2).sum()
        scale, offset = slope / size, offset - slope * centre
    rest = true - (scale * learned + offset if scale else offset)
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

    Raises:
        TypeError, ValueError: a number that is none or not above zero, a time that is not a whole
            number of frames.
    """

    system: object
    unit: float
    starts: int = 40
    seconds: float = 100.0
    frame: float = 0.1
    substeps: int = 20
    states: int = 10_000

    def __post_init__(self):
        _inputs.positive(unit=self.unit)
        _inputs.count(starts=self.starts, substeps=self.substeps)
        _inputs.count(3, states=self.states)
        _inputs.frames(self.seconds, self.frame)

    def motions(self, acceleration):
        """Motions `[starts, frames + 1, d]` from the protocol's starts, the same for everyone."""
        starts = self.system.sample_released(jax.random.key(1_000_002), self.starts)
        steps = _inputs.frames(self.seconds, self.frame)
        return rollouts(acceleration, *starts, dt=self.frame, steps=steps, substeps=self.substeps)

    def figures(self, model, params):
        """All figures of a trained model.

        Returns:
            Dict of floats: those of `acceleration_error` and `energy_error`; for a model with an
            energy of its own also `energy_unexplained` (see `match_energy`) and
            `learned_energy_drift`, how far that energy strays on the model's own motions: the mean
            over starts at the last frame, in the same unit; infinite where it explains nothing of
            the true one, so that nobody can say how many joules it is.
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
            found["learned_energy_drift"] = np.inf
            if match["scale"]:
                drift = energy_error(learned, *motions, scale=self.unit / abs(match["scale"]))
                found["learned_energy_drift"] = drift["energy_error_last"]
        return found

    def floor(self):
        """The energy errors of the true system: what the integrator itself gets wrong."""
        motions = self.motions(self.system.acceleration)
        return energy_error(self.system.energy, *motions, scale=self.unit)
