"""Tables of measurements: what is read, what is mended and said, and what is refused where."""

import csv
import re
import warnings
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from lnn_tutorial import data

NAMES = ("theta1", "theta2")
T = np.arange(40) / 30
SWING = np.stack([np.cos(3 * T), 0.5 * np.sin(4 * T)], axis=1)


def slope(t, y):
    """Two pendulums of 1 m and 1 kg, one hung from the other: the book's equations, by hand."""
    a, b, u, v = y
    share, turned = 0.5 * np.cos(a - b), np.cos(a - b)
    f = -0.5 * v**2 * np.sin(a - b) - 9.8 * np.sin(a)
    h = u**2 * np.sin(a - b) - 9.8 * np.sin(b)
    first = (f - share * h) / (1 - share * turned)
    return [u, v, first, h - turned * first]


@cache
def solution(start):
    return solve_ivp(slope, (0, 8.1), start, "DOP853", rtol=1e-9, atol=1e-9, dense_output=True).sol


CALM = ((0.5, 0.3, 0, 0), (-0.4, 0.2, 0.5, 0), (0.2, -0.6, 0, 0.3))
WILD = ((2.0, 2.5, 0, 0), (-3.0, 1, 2, -3), (1.5, -2, 4, 6))


def angles(starts, t):
    return np.stack([solution(start)(t)[:2].T for start in starts])


