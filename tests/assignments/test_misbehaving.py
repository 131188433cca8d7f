"""Submissions that misbehave, graded by the real nbgrader: each keeps the points it has earned."""

import csv
import os
import re
import unicodedata

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="the extra `teach` is not installed")

import coursework

from tests.assignments.notebooks import answered, grade_id, hand_in
from tests.assignments.toys import TOY, course_of_toys, toy


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    return course_of_toys(tmp_path_factory.mktemp("toys"), timeout=8)


# --- Submissions that misbehave ---------------------------------------------------------------


def without(notebook, *removed):
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) not in removed]
    return notebook


def with_points(notebook, points):
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata.nbgrader["points"] = points
    return notebook


def repeated(notebook, wanted):
    index = next(i for i, cell in enumerate(notebook.cells) if grade_id(cell) == wanted)
    notebook.cells.insert(index + 1, nbformat.from_dict({**notebook.cells[index], "id": "again"}))
    return notebook


def added(notebook, index, kind, source, **metadata):
    """A notebook with one cell more."""
    cell = getattr(nbformat.v4, f"new_{kind}_cell")(source, metadata=metadata)
    notebook.cells.insert(index, cell)
    return notebook


def from_colab(notebook):
    state = {"application/vnd.jupyter.widget-state+json": {"version_major": 2}}
    notebook.metadata["widgets"] = state
    return notebook


LOOP = "def square(x):\n    while True:\n        pass"
SPIN = LOOP.replace("    while", "    signal.signal(signal.SIGINT, signal.SIG_IGN)\n    while")
WARN = """def square(x):
    print("a word on the side", file=sys.stderr)
    return x**power"""
