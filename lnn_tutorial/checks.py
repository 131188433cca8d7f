"""Checks for the exercises: each tells right from wrong and gives no answer away.

A check is a function decorated with `check` that looks at an answer and returns a `Verdict`.
As the last line of a cell it shows as plain text:

>>> compare(2.0, expected=1.0, name="The energy")
✗ The energy is off by a factor of 2.

The first section holds what all checks share. Then comes one section per chapter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, models, systems

# --- What all checks share ------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What a check found: true if the answer passed, and a sentence that says why."""

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.message}"


class _Stop(Exception):
    """Ends a check that cannot go on, with a verdict, or with None for an unanswered stub."""

    def __init__(self, verdict: Verdict | None = None):
        super().__init__(str(verdict))
        self.verdict = verdict


def right(message: str) -> Verdict:
    """The verdict of a passed check: `✓ message`."""
    return Verdict(True, message)


def wrong(message: str) -> Verdict:
    """The verdict of a failed check: `✗ message`."""
    return Verdict(False, message)


def missing(answer: Any) -> bool:
    """Whether an answer, or a part of it, is still `...` or None."""
    if isinstance(answer, (list, tuple)):
        return any(missing(part) for part in answer)
    if isinstance(answer, dict):
        return missing(list(answer.values()))
    return answer is None or answer is ...


def check(task: str) -> Callable:
    """Decorator that makes a function of answers a check that never raises.

    `task` completes "Nothing here yet: …", the verdict on an unanswered stub. The decorated
    function returns a `Verdict`. It calls the student's functions through `ask`.

    >>> @check("return the square of x.")
    ... def square(answer):
    ...     return compare(ask(answer, 3.0), 9.0, name="Your square of 3")
    >>> square(lambda x: ...)
    ✗ Nothing here yet: return the square of x.
    >>> square(lambda x: x / 0)
    ✗ Your function raised ZeroDivisionError: float division by zero
    >>> square(lambda x: x * x)
    ✓ Your square of 3 is right.
    """

    def decorate(examine: Callable[..., Verdict]) -> Callable[..., Verdict]:
        @wraps(examine)
        def judged(*answers, **settings) -> Verdict:
            unanswered = wrong(f"Nothing here yet: {task}")
            if missing(answers):
                return unanswered
            try:
                return examine(*answers, **settings)
            except _Stop as stop:
                return unanswered if stop.verdict is None else stop.verdict
            except Exception as error:
                return wrong(f"This answer cannot be checked: {_describe(error)}")

        return judged

    return decorate


def ask(function: Callable, *arguments) -> Any:
    """What the student's function returns; ends the check where it raises or is still a stub.

    A transformed function counts too: `ask(jax.grad(answer), x)`. Ask the plain function first,
    so that a stub is recognised before JAX complains about it.
    """
    if not callable(function):
        raise _Stop(wrong(f"Expected a function, got {type(function).__name__}."))
    try:
        answer = function(*arguments)
    except Exception as error:
        raise _Stop(wrong(f"Your function raised {_describe(error)}")) from error
    if missing(answer):
        raise _Stop()
    return answer


def compare(
    value: Any,
    expected: Any,
    *,
    name: str = "Your answer",
    rtol: float = 1e-4,
    atol: float = 1e-6,
    praise: str = "",
) -> Verdict:
    """Verdict on a number or array against the expected one, which is never printed.

    Passes where |value − expected| ≤ atol + rtol |expected|; the defaults allow for float32.
    Otherwise it names the first of these that applies: nothing there, not numbers, another
    shape, non-finite entries, the wrong sign, a transpose, a constant factor, too large or small,
    which entries. `name` begins the sentence, `praise` replaces the one of a right answer.
    """
    if missing(value):
        return wrong(f"{name} is missing.")
    try:
        value = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return wrong(f"{name} should be made of real numbers, got {type(value).__name__}.")
    expected = np.asarray(expected, dtype=float)

    def near(candidate):
        return np.isclose(candidate, expected, rtol=rtol, atol=atol)

    if value.shape != expected.shape:
        hint = " Is it transposed?" if value.T.shape == expected.shape else ""
        return wrong(f"{name} has shape {value.shape}, expected {expected.shape}.{hint}")
    if not np.isfinite(value).all():
        return wrong(f"{name} is not finite: it holds NaN or infinity.")
    if near(value).all():
        return right(praise or f"{name} is right.")
    if near(-value).all():
        return wrong(f"{name} has the wrong sign.")
    if value.ndim == 2 and value.shape == value.T.shape and near(value.T).all():
        return wrong(f"{name} is transposed.")
    factor = _factor(value, expected, near)
    if factor:
        return wrong(f"{name} is off by {factor}.")
    if value.size == 1:
        return wrong(f"{name} is too {'large' if value.item() > expected.item() else 'small'}.")
    return wrong(_which(name, ~near(value)))


