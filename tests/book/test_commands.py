"""What is written twice agrees: commands, environment, pins."""

import os
import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import run_notebooks

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def pins():
    """Name → versions of requirements.txt; a package may have one for each platform."""
    found = {}
    for name, version in re.findall(r"(?m)^([\w.-]+)==(\S+)", read("requirements.txt")):
        found.setdefault(name.lower().replace("_", "-"), set()).add(version)
    return found


@pytest.mark.parametrize("target", ["book", "test"])
def test_the_plain_commands_of_the_readme_are_those_of_make(target):
    command = ["make", "--dry-run", "--always-make", "--no-print-directory", target]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [line for line in made.splitlines() if line.startswith(".venv/bin/")]
    assert len(commands) > 1
    plain = re.findall(r"(?m)^(\.venv/bin/.*?)(?: +#.*)?$", read("README.md"))
    assert set(commands) <= set(plain)


def test_chapters_are_tested_in_the_environment_that_made_them():
    exported = dict(re.findall(r"(?m)^export (\w+) = (\S+)$", read("Makefile")))
    assert exported == run_notebooks.ENVIRONMENT


def test_requirements_pin_everything_and_hold_the_package():
    lines = [line for line in read("requirements.txt").splitlines() if line.strip()]
    wanted = [line for line in lines if not line.lstrip().startswith("#")]
    assert "-e ." in wanted
    assert all("==" in line for line in wanted if line != "-e .")
    assert "://" not in "".join(wanted)


def test_pins_agree_with_the_project():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    for requirement in chain(project["dependencies"], *extras):
        name, relation, version = re.fullmatch(r"([\w-]+)(==|>=)(.+)", requirement).groups()
        assert name in pins(), f"requirements.txt lacks {name}"
        if relation == "==":
            assert pins()[name] == {version}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_and_permissions_least(path):
    text = path.read_text(encoding="utf-8")
    for use in re.findall(r"uses: (.*)", text):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use
    assert "\npermissions:\n  contents: read\n" in text
    assert len(re.findall(r"runs-on:", text)) == len(re.findall(r"timeout-minutes:", text))


@pytest.mark.parametrize(("named", "beside"), [(None, True), (None, False), ("/own", True)])
def test_make_looks_for_measured_motions_beside_the_checkout(tmp_path, named, beside):
    (tmp_path / "checkout").mkdir()
    if beside:
        (tmp_path / "shared" / "data").mkdir(parents=True)
    environment = {name: x for name, x in os.environ.items() if name != "LNN_TUTORIAL_DATA"}
    show = "show: ; @echo $$LNN_TUTORIAL_DATA"
    command = ["make", "--no-print-directory", "--file", ROOT / "Makefile", "--eval", show, "show"]
    made = subprocess.run(
        command,
        cwd=tmp_path / "checkout",
        env=environment | ({"LNN_TUTORIAL_DATA": named} if named else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    folder = str((tmp_path / "shared" / "data").resolve()) if beside else ""
    assert made.stdout.strip() == (named or folder)
