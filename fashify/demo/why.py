"""Why it matched, as HTML: query and match side by side with their heat, and what they share."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from fashify.demo.cards import title
from fashify.demo.pictures import QUERY_SIDE, data_url
from fashify.demo.rendering import render
from fashify.demo.service import DemoService
from fashify.demo.state import FILTER_LEVELS, View
from fashify.io.images import resize, thumbnail
from fashify.retrieval.explanation import draw_overlay
from fashify.retrieval.match import Match

#: Heat is painted on pictures of this size, so that its edges are smooth on small ones too.
_PAINTED_SIDE = 360


def panel(service: DemoService, view: View) -> Markup:
    """The panel for ``view.explained``, "" when nothing is to be explained."""
    found = [match for match in view.current_answer.matches if match.item_id == view.explained]
    if not found:
        return Markup()
    match = found[0]
    query = service.garment_of(view.current_query, match.item_id)
    explanation = service.explain(query, match.item_id, match.view)
    theirs = service.retriever.picture(match.item_id, match.view)
    pictures = service.picture(query), theirs
    return render(
        "why.html",
        name=title(match),
        figures=[
            (_paint_url(pictures[0], explanation.query), query.title),
            (_paint_url(pictures[1], explanation.match), title(match)),
        ],
        cosine=explanation.cosine,
        focus=_focus(explanation.match),
        parts=match.parts,
        labels=_labels(service, view, match) if view.current_query.item_id else None,
    )


def _paint_url(picture: np.ndarray, parts: np.ndarray) -> str:
    return data_url(draw_overlay(_enlarge(picture), parts), QUERY_SIDE)


def _enlarge(picture: np.ndarray) -> np.ndarray:
    factor = _PAINTED_SIDE / max(picture.shape[:2])
    if factor <= 1:
        return thumbnail(picture, _PAINTED_SIDE)
    return resize(picture, (round(picture.shape[0] * factor), round(picture.shape[1] * factor)))


def _focus(parts: np.ndarray) -> float:
    """The smallest share of places that makes half of the positive likeness."""
    ranked = np.sort(np.clip(parts, 0, None), axis=None)[::-1]
    return (np.searchsorted(ranked.cumsum(), ranked.sum() / 2) + 1) / parts.size


def _labels(service: DemoService, view: View, match: Match) -> list[tuple[str, str, str]]:
    """(level, the query's label, the match's) of an item query, where both have one."""
    items = service.items
    mine = items[items["item_id"] == view.current_query.item_id].iloc[0]
    return [
        (name, str(mine[level]), str(getattr(match, level)))
        for level, name in FILTER_LEVELS.items()
        if mine[level] and getattr(match, level)
    ]
