"""Checks of chapter 10, a real double pendulum."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial.checks.verdict import (
    Verdict,
    ask,
    check,
    compare,
    named,
    one_number,
    pair,
    real,
    right,
    wrong,
)

# --- Friction along rows ----------------------------------------------------------------------

RUBBING = (
    ("two arms", [[1, 0], [-1, 1]], [2.0, -1.5], lambda numpy, w: numpy.array([0.3, 0.2]) * w),
    (
        "three arms that rub dry",
        [[1, 0, 0], [-1, 1, 0], [0, -1, 1]],
        [0.4, -0.1, 0.05],
        lambda numpy, w: numpy.array([0.4, 0.2, 0.3]) * numpy.tanh(w / 0.2),
    ),
    (
        "two arms in the air",
        [[1, 0], [-1, 1], [0, 1]],
        [1.2, 2.5],
        lambda numpy, w: numpy.array([0.1, 0.3, 0.2]) * w * abs(w),
    ),
    ("two arms and one drag", [[-2, 1]], [0.7, -0.9], lambda _, w: 0.6 * w * abs(w)),
)
"""Machines: a name, the rows J, the velocities q̇, and the law, in NumPy or JAX, of w = J q̇."""


@check(
    "return the force of friction.",
    title="Where does it rub?",
    hints=(
        "Take one joint between two arms. Which torque acts on the lower of them, and which on "
        "the upper?",
        "A place takes the power w · law(w). Written with the velocities of the arms, all of them "
        "together take −q̇ · Q. So how does a row bring its torque to the arms?",
    ),
)
def joint_friction(answer: Callable) -> Verdict:
    """Q of whatever rubs along rows: `answer(q_dot [d], rows [k, d], law) -> Q [d]`."""
    for machine, rows, q_dot, law in RUBBING:
        rows, q_dot = np.array(rows, float), np.array(q_dot)
        found = ask(answer, *(jnp.asarray(x) for x in (q_dot, rows)), partial(law, jnp))
        expected, slips = _frictions(rows, q_dot, partial(law, np))
        verdict = compare(found, expected, name=f"Your force for {machine}")
        if verdict:
            continue
        if reason := named(found, slips):
            return verdict.because(reason)
        force = real(found)
        known = force is not None and force.shape == q_dot.shape and np.isfinite(force).all()
        grows = known and q_dot @ force > 0
        return verdict.because("With yours the energy grows." if grows else "")
    return right("The force of four machines. Let the arms turn as one: which joint rubs then?")


def _frictions(rows, q_dot, law):
    """The force of friction `[d]`, and what slips make of it, by what to say of them."""
    w = rows @ q_dot
    torque = law(w)
    expected = -rows.T @ torque
    slips = {
        "This force drives the motion.": -expected,
        "A joint turns both of its arms the same way in yours.": -abs(rows).T @ torque,
        "In yours the velocities of two arms are added, and in a joint they are compared.": (
            -rows.T @ law(abs(rows) @ q_dot)
        ),
        "The law is not in it: what rubs is taken to be w itself.": -rows.T @ w,
        "In yours friction acts one way, whichever way the motion goes.": -rows.T @ abs(torque),
        "In yours w · law(w) stands for a torque, and that is a power.": -rows.T @ (w * torque),
        "This is the power of the force, one number.": q_dot @ expected,
        "This is the power that is lost, one number.": -q_dot @ expected,
    }
    if len(rows) == len(q_dot):
        alone = law(q_dot)
        slips |= {
            "These are the torques at the places that rub. Each of them acts on both arms of its "
            "joint.": -torque,
            "These are the torques at the places that rub, and they drive the motion.": torque,
            "In yours each arm rubs against the stand: its own velocity counts alone.": -alone,
            "The law was asked about the arms' own velocities, and not about those at the places "
            "that rub.": -rows.T @ alone,
            "The rows lead from the arms to the places that rub. Back it is another way.": (
                -rows @ torque
            ),
            "The rows are used the wrong way round, there and back.": -rows @ law(rows.T @ q_dot),
        }
    return expected, slips


# --- A velocity that comes late ---------------------------------------------------------------


@check(
    "return the stiffness and the friction that are learned.",
    title="A velocity that comes late",
    hints=(
        "Let ψ = ω(t − τ) be the late phase. Write the late velocity and the late acceleration "
        "with ψ, and then the angle, which is in time.",
        "The angle has a part like the late acceleration, and a part like the late velocity. The "
        "equation holds at all times, so it holds for each of the two kinds.",
    ),
)
def late_law(answer: Callable) -> Verdict:
    """What is fitted to late velocities: `answer(omega, tau) -> (k, gamma)`."""
    omega, tau = np.array([[2.0, 0.2], [3.0, 0.01], [0.5, 1.6], [6.0, 0.2]]).T
    found = np.array([_law(ask(answer, *each)) for each in zip(omega, tau, strict=True)]).T
    expected = _late(omega, tau)
    settings = {"rtol": 1e-4, "atol": 1e-5}
    for i in range(len(omega)):
        where = f"for ω = {omega[i]:g} and τ = {tau[i]:g}"
        parts = [
            compare(x[i], true[i], name=f"Your {name} {where}", **settings)
            for name, x, true in zip(("k", "γ"), found, expected, strict=True)
        ]
        if all(parts):
            continue
        both, alone = _other_laws(omega, tau)
        verdict, j = (parts[0], 0) if not parts[0] else (parts[1], 1)
        if reason := named(found, both, **settings):
            return verdict.because(reason)
        if compare(found[1 - j], expected[1 - j], **settings):
            verdict = verdict.because(f"Your {'γk'[j]} is right.")
        return verdict.with_slip(found[j], alone[j], **settings)
    return right(
        "Right. This friction drives, so a model whose friction can only brake does not find it, "
        "and one that finds it speaks of a filter. With ω = 6 and τ = 0.01, how large is it?"
    )


def _law(found):
    """k and γ as two numbers, or a verdict."""
    parts = pair(found, "Expected two numbers, k and γ")
    return [one_number(x, name) for x, name in zip(parts, ("k", "γ"), strict=True)]


def _late(omega, tau):
    """k and γ `[2, n]` of a spring's angle beside its late velocity and acceleration."""
    x = omega * tau
    return np.array([omega**2 / np.cos(x), -omega * np.tan(x)])


