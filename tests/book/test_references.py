"""The bibliography is sorted by author, and an entry begins with what the text calls it."""

import pytest
from pybtex.database import parse_file, parse_string

from _ext.references import Style
from tests.book.conftest import ROOT


def listed(entries):
    return [(entry.label, entry.key) for entry in Style().format_bibliography(entries)]


@pytest.fixture(scope="module")
def book():
    return listed(parse_file(ROOT / "references.bib"))


def test_labels_are_unique_and_in_alphabetical_order(book):
    labels = [label for label, _ in book]
    authors = [label.split(" et al.")[0].split(",")[0].split(" and ")[0] for label in labels]
    assert len(set(labels)) == len(labels) > 40
    assert authors == sorted(authors, key=str.lower)


def test_labels_are_what_the_text_says(book):
    called = {key: label for label, key in book}
    assert called["noether1918invariante"] == "Noether, 1918"
    assert called["kingma2015adam"] == "Kingma and Ba, 2015"
    assert called["curtis1974estimation"] == "Curtis et al., 1974"
    assert called["deepmind2020jax"] == "DeepMind et al., 2020"


def test_two_of_one_year_are_told_apart_by_a_second_name():
    both = "@misc{%s, author = {Ay, A and %s, B and Cee, C}, title = {T}, year = {2020}}"
    found = listed(parse_string(both % ("a", "Bee") + both % ("b", "Dee"), "bibtex"))
    assert found == [("Ay, Bee et al., 2020", "a"), ("Ay, Dee et al., 2020", "b")]
