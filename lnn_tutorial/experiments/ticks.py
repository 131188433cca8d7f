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
        ratio: where the figure is the drift of an energy, how many times as large it has to be with
            twice the step, to pass all the same.
    """

    name: str
    figure: str
    limit: float
    systems: tuple[str, ...]
    ratio: float | None = None

    def value(self, figures):
        """The figure that decides, of one cell's figures; infinite where there is none."""
        return _median(figures.get(self.figure))

    def passed(self, figures):
        """Whether one cell passes."""
        if self.value(figures) <= self.limit:
            return True
        return self.ratio is not None and _median(figures.get("drift_ratio"), 0.0) >= self.ratio

    def failed(self, recorded, kind, variant="states"):
        """The systems on which a kind does not pass, a tuple; empty where it earns the tick.

        Args:
            recorded: what `recorded("five_kinds")` returns.
            kind: a name in `KINDS`.
            variant: what was learned from, and for how long.
        """
        _inputs.choice("kind", kind, KINDS)
        cells = {x: recorded["runs"][f"cells, {x}, {kind}"][variant] for x in self.systems}
        return tuple(x for x, figures in cells.items() if not self.passed(figures))


def _median(members, missing=np.inf):
    """The median of five members; what was not finite has become None."""
    found = [missing if x is None else x for x in members or [None]]
    return float(np.median(found))


TICKS = (
    Tick("models dynamical systems", "motion", 0.1, SMOOTH),
    Tick("learns differential equations", "acceleration", 0.05, SMOOTH),
    Tick("conserves an energy exactly", "drift", 1e-9, SMOOTH, ratio=8.0),
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
  finite: with twice the step at least eight times as far, where a method of fourth order has 16.
* Accelerations are as good in either of two coordinates: a spring pendulum's in polar and in
  Cartesian ones, a fast particle's with its velocity and with its rapidity for what is seen.
* Accelerations are as good where 𝓛 is not a kinetic energy quadratic in q̇ less a potential.
"""

PAPER_TICKS = {
    "plain": (True, False, False, True, False),
    "ode": (True, True, False, True, False),
    "hnn": (True, True, True, False, False),
    "delan": (True, True, True, True, False),
    "lnn": (True, True, True, True, True),
}
"""Table 1 of the paper, in the order of `TICKS`. Source: Cranmer et al. (2020)."""
