"""The checks of chapter 8: right answers in several forms pass, typical slips are named."""

import math
from fractions import Fraction
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lnn_tutorial import checks, data, integrate
from lnn_tutorial.checks import chapter8
from tests.wrong_answers import refused, wrong_answers

FOUR = [checks.heun_step, checks.windows, checks.sensitivity, checks.learned_stiffness]

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
    np.zeros((0, 3, 2)),
    np.array(["a", "b"]),
    np.full((9, 3, 2), np.nan),
    np.full((12, 3, 2), np.nan),
    (np.full(2, np.nan), np.ones(2)),
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


# --- A step of Heun ----------------------------------------------------------------------------


def heun(acceleration, q, q_dot, dt):
    first = acceleration(q, q_dot)
    later = q_dot + dt * first
    second = acceleration(q + dt * q_dot, later)
    return q + dt / 2 * (q_dot + later), q_dot + dt / 2 * (first + second)


def of_the_package(acceleration, q, q_dot, dt):
    motion = integrate.through(
        lambda q, q_dot: (q_dot, acceleration(q, q_dot)), q, q_dot, [0.0, dt], method="heun"
    )
    return [x[-1] for x in motion]


def as_one_state(acceleration, q, q_dot, dt):
    def slope(state):
        return jnp.stack([state[1], acceleration(*state)])

    state = jnp.stack([q, q_dot])
    euler = state + dt * slope(state)
    return (state + euler + dt * slope(euler)) / 2


@pytest.mark.parametrize(
    "answer",
    [
        heun,
        of_the_package,
        as_one_state,
        lambda *given: [np.asarray(x).tolist() for x in heun(*given)],
        lambda acceleration, q, q_dot, dt: heun(acceleration, q, q_dot, np.float32(dt)),
    ],
)
def test_the_step_in_five_forms(answer):
    assert checks.heun_step(answer)


def euler(acceleration, q, q_dot, dt):
    return q + dt * q_dot, q_dot + dt * acceleration(q, q_dot)


def midpoint(acceleration, q, q_dot, dt):
    half = euler(acceleration, q, q_dot, dt / 2)
    return q + dt * half[1], q_dot + dt * acceleration(*half)


def verlet(acceleration, q, q_dot, dt):
    first = acceleration(q, q_dot)
    after = q + dt * q_dot + dt**2 / 2 * first
    return after, q_dot + dt / 2 * (first + acceleration(after, q_dot))


def symplectic(acceleration, q, q_dot, dt):
    after = q_dot + dt * acceleration(q, q_dot)
    return q + dt * after, after


def but_q(way):
    """The step with another velocity for q, of (q̇ before, q̇ by Euler, q̇ after)."""

    def step(acceleration, q, q_dot, dt):
        later = q_dot + dt * acceleration(q, q_dot)
        after = heun(acceleration, q, q_dot, dt)[1]
        return q + dt * way(q_dot, later, after), after

    return step


def second(place):
    """The step with its second acceleration from another place, of (q, q̇) and (q, q̇) of Euler."""

    def step(acceleration, q, q_dot, dt):
        new_q, new_q_dot = euler(acceleration, q, q_dot, dt)
        both = acceleration(q, q_dot) + acceleration(*place(q, q_dot, new_q, new_q_dot))
        return heun(acceleration, q, q_dot, dt)[0], q_dot + dt / 2 * both

    return step


def without_dt(acceleration, q, q_dot, dt):
    return heun(acceleration, q, q_dot, 1.0)


def changes(*given):
    return [a - b for a, b in zip(heun(*given), given[1:3], strict=True)]


def twice(*given):
    return [b + 2 * (a - b) for a, b in zip(heun(*given), given[1:3], strict=True)]


