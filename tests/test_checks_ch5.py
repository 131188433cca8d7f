"""The checks of chapter 5: right answers in several forms pass, typical slips are named."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, evaluate, mechanics, models, systems
from lnn_tutorial.checks import reference
from tests.wrong_answers import refused, wrong_answers


@pytest.mark.parametrize(
    ("check", "stub"),
    [
        (checks.last_frame, lambda energies, scale: (..., ..., ...)),
        (checks.honest_split, lambda system, key, n, steps: None),
        (checks.friction, lambda lagrangian, gamma: lambda q, q_dot: ...),
        (checks.gauged_lagrangian, lambda lagrangian, F: lambda q, q_dot: ...),
    ],
)
def test_a_stub_is_nothing_yet(check, stub):
    refused(check(stub), "Nothing here yet")
    refused(check(...), "Nothing here yet")
    refused(check("answer"), "Expected a function")


def test_equal_systems_are_one_function():
    """So JAX need not trace the truth anew for every answer that is tried."""
    one, same, other = (
        reference.compiled(systems.DoublePendulum(mass2=mass), "lagrangian") for mass in (2, 2, 3)
    )
    assert one is same
    assert one is not other


def test_a_model_not_handed_over():
    refused(checks.heavier_pendulum(..., ...), "Nothing here yet")
    refused(checks.heavier_pendulum(models.LNN(2), None), "Nothing here yet")


# --- One start too many ---------------------------------------------------------------


def three(error, without_worst=lambda error: np.delete(error, error.argmax())):
    """The three numbers from an error per start."""
    return error.mean(), np.median(error), without_worst(error).mean()


def relative(energies, scale):
    return abs(energies[:, -1] - energies[:, 0]) / scale


def test_last_frame_in_several_forms():
    def by_sum(energies, scale):
        error = jnp.abs(energies[:, 0] - energies[:, -1]) / scale
        return [error.mean(), jnp.median(error), (error.sum() - error.max()) / (len(error) - 1)]

    def by_loop(energies, scale):
        errors = sorted(abs(float(each[-1] - each[0])) / scale for each in energies)
        half = len(errors) // 2
        median = (errors[half] + errors[-half - 1]) / 2
        return np.array([sum(errors) / len(errors), median, np.mean(errors[:-1])])

    for answer in (lambda energies, scale: three(relative(energies, scale)), by_sum, by_loop):
        assert checks.last_frame(answer)


def by_error(error, **settings):
    return lambda E, scale: three(error(E, scale), **settings)


def dropping(choose):
    """Right but for the start that is left out: the one that `choose(signed change)` picks."""

    def answer(E, scale):
        error, change = relative(E, scale), E[:, -1] - E[:, 0]
        return error.mean(), np.median(error), np.delete(error, choose(change)).mean()

    return answer


@wrong_answers(
    "last_frame",
    [
        (by_error(lambda E, s: (E[:, -1] - E[:, 0]) / s), ["make up for each other"]),
        (
            lambda E, s: (abs((E[:, -1] - E[:, 0]).mean()) / s, *three(relative(E, s))[1:]),
            ["order"],
        ),
        (
            by_error(lambda E, s: abs(E - E[:, :1]).mean(axis=1) / s),
            ["You averaged over all frames"],
        ),
        (by_error(lambda E, s: abs(E - E[:, :1]).max(axis=1) / s), ["not the worst"]),
        (by_error(lambda E, s: abs(E[:, -1] - E[:, -2]) / s), ["with the one before it"]),
        (by_error(lambda E, s: abs(E[:, -1] / E[:, 0] - 1)), ["own energy is no unit"]),
        (by_error(lambda E, s: abs(E[:, -1]) / s), ["An energy alone is no error"]),
        (by_error(lambda E, s: abs(E[:, -1] - E[:, 0])), ["It is in joules"]),
        (by_error(lambda E, s: 100 * relative(E, s)), ["Your mean", "It is in per cent"]),
        (
            lambda E, s: (relative(E, s).mean(), np.median((E[:, -1] - E[:, 0]) / s), 0.0),
            ["median", "opposite sign cancel"],
        ),
        (
            lambda E, s: (relative(E, s).mean(), np.median(abs(E - E[:, :1]) / s), 0.0),
            ["median", "all times"],
        ),
        (by_error(relative, without_worst=lambda error: error), ["No start"]),
        (dropping(lambda change: -1), ["last start of the array"]),
        (dropping(lambda change: 0), ["first start of the array"]),
        (dropping(lambda change: change.argmax()), ["gained most"]),
        (dropping(lambda change: change.argmin()), ["lost most"]),
        (dropping(lambda change: abs(change).argmin()), ["best"]),
        (
            by_error(relative, without_worst=lambda error: error * (error < error.max())),
            ["still divide by the number of all"],
        ),
        (lambda E, s: relative(E, s).mean(), ["three numbers"]),
        (lambda E, s: relative(E, s), ["three numbers", "one for each start"]),
        (lambda E, s: ("a", "b", "c"), ["real numbers"]),
        (lambda E, s: (np.nan, 0.0, 0.0), ["not finite"]),
        (lambda E, s: E[0, 99], ["raised"]),
    ],
)
def test_last_frame_names_the_slip(answer, words):
    refused(checks.last_frame(answer), *words)


# --- Find the bug ---------------------------------------------------------------------


@partial(jax.jit, static_argnums=(0, 2))
def followed(system, starts, steps):
    return evaluate.rollouts(system.acceleration, *starts, dt=0.1, steps=steps, substeps=5)


def two_keys(system, key, n, steps):
    keys = jax.random.split(key)
    return tuple(followed(system, system.sample_released(k, n), steps) for k in keys)


def one_draw(system, key, n, steps):
    q, q_dot = system.sample_released(key, 2 * n)
    q, q_dot = followed(system, (q, q_dot), steps)
    return [(q[:n], q_dot[:n]), (q[n:], q_dot[n:])]


def folded(system, key, n, steps):
    test_key = jax.random.fold_in(key, 1)
    return tuple(followed(system, system.sample_released(k, n), steps) for k in (key, test_key))


@pytest.mark.parametrize("answer", [two_keys, one_draw, folded])
def test_honest_split_in_several_forms(answer):
    assert checks.honest_split(answer)


def from_starts(test_starts, train_starts=lambda system, key, n: system.sample_released(key, n)):
    """A split with chosen starts, each a function of `(system, key, n)`."""

    def answer(system, key, n, steps):
        starts = train_starts(system, key, n), test_starts(system, key, n)
        return tuple(followed(system, each, steps) for each in starts)

    return answer


def fresh(system, key, n):
    return system.sample_released(jax.random.fold_in(key, 1), n)


def noisy(size):
    def starts(system, key, n):
        q, q_dot = system.sample_released(key, n)
        return q + size * jax.random.normal(key, q.shape), q_dot

    return starts


def half_shared(system, key, n):
    both = zip(system.sample_released(key, n), fresh(system, key, n), strict=True)
    return tuple(jnp.concatenate([old[n // 2 :], new[n // 2 :]]) for old, new in both)


def second_half(system, key, n, steps):
    q, q_dot = followed(system, system.sample_released(key, n), 2 * steps)
    return (q[:, : steps + 1], q_dot[:, : steps + 1]), (q[:, steps:], q_dot[:, steps:])


def shifted(system, key, n, steps):
    q, q_dot = followed(system, system.sample_released(key, n), steps + 2)
    return (q[:, :-2], q_dot[:, :-2]), (q[:, 2:], q_dot[:, 2:])


def upside_up(system, key, n):
    q, q_dot = fresh(system, key, n)
    return 0.1 * q, q_dot


draws = np.random.default_rng(0)


@wrong_answers(
    "honest_split",
    [
        (from_starts(lambda s, key, n: s.sample_released(key, n)), ["16 of 16", "by heart"]),
        (
            from_starts(lambda s, key, n: tuple(x[::-1] for x in s.sample_released(key, n))),
            ["16 of 16", "by heart"],
        ),
        (from_starts(half_shared), ["8 of 16", "by heart"]),
        (from_starts(noisy(1e-3)), ["right beside"]),
        (from_starts(noisy(1e-2)), ["right beside"]),
        (second_half, ["come by later"]),
        (shifted, ["come by later"]),
        (from_starts(lambda s, key, n: s.sample(key, n)), ["test", "near rest", "rad/s"]),
        (
            from_starts(fresh, train_starts=lambda s, key, n: s.sample(key, n)),
            ["training", "near rest"],
        ),
        (from_starts(upside_up), ["test", "part of the circle only, within"]),
        (
            from_starts(lambda s, key, n: fresh(s, jax.random.key(draws.integers(1000)), n)),
            ["test", "same key"],
        ),
        (
            from_starts(lambda s, key, n: s.sample_released(jax.random.key(1), n)),
            ["test", "do not depend"],
        ),
        (
            lambda s, key, n, steps: two_keys(s, jax.random.key(0), n, steps),
            ["training", "do not depend"],
        ),
        (
            lambda s, key, n, steps: two_keys(systems.DoublePendulum(), key, n, steps),
            ["training", "not those of the system"],
        ),
        (lambda s, key, n, steps: two_keys(s, key, n, steps)[0], ["Expected ((q, q_dot)"]),
        (lambda s, key, n, steps: two_keys(s, key, n // 2, steps), ["training", "got (8, 9, 2)"]),
        (lambda s, key, n, steps: two_keys(s, key, n, steps - 1), ["got (16, 8, 2)"]),
        (
            lambda s, key, n, steps: jax.tree.map(lambda x: x / 0, two_keys(s, key, n, steps)),
            ["finite"],
        ),
        (lambda s, key, n, steps: 7, ["Expected ((q, q_dot)"]),
        (lambda s, key, n, steps: s.sample_released(key + 1, n), ["raised"]),
    ],
)
def test_honest_split_names_the_slip(answer, words):
    refused(checks.honest_split(answer), *words)


# --- Friction -------------------------------------------------------------------------


def by_forces(change=lambda mass, force, gamma, v: force - gamma * v, solve=jnp.linalg.solve):
    def answer(lagrangian, gamma):
        equation = mechanics.equation_of_motion(lagrangian)

        def acceleration(q, v):
            mass, force = equation(q, v)
            return solve(mass, change(mass, force, gamma, v))

        return acceleration

    return answer


def beside(change):
    """The Lagrangian's own acceleration, and something added to it."""

    def answer(lagrangian, gamma):
        free, mass = mechanics.acceleration(lagrangian), mechanics.mass_matrix(lagrangian)
        return lambda q, v: free(q, v) + change(mass(q, v), gamma, v)

    return answer


