"""The baseline: a network for the acceleration itself."""

from dataclasses import dataclass

import jax.numpy as jnp

from lnn_tutorial.models.model import Model


@dataclass(frozen=True)
class PlainNetwork(Model):
    r"""The baseline, a plain network for the acceleration: q̈ = a₀ · network(q, q̇).

    Args:
        acceleration_scale: a₀, a typical acceleration; a number or one for each coordinate.

    Source: the baseline of Cranmer et al. (2020), Section 5.
    """

    acceleration_scale: float | tuple[float, ...] = 1.0

    scales = (*Model.scales, "acceleration_scale")

    @property
    def outputs(self):
        """How many numbers the network returns, one acceleration for each coordinate."""
        return self.dim

    def acceleration(self, params, q, q_dot, context=None, torque=None):
        """q̈ `[d]` at one state, straight from the network."""
        q, q_dot = self._state(q, q_dot)
        self._torque(torque)
        return jnp.asarray(self.acceleration_scale) * self.network(params, q, q_dot, context)
