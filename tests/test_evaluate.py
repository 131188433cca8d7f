"""Measures: right on cases whose answer is known beforehand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import evaluate, systems

PENDULUM = systems.Pendulum()


def test_a_perfect_acceleration_has_no_error_and_a_known_one_its_formula():
    q, q_dot = PENDULUM.sample(jax.random.key(0), 100)
    truth = jax.vmap(PENDULUM.acceleration)(q, q_dot)
    assert set(evaluate.acceleration_error(PENDULUM.acceleration, q, q_dot, truth).values()) == {
        0.0
    }

    def ten_percent_more(q, q_dot):
        return 1.1 * PENDULUM.acceleration(q, q_dot)

    error = evaluate.acceleration_error(ten_percent_more, q, q_dot, truth)
    assert error["acceleration_relative_l2"] == pytest.approx(0.1, rel=1e-4)
    assert error["acceleration_l1_sum"] == pytest.approx(
        0.1 * float(jnp.abs(truth).mean()), rel=1e-4
    )


def test_energy_error_of_a_friction_we_know():
    """E falls from 1 to 0 along a straight line: last 1, mean ½, maximum 1."""
    t = jnp.linspace(0, 1, 101)
    q_dot = jnp.sqrt(2 * (1 - t))[None, :, None] * jnp.ones((3, 1, 1))
    error = evaluate.energy_error(lambda q, v: 0.5 * v @ v, jnp.zeros_like(q_dot), q_dot, 1.0)
    expected = {"last": 1.0, "mean": 0.5, "median": 0.5, "worst": 0.5, "max": 1.0}
    for name, value in expected.items():
        assert error[f"energy_error_{name}"] == pytest.approx(value, rel=1e-5)


def test_a_motion_that_ran_away_counts_as_infinite():
    q = jnp.zeros((2, 5, 1)).at[1, 3:].set(jnp.nan)
    error = evaluate.energy_error(PENDULUM.energy, q, jnp.zeros_like(q), 1.0)
    assert error["energy_error_mean"] == np.inf
    assert error["energy_error_last"] == np.inf
    assert np.isinf(evaluate.position_error(PENDULUM.positions, q, jnp.zeros_like(q))[1, 3:]).all()


def test_the_true_pendulum_keeps_its_energy_to_rk4s_error():
    q, q_dot = jnp.array([[1.0], [2.0]]), jnp.zeros((2, 1))
    motion = evaluate.rollouts(PENDULUM.acceleration, q, q_dot, dt=0.1, steps=100, substeps=10)
    assert motion[0].shape == (2, 101, 1)
    assert evaluate.energy_error(PENDULUM.energy, *motion, scale=9.8)["energy_error_max"] < 1e-5


def test_position_error_is_a_distance_in_metres():
    system = systems.DoublePendulum()
    q = jnp.zeros((1, 1, 2))
    upside_down = q.at[..., :].set(jnp.pi)
    # The bobs are 2 m and 4 m from where they were: root mean square √10.
    assert evaluate.position_error(system.positions, q, upside_down) == pytest.approx(10**0.5)


def test_energies_match_up_to_scale_and_constant_only():
    true = np.random.default_rng(0).normal(size=500)
    match = evaluate.match_energy(0.25 * true - 3.0, true)
    assert match["scale"] == pytest.approx(4.0)
    assert match["offset"] == pytest.approx(12.0)
    assert match["unexplained"] < 1e-12
    noise = np.random.default_rng(1).normal(size=500)
    assert evaluate.match_energy(noise, true)["unexplained"] > 0.98


def test_bad_batches_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        evaluate.rollouts(
            PENDULUM.acceleration, jnp.zeros((2, 1)), jnp.zeros((3, 1)), dt=1.0, steps=1
        )
    with pytest.raises(ValueError, match="a batch"):
        evaluate.rollouts(PENDULUM.acceleration, jnp.zeros(1), jnp.zeros(1), dt=1.0, steps=1)
    with pytest.raises(ValueError, match="scale > 0"):
        evaluate.energy_error(PENDULUM.energy, jnp.zeros((1, 2, 1)), jnp.zeros((1, 2, 1)), -1.0)
    with pytest.raises(ValueError, match="one length"):
        evaluate.match_energy([1.0, 2.0, 3.0], [1.0, 2.0])
