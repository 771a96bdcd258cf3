"""How near is near, in words and number.

A store with a calibrated curve says how likely a match of a catalogue item is of its type. For a
photo, and where there is no curve: a photo from a phone is farther from every product than products
are from each other, so a bare distance cannot be put into words. What can: how much nearer the
match is than the average product is to the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashify.heads import strength as calibrated
from fashify.heads.head import unit_length
from fashify.retrieval.match import Match

#: Products the average is taken over.
SAMPLE = 500

#: From how much nearer than average (a fraction) each word is used; a convention.
BANDS = (0.20, 0.35, 0.50, 0.70)
WORDS = ("not similar", "loosely similar", "similar", "close", "very close")


@dataclass(frozen=True)
class Nearness:
    """A distance in words and number.

    Attributes:
        words: what to call it.
        share: from ``judge`` 1 minus distance / average distance, 1 for the same picture and 0
            for average; from a calibrated curve the probability that the type is the query's.
        level: 0 for not similar to 4 for the closest.
        brief, explained: the share in a few words, and in a sentence.
    """

    words: str
    share: float
    level: int
    brief: str
    explained: str


class Yardstick:
    """Knows how far the average product is from a query.

    Args:
        drawn: (m, d) float32 of the gallery, drawn at random.
        metric: "cosine" or "euclidean".
    """

    def __init__(self, drawn: np.ndarray, metric: str) -> None:
        self._drawn = np.asarray(drawn, np.float32)
        # The mean of cosines is the cosine part of the mean: one product instead of many.
        self._middle = unit_length(self._drawn).mean(axis=0) if metric == "cosine" else None

    def average(self, feature: np.ndarray) -> float:
        """Mean distance of ``feature``, (dim,), to the drawn products."""
        if self._middle is not None:
            return float(1 - self._middle @ unit_length(feature))
        return float(np.linalg.norm(self._drawn - feature, axis=1).mean())


def judge(distance: float, average: float) -> Nearness:
    """What ``distance`` means where the average product is ``average`` away."""
    nearer = float(1 - distance / max(average, 1e-12))
    level = sum(nearer >= band for band in BANDS)
    percent = f"{100 * nearer:.0f} % nearer"
    explained = f"{percent} than the average product"
    return Nearness(WORDS[level], nearer, level, percent, explained)


def describe_strength(match: Match, average: float, *, photo: bool = False) -> Nearness:
    """As the store's curve says where it has one and may be asked, else as ``judge`` does.

    The curve was measured with the catalogue's own pictures: of a ``photo``, which is farther
    from all of them, it would say that nothing is similar.
    """
    if match.probability is None or photo:
        return judge(match.distance, average)
    percent = f"{100 * match.probability:.0f} %"
    level = calibrated.WORDS.index(match.strength)
    explained = f"Of matches at this distance {percent} are of the type that was looked for"
    return Nearness(match.strength, match.probability, level, f"{percent} same type", explained)
