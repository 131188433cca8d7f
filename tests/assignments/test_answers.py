"""The tests of the assignments against wrong answers, in this process: nbgrader takes seconds."""

from types import CodeType

import pytest

pytest.importorskip("nbgrader", reason="the extra `teach` is not installed")

from tests.assignments.notebooks import (
    NAMES,
    PYTHON,
    WRONG,
    answered,
    failed,
    grade_id,
    graded_by_tests,
    settings,
    source,
)

SLIPS = [
    pytest.param(name, one, id=f"{name[:2]}-{one.slip}") for name in NAMES for one in WRONG[name]
]


@pytest.mark.parametrize(("name", "wrong"), SLIPS)
def test_a_wrong_answer_passes_the_visible_tests_and_loses_the_hidden_points(name, wrong):
    notebook = answered(source(name), wrong.answers)
    tests = graded_by_tests(notebook, *wrong.answers)
    assert wrong.passes and wrong.fails
    assert {*wrong.passes, *wrong.fails} <= set(tests)
    assert failed(notebook, tests) == list(wrong.fails)


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_has_a_wrong_answer_and_every_test_a_problem(name):
    cells = [cell for cell in source(name).cells if cell.cell_type == "code"]
    answers = {grade_id(cell) for cell in cells if settings(cell).get("solution")}
    assert answers == {answer for wrong in WRONG[name] for answer in wrong.answers}
    assert graded_by_tests(source(name)) == graded_by_tests(source(name), *answers)


def global_names(code):
    """All global names that a piece of compiled code uses, its functions included."""
    inner = [global_names(const) for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*inner)


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_is_used_in_its_own_problem_only(name):
    """So a wrong answer costs no points but its own: its tests are all that has to run."""
    code = [cell for cell in source(name).cells if cell.cell_type == "code"]
    compiled = {grade_id(cell): compile(PYTHON(cell.source), "", "exec") for cell in code}
    for cell in code:
        if settings(cell).get("solution"):
            answer = grade_id(cell)
            made = set(compiled[answer].co_names) & {
                line.split()[1].split("(")[0]
                for line in cell.source.splitlines()
                if line.startswith(("def ", "class "))
            }
            users = {other for other in compiled if made & global_names(compiled[other])}
            assert made and all(user.startswith(answer) for user in users), (answer, users)
