"""The checks of chapter 11: right answers in several forms pass, typical slips are named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, integrate, mechanics, reading
from lnn_tutorial.checks import cases, chapter11
from tests.wrong_answers import refused, wrong_answers

FIVE = [
    checks.lagrangian_change,
    checks.noether,
    checks.symmetry_columns,
    checks.term_residuals,
    checks.total_derivative,
]

GARBAGE = [
    "0.2",
    "ab",
    "",
    b"1",
    1j,
    1,
    np.nan,
    np.inf,
    [],
    [[1.0, 2.0], [3.0]],
    [1.0, "2"],
    [True, 1.0],
    [True],
    [1.0, None, 2.0],
    {"a": 1.0},
    {0.5},
    object(),
    np.ones((2, 3, 4)),
    np.ones(0),
    np.array(1.5),
    np.array(["a", "b"]),
    np.full(1, np.nan),
    np.full((10, 4), np.nan),
    np.zeros((10, 4)),
    np.ones((2, 5)),
    (1.0, np.nan),
    lambda: 1.0,
]


@pytest.mark.parametrize("check", FIVE, ids=lambda each: each.__name__)
def test_a_stub_is_nothing_yet(check):
    refused(check(lambda *_: ...), "Nothing here yet")
    refused(check(lambda *_: None), "Nothing here yet")
    refused(check(...), "Nothing here yet")
    refused(check("answer"), "Expected a function")
    refused(check(lambda *_: 1 / 0), "raised ZeroDivisionError")
    refused(check(lambda: 1.0), "raised TypeError")


@pytest.mark.parametrize("check", FIVE, ids=lambda each: each.__name__)
@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda x: type(x).__name__)
def test_garbage_is_refused_with_a_sentence(check, garbage):
    verdict = check(lambda *_: garbage)
    refused(verdict)
    assert len(verdict.message) > 10
    assert "cannot be checked" not in verdict.message or "different shapes" in verdict.message


@pytest.mark.parametrize("check", FIVE[:2], ids=lambda each: each.__name__)
@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda x: type(x).__name__)
def test_garbage_of_the_function_that_is_made_is_refused_with_a_sentence(check, garbage):
    verdict = check(lambda *_: lambda q, q_dot: garbage)
    refused(verdict)
    assert "cannot be checked" not in verdict.message or "different shapes" in verdict.message
    refused(check(lambda *_: lambda q, q_dot: ...), "Nothing here yet")
    refused(check(lambda *_: lambda q: q), "raised TypeError")


# --- How a displacement changes a Lagrangian ---------------------------------------------------


def change(lagrangian, A, b):
    def along(q, q_dot):
        return jax.jvp(lagrangian, (q, q_dot), (A @ q + b, A @ q_dot))[1]

    return along


def by_chain_rule(lagrangian, A, b):
    def along(q, q_dot):
        slope, p = jax.grad(lagrangian, argnums=(0, 1))(q, q_dot)
        return slope @ (A @ q + b) + p @ (A @ q_dot)

    return jax.jit(along)


def by_epsilon(lagrangian, A, b):
    def along(q, q_dot):
        return jax.grad(lambda e: lagrangian(q + e * (A @ q + b), q_dot + e * (A @ q_dot)))(0.0)

    return along


def by_difference(step, centred):
    """A difference quotient with a step."""

    def answer(lagrangian, A, b):
        def at(e, q, q_dot):
            return lagrangian(q + e * (A @ q + b), q_dot + e * (A @ q_dot))

        def along(q, q_dot):
            back = -step if centred else 0.0
            return [(at(step, q, q_dot) - at(back, q, q_dot)) / (step - back)]

        return along

    return answer


def by_hand(lagrangian, A, b):
    """In NumPy, with the whole gradient in one vector."""

    def along(q, q_dot):
        slope = np.concatenate(jax.grad(lagrangian, argnums=(0, 1))(q, q_dot))
        return float(slope @ np.concatenate([np.asarray(A) @ q + b, np.asarray(A) @ q_dot]))

    return along


@pytest.mark.parametrize(
    "answer",
    [
        change,
        by_chain_rule,
        by_epsilon,
        by_hand,
        by_difference(1e-2, True),
        by_difference(1e-3, True),
        by_difference(1e-3, False),
    ],
)
def test_the_change_in_seven_forms(answer):
    assert checks.lagrangian_change(answer)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("case", cases.PUSHED, ids=lambda each: each[0])
def test_the_change_of_the_check_is_a_limit(case):
    """Of differences of 𝓛 along the displaced state, in double precision."""
    _, system, displacement, state = case
    A, b, q, q_dot = map(np.array, (*displacement, *state))
    e = 1e-5
    ahead, behind = (
        system.lagrangian(jnp.array(q + s * (A @ q + b)), jnp.array(q_dot + s * A @ q_dot))
        for s in (e, -e)
    )
    found = chapter11._changes(system.lagrangian, *map(jnp.array, (A, b, q, q_dot)))[0]
    assert float(found) == pytest.approx(float(ahead - behind) / (2 * e), rel=1e-7)


def slipped(formula):
    """Another change of 𝓛, by a formula of (∂𝓛/∂q, p, A, b, q, q̇)."""

    def answer(lagrangian, A, b):
        def along(q, q_dot):
            return formula(*jax.grad(lagrangian, argnums=(0, 1))(q, q_dot), A, b, q, q_dot)

        return along

    return answer


@wrong_answers(
    "lagrangian_change",
    [
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q + b)), "it is displaced, too"),
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q + b) + p @ (A @ v + b)), "Here b displaces"),
        (
            slipped(lambda f, p, A, b, q, v: (f + p) @ (A @ q + b)),
            "by what belongs to the position",
        ),
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q + b) + p @ (A @ q)), "q stands where"),
        (slipped(lambda f, p, A, b, q, v: f @ (q @ A + b) + p @ (v @ A)), "A is transposed."),
        (slipped(lambda f, p, A, b, q, v: f @ (q @ A + b) + p @ (A @ v)), "for the position"),
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q + b) + p @ (v @ A)), "for the velocity"),
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q) + p @ (A @ v)), "shift b is left out"),
        (slipped(lambda f, p, A, b, q, v: p @ (A @ v)), "The position is not displaced in"),
        (slipped(lambda f, p, A, b, q, v: f @ b + p @ (A @ v)), "not displaced by A"),
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q + b) - p @ (A @ v)), "wrong sign"),
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q + b) + p @ v), "without A"),
        (lambda L, A, b: lambda q, v: L(q + A @ q + b, v + A @ v), "and not its change"),
        (by_difference(1.0, False), "difference for ε = 1"),
        (by_difference(0.05, False), "ε was finite"),
        (lambda L, A, b: lambda q, v: -change(L, A, b)(q, v), "wrong sign"),
        (lambda L, A, b: lambda q, v: 2 * change(L, A, b)(q, v), "off by a factor of 2"),
        (lambda L, A, b: lambda q, v: A @ q + b, "one number, and has shape (2,)"),
        (lambda L, A, b: lambda q, v: np.nan, "not finite"),
        (lambda L, A, b: 3.0, "should return a function of (q, q_dot), got float"),
        (lambda L, A, b: lambda q, v: 0.0, "Your change of 𝓛 for a planet"),
    ],
)
def test_slips_of_the_change_are_named(slip, word):
    refused(checks.lagrangian_change(slip), word)


# --- What is conserved -------------------------------------------------------------------------


def conserved(lagrangian, A, b):
    return lambda q, q_dot: jax.grad(lagrangian, argnums=1)(q, q_dot) @ (A @ q + b)


def by_momentum(lagrangian, A, b):
    momentum = mechanics.momentum(lagrangian)
    return jax.jit(lambda q, q_dot: jnp.sum(momentum(q, q_dot) * (A @ q + b), keepdims=True))


def by_push(lagrangian, A, b):
    """The velocity alone is displaced, by what the position is."""
    return lambda q, q_dot: jax.jvp(lambda v: lagrangian(q, v), (q_dot,), (A @ q + b,))[1]


def by_rates(lagrangian, A, b):
    """A difference quotient of the velocities."""

    def quantity(q, q_dot):
        step = 5e-3 * (A @ q + b)
        return (lagrangian(q, q_dot + step) - lagrangian(q, q_dot - step)) / 1e-2

    return quantity


@pytest.mark.parametrize("answer", [conserved, by_momentum, by_push, by_rates])
def test_the_conserved_quantity_in_four_forms(answer):
    assert checks.noether(answer)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("case", cases.SYMMETRIC, ids=lambda each: each[0])
def test_the_displacements_are_symmetries_and_what_they_conserve_is_conserved(case):
    _, system, displacement, state = case
    lagrangian = chapter11._lagrangian_of(system)
    A, b, q, q_dot = map(jnp.array, (*displacement, *state))
    A, b = A.astype(float), b.astype(float)
    assert float(change(lagrangian, A, b)(q, q_dot)) == pytest.approx(0, abs=1e-12)
    assert float(change(lagrangian, A, b)(1.3 * q, q_dot)) == pytest.approx(0, abs=1e-12)
    path = integrate.reference(mechanics.acceleration(lagrangian), q, q_dot, dt=0.5, steps=6)
    values = [float(conserved(lagrangian, A, b)(*each)) for each in zip(*path, strict=True)]
    assert values == pytest.approx([values[0]] * 7, rel=1e-6)
    assert float(chapter11._noethers(lagrangian, A, b, q, q_dot)[0]) == pytest.approx(values[0])
    assert np.ptp(path[0]) > 0.1


def quantity(formula):
    """Another quantity, by a formula of (p, A, b, q, q̇)."""

    def answer(lagrangian, A, b):
        p = mechanics.momentum(lagrangian)
        return lambda q, q_dot: formula(p(q, q_dot), A, b, q, q_dot)

    return answer


def by_mass(lagrangian, A, b):
    mass = mechanics.mass_matrix(lagrangian)
    return lambda q, q_dot: (mass(q, q_dot) @ q_dot) @ (A @ q + b)


@wrong_answers(
    "noether",
    [
        (quantity(lambda p, A, b, q, v: v @ (A @ q + b)), "the velocity stands for the momentum"),
        (by_mass, "not all of it in a field"),
        (lambda L, A, b: mechanics.energy(L), "This is the energy"),
        (quantity(lambda p, A, b, q, v: p @ (q @ A + b)), "A is transposed"),
        (quantity(lambda p, A, b, q, v: p @ (A @ q)), "shift b is forgotten"),
        (quantity(lambda p, A, b, q, v: p @ b), "A is forgotten"),
        (quantity(lambda p, A, b, q, v: p @ (A @ v)), "displacement of the velocity stands for"),
        (quantity(lambda p, A, b, q, v: p @ (A @ v + b)), "A displaces the velocity"),
        (quantity(lambda p, A, b, q, v: p @ (A @ (q + b))), "after the shift"),
        (quantity(lambda p, A, b, q, v: p @ q), "The displacement is not in it"),
        (change, "zero for each symmetry"),
        (slipped(lambda f, p, A, b, q, v: f @ (A @ q + b)), "the force stands for"),
        (quantity(lambda p, A, b, q, v: -p @ (A @ q + b)), "wrong sign"),
        (quantity(lambda p, A, b, q, v: 2 * p @ (A @ q + b)), "factor of 2"),
        (quantity(lambda p, A, b, q, v: p * (A @ q + b)), "one number, and has shape (2,)"),
        (lambda L, A, b: A, "should return a function of (q, q_dot), got"),
    ],
)
def test_slips_of_the_conserved_quantity_are_named(slip, word):
    refused(checks.noether(slip), word)


# --- Symmetries of a motion, as a matrix -------------------------------------------------------


def columns(acceleration, q, q_dot):
    d = q.shape[1]

    def left(A, q, q_dot):
        a, pushed = jax.jvp(acceleration, (q, q_dot), (A @ q, A @ q_dot))
        return A @ a - pushed

    basis = jnp.eye(d * d).reshape(d * d, d, d)
    each = jax.vmap(jax.vmap(left, (0, None, None)), (None, 0, 0))(basis, q, q_dot)
    return jnp.moveaxis(each, 1, 2).reshape(-1, d * d)


def by_loops(acceleration, q, q_dot):
    """Column by column, with the other sign and the coordinates before the states."""
    d, found = q.shape[1], []
    slope = jax.jit(jax.vmap(jax.jacfwd(acceleration, argnums=(0, 1))))
    by_q, by_v = slope(q, q_dot)
    a = jax.vmap(acceleration)(q, q_dot)
    for i in range(d):
        for j in range(d):
            A = np.zeros((d, d))
            A[i, j] = 1.0
            left = np.einsum("nkl,nl->nk", by_q, q @ A.T) - a @ A.T
            found.append((left + np.einsum("nkl,nl->nk", by_v, q_dot @ A.T)).T.ravel())
    return np.array(found).T


def by_jacobian(acceleration, q, q_dot):
    """Differentiated by the whole of A, as a mean square."""
    d = q.shape[1]

    def left(flat):
        A = flat.reshape(d, d)

        def one(q, q_dot):
            return (
                A @ acceleration(q, q_dot)
                - jax.jvp(acceleration, (q, q_dot), (A @ q, A @ q_dot))[1]
            )

        return jax.vmap(one)(q, q_dot).ravel() / len(q) ** 0.5

    return jax.jacobian(left)(jnp.zeros(d * d))


def by_small_steps(acceleration, q, q_dot):
    d, e, found = q.shape[1], 1e-2, []
    many = jax.vmap(acceleration)
    for A in np.eye(d * d).reshape(-1, d, d):
        up, down = (many(q + s * q @ A.T, q_dot + s * q_dot @ A.T) for s in (e, -e))
        found.append(np.ravel(many(q, q_dot) @ A.T - (up - down) / (2 * e)))
    return np.stack(found, axis=1).tolist()


@pytest.mark.parametrize("answer", [columns, by_loops, by_jacobian, by_small_steps])
def test_the_matrix_in_four_forms(answer):
    assert checks.symmetry_columns(answer)


@pytest.mark.parametrize("case", cases.MOVING, ids=lambda each: each[0])
def test_the_null_space_of_the_matrix_is_that_of_the_package(case):
    """The planet has all rotations of its plane, the charge one, the springs none but scales."""
    name, system, q, q_dot = case
    acceleration = getattr(system, "acceleration", system)
    values = np.linalg.svd(columns(acceleration, jnp.array(q), jnp.array(q_dot)))[1]
    random = np.random.default_rng(0)
    d = len(q[0])
    states = random.uniform(0.5, 1.5, (100, d)), random.normal(size=(100, d))
    found = reading.symmetries(acceleration, states).found
    linear = [one for one in found if max(abs(one.b).max(), abs(one.c).max()) < 1e-6]
    assert np.sum(values < 1e-4 * values[0]) == len(linear)
    assert len(linear) == {"a planet": 1, "a charge about a nucleus": 1}.get(name, 0)


def matrix(formula):
    """Another matrix, by a formula of (A, a, D_q a, D_q̇ a, q, q̇) at one state."""

    def answer(acceleration, q, q_dot):
        d = q.shape[1]

        def one(A, q, q_dot):
            by_q, by_v = jax.jacfwd(acceleration, argnums=(0, 1))(q, q_dot)
            return formula(A, acceleration(q, q_dot), by_q, by_v, q, q_dot)

        basis = jnp.eye(d * d).reshape(-1, d, d)
        each = jax.vmap(jax.vmap(one, (0, None, None)), (None, 0, 0))(basis, q, q_dot)
        return jnp.moveaxis(each, 1, 2).reshape(-1, d * d)

    return answer


def other_order(acceleration, q, q_dot):
    d = q.shape[1]
    return columns(acceleration, q, q_dot).reshape(-1, d, d).swapaxes(1, 2).reshape(-1, d * d)


def first_state(acceleration, q, q_dot):
    return jnp.tile(columns(acceleration, q[:1], q_dot[:1]), (len(q), 1))


@wrong_answers(
    "symmetry_columns",
    [
        (matrix(lambda A, a, F, G, q, v: F @ A @ q + G @ A @ v), "own acceleration is left out"),
        (matrix(lambda A, a, F, G, q, v: A @ a - F @ A @ q), "The velocity is displaced, too"),
        (matrix(lambda A, a, F, G, q, v: A @ a - G @ A @ v), "The position is not displaced"),
        (matrix(lambda A, a, F, G, q, v: A @ a + F @ A @ q + G @ A @ v), "here they are added"),
        (matrix(lambda A, a, F, G, q, v: A @ a - F @ A @ q + G @ A @ v), "share of the velocity"),
        (matrix(lambda A, a, F, G, q, v: A @ a - (F + G) @ A @ q), "velocity is displaced by A q"),
        (matrix(lambda A, a, F, G, q, v: a @ A - F @ A @ q - G @ A @ v), "Here A acts transposed"),
        (matrix(lambda A, a, F, G, q, v: A @ a), "displaced motion's acceleration alone"),
        (other_order, "in the order of the transposed A"),
        (first_state, "All rows are those of the first state"),
        (lambda *given: columns(*given)[:2], "shape (2, 4), expected (6, 4). It has the rows of"),
        (lambda *given: columns(*given).T, "It is transposed: a displacement is a column"),
        (lambda *given: columns(*given).reshape(-1, 2, 4), "in more axes than two"),
        (lambda *given: columns(*given) * np.nan, "not finite"),
        (lambda *given: columns(*given) * 0, "does not say what the displacements do"),
        (lambda *given: "matrix", "made of real numbers, got str"),
    ],
)
def test_slips_of_the_matrix_are_named(slip, word):
    refused(checks.symmetry_columns(slip), word)


# --- The residual of every term ----------------------------------------------------------------


def residuals(terms, q, q_dot, q_ddot):
    def momenta(q, q_dot):
        return jax.jacfwd(terms, argnums=1)(q, q_dot)

    rate = jax.jvp(momenta, (q, q_dot), (q_dot, q_ddot))[1]
    return (rate - jax.jacfwd(terms)(q, q_dot)).T


def one_by_one(terms, q, q_dot, q_ddot):
    count = len(terms(q, q_dot))
    rows = [
        mechanics.euler_lagrange(lambda q, v, k=k: terms(q, v)[k])(q, q_dot, q_ddot)
        for k in range(count)
    ]
    return np.array(rows).T.tolist()


def along_a_path(terms, q, q_dot, q_ddot):
    """d/dt by JAX of the momenta along q + t q̇ + t² q̈/2."""

    def momenta(t):
        return jax.jacrev(terms, argnums=1)(q + t * q_dot + t**2 / 2 * q_ddot, q_dot + t * q_ddot)

    return (jax.jacfwd(momenta)(0.0) - jax.jacrev(terms)(q, q_dot)).T


@pytest.mark.parametrize("answer", [residuals, one_by_one, along_a_path])
def test_the_residuals_in_three_forms(answer):
    assert checks.term_residuals(answer)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("case", cases.TERMS, ids=lambda each: each[0])
def test_the_residuals_of_the_check_are_limits(case):
    """By differences in NumPy, along a path and across it."""
    _, terms, *state = case
    q, v, a = map(np.array, state)

    def at(q, v):
        return np.asarray(terms(jnp.array(q), jnp.array(v)))

    def slope(function, d, e=1e-4):
        return np.array([(function(s) - function(-s)) / (2 * e) for s in e * np.eye(d)])

    def momenta(t):
        x, u = q + t * v + t**2 / 2 * a, v + t * a
        return slope(lambda s: at(x, u + s), q.size)

    e = 1e-4
    rate = (momenta(e) - momenta(-e)) / (2 * e)
    expected = rate - slope(lambda s: at(q + s, v), q.size)
    found = chapter11._residuals(terms, *map(jnp.array, (q, v, a)))[0]
    assert found == pytest.approx(expected, abs=1e-5)


def residual(formula):
    """Another residual, by a formula of (∂φ/∂q [d, K], M and ∂p/∂q [K, d, d], q̇, q̈)."""

    def answer(terms, q, q_dot, q_ddot):
        by_q, mass = jax.jacfwd(jax.jacfwd(terms, argnums=1), argnums=(0, 1))(q, q_dot)
        return formula(jax.jacfwd(terms)(q, q_dot).T, mass, by_q, q_dot, q_ddot)

    return answer


@wrong_answers(
    "term_residuals",
    [
        (residual(lambda s, M, P, v, a: (M @ a).T - s), "p depends on q"),
        (residual(lambda s, M, P, v, a: (P @ v).T - s), "share of the acceleration is left out"),
        (residual(lambda s, M, P, v, a: (M @ a + P @ v).T + s), "slope in q has the wrong sign"),
        (residual(lambda s, M, P, v, a: (M @ a + P @ v).T), "slope in q is left out"),
        (residual(lambda s, M, P, v, a: -s), "the derivative is the total one"),
        (residual(lambda s, M, P, v, a: s), "does not change, and a sign is wrong"),
        (residual(lambda s, M, P, v, a: (M @ v + P @ a).T - s), "acceleration acts on the posit"),
        (residual(lambda s, M, P, v, a: (M @ v + P @ v).T - s), "mass is pushed by the velocity"),
        (residual(lambda s, M, P, v, a: (M @ a + v @ P).T - s), "second derivatives is transposed"),
        (lambda *given: residuals(*given).T, "shape (5, 2), expected (2, 5). It is transposed"),
        (lambda *given: residuals(*given).sum(axis=1), "The terms are added up"),
        (lambda *given: residuals(*given).sum(axis=0), "The coordinates are added up"),
        (lambda *given: -residuals(*given), "wrong sign"),
        (lambda *given: 2 * residuals(*given), "factor of 2"),
        (lambda *given: residuals(*given) * jnp.nan, "not finite"),
        (lambda *given: "R", "made of real numbers"),
    ],
)
def test_slips_of_the_residuals_are_named(slip, word):
    refused(checks.term_residuals(slip), word)


# --- Is it a total derivative? -----------------------------------------------------------------


def largest(quantity, *states):
    return np.abs(jax.vmap(quantity)(*states)).max()


def at_any(function, q, q_dot):
    """At accelerations drawn at random."""
    a = jax.random.normal(jax.random.key(0), q.shape)
    return largest(mechanics.euler_lagrange(function), q, q_dot, a) < 1e-3


def by_parts(function, q, q_dot):
    """M = 0, and no force without an acceleration."""
    force = mechanics.euler_lagrange(function)
    still = largest(lambda q, v: force(q, v, 0 * q), q, q_dot) < 1e-3
    return bool(still and largest(mechanics.mass_matrix(function), q, q_dot) < 1e-3)


def by_form(function, q, q_dot):
    """g·q̇ + h with a symmetric ∂g/∂q and a constant h, relative to what cancels."""
    momenta = jax.jacfwd(jax.grad(function, argnums=1))

    def off(q, q_dot):
        slope, zero = momenta(q, q_dot), 1e-3 * q_dot
        twist = jnp.abs(slope - slope.T).max() / (1 + jnp.abs(slope).max())
        h = jax.grad(function)(q, zero) - slope.T @ zero
        mass = mechanics.mass_matrix(function)(q, q_dot)
        return jnp.maximum(jnp.maximum(twist, jnp.abs(h).max()), jnp.abs(mass).max())

    return jnp.all(jax.vmap(off)(q, q_dot) < 1e-3)


@pytest.mark.parametrize("answer", [at_any, by_parts, by_form])
def test_total_derivatives_are_told_in_three_forms(answer):
    assert checks.total_derivative(answer)


@pytest.mark.usefixtures("float64")
def test_total_derivatives_are_told_in_double_precision():
    assert checks.total_derivative(at_any)
    assert checks.lagrangian_change(change)
    assert checks.noether(conserved)
    assert checks.symmetry_columns(columns)
    assert checks.term_residuals(residuals)


def without_acceleration(function, q, q_dot):
    return largest(mechanics.euler_lagrange(function), q, q_dot, 0 * q) < 1e-3


def at_rest(function, q, q_dot):
    return largest(mechanics.euler_lagrange(function), q, 0 * q, q_dot) < 1e-3


def along_itself(function, q, q_dot):
    a = jax.vmap(mechanics.acceleration(function))(q, q_dot)
    return largest(mechanics.euler_lagrange(function), q, q_dot, a) < 1e-3


@wrong_answers(
    "total_derivative",
    [
        (lambda f, q, v: True, "first of all a magnetic field: it is no total derivative. You say"),
        (lambda f, q, v: False, "it is a total derivative. You say so of none"),
        (lambda f, q, v: largest(mechanics.mass_matrix(f), q, v) < 1e-3, "mass matrix alone"),
        (without_acceleration, "asked at no acceleration only"),
        (lambda f, q, v: largest(jax.grad(f), q, v) < 1e-3, "without the change of momentum"),
        (at_rest, "may still turn a motion"),
        (lambda f, q, v: largest(mechanics.energy(f), q, v) < 1e-3, "told by the energy"),
        (along_itself, "the function's own motion was asked"),
        (
            lambda f, q, v: largest(mechanics.euler_lagrange(f), q, v, v[::-1]) == 0,
            "leaves some 1e-7",
        ),
        (
            lambda f, q, v: at_any(f, q, v) or len(q[0]) == 1,
            "Yours is zero somewhere",
        ),
        (lambda f, q, v: not at_any(f, q, v), "14 of 14 are wrong"),
        (lambda f, q, v: 1, "Expected True or False, got 1"),
        (lambda f, q, v: "yes", "Expected True or False, got 'yes'"),
        (lambda f, q, v: jnp.abs(q) < 1, "Expected True or False, got ArrayImpl"),
    ],
)
def test_slips_of_the_judgement_are_named(slip, word):
    refused(checks.total_derivative(slip), word)


def test_all_five_congratulate():
    for verdict in (
        checks.lagrangian_change(change),
        checks.noether(conserved),
        checks.symmetry_columns(columns),
        checks.term_residuals(residuals),
        checks.total_derivative(at_any),
    ):
        assert repr(verdict).startswith("✓ ")
