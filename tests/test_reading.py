"""What is read off a Lagrangian or accelerations: symmetries, what they conserve, formulas."""

import ast
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import experiments, integrate, mechanics, reading, systems
from lnn_tutorial.reading.formula import _last_before_a_rise, _leading

pytestmark = pytest.mark.usefixtures("float64")

SYSTEMS = experiments.readable_systems()
terms = reading.terms
OSCILLATOR = terms("q[0]**2", "q[1]**2", "q[0]*q[1]", "q[0]**4") + reading.velocities(2, 2, 2)
PENDULUM = terms("q_dot[0]**2", "cos(q[0])", "sin(q[0])", "cos(2*q[0])", "q_dot[0]**2*cos(q[0])")


def states(dim, n=300, scale=1.0, seed=0):
    return tuple(np.random.default_rng(seed).normal(size=(2, n, dim)) * scale)


def of(system, n=300):
    """Some states of a system, and all that it takes to read it."""
    drawn = system.sample(jax.random.key(1), n)
    return {"states": tuple(np.asarray(x) for x in drawn), "angles": system.angles}


def over(function, *states):
    """A function at many states."""
    return jax.jit(jax.vmap(function))(*states)


def changes(acceleration, conserved, q, q_dot, dt=0.5, steps=8):
    """By how much a quantity changes along a motion of SciPy's, in its largest value."""
    q, q_dot = integrate.reference(acceleration, np.array(q), np.array(q_dot), dt=dt, steps=steps)
    at = (q, q_dot, dt * np.arange(steps + 1))
    found = over(conserved, *at[: len(inspect.signature(conserved).parameters)])
    return np.ptp(found) / np.abs(found).max()


def coefficients(found):
    return dict(zip(found.library.names, found.coefficients, strict=False))  # friction's follow


def isotropic(q, q_dot):
    return 0.5 * q_dot @ q_dot - 0.5 * q @ q


def quartic(q, q_dot):
    return 0.5 * q_dot @ q_dot - 0.25 * (q @ q) ** 2


# --- Symmetries --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "triple pendulum"])
def test_as_many_symmetries_as_each_system_has(name):
    """Nothing of zero is left in between: zeros are rounding, all others far above."""
    case = SYSTEMS[name]
    system = case.system
    for function, count in (
        (system.lagrangian, case.lagrangian),
        (system.acceleration, case.motion),
    ):
        found = reading.symmetries(function, **of(system))
        assert len(found) == count
        assert (found.singular_values[len(found.singular_values) - count :] < 1e-9).all()
        assert (np.diff(found.singular_values) <= 0).all()
    assert found.conserved == () and found.of == "motion"


def test_kepler_turns_and_keeps_its_angular_momentum():
    system = systems.KeplerProblem(mass=1.3, strength=0.9)
    given = of(system)
    found = reading.symmetries(system.lagrangian, **given)
    (turn,), (conserved,) = found.found, found.conserved
    assert str(turn) == "(-q[1], q[0])"  # whatever the rounding
    np.testing.assert_allclose(turn.A, [[0, -1], [1, 0]], atol=1e-9)
    for part in (turn.b, turn.c, turn.tau):
        np.testing.assert_allclose(part, 0, atol=1e-9)
    q, q_dot = given["states"]
    ratio = over(conserved, q, q_dot) / over(system.angular_momentum, q, q_dot)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def test_a_charge_keeps_the_centre_of_its_circle():
    """𝓛 = ½mq̇² + qA·q̇: the shift has a gauge term, and p·b − K is the momentum plus B × r."""
    system = systems.ChargeInMagneticField(mass=2.0, magnetic_field=1.5)
    given = of(system)
    found = reading.symmetries(system.lagrangian, **given)
    q, v = given["states"]
    field = system.charge * system.magnetic_field
    for one, conserved in zip(found.found, found.conserved, strict=True):
        assert changes(system.acceleration, conserved, [0.3, 0.2], [1.0, -0.4]) < 1e-8
        if np.abs(one.b).max() > 0.5:
            known = system.mass * v + field * np.stack([-q[:, 1], q[:, 0]], axis=1)
            value = over(conserved, q, v) - known @ one.b
            np.testing.assert_allclose(value, value[0], atol=1e-8)


