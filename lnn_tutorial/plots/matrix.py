"""A matrix of systems and models that can be sorted and opened in the page, without a kernel.

The page, style and script of it stand in `matrix.html`.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template
from typing import Any

import numpy as np

from lnn_tutorial.plots.player import script_constants
from lnn_tutorial.plots.prose import number


@dataclass(frozen=True, repr=False)
class Matrix:
    """A matrix of figures that shows itself as HTML; in a script as its rows and columns."""

    html: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<Matrix: {len(self.rows)} rows, columns: {', '.join(self.columns)}>"


def matrix(
    cells: Mapping[str, Mapping[str, Mapping[str, Any]]],
    *,
    columns: Mapping[str, tuple[str, str]],
    measures: Mapping[str, tuple[str, float, float]],
    variants: Mapping[str, str],
    caption: str,
) -> Matrix:
    """A matrix of figures; the reader chooses which one, sorts by a column and opens a cell.

    >>> figures = {"error": [0.1, 0.2, None]}
    >>> matrix(
    ...     {"ball": {"plain": {"states": figures}}},
    ...     columns={"plain": ("plain network", "#D55E00")},
    ...     measures={"error": ("error", 1e-3, 1.0)},
    ...     variants={"states": "all states"},
    ...     caption="How wrong a network is.",
    ... )
    <Matrix: 1 rows, columns: plain>

    `cells` holds {row: {column: cell}}, and a cell {variant: {measure: one number a member}}: the
    median is shown and beside it, where a cell is opened, the worst; None is the worst there is. A
    cell may have `"curves"`, with `path` and `true_path` `[n, d]` over five natural times and
    `energy` `[members, k]`, and with them `"times"`, over how many natural times. `columns` gives
    each a label and a colour, `measures` a label and the limits of its shades, the good and the
    bad one; `variants` a label. The first of each is shown first, also where scripts do not run.

    Raises TypeError or ValueError for what is none of this.
    """
    if not isinstance(caption, str) or not caption.strip():
        raise ValueError(f"expected a caption that says what the matrix shows, got {caption!r}")
    for name, given in (("cells", cells), ("columns", columns), ("measures", measures),
                        ("variants", variants)):  # fmt: skip
        if not isinstance(given, Mapping) or not given:
            raise TypeError(f"expected {name} as a mapping that is not empty, got {given!r}")
    for name, (_, low, high) in measures.items():
        if not 0 < low < high:
            raise ValueError(f"expected limits 0 < good < bad of {name}, got {low} and {high}")
    for name, (_, colour) in columns.items():
        if not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
            raise ValueError(f"expected a colour such as #0072B2 of {name}, got {colour!r}")
    for row, found in cells.items():
        if unknown := set(found) - set(columns):
            raise ValueError(f"expected cells of {list(columns)} in {row}, got {sorted(unknown)}")
    shown = {
        row: {column: _cell(found[column], measures, variants) for column in columns
              if column in found}
        for row, found in cells.items()
    }  # fmt: skip
    values = {
        "rows": list(cells),
        "columns": [[name, *given] for name, given in columns.items()],
        "measures": [[name, given[0]] for name, given in measures.items()],
        "variants": [list(given) for given in variants.items()],
        "limits": {name: list(given[1:]) for name, given in measures.items()},
        "cells": shown,
    }
    script = script_constants(**values)
    key = hashlib.sha256((script + caption).encode()).hexdigest()[:12]
    template = resources.files(__package__).joinpath("matrix.html").read_text("utf-8")
    html = Template(template).safe_substitute(
        key=key,
        measures=_options(values["measures"]),
        variants=_options(values["variants"]),
        table=_still(values),
        caption=f"<figcaption>{escape(caption)}</figcaption>",
        script=script,
    )
    return Matrix(html, tuple(cells), tuple(columns))


def _options(pairs: Sequence[Sequence[str]]) -> str:
    return "".join(f'<option value="{escape(a)}">{escape(b)}</option>' for a, b in pairs)


def _cell(cell: Mapping[str, Any], measures: Mapping, variants: Mapping) -> dict[str, Any]:
    found = {
        variant: {name: _median_and_worst(cell[variant][name]) for name in measures
                  if name in cell[variant]}
        for variant in variants if variant in cell
    }  # fmt: skip
    made = {"figures": found}
    if "curves" in cell:
        curves = cell["curves"]
        made |= {"path": _short(curves["path"]), "truth": _short(curves["true_path"])}
        if "times" not in cell or len(made["path"]) != len(made["truth"]):
            raise ValueError("expected times beside curves, and a path as long as the true one")
        made |= {"energy": _short(curves["energy"]), "times": cell["times"]}
    return made


def _median_and_worst(members: Sequence[float | None]) -> list[float | None]:
    if len(members) == 0:
        raise ValueError("expected a number for each member, got none")
    known = [math.inf if x is None or math.isnan(x) else x for x in members]
    return _short([float(np.median(known)), max(known)])


def _short(x: Any) -> Any:
    """Three digits; None for what is not finite."""
    if x is None or isinstance(x, float | int):
        return None if x is None or not math.isfinite(x) else float(f"{x:.3g}")
    return [_short(y) for y in x]


def _still(values: Mapping[str, Any]) -> str:
    """The table as it is where no script runs: the first figure of the first variant."""
    measure, variant = values["measures"][0][0], values["variants"][0][0]
    head = "".join(f'<th scope="col">{escape(label)}</th>' for _, label, _ in values["columns"])
    body = []
    for row in values["rows"]:
        line = f'<th scope="row">{escape(row)}</th>'
        for name, _, _ in values["columns"]:
            found = values["cells"][row].get(name, {"figures": {}})["figures"]
            pair = found.get(variant, {}).get(measure)
            text = "" if pair is None else "lost" if pair[0] is None else number(pair[0])
            line += f"<td><span>{text}</span></td>"
        body.append(f"<tr>{line}</tr>")
    head = f'<thead><tr><th scope="col">system</th>{head}</tr></thead>'
    return f"<table>{head}<tbody>{''.join(body)}</tbody></table>"
