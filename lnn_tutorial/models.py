r"""Models of dynamics, all with one face: parameters and a state in, an acceleration out.

    model = LNN(dim=2, angles=(False, True), velocity_scale=5.0)
    params = model.init(jax.random.key(0))
    model.acceleration(params, q, q_dot)          # [2]

Where the physics depends on something that does not move, such as the strength of a field, a model
made with `context=c` takes a vector `[c]` of such parameters after the state.

A model is a small frozen dataclass that holds what is not learned; `params` is a pytree that holds
what is. A learned Lagrangian is `partial(model.lagrangian, params)`, and `mechanics` treats it as
any other.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, integrate, mechanics, networks, systems

ANGLE_FEATURES = {
    "trig": lambda angle: [jnp.sin(angle), jnp.cos(angle)],
    "wrapped": lambda angle: [(angle + jnp.pi) % (2 * jnp.pi) - jnp.pi],
}
"""What a network sees of an angle, by name."""

POSITION_FEATURES = {
    "scaled": lambda scaled: scaled,
    "centred": lambda scaled: scaled - scaled.mean(),
}
"""What a network sees of coordinates in units of q₀, by name; `"centred"` forgets their mean."""

VELOCITY_FEATURES = {
    "scaled": lambda scaled: scaled,
    "arcsine": jnp.arcsin,
    # arctanh, in a form whose derivatives keep their digits near 1
    "rapidity": lambda scaled: 0.5 * (jnp.log1p(scaled) - jnp.log1p(-scaled)),
}
"""What a network sees of a velocity in units of v₀, by name; the last two know |q̇| < v₀ only."""


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
        context: how many non-dynamical parameters come with a state, such as a field strength.
        context_scale: typical values of these; a number or one for each.
        angle_features: `"trig"` or `"wrapped"`.
        position_features: `"scaled"`; or `"centred"`, each q / q₀ less the mean of all. With one q₀
            for all a common shift changes nothing: what learns a Lagrangian then conserves the
            total momentum Σᵢ pᵢ.
        velocity_features: `"scaled"`; or, where v₀ is a velocity that nothing reaches,
            `"rapidity"`, arctanh(q̇/v₀), or `"arcsine"`, arcsin(q̇/v₀): these know where the
            velocities end, as sine and cosine know that a full turn changes nothing.
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
    position_features: str = "scaled"
    velocity_features: str = "scaled"
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
        _inputs.choice("position_features", self.position_features, POSITION_FEATURES)
        if self.position_features != "scaled" and any(self.angles):
            raise ValueError("expected position_features='scaled' where a coordinate is an angle")
        _inputs.choice("velocity_features", self.velocity_features, VELOCITY_FEATURES)
        _inputs.count(0, context=self.context)
        if self.angles and len(self.angles) != self.dim:
            raise ValueError(f"expected {self.dim} entries in angles, got {self.angles}")
        for name in (*self.scales, "context_scale"):
            value, n = getattr(self, name), self.context if name == "context_scale" else self.dim
            for number in value if isinstance(value, tuple) else (value,):
                _inputs.positive(**{name: number})
            if isinstance(value, tuple) and len(value) != n:
                raise ValueError(f"expected {n} entries in {name}, got {value}")

    @property
    def sizes(self):
        """List of the units of the network's input, of each hidden layer and of its output."""
        like = [jnp.ones(n) for n in (self.dim, self.dim, self.context)]
        inputs = jax.eval_shape(self.features, *(x for x in like if x.size)).size
        return [inputs, *[self.width] * self.depth, self.outputs]

    def init(self, key):
        """Draw parameters. Args: a JAX random key. Returns: a pytree."""
        return networks.init_mlp(key, self.sizes, self.initialisation)

    def features(self, q, q_dot, context=None):
        """What the network sees: `[2 d + number of angles + context]`; wrapped, an angle is one."""
        velocities = self._velocity_features(q_dot)
        return jnp.concatenate(
            [self._position_features(q), velocities, *self._context_features(context)]
        )

    def _velocity_features(self, q_dot):
        scaled = q_dot / jnp.asarray(self.velocity_scale)
        return VELOCITY_FEATURES[self.velocity_features](scaled)

    def _position_features(self, q):
        of_angle = ANGLE_FEATURES[self.angle_features]
        scaled = POSITION_FEATURES[self.position_features](q / jnp.asarray(self.position_scale))
        positions = []
        for i, angle in enumerate(self.angles or (False,) * self.dim):
            positions += of_angle(q[i]) if angle else [scaled[i]]
        return jnp.stack(positions)

    def _context_features(self, context):
        return [x / jnp.asarray(self.context_scale) for x in _inputs.context(context, self.context)]

    def network(self, params, q, q_dot, context=None):
        """The network's output `[outputs]` at one state."""
        return networks.mlp(params, self.features(q, q_dot, context), self.activation)

    def acceleration(self, params, q, q_dot, context=None):
        """Acceleration `[d]` at one state."""
        raise NotImplementedError

    def compare(self, params, q, q_dot, q_ddot, context=None):
        """What training compares at one state: a list of pairs (predicted, true)."""
        return [(self.acceleration(params, q, q_dot, context), q_ddot)]

    def rollout(self, params, q, q_dot, context=None, **steps):
        """The motion from one start: `integrate.rollout` with this model's acceleration.

        Args:
            params, q, q_dot, context: the model and its start.
            steps: `dt`, `steps` and `substeps` of `integrate.rollout`.

        Returns:
            `(q [steps + 1, d], q_dot [steps + 1, d])`.
        """
        return integrate.rollout(
            lambda q, q_dot: self.acceleration(params, q, q_dot, context), q, q_dot, **steps
        )

    def _state(self, q, q_dot):
        q, q_dot = _inputs.state(q, q_dot)
        if q.shape != (self.dim,):
            raise ValueError(f"expected {self.dim} coordinate(s), got q of shape {q.shape}")
        if self.velocity_features != "scaled":
            limit = jnp.asarray(self.velocity_scale)
            _inputs.below("q_dot / velocity_scale", q_dot / limit, 1.0, "where its feature ends")
        return q, q_dot


