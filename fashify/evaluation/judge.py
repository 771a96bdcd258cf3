"""Neighbours and labels in, an EvaluationReport out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fashify import metrics
from fashify.config import LEVELS, SEED
from fashify.errors import QueryError
from fashify.evaluation.report import EvaluationReport
from fashify.evaluation.search import Searched, check_k, search_gallery
from fashify.index import Index

#: Places MAP, nDCG and MAP@R look at unless the caller says otherwise.
DEPTH = 100

#: Longest k of the precision curve.
CURVE_K = 10

#: What is measured for every query and averaged micro and macro.
MEASURES = ("precision", "recall", "hit_rate", "map", "map_at_r", "ndcg", "chance", "ceiling")


def evaluate(
    store,
    catalogue=None,
    *,
    index: str | Index = "exact",
    metric: str = "cosine",
    k: int = 5,
    level: str = "article_type",
    n_queries: int | None = None,
    depth: int = DEPTH,
    seed: int = SEED,
    progress: bool = False,
) -> EvaluationReport:
    """Search the gallery with its own items and judge the neighbours at one level.

    Args:
        store: a FeatureStore of n items.
        catalogue: where labels are taken from, by item id; None means the store's own copy.
        index: name of an index, fitted here, or one already fitted on this store.
        metric: "cosine" or "euclidean"; used when ``index`` is a name.
        k: places a precision looks at, 1 to n - 1.
        level: one of ``fashify.config.LEVELS``.
        n_queries: items drawn as queries; None means all of a gallery of up to 10,000 items
            and 4,000 of a larger one. The report says how many.
        depth: places MAP, nDCG and MAP@R look at; cut to n - 1.
        seed: of the draw.
        progress: show a progress bar.

    Raises:
        QueryError: an unknown level or one without labels, k or n_queries out of range, or an
            index of other items.
    """
    (report,) = evaluate_levels(
        store,
        catalogue,
        levels=(level,),
        index=index,
        metric=metric,
        k=k,
        n_queries=n_queries,
        depth=depth,
        seed=seed,
        progress=progress,
    ).values()
    return report


class LevelReports(dict[str, EvaluationReport]):
    """level -> EvaluationReport; a level that was not judged is a named error, not a KeyError."""

    def __missing__(self, level: str) -> EvaluationReport:
        raise QueryError("a level that was judged", f"{level!r}", f"choose from: {', '.join(self)}")


def evaluate_levels(
    store,
    catalogue=None,
    *,
    levels: Sequence[str] | None = None,
    index: str | Index = "exact",
    metric: str = "cosine",
    k: int = 5,
    n_queries: int | None = None,
    depth: int = DEPTH,
    seed: int = SEED,
    progress: bool = False,
) -> LevelReports:
    """One search, judged at several levels: level -> report, in the order of ``levels``.

    ``levels=None`` means every level that can be judged, that is with two items of one label.
    The other arguments and errors are those of :func:`evaluate`.
    """
    labels = _all_labels(store, catalogue)
    levels = [name for name in LEVELS if _judgeable(labels[name])] if levels is None else levels
    for level in levels:
        _check_level(level, labels)
    n = len(store.item_ids)
    check_k(k, n)
    depth = max(min(depth, n - 1), k)
    searched = search_gallery(
        store,
        index=index,
        metric=metric,
        depth=depth,
        n_queries=n_queries,
        seed=seed,
        progress=progress,
    )
    facts = _facts(store, searched, seed)
    return LevelReports(
        (level, judge(store.item_ids, labels[level], searched, level, k, facts)) for level in levels
    )


def judge(
    item_ids: np.ndarray, labels: np.ndarray, searched: Searched, level: str, k: int, facts: dict
) -> EvaluationReport:
    """Stored neighbours against one level's labels.

    Args:
        item_ids: (n,) ids of the gallery.
        labels: (n,) their labels, "" where missing.
        searched: the stored neighbours, of depth d >= k.
        level: the name of the level.
        k: places a precision looks at.
        facts: what the report shall say about the search.
    """
    n_relevant = metrics.count_relevant(labels, searched.queries)
    judged = n_relevant > 0
    queries, positions = searched.queries[judged], searched.positions[judged]
    if not len(queries):
        raise QueryError(
            f"a query whose {level} another item shares",
            f"{len(judged)} queries, all lone or without a label",
            "draw more queries, or choose another level",
        )
    relevant = metrics.relevance(labels, queries, positions)
    per_query = _per_query(item_ids, labels, queries, relevant, n_relevant[judged], k)
    per_query["nearest"] = searched.distances[judged, 0]
    categories, counts = metrics.confusion(labels, queries, positions[:, :k])
    near = positions[:, :k]
    return EvaluationReport(
        level=level,
        k=k,
        depth=positions.shape[1],
        micro={name: metrics.micro_mean(per_query[name]) for name in MEASURES},
        macro={name: metrics.macro_mean(per_query[name], per_query["label"]) for name in MEASURES},
        precision_error=_standard_error(per_query["precision"]),
        table=_table(labels, searched.queries[n_relevant == 0], per_query),
        curve=_curve(relevant, per_query),
        queries=per_query,
        neighbours=np.where(near >= 0, np.asarray(item_ids).astype(str)[near], ""),
        distances=searched.distances[judged, :k],
        relevant=relevant[:, :k],
        categories=categories,
        confusion=counts,
        n_gallery=len(item_ids),
        n_asked=len(judged),
        n_lone=int((n_relevant == 0).sum()),
        n_missing=int((n_relevant < 0).sum()),
        facts=facts,
    )


def _per_query(item_ids, labels, queries, relevant, n_relevant, k: int) -> pd.DataFrame:
    depth = relevant.shape[1]
    return pd.DataFrame(
        {
            "item_id": np.asarray(item_ids)[queries],
            "label": labels[queries],
            "precision": metrics.precision_at_k(relevant, k),
            "recall": metrics.recall_at_k(relevant, n_relevant, k),
            "hit_rate": metrics.hit_rate_at_k(relevant, k),
            "map": metrics.average_precision(relevant, n_relevant),
            "map_at_r": metrics.map_at_r(relevant, n_relevant),
            "ndcg": metrics.ndcg_at_k(relevant, n_relevant, depth),
            "chance": metrics.chance_level(n_relevant, len(labels)),
            "ceiling": metrics.precision_ceiling(n_relevant, k),
        }
    )


def _table(labels: np.ndarray, lone: np.ndarray, per_query: pd.DataFrame) -> pd.DataFrame:
    """One row a category of the gallery, the largest first."""
    sizes = pd.Series(labels[labels != ""]).value_counts().rename("n")
    table = sizes.to_frame()
    groups = per_query.groupby("label")
    table["n_queries"] = groups.size()
    means = ["precision", "chance", "ceiling", "recall", "hit_rate", "map", "ndcg"]
    table = table.join(groups[means].mean())
    table["n_lone"] = pd.Series(labels[lone]).value_counts()
    table = table.fillna({"n_queries": 0, "n_lone": 0}).astype({"n_queries": int, "n_lone": int})
    table = table.rename_axis("category").reset_index()
    return table.sort_values(["n", "category"], ascending=[False, True], ignore_index=True)


def _curve(relevant: np.ndarray, per_query: pd.DataFrame) -> pd.DataFrame:
    k_max = min(CURVE_K, relevant.shape[1])
    precisions = metrics.precision_curve(relevant, k_max)
    macro = [metrics.macro_mean(column, per_query["label"]) for column in precisions.T]
    columns = {"k": np.arange(1, k_max + 1), "micro": precisions.mean(axis=0), "macro": macro}
    return pd.DataFrame(columns | {"chance": per_query["chance"].mean()})


def _standard_error(values: pd.Series) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def _all_labels(store, catalogue) -> dict[str, np.ndarray]:
    """level -> (n,) labels in the gallery's order; "" where the catalogue lacks the item."""
    if catalogue is None:
        return {level: np.asarray(store.labels(level)).astype(str) for level in LEVELS}
    table = catalogue.table.drop_duplicates("item_id").set_index("item_id")
    table = table.reindex(store.item_ids)
    return {level: table[level].fillna("").to_numpy().astype(str) for level in LEVELS}


def _judgeable(labels: np.ndarray) -> bool:
    given = labels[labels != ""]
    return len(np.unique(given)) < len(given)


def _check_level(level: str, labels: dict[str, np.ndarray]) -> None:
    usable = [name for name in LEVELS if _judgeable(labels[name])]
    if level not in usable:
        raise QueryError(
            "a level at which two gallery items share a label",
            f"level={level!r}" + ("" if level not in LEVELS else ", which has no such labels"),
            f"choose from: {', '.join(usable)}" if usable else "use a catalogue with labels",
        )


def _facts(store, searched: Searched, seed: int) -> dict:
    """What a reader needs to repeat the search, as far as the store knows it."""
    known = {
        name: store.meta[name] for name in ("backbone", "engine", "catalogue") if name in store.meta
    }
    seconds = round(searched.seconds, 3)
    return known | {"index": searched.index, "seed": seed, "search_seconds": seconds}
