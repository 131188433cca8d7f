"""The setup cell of every chapter and assignment works in Colab, or in something as bare as it.

A fresh virtual environment sees the heavy dependencies but not our package, a stub stands in
for `google.colab`, and git takes the public address for this checkout. The setup cells must bring
the package, and only the package: never another JAX. `scripts/fresh_environment.py` goes further
and runs whole chapters; it takes too long for a test.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import fresh_environment
import nbformat
import pytest

from tests.book.conftest import ROOT, repository_address, toc_files

CHAPTERS = [ROOT / f"{name}.ipynb" for name in toc_files() if not (ROOT / f"{name}.md").exists()]
NOTEBOOKS = [*CHAPTERS, *sorted(ROOT.glob("assignments/source/*/*.ipynb"))]

RUN_CELLS = """
import json, sys, types
from unittest.mock import MagicMock
sys.modules["google"] = types.ModuleType("google")
sys.modules["google.colab"] = sys.modules["google"].colab = MagicMock()  # JAX imports from it, too
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(colors="nocolor")
for name, source in json.load(open(sys.argv[1])).items():
    print("==", name, flush=True)
    shell.run_cell(source).raise_error()
import lnn_tutorial
print("imported from", lnn_tutorial.__file__)
"""


@pytest.fixture
def fresh(tmp_path):
    """A new environment: its Python, and where it installs packages.

    Everything this environment has is linked in from a folder at the end of its path, as if it
    had come with the machine, save for our own package.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    installed = Path(sysconfig.get_path("purelib", vars={"base": tmp_path / "venv"}))
    machine = tmp_path / "machine"
    machine.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        ours = re.search(r"lnn_tutorial|__editable__", entry.name)
        if not ours and entry.suffix != ".pth" and entry.name != "__pycache__":
            (machine / entry.name).symlink_to(entry)
    (installed / "machine.pth").write_text(f"{machine}\n")
    return python, installed


def test_the_setup_cells_install_the_package_and_nothing_else(fresh, tmp_path):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    python, installed = fresh
    clone = fresh_environment.snapshot(tmp_path / "clone.git")

    cells, extra, install = {}, set(), re.compile(r"%pip .*")
    for path in NOTEBOOKS:
        setup = next(cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
        cells[str(path.relative_to(ROOT))] = setup.source
        extra |= set(install.findall(setup.source)[1:])
    assert len({install.search(source)[0] for source in cells.values()}) == 1
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    libraries = declared["project"]["optional-dependencies"]["motion"]
    assert extra <= {f"%pip install -q {re.split('[<>=~]', name)[0]}" for name in libraries}
    # They all ask for the same package, so one installation will do; a library is there already.
    for name in list(cells)[1:]:
        cells[name] = install.sub("pass", cells[name])
    (tmp_path / "cells.json").write_text(json.dumps(cells))
    (tmp_path / "run.py").write_text(RUN_CELLS)
    environment = {
        **{k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")},
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{clone.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": repository_address(),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JAX_PLATFORMS": "cpu",
        "MPLBACKEND": "agg",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    run = subprocess.run(
        [python, tmp_path / "run.py", tmp_path / "cells.json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    said = run.stdout + run.stderr
    if "NewConnectionError" in said or "Temporary failure in name resolution" in said:
        pytest.skip("no network for pip's build dependencies")
    assert run.returncode == 0, said
    assert f"imported from {installed}" in said, said
    new = {entry.name for entry in installed.iterdir()} - {"machine.pth", "__pycache__"}
    assert {name for name in new if not name.startswith("lnn_tutorial")} == set()
