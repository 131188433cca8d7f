"""Public measurements: the physics in them, where they come from, and what is refused.

Files that are downloaded here are small ones of our own, from a server in this process. The physics
is that of the real ones, and what it is held against are equations by hand, with parameters fitted.
"""

import hashlib
import importlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest
from scipy.integrate import cumulative_trapezoid
from scipy.io import savemat
from scipy.signal import savgol_filter
from tqdm import tqdm

from lnn_tutorial import data, learning, store

machines = importlib.import_module("lnn_tutorial.data.machines")

pytestmark = pytest.mark.usefixtures("float64")


def pieces(motions):
    """(t, q, q_dot) of each motion, of NumPy."""
    for label in np.unique(motions.trajectory):
        rows = motions.trajectory == label
        yield motions.t[rows], np.asarray(motions.q)[rows], np.asarray(motions.q_dot)[rows]


# --- The pendulums -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "kept", "seconds"),
    [("double pendulum", 30, 4, 80.0), ("single pendulum", 6, 2, 55.0)],
)
def test_pieces_lie_on_one_clock(measured, name, count, kept, seconds):
    """The clock ticks each millisecond, from one piece to the next too."""
    table = measured(name)
    made = table.motions
    np.testing.assert_array_equal(np.unique(made.trajectory), np.arange(count))
    assert (np.diff(made.trajectory) >= 0).all()
    np.testing.assert_allclose(np.diff(made.t), 1e-3, rtol=0, atol=1e-12)
    assert made.t[0] == 0 and made.t[-1] == pytest.approx(seconds, abs=1e-9)
    first = np.flatnonzero(np.diff(made.trajectory, prepend=-1))
    assert (table.rows[first] == 0).all() and table.rows.max() == len(made) // count
    assert table.angles == (True,) * made.q.shape[1] and made.torque is None
    assert f"the last {kept}" in table.notes[1]


