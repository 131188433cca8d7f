"""What a wrong answer is made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """A slip that a student makes, and how an assignment takes it.

    Attributes:
        slip: the slip in words.
        answers: new sources of answer cells, by their ids.
        passes: visible tests that the slip passes all the same.
        fails: hidden tests that see through it.
    """

    slip: str
    answers: dict
    passes: tuple
    fails: tuple
