"""Models: one face, features that respect the coordinates, physics that no weights can break."""

import pickle
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import features, integrate, mechanics, models, systems, train

FACE = {"dim": 2, "angles": (False, True), "velocity_scale": (2.0, 5.0), "width": 6, "depth": 2}
MODELS = [
    models.LNN(**FACE),
    models.PlainNetwork(**FACE, acceleration_scale=(3.0, 4.0)),
    models.HNN(**FACE),
    models.HNN(**FACE, momenta_of=systems.SpringPendulum(), momentum_scale=2.0),
    models.DeLaN(**FACE),
]
Q, Q_DOT = jnp.array([1.1, 0.4]), jnp.array([-0.5, 2.0])


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_every_model_has_the_same_face_and_a_full_turn_changes_nothing(model):
    """One state in, q̈ `[2]` out, to be mapped and differentiated."""
    turned = Q + jnp.array([0.0, 2 * jnp.pi])

    def facts(params):
        one, pull = jax.vjp(lambda params: model.acceleration(params, Q, Q_DOT), params)
        many = jax.vmap(partial(model.acceleration, params))(
            jnp.stack([Q, turned]), jnp.stack([Q_DOT] * 2)
        )
        return one, many, pull(jnp.ones(2))

    one, many, gradient = jax.jit(facts)(model.init(jax.random.key(0)))
    assert one.shape == (2,)
    np.testing.assert_allclose(many[0], one, rtol=1e-4)
    np.testing.assert_allclose(many[1], one, rtol=1e-3, atol=1e-4)
    assert all(bool(jnp.isfinite(g).all()) for g in jax.tree.leaves(gradient))


def test_a_plain_network_sees_a_torque_in_units_of_its_scale():
    """A linear network of τ/τ₀ alone gives q̈ = a₀ W τ/τ₀, along a motion too."""
    model = models.PlainNetwork(
        dim=2, width=2, depth=1, acceleration_scale=3.0, torque_scale=(0.5, 2.0), activation="relu"
    )
    assert model.driven
    assert model.sizes == [6, 2, 2]
    params = jax.tree.map(jnp.zeros_like, model.init(jax.random.key(0)))
    params[0]["weight"] = params[0]["weight"].at[4:].set(jnp.eye(2))
    params[1]["weight"] = jnp.array([[0.0, 1.0], [2.0, 0.0]])
    torque = jnp.array([0.5, 1.0])
    push = 3 * np.array([2 * 0.5, 1.0])
    np.testing.assert_allclose(model.acceleration(params, Q, Q_DOT, torque=torque), push)
    q, _ = model.rollout(params, Q, 0 * Q, torque=lambda t: torque, dt=0.5, steps=2)
    np.testing.assert_allclose(q[-1] - Q, push / 2, rtol=1e-6)
    with pytest.raises(ValueError, match="expected a torque"):
        model.acceleration(params, Q, Q_DOT)
    with pytest.raises(ValueError, match="torque_scale > 0"):
        models.PlainNetwork(dim=2, torque_scale=0.0)


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
    ("named", "angles", "inputs"),
    [
        ("trig", (), 4),
        ("trig", (False, True), 5),
        ("trig", (True, True), 6),
        ("wrapped", (), 4),
        ("wrapped", (False, True), 4),
        ("wrapped", (True, True), 4),
    ],
)
def test_the_network_has_an_input_for_each_feature(named, angles, inputs):
    for kind in (models.LNN, models.PlainNetwork):
        model = kind(**{**FACE, "angles": angles}, angle_features=named)
        first, *_ = jax.eval_shape(model.init, jax.random.key(0))
        assert first["weight"].shape == (inputs, 6)
        assert model.features(Q, Q_DOT).shape == (inputs,)


def test_a_lagrangian_of_wrapped_angles_jumps_at_the_top_and_one_of_sines_does_not():
    """From just below π to just above it; a smooth 𝓛 changes there by its slope times 2 ε."""
    below, above = jnp.array([1.1, jnp.pi - 1e-3]), jnp.array([1.1, jnp.pi + 1e-3])
    jump = {}
    for named in ("trig", "wrapped"):
        model = models.LNN(**FACE, angle_features=named)
        lagrangian = partial(model.lagrangian, model.init(jax.random.key(0)))
        jump[named] = abs(float(lagrangian(above, Q_DOT) - lagrangian(below, Q_DOT)))
    assert jump["trig"] < 1e-2 < 0.1 < jump["wrapped"]