def _factor(value: np.ndarray, expected: np.ndarray, near: Callable) -> str:
    """The constant factor between two arrays in words, or "" if there is none.

    A lone number is always off by some factor, and that factor would give the answer away.
    So only common slips are named, and for arrays any other factor is mentioned without its size.
    """
    scale = np.vdot(expected, expected)
    ratio = np.vdot(expected, value) / scale if scale > 0 else 0.0
    if ratio == 0.0 or not near(value / ratio).all():
        return ""
    slips = {
        "2": 2,
        "3": 3,
        "4": 4,
        "10": 10,
        "100": 100,
        "1000": 1000,
        "π": np.pi,
        "2π": 2 * np.pi,
    }
    slips |= {"180/π (degrees for radians)": 180 / np.pi}
    sign = " and has the wrong sign" if ratio < 0 else ""
    for word, slip in slips.items():
        if np.isclose(abs(ratio), slip, rtol=1e-3):
            return f"a factor of {word}{sign}"
        if np.isclose(abs(ratio), 1 / slip, rtol=1e-3):
            return f"a factor of 1/{word}{sign}" if slip < 50 else f"a factor of 1/({word}){sign}"
    several = np.count_nonzero(~np.isclose(expected, 0.0, atol=1e-12)) > 1
    return f"a constant factor{sign}" if several else ""


def _which(name: str, off: np.ndarray) -> str:
    """A sentence that counts the wrong entries and points at the first of them."""
    if off.all():
        return f"{name} is wrong in every entry."
    first = [int(i) for i in np.argwhere(off)[0]]
    return f"{name} is wrong in {off.sum()} of {off.size} entries, first in entry {first}."


def _describe(error: Exception) -> str:
    """The error's type and the first line of its message, cut to 200 characters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else f"{type(error).__name__}."


# --- Chapter 1: The principle of least action -----------------------------------------


@check("return the action as a formula in h, m, g and T.")
def throw_action(answer: Callable) -> Verdict:
    """The action of a parabolic throw: `answer(height, mass, gravity, duration) -> S`."""
    for h, m, g, T in [(1.3, 0.7, 9.8, 1.6), (0.4, 2.0, 1.6, 0.9)]:
        kinetic, whole = ask(answer, h, m, 0.0, T), ask(answer, h, m, g, T)
        verdict = compare(kinetic, 8 * m * h**2 / (3 * T), name="With gravity off, your action")
        if not verdict:
            return _hint(verdict, "What is the velocity, and what the integral of its square?")
        verdict = compare(
            np.subtract(whole, kinetic), -2 * m * g * h * T / 3, name="The part with gravity"
        )
        if not verdict:
            return _hint(verdict, "The kinetic part is right. Is 𝓛 the sum or the difference?")
    return right("Speed against height: this is the bargain. At which h is it best?")


@check("return the coefficient of ε² as a formula in m, k and T.")
def bend_coefficient(answer: Callable) -> Verdict:
    """The second-order change of an oscillator's action: `answer(mass, stiffness, duration)`."""
    for m, k, T in [(0.7, 3.0, 1.6), (2.0, 0.5, 0.9)]:
        kinetic, whole = ask(answer, m, 0.0, T), ask(answer, m, k, T)
        verdict = compare(kinetic, m * np.pi**2 / (4 * T), name="Without a spring, c₂")
        if not verdict:
            return _hint(verdict, "Only the kinetic energy of the bend is left there.")
        verdict = compare(np.subtract(whole, kinetic), -k * T / 4, name="The part of the spring")
        if not verdict:
            return _hint(verdict, "The kinetic part is right.")
    return right("Both parts are right. For which durations does the second one win?")


