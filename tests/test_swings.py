"""A spring pendulum in two kinds of coordinates, a pendulum with friction, pendulums on a ring."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ellipk

from lnn_tutorial import fields, integrate, mechanics
from lnn_tutorial.systems import (
    CoupledPendulums,
    DampedPendulum,
    Pendulum,
    SpringPendulum,
    SpringPendulumCartesian,
)

pytestmark = pytest.mark.usefixtures("float64")

# --- One spring pendulum, two kinds of coordinates ---------------------------------------------

CONSTANTS = {"mass": 1.7, "stiffness": 30.0, "rest_length": 0.8, "gravity": 9.1}
POLAR, CARTESIAN = SpringPendulum(**CONSTANTS), SpringPendulumCartesian(**CONSTANTS)
DRAWS = ("sample", "sample_released")


@pytest.mark.parametrize("draw", DRAWS)
def test_both_spring_pendulums_draw_the_same_states(draw):
    """By hand: x = r sin θ, y = −r cos θ, and their rates."""
    key = jax.random.key(3)
    (r, theta), (r_dot, theta_dot) = (x.T for x in getattr(POLAR, draw)(key, 200))
    along, across = (
        np.stack(x, 1) for x in ((np.sin(theta), -np.cos(theta)), (np.cos(theta), np.sin(theta)))
    )
    q, q_dot = getattr(CARTESIAN, draw)(key, 200)
    np.testing.assert_allclose(q, r[:, None] * along, atol=1e-13)
    expected = r_dot[:, None] * along + (r * theta_dot)[:, None] * across
    np.testing.assert_allclose(q_dot, expected, atol=1e-13)
    polar = getattr(POLAR, draw)(key, 200)[0]
    same = (jax.vmap(s.positions)(x) for s, x in ((POLAR, polar), (CARTESIAN, q)))
    np.testing.assert_allclose(*same, atol=1e-13)


@pytest.mark.parametrize("draw", DRAWS)
def test_both_spring_pendulums_have_one_energy_and_one_acceleration(draw):
    states = getattr(POLAR, draw)(jax.random.key(4), 200)
    seen = jax.vmap(CARTESIAN.from_polar)(*states)
    for name in ("lagrangian", "energy"):
        values = (jax.vmap(getattr(s, name))(*x) for s, x in ((POLAR, states), (CARTESIAN, seen)))
        np.testing.assert_allclose(*values, rtol=1e-12, atol=1e-12)
    # q̈ along the motion: the rate at which the Cartesian velocity changes, by the chain rule.
    rates = states[1], jax.vmap(POLAR.acceleration)(*states)
    moved = jax.vmap(lambda s, rate: jax.jvp(CARTESIAN.from_polar, s, rate)[1])(states, rates)
    np.testing.assert_allclose(moved[0], seen[1], atol=1e-12)
    np.testing.assert_allclose(moved[1], jax.vmap(CARTESIAN.acceleration)(*seen), atol=1e-11)


def test_both_spring_pendulums_move_alike():
    states = POLAR.sample_released(jax.random.key(5), 1)
    start = tuple(x[0] for x in states)
    polar, _ = integrate.reference(POLAR.acceleration, *start, dt=0.1, steps=50)
    found, q_dot = integrate.reference(
        CARTESIAN.acceleration, *CARTESIAN.from_polar(*start), dt=0.1, steps=50
    )
    np.testing.assert_allclose(found, jax.vmap(POLAR.positions)(polar)[:, 0], atol=1e-8)
    energy = jax.vmap(CARTESIAN.energy)(found, q_dot)
    np.testing.assert_allclose(energy, energy[0], rtol=1e-9)


@pytest.mark.parametrize("method", ["lagrangian", "energy", "acceleration"])
def test_a_spring_without_a_direction_is_refused(method):
    with pytest.raises(ValueError, match="other than zero, where the spring has no direction"):
        getattr(CARTESIAN, method)(np.zeros(2), np.ones(2))
    assert not np.isfinite(jax.jit(CARTESIAN.acceleration)(np.zeros(2), np.ones(2))).any()


# --- Friction ----------------------------------------------------------------------------------

DAMPED = DampedPendulum(1.5, 0.7, 9.1, friction=0.2)
undamped = jax.jit(mechanics.acceleration(DAMPED.lagrangian))


def test_friction_takes_the_energy_that_it_says():
    """dE/dt = −c θ̇², integrated along a motion that first turns over."""
    start, dt, steps = (np.array([1.0]), np.array([9.0])), 0.01, 1000
    q, q_dot = integrate.reference(DAMPED.acceleration, *start, dt=dt, steps=steps)
    energy = np.asarray(jax.vmap(DAMPED.energy)(q, q_dot))
    power = -0.2 * q_dot[:, 0] ** 2
    # Simpson's rule; the energy is all the time the work done so far.
    work = dt / 3 * np.cumsum(power[:-2:2] + 4 * power[1:-1:2] + power[2::2])
    np.testing.assert_allclose(energy[2::2] - energy[0], work, atol=1e-6)
    assert np.ptp(q) > 2 * np.pi
    assert (np.diff(energy) <= 0).all()
    rate = jax.vmap(lambda q, v: jax.jvp(DAMPED.energy, (q, v), (v, DAMPED.acceleration(q, v)))[1])
    np.testing.assert_allclose(rate(q, q_dot), power, atol=1e-12)


def test_small_damped_swings_are_those_of_a_damped_oscillator():
    """θ = a e^(−γ t) (cos ω t + (γ/ω) sin ω t), γ = c/(2 m l²) and ω² = g/l − γ²."""
    gamma, t = 0.2 / (2 * 1.5 * 0.7**2), 0.2 * np.arange(51)
    omega = np.sqrt(9.1 / 0.7 - gamma**2)
    expected = np.exp(-gamma * t) * (np.cos(omega * t) + gamma / omega * np.sin(omega * t))
    start = np.array([1e-4]), np.array([0.0])
    q, _ = integrate.reference(DAMPED.acceleration, *start, dt=0.2, steps=50, atol=1e-16)
    np.testing.assert_allclose(q[:, 0] / 1e-4, expected, atol=1e-7)


def test_by_default_a_swing_has_a_tenth_of_its_energy_after_some_23_seconds():
    damped = DampedPendulum()
    q, q_dot = integrate.reference(
        damped.acceleration, np.array([0.5]), np.array([0.0]), dt=0.1, steps=300
    )
    above = jax.vmap(damped.energy)(q, q_dot) - damped.energy([0.0], [0.0])
    tenth = 0.1 * np.argmax(above / above[0] < 0.1)
    assert tenth == pytest.approx(10 * np.log(10), abs=0.5)


@given(theta=st.floats(-7, 7), theta_dot=st.floats(-10, 10))
def test_without_its_force_a_damped_pendulum_is_a_pendulum(theta, theta_dot):
    state, free = ([theta], [theta_dot]), Pendulum(1.5, 0.7, 9.1)
    for name in ("lagrangian", "energy"):
        assert getattr(DAMPED, name)(*state) == getattr(free, name)(*state)
    np.testing.assert_allclose(undamped(*state), free.acceleration(*state), atol=1e-12)
    expected = free.acceleration(*state) - 0.2 * theta_dot / (1.5 * 0.7**2)
    np.testing.assert_allclose(DAMPED.acceleration(*state), expected, atol=1e-12)
    assert DAMPED.force(*state) == pytest.approx(-0.2 * theta_dot)


# --- Pendulums on a ring -----------------------------------------------------------------------


def ring(nodes=12):
    return CoupledPendulums(nodes, mass=1.5, length=0.7, gravity=9.1, stiffness=2.5)


def start(system, key=0):
    return tuple(x[0] for x in system.sample(jax.random.key(key), 1))


@pytest.mark.parametrize("nodes", [3, 5, 12])
def test_coupled_pendulums_do_what_the_density_says(nodes):
    system, places = ring(nodes), fields.ring(nodes)
    q, q_dot = start(system)
    solved = mechanics.acceleration(system.lagrangian)(q, q_dot)
    np.testing.assert_allclose(system.acceleration(q, q_dot), solved, atol=1e-11)
    energy = mechanics.energy(system.lagrangian)(q, q_dot)
    np.testing.assert_allclose(system.energy(q, q_dot), energy)
    whole = fields.lagrangian(system.density, places)(q, q_dot)
    np.testing.assert_allclose(system.lagrangian(q, q_dot), whole)
    residual = fields.euler_lagrange(system.density, places)(q, q_dot, solved)
    np.testing.assert_allclose(residual, 0, atol=1e-10)


def test_their_lagrangian_is_the_sum_written_out():
    system = ring(5)
    q, q_dot = map(np.asarray, start(system))
    whole = sum(
        1.5 * 0.7**2 / 2 * q_dot[i] ** 2
        + 1.5 * 9.1 * 0.7 * np.cos(q[i])
        - 2.5 / 2 * (q[(i + 1) % 5] - q[i]) ** 2
        for i in range(5)
    )
    np.testing.assert_allclose(system.lagrangian(q, q_dot), whole, rtol=1e-13)


def test_coupled_pendulums_keep_their_energy():
    system = ring()
    motion = integrate.reference(system.acceleration, *start(system), dt=0.5, steps=20)
    energy = jax.vmap(system.energy)(*motion)
    np.testing.assert_allclose(energy, energy[0], rtol=1e-9)


def test_in_step_they_swing_as_one_pendulum():
    """Released at a right angle: a quarter of the period is K(½) √(l/g), an elliptic integral."""
    system, quarter = ring(5), ellipk(0.5) * np.sqrt(0.7 / 9.1)
    q, _ = integrate.reference(
        system.acceleration, np.full(5, np.pi / 2), np.zeros(5), dt=quarter, steps=2
    )
    np.testing.assert_allclose(q[1:], [[0.0] * 5, [-np.pi / 2] * 5], atol=1e-8)


@given(wave_number=st.integers(0, 6), phase=st.floats(0, 6))
def test_small_waves_have_the_frequencies_of_the_ring(wave_number, phase):
    """ω² = g/l + (4 κ/(m l²)) sin²(k/2)."""
    k = 2 * np.pi * wave_number / 12
    wave = 1e-5 * np.cos(k * np.arange(12) + phase)
    square = 9.1 / 0.7 + 4 * 2.5 / (1.5 * 0.7**2) * np.sin(k / 2) ** 2
    np.testing.assert_allclose(ring().acceleration(wave, 0 * wave), -square * wave, atol=1e-13)


def test_a_full_turn_of_one_pendulum_winds_up_the_springs():
    system, rest = ring(), np.zeros(12)
    turned = rest + 2 * np.pi * np.eye(12)[4]
    assert system.angles == (False,) * 12
    gained = system.energy(turned, rest) - system.energy(rest, rest)
    np.testing.assert_allclose(gained, 2.5 * (2 * np.pi) ** 2, rtol=1e-12)
    np.testing.assert_allclose(
        system.energy(rest + 2 * np.pi, rest), system.energy(rest, rest), rtol=1e-12
    )


def test_coupled_pendulums_start_as_white_noise_of_the_width_they_say():
    q, q_dot = ring().sample(jax.random.key(0), 4000)
    assert q.shape == q_dot.shape == (4000, 12)
    assert float(q.std()) == pytest.approx(1, rel=0.02)
    assert float(q_dot.std()) == pytest.approx((9.1 / 0.7) ** 0.5, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"nodes": 2}, ValueError, "expected nodes >= 3, got 2"),
        ({"nodes": 5.0}, TypeError, "nodes to be a whole number"),
        ({"stiffness": 0.0}, ValueError, "stiffness > 0"),
        ({"length": -1.0}, ValueError, "length > 0"),
    ],
)
def test_constants_of_coupled_pendulums_are_checked(arguments, error, message):
    with pytest.raises(error, match=message):
        CoupledPendulums(**arguments)


def test_a_density_is_that_of_three_nodes():
    with pytest.raises(ValueError, match=r"three nodes of a neighbourhood, got \(4,\)"):
        ring().density(np.zeros(4), np.zeros(4))
    with pytest.raises(ValueError, match=r"coordinate\(s\), got q of shape \(5,\)"):
        ring().energy(np.zeros(5), np.zeros(5))
