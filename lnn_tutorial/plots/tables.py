"""Results as real tables: in the page, in Jupyter and Colab, on paper and in a script."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np

from lnn_tutorial.plots.colours import COLOURS, LABELS
from lnn_tutorial.plots.prose import number

RIGHT = ' class="num" style="text-align:right;white-space:nowrap"'
UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"


@dataclass(frozen=True)
class Cell:
    """One value as text; with many seeds their median, and the worst of them."""

    text: str
    worst: str = ""
    best: bool = False
    value: float | None = field(default=None, repr=False)

    def html(self, each: str) -> str:
        inner = escape(self.text)
        if self.best:
            inner = f'<strong class="best">{inner}</strong>'
        if self.worst:
            word = f'<span style="{UNSEEN}">worst {escape(each)} </span>'
            inner += f' <small class="worst">{word}{escape(self.worst)}</small>'
        return inner

    def plain(self) -> str:
        worst = f" (worst {self.worst})" if self.worst else ""
        return self.text + "*" * self.best + worst


@dataclass(frozen=True, repr=False)
class Table:
    """A table that shows itself: as HTML in a notebook, as aligned text in a script."""

    caption: str
    name: str | None
    head: str
    columns: dict[str, list[Cell]]
    rows: tuple[str, ...]
    each: str

    def _repr_html_(self) -> str:
        name = f' data-name="{self.name}"' if self.name else ""
        head = "".join(
            _th("col", escape(column) + self._legend(column), self._numeric(column))
            for column in self.columns
        )
        body = "\n".join(
            f"<tr>{_th('row', _row_head(row))}{''.join(self._td(c, i) for c in self.columns)}</tr>"
            for i, row in enumerate(self.rows)
        )
        return (
            f'<table class="lnn-table"{name} style="font-variant-numeric:tabular-nums">\n'
            f'<caption style="caption-side:top;text-align:left">{escape(self.caption)}</caption>\n'
            f"<thead><tr>{_th('col', escape(self.head))}{head}</tr></thead>\n"
            f"<tbody>\n{body}\n</tbody>\n</table>"
        )

    def __repr__(self) -> str:
        lines = [[self.head, *self.columns]]
        for i, row in enumerate(self.rows):
            lines.append([LABELS.get(row, row), *(c[i].plain() for c in self.columns.values())])
        widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
        right = [False, *map(self._numeric, self.columns)]
        return "\n".join(
            [self.caption]
            + [
                "  ".join(
                    text.rjust(width) if at_right else text.ljust(width)
                    for text, width, at_right in zip(line, widths, right, strict=True)
                ).rstrip()
                for line in lines
            ]
        )

    def _numeric(self, column: str) -> bool:
        return any(cell.value is not None for cell in self.columns[column])

    def _legend(self, column: str) -> str:
        seeds = any(cell.worst for cell in self.columns[column])
        return "<br/><small>median, worst</small>" if seeds else ""

    def _td(self, column: str, row: int) -> str:
        start = f"<td{RIGHT}>" if self._numeric(column) else "<td>"
        return f"{start}{self.columns[column][row].html(self.each)}</td>"


def table(
    rows: Mapping[str, Mapping[str, Any]],
    *,
    caption: str,
    name: str | None = None,
    head: str = "",
    best: str | Mapping[str, str] | None = None,
    digits: int | Mapping[str, int] = 2,
    each: str = "seed",
) -> Table:
    """A table of what was measured. The last expression of a cell shows it.

    >>> table(
    ...     {"plain": {"error (%)": [0.9, 1.3, 40.0]}, "lnn": {"error (%)": [0.4, 0.41, 0.8]}},
    ...     caption="Error of the energy, three seeds.",
    ...     best="low",
    ... )
    Error of the energy, three seeds.
                                error (%)
    plain network          1.3 (worst 40)
    Lagrangian network  0.41* (worst 0.8)

    `rows` maps the rows' names to {column: value}; a key of `COLOURS` shows its model's label and
    a dot in its colour. A value is a number, which `number` writes with `digits` digits (one for
    all columns, or {column: digits}); text, as it is; or a sequence of one number a seed, of which
    the median stands with the worst smaller beside it. What is not finite counts as the worst and
    reads "diverged". A row need not have all columns.

    `best` is "low" or "high", for all columns or as {column: "low"}: it says which end is the
    worst, and puts the best median in bold where two rows or more compete; the true system does
    not.
    On the page `caption` is numbered, and `` {numref}`NAME` `` refers to it by its `name`,
    which begins with "tab-". `head` stands above the rows' names. `each` is a word for what the
    numbers of a sequence belong to, for readers who hear the table: "worst seed".

    Raises TypeError or ValueError for what is none of this, and for seeds where `best` is missing.
    """
    if not isinstance(rows, Mapping) or not rows:
        raise TypeError(f"expected rows as {{row: {{column: value}}}}, got {rows!r}")
    for row, values in rows.items():
        if not isinstance(values, Mapping) or not values:
            raise TypeError(f"expected the row {row!r} as {{column: value}}, got {values!r}")
    if not isinstance(caption, str) or not caption.strip():
        raise ValueError(f"expected a caption that says what the table shows, got {caption!r}")
    if name is not None and not re.fullmatch(r"tab-[a-z0-9-]+", name):
        raise ValueError(f"expected a name such as tab-ch5-energy, got {name!r}")
    columns = list(dict.fromkeys(column for values in rows.values() for column in values))
    best = _by_column("best", best, columns)
    digits = _by_column("digits", digits, columns)
    if wrong := set(best.values()) - {"low", "high", None}:
        raise ValueError(f'expected best "low" or "high", got {sorted(map(repr, wrong))[0]}')
    made = {
        column: _column(column, rows, best.get(column), digits.get(column, 2)) for column in columns
    }
    return Table(caption.strip(), name, head, made, tuple(rows), each)


def _by_column(what: str, given: Any, columns: Sequence[str]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        return dict.fromkeys(columns, given)
    if unknown := set(given) - set(columns):
        raise ValueError(f"expected {what} of {columns}, got {sorted(unknown)}")
    return dict(given)


def _column(column: str, rows: Mapping, best: str | None, digits: int) -> list[Cell]:
    cells = {
        row: _cell(f"{column} of {row}", values.get(column, "–"), best, digits)
        for row, values in rows.items()
    }
    compete = {row: c for row, c in cells.items() if row != "truth" and c.value is not None}
    if best is not None and len(compete) > 1:
        first = (min if best == "low" else max)(c.value for c in compete.values())
        winners = {c.text for c in compete.values() if c.value == first and math.isfinite(first)}
        for row, cell in compete.items():
            cells[row] = replace(cell, best=cell.text in winners)
    return list(cells.values())


def _cell(where: str, value: Any, best: str | None, digits: int) -> Cell:
    if isinstance(value, str):
        return Cell(value)
    seeds = np.asarray(value)
    if seeds.dtype.kind not in "iuf" or seeds.ndim > 1 or seeds.size == 0:
        raise TypeError(
            f"expected {where} to be a number, text or one number a seed, got {value!r}"
        )
    if seeds.ndim == 0:
        return Cell(_written(seeds[()], digits), value=float(seeds))
    if best is None:
        raise ValueError(f'expected best="low" or "high", which says what the worst {where} is')
    lost = np.inf if best == "low" else -np.inf
    known = np.where(np.isnan(seeds), lost, seeds)
    middle, worst = np.median(known), known.max() if best == "low" else known.min()
    return Cell(_written(middle, digits), _written(worst, digits), value=float(middle))


def _written(value: Any, digits: int) -> str:
    return number(value, digits) if np.isfinite(value) else "diverged"


def _th(scope: str, inner: str, numeric: bool = False) -> str:
    look = RIGHT if numeric else ' style="text-align:left"'
    return f'<th scope="{scope}"{look}>{inner}</th>'


def _row_head(row: str) -> str:
    if row not in COLOURS:
        return escape(row)
    colour = "" if row == "truth" else f' style="color:{COLOURS[row]}"'
    dot = f'<span class="lnn-dot" aria-hidden="true"{colour}>●</span>'
    return f"{dot}\u00a0{escape(LABELS[row])}"
