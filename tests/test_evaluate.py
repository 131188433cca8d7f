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


def test_an_energy_that_says_nothing_explains_nothing():
    """A constant, whatever its value, and one that is not finite; an offset hides no variation."""
    true = np.random.default_rng(0).normal(size=50)
    for learned in (0.0, 2.0, -1e30, np.where(true > 0, true, np.nan)):
        match = evaluate.match_energy(np.broadcast_to(learned, 50), true)
        assert match == {"scale": 0.0, "offset": true.mean(), "unexplained": pytest.approx(1.0)}
    assert evaluate.match_energy(1e-200 * true, true)["unexplained"] < 1e-12
    assert evaluate.match_energy(true + 1e6, true)["unexplained"] < 1e-12


def test_an_acceleration_that_is_not_finite_is_infinitely_wrong():
    """Unless nobody asked for its state; and 0/0 is 0: nothing is wrong with rest at rest."""
    q, zero = np.ones((3, 2), np.float32), np.zeros((3, 2))

    def pole(q, q_dot):
        return 1 / q

    q[1, 0] = 0
    found = evaluate.acceleration_error(pole, q, q, zero, weights=[1, 0, 3])
    assert found["acceleration_l1_sum"] == found["acceleration_relative_l2"] == np.inf
    assert found["acceleration_weighted_l1"] == 2.0
    found = evaluate.acceleration_error(pole, q[:1], q[:1], zero[:1])
    assert found == {"acceleration_l1_sum": 2.0, "acceleration_relative_l2": np.inf}
    found = evaluate.acceleration_error(lambda q, v: 0 * v, q, q, zero)
    assert found == {"acceleration_l1_sum": 0.0, "acceleration_relative_l2": 0.0}


def test_lists_and_numpy_s_arrays_will_do():
    q = [[1.0, 2.0], [3.0, 4.0]]
    found = evaluate.acceleration_error(lambda q, v: q, q, q, [[1, 2], [3, 5]])
    assert found["acceleration_l1_sum"] == 0.5
    moved = evaluate.rollouts(lambda q, v: 0 * v, q, q, dt=1.0, steps=1)
    np.testing.assert_allclose(moved[0][:, 1], [[2, 4], [6, 8]], rtol=1e-6)
    assert evaluate.energies(lambda q, v: q @ v, [q], [q]).tolist() == [[5.0, 25.0]]
    assert evaluate.match_energy([1, 2, 3], [2, 4, 6])["scale"] == pytest.approx(2.0)


def test_the_spread_of_an_ensemble_is_that_of_its_members():
    """One by one in NumPy: q̈ = a c q² + b q̇."""
    rng = np.random.default_rng(0)
    params = {"a": rng.normal(size=4), "b": rng.normal(size=(4, 2))}
    q, v, c = rng.normal(size=(3, 5, 2)).astype(np.float32)

    def acceleration(params, q, q_dot, context):
        return params["a"] * context[0] * q**2 + params["b"] * q_dot

    found = evaluate.spread(acceleration, params, q, v, c[:, :1])
    members = [a * c[:, :1] * q**2 + b * v for a, b in zip(params["a"], params["b"], strict=True)]
    np.testing.assert_allclose(found["mean"], np.mean(members, axis=0), atol=1e-5)
    np.testing.assert_allclose(found["deviation"], np.std(members, axis=0, ddof=0), atol=1e-5)


def test_a_spread_needs_members_and_knows_no_certainty_beyond_them():
    def acceleration(params, q, q_dot):
        return params["w"] @ q + params["b"]

    q = np.ones((3, 2), np.float32)
    one = {"w": np.ones((2, 2)), "b": np.ones(2)}
    same = {"w": np.ones((4, 2, 2)), "b": np.ones((4, 2))}
    assert not evaluate.spread(acceleration, same, q, q)["deviation"].any()
    same["b"][2, 1] = np.nan
    found = evaluate.spread(acceleration, same, q, q)["deviation"]
    assert np.isinf(found[:, 1]).all() and not found[:, 0].any()
    for params in (one | {"b": np.ones(3)}, one | {"b": 1.0}, {}):
        with pytest.raises(ValueError, match="members along its first axis"):
            evaluate.spread(acceleration, params, q, q)
    with pytest.raises(ValueError, match=r"acceleration to return \(2, 3, 2\)"):
        evaluate.spread(acceleration, one, q, q)  # not stacked: rows would pass for members


