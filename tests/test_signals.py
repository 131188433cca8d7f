"""The ladder of signals: what is measured is what is said, and every way learns from it."""

import numpy as np
import pytest

from lnn_tutorial import data, evaluate, experiments, integrate, models, systems
from lnn_tutorial.experiments import signals
from lnn_tutorial.learning import rounds

SYSTEM = systems.DoublePendulum()


def few(measured, count=3):
    """The first motions of a signal."""
    rows = measured.motions.trajectory < count
    made = data.motions(
        measured.motions.t[rows],
        measured.motions.q[rows],
        trajectory=measured.motions.trajectory[rows],
    )
    return experiments.Measured(made, *(x[rows] for x in measured[1:]))


@pytest.fixture(scope="module")
def exact():
    return experiments.measured_positions("exact")


def test_exact_positions_are_true(exact):
    """Against SciPy after a second, and by their energy to the end."""
    q, q_dot, q_ddot = (x.reshape(100, 501, 2) for x in exact[1:])
    np.testing.assert_allclose(np.asarray(exact.motions.q), exact.q, atol=1e-5)
    with integrate.double_precision():
        for k in (0, 99):
            start = q[k, 0], q_dot[k, 0]
            found = integrate.reference(SYSTEM.acceleration, *start, dt=1.0, steps=1)
            np.testing.assert_allclose(q[k, 50], found[0][1], atol=1e-7)
            np.testing.assert_allclose(q_ddot[k, 50], SYSTEM.acceleration(q[k, 50], q_dot[k, 50]))
    drift = evaluate.energy_error(SYSTEM.energy, q, q_dot, scale=29.4)
    assert drift["energy_error_max"] < 1e-5
    other = experiments.measured_positions("exact", 1)
    assert (other.q[0] != exact.q[0]).any()


@pytest.mark.parametrize("name", ["noise 1e-3", "irregular", "spoiled"])
def test_noise_times_outliers_and_gaps_are_as_said(name, exact):
    measured = experiments.measured_positions(name)
    assert (measured.q[0] == exact.q[0]).all()  # the same motions
    off = np.asarray(measured.motions.q) - measured.q
    far = np.abs(off) > 0.01
    assert off[~far].std() == pytest.approx(experiments.SIGNALS[name], rel=0.02)
    spoiled = far.any(axis=1).mean()
    assert 0.008 < spoiled < 0.012 if name == "spoiled" else spoiled == 0
    inside = measured.motions.trajectory[1:] == measured.motions.trajectory[:-1]
    steps = np.diff(measured.motions.t)[inside]
    if name == "spoiled":
        assert (steps > 0.03).sum() == 100 and steps.max() == pytest.approx(0.52)
    else:
        assert (np.ptp(steps) > 0.02) == (name == "irregular") and len(steps) == 50_000
    assert steps.min() > 0.003


def test_a_box_is_full_of_short_motions():
    measured = experiments.measured_positions("box")
    assert np.unique(measured.motions.trajectory, return_counts=True)[1].tolist() == [5] * 40_000
    q, q_dot = (x.reshape(40_000, 5, 2)[:, 0] for x in (measured.q, measured.q_dot))
    assert q.min() >= 0 and 6 < q.max() <= 2 * np.pi and np.abs(q_dot).max() > 9


@pytest.mark.parametrize("way", ["differences", "polynomials", "splines"])
def test_samples_of_a_constant_acceleration_are_true(way):
    """At irregular times; a smoothing spline bends less at its ends, and is judged inside."""
    draw = np.random.default_rng(0)
    t = np.cumsum(draw.uniform(0.01, 0.03, 80))
    q = np.stack([3 * t**2, 1 - t], axis=1)
    made = data.motions(t, q)
    makers = {
        "differences": lambda: signals._differences(made),
        "splines": lambda: signals._splines(made, 1e-9),
        "polynomials": lambda: made.samples(frames=6, degree=2),
    }
    inside = slice(20, -20)
    found = makers[way]()
    np.testing.assert_allclose(found.q_ddot[inside], [[6, 0]] * len(found.q[inside]), atol=0.3)
    np.testing.assert_allclose(found.q_dot[inside, 1], -1, atol=2e-3)


def test_a_rival_is_given_what_suits_the_truth_best(monkeypatch):
    """The more noise, the longer the windows: choices that the true law makes."""
    monkeypatch.setattr(signals, "WINDOWS", (6, 16))
    spans = []
    for name in ("noise 1e-4", "noise 1e-2"):
        measured = few(experiments.measured_positions(name), 4)
        found = experiments.SignalRecipe(measured, "polynomials").samples()
        spans.append(len(measured.q) - len(found.q))
    assert spans[0] < spans[1]


@pytest.mark.parametrize("way", ["states", "discrete", "windows", "rounds"])
def test_every_kind_of_way_trains(way, exact, monkeypatch):
    monkeypatch.setattr(signals, "WINDOWS", (6,))
    monkeypatch.setattr(rounds, "NOISY_ROUNDS", rounds.NOISY_ROUNDS[:1])
    name = experiments.WAYS[way][-1]
    measured = few(exact if name == "exact" else experiments.measured_positions(name))
    recipe = experiments.SignalRecipe(measured, way)
    model = models.LNN(dim=2, angles=(True, True), width=4, depth=1)
    fit = recipe.fit(model, seed=0, steps=40, progress=False)
    assert np.isfinite(fit.losses).all() and len(fit.losses) >= 10


def test_a_model_that_learned_by_a_discrete_action_also_moves_by_it(monkeypatch):
    """The true Lagrangian by steps of 0.02 s: its energy strays as h² or h⁴."""

    class Truth(models.FromLagrangian):
        def init(self, key):
            return ()

        def lagrangian(self, params, q, q_dot, context=None):
            return SYSTEM.lagrangian(q, q_dot)

    short = systems.DoublePendulum()
    protocol = evaluate.Protocol(short, 29.4, 3, seconds=4.0, states=10)
    monkeypatch.setattr(signals, "double_pendulum_protocol", lambda starts: protocol)
    found = [
        experiments.SignalProtocol(order, starts=3).figures(Truth(dim=2), ()) for order in (2, 4)
    ]
    worst = [x["by_its_own_step_max"] for x in found]
    assert 1e-4 < worst[0] < 0.02 and worst[1] < 0.05 * worst[0]
    assert found[0]["energy_error_max"] < 1e-4
    assert found[0]["acceleration_relative_l2"] < 1e-4


def test_what_is_not_known_is_refused(exact):
    with pytest.raises(ValueError, match="unknown signal 'camera'"):
        experiments.measured_positions("camera")
    with pytest.raises(ValueError, match="unknown way 'magic'"):
        experiments.SignalRecipe(exact, "magic")
    with pytest.raises(ValueError, match="seed"):
        experiments.measured_positions("exact", -1)
    with pytest.raises(ValueError, match=r"a rate that divides 500, got 0\.0 and 30"):
        experiments.measured_positions("exact", rate=30)
