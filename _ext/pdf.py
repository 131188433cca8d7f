"""The PDF: the start page is a chapter without number, a player is its first picture."""

import re
from html import unescape

from docutils import nodes
from sphinx import addnodes
from sphinx.builders.latex import LaTeXBuilder
from sphinx.transforms.post_transforms import SphinxPostTransform

PLAYER = re.compile(
    r'class="lnn-player".*?<img src="(?P<picture>[^"]*)" alt="(?P<alt>[^"]*)" '
    r'width="(?P<width>\d+)".*?</div>\s*(?:<figcaption>(?P<caption>.*?)</figcaption>)?',
    re.DOTALL,
)
STILL = "(A still. On the book's web page, sliders move this picture.)"


class StillPlayers(SphinxPostTransform):
    """Put a picture and its caption in the place of a player."""

    default_priority = 2  # before myst-nb chooses among the forms of an output
    formats = ("latex",)

    def run(self, **kwargs):
        for page in list(self.document.findall(nodes.raw)):
            if player := PLAYER.search(page.astext()):
                output = page.parent
                while output.get("nb_element") != "mime_bundle":
                    output = output.parent
                output.replace_self(still(player))


def still(player):
    address = player["picture"]
    picture = nodes.image(uri=address, alt=unescape(player["alt"]), candidates={"?": address})
    picture["width"] = f"{player['width']}px"
    caption = nodes.paragraph("", unescape(player["caption"] or "") + " " + STILL)
    return [picture, caption]


def number_chapters(app, book, docname):
    """Give numbers to the chapters that have one on the web, and to no other."""
    if not isinstance(app.builder, LaTeXBuilder):
        return
    root = next(book.findall(nodes.section))
    chapters = [part for part in root if any(part.findall(addnodes.start_of_file))]
    own = [part for part in root[1:] if part not in chapters]
    start_page = nodes.section("", nodes.title("", "Welcome"), *own, ids=["start-page"])
    root[1:] = [numbers(False), start_page, *chapters]
    for chapter in list(book.findall(addnodes.start_of_file)):
        chapter.insert(0, numbers(chapter["docname"] in app.env.toc_secnumbers))


def numbers(shown):
    """LaTeX's depth of numbered sections: two below the chapter, or none at all."""
    depth = 2 if shown else -2
    return nodes.raw("", rf"\setcounter{{secnumdepth}}{{{depth}}}", format="latex")


def setup(app):
    app.add_post_transform(StillPlayers)
    app.connect("doctree-resolved", number_chapters)
    return {"parallel_read_safe": True}
