"""What every table reader gives: text cells under the file's own column names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass
class RawTable:
    """Text cells of one table as they lie in a file.

    Attributes:
        name: file name relative to the catalogue; a sheet follows as ``book.xlsx#Sheet1``.
        columns: the header's names, stripped; two may be equal.
        frame: (n, len(columns)) object, str cells, stripped; columns are 0, 1, ....
        lines: (n,) int, the line or record each row begins on, from 1.
        mended: ``(row, what was done)`` of malformed rows that were repaired.
        form: format, delimiter and encoding in words, such as ``CSV, semicolons, UTF-8``.
        notes: what else a user should know of the reading.
        folders: (n,) the folder each row's file lies in, where they are from several files.
        derived: places of columns that are from another table, and no column of this one's own.
    """

    name: str
    columns: list[str]
    frame: pd.DataFrame
    lines: np.ndarray
    mended: list[tuple[int, str]] = field(default_factory=list)
    form: str = ""
    notes: list[str] = field(default_factory=list)
    folders: list[str] | None = None
    derived: set[int] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def rows(self) -> list[dict[str, str]]:
        """One dict per row; of two columns of one name the later one."""
        cells = self.frame.itertuples(index=False, name=None)
        return [dict(zip(self.columns, row, strict=True)) for row in cells]

    def cells(self, place: int) -> pd.Series:
        """(n,) str: one column by its place."""
        return self.frame[place]


def make_table(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[str]], lines: Sequence[int]
) -> RawTable:
    """A table of stripped cells from rows that are all as long as ``columns``."""
    stripped = [column.strip() for column in columns]
    by_column = list(zip(*rows, strict=True)) or [() for _ in stripped]
    data = {
        place: pd.Series([cell.strip() for cell in cells], dtype=object)
        for place, cells in enumerate(by_column)
    }
    frame = pd.DataFrame(data, columns=range(len(stripped)))
    return RawTable(name, stripped, frame, np.asarray(lines, dtype=np.int64))


def table_of_records(
    name: str, records: Sequence[dict[str, str]], lines: Sequence[int] | None = None
) -> RawTable:
    """A table of dicts; columns in the order they are first met, "" where a record lacks one."""
    columns = list(dict.fromkeys(key for record in records for key in record))
    rows = ([record.get(column, "") for column in columns] for record in records)
    places = range(1, len(records) + 1) if lines is None else lines
    return make_table(name, columns, rows, list(places))


def find_header(records: Sequence[Sequence[str]]) -> int:
    """Place of the header among the first records: titles above it fill one cell alone.

    >>> find_header([["Export 2024", ""], ["id", "title"], ["1", "Dress"]])
    1
    """
    filled = [sum(bool(cell.strip()) for cell in record) for record in records]
    if not filled or max(filled) < 2:
        return 0
    return next(place for place, count in enumerate(filled) if count > 1)
