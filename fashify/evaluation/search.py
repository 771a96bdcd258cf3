"""The one search an evaluation needs: queries against the whole gallery, in blocks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from fashify.catalogue.groups import SPLITS
from fashify.errors import FewProductsError, QueryError, join_names
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
    item_ids: np.ndarray,
    vectors: np.ndarray,
    queries: np.ndarray,
    groups: np.ndarray,
    *,
    view_items: np.ndarray | None = None,
    index: str | Index = "exact",
    metric: str = "cosine",
    depth: int,
    progress: bool = False,
) -> tuple[Searched, Searched]:
    """Search a gallery with its own items, each left out of its answer; then its group, too.

    Args:
        item_ids: (n,) ids of the gallery.
        vectors: (v, d) float32; a query is asked with its first view.
        queries: (q,) ascending positions.
        groups: (n,) from ``fashify.catalogue.groups``.
        view_items: (v,) the position of each view's product; one view each by default.
        index: name of an index, fitted here, or one already fitted on these vectors.
        metric: "cosine" or "euclidean"; used when ``index`` is a name.
        depth: neighbours a query, 1 to n - 1.
        progress: show a progress bar.

    Returns:
        The answers without the query, and those without any item of its group. The second
        search is asked anew, with those items excluded, for every query whose group is larger
        than itself, so its lists are as long and as exact as the first one's.

    Raises:
        QueryError: depth out of range, or an index of other items.
    """
    fitted = _fit_index(item_ids, vectors, view_items, index, metric)
    check_k(depth, len(item_ids))
    if view_items is not None and len(vectors) != len(item_ids):
        vectors = vectors[np.searchsorted(view_items, np.arange(len(item_ids)))]
    search = _Search(fitted, np.asarray(item_ids), vectors, depth, progress)
    alone = search(queries, [[item_id] for item_id in search.item_ids[queries]])
    members = _group_members(groups, queries)
    more = np.array([len(found) > 1 for found in members], dtype=bool)
    if not more.any():
        return alone, alone
    kin = [list(search.item_ids[found]) for found in members if len(found) > 1]
    excluded = search(queries[more], kin)
    positions, distances = alone.positions.copy(), alone.distances.copy()
    positions[more], distances[more] = excluded.positions, excluded.distances
    return alone, replace(excluded, queries=queries, positions=positions, distances=distances)


@dataclass(frozen=True)
class _Search:
    index: Index
    item_ids: np.ndarray
    vectors: np.ndarray
    depth: int
    progress: bool

    def __call__(self, queries: np.ndarray, exclude: list) -> Searched:
        starts, found, begun = range(0, len(queries), BLOCK), [], time.perf_counter()
        for start in tqdm(starts, "searching", unit="block", disable=not self.progress):
            part = slice(start, start + BLOCK)
            asked = np.asarray(self.vectors[queries[part]], dtype=np.float32)
            found.append(self.index.search(asked, self.depth, exclude=exclude[part]))
        facts = {"name": self.index.name, "metric": self.index.metric, "n": len(self.index)}
        return Searched(
            queries=queries,
            positions=np.concatenate([one.positions for one in found]),
            distances=np.concatenate([one.distances for one in found]),
            seconds=time.perf_counter() - begun,
            index=facts,
        )


def check_k(k: int, n: int) -> None:
    """FewProductsError unless a gallery of n items has k neighbours for each of them."""
    if not 1 <= k <= n - 1:
        raise (FewProductsError if k >= 1 else QueryError)(
            f"1 <= k <= {n - 1}, the gallery's {n} items without the query",
            f"k = {k}",
            "choose a k in this range, or evaluate a larger gallery",
        )


def choose_queries(
    parts: np.ndarray | int, n_queries: int | None = None, seed: int = 0, split: str = "all"
) -> np.ndarray:
    """(q,) ascending positions of the queries among n items, drawn without replacement.

    Args:
        parts: (n,) the split of each item, as ``FeatureStore.split``; of split "all" n alone
            will do.
        n_queries: how many; None means every item of a split, or all of up to 10,000 and else
            4,000. More than there are means all.
        seed: of the draw.
        split: one of ``fashify.catalogue.groups.SPLITS``, or "all".

    Raises:
        QueryError: n_queries below 1, an unknown split or an empty one.
    """
    if split not in (*SPLITS, "all"):
        raise QueryError(f"split {join_names((*SPLITS, 'all'))}", f"{split!r}", "use one of these")
    if n_queries is not None and n_queries < 1:
        raise QueryError(
            "n_queries of 1 or more", str(n_queries), "leave it out to use the default"
        )
    n = parts if isinstance(parts, int) else len(parts)
    pool = np.arange(n)
    if split != "all":
        pool = np.flatnonzero(np.asarray(parts) == split)
    elif n_queries is None and len(pool) > ALL_QUERIES_UP_TO:
        n_queries = SAMPLED_QUERIES
    if not len(pool):
        raise FewProductsError(f"items in the {split} split", f"a gallery of {n}", "use split all")
    if n_queries is None or n_queries >= len(pool):
        return pool
    return np.sort(np.random.default_rng(seed).choice(pool, n_queries, replace=False))


def _group_members(groups: np.ndarray, queries: np.ndarray) -> list[np.ndarray]:
    """For each query the positions of its group, its own among them."""
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order, ends = np.argsort(codes, kind="stable"), np.cumsum(sizes)
    return [order[ends[code] - sizes[code] : ends[code]] for code in codes[queries]]


def _fit_index(
    item_ids: Sequence[str] | np.ndarray,
    vectors: np.ndarray,
    view_items: np.ndarray | None,
    index: str | Index,
    metric: str,
) -> Index:
    if isinstance(index, str):
        return make_index(index, metric=metric).fit(vectors, item_ids, view_items=view_items)
    if not np.array_equal(np.asarray(index.item_ids), np.asarray(item_ids)):
        raise QueryError(
            f"an index of the {len(item_ids)} items of this store, in its order",
            f"an index of {len(index)} other items",
            "fit the index on store.vectors and store.item_ids",
        )
    return index
