"""The checks of chapter 4: right answers in several forms pass, typical slips are named."""

import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from lnn_tutorial import checks, networks
from tests.wrong_answers import refused, wrong_answers


@pytest.mark.parametrize(
    ("check", "stub"),
    [
        (lambda answer: checks.slides(answer, 1), lambda n, hidden: ...),
        (checks.one_layer, lambda params, q, q_dot, curvature: ...),
        (checks.tail, lambda samples: None),
        (checks.bell, lambda x: ...),
    ],
)
def test_a_stub_is_nothing_yet(check, stub):
    refused(check(stub), "Nothing here yet")
    refused(check(...), "Nothing here yet")
    refused(check("answer"), "Expected a function")


def test_an_answer_in_part_is_nothing_yet():
    refused(checks.slides(networks.eq16, ...), "Nothing here yet", "width")
    refused(checks.slides(lambda n, hidden: [2.2 / n**0.5, ...], 1), "Nothing here yet")
    refused(checks.last_layer(RIGHT | {"energy": ...}), "Nothing here yet", "all six")
    refused(checks.last_layer(None), "Nothing here yet")


# --- Find the bug in the slides -------------------------------------------------------


def by_package(n, hidden):
    return networks.eq16([4, *[n] * hidden, 1])


def by_array(n, hidden):
    inside = jnp.concatenate([jnp.array([2.2]), 0.58 * jnp.arange(1, hidden), jnp.array([n])])
    return inside / jnp.sqrt(n)


def by_loop(n, hidden):
    sigmas = [2.2 / math.sqrt(n)]
    for i in range(1, hidden):
        sigmas.append(0.58 * i / math.sqrt(n))
    return (*sigmas, n**0.5)


@pytest.mark.parametrize("answer", [by_package, by_array, by_loop])
@pytest.mark.parametrize("width", [32, 31, 5.6**2, jnp.array(32.0), Fraction(32)])
def test_slides_in_several_forms(answer, width):
    assert checks.slides(answer, width)


def list_of(first, inner, last):
    """The list with each number as a function: of n, of i and n and hidden, of n."""

    def answer(n, hidden):
        return [first(n), *(inner(i, n, hidden) for i in range(1, hidden)), last(n)]

    return answer


def first(n):
    return 2.2 / n**0.5


def inner(i, n, hidden):
    return 0.58 * i / n**0.5


def last(n):
    return n**0.5


def of_list(change):
    return lambda n, hidden: change(n, by_array(n, hidden))


@wrong_answers(
    "slides",
    [
        (
            list_of(lambda n: 2.2 / 5.6, lambda i, n, h: 0.58 * i / 5.6, lambda n: 5.6),
            ["slides' numbers"],
        ),
        (of_list(lambda n, sigmas: sigmas**2), ["variances"]),
        (of_list(lambda n, sigmas: sigmas / n**0.5), ["divide by the width"]),
        (of_list(lambda n, sigmas: sigmas * n**0.5), ["forgot what"]),
        (of_list(lambda n, sigmas: -sigmas), ["sign"]),
        (of_list(lambda n, sigmas: 2 * sigmas), ["factor of 2"]),
        (list_of(lambda n: 2.2, inner, last), ["first layer"]),
        (list_of(lambda n: 2.2 / n, inner, last), ["first layer", "small"]),
        (
            list_of(first, lambda i, n, h: inner(i - 1, n, h), last),
            ["hidden layers", "begins too early"],
        ),
        (list_of(first, lambda i, n, h: inner(i + 1, n, h), last), ["counts the first layer, too"]),
        (list_of(first, lambda i, n, h: inner(h - i, n, h), last), ["wrong end"]),
        (list_of(first, lambda i, n, h: inner(1, n, h), last), ["does not count"]),
        (list_of(first, inner, lambda n: n), ["last layer", "front of the braces"]),
        (list_of(first, inner, lambda n: 1 / n**0.5), ["last layer", "Inside the braces"]),
        (list_of(first, inner, lambda n: 1.0), ["last layer", "inverse"]),
        (list_of(first, inner, lambda n: 0.3), ["last layer", "small"]),
        (lambda n, hidden: by_loop(n, hidden + 1), ["shape (4,)", "one number for each"]),
        (lambda n, hidden: by_loop(n, hidden)[0], ["shape ()", "one number for each"]),
        (lambda n, hidden: np.diag(by_loop(n, hidden)), ["one number for each"]),
        (of_list(lambda n, sigmas: sigmas * np.nan), ["not finite"]),
        (lambda n, hidden: ["a"] * (hidden + 1), ["real numbers"]),
        (lambda n, hidden: by_loop(n, hidden)[hidden + 1], ["raised"]),
    ],
)
def test_slides_names_the_slip_in_the_list(answer, words):
    refused(checks.slides(answer, 32), *words)