def test_friction_in_several_forms():
    def by_inverse(lagrangian, gamma):
        free, mass = mechanics.acceleration(lagrangian), mechanics.mass_matrix(lagrangian)
        return lambda q, v: free(q, v) - gamma * jnp.linalg.inv(mass(q, v)) @ v

    def by_rayleigh(lagrangian, gamma):
        drag = jax.grad(lambda v: 0.5 * gamma * v @ v)
        return by_forces(lambda mass, force, gamma, v: force - drag(v))(lagrangian, gamma)

    for answer in (by_forces(), by_inverse, by_rayleigh):
        assert checks.friction(answer)


def inverse_times(mass, v):
    return jnp.linalg.solve(mass, v)


@wrong_answers(
    "friction",
    [
        (beside(lambda mass, gamma, v: -gamma * v), ["from the acceleration"]),
        (beside(lambda mass, gamma, v: -gamma * mass @ v), ["more mass"]),
        (by_forces(lambda mass, force, gamma, v: force + gamma * v), ["sign", "energy grows"]),
        (beside(lambda mass, gamma, v: gamma * v), ["energy grows"]),
        (by_forces(lambda mass, force, gamma, v: force - 2 * gamma * v), ["factor of 2"]),
        (by_forces(lambda mass, force, gamma, v: force - gamma * v**3), ["cube of the velocity"]),
        (
            beside(lambda mass, gamma, v: -gamma * inverse_times(mass, abs(v))),
            ["one way, whichever way the motion goes"],
        ),
        (
            beside(lambda mass, gamma, v: gamma * v[::-1] * jnp.array([1, -1])),
            ["What friction adds"],
        ),
        (beside(lambda mass, gamma, v: 0 * v), ["feels no friction", "as with γ = 0"]),
        (beside(lambda mass, gamma, v: -0.1 * inverse_times(mass, v)), ["does not depend on γ"]),
        (
            beside(lambda mass, gamma, v: -(gamma + 1) * inverse_times(mass, v)),
            ["γ = 0", "does not switch off"],
        ),
        (by_forces(solve=lambda mass, force: force), ["γ = 0", "These are forces"]),
        (lambda L, gamma: lambda q, v: gamma * v @ v, ["shape ()"]),
        (lambda L, gamma: lambda q, v: gamma * q[5:] @ v, ["raised"]),
        (lambda L, gamma: -gamma, ["Expected a function"]),
        (lambda L, gamma: lambda q, v: v / (0 * gamma), ["not finite"]),
    ],
)
def test_friction_names_the_slip(answer, words):
    refused(checks.friction(answer), *words)


