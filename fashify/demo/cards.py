"""Result cards as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from fashify.demo.details import MAX_TEXT, Detail
from fashify.demo.nearness import WORDS, Nearness
from fashify.demo.rendering import render
from fashify.demo.state import Selection
from fashify.retrieval.match import Match


def card(
    match: Match,
    strength: Nearness,
    url: str,
    selection: Selection,
    details: Sequence[Detail] = (),
) -> Markup:
    """One product: picture uncropped, rank, name, labels, nearness, and what to do with it.

    Args:
        details: values of the catalogue's own columns, such as price, brand and link.
    """
    return render(
        "card.html",
        match=match,
        title=title(match),
        alt=describe(match),
        url=url,
        labels=[x for x in (match.article_type, match.base_colour, match.gender) if x],
        details=details,
        max_text=MAX_TEXT,
        strength=strength,
        steps=range(1, len(WORDS)),
        liked=match.item_id in selection.liked,
        disliked=match.item_id in selection.disliked,
    )


def title(match: Match) -> str:
    """A product's name, or its id where it has none."""
    return match.name or f"Item {match.item_id}"


def describe(match: Match) -> str:
    """A picture's alternative text: name, colour, type."""
    labels = " ".join(part for part in (match.base_colour, match.article_type) if part)
    return ", ".join(part for part in (match.name, labels.lower()) if part) or match.item_id
