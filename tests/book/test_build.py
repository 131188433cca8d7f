"""The book builds without a warning, is complete, and its pages stay light."""

import zlib

import pytest
from bs4 import BeautifulSoup

from tests.book.conftest import ROOT, repository_address, toc_files

MEGABYTE = 1_000_000


def test_it_builds_without_a_warning(built_book):
    complaints = [
        line for line in built_book.log.splitlines() if "WARNING" in line or "ERROR" in line
    ]
    assert not complaints, "\n".join(complaints)
    assert built_book.returncode == 0, built_book.log[-4000:]


def read(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_the_start_page_leads_to_the_welcome_and_says_what_it_is(built_book):
    page = read(built_book.html / "index.html")
    assert page.select_one("meta[http-equiv=refresh]")["content"] == "0; url=chapters/welcome.html"
    assert "Lagrangian Neural Networks" in page.title.get_text()
    assert page.select_one("meta[name=description]")["content"]


def test_a_missing_page_leads_back_by_whole_addresses(built_book):
    links = [a["href"] for a in read(built_book.html / "404.html").select("a")]
    assert links and all(link.startswith("https://") for link in links)
    for link in links:
        assert (built_book.html / link.split("/", 4)[4]).exists()


@pytest.mark.parametrize("name", ["index", *toc_files()])
def test_a_shared_link_shows_title_site_and_picture(built_book, name):
    page = read(built_book.html / f"{name}.html")
    tags = {tag.get("property") or tag.get("name"): tag.get("content") for tag in page("meta")}
    assert tags["og:title"] and tags["og:description"]
    assert tags["og:site_name"] == "Lagrangian Neural Networks"
    assert tags["og:image"].endswith("_static/preview.png")
    assert tags["twitter:card"] == "summary_large_image"


@pytest.mark.parametrize("name", toc_files())
def test_every_page_exists_and_is_light(built_book, name):
    page = built_book.html / f"{name}.html"
    pictures = {tag["src"] for tag in read(page).select("article img[src*=_images]")}
    parts = [page, *(page.parent / source for source in pictures)]
    assert page.stat().st_size <= MEGABYTE
    # As web servers send it, with its pictures.
    assert sum(len(zlib.compress(part.read_bytes())) for part in parts) <= MEGABYTE


@pytest.mark.parametrize("name", toc_files())
def test_no_table_stands_there_as_raw_text(built_book, name):
    paragraphs = read(built_book.html / f"{name}.html").select("article p")
    assert len(paragraphs) > 3
    broken = [p.get_text()[:80] for p in paragraphs if p.get_text().lstrip().startswith("|")]
    assert broken == []


def test_nothing_of_the_machine_stands_in_the_pages(built_book):
    for page in built_book.html.rglob("*.html"):
        assert str(ROOT) not in page.read_text(encoding="utf-8"), page.name


@pytest.mark.parametrize("name", [f for f in toc_files() if not (ROOT / f"{f}.md").exists()])
def test_a_chapter_opens_in_colab_and_binder_and_leads_to_its_source(built_book, name):
    page = (built_book.html / f"{name}.html").read_text(encoding="utf-8")
    address = repository_address()
    owner = address.removeprefix("https://github.com/")
    for link in (
        f"https://colab.research.google.com/github/{owner}/blob/main/{name}.ipynb",
        f"https://mybinder.org/v2/gh/{owner}/main?urlpath=tree/{name}.ipynb",
        f"{address}/issues/new",
        address,
    ):
        assert f'href="{link}' in page
