"""One page on what was learned from a table: a motion, the errors, the energy, the training."""

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lnn_tutorial import store
from lnn_tutorial.plots.colours import COLOURS, LABELS, OTHERS
from lnn_tutorial.plots.curves import loss_curves
from lnn_tutorial.plots.style import panels, use_style

KINDS = {"LNN": "lnn", "DeLaN": "delan", "PlainNetwork": "plain"}
"""The names in `COLOURS` of the models that `learning.learn` takes."""


def learned(found: Any) -> Figure:
    """A figure of a `learning.Learned`: a held-out motion, errors by horizon, energy, losses."""
    figure, ((motion, errors), (energy, losses)) = panels(2, 2, height=6.2)
    kinds = {"model": KINDS[type(found.model).__name__]}
    if found.plain_fit is not None:
        kinds["plain"] = "plain"
    _motion(motion, found.report, kinds)
    _errors(errors, found.report, kinds)
    _energy(energy, found.report, kinds["model"])
    fits = {"model": found.fit, "plain": found.plain_fit}
    loss_curves({kind: fits[name].losses for name, kind in kinds.items()}, ax=losses)
    losses.set_title("training, round by round")
    return figure


def save_learned(found: Any, path: Any) -> None:
    """Write that figure as a PNG in the book's style, which is not left set."""
    with mpl.rc_context():
        use_style()
        figure = learned(found)
        store.write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=160))
        plt.close(figure)


def _motion(ax: Axes, report: Any, kinds: dict[str, str]) -> None:
    """The last coordinate of a held-out motion, and where the models say that it goes."""
    ax.set(title="a held-out motion", xlabel="seconds after the last frame that was used")
    unit = report.units[-1]
    ax.set_ylabel(f"{report.names[-1]} ({unit})" if unit else report.names[-1])
    for name, kind in kinds.items():
        curve = report.curves[name].get("rollout")
        if curve is None:
            continue
        if name == "model":
            ax.plot(curve["after"], curve["measured"][:, -1], ".", color="black", ms=3,
                    label="measured")  # fmt: skip
        ax.plot(curve["after"], curve["predicted"][:, -1], color=COLOURS[kind], lw=1.3,
                label=LABELS[kind])  # fmt: skip
    ax.legend()


def _errors(ax: Axes, report: Any, kinds: dict[str, str]) -> None:
    """Errors in units of the noise, by horizon: open marks are bounds."""
    noise = np.array(report.figures["noise"])
    horizons = np.array(report.figures["horizons"])
    for name, kind in kinds.items():
        error, bound = (
            np.array(report.figures[name][key]) / noise for key in ("error", "error_at_most")
        )
        seen = ~np.isnan(error)
        shown = np.where(seen, error, bound).max(axis=1)
        shown = np.where(np.isfinite(shown), shown, np.nan)
        ax.plot(horizons, shown, color=COLOURS[kind], label=LABELS[kind])
        whole = seen.all(axis=1)
        ax.plot(horizons[whole], shown[whole], "o", color=COLOURS[kind])
        ax.plot(horizons[~whole], shown[~whole], "o", color=COLOURS[kind], mfc="white")
    ax.axhline(1, color=OTHERS[3], lw=1, ls="--", label="noise")
    ax.set(title="error of the positions (open: at most)", xscale="log", yscale="log")
    ax.set(xlabel="horizon (s)", ylabel="error / noise")
    ax.legend()


def _energy(ax: Axes, report: Any, kind: str) -> None:
    """The learned energy along held-out motions."""
    curves = report.curves["model"].get("energy")
    ax.set(title="learned energy, held-out motions", xlabel="time (s)")
    ax.set_ylabel("energy / largest kinetic energy")
    if curves is None:
        ax.text(0.5, 0.5, "a plain network has none", ha="center", transform=ax.transAxes)
        return
    for label in np.unique(curves["label"])[:8]:
        of = curves["label"] == label
        ax.plot(curves["t"][of] - curves["t"][of][0], curves["energy"][of], lw=1,
                color=COLOURS[kind])  # fmt: skip
