r"""Fields: a Lagrangian that is a sum over neighbourhoods, and its accelerations in linear time.

A field has one value φᵢ at each node. The same density ℓ looks at the few nodes Nᵢ around each,

    𝓛(φ, φ̇) = Σᵢ ℓ(φ[Nᵢ], φ̇[Nᵢ]),

and the rows Nᵢ of an array of indices say what is around what: a ring, a membrane, any graph. A
density is a Lagrangian of k coordinates as `mechanics` takes it, written down or learned::

    string = lambda phi, phi_dot: 0.5 * phi_dot[1] ** 2 - 0.5 * (phi[2] - phi[1]) ** 2
    acceleration(string, ring(100))(phi, phi_dot)      # [100]

Each neighbourhood adds the k × k mass matrix of ℓ to that of 𝓛, which is therefore sparse: on a
ring of three-node neighbourhoods it has five entries in a row. For neighbourhoods of one size, time
and memory grow with the number of nodes and no faster; only the solver `"dense"` is for few nodes.
"""

from lnn_tutorial.fields.density import energy, equation_of_motion, euler_lagrange, lagrangian
from lnn_tutorial.fields.mass import coloured_hessian, mass_matrix, mass_times
from lnn_tutorial.fields.motion import acceleration, dispersion
from lnn_tutorial.fields.neighbourhoods import Neighbourhoods, graph, line, membrane, ring
from lnn_tutorial.fields.network import LagrangianGraphNetwork
from lnn_tutorial.fields.solvers import SOLVERS

__all__ = [  # noqa: RUF022, the order of the API page
    "BLOCK",
    "Neighbourhoods",
    "ring",
    "line",
    "membrane",
    "graph",
    "lagrangian",
    "energy",
    "equation_of_motion",
    "mass_times",
    "mass_matrix",
    "coloured_hessian",
    "acceleration",
    "euler_lagrange",
    "dispersion",
    "LagrangianGraphNetwork",
    "SOLVERS",
]

BLOCK = 16384
"""How many neighbourhoods are worked on at a time; this bounds the memory."""
