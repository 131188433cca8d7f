"""The look of the pages, measured in Chromium: nothing cut, lines one can read, ideas in sight.

Each page is opened once and then given the widths of a desk (1440 and 1280 px) and of a phone
(390 px). "Cut" means that something is wider than its box; what scrolls must show an edge.
"""

import re

import pytest

from lnn_tutorial import plots
from tests.book.conftest import ROOT, toc_files

PAGES = toc_files()
CHAPTERS = [name for name in PAGES if not (ROOT / f"{name}.md").exists()]
FIRST = ["chapters/01_least_action"]
WIDTHS = (1440, 1280, 390)

MEASURE = """() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const seen = e => e.checkVisibility({visibilityProperty: true}) && e.offsetHeight > 0;
  const cut = e => e.scrollWidth > e.clientWidth + 1;
  const text = e => e.textContent.trim().slice(0, 70);
  const article = document.querySelector('article');
  const code = all('article div.cell_input').filter(seen);
  // Lines may wrap on a phone, where 76 columns do not fit, but on no desk.
  const lines = pre => pre.textContent.replace(/\\n$/, '').split('\\n').length;
  const wrapped = pre => {
    const style = getComputedStyle(pre);
    const padding = parseFloat(style.paddingTop) + parseFloat(style.paddingBottom);
    return Math.round((pre.clientHeight - padding) / parseFloat(style.lineHeight)) > lines(pre);
  };
  const printed = 'article div.cell_output :is(pre, .output:not(:has(figure, table)))';
  const boxes = all(printed).filter(seen);
  const tables = all('article .pst-scrollable-table-container').filter(seen);
  const formulas = all('article :is(div.math, mjx-container[display=true])').filter(seen);
  const prose = all('article section > p').filter(p => seen(p) && !p.querySelector('.math')
    && p.textContent.length > 200);
  // A paragraph's last line is half full.
  const height = p => p.offsetHeight / parseFloat(getComputedStyle(p).lineHeight) - 0.5;
  const total = f => prose.reduce((sum, p) => sum + f(p), 0);
  const pictures = all('article figure img').filter(seen);
  const edge = e => e.dataset.more && getComputedStyle(e).boxShadow != 'none' && e.tabIndex == 0;
  const first = all('article figure').find(seen)?.getBoundingClientRect();
  return {
    code: code.map(e => e.innerText),
    codeCut: all('article div.highlight pre').filter(e => seen(e) && cut(e)).map(text),
    codeWrapped: code.filter(e => all('pre', e).some(wrapped)).map(text),
    codeShare: code.reduce((sum, e) => sum + e.offsetHeight, 0) / article.offsetHeight,
    outputs: boxes.length,
    outputsCut: boxes.filter(cut).map(text),
    tablesCut: tables.filter(cut).filter(e => !edge(e) || getComputedStyle(
      e.querySelector('tbody tr > :first-child')).position != 'sticky').map(text),
    formulasCut: formulas.filter(e => cut(e) && !edge(e)).map(text),
    formulasWide: formulas.filter(cut).length,
    line: prose.length < 4 ? null : total(p => p.textContent.length) / total(height),
    letters: pictures.map(e => e.getBoundingClientRect().width
      / (+e.getAttribute('width') || e.naturalWidth)),
    figure: first && first.top + window.scrollY,
  };
}"""


@pytest.fixture(scope="session")
def looked(request, visit):
    """A page at a desk, and what was measured on it at each width."""
    with visit(f"{request.param}.html", width=WIDTHS[0]) as seen:
        found = {}
        for width in WIDTHS:
            seen.page.set_viewport_size({"width": width, "height": 900})
            # What follows a resize is done in the second frame.
            seen.page.evaluate(
                "() => new Promise(go => requestAnimationFrame(() => setTimeout(go, 60)))"
            )
            found[width] = seen.page.evaluate(MEASURE)
        seen.page.set_viewport_size({"width": 1280, "height": 900})
        yield seen.page, found


def on(names):
    return pytest.mark.parametrize("looked", names, indirect=True, scope="session")


@on(PAGES)
def test_no_code_is_cut(looked):
    for width, found in looked[1].items():
        assert found["codeCut"] == [], width
    assert looked[1][1440]["codeWrapped"] == looked[1][1280]["codeWrapped"] == []


@on(PAGES)
def test_no_output_is_cut(looked):
    for width, found in looked[1].items():
        assert found["outputsCut"] == [], width


@on(PAGES)
def test_a_wide_table_keeps_its_first_column_and_shows_an_edge(looked):
    for width, found in looked[1].items():
        assert found["tablesCut"] == [], width


