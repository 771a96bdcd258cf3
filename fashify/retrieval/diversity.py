"""Variety among the results: maximal marginal relevance.

Carbonell and Goldstein, *The use of MMR, diversity-based reranking for reordering documents and
producing summaries*, SIGIR 1998.
"""

from __future__ import annotations

import numpy as np

from fashify.errors import QueryError

#: Candidates looked at for each result wanted, and at least.
POOL, LEAST = 5, 50


def pool_size(k: int) -> int:
    """How many neighbours to choose ``k`` varied ones from."""
    return max(POOL * k, LEAST)


def choose_varied(
    distances: np.ndarray, vectors: np.ndarray, k: int, diversity: float, metric: str
) -> list[int]:
    """Places of ``k`` candidates, each near the query and unlike those before it.

    The next one has the least ``(1 - diversity) * distance - diversity * distance to the nearest
    one chosen``; the nearest of all comes first.

    Args:
        distances: (c,) of the candidates to the query.
        vectors: (c, d) of the candidates.
        k: how many; all c if there are fewer.
        diversity: 0 for the nearest alone, 1 for variety alone.
        metric: "cosine" or "euclidean", that of ``distances``.

    Raises:
        QueryError: diversity outside 0..1.
    """
    if not 0 <= diversity <= 1:
        raise QueryError("a diversity from 0 to 1", f"{diversity}", "move the slider")
    if not len(distances):
        return []
    between = _pairwise_distances(np.asarray(vectors, np.float64), metric)
    chosen = [int(np.argmin(distances))]
    nearest_chosen = between[chosen[0]].copy()
    while len(chosen) < min(k, len(distances)):
        cost = (1 - diversity) * distances - diversity * nearest_chosen
        cost[chosen] = np.inf
        chosen.append(int(np.argmin(cost)))
        nearest_chosen = np.minimum(nearest_chosen, between[chosen[-1]])
    return chosen


def _pairwise_distances(vectors: np.ndarray, metric: str) -> np.ndarray:
    """(c, c) distances among the candidates."""
    if metric == "cosine":
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return 1 - unit @ unit.T
    squares = np.square(vectors).sum(axis=1)
    return np.sqrt(np.maximum(squares[:, None] + squares - 2 * vectors @ vectors.T, 0))
