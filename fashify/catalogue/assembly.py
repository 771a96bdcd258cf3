"""From a table and pictures, or pictures alone, to a catalogue and what was understood of it."""

from __future__ import annotations

import re
from collections import Counter
from math import ceil

import numpy as np
import pandas as pd

from fashify.catalogue.columns import ColumnType, type_column
from fashify.catalogue.files import Files
from fashify.catalogue.folders import read_folders
from fashify.catalogue.joining import PictureFinder
from fashify.catalogue.mapping import ColumnMap, map_columns, name_own
from fashify.catalogue.matching import Matches, match_rows
from fashify.catalogue.model import COLUMNS, PROBLEM_COLUMNS, Catalogue
from fashify.catalogue.options import Options
from fashify.catalogue.picture_names import folder_of
from fashify.catalogue.products import Products, group_rows
from fashify.catalogue.readers import RawTable
from fashify.catalogue.reading import ColumnReading, Count, Reading
from fashify.catalogue.tables import Found
from fashify.catalogue.views import add_views, pictures_of_products, views_frame
from fashify.errors import CatalogueError
from fashify.io.storage import Storage

#: Pictures looked at to tell where most lie and how they end.
MANY = 1000

#: Share of rows without picture, or of pictures without row, above which nothing is built.
TOLERATED = 0.1

_DEEPFASHION = r"(?:^|/)(?P<gender>WOMEN|MEN)/(?P<type>[^/]+)/id_\d{8}/"

_PATH_MARK = re.compile(r"\s*[>»]\s*")


def assemble_folders(files: Files, storage: Storage, reading: Reading) -> Catalogue:
    """A catalogue of pictures that no table describes."""
    found = read_folders(files.pictures)
    table = found.table
    types: dict[str, ColumnType] = {}
    for name in ("split", "folder"):
        if name in table:
            typed = type_column(table[name], name, "folders")
            types[name] = typed.type
    reading.rows = reading.products = reading.with_picture = len(table)
    reading.pictures = reading.views = len(found.views)
    reading.notes += found.notes
    return _catalogue(table, storage, reading, found.views, types)


def assemble_table(
    raw: RawTable, found: Found, files: Files, storage: Storage, options: Options, reading: Reading
) -> Catalogue:
    """A catalogue of the rows of a table, each with its pictures.

    Raises:
        CatalogueError: no rows, none with a picture, or too many without.
    """
    if not len(raw):
        raise CatalogueError(
            "at least one product", f"{raw.name}, a table without rows", "add the products"
        )
    columns = map_columns(raw, options.columns)
    finder = PictureFinder(files.pictures, folder_of(raw.name))
    matches = match_rows(raw, columns, finder)
    products = group_rows(raw, columns, matches, finder.paths)
    pictures = pictures_of_products(products.ids, products.of_row, matches)
    doubtful = {place for places in matches.ambiguous.values() for place in places}
    joins = add_views(products.ids, pictures, finder, doubtful)
    views = views_frame(products.ids, pictures, finder.paths)
    reading.joins = matches.joins + joins
    reading.rows, reading.products = len(raw), len(products.ids)
    reading.pictures, reading.views = len(files.pictures), views["path"].nunique()
    reading.with_picture = sum(map(bool, pictures))
    reading.notes += raw.notes + products.notes
    expected = _expect_pictures(raw, columns, products, matches, views)
    _count_unmatched(reading, products, pictures, matches, expected, files, views)
    table, types = _assemble_table(raw, columns, products, matches, reading, found)
    main = views.drop_duplicates("item_id").set_index("item_id")["path"]
    table["path"] = table["item_id"].map(main.to_dict()).astype(object).fillna("")
    _label_deepfashion(table, reading)
    _check_unmatched(reading, raw, columns, options, storage)
    catalogue = _catalogue(table, storage, reading, views, types)
    catalogue.mended = _list_mended(raw, products)
    reading.mended = Count.of(
        "rows mended", [f"line {line}: {what}" for _, line, what in catalogue.mended.to_numpy()]
    )
    lost = (table["path"] == "").to_numpy()
    catalogue.set_row_problems(
        pd.DataFrame(
            {
                "item_id": table.loc[lost, "item_id"].to_numpy(),
                "path": np.array(expected, dtype=object)[lost],
                "reason": "no image file",
            },
            columns=PROBLEM_COLUMNS,
        )
    )
    return catalogue