class _FromLagrangian:
    """What a model has that learns a Lagrangian, `lagrangian(params, q, q_dot, context)`."""

    def acceleration(self, params, q, q_dot, context=None):
        """q̈ `[d]` at one state, from Eq. 6."""
        return mechanics._acceleration_by_solve(
            lambda q, q_dot: self.lagrangian(params, q, q_dot, context),
            equation=lambda q, q_dot: self.equation_of_motion(params, q, q_dot, context),
        )(*self._state(q, q_dot))

    def equation_of_motion(self, params, q, q_dot, context=None):
        """M and F of M q̈ = F at one state, see `mechanics.equation_of_motion`."""
        return mechanics.equation_of_motion(
            lambda q, q_dot: self.lagrangian(params, q, q_dot, context)
        )(q, q_dot)

    def energy(self, params, q, q_dot, context=None):
        """The learned energy q̇·p − 𝓛, a scalar: the quantity that this model conserves."""
        return mechanics.energy(lambda q, q_dot: self.lagrangian(params, q, q_dot, context))(
            q, q_dot
        )


@dataclass(frozen=True)
class LNN(_FromLagrangian, Model):
    r"""Lagrangian neural network: 𝓛 = ½‖q̇/v₀‖² + network(q, q̇), and Eq. 6 for the rest.

    The kinetic offset ½‖q̇/v₀‖² takes nothing away, since the network can cancel it; but training
    starts from a mass matrix that is positive definite instead of one that is near zero. Where
    velocities enter by another feature than q̇/v₀, its square takes the place.

    Args:
        kinetic_offset: how strong the offset is; 0 for none.

    Source: Cranmer et al. (2020), Section 2; the offset and the features are this course's.
    """

    kinetic_offset: float = 1.0

    def lagrangian(self, params, q, q_dot, context=None):
        """𝓛 at one state, a scalar in units of its own: only its motions are learned."""
        q, q_dot = self._state(q, q_dot)
        return self.network(params, q, q_dot, context)[0] + self._offset(q_dot)

    def _offset(self, q_dot):
        seen = self._velocity_features(q_dot)
        return self.kinetic_offset * 0.5 * seen @ seen

    def equation_of_motion(self, params, q, q_dot, context=None):
        r"""M and F of M q̈ = F at one state: as `mechanics.equation_of_motion`, in fewer passes.

        With x the features and y the network, ∂²y = ∂xᵀ (∂²y/∂x²) ∂x + (∂y/∂x) ∂²x. The network
        gives ∂y/∂x and ∂²y/∂x² along the directions that M and F need; what is left of 𝓛 once the
        network is replaced by (∂y/∂x)·x costs almost nothing.
        """
        q, q_dot = self._state(q, q_dot)
        features = partial(self.features, context=context)
        x, push = jax.linearize(features, q, q_dot)
        directions = jax.vmap(push)(*mechanics.directions_of_motion(q_dot))
        slope, hessian = networks.gradient_and_hessian(params, x, directions, self.activation)

        def rest(q, q_dot):
            return slope @ features(q, q_dot) + self._offset(q_dot)

        mass, force = mechanics.equation_of_motion(rest)(q, q_dot)
        return mass + hessian[:-1, :-1], force - hessian[:-1, -1]


