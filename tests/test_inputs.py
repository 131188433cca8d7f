"""Bad input at every public door: one clear error that says what was got and what was expected."""

from dataclasses import fields
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import _inputs, integrate, mechanics, systems

SPRING = systems.SpringPendulum()
SYSTEMS = [
    systems.FallingBall(),
    systems.BouncingBall(),
    systems.HarmonicOscillator(),
    systems.IsotropicOscillator(),
    systems.TwoBodiesOnSpring(),
    systems.KeplerProblem(),
    systems.ThreeBodies(),
    systems.Pendulum(),
    systems.DampedPendulum(),
    SPRING,
    systems.SpringPendulumCartesian(),
    systems.SphericalPendulum(),
    systems.DoublePendulum(),
    systems.TriplePendulum(),
    systems.ChargeInMagneticField(),
]
WITH_POSITIONS = [system for system in SYSTEMS if hasattr(system, "positions")]
RELEASED = [system for system in SYSTEMS if hasattr(system, "sample_released")]
GOOD = np.array([1.0, 0.5], np.float32)


def oscillate(q, q_dot):
    return -q


def potential(q, q_dot):
    return 0.5 * q_dot @ q_dot - 0.5 * q @ q


# Everything public that takes one state (or a position and a momentum) of two coordinates.
STATEFUL = {
    "momentum": mechanics.momentum(SPRING.lagrangian),
    "mass_matrix": mechanics.mass_matrix(SPRING.lagrangian),
    "condition_number": mechanics.condition_number(SPRING.lagrangian),
    "energy": mechanics.energy(SPRING.lagrangian),
    "equation_of_motion": mechanics.equation_of_motion(SPRING.lagrangian),
    "acceleration": mechanics.acceleration(SPRING.lagrangian),
    "acceleration, pinv": mechanics.acceleration(SPRING.lagrangian, method="pinv"),
    "euler_lagrange": lambda q, v: mechanics.euler_lagrange(SPRING.lagrangian)(q, v, GOOD),
    "euler_lagrange's q_ddot": lambda q, v: mechanics.euler_lagrange(potential)(q, q, v),
    "hamilton_equations": mechanics.hamilton_equations(potential),
    "poisson_brackets": mechanics.poisson_brackets(potential, lambda q, v: (q, v)),
    "is_canonical": mechanics.is_canonical(potential, lambda q, v: (q, v)),
    "rk4_step": lambda q, v: integrate.rk4_step(oscillate, q, v, 0.1),
    "rollout": lambda q, v: integrate.rollout(oscillate, q, v, dt=0.1, steps=2),
    "variational_step": lambda q, v: integrate.variational_step(potential, q, v, 0.1),
    "variational_rollout": lambda q, v: integrate.variational_rollout(
        potential, q, v, dt=0.1, steps=2
    ),
    "reference": lambda q, v: integrate.reference(oscillate, q, v, dt=0.1, steps=2),
    "system.lagrangian": SPRING.lagrangian,
    "system.energy": SPRING.energy,
    "system.acceleration": SPRING.acceleration,
}
stateful = pytest.mark.parametrize("function", STATEFUL.values(), ids=STATEFUL.keys())

BATCH = r"one state, shape \[d\], got shape \(3, 2\); map over a batch with jax.vmap"
BAD_STATES = {
    "batches": (np.ones((3, 2)), np.ones((3, 2)), ValueError, BATCH),
    "a batch of velocities": (GOOD, np.ones((3, 2)), ValueError, BATCH),
    "one coordinate short": (GOOD, GOOD[:1], ValueError, r"one shape \[d\], got \(2,\) and \(1,\)"),
    "scalars": (1.0, 2.0, ValueError, r"shape \[d\], got shape \(\)"),
    "nothing": ([], [], ValueError, r"at least one coordinate, got shape \(0,\)"),
    "integers": (np.array([1, 2]), GOOD, TypeError, "floating-point numbers, got int32.*write 1.0"),
    "lists of integers": ([1, 2], [3, 4], TypeError, "floating-point numbers, got int32"),
    "booleans": ([True, False], GOOD, TypeError, "floating-point numbers, got bool"),
    "complex": (GOOD, GOOD + 1j, TypeError, "floating-point numbers, got complex64"),
    "NaN": (GOOD, GOOD * np.nan, ValueError, r"to be finite, got \[nan nan\]"),
    "infinite": (np.array([np.inf, 1]), GOOD, ValueError, "to be finite"),
    "text": ("ab", GOOD, TypeError, "an array, got str"),
    "None": (None, GOOD, TypeError, "an array, got NoneType"),
    "ragged": ([1.0, [2.0]], GOOD, TypeError, "an array, got list"),
    "an array of objects": (np.array([1.0, 2.0], object), GOOD, TypeError, "ndarray of object"),
    "objects": ([object(), 1.0], GOOD, TypeError, "an array, got list"),
    "a dict": ({"r": 1.0}, GOOD, TypeError, "an array, got dict"),
    "half precision": (
        jnp.ones(2, jnp.float16),
        GOOD,
        TypeError,
        "float32 or float64, got float16",
    ),
}


