"""The notebook runner: identical bytes twice, and nothing bad is ever written."""

import json

import nbformat
import pytest
import run_notebooks


@pytest.fixture
def notebook(tmp_path):
    """Writes a notebook with the given code cells; random cell ids, as a fresh one has."""

    def write(*sources, name="tiny.ipynb"):
        cells = [nbformat.v4.new_markdown_cell("# Tiny")]
        cells += [nbformat.v4.new_code_cell(source) for source in sources]
        path = tmp_path / name
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return write


def run(path, *options):
    return run_notebooks.main([str(path), *options])


FIGURE = """\
import matplotlib.pyplot as plt
_ = plt.plot([0, 1], [0, 1])"""
SLIDER = """\
import ipywidgets
a, b = ipywidgets.IntSlider(), ipywidgets.IntText()
link = ipywidgets.jslink((a, "value"), (b, "value"))
ipywidgets.VBox([a, b])"""
STREAM = """\
import sys
for i in range(3):
    print(i)
    sys.stdout.flush()"""


def test_second_run_gives_identical_bytes(notebook, capsys):
    path = notebook(STREAM, FIGURE, SLIDER)
    assert run(path) == 0
    first = path.read_bytes()
    assert run(path, "--check") == 0
    assert "unchanged" in capsys.readouterr().out
    assert run(path) == 0
    assert path.read_bytes() == first
    assert list(path.parent.iterdir()) == [path]


def test_result_is_a_function_of_the_source(notebook):
    """Two notebooks of the same source but different random ids become the same file."""
    one, two = (notebook(STREAM, SLIDER, name=name) for name in ("one.ipynb", "two.ipynb"))
    assert one.read_bytes() != two.read_bytes()
    assert run_notebooks.main([str(one), str(two)]) == 0
    assert one.read_bytes() == two.read_bytes()


def test_normal_form(notebook):
    path = notebook(STREAM, "6 * 7")
    document = json.loads(path.read_text())
    document["metadata"] |= {"vscode": {"a": 1}, "title": "kept"}
    document["cells"][0]["id"] = "opening"
    document["cells"][1]["metadata"] = {"scrolled": True, "tags": ["kept"]}
    path.write_text(json.dumps(document))
    assert run(path) == 0

    text = path.read_text()
    assert text.endswith("}\n") and not text.endswith("\n\n")
    document = json.loads(text)
    assert set(document["metadata"]) == {"kernelspec", "language_info", "title"}
    assert document["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in document["metadata"]["language_info"]
    opening, stream, product = document["cells"]
    assert opening["id"] == "opening"
    assert stream["id"].startswith("cell-")
    assert stream["metadata"] == {"tags": ["kept"]}
    assert len(stream["outputs"]) == 1
    assert "".join(stream["outputs"][0]["text"]) == "0\n1\n2\n"
    assert [stream["execution_count"], product["execution_count"]] == [1, 2]


def test_the_tags_say_which_code_a_live_notebook_folds(notebook):
    path = notebook("a = 1", "b = 2", "c = 3", "d = 4")
    document = json.loads(path.read_text())
    _, plain, drawing, bookkeeping, opened = document["cells"]
    drawing["metadata"] = {"tags": ["hide-input"]}
    bookkeeping["metadata"] = {"tags": ["remove-cell", "nbval-ignore-output"]}
    opened["metadata"] = {"cellView": "form", "jupyter": {"source_hidden": True, "kept": 1}}
    path.write_text(json.dumps(document))
    assert run(path) == 0
    _, plain, drawing, bookkeeping, opened = (
        cell["metadata"] for cell in json.loads(path.read_text())["cells"]
    )
    for folded in (drawing, bookkeeping):
        assert folded["cellView"] == "form"
        assert folded["jupyter"] == {"source_hidden": True}
    assert plain == {}
    assert opened == {"jupyter": {"kept": 1}}


def test_equal_cells_get_different_ids(notebook):
    path = notebook("x = 1", "x = 1", "x = 1")
    assert run(path) == 0
    ids = [cell["id"] for cell in json.loads(path.read_text())["cells"]]
    assert len(set(ids)) == len(ids)


def test_the_kernel_runs_beside_the_notebook_on_the_cpu(notebook, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    path = notebook(
        "import os, pathlib\nassert pathlib.Path('tiny.ipynb').exists()",
        "[os.environ.get(k) for k in ('JAX_PLATFORMS', 'PJRT_NPROC', 'TQDM_DISABLE')]",
        "assert os.environ['MPLBACKEND'] != 'agg'",
    )
    assert run(path) == 0
    assert "['cpu', '1', '1']" in path.read_text()


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("print('before')\n1 / 0", "ZeroDivisionError"),
        ("import sys\nprint('careful', file=sys.stderr)", "wrote to stderr"),
        ("import warnings\nwarnings.warn('old')", "wrote to stderr"),
        ("object()", "address in memory"),
        ("import pathlib\nprint(pathlib.Path.home() / 'data')", "path of this machine"),
        ("import sys\nsys.executable", "path of this machine"),
        ("import os\nos._exit(3)", "cell 3 failed"),
    ],
)
def test_a_bad_cell_leaves_the_file_untouched(notebook, capsys, source, reason):
    path = notebook("x = 1", source)
    before = path.read_bytes()
    assert run(path) == 1
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    report = capsys.readouterr()
    assert reason in report.err
    assert "REFUSED" in report.out


def test_a_cell_that_hangs_is_refused(notebook, capsys):
    path = notebook("import time\ntime.sleep(60)")
    before = path.read_bytes()
    assert run(path, "--timeout", "1") == 1
    assert path.read_bytes() == before
    assert "timed out" in capsys.readouterr().err


def test_one_bad_notebook_does_not_stop_the_next(notebook):
    bad, good = notebook("1 / 0", name="bad.ipynb"), notebook("1 + 1", name="good.ipynb")
    assert run_notebooks.main([str(bad), str(good)]) == 1
    assert '"2"' in good.read_text()


def test_check_reports_the_cell_that_would_change(notebook, capsys):
    path = notebook("1 + 1", "print(2)")
    assert run(path) == 0
    path.write_text(path.read_text().replace('"2\\n"', '"3\\n"'))
    before = path.read_bytes()
    assert run(path, "--check") == 1
    assert path.read_bytes() == before
    assert "would change: cells 3" in capsys.readouterr().out


def test_order_of_the_book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chapters").mkdir()
    for name in ("welcome", "02_b", "01_a"):
        (tmp_path / "chapters" / f"{name}.ipynb").touch()
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: chapters/welcome\nparts:\n- caption: One\n  chapters:\n"
        "  - file: chapters/01_a\n    sections:\n    - file: chapters/02_b\n"
        "  - file: chapters/glossary\n"
    )
    names = [path.stem for path in run_notebooks.notebooks_of_toc(tmp_path)]
    assert names == ["welcome", "01_a", "02_b"]


def test_a_missing_notebook_is_named(tmp_path, capsys):
    assert run(tmp_path / "absent.ipynb") == 1
    assert "absent.ipynb" in capsys.readouterr().err
