"""The checks of chapter 6: right answers in several forms pass, typical slips are named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from lnn_tutorial import checks, mechanics
from tests.wrong_answers import refused, wrong_answers

CAN = {"plain": True, "hnn": False, "delan": False, "hnn_canonical": True, "lnn": True}


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


@pytest.mark.parametrize("answer", [by_chain_rule, by_solve])
def test_the_bracket_in_two_forms(answer):
    assert checks.partner_bracket(answer)


@wrong_answers(
    "partner_bracket",
    [
        (lambda dy, dq, mass: dy, "takes the derivative by p"),
        (lambda dy, dq, mass: dy * mass, "wrong side"),
        (lambda dy, dq, mass: -dy / mass, "This is {y, q}"),
        (lambda dy, dq, mass: dq / mass, "Here q moved"),
        (lambda dy, dq, mass: 1 / mass, "3 q̇ + q, at q = 0.7 and q̇ = −0.6, is off by a factor of"),
        (lambda dy, dq, mass: dy / (0.6 * mass), "Your {q, y} for a mass on a spring"),
        (lambda dy, dq, mass: 1.0, "is 1 for every system and for every y"),
        (lambda dy, dq, mass: jnp.zeros((1, 1)), "is 0 for every system and for every y"),
        (lambda dy, dq, mass: jnp.nan, "for a mass on a spring and y = q̇"),
        (lambda dy, dq, mass: jnp.ones(2), "got shape (2,)"),
        (lambda dy, dq, mass: "1", "real numbers, got str"),
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


def test_a_bracket_by_the_package_is_right_and_not_what_was_asked():
    verdict = checks.partner_bracket(by_all_brackets)
    refused(verdict, "is right for all", "without mechanics.poisson_brackets")


# --- Content with zero -------------------------------------------------------------------------


def weighted_median(a, weights):
    order = np.argsort(a)
    counted = np.cumsum(weights[order])
    return a[order][np.searchsorted(counted, counted[-1] / 2)]


def where(weights, half=None):
    """The first place up to which half of the weight has been counted."""
    return np.searchsorted(np.cumsum(weights), half or weights.sum() / 2)


def by_trying_all(a, weights):
    return min(a, key=lambda c: np.sum(weights * abs(a - c)))


def test_the_weighted_median_in_two_forms():
    assert checks.best_constant(weighted_median)
    assert checks.best_constant(by_trying_all)
    assert checks.best_constant(lambda a, w: jnp.float32(weighted_median(a, w)))


def test_a_constant_may_come_as_an_array_of_one():
    """As the `x` of SciPy's `minimize` does."""

    def by_search(a, weights):
        def score(c):
            return np.sum(weights * abs(a - c)) / np.sum(weights)

        settings = {"method": "Nelder-Mead", "options": {"xatol": 1e-8, "fatol": 1e-12}}
        return minimize(score, [0.1], **settings).x

    assert checks.best_constant(by_search)
    assert checks.best_constant(lambda a, w: jnp.float32([[weighted_median(a, w)]]))


