"""Checks of chapter 1, the principle of least action."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics
from lnn_tutorial.checks.verdict import Verdict, ask, check, compare, kind, real, right, wrong


@check(
    "return the action as a formula in h, m, g and T.",
    title="How high should a ball fly?",
    hints=(
        "Find the velocity first. Then take the action apart: the integral of the kinetic "
        "energy, and that of the potential energy.",
        "Both integrands are polynomials in t. With s = t/T they become integrals from 0 to 1.",
    ),
)
def throw_action(answer: Callable) -> Verdict:
    """The action of a parabolic throw: `answer(height, mass, gravity, duration) -> S`."""
    for h, m, g, T in [(1.3, 0.7, 9.8, 1.6), (0.4, 2.0, 1.6, 0.9)]:
        kinetic, whole = ask(answer, h, m, 0.0, T), ask(answer, h, m, g, T)
        expected = 8 * m * h**2 / (3 * T)
        verdict = compare(kinetic, expected, name="With gravity off, your action")
        if not verdict:
            slips = {
                "The ½ of the kinetic energy is missing.": 2 * expected,
                "The mass is missing.": expected / m,
                "The velocity counts squared.": expected * T / h,
                "The ball has its first speed only at the ends of the throw.": 3 * expected,
                "That is the square of the mean speed, not the mean of its square.": (
                    0.75 * expected
                ),
                "This is an energy: the integral over the time is missing.": expected / T,
                "A longer throw of one height is a slower one.": expected * T**2,
            }
            hint = "What is the velocity, and what the integral of its square?"
            return verdict.with_slip(kinetic, slips).with_hint(hint)
        gravity, expected = np.subtract(whole, kinetic), -2 * m * g * h * T / 3
        name = "The kinetic part is right; the part with gravity"
        verdict = compare(gravity, expected, name=name)
        if not verdict:
            slips = {
                "Your action knows nothing of gravity.": 0.0,
                "You added the potential energy.": -expected,
                "The ball is not at the height h all the time.": 1.5 * expected,
                "The mean height of a parabola is not half of h.": 0.75 * expected,
                "This is an energy: the integral over the time is missing.": expected / T,
                "The mass is missing.": expected / m,
            }
            hint = "Which sign has V in 𝓛, and what is the integral of q?"
            return verdict.with_slip(gravity, slips).with_hint(hint)
    return right("Speed against height: this is the bargain. At which h is it best?")


@check(
    "return the coefficient of ε² as a formula in m, k and T.",
    title="When does a bend begin to pay?",
    hints=(
        "Put the bent path into the action, and keep what is of the second degree in ε.",
        "Two integrals over half a wave are left, of the square of a cosine and of that of a "
        "sine. What is the mean of each?",
    ),
)
def bend_coefficient(answer: Callable) -> Verdict:
    """The second-order change of an oscillator's action: `answer(mass, stiffness, duration)`."""
    for m, k, T in [(0.7, 3.0, 1.6), (2.0, 0.5, 0.9)]:
        kinetic, whole = ask(answer, m, 0.0, T), ask(answer, m, k, T)
        expected = m * np.pi**2 / (4 * T)
        verdict = compare(kinetic, expected, name="Without a spring, c₂")
        if not verdict:
            slips = {
                "One half is missing: of the energy, or from the mean of a square.": 2 * expected,
                "Two halves are missing: of the energy, and from the mean of a square.": (
                    4 * expected
                ),
                "The inner derivative of the bend is missing.": expected * (T / np.pi) ** 2,
                "The inner derivative of the bend counts squared.": expected * T / np.pi,
                "This is an energy: the integral over the time is missing.": expected / T,
                "The mass is missing.": expected / m,
                "Without a spring no kinetic energy is left in yours.": 0.0,
            }
            hint = "What is left there is the kinetic energy of the bend. What is its slope?"
            return verdict.with_slip(kinetic, slips).with_hint(hint)
        elastic, expected = np.subtract(whole, kinetic), -k * T / 4
        name = "The kinetic part is right; the part of the spring"
        verdict = compare(elastic, expected, name=name)
        if not verdict:
            slips = {
                "Your c₂ knows nothing of the spring.": 0.0,
                "You added the energy of the spring.": -expected,
                "One half is missing: of the energy, or from the mean of a square.": 2 * expected,
                "Two halves are missing: of the energy, and from the mean of a square.": (
                    4 * expected
                ),
                "This is an energy: the integral over the time is missing.": expected / T,
            }
            hint = "Which sign has V in 𝓛, and what is the integral of η²?"
            return verdict.with_slip(elastic, slips).with_hint(hint)
    return right("Both parts are right. For which durations does the second one win?")


