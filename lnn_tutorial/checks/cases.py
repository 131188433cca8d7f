"""What the checks of chapter 11 are tried on: systems, displacements, states and terms."""

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import systems
from lnn_tutorial.checks.reference import compiled

# --- Displacements that are no symmetry ----------------------------------------------------------

PUSHED = (
    (
        "a planet",
        systems.KeplerProblem(mass=1.3, strength=2.0),
        ([[0.5, 1.0], [-0.3, 0.2]], [0.4, -0.7]),
        ([0.9, -0.6], [0.5, 1.2]),
    ),
    (
        "a charge in a magnetic field",
        systems.ChargeInMagneticField(mass=0.8, magnetic_field=1.6),
        ([[0.2, -1.1], [0.7, 0.9]], [-0.5, 0.3]),
        ([0.7, 1.4], [-1.0, 0.6]),
    ),
    (
        "a double pendulum",
        systems.DoublePendulum(mass2=0.6, length1=0.8, gravity=2.0),
        ([[1.0, 0.4], [-0.6, 0.3]], [0.2, 0.9]),
        ([0.8, -0.5], [1.1, 0.7]),
    ),
    (
        "a triple pendulum",
        systems.TriplePendulum(gravity=1.0),
        ([[0.3, -0.5, 0.1], [0.8, 0.2, 0.6], [-0.4, 0.9, -0.7]], [0.5, -0.2, 0.3]),
        ([0.4, -0.7, 1.1], [0.9, 0.5, -0.8]),
    ),
)
"""A name, a system, a displacement `(A, b)` that is no symmetry, and a state."""

# --- Displacements that are a symmetry -----------------------------------------------------------

TURN = [[0.0, -1.0], [1.0, 0.0]]
CENTRE = (0.6, -1.1)


def _elsewhere(q, q_dot):
    """A planet about a sun that is not in the origin."""
    sun = compiled(systems.KeplerProblem(mass=1.4), "lagrangian")
    return sun(q - jnp.asarray(CENTRE), q_dot)


def _oval(q, q_dot):
    """A particle that moves on ovals, fast: its mass grows with the velocity."""
    stretch = jnp.array([1.0, 2.0])
    fast, far = jnp.sum((stretch * q_dot) ** 2), jnp.sum((stretch * q) ** 2)
    return 0.5 * fast + 0.1 * fast**2 - 0.3 * far**2


SYMMETRIC = (
    (
        "a planet",
        systems.KeplerProblem(mass=1.7),
        (TURN, [0.0, 0.0]),
        ([0.9, -0.6], [0.5, 1.2]),
    ),
    (
        "two bodies on a spring",
        systems.TwoBodiesOnSpring(mass1=2.0, mass2=0.5),
        (np.zeros((2, 2)), [1.0, 1.0]),
        ([0.2, 1.5], [0.8, -0.4]),
    ),
    (
        "a spherical pendulum",
        systems.SphericalPendulum(mass=0.7, length=1.3),
        (np.zeros((2, 2)), [0.0, 1.0]),
        ([1.2, 0.4], [0.6, 1.5]),
    ),
    (
        "a charge in a magnetic field",
        systems.ChargeInMagneticField(mass=0.8, magnetic_field=1.6),
        (TURN, [0.0, 0.0]),
        ([0.7, 1.4], [-1.0, 0.6]),
    ),
    (
        "a planet whose sun is elsewhere",
        _elsewhere,
        (TURN, [CENTRE[1], -CENTRE[0]]),
        ([1.5, 0.3], [-0.2, 0.9]),
    ),
    (
        "a particle on ovals",
        _oval,
        ([[0.0, -2.0], [0.5, 0.0]], [0.0, 0.0]),
        ([0.8, 0.3], [0.4, -0.5]),
    ),
)
"""A name, a system or 𝓛, a symmetry `(A, b)` of it, and a state."""


# --- Motions -------------------------------------------------------------------------------------


def _nucleus(q, q_dot):
    """A charge about a nucleus, in a magnetic field along the third axis."""
    field = jnp.stack([q_dot[1], -q_dot[0], 0 * q_dot[2]])
    return 0.7 * field - q / jnp.sum(q**2) ** 1.5


