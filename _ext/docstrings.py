"""Let docstrings write absolute values: Sphinx would read |x| as a substitution."""

import re


def escape_bars(app, what, name, obj, options, lines):
    """Escape every bar outside backticks and doctests."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith(">>>"):
            lines[i] = re.sub(r"(`[^`]*`)|\|", lambda match: match[1] or r"\|", line)


def setup(app):
    app.connect("autodoc-process-docstring", escape_bars)
    return {"parallel_read_safe": True}
