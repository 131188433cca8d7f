"""Checks of chapter 7, the wave equation."""

from collections.abc import Callable
from itertools import islice
from numbers import Number
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import fields
from lnn_tutorial.checks.verdict import (
    Stop,
    Verdict,
    ask,
    check,
    compare,
    kind,
    real,
    right,
    wrong,
)


def _real(found: Any, name: str) -> np.ndarray:
    """An array of real numbers, or a verdict."""
    array = real(found)
    if array is None:
        raise Stop(wrong(f"{name} should be made of real numbers, got {kind(found)}."))
    return array


def _curvature(phi, step=1):
    """φ_{i+s} − 2 φ_i + φ_{i−s} on a ring."""
    return np.roll(phi, -step) - 2 * phi + np.roll(phi, step)


APART = "In yours, even and odd nodes know nothing of each other."


@check(
    "return the speed of that code's waves, and the mended accelerations.",
    title="Two dx for dx squared",
    hints=(
        "Write the wave equation on the grid with a speed c, and beside it what the code "
        "computes. The second differences are the same: compare what stands before them.",
        "For the acceleration, think of units: a curvature is a height divided by what?",
    ),
)
def slipped_speed(speed: Callable, acceleration: Callable) -> Verdict:
    """Two dx for dx²: `speed(dx) -> number` and `acceleration(phi [n], dx) -> [n]`, on a ring."""
    dx = np.array([0.1, 0.5, 0.02, 3.0])
    found = [_real(ask(speed, float(x)), "Your speed") for x in dx]
    for each in found:
        if each.shape not in ((), (1,)):
            return wrong(f"A speed is one number, yours has shape {each.shape}.")
    found, expected = np.array([each.item() for each in found]), np.sqrt(dx / 2)
    for i, x in enumerate(dx):
        verdict = compare(found[i], expected[i], name=f"Your speed for dx = {x:g}")
        if not verdict:
            slips = {
                "This is the square of a speed.": dx / 2,
                "It is upside down: the waves of that code lose speed as dx shrinks.": (
                    np.sqrt(2 / dx)
                ),
                "It is upside down, and the square of a speed.": 2 / dx,
                "This is the speed that was intended, not the one that the code has.": 1 + 0 * dx,
                "This is in nodes a second, and not in units of length.": 1 / np.sqrt(2 * dx),
                "The 2 stands outside the root.": np.sqrt(dx) / 2,
                "The 2 of the code is missing.": np.sqrt(dx),
                "The 2 is on the wrong side of the fraction.": np.sqrt(2 * dx),
            }
            return verdict.with_slip(found, slips)
    for n, x in ((12, 0.1), (9, 0.6)):
        phi = np.random.default_rng(n).standard_normal(n)
        given = jnp.asarray(phi, float)
        name = f"Your speed is right. Your acceleration for dx = {x:g}"
        found = _real(ask(acceleration, given, x), name)
        expected = _curvature(phi) / x**2
        settings = {"atol": 1e-5 / x**2}  # two terms of order 1/dx² cancel
        verdict = compare(found, expected, name=name, **settings)
        if verdict:
            continue
        if found.shape != phi.shape:
            return verdict.because("On a ring every node has two neighbours, so none is left out.")
        if compare(found[1:-1], expected[1:-1], **settings):
            return verdict.because("On a ring the first and the last node are neighbours.")
        if compare(found[2:-2], (_curvature(phi, 2) / (4 * x**2))[2:-2], **settings):
            return verdict.because(APART)
        slips = {
            "There is still 2 dx below.": _curvature(phi) / (2 * x),
            "You divided by dx once.": _curvature(phi) / x,
            "The spacing is squared, and the 2 is still there.": _curvature(phi) / (2 * x**2),
            "In (2 dx)² the 2 is still there, and squared.": _curvature(phi) / (2 * x) ** 2,
            "A node above its neighbours is pulled down.": -expected,
            "You multiplied by dx².": _curvature(phi) * x**2,
            "You did not divide at all.": _curvature(phi),
            "This is a slope, not a curvature.": (np.roll(phi, -1) - np.roll(phi, 1)) / (2 * x),
            "The node's own height counts once, and it has two neighbours.": expected + phi / x**2,
        }
        return verdict.with_slip(found, slips, **settings)
    return right("Both are right. The finer its grid, the slower are the waves of that code.")