@wrong_answers(
    "heun_step",
    [
        (euler, "a step of Euler"),
        (midpoint, "the midpoint rule"),
        (integrate.rk4_step, "Runge and Kutta"),
        (verlet, "velocity Verlet"),
        (symplectic, "symplectic step of Euler"),
        (but_q(lambda first, *_: first), "the first velocity only"),
        (but_q(lambda _, later, __: later), "the second velocity only"),
        (but_q(lambda *of: of[2]), "velocity after the whole step."),
        (but_q(lambda first, _, after: (first + after) / 2), "in the place of the second slope"),
        (second(lambda q, v, new_q, new_v: (q, new_v)), "at the old q."),
        (second(lambda q, v, new_q, new_v: (new_q, v)), "with the old q̇"),
        (second(lambda q, v, *_: (q, v)), "changes as in a step of Euler"),
        (second(lambda q, v, *new: ((q + new[0]) / 2, (v + new[1]) / 2)), "after half of the step"),
        (without_dt, "no dt anywhere"),
        (changes, "the change of the state"),
        (twice, "a mean is less"),
        (lambda *given: heun(*given)[::-1], "q̇ first"),
        (lambda a, q, v, dt: heun(a, q, v, -dt), "after a step of 0.3 s"),
        (lambda a, q, v, dt: (q, v), "has not moved"),
        (lambda *given: heun(*given)[0], "the shape of q"),
        (lambda *given: (*heun(*given), 0.0), "got 3 parts"),
        (lambda *given: jnp.stack(heun(*given), axis=1)[0], "shape ()"),
    ],
)
def test_slips_of_the_step_are_named(slip, word):
    refused(checks.heun_step(slip), word)


# --- Windows -----------------------------------------------------------------------------------


def cut(x, frames):
    starts = x.shape[1] - frames
    rows = jnp.arange(starts)[:, None] + jnp.arange(frames + 1)
    return x[:, rows].reshape(-1, frames + 1, x.shape[2])


def in_a_loop(x, frames):
    return [motion[k : k + frames + 1] for motion in x for k in range(len(motion) - frames)]


def by_view(x, frames):
    view = np.lib.stride_tricks.sliding_window_view(np.asarray(x), frames + 1, axis=1)
    return np.moveaxis(view, -1, 2).reshape(-1, frames + 1, x.shape[2])


def from_the_package(x, frames):
    return data.motions(np.arange(x.shape[1]), x).windows(frames).batch().q


def by_stacking(x, frames):
    starts = x.shape[1] - frames
    parts = jnp.stack([x[:, k : k + starts] for k in range(frames + 1)], axis=2)
    return jnp.concatenate([parts[:, k] for k in range(starts)])  # another order of windows


@pytest.mark.parametrize("answer", [cut, in_a_loop, by_view, from_the_package, by_stacking])
def test_the_windows_in_five_forms(answer):
    assert checks.windows(answer)


def across(x, frames):
    return cut(x.reshape(1, -1, x.shape[2]), frames)


def apart(step):
    return lambda x, frames: jnp.concatenate(
        [x[:, k : k + frames + 1] for k in range(0, x.shape[1] - frames, step(frames))]
    )


def one_fewer(x, frames):
    return cut(x[:, :-1], frames)


@wrong_answers(
    "windows",
    [
        (across, "4 of 16 windows begin in one motion and end in another"),
        (lambda x, frames: across(x, frames)[: len(cut(x, frames))], "end in another"),
        (lambda x, frames: cut(x, frames - 1), "The first frame counts extra"),
        (lambda x, frames: cut(x, frames)[:, 1:], "The first frame counts extra"),
        (lambda x, frames: cut(x, frames + 1), "a frame too many"),
        (one_fewer, "3 of 12 windows are missing, the last one of each motion"),
        (lambda x, frames: cut(x[:, 1:], frames), "the first one of each motion"),
        (apart(lambda frames: frames), "windows may overlap"),
        (apart(lambda frames: frames + 1), "windows may overlap"),
        (lambda x, frames: cut(x[:1], frames), "only 1 of 3 motions"),
        (lambda x, frames: cut(x, frames)[::-1][:-1], "1 of 12 windows are missing."),
        (lambda x, frames: cut(x, frames)[:, ::-1], "back in time"),
        (lambda x, frames: cut(x, frames).swapaxes(1, 2), "come last"),
        (lambda x, frames: cut(x, frames).reshape(len(x), -1, frames + 1, 2), "join them"),
        (lambda x, frames: jnp.repeat(cut(x, frames), 2, axis=0), "come twice"),
        (lambda x, frames: cut(x, frames) - cut(x, frames)[:, :1], "no frame of x"),
        (lambda x, frames: jnp.repeat(x[:, :4], 3, 1).reshape(-1, 3, 2), "one after the other"),
        (lambda x, frames: cut(x, frames)[0], "one entry of the first axis"),
        (lambda x, frames: cut(x, frames)[:0], "no window at all"),
        (lambda x, frames: "x", "of real numbers"),
    ],
)
def test_slips_of_the_windows_are_named(slip, word):
    refused(checks.windows(slip), word)


