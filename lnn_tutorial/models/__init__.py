r"""Models of dynamics, all with one face: parameters and a state in, an acceleration out.

    model = LNN(dim=2, angles=(False, True), velocity_scale=5.0)
    params = model.init(jax.random.key(0))
    model.acceleration(params, q, q_dot)          # [2]

Where the physics depends on something that does not move, such as the strength of a field, a model
made with `context=c` takes a vector `[c]` of such parameters after the state.

A model is a small frozen dataclass that holds what is not learned; `params` is a pytree that holds
what is. A learned Lagrangian is `partial(model.lagrangian, params)`, and `mechanics` treats it as
any other.

Known physics may stand beside a network that learns a Lagrangian, and so may friction, torques and
other forces: `known` and `force`, see `FromLagrangian`. Five lines with all three::

    model = LNN(dim=2, angles=(True, True), velocity_scale=5.0, kinetic_offset=0.0,
                known=systems.DoublePendulum(mass2=0.9),
                force=(ViscousFriction(along=((1, 0), (-1, 1)), scale=0.1), Torque()))
    loss = train.acceleration_loss(model)         # of batches (q, q_dot, q_ddot, None, torque)
    model.rollout(params, q, q_dot, torque=torques, dt=0.01, steps=500)      # torques [501, 2]

A model of one's own is a subclass, and whatever it overrides is respected everywhere: `features`,
`network` or `lagrangian` by the acceleration, `acceleration` by training and rollouts, `slopes` by
rollouts and by training on motions.
"""

from lnn_tutorial.models.forces import (
    Dissipation,
    Drag,
    DryFriction,
    Force,
    Friction,
    Torque,
    ViscousFriction,
)
from lnn_tutorial.models.from_lagrangian import FromLagrangian
from lnn_tutorial.models.hamiltonian import HNN
from lnn_tutorial.models.lagrangian import LNN, DeLaN
from lnn_tutorial.models.model import (
    ANGLE_FEATURES,
    POSITION_FEATURES,
    VELOCITY_FEATURES,
    Model,
)
from lnn_tutorial.models.neural_ode import NeuralODE
from lnn_tutorial.models.plain import PlainNetwork
from lnn_tutorial.models.rigid import RigidArms

__all__ = [  # noqa: RUF022, the order of the API page
    "Model",
    "FromLagrangian",
    "LNN",
    "DeLaN",
    "HNN",
    "PlainNetwork",
    "NeuralODE",
    "RigidArms",
    "Force",
    "Friction",
    "ViscousFriction",
    "DryFriction",
    "Drag",
    "Dissipation",
    "Torque",
    "ANGLE_FEATURES",
    "POSITION_FEATURES",
    "VELOCITY_FEATURES",
]
