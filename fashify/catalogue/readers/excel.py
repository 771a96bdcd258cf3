"""Excel workbooks, one table per sheet, read by openpyxl."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from typing import Any

from fashify.catalogue.readers.plain_text import as_text
from fashify.catalogue.readers.table import RawTable, find_header, make_table
from fashify.errors import CatalogueError

SUFFIXES = (".xlsx", ".xlsm", ".xltx")


def read_excel(data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]:
    """Every sheet that has two rows or more.

    A cell shown as ``0108775015`` by a number format of zeros keeps them; the values of
    formulas are those that Excel saved.

    Raises:
        CatalogueError: no workbook, or an empty one.
    """
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            tables = [_sheet(book[title], name, rows) for title in book.sheetnames]
    except Exception as error:  # openpyxl lets through what zipfile and XML raise.
        raise CatalogueError(
            f"an Excel workbook in {name}",
            f"a file that is none ({_describe_failure(data, error)})",
            "save it as .xlsx in Excel again, or as CSV UTF-8",
        ) from error
    found = [table for table in tables if table is not None]
    if not found:
        raise CatalogueError(f"a table in {name}", "empty sheets", "add the products")
    if len(found) > 1:
        for table, title in zip(tables, book.sheetnames, strict=True):
            if table is not None:
                table.name = f"{name}#{title}"
    return found


def _describe_failure(data: bytes, error: Exception) -> str:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "an old .xls or one with a password"
    return " ".join(str(error).split())[:80]


def _sheet(sheet: Any, name: str, most: int | None) -> RawTable | None:
    if not hasattr(sheet, "iter_rows"):  # A sheet that is a chart.
        return None
    records = list(_records(sheet, most))
    above = find_header([row for _, row in records[:20]])
    titles, records = records[:above], records[above:]
    if len(records) < 2:
        return None
    header = records[0][1]
    while header and not header[-1].strip():
        header = header[:-1]
    width = max([len(header), *(_width(row) for _, row in records[1:])])
    columns = header + [""] * (width - len(header))
    rows = [(row + [""] * width)[:width] for _, row in records[1:]]
    table = make_table(name, columns, rows, [line for line, _ in records[1:]])
    table.form = "Excel"
    table.notes = [
        f"row {line} is a title above the table: {row[0][:60]!r}" for line, row in titles
    ]
    return table


def _width(row: list[str]) -> int:
    return max((place for place, cell in enumerate(row, start=1) if cell.strip()), default=0)


def _records(sheet: Any, most: int | None) -> Iterator[tuple[int, list[str]]]:
    """``(row number, texts)`` of rows that are not blank."""
    found = 0
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        texts = [_text(cell) for cell in cells]
        if any(text.strip() for text in texts):
            yield line, texts
            found += 1
        if most is not None and found > most:
            return


def _text(cell: Any) -> str:
    value = cell.value
    zeros = getattr(cell, "number_format", "") or ""
    if isinstance(value, int | float) and re.fullmatch(r"0{2,}", zeros):
        return str(int(value)).zfill(len(zeros))
    return as_text(value)
