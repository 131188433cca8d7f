"""Steps that make a discretised action stationary."""

from functools import partial

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, mechanics
from lnn_tutorial.integrate import common


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
    q, p = common.start_of(q, p, dt, names=("q", "p"), t=t)
    _inputs.function("lagrangian", lagrangian)
    _inputs.count(iterations=iterations)
    guess = q if guess is None else _inputs.state(q, guess, names=("q", "guess"))[1]
    found = _variational_step(lagrangian, force, q, p, dt, iterations, t, guess)
    if not common.finite(found).all():
        raise FloatingPointError(
            f"no variational step was found from ({common.shown(q)}, {common.shown(p)}) in "
            f"{iterations} iterations of Newton's method: try a smaller dt, or a guess"
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
    q, q_dot = common.start_of(q, q_dot, dt, steps, substeps, t=t)
    _inputs.function("lagrangian", lagrangian)
    h = dt / substeps
    now = {"t": _inputs.time(t, q)} if mechanics.takes_time(lagrangian) else {}
    p = mechanics.momentum(lagrangian)(q, q_dot, **now)

    def step(state, before, k):
        now = _inputs.time(t + k * h, state[0])
        guess = 2 * state[0] - before
        after = _variational_step(lagrangian, force, *state, h, iterations, now, guess)
        return after, state[0]

    states, _ = common.scan(step, ((q, p), q - h * q_dot), steps, substeps)
    finite = common.finite(states, t)
    if not finite.all():
        k = int(finite.argmin()) - 1
        raise FloatingPointError(
            f"no variational step was found after t = {t + k * dt:g}, "
            f"at ({common.shown(states[0][k])}, {common.shown(states[1][k])}): try more substeps"
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
    times = common.times(q, q_dot, times)
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
