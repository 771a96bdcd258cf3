"""The tree of a filter: its nodes, which rows of a table pass it, and its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fashify.index.filters.columns import Columns

ORDER = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}

#: Words of the language, to be quoted where they stand for themselves.
KEYWORDS = ("and", "or", "not", "in")


@dataclass(frozen=True)
class Among:
    """``column`` has one of ``values``; a list has one of them among its own."""

    column: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Contains:
    """The text in ``column`` has ``text`` in it, whatever its case; a list has it as a value."""

    column: str
    text: str


@dataclass(frozen=True)
class Compare:
    """``column`` is on the given side of a number or day; ``sign`` is one of < <= > >=."""

    column: str
    sign: str
    value: float | str


@dataclass(frozen=True)
class Not:
    """Whatever ``part`` leaves out."""

    part: Node


@dataclass(frozen=True)
class Join:
    """All of ``parts`` (``word`` "and"; of none: everything) or any of them ("or")."""

    word: str
    parts: tuple[Node, ...]


Node = Among | Contains | Compare | Not | Join


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


def mask(node: Node, table: Columns) -> np.ndarray:
    """(n,) bool: the rows of the table that pass a resolved tree."""
    if isinstance(node, Not):
        return ~mask(node.part, table)
    if isinstance(node, Join):
        combine = np.logical_and if node.word == "and" else np.logical_or
        start = np.full(len(table.table), node.word == "and")
        return combine.reduce([start, *(mask(part, table) for part in node.parts)])
    if isinstance(node, Compare):
        return _on_its_side(node, table)
    assert isinstance(node, Among), "a resolved tree has no Contains"
    if table.type(node.column).kind == "list":
        wanted = set(node.values)
        return np.array([not wanted.isdisjoint(row) for row in table.lists(node.column)], bool)
    return table.table[node.column].isin(list(node.values)).fillna(False).to_numpy(dtype=bool)


def _on_its_side(node: Compare, table: Columns) -> np.ndarray:
    if isinstance(node.value, str):
        days = table.days(node.column)
        return ORDER[node.sign](days, node.value) & (days != "")
    numbers = table.table[node.column].to_numpy(dtype=float, na_value=np.nan)
    return ORDER[node.sign](numbers, node.value)


def text(node: Node) -> str:
    """A tree as text that parses to the same."""
    if isinstance(node, Not):
        return f"not ({text(node.part)})"
    if isinstance(node, Join):
        return f" {node.word} ".join(f"({text(part)})" for part in node.parts)
    name = _name(node.column)
    if isinstance(node, Contains):
        return f"{name} contains {_quote(node.text)}"
    if isinstance(node, Compare):
        return f"{name} {node.sign} {node.value}"
    return f"{name} in ({', '.join(_quote(str(value)) for value in node.values)})"


def _name(column: str) -> str:
    bare = column.isidentifier() and column.lower() not in KEYWORDS
    return column if bare else _quote(column)


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
