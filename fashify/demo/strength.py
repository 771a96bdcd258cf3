"""How near is near? A match's distance beside that of the catalogue's average product.

A photo from a phone is farther from every product than products are from each other, so a
bare distance cannot be put into words. What can: how much nearer the match is than the
average product is to the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashify.config import SEED

#: Items the average is taken over.
SAMPLE = 500

#: From how much nearer than average (a fraction) each word is used; a convention.
BANDS = (0.20, 0.35, 0.50, 0.70)
WORDS = ("not similar", "loosely similar", "similar", "close", "very close")


@dataclass(frozen=True)
class Strength:
    """A distance in words and number.

    Attributes:
        words: one of ``WORDS``.
        nearer: 1 minus distance / average distance; 1 for the same picture, 0 for average.
        level: place of the words in ``WORDS``, 4 for the closest.
    """

    words: str
    nearer: float
    level: int


class Yardstick:
    """Knows how far the average product is from a query.

    Args:
        features: (n, dim) float32 of the gallery; up to 500 rows are kept.
        metric: "cosine" or "euclidean".
    """

    def __init__(self, features: np.ndarray, metric: str) -> None:
        rng = np.random.default_rng(SEED)
        rows = rng.choice(len(features), min(SAMPLE, len(features)), replace=False)
        self._drawn = np.asarray(features[np.sort(rows)], np.float32)
        # The mean of cosines is the cosine part of the mean: one product instead of many.
        self._middle = _unit(self._drawn).mean(axis=0) if metric == "cosine" else None

    def average(self, feature: np.ndarray) -> float:
        """Mean distance of ``feature``, (dim,), to the drawn products."""
        if self._middle is not None:
            return float(1 - self._middle @ _unit(feature))
        return float(np.linalg.norm(self._drawn - feature, axis=1).mean())


def judge(distance: float, average: float) -> Strength:
    """What ``distance`` means where the average product is ``average`` away."""
    nearer = 1 - distance / max(average, 1e-12)
    level = sum(nearer >= band for band in BANDS)
    return Strength(WORDS[level], float(nearer), level)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
