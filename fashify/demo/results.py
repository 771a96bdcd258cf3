"""The results panel as HTML: trail, heading, filters, cards, downloads."""

from __future__ import annotations

import base64
import csv
import io
import json
from html import escape
from typing import Any

from fashify.demo import cards, why
from fashify.demo.address import write_address
from fashify.demo.service import DemoService
from fashify.demo.state import FILTER_LEVELS, MAX_RESULTS, Answer, View


def panel(service: DemoService, view: View) -> str:
    """The whole results panel of an answered view."""
    address = escape(write_address(view), quote=True)
    return (
        f'<section class="fx-results" aria-label="Results" data-address="{address}" '
        f'data-query="{escape(view.query.title, quote=True)}">'
        f"{_trail(view)}{_heading(view)}{_toolbar(service, view)}"
        f"{why.panel(service, view)}{_list(service, view)}"
        f"{_downloads(view.answer)}</section>"
    )


def _trail(view: View) -> str:
    if not view.trail:
        return ""
    steps = "".join(
        f'<li><button type="button" data-do="back" data-n="{n}">{escape(query.title)}</button></li>'
        for n, query in enumerate(view.trail)
    )
    here = f'<li aria-current="page">{escape(view.query.title)}</li>'
    return f'<nav class="fx-trail" aria-label="Earlier searches"><ol>{steps}{here}</ol></nav>'


def _heading(view: View) -> str:
    count = len(view.answer.matches)
    noun = "product" if count == 1 else "products"
    return (
        '<header class="fx-results-head"><h2>'
        f"{count} {noun} most like <em>{escape(view.query.title)}</em></h2>"
        f'<p class="fx-time" role="status">found in {view.answer.milliseconds:.0f} ms</p></header>'
    )


def _toolbar(service: DemoService, view: View) -> str:
    counts = service.facets(view.selection)
    menus = "".join(
        _menu(level, counts[level], view) for level in FILTER_LEVELS if len(counts[level]) > 1
    )
    return (
        f'<div class="fx-toolbar" role="group" aria-label="Refine">{menus}{_reset(view)}</div>'
        f"{_sliders(service, view)}"
    )


def _reset(view: View) -> str:
    """The button that clears what narrows and bends the search, "" when nothing does."""
    selection = view.selection
    votes = len(selection.liked) + len(selection.disliked)
    said = ["filters"] if selection.filters else []
    said += [f"{votes} {'vote' if votes == 1 else 'votes'}"] if votes else []
    said += ["sliders"] if selection.weights or selection.variety else []
    if not said:
        return ""
    text = " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))
    return f'<button type="button" class="fx-reset" data-do="reset">Clear {text}</button>'


def _sliders(service: DemoService, view: View) -> str:
    """How many, how varied, and what of the distance counts how much."""
    weights = view.selection.weights or service.own_weights
    parts = "".join(
        _slider(part.capitalize(), "weigh", value, 0, 100, 5, f' data-part="{escape(part)}"')
        for part, value in weights
    )
    most = min(MAX_RESULTS, len(service.store) - 1)
    return (
        f'<div class="fx-sliders" role="group" aria-label="What counts">{parts}'
        f"{_slider('Variety', 'vary', view.selection.variety, 0, 100, 10)}"
        f"{_slider('Show', 'count', view.k, 1, most, 1)}</div>"
    )


def _slider(
    name: str, verb: str, value: int, least: int, most: int, step: int, more: str = ""
) -> str:
    return (
        f'<label class="fx-slider">{name} <input type="range" min="{least}" max="{most}" '
        f'step="{step}" value="{value}" data-live="{verb}"{more}><output>{value}</output></label>'
    )


def _menu(level: str, counts: dict[str, int], view: View) -> str:
    chosen = dict(view.selection.filters).get(level, ())
    options = "".join(_option(level, value, n, value in chosen) for value, n in counts.items())
    gone = "".join(_option(level, value, 0, True) for value in chosen if value not in counts)
    is_open = " open" if view.open_facet == level else ""
    badge = f" <b>{len(chosen)}</b>" if chosen else ""
    return (
        f'<details class="fx-menu" data-level="{level}"{is_open}><summary>{FILTER_LEVELS[level]}'
        f'{badge}</summary><div class="fx-options">{gone}{options}</div></details>'
    )


def _option(level: str, value: str, count: int, chosen: bool) -> str:
    text = escape(value, quote=True)
    return (
        f'<button type="button" data-do="filter" data-level="{level}" data-value="{text}" '
        f'aria-pressed="{str(chosen).lower()}">{text} <span>{count:,}</span></button>'
    )


def _list(service: DemoService, view: View) -> str:
    answer = view.answer
    if not answer.matches:
        return (
            '<p class="fx-empty" role="status">No product passes these filters. '
            "Take one away, or clear them all.</p>"
        )
    shown = "".join(
        cards.card(match, strength, service.picture_url(match.item_id), view.selection)
        for match, strength in zip(answer.matches, answer.strengths, strict=True)
    )
    count = len(answer.matches)
    return f'{doubt(answer)}<ol class="fx-grid" data-count="{count}">{shown}</ol>'


def doubt(answer: Answer) -> str:
    """A sentence when even the best match is not similar, "" otherwise."""
    if answer.strengths[0].level > 0:
        return ""
    return (
        '<p class="fx-empty" role="status">Nothing here is really similar. These are merely the '
        "least different products.</p>"
    )


def _downloads(answer: Answer) -> str:
    if not answer.matches:
        return ""
    links = "".join(
        f'<a class="fx-button" download="fashify.{kind}" href="data:{mime};base64,{encoded}">'
        f"{kind.upper()}</a>"
        for kind, mime, encoded in (
            ("csv", "text/csv", _encoded(as_csv(answer))),
            ("json", "application/json", _encoded(as_json(answer))),
        )
    )
    return f'<p class="fx-downloads"><span>Download these results</span>{links}</p>'


def as_csv(answer: Answer) -> str:
    """The matches as CSV with a header, every fact a column; lists are cells of JSON."""
    text = io.StringIO()
    rows = [match.to_row() for match in answer.matches]
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def as_json(answer: Answer) -> str:
    """The matches as a JSON list, all their facts."""
    return json.dumps([match.to_dict() for match in answer.matches], indent=2, ensure_ascii=False)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
