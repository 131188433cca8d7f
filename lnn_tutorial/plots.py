"""Figures, sliders and animations that also work in a static page.

The import changes nothing; `use_style` sets the looks. `interactive` turns a function that draws
into a player that needs no kernel. The functions after it draw what several chapters share: each
takes axes or makes them, and returns them.
"""

import itertools
import re
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from lnn_tutorial import _inputs
from lnn_tutorial._player import Player, interactive

__all__ = [
    "COLOURS",
    "LABELS",
    "Player",
    "energy",
    "glue",
    "interactive",
    "loss_curves",
    "pendulum",
    "trajectory",
    "use_style",
]

COLOURS = {
    "truth": "#000000",
    "lnn": "#0072B2",
    "plain": "#D55E00",
    "hnn": "#009E73",
    "delan": "#CC79A7",
    "hnn_canonical": "#56B4E9",
    "lgn": "#E69F00",
}
"""One colour per model in the whole book, colour-blind safe (Okabe and Ito, 2008)."""

LABELS = {
    "truth": "true system",
    "lnn": "Lagrangian network",
    "plain": "plain network",
    "hnn": "Hamiltonian network",
    "delan": "deep Lagrangian network",
    "hnn_canonical": "Hamiltonian network, canonical",
    "lgn": "Lagrangian graph network",
}
"""What a legend calls each model."""


def use_style() -> None:
    """Set matplotlib's rcParams to the book's style. Notebooks call it in their setup cell."""
    others = [c for name, c in COLOURS.items() if name != "truth"]
    mpl.rcParams.update(
        {
            "figure.figsize": (6.4, 3.6),
            "figure.dpi": 120,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "white",
            "svg.hashsalt": "lnn_tutorial",
            "font.size": 11,
            "axes.titlesize": 11,
            "axes.labelsize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": mpl.cycler(color=others),
            "axes.facecolor": "white",
            "legend.frameon": False,
            "legend.fontsize": 10,
            "lines.linewidth": 1.8,
        }
    )


def glue(name: str, value: Any) -> None:
    """Store a number or text under a name, so that prose can show it.

    In prose, `` {glue:text}`name` `` shows the text, `` {glue:text}`name:.2f` `` a number with two
    decimals. Numbers keep six digits. The cell itself shows nothing, so print the value as well.
    This is MyST-NB's glue without the dependency, so it also runs where MyST-NB is missing.

    Raises ValueError for a name that is not letters, digits and _ (it starts with a letter), and
    for a number that is not finite; TypeError for a value that is neither a number nor text.
    """
    from IPython.display import display

    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ValueError(
            f"expected a name of letters, digits and _, such as ch1_action, got {name!r}"
        )
    mime_prefix = "application/papermill.record/"
    display(
        {mime_prefix + "text/plain": repr(_text(value))},
        raw=True,
        metadata={
            "scrapbook": {"name": name, "mime_prefix": mime_prefix},
            "strip_text_quotes": True,
        },
    )


def _text(value: Any) -> str:
    """A number with six digits, text as it is."""
    if isinstance(value, str):
        return value
    if np.size(value) != 1 or np.asarray(value).dtype.kind not in "biuf":
        raise TypeError(f"expected one number or text to glue, got {type(value).__name__}")
    number = np.asarray(value).item()
    if not np.isfinite(number):
        raise ValueError(f"expected a finite number to glue, got {number}")
    return f"{number:.6g}" if isinstance(number, float) else str(number)


# --- Figures that chapters share ------------------------------------------------------


def trajectory(
    t: np.ndarray, curves: Mapping[str, np.ndarray], *, ylabel: str, ax: Axes | None = None
) -> Axes:
    """One curve over time for each model, in the models' colours.

    `t` has shape [n] in seconds, `curves` maps names to arrays [n]; `ylabel` names the quantity
    and its unit. Names in `COLOURS` get their own colour, others the next free one.
    Raises ValueError where shapes differ.
    """
    curves = _named(curves)
    if np.ndim(t) != 1:
        raise ValueError(f"expected t of shape [n], got {np.shape(t)}")
    for name, curve in curves.items():
        if curve.shape != np.shape(t):
            raise ValueError(f"expected {name} of the shape {np.shape(t)} of t, got {curve.shape}")
    ax = _axes(ax)
    for name, curve in curves.items():
        ax.plot(t, curve, **_look(name, ax))
    ax.set(xlabel="time (s)", ylabel=ylabel)
    if len(curves) > 1:
        ax.legend()
    return ax


def energy(
    t: np.ndarray,
    energies: Mapping[str, np.ndarray],
    *,
    ylabel: str = "energy (J)",
    ax: Axes | None = None,
) -> Axes:
    """The energy over time for each model: flat where it is conserved. Else as `trajectory`."""
    return trajectory(t, energies, ylabel=ylabel, ax=ax)


