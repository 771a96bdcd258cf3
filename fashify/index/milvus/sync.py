"""Bring a Milvus collection in step with a feature store, sending only what differs."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from fashify.errors import StoreMismatchError
from fashify.index.gallery import Gallery
from fashify.index.milvus.collection import Collection
from fashify.index.milvus.milvus import MilvusIndex, check_single_views
from fashify.index.milvus.rows import Roster, columns_in, digests_of, rows_of

#: Share of a collection that a sync deletes only when explicitly allowed to.
_MOST_GONE = 0.5

log = logging.getLogger(__name__)


class SyncSource(Protocol):
    """What is synchronised: a FeatureStore, or anything with its three arrays."""

    item_ids: np.ndarray
    items: pd.DataFrame

    @property
    def vectors(self) -> np.ndarray: ...
    @property
    def view_items(self) -> np.ndarray: ...


@dataclass(frozen=True)
class SyncResult:
    """What a sync did, in items, and the index over the collection as it is now."""

    added: int
    changed: int
    removed: int
    unchanged: int
    index: MilvusIndex

    def to_dict(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("added", "changed", "removed", "unchanged")}


def sync(
    store: SyncSource,
    *,
    uri: str | None = None,
    collection: str = "fashify",
    replace: bool = False,
    **params: Any,
) -> SyncResult:
    """Make a collection hold exactly what the store holds.

    An upload that was cut off is taken up where it stopped: rows that are there with the
    same digest are not sent again. Searches go on meanwhile and see a mixture of old and
    new; `MilvusIndex.fit` swaps a whole new collection in instead.

    Args:
        store: vectors (n, dim), item_ids (n,) and items, the catalogue rows.
        uri, collection, **params: as for `MilvusIndex`, and ``metric``.
        replace: go on even when most of the collection is none of the store's items.

    Raises:
        StorageError: the server is away. StoreMismatchError: the collection is of another
            dimension, metric or schema, or holds another store's items. QueryError: unusable
            features.
    """
    gallery = Gallery.of(store.vectors, store.item_ids, store.view_items)
    check_single_views(gallery)
    index = MilvusIndex(uri=uri, collection=collection, **params)
    server, columns = index.collection, columns_in(store.items)
    _ensure_collection(server, gallery.dim, columns)
    before = server.roster().set_index("item_id")
    gone = before.index.difference(pd.Index(gallery.item_ids)).tolist()
    if not replace:
        _check_ours(server, len(gone), len(before))
    server.delete(before.loc[gone, "slot"].to_numpy(dtype=np.int64))
    present = pd.Index(gallery.item_ids).isin(before.index)
    slots = _slots(before, gallery.item_ids, present)
    digests = np.array(digests_of(gallery.base, store.items, columns))
    same = present.copy()
    same[present] = before.loc[gallery.item_ids[present], "digest"].to_numpy() == digests[present]
    differing = np.flatnonzero(~same)
    server.upload(
        rows_of(
            gallery.base[differing],
            gallery.item_ids[differing],
            slots[differing],
            store.items.iloc[differing],
            columns,
        ),
        gallery.dim,
        len(differing),
    )
    if len(differing) or gone:
        server.flush()
        server.settle()
    n_slots = int(max(slots.max(), before["slot"].max() if len(before) else 0)) + 1
    index.adopt(Roster(slots, gallery.item_ids, n_slots, gallery.dim), columns)
    added, changed = int((~present).sum()), int((present & ~same).sum())
    log.info("synchronised %s: %d added, %d changed, %d gone", uri, added, changed, len(gone))
    return SyncResult(added, changed, len(gone), int(same.sum()), index)


def _ensure_collection(server: Collection, dim: int, columns: list[str]) -> None:
    """The collection is there and can be searched, empty when it had to be made."""
    if server.exists():
        server.check(dim, columns)
        server.load()
        return
    fresh = server.fresh()
    fresh.create(dim, columns)
    fresh.index(columns)
    fresh.load()
    fresh.point(server.name)


def _check_ours(server: Collection, gone: int, before: int) -> None:
    """Two stores that share a collection by mistake would delete each other's items."""
    if gone > _MOST_GONE * before:
        raise StoreMismatchError(
            f"the store's own items at {server.name!r}",
            f"{gone:,} of {before:,} that are none of them",
            "name another --collection, or pass --replace if they may go",
        )


def _slots(before: pd.DataFrame, item_ids: np.ndarray, present: np.ndarray) -> np.ndarray:
    """(n,) int64: the slot an item has already, or the next free one."""
    slots = np.empty(len(item_ids), dtype=np.int64)
    slots[present] = before.loc[item_ids[present], "slot"].to_numpy(dtype=np.int64)
    first = int(before["slot"].max()) + 1 if len(before) else 0
    slots[~present] = np.arange(first, first + int((~present).sum()))
    return slots
