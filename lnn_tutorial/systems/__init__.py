r"""The physics to learn: each system knows its Lagrangian, its energy and its true acceleration.

A system is a small frozen dataclass; its constants are its arguments. `lagrangian`, `energy` and
`acceleration` take one state `(q [d], q_dot [d])`; the acceleration is a closed form worked out by
hand, and so an oracle for everything that automatic differentiation says. `sample` draws the states
that a network is trained on. Angles are in radians from the downward vertical; units are SI.

What the Lagrangian leaves out, the system says: friction is a `force` beside it, and the bounces of
a ball stand in `exact`.

Where the physics depends on something that does not move, such as the strength of a field, that
comes with each state: a third argument of the functions, a third array from `sample`.
"""

from lnn_tutorial.systems.bodies import (
    BouncingBall,
    FallingBall,
    HarmonicOscillator,
    IsotropicOscillator,
    KeplerProblem,
    ThreeBodies,
    TwoBodiesOnSpring,
)
from lnn_tutorial.systems.chains import (
    DIFFERENCES,
    CoupledPendulums,
    Elastic,
    MassesOnSprings,
    WaveEquation,
)
from lnn_tutorial.systems.particles import (
    ChargeInMagneticField,
    PaperParticle,
    ParticleInField,
    RelativisticParticle,
)
from lnn_tutorial.systems.pendulums import (
    DampedPendulum,
    DoublePendulum,
    MultiplePendulum,
    Pendulum,
    SphericalPendulum,
    SpringPendulum,
    SpringPendulumCartesian,
    TriplePendulum,
)
from lnn_tutorial.systems.system import NaturalSystem, System

__all__ = [  # noqa: RUF022, the order of the API page
    "System",
    "NaturalSystem",
    "FallingBall",
    "BouncingBall",
    "HarmonicOscillator",
    "IsotropicOscillator",
    "TwoBodiesOnSpring",
    "KeplerProblem",
    "ThreeBodies",
    "Pendulum",
    "DampedPendulum",
    "SpringPendulum",
    "SpringPendulumCartesian",
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
    "CoupledPendulums",
    "MassesOnSprings",
]
