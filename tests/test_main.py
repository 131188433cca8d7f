"""The command line: trains and measures for real, writes what it prints, explains itself."""

import json
import subprocess
import sys

import pytest

from lnn_tutorial.__main__ import main

FIGURES = ["acceleration_l1_sum", "energy_error_last", "energy_error_mean", "energy_error_max"]


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduce")
    command = [sys.executable, "-m", "lnn_tutorial", "reproduce", "spring-pendulum"]
    options = ["--seed", "3", "--steps", "600", "--starts", "4"]
    options += ["--json", "out.json", "--checkpoint", "kept"]
    run = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True)
    return folder, run


def test_reproduce_measures_both_models_and_the_floor(reproduced):
    folder, run = reproduced
    assert run.returncode == 0, run.stderr
    result = json.loads((folder / "out.json").read_text())
    assert (result["experiment"], result["seed"], result["steps"]) == ("spring-pendulum", 3, 600)
    assert result["states_seen"] == 600 * 128
    for model in ("lnn", "black_box"):
        for name in FIGURES:
            assert result["models"][model][name] >= 0
    # Even after 600 steps, the Lagrangian keeps the energy better than the black box.
    lnn, black_box = (result["models"][m]["energy_error_mean"] for m in ("lnn", "black_box"))
    assert lnn < black_box
    assert result["integrator_floor"]["energy_error_max"] < 1e-4


def test_the_table_shows_the_json(reproduced):
    _, run = reproduced
    for name in FIGURES:
        assert name in run.stdout
    assert "seed 3, 76,800 states seen" in run.stdout


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
        (["reproduce", "spring-pendulum", "--seed", "-1"], "at least 0"),
        (["reproduce", "spring-pendulum", "--starts", "0"], "at least 1"),
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
