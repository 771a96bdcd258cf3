"""Evaluating a store: which queries, which vectors, which levels; then one search, judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.config import LEVELS, SEED
from fashify.errors import NoLabelsError, QueryError
from fashify.evaluation.intervals import COVERAGE, DRAWS
from fashify.evaluation.judge import Evaluated, judge
from fashify.evaluation.report import EvaluationReport
from fashify.evaluation.search import Searched, check_k, choose_queries, search_gallery
from fashify.index import Index

if TYPE_CHECKING:
    from fashify.catalogue import Catalogue
    from fashify.store import FeatureStore

#: Places MAP, nDCG and MAP@R look at unless the caller says otherwise.
DEPTH = 100

#: What an evaluation can search with: what the index holds, or the backbone's own features.
VECTORS = ("served", "raw")


def evaluate(
    store: FeatureStore,
    catalogue: Catalogue | None = None,
    *,
    level: str = "article_type",
    **options: Any,
) -> EvaluationReport:
    """Search the gallery with its own items and judge the neighbours at one level.

    Args:
        store: a FeatureStore of n items.
        catalogue: where labels are taken from, by item id; None means the store's own copy.
        level: one of ``fashify.config.LEVELS``.
        **options: as :func:`evaluate_levels`, whose errors these are.

    >>> from fashify import FeatureStore, evaluate
    >>> store = FeatureStore.load("data/sample-store")
    >>> report = evaluate(store, level="gender", split="all")
    >>> report.k, report.n_judged, 0 < report.micro["precision"] < 1
    (5, 120, True)
    """
    (report,) = evaluate_levels(store, catalogue, levels=(level,), **options).values()
    return report


class LevelReports(dict[str, EvaluationReport]):
    """level -> EvaluationReport; a level that was not judged is a named error, not a KeyError."""

    def __missing__(self, level: str) -> EvaluationReport:
        # A level of ours is left out where no two products share a label of it.
        raise (NoLabelsError if level in LEVELS else QueryError)(
            "a level that was judged", f"{level!r}", f"choose from: {', '.join(self)}"
        )


def evaluate_levels(
    store: FeatureStore,
    catalogue: Catalogue | None = None,
    *,
    levels: Sequence[str] | None = None,
    vectors: str = "served",
    index: str | Index = "exact",
    metric: str = "cosine",
    k: int = 5,
    split: str = "all",
    n_queries: int | None = None,
    depth: int = DEPTH,
    seed: int = SEED,
    progress: bool = False,
) -> LevelReports:
    """One search, judged at several levels: level -> report, in the order of ``levels``.

    Every report holds both figures: with the query's copies and variants in the gallery, and,
    as ``report.excluding_group``, with its whole group left out of its answer.

    Args:
        store: a FeatureStore of n items.
        catalogue: where labels are taken from, by item id; None means the store's own copy.
        levels: of ``fashify.config.LEVELS``; None means every one that can be judged.
        vectors: "served", what the store's index holds; or "raw", the backbone's features.
        index: name of an index, fitted here, or one already fitted on these vectors.
        metric: "cosine" or "euclidean"; used when ``index`` is a name.
        k: places a precision looks at, 1 to n - 1.
        split: ask items of "train", "validation" or "test" only, or "all"; the gallery stays
            whole.
        n_queries: items drawn as queries; None means all of a split and, of "all", all of
            a gallery of up to 10,000 items and 4,000 of a larger one. The report says how many.
        depth: places MAP, nDCG and MAP@R look at; cut to n - 1.
        seed: of the draw of queries and of the intervals.
        progress: show a progress bar.

    Raises:
        QueryError: an unknown level, one without labels or without a query that can be
            judged, an unknown or empty split, k or n_queries out of range, or an index of
            other items.

    >>> from fashify import FeatureStore
    >>> from fashify.evaluation import evaluate_levels
    >>> store = FeatureStore.load("data/sample-store")
    >>> list(evaluate_levels(store, levels=["gender", "season"], split="all"))
    ['gender', 'season']
    """
    labels = _collect_labels(store, catalogue)
    asked = (
        [name for name in LEVELS if _has_shared_label(labels[name])] if levels is None else levels
    )
    if not asked:
        raise NoLabelsError(
            "a level of which two products share a label",
            "none in this catalogue, so which neighbours are relevant cannot be known",
            "add a column such as article_type to its table",
        )
    for level in asked:
        _check_level(level, labels)
    n = len(store.item_ids)
    check_k(k, n)
    queries = choose_queries(n if split == "all" else store.split, n_queries, seed, split)
    searched = search_gallery(
        store.item_ids,
        _select_vectors(store, vectors),
        queries,
        store.groups,
        view_items=store.view_items,
        index=index,
        metric=metric,
        depth=max(min(depth, n - 1), k),
        progress=progress,
    )
    facts = _describe_evaluation(store, searched[0], seed)
    facts |= {"vectors": vectors, "split": split, "n_groups": len(np.unique(store.groups))}
    both = _join_labels(labels["article_type"], labels["base_colour"])
    one = Evaluated(store.item_ids, store.groups, *searched, k, facts, seed, both)
    return _judge_levels(one, labels, asked, strict=levels is not None)


def _judge_levels(
    asked: Evaluated, labels: dict, levels: Sequence[str], *, strict: bool
) -> LevelReports:
    """Every level; one whose queries are all lone is an error only where it was asked for."""
    reports, failed = LevelReports(), None
    for level in levels:
        try:
            reports[level] = judge(asked, labels[level], level)
        except QueryError as error:
            failed = error
            if strict:
                raise
    if not reports:
        raise failed or QueryError(
            "a level with labels", "none in this catalogue", "use a catalogue with labels"
        )
    return reports


def _select_vectors(store: FeatureStore, name: str) -> np.ndarray:
    if name not in VECTORS:
        raise QueryError(f"vectors {' or '.join(VECTORS)}", f"{name!r}", "use one of these")
    return store.vectors if name == "served" else store.features


def _collect_labels(store: FeatureStore, catalogue: Catalogue | None) -> dict[str, np.ndarray]:
    """level -> (n,) labels in the gallery's order; "" where the catalogue lacks the item."""
    if catalogue is None:
        return {level: np.asarray(store.labels(level)).astype(str) for level in LEVELS}
    table = catalogue.table.drop_duplicates("item_id").set_index("item_id")
    table = table.reindex(store.item_ids)
    return {level: table[level].fillna("").to_numpy().astype(str) for level in LEVELS}


