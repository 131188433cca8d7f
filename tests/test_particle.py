"""The particle in a uniform field, twice: against SymPy, and against motions known exactly."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from lnn_tutorial import integrate, mechanics
from lnn_tutorial.systems import PaperParticle, ParticleInField, RelativisticParticle

pytestmark = pytest.mark.usefixtures("float64")

PAPER, TRUE = PaperParticle(), RelativisticParticle()
PARTICLES = {"paper": PAPER, "relativistic": TRUE}
both = pytest.mark.parametrize("system", PARTICLES.values(), ids=PARTICLES.keys())


# --- The formulas ------------------------------------------------------------------------------


def derived(kinetic):
    """From the part of 𝓛 without the field, SymPy's p, E and q̈ as functions of (q, v, g)."""
    q, v, g = sympy.symbols("q v g")
    L = kinetic(v) + g * q
    momentum = L.diff(v)
    found = {
        "lagrangian": L,
        "momentum": momentum,
        "energy": v * momentum - L,
        "acceleration": L.diff(q) / momentum.diff(v),
    }
    return {name: sympy.lambdify((q, v, g), x, "mpmath") for name, x in found.items()}


ORACLE = {
    "paper": derived(lambda v: 1 / sympy.sqrt(1 - v**2) - 1),
    "relativistic": derived(lambda v: 1 - sympy.sqrt(1 - v**2)),
}


@pytest.mark.parametrize("name", PARTICLES)
@given(q=st.floats(-10, 10), v=st.floats(-0.9999, 0.9999), g=st.floats(-30, 30))
def test_everything_is_as_sympy_derives_it(name, q, v, g):
    system, state = PARTICLES[name], (np.array([q]), np.array([v]), np.array([g]))
    for quantity, exact in ORACLE[name].items():
        expected = float(exact(*map(mpmath.mpf, (q, v, g))))
        found = np.asarray(getattr(system, quantity)(*state)).item()
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12 * (1 + abs(g * q))), quantity


def ours(system):
    """What the package derives from the Lagrangian of a system, compiled once."""

    @jax.jit
    def evaluate(q, q_dot, g):
        def lagrangian(q, q_dot):
            return system.lagrangian(q, q_dot, g)

        momentum = mechanics.momentum(lagrangian)
        canonical = mechanics.poisson_brackets(lagrangian, lambda q, v: (q, momentum(q, v)))
        return {
            "momentum": momentum(q, q_dot),
            "energy": mechanics.energy(lagrangian)(q, q_dot),
            "acceleration": mechanics.acceleration(lagrangian)(q, q_dot),
            "mass": mechanics.mass_matrix(lagrangian)(q, q_dot),
            "brackets of (q, q_dot)": mechanics.poisson_brackets(lagrangian, lambda q, v: (q, v))(
                q, q_dot
            ),
            "brackets of (q, p)": canonical(q, q_dot),
        }

    return evaluate


DERIVED = {system: ours(system) for system in PARTICLES.values()}


@both
@given(q=st.floats(-10, 10), v=st.floats(-0.999, 0.999), g=st.floats(-30, 30))
def test_the_closed_forms_are_those_of_the_lagrangian(system, q, v, g):
    state = np.array([q]), np.array([v]), np.array([g])
    found = DERIVED[system](*state)
    for name in ("momentum", "energy", "acceleration"):
        closed = getattr(system, name)(*state)
        np.testing.assert_allclose(found[name], closed, rtol=1e-8, atol=1e-11)


def test_the_papers_lagrangian_is_not_that_of_relativity():
    """At rest they agree; at half the speed of light by a factor of two; at 0.9 of fourteen."""
    q, g = np.zeros(1), np.ones(1)
    ratio = [
        float((TRUE.acceleration(q, v, g) / PAPER.acceleration(q, v, g))[0])
        for v in (np.zeros(1), np.array([0.5]), np.array([0.9]))
    ]
    np.testing.assert_allclose(ratio, [1, 2, 2.62 / 0.19], rtol=1e-12)


@given(v=st.floats(-0.999, 0.999), boost=st.floats(-0.9, 0.9))
def test_the_relativistic_acceleration_is_the_same_for_every_observer(v, boost):
    """The proper acceleration γ³ q̈ = g does not change under a boost, which shows who is right.

    An observer who moves with w sees the velocity (v − w)/(1 − v w) and, by differentiating, the
    acceleration q̈ (1 − w²)^(3/2) / (1 − v w)³.
    """
    q, g = np.zeros(1), np.ones(1)
    seen = (v - boost) / (1 - v * boost)
    factor = (1 - boost**2) ** 1.5 / (1 - v * boost) ** 3
    expected = TRUE.acceleration(q, np.array([v]), g) * factor
    np.testing.assert_allclose(TRUE.acceleration(q, np.array([seen]), g), expected, rtol=1e-9)


# --- Motions -----------------------------------------------------------------------------------


@both
def test_the_momentum_grows_evenly(system):
    """dp/dt = g, whatever the kinetic energy."""
    g, start = np.array([3.0]), (np.zeros(1), np.array([-0.8]))
    q, v = integrate.rollout(
        lambda q, v: system.acceleration(q, v, g), *start, dt=0.05, steps=40, substeps=40
    )
    p = jax.vmap(system.momentum, (0, 0, None))(q, v, g)[:, 0]
    np.testing.assert_allclose(p, p[0] + 3.0 * 0.05 * np.arange(41), rtol=1e-6, atol=1e-6)