@check("return the Lagrangian of the bead.")
def hoop(answer: Callable) -> Verdict:
    """A bead on a spinning hoop (R = 0.5 m, 6 rad/s): any 𝓛 with the right acceleration."""
    radius, spin, gravity = 0.5, 6.0, 9.8
    angles = np.array([0.3, 0.9, 1.4, 2.2, -0.7])
    rates = np.array([0.5, -1.0, 2.0, 0.0, 1.5])
    states = [(jnp.array([a]), jnp.array([r])) for a, r in zip(angles, rates, strict=True)]
    if np.shape(value := ask(answer, *states[0])) != ():
        return wrong(f"𝓛 should be one number, got shape {np.shape(value)}. Is it q, or q[0]?")
    found = np.array([ask(mechanics.acceleration(answer), *state)[0] for state in states])
    if not np.isfinite(found).all():
        return wrong("Your 𝓛 gives no finite acceleration. Does it contain the velocity θ̇?")
    # θ̈ = rotation sin θ cos θ + pull sin θ: fit both, so that each can be judged by itself.
    shapes = np.stack([np.sin(angles) * np.cos(angles), np.sin(angles)], axis=1)
    (rotation, pull), *_ = np.linalg.lstsq(shapes, found, rcond=None)
    if not np.allclose(shapes @ [rotation, pull], found, atol=1e-3 * (1 + np.abs(found).max())):
        return wrong(
            "Your bead's acceleration has the wrong form. Check both components of the velocity "
            "and the height, each as a function of θ."
        )
    tolerance = {"rtol": 1e-3, "atol": 1e-2}
    if np.isclose(pull, 0.0, atol=1e-2):
        return wrong("Your bead feels no gravity.")
    verdict = compare(pull, -gravity / radius, name="The pull of gravity", **tolerance)
    if not verdict:
        return _hint(verdict, "Compare how the radius enters kinetic and potential energy.")
    if np.isclose(rotation, 0.0, atol=1e-2):
        return wrong(
            "Gravity is right, but your bead does not feel the rotation: it has a velocity round "
            "the axis, too."
        )
    verdict = compare(rotation, spin**2, name="The effect of the rotation", **tolerance)
    if not verdict:
        return _hint(verdict, "Gravity is right. How fast is the bead carried round the axis?")
    return right("Your bead moves as it should. Where on the hoop can it rest?")


@check("give the letters and the gauge function.")
def gauge(letters: str, function: Callable) -> Verdict:
    """Terms A–F: the letters that leave the motion alone, and `function(x, y)`, f for term E."""
    if not isinstance(letters, (str, list, tuple, set)):
        return wrong(f"The letters should be a string, got {type(letters).__name__}.")
    named = {str(letter).strip().upper() for letter in letters} - {"", ",", " "}
    if unknown := sorted(named - set("ABCDEF")):
        return wrong(f"Expected letters from A to F, got {unknown[0]!r} as well.")
    if extra := len(named - set("ABDE")):
        return wrong(
            f"Of the {len(named)} terms you name, {extra} would change the motion. For a total "
            "derivative, two mixed second derivatives must agree."
        )
    if lost := len(set("ABDE") - named):
        return wrong(f"All you name leave the motion alone, and {lost} more would.")
    for x, y in [(0.7, -1.2), (1.9, 0.4)]:
        value = ask(function, x, y)
        if np.shape(value) != ():
            return wrong(f"Your f should be one number, got shape {np.shape(value)}.")
        slope = ask(jax.grad(lambda x, y: function(x, y) * 1.0, argnums=(0, 1)), x, y)
        verdict = compare(slope[0], 2 * x * y, name="The letters are right. The slope ∂f/∂x")
        if not verdict:
            return verdict
        verdict = compare(slope[1], x**2, name="The letters and ∂f/∂x are right. The slope ∂f/∂y")
        if not verdict:
            return verdict
    return right("The letters are right, and the rate of change of your f is term E.")


@check("give the depths of your slide.")
def fastest_slide(depth: Any) -> Verdict:
    """Depths `[51]` of a slide from (0, 0) to 1 m further and 0.5 m lower: is it the fastest?"""
    try:
        depth = np.asarray(depth, dtype=float)
    except (TypeError, ValueError):
        return wrong(f"The depths should be an array of numbers, got {type(depth).__name__}.")
    if depth.shape != (51,):
        return wrong(f"Expected 51 depths, the two ends included, got shape {depth.shape}.")
    if not np.isfinite(depth).all():
        return wrong("Some depths are not finite. Did the bead climb above its start on the way?")
    if not np.allclose(depth[[0, -1]], [0.0, 0.5], atol=1e-6):
        return wrong("The ends should stay where they are, at depths 0 and 0.5 m.")
    if not (depth[1:] > 0).all():
        return wrong("Depth counts downward, and the bead never gets back up to its start.")
    speed = np.sqrt(2 * 9.8 * depth)
    time = np.sum(2 * np.hypot(0.02, np.diff(depth)) / (speed[1:] + speed[:-1]))
    least = 0.56991  # seconds, from the curve known in closed form
    late = 100 * (time / least - 1)
    if late > 0.5:
        return wrong(f"Your bead arrives, but {late:.1f} % later than on the fastest slide.")
    return right("No slide is faster by more than half a per cent. What shape is it?")


