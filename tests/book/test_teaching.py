"""The page for lecturers agrees with what it speaks of."""

import re

import coursework
import nbformat
import pytest
import reading_time

from tests.book.conftest import ROOT

PAGE = (ROOT / "chapters" / "teaching.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\|[^|\n]*\((?P<chapter>\d\d_\w+|primer)\.ipynb\) \|(?P<rest>.*)\|$", re.MULTILINE
)
PROBLEM = re.compile(r"## (?:Problem|Question) \d: (.*?) \(")
ROWS = {
    match["chapter"]: [cell.strip() for cell in match["rest"].split("|")]
    for match in ROW.finditer(PAGE)
}


@pytest.mark.parametrize("path", reading_time.CHAPTERS, ids=lambda path: path.stem)
def test_the_table_of_chapters_holds_what_was_counted(path):
    *counted, assignment = ROWS[path.stem]
    assert counted == reading_time.row(path), "run: python scripts/reading_time.py --write"
    if not path.stem[0].isdigit():
        assert assignment == "–"
        return
    source = coursework.SOURCE / path.stem / f"{path.stem}.ipynb"
    number = int(path.stem[:2])
    first, *others = (cell.source for cell in nbformat.read(source, as_version=4).cells)
    minutes = re.search(r"[Aa]bout (\d+) minutes", first)[1]
    assert assignment == f"{minutes} min"
    problems = [found[1] for text in others if (found := PROBLEM.match(text))]
    assert f"\n| {number} | {' · '.join(problems)} |\n" in PAGE


@pytest.mark.parametrize("path", reading_time.CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_says_at_its_beginning_how_long_it_reads(path):
    opening = nbformat.read(path, as_version=4).cells[0].source
    said = re.search(r"\breads\W* in (?:(\d+)\sminutes|a quarter of an hour)\b", opening)
    assert int(said[1] or 15) == reading_time.minutes(reading_time.counts(path))


def test_counting_leaves_out_exercises_and_folded_code(tmp_path):
    new = nbformat.v4
    shown = new.new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "Figure"})
    words = "Two <b>words</b>, {term}`seed`\n\n$$\nx = y\n$$\n\n```{math}\nx\n```\n\n"
    cells = [
        new.new_markdown_cell(f"{words}:::{{exercise}} Title\nskip this\n:::"),
        new.new_code_cell("a = 1\n\nb = 2"),
        new.new_code_cell("hidden = 1", outputs=[shown], metadata={"tags": ["hide-input"]}),
        new.new_code_cell("kept = 1", outputs=[shown], metadata={"tags": ["remove-cell"]}),
        new.new_markdown_cell(":::{solution-start} ex\n:class: dropdown\n:::\n\nmore"),
    ]
    path = tmp_path / "chapter.ipynb"
    nbformat.write(new.new_notebook(cells=cells), path)
    found = reading_time.counts(path)
    assert found == {"words": 4, "formulas": 2, "lines": 2, "figures": 1, "exercises": 1}
    assert reading_time.with_exercises(found) == reading_time.minutes(found) + 15


def test_every_chapter_has_its_part_of_the_page():
    parts = re.findall(r"^### (\d+|Primer) · (.+)$", PAGE, re.M)
    paths = {
        str(int(path.stem[:2])) if path.stem[0].isdigit() else path.stem.title(): path
        for path in reading_time.CHAPTERS
    }
    assert sorted(number for number, _ in parts) == sorted(paths)
    for number, title in parts:
        first = nbformat.read(paths[number], as_version=4).cells[0].source
        assert first.splitlines()[0] == f"# {title}"
    for goal in ("**Goals.**", "**Where students get stuck.**", "**Discuss.**"):
        assert PAGE.count(goal) == len(parts)
