"""What every committed chapter promises, read from the notebook without running it.

`nbval` runs the chapters afresh and compares the outputs; so a check whose committed output
begins with "✗" proves that the stub fails, and a solution that shows "✓" that it passes.
"""

import ast
import json
import re
from itertools import pairwise

import nbformat
import pytest

from tests.book.conftest import ROOT, repository_address, toc_files

NOTEBOOKS = [name for name in toc_files() if not (ROOT / f"{name}.md").exists()]
CHAPTERS = [name for name in NOTEBOOKS if re.match(r"chapters/(\d\d_|primer$)", name)]

every_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, indirect=True)
every_chapter = pytest.mark.parametrize("notebook", CHAPTERS, indirect=True)


@pytest.fixture
def notebook(request):
    return nbformat.read(ROOT / f"{request.param}.ipynb", as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def tags(cell):
    return cell.metadata.get("tags", [])


def texts(cell):
    """Every text among a cell's outputs; pictures left out."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        for kind, value in output.get("data", {}).items():
            if not kind.startswith("image/"):
                yield value if isinstance(value, str) else json.dumps(value)


# --- A fresh and clean run ------------------------------------------------------------


@every_notebook
def test_it_is_valid(notebook):
    nbformat.validate(notebook)
    identities = [cell.id for cell in notebook.cells]
    assert len(set(identities)) == len(identities)


@every_notebook
def test_it_was_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@every_notebook
def test_no_cell_failed_or_wrote_to_stderr(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", output.text


@every_notebook
def test_no_path_of_a_machine(notebook):
    path = re.compile(
        r"(?<![\w.~<:/-])/(?:home|root|tmp|work|Users|usr|opt|var|content)/\w|[A-Z]:\\Users"
    )
    for cell in notebook.cells:
        written = [cell.source, *(texts(cell) if cell.cell_type == "code" else [])]
        for text in written:
            found = path.search(re.sub(r"base64,[\w+/=]+", "", text))
            assert not found, text[max(0, found.start() - 80) : found.end() + 80]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_is_light(name):
    assert (ROOT / f"{name}.ipynb").stat().st_size <= 1_200_000


# --- What a reader finds --------------------------------------------------------------


@every_notebook
def test_it_opens_with_a_title_and_what_it_takes(notebook):
    opening = notebook.cells[0]
    assert opening.cell_type == "markdown"
    assert opening.source.startswith("# ")
    before_code = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            break
        before_code.append(cell.source)
    assert re.search(r"\b(minutes?|seconds?|s)\b", "\n".join(before_code)), "say how long it runs"


@every_chapter
@pytest.mark.parametrize("heading", ["Summary", "Exercises", "Further reading"])
def test_it_ends_with(notebook, heading):
    assert re.search(rf"^## .*{heading}", prose(notebook), re.MULTILINE | re.IGNORECASE)


@every_chapter
def test_further_reading_cites(notebook):
    end = re.split(r"^## .*further reading", prose(notebook), flags=re.MULTILINE | re.IGNORECASE)[
        -1
    ]
    assert "{cite" in end


@every_notebook
def test_the_setup_cell_comes_first_and_is_guarded(notebook):
    first, *rest = code_cells(notebook)
    guard = (
        "import sys\n\n?"
        r'if "google\.colab" in sys\.modules:' + "\n"
        rf"    %pip install -q git\+{re.escape(repository_address())}(\.git)?" + "\n"
    )
    assert re.match(guard, first.source), first.source
    assert not any("%pip" in cell.source or "!pip" in cell.source for cell in rest)


@every_notebook
def test_every_figure_has_a_caption_and_alternative_text(notebook):
    for cell in code_cells(notebook):
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            about = cell.metadata.get("mystnb", {})
            assert len(about.get("image", {}).get("alt", "")) >= 10, cell.source
            assert len(about.get("figure", {}).get("caption", "")) >= 10, cell.source
            assert about["figure"].get("name", "").startswith("fig-"), cell.source


@every_notebook
def test_something_moves_without_a_kernel(notebook):
    pages = [text for cell in code_cells(notebook) for text in texts(cell)]
    assert any(re.search(r"<input[^>]*type=[\"']?range", text) for text in pages)


@every_notebook
def test_prose_stands_between_cells(notebook):
    """Of those that the page shows: bookkeeping may follow any cell."""
    seen = [cell for cell in notebook.cells if "remove-cell" not in tags(cell)]
    for first, second in pairwise(seen):
        if first.cell_type == second.cell_type == "code":
            pair = "exercise-stub" in tags(first) and "exercise-check" in tags(second)
            assert pair, f"two code cells in a row:\n{first.source}\n---\n{second.source}"


@every_notebook
def test_cells_are_short(notebook):
    setup, *cells = code_cells(notebook)
    long = [cell for cell in cells if "long-cell" in tags(cell)]
    assert len(long) <= 2, "only the chapter's central functions may be long"
    assert all(len(cell.source.splitlines()) <= 40 for cell in [setup, *long])
    for cell in cells:
        if cell not in long and "exercise-solution" not in tags(cell):
            lines = len(cell.source.splitlines())
            folded = {"hide-input", "remove-cell"} & set(tags(cell))
            assert lines <= (40 if folded else 15), f"{lines} lines:\n{cell.source}"


@every_notebook
def test_numbers_in_prose_come_from_the_run(notebook):
    glued = {}
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                glued[name] = cell
    for name in re.findall(r"\{glue:\w*\}`([^`]+)`", prose(notebook)):
        assert re.split(r"[:<>]", name)[0] in glued, name
    for name, cell in glued.items():
        # A reader in Jupyter or Colab sees no glue, so the cell shows the number as well.
        assert re.match(r"(ch\d+|primer|welcome)_", name), name
        shown = [o for o in cell.outputs if "scrapbook" not in o.get("metadata", {})]
        assert shown, f"the cell that glues {name} prints nothing"


# --- Exercises ------------------------------------------------------------------------


def exercises(notebook) -> dict[str, dict]:
    """The pieces of each exercise: {label: {"stub": cell, "check": cell, "solution": cell}}."""
    found = {
        label: {}
        for label in re.findall(
            r"^:{3,}\{exercise\}.*\n:label: +(\S+)", prose(notebook), re.MULTILINE
        )
    }
    for cell in code_cells(notebook):
        for piece in ("stub", "check", "solution"):
            if f"exercise-{piece}" in tags(cell):
                label = cell.metadata.get("exercise")
                assert label in found, f"no exercise for this {piece}:\n{cell.source}"
                assert piece not in found[label], f"{label} has two cells tagged {piece}"
                found[label][piece] = cell
    return found


def called_check(cell) -> str:
    match = re.match(r"checks\.(\w+)\(", cell.source.rstrip().splitlines()[-1])
    assert match, f"the last line calls no check:\n{cell.source}"
    return match[1]


def assigned(cell) -> set[str]:
    """The names that a cell defines."""
    names = set()
    for node in ast.parse(cell.source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            names |= {
                n.id
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            }
    return names


@every_chapter
def test_it_has_up_to_five_exercises(notebook):
    assert 2 <= len(exercises(notebook)) <= 5  # two in the primer


@every_chapter
def test_every_exercise_is_complete(notebook):
    text = prose(notebook)
    assert (
        text.count("{solution-start}") == text.count("{solution-end}") == len(exercises(notebook))
    )
    for label, pieces in exercises(notebook).items():
        assert label.startswith("ex-")
        assert set(pieces) == {"stub", "check", "solution"}, label
        gate = re.search(
            rf"^:{{3,}}\{{solution-start\}} {label}\n((?::\S+:.*\n)*)", text, re.MULTILINE
        )
        assert gate and ":class: dropdown" in gate[1], label


@every_chapter
def test_the_stub_fails_and_the_solution_passes(notebook):
    for label, pieces in exercises(notebook).items():
        check, solution = ("".join(texts(pieces[piece])) for piece in ("check", "solution"))
        assert check.strip().startswith("✗"), f"{label}: the stub shows {check!r}"
        assert "✓" in solution and "✗" not in solution, f"{label}: the solution shows {solution!r}"
        assert called_check(pieces["check"]) == called_check(pieces["solution"]), label
        for piece in ("check", "solution"):
            assert "nbval-ignore-output" not in tags(pieces[piece]), (
                f"{label}: nbval must compare it"
            )


@every_chapter
def test_a_solution_stays_hidden_and_leaves_the_answer_alone(notebook):
    for label, pieces in exercises(notebook).items():
        solution = pieces["solution"]
        assert solution.source.startswith("# @title Solution"), label
        assert solution.metadata.get("cellView") == "form", label
        assert solution.metadata.get("jupyter", {}).get("source_hidden") is True, label
        overwritten = assigned(solution) & assigned(pieces["stub"])
        assert not overwritten, f"{label}: the solution overwrites the reader's {overwritten}"
