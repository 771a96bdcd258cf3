"""Finds the table of the products among all the tables of a source, and says why it is that one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from fashify.catalogue.candidates import Candidate, list_candidates, read_file, read_whole
from fashify.catalogue.files import UNREADABLE_TABLES, Files, suffix_of
from fashify.catalogue.joining import PictureFinder
from fashify.catalogue.mapping import map_columns
from fashify.catalogue.options import NO_TABLE, Options
from fashify.catalogue.picture_names import folder_of
from fashify.catalogue.readers import RawTable
from fashify.catalogue.reading import TableReading
from fashify.errors import CatalogueError
from fashify.io.storage import Storage

_LABELS = ("name", "article_type", "sub_category", "master_category", "base_colour", "gender")


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
    candidates, passed = list_candidates(files, storage)
    if not candidates:
        _refuse_unreadable(files, passed)
        return Found(tables=[reading for reading, _ in passed])
    others = [reading for reading, _ in passed]
    if len(candidates) == 1:
        raw = read_whole(candidates[0], storage)
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
    raw = read_whole(best, storage)
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
    whole = read_whole(main, storage)
    for link in links:
        other = read_whole(link, storage)
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
