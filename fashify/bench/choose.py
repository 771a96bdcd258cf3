"""Choosing an index by measuring the candidates on the user's own features."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fashify.bench.tables import compare_times
from fashify.bench.trials import Questions, Trial, build_and_try, is_installed
from fashify.errors import ConfigError, join_names
from fashify.index.base import Index
from fashify.index.registry import list_indexes

log = logging.getLogger(__name__)

CANDIDATES = ("exact", "hnsw", "annoy")

#: Milliseconds for one query below which a person gains nothing from a faster index.
FAST_ENOUGH_MS = 20.0


@dataclass(frozen=True)
class IndexChoice:
    """The index that was chosen, why, and all that was measured.

    Attributes:
        index: fitted and set as it was measured.
        reason: one sentence for the user.
        trials: every candidate at every setting.
        skipped: candidates whose package is not installed.
    """

    index: Index
    reason: str
    trials: list[Trial]
    skipped: list[str]

    def to_dict(self) -> dict[str, Any]:
        return {
            "index": self.index.name,
            "params": self.index.params,
            "reason": self.reason,
            "skipped": self.skipped,
            "trials": [trial.to_dict() for trial in self.trials],
        }


def choose_index(
    features: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    *,
    view_items: np.ndarray | None = None,
    metric: str = "cosine",
    k: int = 5,
    recall: float = 0.99,
    fast_enough_ms: float = FAST_ENOUGH_MS,
    candidates: Sequence[str] = CANDIDATES,
    n_queries: int = 300,
    seed: int = 0,
) -> IndexChoice:
    """Build every candidate, measure it, and keep the cheapest that finds enough.

    Exact search wins whenever it is fast enough: it needs no building and misses nothing.
    Otherwise the fastest setting with enough index recall does; of those within a tenth of
    its time, the one with the smallest structure.

    Args:
        features: (v, dim). item_ids: (n,).
        view_items: (v,) int64, the product of each row; one row per product by default.
        metric: "cosine" or "euclidean".
        k: neighbours asked for.
        recall: the least index recall@k, 0 to 1.
        fast_enough_ms: the median time of one query that leaves nothing to gain.
        candidates: backends to try; those not installed are skipped.
        n_queries: gallery items asked for their neighbours. seed: which.

    Raises:
        ConfigError: an unknown candidate, or none installed. QueryError: unusable features.

    >>> import numpy as np
    >>> from fashify.bench.choose import choose_index
    >>> features = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
    >>> choose_index(features, [f"{n}" for n in range(200)], candidates=["exact"]).index.name
    'exact'
    """
    unknown = sorted(set(candidates) - set(list_indexes()))
    usable = [name for name in candidates if name not in unknown and is_installed(name)]
    if unknown or not usable:
        raise ConfigError(
            "candidates that are known and installed",
            ", ".join(unknown or candidates) or "none",
            f"choose from: {join_names(name for name in list_indexes() if is_installed(name))}",
        )
    k = min(k, max(1, len(item_ids) - 1))
    gallery: dict[str, Any] = {"metric": metric, "view_items": view_items}
    questions = Questions.draw(features, item_ids, k=k, n=n_queries, seed=seed, **gallery)
    built, trials = {}, []
    for name in usable:
        built[name], measured = build_and_try(name, features, item_ids, questions, **gallery)
        trials += measured
        log.info("%s: %s", name, "; ".join(map(_describe_trial, measured)))
    best = _find_cheapest(trials, recall, fast_enough_ms)
    index = built[best.name]
    index = index.with_params(**{name: best.params[name] for name in index.tunable})
    skipped = [name for name in candidates if name not in usable]
    return IndexChoice(
        index, _explain_choice(best, trials, recall, fast_enough_ms), trials, skipped
    )


def choose_from(
    part: dict[str, Any], *, recall: float = 0.99, fast_enough_ms: float = FAST_ENOUGH_MS
) -> tuple[dict[str, Any], str]:
    """The same choice from the trials of `fashify.bench.search.compare`: trial and reason."""
    everything = [Trial(**one) for one in part["trials"]]
    trials = [one for one in everything if one.name in CANDIDATES and one.label == one.name]
    best = _find_cheapest(trials, recall, fast_enough_ms)
    return best.to_dict(), _explain_choice(best, trials, recall, fast_enough_ms)


def _find_cheapest(trials: list[Trial], recall: float, fast_enough_ms: float) -> Trial:
    for trial in trials:
        if trial.name == "exact" and trial.p50_ms <= fast_enough_ms:
            return trial
    good = [trial for trial in trials if trial.recall >= recall]
    if not good:
        return max(trials, key=lambda trial: trial.recall)
    fastest = min(trial.p50_ms for trial in good)
    near = [trial for trial in good if trial.p50_ms <= 1.1 * fastest]
    return min(near, key=lambda trial: trial.structure_bytes_per_item or 0)


def _describe_trial(trial: Trial) -> str:
    return f"{trial.p50_ms:.2f} ms at recall {trial.recall:.4f}"


def _explain_choice(best: Trial, trials: list[Trial], recall: float, fast_enough_ms: float) -> str:
    head = f"{best.n:,} items: {best.name}, {best.p50_ms:.2f} ms a query"
    others = [trial for trial in trials if trial.name != best.name and trial.recall >= recall]
    if best.name == "exact" and best.p50_ms <= fast_enough_ms:
        if not others:
            return f"{head}; nothing to gain"
        rival = min(others, key=lambda trial: trial.p50_ms)
        return (
            f"{head}, below {fast_enough_ms:g} ms; nothing to gain from {rival.name}"
            f" ({rival.p50_ms:.2f} ms, recall {rival.recall:.4f}, {rival.build_s:.1f} s to build)"
        )
    if best.recall < recall:
        return f"{head}, recall {best.recall:.4f}: none reached {recall:g}, this came nearest"
    exact = max((t.p50_ms for t in trials if t.name == "exact"), default=None)
    gain = ""
    if exact and best.name != "exact":
        times, word = compare_times(exact, best.p50_ms)
        gain = f", {round(times, 1):g} {word} than exact"
    size = best.structure_bytes_per_item
    kept = "" if size is None else f" {size:,.0f} bytes an item,"
    return f"{head} at recall {best.recall:.4f}{gain},{kept} {best.build_s:.1f} s to build"
