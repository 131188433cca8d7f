"""The book's one figure system: sizes, text, and how a session shows a figure."""

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from lnn_tutorial.plots.colours import OTHERS
from lnn_tutorial.plots.pictures import show_in_notebooks

WIDTHS = {1: 5.6, 2: 7.6, 3: 7.6}


def use_style() -> None:
    """Set matplotlib's rcParams to the book's style. Notebooks call it in their setup cell.

    Where IPython runs, figures are then shown as SVG, 96 pixels an inch wide, sharp at every size.
    """
    mpl.rcParams.update(
        {
            "figure.figsize": (WIDTHS[1], 3.3),
            "figure.dpi": 120,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "svg.hashsalt": "lnn_tutorial",
            "font.size": 10.5,
            "axes.titlesize": 10.5,
            "axes.labelsize": 10.5,
            "xtick.labelsize": 10.5,
            "ytick.labelsize": 10.5,
            "legend.fontsize": 9.5,
            "legend.title_fontsize": 9.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": mpl.cycler(color=OTHERS),
            "axes.facecolor": "white",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
        }
    )
    show_in_notebooks()


def panels(
    columns: int = 1, rows: int = 1, *, height: float | None = None, **settings: Any
) -> tuple[Figure, Any]:
    """A figure of the book's widths and its axes: `fig, (left, right) = panels(2)`.

    One column is 5.6 in wide, two or three are 7.6 in, so that text has one size on the page.
    `height` is that of the whole figure in inches; left out, a row is 3.3 in high, 2.9 in where
    columns share the width. `settings` go to `plt.subplots`. Returns the figure and one axes or an
    array of axes, as `plt.subplots` does.
    Raises ValueError for other than one to three columns, less than one row, a height that is not
    positive, or a `figsize`.
    """
    if columns not in WIDTHS:
        raise ValueError(f"expected one to three columns, got {columns!r}")
    if not isinstance(rows, int) or rows < 1:
        raise ValueError(f"expected at least one row, got {rows!r}")
    if "figsize" in settings:
        raise ValueError("expected height=…, got figsize: the width follows from the columns")
    if height is None:
        height = rows * (3.3 if columns == 1 else 2.9)
    if not height > 0:
        raise ValueError(f"expected a positive height, got {height}")
    return plt.subplots(rows, columns, figsize=(WIDTHS[columns], height), **settings)
