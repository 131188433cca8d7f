"""The checks of chapter 10: right answers in several forms pass, typical slips are named."""

import math
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from lnn_tutorial import checks, mechanics, models, systems
from lnn_tutorial.checks import chapter10
from tests.wrong_answers import refused, wrong_answers

FOUR = [checks.joint_friction, checks.late_law, checks.rest_angle, checks.upper_arm]

GARBAGE = [
    "0.2",
    "ab",
    "",
    b"1",
    1j,
    True,
    np.nan,
    np.inf,
    [],
    [[1.0, 2.0], [3.0]],
    [1.0, "2"],
    [True, 1.0],
    [1.0, None, 2.0],
    {"a": 1.0},
    {"k": 1.0, "gamma": 2.0},
    {0.5},
    object(),
    np.ones((2, 3, 4)),
    np.ones(0),
    np.array(1.5),
    np.array(["a", "b"]),
    np.full(1, np.nan),
    np.full(2, np.nan),
    np.full(2, np.inf),
    (1.0, np.nan),
    lambda: 1.0,
]


@pytest.mark.parametrize("check", FOUR, ids=lambda each: each.__name__)
def test_a_stub_is_nothing_yet(check):
    refused(check(lambda *_: ...), "Nothing here yet")
    refused(check(lambda *_: None), "Nothing here yet")
    refused(check(...), "Nothing here yet")
    refused(check("answer"), "Expected a function")
    refused(check(lambda *_: 1 / 0), "raised ZeroDivisionError")
    refused(check(lambda: 1.0), "raised TypeError")


@pytest.mark.parametrize("check", FOUR, ids=lambda each: each.__name__)
@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda x: type(x).__name__)
def test_garbage_is_refused_with_a_sentence(check, garbage):
    verdict = check(lambda *_: garbage)
    refused(verdict)
    assert len(verdict.message) > 10
    assert "cannot be checked" not in verdict.message or "different shapes" in verdict.message


# --- Friction along rows -----------------------------------------------------------------------


def rubbed(q_dot, rows, law):
    return -rows.T @ law(rows @ q_dot)


def by_power(q_dot, rows, law):
    """The slope of the power, with the torques held."""
    torque = law(rows @ q_dot)
    return -jax.grad(lambda q_dot: torque @ (rows @ q_dot))(q_dot)


def by_places(q_dot, rows, law):
    """In a loop, in NumPy, as a list."""
    q_dot, rows = np.asarray(q_dot, float), np.asarray(rows, float)
    torque = np.asarray(law(np.array([row @ q_dot for row in rows])))
    force = np.zeros(len(q_dot))
    for row, one in zip(rows, torque, strict=True):
        force -= one * row
    return force.tolist()


def by_sums(q_dot, rows, law):
    return -jnp.einsum("kd,k->d", rows, law(jnp.einsum("kd,d->k", rows, q_dot)))


@pytest.mark.parametrize(
    "answer", [rubbed, by_power, by_places, by_sums, jax.jit(rubbed, static_argnums=2)]
)
def test_the_force_of_friction_in_five_forms(answer):
    assert checks.joint_friction(answer)


def test_a_viscous_force_of_the_check_is_that_of_the_package():
    """Along the same rows, by the model's friction and by Rayleigh's function."""
    _, rows, q_dot, law = chapter10.RUBBING[0]
    expected = chapter10._frictions(np.array(rows), np.array(q_dot), partial(law, np))[0]
    model = models.LNN(dim=2, width=4)
    friction = models.ViscousFriction(along=tuple(map(tuple, rows)), scale=(0.3, 0.2))
    q, q_dot = jnp.zeros(2), jnp.array(q_dot)
    found = friction(friction.init(jax.random.key(0), model), model, q, q_dot)
    assert np.asarray(found) == pytest.approx(expected, rel=1e-5)

    def dissipation(q, q_dot):
        return 0.5 * (0.3 * q_dot[0] ** 2 + 0.2 * (q_dot[1] - q_dot[0]) ** 2)

    found = mechanics.rayleigh(dissipation)(q, q_dot)
    assert np.asarray(found) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("machine", chapter10.RUBBING, ids=lambda each: each[0])
def test_a_force_of_friction_takes_the_power_of_its_places(machine):
    _, rows, q_dot, law = machine
    rows, q_dot = np.array(rows), np.array(q_dot)
    force = chapter10._frictions(rows, q_dot, partial(law, np))[0]
    w = rows @ q_dot
    assert q_dot @ force == pytest.approx(-w @ law(np, w))
    assert q_dot @ force < 0


