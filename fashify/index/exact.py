"""The default: exact search in NumPy, single precision with cached norms."""

from __future__ import annotations

import numpy as np

from fashify.index.base import Index
from fashify.index.scan import Pairs, scan


class ExactIndex(Index):
    """Scores every row with one matrix product, then measures the few that can matter.

    Needs no building and no memory beyond the features and one norm a row.
    """

    name = "exact"
    exact = True

    def _candidates(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, excluded: Pairs
    ) -> Pairs:
        gallery = self._fitted()
        return scan(gallery, queries, k, metric=self.metric, allowed=allowed, excluded=excluded)
