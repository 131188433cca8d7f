"""What is made small where motions were measured: the losses of windows."""

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, data, integrate, mechanics
from lnn_tutorial.models import forces
from lnn_tutorial.train.losses import root

STARTS = ("measured", "free")
"""Where the motion of a window begins, at its first frame or where it fits all frames best."""

SOLVERS = (*integrate.METHODS, "variational")
"""Solvers of `motion_loss` by name."""


def motion_loss(
    model,
    *,
    solver="rk4",
    substeps=1,
    starts="measured",
    scale=0.5,
    position_scale=None,
    velocity_scale=None,
    recompute=False,
):
    r"""The mean loss of a model's motions over windows of measured ones.

    From the start of a window the model is followed through its frames. With dₖ the distance from
    the measured state at frame k and d their root mean square,

        dₖ² = ‖(q̂ₖ − qₖ)/q₀‖² + ‖(q̂̇ₖ − q̇ₖ)/v₀‖²,    loss = d / √(s² + d²),

    which is below 1 however far a motion strays. Angles are compared around the circle. Where no
    velocities were measured, positions alone are compared.

    A free start is the one whose motion fits all frames of the window best, found by Gauss–Newton
    steps from the first frame: two for all of the window, and before them, where it is long, one
    for its first quarter and one for its first half. As d does not change with it to first order,
    the derivative by the parameters is taken with the start held fixed.

    Args:
        model: anything with `slopes(params, q, q_dot)`, or with `acceleration` of the same; a
            context and a torque come as further arguments, and the time as `t` where it is asked
            for. Between two frames a torque is linear.
        solver: a name in `SOLVERS`, where `"variational"` is for models with a Lagrangian; or a
            function `(slope, q, q_dot, times) -> (q [K + 1, d], q_dot [K + 1, d])`, such as
            `integrate.adaptive`.
        substeps: steps of a named solver from one frame to the next.
        starts: a name in `STARTS`; without measured velocities only `"free"` will do.
        scale: s, a distance that counts as far.
        position_scale: q₀, by default the model's, or 1; a number or one for each coordinate.
        velocity_scale: v₀, likewise.
        recompute: as in `integrate.through`: memory of frames, not of steps.

    Returns:
        Function `(params, data.Window of arrays [n, …]) -> scalar`. It raises TypeError for another
        batch, and ValueError where velocities are needed and not there.

    Source: multiple shooting is Bock's (1983); that a best start need not be differentiated,
    Golub & Pereyra (1973).
    """
    _inputs.choice("starts", starts, STARTS)
    _inputs.positive(scale=scale)
    _inputs.count(substeps=substeps)
    follow = _follower(model, solver, substeps, recompute)
    dim = getattr(model, "dim", None)
    q_scale = _scale("position_scale", position_scale, model, dim)
    v_scale = _scale("velocity_scale", velocity_scale, model, dim)
    angles = jnp.asarray(getattr(model, "angles", ()) or False)

    def around(away):
        """A distance of positions, that of angles around the circle."""
        return jnp.where(angles, (away + jnp.pi) % (2 * jnp.pi) - jnp.pi, away)

    def misses(params, window, q, q_dot):
        """How far the motion from a start is from each frame, `[K + 1, 2d]` or `[K + 1, d]`."""
        found_q, found_q_dot = follow(params, window, q, q_dot)
        miss = around(found_q - window.q) / q_scale
        if window.q_dot is None:
            return miss
        return jnp.hstack([miss, (found_q_dot - window.q_dot) / v_scale])

    def first(window):
        if window.q_dot is not None:
            return window.q[0], window.q_dot[0]
        if starts == "measured":
            raise ValueError(
                "expected measured velocities to start from: without them say starts='free'"
            )
        return window.q[0], around(window.q[1] - window.q[0]) / window.t[1]

    def best(params, window, q, q_dot):
        d = q.size
        if window.q_dot is None and len(window.q) < 3:
            raise ValueError(
                "expected windows of two frames or more after the first one where no velocities "
                f"were measured, got {len(window.q) - 1}"
            )

        def residual(start, part):
            return misses(params, part, start[:d], start[d:]).ravel()

        start = jnp.concatenate([q, q_dot])
        # diffrax only goes back; a named solver is quicker forwards, with few unknowns
        jacobian = jax.jacrev if callable(solver) else jax.jacfwd
        for part in _parts(window):
            r, slope = residual(start, part), jacobian(residual)(start, part)
            normal = slope.T @ slope
            normal += 1e-6 * jnp.trace(normal) * jnp.eye(2 * d, dtype=start.dtype)
            start = start - jnp.linalg.solve(normal, slope.T @ r)
        return start[:d], start[d:]

    def one(params, window):
        start = first(window)
        if starts == "free":
            held = jax.lax.stop_gradient(params)
            start = jax.lax.stop_gradient(best(held, window, *start))
        miss = misses(params, window, *start)
        miss = miss if starts == "free" else miss[1:]
        far = jnp.sum(miss**2) / len(miss)
        return root(far / (scale**2 + far))

    def each(params, batch):
        if not isinstance(batch, data.Window):
            raise TypeError(
                "expected a data.Window, such as data.motions(…).windows(K) draws, "
                f"got {type(batch).__name__}"
            )
        return jax.vmap(one, (None, 0))(params, batch)

    def loss(params, batch):
        return each(params, batch).mean()

    loss.bounded, loss.each = True, each
    return loss


