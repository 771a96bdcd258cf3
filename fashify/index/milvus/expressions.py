"""Filters as Milvus expressions whose values travel beside them, never pasted into the language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fashify.index.filters.tree import Among, Compare, Join, Node, Not
from fashify.index.milvus.rows import MISSING_NUMBER

_PLACE = re.compile(r"\{(\w+)\}")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True)
class Expression:
    """A condition on the rows of a collection.

    Attributes:
        template: in Milvus' language, with ``{name}`` where a value belongs; "" for everything.
        values: each name's value: a number, a text, or a list of them.
    """

    template: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def and_also(self, other: Expression) -> Expression:
        """Both conditions; their names must differ."""
        if not self.template or not other.template:
            return self if self.template else other
        template = f"({self.template}) and ({other.template})"
        return Expression(template, self.values | other.values)

    def literal(self) -> str:
        r"""The same with each value written out, for Milvus Lite, which takes none beside.

        >>> Expression("name in {a}", {"a": ['7" bag', "it's"]}).literal()
        'name in ["7\\" bag", "it\'s"]'
        """
        return _PLACE.sub(lambda match: _write_literal(self.values[match[1]]), self.template)


def expression_of(node: Node) -> Expression:
    """A resolved filter as an expression."""
    values: dict[str, Any] = {}

    def place(value: Any) -> str:
        name = f"value{len(values)}"
        values[name] = value
        return f"{{{name}}}"

    template = _template(node, place)
    return Expression(template, values)


def slots_among(slots: np.ndarray, *, outside: bool = False) -> Expression:
    """The rows of these (m,) slots, or all others."""
    word = "not in" if outside else "in"
    return Expression(f"slot {word} {{slots}}", {"slots": slots.tolist()})


def slots_from(start: int, stop: int) -> Expression:
    """The rows of slots from ``start`` up to but not including ``stop``."""
    template = "slot >= {first_slot} and slot < {end_slot}"
    return Expression(template, {"first_slot": start, "end_slot": stop})


EVERYTHING = Expression()
NOTHING = slots_among(np.empty(0, np.int64))


def _template(node: Node, place: Callable[[Any], str]) -> str:
    if isinstance(node, Not):
        return f"not ({_template(node.part, place)})"
    if isinstance(node, Join):
        return f" {node.word} ".join(f"({_template(part, place)})" for part in node.parts)
    if isinstance(node, Compare):
        bound = f"{node.column} {node.sign} {place(node.value)}"
        return f"{bound} and {node.column} != {place(MISSING_NUMBER)}"
    assert isinstance(node, Among), "a resolved tree has no Contains"
    if not node.values:
        return f"slot < {place(0)}"
    return f"{node.column} in {place([_to_plain(value) for value in node.values])}"


def _to_plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _write_literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_write_literal, value))}]"
    if isinstance(value, str):
        return '"' + "".join(_ESCAPES.get(letter, letter) for letter in value) + '"'
    return repr(value)
