r"""Motion from equations of motion: fixed steps as one compiled scan, and a reference from SciPy.

`rollout` steps an acceleration with the classical Runge–Kutta method, for any model; `flow` does
the same for first-order equations, such as Hamilton's. `through` and `adaptive` follow these
through given times, which need not be equally far apart: by fixed steps, which training goes back
through, or by diffrax, which chooses its own. `variational_rollout` steps a Lagrangian by
making a discretised action stationary: symplectic, so that without forces and with small steps the
energy error does not grow over very long times. All can be jitted, mapped over starts and
differentiated. `reference` is SciPy's DOP853 in float64, an independent oracle.

What depends on time has an argument named `t`, as in `mechanics`; the motion then begins at the
time `t` that a rollout is given, and every stage of a step is told its own.
"""

from lnn_tutorial.integrate.common import double_precision
from lnn_tutorial.integrate.discrete import discrete_lagrangian
from lnn_tutorial.integrate.explicit import METHODS, flow, rk4_step, rollout, through
from lnn_tutorial.integrate.libraries import adaptive, reference
from lnn_tutorial.integrate.variational import (
    variational_rollout,
    variational_step,
    variational_through,
)

__all__ = [  # noqa: RUF022, the order of the API page
    "rollout",
    "flow",
    "through",
    "METHODS",
    "rk4_step",
    "variational_rollout",
    "variational_step",
    "variational_through",
    "discrete_lagrangian",
    "reference",
    "adaptive",
    "double_precision",
]