def loss_curves(
    losses: Mapping[str, np.ndarray],
    *,
    window: int = 101,
    ylabel: str = "loss",
    ax: Axes | None = None,
) -> Axes:
    """The loss at every training step, faint, and its running median over `window` steps.

    `losses` maps names to positive arrays [steps], which may differ in length.
    Raises ValueError for other shapes and for a window below one.
    """
    losses = _named(losses)
    _inputs.count(window=window)
    for name, loss in losses.items():
        if loss.ndim != 1 or loss.size == 0:
            raise ValueError(f"expected the losses of {name} of shape [steps], got {loss.shape}")
    ax = _axes(ax)
    for name, loss in losses.items():
        look = _look(name, ax)
        windows = np.lib.stride_tricks.sliding_window_view(loss, min(window, loss.size))
        middle = np.arange(len(windows)) + windows.shape[1] // 2
        ax.plot(middle, np.median(windows, axis=1), **look)
        ax.plot(loss, color=look["color"], alpha=0.2, linewidth=0.6, zorder=1)
    ax.set(xlabel="training step", ylabel=ylabel, yscale="log")
    ax.legend()
    return ax


def pendulum(
    points: np.ndarray,
    *,
    name: str = "truth",
    arms: int = 1,
    spring: bool = False,
    reach: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A pendulum that hangs from the origin: where it is at last, and how it came there.

    `points` are the bobs' Cartesian positions in metres, [times, 2] or [times, bobs, 2], y upward.
    The path of the last bob is a thin line. `arms` positions, spread evenly over the times, are
    drawn as in a stroboscopic picture, the last in full and the earlier fainter. `spring` draws
    the rods as springs. `reach` fixes the half-width of the axes, which a film needs.
    Raises ValueError for points of other shapes, not finite where no `reach` is given, and for
    fewer arms than one.
    """
    _inputs.count(arms=arms)
    if reach is not None:
        _inputs.positive(reach=reach)
    points = np.asarray(points, dtype=float)
    bobs = points[:, None] if points.ndim == 2 else points
    if bobs.ndim != 3 or bobs.shape[-1] != 2 or bobs.size == 0:
        raise ValueError(
            f"expected points of shape [times, 2] or [times, bobs, 2], got {points.shape}"
        )
    if reach is None and not np.isfinite(bobs).all():
        raise ValueError("expected points that are finite, or a reach, but some are not")
    ax = _axes(ax)
    colour = _look(name, ax)["color"]
    ax.plot(*bobs[:, -1].T, color=colour, alpha=0.4, linewidth=1)
    last = len(bobs) - 1
    drawn = np.unique(np.linspace(0, last, arms).round().astype(int)) if arms > 1 else [last]
    for i, alpha in zip(drawn, np.linspace(1.0, 0.2, len(drawn))[::-1], strict=True):
        joints = itertools.pairwise([np.zeros(2), *bobs[i]])
        rods = np.vstack([_spring(a, b) if spring else [a, b] for a, b in joints])
        ax.plot(*rods.T, color=colour, alpha=alpha, linewidth=1.4)
        ax.plot(*bobs[i].T, "o", color=colour, alpha=alpha, markersize=9, markeredgewidth=0)
    ax.plot(0, 0, "s", color="0.5", markersize=5)
    reach = 1.1 * np.abs(bobs).max() if reach is None else reach
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set(xlabel="x (m)", ylabel="y (m)")
    return ax


def _spring(a: np.ndarray, b: np.ndarray, coils: int = 9, width: float = 0.05) -> np.ndarray:
    """A zigzag of points from a to b."""
    along = np.linspace(0.0, 1.0, 2 * coils + 2)
    across = np.where(np.arange(along.size) % 2, width, -width)
    across[[0, 1, -2, -1]] = 0.0
    normal = np.array([a[1] - b[1], b[0] - a[0]]) / max(np.linalg.norm(b - a), 1e-12)
    return a + along[:, None] * (b - a) + across[:, None] * normal


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots()[1] if ax is None else ax


def _named(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    if not isinstance(arrays, Mapping) or not arrays:
        raise TypeError(f"expected a dict from names to arrays, got {arrays!r}")
    return {name: np.asarray(array) for name, array in arrays.items()}


def _look(name: str, ax: Axes) -> dict[str, Any]:
    """Colour and label of a model's curve; the truth lies beneath the others, a little wider.

    A name that is no model gets a colour not yet in the axes, the rarest models' first.
    """
    used = [line.get_color() for line in ax.lines]
    free = [colour for colour in reversed(COLOURS.values()) if colour not in used]
    colour = COLOURS.get(name) or next(iter(free), "0.5")
    look = {"color": colour, "label": LABELS.get(name, name)}
    return look | ({"linewidth": 2.6, "zorder": 1.5} if name == "truth" else {})
