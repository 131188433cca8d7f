"""The base of the exercises' checks: right is told from wrong, and nothing is given away."""

import importlib
import json
import linecache
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lnn_tutorial import checks, mechanics, train
from lnn_tutorial.checks import Verdict, ask, check, compare, logbook, right, wrong
from lnn_tutorial.checks.verdict import missing, watched
from tests.wrong_answers import GIVEN_AWAY, TRIED, given_away

finite = st.floats(-1e3, 1e3)
matrices = arrays(float, (2, 3), elements=finite)


@check("return the square of x.")
def square(answer):
    """A check as the chapters write it."""
    verdict = compare(ask(answer, 3.0), 9.0, name="Your square of 3")
    if not verdict:
        return verdict
    return compare(ask(jax.grad(answer), 3.0), 6.0, name="Its slope", praise="Well done.")


def test_a_verdict_is_a_truth_value_and_a_line_of_text():
    assert right("yes")
    assert not wrong("no")
    assert repr(right("yes")) == str(right("yes")) == "✓ yes"
    assert repr(wrong("no")) == "✗ no"
    with pytest.raises(AttributeError):
        right("yes").passed = False


@pytest.mark.parametrize("stub", [..., None, lambda x: ..., lambda x: None, lambda x: (1.0, ...)])
def test_an_untouched_stub_is_recognised(stub):
    assert square(stub) == wrong("Nothing here yet: return the square of x.")


def test_an_exception_in_the_answer_becomes_a_verdict():
    assert square(lambda: 1) == wrong(
        "Your function raised TypeError: "
        "test_an_exception_in_the_answer_becomes_a_verdict.<locals>.<lambda>() "
        "takes 0 positional arguments but 1 was given"
    )
    assert square(7.0) == wrong("Expected a function, got float.")


def test_an_exception_names_the_line_and_the_shapes():
    assert square(lambda x: x / 0).message == (
        "Your function raised ZeroDivisionError: float division by zero. In the line: assert "
        "square(lambda x: x / 0).message == (."
    )

    @check("…")
    def of_a_state(answer):
        ask(answer, jnp.ones(2), 3.0, jnp.ones((4, 2)))

    def apart(q, mass, weight):
        return mass * q @ weight

    message = of_a_state(apart).message
    assert "In the line: return mass * q @ weight." in message
    assert message.endswith(" It was given q of shape (2,) and weight of shape (4, 2).")
    message = of_a_state(lambda *parts: parts[0] / None).message
    assert "It was given" not in message
    assert "In the line: return mass * q @ weight." in of_a_state(jax.jit(apart)).message


def test_an_exception_in_the_check_itself_does_not_escape():
    @check("…")
    def broken(answer):
        return answer["key"]

    assert broken(7.0).message.startswith("This answer cannot be checked: TypeError")


def test_several_things_in_the_place_of_one_are_named_in_words():
    @check("…")
    def one_array(answer):
        return right("") if np.shape(answer) else wrong("")

    said = one_array((np.ones(3), 0.1)).message
    assert "several things of different shapes" in said and "inhomogeneous" not in said


def test_a_result_with_named_fields_is_whole_though_one_is_none():
    assert missing((1.0, None))
    assert not missing(train.Fit(1.0, np.ones(3), 1.0))


def test_a_right_and_a_wrong_function():
    assert square(lambda x: x * x) == right("Well done.")
    assert square(lambda x: -x * x) == wrong("Your square of 3 has the wrong sign.")
    assert square(lambda x: 3 * x) == wrong("Its slope is off by a factor of 1/2.")


@given(matrices)
def test_equal_arrays_pass(array):
    assert compare(array, array)
    assert compare(jnp.asarray(array), array)


@given(matrices)
def test_a_difference_above_the_tolerance_fails(array):
    other = array + 1.0 + np.abs(array)
    assert not compare(other, array)


def test_the_tolerance_is_that_of_float32():
    assert compare(np.float32(0.1) * np.float32(3), 0.3)
    assert not compare(0.3001, 0.3)
    assert compare(0.3001, 0.3, rtol=1e-3)