def _assemble_table(
    raw: RawTable,
    columns: ColumnMap,
    products: Products,
    matches: Matches,
    reading: Reading,
    found: Found,
) -> tuple[pd.DataFrame, dict[str, ColumnType]]:
    """The products' table without paths, the types of own columns; fills the reading's columns."""
    table = pd.DataFrame({"item_id": np.array(products.ids, dtype=object)})
    column_readings: dict[int, ColumnReading] = {}
    used: set[int] = set(raw.derived)
    for name, choices in columns.chosen.items():
        if name in ("item_id", "path"):
            continue
        choice = choices[0]
        cells = products.values[choice.column]
        shop = name == "article_type" and reading.kind != "kaggle"
        leaves = _take_leaves(cells) if shop else None
        if leaves is None:
            used.add(choice.column)
        else:
            reading.notes.append(
                f"{name} is the last part of {choice.source!r}, which is kept whole beside"
            )
        table[name] = cells if leaves is None else leaves
        column_readings[choice.column] = ColumnReading(choice.source, name, choice.why)
    if products.id_choice is not None:
        choice = products.id_choice
        used.add(choice.column)
        column_readings[choice.column] = ColumnReading(choice.source, "item_id", choice.why)
    for choice in _plain_paths(raw, columns, matches):
        used.add(choice.column)
        column_readings[choice.column] = ColumnReading(choice.source, "path", choice.why)
    own, notes = name_own(raw, used)
    types: dict[str, ColumnType] = {}
    extra: dict[str, pd.Series] = {}
    for place, name in own.items():
        typed = type_column(products.values[place], name, raw.columns[place])
        extra[name], types[name] = typed.values, typed.type
        if typed.lossy:
            beside = f"{name}_text" if f"{name}_text" not in own.values() else f"{name}_as_written"
            extra[beside] = products.values[place]
            types[beside] = ColumnType("text", "", raw.columns[place])
            notes.append(f"{name} says less than its text, which is kept as {beside}")
        why = "own column"
        if _names_pictures(matches, place):
            why = "names the pictures, own column"
        column_readings.setdefault(
            place, ColumnReading(raw.columns[place], name, why, typed.type.kind, typed.type.unit)
        )
    reading.notes += notes
    table = pd.concat([table, pd.DataFrame(extra, index=table.index)], axis=1)
    columns_read = tuple(
        column_readings.get(place, ColumnReading(source, "", "empty"))
        for place, source in enumerate(raw.columns)
        if place not in raw.derived
    )
    reading.tables = [
        type(t)(t.name, t.form, t.rows, t.used, t.why, columns_read) if t.used else t
        for t in found.tables
    ]
    return table, types


def _label_deepfashion(table: pd.DataFrame, reading: Reading) -> None:
    """The In-shop set's lists say no types: they are in ``WOMEN/Dresses/id_00000002/``."""
    if "article_type" in table:
        return
    found = table["path"].str.extract(_DEEPFASHION)
    if len(found) and found["type"].notna().mean() > 0.9:
        table["article_type"] = found["type"].fillna("").astype(object)
        if "gender" not in table:
            table["gender"] = found["gender"].fillna("").astype(object)
        reading.notes.append("gender and article_type are from DeepFashion's folders")


def _names_pictures(matches: Matches, place: int) -> bool:
    return any(choice.column == place for choice in matches.used)


def _plain_paths(raw: RawTable, columns: ColumnMap, matches: Matches) -> list:
    """Columns that are the path and say no more: no addresses, no lists, no other column's."""
    named = [c for c in matches.used if c in columns.choices("path")]
    named = named or columns.choices("path")[:1]
    plain = []
    for choice in named[:1]:
        cells = raw.cells(choice.column)
        if not cells.str.contains(r"://|[|;\[\n]", regex=True).any():
            plain.append(choice)
    return plain


def _take_leaves(cells: pd.Series) -> pd.Series | None:
    """``Dresses`` of ``Clothing > Women > Dresses, Sale``, where half of the cells are such."""
    filled = cells[cells != ""]
    if not len(filled) or filled.str.contains(_PATH_MARK.pattern).mean() < 0.5:
        return None
    return cells.map(lambda cell: _PATH_MARK.split(_first_category(cell))[-1]).astype(object)


def _first_category(cell: str) -> str:
    """Shops separate categories by commas; a path's own parts seldom have one."""
    first, comma, _ = cell.partition(",")
    return first if comma and _PATH_MARK.search(first) else cell


def _expect_pictures(
    raw: RawTable, columns: ColumnMap, products: Products, matches: Matches, views: pd.DataFrame
) -> list[str]:
    """(p,) where the picture of each product would be, as the table says or others of it show.

    "" for those that have one.
    """
    named = [c.column for c in columns.choices("path")]
    cells = [products.values[place] for place in named]
    folder, ending = "", ""
    if len(views):
        some = views["path"].iloc[:MANY].tolist()
        folder = Counter(map(folder_of, some)).most_common(1)[0][0]
        ending = Counter(path.rpartition(".")[2] for path in some).most_common(1)[0][0]
    expected = []
    shown = set(views["item_id"])
    for at, item_id in enumerate(products.ids):
        if item_id in shown:
            expected.append("")
            continue
        said = next((values.iloc[at] for values in cells if values.iloc[at]), "")
        guess = f"{folder}{item_id}.{ending}" if ending and products.id_choice else item_id
        expected.append(said or guess)
    return expected


