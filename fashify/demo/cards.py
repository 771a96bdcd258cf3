"""Result cards as HTML: plain strings from plain values, every text escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from fashify.demo.state import Selection
from fashify.demo.strength import WORDS, Strength
from fashify.retrieval.match import Match

_HEART = "M10 17 3.5 10.7a4.2 4.2 0 0 1 6-5.9l.5.5.5-.5a4.2 4.2 0 0 1 6 5.9Z"
_CROSS = "m5 5 10 10M15 5 5 15"


def card(match: Match, strength: Strength, url: str, selection: Selection) -> str:
    """One product: picture uncropped, rank, name, labels, nearness, and what to do with it."""
    name = title(match)
    return (
        f'<li class="fx-card" data-item="{_quoted(match.item_id)}">'
        f'<div class="fx-picture"><img src="{url}" alt="{_quoted(describe(match))}">'
        f'<span class="fx-rank" aria-label="rank {match.rank}">{match.rank}</span>'
        f"{_judgements(match, selection)}</div>"
        f'<div class="fx-facts"><h3 title="{_quoted(name)}">{escape(name)}</h3>'
        f"{_labels(match)}{_nearness(match, strength)}"
        f'<div class="fx-does">{_does("similar", "More like this", match)}'
        f"{_does('explain', 'Why?', match)}</div></div></li>"
    )


def _does(verb: str, label: str, match: Match) -> str:
    return (
        f'<button type="button" class="fx-more" data-do="{verb}" '
        f'data-item="{_quoted(match.item_id)}">{label}'
        f'<span class="fx-sr">: {escape(title(match))}</span></button>'
    )


def title(match: Match) -> str:
    """A product's name, or its id where it has none."""
    return match.name or f"Item {match.item_id}"


def describe(match: Match) -> str:
    """A picture's alternative text: name, colour, type."""
    labels = " ".join(part for part in (match.base_colour, match.article_type) if part)
    return ", ".join(part for part in (match.name, labels.lower()) if part) or match.item_id


def _judgements(match: Match, selection: Selection) -> str:
    liked, disliked = match.item_id in selection.liked, match.item_id in selection.disliked
    return (
        '<span class="fx-judge">'
        f"{_judge('like', 'More in this direction', _HEART, match, liked)}"
        f"{_judge('dislike', 'Not like this', _CROSS, match, disliked)}</span>"
    )


def _judge(verb: str, label: str, path: str, match: Match, pressed: bool) -> str:
    return (
        f'<button type="button" data-do="{verb}" data-item="{_quoted(match.item_id)}" '
        f'aria-pressed="{str(pressed).lower()}" title="{label}" '
        f'aria-label="{label}: {_quoted(title(match))}"><svg viewBox="0 0 20 20" '
        f'aria-hidden="true"><path d="{path}"/></svg></button>'
    )


def _labels(match: Match) -> str:
    shown = _chips((match.article_type, match.base_colour, match.gender))
    return f'<ul class="fx-labels" aria-label="Category, colour, gender">{shown}</ul>'


def _chips(labels: Iterable[str]) -> str:
    return "".join(f"<li>{escape(label)}</li>" for label in labels if label)


def _nearness(match: Match, strength: Strength) -> str:
    steps = "".join(
        f'<i class="{"on" if step <= strength.level else ""}"></i>' for step in range(1, len(WORDS))
    )
    return (
        f'<p class="fx-near" title="{strength.explained}"><b>{strength.words}</b>'
        f'<span class="fx-share">{strength.brief}</span>'
        f'<span class="fx-distance">distance {match.distance:.3f}</span>'
        f'<span class="fx-bar" aria-hidden="true">{steps}</span></p>'
    )


def _quoted(text: str) -> str:
    return escape(text, quote=True)
