"""Motions by other people's solvers: SciPy for a reference, diffrax for steps of its own choice."""

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

from lnn_tutorial import _inputs
from lnn_tutorial.integrate import common


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
    q, q_dot = common.start_of(q, q_dot, dt, steps, t=t)
    if any(isinstance(x, jax.core.Tracer) for x in (q, q_dot, dt, t)):
        raise TypeError("reference runs in SciPy: call it outside of jit, vmap and grad")
    tolerance = 1e-12 if jax.config.jax_enable_x64 else 1e-6
    rtol, atol = (tolerance if x is None else x for x in (rtol, atol))
    _inputs.positive(rtol=rtol, atol=atol)
    _inputs.function("acceleration", acceleration)
    d, times = q.size, t + dt * np.arange(steps + 1)
    field = jax.jit(common.vector_field(acceleration))

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
    times = common.times(q, y, times)
    _inputs.positive(rtol=rtol, atol=atol)
    _inputs.count(most=most)
    q, y = _inputs.state(q, y, ("q", "y"))
    slope = jax.jit(common.of_shape(slope))  # traced once
    # Some adjoints differentiate by arguments alone, not by what a function closes over.
    field, parameters = jax.closure_convert(lambda t, x: slope(*x, t), times[0], (q, y))
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(lambda t, state, args: field(t, state, *args)),
        diffrax.Tsit5() if solver is None else solver,
        t0=times[0],
        t1=times[-1],
        dt0=None,
        y0=(q, y),
        args=parameters,
        saveat=diffrax.SaveAt(ts=times),
        stepsize_controller=diffrax.PIDController(rtol=rtol, atol=atol),
        adjoint=diffrax.RecursiveCheckpointAdjoint() if adjoint is None else adjoint,
        max_steps=most,
        throw=False,
    )
    return solution.ys
