"""Draw `_static/preview.png`, the picture of the README and of shared links.

    python scripts/make_preview.py

It runs the cells of the start page up to its film, and draws the film's pendulums with the trace of
their last four seconds above the energy of the whole run.
"""

import re
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import nbformat
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "chapters" / "welcome.ipynb"
PICTURE = ROOT / "_static" / "preview.png"


def main():
    page = run_page()
    plots, middle, clock = page["plots"], page["middle"], page["clock"]
    now = 4980  # where no pendulum is folded up
    figure = plt.figure(figsize=(6.4, 3.36), layout="none")
    swing = figure.add_axes([0, 0.4, 1, 0.6])
    graph = figure.add_axes([0.105, 0.145, 0.865, 0.25])
    for place, (name, bob) in zip((-4.4, 0, 4.4), page["bobs"].items(), strict=True):
        colour = plots.COLOURS[name]
        trace = bob[now - 200 : now + 1, 1] + np.array([place, 0])
        swing.add_collection(fading(trace, colour))
        rods = np.vstack([[0, 0], bob[now]]) + np.array([place, 0])
        swing.plot(*rods.T, color=colour, linewidth=2.4, solid_joinstyle="round")
        swing.plot(*rods[1:].T, "o", color=colour, markersize=10, markeredgewidth=0)
        swing.plot(place, 0, "s", color="black", markersize=4.5)
        label = plots.LABELS[name]
        swing.text(place, 1.5, label, color=colour, ha="center", fontsize=12, weight="bold")
        graph.plot(clock[::25], page["drift"][name][middle, ::25], color=colour, linewidth=1.8)
    swing.set(xlim=(-6.9, 6.9), ylim=(-2.2, 2.1), aspect="equal")
    swing.axis("off")
    graph.set(xlim=(0, 100), ylim=(-10, 10), yticks=[-10, 0, 10])
    graph.set_xlabel("time (s)", fontsize=10)
    graph.set_ylabel("energy drift (%)", fontsize=9.5)
    graph.tick_params(labelsize=10)
    figure.savefig(PICTURE, dpi=200)
    Image.open(PICTURE).convert("RGB").quantize(128).save(PICTURE, optimize=True)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1000:.0f} kB")


def run_page():
    """The names that the start page's code defines, up to its film."""
    names = {}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            source = re.sub(r"^    %pip .*$", "    pass", cell.source, flags=re.MULTILINE)
            exec(source.split("plots.interactive(")[0], names)
            if "bobs" in names:
                return names
    raise ValueError(f"expected a cell of {NOTEBOOK.name} that defines bobs")


def fading(path, colour):
    """A line through the points of `path` that fades towards its beginning."""
    pieces = np.stack([path[:-1], path[1:]], axis=1)
    shades = np.tile(to_rgba(colour), (len(pieces), 1))
    shades[:, 3] = np.linspace(0, 0.8, len(pieces)) ** 1.5
    return LineCollection(pieces, colors=shades, linewidths=2)


if __name__ == "__main__":
    main()
