"""Plausible wrong answers to assignment 3, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "sine and cosine of each angle: some directions are special",
        answers={
            "features": """def features(q, q_dot):
    first, second = q_dot
    velocities = jnp.stack([first**2, second**2, first * second])
    return jnp.concatenate([jnp.sin(q), jnp.cos(q), velocities])"""
        },
        passes=("features_visible", "features_backwards", "features_sees"),
        fails=("features_momentum",),
    ),
    Wrong(
        "the velocities as they are: the network can tell the direction of time",
        answers={
            "features": """def features(q, q_dot):
    elbow = q[0] - q[1]
    return jnp.stack([jnp.sin(elbow), jnp.cos(elbow), *q_dot])"""
        },
        passes=("features_visible", "features_momentum", "features_sees"),
        fails=("features_backwards",),
    ),
    Wrong(
        "squares alone: how the rods drive each other cannot be seen",
        answers={
            "features": """def features(q, q_dot):
    elbow = q[0] - q[1]
    return jnp.stack([jnp.sin(elbow), jnp.cos(elbow), *q_dot**2])"""
        },
        passes=("features_visible", "features_backwards", "features_momentum"),
        fails=("features_sees",),
    ),
    Wrong(
        "the cosine alone: left and right cannot be told apart",
        answers={
            "features": """def features(q, q_dot):
    first, second = q_dot
    return jnp.stack([jnp.cos(q[0] - q[1]), first**2, second**2, first * second])"""
        },
        passes=("features_visible", "features_backwards", "features_momentum"),
        fails=("features_sees",),
    ),
    Wrong(
        "even in the velocities by absolute values: a kink where a rod turns back",
        answers={
            "features": """def features(q, q_dot):
    elbow, product = q[0] - q[1], q_dot[0] * q_dot[1]
    return jnp.stack([jnp.sin(elbow), jnp.cos(elbow), product, *jnp.abs(q_dot)])"""
        },
        passes=("features_visible", "features_backwards", "features_sees"),
        fails=("features_momentum",),
    ),
    Wrong(
        "what is left of the Euler-Lagrange equation, a force: a factor changes it",
        answers={
            "film_loss": """def film_loss(lagrangian, path, dt):
    q, q_dot = path[1:-1], (path[2:] - path[:-2]) / (2 * dt)
    q_ddot = (path[2:] - 2 * path[1:-1] + path[:-2]) / dt**2
    miss = jax.vmap(mechanics.euler_lagrange(lagrangian))(q, q_dot, q_ddot)
    return jnp.sqrt((miss**2).sum(1).mean())"""
        },
        passes=("film_loss_visible", "film_loss_order"),
        fails=("film_loss_gauge",),
    ),
    Wrong(
        "the velocity from one neighbour only: half a frame late",
        answers={
            "film_loss": """def film_loss(lagrangian, path, dt):
    q, q_dot = path[1:-1], (path[2:] - path[1:-1]) / dt
    q_ddot = (path[2:] - 2 * path[1:-1] + path[:-2]) / dt**2
    found = jax.vmap(mechanics.acceleration(lagrangian))(q, q_dot)
    return jnp.sqrt(((found - q_ddot) ** 2).sum(1).mean())"""
        },
        passes=("film_loss_visible", "film_loss_gauge"),
        fails=("film_loss_order",),
    ),
    Wrong(
        "the stiffness without the masses",
        answers={
            "tones": """def tones(lagrangian, q):
    stiffness = -jax.hessian(lagrangian, argnums=0)(q, jnp.zeros_like(q))
    return jnp.sqrt(jnp.linalg.eigvalsh(stiffness))"""
        },
        passes=("tones_visible",),
        fails=("tones_exact", "tones_learned"),
    ),
    Wrong(
        "a force that depends on the velocity is forgotten",
        answers={
            "tones": """def tones(lagrangian, q):
    slope = jax.jacobian(mechanics.acceleration(lagrangian))(q, jnp.zeros_like(q))
    return np.sort(np.sqrt(np.linalg.eigvals(-slope).real))"""
        },
        passes=("tones_visible", "tones_learned"),
        fails=("tones_exact",),
    ),
]