@stateful
@pytest.mark.parametrize(
    ("q", "q_dot", "error", "message"), BAD_STATES.values(), ids=BAD_STATES.keys()
)
def test_a_bad_state_is_turned_away(function, q, q_dot, error, message):
    with pytest.raises(error, match=message):
        function(q, q_dot)


@pytest.mark.parametrize("fault", ["batches", "a batch of velocities", "one coordinate short"])
@stateful
def test_a_bad_shape_is_turned_away_under_jit_too(function, fault):
    q, q_dot, error, message = BAD_STATES[fault]
    with pytest.raises(error, match=message):
        jax.jit(function)(q, q_dot)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("name", ["lagrangian", "energy", "acceleration"])
def test_a_system_knows_how_many_coordinates_it_has(system, name):
    state = np.ones(system.dim + 1)
    with pytest.raises(ValueError, match=rf"expected {system.dim} coordinate\(s\), got q of shape"):
        getattr(system, name)(state, state)


@pytest.mark.parametrize("system", WITH_POSITIONS, ids=lambda s: type(s).__name__)
def test_positions_are_those_of_one_state(system):
    with pytest.raises(ValueError, match=r"map over a batch with jax\.vmap"):
        system.positions(np.ones((3, system.dim)))
    with pytest.raises(ValueError, match=r"coordinate\(s\), got q of shape"):
        system.positions(np.ones(system.dim + 1))
    with pytest.raises(TypeError, match="floating-point numbers"):
        system.positions(np.ones(system.dim, int))


# --- What is taken all the same ----------------------------------------------------------------


@pytest.mark.parametrize("state", [[1.0, 0.5], (1.0, 0.5), GOOD, GOOD.astype(float)], ids=type)
def test_any_sequence_of_real_numbers_is_a_state(state):
    np.testing.assert_allclose(
        mechanics.energy(potential)(state, state), 1.25, rtol=np.finfo(np.float32).eps
    )


def test_a_known_state_may_enter_a_function_that_is_being_compiled():
    """Values that jit does not trace are still looked at, and not asked for as if it did."""
    q = v = jnp.array([1.0, 0.5])
    moved = jax.jit(lambda dt: integrate.rollout(oscillate, q, v, dt=dt, steps=1)[0][1])(0.1)
    np.testing.assert_allclose(moved, q * np.cos(0.1) + v * np.sin(0.1), rtol=1e-6)

    def pull(mass):
        return systems.SpringPendulum(mass=mass).acceleration(q, v)[0]

    assert jax.jit(pull)(1.0) == pull(1.0)
    lost = q * jnp.nan
    with pytest.raises(ValueError, match="expected q to be finite"):
        jax.jit(lambda dt: integrate.rollout(oscillate, lost, v, dt=dt, steps=1))(0.1)


def test_of_two_precisions_the_finer_is_taken():
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        coarse, fine = np.ones(2, np.float32), np.ones(2)
        assert mechanics.acceleration(potential)(coarse, fine).dtype == np.float64
        assert mechanics.euler_lagrange(potential)(coarse, coarse, fine).dtype == np.float64
        start = {"dt": np.float64(0.1), "steps": 2, "substeps": 2}
        for q, q_dot in (
            integrate.rollout(oscillate, coarse, coarse, **start),
            integrate.variational_rollout(potential, coarse, coarse, **start),
        ):
            assert q.dtype == q_dot.dtype == np.float32  # a finer dt does not change a motion


# --- Constants, steps and counts ---------------------------------------------------------------