@wrong_answers(
    "slides",
    [
        (256, ["do not compute with"]),
        (5.6, ["the root of a width"]),
        ("32", ["real numbers, got str"]),
        (True, ["real numbers, got bool"]),
        (16, ["root of the width"]),
        (64, ["too large"]),
        (-32, ["width"]),
        ([32, 32], ["shape (2,)"]),
        (np.nan, ["not finite"]),
        ("wide", ["real numbers"]),
    ],
)
def test_slides_names_the_slip_in_the_width(width, words):
    refused(checks.slides(by_loop, width), "Your list is right", *words)


# --- One hidden layer, by hand --------------------------------------------------------


def by_matrices(params, q, q_dot, curvature):
    hidden, output = params
    z = jnp.concatenate([q, q_dot]) @ hidden["weight"] + hidden["bias"]
    v = hidden["weight"][len(q) :]
    return (output["weight"][:, 0] * curvature(z) * v) @ v.T


def by_units(params, q, q_dot, curvature):
    (hidden, output), d = params, len(q)
    mass = np.zeros((d, d))
    for j in range(len(hidden["bias"])):
        column = np.array(hidden["weight"][:, j])
        z = float(hidden["bias"][j])
        for number, weight in zip([*q, *q_dot], column, strict=True):
            z += float(number) * float(weight)
        mass += float(output["weight"][j, 0]) * curvature(z) * np.outer(column[d:], column[d:])
    return mass.tolist()


def by_einsum(params, q, q_dot, curvature):
    weight, bias, w, _ = (np.asarray(x, float) for layer in params for x in by_name(layer))
    f = np.asarray(curvature(np.concatenate([q, q_dot]) @ weight + bias), float)
    v = weight[-len(q) :]
    return np.einsum("j,j,aj,bj->ab", w[:, 0], f, v, v)


def by_name(layer):
    return layer["weight"], layer["bias"]


@pytest.mark.parametrize("answer", [by_matrices, by_units, by_einsum])
def test_one_layer_in_several_forms(answer):
    assert checks.one_layer(answer)


def slipped(
    rows=lambda W, d: W[d:],
    others=lambda W, d: W[d:],
    weight=lambda w: w,
    bias=1.0,
    order=lambda q, q_dot: (q, q_dot),
    bend=lambda curvature, z: curvature(z),
    mass=lambda mass, params: mass,
):
    def answer(params, q, q_dot, curvature):
        W, b, w, _ = (np.asarray(x) for layer in params for x in by_name(layer))
        z = np.concatenate(order(q, q_dot)) @ W + bias * b
        factors = weight(w[:, 0]) * np.asarray(bend(curvature, z))
        return mass((factors * rows(W, len(q))) @ others(W, len(q)).T, params)

    return answer


def positions(W, d):
    return W[:d]


@wrong_answers(
    "one_layer",
    [
        (slipped(rows=positions, others=positions), ["with respect to the positions"]),
        (slipped(others=positions), ["by a velocity and once by a position"]),
        (slipped(rows=positions), ["by a position and once by a velocity"]),
        (slipped(weight=lambda w: 1.0 + 0 * w), ["count alike"]),
        (slipped(bend=lambda curvature, z: 1.0), ["any other activation"]),
        (slipped(bias=0.0), ["is missing"]),
        (slipped(order=lambda q, v: (0 * q, v)), ["The positions enter"]),
        (slipped(order=lambda q, v: (v, q)), ["sees the positions first"]),
        (
            slipped(rows=positions, others=positions, order=lambda q, v: (v, q)),
            ["the velocities for positions"],
        ),
        (slipped(mass=lambda M, params: M + params[1]["bias"]), ["bias of the output"]),
        (slipped(mass=lambda M, params: -M), ["sign"]),
        (slipped(mass=lambda M, params: M / 12), ["the mean over the units"]),
        (slipped(mass=lambda M, params: np.diag(np.diag(M))), ["the velocities share units"]),
        (slipped(rows=lambda W, d: W, others=lambda W, d: W), ["shape (4, 4)", "velocities"]),
        (slipped(mass=lambda M, params: M.sum()), ["shape ()", "velocities"]),
        (slipped(mass=lambda M, params: M * np.nan), ["not finite"]),
        (slipped(mass=lambda M, params: "M"), ["real numbers"]),
        (lambda params, q, q_dot, curvature: params[2], ["raised"]),
    ],
)
def test_one_layer_names_the_slip(answer, words):
    refused(checks.one_layer(answer), *words)


