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

#: Candidates that a query keeps of each part alone and of all parts alike: the best five under any
#: weights are looked for among these.
KEPT = 200

#: The least any part but the first gets: shape keeps products of one label in order.
FLOOR = 0.1


#: How much of the macro mean of a thousand composed views may be lost: it lies within chance, for
#: most types have but a few of them.
SLACK = 0.005


@dataclass(frozen=True)
class ChosenWeights:
    """The outcome of ``choose_weights``.

    Attributes:
        weights: part -> weight.
        measured: level -> precision@5 of validation queries under these weights, of the first
            of ``JUDGED`` the macro mean too; empty where there was nothing to judge by.
        composed: the same of composed views of validation products; empty without views.
        worth: one number for all of them, every level counting alike, pictures and views too.
    """

    weights: dict[str, float]
    measured: dict[str, float] = field(default_factory=dict)
    composed: dict[str, float] = field(default_factory=dict)
    worth: float = 0.0


def choose_weights(
    parts: Sequence[Part],
    material: Material,
    *,
    seed: int = 0,
    grid: Sequence[Sequence[float]] | None = None,
    replaced: ChosenWeights | None = None,
) -> ChosenWeights:
    """The weights with the best mean precision@5 on validation queries.

    Every weighting is judged with the whole catalogue as the gallery. Where there are composed
    views of validation products they are queries too, and both kinds count alike.

    Args:
        parts: of the head.
        material: of the gallery.
        seed: of the draw of queries.
        grid: weightings to choose from; all in tenths by default.
        replaced: what the weights must not be worse than: in the first of ``JUDGED`` for
            products, and for composed views there and on the mean; where none is as good the
            outcome is worth nothing.
    """
    names = [part.name for part in parts]
    grid = list(_list_simplex(len(parts))) if grid is None else list(grid)
    middle = ChosenWeights(dict(zip(names, grid[len(grid) // 2], strict=True)))
    levels = [level for level in JUDGED if level in material.find_teachable()]
    rows = _draw(material.rows("validation"), seed)
    if (len(grid) == 1 and len(parts) == 1) or not levels or not len(rows):
        return middle
    gallery = [part(material.inputs) for part in parts]
    clean = _try_grid([part[rows] for part in gallery], gallery, rows, material.owners, grid)
    scores = [_scores(material, levels, rows, near) for near in clean]
    if not scores[0]:
        return middle
    views = _views_of(material, seed)
    seen: list[dict[str, dict[str, float]]] = [{} for _ in grid]
    if views is not None:
        inputs, origin = views
        tried = _try_grid([part(inputs) for part in parts], gallery, origin, material.owners, grid)
        seen = [_scores(material, levels, origin, near) for near in tried]
    worths = [
        _mean_score(a) + _mean_score(b) if _is_as_good(_flat(a), _flat(b), replaced) else 0.0
        for a, b in zip(scores, seen, strict=True)
    ]
    best = int(np.argmax(worths))
    weights = dict(zip(names, map(float, grid[best]), strict=True))
    return ChosenWeights(weights, _flat(scores[best]), _flat(seen[best]), worths[best])


def _is_as_good(
    measured: Mapping[str, float], composed: Mapping[str, float], replaced: ChosenWeights | None
) -> bool:
    """Whether neither products nor composed views are answered worse than before."""
    if replaced is None:
        return True
    main, macro = JUDGED[0], f"{JUDGED[0]}, macro"
    gains = {name: composed.get(name, 0.0) - old for name, old in replaced.composed.items()}
    before, after = (
        sum(found.get(name, 0.0) for name in (main, macro))
        for found in (replaced.measured, measured)
    )
    return (
        after >= before
        and sum(gains.values()) >= 0
        and gains.get(main, 0.0) >= 0
        and gains.get(macro, 0.0) >= -SLACK
    )


def _draw(rows: np.ndarray, seed: int) -> np.ndarray:
    if len(rows) <= QUERIES:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, QUERIES, replace=False))


def _views_of(material: Material, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray] | None:
    """Inputs of composed views of validation products, and the products' rows."""
    if material.views is None:
        return None
    views = material.views.select(material.views.split == "validation")
    return (views.inputs, views.rows) if len(views.rows) else None


def _list_simplex(n: int) -> Iterator[tuple[float, ...]]:
    """Weights in tenths that sum to 1, none below ``FLOOR``."""
    least = round(10 * max(FLOOR, LEAST_WEIGHT))
    for tenths in product(range(least, 11), repeat=n - 1):
        rest = 10 - sum(tenths)
        if rest >= least:
            yield tuple(value / 10 for value in (*tenths, rest))


def _try_grid(
    queries: Sequence[np.ndarray],
    gallery: Sequence[np.ndarray],
    rows: np.ndarray,
    owners: np.ndarray,
    grid: Sequence[Sequence[float]],
) -> np.ndarray:
    """(weightings, q, K) nearest positions, each query's own item left out."""
    k = min(K, len(gallery[0]) - 1)
    found = np.empty((len(grid), len(rows), k), np.int64)
    for start in range(0, len(rows), BLOCK):
        block = slice(start, start + BLOCK)
        cosines = [q[block] @ part.T for q, part in zip(queries, gallery, strict=True)]
        own = owners[rows[block]][:, None] == owners[None, :]
        for part in cosines:
            part[own] = -np.inf
        kept = _candidates(cosines)
        near = [np.take_along_axis(part, kept, axis=1) for part in cosines]
        for number, weights in enumerate(grid):
            places = _find_nearest(near, weights, k)
            found[number, block] = np.take_along_axis(kept, places, axis=1)
    return found


def _candidates(cosines: Sequence[np.ndarray]) -> np.ndarray:
    """(b, c) distinct positions a row: the nearest by all parts alike, and by each alone."""
    n = cosines[0].shape[1]
    if n <= KEPT * (len(cosines) + 1):
        return np.tile(np.arange(n), (len(cosines[0]), 1))
    mean = np.sum(cosines, axis=0)
    chosen = np.zeros(mean.shape, bool)
    for values in (mean, *cosines):
        near = np.argpartition(-values, KEPT, axis=1)[:, :KEPT]
        np.put_along_axis(chosen, near, True, axis=1)
    # As many for each row: those chosen first, then any others, which are too far to matter.
    most = int(chosen.sum(axis=1).max())
    return np.argpartition(~chosen, most - 1, axis=1)[:, :most]


def _find_nearest(cosines: Sequence[np.ndarray], weights: Sequence[float], k: int) -> np.ndarray:
    total = np.zeros_like(cosines[0])
    for weight, part in zip(weights, cosines, strict=True):
        total += np.float32(weight) * part
    near = np.argpartition(-total, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(total, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def _scores(
    material: Material, levels: Sequence[str], queries: np.ndarray, near: np.ndarray
) -> dict[str, dict[str, float]]:
    """level -> its mean precisions: micro, and of the first of ``JUDGED`` macro too."""
    figures: dict[str, dict[str, float]] = {}
    for level in levels:
        labels = material.labels[level]
        judged = metrics.count_relevant(labels, queries) > 0
        if judged.any():
            micro, macro = metrics.precision_means(
                labels, queries[judged], near[judged], near.shape[1]
            )
            figures[level] = {level: micro}
            if level == JUDGED[0] and not np.isnan(macro):
                figures[level][f"{level}, macro"] = macro
    return figures


def _flat(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {
        name: round(float(score), 4) for means in scores.values() for name, score in means.items()
    }


def _mean_score(scores: Mapping[str, Mapping[str, float]]) -> float:
    """One number: every level counts alike."""
    return sum(float(np.mean(list(means.values()))) for means in scores.values())
