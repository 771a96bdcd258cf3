"""How near a match is, in words, where no curve was measured for such a query.

A bare distance says nothing: a photo from a phone is farther from every product than products
are from each other. What can be said is how much nearer the match is than the average product is
to the same query.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fashify.heads.head import unit_length
from fashify.heads.strength import WORDS

#: Products that the average is taken over.
SAMPLE = 500

#: From how much nearer than average (a fraction of its distance) each of the words after the
#: first is used; a convention.
BANDS = (0.20, 0.35, 0.50, 0.70)


class Nearness:
    """Puts distances into words, beside the distance of the average product.

    Args:
        vectors: (m, d) float32, of products drawn at random from the gallery.
        metric: "cosine" or "euclidean".

    >>> east, north = np.eye(2, dtype=np.float32)
    >>> Nearness(np.stack([east, north]), "cosine").words(east, [0.0, 0.3, 0.5])
    ['very close', 'similar', 'nothing similar']
    """

    def __init__(self, vectors: np.ndarray, metric: str) -> None:
        self._vectors = np.asarray(vectors, np.float32)
        # The mean of cosines is the cosine part of the mean: one product instead of many.
        self._middle = unit_length(self._vectors).mean(axis=0) if metric == "cosine" else None

    def average(self, vector: np.ndarray) -> float:
        """Mean distance of a query's vector ``(d,)`` to the drawn products."""
        if self._middle is not None:
            return float(1 - self._middle @ unit_length(vector))
        return float(np.linalg.norm(self._vectors - vector, axis=1).mean())

    def words(self, vector: np.ndarray, distances: Iterable[float]) -> list[str]:
        """One of ``fashify.heads.strength.WORDS`` for each distance from ``vector``."""
        average = max(self.average(vector), 1e-12)
        return [_word(1 - distance / average) for distance in distances]


def _word(nearer: float) -> str:
    return WORDS[sum(nearer >= band for band in BANDS)]
