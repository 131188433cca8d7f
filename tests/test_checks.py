"""The base of the exercises' checks: right is told from wrong, and nothing is given away."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lnn_tutorial import checks
from lnn_tutorial.checks import Verdict, ask, check, compare, right, wrong

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
    assert "ZeroDivisionError" in square(lambda x: x / 0).message
    assert square(7.0) == wrong("Expected a function, got float.")


def test_an_exception_in_the_check_itself_does_not_escape():
    @check("…")
    def broken(answer):
        return answer["key"]

    assert broken(7.0).message.startswith("This answer cannot be checked: TypeError")


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
        ([1.0, 2.0, 3.0], [1.0, 2.0], "has shape (3,), expected (2,)"),
        ([[1.0, 2.0]], [[1.0], [2.0]], "Is it transposed?"),
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


@given(st.floats(0.1, 100.0), st.floats(0.1, 100.0))
def test_the_expected_number_is_never_printed(value, expected):
    message = compare(value, expected).message
    assert f"{expected:.3g}" not in message.replace("factor of 1/", "").split()


def test_docstrings_are_true():
    import doctest

    assert doctest.testmod(checks).failed == 0


def test_verdicts_are_values():
    assert right("yes") == Verdict(True, "yes") != wrong("yes")
