r"""The physics to learn: each system knows its Lagrangian, its energy and its true acceleration.

A system is a small frozen dataclass; its constants are its arguments. `lagrangian`, `energy` and
`acceleration` take one state `(q [d], q_dot [d])`; the acceleration is a closed form worked out by
hand, and so an oracle for everything that automatic differentiation says. `sample` draws the states
that a network is trained on. Angles are in radians from the downward vertical; units are SI.

Where the physics depends on something that does not move, such as the strength of a field, that
comes with each state: a third argument of the functions, a third array from `sample`.
"""

from lnn_tutorial.systems.bodies import (
    FallingBall,
    HarmonicOscillator,
    IsotropicOscillator,
    KeplerProblem,
    TwoBodiesOnSpring,
)
from lnn_tutorial.systems.chains import DIFFERENCES, Elastic, MassesOnSprings, WaveEquation
from lnn_tutorial.systems.particles import (
    ChargeInMagneticField,
    PaperParticle,
    ParticleInField,
    RelativisticParticle,
)
from lnn_tutorial.systems.pendulums import (
    DoublePendulum,
    MultiplePendulum,
    Pendulum,
    SphericalPendulum,
    SpringPendulum,
    TriplePendulum,
)
from lnn_tutorial.systems.system import NaturalSystem, System

__all__ = [  # noqa: RUF022, the order of the API page
    "System",
    "NaturalSystem",
    "FallingBall",
    "HarmonicOscillator",
    "IsotropicOscillator",
    "TwoBodiesOnSpring",
    "KeplerProblem",
    "Pendulum",
    "SpringPendulum",
    "SphericalPendulum",
    "MultiplePendulum",
    "DoublePendulum",
    "TriplePendulum",
    "ChargeInMagneticField",
    "ParticleInField",
    "RelativisticParticle",
    "PaperParticle",
    "DIFFERENCES",
    "Elastic",
    "WaveEquation",
    "MassesOnSprings",
]
