"""Rows become products: which column is the id, and what several rows of one id say together."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fashify.catalogue.columns import is_amount
from fashify.catalogue.mapping import SEVERAL, Choice, ColumnMap, fold_name
from fashify.catalogue.matching import Matches, clean_ids
from fashify.catalogue.picture_names import base_stem, normalise_slashes, path_stem
from fashify.catalogue.readers import RawTable
from fashify.errors import CatalogueError

#: Of these a product has one: rows that differ in them are different products.
IDENTITY = ("name", "article_type", "sub_category", "master_category", "gender")

#: What a column is called that names the row a variation belongs to.
_PARENTS = ("parent", "parentid", "parentsku", "parentproduct", "parentproductid")

#: Between the values that rows of one product have.
JOINER = " | "


@dataclass
class Products:
    """The rows of a table by product.

    Attributes:
        ids: (p,) the products' ids.
        rows: product -> its rows, in order; ``first`` (p,) int the first of each.
        values: (p,) str of each column, by place.
        id_choice: the id's column, or ``None`` where ids are from file names or lines.
        of_row: (n,) int, the product of each row.
        notes: merged rows and the like, as sentences.
    """

    ids: list[str]
    first: np.ndarray
    of_row: np.ndarray
    values: dict[int, pd.Series]
    id_choice: Choice | None
    notes: list[str] = field(default_factory=list)


def group_rows(raw: RawTable, columns: ColumnMap, matches: Matches, paths: list[str]) -> Products:
    """Decides on the id and merges the rows of one product.

    Raises:
        CatalogueError: no column names the products; or rows of one id are different products.
    """
    choice, ids = _choose_ids(raw, columns, matches, paths)
    ids, notes = _fill_blanks(raw, columns, ids)
    ids, children = _adopt(raw, columns, ids)
    if children.any():
        notes.append(f"{children.sum():,} rows are variations of the product that their parent is")
    of_row, unique = pd.factorize(pd.Series(ids, dtype=object))
    first = np.full(len(unique), len(ids), dtype=np.int64)
    np.minimum.at(first, of_row, np.arange(len(ids)))
    values = {place: raw.cells(place) for place in range(len(raw.columns))}
    if len(unique) < len(ids):
        values, merged = _merge(raw, columns, of_row, len(unique), children)
        notes += merged
    return Products([str(i) for i in unique], first, of_row, values, choice, notes)


def _choose_ids(
    raw: RawTable, columns: ColumnMap, matches: Matches, paths: list[str]
) -> tuple[Choice | None, list[str]]:
    """The id's column and its values.

    The first by weight whose rows of one id agree; else a later one without repetitions.
    """
    candidates = columns.choices("item_id")
    filled = [
        choice for choice in candidates if (raw.cells(choice.column) != "").mean() >= 0.5
    ] or candidates[:1]
    if not filled:
        return None, _ids_from_pictures(raw, columns, matches, paths)
    clash: CatalogueError | None = None
    for choice in filled:
        ids = clean_ids(raw, choice.column)
        error = _find_clash(raw, columns, ids, choice)
        if error is None and (clash is None or _are_unique(ids)):
            return choice, ids
        clash = clash or error
        if choice.why == "asked for":
            break
    assert clash is not None
    raise clash


def _are_unique(ids: list[str]) -> bool:
    filled = [item_id for item_id in ids if item_id]
    return len(set(filled)) == len(ids)


def _find_clash(
    raw: RawTable, columns: ColumnMap, ids: list[str], choice: Choice
) -> CatalogueError | None:
    """What speaks against an id: rows of it with different names or types."""
    series = pd.Series(ids, dtype=object)
    repeated = (series != "") & series.duplicated(keep=False)
    if not repeated.any():
        return None
    clashing: set[str] = set()
    for name in IDENTITY:
        place = columns.column(name)
        if place is None:
            continue
        cells = raw.cells(place)[repeated]
        said = cells.str.casefold().str.split().str.join(" ")
        pairs = pd.DataFrame({"id": series[repeated], "said": said})
        pairs = pairs[pairs["said"] != ""].drop_duplicates()
        clashing.update(pairs.loc[pairs["id"].duplicated(), "id"])
    if not clashing:
        return None
    first = next(item_id for item_id in ids if item_id in clashing)
    lines = [raw.lines[row] for row in np.flatnonzero(series == first)]
    more = f" and {len(clashing) - 1} more ids like it" if len(clashing) > 1 else ""
    return CatalogueError(
        f"each id once in {raw.name}, or on rows that agree in name and type",
        f"{first!r} on lines {', '.join(map(str, lines[:5]))}{more}",
        f"remove or renumber one of each, or name another column than {choice.source!r} "
        "with --columns item_id=...",
    )


def _ids_from_pictures(
    raw: RawTable, columns: ColumnMap, matches: Matches, paths: list[str]
) -> list[str]:
    """Ids of a table without any: what its picture column says, without ending.

    Raises:
        CatalogueError: no column names a picture either.
    """
    by = matches.by or next(iter(columns.choices("path")), None)
    if by is None:
        raise CatalogueError(
            f"a column id, item_id or image in {raw.name}",
            f"the columns {', '.join(filter(None, raw.columns)) or 'of an empty header'}",
            "add one that names each product or its image file, or name it with "
            "--columns item_id=... or image=...",
        )
    cells = raw.cells(by.column).tolist()
    ids = [_stem(cell) for cell in cells]
    pictures = matches.main.tolist()
    several: dict[str, set[int]] = defaultdict(set)
    for item_id, place in zip(ids, pictures, strict=True):
        several[item_id].add(place)
    return [
        path_stem(paths[place]) if place >= 0 and len(several[item_id]) > 1 else item_id
        for item_id, place in zip(ids, pictures, strict=True)
    ]


def _stem(cell: str) -> str:
    """A relative path as it is; of another machine's path or an address the name alone."""
    if not cell or normalise_slashes(cell) in ("", "..", "."):
        return ""
    foreign = "://" in cell or cell.startswith("/") or re.match(r"[A-Za-z]:[\\/]", cell)
    return base_stem(cell) if foreign else path_stem(cell)


