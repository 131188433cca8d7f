"""The systems, held against SymPy's own Euler–Lagrange equations from Cartesian positions."""

import dataclasses
import itertools
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
    BouncingBall,
    ChargeInMagneticField,
    DampedPendulum,
    DoublePendulum,
    FallingBall,
    HarmonicOscillator,
    IsotropicOscillator,
    KeplerProblem,
    Pendulum,
    SphericalPendulum,
    SpringPendulum,
    SpringPendulumCartesian,
    ThreeBodies,
    TriplePendulum,
    TwoBodiesOnSpring,
)

pytestmark = pytest.mark.usefixtures("float64")

WITH_POSITIONS = [
    Pendulum,
    DampedPendulum,
    SpringPendulum,
    SpringPendulumCartesian,
    SphericalPendulum,
    DoublePendulum,
    TriplePendulum,
]
KINDS = [
    FallingBall,
    BouncingBall,
    HarmonicOscillator,
    IsotropicOscillator,
    TwoBodiesOnSpring,
    KeplerProblem,
    ThreeBodies,
    *WITH_POSITIONS,
    ChargeInMagneticField,
]
kinds = pytest.mark.parametrize("kind", KINDS)

# --- An oracle: each system described by where its masses are, and no more ---------------------


def described(kind, q, constants):
    """Cartesian positions, masses and what 𝓛 has beside T, −V, in SymPy for coordinates q(t)."""
    sin, cos = sympy.sin, sympy.cos
    match kind.__name__, constants:
        case "FallingBall", (m, g):
            return [(q[1], q[0])], [m], m * g * q[0]
        case "BouncingBall", (m, g, _):
            return [(0, q[0])], [m], m * g * q[0]
        case "HarmonicOscillator", (m, k):
            return [(q[0], 0)], [m], k * q[0] ** 2 / 2
        case "IsotropicOscillator", (m, k):
            return [q], [m], k * (q[0] ** 2 + q[1] ** 2) / 2
        case "TwoBodiesOnSpring", (m1, m2, k, l):
            return [(q[0], 0), (q[1], 0)], [m1, m2], k * (q[1] - q[0] - l) ** 2 / 2
        case "KeplerProblem", (m, k):
            return [q], [m], -k / sympy.sqrt(q[0] ** 2 + q[1] ** 2)
        case "ThreeBodies", (m1, m2, m3, G, softening):
            r1, r2, r3 = (sympy.Matrix(q[i : i + 2]) for i in (0, 2, 4))
            pairs = [(m1 * m2, r1 - r2), (m1 * m3, r1 - r3), (m2 * m3, r2 - r3)]
            V = -G * sum(mm / sympy.sqrt(r.dot(r) + softening**2) for mm, r in pairs)
            return [tuple(r1), tuple(r2), tuple(r3)], [m1, m2, m3], V
        case "ChargeInMagneticField", (m, e, B):
            return [q], [m], -e * B * (q[0] * q[1].diff() - q[1] * q[0].diff()) / 2
        case "Pendulum" | "DampedPendulum", (m, l, g, *_):
            x, y = l * sin(q[0]), -l * cos(q[0])
            return [(x, y)], [m], m * g * y
        case "SpringPendulum", (m, k, l, g):
            x, y = q[0] * sin(q[1]), -q[0] * cos(q[1])
            return [(x, y)], [m], m * g * y + k * (sympy.sqrt(x**2 + y**2) - l) ** 2 / 2
        case "SpringPendulumCartesian", (m, k, l, g):
            x, y = q
            return [q], [m], m * g * y + k * (sympy.sqrt(x**2 + y**2) - l) ** 2 / 2
        case "SphericalPendulum", (m, l, g):
            across, z = l * sin(q[0]), -l * cos(q[0])
            return [(across * cos(q[1]), across * sin(q[1]), z)], [m], m * g * z
        case "DoublePendulum", (m1, m2, l1, l2, g):
            x1, y1 = l1 * sin(q[0]), -l1 * cos(q[0])
            x2, y2 = x1 + l2 * sin(q[1]), y1 - l2 * cos(q[1])
            return [(x1, y1), (x2, y2)], [m1, m2], m1 * g * y1 + m2 * g * y2
        case "TriplePendulum", (m1, m2, m3, l1, l2, l3, g):
            x1, y1 = l1 * sin(q[0]), -l1 * cos(q[0])
            x2, y2 = x1 + l2 * sin(q[1]), y1 - l2 * cos(q[1])
            x3, y3 = x2 + l3 * sin(q[2]), y2 - l3 * cos(q[2])
            V = m1 * g * y1 + m2 * g * y2 + m3 * g * y3
            return [(x1, y1), (x2, y2), (x3, y3)], [m1, m2, m3], V


