"""Make the students' copies of the assignments, and grade what comes back.

    python scripts/coursework.py generate
    python scripts/coursework.py grade SUBMITTED [--jobs N] [--graded FOLDER]

`generate` writes a copy without solutions and hidden tests of each notebook of
`assignments/source` to `_build/assignments`. `grade` takes a folder of submissions, grades each on
its own, and writes `marks.csv` and a page of feedback for each to a new folder of `graded`, named
by the time. Where bubblewrap is installed, a submission has no network, does not see your files,
and cannot use more than its share; where not, the table says so. A student is a folder of
SUBMITTED, with notebooks anywhere inside, or a notebook that lies in it, named after the student.
Which assignment a notebook is for is told by its cells, not by its name. What cannot be graded
stands in `marks.csv` with the reason; of two notebooks of one student for one assignment the newer
counts.

Both call nbgrader, of the extra `teach`, and need no network.
"""

import argparse
import ast
import csv
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import nbformat
import sandbox
from run_notebooks import ENVIRONMENT
from tqdm import tqdm

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "assignments" / "source"
CONFIG = ROOT / "assignments" / "nbgrader_config.py"
STUDENTS = ROOT / "_build" / "assignments"
GRADED = ROOT / "graded"
COLUMNS = ("student", "assignment", "points", "of", "to grade by hand", "note", "file")
PATIENCE = 600
"""Seconds that one submission may take in all."""

# nbgrader itself calls `alembic`, which lies beside this interpreter.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


# --- Students' copies --------------------------------------------------------------------------


def generate(course, students=STUDENTS, source=SOURCE):
    """Make the students' copies of all assignments; returns their paths.

    Args:
        course: a new folder for nbgrader, which keeps there what it needs for grading.
        students: where the copies go.
        source: the assignments with their solutions.
    """
    prepare(course, source)
    names = sorted(path.name for path in source.iterdir() if path.is_dir())
    students.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(released, students)) for released in _release(course, names)]


def prepare(course, source=SOURCE):
    """Make a folder for nbgrader that holds the assignments; their copies are made when needed."""
    shutil.copytree(source, course / "source")
    shutil.copy(CONFIG, course)
    return course


def _release(course, names):
    """Make the students' copies of some assignments in a course, unless they are there."""
    api = _nbgrader(course)
    copies = [course / "release" / name / f"{name}.ipynb" for name in names]
    for name, copy in zip(names, copies, strict=True):
        if not copy.exists():
            _must(api.generate_assignment(name), f"the students' copy of {name}")
    return copies