def square(other, otherwise=rubbed):
    """An answer that has its slip where there are as many places as arms."""
    return lambda q_dot, rows, law: (
        other if len(rows) == len(q_dot) else otherwise
    )(q_dot, rows, law)  # fmt: skip


@wrong_answers(
    "joint_friction",
    [
        (lambda v, J, law: J.T @ law(J @ v), "wrong sign. This force drives the motion"),
        (lambda v, J, law: -law(J @ v), "acts on both arms"),
        (lambda v, J, law: law(J @ v), "and they drive the motion"),
        (lambda v, J, law: -abs(J).T @ law(J @ v), "both of its arms the same way"),
        (square(lambda v, J, law: -law(v)), "rubs against the stand"),
        (square(lambda v, J, law: -J.T @ law(v)), "the arms' own velocities"),
        (lambda v, J, law: -J.T @ law(abs(J) @ v), "in a joint they are compared"),
        (square(lambda v, J, law: -J @ law(J @ v)), "Back it is another way"),
        (square(lambda v, J, law: -J @ law(J.T @ v)), "there and back"),
        (lambda v, J, law: -J.T @ (J @ v), "The law is not in it"),
        (lambda v, J, law: -J.T @ abs(law(J @ v)), "one way, whichever way"),
        (lambda v, J, law: -J.T @ (J @ v * law(J @ v)), "and that is a power"),
        (lambda v, J, law: v @ rubbed(v, J, law), "shape (), expected (2,). This is the power"),
        (lambda v, J, law: -v @ rubbed(v, J, law), "the power that is lost"),
        (lambda v, J, law: 2 * rubbed(v, J, law), "factor of 2"),
        (lambda v, J, law: v, "With yours the energy grows"),
        (lambda v, J, law: rubbed(v, J, law) - 0.1, "is wrong in every entry"),
        (
            lambda v, J, law: rubbed(v, J[:2], lambda w: law(jnp.append(w, v[1]))[:2]),
            "Your function raised",
        ),
        (lambda v, J, law: rubbed(v[:2], J[:2, :2], lambda w: law(w)), "Your function raised"),
        (lambda v, J, law: rubbed(v, J, law)[None], "shape (1, 2), expected (2,)"),
        (lambda v, J, law: rubbed(v, J, law) * jnp.nan, "not finite"),
        (lambda v, J, law: "Q", "made of real numbers"),
    ],
)
def test_slips_of_the_force_are_named(slip, word):
    refused(checks.joint_friction(slip), word)


def test_one_place_at_two_arms_is_tried_too():
    """Right wherever each arm has a place of its own."""

    def each_alone(q_dot, rows, law):
        return rubbed(q_dot, rows, law) if len(rows) >= len(q_dot) else -law(rows @ q_dot)

    refused(checks.joint_friction(each_alone), "two arms and one drag has shape (1,)")


# --- A velocity that comes late ----------------------------------------------------------------


def late(omega, tau):
    return omega**2 / math.cos(omega * tau), -omega * math.tan(omega * tau)


def fitted(omega, tau):
    """By least squares, from a film of the swing."""
    t = np.linspace(0, 20, 400)
    q, v = np.cos(omega * t), -omega * np.sin(omega * (t - tau))
    a = -(omega**2) * np.cos(omega * (t - tau))
    return np.linalg.lstsq(-np.stack([q, v], 1), a, rcond=None)[0]


def complex_law(omega, tau):
    """With e^{iωt}: a = −ω² z, v = iω z and q = 1, where z = e^{−iωτ}."""
    z = np.exp(-1j * omega * tau)
    v, a = 1j * omega * z, -(omega**2) * z
    gamma = -a.imag / v.imag
    return -(a + gamma * v).real, gamma


@pytest.mark.parametrize(
    "answer",
    [
        late,
        fitted,
        complex_law,
        lambda *given: jnp.array(late(*given)),
        lambda *given: [np.array([x]) for x in late(*given)],
        lambda *given: tuple(map(Fraction, late(*given))),
    ],
)
def test_the_late_law_in_six_forms(answer):
    assert checks.late_law(answer)


def first_order(omega, tau):
    return omega**2, -(omega**2) * tau


