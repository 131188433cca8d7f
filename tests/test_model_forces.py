"""Models with known physics, friction and torques: derivatives, energy, motion, what is refused."""

import pickle
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

from lnn_tutorial import mechanics, models, store, systems, train

pytestmark = pytest.mark.usefixtures("float64")

JOINTS = ((1.0, 0.0), (-1.0, 1.0))
FACE = {"dim": 2, "angles": (False, True), "velocity_scale": (2.0, 5.0), "width": 4, "depth": 1}
FORCES = (
    models.ViscousFriction(along=JOINTS, scale=(0.1, 0.3)),
    models.DryFriction(along=JOINTS, scale=0.2, speed=0.5),
    models.Drag(scale=(0.1, 0.2)),
    models.Dissipation(width=3, depth=1, scale=0.2),
    models.Torque(gain="learned"),
    lambda q, q_dot: np.array([0.3, -0.1]) * q,
)
FORCED = [
    models.LNN(**FACE, known=systems.SpringPendulum(), force=FORCES),
    models.DeLaN(**FACE, known=lambda q, q_dot: -5 * q @ q, force=FORCES),
]
forced = pytest.mark.parametrize("model", FORCED, ids=lambda m: type(m).__name__)
STATE = {"q": np.array([1.1, 0.4]), "q_dot": np.array([-0.5, 2.0]), "torque": np.array([0.3, 0.7])}


def pull(q, q_dot):
    return -0.2 * q


def weigh(q, q_dot):
    return -5 * q[0]


def as_float64(tree):
    return jax.tree.map(lambda x: jnp.asarray(x, float), tree)


def drawn(model, seed=0):
    """Parameters, with biases and coefficients that are not those of a start."""
    params = as_float64(model.init(jax.random.key(seed)))
    flat, unravel = ravel_pytree(params)
    return unravel(flat + 0.1 * jax.random.normal(jax.random.key(seed + 1), flat.shape))


# --- The equation of motion and its derivatives ------------------------------------------------


@forced
def test_the_acceleration_is_eq_6_with_the_forces_and_the_energy_changes_by_their_power(model):
    """M and F + Q by Hessians, solved by NumPy; and dE/dt = q̇·Q along the motion."""
    q, v, torque = STATE.values()

    def facts(params):
        lagrangian = partial(model.lagrangian, params)
        (_, _), (mixed, mass) = jax.hessian(lagrangian, (0, 1))(q, v)
        force = model.generalised_force(params, q, v, torque=torque)
        right = jax.grad(lagrangian)(q, v) - mixed @ v + force
        found = model.acceleration(params, q, v, torque=torque)
        change = jax.jvp(partial(model.energy, params), (q, v), (v, found))[1]
        short = model.equation_of_motion(params, q, v, torque=torque)
        return found, (change, v @ force), short, (mass, right)

    found, (change, work), short, (mass, right) = jax.jit(facts)(drawn(model))
    np.testing.assert_allclose(found, np.linalg.solve(mass, right), rtol=1e-9)
    np.testing.assert_allclose(short[0], mass, rtol=1e-9)
    np.testing.assert_allclose(short[1], right, rtol=1e-9)
    assert float(change) == pytest.approx(float(work), rel=1e-9)
    assert abs(float(work)) > 0.1


@forced
def test_first_and_second_derivatives_are_those_of_finite_differences(model):
    """By the state, the network, the known part's state, each force and the torque, all at once."""
    flat, unravel = ravel_pytree((drawn(model), STATE))
    along, h = np.asarray(jax.random.normal(jax.random.key(9), flat.shape)), 1e-5

    def scalar(flat):
        params, state = unravel(flat)
        return model.acceleration(params, **state) @ jnp.array([0.7, -1.3])

    @jax.jit
    def facts(flat):
        (value, gradient), (_, second) = jax.jvp(jax.value_and_grad(scalar), (flat,), (along,))
        return value, gradient, second

    _, gradient, second = facts(flat)
    for k in range(0, flat.size, 3):  # every third parameter, coordinate, …
        step = h * np.eye(flat.size)[k]
        slope = (facts(flat + step)[0] - facts(flat - step)[0]) / (2 * h)
        size = 1 + float(jnp.abs(gradient).max())
        assert float(gradient[k]) == pytest.approx(float(slope), rel=1e-6, abs=1e-6 * size)
    slopes = (facts(flat + h * along)[1] - facts(flat - h * along)[1]) / (2 * h)
    np.testing.assert_allclose(second, slopes, rtol=1e-6, atol=1e-6 * float(jnp.abs(second).max()))


