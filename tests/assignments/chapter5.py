"""Plausible wrong answers to assignment 5, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "the coupling of the masses is left out",
        answers={
            "modes": """
def squared_frequencies(lagrangian, q0):
    rest = jnp.zeros_like(q0)
    mass = jnp.diag(jax.hessian(lagrangian, argnums=1)(q0, rest))
    stiffness = -jnp.diag(jax.hessian(lagrangian, argnums=0)(q0, rest))
    return np.sort(stiffness / mass)
"""
        },
        passes=("modes_visible",),
        fails=("modes_hidden",),
    ),
    Wrong(
        "unstable modes swing, too",
        answers={
            "modes": """
def squared_frequencies(lagrangian, q0):
    rest = jnp.zeros_like(q0)
    mass = jax.hessian(lagrangian, argnums=1)(q0, rest)
    stiffness = -jax.hessian(lagrangian, argnums=0)(q0, rest)
    return np.sort(np.abs(np.linalg.eigvals(np.linalg.solve(mass, stiffness))))
"""
        },
        passes=("modes_visible",),
        fails=("modes_hidden",),
    ),
    Wrong(
        "time reversal without the mirror",
        answers={
            "symmetry": """
def symmetrised(lagrangian):
    return lambda q, q_dot: (lagrangian(q, q_dot) + lagrangian(q, -q_dot)) / 2
"""
        },
        passes=("symmetry_visible",),
        fails=("symmetry_hidden",),
    ),
    Wrong(
        "time reversal turns the positions as well, on top of the other one",
        answers={
            "symmetry": """
def symmetrised(lagrangian):
    def kinetic(q, q_dot):
        return (lagrangian(q, q_dot) + lagrangian(q, -q_dot)) / 2 - potential(q)

    def potential(q):
        return lagrangian(q, jnp.zeros_like(q))

    return lambda q, q_dot: kinetic(q, q_dot) + (potential(q) + potential(-q)) / 2
"""
        },
        passes=("symmetry_visible",),
        fails=("symmetry_hidden",),
    ),
    Wrong(
        "two neighbours a millionth apart, who soon are strangers",
        answers={
            "chaos": """
def growth_rate(acceleration, q, q_dot, dt, steps):
    settings = {"dt": dt, "steps": steps}
    here = integrate.rollout(acceleration, q, q_dot, **settings)
    beside = integrate.rollout(acceleration, q + 1e-6, q_dot, **settings)
    apart = np.hypot(*(np.linalg.norm(x - y, axis=1) for x, y in zip(here, beside)))
    return np.log(apart[-1] / apart[0]) / (dt * steps)
"""
        },
        passes=("chaos_visible", "chaos_linear"),
        fails=("chaos_nonlinear",),
    ),
    Wrong(
        "forces that depend on the velocity are forgotten",
        answers={
            "chaos": """
def growth_rate(acceleration, q, q_dot, dt, steps):
    def together(x, x_dot):
        (q, dq), (q_dot, dq_dot) = jnp.split(x, 2), jnp.split(x_dot, 2)
        pull = jax.jvp(lambda q: acceleration(q, q_dot), (q,), (dq,))
        return jnp.concatenate(pull)

    ones, d = jnp.ones_like(q), q.size
    start = jnp.concatenate([q, ones]), jnp.concatenate([q_dot, ones])
    x, x_dot = integrate.rollout(together, *start, dt=dt, steps=steps)
    size = jnp.hypot(*(jnp.linalg.norm(y[:, d:], axis=1) for y in (x, x_dot)))
    return float(jnp.log(size[-1] / size[0]) / (dt * steps))
"""
        },
        passes=("chaos_visible",),
        fails=("chaos_linear", "chaos_nonlinear"),
    ),
]
