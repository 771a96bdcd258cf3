"""CSV and its relatives: every row kept, mended where it must be, and said so.

Read by RFC 4180 first: a quoted cell may hold delimiters and as many lines as it likes. Only a
record that this reading cannot make whole is looked at again, line by line: an unquoted delimiter
or a stray quote is mended and the row named. ``pandas.read_csv(on_bad_lines="skip")`` loses such
rows.
"""

from __future__ import annotations

import csv
import io
import re
import sys
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

from fashify.catalogue.readers.encoding import decode_text
from fashify.catalogue.readers.table import RawTable, make_table
from fashify.errors import CatalogueError

SUFFIXES = (".csv", ".tsv", ".tab", ".psv")

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}

#: Lines a stray quote may swallow before a record is mended by its first line alone.
MAX_RECORD_LINES = 50

#: Characters measured to find the delimiter.
SAMPLE = 1 << 17

_PICTURE = re.compile(r"\.(jpe?g|png|webp|gif|bmp|tiff?|avif|heic|jxl)$", re.IGNORECASE)

_limit = threading.Lock()


def read_csv(data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]:
    """Parses a CSV without losing a row.

    Args:
        data: the file's bytes; with ``rows`` its beginning is enough.
        name: the file's name, for messages.
        rows: read only that many.

    Raises:
        CatalogueError: empty or binary.
    """
    text, encoding = decode_text(data, name)
    announced = re.match(r"\s*\"?sep=(.)\"?\s*?(\r\n|\n|\r)", text)
    skipped = announced.end() if announced else 0
    delimiter = announced[1] if announced else find_delimiter(text[:SAMPLE])
    before = text[:skipped].count("\n")
    # Not splitlines: it also splits at characters that may stand inside a product's name.
    source = text[skipped:] if skipped else text
    lines = list(io.StringIO(source if rows is None else source[: SAMPLE * 4], newline=""))
    records = _Records(lines, delimiter)
    with _cells_of_any_length():
        table = _table(records, name, before, rows)
    words = DELIMITERS.get(delimiter, repr(delimiter)) if len(table.columns) > 1 else "one column"
    table.form = f"CSV, {words}, {encoding}"
    return [table]