@check(
    "return the Lagrangian of the bead.",
    title="A bead on a spinning hoop",
    hints=(
        "If the two components are hard to see, write the bead's place in space, with θ and "
        "with the angle by which the hoop has turned, and differentiate.",
        "The kinetic energy needs the sum of the squares of two speeds. Only one of them "
        "contains θ̇; the other is there even if the bead keeps its θ.",
    ),
)
def hoop(answer: Callable) -> Verdict:
    """A bead on a spinning hoop (R = 0.5 m, 6 rad/s): any 𝓛 with the right acceleration."""
    radius, spin, gravity = 0.5, 6.0, 9.8
    angles = np.array([0.3, 0.9, 1.4, 2.2, -0.7])
    rates = np.array([0.5, -1.0, 2.0, 0.0, 1.5])
    states = [(jnp.array([a]), jnp.array([r])) for a, r in zip(angles, rates, strict=True)]
    if np.shape(value := ask(answer, *states[0])) != ():
        return wrong(f"𝓛 should be one number, got shape {np.shape(value)}: take q[0], not q.")
    found = np.array([ask(mechanics.acceleration(answer), *state)[0] for state in states])
    if not np.isfinite(found).all():
        return wrong(
            "Your 𝓛 gives no finite acceleration: its mass matrix has no inverse.",
            "Does it contain the velocity θ̇?",
        )
    # θ̈ = rotation sin θ cos θ + pull sin θ: fit both, so that each can be judged by itself.
    shapes = np.stack([np.sin(angles) * np.cos(angles), np.sin(angles)], axis=1)
    (rotation, pull), *_ = np.linalg.lstsq(shapes, found, rcond=None)
    if not np.allclose(shapes @ [rotation, pull], found, atol=1e-3 * (1 + np.abs(found).max())):
        return wrong(
            "Your bead feels something that is neither the rotation nor gravity: its acceleration "
            "at these angles is no sum of the two.",
            "Check both components of the velocity and the height, each as a function of θ.",
        )
    tolerance = {"rtol": 1e-3, "atol": 1e-2}
    if np.isclose(pull, 0.0, atol=1e-2):
        return wrong("Your bead feels no gravity.", "How high is the bead at the angle θ?")
    expected = -gravity / radius
    verdict = compare(pull, expected, name="The pull of gravity", **tolerance)
    if not verdict:
        slips = {
            "With yours the bead rises to the top.": -expected,
            "With R = 0.5 m that is also what a missing radius does.": -gravity,
            "With R = 0.5 m that is also what two missing radii do.": -gravity * radius,
            "With R = 0.5 m that is also what one radius too many does.": -gravity / radius**2,
        }
        hint = "Compare how the radius enters kinetic and potential energy."
        return verdict.with_slip(pull, slips, **tolerance).with_hint(hint)
    if np.isclose(rotation, 0.0, atol=1e-2):
        return wrong(
            "Gravity is right, but your bead does not feel the rotation.",
            "It moves along the hoop. In which direction does it move, too?",
        )
    name = "Gravity is right; the effect of the rotation"
    verdict = compare(rotation, spin**2, name=name, **tolerance)
    if not verdict:
        slips = {
            "With yours the rotation pulls the bead to the axis.": -(spin**2),
            "The speed round the axis counts squared.": spin,
        }
        hint = "How fast is the bead carried round the axis?"
        return verdict.with_slip(rotation, slips, **tolerance).with_hint(hint)
    return right("Your bead moves as it should. Where on the hoop can it rest?")


