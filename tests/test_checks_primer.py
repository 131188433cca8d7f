"""The checks of the primer: right answers in several forms pass, typical slips are named."""

import re

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, networks


def refused(verdict, *words):
    """The verdict is a no that says each of `words`, or hints it."""
    assert not verdict, verdict
    assert "?" not in verdict.message, "a question is a hint"
    said = " ".join([verdict.message, *verdict.hints])
    for word in words:
        assert word in said, said
    assert "tree.map" not in said


@pytest.mark.parametrize(
    ("check", "stub"),
    [
        (checks.descend, lambda loss, params, rate, steps: ...),
        (checks.deep_network, lambda params, x: None),
    ],
)
def test_a_stub_is_nothing_yet(check, stub):
    refused(check(stub), "Nothing here yet")
    refused(check(...), "Nothing here yet")


@pytest.mark.parametrize(
    ("check", "answer"),
    [(checks.descend, r"grad|tree\.map|rate \*"), (checks.deep_network, r"@|softplus|\[")],
)
def test_hints_lead_on_and_keep_the_answer(check, answer):
    assert len(check.exercise.hints) == 2
    for text in check.exercise.hints:
        assert text[0].isupper() and text[-1] in ".?"
        assert not re.search(answer, text), text


def test_the_primer_has_its_heading_in_the_table():
    checks.descend(lambda loss, params, rate, steps: params)
    assert "Primer: 0 of 2 solved" in repr(checks.progress())


# --- Downhill -------------------------------------------------------------------------


def descend(loss, params, rate, steps):
    for _ in range(steps):
        gradient = jax.grad(loss)(params)
        params = jax.tree.map(lambda p, g: p - rate * g, params, gradient)
    return params


def by_scan(loss, params, rate, steps):
    def step(params, _):
        gradient = jax.grad(loss)(params)
        return jax.tree.map(lambda p, g: p - rate * g, params, gradient), None

    return jax.lax.scan(step, params, None, length=steps)[0]


def by_differences(loss, params, rate, steps):
    """Without `grad`: central differences are exact for a bowl, but for rounding."""
    flat, nest = jax.flatten_util.ravel_pytree(params)
    value = jax.jit(lambda flat: loss(nest(flat)))
    for _ in range(steps):
        nudges = 0.5 * np.eye(flat.size, dtype=np.float32)
        flat -= rate * jnp.array([value(flat + n) - value(flat - n) for n in nudges])
    return nest(flat)


def test_descend_in_several_forms():
    for answer in (descend, by_scan, by_differences):
        assert checks.descend(answer)


def frozen(loss, params, rate, steps):
    gradient = jax.grad(loss)(params)
    return jax.tree.map(lambda p, g: p - steps * rate * g, params, gradient)


def for_arrays(loss, params, rate, steps):
    for _ in range(steps):
        params = params - rate * jax.grad(loss)(params)
    return params


def flattened(loss, params, rate, steps):
    found = descend(loss, params, rate, steps)
    return jax.tree.leaves(found) if isinstance(params, dict) else found


def only_the_first_array(loss, params, rate, steps):
    found = descend(loss, params, rate, steps)
    return {**found, "b": params["b"]} if isinstance(params, dict) else found


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda loss, params, rate, steps: descend(loss, params, -rate, steps), ["climb"]),
        (lambda loss, params, rate, steps: descend(loss, params, rate, 1), ["one step, however"]),
        (lambda loss, params, rate, steps: descend(loss, params, rate, steps - 1), ["too few"]),
        (lambda loss, params, rate, steps: descend(loss, params, rate, steps + 1), ["too many"]),
        (lambda loss, params, rate, steps: descend(loss, params, 1.0, steps), ["learning rate"]),
        (frozen, ["slope of the start"]),
        (lambda loss, params, rate, steps: params, ["handed in"]),
        (lambda loss, params, *rest: (descend(loss, params, *rest), 0.1), ["two things"]),
        (lambda loss, params, *rest: [params, descend(loss, params, *rest)], ["two things"]),
        (lambda loss, params, *rest: 3 * (descend(loss, params, *rest),), ["several things"]),
        (lambda loss, params, *rest: loss(descend(loss, params, *rest)), ["one number"]),
        (lambda loss, params, *rest: jax.grad(loss)(descend(loss, params, *rest)), ["gradient"]),
        (lambda loss, params, *rest: descend(loss, params, *rest)[:2], ["shape (2,)"]),
        (lambda loss, params, rate, steps: descend(loss, params, 2 * rate, steps), ["is wrong"]),
        (for_arrays, ["nest of arrays", "raised", "Which tool"]),
        (flattened, ["another form"]),
        (only_the_first_array, ["nest of arrays is wrong"]),
        (7.0, ["Expected a function"]),
    ],
)
def test_descend_names_the_slip(answer, words):
    refused(checks.descend(answer), *words)


# --- As deep as you like --------------------------------------------------------------


def deep(params, x, bend=jax.nn.softplus, last=lambda z: z):
    for layer in params[:-1]:
        x = bend(x @ layer["weight"] + layer["bias"])
    return last(x @ params[-1]["weight"] + params[-1]["bias"])


def test_deep_network_in_several_forms():
    def recursive(params, x):
        first, *rest = params
        x = first["weight"].T @ x + first["bias"]
        return recursive(rest, jnp.logaddexp(x, 0.0)) if rest else x

    for answer in (deep, recursive, networks.mlp, jax.jit(deep)):
        assert checks.deep_network(answer)


def without_bias(params, x):
    return deep([{**layer, "bias": 0.0} for layer in params], x)


def bent_before(params, x):
    for layer in params:
        x = jax.nn.softplus(x) @ layer["weight"] + layer["bias"]
    return x


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda params, x: deep(params, x, last=jax.nn.softplus), ["last layer, too"]),
        (without_bias, ["biases do not count"]),
        (lambda params, x: deep(params, x, bend=lambda z: z), ["straight line"]),
        (bent_before, ["goes into a layer"]),
        (lambda params, x: deep([params[0], params[-1]], x), ["pass some"]),
        (lambda params, x: deep(params[:-1], x, last=jax.nn.softplus), ["shape (4,)"]),
        (lambda params, x: deep(params, x, bend=jax.nn.relu), ["relu"]),
        (lambda params, x: deep(params, x, bend=jnp.tanh), ["tanh"]),
        (lambda params, x: deep(params, x, bend=jax.nn.softmax), ["softmax"]),
        (lambda params, x: deep(params, x).sum(), ["shape ()"]),
        (lambda params, x: deep(params, x[None]), ["shape (1, 3)"]),
        (lambda params, x: -deep(params, x), ["wrong sign"]),
        (lambda params, x: params[0]["weight"] @ x, ["raised"]),
    ],
)
def test_deep_network_names_the_slip(answer, words):
    refused(checks.deep_network(answer), *words)
