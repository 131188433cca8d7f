"""Checks of chapter 5, the double pendulum."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import evaluate, mechanics, systems
from lnn_tutorial.checks import reference
from lnn_tutorial.checks.verdict import (
    Stop,
    Verdict,
    ask,
    check,
    compare,
    missing,
    named,
    right,
    wrong,
)


def _compiled(function, *arguments, way=jax.jit):
    """As `ask`, in one compiled piece: quicker than many small operations one by one."""
    seen = []

    def traced(*arguments):
        seen.append(function(*arguments))
        return 0.0 if missing(seen) else seen[-1]

    answer = ask(way(traced) if callable(function) else function, *arguments)
    if missing(seen):
        raise Stop()
    return answer


def _traced(function, *arguments):
    """As `_compiled`, of which only the shape is needed: nothing is compiled."""
    return _compiled(function, *arguments, way=lambda traced: partial(jax.eval_shape, traced))


@check(
    "return the three numbers.",
    title="One start too many",
    hints=(
        "First one error for each start, and only then a summary over the starts.",
        "An error has a size and no sign, and the worst start may stand anywhere in the array.",
    ),
)
def last_frame(answer: Callable) -> Verdict:
    """The last frame, three ways: `answer(energies [n, t], scale) -> mean, median, mean of rest`.

    The last number is the mean without the start that strays most.
    """
    for seed, starts, outlier, scale in [(0, 9, -11.0, 29.4), (1, 12, 14.0, 8.0)]:
        rng = np.random.default_rng(seed)
        time = np.linspace(0, 1, 41)
        drift = rng.permutation([-1.0, 1.0] * starts)[:starts] * rng.uniform(0.2, 1.5, starts)
        drift[starts // 3] = outlier
        swing = rng.uniform(1.0, 4.0, (starts, 1)) * np.sin(np.pi * time)  # comes back
        energies = rng.uniform(-25, 25, (starts, 1)) + drift[:, None] * time + swing
        found = ask(answer, energies.copy(), scale)
        if np.shape(found) != (3,):
            each = ": one for each start" if np.shape(found) == (starts,) else ""
            return wrong(f"Expected three numbers, got shape {np.shape(found)}{each}.")
        first, last = energies[:, 0], energies[:, -1]
        change = (last - first) / scale
        error = np.sort(abs(change))
        verdict = compare(found[0], error.mean(), name="Your mean over starts")
        if not verdict:
            along = abs(energies - energies[:, :1]) / scale
            slips = {
                "One start gains energy, another loses some: they make up for each other.": (
                    change.mean()
                ),
                "You changed the order: first each start's error, then the mean.": (
                    abs(change.mean())
                ),
                "You averaged over all frames; the paper looks at one only.": along.mean(),
                "The last frame counts, not the worst.": along.max(axis=1).mean(),
                "You compared the last frame with the one before it, not with the first.": (
                    abs(last - energies[:, -2]).mean() / scale
                ),
                "A start's own energy is no unit: it may even be zero.": (
                    abs((last - first) / first).mean()
                ),
                "An energy alone is no error: it counts how far it is from where it began.": (
                    abs(last).mean() / scale
                ),
                "It is in joules, and not in units of `scale`.": abs(last - first).mean(),
                "You squared the errors.": (change**2).mean(),
                "It is in per cent.": 100 * error.mean(),
            }
            return verdict.with_slip(found[0], slips)
        verdict = compare(found[1], np.median(error), name="The mean is right. Your median")
        if not verdict:
            slips = {
                "In it errors of opposite sign cancel.": np.median(change),
                "This is the median over the starts and all times.": np.median(
                    abs(energies - energies[:, :1]) / scale
                ),
                "It is in joules, and not in units of `scale`.": np.median(error) * scale,
                "That is the mean once more.": error.mean(),
            }
            return verdict.with_slip(found[1], slips)
        name = "Mean and median are right. Your mean without the worst start"
        verdict = compare(found[2], error[:-1].mean(), name=name)
        if not verdict:
            absolute, n = abs(change), starts
            slips = {
                "No start has been left out.": error.mean(),
                "You left out the last start of the array, and the worst one stands elsewhere.": (
                    absolute[:-1].mean()
                ),
                "You left out the first start of the array, and the worst one stands elsewhere.": (
                    absolute[1:].mean()
                ),
                "You left out the start that gained most, and the worst one loses energy.": (
                    np.delete(absolute, change.argmax()).mean()
                ),
                "You left out the start that lost most, and the worst one gains energy.": (
                    np.delete(absolute, change.argmin()).mean()
                ),
                "You left out the best start.": error[1:].mean(),
                "The worst start is gone, but you still divide by the number of all.": (
                    error[:-1].sum() / n
                ),
                "That is the median without the worst start.": np.median(error[:-1]),
            }
            return verdict.with_slip(found[2], slips)
    return right("All three are right. How far apart are they for your model?")


@check(
    "mend the split.",
    title="Find the bug",
    hints=(
        "A random key in JAX is a value, not a state. What do you get if you draw with the "
        "same key twice?",
        "The two sets need different keys, and both of them should follow from the one that "
        "is handed over.",
    ),
)
def honest_split(answer: Callable) -> Verdict:
    """Training and test motions without a leak: `answer(system, key, n, steps)`."""
    pendulum = systems.DoublePendulum(mass2=2.0, length2=0.8)
    n, steps = 16, 8

    def split(seed):
        return _two_sets(ask(answer, pendulum, jax.random.key(seed), n, steps), (n, steps + 1, 2))

    sets = split(5)
    longer = {}
    for name, states in sets.items():
        longer[name] = np.asarray(_motions(pendulum, states[:, 0], 3 * steps))
        if np.median(abs(states - longer[name][:, : steps + 1])[:, :4].max(axis=(1, 2))) > 0.05:
            return wrong(
                f"Your {name} motions are not those of the system that was handed over, or not "
                "with the frames of the task."
            )
    # From every test start to every state that the training motions come by, also later on.
    apart = sets["test"][:, None, None, 0] - longer["training"]
    apart[..., :2] = (apart[..., :2] + np.pi) % (2 * np.pi) - np.pi
    apart = np.linalg.norm(apart, axis=-1)
    nearest = apart.min(axis=(1, 2))
    frame = apart.min(axis=1).argmin(axis=1)
    same, near = np.count_nonzero(nearest < 1e-4), np.count_nonzero(nearest < 1e-2)
    if near > 1 or np.median(nearest) < 0.1:
        if np.median(frame[nearest < 0.1]) > 0:
            return wrong(
                "Your test motions begin where training motions come by later: a piece of a motion "
                "that has been seen is no fresh motion."
            )
        if same > 1:
            return wrong(
                f"{same} of {n} test motions are training motions: a network that has learned "
                "these by heart passes. What makes the starts of the two sets differ?"
            )
        return wrong(
            f"Your test motions start right beside training motions, {np.median(nearest):.1g} away "
            "in the middle: almost the same question once more."
        )
    for name, states in sets.items():
        if (rate := abs(states[:, 0, 2:]).max()) > 0.11:
            return wrong(
                f"Your {name} motions are not released near rest: one starts at {rate:.1f} rad/s."
            )
        if (part := np.ptp(states[:, 0, :2], axis=0).min()) < 2:
            return wrong(
                f"Your {name} motions start in a part of the circle only, within {part:.1f} rad."
            )
    again, other = split(5), split(6)
    for name in sets:
        if not np.allclose(sets[name], again[name], atol=1e-2):
            return wrong(f"The same key should give the same {name} motions again.")
        if np.allclose(sets[name], other[name], atol=1e-2):
            return wrong(f"Your {name} motions do not depend on the key.")
    return right("Test and training motions have nothing in common but the pendulum.")


@partial(jax.jit, static_argnums=(0, 2))
def _motions(pendulum, states, steps):
    """The true motions `[n, steps + 1, 2 d]` from states `[n, 2 d]`, a tenth of a second apart."""
    settings = {"dt": 0.1, "steps": steps, "substeps": 10}
    q, q_dot = jnp.split(states, 2, axis=1)
    return jnp.concatenate(evaluate.rollouts(pendulum.acceleration, q, q_dot, **settings), axis=-1)


def _two_sets(found, shape):
    """The training and the test motions as states `[n, frames, 2 d]`, or a verdict."""
    sets = {}
    try:
        for name, (q, q_dot) in zip(("training", "test"), found, strict=True):
            shapes = [np.shape(q), np.shape(q_dot)]
            if shapes != [shape, shape]:
                got = next(each for each in shapes if each != shape)
                raise Stop(wrong(f"Expected {name} motions of shape {shape}, got {got}."))
            sets[name] = np.concatenate([q, q_dot], axis=-1).astype(np.float32)
    except (TypeError, ValueError) as error:
        raise Stop(wrong("Expected ((q, q_dot), (q, q_dot)): training, then test.")) from error
    if not all(np.isfinite(states).all() for states in sets.values()):
        raise Stop(wrong("Your motions are not finite."))
    return sets


@check(
    "return the acceleration with friction.",
    title="Break the conservation on purpose",
    hints=(
        "Friction is a force. Where in the equation of motion does it stand, and what makes "
        "an acceleration of a force?",
        "Begin with M and F at the state, from `mechanics.equation_of_motion`. What changes: "
        "M, F, or the result?",
    ),
)
def friction(answer: Callable) -> Verdict:
    """Motion with friction, M q̈ = F − γ q̇: `answer(lagrangian, gamma)(q, q_dot) -> q_ddot`."""
    settings = {"rtol": 2e-3, "atol": 1e-3}
    q, q_dot = jnp.array([1.2, 0.5]), jnp.array([0.7, -2.0])
    for name, system in [
        ("double pendulum", systems.DoublePendulum(mass2=0.6, length2=0.7)),
        ("spring pendulum", systems.SpringPendulum(mass=1.5)),
    ]:
        lagrangian = reference.compiled(system, "lagrangian")
        moves = {gamma: ask(answer, lagrangian, gamma) for gamma in (0.0, 0.6, 1.5)}
        if not callable(moves[0.6]):
            ask(moves[0.6])
        found = _compiled(lambda *at, moves=moves: [f(*at) for f in moves.values()], q, q_dot)
        found = dict(zip(moves, found, strict=True))
        _, _, (mass,), (force,) = reference.facts(lagrangian, q[None], q_dot[None])
        mass, free = np.asarray(mass), np.linalg.solve(mass, force)
        if np.shape(found[0.0]) == (2,) and compare(found[0.0], found[0.6], **settings):
            if compare(found[0.0], free, **settings):
                return wrong(f"Your {name} feels no friction: with γ = 0.6 it moves as with γ = 0.")
            return wrong(
                f"The acceleration of your {name} is not that without friction, and does not "
                "depend on γ."
            )
        verdict = compare(found[0.0], free, name=f"For γ = 0 your q̈ of the {name}", **settings)
        if not verdict:
            slips = {
                "These are forces: M makes accelerations of them.": mass @ free,
                "M stands on the left of the equation: it divides.": mass @ mass @ free,
                "There is friction in it that γ does not switch off.": (
                    free - np.linalg.solve(mass, q_dot)
                ),
                "Without friction nothing moves in yours: where F was is friction only.": 0 * free,
            }
            return verdict.with_slip(found[0.0], slips, **settings)
        for gamma in (0.6, 1.5):
            change = np.subtract(found[gamma], free)
            expected = -gamma * np.linalg.solve(mass, q_dot)
            verdict = compare(
                change, expected, name=f"What friction adds to q̈ of the {name}", **settings
            )
            if verdict:
                continue
            slips = {
                "Friction is a force; you took it away from the acceleration.": -gamma * q_dot,
                "In yours more mass means more braking: M stands on the left of the equation.": (
                    -gamma * mass @ q_dot
                ),
                "In yours friction acts one way, whichever way the motion goes.": (
                    -gamma * np.linalg.solve(mass, abs(q_dot))
                ),
                "Your friction grows with the cube of the velocity.": (
                    -gamma * np.linalg.solve(mass, q_dot**3)
                ),
                "Your friction does not grow with the velocity.": (
                    -gamma * np.linalg.solve(mass, np.sign(q_dot))
                ),
            }
            if reason := named(change, slips, **settings):
                return verdict.because(reason)
            power = float(q_dot @ mass @ change)  # dE/dt
            return verdict.because("With yours the energy grows." if power > 0 else "")
        _, power = jax.jvp(
            reference.compiled(system, "energy"), (q, q_dot), (q_dot, jnp.asarray(found[0.6]))
        )
        verdict = compare(power, -0.6 * q_dot @ q_dot, name="The rate dE/dt", rtol=1e-2, atol=1e-2)
        if not verdict:
            return verdict
    return right("Your friction takes the power γ q̇·q̇ from both systems, whatever their masses.")


@check(
    "hand over a trained model and its parameters.",
    title="Other masses",
    hints=(
        "The recipe of the chapter knows no masses. Which one of its pieces has to hear of "
        "the new system?",
        "Two thousand steps are enough, if the peak of `train.muon` is larger than in the "
        "long training. Watch the loss: does it still fall at the end?",
    ),
)
def heavier_pendulum(model: Any, params: Any) -> Verdict:
    """A Lagrangian network of `DoublePendulum(mass2=3.0)` that keeps its energy for ten seconds."""
    pendulum = systems.DoublePendulum(mass2=3.0)
    q, q_dot = pendulum.sample(jax.random.key(12345), 2000)
    many = reference.accelerate(model, params, q, q_dot)
    found = many(q, q_dot)
    missed = reference.error(found, pendulum, q, q_dot)
    if missed > 0.05:
        others = {
            "these are the old masses": systems.DoublePendulum(),
            "here the upper bob is the heavy one": systems.DoublePendulum(mass1=3.0),
        }
        for which, other in others.items():
            if reference.error(found, other, q, q_dot) < min(0.1, missed):
                return wrong(f"Your network has learned a double pendulum, but {which}.")
        return reference.still_wrong(many, pendulum, q, q_dot)
    acceleration = mechanics.acceleration(partial(model.lagrangian, params))
    starts = pendulum.sample_released(jax.random.key(54321), 10)
    motions = evaluate.rollouts(acceleration, *starts, dt=0.1, steps=100, substeps=20)
    m1, m2, l1, l2 = pendulum.mass1, pendulum.mass2, pendulum.length1, pendulum.length2
    unit = ((m1 + m2) * l1 + m2 * l2) * pendulum.gravity
    stray = evaluate.energy_error(pendulum.energy, *motions, scale=unit)["energy_error_mean"]
    if not np.isfinite(stray):
        return wrong("The accelerations are right on fresh states, but a motion runs away.")
    if stray > 0.02:
        return wrong(
            f"On fresh states your accelerations are right to {100 * missed:.1f} %, but the "
            f"energy strays by {100 * stray:.1f} %: it comes later in training.",
            "Does the loss still fall when training ends, or jump about?",
        )
    return right("Right on fresh states, and the energy stays: the recipe did not need m₁ = m₂.")


@check(
    "return the new Lagrangian.",
    title="The same motion from another Lagrangian",
    hints=(
        "F depends on q, and q moves. Which derivative of F do you need, and with what is it "
        "multiplied?",
        "A Lagrangian is one number, and so is what you add to it. What makes one number of a "
        "slope and a velocity?",
    ),
)
def gauged_lagrangian(answer: Callable) -> Verdict:
    """A Lagrangian plus a total derivative: `answer(lagrangian, F)(q, q_dot) -> 𝓛 + dF/dt`."""
    settings = {"rtol": 2e-3, "atol": 2e-3}
    places = jnp.array([[1.2, 0.5], [0.8, -1.9]])
    velocities = jnp.array([[0.7, -2.0], [1.6, 1.1]])

    def facts(lagrangian):
        """𝓛, momentum, acceleration and energy at all states."""
        value, p, mass, force = ask(reference.facts, lagrangian, places, velocities)
        return value, p, jnp.linalg.solve(mass, force[..., None]), (p * velocities).sum(1) - value

    for name, system, F in [
        ("double pendulum", systems.DoublePendulum(), lambda q: q[0] ** 2 * jnp.sin(q[1]) + 3.0),
        ("spring pendulum", systems.SpringPendulum(), lambda q: 2.0 * q[0] * q[1]),
    ]:
        lagrangian = reference.compiled(system, "lagrangian")
        new = ask(answer, lagrangian, F)
        if (shape := np.shape(_traced(new, places[0], velocities[0]))) != ():
            return wrong(f"𝓛 should be one number, got shape {shape}.")
        old, momentum, acceleration, energy = facts(lagrangian)
        new, new_momentum, new_acceleration, new_energy = facts(new)
        height, slope = jax.vmap(jax.value_and_grad(F))(places)
        rate = (slope * velocities).sum(axis=1)
        slips = {
            "Your new 𝓛 is the old one.": 0 * rate,
            "You added F itself, and not its rate of change.": height,
            "Your new 𝓛 holds dF/dt, but the old 𝓛 is gone.": rate - old,
            "You added the slopes of F as if each q changed at the rate 1.": slope.sum(axis=1),
            "You multiplied F itself by the velocities, and not its slopes.": height
            * velocities.sum(axis=1),
        }
        if reason := named(new - old, slips, **settings):
            return wrong(f"What you add to the 𝓛 of the {name} is not dF/dt. {reason}")
        if not compare(new_acceleration, acceleration, rtol=1e-2, atol=2e-2):
            q, v = ([round(float(x), 1) for x in each[0]] for each in (places, velocities))
            return wrong(
                f"Your term changes the motion of the {name}, and a total derivative does not: q̈ "
                f"is another, for instance at q = {q}, q̇ = {v}."
            )
        verdict = compare(
            new_momentum - momentum,
            slope,
            name=f"What your term adds to the momentum of the {name}",
            **settings,
        )
        if not verdict:
            return verdict
        if not compare(new_energy, energy, rtol=1e-3, atol=1e-2):
            return wrong(
                f"Motion and momentum of the {name} are right, but you changed its energy."
            )
    return right("The same motion and the same energy, from another 𝓛 with another momentum.")
