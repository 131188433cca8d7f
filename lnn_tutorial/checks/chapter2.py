"""Checks of chapter 2, a falling ball."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, systems
from lnn_tutorial.checks import reference
from lnn_tutorial.checks.verdict import (
    Stop,
    Verdict,
    ask,
    check,
    compare,
    named,
    right,
    watched,
    wrong,
)


@check(
    "return the mass matrix, the mixed matrix and the force.",
    title="Two masses and a spring",
    hints=(
        "Begin with the momenta, the derivatives of 𝓛 by the velocities. Mass matrix and "
        "mixed matrix are their derivatives.",
        "For the force, think of the spring when it is too long: which way does it pull the "
        "left mass, and which way the right one?",
    ),
)
def two_masses(answer: Callable) -> Verdict:
    """Two masses and a spring: `answer(q, q_dot, m1, m2, k, l) -> (mass, mixed, force)`."""
    m1, m2, k, l = 1.5, 0.4, 7.0, 0.8
    for q, q_dot in [((0.2, 1.7), (0.3, -0.9)), ((-1.0, -0.6), (2.0, 0.5))]:
        found = ask(answer, jnp.array(q), jnp.array(q_dot), m1, m2, k, l)
        if not isinstance(found, (tuple, list)) or len(found) != 3:
            several = f" of {len(found)}" if isinstance(found, (tuple, list)) else ""
            return wrong(
                "Expected three things, mass, mixed and force, got "
                f"{type(found).__name__}{several}."
            )
        mass, mixed, force = found
        expected = np.diag([m1, m2])
        verdict = compare(mass, expected, name="Your mass matrix")
        if not verdict:
            slips = {
                "The ½ of the kinetic energy is still there after two derivatives.": expected / 2,
                "The two masses have changed places.": expected[::-1, ::-1],
                "These are momenta: they still hold velocities.": expected * q_dot,
                "The masses stand beside the diagonal, as if each moved with the other.": (
                    expected[::-1]
                ),
            }
            return verdict.with_slip(mass, slips)
        verdict = compare(mixed, np.zeros((2, 2)), name="Your mixed matrix")
        if not verdict:
            slips = {
                "That is the mass matrix again.": expected,
                "These are second derivatives by the positions: one is by a velocity.": (
                    k * np.array([[-1, 1], [1, -1]])
                ),
            }
            hint = "Does the momentum of a mass depend on where it is?"
            return verdict.with_slip(mixed, slips).with_hint(hint)
        pull = k * (q[1] - q[0] - l)
        expected = np.array([pull, -pull])
        name = f"Your force where the spring is too {'long' if pull > 0 else 'short'}"
        verdict = compare(force, expected, name=name)
        if not verdict:
            slips = {
                "A long spring pulls its ends together, a short one pushes them apart.": -expected,
                "The rest length is missing.": expected + k * l * np.array([1, -1]),
                "The ½ of the spring's energy is missing.": 2 * expected,
                "The slope of a square has a 2, and yours has none.": expected / 2,
                "The stiffness is missing.": expected / k,
                "It is an acceleration: you divided by the masses.": expected / [m1, m2],
            }
            verdict = verdict.with_slip(force, slips)
            if np.shape(force) == (2,) and np.isclose(*force):
                verdict = verdict.because("In yours both ends pull the same way.")
            return verdict.with_hint("Try q at which the spring has its rest length.")
    return right("All three are right, and the two forces add up to zero.")


@check(
    "return the Lagrangian of the bead.",
    title="A bead on a parabola",
    hints=(
        "The velocity has two components, and ẋ is only one of them.",
        "The wire ties y to x at every time. What does that say about ẏ? Then both energies "
        "are those of a point in the plane.",
    ),
)
def bead_on_parabola(answer: Callable) -> Verdict:
    """A bead on the wire y = a x²: `answer(q, q_dot, m, a, g) -> scalar`."""
    m, a, g = 0.7, 0.6, 9.8
    x, v = np.array([[0.5, 0.0, 0.8, -1.3], [0.0, 0.5, 1.5, -0.4]])
    truth = -(4 * a**2 * x * v**2 + 2 * a * g * x) / (1 + 4 * a**2 * x**2)

    def lagrangian(q, q_dot):
        return answer(q, q_dot, m, a, g)

    mass, found = _equations(lagrangian, x[:, None], v[:, None])
    if found[0, 0] > 0:
        return wrong(
            f"Released at rest at x = {x[0]} m, your bead climbs: the pull of gravity has "
            "the wrong sign.",
            "Which sign has the potential energy in 𝓛?",
        )
    if np.isclose(mass[0], mass[1], rtol=1e-3):
        return wrong(
            "Your kinetic energy is the same everywhere on the wire. But at one and the same "
            "velocity along x the bead is faster where the wire is steep."
        )
    name = f"The acceleration of a bead at rest at x = {x[0]} m"
    verdict = compare(found[0, 0], truth[0], name=name, rtol=1e-3)
    if not verdict:
        at, fall = 2 * a * x[0], -2 * a * g * x[0]  # the slope of the wire
        slips = {
            "In your kinetic energy the wire is half as steep as it is.": fall / (1 + at**2 / 4),
            "You added the two components of the velocity, and then squared.": fall / (1 + at) ** 2,
        }
        hint = "Compare kinetic and potential energy with your sketch of the wire."
        return verdict.with_slip(found[0, 0], slips, rtol=1e-3).with_hint(hint)
    verdict = compare(
        found[:, 0],
        truth,
        name="At rest your acceleration is right. In motion it",
        rtol=1e-3,
        praise="Your bead moves as it should, at rest and in motion.",
    )
    return verdict or verdict.because("So something is wrong that depends on the velocity.")


@check(
    "give a telling state, and mend the function.",
    title="Find the bug: one scalar of a matrix",
    hints=(
        "Write down the two momenta of the spring pendulum. Which entries of the mixed matrix "
        "are not zero?",
        "(a) The lost entries have to meet velocities that make them count. (b) What shape "
        "has the mixed matrix, what shape has q̇, and how do the two make a force?",
    ),
)
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
    truth = np.asarray(reference.compiled(spring, "acceleration")(q, q_dot))
    spoilt = np.asarray(_slipped(_one_scalar, reference.compiled(spring, "lagrangian"), q, q_dot))
    if np.abs(spoilt - truth).max() < 1e-3 * (1 + np.abs(truth).max()):
        still = [name for name, rate in zip(("ṙ", "θ̇"), q_dot, strict=True) if rate == 0]
        at_rest = f" There {' and '.join(still)} = 0." if still else ""
        return wrong(
            f"At your state the buggy code gives the right acceleration.{at_rest}",
            "Which term of Eq. 6 does it spoil, and when is that term zero?",
        )

    pendulum = systems.Pendulum(length=1.3)
    double = systems.DoublePendulum(mass2=0.6, length2=0.7)
    trials = [
        ("the pendulum", [0.4], [1.1], *_of(pendulum)),
        ("the double pendulum", [0.3, 1.4], [1.7, -2.1], *_of(double)),
        (
            "a charge in a magnetic field",
            *([0.2, -0.5, 1.0], [1.0, 2.0, -0.7]),
            *(_in_field, lambda q, q_dot: jnp.cross(q_dot, FIELD)),
        ),
    ]
    for name, q, q_dot, lagrangian, closed_form in trials:
        q, q_dot = jnp.array(q), jnp.array(q_dot)
        if q.size == 1:
            with watched(mechanics.__name__) as borrowed:
                ask(ask(mended, lagrangian), q, q_dot)  # not compiled: a stub is recognised
        field = ask(mended, lagrangian)
        found = ask(jax.jit(field) if callable(field) else field, q, q_dot)
        verdict = compare(
            found,
            closed_form(q, q_dot),
            name=f"Your acceleration of {name}",
            rtol=1e-3,
            atol=1e-3,
        )
        if not verdict:
            reason = _about_mixed_term(lagrangian, q, q_dot, found)
            hint = "Write down the shape of each of the three pieces of Eq. 6."
            return verdict.because(reason).with_hint(hint)
    if borrowed:
        return wrong("It is right, as mechanics is. Now write out Eq. 6 yourself.")
    return right(
        "Your state tells them apart, and your code is right for one, two and three coordinates."
    )


def _about_mixed_term(lagrangian: Callable, q: Any, q_dot: Any, found: Any) -> str:
    """Which slip in the mixed term of Eq. 6 gives the acceleration found, or ""."""
    slips = {
        _no_mixed: "The mixed matrix has no effect in your code.",
        _one_scalar: "The bug is still there: one number of the mixed matrix is in use.",
        _transposed: "Rows and columns of the mixed matrix have changed places.",
        _diagonal: "Only the diagonal of the mixed matrix is in use.",
    }
    for slip, hint in slips.items():
        if compare(found, _slipped(slip, lagrangian, q, q_dot), rtol=1e-3, atol=1e-3):
            return hint
    return ""


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
_diagonal = _with_mixed_term(lambda mixed, q_dot: jnp.diag(mixed) * q_dot)


@partial(jax.jit, static_argnums=(0, 1))
def _slipped(slip, lagrangian, q, q_dot):
    """The acceleration that a slip finds; traced once for each Lagrangian."""
    return slip(lagrangian)(q, q_dot)


def _of(system):
    """Lagrangian and acceleration of a system."""
    return [reference.compiled(system, name) for name in ("lagrangian", "acceleration")]


FIELD = np.array([0.4, -1.0, 0.9])
"""A magnetic field B; the acceleration of a unit mass and charge in it is q̇ × B."""


@jax.jit
def _in_field(q, q_dot):
    """𝓛 = ½ q̇·q̇ + ½ B·(q × q̇)."""
    return 0.5 * q_dot @ q_dot + 0.5 * FIELD @ jnp.cross(q, q_dot)


@check(
    "return the Lagrangian, and a conserved quantity.",
    title="A pendulum free to go round",
    hints=(
        "At constant φ the bob swings like a plain pendulum; at constant θ it goes round on a "
        "circle. The two velocities are at right angles.",
        "The momentum of a coordinate that 𝓛 does not contain is constant. Differentiate your "
        "own 𝓛 by the velocity of that coordinate.",
    ),
)
def spherical_pendulum(answer: Callable, conserved: Callable) -> Verdict:
    """A pendulum free to go round: two functions of (q, q_dot, m, l, g), q = (θ, φ)."""
    m, l, g = 0.6, 1.4, 9.8
    q = np.array([[0.9, 0.3], [0.9, 0.3], [2.0, -1.0], [1.2, 2.0]])
    q_dot = np.array([[0.0, 0.0], [0.5, 1.2], [-1.3, 0.7], [0.4, -2.2]])
    theta, theta_dot, phi_dot = q[:, 0], *q_dot.T
    centrifugal = np.sin(theta) * np.cos(theta) * phi_dot**2
    coriolis = -2 * theta_dot * phi_dot / np.tan(theta)
    truth = np.stack([centrifugal - g / l * np.sin(theta), coriolis], axis=1)

    def lagrangian(q, q_dot):
        return answer(q, q_dot, m, l, g)

    _, found = _equations(lagrangian, q, q_dot)
    if found[0, 0] > 0:
        return wrong(
            "Released at rest, your bob rises: the pull of gravity has the wrong sign.",
            "Which sign has the potential energy in 𝓛?",
        )
    settings = {"rtol": 1e-3, "atol": 1e-4}
    name = f"The acceleration at rest at θ = {theta[0]}"
    verdict = compare(found[0], truth[0], name=name, **settings)
    if not verdict:
        slips = {
            "Your bob feels no gravity.": 0 * truth[0],
            "The length is missing in an energy.": truth[0] * l,
            "The length counts squared in the kinetic energy.": truth[0] / l,
            "The angle itself is no height: the bob moves on a circle.": (
                truth[0] * theta[0] / np.sin(theta[0])
            ),
        }
        return verdict.with_slip(found[0], slips, **settings)
    name = "At rest it is right; the acceleration in motion"
    verdict = compare(found, truth, name=name, **settings)
    if not verdict:
        pull = truth - np.stack([centrifugal, coriolis], axis=1)
        slips = {
            "In yours the circle on which the bob goes round is as large at every θ.": pull,
            "In yours the circle on which the bob goes round is largest at the bottom.": (
                pull + np.stack([-centrifugal, 2 * theta_dot * phi_dot * np.tan(theta)], axis=1)
            ),
            "The distance from the axis counts squared in the kinetic energy.": (
                pull + np.stack([centrifugal / np.sin(theta), coriolis], axis=1) / 2
            ),
        }
        hint = "How large is the circle on which the bob goes round at θ?"
        return verdict.with_slip(found, slips, **settings).with_hint(hint)

    def quantity(q, q_dot):
        return jnp.asarray(conserved(q, q_dot, m, l, g), dtype=float)

    one = jnp.array(q[1]), jnp.array(q_dot[1])
    _scalar(ask(conserved, *one, m, l, g), "Your conserved quantity")
    slope = jax.jit(jax.vmap(jax.grad(quantity, argnums=(0, 1))))
    slope = np.hstack(ask(slope, jnp.array(q), jnp.array(q_dot)))[1:]
    if np.abs(slope).max() < 1e-6:
        return wrong("Your quantity is a mere constant: it does not depend on the state.")
    change = np.abs(_cosine(slope, np.hstack([q_dot, truth])[1:]))
    if change.max() > 1e-3:
        at, rate, turn = np.array([theta, theta_dot, phi_dot])[:, 1 + change.argmax()]
        matters = np.abs(slope).max(axis=0) > 1e-6
        seen = {
            (False, False, True, False): "It is made of θ̇ alone, and gravity acts on θ̇.",
            (False, False, False, True): "It does not know how far the bob is from the axis.",
            (False, True, False, False): "It is made of φ alone, and the bob goes round.",
            (True, False, False, False): "It is made of θ alone, and the bob swings.",
        }
        return wrong(
            "Your Lagrangian is right, but your quantity changes along the motion, for instance "
            f"at θ = {at} with θ̇ = {rate} and φ̇ = {turn}.",
            "Of which coordinate of your own Lagrangian is the momentum constant?",
        ).because(seen.get(tuple(map(bool, matters)), ""))
    # The slope of the energy, over m l².
    uphill = [
        g / l * np.sin(theta) + centrifugal,
        0 * theta,
        theta_dot,
        np.sin(theta) ** 2 * phi_dot,
    ]
    if np.abs(_cosine(slope, np.stack(uphill, axis=1)[1:])).min() > 1 - 1e-5:
        return wrong(
            "Your quantity is constant, but it is the energy, or made of it. There is another.",
            "Which coordinate does your Lagrangian not contain?",
        )
    return right("The motion is right, and your quantity stays constant along it.")


@check(
    "return the mass matrix of the double pendulum.",
    title="The double pendulum's mass matrix",
    hints=(
        "Only the kinetic energy counts: half of mass times speed squared, for both bobs.",
        "The speed squared of the lower bob has three terms. Sort the kinetic energy by the "
        "products of velocities: the entries of M are its second derivatives.",
    ),
)
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
            coupling, apart = m2 * l1 * l2, q[0] - q[1]
            across = np.fliplr(np.diag([coupling, coupling]))
            inertia = np.diag([(m1 + m2) * l1**2, m2 * l2**2])
            slips = {
                "A length on the diagonal counts squared.": (
                    inertia / [l1, l2] + across * np.cos(apart)
                ),
                "In yours two arms at right angles are coupled, and two in line are not.": (
                    inertia + across * np.sin(apart)
                ),
                "Only the lower bob feels both angles.": (
                    inertia + across * np.cos(apart) * (m1 + m2) / m2
                ),
            }
            reason = named(found, slips) or _about_two_arms(
                np.asarray(found, float), np.asarray(turned, float), m1 * l1**2, cross
            )
            hint = "What is the lower bob's speed squared, term by term?"
            return verdict.because(reason).with_hint(hint)
        if not verdict:
            return verdict
    return right("Your mass matrix is right.")


def _about_two_arms(found: np.ndarray, turned: np.ndarray, upper: float, cross: float) -> str:
    """What a wrong mass matrix shows; `turned`: both arms one radian further."""
    if not np.allclose(found, found.T):
        return "A mass matrix is symmetric: the order of two derivatives does not matter."
    if np.isclose(found[0, 0], upper):
        return "The lower bob moves, too, when only the upper angle changes."
    if not np.allclose(turned, found, rtol=1e-4):
        return "Turning both arms together should change nothing, and changes yours."
    if np.isclose(found[0, 1], 0.0):
        return "Yours lets the two arms move without each other."
    if np.isclose(found[0, 1], cross / 2):
        return "The coupling is half of what it should be: it stands at two places of M."
    if np.isclose(found[0, 1], 2 * cross):
        return "The coupling is twice what it should be: two places of M share one term."
    return ""


def _equations(lagrangian: Callable, q: Any, q_dot: Any) -> tuple[np.ndarray, np.ndarray]:
    """The largest entries of M [n] and the accelerations [n, d] of a student's Lagrangian.

    Ends the check for a stub, an exception, an array in the place of a scalar, a singular M.
    """
    states = zip(q.tolist(), q_dot.tolist(), strict=True)
    q, q_dot = jnp.asarray(q), jnp.asarray(q_dot)
    _scalar(ask(lagrangian, q[0], q_dot[0]), "Your Lagrangian")

    def equations(q, q_dot):
        mass, force = mechanics.equation_of_motion(lagrangian)(q, q_dot)
        return mass.max(), jnp.linalg.solve(mass, force)

    mass, q_ddot = ask(jax.jit(jax.vmap(equations)), q, q_dot)
    if not np.isfinite(q_ddot).all():
        at, rate = [*states][np.argmin(np.isfinite(q_ddot).all(axis=1))]
        raise Stop(
            wrong(
                f"At q = {at}, q̇ = {rate} your mass matrix has no inverse: no acceleration.",
                "Does your 𝓛 hold the square of every velocity?",
            )
        )
    return np.asarray(mass), np.asarray(q_ddot)


def _scalar(value: Any, name: str) -> None:
    """End the check unless `value` is one number."""
    if np.shape(value) != ():
        raise Stop(
            wrong(f"{name} should be one number, got shape {np.shape(value)}: take q[0], not q.")
        )


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cosines of the angles between the rows of two arrays [n, d]."""
    sizes = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(axis=1) / np.maximum(sizes, 1e-12)
