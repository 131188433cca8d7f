"""A density that is learned: parameters of one neighbourhood, for a graph of any size."""

from dataclasses import dataclass
from functools import partial

from lnn_tutorial import integrate, models
from lnn_tutorial.fields.density import energy, lagrangian
from lnn_tutorial.fields.motion import acceleration
from lnn_tutorial.fields.neighbourhoods import Neighbourhoods, require_neighbourhoods
from lnn_tutorial.models.model import overrides


@dataclass(frozen=True, eq=False)
class LagrangianGraphNetwork:
    """A learned density on given nodes, with the face of a model: parameters and a field in.

    The parameters are those of the density alone: learned on one graph, they serve on any other.

    Args:
        model: a model of `models` that learns a Lagrangian, with a coordinate for each point of a
            neighbourhood.
        nodes: `Neighbourhoods`.

    Raises:
        TypeError, ValueError: a model without a Lagrangian or with more beside it (a context, a
            force, an equation of motion of its own), another number of coordinates, no
            `Neighbourhoods`.

    Source: Cranmer et al. (2020), Section 5, Eq. 7.
    """

    model: models.Model
    nodes: Neighbourhoods

    def __post_init__(self):
        if not hasattr(self.model, "lagrangian"):
            raise TypeError(f"expected a model with a Lagrangian, got {type(self.model).__name__}")
        require_neighbourhoods(self.nodes)
        for name in ("context", "force"):
            if getattr(self.model, name, None):
                raise ValueError(
                    f"expected a model that is a Lagrangian alone: a field has no {name}"
                )
        for name in ("acceleration", "equation_of_motion", "generalised_force", "energy"):
            learned = isinstance(self.model, models.FromLagrangian)
            if learned and overrides(self.model, models.FromLagrangian, name):
                raise ValueError(
                    "expected a model that is a Lagrangian alone: a field would not call the "
                    f"{name} of {type(self.model).__name__}"
                )
        if self.model.dim != self.nodes.points:
            raise ValueError(
                f"expected a model with dim={self.nodes.points}, one coordinate for each point of "
                f"a neighbourhood, got dim={self.model.dim}"
            )

    def init(self, key):
        """Draw parameters. Args: a JAX random key. Returns: a pytree."""
        return self.model.init(key)

    def lagrangian(self, params, phi, phi_dot):
        """𝓛 of a field, a scalar in units of its own."""
        return lagrangian(partial(self.model.lagrangian, params), self.nodes)(phi, phi_dot)

    def energy(self, params, phi, phi_dot):
        """The learned energy of a field, a scalar."""
        return energy(partial(self.model.lagrangian, params), self.nodes)(phi, phi_dot)

    def acceleration(self, params, phi, phi_dot):
        """φ̈ `[n]` of a field, see `acceleration`."""
        return acceleration(partial(self.model.lagrangian, params), self.nodes)(phi, phi_dot)

    def rollout(self, params, phi, phi_dot, **steps):
        """The motion from one start: `integrate.rollout` with this model's acceleration."""
        return integrate.rollout(partial(self.acceleration, params), phi, phi_dot, **steps)