def test_two_bodies_keep_their_momentum_and_where_they_started():
    """A shift of both gives P, a boost of both P t − Σ m x."""
    system = systems.TwoBodiesOnSpring()
    given = of(system)
    found = reading.symmetries(system.lagrangian, **given)
    q, v = given["states"]
    p = over(mechanics.momentum(system.lagrangian), q, v)
    masses = mechanics.mass_matrix(system.lagrangian)(q[0], v[0])
    for one, conserved in zip(found.found, found.conserved, strict=True):
        t = np.linspace(-2, 2, len(q)) * np.any(one.c)
        total, centre = p.sum(axis=1), (q @ masses).sum(axis=1)
        at = (q, v, t)[: len(inspect.signature(conserved).parameters)]
        value = over(conserved, *at)
        known = one.b[0] * total + one.c[0] * (total * t - centre)
        np.testing.assert_allclose(value - known, (value - known)[0], atol=1e-8)


def test_a_falling_ball_has_a_quantity_for_each_shift_and_boost():
    """Down the slope of a potential too: p + m g t is constant."""
    system = systems.FallingBall()
    found = reading.symmetries(system.lagrangian, **of(system))
    for conserved in found.conserved:
        assert changes(system.acceleration, conserved, [0.3, 0.2], [1.0, 4.0]) < 1e-9


def test_a_relativistic_charge_keeps_its_momentum_less_the_push():
    """p − g t, with each state's own field g."""
    system = systems.RelativisticParticle()
    q, v, g = of(system)["states"]
    found = reading.symmetries(system.lagrangian, (q, v, g))
    (one,), (conserved,) = found.found, found.conserved
    t = np.linspace(-1, 1, len(q))
    known = over(system.momentum, q, v, g)[:, 0] - (g[:, 0] * t)
    value = over(conserved, q, v, g, t)
    np.testing.assert_allclose(value / one.b[0] - known, 0, atol=1e-6 * np.abs(known).max())


def test_a_turning_trap_keeps_jacobis_integral():
    """Neither a turn nor a while alone leaves it as it is, both together do: E − ΩL."""
    turn = 0.7

    def lagrangian(q, q_dot, t):
        c, s = jnp.cos(turn * t), jnp.sin(turn * t)
        x, y = c * q[0] + s * q[1], -s * q[0] + c * q[1]
        return 0.5 * q_dot @ q_dot - 0.5 * x**2 - 2 * y**2

    q, v = states(2)
    t = np.random.default_rng(1).uniform(0, 6, len(q))
    found = reading.symmetries(lagrangian, (q, v), times=t)
    (one,), (conserved,) = found.found, found.conserved
    np.testing.assert_allclose(one.A / one.tau, [[0, -turn], [turn, 0]], atol=1e-9)
    energy = over(mechanics.energy(lagrangian), q, v, t)
    jacobi = energy - turn * (q[:, 0] * v[:, 1] - q[:, 1] * v[:, 0])
    np.testing.assert_allclose(over(conserved, q, v, t), -one.tau * jacobi, atol=1e-8)
    assert "time by 1" in str(one) and r"\text{time by } 1" in one.latex()
    still = reading.symmetries(mechanics.acceleration(lagrangian), (q, v), times=t)
    assert len(still) == 2  # with the multiples of a linear equation


def test_an_angle_has_no_multiples():
    system = systems.Pendulum(gravity=1e-30)
    q, v = states(1)
    turning = reading.symmetries(system.lagrangian, (q, v), angles=(True,))
    assert len(turning.singular_values) == 2 and all(np.all(one.A == 0) for one in turning.found)
    assert len(reading.symmetries(system.lagrangian, (q, v)).singular_values) == 3


def test_a_total_derivative_changes_nothing():
    """𝓛 + dG/dt has the symmetries of 𝓛, and what it conserves is constant, K taken away."""

    def moved(q, q_dot):
        gauge = lambda q: q[0] ** 3 - 0.5 * q[0] * q[1] ** 2 + q[1]  # noqa: E731
        return quartic(q, q_dot) + jax.jvp(gauge, (q,), (q_dot,))[1]

    given = states(2)
    plain, other = (reading.symmetries(x, given) for x in (quartic, moved))
    np.testing.assert_allclose(plain.singular_values, other.singular_values, atol=1e-9)
    law = mechanics.acceleration(quartic)
    for found in (plain, other):
        assert changes(law, found.conserved[0], [1.0, 0.2], [0.0, 0.7]) < 1e-7


