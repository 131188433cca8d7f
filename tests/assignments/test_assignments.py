"""The assignments, made and graded by the real nbgrader."""

import csv
import importlib
import os
import re
import shutil
import subprocess
import sys
import unicodedata

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="the extra `teach` is not installed")

import coursework

NAMES = sorted(path.name for path in coursework.SOURCE.iterdir() if path.is_dir())
WRONG = {name: importlib.import_module(f"tests.assignments.chapter{i}").WRONG
         for i, name in enumerate(NAMES, 1)}  # fmt: skip
REGION = r"### BEGIN {0}\n(.*?)\n *### END {0}"


def source(name):
    return nbformat.read(coursework.SOURCE / name / f"{name}.ipynb", as_version=4)


def grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def answered(notebook, answers):
    """A notebook with new sources for some of its cells, by their ids."""
    for cell in notebook.cells:
        if grade_id(cell) in answers:
            cell.source = answers[grade_id(cell)]
    return notebook


def packed(wrong):
    """Wrong answers in as few sets as possible, none of which answers a cell twice."""
    sets = []
    for one in wrong:
        for together in sets:
            if not any(one.answers.keys() & other.answers.keys() for other in together):
                together.append(one)
                break
        else:
            sets.append([one])
    return sets


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course from which nothing has been graded, with the students' copies beside it."""
    place = tmp_path_factory.mktemp("course")
    coursework.generate(place / "course", place / "students")
    return place / "course"


@pytest.fixture(scope="module")
def students(course):
    return course.parent / "students"


def hand_in(folder, student, name, notebook):
    place = folder / student
    place.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place / f"{name}.ipynb")


@pytest.fixture(scope="module")
def graded(course, students, tmp_path_factory):
    """An empty copy, the reference and all wrong answers of every assignment, graded."""
    folder = tmp_path_factory.mktemp("submitted")
    for name in NAMES:
        released = nbformat.read(students / f"{name}.ipynb", as_version=4)
        hand_in(folder, "empty", name, released)
        hand_in(folder, "reference", name, source(name))
        for i, together in enumerate(packed(WRONG[name])):
            slips = {key: text.strip() for one in together for key, text in one.answers.items()}
            hand_in(folder, f"wrong {i}", name, answered(source(name), slips))
    return {(one.student, one.assignment): one for one in coursework.grade(folder, course)}


# --- What is given out -------------------------------------------------------------------------