def test_an_untrained_lnn_conserves_its_own_energy():
    """Whatever the weights, E = q̇·p − 𝓛 stays, to RK4's error."""
    model = models.LNN(**FACE)
    params = model.init(jax.random.key(3))
    q, q_dot = model.rollout(params, Q, Q_DOT, dt=0.2, steps=20, substeps=8)
    along = jax.jit(jax.vmap(partial(model.energy, params)))(q, q_dot)
    assert float(jnp.ptp(along) / jnp.abs(along).mean()) < 1e-4


def test_a_network_of_zeros_leaves_a_free_particle_of_mass_one_over_v0_squared():
    model = models.LNN(**FACE)
    params = jax.tree.map(jnp.zeros_like, model.init(jax.random.key(0)))
    mass = mechanics.mass_matrix(partial(model.lagrangian, params))
    acceleration, mass = jax.jit(
        lambda q, q_dot: (model.acceleration(params, q, q_dot), mass(q, q_dot))
    )(Q, Q_DOT)
    np.testing.assert_allclose(acceleration, [0.0, 0.0], atol=1e-7)
    np.testing.assert_allclose(mass, np.diag([1 / 4, 1 / 25]), rtol=1e-5)


def test_relu_has_no_mass_but_the_offset():
    """A ReLU network is linear almost everywhere: its velocity Hessian is zero."""
    for offset in (True, False):
        model = models.LNN(**FACE, activation="relu", kinetic_offset=offset)
        lagrangian = partial(model.lagrangian, model.init(jax.random.key(0)))
        mass = jax.jit(mechanics.mass_matrix(lagrangian))(Q, Q_DOT)
        np.testing.assert_allclose(mass, offset * np.diag([1 / 4, 1 / 25]), atol=1e-6)


def test_a_plain_answers_in_units_of_its_scale():
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
        ({"velocity_features": "gamma"}, ValueError, "known are: arcsine, rapidity, scaled"),
        ({"position_features": "mean"}, ValueError, "known are: centred, scaled"),
        (
            {"position_features": "centred", "angles": (False, True)},
            ValueError,
            "position_features='scaled' where a coordinate is an angle",
        ),
        ({"context": -1}, ValueError, "context >= 0"),
        ({"context": 1.0}, TypeError, "context to be a whole number"),
        ({"context": 1, "context_scale": 0.0}, ValueError, "context_scale > 0"),
        ({"context": 2, "context_scale": (1.0,)}, ValueError, "2 entries in context_scale"),
    ],
)
def test_bad_settings_are_refused_when_the_model_is_made(change, error, message):
    for kind in (models.LNN, models.PlainNetwork, models.HNN, models.DeLaN):
        with pytest.raises(error, match=message):
            kind(**{**FACE, **change})


