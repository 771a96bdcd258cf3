"""What the page makes of a catalogue's own columns: cards, menus of values, range sliders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd

from fashify.demo.details import STANDARD, Detail, choose_columns, describe_details, read_columns
from fashify.demo.state import Selection
from fashify.errors import QueryError
from fashify.index.filters.columns import Typed
from fashify.index.filters.facets import Range, count_values, measure_ranges
from fashify.index.filters.filter import Filter
from fashify.retrieval.match import Match


class OwnColumns:
    """The columns of a catalogue that are not those of every catalogue.

    Args:
        items: (n, columns) catalogue rows.
        types: what all their columns hold.
        show: names of those that cards show, with commas between, "none" for none of them; None
            chooses.

    Raises:
        ConfigError: ``show`` names a column that is not there.
    """

    def __init__(
        self, items: pd.DataFrame, types: Mapping[str, Typed], show: str | None = None
    ) -> None:
        self._items, self._types = items, types
        self.types = {name: types[name] for name in types if self._is_own(name)}
        if show is None:
            self.shown = choose_columns(self.types, {name: items[name] for name in self.types})
        else:
            everything = {name: types[name] for name in types if name not in ("has_image", "path")}
            self.shown = read_columns(show, everything)

    def _is_own(self, name: str) -> bool:
        # What a typed column could not say is kept beside it as text: price and price_text.
        kept_text = name.endswith("_text") and name.removesuffix("_text") in self._types
        return name not in STANDARD and not kept_text

    def details(self, match: Match) -> list[Detail]:
        """What the match's card shows of them."""
        facts = {"item_id": match.item_id, **match.facts}
        return describe_details(facts, self.shown, self._types)

    @cached_property
    def ranges(self) -> dict[str, Range]:
        """The columns of numbers, for sliders."""
        return measure_ranges(self._items, self._types, self.types)

    @cached_property
    def _offered(self) -> dict[str, dict[str, int]]:
        return count_values(self._items, self._types, self.types)

    def count_values(self, selection: Selection) -> dict[str, dict[str, int]]:
        """Of each column of few values, how many products each leaves under the other filters."""
        found = {}
        for name in self._offered:
            kept = self.mask(selection, but=name)
            counts = count_values(self._items, self._types, [name], kept)
            found[name] = counts[name]
        return found

    def count_among(self, kept: np.ndarray) -> dict[str, dict[str, int]]:
        """As ``count_values``, of the products of a (n,) bool mask."""
        return count_values(self._items, self._types, self._offered, kept)

    def mask(self, selection: Selection, *, but: str = "") -> np.ndarray | None:
        """(n,) bool: what passes all filters and ranges but those of one column."""
        where = {name: wanted for name, wanted in selection.where.items() if name != but}
        return Filter.parse(where).mask(self._items, self._types) if where else None

    def has_value(self, column: object, value: object) -> bool:
        """Whether that value of that column is offered on the page."""
        return isinstance(column, str) and value in self._offered.get(column, {})

    def read_range(self, column: str, text: str) -> tuple[float, float] | None:
        """``low..high`` as the ends of a column's slider; errors as ``move_end``."""
        low, _, high = text.partition("..")
        ends = self._check_range(column), _number(low), _number(high)
        return _bound_range(ends[0], ends[1], ends[2])

    def move_end(
        self, selection: Selection, column: str, end: str, value: object
    ) -> tuple[float, float] | None:
        """The ends of a column's slider after one was moved; None where nothing is left out.

        Raises:
            QueryError: no such slider, or no number.
        """
        whole = self._check_range(column)
        low, high = self.find_ends(selection, column)
        number = _number(value)
        low, high = (number, max(number, high)) if end == "low" else (min(number, low), number)
        return _bound_range(whole, low, high)

    def find_ends(self, selection: Selection, column: str) -> tuple[float, float]:
        """Where the ends of a column's slider stand."""
        chosen = {name: (low, high) for name, low, high in selection.ranges}
        whole = self.ranges[column]
        return chosen.get(column, (whole.low, whole.high))

    def _check_range(self, column: str) -> Range:
        if column not in self.ranges:
            raise QueryError("a slider of this page", repr(column), "move one of the sliders")
        return self.ranges[column]


def _bound_range(whole: Range, low: float, high: float) -> tuple[float, float] | None:
    low, high = max(low, whole.low), min(high, whole.high)
    return None if (low, high) == (whole.low, whole.high) else (low, high)


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise QueryError("a number", repr(value), "move the slider")
    return int(number) if number.is_integer() else number
