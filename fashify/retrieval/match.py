"""One answer of a search: a neighbour joined with everything the catalogue says of its product."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from fashify.index.filters.columns import Typed, split_cell

#: Columns of a store's items that are no facts: an attribute of the match, and true of all.
NO_FACTS = ("item_id", "has_image")

#: Of a match's own values those that a flat row has, before the facts.
HEADER = ("rank", "item_id", "distance", "strength", "probability")


@dataclass(frozen=True)
class Match:
    """One answer: a neighbour with its product's facts.

    The standard columns are properties too: ``match.article_type`` is
    ``match.facts["article_type"]``, or ``""`` in a catalogue without that column.

    Attributes:
        rank: 1 for the nearest.
        item_id: the product's stable id.
        distance: in the index's metric, or under the query's weights; smaller is closer.
        position: row of the product in the gallery.
        facts: every column of the catalogue under its own name and in its own type; a missing
            number, date or list is ``None``, a missing text ``""``.
        parts: each part's cosine distance, such as ``{"shape": 0.2, "colour": 0.1}``; empty
            for a store without a head.
        probability: that it shares the query's article type, as calibrated; else ``None``.
        strength: that in words; without calibration how near it is beside the average product,
            and "" of a query with a text.
        view: path in the catalogue of the picture that matched; of several of a product the
            nearest one, ``path`` is the main one.
        variants: ids of the products shown as one with this, where variants are collapsed.

    >>> match = Match(1, "42", 0.1, 7, {"name": "Red Shirt", "price": 19.5})
    >>> match.name, match.facts["price"], match.base_colour
    ('Red Shirt', 19.5, '')
    """

    rank: int
    item_id: str
    distance: float
    position: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, float] = field(default_factory=dict)
    probability: float | None = None
    strength: str = ""
    view: str = ""
    variants: tuple[str, ...] = ()

    def _text(self, column: str) -> str:
        value = self.facts.get(column)
        return "" if value is None else str(value)

    @property
    def name(self) -> str:
        """The product's name, "" where it has none."""
        return self._text("name")

    @property
    def gender(self) -> str:
        """Whom it is for."""
        return self._text("gender")

    @property
    def master_category(self) -> str:
        """The coarsest category."""
        return self._text("master_category")

    @property
    def sub_category(self) -> str:
        """The category between ``master_category`` and ``article_type``."""
        return self._text("sub_category")

    @property
    def article_type(self) -> str:
        """The finest category."""
        return self._text("article_type")

    @property
    def base_colour(self) -> str:
        """Its main colour."""
        return self._text("base_colour")

    @property
    def season(self) -> str:
        """Season of its collection."""
        return self._text("season")

    @property
    def usage(self) -> str:
        """What it is worn for."""
        return self._text("usage")

    @property
    def year(self) -> int | None:
        """Year of its collection, ``None`` where it is not known."""
        return self.facts.get("year")

    @property
    def path(self) -> str:
        """Its picture's path in the catalogue."""
        return self._text("path")

    def to_dict(self) -> dict[str, Any]:
        """The match as JSON-ready values: dates in ISO 8601, facts as a mapping of their own."""
        return asdict(self) | {
            "facts": self.json_facts(),
            "parts": dict(self.parts),
            "variants": list(self.variants),
        }

    def json_facts(self) -> dict[str, Any]:
        """The facts as JSON-ready values."""
        return {name: _json_ready(value) for name, value in self.facts.items()}

    def to_row(self) -> dict[str, Any]:
        """The match as one flat row: ``HEADER``, then every fact as ``to_dict`` has it.

        A column of the catalogue that is named like one of ``HEADER`` becomes ``fact_`` and its
        name.

        >>> list(Match(1, "42", 0.1, 7, {"name": "Red Shirt", "rank": "A"}).to_row())
        ['rank', 'item_id', 'distance', 'strength', 'probability', 'name', 'fact_rank']
        """
        whole = self.to_dict()
        facts = whole["facts"].items()
        return {name: whole[name] for name in HEADER} | {
            f"fact_{name}" if name in HEADER else name: value for name, value in facts
        }


def facts_by_column(
    items: pd.DataFrame, types: Mapping[str, Typed] | None = None
) -> dict[str, list[Any]]:
    """Each column as a list of plain Python values: cutting rows from a table is 40 times slower.

    Args:
        items: n products, any columns; those of ``NO_FACTS`` are left out.
        types: what columns of text hold, where it is known: a date or a list becomes one.

    Returns:
        ``{column: n values}``: str, int, float, bool, date or list; ``None`` where missing.

    >>> facts_by_column(pd.DataFrame({"price": [1.5, None], "year": pd.array([2012, None])}))
    {'price': [1.5, None], 'year': [2012, None]}
    """
    types = types or {}
    names = (name for name in items.columns if name not in NO_FACTS)
    return {str(name): _typed_values(items[name], types.get(str(name))) for name in names}


def _typed_values(column: pd.Series, typed: Typed | None) -> list[Any]:
    values = _plain_values(column)
    if typed is not None and typed.kind == "list":
        return [None if not cell else list(split_cell(cell, typed.unit)) for cell in values]
    if typed is not None and typed.kind == "date":
        return [_read_day(value) if isinstance(value, str) else value for value in values]
    return values


def _read_day(text: str) -> datetime.date | str | None:
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        return text


def _plain_values(column: pd.Series) -> list[Any]:
    if column.dtype == object:
        return [_plain_value(value) for value in column.to_list()]
    if pd.api.types.is_datetime64_any_dtype(column):
        return [None if pd.isna(value) else _plain_date(value) for value in column]
    return [None if missing else value for value, missing in _with_missing(column)]


def _with_missing(column: pd.Series) -> Iterable[tuple[Any, bool]]:
    return zip(column.to_list(), column.isna().to_list(), strict=True)


def _plain_value(value: Any) -> Any:
    """A cell of an object column: text as it is, arrays as lists, a missing value as None."""
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain_value(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    missing = value is None or value is pd.NA or value is pd.NaT or value != value
    return None if missing else value


def _plain_date(value: pd.Timestamp) -> datetime.date:
    """A moment, or a bare date where it has no time of day."""
    moment = value.to_pydatetime()
    bare = moment.time() == datetime.time() and moment.tzinfo is None
    return moment.date() if bare else moment


def _json_ready(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else value