def test_the_plains_scale_is_checked_too():
    with pytest.raises(ValueError, match="acceleration_scale > 0"):
        models.PlainNetwork(**FACE, acceleration_scale=-1.0)


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
    ("angles", "named"),
    [((), "trig"), ((False, True), "trig"), ((True, True), "wrapped")],
)
def test_the_short_way_to_the_equation_of_motion_is_the_long_one(angles, named):
    """M and F of an LNN, against autodiff of 𝓛."""
    face = {**FACE, "angles": angles, "angle_features": named}
    model = models.LNN(**face, position_scale=1.5)

    def facts(params):
        long = mechanics.equation_of_motion(partial(model.lagrangian, params))
        return model.equation_of_motion(params, Q, Q_DOT), long(Q, Q_DOT)

    for a, b in zip(*jax.jit(facts)(model.init(jax.random.key(4))), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_the_gradient_by_the_weights_is_that_of_the_papers_formula():
    model = models.LNN(**FACE, position_scale=1.5)

    def short(params):
        return model.acceleration(params, Q, Q_DOT).sum()

    def paper(params):
        return mechanics.acceleration(partial(model.lagrangian, params), "pinv")(Q, Q_DOT).sum()

    params = model.init(jax.random.key(4))
    both = jax.jit(lambda params: (jax.grad(short)(params), jax.grad(paper)(params)))(params)
    for a, b in zip(*map(jax.tree.leaves, both), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=1e-4 * float(jnp.abs(b).max()) + 1e-6)


# --- Subclasses --------------------------------------------------------------------------------


class OwnLagrangian(models.LNN):
    def lagrangian(self, params, q, q_dot, context=None):
        return super().lagrangian(params, q, q_dot, context) - 5 * q @ q


class OwnNetwork(models.LNN):
    def network(self, params, q, q_dot, context=None):
        return super().network(params, q, q_dot, context) - 5 * q @ q


class OwnFeatures(models.LNN):
    """A ReLU of the one feature q·q, which is positive, times −5."""

    def features(self, q, q_dot, context=None):
        return (q @ q)[None]

    def init(self, key):
        one, bias = jnp.ones((1, 1)), jnp.zeros(1)
        return [{"weight": one, "bias": bias}, {"weight": -5 * one, "bias": bias}]


class OwnEquation(models.LNN):
    def equation_of_motion(self, params, q, q_dot, context=None):
        mass, force = super().equation_of_motion(params, q, q_dot, context)
        return mass, force - 10 * q


class OwnKnown(models.LNN):
    def known_lagrangian(self, q, q_dot, context=None):
        return -5 * q @ q


class OwnDeepKnown(models.DeLaN):
    known_lagrangian = OwnKnown.known_lagrangian


class OwnDeepLagrangian(models.DeLaN):
    def lagrangian(self, params, q, q_dot, context=None):
        return super().lagrangian(params, q, q_dot, context) - 5 * q @ q


class OwnPlainNetwork(models.PlainNetwork):
    def network(self, params, q, q_dot, context=None):
        return -10 * jnp.asarray(self.velocity_scale) ** 2 * q


@pytest.mark.parametrize(
    "kind",
    [
        OwnLagrangian,
        OwnNetwork,
        OwnFeatures,
        OwnEquation,
        OwnKnown,
        OwnDeepKnown,
        OwnDeepLagrangian,
        OwnPlainNetwork,
    ],
    ids=lambda kind: kind.__name__,
)
def test_what_a_subclass_overrides_moves_it(kind):
    """A spring beside a network of zeros: q̈ = −10 v₀² q, its value, slope and motion.

    (1 + 10⁻³)² is in the mass of a fresh `DeLaN`, up to 0.3 % of it.
    """
    model = kind(dim=2, velocity_scale=(0.2, 0.5), width=1, depth=1, activation="relu")
    params = jax.tree.map(jnp.zeros_like, model.init(jax.random.key(0)))
    params = model.init(None) if kind is OwnFeatures else params
    stiffness = 10 * np.array([0.2, 0.5]) ** 2

    def facts(q, q_dot):
        slope = jax.jacfwd(partial(model.acceleration, params))(q, q_dot)
        return model.compare(params, q, q_dot, q)[0][0], slope

    value, slope = jax.jit(facts)(Q, Q_DOT)
    np.testing.assert_allclose(value, -stiffness * Q, rtol=5e-3)
    np.testing.assert_allclose(slope, np.diag(-stiffness), rtol=5e-3, atol=1e-6)


class OwnMomentum(models.HNN):
    """A mass of 2, with its Hamiltonian: a harmonic oscillator of stiffness 6."""

    def momentum(self, q, q_dot, context=None):
        return 2 * q_dot

    def hamiltonian(self, params, q, y, context=None):
        return y @ y / 4 + 3 * q @ q


class Damped(OwnMomentum):
    def acceleration(self, params, q, q_dot, context=None):
        return super().acceleration(params, q, q_dot, context) - q_dot


@pytest.mark.parametrize(("kind", "friction"), [(OwnMomentum, 0.0), (Damped, 1.0)])
def test_what_a_subclass_of_a_hamiltonian_network_overrides_moves_it(kind, friction):
    """q̈ = −3 q, less q̇ with friction: in the value, in training and along a motion."""
    model, truth = kind(dim=1), lambda q, v: -3 * q - friction * v
    np.testing.assert_allclose(model.acceleration(None, *ONE), truth(*ONE), rtol=1e-6)
    (velocity, _), (q_ddot, _) = model.compare(None, *ONE, ONE[0])
    np.testing.assert_allclose([velocity, q_ddot], [ONE[1], truth(*ONE)], rtol=1e-6)
    frames = {"dt": 0.1, "steps": 3}
    for a, b in zip(
        model.rollout(None, *ONE, **frames), integrate.rollout(truth, *ONE, **frames), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("kind", [models.LNN, models.PlainNetwork, models.HNN, models.DeLaN])
def test_with_centred_positions_a_common_shift_changes_nothing(kind):
    model = kind(dim=3, width=8, depth=1, position_features="centred")
    params = model.init(jax.random.key(0))
    q, q_dot = jax.random.normal(jax.random.key(1), (2, 3))
    shifts = jnp.array([[0.0, 0, 0], [2, 2, 2], [2, 0, 0]])
    # all that a model knows of q comes by its network
    what = model.acceleration if kind is models.LNN else model.network
    one, together, alone = jax.jit(jax.vmap(lambda shift: what(params, q + shift, q_dot)))(shifts)
    np.testing.assert_allclose(together, one, rtol=1e-3, atol=1e-4)
    assert not np.allclose(alone, one, atol=1e-2)


# --- A context ---------------------------------------------------------------------------------

PARTICLE = systems.PaperParticle()
SMALL = {"dim": 1, "context": 1, "context_scale": 3.0, "width": 8, "depth": 2}
IN_FIELD = [
    models.LNN(**SMALL, velocity_features="rapidity", kinetic_offset=5.0),
    models.LNN(**SMALL, velocity_features="arcsine"),
    models.PlainNetwork(**SMALL, velocity_features="rapidity"),
    models.HNN(**SMALL, velocity_features="rapidity"),
    models.HNN(**SMALL, velocity_features="rapidity", momenta_of=PARTICLE),
    models.DeLaN(**SMALL),
]
in_field = pytest.mark.parametrize("model", IN_FIELD, ids=lambda m: type(m).__name__)
ONE = jnp.array([2.0]), jnp.array([0.6])


@in_field
def test_a_context_changes_the_answer_and_is_no_coordinate(model):
    params = model.init(jax.random.key(0))
    acceleration = jax.jit(partial(model.acceleration, params))
    strong, weak = acceleration(*ONE, jnp.array([9.0])), acceleration(*ONE, jnp.array([1.0]))
    assert strong.shape == (1,)
    assert abs(float((strong - weak)[0])) > 1e-6


@in_field
def test_a_context_that_is_missing_or_of_another_size_is_refused(model):
    params = model.init(jax.random.key(0))
    with pytest.raises(ValueError, match=r"1 non-dynamical parameter\(s\), got none"):
        model.acceleration(params, *ONE)
    with pytest.raises(ValueError, match=r"context of shape \(1,\), got \(2,\)"):
        model.acceleration(params, *ONE, jnp.ones(2))
    with pytest.raises(TypeError, match="context to be an array"):
        model.acceleration(params, *ONE, "strong")


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_a_context_that_nobody_asked_for_is_refused(model):
    with pytest.raises(ValueError, match="expected no context"):
        model.acceleration(model.init(jax.random.key(0)), Q, Q_DOT, jnp.ones(1))


@pytest.mark.parametrize("model", IN_FIELD[:2], ids=["rapidity", "arcsine"])
def test_the_short_way_to_the_equation_of_motion_is_the_long_one_in_a_field(model):
    g = jnp.array([2.0])

    def facts(params):
        long = mechanics.equation_of_motion(lambda q, v: model.lagrangian(params, q, v, g))
        return model.equation_of_motion(params, *ONE, g), long(*ONE)

    for a, b in zip(*jax.jit(facts)(model.init(jax.random.key(4))), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


# --- Features of velocities that have a limit --------------------------------------------------


@pytest.mark.parametrize(("name", "expected"), [("rapidity", np.arctanh), ("arcsine", np.arcsin)])
def test_features_that_know_the_limit(name, expected):
    model = models.LNN(dim=1, velocity_scale=2.0, velocity_features=name, kinetic_offset=3.0)
    q_dot = jnp.array([1.9])
    seen = expected(1.9 / 2)
    np.testing.assert_allclose(model.features(jnp.zeros(1), q_dot), [0, seen], rtol=1e-5)
    nothing = jax.tree.map(jnp.zeros_like, model.init(jax.random.key(0)))
    value = jax.jit(model.lagrangian)(nothing, jnp.zeros(1), q_dot)
    np.testing.assert_allclose(value, 3 * seen**2 / 2, rtol=1e-5)
    with pytest.raises(ValueError, match=r"\|q_dot / limit\| < 1, where its feature ends"):
        model.acceleration(nothing, jnp.zeros(1), jnp.array([2.0]))


# --- Features of one's own, settings in any form ------------------------------------------------


@pytest.mark.parametrize("kind", [models.LNN, models.PlainNetwork, models.HNN])
def test_a_feature_of_ones_own_takes_the_place_of_a_named_one(kind):
    """The same features, spelled out or by the handy arguments: the same network."""
    handy = kind(**FACE, position_scale=4.0, context=1, context_scale=3.0)
    own = kind(
        dim=2,
        position_features=features.Angles((False, True), 4.0),
        velocity_features=features.Scaled((2.0, 5.0)),
        context=1,
        context_features=features.Scaled(3.0),
        width=6,
    )
    state = Q, Q_DOT, jnp.ones(1)
    np.testing.assert_array_equal(own.features(*state), handy.features(*state))
    assert own.sizes == handy.sizes
    assert hash(own) == hash(pickle.loads(pickle.dumps(own)))


def test_an_lnn_may_see_nothing_but_differences():
    """Then a common shift of coordinates and of velocities changes nothing."""

    def differences(x):
        return x[1:] - x[:-1]

    model = models.LNN(
        dim=3,
        position_features=differences,
        velocity_features=features.Together((features.Scaled(2.0), differences)),
        width=8,
        depth=1,
    )
    assert model.sizes[0] == 2 + 5
    params = model.init(jax.random.key(0))
    q, q_dot = jax.random.normal(jax.random.key(1), (2, 3))
    one, other = jax.jit(jax.vmap(partial(model.acceleration, params)))(
        jnp.stack([q, q + 2.0]), jnp.stack([q_dot] * 2)
    )
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"position_features": jnp.sin, "angles": (True, True)}, "angles left at its default"),
        ({"position_features": jnp.sin, "position_scale": 2.0}, "position_scale left at its"),
        ({"velocity_features": jnp.sin, "velocity_scale": 2.0}, "velocity_scale left at its"),
        ({"velocity_features": jnp.outer}, "missing"),
        ({"velocity_features": jnp.sum}, r"velocity_features to make a vector of a vector \[2\]"),
        ({"position_features": features.Angles((True,))}, r"vector of shape \(1,\), got \(2,\)"),
    ],
)
def test_a_feature_that_does_not_fit_is_refused_when_the_model_is_made(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        models.LNN(dim=2, **settings)


def test_a_delan_and_a_hamiltonian_network_with_momenta_take_no_feature_of_velocities():
    with pytest.raises(ValueError, match="a DeLaN sees no velocity"):
        models.DeLaN(dim=2, velocity_features=features.Scaled())
    with pytest.raises(ValueError, match="no velocity_features of one's own beside momenta_of"):
        models.HNN(dim=2, velocity_features=features.Scaled(), momenta_of=systems.DoublePendulum())


@pytest.mark.parametrize("form", [list, np.array, jnp.array, lambda x: np.array(x, np.float32)])
def test_settings_may_be_lists_and_arrays(form):
    model = models.LNN(
        dim=np.int64(2),
        angles=form([False, True]),
        position_scale=np.float32(1.5),
        velocity_scale=form([2.0, 5.0]),
        context=1,
        context_scale=jnp.std(jnp.array([-3.0, 3.0])),
        kinetic_offset=np.float64(0.5),
    )
    assert model == models.LNN(
        2, (False, True), 1.5, (2.0, 5.0), context=1, context_scale=3.0, kinetic_offset=0.5
    )
    assert hash(model) and "array" not in repr(model)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"angles": np.array([True])}, "expected 2 entries in angles"),
        ({"angles": True}, "expected angles to be a tuple, got True"),
        ({"angles": (0.5, 0.0)}, "angles to hold True and False only"),
        ({"velocity_scale": [1.0]}, "expected 2 entries in velocity_scale"),
        ({"velocity_scale": np.ones((2, 2))}, r"velocity_scale to be a tuple, got an array \(2, 2"),
        ({"velocity_scale": "fast"}, "velocity_scale to be a number, got 'fast'"),
        ({"velocity_scale": ["a", "b"]}, "velocity_scale to be a number, got 'a'"),
        ({"kinetic_offset": jnp.ones(2)}, "kinetic_offset to be a number"),
        ({"kinetic_offset": float("inf")}, "kinetic_offset to be finite"),
    ],
)
def test_settings_of_another_form_are_refused_and_named(settings, message):
    with pytest.raises((TypeError, ValueError), match=message):
        models.LNN(dim=2, **settings)


