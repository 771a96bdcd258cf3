"""Why it matched, as HTML: query and match side by side with their heat, and what they share."""

from __future__ import annotations

from html import escape

import numpy as np

from fashify.demo.cards import title
from fashify.demo.pictures import QUERY_SIDE, data_url
from fashify.demo.service import DemoService
from fashify.demo.state import FILTER_LEVELS, View
from fashify.io.images import resize, thumbnail
from fashify.retrieval.explanation import Explanation, draw_overlay
from fashify.retrieval.match import Match

#: Heat is painted on pictures of this size, so that its edges are smooth on small ones too.
_PAINTED_SIDE = 360


def panel(service: DemoService, view: View) -> str:
    """The panel for ``view.explained``, "" when nothing is to be explained."""
    found = [match for match in view.answer.matches if match.item_id == view.explained]
    if not found:
        return ""
    match, explanation = found[0], service.explain(view.query, view.explained)
    pictures = service.picture(view.query), service.retriever.picture(match.item_id)
    name = escape(title(match))
    return (
        f'<section class="fx-whypanel" aria-label="Why it matched"><header><h3>Why {name}?</h3>'
        '<button type="button" class="fx-close" data-do="close" aria-label="Close">✕</button>'
        '</header><div class="fx-pair">'
        f"{_figure(pictures[0], explanation.query, escape(view.query.title))}"
        f"{_figure(pictures[1], explanation.match, name)}"
        f"{_told(service, view, match, explanation)}</div></section>"
    )


def _figure(picture: np.ndarray, parts: np.ndarray, caption: str) -> str:
    painted = draw_overlay(_enlarged(picture), parts)
    return (
        f'<figure><img src="{data_url(painted, QUERY_SIDE)}" alt="{caption}, the places that '
        f'make the likeness coloured"><figcaption>{caption}</figcaption></figure>'
    )


def _enlarged(picture: np.ndarray) -> np.ndarray:
    factor = _PAINTED_SIDE / max(picture.shape[:2])
    if factor <= 1:
        return thumbnail(picture, _PAINTED_SIDE)
    return resize(picture, (round(picture.shape[0] * factor), round(picture.shape[1] * factor)))


def _told(service: DemoService, view: View, match: Match, explanation: Explanation) -> str:
    top = _focus(explanation.match)
    return (
        f'<div class="fx-told"><p>The coloured places make the likeness: every place adds its part '
        f"to the cosine of <b>{explanation.cosine:.3f}</b> between what the network saw in both "
        f"pictures, and the parts add up to the whole. Half of it comes from {100 * top:.0f} % of "
        f"the match's picture.</p>{_parts(match)}{_labels(service, view, match)}</div>"
    )


def _parts(match: Match) -> str:
    """The parts of the distance as bars, "" for a store without them."""
    if not match.parts:
        return ""
    # A cosine distance of 1 is nothing in common; few are beyond it.
    rows = "".join(
        f'<dt>{escape(name)}</dt><dd><i style="width:{100 * min(max(distance, 0), 1):.1f}%"></i>'
        f"<b>{distance:.3f}</b></dd>"
        for name, distance in match.parts.items()
    )
    return (
        f'<p>How far apart they are, by part (0 for the same):</p><dl class="fx-parts">{rows}</dl>'
    )


def _focus(parts: np.ndarray) -> float:
    """The smallest share of places that makes half of the positive likeness."""
    ranked = np.sort(np.clip(parts, 0, None), axis=None)[::-1]
    return (np.searchsorted(ranked.cumsum(), ranked.sum() / 2) + 1) / parts.size


def _labels(service: DemoService, view: View, match: Match) -> str:
    """Which labels an item query shares with its match; a photo has none to compare."""
    if not view.query.item_id:
        return ""
    items = service.items
    mine = items[items["item_id"] == view.query.item_id].iloc[0]
    rows = "".join(
        _label(name, str(mine[level]), str(getattr(match, level)))
        for level, name in FILTER_LEVELS.items()
        if mine[level] and getattr(match, level)
    )
    return f"<dl>{rows}</dl>"


def _label(name: str, mine: str, theirs: str) -> str:
    same = mine == theirs
    text = f"both {theirs}" if same else f"{theirs}, not {mine}"
    kind = "same" if same else "other"
    return f'<dt>{name}</dt><dd class="{kind}">{escape(text)}</dd>'
