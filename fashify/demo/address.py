"""The page's address: a search for a catalogue item or in words can be shared and opened again.

``?item=123&text=in+black&k=9&gender=Women&own=brand:Acme&range=price:0..20&variety=30`` and
``&weigh=colour:80`` and ``&variants=apart``; photos are nobody's business and never in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode

from fashify.demo.state import DEFAULT_RESULTS, FILTER_LEVELS, View


@dataclass(frozen=True)
class Address:
    """What an address asks for, unchecked.

    Attributes:
        item_id: catalogue item, "" for none.
        k: number of results as text, "" for the usual.
        filters: (level, value) pairs.
        variety: as text, "" for none.
        weights: (part, number as text) pairs.
        own: (column, value) pairs of the catalogue's own columns.
        ranges: (column, "low..high") pairs.
        text: words alone or beside the item, "" for none.
        apart: variants are cards of their own.
    """

    item_id: str
    k: str
    filters: tuple[tuple[str, str], ...]
    variety: str = ""
    weights: tuple[tuple[str, str], ...] = ()
    own: tuple[tuple[str, str], ...] = ()
    ranges: tuple[tuple[str, str], ...] = ()
    text: str = ""
    apart: bool = False


def read_address(pairs: Iterable[tuple[str, str]]) -> Address:
    """The parts of a query string that mean something here; others are let be."""
    pairs = list(pairs)
    plain = dict(pairs)
    filters = tuple(pair for pair in pairs if pair[0] in FILTER_LEVELS)
    return Address(
        plain.get("item", ""),
        plain.get("k", ""),
        filters,
        plain.get("variety", ""),
        weights=_split_pairs(pairs, "weigh"),
        own=_split_pairs(pairs, "own"),
        ranges=_split_pairs(pairs, "range"),
        text=plain.get("text", ""),
        apart=plain.get("variants") == "apart",
    )


def _split_pairs(pairs: Iterable[tuple[str, str]], name: str) -> tuple[tuple[str, str], ...]:
    """``a:b`` of every parameter of that name; a colon within a or b is escaped once more."""
    texts = (text.partition(":") for key, text in pairs if key == name)
    return tuple((unquote(first), unquote(second)) for first, _, second in texts)


def _join_pair(first: str, second: str) -> str:
    return f"{quote(first, safe=' ')}:{quote(second, safe=' ')}"


def write_address(view: View) -> str:
    """The query string of a view, ``?`` included; ``?`` alone when there is nothing to share."""
    if view.query is None or view.query.kind == "photo":
        return "?"
    asked = {"item": view.query.item_id, "text": view.query.text}
    pairs = [(name, value) for name, value in asked.items() if value]
    if view.k != DEFAULT_RESULTS:
        pairs.append(("k", str(view.k)))
    selection = view.selection
    for column, values in selection.filters:
        own = column not in FILTER_LEVELS
        pairs += [("own", _join_pair(column, v)) if own else (column, v) for v in values]
    pairs += [
        ("range", _join_pair(column, f"{low}..{high}")) for column, low, high in selection.ranges
    ]
    if not selection.collapse:
        pairs.append(("variants", "apart"))
    if selection.variety:
        pairs.append(("variety", str(selection.variety)))
    pairs += [("weigh", f"{part}:{number}") for part, number in selection.weights]
    return "?" + urlencode(pairs)
