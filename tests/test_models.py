"""Models: one face, features that respect the coordinates, physics that no weights can break."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import integrate, mechanics, models

FACE = {"dim": 2, "angles": (False, True), "velocity_scale": (2.0, 5.0), "width": 16, "depth": 2}
MODELS = [models.LNN(**FACE), models.BlackBox(**FACE, acceleration_scale=(3.0, 4.0))]
Q, Q_DOT = jnp.array([1.1, 0.4]), jnp.array([-0.5, 2.0])


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_every_model_has_the_same_face(model):
    params = model.init(jax.random.key(0))
    one = jax.jit(model.acceleration)(params, Q, Q_DOT)
    assert one.shape == (2,)
    many = jax.jit(jax.vmap(partial(model.acceleration, params)))(
        jnp.stack([Q, Q]), jnp.stack([Q_DOT] * 2)
    )
    np.testing.assert_allclose(many, jnp.stack([one, one]), rtol=1e-4)
    gradient = jax.jit(jax.grad(lambda p: model.acceleration(p, Q, Q_DOT).sum()))(params)
    assert all(bool(jnp.isfinite(g).all()) for g in jax.tree.leaves(gradient))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_a_full_turn_changes_nothing(model):
    params = model.init(jax.random.key(0))
    turned = Q + jnp.array([0.0, 2 * jnp.pi])
    acceleration = jax.jit(partial(model.acceleration, params))
    np.testing.assert_allclose(
        acceleration(turned, Q_DOT),
        acceleration(Q, Q_DOT),
        rtol=1e-3,
        atol=1e-4,
    )


def test_features_are_scaled_coordinates_sines_cosines_and_scaled_velocities():
    model = models.LNN(
        dim=2, angles=(False, True), position_scale=(4.0, 1.0), velocity_scale=(2.0, 5.0)
    )
    expected = [1.1 / 4, np.sin(0.4), np.cos(0.4), -0.25, 0.4]
    np.testing.assert_allclose(model.features(Q, Q_DOT), expected, rtol=1e-6)


def test_wrapped_angles_enter_as_one_number_within_minus_pi_and_pi():
    model = models.LNN(**FACE, position_scale=4.0, angle_features="wrapped")
    for turns in (-3, 0, 1):
        q = Q + jnp.array([0.0, 2 * jnp.pi * turns])
        expected = [1.1 / 4, 0.4, -0.25, 0.4]  # an angle has its own scale
        np.testing.assert_allclose(model.features(q, Q_DOT), expected, rtol=1e-5)
    q = jnp.array([1.1, 4.0])
    assert float(model.features(q, Q_DOT)[1]) == pytest.approx(4 - 2 * np.pi, rel=1e-5)


@pytest.mark.parametrize(
    ("features", "angles", "inputs"),
    [
        ("trig", (), 4),
        ("trig", (False, True), 5),
        ("trig", (True, True), 6),
        ("wrapped", (), 4),
        ("wrapped", (False, True), 4),
        ("wrapped", (True, True), 4),
    ],
)
def test_the_network_has_an_input_for_each_feature(features, angles, inputs):
    for kind in (models.LNN, models.BlackBox):
        model = kind(**{**FACE, "angles": angles}, angle_features=features)
        first, *_ = jax.eval_shape(model.init, jax.random.key(0))
        assert first["weight"].shape == (inputs, 16)
        assert model.features(Q, Q_DOT).shape == (inputs,)


def test_a_lagrangian_of_wrapped_angles_jumps_at_the_top_and_one_of_sines_does_not():
    """From just below π to just above it; a smooth 𝓛 changes there by its slope times 2 ε."""
    below, above = jnp.array([1.1, jnp.pi - 1e-3]), jnp.array([1.1, jnp.pi + 1e-3])
    jump = {}
    for features in ("trig", "wrapped"):
        model = models.LNN(**FACE, angle_features=features)
        lagrangian = partial(model.lagrangian, model.init(jax.random.key(0)))
        jump[features] = abs(float(lagrangian(above, Q_DOT) - lagrangian(below, Q_DOT)))
    assert jump["trig"] < 1e-2 < 0.1 < jump["wrapped"]


def test_an_untrained_lnn_conserves_its_own_energy():
    """Whatever the weights, E = q̇·p − 𝓛 stays: RK4's error falls as h⁴."""
    model = models.LNN(**FACE)
    params = model.init(jax.random.key(3))
    acceleration = partial(model.acceleration, params)
    drift = []
    for substeps in (4, 8):
        q, q_dot = integrate.rollout(acceleration, Q, Q_DOT, dt=0.5, steps=20, substeps=substeps)
        along = jax.vmap(partial(model.energy, params))(q, q_dot)
        drift.append(float(jnp.ptp(along) / jnp.abs(along).mean()))
    assert drift[1] < 1e-4


