"""The model that learns a Hamiltonian."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, mechanics, systems
from lnn_tutorial.features import Arcsinh, Scaled, Together
from lnn_tutorial.models.model import Model, given, overrides


@dataclass(frozen=True)
class HNN(Model):
    r"""Hamiltonian neural network: H(q, y) = network, q̇ = ∂H/∂y and ẏ = −∂H/∂q.

    The y that it takes for momenta are the velocities, unless `momenta_of` names a system whose
    Lagrangian gives the true ones, y = p = ∂𝓛/∂q̇. It is trained on q̇ and q̈, see `slopes`.

    Args:
        momenta_of: a system of `systems`, or None.
        momentum_scale: p₀, a typical momentum, with `momenta_of`; a number or one for each.

    Source: Greydanus, Dzamba & Yosinski (2019), Eq. 1–3.
    """

    momenta_of: systems.System | None = None
    momentum_scale: float | tuple[float, ...] = 1.0

    scales = (*Model.scales, "momentum_scale")

    def __post_init__(self):
        super().__post_init__()
        system = self.momenta_of
        if system is None:
            return
        if not isinstance(system, systems.System):
            raise TypeError(f"expected momenta_of to be a system or None, got {system!r}")
        if (system.dim, system.context) != (self.dim, self.context):
            raise ValueError(
                f"expected momenta_of with dim={self.dim} and context={self.context}, "
                f"got {system} with dim={system.dim} and context={system.context}"
            )
        if mechanics.takes_time(system.lagrangian):
            raise ValueError("expected momenta_of a system that does not depend on time")
        if callable(self.velocity_features):
            raise ValueError("expected no velocity_features of one's own beside momenta_of")

    def momentum(self, q, q_dot, context=None):
        """What the network takes for the momentum `[d]` of a state."""
        q, q_dot = self._state(q, q_dot)
        context = _inputs.context(context, self.context)
        if self.momenta_of is None:
            return q_dot
        return mechanics.momentum(lambda q, q_dot: self.momenta_of.lagrangian(q, q_dot, *context))(
            q, q_dot
        )

    @property
    def of_momentum(self):
        """The feature of y, either the velocity's or that of a momentum."""
        if self.momenta_of is None:
            return self.of_velocity
        scaled = Scaled(self.momentum_scale)
        if self.velocity_features == "scaled":
            return scaled
        # velocities end, momenta span powers of ten
        return Together((scaled, Arcsinh(self.momentum_scale)))

    def features(self, q, y, context=None):
        """What the network sees: coordinates, momenta (or velocities), context."""
        return jnp.concatenate(
            [self.of_position(q), self.of_momentum(y), *self._seen_context(context)]
        )

    def hamiltonian(self, params, q, y, context=None):
        """H at one point of phase space, a scalar; in units of its own if y is not canonical."""
        return self.network(params, q, y, context)[0]

    def slopes(self, params, q, q_dot, context=None, torque=None):
        """How the model's motion goes on from one state: dq/dt and dq̇/dt, `[d]` each.

        Hamilton's equations give q̇ = ∂H/∂y and ẏ; the q̈ that makes y change by ẏ is the solution
        of (∂y/∂q̇) q̈ = ẏ − (∂y/∂q) q̇. With true momenta ∂y/∂q̇ is the true mass matrix.
        """

        velocity, acceleration = self._hamiltons(params, q, q_dot, context)
        if overrides(self, HNN, "acceleration"):  # one of a subclass's own
            acceleration = self.acceleration(params, q, q_dot, context, *given(torque))
        self._torque(torque)
        return velocity, acceleration

    def _hamiltons(self, params, q, q_dot, context):
        def momentum(q, q_dot):
            return self.momentum(q, q_dot, context)

        q, q_dot = self._state(q, q_dot)
        flow = mechanics.hamilton_equations(lambda q, y: self.hamiltonian(params, q, y, context))
        velocity, y_dot = flow(q, momentum(q, q_dot))
        dy_dq, dy_dq_dot = jax.jacobian(momentum, (0, 1))(q, q_dot)
        return velocity, jnp.linalg.solve(dy_dq_dot, y_dot - dy_dq @ velocity)

    def acceleration(self, params, q, q_dot, context=None, torque=None):
        """q̈ `[d]` at one state, see `slopes`."""
        self._torque(torque)
        return self._hamiltons(params, q, q_dot, context)[1]

    def compare(self, params, q, q_dot, q_ddot, context=None, torque=None):
        """What training compares: the model's q̇ and q̈ with the true ones."""
        found = self.slopes(params, q, q_dot, context, torque)
        return list(zip(found, (q_dot, q_ddot), strict=True))

    def energy(self, params, q, q_dot, context=None):
        """The learned energy H, a scalar."""
        return self.hamiltonian(params, q, self.momentum(q, q_dot, context), context)
