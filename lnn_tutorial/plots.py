"""Figures, sliders and animations that also work in a static page.

The import changes nothing; `use_style` sets the looks. Every function that draws takes axes or
makes them, and returns them. `interactive` turns a function that draws into a player which needs
no kernel and no network.
"""

import base64
import hashlib
import io
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

COLOURS = {
    "truth": "#000000",
    "lnn": "#0072B2",
    "black_box": "#D55E00",
    "hnn": "#009E73",
    "delan": "#CC79A7",
    "hnn_canonical": "#56B4E9",
    "lgn": "#E69F00",
}
"""One colour per model in the whole book, colour-blind safe (Okabe and Ito, 2008)."""

LABELS = {
    "truth": "true system",
    "lnn": "Lagrangian network",
    "black_box": "plain network",
    "hnn": "Hamiltonian network",
    "delan": "deep Lagrangian network",
    "hnn_canonical": "Hamiltonian network, canonical",
    "lgn": "Lagrangian graph network",
}
"""What a legend calls each model."""

MAX_FRAMES = 500


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
    ax = _axes(ax)
    for name, curve in _named(curves, "curves"):
        if np.shape(t) != curve.shape:
            raise ValueError(f"expected {name} of the shape {np.shape(t)} of t, got {curve.shape}")
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
    """
    ax = _axes(ax)
    for name, loss in _named(losses, "losses"):
        if loss.ndim != 1:
            raise ValueError(f"expected the losses of {name} of shape [steps], got {loss.shape}")
        look = _look(name, ax)
        width = min(window, loss.size)
        windows = np.lib.stride_tricks.sliding_window_view(loss, width)
        middle = np.arange(len(windows)) + width // 2
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
    """A pendulum that hangs from the origin: its last position, and how it came there.

    `points` are the bobs' Cartesian positions in metres, [times, 2] or [times, bobs, 2], y upward.
    The path of the last bob is a thin line. `arms` positions, spread evenly over the times, are
    drawn as in a stroboscopic picture, the last in full and the earlier fainter. `spring` draws
    the rods as springs. `reach` fixes the half-width of the axes, which a film needs.
    """
    points = np.asarray(points, dtype=float)
    points = points[:, None] if points.ndim == 2 else points
    if points.ndim != 3 or points.shape[-1] != 2 or 0 in points.shape:
        raise ValueError(
            f"expected points of shape [times, 2] or [times, bobs, 2], got {points.shape}"
        )
    ax = _axes(ax)
    colour = _look(name, ax)["color"]
    ax.plot(*points[:, -1].T, color=colour, alpha=0.4, linewidth=1)
    chosen = np.unique(np.linspace(len(points) - 1, 0, max(arms, 1)).round().astype(int))
    chosen = [len(points) - 1] if arms <= 1 else chosen
    for i, alpha in zip(chosen, np.linspace(0.2, 1.0, len(chosen) + 1)[1:], strict=True):
        joints = np.vstack([np.zeros(2), points[i]])
        rods = np.vstack(
            [_spring(a, b) if spring else [a, b] for a, b in itertools.pairwise(joints)]
        )
        ax.plot(*rods.T, color=colour, alpha=alpha, linewidth=1.4)
        ax.plot(*points[i].T, "o", color=colour, alpha=alpha, markersize=9, markeredgewidth=0)
    ax.plot(0, 0, "s", color="0.5", markersize=5)
    reach = 1.1 * np.abs(points).max() if reach is None else reach
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


def _named(arrays: Mapping[str, np.ndarray], what: str) -> list[tuple[str, np.ndarray]]:
    """The arrays with their names, checked."""
    if not isinstance(arrays, Mapping) or not arrays:
        raise TypeError(f"expected {what} as a dict from names to arrays, got {arrays!r}")
    return [(name, np.asarray(array)) for name, array in arrays.items()]


def _look(name: str, ax: Axes) -> dict[str, Any]:
    """Colour, label and order of a model's curve; the truth lies beneath, a little wider."""
    look = {"color": COLOURS.get(name) or f"C{len(ax.lines)}", "label": LABELS.get(name, name)}
    return look | ({"linewidth": 2.6, "zorder": 1.5} if name == "truth" else {})


# --- The player -----------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Player:
    """Pictures drawn ahead, and the sliders that choose among them. Shows itself as HTML."""

    html: str
    frames: int
    controls: tuple[str, ...] = field(default=())

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<Player: {self.frames} pictures, sliders: {', '.join(self.controls)}>"