@pytest.mark.parametrize(
    ("value", "expected", "message"),
    [
        (..., 1.0, "is missing"),
        ("one", 1.0, "should be made of real numbers, got str"),
        ("1", 1.0, "should be made of real numbers, got str"),
        (True, 1.0, "should be made of real numbers, got bool"),
        (["1"], [1.0], "should be made of real numbers, got list"),
        (np.array([1j]), [1.0], "should be made of real numbers, got ndarray of complex128"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], "has shape (3,), expected (2,)"),
        ([[1.0, 2.0]], [[1.0], [2.0]], "has shape (1, 2), expected (2, 1)."),
        ([1.0, np.nan], [1.0, 2.0], "NaN or infinity"),
        ([-1.0, 2.0], [1.0, -2.0], "has the wrong sign"),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 3.0], [2.0, 4.0]], "is transposed"),
        ([2.0, 4.0], [1.0, 2.0], "off by a factor of 2."),
        ([-0.5, -1.0], [1.0, 2.0], "off by a factor of 1/2 and has the wrong sign"),
        (180.0, np.pi, "degrees for radians"),
        ([1.7, 3.4], [1.0, 2.0], "off by a constant factor."),
        (1.7, 1.0, "is too large"),
        (0.7, 1.0, "is too small"),
        ([1.0, 5.0, 3.0], [1.0, 2.0, 3.0], "wrong in 1 of 3 entries, first in entry [1]"),
        ([4.0, 5.0], [1.0, 2.0], "wrong in every entry"),
        (0.0, 1.0, "is too small"),
        (1.0, 0.0, "is too large"),
    ],
)
def test_a_wrong_value_is_described(value, expected, message):
    verdict = compare(value, expected, name="The force")
    assert not verdict
    assert message in verdict.message
    assert verdict.message.startswith("The force")


def test_a_shape_the_other_way_round_is_hinted_at():
    assert compare([[1.0, 2.0]], [[1.0], [2.0]]).hints == ("Is it transposed?",)
    assert compare([1.0, 2.0, 3.0], [1.0, 2.0]).hints == ()


@given(st.floats(0.1, 100.0), st.floats(0.1, 100.0))
def test_the_expected_number_is_never_printed(value, expected):
    message = compare(value, expected).message
    assert f"{expected:.3g}" not in message.replace("factor of 1/", "").split()


def test_a_slip_completes_the_message():
    verdict = wrong("It is off.", "Why?")
    slips = {"It is twice too large.": 2.0, "It is squared.": 9.0}
    assert verdict.with_slip(2.0, slips) == wrong("It is off. It is twice too large.", "Why?")
    assert verdict.with_slip(3.0, slips) == verdict == verdict.because("")


def test_calls_are_counted_whoever_makes_them():
    def twice(x):
        return jax.jit(lambda x: jax.jvp(jnp.sin, (x,), (x,)))(x), jax.hessian(jnp.cos)(x)

    with watched("jax._src.nn.functions", jvp=jax.jvp, hessian=jax.hessian) as seen:
        twice(1.0)
    assert seen == {"jvp": 1, "hessian": 1}
    assert sys.getprofile() is None
    with watched("lnn_tutorial.mechanics") as seen:
        mechanics.momentum(lambda q, v: v @ v)
    assert seen["lnn_tutorial.mechanics"] > 0
    with watched(jvp=jax.jvp) as seen, pytest.raises(ZeroDivisionError):
        1 / 0  # noqa: B018
    assert not seen and sys.getprofile() is None


def test_docstrings_are_true():
    import doctest

    for module in (checks, checks.verdict):
        assert doctest.testmod(module).failed == 0


def test_verdicts_are_values():
    assert right("yes") == Verdict(True, "yes") != wrong("yes")


# --- Hints ----------------------------------------------------------------------------

BOOK = {
    key: each
    for key, each in logbook.EXERCISES.items()
    if key.startswith("lnn_tutorial.checks.chapter")
}


@pytest.fixture(autouse=True)
def begin(monkeypatch):
    """Begins a run of a notebook: the book's exercises, and nothing done yet."""

    def afresh():
        monkeypatch.setattr(logbook, "LOGBOOK", logbook.Logbook())

    monkeypatch.setattr(logbook, "EXERCISES", dict(BOOK))
    afresh()
    return afresh


THROW = "How high should a ball fly?"


def throw(h, m, g, T):
    return 8 * m * h**2 / (3 * T) - 2 * m * g * h * T / 3


