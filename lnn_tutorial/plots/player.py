"""The player behind `plots.interactive`: pictures drawn ahead, and sliders that choose one.

Its page, style and script stand in `player.html`.
"""

import base64
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

MAX_FRAMES = 500


@dataclass(frozen=True, repr=False)
class Player:
    """Pictures drawn ahead and the sliders that choose among them. Shows itself as HTML."""

    html: str
    frames: int
    controls: tuple[str, ...]

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
    **controls: Iterable,
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
        raise ValueError(f"expected alt, a sentence that says what the picture shows, got {alt!r}")
    if not fps > 0:
        raise ValueError(f"expected a positive fps, got {fps}")
    if not 1 <= len(controls) <= 2:
        raise ValueError(f"expected one or two controls, got {len(controls)}")
    given = {"start": start or {}, "labels": labels or {}, "formats": formats or {}}
    for what, names in given.items():
        if unknown := set(names) - set(controls):
            raise ValueError(f"expected {what} of {list(controls)}, got {sorted(unknown)}")
    sliders = [_slider(name, values, **given) for name, values in controls.items()]
    choices = list(itertools.product(*[slider.values for slider in sliders]))
    if len(choices) > MAX_FRAMES:
        raise ValueError(f"expected at most {MAX_FRAMES} frames, got {len(choices)}")

    frames = [_frame(draw, dict(zip(controls, c, strict=True)), dpi, colours) for c in choices]
    sizes = {Image.open(io.BytesIO(frame)).size for frame in frames}
    if len(sizes) > 1:
        raise ValueError(f"expected frames of one size, got {sorted(sizes)} pixels")
    size = [round(100 * pixels / dpi) for pixels in sizes.pop()]
    html = _html(frames, size, alt, caption, sliders, fps if play else 0)
    return Player(html, len(frames), tuple(controls))


@dataclass(frozen=True)
class _Slider:
    label: str
    values: list
    texts: list[str]
    start: int

    def html(self) -> str:
        text = escape(self.texts[self.start])
        return (
            f"<p><label><span>{escape(self.label)}</span>"
            f'<input type="range" min="0" max="{len(self.values) - 1}" value="{self.start}" '
            f'step="1" aria-valuetext="{text}" autocomplete="off"></label>'
            f'<output aria-live="off">{text}</output></p>'
        )


def _slider(name: str, values: Iterable, start, labels, formats) -> _Slider:
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(f"expected a sequence of values of {name}, got {type(values).__name__}")
    values = list(values)
    if len(values) < 2:
        raise ValueError(f"expected at least two values of {name}, got {len(values)}")
    if name in start and start[name] not in values:
        raise ValueError(f"expected start[{name!r}] among {values}, got {start[name]!r}")
    plain = "{}" if isinstance(values[0], str) else "{:g}"
    texts = [formats.get(name, plain).format(value) for value in values]
    first = values.index(start[name]) if name in start else 0
    return _Slider(labels.get(name, name.replace("_", " ")), values, texts, first)


def _frame(draw: Callable, values: dict[str, Any], dpi: float, colours: int) -> bytes:
    """One frame as a small palette PNG. Closes every figure that `draw` opened."""
    before = set(plt.get_fignums())
    try:
        figure = draw(**values)
        if not isinstance(figure, Figure):
            raise TypeError(f"expected draw to return a Figure, got {type(figure).__name__}")
        full, small = io.BytesIO(), io.BytesIO()
        with mpl.rc_context({"savefig.bbox": None}):
            figure.savefig(full, format="png", dpi=dpi, facecolor="white")
        # Maximum coverage keeps the colour of a thin line, which a median cut would lose.
        method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
        picture = Image.open(full).convert("RGB").quantize(colours, method, dither=dither)
        picture.save(small, format="png", optimize=True)
        return small.getvalue()
    finally:
        for number in set(plt.get_fignums()) - before:
            plt.close(number)


def _html(
    frames: Sequence[bytes],
    size: Sequence[int],
    alt: str,
    caption: str | None,
    sliders: Sequence[_Slider],
    fps: float,
) -> str:
    """The player's HTML. Where scripts do not run, the picture of the start and a word why show."""
    texts = [slider.texts for slider in sliders]
    start = int(np.ravel_multi_index([s.start for s in sliders], [len(t) for t in texts]))
    pictures = [base64.b64encode(frame).decode() for frame in frames]
    content = json.dumps([pictures, size, alt, caption, texts, start, fps])
    template = resources.files(__package__).joinpath("player.html").read_text("utf-8")
    return Template(template).substitute(
        key=hashlib.sha256(content.encode()).hexdigest()[:12],
        width=size[0],
        height=size[1],
        source="data:image/png;base64," + pictures[start],
        alt=escape(alt),
        caption=f"<figcaption>{escape(caption)}</figcaption>" if caption else "",
        button='<button type="button">Play</button>' if fps else "",
        sliders="".join(slider.html() for slider in sliders),
        frames=json.dumps(["" if i == start else p for i, p in enumerate(pictures)]),
        texts=json.dumps(texts).replace("<", "\\u003c"),
        start=start,
        fps=fps,
    )