def test_a_broken_symmetry_grows_with_what_breaks_it():
    def found(broken, tolerance=0.1):
        law = lambda q, q_dot: -q * jnp.array([1.0, 1.0 + broken]) - 0.3 * q @ q * q  # noqa: E731
        return reading.symmetries(law, states(2), tolerance=tolerance)

    least = [found(x).singular_values[-1] for x in (1e-4, 1e-3, 1e-2)]
    np.testing.assert_allclose(np.divide(least[1:], least[:-1]), 10, rtol=0.02)
    assert len(found(1e-2, least[2] * 1.01)) == 1 and len(found(1e-2, least[2] * 0.99)) == 0
    assert found(1e-2).found[0].broken == pytest.approx(least[2], rel=1e-6)


@pytest.mark.parametrize("scale", [(1e-6, 1e-6), (1e6, 1e6), (1e-6, 1e6)])
def test_units_make_no_difference(scale):
    """The rotation of an isotropic oscillator, with its coordinates in other units."""
    scale = np.array(scale)
    law = lambda q, q_dot: isotropic(q / scale, q_dot / scale)  # noqa: E731
    given = tuple(x * scale for x in states(2))
    found = reading.symmetries(law, given)
    np.testing.assert_allclose(
        found.singular_values, reading.symmetries(isotropic, states(2)).singular_values, atol=1e-9
    )
    assert str(found.found[0]).count("q") == 2  # both entries, however small one is
    known = lambda q, v: (q[0] * v[1] - q[1] * v[0]) / np.prod(scale)  # noqa: E731
    ratio = over(found.conserved[0], *given) / over(known, *given)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-6)


def test_a_coordinate_that_stays_where_it_is_has_a_size():
    """The mean of equal numbers is off by rounding, which is no spread."""
    q, v = states(2, 300)
    q[:, 1] = 0.1
    assert reading.States.of((q, v)).scale[1] == 1.0


def test_all_below_the_tolerance_is_counted():
    found = reading.symmetries(lambda q, q_dot: -q, states(1), tolerance=100.0)
    assert len(found) == len(found.singular_values) == 3
    nothing = reading.symmetries(lambda q, q_dot: jnp.zeros(1), states(1))
    assert len(nothing) == 3


def test_states_of_single_digits_are_read_in_double(float32):
    q, v = (jnp.asarray(x, jnp.float32) for x in states(2))
    found = reading.symmetries(isotropic, jnp.stack([q, v]))
    assert len(found) == 1 and found.singular_values[-1] < 1e-12


# --- Formulas ----------------------------------------------------------------------------------

SMALL = {
    "double pendulum": reading.angles(2) * (terms("1") + reading.velocities(2, 2, 2)),
    "Kepler": (terms("1", "norm(q)", "q[0]", "q[0]**2", "q[1]**2", "norm(q)**-1", "log(norm(q))"))
    * (terms("1") + reading.velocities(2)),
    "magnetic charge": reading.coordinates(2, 2) * (terms("1") + reading.velocities(2)),
    "spring pendulum": terms("q[0]*cos(q[1])", "cos(q[1])")
    + reading.coordinates(1, 2) * terms("1", "sin(q[1])") * (terms("1") + reading.velocities(2)),
    "relativistic particle": experiments.reading.FAST,
}


@pytest.mark.parametrize("name", SMALL)
def test_a_formula_is_found_to_its_last_digits(name):
    case = SYSTEMS[name]
    system = case.system
    found = reading.formula(
        system.acceleration, library=SMALL[name], unit=next(iter(case.truth)), **of(system, 400)
    )
    (one,) = found.family
    assert coefficients(one) == pytest.approx(case.truth, rel=1e-8)
    assert one.unexplained < 1e-6 and found.needed == 1
    (last,) = (step for step in found.path if set(step.terms) == set(case.truth))
    assert last.terms == pytest.approx(case.truth, rel=1e-6)


