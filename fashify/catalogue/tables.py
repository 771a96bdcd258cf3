"""Finds the table of the products among all the tables of a source, and says why it is that one."""

from __future__ import annotations

import gzip
import io
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fashify.catalogue.files import PACKED, SETTINGS, UNREADABLE_TABLES, Files, suffix_of
from fashify.catalogue.folders import SPLITS
from fashify.catalogue.joining import PictureFinder, folder_of
from fashify.catalogue.mapping import map_columns
from fashify.catalogue.options import NO_TABLE, Options
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

_LABELS = ("name", "article_type", "sub_category", "master_category", "base_colour", "gender")

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


@dataclass
class Found:
    """The table of a source.

    Attributes:
        raw: the chosen table, or ``None``.
        tables: every table that was found, the chosen first; without columns yet.
        notes: sentences for the reading.
    """

    raw: RawTable | None = None
    tables: list[TableReading] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_table(files: Files, storage: Storage, options: Options) -> Found:
    """Chooses the products' table.

    Raises:
        CatalogueError: the one named is not there; the only one cannot be read; of several none
            names the pictures.
    """
    if options.table == NO_TABLE:
        return Found(notes=["no table, as asked for"])
    if options.table:
        return _find_named(files, storage, options.table)
    candidates, passed = _candidates(files, storage)
    if not candidates:
        _refuse_unreadable(files, passed)
        return Found(tables=[reading for reading, _ in passed])
    others = [reading for reading, _ in passed]
    if len(candidates) == 1:
        raw = _read_whole(candidates[0], storage)
        return Found(raw, [_reading(candidates[0], raw, "the only table"), *others])
    _measure(candidates, files, options)
    candidates.sort(key=Candidate.weight)
    best = candidates[0]
    linked = _link(candidates, storage)
    if linked is not None:
        raw, main, why = linked
        rest = [c for c in candidates if c is not main]
        tables = [_reading(main, raw, why)] + [_pass_over(c, main) for c in rest]
        return Found(raw, tables + others)
    if not best.joined and sum(bool(c.fields) for c in candidates) != 1:
        raise CatalogueError(
            "a table whose rows name the pictures",
            f"{len(candidates)} that do not: {', '.join(c.name for c in candidates[:6])}",
            "name the right one with --table, or --table none to go by folders alone",
        )
    if not best.joined:
        best = next(c for c in candidates if c.fields)
    raw = _read_whole(best, storage)
    why = f"{_facts(best)}; --table decides otherwise"
    tables = [_reading(best, raw, why)] + [_pass_over(c, best) for c in candidates if c is not best]
    return Found(raw, tables + others)


def _facts(candidate: Candidate) -> str:
    share = f"{candidate.joined:.0%} of its rows name pictures"
    return f"{share}, it has {candidate.fields} of our labels"


def _pass_over(candidate: Candidate, best: Candidate) -> TableReading:
    rows = len(candidate.raw) if candidate.whole else None
    why = f"{_facts(candidate)}; the products are from {best.name}"
    return TableReading(candidate.name, candidate.raw.form, rows, False, why)


def _reading(candidate: Candidate, raw: RawTable, why: str) -> TableReading:
    return TableReading(candidate.name, raw.form, len(raw), True, why)


def _refuse_unreadable(files: Files, passed: list[tuple[TableReading, CatalogueError]]) -> None:
    """A table that cannot be read is an error, not a catalogue without labels."""
    for reading, error in passed:
        if suffix_of(reading.name) not in (".json", ".txt", ".xml", ".jsonl"):
            raise error
    unreadable = files.others.get(UNREADABLE_TABLES, [])
    if unreadable:
        raise CatalogueError(
            "a table as CSV, Excel (.xlsx), Parquet, JSON or XML",
            ", ".join(unreadable[:3]),
            "save it as one of these, or give --table none to go by the pictures alone",
        )


