"""Checks for the exercises: each tells right from wrong and gives no answer away.

A check is a function decorated with `check` that looks at an answer and returns a `Verdict`.
As the last line of a cell it shows as plain text:

>>> compare(2.0, expected=1.0, name="The energy")
✗ The energy is off by a factor of 2.

A verdict says what is wrong. What to think about comes on request: `hint` gives one hint after
another on the answer that was checked last. `progress` is a table of what is solved, and keeps
it in a file if you name one.

`logbook` holds hints and progress, `verdict` what all checks share; then comes one module per
chapter, and one for the primer. `cases` are what the checks of chapter 11 are tried on.
"""

from lnn_tutorial.checks.chapter1 import bend_coefficient, fastest_slide, gauge, hoop, throw_action
from lnn_tutorial.checks.chapter2 import (
    bead_on_parabola,
    double_pendulum_mass,
    one_scalar_of_a_matrix,
    spherical_pendulum,
    two_masses,
)
from lnn_tutorial.checks.chapter3 import (
    batch_energies,
    error_power,
    imbalance,
    mended_lagrangian,
    trained_pendulum,
)
from lnn_tutorial.checks.chapter4 import bell, last_layer, one_layer, slides, tail
from lnn_tutorial.checks.chapter5 import (
    friction,
    gauged_lagrangian,
    heavier_pendulum,
    honest_split,
    last_frame,
)
from lnn_tutorial.checks.chapter6 import (
    best_constant,
    kinetic_energy,
    magnetic_field,
    partner_bracket,
)
from lnn_tutorial.checks.chapter7 import bands, cylinder, hanging_string, slipped_speed
from lnn_tutorial.checks.chapter8 import heun_step, learned_stiffness, sensitivity, windows
from lnn_tutorial.checks.chapter9 import (
    best_step,
    learned_stiffness_midpoint,
    local_acceleration,
    next_position,
)
from lnn_tutorial.checks.chapter10 import joint_friction, late_law, rest_angle, upper_arm
from lnn_tutorial.checks.chapter11 import (
    lagrangian_change,
    noether,
    symmetry_columns,
    term_residuals,
    total_derivative,
)
from lnn_tutorial.checks.logbook import Hint, Progress, Row, hint, progress
from lnn_tutorial.checks.primer import deep_network, descend
from lnn_tutorial.checks.verdict import Verdict, ask, check, compare, missing, right, wrong

__all__ = [
    "Hint",
    "Progress",
    "Row",
    "Verdict",
    "ask",
    "bands",
    "batch_energies",
    "bead_on_parabola",
    "bell",
    "bend_coefficient",
    "best_constant",
    "best_step",
    "check",
    "compare",
    "cylinder",
    "deep_network",
    "descend",
    "double_pendulum_mass",
    "error_power",
    "fastest_slide",
    "friction",
    "gauge",
    "gauged_lagrangian",
    "hanging_string",
    "heavier_pendulum",
    "heun_step",
    "hint",
    "honest_split",
    "hoop",
    "imbalance",
    "joint_friction",
    "kinetic_energy",
    "lagrangian_change",
    "last_frame",
    "last_layer",
    "late_law",
    "learned_stiffness",
    "learned_stiffness_midpoint",
    "local_acceleration",
    "magnetic_field",
    "mended_lagrangian",
    "missing",
    "next_position",
    "noether",
    "one_layer",
    "one_scalar_of_a_matrix",
    "partner_bracket",
    "progress",
    "rest_angle",
    "right",
    "sensitivity",
    "slides",
    "slipped_speed",
    "spherical_pendulum",
    "symmetry_columns",
    "tail",
    "term_residuals",
    "throw_action",
    "total_derivative",
    "trained_pendulum",
    "two_masses",
    "upper_arm",
    "windows",
    "wrong",
]