def _fill_blanks(raw: RawTable, columns: ColumnMap, ids: list[str]) -> tuple[list[str], list[str]]:
    """Rows without an id: further rows of the product above, or products named by their line."""
    blank = [row for row, item_id in enumerate(ids) if not item_id]
    if not blank:
        return ids, []
    ids = list(ids)
    facts = [place for name in IDENTITY if (place := columns.column(name)) is not None]
    pictures = [choice.column for choice in columns.choices("path")]
    grouped = bool(facts) and bool(pictures) and bool(columns.choices("item_id"))
    continued = 0
    for row in blank:
        bare = grouped and row > 0 and not any(raw.cells(place).iloc[row] for place in facts)
        if bare and any(raw.cells(place).iloc[row] for place in pictures):
            ids[row] = ids[row - 1]
            continued += 1
        else:
            ids[row] = f"line-{raw.lines[row]}"
    notes = [f"{continued} rows without an id continue the product above"] if continued else []
    if len(blank) > continued:
        notes.append(f"{len(blank) - continued} rows without an id are named by their line")
    return ids, notes


def _adopt(raw: RawTable, columns: ColumnMap, ids: list[str]) -> tuple[list[str], np.ndarray]:
    """Rows whose parent column names another row are of that row's product.

    WooCommerce exports a product's sizes so, with ``id:11`` or the parent's SKU.

    Returns:
        (n,) ids, and (n,) bool, which rows are such.
    """
    children = np.zeros(len(ids), dtype=bool)
    places = [at for at, name in enumerate(raw.columns) if fold_name(name) in _PARENTS]
    if not places:
        return ids, children
    parents = raw.cells(places[0]).str.removeprefix("id:").tolist()
    named: dict[str, str] = {}
    for choice in columns.choices("item_id"):
        for row, cell in enumerate(clean_ids(raw, choice.column)):
            if cell and not parents[row]:
                named.setdefault(cell, ids[row])
    adopted = list(ids)
    for row, parent in enumerate(parents):
        if parent in named and named[parent] != ids[row]:
            adopted[row], children[row] = named[parent], True
    return adopted, children


def _merge(
    raw: RawTable, columns: ColumnMap, of_row: np.ndarray, size: int, children: np.ndarray
) -> tuple[dict[int, pd.Series], list[str]]:
    """(p,) values of each column, and what was merged.

    Rows of one product that differ in a column: numbers keep the first, texts are listed.
    """
    ours = {name: choices for name, choices in columns.chosen.items() if name not in SEVERAL}
    single = {choices[0].column for choices in ours.values()}
    pictures = {choice.column for choice in columns.choices("path")}
    values: dict[int, pd.Series] = {}
    listed, kept = [], []
    for place, source in enumerate(raw.columns):
        cells = raw.cells(place)
        frame = pd.DataFrame({"product": of_row, "cell": cells})
        if place in single:
            # What a parent says of itself counts before what its variations are called.
            frame = frame.iloc[np.argsort(children, kind="stable")]
        frame = frame[frame["cell"] != ""].drop_duplicates()
        several = frame["product"].duplicated(keep=False)
        merged = np.full(size, "", dtype=object)
        # The first that is filled: a variant's row repeats little of the product.
        firsts = frame.drop_duplicates("product")
        merged[firsts["product"].to_numpy()] = firsts["cell"].to_numpy()
        if several.any():
            varied = frame[several]
            numeric = varied["cell"].map(is_amount).all()
            if place in single or (numeric and place not in pictures):
                kept.append(source)
            else:
                joined = varied.groupby("product", sort=False)["cell"].agg(JOINER.join)
                merged[joined.index.to_numpy()] = joined.to_numpy()
                listed.append(source)
        values[place] = pd.Series(merged, dtype=object)
    counted = Counter(of_row.tolist())
    rows = sum(count for count in counted.values() if count > 1)
    products = sum(count > 1 for count in counted.values())
    names = {raw.columns[place] for place in pictures}
    notes = [f"{rows:,} rows are {products:,} products on several rows each"]
    listed = [source for source in listed if source not in names]
    if listed:
        notes.append(f"columns that differ between rows of a product list them: {_names(listed)}")
    kept = [name for name in kept if name]
    if kept:
        notes.append(f"of columns that differ between rows the first counts: {_names(kept)}")
    return values, notes


def _names(columns: list[str]) -> str:
    return ", ".join(columns)