def _other_laws(omega, tau):
    """Laws that are not the fitted one: both of its numbers, and k or γ alone."""
    x, square, late = omega * tau, omega**2, _late(omega, tau)
    mirrored = np.array([1, -1])[:, None]
    both = {
        "This is the true law. It holds where nothing is late, or only the velocity.": (
            np.array([square, 0 * x])
        ),
        "This law has the late acceleration and a velocity in time.": (
            np.array([square * np.cos(x), -omega * np.sin(x)])
        ),
        "In yours the acceleration comes early, and the velocity is in time.": (
            np.array([square * np.cos(x), omega * np.sin(x)])
        ),
        "In yours the filter is early, and knows what comes.": (late * mirrored),
        "This is right to first order only, for a short τ.": np.array([square, -square * tau]),
        "This is first order only, and its friction has the wrong sign.": (
            np.array([square, square * tau])
        ),
        "k and γ have changed places.": late[::-1],
        "The signs of both are those of the right side of q̈ = −k q − γ q̇.": -late,
        "A lag is a time, and needs ω to become an angle.": (
            np.array([square / np.cos(tau), -omega * np.tan(tau)])
        ),
        "In yours the lag is twice as long.": _late(omega, 2 * tau),
        "In yours the lag is half as long.": _late(omega, tau / 2),
    }
    k = {
        "This k is a frequency, and not yet a stiffness.": late[0] ** 0.5,
        "There is no unit of 1/s² in this k: a factor of ω is missing.": omega / np.cos(x),
        "This k is that of the spring itself.": square,
        "A spring that is fitted like this comes out too stiff, and not too soft.": (
            square * np.cos(x)
        ),
        "This k is right to its first correction only, for a short τ.": square * (1 + x**2 / 2),
        "A part of this k is squared, and should not be.": square / np.cos(x) ** 2,
    }
    gamma = {
        "It drives, or it brakes: put both signs into the equation again.": -late[1],
        "This γ is right to first order only, for a short τ.": -square * tau,
        "This γ is first order only, and has the wrong sign.": square * tau,
        "There is no unit of 1/s in this γ: a factor of ω is missing.": -np.tan(x),
        "There is one ω too many in this γ.": -square * np.tan(x),
        "This γ stands beside a velocity in time, and yours is late.": -omega * np.sin(x),
        "Nothing rubs in the spring, but this fit needs it.": 0 * x,
    }
    return both, (k, gamma)


# --- Where it stops ---------------------------------------------------------------------------