# --- Chapter 2: A falling ball --------------------------------------------------------


@check("return the mass matrix, the mixed matrix and the force.")
def two_masses(answer: Callable) -> Verdict:
    """Two masses and a spring: `answer(q, q_dot, m1, m2, k, l) -> (mass, mixed, force)`."""
    m1, m2, k, l = 1.5, 0.4, 7.0, 0.8
    for q, q_dot in [((0.2, 1.7), (0.3, -0.9)), ((-1.0, -0.6), (2.0, 0.5))]:
        found = ask(answer, jnp.array(q), jnp.array(q_dot), m1, m2, k, l)
        if not isinstance(found, (tuple, list)) or len(found) != 3:
            return wrong(
                f"Expected three things, mass, mixed and force, got {type(found).__name__}."
            )
        mass, mixed, force = found
        verdict = compare(mass, [[m1, 0.0], [0.0, m2]], name="Your mass matrix")
        if not verdict:
            return verdict
        verdict = compare(mixed, np.zeros((2, 2)), name="Your mixed matrix")
        if not verdict:
            return _hint(verdict, "Does the momentum of a mass depend on where it is?")
        pull = k * (q[1] - q[0] - l)
        verdict = compare(force, [pull, -pull], name="Your force")
        if not verdict and np.shape(force) == (2,):
            if np.isclose(force[0], force[1]):
                return _hint(verdict, "Do the two ends of a spring pull the same way?")
            return _hint(verdict, "Try q at which the spring has its rest length.")
        if not verdict:
            return verdict
    return right("All three are right, and the two forces add up to zero.")


@check("return the Lagrangian of the bead.")
def bead_on_parabola(answer: Callable) -> Verdict:
    """A bead on the wire y = a x²: `answer(q, q_dot, m, a, g) -> scalar`."""
    m, a, g = 0.7, 0.6, 9.8
    x, v = np.array([[0.8, 0.0, 0.8, -1.3], [0.0, 0.5, 1.5, -0.4]])
    truth = -(4 * a**2 * x * v**2 + 2 * a * g * x) / (1 + 4 * a**2 * x**2)
    mass, found = _equations(lambda *state: answer(*state, m, a, g), x[:, None], v[:, None])
    if found[0, 0] > 0:
        return wrong(
            "Released at rest, your bead climbs: look at the sign of the potential energy."
        )
    if np.isclose(mass[0], mass[1], rtol=1e-3):
        return wrong(
            "Your kinetic energy is the same everywhere on the wire, but at one and the same "
            "velocity along x the bead is faster where the wire is steep."
        )
    verdict = compare(found[0, 0], truth[0], name="The acceleration of a bead at rest", rtol=1e-3)
    if not verdict:
        return _hint(verdict, "Compare kinetic and potential energy with your sketch of the wire.")
    verdict = compare(
        found[:, 0],
        truth,
        name="The acceleration",
        rtol=1e-3,
        praise="Your bead moves as it should, at rest and in motion.",
    )
    return verdict or _hint(
        verdict, "At rest it is right, so look at what depends on the velocity."
    )


@check("give a telling state, and mend the function.")
def one_scalar_of_a_matrix(state: Any, mended: Callable) -> Verdict:
    """The bug that keeps one scalar of the mixed matrix: a state that shows it, and the cure."""
    spring = systems.SpringPendulum()
    if not isinstance(state, (tuple, list)) or len(state) != 2:
        return wrong("The state should be a pair (q, q_dot) of two arrays.")
    q, q_dot = (jnp.asarray(x, dtype=float) for x in state)
    if q.shape != (2,) or q_dot.shape != (2,):
        return wrong(f"Expected q and q_dot of shape (2,), got {q.shape} and {q_dot.shape}.")
    if not q[0] > 0:
        return wrong("The distance r from the pivot should be positive.")
    truth = np.asarray(spring.acceleration(q, q_dot))
    spoilt = np.asarray(jax.jit(_one_scalar(spring.lagrangian))(q, q_dot))
    if np.abs(spoilt - truth).max() < 1e-3 * (1 + np.abs(truth).max()):
        return wrong(
            "At your state the buggy code gives the right acceleration. Which term of Eq. 6 does "
            "it spoil, and when is that term zero?"
        )

    pendulum = systems.Pendulum(length=1.3)
    double = systems.DoublePendulum(mass2=0.6, length2=0.7)
    trials = [
        ("the pendulum", pendulum.lagrangian, [0.4], [1.1], pendulum.acceleration),
        ("the double pendulum", double.lagrangian, [0.3, 1.4], [1.7, -2.1], double.acceleration),
        ("a charge in a magnetic field", *_charge_in_field([0.2, -0.5, 1.0], [1.0, 2.0, -0.7])),
    ]
    for name, lagrangian, q, q_dot, closed_form in trials:
        q, q_dot = jnp.array(q), jnp.array(q_dot)
        field = ask(mended, lagrangian)
        if q.size == 1:
            ask(field, q, q_dot)  # a stub is recognised before JAX complains about it
        found = ask(jax.jit(field) if callable(field) else field, q, q_dot)
        verdict = compare(
            found,
            closed_form(q, q_dot),
            name=f"Your acceleration of {name}",
            rtol=1e-3,
            atol=1e-3,
        )
        if not verdict:
            return _hint(verdict, _about_mixed_term(lagrangian, q, q_dot, found))
    return right(
        "Your state tells them apart, and your code is right for one, two and three coordinates."
    )


