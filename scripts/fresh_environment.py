"""Run chapters as Colab would: alone, in a new environment, without this checkout beside them.

    python scripts/fresh_environment.py --versions oldest                       every chapter
    python scripts/fresh_environment.py --versions newest --python python3.11
    python scripts/fresh_environment.py --versions oldest chapters/02_falling_ball.ipynb

The environment gets ipykernel and the dependencies of the package, at the lower bounds of
`pyproject.toml` or at the newest versions there are. It does not get the package: the setup cell
of each chapter must bring it, and only it. A stub stands in for `google.colab`, and git takes the
public address for this checkout as it stands, committed or not. Each chapter is copied into an
empty folder and runs there, on the CPU, after the package is gone again.

Needs the network and git. The result is a line for each chapter; the script fails when one does.
"""

import argparse
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from packaging.requirements import Requirement
from run_notebooks import ANSI, ENVIRONMENT, ROOT, UNSET, notebooks_of_toc
from set_repository import read_address

PACKAGE = "lnn-tutorial"
# What would let the kernel see this checkout or its environment.
OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "IPYTHONDIR", *UNSET)
# Runs when IPython starts. JAX imports from google.colab, too.
COLAB = """
import sys, types
from unittest.mock import MagicMock
sys.modules["google"] = types.ModuleType("google")
sys.modules["google.colab"] = sys.modules["google"].colab = MagicMock()
"""


class Failed(Exception):
    """What did not work; the text is for the reader of the terminal."""


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Run chapters alone in a new environment, as Colab would."
    )
    parser.add_argument("chapters", nargs="*", type=Path, help="default: all of _toc.yml")
    parser.add_argument(
        "--versions",
        required=True,
        choices=("oldest", "newest"),
        help="of the dependencies: the lower bounds of pyproject.toml, or the newest there are",
    )
    parser.add_argument("--python", default=sys.executable, help="name or path of an interpreter")
    parser.add_argument("--keep", type=Path, help="make the environment in this new folder")
    parser.add_argument("--timeout", type=int, default=1800, help="seconds a cell may take")
    options = parser.parse_args(arguments)

    if shutil.which("git") is None:
        parser.error("git is not installed")
    interpreter = shutil.which(options.python)
    if interpreter is None:
        parser.error(f"no Python interpreter {options.python!r} on this machine")
    if options.keep and options.keep.exists():
        parser.error(f"{options.keep} exists; --keep expects the name of a new folder")
    chapters = options.chapters or notebooks_of_toc(ROOT)
    for path in chapters:
        if path.suffix != ".ipynb" or not path.is_file():
            parser.error(f"{path}: expected an existing .ipynb file")

    with tempfile.TemporaryDirectory(prefix="fresh-") as temporary:
        try:
            folder = Path(options.keep or Path(temporary) / "environment").resolve()
            fresh = Fresh(interpreter, folder, requirements(options.versions), Path(temporary))
        except Failed as problem:
            print(problem, file=sys.stderr)
            return 1
        print(f"Python {fresh.version}, {', '.join(fresh.installed)}", flush=True)
        return 1 if [path for path in chapters if not report(fresh, path, options.timeout)] else 0


