"""What all checks share: the verdict, and ways to look at a stranger's answer."""

import inspect
import linecache
import sys
import sysconfig
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from lnn_tutorial.checks import logbook


@dataclass(frozen=True)
class Verdict:
    """What a check found: true if the answer passed, and a sentence or two that say why.

    The message names the mistake, or what is seen of it. `hints` are questions to think about
    next. The text only says that there are some: `hint` gives them one by one.
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

    def because(self, reason: str) -> "Verdict":
        """This verdict with one more sentence in its message; an empty one changes nothing."""
        return replace(self, message=f"{self.message} {reason}") if reason else self

    def with_slip(self, found: Any, slips: Mapping[str, Any], **settings: Any) -> "Verdict":
        """This verdict because of the first slip that explains what was found, see `named`."""
        return self.because(named(found, slips, **settings))


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


def named(found: Any, slips: Mapping[str, Any], **settings: Any) -> str:
    """The first slip that explains what was found, or "" if none does.

    `slips` are wrong values by what to say of them; `settings` are those of `compare`.
    """
    return next((what for what, slip in slips.items() if compare(found, slip, **settings)), "")


def missing(answer: Any) -> bool:
    """Whether an answer, or a part of it, is still `...` or None.

    What has named fields, such as the result of a fit, is whole even where one of them is None.
    """
    if isinstance(answer, (list, tuple)) and not hasattr(answer, "_fields"):
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
    >>> square(lambda: 9)
    ✗ Your function raised TypeError: <lambda>() takes 0 positional arguments but 1 was given
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
            if not _checking.get():
                caller = sys._getframe(1)
                if not _in_a_solution(caller):
                    answered = not verdict.message.startswith(NOTHING)
                    logbook.LOGBOOK.note(exercise, verdict, answered=answered)
                logbook.show(verdict, caller)
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
        ragged = "inhomogeneous shape" in str(error)  # NumPy's word
        said = "it holds several things of different shapes." if ragged else _describe(error)
        return wrong(f"This answer cannot be checked: {said}")


def _in_a_solution(frame: Any) -> bool:
    """Whether the cell of a frame holds a solution of the book."""
    first = linecache.getline(frame.f_code.co_filename, 1, frame.f_globals)
    return first.startswith(SOLUTION)


def ask(function: Callable, *arguments) -> Any:
    """What the student's function returns; ends the check where it raises or is still a stub.

    The verdict on an exception names the line of the answer that raised it, and the shapes of
    what the answer was given. A transformed function counts too: `ask(jax.grad(answer), x)`. Ask
    the plain function first, so that a stub is recognised before JAX complains about it.
    """
    if not callable(function):
        raise Stop(wrong(f"Expected a function, got {type(function).__name__}."))
    try:
        answer = function(*arguments)
    except Exception as error:
        said, more = _describe(error), _line(error) + _given(function, arguments)
        said = f"{said.rstrip('.')}.{more}" if more else said
        raise Stop(wrong(f"Your function raised {said}")) from error
    if missing(answer):
        raise Stop()
    return answer


LIBRARIES = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), "site-packages")
"""What stands in the path of a file that is no student's."""


def _line(error: Exception) -> str:
    """A sentence with the last line of the student's own code that an error passed, or ""."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each.line for each in frames if not any(map(each.filename.__contains__, LIBRARIES))]
    return f" In the line: {own[-1][:100]}." if own and own[-1] else ""


def _given(function: Callable, arguments: tuple) -> str:
    """A sentence with the shapes of the arrays that a function got, or "" if there is none.

    A transformed function gets other shapes than the student's, so nothing is said of these.
    """
    if hasattr(function, "__wrapped__"):
        return ""
    try:
        bound = inspect.signature(function).bind(*arguments)
    except (TypeError, ValueError):
        return ""
    shapes = [
        f"{name} of shape {np.shape(each)}"
        for name, each in bound.arguments.items()
        if getattr(each, "shape", ())
    ]
    return f" It was given {' and '.join(shapes)}." if shapes else ""


@contextmanager
def watched(*modules: str, **functions: Callable) -> Iterator[Counter]:
    """Count the calls of Python functions, by their names, while the block runs.

    Whoever calls them, by whatever name, also while JAX traces; all functions of `modules` count
    as one, by the name of the module. For tasks that ask to do without something.
    """
    codes = {inspect.unwrap(each).__code__: name for name, each in functions.items()}
    seen: Counter = Counter()

    def note(frame, event, _):
        if event == "call":
            name = codes.get(frame.f_code) or frame.f_globals.get("__name__")
            if name in functions or name in modules:
                seen[name] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def real(value: Any) -> np.ndarray | None:
    """An array of real numbers, or None if these are none: texts and truths are no numbers."""
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and not any(isinstance(x, (str, bool)) for x in array.flat):
            array = array.astype(float)  # fractions and their like
    except (TypeError, ValueError):
        return None
    return array.astype(float) if array.dtype.kind in "iuf" else None


def one_number(found: Any, name: str, several: str = "") -> float:
    """One finite real number, also as an array of one, or a verdict.

    `name` is what it should be; `several` is said of a list of more than three.
    """
    array = real(found)
    if array is None:
        raise Stop(wrong(f"Your {name} should be a real number, got {kind(found)}."))
    if array.size != 1:
        verdict = wrong(f"Your {name} should be one number, and has shape {array.shape}.")
        raise Stop(verdict.because(several if array.ndim and len(array) > 3 else ""))
    if not isfinite(array.item()):
        raise Stop(wrong(f"Your {name} is not finite."))
    return array.item()


def pair(found: Any, form: str) -> list:
    """The two parts of an answer, or a verdict that begins with the `form` they should have."""
    if not hasattr(found, "__len__") or isinstance(found, (str, bytes, dict, set)):
        raise Stop(wrong(f"{form}, got {kind(found)}."))
    if getattr(found, "shape", None) == ():
        raise Stop(wrong(f"{form}, got one number."))
    if len(found) != 2:
        raise Stop(wrong(f"{form}, got {len(found)} parts."))
    return list(found)


def kind(value: Any) -> str:
    """What something is, in a word or two: its type, and of an array also what it holds."""
    name = type(value).__name__
    return f"{name} of {value.dtype}" if getattr(value, "shape", ()) else name


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
    given, value = value, real(value)
    if value is None:
        return wrong(f"{name} should be made of real numbers, got {kind(given)}.")
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
