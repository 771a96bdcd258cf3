"""How much better a method answers texts than another, query by query."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fashify.config import SEED
from fashify.evaluation.intervals import bootstrap, permutation_p
from fashify.evaluation.texts import FEW, MANY, TextReport

COLUMNS = ("protocol", "method", "measure", "gain", "low", "high", "p", "n")


def compare_texts(report: TextReport, against: str, *, seed: int = SEED) -> pd.DataFrame:
    """Every method beside one that answered the same queries, such as a published model.

    Args:
        against: the method, ``fashionsiglip`` for a column ``rank_fashionsiglip``.

    Returns:
        one row a protocol, method and measure: ``gain`` over ``against``, ``low, high`` (95 %
        bootstrap over queries), ``p`` (paired permutation test, two-sided), ``n`` queries; none
        where it was not measured.
    """
    rows = []
    queries = report.queries[~report.queries["method"].isin(["chance", "oracle"])]
    for protocol, group in queries.groupby("protocol", sort=False):
        tables = {
            m: t.drop_duplicates("text").set_index("text") for m, t in group.groupby("method")
        }
        other = tables.pop(against, None)
        for method, table in tables.items() if other is not None else ():
            for measure in (name for name in (*FEW, *MANY) if name in other and name in table):
                gains = (table[measure].astype(float) - other[measure].astype(float)).dropna()
                if len(gains):
                    row = {"protocol": protocol, "method": method, "measure": measure}
                    rows.append(row | _compare_paired(gains.to_numpy(), seed))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def describe_gains(
    gains: pd.DataFrame, against: str, *, method: str = "picture", measure: str = "recall@10"
) -> list[str]:
    """A sentence for each protocol: what a method gains over another, in one measure.

    Args:
        gains: from ``compare_texts`` with ``against``.
    """
    rows = gains[(gains["method"] == method) & (gains["measure"] == measure)]
    return [
        f"{row.protocol}, query by query over {row.n:,}: {measure} of {method} {row.gain:+.3f} "
        f"[{row.low:+.3f}, {row.high:+.3f}] beside {against} (p {row.p:.3f})."
        for row in rows.itertuples()
    ]


def _compare_paired(gains: np.ndarray, seed: int) -> dict[str, float]:
    n = len(gains)
    rows, one = np.arange(n), np.zeros(n, np.int64)
    low, high = bootstrap(gains[:, None], one, rows, np.array([True]), seed=seed).micro[0]
    p = permutation_p(gains, rows, np.full(n, 1 / n), seed=seed)
    return {"gain": gains.mean(), "low": low, "high": high, "p": p, "n": n}