def _about_mixed_term(lagrangian: Callable, q: Any, q_dot: Any, found: Any) -> str:
    """Which slip in the mixed term of Eq. 6 gives the acceleration found, if one does."""
    slips = {
        _no_mixed: "The mixed matrix has no effect in your code.",
        _one_scalar: "The bug is still there.",
        _transposed: "Rows and columns of the mixed matrix have changed places.",
    }
    for slip, hint in slips.items():
        if compare(found, jax.jit(slip(lagrangian))(q, q_dot), rtol=1e-3, atol=1e-3):
            return hint
    return "Write down the shape of each of the three pieces of Eq. 6."


def _with_mixed_term(term: Callable) -> Callable:
    """A version of Eq. 6 with `term(mixed, q_dot)` in the place of mixed @ q_dot."""

    def acceleration(lagrangian):
        def field(q, q_dot):
            mixed = jax.jacobian(jax.grad(lagrangian, argnums=1), argnums=0)(q, q_dot)
            force = jax.grad(lagrangian, argnums=0)(q, q_dot) - term(mixed, q_dot)
            return jnp.linalg.solve(jax.hessian(lagrangian, argnums=1)(q, q_dot), force)

        return field

    return acceleration


_one_scalar = _with_mixed_term(lambda mixed, q_dot: mixed[0, 0] * q_dot)
_no_mixed = _with_mixed_term(lambda mixed, q_dot: 0.0 * q_dot)
_transposed = _with_mixed_term(lambda mixed, q_dot: mixed.T @ q_dot)


def _charge_in_field(q: list, q_dot: list) -> tuple:
    """A unit mass and charge in a constant field B: 𝓛 = ½ q̇·q̇ + ½ B·(q × q̇), q̈ = q̇ × B."""
    field = jnp.array([0.4, -1.0, 0.9])

    def lagrangian(q, q_dot):
        return 0.5 * q_dot @ q_dot + 0.5 * field @ jnp.cross(q, q_dot)

    return lagrangian, q, q_dot, lambda q, q_dot: jnp.cross(q_dot, field)


@check("return the Lagrangian, and a conserved quantity.")
def spherical_pendulum(answer: Callable, conserved: Callable) -> Verdict:
    """A pendulum free to go round: two functions of (q, q_dot, m, l, g), q = (θ, φ)."""
    m, l, g = 0.6, 1.4, 9.8
    q = np.array([[0.9, 0.3], [0.9, 0.3], [2.0, -1.0], [1.2, 2.0]])
    q_dot = np.array([[0.0, 0.0], [0.5, 1.2], [-1.3, 0.7], [0.4, -2.2]])
    theta, theta_dot, phi_dot = q[:, 0], *q_dot.T
    centrifugal = np.sin(theta) * np.cos(theta) * phi_dot**2
    coriolis = -2 * theta_dot * phi_dot / np.tan(theta)
    truth = np.stack([centrifugal - g / l * np.sin(theta), coriolis], axis=1)

    _, found = _equations(lambda *state: answer(*state, m, l, g), q, q_dot)
    if found[0, 0] > 0:
        return wrong("Released at rest, your bob rises: look at the sign of the potential energy.")
    verdict = compare(found[0], truth[0], name="The acceleration at rest", rtol=1e-3, atol=1e-4)
    if not verdict:
        return verdict
    verdict = compare(found, truth, name="The acceleration in motion", rtol=1e-3, atol=1e-4)
    if not verdict:
        return _hint(verdict, "How large is the circle on which the bob goes round at θ?")

    def quantity(q, q_dot):
        return jnp.asarray(conserved(q, q_dot, m, l, g), dtype=float)

    one = jnp.array(q[1]), jnp.array(q_dot[1])
    _scalar(ask(conserved, *one, m, l, g), "Your conserved quantity")
    slope = jax.jit(jax.vmap(jax.grad(quantity, argnums=(0, 1))))
    slope = np.hstack(ask(slope, jnp.array(q), jnp.array(q_dot)))[1:]
    if np.abs(slope).max() < 1e-6:
        return wrong("Your quantity is a mere constant: it does not depend on the state.")
    if np.abs(_cosine(slope, np.hstack([q_dot, truth])[1:])).max() > 1e-3:
        return wrong(
            "Your Lagrangian is right, but your quantity changes along the motion. "
            "Take the momentum of the right coordinate from your own Lagrangian."
        )
    # The slope of the energy, over m l².
    uphill = [
        g / l * np.sin(theta) + centrifugal,
        0 * theta,
        theta_dot,
        np.sin(theta) ** 2 * phi_dot,
    ]
    if np.abs(_cosine(slope, np.stack(uphill, axis=1)[1:])).min() > 1 - 1e-5:
        return wrong("Your quantity is constant, but it is the energy. There is another one.")
    return right("The motion is right, and your quantity stays constant along it.")


