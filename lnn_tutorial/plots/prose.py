"""Numbers as a book prints them, and how they come into the prose."""

import math
import re
from typing import Any

import numpy as np

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number(value: float, digits: int = 2) -> str:
    """A number as a book prints it, with so many significant digits.

    >>> [number(x) for x in (0.00412, -0.41, 1.3, 1.96, 4e-5)]
    ['0.0041', '−0.41', '1.3', '2.0', '4\\xa0×\\xa010⁻⁵']
    >>> number(12_800), number(2000), number(3.14159, 4)
    ('12,800', '2000', '3.142')

    Whole numbers below a million keep all their digits; floats from there on, and below 0.001,
    become a power of ten. Zeros at the end stay where they say how precisely was measured: 1.96
    is 2.0, but 0.5 is 0.5. The minus is U+2212, and nothing in it breaks at the end of a line.

    Raises TypeError for what is not one real number, ValueError for one that is not finite or
    for less than one digit.
    """
    value = _scalar(value)
    if isinstance(digits, bool) or not isinstance(digits, int) or digits < 1:
        raise ValueError(f"expected at least one digit, got {digits!r}")
    if isinstance(value, int):
        return _grouped(str(value))
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    exponent = int(exponent)
    if value == 0:
        return "0"
    if value.is_integer() and exponent < 6:
        return _grouped(f"{value:.0f}")
    if math.isclose(value, float(f"{mantissa}e{exponent}"), rel_tol=1e-6) and "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    if not -3 <= exponent < 6:
        power = str(exponent).translate(SUPERSCRIPTS)
        return f"{mantissa}\u00a0×\u00a010{power}".replace("-", "−")
    decimals = len(mantissa.partition(".")[2]) - exponent
    return _grouped(f"{float(f'{mantissa}e{exponent}'):.{max(decimals, 0)}f}")


def glue(*one: Any, **values: Any) -> None:
    """Store numbers or texts under names, so that prose can show them.

    `glue(ch3_error=100 * error, ch3_best="softplus")` in a cell tagged `remove-cell`; then the
    role `glue:text` of the prose, with the content `ch3_error`, shows the number. Text is stored
    as it is, a number as `number` prints it. A session shows them, `name = value`; the page does
    not.
    This is MyST-NB's glue without the dependency, so it also runs where MyST-NB is missing.

    The older form `glue("ch3_error", value)` keeps six digits, for a role with the content
    `ch3_error:.2f`, and shows nothing.

    Raises ValueError for a name that is not letters, digits and _ (it starts with a letter), and
    for a number that is not finite; TypeError for a value that is neither a number nor text.
    """
    if len(one) not in (0, 2) or bool(one) == bool(values):
        raise TypeError("expected names and values to glue, such as glue(ch1_action=1.3)")
    values = dict([one]) if one else values
    for name in values:
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise ValueError(
                f"expected a name of letters, digits and _, such as ch1_action, got {name!r}"
            )
    write = _six_digits if one else number
    texts = {name: v if isinstance(v, str) else write(v) for name, v in values.items()}
    for name, text in texts.items():
        _store(name, text)
    if not one:
        print("\n".join(f"{name} = {text}" for name, text in texts.items()))


def _store(name: str, text: str) -> None:
    """What MyST-NB looks for among the outputs of a cell, whatever becomes of the cell."""
    from IPython.display import display

    mime_prefix = "application/papermill.record/"
    display(
        {mime_prefix + "text/plain": repr(text)},
        raw=True,
        metadata={
            "scrapbook": {"name": name, "mime_prefix": mime_prefix},
            "strip_text_quotes": True,
        },
    )


def _six_digits(value: Any) -> str:
    if np.asarray(value).dtype.kind == "b":
        return str(bool(value))
    value = _scalar(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _scalar(value: Any) -> int | float:
    """The one real and finite number that `value` is, whatever library it comes from."""
    if np.size(value) != 1 or np.asarray(value).dtype.kind not in "iuf":
        raise TypeError(f"expected one number, or text to glue, got {type(value).__name__}")
    value = np.asarray(value).item()
    if not math.isfinite(value):
        raise ValueError(f"expected a finite number, got {value}")
    return value


def _grouped(text: str) -> str:
    """A comma for each thousand from 10,000 on, and a minus for a hyphen."""
    whole, point, rest = text.partition(".")
    if len(whole.lstrip("-")) > 4:
        whole = f"{int(whole):,}"
    return (whole + point + rest).replace("-", "−")
