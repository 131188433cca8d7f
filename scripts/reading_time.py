"""Estimate how long it takes to read each chapter.

    python scripts/reading_time.py

Counted are the words of the prose, the displayed formulas and the lines of code that are not
folded; exercises and their solutions are left out. A reader takes 150 words, 2 formulas or
15 lines of code a minute. These three speeds are assumptions; the counts are not.
"""

import re
from pathlib import Path

import nbformat

CHAPTERS = sorted((Path(__file__).parents[1] / "chapters").glob("0*.ipynb"))
A_MINUTE = {"words": 150, "formulas": 2, "lines": 15}
FOLDED = {"hide-input", "hide-cell", "exercise-stub", "exercise-check", "exercise-solution"}
EXERCISE = re.compile(r":::\{(exercise|solution-start)\}.*?(\n:::\n|\Z)", re.DOTALL)
FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)


def counts(path):
    """How many words, displayed formulas, visible lines of code and exercises a chapter has."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    prose = EXERCISE.sub("", text)
    code = [
        cell.source
        for cell in cells
        if cell.cell_type == "code" and not FOLDED & set(cell.metadata.get("tags", []))
    ]
    return {
        "words": len(re.findall(r"[^\W\d_][\w'’-]+", FORMULA.sub("", prose))),
        "formulas": len(FORMULA.findall(prose)),
        "lines": sum(bool(line.strip()) for source in code for line in source.splitlines()),
        "exercises": text.count(":::{exercise}"),
    }


def minutes(count):
    """The minutes that reading takes, to the nearest five."""
    return 5 * round(sum(count[kind] / speed for kind, speed in A_MINUTE.items()) / 5)


def main():
    """Print a table."""
    print(f"{'chapter':26} words  formulas  lines  exercises  minutes")
    for path in CHAPTERS:
        n = counts(path)
        print(
            f"{path.stem:26} {n['words']:5}  {n['formulas']:8}  {n['lines']:5}"
            f"  {n['exercises']:9}  {minutes(n):7}"
        )


if __name__ == "__main__":
    main()