@dataclass(frozen=True)
class DeLaN(_FromLagrangian, Model):
    r"""Deep Lagrangian network: 𝓛 = ½ q̇ᵀ M(q) q̇ − V(q), as rigid bodies have it.

    A network of the coordinates alone gives V and the Cholesky factor of M v₀², so that M is
    positive definite whatever the weights. A kinetic energy that is not quadratic in the
    velocities is out of its reach.

    Source: Lutter, Ritter & Peters (2019), Eq. 5–7.
    """

    @property
    def outputs(self):
        """The entries of a lower triangular matrix, and V."""
        return self.dim * (self.dim + 1) // 2 + 1

    def features(self, q, q_dot, context=None):
        """What the network sees: coordinates and context, no velocities."""
        return jnp.concatenate([self._position_features(q), *self._context_features(context)])

    def lagrangian(self, params, q, q_dot, context=None):
        """𝓛 at one state, a scalar in units of its own."""
        q, q_dot = self._state(q, q_dot)
        *entries, potential = self.network(params, q, q_dot, context)
        scaled = q_dot / jnp.asarray(self.velocity_scale)
        along = self._cholesky(jnp.stack(entries)).T @ scaled
        return 0.5 * along @ along - potential

    def _cholesky(self, entries):
        factor = jnp.zeros((self.dim, self.dim), entries.dtype)
        factor = factor.at[jnp.tril_indices(self.dim)].set(entries)
        diagonal = jnp.diag(factor)
        # softplus(0.54) = 1: training starts near M = 1/v₀²
        return factor + jnp.diag(jax.nn.softplus(diagonal + 0.54) + 1e-3 - diagonal)


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

    def momentum(self, q, q_dot, context=None):
        """What the network takes for the momentum `[d]` of a state."""
        q, q_dot = self._state(q, q_dot)
        return self._momentum(*_inputs.context(context, self.context))(q, q_dot)

    def _momentum(self, *context):
        if self.momenta_of is None:
            return lambda q, q_dot: q_dot
        return mechanics.momentum(lambda q, q_dot: self.momenta_of.lagrangian(q, q_dot, *context))

    def features(self, q, y, context=None):
        """What the network sees: coordinates, momenta (or velocities), context."""
        if self.momenta_of is None:
            return super().features(q, y, context)
        momenta = y / jnp.asarray(self.momentum_scale)
        if self.velocity_features != "scaled":  # velocities end, momenta span powers of ten
            momenta = jnp.concatenate([momenta, jnp.arcsinh(momenta)])
        return jnp.concatenate(
            [self._position_features(q), momenta, *self._context_features(context)]
        )

    def hamiltonian(self, params, q, y, context=None):
        """H at one point of phase space, a scalar; in units of its own if y is not canonical."""
        return self.network(params, q, y, context)[0]

    def slopes(self, params, q, q_dot, context=None):
        """(q̇, q̈) `[d]` each, as the model's motion has them at one state.

        Hamilton's equations give q̇ = ∂H/∂y and ẏ; the q̈ that makes y change by ẏ is the solution
        of (∂y/∂q̇) q̈ = ẏ − (∂y/∂q) q̇. With true momenta ∂y/∂q̇ is the true mass matrix.
        """
        context = _inputs.context(context, self.context)
        momentum = self._momentum(*context)
        q, q_dot = self._state(q, q_dot)
        flow = mechanics.hamilton_equations(lambda q, y: self.hamiltonian(params, q, y, *context))
        velocity, y_dot = flow(q, momentum(q, q_dot))
        dy_dq, dy_dq_dot = jax.jacobian(momentum, (0, 1))(q, q_dot)
        return velocity, jnp.linalg.solve(dy_dq_dot, y_dot - dy_dq @ velocity)

    def acceleration(self, params, q, q_dot, context=None):
        """q̈ `[d]` at one state, see `slopes`."""
        return self.slopes(params, q, q_dot, context)[1]

    def compare(self, params, q, q_dot, q_ddot, context=None):
        """What training compares: the model's q̇ and q̈ with the true ones."""
        found = self.slopes(params, q, q_dot, context)
        return list(zip(found, (q_dot, q_ddot), strict=True))

    def rollout(self, params, q, q_dot, context=None, **steps):
        """The motion from one start, by both of Hamilton's equations; as `Model.rollout`."""
        return integrate.flow(
            lambda q, q_dot: self.slopes(params, q, q_dot, context), q, q_dot, **steps
        )

    def energy(self, params, q, q_dot, context=None):
        """The learned energy H, a scalar."""
        return self.hamiltonian(params, q, self.momentum(q, q_dot, context), context)


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

    def acceleration(self, params, q, q_dot, context=None):
        """q̈ `[d]` at one state, straight from the network."""
        q, q_dot = self._state(q, q_dot)
        return jnp.asarray(self.acceleration_scale) * self.network(params, q, q_dot, context)
