"""Loading a catalogue in any of the forms shops and exports have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fashify.catalogue.assembly import assemble_folders, assemble_table
from fashify.catalogue.columns import ColumnType
from fashify.catalogue.copies import drop_copies
from fashify.catalogue.files import NOTHING, Files, sort_files
from fashify.catalogue.kaggle import fetch_kaggle
from fashify.catalogue.model import COLUMNS, Catalogue
from fashify.catalogue.options import Options, write_settings
from fashify.catalogue.readers import RawTable, reader_of
from fashify.catalogue.reading import Count, Reading
from fashify.catalogue.tables import Found, find_table
from fashify.data import SAMPLE
from fashify.errors import CatalogueError, StorageError
from fashify.io.storage import Storage, is_url, open_storage

__all__ = [
    "COLUMNS",
    "Catalogue",
    "ColumnType",
    "Reading",
    "load_catalogue",
    "reopen_catalogue",
    "write_settings",
]

KINDS = ("auto", "kaggle", "folder")

KAGGLE_TABLE = "styles.csv"

#: Without these a file named styles.csv is not Kaggle's.
KAGGLE_NEEDED = (
    "id",
    "gender",
    "masterCategory",
    "subCategory",
    "articleType",
    "baseColour",
    "productDisplayName",
)


def load_catalogue(
    source: str | Path,
    *,
    kind: str = "auto",
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    allow_unmatched: bool = False,
    follow_links: bool = False,
) -> Catalogue:
    """Reads the product table and finds the pictures; none is decoded.

    What was understood, guessed, mended or left out is in ``Catalogue.reading``. A file
    ``catalogue.toml`` beside the data may keep ``table`` and ``columns``.

    Args:
        source: a folder, a zip or tar archive of pictures, with or without a table (CSV, Excel,
            Parquet, JSON, JSON Lines, XML); the table's own file; ``s3://bucket/prefix``;
            ``"sample"`` for the drawn catalogue; ``"kaggle"`` to fetch the public one.
        kind: ``kaggle`` to insist on ``styles.csv`` of Kaggle's columns; ``folder``; ``auto``.
        table: the file (``file#sheet``) with the products, where several could be meant;
            ``none`` to go by folders alone.
        columns: ours -> theirs, such as ``{"article_type": "product_type"}``; "" for none.
        allow_unmatched: take what joins, although more than a tenth of the rows lack a picture
            or more than a tenth of the pictures a row.
        follow_links: follow links out of the folder, too.

    Raises:
        CatalogueError: nothing usable there; the text names what is missing.

    >>> from fashify import load_catalogue
    >>> catalogue = load_catalogue("sample")
    >>> len(catalogue), catalogue.kind
    (600, 'kaggle')
    """
    if kind not in KINDS:
        raise CatalogueError(f"kind {', '.join(KINDS)}", f"{kind!r}", "use one of these")
    located, table = _locate(source, table)
    try:
        storage = open_storage(located, follow_links=follow_links)
        names = storage.names()
    except StorageError as error:
        raise CatalogueError(error.expected, error.received, error.fix) from error
    options = Options(kind, table, dict(columns or {}), allow_unmatched)
    catalogue = _read(storage, names, options)
    catalogue.options = options.to_dict() | ({"follow_links": True} if follow_links else {})
    if str(source) == "sample":
        # The word, not the archive's path: it means the same on every machine.
        catalogue.source = catalogue.reading.source = "sample"
    return catalogue


def reopen_catalogue(facts: Mapping[str, Any], source: str | Path | None = None) -> Catalogue:
    """The catalogue a store was built from, read as it was then.

    Args:
        facts: what the store keeps of it: ``source``, ``kind`` and, where any were given,
            ``options``.
        source: where it lies now, if it was moved.

    Raises:
        CatalogueError: as ``load_catalogue``; but pictures may have gone since.
    """
    options = {**facts.get("options", {}), "allow_unmatched": True}
    kind = facts.get("kind", "auto") if source is None else "auto"
    return load_catalogue(source or facts["source"], kind=kind, **options)


def _locate(source: str | Path, table: str | None) -> tuple[str | Path, str | None]:
    """Where the bytes are, and the table that was named."""
    if str(source) == "sample":
        return SAMPLE, table
    if str(source) == "kaggle":
        return fetch_kaggle(), table
    path = Path(source).expanduser()
    if not is_url(source) and path.is_file() and reader_of(path.name):
        # The table itself was named: its pictures lie beside it.
        return path.parent, table or path.name
    return source, table


def _read(storage: Storage, names: list[str], options: Options) -> Catalogue:
    options, settings = options.with_settings(storage, names)
    files = sort_files(storage, names)
    drop_copies(files, storage)
    reading = Reading(source=storage.url)
    if settings:
        reading.notes.append(f"table and columns as kept in {settings}")
    found = find_table(files, storage, options)
    reading.tables = found.tables
    reading.notes += found.notes
    _refuse_no_pictures(files, storage, found)
    reading.kind = _kind(found.raw, options)
    reading.left_out = files.count_left_out()
    refused = getattr(storage, "refused", {})
    if refused:
        reading.left_out.append(_count_refused_links(refused))
    if found.raw is None:
        return assemble_folders(files, storage, reading)
    return assemble_table(found.raw, found, files, storage, options, reading)


def _count_refused_links(refused: Mapping[str, str]) -> Count:
    return Count.of(
        "links out of the catalogue's folder (--follow-links follows them)",
        [f"{name} -> {target}" for name, target in refused.items()],
    )


def _refuse_no_pictures(files: Files, storage: Storage, found: Found) -> None:
    if files.pictures:
        return
    refused = getattr(storage, "refused", {})
    if refused:
        name, target = next(iter(refused.items()))
        raise CatalogueError(
            f"pictures in {storage.url}",
            f"none, and {name}, a link out of it to {target}",
            "follow it with --follow-links, or name the folder that has the pictures",
        )
    flat = _flat_link(files, storage)
    if flat is not None:
        raise CatalogueError(
            f"pictures in {storage.url}",
            f"none, and {flat[0]}, a link to {flat[1]} that was unpacked as a text",
            "put the pictures in its place, or a real link and give --follow-links",
        )
    what = "; ".join(map(str, files.count_left_out())) or "none"
    table = f", and a table, {found.raw.name}" if found.raw is not None else ""
    raise CatalogueError(
        f"images (.jpg, .png, .webp ...) in {storage.url}",
        f"none: {what}{table}" if what != "none" else f"none{table}",
        _cure_no_pictures(found),
    )


def _flat_link(files: Files, storage: Storage) -> tuple[str, str] | None:
    """A link that a system without links has written as a file that names its target."""
    for name in files.others.get(NOTHING, [])[:20]:
        text = storage.head(name, 300).decode("utf-8", errors="replace").strip()
        if re.fullmatch(r"\.{0,2}/?[^\s/]+(/[^\s/]+)*", text) and "/" in text:
            return name, text
    return None


def _cure_no_pictures(found: Found) -> str:
    linked = found.raw is not None and any(
        found.raw.cells(place).str.match(r"https?://").any()
        for place in range(len(found.raw.columns))
    )
    if linked:
        return "fetch the pictures that the table links to with --download"
    return "put the product photos there, or name another folder"


def _kind(raw: RawTable | None, options: Options) -> str:
    """``kaggle`` for Kaggle's own table.

    Raises:
        CatalogueError: it was asked for and is not there.
    """
    named = raw is not None and raw.name.rpartition("/")[2] == KAGGLE_TABLE
    missing = [c for c in KAGGLE_NEEDED if raw is None or c not in raw.columns]
    if options.kind == "kaggle" and not named:
        raise CatalogueError(
            "styles.csv with images/ beside it", "no styles.csv", "use kind='folder'"
        )
    if options.kind == "kaggle" and missing:
        raise CatalogueError(
            f"the columns {', '.join(KAGGLE_NEEDED)} in {KAGGLE_TABLE}",
            f"a table without {', '.join(missing)}",
            "add them, or use kind='folder'",
        )
    return "kaggle" if named and not missing and options.kind != "folder" else "folder"