def test_a_smooth_error_of_a_hundredth_keeps_the_terms():
    """As a network has it: of 1 % in places, the same at the same state."""
    case = SYSTEMS["double pendulum"]

    def learned(q, q_dot):
        error = jnp.stack([jnp.sin(2 * q[0] + q_dot[1]), jnp.cos(q[1] - 0.7 * q_dot[0])])
        return case.system.acceleration(q, q_dot) + 0.1 * error

    found = reading.formula(
        learned, library=SMALL["double pendulum"], unit="q_dot[0]**2", **of(case.system, 1000)
    )
    assert coefficients(found.best) == pytest.approx(case.truth, rel=0.05)
    assert 1e-3 < found.best.unexplained < 0.05


def test_friction_is_found_with_its_sign():
    """D = ½ · 0.3 q̇² for 𝓛 = ½ q̇² + 9.8 cos q, in units of 𝓛."""
    law = lambda q, q_dot: -9.8 * jnp.sin(q) - 0.3 * q_dot  # noqa: E731
    friction = terms("q_dot[0]**2", "q_dot[0]**4")
    given = states(1)
    one = reading.formula(law, given, PENDULUM, friction=friction, angles=(True,)).best
    assert coefficients(one) == pytest.approx({"q_dot[0]**2": 1.0, "cos(q[0])": 19.6}, rel=1e-8)
    np.testing.assert_allclose(one.coefficients[2:], [0.3, 0], atol=1e-8)
    force = mechanics.rayleigh(one.dissipation)
    found = over(mechanics.acceleration(one.lagrangian, force=force), *given)
    np.testing.assert_allclose(found, law(*given), atol=1e-7)
    assert "D: q_dot[0]**2" in str(one) and "19.6" in str(one)


def test_friction_that_is_not_there_has_an_interval_around_zero():
    q, v = states(1)
    noisy = -9.8 * np.sin(q) + 0.05 * np.random.default_rng(0).normal(size=q.shape)
    friction = terms("q_dot[0]**2", "q_dot[0]**4")
    one = reading.formula(noisy, (q, v), PENDULUM, friction=friction, angles=(True,)).best
    low, high = one.intervals[2:].T
    assert (low < 0).all() and (high > 0).all()
    bare = reading.formula(noisy, (q, v), PENDULUM, angles=(True,))
    assert bare.best.friction is None and bare.dissipation(q[0], v[0]) == 0


def test_terms_that_are_total_derivatives_are_taken_out():
    """sin(q₁) q̇₁ = −d cos(q₁)/dt, and q₁q̇₂ + q₂q̇₁ = d(q₁q₂)/dt of which one may stay."""
    library = OSCILLATOR + terms("1", "sin(q[0])*q_dot[0]", "q_dot[1]*q[0]", "q_dot[0]*q[1]")
    magnetic = systems.ChargeInMagneticField()
    found = reading.formula(magnetic.acceleration, library=library, **of(magnetic))
    assert found.gauge == ("1", "sin(q[0])*q_dot[0]", "q_dot[0]*q[1]")
    truth = SYSTEMS["magnetic charge"].truth
    assert coefficients(found.best) == pytest.approx(truth)


@pytest.mark.parametrize(
    ("system", "library", "members", "needed"),
    [
        (systems.IsotropicOscillator(), OSCILLATOR, 2, 2),
        (systems.TwoBodiesOnSpring(), terms("q[0]", "q[1]") + OSCILLATOR, 2, 2),
        (systems.FallingBall(), terms("q[0]", "q[1]") + OSCILLATOR, 2, 2),
    ],
)
def test_of_many_lagrangians_as_many_as_are_needed_move_all(system, library, members, needed):
    """Parts that do not know of one another, and parts that may be exchanged."""
    given = of(system)
    found = reading.formula(system.acceleration, library=library, **given)
    assert len(found.family) >= members and found.needed == needed
    assert "independent Lagrangians fit alike" in str(found)
    assert r"\\" in found._repr_latex_()
    again = over(mechanics.acceleration(found.lagrangian), *given["states"])
    true = over(system.acceleration, *given["states"])
    np.testing.assert_allclose(again, true, atol=1e-6 * np.abs(true).max())