def dissipated(kind, q, constants):
    """The power lost to friction, from which comes the force that stands beside 𝓛."""
    return constants[-1] * q[0].diff() ** 2 if kind is DampedPendulum else sympy.Integer(0)


@cache
def oracle(kind):
    """SymPy's equations of motion, as a function (constants, q, q_dot) -> dict of NumPy arrays."""
    t = sympy.Symbol("t")
    constants = sympy.symbols([f.name for f in dataclasses.fields(kind)], positive=True)
    q = [sympy.Function(f"q{i}")(t) for i in range(kind.dim)]
    points, masses, V = described(kind, q, constants)
    points = [tuple(map(sympy.sympify, p)) for p in points]
    T = sum(m * sum(x.diff(t) ** 2 for x in p) / 2 for m, p in _zip(masses, points))
    equations = [e.lhs for e in euler_equations(T - V, q, t)]

    qs, vs, accelerations = (sympy.symbols(f"{n}:{kind.dim}") for n in "qva")
    flat = [(x.diff(t, 2), a) for x, a in _zip(q, accelerations)]
    flat += [(x.diff(t), v) for x, v in _zip(q, vs)] + list(_zip(q, qs))

    def plain(expression):
        return expression.subs(flat)

    A, b = sympy.linear_eq_to_matrix([plain(e.doit()) for e in equations], accelerations)
    kinetic, potential = plain(T.doit()), plain(V)
    friction = [-plain(dissipated(kind, q, constants)).diff(v) / 2 for v in vs]
    values = {
        "mass": -A,  # SymPy writes ∂𝓛/∂q − d/dt ∂𝓛/∂q̇ = 0
        "force": sympy.Matrix(friction) - b,
        "friction": sympy.Matrix(friction),
        "momentum": sympy.Matrix([(kinetic - potential).diff(v) for v in vs]),
        "lagrangian": kinetic - potential,
        "energy": kinetic + potential - sum(v * potential.diff(v) for v in vs),
        "positions": sympy.Matrix([[plain(x) for x in p] for p in points]),
    }
    function = sympy.lambdify([constants, qs, vs], list(values.values()), "numpy", cse=True)

    def evaluate(constants, q, q_dot):
        found = dict(_zip(values, map(np.asarray, function(constants, q, q_dot))))
        found["acceleration"] = np.linalg.solve(found["mass"], found["force"])[:, 0]
        found |= {name: found[name][:, 0] for name in ("momentum", "friction")}
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
        L, force = system.lagrangian, getattr(system, "force", None)
        found = {
            "lagrangian": L(q, q_dot),
            "energy": system.energy(q, q_dot),
            "energy of the Lagrangian": mechanics.energy(L)(q, q_dot),
            "acceleration": system.acceleration(q, q_dot),
            "acceleration by solve": mechanics.acceleration(L, force=force)(q, q_dot),
            "acceleration by pinv": mechanics.acceleration(L, "pinv", force)(q, q_dot),
            "mass": mechanics.mass_matrix(L)(q, q_dot),
            "momentum": mechanics.momentum(L)(q, q_dot),
        }
        if hasattr(system, "momentum"):
            found["momentum by hand"] = system.momentum(q, q_dot)
        if force is not None:
            found["friction"] = force(q, q_dot)
        if hasattr(system, "positions"):
            found["positions"], velocities = jax.jvp(system.positions, (q,), (q_dot,))
            found["speeds squared"] = jnp.sum(velocities**2, axis=1)
        return found

    return evaluate


