"""An interactive figure in a live session: a real JupyterLab, a real kernel, a browser.

The cells are those of chapter 1 up to its first figure that plays. A reader runs them all, then
moves the slider and presses the button.
"""

import importlib.util
import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest

from tests.book.conftest import ROOT, skip_or_fail

CHAPTER = ROOT / "chapters" / "01_least_action.ipynb"


def live_notebook():
    """The code of the chapter up to its first player with a button, and no other player."""
    chapter, cells = nbformat.read(CHAPTER, as_version=4), []
    for cell in chapter.cells:
        if cell.cell_type == "code" and "exercise" not in cell.metadata:
            plays = "play=True" in cell.source
            source = cell.source if plays else cell.source.split("plots.interactive(")[0]
            cells.append(nbformat.v4.new_code_cell(source))
            if plays:
                return nbformat.v4.new_notebook(cells=cells, metadata=chapter.metadata)
    raise AssertionError(f"{CHAPTER.name} has no figure that plays")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab, `{}` for a notebook, with no setting of this machine."""
    if importlib.util.find_spec("jupyterlab") is None:
        skip_or_fail("JupyterLab is not installed")
    tmp_path = tmp_path_factory.mktemp("lab")
    work = tmp_path / "work"
    work.mkdir()
    nbformat.write(live_notebook(), work / "live.ipynb")
    nbformat.write(stored_notebook(), work / "stored.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": work,
        "IdentityProvider.token": token,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.news_url": None,
    }
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "IPYTHONDIR": "ipython"}
    places |= {"JUPYTER_RUNTIME_DIR": "runtime", "JUPYTERLAB_SETTINGS_DIR": "settings"}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())],
            cwd=work,
            env={k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "JUPYTER_PATH")}
            | {name: str(tmp_path / folder) for name, folder in places.items()}
            | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/api?token={token}", server, tmp_path / "lab.log")
        yield f"{address}/lab/tree/{{}}?token={token}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:  # it waits for a busy kernel, which will see it gone
            server.kill()
            server.wait()


def stored_notebook():
    """The chapter's first player with its committed output, which nobody has trusted."""
    chapter = nbformat.read(CHAPTER, as_version=4)
    cell = next(cell for cell in chapter.cells if "lnn-player" in str(cell.get("outputs")))
    return nbformat.v4.new_notebook(cells=[cell], metadata=chapter.metadata)


def wait_for(address, server, log, seconds=90):
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-4000:]}", pytrace=False)


@pytest.fixture
def page(browser):
    """An empty page that reaches nothing but this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(180_000)  # for a busy machine; an idle one needs a few seconds
    context.route(re.compile(r"https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    yield context.new_page()
    context.close()


@pytest.fixture
def player(lab, page):
    """The player, after its cells have run in the live session."""
    page.goto(lab.format("live.ipynb"))
    page.locator(".jp-Toolbar-kernelName", has_text="Python 3").wait_for()
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator("[data-command='runmenu:run-all']").click()
    player = page.locator(".lnn-player[data-ready]")
    failed = page.locator(".jp-OutputArea-output[data-mime-type*=error], .jp-Dialog")
    player.or_(failed).first.wait_for()
    assert failed.count() == 0, failed.first.inner_text()
    return player


def picture(player):
    return player.locator("img").get_attribute("src")


def test_a_player_works_in_a_live_session(player):
    slider, shown = player.get_by_role("slider"), player.locator("output")
    slider.press("Home")
    first, text = picture(player), shown.inner_text()
    slider.press("ArrowRight")
    second = picture(player)
    assert second != first and shown.inner_text() != text, "the slider moves no picture"
    slider.press("ArrowLeft")
    assert picture(player) == first and shown.inner_text() == text

    player.get_by_role("button", name="Play").click()
    image = player.locator("img").element_handle()
    player.page.wait_for_function("([img, src]) => img.src != src", arg=[image, first])
    player.get_by_role("button", name="Pause").click()
    assert int(slider.input_value()) > 0 and picture(player) != first
    held = picture(player)
    player.page.wait_for_timeout(1200)  # two frames and more, at two a second
    assert picture(player) == held, "Pause does not stop the player"


def test_a_player_that_nobody_has_trusted_says_why_it_does_not_move(lab, page):
    """JupyterLab shows the stored picture and the sliders, and runs no script of a stranger."""
    page.goto(lab.format("stored.ipynb"))
    picture = page.locator(".jp-OutputArea-output img").first
    picture.wait_for()
    assert page.locator("[data-ready]").count() == 0
    page.get_by_text("choose Trust Notebook").wait_for()
