"""The mass matrix of a field, which is sparse: from its blocks, or from a Lagrangian as it is."""

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.fields.density import require_no_time, state, values
from lnn_tutorial.fields.neighbourhoods import require_neighbourhoods


def mass_times(blocks, nodes, x):
    """M x `[n]`, from the blocks of `equation_of_motion`.

    Raises:
        TypeError, ValueError: blocks of other nodes, an x that is no field on them.
    """
    blocks = _blocks(nodes, blocks)
    return times(blocks, nodes, values("x", nodes, x))


def times(blocks, nodes, x):
    """`mass_times` for what is known to fit."""
    return nodes.scatter(jnp.einsum("mab,mb->ma", blocks, nodes.gather(x)))


def mass_matrix(blocks, nodes):
    """M `[n, n]` as a full array, from the blocks of `equation_of_motion`; for a small n only.

    Raises:
        TypeError, ValueError: blocks of other nodes.
    """
    blocks = _blocks(nodes, blocks)
    rows, columns = nodes.index[:, :, None], nodes.index[:, None, :]
    return jnp.zeros((nodes.size, nodes.size), blocks.dtype).at[rows, columns].add(blocks)


def _blocks(nodes, blocks):
    require_neighbourhoods(nodes)
    blocks, expected = _inputs.array("blocks", blocks), (*nodes.index.shape, nodes.points)
    if blocks.shape != expected:
        raise ValueError(f"expected blocks of shape {expected}, got {blocks.shape}")
    return blocks


def coloured_hessian(lagrangian, nodes):
    r"""The entries of M = ∂²𝓛/∂φ̇∂φ̇ᵀ by one Hessian–vector product for each colour.

    Nodes of one colour share no row of M, so that one product with the sum of their unit vectors
    gives all their columns at once: five forward-over-backward passes on a ring whose length five
    divides, whatever that length is. 𝓛 is only evaluated: nothing need be known of its density.
    One more product, along a random direction, finds out whether 𝓛 couples others than neighbours.

    Args:
        lagrangian: function `(phi [n], phi_dot [n]) -> scalar` that couples neighbours only.
        nodes: `Neighbourhoods`.

    Returns:
        Function `(phi, phi_dot) -> entries`, in the order of `nodes.pattern`.

    Raises:
        ValueError: when called, a field of another length, an 𝓛 that couples more than neighbours
            (inside of `jit` or `vmap` the entries are NaN).

    Source: Cranmer et al. (2020), Section 5; the idea is Curtis, Powell & Reid's (1974).
    """
    _inputs.function("lagrangian", lagrangian)
    require_no_time("Lagrangian", lagrangian)
    require_neighbourhoods(nodes)
    momentum = jax.grad(lagrangian, argnums=1)
    rows, columns = nodes.pattern
    random = np.random.default_rng(0).normal(size=nodes.size)
    picked = np.arange(nodes.colours.max() + 1)[:, None] == nodes.colours
    directions = np.vstack([picked, random])

    def field(phi, phi_dot):
        phi, phi_dot = state(nodes, phi, phi_dot)

        def product(direction):
            return jax.jvp(lambda v: momentum(phi, v), (phi_dot,), (direction,))[1]

        *products, along = jax.lax.map(product, jnp.asarray(directions, phi.dtype))
        entries = jnp.stack(products)[nodes.colours[columns], rows]
        known = jnp.zeros_like(along).at[rows].add(entries * directions[-1][columns])
        size = nodes.points * jnp.abs(entries).max() + jnp.abs(along).max()
        limit = float(jnp.finfo(phi.dtype).eps) ** 0.5
        entries = jnp.where(jnp.abs(known - along).max() <= limit * size, entries, jnp.nan)
        if not _inputs.is_finite(entries):
            raise ValueError(
                "expected a Lagrangian that couples neighbours only: its Hessian has entries "
                "outside of their pattern, or is not finite"
            )
        return entries

    return field
