"""How often labels are wrong, estimated from products of which two labels cannot both be right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fashify.config import LEVELS, SEED
from fashify.evaluation.intervals import bootstrap


def estimate_label_noise(
    items: pd.DataFrame, keys: np.ndarray, *, seed: int = SEED
) -> pd.DataFrame:
    """How often products that share a key disagree about their labels, at every level.

    Of two labels of one picture that differ, one at least is wrong. If a label is wrong with
    probability e, by chance and seldom in the same way, a pair agrees with (1 - e)^2, so
    e = 1 - sqrt(1 - d) for a share d of pairs that differ. What is labelled wrong everywhere
    alike are not seen: e is a lower bound.

    Args:
        items: n products with the columns of ``LEVELS``.
        keys: (n,) str, equal for copies; "" for a product without one.
        seed: of the intervals.

    Returns:
        One row per level: ``level``, ``groups`` of copies with two labels or more, ``disagree``
        (groups whose labels differ), ``share`` of them, ``differ`` (share of a group's pairs
        that differ, mean over groups), ``noise`` (e) and its 95 % interval ``low, high``,
        from the bootstrap over groups. NaN where no group has two labels.
    """
    copied = pd.Series(keys) != ""
    rows = []
    for level in LEVELS:
        labels = items[level].reset_index(drop=True)
        pairs = _pair_rates(pd.Series(keys)[copied & (labels != "")], labels)
        rows.append({"level": level, **_estimate_noise(pairs, seed)})
    return pd.DataFrame(rows)


def _pair_rates(keys: pd.Series, labels: pd.Series) -> pd.DataFrame:
    """One row per group with two labels or more: its share of pairs of products that differ."""
    counts = pd.DataFrame({"key": keys, "label": labels[keys.index]}).value_counts()
    sizes = counts.groupby("key").sum()
    alike = (counts * (counts - 1)).groupby("key").sum()
    many = sizes > 1
    differ = 1 - alike[many] / (sizes[many] * (sizes[many] - 1))
    return differ.rename("differ").reset_index()


def _estimate_noise(pairs: pd.DataFrame, seed: int) -> dict[str, float]:
    n, disagree = len(pairs), int((pairs["differ"] > 0).sum())
    counts = {"groups": n, "disagree": disagree}
    if not n:
        return counts | dict.fromkeys(("share", "differ", "noise", "low", "high"), np.nan)
    values = pairs["differ"].to_numpy(float)
    one = np.zeros(n, dtype=int)
    edges = bootstrap(values[:, None], one, np.arange(n), np.ones(1, bool), seed=seed).micro[0]
    rates = {"share": disagree / n, "differ": values.mean(), "noise": _error_rate(values.mean())}
    return counts | rates | {"low": _error_rate(edges[0]), "high": _error_rate(edges[1])}


def _error_rate(differ: float) -> float:
    return float(1 - np.sqrt(max(0.0, 1 - differ)))
