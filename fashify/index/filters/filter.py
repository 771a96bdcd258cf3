"""Filters over catalogue columns: a small language, parsed and evaluated without ``eval``.

    gender = Women
    article_type in (Shirts, Tshirts) and year >= 2012 and not base_colour = Black
    usage = Casual or (season in (Summer, Spring) and year in 2010..2014)
    name_of_a_value = "Bath and Body"        quotes where a value holds a keyword or a sign
    "list price" < 20 and `in stock` = yes   quotes or backticks where a name holds a blank
    since >= 2024-05 and tags contains linen and name contains "v-neck"

Names of columns may be written in any case. Text compares exactly, or without regard to case where
that names one value; ``contains`` asks for a part of a text or for a value of a list, whatever its
case, and ``=`` for a value of a list, too. A date may be a day, a month or a year. A missing value
is "" in a text column; in a number or a date it passes no comparison.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fashify.config import LEVELS
from fashify.errors import QueryError, join_names
from fashify.index.filters import syntax as filter_text
from fashify.index.filters import tree
from fashify.index.filters.columns import Columns, Typed
from fashify.index.filters.resolving import resolve
from fashify.index.filters.tree import ORDER, Among, Compare, Join, Node

_MOST_TEXT = 10_000


@dataclass(frozen=True)
class Filter:
    """A parsed filter. Make it with `Filter.parse`."""

    root: Node

    @classmethod
    def parse(cls, where: str | Mapping[str, Any] | Filter | None) -> Filter:
        """A filter from its text, or from a mapping whose entries must all hold.

        Args:
            where: text as above; ``{"gender": "Women", "article_type": ["Shirts"],
                "year": {">=": 2012, "<": 2015}}``; or None or "" for everything.

        Raises:
            QueryError: a text that is no filter, saying where.
        """
        if isinstance(where, Filter):
            return where
        if where is None or isinstance(where, Mapping):
            entries = (where or {}).items()
            return cls(Join("and", tuple(_from_entry(*entry) for entry in entries)))
        if not isinstance(where, str) or len(where) > _MOST_TEXT:
            raise QueryError(
                f"a filter as text of up to {_MOST_TEXT} characters or a mapping",
                f"{type(where).__name__}",
                'write it like "gender = Women"',
            )
        return cls(filter_text.parse(where))

    @property
    def columns(self) -> set[str]:
        """Names of the columns it asks for."""
        return tree.columns(self.root)

    def resolve(self, table: pd.DataFrame, types: Mapping[str, Typed] | None = None) -> Filter:
        """The same filter in the catalogue's own spelling.

        Args:
            table: (n, columns) catalogue rows.
            types: what the columns hold, ``Catalogue.column_types``; inferred by default.

        Raises:
            QueryError: a column or a value that the table does not have, naming those it has.
        """
        return Filter(resolve(self.root, Columns(table, types)))

    def mask(self, table: pd.DataFrame, types: Mapping[str, Typed] | None = None) -> np.ndarray:
        """(n,) bool: the rows of a catalogue table that pass; errors as `resolve`."""
        columns = Columns(table, types)
        return tree.mask(resolve(self.root, columns), columns)

    def __str__(self) -> str:
        return tree.text(self.root)


def facet_counts(
    table: pd.DataFrame,
    where: str | Mapping[str, Any] | Filter | np.ndarray | None = None,
    *,
    levels: Collection[str] = LEVELS,
) -> dict[str, dict[str, int]]:
    """How many items have each value: {level: {value: count}}, most frequent first.

    Args:
        table: (n, columns) catalogue rows.
        where: count only these: a filter or a (n,) bool mask.
        levels: columns to count; those the table lacks are left out.
    """
    if isinstance(where, np.ndarray):
        table = table[where]
    elif where is not None:
        table = table[Filter.parse(where).mask(table)]
    facets = {}
    for level in levels:
        if level in table.columns:
            counts = table[level].value_counts()
            pairs = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
            facets[level] = {str(value): int(count) for value, count in pairs}
    return facets


def _from_entry(column: str, wanted: Any) -> Node:
    if isinstance(wanted, Mapping):
        unknown = set(wanted) - set(ORDER)
        if unknown:
            raise QueryError(
                f"bounds of {column!r} by one of {join_names(ORDER)}",
                join_names(map(str, unknown)),
                "use >=",
            )
        parts = tuple(Compare(column, sign, end) for sign, end in wanted.items())
        return Join("and", parts)
    if isinstance(wanted, Collection) and not isinstance(wanted, str):
        return Among(column, tuple(wanted))
    return Among(column, (wanted,))
