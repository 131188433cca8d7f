"""What every committed chapter promises, read from the notebook without running it.

A code cell is of one of four kinds: visible (physics, model, training, measurement), folded
(`hide-input`: set-up, drawing, long tables), bookkeeping (`remove-cell`: our own assertions and
glue), or a piece of an exercise.

`nbval` runs the chapters afresh and compares the outputs; so a check whose committed output
begins with "✗" proves that the stub fails, and a solution that shows "✓" that it passes.
"""

import ast
import html
import json
import re
from itertools import pairwise

import matplotlib.colors
import nbformat
import pytest
import reading_time

from lnn_tutorial import plots
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


FOLDED = {"hide-input", "remove-cell", "exercise-solution"}
EXERCISE = {"exercise-stub", "exercise-check", "exercise-solution"}


def visible_cells(notebook):
    """What a reader of the page sees as code, exercises aside."""
    return [c for c in code_cells(notebook) if not (FOLDED | EXERCISE) & set(tags(c))]


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
            assert "remove-cell" not in tags(cell), cell.source
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
    long = [cell for cell in visible_cells(notebook) if "long-cell" in tags(cell)]
    assert len(long) <= 2, "only the chapter's central functions may be long"
    for cell in code_cells(notebook):
        if "exercise-solution" not in tags(cell):
            most = 40 if cell in long or FOLDED & set(tags(cell)) else 15
            lines = len(cell.source.splitlines())
            assert lines <= most, f"{lines} lines:\n{cell.source}"


@every_notebook
def test_numbers_in_prose_come_from_the_run(notebook):
    glued = {
        name
        for cell in code_cells(notebook)
        for output in cell.outputs
        if (name := output.get("metadata", {}).get("scrapbook", {}).get("name"))
    }
    assert all(re.match(r"(ch\d+|welcome|primer)_", name) for name in glued)
    used = {
        re.split(r"[:<>]", name)[0]
        for name in re.findall(r"\{glue:\w*\}`([^`]+)`", prose(notebook))
    }
    assert used <= glued
    assert glued <= used, "nobody reads these"


# --- Ideas in sight, plumbing out of sight ---------------------------------------------


@every_notebook
def test_code_fits_the_page(notebook):
    for cell in code_cells(notebook):
        for line in cell.source.splitlines():
            assert len(line) <= 76, f"{len(line)} columns: {line}"


COLUMNS = re.compile(r"[^{}]?[<>^]|[+ -]?#?0?[1-9]")
"""The format of a value that is filled up to a width, as columns need it."""


@every_notebook
def test_visible_code_holds_no_plumbing(notebook):
    for cell in visible_cells(notebook):
        tree = ast.parse(re.sub(r"^( *)%.*", r"\1pass", cell.source, flags=re.MULTILINE))
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Assert), f"our own check:\n{cell.source}"
            if isinstance(node, ast.Attribute):
                plumbing = node.attr in ("glue", "ljust", "rjust")
                assert not plumbing, f"{node.attr} in sight:\n{cell.source}"
            if isinstance(node, ast.FormattedValue) and node.format_spec:
                first = node.format_spec.values[:1]
                spec = first[0].value if first and isinstance(first[0], ast.Constant) else ""
                assert not COLUMNS.match(str(spec)), f"columns by hand:\n{cell.source}"


@every_notebook
def test_folded_code_is_folded_in_jupyter_and_colab_too(notebook):
    """The runner sees to it."""
    for cell in code_cells(notebook):
        folded = bool(FOLDED & set(tags(cell)))
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) is folded, cell.source
        assert (cell.metadata.get("cellView") == "form") is folded, cell.source


@every_notebook
def test_bookkeeping_shows_nothing_but_what_it_glues(notebook):
    for cell in code_cells(notebook):
        if "remove-cell" in tags(cell):
            assert cell.source.count("plots.glue(") <= 1, cell.source
            assert "assert" in cell.source or "plots.glue(" in cell.source, cell.source
            for output in cell.outputs:
                assert output.output_type in ("stream", "display_data"), cell.source


