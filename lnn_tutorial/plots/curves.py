"""Figures that several chapters share: each takes axes or makes them, and returns them."""

import itertools
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from lnn_tutorial import _inputs
from lnn_tutorial.plots.colours import COLOURS, LABELS, OTHERS


def trajectory(
    t: np.ndarray, curves: Mapping[str, np.ndarray], *, ylabel: str, ax: Axes | None = None
) -> Axes:
    """One curve over time for each model, in the models' colours.

    `t` has shape [n] in seconds, `curves` maps names to arrays [n]; `ylabel` names the quantity
    and its unit. Names in `COLOURS` get their own colour, others one of `OTHERS`.
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

    A name that is no model gets the next colour of `OTHERS` that is not yet in the axes; when
    these are used up they come again, dashed.
    """
    label = {"label": LABELS.get(name, name)}
    if name in COLOURS:
        truth = {"linewidth": 2.6, "zorder": 1.5} if name == "truth" else {}
        return label | {"color": COLOURS[name], "linestyle": "-"} | truth
    used = {(line.get_linestyle(), to_hex(line.get_color())) for line in ax.lines}
    choices = [(dash, colour) for dash in ("-", "--") for colour in OTHERS]
    free = [(dash, colour) for dash, colour in choices if (dash, to_hex(colour)) not in used]
    dash, colour = next(iter(free), choices[-1])
    return label | {"color": colour, "linestyle": dash}
