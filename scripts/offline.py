"""Write `_build/lnn-tutorial-offline.zip`: the built book, to be read from the file system.

    python scripts/offline.py

The book must have been built; `make offline` does both. The pages' one script from the web,
MathJax, comes from npm, once, in the version of `tests/book/package.json`, and travels along.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
ARCHIVE = ROOT / "_build" / "lnn-tutorial-offline.zip"
PACKAGES = ROOT / "tests" / "book"  # the package.json that the browser tests use, too

NPM_IS_MISSING = """\
The offline edition needs MathJax, which npm installs, and npm is not here. Install it:
  Debian, Ubuntu   apt-get install npm
  macOS            brew install node
  elsewhere        https://nodejs.org"""

MATHJAX = re.compile(r"https://cdn\.jsdelivr\.net/npm/mathjax@([^/]+)/es5/[\w-]+\.js")
# Formulas as SVG: one file draws them, where CHTML needs fonts, which a browser may refuse to
# load from the file system.
SVG_OUTPUT = "es5/tex-svg.js"
MATHJAX_FILES = [SVG_OUTPUT, "es5/input/tex/extensions", "LICENSE"]

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


def main():
    if not (HTML / "index.html").exists():
        return "There is no built book in _build/html. Build it first: make book"
    try:
        mathjax = install_mathjax()
        write_archive(HTML, mathjax, ARCHIVE)
    except (OSError, ValueError) as error:
        return str(error)
    print(f"{ARCHIVE.relative_to(ROOT)}: {ARCHIVE.stat().st_size / 1e6:.1f} MB")


def install_mathjax():
    """The folder of MathJax in the version of `package.json`; npm fetches what is not there.

    Raises FileNotFoundError without npm, OSError when npm fails.
    """
    wanted = json.loads((PACKAGES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    mathjax = PACKAGES / "node_modules" / "mathjax"
    if (mathjax / SVG_OUTPUT).exists() and version(mathjax) == wanted["mathjax"]:
        return mathjax
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(NPM_IS_MISSING)
    command = [npm, "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
    run = subprocess.run(command, cwd=PACKAGES, capture_output=True, text=True)
    if run.returncode:
        raise OSError(f"npm could not install MathJax:\n{run.stderr[-1000:]}")
    return mathjax


def version(package):
    return json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]


def write_archive(html, mathjax, archive):
    """Zip the book of `html` so that its pages load nothing from the web.

    The archive appears under its name when it is whole. Raises ValueError when a page loads
    something else from the web than MathJax, or another version than the one in `mathjax`.
    """
    folder = Path("lnn-tutorial")
    skipped = {path for pattern in UNREAD for path in html.rglob(pattern)}
    part = archive.with_name(f".{archive.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
            for path in sorted(html.rglob("*")):
                if path.is_file() and not skipped.intersection([path, *path.parents]):
                    name = path.relative_to(html)
                    file.writestr(str(folder / name), adapt(path, name, version(mathjax)))
            file.writestr(str(folder / "_static" / "page_texts.js"), page_texts(html))
            for name in MATHJAX_FILES:
                source = mathjax / name
                for path in [source] if source.is_file() else sorted(source.rglob("*.js")):
                    file.write(path, folder / "_static/mathjax" / path.relative_to(mathjax))
        os.replace(part, archive)
    finally:
        part.unlink(missing_ok=True)


def adapt(path, name, mathjax_version):
    """The bytes of a file of the book as the archive holds them."""
    content = path.read_bytes()
    if path.suffix == ".html":
        page = adapt_page(content.decode(), "../" * (len(name.parts) - 1), mathjax_version)
        if found := LOADS.search(page):
            raise ValueError(f"{name} loads {found[1] or found[2]}; only MathJax is packed")
        return page.encode()
    if path.name == "all.min.css":  # Font Awesome
        fonts = path.parent.parent / "webfonts"
        style = OLD_NAMES.sub("", content.decode())
        return WEB_FONT.sub(lambda font: inline(fonts / font[1]), style).encode()
    return content


def adapt_page(page, root, mathjax_version):
    """A page that finds MathJax, and on the search page the texts, beside it; `root` leads up."""
    for address in MATHJAX.finditer(page):
        if address[1] != mathjax_version:
            raise ValueError(
                f"the pages load MathJax {address[1]} (mathjax_path in _config.yml), but "
                f"tests/book/package.json has {mathjax_version}"
            )
    page = MATHJAX.sub(f"{root}_static/mathjax/{SVG_OUTPUT}", page)
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
