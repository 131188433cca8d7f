"""Execute notebooks and write them back in one normal form.

    python scripts/run_notebooks.py                             every notebook of _toc.yml
    python scripts/run_notebooks.py chapters/02_falling_ball.ipynb
    python scripts/run_notebooks.py --check                     write nothing, report changes

Each notebook runs from top to bottom in a fresh kernel on the CPU. Whatever differs between two
runs of the same source (random ids, chunking of streams, timings) is made regular, so that the
bytes of a deterministic notebook are a function of its source and of the pinned packages.

A notebook is left untouched when a cell fails, writes to stderr, or shows a path of this machine
or an address in memory.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
import time
import warnings
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parent.parent

# The thread count changes the last bits of a float32 sum, and training amplifies them.
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu",
    "PJRT_NPROC": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",
}
# Unset: the kernel then chooses the inline backend, and JAX its documented defaults.
UNSET = ("MPLBACKEND", "JAX_ENABLE_X64", "XLA_FLAGS")

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
# What editors leave behind.
TRANSIENT_NOTEBOOK = ("accelerator", "colab", "jupytext", "orig_nbformat", "toc", "vscode")
TRANSIENT_CELL = (
    "ExecuteTime",
    "collapsed",
    "colab",
    "execution",
    "id",
    "lines_to_next_cell",
    "outputId",
    "scrolled",
    "trusted",
    "vscode",
)

# The tags of cells that a live notebook shows closed; the page folds or drops them by itself.
FOLDED = {"hide-input", "hide-cell", "remove-cell", "exercise-solution"}

WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

RANDOM_CELL_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{12})?|[0-9a-f]{32}")
BASE64 = re.compile(r"base64,[A-Za-z0-9+/=\s]+")
ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{7,16}\b")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Refused(Exception):
    """A notebook whose result must not be committed; the text says which cell and why."""


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description="Execute notebooks in a fresh kernel and write them back in one normal form."
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of _toc.yml")
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a change")
    parser.add_argument("--timeout", type=int, default=600, help="seconds a cell may take")
    options = parser.parse_args(arguments)

    notebooks = options.notebooks or notebooks_of_toc(ROOT)
    failed = []
    for path in notebooks:
        start = time.perf_counter()
        try:
            outcome, ok = run(path, check=options.check, timeout=options.timeout)
        except Refused as problem:
            text = str(problem)
            outcome, ok = "REFUSED, file untouched", False
            print(text if sys.stderr.isatty() else ANSI.sub("", text), file=sys.stderr)
        print(f"{time.perf_counter() - start:7.1f} s  {path}: {outcome}", flush=True)
        if not ok:
            failed.append(path)
    return 1 if failed else 0


def notebooks_of_toc(root):
    """The notebooks of `_toc.yml`, in the order of the book."""

    def files(node):
        if isinstance(node, list):
            for item in node:
                yield from files(item)
        elif isinstance(node, dict):
            yield from (node[key] for key in ("root", "file") if key in node)
            for key in ("parts", "chapters", "sections", "subtrees", "entries"):
                yield from files(node.get(key, []))

    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    paths = [
        root / name if name.endswith(".ipynb") else root / f"{name}.ipynb" for name in files(toc)
    ]
    return [Path(os.path.relpath(path)) for path in paths if path.exists()]


def run(path, check=False, timeout=600):
    """Execute one notebook. Returns (what happened, whether that is fine)."""
    if path.suffix != ".ipynb" or not path.is_file():
        raise Refused(f"{path}: expected an existing .ipynb file")
    before = path.read_bytes()
    with warnings.catch_warnings():
        # Missing and duplicate ids are mended by `normalise`.
        warnings.simplefilter("ignore")
        notebook = nbformat.reads(before.decode("utf-8"), as_version=4)
    execute(notebook, path, timeout)
    normalise(notebook)
    inspect(notebook, path)
    after = serialise(notebook)
    if after == before:
        return "unchanged", True
    if check:
        return f"would change: {changes(before, after)}", False
    write_atomically(path, after)
    return "written", True


def execute(notebook, path, timeout):
    environment = {key: value for key, value in os.environ.items() if key not in UNSET}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("widgets", None)
    notebook.metadata["kernelspec"] = dict(KERNELSPEC)
    current = 0

    def began(cell, cell_index):
        nonlocal current
        current = cell_index + 1

    client = NotebookClient(
        notebook,
        kernel_name=KERNELSPEC["name"],
        timeout=timeout,
        record_timing=False,
        on_cell_start=began,
        force_raise_errors=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    try:
        client.execute(env=environment | ENVIRONMENT)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        raise Refused(f"{path}: cell {current} failed\n{problem}") from None


def normalise(notebook):
    """Make whatever differs between two runs regular, in place."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for key in TRANSIENT_NOTEBOOK:
        notebook.metadata.pop(key, None)
    notebook.metadata["kernelspec"] = dict(KERNELSPEC)
    notebook.metadata["language_info"] = dict(LANGUAGE_INFO)
    taken = set()
    for cell in notebook.cells:
        for key in TRANSIENT_CELL:
            cell.metadata.pop(key, None)
        cell["id"] = stable_cell_id(cell, taken)
        taken.add(cell["id"])
        if cell.cell_type == "code":
            fold(cell)
            cell.outputs = merge_streams(cell.outputs)
    stable_widgets(notebook)


