"""The checks of chapter 1: right answers in several forms pass, typical slips are named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks
from tests.wrong_answers import refused, wrong_answers

EXERCISES = {
    "throw_action": (lambda h, m, g, T: ...,),
    "bend_coefficient": (lambda m, k, T: ...,),
    "hoop": (lambda q, q_dot: ...,),
    "gauge": (..., lambda x, y: ...),
    "fastest_slide": (...,),
}


@pytest.mark.parametrize("name", EXERCISES)
def test_an_untouched_stub_is_not_judged(name):
    assert getattr(checks, name)(*EXERCISES[name]).message.startswith("Nothing here yet")


def test_the_letters_alone_are_half_an_answer():
    assert "Nothing here yet" in checks.gauge("ABDE", lambda x, y: ...).message


# --- The parabolic throw --------------------------------------------------------------


def throw(h, m, g, T):
    return 8 * m * h**2 / (3 * T) - 2 * m * g * h * T / 3


def throw_by_quadrature(h, m, g, T):
    t = np.linspace(0, T, 20_001)
    q, q_dot = 4 * h * t / T * (1 - t / T), 4 * h / T * (1 - 2 * t / T)
    return np.trapezoid(0.5 * m * q_dot**2 - m * g * q, t)


def throw_up(h, m, g, T):
    return throw(h, m, -g, T)


@pytest.mark.parametrize(
    "answer", [throw, throw_by_quadrature, lambda *args: jnp.array(throw(*args))]
)
def test_a_throw_in_several_forms(answer):
    assert checks.throw_action(answer)


@wrong_answers(
    "throw_action",
    [
        (
            lambda h, m, g, T: 16 * m * h**2 / (3 * T) - 2 * m * g * h * T / 3,
            ["gravity off", "The ½ of the kinetic energy is missing"],
        ),
        (throw_up, ["part with gravity has the wrong sign", "You added the potential energy"]),
        (lambda h, m, g, T: throw(h, m, g, T) / m, ["gravity off", "The mass is missing"]),
        (lambda h, m, g, T: throw(h, m, g, T) / T, ["gravity off", "This is an energy"]),
        (lambda h, m, g, T: 8 * m * h / 3, ["gravity off", "velocity counts squared"]),
        (lambda h, m, g, T: 8 * m * h**2 / T, ["gravity off", "only at the ends of the throw"]),
        (lambda h, m, g, T: 2 * m * h**2 / T, ["gravity off", "square of the mean speed"]),
        (lambda h, m, g, T: throw(h, m, 0.0, T), ["part with gravity", "knows nothing of gravity"]),
        (
            lambda h, m, g, T: throw(h, m, 0.0, T) - m * g * h * T,
            ["part with gravity", "not at the height h all the time"],
        ),
        (
            lambda h, m, g, T: throw(h, m, 0.0, T) - m * g * h * T / 2,
            ["part with gravity", "mean height of a parabola"],
        ),
        (lambda h, m, g, T: m * g**2 / 0 * T, ["ZeroDivisionError"]),
        (lambda h: h, ["TypeError"]),
        (7.0, ["Expected a function"]),
    ],
)
def test_a_throw_gone_wrong(answer, words):
    refused(checks.throw_action(answer), *words)


# --- The bend -------------------------------------------------------------------------


def test_a_bend_in_several_forms():
    assert checks.bend_coefficient(lambda m, k, T: m * np.pi**2 / (4 * T) - k * T / 4)
    assert checks.bend_coefficient(lambda m, k, T: (T / 4) * (m * (jnp.pi / T) ** 2 - k))


@wrong_answers(
    "bend_coefficient",
    [
        (
            lambda m, k, T: m * np.pi**2 / (2 * T) - k * T / 2,
            ["Without a spring", "One half is missing"],
        ),
        (
            lambda m, k, T: m * np.pi**2 / (4 * T) + k * T / 4,
            ["part of the spring", "You added the energy of the spring"],
        ),
        (lambda m, k, T: m * np.pi**2 / (4 * T), ["part of the spring", "knows nothing of"]),
        (lambda m, k, T: m * np.pi**2 / (4 * T) - k * T / 2, ["spring", "One half is missing"]),
        (lambda m, k, T: m * np.pi**2 / (4 * T) - k * T, ["spring", "Two halves are missing"]),
        (lambda m, k, T: m * np.pi**2 / (4 * T) - k / 4, ["spring", "This is an energy"]),
        (lambda m, k, T: (m - k) * T / 4, ["Without a spring", "The inner derivative"]),
        (
            lambda m, k, T: m * np.pi / 4,
            ["Without a spring", "derivative of the bend counts squared"],
        ),
        (lambda m, k, T: -k * T / 4, ["Without a spring", "no kinetic energy is left"]),
    ],
)
def test_a_bend_gone_wrong(answer, words):
    refused(checks.bend_coefficient(answer), *words)


# --- The hoop -------------------------------------------------------------------------


def hoop(q, q_dot, m=0.2, R=0.5, spin=6.0, g=9.8, rotation=1.0, gravity=1.0):
    around = rotation * (spin * R * jnp.sin(q[0])) ** 2
    kinetic = 0.5 * m * ((R * q_dot[0]) ** 2 + around)
    return kinetic + gravity * m * g * R * jnp.cos(q[0])


def test_a_hoop_in_several_forms():
    assert checks.hoop(hoop)
    assert checks.hoop(lambda q, q_dot: hoop(q, q_dot, m=3.0) - 7)
    gauge = lambda q, q_dot: 2 * hoop(q, q_dot) + jnp.exp(q[0]) * q_dot[0]  # noqa: E731
    assert checks.hoop(gauge)


@wrong_answers(
    "hoop",
    [
        (lambda q, v: hoop(q, v, rotation=0.0), ["does not feel the rotation"]),
        (lambda q, v: hoop(q, v, rotation=-1.0), ["rotation has the wrong sign", "to the axis"]),
        (lambda q, v: hoop(q, v, gravity=-1.0), ["gravity has the wrong sign", "rises to the top"]),
        (lambda q, v: hoop(q, v, gravity=0.0), ["no gravity"]),
        (lambda q, v: hoop(q, v, R=1.0), ["pull of gravity", "also what a missing radius does"]),
        (lambda q, v: hoop(q, v, rotation=2.0), ["rotation", "factor of 2"]),
        (lambda q, v: hoop(q, v) + q[0] ** 2, ["neither the rotation nor gravity"]),
        (lambda q, v: hoop(q, jnp.zeros(1)), ["no finite acceleration", "no inverse"]),
        (lambda q, v: 0.5 * v**2, ["one number"]),
        (lambda q: hoop(q, q), ["raised TypeError"]),
    ],
)
def test_a_hoop_gone_wrong(answer, words):
    refused(checks.hoop(answer), *words)


# --- The gauge function ---------------------------------------------------------------


@pytest.mark.parametrize("letters", ["ABDE", "a, b, d, e", ["E", "D", "B", "A"], {*"ABDE"}])
def test_a_gauge_in_several_forms(letters):
    assert checks.gauge(letters, lambda x, y: x**2 * y)
    assert checks.gauge(letters, lambda x, y: x * x * y + 5)


def test_the_terms_are_total_derivatives_exactly_where_the_check_says_so():
    terms = {
        "A": lambda q: (0.0 * q[0], 0.0 * q[0]),
        "B": lambda q: (q[0], q[1]),
        "C": lambda q: (-q[1], q[0]),
        "D": lambda q: (q[1], q[0]),
        "E": lambda q: (2 * q[0] * q[1], q[0] ** 2),
        "F": lambda q: (q[1], 0.0 * q[0]),
    }
    q = jnp.array([0.7, -1.3])
    curls = {
        name: jax.jacobian(lambda q, term=term: jnp.stack(term(q)))(q)
        for name, term in terms.items()
    }
    closed = [name for name, slope in curls.items() if jnp.allclose(slope, slope.T)]
    assert checks.gauge(closed, lambda x, y: x**2 * y)


@wrong_answers(
    "gauge",
    [
        ("ABCDE", lambda x, y: x**2 * y, ["1 would change", "only if ∂a/∂y = ∂b/∂x"]),
        ("CF", lambda x, y: x**2 * y, ["2 would change"]),
        ("BDA", lambda x, y: x**2 * y, ["1 more would"]),
        ("ABDZ", lambda x, y: x**2 * y, ["letters from A to F"]),
        (4, lambda x, y: x**2 * y, ["string"]),
        ("ABDE", lambda x, y: -(x**2) * y, ["∂f/∂x at x = 0.7 and y = -1.2 has the wrong sign"]),
        (
            "ABDE",
            lambda x, y: x**2 * y + y,
            ["∂f/∂y at x = 0.7", "too large", "depends on y alone"],
        ),
        ("ABDE", lambda x, y: 2 * x * y, ["∂f/∂x", "the factor of ẋ itself"]),
        ("ABDE", lambda x, y: 2 * x**2 * y, ["∂f/∂x", "one and the same"]),
        ("ABDE", lambda x, y: jnp.stack([x, y]), ["one number"]),
        ("ABDE", lambda x, y: 3.0, ["∂f/∂x", "does not depend on x"]),
    ],
)
def test_a_gauge_gone_wrong(letters, function, words):
    refused(checks.gauge(letters, function), *words)


# --- The fastest slide ----------------------------------------------------------------


def cycloid():
    """The fastest curve from (0, 0) to (1, 0.5) and its time: x = R (s − sin s)."""
    from scipy.optimize import brentq

    end = brentq(lambda s: (1 - np.cos(s)) / (s - np.sin(s)) - 0.5, 1.0, 6.0)
    radius = 1 / (end - np.sin(end))
    s = np.linspace(0, end, 100_001)
    x, y = radius * (s - np.sin(s)), radius * (1 - np.cos(s))
    return np.interp(np.linspace(0, 1, 51), x, y), end * np.sqrt(radius / 9.8)


def test_the_cycloid_is_the_fastest_slide():
    depth, time = cycloid()
    assert time == pytest.approx(0.56991, abs=5e-6)
    assert checks.fastest_slide(depth)
    assert checks.fastest_slide(jnp.array(depth))
    assert checks.fastest_slide(depth.tolist())


x = np.linspace(0, 1, 51)


@wrong_answers(
    "fastest_slide",
    [
        (0.5 * x, ["25.3 % later", "The straight slide"]),
        (0.5 * np.sqrt(x), ["2.6 % later"]),
        (0.5 * (1 - (1 - x) ** 2), ["7.1 % later"]),
        (0.5 * x[1:-1], ["Expected 51 depths"]),
        (0.5 * x + 0.1, ["ends", "at 0.1 and 0.6 m"]),
        (-0.5 * x, ["ends", "at 0 and -0.5 m"]),
        (np.where(x < 0.5, -x, 0.5 * x), ["downward", "depth[1] is -0.02 m"]),
        (np.where(x < 0.5, np.nan, 0.5 * x), ["not finite, first depth[0]"]),
        ("steep", ["array of numbers"]),
    ],
)
def test_a_slow_or_impossible_slide(depth, words):
    refused(checks.fastest_slide(depth), *words)
