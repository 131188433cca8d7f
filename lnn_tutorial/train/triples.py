"""What is made small where positions alone were measured: three in a row and a discrete action."""

from functools import partial

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, data
from lnn_tutorial.integrate.discrete import RULES
from lnn_tutorial.models import forces
from lnn_tutorial.models.from_lagrangian import FromLagrangian
from lnn_tutorial.models.model import overrides
from lnn_tutorial.train.losses import relative_error


def discrete_loss(model, *, order=2, scale=1.0):
    r"""The mean loss of a model's discrete motions over three measured positions in a row.

    From one frame to the next, over a time h, the action is that of a polynomial,

        𝓛_d(q₀, q₁) = h Σᵢ bᵢ 𝓛(qᵢ, q̇ᵢ),

    by the midpoint rule on a straight line, or by Simpson's rule on a parabola whose middle makes
    it stationary. A motion satisfies the discrete Euler–Lagrange equation, with forces the discrete
    Lagrange–d'Alembert equation,

        r = D₂𝓛_d(q₀, q₁) + D₁𝓛_d(q₁, q₂) = 0.

    r itself is not made small: 𝓛 = 0 would do. One Newton step for q₂ from the measured one,
    d = −(∂r/∂q₂)⁻¹ r, says where the model expects it. With the measured second difference a and
    the model's, â = a + 2d / (h₁₂ (h₀₁ + h₁₂)), the loss is that of accelerations
    (`relative_error`), and as bounded.

    What is learned is such that the *discrete* motion is the measured one. It differs from the
    Lagrangian of the system by about h² or h⁴: `integrate.variational_rollout` with the measured
    step moves along the measured motion for order 2, and a fine solver only as h² allows.

    Args:
        model: anything with `lagrangian(params, q, q_dot, context)`, and `generalised_force` where
            it has `forces`.
        order: 2, the midpoint rule; or 4, Simpson's.
        scale: s, a typical acceleration.

    Returns:
        Function `(params, data.Window of two frames after a first one, of arrays [n, …]) ->
        scalar`. Velocities, if any were measured, are not looked at.

    Raises:
        TypeError: the model has no Lagrangian, or an equation of motion of its own; from the
            function, a batch that is not a window.
        ValueError: from the function, windows of another length.

    Source: Marsden & West (2001), Sections 1.3, 2.2 and 3.2; the bounded form is this course's.
    """
    if order not in RULES:
        raise ValueError(f"expected order 2 or 4, got {order!r}")
    _inputs.positive(scale=scale)
    _require_lagrangian(model)
    rule = RULES[order]
    inner = rule.q.shape[1] == 3
    angles = jnp.asarray(getattr(model, "angles", ()) or False)

    def near(q, to):
        """A position with its angles on the side of the circle where another one is."""
        return jnp.where(angles, to + (q - to + jnp.pi) % (2 * jnp.pi) - jnp.pi, q)

    def expected(params, batch):
        """Second differences, by the model and measured, `[n, d]` each.

        All windows go through the network at once, as rows of one matrix: products of many small
        ones would take five times as long.
        """
        dtype, (n, _, d) = batch.q.dtype, batch.q.shape
        weights, times, q_of, q_dot_of = (jnp.asarray(x, dtype) for x in rule)
        q0, q1, q2 = (near(batch.q[:, k], batch.q[:, 1]) for k in range(3))
        before, after = jnp.diff(batch.t, axis=1).T
        parabola = partial(_parabola, batch.t.T[..., None], (q0, q1, q2))

        def states(h, nodes):
            """q and q̇ at all places `[n s, d]`, where a span h `[n]` has the nodes `[n, k, d]`."""
            q, moved = (jnp.einsum("sk,nkd->nsd", of, nodes) for of in (q_of, q_dot_of))
            return q.reshape(-1, d), (moved / h[:, None, None]).reshape(-1, d)

        def each(function, *arguments):
            """A function at all places, with the context there is, `[n, s, …]`."""
            if batch.context is None:
                found = jax.vmap(lambda *x: function(None, *x))(*arguments)
            else:
                context = jnp.repeat(batch.context, len(weights), axis=0)
                found = jax.vmap(function)(context, *arguments)
            return found.reshape(n, len(weights), *found.shape[1:])

        def lagrangian(context, q, q_dot):
            return model.lagrangian(params, q, q_dot, context)

        def force(context, q, q_dot, *torque):
            return model.generalised_force(params, q, q_dot, context, *torque)

        def slope(start, h, nodes):
            """The derivative of a span's action by its nodes, and the work of the forces."""

            def action(nodes):
                return jnp.sum(h[:, None] * weights * each(lagrangian, *states(h, nodes)))

            found = jax.grad(action)(nodes)
            if getattr(model, "forces", ()):
                torque = []
                if batch.torque is not None:
                    at = start[:, None] + h[:, None] * times
                    along = jax.vmap(lambda at, t, torque: forces.linear(t, torque)(at))
                    each_time = jax.vmap(along, (1, None, None), 1)
                    torque = [each_time(at, batch.t, batch.torque).reshape(-1, d)]
                push = weights[:, None] * each(force, *states(h, nodes), *torque)
                found += h[:, None, None] * jnp.einsum("sk,nsd->nkd", q_of, push)
            return found

        def linearised(function, unknown):
            """A function of `[n, m, d]` at a point, and its derivative `[n, …, m d]`."""
            found, change = jax.linearize(function, unknown)
            units = jnp.eye(unknown[0].size, dtype=dtype).reshape(-1, *unknown.shape[1:])
            columns = [change(jnp.broadcast_to(unit, unknown.shape)) for unit in units]
            return found, jnp.stack(columns, axis=-1)

        def momentum():
            """D₂𝓛_d(q₀, q₁), with which the motion arrives at q₁."""
            start = jnp.zeros_like(before)
            if not inner:
                return slope(start, before, jnp.stack([q0, q1], axis=1))[:, 1]
            found, by_middle = linearised(
                lambda x: slope(start, before, jnp.stack([q0, x[:, 0], q1], axis=1)),
                parabola(before / 2)[:, None],
            )
            move = -jnp.linalg.solve(by_middle[:, 1], found[:, 1, :, None])
            return found[:, 2] + (by_middle[:, 2] @ move)[..., 0]

        middle = [parabola(before + after / 2)] if inner else []
        r, by_unknown = linearised(
            lambda x: slope(before, after, jnp.concatenate([q1[:, None], x], axis=1))[:, :-1],
            jnp.stack([*middle, q2], axis=1),
        )
        r = r.at[:, 0].add(momentum()).reshape(n, -1, 1)
        away = -jnp.linalg.solve(by_unknown.reshape(n, r.shape[1], -1), r)[:, -d:, 0]
        before, after = before[:, None], after[:, None]
        between = (before + after) / 2
        seen = ((q2 - q1) / after - (q1 - q0) / before) / between
        return seen + away / (after * between), seen

    def loss(params, batch):
        if not isinstance(batch, data.Window):
            raise TypeError(
                "expected a data.Window, such as data.motions(…).windows(2) draws, "
                f"got {type(batch).__name__}"
            )
        if batch.q.shape[1] != 3:
            raise ValueError(
                f"expected windows of two frames after a first one, got {batch.q.shape[1] - 1}"
            )
        compare = jax.vmap(partial(relative_error, scale=scale))
        return compare(*expected(params, batch)).mean()

    loss.bounded = True
    return loss


def _require_lagrangian(model):
    _inputs.function("model.lagrangian", getattr(model, "lagrangian", None))
    if isinstance(model, FromLagrangian) and overrides(
        model, FromLagrangian, "acceleration", "equation_of_motion"
    ):
        raise TypeError("expected a model that moves by its Lagrangian, got one with its own law")


def _parabola(t, q, at):
    """The parabola through three frames, at some time; `t` `[3, n, 1]`, `at` `[n]`."""
    (a, b, c), at = t, at[:, None]
    return (
        q[0] * (at - b) * (at - c) / ((a - b) * (a - c))
        + q[1] * (at - a) * (at - c) / ((b - a) * (b - c))
        + q[2] * (at - a) * (at - b) / ((c - a) * (c - b))
    )