def test_there_is_one_assignment_for_every_chapter():
    chapters = (coursework.ROOT / "chapters").glob("0*.ipynb")
    assert sorted(path.stem for path in chapters) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_released_copy_holds_no_solution_and_no_hidden_test(students, name):
    released = nbformat.read(students / f"{name}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in released.cells)
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
        settings = cell.metadata.get("nbgrader", {})
        if settings.get("grade"):
            points[settings["solution"]] += settings["points"]
            assert settings["solution"] or settings["locked"]
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


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_copy_scores_nothing(graded, name):
    one = graded["empty", name]
    assert one.note == ""
    assert len(one.scores) >= 7
    assert set(one.scores.values()) == {0}


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_scores_all_points_that_tests_give(graded, name):
    one = graded["reference", name]
    assert one.note == ""
    by_tests = {test: points for test, points in one.scores.items() if points is not None}
    assert by_tests == {test: one.possible[test] for test in by_tests}
    assert sum(by_tests.values()) == 10
    assert one.row(one.file.parents[1])["to grade by hand"] == 3


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_pass_the_visible_tests_and_lose_the_hidden_points(graded, name):
    assert len(WRONG[name]) >= 3
    for i, together in enumerate(packed(WRONG[name])):
        one = graded[f"wrong {i}", name]
        lost = {test for slip in together for test in slip.fails}
        for slip in together:
            assert slip.passes and slip.fails
            for test in slip.passes:
                assert one.scores[test] == one.possible[test], (slip.slip, test)
            for test in slip.fails:
                assert one.scores[test] == 0, (slip.slip, test)
        for test, points in one.scores.items():
            if test not in lost and points is not None:
                assert points == one.possible[test], test


@pytest.mark.parametrize("name", NAMES)
def test_the_feedback_says_what_is_wrong(graded, name):
    page = graded["wrong 0", name].feedback
    assert "AssertionError" in page
    assert "10.0 / 13.0" in graded["reference", name].feedback


# --- Submissions that misbehave ----------------------------------------------------------------

FIRST = NAMES[0]


@pytest.fixture(scope="module")
def hasty(course, tmp_path_factory):
    """The same course with a short time for each cell."""
    place = tmp_path_factory.mktemp("hasty") / "course"
    shutil.copytree(course, place)
    with (place / "nbgrader_config.py").open("a") as settings:
        settings.write("\nc.Execute.timeout = 25\n")
    return place


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


LOOP = "def action(path, dt):\n    while True:\n        pass"
SPIN = "def action(path, dt):\n    return jax.lax.while_loop(lambda x: x > 0, lambda x: 1 / x, dt)"
WARN = """def action(path, dt):
    print("a word on the side", file=sys.stderr)
    velocity, middle = jnp.diff(path) / dt, 0.5 * (path[1:] + path[:-1])
    return dt * jnp.sum(0.5 * velocity**2 - 0.5 * middle**2)"""
ALL = {"points": 10, "of": 13, "to grade by hand": 3}
BUT_ACTION = {"points": 7, "of": 13, "to grade by hand": 3}
MISBEHAVING = {
    "raises": (answered(source(FIRST), {"action": "raise ValueError('no')"}), BUT_ACTION, ""),
    "is no Python": (answered(source(FIRST), {"action": "def action(:"}), BUT_ACTION, ""),
    "loops": (answered(source(FIRST), {"action": LOOP}), BUT_ACTION, ""),
    "loops where no interrupt reaches it": (
        answered(source(FIRST), {"action": SPIN}),
        dict.fromkeys(ALL),
        "not graded: it could not be run",
    ),
    "exits": (answered(source(FIRST), {"action": "sys.exit()"}), BUT_ACTION, ""),
    "warns": (answered(source(FIRST), {"action": WARN}), ALL, ""),
    "no answer cell": (without(source(FIRST), "action"), BUT_ACTION, "put back"),
    "no tests": (without(source(FIRST), "action_visible", "action_hidden"), ALL, "put back"),
    "no setup": (without(source(FIRST), "setup", "cone_given"), ALL, "put back"),
    "no problem": (
        without(source(FIRST), "action", "action_visible", "action_hidden", "not_least"),
        {"points": 7, "of": 13, "to grade by hand": 0},
        "put back",
    ),
    "easier tests": (answered(source(FIRST), {"action": "", "action_hidden": "1"}), BUT_ACTION, ""),
    "more points": (with_points(answered(source(FIRST), {"action": "..."}), 100), BUT_ACTION, ""),
    "a cell twice": (repeated(source(FIRST), "action"), ALL, ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def misbehaving(hasty, tmp_path_factory):
    folder = tmp_path_factory.mktemp("misbehaving")
    for student, (notebook, _, _) in MISBEHAVING.items():
        hand_in(folder, student, "my answers", notebook)
    hand_in(folder, "kills", FIRST, answered(source(FIRST), {"action": "import os; os._exit(3)"}))
    # One student's names in the two forms of Unicode, and two versions of the work
    old, new = (unicodedata.normalize(form, "Zoë Müller-Ångström") for form in ("NFD", "NFC"))
    hand_in(
        folder / old, "first", FIRST, nbformat.read(hasty / f"release/{FIRST}/{FIRST}.ipynb", 4)
    )
    os.utime(folder / old / "first" / f"{FIRST}.ipynb", (1e9, 1e9))
    hand_in(folder, new, "second", source(FIRST))
    (folder / "broken").mkdir()
    (folder / "broken" / "a.ipynb").write_text('{"cells": [', encoding="utf-8")
    (folder / "empty.ipynb").write_text("")
    (folder / "no object.ipynb").write_text("[]")
    (folder / "strange.ipynb").write_text('{"cells": "x", "nbformat": 4, "nbformat_minor": 5}')
    (folder / "essay.pdf").write_bytes(b"%PDF")
    nbformat.write(nbformat.v4.new_notebook(), folder / "other; 'work' & <b>.ipynb")
    (folder / ".DS_Store").write_text("")
    return folder, coursework.grade(folder, hasty)


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
    assert note["essay.pdf"] == "not graded: not a notebook"
    assert note["other; 'work' & <b>.ipynb"] == "not graded: it has the cells of no assignment"
    assert re.match(r"not graded: it could not be run: .*Kernel died", note[f"kills/{FIRST}.ipynb"])
    zoe = [row for row in rows if row["student"] == "Zoë Müller-Ångström"]
    assert sorted(row["points"] for row in zoe) == ["", "10.0"]
    assert {row["note"] for row in zoe} == {
        "",
        "not graded: second.ipynb, of the same student, is newer",
    }
    feedback = tmp_path / "graded" / "feedback" / "Zoë Müller-Ångström" / f"{FIRST}.html"
    assert "10.0 / 13.0" in feedback.read_text(encoding="utf-8")


def test_a_submission_whose_time_is_over_ends(course, tmp_path):
    hand_in(tmp_path, "spins", FIRST, answered(source(FIRST), {"action": SPIN}))
    hand_in(tmp_path, "works", FIRST, source(FIRST))
    spins, works = coursework.grade(tmp_path, course, patience=50)
    assert spins.note == "not graded: it ran for more than 50 s"
    assert works.row(tmp_path)["points"] == 10


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