@wrong_answers(
    "late_law",
    [
        (lambda omega, tau: (omega**2, 0.0), "This is the true law"),
        (
            lambda w, tau: (w**2 * math.cos(w * tau), -w * math.sin(w * tau)),
            "the late acceleration and a velocity in time",
        ),
        (
            lambda w, tau: (w**2 * math.cos(w * tau), w * math.sin(w * tau)),
            "the acceleration comes early",
        ),
        (lambda w, tau: late(w, -tau), "knows what comes"),
        (first_order, "first order only, for a short τ"),
        (lambda w, tau: first_order(w, -tau), "and its friction has the wrong sign"),
        (lambda *given: late(*given)[::-1], "have changed places"),
        (lambda *given: tuple(-x for x in late(*given)), "the right side of"),
        (
            lambda w, tau: (w**2 / math.cos(tau), -w * math.tan(tau)),
            "needs ω to become an angle",
        ),
        (lambda w, tau: late(w, 2 * tau), "lag is twice as long"),
        (lambda w, tau: late(w, tau / 2), "lag is half as long"),
        (
            lambda *given: (late(*given)[0] ** 0.5, late(*given)[1]),
            "Your γ is right. This k is a freq",
        ),
        (lambda w, tau: (late(w, tau)[0] / w, late(w, tau)[1]), "1/s² in this k"),
        (lambda w, tau: (w**2, late(w, tau)[1]), "that of the spring itself"),
        (lambda w, tau: (w**2 * math.cos(w * tau), late(w, tau)[1]), "too stiff, and not too soft"),
        (
            lambda w, tau: (w**2 * (1 + (w * tau) ** 2 / 2), late(w, tau)[1]),
            "to its first correction",
        ),
        (lambda w, tau: (late(w, tau)[0] ** 2 / w**2, late(w, tau)[1]), "A part of this k"),
        (
            lambda w, tau: (late(w, tau)[0], -(w**2) * tau),
            "Your k is right. This γ is right to first",
        ),
        (lambda w, tau: (late(w, tau)[0], w**2 * tau), "This γ is first order only"),
        (lambda w, tau: (late(w, tau)[0], late(w, tau)[1] / w), "1/s in this γ"),
        (lambda w, tau: (late(w, tau)[0], late(w, tau)[1] * w), "one ω too many"),
        (lambda w, tau: (late(w, tau)[0], -w * math.sin(w * tau)), "and yours is late"),
        (lambda w, tau: (late(w, tau)[0], 0.0), "but this fit needs it"),
        (lambda w, tau: (late(w, tau)[0], 3.0), "Your k is right."),
        (lambda w, tau: (w, tau), "Your k for ω = 2 and τ = 0.2 is too small"),
        (lambda *given: late(*given)[0], "Expected two numbers, k and γ, got float"),
        (lambda *given: np.array(late(*given)[0]), "k and γ, got one number"),
        (lambda *given: (*late(*given), 0.0), "got 3 parts"),
        (lambda *given: (np.ones(2), 0.0), "Your k should be one number, and has shape (2,)"),
        (lambda *given: (1.0, math.nan), "Your γ is not finite"),
        (lambda *given: (1.0, "γ"), "Your γ should be a real number, got str"),
    ],
)
def test_slips_of_the_late_law_are_named(slip, word):
    refused(checks.late_law(slip), word)


def test_in_the_late_law_a_sign_alone_is_a_filter_that_is_early():
    """k does not tell a filter that is late from one that is early."""
    assert late(2.0, 0.1)[0] == late(2.0, -0.1)[0]
    k, gamma = late(2.0, 0.1)
    assert gamma < 0 < k


# --- Where it stops ----------------------------------------------------------------------------


def rest(amplitude, hold):
    side = 1
    while amplitude > hold:
        amplitude, side = amplitude - 2 * hold, -side
    return side * amplitude


def in_one_line(amplitude, hold):
    swings = max(math.ceil((amplitude - hold) / (2 * hold)), 0)
    return jnp.array([(-1) ** swings * (amplitude - 2 * hold * swings)])


def signed(amplitude, hold):
    """The turning points mirrored at the middle of each half swing."""
    q = amplitude
    while abs(q) > hold:
        q = 2 * math.copysign(hold, q) - q
    return Fraction(q)


@pytest.mark.parametrize("answer", [rest, in_one_line, signed])
def test_the_angle_where_it_stops_in_three_forms(answer):
    assert checks.rest_angle(answer)


@pytest.mark.parametrize(("amplitude", "hold"), [(1.0, 0.3), (1.0, 0.4), (1.7, 0.13), (0.9, 0.25)])
def test_a_solver_that_follows_the_motion_stops_there(amplitude, hold):
    """q̈ = −q ∓ hold from one turning point to the next, by SciPy."""
    q = amplitude
    while abs(q) > hold:
        push = math.copysign(hold, q)
        turn = lambda t, y: y[1]  # noqa: E731
        turn.terminal, turn.direction = True, push
        swing = solve_ivp(
            lambda t, y, push=push: (y[1], push - y[0]),
            (0, 9),
            (q, 0.0),
            events=turn,
            rtol=1e-10,
            atol=1e-12,
        )
        q = swing.y_events[0][0][0]
    assert q == pytest.approx(float(chapter10._rest(amplitude, hold)), abs=1e-6)


