"""An assignment that is quick to grade: it does not need JAX."""

import coursework
import nbformat

from tests.assignments.notebooks import hand_in

TOY = "toy"


def cell(kind, grade_id, source, **settings):
    """A cell with what nbgrader has to know of it."""
    plain = dict(grade=False, locked=False, solution=False, task=False, schema_version=3)
    known = plain | dict(grade_id=grade_id) | settings
    make = getattr(nbformat.v4, f"new_{kind}_cell")
    return make(source, id=grade_id, metadata={"nbgrader": known})


def problem(answer, solution, visible, hidden, points):
    """A function to write, with a visible test and a hidden one."""
    lines = [f"def {answer}(x):", "### BEGIN SOLUTION", f"return {solution}", "### END SOLUTION"]
    secret = f"### BEGIN HIDDEN TESTS\nassert {hidden}\n### END HIDDEN TESTS"
    test = dict(grade=True, locked=True)
    return [
        cell("code", answer, "\n    ".join(lines), solution=True),
        cell("code", f"{answer}_visible", f"assert {visible}", points=points[0], **test),
        cell("code", f"{answer}_hidden", secret, points=points[1], **test),
    ]


def toy():
    """An assignment without JAX: two problems of 10 points in all and a question of 3."""
    solution = "### BEGIN SOLUTION\nIt does.\n### END SOLUTION"
    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A toy", id="title"),
            cell("code", "setup", "import signal\nimport sys\n\npower = 2", locked=True),
            *problem("square", "x**power", "square(1) == 1", "square(3) == 9", (1, 2)),
            *problem("triple", "3 * x", "triple(0) == 0", "triple(2) == 6", (3, 4)),
            nbformat.v4.new_markdown_cell("Why does a square grow faster?", id="question"),
            cell("markdown", "why", solution, solution=True, grade=True, points=3),
        ]
    )


def course_of_toys(place, timeout):
    """A course with the toy alone, and with few seconds for each cell."""
    hand_in(place / "source", TOY, TOY, toy())
    coursework.generate(place / "course", place / "students", place / "source")
    with (place / "course" / "nbgrader_config.py").open("a") as settings:
        settings.write(f"\nc.Execute.timeout = {timeout}\n")
    return place / "course"
