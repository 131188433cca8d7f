"""The player behind `plots.interactive`: pictures drawn ahead, and sliders that choose one.

The pictures are SVG, sharp on every screen. Most of their lines are the same in all of them, so
each line is stored once and a picture is a list of ranges of lines. Where that would be heavy,
the pictures are pixels. The page, style and script of a player stand in `player.html`.
"""

import base64
import hashlib
import io
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import SequenceMatcher
from html import escape
from importlib import resources
from numbers import Real
from string import Template
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from PIL import Image

from lnn_tutorial.plots import pictures
from lnn_tutorial.plots.prose import number

MAX_FRAMES = 500
MEASURE = 672
"""Pixels of the width of prose on the page: a narrower picture grows up to it, by a quarter."""

BUDGET = 450_000
"""Bytes that the pictures of a player should stay below."""


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
    dpi: float = 144.0,
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

    `alt` says what the picture shows, to which the player adds the values that are set; `caption`
    says what to see in it. `play` adds a button that runs through the first control at `fps` frames
    a second. `start` gives the values to begin with (default: the first of each). `labels` replaces
    the sliders' labels, `{"length": "length (m)"}`, and `formats` the text of their values,
    `{"length": "{:.2f} m"}`. Where numbers jump between even steps, the player says so.
    Pictures too heavy for vectors are pixels, `dpi` an inch, in `colours` colours.

    Raises ValueError or TypeError for a missing alt, no or more than two controls, a control with
    fewer than two values or with a label that is no word, an unknown name, a `draw` that returns no
    Figure, or frames that differ in size.
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

    values = [dict(zip(controls, choice, strict=True)) for choice in choices]
    start_at = int(
        np.ravel_multi_index([s.start for s in sliders], [len(s.values) for s in sliders])
    )
    with _drawn(draw, values[start_at]) as figure:
        whole = Bbox([[0, 0], figure.get_size_inches()])
        known = pictures.facts(figure, whole)
        still = pictures.png(figure, dpi=110, colours=colours)
    lines, frames = _frames(draw, values, dpi, colours)
    size = [round(96 * inches) for inches in whole.size]
    content = [lines, frames, still, size, known, alt, caption, sliders, fps if play else 0]
    return Player(_html(*content, start_at), len(frames), tuple(controls))


@dataclass(frozen=True)
class _Slider:
    label: str
    values: list
    texts: list[str]
    start: int

    def html(self, name: str) -> str:
        text = escape(self.texts[self.start])
        jumps = self.jumps()
        marks = "".join(f'<option value="{at}"></option>' for at in jumps)
        said = ", ".join(f"{self.texts[at - 1]} to {self.texts[at]}" for at in jumps)
        return (
            f"<p><label><span>{escape(self.label)}"
            + (f" <small>(jumps from {escape(said)})</small>" if jumps else "")
            + '</span><input type="range" min="0" '
            f'max="{len(self.values) - 1}" value="{self.start}" step="1" '
            + (f'list="{name}" ' if jumps else "")
            + f'aria-valuetext="{text}" autocomplete="off"></label>'
            f'<output aria-live="off">{text}</output>'
            + (f'<datalist id="{name}">{marks}</datalist>' if jumps else "")
            + "</p>"
        )

    def jumps(self) -> list[int]:
        """Where a number is reached by a step far larger than the steps on both sides."""
        if not all(isinstance(value, Real) for value in self.values):
            return []
        steps = np.abs(np.diff(np.asarray(self.values, dtype=float)))
        beside = np.maximum(steps[:-2], steps[2:])
        return [int(at) + 2 for at in np.flatnonzero(steps[1:-1] > 5 * beside)]


def _slider(name: str, values: Iterable, start, labels, formats) -> _Slider:
    if not isinstance(values, Iterable) or isinstance(values, str):
        raise TypeError(f"expected a sequence of values of {name}, got {type(values).__name__}")
    values = list(values)
    if len(values) < 2:
        raise ValueError(f"expected at least two values of {name}, got {len(values)}")
    if name in start and start[name] not in values:
        raise ValueError(f"expected start[{name!r}] among {values}, got {start[name]!r}")
    label = labels.get(name, name.replace("_", " "))
    if not re.search(r"[^\W\d_]{3,}", label):
        raise ValueError(
            f"expected a label with a word that says what {name} is, such as "
            f'labels={{"{name}": "initial velocity v₀"}}, got {label!r}'
        )
    texts = [_value_text(value, formats.get(name)) for value in values]
    first = values.index(start[name]) if name in start else 0
    return _Slider(label, values, texts, first)


def _value_text(value: Any, form: str | None) -> str:
    if form is None:
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        return number(value, 6) if is_number else str(value)
    return re.sub(r"(?<![\w.])-(?=[\d.])", "−", form.format(value))


