"""Table readers, one file per format. A new one: a function and its endings, named here.

``tests/contract/test_readers_contract.py`` takes up every reader by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from fashify.catalogue.readers import csv, excel, json, jsonl, parquet, xml
from fashify.catalogue.readers.plain_list import read_text
from fashify.catalogue.readers.table import RawTable, make_table, table_of_records

__all__ = [
    "READERS",
    "RawTable",
    "Reader",
    "make_table",
    "read_text",
    "reader_of",
    "table_of_records",
]


class ReadTables(Protocol):
    """Bytes of a file and its name to its tables; ``rows`` reads only that many."""

    def __call__(self, data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]: ...


@dataclass(frozen=True)
class Reader:
    """One format.

    Attributes:
        name: as messages say it.
        suffixes: endings, lower case with their dot.
        read: the function.
        by_parts: the beginning of a file can be read on its own.
    """

    name: str
    suffixes: tuple[str, ...]
    read: ReadTables
    by_parts: bool = False


READERS = (
    Reader("CSV", csv.SUFFIXES, csv.read_csv, by_parts=True),
    Reader("Excel", excel.SUFFIXES, excel.read_excel),
    Reader("Parquet", parquet.SUFFIXES, parquet.read_parquet),
    Reader("JSON Lines", jsonl.SUFFIXES, jsonl.read_jsonl, by_parts=True),
    Reader("JSON", json.SUFFIXES, json.read_json),
    Reader("XML", xml.SUFFIXES, xml.read_xml),
)

_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}


def reader_of(name: str) -> Reader | None:
    """The reader of a file's ending, or ``None``."""
    return _BY_SUFFIX.get(PurePosixPath(name).suffix.lower())