def test_a_coordinate_that_is_learned_less_well_is_not_left_out():
    """The centre of mass exactly and the spring nearly: the sum of both is the formula."""
    system = systems.TwoBodiesOnSpring()
    q, q_dot = of(system)["states"]
    truth = np.asarray(jax.vmap(system.acceleration)(q, q_dot))
    error = 1e-3 * np.tanh(np.asarray(q) @ [1.0, -2.0] + np.asarray(q_dot) @ [0.5, 1.0])
    library = reading.coordinates(2, 2) * (reading.terms("1") + reading.velocities(2))
    found = reading.formula(truth + error[:, None] * [1.0, -1.0], (q, q_dot), library)
    assert found.needed == 2 and found.family[0].unexplained < 1e-5 < found.family[1].unexplained
    off = over(mechanics.acceleration(found.lagrangian), q, q_dot) - truth
    assert np.abs(off).max() < 5e-3


def test_a_share_that_rises_little_by_little_is_held_to_the_beginning():
    """A network that is off by two per cent: no loss of a term alone raises ρ by twice."""
    shares = [0.0195, 0.02, 0.0205, 0.021, 0.040, 0.079, 0.13, 0.2, 0.33, 0.58, 0.91]
    steps = [(share, None) for share in shares]
    assert _last_before_a_rise(steps, 2.0, 0.1) == shares.index(0.021)
    assert _last_before_a_rise(steps, 1.5, 0.1) == shares.index(0.021)


def anisotropic(q, q_dot):
    return -q * jnp.array([1.0, 4.0])


def test_a_unit_that_one_of_a_family_lacks_is_that_of_the_others():
    found = reading.formula(anisotropic, states(2), OSCILLATOR, unit="q[0]**2")
    one, other = map(coefficients, found.family)
    assert one == pytest.approx({"q[0]**2": 1.0, "q_dot[0]**2": -1.0})
    assert other == pytest.approx({"q[1]**2": -4.0, "q_dot[1]**2": 1.0})


def test_the_unit_is_the_first_square_of_a_velocity():
    """And no square of a coordinate beside a velocity."""
    for chosen, place in [
        (["q_dot[1]*q[0]**2", "q[0]**2", "q_dot[1]**2"], 2),
        (["q[0]", "norm(q_dot)**2"], 1),
        (["q[0]", "sqrt(1 - q_dot[0]**2)"], 1),
        (["q[0]", "q_dot[0]*q_dot[1]"], 1),
        (["q[0]", "D: q_dot[0]**2"], 0),
    ]:
        assert _leading(chosen, None, best=True) == place


def test_what_leaves_a_coordinate_out_is_no_lagrangian_to_follow():
    """½q̇₁² − ½q₁² explains its own coordinate; of the other it says nothing."""
    found = reading.formula(anisotropic, states(2), terms("q[0]**2", "q_dot[0]**2", "q[1]**2"))
    assert found.needed == 0 and "singular mass matrix" in str(found)
    with pytest.raises(reading.FormulaError, match="gives some coordinate no motion: add terms"):
        found.lagrangian(jnp.ones(2), jnp.ones(2))


def test_intervals_hold_the_truth_in_nineteen_of_twenty():
    q, v = states(1, 200)
    library, friction = terms("q_dot[0]**2", "cos(q[0])"), terms("q_dot[0]**2", "q_dot[0]**4")
    inside = []
    for seed in range(8):
        a = -9.8 * np.sin(q) - 0.1 * v + 0.2 * np.random.default_rng(seed).normal(size=q.shape)
        low, high = reading.formula(a, (q, v), library, friction=friction).best.intervals[1:].T
        inside += list((low < [19.6, 0.1, 0]) & (high > [19.6, 0.1, 0]))
    assert 20 <= sum(inside) < 24


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_a_formula_in_other_units(scale):
    given = states(1, scale=scale)
    library = terms("q_dot[0]**2", f"cos(q[0]/{scale})", "q[0]**2", "q[0]**4")
    law = lambda q, q_dot: -scale * jnp.sin(q / scale)  # noqa: E731
    one = reading.formula(law, given, library).best
    assert one.library.names == ("q_dot[0]**2", f"cos(q[0]/{scale})")
    assert one.coefficients == pytest.approx([1.0, 2 * scale**2], rel=1e-8)


def test_angles_of_many_turns_keep_their_digits(float32):
    """1 000 turns in single digits would leave a thousandth of a radian."""
    q, v = states(1)
    q = q * 2000 * np.pi
    one = reading.formula(-9.8 * np.sin(q), (q, v), PENDULUM, angles=(True,)).best
    assert coefficients(one) == pytest.approx({"q_dot[0]**2": 1.0, "cos(q[0])": 19.6}, rel=1e-8)
    assert one.unexplained < 1e-6