@contextmanager
def _drawn(draw: Callable, values: Mapping[str, Any]):
    """The figure that `draw` returns; in the end every figure that it opened is closed."""
    before = set(plt.get_fignums())
    try:
        figure = draw(**values)
        if not isinstance(figure, Figure):
            raise TypeError(f"expected draw to return a Figure, got {type(figure).__name__}")
        yield figure
    finally:
        for opened in set(plt.get_fignums()) - before:
            plt.close(opened)


def _frames(
    draw: Callable, values: Sequence[Mapping], dpi: float, colours: int
) -> tuple[list[str], list]:
    """(lines, frames): a frame is a list of ranges of lines, or without lines a WebP in base64."""
    sizes = set()

    def vectors(choice, light):
        with _drawn(draw, choice) as figure:
            sizes.add(tuple(figure.get_size_inches()))
            return pictures.svg(figure, light=light).splitlines()

    def pixels(choice):
        with _drawn(draw, choice) as figure:
            sizes.add(tuple(figure.get_size_inches()))
            picture = Image.open(io.BytesIO(pictures.png(figure, dpi=dpi, colours=colours)))
        file = io.BytesIO()
        picture.convert("RGB").save(file, format="webp", lossless=True, method=6)
        return base64.b64encode(file.getvalue()).decode("ascii")

    few = [values[i] for i in sorted({0, len(values) // 2, len(values) - 1})]
    for light in (pictures.LIGHT, pictures.LIGHT // 4):
        sample = [vectors(choice, light) for choice in few]
        first = _bytes(_packed(sample[:1])[0])
        each = (_bytes(_packed(sample)[0]) - first) / (len(few) - 1)
        if first + each * (len(values) - 1) < BUDGET:
            lines, frames = _packed([vectors(choice, light) for choice in values])
            break
    else:
        lines, frames = [], [pixels(choice) for choice in values]
    if len(sizes) > 1:
        raise ValueError(f"expected frames of one size, got {sorted(sizes)} inches")
    return lines, frames


def _packed(frames: Sequence[Sequence[str]]) -> tuple[list[str], list[list[int]]]:
    """The lines of the first frame and what is new in others, and for each frame the ranges
    [start, end, start, end, …] of its lines."""
    lines, packed = list(frames[0]), []
    new: dict[str, int] = {}
    for frame in frames:
        same = SequenceMatcher(None, frames[0], frame, autojunk=False).get_opcodes()
        ranges: list[int] = []
        for what, start, end, here, there in same:
            if what == "equal":
                places = [(start, end)]
            else:
                at = [new.setdefault(line, len(lines) + len(new)) for line in frame[here:there]]
                places = [(k, k + 1) for k in at]
            for start, end in places:
                if ranges and ranges[-1] == start:
                    ranges[-1] = end
                else:
                    ranges += [start, end]
        packed.append(ranges)
    return [*lines, *new], packed


def _bytes(lines: Sequence[str]) -> int:
    return sum(map(len, lines))


def _html(
    lines: Sequence[str],
    frames: Sequence,
    still: bytes,
    size: Sequence[int],
    known: Mapping[str, Any],
    alt: str,
    caption: str | None,
    sliders: Sequence[_Slider],
    fps: float,
    start: int,
) -> str:
    """The player's HTML. Where scripts do not run, the picture of the start and a word why show."""
    texts = [slider.texts for slider in sliders]
    jumps = sliders[0].jumps()
    labels = [slider.label for slider in sliders]
    source = "data:image/png;base64," + base64.b64encode(still).decode("ascii")
    content = json.dumps([lines, frames, size, alt, caption, labels, texts, start, fps])
    key = hashlib.sha256(content.encode()).hexdigest()[:12]
    shown = ", ".join(f"{s.label} {s.texts[s.start]}" for s in sliders)
    template = resources.files(__package__).joinpath("player.html").read_text("utf-8")
    return Template(template).substitute(
        key=key,
        figure=escape(json.dumps(known, ensure_ascii=False)),
        shown=max(size[0], min(round(1.25 * size[0]), MEASURE)),
        width=size[0],
        height=size[1],
        source=source,
        alt=escape(f"{alt.strip()} Shown: {shown}."),
        caption=f"<figcaption>{escape(caption)}</figcaption>" if caption else "",
        button='<button type="button">Play</button>' if fps else "",
        sliders="".join(s.html(f"{key}-{k}") for k, s in enumerate(sliders)),
        script=script_constants(
            lines=lines,
            frames=frames,
            alt=alt.strip(),
            labels=labels,
            texts=texts,
            jumps=jumps,
            fps=fps,
        ),
    )


def script_constants(**values: Any) -> str:
    """Constants for the player's script, in which no text can end the script."""
    return ", ".join(
        f"{name} = {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}".replace(
            "</", "<\\/"
        ).replace("<!--", "\\u003c!--")
        for name, value in values.items()
    )