def test_states_in_single_precision_meet_parameters_in_double():
    """The finer of the two is computed in, as of positions and velocities."""
    model = models.LNN(dim=1, width=2, depth=1)
    params, at = as_float64(model.init(jax.random.key(0))), jax.jit(model.acceleration)
    single = at(params, np.ones(1, np.float32), np.ones(1, np.float32))
    np.testing.assert_array_equal(single, at(params, np.ones(1), np.ones(1)))


# --- Energy ------------------------------------------------------------------------------------


def test_viscous_friction_takes_twice_rayleighs_dissipation():
    """Q = −∂D/∂q̇ with D = ½ Σ c (J q̇)², by its own formula; the power is −2D."""
    friction, model = FORCES[0], FORCED[0]
    raw, v = np.array([0.3, -2.0]), STATE["q_dot"]
    c = np.array([0.1, 0.3]) * np.log1p(np.exp(np.array([0.3, -2.0])))
    np.testing.assert_allclose(friction.coefficients(raw), c, rtol=1e-12)

    def dissipation(q, q_dot):
        return 0.5 * (c[0] * q_dot[0] ** 2 + c[1] * (q_dot[1] - q_dot[0]) ** 2)

    force = friction(raw, model, STATE["q"], v)
    np.testing.assert_allclose(force, mechanics.rayleigh(dissipation)(STATE["q"], v), rtol=1e-12)
    assert float(v @ force) == pytest.approx(-2 * float(dissipation(None, v)), rel=1e-12)
    np.testing.assert_allclose(friction.coefficients(friction.init(None, model)), [0.1, 0.3])


def dying(friction, c, amplitude, seconds):
    """Amplitudes of an oscillator (m = 1 kg, ω = 1/s), at its turning points."""
    model, params = oscillator(friction)
    params = {**params, "force": jnp.log(jnp.expm1(c / friction.scale)) * jnp.ones(1)}
    start = np.array([amplitude]), np.zeros(1)
    q, _ = jax.jit(lambda *s: model.rollout(params, *s, dt=0.02, steps=round(seconds / 0.02)))(
        *start
    )
    away = np.abs(np.asarray(q[:, 0]))
    return away[np.flatnonzero((away[1:-1] > away[:-2]) & (away[1:-1] >= away[2:])) + 1]


def test_a_swing_dies_away_as_the_law_of_its_friction_says():
    """By the textbook, for weak friction of k = c/m, in each half period π/ω: viscous, by the
    factor exp(−π k/2ω); dry, by 2k/ω²; drag, from A to A/(1 + 4 k A/3).
    """
    k, sharp = 0.01, models.DryFriction(speed=1e-3, scale=0.01)
    viscous = dying(models.ViscousFriction(scale=0.01), k, 1.0, 30.0)
    np.testing.assert_allclose(viscous[1:] / viscous[:-1], np.exp(-np.pi * k / 2), rtol=1e-4)
    dry = dying(sharp, k, 1.0, 30.0)
    np.testing.assert_allclose(np.diff(dry), -2 * k, rtol=2e-2)
    drag = dying(models.Drag(scale=0.01), k, 2.0, 30.0)
    np.testing.assert_allclose(np.diff(1 / drag), 4 * k / 3, rtol=2e-2)
    assert min(map(len, (viscous, dry, drag))) > 7


@pytest.mark.parametrize("friction", FORCES[:3], ids=lambda x: type(x).__name__)
def test_friction_takes_energy_whatever_its_coefficients(friction):
    """q̇·Q ≤ 0, and Q is odd in q̇."""

    def power(key):
        a, b = jax.random.split(key)
        raw, v = 10 * jax.random.normal(a, (2,)), 10 * jax.random.normal(b, (2,))
        found = friction(raw, FORCED[0], STATE["q"], v)
        return v @ found, found + friction(raw, FORCED[0], STATE["q"], -v)

    powers, even = jax.jit(jax.vmap(power))(jax.random.split(jax.random.key(0), 100))
    assert float(powers.max()) <= 0 and float(powers.min()) < -1
    assert float(jnp.abs(even).max()) == 0