def test_states_at_which_a_term_is_not_finite_are_left_out():
    library = terms("log(q[0])", "q[0]**2", "q_dot[0]**2")
    one = reading.formula(lambda q, q_dot: -4 * q, states(1), library).best
    assert coefficients(one) == pytest.approx({"q[0]**2": -4.0, "q_dot[0]**2": 1.0})


def test_many_coordinates_and_a_context():
    q, v = states(4)
    rate = np.random.default_rng(4).uniform(1, 2, (len(q), 1))
    library = terms(*(f"q_dot[{k}]**2" for k in range(4)), "norm(q)**2*context[0]", "norm(q)**2",
                    "norm(q)**4*context[0]")  # fmt: skip
    law = lambda q, q_dot, context: -context * (q @ q) * q  # noqa: E731
    one = reading.formula(law, (q, v, rate), library).best
    squares = {f"q_dot[{k}]**2": 1.0 for k in range(4)}
    assert coefficients(one) == pytest.approx(squares | {"norm(q)**4*context[0]": -0.5})


# --- Libraries and how they are written ---------------------------------------------------------


def test_libraries_add_multiply_and_pick():
    a, b = terms("1", "q[0]"), terms("q_dot[0]", "q_dot[0]**2")
    assert (a + b).names == ("1", "q[0]", "q_dot[0]", "q_dot[0]**2")
    assert (a * b).names == ("q_dot[0]", "q_dot[0]**2", "q_dot[0]*q[0]", "q_dot[0]**2*q[0]")
    assert (a * b).only([2, 0]).names == ("q_dot[0]*q[0]", "q_dot[0]")
    assert (a + b).without("1", "q_dot[0]").names == ("q[0]", "q_dot[0]**2")
    assert len(reading.coordinates(3, 2)) == 10 and len(reading.velocities(2, 4, 2)) == 12
    every = ("cos(q[0])", "sin(q[0])", "cos(q[0] - q[1])", "sin(q[0] + q[1])")
    assert set(every) < set(reading.angles(2).names) and len(reading.angles(2)) == 9
    assert len(reading.angles(2, 2)) == 25
    assert reading.distances((1, -2)).names == ("norm(q)", "norm(q)**-2", "log(norm(q))")


def test_a_term_has_its_value_also_at_whole_numbers():
    every = terms("sin(q[0])", "cos(q[0])", "exp(q[0])", "log(q[0])", "sqrt(q[0])", "tanh(q[0])",
                  "abs(-q[0])", "norm(q)", "(q[0] + q_dot[1])/2", "1")  # fmt: skip
    x = 2.0
    known = [np.sin(x), np.cos(x), np.exp(x), np.log(x), np.sqrt(x), np.tanh(x), x, np.hypot(x, 3),
             3.5, 1]  # fmt: skip
    for of in (int, float):
        found = every(jnp.array([2, 3], of), jnp.array([4, 5], of))
        np.testing.assert_allclose(found, known, rtol=1e-12)


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        ("q[0]/2", r"\frac{q_1}{2}"),
        ("1/q[0]", r"\frac{1}{q_1}"),
        ("2*q[0]**2", "2 q_1^2"),
        ("(q[0] + q[1])**2", r"\left(q_1 + q_2\right)^2"),
        ("(q[0]/2)**2", r"\left(\frac{q_1}{2}\right)^2"),
        ("q_dot[0]**-1.5", r"\dot q_1^{-1.5}"),
        ("+q[0]", "q_1"),
        ("-2*q[0]", "-2 q_1"),
        ("-(q[0] + q[1])", r"-\left(q_1 + q_2\right)"),
        ("q[0] - (q[1] - q[0])", r"q_1 - \left(q_2 - q_1\right)"),
        ("q[0]*-q[1]", r"q_1 \left(-q_2\right)"),
        ("2*3*q[0]", r"2 \cdot 3 q_1"),
        ("2e-7*q[0]", r"2 \cdot 10^{-7} q_1"),
        ("1.23456789*q[10]", "1.23456789 q_{11}"),
        ("sin(q[0])**2", r"\left(\sin(q_1)\right)^2"),
        ("exp(-q[0])*log(q[1])", r"e^{-q_1} \log(q_2)"),
        ("sqrt(1 - q_dot[0]**2)", r"\sqrt{1 - \dot q_1^2}"),
        ("norm(q_dot)**4", r"|\dot q|^{4}"),
        ("abs(q[0])*tanh(context[0])", r"|q_1| \tanh(c_1)"),
    ],
)
def test_latex_says_what_python_says(expression, written):
    assert reading.latex(expression) == written


