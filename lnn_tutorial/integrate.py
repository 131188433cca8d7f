r"""Motion from equations of motion: fixed steps as one compiled scan, and a reference from SciPy.

`rollout` steps an acceleration with the classical Runge–Kutta method, for any model; `flow` does
the same for first-order equations, such as Hamilton's. `variational_rollout` steps a Lagrangian by
making a discretised action stationary: symplectic, so that the energy error stays bounded over any
time. All can be jitted, mapped over starts and differentiated. `reference` is SciPy's DOP853 in
float64, an independent oracle.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from lnn_tutorial import _inputs


def double_precision():
    """A `with` block in which JAX computes in float64, where single digits would be too few.

    Arrays from outside keep their type: hand them in as NumPy arrays, or convert them inside.
    """
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return switch(True)


def rk4_step(acceleration, q, q_dot, dt):
    r"""One classical Runge–Kutta step of (q, q̇)' = (q̇, q̈); the error of one step is O(dt⁵).

    Args:
        acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`.
        q, q_dot: the state.
        dt: the step, in seconds; negative steps go back in time.

    Returns:
        `(q, q_dot)` a step later.
    """

    q, q_dot = _inputs.state(q, q_dot)
    _step_size(dt)
    _inputs.function("acceleration", acceleration)
    dq, dq_dot = _rk4_change(_second_order(acceleration), (q, q_dot), dt)
    return q + dq, q_dot + dq_dot


def _second_order(acceleration):
    """The slope (q̇, q̈) of a state (q, q̇)."""
    acceleration = _vector_field(acceleration)
    return lambda q, q_dot: (q_dot, acceleration(q, q_dot))


def _rk4_change(slope, state, dt):
    def along(k, dt):
        return slope(*(x + dt * dx for x, dx in zip(state, k, strict=True)))

    k1 = slope(*state)
    k2 = along(k1, dt / 2)
    k3 = along(k2, dt / 2)
    k4 = along(k3, dt)
    return jax.tree.map(lambda a, b, c, d: dt / 6 * (a + 2 * b + 2 * c + d), k1, k2, k3, k4)


def rollout(acceleration, q, q_dot, *, dt, steps, substeps=1):
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

    Returns:
        `(q [steps + 1, d], q_dot [steps + 1, d])` at t = 0, dt, …, steps · dt.

    Raises:
        ValueError: a step of zero, fewer than one step, a start that is not one finite state.
        FloatingPointError: the motion runs away or leaves the states that the acceleration knows
            (inside of `jit` or `vmap` its values are NaN from there).

    Source: the summation is Kahan's (1965).
    """
    q, q_dot = _start(q, q_dot, dt, steps, substeps)
    _inputs.function("acceleration", acceleration)
    return _rk4_rollout(_second_order(acceleration), (q, q_dot), dt, steps, substeps)


def flow(slope, q, y, *, dt, steps, substeps=1):
    r"""The motion from one start by first-order equations, (q, y)' = slope(q, y), by RK4.

    With `mechanics.hamilton_equations(hamiltonian)` for the slope, y is the momentum.

    Args:
        slope: function `(q [d], y [d]) -> (dq/dt [d], dy/dt [d])`.
        q, y: the start.
        dt, steps, substeps: as in `rollout`.

    Returns:
        `(q [steps + 1, d], y [steps + 1, d])`.

    Raises:
        ValueError, FloatingPointError: as `rollout`.
    """
    start = _start(q, y, dt, steps, substeps, names=("q", "y"))
    _inputs.function("slope", slope)
    return _rk4_rollout(_of_shape(slope), start, dt, steps, substeps)


def _rk4_rollout(slope, start, dt, steps, substeps):
    def step(state, lost):
        change = _rk4_change(slope, state, dt / substeps)
        change = jax.tree.map(jnp.add, change, lost)
        after = jax.tree.map(jnp.add, state, change)
        return after, jax.tree.map(lambda x, y, dx: dx - (y - x), state, after, change)

    zero = jax.tree.map(jnp.zeros_like, start)
    states = _scan(step, (start, zero), steps, substeps)[0]
    _require_finite(states, dt)
    return states


def _require_finite(states, dt):
    """Raise where a motion ends in NaN; inside of jit or vmap the NaN are left to the caller."""
    if any(isinstance(x, jax.core.Tracer) for x in states):
        return
    finite = np.isfinite(np.hstack(states)).all(axis=1)
    if not finite.all():
        k = int(finite.argmin())
        last = ", ".join(str(x[k - 1]) for x in states)
        raise FloatingPointError(
            f"the motion is no longer finite after t = {(k - 1) * dt:g}, at ({last}): "
            "it runs away or leaves the states that its equation knows; try more substeps"
        )


def discrete_lagrangian(lagrangian, q_now, q_next, dt):
    r"""The action of one step by the midpoint rule, 𝓛_d = dt · 𝓛(½(q₀ + q₁), (q₁ − q₀)/dt).

    Source: Marsden & West (2001), Section 1.1.
    """
    return dt * lagrangian((q_now + q_next) / 2, (q_next - q_now) / dt)


def variational_step(lagrangian, q, p, dt, iterations=5):
    r"""One step of the variational midpoint integrator: the discretised action is stationary.

    Solves p = −∂𝓛_d/∂q₀ for q₁ by Newton's method and returns p₁ = ∂𝓛_d/∂q₁; second order,
    symplectic, for any regular Lagrangian.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`.
        q, p: position and canonical momentum.
        dt: the step, in seconds.
        iterations: of Newton's method, from the guess q₁ = q.

    Returns:
        `(q, p)` a step later.

    Source: Marsden & West (2001), Section 1.5, position-momentum form.
    """
    q, p = _inputs.state(q, p, names=("q", "p"))
    _step_size(dt)
    _inputs.function("lagrangian", lagrangian)
    _inputs.count(iterations=iterations)
    d_now = jax.grad(partial(discrete_lagrangian, lagrangian, dt=dt), argnums=0)
    d_next = jax.grad(partial(discrete_lagrangian, lagrangian, dt=dt), argnums=1)

    def newton(_, q_next):
        miss = p + d_now(q, q_next)
        return q_next - jnp.linalg.solve(jax.jacobian(d_now, argnums=1)(q, q_next), miss)

    q_next = jax.lax.fori_loop(0, iterations, newton, q)
    return q_next, d_next(q, q_next)


def variational_rollout(lagrangian, q, q_dot, *, dt, steps, substeps=1):
    r"""The motion from one start, by the variational midpoint integrator.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`; its mass matrix must be invertible.
        q, q_dot: the start.
        dt, steps, substeps: as in `rollout`.

    Returns:
        `(q [steps + 1, d], p [steps + 1, d])`: positions and canonical momenta.
    """
    q, q_dot = _start(q, q_dot, dt, steps, substeps)
    _inputs.function("lagrangian", lagrangian)
    p = jax.grad(lagrangian, argnums=1)(q, q_dot)
    step = partial(variational_step, lagrangian, dt=dt / substeps)
    return _scan(step, (q, p), steps, substeps)


def reference(acceleration, q, q_dot, *, dt, steps, rtol=None, atol=None):
    r"""The motion from one start by SciPy's DOP853 with tight tolerances: slow and trustworthy.

    Enable float64 in JAX (`jax.config.update("jax_enable_x64", True)`), or the acceleration
    itself is good to seven digits only and tight tolerances make SciPy labour at its noise.

    Args:
        acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`.
        q, q_dot, dt, steps: as in `rollout`.
        rtol, atol: error allowed in a step; by default 1e-12, and 1e-6 without float64 in JAX.

    Returns:
        `(q [steps + 1, d], q_dot [steps + 1, d])`, NumPy float64.

    Raises:
        RuntimeError: when the acceleration is not finite or SciPy gives up; the message says
            where and why.
    """
    q, q_dot = _start(q, q_dot, dt, steps)
    if any(isinstance(x, jax.core.Tracer) for x in (q, q_dot, dt)):
        raise TypeError("reference runs in SciPy: call it outside of jit, vmap and grad")
    tolerance = 1e-12 if jax.config.jax_enable_x64 else 1e-6
    rtol, atol = (tolerance if x is None else x for x in (rtol, atol))
    _inputs.positive(rtol=rtol, atol=atol)
    _inputs.function("acceleration", acceleration)
    d, times, field = q.size, dt * np.arange(steps + 1), jax.jit(_vector_field(acceleration))

    def slope(t, x):
        slope = np.concatenate([x[d:], np.asarray(field(jnp.asarray(x[:d]), jnp.asarray(x[d:])))])
        if not np.isfinite(slope).all():  # SciPy would go on for ever
            raise RuntimeError(f"at t = {t:g} the motion is not finite: (q, q_dot)' = {slope}")
        return slope

    start = np.concatenate([q, q_dot]).astype(np.float64)
    solution = solve_ivp(
        slope, (0.0, times[-1]), start, method="DOP853", t_eval=times, rtol=rtol, atol=atol
    )
    if not solution.success:
        raise RuntimeError(f"DOP853 stopped after {len(solution.t)} frames: {solution.message}")
    return solution.y[:d].T, solution.y[d:].T


def _start(q, q_dot, dt, steps, substeps=1, names=("q", "q_dot")):
    _step_size(dt)
    _inputs.count(steps=steps, substeps=substeps)
    return _inputs.state(q, q_dot, names)


def _step_size(dt):
    _inputs.number(dt=dt)
    if not isinstance(dt, jax.core.Tracer) and dt == 0:
        raise ValueError("expected a step dt other than zero, got 0")


def _vector_field(acceleration):
    """`acceleration`, with a clear error where it does not return a vector like `q`."""

    def field(q, q_dot):
        q_ddot = acceleration(q, q_dot)
        if getattr(q_ddot, "shape", None) != q.shape:
            got = getattr(q_ddot, "shape", type(q_ddot).__name__)
            raise ValueError(f"expected acceleration to return q's shape {q.shape}, got {got}")
        if jnp.iscomplexobj(q_ddot):
            raise TypeError(f"expected acceleration to return real numbers, got {q_ddot.dtype}")
        return q_ddot

    return field


def _of_shape(slope):
    """`slope`, with a clear error where it does not return two vectors like `q`."""

    def field(q, y):
        found = slope(q, y)
        shapes = [jnp.shape(x) for x in found] if isinstance(found, (tuple, list)) else type(found)
        if shapes != [q.shape, q.shape]:
            raise ValueError(f"expected slope to return two of q's shape {q.shape}, got {shapes}")
        return tuple(found)

    return field


def _scan(step, start, steps, substeps):
    def substep(_, state):
        # A finer dt or constant must not change the precision of the motion.
        return jax.tree.map(lambda new, old: new.astype(old.dtype), step(*state), state)

    def frame(state, _):
        state = jax.lax.fori_loop(0, substeps, substep, state)
        return state, state

    _, states = jax.lax.scan(frame, start, length=steps)
    return jax.tree.map(lambda first, rest: jnp.vstack([first, rest]), start, states)
