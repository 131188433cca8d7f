"""The robot arm: its frames and torques, encoders' zeros, mirror images, and who follows it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import data, experiments, models, train
from lnn_tutorial.experiments import arm

pytestmark = pytest.mark.usefixtures("float64")

Q, Q_DOT, TORQUE = (np.array(x) for x in ([0.4, -0.7], [1.5, -3.0], [0.2, -0.5]))


FITTED = {
    "m": [0.5, 1.0],
    "a": [0.106, 0.186],
    "I": [0.0173, 0.0228],
    "l": 0.189,
    "g": 9.81,
    "J": 0.0049,
}
"""Constants with the moments that a fit to recordings 0 and 1 found, by another code than this."""

RUBS = ([1e-5, 0.0042], [0.115, 0.111])
"""And its frictions: viscous in N m s, dry in N m."""


FORCES = experiments.arm_models()["rigid"].model.force


def formula():
    """The formula with zeros of two recordings."""
    model = experiments.arm_models()["rigid"]
    params = model.init(jax.random.key(0))
    return model, params | {"zeros": jnp.array([0.1, -0.2, 0.3, 0.4]) / arm.ZERO}


def fitted(rubs=RUBS, **reading):
    model = arm.Zeroed(arm.GearedArms(weight=0.5, force=FORCES, **reading))
    params = model.init(jax.random.key(0))
    log = {name: jnp.log(jnp.array(x)) for name, x in FITTED.items()}
    learned = [jnp.log(jnp.expm1(jnp.array(c) / force.scale))
               for c, force in zip(rubs, FORCES[:2], strict=True)]  # fmt: skip
    params["model"] = {"network": {"log": log}, "force": (*learned, ())}
    return model, params


def test_each_recording_has_its_own_zeros_and_its_mirror_image_theirs_turned_round():
    model, params = formula()
    law, sides = jax.jit(model.acceleration), []
    for which, zeros in ((0, [0.1, -0.2]), (1, [0.3, 0.4]), (None, [0.0, 0.0])):
        q, context = Q + np.array(zeros), np.zeros(2)
        if which is not None:
            context[which] = 1.0
        sides += [law(params, q, Q_DOT, context, TORQUE)]
        sides += [-law(params, -q, -Q_DOT, -context, -TORQUE)]
    one = jax.jit(model.model.acceleration)(params["model"], Q, Q_DOT, torque=TORQUE)
    np.testing.assert_allclose(sides, np.tile(one, (6, 1)), rtol=1e-9)


def test_frames_are_those_nearest_to_a_regular_clock(measured):
    measured("robot arm")
    for recording in (0, 12):
        t = experiments.arm_frames((recording,)).t
        off = np.abs((t - t[0]) - 0.01 * np.arange(len(t)))
        assert np.median(off) < 0.001
        assert off.max() < 0.005


def test_a_command_is_held_until_the_next_one():
    """1 N m from 0.102 to 0.108 s, where a step was long, is 0.6 on average from 0.1 to 0.11 s."""
    t = np.array([0.0, 0.1, 0.102, 0.108, 0.109, 0.2])
    torque = np.outer([0, 0, 1, 0, 0, 0], [1.0, -2.0])
    table = data.motions(t, 0 * torque, torque=torque, trajectory=np.full(6, 7))
    np.testing.assert_allclose(arm._averaged(table, 7, np.array([0.105])), [[0.6, -1.2]])


def test_a_torque_is_the_mean_over_the_time_of_a_frame(measured):
    """Together they give the impulse of the file, each torque held until the next."""
    table = measured("robot arm", torque="measured").motions
    rows = table.trajectory == 12
    given = np.diff(table.t[rows]) @ np.asarray(table.torque, float)[rows][:-1]
    frames = experiments.arm_frames((12,), torque="measured")
    found = np.asarray(frames.torque, float).sum(axis=0) / arm.RATE
    np.testing.assert_allclose(found, given, atol=0.02)
    assert np.abs(frames.torque).max() < np.abs(np.asarray(table.torque)[rows]).max()


def test_a_mirror_shows_the_same_frames_with_all_signs_turned_round(measured):
    measured("robot arm")
    both = experiments.arm_frames((0, 1), mirrored=True)
    half = len(both) // 2
    for name in ("q", "torque", "context"):
        x = np.asarray(getattr(both, name))
        np.testing.assert_array_equal(x[half:], -x[:half])
    assert len(np.unique(both.trajectory)) == 4
    np.testing.assert_array_equal(np.unique(both.context[:half], axis=0), [[0, 1], [1, 0]])
    assert experiments.arm_frames((3,), torque="none").torque is None


def test_what_is_not_there_is_named(measured):
    measured("robot arm")
    with pytest.raises(ValueError, match=r"recordings out of \(0, 1, 3, 12\), got 2"):
        experiments.arm_frames((2,))
    with pytest.raises(ValueError, match="unknown torque 'wished'"):
        experiments.arm_frames((0,), torque="wished")


def test_the_second_angle_is_counted_from_the_first_arm_and_dry_friction_counts(measured):
    """One second open loop through a recording that was not fitted."""
    measured("robot arm")
    protocol = experiments.ArmProtocol()

    def error(*made):
        return np.median(protocol.errors(*made, 3))

    assert error(*fitted()) < 0.045
    assert error(*fitted(relative=False)) > 0.3
    assert error(*fitted(([1e-5, 1e-5], [1e-5, 1e-5]))) > 0.1


def test_a_rotor_turns_with_the_second_joint_alone():
    """J θ̇²/2 more of kinetic energy, in both readings of the second angle."""
    for relative, rate in ((True, -3.0), (False, -4.5)):
        geared = arm.GearedArms(relative=relative)
        params = geared.init(jax.random.key(0))
        plain = models.RigidArms(relative=relative)
        more = geared.lagrangian(params, Q, Q_DOT) - plain.lagrangian(params, Q, Q_DOT)
        assert float(more) == pytest.approx(0.5 * float(geared.constants(params)["J"]) * rate**2)


def test_the_experiment_judges_by_both_recordings_and_knows_its_integrators_error(
    measured, monkeypatch
):
    measured("robot arm")
    model, params = fitted()
    fit = train.Fit(params, np.ones(1), 1.0)
    monkeypatch.setattr(arm, "arm_models", lambda torque: {"rigid": model})
    monkeypatch.setattr(arm.ArmRecipe, "fit", lambda *arguments, **settings: fit)
    found = experiments.robot_arm(steps=10, progress=False)
    assert found["frames"] == 4 * 1000
    like, unseen = (found[name]["rigid"] for name in ("models", "unseen"))
    assert like["rmse"] < 0.045 < unseen["rmse"] < 0.3
    assert found["integrator_floor"]["rmse"] < 0.01 * like["rmse"]
