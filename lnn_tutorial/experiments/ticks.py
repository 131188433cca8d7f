"""The ticks of the paper's Table 1 as tests, each with a threshold that was set beforehand."""

from dataclasses import dataclass

import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.experiments.kinds import KINDS

SMOOTH = (
    "pendulum",
    "double pendulum",
    "triple pendulum",
    "spring pendulum",
    "spring pendulum, Cartesian",
    "spherical pendulum",
    "Kepler",
    "three bodies",
    "magnetic charge",
    "fast particle",
    "fast particle, rapidity",
)
"""The systems that have a Lagrangian and nothing beside it."""


@dataclass(frozen=True)
class Tick:
    """One row of Table 1 as a test: passed where a figure stays within a limit on every system.

    Args:
        name: as the row is called here.
        figure: of `KindProtocol.figures`, the median of whose members decides.
        limit: how large it may be.
        systems: on which ones.
        small, ratios: where the figure is the drift of an energy, it passes all the same if it is
            below `small` and with twice the step larger by a factor between these two.
    """

    name: str
    figure: str
    limit: float
    systems: tuple[str, ...]
    small: float = 0.0
    ratios: tuple[float, float] = (np.inf, np.inf)

    def __post_init__(self):
        _inputs.positive(limit=self.limit)
        if not self.systems:
            raise ValueError("expected systems to pass on, got none")

    def value(self, figures):
        """The figure that decides, of one cell's figures; infinite where there is none."""
        return _median(figures.get(self.figure))

    def passed(self, figures):
        """Whether one cell passes."""
        value, (low, high) = self.value(figures), self.ratios
        ratio = _median(figures.get("drift_ratio"))
        return value <= self.limit or (value <= self.small and low <= ratio <= high)

    def failed(self, recorded, kind, variant="states"):
        """The systems on which a kind does not pass, a tuple; empty where it earns the tick.

        Args:
            recorded: what `recorded("five_kinds")` returns.
            kind: a name in `KINDS`.
            variant: what was learned from, and for how long.
        """
        _inputs.choice("kind", kind, KINDS)
        cells = {x: recorded["runs"][f"cells, {x}, {kind}"] for x in self.systems}
        for found in cells.values():
            _inputs.choice("variant", variant, found)
        cells = {x: found[variant] for x, found in cells.items()}
        return tuple(x for x, figures in cells.items() if not self.passed(figures))


def _median(members):
    """The median of the members; what was not finite has become None."""
    found = [np.inf if x is None else x for x in members or [None]]
    return float(np.median(found))


TICKS = (
    Tick("models dynamical systems", "motion", 0.1, SMOOTH),
    Tick("learns differential equations", "acceleration", 0.05, SMOOTH),
    Tick("conserves an energy exactly", "drift", 1e-9, SMOOTH, small=1e-2, ratios=(8.0, 128.0)),
    Tick(
        "arbitrary coordinates",
        "acceleration",
        0.05,
        (
            "spring pendulum",
            "spring pendulum, Cartesian",
            "fast particle",
            "fast particle, rapidity",
        ),
    ),
    Tick("arbitrary Lagrangians", "acceleration", 0.05, ("magnetic charge", "fast particle")),
)
"""The five rows of Table 1.

* A motion is off by at most 10 % after one natural time.
* Accelerations at states of new motions are off by at most 5 %.
* The model's own energy strays along its own motions by no more than 10⁻⁹, or only since steps are
  finite: by no more than a hundredth of its standard deviation, and with twice the step 8 to 128
  times as far, where a method of fourth order has 16 or 32.
* Accelerations are within 5 % in either of two coordinates: a spring pendulum's in polar and in
  Cartesian ones, a fast particle's with its velocity and with its rapidity for what is seen.
* So they are where 𝓛 is not a kinetic energy quadratic in q̇ less a potential.

The last two are parts of the second, looked at by themselves: who earns that one earns these.
"""

PAPER_TICKS = {
    "plain": (True, False, False, True, False),
    "ode": (True, True, False, True, False),
    "hnn": (True, True, True, False, False),
    "delan": (True, True, True, True, False),
    "lnn": (True, True, True, True, True),
}
"""Table 1 of the paper, in the order of `TICKS`. Source: Cranmer et al. (2020)."""
