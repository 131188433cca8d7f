"""Models that learn a Lagrangian: a network for all of it, or for a rigid body's M and V."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, mechanics, networks
from lnn_tutorial.models.forces import lower_triangular
from lnn_tutorial.models.from_lagrangian import FromLagrangian
from lnn_tutorial.models.model import overrides


@dataclass(frozen=True)
class LNN(FromLagrangian):
    r"""Lagrangian neural network: 𝓛 = ½‖q̇/v₀‖² + network(q, q̇), and Eq. 6 for the rest.

    The kinetic offset ½‖q̇/v₀‖² takes nothing away, since the network can cancel it; but training
    starts near the mass matrix 1/v₀², which is positive definite, instead of near zero. Where
    velocities enter by another feature than q̇/v₀, its square takes the place.

    Args:
        kinetic_offset: how strong the offset is; 0 for none, as beside a known kinetic energy.

    Source: Cranmer et al. (2020), Section 2; the offset and the features are this course's.
    """

    kinetic_offset: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        offset = self.kinetic_offset
        if not isinstance(offset, jax.core.Tracer):
            if not isinstance(offset, bool):
                _inputs.number(kinetic_offset=offset)
            self._settle("kinetic_offset", float(offset))

    def lagrangian(self, params, q, q_dot, context=None):
        """𝓛 at one state, a scalar in units of its own: only its motions are learned."""
        q, q_dot = self._state(q, q_dot)
        return self.network(params, q, q_dot, context)[0] + self._beside(q, q_dot, context)

    def _beside(self, q, q_dot, context):
        """What stands beside the network: the kinetic offset, and what is known."""
        seen = self.of_velocity(q_dot)
        offset = self.kinetic_offset * 0.5 * seen @ seen
        return offset + self.known_lagrangian(q, q_dot, context)

    def _mass_and_force(self, params, q, q_dot, context):
        r"""M and F of M q̈ = F at one state: as `mechanics.equation_of_motion`, in fewer passes.

        With x the features and y the network, ∂²y = ∂xᵀ (∂²y/∂x²) ∂x + (∂y/∂x) ∂²x. The network
        gives ∂y/∂x and ∂²y/∂x² along the directions that M and F need; what is left of 𝓛 once the
        network is replaced by (∂y/∂x)·x costs almost nothing.
        """
        if overrides(self, LNN, "lagrangian", "network"):
            return super()._mass_and_force(params, q, q_dot, context)
        q, q_dot = self._state(q, q_dot)
        features = partial(self.features, context=context)
        x, push = jax.linearize(features, q, q_dot)
        directions = jax.vmap(push)(*mechanics.directions_of_motion(q_dot))
        slope, hessian = networks.gradient_and_hessian(
            self.layers(params), x, directions, self.activation
        )

        def rest(q, q_dot):
            return slope @ features(q, q_dot) + self._beside(q, q_dot, context)

        mass, force = mechanics.equation_of_motion(rest)(q, q_dot)
        return mass + hessian[:-1, :-1], force - hessian[:-1, -1]


@dataclass(frozen=True)
class DeLaN(FromLagrangian):
    r"""Deep Lagrangian network: 𝓛 = ½ q̇ᵀ M(q) q̇ − V(q), as rigid bodies have it, and what is known.

    A network of the coordinates alone gives V and the Cholesky factor of M v₀², so that M is
    positive definite whatever the weights. A kinetic energy that is not quadratic in the
    velocities is out of its reach; a limit in `velocity_features` is respected, no more.

    Source: Lutter, Ritter & Peters (2019), Eq. 5–7.
    """

    def __post_init__(self):
        super().__post_init__()
        if callable(self.velocity_features):
            raise ValueError("expected no velocity_features of one's own: a DeLaN sees no velocity")

    @property
    def outputs(self):
        """The entries of a lower triangular matrix, and V."""
        return self.dim * (self.dim + 1) // 2 + 1

    def features(self, q, q_dot, context=None):
        """What the network sees: coordinates and context, no velocities."""
        return jnp.concatenate([self.of_position(q), *self._seen_context(context)])

    def lagrangian(self, params, q, q_dot, context=None):
        """𝓛 at one state, a scalar in units of its own."""
        q, q_dot = self._state(q, q_dot)
        found = self.network(params, q, q_dot, context)
        entries, potential = found[:-1], found[-1]
        scaled = q_dot / jnp.asarray(self.velocity_scale)
        along = self._cholesky(entries).T @ scaled
        return 0.5 * along @ along - potential + self.known_lagrangian(q, q_dot, context)

    def _cholesky(self, entries):
        factor = lower_triangular(entries, self.dim)
        diagonal = jnp.diag(factor)
        # softplus(0.54) = 1: where the network's output is zero, M = 1.001/v₀²
        return factor + jnp.diag(jax.nn.softplus(diagonal + 0.54) + 1e-3 - diagonal)