SQUARE = "def square(x):\n    return x * x"
STUBS = {"square": "def square(x):\n    ...", "why": "*Your answer here.*"}
BONUS = dict(grade=True, grade_id="bonus", points=100, locked=True, solution=False, task=False)
ALL = {"points": 10, "of": 13, "to grade by hand": 3}
BUT_SQUARE = {"points": 7, "of": 13, "to grade by hand": 3}
MISBEHAVING = {
    "raises": (answered(toy(), {"square": "raise ValueError('no')"}), BUT_SQUARE, ""),
    "is no Python": (answered(toy(), {"square": "def square(:"}), BUT_SQUARE, ""),
    "loops": (answered(toy(), {"square": LOOP}), BUT_SQUARE, ""),
    "loops where no interrupt reaches it": (
        answered(toy(), {"square": SPIN}),
        dict.fromkeys(ALL),
        "not graded: it could not be run",
    ),
    "exits": (answered(toy(), {"square": "sys.exit()"}), BUT_SQUARE, ""),
    "warns": (answered(toy(), {"square": WARN}), ALL, ""),
    "no answer cell": (without(toy(), "square"), BUT_SQUARE, "put back"),
    "no tests": (without(toy(), "square_visible", "square_hidden"), ALL, "put back"),
    "no setup": (without(toy(), "setup"), ALL, "put back"),
    "no problem": (
        without(toy(), "square", "square_visible", "square_hidden", "why"),
        {"points": 7, "of": 13, "to grade by hand": 0},
        "put back",
    ),
    "easier tests": (answered(toy(), {"square": "", "square_hidden": "1"}), BUT_SQUARE, ""),
    "more points": (with_points(answered(toy(), {"square": "..."}), 100), BUT_SQUARE, ""),
    "widgets without a state": (from_colab(toy()), ALL, ""),
    "a test of its own": (added(toy(), 2, "code", "1", nbgrader=BONUS), ALL, ""),
    "answers elsewhere": (
        added(added(without(toy(), *STUBS), 1, "code", SQUARE), 9, "markdown", "It bends."),
        ALL,
        "found in another cell: square, why",
    ),
    "answers beside": (
        added(added(answered(toy(), STUBS), 1, "code", SQUARE), 11, "markdown", "It bends."),
        ALL,
        "found in another cell: square, why",
    ),
    "a cell twice": (repeated(toy(), "square"), ALL, ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def misbehaving(course, tmp_path_factory):
    folder = tmp_path_factory.mktemp("misbehaving")
    for student, (notebook, _, _) in MISBEHAVING.items():
        hand_in(folder, student, "my answers", notebook)
    hand_in(folder, "kills", TOY, answered(toy(), {"square": "import os; os._exit(3)"}))
    # One student's names in the two forms of Unicode, and two versions of the work
    old, new = (unicodedata.normalize(form, "Zoë Müller-Ångström") for form in ("NFD", "NFC"))
    hand_in(folder / old, "first", TOY, nbformat.read(course / f"release/{TOY}/{TOY}.ipynb", 4))
    os.utime(folder / old / "first" / f"{TOY}.ipynb", (1e9, 1e9))
    hand_in(folder, new, "second", toy())
    (folder / "broken").mkdir()
    (folder / "broken" / "a.ipynb").write_text('{"cells": [', encoding="utf-8")
    (folder / "empty.ipynb").write_text("")
    (folder / "no object.ipynb").write_text("[]")
    (folder / "strange.ipynb").write_text('{"cells": "x", "nbformat": 4, "nbformat_minor": 5}')
    (folder / "essay.pdf").write_bytes(b"%PDF")
    nbformat.write(nbformat.v4.new_notebook(), folder / "other; 'work' & <b>.ipynb")
    (folder / "link.ipynb").symlink_to(folder / new / "second.ipynb")
    (folder / ".DS_Store").write_text("")
    return folder, coursework.grade(folder, course)


@pytest.mark.parametrize("student", MISBEHAVING)
def test_a_submission_that_misbehaves_keeps_its_other_points(misbehaving, student):
    folder, submissions = misbehaving
    row = next(one for one in submissions if one.student == student).row(folder)
    _, marks, note = MISBEHAVING[student]
    assert {key: row.get(key) for key in marks} == marks, row["note"]
    assert row["note"].startswith(note) and bool(row["note"]) == bool(note)


def test_all_else_is_reported_with_its_reason(misbehaving, tmp_path):
    folder, submissions = misbehaving
    coursework.write(submissions, folder, tmp_path / "graded")
    with (tmp_path / "graded" / "marks.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
    assert sorted(row["file"] for row in rows) == sorted(
        p.relative_to(folder).as_posix() for p in files
    )
    note = {row["file"]: row["note"] for row in rows}
    assert note["broken/a.ipynb"].startswith("not graded: the notebook cannot be read")
    assert note["empty.ipynb"].startswith("not graded: the notebook cannot be read")
    assert note["no object.ipynb"].startswith("not graded: the notebook cannot be read")
    assert note["strange.ipynb"].startswith("not graded: the notebook cannot be read")
    assert note["link.ipynb"] == "not graded: not a notebook"
    assert note["essay.pdf"] == "not graded: not a notebook"
    assert note["other; 'work' & <b>.ipynb"] == "not graded: it has the cells of no assignment"
    assert re.match(r"not graded: it could not be run: .*Kernel died", note[f"kills/{TOY}.ipynb"])
    zoe = [row for row in rows if row["student"] == "Zoë Müller-Ångström"]
    assert sorted(row["points"] for row in zoe) == ["", "10.0"]
    assert {row["note"] for row in zoe} == {
        "",
        "not graded: second.ipynb, of the same student, is newer",
    }
    feedback = tmp_path / "graded" / "feedback" / "Zoë Müller-Ångström" / f"{TOY}.html"
    assert "10.0 / 13.0" in feedback.read_text(encoding="utf-8")


def test_a_submission_whose_time_is_over_ends(course, tmp_path):
    hand_in(tmp_path, "spins", TOY, answered(toy(), {"square": SPIN}))
    (spins,) = coursework.grade(tmp_path, course, patience=4)
    assert spins.note == "not graded: it ran for more than 4 s"
