"""The built book, a server for it and a browser to read it with.

The book is built once a worker, from the committed outputs, in a few seconds. The browser is
the machine's Chromium, and nothing outside the book is reachable. The accessibility checker comes
from npm (`package.json`, exact version). Where Chromium or npm is missing the tests that need them
skip; with `LNN_REQUIRE_BROWSER=1` they fail instead.
"""

import contextlib
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NODE_MODULES = Path(__file__).parent / "node_modules"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def toc_files() -> list[str]:
    """The pages of the book in order, as `_toc.yml` names them (no suffix)."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

    def files(node):
        for chapter in node.get("chapters", []) + node.get("sections", []):
            yield chapter["file"]
            yield from files(chapter)

    parts = toc.get("parts", []) or [toc]
    return [toc["root"], *(name for part in parts for name in files(part))]


def repository_address() -> str:
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def skip_or_fail(reason: str):
    """Skip, or fail where the environment promises a browser."""
    if os.environ.get("LNN_REQUIRE_BROWSER") == "1":
        pytest.fail(f"LNN_REQUIRE_BROWSER=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@dataclass
class Book:
    """A finished build: where the pages are and what the build said."""

    html: Path
    returncode: int
    log: str


@pytest.fixture(scope="session")
def built_book(tmp_path_factory) -> Book:
    """The book as a reader gets it, built with every warning an error."""
    output = tmp_path_factory.mktemp("book")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", ROOT, "-W", "-n", "--keep-going", "--path-output", output]
    run = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "JAX_PLATFORMS": "cpu", "NO_COLOR": "1"},
    )
    log = re.sub(r"\x1b\[[\d;]*m", "", run.stdout + run.stderr)
    html = output / "_build" / "html"
    assert (html / "index.html").exists(), f"no book was built:\n{log[-4000:]}"
    return Book(html, run.returncode, log)


@pytest.fixture(scope="session")
def site(built_book):
    """The address of a local server that serves the built book."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=built_book.html)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def installed_version(name: str) -> str | None:
    manifest = NODE_MODULES / name / "package.json"
    return (
        json.loads(manifest.read_text(encoding="utf-8"))["version"] if manifest.exists() else None
    )


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """The npm packages of `package.json`, installed when they are not there yet."""
    wanted = json.loads(Path(__file__).with_name("package.json").read_text(encoding="utf-8"))
    if all(installed_version(name) == version for name, version in wanted["dependencies"].items()):
        return NODE_MODULES
    npm = shutil.which("npm")
    if npm is None:
        skip_or_fail("npm is not installed")
    command = [npm, "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"]
    run = subprocess.run(command, cwd=NODE_MODULES.parent, capture_output=True, text=True)
    if run.returncode:
        skip_or_fail(f"npm could not install the accessibility checker:\n{run.stderr[-1000:]}")
    return NODE_MODULES


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if chromium is None:
        skip_or_fail("Chromium is not installed")
    playwright_api = pytest.importorskip("playwright.sync_api")
    with playwright_api.sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield chrome
        chrome.close()


@dataclass
class Visit:
    """A page in the browser, and everything that went wrong on it so far."""

    page: object
    problems: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def visit(browser, site):
    """`with visit(path, width=…, scheme=…) as seen:` opens a page and typesets its formulas."""

    @contextlib.contextmanager
    def open_page(path: str, width: int = 1280, scheme: str = "light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
        )
        seen = Visit(context.new_page())

        def note(kind, text):
            seen.problems.append(f"{kind}: {text}")

        def refuse(route):
            note("asks another host", route.request.url)
            route.abort()

        def on_console(message):
            if message.type == "error":
                note("console", f"{message.text} {message.location.get('url', '')}")

        def on_response(response):
            if response.status >= 400:
                note("missing", response.url)

        outside = re.compile(r"https?://(?!127\.0\.0\.1)")
        context.route(outside, refuse)
        seen.page.on("pageerror", lambda error: note("page error", str(error)))
        seen.page.on("console", on_console)
        seen.page.on("response", on_response)
        seen.page.goto(f"{site}/{path}", wait_until="load")
        if seen.page.locator(".math").count():
            seen.page.wait_for_function("() => window.MathJax?.startup?.promise")
            seen.page.evaluate("async () => { await MathJax.startup.promise }")
        yield seen
        context.close()

    return open_page
