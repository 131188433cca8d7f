"""What all checks share: the verdict, and ways to look at a stranger's answer."""

import linecache
import sys
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import numpy as np

from lnn_tutorial.checks import logbook


@dataclass(frozen=True)
class Verdict:
    """What a check found: true if the answer passed, and a sentence that says why.

    `hints` are what to think about next. The text only says that there are some: `hint` gives
    them one by one.
    """

    passed: bool
    message: str
    hints: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        way_on = "\n  checks.hint() gives a hint." if self.hints else ""
        return f"{'✓' if self.passed else '✗'} {self.message}{way_on}"

    def with_hint(self, hint: str) -> "Verdict":
        """This verdict with one more hint."""
        return replace(self, hints=(*self.hints, hint))

    def with_slip(self, found: Any, slips: Mapping[str, Any], **settings: Any) -> "Verdict":
        """This verdict with the hint on the first slip that explains what was found.

        `slips` are wrong values by their hints; `settings` are those of `compare`.
        """
        for hint, slip in slips.items():
            if compare(found, slip, **settings):
                return self.with_hint(hint)
        return self


class Stop(Exception):
    """Ends a check that cannot go on, with a verdict, or with None for an unanswered stub."""

    def __init__(self, verdict: Verdict | None = None):
        super().__init__(str(verdict))
        self.verdict = verdict


def right(message: str) -> Verdict:
    """The verdict of a passed check: `✓ message`."""
    return Verdict(True, message)


def wrong(message: str, *hints: str) -> Verdict:
    """The verdict of a failed check: `✗ message`, and hints for whoever asks."""
    return Verdict(False, message, hints)


def missing(answer: Any) -> bool:
    """Whether an answer, or a part of it, is still `...` or None."""
    if isinstance(answer, (list, tuple)):
        return any(missing(part) for part in answer)
    if isinstance(answer, dict):
        return missing(list(answer.values()))
    return answer is None or answer is ...


NOTHING = "Nothing here yet: "
"""How the verdict on an unanswered stub begins."""

SOLUTION = "# @title Solution"
"""How a cell with a solution of the book begins."""

_checking: ContextVar[bool] = ContextVar("checking", default=False)


def check(task: str, *, title: str = "", hints: Iterable[str] = ()) -> Callable:
    """Decorator that makes a function of answers a check that never raises.

    `task` completes "Nothing here yet: …", the verdict on an unanswered stub. The decorated
    function returns a `Verdict`. It calls the student's functions through `ask`. `title` names
    the exercise in the table of `progress`, and `hints`, the vaguest first, are what `hint`
    gives when those on a mistake are used up. Raises TypeError if `hints` is a single text.

    A verdict is noted for both, but not that on a solution of the book, whose cell begins with
    "# @title Solution", nor that of a check inside another check.

    >>> @check("return the square of x.", hints=("What is x times x?",))
    ... def square(answer):
    ...     return compare(ask(answer, 3.0), 9.0, name="Your square of 3")
    >>> square(lambda x: ...)
    ✗ Nothing here yet: return the square of x.
    >>> square(lambda x: x / 0)
    ✗ Your function raised ZeroDivisionError: float division by zero
    >>> square(lambda x: x * x)
    ✓ Your square of 3 is right.
    """

    def decorate(examine: Callable[..., Verdict]) -> Callable[..., Verdict]:
        exercise = logbook.enter(examine, title, hints)

        @wraps(examine)
        def judged(*answers, **settings) -> Verdict:
            inside = _checking.set(True)
            try:
                verdict = _judge(examine, task, answers, settings)
            finally:
                _checking.reset(inside)
            if not _checking.get() and not _in_a_solution(sys._getframe(1)):
                answered = not verdict.message.startswith(NOTHING)
                logbook.LOGBOOK.note(exercise, verdict, answered=answered)
            return verdict

        judged.exercise = exercise
        return judged

    return decorate


def _judge(examine: Callable, task: str, answers: tuple, settings: dict) -> Verdict:
    """The verdict of a check's own function, which may raise."""
    unanswered = wrong(NOTHING + task)
    if missing(answers):
        return unanswered
    try:
        verdict = examine(*answers, **settings)
        if not isinstance(verdict, Verdict):
            raise TypeError(f"the check returned {type(verdict).__name__}, not a verdict")
        return verdict
    except Stop as stop:
        return unanswered if stop.verdict is None else stop.verdict
    except Exception as error:
        return wrong(f"This answer cannot be checked: {_describe(error)}")