@pytest.mark.parametrize(("name", "count"), [("double pendulum", 30), ("single pendulum", 6)])
def test_a_swing_dies_away_about_hanging_which_is_zero(measured, name, count):
    """On the average over the last pieces an arm hangs; each piece swings less wide."""
    found = list(pieces(measured(name).motions))
    late = np.concatenate([q for _, q, _ in found[-count // 5 :]])
    assert (np.abs(late.mean(0)) < 0.03 * np.abs(late).max(0)).all()
    wide = np.array([q.std(0) for _, q, _ in found])
    assert (wide[-1] < wide[0] / 3).all()


def balance(found, relative):
    """Energy and friction of a double pendulum, fitted so that the one is lost to the other.

    Energy is linear in two inertias, a coupling and two weights, the first inertia being 1; what
    friction takes in 0.1 s to 0.4 s is linear in two coefficients. Returns these and how much of
    the change of the energy they leave unexplained.
    """
    changes = []
    for t, (a, b), (u, v) in ((t, q.T, w.T) for t, q, w in found):
        if relative:
            b, v = a + b, u + v
        energy = (u**2 / 2, v**2 / 2, u * v * np.cos(a - b), -np.cos(a), -np.cos(b))
        lost = cumulative_trapezoid(np.stack([u**2, (v - u) ** 2], 1), t, axis=0, initial=0)
        terms = np.concatenate([np.stack(energy, 1), lost], 1)
        changes += [(terms[n:] - terms[:-n])[::20] for n in (100, 200, 400)]
    changes = np.concatenate(changes)
    others, *_ = np.linalg.lstsq(changes[:, 1:], -changes[:, 0])
    left = np.std(changes[:, 0] + changes[:, 1:] @ others) / np.std(changes[:, 0])
    return np.append(1, others), left


def test_the_double_pendulum_loses_its_energy_to_friction(measured):
    """With both angles from the vertical; with the second from the first arm nothing adds up."""
    found = list(pieces(measured("double pendulum").motions))
    terms, left = balance(found, relative=False)
    assert (terms > 0).all()  # inertias, coupling, weights and frictions alike
    assert left < 0.05 < 0.4 < balance(found, relative=True)[1]
    i, j, c, k, m = terms[:5]

    def energy(q, q_dot):
        (a, b), (u, v) = q.T, q_dot.T
        kinetic = (i * u**2 + j * v**2) / 2 + c * u * v * np.cos(a - b)
        return np.mean(kinetic + k * (1 - np.cos(a)) + m * (1 - np.cos(b)))

    heights = np.array([energy(q, q_dot) for _, q, q_dot in found])
    assert (np.diff(heights) < 0).all()
    assert 15 < heights[0] / heights[-1] < 30


@pytest.mark.parametrize("name", ["double pendulum", "single pendulum"])
def test_velocities_are_those_of_the_angles_but_late(measured, name):
    """Their integral comes within 2 % of the swing, closer with those of 1 to 3 ms later."""
    late = []
    for t, q, q_dot in pieces(measured(name).motions):
        for x, v in zip(q.T, q_dot.T, strict=True):

            def off(lag, t=t, x=x, v=v):
                way = cumulative_trapezoid(np.interp(t + lag, t, v), t, initial=0)
                return np.std((way - x)[20:-20])

            lags = np.arange(-2, 6) * 1e-3
            errors = [off(lag) for lag in lags]
            assert errors[2] < 0.02 * x.std()
            late.append(lags[np.argmin(errors)])
    assert min(late) >= 0 and np.median(late) >= 1e-3 and max(late) <= 3e-3


# --- The robot arm -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def arm(measured, float64):
    return measured("robot arm")


def test_the_arm_keeps_the_times_as_they_came(arm):
    assert list(dict.fromkeys(arm.motions.trajectory)) == [0, 1, 3, 12]
    steps = [np.diff(t) for t, _, _ in pieces(arm.motions)]
    for step in steps:
        assert 1e-3 < step.min() < 1.01 * np.median(step) and 5e-3 < step.max() < 9e-3
    assert [t[0] for t, _, _ in pieces(arm.motions)] == [0] * 4
    assert arm.rows[0] == 2 and arm.names == ("shoulder", "elbow")


def test_the_arm_has_an_encoder_and_velocities_from_its_steps(arm):
    """Angles are 16 bits from −12.5 to 12.5 rad; a velocity is the step before over its length."""
    grid = 25 / (2**16 - 1)
    for t, q, q_dot in pieces(arm.motions):
        steps = np.diff(q, axis=0)
        np.testing.assert_allclose(steps / grid, np.rint(steps / grid), rtol=0, atol=1e-3)
        np.testing.assert_allclose(q_dot[1:], steps / np.diff(t)[:, None], rtol=0, atol=1e-9)


def test_the_arm_hangs_at_zero_and_stands_at_a_half_turn(arm):
    """Recording 12 swings up and stands still: (π, 0), the elbow counted from the upper arm."""
    t, q, _ = list(pieces(arm.motions))[-1]
    np.testing.assert_allclose(q[0], 0, atol=0.005)
    end = q[t > t[-1] - 0.2]
    assert (np.ptp(end, axis=0) < 3e-3).all()  # a few steps of the encoder
    np.testing.assert_allclose(end.mean(0), [np.pi, 0], atol=0.01)


def explained(arm, relative):
    """How much of the torques the fitted equations of two rigid arms leave unexplained.

    Inertias, a coupling, weights, viscous and dry frictions are fitted to recordings 0, 1 and 3.
    The clock is uneven, which an acceleration feels, so polynomials over 0.3 s smooth the angles.
    """
    rows, torques = [], []
    found = list(zip(pieces(arm.motions), (0, 1, 3), strict=False))
    for (t, q, _), label in found:
        tau = np.asarray(arm.motions.torque)[arm.motions.trajectory == label]
        even, h = np.linspace(t[0], t[-1], int(500 * t[-1]), retstep=True)

        def smooth(x, order, t=t, even=even, h=h):
            return savgol_filter(np.interp(even, t, x), 151, 5, order, h)[100:-100]

        (a, b), (u, v), (f, g) = ([smooth(x, k) for x in q.T] for k in range(3))
        first, second = (smooth(x, 0) for x in tau.T)
        if not relative:  # read as if both were from the vertical: make the second relative
            b, v, g = b - a, v - u, g - f
        zero, c, s = np.zeros_like(a), np.cos(b), np.sin(b)
        coupled = c * (2 * f + g) - s * (2 * u * v + v**2)
        one = (f, f + g, coupled, np.sin(a), np.sin(a + b), u, zero, np.tanh(u / 0.05), zero)
        two = (zero, f + g, c * f + s * u**2, zero, np.sin(a + b), zero, v, zero, np.tanh(v / 0.05))
        rows += [np.stack(one, 1), np.stack(two, 1)]
        torques += [first, second]
    rows, torques = np.concatenate(rows), np.concatenate(torques)
    found, *_ = np.linalg.lstsq(rows, torques)
    return found, np.std(rows @ found - torques) / np.std(torques)


def test_the_torques_of_the_arm_move_it_if_the_elbow_is_relative(arm):
    found, left = explained(arm, relative=True)
    assert (found > 0).all()  # inertias, coupling, weights and frictions alike
    assert left < 0.3
    assert explained(arm, relative=False)[1] > 1.5 * left


def test_measured_torques_follow_commanded_ones(arm, measured):
    asked = measured("robot arm", torque="commanded")
    assert "measure" in arm.notes[-2] and "controller" in asked.notes[-2]
    np.testing.assert_array_equal(arm.motions.q, asked.motions.q)
    for label, alike in ((0, (0.9, 0.9)), (1, (0.9, 0.9)), (3, (None, 0.9))):
        rows = arm.motions.trajectory == label
        for i, least in enumerate(alike):
            pair = [np.asarray(x.motions.torque)[rows, i] for x in (arm, asked)]
            if least is None:
                assert not pair[1].any() and pair[0].any()
            else:
                assert np.corrcoef(*pair)[0, 1] > least


# --- All of them -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", machines.MACHINES)
def test_notes_name_paper_repository_commit_licence_and_units(measured, name):
    table = measured(name)
    source = machines.ARM if name == "robot arm" else machines.PENDULUMS
    owner, repository, commit = source.address.split("/")[3:6]
    assert len(commit) == 40
    assert f"github.com/{owner}/{repository}, commit {commit[:7]}, " in table.notes[0]
    for words in ("licence, copyright 2022", "in radians from", "rad/s", "encoder"):
        assert any(words in note for note in table.notes), words
    assert all("\n" not in note and "  " not in note for note in table.notes)


@pytest.mark.parametrize("name", machines.MACHINES)
def test_a_model_with_friction_can_learn_from_them_as_from_any_table(measured, name):
    table = measured(name)
    plan = learning.plan(table, friction=True)
    assert len(plan.training) + len(plan.held_out) == len(table.motions)
    assert f"{500 if name == 'robot arm' else 1000} frames a second" in str(plan)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "triple pendulum",
            {},
            "unknown name 'triple pendulum'; known are: double pendulum, robot",
        ),
        (None, {}, "unknown name None"),
        ("robot arm", {"torque": "felt"}, "unknown torque 'felt'; known are: commanded, measured"),
        ("double pendulum", {"torque": "commanded"}, "no torque beside 'double pendulum', which"),
    ],
)
def test_what_there_is_not_is_refused(name, settings, message):
    with pytest.raises(ValueError, match=message):
        data.measured(name, **settings)


