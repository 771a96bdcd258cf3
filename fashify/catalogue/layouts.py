"""The layouts a catalogue can come in: Kaggle's, or a plain folder of images."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePosixPath

import pandas as pd

from fashify.catalogue.csv_table import RawTable, read_csv_table
from fashify.catalogue.model import COLUMNS, PROBLEM_COLUMNS, Catalogue
from fashify.errors import CatalogueError
from fashify.io.images import SUFFIXES
from fashify.io.storage import Storage

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

#: Other spellings of our columns, after conversion to snake case.
ALIASES = {
    "id": "item_id",
    "product_id": "item_id",
    "sku": "item_id",
    "base_color": "base_colour",
    "colour": "base_colour",
    "color": "base_colour",
    "category": "article_type",
    "type": "article_type",
    "product_display_name": "name",
    "product_name": "name",
    "title": "name",
    "display_name": "name",
    "image": "path",
    "image_path": "path",
    "file": "path",
    "filename": "path",
    "file_name": "path",
}

IGNORED_PARTS = ("__MACOSX", ".ipynb_checkpoints")


def is_image_name(name: str) -> bool:
    """Whether a name looks like an image worth opening; hidden files do not."""
    path = PurePosixPath(name)
    hidden = any(part.startswith(".") or part in IGNORED_PARTS for part in path.parts)
    return not hidden and path.suffix.lower() in SUFFIXES


def find_kaggle_root(names: list[str]) -> str | None:
    """Folder of the shallowest ``styles.csv``: a second copy further down is not counted."""
    tables = [name for name in names if PurePosixPath(name).name == KAGGLE_TABLE]
    if not tables:
        return None
    best = min(tables, key=lambda name: (name.count("/"), name))
    parent = str(PurePosixPath(best).parent)
    return "" if parent == "." else parent + "/"


def read_kaggle(storage: Storage, names: list[str], root: str) -> Catalogue:
    """``styles.csv`` with ``images/<id>.<ending>`` beside it."""
    raw = read_csv_table(storage.read(root + KAGGLE_TABLE), KAGGLE_TABLE)
    missing = [column for column in KAGGLE_NEEDED if column not in raw.columns]
    if missing:
        raise CatalogueError(
            f"the columns {', '.join(KAGGLE_NEEDED)} in {KAGGLE_TABLE}",
            f"a table without {', '.join(missing)}",
            "add them, or rename the file to items.csv to use any columns",
        )
    table = _typed(raw, KAGGLE_TABLE)
    prefix = root + "images/"
    by_stem: dict[str, str] = {}
    for name in names:
        if name.startswith(prefix) and is_image_name(name) and "/" not in name[len(prefix) :]:
            by_stem.setdefault(PurePosixPath(name).stem, name)
    table["path"] = [by_stem.get(item_id, "") for item_id in table["item_id"]]
    expected = prefix + table["item_id"] + ".jpg"
    return _assemble(table, raw, storage, "kaggle", expected)


def read_folder(storage: Storage, names: list[str]) -> Catalogue:
    """Every image below the root, with the facts of a CSV at the root where there is one.

    Without a CSV, two or more sub-folders are taken as article types, the usual layout
    of image classification sets.
    """
    images = [name for name in names if is_image_name(name)]
    tables = [name for name in names if "/" not in name and name.lower().endswith(".csv")]
    if not images:
        raise CatalogueError(
            f"images (.jpg, .png, .webp ...) in {storage.url}",
            "none",
            "put the product photos there, or name another folder",
        )
    if len(tables) > 1:
        raise CatalogueError(
            "one CSV beside the images", ", ".join(tables), "keep the one with the products' facts"
        )
    if not tables:
        return _assemble(_from_names(images), None, storage, "folder")
    raw = read_csv_table(storage.read(tables[0]), tables[0])
    return _with_csv(raw, tables[0], images, storage)


def _from_names(images: list[str]) -> pd.DataFrame:
    stems = [str(PurePosixPath(name).with_suffix("")) for name in images]
    short = [PurePosixPath(stem).name for stem in stems]
    counted, full = Counter(short), Counter(stems)
    ids = [
        short[i] if counted[short[i]] == 1 else stems[i] if full[stems[i]] == 1 else images[i]
        for i in range(len(images))
    ]
    parents = [PurePosixPath(name).parent.name for name in images]
    types = parents if len(set(parents) - {""}) > 1 else [""] * len(images)
    return pd.DataFrame({"item_id": ids, "path": images, "article_type": types}, dtype=object)


def _with_csv(raw: RawTable, csv_name: str, images: list[str], storage: Storage) -> Catalogue:
    table = _typed(raw, csv_name)
    lookup = _image_lookup(images)
    keys = table["path"] if "path" in table else table["item_id"]
    wanted = keys.astype(str)
    table["path"] = [lookup.get(key.lstrip("./"), "") for key in wanted]
    unlisted = sorted(set(images) - set(table["path"]))
    if unlisted:
        extra = _from_names(unlisted)
        extra["article_type"] = ""
        taken = set(table["item_id"])
        extra["item_id"] = [
            path if item_id in taken else item_id
            for item_id, path in zip(extra["item_id"], extra["path"], strict=True)
        ]
        table = pd.concat([table, extra], ignore_index=True)
        wanted = pd.concat([wanted, extra["path"]], ignore_index=True)
    return _assemble(table, raw, storage, "folder", wanted)


def _image_lookup(images: list[str]) -> dict[str, str]:
    """Full name, base name and stem, each to the image; what is ambiguous is left out."""
    lookup = {}
    for key in (
        lambda path: path.stem,
        lambda path: path.name,
        lambda path: str(path.with_suffix("")),
    ):
        keys = [key(PurePosixPath(name)) for name in images]
        counted = Counter(keys)
        lookup.update({k: v for k, v in zip(keys, images, strict=True) if counted[k] == 1})
    return lookup | {name: name for name in images}


def _snake(name: str) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    text = re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_").lower()
    return ALIASES.get(text, text)


def _typed(raw: RawTable, csv_name: str) -> pd.DataFrame:
    """Our column names, ids as clean unique text, the year as a number."""
    names = [_snake(column) for column in raw.columns]
    doubled = [name for name, count in Counter(names).items() if count > 1 and name]
    if doubled:
        both = [c for c, name in zip(raw.columns, names, strict=True) if name == doubled[0]]
        raise CatalogueError(
            f"one column for {doubled[0]} in {csv_name}", " and ".join(both), "rename one of them"
        )
    table = pd.DataFrame(raw.rows, columns=raw.columns, dtype=object)
    table.columns = names
    table = table.loc[:, [bool(name) for name in names]]
    if "item_id" not in table and "path" in table:
        table["item_id"] = table["path"].map(_without_ending).astype(object)
    if "item_id" not in table:
        raise CatalogueError(
            f"a column id, item_id or image in {csv_name}",
            f"the columns {', '.join(raw.columns) or 'of an empty header'}",
            "add one that names each product or its image file",
        )
    table["item_id"] = _clean_ids(table["item_id"], raw, csv_name)
    return table


def _without_ending(path: str) -> str:
    named = PurePosixPath(path)
    return str(named.with_suffix("")) if named.name else ""


def _clean_ids(ids: pd.Series, raw: RawTable, csv_name: str) -> pd.Series:
    # Spreadsheets turn 1163 into 1163.0 as soon as one cell of the column is empty.
    ids = ids.str.replace(r"^(\d+)\.0+$", r"\1", regex=True)
    blank = ids == ""
    ids = ids.where(~blank, pd.Series([f"line-{line}" for line in raw.lines], dtype=object))
    twice = ids[ids.duplicated(keep=False)]
    if len(twice):
        first = twice.iloc[0]
        lines = [raw.lines[row] for row in twice.index[twice == first]]
        more = twice.nunique() - 1
        raise CatalogueError(
            f"each id once in {csv_name}",
            f"{first!r} on lines {', '.join(map(str, lines[:5]))}"
            + (f" and {more} more ids like it" if more else ""),
            "remove or renumber one of each",
        )
    return ids


def _assemble(
    table: pd.DataFrame,
    raw: RawTable | None,
    storage: Storage,
    kind: str,
    expected: pd.Series | None = None,
) -> Catalogue:
    """Adds what is missing, notes what is wrong, and orders the columns."""
    if not len(table):
        raise CatalogueError("at least one product", "a table without rows", "add the products")
    for column in COLUMNS:
        if column not in table:
            table[column] = ""
    texts = [column for column in table.columns if column not in ("year", "has_image")]
    table[texts] = table[texts].fillna("").astype(object)
    table["year"] = _years(table["year"])
    table["has_image"] = table["path"] != ""
    own = [column for column in table.columns if column not in COLUMNS]
    table = table[[*COLUMNS, *own]]
    lost = ~table["has_image"]
    problems = pd.DataFrame(
        {
            "item_id": table.loc[lost, "item_id"],
            "path": expected[lost] if expected is not None else "",
            "reason": "no image file",
        },
        columns=PROBLEM_COLUMNS,
    ).reset_index(drop=True)
    return Catalogue(
        table,
        storage,
        source=storage.url,
        kind=kind,
        mended=_mended(raw, table),
        row_problems=problems,
    )


def _years(texts: pd.Series) -> pd.Series:
    """Whole numbers of at most four digits; anything else is no year."""
    numbers = pd.to_numeric(texts, errors="coerce").astype(float).round()
    return numbers.where(numbers.abs() <= 9999).astype("Int64")


def _mended(raw: RawTable | None, table: pd.DataFrame) -> pd.DataFrame:
    rows = raw.mended if raw is not None else []
    return pd.DataFrame(
        [(table["item_id"].iloc[row], raw.lines[row], what) for row, what in rows],
        columns=["item_id", "line", "what"],
    )
