r"""Motion from equations of motion: fixed steps as one compiled scan, and a reference from SciPy.

`rollout` steps an acceleration with the classical Runge–Kutta method, for any model; `flow` does
the same for first-order equations, such as Hamilton's. `through` and `adaptive` follow these
through given times, which need not be equally far apart: by fixed steps, which training goes back
through, or by diffrax, which chooses its own. `variational_rollout` steps a Lagrangian by
making a discretised action stationary: symplectic, so that without forces and with small steps the
energy error does not grow over very long times. All can be jitted, mapped over starts and
differentiated. `reference` is SciPy's DOP853 in float64, an independent oracle.

What depends on time has an argument named `t`, as in `mechanics`; the motion then begins at the
time `t` that a rollout is given, and every stage of a step is told its own.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from lnn_tutorial import _inputs, mechanics


def double_precision():
    """A `with` block in which JAX computes in float64, where single digits would be too few.

    Arrays from outside keep their type: hand them in as NumPy arrays, or convert them inside.
    """
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return switch(True)


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
    q, q_dot = _start(q, q_dot, dt, t=t)
    _inputs.function("acceleration", acceleration)
    dq, dq_dot = _rk4_change(_second_order(acceleration), (q, q_dot), dt, t)
    # A finer dt or constant must not change the precision of the state.
    return q + dq.astype(q.dtype), q_dot + dq_dot.astype(q_dot.dtype)


def _second_order(acceleration):
    """The slope (q̇, q̈) of a state (q, q̇) at a time."""
    acceleration = _vector_field(acceleration)
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
"""How a state (q, y) changes in one step, by name: the explicit methods of Euler, of Heun and of
Runge and Kutta, whose error after a given time is O(dt), O(dt²) and O(dt⁴)."""


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
    start = _start(q, q_dot, dt, steps, substeps, t=t)
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
    start = _start(q, y, dt, steps, substeps, names=("q", "y"), t=t)
    _inputs.function("slope", slope)
    return _rk4_rollout(_of_shape(slope), start, dt, steps, substeps, t)


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
    times = _times(q, y, times)
    _inputs.choice("method", method, METHODS)
    _inputs.count(substeps=substeps)
    q, y = _inputs.state(q, y, ("q", "y"))
    slope, change = _of_shape(slope), METHODS[method]

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


def adaptive(slope, q, y, times, *, rtol=1e-5, atol=1e-5, solver=None, adjoint=None, most=4096):
    r"""The motion from one start through given times, by diffrax with steps of its own choice.

    Needs `pip install diffrax`.

    Args:
        slope, q, y, times: as in `through`.
        rtol, atol: error allowed in a step, relative and absolute.
        solver: one of diffrax's; by default `diffrax.Tsit5()`, of fifth order.
        adjoint: how diffrax goes back, such as `diffrax.BacksolveAdjoint()`; by default
            `diffrax.RecursiveCheckpointAdjoint()`.
        most: steps after which it gives up.

    Returns:
        `(q [n + 1, d], y [n + 1, d])`; infinite from where diffrax gave up.

    Raises:
        ImportError: diffrax is not installed.
        ValueError: as `through`.

    Source: Kidger (2021); Tsitouras (2011).
    """
    try:
        import diffrax
    except ImportError as error:
        raise ImportError("expected diffrax beside this package: pip install diffrax") from error
    times = _times(q, y, times)
    _inputs.positive(rtol=rtol, atol=atol)
    _inputs.count(most=most)
    q, y = _inputs.state(q, y, ("q", "y"))
    slope = _of_shape(slope)
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, state, _: slope(*state, t)),
        diffrax.Tsit5() if solver is None else solver,
        t0=times[0],
        t1=times[-1],
        dt0=None,
        y0=(q, y),
        saveat=diffrax.SaveAt(ts=times),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
        adjoint=diffrax.RecursiveCheckpointAdjoint() if adjoint is None else adjoint,
        max_steps=most,
        throw=False,
    )
    return solution.ys


def _times(q, y, times):
    """Times that a motion is followed through, as an array of the precision of its state."""
    dtype = jnp.result_type(jnp.asarray(q), jnp.asarray(y))
    if not isinstance(times, jax.core.Tracer):
        exact = np.asarray(times)
        if exact.ndim != 1 or len(exact) < 2 or exact.dtype.kind not in "iuf":
            raise ValueError(f"expected two times or more, [n + 1], got {times!r}")
        rising = np.diff(exact) > 0
        if not (np.isfinite(exact).all() and rising.all()):
            k = int(rising.argmin())
            raise ValueError(f"expected times that rise, got {exact[k]} and then {exact[k + 1]}")
    return jnp.asarray(times, dtype)


def _rk4_rollout(slope, start, dt, steps, substeps, t):
    h = dt / substeps

    def step(state, lost, k):
        change = _rk4_change(slope, state, h, _inputs.time(t + k * h, state[0]))
        change = jax.tree.map(jnp.add, change, lost)
        after = jax.tree.map(jnp.add, state, change)
        return after, jax.tree.map(lambda x, y, dx: dx - (y - x), state, after, change)

    zero = jax.tree.map(jnp.zeros_like, start)
    states = _scan(step, (start, zero), steps, substeps)[0]
    _require_finite(states, slope, dt, t)
    return states


def _require_finite(states, slope, dt, t):
    """Raise where a motion ends in NaN."""
    finite = _finite(states, t)
    if finite.all():
        return
    k = int(finite.argmin()) - 1
    last = [x[k] for x in states]
    where = f"t = {t + k * dt:g}, at ({', '.join(map(_shown, last))})"
    if np.isfinite(np.hstack(slope(*last, t + k * dt))).all():
        raise FloatingPointError(
            f"the motion is no longer finite after {where}: "
            "it runs away or leaves the states that its equation knows; try more substeps"
        )
    raise FloatingPointError(
        f"the equation of motion has no finite answer at {where}: its mass matrix is singular "
        "there (see mechanics.condition_number), or it does not know that state"
    )


def _finite(states, t=0.0):
    """Which states of a motion are finite; inside of jit or vmap that is left to the caller."""
    if any(isinstance(x, jax.core.Tracer) for x in (*states, t)):
        return np.array([True])
    return np.isfinite(np.hstack(states)).all(axis=-1)


def _shown(x):
    """A vector in words, a long one by its ends."""
    return np.array2string(np.asarray(x), precision=6, threshold=6, edgeitems=2)


def discrete_lagrangian(lagrangian, q_now, q_next, dt, t=0.0):
    r"""The action of one step by the midpoint rule, 𝓛_d = dt · 𝓛(½(q₀ + q₁), (q₁ − q₀)/dt).

    Where 𝓛 depends on time, it is taken in the middle as well, at t + ½ dt.

    Source: Marsden & West (2001), Section 1.1.
    """
    return dt * _at_the_middle(lagrangian, q_now, q_next, dt, t)


def _at_the_middle(function, q_now, q_next, dt, t):
    """A function of a state, and of the time if need be, halfway through a step."""
    middle = (q_now + q_next) / 2, (q_next - q_now) / dt
    if mechanics.takes_time(function):
        return function(*middle, t=t + dt / 2)
    return function(*middle)


def variational_step(lagrangian, q, p, dt, iterations=5, *, force=None, t=0.0, guess=None):
    r"""One step of the variational midpoint integrator: the discretised action is stationary.

    Solves p = −∂𝓛_d/∂q₀ − ½ dt Q for q₁ by Newton's method and returns p₁ = ∂𝓛_d/∂q₁ + ½ dt Q,
    with a generalised force Q, if there is one, taken in the middle of the step (the discrete
    Lagrange–d'Alembert principle). Second order; without a force symplectic. It asks only that
    ∂²𝓛_d/∂q₀∂q₁ (with a force + ½ dt ∂Q/∂q₁) can be inverted: a Lagrangian without a mass matrix,
    such as that of vortices or of a massless charge in a magnetic field, will do.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`; of `t` too, if it depends on time.
        q, p: position and canonical momentum.
        dt: the step, in seconds.
        iterations: of Newton's method.
        force: function `(q [d], q_dot [d]) -> Q [d]`; of `t` too, if it depends on time.
        t: the time of the state, in seconds.
        guess: where Newton's method begins `[d]`, by default at q. It must be a step from q that
            𝓛 knows: for a particle near the speed of light, say, one of about its velocity.

    Returns:
        `(q, p)` a step later.

    Raises:
        FloatingPointError: Newton's method did not settle (inside of `jit` or `vmap` its values
            are NaN).

    Source: Marsden & West (2001), Sections 1.5 and 3.2, position-momentum form.
    """
    q, p = _start(q, p, dt, names=("q", "p"), t=t)
    _inputs.function("lagrangian", lagrangian)
    _inputs.count(iterations=iterations)
    guess = q if guess is None else _inputs.state(q, guess, names=("q", "guess"))[1]
    found = _variational_step(lagrangian, force, q, p, dt, iterations, t, guess)
    if not _finite(found).all():
        raise FloatingPointError(
            f"no variational step was found from ({_shown(q)}, {_shown(p)}) in {iterations} "
            "iterations of Newton's method: try a smaller dt, or a guess"
        )
    return found


def _variational_step(lagrangian, force, q, p, dt, iterations, t, guess):
    d_now, d_next = (
        jax.grad(partial(discrete_lagrangian, lagrangian, dt=dt, t=t), argnums=i) for i in (0, 1)
    )

    def push(q_next):
        """What the force adds to the momentum in half a step."""
        if force is None:
            return jnp.zeros_like(q)
        pushed = partial(_at_the_middle, force, dt=dt, t=t)
        return dt / 2 * _inputs.like_q("force", pushed)(q, q_next)

    def miss(q_next):
        return p + d_now(q, q_next) + push(q_next)

    def newton(_, found):
        q_next, *_ = found
        slope = jax.jacobian(miss)(q_next)
        change = jnp.linalg.solve(slope, miss(q_next))
        return tuple(x.astype(q.dtype) for x in (q_next - change, change, slope))

    guess = guess.astype(q.dtype)
    found = guess, guess, jnp.eye(q.size, dtype=q.dtype)
    q_next, *last = jax.lax.fori_loop(0, iterations, newton, found)
    q_next = jnp.where(_settled(q_next, q_next - q, p, *last), q_next, jnp.nan)
    return q_next, (d_next(q, q_next) + push(q_next)).astype(q.dtype)


def _settled(q, step, p, change, slope):
    """Whether Newton's method has found a step: its own shrink as squares, so half of the digits in
    the last change are all of them after it.

    What has digits is the step, or at rest the one that p alone would make. Beside these there is
    the rounding of q, which reaches one coordinate from another by |J⁻¹| |J| (Skeel's condition).
    """
    eps, tiny = (float(getattr(jnp.finfo(q.dtype), name)) for name in ("eps", "tiny"))
    inverse = jnp.linalg.solve(slope, jnp.eye(q.size, dtype=q.dtype))
    size = (jnp.abs(step) + jnp.abs(inverse @ p)).max()
    rounding = jnp.abs(inverse) @ (jnp.abs(slope) @ jnp.abs(q))
    return (jnp.abs(change) <= eps**0.5 * size + 4 * eps * rounding + tiny / eps).all()


def variational_rollout(
    lagrangian, q, q_dot, *, dt, steps, substeps=1, force=None, t=0.0, iterations=5
):
    r"""The motion from one start, by the variational midpoint integrator.

    Each step begins Newton's method from the step before it.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`; of `t` too, if it depends on time. Its
            mass matrix may be singular, see `variational_step`.
        q, q_dot: the start.
        dt, steps, substeps, t: as in `rollout`.
        force, iterations: as in `variational_step`.

    Returns:
        `(q [steps + 1, d], p [steps + 1, d])`: positions and canonical momenta.

    Raises:
        FloatingPointError: Newton's method did not settle (inside of `jit` or `vmap` the values
            are NaN from there).
    """
    q, q_dot = _start(q, q_dot, dt, steps, substeps, t=t)
    _inputs.function("lagrangian", lagrangian)
    h = dt / substeps
    now = {"t": _inputs.time(t, q)} if mechanics.takes_time(lagrangian) else {}
    p = mechanics.momentum(lagrangian)(q, q_dot, **now)

    def step(state, before, k):
        now = _inputs.time(t + k * h, state[0])
        guess = 2 * state[0] - before
        after = _variational_step(lagrangian, force, *state, h, iterations, now, guess)
        return after, state[0]

    states, _ = _scan(step, ((q, p), q - h * q_dot), steps, substeps)
    finite = _finite(states, t)
    if not finite.all():
        k = int(finite.argmin()) - 1
        raise FloatingPointError(
            f"no variational step was found after t = {t + k * dt:g}, "
            f"at ({_shown(states[0][k])}, {_shown(states[1][k])}): try more substeps"
        )
    return states


def variational_through(
    lagrangian, q, q_dot, times, *, substeps=1, force=None, iterations=3, recompute=False
):
    r"""The motion from one start through given times by variational steps, with its velocities.

    A velocity is the one that has the momentum, ∂𝓛/∂q̇(q, q̇) = p, found by Newton's method from the
    mean velocity of the last step.

    Args:
        lagrangian, q, q_dot, force: as in `variational_rollout`; the mass matrix must be
            invertible.
        times, substeps, recompute: as in `through`.
        iterations: of Newton's method, for each step and each velocity.

    Returns:
        `(q [n + 1, d], q_dot [n + 1, d])`; NaN from where no step was found.
    """
    times = _times(q, q_dot, times)
    _inputs.count(substeps=substeps, iterations=iterations)
    q, q_dot = _inputs.state(q, q_dot)
    _inputs.function("lagrangian", lagrangian)
    p = mechanics.momentum(lagrangian)
    if mechanics.takes_time(lagrangian):
        raise ValueError("expected a Lagrangian that does not depend on time")

    def velocity(q, wanted, guess):
        def newton(_, v):
            return v - jnp.linalg.solve(jax.jacobian(p, 1)(q, v), p(q, v) - wanted)

        return jax.lax.fori_loop(0, iterations, newton, guess)

    def frame(state, span):
        start, dt = span
        h = dt / substeps

        def step(state, k):
            q, p, before = state
            now, guess = start + k * h, 2 * q - before
            after = _variational_step(lagrangian, force, q, p, h, iterations, now, guess)
            return (*after, q), None

        q, q_dot, last = state
        start_of = q, p(q, q_dot), q - h * last
        (q, wanted, before), _ = jax.lax.scan(step, start_of, jnp.arange(substeps))
        mean = (q - before) / h
        after = q, velocity(q, wanted, mean), mean
        return after, after[:2]

    frame = jax.checkpoint(frame) if recompute else frame
    _, states = jax.lax.scan(frame, (q, q_dot, q_dot), (times[:-1], jnp.diff(times)))
    return jax.tree.map(lambda first, rest: jnp.vstack([first, rest]), (q, q_dot), states)


def reference(acceleration, q, q_dot, *, dt, steps, t=0.0, rtol=None, atol=None):
    r"""The motion from one start by SciPy's DOP853 with tight tolerances: slow and trustworthy.

    Enable float64 in JAX (`jax.config.update("jax_enable_x64", True)`), or the acceleration
    itself is good to seven digits only and tight tolerances make SciPy labour at its noise.

    Args:
        acceleration: function `(q [d], q_dot [d]) -> q_ddot [d]`.
        q, q_dot, dt, steps, t: as in `rollout`.
        rtol, atol: error allowed in a step; by default 1e-12, and 1e-6 without float64 in JAX.

    Returns:
        `(q [steps + 1, d], q_dot [steps + 1, d])`, NumPy float64.

    Raises:
        RuntimeError: when the acceleration is not finite or SciPy gives up; the message says
            where and why.
    """
    q, q_dot = _start(q, q_dot, dt, steps, t=t)
    if any(isinstance(x, jax.core.Tracer) for x in (q, q_dot, dt, t)):
        raise TypeError("reference runs in SciPy: call it outside of jit, vmap and grad")
    tolerance = 1e-12 if jax.config.jax_enable_x64 else 1e-6
    rtol, atol = (tolerance if x is None else x for x in (rtol, atol))
    _inputs.positive(rtol=rtol, atol=atol)
    _inputs.function("acceleration", acceleration)
    d, times = q.size, t + dt * np.arange(steps + 1)
    field = jax.jit(_vector_field(acceleration))

    def slope(t, x):
        q, q_dot = jnp.asarray(x[:d]), jnp.asarray(x[d:])
        slope = np.concatenate([x[d:], np.asarray(field(q, q_dot, jnp.asarray(t, q.dtype)))])
        if not np.isfinite(slope).all():  # SciPy would go on for ever
            raise RuntimeError(f"at t = {t:g} the motion is not finite: (q, q_dot)' = {slope}")
        return slope

    start = np.concatenate([q, q_dot]).astype(np.float64)
    solution = solve_ivp(
        slope, times[[0, -1]], start, method="DOP853", t_eval=times, rtol=rtol, atol=atol
    )
    if not solution.success:
        raise RuntimeError(f"DOP853 stopped after {len(solution.t)} frames: {solution.message}")
    return solution.y[:d].T, solution.y[d:].T


def _start(q, q_dot, dt, steps=1, substeps=1, names=("q", "q_dot"), t=0.0):
    """The start as two vectors of one shape, with all that a motion is given checked."""
    _inputs.number(dt=dt, t=t)
    if not isinstance(dt, jax.core.Tracer) and dt == 0:
        raise ValueError("expected a step dt other than zero, got 0")
    _inputs.count(steps=steps, substeps=substeps)
    return _inputs.state(q, q_dot, names)


def _vector_field(acceleration):
    """`acceleration(q, q_dot, t)`, with a clear error where it returns no vector like `q`."""
    return _inputs.like_q("acceleration", _of_time(acceleration))


def _of_time(function):
    """A function of two vectors and the time, which is handed on if it is asked for."""
    if mechanics.takes_time(function):
        return lambda q, y, t: function(q, y, t=t)
    return lambda q, y, t: function(q, y)


def _of_shape(slope):
    """`slope(q, y, t)`, with a clear error where it does not return two vectors like `q`."""
    slope = _of_time(slope)

    def field(q, y, t):
        found = slope(q, y, t)
        shapes = [jnp.shape(x) for x in found] if isinstance(found, (tuple, list)) else type(found)
        if shapes != [q.shape, q.shape]:
            raise ValueError(f"expected slope to return two of q's shape {q.shape}, got {shapes}")
        return tuple(found)

    return field


def _scan(step, start, steps, substeps):
    """A pytree at the start and after every `substeps` of `step(*state, k)`, k counting them."""

    def frame(state, n):
        def substep(i, state):
            # A finer dt or constant must not change the precision of the motion.
            after = step(*state, n * substeps + i)
            return jax.tree.map(lambda new, old: new.astype(old.dtype), after, state)

        state = jax.lax.fori_loop(0, substeps, substep, state)
        return state, state

    _, states = jax.lax.scan(frame, start, jnp.arange(steps))
    return jax.tree.map(lambda first, rest: jnp.vstack([first, rest]), start, states)
