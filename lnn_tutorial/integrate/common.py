"""What all solvers share: the door, the clock, and steps as one compiled scan."""

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, mechanics


def double_precision():
    """A `with` block in which JAX computes in float64, where single digits would be too few.

    Arrays from outside keep their type: hand them in as NumPy arrays, or convert them inside.
    """
    switch = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return switch(True)


def start_of(q, q_dot, dt, steps=1, substeps=1, names=("q", "q_dot"), t=0.0):
    """The start as two vectors of one shape, with all that a motion is given checked."""
    _inputs.number(dt=dt, t=t)
    if not isinstance(dt, jax.core.Tracer) and dt == 0:
        raise ValueError("expected a step dt other than zero, got 0")
    _inputs.count(steps=steps, substeps=substeps)
    return _inputs.state(q, q_dot, names)


def times(q, y, times):
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


def vector_field(acceleration):
    """`acceleration(q, q_dot, t)`, with a clear error where it returns no vector like `q`."""
    return _inputs.like_q("acceleration", of_time(acceleration))


def of_time(function):
    """A function of two vectors and the time, which is handed on if it is asked for."""
    if mechanics.takes_time(function):
        return lambda q, y, t: function(q, y, t=t)
    return lambda q, y, t: function(q, y)


def of_shape(slope):
    """`slope(q, y, t)`, with a clear error where it does not return two vectors like `q`."""
    slope = of_time(slope)

    def field(q, y, t):
        found = slope(q, y, t)
        shapes = [jnp.shape(x) for x in found] if isinstance(found, (tuple, list)) else type(found)
        if shapes != [q.shape, q.shape]:
            raise ValueError(f"expected slope to return two of q's shape {q.shape}, got {shapes}")
        return tuple(found)

    return field


def finite(states, t=0.0):
    """Which states of a motion are finite; inside of jit or vmap that is left to the caller."""
    if any(isinstance(x, jax.core.Tracer) for x in (*states, t)):
        return np.array([True])
    return np.isfinite(np.hstack(states)).all(axis=-1)


def shown(x):
    """A vector in words, a long one by its ends."""
    return np.array2string(np.asarray(x), precision=6, threshold=6, edgeitems=2)


def scan(step, start, steps, substeps):
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
