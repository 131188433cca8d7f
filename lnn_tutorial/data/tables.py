"""A measured table becomes checked motions, and says what was understood and mended on the way."""

import dataclasses
import warnings

import numpy as np

from lnn_tutorial import _inputs
from lnn_tutorial.data import door, files
from lnn_tutorial.data.motion import Motions, motions

FAST = 25.0
"""Angles that move faster than so many units a second half of the time, and beyond a turn, look
like degrees: in radians it would be four turns a second."""


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A table as `table` understands it.

    Args:
        motions: the `Motions`.
        names: the coordinates' columns.
        angles: for each coordinate, whether it is an angle: what the models take.
        notes: sentences on what was understood and what was mended.
        rows: where each frame stands in the file `[n]`, of NumPy: its line, counted from one; in a
            `.npz` its index.
    """

    motions: Motions
    names: tuple[str, ...]
    angles: tuple[bool, ...]
    notes: tuple[str, ...]
    rows: np.ndarray


def table(
    file,
    *,
    time,
    positions,
    velocities=(),
    torques=(),
    context=(),
    trajectory=None,
    angles=(),
    degrees=False,
    gap=4.0,
):
    r"""Read a measured table: a row for each frame, a column for each quantity.

    A text table has a header row; commas, semicolons, tabs or spaces between its cells; decimal
    points, or decimal commas where they separate nothing else; and maybe lines that begin with #.
    What the program Tracker exports is one. A `.npz` has an array `[n]` for each column.

    Rows where a measurement is missing (an empty cell, "-", "NaN") are left out. A motion is cut
    where a step of time is long, since nothing is known of the time between; the pieces of motion 3
    are then called 3/1, 3/2 and so on. Wrapped angles are
    unwrapped, motion by motion. All that is told in the notes.

    Angles are taken to be in radians. Where one moves beyond a turn, and as no angle in radians
    would, a warning says that it looks like degrees, and it is left as it is. A small slow swing in
    degrees looks like a large one in radians, and nothing can be said.

    Args:
        file: the path, `.npz` or any other name for text.
        time: the name of the column with the times, in seconds.
        positions: names of the coordinates' columns.
        velocities, torques: names of columns in the order of positions, or none.
        context: names of columns with what does not change along a motion.
        trajectory: the name of a column of labels: rows with one label are one motion.
        angles: which of the positions are angles.
        degrees: whether these, and their velocities, are in degrees.
        gap: a motion is cut where a step is longer than so many times its median step; `np.inf`
            for never.

    Returns:
        `Table`.

    Raises:
        ValueError: the file cannot be read, or something in it is not as it should be: the message
            names row and column.

    Warns:
        UserWarning: an angle looks like degrees.
    """
    positions, velocities, torques, context, angles = (
        _names(*named)
        for named in (
            ("positions", positions),
            ("velocities", velocities),
            ("torques", torques),
            ("context", context),
            ("angles", angles),
        )
    )
    _require_names(time, positions, velocities, torques, context, trajectory, angles, degrees)
    _inputs.flags("degrees", (degrees,))
    if not np.isscalar(gap) or isinstance(gap, (str, bool)) or not gap > 1:
        raise ValueError(f"expected a number gap > 1, got {gap!r}")
    found = files.columns(file, (time, *positions, *velocities, *torques, *context), trajectory)
    notes = list(found.notes)
    _require_times(found, time, trajectory)
    found = _complete(found, time, notes)
    if len(found.rows) < 2:
        raise ValueError(
            f"expected two {found.kinds[0]}s or more with all measurements in {found.name}, got "
            f"{len(found.rows)}"
        )
    _require_movement(found, positions)
    found = _cut(found, time, gap, notes)
    _require_constant(found, context)
    if degrees:
        turned = angles + tuple(
            v for v, q in zip(velocities, positions, strict=False) if q in angles
        )
        found = found._replace(
            values={n: np.deg2rad(x) if n in turned else x for n, x in found.values.items()}
        )
        notes.append(f"degrees are converted to radians: {', '.join(turned)}")
    for name in angles:
        _unwrap(found, time, name, degrees, notes)

    def side_by_side(names):
        return np.stack([found.values[name] for name in names], axis=1) if names else None

    made = motions(
        found.values[time],
        *map(side_by_side, (positions, velocities, context, torques)),
        trajectory=found.labels,
    )
    notes.append(counted(made))
    flags = tuple(name in angles for name in positions)
    return Table(made, positions, flags, tuple(notes), found.rows)


def counted(made):
    """How many motions and frames there are, in words."""
    inside = made.trajectory[1:] == made.trajectory[:-1]
    count = int(len(inside) - inside.sum() + 1)
    step = float(np.median(np.diff(made.t)[inside]))
    return (
        f"{count} motion{'s' if count > 1 else ''} of {len(made)} frames in all, "
        f"{door.rate(step)} frames a second"
    )


def _names(name, value):
    value = (value,) if isinstance(value, str) else value
    if not isinstance(value, (tuple, list)) or not all(isinstance(x, str) for x in value):
        raise TypeError(f"expected {name} to be a tuple of names of columns, got {value!r}")
    return tuple(value)


def _require_names(time, positions, velocities, torques, context, trajectory, angles, degrees):
    for name, value in (("time", time), ("trajectory", trajectory)):
        if not isinstance(value, str) and not (value is None and name == "trajectory"):
            raise TypeError(f"expected {name} to be the name of a column, got {value!r}")
    if not positions:
        raise ValueError("expected the name of one column or more in positions, got none")
    for name, value in (("velocities", velocities), ("torques", torques)):
        if len(value) not in (0, len(positions)):
            raise ValueError(
                f"expected a column in {name} for each of the {len(positions)} in positions, got "
                f"{len(value)}"
            )
    used = [
        time,
        *positions,
        *velocities,
        *torques,
        *context,
        *([trajectory] if trajectory else []),
    ]
    twice = next((name for name in used if used.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"expected each column for one purpose, but {twice} is named twice")
    if degrees and not angles:
        raise ValueError("expected angles=… beside degrees=True: only angles are converted")
    strange = [name for name in angles if name not in positions]
    if strange:
        raise ValueError(
            f"expected angles among the positions {', '.join(positions)}, got {', '.join(strange)}"
        )


def _rows(found, which):
    """Some rows of the columns."""
    return found._replace(
        values={name: x[which] for name, x in found.values.items()},
        labels=None if found.labels is None else found.labels[which],
        rows=found.rows[which],
    )


def _more(count):
    return f", and {count} more" if count else ""


def _require_times(found, time, trajectory):
    """Raise where a time is missing, or does not come after the one before it in its motion."""
    t = found.values[time]
    missing = np.flatnonzero(np.isnan(t))
    if missing.size:
        raise ValueError(
            f"expected a time in each {found.kinds[0]} of {found.name}, but "
            f"{found.where(missing[0], time)} has none{_more(missing.size - 1)}"
        )
    with np.errstate(over="ignore"):
        for name, x in found.values.items():
            bad = np.flatnonzero(np.isinf(x if name == time else x.astype(np.float32)))
            if bad.size:
                raise ValueError(
                    f"expected finite numbers in {found.name}, but {found.where(bad[0], name)} "
                    f"holds {x[bad[0]]}{_more(bad.size - 1)}"
                )
    order = np.arange(len(t))
    if found.labels is not None:
        order = np.argsort(found.labels, kind="stable")
    falls = np.diff(t[order]) <= 0
    if found.labels is not None:
        falls &= found.labels[order][1:] == found.labels[order][:-1]
    falls = np.flatnonzero(falls)
    if falls.size:
        before, here = order[falls[0]], order[falls[0] + 1]
        hint = ""
        if trajectory is None and t[here] < t[before]:
            hint = ": several motions in one table need a column of labels, trajectory=…"
        raise ValueError(
            f"expected times that rise along a motion in {found.name}, but "
            f"{found.where(here, time)} holds {t[here]:.9g} after {t[before]:.9g} in "
            f"{found.kinds[0]} {found.rows[before]}{_more(falls.size - 1)}{hint}"
        )


def _complete(found, time, notes):
    """The rows where nothing is missing."""
    holes = {name: np.isnan(x) for name, x in found.values.items() if name != time}
    lost = np.any(list(holes.values()), axis=0)
    if not lost.any():
        return found
    first, kind = int(lost.argmax()), found.kinds[0]
    column = next(name for name, hole in holes.items() if hole[first])
    notes.append(
        f"{lost.sum()} {kind}{'s' if lost.sum() > 1 else ''} without all measurements "
        f"{'are' if lost.sum() > 1 else 'is'} left out, first {kind} {found.rows[first]}, where "
        f"{column} is missing"
    )
    return _rows(found, ~lost)


def _require_movement(found, positions):
    for name in positions:
        x = found.values[name]
        if np.ptp(x) == 0:
            raise ValueError(
                f"expected coordinates that move, but {found.kinds[1]} {name} of {found.name} is "
                f"{x[0]:.9g} in all {len(x)} {found.kinds[0]}s"
            )


def _cut(found, time, gap, notes):
    """The rows motion by motion, cut at gaps, with a label for each piece."""
    labels = np.zeros(len(found.rows), int) if found.labels is None else found.labels
    found = _rows(found._replace(labels=labels), np.argsort(labels, kind="stable"))
    t, labels, kind = found.values[time], found.labels, found.kinds[0]
    ends = np.flatnonzero(np.append(labels[1:] != labels[:-1], True)) + 1
    piece, cuts = np.zeros(len(t), int), []
    for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
        steps = np.diff(t[start:end])
        if len(steps) > 1:
            usual = np.median(steps)
            long = np.flatnonzero(steps > gap * usual)
            np.add.at(piece, start + long + 1, 1)
            piece[start:end] = np.cumsum(piece[start:end])
            cuts += [(start + k, steps[k], steps[k] / usual) for k in long]
    if cuts:
        row, step, times = cuts[0]
        notes.append(
            f"after {kind} {found.rows[row]} nothing is measured for {step:.3g} s, {times:.3g} "
            "times the usual step: the motion is cut there"
            + (f", and at {len(cuts) - 1} more gaps" if len(cuts) > 1 else "")
        )
        broken = np.isin(labels, labels[[row for row, _, _ in cuts]])
        names = labels.astype(str)
        parts = np.char.add(np.char.add(names, "/"), (piece + 1).astype(str))
        labels = np.where(broken, parts, names)
        found = found._replace(labels=labels)
        found = _rows(found, np.argsort(labels, kind="stable"))
    _, which, counts = np.unique(found.labels, return_inverse=True, return_counts=True)
    alone = counts[which] < 2
    if alone.any():
        if alone.all():
            raise ValueError(
                f"expected two {kind}s or more of a motion in {found.name}, but each of the "
                f"{alone.sum()} there is a motion of its own"
            )
        notes.append(
            f"{alone.sum()} motion{'s' if alone.sum() > 1 else ''} of a single frame "
            f"{'are' if alone.sum() > 1 else 'is'} dropped, first {kind} "
            f"{found.rows[alone].min()}"
        )
        found = _rows(found, ~alone)
    return found


def _require_constant(found, context):
    inside = found.labels[1:] == found.labels[:-1]
    for name in context:
        x = found.values[name]
        moved = np.flatnonzero(inside & (np.diff(x) != 0))
        if moved.size:
            row = moved[0] + 1
            raise ValueError(
                f"expected a context that is constant along a motion in {found.name}, but "
                f"{found.where(row, name)} holds {x[row]:.9g} after {x[row - 1]:.9g} in "
                f"{found.kinds[0]} {found.rows[row - 1]}: what drives a motion is one of torques"
            )


def looks_like_degrees(t, angle, inside):
    """Whether an angle moves as none in radians would.

    Either it jumps by 360 within 360 or so; or it goes beyond 2π and moves faster than `FAST` half
    of the time. A wrapped angle in radians does not go beyond 2π; noise moves an angle by about σ a
    frame.

    Args:
        t, angle: `[n]`, motion after motion.
        inside: which of the n − 1 steps are within a motion.
    """
    span, steps = np.ptp(angle), np.abs(np.diff(angle))[inside]
    turns = (steps > 300) & (steps < 361)
    speed = np.median(steps / np.diff(t)[inside])
    return bool((span < 365 and turns.any()) or (span > 2 * np.pi + 0.5 and speed > FAST))


def _unwrap(found, time, name, degrees, notes):
    """Unwrap an angle, in place, motion by motion."""
    x, kind = found.values[name], found.kinds[0]
    inside = found.labels[1:] == found.labels[:-1]
    if not degrees and looks_like_degrees(found.values[time], x, inside):
        note = (
            f"{name} looks like degrees: it goes from {x.min():.4g} to {x.max():.4g}, and moves "
            "as an angle in radians does not. It is taken as radians, as it is, without "
            "unwrapping; with degrees=True it is converted"
        )
        notes.append(note)
        warnings.warn(note, UserWarning, stacklevel=3)
        return
    found.values[name], mended, left = door.unwrapped(x, np.append(True, ~inside))
    if mended.size:
        notes.append(
            f"{name} was wrapped into one turn, and is unwrapped: {mended.size} "
            f"jump{'s' if mended.size > 1 else ''}, first in {kind} {found.rows[mended].min()}"
        )
    if left.size:
        notes.append(
            f"{name} moves by more than half a turn between two frames {left.size} "
            f"time{'s' if left.size > 1 else ''}, first in {kind} {found.rows[left].min()}; it "
            "goes beyond one turn there, so it is not taken to be wrapped"
        )
