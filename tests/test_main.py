"""The command line: trains and measures for real, writes what it prints, explains itself."""

import functools
import json
import subprocess
import sys

import jax
import pytest

from lnn_tutorial import experiments, store, train
from lnn_tutorial.__main__ import main

ENERGY = [f"energy_error_{name}" for name in ("last", "mean", "median", "max")]
FIGURES = ["acceleration_l1_sum", *ENERGY, "train_seconds", "states_seen"]


def reproduce(folder, name, options):
    command = [sys.executable, "-m", "lnn_tutorial", "reproduce", name, *options.split()]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce")
    options = "--seed 3 --steps 600 --starts 4 --json out.json --checkpoint kept"
    return folder, reproduce(folder, "spring-pendulum", options)


@pytest.fixture
def stand_in(monkeypatch):
    """Put a function in the place of an experiment, with that one's face."""

    def put(function, name="double-pendulum"):
        experiment = functools.wraps(experiments.EXPERIMENTS[name])(function)
        monkeypatch.setitem(experiments.EXPERIMENTS, name, experiment)

    return put


def test_reproduce_measures_both_models_and_the_floor(reproduced):
    folder, run = reproduced
    assert run.returncode == 0, run.stderr
    result = json.loads((folder / "out.json").read_text())
    assert (result["experiment"], result["seed"], result["steps"]) == ("spring-pendulum", 3, 600)
    assert result["states_seen"] == 600 * 128
    for model in ("lnn", "plain"):
        for name in FIGURES:
            assert result["models"][model][name] >= 0
    # Even after 600 steps, the Lagrangian keeps the energy better than the plain network.
    lnn, plain = (result["models"][m]["energy_error_mean"] for m in ("lnn", "plain"))
    assert lnn < plain
    assert result["integrator_floor"]["energy_error_max"] < 1e-4


def no_such_number(text):
    raise AssertionError(f"{text} is no JSON")


def test_reproduce_the_double_pendulum_measures_three_models_and_the_floor(tmp_path):
    options = "--seed 3 --steps 3 --starts 1 --json out.json"
    run = reproduce(tmp_path, "double-pendulum", options)
    assert run.returncode == 0, run.stderr
    result = json.loads((tmp_path / "out.json").read_text(), parse_constant=no_such_number)
    told = {"experiment": "double-pendulum", "seed": 3, "steps": 3, "starts": 1, "states_seen": 384}
    assert told.items() <= result.items()
    assert (result["recipe"], result["states"]) == ("course", "box")
    assert list(result["models"]) == ["lnn", "plain", "plain_same_time"]
    for figures in result["models"].values():
        for name in FIGURES:
            assert figures[name] is None or figures[name] >= 0
    seconds = [figures["train_seconds"] for figures in result["models"].values()]
    assert result["train_seconds"] == pytest.approx(sum(seconds))
    assert set(ENERGY) <= result["integrator_floor"].keys()
    assert result["integrator_floor"]["energy_error_max"] < 1e-3
    assert "double-pendulum, seed 3, 384 states seen" in run.stdout
    for name in (*FIGURES, "plain_same_time", "integrator floor"):
        assert name in run.stdout


def test_a_model_that_ran_away_is_infinite_in_the_table_and_null_in_json(
    stand_in, tmp_path, capsys
):
    infinite = {"energy_error_last": float("inf"), "energy_unexplained": float("nan"), "good": 0.5}
    result = {
        "experiment": "double-pendulum",
        "seed": 0,
        "states_seen": 1,
        "models": {"lnn": infinite},
        "integrator_floor": {"energy_error_last": 1e-5},
    }
    stand_in(lambda **options: result)
    assert main(["reproduce", "double-pendulum", "--json", str(tmp_path / "out.json")]) == 0
    shown = capsys.readouterr().out
    assert " inf" in shown and " nan" in shown
    written = json.loads((tmp_path / "out.json").read_text(), parse_constant=no_such_number)
    told = {"energy_error_last": None, "energy_unexplained": None, "good": 0.5}
    assert written == {**result, "models": {"lnn": told}}


