"""What `plots.table` shows in a notebook is a table of the book, on the page and in the PDF."""

import nbformat
import pytest
from bs4 import BeautifulSoup
from sphinx.cmd.build import build_main

from lnn_tutorial import plots
from tests.book.conftest import ROOT

CONF = f"""
import sys
sys.path.insert(0, {str(ROOT / "_ext")!r})
project = "Tables"
extensions = ["myst_nb", "tables"]
nb_execution_mode = "off"
numfig = True
"""
HEAD, MEDIAN = "error (%)", "median, worst"


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """A function that builds a book of one notebook with two tables: the file it comes to."""
    source = tmp_path_factory.mktemp("tables")
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    rows = {"plain": {HEAD: [1, 2, 40], "note": "learns < nothing"}, "lnn": {HEAD: [4, 4, 8]}}
    table = plots.table(rows, caption="Errors & all.", best="low", name="tab-errors")
    other = plots.table({"here": {"mass (kg)": 2.5}}, caption="A second one.")
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Title\n\nSee {numref}`tab-errors`."),
            *(nbformat.v4.new_code_cell("...", outputs=[shown(made)]) for made in (table, other)),
        ]
    )
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, source / "index.ipynb")

    def run(builder, name):
        output = tmp_path_factory.mktemp("built") / builder
        assert build_main(["-q", "-W", "-b", builder, str(source), str(output)]) == 0
        return (output / name).read_text(encoding="utf-8")

    return run


def shown(table):
    data = {"text/html": table._repr_html_(), "text/plain": repr(table)}
    return nbformat.v4.new_output("execute_result", data=data, execution_count=1)


def test_on_the_page_it_is_numbered_and_says_what_is_best(build):
    page = BeautifulSoup(build("html", "index.html"), "html.parser")
    first, second = page.select("table.lnn-table")
    assert first.caption.get_text().startswith("Table 1 Errors & all.")
    assert second.caption.get_text().startswith("Table 2 A second one.")
    link = page.select_one("p a.reference")
    assert link.get_text() == "Table 1" and link["href"] == f"#{first['id']}"
    heads = [" ".join(th.get_text().split()) for th in first.select("thead th")]
    assert heads == ["", f"{HEAD} {MEDIAN}", "note"]
    assert [th.get_text().split()[-1] for th in first.select("tbody th")] == ["network"] * 2
    assert [dot["style"].lower() for dot in first.select(".lnn-dot[aria-hidden=true]")] == [
        f"color:{plots.COLOURS[name]}".lower() for name in ("plain", "lnn")
    ]
    assert [best.get_text() for best in first.select("td.num .best")] == ["2"]
    assert [" ".join(w.get_text().split()) for w in first.select("td.num .worst")] == [
        "worst seed 40",
        "worst seed 8",
    ]
    assert first.select("td")[1].get_text() == "learns < nothing"
    assert "lnn_tutorial" not in page.get_text()


def test_in_the_pdf_it_is_a_table_too(build):
    tex = build("latex", "tables.tex")
    assert tex.count(r"\begin{tabulary}") == 2
    assert r"\begin{tabulary}{\linewidth}[t]{LRL}" in tex
    assert r"\sphinxcaption{Errors \& all.}" in tex
    assert r"\sphinxstylestrong{2}" in tex and r"\DUrole{worst}" in tex
    assert tex.count(r"\textbullet") == 2
