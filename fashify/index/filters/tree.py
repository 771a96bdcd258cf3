"""The tree of a filter: its nodes, and what they mean for a table and for Milvus."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fashify.errors import QueryError, known

#: What a missing number becomes where a column cannot hold a missing one (Milvus).
MISSING_NUMBER = -1

ORDER = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


@dataclass(frozen=True)
class Among:
    """``column`` has one of ``values``."""

    column: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Compare:
    """``column`` is on the given side of a number; ``sign`` is one of < <= > >=."""

    column: str
    sign: str
    value: float


@dataclass(frozen=True)
class Not:
    """Whatever ``part`` leaves out."""

    part: Node


@dataclass(frozen=True)
class Join:
    """All of ``parts`` (``word`` "and"; of none: everything) or any of them ("or")."""

    word: str
    parts: tuple[Node, ...]


Node = Among | Compare | Not | Join


def plain(number: float) -> float | int:
    """A number without a fraction as an int."""
    return int(number) if number.is_integer() else number


def columns(node: Node) -> set[str]:
    """Names of the columns a tree asks for."""
    if isinstance(node, Not):
        return columns(node.part)
    if isinstance(node, Join):
        return set().union(*map(columns, node.parts))
    return {node.column}


def resolved(node: Node, table: pd.DataFrame) -> Node:
    """The tree in the table's own spelling; QueryError for a column or value it lacks."""
    if isinstance(node, Not):
        return Not(resolved(node.part, table))
    if isinstance(node, Join):
        return Join(node.word, tuple(resolved(part, table) for part in node.parts))
    if node.column not in table.columns:
        raise QueryError(
            "a filter on a column of the catalogue",
            f"column {node.column!r}",
            f"choose from: {known(table.columns)}",
        )
    column = table[node.column]
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if isinstance(node, Among):
        find = _as_number if numeric else _as_spelt
        kind = float if numeric else str
        present = {kind(value): value for value in column.dropna().unique()}
        return Among(node.column, tuple(find(node.column, one, present) for one in node.values))
    if not numeric:
        raise QueryError(
            f"{node.sign} on a column of numbers", f"text column {node.column!r}", "use = or in"
        )
    return node


def _as_number(column: str, value: Any, present: Mapping[float, Any]) -> Any:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if number not in present:
        raise _unknown_value(column, value, [plain(one) for one in sorted(present)])
    return plain(number)


def _as_spelt(column: str, value: Any, present: Mapping[str, Any]) -> Any:
    text = str(value)
    if text in present:
        return present[text]
    alike = [spelt for spelt in present if spelt.casefold() == text.casefold()]
    if len(alike) != 1:
        raise _unknown_value(column, value, present)
    return present[alike[0]]


def _unknown_value(column: str, value: Any, present: Iterable[Any]) -> QueryError:
    names = sorted(str(one) for one in present if one != "")
    if len(names) > 20:
        names = difflib.get_close_matches(str(value), names, 5, 0.4) or [*names[:20], "..."]
    return QueryError(
        f"a value that {column!r} has", f"{value!r}", f"choose from: {', '.join(names)}"
    )


def mask(node: Node, table: pd.DataFrame) -> np.ndarray:
    """(n,) bool: the rows of the table that pass a resolved tree."""
    if isinstance(node, Not):
        return ~mask(node.part, table)
    if isinstance(node, Join):
        combine = np.logical_and if node.word == "and" else np.logical_or
        start = np.full(len(table), node.word == "and")
        return combine.reduce([start, *(mask(part, table) for part in node.parts)])
    column = table[node.column]
    if isinstance(node, Among):
        return column.isin(list(node.values)).to_numpy(dtype=bool)
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    return ORDER[node.sign](numbers, node.value)


def milvus(node: Node) -> str:
    """A resolved tree as a Milvus expression; "" for everything."""
    if isinstance(node, Not):
        return f"not ({milvus(node.part)})"
    if isinstance(node, Join):
        parts = [f"({milvus(part)})" for part in node.parts]
        return f" {node.word} ".join(parts)
    if isinstance(node, Compare):
        bound = f"{node.column} {node.sign} {node.value}"
        return f"{bound} and {node.column} != {MISSING_NUMBER}"
    return f"{node.column} in [{', '.join(_literal(value) for value in node.values)}]"


def _literal(value: Any) -> str:
    return json.dumps(value.item() if isinstance(value, np.generic) else value, ensure_ascii=False)


def text(node: Node) -> str:
    """A tree as text that parses to the same."""
    if isinstance(node, Not):
        return f"not ({text(node.part)})"
    if isinstance(node, Join):
        return f" {node.word} ".join(f"({text(part)})" for part in node.parts)
    if isinstance(node, Compare):
        return f"{node.column} {node.sign} {node.value}"
    return f"{node.column} in ({', '.join(_literal(str(value)) for value in node.values)})"