@st.composite
def situations(draw, kind):
    """Constants within two orders of magnitude, and a state, none where it is singular."""
    constants = [draw(st.floats(0.1, 10)) for _ in dataclasses.fields(kind)]
    q = [draw(st.floats(-7, 7)) for _ in range(kind.dim)]
    q_dot = [draw(st.floats(-10, 10)) for _ in range(kind.dim)]
    if kind is SpringPendulum:
        q[0] = draw(st.floats(0.1, 5))
    if kind is SphericalPendulum:
        q[0] = draw(st.floats(0.2, 2.9))
    if kind is BouncingBall:
        constants[-1], q[0] = draw(st.floats(0.1, 1)), abs(q[0])
    if kind in (KeplerProblem, SpringPendulumCartesian):
        r, angle = draw(st.floats(0.1, 5)), q[0]
        q = [r * np.cos(angle), r * np.sin(angle)]
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


@pytest.mark.parametrize("kind", WITH_POSITIONS)
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
    for system in (Pendulum(), DoublePendulum(), TriplePendulum()):
        for q in itertools.product([0.0, np.pi], repeat=system.dim):
            rest = np.zeros(system.dim)
            np.testing.assert_allclose(system.acceleration(q, rest), rest, atol=1e-14)


def test_the_spring_pendulum_hangs_where_spring_and_weight_balance():
    spring = SpringPendulum(mass=2.0, stiffness=30.0, rest_length=0.7, gravity=9.8)
    q = np.array([0.7 + 2.0 * 9.8 / 30.0, 0.0])
    np.testing.assert_allclose(spring.acceleration(q, np.zeros(2)), [0, 0], atol=1e-13)


def test_an_isotropic_oscillator_is_two_oscillators():
    constants = {"mass": 2.0, "stiffness": 3.0}
    plane, line = IsotropicOscillator(**constants), HarmonicOscillator(**constants)
    q, q_dot = np.array([0.7, -1.1]), np.array([0.2, 0.5])
    for name in ("lagrangian", "energy"):
        parts = [getattr(line, name)(q[i : i + 1], q_dot[i : i + 1]) for i in (0, 1)]
        np.testing.assert_allclose(getattr(plane, name)(q, q_dot), sum(parts), rtol=1e-13)
    omega, t = np.sqrt(1.5), 0.3 * np.arange(21)[:, None]
    found, _ = integrate.reference(plane.acceleration, q, q_dot, dt=0.3, steps=20)
    expected = q * np.cos(omega * t) + q_dot / omega * np.sin(omega * t)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_two_bodies_keep_their_momentum_and_oscillate_with_the_reduced_mass():
    two = TwoBodiesOnSpring(mass1=2.0, mass2=3.0, stiffness=4.0, rest_length=0.5)
    masses, t = np.array([2.0, 3.0]), 0.2 * np.arange(31)
    q, q_dot = integrate.reference(
        two.acceleration, np.array([0.1, 1.2]), np.array([0.7, -0.4]), dt=0.2, steps=30
    )
    np.testing.assert_allclose(q_dot @ masses, 0.2, atol=1e-11)
    np.testing.assert_allclose(q @ masses / 5, (3.8 + 0.2 * t) / 5, atol=1e-11)
    omega = np.sqrt(4.0 / (2.0 * 3.0 / 5.0))
    stretch = 0.6 * np.cos(omega * t) - 1.1 / omega * np.sin(omega * t)
    np.testing.assert_allclose(q[:, 1] - q[:, 0] - 0.5, stretch, atol=1e-10)


