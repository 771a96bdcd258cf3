"""Plain text that holds a table: a CSV of another ending, or columns between blanks.

The In-shop lists of DeepFashion say the number of rows first, then the header::

    3
    image_name item_id evaluation_status
    img/WOMEN/Dresses/id_00000002/02_1_front.jpg id_00000002 train
"""

from __future__ import annotations

import re

from fashify.catalogue.readers.csv import read_csv
from fashify.catalogue.readers.encoding import decode_text
from fashify.catalogue.readers.table import RawTable, make_table
from fashify.errors import CatalogueError


def read_text(data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]:
    """Reads a text file that is a table.

    Raises:
        CatalogueError: it is none.
    """
    text, encoding = decode_text(data, name)
    lines = text.splitlines()
    if len(lines) > 2 and re.fullmatch(r"\s*\d+\s*", lines[0]) and len(lines[1].split()) >= 2:
        return [_count_columns(lines, name, encoding, rows)]
    (table,) = read_csv(data, name, rows=rows)
    if len(table.columns) < 2 or len(table) < 1 or len(table.mended) > 0.2 * len(table):
        raise CatalogueError(f"a table in {name}", "a text that is none", "export it as CSV")
    return [table]


def _count_columns(lines: list[str], name: str, encoding: str, rows: int | None) -> RawTable:
    columns = lines[1].split()
    most = len(columns) - 1
    body = [(at, line.split(None, most)) for at, line in enumerate(lines[2:], 3) if line.strip()]
    whole = [(at, fields) for at, fields in body if len(fields) == len(columns)][:rows]
    if len(whole) < len(body[:rows]) * 0.9:
        raise CatalogueError(f"a table in {name}", "a text that is none", "export it as CSV")
    table = make_table(name, columns, [fields for _, fields in whole], [at for at, _ in whole])
    table.form = f"text, columns between blanks, {encoding}"
    return table
