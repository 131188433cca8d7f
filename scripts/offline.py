"""Write `_build/lnn-tutorial-offline.zip`: the built book, to be read from the file system.

    python scripts/offline.py

The book must have been built; `make offline` does both. The built pages need no network, but a
server: from a file, browsers load no fonts and answer no search. What travels here needs neither.
"""

import base64
import json
import os
import re
import sys
import zipfile
from pathlib import Path

import mathjax
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
ARCHIVE = ROOT / "_build" / "lnn-tutorial-offline.zip"

SCRIPT = re.compile(r"(_static/mathjax/es5/)tex-mml-chtml\.js(?:\?v=\w+)?")
# Formulas as SVG: one file draws them, where CHTML needs fonts, which a browser may refuse to
# load from the file system.
MATHJAX = Path(mathjax.__path__[0]) / "static" / "mathjax"
MATHJAX_FILES = ["LICENSE", "es5/tex-svg.js", "es5/input/tex/extensions"]

LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*?\ssrc="((?:https?:)?//[^"]*)"
    |<link\b(?=[^>]*\brel="(?:stylesheet|preload|icon)")[^>]*?\shref="((?:https?:)?//[^"]*)\"""",
    re.VERBOSE,
)
OPTIONS = 'window.MathJax = {"options": {'
PRELOADS = re.compile(r'<link rel="preload"[^>]*>\n?')
OLD_NAMES = re.compile(r"@font-face\{[^}]*font-family:Font(?:Awesome| Awesome\\ 5)[^}]*\}")
WEB_FONT = re.compile(r"url\(\.\./webfonts/([\w-]+\.woff2)\)")
UNREAD = ["*.map", "objects.inv", ".buildinfo", "*.ttf", "*.woff2", "locales"]
UNREAD += ["404.html", "mathjax"]  # of MathJax only what is named above


def main():
    if not (HTML / "index.html").exists():
        return "There is no built book in _build/html. Build it first: make book"
    try:
        write_archive(HTML, ARCHIVE)
    except (OSError, ValueError) as error:
        return str(error)
    print(f"{ARCHIVE.relative_to(ROOT)}: {ARCHIVE.stat().st_size / 1e6:.1f} MB")


def write_archive(html, archive):
    """Zip the book of `html` so that its pages load nothing from the web.

    The archive appears under its name when it is whole. Raises ValueError when a page loads
    something from the web.
    """
    folder = Path("lnn-tutorial")
    skipped = {path for pattern in UNREAD for path in html.rglob(pattern)}
    part = archive.with_name(f".{archive.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
            for path in sorted(html.rglob("*")):
                if path.is_file() and not skipped.intersection([path, *path.parents]):
                    name = path.relative_to(html)
                    file.writestr(str(folder / name), adapt(path, name))
            file.writestr(str(folder / "_static" / "page_texts.js"), page_texts(html))
            for name in MATHJAX_FILES:
                source = MATHJAX / name
                for path in [source] if source.is_file() else sorted(source.rglob("*.js")):
                    file.write(path, folder / "_static/mathjax" / path.relative_to(MATHJAX))
        os.replace(part, archive)
    finally:
        part.unlink(missing_ok=True)


def adapt(path, name):
    """The bytes of a file of the book as the archive holds them."""
    content = path.read_bytes()
    if path.suffix == ".html":
        page = adapt_page(content.decode(), "../" * (len(name.parts) - 1))
        if found := LOADS.search(page):
            raise ValueError(f"{name} loads {found[1] or found[2]} from the web")
        return page.encode()
    if path.name == "all.min.css":  # Font Awesome
        fonts = path.parent.parent / "webfonts"
        style = OLD_NAMES.sub("", content.decode())
        return WEB_FONT.sub(lambda font: inline(fonts / font[1]), style).encode()
    return content


def adapt_page(page, root):
    """A page that draws formulas as SVG and finds the texts to search; `root` leads up."""
    page = SCRIPT.sub(r"\1tex-svg.js", page)
    # MathJax's menu could ask for parts that are not there, and remembers what it was asked.
    page = page.replace(OPTIONS, OPTIONS + '"enableMenu": false, ')
    page = PRELOADS.sub("", page)
    search = f'<script src="{root}_static/searchtools.js"></script>'
    texts = f'<script src="{root}_static/page_texts.js"></script>\n  '
    return page.replace(search, texts + search)


def inline(font):
    """A font as a part of its style sheet: browsers may refuse to load one from a file."""
    return f"url(data:font/woff2;base64,{base64.b64encode(font.read_bytes()).decode()})"


def page_texts(html):
    """A script with the texts of all pages: the search shows excerpts, and cannot fetch a file."""
    texts = {}
    for path in sorted(html.glob("chapters/*.html")):
        article = BeautifulSoup(path.read_bytes(), "html.parser").select_one("[role=main]")
        for element in article.select("script, style, .headerlink"):
            element.decompose()
        for element in article.find_all(id=False, role=False):
            element.unwrap()
        texts["./" + path.relative_to(html).as_posix()] = str(article)
    return f"""const pageTexts = {json.dumps(texts, ensure_ascii=False)};
window.fetch = async (address) => ({{ text: async () => pageTexts[address] ?? "" }});
"""


if __name__ == "__main__":
    sys.exit(main())