def _parts(window):
    """Beginnings of a window that a free start is fitted to, one after the other, all of it twice.

    Over a long window a motion from two noisy frames' velocity may end where no Gauss–Newton step
    leads back from; over a quarter of it, it does not.
    """
    steps = len(window.t) - 1
    lengths = [steps // share for share in (4, 2) if steps // share >= 6]
    framed = ("t", "q", "q_dot", "torque")

    def beginning(steps):
        cut = {name: getattr(window, name) for name in framed}
        cut = {name: None if x is None else x[: steps + 1] for name, x in cut.items()}
        return window._replace(**cut)

    return [*map(beginning, lengths), window, window]


def _scale(name, given, model, dim):
    found = getattr(model, name, 1.0) if given is None else given
    return jnp.asarray(_inputs.scale(name, found, dim))


def _follower(model, solver, substeps, recompute):
    """Function `(params, window, q, q_dot) -> (q, q_dot)` at the window's frames."""
    if not callable(solver):
        _inputs.choice("solver", solver, SOLVERS)
    if solver == "variational":
        return _variational(model, substeps, recompute)
    settings = {}
    if not callable(solver):
        settings = {"method": solver, "substeps": substeps, "recompute": recompute}
    follow = solver if callable(solver) else integrate.through
    slopes = getattr(model, "slopes", None)
    if slopes is None:
        _inputs.function("model.acceleration", getattr(model, "acceleration", None))
        law = model.acceleration
        timed = mechanics.takes_time(law)
    else:
        law, timed = slopes, mechanics.takes_time(slopes)

    def motion(params, window, q, q_dot):
        torque = None if window.torque is None else forces.linear(window.t, window.torque)

        def slope(q, q_dot, t):
            beside = [] if window.context is None and torque is None else [window.context]
            beside += [] if torque is None else [torque(t)]
            found = law(params, q, q_dot, *beside, **({"t": window.begins + t} if timed else {}))
            return found if slopes is not None else (q_dot, found)

        return follow(slope, q, q_dot, window.t, **settings)

    return motion


def _variational(model, substeps, recompute):
    _inputs.function("model.lagrangian", getattr(model, "lagrangian", None))

    def motion(params, window, q, q_dot):
        torque = None if window.torque is None else forces.linear(window.t, window.torque)

        def lagrangian(q, q_dot):
            return model.lagrangian(params, q, q_dot, window.context)

        def force(q, q_dot, t):
            beside = [window.context] + ([] if torque is None else [torque(t)])
            return model.generalised_force(params, q, q_dot, *beside)

        return integrate.variational_through(
            lagrangian,
            q,
            q_dot,
            window.t,
            substeps=substeps,
            force=force if getattr(model, "forces", ()) else None,
            recompute=recompute,
        )

    return motion
