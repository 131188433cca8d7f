"""Tables of `plots.table` become tables of the book: numbered, and real ones on paper, too."""

import re

from bs4 import BeautifulSoup, NavigableString
from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform


class BookTables(SphinxTransform):
    """Put a table in the place of the HTML that shows it in Jupyter and Colab.

    This happens while pages are read: their labels and numbers are collected right afterwards.
    """

    default_priority = 400

    def apply(self):
        for output in list(self.document.findall(nodes.container)):
            if output.get("nb_element") != "mime_bundle":
                continue
            pages = [part.astext() for part in output if part.get("mime_type") == "text/html"]
            if pages and 'class="lnn-table"' in pages[0]:
                output.replace_self(self.book_table(pages[0]))

    def book_table(self, page):
        source = BeautifulSoup(page, "html.parser").table
        head, body = source.thead.find_all("tr"), source.tbody.find_all("tr")
        kinds = [entry.get("class", []) for entry in head[0].find_all("th")]
        table = nodes.table(classes=["lnn-table"])
        table += nodes.title("", "", *content(source.caption))
        group = nodes.tgroup(cols=len(kinds))
        group += [nodes.colspec(colwidth=1, stub=1)]
        group += [nodes.colspec(colwidth=1) for _ in kinds[1:]]
        group += [nodes.thead("", *map(row, head)), nodes.tbody("", *map(row, body))]
        table += group
        if name := source.get("data-name"):
            table["names"].append(name)
            self.document.note_explicit_target(table)
        else:
            self.document.set_id(table)
        # On paper, words at the left of their column and numbers at the right.
        spec = "".join("R" if "num" in kind else "L" for kind in kinds)
        return [addnodes.tabular_col_spec(spec=spec), table]


def row(source):
    entries = [
        nodes.entry(
            "", nodes.paragraph("", "", *content(entry)), classes=list(entry.get("class", []))
        )
        for entry in source.find_all(["th", "td"])
    ]
    return nodes.row("", *entries)


def content(element):
    """The nodes of what stands in an element. Styles are for Jupyter and Colab: the book has its
    own, by class."""
    found = []
    for child in element.children:
        if isinstance(child, NavigableString):
            found.append(nodes.Text(re.sub("[ \n]+", " ", child)))
        elif child.name == "br":
            found.append(nodes.Text(" "))
        elif "lnn-dot" in child.get("class", []):
            found += dot(child)
        elif child.name in ("strong", "b"):
            found.append(nodes.strong("", "", *content(child), classes=child.get("class", [])))
        else:
            unseen = ["visually-hidden"] if "clip-path" in child.get("style", "") else []
            classes = child.get("class", unseen or [child.name])
            found.append(nodes.inline("", "", *content(child), classes=classes))
    return found


def dot(element):
    """A model's dot in its colour, on the page and on paper."""
    colour = re.search("#([0-9A-Fa-f]{6})", element.get("style", ""))
    paper = rf"\textcolor[HTML]{{{colour[1] if colour else '000000'}}}{{\textbullet}}"
    return [nodes.raw("", str(element), format="html"), nodes.raw("", paper, format="latex")]


def setup(app):
    app.add_transform(BookTables)
    return {"parallel_read_safe": True}
