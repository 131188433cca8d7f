"""The checks of chapter 3: right answers in several forms pass, typical slips are named."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, mechanics, models, systems, train


def refused(verdict, *words):
    """The verdict is a no that says each of `words`, or hints it, and nothing of the answer."""
    assert not verdict, verdict
    assert "?" not in verdict.message, "a question is a hint"
    said = " ".join([verdict.message, *verdict.hints])
    for word in words:
        assert word in said, said
    if "raised" in said:  # in the words of JAX
        return
    told = re.sub(r"factor of \S+|shape \([\d, ]*\)|expected \([\d, ]*\)", "", said)
    told = re.sub(r"\d of \d entries|entry \[[\d, ]*\]|Eq\. 6|[\d.]+ %|\d+ of \d+", "", told)
    assert not re.search(r"\d", told), said
    assert not re.search(r"\b(softplus|sin|cos|jvp|vmap|grad)\b|@", told), said


@pytest.mark.parametrize(
    ("check", "stub"),
    [
        (checks.batch_energies, lambda lagrangian, q, q_dot: ...),
        (checks.imbalance, lambda lagrangian: lambda q, q_dot, q_ddot: ...),
        (checks.mended_lagrangian, lambda params, q, q_dot: ...),
        (checks.error_power, lambda energy, acceleration, q, q_dot: None),
    ],
)
def test_a_stub_is_nothing_yet(check, stub):
    refused(check(stub), "Nothing here yet")
    refused(check(...), "Nothing here yet")


def test_a_model_not_handed_over():
    refused(checks.trained_pendulum(..., ...), "Nothing here yet")
    refused(checks.trained_pendulum(models.LNN(1), None), "Nothing here yet")


# --- A batch of energies --------------------------------------------------------------


def energies(lagrangian, q, q_dot):
    return jax.jit(jax.vmap(mechanics.energy(lagrangian)))(q, q_dot)


def test_batch_energies_in_several_forms():
    def by_loop(lagrangian, q, q_dot):
        momentum = jax.grad(lagrangian, argnums=1)
        energy = jax.jit(lambda x, v: v @ momentum(x, v) - lagrangian(x, v))
        return [energy(x, v) for x, v in zip(q, q_dot, strict=True)]

    def by_jvp(lagrangian, q, q_dot):
        def one(q, q_dot):
            value, slope = jax.jvp(lambda v: lagrangian(q, v), (q_dot,), (q_dot,))
            return slope - value

        return jax.jit(jax.vmap(one))(q, q_dot)

    for answer in (energies, by_loop, by_jvp):
        assert checks.batch_energies(answer)


def quadratic_only(lagrangian, q, q_dot):
    def one(q, v):
        potential = -lagrangian(q, 0 * v)
        return lagrangian(q, v) + 2 * potential

    return jax.vmap(one)(q, q_dot)


def twice_kinetic(lagrangian, q, q_dot):
    def one(q, v):
        kinetic = 0.5 * v @ jax.hessian(lagrangian, 1)(q, v) @ v
        return kinetic - lagrangian(q, 0 * v)

    return jax.jit(jax.vmap(one))(q, q_dot)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda L, q, v: jax.vmap(L)(q, v), ["momentum"]),
        (lambda L, q, v: -jax.vmap(L)(q, v), ["momentum"]),
        (lambda L, q, v: energies(L, q, v) + 2 * jax.vmap(L)(q, v), ["sign"]),
        (lambda L, q, v: energies(L, q, v).mean(), ["shape ()", "each state"]),
        (lambda L, q, v: energies(L, q, v)[:, None], ["shape (5, 1)"]),
        (quadratic_only, ["magnetic field", "momentum"]),
        (twice_kinetic, ["relativistic", "special form"]),
        (lambda L, q, v: L(q, v), ["raised"]),
        (7.0, ["Expected a function"]),
    ],
)
def test_batch_energies_names_the_slip(answer, words):
    refused(checks.batch_energies(answer), *words)


# --- Out of balance -------------------------------------------------------------------


def by_matrices(lagrangian):
    def field(q, v, a):
        momentum = jax.grad(lagrangian, 1)
        rate = jax.jacobian(momentum, 1)(q, v) @ a + jax.jacobian(momentum, 0)(q, v) @ v
        return rate - jax.grad(lagrangian, 0)(q, v)

    return jax.jit(field)


def by_jvp(lagrangian, tangent=lambda v, a: (v, a), combine=lambda force, rate: rate - force):
    def field(q, v, a):
        gradient = jax.grad(lagrangian, (0, 1))
        (force, _), (_, rate) = jax.jvp(gradient, (q, v), tangent(v, a))
        return combine(force, rate)

    return jax.jit(field)


def test_imbalance_in_several_forms():
    for answer in (by_jvp, by_matrices, lambda L: jax.jit(mechanics.euler_lagrange(L))):
        assert checks.imbalance(answer)


def over_mass(lagrangian):
    def field(q, v, a):
        return a - mechanics.acceleration(lagrangian)(q, v)

    return jax.jit(field)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (partial(by_jvp, combine=lambda force, rate: force - rate), ["wrong sign"]),
        (partial(by_jvp, combine=lambda force, rate: rate + force), ["sign of the force"]),
        (partial(by_jvp, combine=lambda force, rate: rate), ["force is missing"]),
        (partial(by_jvp, tangent=lambda v, a: (v, 0 * a)), ["depend on the acceleration"]),
        (partial(by_jvp, tangent=lambda v, a: (0 * v, a)), ["stand still"]),
        (over_mass, ["no force"]),
        (lambda L: lambda q, v, a: L(q, v), ["shape ()"]),
        (lambda L: 3.0, ["Expected a function"]),
    ],
)
def test_imbalance_names_the_slip(answer, words):
    refused(checks.imbalance(answer), *words)


# --- Find the bugs --------------------------------------------------------------------


def network(activation=jax.nn.softplus, position=None):
    @jax.jit
    def answer(params, q, q_dot):
        r, theta = q
        seen = (position or (lambda r, t: [r, jnp.sin(t), jnp.cos(t)]))(r, theta)
        x = jnp.concatenate([jnp.stack(seen), q_dot / 5.0])
        for layer in params[:-1]:
            x = activation(x @ layer["weight"] + layer["bias"])
        return (x @ params[-1]["weight"] + params[-1]["bias"])[0]

    return answer


def wrapped(r, theta):
    return [r, jnp.sin(theta), (theta + jnp.pi) % (2 * jnp.pi) - jnp.pi]


def test_mended_lagrangian_in_several_forms():
    for activation in (jax.nn.softplus, jnp.tanh):
        assert checks.mended_lagrangian(network(activation))
    another_order = network(jax.nn.silu, lambda r, t: [jnp.cos(t), r, jnp.sin(t)])
    assert checks.mended_lagrangian(another_order)
    with_offset = models.LNN(2, (False, True), velocity_scale=5.0, width=16)
    assert checks.mended_lagrangian(jax.jit(with_offset.lagrangian))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (network(jax.nn.softmax, wrapped), ["does not notice"]),
        (network(jax.nn.softmax), ["does not notice"]),
        (network(position=wrapped), ["jumps", "upward"]),
        (network(position=lambda r, t: [r, t, t]), ["full turn"]),
        (network(position=lambda r, t: [r, jnp.sin(t), jnp.sin(t)]), ["stands"]),
        (network(jax.nn.relu), ["mass matrix is zero"]),
        (lambda params, q, q_dot: q, ["one number"]),
        (lambda params, q, q_dot: jnp.nan, ["finite"]),
        (network(position=lambda r, t: [r, jnp.cos(t)]), ["raised"]),
    ],
)
def test_mended_lagrangian_names_the_slip(answer, words):
    refused(checks.mended_lagrangian(answer), *words)


# --- The power of an error ------------------------------------------------------------


def power(energy, acceleration, q, q_dot):
    tangent = (q_dot, acceleration(q, q_dot))
    return jax.jvp(energy, (q, q_dot), tangent)[1]


def test_error_power_in_several_forms():
    def by_gradients(energy, acceleration, q, v):
        along_q, along_v = jax.grad(energy, (0, 1))(q, v)
        return along_q @ v + along_v @ acceleration(q, v)

    def by_differences(energy, acceleration, q, v, dt=1e-3):
        a = acceleration(q, v)
        ahead, behind = (energy(q + s * v, v + s * a) for s in (dt, -dt))
        return (ahead - behind) / (2 * dt)

    for answer in (power, by_gradients, by_differences):
        assert checks.error_power(answer)


def only_velocity(energy, acceleration, q, v):
    return jax.grad(energy, 1)(q, v) @ acceleration(q, v)


def only_position(energy, acceleration, q, v):
    return jax.grad(energy, 0)(q, v) @ v


def unit_mass(energy, acceleration, q, v):
    if q.size == 1:
        return power(energy, acceleration, q, v)
    return v @ (acceleration(q, v) - systems.SpringPendulum().acceleration(q, v))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *a: -power(*a), ["wrong sign"]),
        (only_velocity, ["so does the position"]),
        (only_position, ["so does the velocity"]),
        (unit_mass, ["masses"]),
        (lambda energy, acceleration, q, v: v, ["one number"]),
        (lambda *a: power(*a) / 0, ["not finite"]),
    ],
)
def test_error_power_names_the_slip(answer, words):
    refused(checks.error_power(answer), *words)


# --- Train one yourself ---------------------------------------------------------------


@pytest.fixture(scope="module")
def half_trained():
    pendulum = systems.Pendulum()
    model = models.LNN(1, pendulum.angles, velocity_scale=5.0, width=16)
    fit = train.fit(
        train.acceleration_loss(model, "relative", scale=10.0),
        model.init(jax.random.key(0)),
        train.labelled(pendulum),
        key=jax.random.key(1),
        steps=100,
        chunk=100,
        optimizer=train.muon(0.02, 100),
        progress=False,
    )
    return model, fit.params


class Exact:
    """A model that is right for every parameter."""

    def lagrangian(self, params, q, q_dot):
        return 3.0 * systems.Pendulum().lagrangian(q, q_dot) + params


class Massless:
    def lagrangian(self, params, q, q_dot):
        return jnp.cos(q[0])


def test_a_right_pendulum_passes():
    assert checks.trained_pendulum(Exact(), 1.0)


def test_trained_pendulum_names_the_slip(half_trained):
    model, params = half_trained
    refused(checks.trained_pendulum(model, params), "%", "fresh states")
    fresh = model.init(jax.random.key(0))
    refused(checks.trained_pendulum(model, fresh), "next to nothing")
    refused(checks.trained_pendulum(model, "params"), "raised")
    refused(checks.trained_pendulum(models.PlainNetwork(1), fresh), "PlainNetwork", "Lagrangian")
    refused(checks.trained_pendulum(Massless(), 1.0), "singular")
    refused(checks.trained_pendulum(np.ones(3), 1.0), "Lagrangian")
