"""The checks of chapter 6: right answers in several forms pass, typical slips are named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, mechanics

CAN = {"plain": True, "hnn": False, "delan": False, "hnn_canonical": True, "lnn": True}


def refused(verdict, *words):
    """The verdict is a no that says each of `words`, or hints it."""
    assert not verdict, verdict
    assert "?" not in verdict.message, "a question is a hint"
    said = " ".join([verdict.message, *verdict.hints])
    for word in words:
        assert word in said, said


def charge(q, q_dot, B):
    return 0.5 * q_dot @ q_dot + 0.5 * B * (q[0] * q_dot[1] - q[1] * q_dot[0])


@pytest.mark.parametrize(
    ("check", "stub"),
    [
        (checks.partner_bracket, lambda lagrangian, y: lambda q, q_dot: ...),
        (checks.best_constant, lambda a, weights: ...),
        (checks.kinetic_energy, lambda v: None),
        (lambda answer: checks.magnetic_field(answer, CAN), lambda q, q_dot, B: ...),
    ],
)
def test_a_stub_is_nothing_yet(check, stub):
    refused(check(stub), "Nothing here yet")
    refused(check(...), "Nothing here yet")
    refused(check("answer"), "Expected a function")
    refused(check(lambda *_: 1 / 0), "raised ZeroDivisionError")


# --- Which partner fits? -----------------------------------------------------------------------


def by_chain_rule(lagrangian, y):
    def at(q, q_dot):
        return jax.jacobian(y, 1)(q, q_dot) / mechanics.mass_matrix(lagrangian)(q, q_dot)

    return at


def by_all_brackets(lagrangian, y):
    brackets = mechanics.poisson_brackets(lagrangian, lambda q, q_dot: (q, y(q, q_dot)))
    return lambda q, q_dot: brackets(q, q_dot)[0, 1]


def by_solve(lagrangian, y):
    def at(q, q_dot):
        mass = mechanics.mass_matrix(lagrangian)(q, q_dot)
        return jnp.linalg.solve(mass, jax.jacobian(y, 1)(q, q_dot))[0]

    return at


@pytest.mark.parametrize("answer", [by_chain_rule, by_all_brackets, by_solve])
def test_the_bracket_in_three_forms(answer):
    assert checks.partner_bracket(answer)


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        (lambda dy, dq, mass: dy, "takes the derivative by p"),
        (lambda dy, dq, mass: dy * mass, "wrong side"),
        (lambda dy, dq, mass: -dy / mass, "sign"),
        (lambda dy, dq, mass: jnp.ones((1, 1)), "Your {q, y} for a mass on a spring"),
    ],
)
def test_slips_of_the_bracket_are_named(slip, word):
    def answer(lagrangian, y):
        return lambda q, q_dot: slip(
            jax.jacobian(y, 1)(q, q_dot),
            jax.jacobian(y, 0)(q, q_dot),
            mechanics.mass_matrix(lagrangian)(q, q_dot),
        )

    refused(checks.partner_bracket(answer), word)


# --- Content with zero -------------------------------------------------------------------------


def weighted_median(a, weights):
    order = np.argsort(a)
    counted = np.cumsum(weights[order])
    return a[order][np.searchsorted(counted, counted[-1] / 2)]


def by_trying_all(a, weights):
    return min(a, key=lambda c: np.sum(weights * abs(a - c)))


def test_the_weighted_median_in_two_forms():
    assert checks.best_constant(weighted_median)
    assert checks.best_constant(by_trying_all)
    assert checks.best_constant(lambda a, w: jnp.float32(weighted_median(a, w)))


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        (lambda a, w: np.average(a, weights=w), "squared error"),
        (lambda a, w: a.mean(), "where are the weights"),
        (lambda a, w: np.median(a), "without the weights"),
        (lambda a, w: (a.max() + a.min()) / 2, "midpoint"),
        (lambda a, w: 0.0, "smaller weighted absolute error"),
        (lambda a, w: a, "one finite number"),
        (lambda a, w: np.nan, "one finite number"),
    ],
)
def test_slips_of_the_constant_are_named(slip, word):
    refused(checks.best_constant(slip), word)


# --- Digits of a kinetic energy ----------------------------------------------------------------


def product(v):
    gamma = ((1 - v) * (1 + v)) ** -0.5
    return gamma**2 * v**2 / (gamma + 1)


def other_form(v):
    root = jnp.sqrt((1 - v) * (1 + v))
    return v * v / (root * (1 + root))


@pytest.mark.parametrize("answer", [product, other_form])
def test_all_digits_in_two_forms(answer):
    assert checks.kinetic_energy(answer)


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        (lambda v: ((1 - v) * (1 + v)) ** -0.5 - 1, "at low speeds"),
        (lambda v: jnp.expm1(-0.5 * jnp.log1p(-(v**2))), "close to the speed of light"),
        (lambda v: ((1 - v) * (1 + v)) ** -0.5, "at rest would have energy"),
        (lambda v: 0.5 * v**2, "slow particle"),
        (lambda v: 1 - ((1 - v) * (1 + v)) ** 0.5, "what stands in the Lagrangian"),
        (lambda v: product(v).sum(), "array of shape"),
        (lambda v: jnp.nan * v, "not finite"),
    ],
)
def test_slips_of_the_kinetic_energy_are_named(slip, word):
    refused(checks.kinetic_energy(slip), word)


# --- A charge in a magnetic field --------------------------------------------------------------


def other_gauge(q, q_dot, B):
    return 0.5 * q_dot @ q_dot - B * q[1] * q_dot[0]


@pytest.mark.parametrize("lagrangian", [charge, other_gauge])
def test_every_gauge_of_the_magnetic_field_is_right(lagrangian):
    assert checks.magnetic_field(lagrangian, CAN)


@pytest.mark.parametrize(
    ("slip", "word"),
    [
        (lambda q, v, B: charge(q, v, -B), "wrong"),
        (lambda q, v, B: charge(q, v, 2 * B), "factor of 2"),
        (lambda q, v, B: charge(q, v, B / 2), "factor of 1/2"),
        (lambda q, v, B: 0.5 * v @ v + B * (q @ v), "total derivative"),
        (lambda q, v, B: charge(q, v, B) + 0.5 * v @ v, "mass matrix"),
        (lambda q, v, B: v, "one number"),
    ],
)
def test_slips_of_the_charge_are_named(slip, word):
    refused(checks.magnetic_field(slip, CAN), word)


@pytest.mark.parametrize("name", CAN)
def test_a_wrong_judgement_of_a_network_is_named_with_a_question(name):
    verdict = checks.magnetic_field(charge, {**CAN, name: not CAN[name]})
    refused(verdict, "1 answer is not", repr(name), "?")


def test_judgements_are_asked_for():
    refused(checks.magnetic_field(charge, {"lnn": True}), "a dict with the keys plain")
    refused(checks.magnetic_field(charge, 3), "a dict with the keys")
    unsaid = {**CAN, "hnn": ...}
    refused(checks.magnetic_field(charge, unsaid), "Nothing here yet")
    refused(checks.magnetic_field(charge, {n: not x for n, x in CAN.items()}), "5 answers are not")
