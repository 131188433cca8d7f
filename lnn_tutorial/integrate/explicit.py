"""Explicit steps: Euler, Heun, and Runge–Kutta for all that is followed for long."""

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.integrate import common


def rk4_step(acceleration, q, q_dot, dt, t=0.0):
    r"""One classical Runge–Kutta step of (q, q̇)' = (q̇, q̈); the error of one step is O(dt⁵).

    Args:
        acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`; of `t` too, if it depends on
            time, here and everywhere below.
        q, q_dot: the state.
        dt: the step, in seconds; negative steps go back in time.
        t: the time of the state, in seconds.

    Returns:
        `(q, q_dot)` a step later.
    """
    q, q_dot = common.start_of(q, q_dot, dt, t=t)
    _inputs.function("acceleration", acceleration)
    dq, dq_dot = _rk4_change(_second_order(acceleration), (q, q_dot), dt, t)
    # A finer dt or constant must not change the precision of the state.
    return q + dq.astype(q.dtype), q_dot + dq_dot.astype(q_dot.dtype)


def _second_order(acceleration):
    """The slope (q̇, q̈) of a state (q, q̇) at a time."""
    acceleration = common.vector_field(acceleration)
    return lambda q, q_dot, t: (q_dot, acceleration(q, q_dot, t))


def _euler_change(slope, state, dt, t):
    return jax.tree.map(lambda k: dt * k, slope(*state, t))


def _heun_change(slope, state, dt, t):
    k1 = slope(*state, t)
    k2 = slope(*_along(state, k1, dt), t + dt)
    return jax.tree.map(lambda a, b: dt / 2 * (a + b), k1, k2)


def _rk4_change(slope, state, dt, t):
    k1 = slope(*state, t)
    k2 = slope(*_along(state, k1, dt / 2), t + dt / 2)
    k3 = slope(*_along(state, k2, dt / 2), t + dt / 2)
    k4 = slope(*_along(state, k3, dt), t + dt)
    return jax.tree.map(lambda a, b, c, d: dt / 6 * (a + 2 * b + 2 * c + d), k1, k2, k3, k4)


def _along(state, k, dt):
    return jax.tree.map(lambda x, dx: x + dt * dx, tuple(state), tuple(k))


METHODS = {"euler": _euler_change, "heun": _heun_change, "rk4": _rk4_change}
"""How a state (q, y) changes in one step, by name. The explicit methods of Euler, of Heun and of
Runge and Kutta have an error of O(dt), O(dt²) and O(dt⁴) after a given time."""


def rollout(acceleration, q, q_dot, *, dt, steps, substeps=1, t=0.0):
    r"""The motion from one start, by RK4.

    Many small changes are added to a large state, so what rounding loses of each is carried along
    and added to the next: without it, in float32, rounding and not the method would limit the
    energy of a long motion.

    Args:
        acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`.
        q, q_dot: the start.
        dt: time between the states returned, in seconds.
        steps: how many states follow the start.
        substeps: Runge–Kutta steps in each `dt`.
        t: the time of the start, in seconds, for what depends on it.

    Returns:
        `(q [steps + 1, d], q_dot [steps + 1, d])` at t, t + dt, …, t + steps · dt.

    Raises:
        ValueError: a step of zero, fewer than one step, a start that is not one finite state.
        FloatingPointError: the mass matrix is singular, or the motion runs away or leaves the
            states that the acceleration knows (inside of `jit` or `vmap` its values are NaN from
            there).

    Source: the summation is Kahan's (1965).
    """
    start = common.start_of(q, q_dot, dt, steps, substeps, t=t)
    _inputs.function("acceleration", acceleration)
    return _rk4_rollout(_second_order(acceleration), start, dt, steps, substeps, t)