def half_right(h, m, g, T):
    return throw(h, m, -g, T)


def test_a_verdict_says_what_is_wrong_and_that_there_is_a_hint():
    verdict = checks.throw_action(half_right)
    assert str(verdict) == (
        "✗ The kinetic part is right; the part with gravity has the wrong sign. You added the "
        "potential energy.\n"
        "  checks.hint() gives a hint."
    )
    assert verdict.hints == ("Which sign has V in 𝓛, and what is the integral of q?",)
    assert verdict == wrong(verdict.message, *verdict.hints) != wrong(verdict.message)


def test_hints_come_step_by_step_first_to_the_mistake_then_to_the_exercise():
    verdict = checks.throw_action(half_right)
    expected = [*verdict.hints, *checks.throw_action.exercise.hints]
    assert len(expected) == 3
    for n, text in enumerate(expected, start=1):
        assert repr(checks.hint()) == f"Hint {n} of 3 on “{THROW}”:\n  {text}"
    for _ in range(2):
        assert repr(checks.hint()) == (
            f"These were all the hints on “{THROW}”. The solution is folded below the exercise."
        )
    another = checks.throw_action(lambda h, m, g, T: 2 * throw(h, m, g, T))
    assert repr(checks.hint()) == f"Hint 4 of 4 on “{THROW}”:\n  {another.hints[0]}"


def test_a_hint_that_was_given_does_not_come_again():
    checks.throw_action(half_right)
    checks.hint()
    checks.throw_action(half_right)
    general = checks.throw_action.exercise.hints
    assert repr(checks.hint()) == f"Hint 2 of 3 on “{THROW}”:\n  {general[0]}"


def test_an_unanswered_stub_has_general_hints():
    checks.throw_action(lambda h, m, g, T: ...)
    assert checks.hint().text.endswith(checks.throw_action.exercise.hints[0])


def test_no_hint_before_a_check_and_none_after_a_right_answer():
    assert repr(checks.hint()).startswith("No answer has been checked yet.")
    checks.throw_action(half_right)
    checks.throw_action(throw)
    for asked in (checks.hint(), checks.hint(checks.throw_action), checks.hint("throw_action")):
        assert repr(asked) == f"Your last answer to “{THROW}” is right: it needs no hint."
    checks.throw_action(half_right)
    assert repr(checks.hint()).startswith("Hint 1 of 3")


def test_a_hint_to_an_exercise_by_its_check_or_its_name():
    hints = checks.hoop.exercise.hints
    asked = [
        checks.hint(checks.hoop),
        checks.hint("hoop"),
        checks.hint("lnn_tutorial.checks.chapter1.hoop"),
    ]
    assert [text.splitlines()[-1].strip() for text in map(repr, asked[:2])] == list(hints)
    assert repr(asked[2]).startswith("These were all the hints on “A bead on a spinning hoop”.")
    assert "No answer" in repr(checks.hint()), "the check that ran last counts, and none ran"


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ("hopp", ValueError, "expected the name of a check, such as 'hoop', got 'hopp'"),
        ("", ValueError, "got ''"),
        (3, TypeError, "expected a check such as checks.hoop, or its name in quotes, got int"),
        (throw, TypeError, "got function"),
        (..., TypeError, "got ellipsis"),
    ],
)
def test_a_hint_to_something_that_is_no_check(asked, error, words):
    with pytest.raises(error, match=re.escape(words)):
        checks.hint(asked)


def test_of_two_checks_with_one_name_the_last_one_is_meant():
    checks.hint("hoop")

    @check("answer.", title="A hoop of our own", hints=["Look again."])
    def hoop(answer):
        return wrong("No.")

    assert "A hoop of our own" in repr(checks.hint("hoop"))
    assert "A bead on a spinning hoop" in repr(checks.hint(checks.hoop))


def test_hints_are_a_tuple_of_texts():
    with pytest.raises(TypeError, match="expected a tuple of hints, got a text"):
        check("answer.", hints="Look again.")(lambda answer: wrong("No."))


def test_a_check_that_returns_no_verdict_says_so():
    @check("answer.")
    def careless(answer):
        return answer == 3

    assert "the check returned bool, not a verdict" in careless(3).message


