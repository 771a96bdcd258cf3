"""Product tables as they come: every row kept, mended where it can be, and said so.

A CSV in the wild holds unquoted commas, stray quotes, byte order marks and foreign
encodings. ``pandas.read_csv(on_bad_lines="skip")`` answers by losing rows; here a row
with surplus fields has them joined into its last column, the product's name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from fashify.errors import CatalogueError

#: A quoted field may run over lines; beyond this it is a stray quote.
MAX_RECORD_LINES = 50


@dataclass
class RawTable:
    """Text rows of one CSV.

    Attributes:
        columns: the header's names, stripped.
        rows: one dict of str a row, every column present, stripped.
        lines: the line number of each row in the file, from 1.
        mended: ``(row position, what was done)`` of rows that were malformed.
    """

    columns: list[str]
    rows: list[dict[str, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    mended: list[tuple[int, str]] = field(default_factory=list)


def read_csv_table(data: bytes, name: str) -> RawTable:
    """Parses a CSV without losing a row.

    Args:
        data: the file's bytes in UTF-8 (with or without a byte order mark), UTF-16 with
            one, or Windows-1252.
        name: the file's name, for messages.

    Raises:
        CatalogueError: empty, binary, or with a header that names a column twice.
    """
    # Not splitlines: it also splits at characters that may stand inside a product's name.
    records = _records(list(io.StringIO(_text(data, name), newline="")))
    first = next(records, None)
    if first is None:
        raise CatalogueError(
            f"a table in {name}", "an empty file", "give it a header line and one row a product"
        )
    table = RawTable(_header(first[1], name))
    for line, fields in records:
        _append(table, line, fields)
    return table


def _text(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\x00" in data[:65536]:
        raise CatalogueError(f"text in {name}", "binary data", "export the table as UTF-8 CSV")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _header(fields: list[str], name: str) -> list[str]:
    columns = [text.strip() for text in fields]
    doubled = sorted({text for text in columns if text and columns.count(text) > 1})
    if doubled:
        raise CatalogueError(
            f"each column of {name} once", f"{doubled[0]!r} twice", "rename one of the two"
        )
    return columns


def _append(table: RawTable, line: int, fields: list[str]) -> None:
    wanted, got = len(table.columns), len(fields)
    if got > wanted:
        # The name is the last column, and the only free text: the comma was its own.
        fields = [*fields[: wanted - 1], ",".join(fields[wanted - 1 :])]
        table.mended.append((len(table.rows), f"{got} fields, the surplus joined into the last"))
    elif got < wanted:
        fields = fields + [""] * (wanted - got)
        table.mended.append((len(table.rows), f"{got} fields of {wanted}, the rest left empty"))
    values = (text.strip() for text in fields)
    table.rows.append(dict(zip(table.columns, values, strict=True)))
    table.lines.append(line)


def _records(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """``(line number, fields)`` of every record that is not blank; the first is the header."""
    at = wanted = 0
    while at < len(lines):
        taken, fields = _record(lines, at, wanted)
        if any(text.strip() for text in fields):
            wanted = wanted or len(fields)
            yield at + 1, fields
        at += taken


def _record(lines: list[str], at: int, wanted: int) -> tuple[int, list[str]]:
    """How many lines the record at ``at`` takes, and its fields.

    Args:
        wanted: fields of the header; 0 when this is the header itself.
    """
    text = lines[at]
    if '"' not in text:
        return 1, text.rstrip("\r\n").split(",")
    odd, whole = text.count('"') % 2 == 1, text.count(",") >= wanted - 1
    for extra in range(1, min(MAX_RECORD_LINES, len(lines) - at) if odd else 0):
        if whole and _starts_a_row(lines[at + extra], wanted):
            break  # Two rows, each with all its fields: the quote was a stray one.
        text += lines[at + extra]
        if text.count('"') % 2 == 0:
            fields = _parsed(text, strict=True)
            if fields and (len(fields) == wanted or not wanted):
                return extra + 1, fields
            break
    fields = _parsed(lines[at])
    if not fields or (odd and len(fields) != wanted):
        fields = lines[at].rstrip("\r\n").split(",")
    return 1, fields


def _starts_a_row(line: str, wanted: int) -> bool:
    """Whether a line looks like a row of its own: a number first, and fields enough."""
    return line.count(",") >= wanted - 1 and re.match(r'\s*"?\d+(\.0)?"?,', line) is not None


def _parsed(text: str, *, strict: bool = False) -> list[str]:
    """The fields of one record; none where ``text`` is not one record as a whole."""
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=strict)
    try:
        fields = next(reader, [])
    except csv.Error:  # Not strictly a record, or a cell beyond the csv module's limit.
        return []
    return fields if reader.line_num == len(lines) else []
