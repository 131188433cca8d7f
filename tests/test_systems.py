"""The systems, held against SymPy's own Euler–Lagrange equations from Cartesian positions."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy.calculus.euler import euler_equations

from lnn_tutorial import integrate, mechanics
from lnn_tutorial.systems import (
    DoublePendulum,
    FallingBall,
    HarmonicOscillator,
    Pendulum,
    SpringPendulum,
)

pytestmark = pytest.mark.usefixtures("float64")

KINDS = [FallingBall, HarmonicOscillator, Pendulum, SpringPendulum, DoublePendulum]
kinds = pytest.mark.parametrize("kind", KINDS)

# --- An oracle: each system described by where its masses are, and no more ---------------------


def described(kind, q, constants):
    """Cartesian positions, masses and potential energy, written in SymPy for coordinates q(t)."""
    sin, cos = sympy.sin, sympy.cos
    match kind.__name__, constants:
        case "FallingBall", (m, g):
            return [(q[1], q[0])], [m], m * g * q[0]
        case "HarmonicOscillator", (m, k):
            return [(q[0], 0)], [m], k * q[0] ** 2 / 2
        case "Pendulum", (m, l, g):
            x, y = l * sin(q[0]), -l * cos(q[0])
            return [(x, y)], [m], m * g * y
        case "SpringPendulum", (m, k, l, g):
            x, y = q[0] * sin(q[1]), -q[0] * cos(q[1])
            return [(x, y)], [m], m * g * y + k * (sympy.sqrt(x**2 + y**2) - l) ** 2 / 2
        case "DoublePendulum", (m1, m2, l1, l2, g):
            x1, y1 = l1 * sin(q[0]), -l1 * cos(q[0])
            x2, y2 = x1 + l2 * sin(q[1]), y1 - l2 * cos(q[1])
            return [(x1, y1), (x2, y2)], [m1, m2], m1 * g * y1 + m2 * g * y2


@cache
def oracle(kind):
    """SymPy's equations of motion, as a function (constants, q, q_dot) -> dict of NumPy arrays."""
    t = sympy.Symbol("t")
    constants = sympy.symbols([f.name for f in dataclasses.fields(kind)], positive=True)
    q = [sympy.Function(f"q{i}")(t) for i in range(kind.dim)]
    points, masses, V = described(kind, q, constants)
    points = [tuple(map(sympy.sympify, p)) for p in points]
    T = sum(m * (x.diff(t) ** 2 + y.diff(t) ** 2) / 2 for m, (x, y) in _zip(masses, points))
    equations = [e.lhs for e in euler_equations(T - V, q, t)]

    qs, vs, accelerations = (sympy.symbols(f"{n}:{kind.dim}") for n in "qva")
    flat = [(x.diff(t, 2), a) for x, a in _zip(q, accelerations)]
    flat += [(x.diff(t), v) for x, v in _zip(q, vs)] + list(_zip(q, qs))

    def plain(expression):
        return expression.subs(flat)

    A, b = sympy.linear_eq_to_matrix([plain(e.doit()) for e in equations], accelerations)
    kinetic = plain(T.doit())
    values = {
        "mass": -A,  # SymPy writes ∂𝓛/∂q − d/dt ∂𝓛/∂q̇ = 0
        "force": -b,
        "momentum": sympy.Matrix([kinetic.diff(v) for v in vs]),
        "lagrangian": kinetic - plain(V),
        "energy": kinetic + plain(V),
        "positions": sympy.Matrix([[plain(x) for x in p] for p in points]),
    }
    function = sympy.lambdify([constants, qs, vs], list(values.values()), "numpy", cse=True)

    def evaluate(constants, q, q_dot):
        found = dict(_zip(values, map(np.asarray, function(constants, q, q_dot))))
        found["acceleration"] = np.linalg.solve(found["mass"], found["force"])[:, 0]
        found["momentum"] = found["momentum"][:, 0]
        return found

    return evaluate


def _zip(a, b):
    return zip(a, b, strict=True)


@cache
def ours(kind):
    """All that the package says of one state, compiled once for all constants."""

    @jax.jit
    def evaluate(constants, q, q_dot):
        system = kind(*constants)
        L = system.lagrangian
        found = {
            "lagrangian": L(q, q_dot),
            "energy": system.energy(q, q_dot),
            "energy of the Lagrangian": mechanics.energy(L)(q, q_dot),
            "acceleration": system.acceleration(q, q_dot),
            "acceleration by solve": mechanics.acceleration(L)(q, q_dot),
            "acceleration by pinv": mechanics.acceleration(L, method="pinv")(q, q_dot),
            "mass": mechanics.mass_matrix(L)(q, q_dot),
            "momentum": mechanics.momentum(L)(q, q_dot),
        }
        if hasattr(system, "positions"):
            found["positions"], velocities = jax.jvp(system.positions, (q,), (q_dot,))
            found["speeds squared"] = jnp.sum(velocities**2, axis=1)
        return found

    return evaluate


