"""Checks of chapter 11, reading a Lagrangian."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import mechanics, systems
from lnn_tutorial.checks.cases import JUDGED, MOVING, PUSHED, SYMMETRIC, TERMS
from lnn_tutorial.checks.reference import compiled
from lnn_tutorial.checks.verdict import (
    Stop,
    Verdict,
    ask,
    check,
    compare,
    kind,
    named,
    one_number,
    real,
    right,
    wrong,
)

TOLERANT = {"rtol": 5e-3, "atol": 5e-3}
"""Settings that a good difference quotient in single precision meets."""


def _made(answer: Callable, lagrangian: Callable, A: Any, b: Any) -> Callable:
    """The function of a state that an answer returns for a displacement, or a verdict."""
    made = ask(answer, lagrangian, jnp.asarray(A, float), jnp.asarray(b, float))
    if not callable(made):
        raise Stop(
            wrong(f"Your function should return a function of (q, q_dot), got {kind(made)}.")
        )
    return made


def _judged(answer: Callable, cases: tuple, what: str, truth: Callable) -> None:
    """Asks for one number for each of several cases, and ends the check at the first wrong one.

    `truth(lagrangian, A, b, q, q_dot)` is the right number, and slips by what to say of them; a
    slip counts if it explains all cases.
    """
    found, expected, slips = [], [], []
    for _, system, displacement, state in cases:
        lagrangian, given = _lagrangian_of(system), _arrays(*displacement, *state)
        made = _made(answer, lagrangian, *given[:2])
        found.append(one_number(ask(made, *given[2:]), what))
        true, others = truth(lagrangian, *given)
        expected.append(true)
        slips.append(others)
    slips = {each: np.array([one[each] for one in slips], float) for each in slips[0]}
    for (name, *_), x, true in zip(cases, found, expected, strict=True):
        verdict = compare(x, true, name=f"Your {what} for {name}", **TOLERANT)
        if verdict:
            continue
        reason = named(found, slips, **TOLERANT)
        if not reason and compare(found, expected, rtol=0.2, atol=0.2):
            reason = "It is near: ε was finite, or a small part is missing."
        raise Stop(verdict.because(reason))


def _lagrangian_of(system):
    return compiled(system, "lagrangian") if isinstance(system, systems.System) else system


def _arrays(*parts):
    return tuple(jnp.asarray(part, float) for part in parts)


# --- How a displacement changes a Lagrangian ---------------------------------------------------


@check(
    "return the function of a state that says how 𝓛 changes.",
    title="How a displacement changes a Lagrangian",
    hints=(
        "Along a displaced motion, what is the velocity? Differentiate the displaced position "
        "once by time.",
        "𝓛 depends on ε through two arguments. The chain rule gives one product for each of them; "
        "or let JAX push both along at once.",
    ),
)
def lagrangian_change(answer: Callable) -> Verdict:
    """δ𝓛 by q → q + ε(A q + b): `answer(lagrangian, A, b) -> function (q, q_dot) -> scalar`."""
    _judged(answer, PUSHED, "change of 𝓛", _changes)
    return right(
        "The change of four Lagrangians. For which A and b is it zero at every state of the planet?"
    )


def _changes(lagrangian, A, b, q, q_dot):
    """How 𝓛 changes, and what slips make of it, by what to say of them."""
    slope, p = jax.grad(lagrangian, argnums=(0, 1))(q, q_dot)

    def changed(position, velocity):
        return slope @ position + p @ velocity

    eta, along = A @ q + b, A @ q_dot
    slips = {
        "The displacement of the velocity is left out: it is displaced, too.": (
            changed(eta, 0 * along)
        ),
        "Here b displaces the velocity, too. It is the same at all times.": changed(eta, along + b),
        "Here the velocity is displaced by what belongs to the position.": changed(eta, eta),
        "Here q stands where the velocity belongs.": changed(eta, A @ q),
        "In yours A is transposed.": changed(A.T @ q + b, A.T @ q_dot),
        "In yours A is transposed for the position.": changed(A.T @ q + b, along),
        "In yours A is transposed for the velocity.": changed(eta, A.T @ q_dot),
        "The shift b is left out.": changed(A @ q, along),
        "The position is not displaced in yours.": changed(0 * eta, along),
        "The position is not displaced by A in yours.": changed(b, along),
        "The share of the velocity has the wrong sign.": changed(eta, -along),
        "Here the velocity is displaced by its own size, without A.": changed(eta, q_dot),
        "This is 𝓛 at the displaced state, and not its change.": (
            lagrangian(q + eta, q_dot + along)
        ),
        "This is the difference for ε = 1. The change for each small ε is asked.": (
            lagrangian(q + eta, q_dot + along) - lagrangian(q, q_dot)
        ),
    }
    return changed(eta, along), slips


# --- What is conserved --------------------------------------------------------------------------


@check(
    "return the function of a state that is conserved.",
    title="What is conserved",
    hints=(
        "Write the change of 𝓛, and put the equation of motion in the place of what stands beside "
        "the displacement of the position. Which derivative of a product is it then?",
        "If 𝓛 does not change, the quantity in this product does not change in time either. Which "
        "vector of 𝓛 is it made of, and is that always mass times velocity?",
    ),
)
def noether(answer: Callable) -> Verdict:
    """What a symmetry conserves: `answer(lagrangian, A, b) -> function (q, q_dot) -> scalar`."""
    _judged(answer, SYMMETRIC, "conserved quantity", _noethers)
    return right(
        "Six symmetries and what they conserve. What would a learned 𝓛 conserve, which is right up "
        "to a factor?"
    )


def _noethers(lagrangian, A, b, q, q_dot):
    """The conserved quantity, and what slips make of it, by what to say of them."""
    value, (slope, p) = jax.value_and_grad(lagrangian, argnums=(0, 1))(q, q_dot)
    mass = mechanics.mass_matrix(lagrangian)(q, q_dot)
    eta = A @ q + b
    slips = {
        "Here the velocity stands for the momentum: where are the masses, and the field.": (
            q_dot @ eta
        ),
        "Here mass times velocity stands for the momentum, and that is not all of it in a field.": (
            (mass @ q_dot) @ eta
        ),
        "This is the energy. Time conserves it, and not this displacement.": q_dot @ p - value,
        "In yours A is transposed.": p @ (A.T @ q + b),
        "The shift b is forgotten.": p @ (A @ q),
        "Only the shift is in it, and A is forgotten.": p @ b,
        "Here the displacement of the velocity stands for that of the position.": p @ (A @ q_dot),
        "Here A displaces the velocity, and the position is displaced by b alone.": (
            p @ (A @ q_dot + b)
        ),
        "Here A is applied after the shift.": p @ (A @ (q + b)),
        "The displacement is not in it.": p @ q,
        "This is the change of 𝓛, and it is zero for each symmetry.": (
            slope @ eta + p @ (A @ q_dot)
        ),
        "Here the force stands for the momentum.": slope @ eta,
        "This is the share of the velocity in the change of 𝓛.": p @ (A @ q_dot),
        "The sign is wrong: a free ball that is moved upwards has its upward momentum.": -p @ eta,
    }
    return p @ eta, slips


# --- Symmetries of a motion, as a matrix --------------------------------------------------------


@check(
    "return the matrix of all displacements.",
    title="Symmetries of a motion, as a matrix",
    hints=(
        "If q(t) is a motion and the displaced one is, too, then two accelerations have to agree: "
        "that of the displaced motion, and the one that the law has at the displaced state. What "
        "is each of them to first order in ε?",
        "All of it is linear in A. So take one A with a single 1 in it for each column, or "
        "differentiate by the whole of A at once; then put the states below each other.",
    ),
)
def symmetry_columns(answer: Callable) -> Verdict:
    """What linear displacements do to a motion: `answer(acceleration, q, q_dot) -> [n d, d²]`.

    The order of the rows, their sign and a common factor are free: they change no null space.
    """
    for name, system, q, q_dot in MOVING:
        acceleration = compiled(system, "acceleration") if hasattr(system, "dim") else system
        q, q_dot = _arrays(q, q_dot)
        said = f"Your matrix for {name}"
        found = ask(answer, acceleration, q, q_dot)
        matrix = real(found)
        if matrix is None:
            return compare(found, np.zeros((q.size, q.shape[1] ** 2)), name=said)
        expected, slips = _columns(acceleration, q, q_dot)
        _require_shape(matrix, expected, said)
        if _alike(matrix, expected):
            continue
        off = wrong(f"{said} does not say what the displacements do.")
        return off.because(next((what for what, x in slips.items() if _alike(matrix, x)), ""))
    return right(
        "Three matrices with the right null spaces. Which of the three motions have a symmetry, "
        "and which one is it?"
    )


def _require_shape(matrix, expected, said):
    """Ends the check for a matrix of another shape, or one that is not finite."""
    if matrix.shape == expected.shape:
        if not np.isfinite(matrix).all():
            raise Stop(wrong(f"{said} is not finite: it holds NaN or infinity."))
        return
    off = wrong(f"{said} has shape {matrix.shape}, expected {expected.shape}.")
    rows, columns = expected.shape
    if matrix.shape == (columns, rows):
        off = off.because("It is transposed: a displacement is a column.")
    elif matrix.shape == (round(columns**0.5), columns):
        off = off.because("It has the rows of one state only.")
    elif matrix.size == expected.size and matrix.ndim > 2:
        off = off.because("The numbers are as many as they should be, in more axes than two.")
    raise Stop(off)


def _alike(matrix, other):
    """Whether two matrices are the same but for a factor and a rotation of their rows."""
    gram, true = (x.T @ x for x in (matrix, other))
    if not gram.trace() > 0:
        return False
    gram, true = gram / gram.trace(), true / true.trace()
    return np.linalg.norm(gram - true) < 4e-3 * np.linalg.norm(true)


def _columns(acceleration, q, q_dot):
    """The matrix, and what slips make of it, by what to say of them."""
    d = q.shape[1]
    a = np.asarray(jax.vmap(acceleration)(q, q_dot), float)
    by = jax.vmap(jax.jacfwd(acceleration, argnums=(0, 1)))(q, q_dot)
    by_q, by_q_dot = (np.asarray(x, float) for x in by)
    q, q_dot, one = np.asarray(q, float), np.asarray(q_dot, float), np.eye(d)

    def flat(x):
        return x.reshape(-1, d * d)

    own = np.einsum("ki,nj->nkij", one, a)  # the entry i of A a, for each A_ij
    of_q, of_q_dot = (
        np.einsum("nki,nj->nkij", slope, x) for slope, x in ((by_q, q), (by_q_dot, q_dot))
    )
    mixed = np.einsum("nki,nj->nkij", by_q_dot, q)
    back = np.einsum("kj,ni->nkij", one, a)
    expected = own - of_q - of_q_dot
    alone = expected.copy()
    alone[1:] = alone[:1]
    slips = {
        "The displaced motion's own acceleration is left out.": of_q + of_q_dot,
        "The velocity is displaced, too, and the law may depend on it.": own - of_q,
        "The position is not displaced in yours.": own - of_q_dot,
        "A sign is wrong: two accelerations are compared, and here they are added.": (
            own + of_q + of_q_dot
        ),
        "The share of the velocity has the wrong sign.": own - of_q + of_q_dot,
        "The share of the position has the wrong sign.": own + of_q - of_q_dot,
        "The columns are in the order of the transposed A.": np.swapaxes(expected, 2, 3),
        "In yours the velocity is displaced by A q.": own - of_q - mixed,
        "Here A acts transposed on the acceleration.": back - of_q - of_q_dot,
        "All rows are those of the first state.": alone,
        "This is the displaced motion's acceleration alone.": own,
    }
    return flat(expected), {what: flat(x) for what, x in slips.items()}


# --- The residual of every term -----------------------------------------------------------------


@check(
    "return the residual of every term.",
    title="The residual of every term",
    hints=(
        "The momentum of a term depends on q and on q̇, and both of them change in time. How many "
        "parts has its total derivative?",
        "JAX can push a derivative along a direction: which direction do q and q̇ take as time "
        "goes on? Then subtract the slope of the term in q, with d rows and a column for each "
        "term.",
    ),
)
def term_residuals(answer: Callable) -> Verdict:
    """d/dt ∂φ/∂q̇ − ∂φ/∂q: `answer(terms, q, q_dot, q_ddot) -> [d, K]`."""
    for name, terms, *state in TERMS:
        state = _arrays(*state)
        found = ask(answer, terms, *state)
        expected, slips = _residuals(terms, *state)
        verdict = compare(found, expected, name=f"Your residual for {name}", **TOLERANT)
        if not verdict:
            return verdict.with_slip(found, slips, **TOLERANT)
    return right(
        "The residuals of eleven terms. At many states they are the columns of a matrix: which "
        "vectors does it take to zero, beside the true coefficients?"
    )


def _residuals(terms, q, q_dot, q_ddot):
    """R `[d, K]`, and what slips make of it, by what to say of them."""
    slope = np.asarray(jax.jacfwd(terms)(q, q_dot), float).T
    both = jax.jacfwd(jax.jacfwd(terms, argnums=1), argnums=(0, 1))(q, q_dot)
    by_q, mass = (np.asarray(x, float) for x in both)  # [K, d, d]
    v, a = np.asarray(q_dot, float), np.asarray(q_ddot, float)
    pushed, along, back = (mass @ a).T, (by_q @ v).T, (v @ by_q).T
    expected = pushed + along - slope
    slips = {
        "The share of the velocity in the change of momentum is left out: p depends on q.": (
            pushed - slope
        ),
        "The share of the acceleration is left out.": along - slope,
        "The slope in q has the wrong sign.": pushed + along + slope,
        "The slope in q is left out.": pushed + along,
        "In yours the momentum does not change: the derivative is the total one.": -slope,
        "In yours the momentum does not change, and a sign is wrong.": slope,
        "In yours the acceleration acts on the position, and the velocity on the momentum.": (
            (mass @ v).T + (by_q @ a).T - slope
        ),
        "In yours the mass is pushed by the velocity.": (mass @ v).T + along - slope,
        "A matrix of second derivatives is transposed in yours.": pushed + back - slope,
        "It is transposed: a term is a column.": expected.T,
        "The terms are added up in yours, and each has a column of its own.": expected.sum(axis=1),
        "The coordinates are added up in yours, and each has a row of its own.": (
            expected.sum(axis=0)
        ),
    }
    return expected, slips


# --- Is it a total derivative? ------------------------------------------------------------------


def _states(d, n=12):
    """Positions that keep away from the origin, and velocities, `[n, d]`."""
    random = np.random.default_rng(11)
    q = random.uniform(0.4, 1.6, (n, d)) * random.choice([-1, 1], (n, d))
    return _arrays(q, random.uniform(-1.5, 1.5, (n, d)))


@check(
    "return True or False.",
    title="Is it a total derivative?",
    hints=(
        "What adds nothing to any equation of motion has no residual, wherever it is asked. Which "
        "three things may be chosen freely there, and which two of them are you given?",
        "The residual is linear in the acceleration. For it to vanish at each of them, the factor "
        "beside it has to vanish, and the rest, too. And when is a number zero, in single "
        "precision?",
    ),
)
def total_derivative(answer: Callable) -> Verdict:
    """Whether 𝓛 may take it or leave it: `answer(function, q [n, d], q_dot [n, d]) -> bool`."""
    claims = []
    for _, d, function, _ in JUDGED:
        claim = ask(answer, function, *_states(d))
        if np.shape(claim) != () or np.asarray(claim).dtype.kind != "b":
            one = isinstance(claim, (str, int, float))
            got = repr(claim) if one else kind(claim)
            return wrong(f"Expected True or False, got {got[:60]}.")
        claims.append(bool(claim))
    truths = [truth for *_, truth in JUDGED]
    if claims == truths:
        return right(
            "Fourteen functions, each told rightly. What does the strike-out do with those that "
            "are total derivatives?"
        )
    off = [i for i, (x, y) in enumerate(zip(claims, truths, strict=True)) if x != y]
    name, _, _, truth = JUDGED[off[0]]
    what = "is a total derivative" if truth else "is no total derivative"
    verdict = wrong(f"{len(off)} of {len(JUDGED)} are wrong, first of all {name}: it {what}.")
    reason = next((what for what, slip in _judgements().items() if slip == claims), "")
    if not reason and all(truths[i] for i in off):
        reason = (
            "You miss total derivatives and take nothing else for one: what cancels leaves some "
            "1e-7 of what it is made of."
        )
    if not reason and not any(truths[i] for i in off):
        reason = "Yours is zero somewhere. Is it so at any motion at all, is what counts."
    return verdict.because(reason)


def _judgements():
    """What slips say of the functions, by what to say of them."""
    told = [_facts(function, *_states(d)) for _, d, function, _ in JUDGED]
    mass, rest, forceless, still, energy, own = (list(each) for each in zip(*told, strict=True))
    return {
        "You say so of every one.": [True] * len(JUDGED),
        "You say so of none.": [False] * len(JUDGED),
        "This is told by the mass matrix alone, and forces have none.": mass,
        "Here the residual was asked at no acceleration only.": rest,
        "Here the slope in q alone was asked, without the change of momentum.": forceless,
        "What is linear in the velocities may still turn a motion, as a field does.": still,
        "This is told by the energy, and a magnetic field has none.": energy,
        "Here the function's own motion was asked, and there each 𝓛 has no residual.": own,
    }


def _facts(function, q, q_dot):
    """What vanishes: M, the residual without acceleration, the slope, at rest, E, on its motion."""

    def zero(quantity, *states):
        return bool(np.abs(np.asarray(jax.vmap(quantity)(*states))).max() < 1e-3)

    residual, slope, none = mechanics.euler_lagrange(function), jax.grad(function), 0 * q
    mass = zero(mechanics.mass_matrix(function), q, q_dot)
    own = jax.vmap(mechanics.acceleration(function))(q, q_dot)
    return (
        mass,
        zero(residual, q, q_dot, none),
        zero(slope, q, q_dot),
        mass and zero(slope, q, none),
        zero(mechanics.energy(function), q, q_dot),
        zero(residual, q, q_dot, own),
    )