@check(
    "return the angle where it stops.",
    title="Where does it stop?",
    hints=(
        "While it swings to one side, dry friction is a constant torque. It is as if the "
        "pendulum swung about another middle: which one, and which one on the way back?",
        "From one turning point to the next, by how much has it come closer? And at which turning "
        "point does it stay?",
    ),
)
def rest_angle(answer: Callable) -> Verdict:
    """Where a pendulum that rubs dry comes to rest: `answer(amplitude, hold) -> number`."""
    given = np.array([[1.0, 0.3], [1.0, 0.4], [0.2, 0.5], [1.7, 0.13], [0.3, 0.0112], [0.9, 0.25]])
    found = np.array([one_number(ask(answer, *each), "angle") for each in given.tolist()])
    amplitude, hold = given.T
    expected = _rest(*given.T)
    for i in range(len(given)):
        name = f"Your angle for amplitude = {amplitude[i]:g} and hold = {hold[i]:g}"
        verdict = compare(found[i], expected[i], name=name)
        if verdict:
            continue
        if reason := named(found, _other_ends(amplitude, hold)):
            return verdict.because(reason)
        if abs(found[i]) > max(amplitude[i], hold[i]):
            return verdict.because("It ends farther out than it began.")
        outside = abs(found[i]) > hold[i] * (1 + 1e-6)
        return verdict.because(
            "Where yours stops gravity pulls harder than the friction holds." if outside else ""
        )
    return right("Right for six starts. And where would c · tanh(ω / v₀) let it end?")


def _swings(amplitude, hold, loss=2):
    """The number of half swings until friction holds it, for a loss in each of `loss` holds."""
    return np.maximum(np.ceil((amplitude - hold) / (loss * hold)), 0)


def _after(swings, amplitude, hold, loss=2):
    """The turning point after a number of half swings."""
    return (-1) ** swings * (amplitude - loss * swings * hold)


def _rest(amplitude, hold):
    return _after(_swings(amplitude, hold), amplitude, hold)


def _other_ends(amplitude, hold):
    """Angles where it does not stop, by what to say of them."""
    swings, end = _swings(amplitude, hold), _rest(amplitude, hold)
    after = partial(_after, amplitude=amplitude, hold=hold)
    cheap, dear = (_swings(amplitude, hold, loss) for loss in (1, 4))
    return {
        "Dry friction holds it before it hangs.": 0 * end,
        "It does not start at all in yours.": amplitude,
        "In yours it never goes to the other side of the middle.": (-1) ** swings * end,
        "How far out it stops is right, and it has a side, too.": abs(end),
        "How far out it stops is right, but not always on this side.": -abs(end),
        "How far out it stops is right, and the side is always the wrong one.": -end,
        "Each half swing costs too little in yours.": after(cheap, loss=1),
        "Each half swing costs too little in yours, and the side does not change.": (
            (-1) ** cheap * after(cheap, loss=1)
        ),
        "In yours a half swing costs what a whole one does.": after(dear, loss=4),
        "Yours stops as soon as friction could hold it, and there it is still moving.": (
            np.where(amplitude > hold, hold, amplitude)
        ),
        "It stops at the edge of what friction can hold in yours, and it may go farther in.": (
            np.where(amplitude > hold, np.sign(end) * hold, amplitude)
        ),
        "Yours moves on once more from where friction holds it.": after(swings + 1),
        "Yours stops one half swing too early.": after(np.maximum(swings - 1, 0)),
        "Where friction holds it from the beginning nothing moves.": after(np.maximum(swings, 1)),
        "In yours it makes whole swings only.": after(2 * np.ceil(swings / 2)),
    }


# --- A length from a Lagrangian ---------------------------------------------------------------

MACHINES = (
    (0.3, 0.09, 0.002, 0.21, 0.2, 0.13, 0.001, 9.81),
    (1.2, 0.5, 0.05, 0.8, 0.7, 0.35, 0.02, 1.62),
    (0.05, 0.02, 1e-5, 0.06, 0.4, 0.3, 0.015, 3.71),
)
"""m₁, a₁, I₁, l₁, m₂, a₂, I₂ and g of three double pendulums, a the distance to the centre."""

LEARNED = ((0, 1.0, 0.0), (0, 0.3, 0.7), (1, -2.0, 0.4), (2, 40.0, -3.0))
"""A machine, the factor in front of its 𝓛, and the size of a total derivative beside it."""


