"""From a learned Lagrangian, what is known beside it and forces to an acceleration."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs, mechanics, systems
from lnn_tutorial.models.forces import Force
from lnn_tutorial.models.model import Model, given, overrides


@dataclass(frozen=True)
class FromLagrangian(Model):
    r"""What a model has that learns a Lagrangian, `lagrangian(params, q, q_dot, context)`.

    What is known stands beside the network, and so does what no Lagrangian holds:
    M q̈ = F + Q, with M and F of 𝓛 = known + learned and Q the sum of the forces. `forces` has an
    example. None of these may depend on time explicitly; what drives a model is a `Torque`.

    Args:
        known: a system, or a function `(q, q_dot) -> scalar`, also of `context` in a model that has
            one: the known part of 𝓛.
        force: a `Force`, a function `(q, q_dot) -> Q [d]`, also of `context`, or a tuple of them.
            Where they learn, parameters are `{"network": layers, "force": theirs}`.
    """

    known: systems.System | Callable | None = None
    force: Force | Callable | tuple | None = None

    def __post_init__(self):
        super().__post_init__()
        if isinstance(self.force, list):
            self._settle("force", tuple(self.force))
        state = [jax.ShapeDtypeStruct((n,), float) for n in (self.dim, self.dim)]
        context = jax.ShapeDtypeStruct((self.context,), float) if self.context else None
        if self.known is not None:
            self._require_known()
            found = jax.eval_shape(self.known_lagrangian, *state, context)
            _require_shape("known", found, ())
        for force in self.forces:
            if not isinstance(force, Force):
                _inputs.function("force", force)
                _require_timeless("force", force)
        if self.forces:
            torque = state[0] if self.driven else None
            params = {"force": self._force_parameters}
            of_force = partial(FromLagrangian.generalised_force, self)
            jax.eval_shape(of_force, params, *state, context, torque)

    def _require_known(self):
        known = self.known
        if not isinstance(known, systems.System):
            _inputs.function("known", known)
        elif known.dim != self.dim or known.context not in (0, self.context):
            raise ValueError(
                f"expected known with dim={self.dim} and context={self.context}, or none, "
                f"got {known} with dim={known.dim} and context={known.context}"
            )
        _require_timeless("known", getattr(known, "lagrangian", known))

    @property
    def forces(self):
        """The forces beside 𝓛, a tuple."""
        return (self.force,) if self._alone else self.force or ()

    @property
    def driven(self):
        """Whether a torque comes with every state."""
        return any(getattr(force, "driven", False) for force in self.forces)

    @cached_property
    def _force_parameters(self):
        """The shapes of what the forces learn, as it stands in the parameters."""
        return jax.eval_shape(lambda seed: self._init_force(jax.random.key(seed)), 0)

    def _init_force(self, key):
        drawn = tuple(
            force.init(jax.random.fold_in(key, k), self) if isinstance(force, Force) else ()
            for k, force in enumerate(self.forces, start=1)
        )
        return drawn[0] if self._alone else drawn

    @property
    def _alone(self):
        """Whether there is one force, and no tuple of them."""
        return self.force is not None and not isinstance(self.force, tuple)

    @property
    def _force_learns(self):
        return bool(self.forces and jax.tree.leaves(self._force_parameters))

    def init(self, key):
        """Draw parameters. Args: a JAX random key. Returns: a pytree."""
        network = super().init(key)
        return (
            {"network": network, "force": self._init_force(key)} if self._force_learns else network
        )

    def layers(self, params):
        """The network's own among a model's parameters."""
        return params["network"] if self._force_learns else params

    def lagrangian(self, params, q, q_dot, context=None):
        """𝓛 at one state, a scalar in units of its own: only its motions are learned."""
        raise NotImplementedError

    def known_lagrangian(self, q, q_dot, context=None):
        """The known part of 𝓛 at one state, a scalar; 0 where nothing is known."""
        if self.known is None:
            return 0.0
        return _called(getattr(self.known, "lagrangian", self.known), q, q_dot, context)

    def generalised_force(self, params, q, q_dot, context=None, torque=None):
        """Q `[d]` at one state, the sum of the forces beside 𝓛; its power is q̇·Q."""
        q, q_dot = self._state(q, q_dot)
        torque, total = self._torque(torque), jnp.zeros_like(q)
        learned = params["force"] if self._force_learns else self._force_parameters
        of_each = (learned,) if self._alone else learned
        for force, own in zip(self.forces, of_each, strict=True):
            if isinstance(force, Force):
                found = force(own, self, q, q_dot, context, torque)
            else:
                found = _called(force, q, q_dot, context)
            _require_shape("force", found, q.shape)
            total += found
        return total

    def acceleration(self, params, q, q_dot, context=None, torque=None):
        """q̈ `[d]` at one state, from Eq. 6, with the forces beside 𝓛: M q̈ = F + Q."""
        q, q_dot = self._state(q, q_dot)
        finest = jnp.result_type(q, *jax.tree.leaves(params))
        q, q_dot = q.astype(finest), q_dot.astype(finest)
        torque = self._torque(torque)
        if overrides(self, FromLagrangian, "equation_of_motion"):  # may be another than 𝓛 has
            motion = self.equation_of_motion(params, q, q_dot, context, *given(torque))
            return jnp.linalg.solve(*motion)
        return mechanics._acceleration_by_solve(
            lambda q, q_dot: self.lagrangian(params, q, q_dot, context),
            force=self._force(params, context, torque),
            equation=lambda q, q_dot: self._mass_and_force(params, q, q_dot, context),
        )(q, q_dot)

    def equation_of_motion(self, params, q, q_dot, context=None, torque=None):
        """M and F + Q of M q̈ = F + Q at one state, see `mechanics.equation_of_motion`."""
        mass, conservative = self._mass_and_force(params, q, q_dot, context)
        force = self._force(params, context, self._torque(torque))
        return mass, conservative if force is None else conservative + force(q, q_dot)

    def _force(self, params, context, torque):
        """Q as a function of (q, q̇), None where there is none."""
        if not self.forces and not overrides(self, FromLagrangian, "generalised_force"):
            return None
        return lambda q, q_dot: self.generalised_force(params, q, q_dot, context, *given(torque))

    def _mass_and_force(self, params, q, q_dot, context):
        return mechanics.equation_of_motion(
            lambda q, q_dot: self.lagrangian(params, q, q_dot, context)
        )(q, q_dot)

    def energy(self, params, q, q_dot, context=None):
        """The learned energy q̇·p − 𝓛, a scalar: conserved without forces; dE/dt = q̇·Q."""
        return mechanics.energy(lambda q, q_dot: self.lagrangian(params, q, q_dot, context))(
            q, q_dot
        )


def _called(function, q, q_dot, context):
    """A function of one's own, with the context if it wants one."""
    wanted = context is not None and _wants_context(function)
    return function(q, q_dot, context) if wanted else function(q, q_dot)


def _wants_context(function):
    """Whether a third argument is asked for, or named `context`, and not only possible."""
    try:
        arguments = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some that are written in C tell nothing of themselves
        return False
    third = [x for x in arguments if x.kind < x.KEYWORD_ONLY][2:3]
    rest = any(x.kind is x.VAR_POSITIONAL for x in arguments[:3])
    return rest or any(x.default is x.empty or x.name == "context" for x in third)


def _require_timeless(name, function):
    if mechanics.takes_time(function):
        raise ValueError(
            f"expected {name} without an argument t: a model has no clock; what drives it is a "
            "models.Torque, which comes with every state and changes along a rollout"
        )


def _require_shape(name, found, shape):
    if getattr(found, "shape", None) != shape:
        got = getattr(found, "shape", type(found).__name__)
        raise ValueError(f"expected {name} to return an array of shape {shape}, got {got}")
