"""The page of symbols agrees with the chapters that it names and the colours of the figures."""

import re
from pathlib import Path

import nbformat
import pytest

from lnn_tutorial import plots
from tests.book.conftest import ROOT, toc_files

PAGE = (ROOT / "chapters" / "notation.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (?P<symbols>\$.*?) \| .* \[\w+\]\((?P<chapter>\w+)\.ipynb\) \|$", re.MULTILINE
)
MATH = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
SYMBOLS = [
    (symbol.strip(), row["chapter"])
    for row in ROW.finditer(PAGE)
    for formula in re.findall(r"\$([^$]+)\$", row["symbols"])
    for symbol in ([formula] if "{" in formula else formula.split(","))
]
SEVERAL = set(re.findall(r"^\| \$([^$]+)\$ \|", PAGE.split("(notation-twice)=")[1], re.MULTILINE))


def formulas(chapter):
    """All formulas of a chapter, without what is upright in them."""
    cells = nbformat.read(ROOT / "chapters" / f"{chapter}.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = "\n".join(a or b for a, b in MATH.findall(text))
    return re.sub(r"\\text\s*\{[^}]*\}", "", found)


CHAPTERS = [Path(name).name for name in toc_files() if (ROOT / f"{name}.ipynb").exists()]
FORMULAS = {chapter: formulas(chapter) for chapter in CHAPTERS}


def written(symbol, chapter):
    """Whether a chapter writes a symbol, however it groups and spaces it."""
    if symbol.startswith(r"\{"):
        return r"\{" in FORMULAS[chapter]
    symbol, text = (
        re.sub(r"\\([a-zA-Z]+)(?: |\{)(\w+)\}?", r"\\\1\2", x) for x in (symbol, FORMULAS[chapter])
    )
    return re.search(rf"(?<![A-Za-z\\]){re.escape(symbol)}(?![A-Za-z])", text) is not None


@pytest.mark.parametrize(("symbol", "chapter"), SYMBOLS, ids=str)
def test_a_symbol_stands_first_in_the_chapter_that_the_page_names(symbol, chapter):
    assert written(symbol, chapter)
    # Small Latin letters serve as indices and constants everywhere.
    if symbol not in SEVERAL and not re.fullmatch("[a-z]", symbol):
        before = CHAPTERS[: CHAPTERS.index(chapter)]
        assert not any(written(symbol, other) for other in before)


def test_symbols_were_found():
    assert len(SYMBOLS) > 40 and len(SEVERAL) > 8


def test_the_colours_of_the_page_are_those_of_the_figures():
    shown = re.findall(r'style="background: (#\w{6})"', PAGE)
    assert sorted(shown) == sorted(plots.COLOURS.values())
