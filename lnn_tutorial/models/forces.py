r"""Forces beside a learned Lagrangian, M q̈ = F + Q: friction, torques, whatever is known.

A force is given to a model when it is made, one or a tuple of them; what it learns stands in
`params["force"]`, beside the network's layers in `params["network"]`. A function Q(q, q̇), or
Q(q, q̇, context) of a model with a context, is a force with nothing to learn.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lnn_tutorial import _inputs, networks


class Force:
    """What the forces share: parameters drawn for a model, and Q at one state.

    A force of one's own is a frozen dataclass that derives from this one.
    """

    driven = False
    """Whether it wants a torque with every state."""

    def init(self, key, model):
        """Draw what is learned. Args: a JAX random key, the model. Returns: a pytree, or ()."""
        return ()

    def __call__(self, params, model, q, q_dot, context=None, torque=None):
        """Q `[d]` at one state; `model.features` is what the model's network sees of it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Friction(Force):
    r"""Q = −Jᵀ diag(c) f(J q̇), with coefficients c > 0 that are learned and a law f of one place.

    A subclass says f, an odd function that rises, in `law`. Then the power −Σₖ cₖ wₖ f(wₖ), with
    w = J q̇, is never above zero.

    Args:
        along: J, a row for each place that rubs: the velocity there is row · q̇. By default one for
            each coordinate. Two bodies with angles from the vertical rub in their joint with
            θ̇₂ − θ̇₁, the row (−1, 1).
        scale: c where training starts; a number or one for each row.
    """

    along: tuple[tuple[float, ...], ...] | None = None
    scale: float | tuple[float, ...] = 1.0

    def __post_init__(self):
        rows = None if self.along is None else _rows(self.along)
        object.__setattr__(self, "along", rows)
        scale = _inputs.scale("scale", self.scale, None if rows is None else len(rows))
        object.__setattr__(self, "scale", scale)

    def law(self, w):
        """The friction f of each place `[rows]`, where c = 1, from its velocity w `[rows]`."""
        raise NotImplementedError

    def init(self, key, model):
        """ln(e − 1) for each row, at which c = scale · softplus(…) is the scale itself `[rows]`."""
        rows = self._rows(model)
        if isinstance(self.scale, tuple):
            _inputs.sequence("scale of the friction", self.scale, len(rows))
        return jnp.full(len(rows), jnp.log(jnp.expm1(1.0)))

    def coefficients(self, params):
        """The learned c `[rows]`, all above zero."""
        return jnp.asarray(self.scale) * jax.nn.softplus(params)

    def __call__(self, params, model, q, q_dot, context=None, torque=None):
        """Q = −Jᵀ diag(c) f(J q̇) `[d]`."""
        rows = self._rows(model)
        return -(self.coefficients(params) * self.law(rows @ q_dot)) @ rows

    def _rows(self, model):
        if self.along is None:
            return jnp.eye(model.dim)
        for row in self.along:
            _inputs.sequence("each row of along", row, model.dim)
        return jnp.asarray(self.along)


@dataclass(frozen=True)
class ViscousFriction(Friction):
    r"""Friction as in a film of oil, f(w) = w: Q = −Jᵀ diag(c) J q̇.

    It is the force −∂D/∂q̇ of Rayleigh's D = ½ Σₖ cₖ (J q̇)ₖ², and takes the power 2D. A swing dies
    away exponentially.

    Args:
        along: J, see `Friction`.
        scale: c where training starts; a number or one for each row. Its unit is that of 𝓛 times a
            second, for an angle, and over a square metre, for a length.

    Source: Goldstein, Poole & Safko (2002), Section 1.5.
    """

    def law(self, w):
        """w itself."""
        return w


@dataclass(frozen=True)
class DryFriction(Friction):
    r"""Friction of dry surfaces (Coulomb's), f(w) = tanh(w/v₀): of one size at whatever velocity.

    Near rest, where the true law is a jump that holds a body still, it is viscous: what sticks here
    creeps. A swing dies away linearly, and stops.

    Args:
        along: J, see `Friction`.
        scale: c where training starts; a number or one for each row. Its unit is that of 𝓛, for an
            angle, and over a metre, for a length.
        speed: v₀ > 0, well below the velocities that matter; in the units of J q̇.

    Source: Andersson, Söderberg & Björklund (2007), on how dry friction is made smooth.
    """

    speed: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        _inputs.positive(speed=self.speed)
        object.__setattr__(self, "speed", float(self.speed))

    def law(self, w):
        """tanh(w/v₀)."""
        return jnp.tanh(w / self.speed)