BAD_CONSTANTS = {
    "zero": (0, ValueError, "expected {} > 0, got 0"),
    "negative": (-1.0, ValueError, "expected {} > 0, got -1.0"),
    "NaN": (float("nan"), ValueError, "expected {} to be finite, got nan"),
    "infinite": (float("inf"), ValueError, "expected {} to be finite, got inf"),
    "text": ("1.0", TypeError, "expected {} to be a number, got '1.0'"),
    "an array of text": (np.array("1.0"), TypeError, "expected {} to be a number"),
    "True": (True, TypeError, "expected {} to be a number, got True"),
    "NumPy's True": (np.True_, TypeError, "expected {} to be a number, got np.True_"),
    "JAX's True": (jnp.array(True), TypeError, "expected {} to be a number, got Array"),
    "None": (None, TypeError, "expected {} to be a number, got None"),
    "complex": (1j, TypeError, "expected {} to be a number, got 1j"),
    "a fraction": (Fraction(1, 2), TypeError, r"to be a number, got Fraction\(1, 2\)"),
    "a list": ([1.0], TypeError, r"expected {} to be a number, got \[1.0\]"),
    "an array": (np.ones(3), TypeError, r"expected {} to be a number, got an array \(3,\)"),
}
CONSTANTS = [(type(s), name) for s in SYSTEMS for name in [f.name for f in fields(s)]]


@pytest.mark.parametrize(
    ("value", "error", "message"), BAD_CONSTANTS.values(), ids=BAD_CONSTANTS.keys()
)
def test_a_constant_is_a_positive_number(value, error, message):
    for system, name in CONSTANTS:
        with pytest.raises(error, match=message.format(name)):
            system(**{name: value})
    if value is not None:  # None stands for the default
        with pytest.raises(error, match=message.format("tolerance")):
            mechanics.is_canonical(potential, lambda q, v: (q, v), tolerance=value)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.array(2.0), jnp.array(2), np.int8(2)])
def test_a_constant_may_be_any_kind_of_number(value):
    pendulum = systems.Pendulum(length=value)
    assert pendulum.acceleration(GOOD[:1], GOOD[:1]) == systems.Pendulum(length=2.0).acceleration(
        GOOD[:1], GOOD[:1]
    )


def test_a_traced_constant_must_be_one_number():
    with pytest.raises(TypeError, match=r"expected length to be a number, got an array \(2,\)"):
        jax.jit(lambda l: systems.Pendulum(length=l).energy(GOOD[:1], GOOD[:1]))(jnp.ones(2))


ROLLOUTS = {
    "rollout": lambda **k: integrate.rollout(oscillate, GOOD, GOOD, **k),
    "rk4_step": lambda dt, steps: integrate.rk4_step(oscillate, GOOD, GOOD, dt),
    "variational_step": lambda dt, steps: integrate.variational_step(potential, GOOD, GOOD, dt),
    "variational_rollout": lambda **k: integrate.variational_rollout(potential, GOOD, GOOD, **k),
    "reference": lambda **k: integrate.reference(oscillate, GOOD, GOOD, **k),
}
rollouts = pytest.mark.parametrize("rollout", ROLLOUTS.values(), ids=ROLLOUTS.keys())


@rollouts
@pytest.mark.parametrize(
    ("dt", "error", "message"),
    [
        (0, ValueError, "a step dt other than zero, got 0"),
        (0.0, ValueError, "a step dt other than zero, got 0"),
        (jnp.array(0.0), ValueError, "a step dt other than zero, got 0"),
        (float("nan"), ValueError, "expected dt to be finite, got nan"),
        (float("-inf"), ValueError, "expected dt to be finite, got -inf"),
        ("0.1", TypeError, "expected dt to be a number, got '0.1'"),
        (True, TypeError, "expected dt to be a number, got True"),
        (None, TypeError, "expected dt to be a number, got None"),
        (np.array([0.1, 0.2]), TypeError, r"expected dt to be a number, got an array \(2,\)"),
    ],
)
def test_a_time_step_is_a_number_other_than_zero(rollout, dt, error, message):
    with pytest.raises(error, match=message):
        rollout(dt=dt, steps=3)


def test_the_reference_cannot_be_traced():
    with pytest.raises(TypeError, match="outside of jit, vmap and grad"):
        jax.jit(lambda dt: ROLLOUTS["reference"](dt=dt, steps=3))(0.1)
    with pytest.raises(TypeError, match="outside of jit, vmap and grad"):
        jax.grad(lambda q: integrate.reference(oscillate, q, GOOD, dt=0.1, steps=2)[0][-1, 0])(GOOD)


