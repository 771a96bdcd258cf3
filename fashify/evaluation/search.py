"""The one search an evaluation needs: sampled queries against the whole gallery, in blocks."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from fashify.errors import QueryError
from fashify.index import Index, make_index

#: Galleries up to this size are searched with every item; larger ones with a sample.
ALL_QUERIES_UP_TO = 10_000

#: How many queries are drawn from a larger gallery unless the caller says otherwise.
SAMPLED_QUERIES = 4_000

#: Queries handed to the index at once: bounds the memory of the distances.
BLOCK = 1_024


@dataclass(frozen=True, eq=False)
class Searched:
    """Stored neighbours of a set of queries, each query a gallery item left out by its id.

    Attributes:
        queries: (q,) positions of the queries, ascending.
        positions: (q, d) positions of the neighbours, nearest first, -1 for none.
        distances: (q, d) float32, inf for none.
        seconds: how long the search took, without fitting the index.
        index: name, metric and size of the index.
    """

    queries: np.ndarray
    positions: np.ndarray
    distances: np.ndarray
    seconds: float
    index: dict


def search_gallery(
    store,
    *,
    index: str | Index = "exact",
    metric: str = "cosine",
    depth: int,
    n_queries: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Searched:
    """Search the gallery of a store with its own items, each one excluded from its answer.

    Args:
        store: a FeatureStore of n items.
        index: name of an index, fitted here, or one already fitted on this store.
        metric: "cosine" or "euclidean"; used when ``index`` is a name.
        depth: neighbours a query, 1 to n - 1.
        n_queries: how many items to draw as queries; None means all of a gallery of up to
            10,000 and 4,000 of a larger one. More than n means all.
        seed: of the draw.
        progress: show a progress bar.

    Raises:
        QueryError: depth or n_queries out of range, or an index of other items.
    """
    fitted = _fitted(store, index, metric)
    n = len(store.item_ids)
    check_k(depth, n)
    queries = choose_queries(n, n_queries, seed)
    blocks = [queries[start : start + BLOCK] for start in range(0, len(queries), BLOCK)]
    found, started = [], time.perf_counter()
    for block in tqdm(blocks, "searching", unit="block", disable=not progress):
        vectors = np.asarray(store.features[block], dtype=np.float32)
        found.append(fitted.search(vectors, depth, exclude=list(store.item_ids[block])))
    return Searched(
        queries=queries,
        positions=np.concatenate([part.positions for part in found]),
        distances=np.concatenate([part.distances for part in found]),
        seconds=time.perf_counter() - started,
        index={"name": fitted.name, "metric": fitted.metric, "n": len(fitted)},
    )


def check_k(k: int, n: int) -> None:
    """QueryError unless a gallery of n items has k neighbours for each of them."""
    if not 1 <= k <= n - 1:
        raise QueryError(
            f"1 <= k <= {n - 1}, the gallery's {n} items without the query",
            f"k = {k}",
            "choose a k in this range, or evaluate a larger gallery",
        )


def choose_queries(n: int, n_queries: int | None, seed: int) -> np.ndarray:
    """(q,) ascending positions of the queries among n items, drawn without replacement."""
    if n_queries is None:
        n_queries = n if n <= ALL_QUERIES_UP_TO else SAMPLED_QUERIES
    if n_queries < 1:
        raise QueryError(
            "n_queries of 1 or more", str(n_queries), "leave it out to use the default"
        )
    if n_queries >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, n_queries, replace=False))


def _fitted(store, index: str | Index, metric: str) -> Index:
    if isinstance(index, str):
        return make_index(index, metric=metric).fit(store.features, store.item_ids)
    if not np.array_equal(np.asarray(index.item_ids), np.asarray(store.item_ids)):
        raise QueryError(
            f"an index of the {len(store.item_ids)} items of this store, in its order",
            f"an index of {len(index)} other items",
            "fit the index on store.features and store.item_ids",
        )
    return index
