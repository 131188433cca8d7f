"""What a reader sees: typeset formulas, working sliders, no error, phone and dark mode, search.

Every page of the built book is opened in headless Chromium (see `conftest.py`): once at desk
width, once at phone width and once in dark mode.
"""

import re

import pytest

from tests.book.conftest import ROOT, toc_files

PAGES = toc_files()
CHAPTERS = [name for name in PAGES if not (ROOT / f"{name}.md").exists()]

# Fixtures of the session with a parameter: pytest groups the tests by page.


@pytest.fixture(scope="session")
def desktop(request, visit):
    with visit(f"{request.param}.html") as seen:
        yield seen


@pytest.fixture(scope="session")
def phone(request, visit):
    with visit(f"{request.param}.html", width=390) as seen:
        yield seen


@pytest.fixture(scope="session")
def dark(request, visit):
    with visit(f"{request.param}.html", scheme="dark") as seen:
        yield seen


def on(fixture, names=PAGES):
    return pytest.mark.parametrize(fixture, names, indirect=True, scope="session")


def violations(seen, node_modules) -> list[str]:
    """What axe-core finds serious or critical."""
    seen.page.add_script_tag(path=node_modules / "axe-core" / "axe.min.js")
    return seen.page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
        .filter(v => ['serious', 'critical'].includes(v.impact))
        .flatMap(v => v.nodes.map(n => `${v.id}: ${n.html.slice(0, 160)} ${n.failureSummary}`))"""
    )


@on("desktop")
def test_formulas_are_typeset(desktop):
    formulas = desktop.page.locator("article .math")
    untypeset = formulas.evaluate_all(
        "all => all.filter(e => !e.querySelector('mjx-container')).map(e => e.textContent)"
    )
    assert not untypeset
    # MathJax marks what it cannot parse as an error, and an unknown command in red.
    broken = desktop.page.locator(
        "mjx-merror, [data-mjx-error], mjx-container [style*='color: red']"
    )
    assert broken.evaluate_all("all => all.map(e => e.parentElement.textContent)") == []


# What a slider may move: the pictures of its player.
PICTURES = """slider => {
  const player = slider.closest('.lnn-player, figure, .cell_output');
  const pictures = [...player.querySelectorAll('img, canvas, svg, video')];
  return JSON.stringify(pictures.map(p => p.tagName == 'CANVAS' ? p.toDataURL() : p.outerHTML));
}"""


@on("desktop", CHAPTERS)
def test_every_slider_changes_its_picture(desktop):
    sliders = desktop.page.locator("article input[type=range]")
    assert sliders.count() >= 1, "a chapter has at least one interactive figure"
    for i in range(sliders.count()):
        slider = sliders.nth(i)
        label = slider.evaluate("s => s.labels?.[0]?.innerText || s.getAttribute('aria-label')")
        assert label, f"slider {i} has no label"
        slider.scroll_into_view_if_needed()
        pictures = set()
        for key in ("Home", "ArrowRight", "End"):
            slider.press(key)
            desktop.page.wait_for_timeout(50)
            pictures.add(slider.evaluate(PICTURES))
        assert len(pictures) >= 2, f"slider {i} ({label}) does not change its picture"


@on("desktop")
def test_every_picture_says_what_it_shows(desktop):
    pictures = desktop.page.locator("article img").evaluate_all(
        "all => all.map(e => [e.alt, e.src.slice(0, 80), !!e.closest('figure')])"
    )
    for alternative, source, in_figure in pictures:
        assert alternative and not re.search(r"\.(png|svg|jpe?g)$", alternative), source
        assert in_figure, f"no caption: {source}"
    captions = desktop.page.locator("article figure").evaluate_all(
        "all => all.map(e => e.querySelector('figcaption')?.innerText.trim() || '')"
    )
    assert all(captions)


@on("desktop")
def test_nothing_goes_wrong(desktop):
    desktop.page.mouse.wheel(0, 1_000_000)  # lazy pictures load, too
    desktop.page.wait_for_load_state("networkidle")
    assert desktop.problems == []


@on("desktop")
def test_everybody_can_read_it(desktop, node_modules):
    found = violations(desktop, node_modules)
    assert not found, "\n".join(found[:10]) + f"\n({len(found)} in all)"


@on("dark")
def test_everybody_can_read_it_in_the_dark(dark, node_modules):
    assert dark.page.locator("html").get_attribute("data-theme") == "dark"
    found = violations(dark, node_modules)
    assert not found, "\n".join(found[:10]) + f"\n({len(found)} in all)"


@on("phone")
def test_everybody_can_read_it_on_a_phone(phone, node_modules):
    found = violations(phone, node_modules)
    assert not found, "\n".join(found[:10]) + f"\n({len(found)} in all)"


@on("phone")
def test_a_phone_needs_no_sideways_scroll(phone):
    wide = phone.page.evaluate("""() => {
      window.scrollTo(1000, 0);
      if (window.scrollX == 0 && document.documentElement.scrollWidth <= 390) return [];
      const clipping = e => /auto|scroll|hidden/.test(getComputedStyle(e).overflowX);
      const clips = e => e && (clipping(e) || clips(e.parentElement));
      return [...document.querySelectorAll('body *')]
        .filter(e => e.getBoundingClientRect().right > 391 && !clips(e.parentElement))
        .map(e => e.outerHTML.slice(0, 200));
    }""")
    assert wide == []
    assert phone.page.evaluate("window.scrollX") == 0


def test_search_finds_euler(visit):
    with visit("search.html?q=Euler") as seen:
        seen.page.wait_for_selector("#search-results li", timeout=10_000)
        assert seen.problems == []


def test_the_start_page_opens_the_book(visit):
    with visit("index.html") as seen:
        seen.page.wait_for_url("**/chapters/welcome.html")
        seen.page.locator("article h1").wait_for()
