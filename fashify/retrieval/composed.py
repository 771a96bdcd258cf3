"""One query of several parts: image, text, item, liked and disliked, weighed against one another.

Each part says of every product how likely it answers, in log odds; the answer is ordered by
their weighted sum. What a text names beside an image ("in black") takes the place of that part
of the image: its own colour no longer counts, all the rest does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fashify.errors import QueryError, join_names
from fashify.retrieval.wording import Scores, standardise
from fashify.text.meaning import Meaning

#: Log odds of an image's likeness: constant, and of its cosine in standard deviations over the
#: gallery.
IMAGE = (-8.0, 2.0)

#: Part of a head that a kind of term replaces, and what is left of its weight.
REPLACED = {"colour": ("colour", 0.0), "type": ("category", 0.25), "gender": ("category", 0.6)}

#: How much more than alone a text's words and what is seen count beside an image: it is a
#: correction, and most products like the image do not answer it.
BESIDE = {"words": 1.0, "picture": 1.0}

#: Names of a query's parts beside those of the store's head.
PARTS = ("words", "picture", "image")


@dataclass(frozen=True)
class Ranking:
    """An order of the gallery.

    Attributes:
        positions: (m,) rows of the products, the best first.
        distances: (m,) 1 less the calibrated probability that the product answers.
        parts: name -> (m,) the same of each part of the query alone.
    """

    positions: np.ndarray
    distances: np.ndarray
    parts: dict[str, np.ndarray]


def split_weights(
    weights: Mapping[str, float] | None, head: tuple[str, ...]
) -> tuple[dict[str, float], dict[str, float] | None]:
    """Weights of a query's parts, 1 by default, and those of the head's parts, if any.

    Raises:
        QueryError: an unknown part or a negative weight.
    """
    given = dict(weights or {})
    unknown = set(given) - {*PARTS, *head}
    if unknown or any(not 0 <= float(value) < np.inf for value in given.values()):
        raise QueryError(
            f"weights of 0 or more for parts of {join_names((*PARTS, *head))}",
            f"{given}",
            "name parts of the query or of the head, such as words=1",
        )
    of_query = {name: float(given.get(name, 1.0)) for name in PARTS}
    of_head = {name: float(given[name]) for name in head if name in given}
    return of_query, of_head or None


def replace_parts(
    meaning: Meaning, weights: Mapping[str, float] | None, default: Mapping[str, float]
) -> dict[str, float] | None:
    """The head's weights for an image beside a text: what the text names is taken back.

    Args:
        weights: asked for, if any were.
        default: the head's own; empty for a store without a head.
    """
    left = dict(weights or default)
    for term in meaning.wanted:
        part, share = REPLACED.get(term.kind, ("", 1.0))
        if part in left and len(left) > 1:
            left[part] = min(left[part], share * float(default.get(part, 1.0)))
    changed = left != dict(weights or default)
    return left if left and sum(left.values()) > 0 and (changed or weights) else None


def rank(
    scores: Scores | None,
    similarity: np.ndarray | None,
    *,
    weights: Mapping[str, float],
    mask: np.ndarray | None = None,
    limit: int | None = None,
) -> Ranking:
    """Orders a gallery of n products by a text, by the likeness to an image, or by both.

    Args:
        scores: of the text, if there is one; from ``Wording.score``.
        similarity: (n,) cosines to the image, if there is one.
        weights: of ``PARTS``.
        mask: (n,) bool, products that may be answered.
        limit: how many of the best; all by default.
    """
    odds: dict[str, np.ndarray] = {}
    if scores is not None:
        odds |= _of_text(scores, dict.fromkeys(BESIDE, 1.0) if similarity is None else BESIDE)
    if similarity is not None:
        constant, slope = IMAGE
        odds["image"] = np.float32(constant) + np.float32(slope) * standardise(similarity)
    total = _mean_log_odds(odds, weights)
    allowed = np.ones(len(total), bool) if mask is None else mask
    if scores is not None:
        allowed = allowed & scores.allowed
    order = _select_best(total, np.flatnonzero(allowed), limit)
    parts = {name: 1 - _probability(values[order]) for name, values in odds.items()}
    return Ranking(order, 1 - _probability(total[order]), parts)


def _select_best(total: np.ndarray, positions: np.ndarray, limit: int | None) -> np.ndarray:
    values = -total[positions]
    if limit is not None and limit < len(positions):
        near = np.sort(np.argpartition(values, limit - 1)[:limit])
        positions, values = positions[near], values[near]
    return positions[np.argsort(values, kind="stable")]


def _of_text(scores: Scores, beside: Mapping[str, float]) -> dict[str, np.ndarray]:
    found = {"words": scores.words, "picture": scores.picture}
    return {
        name: np.float32(beside[name]) * values
        for name, values in found.items()
        if values is not None
    }


def _mean_log_odds(odds: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """The weighted mean of the parts' log odds."""
    counted = {name: weights[name] for name in odds if weights[name] > 0}
    if not counted:
        raise QueryError(
            "a part of the query with a weight above 0",
            f"{dict(weights)} for {join_names(odds) or 'nothing'}",
            "leave the weights out",
        )
    total = sum(counted.values())
    return np.sum(
        [np.float32(weight / total) * odds[name] for name, weight in counted.items()], axis=0
    )


def _probability(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(odds, -30, 30).astype(np.float64)))
