"""Steps that make a discretised action stationary."""

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, mechanics
from lnn_tutorial.integrate import common, discrete


def variational_step(lagrangian, q, p, dt, iterations=5, *, order=2, force=None, t=0.0, guess=None):
    r"""One step of a variational integrator: the discretised action is stationary.

    Solves p = −∂𝓛_d/∂q₀ − ½ dt Q for q₁ by Newton's method and returns p₁ = ∂𝓛_d/∂q₁ + ½ dt Q,
    with a generalised force Q, if there is one, taken in the middle of the step (the discrete
    Lagrange–d'Alembert principle). 𝓛_d is the action of a straight line by the midpoint rule, of
    second order; or, with `order=4`, that of a parabola by Simpson's rule, whose middle makes it
    stationary too. Without a force either is symplectic. The first asks only that
    ∂²𝓛_d/∂q₀∂q₁ (with a force + ½ dt ∂Q/∂q₁) can be inverted: a Lagrangian without a mass matrix,
    such as that of vortices or of a massless charge in a magnetic field, will do.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`; of `t` too, if it depends on time.
        q, p: position and canonical momentum.
        dt: the step, in seconds.
        iterations: of Newton's method.
        order: 2 or 4.
        force: function `(q [d], q_dot [d]) -> Q [d]`; of `t` too, if it depends on time.
        t: the time of the state, in seconds.
        guess: where Newton's method begins `[d]`, by default at q. It must be a step from q that
            𝓛 knows: for a particle near the speed of light, say, one of about its velocity.

    Returns:
        `(q, p)` a step later.

    Raises:
        FloatingPointError: Newton's method did not settle (inside of `jit` or `vmap` its values
            are NaN).

    Source: Marsden & West (2001), Sections 1.5, 2.6 and 3.2, position-momentum form.
    """
    rule = _rule(order)
    q, p = common.start_of(q, p, dt, names=("q", "p"), t=t)
    _inputs.function("lagrangian", lagrangian)
    _inputs.count(iterations=iterations)
    guess = q if guess is None else _inputs.state(q, guess, names=("q", "guess"))[1]
    found = _variational_step(rule, lagrangian, force, q, p, dt, iterations, t, guess)
    if not common.finite(found).all():
        raise FloatingPointError(
            f"no variational step was found from ({common.shown(q)}, {common.shown(p)}) in "
            f"{iterations} iterations of Newton's method: try a smaller dt, or a guess"
        )
    return found


def _rule(order):
    if order not in discrete.RULES:
        raise ValueError(f"expected order 2 or 4, got {order!r}")
    return discrete.RULES[order]


def _variational_step(rule, lagrangian, force, q, p, dt, iterations, t, guess):
    """`(q, p)` a step later; unknown are the nodes of the polynomial after q, the last one q₁."""

    def slope(unknown):
        """The derivative of the action by each node, with the work of the force."""
        nodes = jnp.concatenate([q, unknown]).reshape(-1, q.size)
        found = jax.grad(lambda nodes: discrete.action(rule, lagrangian, nodes, dt, t))(nodes)
        if force is not None:
            pushes = discrete.along(rule, force, nodes, dt, t)
            for weight, share, push in zip(rule.weights, rule.q, pushes, strict=True):
                push = _inputs.like_q("force", lambda _, push=push: push)(q)
                found += dt * jnp.asarray(weight * share, q.dtype)[:, None] * push
        return found

    def miss(unknown):
        found = slope(unknown)
        return found[:-1].at[0].add(p).reshape(-1)

    def newton(_, found):
        unknown, *_ = found
        matrix = jax.jacobian(miss)(unknown)
        change = jnp.linalg.solve(matrix, miss(unknown))
        return tuple(x.astype(q.dtype) for x in (unknown - change, change, matrix))

    count = rule.q.shape[1] - 1
    on_the_way = jnp.arange(1, count + 1, dtype=q.dtype)[:, None] / count
    begin = (q + on_the_way * (guess - q)).astype(q.dtype).reshape(-1)
    found = begin, begin, jnp.eye(begin.size, dtype=q.dtype)
    unknown, *last = jax.lax.fori_loop(0, iterations, newton, found)
    step, start = unknown - jnp.tile(q, count), jnp.pad(p, (0, begin.size - q.size))
    unknown = jnp.where(_settled(unknown, step, start, *last), unknown, jnp.nan)
    return unknown[-q.size :], slope(unknown)[-1].astype(q.dtype)


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
    lagrangian, q, q_dot, *, dt, steps, substeps=1, order=2, force=None, t=0.0, iterations=5
):
    r"""The motion from one start, by a variational integrator, see `variational_step`.

    Each step begins Newton's method from the step before it.

    Args:
        lagrangian: function `(q [d], q_dot [d]) -> scalar`; of `t` too, if it depends on time. Its
            mass matrix may be singular, see `variational_step`.
        q, q_dot: the start.
        dt, steps, substeps, t: as in `rollout`.
        order, force, iterations: as in `variational_step`.

    Returns:
        `(q [steps + 1, d], p [steps + 1, d])`: positions and canonical momenta.

    Raises:
        FloatingPointError: Newton's method did not settle (inside of `jit` or `vmap` the values
            are NaN from there).
    """
    rule = _rule(order)
    q, q_dot = common.start_of(q, q_dot, dt, steps, substeps, t=t)
    _inputs.function("lagrangian", lagrangian)
    h = dt / substeps
    now = {"t": _inputs.time(t, q)} if mechanics.takes_time(lagrangian) else {}
    p = mechanics.momentum(lagrangian)(q, q_dot, **now)

    def step(state, before, k):
        now = _inputs.time(t + k * h, state[0])
        guess = 2 * state[0] - before
        after = _variational_step(rule, lagrangian, force, *state, h, iterations, now, guess)
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
    lagrangian, q, q_dot, times, *, substeps=1, order=2, force=None, iterations=3, recompute=False
):
    r"""The motion from one start through given times by variational steps, with its velocities.

    A velocity is the one that has the momentum, ∂𝓛/∂q̇(q, q̇) = p, found by Newton's method from the
    mean velocity of the last step.

    Args:
        lagrangian, q, q_dot, order, force: as in `variational_rollout`; the mass matrix must be
            invertible.
        times, substeps, recompute: as in `through`.
        iterations: of Newton's method, for each step and each velocity.

    Returns:
        `(q [n + 1, d], q_dot [n + 1, d])`; NaN from where no step was found.
    """
    rule = _rule(order)
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
            after = _variational_step(rule, lagrangian, force, q, p, h, iterations, now, guess)
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
