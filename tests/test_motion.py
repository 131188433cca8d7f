"""The experiment on motion: equal frames for all, stages in order, one protocol."""

import json
from functools import partial

import jax
import numpy as np
import pytest

from lnn_tutorial import evaluate, experiments, integrate, learning, store, systems
from lnn_tutorial.experiments import motions
from lnn_tutorial.learning import rounds

SYSTEM = systems.DoublePendulum()
MODELS = experiments.motion_models(width=4, depth=1)


@pytest.mark.parametrize(
    ("setting", "count", "frames", "seconds"), [("course", 400, 101, 10.0), ("julia", 40, 36, 1.0)]
)
def test_the_frames_are_true(setting, count, frames, seconds):
    """Against SciPy after a second, and by their energy to the end."""
    made = experiments.measured_motions(setting)
    q, q_dot, t = (np.asarray(x).reshape(count, frames, -1) for x in (made.q, made.q_dot, made.t))
    assert t[0, -1, 0] == pytest.approx(seconds)
    second = round((frames - 1) / seconds)
    with integrate.double_precision():
        for k in (0, count - 1):
            start = q[k, 0].astype(float), q_dot[k, 0].astype(float)
            found = integrate.reference(SYSTEM.acceleration, *start, dt=1.0, steps=1)
            np.testing.assert_allclose(q[k, second], found[0][1], atol=1e-5)
            np.testing.assert_allclose(q_dot[k, second], found[1][1], atol=1e-4)
    drift = evaluate.energy_error(SYSTEM.energy, q, q_dot, scale=29.4)
    assert drift["energy_error_max"] < 1e-5
    again, other = (experiments.measured_motions(setting, seed) for seed in (0, 1))
    assert (again.q == made.q).all() and (other.q[0] != made.q[0]).any()


def test_all_are_given_the_same_stages_and_steps():
    recipe = experiments.motion_recipe("julia")
    counts = learning.steps_of(learning.STATE_ROUNDS, 79)
    assert counts == [8, 8, 3, 20, 40] and recipe.states_seen(79) == 128 * 79
    assert {type(model).__name__ for model in MODELS.values()} == {
        "LNN",
        "PlainNetwork",
        "NeuralODE",
    }


def test_the_protocol_follows_each_model_by_its_own_equations():
    """A first-order model that says dq/dt = 0 stays where it is, whatever its q̇ does."""
    protocol = experiments.MotionProtocol("julia", starts=3)
    ode = MODELS["ode"]
    still = jax.tree.map(np.zeros_like, ode.init(jax.random.key(0)))
    q, _ = protocol.motions(partial(ode.rollout, still))
    np.testing.assert_array_equal(q, np.broadcast_to(q[:, :1], q.shape))
    floor = protocol.floor()
    assert floor["energy_error_max"] < 1e-3 and floor["position_error_3s"] == 0
    lost = protocol.figures(ode, jax.tree.map(lambda x: x + np.nan, still))
    assert lost["energy_error_last"] == np.inf and lost["position_error_1s"] == np.inf


def test_a_short_run_measures_everything_and_goes_on_where_it_was(tmp_path, monkeypatch):
    quick = {"lnn": MODELS["plain"], "ode": MODELS["ode"]}  # an LNN takes long to compile
    monkeypatch.setattr(motions, "motion_models", lambda: quick)
    monkeypatch.setattr(rounds, "STATE_ROUNDS", rounds.STATE_ROUNDS[:3])  # one of each kind
    settings = {"setting": "julia", "steps": 20, "starts": 2, "progress": False}
    found = experiments.motion(**settings, checkpoint=tmp_path)
    assert list(found["models"]) == ["lnn", "ode", "ode_same_time"]
    assert found["setting"] == "julia" and "energy_error_last" in found["integrator_floor"]
    json.dumps(store.for_json(found), allow_nan=False)
    again = experiments.motion(**settings, checkpoint=tmp_path)
    for name in ("lnn", "ode"):
        assert again["models"][name] == found["models"][name]
