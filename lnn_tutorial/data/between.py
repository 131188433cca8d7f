"""Accelerations that nobody measured: between two frames, from the states at both."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs

NODES = (np.polynomial.legendre.leggauss(5)[0] + 1) / 2
"""Where a sample is taken, as shares of the time between two frames: Gauss's five points."""

SWEEPS = 3
"""How often the states between two frames are computed anew from their accelerations."""


def integrals(nodes, s):
    """Weights `[…, n]` of ∫₀ˢ a and of ∫₀ˢ (s − r) a dr, for a known at n nodes."""
    basis = np.linalg.inv(np.vander(nodes, increasing=True))
    once, twice, s = 0.0, 0.0, s[..., None]
    for k in range(len(nodes))[::-1]:  # Horner: powers of many s would take longer
        once, twice = (basis[k] / (k + 1) + s * once, basis[k] / ((k + 1) * (k + 2)) + s * twice)
    return s * once, s**2 * twice


def samples(motions, acceleration=None):
    """`(q, q_dot, q_ddot)` `[rows, n, d]` at the nodes after each of some frames, and these rows.

    See `Motions.samples`.
    """
    if motions.q_dot is None:
        raise ValueError("expected measured velocities beside the positions, got none")
    rows = np.flatnonzero(motions.trajectory[1:] == motions.trajectory[:-1])
    span = jnp.asarray(np.diff(motions.t)[rows], motions.q.dtype)
    ends = [x[r] for x in (motions.q, motions.q_dot) for r in (rows, rows + 1)]
    _require_unwrapped(motions, rows)
    found = _between(compiled_once(acceleration), span, *ends, beside(motions, rows))
    lost = ~np.isfinite(np.asarray(found[2])).all(axis=(1, 2))
    if lost.any():
        raise FloatingPointError(
            "the acceleration that was given is not finite or runs away after "
            f"{motions.where(rows[int(lost.argmax())])}, and in {lost.sum()} of {len(rows)} spans"
        )
    return found, rows


def compiled_once(acceleration):
    """An acceleration that `jit` takes: its arguments may change, its program does not."""
    if acceleration is None:
        return None
    _inputs.function("acceleration", acceleration)
    if isinstance(acceleration, partial):
        arguments = acceleration.args, acceleration.keywords
        return jax.tree_util.Partial(acceleration.func, *arguments[0], **arguments[1])
    return jax.tree_util.Partial(acceleration)


def _require_unwrapped(motions, rows):
    """Raise where a coordinate jumps by a turn that its velocities know nothing of."""
    span = np.diff(motions.t)[rows, None]
    q, q_dot = (np.asarray(x, float) for x in (motions.q, motions.q_dot))
    way = span * (q_dot[rows] + q_dot[rows + 1]) / 2
    jump = np.abs(q[rows + 1] - q[rows] - way)
    refuse_turns(motions, rows, (np.abs(jump - 2 * np.pi) < 0.5) & (np.abs(way) < np.pi))


def refuse_turns(motions, rows, turned):
    """Raise where a coordinate jumps by a turn after one of some frames: `turned` `[rows, d]`."""
    turned = turned.any(axis=1)
    if turned.any():
        raise ValueError(
            f"expected angles that go on past π, but after "
            f"{motions.where(rows[int(turned.argmax())])} one jumps by a whole turn, and in "
            f"{turned.sum()} of {len(rows)} spans: numpy.unwrap mends that, motion by motion"
        )


def beside(motions, rows):
    """Context and torque at the nodes, `[rows, n, …]`, as far as there are any."""
    found = []
    if motions.context is not None or motions.torque is not None:
        context = motions.context
        found.append(None if context is None else jnp.repeat(context[rows, None], len(NODES), 1))
    if motions.torque is not None:
        s, (start, end) = NODES[:, None], (motions.torque[r][:, None] for r in (rows, rows + 1))
        found.append(start + s.astype(start.dtype) * (end - start))
    return found


@jax.jit
def _between(acceleration, span, q0, q1, v0, v1, beside):
    dtype = q0.dtype
    s = jnp.asarray(NODES, dtype)[:, None]
    once, twice = (jnp.asarray(w, dtype) for w in integrals(NODES, NODES))
    once_all, twice_all = (jnp.asarray(w, dtype) for w in integrals(NODES, np.ones(())))

    def one(h, q0, q1, v0, v1, beside):
        def joined(a):
            """a + c₀ + c₁ s, with which the motion from one frame arrives at the next."""
            mean = (v1 - v0) / h - once_all @ a
            moment = (q1 - q0 - h * v0) / h**2 - twice_all @ a
            return a + mean + (12 * s - 6) * (mean / 2 - moment)

        def states(a):
            return q0 + h * s * v0 + h**2 * twice @ a, v0 + h * once @ a

        a = joined(jnp.zeros((len(NODES), q0.size), dtype))
        if acceleration is not None:
            for _ in range(SWEEPS):
                a = joined(jax.vmap(acceleration)(*states(a), *beside).astype(dtype))
        return *states(a), a

    return jax.vmap(one)(span, q0, q1, v0, v1, beside)