# --- The hints of the book ------------------------------------------------------------


def test_every_check_of_the_book_has_one_or_two_hints_that_keep_the_answer():
    assert {each.key.rpartition(".")[2] for each in BOOK.values()} == GIVEN_AWAY.keys()
    for key, each in BOOK.items():
        assert 1 <= len(each.hints) <= 2, key
        for text in each.hints:
            assert text[0].isupper() or text[0] in "(𝓛`", text
            assert text[-1] in ".?", text
            assert len(text) < 260, text
            assert not given_away(text, key.rpartition(".")[2]), text


@pytest.mark.parametrize("key", BOOK)
def test_three_wrong_answers_to_every_exercise_are_tried(key):
    """Three that differ in what their verdicts say, and do not merely raise."""
    module, name = key.rsplit(".", 1)
    importlib.import_module(f"tests.test_checks_ch{module.rpartition('chapter')[2]}")
    said = {str(words) for words in TRIED.get(name, ()) if "raised" not in words}
    assert len(said) >= 3, f"the table of wrong answers to {name} has {len(said)}"


def exercises_of(path):
    """The titles of a chapter's exercises, and their checks by the names of the exercises."""
    titles, calls = {}, {}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            found = re.findall(r":::\{exercise\} (.+)\n:label: (\S+)", cell.source)
            titles |= {label: title for title, label in found}
        elif "exercise-check" in cell.metadata.get("tags", []):
            label = cell.metadata["exercise"]
            calls[label] = re.search(r"checks\.(\w+)\(", cell.source.splitlines()[-1])[1]
    return titles, calls


def test_every_exercise_has_its_check_under_its_title_and_no_check_is_left_over():
    seen = []
    for path in sorted((Path(__file__).parent.parent / "chapters").glob("[0-9][0-9]_*.ipynb")):
        titles, calls = exercises_of(path)
        assert titles.keys() == calls.keys()
        for label, name in calls.items():
            each = getattr(checks, name).exercise
            assert each.title == titles[label]
            assert each.key == f"lnn_tutorial.checks.chapter{int(path.name[:2])}.{name}"
            seen.append(each.key)
    assert seen and sorted(seen) == sorted(BOOK)


# --- Progress -------------------------------------------------------------------------


def counted(name, table=None):
    """Solved or not, tries and hints of one exercise, by its title."""
    rows = (table or checks.progress()).rows
    (row,) = [row for row in rows if row.title == name]
    return row.solved, row.tries, row.hints


def test_tries_and_hints_count_until_it_is_solved():
    assert counted(THROW) == (False, 0, 0)
    checks.throw_action(half_right)
    checks.throw_action(...)  # a stub is no try
    checks.throw_action(lambda h, m, g, T: (1.0, ...))
    assert counted(THROW) == (False, 1, 0)
    checks.throw_action(half_right)
    checks.hint()
    checks.throw_action(throw)
    assert counted(THROW) == (True, 3, 1)
    checks.throw_action(half_right)
    assert repr(checks.hint()).startswith("Hint 2 of 3")
    checks.throw_action(throw)
    assert counted(THROW) == (True, 3, 1)


def test_an_exercise_with_a_hint_and_no_try_is_not_tried():
    checks.hint("hoop")
    assert counted("A bead on a spinning hoop") == (False, 0, 1)
    line = repr(checks.progress()).splitlines()[4]
    assert re.fullmatch(r"  A bead on a spinning hoop +not yet +0 +1", line)


def test_the_table():
    checks.throw_action(half_right)
    checks.hint()
    checks.throw_action(throw)
    checks.bend_coefficient(lambda m, k, T: m)
    assert repr(checks.progress()) == (
        "                                                            tries  hints\n"
        "Chapter 1: 1 of 5 solved\n"
        "  How high should a ball fly?                   ✓ solved        2      1\n"
        "  When does a bend begin to pay?                · tried         1      0\n"
        "  A bead on a spinning hoop                       not yet\n"
        "  Which Lagrangians move alike?                   not yet\n"
        "  The fastest slide                               not yet\n"
        "Not begun: Chapter 2, Chapter 3, Chapter 4, Chapter 5, Chapter 6,\n"
        "Chapter 7, Chapter 8, Chapter 9, Chapter 10, Chapter 11\n"
        "Exercises in all: 1 of 50 solved"
    )
    assert str(checks.progress()) == repr(checks.progress())


