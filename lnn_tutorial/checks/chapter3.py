"""Checks of chapter 3, a Lagrangian network in JAX."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, models, systems
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
        with watched(mechanics.__name__) as borrowed:
            found = ask(answer, lagrangian, q, q_dot)
        settings = {"rtol": 1e-3, "atol": 1e-3}
        verdict = compare(found, expected, name=f"Your energy of {name}", **settings)
        if verdict:
            continue
        if np.shape(found) != (5,):
            return verdict.because("The batch has 5 states, and each of them one energy.")
        if name != trials[0][0]:
            return verdict.because(
                "That of the spring pendulum is right. So your formula takes for granted that 𝓛 is "
                "a kinetic energy of the second degree in the velocities, less a potential energy."
            )
        values = reference.each(lagrangian, q, q_dot)
        slope = reference.each(reference.by_position(lagrangian), q, q_dot)
        slips = {
            "That is 𝓛: the momentum is missing.": values,
            "That is −𝓛: the momentum is missing.": -values,
            "That is q̇·p: 𝓛 is missing.": expected + values,
            "You added 𝓛.": expected + 2 * values,
            "It has q in the place of q̇.": (q * (expected + values)[:, None] / q_dot).mean(axis=1),
            "You differentiated by q, and the momentum is a derivative by q̇.": (
                (q_dot * slope).sum(axis=1) - values
            ),
        }
        return verdict.with_slip(found, slips, **settings)
    if borrowed:
        return wrong("Right, as mechanics is. The task is to write it without mechanics.")
    return right("Your energies are right, for three Lagrangians of different kinds.")


@jax.jit
def _swung(q, q_dot):
    """𝓛 with a term linear in the velocity: no energy in it."""
    return 0.5 * q_dot @ q_dot + 0.8 * (q[0] * q_dot[1] - q[1] * q_dot[0])


@jax.jit
def _fast(q, q_dot):
    return -jnp.sqrt(1 - q_dot @ q_dot / 400)


SECOND = {
    "jax.hessian": jax.hessian,
    "jax.jacfwd": jax.jacfwd,
    "jax.jacobian": jax.jacobian,
    "jax.jvp": jax.jvp,
}
"""What differentiates a gradient once more."""


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
        with watched(mechanics.__name__, **SECOND) as seen:
            found = ask(ask(answer, lagrangian), q, q_dot, q_ddot)
        _, _, (mass,), _ = reference.facts(lagrangian, q[None], q_dot[None])
        truth = reference.compiled(system, "acceleration")(q, q_dot)
        settings = {"rtol": 1e-3, "atol": 1e-3}
        name = f"Your residual of the {name}"
        verdict = compare(found, mass @ (q_ddot - truth), name=name, **settings)
        if verdict:
            continue
        force = reference.by_position(lagrangian)(q, q_dot)
        momentum_rate = mass @ (q_ddot - truth) + force
        swapped = jax.jvp(jax.grad(lagrangian, argnums=1), (q, q_dot), (q_ddot, q_dot))[1]
        right_rate = "The rate of the momentum in it is right,"
        slips = {
            "It is the force less the rate of the momentum, and it has the wrong sign.": (
                force - momentum_rate
            ),
            f"{right_rate} but the force is missing.": momentum_rate,
            f"{right_rate} but the force has the wrong sign.": momentum_rate + force,
            "You let the positions change, but the velocities stand still.": -mass @ truth,
            "You let the velocities change, but the positions stand still.": mass @ q_ddot - force,
            "Yours is a difference of accelerations; the residual is one of forces.": (
                q_ddot - truth
            ),
            "The tangent is (q̇, q̈): yours goes along another one.": mass @ q_dot - force,
            "The tangent is (q̇, q̈), in this order.": swapped - force,
        }
        if reason := named(found, slips, **settings):
            return wrong(f"{name} is wrong. {reason}")
        if np.shape(found) == (2,):
            state = "q = (1.2, 0.5), q̇ = (0.7, 2.0), q̈ = (0.9, −1.6)"
            verdict = verdict.because(f"It was tried at {state}.")
        return verdict
    if avoided := next((each for each in seen if each != "jax.jvp"), ""):
        return wrong(
            f"Your residual is right for both systems. But it calls {avoided}: the task is to do "
            "with one call of jax.jvp, without any Jacobian or Hessian."
        )
    if seen["jax.jvp"] > 1:
        return wrong(
            f"Your residual is right for both systems. But it calls jax.jvp {seen['jax.jvp']} "
            "times, and the task is to do with one call.",
            "Of which function would one call give you both, the force and the rate?",
        )
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
            raise Stop(wrong(f"𝓛 is not finite at r = 1.3, θ = {theta:.3g}."))
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
        return wrong(
            "No jumps any more, but your mass matrix is zero: the activation never bends.",
        )
    for i, velocity in enumerate(("ṙ", "θ̇")):
        if not np.abs(mass[i]).max() > 1e-8:
            return wrong(f"Your 𝓛 does not see {velocity}.")
    return _around(answer, params, q_dot)


def _around(answer, params, q_dot):
    """Verdict on 𝓛 and its slopes: no jump, r matters, and no two angles look alike."""
    others = [models.LNN(2, (False, True), width=16).init(jax.random.key(i)) for i in range(4)]
    many = jax.tree.map(lambda *each: jnp.stack(each), *others)

    def seen(params, r, theta, r_dot, theta_dot):
        return answer(params, jnp.stack([r, theta]), jnp.stack([r_dot, theta_dot]))

    @jax.jit
    @partial(jax.vmap, in_axes=(0, None))
    @partial(jax.vmap, in_axes=(None, 0))
    def along(params, state):
        value, slopes = jax.value_and_grad(seen, argnums=(1, 2, 3, 4))(params, *state)
        return jnp.stack([value, *slopes])

    steps = np.arange(-3264, 3265)
    theta = np.pi * steps / 3200
    state = np.tile([1.3, 0.7, *map(float, q_dot)], (len(theta), 1))
    names = {1: "θ", 2: "ṙ", 3: "θ̇"}
    for sweep, name in names.items():
        swept = state.copy()
        swept[:, sweep] = theta
        values = np.asarray(ask(along, many, jnp.asarray(swept)))  # [networks, steps, 5]
        if sweep == 1:
            around = values
        for i, what in ((0, "𝓛"), (1 + sweep, f"𝓛 has a kink: its slope along {name}")):
            fine = np.abs(np.diff(values[..., i], axis=1)).max(axis=0)
            coarse = np.abs(np.diff(values[:, ::10, i], axis=1)).max()
            if fine.max() > 0.5 * coarse:  # a smooth function changes ten times less
                where = abs(theta[fine.argmax()])
                return wrong(
                    f"Your {what} jumps at {name} = {where:.2f}, though nothing happens to the "
                    "pendulum there."
                )
    if np.abs(around[..., 1]).max() < 1e-6:
        return wrong("Your 𝓛 does not see r.")
    some = (steps % 200 == 0) & (steps > -3200) & (steps <= 3200)
    angles, places = theta[some], around[:, some, 0].T  # [angles, networks]
    apart = np.abs(places[:, None] - places[None]).max(axis=-1) + np.eye(len(places))
    if apart.min() < 1e-5:
        one, other = np.unravel_index(apart.argmin(), apart.shape)
        return wrong(
            f"Your 𝓛 cannot tell θ = {angles[one]:.2f} from θ = {angles[other]:.2f}, whatever "
            "the network."
        )
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
        return wrong(
            f"The power at one state is one number, got shape {np.shape(rubbed)}. The state was "
            "q of shape (1,) and q_dot of shape (1,)."
        )
    name = "An oscillator with friction, q̈ = −3 q − 0.2 q̇, at q = 0.6 and q̇ = −0.9: your dE/dt"
    verdict = compare(rubbed, -0.2 * 0.9**2, name=name, rtol=1e-2)
    if not verdict:
        slips = {
            "You let the velocity change, but the position stands still.": (
                -0.9 * (-3 * 0.6 + 0.2 * 0.9)
            ),
            "You let the position change, but the velocity stands still.": 3 * 0.6 * -0.9,
            "That is the energy itself, and not its rate.": 0.5 * 0.9**2 + 1.5 * 0.6**2,
            "You added the sizes of the two shares: one of them is a loss.": (
                0.9 * abs(-3 * 0.6 + 0.2 * 0.9) + 3 * 0.6 * 0.9
            ),
        }
        return verdict.with_slip(rubbed, slips, rtol=1e-2)
    still = ask(answer, energy, motion, q, q_dot)
    state = "at q = (1.2, 0.5), q̇ = (0.7, 2.0)"
    if not abs(float(still)) < 1e-2:
        return wrong(
            "The power of friction is right. But along the true motion the energy of the spring "
            f"pendulum should not change, and {state} yours does."
        )
    error = jnp.array([0.3, -0.5])
    pushed = ask(answer, energy, lambda *at: motion(*at) + error, q, q_dot)
    expected = 0.3 * 0.7 - 0.5 * 1.2**2 * 2.0
    name = f"Friction and the true motion are right; the power of an error of q̈ {state}"
    verdict = compare(pushed, expected, name=name, rtol=2e-2)
    if not verdict:
        slips = {
            "You took the error for a force: nothing in yours knows the masses.": (
                0.3 * 0.7 - 0.5 * 2.0
            ),
            "Only the distance changes the energy in yours, not the angle.": 0.3 * 0.7,
            "Yours does not depend on the acceleration.": 0.0,
        }
        return verdict.with_slip(pushed, slips, rtol=2e-2)
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
    q, q_dot = pendulum.sample(jax.random.key(12345), 2000)
    many = reference.accelerate(model, params, q, q_dot)
    if reference.error(many(q, q_dot), pendulum, q, q_dot) > 0.001:
        return reference.still_wrong(many, pendulum, q, q_dot)
    special = isinstance(model, models.DeLaN)
    return right("Below 0.1 % on fresh states: your network has learned the pendulum.").because(
        "A deep Lagrangian network may: a pendulum's kinetic energy is quadratic."
        if special
        else ""
    )