def test_a_learned_dissipation_takes_energy_whatever_the_weights():
    """q̇·Q ≤ 0 for states and weights of any size; and along a motion E never rises.

    RK4's error of a step is far below 10⁻⁸ of E here.
    """
    friction = models.Dissipation(width=3, depth=1)
    model = models.LNN(**FACE, known=systems.SpringPendulum(), force=friction)
    params = drawn(model)

    def power(key):
        a, b, c = jax.random.split(key, 3)
        sizes = 10 ** jax.random.uniform(a, (2,), minval=-2, maxval=2)
        weights = jax.tree.map(lambda x: sizes[0] * x, friction.init(b, model))
        q, v = sizes[1] * jax.random.normal(c, (2, 2))
        return v @ friction(weights, model, q, v)

    powers = jax.jit(jax.vmap(power))(jax.random.split(jax.random.key(0), 100))
    assert float(powers.max()) <= 0 and float(powers.min()) < -1
    q, v = model.rollout(params, STATE["q"], STATE["q_dot"], dt=0.02, steps=100, substeps=5)
    energy = jax.jit(jax.vmap(partial(model.energy, params)))(q, v)
    assert float(jnp.diff(energy).max()) <= 1e-8 * float(jnp.abs(energy).max())
    assert float(energy[-1]) < float(energy[0]) - 0.1


# --- What is known -----------------------------------------------------------------------------


def test_a_network_of_zeros_leaves_what_is_known():
    """Acceleration and energy are those of the system, worked out by hand there."""
    truth = systems.SpringPendulum()
    model = models.LNN(**FACE, known=truth, kinetic_offset=0.0)
    nothing = jax.tree.map(jnp.zeros_like, as_float64(model.init(jax.random.key(0))))
    state = STATE["q"], STATE["q_dot"]
    found = jax.jit(lambda *state: (model.acceleration(*state), model.energy(*state)))
    acceleration, energy = found(nothing, *state)
    np.testing.assert_allclose(acceleration, truth.acceleration(*state))
    np.testing.assert_allclose(energy, truth.energy(*state))


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (models.LNN, lambda q, q_dot, context: -5 * context[0] * q @ q),
        (models.LNN, lambda q, q_dot, *context: -5 * context[0][0] * q @ q),
        (models.LNN, lambda q, q_dot, stiffness=10.0: -0.5 * stiffness * q @ q),
        (models.LNN, lambda q, q_dot, context=None: -5 * context[0] * q @ q),
        (models.DeLaN, lambda q, q_dot: -5 * q @ q),
    ],
    ids=["context", "rest", "default", "named", "none"],
)
def test_a_known_spring_moves_a_network_of_zeros(kind, known):
    """q̈ = −10 v₀² q; a third argument that has a default is no context, but by name."""
    model = kind(dim=2, velocity_scale=0.2, context=1, width=1, depth=1, known=known)
    nothing = jax.tree.map(jnp.zeros_like, as_float64(model.init(jax.random.key(0))))
    found = jax.jit(model.acceleration)(nothing, STATE["q"], STATE["q_dot"], np.ones(1))
    np.testing.assert_allclose(found, -0.4 * STATE["q"], rtol=5e-3)  # a DeLaN begins near v₀⁻²


# --- Torques along a motion --------------------------------------------------------------------


def oscillator(force):
    """A known oscillator with a force beside it, and a network that adds nothing."""
    known = systems.HarmonicOscillator()
    model = models.LNN(dim=1, width=1, depth=1, kinetic_offset=0.0, known=known, force=force)
    return model, jax.tree.map(jnp.zeros_like, as_float64(model.init(jax.random.key(0))))


AT_REST = np.zeros(1), np.zeros(1)


def test_a_driven_oscillator_moves_as_its_closed_form():
    """Of q̈ = −q + τ from rest with τ = a + b t, given at frames and as a function."""
    model, nothing = oscillator(models.Torque())
    frames = {"dt": 0.25, "steps": 20, "substeps": 8}
    t = 0.25 * np.arange(21)
    rising = 0.3 + 0.2 * t
    found, _ = model.rollout(nothing, *AT_REST, torque=rising[:, None], **frames)
    expected = rising - 0.3 * np.cos(t) - 0.2 * np.sin(t)
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-7)
    late, _ = model.rollout(nothing, *AT_REST, torque=rising[:, None], t=7.0, **frames)
    np.testing.assert_allclose(late, found, atol=1e-12)  # the frames begin where the motion does
    same, _ = model.rollout(nothing, *AT_REST, torque=lambda t: (0.3 + 0.2 * t)[None], **frames)
    np.testing.assert_allclose(same, found, atol=1e-12)


