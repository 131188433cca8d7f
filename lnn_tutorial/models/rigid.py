"""The double pendulum as a physicist writes it down: a formula with constants to be fitted."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from lnn_tutorial import _inputs
from lnn_tutorial.models.from_lagrangian import FromLagrangian


@dataclass(frozen=True)
class RigidArms(FromLagrangian):
    r"""Two rigid arms, one hung from the other: 𝓛 = T − V with eight constants that are learned.

        T = ½ (I₁ + m₁ a₁² + m₂ l²) ω₁² + ½ (I₂ + m₂ a₂²) ω₂² + m₂ l a₂ ω₁ ω₂ cos(θ₁ − θ₂)
        V = −(m₁ a₁ + m₂ l) g cos θ₁ − m₂ a₂ g cos θ₂

    m are the masses in kg, a the centres' distances from the joints above them and l that of the
    second joint from the first, in m; I the moments of inertia about the centres in kg m²; g in
    m/s². Angles θ are from hanging. Motions alone tell no more than four of the constants'
    combinations, since a factor before 𝓛 changes nothing: a fit is unique, its constants are not.
    The network's settings are of no use here.

    Args:
        relative: whether the second angle is that from the first arm, θ₂ − θ₁.
        zeros: whether the angles at which the arms hang are learned too, where an encoder's zero
            may be a little off.
        size: length of each arm where a fit starts, in m.
        weight: mass of each arm where a fit starts, in kg; each then is a homogeneous rod.

    Source: Kaheman et al. (2022), who fit these constants and two of viscous friction.
    """

    dim: int = 2
    angles: tuple[bool, ...] = (True, True)
    relative: bool = False
    zeros: bool = False
    size: float = 0.2
    weight: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        if self.dim != 2 or self.context or self.known is not None:
            raise ValueError("expected dim=2, no context and nothing known: the formula is all")
        _inputs.flags("relative and zeros", (self.relative, self.zeros))
        _inputs.positive(size=self.size, weight=self.weight)

    def init(self, key):
        """The constants' logarithms, of two rods; the same for every key."""
        size, weight = jnp.asarray(self.size), jnp.asarray(self.weight)
        rod = {"m": weight, "a": size / 2, "I": weight * size**2 / 12}
        start = {name: jnp.full(2, value) for name, value in rod.items()}
        start |= {"l": size, "g": jnp.asarray(9.81)}
        own = {"log": jax.tree.map(jnp.log, start)}
        if self.zeros:
            own["zeros"] = jnp.zeros(2)
        return {"network": own, "force": self._init_force(key)} if self._force_learns else own

    def constants(self, params):
        """The constants by their names in the formula: dict of `m`, `a`, `I` `[2]`, `l` and `g`."""
        return jax.tree.map(jnp.exp, self.layers(params)["log"])

    def lagrangian(self, params, q, q_dot, context=None):
        """𝓛 = T − V at one state, a scalar in joules, up to a factor."""
        q, q_dot = self._state(q, q_dot)
        if self.zeros:
            q = q - self.layers(params)["zeros"]
        if self.relative:
            q, q_dot = jnp.cumsum(q), jnp.cumsum(q_dot)
        m, a, i, l, g = (self.constants(params)[name] for name in ("m", "a", "I", "l", "g"))
        inertia = i + m * a**2 + jnp.array([m[1] * l**2, 0.0])
        kinetic = 0.5 * inertia @ q_dot**2
        kinetic += m[1] * l * a[1] * q_dot[0] * q_dot[1] * jnp.cos(q[0] - q[1])
        moments = m * a + jnp.array([m[1] * l, 0.0])
        return kinetic + g * moments @ jnp.cos(q)
