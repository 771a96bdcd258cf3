"""Exact scanning: single precision to find candidates, double precision to rank them.

The scan computes inner products in blocks with the processor's matrix product and keeps
every slot whose score could still be among the k best given the rounding error of single
precision. `rank` then measures the survivors by direct difference, so that near duplicates
have a distance near zero (the norm trick |x|^2 - 2xy + |y|^2 would lose their last digits)
and ties are broken by position.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fashify.index import checks
from fashify.index.gallery import Gallery
from fashify.index.neighbours import NONE, Neighbours

#: Gallery rows and queries scored at once: bounds the score block to 8 MB.
BLOCK_ROWS = 8192
BLOCK_QUERIES = 256

#: Below this share of allowed rows, copying them out beats scoring all.
_SPARSE = 0.3

#: Columns folded into one while looking for a bound on the k-th score.
_FOLD = 32

#: Vectors measured at once in double precision: few enough to stay in the cache.
_PAIR_ROWS = 32

_LARGEST = np.finfo(np.float32).max

Pairs = tuple[np.ndarray, np.ndarray]


def scan(
    gallery: Gallery,
    queries: np.ndarray,
    k: int,
    *,
    metric: str,
    allowed: np.ndarray | None,
    excluded: Pairs,
) -> Pairs:
    """Every (query row, slot) that may be among the k nearest, two (c,) int64 arrays.

    Args:
        gallery: the rows.
        queries: (q, dim) float32.
        k: neighbours wanted.
        metric: "cosine" or "euclidean".
        allowed: (n_slots,) bool, or None when every slot is.
        excluded: (query rows, slots) that may not be answered.
    """
    if metric == "cosine":
        scale = _invert_norms(checks.norms(queries, "queries"))
        queries = (queries * scale[:, None]).astype(np.float32)
    best = _Best(len(queries), k, _tolerance(gallery, queries, metric))
    by_slot = np.argsort(excluded[1], kind="stable")
    rows, slots = excluded[0][by_slot], excluded[1][by_slot]
    for start, block in gallery.blocks(BLOCK_ROWS):
        stop = start + len(block)
        wanted = None if allowed is None else np.flatnonzero(allowed[start:stop])
        if wanted is not None and not len(wanted):
            continue
        columns, part = np.arange(len(block)), block
        if wanted is not None and len(wanted) < _SPARSE * len(block):
            columns, part, wanted = wanted, block[wanted], None
        norms = gallery.norms[start:stop]
        scores = _scores(queries, part, norms[columns], metric)
        if wanted is not None and allowed is not None:
            scores[:, ~allowed[start:stop]] = np.inf
        low, high = np.searchsorted(slots, (start, stop))
        if high > low:
            _block_out(scores, columns, rows[low:high], slots[low:high] - start)
        best.offer(scores, start + columns)
    return best.pairs()


def rescan(
    gallery: Gallery,
    queries: np.ndarray,
    k: int,
    parts: list[Pairs],
    which: np.ndarray,
    *,
    excluded: Pairs,
    **options: Any,
) -> Pairs:
    """The pairs of ``parts``, but of a scan for the queries that ``which`` ((q,) bool) names."""
    if which.any():
        parts = [(rows[~which[rows]], slots[~which[rows]]) for rows, slots in parts]
        again, within = np.flatnonzero(which), which[excluded[0]]
        renumbered = (np.cumsum(which) - 1)[excluded[0][within]], excluded[1][within]
        rows, slots = scan(gallery, queries[again], k, excluded=renumbered, **options)
        parts.append((again[rows], slots))
    return join_pairs(parts)


def join_pairs(parts: Sequence[Pairs]) -> Pairs:
    """The pairs of all parts, one after the other."""
    rows, slots = zip(*parts, strict=True)
    return np.concatenate(rows), np.concatenate(slots)


def _scores(queries: np.ndarray, block: np.ndarray, norms: np.ndarray, metric: str) -> np.ndarray:
    """(q, b) float32 that order as the distances do; what is equal for a row is left out."""
    block = block.astype(np.float32, copy=False)
    # One query as a matrix-vector product: it reads the block at the memory's full speed.
    scores = (block @ queries[0])[None, :] if len(queries) == 1 else queries @ block.T
    if metric == "cosine":
        scale = np.minimum(_invert_norms(norms), _LARGEST).astype(np.float32)
        return np.multiply(scores, -scale, out=scores)
    return np.subtract(0.5 * np.square(norms), scores, out=scores)


def _invert_norms(norms: np.ndarray) -> np.ndarray:
    """1 / norm, 0 for the zero vector: its cosine distance to everything is 1."""
    return np.divide(1, norms, out=np.zeros(len(norms)), where=norms > 0)


def _block_out(
    scores: np.ndarray, columns: np.ndarray, rows: np.ndarray, inside: np.ndarray
) -> None:
    place = np.searchsorted(columns, inside)
    there = (place < len(columns)) & (columns[np.minimum(place, len(columns) - 1)] == inside)
    scores[rows[there], place[there]] = np.inf


def _tolerance(gallery: Gallery, queries: np.ndarray, metric: str) -> np.ndarray:
    """(q,) bound on how far two scores may swap places by rounding.

    The error of a dot product of length d grows as eps * sqrt(d) times the norms; the factor
    leaves room for both scores compared and for kernels that sum in one long chain.
    """
    spread = 8 * np.finfo(np.float32).eps * np.sqrt(queries.shape[1])
    if metric == "cosine":
        return np.full(len(queries), spread)
    lengths = np.linalg.norm(queries, axis=1)
    return spread * gallery.longest * (lengths + gallery.longest)


class _Best:
    """The candidates so far, and for each query a bound its k-th best score cannot exceed."""

    def __init__(self, queries: int, k: int, tolerance: np.ndarray) -> None:
        self._k, self._tolerance = k, tolerance.astype(np.float32)
        self._lowest = np.full((queries, k), np.inf, dtype=np.float32)
        self._found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def _bound_scores(self) -> np.ndarray:
        return np.minimum(self._lowest.max(axis=1) + self._tolerance, _LARGEST)[:, None]

    def offer(self, scores: np.ndarray, slots: np.ndarray) -> None:
        """Take from (q, b) scores of (b,) slots whatever may be among the k best."""
        merged = np.concatenate([self._lowest, self._fold_scores(scores)], axis=1)
        self._lowest = np.partition(merged, self._k - 1, axis=1)[:, : self._k]
        # Flat, for np.nonzero in two dimensions costs ten times as much.
        rows, columns = np.divmod(np.flatnonzero(scores <= self._bound_scores()), scores.shape[1])
        self._found.append((rows, slots[columns], scores[rows, columns]))

    def _fold_scores(self, scores: np.ndarray) -> np.ndarray:
        """Minima of groups of columns: k of them stand for k distinct columns, so their
        k-th smallest is never below the true one, and sorting them is far cheaper."""
        width = scores.shape[1] // _FOLD
        if width < 2 * self._k:
            return scores
        folds = scores[:, : width * _FOLD].reshape(len(scores), _FOLD, width).min(axis=1)
        return np.concatenate([folds, scores[:, width * _FOLD :]], axis=1)

    def pairs(self) -> Pairs:
        """(query rows, slots) of all candidates within the final bound."""
        if not self._found:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        rows, slots, scores = (np.concatenate(parts) for parts in zip(*self._found, strict=True))
        keep = scores <= self._bound_scores()[rows, 0]
        return rows[keep], slots[keep]


def drop_excluded(pairs: Pairs, excluded: Pairs) -> Pairs:
    """``pairs`` without the excluded ones."""
    if not len(excluded[0]):
        return pairs
    width = int(max(pairs[1].max(initial=0), excluded[1].max())) + 1
    keep = ~np.isin(pairs[0] * width + pairs[1], excluded[0] * width + excluded[1])
    return pairs[0][keep], pairs[1][keep]


def measure(
    gallery: Gallery, queries: np.ndarray, lengths: np.ndarray, pairs: Pairs, metric: str
) -> np.ndarray:
    """(c,) float32 exact distances of (query row, slot) pairs, in bounded memory.

    Cosine is half the squared difference of the unit vectors: 1 - cos, without the loss of
    digits that subtracting from one brings; the rounding of the cached norms enters only
    squared. The zero vector is at 1 from everything.
    """
    rows, slots = pairs
    cosine = metric == "cosine"
    query_scale = _invert_norms(lengths)
    result = np.empty(len(rows), dtype=np.float64)
    for start in range(0, len(rows), _PAIR_ROWS):
        part = slice(start, start + _PAIR_ROWS)
        left, right = queries[rows[part]], gallery.take(slots[part])
        if cosine:
            left = np.multiply(left, query_scale[rows[part], None], dtype=np.float64)
            right = np.multiply(
                right, _invert_norms(gallery.norms[slots[part]])[:, None], dtype=np.float64
            )
        difference = np.subtract(left, right, dtype=np.float64)
        result[part] = np.einsum("ij,ij->i", difference, difference)
    if not cosine:
        return np.sqrt(result).astype(np.float32)
    zero = (query_scale[rows] == 0) | (gallery.norms[slots] == 0)
    return np.where(zero, 1, 0.5 * result).astype(np.float32)


def rank(
    gallery: Gallery,
    queries: np.ndarray,
    lengths: np.ndarray,
    k: int,
    pairs: Pairs,
    metric: str,
) -> Neighbours:
    """The k nearest products among the candidates of each query, ties by position.

    A product of several views is as near as the nearest of them.

    Args:
        gallery: the rows.
        queries: (q, dim) float32.
        lengths: (q,) their norms.
        k: neighbours wanted.
        pairs: candidate (query rows, slots); each pair once.
        metric: "cosine" or "euclidean".
    """
    rows, slots = pairs
    found, away = gallery.positions(slots), measure(gallery, queries, lengths, pairs, metric)
    order = np.lexsort((slots, found, away, rows))
    if found is not slots:
        # The first of a query's views of one product is the nearest.
        products = (rows * len(gallery) + found)[order]
        order = order[np.sort(np.unique(products, return_index=True)[1])]
    rows, slots, found, away = rows[order], slots[order], found[order], away[order]
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    keep = place < k
    positions = np.full((len(queries), k), NONE, dtype=np.int64)
    views, nearest = positions.copy(), np.full((len(queries), k), np.inf, dtype=np.float32)
    positions[rows[keep], place[keep]] = found[keep]
    views[rows[keep], place[keep]] = slots[keep]
    nearest[rows[keep], place[keep]] = away[keep]
    return name_positions(gallery, positions, nearest, views)


def name_positions(
    gallery: Gallery,
    positions: np.ndarray,
    nearest: np.ndarray,
    views: np.ndarray | None = None,
) -> Neighbours:
    """Neighbours with the ids of (q, k) positions."""
    ids = gallery.item_ids[positions]
    ids[positions == NONE] = ""
    return Neighbours(positions, nearest, ids, positions if views is None else views)