@given(shift=st.floats(-5, 5), boost=st.floats(-5, 5))
def test_two_bodies_are_the_same_for_every_observer(shift, boost):
    """Elsewhere, and in motion: 𝓛 gains P w + ½ (m₁ + m₂) w², and the accelerations nothing."""
    two = TwoBodiesOnSpring(mass1=2.0, mass2=3.0)
    q, q_dot = np.array([0.1, 1.6]), np.array([0.7, -0.4])
    seen = q + shift, q_dot + boost
    np.testing.assert_allclose(two.acceleration(*seen), two.acceleration(q, q_dot), atol=1e-13)
    gain = two.lagrangian(*seen) - two.lagrangian(q, q_dot)
    np.testing.assert_allclose(gain, 0.2 * boost + 2.5 * boost**2, atol=1e-12)


KEPLER = KeplerProblem(mass=2.0, strength=3.0)


@pytest.mark.parametrize(("a", "e"), [(1.0, 0.0), (0.5, 0.3), (2.0, 0.6)])
def test_planets_obey_keplers_laws(a, e):
    """A period of an ellipse from its nearest point, half of its length a, its eccentricity e."""
    period, fastest = 2 * np.pi * np.sqrt(2 / 3 * a**3), np.sqrt(3 / 2 / a * (1 + e) / (1 - e))
    start = np.array([a * (1 - e), 0.0]), np.array([0.0, fastest])
    q, q_dot = integrate.reference(KEPLER.acceleration, *start, dt=period / 24, steps=24)
    # First an ellipse with the sun in a focus: the distances to both foci add up to 2 a …
    other = np.linalg.norm(q + np.array([2 * a * e, 0]), axis=1)
    np.testing.assert_allclose(np.linalg.norm(q, axis=1) + other, 2 * a, rtol=1e-9)
    # … then equal areas in equal times, π a b in a period …
    L, A = (jax.vmap(f)(q, q_dot) for f in (KEPLER.angular_momentum, KEPLER.laplace_runge_lenz))
    np.testing.assert_allclose(L / (2 * 2.0), np.pi * a**2 * np.sqrt(1 - e**2) / period, rtol=1e-9)
    # … and third, after T = 2π √(m a³/k) the planet is back.
    np.testing.assert_allclose(q[-1], q[0], atol=1e-8)
    np.testing.assert_allclose(q[12], [-a * (1 + e), 0], atol=1e-8)
    np.testing.assert_allclose(A, np.tile([2.0 * 3.0 * e, 0], (25, 1)), atol=1e-8)
    assert KEPLER.energy(q[0], q_dot[0]) == pytest.approx(-3.0 / (2 * a), rel=1e-12)


@given(angle=st.floats(-4, 4))
def test_the_laplace_runge_lenz_vector_turns_with_the_orbit(angle):
    cosine, sine = np.cos(angle), np.sin(angle)
    R, state = np.array([[cosine, -sine], [sine, cosine]]), np.array([[0.7, 0.4], [-0.3, 1.1]])
    found = KEPLER.laplace_runge_lenz(*state @ R.T)
    np.testing.assert_allclose(found, R @ KEPLER.laplace_runge_lenz(*state), atol=1e-13)


METHODS = ("lagrangian", "energy", "acceleration", "angular_momentum", "laplace_runge_lenz")


@pytest.mark.parametrize("method", METHODS)
def test_a_planet_in_the_sun_is_refused(method):
    f = getattr(KEPLER, method)
    with pytest.raises(ValueError, match="q other than zero, where the bodies collide, got"):
        f(np.zeros(2), np.ones(2))
    if method != "angular_momentum":
        assert not np.isfinite(jax.jit(f)(np.zeros(2), np.ones(2))).any()
    assert np.isfinite(f(np.array([0.0, 0.1]), np.zeros(2))).all()


def test_a_fall_into_the_sun_ends_with_a_message():
    """Half of this Runge–Kutta step ends in the sun."""
    start = np.array([1.0, 0.0]), np.array([-2.0, 0.0])
    with pytest.raises(FloatingPointError, match="no longer finite"):
        integrate.rollout(KEPLER.acceleration, *start, dt=1.0, steps=1)


