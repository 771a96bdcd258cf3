"""Search in Milvus: embedded (Milvus Lite), a Standalone server or a cluster, one code.

The vectors and the filter columns live in the collection; here are only the ids and which
row is whose. Candidates come from the server; their vectors are fetched and measured here,
so that distances and ties are those of every other index.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from fashify.config import settings
from fashify.errors import IndexNotFittedError, QueryError, StorageError, StoreMismatchError
from fashify.index import checks
from fashify.index.approximate import pad_ragged
from fashify.index.base import Index
from fashify.index.filters.filter import Filter
from fashify.index.gallery import Gallery
from fashify.index.milvus.collection import Collection
from fashify.index.milvus.expressions import (
    EVERYTHING,
    NOTHING,
    Expression,
    expression_of,
    slots_among,
)
from fashify.index.milvus.rows import Roster, columns_in, rows_of
from fashify.index.neighbours import NONE, Neighbours
from fashify.index.scan import Pairs, drop_excluded, name_positions, rank, scan
from fashify.io.artefact import ArtefactReader, ArtefactWriter, write_artefact
from fashify.store.layout import INDEX_KIND

#: Candidates asked for beyond k, to be measured exactly.
_SPARE = 10


class MilvusIndex(Index):
    """A Milvus collection behind the index protocol.

    Parameters: ``uri`` (a file ending in .db, or http://host:port; by default what
    FASHIFY_MILVUS_URI says, else a file in the cache), ``collection`` (the alias; a fresh name
    by default), ``target`` (lite, standalone, distributed or auto), ``timeout`` in seconds,
    ``batch_bytes`` sent at once, ``width``: nodes kept in view by an approximate target (``ef``,
    ``search_list``), by default the target's own.
    """

    name = "milvus"
    defaults = {  # noqa: RUF012
        "uri": None,
        "collection": None,
        "target": "auto",
        "timeout": 30,
        "batch_bytes": 8 << 20,
        "width": None,
    }
    tunable = ("width",)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.params["uri"] = _uri(self.params["uri"])
        self.params["collection"] = self.params["collection"] or f"fashify_{uuid.uuid4().hex[:12]}"
        self.collection = self._open()
        self._columns: list[str] = []

    def _open(self) -> Collection:
        params = {name: self.params[name] for name in ("uri", "target", "timeout", "batch_bytes")}
        return Collection(name=self.params["collection"], metric=self.metric, **params)

    # -- building

    def fit(
        self,
        features: np.ndarray,
        item_ids: Sequence[str] | np.ndarray,
        *,
        view_items: np.ndarray | None = None,
        items: pd.DataFrame | None = None,
    ) -> Self:
        """Upload a gallery to a new collection, then let the alias point to it.

        Args:
            features: (n, dim). item_ids: (n,) str, each once.
            view_items: (n,), each product once: a collection holds one view per product.
            items: (n, columns) catalogue rows, to filter on the server.

        Raises:
            QueryError: unusable input, or products of several views. StorageError: the server
                is away. In both cases the collection before stays in use.
        """
        gallery = Gallery.of(features, item_ids, view_items)
        check_single_views(gallery)
        fresh = self.collection.fresh()
        columns, slots = columns_in(items), np.arange(len(gallery))
        try:
            fresh.create(gallery.dim, columns)
            rows = rows_of(gallery.base, gallery.item_ids, slots, items, columns)
            fresh.upload(rows, gallery.dim, len(gallery))
            fresh.flush()
            fresh.index(columns)
            fresh.settle()
            fresh.load()
        except BaseException:
            with suppress(StorageError):
                fresh.drop()
            raise
        fresh.point(self.collection.name)
        self._columns = columns
        self._gallery = Roster(slots, gallery.item_ids, len(gallery), gallery.dim)
        return self

    def adopt(self, roster: Roster, columns: Sequence[str]) -> Self:
        """Use a collection that is on the server already, its rows in the order given."""
        self._gallery, self._columns = roster, list(columns)
        return self

    def vectors_of(self, item_ids: Sequence[str] | np.ndarray) -> np.ndarray:
        """(m, dim) float32 features of items, from the server; QueryError for unknown ids."""
        roster = self._require_gallery()
        return self.collection.vectors(roster.order[roster.locate(list(item_ids))])

    def bytes_outside(self) -> int | None:
        path = Path(self.params["uri"])
        if "://" in self.params["uri"]:
            return None
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())

    def discard(self) -> None:
        self.collection.drop()
        super().discard()

    def filters_on(self, columns: set[str]) -> bool:
        return columns <= set(self._columns)

    # -- searching

    def _mask_allowed(self, where: Any) -> Expression:  # type: ignore[override]
        """The filter as an expression: from a mask, or from a filter on its own columns."""
        roster = self._require_gallery()
        if where is None:
            return EVERYTHING
        if isinstance(where, str | Mapping | Filter):
            return self._expression(Filter.parse(where))
        mask = checks.mask(where, len(roster))
        if mask is None:
            return EVERYTHING
        inside = roster.order[mask]
        if 2 * len(inside) <= len(mask):
            return slots_among(inside)
        outside = roster.order[~mask]
        return slots_among(outside, outside=True) if len(outside) else EVERYTHING

    def _expression(self, where: Filter) -> Expression:
        missing = where.columns - set(self._columns)
        if missing:
            raise QueryError(
                f"a filter on the collection's columns ({', '.join(self._columns) or 'none'})",
                ", ".join(sorted(missing)),
                "upload the catalogue rows with fit(..., items=store.items)",
            )
        return expression_of(where.root)

    def _candidates(  # type: ignore[override]
        self, queries: np.ndarray, k: int, allowed: Expression, excluded: Pairs
    ) -> Pairs:
        roster = self._require_gallery()
        most = int(np.bincount(excluded[0], minlength=1).max())
        limit = min(k + most + _SPARE, len(roster))
        return drop_excluded(pad_ragged(self._ask(queries, limit, allowed)), excluded)

    def _ask(self, queries: np.ndarray, limit: int, allowed: Expression) -> np.ndarray:
        return self.collection.search(queries, limit, allowed, self.params["width"])

    def _answer(  # type: ignore[override]
        self,
        queries: np.ndarray,
        lengths: np.ndarray,
        k: int,
        allowed: Expression,
        excluded: Pairs,
    ) -> Neighbours:
        if not len(queries) or allowed == NOTHING:
            return self._local(np.empty(0, np.int64), queries, lengths, k, None)
        pairs = self._candidates(queries, k, allowed, excluded)
        if np.bincount(pairs[0], minlength=len(queries)).min() >= k:
            return self._local(np.unique(pairs[1]), queries, lengths, k, pairs)
        # Fewer than k: there are no more, or an approximate index lost some behind the filter.
        passing = self.collection.matching(allowed, self._require_gallery().n_slots)
        return self._local(passing, queries, lengths, k, None, excluded)

    def _local(
        self,
        slots: np.ndarray,
        queries: np.ndarray,
        lengths: np.ndarray,
        k: int,
        pairs: Pairs | None,
        excluded: Pairs | None = None,
    ) -> Neighbours:
        """Measure here: the given pairs, or every query against all of ``slots``."""
        roster = self._require_gallery()
        positions = np.sort(roster.positions(slots))
        if not len(positions):
            shape = (len(queries), k)
            return name_positions(roster, np.full(shape, NONE), np.full(shape, np.inf, np.float32))
        slots, ids = roster.order[positions], roster.item_ids[positions]
        rows = Gallery.of(self.collection.vectors(slots), ids)
        if pairs is None:
            excluded = excluded or (np.empty(0, np.int64), np.empty(0, np.int64))
            inside = np.isin(excluded[1], slots)
            banned = excluded[0][inside], _places(excluded[1][inside], roster, positions)
            pairs = scan(rows, queries, k, metric=self.metric, allowed=None, excluded=banned)
        else:
            pairs = pairs[0], _places(pairs[1], roster, positions)
        found = rank(rows, queries, lengths, k, pairs, self.metric)
        there = found.positions != NONE
        found_at = np.where(there, positions[found.positions], NONE)
        return replace(found, positions=found_at, views=found_at)

    # -- files

    def _require_gallery(self) -> Any:
        if self._gallery is None:
            raise IndexNotFittedError(
                "an index that holds features", "one that is empty", "call fit, load or sync first"
            )
        return self._gallery

    def save(self, folder: str | Path, *, column: str = "") -> Path:
        """Write which row is whose; the vectors stay on the server, whatever ``column`` says."""
        roster = self._require_gallery()
        facts = {"backend": self.name, "metric": self.metric, "params": self.params}
        facts |= {"rows": {"n_slots": int(roster.n_slots), "dim": int(roster.dim)}}

        def fill(writer: ArtefactWriter) -> None:
            writer.add_array("order", roster.order)
            writer.add_array("item_ids", roster.item_ids)

        return write_artefact(Path(folder), INDEX_KIND, facts, fill)

    def _read(self, reader: ArtefactReader, features: np.ndarray | None) -> None:
        facts = reader.facts.get("rows") or {}
        order, ids = reader.array("order"), reader.array("item_ids")
        if not self.collection.exists():
            raise StoreMismatchError(
                f"the collection {self.collection.name!r} at {self.params['uri']}",
                "a server without it",
                "upload it again: fashify index sync",
            )
        self.collection.check(int(facts["dim"]))
        self.collection.load()
        count = self.collection.count()
        if count != len(ids):
            raise StoreMismatchError(
                f"{len(ids)} rows in {self.collection.name!r}",
                f"{count}",
                "bring it in step: fashify index sync",
            )
        self.adopt(Roster(order, ids, facts["n_slots"], facts["dim"]), self.collection.columns())


def _uri(uri: Any) -> str:
    """The address as kept in files: a url as it is, a file by its full path."""
    if uri is None:
        uri = os.environ.get("FASHIFY_MILVUS_URI") or settings().cache / "milvus.db"
    return str(uri) if "://" in str(uri) else os.path.abspath(uri)


def _places(slots: np.ndarray, roster: Roster, positions: np.ndarray) -> np.ndarray:
    """Where each slot's row lies among the rows fetched for sorted ``positions``."""
    return np.searchsorted(positions, roster.positions(slots))


def check_single_views(gallery: Gallery) -> None:
    """Raises ``QueryError`` for products of several views, which a collection cannot hold."""
    if gallery.view_items is not None:
        raise QueryError(
            "products of one view each for a Milvus collection",
            f"{gallery.n_slots:,} views of {len(gallery):,} products",
            "use the index exact or hnsw for this store",
        )
