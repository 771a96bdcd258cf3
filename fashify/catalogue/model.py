"""The catalogue: the product table with its images, validated, read-only by habit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from fashify.catalogue.columns import ColumnType
from fashify.catalogue.groups import group_ids, parts_by_group
from fashify.catalogue.reading import Reading
from fashify.config import LEVELS
from fashify.errors import CatalogueError, FashifyError, ImageReadError, join_names
from fashify.io.images import load_image
from fashify.io.plain import to_plain
from fashify.io.storage import Storage

#: Columns every catalogue has, in this order; a user's own columns follow them.
COLUMNS = ("item_id", *LEVELS[:5], "season", "year", "usage", "name", "path", "has_image")

PROBLEM_COLUMNS = ["item_id", "path", "reason"]


class Catalogue:
    """Products and their pictures.

    Attributes:
        table: one row per product, ``RangeIndex``. Text columns hold str, with ``""`` for
            a missing value (the text ``NA`` is a value); ``year`` is Int64; ``path`` is
            relative to the source; ``has_image`` is bool. All rows of the source are
            here, those without an image too.
        source: where it came from: a path or url.
        kind: ``kaggle`` (styles.csv + images/) or ``folder``.
        mended: DataFrame ``item_id, line, what`` of malformed rows that were repaired.
        views: DataFrame ``item_id, path``, one row per picture, in order; of each product with a
            picture the first is its main one, ``table["path"]``.
        column_types: own column -> what it holds and what it is called in the file.
        reading: what was understood of the source, left out and mended.
        options: of ``load_catalogue`` besides source and kind, to read it the same way again.

    >>> from fashify import load_catalogue
    >>> catalogue = load_catalogue("sample")
    >>> catalogue.facts(catalogue.item_ids[0])["article_type"]
    'Trousers'
    >>> catalogue.labels("season")[:2].tolist()
    ['Summer', 'Summer']
    >>> len(catalogue.sample(24)), len(catalogue.problems)
    (24, 0)
    """

    def __init__(
        self,
        table: pd.DataFrame,
        storage: Storage,
        *,
        source: str,
        kind: str,
        mended: pd.DataFrame | None = None,
        row_problems: pd.DataFrame | None = None,
        views: pd.DataFrame | None = None,
        column_types: dict[str, ColumnType] | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.table = table.reset_index(drop=True)
        self.storage = storage
        self.source, self.kind = source, kind
        self.mended = (
            mended if mended is not None else pd.DataFrame(columns=["item_id", "line", "what"])
        )
        self._row_problems = (
            row_problems if row_problems is not None else pd.DataFrame(columns=PROBLEM_COLUMNS)
        )
        self._image_problems: pd.DataFrame | None = None
        self.views = views if views is not None else self._main_views()
        self.column_types = dict(column_types or {})
        self.reading = reading if reading is not None else Reading(source, kind)
        self.options: dict[str, Any] = {}

    def _main_views(self) -> pd.DataFrame:
        """One picture per product, as its row has it."""
        rows = self.table.loc[self.table["has_image"], ["item_id", "path"]]
        return rows.reset_index(drop=True)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Catalogue({len(self):,} products, kind={self.kind!r}, source={self.source!r})"

    @property
    def item_ids(self) -> np.ndarray:
        """``(n,)`` object array of str."""
        return self.table["item_id"].to_numpy(dtype=object)

    def labels(self, level: str) -> np.ndarray:
        """``(n,)`` object array of str, ``""`` where the label is missing.

        Raises:
            CatalogueError: an unknown level.
        """
        if level not in LEVELS:
            raise CatalogueError(
                f"a level of {join_names(LEVELS)}", f"{level!r}", "use one of these"
            )
        return self.table[level].to_numpy(dtype=object)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {item_id: row for row, item_id in enumerate(self.table["item_id"])}

    def position(self, item_id: str) -> int:
        """Row of a product in the table. Raises ``CatalogueError`` for an unknown id."""
        try:
            return self._positions[str(item_id)]
        except KeyError:
            raise CatalogueError(
                f"an item_id of the {len(self):,} in {self.source}",
                f"{str(item_id)!r}",
                "look it up in Catalogue.table",
            ) from None

    def facts(self, item_id: str) -> dict[str, Any]:
        """The product's row as plain Python values; a missing number or year is ``None``."""
        row = self.table.iloc[self.position(item_id)].to_dict()
        return {name: to_plain(None if value is pd.NA else value) for name, value in row.items()}

    def image_bytes(self, item_id: str, view: str = "") -> bytes:
        """The encoded picture.

        Args:
            item_id: of the product.
            view: the path of one of its pictures; its main one by default.

        Raises:
            CatalogueError: an unknown id.
            ImageReadError: a product without an image, or without that view.
            StorageError: the source does not give it.
        """
        row = self.table.iloc[self.position(item_id)]
        if view and view != row["path"]:
            self._check_view(str(item_id), view)
            return self.storage.read(view)
        if not row["has_image"]:
            raise ImageReadError(
                "a product with an image", f"item {item_id} without one", "see Catalogue.problems"
            )
        return self.storage.read(row["path"])

    def images(self, item_id: str) -> list[np.ndarray]:
        """All pictures of a product, its main one first, each ``(height, width, 3)`` uint8 RGB.

        Raises:
            CatalogueError: an unknown id.
            ImageReadError, StorageError: as ``image_bytes``.
        """
        self.position(item_id)
        paths = self._paths_of.get(str(item_id), [])
        return [load_image(self.storage.read(path)) for path in paths]

    def _check_view(self, item_id: str, view: str) -> None:
        paths = self._paths_of.get(item_id, [])
        if view not in paths:
            raise ImageReadError(
                f"one of the {len(paths)} pictures of item {item_id}",
                repr(view),
                "see Catalogue.views",
            )

    @cached_property
    def _paths_of(self) -> dict[str, list[str]]:
        return self.views.groupby("item_id", sort=False)["path"].agg(list).to_dict()

    def image(self, item_id: str, view: str = "") -> np.ndarray:
        """The picture, ``(height, width, 3)`` uint8 RGB; arguments and errors as ``image_bytes``.

        >>> from fashify import load_catalogue
        >>> catalogue = load_catalogue("sample")
        >>> catalogue.image(catalogue.item_ids[0]).shape
        (320, 240, 3)
        """
        return load_image(self.image_bytes(item_id, view))

    @property
    def problems(self) -> pd.DataFrame:
        """Products that cannot be searched: ``item_id, path, reason``.

        Rows without an image are known at once; unreadable images are found by decoding
        each of them, which happens at the first call and is kept.
        """
        if self._image_problems is None:
            self.note_image_problems(self._check_images())
        return pd.concat([self._row_problems, self._image_problems], ignore_index=True)

    @property
    def row_problems(self) -> pd.DataFrame:
        """The problems known without decoding an image; same columns."""
        return self._row_problems.copy()

    def set_row_problems(self, found: pd.DataFrame) -> None:
        """Keeps the products that have no picture: ``item_id, path, reason``."""
        self._row_problems = found.reset_index(drop=True)

    def note_image_problems(self, found: Iterable[tuple[str, str, str]]) -> None:
        """Keeps ``(item_id, path, reason)`` of unreadable images, all of them at once.

        For whoever has decoded every image anyway, so that it is not done twice.
        """
        self._image_problems = pd.DataFrame(list(found), columns=PROBLEM_COLUMNS)

    def _check_images(self) -> list[tuple[str, str, str]]:
        rows = self.table.loc[self.table["has_image"], ["item_id", "path"]]
        pairs = list(rows.itertuples(index=False, name=None))

        def check(pair: tuple[str, str]) -> tuple[str, str, str] | None:
            try:
                load_image(self.storage.read(pair[1]))
            except FashifyError as error:
                return (*pair, str(error))
            return None

        with ThreadPoolExecutor() as pool:
            return [found for found in pool.map(check, pairs, chunksize=256) if found]

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over the table: the same products with the same facts, in this order."""
        rows = pd.util.hash_pandas_object(self.table.astype(str), index=False).to_numpy()
        return hashlib.sha256(rows.tobytes()).hexdigest()

    def select(self, item_ids: Sequence[str] | np.ndarray) -> Catalogue:
        """The catalogue of these products, in this order."""
        return self.take([self.position(item_id) for item_id in item_ids])

    def take(self, positions: Sequence[int] | np.ndarray) -> Catalogue:
        """The catalogue of these rows, in this order."""
        table = self.table.iloc[np.asarray(positions, dtype=int)]
        kept = set(table["item_id"])
        part = Catalogue(
            table,
            self.storage,
            source=self.source,
            kind=self.kind,
            mended=_rows_of(self.mended, kept),
            row_problems=_rows_of(self._row_problems, kept),
            views=self._views_of(table["item_id"]),
            column_types=self.column_types,
            reading=self.reading,
        )
        part.options = self.options
        if self._image_problems is not None:
            found = _rows_of(self._image_problems, kept)
            part.note_image_problems(found.itertuples(index=False, name=None))
        return part

    def _views_of(self, item_ids: pd.Series) -> pd.DataFrame:
        """The views of these products, in this order."""
        rank = pd.Series(np.arange(len(item_ids)), index=item_ids.to_numpy())
        places = self.views["item_id"].map(rank[~rank.index.duplicated()])
        views = self.views[places.notna()]
        order = places[places.notna()].argsort(kind="stable")
        return views.iloc[order].reset_index(drop=True)

    def sample(self, n: int, per: str | None = None, seed: int = 0) -> Catalogue:
        """A random part, rows in the order of the table.

        Args:
            n: how many products, or how many of each value of ``per``; all where fewer.
            per: a level to draw evenly from; products without that label are left out.
            seed: the same seed draws the same products.

        Raises:
            CatalogueError: ``n`` below 1, or an unknown level.
        """
        if n < 1:
            raise CatalogueError("n of at least 1", str(n), "ask for one product or more")
        rng = np.random.default_rng(seed)
        if per is None:
            rows = rng.permutation(len(self))[:n]
            return self.take(np.sort(rows))
        labels = self.labels(per)
        parts = [
            rng.permutation(np.flatnonzero(labels == value))[:n]
            for value in sorted(set(labels) - {""})
        ]
        return self.take(np.sort(np.concatenate(parts)) if parts else [])

    def split(
        self, fraction: float, seed: int = 0, by: str = "group"
    ) -> tuple[Catalogue, Catalogue]:
        """Two parts, the first of about ``fraction`` of the products.

        Args:
            fraction: between 0 and 1, exclusive.
            seed: the same seed splits alike.
            by: ``group`` keeps copies of one product (same name and type, or the same
                image file) on one side, so that nothing leaks; ``item`` splits freely.

        Raises:
            CatalogueError: a fraction outside (0, 1) or an unknown ``by``.
        """
        if not 0 < fraction < 1:
            raise CatalogueError("a fraction between 0 and 1", str(fraction), "try 0.8")
        if by not in ("group", "item"):
            raise CatalogueError("by 'group' or 'item'", f"{by!r}", "use one of the two")
        groups = self.groups if by == "group" else np.arange(len(self))
        # Of one stratum, so that small catalogues are cut where they should be, too.
        one = np.zeros(len(self), dtype=str)
        first = parts_by_group(groups, (fraction, 1 - fraction), seed, labels=one) == 0
        return self.take(np.flatnonzero(first)), self.take(np.flatnonzero(~first))

    @cached_property
    def groups(self) -> np.ndarray:
        """``(n,)`` int64: products of one number are copies or variants of one another.

        See :func:`fashify.catalogue.groups.group_ids`: the same name and type, or image files
        that are the same to the byte.
        """
        return group_ids(self.table, self._content_keys())

    def _content_keys(self) -> np.ndarray:
        """``(n,)`` str: equal where the image files are equal; unique where there is none."""
        with ThreadPoolExecutor() as pool:
            rows = self.table[["item_id", "path", "has_image"]].itertuples(index=False, name=None)
            return np.array(list(pool.map(self._content_key, rows, chunksize=512)), dtype=object)

    def _content_key(self, row: tuple[str, str, bool]) -> str:
        item_id, path, has_image = row
        if not has_image:
            return f"none:{item_id}"
        try:
            return hashlib.sha256(self.storage.read(path)).hexdigest()
        except FashifyError:
            return f"unreadable:{item_id}"


def _rows_of(table: pd.DataFrame, item_ids: set[str]) -> pd.DataFrame:
    """Rows of these products; ``isin`` would convert all the ids for a few rows."""
    return table[np.array([item_id in item_ids for item_id in table["item_id"]], dtype=bool)]
