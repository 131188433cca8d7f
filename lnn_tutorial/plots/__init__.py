"""Figures, tables, numbers in prose, sliders and films that also work in a static page.

The import changes nothing; `use_style` sets the looks. `table` shows what was measured, `number`
and `glue` bring it into the prose. `interactive` turns a function that draws into a player that
needs no kernel. The rest draws what several chapters share: each takes axes or makes them, and
returns them.
"""

from lnn_tutorial.plots.colours import COLOURS, LABELS, OTHERS
from lnn_tutorial.plots.curves import energy, loss_curves, pendulum, trajectory
from lnn_tutorial.plots.learned import learned, save_learned
from lnn_tutorial.plots.matrix import Matrix, matrix
from lnn_tutorial.plots.player import Player, interactive
from lnn_tutorial.plots.prose import glue, number
from lnn_tutorial.plots.style import panels, use_style
from lnn_tutorial.plots.tables import Table, table

__all__ = [
    "COLOURS",
    "LABELS",
    "OTHERS",
    "Matrix",
    "Player",
    "Table",
    "energy",
    "glue",
    "interactive",
    "learned",
    "loss_curves",
    "matrix",
    "number",
    "panels",
    "pendulum",
    "save_learned",
    "table",
    "trajectory",
    "use_style",
]