GOOD = np.ones((3, 2), np.float32)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"q_ddot": GOOD[:, :1]}, ValueError, r"q_ddot of shape \(3, 2\), got \(3, 1\)"),
        ({"q_ddot": GOOD[:1]}, ValueError, r"q_ddot of shape \(3, 2\), got \(1, 2\)"),
        ({"q_ddot": 1.0}, ValueError, r"q_ddot of shape \(3, 2\), got \(\)"),
        ({"q_ddot": GOOD * np.nan}, ValueError, "q_ddot to be finite"),
        ({"q_ddot": GOOD * 1j}, TypeError, "q_ddot to hold real numbers"),
        ({"q": GOOD.astype(int), "q_dot": GOOD.astype(int)}, TypeError, "floating-point"),
        ({"q": GOOD[:0], "q_dot": GOOD[:0], "q_ddot": GOOD[:0]}, ValueError, "a batch"),
        ({"q": 1.0}, ValueError, "a batch"),
        ({"q_dot": GOOD[:, :1]}, ValueError, "a batch"),
        ({"acceleration": lambda q, v: v[:1]}, ValueError, r"return \(3, 2\).*got \(3, 1\)"),
        ({"acceleration": lambda q, v: v @ v}, ValueError, r"return \(3, 2\).*got \(3,\)"),
        ({"context": GOOD[:2]}, ValueError, r"context of shape \(3, 2\), got \(2, 2\)"),
        ({"context": GOOD * np.inf}, ValueError, "context to be finite"),
        ({"weights": [1.0]}, ValueError, r"weights of shape \(3,\), got \(1,\)"),
        ({"weights": [[1.0]] * 3}, ValueError, r"weights of shape \(3,\), got \(3, 1\)"),
        ({"weights": [1.0, 2.0, np.nan]}, ValueError, "weights to be finite"),
        ({"weights": [1.0, 2.0, -1.0]}, ValueError, "weights of at least zero"),
        ({"weights": [0, 0, 0]}, ValueError, "not all of them zero"),
    ],
)
def test_accelerations_that_cannot_be_compared_are_refused(change, error, message):
    given = {"acceleration": lambda q, v: v, "q": GOOD, "q_dot": GOOD, "q_ddot": GOOD} | change
    with pytest.raises(error, match=message):
        evaluate.acceleration_error(**given)


MOTION = np.ones((2, 4, 2), np.float32)


@pytest.mark.parametrize(
    ("measure", "error", "message"),
    [
        (lambda e: evaluate.energies(e, MOTION, MOTION[..., :1]), ValueError, "one shape"),
        (lambda e: evaluate.energies(e, MOTION, MOTION[:1]), ValueError, "one shape"),
        (lambda e: evaluate.energies(e, GOOD, GOOD), ValueError, r"\[n, t, d\], got \(3, 2\)"),
        (lambda e: evaluate.energies(e, MOTION[:0], MOTION[:0]), ValueError, r"\[n, t, d\]"),
        (lambda e: evaluate.energies(e, MOTION.astype(int), MOTION), TypeError, "q to hold float"),
        (lambda e: evaluate.energies(lambda q, v: v[:1], MOTION, MOTION), ValueError, "energy to"),
        (
            lambda e: evaluate.energy_error(e, MOTION[:, :1], MOTION[:, :1], 1.0),
            ValueError,
            "frames",
        ),
        (lambda e: evaluate.position_error(e, MOTION, MOTION[:1]), ValueError, "q and q_true"),
        (lambda e: evaluate.position_error(e, MOTION, MOTION[..., :1]), ValueError, "q and q_true"),
        (lambda e: evaluate.position_error(e, MOTION, MOTION * np.nan), ValueError, "q_true to be"),
        (lambda e: evaluate.position_error(e, MOTION, MOTION), ValueError, r"\[bodies, 2\]"),
        (lambda e: evaluate.match_energy(GOOD, GOOD.T), ValueError, "one shape"),
        (lambda e: evaluate.match_energy([1.0, 2.0], [1.0, 2.0]), ValueError, "at least 3"),
        (lambda e: evaluate.match_energy([1, 2, 3], [2, 2, 2]), ValueError, "that varies, got 2.0"),
        (lambda e: evaluate.match_energy([1, 2, 3], [2, 2, np.nan]), ValueError, "true to be"),
    ],
)
def test_motions_and_energies_that_cannot_be_compared_are_refused(measure, error, message):
    with pytest.raises(error, match=message):
        measure(lambda q, v=0.0: (q * v).sum())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"unit": 0.0}, ValueError, "unit > 0"),
        ({"starts": 0}, ValueError, "starts >= 1"),
        ({"starts": 2.0}, TypeError, "starts to be a whole number"),
        ({"substeps": 0}, ValueError, "substeps >= 1"),
        ({"states": 2}, ValueError, "states >= 3"),
        ({"seconds": -1.0}, ValueError, "seconds > 0"),
        ({"seconds": 0.01}, ValueError, "whole number of frames, got 0.01 s of 0.1 s"),
        ({"seconds": 1.0, "frame": 0.3}, ValueError, "whole number of frames"),
    ],
)
def test_a_protocol_that_cannot_be_followed_is_refused_before_the_work(change, error, message):
    with pytest.raises(error, match=message):
        evaluate.Protocol(**({"system": PENDULUM, "unit": 9.8} | change))


