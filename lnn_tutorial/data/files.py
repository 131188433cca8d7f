"""A file as named columns of numbers, each with the row where it stands: text tables and `.npz`."""

import csv
import difflib
import io
import operator
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces"}
"""What may stand between the cells of a row; the first that fits the header is taken."""

MISSING = ("", "-", "nan", "na", "n/a")
"""Cells that say that nothing was measured, in any case of letters."""

_BLOCK = 50_000  # rows that are turned into numbers at a time: text takes much more memory


class Columns(NamedTuple):
    """Some columns of a file.

    Args:
        name: the name of the file.
        values: numbers by the name of their column, each `[n]`; NaN where a cell says so.
        labels: `[n]`, whole numbers or strings, or None.
        rows: where each entry stands `[n]`: its line in a text file, its index in an array.
        kinds: what rows and columns are called here: ("row", "column") or ("entry", "array").
        notes: sentences on what was understood.
    """

    name: str
    values: dict
    labels: np.ndarray | None
    rows: np.ndarray
    kinds: tuple
    notes: list

    def where(self, i, column):
        """A place in words, "row 7, column theta1"."""
        return f"{self.kinds[0]} {self.rows[i]}, {self.kinds[1]} {column},"


def columns(file, numbers, labels=None):
    """Read some columns of numbers, and one of labels; see `table` for what is taken and refused.

    Args:
        file: the path of a text table, or of a `.npz`.
        numbers: names of columns, any of them more than once.
        labels: the name of a column, or None.
    """
    path = Path(file)
    if path.is_dir():
        raise ValueError(f"expected a table, got the folder {path}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"expected a table to read, got {path}: {error.strerror}") from error
    if not content.strip():
        raise ValueError(f"expected a table, but {path} is empty")
    numbers = tuple(dict.fromkeys(numbers))
    read = _arrays if path.suffix.lower() == ".npz" else text
    return read(path, content, numbers, labels)


def _place(path, names, asked, header):
    """Where in a header each of the asked columns stands, or raise."""
    found = []
    for name in asked:
        places = [i for i, known in enumerate(names) if known == name]
        if not places:
            near = difflib.get_close_matches(name, names, 1, 0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            known = ", ".join(n for n in names if n)
            raise ValueError(f"expected a column {name} in {path.name}, which has {known}{hint}")
        if len(places) > 1:
            which = " and ".join(str(i + 1) for i in places)
            raise ValueError(
                f"expected each column once in {path.name}, but {name} stands {len(places)} times "
                f"in its header, {header}: as columns {which}"
            )
        found.append(places[0])
    return found


# --- Text --------------------------------------------------------------------------------------


class _Header(NamedTuple):
    separator: str
    names: list
    row: int  # the line of the names
    begins: int  # the line after which data begin
    note: str | None


def text(path, content, numbers, labels=None):
    """Some columns of a text table, whose bytes have been read: see `columns`."""
    decoded = _decoded(path, content)
    asked = (*numbers, labels) if labels is not None else numbers
    header = _header(path, decoded, asked)
    places = _place(path, header.names, asked, f"row {header.row}")
    width, pick = len(header.names), operator.itemgetter(*places, *places[:1])
    floats = {name: _Floats(path, name) for name in numbers}
    rows, tags, block, lines = [], [], [], []

    def turn_into_numbers():
        cells = list(zip(*block, strict=True)) or [()] * len(places)
        for name, column in zip(numbers, cells, strict=False):
            floats[name].add(column, lines)
        if labels is not None:
            tags.append(_tags(path, labels, cells[len(numbers)], lines))
        rows.extend(lines)
        block.clear(), lines.clear()

    reader = _reader(decoded, header.separator)
    try:
        for cells in reader:
            if reader.line_num <= header.begins or not "".join(cells).strip():
                continue
            if len(cells) != width and (len(cells) < width or "".join(cells[width:]).strip()):
                raise ValueError(_wrong_width(path, header, cells, reader.line_num))
            block.append(pick(cells))
            lines.append(reader.line_num)
            if len(lines) == _BLOCK:
                turn_into_numbers()
    except csv.Error as error:
        raise ValueError(
            f"expected a table in {path.name}, but row {reader.line_num} cannot be read: {error}"
        ) from error
    turn_into_numbers()
    if not rows:
        raise ValueError(
            f"expected rows of numbers below the header of {path.name}, row {header.row}, got none"
        )
    notes = [f"{path.name} has {len(rows)} rows, with {SEPARATORS[header.separator]} between cells"]
    notes += [header.note] if header.note else []
    commas = [column.comma for column in floats.values() if column.comma]
    if commas:
        row, name = min(commas)
        notes.append(f"decimal commas are read as points, first in row {row}, column {name}")
    return Columns(
        path.name,
        {name: column.all() for name, column in floats.items()},
        None if labels is None else _whole(np.concatenate(tags)),
        np.array(rows),
        ("row", "column"),
        notes,
    )


def _decoded(path, content):
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError(f"expected {path.name} in UTF-8, but it is UTF-16: save it as CSV UTF-8")
    if content[:2] == b"PK" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise ValueError(
            f"expected {path.name} to be a text table, but it is a spreadsheet or an archive: "
            "save its table as CSV"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = len(re.findall(rb"\r\n|\r|\n", content[: error.start])) + 1
        raise ValueError(
            f"expected {path.name} in UTF-8, but row {row} holds the byte "
            f"0x{content[error.start]:02x}: save it as CSV UTF-8"
        ) from error
    if "\0" in text:
        row = len(re.findall(r"\r\n|\r|\n", text[: text.index("\0")])) + 1
        raise ValueError(
            f"expected {path.name} to be a text table, but row {row} holds a byte of zero: if it "
            "is UTF-16, save it as CSV UTF-8"
        )
    if not text.strip():
        raise ValueError(f"expected a table, but {path} is empty")
    return text


def _reader(text, separator):
    """The rows; blank ones in the place of comments, so that rows keep their numbers."""
    lines = io.StringIO(text, newline="")
    lines = ("\n" if line.lstrip().startswith("#") else line for line in lines)
    if separator == " ":
        lines = (line.strip() + "\n" for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def _header(path, text, asked):
    """The header as that separator reads it with which most of the asked columns are found."""
    best, best_score, bare = None, None, False
    for separator in SEPARATORS:
        found = _header_by(text, separator)
        bare |= found is None
        if found is not None:
            score = (len(set(asked) & set(found.names)), separator != " ", len(found.names))
            if len(found.names) == 1:
                score = (score[0], False, 0)
            if best is None or score > best_score:
                best, best_score = found, score
    if best is None or (bare and not best_score[0]):
        raise ValueError(
            f"expected a header row in {path.name} with the names of its columns, but its first "
            f"row holds numbers only: {_first(text)}"
        )
    return best


def _first(text):
    for line in io.StringIO(text):
        if line.strip() and not line.lstrip().startswith("#"):
            return repr(line.strip()[:60])
    return "''"


def _header_by(text, separator):
    """The header as one separator reads it; None where there are numbers without names."""
    reader, rows = _reader(text, separator), []
    try:
        for cells in reader:
            if "".join(cells).strip():
                rows.append((reader.line_num, _stripped(cells)))
            if len(rows) == 2:
                break
    except csv.Error:
        return None
    if not rows:  # comments only
        rows = [(1, [])]
    (row, names), below = rows[0], rows[1] if len(rows) > 1 else (0, [])
    if names and all(_is_number(cell) for cell in names):
        return _header_in_comment(text, separator, row, len(names))
    held = sum(map(bool, names))
    if held < sum(map(bool, below[1])) and not any(_is_number(cell) for cell in below[1]):
        return _titled(separator, names, *below)
    return _Header(separator, names, row, row, None)


def _header_in_comment(text, separator, row, width):
    """As NumPy's `savetxt` writes it: the names behind a # above the first row."""
    for number, line in reversed(list(zip(range(1, row), io.StringIO(text), strict=False))):
        if line.strip():
            line = line.strip().lstrip("#")
            names = _stripped(next(_reader(line, separator), []))
            if len(names) == width and not all(_is_number(cell) for cell in names):
                note = f"the names of the columns are in the comment in row {number}"
                return _Header(separator, names, number, row - 1, note)
            return None
    return None


def _titled(separator, titles, row, names):
    """As the program Tracker writes it: above the names of the columns those of what moves."""
    held = [title for title in titles if title]
    note = f"above the header stands {', '.join(held)}"
    if len(held) > 1:
        title, of = "", []
        for place in range(len(names)):
            title = (titles[place] if place < len(titles) else "") or title
            of.append(f"{title}.{names[place]}" if title else names[place])
        names = of
        note += ": columns are named like " + next(n for n in names if "." in n)
    return _Header(separator, names, row, row, note)


def _stripped(cells):
    """Cells without spaces around them, and without empty ones at the end."""
    cells = [cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _is_number(cell):
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _wrong_width(path, header, cells, row):
    width, hint = len(header.names), ""
    cells = _stripped(cells)
    if (
        header.separator == ","
        and width < len(cells) <= 2 * width
        and all(re.fullmatch(r"-?\d+(e[-+]?\d+)?", cell, re.IGNORECASE) for cell in cells)
    ):
        hint = (
            ": the comma seems to be both separator and decimal point; save the table with "
            "semicolons or tabs between the cells"
        )
    return (
        f"expected {width} cells in each row of {path.name}, as in its header in row {header.row}, "
        f"but row {row} has {len(cells)}{hint}"
    )


class _Floats:
    """A column of text on its way to numbers."""

    def __init__(self, path, name):
        self.path, self.name, self.blocks = path, name, []
        self.comma = self.point = None  # (row, name) of the first decimal comma and point

    def add(self, cells, rows):
        try:
            found = list(map(float, cells))
        except ValueError:
            found = [self._slowly(cell.strip(), row) for cell, row in zip(cells, rows, strict=True)]
        if self.point is None:
            places = zip(rows, cells, strict=True)
            self.point = next(((row, self.name) for row, cell in places if "." in cell), None)
        if self.comma and self.point:
            raise ValueError(
                f"expected one sign for decimals in column {self.name} of {self.path.name}, but "
                f"row {self.comma[0]} has a comma and row {self.point[0]} a point"
            )
        self.blocks.append(np.array(found, float))

    def _slowly(self, cell, row):
        if cell.casefold() in MISSING:
            return np.nan
        try:
            return float(cell)
        except ValueError:
            pass
        try:
            found = float(cell.replace(",", "."))
        except ValueError:
            raise ValueError(
                f"expected numbers in column {self.name} of {self.path.name}, but row {row} holds "
                f"{cell[:40]!r}"
            ) from None
        self.comma = self.comma or (row, self.name)
        return found

    def all(self):
        return np.concatenate(self.blocks)


def _tags(path, name, cells, rows):
    cells = [cell.strip() for cell in cells]
    for cell, row in zip(cells, rows, strict=True):
        if cell.casefold() in MISSING:
            raise ValueError(
                f"expected a label in each row of {path.name}, but row {row}, column {name}, "
                + (f"holds {cell!r}" if cell else "is empty")
            )
    return np.array(cells, str)


def _whole(labels):
    """Labels as whole numbers, where each is written as one."""
    known = np.unique(labels)
    if all(re.fullmatch(r"0|-?[1-9]\d{0,8}", label) for label in known):
        return labels.astype(int)
    return labels


# --- Arrays ------------------------------------------------------------------------------------


def _arrays(path, content, numbers, labels):
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError(f"expected {path.name} to be a .npz, arrays by name, as NumPy saves it")
    asked = (*numbers, labels) if labels is not None else numbers
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            _place(path, file.files, asked, "")
            arrays = {name: _array(path, name, file) for name in asked}
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise ValueError(f"expected {path.name} to be a whole .npz: {error}") from error
    first = next(iter(arrays))
    for name, x in arrays.items():
        if x.ndim != 1:
            raise ValueError(
                f"expected one number for each frame in array {name} of {path.name}, got shape "
                f"{x.shape}"
            )
        if len(x) != len(arrays[first]):
            raise ValueError(
                f"expected arrays of one length in {path.name}, but {first} has "
                f"{len(arrays[first])} entries and {name} has {len(x)}"
            )
        if name != labels and x.dtype.kind not in "fiu":
            raise ValueError(f"expected numbers in array {name} of {path.name}, got {x.dtype}")
    if not len(arrays[first]):
        raise ValueError(f"expected frames in {path.name}, but its arrays are empty")
    tags = arrays.get(labels)
    if tags is not None and tags.dtype.kind not in "iuU":
        raise ValueError(
            f"expected whole numbers or strings in array {labels} of {path.name}, got {tags.dtype}"
        )
    rows = np.arange(len(arrays[first]))
    values = {name: arrays[name].astype(float) for name in numbers}
    return Columns(
        path.name, values, tags, rows, ("entry", "array"), [f"{path.name} has {len(rows)} entries"]
    )


def _array(path, name, file):
    try:
        return file[name]
    except ValueError as error:
        raise ValueError(
            f"expected numbers in array {name} of {path.name}, got Python objects, which are not "
            "read"
        ) from error
