"""The playground's scripts and weights, copied beside the pages.

Not through `_static`: Jupyter Book loads every script there on every page.
"""

import shutil
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "playground"


def copy(app, exception):
    """Put the folder where `chapters/playground.html` looks for it."""
    if exception is None and app.builder.format == "html":
        shutil.copytree(FOLDER, Path(app.outdir) / FOLDER.name, dirs_exist_ok=True)


def setup(app):
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True}