@every_chapter
def test_the_reader_predicts_before_surprises(notebook):
    asked = re.findall(r"^\*\*Predict\.\*\*", prose(notebook), re.MULTILINE)
    answer = re.compile(
        r'^<details class="predict"><summary>[^<]+</summary>\n\n.+?\n\n</details>$',
        re.MULTILINE | re.DOTALL,
    )
    answers = answer.findall(prose(notebook))
    assert len(asked) == len(answers) >= 2
    for text in answers:
        assert not re.search(r"\$\$|```|:::", text), "no numbered formula and no code inside"


# --- One figure system -----------------------------------------------------------------


def figures(notebook):
    """(what the picture knows of itself, what is said of it) for each figure and player."""
    for cell in code_cells(notebook):
        about = cell.metadata.get("mystnb", {})
        said = f"{about.get('figure', {}).get('caption')} {about.get('image', {}).get('alt')}"
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                yield output.metadata.get("image/svg+xml", {}).get("figure"), said
            page = output.get("data", {}).get("text/html", "")
            if known := re.search(r'data-figure="([^"]*)"', page):
                caption = re.search(r"<figcaption>(.*?)</figcaption>", page, re.DOTALL)
                alt = re.search(r'alt="([^"]*)"', page)
                said = html.unescape(f"{caption and caption[1]} {alt and alt[1]}")
                yield json.loads(html.unescape(known[1])), said
            else:
                assert "lnn-player" not in page, "an old player: run the chapter anew"


@every_notebook
def test_every_word_in_a_figure_has_nine_points_at_least(notebook):
    for known, said in figures(notebook):
        assert known, f"no SVG: run the chapter anew: {said}"
        if known["smallest_text"] is not None:
            assert known["smallest_text"] >= 9, said
        assert known["inches"] <= 7.7, f"wider than the page: {said}"


NAMES = {
    "lnn": r"Lagrangian|LNN",
    "plain": r"plain",
    "hnn": r"Hamiltonian|HNN",
    "delan": r"DeLaN|deep Lagrangian",
    "hnn_canonical": r"Hamiltonian|HNN|canonical",
    "lgn": r"[Gg]raph|LGN",
}


@every_notebook
def test_the_colour_of_a_model_is_drawn_only_where_the_model_is_named(notebook):
    """In a label, the caption or the alternative text; a single one may be the "learned"."""
    for known, said in figures(notebook):
        alone = "|learned|network" * (len(known["models"]) == 1)
        for model, labels in known["models"].items():
            words = " ".join([*labels, said])
            assert re.search(NAMES[model] + alone, words), f"{model} is not named: {words}"


@every_notebook
def test_colours_have_names(notebook):
    """So that a model's colour is asked for by the model's name, and by nothing else."""
    models = {matplotlib.colors.to_hex(colour) for colour in plots.COLOURS.values()} - {"#000000"}
    for cell in code_cells(notebook):
        assert not re.search(r"[\"'](C\d|tab:\w+)[\"']", cell.source), cell.source
        found = {hexa.lower() for hexa in re.findall(r"#[0-9a-fA-F]{6}\b", cell.source)}
        assert not found & models, cell.source


# --- The start page --------------------------------------------------------------------


def rows(text):
    return [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]


def test_the_start_page_gives_the_true_times():
    page = prose(nbformat.read(ROOT / "chapters/welcome.ipynb", as_version=4))
    counts = {path.name: reading_time.counts(path) for path in reading_time.CHAPTERS}
    table = {
        re.search(r"\((\w+\.ipynb)\)", row[0])[1]: row[-1].strip()
        for row in rows(page.split("## The chapters")[1])
        if ".ipynb)" in row[0]
    }
    assert table == {n: f"{reading_time.with_exercises(c)} min" for n, c in counts.items()}
    for way, chapters, time in rows(page.split("## Ways through")[1].split("## The chapters")[0]):
        links = set(re.findall(r"\((\w+\.ipynb)\)", chapters)) or set(counts)
        if "sections" not in chapters and (hours := re.search(r"(\d+)(½?) hours", time)):
            count = reading_time.with_exercises if "exercises" in time else reading_time.minutes
            minutes = sum(count(counts[name]) for name in links)
            told = 60 * int(hours[1]) + 30 * bool(hours[2])
            assert told == pytest.approx(minutes, rel=0.1), way


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
def test_it_has_enough_exercises(notebook, request):
    least = 2 if "primer" in request.node.name else 3
    assert least <= len(exercises(notebook)) <= 5


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
