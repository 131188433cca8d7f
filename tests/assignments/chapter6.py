"""Plausible wrong answers to assignment 6, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "the kinetic energy stands in the Lagrangian, as in the paper",
        answers={
            "particle": """def particle(q, q_dot, mass, c, force):
    gamma = 1 / jnp.sqrt(1 - q_dot @ q_dot / c**2)
    return mass * c**2 * (gamma - 1) + force @ q
"""
        },
        passes=("particle_visible",),
        fails=("particle_along", "particle_across"),
    ),
    Wrong(
        "each direction has a γ of its own",
        answers={
            "particle": """def particle(q, q_dot, mass, c, force):
    return -mass * c**2 * jnp.sum(jnp.sqrt(1 - q_dot**2 / c**2)) + force @ q
"""
        },
        passes=("particle_visible", "particle_along"),
        fails=("particle_across",),
    ),
    Wrong(
        "the rest energy is m, since c was 1 in the chapter",
        answers={
            "particle": """def particle(q, q_dot, mass, c, force):
    return -mass * jnp.sqrt(1 - q_dot @ q_dot / c**2) + force @ q
"""
        },
        passes=("particle_visible",),
        fails=("particle_along", "particle_across"),
    ),
    Wrong(
        "one velocity for the whole journey",
        answers={
            "age": """def age(times, positions, c):
    duration, way = times[-1] - times[0], positions[-1] - positions[0]
    return np.sqrt(duration**2 - (way / c) ** 2)
"""
        },
        passes=("age_visible",),
        fails=("age_twins", "age_greatest"),
    ),
    Wrong(
        "all steps are as long as the first",
        answers={
            "age": """def age(times, positions, c):
    dt = times[1] - times[0]
    return dt * np.sum(np.sqrt(1 - (np.diff(positions) / dt / c) ** 2))
"""
        },
        passes=("age_visible",),
        fails=("age_twins", "age_greatest"),
    ),
    Wrong(
        "positions are divided by c nowhere, since c was 1 in the chapter",
        answers={
            "age": """def age(times, positions, c):
    return np.sum(np.sqrt(np.diff(times) ** 2 - np.diff(positions) ** 2))
"""
        },
        passes=("age_visible",),
        fails=("age_twins", "age_greatest"),
    ),
    Wrong(
        "the velocity is taken for the momentum, as in a Hamiltonian network on (q, q̇)",
        answers={
            "hamiltonian": """def hamiltonian(lagrangian):
    return mechanics.energy(lagrangian)
"""
        },
        passes=("hamiltonian_visible",),
        fails=("hamiltonian_written", "hamiltonian_learned"),
    ),
    Wrong(
        "the velocity of a particle of special relativity, whatever the Lagrangian",
        answers={
            "hamiltonian": """def hamiltonian(lagrangian):
    def H(q, p):
        q_dot = p / jnp.sqrt(1 + p**2)
        return p @ q_dot - lagrangian(q, q_dot)

    return H
"""
        },
        passes=("hamiltonian_visible",),
        fails=("hamiltonian_written", "hamiltonian_learned"),
    ),
]
