"""Plausible wrong answers to assignment 1, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "the pulley does not turn",
        answers={
            "pulley": """
def pulley(q, q_dot, m1, m2, inertia, radius, gravity=9.81):
    kinetic = 0.5 * (m1 + m2) * q_dot[0] ** 2
    return kinetic + (m1 - m2) * gravity * q[0]
"""
        },
        passes=("pulley_visible",),
        fails=("pulley_hidden",),
    ),
    Wrong(
        "the pulley's energy without a half",
        answers={
            "pulley": """
def pulley(q, q_dot, m1, m2, inertia, radius, gravity=9.81):
    kinetic = 0.5 * (m1 + m2) * q_dot[0] ** 2 + inertia * (q_dot[0] / radius) ** 2
    return kinetic + (m1 - m2) * gravity * q[0]
"""
        },
        passes=("pulley_visible",),
        fails=("pulley_hidden",),
    ),
    Wrong(
        "the energy for the second conserved quantity",
        answers={
            "conserved": """
def conserved(q, q_dot):
    return mechanics.energy(cone)(q, q_dot)
"""
        },
        passes=("conserved_visible",),
        fails=("conserved_hidden",),
    ),
    Wrong(
        "the velocity of the coordinate that does not appear, for its momentum",
        answers={
            "conserved": """
def conserved(q, q_dot):
    return q_dot[1]
"""
        },
        passes=("conserved_visible",),
        fails=("conserved_hidden",),
    ),
    Wrong(
        "the position at the beginning of an interval",
        answers={
            "action": """
def action(path, dt):
    velocity = (path[1:] - path[:-1]) / dt
    return dt * jnp.sum(0.5 * velocity**2 - 0.5 * path[:-1] ** 2)
"""
        },
        passes=("action_visible",),
        fails=("action_hidden",),
    ),
    Wrong(
        "all points counted, the ends with the whole weight",
        answers={
            "action": """
def action(path, dt):
    velocity = jnp.diff(path) / dt
    return dt * (jnp.sum(0.5 * velocity**2) - jnp.sum(0.5 * path**2))
"""
        },
        passes=("action_visible",),
        fails=("action_hidden",),
    ),
]