def test_a_sum_is_written_as_it_is():
    """Python's string is the same function; brackets stay, signs and powers of ten are right."""
    library = terms("q[0] + q[1]", "q[0]/2", "-q[0]", "1", "q_dot[0]**2", "q_dot[1]**2*cos(q[0])")
    c = np.array([-1.0, -3.0, 1e-7, 1234567.8901, 1.0, 2 / 3])
    one = reading.Sum(library, c, np.stack([c, c], axis=1), 0.0)
    q, v = np.array([0.3, 1.7]), np.array([-0.4, 0.9])
    told = eval(one.python(), {"q": q, "q_dot": v, "cos": np.cos})
    assert told == pytest.approx(float(one.lagrangian(q, v)), rel=1e-14)
    assert ast.parse(one.python(3), mode="eval") and one.python(2).startswith("-(q[0] + q[1]) - 3*")
    assert one.latex(["x", "y"], digits=2) == (
        r"\mathcal{L} = -\left(x + y\right) - 3 \frac{x}{2} + 10^{-7} \left(-x\right) "
        r"+ 1.2 \cdot 10^{6} + \dot x^2 + 0.67 \dot y^2 \cos(x)"
    )


def test_a_displacement_is_written_as_it_is():
    A, b, c = np.array([[0, -2e-7], [1e-12, 1]]), np.array([1, 0.0]), np.array([0, -2.0])
    one = reading.Symmetry(A, b, c, 0.5)
    assert str(one) == "(1, q[1] - 2 t), time by 0.5"
    other = reading.Symmetry(np.zeros((1, 1)), np.array([3e5]), np.zeros(1), 0.0)
    assert str(other) == "(3e+05)" and other.latex() == r"(3 \cdot 10^{5})"


def test_what_is_small_is_told_in_units_of_the_motion():
    """A turn of a micrometre and a kilometre, and a boost that is seen within a day."""
    turn = np.array([[0, -1e-9], [1e9, 0]])
    one = reading.Symmetry(turn, np.zeros(2), np.zeros(2), 0.0, scale=np.array([1e-6, 1e3]))
    assert str(one) == "(-1e-09 q[1], 1e+09 q[0])" and not one.boosts
    slow = reading.Symmetry(np.zeros((1, 1)), np.ones(1), np.array([1e-5]), 0.0, time=86400.0)
    assert slow.boosts and str(slow) == "(1 + 1e-05 t)"
    assert not reading.Symmetry(np.zeros((1, 1)), np.ones(1), np.array([1e-5]), 0.0).boosts


# --- What is refused ----------------------------------------------------------------------------

Q, V = states(2, 100)


def law(q, q_dot):
    return -q


