"""Plausible wrong answers to assignment 10, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "a torque in a joint turns the lower arm only",
        answers={
            "friction": """def friction(q, q_dot, c):
    return -c * jnp.diff(q_dot, prepend=0.0)
"""
        },
        passes=("friction_visible",),
        fails=("friction_joints",),
    ),
    Wrong(
        "a torque in a joint turns both of its arms the same way",
        answers={
            "friction": """def friction(q, q_dot, c):
    torque = c * jnp.diff(q_dot, prepend=0.0)
    return -torque - jnp.append(torque[1:], 0.0)
"""
        },
        passes=("friction_visible",),
        fails=("friction_joints",),
    ),
    Wrong(
        "a chain has two arms",
        answers={
            "friction": """def friction(q, q_dot, c):
    lower = c[1] * (q_dot[1] - q_dot[0])
    return jnp.stack([lower - c[0] * q_dot[0], -lower])
"""
        },
        passes=("friction_visible",),
        fails=("friction_joints",),
    ),
    Wrong(
        "frames are equally far apart",
        answers={
            "balance": """def balance(lagrangian, force, t, q, q_dot):
    energy = jax.vmap(mechanics.energy(lagrangian))(q, q_dot)
    power = jax.vmap(lambda q, q_dot: q_dot @ force(q, q_dot))(q, q_dot)
    pieces = (t[-1] - t[0]) / (len(t) - 1) * (power[1:] + power[:-1]) / 2
    return energy[0] - energy, -np.append(0.0, np.cumsum(pieces))
"""
        },
        passes=("balance_visible", "balance_honest"),
        fails=("balance_irregular",),
    ),
    Wrong(
        "what is lost has been taken, so it need not be computed twice",
        answers={
            "balance": """def balance(lagrangian, force, t, q, q_dot):
    energy = jax.vmap(mechanics.energy(lagrangian))(q, q_dot)
    return energy[0] - energy, energy[0] - energy
"""
        },
        passes=("balance_visible", "balance_irregular"),
        fails=("balance_honest",),
    ),
    Wrong(
        "half of the momentum is half of the mass",
        answers={
            "balance": """def balance(lagrangian, force, t, q, q_dot):
    def one(q, q_dot):
        moving = 0.5 * q_dot @ mechanics.momentum(lagrangian)(q, q_dot)
        return moving - lagrangian(q, jnp.zeros_like(q))

    energy = jax.vmap(one)(jnp.asarray(q), jnp.asarray(q_dot))
    power = jax.vmap(lambda q, q_dot: q_dot @ force(q, q_dot))(q, q_dot)
    pieces = np.diff(t) * (power[1:] + power[:-1]) / 2
    return energy[0] - energy, -np.append(0.0, np.cumsum(pieces))
"""
        },
        passes=("balance_visible", "balance_irregular"),
        fails=("balance_honest",),
    ),
    Wrong(
        "misses in three different scales are compared",
        answers={
            "law_of": """def law_of(t, amplitude):
    scales = {"dry": amplitude, "viscous": np.log(amplitude), "drag": 1 / amplitude}

    def miss(name):
        y = scales[name]
        return np.std(y - np.polyval(np.polyfit(t, y, 1), t))

    return min(scales, key=miss)
"""
        },
        passes=("law_of_visible",),
        fails=("law_of_measured",),
    ),
    Wrong(
        "no turning point is missed",
        answers={
            "law_of": """def law_of(t, amplitude):
    loss = -np.diff(amplitude)
    middle = (amplitude[1:] + amplitude[:-1]) / 2
    spread = {
        "dry": loss,
        "viscous": loss / middle,
        "drag": loss / middle**2,
    }
    return min(spread, key=lambda name: np.std(spread[name]) / np.mean(spread[name]))
"""
        },
        passes=("law_of_visible",),
        fails=("law_of_measured",),
    ),
    Wrong(
        "an angle is a number like any other",
        answers={
            "horizon_error": """def horizon_error(found, true, t, horizons):
    square = np.nan_to_num((found - true) ** 2, nan=np.inf, posinf=np.inf)
    return np.array([np.sqrt(square[t - t[0] <= h].mean()) for h in horizons])
"""
        },
        passes=("horizon_error_visible", "horizon_error_growing"),
        fails=("horizon_error_circle",),
    ),
    Wrong(
        "each angle is folded, and then they are compared",
        answers={
            "horizon_error": """def horizon_error(found, true, t, horizons):
    fold = lambda q: (q + np.pi) % (2 * np.pi) - np.pi
    square = np.nan_to_num((fold(found) - fold(true)) ** 2, nan=np.inf)
    return np.array([np.sqrt(square[t - t[0] <= h].mean()) for h in horizons])
"""
        },
        passes=("horizon_error_visible", "horizon_error_growing"),
        fails=("horizon_error_circle",),
    ),
    Wrong(
        "at the horizon",
        answers={
            "horizon_error": """def horizon_error(found, true, t, horizons):
    miss = (found - true + np.pi) % (2 * np.pi) - np.pi
    square = np.nan_to_num(miss**2, nan=np.inf).mean(axis=1)
    last = np.searchsorted(t - t[0], horizons, side="right") - 1
    return np.sqrt(square[last])
"""
        },
        passes=("horizon_error_visible", "horizon_error_circle"),
        fails=("horizon_error_growing",),
    ),
    Wrong(
        "what has run away is left out",
        answers={
            "horizon_error": """def horizon_error(found, true, t, horizons):
    square = ((found - true + np.pi) % (2 * np.pi) - np.pi) ** 2
    return np.array([np.sqrt(np.nanmean(square[t - t[0] <= h])) for h in horizons])
"""
        },
        passes=("horizon_error_visible", "horizon_error_circle"),
        fails=("horizon_error_growing",),
    ),
]