def test_bad_batches_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        evaluate.rollouts(
            PENDULUM.acceleration, jnp.zeros((2, 1)), jnp.zeros((3, 1)), dt=1.0, steps=1
        )
    with pytest.raises(ValueError, match="a batch"):
        evaluate.rollouts(PENDULUM.acceleration, jnp.zeros(1), jnp.zeros(1), dt=1.0, steps=1)
    with pytest.raises(ValueError, match="scale > 0"):
        evaluate.energy_error(PENDULUM.energy, jnp.zeros((1, 2, 1)), jnp.zeros((1, 2, 1)), -1.0)
    with pytest.raises(ValueError, match="one shape"):
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


@dataclass(frozen=True)
class Idle:
    """Nothing accelerates, and the energy is zero."""

    def acceleration(self, params, q, q_dot):
        return 0 * q

    def energy(self, params, q, q_dot):
        return 0 * q[0]


@pytest.fixture(scope="module")
def floor():
    return PROTOCOL.floor()


def test_the_true_system_errs_by_the_floor_alone(floor):
    """… whatever the scale and the constant of its energy, which a Lagrangian leaves open."""
    found = PROTOCOL.figures(Written(DOUBLE, scale=-0.2, offset=3.0), None)
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


def test_an_energy_that_is_zero_everywhere_has_no_joules():
    found = PROTOCOL.figures(Idle(), None)
    assert found["energy_unexplained"] == pytest.approx(1.0)
    assert found["learned_energy_drift"] == np.inf
    assert found["acceleration_relative_l2"] == pytest.approx(1.0)


def test_a_model_without_energy_has_no_figures_of_it_and_one_that_runs_away_infinite_errors():
    found = PROTOCOL.figures(Runaway(), None)
    assert not {"energy_unexplained", "learned_energy_drift"} & found.keys()
    for name in ("last", "mean", "median", "worst", "max"):
        assert found[f"energy_error_{name}"] == np.inf
    assert np.isfinite(found["acceleration_l1_sum"])


def test_the_protocol_is_the_same_for_everyone_and_every_time():
    ours, again, theirs = (PROTOCOL.motions(lambda q, v, c=c: -c * q) for c in (1.0, 1.0, 2.0))
    np.testing.assert_array_equal(ours, again)
    assert ours[0].shape == ours[1].shape == (3, 31, 2)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a[:, 0], b[:, 0])
    assert ours[1][:, 0].min() >= 0 and ours[1][:, 0].max() <= 0.1  # near rest


def test_motions_part_at_a_saddle_as_fast_as_it_is_steep():
    """q̈ = κ² q: a difference grows like exp(κ t)."""
    start = [[0.1, 0.2]], [[0.0, 0.3]]
    found = evaluate.lyapunov_exponent(lambda q, _: 9 * q, *start, dt=0.1, steps=300)
    assert found == pytest.approx(3, rel=0.02)


def test_motions_of_an_oscillator_do_not_part():
    found = evaluate.lyapunov_exponent(
        lambda q, _: -q, [[1.0], [0.2]], [[0.0], [0.1]], dt=0.1, steps=2000
    )
    assert found.shape == (2,)
    assert np.abs(found).max() < 0.01


def test_motions_that_run_away_part_infinitely_fast():
    start = [[5.0], [0.01]], [[0.0], [0.0]]
    found = evaluate.lyapunov_exponent(lambda q, _: q**3, *start, dt=0.1, steps=50)
    assert np.isinf(found[0]) and np.isfinite(found[1])


@pytest.mark.parametrize(
    ("q", "steps", "message"),
    [([1.0], 10, "q"), ([[np.inf]], 10, "finite"), ([[1.0]], 0, "steps")],
)
def test_exponents_of_no_motion_are_refused(q, steps, message):
    with pytest.raises(ValueError, match=message):
        evaluate.lyapunov_exponent(lambda q, _: -q, q, q, dt=0.1, steps=steps)