def _constants(mass1, centre1, inertia1, length1, mass2, centre2, inertia2, gravity):
    """The five constants of a double pendulum: M₁₁, M₂₂, M₁₂ at q = 0 and both weights' pulls."""
    return (
        inertia1 + mass1 * centre1**2 + mass2 * length1**2,
        inertia2 + mass2 * centre2**2,
        mass2 * length1 * centre2,
        (mass1 * centre1 + mass2 * length1) * gravity,
        mass2 * centre2 * gravity,
    )


def _learned(machine, factor, gauge):
    """A Lagrangian with the motions of a machine, as a training may find it."""
    first, second, coupling, pull1, pull2 = _constants(*MACHINES[machine])

    def lagrangian(q, q_dot):
        def useless(q):
            return jnp.sin(q[0] - 2 * q[1]) + q[1] * jnp.cos(q[0])

        kinetic = 0.5 * first * q_dot[0] ** 2 + 0.5 * second * q_dot[1] ** 2
        kinetic += coupling * q_dot[0] * q_dot[1] * jnp.cos(q[0] - q[1])
        weight = pull1 * jnp.cos(q[0]) + pull2 * jnp.cos(q[1])
        return factor * (kinetic + weight) + gauge * jax.jvp(useless, (q,), (q_dot,))[1] - 2.0

    return lagrangian


@check(
    "return the length of the upper arm.",
    title="The length of an arm, read off a network",
    hints=(
        "Write 𝓛 of two bodies that hang on each other, and look for the terms with the length. "
        "What stands beside it there?",
        "The same quantity of the lower arm stands in what couples the two arms and in what "
        "gravity does to the lower one. Which derivatives of 𝓛, at rest and hanging, show them?",
    ),
)
def upper_arm(answer: Callable) -> Verdict:
    """l₁ from a learned Lagrangian of any scale: `answer(lagrangian, gravity) -> number`."""
    found = np.array(
        [
            one_number(ask(answer, _learned(*each), MACHINES[each[0]][-1]), "length")
            for each in LEARNED
        ]
    )
    settings = {"rtol": 2e-3, "atol": 1e-6}
    machines = np.array([MACHINES[each[0]] for each in LEARNED]).T
    factor = np.array([each[1] for each in LEARNED])
    expected = machines[3]
    verdicts = [
        compare(x, true, name=f"Your length for machine {machine + 1}", **settings)
        for x, true, (machine, *_) in zip(found, expected, LEARNED, strict=True)
    ]
    if all(verdicts):
        return right(
            "Right for three machines, though no one knows a mass of theirs. Which of their other "
            "constants could be read like this?"
        )
    verdict = next(each for each in verdicts if not each)
    if reason := named(found, _other_lengths(machines, factor), **settings):
        return verdict.because(reason)
    if not compare(found[0], found[1], **settings):
        if not verdicts[0]:
            return verdict.because("And with another factor in front of 𝓛 it is another one.")
        return wrong(
            "Your length is right where 𝓛 is in joules. For the same machine, with another factor "
            "in front of 𝓛 and a total derivative beside it, it is another one."
        )
    return verdict


def _other_lengths(machines, factor):
    """What is not the length of the upper arm, by what to say of it."""
    length, gravity = machines[3], machines[-1]
    first, second, coupling, pull1, pull2 = _constants(*machines)
    upside_down = "It stands upside down."
    return {
        "Gravity is missing: this is no length yet, but a time squared.": length / gravity,
        "A frequency squared is no length.": gravity / length,
        upside_down: 1 / length,
        f"{upside_down} And gravity is not to be divided by.": gravity**2 / length,
        "In 𝓛 the potential energy stands with the other sign.": -length,
        "This is a ratio of inertias, which has no unit.": coupling / second,
        "This is a ratio of inertias, and it has no unit.": coupling / first,
        "A ratio of inertias has no unit, so gravity does not belong there.": (
            gravity * coupling / second
        ),
        "This is the simple pendulum that swings as the lower arm does, were the upper one held.": (
            gravity * second / pull2
        ),
        "This is the simple pendulum that swings as both arms do, were they in one line.": (
            gravity * (first + second + 2 * coupling) / (pull1 + pull2)
        ),
        "This is the simple pendulum that swings as the upper arm does, were the lower one held.": (
            gravity * first / pull1
        ),
        "You divide by what gravity does to the upper angle, and there it pulls at both arms.": (
            gravity * coupling / pull1
        ),
        "The factor in front of 𝓛 is still in it.": factor * coupling,
        "The factor in front of 𝓛 is still in it, and gravity.": factor * coupling * gravity,
        "The factor in front of 𝓛 is still in it, beside gravity.": factor * coupling / gravity,
    }
