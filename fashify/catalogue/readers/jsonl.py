"""JSON Lines: one object per line, as Hugging Face's ``metadata.jsonl`` has it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

from fashify.catalogue.readers.encoding import decode_text
from fashify.catalogue.readers.plain_text import flatten
from fashify.catalogue.readers.table import RawTable, table_of_records
from fashify.errors import CatalogueError

SUFFIXES = (".jsonl", ".ndjson")


def read_jsonl(data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]:
    """Reads one product per line; with ``rows`` only the first ``rows`` of them.

    Raises:
        CatalogueError: a line that is no object; its number is named.
    """
    text, encoding = decode_text(data, name)
    records: list[dict[str, str]] = []
    places: list[int] = []
    for place, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        if rows is not None and (len(records) >= rows or not line.endswith("\n")):
            break
        records.append(flatten(_object(line, name, place)))
        places.append(place)
    if not records:
        raise CatalogueError(f"one JSON object a line in {name}", "none", "add the products")
    table = table_of_records(name, records, places)
    table.form = f"JSON Lines, {encoding}"
    return [table]


def _object(line: str, name: str, place: int) -> Mapping:
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError):
        value = None
    if not isinstance(value, Mapping):
        raise CatalogueError(
            f"one JSON object a line in {name}",
            f"{line.strip()[:60]!r} on line {place}",
            "mend that line",
        )
    return value
