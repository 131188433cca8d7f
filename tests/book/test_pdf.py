"""What goes to TeX, and what `make pdf` says where TeX is missing. TeX itself is not run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.book.conftest import ROOT, toc_files


@pytest.fixture(scope="session")
def tex(tmp_path_factory):
    """The TeX source of the book, built with every warning an error."""
    output = tmp_path_factory.mktemp("tex")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ROOT, "-W", "-n", "--keep-going", "--builder", "latex"]
    run = subprocess.run([*command, "--path-output", output], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]
    return (output / "_build" / "latex" / "lnn-tutorial.tex").read_text(encoding="utf-8")


def titles(names):
    for name in names:
        path = ROOT / f"{name}.ipynb"
        if path.exists():
            yield re.search(r"(?m)^# (.+)$", nbformat.read(path, as_version=4).cells[0].source)[1]


def test_chapters_have_the_numbers_of_the_web(tex):
    numbered, counts = [], True
    for depth, title in re.findall(r"\\setcounter\{secnumdepth\}\{(.*?)\}|\\chapter\{(.*?)\}", tex):
        if depth:
            counts = int(depth) >= 0
        elif counts:
            numbered.append(title)
    assert numbered == list(titles(n for n in toc_files() if re.match(r"chapters/\d\d_", n)))


def test_a_player_is_a_picture_in_print(tex):
    outputs = [
        output
        for name in toc_files()
        if (ROOT / f"{name}.ipynb").exists()
        for cell in nbformat.read(ROOT / f"{name}.ipynb", as_version=4).cells
        for output in cell.get("outputs", [])
    ]
    players = sum(
        "lnn-player" in str(output.get("data", {}).get("text/html")) for output in outputs
    )
    assert players >= 8
    assert tex.count("(A still. ") == players
    assert "<Player" not in tex and "lnn\\sphinxhyphen{}player" not in tex


def test_without_tex_it_says_what_to_install(tmp_path):
    command = [sys.executable, ROOT / "scripts" / "pdf.py"]
    run = subprocess.run(
        command, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "apt-get install" in run.stderr and "brew install" in run.stderr
    assert "Missing here: make, latexmk, xelatex" in run.stderr
    assert "Traceback" not in run.stderr
