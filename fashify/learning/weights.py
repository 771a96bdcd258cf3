"""How much each part counts by default: tried out on the validation split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from fashify import metrics
from fashify.heads.head import LEAST_WEIGHT, Part
from fashify.learning.material import Material

#: Levels whose mean precision@5 the weights make as large as can be. For the first it is the mean
#: of micro and macro, or rare types would pay for the colours of the frequent ones.
JUDGED = ("article_type", "base_colour", "gender")

#: Validation queries, queries at a time, places, and the step of the grid in tenths.
QUERIES, BLOCK, K = 1500, 100, 5

#: The least any part but the first gets: shape keeps products of one label in order.
FLOOR = 0.1


@dataclass(frozen=True)
class ChosenWeights:
    """The outcome of ``choose_weights``.

    Attributes:
        weights: part -> weight.
        measured: level -> precision@5 of validation queries under these weights, of the first
            of ``JUDGED`` the macro mean too; empty where there was nothing to judge by.
        worth: one number for all of them, every level counting alike.
    """

    weights: dict[str, float]
    measured: dict[str, float] = field(default_factory=dict)
    worth: float = 0.0


def choose_weights(parts: Sequence[Part], material: Material, *, seed: int = 0) -> ChosenWeights:
    """The weights on a grid of tenths with the best mean precision@5 on validation queries.

    Every weighting is judged with the whole catalogue as the gallery.
    """
    names = [part.name for part in parts]
    grid = list(_list_simplex(len(parts)))
    levels = [level for level in JUDGED if level in material.find_teachable()]
    queries = material.rows("validation")
    if len(queries) > QUERIES:
        queries = np.sort(np.random.default_rng(seed).choice(queries, QUERIES, replace=False))
    middle = ChosenWeights(dict(zip(names, grid[len(grid) // 2], strict=True)))
    if len(grid) == 1 or not levels or not len(queries):
        return middle
    vectors = [part(material.inputs) for part in parts]
    found = np.empty((len(grid), len(queries), K), np.int64)
    for start in range(0, len(queries), BLOCK):
        block = queries[start : start + BLOCK]
        cosines = [part[block] @ part.T for part in vectors]
        for row, weights in enumerate(grid):
            found[row, start : start + len(block)] = _find_nearest(cosines, weights, block)
    scores = [_scores(material, levels, queries, near) for near in found]
    if not scores[0]:
        return middle
    worths = [_mean_score(one) for one in scores]
    best = int(np.argmax(worths))
    told = {
        name: round(float(score), 4)
        for means in scores[best].values()
        for name, score in means.items()
    }
    return ChosenWeights(dict(zip(names, grid[best], strict=True)), told, worths[best])


def _list_simplex(n: int) -> Iterator[tuple[float, ...]]:
    """Weights in tenths that sum to 1, none below ``FLOOR``."""
    least = round(10 * max(FLOOR, LEAST_WEIGHT))
    for tenths in product(range(least, 11), repeat=n - 1):
        rest = 10 - sum(tenths)
        if rest >= least:
            yield tuple(value / 10 for value in (*tenths, rest))


def _find_nearest(
    cosines: list[np.ndarray], weights: Sequence[float], block: np.ndarray
) -> np.ndarray:
    total = np.zeros_like(cosines[0])
    for weight, part in zip(weights, cosines, strict=True):
        total += np.float32(weight) * part
    total[np.arange(len(block)), block] = -np.inf
    near = np.argpartition(-total, K, axis=1)[:, :K]
    order = np.argsort(-np.take_along_axis(total, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def _scores(
    material: Material, levels: Sequence[str], queries: np.ndarray, near: np.ndarray
) -> dict[str, dict[str, float]]:
    """level -> its mean precisions: micro, and of the first of ``JUDGED`` macro too."""
    told: dict[str, dict[str, float]] = {}
    for level in levels:
        labels = material.labels[level]
        judged = metrics.count_relevant(labels, queries) > 0
        if judged.any():
            micro, macro = metrics.precision_means(labels, queries[judged], near[judged], K)
            told[level] = {level: micro}
            if level == JUDGED[0] and not np.isnan(macro):
                told[level][f"{level}, macro"] = macro
    return told


def _mean_score(scores: Mapping[str, Mapping[str, float]]) -> float:
    """One number: every level counts alike."""
    return sum(float(np.mean(list(means.values()))) for means in scores.values())