@check("return the mass matrix of the double pendulum.")
def double_pendulum_mass(answer: Callable) -> Verdict:
    """The double pendulum's mass matrix: `answer(q, m1, m2, l1, l2) -> [2, 2]`."""
    constants = m1, m2, l1, l2 = 1.3, 0.6, 0.8, 1.7
    for q in [(0.4, 1.5), (2.0, -0.3)]:
        found = ask(answer, jnp.array(q), *constants)
        cross = m2 * l1 * l2 * np.cos(q[0] - q[1])
        expected = [[(m1 + m2) * l1**2, cross], [cross, m2 * l2**2]]
        verdict = compare(found, expected, name="Your mass matrix")
        if not verdict and np.shape(found) == (2, 2):
            turned = ask(answer, jnp.array(q) + 1.0, *constants)
            hint = _about_two_arms(np.asarray(found, float), np.asarray(turned, float), m1 * l1**2)
            return _hint(verdict, hint)
        if not verdict:
            return verdict
    return right("Your mass matrix is right.")


def _about_two_arms(found: np.ndarray, turned: np.ndarray, upper: float) -> str:
    """What a wrong mass matrix suggests to look at; `turned`: both arms one radian further."""
    if not np.allclose(found, found.T):
        return "A mass matrix is symmetric: the order of two derivatives does not matter."
    if np.isclose(found[0, 0], upper):
        return "Which bobs move when only the upper angle changes?"
    if not np.allclose(turned, found, rtol=1e-4):
        return "Turning both arms together should change nothing."
    if np.isclose(found[0, 1], 0.0):
        return "Do the two angles not share the lower bob's kinetic energy?"
    return "Write out the lower bob's speed squared and collect the terms once more."


def _equations(lagrangian: Callable, q: Any, q_dot: Any) -> tuple[np.ndarray, np.ndarray]:
    """The largest entries of M [n] and the accelerations [n, d] of a student's Lagrangian.

    Ends the check for a stub, an exception, an array in the place of a scalar, a singular M.
    """
    q, q_dot = jnp.asarray(q), jnp.asarray(q_dot)
    _scalar(ask(lagrangian, q[0], q_dot[0]), "Your Lagrangian")

    def equations(q, q_dot):
        return (
            mechanics.mass_matrix(lagrangian)(q, q_dot).max(),
            mechanics.acceleration(lagrangian)(q, q_dot),
        )

    mass, q_ddot = ask(jax.jit(jax.vmap(equations)), q, q_dot)
    if not np.isfinite(q_ddot).all():
        raise _Stop(wrong("Eq. 6 finds no acceleration: your mass matrix has no inverse."))
    return np.asarray(mass), np.asarray(q_ddot)


