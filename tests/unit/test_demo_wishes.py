"""Texts written anew when a chip is taken away or a swatch is picked."""

from __future__ import annotations

import pytest

from fashify.demo.wishes import SWATCHES, drop_term, switch_colour
from fashify.errors import QueryError
from fashify.text.meaning import understand


def test_dropping_each_term() -> None:
    meaning = understand("red floral dress, not striped")
    found = [drop_term(meaning, n) for n in range(4)]
    assert found == [
        "floral dress, not striped",
        "red dress, not striped",
        "red floral, not striped",
        "red floral dress",
    ]


def test_the_text_left_means_the_same() -> None:
    """Whatever the order, a negative stays one and takes no other word with it."""
    meaning = understand("not blue or striped, in black for women")
    left = understand(drop_term(meaning, 0))
    said = {(term.name, term.excluded) for term in left.terms}
    assert said == {(t.name, t.excluded) for t in meaning.terms} - {("blue", True)}


@pytest.mark.parametrize("number", [4, "-1", "x", None])
def test_no_such_term(number: object) -> None:
    with pytest.raises(QueryError, match="one of the words shown"):
        drop_term(understand("red dress"), number)


@pytest.mark.parametrize(
    ("text", "colour", "left"),
    [
        ("red dress", "black", "black dress"),
        ("red dress", "red", "dress"),
        ("dress, not red", "red", "red dress"),
        ("dress, not blue", "red", "red dress, not blue"),
    ],
)
def test_swatch(text: str, colour: str, left: str) -> None:
    assert switch_colour(understand(text), colour) == left


def test_swatch_without_words() -> None:
    assert switch_colour(None, "red") == "red"
    with pytest.raises(QueryError, match="colour of this page"):
        switch_colour(None, ["red"])


@pytest.mark.parametrize("name", SWATCHES)
def test_every_swatch_is_a_colour(name: str) -> None:
    assert [term.name for term in understand(name).of("colour")] == [name]