def requirements(versions, root=ROOT):
    """What pip is asked for: the package's dependencies at their lower bounds, or unbounded.

    >>> requirements("newest")[:2]
    ['jax', 'jaxlib']

    Raises ValueError for a dependency with anything but one lower bound.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [pinned(Requirement(line), versions) for line in project["dependencies"]]


def pinned(requirement, versions):
    bounds = list(requirement.specifier)
    if len(bounds) != 1 or bounds[0].operator != ">=":
        raise ValueError(f"pyproject.toml: expected one lower bound, got {str(requirement)!r}")
    name = requirement.name
    return name if versions == "newest" else f"{name}=={bounds[0].version}"


class Fresh:
    """A new virtual environment with `wanted` and a kernel, but without our package."""

    def __init__(self, interpreter, folder, wanted, temporary):
        self.python = folder / "bin" / "python"
        self.temporary = temporary
        self.environment = environment(temporary)
        self.run(interpreter, "-m", "venv", folder)
        self.pip("install", "--only-binary", ":all:", "ipykernel", *wanted)
        self.run(self.python, "-m", "ipykernel", "install", "--prefix", folder, "--name", "fresh")
        self.kernels = folder / "share" / "jupyter" / "kernels"
        names = {re.split("[=<>]", line)[0] for line in wanted}
        self.packages = self.freeze()
        self.installed = [line for line in self.packages if line.split("==")[0] in names]
        self.version = self.run(self.python, "-V").split()[1]

    def run(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def pip(self, *arguments):
        return self.run(self.python, "-m", "pip", *arguments)

    def freeze(self):
        """The packages of the environment, without ours."""
        listed = json.loads(self.pip("list", "--format", "json"))
        return [f"{p['name']}=={p['version']}" for p in listed if p["name"] != PACKAGE]

    def execute(self, chapter, timeout):
        """Run `chapter` with no file beside it. Returns which cells wrote to stderr, from 1."""
        self.pip("uninstall", "--yes", PACKAGE)
        notebook = nbformat.read(chapter, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        notebook.metadata.pop("widgets", None)
        with tempfile.TemporaryDirectory(dir=self.temporary) as empty:
            self.run_cells(notebook, empty, timeout)
        if changed := set(self.freeze()) ^ set(self.packages):
            raise Failed(f"the chapter changed other packages: {', '.join(sorted(changed))}")
        return [
            number
            for number, cell in enumerate(notebook.cells, start=1)
            if any(o.get("name") == "stderr" for o in cell.get("outputs", []))
        ]

    def run_cells(self, notebook, folder, timeout):
        started = []
        specs = KernelSpecManager(kernel_dirs=[str(self.kernels)])
        client = NotebookClient(
            notebook,
            km=AsyncKernelManager(kernel_name="fresh", kernel_spec_manager=specs),
            timeout=timeout,
            record_timing=False,
            force_raise_errors=True,
            on_cell_start=lambda cell, cell_index: started.append(cell_index + 1),
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute(env=self.environment, cleanup_kc=True)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
            raise Failed(f"cell {started[-1]} failed\n{ANSI.sub('', str(problem))}") from None


def environment(temporary):
    """The variables of the kernel and of pip: nothing of ours, a stub of Colab, git's detour."""
    startup = temporary / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "colab.py").write_text(COLAB)
    return {
        **{key: value for key, value in os.environ.items() if key not in OURS},
        **ENVIRONMENT,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{snapshot(temporary / 'checkout.git').as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": read_address(),
        "IPYTHONDIR": str(temporary / "ipython"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def snapshot(repository):
    """A new repository with one commit: the files of this checkout as they stand."""
    git = functools.partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
    name = ["-c", "user.name=snapshot", "-c", "user.email=snapshot@localhost"]
    here = ["git", *name, "--git-dir", repository, "--work-tree", ROOT]
    git(["git", "init", "--quiet", "--bare", repository])
    git([*here, "add", "--all"], cwd=ROOT)
    git([*here, "commit", "--quiet", "--no-gpg-sign", "--message", "The checkout as it stands"])
    return repository


def report(fresh, chapter, timeout):
    """Run one chapter, print what came of it, and return whether it is fine."""
    start = time.perf_counter()
    try:
        warned = fresh.execute(chapter, timeout)
        outcome, ok = "ok", True
        if warned:
            outcome += f", but stderr in cells {', '.join(map(str, warned))}"
    except Failed as problem:
        print(f"{chapter}: {problem}", file=sys.stderr)
        outcome, ok = "FAILED", False
    print(f"{time.perf_counter() - start:7.1f} s  {chapter}: {outcome}", flush=True)
    return ok


if __name__ == "__main__":
    sys.exit(main())