def _scalar(value: Any, name: str) -> None:
    """End the check unless `value` is one number."""
    if np.shape(value) != ():
        raise _Stop(
            wrong(f"{name} should be one number, got shape {np.shape(value)}. Is it q, or q[0]?")
        )


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cosines of the angles between the rows of two arrays [n, d]."""
    sizes = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / np.maximum(sizes, 1e-12)


def _hint(verdict: Verdict, hint: str) -> Verdict:
    """A failed verdict with a hint behind it."""
    return wrong(f"{verdict.message} {hint}")


# --- Chapter 3: A Lagrangian network in JAX -------------------------------------------


@check("return the energies of a batch of states.")
def batch_energies(answer: Callable) -> Verdict:
    """Energies of a batch: `answer(lagrangian, q, q_dot) -> [n]`, for any Lagrangian."""
    spring = systems.SpringPendulum()

    def swung(q, q_dot):  # linear in the velocity: no energy in it
        return 0.5 * q_dot @ q_dot + 0.8 * (q[0] * q_dot[1] - q[1] * q_dot[0])

    def fast(q, q_dot):
        return -jnp.sqrt(1 - q_dot @ q_dot / 400)

    q, q_dot = spring.sample(jax.random.key(0), 5)
    trials = [
        ("the spring pendulum", spring.lagrangian, jax.vmap(spring.energy)(q, q_dot)),
        ("a charge in a magnetic field", swung, 0.5 * (q_dot**2).sum(axis=1)),
        ("a relativistic particle", fast, (1 - (q_dot**2).sum(axis=1) / 400) ** -0.5),
    ]
    for name, lagrangian, expected in trials:
        found = ask(answer, lagrangian, q, q_dot)
        verdict = compare(found, expected, name=f"Your energy of {name}", rtol=1e-3, atol=1e-3)
        if verdict:
            continue
        if np.shape(found) != (5,):
            return _hint(verdict, "One energy for each state of the batch.")
        values = jax.vmap(lagrangian)(q, q_dot)
        if compare(found, values) or compare(found, -values):
            return _hint(verdict, "Where is the momentum?")
        if compare(found, expected + 2 * values, rtol=1e-3, atol=1e-3):
            return _hint(verdict, "Look at the sign of 𝓛.")
        if name != trials[0][0]:
            return _hint(verdict, "Does your formula assume a kinetic energy of a special form?")
        return verdict
    return right("Your energies are right, for three Lagrangians of different kinds.")


@check("return the residual of the Euler–Lagrange equation.")
def imbalance(answer: Callable) -> Verdict:
    """What is out of balance: `answer(lagrangian)(q, q_dot, q_ddot) -> R [d]`."""
    q_ddot = jnp.array([0.9, -1.6])
    for name, system in [
        ("spring pendulum", systems.SpringPendulum()),
        ("double pendulum", systems.DoublePendulum(mass2=0.6, length2=0.7)),
    ]:
        q, q_dot = jnp.array([1.2, 0.5]), jnp.array([0.7, 2.0])
        lagrangian = system.lagrangian
        found = ask(ask(answer, lagrangian), q, q_dot, q_ddot)
        mass = mechanics.mass_matrix(lagrangian)(q, q_dot)
        truth = system.acceleration(q, q_dot)
        settings = {"rtol": 1e-3, "atol": 1e-3}
        verdict = compare(
            found, mass @ (q_ddot - truth), name=f"Your residual of the {name}", **settings
        )
        if verdict:
            continue
        force = jax.grad(lagrangian, argnums=0)(q, q_dot)
        momentum_rate = mass @ (q_ddot - truth) + force
        slips = {
            "It does not depend on the acceleration.": -mass @ truth,
            "The rate of the momentum is right; a force is missing.": momentum_rate,
            "The rate of the momentum is right; look at the sign of the force.": momentum_rate
            + force,
            "You let the velocities change, but the positions stand still.": mass @ q_ddot - force,
            "An acceleration is no force: what turns one into the other?": q_ddot - truth,
        }
        for hint, slip in slips.items():
            if compare(found, slip, **settings):
                return _hint(verdict, hint)
        return verdict
    return right("Your residual is right for both systems, and zero where they really move.")


@check("mend the two bugs.")
def mended_lagrangian(answer: Callable) -> Verdict:
    """A network for the spring pendulum: `answer(params, q, q_dot) -> scalar`, five features."""
    params = models.LNN(2, (False, True), width=16).init(jax.random.key(0))
    q_dot = jnp.array([0.4, -1.1])

    def at(theta, params=params):
        found = ask(answer, params, jnp.array([1.3, theta]), q_dot)
        if np.shape(found) != ():
            raise _Stop(wrong(f"𝓛 should be one number, got shape {np.shape(found)}."))
        if not np.isfinite(found):
            raise _Stop(wrong("𝓛 is not finite."))
        return float(found)

    for layer in range(len(params) - 1):
        shifted = [dict(each) for each in params]
        shifted[layer]["bias"] = shifted[layer]["bias"] + 1.0
        if abs(at(0.7, shifted) - at(0.7)) < 1e-5:
            return wrong(
                "Add one to all biases of a hidden layer, and your 𝓛 does not notice: the units "
                "of a layer only share something out among themselves. Look at the activation."
            )
    if abs(at(np.pi + 1e-3) - at(np.pi - 1e-3)) > 1e-2:
        return wrong(
            "Your 𝓛 jumps where the pendulum passes the upward vertical, though nothing happens "
            "to the pendulum there."
        )
    if abs(at(0.7 + 2 * np.pi) - at(0.7)) > 1e-3:
        return wrong("After a full turn the pendulum is where it was, but your 𝓛 is not.")
    if abs(at(0.7) - at(np.pi - 0.7)) < 1e-5:
        return wrong("Your 𝓛 cannot tell a pendulum that hangs from one that stands.")
    mass = ask(jax.hessian(answer, argnums=2), params, jnp.array([1.3, 0.7]), q_dot)
    if not np.abs(mass).max() > 1e-8:
        return wrong("No jumps any more, but your mass matrix is zero: look at the activation.")
    return right("Both bugs are gone: a smooth 𝓛, the same after a full turn, with a mass matrix.")


@check("return the rate dE/dt of an energy along a model's motion.")
def error_power(answer: Callable) -> Verdict:
    """The work of an error: `answer(energy, acceleration, q, q_dot) -> dE/dt` at one state."""
    spring = systems.SpringPendulum()
    q, q_dot = jnp.array([1.2, 0.5]), jnp.array([0.7, 2.0])

    def oscillator(q, q_dot):
        return 0.5 * q_dot @ q_dot + 1.5 * q @ q

    def with_friction(q, q_dot):
        return -3.0 * q - 0.2 * q_dot

    rubbed = ask(answer, oscillator, with_friction, jnp.array([0.6]), jnp.array([-0.9]))
    if np.shape(rubbed) != ():
        return wrong(f"A power is one number, got shape {np.shape(rubbed)}.")
    verdict = compare(rubbed, -0.2 * 0.9**2, name="The power of friction", rtol=1e-2)
    if not verdict:
        slips = {
            "The velocity changes, but so does the position.": -0.9 * (-3 * 0.6 + 0.2 * 0.9),
            "The position changes, but so does the velocity.": 3 * 0.6 * -0.9,
        }
        for hint, slip in slips.items():
            if compare(rubbed, slip, rtol=1e-2):
                return _hint(verdict, hint)
        return verdict
    still = ask(answer, spring.energy, spring.acceleration, q, q_dot)
    if not abs(float(still)) < 1e-2:
        return wrong("Along the true motion the true energy should not change, but yours does.")
    error = jnp.array([0.3, -0.5])
    pushed = ask(answer, spring.energy, lambda *at: spring.acceleration(*at) + error, q, q_dot)
    expected = 0.3 * 0.7 - 0.5 * 1.2**2 * 2.0
    verdict = compare(pushed, expected, name="The power of an error", rtol=2e-2)
    if not verdict:
        return _hint(verdict, "Friction and the true motion are right. What about the masses?")
    return right("Friction takes energy, the truth keeps it, and an error does work.")


@check("hand over a trained model and its parameters.")
def trained_pendulum(model: Any, params: Any) -> Verdict:
    """A Lagrangian network of the plane pendulum, at most 0.1 % wrong on fresh states."""
    pendulum = systems.Pendulum()
    if not hasattr(model, "lagrangian"):
        return wrong(f"Expected a model with a Lagrangian, got {type(model).__name__}.")
    q, q_dot = pendulum.sample(jax.random.key(12345), 2000)
    truth = jax.vmap(pendulum.acceleration)(q, q_dot)
    lagrangian = partial(model.lagrangian, params)
    ask(lagrangian, q[0], q_dot[0])
    found = np.asarray(ask(jax.jit(jax.vmap(mechanics.acceleration(lagrangian))), q, q_dot))
    if lost := np.count_nonzero(~np.isfinite(found).all(axis=1)):
        return wrong(f"At {lost} of {len(q)} states there is no acceleration: M is singular.")
    error = float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
    if error > 0.5:
        return wrong(
            "Your network knows next to nothing of this pendulum. Are these the trained "
            "parameters, and of this system?"
        )
    if error > 0.001:
        return wrong(
            f"On fresh states your accelerations are {100 * error:.2f} % wrong. Does the loss "
            "still fall when training ends, or does it jump about?"
        )
    return right("Below 0.1 % on fresh states: your network has learned the pendulum.")