def test_the_table_before_anything_and_its_width():
    assert repr(checks.progress()).startswith("Not begun: Chapter 1, Chapter 2")

    @check("answer.", title="A title that goes on and on, " * 4)
    def endless(answer):
        return wrong("No.")

    for each in [*BOOK, endless.exercise.key]:
        for _ in range(12):
            logbook.LOGBOOK.note(logbook.EXERCISES[each], wrong("No."), answered=True)
    lines = repr(checks.progress()).splitlines()
    assert len(lines) > 40
    assert max(map(len, lines)) <= 76


def test_a_check_inside_another_check_counts_once():
    @check("answer.")
    def outer(answer):
        return checks.throw_action(answer)

    assert outer(half_right).hints
    assert counted("Outer") == (False, 1, 0)
    assert counted(THROW) == (False, 0, 0)
    assert "“Outer”" in repr(checks.hint())
    assert outer(lambda h, m, g, T: ...).message.startswith("Nothing here yet")
    assert counted("Outer") == (False, 1, 1)


def test_a_check_of_ones_own_stands_under_its_module_or_as_own():
    @check("return the square of x.", hints=("What is x times x?",))
    def my_square(answer):
        return compare(ask(answer, 3.0), 9.0)

    my_square(lambda x: 2 * x)
    table = repr(checks.progress())
    assert f"{__name__}: 0 of 1 solved\n  My square   " in table
    assert repr(checks.hint()) == "Hint 1 of 1 on “My square”:\n  What is x times x?"
    assert repr(checks.hint()) == "These were all the hints on “My square”."

    def at_home(answer):
        return right("Yes.")

    at_home.__module__ = "__main__"
    check("answer.")(at_home)(3)
    assert "Own exercises: 1 of 1 solved\n  At home   " in repr(checks.progress())


def run_cell(source, name):
    """Runs a cell as IPython does: its source is known to `linecache`."""
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    exec(compile(source, name, "exec"), {"checks": checks, "throw": throw})


def test_a_solution_of_the_book_is_no_try():
    run_cell("# @title Solution\nchecks.throw_action(throw)", "<cell-1>")
    assert counted(THROW) == (False, 0, 0)
    assert "No answer" in repr(checks.hint())
    run_cell("checks.throw_action(throw)", "<cell-2>")
    assert counted(THROW) == (True, 1, 0)


# --- In a script ----------------------------------------------------------------------

SCRIPT = """
checks.throw_action(throw)
verdict = checks.throw_action(throw)
def wrapped(answer):
    checks.throw_action(answer)
wrapped(half_right)
for check in [checks.hint]:
    check()
checks.progress()
if checks.throw_action(throw):
    print(checks.throw_action(throw))
"""


def run_script(mode="exec", source=SCRIPT, name="__main__"):
    names = {"__name__": name, "checks": checks, "throw": throw, "half_right": half_right}
    exec(compile(source, "<script>", mode), names)


def test_a_script_prints_what_it_throws_away_once(capsys):
    run_script()
    printed = capsys.readouterr().out
    right_one = repr(checks.throw_action(throw))
    assert printed.startswith(f"{right_one}\n✗ The kinetic part is right;")
    assert printed.count(right_one) == 2  # the statement, and the script's own print
    assert printed.count("✗") == printed.count("Hint 1 of 3") == 1
    assert printed.count("Exercises in all: 1 of 50 solved") == 1


def test_where_values_show_by_themselves_nothing_is_printed_twice(capsys, monkeypatch):
    right_one = f"{checks.throw_action(throw)!r}\n"
    run_script("single", "checks.throw_action(throw)")  # as an interactive Python and doctest do
    assert capsys.readouterr().out == right_one
    run_script(name="a_module")
    assert capsys.readouterr().out == right_one, "only the print of its own"
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))
    run_script(source="checks.throw_action(throw)\nchecks.hint()")
    assert capsys.readouterr().out == ""


# --- The file -------------------------------------------------------------------------