def interactive(
    draw: Callable[..., Figure],
    *,
    alt: str,
    caption: str | None = None,
    play: bool = False,
    fps: float = 20.0,
    dpi: float = 110.0,
    colours: int = 64,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    formats: Mapping[str, str] | None = None,
    **controls: Sequence,
) -> Player:
    """A picture with one or two sliders that needs no kernel: every frame is drawn ahead.

    `controls` name the arguments of `draw` and list their values; `draw(**values)` returns a new
    Figure, always of one size. Fix the axes' limits in it, or they will jump.

    >>> def draw(length):
    ...     fig, ax = plt.subplots()
    ...     ax.plot([0, 0], [0, -length])
    ...     return fig
    >>> interactive(draw, alt="A pendulum of the chosen length.", length=[0.5, 1.0, 2.0])
    <Player: 3 pictures, sliders: length>

    `alt` says what the picture shows, `caption` what to see in it. `play` adds a button that runs
    through the first control at `fps` frames a second. `start` gives the values to begin with
    (default: the first of each). `labels` replaces the sliders' labels, `{"length": "length (m)"}`,
    and `formats` the text of their values, `{"length": "{:.2f} m"}`. A picture keeps `colours`
    colours, which makes it about 10 kB at the default `dpi`.

    Raises ValueError or TypeError for a missing alt, no or more than two controls, a control with
    fewer than two values, an unknown name, a `draw` that returns no Figure, or frames that differ
    in size.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("expected alt, a sentence that says what the picture shows, got none")
    controls = {name: list(values) for name, values in controls.items()}
    _check_controls(controls, start or {}, labels or {}, formats or {})
    texts = {
        name: [_value_text(value, (formats or {}).get(name)) for value in values]
        for name, values in controls.items()
    }
    first = {
        name: values.index(start[name]) if start and name in start else 0
        for name, values in controls.items()
    }
    frames = [
        _frame(draw, dict(zip(controls, values, strict=True)), dpi, colours)
        for values in itertools.product(*controls.values())
    ]
    sizes = {Image.open(io.BytesIO(png)).size for png in frames}
    if len(sizes) > 1:
        raise ValueError(f"expected frames of one size, got {sorted(sizes)} pixels")
    names = {name: (labels or {}).get(name, name.replace("_", " ")) for name in controls}
    sources = ["data:image/png;base64," + base64.b64encode(png).decode() for png in frames]
    width, height = (round(pixels * 100 / dpi) for pixels in sizes.pop())
    html = _html(sources, width, height, alt, caption, texts, names, first, fps if play else 0)
    return Player(html, len(frames), tuple(controls))


def _check_controls(controls: dict, start: Mapping, labels: Mapping, formats: Mapping) -> None:
    if not 1 <= len(controls) <= 2:
        raise ValueError(
            f"expected one or two controls, got {len(controls)}: {', '.join(controls)}"
        )
    for name, values in controls.items():
        if len(values) < 2:
            raise ValueError(f"expected at least two values of {name}, got {len(values)}")
        if name in start and start[name] not in values:
            raise ValueError(f"expected start[{name!r}] among {values}, got {start[name]!r}")
    frames = np.prod([len(values) for values in controls.values()])
    if frames > MAX_FRAMES:
        raise ValueError(f"expected at most {MAX_FRAMES} frames, got {frames}: use fewer values")
    for what, given in {"start": start, "labels": labels, "formats": formats}.items():
        if unknown := set(given) - set(controls):
            raise ValueError(f"expected {what} of {list(controls)}, got {sorted(unknown)}")


def _value_text(value: Any, template: str | None) -> str:
    if template is not None:
        return template.format(value)
    return value if isinstance(value, str) else f"{value:g}"


def _frame(draw: Callable, values: dict[str, Any], dpi: float, colours: int) -> bytes:
    """One frame as a small palette PNG. Closes every figure that `draw` opened."""
    before = set(plt.get_fignums())
    try:
        figure = draw(**values)
        if not isinstance(figure, Figure):
            raise TypeError(f"expected draw to return a Figure, got {type(figure).__name__}")
        with io.BytesIO() as full, io.BytesIO() as small, mpl.rc_context({"savefig.bbox": None}):
            figure.savefig(full, format="png", dpi=dpi, facecolor="white")
            picture = Image.open(full).convert("RGB")
            picture = picture.quantize(colours, method=QUANTIZE, dither=Image.Dither.NONE)
            picture.save(small, format="png", optimize=True)
            return small.getvalue()
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


QUANTIZE = Image.Quantize.MAXCOVERAGE
_STYLE = """
.lnn-player{margin:0;max-width:100%;color:inherit}
.lnn-player img{display:block;margin:0;width:100%;height:auto;background:#fff}
.lnn-player>div{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center;margin-top:.5rem}
.lnn-player>div[hidden]{display:none}
.lnn-player p{display:flex;flex:1 1 16rem;gap:.5rem;align-items:center;margin:0;min-width:0}
.lnn-player label{display:flex;flex:1;flex-wrap:wrap;gap:0 .5rem;align-items:center;margin:0}
.lnn-player input{flex:1 1 8rem;min-width:0;height:28px;margin:0;accent-color:#0072B2}
.lnn-player output{min-width:4em;font-variant-numeric:tabular-nums;color:inherit}
.lnn-player button{min-width:5em;min-height:32px;padding:0 .75em;font:inherit;color:#fff;
background:#005f94;border:1px solid #005f94;border-radius:4px;cursor:pointer}
.lnn-player figcaption{margin:.5rem 0 0;color:inherit;text-align:start}
html[data-theme=dark] .text_html:has(>.lnn-player){background:none!important;padding:0!important;
color:inherit!important}
"""
_SCRIPT = """
(function(){
const key=KEY,frames=FRAMES,texts=TEXTS,start=START,fps=FPS;
document.querySelectorAll('[data-player="'+key+'"]:not([data-ready])').forEach(function(root){
const all=function(s){return Array.from(root.querySelectorAll(s))};
const img=root.querySelector("img"),inputs=all("input"),outputs=all("output");
const button=root.querySelector("button"),caption=root.querySelector("figcaption");
let timer=null;
root.dataset.ready="1";frames[start]=img.getAttribute("src");
root.querySelector("div").hidden=false;
if(caption){const n=document.querySelectorAll("[data-ready]").length;
caption.id="lnn-"+key+"-"+n;
inputs.forEach(function(x){x.setAttribute("aria-describedby",caption.id)})}
function show(){let i=0;
inputs.forEach(function(x,k){const t=texts[k][+x.value];i=i*texts[k].length+ +x.value;
outputs[k].textContent=t;x.setAttribute("aria-valuetext",t)});
img.src=frames[i]}
function stop(){clearInterval(timer);timer=null;if(button)button.textContent="Play"}
function step(){if(!root.isConnected)return stop();
inputs[0].value=(+inputs[0].value+1)%texts[0].length;show()}
inputs.forEach(function(x){x.addEventListener("input",function(){stop();show()})});
if(button)button.addEventListener("click",function(){if(timer)return stop();
button.textContent="Pause";timer=setInterval(step,1000/fps)});
show()})})();
"""


def _html(sources, width, height, alt, caption, texts, names, first, fps) -> str:
    """The player: a figure whose start picture also shows where scripts do not run."""
    start = int(np.ravel_multi_index(list(first.values()), [len(t) for t in texts.values()]))
    rest = ["" if i == start else source for i, source in enumerate(sources)]
    key = hashlib.sha256(
        repr((sources, alt, caption, texts, names, start, fps)).encode()
    ).hexdigest()
    script = _SCRIPT
    for word, value in {
        "KEY": key[:12],
        "TEXTS": list(texts.values()),
        "START": start,
        "FPS": fps,
        "FRAMES": rest,
    }.items():
        script = script.replace(word, json.dumps(value).replace("<", "\\u003c"), 1)
    rows = "".join(
        f"<p><label><span>{escape(names[name])}</span>"
        f'<input type="range" min="0" max="{len(texts[name]) - 1}" step="1" value="{first[name]}" '
        f'aria-valuetext="{escape(texts[name][first[name]])}" autocomplete="off"></label>'
        f'<output aria-live="off">{escape(texts[name][first[name]])}</output></p>'
        for name in names
    )
    button = '<button type="button">Play</button>' if fps else ""
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="lnn-player" data-player="{key[:12]}" style="width:{width}px">'
        f"<style>{_STYLE}</style>"
        f'<img src="{sources[start]}" alt="{escape(alt)}" width="{width}" height="{height}">'
        f"<div hidden>{button}{rows}</div>{note}<script>{script}</script></figure>"
    )
