"""Estimate how long it takes to read each chapter, and to do its exercises.

    python scripts/reading_time.py            # a table
    python scripts/reading_time.py --write    # and into the tables for lecturers and of the welcome

Counted are the words of the prose, displayed formulas, figures and tables, and the lines of code
that the page shows; exercises and their solutions count as exercises. A reader takes 150 words,
2 formulas, 15 lines of code or one figure a minute, and a quarter of an hour for an exercise. These
speeds are assumptions, chosen so that a chapter with its exercises takes about as long as a test
reader said, 120 to 150 minutes; the counts are not.
"""

import re
import sys
from pathlib import Path

import nbformat

FOLDER = Path(__file__).parents[1] / "chapters"
CHAPTERS = [*sorted(FOLDER.glob("[0-9][0-9]_*.ipynb")), *FOLDER.glob("primer.ipynb")]
TEACHING, WELCOME = FOLDER / "teaching.md", FOLDER / "welcome.ipynb"
A_MINUTE = {"words": 150, "formulas": 2, "lines": 15, "figures": 1}
AN_EXERCISE = 15
EXERCISE_CODE = {"exercise-stub", "exercise-check", "exercise-solution"}
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell", *EXERCISE_CODE}
EXERCISE = re.compile(r":::\{(exercise|solution-start)\}.*?(\n:::\n|\Z)", re.DOTALL)
FORMULA = re.compile(r"\$\$.*?\$\$|^```\{math\}.*?^```", re.DOTALL | re.MULTILINE)
NO_PROSE = re.compile(r"</?\w[^>\n]*>|\{[\w:]+\}|^:::.*$|^:\w+:.*$", re.MULTILINE)
COLUMN = r"[^|\n]*\|"
PICTURE = re.compile(r"image/|text/html")
RUNS = re.compile(r"\bruns\W* in (?:about )?(half a|\w+) minutes?\b")
IN_WORDS = {"half a": "0.5", "a": "1", "two": "2", "three": "3", "four": "4"}


def counts(path):
    """How many words, formulas, visible lines of code, figures and exercises a chapter has."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    prose = EXERCISE.sub("", text)
    code = [
        (cell, set(cell.metadata.get("tags", []))) for cell in cells if cell.cell_type == "code"
    ]
    shown = [cell.source for cell, tags in code if not FOLDED & tags]
    outputs = [
        output.data
        for cell, tags in code
        if not (EXERCISE_CODE | {"remove-cell"}) & tags
        for output in cell.outputs
        if "data" in output
    ]
    return {
        "words": len(re.findall(r"[^\W\d_][\w'’-]+", NO_PROSE.sub("", FORMULA.sub("", prose)))),
        "formulas": len(FORMULA.findall(prose)),
        "lines": sum(bool(line.strip()) for source in shown for line in source.splitlines()),
        "figures": sum(any(PICTURE.match(kind) for kind in data) for data in outputs),
        "exercises": text.count(":::{exercise}"),
    }


def minutes(count):
    """The minutes that reading takes, to the nearest five."""
    return 5 * round(sum(count[kind] / speed for kind, speed in A_MINUTE.items()) / 5)


def with_exercises(count):
    """The minutes that reading takes and the exercises do, to the nearest five."""
    return minutes(count) + AN_EXERCISE * count["exercises"]


def computing(path):
    """The minutes that a chapter runs, as it says at its beginning."""
    opening = nbformat.read(path, as_version=4).cells[0].source
    found = RUNS.search(opening)[1]
    return IN_WORDS.get(found, found)


def row(path):
    """A chapter in the table for lecturers: reading, exercises, both together, computing."""
    n = counts(path)
    together = f"{with_exercises(n)} min"
    return [f"{minutes(n)} min", str(n["exercises"]), together, f"{computing(path)} min"]


def write(page, told=row, skip=0):
    """A page with what is told of each chapter, written `skip` columns after the link to it."""
    for path in CHAPTERS:
        new = told(path)
        cells = rf"(\({re.escape(path.name)}\) \|{COLUMN * skip}){COLUMN * len(new)}"
        page, found = re.subn(cells, rf"\1 {' | '.join(new)} |", page)
        if found != 1:
            raise ValueError(f"expected one row of {path.name}, found {found}")
    return page


def all_of_it(path):
    """What the welcome says of a chapter."""
    return row(path)[2:3]


def main():
    """Print a table, and write it if asked to."""
    kinds = [*A_MINUTE, "exercises"]
    print(f"{'chapter':26}{''.join(f'{kind:>11}' for kind in kinds)}    reading   together")
    for path in CHAPTERS:
        n = counts(path)
        reading, _, together, _ = row(path)
        print(
            f"{path.stem:26}{''.join(f'{n[kind]:11}' for kind in kinds)}{reading:>11}{together:>11}"
        )
    if "--write" in sys.argv[1:]:
        text = TEACHING.read_text(encoding="utf-8")
        TEACHING.write_text(write(text), encoding="utf-8")
        text = WELCOME.read_text(encoding="utf-8")
        WELCOME.write_text(write(text, all_of_it, skip=1), encoding="utf-8")


if __name__ == "__main__":
    main()
