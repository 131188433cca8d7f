"""Checks of chapter 8, learning from motion."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from lnn_tutorial.checks.verdict import (
    Stop,
    Verdict,
    ask,
    check,
    compare,
    one_number,
    pair,
    real,
    right,
    wrong,
)

# --- Heun's step ------------------------------------------------------------------------------


def _swing(q, q_dot):
    """Two pendulums on a spring, in air."""
    return -9.81 * jnp.sin(q) - 0.4 * q_dot - 2.0 * (q - q[::-1])


def _charge(q, q_dot):
    """A charge on a spring, in a magnetic field."""
    return -3.0 * q + 1.5 * q_dot[::-1] * jnp.array([1.0, -1.0])


@check(
    "return q and q̇ after one step of Heun.",
    title="Heun's step",
    hints=(
        "Take a step of Euler first. Which slope (q̇, q̈) belongs to the state where it arrives?",
        "A slope has two parts, and each of them is averaged. With which two velocities does q "
        "move?",
    ),
)
def heun_step(answer: Callable) -> Verdict:
    """One step of Heun: `answer(acceleration, q [d], q_dot [d], dt) -> (q [d], q_dot [d])`."""
    cases = (_swing, 0.3, 0.7, -1.2, 0.9, 2.0), (_charge, 0.5, -0.4, 0.8, 1.1, -0.6)
    for acceleration, dt, *numbers in cases:
        start = np.array(numbers).reshape(2, 2)
        found = _pair(ask(answer, acceleration, *jnp.asarray(start, float), dt))

        def law(q, q_dot, acceleration=acceleration):
            return np.asarray(acceleration(jnp.asarray(q, float), jnp.asarray(q_dot, float)))

        expected, slips = _steps(law, *start, dt)
        settings = {"rtol": 1e-4, "atol": 1e-5}
        for name, x, true in zip(("q", "q̇"), found, expected, strict=True):
            verdict = compare(x, true, name=f"Your {name} after a step of {dt:g} s", **settings)
            if not verdict:
                return verdict.with_slip(found, slips, **settings)
    return right("A step of Heun for both systems. How many accelerations does it cost?")


def _pair(found: Any) -> np.ndarray:
    """q and q̇ after a step `[2, 2]`, or a verdict."""
    form = "Expected two arrays, q and q̇, each of the shape of q"
    parts = [real(x) for x in pair(found, form)]
    if any(x is None for x in parts):
        raise Stop(wrong(f"{form}, all of real numbers."))
    shapes = [x.shape for x in parts]
    if shapes != [(2,), (2,)]:
        raise Stop(wrong(f"{form}, got shape {shapes[0]} and shape {shapes[1]}."))
    return np.stack(parts)


def _steps(law, q, v, dt):
    """The step of Heun `[2, d]`, and what slips make of it, by what to say of them."""

    def ahead(h, slope):
        return q + h * slope[0], v + h * slope[1]

    def slope(q, v):
        return np.stack([v, law(q, v)])

    k1 = slope(q, v)
    k2 = slope(*ahead(dt, k1))
    middle = slope(*ahead(dt / 2, k1))
    third = slope(*ahead(dt / 2, middle))
    fourth = slope(*ahead(dt, third))
    start, change = np.stack([q, v]), dt / 2 * (k1 + k2)
    expected = start + change
    verlet = q + dt * v + dt**2 / 2 * k1[1]
    velocity = start[1] + dt / 2 * (k1[1] + law(verlet, v))

    def but(second):
        """The step with another second slope."""
        return start + dt / 2 * (k1 + second)

    slips = {
        "This is a step of Euler: it sees one slope only.": start + dt * k1,
        "This is the midpoint rule. Heun looks at the end of the step, not at its middle.": (
            start + dt * middle
        ),
        "This is a step of Runge and Kutta, which sees four slopes.": (
            start + dt / 6 * (k1 + 2 * middle + 2 * third + fourth)
        ),
        "This is velocity Verlet: its second acceleration is taken elsewhere.": (
            np.stack([verlet, velocity])
        ),
        "This is velocity Verlet, with the velocity that Euler arrives at.": (
            np.stack([verlet, v + dt / 2 * (k1[1] + law(verlet, k2[0]))])
        ),
        "This is the symplectic step of Euler.": np.stack([q + dt * k2[0], k2[0]]),
        "q moves with the first velocity only, as in a step of Euler.": (
            np.stack([q + dt * v, expected[1]])
        ),
        "q moves with the second velocity only.": np.stack([q + dt * k2[0], expected[1]]),
        "For q you took the velocity after the whole step in the place of the second slope's.": (
            np.stack([q + dt / 2 * (v + expected[1]), expected[1]])
        ),
        "q moves with the velocity after the whole step.": (
            np.stack([q + dt * expected[1], expected[1]])
        ),
        "q̇ changes as in a step of Euler.": np.stack([expected[0], v + dt * k1[1]]),
        "You used the second slope only.": start + dt * k2,
        "The second acceleration is taken at the old q.": but(np.stack([k2[0], law(q, k2[0])])),
        "The second acceleration is taken with the old q̇.": (
            but(np.stack([k2[0], law(q + dt * v, v)]))
        ),
        "The second acceleration is taken after half of the step.": (
            but(np.stack([k2[0], law(*ahead(dt / 2, k1))]))
        ),
        "The second slope is taken after half of the step.": but(middle),
        "The step to the second slope has no dt.": but(slope(*ahead(1.0, k1))),
        "dt is missing where the slopes are added.": start + change / dt,
        "There is no dt anywhere.": start + (k1 + slope(*ahead(1.0, k1))) / 2,
        "Two slopes were added; a mean is less.": start + 2 * change,
        "This is the change of the state, and not the new state.": change,
        "This is q̇ first, then q.": expected[::-1],
        "The state has not moved.": start,
        "You went back in time.": start - change,
    }
    return expected, slips


# --- Windows ----------------------------------------------------------------------------------


@check(
    "return all windows.",
    title="Cut into windows",
    hints=(
        "Take one motion first. At which frames can a window begin, so that it ends before the "
        "motion does?",
        "Write the frames of each window as a table of whole numbers, one row a window. An array "
        "takes such a table as an index.",
    ),
)
def windows(answer: Callable) -> Verdict:
    """Windows of motions: `answer(x [m, f, d], frames) -> [w, frames + 1, d]`, in any order."""
    for m, f, d, frames in ((3, 6, 2, 2), (2, 4, 1, 3), (1, 7, 2, 1)):
        x = np.random.default_rng(f).permutation(m * f * d).reshape(m, f, d) / 8
        given = f"For x of shape {(m, f, d)} and {frames} frames after the first one"
        found = real(ask(answer, jnp.asarray(x, float), frames))
        if found is None:
            return wrong("Expected an array of real numbers, of all windows.")
        verdict = _cut(x, found, frames)
        if not verdict:
            return wrong(f"{given}: {verdict.message}", *verdict.hints)
    return right("All windows, and none across two motions. How often is a frame used?")


def _cut(x, found, frames):
    """Verdict on the windows of motions whose frames differ from each other."""
    (m, f, d), starts = x.shape, x.shape[1] - frames
    expected = (m * starts, frames + 1, d)
    verdict = wrong(f"expected shape {expected}, got {found.shape}.")
    if found.shape == (m, starts, *expected[1:]):
        return verdict.because("Each motion has a list of its own; join them.")
    if found.ndim != 3:
        return verdict.because("A window is one entry of the first axis.")
    if found.shape[1:] != expected[1:]:
        reasons = {
            (d, frames + 1): "In yours the frames of a window come last.",
            (frames, d): "The first frame counts extra.",
            (frames + 2, d): "Your windows have a frame too many.",
        }
        return verdict.because(reasons.get(found.shape[1:], ""))
    if not len(found):
        return wrong("you found no window at all.")
    distance = np.abs(found[:, :, None] - x.reshape(-1, d)).max(axis=-1)
    if (distance.min(axis=-1) > 1e-5).any():
        return wrong("some windows hold what is no frame of x.")
    motion, frame = np.divmod(distance.argmin(axis=-1), f)
    if (across := (motion != motion[:, :1]).any(axis=1)).any():
        number = f"{across.sum()} of {len(found)} windows"
        return wrong(f"{number} begin in one motion and end in another.")
    steps = np.diff(frame, axis=1)
    if (steps == -1).all():
        return wrong("the frames in your windows go back in time.")
    if (steps != 1).any():
        return wrong("there are windows whose frames do not come one after the other.")
    begins = set(zip(motion[:, 0].tolist(), frame[:, 0].tolist(), strict=True))
    if len(begins) < len(found):
        return wrong("some windows come twice.")
    return _complete(begins, m, starts, frames)


def _complete(begins, m, starts, frames):
    """Verdict on places where windows begin: whether all are there."""
    every = {(i, k) for i in range(m) for k in range(starts)}
    if begins == every:
        return right("")
    number = f"{len(every - begins)} of {len(every)} windows are missing"
    for apart in (frames, frames + 1):
        if apart > 1 and begins == {(i, k) for i, k in every if k % apart == 0}:
            return wrong(f"{number}: windows may overlap, and yours do not.")
    if begins == {(i, k) for i, k in every if k < starts - 1}:
        return wrong(f"{number}, the last one of each motion.")
    if begins == {(i, k) for i, k in every if k > 0}:
        return wrong(f"{number}, the first one of each motion.")
    if len(held := {i for i, _ in begins}) < m:
        return wrong(f"{number}: only {len(held)} of {m} motions have any.")
    return wrong(f"{number}.")


# --- How much does g matter? ------------------------------------------------------------------

STEPS = 100
"""Steps of Runge–Kutta in one second."""


def _moved(g, start=1.0, steps=STEPS, euler=False):
    """(θ, θ̇, ∂θ/∂g, ∂θ̇/∂g, ∂θ/∂θ₀) after one second from rest, in float64.

    The derivatives have equations of motion of their own, those of the pendulum differentiated.
    """

    def slope(x):
        theta, omega, by_g, omega_by_g, by_start, omega_by_start = x
        pull = -g * np.cos(theta)
        return np.array(
            [
                omega,
                -g * np.sin(theta),
                omega_by_g,
                pull * by_g - np.sin(theta),
                omega_by_start,
                pull * by_start,
            ]
        )

    x, dt = np.array([start, 0.0, 0.0, 0.0, 1.0, 0.0]), 1 / steps
    for _ in range(steps):
        k1 = slope(x)
        if euler:
            x = x + dt * k1
            continue
        k2 = slope(x + dt / 2 * k1)
        k3 = slope(x + dt / 2 * k2)
        x = x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + slope(x + dt * k3))
    return x[:5]


@check(
    "return the derivative of the last angle by g.",
    title="How much does g matter?",
    hints=(
        "Write the last angle as a function of g alone: the whole solver stands inside of it.",
        "One number goes into that function, and one comes out. Which transformation does JAX "
        "have for such a function?",
    ),
)
def sensitivity(answer: Callable) -> Verdict:
    """∂θ/∂g of a pendulum of 1 m, 1 s after it is let go at 1 rad: `answer(g) -> number`."""
    fields = np.array([9.81, 1.62, 24.8, 3.7])
    several = "One for each frame is too many: the last one is asked for."
    found = np.array([one_number(ask(answer, float(g)), "derivative", several) for g in fields])
    theta, omega, by_g, omega_by_g, by_start = np.array([_moved(g) for g in fields]).T
    for i, g in enumerate(fields):
        settings = {"rtol": 2e-4, "atol": 2e-6}
        verdict = compare(found[i], by_g[i], name=f"Your derivative for g = {g:g}", **settings)
        if verdict:
            continue
        small = np.sqrt(fields)
        slips = {
            "This is the derivative by the angle at the start.": by_start,
            "This is the derivative of the angular velocity.": omega_by_g,
            "This is the angle itself.": theta,
            "This is the angular velocity: the derivative by the time.": omega,
            "This is the derivative by the length.": -fields * by_g,
            "This is relative to g: by how much the angle changes for a change of 100 %.": (
                fields * by_g
            ),
            "This is the derivative of the sine of the angle.": np.cos(theta) * by_g,
            "This is the derivative of the energy, or of the square of the angle.": (
                2 * theta * by_g
            ),
            "The derivative of the acceleration alone does not know of the second after it.": (
                -np.sin(1.0) + 0 * fields
            ),
            "This is for small angles.": -np.sin(small) / (2 * small),
            "Nothing depends on g in yours.": 0 * fields,
            "Your steps are those of Euler.": np.array([_moved(g, euler=True)[2] for g in fields]),
            "Your g is held fixed: whatever the argument is, the result is the same.": (
                by_g[0] + 0 * fields
            ),
        }
        for sign in (1, -1):
            verdict_now = verdict.with_slip(sign * found, slips, **settings)
            if verdict_now.message != verdict.message:
                return verdict_now if sign > 0 else verdict_now.because("Its sign is turned, too.")
        if _by_differences(fields, found):
            return verdict.because(
                "This is a difference of two motions, and g changed too much between them."
            )
        if abs(found[i] / by_g[i] - 1) < 0.05:
            return verdict.because(
                "It is close, as with coarse steps, or with a difference of motions for two g, "
                "which is no derivative yet."
            )
        return verdict
    return right("Right for four planets. How far ahead could a measured angle tell g so well?")


def _by_differences(fields, found):
    """Whether some derivatives are differences of last angles, with some change of g."""
    for change in (1.0, 0.5, 0.1, 0.01):
        last = {k: np.array([_moved(g + k * change)[0] for g in fields]) for k in (-1, 0, 1)}
        for a, b in ((0, 1), (-1, 0), (-1, 1)):
            slip = (last[b] - last[a]) / (change * (b - a))
            if np.allclose(found, slip, rtol=5e-4, atol=2e-5):
                return True
    return False


# --- The law that one step a frame learns -----------------------------------------------------


@check(
    "return the stiffness that is learned.",
    title="What a coarse step teaches",
    hints=(
        "The frames are those of the true motion. Put q(t) = A times a wave of frequency ω into "
        "the step, at three times that are h apart.",
        "Add the two outer frames of a wave. What is left in front of the middle one?",
    ),
)
def learned_stiffness(answer: Callable) -> Verdict:
    """The k of one leapfrog step a frame that fits a spring: `answer(omega, h) -> number`."""
    omega, h = np.array([[2.0, 0.5], [3.0, 0.6], [0.8, 2.0], [5.0, 0.1]]).T
    found = np.array([_stiffness(answer, *each) for each in zip(omega, h, strict=True)])
    expected = 2 * (1 - np.cos(omega * h)) / h**2
    for i in range(len(h)):
        name = f"Your stiffness for ω = {omega[i]:g} and h = {h[i]:g}"
        verdict = compare(found[i], expected[i], name=name)
        if not verdict:
            return verdict.with_slip(found, _other_laws(omega, h))
    for omega, h in ((2.5, 1.2), (4.0, 1.5)):  # less than three frames in each period
        found = _stiffness(answer, omega, h)
        name = f"It is right for short h. Your stiffness for ω = {omega:g} and h = {h:g}"
        verdict = compare(found, 2 * (1 - np.cos(omega * h)) / h**2, name=name)
        if not verdict:
            return verdict.because("The motion is exact there, too, and the step fits it.")
    return right("Right for every h. For which h would this network see no spring at all?")


def _stiffness(answer, omega, h):
    return one_number(ask(answer, float(omega), float(h)), "stiffness")


def _other_laws(omega, h):
    """Stiffnesses that are not the learned one, by what to say of them."""
    x, true = omega * h, omega**2
    learned = 2 * (1 - np.cos(x)) / h**2
    return {
        "This is the true stiffness. The step has an error, and the network makes up for it.": (
            true
        ),
        "This has the first correction for small h only.": true * (1 - x**2 / 12),
        "This has the first two corrections for small h only.": (
            true * (1 - x**2 / 12 + x**4 / 360)
        ),
        "This is the first correction, with the wrong sign.": true * (1 + x**2 / 12),
        "This answers the question the other way round: with which frequency, squared, does a "
        "leapfrog move the true spring.": (2 / h * np.arcsin(np.minimum(x / 2, 1))) ** 2,
        "This is a frequency. A stiffness is the square of one.": np.sqrt(learned),
        "This would be a frequency: that of a leapfrog on the true spring.": (
            2 / h * np.arcsin(np.minimum(x / 2, 1))
        ),
        "One step of the implicit midpoint rule would learn this.": (2 / h * np.tan(x / 2)) ** 2,
        "One step of Euler would learn this.": omega * np.sin(x) / h,
        "You divided by h once.": learned * h,
        "You did not divide by h.": learned * h**2,
        "You multiplied by h², and did not divide.": learned * h**4,
        "In yours the frames are twice as far apart.": 2 * (1 - np.cos(2 * x)) / h**2,
        "In yours the frames are half as far apart.": 2 * (1 - np.cos(x / 2)) / h**2,
        "The phase from frame to frame is right, and it is not squared.": 4 / h**2 * np.sin(x / 2),
        "The middle frame counts once in yours, and the step has it twice.": (
            (1 - 2 * np.cos(x)) / h**2
        ),
        "ω and h have changed places.": learned * h**2 / true,
    }