# --- The scale of the last layer ------------------------------------------------------

RIGHT = {
    "mass matrix": 1,
    "condition number": 0,
    "energy": 1,
    "acceleration": 0,
    "gradient of the last layer": -1,
    "gradient of the first layer": 0,
}


@pytest.mark.parametrize("number", [int, float, np.float32, jnp.array, Fraction])
def test_last_layer_in_several_forms(number):
    assert checks.last_layer({name: number(power) for name, power in RIGHT.items()})


@wrong_answers(
    "last_layer",
    [
        ({"mass matrix": 0}, ["mass matrix grows with c"]),
        ({"mass matrix": -1}, ["mass matrix grows with c"]),
        ({"mass matrix": 2}, ["grows with c, but more slowly than with the power 2"]),
        ({"mass matrix": 0.5}, ["mass matrix grows with c, but faster"]),
        ({"condition number": 1}, ["condition number does not grow"]),
        ({"condition number": -2}, ["condition number does not shrink"]),
        ({"energy": 0}, ["energy grows"]),
        ({"acceleration": 1}, ["acceleration does not grow"]),
        ({"acceleration": -1}, ["acceleration does not shrink"]),
        ({"gradient of the last layer": 0}, ["last layer shrinks with c"]),
        ({"gradient of the last layer": -2}, ["last layer shrinks with c, but more slowly"]),
        ({"gradient of the last layer": -0.5}, ["last layer shrinks with c, but faster"]),
        ({"gradient of the first layer": 1}, ["first layer does not grow"]),
        ({"energy": "one"}, ["energy is a number, got str"]),
        ({"energy": [1, 1]}, ["energy is one number"]),
        ({"energy": np.inf}, ["energy is not finite"]),
        ({"energy": 1j}, ["energy is a number"]),
        ({"energy": "1"}, ["energy is a number, got str"]),
        ({"energy": True}, ["energy is a number, got bool"]),
    ],
)
def test_last_layer_names_the_slip(slip, words):
    refused(checks.last_layer(RIGHT | slip), *words)


def test_last_layer_asks_for_a_dictionary_with_all_names():
    refused(checks.last_layer([1, 0, 1, 0, -1, 0]), "dictionary", "list")
    refused(checks.last_layer({"mass": 1}), "no power for the mass matrix")
    refused(checks.last_layer({k: RIGHT[k] for k in list(RIGHT)[:-1]}), "first layer")


# --- The power of a tail --------------------------------------------------------------


def largest(samples, share):
    return np.sort(np.abs(samples))[::-1][: int(share * len(samples))]


def hill(samples, share=0.01):
    a = largest(samples, share)
    return 1 / np.mean(np.log(a / a[-1]))


def line(samples, share=0.01):
    a = largest(samples, share)
    probability = np.arange(1, len(a) + 1) / len(samples)
    return -np.polyfit(np.log(a), np.log(probability), 1)[0]


def two_points(samples):
    near, far = jnp.quantile(jnp.abs(samples), jnp.array([0.95, 0.995]))
    return jnp.log(10) / jnp.log(far / near)


def by_sorting(samples):
    tail = sorted(abs(float(x)) for x in samples)[-2000:]
    return len(tail) / sum(math.log(x / tail[0]) for x in tail)


def by_exceedances(samples):
    size = np.abs(samples)
    levels = np.geomspace(np.quantile(size, 0.97), np.quantile(size, 0.998), 12)
    shares = [np.mean(size > level) for level in levels]
    return stats.linregress(np.log(levels), np.log(shares)).slope * -1


@pytest.mark.parametrize("answer", [hill, line, two_points, by_sorting, by_exceedances])
def test_tail_in_several_forms(answer):
    assert checks.tail(answer)


@pytest.mark.parametrize("estimator", [hill, line])
@pytest.mark.parametrize("share", [0.005, 0.02, 0.05, 0.1])
def test_tail_leaves_the_choice_of_the_tail(estimator, share):
    assert checks.tail(lambda samples: estimator(samples, share))