def test_a_constant_force_makes_a_hyperbola():
    """(1 + g q)² − (g t)² = 1 for a start at rest, with the speed of light for asymptote."""
    g, t = np.array([2.0]), 0.05 * np.arange(61)
    q, v = integrate.rollout(
        lambda q, v: TRUE.acceleration(q, v, g),
        *(np.zeros(1), np.zeros(1)),
        dt=0.05,
        steps=60,
        substeps=40,
    )
    np.testing.assert_allclose((1 + 2 * q[:, 0]) ** 2 - (2 * t) ** 2, 1, rtol=1e-6)
    np.testing.assert_allclose(v[:, 0], 2 * t / np.sqrt(1 + (2 * t) ** 2), rtol=1e-7)
    assert v[-1] < 1


# --- Canonical or not --------------------------------------------------------------------------


@both
@given(v=st.floats(-0.95, 0.95), g=st.floats(-10, 10))
def test_velocities_are_not_canonical_and_momenta_are(system, v, g):
    """{q, q̇} = 1/M: one only at rest."""
    found = DERIVED[system](np.zeros(1), np.array([v]), np.array([g]))
    one = 1 / found["mass"][0, 0]
    np.testing.assert_allclose(
        found["brackets of (q, q_dot)"], [[0, one], [-one, 0]], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(found["brackets of (q, p)"], [[0, 1], [-1, 0]], atol=1e-9)


# --- Near the speed of light -------------------------------------------------------------------


@both
@given(log_gap=st.floats(-6.5, -0.5))
def test_single_precision_keeps_its_digits_up_to_the_last_velocity_below_c(system, log_gap):
    """In float32, with 1 − v² as a product, for the very velocity that float32 can hold."""
    v = np.float32(1 - 10.0**log_gap)
    if v >= 1:
        return
    exact = float(
        ORACLE["paper" if system is PAPER else "relativistic"]["momentum"](0, float(v), 1)
    )
    with jax.enable_x64(False):
        found = system.momentum(jnp.zeros(1), jnp.array([v]), jnp.ones(1))
    assert found.dtype == np.float32
    assert float(found[0]) == pytest.approx(exact, rel=2e-6)


# --- Sampling ----------------------------------------------------------------------------------


@both
def test_samples_are_the_papers(system):
    q, v, g = system.sample(jax.random.key(1), 20_000)
    assert q.shape == v.shape == g.shape == (20_000, 1)
    assert np.abs(q).max() <= 10
    assert q.var() == pytest.approx(400 / 12, rel=0.05)
    rapidity = np.arctanh(v / 0.99999)
    assert (rapidity.mean(), rapidity.std()) == pytest.approx((0, 2), abs=0.06)
    assert (g.mean(), g.std()) == pytest.approx((0, 10), abs=0.4)
    assert abs(np.corrcoef(np.hstack([q, v, g]).T) - np.eye(3)).max() < 0.04
    assert not np.array_equal(v, system.sample(jax.random.key(2), 20_000)[1])  # fresh each time


def test_predicting_no_acceleration_scores_what_the_authors_network_was_stuck_at():
    """Σ (1 + γ) |q̈| / Σ (1 + γ) is the recorded 0.41 of the network that learned nothing."""
    q, v, g = PAPER.sample(jax.random.key(3), 200_000)
    weights = 1 + (1 - v[:, 0] ** 2) ** -0.5
    size = np.abs(jax.vmap(PAPER.acceleration)(q, v, g))[:, 0]
    assert np.average(size, weights=weights) == pytest.approx(0.405, abs=0.006)
    fast = np.abs(v[:, 0]) > 0.99
    assert weights[fast].sum() / weights.sum() == pytest.approx(0.65, abs=0.02)


# --- Bad input ---------------------------------------------------------------------------------

METHODS = ("lagrangian", "momentum", "energy", "acceleration")


@both
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("v", [1.0, -1.0, 1.5])
def test_nothing_is_as_fast_as_light(system, method, v):
    with pytest.raises(ValueError, match=r"\|q_dot\| < 1, the speed of light, got"):
        getattr(system, method)(np.zeros(1), np.array([v]), np.ones(1))


@both
@pytest.mark.parametrize("method", METHODS)
def test_the_field_is_asked_for(system, method):
    with pytest.raises(ValueError, match=r"a context of shape \(1,\), got \(2,\)"):
        getattr(system, method)(np.zeros(1), np.zeros(1), np.ones(2))
    with pytest.raises(ValueError, match=r"1 non-dynamical parameter\(s\), got none"):
        getattr(system, method)(np.zeros(1), np.zeros(1), None)
    number = getattr(system, method)(np.zeros(1), np.zeros(1), 2.0)
    vector = getattr(system, method)(np.zeros(1), np.zeros(1), np.array([2.0]))
    np.testing.assert_array_equal(number, vector)


def test_a_motion_across_the_speed_of_light_ends_with_a_message():
    """Too large a step for a strong field throws the particle over the limit."""
    with pytest.raises(FloatingPointError, match=r"no longer finite after t = .*more substeps"):
        integrate.rollout(
            lambda q, v: TRUE.acceleration(q, v, 300.0), np.zeros(1), np.zeros(1), dt=0.1, steps=20
        )


def test_the_base_is_no_system_of_its_own():
    with pytest.raises(NotImplementedError):
        ParticleInField().acceleration(np.zeros(1), np.zeros(1), 1.0)
