"""Neighbours and labels in, an EvaluationReport out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fashify import metrics
from fashify.errors import FewProductsError, QueryError
from fashify.evaluation.intervals import Intervals, bootstrap
from fashify.evaluation.report import EvaluationReport
from fashify.evaluation.search import Searched
from fashify.evaluation.standard import tabulate_standard

#: Longest k of the precision curve.
CURVE_K = 10

#: What is measured for every query and averaged micro and macro.
MEASURES = ("precision", "recall", "hit_rate", "map", "map_at_r", "ndcg", "chance", "ceiling")


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Everything of an evaluation but the labels.

    Attributes:
        item_ids: (n,) ids of the gallery.
        groups: (n,) their groups.
        alone: the stored neighbours of the queries, each query left out of its own answer.
        excluding_group: the same with the query's whole group left out.
        k: places a precision looks at.
        facts: what the report shall say about the search.
        seed: of the intervals.
        type_and_colour: (n,) article type and base colour as one label, "" where either is
            missing.
    """

    item_ids: np.ndarray
    groups: np.ndarray
    alone: Searched
    excluding_group: Searched
    k: int
    facts: dict
    seed: int
    type_and_colour: np.ndarray


def judge(asked: Evaluated, labels: np.ndarray, level: str) -> EvaluationReport:
    """Stored neighbours against one level's labels, with ``excluding_group`` judged beside.

    Args:
        asked: what was searched and found.
        labels: (n,) labels of the gallery, "" where missing.
        level: the name of the level.

    Raises:
        QueryError: no query has a label that another item shares.
    """
    report = _judge_view(asked, labels, level, asked.alone, None)
    try:
        excluding_group = _judge_view(asked, labels, level, asked.excluding_group, asked.groups)
    except QueryError:
        # Every label of a query is within its own group: there is nothing to find outside it.
        return report
    return replace(report, excluding_group=excluding_group)


def _judge_view(
    asked: Evaluated, labels: np.ndarray, level: str, found: Searched, groups: np.ndarray | None
) -> EvaluationReport:
    n_relevant = metrics.count_relevant(labels, found.queries, groups)
    judged = n_relevant > 0
    queries, positions = found.queries[judged], found.positions[judged]
    if not len(queries):
        raise FewProductsError(
            f"a query whose {level} another item shares",
            f"{len(judged)} queries, all lone or without a label",
            "draw more queries or from all splits, or choose another level",
        )
    k, near = asked.k, positions[:, : asked.k]
    relevant = metrics.relevance(labels, queries, positions)
    per_query = _measure_queries(asked, labels, queries, relevant, n_relevant[judged], groups)
    per_query["nearest"] = found.distances[judged, 0]
    names, codes = np.unique(per_query["label"].to_numpy(str), return_inverse=True)
    counted = _count_in_macro(labels, names, k)
    spread = _bootstrap_intervals(per_query, codes, counted, asked.seed)
    categories, counts = metrics.confusion(labels, queries, near)
    both = asked.type_and_colour if level == "article_type" else None
    return EvaluationReport(
        level=level,
        k=k,
        depth=positions.shape[1],
        micro={name: metrics.micro_mean(per_query[name]) for name in MEASURES},
        macro={name: _macro_mean(per_query[name], codes, counted) for name in MEASURES},
        intervals={"micro": _name_intervals(spread.micro), "macro": _name_intervals(spread.macro)},
        table=_tabulate_categories(
            labels, found.queries[n_relevant == 0], per_query, spread, names
        ),
        curve=_tabulate_curve(relevant, per_query, codes, counted),
        standard=tabulate_standard(found, labels, both, asked.groups, groups, asked.seed),
        queries=per_query,
        neighbours=np.where(near >= 0, np.asarray(asked.item_ids).astype(str)[near], ""),
        distances=found.distances[judged, :k],
        relevant=relevant[:, :k],
        categories=categories,
        confusion=counts,
        n_gallery=len(asked.item_ids),
        n_asked=len(judged),
        n_lone=int((n_relevant == 0).sum()),
        n_missing=int((n_relevant < 0).sum()),
        facts=asked.facts | {"left_out": "the query" if groups is None else "the query's group"},
    )