def stopped(amplitude, hold, loss=2.0, first=False, more=0):
    """With another loss in each half swing, or more half swings than friction allows."""
    side = 1
    while amplitude > hold or first or more > 0:
        more -= amplitude <= hold and not first
        amplitude, side, first = amplitude - loss * hold, -side, False
    return side * amplitude


def one_too_few(amplitude, hold):
    side = 1
    while amplitude > 3 * hold:
        amplitude, side = amplitude - 2 * hold, -side
    return side * amplitude


def whole_swings(amplitude, hold):
    while amplitude > hold:
        amplitude -= 4 * hold
    return amplitude


def one_sided(amplitude, hold):
    while amplitude > hold:
        amplitude -= 2 * hold
    return amplitude


@wrong_answers(
    "rest_angle",
    [
        (lambda a, b: 0.0, "holds it before it hangs"),
        (lambda a, b: a, "does not start at all"),
        (one_sided, "never goes to the other side"),
        (lambda a, b: abs(rest(a, b)), "and it has a side, too"),
        (lambda a, b: -abs(rest(a, b)), "not always on this side"),
        (lambda a, b: -rest(a, b), "always the wrong one"),
        (partial(stopped, loss=1.0), "costs too little in yours."),
        (lambda a, b: abs(stopped(a, b, 1.0)), "and the side does not change"),
        (partial(stopped, loss=4.0), "costs what a whole one does"),
        (min, "there it is still moving"),
        (lambda a, b: math.copysign(min(a, b), rest(a, b)), "it may go farther in"),
        (partial(stopped, more=1), "moves on once more"),
        (one_too_few, "one half swing too early"),
        (partial(stopped, first=True), "from the beginning nothing moves"),
        (whole_swings, "whole swings only"),
        (lambda a, b: a * math.exp(-b), "pulls harder than the friction holds"),
        (lambda a, b: a + b, "farther out than it began"),
        (lambda a, b: b / 2, "Your angle for amplitude = 1 and hold = 0.3"),
        (lambda a, b: math.nan, "not finite"),
        (lambda a, b: [rest(a, b), 0.0], "one number, and has shape (2,)"),
        (lambda a, b: "in the middle", "a real number, got str"),
    ],
)
def test_slips_of_the_place_where_it_stops_are_named(slip, word):
    refused(checks.rest_angle(slip), word)


# --- A length from a Lagrangian ----------------------------------------------------------------

HANGING = jnp.zeros(2), jnp.zeros(2)


def length(lagrangian, gravity):
    coupling = mechanics.mass_matrix(lagrangian)(*HANGING)[0, 1]
    bend = jax.hessian(lagrangian)(*HANGING)[1, 1]
    return -gravity * coupling / bend


def by_energies(lagrangian, gravity):
    """From three kinetic energies, and the energy of the raised lower arm."""
    energy = mechanics.energy(lagrangian)
    still = jnp.zeros(2)
    at_rest = energy(still, still)
    both, first, second = (
        energy(still, jnp.array(v)) - at_rest for v in ([1.0, 1.0], [1.0, 0.0], [0.0, 1.0])
    )
    lifted = energy(jnp.array([0.0, jnp.pi]), still) - at_rest
    return jnp.array([2 * gravity * (both - first - second) / lifted])


def by_momentum(lagrangian, gravity):
    """From the momentum that the upper arm's velocity gives to the lower one, and a torque."""
    momentum = mechanics.momentum(lagrangian)
    p = momentum(jnp.zeros(2), jnp.array([1.0, 0.0])) - momentum(*HANGING)
    level = jnp.array([0.0, jnp.pi / 2])
    return float(gravity * p[1] / -jax.grad(lagrangian)(level, jnp.zeros(2))[1])


@pytest.mark.parametrize("answer", [length, by_energies, by_momentum])
def test_the_length_of_an_arm_in_three_forms(answer):
    assert checks.upper_arm(answer)


def test_the_package_s_double_pendulum_has_the_length_that_it_was_made_with():
    system = systems.DoublePendulum(mass1=0.4, mass2=2.5, length1=0.7, length2=1.3)
    assert float(length(system.lagrangian, 9.8)) == pytest.approx(0.7, rel=1e-4)