def find_delimiter(sample: str) -> str:
    """The delimiter under which most records have as many fields as the header, two or more."""
    lines = list(io.StringIO(sample, newline=""))
    if len(sample) >= SAMPLE:
        lines = lines[:-1]  # The last one is cut.
    scores = {delimiter: _agreement(lines[:400], delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=lambda delimiter: scores[delimiter])
    return best if scores[best][0] > 0 else ","


def _agreement(lines: list[str], delimiter: str) -> tuple[float, int]:
    """Share of records as wide as most (at least two), and that width."""
    try:
        read = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        read = [line.split(delimiter) for line in lines]
    widths = Counter(len(fields) for fields in read if any(cell.strip() for cell in fields))
    wide = {width: count for width, count in widths.items() if width > 1}
    if not wide:
        return 0.0, 0
    # The header decides where rows have commas of their own.
    first = next(len(fields) for fields in read if any(cell.strip() for cell in fields))
    width = first if first in wide else max(wide, key=lambda w: (wide[w], w))
    # Rows cut short are rows of the header's table too.
    fit = sum(wide[w] for w in wide if w <= first) if width == first else wide[width]
    share = fit / sum(widths.values())
    return round(share, 1), width


@contextmanager
def _cells_of_any_length() -> Iterator[None]:
    """The csv module refuses cells over 131,072 characters; its limit is one for all threads."""
    with _limit:
        before = csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _table(records: _Records, name: str, before: int, most: int | None) -> RawTable:
    rows: list[list[str]] = []
    lines: list[int] = []
    mended: list[tuple[int, str]] = []
    columns: list[str] | None = None
    notes: list[str] = []
    for line, fields in records:
        if columns is None:
            if _is_title(fields, records):
                notes.append(f"line {line + before} is a title above the table: {fields[0][:60]!r}")
                continue
            columns, own, note = _header(fields, records)
            records.wanted = len(columns)
            notes += [note] if note else []
            if not own:
                continue
        what = records.what
        if len(fields) != len(columns):
            fields, what = _fit_fields(fields, len(columns), records.delimiter)
        if what:
            mended.append((len(rows), what))
        rows.append(fields)
        lines.append(line + before)
        if most is not None and len(rows) >= most:
            break
    if columns is None:
        raise CatalogueError(
            f"a table in {name}", "an empty file", "give it a header line and one row a product"
        )
    table = make_table(name, columns, rows, lines)
    table.mended, table.notes = mended, notes
    return table


def _is_title(fields: list[str], records: _Records) -> bool:
    """Whether a record above the header fills one cell where most others fill several."""
    if sum(bool(cell.strip()) for cell in fields) != 1:
        return False
    width = _agreement(records.lines[:200], records.delimiter)[1]
    return width > 1 and bool(fields[0].strip())


def _is_filled(records: _Records, place: int) -> bool:
    """Whether rows have something in a column that the header does not name."""
    try:
        read = list(csv.reader(records.lines[:200], delimiter=records.delimiter))
    except csv.Error:
        return False
    return any(len(fields) > place and fields[place].strip() for fields in read)


def _header(fields: list[str], records: _Records) -> tuple[list[str], bool, str]:
    """Column names, whether this record is a row already, and what to say of it."""
    if any(_PICTURE.search(cell.strip()) for cell in fields):
        names = [f"column {place}" for place in range(1, len(fields) + 1)]
        return names, True, "no header line: the first line names a picture already"
    while len(fields) > 1 and not fields[-1].strip() and not _is_filled(records, len(fields) - 1):
        fields = fields[:-1]  # Spreadsheets end lines with the delimiters of empty columns.
    return fields, False, ""


def _fit_fields(fields: list[str], wanted: int, delimiter: str) -> tuple[list[str], str]:
    """As many fields as the header has, and what was done for it; "" for empty cells too many."""
    got = len(fields)
    if got < wanted:
        what = f"{got} fields of {wanted}, the rest left empty"
        return fields + [""] * (wanted - got), what
    if not any(cell.strip() for cell in fields[wanted:]):
        return fields[:wanted], ""
    # The name is the last column, and the only free text: the comma was its own.
    joined = delimiter.join(fields[wanted - 1 :])
    return [*fields[: wanted - 1], joined], f"{got} fields, the surplus joined into the last"


class _Records:
    """``(line number, fields)`` of every record that is not blank; the first is the header.

    Attributes:
        wanted: fields of the header, set by whoever has read it; 0 before.
        what: how the record at hand was mended, "" where it was whole.
    """

    def __init__(self, lines: list[str], delimiter: str) -> None:
        self.lines, self.delimiter = lines, delimiter
        self.wanted, self.what = 0, ""

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        at = 0
        while at < len(self.lines):
            at = yield from self._read_whole_records(at)
            if at < len(self.lines):
                taken, fields = self._mend(at)
                if any(map(str.strip, fields)):
                    yield at + 1, fields
                    self.what = ""
                at += taken

    def _read_whole_records(self, at: int) -> Generator[tuple[int, list[str]], None, int]:
        """Records by RFC 4180; returns the line of the first that is not one."""
        ahead = map(self.lines.__getitem__, range(at, len(self.lines)))
        reader = csv.reader(ahead, delimiter=self.delimiter, strict=True)
        start = at
        try:
            for fields in reader:
                wanted = self.wanted
                if wanted and len(fields) != wanted and any(map(str.strip, fields[wanted:] or "x")):
                    if any(map(str.strip, fields)):
                        return start
                elif any(map(str.strip, fields)):
                    yield start + 1, fields
                start = at + reader.line_num
        except csv.Error:
            return start
        return len(self.lines)

    def _mend(self, at: int) -> tuple[int, list[str]]:
        """How many lines the record at ``at`` takes, and its fields."""
        text, wanted = self.lines[at], self.wanted
        if '"' not in text:
            return 1, text.rstrip("\r\n").split(self.delimiter)
        escaped = self._parse_record(text, escapechar="\\", doublequote=False)
        if "\\" in text and len(escaped) == wanted:
            self.what = "quotes escaped by a backslash"
            return 1, escaped
        odd = text.count('"') % 2 == 1
        joined = self._join_lines(at) if odd else None
        if joined is not None:
            return joined
        fields = self._parse_record(text)
        if not fields or (odd and len(fields) != wanted):
            fields = text.rstrip("\r\n").split(self.delimiter)
        self.what = "a stray quote kept as text"
        return 1, fields

    def _join_lines(self, at: int) -> tuple[int, list[str]] | None:
        """The record over several lines, where it is one and whole."""
        text, wanted = self.lines[at], self.wanted
        whole = text.count(self.delimiter) >= wanted - 1
        for extra in range(1, min(MAX_RECORD_LINES, len(self.lines) - at)):
            line = self.lines[at + extra]
            if whole and self._starts_a_row(line):
                return None  # Two rows, each with all its fields: the quote was a stray one.
            text += line
            if text.count('"') % 2 == 0:
                fields = self._parse_record(text, strict=True)
                whole_record = fields and (len(fields) == wanted or not wanted)
                return (extra + 1, fields) if whole_record else None
        return None

    def _starts_a_row(self, line: str) -> bool:
        """Whether a line looks like a row of its own: a number first, and fields enough."""
        mark = re.escape(self.delimiter)
        enough = line.count(self.delimiter) >= self.wanted - 1
        return enough and re.match(rf'\s*"?\d+(\.0)?"?{mark}', line) is not None

    def _parse_record(self, text: str, **dialect: Any) -> list[str]:
        """The fields of one record; none where ``text`` is not one record as a whole."""
        lines = list(io.StringIO(text, newline=""))
        reader = csv.reader(lines, delimiter=self.delimiter, **dialect)
        try:
            fields = next(reader, [])
        except csv.Error:
            return []
        return fields if reader.line_num == len(lines) else []
