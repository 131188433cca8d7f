"""The book builds without a warning, is complete, and its pages stay light."""

import pytest
from bs4 import BeautifulSoup

from tests.book.conftest import ROOT, toc_files

MEGABYTE = 1_000_000


def test_it_builds_without_a_warning(built_book):
    complaints = [
        line for line in built_book.log.splitlines() if "WARNING" in line or "ERROR" in line
    ]
    assert not complaints, "\n".join(complaints)
    assert built_book.returncode == 0, built_book.log[-4000:]


def test_the_start_page_leads_to_the_welcome(built_book):
    assert "chapters/welcome.html" in (built_book.html / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", toc_files())
def test_every_page_exists_and_is_light(built_book, name):
    page = built_book.html / f"{name}.html"
    assert page.exists()
    assert page.stat().st_size <= 2 * MEGABYTE


@pytest.mark.parametrize("name", toc_files())
def test_no_table_stands_there_as_raw_text(built_book, name):
    page = (built_book.html / f"{name}.html").read_text(encoding="utf-8")
    paragraphs = BeautifulSoup(page, "html.parser").select("article p")
    assert len(paragraphs) > 3
    broken = [p.get_text()[:80] for p in paragraphs if p.get_text().lstrip().startswith("|")]
    assert broken == []


def test_nothing_of_the_machine_stands_in_the_pages(built_book):
    for page in built_book.html.rglob("*.html"):
        assert str(ROOT) not in page.read_text(encoding="utf-8"), page.name
