"""Result cards as HTML: plain strings from plain values, every text escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from fashify.demo.state import Answer, Query
from fashify.retrieval import Match

#: Picture of an item as a ``data:`` URL.
PictureUrl = Callable[[str], str]


def results(query: Query, answer: Answer, picture_url: PictureUrl) -> str:
    """The whole results panel for one answered query."""
    cards = "".join(card(match, picture_url(match.item_id)) for match in answer.matches)
    return (
        f'<section class="fx-results" aria-label="Results">{_heading(query, answer)}'
        f'<ol class="fx-grid" data-count="{len(answer.matches)}">{cards}</ol></section>'
    )


def _heading(query: Query, answer: Answer) -> str:
    count = len(answer.matches)
    noun = "product" if count == 1 else "products"
    return (
        '<header class="fx-results-head"><h2>'
        f"{count} {noun} most like <em>{escape(query.title)}</em></h2>"
        f'<p class="fx-time" role="status">found in {answer.milliseconds:.0f} ms</p></header>'
    )


def card(match: Match, url: str) -> str:
    """One product: picture uncropped, rank, name, labels and distance."""
    name = escape(match.name or f"Item {match.item_id}")
    alt = escape(describe(match), quote=True)
    item = escape(match.item_id, quote=True)
    return (
        f'<li class="fx-card" data-item="{item}">'
        f'<div class="fx-picture"><img src="{url}" alt="{alt}">'
        f'<span class="fx-rank" aria-label="rank {match.rank}">{match.rank}</span></div>'
        f'<div class="fx-facts"><h3 title="{name}">{name}</h3>{_labels(match)}{_distance(match)}'
        f'<button type="button" class="fx-more" data-do="similar" data-item="{item}">'
        f'More like this<span class="fx-sr">: {name}</span></button></div></li>'
    )


def describe(match: Match) -> str:
    """A picture's alternative text: colour, type, name."""
    labels = " ".join(part for part in (match.base_colour, match.article_type) if part)
    return ", ".join(part for part in (match.name, labels.lower()) if part) or match.item_id


def _labels(match: Match) -> str:
    shown = _chips((match.article_type, match.base_colour, match.gender))
    return f'<ul class="fx-labels" aria-label="Category, colour, gender">{shown}</ul>'


def _chips(labels: Iterable[str]) -> str:
    return "".join(f"<li>{escape(label)}</li>" for label in labels if label)


def _distance(match: Match) -> str:
    # A bar of what is near, not of what is far: full at distance 0, empty at 1.
    width = 100 * max(0.0, min(1.0, 1.0 - match.distance))
    return (
        f'<p class="fx-distance"><span>distance <b>{match.distance:.3f}</b></span>'
        f'<span class="fx-bar" aria-hidden="true"><i style="width:{width:.0f}%"></i></span></p>'
    )
