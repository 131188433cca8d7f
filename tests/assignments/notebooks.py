"""The assignments as notebooks: read, answered, handed in, and run in this process."""

import importlib
import warnings

import coursework
import jax
import nbformat
from IPython.core.inputtransformer2 import TransformerManager

NAMES = sorted(path.name for path in coursework.SOURCE.iterdir() if path.is_dir())
FIRST = NAMES[0]
WRONG = {name: importlib.import_module(f"tests.assignments.chapter{i}").WRONG
         for i, name in enumerate(NAMES, 1)}  # fmt: skip
PYTHON = TransformerManager().transform_cell


def source(name):
    return nbformat.read(coursework.SOURCE / name / f"{name}.ipynb", as_version=4)


def settings(cell):
    """What nbgrader knows of a cell."""
    return cell.metadata.get("nbgrader", {})


def grade_id(cell):
    return settings(cell).get("grade_id")


def answered(notebook, answers):
    """A notebook with new sources for some of its cells, by their ids."""
    for cell in notebook.cells:
        if grade_id(cell) in answers:
            cell.source = answers[grade_id(cell)].strip()
    return notebook


def graded_by_tests(notebook, *answers):
    """The tests of a notebook, or of some answers: their names begin with the answer's."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tests = [grade_id(cell) for cell in cells if settings(cell).get("grade")]
    return [test for test in tests if test.startswith(tuple(f"{one}_" for one in answers) or "")]


def failed(notebook, tests):
    """The tests that fail when the cells of a notebook run in this process, one after another.

    As with nbgrader an error ends its cell, and the next one runs. Of the cells that are graded
    only `tests` run.
    """
    namespace, errors = {"__name__": "__main__"}, []
    before = jax.config.jax_enable_x64
    with warnings.catch_warnings(action="ignore"):  # a warning is no error, as in a kernel
        for cell in notebook.cells:
            name, graded = grade_id(cell), settings(cell).get("grade")
            if cell.cell_type != "code" or (graded and name not in tests):
                continue
            try:
                exec(PYTHON(cell.source), namespace)
            except Exception:
                errors += [name] if graded else []
    jax.config.update("jax_enable_x64", before)
    return errors


def hand_in(folder, student, name, notebook):
    place = folder / student
    place.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place / f"{name}.ipynb")