def test_a_charge_runs_in_circles():
    """Clockwise for a field towards the viewer, round a centre that does not move."""
    charge = ChargeInMagneticField(mass=2.0, charge=0.5, magnetic_field=3.0)
    radius, period = 2.0 * 0.6 / (0.5 * 3.0), 2 * np.pi * 2.0 / (0.5 * 3.0)
    start, centre = np.array([0.3, 1.0]), np.array([0.3, 1.0 - radius])
    angle = 2 * np.pi * np.arange(13)[:, None] / 12
    q, q_dot = integrate.reference(
        charge.acceleration, start, np.array([0.6, 0.0]), dt=period / 12, steps=12
    )
    circle = np.hstack([np.sin(angle), np.cos(angle)])
    np.testing.assert_allclose(q, centre + radius * circle, atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(q_dot, axis=1), 0.6, rtol=1e-10)


def test_a_conical_pendulum_stays_on_its_cone():
    cone = SphericalPendulum(mass=2.0, length=0.7, gravity=9.8)
    rate = np.sqrt(9.8 / (0.7 * np.cos(0.9)))
    q, q_dot = np.array([0.9, 0.2]), np.array([0.0, rate])
    np.testing.assert_allclose(cone.acceleration(q, q_dot), [0, 0], atol=1e-13)
    x, y, z = cone.positions(q)[0]
    assert (np.hypot(x, y), z) == pytest.approx((0.7 * np.sin(0.9), -0.7 * np.cos(0.9)))


def test_a_spherical_pendulum_keeps_its_angular_momentum_about_the_vertical():
    pendulum = SphericalPendulum(mass=2.0, length=0.7)
    q, q_dot = integrate.reference(
        pendulum.acceleration, np.array([1.2, 0.0]), np.array([0.5, 2.0]), dt=0.2, steps=20
    )
    momentum = np.sin(q[:, 0]) ** 2 * q_dot[:, 1]
    np.testing.assert_allclose(momentum, momentum[0], rtol=1e-9)
    assert np.ptp(q[:, 0]) > 0.3
    energy = jax.vmap(pendulum.energy)(q, q_dot)
    np.testing.assert_allclose(energy, energy[0], rtol=1e-9)


@given(theta=st.floats(0.1, 3), theta_dot=st.floats(-5, 5))
def test_a_spherical_pendulum_that_does_not_turn_is_a_plane_one(theta, theta_dot):
    found = SphericalPendulum(1.0, 0.7).acceleration([theta, 0.4], [theta_dot, 0.0])
    plane = Pendulum(1.0, 0.7).acceleration([theta], [theta_dot])
    np.testing.assert_allclose(found, [plane[0], 0.0], rtol=1e-13)