def _nbgrader(course, **settings):
    """nbgrader's interface for a course; what it runs, it runs as the chapters do."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config.loader import PyFileConfigLoader

    os.environ.update(ENVIRONMENT, PATH=PATH)
    config = PyFileConfigLoader(CONFIG.name, str(course)).load_config()
    config.CourseDirectory.root = str(course)
    for name, values in settings.items():
        config[name].update(values)
    return NbGraderAPI(config=config)


def _must(result, task):
    """Raise RuntimeError with the cause where nbgrader did not succeed."""
    if not result["success"]:
        said = f"{result.get('error')}\n{result.get('log')}"
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        causes = [line for line in lines if re.match(r"[\w.]+(Error|Timeout): ", line)]
        raise RuntimeError(f"{task}: {(causes or lines)[-1][:300]}")


# --- Grading -----------------------------------------------------------------------------------


@dataclass
class Submission:
    """One file that came back, and what became of it.

    Attributes:
        scores: points by test, None where a person has to give them.
        possible: the points that each test is worth.
        note: why it was not graded (it begins with "not graded"), or what was mended first.
    """

    student: str
    file: Path
    assignment: str = ""
    note: str = ""
    scores: dict = field(default_factory=dict)
    possible: dict = field(default_factory=dict)
    feedback: str = ""

    def row(self, folder):
        """The line of the table of marks."""
        by_hand = sum(self.possible[test] for test, points in self.scores.items() if points is None)
        marks = {
            "points": sum(points or 0 for points in self.scores.values()),
            "of": sum(self.possible.values()),
            "to grade by hand": by_hand,
        }
        return {
            "student": self.student,
            "assignment": self.assignment,
            **(marks if self.scores else {}),
            "note": self.note,
            "file": self.file.relative_to(folder).as_posix(),
        }


def collect(folder, source=SOURCE):
    """All files of a folder of submissions, each with its student, its assignment or a note."""
    known = {path.name: _grade_ids(path / f"{path.name}.ipynb") for path in source.iterdir()}
    found = []
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        if file.is_dir() or any(part.startswith((".", "__MACOSX")) for part in inside):
            continue
        name = inside[0] if len(inside) > 1 else file.stem
        submission = Submission(unicodedata.normalize("NFC", name).strip(), file)
        found.append(submission)
        if file.suffix != ".ipynb" or file.is_symlink():
            submission.note = "not graded: not a notebook"
            continue
        try:
            cells = _grade_ids(file)
        except Exception as error:
            submission.note = f"not graded: the notebook cannot be read ({type(error).__name__})"
            continue
        best = max(known, key=lambda name: len(cells & known[name]))
        if cells & known[best]:
            submission.assignment = best
        else:
            submission.note = "not graded: it has the cells of no assignment"
    _keep_the_newest(found)
    return found


def _grade_ids(file):
    notebook = nbformat.read(file, as_version=4)
    return {_grade_id(cell) for cell in notebook.cells} - {None}


def _grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _keep_the_newest(submissions):
    newest = {}
    for one in sorted((s for s in submissions if s.assignment), key=_age):
        newest[one.student, one.assignment] = one
    for one in submissions:
        kept = newest.get((one.student, one.assignment), one)
        if kept is not one:
            one.note = f"not graded: {kept.file.name}, of the same student, is newer"


def _age(submission):
    return submission.file.stat().st_mtime, submission.file.as_posix()


def grade(folder, course, jobs=2, patience=PATIENCE):
    """Grade a folder of submissions in a course that was prepared; returns the submissions."""
    submissions = collect(folder, course / "source")
    todo = [one for one in submissions if not one.note]
    often = Counter(one.assignment for one in todo)
    _release(course, sorted(often))
    # Each submission has a process of its own, forked from one that has imported nbgrader.
    able = multiprocessing.get_all_start_methods()  # Windows can only spawn
    processes = multiprocessing.get_context("forkserver" if "forkserver" in able else "spawn")
    processes.set_forkserver_preload(["nbgrader.apps"])
    with ThreadPoolExecutor(jobs) as pool:
        # Of an assignment with many submissions the reference goes first, to compile the tests.
        first = [name for name, number in often.items() if number > 2]
        list(pool.map(lambda name: _compile(name, course, processes, patience), first))
        results = pool.map(lambda one: _grade_one(one, course, processes, patience), todo)
        list(tqdm(results, total=len(todo), unit="submission", disable=None))
    return submissions


def _compile(assignment, course, processes, patience):
    """Run the reference solution, and keep what JAX has compiled: the tests are the same for all.

    All read it where it lies: in a copy, JAX would find nothing, as its keys know the folder.
    """
    file = course / "source" / assignment / f"{assignment}.ipynb"
    reference = Submission("reference", file, assignment)
    _grade_one(reference, course, processes, patience, keep=True)


def _grade_one(one, course, processes, patience, keep=False):
    """Grade one submission in its own copy of the course: nothing it does reaches the others."""
    compiled = _made(course / "compiled")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        own, room = Path(scratch) / "course", _made(Path(scratch) / "room")
        shutil.copytree(course, own, ignore=shutil.ignore_patterns("compiled"))
        try:
            mended = _hand_in(one, own)
        except Exception as error:
            one.note = f"not graded: the notebook cannot be used ({type(error).__name__})"
            return
        outcome, guarded = own / "outcome.json", not sandbox.trouble()
        task = (own, one.assignment, outcome, compiled, keep, room if guarded else None)
        process = processes.Process(target=_run_nbgrader, args=task)
        process.start()
        reason = _watch(process, patience, room if guarded else None)
        if reason:
            one.note = f"not graded: {reason}"
        elif not outcome.exists():
            one.note = f"not graded: the grader ended with exit code {process.exitcode}"
        else:
            for name, value in json.loads(outcome.read_text(encoding="utf-8")).items():
                setattr(one, name, value)
        one.note = one.note or mended
        if guarded:
            sandbox.clear(room)


def _watch(process, patience, room):
    """Wait for a grader; returns why it had to be ended, if it had."""
    end, reason = time.monotonic() + patience, ""
    while process.is_alive() and not reason:
        process.join(0.2)
        if time.monotonic() > end:
            reason = f"it ran for more than {patience} s"
        elif room:
            reason = sandbox.excess(process.pid, room)
    if reason and room:
        sandbox.end(process.pid)
    if reason:
        process.kill()
        process.join()
    return reason


def _hand_in(one, course):
    """Write a submission where nbgrader looks for it; returns in words what had to be mended.

    nbgrader needs every test, and a test needs what stands before it. So a cell that is missing
    comes back as it was given out, behind the one that it stood behind. Not so an answer that
    stands in a cell of the student's own: there the stub would undo it. Whatever else nbgrader's
    marks say in a notebook, that a test is worth more, or that a cell is one, is not the student's
    to say.
    """
    name = f"{one.assignment}.ipynb"
    notebook = nbformat.read(one.file, as_version=4)
    released = nbformat.read(course / "release" / one.assignment / name, as_version=4)
    notebook.metadata.pop("widgets", None)  # Colab's have no state, which stops nbconvert
    given = {_grade_id(cell): cell for cell in released.cells if _grade_id(cell)}
    there = {}
    for cell in notebook.cells:
        mark = cell.metadata.pop("nbgrader", {}).get("grade_id")
        if mark in given and mark not in there:  # of a cell that is there twice the first counts
            there[mark] = cell
            cell.metadata["nbgrader"] = given[mark].metadata["nbgrader"]
    texts = {cell.source.strip() for cell in released.cells} | {""}
    added = [cell for cell in notebook.cells if not _grade_id(cell)]
    added = [cell for cell in added if cell.source.strip() not in texts]
    restored, moved, position = [], [], 0
    for mark, cell in given.items():
        unanswered = mark not in there or there[mark].source.strip() == cell.source.strip()
        if _solution(cell) and unanswered and (answer := _elsewhere(cell, added)):
            notebook.cells = [other for other in notebook.cells if other is not there.get(mark)]
            answer.metadata["nbgrader"] = cell.metadata["nbgrader"]
            there[mark] = answer
            moved.append(mark)
        elif mark not in there:
            notebook.cells.insert(position, cell)
            there[mark] = cell
            restored.append(mark)
        position = next(i for i, other in enumerate(notebook.cells) if other is there[mark]) + 1
    place = course / "submitted" / "student" / one.assignment
    place.mkdir(parents=True)
    nbformat.write(notebook, place / name)
    mended = {"put back, as they were missing": restored, "found in another cell": moved}
    return "; ".join(f"{what}: {', '.join(marks)}" for what, marks in mended.items() if marks)


def _solution(cell):
    return cell.metadata["nbgrader"]["solution"]


def _elsewhere(stub, added):
    """The last of the cells that a student added which can be the answer in a stub's place.

    It is code that defines what the stub defines, or text, which a person will read.
    """
    if stub.cell_type == "code":
        wanted = _defined(stub)
        added = [cell for cell in added if wanted and wanted <= _defined(cell)]
    return next((cell for cell in reversed(added) if cell.cell_type == stub.cell_type), None)


def _defined(cell):
    """The names that a cell of code defines."""
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:
        return set()
    targets = [name for node in body if isinstance(node, ast.Assign) for name in node.targets]
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)} | {
        name.id for name in targets if isinstance(name, ast.Name)
    }


def _run_nbgrader(course, assignment, outcome, compiled, keep, room):
    """Grade the one submission of a course, and write what came of it as JSON."""
    # SQLAlchemy and the kernels warn of things that concern nobody here.
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    # Whoever does not keep what JAX has compiled only reads.
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(compiled),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0" if keep else "1e9",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    os.environ.update(cache)
    settings = {}
    if room:
        shared = {"writable" if keep else "readable": [compiled]}
        settings = _confined_kernel(course, room, ENVIRONMENT | cache, **shared)
    try:
        api = _nbgrader(course, **settings)
        _must(api.autograde(assignment, "student"), "it could not be run")
        _must(api.generate_feedback(assignment, "student"), "no feedback could be written")
        page = course / "feedback" / "student" / assignment / f"{assignment}.html"
        result = {**_scores(course, assignment), "feedback": page.read_text(encoding="utf-8")}
    except RuntimeError as error:
        result = {"note": f"not graded: {error}"}
    outcome.write_text(json.dumps(result), encoding="utf-8")


def _confined_kernel(course, room, environment, **shared):
    """Settings with which nbgrader runs the kernel in a room; all else of it stays outside.

    So a submission sees of the course what is sent to its kernel, cell by cell, and what it does
    to the outputs of its own cells is all that it can do to its marks. The two talk through
    sockets that are files in the room.
    """
    arguments = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
    arguments += ["--HistoryManager.hist_file=:memory:"]
    spec = {
        "argv": sandbox.confined(arguments, room, environment, **shared),
        "display_name": "confined",
        "language": "python",
        "interrupt_mode": "message",  # a signal would end bubblewrap
    }
    place = _made(course / "jupyter" / "kernels" / "confined")
    (place / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(course / "jupyter")
    return {
        "Execute": {"kernel_name": "confined"},
        "KernelManager": {"transport": "ipc", "connection_file": str(room / "kernel.json")},
    }


def _scores(course, assignment):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        grades = book.find_submission(assignment, "student").notebooks[0].grades
        return {
            "scores": {g.name: None if g.needs_manual_grade else g.score for g in grades},
            "possible": {g.name: g.max_score for g in grades},
        }


def write(submissions, folder, graded):
    """Write the table of marks and the feedback by student into a new folder."""
    with tempfile.TemporaryDirectory(dir=_made(graded.parent)) as scratch:
        place = Path(scratch) / "graded"
        for one in (one for one in submissions if one.feedback):
            page = place / "feedback" / one.student / f"{one.assignment}.html"
            _made(page.parent)
            page.write_text(one.feedback, encoding="utf-8")
        # The mark at the beginning tells spreadsheets that the names are in UTF-8.
        with (_made(place) / "marks.csv").open("w", newline="", encoding="utf-8-sig") as stream:
            table = csv.DictWriter(stream, COLUMNS, restval="")
            table.writeheader()
            table.writerows(one.row(folder) for one in submissions)
            if unguarded():
                table.writerow({"note": unguarded()})
        place.rename(graded)


def unguarded():
    """What to say where submissions could do as they liked; empty where they could not."""
    reason = sandbox.trouble()
    return f"submissions ran with your rights and saw your files: {reason}" if reason else ""


def _made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# --- Command line ------------------------------------------------------------------------------


def main(arguments=None):
    """Generate or grade."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("generate", help="make the students' copies")
    grading = commands.add_parser("grade", help="grade a folder of submissions")
    grading.add_argument("submitted", type=Path, metavar="SUBMITTED")
    jobs = {"default": os.cpu_count() or 1, "help": "submissions at a time (default: your cores)"}
    grading.add_argument("--jobs", type=int, **jobs)
    grading.add_argument(
        "--graded", type=Path, help="a new folder for the marks (default graded/DATE-TIME)"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        course = Path(scratch) / "course"
        if options.command == "generate":
            for copy in generate(course):
                print(os.path.relpath(copy))
            return
        graded = options.graded or GRADED / f"{datetime.now():%Y-%m-%d-%H%M%S}"
        if not options.submitted.is_dir():
            parser.error(f"expected a folder of submissions, got {options.submitted}")
        if options.jobs < 1:
            parser.error(f"expected --jobs of at least 1, got {options.jobs}")
        if graded.exists():
            parser.error(f"{graded} exists already; marks are never written over")
        submissions = grade(options.submitted, prepare(course), options.jobs)
    write(submissions, options.submitted, graded)
    left = [one for one in submissions if not one.scores]
    print(f"{len(submissions) - len(left)} graded, {len(left)} not")
    for one in left:
        print(f"  {one.row(options.submitted)['file']}: {one.note}")
    if unguarded():
        print(unguarded())
    print(f"The marks: {os.path.relpath(graded / 'marks.csv')}")


if __name__ == "__main__":
    main()
