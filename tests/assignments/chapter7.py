"""Plausible wrong answers to assignment 7, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "springs in the place of pendulums: small angles for all",
        answers={
            "pendulums": """def pendulums(phi, phi_dot, kappa):
    _, middle, right = phi
    return 0.5 * (phi_dot[1] ** 2 - (right - middle) ** 2 - kappa * middle**2)
"""
        },
        passes=("pendulums_visible",),
        fails=("pendulums_waves", "pendulums_kink"),
    ),
    Wrong(
        "both neighbours of each pendulum: every piece of band counts twice",
        answers={
            "pendulums": """def pendulums(phi, phi_dot, kappa):
    left, middle, right = phi
    twist = (right - middle) ** 2 + (middle - left) ** 2
    return 0.5 * phi_dot[1] ** 2 - 0.5 * twist - kappa * (1 - jnp.cos(middle))
"""
        },
        passes=("pendulums_visible",),
        fails=("pendulums_waves", "pendulums_kink"),
    ),
    Wrong(
        "the twist by the two neighbours, as in the paper: even and odd know nothing of each other",
        answers={
            "pendulums": """def pendulums(phi, phi_dot, kappa):
    twist = (phi[2] - phi[0]) / 2
    return 0.5 * phi_dot[1] ** 2 - 0.5 * twist**2 - kappa * (1 - jnp.cos(phi[1]))
"""
        },
        passes=("pendulums_visible", "pendulums_kink"),
        fails=("pendulums_waves",),
    ),
    Wrong(
        "the one-sided slope, since it is right in the density",
        answers={
            "field_momentum": """def field_momentum(phi, phi_dot):
    return -np.sum(phi_dot * (np.roll(phi, -1) - phi))
"""
        },
        passes=("field_momentum_visible",),
        fails=("field_momentum_kept", "field_momentum_symmetric"),
    ),
    Wrong(
        "the ring is not closed",
        answers={
            "field_momentum": """def field_momentum(phi, phi_dot):
    return -np.sum(phi_dot * np.gradient(phi))
"""
        },
        passes=("field_momentum_visible",),
        fails=("field_momentum_kept", "field_momentum_symmetric"),
    ),
    Wrong(
        "the speed of the crests",
        answers={
            "packet_speed": """def packet_speed(density, k):
    return fields.dispersion(density)(k) / k
"""
        },
        passes=("packet_speed_visible",),
        fails=("packet_speed_learned", "packet_speed_backwards"),
    ),
    Wrong(
        "a speed without its sign",
        answers={
            "packet_speed": """def packet_speed(density, k):
    omega = fields.dispersion(density)
    return np.abs(omega(k + 1e-5) - omega(k - 1e-5)) / 2e-5
"""
        },
        passes=("packet_speed_visible", "packet_speed_learned"),
        fails=("packet_speed_backwards",),
    ),
    Wrong(
        "the string's own formula, whatever the density",
        answers={
            "packet_speed": """def packet_speed(density, k):
    return np.cos(k / 2)
"""
        },
        passes=("packet_speed_visible", "packet_speed_learned"),
        fails=("packet_speed_backwards",),
    ),
]