def test_a_run_that_diverges_ends_in_one_line(stand_in, capsys):
    def diverge(**options):
        raise train.DivergedError("training has diverged", 7, None, [])

    stand_in(diverge)
    assert main(["reproduce", "double-pendulum"]) == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "lnn_tutorial: training has diverged\n")


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ("", {}),
        ("--states visited", {"states": "visited"}),
        ("--paper", {"paper": True}),
        ("--paper --loss l2 --steps 9", {"paper": True, "loss": "l2", "steps": 9}),
        ("--paper --states box --seed 2", {"paper": True, "states": "box", "seed": 2}),
    ],
)
def test_options_reach_the_double_pendulum(stand_in, capsys, options, given):
    def experiment(**settings):
        found.update(settings)
        raise store.StoreError("enough")

    found = {}
    stand_in(experiment)
    assert main(["reproduce", "double-pendulum", *options.split()]) == 1
    assert found == given
    assert capsys.readouterr().err == "lnn_tutorial: enough\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--json .", "expected --json to be a file, got the folder ."),
        (f"--json {__file__}/out.json", "expected the folder of --json to be a folder"),
        (f"--checkpoint {__file__}", "expected --checkpoint to be a folder that can be written"),
        (f"--checkpoint {__file__}/kept", "expected --checkpoint to be a folder that can be"),
    ],
)
def test_paths_that_cannot_be_written_are_refused_before_the_training(
    stand_in, capsys, options, message
):
    stand_in(lambda **options: pytest.fail("it trained"))
    with pytest.raises(SystemExit) as stop:
        main(["reproduce", "double-pendulum", *options.split()])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_an_experiment_runs_with_all_digits_and_changes_no_setting(stand_in):
    def experiment():
        seen.append(jax.config.jax_default_matmul_precision)
        raise store.StoreError("enough")

    seen, before = [], jax.config.jax_default_matmul_precision
    stand_in(experiment)
    assert main(["reproduce", "double-pendulum"]) == 1
    assert seen == ["highest"]
    assert jax.config.jax_default_matmul_precision == before


