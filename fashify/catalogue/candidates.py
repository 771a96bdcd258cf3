"""Tables of a source that could be the products': one file, or several of the same columns."""

from __future__ import annotations

import gzip
import io
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fashify.catalogue.files import PACKED, SETTINGS, Files, suffix_of
from fashify.catalogue.folders import SPLITS
from fashify.catalogue.picture_names import folder_of
from fashify.catalogue.readers import RawTable, read_text, reader_of, table_of_records
from fashify.catalogue.reading import TableReading
from fashify.errors import CatalogueError
from fashify.io.storage import Storage

#: Of a table that is only looked at: bytes and rows.
PEEK_BYTES, PEEK_ROWS = 1 << 18, 300

#: A table that is packed may grow to this.
MAX_UNPACKED = 8 << 30

#: One JSON file per product, where a folder has this many.
JSON_RECORDS = 3


_GOOD_NAMES = re.compile(
    r"product|item|article|style|catalog|artikel|produkt|produit|producto|prodott|商品|feed", re.I
)


@dataclass
class Candidate:
    """One table that could be the products', or several files of the same columns.

    Attributes:
        names: its files.
        raw: its beginning, or all of it.
        whole: whether ``raw`` is all of it.
        joined: share of its rows that name a picture.
        fields: how many of our labels it has.
        unique: share of the rows that name a picture of their own.
    """

    names: list[str]
    raw: RawTable
    whole: bool
    joined: float = 0.0
    fields: int = 0
    unique: float = 0.0

    @property
    def name(self) -> str:
        return self.raw.name if len(self.names) == 1 else " + ".join(self.names)

    def weight(self) -> tuple:
        """To sort by: the best first."""
        depth = min(name.count("/") for name in self.names)
        known = bool(_GOOD_NAMES.search(self.names[0].rpartition("/")[2]))
        records = "*" in self.names[0]
        return (
            not self.joined,
            -bool(self.fields),
            self.unique < 0.5,
            -self.fields,
            records,
            -round(self.joined, 1),
            depth,
            not known,
            self.names[0],
        )


def read_file(storage: Storage, name: str, *, rows: int | None = None) -> list[RawTable]:
    """All tables of one file, or with ``rows`` their beginnings.

    Raises:
        CatalogueError: it cannot be read.
        StorageError: the source does not give it.
    """
    packed = suffix_of(name) == PACKED
    inner = name[: -len(PACKED)] if packed else name
    reader = reader_of(inner)
    read = reader.read if reader else read_text
    by_parts = reader.by_parts if reader else True
    if rows is not None and by_parts and not packed:
        return read(storage.head(name, PEEK_BYTES), name, rows=rows)
    data = storage.read(name)
    if packed:
        data = _unpack(data, name)
    if not inner.lower().endswith((".xlsx", ".xlsm", ".zip")) and data.startswith(b"PK\x03\x04"):
        raise CatalogueError(
            f"text in {name}", "an archive or an Excel workbook", "give it the ending .xlsx"
        )
    return read(data, name, rows=rows)


