"""A student's way in: hints one after another, and a table of what is solved."""

import dis
import json
import os
import re
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from types import FrameType
from typing import Any

from lnn_tutorial.store import write_atomically


@dataclass(frozen=True)
class Exercise:
    """What a check belongs to: its module and name, a title, and hints, the vaguest first."""

    key: str
    title: str
    hints: tuple[str, ...] = ()


EXERCISES: dict[str, Exercise] = {}
"""Every exercise that has a check, by its key, in the order of the book."""


def enter(examine: Callable, title: str, hints: Iterable[str]) -> Exercise:
    """The exercise of a check, entered in `EXERCISES`; a check made anew replaces the old one."""
    if isinstance(hints, str):
        raise TypeError('expected a tuple of hints, got a text; write ("one hint",) for one')
    module = "own" if examine.__module__ == "__main__" else examine.__module__
    key = f"{module}.{examine.__name__}"
    EXERCISES[key] = Exercise(key, title or _title(key), tuple(hints))
    return EXERCISES[key]


@dataclass
class Attempt:
    """What was done about one exercise: the last verdict, the hints given, and the counts.

    Tries and hints count until the exercise is solved.
    """

    verdict: Any = None
    given: list[str] = field(default_factory=list)
    solved: bool = False
    tries: int = 0
    hints: int = 0


class Logbook:
    """What one run of a notebook has seen: attempts by exercise, and the one checked last."""

    def __init__(self):
        self.name = uuid.uuid4().hex
        self.attempts: dict[str, Attempt] = {}
        self.last: Exercise | None = None

    def attempt(self, exercise: Exercise) -> Attempt:
        """The attempt at an exercise, made now if there is none."""
        return self.attempts.setdefault(exercise.key, Attempt())

    def note(self, exercise: Exercise, verdict: Any, *, answered: bool) -> None:
        """Remember a verdict; that on an unanswered stub is no try."""
        attempt = self.attempt(exercise)
        self.last, attempt.verdict = exercise, verdict
        if answered and not attempt.solved:
            attempt.tries += 1
            attempt.solved = verdict.passed

    def counts(self) -> dict[str, dict[str, Any]]:
        """By exercise: whether it is solved, and the numbers of tries and hints."""
        return {
            key: {"solved": each.solved, "tries": each.tries, "hints": each.hints}
            for key, each in self.attempts.items()
        }


LOGBOOK = Logbook()


# --- In a script ----------------------------------------------------------------------


def show(result: Any, caller: FrameType) -> None:
    """Print what a call of a script returned and the script throws away.

    A notebook, an interactive Python and a doctest show the value of an expression by themselves;
    a script shows nothing. `caller` is the frame of the call.
    """
    ipython = sys.modules.get("IPython")
    in_a_notebook = ipython is not None and ipython.get_ipython() is not None
    if caller.f_globals.get("__name__") == "__main__" and not in_a_notebook:
        ahead = (
            each for each in dis.get_instructions(caller.f_code) if each.offset > caller.f_lasti
        )
        if next(ahead).opname == "POP_TOP":  # the value is not used
            print(result)


# --- Hints ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Hint:
    """Something to think about, as plain text."""

    text: str

    def __repr__(self) -> str:
        return self.text


def hint(check: Callable | str | None = None) -> Hint:
    """The next hint on the answer that was checked last, or on the exercise of `check`.

    First come the hints on the mistake that was found, then the general ones of the exercise;
    every call goes one step further. `check` is a check or its name: `hint(checks.hoop)` or
    `hint("hoop")` helps with an exercise that has not been tried yet.

    Raises TypeError if `check` is neither, and ValueError if no check has that name.
    """
    given = _next_hint(check)
    show(given, sys._getframe(1))
    return given


def _next_hint(check: Callable | str | None) -> Hint:
    exercise = LOGBOOK.last if check is None else _find(check)
    if exercise is None:
        return Hint(
            "No answer has been checked yet. Run the cell below an exercise, or name its check, "
            "as in checks.hint(checks.hoop)."
        )
    title, attempt = f"“{exercise.title}”", LOGBOOK.attempt(exercise)
    if attempt.verdict is not None and attempt.verdict.passed:
        return Hint(f"Your last answer to {title} is right: it needs no hint.")
    on_the_mistake = () if attempt.verdict is None else attempt.verdict.hints
    left = [each for each in (*on_the_mistake, *exercise.hints) if each not in attempt.given]
    if not left:
        folded = " The solution is folded below the exercise." if _number(exercise.key) else ""
        return Hint(f"These were all the hints on {title}.{folded}")
    attempt.given.append(left[0])
    attempt.hints += not attempt.solved
    n = len(attempt.given)
    return Hint(f"Hint {n} of {n + len(left) - 1} on {title}:\n  {left[0]}")


def _find(check: Callable | str) -> Exercise:
    """The exercise of a check or of its name; of two with one name the one made last."""
    if isinstance(found := getattr(check, "exercise", None), Exercise):
        return found
    if not isinstance(check, str):
        raise TypeError(
            "expected a check such as checks.hoop, or its name in quotes, got "
            f"{type(check).__name__}"
        )
    found = [each for key, each in EXERCISES.items() if check in (key, key.rpartition(".")[2])]
    if not found:
        raise ValueError(f"expected the name of a check, such as 'hoop', got {check!r}")
    return found[-1]