@dataclass(frozen=True)
class Drag(Friction):
    r"""Drag of the air at high Reynolds numbers, f(w) = w |w|.

    The larger a swing, the sooner it dies away.

    Args:
        along: J, see `Friction`.
        scale: c where training starts; a number or one for each row. Its unit is that of 𝓛 times a
            second squared, for an angle, and over a metre cubed, for a length.

    Source: Taylor (2005), Section 2.4.
    """

    def law(self, w):
        """w |w|."""
        return w * jnp.abs(w)


@dataclass(frozen=True)
class Dissipation(Force):
    r"""A force that can only take energy, Q = −C(q, q̇) q̇, with C = s B Bᵀ and B from a network.

    Its power is −s ‖Bᵀ q̇‖² whatever the weights. The network sees what the model's network sees:
    of an `LNN` the velocities too, of a `DeLaN` the coordinates alone.

    Args:
        width: units in a hidden layer.
        depth: hidden layers.
        scale: s > 0, a typical entry of C; where training starts, C is of this order.
        activation: a name in `networks.ACTIVATIONS`.
        initialisation: a name in `networks.INITIALISATIONS`.
    """

    width: int = 32
    depth: int = 2
    scale: float = 1.0
    activation: str = "softplus"
    initialisation: str = "glorot"

    def __post_init__(self):
        for name in ("width", "depth"):
            object.__setattr__(self, name, _inputs.whole(name, getattr(self, name)))
        _inputs.positive(scale=self.scale)
        object.__setattr__(self, "scale", float(self.scale))
        _inputs.choice("activation", self.activation, networks.ACTIVATIONS)
        _inputs.choice("initialisation", self.initialisation, networks.INITIALISATIONS)

    def init(self, key, model):
        """The layers of a network that gives the lower triangle of B."""
        entries = model.dim * (model.dim + 1) // 2
        sizes = [model.sizes[0], *[self.width] * self.depth, entries]
        return networks.init_mlp(key, sizes, self.initialisation)

    def __call__(self, params, model, q, q_dot, context=None, torque=None):
        """Q = −C q̇ `[d]`."""
        entries = networks.mlp(params, model.features(q, q_dot, context), self.activation)
        factor = lower_triangular(entries, model.dim)
        return -self.scale * factor @ (factor.T @ q_dot)


@dataclass(frozen=True)
class Torque(Force):
    r"""Q = s ⊙ τ, a torque τ `[d]` that comes with every state and changes along a motion.

    Args:
        gain: s, a number or one for each coordinate; with 1, and τ in N m, the learned 𝓛 comes out
            in joules. Or `"learned"`, from 1 on, where the torque's unit is not known.
    """

    gain: float | tuple[float, ...] | str = 1.0

    driven = True

    def __post_init__(self):
        if self.gain != "learned":
            gain = _inputs.scale("gain", self.gain, check=_inputs.number)
            object.__setattr__(self, "gain", gain)

    def init(self, key, model):
        """The gain where it is learned, ones `[d]`."""
        if isinstance(self.gain, tuple):
            _inputs.sequence("gain", self.gain, model.dim)
        return jnp.ones(model.dim) if self.gain == "learned" else ()

    def __call__(self, params, model, q, q_dot, context=None, torque=None):
        """Q = s ⊙ τ `[d]`."""
        return (params if self.gain == "learned" else jnp.asarray(self.gain)) * torque


def _rows(along):
    try:
        rows = np.asarray(along, float)
    except (TypeError, ValueError):
        rows = np.empty(0)
    if rows.ndim != 2 or rows.size == 0 or not np.isfinite(rows).all():
        raise ValueError(f"expected along to hold rows of numbers, [k, d], got {along!r}")
    return tuple(tuple(row) for row in rows.tolist())


def lower_triangular(entries, d):
    """A matrix `[d, d]` from its d (d + 1) / 2 entries on and below the diagonal, by rows."""
    return jnp.zeros((d, d), entries.dtype).at[jnp.tril_indices(d)].set(entries)


def between_frames(torque, *, dt, steps, t=0.0, **_):
    """τ as a function of the time, linear between the frames of a rollout.

    Args:
        torque: `[steps + 1, d]`, at t, t + dt, ….
        dt, steps, t: as in `integrate.rollout`.

    Returns:
        Function `t -> torque [d]`.
    """
    torque = _inputs.array("torque", torque)
    if torque.ndim != 2 or len(torque) != steps + 1:
        raise ValueError(
            f"expected a torque for each frame, [{steps + 1}, d], or a function of t, "
            f"got shape {torque.shape}"
        )
    _inputs.finite("torque", torque)
    at = linear(dt * jnp.arange(steps + 1, dtype=torque.dtype), torque)
    return lambda time: at(time - t)


def linear(times, values):
    """Values `[n, d]` at rising times `[n]` as a function of the time, linear in between."""
    return lambda t: jax.vmap(lambda column: jnp.interp(t, times, column), 1)(values)
