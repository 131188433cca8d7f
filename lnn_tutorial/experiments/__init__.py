"""The experiments of the book, headless: train, measure, return what JSON can hold.

`python -m lnn_tutorial reproduce NAME` runs them; the chapters show the same recipes step by step.
"""

from lnn_tutorial.experiments.arm import (
    ARM_LIKE,
    ARM_NOISE,
    ARM_TORQUES,
    ARM_TRAINING,
    ARM_UNSEEN,
    ArmProtocol,
    ArmRecipe,
    Zeroed,
    arm_frames,
    arm_friction,
    arm_models,
    robot_arm,
)
from lnn_tutorial.experiments.double import (
    PAPER_LOSSES,
    STATES,
    double_pendulum,
    double_pendulum_models,
    double_pendulum_protocol,
    double_pendulum_recipe,
    paper_models,
    paper_recipe,
)
from lnn_tutorial.experiments.fivekinds import LONG, five_kinds, followed_for_long
from lnn_tutorial.experiments.kinds import (
    FASTER,
    KINDS,
    MOTIONS,
    Contest,
    contests,
)
from lnn_tutorial.experiments.matrix import (
    BATCH,
    KIND_SIGNALS,
    PEAKS,
    KindProtocol,
    KindRecipe,
)
from lnn_tutorial.experiments.measured import (
    HELD_OUT,
    NOISE,
    VALIDATION,
    MeasuredProtocol,
    MeasuredRecipe,
    measured_frames,
    measured_models,
    measured_pendulum,
    training_pieces,
)
from lnn_tutorial.experiments.motions import (
    SETTINGS,
    MotionProtocol,
    MotionRecipe,
    measured_motions,
    motion,
    motion_models,
    motion_recipe,
)
from lnn_tutorial.experiments.particle import (
    LONG_POLISH,
    PARTICLES,
    ParticleProtocol,
    oscillator_models,
    particle_models,
    particle_recipe,
    relativistic_particle,
)
from lnn_tutorial.experiments.reading import (
    READ_STATES,
    READ_STEPS,
    Readable,
    ReadingProtocol,
    read_measured,
    readable_systems,
    rolled_out,
)
from lnn_tutorial.experiments.recipe import (
    NoiseProtocol,
    OptionError,
    Polish,
    Recipe,
    command_line,
    compete,
    recorded,
    result,
)
from lnn_tutorial.experiments.signals import (
    SIGNALS,
    WAYS,
    Measured,
    SignalProtocol,
    SignalRecipe,
    measured_positions,
)
from lnn_tutorial.experiments.spring import spring_pendulum
from lnn_tutorial.experiments.ticks import PAPER_TICKS, SMOOTH, TICKS, Tick
from lnn_tutorial.experiments.waves import (
    LARGER_RINGS,
    LONG_FIELD_POLISH,
    TRAINING_RING,
    WAVES,
    WEB,
    WaveProtocol,
    field_model,
    field_recipe,
    larger_ring,
    wave,
    wave_dispersion,
)

__all__ = [  # noqa: RUF022, the order of the API page
    "EXPERIMENTS",
    "recorded",
    # recipe
    "Polish",
    "Recipe",
    "NoiseProtocol",
    "compete",
    "result",
    "command_line",
    "OptionError",
    # spring
    "spring_pendulum",
    # double
    "STATES",
    "PAPER_LOSSES",
    "double_pendulum",
    "double_pendulum_models",
    "double_pendulum_recipe",
    "double_pendulum_protocol",
    "paper_models",
    "paper_recipe",
    # particle
    "PARTICLES",
    "relativistic_particle",
    "particle_models",
    "oscillator_models",
    "particle_recipe",
    "LONG_POLISH",
    "ParticleProtocol",
    # waves
    "WAVES",
    "wave",
    "field_model",
    "field_recipe",
    "TRAINING_RING",
    "LONG_FIELD_POLISH",
    "LARGER_RINGS",
    "WEB",
    "WaveProtocol",
    "larger_ring",
    "wave_dispersion",
    # motion
    "SETTINGS",
    "motion",
    "measured_motions",
    "motion_models",
    "motion_recipe",
    "MotionRecipe",
    "MotionProtocol",
    # signals
    "SIGNALS",
    "WAYS",
    "measured_positions",
    "Measured",
    "SignalRecipe",
    "SignalProtocol",
    # reading
    "READ_STEPS",
    "READ_STATES",
    "Readable",
    "readable_systems",
    "ReadingProtocol",
    "rolled_out",
    "read_measured",
    # kinds
    "KINDS",
    "MOTIONS",
    "FASTER",
    "Contest",
    "contests",
    # matrix
    "KIND_SIGNALS",
    "PEAKS",
    "BATCH",
    "KindRecipe",
    "KindProtocol",
    "five_kinds",
    "LONG",
    "followed_for_long",
    # ticks
    "SMOOTH",
    "Tick",
    "TICKS",
    "PAPER_TICKS",
    # measured
    "HELD_OUT",
    "VALIDATION",
    "NOISE",
    "measured_pendulum",
    "training_pieces",
    "measured_frames",
    "measured_models",
    "MeasuredRecipe",
    "MeasuredProtocol",
    # arm
    "ARM_TRAINING",
    "ARM_LIKE",
    "ARM_UNSEEN",
    "ARM_TORQUES",
    "ARM_NOISE",
    "robot_arm",
    "arm_frames",
    "arm_friction",
    "arm_models",
    "Zeroed",
    "ArmRecipe",
    "ArmProtocol",
]

EXPERIMENTS = {
    "double-pendulum": double_pendulum,
    "five-kinds": five_kinds,
    "measured-pendulum": measured_pendulum,
    "motion": motion,
    "relativistic-particle": relativistic_particle,
    "robot-arm": robot_arm,
    "spring-pendulum": spring_pendulum,
    "wave": wave,
}
"""Experiments by the name that `reproduce` takes."""
