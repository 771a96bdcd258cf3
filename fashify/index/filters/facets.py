"""What a catalogue's own columns can be narrowed by: the values of few, the range of numbers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fashify.index.filters.columns import Columns, Typed

#: Most values of a column that are offered one by one.
MAX_VALUES = 12

#: Characters of the longest of them.
MAX_LENGTH = 40

#: Steps from one end of a range to the other, about.
_STEPS = 100

#: Numbers that name a product are no quantity of it.
_NAMES = re.compile(
    r"(^|[\W_])(ids?|sku|ean|gtin|upc|isbn|barcode|code|no|nr|index)($|[\W_])", re.I
)


@dataclass(frozen=True)
class Range:
    """The numbers of a column, for a slider.

    Attributes:
        low, high: of all products, outward to a multiple of ``step``.
        step: 1, 2 or 5 times a power of ten.
        unit: a price's currency, else "".
    """

    low: float
    high: float
    step: float
    unit: str = ""


def count_values(
    table: pd.DataFrame,
    types: Mapping[str, Typed],
    names: Iterable[str],
    where: np.ndarray | None = None,
) -> dict[str, dict[str, int]]:
    """How many products have each value of the columns that have few: ``{column: {value: n}}``.

    Args:
        table: (n, columns) catalogue rows.
        types: what the columns hold.
        names: the columns looked at; those of numbers, dates, links and many values are left out.
        where: (n,) bool, count these alone; which columns have few values is decided by all rows.
    """
    columns, found = Columns(table, types), {}
    for name in names:
        texts = _texts(columns, name)
        every = Counter(value for row in texts for value in row)
        repeated = len(every) < sum(every.values())
        if not (1 < len(every) <= MAX_VALUES and repeated and max(map(len, every)) <= MAX_LENGTH):
            continue
        rows = texts if where is None else [texts[place] for place in np.flatnonzero(where)]
        counts = Counter(value for row in rows for value in row)
        found[name] = dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    return found


def measure_ranges(
    table: pd.DataFrame, types: Mapping[str, Typed], names: Iterable[str]
) -> dict[str, Range]:
    """The range of each column of numbers or prices that has more than one value.

    >>> table = pd.DataFrame({"price": [9.9, 120.0], "sku": [17, 18]})
    >>> measure_ranges(table, Columns(table).types, ["price", "sku"])
    {'price': Range(low=8, high=120, step=2, unit='')}
    """
    found = {}
    for name in names:
        if types[name].kind not in ("number", "price") or _NAMES.search(name):
            continue
        numbers = table[name].to_numpy(dtype=float, na_value=np.nan)
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers) and numbers.min() < numbers.max():
            whole = bool((numbers == np.rint(numbers)).all())
            found[name] = _range(numbers.min(), numbers.max(), whole, types[name])
    return found


def _range(low: float, high: float, whole: bool, typed: Typed) -> Range:
    rough = (high - low) / _STEPS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    step = max(step, 1.0) if whole else step
    # Decimals of the step, so that 0.1 * 3 is no 0.30000000000000004.
    digits = max(0, -math.floor(math.log10(step)))
    ends = math.floor(low / step) * step, math.ceil(high / step) * step, step
    low, high, step = (_shorten_number(round(end, digits)) for end in ends)
    return Range(low, high, step, typed.unit if typed.kind == "price" else "")


def _shorten_number(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _texts(columns: Columns, name: str) -> list[tuple[str, ...]]:
    """Of each row its values as filters write them; none of kinds that are not offered."""
    kind = columns.type(name).kind
    if kind == "list":
        return columns.lists(name)
    cells = columns.table[name]
    if kind == "boolean":
        return [() if pd.isna(cell) else ("yes" if cell else "no",) for cell in cells]
    if kind not in ("text", "category"):
        return []
    return [(str(cell),) if isinstance(cell, str) and cell else () for cell in cells]