def _measure_queries(
    asked: Evaluated,
    labels: np.ndarray,
    queries: np.ndarray,
    relevant: np.ndarray,
    n_relevant: np.ndarray,
    groups: np.ndarray | None,
) -> pd.DataFrame:
    k, depth = asked.k, relevant.shape[1]
    _, codes, sizes = np.unique(asked.groups, return_inverse=True, return_counts=True)
    left_out = 1 if groups is None else sizes[codes[queries]]
    return pd.DataFrame(
        {
            "item_id": np.asarray(asked.item_ids)[queries],
            "label": labels[queries],
            "group": asked.groups[queries],
            "precision": metrics.precision_at_k(relevant, k),
            "recall": metrics.recall_at_k(relevant, n_relevant, k),
            "hit_rate": metrics.hit_rate_at_k(relevant, k),
            "map": metrics.average_precision(relevant, n_relevant),
            "map_at_r": metrics.map_at_r(relevant, n_relevant),
            "ndcg": metrics.ndcg_at_k(relevant, n_relevant, depth),
            "chance": metrics.chance_level(n_relevant, len(labels) - left_out),
            "ceiling": metrics.precision_ceiling(n_relevant, k),
        }
    )


def _count_in_macro(labels: np.ndarray, names: np.ndarray, k: int) -> np.ndarray:
    """(c,) bool: categories that count in macro means, with k others for each of their items.

    One of fewer cannot reach a precision@k of 1, and a mean over categories would be ruled by
    many of them.
    """
    sizes = pd.Series(labels).value_counts()
    return sizes[names].to_numpy() >= k + 1


def _macro_mean(values: np.ndarray | pd.Series, codes: np.ndarray, counted: np.ndarray) -> float:
    inside = counted[codes]
    return metrics.macro_mean(np.asarray(values)[inside], codes[inside])


def _bootstrap_intervals(
    per_query: pd.DataFrame, codes: np.ndarray, counted: np.ndarray, seed: int
) -> Intervals:
    values = per_query[list(MEASURES)].to_numpy(float)
    return bootstrap(values, codes, per_query["group"].to_numpy(), counted, seed=seed)


def _name_intervals(edges: np.ndarray) -> dict[str, tuple[float, float]]:
    return dict(zip(MEASURES, map(tuple, edges.tolist()), strict=True))


def _tabulate_categories(
    labels: np.ndarray,
    lone: np.ndarray,
    per_query: pd.DataFrame,
    spread: Intervals,
    names: np.ndarray,
) -> pd.DataFrame:
    """One row per category of the gallery, the largest first."""
    sizes = pd.Series(labels[labels != ""]).value_counts().rename("n")
    table = sizes.to_frame()
    groups = per_query.groupby("label")
    table["n_queries"] = groups.size()
    means = ["precision", "chance", "ceiling", "recall", "hit_rate", "map", "ndcg"]
    table = table.join(groups[means].mean())
    edges = pd.DataFrame(
        spread.categories[:, MEASURES.index("precision")],
        index=names,
        columns=["precision_low", "precision_high"],
    )
    table = table.join(edges)
    table["n_lone"] = pd.Series(labels[lone]).value_counts()
    table = table.fillna({"n_queries": 0, "n_lone": 0}).astype({"n_queries": int, "n_lone": int})
    table = table.rename_axis("category").reset_index()
    return table.sort_values(["n", "category"], ascending=[False, True], ignore_index=True)


def _tabulate_curve(
    relevant: np.ndarray, per_query: pd.DataFrame, codes: np.ndarray, counted: np.ndarray
) -> pd.DataFrame:
    k_max = min(CURVE_K, relevant.shape[1])
    precisions = metrics.precision_curve(relevant, k_max)
    macro = [_macro_mean(column, codes, counted) for column in precisions.T]
    columns = {"k": np.arange(1, k_max + 1), "micro": precisions.mean(axis=0), "macro": macro}
    return pd.DataFrame(columns | {"chance": per_query["chance"].mean()})
