"""Two rigid arms by a formula, and its constants by BFGS: the physics, the fit, what is refused."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import mechanics, models, store, systems, train

pytestmark = pytest.mark.usefixtures("float64")

JOINTS = ((1.0, 0.0), (-1.0, 1.0))
Q, V = np.array([0.7, -1.9]), np.array([-2.0, 3.0])


def with_constants(model, **constants):
    """Parameters with these constants, and friction as it starts."""
    params = model.init(jax.random.key(0))
    own = model.layers(params)["log"]
    own.update({name: jnp.log(jnp.asarray(x, float)) for name, x in constants.items()})
    return params


POINTS = {"m": [1.3, 0.4], "a": [0.8, 1.1], "l": 0.8, "I": [1e-30, 1e-30], "g": 9.7}


def test_two_point_masses_move_as_the_textbooks_double_pendulum():
    truth = systems.DoublePendulum(mass1=1.3, mass2=0.4, length1=0.8, length2=1.1, gravity=9.7)
    model = models.RigidArms()
    params = with_constants(model, **POINTS)
    found = model.acceleration(params, Q, V)
    np.testing.assert_allclose(found, truth.acceleration(Q, V), rtol=1e-9)
    lagrangian = partial(model.lagrangian, params)
    for fact in (mechanics.momentum, mechanics.energy, mechanics.mass_matrix):
        np.testing.assert_allclose(fact(lagrangian)(Q, V), fact(truth.lagrangian)(Q, V), rtol=1e-9)


def test_a_rod_by_itself_swings_with_two_thirds_of_its_length():
    """A homogeneous rod has the small period of a point at 2l/3 (Huygens): far above a light one,
    ω² = g/(2l/3).
    """
    model = models.RigidArms(size=0.3)
    params = with_constants(model, m=[0.2, 1e-12], I=[0.2 * 0.3**2 / 12, 1e-14])
    small = model.acceleration(params, np.array([1e-6, 0.0]), np.zeros(2))[0]
    assert float(small) == pytest.approx(-1e-6 * 9.81 / 0.2, rel=1e-6)


def test_the_second_angle_may_be_counted_from_the_first_arm():
    """The same motion in other coordinates: θ̈₂ = q̈₁ + q̈₂; and an encoder's zero only shifts."""
    absolute, relative = models.RigidArms(), models.RigidArms(relative=True, zeros=True)
    seen, zeros = (lambda x: np.array([x[0], x[1] - x[0]])), np.array([0.02, -0.3])
    params = with_constants(relative, **POINTS)
    params["zeros"] = jnp.asarray(zeros)
    found = relative.acceleration(params, seen(Q) + zeros, seen(V))
    true = absolute.acceleration(with_constants(absolute, **POINTS), Q, V)
    np.testing.assert_allclose(found, seen(true), rtol=1e-9)


def test_bfgs_finds_a_machine_with_friction_again():
    """From accelerations of states: constants are not unique, motions and frictions' shares are."""
    friction = (
        models.ViscousFriction(along=JOINTS, scale=(2e-3, 1e-3)),
        models.DryFriction(along=JOINTS, scale=4e-3),
    )
    machine = models.RigidArms(force=friction)
    constants = {"m": [0.25, 0.15], "a": [0.07, 0.12], "l": 0.17, "I": [1e-3, 4e-4]}
    truth = with_constants(machine, **constants)
    key = jax.random.key(1)
    q, v = jax.random.uniform(key, (2, 200, 2), minval=-1.0) * jnp.array([[[1.5]], [[10.0]]])
    a = jax.jit(jax.vmap(partial(machine.acceleration, truth)))(q, v)
    model = models.RigidArms(
        force=tuple(type(x)(along=JOINTS, scale=1e-3) for x in friction), zeros=True
    )
    loss = train.acceleration_loss(model, "l2")
    fit = train.minimise(loss, model.init(key), (q, v, a))
    assert fit.losses[-1] < 1e-10 * fit.losses[0] and np.all(np.diff(fit.losses) <= 0)
    found = jax.jit(jax.vmap(partial(model.acceleration, fit.params)))(-q, v)
    want = jax.jit(jax.vmap(partial(machine.acceleration, truth)))(-q, v)
    np.testing.assert_allclose(found, want, atol=1e-4 * float(jnp.abs(want).max()))
    ratios = [
        float(np.divide(*force.coefficients(own)))
        for force, own in zip(model.forces, fit.params["force"], strict=True)
    ]
    np.testing.assert_allclose(ratios, [2.0, 1.0], rtol=1e-2)


def test_what_was_single_stays_single_and_is_found_in_double():
    """(x − π)² + 10¹² (y − x)²: in float32 no line search could tell the valley's bottom."""

    def loss(params, batch):
        return (params["x"] - batch) ** 2 + 1e12 * (params["y"] - params["x"]) ** 2

    start = {"x": jnp.float32(0.0), "y": jnp.float32(0.0)}
    with jax.enable_x64(False):
        fit = train.minimise(loss, start, jnp.float32(np.pi))
        assert all(x.dtype == jnp.float32 for x in fit.params.values())
    assert float(fit.params["x"]) == pytest.approx(np.pi, rel=1e-6)
    assert float(fit.params["y"]) == pytest.approx(np.pi, rel=1e-6)


def test_a_step_over_a_cliff_is_taken_back():
    """A slope down to an edge behind which there is nothing."""

    def loss(params, batch):
        return jnp.where(params < 1.5, (params - 2.5) ** 2 / 5, jnp.nan)

    fit = train.minimise(loss, jnp.float32(0.0), ())
    assert 1.0 <= float(fit.params) < 1.5 and np.isfinite(fit.losses).all()


def test_a_formula_is_saved_and_found_again(tmp_path):
    model = models.RigidArms(relative=True, zeros=True, force=models.Drag(scale=0.1))
    params = with_constants(model, **POINTS)
    store.save_model(tmp_path / "arms.npz", model, params)
    again, loaded = store.load_model(tmp_path / "arms.npz")
    assert again == model
    assert jax.tree.all(jax.tree.map(lambda x, y: jnp.array_equal(x, y), params, loaded))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.RigidArms(dim=3, angles=(True,) * 3), "dim=2, no context and nothing"),
        (lambda: models.RigidArms(context=1), "dim=2, no context and nothing known"),
        (lambda: models.RigidArms(known=lambda q, q_dot: 0.0 * q @ q), "nothing known"),
        (lambda: models.RigidArms(relative="yes"), "relative and zeros"),
        (lambda: models.RigidArms(size=0.0), "size > 0"),
        (lambda: train.minimise(1.0, (), ()), "loss to be a function"),
        (lambda: train.minimise(lambda p, b: p.sum(), jnp.ones(1001), ()), "at most 1000 param"),
        (lambda: train.minimise(lambda p, b: jnp.log(p), jnp.float32(0.0), ()), "finite loss"),
        (lambda: train.minimise(lambda p, b: p, jnp.float32(0.0), (), steps=0), "steps >= 1"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises((TypeError, ValueError, train.NonFiniteError), match=message):
        make()