# --- Deep Lagrangian networks ------------------------------------------------------------------


def test_the_mass_matrix_of_a_delan_is_positive_definite_whatever_the_weights():
    """Also of weights twice as large; and it does not depend on the velocities."""
    model = models.DeLaN(dim=3, width=8, depth=2, velocity_scale=2.0)

    def masses(key):
        params = jax.tree.map(lambda x: 2.0 * x, model.init(key))
        q, q_dot = jax.random.normal(jax.random.fold_in(key, 1), (2, 3))
        mass = mechanics.mass_matrix(partial(model.lagrangian, params))
        return mass(q, q_dot), mass(q, -3 * q_dot)

    mass, other = jax.jit(jax.vmap(masses))(jax.random.split(jax.random.key(0), 20))
    np.testing.assert_allclose(mass, other, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(mass, mass.transpose(0, 2, 1), rtol=1e-5, atol=1e-6)
    assert np.linalg.eigvalsh(np.asarray(mass, float)).min() > 0


def test_a_fresh_delan_is_near_a_free_particle_of_mass_one_over_v0_squared():
    model = models.DeLaN(**FACE)
    nothing = jax.tree.map(jnp.zeros_like, model.init(jax.random.key(0)))
    mass = jax.jit(mechanics.mass_matrix(partial(model.lagrangian, nothing)))(Q, Q_DOT)
    np.testing.assert_allclose(mass, np.diag([1 / 4, 1 / 25]), rtol=0.01)


def test_a_delan_in_one_dimension_accelerates_by_a_plus_b_v_squared():
    """q̈ = −(V' + ½ M' q̇²)/M: so for any weights; this is what it can express, and no more."""
    model = models.DeLaN(**SMALL)
    params, g = model.init(jax.random.key(2)), jnp.array([5.0])
    v = jnp.linspace(-0.9, 0.9, 7)
    found = jax.jit(jax.vmap(lambda v: model.acceleration(params, ONE[0], v[None], g)[0]))(v)
    fit = np.polynomial.polynomial.polyfit(v, found, [0, 2])
    np.testing.assert_allclose(found, fit[0] + fit[2] * v**2, atol=2e-6)


# --- Hamiltonian networks ----------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS[2:4], ids=["velocities", "momenta"])
def test_a_hamiltonian_flow_keeps_phase_space_volume_whatever_the_weights(model):
    """Its divergence ∂q̇/∂q + ∂ẏ/∂y is zero: why it cannot follow a flow that has one."""
    params = model.init(jax.random.key(5))
    field = mechanics.hamilton_equations(partial(model.hamiltonian, params))
    along_q, along_y = jax.jit(jax.jacobian(field, (0, 1)))(Q, Q_DOT)
    assert abs(float(jnp.trace(along_q[0]) + jnp.trace(along_y[1]))) < 1e-5


def test_the_velocities_of_the_particle_have_a_flow_with_a_divergence():
    """∂q̈/∂q̇ ≠ 0: no H(q, q̇) has this flow."""
    q, q_dot = ONE
    slope = jax.jit(jax.jacobian(PARTICLE.acceleration, 1))(q, q_dot, jnp.array([5.0]))
    assert abs(float(slope[0, 0])) > 1


def test_the_momenta_of_a_hamiltonian_network_are_those_of_mechanics():
    spring = MODELS[3].momenta_of
    expected = [-0.5 * spring.mass, spring.mass * 1.1**2 * 2.0]
    np.testing.assert_allclose(MODELS[3].momentum(Q, Q_DOT), expected, rtol=1e-6)
    np.testing.assert_array_equal(MODELS[2].momentum(Q, Q_DOT), Q_DOT)


def test_slopes_are_hamiltons_equations_pulled_back_to_velocities():
    """With the true H in the place of the network, q̇ and q̈ are the true ones."""

    class Exact(models.HNN):
        def hamiltonian(self, params, q, p, context=None):
            spring, (r, theta) = self.momenta_of, q
            kinetic = (p[0] ** 2 + (p[1] / r) ** 2) / (2 * spring.mass)
            stretch = 0.5 * spring.stiffness * (r - spring.rest_length) ** 2
            return kinetic + stretch - spring.mass * spring.gravity * r * jnp.cos(theta)

    model = Exact(**FACE, momenta_of=systems.SpringPendulum())
    velocity, acceleration = jax.jit(partial(model.slopes, None))(Q, Q_DOT)
    np.testing.assert_allclose(velocity, Q_DOT, rtol=1e-5)
    expected = model.momenta_of.acceleration(Q, Q_DOT)
    np.testing.assert_allclose(acceleration, expected, rtol=1e-4)
    frames = {"dt": 0.1, "steps": 5, "substeps": 10}
    found = model.rollout(None, Q, Q_DOT, **frames)
    true = integrate.rollout(model.momenta_of.acceleration, Q, Q_DOT, **frames)
    for a, b in zip(found, true, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_the_learned_energy_of_a_hamiltonian_network_is_conserved_along_its_own_motion():
    model = IN_FIELD[4]
    params, g = model.init(jax.random.key(1)), jnp.array([0.5])
    q, v = model.rollout(params, *ONE, g, dt=0.1, steps=10, substeps=20)
    along = jax.jit(jax.vmap(lambda q, v: model.energy(params, q, v, g)))(q, v)
    assert float(jnp.ptp(along)) < 1e-4 * float(jnp.abs(along).mean() + 1)


def test_a_hamiltonian_network_is_trained_on_both_of_its_slopes():
    """The loss is the mean of that of q̇ and that of q̈, by hand."""
    model, g = IN_FIELD[4], jnp.array([3.0])
    params = model.init(jax.random.key(1))
    truth = PARTICLE.acceleration(*ONE, g)
    state = *ONE, truth, g

    def facts(params):
        loss = train.acceleration_loss(model, "l1")(params, tuple(x[None] for x in state))
        return loss, model.slopes(params, *ONE, g), train.relative_residual(model)(params, *state)

    loss, (velocity, acceleration), residual = jax.jit(facts)(params)
    expected = (abs(velocity - ONE[1]) + abs(acceleration - truth))[0] / 2
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    assert residual.shape == (2,)


def test_a_hamiltonian_network_asks_for_a_system_that_fits():
    with pytest.raises(TypeError, match="momenta_of to be a system or None, got 'particle'"):
        models.HNN(**SMALL, momenta_of="particle")
    with pytest.raises(
        ValueError, match=r"with dim=1 and context=1, got .* with dim=2 and context=0"
    ):
        models.HNN(**SMALL, momenta_of=systems.DoublePendulum())
    with pytest.raises(ValueError, match="momentum_scale > 0"):
        models.HNN(**SMALL, momentum_scale=0.0)


def test_a_motion_of_a_model_across_the_limit_ends_with_a_message():
    model = IN_FIELD[2]
    params = jax.tree.map(lambda x: 30.0 * x, model.init(jax.random.key(0)))
    with pytest.raises(FloatingPointError, match="no longer finite after t ="):
        model.rollout(params, *ONE, jnp.array([9.0]), dt=0.5, steps=50)