@pytest.mark.parametrize(("required", "outcome"), [("", pytest.skip), ("1", pytest.fail)])
def test_a_test_without_its_data_skips_here_and_fails_in_ci(
    monkeypatch, measured, required, outcome
):
    def lost(name):
        raise store.StoreError("no network")

    monkeypatch.setattr(data, "measured", lost)
    monkeypatch.setenv("LNN_REQUIRE_DATA", required)
    with pytest.raises(outcome.Exception, match="no network"):
        measured("nothing")


# --- Where they come from ----------------------------------------------------------------------

MAT, CSV = "SinglePendulumDataForParameterEstimation.mat", "trajectory_07.csv"
T = np.arange(10) / 1000


def cells(*arrays):
    """A column of cells, as MATLAB has them."""
    column = np.empty((len(arrays), 1), object)
    column[:, 0] = arrays
    return column


def pendulum(path):
    """Two pieces and one to validate with, of a single arm near hanging."""
    t = [T[:, None] + 0.01 * k for k in range(3)]
    y = [np.stack([np.pi + 0.1 * x[:, 0], 0.1 + 0 * x[:, 0]]) for x in t]
    pairs = {"Time_id": t[:2], "Y_id": y[:2], "Time_vad": t[2:], "Y_vad": y[2:]}
    savemat(path, {name: cells(*x) for name, x in pairs.items()})


COLUMNS = [f"{kind}{i}" for kind in ("pos_meas", "vel_meas", "tau_con", "tau_meas") for i in (1, 2)]


