"""The checks of chapter 9: right answers in several forms pass, typical slips are named."""

import math
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy import interpolate, optimize

from lnn_tutorial import checks, integrate
from lnn_tutorial.checks import chapter9
from tests.wrong_answers import refused, wrong_answers

FOUR = [
    checks.best_step,
    checks.local_acceleration,
    checks.next_position,
    checks.learned_stiffness_midpoint,
]

GARBAGE = [
    "0.2",
    "",
    b"1",
    1j,
    True,
    np.nan,
    np.inf,
    [],
    [[1.0, 2.0], [3.0]],
    [1.0, "2"],
    [1.0, None, 2.0],
    {"a": 1.0},
    {0.5},
    object(),
    np.ones((2, 3, 4)),
    np.ones(0),
    np.array(["a", "b"]),
    np.full(1, np.nan),
    np.full(2, np.nan),
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


# --- The best step -----------------------------------------------------------------------------


def squares(h, sigma, fourth):
    """What has to be small: the noise and the error of a second difference, squared."""
    return 6 * sigma**2 / h**4 + (h**2 * fourth / 12) ** 2


def best(sigma, fourth):
    return 864**0.125 * (sigma / fourth) ** 0.25


def searched(sigma, fourth):
    """From a search, whatever the units are."""
    cost = lambda log: math.log(squares(math.exp(log), sigma, fourth))  # noqa: E731
    return math.exp(optimize.minimize_scalar(cost, (-4.0, 1.0), tol=1e-9).x)


@pytest.mark.parametrize(
    "answer",
    [
        best,
        searched,
        lambda sigma, fourth: jnp.array([jnp.sqrt(jnp.sqrt(12 * 6**0.5 * sigma / fourth))]),
        lambda sigma, fourth: Fraction(best(sigma, fourth)),
        lambda sigma, fourth: max(
            np.roots([4 * fourth**2 / 144, *[0] * 7, -24 * sigma**2]).real
        ),  # the slope of the sum, times h⁵
    ],
)
def test_the_best_step_in_five_forms(answer):
    assert checks.best_step(answer)


def test_at_the_best_step_the_measured_error_of_a_second_difference_is_least():
    """From noise and a motion, and not from the formula."""
    sigma, omega = 1e-3, 3.0
    noise = sigma * np.random.default_rng(3).normal(size=(3, 4000))
    phase = np.linspace(0, 2 * np.pi, 4000)
    best_h = best(sigma, omega**4 / 2**0.5)  # its root mean square

    def error(h):
        before, now, after = np.cos(phase + omega * h * np.array([[-1], [0], [1]])) + noise
        wrong = (after - 2 * now + before) / h**2 + omega**2 * np.cos(phase)
        return np.sqrt(np.mean(wrong**2))

    tried = best_h * np.array([0.6, 0.8, 1.0, 1.25, 1.6])
    assert np.argmin([error(h) for h in tried]) == 2


def like(constant):
    return lambda sigma, fourth: (constant * sigma / fourth) ** 0.25


@wrong_answers(
    "best_step",
    [
        (like(48), "as if they always had one sign"),
        (like(12), "the noise of a single frame"),
        (like(12 * 2**0.5), "the noise of a third is missing"),
        (like(12 * 3**0.5), "its noise once"),
        (like(24), "squared with it"),
        (like(72), "its square were mixed up"),
        (like(6**0.5), "lacks its number"),
        (lambda sigma, fourth: best(fourth, sigma), "have changed places"),
        (lambda *given: best(*given) ** 8, "a power of the step"),
        (lambda *given: best(*given) ** 4, "to the fourth power"),
        (lambda *given: best(*given) ** 2, "the square of the step"),
        (lambda sigma, fourth: 864**0.5 * (sigma / fourth) ** 0.25, "the number before them"),
        (like(864), "belongs to their squares"),
        (lambda sigma, fourth: (144 * sigma**2 / fourth) ** (1 / 6), "the other was not"),
        (lambda sigma, fourth: (72 * 6**0.5 * sigma / fourth**2) ** (1 / 6), "the other was."),
        (lambda sigma, fourth: (1728 * sigma**2 / fourth**2) ** (1 / 6), "grows with h itself"),
        (lambda sigma, fourth: (432 * sigma**2 / fourth**2) ** (1 / 6), "divided by h once"),
        (like(10), "off by one factor for all"),
        (lambda sigma, fourth: best(1e-3, fourth), "More noise asks for more time"),
        (lambda sigma, fourth: best(sigma, 90.0), "bends faster asks for less time"),
        (lambda *given: 10 ** round(math.log10(best(*given)), 1), "too few steps"),
        (lambda sigma, fourth: best(sigma**1.5, fourth), "Your step for σ = 0.001"),
        (lambda *given: -best(*given), "wrong sign"),
        (lambda *given: 2 * best(*given), "factor of 2"),
        (lambda *given: 0.0, "does not depend on h"),
        (lambda *given: math.nan, "not finite"),
        (lambda *given: np.ones(2), "one number, and has shape (2,)"),
        (lambda *given: "short", "a real number, got str"),
    ],
)
def test_slips_of_the_step_are_named(slip, word):
    refused(checks.best_step(slip), word)


# --- A window ----------------------------------------------------------------------------------


def fitted(t, q, degree):
    return Polynomial.fit(t, q, degree).deriv(2)((t[0] + t[-1]) / 2)


def centred(t, q, degree, scale=None, back=True, coefficient=2):
    """By least squares, in times from the middle in units of half of the window."""
    half = (t[-1] - t[0]) / 2 if scale is None else scale(t)
    powers = np.vander((t - (t[0] + t[-1]) / 2) / half, degree + 1, increasing=True)
    found = np.linalg.lstsq(powers, q, rcond=None)[0]
    return coefficient * found[2] / (half**2 if back else 1)


def in_jax(t, q, degree):
    """In the precision of the book."""
    half = (t[-1] - t[0]) / 2
    powers = jnp.vander(jnp.asarray((t - (t[0] + t[-1]) / 2) / half), degree + 1)
    return 2 * jnp.linalg.lstsq(powers, jnp.asarray(q))[0][degree - 2] / half**2


def orthogonal(t, q, degree):
    """By polynomials that are orthogonal to each other on these frames."""
    middle = (t[0] + t[-1]) / 2
    basis = np.polynomial.legendre.Legendre.fit(t, q, degree)
    return [basis.deriv(2)(middle)]


@pytest.mark.parametrize("answer", [fitted, centred, in_jax, orthogonal])
def test_the_acceleration_of_a_window_in_four_forms(answer):
    assert checks.local_acceleration(answer)


def test_the_window_of_the_check_finds_what_a_spline_fit_finds():
    """A spline without inner knots is a polynomial; its least squares are SciPy's own."""
    t, q, degree = *chapter9._window(3, 8, 0.0, 0.9), 4
    knots = np.repeat([t[0], t[-1]], degree + 1)
    spline = interpolate.make_lsq_spline(t, q, knots, degree)
    expected = spline.derivative(2)((t[0] + t[-1]) / 2).item()
    assert chapter9._accelerations(t, q, degree)[0] == pytest.approx(expected, rel=1e-9)


def at(place, order=2):
    """The fit's derivative at another time."""
    return lambda t, q, degree: Polynomial.fit(t, q, degree).deriv(order)(place(t))


def evenly(t, q, degree):
    return fitted(np.linspace(t[0], t[-1], len(t)), q, degree)


def by_number(t, q, degree):
    return fitted(np.arange(len(t)), q, degree)


def of_degree(other):
    return lambda t, q, degree: fitted(t, q, other(degree, len(t)))


def three_frames(t, q, degree):
    k = len(t) // 2
    before, now, after = q[k - 1 : k + 2]
    first, second = t[k] - t[k - 1], t[k + 1] - t[k]
    return 2 * ((after - now) / second - (now - before) / first) / (first + second)


def gradient(t, q, degree):
    return np.gradient(np.gradient(q, t), t)[len(t) // 2]


def not_centred(t, q, degree, about=0.0):
    """All powers of the time itself; then the second derivative in the middle of the window."""
    t = np.asarray(t, np.float32)
    powers = np.vander(t, degree + 1, increasing=True)
    found = np.linalg.lstsq(powers.astype(float), q, rcond=1e-12)[0]
    middle = float(t[0] + t[-1]) / 2
    return sum(n * (n - 1) * found[n] * middle ** (n - 2) for n in range(2, degree + 1))


def deviation(t):
    return np.std(t)


def length(t):
    return t[-1] - t[0]


@wrong_answers(
    "local_acceleration",
    [
        (at(lambda t: t[len(t) // 2]), "not the middle of the window"),
        (at(lambda t: t[(len(t) - 1) // 2]), "of a frame near the middle"),
        (at(np.mean), "the mean of all times"),
        (at(lambda t: 0.0), "at t = 0"),
        (lambda *given: at(lambda t: 0.0)(*given) / 2, "about t = 0"),
        (at(lambda t: t[0]), "at the first frame"),
        (at(lambda t: t[-1]), "at the last frame"),
        (at(lambda t: (t[0] + t[-1]) / 2, order=1), "the velocity"),
        (at(lambda t: (t[0] + t[-1]) / 2, order=0), "the position"),
        (partial(centred, coefficient=1), "no derivative yet"),
        (partial(centred, back=False), "half of the window, and the acceleration was not"),
        (partial(centred, back=False, coefficient=1), "and a coefficient of t²"),
        (partial(centred, scale=length, back=False), "by the window, and the acceleration"),
        (partial(centred, scale=deviation, back=False), "their deviation, and"),
        (lambda t, *more: centred(t, *more) * length(t) / 2, "one of its two seconds"),
        (evenly, "equally far apart"),
        (by_number, "one of the frame's number"),
        (of_degree(lambda degree, _: degree - 1), "one degree less"),
        (of_degree(lambda degree, _: degree + 1), "one degree more"),
        (of_degree(lambda *_: 2), "a parabola, whatever the degree"),
        (of_degree(lambda _, frames: frames - 1), "goes through all frames"),
        (three_frames, "Three frames in the middle"),
        (gradient, "a difference of differences"),
        (not_centred, "It is right for early windows"),
        (lambda *given: -fitted(*given), "wrong sign"),
        (lambda *given: fitted(*given) + 0.5, "for 7 frames and degree 2"),
        (lambda t, q, degree: np.gradient(q, t), "should be one number"),
        (lambda *given: math.inf, "not finite"),
    ],
)
def test_slips_of_the_window_are_named(slip, word):
    refused(checks.local_acceleration(slip), word)


# --- The next position -------------------------------------------------------------------------


def derivatives(discrete_lagrangian):
    return [jax.grad(discrete_lagrangian, argnum) for argnum in (0, 1)]


def newton(miss, q, steps=10):
    """Compiled, for the tests' sake."""
    slope = jax.jacfwd(miss)

    @jax.jit
    def nearer(q):
        return q - jnp.linalg.solve(slope(q), miss(q))

    for _ in range(steps):
        q = nearer(q)
    return q


def following(discrete_lagrangian, q0, q1, steps=10):
    first, second = derivatives(discrete_lagrangian)
    arriving = second(q0, q1)
    return newton(lambda q: arriving + first(q1, q), 2 * q1 - q0, steps)


def by_scipy(discrete_lagrangian, q0, q1):
    """Without derivatives of the equation."""
    first, second = map(jax.jit, derivatives(discrete_lagrangian))
    arriving = second(q0, q1)
    return optimize.fsolve(lambda q: arriving + first(q1, q), 2 * q1 - q0, xtol=1e-6, epsfcn=1e-6)


def in_lists(*given):
    return following(*given).tolist()


@pytest.mark.parametrize("answer", [following, by_scipy, in_lists])
def test_the_next_position_in_three_forms(answer):
    assert checks.next_position(answer)


@pytest.mark.parametrize(
    ("system", "two"),
    [
        (chapter9._swing, [[0.5], [1.3]]),
        (chapter9._pair, [[0.3, -0.4], [0.7, -0.1]]),
        (chapter9._heavy_when_fast, [[0.1], [0.6]]),
    ],
)
def test_the_action_of_three_frames_is_stationary_at_the_expected_position(system, two):
    """By differences of the action of two steps, when the middle frame is moved."""
    q0, q1 = map(np.array, two)
    after = chapter9._positions(partial(system, np), q0, q1)[0]

    def action(middle):
        return system(np, q0, middle) + system(np, middle, after)

    for move in 1e-4 * np.eye(q0.size):
        assert (action(q1 + move) - action(q1 - move)) / 2e-4 == pytest.approx(0.0, abs=1e-6)


def test_the_swing_of_the_check_is_a_step_of_the_package():
    """Through its momenta, in the precision of the book."""
    h, q0, q1 = 0.45, np.array([0.5]), np.array([1.3])

    def lagrangian(q, q_dot):
        return 0.5 * q_dot @ q_dot + 9.81 * jnp.cos(q[0])

    _, arriving = chapter9._slopes(partial(chapter9._swing, np), q0, q1)
    q, _ = integrate.variational_step(lagrangian, jnp.asarray(q1), jnp.asarray(arriving), h)
    expected = chapter9._positions(partial(chapter9._swing, np), q0, q1)[0]
    assert np.asarray(q) == pytest.approx(expected, abs=1e-5)


def solved(equation, start=lambda q0, q1: 2 * q1 - q0):
    """Another equation of `(D₁, D₂, q0, q1, q)`, solved."""

    def answer(discrete_lagrangian, q0, q1):
        first, second = derivatives(discrete_lagrangian)
        return newton(lambda q: equation(first, second, q0, q1, q), start(q0, q1), 12)

    return answer


def backwards(discrete_lagrangian, q0, q1):
    guess = 2 * q1 - q0
    return 2 * guess - following(discrete_lagrangian, q0, q1, 1)


@wrong_answers(
    "next_position",
    [
        (partial(following, steps=0), "where Newton's method begins"),
        (partial(following, steps=1), "one step of Newton's method"),
        (partial(following, steps=2), "is not solved to the end"),
        (backwards, "the wrong way"),
        (solved(lambda d1, d2, a, b, q: d1(a, b) + d2(b, q)), "have changed places"),
        (solved(lambda d1, d2, a, b, q: d1(b, q)), "Only the second of the two terms"),
        (solved(lambda d1, d2, a, b, q: d2(a, b) + d2(b, q)), "are by the second position"),
        (solved(lambda d1, d2, a, b, q: d1(a, b) + d1(b, q)), "are by the first position"),
        (
            solved(lambda d1, d2, a, b, q: d2(a, b) - d1(b, q), lambda a, b: a),
            "the motion turns round",
        ),
        (solved(lambda d1, d2, a, b, q: d2(a, b) + d1(a, q)), "begins at q₀"),
        (
            solved(lambda d1, d2, a, b, q: d2(q, a) + d1(a, b), lambda a, b: 2 * a - b),
            "went back in time",
        ),
        (lambda d, a, b: following(d, a, b) - b, "how far it moves"),
        (lambda d, a, b: jax.grad(d, 1)(a, b), "momentum with which it arrives"),
        (lambda d, a, b: b, "not moved from q₁"),
        (lambda d, a, b: following(d, a, b) + 0.3, "Your next position for d = 1"),
        (lambda *given: following(*given)[0], "shape (), expected (1,)"),
        (lambda d, a, b: "q2", "made of real numbers"),
        (lambda d, a, b: jnp.full(1, jnp.nan), "not finite"),
    ],
)
def test_slips_of_the_next_position_are_named(slip, word):
    refused(checks.next_position(slip), word)


def test_two_coordinates_are_more_than_two_times_one():
    """Newton's method with the diagonal of its matrix alone, and once."""

    def each_alone(discrete_lagrangian, q0, q1):
        if q0.size == 1:
            return following(discrete_lagrangian, q0, q1)
        first, second = derivatives(discrete_lagrangian)
        guess = 2 * q1 - q0
        miss = second(q0, q1) + first(q1, guess)
        return guess - miss / jnp.diag(jax.jacfwd(lambda q: first(q1, q))(guess))

    refused(checks.next_position(each_alone), "Your next position for d = 2")


# --- The law that the midpoint rule learns -----------------------------------------------------


def learned(omega, h):
    return (2 / h * math.tan(omega * h / 2)) ** 2


@pytest.mark.parametrize(
    "answer",
    [
        learned,
        lambda omega, h: jnp.array([(2 / h * jnp.tan(omega * h / 2)) ** 2]),
        lambda omega, h: (
            4 / h**2 * (1 - math.cos(omega * h)) / (1 + math.cos(omega * h))
        ),
        lambda omega, h: Fraction(learned(omega, h)),
        lambda omega, h: -4 / h**2 * ((np.exp(1j * omega * h) - 1) ** 2
                                      / (np.exp(1j * omega * h) + 1) ** 2).real,
    ],
)  # fmt: skip
def test_the_learned_stiffness_in_five_forms(answer):
    assert checks.learned_stiffness_midpoint(answer)


@pytest.mark.parametrize(("omega", "h"), [(2.0, 0.5), (2.5, 1.4), (4.0, 1.2)])
def test_a_fit_of_the_rule_to_frames_finds_this_stiffness(omega, h):
    """The force of a step is that in its middle, and the momentum changes by it."""
    q = 0.7 * np.cos(omega * h * np.arange(40) + 0.3)
    middle = (q[1:] + q[:-1]) / 2
    pull, bend = (middle[1:] + middle[:-1]) / 2, np.diff(q, 2) / h**2
    fitted, residual, *_ = np.linalg.lstsq(-pull[:, None], bend, rcond=None)
    assert fitted[0] == pytest.approx(learned(omega, h), rel=1e-9)
    assert residual[0] < 1e-20


def test_followed_by_a_variational_integrator_of_the_same_step_it_is_right():
    """The package's steps, with this stiffness, meet the true swing at its frames."""
    omega, h, steps = 2.0, 0.5, 12
    k = learned(omega, h)
    start = jnp.array([0.0]), jnp.array([1.0])
    q, _ = integrate.variational_rollout(
        lambda q, q_dot: 0.5 * q_dot @ q_dot - 0.5 * k * q @ q, *start, dt=h, steps=steps
    )
    swing = np.sin(omega * h * np.arange(steps + 1))
    assert q[:, 0] == pytest.approx(swing * float(q[1, 0]) / swing[1], abs=1e-5)


@wrong_answers(
    "learned_stiffness_midpoint",
    [
        (lambda omega, h: omega**2, "This is the true stiffness"),
        (lambda omega, h: 2 * (1 - math.cos(omega * h)) / h**2, "what a leapfrog learns"),
        (lambda omega, h: omega**2 * (1 + (omega * h) ** 2 / 6), "the first correction only"),
        (
            lambda omega, h: omega**2 * (1 + (omega * h) ** 2 / 6 + 17 * (omega * h) ** 4 / 720),
            "the second correction only",
        ),
        (lambda omega, h: omega**2 * (1 - (omega * h) ** 2 / 6), "has the wrong sign"),
        (lambda omega, h: (2 / h * math.atan(omega * h / 2)) ** 2, "the other way round"),
        (lambda omega, h: 2 / h * math.tan(omega * h / 2), "not yet a stiffness"),
        (lambda omega, h: 2 / h * math.atan(omega * h / 2), "another question"),
        (lambda omega, h: (2 / h * math.tan(omega * h)) ** 2, "was not halved"),
        (lambda omega, h: learned(omega, h) / 2, "half of their sum"),
        (lambda omega, h: learned(omega, 2 * h), "twice as far apart"),
        (lambda omega, h: learned(omega, h / 2), "half as far apart"),
        (lambda omega, h: 4 / h**2 * math.tan(omega * h / 2), "A square is missing"),
        (lambda omega, h: learned(omega, h) * h, "one h too few"),
        (lambda omega, h: learned(omega, h) * h**2, "Nothing is divided by h"),
        (lambda omega, h: learned(h, omega), "have changed places"),
        (lambda omega, h: omega * math.sin(omega * h) / h, "One step of Euler"),
        (lambda omega, h: -learned(omega, h), "wrong sign"),
        (lambda omega, h: learned(omega, h) if omega * h < 3 else 0.0, "right for short h"),
        (lambda omega, h: learned(min(omega, math.pi / h - 0.1), h), "right for short h"),
        (lambda omega, h: math.nan, "not finite"),
        (lambda omega, h: [1.0, 2.0], "one number, and has shape (2,)"),
        (lambda omega, h: "ω²", "a real number, got str"),
    ],
)
def test_slips_of_the_stiffness_are_named(slip, word):
    refused(checks.learned_stiffness_midpoint(slip), word)


def test_all_four_congratulate():
    for verdict in (
        checks.best_step(best),
        checks.local_acceleration(fitted),
        checks.next_position(following),
        checks.learned_stiffness_midpoint(learned),
    ):
        assert repr(verdict).startswith("✓ ")