def _unpack(data: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            plain = file.read(MAX_UNPACKED + 1)
    except (OSError, EOFError) as error:
        raise CatalogueError(
            f"a whole gzip file, {name}", str(error)[:80], "download it again"
        ) from error
    if len(plain) > MAX_UNPACKED:
        raise CatalogueError(f"{name} of at most 8 GB unpacked", "a larger one", "unpack it")
    return plain


Passed = list[tuple[TableReading, CatalogueError]]


def list_candidates(files: Files, storage: Storage) -> tuple[list[Candidate], Passed]:
    """Every table that can be read, files of the same columns together; and those that cannot."""
    singles = [name for name in files.tables if name.rpartition("/")[2] != SETTINGS]
    records = _record_folders(singles)
    singles = [name for name in singles if not any(name in names for names in records.values())]
    whole = len(singles) == 1
    found: list[Candidate] = []
    passed: Passed = []
    for name in singles:
        try:
            for raw in read_file(storage, name, rows=None if whole else PEEK_ROWS):
                found.append(Candidate([name], raw, whole or len(raw) < PEEK_ROWS // 2))
        except CatalogueError as error:
            if suffix_of(name) != ".txt":
                received = f"it cannot be read: {error.received}"
                passed.append((TableReading(name, "not read", None, False, received), error))
            files.others["texts and programs"] += [name] if suffix_of(name) == ".txt" else []
    for folder, names in records.items():
        joined = _records(storage, folder, names if not found else names[:PEEK_ROWS])
        if joined is not None:
            found.append(Candidate([f"{folder}*.json"], joined, not found))
    return _merge_parts(found), passed


def _record_folders(names: list[str]) -> dict[str, list[str]]:
    """Folders that hold one JSON file per product."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if suffix_of(name) == ".json":
            by_folder[folder_of(name)].append(name)
    return {folder: names for folder, names in by_folder.items() if len(names) >= JSON_RECORDS}


def _records(storage: Storage, folder: str, names: list[str]) -> RawTable | None:
    """One row per file, its id the file's name where it has none."""
    from fashify.catalogue.readers.json import read_record

    with ThreadPoolExecutor(storage.readers) as pool:
        read = list(pool.map(lambda name: read_record(storage.read(name)), names))
    if sum(record is None for record in read) > 0.1 * len(read):
        return None
    rows = [
        {"id": name.rpartition("/")[2].rpartition(".")[0], **record}
        for name, record in zip(names, read, strict=True)
        if record is not None
    ]
    raw = table_of_records(f"{folder}*.json", rows)
    raw.form = "JSON, a file a product"
    return raw


def _merge_parts(candidates: list[Candidate]) -> list[Candidate]:
    """Files of one set of columns whose names differ by a split or a number alone are one table."""
    groups: dict[tuple, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        name = candidate.names[0]
        groups[(tuple(candidate.raw.columns), _family(name))].append(candidate)
    merged = []
    for group in groups.values():
        first = group[0]
        first.names = [candidate.names[0] for candidate in group]
        first.whole &= len(group) == 1
        merged.append(first)
    return merged


def _family(name: str) -> str:
    """A file's name without numbers, and without folders and words that are parts of a split."""
    words = re.split(r"[^a-z]+", name.lower())
    return " ".join(word for word in words if word and word not in SPLITS and word != "of")


def read_whole(candidate: Candidate, storage: Storage) -> RawTable:
    """All rows of a candidate."""
    if candidate.whole and len(candidate.names) == 1:
        return candidate.raw
    if "*" in candidate.names[0]:
        return candidate.raw
    parts = []
    for name in candidate.names:
        sheets = read_file(storage, name)
        wanted = [raw for raw in sheets if raw.columns == candidate.raw.columns]
        parts.append(next((raw for raw in wanted if raw.name == candidate.raw.name), wanted[0]))
    return parts[0] if len(parts) == 1 else _concatenate(parts)


def _concatenate(parts: list[RawTable]) -> RawTable:
    """One table of several files, with the part of the split each row is from where names tell."""
    first = parts[0]
    frame = pd.concat([raw.frame for raw in parts], ignore_index=True)
    splits = [_split_word(raw.name) for raw in parts]
    columns = list(first.columns)
    if all(splits) and len(set(splits)) == len(parts) and "split" not in columns:
        columns.append("split")
        values = [word for word, raw in zip(splits, parts, strict=True) for _ in range(len(raw))]
        frame[len(columns) - 1] = pd.Series(values, dtype=object)
    starts = np.cumsum([0, *(len(raw) for raw in parts)])
    return RawTable(
        first.name,
        columns,
        frame,
        np.concatenate([raw.lines for raw in parts]),
        [
            (at + row, f"{raw.name}: {what}")
            for at, raw in zip(starts, parts, strict=False)
            for row, what in raw.mended
        ],
        first.form,
        [*first.notes, f"{len(parts)} files of the same columns read as one table"],
        [folder_of(raw.name) for raw in parts for _ in range(len(raw))],
    )


def _split_word(name: str) -> str:
    return next((word for word in re.split(r"[^a-z]+", name.lower()) if word in SPLITS), "")
