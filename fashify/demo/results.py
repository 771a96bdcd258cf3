"""The results panel as HTML: trail, heading, filters, cards, downloads."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from fashify.demo import cards, why
from fashify.demo.address import write_address
from fashify.demo.rendering import render
from fashify.demo.service import DemoService
from fashify.demo.state import FILTER_LEVELS, Answer, Query, View
from fashify.demo.wishes import paint_label
from fashify.heads.strength import WORDS
from fashify.index.filters.facets import Range
from fashify.retrieval.match import Match

_DOUBT = "Nothing here is really similar. These are merely the least different products."


@dataclass(frozen=True)
class Slider:
    """The two ends of a column of numbers.

    Attributes:
        name: of the column.
        whole: of all products.
        low, high: as chosen.
    """

    name: str
    whole: Range
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """Cards in a row.

    Attributes:
        title, url: of the garment that they answer, and its picture; "" of a query's only row.
        doubt: a sentence where even the best is not similar, "" otherwise.
        cards: the best first.
    """

    title: str
    url: str
    doubt: Markup
    cards: list[Markup]


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
    answer = view.current_answer
    return render(
        "results.html",
        view=view,
        address=write_address(view),
        menus=_menus(service, view),
        clear=_describe_narrowing(view),
        weights=(view.selection.weights or service.own_weights)
        if view.current_query.has_picture
        else (),
        ranges=_sliders(service, view),
        most=service.max_results,
        fewer=_is_everything(service, view),
        why=why.panel(service, view),
        has_variants=service.has_variants,
        variants=_variants(service, view),
        n_found=len(answer.matches),
        rows=_rows(service, view),
        downloads=_downloads(answer) if answer.matches else [],
    )


def _describe_narrowing(view: View) -> str:
    """What narrows and bends the search, in words; "" when nothing does."""
    selection = view.selection
    votes = len(selection.liked) + len(selection.disliked)
    words = ["filters"] if selection.filters or selection.ranges else []
    words += [f"{votes} {'vote' if votes == 1 else 'votes'}"] if votes else []
    words += ["sliders"] if selection.weights or selection.variety else []
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _is_everything(service: DemoService, view: View) -> bool:
    """Whether fewer products than were asked for are shown because there are no more."""
    selection = view.selection
    narrowed = selection.filters or selection.ranges or selection.disliked
    return (
        len(view.current_answer.matches) < view.k and not narrowed and not view.current_query.text
    )


def _menus(service: DemoService, view: View) -> list[Menu]:
    counts, chosen = service.facets(view.selection), dict(view.selection.filters)
    offered = [name for name in counts if len(counts[name]) > 1 or name in chosen]
    return [_menu(name, counts[name], view) for name in offered]


def _sliders(service: DemoService, view: View) -> list[Slider]:
    own = service.own
    return [
        Slider(name, whole, *own.find_ends(view.selection, name))
        for name, whole in own.ranges.items()
    ]


def _menu(level: str, counts: dict[str, int], view: View) -> Menu:
    chosen = dict(view.selection.filters).get(level, ())
    gone = [(value, 0, True) for value in chosen if value not in counts]
    options = [(value, count, value in chosen) for value, count in counts.items()]
    return Menu(level, FILTER_LEVELS.get(level, level), gone + options, len(chosen))


def _rows(service: DemoService, view: View) -> list[Row]:
    """The answer's cards; of several garments a row of them for each, with its picture."""
    answer, query = view.current_answer, view.current_query
    if not answer.rows:
        return [_row(service, view, query, answer)]
    pairs = zip(query.garments, answer.rows, strict=True)
    return [_row(service, view, *pair, titled=True) for pair in pairs]


def _row(
    service: DemoService, view: View, query: Query, answer: Answer, *, titled: bool = False
) -> Row:
    found = [_card(service, view, match) for match in answer.matches]
    said = doubt(answer) if answer.matches else Markup()
    if not titled:
        return Row("", "", said, found)
    return Row(query.title, service.query_url(query), said, found)


def _card(service: DemoService, view: View, match: Match) -> Markup:
    return cards.card(
        match,
        service.picture_url(match.item_id, match.view),
        view.selection,
        service.own.details(match),
        view.current_query,
        [(name, paint_label(name)) for name in service.colours_of(match)],
    )


def _variants(service: DemoService, view: View) -> Markup:
    """The opened match's variants as cards; "" where none is opened."""
    answer, query = view.current_answer, view.current_query
    pairs = zip(query.garments, answer.rows, strict=True) if answer.rows else [(query, answer)]
    opened = [(q, m) for q, row in pairs for m in row.matches if m.item_id == view.opened]
    if not opened or not opened[0][1].variants:
        return Markup()
    asked, match = opened[0]
    found = service.find_variants(asked, match, view.selection)
    shown = [_card(service, view, replace(one, rank=n)) for n, one in enumerate(found, start=1)]
    return render("variants.html", title=cards.title(match), cards=shown)


def doubt(answer: Answer) -> Markup:
    """A sentence when even the best match is not similar, "" otherwise."""
    if answer.matches[0].strength != WORDS[0]:
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