# --- How much does g matter? -------------------------------------------------------------------


def last(g, start=1.0, steps=100, method="rk4"):
    """The state after one second; the precision is that of JAX in the book."""
    q, q_dot = integrate.through(
        lambda q, q_dot: (q_dot, -g * jnp.sin(q)),
        jnp.array([start]),
        jnp.zeros(1),
        np.linspace(0.0, 1.0, steps + 1),
        method=method,
    )
    return q[-1, 0], q_dot[-1, 0]


@cache
def compiled(transformed):
    """One function for all tests, so that it is compiled once."""
    return jax.jit(transformed)


BY_G = jax.grad(lambda g: last(g)[0])
FORWARD = jax.jacfwd(lambda g: last(g)[0])
COARSER = jax.grad(lambda g: last(g, steps=40)[0])
EULER = jax.grad(lambda g: last(g, method="euler")[0])
ANGLE = jax.jit(lambda g: last(g)[0])


def along(g):
    return jax.jvp(lambda g: last(g)[0], (g,), (1.0,))[1]


@pytest.mark.parametrize("answer", [BY_G, FORWARD, along, COARSER], ids=range(4))
def test_the_derivative_in_several_forms(answer):
    assert checks.sensitivity(compiled(answer))


def test_an_array_of_one_and_a_float_are_numbers():
    assert checks.sensitivity(lambda g: chapter8._moved(g)[2].reshape(1))
    assert checks.sensitivity(lambda g: chapter8._moved(g, steps=1000)[2].item())


def test_the_derivative_is_the_limit_of_differences():
    """In float64, from the motion of SciPy's solver alone."""
    angles = []
    with integrate.double_precision():
        for g in (9.81 - 1e-3, 9.81 + 1e-3):
            law = partial(lambda g, q, q_dot: -g * jnp.sin(q), g)
            q, _ = integrate.reference(law, np.ones(1), np.zeros(1), dt=1.0, steps=1)
            angles.append(q[-1, 0])
    assert chapter8._moved(9.81)[2] == pytest.approx(np.diff(angles)[0] / 2e-3, rel=1e-5)


def moved(which, **settings):
    return lambda g: chapter8._moved(g, **settings)[which]


def difference(before, after):
    def answer(g):
        last = [chapter8._moved(g + change)[0] for change in (before, after)]
        return (last[1] - last[0]) / (after - before)

    return answer


@wrong_answers(
    "sensitivity",
    [
        (moved(4), "by the angle at the start"),
        (moved(3), "of the angular velocity"),
        (ANGLE, "the angle itself"),
        (moved(0), "the angle itself"),
        (moved(1), "derivative by the time"),
        (lambda g: -g * moved(2)(g), "by the length"),
        (lambda g: g * moved(2)(g), "relative to g"),
        (lambda g: -moved(2)(g), "wrong sign"),
        (lambda g: -moved(4)(g), "by the angle at the start. Its sign is turned, too"),
        (lambda g: 2 * moved(0)(g) * moved(2)(g), "the square of the angle"),
        (lambda g: -math.sin(1.0), "acceleration alone"),
        (lambda g: -math.sin(g**0.5) / (2 * g**0.5), "for small angles"),
        (lambda g: 0.0, "Nothing depends on g"),
        (lambda g: moved(2)(9.81), "g is held fixed"),
        (moved(2, euler=True), "those of Euler"),
        (lambda g: EULER_COMPILED(g), "those of Euler"),
        (difference(0, 1), "a difference of two motions"),
        (difference(0, 0.1), "a difference of two motions"),
        (difference(-0.5, 0.5), "a difference of two motions"),
        (difference(0, 0.01), "a difference of two motions"),
        (difference(0, 0.03), "It is close"),
        (moved(2, steps=4), "It is close"),
        (lambda g: moved(2)(g) + 0.3, "Your derivative for g = 9.81"),
        (lambda g: np.ones(101), "the last one is asked for"),
        (lambda g: np.ones(2), "one number, and has shape (2,)"),
        (lambda g: math.nan, "not finite"),
        (lambda g: "much", "a real number, got str"),
    ],
)
def test_slips_of_the_derivative_are_named(slip, word):
    refused(checks.sensitivity(slip), word)