def flow(slope, q, y, *, dt, steps, substeps=1, t=0.0):
    r"""The motion from one start by first-order equations, (q, y)' = slope(q, y), by RK4.

    With `mechanics.hamilton_equations(hamiltonian)` for the slope, y is the momentum.

    Args:
        slope: function `(q [d], y [d]) -> (dq/dt [d], dy/dt [d])`.
        q, y: the start.
        dt, steps, substeps, t: as in `rollout`.

    Returns:
        `(q [steps + 1, d], y [steps + 1, d])`.

    Raises:
        ValueError, FloatingPointError: as `rollout`.
    """
    start = common.start_of(q, y, dt, steps, substeps, names=("q", "y"), t=t)
    _inputs.function("slope", slope)
    return _rk4_rollout(common.of_shape(slope), start, dt, steps, substeps, t)


def through(slope, q, y, times, *, method="rk4", substeps=1, recompute=False):
    r"""The motion from one start through given times, by fixed steps: what training goes through.

    Reverse-mode derivatives run back through every step, so they are exact for the motion as it is
    computed, its step errors included.

    Args:
        slope: function `(q [d], y [d]) -> (dq/dt [d], dy/dt [d])`; of `t` too, if it depends on
            time.
        q, y: the start, at the first of the times.
        times: `[n + 1]`, rising, in seconds; they need not be equally far apart.
        method: a name in `METHODS`.
        substeps: steps from one time to the next.
        recompute: whether derivatives keep the states at the given times alone, and compute what is
            between them a second time. Memory then grows with n and not with n · `substeps`.

    Returns:
        `(q [n + 1, d], y [n + 1, d])`; NaN or infinite from where the motion runs away.

    Raises:
        ValueError: times that do not rise or are fewer than two, an unknown method.
    """
    times = common.times(q, y, times)
    _inputs.choice("method", method, METHODS)
    _inputs.count(substeps=substeps)
    q, y = _inputs.state(q, y, ("q", "y"))
    # traced once, and not at every stage of a step
    slope, change = jax.jit(common.of_shape(slope)), METHODS[method]

    def frame(state, span):
        start, dt = span
        h = dt / substeps

        def step(state, k):
            moved = change(slope, state, h, start + k * h)
            return jax.tree.map(lambda x, dx: (x + dx).astype(x.dtype), state, moved), None

        # a loop of a few steps runs faster unrolled
        state, _ = jax.lax.scan(step, state, jnp.arange(substeps), unroll=min(substeps, 4))
        return state, state

    frame = jax.checkpoint(frame) if recompute else frame
    _, states = jax.lax.scan(frame, (q, y), (times[:-1], jnp.diff(times)))
    return jax.tree.map(lambda first, rest: jnp.vstack([first, rest]), (q, y), states)


def _rk4_rollout(slope, start, dt, steps, substeps, t):
    h = dt / substeps

    def step(state, lost, k):
        change = _rk4_change(slope, state, h, _inputs.time(t + k * h, state[0]))
        change = jax.tree.map(jnp.add, change, lost)
        after = jax.tree.map(jnp.add, state, change)
        return after, jax.tree.map(lambda x, y, dx: dx - (y - x), state, after, change)

    zero = jax.tree.map(jnp.zeros_like, start)
    states = common.scan(step, (start, zero), steps, substeps)[0]
    _require_finite(states, slope, dt, t)
    return states


def _require_finite(states, slope, dt, t):
    """Raise where a motion ends in NaN."""
    finite = common.finite(states, t)
    if finite.all():
        return
    k = int(finite.argmin()) - 1
    last = [x[k] for x in states]
    where = f"t = {t + k * dt:g}, at ({', '.join(map(common.shown, last))})"
    if np.isfinite(np.hstack(slope(*last, t + k * dt))).all():
        raise FloatingPointError(
            f"the motion is no longer finite after {where}: "
            "it runs away or leaves the states that its equation knows; try more substeps"
        )
    raise FloatingPointError(
        f"the equation of motion has no finite answer at {where}: its mass matrix is singular "
        "there (see mechanics.condition_number), or it does not know that state"
    )
