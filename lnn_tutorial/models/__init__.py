r"""Models of dynamics, all with one face: parameters and a state in, an acceleration out.

    model = LNN(dim=2, angles=(False, True), velocity_scale=5.0)
    params = model.init(jax.random.key(0))
    model.acceleration(params, q, q_dot)          # [2]

Where the physics depends on something that does not move, such as the strength of a field, a model
made with `context=c` takes a vector `[c]` of such parameters after the state.

A model is a small frozen dataclass that holds what is not learned; `params` is a pytree that holds
what is. A learned Lagrangian is `partial(model.lagrangian, params)`, and `mechanics` treats it as
any other.

A model of one's own is a subclass, and whatever it overrides is respected everywhere: `features`,
`network` or `lagrangian` by the acceleration, `acceleration` by training and rollouts.
"""

from lnn_tutorial.models.black_box import BlackBox
from lnn_tutorial.models.hamiltonian import HNN
from lnn_tutorial.models.lagrangian import LNN, DeLaN, FromLagrangian
from lnn_tutorial.models.model import (
    ANGLE_FEATURES,
    POSITION_FEATURES,
    VELOCITY_FEATURES,
    Model,
)

__all__ = [
    "ANGLE_FEATURES",
    "HNN",
    "LNN",
    "POSITION_FEATURES",
    "VELOCITY_FEATURES",
    "BlackBox",
    "DeLaN",
    "FromLagrangian",
    "Model",
]
