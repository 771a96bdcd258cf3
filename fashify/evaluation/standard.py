"""The measures other projects publish beside precision@5, from the same one search."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fashify import metrics
from fashify.evaluation.intervals import bootstrap
from fashify.evaluation.search import Searched

#: Places the widest of these measures looks at.
WIDEST = 10

#: Gallery items a category needs for its queries to count in accuracies; where none has so many,
#: more than five. Kaggle's catalogue has 55 such article types.
ENOUGH = 100


def tabulate_standard(
    found: Searched,
    labels: np.ndarray,
    both: np.ndarray | None,
    all_groups: np.ndarray,
    left_out: np.ndarray | None,
    seed: int,
) -> pd.DataFrame:
    """P@1, P@10, hit rates and accuracies of one level's labels, each a mean over queries.

    Args:
        found: the neighbours of all queries.
        labels: (n,) labels of the gallery, "" where missing.
        both: (n,) article type and base colour as one label; None leaves that row out.
        all_groups: (n,) groups, drawn whole for the intervals.
        left_out: (n,) groups left out of the answers, or None.
        seed: of the intervals.

    Returns:
        ``measure, value, low, high, n_queries``. Precisions and hit rates are over the judged
        queries; ``accuracy (5-NN)``, the share of queries whose label most of their five
        nearest bear, over those of categories with ``ENOUGH`` items, and ``P@1`` over the same
        is ``accuracy (1-NN)``; a type-and-colour query counts where another item shares both.
        A row of more places than were searched is left out.
    """
    near = found.positions[:, :WIDEST]
    judged = metrics.count_relevant(labels, found.queries, left_out) > 0
    relevant = metrics.relevance(labels, found.queries, near)
    frequent = judged & _are_frequent(labels)[found.queries]
    kinds = [
        ("P@1", 1, judged, lambda: metrics.precision_at_k(relevant, 1)),
        ("P@10", 10, judged, lambda: metrics.precision_at_k(relevant, 10)),
        ("hit rate@5", 5, judged, lambda: metrics.hit_rate_at_k(relevant, 5)),
        ("hit rate@10", 10, judged, lambda: metrics.hit_rate_at_k(relevant, 10)),
        ("accuracy (1-NN)", 1, frequent, lambda: metrics.precision_at_k(relevant, 1)),
        (
            "accuracy (5-NN)",
            5,
            frequent,
            lambda: metrics.knn_accuracy(labels, found.queries, near, 5),
        ),
    ]
    if both is not None:
        asked = metrics.count_relevant(both, found.queries, left_out) > 0
        alike = metrics.relevance(both, found.queries, near)
        kinds.append(("type and colour P@10", 10, asked, lambda: metrics.precision_at_k(alike, 10)))
    groups = np.asarray(all_groups)[found.queries]
    return pd.DataFrame(
        [
            {"measure": name, **_summarise(measure()[counted], groups[counted], seed)}
            for name, places, counted, measure in kinds
            if counted.any() and places <= near.shape[1]
        ],
        columns=["measure", "value", "low", "high", "n_queries"],
    )


def _summarise(values: np.ndarray, groups: np.ndarray, seed: int) -> dict:
    codes, counted = np.zeros(len(values), int), np.ones(1, bool)
    low, high = bootstrap(values[:, None], codes, groups, counted, seed=seed).micro[0]
    return {"value": float(values.mean()), "low": low, "high": high, "n_queries": len(values)}


def _are_frequent(labels: np.ndarray) -> np.ndarray:
    """(n,) bool: items of a category large enough for an accuracy."""
    names, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    sizes = np.where(names == "", 0, sizes)
    enough = ENOUGH if sizes.max(initial=0) >= ENOUGH else 6
    return sizes[codes] >= enough
