"""The page's address: a search for a catalogue item can be shared and opened again.

``?item=123&k=9&gender=Women&base_colour=Red&variety=30&weigh=colour:80``; photos are nobody's
business and never in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

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
    """

    item_id: str
    k: str
    filters: tuple[tuple[str, str], ...]
    variety: str = ""
    weights: tuple[tuple[str, str], ...] = ()


def read_address(pairs: Iterable[tuple[str, str]]) -> Address:
    """The parts of a query string that mean something here; others are let be."""
    pairs = list(pairs)
    plain = dict(pairs)
    filters = tuple(pair for pair in pairs if pair[0] in FILTER_LEVELS)
    weights = tuple(
        (part, number)
        for name, text in pairs
        if name == "weigh"
        for part, _, number in [text.partition(":")]
    )
    variety = plain.get("variety", "")
    return Address(plain.get("item", ""), plain.get("k", ""), filters, variety, weights)


def write_address(view: View) -> str:
    """The query string of a view, ``?`` included; ``?`` alone when there is nothing to share."""
    if view.query is None or view.query.kind != "item":
        return "?"
    pairs = [("item", view.query.item_id)]
    if view.k != DEFAULT_RESULTS:
        pairs.append(("k", str(view.k)))
    selection = view.selection
    pairs += [(level, value) for level, values in selection.filters for value in values]
    if selection.variety:
        pairs.append(("variety", str(selection.variety)))
    pairs += [("weigh", f"{part}:{number}") for part, number in selection.weights]
    return "?" + urlencode(pairs)