@check(
    "give the letters and the gauge function.",
    title="Which Lagrangians move alike?",
    hints=(
        "A term that is the rate of change of some f(x, y) changes no motion. Which f could a "
        "term come from?",
        "By the chain rule the rate of f is its slope along x times ẋ plus its slope along y "
        "times ẏ. When do two given functions fit together as such slopes?",
    ),
)
def gauge(letters: str, function: Callable) -> Verdict:
    """Terms A–F: the letters that leave the motion alone, and `function(x, y)`, f for term E."""
    if not isinstance(letters, (str, list, tuple, set)):
        return wrong(f"The letters should be a string, got {type(letters).__name__}.")
    named = {str(letter).strip().upper() for letter in letters} - {"", ",", " "}
    if unknown := sorted(named - set("ABCDEF")):
        return wrong(f"Expected letters from A to F, got {unknown[0]!r} as well.")
    if extra := len(named - set("ABDE")):
        return wrong(
            f"Of the {len(named)} terms you name, {extra} would change the motion: a ẋ + b ẏ is a "
            "total derivative only if ∂a/∂y = ∂b/∂x.",
        )
    if lost := len(set("ABDE") - named):
        return wrong(
            f"All you name leave the motion alone, and {lost} more would: a constant, and whatever "
            "is the rate of change of some f(x, y)."
        )
    for x, y in [(0.7, -1.2), (1.9, 0.4)]:
        value = ask(function, x, y)
        if np.shape(value) != ():
            return wrong(f"Your f should be one number, got shape {np.shape(value)}.")
        slope = ask(jax.grad(lambda x, y: function(x, y) * 1.0, argnums=(0, 1)), x, y)
        at = f"at x = {x} and y = {y}"
        verdict = compare(slope[0], 2 * x * y, name=f"The letters are right. The slope ∂f/∂x {at}")
        if not verdict:
            slips = {
                "Your f does not depend on x.": 0.0,
                "Your f is the factor of ẋ itself, and not what has it as its slope.": 2 * y,
                "You added what comes from ẋ and what comes from ẏ: it is one and the same.": (
                    4 * x * y
                ),
            }
            return verdict.with_slip(slope[0], slips)
        name = f"The letters and ∂f/∂x are right. The slope ∂f/∂y {at}"
        verdict = compare(slope[1], x**2, name=name)
        if not verdict:
            return verdict.because("So what is wrong depends on y alone.")
    return right("The letters are right, and the rate of change of your f is term E.")


@check(
    "give the depths of your slide.",
    title="The fastest slide",
    hints=(
        "Write the time as a function of the inner depths, and try it on the straight slide "
        "before you minimise: it should say 0.71 s.",
        "The ends stay: join them to the inner depths within that function, and once more to "
        "the last slide that `descend` has visited.",
    ),
)
def fastest_slide(depth: Any) -> Verdict:
    """Depths `[51]` of a slide from (0, 0) to 1 m further and 0.5 m lower: is it the fastest?"""
    given, depth = depth, real(depth)
    if depth is None:
        return wrong(f"The depths should be an array of numbers, got {kind(given)}.")
    if depth.shape != (51,):
        return wrong(f"Expected 51 depths, the two ends included, got shape {depth.shape}.")
    if not np.isfinite(depth).all():
        first = int(np.argmin(np.isfinite(depth)))
        return wrong(
            f"Some depths are not finite, first depth[{first}].",
            "Did the bead climb above its start on the way?",
        )
    if not np.allclose(depth[[0, -1]], [0.0, 0.5], atol=1e-6):
        return wrong(
            "The ends should stay where they are, at depths 0 and 0.5 m; yours are at "
            f"{depth[0] + 0.0:.3g} and {depth[-1]:.3g} m."
        )
    if not (depth[1:] > 0).all():
        first = 1 + int(np.argmin(depth[1:] > 0))
        return wrong(
            "Depth counts downward, and the bead never gets back up to its start: depth"
            f"[{first}] is {depth[first]:.3g} m."
        )
    speed = np.sqrt(2 * 9.8 * depth)
    time = np.sum(2 * np.hypot(0.02, np.diff(depth)) / (speed[1:] + speed[:-1]))
    least = 0.56991  # seconds, from the curve known in closed form
    late = 100 * (time / least - 1)
    if late > 0.5:
        straight = np.abs(np.diff(depth, 2)).max() < 1e-5
        return wrong(
            f"Your bead arrives, but {late:.1f} % later than on the fastest slide.",
            "Is it the last slide that the minimiser visited, and had the time ceased to fall?",
        ).because("The straight slide is the shortest one." if straight else "")
    return right("No slide is faster by more than half a per cent. What shape is it?")
