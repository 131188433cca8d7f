"""How a field moves: its accelerations, and the frequencies of its small waves."""

from functools import partial

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, mechanics
from lnn_tutorial.fields.density import equation_of_motion, euler_lagrange, require_points, state
from lnn_tutorial.fields.neighbourhoods import require_neighbourhoods, whole_offsets
from lnn_tutorial.fields.solvers import SOLVERS, solved


def acceleration(density, nodes, solve=None):
    r"""φ̈ of a field, from M φ̈ = F in a time linear in the number of nodes.

    As in `mechanics.acceleration` the derivative comes from the implicit function theorem: one
    Newton step −M⁻¹ dR, with R the Euler–Lagrange residual.

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        nodes: `Neighbourhoods` of k points.
        solve: a name in `SOLVERS`; by default `"banded"` on a ring and `"cg"` elsewhere.
            `"banded"` eliminates directly and needs a ring; `"cg"` iterates on M x and needs M
            positive definite; `"dense"` is for comparison. Whatever comes back solves M φ̈ = F: an
            indefinite M either has its answer from `"cg"` or is reported. Where a singular M leaves
            several answers, it is one of them; on few nodes
            `mechanics.condition_number(lagrangian(density, nodes))` tells.

    Returns:
        Function `(phi [n], phi_dot [n]) -> phi_ddot [n]`.

    Raises:
        TypeError, ValueError: as `lagrangian`; a solver that the nodes do not allow.
        IndexError: as `lagrangian`.
        FloatingPointError: M could not be solved, being singular or, for `"cg"`, indefinite
            (inside of `jit` or `vmap` the values are NaN).

    Source: Cranmer et al. (2020), Section 5, Eq. 6 and 8.
    """
    require_neighbourhoods(nodes)
    if solve is None:
        solve = "cg" if nodes.stencil is None else "banded"
    _inputs.choice("solve", solve, SOLVERS)
    if solve == "banded" and nodes.stencil is None:
        raise ValueError("expected a ring for solve='banded'; other graphs take 'cg'")
    motion, residual = equation_of_motion(density, nodes), euler_lagrange(density, nodes)

    @jax.jit
    def solution(phi, phi_dot):
        blocks, force = motion(phi, phi_dot)
        phi_ddot = solved(SOLVERS[solve], nodes, blocks, force)
        left = residual(phi, phi_dot, mechanics._held(phi_ddot))
        return _implicit(SOLVERS[solve], nodes, phi_ddot, blocks, left)

    def field(phi, phi_dot):
        phi_ddot = solution(*state(nodes, phi, phi_dot))
        if not _inputs.is_finite(phi_ddot):
            raise FloatingPointError(
                f"the mass matrix of the field could not be solved by {solve!r}: it is singular"
                + (" or not positive definite" if solve == "cg" else "")
            )
        return phi_ddot

    return field


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _implicit(solver, nodes, phi_ddot, blocks, residual):
    """φ̈ as the root of R(φ̈) = 0, as `mechanics` has it: dφ̈ = −M⁻¹ dR."""
    return phi_ddot


@_implicit.defjvp
def _(solver, nodes, primals, tangents):
    return primals[0], -solved(solver, nodes, primals[1], tangents[2])


def dispersion(density, stencil=(-1, 0, 1), rest=0.0):
    r"""ω(k) of small waves e^{i(kj − ωt)} about a field at rest, on a ring of any length.

    Near rest the Euler–Lagrange equation is M φ̈ + G φ̇ + K φ = 0, with the Hessians of ℓ there,
    M = ∂²ℓ/∂φ̇∂φ̇ᵀ, K = −∂²ℓ/∂φ∂φᵀ and G = C − Cᵀ, C = ∂²ℓ/∂φ̇∂φᵀ. A wave turns each of them into
    a number, M̂(k) = Σ_ab M_ab e^{ik(s_b − s_a)} with the offsets s of the stencil, and

        ω² M̂ + iω Ĝ − K̂ = 0.

    Ĝ is imaginary and odd in k: where it is not 0, waves to the left and to the right differ.

    Args:
        density: function `(phi [k], phi_dot [k]) -> scalar`.
        stencil: the offsets of the k points.
        rest: the value φ that all nodes rest at. It should be an equilibrium: at another one
            nothing stays, and ω(k) is only the curvature of ℓ there.

    Returns:
        Function from wavenumbers, in radians a node and of any shape, to ω in radians a second of
        the wave that runs towards larger j for k > 0; NaN where such a wave does not oscillate.
    """
    stencil = whole_offsets(stencil)
    _inputs.number(rest=rest)
    require_points(density, len(stencil))
    at_rest = jnp.full(len(stencil), float(rest)), jnp.zeros(len(stencil))
    (curvature, _), (mixed, mass) = jax.jit(jax.hessian(density, argnums=(0, 1)))(*at_rest)
    offsets = jnp.asarray(stencil)
    apart = offsets[None, :] - offsets[:, None]

    def omega(k):
        wave = jnp.exp(1j * jnp.asarray(k)[..., None, None] * apart)
        m, g, stiffness = (
            jnp.sum(x * wave, axis=(-2, -1)) for x in (mass, mixed - mixed.T, -curvature)
        )
        m, g, stiffness = m.real, g.imag, stiffness.real
        return (g + jnp.sqrt(g**2 + 4 * m * stiffness) * jnp.sign(m)) / (2 * m)

    return omega
