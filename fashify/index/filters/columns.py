"""The columns a filter may ask for: found by name, and what each of them holds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import numpy as np
import pandas as pd

from fashify.catalogue.columns import split_list
from fashify.errors import QueryError, join_names

#: Kinds whose values have an order.
ORDERED = ("number", "price", "date")

#: A date as a table holds it, as text; a time of day may follow.
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")

_LINK = re.compile(r"https?://\S+", re.IGNORECASE)

#: Most column names an error lists.
_MOST_NAMES = 40


class Typed(Protocol):
    """What a column holds: a kind, and a price's currency or a list's separator."""

    @property
    def kind(self) -> str: ...
    @property
    def unit(self) -> str: ...


class Kind(NamedTuple):
    """A column's kind as far as the column itself tells."""

    kind: str
    unit: str = ""


def infer_kind(column: pd.Series) -> Kind:
    """What a column holds, by its dtype and, of objects, its values.

    >>> infer_kind(pd.Series([1.5, None])), infer_kind(pd.Series(["2024-05-01", ""]))
    (Kind(kind='number', unit=''), Kind(kind='date', unit=''))
    """
    if pd.api.types.is_bool_dtype(column):
        return Kind("boolean")
    if pd.api.types.is_numeric_dtype(column):
        return Kind("number")
    if pd.api.types.is_datetime64_any_dtype(column):
        return Kind("date")
    filled = [value for value in column.dropna() if not isinstance(value, str) or value]
    if not filled:
        return Kind("text")
    if all(isinstance(value, list | tuple | np.ndarray) for value in filled):
        return Kind("list")
    for kind, pattern in (("date", _DATE), ("link", _LINK)):
        if all(isinstance(value, str) and pattern.fullmatch(value) for value in filled):
            return Kind(kind)
    return Kind("text")


class Columns:
    """A catalogue's table with what its columns hold.

    Args:
        table: (n, columns) catalogue rows.
        types: what the catalogue says of its columns; of others the column itself tells.
    """

    def __init__(self, table: pd.DataFrame, types: Mapping[str, Typed] | None = None) -> None:
        self.table, self._types = table, dict(types or {})

    def find(self, name: str) -> str:
        """A column's name as the table spells it.

        Raises:
            QueryError: no such column, or several that differ in case alone.
        """
        names = [str(column) for column in self.table.columns]
        if name in names:
            return name
        alike = [one for one in names if one.casefold() == name.casefold()]
        if len(alike) == 1:
            return alike[0]
        raise QueryError(
            "a filter on a column of the catalogue",
            f"column {name!r}" + (f", which {join_names(alike)} both are" if alike else ""),
            f"choose from: {_list_names(name, names)}",
        )

    def type(self, name: str) -> Typed:
        """What a column of the table holds."""
        if name not in self._types:
            self._types[name] = infer_kind(self.table[name])
        return self._types[name]

    @property
    def types(self) -> dict[str, Typed]:
        """What every column of the table holds."""
        return {str(name): self.type(name) for name in self.table.columns}

    def days(self, name: str) -> np.ndarray:
        """(n,) text ``YYYY-MM-DD``, "" where there is none: it sorts as the days do."""
        column = self.table[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            column = column.dt.strftime("%Y-%m-%d")
        return column.fillna("").astype(str).to_numpy(dtype="U10")

    def lists(self, name: str) -> list[tuple[str, ...]]:
        """Of each row the values of its list, as text."""
        unit = self.type(name).unit
        return [split_cell(cell, unit) for cell in self.table[name]]


def split_cell(cell: object, unit: str) -> tuple[str, ...]:
    """The values of a cell of a list column: an array, or text as ``ColumnType.unit`` says."""
    if isinstance(cell, list | tuple | np.ndarray):
        return tuple(str(value) for value in cell)
    if not isinstance(cell, str) or not cell:
        return ()
    return tuple(split_list(cell, unit))


def _list_names(name: str, names: Iterable[str]) -> str:
    """The names there are, those that look like ``name`` alone where they are many."""
    every = sorted(names)
    if len(every) <= _MOST_NAMES:
        return ", ".join(every)
    near = difflib.get_close_matches(name, every, 5, 0.4)
    return ", ".join([*near, f"... ({len(every)} columns)"] if near else [*every[:20], "..."])