EULER_COMPILED = jax.jit(EULER)


# --- The law that one step a frame learns ------------------------------------------------------


def learned(omega, h):
    return 2 * (1 - math.cos(omega * h)) / h**2


@pytest.mark.parametrize(
    "answer",
    [
        learned,
        lambda omega, h: (2 / h * np.sin(omega * h / 2)) ** 2,
        lambda omega, h: jnp.array([2 * (1 - jnp.cos(omega * h)) / h**2]),
        lambda omega, h: -2 * (math.cos(omega * h) - 1) / h**2,
        lambda omega, h: Fraction(learned(omega, h)),
        lambda omega, h: abs(np.exp(1j * omega * h) - 1) ** 2 / h**2,
    ],
)
def test_the_learned_stiffness_in_six_forms(answer):
    assert checks.learned_stiffness(answer)


@pytest.mark.parametrize(("omega", "h"), [(2.0, 0.5), (2.5, 1.2), (4.0, 1.5)])
def test_a_fit_of_the_step_to_frames_finds_this_stiffness(omega, h):
    q = 0.7 * np.cos(omega * h * np.arange(40) + 0.3)
    middle, bend = q[1:-1], q[2:] - 2 * q[1:-1] + q[:-2]
    fitted, residual, *_ = np.linalg.lstsq(-(h**2) * middle[:, None], bend, rcond=None)
    assert fitted[0] == pytest.approx(learned(omega, h), rel=1e-9)
    assert residual[0] < 1e-20


def leapfrog(omega, h):
    """The frequency of a leapfrog on the true spring."""
    return 2 / h * np.arcsin(omega * h / 2)


@wrong_answers(
    "learned_stiffness",
    [
        (lambda omega, h: omega**2, "This is the true stiffness"),
        (lambda omega, h: omega**2 - omega**4 * h**2 / 12, "first correction for small h only"),
        (
            lambda omega, h: omega**2 - omega**4 * h**2 / 12 + omega**6 * h**4 / 360,
            "first two corrections",
        ),
        (lambda omega, h: omega**2 + omega**4 * h**2 / 12, "with the wrong sign"),
        (lambda omega, h: leapfrog(omega, h) ** 2, "the other way round"),
        (leapfrog, "on the true spring"),
        (lambda omega, h: learned(omega, h) ** 0.5, "a frequency. A stiffness"),
        (lambda omega, h: learned(omega, h) / 4, "factor of 1/4"),
        (lambda omega, h: learned(omega, h) / 2, "Your stiffness for ω = 2 and h = 0.5"),
        (lambda omega, h: -learned(omega, h), "wrong sign"),
        (lambda omega, h: learned(omega, h) * h, "divided by h once"),
        (lambda omega, h: learned(omega, h) * h**2, "did not divide by h."),
        (lambda omega, h: learned(omega, 2 * h) * 4, "twice as far apart"),
        (lambda omega, h: learned(omega, h / 2) / 4, "half as far apart"),
        (lambda omega, h: 4 / h**2 * math.sin(omega * h / 2), "not squared"),
        (lambda omega, h: (1 - 2 * math.cos(omega * h)) / h**2, "the step has it twice"),
        (lambda omega, h: (2 / h * math.tan(omega * h / 2)) ** 2, "implicit midpoint"),
        (lambda omega, h: omega * math.sin(omega * h) / h, "One step of Euler"),
        (lambda omega, h: learned(h, omega), "have changed places"),
        (lambda omega, h: learned(omega, h) if omega * h < 2 else 0.0, "right for short h"),
        (lambda omega, h: learned(min(omega, math.pi / h), h), "right for short h"),
        (lambda omega, h: math.nan, "not finite"),
        (lambda omega, h: [1.0, 2.0], "one number, and has shape (2,)"),
        (lambda omega, h: "ω²", "a real number, got str"),
    ],
)
def test_slips_of_the_stiffness_are_named(slip, word):
    refused(checks.learned_stiffness(slip), word)


def test_all_four_congratulate():
    for verdict in (
        checks.heun_step(heun),
        checks.windows(cut),
        checks.sensitivity(compiled(BY_G)),
        checks.learned_stiffness(learned),
    ):
        assert repr(verdict).startswith("✓ ")
