"""The checks of chapter 2: right answers in several forms pass, typical slips are named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, mechanics, systems
from lnn_tutorial.checks import chapter2
from tests.wrong_answers import refused, wrong_answers

# --- Two masses -----------------------------------------------------------------------


def two_masses(q, q_dot, m1, m2, k, l):
    pull = k * (q[1] - q[0] - l)
    return np.diag([m1, m2]), np.zeros((2, 2)), np.array([pull, -pull])


def test_two_masses_in_several_forms():
    def lagrangian(q, q_dot, m1, m2, k, l):
        kinetic = 0.5 * m1 * q_dot[0] ** 2 + 0.5 * m2 * q_dot[1] ** 2
        return kinetic - 0.5 * k * (q[1] - q[0] - l) ** 2

    @jax.jit
    def by_autodiff(q, q_dot, *constants):
        L = lambda q, q_dot: lagrangian(q, q_dot, *constants)  # noqa: E731
        mixed = jax.jacobian(jax.grad(L, 1), 0)(q, q_dot)
        return jax.hessian(L, 1)(q, q_dot), mixed, jax.grad(L, 0)(q, q_dot)

    def as_lists(*arguments):
        return [np.asarray(part).tolist() for part in two_masses(*arguments)]

    for answer in (two_masses, by_autodiff, as_lists):
        assert checks.two_masses(answer)


@wrong_answers(
    "two_masses",
    [
        (lambda M, C, F: (M, C), ["three things"]),
        (lambda M, C, F: M, ["three things", "ndarray"]),
        (lambda M, C, F: (np.diag(M), C, F), ["mass matrix", "shape"]),
        (lambda M, C, F: (M[::-1, ::-1], C, F), ["mass matrix", "changed places"]),
        (lambda M, C, F: (M, M, F), ["mixed matrix", "the mass matrix again"]),
        (lambda M, C, F: (M / 2, C, F), ["mass matrix", "The ½ of the kinetic energy"]),
        (lambda M, C, F: (M, C, -F), ["force", "wrong sign", "pulls its ends together"]),
        (lambda M, C, F: (M, C, 2 * F), ["force", "factor of 2", "The ½ of the spring"]),
        (lambda M, C, F: (M, C, [F[0], F[0]]), ["force", "both ends pull the same way"]),
        (
            lambda M, C, F: (M, C, F + np.array([5.6, -5.6])),
            ["too long", "The rest length is missing"],
        ),
        (lambda M, C, F: (M, C, F * np.nan), ["not finite"]),
    ],
)
def test_two_masses_names_the_slip(slip, words):
    refused(checks.two_masses(lambda *arguments: slip(*two_masses(*arguments))), *words)


# --- The bead -------------------------------------------------------------------------


@jax.jit
def bead(q, q_dot, m, a, g):
    x, x_dot = q[0], q_dot[0]
    return 0.5 * m * x_dot**2 * (1 + 4 * a**2 * x**2) - m * g * a * x**2


def test_any_lagrangian_of_the_right_motion_passes():
    scaled = lambda *state: -3.0 * bead(*state) + 5.0  # noqa: E731
    shifted = lambda q, q_dot, *c: bead(q, q_dot, *c) + jnp.cos(q[0]) * q_dot[0]  # noqa: E731
    for answer in (bead, scaled, shifted):
        assert checks.bead_on_parabola(answer)


def plain(q, q_dot, m, a, g):
    return 0.5 * m * q_dot[0] ** 2 - m * g * a * q[0] ** 2


def upside_down(q, q_dot, m, a, g):
    return bead(q, q_dot, m, a, -g)


def half_the_slope(q, q_dot, m, a, g):
    return 0.5 * m * q_dot[0] ** 2 * (1 + a**2 * q[0] ** 2) - m * g * a * q[0] ** 2


def added_first(q, q_dot, m, a, g):
    return 0.5 * m * q_dot[0] ** 2 * (1 + 2 * a * q[0]) ** 2 - m * g * a * q[0] ** 2


def no_mass(q, q_dot, m, a, g):
    return -m * g * a * q[0] ** 2


def whole_vector(q, q_dot, m, a, g):
    return 0.5 * m * q_dot**2 * (1 + 4 * a**2 * q**2) - m * g * a * q**2


@wrong_answers(
    "bead_on_parabola",
    [
        (plain, ["kinetic energy is the same everywhere"]),
        (upside_down, ["at x = 0.5 m", "climbs", "sign"]),
        (half_the_slope, ["at rest at x = 0.5 m", "half as steep"]),
        (added_first, ["at rest", "and then squared"]),
        (no_mass, ["At q = [0.5]", "no inverse"]),
        (whole_vector, ["one number", "shape (1,)"]),
        (lambda *state: state[0][0] / 0 * nothing, ["raised"]),  # noqa: F821
    ],
)
def test_the_bead_names_the_slip(answer, words):
    refused(checks.bead_on_parabola(answer), *words)


# --- One scalar of a matrix -----------------------------------------------------------

TELLING = jnp.array([1.0, 0.3]), jnp.array([0.5, 2.0])


def test_the_cure_in_several_forms():
    def paper(L):
        return lambda q, v: (
            jnp.linalg.pinv(jax.hessian(L, 1)(q, v))
            @ (jax.grad(L, 0)(q, v) - jax.jacobian(jax.jacobian(L, 1), 0)(q, v) @ v)
        )

    def by_jvp(L):
        def field(q, v):
            p = lambda q: jax.grad(L, 1)(q, v)  # noqa: E731
            along = jax.jvp(p, (q,), (v,))[1]
            return jnp.linalg.solve(jax.hessian(L, 1)(q, v), jax.grad(L, 0)(q, v) - along)

        return field

    for state, mended in ((([1, 0], [1, 1]), paper), (TELLING, by_jvp)):
        assert checks.one_scalar_of_a_matrix(state, mended)


@wrong_answers(
    "one_scalar_of_a_matrix",
    [
        ((jnp.array([1.0, 0.3]), jnp.zeros(2)), ["right acceleration", "ṙ and θ̇ = 0"]),
        ((jnp.array([1.0, 0.3]), jnp.array([0.0, 2.0])), ["right acceleration", "There ṙ = 0"]),
        ((jnp.ones(3), jnp.ones(3)), ["shape"]),
        (jnp.ones(4), ["pair"]),
        ((jnp.array([-1.0, 0.3]), jnp.ones(2)), ["positive"]),
    ],
)
def test_a_state_that_tells_nothing(state, words):
    refused(checks.one_scalar_of_a_matrix(state, mechanics.acceleration), *words)


@wrong_answers(
    "one_scalar_of_a_matrix",
    [
        (chapter2._one_scalar, ["double pendulum", "still there"]),
        (mechanics.acceleration, ["right, as mechanics is"]),
        (chapter2._no_mixed, ["no effect"]),
        (chapter2._transposed, ["Rows and columns"]),
        (lambda L: lambda q, v: -mechanics.acceleration(L)(q, v), ["wrong sign"]),
        (lambda L: lambda q, v: jnp.zeros((2, 2)), ["shape"]),
        (lambda L: 3.0, ["Expected a function"]),
    ],
)
def test_a_cure_that_is_none(mended, words):
    refused(checks.one_scalar_of_a_matrix(TELLING, mended), *words)


# --- The spherical pendulum -----------------------------------------------------------


@jax.jit
def spherical(q, q_dot, m, l, g):
    speed2 = l**2 * (q_dot[0] ** 2 + jnp.sin(q[0]) ** 2 * q_dot[1] ** 2)
    return 0.5 * m * speed2 + m * g * l * jnp.cos(q[0])


@jax.jit
def around(q, q_dot, m, l, g):
    return m * l**2 * jnp.sin(q[0]) ** 2 * q_dot[1]


@jax.jit
def energy(q, q_dot, *constants):
    return mechanics.energy(lambda q, v: spherical(q, v, *constants))(q, q_dot)


def test_the_conserved_quantity_in_several_forms():
    momentum = lambda q, v, *c: jax.grad(spherical, 1)(q, v, *c)[1]  # noqa: E731
    square = lambda *state: 7.0 + around(*state) ** 2  # noqa: E731
    both = lambda *state: around(*state) + energy(*state)  # noqa: E731
    for conserved in (around, momentum, square, both):
        assert checks.spherical_pendulum(spherical, conserved)


@wrong_answers(
    "spherical_pendulum",
    [
        (lambda q, v, m, l, g: spherical(q, v, m, l, -g), around, ["rises", "wrong sign"]),
        (
            lambda q, v, m, l, g: 0.5 * m * l**2 * v @ v + m * g * l * jnp.cos(q[0]),
            around,
            ["in motion", "as large at every θ"],
        ),
        (
            lambda q, v, m, l, g: spherical(q, v, m, l, 2 * g),
            around,
            ["at rest at θ = 0.9", "factor of 2"],
        ),
        (lambda q, v, m, l, g: spherical(q, v, m, l, g) * jnp.ones(2), around, ["one number"]),
        (spherical, lambda q, v, m, l, g: m * l**2 * v[1], ["changes along", "far the bob is"]),
        (spherical, lambda q, v, m, l, g: m * l**2 * v[0], ["changes along", "of θ̇ alone"]),
        (spherical, lambda *state: 3.0, ["mere constant"]),
        (spherical, energy, ["it is the energy"]),
        (spherical, lambda *state: energy(*state) ** 3, ["it is the energy"]),
        (spherical, lambda q, v, *c: q, ["one number"]),
    ],
)
def test_the_spherical_pendulum_names_the_slip(answer, conserved, words):
    refused(checks.spherical_pendulum(answer, conserved), *words)


# --- The double pendulum --------------------------------------------------------------


def double(q, m1, m2, l1, l2):
    cross = m2 * l1 * l2 * np.cos(q[0] - q[1])
    return np.array([[(m1 + m2) * l1**2, cross], [cross, m2 * l2**2]])


def test_the_double_pendulum_by_hand_and_by_autodiff():
    def by_autodiff(q, *constants):
        lagrangian = systems.DoublePendulum(*constants).lagrangian
        return jax.jit(mechanics.mass_matrix(lagrangian))(q, jnp.zeros(2))

    for answer in (double, by_autodiff, lambda *a: double(*a).tolist()):
        assert checks.double_pendulum_mass(answer)


def lower_bob_forgotten(q, m1, m2, l1, l2):
    return double(q, m1, m2, l1, l2) - np.diag([m2 * l1**2, 0.0])


def uncoupled(q, m1, m2, l1, l2):
    return np.diag(np.diag(double(q, m1, m2, l1, l2)))


def sum_of_angles(q, m1, m2, l1, l2):
    return double(np.array([q[0], -q[1]]), m1, m2, l1, l2)


def sine_for_cosine(q, *constants):
    return double(np.array([q[0] - q[1] - np.pi / 2, 0.0]), *constants)


def one_sided(q, m1, m2, l1, l2):
    return np.triu(double(q, m1, m2, l1, l2))


def coupled_by_half(q, *constants):
    return 0.5 * (double(q, *constants) + uncoupled(q, *constants))


@wrong_answers(
    "double_pendulum_mass",
    [
        (lower_bob_forgotten, ["entries", "The lower bob moves, too"]),
        (sine_for_cosine, ["at right angles are coupled"]),
        (uncoupled, ["without each other"]),
        (sum_of_angles, ["Turning both arms"]),
        (one_sided, ["symmetric"]),
        (coupled_by_half, ["The coupling is half"]),
        (lambda *a: 0.5 * double(*a), ["factor of 1/2"]),
        (lambda *a: np.diag(double(*a)), ["shape"]),
    ],
)
def test_the_double_pendulum_names_the_slip(answer, words):
    refused(checks.double_pendulum_mass(answer), *words)


# --- Stubs ----------------------------------------------------------------------------


def stub(*arguments):
    return ...


@pytest.mark.parametrize(
    "verdict",
    [
        lambda: checks.two_masses(stub),
        lambda: checks.two_masses(lambda *a: (..., ..., ...)),
        lambda: checks.bead_on_parabola(stub),
        lambda: checks.one_scalar_of_a_matrix(..., lambda L: stub),
        lambda: checks.one_scalar_of_a_matrix(TELLING, lambda L: stub),
        lambda: checks.spherical_pendulum(stub, stub),
        lambda: checks.spherical_pendulum(spherical, stub),
        lambda: checks.double_pendulum_mass(stub),
    ],
)
def test_an_untouched_stub_is_recognised(verdict):
    assert not verdict()
    assert verdict().message.startswith("Nothing here yet")
