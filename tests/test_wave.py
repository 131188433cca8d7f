"""The wave equation on a ring: against sparse mechanics, plane waves and travelling pulses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnn_tutorial import fields, integrate, mechanics
from lnn_tutorial.systems import DIFFERENCES, WaveEquation

pytestmark = pytest.mark.usefixtures("float64")

both = pytest.mark.parametrize("difference", DIFFERENCES)


def system(difference, nodes=24):
    return WaveEquation(nodes, spacing=0.3, speed=1.7, difference=difference)


def start(wave, key=0):
    return tuple(x[0] for x in wave.sample(jax.random.key(key), 1))


@both
@pytest.mark.parametrize("nodes", [5, 24])
def test_the_closed_form_is_what_the_density_says(difference, nodes):
    wave = system(difference, nodes)
    ring, (q, q_dot) = fields.ring(nodes), start(wave)

    @jax.jit
    def said(q, q_dot):
        out_of_balance = fields.euler_lagrange(wave.density, ring)
        return (
            out_of_balance(q, q_dot, wave.acceleration(q, q_dot)),
            fields.lagrangian(wave.density, ring)(q, q_dot),
            fields.energy(wave.density, ring)(q, q_dot),
            mechanics.energy(wave.lagrangian)(q, q_dot),
        )

    residual, lagrangian, *energies = said(q, q_dot)
    np.testing.assert_allclose(residual, 0, atol=1e-10)
    np.testing.assert_allclose(wave.lagrangian(q, q_dot), lagrangian)
    np.testing.assert_allclose(energies, [wave.energy(q, q_dot)] * 2)


@both
@given(wave_number=st.integers(0, 12), phase=st.floats(0, 6))
def test_a_plane_wave_oscillates_with_its_frequency(difference, wave_number, phase):
    wave = system(difference)
    k = 2 * np.pi * wave_number / (24 * 0.3)
    q = np.cos(k * 0.3 * np.arange(24) + phase)
    expected = -(float(wave.frequency(k)) ** 2) * q
    np.testing.assert_allclose(wave.acceleration(q, 0 * q), expected, atol=1e-10)


@both
def test_long_waves_travel_with_the_speed_of_the_equation(difference):
    wave = system(difference)
    k = 1e-3
    assert float(wave.frequency(k)) / k == pytest.approx(1.7, rel=1e-6)


@both
def test_the_exact_field_obeys_the_equation_of_motion(difference):
    wave = system(difference)
    state = start(wave)

    @jax.jit
    @jax.vmap
    def along(t):
        now, rate = jax.jvp(lambda t: wave.exact(*state, t), (t,), (jnp.ones_like(t),))
        return rate, (now[1], wave.acceleration(*now))

    times = np.append(0.0, np.random.default_rng(0).uniform(-20, 20, 100))
    for found, expected in zip(*along(times), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-8)


@both
def test_the_exact_field_is_where_small_steps_lead_and_keeps_the_energy(difference):
    wave = system(difference)
    state = start(wave)
    steps = {"dt": 0.05, "steps": 100, "substeps": 20}
    q, q_dot = jax.jit(lambda *x: integrate.rollout(wave.acceleration, *x, **steps))(*state)
    exact = wave.exact(*state, 5.0)
    np.testing.assert_allclose(exact[0], q[-1], atol=1e-4)
    np.testing.assert_allclose(exact[1], q_dot[-1], atol=1e-3)
    np.testing.assert_allclose(wave.energy(*exact), wave.energy(*state), rtol=1e-12)


def test_a_pulse_without_nodes_comes_back_after_every_pass():
    """d'Alembert: to both sides with c, and together again after the length of the ring over c."""
    wave = WaveEquation(101, spacing=0.3, speed=1.7)
    x = 0.3 * np.arange(101)
    pulse = np.exp(-((x - 15) ** 2) / 8)
    length = 0.3 * 101
    back = wave.exact(pulse, 0 * pulse, length / 1.7, continuum=True)[0]
    np.testing.assert_allclose(back, pulse, atol=1e-12)
    quarter = wave.exact(pulse, 0 * pulse, 0.25 * length / 1.7, continuum=True)[0]
    apart = (x - 15 + length / 4) % length, (x - 15 - length / 4) % length
    halves = sum(0.5 * np.exp(-(np.minimum(d, length - d) ** 2) / 8) for d in apart)
    np.testing.assert_allclose(quarter, halves, atol=1e-6)


def test_the_papers_density_does_not_see_the_checkerboard():
    """And keeps even and odd nodes apart; the one-sided one does neither."""
    checkerboard = (-1.0) ** np.arange(24)
    still, moving = (
        system(d).acceleration(checkerboard, 0 * checkerboard) for d in ("central", "one-sided")
    )
    np.testing.assert_array_equal(still, 0)
    np.testing.assert_allclose(moving, -4 * (1.7 / 0.3) ** 2 * checkerboard)
    even = np.where(np.arange(24) % 2 == 0, np.linspace(0, 1, 24), 0)
    q, _ = system("central").exact(even, 0 * even, 3.0)
    np.testing.assert_allclose(q[1::2], 0, atol=1e-12)


def test_white_noise_of_the_width_it_says():
    wave = system("central", 50)
    q, q_dot = wave.sample(jax.random.key(0), 2000)
    assert q.shape == q_dot.shape == (2000, 50)
    assert float(q.std()) == pytest.approx(1, rel=0.02)
    assert float(q_dot.std()) == pytest.approx(1.7 / 0.3, rel=0.02)


def test_what_it_cannot_be_is_refused():
    with pytest.raises(ValueError, match="nodes >= 3"):
        WaveEquation(2)
    with pytest.raises(ValueError, match="spacing > 0"):
        WaveEquation(10, spacing=0.0)
    with pytest.raises(ValueError, match="unknown difference 'backward'; known are: central"):
        WaveEquation(10, difference="backward")
    with pytest.raises(ValueError, match="10 coordinate"):
        WaveEquation(10).acceleration(np.ones(9), np.ones(9))
    with pytest.raises(ValueError, match="three nodes"):
        WaveEquation(10).density(np.ones(4), np.ones(4))
