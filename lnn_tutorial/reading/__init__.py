r"""What a learned Lagrangian says: its symmetries, what they conserve, and its formula.

Both are null spaces. A displacement of the coordinates is a symmetry where a linear map takes it to
zero; a sum of terms is a Lagrangian of the motion where another one does::

    states = system.sample(jax.random.key(0), 3000)
    lagrangian = partial(model.lagrangian, params)
    print(reading.symmetries(lagrangian, states, angles=model.angles))

    library = reading.angles(2) * (reading.terms("1") + reading.velocities(2))
    acceleration = partial(model.acceleration, params)
    print(reading.formula(acceleration, states, library, angles=model.angles))
"""

from lnn_tutorial.reading.formula import Formula, FormulaError, Sum, formula
from lnn_tutorial.reading.libraries import (
    FUNCTIONS,
    Library,
    angles,
    coordinates,
    distances,
    latex,
    terms,
    velocities,
)
from lnn_tutorial.reading.states import States
from lnn_tutorial.reading.symmetries import Symmetries, Symmetry, symmetries

__all__ = [  # noqa: RUF022, the order of the API page
    "symmetries",
    "Symmetries",
    "Symmetry",
    "formula",
    "Formula",
    "Sum",
    "FormulaError",
    "Library",
    "FUNCTIONS",
    "terms",
    "coordinates",
    "velocities",
    "angles",
    "distances",
    "latex",
    "States",
]