def test_what_rubs_and_what_weighs_is_found_in_driven_motions():
    """All is learned from accelerations; a torque in N m puts 𝓛 into joules: m, k and c to 1 %."""
    m, k, c = 2.0, 3.0, 0.4
    forces = models.ViscousFriction(), models.Torque()
    model = models.DeLaN(
        dim=1, width=6, depth=1, activation="tanh", position_scale=2.0, force=forces
    )

    def batches(key, n):
        q, v, torque = 2 * jax.random.normal(key, (3, n, 1))
        return q, v, (torque - k * q - c * v) / m, None, torque

    fit = train.fit(
        train.acceleration_loss(model, "l1"),
        as_float64(model.init(jax.random.key(0))),
        batches,
        key=jax.random.key(1),
        steps=1500,
        batch_size=40,
        optimizer=optax.adam(optax.cosine_decay_schedule(0.1, 1500)),
    )
    found = forces[0].coefficients(fit.params["force"][0])
    mass, force = model.equation_of_motion(fit.params, *np.eye(2)[:, :1], torque=np.zeros(1))
    np.testing.assert_allclose([found[0], mass[0, 0], force[0]], [c, m, -k], rtol=0.01)


def test_friction_beside_known_physics_is_found_alone():
    """Of an oscillator with c = 0.25: a hundred steps by the one coefficient."""
    model, nothing = oscillator(models.ViscousFriction())
    q, v = jax.random.normal(jax.random.key(1), (2, 16, 1))

    def loss(raw, batch):
        return train.acceleration_loss(model, "l2")({**nothing, "force": raw}, batch)

    batch = q, v, -q - 0.25 * v
    fit = train.fit(
        loss,
        nothing["force"],
        lambda key, n: batch,
        key=jax.random.key(0),
        steps=100,
        optimizer=optax.adam(0.1),
    )
    found = model.force.coefficients(fit.params)
    np.testing.assert_allclose(found, [0.25], rtol=0.01)


# --- Parameters, files, subclasses -------------------------------------------------------------


def test_parameters_of_forces_stand_beside_those_of_the_network():
    plain, key = models.LNN(**FACE), jax.random.key(0)
    given = models.LNN(**FACE, force=(models.Torque((1.0, 0.0)), pull))
    assert jax.tree.all(jax.tree.map(jnp.array_equal, given.init(key), plain.init(key)))
    one = models.LNN(**FACE, force=FORCES[0]).init(key)
    assert one["force"].shape == (2,)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, one["network"], plain.init(key)))
    several = FORCED[0].init(key)["force"]
    assert [len(jax.tree.leaves(x)) for x in several] == [1, 1, 1, 4, 1, 0]
    assert models.LNN(**FACE, force=list(FORCES[:2])) == models.LNN(**FACE, force=FORCES[:2])


def test_models_with_forces_are_saved_and_functions_are_refused(tmp_path):
    model = models.LNN(**FACE, known=systems.SpringPendulum(mass=2.0), force=FORCES[:3])
    params = model.init(jax.random.key(0))
    store.save_model(tmp_path / "m.npz", model, params)
    again, found = store.load_model(tmp_path / "m.npz")
    assert again == model == pickle.loads(pickle.dumps(model)) and hash(again) == hash(model)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, found, params))
    for settings, field in (({"force": pull}, "force"), ({"known": weigh}, "known")):
        model = models.LNN(**FACE, **settings)
        with pytest.raises(TypeError, match=rf"expected LNN\.{field} to be .* got the function"):
            store.save_model(tmp_path / "f.npz", model, model.init(jax.random.key(0)))


def test_a_force_or_an_acceleration_of_a_subclass_is_respected():
    class Own(models.LNN):
        def generalised_force(self, params, q, q_dot, context=None):
            given = super().generalised_force(params, q, q_dot, context)  # there is none
            return given - 0.1 * q_dot / jnp.asarray(self.velocity_scale) ** 2

    class Braked(models.LNN):
        def acceleration(self, params, q, q_dot, context=None):
            return super().acceleration(params, q, q_dot, context) - 0.1 * q_dot

    state = STATE["q"], STATE["q_dot"]
    for kind in (Own, Braked):
        model = kind(**FACE)
        nothing = jax.tree.map(jnp.zeros_like, model.init(jax.random.key(0)))
        q, q_dot = model.rollout(nothing, *state, dt=0.1, steps=2)
        expected = STATE["q"] + 10 * (1 - np.exp(-0.02)) * STATE["q_dot"]
        np.testing.assert_allclose(q[-1], expected, rtol=1e-7)
        np.testing.assert_allclose(q_dot[-1], np.exp(-0.02) * STATE["q_dot"], rtol=1e-7)


