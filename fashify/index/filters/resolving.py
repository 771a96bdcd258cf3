"""A filter in the catalogue's own spelling: names, values and what each column can be asked."""

from __future__ import annotations

import calendar
import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from fashify.errors import QueryError
from fashify.index.filters.columns import ORDERED, Columns
from fashify.index.filters.tree import Among, Compare, Contains, Join, Node, Not, plain

_YES = ("true", "yes", "1", "y")
_NO = ("false", "no", "0", "n")
_PERIOD = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def resolve(node: Node, table: Columns) -> Node:
    """The tree in the table's own spelling, with values of the columns' own types.

    Raises:
        QueryError: a column, a value or a comparison that the table does not have.
    """
    if isinstance(node, Not):
        return Not(resolve(node.part, table))
    if isinstance(node, Join):
        return Join(node.word, tuple(resolve(part, table) for part in node.parts))
    column = table.find(node.column)
    if isinstance(node, Contains):
        return _resolve_text(column, node.text, table)
    if isinstance(node, Compare):
        return _resolve_compare(column, node.sign, node.value, table)
    return _resolve_values(column, node.values, table)


def _resolve_values(column: str, values: tuple[Any, ...], table: Columns) -> Node:
    kind = table.type(column).kind
    if kind == "date":
        parts = tuple(_within(column, _period(column, value)) for value in values)
        return parts[0] if len(parts) == 1 else Join("or", parts)
    if kind == "boolean":
        return Among(column, tuple(_truth(column, value) for value in values))
    if kind in ORDERED:
        cells = table.table[column].dropna().unique()
        numbers = {float(cell): cell for cell in cells}
        return Among(column, tuple(_as_number(column, one, numbers, table) for one in values))
    present = _texts(column, table)
    return Among(column, tuple(_match_spelling(column, value, present) for value in values))


def _resolve_compare(column: str, sign: str, value: Any, table: Columns) -> Node:
    kind = table.type(column).kind
    if kind not in ORDERED:
        raise QueryError(
            f"{sign} on a column of numbers or dates", f"{kind} column {column!r}", "use = or in"
        )
    if kind == "date":
        first, last = _period(column, value)
        # Before a month is before its first day, after it after its last.
        return Compare(column, sign, first if sign in ("<", ">=") else last)
    return Compare(column, sign, _number(column, value, table))


def _resolve_text(column: str, text: str, table: Columns) -> Node:
    kind = table.type(column).kind
    if kind in ORDERED or kind == "boolean":
        raise QueryError(
            "contains on a column of text or lists", f"{kind} column {column!r}", "use = or in"
        )
    present, wanted = _texts(column, table), text.casefold()
    if kind == "list":
        alike = tuple(value for value in present if value.casefold() == wanted)
        return Among(column, alike or (_match_spelling(column, text, present),))
    return Among(column, tuple(one for name, one in present.items() if wanted in name.casefold()))


def _texts(column: str, table: Columns) -> dict[str, Any]:
    """The column's distinct values by their text; of lists the values in them."""
    if table.type(column).kind == "list":
        return {value: value for row in table.lists(column) for value in row}
    return {str(value): value for value in table.table[column].dropna().unique()}


def _as_number(column: str, value: Any, present: Mapping[float, Any], table: Columns) -> Any:
    number = _number(column, value, table, strict=False)
    if number not in present:
        raise _unknown_value(column, value, [plain(one) for one in sorted(present)])
    return plain(float(number))


def _number(column: str, value: Any, table: Columns, *, strict: bool = True) -> float:
    """The number a value is; a price's own currency may stand on either side of it."""
    text, unit = str(value).strip(), table.type(column).unit
    if unit and unit.casefold() in text.casefold():
        text = re.sub(re.escape(unit), "", text, flags=re.IGNORECASE).strip()
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number) and strict:
        said = f"a number for {column!r}" + (f", in {unit}" if unit else "")
        raise QueryError(said, repr(str(value)), f"write it like: {column} < 20")
    return number if math.isnan(number) else plain(number)


def _truth(column: str, value: Any) -> bool:
    text = str(value).casefold()
    if text not in (*_YES, *_NO):
        raise QueryError(f"true or false for {column!r}", repr(value), f"write {column} = true")
    return text in _YES


def _period(column: str, value: Any) -> tuple[str, str]:
    """First and last day of a year, a month or a day."""
    match = _PERIOD.fullmatch(str(value).strip())
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part) if part else 0 for part in match.groups())
        last_month = month or 12
        days = calendar.monthrange(year, last_month)[1]
        if day > days:
            raise ValueError
    except ValueError:
        raise QueryError(
            f"a date for {column!r} such as 2024-05-31, 2024-05 or 2024", repr(value), "write it so"
        ) from None
    first = f"{year:04}-{month or 1:02}-{day or 1:02}"
    return first, f"{year:04}-{last_month:02}-{day or days:02}"


def _within(column: str, period: tuple[str, str]) -> Node:
    first, last = period
    return Join("and", (Compare(column, ">=", first), Compare(column, "<=", last)))


def _match_spelling(column: str, value: Any, present: Mapping[str, Any]) -> Any:
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
