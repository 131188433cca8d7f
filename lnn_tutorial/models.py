r"""Models of dynamics, all with one face: parameters and a state in, an acceleration out.

    model = LNN(dim=2, angles=(False, True), velocity_scale=5.0)
    params = model.init(jax.random.key(0))
    model.acceleration(params, q, q_dot)          # [2]

A model is a small frozen dataclass that holds what is not learned; `params` is a pytree that holds
what is. A learned Lagrangian is `partial(model.lagrangian, params)`, and `mechanics` treats it as
any other.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, mechanics, networks

ANGLE_FEATURES = {
    "trig": lambda angle: [jnp.sin(angle), jnp.cos(angle)],
    "wrapped": lambda angle: [(angle + jnp.pi) % (2 * jnp.pi) - jnp.pi],
}
"""What a network sees of an angle, by name."""


@dataclass(frozen=True)
class Model:
    r"""What the models share: a network on features that respect the coordinates.

    An angle enters as sin q and cos q, so that nothing jumps after a full turn; any other
    coordinate as q / q₀; a velocity as q̇ / v₀. The paper's code wraps angles into −π … π instead
    (`angle_features="wrapped"`), where the network jumps at ±π.

    Args:
        dim: number of coordinates d.
        angles: which coordinates are angles; none by default.
        position_scale: q₀, a typical coordinate; a number or one for each coordinate.
        velocity_scale: v₀, a typical velocity; a number or one for each coordinate.
        angle_features: `"trig"` or `"wrapped"`.
        width: units in a hidden layer.
        depth: hidden layers.
        activation: a name in `networks.ACTIVATIONS`.
        initialisation: a name in `networks.INITIALISATIONS`.
    """

    dim: int
    angles: tuple[bool, ...] = ()
    position_scale: float | tuple[float, ...] = 1.0
    velocity_scale: float | tuple[float, ...] = 1.0
    angle_features: str = "trig"
    width: int = 128
    depth: int = 2
    activation: str = "softplus"
    initialisation: str = "glorot"

    outputs = 1
    scales = ("position_scale", "velocity_scale")

    def __post_init__(self):
        _inputs.count(dim=self.dim, width=self.width, depth=self.depth)
        _inputs.choice("activation", self.activation, networks.ACTIVATIONS)
        _inputs.choice("initialisation", self.initialisation, networks.INITIALISATIONS)
        _inputs.choice("angle_features", self.angle_features, ANGLE_FEATURES)
        if self.angles and len(self.angles) != self.dim:
            raise ValueError(f"expected {self.dim} entries in angles, got {self.angles}")
        for name in self.scales:
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,) * self.dim:
                _inputs.positive(**{name: number})
            if isinstance(value, tuple) and len(value) != self.dim:
                raise ValueError(f"expected {self.dim} entries in {name}, got {value}")

    @property
    def sizes(self):
        """List of the units of the network's input, of each hidden layer and of its output."""
        inputs = jax.eval_shape(self.features, jnp.ones(self.dim), jnp.ones(self.dim)).size
        return [inputs, *[self.width] * self.depth, self.outputs]

    def init(self, key):
        """Draw parameters. Args: a JAX random key. Returns: a pytree."""
        return networks.init_mlp(key, self.sizes, self.initialisation)

    def features(self, q, q_dot):
        """What the network sees of a state: `[2 d + number of angles]` (`[2 d]` if wrapped)."""
        scaled, of_angle = q / jnp.asarray(self.position_scale), ANGLE_FEATURES[self.angle_features]
        positions = []
        for i, angle in enumerate(self.angles or (False,) * self.dim):
            positions += of_angle(q[i]) if angle else [scaled[i]]
        return jnp.concatenate([jnp.stack(positions), q_dot / jnp.asarray(self.velocity_scale)])

    def network(self, params, q, q_dot):
        """The network's output `[outputs]` at one state."""
        return networks.mlp(params, self.features(q, q_dot), self.activation)

    def acceleration(self, params, q, q_dot):
        """Acceleration `[d]` at one state."""
        raise NotImplementedError

    def _state(self, q, q_dot):
        q, q_dot = _inputs.state(q, q_dot)
        if q.shape != (self.dim,):
            raise ValueError(f"expected {self.dim} coordinate(s), got q of shape {q.shape}")
        return q, q_dot


@dataclass(frozen=True)
class LNN(Model):
    r"""Lagrangian neural network: 𝓛 = ½‖q̇/v₀‖² + network(q, q̇), and Eq. 6 for the rest.

    The kinetic offset ½‖q̇/v₀‖² takes nothing away, since the network can cancel it; but training
    starts from a mass matrix that is positive definite instead of one that is near zero.

    Args:
        kinetic_offset: whether the offset is there.

    Source: Cranmer et al. (2020), Section 2; the offset and the features are this course's.
    """

    kinetic_offset: bool = True

    def lagrangian(self, params, q, q_dot):
        """𝓛 at one state, a scalar in units of its own: only its motions are learned."""
        q, q_dot = self._state(q, q_dot)
        return self.network(params, q, q_dot)[0] + self._offset(q_dot)

    def _offset(self, q_dot):
        scaled = q_dot / jnp.asarray(self.velocity_scale)
        return self.kinetic_offset * 0.5 * scaled @ scaled

    def acceleration(self, params, q, q_dot):
        """q̈ `[d]` at one state, from Eq. 6."""
        return mechanics.acceleration(
            partial(self.lagrangian, params), equation=partial(self.equation_of_motion, params)
        )(q, q_dot)

    def equation_of_motion(self, params, q, q_dot):
        r"""M and F of M q̈ = F at one state: as `mechanics.equation_of_motion`, in fewer passes.

        With x the features and y the network, ∂²y = ∂xᵀ (∂²y/∂x²) ∂x + (∂y/∂x) ∂²x. The network
        gives ∂y/∂x and ∂²y/∂x² along the directions that M and F need; what is left of 𝓛 once the
        network is replaced by (∂y/∂x)·x costs almost nothing.
        """
        q, q_dot = self._state(q, q_dot)
        x, push = jax.linearize(self.features, q, q_dot)
        directions = jax.vmap(push)(*mechanics.directions_of_motion(q_dot))
        slope, hessian = networks.gradient_and_hessian(params, x, directions, self.activation)

        def rest(q, q_dot):
            return slope @ self.features(q, q_dot) + self._offset(q_dot)

        mass, force = mechanics.equation_of_motion(rest)(q, q_dot)
        return mass + hessian[:-1, :-1], force - hessian[:-1, -1]

    def energy(self, params, q, q_dot):
        """The learned energy q̇·p − 𝓛, a scalar: the quantity that this model conserves."""
        return mechanics.energy(partial(self.lagrangian, params))(q, q_dot)


@dataclass(frozen=True)
class BlackBox(Model):
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

    def acceleration(self, params, q, q_dot):
        """q̈ `[d]` at one state, straight from the network."""
        q, q_dot = self._state(q, q_dot)
        return jnp.asarray(self.acceleration_scale) * self.network(params, q, q_dot)
