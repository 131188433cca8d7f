"""From a table to a model: what is planned, learned and reported, and what is refused in a line."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import make_camera_table
import numpy as np
import pytest

from lnn_tutorial import data, evaluate, integrate, learning, models, store, systems
from lnn_tutorial.__main__ import main
from lnn_tutorial.learning import command, judge, plans, reports, rounds

SYSTEM = systems.Pendulum()
RATE, SECONDS, NOISE = 30, 4, 0.004


def law(damping=0.0, push=None):
    """The pendulum's acceleration, with friction, and a torque that depends on time."""

    def acceleration(q, q_dot, t=0.0):
        return SYSTEM.acceleration(q, q_dot) - damping * q_dot + (push(t) if push else 0.0)

    return acceleration


@pytest.fixture(scope="module", autouse=True)
def few_rounds():
    """One round of each kind: most of what these tests take is compiling rounds."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NOISY_ROUNDS", "STATE_ROUNDS"):
            of_a_kind = {one.kind: one for one in getattr(rounds, name)}
            patch.setattr(rounds, name, tuple(of_a_kind.values()))
        yield


@pytest.fixture
def two_rounds(monkeypatch):
    """The first and the last kind of round alone."""
    monkeypatch.setattr(rounds, "NOISY_ROUNDS", rounds.NOISY_ROUNDS[::2])


def swings(count=10, damping=0.0, rate=RATE, steps=SECONDS * RATE):
    """True angles and velocities `[count, frames]`, released at rest."""
    q = np.linspace(0.4, 2.6, count)[:, None]
    settings = {"dt": 1 / rate, "steps": steps, "substeps": 10}
    with integrate.double_precision():
        found = evaluate.rollouts(law(damping), q, np.zeros_like(q), **settings)
        return tuple(np.asarray(x)[..., 0] for x in found)


def noisy(q, seed=0):
    return q + NOISE * np.random.default_rng(seed).normal(size=q.shape)


def written(path, columns, rate=RATE, t=None):
    """A CSV table of columns `[motions, frames]` by name, with throws and times."""
    first = next(iter(columns.values()))
    t = np.broadcast_to(np.arange(first.shape[1]) / rate if t is None else t, first.shape)
    rows = ["throw,t," + ",".join(columns)]
    for motion, frame in np.ndindex(first.shape):
        cells = [f"{x[motion, frame]:.8f}" for x in columns.values()]
        rows.append(f"{motion},{t[motion, frame]:.5f}," + ",".join(cells))
    path.write_text("\n".join(rows) + "\n")
    return path


def read(path, **settings):
    asked = {"time": "t", "positions": "angle", "angles": "angle", "trajectory": "throw"}
    return data.table(path, **(asked | settings))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("learn")


@pytest.fixture(scope="module")
def table(folder):
    return written(folder / "swing.csv", {"angle": noisy(swings()[0])})


def follow(table, width=16, **settings):
    """`learning.learn` with networks that are small enough for a test."""
    plan = learning.plan(table, **settings)
    small = {"model": plan.model} | ({} if plan.plain is None else {"plain": plan.plain})
    small = {name: dataclasses.replace(x, width=width, depth=1) for name, x in small.items()}
    return learning.follow(dataclasses.replace(plan, **small), progress=False)


@pytest.fixture(scope="module")
def learned(table):
    return follow(read(table), steps=200)


def truth(found):
    """True angles, velocities and accelerations of the held-out frames `[n, 1]`."""
    q, q_dot = (x[found.plan.held_out.trajectory[:: SECONDS * RATE + 1]] for x in swings())
    q, q_dot = (jnp.asarray(x.reshape(-1, 1), jnp.float32) for x in (q, q_dot))
    return q, q_dot, jax.vmap(SYSTEM.acceleration)(q, q_dot)


# --- the report ---


def within_a_factor_of_two(learned, true):
    """Hold a report's errors of positions against true positions of the held-out frames `[n, 1]`.

    The same rollouts, compared with what the report does not see.
    """
    plan, figures = learned.plan, learned.report.figures
    rows = judge.spread_rows(plan.held_out, judge.STARTS, ahead=4)
    begun = judge.windows(plan.held_out, learned.law(), plan.frames, plan.noise, rows, degree=0)
    seconds = figures["horizons"]
    model = learned.model, learned.params, plan.held_out
    went = judge.rolled_out(*model, *begun, seconds[-1], plan.step)
    went["measured"] = np.asarray(true)[went["at"]]
    compared = 0
    for x, told, most in zip(
        seconds, figures["model"]["error"], figures["model"]["error_at_most"], strict=True
    ):
        far = np.nanmedian(judge.away(went, x, plan.angles)[0])
        if np.isnan(told[0]):
            assert far < most[0]
        else:
            assert 0.5 < told[0] / far < 2.0
            compared += 1
    assert compared


def test_the_report_is_right_about_the_positions_within_a_factor_of_two(learned):
    within_a_factor_of_two(learned, truth(learned)[0])


def test_the_report_is_right_about_the_accelerations_within_a_factor_of_two(learned):
    q, q_dot, q_ddot = truth(learned)
    told = learned.report.figures["model"]["acceleration"]
    found = judge.asked(learned.law(), {"q": np.asarray(q), "q_dot": np.asarray(q_dot)})
    far = np.median(np.abs(found - q_ddot))
    if np.isnan(told["error"][0]):
        assert far < told["at_most"][0]
    else:
        assert 0.5 < told["error"][0] / far < 2.0
    assert told["typical"][0] == pytest.approx(float(jnp.median(jnp.abs(q_ddot))), rel=0.2)


def test_the_report_tells_energy_mass_loss_and_rival(learned):
    text, figures = str(learned.report), learned.report.figures["model"]
    for words in ("Energy: over", "Mass matrix", "no sign of learning by heart", "A plain network"):
        assert words in text
    assert "friction" not in text  # there is none, and none is seen
    assert figures["mass_definite"] == 1.0 and figures["mass_condition_largest"] == 1.0
    assert figures["energy_drift"] < 0.01
    assert 0.8 < learned.plan.noise[0] / NOISE < 1.2


def test_what_is_not_above_the_noise_is_a_bound():
    rng = np.random.default_rng(0)
    frames = 6
    for error in (0.0, 3.0):
        far = np.sqrt(np.mean((error + rng.normal(size=(400, frames))) ** 2, axis=1))[:, None]
        _, found, most = judge.without_noise(
            far, np.full(400, frames), np.array([1.0]), 400 * frames, 0.1
        )
        assert np.isnan(found[0]) == (error == 0.0)
        assert most[0] > error
        if error:
            assert found[0] == pytest.approx(error, rel=0.1)


def test_only_a_window_that_is_missing_counts_as_none(learned):
    plan, law = learned.plan, learned.law()
    rows = judge.spread_rows(plan.held_out, 20)
    found, kept, lengths = judge.windows(plan.held_out, law, (4, 10), plan.noise, rows)
    assert set(kept) <= set(rows) and len(found["q"]) == len(kept) == len(lengths)
    assert judge.windows(plan.held_out, law, (10,), 1e-9, rows) is None  # none fits
    assert judge.windows(plan.held_out, law, (400,), plan.noise, rows) is None  # no room
    wild = lambda q, q_dot: q * jnp.nan  # noqa: E731
    assert judge.windows(plan.held_out, wild, (10,), plan.noise, rows) is None
    with pytest.raises(ValueError, match="even numbers"):
        judge.windows(plan.held_out, law, (5,), plan.noise, rows)


def test_a_short_motion_does_not_take_the_windows_of_others():
    q = noisy(swings(2)[0])
    rows = np.concatenate([q[0], q[1, :7]])
    t = np.concatenate([np.arange(q.shape[1]), np.arange(7)]) / RATE
    labels = np.repeat([0, 1], [q.shape[1], 7])
    motions = data.motions(t, rows[:, None], trajectory=labels)
    found, kept, _ = judge.windows(motions, None, (10,), 0.1, np.array([3, 60, 124]))
    assert kept.tolist() == [60] and found["q"][0, 0] == pytest.approx(q[0, 60], abs=0.1)


def test_the_spread_of_the_energy_is_robust():
    rng = np.random.default_rng(0)
    parts = [level + 0.1 * rng.normal(size=300) for level in (0.0, 5.0)]
    clean = reports._spread(parts)
    assert clean == pytest.approx(0.1, rel=0.1)
    parts[0][7] = 1e6
    assert reports._spread(parts) == pytest.approx(clean, rel=0.02)


def test_distances_go_round_the_circle():
    went = {
        "after": np.array([[0.1, 0.2]]),
        "measured": np.array([[[3.1], [3.1]]]),
        "predicted": np.array([[[-3.1], [np.nan]]]),
    }
    assert judge.away(went, 0.1, (True,))[0][0, 0] == pytest.approx(2 * np.pi - 6.2)
    assert judge.away(went, 0.1, (False,))[0][0, 0] == pytest.approx(6.2)
    assert np.isinf(judge.away(went, 0.2, (True,))[0][0, 0])  # it ran away
    assert np.isnan(judge.away(went, 0.5, (True,))[0][0, 0])  # nobody has measured so long


def test_at_irregular_times_friction_is_learned_and_the_report_is_right(folder):
    fine, rng = 10, np.random.default_rng(1)
    q, _ = swings(damping=0.4, rate=RATE * fine, steps=SECONDS * RATE * fine)
    ticks = fine * np.arange(1, SECONDS * RATE) + rng.integers(-4, 5, (len(q), SECONDS * RATE - 1))
    q, t = np.take_along_axis(q, ticks, axis=1), ticks / (RATE * fine)
    path = written(folder / "rubs.csv", {"angle": noisy(q)}, t=t)
    found = follow(read(path), friction=True, compare=False, steps=1200)
    assert "steps from 0.00" in dict(found.plan.lines)["rate"]
    figures, text = found.report.figures["model"], str(found.report)
    assert figures["friction_power"] < figures["friction_power_largest"] <= 0
    assert "Friction takes" in text and "try --friction" not in text
    q_dot = np.array([[1.0], [-1.0]], np.float32)
    slowed = judge.asked(found.law(), {"q": np.full_like(q_dot, 0.5), "q_dot": q_dot})
    assert slowed[0, 0] - slowed[1, 0] == pytest.approx(-0.8, rel=0.3)
    held_out = np.unique(found.plan.held_out.trajectory).astype(int)
    within_a_factor_of_two(found, q[held_out].reshape(-1, 1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"energy_fall": 0.1, "energy_falls": 1.0}, "looks like friction; try --friction"),
        ({"loss_held_out": 0.9}, "more data, or fewer steps, would help"),
        ({"mass_definite": 0.9}, "accelerations may run away"),
    ],
)
def test_what_is_amiss_is_said(learned, change, words):
    assert words not in str(learned.report)
    model = learned.report.figures["model"] | change
    figures = learned.report.figures | {"model": model}
    assert words in str(dataclasses.replace(learned.report, figures=figures))


# --- the plan ---


def test_the_plan_says_what_and_why(table):
    plan = learning.plan(read(table))
    lines = dict(plan.lines)
    assert lines["learned from"].startswith("8 motions, 968 frames, 32 s")
    assert lines["held out"].startswith("2 whole motions")
    assert lines["windows"].startswith("of 4 to 32 frames, 0.13 to 1.1 s")
    assert lines["position scale"].startswith("1:")
    assert not set(plan.training.trajectory) & set(plan.held_out.trajectory)
    assert all(word in str(plan) for word in lines)


def test_short_motions_are_left_out_and_a_single_one_is_cut(folder):
    q = noisy(swings(1)[0])
    single = learning.plan(read(written(folder / "one.csv", {"angle": q})))
    lines = dict(single.lines)
    assert "the first 97 frames of a single motion" in lines["learned from"]
    assert len(single.held_out) == 24 and single.held_out.t[0] > single.training.t[-1]
    rows = (folder / "one.csv").read_text() + "9,0,0.1\n9,0.1,0.2\n"
    (folder / "two.csv").write_text(rows)
    assert dict(learning.plan(read(folder / "two.csv")).lines)["left out"].startswith("1 motion of")


def test_velocities_are_used_where_they_are_exact(folder):
    q, q_dot = swings(3, rate=200, steps=60)
    path = written(folder / "exact.csv", {"angle": q, "speed": q_dot}, rate=200)
    found = follow(read(path, velocities="speed"), steps=78, model="plain")
    assert found.plan.way == plans.STATES
    assert np.isfinite(found.report.figures["model"]["distance"][0]).all()
    path = written(folder / "noisy.csv", {"angle": noisy(q), "speed": q_dot})
    plan = learning.plan(read(path, velocities="speed"))
    assert plan.way == plans.POSITIONS
    assert "not looked at" in dict(plan.lines)["velocities"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model": "hnn"}, "unknown model 'hnn'"),
        ({"model": "plain", "friction": True}, "friction with a Lagrangian"),
        ({"held_out": 1.5}, "0 < held_out < 1"),
        ({"steps": 0}, "steps >= 1"),
        ({"friction": "yes"}, "True and False"),
    ],
)
def test_what_cannot_be_planned_is_refused(table, change, word):
    with pytest.raises((ValueError, TypeError), match=word):
        learning.plan(read(table), **change)


def test_too_little_is_refused(folder):
    (folder / "few.csv").write_text("t,angle\n" + "".join(f"{k},{k * k}\n" for k in range(20)))
    with pytest.raises(ValueError, match="too little to learn from"):
        learning.plan(read(folder / "few.csv", trajectory=None, angles=()))
    with pytest.raises(TypeError, match=r"expected a data\.Table"):
        learning.plan(str(folder / "few.csv"))


def test_torques_and_contexts_go_along(folder, two_rounds):
    q, _ = swings(3, steps=40)
    wave = np.broadcast_to(np.sin(np.arange(q.shape[1]) / 5), q.shape)
    mass = np.broadcast_to(np.linspace(1, 2, len(q))[:, None], q.shape)
    path = written(folder / "driven.csv", {"angle": noisy(q), "push": wave, "mass": mass})
    asked = read(path, torques="push", context="mass")
    found = follow(asked, model="delan", steps=300)
    assert type(found.model) is models.DeLaN and "Mass matrix" in str(found.report)
    assert found.model.driven and found.model.context == 1
    rival = found.plan.plain
    assert rival.driven and rival.torque_scale == pytest.approx([0.5**0.5], rel=0.1)
    for name in ("model", "plain"):
        assert np.isfinite(found.report.figures[name]["distance"][0]).all()
    alone = learning.plan(asked, model="plain")
    assert alone.model.torque_scale == rival.torque_scale and "torque scale" in dict(alone.lines)


# --- the command ---

ASKED = ["--time", "t", "--positions", "angle", "--angles", "angle", "--trajectory", "throw"]


def test_the_command_writes_what_it_prints(folder, capsys, two_rounds):
    table = written(folder / "few.csv", {"angle": noisy(swings(3, steps=60)[0])})
    out, kept = folder / "out" / "swing.npz", folder / "kept"
    asked = ["learn", str(table), *ASKED, "--seed", "3", "--model", "plain"]
    whole = [*asked, "--steps", "44", "--out", str(out), "--checkpoint", str(kept)]
    assert main(whole) == 0
    printed = capsys.readouterr().out
    for words in ("3 motions of 183 frames", "learned from", "0.3 s", "written: "):
        assert words in printed
    figures = json.loads(out.with_suffix(".json").read_text())
    assert figures["coordinates"] == ["angle"] and figures["plan"]["learned from"]
    assert out.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
    assert main([*asked, "--checkpoint", str(kept), "--steps", "66"]) == 1
    assert "of another run" in capsys.readouterr().err


def test_an_interrupted_command_resumes_to_the_same_result(folder, monkeypatch, two_rounds):
    """Where the test before has trained at once; it is stopped here in its last round."""
    asked = ["learn", str(folder / "few.csv"), *ASKED, "--seed", "3", "--model", "plain"]
    asked += ["--steps", "44", "--checkpoint", str(folder / "stopped")]
    once, later = folder / "out" / "swing.npz", folder / "later" / "swing.npz"
    saved, save = [], store.save

    def stopped(path, *rest):
        if saved:
            raise KeyboardInterrupt
        saved.append(path)
        save(path, *rest)

    monkeypatch.setattr(store, "save", stopped)
    with pytest.raises(KeyboardInterrupt):
        main([*asked, "--out", str(later)])
    monkeypatch.setattr(store, "save", save)
    assert not later.exists()
    assert main([*asked, "--out", str(later)]) == 0
    (model, params), (again, resumed) = (store.load_model(path) for path in (once, later))
    assert again == model
    assert jax.tree.all(jax.tree.map(lambda x, y: bool((x == y).all()), params, resumed))
    figures = [path.with_suffix(".json").read_text() for path in (once, later)]
    assert figures[0] == figures[1]


BAD = {
    "no such column": ("t,theta\n0,1\n", "expected a column angle"),
    "text": ("t,angle\n0,1\n1,up\n", "row 3"),
    "falling times": ("t,angle\n0,1\n2,2\n1,3\n", "times that rise"),
    "constant": ("t,angle\n0,1\n1,1\n2,1\n", "coordinates that move"),
    "few rows": ("t,angle\n0,1\n", "two rows or more"),
    "empty": ("", "is empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_in_one_line(name, folder, capsys):
    text, word = BAD[name]
    (folder / "bad.csv").write_text(text)
    with pytest.raises(SystemExit) as stop:
        main(["learn", str(folder / "bad.csv"), "--time", "t", "--positions", "angle"])
    assert stop.value.code == 2
    assert word in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ([], "a FILE with a table, or --demo"),
        (["gone.csv", "--time", "t", "--positions", "a"], "gone.csv"),
        (["x.csv", "--positions", "a"], "expected --time"),
        (["x.csv", "--time", "t"], "expected --positions"),
        (["x.csv", "--time", "t", "--positions", "a,,b"], "names with commas between them"),
        (["--demo", "--time", "t"], "--demo without --time"),
        (["x.csv", "--demo"], "--demo without FILE"),
        (["--demo", "--out", "swing.json"], "a file *.npz"),
        (["--demo", "--out", "/dev/null/swing.npz"], "--out"),
        (["--demo", "--checkpoint", "/dev/null/kept"], "--checkpoint"),
        (["--demo", "--model", "hnn"], "invalid choice"),
        (["--demo", "--steps", "0"], "at least 1"),
        (["--demo", "--model", "plain", "--friction"], "friction with a Lagrangian"),
    ],
)
def test_a_bad_command_line_is_refused_before_any_training(asked, word, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["learn", *asked])
    assert stop.value.code == 2
    assert word in capsys.readouterr().err.splitlines()[-1]


EMPTY = dict.fromkeys(("file", "demo", "time", *command.COLUMNS, "trajectory", "degrees", "gap"))


def test_lists_may_have_blanks_and_degrees_are_told(folder):
    assert command.names("theta1, theta2 ,x") == ("theta1", "theta2", "x")
    turned = written(folder / "degrees.csv", {"angle": np.rad2deg(noisy(swings(2)[0]))})
    given = {**EMPTY, "file": str(turned), "time": "t", "positions": ("angle",)}
    given |= {"angles": ("angle",), "trajectory": "throw"}
    with pytest.warns(UserWarning, match="looks like degrees"):
        assert any("looks like degrees" in note for note in command.table(given).notes)
    notes = command.table(given | {"degrees": True}).notes
    assert "degrees are converted to radians: angle" in notes


@pytest.mark.parametrize(
    ("asked", "words"),
    [([], "angle looks like degrees"), (["--degrees"], "degrees are converted to radians: angle")],
)
def test_the_command_tells_of_degrees_before_any_training(
    asked, words, folder, capsys, monkeypatch
):
    class TrainingBegins(Exception):
        pass

    def begins(plan, **_):
        raise TrainingBegins(*np.ptp(plan.training.q, axis=0))

    monkeypatch.setattr(learning, "follow", begins)
    table = written(folder / "degrees.csv", {"angle": np.rad2deg(noisy(swings(2)[0]))})
    with pytest.raises(TrainingBegins) as stop:
        main(["learn", str(table), *ASKED, *asked])
    assert words in capsys.readouterr().out
    assert (stop.value.args[0] < 2 * np.pi) == bool(asked)


def test_the_demo_is_the_table_that_the_script_makes(tmp_path):
    make_camera_table.write(tmp_path / "camera.csv")
    text = command.CAMERA.read_text()
    assert text == (tmp_path / "camera.csv").read_text()
    assert text.startswith("# SIMULATED") and len(text) < 200_000
    found = data.table(command.CAMERA, **command.DEMO)
    about = data.describe(found.motions, found.angles)
    assert about.noise == pytest.approx(make_camera_table.NOISE, rel=0.1)
