"""A store's vectors shard by shard, to hold an index of them against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from fashify.store.shards import read_shard
from fashify.store.store import SHARDS, FeatureStore

#: Rounding: a head gives a block and the whole gallery the same vectors but for the last bits.
_CLOSE = 1e-4


def served_blocks(store: FeatureStore) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """``(item_ids (m,), vectors (m, d))`` of each shard, as an index of the store holds them.

    Raises:
        StoreCorruptError: a shard or the head is not as written.
    """
    rows, start = store.location["row"].to_numpy(), 0
    for record in store.meta["shards"]:
        shard = read_shard(store.path / SHARDS / record["file"])
        mine = np.flatnonzero((rows >= start) & (rows < start + record["rows"]))
        features = shard.features[rows[mine] - start]
        deep, colour = features[:, : store.dim], features[:, store.dim :]
        yield store.item_ids[mine], deep if store.head is None else store.head(deep, colour)
        start += record["rows"]


def holds(
    vectors_of: Callable[[Sequence[str]], np.ndarray],
    store: FeatureStore,
    *,
    shards: int | None = None,
    most: int | None = None,
) -> bool:
    """Whether an index holds the store's vectors.

    Args:
        vectors_of: of the index, ids to ``(m, d)``; it must know the store's items.
        shards: how many shards to look at; all by default.
        most: how many items of each; all by default.
    """
    for item_ids, vectors in islice(served_blocks(store), shards):
        wanted, found = vectors[:most], vectors_of(list(item_ids[:most]))
        if found.shape != wanted.shape or not np.allclose(found, wanted, atol=_CLOSE):
            return False
    return True