def _in_a_solution(frame: Any) -> bool:
    """Whether the cell of a frame holds a solution of the book."""
    first = linecache.getline(frame.f_code.co_filename, 1, frame.f_globals)
    return first.startswith(SOLUTION)


def ask(function: Callable, *arguments) -> Any:
    """What the student's function returns; ends the check where it raises or is still a stub.

    A transformed function counts too: `ask(jax.grad(answer), x)`. Ask the plain function first,
    so that a stub is recognised before JAX complains about it.
    """
    if not callable(function):
        raise Stop(wrong(f"Expected a function, got {type(function).__name__}."))
    try:
        answer = function(*arguments)
    except Exception as error:
        raise Stop(wrong(f"Your function raised {_describe(error)}")) from error
    if missing(answer):
        raise Stop()
    return answer


def compare(
    value: Any,
    expected: Any,
    *,
    name: str = "Your answer",
    rtol: float = 1e-4,
    atol: float = 1e-6,
    praise: str = "",
) -> Verdict:
    """Verdict on a number or array against the expected one, which is never printed.

    Passes where |value − expected| ≤ atol + rtol |expected|; the defaults allow for float32.
    Otherwise it names the first of these that applies: nothing there, not numbers, another
    shape, non-finite entries, the wrong sign, a transpose, a constant factor, too large or small,
    which entries. `name` begins the sentence, `praise` replaces the one of a right answer.
    """
    if missing(value):
        return wrong(f"{name} is missing.")
    try:
        value = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return wrong(f"{name} should be made of real numbers, got {type(value).__name__}.")
    expected = np.asarray(expected, dtype=float)

    def near(candidate):
        return np.isclose(candidate, expected, rtol=rtol, atol=atol)

    if value.shape != expected.shape:
        hints = ["Is it transposed?"] if value.T.shape == expected.shape else []
        return wrong(f"{name} has shape {value.shape}, expected {expected.shape}.", *hints)
    if not np.isfinite(value).all():
        return wrong(f"{name} is not finite: it holds NaN or infinity.")
    if near(value).all():
        return right(praise or f"{name} is right.")
    if near(-value).all():
        return wrong(f"{name} has the wrong sign.")
    if value.ndim == 2 and value.shape == value.T.shape and near(value.T).all():
        return wrong(f"{name} is transposed.")
    factor = _factor(value, expected, near)
    if factor:
        return wrong(f"{name} is off by {factor}.")
    if value.size == 1:
        return wrong(f"{name} is too {'large' if value.item() > expected.item() else 'small'}.")
    return wrong(_which(name, ~near(value)))


def _factor(value: np.ndarray, expected: np.ndarray, near: Callable) -> str:
    """The constant factor between two arrays in words, or "" if there is none.

    A lone number is always off by some factor, and that factor would give the answer away.
    So only common slips are named, and for arrays any other factor is mentioned without its size.
    """
    scale = np.vdot(expected, expected)
    ratio = np.vdot(expected, value) / scale if scale > 0 else 0.0
    if ratio == 0.0 or not near(value / ratio).all():
        return ""
    slips = {
        "2": 2,
        "3": 3,
        "4": 4,
        "10": 10,
        "100": 100,
        "1000": 1000,
        "π": np.pi,
        "2π": 2 * np.pi,
    }
    slips |= {"180/π (degrees for radians)": 180 / np.pi}
    sign = " and has the wrong sign" if ratio < 0 else ""
    for word, slip in slips.items():
        if np.isclose(abs(ratio), slip, rtol=1e-3):
            return f"a factor of {word}{sign}"
        if np.isclose(abs(ratio), 1 / slip, rtol=1e-3):
            return f"a factor of 1/{word}{sign}" if slip < 50 else f"a factor of 1/({word}){sign}"
    several = np.count_nonzero(~np.isclose(expected, 0.0, atol=1e-12)) > 1
    return f"a constant factor{sign}" if several else ""


def _which(name: str, off: np.ndarray) -> str:
    """A sentence that counts the wrong entries and points at the first of them."""
    if off.all():
        return f"{name} is wrong in every entry."
    first = [int(i) for i in np.argwhere(off)[0]]
    return f"{name} is wrong in {off.sum()} of {off.size} entries, first in entry {first}."


def _describe(error: Exception) -> str:
    """The error's type and the first line of its message, cut to 200 characters."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else f"{type(error).__name__}."
