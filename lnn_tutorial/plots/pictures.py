"""A figure as a picture for pages: SVG, small, sharp at every size, the same every time.

What would be heavy as vectors (thousands of points) becomes pixels inside the SVG; text and axes
never do. Beside it a small PNG for what shows no SVG: paper, and a notebook that nobody trusts.
"""

import base64
import contextlib
import io
import re
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from lnn_tutorial.plots.colours import COLOURS

LIGHT = 80_000
"""Bytes that the SVG of a figure should stay below."""

HEAVY = (np.inf, 4000, 1000, 250, 50)
"""So many points may an artist have and stay vectors, tried in turn until the SVG is light."""

SHARP = 200
"""Pixels per inch of what is not vectors: two for each of a screen's 96."""


def svg(figure: Figure, box: Bbox | None = None, light: int = LIGHT) -> str:
    """The figure as SVG of at most about `light` bytes, one element on a line."""
    artists = [a for a in figure.findobj(_may_be_heavy) if a.get_visible()]
    before = [artist.get_rasterized() for artist in artists]
    try:
        for most in HEAVY:
            heavy = [artist for artist in artists if _points(artist) > most]
            if most < np.inf and not heavy:
                continue
            for artist in heavy:
                artist.set_rasterized(True)
            text = _tidy(_saved(figure, "svg", box).decode("utf-8"))
            if len(text) <= light:
                break
    finally:
        for artist, flag in zip(artists, before, strict=True):
            artist.set_rasterized(flag)
    return text


def png(figure: Figure, box: Bbox | None = None, dpi: float = 130, colours: int = 64) -> bytes:
    """The figure as a small PNG with a palette."""
    picture = Image.open(io.BytesIO(_saved(figure, "png", box, dpi))).convert("RGB")
    return palette_png(picture, colours)


def palette_png(picture: Image.Image, colours: int) -> bytes:
    """A picture of few colours as PNG."""
    # Maximum coverage keeps the colour of a thin line, which a median cut would lose.
    method = Image.Quantize.MAXCOVERAGE if picture.mode == "RGB" else Image.Quantize.FASTOCTREE
    small = io.BytesIO()
    picture.quantize(colours, method, dither=Image.Dither.NONE).save(
        small, format="png", optimize=True
    )
    return small.getvalue()


def box(figure: Figure, margin: float = 0.04) -> Bbox:
    """What to show of a figure, in inches: its whole width, and as high as it is filled.

    The width stays, so that text has one size in all figures; a wider one holds what sticks out.
    """
    figure.draw_without_rendering()
    filled = figure.get_tightbbox(figure.canvas.get_renderer()).padded(margin)
    right = max(figure.get_figwidth(), filled.x1)
    return Bbox([[min(0.0, filled.x0), filled.y0], [right, filled.y1]])


def facts(figure: Figure, box: Bbox) -> dict[str, Any]:
    """What tests ask of a figure: its width (in), its smallest text (pt), what models' colours say.

    `models` maps each model whose colour is used to the labels and texts in that colour.
    """
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    named = {colour.lower(): name for name, colour in COLOURS.items() if name != "truth"}
    models: dict[str, set[str]] = {}
    for artist in figure.findobj(lambda a: isinstance(a, Line2D | Patch | Collection | Text)):
        if artist.get_visible():
            words = artist.get_text() if isinstance(artist, Text) else str(artist.get_label())
            for colour in _colours(artist) & named.keys():
                models.setdefault(named[colour], set()).update(
                    {words} if words.strip() and not words.startswith("_") else set()
                )
    return {
        "inches": round(float(box.width), 2),
        "smallest_text": min((float(t.get_fontsize()) for t in texts), default=None),
        "models": {name: sorted(words) for name, words in sorted(models.items())},
    }