def _join_labels(types: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """(n,) "Dresses / Red"; "" where either is missing."""
    joined = np.char.add(np.char.add(types.astype(str), " / "), colours.astype(str))
    return np.where((types != "") & (colours != ""), joined, "")


def _has_shared_label(labels: np.ndarray) -> bool:
    given = labels[labels != ""]
    return len(np.unique(given)) < len(given)


def _check_level(level: str, labels: dict[str, np.ndarray]) -> None:
    usable = [name for name in LEVELS if _has_shared_label(labels[name])]
    if level not in usable:
        raise (NoLabelsError if level in LEVELS else QueryError)(
            "a level at which two gallery items share a label",
            f"level={level!r}" + ("" if level not in LEVELS else ", which has no such labels"),
            f"choose from: {', '.join(usable)}" if usable else "use a catalogue with labels",
        )


def _describe_evaluation(store: FeatureStore, searched: Searched, seed: int) -> dict:
    """What a reader needs to repeat the search, as far as the store knows it."""
    known = {
        name: store.meta[name] for name in ("backbone", "engine", "catalogue") if name in store.meta
    }
    seconds = round(searched.seconds, 3)
    interval = f"{COVERAGE:.0%} percentile bootstrap of {DRAWS:,} draws of groups"
    found = {"index": searched.index, "seed": seed, "interval": interval}
    return known | found | {"search_seconds": seconds}