def fold(cell):
    """Close the code of a cell in JupyterLab and Colab if its tags say so, and open any other."""
    cell.metadata.pop("cellView", None)
    jupyter = cell.metadata.pop("jupyter", {})
    jupyter.pop("source_hidden", None)
    if FOLDED & set(cell.metadata.get("tags", [])):
        jupyter["source_hidden"] = True
        cell.metadata["cellView"] = "form"
    if jupyter:
        cell.metadata["jupyter"] = jupyter


def stable_cell_id(cell, taken):
    """The cell's own id if a person or this script gave it; else one derived from its source."""
    current = cell.get("id", "")
    if current and current not in taken and not RANDOM_CELL_ID.fullmatch(current):
        return current
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
    name, copy = f"cell-{digest}", 1
    while name in taken:
        copy += 1
        name = f"cell-{digest}-{copy}"
    return name


def merge_streams(outputs):
    """Join neighbouring chunks of one stream: where they are cut depends on timing."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            merged.append(output)
    return merged


def stable_widgets(notebook):
    """Number the widget models in the order of their creation; drop a state that nobody views."""
    state = notebook.metadata.pop("widgets", {}).get(WIDGET_STATE)
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", [])]
    if state is None or not any(WIDGET_VIEW in output.get("data", {}) for output in outputs):
        return
    names = {
        old: hashlib.sha256(f"widget {number}".encode()).hexdigest()[:32]
        for number, old in enumerate(state["state"])
    }
    pattern = re.compile("|".join(map(re.escape, names)))

    def renamed(value):
        text = pattern.sub(lambda match: names[match[0]], json.dumps(value))
        return nbformat.from_dict(json.loads(text))

    notebook.metadata["widgets"] = {WIDGET_STATE: renamed(state)}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [renamed(output) for output in cell.outputs]


def inspect(notebook, path):
    """Refuse outputs that must not be committed."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            where = f"{path}: cell {number}"
            if output.output_type == "stream" and output.name == "stderr":
                raise Refused(f"{where} wrote to stderr:\n{output.text}")
            refuse_machine_facts(shown_text(output), where)
    refuse_machine_facts(json.dumps(notebook.metadata.get("widgets", {})), f"{path}: widget state")


def shown_text(output):
    """All text of an output, without pictures."""
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    return "\n".join(
        value if isinstance(value, str) else json.dumps(value)
        for kind, value in data.items()
        if not kind.startswith("image/") or kind == "image/svg+xml"
    )


def refuse_machine_facts(text, where):
    text = BASE64.sub("", text)
    for place in machine_paths():
        if match := re.search(rf"(?<![\w.]){re.escape(place)}(?![\w-]).{{0,60}}", text):
            raise Refused(f"{where} shows a path of this machine: {match[0]}")
    if match := ADDRESS.search(text):
        raise Refused(f"{where} shows an address in memory: {match[0]}")


def machine_paths():
    places = {str(ROOT), str(Path.home()), sys.prefix, f"{tempfile.gettempdir()}/ipykernel_"}
    return sorted(place for place in places if len(place) > 1)


def serialise(notebook):
    nbformat.validate(notebook)
    return (nbformat.writes(notebook).rstrip("\n") + "\n").encode("utf-8")


def changes(before, after):
    """Which cells differ, by number from 1."""
    old, new = (json.loads(text) for text in (before, after))
    if len(old["cells"]) != len(new["cells"]):
        return "number of cells"
    numbers = [
        str(number)
        for number, pair in enumerate(zip(old["cells"], new["cells"], strict=True), start=1)
        if pair[0] != pair[1]
    ]
    return f"cells {', '.join(numbers)}" if numbers else "metadata or layout of the file"


def write_atomically(path, content):
    """A reader of `path` sees the old file or the new one, never a half."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


if __name__ == "__main__":
    sys.exit(main())
