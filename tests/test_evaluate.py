"""Measures: right on cases whose answer is known beforehand."""

from dataclasses import dataclass

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


def test_a_weighted_error_counts_states_by_their_weights():
    q, g = jnp.zeros((3, 1)), jnp.array([[1.0], [2.0], [4.0]])
    found = evaluate.acceleration_error(
        lambda q, v, g: g, q, q, jnp.zeros((3, 1)), context=g, weights=jnp.array([1.0, 0.0, 3.0])
    )
    assert found["acceleration_weighted_l1"] == pytest.approx((1 + 12) / 4)
    assert found["acceleration_l1_sum"] == pytest.approx(7 / 3)


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


def test_an_energy_near_the_largest_float_can_still_be_averaged():
    """A motion with E = 10³⁸ J after a second: an error of 10³⁸, and no overflow on the way."""
    q_dot = jnp.array([[[0.0], [1.4142135e19]]])
    with np.errstate(over="raise"):
        error = evaluate.energy_error(lambda q, v: 0.5 * v @ v, jnp.zeros_like(q_dot), q_dot, 0.1)
    assert error["energy_error_max"] == pytest.approx(1e39, rel=1e-5)


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


# --- The protocol ------------------------------------------------------------------------------

DOUBLE = systems.DoublePendulum()
PROTOCOL = evaluate.Protocol(DOUBLE, 29.4, starts=3, seconds=3.0, substeps=10, states=200)


@dataclass(frozen=True)
class Written:
    """A system as a model: nothing is learned, and its energy is α E + β."""

    system: object = DOUBLE
    scale: float = 1.0
    offset: float = 0.0

    def acceleration(self, params, q, q_dot):
        return self.system.acceleration(q, q_dot)

    def energy(self, params, q, q_dot):
        return self.scale * self.system.energy(q, q_dot) + self.offset


@dataclass(frozen=True)
class Runaway:
    """Without an energy, and gone at once."""

    def acceleration(self, params, q, q_dot):
        return 1e6 * q**3


@pytest.fixture(scope="module")
def floor():
    return PROTOCOL.floor()


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (-0.2, 3.0)])
def test_the_true_system_errs_by_the_floor_alone(floor, scale, offset):
    """… whatever the scale and the constant of its energy, which a Lagrangian leaves open."""
    found = PROTOCOL.figures(Written(DOUBLE, scale, offset), None)
    assert found["acceleration_l1_sum"] < 1e-5
    assert found["acceleration_relative_l2"] < 1e-6
    for name, value in floor.items():
        assert found[name] == pytest.approx(value, rel=0.02, abs=1e-7)
    assert floor["energy_error_max"] < 1e-4
    assert found["energy_unexplained"] < 1e-6
    # In float32 the values of α E + β round differently from those of E.
    assert found["learned_energy_drift"] == pytest.approx(floor["energy_error_last"], abs=3e-6)


def test_a_wrong_system_keeps_an_energy_of_its_own(floor):
    """With gravity 9 in place of 9.8, its motions conserve another energy than the true one."""
    found = PROTOCOL.figures(Written(systems.DoublePendulum(gravity=9.0)), None)
    assert found["learned_energy_drift"] < 1e-4 < 1e-2 < found["energy_error_last"]
    assert 0 < found["energy_unexplained"] < 0.05
    assert found["acceleration_relative_l2"] > 1e-3
    # E − E' = ΔV is at most 0.8 / 9.8 of the largest potential energy, up or down.
    assert found["energy_error_max"] < 2 * 0.8 / 9.8


def test_a_model_without_energy_has_no_figures_of_it_and_one_that_runs_away_infinite_errors():
    found = PROTOCOL.figures(Runaway(), None)
    assert not {"energy_unexplained", "learned_energy_drift"} & found.keys()
    for name in ("last", "mean", "median", "worst", "max"):
        assert found[f"energy_error_{name}"] == np.inf
    assert np.isfinite(found["acceleration_l1_sum"])


def test_the_protocol_is_the_same_for_everyone_and_every_time(floor):
    assert PROTOCOL.floor() == floor
    ours, theirs = (PROTOCOL.motions(f) for f in (DOUBLE.acceleration, lambda q, v: -q))
    assert ours[0].shape == ours[1].shape == (3, 31, 2)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a[:, 0], b[:, 0])
    assert ours[1][:, 0].min() >= 0 and ours[1][:, 0].max() <= 0.1  # near rest