@check(
    "return the offsets of all bands.",
    title="Three bands or five?",
    hints=(
        "In whose neighbourhoods does node i stand? Not only in its own.",
        "Take any two places of the stencil, also the same one twice. How far is it from the "
        "one to the other?",
    ),
)
def bands(offsets: Callable) -> Verdict:
    """The bands of a mass matrix: `offsets(stencil) -> {o: M[i, i + o] may differ from zero}`."""
    before = None
    for stencil in ((-1, 0, 1), (0, 1), (-2, 0, 2), (0, 1, 3)):
        found = _offsets(ask(offsets, stencil))
        expected = {b - a for a in stencil for b in stencil}
        if found == expected:
            before = found
            continue
        verdict = wrong(f"Your offsets for the stencil {stencil} are not right.")
        slips = {
            "That is the stencil. But node i stands in the neighbourhoods of others, too.": (
                set(stencil)
            ),
            "Every node meets itself: the diagonal is missing.": expected - {0},
            "The stencil is another one, and your offsets are the same.": before,
            "A node does not meet all nodes in between: the stencil has a gap.": (
                set(range(min(expected), max(expected) + 1))
            ),
            "These are sums, and two nodes meet at a distance.": (
                {a + b for a in stencil for b in stencil}
            ),
        }
        for reason, slip in slips.items():
            if found == slip:
                return verdict.because(reason)
        if any(-o not in found for o in found):
            return verdict.because("M is symmetric, and your offsets are not.")
        if extra := found - expected:
            apart = min(map(abs, extra))
            return verdict.because(f"Nodes i and i + {apart} meet in no neighbourhood.")
        return verdict.because(
            f"{len(expected - found)} are missing: pairs that meet in the neighbourhood of another."
        )
    return right("Right for four stencils. How many bands come from five nodes in a row?")


def _offsets(found):
    """A set of whole numbers, or a verdict."""
    if isinstance(found, Number) or (hasattr(found, "ndim") and found.ndim == 0):
        raise Stop(wrong("Expected the offsets themselves, not one number."))
    try:
        if isinstance(found, str):
            raise TypeError("letters are no offsets")
        parts = list(islice(np.asarray(found) if hasattr(found, "ndim") else found, 1000))
    except TypeError as error:
        raise Stop(wrong(f"Expected a set of offsets, got {type(found).__name__}.")) from error
    for part in parts:
        if not isinstance(part, (Number, np.generic, jax.Array)):
            raise Stop(wrong(f"Offsets are whole numbers, got {type(part).__name__}."))
        value = _real(part, "Every offset")
        if value.shape != () or value != np.round(value) or not np.isfinite(value):
            raise Stop(wrong(f"Offsets are whole numbers, got {part}."))
    return {int(part) for part in parts}


@check(
    "write the density, and return the frequency.",
    title="A string on springs",
    hints=(
        "Summed over all nodes, the density should hold each bead's kinetic energy once, each "
        "piece of string once, and now each spring once.",
        "For the frequency, put a wave into the equation of motion. What do the springs add "
        "to what multiplies φ there?",
    ),
)
def hanging_string(density: Callable, frequency: Callable) -> Verdict:
    """A string on springs: `density(phi [3], phi_dot [3], kappa)` and `frequency(k, kappa)`."""
    ring, kappa = fields.ring(12), 0.7
    noise = np.random.default_rng(0).standard_normal((2, ring.size))
    phi, curvature = noise[0], _curvature(noise[0])
    found = _accelerations(density, (0.0, kappa), ring, *jnp.asarray(noise, float))
    settings = {"rtol": 1e-3, "atol": 2e-3}
    verdict = compare(found[0], curvature, name="Without springs, κ = 0, your φ̈", **settings)
    if not verdict:
        slips = {
            "The ½ before φ̇² is missing, or the mass of a node counts twice.": curvature / 2,
            "Each node stands in three neighbourhoods, and its mass counts in each of yours.": (
                curvature / 3
            ),
            "The ½ before the slope is missing, or each piece of string counts twice.": (
                2 * curvature
            ),
            "A node above its neighbours is pulled down.": -curvature,
            APART: _curvature(phi, 2) / 4,
            "The nodes do not pull on each other.": 0 * phi,
        }
        return verdict.with_slip(found[0], slips, **settings)
    added, pull = found[1] - curvature, -kappa * phi
    name = f"What the springs add to φ̈ for κ = {kappa:g}"
    verdict = compare(added, pull, name=name, **settings)
    if not verdict:
        slips = {
            "κ changes nothing.": 0 * pull,
            "A pull is the slope of an energy, and that of κ φ² is too large.": 2 * pull,
            "Your springs push the nodes away from rest.": -pull,
            "Your springs push the nodes away from rest, and the ½ is missing.": -2 * pull,
            "Each node stands in three neighbourhoods and hangs on three springs of yours.": (
                3 * pull
            ),
            "Each node hangs on three springs of yours, and the ½ is missing.": 6 * pull,
            "κ is the stiffness. Its square is not.": kappa * pull,
            "Your springs are half as stiff: compare with what stands before φ̇².": pull / 2,
            "Your springs join the nodes to each other, and not to the ground.": kappa * curvature,
            "The pull of your springs does not grow with φ: their energy is of the first degree.": (
                -kappa + 0 * phi
            ),
            "The energy of your springs is of the first degree in φ.": -kappa / 2 + 0 * phi,
        }
        return verdict.with_slip(added, slips, **settings)
    return _frequencies(frequency)


