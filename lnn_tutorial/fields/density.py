"""A density at all neighbourhoods: the Lagrangian of a field, its energy and its equation."""

import jax
import numpy as np

from lnn_tutorial import _inputs, fields, mechanics
from lnn_tutorial.fields.neighbourhoods import require_neighbourhoods


def lagrangian(density, nodes):
    """𝓛 = Σᵢ ℓ(φ[Nᵢ], φ̇[Nᵢ]).

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        nodes: `Neighbourhoods` of k points.

    Returns:
        Function `(phi [n], phi_dot [n]) -> scalar`.

    Raises:
        TypeError, ValueError: no density, one that depends on time, no `Neighbourhoods`; when
            called, a field of another length.
        IndexError: a density that reads `phi[i]` or `phi_dot[i]` of an i beyond its k points. It
            is found where the density indexes its arguments themselves; of what is computed from
            them, JAX takes the last entry for one beyond.
    """
    door(density, nodes)
    return _sum(density, nodes)


def energy(density, nodes):
    """E = φ̇·∂𝓛/∂φ̇ − 𝓛, the sum of what `mechanics.energy` says of each neighbourhood."""
    door(density, nodes)
    return _sum(mechanics.energy(density), nodes)


def _sum(scalar, nodes):
    return lambda phi, phi_dot: _each(scalar, nodes, *state(nodes, phi, phi_dot)).sum()


def equation_of_motion(density, nodes):
    r"""The Euler–Lagrange equation M φ̈ = F of a field, with M in blocks, one a neighbourhood.

    M = Σᵢ Mᵢ and F = Σᵢ Fᵢ, where Mᵢ and Fᵢ are those of ℓ, see `mechanics.equation_of_motion`:
    k + 1 tangents for each neighbourhood, however many nodes there are.

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        nodes: `Neighbourhoods` of k points.

    Returns:
        Function `(phi [n], phi_dot [n]) -> (blocks [m, k, k], F [n])`.

    Raises: as `lagrangian`.
    """
    door(density, nodes)
    of_one = mechanics.equation_of_motion(density)

    def field(phi, phi_dot):
        blocks, forces = _each(of_one, nodes, *state(nodes, phi, phi_dot))
        return blocks, nodes.scatter(forces)

    return field


def euler_lagrange(density, nodes):
    """R = d/dt ∂𝓛/∂φ̇ − ∂𝓛/∂φ `[n]`, of `(phi, phi_dot, phi_ddot)`; see `mechanics`.

    Raises: as `lagrangian`.
    """
    door(density, nodes)
    of_one = mechanics.euler_lagrange(density)

    def field(phi, phi_dot, phi_ddot):
        phi, phi_dot = state(nodes, phi, phi_dot)
        phi_ddot = values("phi_ddot", nodes, phi_ddot)
        return nodes.scatter(_each(of_one, nodes, phi, phi_dot, phi_ddot))

    return field


def door(density, nodes):
    """Refuse what is no density of the points of these nodes."""
    require_neighbourhoods(nodes)
    require_points(density, nodes.points)


def require_points(density, k):
    """Refuse what is no density of k points: JAX reads the last entry for any beyond it."""
    _inputs.function("density", density)
    require_no_time("density", density)
    try:
        with np.errstate(all="ignore"):  # NumPy's arrays know where they end; nothing is computed
            jax.eval_shape(lambda: density(*np.zeros((2, k))))
    except IndexError as error:
        raise IndexError(f"expected a density of {k} points, got one of more: {error}") from error
    except Exception:  # what only JAX's arrays can do: the call itself will tell
        return


def require_no_time(name, function):
    """Refuse a function with an argument `t`."""
    if mechanics.takes_time(function):
        raise ValueError(f"expected a {name} without explicit time, got one with an argument t")


def state(nodes, phi, phi_dot):
    """The field and its velocity as floating-point vectors `[n]`, or what is wrong with them."""
    phi, phi_dot = _inputs.state(phi, phi_dot, names=("phi", "phi_dot"))
    return values("phi", nodes, phi), phi_dot


def values(name, nodes, x):
    """The same for one vector."""
    x = _inputs.vector(name, x)
    if x.shape != (nodes.size,):
        raise ValueError(f"expected {name}, a field on {nodes.size} nodes, got shape {x.shape}")
    return x


def _each(function, nodes, *xs):
    """A function of one neighbourhood at all of them, a block at a time."""
    parts = tuple(nodes.gather(x) for x in xs)
    if len(nodes.index) <= fields.BLOCK:
        return jax.vmap(function)(*parts)
    return jax.lax.map(lambda part: function(*part), parts, batch_size=fields.BLOCK)
