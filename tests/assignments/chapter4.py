"""Plausible wrong answers to assignment 4, and the tests that see through them."""

from tests.assignments.answers import Wrong

WRONG = [
    Wrong(
        "the mass of one hidden layer of small softplus units, for any network",
        answers={
            "unit_mass": """
def last_sigma(sizes, sigmas, activation):
    return 4 / (np.sqrt(2 * sizes[1]) * sigmas[0] ** 2)
"""
        },
        passes=("unit_mass_visible",),
        fails=("unit_mass_hidden",),
    ),
    Wrong(
        "the mass at the origin instead of at drawn states",
        answers={
            "unit_mass": """
def last_sigma(sizes, sigmas, activation):
    rest = jnp.zeros(sizes[0] // 2)

    def mass(key):
        params = networks.draw(key, sizes, [*sigmas, 1.0])

        def lagrangian(q, q_dot):
            return networks.mlp(params, jnp.concatenate([q, q_dot]), activation)[0]

        return mechanics.mass_matrix(lagrangian)(rest, rest)

    found = jax.jit(jax.vmap(mass))(jax.random.split(jax.random.key(0), 1000))
    return float(1 / jnp.sqrt((found**2).mean()))
"""
        },
        passes=("unit_mass_visible",),
        fails=("unit_mass_hidden",),
    ),
    Wrong(
        "positive weights everywhere: convex in the positions, too",
        answers={
            "no_poles": """
def init(key, dim, width):
    return networks.init_mlp(key, [2 * dim, width, 1])


def lagrangian(params, q, q_dot):
    hidden, output = params
    x = jnp.concatenate([q, q_dot])
    units = jax.nn.softplus(x @ hidden["weight"] + hidden["bias"])
    return jax.nn.softplus(output["weight"][:, 0]) @ units + 0.005 * q_dot @ q_dot
"""
        },
        passes=("no_poles_visible", "no_poles_definite"),
        fails=("no_poles_rich",),
    ),
    Wrong(
        "a kinetic offset, which larger weights outweigh",
        answers={
            "no_poles": """
def init(key, dim, width):
    return networks.init_mlp(key, [2 * dim, width, 1])


def lagrangian(params, q, q_dot):
    return 0.5 * q_dot @ q_dot + networks.mlp(params, jnp.concatenate([q, q_dot]))[0]
"""
        },
        passes=("no_poles_visible", "no_poles_rich"),
        fails=("no_poles_definite",),
    ),
    Wrong(
        "weights that are positive when they are drawn, and only then",
        answers={
            "no_poles": """
def init(key, dim, width):
    first, second = jax.random.split(key)
    output = jnp.abs(jax.random.normal(first, (width,)))
    return {
        "hidden": jax.random.normal(second, (dim, width)),
        "shift": jax.random.normal(first, (dim, width)),
        "output": output,
        "potential": networks.init_mlp(key, [dim, width, 1]),
    }


def lagrangian(params, q, q_dot):
    units = jax.nn.softplus(q_dot @ params["hidden"] + q @ params["shift"])
    kinetic = params["output"] @ units + 0.005 * q_dot @ q_dot
    return kinetic - networks.mlp(params["potential"], q)[0]
"""
        },
        passes=("no_poles_visible", "no_poles_rich"),
        fails=("no_poles_definite",),
    ),
    Wrong(
        "a mass that depends on the position only",
        answers={
            "no_poles": """
def init(key, dim, width):
    return networks.init_mlp(key, [dim, width, dim * dim + 1])


def lagrangian(params, q, q_dot):
    *entries, potential = networks.mlp(params, q)
    momentum = jnp.stack(entries).reshape(q.size, q.size) @ q_dot
    return 0.5 * momentum @ momentum + 0.005 * q_dot @ q_dot - potential
"""
        },
        passes=("no_poles_visible", "no_poles_definite"),
        fails=("no_poles_rich",),
    ),
    Wrong(
        "a positive determinant, which two negative eigenvalues of three have too",
        answers={
            "sound": """
def definite_share(params, q, q_dot, activation):
    def mass(params):
        def lagrangian(q, q_dot):
            return networks.mlp(params, jnp.concatenate([q, q_dot]), activation)[0]

        return mechanics.mass_matrix(lagrangian)(q, q_dot)

    return float((jnp.linalg.det(jax.jit(jax.vmap(mass))(params)) > 0).mean())
"""
        },
        passes=("sound_visible",),
        fails=("sound_hidden",),
    ),
    Wrong(
        "the second derivatives by the positions",
        answers={
            "sound": """
def definite_share(params, q, q_dot, activation):
    def bends(params):
        def lagrangian(q, q_dot):
            return networks.mlp(params, jnp.concatenate([q, q_dot]), activation)[0]

        return jax.hessian(lagrangian, argnums=0)(q, q_dot)

    eigenvalues = jnp.linalg.eigvalsh(jax.jit(jax.vmap(bends))(params))
    definite = (eigenvalues > 0).all(axis=1) | (eigenvalues < 0).all(axis=1)
    return float(definite.mean())
"""
        },
        passes=("sound_visible",),
        fails=("sound_hidden",),
    ),
]
