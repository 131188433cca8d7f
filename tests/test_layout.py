"""The package has one direction: a module imports only from before it, and importing is free."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import lnn_tutorial

FOLDER = Path(lnn_tutorial.__file__).parent
GUIDE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
ORDER = ["_inputs", *re.findall(r"`(\w+)`", lnn_tutorial.__doc__), "__main__"]


def imported(path):
    """The modules of the package that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "lnn_tutorial":
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lnn_tutorial."):
            found.add(node.module.split(".")[1])
    return found


def files(name):
    """The files of a module: one, or those of a folder."""
    return (
        [FOLDER / f"{name}.py"] if (FOLDER / f"{name}.py").exists() else FOLDER.glob(f"{name}/*.py")
    )


def test_every_module_is_named_in_the_order_and_imports_only_from_before():
    found = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    found |= {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    assert found == set(ORDER)
    for place, name in enumerate(ORDER):
        for path in files(name):
            before = ORDER[: place + (path.parent != FOLDER)]  # a folder's files know each other
            assert imported(path) <= set(before), path


def test_a_file_fits_in_one_sitting():
    """At twenty lines a minute, in 25 minutes; a longer file becomes a folder."""
    for path in FOLDER.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 500, path


def test_numerics_know_nothing_of_figures_and_checks():
    for name in ORDER[: ORDER.index("plots")]:
        for path in files(name):
            assert not imported(path) & {"plots", "checks"}, path


def test_the_guide_lists_the_modules_in_their_order():
    listed = GUIDE.split("## Find your way")[1].split("Three walks")[0]
    assert re.findall(r"^\| `(\w+)/?` \|", listed, re.MULTILINE) == ORDER[1:-1]


def test_the_walks_of_the_guide_lead_where_they_say():
    """The file that a step names defines whatever else it names."""
    walks = GUIDE.split("Three walks")[1].split("\n## ")[0]
    steps = re.findall(r"^\d\. `([\w/]+\.py)`: ((?:.+\n)+?)(?=\d\. |\n|\Z)", walks, re.MULTILINE)
    assert len(steps) == len(re.findall(r"^\d\. ", walks, re.MULTILINE)) > 6
    for file, step in steps:
        text = (FOLDER / file).read_text(encoding="utf-8")
        for name in re.findall(r"`(\w+)`", step):
            assert re.search(rf"^ *(def|class) {name}\b|^{name} = ", text, re.MULTILINE), (
                file,
                name,
            )


def test_the_import_changes_no_setting_of_jax_and_starts_no_backend():
    script = (
        "import jax, jax._src.xla_bridge as bridge; before = dict(jax.config.values)\n"
        f"from lnn_tutorial import {', '.join(ORDER[1:-1])}\n"
        "assert dict(jax.config.values) == before\n"
        "assert not bridge._backends, 'a computation at import'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