# --- The same motion from another Lagrangian ------------------------------------------


def adding(term):
    """𝓛 with `term(F, q, q_dot)` added."""

    def answer(lagrangian, F):
        return lambda q, v: lagrangian(q, v) + term(F, q, v)

    return answer


def rate(F, q, v):
    return jax.grad(F)(q) @ v


def test_gauged_lagrangian_in_several_forms():
    terms = [
        rate,
        lambda F, q, v: jax.jvp(F, (q,), (v,))[1],
        lambda F, q, v: jax.grad(lambda t: F(q + t * v))(0.0),
    ]
    for term in terms:
        assert checks.gauged_lagrangian(adding(term))


@wrong_answers(
    "gauged_lagrangian",
    [
        (lambda L, F: L, ["the old one"]),
        (adding(lambda F, q, v: F(q)), ["F itself"]),
        (adding(lambda F, q, v: -rate(F, q, v)), ["momentum", "wrong sign"]),
        (adding(lambda F, q, v: 2 * rate(F, q, v)), ["momentum", "factor of 2"]),
        (adding(lambda F, q, v: jax.grad(F)(q).sum()), ["as if each q changed at the rate 1"]),
        (adding(lambda F, q, v: F(q) * v.sum()), ["multiplied F itself by the velocities"]),
        (
            adding(lambda F, q, v: jax.grad(F)(q) @ v[::-1]),
            ["changes the motion", "at q = [1.2, 0.5]"],
        ),
        (adding(lambda F, q, v: rate(F, q, v) + F(q)), ["changes the motion"]),
        (adding(lambda F, q, v: rate(F, q, v) + 5.0), ["energy"]),
        (adding(lambda F, q, v: 5.0), ["momentum"]),
        (lambda L, F: partial(rate, F), ["is gone"]),
        (adding(lambda F, q, v: jax.grad(F)(q)), ["one number"]),
        (adding(lambda F, q, v: F(q, v)), ["raised"]),
        (lambda L, F: 3.0, ["Expected a function"]),
    ],
)
def test_gauged_lagrangian_names_the_slip(answer, words):
    refused(checks.gauged_lagrangian(answer), *words)


