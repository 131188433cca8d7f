"""The bibliography in the order of its authors, each entry under what the text calls it."""

import re

from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as Plain
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting.author_year_title import SortingStyle


class AuthorYear(BaseLabelStyle):
    """“Noether, 1918”, “Kingma and Ba, 2015”, “Curtis et al., 1974”: as the text cites.

    Where that is the same for two of a year, a second name tells them apart.
    """

    def format_labels(self, entries):
        labels = [self.label(entry, 1) for entry in entries]
        for entry, label in zip(entries, labels, strict=True):
            yield label if labels.count(label) == 1 else self.label(entry, 2)

    def label(self, entry, most):
        names = [" ".join(map(str, who.rich_last_names)) for who in entry.persons["author"]]
        if len(names) > max(most, 2):
            names = [", ".join(names[:most]) + " et al."]
        return f"{' and '.join(names)}, {entry.fields['year']}"


class ByAuthor(SortingStyle):
    """By authors, year and title, whatever braces hold their letters together."""

    def sorting_key(self, entry):
        return tuple(re.sub(r"[{}]", "", part) for part in super().sorting_key(entry))


class Style(Plain):
    default_label_style = AuthorYear
    default_sorting_style = ByAuthor


def setup(app):
    register_plugin("pybtex.style.formatting", "by_author", Style)
    return {"parallel_read_safe": True}