def written(path, columns, **how):
    """A table by Python's own writer; None leaves a cell empty."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, **how)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def read(path, **changes):
    return data.table(path, **{"time": "t", "positions": NAMES, **changes})


def text(tmp_path, content, encoding="utf-8"):
    path = tmp_path / "swing.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def said(table, words):
    """The one note with some words in it."""
    (found,) = [note for note in table.notes if words in note]
    return found


SWINGS = {"t": T, "theta1": SWING[:, 0], "theta2": SWING[:, 1]}


# --- What is read ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ({}, "commas"),
        ({"delimiter": ";"}, "semicolons"),
        ({"delimiter": "\t"}, "tabs"),
        ({"delimiter": " "}, "spaces"),
        ({"quoting": csv.QUOTE_ALL}, "commas"),
    ],
)
def test_a_table_comes_back_as_it_was_written(tmp_path, how, word):
    table = read(written(tmp_path / "swing.csv", SWINGS, **how), angles="theta2")
    np.testing.assert_array_equal(table.motions.t, T)
    np.testing.assert_allclose(table.motions.q, SWING, rtol=1e-6)
    np.testing.assert_array_equal(table.rows, np.arange(40) + 2)
    assert table.names == NAMES and table.angles == (False, True)
    assert word in said(table, "40 rows")
    assert said(table, "frames a second") == "1 motion of 40 frames in all, 30 frames a second"


def test_every_quantity_finds_its_place_and_other_columns_are_let_be(tmp_path):
    """Rows of two motions in turns; labels that are words, and labels that are numbers."""
    pair = np.repeat(T, 2)
    q = np.stack([SWING, 2 * SWING], axis=1).reshape(-1, 2)
    columns = {"note": ["lost"] * 80, "t": pair, "a": q[:, 0], "va": 3 * q[:, 0], "fa": 5 * q[:, 0]}
    columns |= {"b": q[:, 1], "vb": 3 * q[:, 1], "fb": 5 * q[:, 1]}
    columns |= {"length": [1.5, 2.5] * 40, "run": ["first", "second"] * 40, "number": [9, 10] * 40}
    path = written(tmp_path / "swing.csv", columns)
    given = {"positions": ("a", "b"), "velocities": ("va", "vb"), "torques": ["fa", "fb"]}
    for labels in ("run", "number"):
        table = read(path, **given, context=("length",), trajectory=labels)
        made = table.motions
        assert list(dict.fromkeys(made.trajectory)) == columns[labels][:2]
        np.testing.assert_allclose(made.q, np.concatenate([SWING, 2 * SWING]), rtol=1e-6)
        np.testing.assert_allclose(made.q_dot, 3 * made.q, rtol=1e-6)
        np.testing.assert_allclose(made.torque, 5 * made.q, rtol=1e-6)
        np.testing.assert_array_equal(made.context[:, 0], np.repeat([1.5, 2.5], 40))
        np.testing.assert_array_equal(table.rows, [*range(2, 82, 2), *range(3, 83, 2)])
        assert "2 motions of 80 frames" in table.notes[-1]


def test_arrays_by_name_are_a_table_too(tmp_path):
    path = tmp_path / "swing.npz"
    np.savez(path, **SWINGS, run=np.repeat(["a", "b"], 20), box=SWING, one=[1.0], no=[object()])
    table = read(path, trajectory="run")
    np.testing.assert_allclose(table.motions.q, SWING, rtol=1e-6)
    assert table.rows.tolist() == list(range(40)) and set(table.motions.trajectory) == {"a", "b"}
    for positions, message in [
        (("theta3",), "a column theta3 in swing.npz, which has t, theta1, .*did you mean theta2"),
        (("box",), r"one number for each frame in array box of swing.npz, got shape \(40, 2\)"),
        (("one",), "one length in swing.npz, but t has 40 entries and one has 1"),
        (("no",), "numbers in array no of swing.npz, got Python objects"),
        (("run",), "numbers in array run of swing.npz, got <U1"),
    ]:
        with pytest.raises(ValueError, match=message):
            read(path, positions=positions)
    theta1 = np.where(np.arange(40) == 7, np.inf, SWING[:, 0])
    np.savez(path, **{**SWINGS, "theta1": theta1})
    with pytest.raises(ValueError, match="entry 7, array theta1, holds inf"):
        read(path)
    for content in (b"PK nothing", b"nothing at all"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"expected swing.npz to be a .npz, arrays by name"):
            read(path)
    with path.open("wb") as file:
        np.save(file, T)
    with pytest.raises(ValueError, match=r"expected swing.npz to be a .npz, arrays by name"):
        read(path)


LINES = "\n".join(f"{t:.3f};{a:.4f};{b:.4f}" for t, (a, b) in zip(T, SWING, strict=True))


@pytest.mark.parametrize(
    ("content", "note", "first"),
    [
        ("t;theta1;theta2\n" + LINES.replace(".", ","), "commas .* in row 2, column t", 2),
        ("\ufefft;theta1;theta2\r\n" + LINES.replace("\n", "\r\n"), "40 rows", 2),
        ("t;theta1;theta2\r" + LINES.replace("\n", "\r"), "40 rows", 2),
        ("# a camera; 2024\n\n t ; theta1;theta2;\n\n" + LINES, "40 rows", 5),
        ("# a camera\n# t;theta1;theta2\n" + LINES, "in the comment in row 2", 3),
        ("t;theta1;theta2\n" + LINES + "\n;;\n\n;;\n", "40 rows", 2),
        (";t;theta1;theta2\n0;" + LINES.replace("\n", "\n1;"), "40 rows", 2),  # numbered rows
        ('t,theta1,theta2\n0,"0,5",1\n0.1, "1,5E-1",2\n0.2,3,4', "row 2, column theta1", 2),
        ("mass_A\nt\ttheta1\ttheta2\n" + LINES.replace(";", "\t"), "stands mass_A", 3),
        ("\tmass A\t\nt\ttheta1\ttheta2\t\n" + LINES.replace(";", "\t"), "stands mass A", 3),
    ],
)
def test_text_is_understood_as_it_comes(tmp_path, content, note, first):
    """A decimal comma, a BOM, line ends of three kinds, comments, blank rows, titles."""
    table = read(text(tmp_path, content))
    assert table.rows[0] == first
    assert table.motions.q.shape == (3 if "E-1" in content else 40, 2)
    expected = [[0.5, 1], [0.15, 2]] if "E-1" in content else SWING[:2]
    np.testing.assert_allclose(table.motions.q[:2], expected, atol=1e-4)
    assert any(re.search(note, line) for line in table.notes), table.notes


def test_what_tracker_exports_for_several_masses_is_understood(tmp_path):
    """Masses over their columns, empty cells where one was not seen, a tab at the end of rows."""
    cells = np.column_stack([T, SWING, SWING[:, ::-1]])
    rows = ["".join(f"{cell:.4E}\t" for cell in row) for row in cells]
    rows[0] = "0.0\t\t\t1.0\t2.0\t"
    content = "#multi:\n\tmass A\t\tmass B\t\t\nt\tx\ty\tx\ty\t\n" + "\n".join(rows)
    table = read(text(tmp_path, content), positions=("mass A.x", "mass B.y"))
    np.testing.assert_allclose(table.motions.q, SWING[1:, :1].repeat(2, 1), atol=1e-4)
    assert table.rows[0] == 5
    assert said(table, "named like") == (
        "above the header stands mass A, mass B: columns are named like mass A.x"
    )
    assert said(table, "left out") == (
        "1 row without all measurements is left out, first row 4, where mass A.x is missing"
    )


# --- What is refused ---------------------------------------------------------------------------

HEAD = "t,theta1,theta2\n0.0,1,2\n0.1,2,3\n0.2,3,5\n"


@pytest.mark.parametrize(
    ("content", "changes", "message"),
    [
        ("", {}, "swing.csv is empty"),
        ("\ufeff \n\n", {}, "swing.csv is empty"),
        ("# nothing\n# here", {}, "a column t in swing.csv"),
        ("t,theta1,theta2\n", {}, "numbers below the header of swing.csv, row 1, got none"),
        ("mass_A\nt,theta1,theta2\n", {}, "below the header of swing.csv, row 2, got none"),
        (HEAD[16:], {}, "a header row in swing.csv .* holds numbers only: '0.0,1,2'"),
        (HEAD, {"time": "T1"}, "a column T1 in swing.csv, which has t, theta1, theta2"),
        (HEAD, {"positions": ("theta_1",)}, "did you mean theta1"),
        (HEAD, {"trajectory": "run"}, "a column run in swing.csv"),
        (
            HEAD.replace("theta2", "theta1"),
            {"positions": ("theta1",)},
            "theta1 stands 2 times in its header, row 1: as columns 2 and 3",
        ),
        (HEAD.replace("0.1,2", "0.1,lost"), {}, "numbers in column theta1 .* row 3 holds 'lost'"),
        ("# x\n\n" + HEAD.replace("0.1,2", "0.1,1.2.3"), {}, "row 5 holds '1.2.3'"),
        (HEAD + "0.3,1", {}, r"3 cells in each row .* header in row 1, but row 5 has 2$"),
        (HEAD + "3,1,2,3", {}, "row 5 has 4: the comma seems to be both"),
        (HEAD + "0.3,1,2.5,3", {}, r"row 5 has 4$"),
        ("t,theta1,theta2\n0,0,1,2,3,4\n0,1,1,3,3,5", {}, "row 2 has 6: the comma seems"),
        (HEAD + '0.3,"1,5",2.5\n0.4,1.5,2', {}, "theta1 .* row 5 has a comma and row 6 a point"),
        (HEAD + '0.3,"1,2', {}, "row 5 has 2"),
        (HEAD + ",1,2\n,2,3", {}, "row 5, column t, has none, and 1 more"),
        (HEAD + "-,1,2", {}, "row 5, column t, has none"),
        (HEAD + "0.2,1,2", {}, "row 5, column t, holds 0.2 after 0.2 in row 4$"),
        (
            HEAD + "0,1,2\n0.1,1,2",
            {},
            "column t, holds 0 after 0.2 in row 4: several motions",
        ),
        (HEAD + "0.3,inf,1", {}, "row 5, column theta1, holds inf"),
        (HEAD + "inf,1,1", {}, "row 5, column t, holds inf"),
        (HEAD + "0.3,1,-1e39", {}, "row 5, column theta2, holds -1e.39"),
        ("t,theta1,theta2\n0,1,2\n1,,3", {}, "two rows or more with all measurements .* got 1"),
        ("t,theta1,theta2\n0,,2\n1,,3", {}, "two rows or more with all measurements .* got 0"),
        ("t,theta1,theta2\n0,1,2\n1,1,3", {}, "column theta1 of swing.csv is 1 in all 2 rows"),
        (HEAD, {"context": ("theta2",), "positions": ("theta1",)}, "row 3, column theta2, holds 3"),
        (
            HEAD,
            {"trajectory": "theta2", "positions": ("theta1",)},
            "each of the 3 there is a ",
        ),
        (HEAD + "0.3,1,", {"trajectory": "theta2", "positions": ("theta1",)}, "theta2, is empty"),
        ("t,theta1,theta2\n".encode("utf-16"), {}, "UTF-16: save it as CSV UTF-8"),
        ("t,theta1,theta2\n".encode("utf-16-le"), {}, "row 1 holds a byte of zero"),
        (HEAD.encode() + "0.3,1,ö".encode("latin-1"), {}, "row 5 holds the byte 0xf6"),
        (b"PK\x03\x04\xff", {}, "spreadsheet or an archive: save its table as CSV"),
    ],
)
def test_a_bad_table_is_refused_by_row_and_column(tmp_path, content, changes, message):
    with pytest.raises(ValueError, match=message) as raised:
        read(text(tmp_path, content), **changes)
    assert "\n" not in str(raised.value)


def test_falling_times_are_found_within_a_trajectory(tmp_path):
    content = "run,t,x\na,0,1\nb,5,2\na,1,2\nb,4,4\nb,6,1\n"
    with pytest.raises(ValueError, match=r"row 5, column t, holds 4 after 5 in row 3$"):
        read(text(tmp_path, content), positions=("x",), trajectory="run")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": ()}, "one column or more in positions"),
        ({"positions": 3}, "positions to be a tuple of names"),
        ({"time": None}, "time to be the name of a column, got None"),
        ({"velocities": ("v",)}, "velocities for each of the 2 in positions, got 1"),
        ({"positions": ("t", "x")}, "each column for one purpose, but t is named twice"),
        ({"angles": ("phi",)}, "angles among the positions theta1, theta2, got phi"),
        ({"gap": 1}, "gap > 1, got 1"),
        ({"gap": "wide"}, "gap > 1, got 'wide'"),
        ({"gap": np.nan}, "gap > 1, got nan"),
        ({"degrees": "theta1", "angles": NAMES}, "degrees to hold True and False"),
        ({"degrees": True}, r"angles=… beside degrees=True"),
    ],
)
def test_what_makes_no_sense_is_refused_before_the_file_is_read(changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        read("nowhere.csv", **changes)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere.csv: No such file"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="got the folder"):
        read(tmp_path)


# --- What is mended, and said ------------------------------------------------------------------


def test_missing_measurements_are_left_out(tmp_path):
    holes = SWING.astype(object)
    holes[[3, 4, 9], [0, 1, 1]] = ["", "NaN", "-"]
    path = written(tmp_path / "swing.csv", {"t": T, "theta1": holes[:, 0], "theta2": holes[:, 1]})
    table = read(path)
    kept = np.delete(np.arange(40), [3, 4, 9])
    np.testing.assert_array_equal(table.rows, kept + 2)
    np.testing.assert_allclose(table.motions.q, SWING[kept], rtol=1e-6)
    assert said(table, "left out") == (
        "3 rows without all measurements are left out, first row 5, where theta1 is missing"
    )


def test_a_motion_is_cut_where_nothing_was_measured(tmp_path):
    """After rows 11 and 31 there are long steps; a single frame stands between two more."""
    step = np.full(40, 1 / 30)
    step[[10, 30, 31]] = 0.5
    path = written(tmp_path / "swing.csv", {**SWINGS, "t": np.cumsum(step)})
    table = read(path)
    assert said(table, "nothing is measured") == (
        "after row 11 nothing is measured for 0.5 s, 15 times the usual step: the motion is cut "
        "there, and at 2 more gaps"
    )
    assert said(table, "dropped") == "1 motion of a single frame is dropped, first row 32"
    assert dict(zip(*np.unique(table.motions.trajectory, return_counts=True), strict=True)) == {
        "0/1": 10,
        "0/2": 20,
        "0/4": 9,
    }
    whole = read(path, gap=np.inf)
    assert len(np.unique(whole.motions.trajectory)) == 1 and len(whole.motions) == 40


def test_only_motions_with_gaps_get_new_labels_and_rows_follow(tmp_path):
    t = np.concatenate([T, T + (T > 0.5)])
    columns = {"t": t, "x": t**2, "run": np.repeat([10, 9], 40)}
    table = read(written(tmp_path / "swing.csv", columns), positions="x", trajectory="run")
    assert set(table.motions.trajectory) == {"10", "9/1", "9/2"}
    np.testing.assert_allclose(table.motions.q[:, 0], t[table.rows - 2] ** 2, rtol=1e-6)


@pytest.mark.parametrize("degrees", [False, True])
def test_wrapped_angles_are_unwrapped_motion_by_motion(tmp_path, degrees):
    t, turn = np.arange(240) / 30, 360 if degrees else 2 * np.pi
    true = angles(WILD[1:], t)
    q = np.rad2deg(true) if degrees else true
    wrapped = (q + turn / 2) % turn - turn / 2
    jumps = np.abs(np.diff(wrapped, axis=1)) > turn / 2
    columns = {"t": np.tile(t, 2), "run": np.repeat([1, 2], 240), "speed": q[..., 0].ravel()}
    columns |= dict(zip(NAMES, wrapped.reshape(-1, 2).T, strict=True))
    path = written(tmp_path / "swing.csv", columns)
    table = read(path, angles=NAMES, trajectory="run", degrees=degrees)
    found = np.asarray(table.motions.q).reshape(2, 240, 2)
    off = (found - true) / (2 * np.pi)
    np.testing.assert_allclose(off, np.round(off[:, :1]).repeat(240, 1), atol=1e-5)
    for i, name in enumerate(NAMES):
        motion, frame = np.argwhere(jumps[..., i])[0]
        assert said(table, f"{name} was wrapped") == (
            f"{name} was wrapped into one turn, and is unwrapped: {jumps[..., i].sum()} jumps, "
            f"first in row {240 * motion + frame + 3}"
        )


def test_an_angle_that_goes_on_is_not_taken_to_be_wrapped(tmp_path):
    """Four radians in each step, as an encoder may count them: more than half a turn."""
    path = written(tmp_path / "a.csv", {"t": 10 * T, "x": 120 * T})
    table = read(path, positions="x", angles="x")
    assert "39 times, first in row 3; it goes beyond" in said(table, "half a turn")
    np.testing.assert_allclose(table.motions.q[:, 0], 120 * T, rtol=1e-6)


def test_degrees_and_their_velocities_become_radians(tmp_path):
    columns = {"t": T, "arm": 60 * SWING[:, 0], "way": SWING[:, 1], "va": 30 * T, "vw": T}
    table = read(
        written(tmp_path / "swing.csv", columns),
        positions=("arm", "way"),
        velocities=("va", "vw"),
        angles=["arm"],
        degrees=True,
    )
    np.testing.assert_allclose(table.motions.q, SWING * [np.pi / 3, 1], rtol=1e-6)
    np.testing.assert_allclose(table.motions.q_dot[:, 0], np.pi / 6 * T, rtol=1e-6)
    np.testing.assert_allclose(table.motions.q_dot[:, 1], T, rtol=1e-6)
    assert said(table, "converted") == "degrees are converted to radians: arm, va"


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("rate", [30, 60, 240])
def test_degrees_are_told_from_radians(tmp_path, rate, wrap):
    """Pendulums that turn over: in degrees a warning, in radians none, noisy or not."""
    t = np.arange(0, 8, 1 / rate)
    radians = angles(WILD, t)
    assert 8 < np.abs(np.diff(radians, axis=1)).max() * rate < 16 and np.ptp(radians) > 4 * np.pi
    radians = radians + 0.03 * np.random.default_rng(0).normal(size=radians.shape)
    run = {"t": np.tile(t, 3), "run": np.repeat(np.arange(3), len(t))}
    for unit, turn in ((1.0, 2 * np.pi), (180 / np.pi, 360)):
        q = unit * radians
        q = (q % turn if wrap else q).reshape(-1, 2)
        path = written(tmp_path / "swing.csv", {**run, "theta1": q[:, 0], "theta2": q[:, 1]})
        if unit == 1:
            assert not any("degrees" in n for n in read(path, angles=NAMES, trajectory="run").notes)
            continue
        with pytest.warns(UserWarning, match="looks like degrees") as caught:
            table = read(path, angles=NAMES, trajectory="run")
        assert len(caught) == 2
        assert said(table, "theta2 looks like degrees: it goes from")
        np.testing.assert_allclose(table.motions.q, q, rtol=1e-5, atol=1e-5)  # nothing unwrapped


def test_a_swing_of_five_degrees_may_be_one_of_five_radians(tmp_path):
    path = written(tmp_path / "swing.csv", {"t": T, "theta1": 5 * SWING[:, 0]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(path, positions="theta1", angles="theta1").angles == (True,)


def test_a_long_table_is_read_in_blocks(tmp_path):
    """Rows keep their numbers beyond the first block, and a late fault is found."""
    t = np.arange(120_000) / 240
    lines = [f"{x:.6f},{y:.6f}" for x, y in zip(t, np.sin(t), strict=True)]
    path = text(tmp_path, "t,x\n" + "\n".join(lines))
    table = read(path, positions="x")
    np.testing.assert_allclose(table.motions.q[:, 0], np.sin(t), atol=1e-6)
    assert table.rows[-1] == 120_001
    lines[110_000] = "lost,lost"
    with pytest.raises(ValueError, match=r"column t of swing.csv, but row 110002 holds 'lost'"):
        read(text(tmp_path, "t,x\n" + "\n".join(lines)), positions="x")


# --- What motions are like ---------------------------------------------------------------------


@pytest.mark.parametrize("jitter", [0.0, 0.6])
@pytest.mark.parametrize("rate", [30, 50, 100])
@pytest.mark.parametrize("sigma", [1e-4, 1e-3, 1e-2])
def test_the_noise_is_estimated(sigma, rate, jitter):
    """Right where the motion is slow for the frame rate; elsewhere never too small."""
    rng = np.random.default_rng(rate)
    t = np.arange(0, 8, 1 / rate)
    t[1:-1] += jitter / rate * rng.uniform(-0.5, 0.5, len(t) - 2)
    for starts in (CALM, WILD):
        q = angles(starts, t)
        found = data.describe(data.motions(t, q + sigma * rng.normal(size=q.shape)))
        assert (found.noise > 0.7 * sigma).all()
        if starts is CALM or sigma > 1e-3 or rate > 30:
            assert (found.noise < 1.3 * sigma).all()
            assert not any(found.at_most)
        assert found.outliers == (0, 0)


def test_a_fast_motion_without_noise_has_an_upper_bound():
    found = data.describe(data.motions(np.arange(240) / 30, angles(WILD, np.arange(240) / 30)))
    assert (found.noise < 1e-4).all() and all(found.at_most)
    assert "≤" in str(found)


def test_a_clock_that_stutters_is_described():
    """Every second frame comes twice, at all but one time: four times are left of six."""
    t = np.arange(300) // 3 / 15 + np.tile([0, 0.03, 0.03 + 1e-14], 100)
    found = data.describe(data.motions(t, np.stack([np.cos(t), np.sin(t)], axis=1)))
    assert np.isfinite(found.noise).all() and found.outliers == (0, 0)


def test_outliers_are_counted_and_move_the_noise_little():
    rng, t = np.random.default_rng(4), np.arange(400) / 50
    q = angles(CALM, t) + 0.001 * rng.normal(size=(3, 400, 2))
    for motion, frames in enumerate(([50, 120, 300], [77, 200], [20, 23, 390])):
        q[motion, frames, 1] += rng.choice([-0.05, 0.05], len(frames))
    found = data.describe(data.motions(t, q))
    assert found.outliers == (0, 8)
    np.testing.assert_allclose(found.noise, 0.001, rtol=0.15)


def test_a_description_says_how_motions_were_measured(tmp_path):
    """A steady clock, a gap, a wrapped angle; and a table to read."""
    t = np.arange(100) / 50 + (np.arange(100) > 60)
    x = np.stack([3 * t, t**2], axis=1)
    wrapped = np.stack([(3 * t + np.pi) % (2 * np.pi) - np.pi, t**2], axis=1)
    made = data.motions(np.stack([t, t]), np.stack([wrapped, wrapped]))
    found = data.describe(made, (True, False), ("arm", "way"))
    assert (found.motions, found.frames, found.gaps) == (2, 200, 2)
    assert found.seconds == pytest.approx(2 * t[-1]) and found.step == pytest.approx(0.02)
    assert found.irregularity == pytest.approx(1.02 / 0.02)
    np.testing.assert_allclose(found.high - found.low, np.ptp(x, axis=0), rtol=1e-5)
    assert found.speed[0] == pytest.approx(3, rel=1e-5)
    lines = str(found).splitlines()
    assert lines[2] == "rate      50 a second, one every 0.02 s (steps from 0.02 to 1.02 s)"
    assert lines[3] == "gaps      2" and lines[5].split()[:2] == ["lowest", "highest"]
    assert lines[6].split()[0] == "arm" and lines[6].split()[-1] == "rad"
    assert len({len(line) for line in lines[5:7]}) == 1


def test_short_motions_have_no_known_noise():
    found = data.describe(data.motions(T[:5], SWING[:5]))
    assert np.isnan(found.noise).all() and "unknown" in str(found)
    assert found.outliers == (0, 0)
    with pytest.raises(TypeError, match="expected Motions, got ndarray"):
        data.describe(SWING)
    with pytest.raises(ValueError, match="2 entries in names"):
        data.describe(data.motions(T, SWING), names=("one",))
