"""What the models share: features, a network, training and rollouts."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, features, integrate, networks
from lnn_tutorial.models import forces

ANGLE_FEATURES = {"trig": features.Angles, "wrapped": features.Wrapped}
"""What a network sees of an angle, by name."""

POSITION_FEATURES = {"scaled": features.Scaled, "centred": features.Centred}
"""What a network sees of coordinates with q₀ for scale, by name; `"centred"` forgets their mean."""

VELOCITY_FEATURES = {
    "scaled": features.Scaled,
    "arcsine": features.Arcsine,
    "rapidity": features.Rapidity,
}
"""What a network sees of a velocity with v₀ for scale or limit, by name."""

NAMED = {
    "position_features": POSITION_FEATURES,
    "velocity_features": VELOCITY_FEATURES,
    "context_features": {"scaled": features.Scaled},
}
SHORT = {
    "position_features": ("angles", "angle_features", "position_scale"),
    "velocity_features": ("velocity_scale",),
    "context_features": ("context_scale",),
}
"""The handy arguments that a feature of one's own takes the place of."""


@dataclass(frozen=True)
class Model:
    r"""What the models share: a network on features that respect the coordinates.

    An angle enters as sin q and cos q, so that nothing jumps after a full turn; any other
    coordinate as q / q₀; a velocity as q̇ / v₀. The paper's code wraps angles into −π … π instead
    (`angle_features="wrapped"`), where the network jumps at ±π. What else a network may see is in
    `features`.

    Args:
        dim: number of coordinates d.
        angles: which coordinates are angles; none by default.
        position_scale: q₀, a typical coordinate; a number or one for each coordinate.
        velocity_scale: v₀, a typical velocity; a number or one for each coordinate.
        context: how many non-dynamical parameters come with a state, such as a field strength.
        context_scale: typical values of these; a number or one for each.
        angle_features: `"trig"` or `"wrapped"`.
        position_features: `"scaled"`; or `"centred"`, each q / q₀ less the mean of all. With one q₀
            for all a common shift changes nothing: what learns a Lagrangian then conserves the
            total momentum Σᵢ pᵢ, if what is known beside it does and no force acts. Or a feature
            of one's own, a function `[d] -> [m]`; then `angles`, `angle_features` and
            `position_scale` are its own affair and stay as they are.
        velocity_features: `"scaled"`; or, where v₀ is a velocity that nothing reaches,
            `"rapidity"`, arctanh(q̇/v₀), or `"arcsine"`, arcsin(q̇/v₀): these know where the
            velocities end, as sine and cosine know that a full turn changes nothing. Or a feature
            of one's own, without `velocity_scale`.
        context_features: `"scaled"`; or a feature of one's own, without `context_scale`.
        width: units in a hidden layer.
        depth: hidden layers.
        activation: a name in `networks.ACTIVATIONS`.
        initialisation: a name in `networks.INITIALISATIONS`.
    """

    dim: int
    angles: tuple[bool, ...] = ()
    position_scale: float | tuple[float, ...] = 1.0
    velocity_scale: float | tuple[float, ...] = 1.0
    context: int = 0
    context_scale: float | tuple[float, ...] = 1.0
    angle_features: str = "trig"
    position_features: str | features.Feature = "scaled"
    velocity_features: str | features.Feature = "scaled"
    context_features: str | features.Feature = "scaled"
    width: int = 128
    depth: int = 2
    activation: str = "softplus"
    initialisation: str = "glorot"

    outputs = 1
    driven = False
    """Whether a torque comes with every state."""
    scales = ("position_scale", "velocity_scale")

    def __post_init__(self):
        for name, least in (("dim", 1), ("width", 1), ("depth", 1), ("context", 0)):
            self._settle(name, _inputs.whole(name, getattr(self, name), least))
        _inputs.choice("activation", self.activation, networks.ACTIVATIONS)
        _inputs.choice("initialisation", self.initialisation, networks.INITIALISATIONS)
        _inputs.choice("angle_features", self.angle_features, ANGLE_FEATURES)
        angles = _inputs.flags("angles", self.angles, self.dim) if np.size(self.angles) else ()
        self._settle("angles", angles)
        for name in (*self.scales, "context_scale"):
            n = self.context if name == "context_scale" else self.dim
            self._settle(name, _inputs.scale(name, getattr(self, name), n))
        for name, n in zip(NAMED, (self.dim, self.dim, self.context), strict=True):
            if callable(getattr(self, name)):
                self._require_alone(name, n)
            else:
                _inputs.choice(name, getattr(self, name), NAMED[name])
        if self.position_features == "centred" and any(self.angles):
            raise ValueError("expected position_features='scaled' where a coordinate is an angle")

    def _settle(self, name, value):
        """Put a setting into the form that can be hashed and saved."""
        object.__setattr__(self, name, value)

    def _require_alone(self, name, n):
        """Raise where a feature of one's own comes with a handy argument or does not fit."""
        feature = getattr(self, name)
        for short in SHORT[name]:
            if getattr(self, short) != getattr(type(self), short):
                raise ValueError(
                    f"expected {short} left at its default beside a feature of one's own, "
                    f"got {short}={getattr(self, short)!r} and {name}={feature!r}"
                )
        seen = jax.eval_shape(feature, jax.ShapeDtypeStruct((n,), jnp.float32))
        if getattr(seen, "ndim", None) != 1:
            raise ValueError(f"expected {name} to make a vector of a vector [{n}], got {seen}")

    @property
    def of_position(self):
        """The feature of q, what the network sees of coordinates."""
        if any(self.angles):
            return ANGLE_FEATURES[self.angle_features](self.angles, self.position_scale)
        return self._feature("position_features", self.position_scale)

    @property
    def of_velocity(self):
        """The feature of q̇."""
        return self._feature("velocity_features", self.velocity_scale)

    @property
    def of_context(self):
        """The feature of the context."""
        return self._feature("context_features", self.context_scale)

    def _feature(self, name, scale):
        found = getattr(self, name)
        return found if callable(found) else NAMED[name][found](scale)

    @property
    def sizes(self):
        """List of the units of the network's input, of each hidden layer and of its output."""
        like = [jax.ShapeDtypeStruct((n,), float) for n in (self.dim, self.dim, self.context) if n]
        inputs = jax.eval_shape(self.features, *like).size
        return [inputs, *[self.width] * self.depth, self.outputs]

    def init(self, key):
        """Draw parameters. Args: a JAX random key. Returns: a pytree."""
        return networks.init_mlp(key, self.sizes, self.initialisation)

    def features(self, q, q_dot, context=None):
        """What the network sees: `[2 d + number of angles + context]`; wrapped, an angle is one."""
        return jnp.concatenate(
            [self.of_position(q), self.of_velocity(q_dot), *self._seen_context(context)]
        )

    def _seen_context(self, context):
        return [self.of_context(x) for x in _inputs.context(context, self.context)]

    def layers(self, params):
        """The network's own among a model's parameters."""
        return params

    def network(self, params, q, q_dot, context=None):
        """The network's output `[outputs]` at one state."""
        seen = self.features(q, q_dot, context)
        return networks.mlp(self.layers(params), seen, self.activation)

    def acceleration(self, params, q, q_dot, context=None, torque=None):
        """Acceleration `[d]` at one state; the torque `[d]` is for a model with a `Torque`."""
        raise NotImplementedError

    def compare(self, params, q, q_dot, q_ddot, context=None, torque=None):
        """What training compares at one state: a list of pairs (predicted, true)."""
        return [(self.acceleration(params, q, q_dot, context, *given(torque)), q_ddot)]

    def slopes(self, params, q, q_dot, context=None, torque=None):
        """How the model's motion goes on from one state: dq/dt and dq̇/dt, `[d]` each.

        The first is q̇ itself, unless a model has an equation of its own for it.
        """
        q, q_dot = self._state(q, q_dot)
        return q_dot, self.acceleration(params, q, q_dot, context, *given(torque))

    def rollout(self, params, q, q_dot, context=None, torque=None, **steps):
        """The motion from one start, by Runge–Kutta steps along this model's `slopes`.

        Args:
            params, q, q_dot, context: the model and its start.
            torque: of a model with a `Torque`: one for each frame, `[steps + 1, d]`, linear in
                between; or a function of the time.
            steps: `dt`, `steps`, `substeps` and `t` of `integrate.rollout`.

        Returns:
            `(q [steps + 1, d], q_dot [steps + 1, d])`.
        """
        q, q_dot = self._state(q, q_dot)
        if torque is None:
            return integrate.flow(
                lambda q, q_dot: self.slopes(params, q, q_dot, context), q, q_dot, **steps
            )
        at = torque if callable(torque) else forces.between_frames(torque, **steps)

        def slopes(q, q_dot, t):
            return self.slopes(params, q, q_dot, context, at(t))

        return integrate.flow(slopes, q, q_dot, **steps)

    def _torque(self, torque):
        if self.driven and torque is None:
            raise ValueError(
                f"expected a torque [{self.dim}] beside the state: the model was made with a Torque"
            )
        if not self.driven and torque is not None:
            raise ValueError("expected no torque: the model was made without a Torque")
        if torque is None:
            return None
        torque = _inputs.vector("torque", torque)
        if torque.shape != (self.dim,):
            raise ValueError(f"expected a torque of shape ({self.dim},), got {torque.shape}")
        return torque

    def _state(self, q, q_dot):
        q, q_dot = _inputs.state(q, q_dot)
        if q.shape != (self.dim,):
            raise ValueError(f"expected {self.dim} coordinate(s), got q of shape {q.shape}")
        features.check(self.of_position, "q", q)
        features.check(self.of_velocity, "q_dot", q_dot)
        return q, q_dot


def given(*arguments):
    """The arguments that are not None: a method of a subclass need not know of the others."""
    return [x for x in arguments if x is not None]


def overrides(model, base, *names):
    """Whether a model has another one of these methods than its base, so by a subclass."""
    return any(getattr(type(model), name) is not getattr(base, name) for name in names)