# --- What is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"force": lambda q, q_dot, t: q}, r"force without an argument t: .* models\.Torque"),
        ({"known": lambda q, q_dot, t: q @ q}, "known without an argument t"),
        ({"known": lambda q, q_dot: q}, r"known to return an array of shape \(\), got \(2,\)"),
        ({"force": lambda q, q_dot: q @ q}, r"force to return an array of shape \(2,\), got \(\)"),
        ({"known": systems.Pendulum()}, r"known with dim=2 and context=0, or none, got Pendulum"),
        ({"known": systems.PaperParticle()}, "with dim=1 and context=1"),
        ({"known": "gravity"}, "known to be a function, got str"),
        ({"force": 1.0}, "force to be a function, got float"),
        ({"known": lambda q, q_dot, context: 0.0}, "context"),
        ({"force": models.ViscousFriction(along=((1.0,),))}, "2 entries in each row of along"),
        ({"force": models.ViscousFriction(scale=(1.0, 1.0, 1.0))}, "2 entries in scale of the fr"),
        ({"force": models.Torque((1.0,))}, "2 entries in gain"),
    ],
)
def test_what_does_not_fit_is_refused_when_the_model_is_made(settings, message):
    for kind in (models.LNN, models.DeLaN):
        with pytest.raises((TypeError, ValueError), match=message):
            kind(**FACE, **settings)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.ViscousFriction(scale=-1.0), "scale > 0"),
        (lambda: models.ViscousFriction(along=((1, 0),), scale=(1.0, 2.0)), "1 entries in scale"),
        (lambda: models.ViscousFriction(along=1.0), r"along to hold rows of numbers, \[k, d\]"),
        (lambda: models.ViscousFriction(along=((1, 0), (1,))), "along to hold rows of numbers"),
        (lambda: models.DryFriction(speed=0.0), "speed > 0"),
        (lambda: models.DryFriction(scale=-1.0), "scale > 0"),
        (lambda: models.Drag(along=1.0), r"along to hold rows of numbers, \[k, d\]"),
        (lambda: models.Dissipation(width=0), "width >= 1"),
        (lambda: models.Dissipation(activation="step"), "unknown activation 'step'"),
        (lambda: models.Torque("some"), "gain to be a number, got 'some'"),
        (
            lambda: models.PlainNetwork(2, force=models.Torque()),
            "unexpected keyword argument 'force'",
        ),
        (lambda: models.HNN(2, known=systems.Pendulum()), "unexpected keyword argument 'known'"),
    ],
)
def test_a_force_that_cannot_be_is_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_a_torque_comes_where_one_is_wanted_and_nowhere_else():
    driven, params = oscillator(models.Torque())
    steps = {"dt": 0.1, "steps": 3}
    for call in (driven.acceleration, driven.equation_of_motion, partial(driven.rollout, **steps)):
        with pytest.raises(ValueError, match=r"expected a torque \[1\] beside the state: the mode"):
            call(params, *AT_REST)
    with pytest.raises(ValueError, match=r"torque of shape \(1,\), got \(2,\)"):
        driven.acceleration(params, *AT_REST, torque=jnp.ones(2))
    for torque, message in (
        (np.ones((3, 1)), r"for each frame, \[4, d\], or a function of t, got shape \(3, 1\)"),
        (np.array([[0.0], [1.0], [np.nan], [1.0]]), r"torque to be finite, got \[nan\] in row 2"),
    ):
        with pytest.raises(ValueError, match=message):
            driven.rollout(params, *AT_REST, torque=torque, **steps)
    for kind in (models.LNN, models.HNN, models.PlainNetwork, models.DeLaN):
        model = kind(dim=1, width=1, depth=1)
        params = model.init(jax.random.key(0))
        for call in (model.acceleration, partial(model.compare, q_ddot=jnp.ones(1))):
            with pytest.raises(ValueError, match="no torque: the model was made without a Torque"):
                call(params, *AT_REST, torque=jnp.ones(1))
        with pytest.raises(ValueError, match="no torque"):
            model.rollout(params, *AT_REST, torque=jnp.ones((4, 1)), **steps)