def test_two_notebooks_share_a_file(tmp_path, begin):
    path = tmp_path / "progress.json"
    checks.throw_action(half_right)
    checks.hint()
    assert counted(THROW, checks.progress(path)) == (False, 1, 1)
    first = logbook.LOGBOOK

    begin()
    checks.hoop(lambda q, q_dot: q)
    table = checks.progress(str(path))
    assert counted(THROW, table) == (False, 1, 1)
    assert counted("A bead on a spinning hoop", table) == (False, 1, 0)
    assert counted(THROW) == (False, 0, 0), "without a path only this notebook"

    logbook.LOGBOOK = first  # the first goes on
    checks.throw_action(throw)
    for _ in range(2):  # and counts once, however often it is saved
        table = checks.progress(path)
        assert counted(THROW, table) == (True, 2, 1)
        assert counted("A bead on a spinning hoop", table) == (False, 1, 0)

    begin()  # the day after, solved once more
    checks.throw_action(throw)
    assert counted(THROW, checks.progress(path)) == (True, 2, 1)
    assert os.listdir(tmp_path) == ["progress.json"]


def test_nothing_is_written_unless_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checks.throw_action(throw)
    checks.progress()
    assert os.listdir(tmp_path) == []
    checks.progress("progress.json")
    assert os.listdir(tmp_path) == ["progress.json"]


def test_an_exercise_that_only_the_file_knows_is_kept(tmp_path, begin):
    path = tmp_path / "progress.json"

    @check("answer.")
    def of_another_notebook(answer):
        return right("Yes.")

    of_another_notebook(3)
    checks.progress(path)
    del logbook.EXERCISES[of_another_notebook.exercise.key]
    begin()
    assert counted("Of another notebook", checks.progress(path)) == (True, 1, 0)
    assert counted("Of another notebook", checks.progress(path)) == (True, 1, 0)


RUN = {"x.y": {"solved": True, "tries": 1, "hints": 0}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"\xff\xfe\x00",
        b"[]",
        b"3",
        b"null",
        b"{}",
        b"[" * 100_000,
        json.dumps({"format": "another", "runs": {}}).encode(),
        json.dumps({"format": logbook.FORMAT}).encode(),
        json.dumps({"format": logbook.FORMAT, "runs": []}).encode(),
        json.dumps({"format": logbook.FORMAT, "runs": {"a": 3}}).encode(),
        json.dumps({"format": logbook.FORMAT, "runs": {"a": {"x.y": {"solved": True}}}}).encode(),
        *(
            json.dumps(
                {"format": logbook.FORMAT, "runs": {"a": {"x.y": RUN["x.y"] | slip}}}
            ).encode()
            for slip in ({"tries": -1}, {"hints": "2"}, {"solved": 1}, {"tries": 0.5}, {"more": 1})
        ),
    ],
    ids=range(18),
)
def test_a_foreign_file_is_refused_and_stays(tmp_path, content):
    path = tmp_path / "progress.json"
    path.write_bytes(content)
    checks.throw_action(throw)
    with pytest.raises(ValueError, match=r"progress\.json is not a progress file of this book"):
        checks.progress(path)
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["progress.json"]


def test_a_file_of_this_form_is_accepted(tmp_path):
    path = tmp_path / "progress.json"
    path.write_text(json.dumps({"format": logbook.FORMAT, "runs": {"a": RUN}}))
    assert counted("Y", checks.progress(path)) == (True, 1, 0)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OSError, match="directory"):
        checks.progress(tmp_path)


@pytest.mark.parametrize("path", [3, 1.5, b"progress.json", ["progress.json"], True, ...])
def test_a_path_is_a_path(path):
    with pytest.raises(TypeError, match=r"expected a path such as 'progress\.json', got \w+"):
        checks.progress(path)


def test_another_process_shares_the_file(tmp_path):
    checks.bands(lambda stencil: {0})
    checks.progress(tmp_path / "progress.json")
    script = (
        "from lnn_tutorial import checks\n"
        "checks.bands(lambda stencil: {0}), checks.hint()\n"
        "print(checks.progress('progress.json'))"
    )
    root = str(Path(__file__).parent.parent)
    env = os.environ | {"PYTHONPATH": root, "PYTHONUTF8": "1"}
    table = subprocess.check_output(
        [sys.executable, "-c", script], text=True, cwd=tmp_path, env=env
    )
    assert re.search(r"Three bands or five\? +· tried +2 +1\n", table)
