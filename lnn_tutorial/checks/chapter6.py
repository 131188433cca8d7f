"""Checks of chapter 6, the relativistic particle."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, systems
from lnn_tutorial.checks.verdict import (
    Verdict,
    ask,
    check,
    compare,
    kind,
    named,
    real,
    right,
    watched,
    wrong,
)


def _state(q, q_dot):
    return jnp.array(q, jnp.float32), jnp.array(q_dot, jnp.float32)


@check(
    "return the bracket {q, y}.",
    title="Which partner fits?",
    hints=(
        "At constant q both y and p change with q̇, and with nothing else. How much does y "
        "change for each unit of p?",
        "You have two derivatives by q̇, of y and of p. What does the chain rule make of them?",
    ),
)
def partner_bracket(answer: Callable) -> Verdict:
    """The bracket of q with a partner: `answer(lagrangian, y) -> function (q [1], q_dot [1])`."""

    def spring(q, q_dot):
        return 1.5 * q_dot[0] ** 2 - 2.0 * q[0] ** 2

    def bead(q, q_dot):
        return 0.5 * (1 + 4 * q[0] ** 2) * q_dot[0] ** 2 - q[0] ** 2

    def paper(q, q_dot):
        return systems.PaperParticle().lagrangian(q, q_dot, 2.0)

    partners = {
        "q̇": lambda q, q_dot: q_dot,
        "3 q̇ + q": lambda q, q_dot: 3 * q_dot + q,
        "artanh q̇": lambda q, q_dot: jnp.arctanh(q_dot),
        "q q̇³": lambda q, q_dot: q * q_dot**3,
    }
    state = _state([0.7], [-0.6])
    cases = {"a mass on a spring": spring, "a bead on a wire": bead, "the paper's particle": paper}
    with watched(forbidden=mechanics.poisson_brackets) as seen:
        ask(ask(answer, spring, partners["q̇"]), *state)
    answers = {}
    for where, lagrangian in cases.items():
        for name, y in partners.items():
            found = ask(ask(answer, lagrangian, y), *state)
            given = real(found)
            if given is not None and given.size != 1:
                return wrong(
                    f"A bracket of q and y is one number, or [1, 1], got shape {given.shape}.",
                    "How does y change with q̇, and how does p?",
                )
            answers[where, name] = found if given is None else given.item()
    numbers = list(answers.values())
    if isinstance(numbers[0], float) and numbers.count(numbers[0]) == len(numbers):
        return wrong(
            f"Your {{q, y}} is {numbers[0]:.3g} for every system and for every y; "
            "it should depend on both."
        )
    for where, lagrangian in cases.items():
        for name, y in partners.items():
            found = answers[where, name]
            along = jax.jacobian(y, 1)(*state)[0, 0]
            mass = mechanics.mass_matrix(lagrangian)(*state)[0, 0]
            name = f"Your {{q, y}} for {where} and y = {name}, at q = 0.7 and q̇ = −0.6,"
            verdict = compare(found, along / mass, name=name)
            if not verdict:
                momentum = mechanics.momentum(lagrangian)(*state)[0]
                slips = {
                    "This is ∂y/∂q̇. The bracket takes the derivative by p.": along,
                    "The mass matrix is on the wrong side.": along * mass,
                    "This is {y, q}.": -along / mass,
                    "This is ∂p/∂q̇: y is missing.": mass,
                    "This is 1/M: y is missing.": 1 / mass,
                    "Here q moved, not q̇.": jax.jacobian(y, 0)(*state)[0, 0] / mass,
                    "You divided by p, not by its derivative.": along / momentum,
                    "You divided y by p: both should be derivatives.": y(*state)[0] / momentum,
                }
                return verdict.with_slip(found, slips)
    if seen:
        return wrong(
            "Your bracket is right for all of them. But the task is to write it without "
            "mechanics.poisson_brackets, from two derivatives by q̇."
        )
    return right("Right for three systems and four partners. Which partner has the bracket 1?")


@check(
    "return the best constant.",
    title="Content with zero",
    hints=(
        "Move c a little to the right. Which terms of the sum grow, which shrink, and how "
        "much do they weigh?",
        "At the best constant the two balance. Go through the sorted values and count "
        "weights, until they do.",
    ),
)
def best_constant(answer: Callable) -> Verdict:
    """The constant of the least weighted absolute error: `answer(a [n], weights [n]) -> c`."""
    for seed, n, zeros in ((6, 41, 0), (1, 60, 35), (2, 7, 0)):
        rng = np.random.default_rng(seed)
        a = rng.exponential(2.0, n) * rng.choice([-1, 1], n, p=[0.3, 0.7])
        weights = rng.exponential(1.0, n)
        a[:zeros], weights[:zeros] = 0.0, 3.0 + weights[:zeros]
        order = rng.permutation(n)
        a, weights = a[order], weights[order]
        found = ask(answer, a.copy(), weights.copy())

        def score(c, a=a, weights=weights):
            return np.sum(weights * np.abs(a - c)) / np.sum(weights)

        c = real(found)
        if c is None or c.size != 1 or not np.isfinite(c).all():
            got = np.round(c, 3).tolist() if c is not None and c.size < 5 else kind(found)
            return wrong(f"Expected one finite number, got {got}.")
        c, least = c.item(), min(map(score, a))
        if score(c) > least * (1 + 1e-5) + 1e-9:
            step = 1e-3 * np.ptp(a)
            side = "right" if score(c + step) < score(c - step) else "left"
            off = wrong(
                f"For {n} drawn values your c = {c:.3g} is not the best constant: the weighted "
                f"absolute error falls when c moves to the {side}."
            )
            return off.with_slip(c, _other_constants(a, weights), rtol=1e-4)
    return right("No constant does better. When is it zero?")


def _other_constants(a, weights):
    """Constants that are not the best one, by what to say of them."""
    n, half = len(a), weights.sum() / 2

    def where(weights, half=half):
        return min(np.searchsorted(np.cumsum(weights), half), n - 1)

    order, by_weight, by_size = np.argsort(a), np.argsort(weights), np.argsort(abs(a))
    up, sorted_weights = a[order], weights[order]
    best = where(sorted_weights)
    return {
        "This is the weighted mean, which is best for the squared error.": (
            np.average(a, weights=weights)
        ),
        "This is the mean: it is best for the squared error, and takes no weights.": a.mean(),
        "This is best for the absolute error without weights.": np.median(a),
        "This is the midpoint of the extremes, best for the largest error.": (up[0] + up[-1]) / 2,
        "This is the value with the largest weight; many light ones may outweigh it.": (
            a[weights.argmax()]
        ),
        "You counted without sorting.": a[where(weights)],
        "You sorted the values, and their weights stayed behind.": up[where(weights)],
        "You sorted the weights with the values, and then looked among the unsorted.": a[best],
        "You sorted by weight, and not by value.": a[by_weight][where(weights[by_weight])],
        "You sorted the sizes, and a value has a sign.": a[by_size][where(weights[by_size])],
        "You counted values, and not their weights.": up[where(sorted_weights, n / 2)],
        "The weights do not add up to 1, and you counted as if they did.": (
            up[where(sorted_weights, 0.5)]
        ),
        "This is the place of a value, and not the value.": best,
        "This is a weight, and not a value.": sorted_weights[best],
        "This is a counted weight, and not a value.": half,
        "You stopped one value too early.": up[max(best - 1, 0)],
        "You went one value too far.": up[min(best + 1, n - 1)],
        "This is a sum; divide by the sum of the weights, and it is a mean.": weights @ a,
        "This is the smallest value.": up[0],
        "This is the largest value.": up[-1],
        "Nobody has said that zero is among these values.": 0.0,
    }


@check(
    "return the kinetic energy.",
    title="Digits of a kinetic energy",
    hints=(
        "After the multiplication, what is γ² less 1 in terms of γ and v? Nothing has to be "
        "subtracted any more.",
        "Then there is 1 − v² within γ. How did the chapter write it for fast particles?",
    ),
)
def kinetic_energy(answer: Callable) -> Verdict:
    """γ − 1 in single precision, at every speed: `answer(v) -> γ − 1`, for arrays."""
    slow = np.geomspace(1e-6, 0.3, 40).astype(np.float32)
    fast = (1 - np.geomspace(2.0**-24, 0.3, 40)).astype(np.float32)  # from the last below 1
    for v in (np.array([0.6, -0.8], np.float32), slow, fast):
        found = ask(answer, jnp.asarray(v))
        if np.shape(found) != v.shape:
            return wrong(f"Expected an array of shape {v.shape}, got {np.shape(found)}.")
        x = v.astype(np.longdouble)
        gamma = 1 / np.sqrt((1 - x) * (1 + x))
        expected = np.asarray(gamma**2 * x**2 / (gamma + 1), float)
        if len(v) == 2:
            verdict = compare(found, expected, name="At v = 0.6 and −0.8 your kinetic energy")
            if verdict:
                continue
            slips = {
                "This is γ: a particle at rest would have energy.": expected + 1,
                "That is the slow particle's ½ v².": np.asarray(0.5 * x**2, float),
                "This is 1 − 1/γ, what stands in the Lagrangian.": np.asarray(1 - 1 / gamma, float),
                "It is negative where v is: energy does not depend on the direction.": (
                    expected * np.sign(v)
                ),
                "This is γ + 1.": expected + 2,
                "You multiplied by γ + 1, and did not divide.": np.asarray(gamma**2 * x**2, float),
            }
            return verdict.with_slip(found, slips)
        found = np.asarray(found, float)
        miss = np.abs(found / expected - 1)
        worst = np.argmax(np.where(np.isfinite(miss), miss, np.inf))
        at = f"v = {v[worst]:.2g}" if v[worst] < 0.5 else f"v = 1 − {1 - float(v[worst]):.2g}"
        if not np.isfinite(found[worst]):
            return wrong(
                f"The formula is right, but at {at} your kinetic energy is {found[worst]}.",
                "What has been rounded to zero there?",
            )
        if miss[worst] > 1e-5:
            seen = f"off by {_in_words(found[worst] / expected[worst])}" if found[worst] else "zero"
            return wrong(
                f"The formula is right, but at {at} your kinetic energy is {seen}.",
                "Which two nearly equal numbers are subtracted there?",
            )
    return right("Six digits from a snail's pace to the last number below 1.")


def _in_words(ratio):
    """How far a ratio is from 1: a factor from 2 on, a percentage, or a power of ten."""
    if abs(ratio) > 2:
        return f"a factor of {float(f'{ratio:.2g}'):,.12g}".replace("-", "−")
    miss = abs(ratio - 1)
    return f"{100 * miss:.0f} %" if miss > 0.01 else f"{miss:.0e}"


NETWORKS = {
    "plain": "What does the plain network take for granted?",
    "hnn": "What may the acceleration of a Hamiltonian network on (q, q̇) depend on?",
    "delan": "𝓛 = ½ q̇ᵀ M(q) q̇ − V(q): is there a term of the first degree in the velocities?",
    "hnn_canonical": "The true momenta are given. Is there an H(q, p)?",
    "lnn": "Is there a Lagrangian?",
}
LEARNERS = {"plain": True, "hnn": False, "delan": False, "hnn_canonical": True, "lnn": True}


@check(
    "write the Lagrangian, and say for each network whether it can learn it.",
    title="A charge in a magnetic field",
    hints=(
        "Which products of a coordinate and a velocity are left, and how do they combine to "
        "something that is no total derivative? Try it in Euler–Lagrange: it acts through "
        "∂𝓛/∂q and through dp/dt.",
        "For the networks: which form does each give to its 𝓛, its H or its acceleration? "
        "Turn all velocities round: what does this force do, and what does that form? Or "
        "count: of which degrees in q̇ are the terms of its acceleration?",
    ),
)
def magnetic_field(lagrangian: Callable, can_learn: Mapping) -> Verdict:
    """A charge in a magnetic field: `lagrangian(q [2], q_dot [2], B)`, and a dict of booleans."""
    for B in (1.0, -2.5):
        state = _state([0.4, -1.1], [0.8, 0.3])
        value = ask(lagrangian, *state, B)
        if np.shape(value) != ():
            return wrong(f"A Lagrangian is one number, yours has shape {np.shape(value)}.")
        if real(value) is None:
            return wrong(f"A Lagrangian is a real number, got {kind(value)}.")

        def scalar(q, q_dot, B=B):
            return jnp.asarray(lagrangian(q, q_dot, B), jnp.float32)

        mass = ask(mechanics.mass_matrix(scalar), *state)
        verdict = compare(mass, np.eye(2), name="The mass matrix", atol=1e-4)
        if not verdict:
            slips = {
                "The kinetic energy is missing.": np.zeros((2, 2)),
                "The kinetic energy has no ½ in yours.": 2 * np.eye(2),
                "The kinetic energy holds one of the two velocities.": np.diag([1.0, 0.0]),
            }
            reason = named(mass, slips, atol=1e-4)
            return verdict.because(reason or "The charge has mass 1, and the field adds no mass.")
        (vx, vy), found = state[1], ask(mechanics.acceleration(scalar), *state)
        expected = B * jnp.array([vy, -vx])
        name = f"With B = {B} the acceleration at q̇ = (0.8, 0.3)"
        verdict = compare(found, expected, name=name, rtol=1e-3, atol=1e-4)
        if not verdict:
            slips = {
                "The force has the right size and turns the charge the wrong way.": -expected,
                "The force is twice too large: both ∂𝓛/∂q and dp/dt have a share.": 2 * expected,
                "The force is half of it: both ∂𝓛/∂q and dp/dt have a share.": expected / 2,
                "No force acts: your term is missing, or a total derivative.": 0 * expected,
                "The force does not turn round with the field: it lacks B.": expected / B,
            }
            return verdict.with_slip(found, slips, rtol=1e-3, atol=1e-4)
    if not isinstance(can_learn, Mapping) or set(can_learn) != set(NETWORKS):
        names = ", ".join(NETWORKS)
        return wrong(f"The Lagrangian is right. Now a dict with the keys {names}.")
    for name, claim in can_learn.items():
        if not isinstance(claim, (bool, np.bool_)):
            got = repr(claim) if isinstance(claim, (str, int, float)) else kind(claim)
            return wrong(
                f"The Lagrangian is right. Expected True or False for {name!r}, got {got}."
            )
    off = [name for name, can in LEARNERS.items() if can_learn[name] != can]
    if off:
        reason = (
            "At least one of them can do more than you say."
            if all(LEARNERS[name] for name in off)
            else "Turn all velocities round: this force turns round, too, and not all of the five "
            "forms can do that."
        )
        return wrong(
            f"The Lagrangian is right; not all five answers are. {reason}", *NETWORKS.values()
        )
    return right("The Lagrangian and all five answers are right. Train two of them and see.")