def test_a_network_of_zeros_leaves_a_free_particle_of_mass_one_over_v0_squared():
    model = models.LNN(**FACE)
    params = jax.tree.map(jnp.zeros_like, model.init(jax.random.key(0)))
    lagrangian = partial(model.lagrangian, params)
    np.testing.assert_allclose(model.acceleration(params, Q, Q_DOT), [0.0, 0.0], atol=1e-7)
    np.testing.assert_allclose(
        mechanics.mass_matrix(lagrangian)(Q, Q_DOT), np.diag([1 / 4, 1 / 25]), rtol=1e-5
    )


def test_relu_has_no_mass_but_the_offset():
    """A ReLU network is linear almost everywhere: its velocity Hessian is zero."""
    for offset in (True, False):
        model = models.LNN(**FACE, activation="relu", kinetic_offset=offset)
        lagrangian = partial(model.lagrangian, model.init(jax.random.key(0)))
        expected = offset * np.diag([1 / 4, 1 / 25])
        np.testing.assert_allclose(mechanics.mass_matrix(lagrangian)(Q, Q_DOT), expected, atol=1e-6)


def test_a_black_box_answers_in_units_of_its_scale():
    params = MODELS[1].init(jax.random.key(0))
    np.testing.assert_allclose(
        MODELS[1].acceleration(params, Q, Q_DOT),
        np.array([3.0, 4.0]) * np.asarray(MODELS[1].network(params, Q, Q_DOT)),
        rtol=1e-6,
    )


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"dim": 0}, ValueError, "dim >= 1"),
        ({"dim": 2.0}, TypeError, "dim to be a whole number"),
        ({"width": -1}, ValueError, "width >= 1"),
        ({"depth": 0}, ValueError, "depth >= 1"),
        ({"activation": "softmax"}, ValueError, "unknown activation 'softmax'; known are: gelu"),
        ({"initialisation": "kaiming"}, ValueError, "unknown initialisation 'kaiming'"),
        ({"angles": (True,)}, ValueError, "expected 2 entries in angles"),
        (
            {"angle_features": "raw"},
            ValueError,
            "unknown angle_features 'raw'; known are: trig, wr",
        ),
        ({"angle_features": None}, ValueError, "unknown angle_features None"),
        ({"velocity_scale": 0.0}, ValueError, "velocity_scale > 0"),
        ({"velocity_scale": (1.0, -1.0)}, ValueError, "velocity_scale > 0"),
        ({"velocity_scale": (1.0, 1.0, 1.0)}, ValueError, "2 entries in velocity_scale"),
        ({"position_scale": float("nan")}, ValueError, "position_scale to be finite"),
    ],
)
def test_bad_settings_are_refused_when_the_model_is_made(change, error, message):
    for kind in (models.LNN, models.BlackBox):
        with pytest.raises(error, match=message):
            kind(**{**FACE, **change})


def test_the_black_boxs_scale_is_checked_too():
    with pytest.raises(ValueError, match="acceleration_scale > 0"):
        models.BlackBox(**FACE, acceleration_scale=-1.0)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_bad_states_are_refused(model):
    params = model.init(jax.random.key(0))
    with pytest.raises(ValueError, match=r"expected 2 coordinate\(s\), got q of shape \(3,\)"):
        model.acceleration(params, jnp.ones(3), jnp.ones(3))
    with pytest.raises(ValueError, match=r"jax\.vmap"):
        model.acceleration(params, jnp.ones((5, 2)), jnp.ones((5, 2)))
    with pytest.raises(TypeError, match="floating-point"):
        model.acceleration(params, jnp.array([1, 2]), Q_DOT)


@pytest.mark.parametrize(
    ("angles", "features"),
    [((), "trig"), ((False, True), "trig"), ((True, True), "wrapped")],
)
def test_the_short_way_to_the_equation_of_motion_is_the_long_one(angles, features):
    """M and F of an LNN, and the gradient of q̈, against autodiff of 𝓛 and the paper's formula."""
    face = {**FACE, "angles": angles, "angle_features": features}
    model = models.LNN(**face, position_scale=1.5)
    params = model.init(jax.random.key(4))
    lagrangian = partial(model.lagrangian, params)
    short = jax.jit(model.equation_of_motion)(params, Q, Q_DOT)
    long = jax.jit(mechanics.equation_of_motion(lagrangian))(Q, Q_DOT)
    for a, b in zip(short, long, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)

    def paper(params):
        return mechanics.acceleration(partial(model.lagrangian, params), "pinv")(Q, Q_DOT).sum()

    gradient = jax.jit(jax.grad(lambda p: model.acceleration(p, Q, Q_DOT).sum()))(params)
    for a, b in zip(
        jax.tree.leaves(gradient), jax.tree.leaves(jax.jit(jax.grad(paper))(params)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-4 * float(jnp.abs(b).max()) + 1e-6)