@wrong_answers(
    "best_constant",
    [
        (lambda a, w: np.average(a, weights=w), "squared error"),
        (lambda a, w: a.mean(), "takes no weights"),
        (lambda a, w: np.median(a), "without weights"),
        (lambda a, w: (a.max() + a.min()) / 2, "midpoint"),
        (lambda a, w: a[np.argmax(w)], "the largest weight"),
        (lambda a, w: a[where(w)], "without sorting"),
        (lambda a, w: np.sort(a)[where(w)], "their weights stayed behind"),
        (lambda a, w: a[where(w[np.argsort(a)])], "looked among the unsorted"),
        (lambda a, w: a[np.argsort(w)][where(np.sort(w))], "sorted by weight"),
        (lambda a, w: weighted_median(abs(a), w), "falls when c moves to the"),
        (lambda a, w: np.sort(a)[where(w[np.argsort(a)], len(a) / 2)], "counted values"),
        (lambda a, w: np.sort(a)[where(w[np.argsort(a)], 0.5)], "you counted as if they did"),
        (lambda a, w: where(w[np.argsort(a)]), "the place of a value"),
        (lambda a, w: np.sort(a)[where(w[np.argsort(a)]) - 1], "one value too early"),
        (lambda a, w: np.sort(a)[where(w[np.argsort(a)]) + 1], "one value too far"),
        (lambda a, w: w @ a, "divide by the sum of the weights"),
        (lambda a, w: a.max(), "the largest value"),
        (lambda a, w: 0.0, "For 41 drawn values your c = 0 is not the best constant"),
        (lambda a, w: 0.0, "Nobody has said that zero is among these values"),
        (lambda a, w: a, "one finite number, got ndarray"),
        (lambda a, w: np.nan, "one finite number, got nan"),
        (lambda a, w: np.array([np.inf]), "one finite number, got [inf]"),
        (lambda a, w: np.array([]), "one finite number, got []"),
        (lambda a, w: np.array([a.mean()]), "takes no weights"),
        (lambda a, w: "0", "one finite number, got str"),
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


@wrong_answers(
    "kinetic_energy",
    [
        (lambda v: ((1 - v) * (1 + v)) ** -0.5 - 1, "at v = 1e-06 your kinetic energy is zero"),
        (lambda v: 1 / jnp.sqrt((1 - v) * (1 + v)) - 1, "energy is off by a factor of"),
        (lambda v: jnp.expm1(-0.5 * jnp.log1p(-(v**2))), "at v = 1 − "),
        (lambda v: ((1 - v) * (1 + v)) ** -0.5, "at rest would have energy"),
        (lambda v: 0.5 * v**2, "slow particle"),
        (lambda v: 1 - ((1 - v) * (1 + v)) ** 0.5, "what stands in the Lagrangian"),
        (lambda v: product(v) * jnp.sign(v), "negative where v is"),
        (lambda v: v**2 / ((1 - v) * (1 + v)), "did not divide"),
        (lambda v: product(jnp.clip(v, -1, 0.9999)), "at v = 1 − 6e-08 your kinetic energy is off"),
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


@wrong_answers(
    "magnetic_field",
    [
        (lambda q, v, B: charge(q, v, -B), "turns the charge the wrong way"),
        (lambda q, v, B: charge(q, v, 2 * B), "both ∂𝓛/∂q and dp/dt have a share"),
        (lambda q, v, B: charge(q, v, B / 2), "half of it"),
        (lambda q, v, B: 0.5 * v @ v + B * (q @ v), "total derivative"),
        (lambda q, v, B: charge(q, v, 1.0), "With B = -2.5"),
        (lambda q, v, B: charge(q, v, B) + 0.5 * v @ v, "has no ½"),
        (lambda q, v, B: charge(q, v, B) - 0.5 * v @ v, "kinetic energy is missing"),
        (lambda q, v, B: v, "one number"),
    ],
)
def test_slips_of_the_charge_are_named(slip, word):
    refused(checks.magnetic_field(slip, CAN), word)


@wrong_answers(
    "magnetic_field",
    [
        ({**CAN, "plain": False}, "not all five answers are. At least one of them can do more"),
        (dict.fromkeys(CAN, False), "not all five answers are. At least one of them can do more"),
        (
            {**CAN, "plain": False, "hnn": True},
            "not all five answers are. Turn all velocities round",
        ),
        ({**CAN, "delan": True}, "not all five answers are. Turn all velocities round"),
        (dict.fromkeys(CAN, True), "not all five answers are. Turn all velocities round"),
        ({**CAN, "hnn": "no"}, "Expected True or False for 'hnn', got 'no'"),
        ({**CAN, "lnn": 1}, "Expected True or False for 'lnn', got 1"),
        ({"lnn": True}, "a dict with the keys plain"),
        (3, "a dict with the keys"),
    ],
)
def test_a_wrong_judgement_is_not_pointed_at(can_learn, word):
    """With two answers to choose from, to point at the wrong one is to give the right one."""
    verdict = checks.magnetic_field(charge, can_learn)
    refused(verdict, "The Lagrangian is right", word)
    assert not any(f"{name!r} again" in verdict.message for name in CAN)
    assert len(verdict.hints) == (5 if "five" in word else 0)


def test_judgements_are_asked_for():
    refused(checks.magnetic_field(charge, {**CAN, "hnn": ...}), "Nothing here yet")
    assert checks.magnetic_field(charge, {**CAN, "hnn": np.False_})