def lines():
    rows = [[t, *(10 * k + t for k in range(8))] for t in T]
    return [["time", *COLUMNS], *([f"{x:.5f}" for x in row] for row in rows)]


def written(path, rows):
    path.write_text("\n".join(map(",".join, rows)) + "\n")


def known(source, folder, address):
    """A source with the files that lie in a folder."""
    contents = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    return source._replace(
        address=address,
        files={name: (len(x), hashlib.sha256(x).hexdigest()) for name, x in contents.items()},
    )


class Handler(SimpleHTTPRequestHandler):
    """A file server that can stop half-way."""

    half, asked = False, None

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def copyfile(self, source, outputfile):
        content = source.read()
        outputfile.write(content[: len(content) // 2] if self.half else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def handler():
    return type("OneHandler", (Handler,), {"asked": []})


@pytest.fixture
def web(tmp_path, handler, monkeypatch):
    """A folder that is served, and the sources with what lies in it; no cache and no own folder."""
    folder = tmp_path / "web"
    folder.mkdir()
    pendulum(folder / MAT)
    served = partial(handler, directory=folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv(machines.FOLDER, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    monkeypatch.setattr(machines, "PENDULUMS", known(machines.PENDULUMS, folder, address))
    yield folder
    server.shutdown()
    thread.join()
    server.server_close()


def kept(tmp_path):
    """The files in the cache, whatever their names."""
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def load():
    return data.measured("single pendulum")


def test_a_file_is_downloaded_once_and_its_size_said_before(
    tmp_path, web, handler, monkeypatch, capsys
):
    monkeypatch.setattr(machines, "tqdm", partial(tqdm, disable=False))
    table = load()
    told = capsys.readouterr().err
    assert told.lstrip("\r").startswith(f"{MAT}, 0.0 of 0.0 MB:   0%")
    assert str(tmp_path) not in told
    assert table.motions.q.shape == (30, 1) and table.names == ("theta",)
    np.testing.assert_allclose(table.motions.q[:, 0], 0.1 * np.arange(30) / 1000, atol=1e-9)
    np.testing.assert_array_equal(table.rows, np.tile(np.arange(10), 3))
    assert table.notes[-1] == "3 motions of 30 frames in all, 1000 frames a second"
    load()
    assert handler.asked == [f"/{MAT}"] and kept(tmp_path) == [MAT]
    assert capsys.readouterr().err == ""


def test_what_is_loaded_once_is_nobody_elses(web):
    load().motions.t[:] = 7
    assert load().motions.t[0] == 0


def test_the_folder_comes_first_and_then_the_web(tmp_path, web, handler, monkeypatch):
    own = tmp_path / "own" / "multiarm-pendulum"
    own.mkdir(parents=True)
    monkeypatch.setenv("LNN_TUTORIAL_DATA", str(tmp_path / "own"))
    (own / MAT).write_bytes((web / MAT).read_bytes())
    load()
    assert not handler.asked and not kept(tmp_path)
    (own / MAT).unlink()
    load()
    assert handler.asked and kept(tmp_path) == [MAT] and not list(own.iterdir())


def test_a_changed_file_in_the_folder_is_refused_and_left(tmp_path, web, handler, monkeypatch):
    own = tmp_path / "own" / "multiarm-pendulum"
    own.mkdir(parents=True)
    monkeypatch.setenv("LNN_TUTORIAL_DATA", str(tmp_path / "own"))
    (own / MAT).write_bytes((web / MAT).read_bytes() + b"!")
    with pytest.raises(store.StoreError, match=rf"own.*{MAT}: damaged or changed") as raised:
        load()
    assert "delete" not in str(raised.value)
    assert (own / MAT).exists() and not handler.asked and not kept(tmp_path)


def test_a_changed_file_in_the_cache_is_refused_and_deleted(tmp_path, web, handler):
    load()
    (cached,) = (tmp_path / "cache").rglob(MAT)
    cached.write_bytes(cached.read_bytes()[:-1])
    with pytest.raises(store.StoreError, match=rf"{MAT}: damaged or changed.*; it is deleted"):
        load()
    assert not kept(tmp_path)
    assert len(load().motions) == 30 and len(handler.asked) == 2


def test_another_file_than_the_known_one_is_refused(tmp_path, web):
    content = (web / MAT).read_bytes()
    (web / MAT).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(store.StoreError, match=rf"{MAT}: damaged or changed, what http://.* sends"):
        load()
    assert not kept(tmp_path)


def test_half_a_download_is_refused(tmp_path, web, handler):
    handler.half = True
    with pytest.raises(store.StoreError, match=f"{MAT}: cannot be downloaded from http://127"):
        load()
    assert not kept(tmp_path)
    handler.half = False
    assert len(load().motions) == 30


@pytest.mark.parametrize("lost", ["server", "file"])
def test_without_network_and_folder_one_sentence_says_what_helps(tmp_path, web, monkeypatch, lost):
    (web / MAT).unlink()
    source = machines.PENDULUMS
    if lost == "server":  # a port where nobody listens
        monkeypatch.setattr(machines, "PENDULUMS", source._replace(address="http://127.0.0.1:9/"))
    with pytest.raises(store.StoreError) as raised:
        load()
    said = str(raised.value)
    assert machines.PENDULUMS.address + MAT in said
    assert "environment variable LNN_TUTORIAL_DATA names, as multiarm-pendulum/" in said
    assert ". " not in said and "\n" not in said
    assert not kept(tmp_path)


# --- What is in a file -------------------------------------------------------------------------


@pytest.fixture
def doctored(tmp_path, monkeypatch):
    """Take a file of our own for the real one, its checksum included."""

    def take(source, file, write):
        folder = tmp_path / "data" / getattr(machines, source).folder
        folder.mkdir(parents=True)
        write(folder / file)
        monkeypatch.setenv("LNN_TUTORIAL_DATA", str(tmp_path / "data"))
        monkeypatch.setattr(machines, source, known(getattr(machines, source), folder, "nowhere/"))

    return take


def changed(row, column, cell):
    rows = lines()
    rows[row][column] = cell
    return rows


@pytest.mark.parametrize(("torque", "begins"), [("measured", 60), ("commanded", 40)])
def test_columns_of_the_arm_find_their_places(doctored, torque, begins):
    doctored("ARM", CSV, partial(written, rows=lines()))
    table = data.measured("robot arm", torque=torque)
    made = table.motions
    assert set(made.trajectory) == {7}
    np.testing.assert_array_equal(table.rows, np.arange(10) + 2)
    for x, first in ((made.q, 0), (made.q_dot, 20), (made.torque, begins)):
        np.testing.assert_allclose(x, first + np.array([0, 10]) + T[:, None], atol=1e-9)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(4, -1, ""), "not so torque in frame 3 of trajectory 7"),
        (changed(4, 2, "nan"), "not so q in frame 3 of trajectory 7"),
        (changed(4, 0, "0.00100"), "times that rise .* frame 3 of trajectory 7 comes at 0.001 s"),
        (
            [*lines()[:4], lines()[4][:-1]],
            r"9 cells in each row of trajectory_07.csv.* row 5 has 8",
        ),
        (changed(0, -1, "tau"), "a column tau_meas2 in trajectory_07.csv"),
        (changed(4, 1, "x"), "numbers in column pos_meas1 of trajectory_07.csv, but row 5"),
    ],
)
def test_a_doctored_recording_of_the_arm_is_named(doctored, rows, message):
    doctored("ARM", CSV, partial(written, rows=rows))
    with pytest.raises(ValueError, match=message):
        data.measured("robot arm")


def test_pieces_of_a_pendulum_out_of_order_are_named(doctored):
    def write(path):
        t, y = T[::-1, None], np.tile(T, (2, 1))
        names = ("Time_id", "Y_id", "Time_vad", "Y_vad")
        savemat(
            path, {name: cells(x) for name, x in zip(names, (T[:, None], y, t, y), strict=True)}
        )

    doctored("PENDULUMS", MAT, write)
    with pytest.raises(ValueError, match=r"times that rise .* frame 1 of trajectory 1"):
        load()


def test_a_piece_with_more_times_than_states_is_named(doctored):
    def write(path):
        t, y = T[:, None], np.tile(T, (2, 1))
        names = ("Time_id", "Y_id", "Time_vad", "Y_vad")
        savemat(path, {name: cells(x) for name, x in zip(names, (t, y[:, 1:], t, y), strict=True)})

    doctored("PENDULUMS", MAT, write)
    with pytest.raises(ValueError, match=r"a time for each row, t of shape \(19,\), got \(20,\)"):
        load()