@on(PAGES)
def test_a_wide_formula_shows_an_edge(looked):
    found = looked[1]
    assert found[1440]["formulasWide"] == found[1280]["formulasWide"] == 0
    assert found[390]["formulasCut"] == []


@on(PAGES)
def test_lines_of_prose_have_65_to_80_characters(looked):
    line = looked[1][1440]["line"]  # none on a page that is all tables
    assert line is None or 65 <= line <= 80


@on(PAGES)
def test_words_in_figures_are_legible_on_a_phone(looked):
    # The smallest words of a figure have 9.5 points.
    for scale in looked[1][390]["letters"]:
        assert scale * 9.5 * 96 / 72 >= 9 - 0.1


@on(CHAPTERS)
def test_a_chapter_opens_with_a_picture(looked):
    # A good part of it, 200 px, stands on the first screen.
    assert looked[1][1280]["figure"] <= 900 - 200


@on(CHAPTERS)
def test_visible_code_is_at_most_18_percent_of_a_chapter(looked):
    assert looked[1][1280]["codeShare"] <= 0.18


@on(PAGES)
def test_no_bookkeeping_in_sight(looked):
    lines = "\n".join(looked[1][1280]["code"]).splitlines()
    bookkeeping = [
        x for x in lines if re.search(r"\bglue\(|^\s*assert\b|\{[^{}]*:[<>^]?\d+[^{}]*\}", x)
    ]
    assert bookkeeping == []


@on(CHAPTERS)
def test_a_click_on_the_title_opens_a_solution(looked):
    page, _ = looked
    for title in page.locator(".solution > .admonition-title").all():
        box = title.bounding_box()
        page.mouse.move(0, 0)
        title.click(position={"x": 40, "y": box["height"] / 2})
        assert title.locator("button").get_attribute("aria-expanded") == "true"
        title.click(position={"x": 40, "y": box["height"] / 2})
        assert title.locator("button").get_attribute("aria-expanded") == "false"


@on(FIRST)
def test_the_keyboard_is_soon_at_the_first_slider(looked):
    # Counted from the top of the page: the link that skips to the article, then every stop in it.
    page, _ = looked
    page.locator("#pst-skip-link a").first.focus()
    page.keyboard.press("Enter")
    stops = 1
    while page.evaluate("document.activeElement.type != 'range'") and stops < 100:
        page.keyboard.press("Tab")
        stops += 1
    assert stops <= 15


@on(FIRST)
def test_a_link_skips_to_the_chapters(looked):
    page, _ = looked
    link = page.get_by_role("link", name="Skip to the chapters")
    link.focus()
    link.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('.bd-sidebar-primary')")


def luminance(colour):
    channels = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    """As WCAG 2 defines it."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@on(FIRST)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_coloured_words_can_be_read_and_have_the_colours_of_the_figures(looked, theme):
    page, _ = looked
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    words = page.evaluate(
        """names => names.map(name => {
          const word = document.createElement('span');
          word.className = `lnn-word ${name}`;
          document.querySelector('article p').append(word);
          const style = getComputedStyle(word);
          const colours = [style.color, style.getPropertyValue('--lnn-dot')];
          word.remove();
          return colours;
        })""",
        list(plots.COLOURS),
    )
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert len({word for word, _ in words}) == len(plots.COLOURS)
    for (word, dot), (name, colour) in zip(words, plots.COLOURS.items(), strict=True):
        assert contrast(word, paper) >= 4.5, name
        if name != "truth":  # which has the colour of the text
            assert dot.upper() == colour


@on(FIRST)
def test_the_dark_leaves_figures_as_they_are(looked):
    page, _ = looked
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    picture = page.locator("article figure img").first
    style = picture.evaluate(
        "e => [getComputedStyle(e).filter, getComputedStyle(e).backgroundColor]"
    )
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert style == ["none", "rgb(255, 255, 255)"]


@on(FIRST)
def test_paper_gets_all_the_code_in_dark_ink(looked):
    page, _ = looked
    page.set_viewport_size({"width": 700, "height": 990})  # A4
    page.emulate_media(media="print")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    lines = page.evaluate(
        """() => [...document.querySelectorAll('article pre')].filter(e => e.checkVisibility())
          .map(e => [e.scrollWidth - e.clientWidth, getComputedStyle(e).color])"""
    )
    inks = page.evaluate(
        """() => [...document.querySelectorAll('article p, article pre span')]
          .map(e => getComputedStyle(e).color)"""
    )
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert lines and all(over <= 1 for over, _ in lines)
    assert min(contrast(ink, "255 255 255") for ink in inks) >= 4.5


@pytest.mark.parametrize("name", ["genindex", "404"])
def test_a_page_without_source_fits_a_phone(visit, name):
    with visit(f"{name}.html", width=390) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert seen.problems == []