# --- Other masses ---------------------------------------------------------------------


class Exact:
    """A model that knows a Lagrangian up to a factor, its one parameter."""

    def __init__(self, **constants):
        self.system = systems.DoublePendulum(**constants)

    def lagrangian(self, params, q, q_dot):
        return params * self.system.lagrangian(q, q_dot) + 1.0


def test_a_right_double_pendulum_passes():
    assert checks.heavier_pendulum(Exact(mass2=3.0), 0.01)


@wrong_answers(
    "heavier_pendulum",
    [
        (Exact(), 2.0, ["old masses"]),
        (Exact(mass1=3.0), 2.0, ["upper bob"]),
        (Exact(mass2=3.0, gravity=11.0), 1.0, ["energy strays"]),
        (Exact(mass2=3.0, length2=0.9), 1.0, ["On fresh states", "% wrong", "velocities"]),
        (Exact(mass2=3.0, length2=0.2), 1.0, ["next to nothing"]),
        (Exact(mass2=3.0), 0.0, ["no finite acceleration"]),
        (Exact(mass2=3.0), np.nan, ["no finite acceleration"]),
        (Exact(mass2=3.0), "params", ["raised"]),
        (models.PlainNetwork(2), 1.0, ["PlainNetwork", "no Lagrangian"]),
        (np.ones(3), 1.0, ["no Lagrangian"]),
    ],
)
def test_heavier_pendulum_names_the_slip(model, params, words):
    refused(checks.heavier_pendulum(model, params), *words)