def test_a_traced_time_step_must_be_one_number():
    with pytest.raises(TypeError, match=r"expected dt to be a number, got an array \(2,\)"):
        jax.jit(lambda dt: ROLLOUTS["rollout"](dt=dt, steps=3))(jnp.ones(2))


BAD_COUNTS = [
    (0, ValueError, ">= 1, got 0"),
    (-3, ValueError, ">= 1, got -3"),
    (1.5, TypeError, "to be a whole number, got 1.5"),
    (2.0, TypeError, "to be a whole number, got 2.0"),
    (True, TypeError, "to be a whole number, got True"),
    ("2", TypeError, "to be a whole number, got '2'"),
    (None, TypeError, "to be a whole number, got None"),
    (np.array([2]), TypeError, "to be a whole number, got array"),
]


@pytest.mark.parametrize(("value", "error", "message"), BAD_COUNTS)
def test_steps_states_and_iterations_are_counted_in_whole_numbers(value, error, message):
    for name in ("rollout", "variational_rollout", "reference"):
        with pytest.raises(error, match=f"expected steps {message}"):
            ROLLOUTS[name](dt=0.1, steps=value)
    for name in ("rollout", "variational_rollout"):
        with pytest.raises(error, match=f"expected substeps {message}"):
            ROLLOUTS[name](dt=0.1, steps=2, substeps=value)
    with pytest.raises(error, match=f"expected iterations {message}"):
        integrate.variational_step(potential, GOOD, GOOD, 0.1, iterations=value)
    for system in SYSTEMS:
        with pytest.raises(error, match=f"expected n {message}"):
            system.sample(jax.random.key(0), value)
    for system in RELEASED:
        with pytest.raises(error, match=f"expected n {message}"):
            system.sample_released(jax.random.key(0), value)


def test_steps_cannot_be_traced():
    with pytest.raises(TypeError, match=r"expected steps to be a whole number, got .*Tracer"):
        jax.jit(lambda n: ROLLOUTS["rollout"](dt=0.1, steps=n))(3)


@pytest.mark.parametrize("tolerance", ["rtol", "atol"])
def test_tolerances_of_the_reference_are_positive(tolerance):
    with pytest.raises(ValueError, match=f"expected {tolerance} > 0, got -1"):
        ROLLOUTS["reference"](dt=0.1, steps=2, **{tolerance: -1})
    with pytest.raises(ValueError, match=f"expected {tolerance} to be finite, got nan"):
        ROLLOUTS["reference"](dt=0.1, steps=2, **{tolerance: float("nan")})


# --- Functions ---------------------------------------------------------------------------------

TAKE_FUNCTIONS = {
    "momentum": mechanics.momentum,
    "mass_matrix": mechanics.mass_matrix,
    "condition_number": mechanics.condition_number,
    "energy": mechanics.energy,
    "euler_lagrange": mechanics.euler_lagrange,
    "equation_of_motion": mechanics.equation_of_motion,
    "acceleration": mechanics.acceleration,
    "acceleration, pinv": lambda L: mechanics.acceleration(L, method="pinv"),
    "acceleration's force": lambda Q: mechanics.acceleration(potential, force=Q)(GOOD, GOOD),
    "rayleigh": mechanics.rayleigh,
    "hamilton_equations": mechanics.hamilton_equations,
    "poisson_brackets": lambda L: mechanics.poisson_brackets(L, lambda q, v: (q, v)),
    "poisson_brackets' coordinates": lambda z: mechanics.poisson_brackets(potential, z),
    "is_canonical": lambda L: mechanics.is_canonical(L, lambda q, v: (q, v)),
    "rk4_step": lambda a: integrate.rk4_step(a, GOOD, GOOD, 0.1),
    "rollout": lambda a: integrate.rollout(a, GOOD, GOOD, dt=0.1, steps=2),
    "variational_step": lambda L: integrate.variational_step(L, GOOD, GOOD, 0.1),
    "variational_rollout": lambda L: integrate.variational_rollout(L, GOOD, GOOD, dt=0.1, steps=2),
    "reference": lambda a: integrate.reference(a, GOOD, GOOD, dt=0.1, steps=2),
}


