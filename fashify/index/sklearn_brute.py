"""The reference: scikit-learn's brute force neighbours, as in the original design."""

from __future__ import annotations

from typing import Any

import numpy as np

from fashify.index.base import Index
from fashify.index.gallery import Gallery
from fashify.index.scan import Pairs, drop_excluded

#: Candidates asked for beyond k, so that ties at the k-th place are rarely cut.
_SPARE = 16


class SklearnIndex(Index):
    """``NearestNeighbors(algorithm="brute")`` over the rows.

    Slower than ``exact`` and kept simple on purpose: the other backends are held against it.
    """

    name = "sklearn"
    exact = True

    def _build(self, gallery: Gallery) -> Any:
        return self._brute(np.asarray(gallery.base))

    def _brute(self, rows: np.ndarray) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(algorithm="brute", metric=self.metric).fit(rows)

    def _candidates(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, excluded: Pairs
    ) -> Pairs:
        brute, slots = self._structure, np.arange(self._require_gallery().n_slots)
        if allowed is not None and not allowed.all():
            slots = np.flatnonzero(allowed)
            if not len(slots):
                return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
            brute = self._brute(self._require_gallery().take(slots))
        if not len(queries):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        most = np.bincount(excluded[0], minlength=1).max()
        return drop_excluded(_find_near(brute, queries, k + int(most), slots), excluded)


def _find_near(brute: Any, queries: np.ndarray, k: int, slots: np.ndarray) -> Pairs:
    """(query rows, slots): at least the k nearest and everything tied with them."""
    spare = _SPARE
    while True:
        wanted = min(k + spare, len(slots))
        away, found = brute.kneighbors(queries, n_neighbors=wanted)
        edge = away[:, min(k, wanted) - 1] * (1 + 1e-5) + 1e-5 * (1 + np.abs(queries).max())
        if wanted == len(slots) or np.all(away[:, -1] > edge):
            break
        spare *= 4
    keep = away <= edge[:, None]
    rows = np.broadcast_to(np.arange(len(queries))[:, None], found.shape)
    return rows[keep], slots[found[keep]]
