"""States to train on, drawn fresh from a system with their true accelerations."""

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, integrate, mechanics


def labelled(system):
    """Fresh states of a system with their true accelerations.

    Args:
        system: anything with `sample(key, n)` and `acceleration(q, q_dot)`; with a third argument
            where states come with a context.

    Returns:
        Function `(key, n) -> (q [n, d], q_dot [n, d], q_ddot [n, d])`, and the context `[n, c]`
        as a fourth array where there is one.
    """
    _require_timeless(system)

    def batch(key, n):
        q, q_dot, *context = system.sample(key, n)
        return q, q_dot, _true_accelerations(system, q, q_dot, *context), *context

    return batch


def _require_timeless(system):
    if mechanics.takes_time(system.acceleration):
        raise ValueError(f"expected accelerations that do not depend on time, not so of {system}")


def _true_accelerations(system, q, *state):
    found = jax.vmap(system.acceleration)(q, *state)
    if found.shape != q.shape:
        raise ValueError(
            f"expected accelerations of the shape of q, {q.shape}, got {found.shape} "
            f"from {type(system).__name__}.acceleration"
        )
    return found


def visited(system, key, *, starts=2000, seconds=40.0, frame=0.4, substeps=20, slower=5, noise=0.5):
    """Fresh states near those that a moving system visits, with their true accelerations.

    Motions from `starts` states of the system's box, with velocities divided by `slower`, are
    followed by RK4 and looked at every `frame` seconds. A batch picks among what was seen, and
    blurs each coordinate and velocity with a normal noise, so that the network also learns how
    to come back from beside a true motion.

    Args:
        system: anything with `sample(key, n)` and `acceleration(q, q_dot)`.
        key: a JAX random key.
        starts: how many motions.
        seconds: how long each.
        frame: seconds between two looks.
        substeps: Runge–Kutta steps between two looks.
        slower: what the sampled velocities are divided by.
        noise: standard deviation of the blur, in the units of each coordinate and velocity.

    Returns:
        Function `(key, n) -> (q [n, d], q_dot [n, d], q_ddot [n, d])`.

    Raises:
        ValueError: a motion runs away, or states of the system come with a context.
    """
    _require_timeless(system)
    _inputs.count(starts=starts, substeps=substeps)
    _inputs.positive(seconds=seconds, frame=frame, slower=slower)
    _inputs.number(noise=noise)
    if noise < 0:
        raise ValueError(f"expected noise >= 0, got {noise}")

    def motion(q, q_dot):
        settings = {"dt": frame, "steps": max(1, round(seconds / frame)), "substeps": substeps}
        return integrate.rollout(system.acceleration, q, q_dot / slower, **settings)

    q, q_dot, *context = system.sample(key, starts)
    if context:
        raise ValueError(f"expected a system without a context, got {system}")
    q, q_dot = jax.jit(jax.vmap(motion))(q, q_dot)
    seen = jnp.concatenate([q, q_dot], axis=-1).reshape(-1, 2 * system.dim)
    if not np.isfinite(np.asarray(seen)).all():
        raise ValueError(f"a motion runs away: expected more substeps than {substeps}")

    def batch(key, n):
        pick, blur = jax.random.split(key)
        states = seen[jax.random.randint(pick, (n,), 0, len(seen))]
        states = states + noise * jax.random.normal(blur, states.shape)
        q, q_dot = states[:, : system.dim], states[:, system.dim :]
        return q, q_dot, _true_accelerations(system, q, q_dot)

    return batch
