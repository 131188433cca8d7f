"""Checks of chapter 6, the relativistic particle."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, systems
from lnn_tutorial.checks.verdict import Verdict, ask, check, compare, right, wrong


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
    for where, lagrangian in cases.items():
        for name, y in partners.items():
            found = ask(ask(answer, lagrangian, y), *state)
            along = jax.jacobian(y, 1)(*state)[0, 0]
            mass = mechanics.mass_matrix(lagrangian)(*state)[0, 0]
            verdict = compare(
                np.squeeze(found), along / mass, name=f"Your {{q, y}} for {where} and y = {name}"
            )
            if not verdict:
                slips = {
                    "This is ∂y/∂q̇. The bracket takes the derivative by p.": along,
                    "The mass matrix is on the wrong side.": along * mass,
                    "This is {y, q}.": -along / mass,
                    "Here q moved, not q̇.": jax.jacobian(y, 0)(*state)[0, 0] / mass,
                }
                return verdict.with_slip(np.squeeze(found), slips)
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
    for seed, n, zeros in ((0, 41, 0), (1, 60, 35), (2, 7, 0)):
        rng = np.random.default_rng(seed)
        a = rng.exponential(2.0, n) * rng.choice([-1, 1], n, p=[0.3, 0.7])
        weights = rng.exponential(1.0, n)
        a[:zeros], weights[:zeros] = 0.0, 3.0 + weights[:zeros]
        order = rng.permutation(n)
        a, weights = a[order], weights[order]
        found = ask(answer, a.copy(), weights.copy())

        def score(c, a=a, weights=weights):
            return np.sum(weights * np.abs(a - c)) / np.sum(weights)

        if np.shape(found) != () or not np.isfinite(float(found)):
            return wrong(f"Expected one finite number, got {found}.")
        least = min(map(score, a))
        if score(float(found)) > least * (1 + 1e-5) + 1e-9:
            slips = {
                "This is the weighted mean, which is best for the squared error.": (
                    np.average(a, weights=weights)
                ),
                "This is the mean. It is best for the squared error, and where are the weights?": (
                    a.mean()
                ),
                "This is the median without the weights.": np.median(a),
                "This is the midpoint of the extremes, best for the largest error.": (
                    (a.max() + a.min()) / 2
                ),
            }
            off = wrong("Another constant has a smaller weighted absolute error.")
            return off.with_slip(found, slips, rtol=1e-4)
    return right("No constant does better. When is it zero?")


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
    fast = (1 - np.geomspace(3e-7, 0.3, 40)).astype(np.float32)
    for v in (np.array([0.6, -0.8], np.float32), slow, fast):
        found = ask(answer, jnp.asarray(v))
        if np.shape(found) != v.shape:
            return wrong(f"Expected an array of shape {v.shape}, got {np.shape(found)}.")
        x = v.astype(np.longdouble)
        gamma = 1 / np.sqrt((1 - x) * (1 + x))
        expected = np.asarray(gamma**2 * x**2 / (gamma + 1), float)
        where = {0.6: "at middle speeds"}.get(
            round(float(v[0]), 1), "at low speeds" if v[0] < 0.5 else "close to the speed of light"
        )
        if len(v) == 2 or not np.isfinite(np.asarray(found, float)).all():
            verdict = compare(found, expected, name="Your kinetic energy")
            if not verdict:
                slips = {
                    "This is γ: a particle at rest would have energy.": expected + 1,
                    "That is the slow particle's ½ v².": np.asarray(0.5 * x**2, float),
                    "This is 1 − 1/γ, what stands in the Lagrangian.": np.asarray(
                        1 - 1 / gamma, float
                    ),
                }
                return verdict.with_slip(found, slips)
            continue
        miss = np.abs(np.asarray(found, float) / expected - 1).max()
        if miss > 1e-5:
            return wrong(
                f"The formula is right, but {where} it is off by up to {miss:.1g}.",
                "Which two nearly equal numbers are subtracted there?",
            )
    return right("Six digits from a snail's pace to the last number below 1.")


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
        "Then turn all velocities round, and see what this force does and what that form "
        "does.",
    ),
)
def magnetic_field(lagrangian: Callable, can_learn: Mapping) -> Verdict:
    """A charge in a magnetic field: `lagrangian(q [2], q_dot [2], B)`, and a dict of booleans."""
    for B in (1.0, -2.5):
        state = _state([0.4, -1.1], [0.8, 0.3])
        value = ask(lagrangian, *state, B)
        if np.shape(value) != ():
            return wrong(f"A Lagrangian is one number, yours has shape {np.shape(value)}.")

        def scalar(q, q_dot, B=B):
            return jnp.asarray(lagrangian(q, q_dot, B), jnp.float32)

        mass = ask(mechanics.mass_matrix(scalar), *state)
        verdict = compare(mass, np.eye(2), name="The mass matrix", atol=1e-4)
        if not verdict:
            return verdict.with_hint("The charge has mass 1: where is ½ q̇·q̇?")
        (vx, vy), found = state[1], ask(mechanics.acceleration(scalar), *state)
        expected = B * jnp.array([vy, -vx])
        verdict = compare(found, expected, name="The acceleration", rtol=1e-3, atol=1e-4)
        if not verdict:
            slips = {
                "The force has the right size and turns the charge the wrong way.": -expected,
                "The force is twice too large: both ∂𝓛/∂q and dp/dt have a share.": 2 * expected,
                "The force is half of it: both ∂𝓛/∂q and dp/dt have a share.": expected / 2,
                "No force acts. Is your term a total derivative?": 0 * expected,
            }
            return verdict.with_slip(found, slips, rtol=1e-3, atol=1e-4)
    if not isinstance(can_learn, Mapping) or set(can_learn) != set(NETWORKS):
        names = ", ".join(NETWORKS)
        return wrong(f"The Lagrangian is right. Now a dict with the keys {names}.")
    off = [name for name in NETWORKS if bool(can_learn[name]) != LEARNERS[name]]
    if off:
        plural = "answer is" if len(off) == 1 else "answers are"
        return wrong(
            f"The Lagrangian is right; {len(off)} {plural} not. Look at {off[0]!r} again.",
            NETWORKS[off[0]],
        )
    return right("The Lagrangian and all five answers are right. Train two of them and see.")
