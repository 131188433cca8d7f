"""The package has one direction: a module imports only from before it, and importing is free."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import lnn_tutorial

FOLDER = Path(lnn_tutorial.__file__).parent
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


def test_every_module_is_named_in_the_order_and_imports_only_from_before():
    files = [*FOLDER.glob("*.py"), *FOLDER.glob("*/*.py")]
    for path in files:
        name = path.parent.name if path.parent != FOLDER else path.stem
        if name in ("__init__", "_player"):
            continue
        before = ORDER[: ORDER.index(name) + (path.parent != FOLDER)]
        assert imported(path) - {"_player"} <= set(before), name


def test_numerics_know_nothing_of_figures_and_checks():
    numerics = ORDER[: ORDER.index("plots")]
    for name in numerics:
        assert not imported(FOLDER / f"{name}.py") & {"plots", "checks"}


def test_the_import_changes_no_setting_of_jax_and_starts_no_backend():
    script = (
        "import jax, jax._src.xla_bridge as bridge; before = dict(jax.config.values)\n"
        f"from lnn_tutorial import {', '.join(ORDER[1:-1])}\n"
        "assert dict(jax.config.values) == before\n"
        "assert not bridge._backends, 'a computation at import'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