def fixed_levels(samples):
    size = np.abs(samples)
    near, far = (np.mean(size > level) for level in (10.0, 100.0))
    return np.log10(near / far) if far else np.nan


def without_abs(samples):
    a = jnp.sort(jnp.asarray(samples))[-1000:]
    return 1 / jnp.mean(jnp.log(a / a[0]))


def positive_only(samples):
    return hill(samples[samples > 0])


@wrong_answers(
    "tail",
    [
        (lambda x: -hill(x), ["wrong sign"]),
        (lambda x: hill(x) + 1, ["density"]),
        (lambda x: -hill(x) - 1, ["density", "sign"]),
        (lambda x: 1 / hill(x), ["upside down"]),
        (lambda x: -1 / hill(x), ["upside down", "sign"]),
        (lambda x: hill(x, 1.0), ["too small", "far out"]),
        (lambda x: line(x, 0.9), ["Cauchy numbers", "too small", "no tail"]),
        (lambda x: 1.25 * hill(x), ["Cauchy numbers", "too large", "no tail"]),
        (lambda x: 1.0, ["squares of Cauchy", "the same for all samples"]),
        (fixed_levels, ["two normal numbers", "a thousand times"]),
        (without_abs, ["large and negative"]),
        (positive_only, ["large and negative"]),
        (lambda x: np.polyfit(np.log(x[-9:]), np.arange(9), 1)[5], ["raised"]),
        (lambda x: np.polyfit(np.log(np.abs(x)), np.log(np.abs(x)), 1), ["one number", "(2,)"]),
        (lambda x: "two", ["is a number, got str"]),
        (lambda x: np.nan, ["not finite"]),
        (lambda x: 0.0, ["too small"]),
    ],
)
def test_tail_names_the_slip(answer, words):
    refused(checks.tail(answer), *words)


# --- An activation of one's own -------------------------------------------------------

normal = jax.scipy.stats.norm


def by_distribution(x):
    return x * normal.cdf(x) + normal.pdf(x)


def by_error_function(x):
    step = 0.5 * jax.lax.erfc(-x / jnp.sqrt(2.0))
    return x * step + jnp.exp(-0.5 * x * x) / jnp.sqrt(2 * jnp.pi)


def by_gelu(x):
    return jax.nn.gelu(x, approximate=False) + normal.pdf(x)


@pytest.mark.parametrize("answer", [by_distribution, by_error_function, by_gelu])
def test_bell_in_several_forms(answer):
    assert checks.bell(answer)


def changed(change):
    return lambda x: by_distribution(x) + change(x)


@wrong_answers(
    "bell",
    [
        (lambda x: jax.nn.gelu(x, approximate=False), ["GELU"]),
        (jax.nn.gelu, ["GELU"]),
        (lambda x: jax.nn.gelu(x) + normal.pdf(x), ["close", "approximation"]),
        (networks.softplus, ["softplus"]),
        (normal.pdf, ["the bell itself"]),
        (normal.cdf, ["one integration"]),
        (jax.nn.relu, ["straight"]),
        (lambda x: by_distribution(2**0.5 * x) / 2**0.5, ["narrower"]),
        (lambda x: by_distribution(x / 2**0.5) * 2**0.5, ["wider"]),
        (lambda x: 2 * by_distribution(x), ["factor of 2"]),
        (lambda x: by_distribution(x) * 2.5066, ["constant factor"]),
        (lambda x: -by_distribution(x), ["sign"]),
        (lambda x: by_distribution(-x), ["left", "slope"]),
        (changed(lambda x: -x / 2), ["left", "slope"]),
        (changed(lambda x: 0 * x + 1), ["left", "f itself"]),
        (lambda x: jnp.where(x > 20, 20.0, by_distribution(x)), ["at x = 50", "goes astray"]),
        (lambda x: jnp.exp(x**2), ["not finite far"]),
        (lambda x: jnp.log(x), ["not finite near", "x = -6"]),
        (lambda x: by_distribution(x).sum(), ["shape ()"]),
        (
            lambda x: by_distribution(x) / (1 + x.size),
            ["At x = 50 your f of one number alone differs"],
        ),
        (lambda x: x * stats.norm.cdf(x) + stats.norm.pdf(x), ["write it with jnp"]),
        (lambda x: x[100, 100], ["raised"]),
    ],
)
def test_bell_names_the_slip(answer, words):
    refused(checks.bell(answer), *words)
