"""The baseline: a network for the acceleration itself."""

from dataclasses import dataclass

import jax.numpy as jnp

from lnn_tutorial import _inputs, networks
from lnn_tutorial.models.model import Model


@dataclass(frozen=True)
class PlainNetwork(Model):
    r"""The baseline, a plain network for the acceleration: q̈ = a₀ · network(q, q̇).

    Args:
        acceleration_scale: a₀, a typical acceleration; a number or one for each coordinate.
        torque_scale: τ₀, a typical torque, where a torque τ `[d]` comes with every state; the
            network then sees τ/τ₀ too, and nothing says that q̈ is linear in it. A number or one
            for each coordinate; None where nothing drives the motion.

    Source: the baseline of Cranmer et al. (2020), Section 5.
    """

    acceleration_scale: float | tuple[float, ...] = 1.0
    torque_scale: float | tuple[float, ...] | None = None

    scales = (*Model.scales, "acceleration_scale")

    def __post_init__(self):
        super().__post_init__()
        if self.driven:
            scale = _inputs.scale("torque_scale", self.torque_scale, self.dim)
            self._settle("torque_scale", scale)

    @property
    def driven(self):
        """Whether a torque comes with every state."""
        return self.torque_scale is not None

    @property
    def outputs(self):
        """How many numbers the network returns, one acceleration for each coordinate."""
        return self.dim

    @property
    def sizes(self):
        """List of the units of the network's input, of each hidden layer and of its output."""
        inputs, *others = super().sizes
        return [inputs + self.dim * self.driven, *others]

    def acceleration(self, params, q, q_dot, context=None, torque=None):
        """q̈ `[d]` at one state, straight from the network."""
        q, q_dot = self._state(q, q_dot)
        torque = self._torque(torque)
        if torque is None:
            found = self.network(params, q, q_dot, context)
        else:
            pushed = torque / jnp.asarray(self.torque_scale)
            seen = jnp.concatenate([self.features(q, q_dot, context), pushed])
            found = networks.mlp(self.layers(params), seen, self.activation)
        return jnp.asarray(self.acceleration_scale) * found