@st.composite
def situations(draw, kind):
    """Constants within two orders of magnitude, and a state; a spring never at r = 0."""
    constants = [draw(st.floats(0.1, 10)) for _ in dataclasses.fields(kind)]
    q = [draw(st.floats(-7, 7)) for _ in range(kind.dim)]
    q_dot = [draw(st.floats(-10, 10)) for _ in range(kind.dim)]
    if kind is SpringPendulum:
        q[0] = draw(st.floats(0.1, 5))
    return constants, np.array(q), np.array(q_dot)


@kinds
@given(data=st.data())
def test_everything_is_as_sympy_derives_it(kind, data):
    constants, q, q_dot = data.draw(situations(kind))
    expected, found = oracle(kind)(constants, q, q_dot), ours(kind)(constants, q, q_dot)
    for name, value in found.items():
        if name == "speeds squared":
            continue
        truth = expected[name.split(" ")[0]]
        # Rounding, magnified where two arms in line make M hard to invert.
        digits = np.linalg.cond(expected["mass"]) if "acceleration" in name else 1
        size = 1 + np.abs(truth).max() + (np.abs(expected["force"]).max() if digits > 1 else 0)
        np.testing.assert_allclose(value, truth, rtol=0, atol=1e-13 * digits * size, err_msg=name)


@kinds
@given(data=st.data())
def test_energy_is_that_of_the_lagrangian(kind, data):
    found = ours(kind)(*data.draw(situations(kind)))
    size = np.abs(found["energy"]) + np.abs(found["lagrangian"])
    error = np.abs(found["energy"] - found["energy of the Lagrangian"])
    assert error <= 1e-13 * (1 + size)


@pytest.mark.parametrize("kind", KINDS[2:])
@given(data=st.data())
def test_kinetic_energy_is_that_of_the_moving_positions(kind, data):
    constants, q, q_dot = data.draw(situations(kind))
    found = ours(kind)(constants, q, q_dot)
    kinetic = 0.5 * (found["energy"] + found["lagrangian"])
    masses = np.array(constants[: len(found["speeds squared"])])
    expected = 0.5 * masses @ found["speeds squared"]
    np.testing.assert_allclose(
        kinetic, expected, rtol=1e-11, atol=1e-11 * (1 + abs(found["energy"]))
    )


# --- Facts one knows without a computer --------------------------------------------------------


def test_the_ball_falls_with_gravity_and_keeps_its_way():
    ball = FallingBall(mass=3.0, gravity=1.6)
    found = ball.acceleration(np.array([2.0, 1.0]), np.array([4.0, 5.0]))
    np.testing.assert_array_equal(found, [-1.6, 0])


def test_pendulums_hang_and_stand_still():
    for system in (Pendulum(), DoublePendulum()):
        for q in np.pi * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]):
            q, rest = q[: system.dim], np.zeros(system.dim)
            np.testing.assert_allclose(system.acceleration(q, rest), rest, atol=1e-14)


def test_the_spring_pendulum_hangs_where_spring_and_weight_balance():
    spring = SpringPendulum(mass=2.0, stiffness=30.0, rest_length=0.7, gravity=9.8)
    q = np.array([0.7 + 2.0 * 9.8 / 30.0, 0.0])
    np.testing.assert_allclose(spring.acceleration(q, np.zeros(2)), [0, 0], atol=1e-13)


@kinds
def test_angles_are_those_coordinates_that_return_after_a_full_turn(kind):
    system, q, q_dot = kind(), np.full(kind.dim, 0.8), np.full(kind.dim, 0.3)
    for i, angle in enumerate(kind.angles):
        turned = q + 2 * np.pi * np.eye(kind.dim)[i]
        same = np.isclose(system.lagrangian(turned, q_dot), system.lagrangian(q, q_dot))
        if angle:
            assert same
        elif not (kind is FallingBall and i == 1):  # nothing changes sideways
            assert not same
    assert len(kind.angles) == kind.dim


@kinds
def test_systems_are_values(kind):
    assert kind() == kind()
    assert hash(kind()) == hash(kind())
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind().gravity = 1.0
    assert dataclasses.replace(kind()) == kind()


