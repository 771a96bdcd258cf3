"""Two runs over the very same queries: what each query got, kept, and compared in pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from fashify.config import SEED
from fashify.errors import QueryError, StoreError
from fashify.evaluation.intervals import bootstrap, permutation_p
from fashify.evaluation.report import EvaluationReport
from fashify.io.artefact import write_arrays
from fashify.io.plain import to_plain

#: What two runs must have in common to be compared.
COMMON = ("k", "depth", "n_gallery", "split", "seed", "n_groups")

#: The two figures of every report.
VIEWS = ("as found", "excluding group")

#: Columns kept of every query.
KEPT = ("item_id", "label", "group", "counted", "precision", "hit_rate", "map", "map_at_r", "ndcg")


@dataclass(frozen=True, eq=False)
class EvaluationRun:
    """What every query of an evaluation got.

    Attributes:
        name: how the run is called in a comparison.
        facts: those of ``COMMON``, and what else shall be known of it.
        queries: (level, view) -> one row a judged query with the columns ``KEPT``; ``counted``
            says whether its category counts in macro means.
        answers: view -> (q, k) item ids of the neighbours, nearest first, "" for none; the
            index holds the queries' item ids. Empty in runs written before there were answers.
    """

    name: str
    facts: dict
    queries: dict[tuple[str, str], pd.DataFrame]
    answers: dict[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def from_reports(cls, reports: Mapping[str, EvaluationReport], name: str) -> EvaluationRun:
        """The run behind the reports of one evaluation."""
        first = next(iter(reports.values()))
        facts = {"k": first.k, "depth": first.depth, "n_gallery": first.n_gallery} | first.facts
        queries, answers = {}, dict[str, pd.DataFrame]()
        for level, report in reports.items():
            for view, one in zip(VIEWS, (report, report.excluding_group), strict=True):
                if one is not None:
                    queries[level, view] = _query_rows(one)
                    found = pd.DataFrame(one.neighbours, index=queries[level, view]["item_id"])
                    answers[view] = pd.concat([answers[view], found]) if view in answers else found
        answers = {view: found[~found.index.duplicated()] for view, found in answers.items()}
        return cls(name, facts, queries, answers)

    @property
    def levels(self) -> list[str]:
        """The levels judged, in order."""
        return list(dict.fromkeys(level for level, _ in self.queries))

    def save(self, path: str | Path) -> Path:
        """Writes the run as ``.npz``, without pickles; ``StoreError`` where that fails."""
        arrays: dict[str, Any] = {
            f"{level}|{view}|{column}": _to_plain_array(frame[column])
            for (level, view), frame in self.queries.items()
            for column in KEPT
        }
        for view, found in self.answers.items():
            arrays[f"answers|{view}|item_id"] = found.index.to_numpy(str)
            arrays[f"answers|{view}|neighbours"] = found.to_numpy(str)
        facts = json.dumps({"name": self.name, "facts": to_plain(self.facts)})
        path = Path(path).expanduser()
        write_arrays(path, facts=np.array(facts), **arrays)
        return path

    @classmethod
    def load(cls, path: str | Path) -> EvaluationRun:
        """Reads what ``save`` wrote.

        Raises:
            StoreError: no such file, or one of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            head = json.loads(str(arrays.pop("facts")))
            columns: dict[tuple[str, str], dict] = {}
            for name, values in arrays.items():
                level, view, column = name.split("|")
                columns.setdefault((level, view), {})[column] = values
            answers = {
                view: pd.DataFrame(found["neighbours"], index=found["item_id"])
                for view, found in ((view, columns.pop(("answers", view), None)) for view in VIEWS)
                if found is not None
            }
            queries = {key: pd.DataFrame(found)[list(KEPT)] for key, found in columns.items()}
            return cls(head["name"], head["facts"], queries, answers)
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise StoreError(
                "a run written by fashify evaluate --out",
                f"{path} ({' '.join(str(error).split())[:120]})",
                "run: fashify evaluate --out FILE.npz",
            ) from error


def compare_runs(
    first: EvaluationRun, second: EvaluationRun, *, measure: str = "precision", seed: int = SEED
) -> pd.DataFrame:
    """Is the second run better than the first? Level by level, micro and macro, both views.

    Args:
        first, second: of the same queries in the same gallery, judged alike.
        measure: one of ``KEPT``'s measures.
        seed: of the draws.

    Returns:
        One row per level, view and mean: ``level, view, mean, queries, first, second, gain, low,
        high`` (95 % interval of the gain, paired cluster bootstrap) and ``p`` (two-sided
        randomisation test by group).

    Raises:
        QueryError: the runs are of other queries, or of no level in common.

    >>> from fashify import FeatureStore
    >>> from fashify.evaluation import EvaluationRun, compare_runs, evaluate_levels
    >>> store = FeatureStore.load("data/sample-store")
    >>> reports = evaluate_levels(store, levels=["gender"], split="all")
    >>> run = EvaluationRun.from_reports(reports, "raw")
    >>> float(compare_runs(run, run)["gain"].max())
    0.0
    """
    _check_common(first, second)
    rows = []
    for level, view in first.queries:
        if (level, view) in second.queries:
            pair = _pair_queries(first, second, level, view)
            rows += [
                {"level": level, "view": view, "mean": mean, **found}
                for mean, found in _compare_measures(pair, measure, seed).items()
            ]
    if not rows:
        raise QueryError(
            "two runs with a level in common",
            f"{', '.join(first.levels)} and {', '.join(second.levels)}",
            "evaluate both with the same --level",
        )
    return pd.DataFrame(rows)