@pytest.mark.parametrize("function", TAKE_FUNCTIONS.values(), ids=TAKE_FUNCTIONS.keys())
@pytest.mark.parametrize("value", [3.0, "lagrangian", np.ones(2), SPRING], ids=type)
def test_physics_is_a_function(function, value):
    with pytest.raises(TypeError, match=rf"to be a function, got {type(value).__name__}"):
        function(value)


@pytest.mark.parametrize("method", ["inv", "", None, ["solve"], 1])
def test_an_unknown_method_is_named_beside_the_known(method):
    with pytest.raises(ValueError, match=r"unknown method .*; known are: pinv, solve"):
        mechanics.acceleration(potential, method=method)


@pytest.mark.parametrize("name", list(TAKE_FUNCTIONS)[:8])
def test_a_lagrangian_returns_a_scalar(name):
    def lagrangian(q, q_dot):
        return potential(q, q_dot)[None]

    field = TAKE_FUNCTIONS[name](lagrangian)
    arguments = (GOOD,) * (3 if name == "euler_lagrange" else 2)
    with pytest.raises(TypeError, match=r"scalar-output functions. Output had shape: \(1,\)"):
        field(*arguments)


BAD_ACCELERATIONS = {
    "a scalar": (lambda q, v: -q[0], r"got \(\)"),
    "too short": (lambda q, v: -q[:1], r"got \(1,\)"),
    "a column": (lambda q, v: -q[:, None], r"got \(2, 1\)"),
    "a tuple": (lambda q, v: (v, -q), "got tuple"),
    "nothing": (lambda q, v: None, "got NoneType"),
    "a Lagrangian": (potential, r"got \(\)"),
}


@pytest.mark.parametrize(
    ("acceleration", "got"), BAD_ACCELERATIONS.values(), ids=BAD_ACCELERATIONS.keys()
)
def test_an_acceleration_returns_a_vector_like_q(acceleration, got):
    message = rf"expected acceleration to return q's shape \(2,\), {got}"
    for name in ("rk4_step", "rollout", "reference"):
        with pytest.raises(ValueError, match=message):
            TAKE_FUNCTIONS[name](acceleration)


def test_an_acceleration_is_real():
    for name in ("rk4_step", "rollout", "reference"):
        with pytest.raises(TypeError, match="to return real numbers, got complex64"):
            TAKE_FUNCTIONS[name](lambda q, v: 1j * q)


BAD_COORDINATES = {
    "one vector": (lambda q, v: q, TypeError, r"\(Q, P\), got "),
    "three": (lambda q, v: (q, v, v), TypeError, r"\(Q, P\), got 3 values"),
    "nothing": (lambda q, v: None, TypeError, r"\(Q, P\), got NoneType"),
    "scalars": (lambda q, v: (q[0], v[0]), ValueError, r"Q of q's shape \(2,\), got \(\)"),
    "too few": (lambda q, v: (q, v[:1]), ValueError, r"P of q's shape \(2,\), got \(1,\)"),
}


@pytest.mark.parametrize(
    ("coordinates", "error", "message"), BAD_COORDINATES.values(), ids=BAD_COORDINATES.keys()
)
def test_coordinates_are_a_pair_of_vectors_like_q(coordinates, error, message):
    for judge in (mechanics.poisson_brackets, mechanics.is_canonical):
        with pytest.raises(error, match=f"expected coordinates to return {message}"):
            judge(potential, coordinates)(GOOD, GOOD)


# --- Batches -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "q_dot", "error", "message"),
    [
        (GOOD, GOOD, ValueError, r"one shape \[n, 2\], got \(2,\) and \(2,\)"),
        (np.ones((3, 1)), np.ones((3, 1)), ValueError, r"one shape \[n, 2\], got \(3, 1\)"),
        (np.ones((3, 2)), np.ones((4, 2)), ValueError, r"got \(3, 2\) and \(4, 2\)"),
        (np.ones((0, 2)), np.ones((0, 2)), ValueError, r"got \(0, 2\) and \(0, 2\)"),
        (np.ones((3, 2), int), np.ones((3, 2)), TypeError, "q to hold floating-point numbers"),
        (np.ones((3, 2)), np.full((3, 2), np.nan), ValueError, "q_dot to be finite"),
        ("ab", np.ones((3, 2)), TypeError, "q to be an array, got str"),
    ],
)
def test_a_batch_is_n_states(q, q_dot, error, message):
    with pytest.raises(error, match=message):
        _inputs.states(q, q_dot, 2)
