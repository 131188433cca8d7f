"""The offline edition, unzipped and opened from the file system with networking off.

A page must ask for nothing but files that are there, and everything that moves must move.
"""

import re
import zipfile
from urllib.parse import unquote, urlsplit

import offline
import pytest

from tests.book.conftest import ROOT, Visit, toc_files

CHAPTERS = [name for name in toc_files() if not (ROOT / f"{name}.md").exists()]
PAGES = [*toc_files(), "index", "genindex", "py-modindex", "search"]


@pytest.fixture(scope="session")
def archive(built_book, tmp_path_factory):
    path = tmp_path_factory.mktemp("offline") / "offline.zip"
    offline.write_archive(built_book.html, path)
    return path


@pytest.fixture(scope="session")
def folder(archive):
    """The unzipped book, under a name that an address must quote."""
    place = archive.parent / "Bücher für später"
    with zipfile.ZipFile(archive) as file:
        file.extractall(place)
    return place / "lnn-tutorial"


@pytest.fixture(scope="session")
def open_file(browser, folder):
    """A function that opens a page of the unzipped book and notes everything it should not do."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    context.set_offline(True)
    context.route(re.compile(r"^(?!file:|data:|blob:)"), lambda route: route.abort())

    def open_page(name, query=""):
        seen = Visit(context.new_page())

        def on_request(request):
            address = urlsplit(request.url)
            if address.scheme not in ("file", "data", "blob"):
                seen.problems.append(f"asks the network for {request.url}")
            elif address.scheme == "file" and not folder.joinpath(unquote(address.path)).is_file():
                seen.problems.append(f"asks for {address.path}, which is not there")

        def note(text):
            seen.problems.append(text)

        def on_console(message):
            if message.type == "error":
                note(f"console: {message.text}")

        seen.page.on("request", on_request)
        seen.page.on("requestfailed", lambda request: note(f"failed: {request.url[:200]}"))
        seen.page.on("pageerror", lambda error: note(f"page error: {error}"))
        seen.page.on("console", on_console)
        seen.page.goto((folder / f"{name}.html").as_uri() + query, wait_until="load")
        if seen.page.locator(".math").count():
            seen.page.evaluate("async () => { await window.MathJax?.startup?.promise }")
        return seen

    yield open_page
    context.close()


@pytest.fixture(scope="session")
def opened(request, open_file):
    seen = open_file(request.param)
    yield seen
    seen.page.close()


def on(names):
    return pytest.mark.parametrize("opened", names, indirect=True, scope="session")


@on(PAGES)
def test_it_loads_nothing_but_its_own_files(opened):
    opened.page.mouse.wheel(0, 1_000_000)  # lazy pictures load, too
    opened.page.wait_for_load_state("networkidle")
    pictures = opened.page.locator("img").evaluate_all(
        "all => all.filter(e => e.complete && !e.naturalWidth).map(e => e.src.slice(0, 200))"
    )
    assert opened.problems == []
    assert pictures == []


@on(PAGES)
def test_formulas_are_typeset(opened):
    untypeset = opened.page.locator("article .math").evaluate_all(
        "all => all.filter(e => !e.querySelector('mjx-container svg')).map(e => e.textContent)"
    )
    assert untypeset == []
    broken = opened.page.locator("[data-mml-node=merror], mjx-container [fill=red]")
    assert broken.evaluate_all("all => all.map(e => e.outerHTML.slice(0, 200))") == []


@on(CHAPTERS)
def test_a_slider_changes_its_picture(opened):
    player = opened.page.locator(".lnn-player").first
    slider, picture = player.locator("input[type=range]").first, player.locator("img")
    slider.scroll_into_view_if_needed()
    seen = set()
    for key in ("Home", "ArrowRight", "End"):
        slider.press(key)
        seen.add(picture.get_attribute("src"))
    assert len(seen) >= 2


@on(CHAPTERS[:1])
def test_the_player_plays(opened):
    button = opened.page.get_by_role("button", name="Play", exact=True).first
    picture = opened.page.locator(".lnn-player:has(button) img").first
    before = picture.get_attribute("src")
    button.click()
    opened.page.wait_for_function(
        "([e, before]) => e.src != before", arg=[picture.element_handle(), before], timeout=5000
    )


@on(CHAPTERS[:1])
def test_icons_and_the_dark_switch_work(opened):
    assert opened.page.locator(".theme-switch-button svg").count()
    icons = "async () => (await document.fonts.load('900 1em \"Font Awesome 6 Free\"')).length"
    assert opened.page.evaluate(icons) == 1
    switch = opened.page.locator(".theme-switch-button:visible").first
    themes = set()
    for _ in range(3):
        switch.click()
        themes.add(opened.page.locator("html").get_attribute("data-theme"))
    assert themes == {"light", "dark"}


def test_the_start_page_leads_to_the_welcome(open_file):
    seen = open_file("index")
    seen.page.wait_for_url("**/chapters/welcome.html")
    seen.page.locator("article h1").wait_for()
    assert seen.problems == []
    seen.page.close()


def test_search_lists_pages_with_excerpts(open_file, folder):
    seen = open_file("search", "?q=Hessian")
    seen.page.wait_for_function("() => /found \\d+ page/.test(document.body.innerText)")
    results = seen.page.locator("#search-results ul.search > li")
    links = results.locator("a").evaluate_all("all => all.map(e => e.href)")
    assert len(links) >= 3
    for link in links:
        assert folder.joinpath(unquote(urlsplit(link).path)).is_file()
    excerpts = results.locator("p.context").all_inner_texts()
    assert any("hessian" in text.lower() for text in excerpts)
    assert seen.problems == []
    seen.page.close()


def test_it_is_small_and_whole(archive):
    assert archive.stat().st_size <= 20_000_000
    with zipfile.ZipFile(archive) as file:
        assert file.testzip() is None
        names = file.namelist()
    assert {name.split("/")[0] for name in names} == {"lnn-tutorial"}
    assert not [name for name in names if name.endswith(".map")]
    assert [path.name for path in archive.parent.iterdir() if path.suffix == ".part"] == []


CDN = "https://cdn.jsdelivr.net/npm"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (f'<script src="{CDN}/requirejs@2.3.8/require.js"></script>', "requirejs"),
        (f'<script defer src="{CDN}/mathjax@3.2.2/es5/tex-mml-chtml.js"></script>', "mathjax"),
        ('<img alt="" src="//example.org/a.png">', "//example.org/a.png"),
        ('<link href="https://example.org/a.css" rel="stylesheet">', "a.css"),
    ],
)
def test_a_page_that_needs_the_web_is_refused(tmp_path, content, complaint):
    html = tmp_path / "html"
    html.mkdir()
    (html / "index.html").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(complaint)):
        offline.write_archive(html, tmp_path / "book.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["html"]


def test_without_a_book_it_says_what_to_build(tmp_path, monkeypatch):
    monkeypatch.setattr(offline, "HTML", tmp_path)
    assert "make book" in offline.main()
