r"""A Lagrangian as a sum of terms: the null space of the Euler–Lagrange residual.

The residual R = d/dt ∂𝓛/∂q̇ − ∂𝓛/∂q is linear in 𝓛. For 𝓛 = Σ cⱼ φⱼ it is Σ cⱼ Rⱼ, and at many
states with their accelerations the rows Rⱼ make a matrix that takes the right c to zero. A total
derivative in time is taken to zero too, at any accelerations at all: so we ask for c for which

    ρ(c) = ‖R c‖ / ‖S c‖

is small, S being the same matrix with accelerations drawn at random, at each state of about the
size that they have there. ρ is the share of the residual that the true accelerations leave: 0 for
a Lagrangian of the motion, about 1 for one of another.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, integrate, mechanics
from lnn_tutorial.reading import libraries
from lnn_tutorial.reading.pencil import ROUNDING, Pencil, least_vector
from lnn_tutorial.reading.states import States

GAUGE = 1e-7
"""What is left of terms of size one in S where they are a total derivative, but for rounding."""

REGULAR = 1e6
"""A mass matrix of a larger condition number, in units of the motion, leaves a coordinate out."""

ALIKE = 5.0
"""A Lagrangian fits as well as the best one if its ρ is at most so many times as large."""

BOOTSTRAPS = 200
"""So many times states are drawn again for the intervals."""


class FormulaError(ValueError):
    """No formula, or any: what the library holds is not what the accelerations follow."""


@dataclass(frozen=True, eq=False)
class Sum:
    """A Lagrangian Σ cⱼ φⱼ, and what friction stands beside it.

    Args:
        library: the terms φⱼ.
        coefficients: c `[k]`.
        intervals: `[k, 2]`, where the middle 95 % of the coefficients lie when states are drawn
            again.
        unexplained: ρ.
        friction: the terms of the dissipation function D, a `Library` or None; their coefficients
            and intervals follow those of the Lagrangian.
    """

    library: libraries.Library
    coefficients: np.ndarray
    intervals: np.ndarray
    unexplained: float
    friction: libraries.Library | None = None

    def lagrangian(self, q, q_dot, context=None):
        """𝓛 at one state, for `mechanics`."""
        c = jnp.asarray(self.coefficients[: len(self.library)])
        return c @ self.library(q, q_dot, context)

    def dissipation(self, q, q_dot, context=None):
        """D at one state, for `mechanics.rayleigh`; zero where no friction was asked for."""
        if self.friction is None:
            return jnp.zeros((), jnp.result_type(q))
        c = jnp.asarray(self.coefficients[len(self.library) :])
        return c @ self.friction(q, q_dot, context)

    def python(self, digits=None):
        """The Lagrangian as an expression of Python.

        Args:
            digits: of the coefficients; by default all, so that it is the same function.
        """
        told = ""
        for c, name in zip(self.coefficients, self.library.names, strict=False):
            size = f"{abs(c):.{digits}g}" if digits else repr(float(abs(c))).removesuffix(".0")
            told += " - " if c < 0 else " + "
            told += size if name == "1" else libraries.multiple(size, name)
        return "-" + told[3:] if told.startswith(" - ") else told[3:]

    def latex(self, names=None, digits=4):
        r"""The Lagrangian in LaTeX, without dollars.

        Args:
            names: of the coordinates, in LaTeX; by default q_1, q_2, …
            digits: of the coefficients.
        """
        return r"\mathcal{L} = " + libraries.latex(self.python(digits), names)

    def _repr_latex_(self):
        return f"${self.latex()}$"

    def __str__(self):
        names = (*self.library.names, *(self.friction.names if self.friction else ()))
        rows = [("coefficient", "95 % of samples", "term")]
        for k, (name, c, (low, high)) in enumerate(
            zip(names, self.coefficients, self.intervals, strict=True)
        ):
            of = "D: " if k >= len(self.library) else ""
            rows.append((f"{c:.6g}", f"{low:.6g} to {high:.6g}", of + name))
        widths = [max(len(row[k]) for row in rows) for k in (0, 1)]
        lines = [f"{a:>{widths[0]}}   {b:<{widths[1]}}   {c}" for a, b, c in rows]
        return "\n".join([*lines, f"unexplained: {self.unexplained:.2g}"])


class Step(NamedTuple):
    """The best sum of the terms that are left.

    Args:
        unexplained: ρ.
        terms: coefficients by name, those of friction with a `D: ` before it.
    """

    unexplained: float
    terms: dict[str, float]


@dataclass(frozen=True, eq=False)
class Formula:
    """What `formula` found.

    Args:
        family: the Lagrangians that fit, each a `Sum`, independent of one another. Usually it is
            one.
        needed: how many of them, added, give every coordinate its motion; 0 where not even all do.
        gauge: names of terms that were taken out: with those that stayed they make up total
            derivatives, and say nothing of the motion.
        path: from all terms to one, as they were struck out for the first of the family, each a
            `Step`.
        shares: the ρ of independent combinations of all terms, rising `[K]`.
    """

    family: tuple[Sum, ...]
    needed: int
    gauge: tuple[str, ...]
    path: tuple[Step, ...]
    shares: np.ndarray

    @property
    def best(self):
        """The first of the family, a `Sum`: with the fewest terms that the strike-out left."""
        return self.family[0]

    def lagrangian(self, q, q_dot, context=None):
        """𝓛 at one state: as many of the family as are needed, added.

        Raises FormulaError where all of them together leave a coordinate without motion.
        """
        if not self.needed:
            raise FormulaError(SINGULAR)
        return sum(one.lagrangian(q, q_dot, context) for one in self.family[: self.needed])

    def dissipation(self, q, q_dot, context=None):
        """D at one state, that of the first of the family."""
        return self.best.dissipation(q, q_dot, context)

    def _repr_latex_(self):
        told = r" \\ ".join(one.latex() for one in self.family)
        return rf"$$\begin{{gathered}} {told} \end{{gathered}}$$"

    def __str__(self):
        told = [] if self.needed else [SINGULAR]
        if len(self.family) > 1:
            told = [f"{len(self.family)} independent Lagrangians fit alike, and any sum of them:"]
        return "\n\n".join([*told, *map(str, self.family)])


SINGULAR = (
    "what fits has a singular mass matrix, and gives some coordinate no motion: add terms with its "
    "velocity to the library"
)


def formula(
    acceleration,
    states,
    library,
    *,
    friction=None,
    angles=(),
    unit=None,
    threshold=2.0,
    limit=0.1,
    seed=0,
):
    r"""Find a Lagrangian for accelerations among the sums of a library's terms.

    Terms that are total derivatives alone or together are taken out. From all others the term is
    struck out whose loss raises the share ρ least, again and again; a struck term may come back in
    exchange for another where that lowers ρ. It ends before the first loss that raises ρ by more
    than the threshold, or where ρ rises to the limit little by little, before the first that raises
    it by more than the threshold since the beginning. Terms of friction are never struck out: their
    intervals say whether they are there.

    Args:
        acceleration: function `(q, q_dot) -> q_ddot [d]`, with the context after these where states
            have one, such as `partial(model.acceleration, params)`; or the accelerations `[n, d]`.
        states: `(q [n, d], q_dot [n, d])`, or with a context `[n, c]` as a third; such as
            `system.sample(key, 3000)`.
        library: a `Library` for 𝓛.
        friction: a `Library` for the dissipation function D of Q = −∂D/∂q̇, or None.
        angles: which coordinates are angles, `[d]`; their size is a radian.
        unit: the name of the term whose coefficient shall be 1; by default the first one kept that
            has a q̇². 𝓛 is known up to a factor. Others of a family may lack it.
        threshold: by which factor ρ may rise with one more term struck out.
        limit: a larger ρ of all terms together is no formula.
        seed: of the random accelerations, and of the states drawn again.

    Returns:
        `Formula`.

    Raises:
        ValueError: what is not states, accelerations or a library; a term twice or nowhere finite;
            fewer residuals than terms. FormulaError: nothing in the null space, or everything.

    Source: the null space is that of the inverse problem of the calculus of variations, Douglas
    (1941); striking out terms is sequential thresholding's idea, Brunton et al. (2016).
    """
    _inputs.positive(threshold=threshold, limit=limit)
    _inputs.seed(seed)
    if threshold <= 1:
        raise ValueError(f"expected threshold > 1, got {threshold}")
    for name, given in (("library", library), ("friction", friction)):
        if not (isinstance(given, libraries.Library) or (name == "friction" and given is None)):
            raise TypeError(f"expected {name} to be a Library, got {type(given).__name__}")
    states = States.of(states, angles)
    names = (*library.names, *(f"D: {name}" for name in (friction.names if friction else ())))
    if unit not in (None, *names):
        raise ValueError(f"expected unit to be a term of the library, got {unit!r}")
    _require_different(states, library, friction)
    known, drawn, size = _residuals(states, states.along(acceleration), library, friction, seed)
    kept = _without_gauge(drawn, size, names)
    pencil = Pencil.of(known[..., kept], drawn[..., kept], kept >= len(library))
    _require_apart(pencil, names, kept)
    shares = pencil.shares()
    _require_formula(shares, names, kept, limit)
    chosen, family, path, mass, needed = [names[k] for k in kept], [], None, 0.0, 0
    left, alike = np.arange(len(kept)), int(np.sum(shares <= _alike(shares[0])))
    allowed = limit  # until every coordinate has its motion; then what fits as well as the first
    while len(left) and pencil.share(left) <= allowed:
        steps = pencil.struck_out(left)
        share, rows = steps[_last_before_a_rise(steps, threshold, limit)]
        if share > allowed:
            break
        path = path or tuple(_step(pencil, *one, chosen, unit) for one in steps)
        leading = _leading([chosen[k] for k in rows], unit, best=not family)
        family.append(_made(pencil, rows, kept, library, friction, leading, seed))
        mass = mass + _masses(family[-1], states)
        needed = needed or len(family) * bool(np.median(np.linalg.cond(mass)) < REGULAR)
        if needed:
            allowed = _alike(family[0].unexplained) if len(family) < alike else 0.0
        # another Lagrangian is one without this one's weightiest term
        weight = np.abs(pencil.best(rows) * pencil.norm[rows]) * ~pencil.stay[rows]
        left = np.setdiff1d(left, rows[weight.argmax()])
    if not family:
        raise FormulaError(
            f"{len(rows)} terms would be kept, and leave {share:.0%} of their residual, where "
            f"{limit:.0%} is the limit: lower the threshold, or add terms to the library"
        )
    gauge = tuple(names[k] for k in range(len(names)) if k not in set(kept))
    return Formula(tuple(family), needed, gauge, path, shares)


def _alike(share):
    """What another combination may leave to fit as well as one that leaves this."""
    return max(ROUNDING, share, min(ALIKE * share, 0.1))


def _masses(one, states):
    """The mass matrices of a sum at some states `[n, d, d]`, in units of the motion."""

    def mass(q, q_dot, context):
        lagrangian = lambda q, q_dot: one.lagrangian(q, q_dot, context)  # noqa: E731
        return mechanics.mass_matrix(lagrangian)(q, q_dot)

    with integrate.double_precision():
        some = (None if x is None else x[:100] for x in states.arrays())
        found = np.asarray(jax.jit(jax.vmap(mass))(*some))
    return found * states.scale * states.scale[:, None]


# --- Rows --------------------------------------------------------------------------------------


def _residuals(states, q_ddot, library, friction, seed):
    """R and S `[n, d, K]`: residuals of each term, at the accelerations and at random ones.

    And the size of what cancels in S where a term is a total derivative `[K]`.
    """
    other = states.like(q_ddot, np.random.default_rng(seed))

    def row(q, q_dot, context):
        terms = partial(library, context=context)
        mass, slope, along = _equations(terms, q, q_dot)
        values = terms(q, q_dot)
        if friction is None:
            return values, mass, slope, along
        values = jnp.concatenate([values, friction(q, q_dot, context)])
        rub = jax.jacfwd(friction, argnums=1)(q, q_dot, context)
        nothing = jnp.zeros((len(rub), q.size, q.size), q.dtype)
        along = jnp.concatenate([along, jnp.zeros_like(rub)])
        mass, slope = jnp.concatenate([mass, nothing]), jnp.concatenate([slope, -rub])
        return values, mass, slope, along

    with integrate.double_precision():
        found = (np.asarray(x) for x in jax.jit(jax.vmap(row))(*states.arrays()))
    values, mass, slope, along = (np.moveaxis(x, 1, -1) for x in found)
    pushed = [np.einsum("nijk,nj->nik", mass, a) for a in (q_ddot, other)]
    names = (*library.names, *(friction.names if friction else ()))
    rows = [(x + along - slope) * states.scale[:, None] for x in pushed]
    good = _finite([*rows, values[:, None]], names)
    known, drawn = (x[good] for x in rows)
    parts = [(x * states.scale[:, None])[good] for x in (pushed[1], along, slope)]
    return known, drawn, sum(np.linalg.norm(x, axis=(0, 1)) for x in parts)


def _equations(terms, q, q_dot):
    """M `[K, d, d]`, ∂φ/∂q and (∂p/∂q) q̇ `[K, d]` of each term φ, with p = ∂φ/∂q̇."""
    gradient = jax.jacfwd(terms, argnums=(0, 1))

    def pushed(along_q, along_q_dot):
        return jax.jvp(gradient, (q, q_dot), (along_q, along_q_dot))[1][1]

    dp = jax.vmap(pushed)(*mechanics.directions_of_motion(q_dot))
    return jnp.moveaxis(dp[:-1], 0, -1), gradient(q, q_dot)[0], dp[-1]


def _finite(found, names):
    """Which states have all terms finite `[n]`; raise where these are too few."""
    good = np.all([np.isfinite(x).all(axis=1) for x in found], axis=0)  # [n, K]
    nowhere = [name for name, some in zip(names, good.any(axis=0), strict=True) if not some]
    if nowhere:
        raise ValueError(
            f"expected terms that are finite at some states, got {', '.join(nowhere)}: take out "
            "what is not"
        )
    rows = good.all(axis=1)
    n, d = int(rows.sum()), found[0].shape[1]
    if n * d < 2 * len(names):
        bad = int((~rows).sum())
        also = f" ({bad} of the states are left out, where a term is not finite)" if bad else ""
        raise ValueError(
            f"expected at least twice as many residuals as terms, got {n * d} for {len(names)} "
            f"terms{also}: take more states, or fewer terms"
        )
    return rows


def _without_gauge(drawn, size, names):
    """Places of the terms that stay when no combination of them may be a total derivative."""
    flat = drawn.reshape(-1, drawn.shape[-1])
    norm = np.linalg.norm(flat, axis=0)
    some = np.flatnonzero(norm > GAUGE * size)
    if not some.size:
        raise FormulaError(
            f"every one of the {len(names)} terms is a total derivative in time: it has no motion; "
            "add terms with a q̇² or with a coordinate alone"
        )
    kept = []
    basis = np.empty((len(flat), 0))
    unit = flat[:, some] / norm[some]
    # from the first term on: what those before it make up already is taken out
    for k, column in zip(some, unit.T, strict=True):
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)
        rest = np.linalg.norm(left)
        if rest > GAUGE:
            kept.append(int(k))
            basis = np.column_stack([basis, left / rest])
    return np.array(kept)


def _require_different(states, *given):
    """Raise where two terms of a library are one function."""
    for terms in given:
        if terms is None:
            continue
        with integrate.double_precision():
            values = np.asarray(jax.jit(jax.vmap(terms))(*states.arrays()))
        values = values[np.isfinite(values).all(axis=1)]
        size = np.linalg.norm(values, axis=0)
        unit = values / np.where(size > 0, size, 1)
        for i, j in np.argwhere(np.triu(np.abs(unit.T @ unit) > 1 - 1e-9, 1)):
            if np.linalg.norm(unit[:, i] - np.sign(unit[:, i] @ unit[:, j]) * unit[:, j]) < 1e-9:
                raise ValueError(
                    f"expected each term once, but {terms.names[i]} and {terms.names[j]} are the "
                    "same at all states, up to a factor: take one of them out"
                )


def _require_apart(pencil, names, kept):
    """Raise where terms are so nearly dependent that rounding decides."""
    values, vectors = np.linalg.eigh(pencil.grams[1])
    if values[0] < 10 * np.finfo(float).eps * values[-1]:
        like = ", ".join(names[kept[k]] for k in np.argsort(-np.abs(vectors[:, 0]))[:4])
        raise FormulaError(
            f"some of the {len(kept)} terms can hardly be told apart at these states, such as "
            f"{like}: take one of them out, or states that are further apart"
        )


def _require_formula(shares, names, kept, limit):
    if shares[0] > limit:
        raise FormulaError(
            f"no sum of the {len(kept)} terms explains the accelerations: the best one leaves "
            f"{shares[0]:.0%} of its residual, and {limit:.0%} is the limit. A term is missing in "
            "the library, such as a friction, or the accelerations are too far off"
        )
    few = np.sum(shares <= _alike(shares[0]))
    if few > 1 and few > len(kept) / 2:
        raise FormulaError(
            f"{few} independent sums of {len(kept)} terms fit alike: nearly everything does. The "
            "states say too little, as where nothing is accelerated"
        )


# --- What was found ---------------------------------------------------------------------------


def _last_before_a_rise(steps, threshold, limit):
    """The step before the first one at which ρ rises by more than the threshold.

    Where it rises to the limit little by little: the last step at which it is no larger than the
    threshold times that of all terms.
    """
    shares = [max(share, ROUNDING) for share, _ in steps]
    rises = [k for k in range(len(steps) - 1) if shares[k + 1] > threshold * shares[k]]
    chosen = rises[0] if rises else len(steps) - 1
    if shares[chosen] <= limit:
        return chosen
    return max(k for k, share in enumerate(shares) if share <= threshold * shares[0])


def _step(pencil, share, rows, names, unit):
    """A step of the path; its unit is the term asked for where that is left."""
    chosen, c = [names[k] for k in rows], pencil.best(rows)
    leading = _leading(chosen, unit, best=False)
    if (
        abs(c[leading]) < 1e-9 * np.abs(c).max()
    ):  # a term that is not needed, and not yet struck out
        leading = np.abs(c).argmax()
    return Step(share, dict(zip(chosen, (c / c[leading]).tolist(), strict=True)))


def _made(pencil, rows, kept, library, friction, leading, seed):
    """A `Sum` of some terms, with the leading one's coefficient 1, and with intervals."""
    places = kept[rows]
    conservative = places < len(library)
    n = len(pencil.known)
    # each state's own part, of which sums are drawn again
    parts = [np.einsum("nik,nil->nkl", x[..., rows], x[..., rows])
             for x in (pencil.known, pencil.drawn)]  # fmt: skip
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), BOOTSTRAPS)
    a, b = (np.einsum("bn,nkl->bkl", weights, x) for x in parts)
    again = [least_vector(x, y) / pencil.norm[rows] for x, y in zip(a, b, strict=True)]
    found = np.stack([pencil.best(rows), *again])
    found = found / found[:, [leading]]
    low, high = np.percentile(found[1:], [2.5, 97.5], axis=0)
    return Sum(
        library.only(places[conservative]),
        found[0],
        np.stack([low, high], axis=1),
        float(pencil.share(rows)),
        friction.only(places[~conservative] - len(library)) if (~conservative).any() else None,
    )


def _leading(chosen, unit, best):
    """The place of the term whose coefficient is 1; others of a family may lack the unit."""
    if unit in chosen:
        return chosen.index(unit)
    if unit is not None and best:
        raise ValueError(f"expected unit to be a term that was kept, {chosen}, got {unit!r}")
    moving = [k for k, name in enumerate(chosen) if "q_dot" in name and "D: " not in name]
    squares = [k for k in moving if re.search(r"q_dot(\[\d+\]|\))\*\*2", chosen[k])]
    return (squares + moving + [0])[0]
