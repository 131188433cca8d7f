"""The assignments, made and graded by the real nbgrader."""

import csv
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="the extra `teach` is not installed")

import coursework

from tests.assignments.notebooks import (
    FIRST,
    NAMES,
    WRONG,
    answered,
    failed,
    grade_id,
    graded_by_tests,
    hand_in,
    settings,
    source,
)

REGION = r"### BEGIN {0}\n(.*?)\n *### END {0}"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course from which nothing has been graded, with the students' copies beside it."""
    place = tmp_path_factory.mktemp("course")
    coursework.generate(place / "course", place / "students")
    return place / "course"


@pytest.fixture(scope="module")
def students(course):
    return course.parent / "students"


def together(wrong):
    """The first wrong answers that can stand in one notebook: none answers a cell twice."""
    taken = []
    for one in wrong:
        if not any(one.answers.keys() & other.answers.keys() for other in taken):
            taken.append(one)
    return taken


SLIPS = together(WRONG[FIRST])
SLOWEST = NAMES[4]


@pytest.fixture(scope="module")
def graded(course, students, tmp_path_factory):
    """What nbgrader grades here: two references, an empty copy and wrong answers."""
    folder = tmp_path_factory.mktemp("submitted")
    answers = {key: text for one in SLIPS for key, text in one.answers.items()}
    hand_in(folder, "reference", FIRST, source(FIRST))
    hand_in(folder, "reference", SLOWEST, source(SLOWEST))
    hand_in(folder, "empty", FIRST, released(students, FIRST))
    hand_in(folder, "wrong", FIRST, answered(source(FIRST), answers))
    return {(one.student, one.assignment): one for one in coursework.grade(folder, course)}


def released(students, name):
    return nbformat.read(students / f"{name}.ipynb", as_version=4)


# --- What is given out -------------------------------------------------------------------------


def test_there_is_one_assignment_for_every_chapter():
    chapters = (coursework.ROOT / "chapters").glob("[0-9][0-9]_*.ipynb")
    assert sorted(path.stem for path in chapters) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_released_copy_holds_no_solution_and_no_hidden_test(students, name):
    text = "\n".join(cell.source for cell in released(students, name).cells)
    whole = "\n".join(cell.source for cell in source(name).cells)
    secret, public = set(), whole
    for kind in ("SOLUTION", "HIDDEN TESTS"):
        for region in re.findall(REGION.format(kind), whole, re.DOTALL):
            secret |= {line.strip() for line in region.splitlines() if len(line.strip()) > 12}
            public = public.replace(region, "")
    secret -= {line.strip() for line in public.splitlines()}
    assert len(secret) > 20
    assert secret & {line.strip() for line in text.splitlines()} == set()
    assert not re.search(r"### (BEGIN|END)", text)


@pytest.mark.parametrize("name", NAMES)
def test_ten_points_are_graded_by_tests_and_three_by_a_person(name):
    points = {True: 0, False: 0}
    for cell in source(name).cells:
        known = settings(cell)
        if known.get("grade"):
            points[known["solution"]] += known["points"]
            assert known["solution"] or known["locked"]
    assert points == {False: 10, True: 3}


@pytest.mark.parametrize("name", NAMES)
def test_an_assignment_says_its_points_and_how_long_it_takes(name):
    first = source(name).cells[0].source
    assert first.startswith(f"# Assignment {int(name[:2])}: ")
    assert "10 points" in first and "3 points" in first
    assert re.search(r"[Aa]bout \d+ minutes", first)


@pytest.mark.parametrize("name", NAMES)
def test_the_sources_hold_no_outputs(name):
    for cell in source(name).cells:
        assert not cell.get("outputs") and not cell.get("execution_count")


# --- What comes back ---------------------------------------------------------------------------


def test_an_empty_copy_scores_nothing(graded):
    one = graded["empty", FIRST]
    assert one.note == ""
    assert len(one.scores) >= 7
    assert set(one.scores.values()) == {0}


@pytest.mark.parametrize("name", NAMES)
def test_every_test_fails_on_an_empty_answer(students, name):
    stubs = {grade_id(cell): cell.source for cell in released(students, name).cells
             if settings(cell).get("solution")}  # fmt: skip
    tests = graded_by_tests(source(name))
    assert len(tests) >= 6
    assert failed(answered(source(name), stubs), tests) == tests


@pytest.mark.parametrize("name", sorted({*NAMES} - {FIRST, SLOWEST}))
def test_every_test_passes_on_the_reference(name):
    assert failed(source(name), graded_by_tests(source(name))) == []


@pytest.mark.parametrize("name", [FIRST, SLOWEST])
def test_the_reference_scores_all_points_that_tests_give(graded, name):
    one = graded["reference", name]
    assert one.note == ""
    by_tests = {test: points for test, points in one.scores.items() if points is not None}
    assert sorted(by_tests) == sorted(graded_by_tests(source(name)))
    assert by_tests == {test: one.possible[test] for test in by_tests}
    assert sum(by_tests.values()) == 10
    assert one.row(one.file.parents[1])["to grade by hand"] == 3


def test_wrong_answers_pass_the_visible_tests_and_lose_the_hidden_points(graded):
    one = graded["wrong", FIRST]
    by_tests = {test: points for test, points in one.scores.items() if points is not None}
    lost = {test for slip in SLIPS for test in slip.fails}
    assert len(lost) >= 3 and len(by_tests) > len(lost)
    assert by_tests == {test: 0 if test in lost else one.possible[test] for test in by_tests}


def test_the_feedback_says_what_is_wrong(graded):
    assert "AssertionError" in graded["wrong", FIRST].feedback
    assert "10.0 / 13.0" in graded["reference", FIRST].feedback


# --- The command -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["grade", "nowhere"], "expected a folder of submissions, got nowhere"),
        (["grade", ".", "--jobs", "0"], "expected --jobs of at least 1, got 0"),
        (["grade", ".", "--graded", "."], "marks are never written over"),
    ],
)
def test_bad_options_are_refused(arguments, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        coursework.main(arguments)
    assert complaint in capsys.readouterr().err


def test_the_command_grades_from_any_folder(students, tmp_path):
    shutil.copy(students / f"{FIRST}.ipynb", tmp_path / "Ada Lovelace.ipynb")
    script = coursework.ROOT / "scripts" / "coursework.py"
    run = subprocess.run(
        [sys.executable, script, "grade", ".", "--graded", "marks"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["1 graded, 0 not", "The marks: marks/marks.csv"]
    with (tmp_path / "marks" / "marks.csv").open(encoding="utf-8-sig") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["student"], row["points"], row["of"]) == ("Ada Lovelace", "0", "13.0")