def _count_unmatched(
    reading: Reading,
    products: Products,
    pictures: list[list[int]],
    matches: Matches,
    expected: list[str],
    files: Files,
    views: pd.DataFrame,
) -> None:
    lost = [
        f"{item_id}: {expected[at]}" if expected[at] != item_id else item_id
        for at, item_id in enumerate(products.ids)
        if not pictures[at]
    ]
    reading.without_picture = Count.of("products without a picture", lost)
    shown = set(views["path"])
    free = [path for path in files.pictures if path not in shown]
    folders = set(map(folder_of, shown))
    beside = [path for path in free if folder_of(path) in folders]
    reading.without_row = Count.of("pictures without a row", beside)
    apart = [path for path in free if folder_of(path) not in folders]
    if apart:
        reading.left_out.append(Count.of("pictures outside the folders of the products'", apart))
    fits = [_fit(row, places, files) for row, places in matches.ambiguous.items()]
    reading.ambiguous = Count.of("rows that several pictures fit, none taken", fits)
    if matches.missing:
        reading.notes.append(
            str(Count.of("names of further pictures lead to no file", matches.missing))
        )


def _fit(row: int, places: list[int], files: Files) -> str:
    shown = " or ".join(files.pictures[place] for place in places[:3])
    return f"row {row + 1}: {shown}"


def _check_unmatched(
    reading: Reading, raw: RawTable, columns: ColumnMap, options: Options, storage: Storage
) -> None:
    """Refuses a catalogue of which more than a tenth does not join."""
    lost, free = reading.without_picture.count, reading.without_row.count
    kept = reading.views
    too_many = lost > ceil(TOLERATED * reading.products) or free > ceil(TOLERATED * (kept + free))
    if reading.with_picture and (options.allow_unmatched or not too_many):
        return
    tried = ", ".join(
        dict.fromkeys(c.source for f in ("path", "item_id") for c in columns.choices(f))
    )
    received = (
        f"{reading.with_picture:,} of {reading.products:,} products of {raw.name} with a picture"
        f" (looked for by {tried or 'every column'})"
    )
    for count in (reading.without_picture, reading.without_row, reading.ambiguous):
        if count.count:
            received += f", {count}"
    raise CatalogueError(
        f"rows that name their pictures in {storage.url}",
        received,
        _find_cure(reading, raw, columns),
    )


def _find_cure(reading: Reading, raw: RawTable, columns: ColumnMap) -> str:
    cures = ["name the column that has the picture's file name with --columns image=..."]
    addresses = any(
        raw.cells(c.column).str.match(r"https?://").any() for c in columns.choices("path")
    )
    if addresses:
        cures.append("fetch the pictures that the table links to with --download")
    if len([table for table in reading.tables if table.name != raw.name]):
        cures.append("choose another table with --table")
    if reading.with_picture:
        cures.append("or build what does join with --allow-unmatched")
    else:
        cures.append("or go by folders alone with --table none")
    return ", ".join(cures)


def _list_mended(raw: RawTable, products: Products) -> pd.DataFrame:
    rows = [
        (products.ids[products.of_row[row]], int(raw.lines[row]), what) for row, what in raw.mended
    ]
    return pd.DataFrame(rows, columns=["item_id", "line", "what"])


def _catalogue(
    table: pd.DataFrame,
    storage: Storage,
    reading: Reading,
    views: pd.DataFrame,
    types: dict[str, ColumnType],
) -> Catalogue:
    """Adds the columns that are missing and orders them."""
    if not len(table):
        raise CatalogueError("at least one product", "a table without rows", "add the products")
    for column in COLUMNS:
        if column not in table:
            table[column] = ""
    texts = [column for column in COLUMNS if column not in ("year", "has_image")]
    table[texts] = table[texts].fillna("").astype(object)
    table["year"] = _years(table["year"])
    table["has_image"] = table["path"] != ""
    own = [column for column in table.columns if column not in COLUMNS]
    return Catalogue(
        table[[*COLUMNS, *own]],
        storage,
        source=storage.url,
        kind=reading.kind,
        views=views,
        column_types=types,
        reading=reading,
    )


def _years(texts: pd.Series) -> pd.Series:
    """Whole numbers of at most four digits; anything else is no year."""
    numbers = pd.to_numeric(texts, errors="coerce").astype(float).round()
    return numbers.where(numbers.abs() <= 9999).astype("Int64")
