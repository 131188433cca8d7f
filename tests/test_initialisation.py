"""The study behind Eq. 16: divergences against integrals, gradients against differences."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, stats

from lnn_tutorial import initialisation, models, networks

MODEL = models.LNN(dim=2, width=8, depth=1, kinetic_offset=False)
LOG_SIGMA = jnp.log(jnp.array([0.3, 2.0]))
OBJECTIVES = [initialisation.kl, initialisation.typical_kl]
sample = jax.jit(initialisation.sample, static_argnums=(2, 3))


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (0.7, 0.4), (-2.0, 3.0)])
def test_the_divergence_is_the_integral_that_defines_it(mean, std):
    p, q = stats.norm(mean, std), stats.norm()
    expected, _ = integrate.quad(
        lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), mean - 12 * std, mean + 12 * std
    )
    assert float(initialisation.gaussian_kl(mean, jnp.float32(std))) == pytest.approx(
        expected, abs=1e-5
    )


def test_the_typical_size_of_normal_numbers_and_of_outliers():
    low, high = stats.halfnorm.ppf([0.25, 0.75])
    log_mean, _ = integrate.quad(lambda x: np.log(x) * stats.halfnorm.pdf(x), low, high)
    assert pytest.approx(np.exp(2 * log_mean), rel=1e-3) == initialisation.TYPICAL_NORMAL
    x = jax.random.normal(jax.random.key(0), (4000,))
    size = float(initialisation.typical_size(x))
    assert size == pytest.approx(initialisation.TYPICAL_NORMAL, rel=0.05)
    wild = x.at[:100].set(1e12).at[100:200].set(1e-12)
    assert float(initialisation.typical_size(wild)) == pytest.approx(size, rel=0.05)


def test_kl_is_what_the_accelerations_and_their_gradient_say():
    """The gradient of one weight by finite differences of the summed accelerations, in float64."""
    with jax.enable_x64(True):
        log_sigma, key = jnp.log(jnp.array([0.3, 2.0])), jax.random.key(3)
        params, q, q_dot = initialisation.draw(log_sigma, key, MODEL, 16)

        @jax.jit
        def total(weight):
            changed = [{**params[0], "weight": weight}, params[1]]
            return jax.vmap(partial(MODEL.acceleration, changed))(q, q_dot).sum()

        q_ddot, gradient = sample(log_sigma, key, MODEL, 16)
        step = jnp.zeros((4, 8)).at[2, 5].set(1e-6)
        weight = params[0]["weight"]
        slope = (total(weight + step) - total(weight - step)) / 2e-6
        assert float(gradient[0][2, 5]) == pytest.approx(float(slope), rel=1e-5)
        found = jax.jit(lambda x: initialisation.kl(x, key, MODEL, 16))(log_sigma)
        mean, var = np.mean(q_ddot, axis=0), np.var(q_ddot, axis=0)
        np.testing.assert_allclose(found.outputs, (mean**2 + var - 1 - np.log(var)) / 2)
        mean, var = np.mean(gradient[1]), np.var(gradient[1])
        np.testing.assert_allclose(found.gradients[1], (mean**2 + var - 1 - np.log(var)) / 2)
        assert float(found.total) == pytest.approx(float(sum(found.outputs) + sum(found.gradients)))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_the_objectives_are_differentiable_in_log_sigma(objective):
    with jax.enable_x64(True):
        key, at = jax.random.key(5), jnp.log(jnp.array([0.3, 2.0]))
        value = jax.jit(lambda log_sigma: jnp.log(objective(log_sigma, key, MODEL, 32).total))
        slope = jax.jit(jax.grad(value))(at)
        for i in range(2):
            step = jnp.zeros(2).at[i].set(1e-5)
            by_hand = (value(at + step) - value(at - step)) / 2e-5
            assert float(slope[i]) == pytest.approx(float(by_hand), rel=1e-4)


def test_the_last_layer_changes_nothing_but_its_own_gradient():
    """𝓛 and c 𝓛 move alike, so q̈ keeps its distribution, and ∂q̈/∂W of the last layer is over c."""
    key, shift = jax.random.key(6), jnp.array([0.0, jnp.log(4.0)])
    q_ddot, (first, last) = sample(LOG_SIGMA, key, MODEL, 256)
    q_ddot_4, (first_4, last_4) = sample(LOG_SIGMA + shift, key, MODEL, 256)
    for one, other in ((q_ddot, q_ddot_4), (first, first_4), (last, 4 * last_4)):
        np.testing.assert_allclose(one, other, rtol=2e-2, atol=1e-3 * float(abs(one).max()))


def test_the_last_layer_follows_from_the_others():
    """Wherever σ of the last layer begins, it ends where its gradient has size one."""
    found = [
        initialisation.with_last_layer(LOG_SIGMA.at[-1].set(last), jax.random.key(10), MODEL, 20)
        for last in (-3.0, 2.0)
    ]
    np.testing.assert_allclose(found[0], found[1], atol=2e-3)
    np.testing.assert_array_equal(found[0][:-1], LOG_SIGMA[:-1])
    keys = jax.random.split(jax.random.key(10), 20)
    size = [float(sample(found[0], key, MODEL, 256)[1][-1].std()) for key in keys]
    assert np.median(size) == pytest.approx(1.0, rel=0.3)


def test_poles_make_the_paper_s_objective_grow_with_the_number_of_states():
    """Where det M changes its sign, KL ~ n⁴: P(|∂q̈| > a) ~ a^(−1/2), the largest of n is ~ n²."""
    log_sigma = jnp.log(jnp.asarray(networks.standard_deviations("he", MODEL.sizes)))
    keys = jax.random.split(jax.random.key(7), 400)

    def median(states):
        one = jax.jit(lambda key: initialisation.kl(log_sigma, key, MODEL, states).total)
        return float(np.median(jax.lax.map(one, keys)))

    assert 3 < np.log(median(256) / median(32)) / np.log(8) < 5


def test_search_finds_the_median_of_an_objective_whose_mean_does_not_exist():
    target = jnp.array([0.5, -1.0])

    def objective(log_sigma, key):
        noise = jnp.exp(jax.random.cauchy(key))
        return (1.0 + jnp.sum((log_sigma - target) ** 2)) * noise

    found = initialisation.search(objective, jnp.zeros(2), jax.random.key(8), evaluations=4000)
    np.testing.assert_allclose(found.log_sigma, target, atol=0.2)
    assert found.path.shape == (400, 2)


def test_descend_finds_the_minimum_of_a_smooth_noisy_objective():
    target = jnp.array([0.5, -1.0])

    def objective(log_sigma, key):
        return 1.0 + jnp.sum((log_sigma - target + 0.1 * jax.random.normal(key, (2,))) ** 2)

    found = initialisation.descend(objective, jnp.zeros(2), jax.random.key(9), steps=500)
    np.testing.assert_allclose(found.log_sigma, target, atol=0.1)


@pytest.mark.parametrize("minimise", [initialisation.search, initialisation.descend])
def test_an_objective_without_a_finite_scalar_finds_nothing(minimise):
    """Ranks of what is not finite would be the order of the points, a step away from the start."""
    start, key = jnp.zeros(2), jax.random.key(0)
    few = {"evaluations": 40} if minimise is initialisation.search else {"steps": 4}
    with pytest.raises(FloatingPointError, match="finite nowhere"):
        minimise(lambda log_sigma, key: jnp.nan * log_sigma.sum(), start, key, **few)
    with pytest.raises(ValueError, match="objective that is a scalar"):
        minimise(lambda log_sigma, key: log_sigma**2, start, key, **few)


def test_the_typical_size_needs_a_list_of_four():
    for x in (jnp.ones(3), jnp.ones((4, 4))):
        with pytest.raises(ValueError, match=r"shape \[n\], n >= 4"):
            initialisation.typical_size(x)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": models.LNN(dim=2)}, TypeError, "kinetic_offset=False"),
        ({"model": models.PlainNetwork(dim=2)}, TypeError, "expected an LNN"),
        ({"states": 3}, ValueError, "states >= 4, got 3"),
        ({"states": 32.0}, TypeError, "states to be a whole number"),
        ({"log_sigma": jnp.array([0.0, jnp.nan])}, ValueError, "log_sigma to be finite"),
        ({"log_sigma": jnp.array([0, 1])}, TypeError, "floating-point"),
        ({"log_sigma": jnp.zeros(3)}, ValueError, "expected 2 standard deviations, got 3"),
    ],
)
def test_bad_input_is_refused_at_the_door(objective, change, error, message):
    given = {"log_sigma": LOG_SIGMA, "key": jax.random.key(0), "model": MODEL} | change
    with pytest.raises(error, match=message):
        objective(**given)


@pytest.mark.parametrize(
    ("minimise", "settings", "message"),
    [
        (initialisation.search, {"population": 1}, "population >= 2, got 1"),
        (initialisation.search, {"population": 7}, "even"),
        (initialisation.search, {"evaluations": 0}, "evaluations >= 1, got 0"),
        (initialisation.search, {"width": 0.0}, "width > 0"),
        (initialisation.descend, {"steps": -5}, "steps >= 1, got -5"),
        (initialisation.descend, {"rate": -0.1}, "rate > 0"),
        (initialisation.descend, {"start": jnp.array([jnp.inf])}, "start to be finite"),
    ],
)
def test_bad_settings_of_a_minimisation_are_refused(minimise, settings, message):
    given = {"start": jnp.zeros(2), "key": jax.random.key(0)} | settings
    with pytest.raises(ValueError, match=message):
        minimise(lambda log_sigma, key: jnp.sum(log_sigma**2), **given)