# --- Sampling ----------------------------------------------------------------------------------

g, turn = 9.8, 2 * np.pi
BOXES = {  # as the docstrings promise, for constants other than the default: (system, low, high)
    "FallingBall": (FallingBall(2.0, 3.0), [-5] * 4, [5] * 4),
    "HarmonicOscillator": (HarmonicOscillator(2.0, 18.0), [-2, -6], [2, 6]),
    "Pendulum": (Pendulum(2.0, g / 4), [-np.pi, -6], [np.pi, 6]),
    "SpringPendulum": (
        SpringPendulum(2.0, 30.0, g / 4),
        [g / 8, -np.pi, -0.8 * g, -4],
        [g / 2, np.pi, 0.8 * g, 4],
    ),
    "DoublePendulum": (DoublePendulum(2.0, 3.0, 0.4, 0.5), [0, 0, -10, -10], [turn, turn, 10, 10]),
}


@pytest.mark.parametrize(("system", "low", "high"), BOXES.values(), ids=BOXES.keys())
def test_samples_fill_the_documented_box(system, low, high):
    q, q_dot = system.sample(jax.random.key(1), 2000)
    assert q.shape == q_dot.shape == (2000, system.dim)
    found = (np.hstack([q, q_dot]) - low) / np.subtract(high, low)
    assert found.min() >= 0
    assert found.max() <= 1
    # Uniform: mean 1/2 and variance 1/12, within five standard errors; corners not left out.
    np.testing.assert_allclose(found.mean(axis=0), 0.5, atol=5 * np.sqrt(1 / 12 / 2000))
    np.testing.assert_allclose(found.var(axis=0), 1 / 12, atol=5 * np.sqrt(1 / 180 / 2000))
    assert found.min(axis=0).max() < 0.01
    assert found.max(axis=0).min() > 0.99


@kinds
def test_samples_depend_on_the_key_alone(kind):
    system = kind()
    draws = [system.sample]
    if hasattr(system, "sample_released"):
        draws.append(system.sample_released)
    for draw in draws:
        first, again, other = (np.hstack(draw(jax.random.key(k), 3)) for k in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()
        assert draw(jax.random.key(0), 1)[0].shape == (1, system.dim)


def test_samples_are_in_the_precision_of_the_session(float32):
    for kind in KINDS:
        assert {x.dtype for x in kind().sample(jax.random.key(0), 2)} == {np.dtype(np.float32)}


def test_a_released_spring_pendulum_is_at_rest_near_its_balance():
    spring = SpringPendulum()
    q, q_dot = spring.sample_released(jax.random.key(2), 1000)
    r, theta = q.T
    balance = 1 + 9.8 / 40
    assert not q_dot.any()
    assert 0.9 * balance <= r.min() < 0.91 * balance
    assert 1.09 * balance < r.max() <= 1.1 * balance
    assert -np.pi / 2 <= theta.min() < -1.5
    assert 1.5 < theta.max() <= np.pi / 2


def test_a_released_double_pendulum_is_nearly_at_rest():
    q, q_dot = DoublePendulum().sample_released(jax.random.key(2), 1000)
    assert 0 <= q.min() < 0.1
    assert 6.2 < q.max() <= 2 * np.pi
    assert 0 <= q_dot.min() < 0.001
    assert 0.099 < q_dot.max() <= 0.1


def test_released_spring_pendulums_stay_within_the_box_that_is_sampled():
    spring = SpringPendulum()
    starts = spring.sample_released(jax.random.key(5), 200)
    q, q_dot = jax.jit(
        jax.vmap(
            lambda q, v: integrate.rollout(
                spring.acceleration, q, v, dt=0.05, steps=600, substeps=5
            )
        )
    )(*starts)
    energy = jax.vmap(jax.vmap(spring.energy))(q, q_dot)
    np.testing.assert_allclose(energy, energy[:, :1].repeat(601, axis=1), atol=1e-4)
    found = np.concatenate([q, q_dot], axis=2).reshape(-1, 4)
    # The box of the docstring, by hand for g = 9.8 and l = 1.
    low = [0.5, -np.pi, -1.6 * np.sqrt(9.8), -2 * np.sqrt(9.8)]
    high = [2.0, np.pi, 1.6 * np.sqrt(9.8), 2 * np.sqrt(9.8)]
    assert (found >= low).all(), found.min(axis=0)
    assert (found <= high).all(), found.max(axis=0)