def _find_named(files: Files, storage: Storage, table: str) -> Found:
    file, _, sheet = table.partition("#")
    spellings = (
        lambda name: name,
        lambda name: name.rpartition("/")[2],
        lambda name: name.rpartition("/")[2].rpartition(".")[0],
    )
    unreadable = files.others.get(UNREADABLE_TABLES, [])
    for spell in spellings:
        names = [name for name in files.tables if spell(name) == file.removeprefix("./")]
        if names:
            break
    else:
        known = ", ".join([*files.tables[:8], *unreadable[:4]]) or "none at all"
        raise CatalogueError(
            f"a table of {storage.url} ({known})", repr(table), "name one of these"
        )
    sheets = read_file(storage, names[0])
    chosen = [raw for raw in sheets if not sheet or raw.name.endswith(f"#{sheet}")]
    if not chosen:
        titles = ", ".join(raw.name.rpartition("#")[2] for raw in sheets)
        raise CatalogueError(f"a sheet of {file} ({titles})", repr(sheet), "name one of these")
    raw = chosen[0]
    reading = TableReading(raw.name, raw.form, len(raw), True, "asked for")
    others = [
        TableReading(name, "not read", None, False, f"{raw.name} was asked for")
        for name in files.tables
        if name != names[0] and suffix_of(name) != ".txt"
    ]
    return Found(raw, [reading, *others])


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


def _candidates(files: Files, storage: Storage) -> tuple[list[Candidate], Passed]:
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


def _read_whole(candidate: Candidate, storage: Storage) -> RawTable:
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


def _measure(candidates: list[Candidate], files: Files, options: Options) -> None:
    """How many rows of each table name pictures, and how many of our labels it has."""
    finder = PictureFinder(files.pictures)
    for candidate in candidates:
        raw = candidate.raw
        columns = map_columns(raw)
        candidate.fields = sum(name in columns.chosen for name in _LABELS)
        named = [c.column for f in ("path", "item_id") for c in columns.choices(f)]
        places = named or [
            place for place in range(len(raw.columns)) if raw.cells(place).str.len().mean() < 120
        ]
        folders = [folder_of(candidate.names[0])] * len(raw)
        for place in places:
            cells = raw.cells(place).tolist()
            found = finder.find_any(cells, folders)
            filled = len(raw)
            share = sum(bool(keys) for keys in found) / max(1, filled)
            if share > candidate.joined:
                distinct = len({keys for keys in found if keys})
                candidate.joined = share
                candidate.unique = distinct / max(1, sum(bool(keys) for keys in found))


def _link(candidates: list[Candidate], storage: Storage) -> tuple[RawTable, Candidate, str] | None:
    """Products in one table, their pictures named in another: joined by the id both have."""
    mains = [c for c in candidates if c.fields and not c.joined]
    links = [c for c in candidates if c.joined and len(c.raw.columns) > 1]
    if not mains or not links or links[0].fields >= max(c.fields for c in mains):
        return None
    main = max(mains, key=lambda c: c.fields)
    whole = _read_whole(main, storage)
    for link in links:
        other = _read_whole(link, storage)
        keys = _find_shared_key(whole, other)
        if keys is None:
            continue
        raw, name = _with_pictures(whole, other, *keys)
        why = (
            f"it has {main.fields} of our labels; its pictures are named by {name} "
            f"in {link.name}, joined by {whole.columns[keys[0]]}"
        )
        return raw, main, why
    return None


def _find_shared_key(main: RawTable, link: RawTable) -> tuple[int, int] | None:
    """Places of the columns that hold the same ids, unique in the products' table."""
    best, keys = 0.5, None
    for mine in range(len(main.columns)):
        values = main.cells(mine)
        known = set(values) - {""}
        if len(known) < 0.95 * len(values):
            continue
        for theirs in range(len(link.columns)):
            cells = link.cells(theirs)
            share = float(cells.isin(known).mean()) if len(cells) else 0.0
            if share > best:
                best, keys = share, (mine, theirs)
    return keys


def _with_pictures(main: RawTable, link: RawTable, mine: int, theirs: int) -> tuple[RawTable, str]:
    """The products' table with one more column: the cells of the link's picture columns."""
    import json

    chosen = map_columns(link).choices("path")
    others = [place for place in range(len(link.columns)) if place != theirs]
    place = next((c.column for c in chosen if c.column != theirs), others[0])
    cells = pd.DataFrame({"key": link.cells(theirs), "cell": link.cells(place)})
    grouped = cells[cells["cell"] != ""].groupby("key", sort=False)["cell"].agg(list)
    by_key = {key: json.dumps(values, ensure_ascii=False) for key, values in grouped.items()}
    name = link.columns[place]
    frame = main.frame.copy()
    frame[len(main.columns)] = main.cells(mine).map(by_key).fillna("").astype(object)
    raw = RawTable(
        main.name, [*main.columns, "image"], frame, main.lines, main.mended, main.form, main.notes
    )
    raw.derived = {len(main.columns)}
    if link.name.rpartition("/")[0] != main.name.rpartition("/")[0]:
        raw.folders = [folder_of(link.name)] * len(raw)
    return raw, name