def _oblong(q, q_dot):
    """Two springs of different stiffness; it drags more the farther out."""
    return -jnp.array([1.0, 4.0]) * q - 0.3 * q_dot * jnp.sum(q**2)


MOVING = (
    (
        "two unequal springs",
        _oblong,
        [[0.9, -0.6], [0.4, 1.1], [-1.2, 0.3]],
        [[0.5, 1.2], [-0.9, 0.4], [0.2, -0.8]],
    ),
    (
        "a planet",
        systems.KeplerProblem(strength=2.0),
        [[0.9, -0.6], [0.4, 1.1], [-1.2, 0.3], [0.7, 0.8], [-0.5, -0.9]],
        [[0.5, 1.2], [-0.9, 0.4], [0.2, -0.8], [-0.6, 0.7], [1.0, -0.3]],
    ),
    (
        "a charge about a nucleus",
        _nucleus,
        [[0.9, -0.6, 0.3], [0.4, 1.1, -0.7], [-1.2, 0.3, 0.5], [0.2, -0.8, 1.0]],
        [[0.5, 1.2, -0.4], [-0.9, 0.4, 0.8], [0.2, -0.8, 0.6], [-0.7, 0.3, -1.1]],
    ),
)
"""A name, a system or its acceleration, and states."""


# --- Terms ---------------------------------------------------------------------------------------


def _of_two_angles(q, q_dot):
    (a, b), (u, v) = q, q_dot
    return jnp.stack([u**2, u * v * jnp.cos(a - b), jnp.cos(a), u * jnp.sin(b), v**2 * (1 + a**2)])


def _of_one(q, q_dot):
    return jnp.stack([q_dot[0] ** 2 * jnp.exp(q[0]), q[0] ** 3, q_dot[0] ** 4])


def _of_three(q, q_dot):
    x, y, z = q
    u, v, w = q_dot
    return jnp.stack([x * v * w + y * z, (u**2 + w**2) * y, z * u - x * w])


TERMS = (
    ("five terms", _of_two_angles, [0.7, -0.4], [1.1, 0.6], [-0.8, 1.5]),
    ("three terms of one coordinate", _of_one, [0.5], [0.9], [-1.3]),
    ("three terms of three", _of_three, [0.4, -0.9, 1.2], [0.8, 0.5, -0.7], [1.4, -0.6, 0.3]),
)
"""A name, a library and a state with its acceleration."""


# --- Functions to judge --------------------------------------------------------------------------


def _rate(function):
    """The total time derivative of a function of q."""
    return lambda q, q_dot: jax.jvp(function, (q,), (q_dot,))[1]


def _square(q_dot):
    return q_dot @ q_dot


JUDGED = (
    ("3 at every state", 2, lambda q, v: 3.0 + 0 * q[0], True),
    ("q̇₁", 2, lambda q, v: v[0], True),
    ("the rate of one coordinate's exponential", 1, _rate(lambda q: jnp.exp(q[0])), True),
    (
        "the rate of a product of two coordinates",
        2,
        _rate(lambda q: q[0] ** 2 * q[1] + jnp.sin(q[1])),
        True,
    ),
    (
        "the rate of a function of three coordinates",
        3,
        _rate(lambda q: 30 * jnp.cos(q[0] - q[1] * q[2])),
        True,
    ),
    (
        "the rate of the angle about the origin",
        2,
        lambda q, v: (q[0] * v[1] - q[1] * v[0]) / (q @ q),
        True,
    ),
    ("a magnetic field", 2, lambda q, v: q[0] * v[1] - q[1] * v[0], False),
    ("q₂ q̇₁", 2, lambda q, v: q[1] * v[0], False),
    ("a potential", 2, lambda q, v: -0.5 * q @ q, False),
    ("a uniform force beside a rate", 2, lambda q, v: 0.3 * q[0] + q[1] * v[1], False),
    ("a free particle", 2, lambda q, v: 0.5 * _square(v), False),
    ("a mass on a spring", 1, lambda q, v: 0.5 * _square(v) - 2 * q @ q, False),
    ("a free particle beside a rate", 2, lambda q, v: 0.5 * _square(v) + v @ jnp.cos(q), False),
    ("a product of two velocities", 2, lambda q, v: v[0] * v[1], False),
)
"""A name, the number of coordinates, a function, and whether it is a total derivative."""
