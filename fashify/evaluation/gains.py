"""Where one run is better than another: the gain of every category, with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fashify.config import SEED
from fashify.evaluation.intervals import bootstrap
from fashify.evaluation.report import EvaluationReport


def gains_by_category(
    before: EvaluationReport, after: EvaluationReport, *, at_least: int = 10, seed: int = SEED
) -> pd.DataFrame:
    """Precision of ``after`` minus that of ``before`` over the same queries, by category.

    Args:
        before, after: of the same queries.
        at_least: queries a category needs to be listed.
        seed: of the cluster bootstrap.

    Returns:
        ``category, n_queries, before, after, gain, low, high``, the largest gain first; low and
        high hold 95 % of the draws, NaN where all queries are of one group.
    """
    return compare_categories(before.queries, after.queries, at_least=at_least, seed=seed)


def compare_categories(
    before: pd.DataFrame, after: pd.DataFrame, *, at_least: int = 10, seed: int = SEED
) -> pd.DataFrame:
    """The same of the reports' ``queries``, or of those an ``EvaluationRun`` keeps."""
    columns = ["item_id", "label", "group", "precision"]
    pairs = before[columns].merge(after[["item_id", "precision"]], on="item_id")
    names, codes = np.unique(pairs["label"].astype(str), return_inverse=True)
    values = pairs[["precision_x", "precision_y"]].to_numpy(float)
    difference = (values[:, 1] - values[:, 0])[:, None]
    counted = np.ones(len(names), bool)
    spread = bootstrap(difference, codes, pairs["group"].to_numpy(), counted, seed=seed)
    sizes = np.bincount(codes)
    means = [np.bincount(codes, column) / sizes for column in values.T]
    table = pd.DataFrame(
        {
            "category": names,
            "n_queries": sizes,
            "before": means[0],
            "after": means[1],
            # Without the noise of two means: what is the same has gained 0.
            "gain": np.round(means[1] - means[0], 9) + 0.0,
            "low": spread.categories[:, 0, 0],
            "high": spread.categories[:, 0, 1],
        }
    )
    table = table[table["n_queries"] >= at_least]
    return table.sort_values(["gain", "category"], ascending=[False, True], ignore_index=True)
