"""Plausible wrong answers to assignment 2, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "the wedge and the body do not share a velocity",
        answers={
            "rolling": """def rolling(q, q_dot, m, M, alpha, c, g=9.8):
    X_dot, s_dot = q_dot
    kinetic = 0.5 * (M + m) * X_dot**2 + 0.5 * (1 + c) * m * s_dot**2
    return kinetic + m * g * q[1] * jnp.sin(alpha)"""
        },
        passes=("rolling_visible",),
        fails=("rolling_recoils",),
    ),
    Wrong(
        "the body goes down, but it does not turn",
        answers={
            "rolling": """def rolling(q, q_dot, m, M, alpha, c, g=9.8):
    X_dot, s_dot = q_dot
    right, down = X_dot + s_dot * jnp.cos(alpha), s_dot * jnp.sin(alpha)
    kinetic = 0.5 * M * X_dot**2 + 0.5 * m * (right**2 + down**2)
    return kinetic + m * g * q[1] * jnp.sin(alpha)"""
        },
        passes=("rolling_visible",),
        fails=("rolling_turns",),
    ),
    Wrong(
        "the slope goes down to the wrong side",
        answers={
            "rolling": """def rolling(q, q_dot, m, M, alpha, c, g=9.8):
    X_dot, s_dot = q_dot
    right, down = X_dot - s_dot * jnp.cos(alpha), s_dot * jnp.sin(alpha)
    kinetic = 0.5 * M * X_dot**2 + 0.5 * m * (right**2 + down**2)
    return kinetic + 0.5 * c * m * s_dot**2 + m * g * q[1] * jnp.sin(alpha)"""
        },
        passes=("rolling_visible",),
        fails=("rolling_recoils",),
    ),
    Wrong(
        "the place is transformed, the velocity is not",
        answers={
            "in_coordinates": """def in_coordinates(lagrangian, position):
    def transformed(Q, Q_dot):
        return lagrangian(position(Q), Q_dot)

    return transformed"""
        },
        passes=("in_coordinates_visible",),
        fails=("in_coordinates_straight", "in_coordinates_wire"),
    ),
    Wrong(
        "the velocity is transformed as if it were a place",
        answers={
            "in_coordinates": """def in_coordinates(lagrangian, position):
    def transformed(Q, Q_dot):
        return lagrangian(position(Q), position(Q_dot))

    return transformed"""
        },
        passes=("in_coordinates_visible",),
        fails=("in_coordinates_straight", "in_coordinates_wire"),
    ),
    Wrong(
        "gradients instead of a Jacobian: its rows and columns exchanged",
        answers={
            "in_coordinates": """def in_coordinates(lagrangian, position):
    def transformed(Q, Q_dot):
        return lagrangian(position(Q), jax.jacobian(position)(Q).T @ Q_dot)

    return transformed"""
        },
        passes=("in_coordinates_visible",),
        fails=("in_coordinates_straight", "in_coordinates_wire"),
    ),
    Wrong(
        "first the velocity, then the place: reversible to the eye, of first order",
        answers={
            "step": """def step(acceleration, q, q_dot, dt):
    q_dot = q_dot + dt * acceleration(q)
    return q + dt * q_dot, q_dot"""
        },
        passes=("step_visible",),
        fails=("step_order", "step_backwards"),
    ),
    Wrong(
        "second order by Runge and Kutta, and not reversible",
        answers={
            "step": """def step(acceleration, q, q_dot, dt):
    middle, middle_dot = q + 0.5 * dt * q_dot, q_dot + 0.5 * dt * acceleration(q)
    return q + dt * middle_dot, q_dot + dt * acceleration(middle)"""
        },
        passes=("step_visible", "step_order"),
        fails=("step_backwards",),
    ),
    Wrong(
        "fourth order by Runge and Kutta, and not reversible either",
        answers={
            "step": """def step(acceleration, q, q_dot, dt):
    def slope(q, q_dot):
        return np.array([q_dot, acceleration(q)])

    state = np.array([q, q_dot])
    k1 = slope(*state)
    k2 = slope(*(state + 0.5 * dt * k1))
    k3 = slope(*(state + 0.5 * dt * k2))
    k4 = slope(*(state + dt * k3))
    return tuple(state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4))"""
        },
        passes=("step_visible", "step_order"),
        fails=("step_backwards",),
    ),
]
