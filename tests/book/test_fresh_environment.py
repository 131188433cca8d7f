"""`scripts/fresh_environment.py`: what it asks pip for, what it refuses, what a kernel gets to see.

Its runs take an hour and the network; `.github/workflows/fresh-environment.yml` makes them weekly.
"""

import re
import shutil
import subprocess

import fresh_environment
import pytest

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

PROJECT = '[project]\ndependencies = ["jax>=0.5", "Some-Thing >= 1.2.3"]\n'


@pytest.fixture
def project(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def test_the_oldest_versions_are_the_lower_bounds_of_the_project(project):
    assert fresh_environment.requirements("oldest", project) == ["jax==0.5", "Some-Thing==1.2.3"]
    assert fresh_environment.requirements("newest", project) == ["jax", "Some-Thing"]
    text = (fresh_environment.ROOT / "pyproject.toml").read_text()
    for line in fresh_environment.requirements("oldest"):
        assert f'"{line.replace("==", ">=")}"' in text


@pytest.mark.parametrize("line", ["jax", "jax>=0.5,<1", "jax==0.5", "jax<1"])
def test_a_dependency_with_another_range_is_refused(project, line):
    (project / "pyproject.toml").write_text(PROJECT.replace("jax>=0.5", line))
    with pytest.raises(ValueError, match="one lower bound"):
        fresh_environment.requirements("oldest", project)


@needs_git
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: --versions"),
        (["--versions", "older"], "invalid choice"),
        (["--versions", "oldest", "--python", "python0.1"], "no Python interpreter 'python0.1'"),
        (["--versions", "oldest", "--keep", "."], "expects the name of a new folder"),
        (["--versions", "oldest", "missing.ipynb"], "expected an existing .ipynb file"),
        (["--versions", "oldest", __file__], "expected an existing .ipynb file"),
    ],
)
def test_bad_options_are_refused_before_anything_is_made(arguments, said, capsys, monkeypatch):
    monkeypatch.setattr(fresh_environment, "Fresh", None)
    with pytest.raises(SystemExit) as stopped:
        fresh_environment.main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


@needs_git
def test_an_interpreter_that_fails_is_reported_with_what_it_said(tmp_path, capsys):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho no module named venv >&2\nexit 1\n")
    broken.chmod(0o755)
    assert fresh_environment.main(["--versions", "oldest", "--python", str(broken)]) == 1
    assert "no module named venv" in capsys.readouterr().err


@needs_git
def test_a_kernel_sees_nothing_of_this_checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(fresh_environment.ROOT))
    monkeypatch.setenv("JAX_ENABLE_X64", "1")
    found = fresh_environment.environment(tmp_path)
    assert not {"PYTHONPATH", "JAX_ENABLE_X64"} & set(found)
    # Git takes the public address for the checkout as it stands.
    clone = ["git", "clone", "--quiet", fresh_environment.read_address(), tmp_path / "clone"]
    subprocess.run(clone, env=found, check=True)
    here = (fresh_environment.ROOT / "pyproject.toml").read_text()
    assert (tmp_path / "clone" / "pyproject.toml").read_text() == here


def test_the_report_names_the_cell_that_failed(capsys, tmp_path):
    class Failing:
        def execute(self, chapter, timeout):
            raise fresh_environment.Failed("cell 3 failed\nZeroDivisionError")

    class Warning_:
        def execute(self, chapter, timeout):
            return [2, 5]

    assert not fresh_environment.report(Failing(), "a.ipynb", 1)
    said = capsys.readouterr()
    assert "cell 3 failed" in said.err and re.search(r"s  a\.ipynb: FAILED", said.out)
    assert fresh_environment.report(Warning_(), "a.ipynb", 1)
    assert "a.ipynb: ok, but stderr in cells 2, 5" in capsys.readouterr().out
