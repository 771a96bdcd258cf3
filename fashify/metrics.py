"""Retrieval metrics in plain NumPy, computed from stored results and never inside a timed run.

Every function takes the answer lists as one boolean array ``relevant`` of shape (q, d): row i
is the answer to query i, nearest first, True where the neighbour shares the query's label. A
place that holds no neighbour is False. ``n_relevant`` (q,) counts all items of the gallery that
share the query's label, the query itself excluded; 0 marks a lone query, for which recall and
its kin are undefined (NaN).

Sources, named in the docstrings:

* IR book: Manning, Raghavan, Schütze, *Introduction to Information Retrieval*, 2008, chapter 8.
* Musgrave, Belongie, Lim, *A Metric Learning Reality Check*, ECCV 2020 (MAP@R).
* Järvelin, Kekäläinen, *Cumulated gain-based evaluation of IR techniques*, TOIS 2002 (nDCG).
"""

from __future__ import annotations

import numpy as np

from fashify.errors import QueryError


def relevance(labels: np.ndarray, queries: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Which neighbours share their query's label; the missing label ``""`` shares with nobody.

    Args:
        labels: (n,) label of every gallery item, ``""`` where missing.
        queries: (q,) positions of the queries.
        neighbours: (q, d) positions of their neighbours, nearest first, -1 for none.

    Returns:
        (q, d) bool.
    """
    codes = _codes(labels)
    asked = codes[queries][:, None]
    found = np.where(neighbours >= 0, codes[neighbours], -2)
    return (found == asked) & (asked >= 0)


def count_relevant(
    labels: np.ndarray, queries: np.ndarray, groups: np.ndarray | None = None
) -> np.ndarray:
    """How many other items share each query's label: (q,) int64, -1 where it has no label.

    Args:
        labels: (n,) label of every gallery item, ``""`` where missing.
        queries: (q,) positions of the queries.
        groups: (n,) group of every item; those of the query's own group are not counted then.
    """
    codes = _codes(labels)
    sizes = np.bincount(codes[codes >= 0], minlength=1)
    asked = codes[queries]
    own = 1 if groups is None else _count_own(codes, groups)[queries]
    return np.where(asked >= 0, sizes[asked] - own, -1).astype(np.int64)


def _count_own(codes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(n,) int64: how many items of an item's group share its label, itself among them."""
    groups = np.unique(groups, return_inverse=True)[1]
    cells = groups * (codes.max(initial=0) + 2) + codes + 1
    _, cell, sizes = np.unique(cells, return_inverse=True, return_counts=True)
    return sizes[cell]


def precision_at_k(relevant: np.ndarray, k: int) -> np.ndarray:
    """Relevant among the first k, divided by k: (q,) float in [0, 1]. IR book, section 8.4.

    Divided by k even where fewer than k neighbours exist, as the definition has it.
    """
    return _find_first(relevant, k).sum(axis=1) / k


def recall_at_k(relevant: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Relevant among the first k over all relevant: (q,) float, NaN if lone. IR book, 8.3."""
    return _ratio(_find_first(relevant, k).sum(axis=1), n_relevant)


def hit_rate_at_k(relevant: np.ndarray, k: int) -> np.ndarray:
    """1.0 if any of the first k is relevant, else 0.0: (q,) float.

    Called recall@k in metric learning; see Musgrave et al. 2020, who warn of the mixture.
    """
    return _find_first(relevant, k).any(axis=1).astype(float)


def precision_curve(relevant: np.ndarray, k_max: int) -> np.ndarray:
    """Precision at 1, 2, ..., k_max for every query: (q, k_max) float. IR book, section 8.4."""
    return np.cumsum(_find_first(relevant, k_max), axis=1) / np.arange(1, k_max + 1)


def average_precision(
    relevant: np.ndarray, n_relevant: np.ndarray, depth: int | None = None
) -> np.ndarray:
    """Mean of the precisions at each relevant place: (q,) float, NaN if lone. IR book, 8.4.

    Args:
        relevant: (q, d) bool, nearest first.
        n_relevant: (q,) all relevant items of the gallery.
        depth: look at the first ``depth`` places only (default: all d). A cut list is divided
            by min(n_relevant, depth), so that a perfect one still gives 1. The mean over
            queries is MAP, or MAP@depth.
    """
    depth = relevant.shape[1] if depth is None else depth
    hits = _find_first(relevant, depth)
    gained = (hits * precision_curve(relevant, depth)).sum(axis=1)
    return _ratio(gained, np.minimum(n_relevant, depth))


def map_at_r(relevant: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Average precision over the first R = n_relevant places: (q,) float, NaN if lone.

    (1/R) times the sum over i = 1..R of precision@i where place i is relevant. Musgrave et al.
    2020, equation 4. Needs lists of R places; where they hold d < R, R = d is used (the caller
    says so).
    """
    depth = relevant.shape[1]
    wanted = np.minimum(n_relevant, depth)
    inside = np.arange(depth) < wanted[:, None]
    gained = (relevant * precision_curve(relevant, depth) * inside).sum(axis=1)
    return _ratio(gained, wanted)


def ndcg_at_k(relevant: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Normalised discounted cumulated gain with gains of 0 and 1: (q,) float, NaN if lone.

    Sum of 1/log2(rank + 1) over relevant places, over that of a perfect list. Järvelin and
    Kekäläinen 2002, in the form of the IR book, section 8.4.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gained = _find_first(relevant, k) @ discounts
    perfect = np.concatenate([[0.0], np.cumsum(discounts)])
    return _ratio(gained, perfect[np.clip(n_relevant, 0, k)])


def chance_level(n_relevant: np.ndarray, n_candidates: int | np.ndarray) -> np.ndarray:
    """Expected precision@k of neighbours drawn at random: (q,) float, the same for every k.

    Args:
        n_relevant: (q,) how many items count as relevant.
        n_candidates: how many items may be drawn, one number or (q,): the gallery without the
            query, or without its group.
    """
    if np.min(n_candidates, initial=1) < 1:
        raise QueryError("a gallery of 2 items or more", "1", "use a larger gallery")
    return np.asarray(n_relevant, dtype=float) / n_candidates


def precision_ceiling(n_relevant: np.ndarray, k: int) -> np.ndarray:
    """The best precision@k possible: (q,) float; below 1 where fewer than k are relevant."""
    return np.minimum(n_relevant, k) / k


def knn_accuracy(
    labels: np.ndarray, queries: np.ndarray, neighbours: np.ndarray, k: int
) -> np.ndarray:
    """1.0 where the label that most of the first k neighbours bear is the query's: (q,) float.

    Of labels equally frequent that of the nearest neighbour wins; neighbours without a label
    have no vote. Cover, Hart, *Nearest neighbor pattern classification*, 1967; for k = 1 it is
    precision@1.

    Args:
        labels: (n,) label of every gallery item, ``""`` where missing.
        queries: (q,) positions of the queries.
        neighbours: (q, at least k) positions of their neighbours, nearest first, -1 for none.
        k: how many vote.
    """
    codes = _codes(labels)
    near = np.where(neighbours[:, :k] >= 0, codes[neighbours[:, :k]], -1)
    votes = (near[:, :, None] == near[:, None, :]).sum(axis=2) * (near >= 0)
    # argmax takes the first of equals, which is the nearest.
    winner = near[np.arange(len(near)), votes.argmax(axis=1)]
    return ((winner == codes[queries]) & (winner >= 0)).astype(float)


def micro_mean(values: np.ndarray) -> float:
    """Mean over queries, NaN (lone) left out. IR book, section 13.6."""
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else float("nan")


def macro_mean(values: np.ndarray, labels: np.ndarray) -> float:
    """Mean over categories of the mean over their queries. IR book, section 13.6.

    Args:
        values: (q,) float, one per query; NaN is left out.
        labels: (q,) the category of each query.
    """
    values, labels = np.asarray(values, dtype=float), np.asarray(labels)
    known = ~np.isnan(values)
    if not known.any():
        return float("nan")
    _, groups = np.unique(labels[known], return_inverse=True)
    return float((np.bincount(groups, weights=values[known]) / np.bincount(groups)).mean())


def precision_means(
    labels: np.ndarray, queries: np.ndarray, neighbours: np.ndarray, k: int
) -> tuple[float, float]:
    """Precision@k of some queries, micro, and macro over the categories that k others share.

    Args:
        labels: (n,) label of every gallery item, ``""`` where missing.
        queries: (q,) positions of the queries.
        neighbours: (q, at least k) positions of their neighbours, nearest first.
        k: places looked at.
    """
    precision = precision_at_k(relevance(labels, queries, neighbours), k)
    often = count_relevant(labels, queries) >= k
    return micro_mean(precision), macro_mean(precision[often], labels[queries][often])


def confusion(
    labels: np.ndarray, queries: np.ndarray, neighbours: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How often a query of category i has a neighbour of category j.

    Args:
        labels: (n,) label of every gallery item, ``""`` where missing.
        queries: (q,) positions of the queries.
        neighbours: (q, k) positions of their neighbours, -1 for none.

    Returns:
        names (c,) sorted, and counts (c, c) int64: rows are queries, columns neighbours. Pairs
        in which either side has no label are left out.
    """
    names = np.unique(labels[labels != ""])
    codes = _codes(labels)
    asked = np.repeat(codes[queries], neighbours.shape[1])
    found = np.where(neighbours >= 0, codes[neighbours], -1).ravel()
    both = (asked >= 0) & (found >= 0)
    cells = asked[both] * len(names) + found[both]
    return names, np.bincount(cells, minlength=len(names) ** 2).reshape(len(names), len(names))


def _codes(labels: np.ndarray) -> np.ndarray:
    """(n,) int64: the rank of each label among the sorted names, -1 for the missing one."""
    labels = np.asarray(labels).astype(str)
    names, codes = np.unique(labels, return_inverse=True)
    return codes - 1 if len(names) and names[0] == "" else codes


def _find_first(relevant: np.ndarray, k: int) -> np.ndarray:
    relevant = np.asarray(relevant)
    if relevant.ndim != 2 or not 1 <= k <= relevant.shape[1]:
        raise QueryError(
            "relevant of shape (q, d) and 1 <= k <= d",
            f"shape {relevant.shape} and k = {k}",
            "search at least k neighbours a query",
        )
    return relevant[:, :k].astype(bool)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below as float, NaN where nothing is below (a lone query)."""
    below = np.asarray(below, dtype=float)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