def show_in_notebooks() -> None:
    """Let the running IPython show figures as SVG and PNG. Without one, nothing happens."""
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return
    if "inline" in mpl.get_backend():
        with contextlib.suppress(ImportError):
            # Its import sets its own formats, which must not come after ours.
            import matplotlib_inline.backend_inline  # noqa: F401
    formatters = shell.display_formatter.formatters
    for kind in ("image/png", "image/jpeg", "application/pdf"):
        formatters[kind].pop(Figure, None)
    formatters["image/svg+xml"].for_type(Figure, _shown_svg)
    formatters["image/png"].for_type(Figure, _shown_png)


def _shown_svg(figure: Figure) -> tuple[str, dict] | None:
    if not (figure.axes or figure.lines or figure.texts):
        return None
    shown = box(figure)
    return svg(figure, shown), {"figure": facts(figure, shown)}


def _shown_png(figure: Figure) -> tuple[str, dict] | None:
    if not (figure.axes or figure.lines or figure.texts):
        return None
    shown = box(figure)
    content = base64.b64encode(png(figure, shown)).decode("ascii")
    return content, {"width": round(96 * shown.width)}


def _saved(figure: Figure, kind: str, box: Bbox | None, dpi: float = SHARP) -> bytes:
    file = io.BytesIO()
    nothing = dict.fromkeys(
        ("Date", "Creator", "Format", "Type") if kind == "svg" else ("Software",)
    )
    style = {"savefig.bbox": None, "svg.fonttype": "path", "svg.hashsalt": "lnn_tutorial"}
    with mpl.rc_context(style):
        figure.savefig(
            file, format=kind, bbox_inches=box, dpi=dpi, facecolor="white", metadata=nothing
        )
    return file.getvalue()


def _tidy(text: str) -> str:
    """Two decimals are enough for a point of 1/72 in; names that nothing refers to go."""

    def shorter(match):
        return re.sub(
            r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), match[0]
        )

    text = re.sub(r"<\?xml.*?<svg", "<svg", text, count=1, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r' (?:d|x|y|points)="[^"]*"', shorter, text)
    text = re.sub(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)", _few_colours, text)
    lines = re.sub(r"\s*\n\s*(?=[^\s<])", " ", text).replace('"', "'").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip())


def _few_colours(match: re.Match) -> str:
    """A picture inside the SVG, with a palette."""
    before = base64.b64decode(match[1])
    after = palette_png(Image.open(io.BytesIO(before)).convert("RGBA"), 256)
    smaller = min(before, after, key=len)
    return "data:image/png;base64," + base64.b64encode(smaller).decode("ascii")


def _may_be_heavy(artist: Artist) -> bool:
    return isinstance(artist, Line2D | Collection)


def _points(artist: Line2D | Collection) -> int:
    """About how many points an SVG would list; a marker counts as four."""
    if isinstance(artist, Line2D):
        marker = artist.get_marker() not in ("", " ", "None", None)
        return len(artist.get_xydata()) * (4 if marker else 1)
    copies = max(len(artist.get_offsets()) * 4, 1)
    paths = artist.get_paths()
    return copies if copies > 4 else sum(len(path.vertices) for path in paths)


def _colours(artist: Artist) -> set[str]:
    """The colours of an artist as hex, however transparent; not those that a colour map gives."""
    if isinstance(artist, Collection):
        if artist.get_array() is not None:
            return set()
        colours = [*artist.get_facecolor(), *artist.get_edgecolor()]
    elif isinstance(artist, Patch):
        colours = [artist.get_facecolor()] * artist.get_fill() + [artist.get_edgecolor()]
    elif isinstance(artist, Line2D):
        colours = [artist.get_color(), artist.get_markerfacecolor(), artist.get_markeredgecolor()]
    else:
        colours = [artist.get_color()]
    colours = [c for c in colours if not isinstance(c, str) or c.lower() != "none"]
    return {to_hex(c) for c in colours if mpl.colors.to_rgba(c)[3] > 0}
