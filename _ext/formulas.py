"""MathJax beside the pages: copied from the wheel `django-static-mathjax`, which needs no Django.

So a page asks no other host, and its formulas are typeset with networking off.
"""

import shutil
from pathlib import Path

import mathjax

# The script of every page, and what it loads when a formula, its menu or a screen reader asks.
PARTS = [
    "LICENSE",
    "es5/tex-mml-chtml.js",
    "es5/output",
    "es5/input/tex/extensions",
    "es5/a11y",
    "es5/ui",
    "es5/sre/mathmaps/base.json",
    "es5/sre/mathmaps/en.json",
]


def copy_mathjax(app):
    """Before the pages are written: the address of a script holds its checksum."""
    if app.builder.format != "html":
        return
    for part in PARTS:
        source = Path(mathjax.__path__[0]) / "static" / "mathjax" / part
        target = app.outdir / "_static" / "mathjax" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)


def setup(app):
    app.connect("builder-inited", copy_mathjax)
    return {"parallel_read_safe": True}
