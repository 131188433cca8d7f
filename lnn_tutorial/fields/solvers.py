"""Linear systems M x = F of a field, and a watch on whether they were solved."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial.fields.mass import mass_matrix, times


def solved(solver, nodes, blocks, force):
    """x of M x = force, NaN where the solver's answer does not solve it.

    The solver gets M and the force in units, powers of two, in which their largest entries are
    near one: those of 𝓛, of length and of time are all the same to it.
    """

    def solve(_, force):
        unit_of_mass, unit_of_force = _exponent(blocks), _exponent(force)
        scaled, right = _times_2_to(-unit_of_mass, blocks), _times_2_to(-unit_of_force, force)
        x = solver(scaled, nodes, right)
        size = jnp.abs(right).max() + jnp.abs(scaled).max() * jnp.abs(x).max()
        limit = float(jnp.finfo(force.dtype).eps) ** 0.5
        left = jnp.abs(times(scaled, nodes, x) - right).max()
        return _times_2_to(
            unit_of_force - unit_of_mass, jnp.where(left <= limit * size, x, jnp.nan)
        )

    return jax.lax.custom_linear_solve(partial(times, blocks, nodes), force, solve, symmetric=True)


def _exponent(x):
    return jnp.frexp(jnp.abs(x).max())[1]


def _times_2_to(exponent, x):
    """2^exponent x, in two halves: each of them is a number, and nothing is lost between."""
    half, one = exponent // 2, jnp.ones((), x.dtype)
    return x * jnp.ldexp(one, half) * jnp.ldexp(one, exponent - half)


def _by_dense(blocks, nodes, force):
    return jnp.linalg.solve(mass_matrix(blocks, nodes), force)


def _by_cg(blocks, nodes, force):
    """Conjugate gradients, scaled by the diagonal of M."""
    diagonal = nodes.scatter(jnp.diagonal(blocks, axis1=1, axis2=2))
    tolerance = 10 * float(jnp.finfo(force.dtype).eps)
    return jax.scipy.sparse.linalg.cg(
        partial(times, blocks, nodes),
        force,
        tol=tolerance,
        maxiter=1000,
        M=lambda x: x / diagonal,
    )[0]


def _by_bands(blocks, nodes, force):
    """Direct elimination on a ring.

    A few nodes are taken out, so that the ring becomes a chain; their equations come last.
    """
    w = max(nodes.stencil) - min(nodes.stencil)
    b = max(w, 1)
    out = b + nodes.size % b
    if nodes.size < 8 * b:
        return _by_dense(blocks, nodes, force)
    bands, kept = _bands(blocks, nodes, w), nodes.size - out
    rows, (down, across) = bands[:kept].reshape(-1, b, 2 * w + 1), np.indices((b, b))

    def part(shift):
        """The blocks that lie `shift` blocks to the right of the diagonal."""
        offset = across - down + shift * b
        inside = np.abs(offset) <= w
        return jnp.where(inside, rows[:, down, np.where(inside, offset + w, 0)], 0)

    def entries(i, j):
        offset = (j - i + nodes.size // 2) % nodes.size - nodes.size // 2
        inside = np.abs(offset) <= w
        return jnp.where(inside, bands[i, np.where(inside, offset + w, 0)], 0)

    last, near = np.arange(kept, nodes.size), np.r_[:b, kept - b : kept]
    border = jnp.zeros((kept, out), bands.dtype).at[near].set(entries(near[:, None], last))
    right = jnp.column_stack([force[:kept], border]).reshape(-1, b, 1 + out)
    below, above = part(-1).at[0].set(0), part(1).at[-1].set(0)
    found = _chain(below, part(0), above, right).reshape(kept, -1)
    ahead, response = found[:, 0], found[:, 1:]
    corner = entries(last[:, None], last) - border.T @ response
    end = jnp.linalg.solve(corner, force[kept:] - border.T @ ahead)
    return jnp.concatenate([ahead - response @ end, end])


def _bands(blocks, nodes, w):
    """M[i, i + o] at `[i, w + o]`, for the offsets o = −w … w along a ring."""
    bands = jnp.zeros((nodes.size, 2 * w + 1), blocks.dtype)
    for a, here in enumerate(nodes.stencil):
        for b, there in enumerate(nodes.stencil):
            bands = bands.at[:, w + there - here].add(jnp.roll(blocks[:, a, b], here))
    return bands


def _chain(below, diagonal, above, right):
    """Block tridiagonal systems `[m, w, w]` by cyclic reduction, right-hand sides `[m, w, r]`.

    Every other block is eliminated at once; what remains is a chain of half the length.
    """
    m, w = diagonal.shape[:2]
    if m == 1:
        return jnp.linalg.solve(diagonal, right)
    odd, even = slice(1, None, 2), slice(0, None, 2)
    coupled = jnp.concatenate([below[odd], above[odd], right[odd]], axis=2)
    # what an odd block gets from its left neighbour, from its right one, and from outside
    answer = jnp.linalg.solve(diagonal[odd], coupled)
    none = jnp.zeros_like(answer[:1])
    before = below[even] @ jnp.concatenate([none, answer])[: (m + 1) // 2]
    after = above[even] @ jnp.concatenate([answer, none])[: (m + 1) // 2]
    leftward, rightward, outside = slice(0, w), slice(w, 2 * w), slice(2 * w, None)
    remaining = _chain(
        -before[..., leftward],
        diagonal[even] - before[..., rightward] - after[..., leftward],
        -after[..., rightward],
        right[even] - before[..., outside] - after[..., outside],
    )
    beyond = jnp.concatenate([remaining[1:], jnp.zeros_like(remaining[:1])])
    neighbours = jnp.concatenate([remaining, beyond], axis=1)[: m // 2]
    found = answer[..., outside] - answer[..., : 2 * w] @ neighbours
    return jnp.zeros_like(right).at[even].set(remaining).at[odd].set(found)


SOLVERS = {"banded": _by_bands, "cg": _by_cg, "dense": _by_dense}
"""Ways to solve M φ̈ = F by name, functions of the blocks, the nodes and F."""
