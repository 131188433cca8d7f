"""The network that is told nothing of mechanics: one for all that changes."""

from dataclasses import dataclass

import jax.numpy as jnp

from lnn_tutorial.models.model import Model, given, overrides


@dataclass(frozen=True)
class NeuralODE(Model):
    r"""Neural ODE of first order: (dq/dt, dq̇/dt) = (v₀, a₀) · network(q, q̇).

    It does not know that dq/dt is q̇, so its q̇ need not be the velocity of its q. One that knows,
    a Neural ODE of second order, is a `PlainNetwork` trained on motions.

    Args:
        acceleration_scale: a₀, a typical acceleration; a number or one for each coordinate.

    Source: Chen et al. (2018); on mechanical systems Cranmer et al. (2020), Table 1.
    """

    acceleration_scale: float | tuple[float, ...] = 1.0

    scales = (*Model.scales, "acceleration_scale")

    @property
    def outputs(self):
        """How many numbers the network returns, two for each coordinate."""
        return 2 * self.dim

    def slopes(self, params, q, q_dot, context=None, torque=None):
        """How the model's motion goes on from one state: dq/dt and dq̇/dt, `[d]` each."""
        velocity, acceleration = self._both(params, q, q_dot, context, torque)
        if overrides(self, NeuralODE, "acceleration"):  # one of a subclass's own
            acceleration = self.acceleration(params, q, q_dot, context, *given(torque))
        return velocity, acceleration

    def _both(self, params, q, q_dot, context, torque):
        q, q_dot = self._state(q, q_dot)
        self._torque(torque)
        velocity, acceleration = jnp.split(self.network(params, q, q_dot, context), 2)
        scales = self.velocity_scale, self.acceleration_scale
        return jnp.asarray(scales[0]) * velocity, jnp.asarray(scales[1]) * acceleration

    def acceleration(self, params, q, q_dot, context=None, torque=None):
        """dq̇/dt `[d]` at one state, see `slopes`."""
        return self._both(params, q, q_dot, context, torque)[1]

    def compare(self, params, q, q_dot, q_ddot, context=None, torque=None):
        """What training on accelerations compares: both slopes with the true ones."""
        found = self.slopes(params, q, q_dot, context, torque)
        return list(zip(found, (q_dot, q_ddot), strict=True))
