"""Let docstrings write absolute values, tell of fields once, and find the constants of a folder.

Sphinx would read |x| as a substitution. It would list the fields of a named tuple once more, as
"Alias for field number 0". And it looks for the string below a constant only in the file that
`automodule` names: in the `__init__` of a folder, not where the constant stands.
"""

import pkgutil
import re
from importlib import import_module

from sphinx.pycode import ModuleAnalyzer

import lnn_tutorial


def escape_bars(app, what, name, obj, options, lines):
    """Escape every bar outside backticks and doctests."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith(">>>"):
            lines[i] = re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or r"\|", line)


def skip_fields(app, what, name, obj, skip, options):
    """Leave out a named tuple's fields: they stand in its docstring."""
    told = getattr(obj, "__doc__", None) or ""
    return True if told.startswith("Alias for field number") else None


def hand_on_constants(app):
    """Give the strings below the constants of a folder's files to the folder."""
    for folder in pkgutil.iter_modules(lnn_tutorial.__path__, "lnn_tutorial."):
        if not folder.ispkg:
            continue
        whole = ModuleAnalyzer.for_module(folder.name)
        whole.analyze()
        for file in pkgutil.iter_modules(import_module(folder.name).__path__, f"{folder.name}."):
            part = ModuleAnalyzer.for_module(file.name)
            part.analyze()
            whole.attr_docs |= {key: doc for key, doc in part.attr_docs.items() if not key[0]}


def setup(app):
    app.connect("autodoc-process-docstring", escape_bars)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("builder-inited", hand_on_constants)
    return {"parallel_read_safe": True}