def _accelerations(density, kappas, ring, phi, phi_dot):
    """φ̈ on a ring for each κ `[len(kappas), n]`, or a verdict."""
    for kappa in kappas:
        value = _real(ask(density, phi[:3], phi_dot[:3], kappa), "Your density")
        if value.shape != ():
            raise Stop(wrong(f"A density is one number, yours has shape {value.shape}."))
        if not np.isfinite(value):
            raise Stop(wrong("Your density is not finite."))

    def moving(kappa, *state):
        def scalar(phi, phi_dot):
            return jnp.asarray(density(phi, phi_dot, kappa), float)

        blocks, force = fields.equation_of_motion(scalar, ring)(*state)
        return fields.mass_matrix(blocks, ring), force

    try:  # in one compiled piece: quicker
        found = ask(jax.jit(lambda *state: [moving(x, *state) for x in kappas]), phi, phi_dot)
    except Stop as stop:
        reason = "JAX has to differentiate your density: write it with jnp, not np."
        raise Stop(stop.verdict.because(reason)) from stop
    return np.stack([_solved(*map(np.asarray, each)) for each in found])


def _solved(mass, force):
    """φ̈ from the equation of motion, or a verdict if there is none."""
    finite = np.isfinite(mass).all() and np.isfinite(force).all()
    if not finite or not np.linalg.cond(mass) < 1e6:
        raise Stop(
            wrong(
                "Your string has no finite acceleration: its mass matrix has no inverse, so not "
                "every node has a mass."
            )
        )
    return np.linalg.solve(mass, force)


def _frequencies(frequency):
    """Verdict on ω(k) of the string on springs."""
    k = np.linspace(-np.pi, np.pi, 17)
    for kappa in (0.7, 2.5):
        name = f"Your density is right. Your frequency for κ = {kappa:g}"
        found = _real(ask(frequency, jnp.asarray(k, float), kappa), name)
        wave = 2 * np.abs(np.sin(k / 2))
        expected = np.sqrt(kappa + wave**2)
        verdict = compare(found, expected, name=name)
        if verdict:
            continue
        if found.shape != k.shape:
            return verdict.because("Each wavenumber has one frequency.")
        if not np.isfinite(found).all():
            return verdict.because("A root of something negative: springs make the nodes faster.")
        slips = {
            "This is the square of ω.": expected**2,
            "That is a continuous string. Here the nodes are 1 apart.": np.sqrt(kappa + k**2),
            "The springs are missing.": wave,
            "It is the pulls that add up, and not the frequencies.": np.sqrt(kappa) + wave,
            "κ is squared in yours.": np.sqrt(kappa**2 + wave**2),
            "κ stands outside the root.": kappa + wave,
            "The 2 before κ is too much.": np.sqrt(2 * kappa + wave**2),
            "In yours all wavenumbers are twice as large.": np.sqrt(kappa + 4 * np.sin(k) ** 2),
            "The factor in front of sin² is missing.": np.sqrt(kappa + np.sin(k / 2) ** 2),
            "The factor in front of sin² is half of what it should be.": (
                np.sqrt(kappa + 2 * np.sin(k / 2) ** 2)
            ),
            "Neighbours are one node apart, not two.": np.sqrt(kappa + np.sin(k) ** 2),
        }
        return verdict.with_slip(found, slips)
    return right("Density and frequency are right. Which frequencies does this string not have?")


