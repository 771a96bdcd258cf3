"""Result cards as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from fashify.demo.details import MAX_TEXT, Detail
from fashify.demo.rendering import render
from fashify.demo.state import Query, Selection
from fashify.heads.strength import WORDS
from fashify.retrieval.match import Match


def card(
    match: Match,
    url: str,
    selection: Selection,
    details: Sequence[Detail] = (),
    query: Query | None = None,
    colours: Sequence[tuple[str, str]] = (),
) -> Markup:
    """One product: picture uncropped, rank, name, labels, nearness, and what to do with it.

    Args:
        details: values of the catalogue's own columns, such as price, brand and link.
        query: what was searched with; without a picture there is none to explain the match by.
        colours: of the product and its variants, each with what CSS paints it with.
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
        explained=_explain(match, query is not None and query.text != ""),
        explains=query is None or query.has_picture,
        level=WORDS.index(match.strength) if match.strength else 0,
        steps=range(1, len(WORDS)),
        liked=match.item_id in selection.liked,
        disliked=match.item_id in selection.disliked,
        colours=colours,
        n_variants=len(match.variants),
    )


def _explain(match: Match, worded: bool) -> str:
    """What the words for a match's strength go by."""
    if worded:
        return "How likely it is to be what was asked for"
    if match.probability is None:
        return "How near it is beside the average product"
    share = f"{100 * match.probability:.0f} %"
    return f"Of matches at this distance {share} are of the type that was looked for"


def title(match: Match) -> str:
    """A product's name, or its id where it has none."""
    return match.name or f"Item {match.item_id}"


def describe(match: Match) -> str:
    """A picture's alternative text: name, colour, type."""
    labels = " ".join(part for part in (match.base_colour, match.article_type) if part)
    return ", ".join(part for part in (match.name, labels.lower()) if part) or match.item_id
