"""The results panel as HTML: trail, heading, filters, cards, downloads."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from fashify.demo import cards, why
from fashify.demo.address import write_address
from fashify.demo.rendering import render
from fashify.demo.service import DemoService
from fashify.demo.state import FILTER_LEVELS, MAX_RESULTS, Answer, View

_DOUBT = "Nothing here is really similar. These are merely the least different products."


@dataclass(frozen=True)
class Menu:
    """One filter menu.

    Attributes:
        level, name: of the label, in code and on the page.
        options: (value, products it would leave, whether it is chosen).
        n_chosen: how many values are chosen.
    """

    level: str
    name: str
    options: list[tuple[str, int, bool]]
    n_chosen: int


def panel(service: DemoService, view: View) -> Markup:
    """The whole results panel of an answered view."""
    answer = view.answer
    return render(
        "results.html",
        view=view,
        address=write_address(view),
        menus=_menus(service, view),
        clear=_clearable(view),
        weights=view.selection.weights or service.own_weights,
        most=min(MAX_RESULTS, len(service.store) - 1),
        why=why.panel(service, view),
        doubt=doubt(answer) if answer.matches else "",
        cards=_cards(service, view),
        downloads=_downloads(answer) if answer.matches else [],
    )


def _clearable(view: View) -> str:
    """What narrows and bends the search, in words; "" when nothing does."""
    selection = view.selection
    votes = len(selection.liked) + len(selection.disliked)
    words = ["filters"] if selection.filters else []
    words += [f"{votes} {'vote' if votes == 1 else 'votes'}"] if votes else []
    words += ["sliders"] if selection.weights or selection.variety else []
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _menus(service: DemoService, view: View) -> list[Menu]:
    counts = service.facets(view.selection)
    return [_menu(level, counts[level], view) for level in FILTER_LEVELS if len(counts[level]) > 1]


def _menu(level: str, counts: dict[str, int], view: View) -> Menu:
    chosen = dict(view.selection.filters).get(level, ())
    gone = [(value, 0, True) for value in chosen if value not in counts]
    options = [(value, count, value in chosen) for value, count in counts.items()]
    return Menu(level, FILTER_LEVELS[level], gone + options, len(chosen))


def _cards(service: DemoService, view: View) -> list[Markup]:
    answer = view.answer
    return [
        cards.card(match, strength, service.picture_url(match.item_id), view.selection)
        for match, strength in zip(answer.matches, answer.strengths, strict=True)
    ]


def doubt(answer: Answer) -> Markup:
    """A sentence when even the best match is not similar, "" otherwise."""
    if answer.strengths[0].level > 0:
        return Markup()
    return render("sentence.html", kind="empty", role="status", text=_DOUBT)


def _downloads(answer: Answer) -> list[tuple[str, str, str]]:
    """(ending, media type, base64 of the file) of each."""
    return [
        ("csv", "text/csv", _encode(as_csv(answer))),
        ("json", "application/json", _encode(as_json(answer))),
    ]


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


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