def keep_shared(first: EvaluationRun, second: EvaluationRun) -> tuple[EvaluationRun, EvaluationRun]:
    """Both runs with the queries alone that both judged, by item and label; groups the first's.

    Raises:
        QueryError: they share no query, or look at another number of places.
    """
    if first.facts["k"] != second.facts["k"]:
        _check_common(first, second)
    shared: tuple[dict, dict] = {}, {}
    for key, one in first.queries.items():
        other = second.queries.get(key)
        if other is None:
            continue
        pair = one.merge(other[["item_id", "label"]], on=["item_id", "label"])
        if len(pair):
            same = pair[["item_id", "label", "group", "counted"]]
            measures = other.drop(columns=["group", "counted"])
            shared[0][key] = pair
            shared[1][key] = same.merge(measures, on=["item_id", "label"])[list(KEPT)]
    if not shared[0]:
        raise QueryError(
            "two runs with a query in common",
            f"{_describe_queries(first)} and {_describe_queries(second)}",
            "compare runs of the same catalogue, split and level",
        )
    facts = second.facts | {name: first.facts.get(name) for name in COMMON}
    return replace(first, queries=shared[0]), replace(second, queries=shared[1], facts=facts)


def _describe_queries(run: EvaluationRun) -> str:
    ids = {item_id for one in run.queries.values() for item_id in one["item_id"]}
    return f"{len(ids):,} of {run.name} such as {min(ids, default='none')!r}"


def _compare_measures(pair: pd.DataFrame, measure: str, seed: int) -> dict[str, dict]:
    one, other = pair[f"{measure}_1"].to_numpy(), pair[f"{measure}_2"].to_numpy()
    names, codes = np.unique(pair["label"], return_inverse=True)
    counted = np.zeros(len(names), dtype=bool)
    counted[codes] = pair["counted"]
    groups, gains = pair["group"].to_numpy(), other - one
    spread = bootstrap(gains[:, None], codes, groups, counted, seed=seed)
    weights = {"micro": np.full(len(pair), 1 / len(pair))}
    if counted.any():
        weights["macro"] = counted[codes] / np.bincount(codes)[codes] / counted.sum()
    edges = {"micro": spread.micro[0], "macro": spread.macro[0]}
    return {
        mean: {
            "queries": len(pair),
            "first": float(one @ weight),
            "second": float(other @ weight),
            "gain": float(gains @ weight),
            "low": float(edges[mean][0]),
            "high": float(edges[mean][1]),
            "p": permutation_p(gains, groups, weight, seed=seed),
        }
        for mean, weight in weights.items()
    }


def _pair_queries(
    first: EvaluationRun, second: EvaluationRun, level: str, view: str
) -> pd.DataFrame:
    """One row per query with both runs' measures; refuses unless the queries are the same."""
    same = ["item_id", "label", "group", "counted"]
    one, other = first.queries[level, view], second.queries[level, view]
    pair = one.merge(other, on=same, how="outer", suffixes=("_1", "_2"), indicator=True)
    unlike = pair[pair["_merge"] != "both"]
    if len(unlike):
        raise QueryError(
            f"two runs of the same queries at {level}",
            f"{unlike['item_id'].nunique():,} queries that differ in item, label or group, such "
            f"as {unlike['item_id'].iloc[0]!r}",
            "evaluate both on the same catalogue with the same options",
        )
    return pair


def _check_common(first: EvaluationRun, second: EvaluationRun) -> None:
    for name in COMMON:
        found = first.facts.get(name), second.facts.get(name)
        if found[0] != found[1]:
            raise QueryError(
                f"two runs of one {name}",
                f"{found[0]} in {first.name} and {found[1]} in {second.name}",
                "evaluate both on the same catalogue with the same options",
            )


def _query_rows(report: EvaluationReport) -> pd.DataFrame:
    sizes = report.table.set_index("category")["n"]
    queries = report.queries.assign(item_id=report.queries["item_id"].astype(str))
    counted = sizes[queries["label"]].to_numpy() > report.k
    return queries.assign(counted=counted)[list(KEPT)]


def _to_plain_array(column: pd.Series) -> np.ndarray:
    """As an array that needs no pickle."""
    return column.to_numpy() if column.dtype.kind in "bif" else column.to_numpy(str)
