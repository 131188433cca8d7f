"""Checks of chapter 3, a Lagrangian network in JAX."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, models, systems
from lnn_tutorial.checks import reference
from lnn_tutorial.checks.verdict import Stop, Verdict, ask, check, compare, right, wrong


@check(
    "return the energies of a batch of states.",
    title="A batch of energies",
    hints=(
        "Begin with one state. Which derivative of the Lagrangian is its momentum?",
        "The energy of one state is a function of q and q̇ alone. Which tool makes it one of "
        "a batch?",
    ),
)
def batch_energies(answer: Callable) -> Verdict:
    """Energies of a batch: `answer(lagrangian, q, q_dot) -> [n]`, for any Lagrangian."""
    spring = systems.SpringPendulum()

    lagrangian, energy = (reference.compiled(spring, name) for name in ("lagrangian", "energy"))
    q, q_dot = spring.sample(jax.random.key(0), 5)
    trials = [
        ("the spring pendulum", lagrangian, reference.each(energy, q, q_dot)),
        ("a charge in a magnetic field", _swung, 0.5 * (q_dot**2).sum(axis=1)),
        ("a relativistic particle", _fast, (1 - (q_dot**2).sum(axis=1) / 400) ** -0.5),
    ]
    for name, lagrangian, expected in trials:
        found = ask(answer, lagrangian, q, q_dot)
        verdict = compare(found, expected, name=f"Your energy of {name}", rtol=1e-3, atol=1e-3)
        if verdict:
            continue
        if np.shape(found) != (5,):
            return verdict.with_hint("One energy for each state of the batch.")
        values = reference.each(lagrangian, q, q_dot)
        if compare(found, values) or compare(found, -values):
            return verdict.with_hint("Where is the momentum?")
        if compare(found, expected + 2 * values, rtol=1e-3, atol=1e-3):
            return verdict.with_hint("Look at the sign of 𝓛.")
        if name != trials[0][0]:
            return verdict.with_hint("Does your formula assume a kinetic energy of a special form?")
        return verdict
    return right("Your energies are right, for three Lagrangians of different kinds.")


@jax.jit
def _swung(q, q_dot):
    """𝓛 with a term linear in the velocity: no energy in it."""
    return 0.5 * q_dot @ q_dot + 0.8 * (q[0] * q_dot[1] - q[1] * q_dot[0])


@jax.jit
def _fast(q, q_dot):
    return -jnp.sqrt(1 - q_dot @ q_dot / 400)


@check(
    "return the residual of the Euler–Lagrange equation.",
    title="Out of balance",
    hints=(
        "During the motion q changes at the rate q̇, and q̇ at the rate q̈. At what rate does "
        "the momentum change then?",
        "`jax.jvp` gives a function's value and its change along a tangent. Of which function "
        "do you need both?",
    ),
)
def imbalance(answer: Callable) -> Verdict:
    """What is out of balance: `answer(lagrangian)(q, q_dot, q_ddot) -> R [d]`."""
    q_ddot = jnp.array([0.9, -1.6])
    for name, system in [
        ("spring pendulum", systems.SpringPendulum()),
        ("double pendulum", systems.DoublePendulum(mass2=0.6, length2=0.7)),
    ]:
        q, q_dot = jnp.array([1.2, 0.5]), jnp.array([0.7, 2.0])
        lagrangian = reference.compiled(system, "lagrangian")
        found = ask(ask(answer, lagrangian), q, q_dot, q_ddot)
        _, _, (mass,), _ = reference.facts(lagrangian, q[None], q_dot[None])
        truth = reference.compiled(system, "acceleration")(q, q_dot)
        settings = {"rtol": 1e-3, "atol": 1e-3}
        name = f"Your residual of the {name}"
        verdict = compare(found, mass @ (q_ddot - truth), name=name, **settings)
        if verdict:
            continue
        force = jax.grad(lagrangian, argnums=0)(q, q_dot)
        momentum_rate = mass @ (q_ddot - truth) + force
        for slip, hint in (
            (momentum_rate, "A force is missing."),
            (momentum_rate + force, "Look at the sign of the force."),
        ):
            if compare(found, slip, **settings):
                return wrong(f"{name} is wrong, but the rate of the momentum in it is right.", hint)
        slips = {
            "It does not depend on the acceleration.": -mass @ truth,
            "You let the velocities change, but the positions stand still.": mass @ q_ddot - force,
            "An acceleration is no force: what turns one into the other?": q_ddot - truth,
        }
        return verdict.with_slip(found, slips, **settings)
    return right("Your residual is right for both systems, and zero where they really move.")


@check(
    "mend the two bugs.",
    title="Find the bugs",
    hints=(
        "The wrong word names a function that acts on a whole layer at once. An activation "
        "acts on each unit alone.",
        "The other bug is in how the network sees the angle. Which numbers describe a "
        "direction without a jump, and tell up from down?",
    ),
)
def mended_lagrangian(answer: Callable) -> Verdict:
    """A network for the spring pendulum: `answer(params, q, q_dot) -> scalar`, five features."""
    params = models.LNN(2, (False, True), width=16).init(jax.random.key(0))
    q_dot = jnp.array([0.4, -1.1])

    def at(theta, params=params):
        found = ask(answer, params, jnp.array([1.3, theta]), q_dot)
        if np.shape(found) != ():
            raise Stop(wrong(f"𝓛 should be one number, got shape {np.shape(found)}."))
        if not np.isfinite(found):
            raise Stop(wrong("𝓛 is not finite."))
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
        return wrong("No jumps any more, but your mass matrix is zero.", "Look at the activation.")
    return right("Both bugs are gone: a smooth 𝓛, the same after a full turn, with a mass matrix.")


@check(
    "return the rate dE/dt of an energy along a model's motion.",
    title="Catch the error at work",
    hints=(
        "The energy changes because q does, and because q̇ does. At which rate does each of "
        "them change along the model's motion?",
        "These two rates are a tangent, and `jax.jvp` follows a function along a tangent.",
    ),
)
def error_power(answer: Callable) -> Verdict:
    """The work of an error: `answer(energy, acceleration, q, q_dot) -> dE/dt` at one state."""
    spring = systems.SpringPendulum()
    energy, motion = (reference.compiled(spring, name) for name in ("energy", "acceleration"))
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
        return verdict.with_slip(rubbed, slips, rtol=1e-2)
    still = ask(answer, energy, motion, q, q_dot)
    if not abs(float(still)) < 1e-2:
        return wrong("Along the true motion the true energy should not change, but yours does.")
    error = jnp.array([0.3, -0.5])
    pushed = ask(answer, energy, lambda *at: motion(*at) + error, q, q_dot)
    expected = 0.3 * 0.7 - 0.5 * 1.2**2 * 2.0
    name = "Friction and the true motion are right; the power of an error"
    verdict = compare(pushed, expected, name=name, rtol=2e-2)
    if not verdict:
        return verdict.with_hint("What about the masses?")
    return right("Friction takes energy, the truth keeps it, and an error does work.")


@check(
    "hand over a trained model and its parameters.",
    title="Train one yourself",
    hints=(
        "The recipe of the chapter will do, scaled down: a smaller network and fewer steps.",
        "Tell the model which coordinate is an angle and how large velocities are, and the "
        "loss how large accelerations are. A step size that falls to zero at the end, as with "
        "`train.muon`, brings the last digits.",
    ),
)
def trained_pendulum(model: Any, params: Any) -> Verdict:
    """A Lagrangian network of the plane pendulum, at most 0.1 % wrong on fresh states."""
    pendulum = systems.Pendulum()
    if not hasattr(model, "lagrangian"):
        return wrong(f"Expected a model with a Lagrangian, got {type(model).__name__}.")
    q, q_dot = pendulum.sample(jax.random.key(12345), 2000)
    truth = reference.each(reference.compiled(pendulum, "acceleration"), q, q_dot)
    lagrangian = partial(model.lagrangian, params)
    ask(lagrangian, q[0], q_dot[0])
    found = np.asarray(ask(jax.jit(jax.vmap(mechanics.acceleration(lagrangian))), q, q_dot))
    if lost := np.count_nonzero(~np.isfinite(found).all(axis=1)):
        return wrong(f"At {lost} of {len(q)} states there is no acceleration: M is singular.")
    error = float(np.linalg.norm(found - truth) / np.linalg.norm(truth))
    if error > 0.5:
        return wrong(
            "Your network knows next to nothing of this pendulum.",
            "Are these the trained parameters, and of this system?",
        )
    if error > 0.001:
        return wrong(
            f"On fresh states your accelerations are {100 * error:.2f} % wrong.",
            "Does the loss still fall when training ends, or does it jump about?",
        )
    return right("Below 0.1 % on fresh states: your network has learned the pendulum.")
