"""Checks of chapter 9, positions and noise."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np
from numpy.polynomial import Polynomial

from lnn_tutorial.checks.verdict import Verdict, ask, check, compare, one_number, right

# --- The best step ----------------------------------------------------------------------------


@check(
    "return the best step.",
    title="How far apart should three frames be?",
    hints=(
        "Write the sum of the squares as a function of h. One part falls with h, and one grows: "
        "at the minimum the slope of the sum is zero.",
        "Multiply by h until no h is left below a fraction. Which single power of h is there?",
    ),
)
def best_step(answer: Callable) -> Verdict:
    """The h with the least error of a second difference: `answer(sigma, fourth) -> number`."""
    given = np.array([[1e-3, 90.0], [8e-3, 90.0], [1e-3, 2500.0], [0.05, 0.4], [2e-5, 7e3]])
    found = np.array([one_number(ask(answer, *each), "step") for each in given.tolist()])
    sigma, fourth = given.T
    expected = _step(864**0.5, sigma, fourth)
    for i in range(len(given)):
        name = f"Your step for σ = {sigma[i]:g} and fourth = {fourth[i]:g}"
        verdict = compare(found[i], expected[i], name=name)
        if verdict:
            continue
        slip = verdict.with_slip(found, _other_steps(sigma, fourth))
        return slip if slip.message != verdict.message else verdict.because(_trend(found, expected))
    return right("The best step, for five cameras. Which of the two errors is larger there?")


def _step(constant, sigma, fourth):
    """(constant · σ / q⁗)^¼."""
    return (constant * sigma / fourth) ** 0.25


def _other_steps(sigma, fourth):
    """Steps that are not the best one, by what to say of them."""
    step, ratio = partial(_step, sigma=sigma, fourth=fourth), sigma / fourth
    best = step(864**0.5)
    return {
        "The noises of three frames were added as if they always had one sign.": step(48),
        "This would be right for the noise of a single frame.": step(12),
        "This is for the difference of two frames: the noise of a third is missing.": (
            step(12 * 2**0.5)
        ),
        "In the second difference the middle frame stands twice, and in yours its noise once.": (
            step(12 * 3**0.5)
        ),
        "The middle frame's factor belongs to its noise, so it is squared with it.": step(24),
        "The noise's size and its square were mixed up.": step(72),
        "The error that comes from the fourth derivative lacks its number.": step(6**0.5),
        "σ and fourth have changed places.": step(864**0.5, sigma=fourth, fourth=sigma),
        "This is a power of the step.": best**8,
        "This is the step to the fourth power.": best**4,
        "This is the square of the step.": best**2,
        "The last power was taken of σ and fourth, and not of the number before them.": (
            864**0.5 * ratio**0.25
        ),
        "The number before σ and fourth belongs to their squares.": step(864),
        "One of the two errors was squared, and the other was not.": (144 * sigma * ratio)
        ** (1 / 6),
        "One of the two errors was not squared, and the other was.": (
            (72 * 6**0.5 * ratio / fourth) ** (1 / 6)
        ),
        "In yours the error of the fourth derivative grows with h itself.": (
            (1728 * ratio**2) ** (1 / 6)
        ),
        "In yours the noise is divided by h once only.": (432 * ratio**2) ** (1 / 6),
        "In yours the noise does not depend on h.": 0 * best,
    }


def _trend(found, expected):
    """What is seen of wrong steps; the second has more noise than the first, the third more q⁗."""
    if np.allclose(found / expected, found[0] / expected[0], rtol=1e-4):
        return "It is off by one factor for all σ and fourth."
    if found[1] <= found[0]:
        return "More noise asks for more time between the frames, and yours gives no more."
    if found[2] >= found[0]:
        return "A motion that bends faster asks for less time, and yours gives no less."
    if np.allclose(found, expected, rtol=0.15):
        return "It is near, as after a search among too few steps."
    return ""


# --- A window ---------------------------------------------------------------------------------


def _window(seed, frames, begin, span):
    """Times `[k]`, denser at first, and noisy positions `[k]` of a swing."""
    random = np.random.default_rng(seed)
    even = np.linspace(0.0, 1.0, frames) ** 1.5
    even[1:-1] += random.uniform(-0.25, 0.25, frames - 2) / frames
    t = span * np.sort(even)
    q = np.sin(4.0 * t + seed) + 0.4 * np.cos(7.0 * t) + 0.02 * random.normal(size=frames)
    return begin + t, q


@check(
    "return the acceleration in the middle of the window.",
    title="The acceleration of a window",
    hints=(
        "Measure the times from the middle of the window, and in units of half of its length. "
        "Which coefficient of the polynomial do you need then?",
        "A power of the time has a second derivative with a number in front, and the unit of "
        "time has to come back.",
    ),
)
def local_acceleration(answer: Callable) -> Verdict:
    """q̈ of the polynomial nearest to a window: `answer(t [k], q [k], degree) -> number`."""
    cases = [
        (*_window(1, 7, 0.3, 0.8), 2),
        (*_window(2, 9, 2.0, 1.1), 3),
        (*_window(3, 8, 0.0, 0.9), 4),
        (*_window(4, 11, -1.5, 1.3), 5),
    ]
    found = np.array([one_number(ask(answer, *each), "acceleration") for each in cases])
    expected, slips = zip(*(_accelerations(*each) for each in cases), strict=True)
    settings = {"rtol": 2e-3, "atol": 2e-3}
    for i, (t, _, degree) in enumerate(cases):
        name = f"Your acceleration for {len(t)} frames and degree {degree}"
        verdict = compare(found[i], expected[i], name=name, **settings)
        if not verdict:
            table = {what: np.array([each[what] for each in slips]) for what in slips[0]}
            return verdict.with_slip(found, table, **settings)
    late = *_window(5, 9, 900.0, 0.7), 4
    found = one_number(ask(answer, *late), "acceleration")
    name = "It is right for early windows. Your acceleration for one that begins at 900 s"
    verdict = compare(found, _accelerations(*late)[0], name=name, rtol=0.02)
    if not verdict:
        return verdict.because(
            "There a power of t is huge and hardly changes in the window: its digits are used up."
        )
    return right("Right for five windows. Where in a window would it be less certain?")


def _accelerations(t, q, degree):
    """The acceleration in the middle, and what slips make of it, by what to say of them."""
    frames, middle, half = len(t), (t[0] + t[-1]) / 2, (t[-1] - t[0]) / 2

    def of(degree, t=t):
        return Polynomial.fit(t, q, degree)

    bend = of(degree).deriv(2)
    expected = bend(middle)
    even = of(degree, np.linspace(*t[[0, -1]], frames)).deriv(2)(middle)
    k = frames // 2
    before, after = np.diff(q)[k - 1 : k + 1] / np.diff(t)[k - 1 : k + 1]
    velocity = np.gradient(q, t)
    units = {"half of the window": half, "the window": 2 * half, "their deviation": np.std(t)}
    unscaled = {
        f"The times were divided by {unit}, and {rest}": slip
        for unit, size in units.items()
        for rest, slip in {
            "the acceleration was not brought back.": expected * size**2,
            "the acceleration was brought back for one of its two seconds.": expected * size,
            "a coefficient of t² is no acceleration yet.": expected * size**2 / 2,
        }.items()
    }
    slips = {
        "This is the coefficient of t², and no derivative yet.": expected / 2,
        "This is at the time of the middle frame, which is not the middle of the window.": (
            bend(t[k])
        ),
        "This is at the time of a frame near the middle.": bend(t[(frames - 1) // 2]),
        "This is at the mean of all times. Frames lie denser on one side.": bend(t.mean()),
        "This is at t = 0, wherever the window is.": bend(0.0),
        "This is the coefficient of t² about t = 0.": bend(0.0) / 2,
        "This is at the first frame.": bend(t[0]),
        "This is at the last frame.": bend(t[-1]),
        "This is the velocity.": of(degree).deriv()(middle),
        "This is the position.": of(degree)(middle),
        "In yours all frames are equally far apart.": even,
        "The polynomial is one of the frame's number, not of its time.": (
            even * (2 * half / (frames - 1)) ** 2
        ),
        "The polynomial has one degree less.": of(degree - 1).deriv(2)(middle),
        "The polynomial has one degree more.": of(degree + 1).deriv(2)(middle),
        "This is a parabola, whatever the degree is.": of(2).deriv(2)(middle),
        "This polynomial goes through all frames, and with them through their noise.": (
            of(frames - 1).deriv(2)(middle)
        ),
        "Three frames in the middle are all that counts in yours.": (
            (after - before) / ((t[k + 1] - t[k - 1]) / 2)
        ),
        "This is a difference of differences, and not a polynomial.": np.gradient(velocity, t)[k],
        **unscaled,
    }
    return expected, slips


# --- The next position ------------------------------------------------------------------------


def _swing(numpy, start, end):
    """A pendulum of 1 m, in the middle of a step of 0.45 s."""
    h = 0.45
    q, q_dot = (start + end) / 2, (end - start) / h
    return h * (0.5 * q_dot @ q_dot + 9.81 * numpy.cos(q[0]))


def _pair(numpy, start, end):
    """Two coupled coordinates in a magnetic field, taken early in a step of 0.5 s."""
    h = 0.5
    q, q_dot = 0.75 * start + 0.25 * end, (end - start) / h
    kinetic = 0.5 * (1.4 + numpy.cos(q[1])) * q_dot[0] ** 2 + 0.6 * q_dot[0] * q_dot[1]
    field = 0.7 * (q[0] * q_dot[1] - q[1] * q_dot[0])
    return h * (kinetic + 0.8 * q_dot[1] ** 2 + field + 3.0 * numpy.cos(q[0] - q[1]) - q[1] ** 4)


def _heavy_when_fast(numpy, start, end):
    """One coordinate whose inertia grows with its velocity, at the end of a step of 0.3 s."""
    h = 0.3
    q_dot = (end - start) / h
    return h * (0.5 * q_dot @ q_dot + 0.2 * (q_dot @ q_dot) ** 2 - 2.0 * numpy.exp(end[0]))


@check(
    "return the position after q₁.",
    title="The next position",
    hints=(
        "Write what has to vanish as a function of the last position alone. The first of its two "
        "terms does not depend on that.",
        "For Newton's method you need the derivative of this function, a matrix. Repeat the step "
        "until nothing moves any more.",
    ),
)
def next_position(answer: Callable) -> Verdict:
    """q₂ of a discrete motion: `answer(discrete_lagrangian, q0 [d], q1 [d]) -> q2 [d]`.

    The derivatives here are those of NumPy with a tiny imaginary part, free of rounding.
    """
    cases = (
        (_swing, [0.5], [1.3]),
        (_pair, [0.3, -0.4], [0.7, -0.1]),
        (
            _heavy_when_fast,
            [0.1],
            [0.6],
        ),
    )
    for system, *two in cases:
        q0, q1 = map(np.array, two)
        found = ask(answer, partial(system, jnp), *(jnp.asarray(q, float) for q in (q0, q1)))
        expected, slips = _positions(partial(system, np), q0, q1)
        name = f"Your next position for d = {q0.size}"
        settings = {"rtol": 2e-4, "atol": 2e-4}
        verdict = compare(found, expected, name=name, **settings)
        if verdict:
            continue
        slip = verdict.with_slip(found, slips, **settings)
        if slip.message == verdict.message and compare(found, expected, rtol=0.05, atol=0.02):
            return verdict.because("It is near: the equation is not solved to the end.")
        return slip
    return right("The next position of three systems. Where is the velocity in all this?")


def _slopes(discrete, start, end):
    """The derivatives D₁ and D₂ of a discrete Lagrangian, `[2, d]`."""
    tiny, each = 1e-20, 1j * 1e-20 * np.eye(start.size)
    by_start = [discrete(start + step, end + 0j).imag / tiny for step in each]
    return np.array([by_start, [discrete(start + 0j, end + step).imag / tiny for step in each]])


def _newton(miss, q, steps=40):
    """Where a function `[d] -> [d]` vanishes, from q on, NaN where it is not found."""
    with np.errstate(all="ignore"):
        for _ in range(steps):
            sides = [(miss(q + e) - miss(q - e)) / 2e-6 for e in 1e-6 * np.eye(q.size)]
            matrix = np.array(sides).T
            if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-9:
                return np.full(q.size, np.nan)
            q = q - np.linalg.solve(matrix, miss(q))
    return q


def _positions(discrete, q0, q1):
    """The position after two others, and what slips make of it, by what to say of them."""
    slopes = partial(_slopes, discrete)
    (first, arriving), guess = slopes(q0, q1), 2 * q1 - q0

    def miss(q):
        return arriving + slopes(q1, q)[0]

    expected, once = _newton(miss, guess), _newton(miss, guess, steps=1)
    slips = {
        "This is where Newton's method begins: no force has been at work.": guess,
        "This is one step of Newton's method. For most discrete Lagrangians it takes more.": once,
        "Newton's method has gone the wrong way, once.": 2 * guess - once,
        "The derivatives by the first and by the second position have changed places.": (
            _newton(lambda q: first + slopes(q1, q)[1], guess)
        ),
        "Only the second of the two terms vanishes.": _newton(lambda q: slopes(q1, q)[0], guess),
        "Both derivatives are by the second position.": (
            _newton(lambda q: arriving + slopes(q1, q)[1], guess)
        ),
        "Both derivatives are by the first position.": (
            _newton(lambda q: first + slopes(q1, q)[0], guess)
        ),
        "The two terms have opposite signs in yours: the motion turns round.": (
            _newton(lambda q: arriving - slopes(q1, q)[0], q0)
        ),
        "The second step begins at q₀ in yours, and not where the first one ended.": (
            _newton(lambda q: arriving + slopes(q0, q)[0], guess)
        ),
        "This is the position before q₀: you went back in time.": (
            _newton(lambda q: slopes(q, q0)[1] + first, 2 * q0 - q1)
        ),
        "This is how far it moves, and not where to.": expected - q1,
        "This is the momentum with which it arrives.": arriving,
        "It has not moved from q₁.": q1,
    }
    return expected, slips


# --- The law that the midpoint rule learns ----------------------------------------------------


@check(
    "return the stiffness that is learned.",
    title="A spring by the midpoint rule",
    hints=(
        "Write the discrete Euler–Lagrange equation of this model for three frames. In it the "
        "middle one stands beside the sum of its neighbours.",
        "A wave of frequency ω turns that sum into a multiple of the middle frame. What is left "
        "on both sides, and which function of half the angle is their ratio?",
    ),
)
def learned_stiffness_midpoint(answer: Callable) -> Verdict:
    """The k with which the midpoint rule fits a swing: `answer(omega, h) -> number`."""

    def ask_for(omega, h):
        return one_number(ask(answer, float(omega), float(h)), "stiffness")

    omega, h = np.array([[2.0, 0.5], [3.0, 0.6], [0.8, 2.0], [5.0, 0.1]]).T
    found = np.array([ask_for(*each) for each in zip(omega, h, strict=True)])
    expected = _midpoint(omega, h)
    for i in range(len(h)):
        name = f"Your stiffness for ω = {omega[i]:g} and h = {h[i]:g}"
        verdict = compare(found[i], expected[i], name=name)
        if not verdict:
            return verdict.with_slip(found, _other_springs(omega, h))
    for omega, h in ((2.5, 1.4), (4.0, 1.2)):  # less than two frames in each period
        name = f"It is right for short h. Your stiffness for ω = {omega:g} and h = {h:g}"
        verdict = compare(ask_for(omega, h), _midpoint(omega, h), name=name)
        if not verdict:
            return verdict.because("So few frames are fitted exactly, too.")
    return right(
        "Right for every h. And what does this model do when a fine solver follows it? Compare "
        "the frequency that it has then with ω."
    )


def _midpoint(omega, h):
    return (2 / h * np.tan(omega * h / 2)) ** 2


def _other_springs(omega, h):
    """Stiffnesses that are not the learned one, by what to say of them."""
    x, true = omega * h, omega**2
    learned = _midpoint(omega, h)
    return {
        "This is the true stiffness: a fine solver would need it, and this rule another one.": true,
        "This is what a leapfrog learns: its potential energy is taken at the frames.": (
            2 * (1 - np.cos(x)) / h**2
        ),
        "This is right to the first correction only, for small h.": true * (1 + x**2 / 6),
        "This is right to the second correction only, for small h.": (
            true * (1 + x**2 / 6 + 17 * x**4 / 720)
        ),
        "Its first correction for small h has the wrong sign.": true * (1 - x**2 / 6),
        "This is the other way round: the rule's frequency, squared, on the true spring.": (
            (2 / h * np.arctan(x / 2)) ** 2
        ),
        "This is a frequency, and not yet a stiffness.": learned**0.5,
        "The frequency of the rule on the true spring is another question.": (
            2 / h * np.arctan(x / 2)
        ),
        "The angle from frame to frame was not halved.": (2 / h * np.tan(x)) ** 2,
        "The mean of two frames is half of their sum, in both of the steps.": learned / 2,
        "In yours the frames are twice as far apart.": _midpoint(omega, 2 * h),
        "In yours the frames are half as far apart.": _midpoint(omega, h / 2),
        "A square is missing.": 4 / h**2 * np.tan(x / 2),
        "There is one h too few below the fraction.": learned * h,
        "Nothing is divided by h.": learned * h**2,
        "ω and h have changed places.": _midpoint(h, omega),
        "One step of Euler learns this.": omega * np.sin(x) / h,
    }
