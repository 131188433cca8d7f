"""The checks of chapter 3: right answers in several forms pass, typical slips are named."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, mechanics, models, systems, train
from tests.wrong_answers import refused, wrong_answers


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

    for answer in (by_loop, by_jvp):
        assert checks.batch_energies(answer)


def energies_by_position(lagrangian, q, q_dot):
    def one(q, v):
        return v @ jax.grad(lagrangian)(q, v) - lagrangian(q, v)

    return jax.jit(jax.vmap(one))(q, q_dot)


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


@wrong_answers(
    "batch_energies",
    [
        (lambda L, q, v: jax.vmap(L)(q, v), ["momentum"]),
        (lambda L, q, v: -jax.vmap(L)(q, v), ["momentum"]),
        (lambda L, q, v: energies(L, q, v) + 2 * jax.vmap(L)(q, v), ["You added 𝓛"]),
        (lambda L, q, v: energies(L, q, v).mean(), ["shape ()", "each of them one energy"]),
        (lambda L, q, v: energies(L, q, v)[:, None], ["shape (5, 1)"]),
        (quadratic_only, ["magnetic field", "second degree in the velocities"]),
        (twice_kinetic, ["relativistic", "second degree in the velocities"]),
        (energies, ["Right, as mechanics is"]),
        (energies_by_position, ["derivative by q̇"]),
        (
            lambda L, q, v: energies(L, q, v) + jax.vmap(L)(q, v),
            ["That is q̇·p: 𝓛 is missing"],
        ),
        (lambda L, q, v: L(q, v), ["raised", "It was given", "q of shape (5, 2)"]),
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
    def by_linearize(lagrangian):
        def field(q, v, a):
            (force, _), push = jax.linearize(jax.grad(lagrangian, (0, 1)), q, v)
            return push(v, a)[1] - force

        return jax.jit(field)

    for answer in (by_jvp, by_linearize):
        assert checks.imbalance(answer)


def by_two_jvps(lagrangian):
    momentum = jax.grad(lagrangian, 1)

    def field(q, v, a):
        along_q = jax.jvp(lambda q: momentum(q, v), (q,), (v,))[1]
        along_v = jax.jvp(lambda v: momentum(q, v), (v,), (a,))[1]
        return along_q + along_v - jax.grad(lagrangian)(q, v)

    return jax.jit(field)


def by_hessian(lagrangian):
    def field(q, v, a):
        along = jax.jvp(lambda q: jax.grad(lagrangian, 1)(q, v), (q,), (v,))[1]
        return jax.hessian(lagrangian, 1)(q, v) @ a + along - jax.grad(lagrangian)(q, v)

    return jax.jit(field)


def over_mass(lagrangian):
    def field(q, v, a):
        return a - mechanics.acceleration(lagrangian)(q, v)

    return jax.jit(field)


@wrong_answers(
    "imbalance",
    [
        (partial(by_jvp, combine=lambda force, rate: force - rate), ["the force less the rate"]),
        (
            partial(by_jvp, combine=lambda force, rate: rate + force),
            ["but the force has the wrong sign"],
        ),
        (partial(by_jvp, combine=lambda force, rate: rate), ["force is missing"]),
        (partial(by_jvp, tangent=lambda v, a: (v, 0 * a)), ["the velocities stand still"]),
        (partial(by_jvp, tangent=lambda v, a: (0 * v, a)), ["the positions stand still"]),
        (partial(by_jvp, tangent=lambda v, a: (a, v)), ["is (q̇, q̈), in this order"]),
        (over_mass, ["a difference of accelerations"]),
        (by_matrices, ["is right", "calls jax.jacobian", "one call of jax.jvp"]),
        (by_hessian, ["is right", "calls jax.hessian"]),
        (by_two_jvps, ["is right", "jax.jvp 2 times"]),
        (lambda L: jax.jit(mechanics.euler_lagrange(L)), ["is right", "mechanics"]),
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


@wrong_answers(
    "mended_lagrangian",
    [
        (network(jax.nn.softmax, wrapped), ["does not notice"]),
        (network(jax.nn.softmax), ["does not notice"]),
        (network(position=lambda r, t: [0 * r, jnp.sin(t), jnp.cos(t)]), ["does not see r"]),
        (network(position=wrapped), ["jumps", "upward"]),
        (network(position=lambda r, t: [r, t, t]), ["full turn"]),
        (network(position=lambda r, t: [r, jnp.sin(t), jnp.sin(t)]), ["stands"]),
        (network(position=lambda r, t: [r, jnp.sin(t), abs(t)]), ["full turn"]),
        (
            network(position=lambda r, t: [r, jnp.sin(t), abs(wrapped(r, t)[2])]),
            ["𝓛 has a kink: its slope along θ", "jumps at θ = "],
        ),
        (network(position=lambda r, t: [r, jnp.sin(t), t % (2 * jnp.pi)]), ["𝓛 jumps at θ = 0.00"]),
        (
            network(position=lambda r, t: [r, jnp.sin(t), jnp.sin(2 * t)]),
            ["cannot tell θ = ", "whatever the network"],
        ),
        (
            network(position=lambda r, t: [r, jnp.cos(t), jnp.cos(2 * t)]),
            ["cannot tell θ = ", "whatever the network"],
        ),
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


@wrong_answers(
    "error_power",
    [
        (lambda *a: -power(*a), ["oscillator", "at q = 0.6", "wrong sign"]),
        (only_velocity, ["oscillator", "the position stands still"]),
        (only_position, ["oscillator", "the velocity stands still"]),
        (lambda energy, acceleration, q, v: energy(q, v), ["energy itself"]),
        (unit_mass, ["at q = (1.2, 0.5)", "nothing in yours knows the masses"]),
        (lambda energy, acceleration, q, v: v, ["one number", "q of shape (1,)"]),
        (
            lambda energy, acceleration, q, v: energy(q, v) @ v,
            ["raised", "In the line: ", "q of shape (1,) and v of shape (1,)"],
        ),
        (lambda *a: power(*a) / 0, ["not finite"]),
    ],
)
def test_error_power_names_the_slip(answer, words):
    refused(checks.error_power(answer), *words)


# --- Train one yourself ---------------------------------------------------------------


class Exact:
    """A model that is right for every parameter."""

    def lagrangian(self, params, q, q_dot):
        return 3.0 * systems.Pendulum().lagrangian(q, q_dot) + params


class Massless:
    def lagrangian(self, params, q, q_dot):
        return jnp.cos(q[0])


def test_a_right_pendulum_passes():
    assert checks.trained_pendulum(Exact(), 1.0)


def test_a_deep_lagrangian_network_may_learn_it_and_is_told_why():
    class ExactDeLaN(models.DeLaN):
        lagrangian = Exact.lagrangian

    verdict = checks.trained_pendulum(ExactDeLaN(1), 1.0)
    assert verdict and "kinetic energy is quadratic" in verdict.message


class TurnsMatter:
    """Right to a per cent, for an angle that is taken for a length."""

    def lagrangian(self, params, q, q_dot):
        return systems.Pendulum().lagrangian(q, q_dot) - 1e-2 * q[0] ** 2


class Slow:
    """Right for slow pendulums: the kinetic energy has a term of the fourth degree."""

    def lagrangian(self, params, q, q_dot):
        return systems.Pendulum().lagrangian(q, q_dot) + 1e-5 * (q_dot @ q_dot) ** 2


class Upward:
    def lagrangian(self, params, q, q_dot):
        return systems.Pendulum().lagrangian(q + jnp.pi, q_dot)


@wrong_answers(
    "trained_pendulum",
    [
        (Massless(), 1.0, ["At 2000 of 2000 states", "no inverse"]),
        (TurnsMatter(), 1.0, ["On fresh states", "% wrong", "what an angle is"]),
        (Slow(), 1.0, ["On fresh states", "% wrong", "mostly where a velocity is above"]),
        (Upward(), 1.0, ["On fresh states", "next to nothing"]),
        (models.PlainNetwork(1), 1.0, ["PlainNetwork has no Lagrangian"]),
        (models.LNN(1), "params", ["raised"]),
        (Exact(), train.Fit(1.0, np.ones(3), 1.0), ["whole result", "its `.params`"]),
        (np.ones(3), 1.0, ["ndarray has no Lagrangian"]),
    ],
)
def test_trained_pendulum_names_the_slip(model, params, words):
    refused(checks.trained_pendulum(model, params), *words)