def read(acceleration=law, given=(Q, V), library=OSCILLATOR, **settings):
    return reading.formula(acceleration, given, library, **settings)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: terms("q[0]", "q[0]"), r"expected each term once, got q\[0\] twice"),
        (lambda: terms("q[0]") + terms("q[0]"), "each term once"),
        (lambda: read(library=OSCILLATOR + terms("2*q[0]*q[0]")), "are the same at all states"),
        (
            lambda: read(library=OSCILLATOR + terms("log(-q[0]**2)")),
            "finite at some states, got log",
        ),
        (lambda: read(given=(Q[:4], V[:4])), "twice as many residuals as terms, got 8 for 7"),
        (lambda: read(library=terms("q_dot[0]", "1")), "every one of the 2 terms is a total deriv"),
        (lambda: read(lambda q, v: v * q), "no sum of the 7 terms explains"),
        (
            lambda: read(lambda q, v: 0 * q, library=reading.velocities(2, 2, 2)),
            "nearly everything does",
        ),
        (
            lambda: read(
                given=(1 + 0.01 * Q, V), library=terms(*(f"q[0]**{k}" for k in range(1, 9)))
            ),
            "can hardly be told apart",
        ),
        (lambda: read(Q[:, :1]), r"of the shape of q, \(100, 2\), got \(100, 1\)"),
        (lambda: read(isotropic), "accelerations of the shape of q"),
        (lambda: read(np.where(Q > 2, np.nan, Q)), "finite accelerations, but those of"),
        (lambda: read(lambda q, v, t: -q * t), "do not depend on time"),
        (lambda: read(given=(Q, V[:5])), "one shape"),
        (lambda: read(given=Q), "expected states as"),
        (lambda: read(given=5), "expected states as .* got int"),
        (lambda: read(given=(Q, V, Q[:, 0])), "finite context of shape"),
        (lambda: read(given=(Q * np.nan, V)), "q to be finite"),
        (lambda: read(library=["q[0]"]), "library to be a Library, got list"),
        (lambda: read(friction="q_dot[0]"), "friction to be a Library, got str"),
        (lambda: read(threshold=1.0), "threshold > 1"),
        (lambda: read(limit=0.0), "limit > 0"),
        (lambda: read(seed=-1), "seed >= 0"),
        (lambda: read(unit="q[7]"), "unit to be a term of the library"),
        (lambda: read(unit="q[0]**4"), "unit to be a term that was kept"),
        (lambda: read(angles=(True,)), "2 entries in angles"),
        (lambda: read(angles=True), "angles to be a tuple"),
        (lambda: read(library=OSCILLATOR + terms("q[2]")), r"there is no q\[2\]"),
        (lambda: read(library=OSCILLATOR + terms("context[0]*q[0]")), r"there is no context\[0\]"),
        (lambda: terms(), "at least one term"),
        (lambda: terms(1.0), "a term as a string"),
        (lambda: terms("q[0"), "an expression of Python"),
        (lambda: terms("__import__('os')"), "expected a term of q, q_dot"),
        (lambda: terms("q.sum()"), "expected a term of"),
        (lambda: terms("norm(q, ord=1)"), "expected a term of"),
        (lambda: terms("norm(q, 1)"), "expected a term of"),
        (lambda: terms("x[0]"), "expected a term of"),
        (lambda: terms("sin + 1"), "expected a term of"),
        (lambda: terms("q[-1]"), "expected a term of"),
        (lambda: terms("q[0:1]"), "expected a term of"),
        (lambda: terms("q[0] if 1 else 2"), "expected a term of"),
        (lambda: terms("[q[0] for x in q]"), "expected a term of"),
        (lambda: terms("True"), "expected a term of"),
        (lambda: terms("q")(Q[0], V[0]), "with one value"),
        (lambda: terms("1/0")(Q[0], V[0]), "division by zero"),
        (lambda: terms("(-1)**0.5")(Q[0], V[0]), "a real value"),
        (lambda: terms("q[0]").without("q[1]"), "names of terms"),
        (lambda: reading.angles(0), "dim >= 1"),
        (lambda: reading.velocities(2, 2, -1), "lowest >= 0"),
        (lambda: reading.symmetries(isotropic, (Q, V), tolerance=0.0), "tolerance > 0"),
        (lambda: reading.symmetries(1.0, (Q, V)), "function to be a function"),
        (lambda: reading.symmetries(isotropic, 5), "expected states as"),
        (lambda: reading.symmetries(isotropic, (Q[:7], V[:7])), "at least 16 states for 8"),
        (
            lambda: reading.symmetries(lambda q, v: v[:1], (Q, V)),
            "expected a Lagrangian, a scalar, or",
        ),
        (lambda: reading.symmetries(lambda q, v: (v, q), (Q, V)), "got tuple"),
        (
            lambda: reading.symmetries(lambda q, v: jnp.log(q), (Q, V)),
            "finite with its derivatives",
        ),
        (
            lambda: reading.symmetries(lambda q, v: 0.3 * (v[0] + v[1]) ** 2 - q @ q, (Q, V)),
            "its mass matrix is singular at 100 of 100",
        ),
        (lambda: reading.symmetries(isotropic, (Q, V), times=Q[:, 0]), "expected no times"),
        (
            lambda: reading.symmetries(lambda q, v, t: -q * t, (Q, V)),
            "expected times of the states",
        ),
        (
            lambda: reading.symmetries(lambda q, v, t: -q * t, (Q, V), times=Q[:5, 0]),
            r"finite times of shape \[100\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