@check(
    "return the index array of the cylinder.",
    title="Roll it up",
    hints=(
        "Make a row and a column of each number first. Take a step in each of the four "
        "directions, and only then make numbers again.",
        "After the last column comes the first. After the last row comes nothing: which row "
        "is the nearest that exists?",
    ),
)
def cylinder(index: Callable) -> Verdict:
    """A rolled-up sheet: `index(rows, columns) -> [rows · columns, 5]`, columns in a circle."""
    for rows, columns in ((4, 6), (3, 5), (5, 3), (2, 7)):
        found, n = ask(index, rows, columns), rows * columns
        sheet = f"For {rows} rows and {columns} columns"
        kind = type(found).__name__
        try:
            found = np.asarray(found)
        except (TypeError, ValueError):
            return wrong("Expected an array: all rows of it of one length, five.")
        if found.dtype.kind not in "iu":
            kind = f"{kind} of {found.dtype}" if found.ndim else kind
            return wrong(f"Expected an array of whole numbers, got {kind}.")
        if found.shape != (n, 5):
            reasons = {
                (5, n): "It is transposed.",
                (n, 4): "The node itself is missing.",
                (rows, columns, 5): "Each node has a row of its own.",
            }
            verdict = wrong(f"{sheet} expected shape {(n, 5)}, got {found.shape}.")
            return verdict.because(reasons.get(found.shape, ""))
        verdict = _numbered(found, rows, columns, sheet)
        if not verdict:
            return verdict
        verdict = _neighbours(found, rows, columns, sheet)
        if not verdict:
            return verdict
    return right("A cylinder in every size that was tried. Give it a density, and let it swing.")


def _numbered(found, rows, columns, sheet):
    """Verdict on the range of the numbers, and on the first of each row."""
    n = rows * columns
    for i in np.flatnonzero(((found < 0) | (found >= n)).any(axis=1))[:1]:
        number = next(x for x in found[i] if not 0 <= x < n)
        verdict = wrong(f"{sheet} the row of node {divmod(int(i), columns)} holds {number}.")
        if number == -1:
            return verdict.because("To NumPy, index −1 is the last node, a neighbour far away.")
        return verdict.because("No node has that number.")
    first = found[:, 0]
    for i in np.flatnonzero(first != np.arange(n))[:1]:
        verdict = wrong(
            f"{sheet} row {i} belongs to node {divmod(int(i), columns)}, and yours begins with "
            f"{first[i]}."
        )
        other = np.arange(n).reshape(columns, rows).T.ravel()
        if any(np.array_equal(first, slip) for slip in (other, other.argsort())):
            return verdict.because(ORDER)
        return verdict.because("A row begins with the node itself.")
    return right("")


ORDER = "You count down the columns; the number is r · columns + c."


def _neighbours(found, rows, columns, sheet):
    """Verdict on the four neighbours, in any order, of rows that begin with their node."""
    n = rows * columns
    number = np.arange(n).reshape(rows, columns)
    up, side = (_both_sides(number, axis) for axis in (0, 1))
    around, along = (_both_sides(number, axis, "wrap") for axis in (0, 1))
    other = np.arange(n).reshape(columns, rows).T
    nearest = np.sort(found[:, 1:], axis=1)
    off = np.flatnonzero((nearest != _sorted(number, *up, *along)).any(axis=1))
    if not off.size:
        return right("")
    r, c = np.divmod(off, columns)
    verdict = wrong(
        f"{sheet} the neighbours of {len(off)} of {n} nodes are wrong, first those of node "
        f"({r[0]}, {c[0]}): {sorted(map(int, found[off[0], 1:]))}."
    )
    slips = {
        "Top and bottom are joined, too: that is a membrane.": (number, *around, *along),
        "You joined top and bottom: the sheet is rolled up the other way.": (
            (number, *around, *side)
        ),
        "Your sheet is still flat.": (number, *up, *side),
        "Where a row ends yours goes on in the next one: a spiral staircase.": (
            (number, *up, (number - 1) % n, (number + 1) % n)
        ),
        ORDER: (other, *_both_sides(other, 0), *_both_sides(other, 1, "wrap")),
    }
    for reason, slip in slips.items():
        if np.array_equal(nearest, _sorted(*slip)):
            return verdict.because(reason)
    if np.isin(r, (0, rows - 1)).all():
        return verdict.because("Inside all is well: look at the top and the bottom.")
    if np.isin(c, (0, columns - 1)).all():
        return verdict.because("Only the first or the last node of a row is wrong.")
    return verdict.with_hint("Who is left, right, above and below?")


def _both_sides(number, axis, mode="edge"):
    """The numbers before and after each node; at an edge itself, or with "wrap" a circle."""
    width = [(1, 1) if axis == other else (0, 0) for other in (0, 1)]
    padded = np.moveaxis(np.pad(number, width, mode=mode), axis, 0)
    return np.moveaxis(padded[:-2], 0, axis), np.moveaxis(padded[2:], 0, axis)


def _sorted(number, *neighbours):
    """Neighbours `[n, 4]` by the number of their node, in ascending order each."""
    table = np.stack([each.ravel() for each in neighbours], axis=1)
    return np.sort(table[number.ravel().argsort()], axis=1)