@pytest.mark.parametrize("machine", range(3))
def test_the_lagrangians_of_the_check_have_the_motions_of_a_machine(machine):
    """Those of rods on a string of joints, from the positions of their centres of mass."""
    m1, a1, i1, l1, m2, a2, i2, g = chapter10.MACHINES[machine]

    def of_rods(q, q_dot):
        place = lambda q, r: r * jnp.stack([jnp.sin(q), -jnp.cos(q)])  # noqa: E731
        centres = lambda q: (place(q[0], a1), place(q[0], l1) + place(q[1], a2))  # noqa: E731
        (_, up), (_, low) = centres(q)
        v1, v2 = jax.jvp(centres, (q,), (q_dot,))[1]
        kinetic = 0.5 * (m1 * v1 @ v1 + m2 * v2 @ v2 + i1 * q_dot[0] ** 2 + i2 * q_dot[1] ** 2)
        return kinetic - g * (m1 * up + m2 * low)

    state = jnp.array([0.8, -1.9]), jnp.array([2.0, -3.0])
    found = mechanics.acceleration(chapter10._learned(machine, -3.0, 0.01))(*state)
    expected = mechanics.acceleration(of_rods)(*state)
    assert np.asarray(found) == pytest.approx(np.asarray(expected), rel=1e-3)


def parts(lagrangian):
    """The mass matrix and the bends of the potential energy, hanging."""
    mass = mechanics.mass_matrix(lagrangian)(*HANGING)
    return mass, -jax.hessian(lagrangian)(*HANGING)


def read(formula):
    """Another formula of (M, V″, g)."""
    return lambda lagrangian, gravity: formula(*parts(lagrangian), gravity)


def tilted(lagrangian, gravity):
    """Where the arms are at a right angle, nothing couples them."""
    mass = mechanics.mass_matrix(lagrangian)(jnp.array([jnp.pi / 2, 0.0]), jnp.zeros(2))
    return gravity * mass[0, 1] / parts(lagrangian)[1][1, 1]


def of_one_velocity(lagrangian, gravity):
    """A total derivative has a share in a momentum, at rest already."""
    p = mechanics.momentum(lagrangian)(jnp.zeros(2), jnp.array([1.0, 0.0]))
    return gravity * p[1] / parts(lagrangian)[1][1, 1]


@wrong_answers(
    "upper_arm",
    [
        (read(lambda M, V, g: M[0, 1] / V[1, 1]), "Gravity is missing"),
        (read(lambda M, V, g: V[1, 1] / M[0, 1]), "A frequency squared is no length"),
        (read(lambda M, V, g: V[1, 1] / (g * M[0, 1])), "upside down"),
        (read(lambda M, V, g: g * V[1, 1] / M[0, 1]), "not to be divided by"),
        (read(lambda M, V, g: -g * M[0, 1] / V[1, 1]), "with the other sign"),
        (read(lambda M, V, g: M[0, 1] / M[1, 1]), "ratio of inertias"),
        (read(lambda M, V, g: M[0, 1] / M[0, 0]), "ratio of inertias"),
        (read(lambda M, V, g: g * M[0, 1] / M[1, 1]), "gravity does not belong there"),
        (read(lambda M, V, g: g * M[1, 1] / V[1, 1]), "as the lower arm does"),
        (read(lambda M, V, g: g * M[0, 0] / V[0, 0]), "as the upper arm does"),
        (read(lambda M, V, g: g * M.sum() / V.sum()), "as both arms do"),
        (read(lambda M, V, g: g * M[0, 1] / V[0, 0]), "there it pulls at both arms"),
        (read(lambda M, V, g: M[0, 1]), "The factor in front of 𝓛 is still in it."),
        (read(lambda M, V, g: g * M[0, 1]), "and gravity"),
        (read(lambda M, V, g: M[0, 1] / g), "beside gravity"),
        (read(lambda M, V, g: M[1, 1]), "And with another factor in front of 𝓛"),
        (of_one_velocity, "total derivative beside it, it is another one"),
        (tilted, "Your length for machine 1 is too small"),
        (lambda L, g: 2 * length(L, g), "factor of 2"),
        (lambda L, g: 0.21, "Your length for machine 2"),
        (lambda L, g: math.nan, "not finite"),
        (lambda L, g: parts(L)[0], "one number, and has shape (2, 2)"),
        (lambda L, g: "l1", "a real number, got str"),
    ],
)
def test_slips_of_the_length_are_named(slip, word):
    refused(checks.upper_arm(slip), word)


def test_all_four_congratulate():
    for verdict in (
        checks.joint_friction(rubbed),
        checks.late_law(late),
        checks.rest_angle(rest),
        checks.upper_arm(length),
    ):
        assert repr(verdict).startswith("✓ ")