def test_a_new_experiment_brings_its_options_and_tables(monkeypatch, capsys):
    @experiments.command_line(
        {"extra": "what else"},
        weights={"help": "of the pendulum"},
        air={"help": "with friction"},
        place={"help": "where", "choices": ("earth", "moon")},
    )
    def pendulum(seed=0, steps=3, weights=2, air=False, place="earth", checkpoint=None):
        """One more."""
        figures = {"models": {}, "integrator_floor": {"drift": 0.0}, "extra": {"a": {"b": weights}}}
        return {"experiment": f"{place}, {air}", "seed": seed, "states_seen": steps, **figures}

    monkeypatch.setitem(experiments.EXPERIMENTS, "pendulum", pendulum)
    assert main(["reproduce", "pendulum", "--weights", "7", "--air", "--place", "moon"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "moon, True, seed 0, 3 states seen"
    assert [line.split() for line in shown[-3:]] == [["what", "else"], ["a"], ["b", "7"]]
    with pytest.raises(SystemExit):
        main(["reproduce", "pendulum", "--help"])
    assert "of the pendulum; 2 if absent" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["reproduce", "pendulum", "--weights", "0"])
    assert "expected at least 1, got 0" in capsys.readouterr().err


def test_the_table_shows_the_json(reproduced):
    _, run = reproduced
    for name in FIGURES:
        assert name in run.stdout
    assert "seed 3, 76,800 states seen" in run.stdout


def test_a_control_has_a_table_of_its_own(stand_in, capsys):
    def experiment(lagrangian):
        return {
            "experiment": f"particle by {lagrangian}",
            "seed": 0,
            "states_seen": 1000,
            "models": {"hnn": {"error": 0.5}},
            "integrator_floor": {"drift": 1e-6},
            "control": {"hnn": {"error": 0.001}},
        }

    stand_in(experiment, "relativistic-particle")
    assert main(["reproduce", "relativistic-particle", "--lagrangian", "relativistic"]) == 0
    head, model, error, drift, _, control, *_, again = capsys.readouterr().out.splitlines()
    assert head == "particle by relativistic, seed 0, 1,000 states seen"
    assert model.split() == ["hnn", "integrator", "floor"]
    assert (error.split(), drift.split()) == (["error", "0.5"], ["drift", "1e-06"])
    assert control == "control: the harmonic oscillator"
    assert again.split() == ["error", "0.001"]


def test_larger_rings_have_a_table_of_their_own(stand_in, capsys):
    result = {
        "experiment": "wave",
        "seed": 0,
        "states_seen": 1000,
        "models": {"lnn": {"field_error": 0.5}},
        "integrator_floor": {"field_error": 1e-6},
        "larger_rings": {"1000": {"field_error": 0.001}},
    }
    stand_in(lambda: result, "wave")
    assert main(["reproduce", "wave"]) == 0
    *_, title, sizes, errors = capsys.readouterr().out.splitlines()
    assert "larger rings" in title
    assert (sizes.split(), errors.split()) == (["1000"], ["field_error", "0.001"])


def test_another_runs_checkpoint_is_refused_in_one_line(reproduced, capsys):
    folder, _ = reproduced
    options = ["--seed", "4", "--steps", "600", "--checkpoint", str(folder / "kept")]
    assert main(["reproduce", "spring-pendulum", *options]) == 1
    assert "of another run: its key is" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["reproduce"], "required: NAME"),
        (["reproduce", "triple-pendulum"], "choose from"),
        (["reproduce", "spring-pendulum", "--steps", "0"], "at least 1"),
        (["reproduce", "spring-pendulum", "--steps", "many"], "whole number"),
        (["reproduce", "spring-pendulum", "--seed", "-1"], "expected seed >= 0, got -1"),
        (["reproduce", "spring-pendulum", "--seed", str(2**32)], "JAX would take it modulo 2**32"),
        (["reproduce", "spring-pendulum", "--starts", "0"], "at least 1"),
        (["reproduce", "spring-pendulum", "--paper"], "unrecognized arguments: --paper"),
        (["reproduce", "double-pendulum", "--states", "all"], "invalid choice: 'all'"),
        (["reproduce", "double-pendulum", "--loss", "l1"], "a loss with the paper's recipe only"),
        (["reproduce", "double-pendulum", "--paper", "--loss", "relative"], "invalid choice"),
        (["reproduce", "double-pendulum", "--paper", "--states", "visited"], "states 'box' with"),
        (["reproduce", "relativistic-particle", "--lagrangian", "newton"], "invalid choice"),
        (["reproduce", "robot-arm", "--torque", "wished"], "invalid choice: 'wished'"),
        (["reproduce", "double-pendulum", "--lagrangian", "paper"], "unrecognized arguments"),
        (["reproduce", "wave", "--starts", "3"], "unrecognized arguments: --starts"),
    ],
)
def test_bad_arguments_are_explained(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_help_names_the_experiments_and_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "reproduce spring-pendulum --json" in capsys.readouterr().out


def test_help_of_an_experiment_names_its_own_options(capsys):
    shown = {}
    for name in experiments.EXPERIMENTS:
        with pytest.raises(SystemExit):
            main(["reproduce", name, "--help"])
        shown[name] = capsys.readouterr().out
    for option in ("--seed", "--steps", "--json", "--checkpoint"):
        assert all(option in text for text in shown.values())
    followed = {name for name, text in shown.items() if "--starts" in text}
    assert followed == set(experiments.EXPERIMENTS) - {"wave", "measured-pendulum", "robot-arm"}
    assert {name for name, text in shown.items() if "--pieces" in text} == {"measured-pendulum"}
    for option in ("--states", "--paper", "--loss"):
        assert option in shown["double-pendulum"] and option not in shown["spring-pendulum"]