@given(data=st.data())
def test_a_triple_pendulum_without_its_third_mass_is_a_double_one(data):
    _, q, q_dot = data.draw(situations(TriplePendulum))
    triple = TriplePendulum(1.5, 0.8, 1e-12, 0.9, 0.7, 1.1)
    double = DoublePendulum(1.5, 0.8, 0.9, 0.7)
    found, expected = (f.acceleration for f in (triple, double))
    expected = expected(q[:2], q_dot[:2])
    np.testing.assert_allclose(found(q, q_dot)[:2], expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("kind", [Pendulum, DoublePendulum, TriplePendulum])
def test_small_swings_have_the_frequencies_of_the_hanging_chain(kind):
    """With equal masses and arms, ω² l/g are the zeros of the Laguerre polynomial of degree d."""
    system, rest = kind(), np.zeros(kind.dim)
    squares = np.linalg.eigvals(-np.asarray(jax.jacobian(system.acceleration)(rest, rest)))
    zeros = np.polynomial.laguerre.lagroots([0.0] * kind.dim + [1.0])
    np.testing.assert_allclose(np.sort(squares), 9.8 * np.sort(zeros), rtol=1e-11)


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
    "BouncingBall": (BouncingBall(2.0, 3.0, 0.5), [0, -5], [5, 5]),
    "HarmonicOscillator": (HarmonicOscillator(2.0, 18.0), [-2, -6], [2, 6]),
    "IsotropicOscillator": (IsotropicOscillator(2.0, 18.0), [-2, -2, -6, -6], [2, 2, 6, 6]),
    "TwoBodiesOnSpring": (
        TwoBodiesOnSpring(2.0, 6.0, 24.0, 0.5),
        [-0.5, 0, -2, -2],
        [0.5, 1, 2, 2],
    ),
    "Pendulum": (Pendulum(2.0, g / 4), [-np.pi, -6], [np.pi, 6]),
    "DampedPendulum": (DampedPendulum(2.0, g / 4, friction=3.0), [-np.pi, -6], [np.pi, 6]),
    "SpringPendulum": (
        SpringPendulum(2.0, 30.0, g / 4),
        [g / 8, -np.pi, -0.8 * g, -4],
        [g / 2, np.pi, 0.8 * g, 4],
    ),
    "SphericalPendulum": (
        SphericalPendulum(2.0, g / 4),
        [0.3, -np.pi, -4, -4],
        [2.6, np.pi, 4, 4],
    ),
    "DoublePendulum": (DoublePendulum(2.0, 3.0, 0.4, 0.5), [0, 0, -10, -10], [turn, turn, 10, 10]),
    "TriplePendulum": (
        TriplePendulum(2.0, length3=0.5),
        [0] * 3 + [-10] * 3,
        [turn] * 3 + [10] * 3,
    ),
    "ChargeInMagneticField": (ChargeInMagneticField(2.0, 3.0, 4.0), [-2] * 4, [2] * 4),
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


@pytest.mark.parametrize("kind", [DoublePendulum, TriplePendulum])
def test_a_released_multiple_pendulum_is_nearly_at_rest(kind):
    q, q_dot = kind().sample_released(jax.random.key(2), 1000)
    assert 0 <= q.min() < 0.1
    assert 6.2 < q.max() <= 2 * np.pi
    assert 0 <= q_dot.min() < 0.001
    assert 0.099 < q_dot.max() <= 0.1


def test_sampled_planets_stay_in_the_ring_that_is_sampled():
    """By energy and angular momentum: the nearest and farthest points, drawn from 0.5 … 2."""
    q, v = map(np.asarray, KEPLER.sample(jax.random.key(4), 4000))
    r, energy, L = (
        np.linalg.norm(q, axis=1),
        *map(np.asarray, (jax.vmap(f)(q, v) for f in (KEPLER.energy, KEPLER.angular_momentum))),
    )
    # The roots of E r² + k r − L²/(2 m) = 0, where ṙ = 0.
    a, p = -3.0 / (2 * energy), L**2 / (2.0 * 3.0)
    half = np.sqrt(a * (a - p))
    near, far = a - half, a + half
    assert 0.5 - 1e-6 <= near.min() < 0.501
    assert 1.999 < far.max() <= 2.0 + 1e-6
    assert (near - 1e-6 <= r).all()
    assert (r <= far + 1e-6).all()
    # The lesser and the greater of two uniform numbers, at a third and two thirds.
    np.testing.assert_allclose([near.mean(), far.mean()], [1.0, 1.5], atol=5 * 0.36 / 63)
    # Neither the nearest points nor the places have a direction, nor has the rotation a sense.
    A = jax.vmap(KEPLER.laplace_runge_lenz)(q, v)
    A = A / np.linalg.norm(A, axis=1, keepdims=True)
    along = np.sum(A * q, axis=1)
    across = A[:, 0] * q[:, 1] - A[:, 1] * q[:, 0]
    eta = np.arctan2(across / np.sqrt(a * p), (along + half) / a)
    for mean in (A, q / r[:, None], np.sin(eta), np.cos(eta), np.sin(2 * eta), np.sign(L)):
        np.testing.assert_allclose(mean.mean(axis=0), 0, atol=5 / 63)


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