# --- The table ------------------------------------------------------------------------

WIDTH, TITLE = 72, 45


@dataclass(frozen=True)
class Row:
    """What was done about one exercise; `hints` is the number of hints taken."""

    chapter: str
    title: str
    solved: bool = False
    tries: int = 0
    hints: int = 0

    def after(self, counts: Mapping[str, Any]) -> "Row":
        """The row after one more run; what follows a solved exercise does not count."""
        if self.solved:
            return self
        tries, hints = self.tries + counts["tries"], self.hints + counts["hints"]
        return Row(self.chapter, self.title, counts["solved"], tries, hints)

    def __repr__(self) -> str:
        title = self.title if len(self.title) <= TITLE else f"{self.title[: TITLE - 1]}…"
        state = "✓ solved" if self.solved else "· tried" if self.tries else "  not yet"
        numbers = f"{self.tries:>6}{self.hints:>7}" if self.tries or self.hints else ""
        return f"  {title:<{TITLE}} {state:<11}{numbers}".rstrip()


@dataclass(frozen=True)
class Progress:
    """What is solved, tried and not yet tried, one `Row` an exercise; its text is a table."""

    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        chapters: dict[str, list[Row]] = {}
        for row in self.rows:
            chapters.setdefault(row.chapter, []).append(row)
        lines, closed = [], []
        for name, rows in chapters.items():
            if any(row.tries or row.hints for row in rows):
                lines += [f"{name}: {_solved(rows)}", *map(repr, rows)]
            else:
                closed.append(name)
        if lines:
            lines.insert(0, f"{'':<{TITLE + 14}}{'tries':>6}{'hints':>7}")
        if closed:
            lines.append(fill(f"Not begun: {', '.join(closed)}", WIDTH))
        return "\n".join([*lines, f"Exercises in all: {_solved(self.rows)}"])


def progress(path: str | os.PathLike | None = None) -> Progress:
    """A table of what is solved: in this notebook, or in all that share a file.

    `checks.progress("progress.json")` also merges with what that file holds and writes it back,
    so that the chapters of a course can share one file. A run of a notebook counts once, however
    often it is saved; tries and hints count until the exercise is solved. Without a path nothing
    is written.

    Raises TypeError if `path` is no path, OSError if the file cannot be read or written, and
    ValueError if it is no progress file; then it stays as it is.
    """
    table = _merged(path)
    show(table, sys._getframe(1))
    return table


def _merged(path: str | os.PathLike | None) -> Progress:
    if path is None:
        return _table([LOGBOOK.counts()])
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"expected a path such as 'progress.json', got {type(path).__name__}")
    path = Path(path)
    runs = _read(path) if path.exists() else {}
    runs[LOGBOOK.name] = LOGBOOK.counts()
    text = json.dumps({"format": FORMAT, "runs": runs}, indent=1)
    write_atomically(path, lambda file: file.write(f"{text}\n".encode()))
    return _table(runs.values())


def _table(runs: Iterable[Mapping]) -> Progress:
    """A row for every exercise that is known here or in a run, with the counts of all runs."""
    rows = {key: Row(_chapter(key), each.title) for key, each in EXERCISES.items()}
    for run in runs:
        for key, counts in run.items():
            rows[key] = rows.get(key, Row(_chapter(key), _title(key))).after(counts)
    return Progress(tuple(rows.values()))


def _number(key: str) -> str:
    """The number of the chapter that has the exercise, or nothing for one from elsewhere."""
    found = re.match(r"lnn_tutorial\.checks\.chapter(\d+)\.", key)
    return found[1] if found else ""


def _chapter(key: str) -> str:
    """The heading over an exercise: its chapter, or the module that its check comes from."""
    module = key.rpartition(".")[0]
    others = {"own": "Own exercises", "lnn_tutorial.checks.primer": "Primer"}
    return f"Chapter {_number(key)}" if _number(key) else others.get(module, module)


def _title(key: str) -> str:
    """A title from the name of a check."""
    return key.rpartition(".")[2].replace("_", " ").capitalize()


def _solved(rows: Iterable[Row]) -> str:
    """How many of the exercises are solved."""
    solved = [row.solved for row in rows]
    return f"{sum(solved)} of {len(solved)} solved"


# --- The file -------------------------------------------------------------------------

FORMAT = "lnn_tutorial progress 1"


def _read(path: Path) -> dict[str, dict]:
    """The runs in a progress file, by their names."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        if held["format"] != FORMAT:
            raise ValueError(f"its format is {held['format']!r}, expected {FORMAT!r}")
        for run in held["runs"].values():
            for counts in run.values():
                _look_at(**counts)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} is not a progress file of this book, so it stays as it is. Choose another "
            "name, or move that file away."
        ) from error
    return held["runs"]


def _look_at(*, solved: bool, tries: int, hints: int) -> None:
    """Raise unless the counts of an exercise are of the right kind."""
    if type(solved) is not bool or any(type(n) is not int or n < 0 for n in (tries, hints)):
        raise ValueError(f"solved {solved!r}, tries {tries!r}, hints {hints!r} are no counts")
