"""The answer of an evaluation: one validated, read-only object for tables, figures and JSON."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fashify.io.plain import to_plain


@dataclass(frozen=True, eq=False)
class EvaluationReport:
    """How well the neighbours agree with the labels of one category level.

    A query counts when it has a label that another gallery item shares. Items without a label
    are no queries (``n_missing``) and, as neighbours, are not relevant.

    Attributes:
        level: the category level judged.
        k: places a precision looks at.
        depth: places MAP, nDCG and MAP@R look at; R is cut to it.
        micro, macro: mean over queries, and over the means of the categories with at least
            k + 1 items (NaN without one), of ``precision``, ``recall``, ``hit_rate`` (all at
            k), ``map``, ``map_at_r``, ``ndcg`` (at depth), ``chance`` (expected precision of
            random neighbours), ``ceiling`` (the best precision@k possible); fractions.
        intervals: of the same means, ``intervals["micro"]["precision"] == (low, high)``: 95 %
            cluster bootstrap by group; NaN where queries of one group alone cannot tell.
        table: one row per category: ``category, n`` (gallery items), ``n_queries`` (judged),
            ``precision, chance, ceiling, recall, hit_rate, map, ndcg``, ``precision_low,
            precision_high`` (its interval), ``n_lone``; n descending.
        curve: columns ``k, micro, macro, chance`` for k = 1, 2, ...
        standard: the measures other projects publish, one row each: ``measure, value, low,
            high`` (95 % interval), ``n_queries``; see ``fashify.evaluation.standard``.
        queries: one row a judged query: ``item_id, label, group, precision, recall, hit_rate,
            map, map_at_r, ndcg, chance, ceiling, nearest`` (distance of the first neighbour).
        neighbours: (q, k) item ids of the judged queries' neighbours, nearest first.
        distances: (q, k) float32; inf where there is no neighbour.
        relevant: (q, k) bool.
        categories, confusion: (c,) names and (c, c) counts; rows queries, columns neighbours.
        n_gallery, n_asked, n_judged, n_lone, n_missing: how many items were in the gallery,
            drawn as queries, judged, left out as lone, left out for want of a label.
        facts: backbone, index, catalogue, split, seed and search seconds, as plain values.
        excluding_group: the same with every item of a query's group left out of its answer; None in
            such a report itself, and where no query has a label beyond its group.

    >>> from fashify import FeatureStore, evaluate
    >>> report = evaluate(FeatureStore.load("data/sample-store"), level="season", split="all")
    >>> list(report.table["category"])
    ['Summer', 'Fall', 'Winter', 'Spring']
    >>> report.best(1)[["item_id", "precision"]].shape
    (1, 2)
    """

    level: str
    k: int
    depth: int
    micro: dict[str, float]
    macro: dict[str, float]
    intervals: dict[str, dict[str, tuple[float, float]]]
    table: pd.DataFrame
    curve: pd.DataFrame
    standard: pd.DataFrame
    queries: pd.DataFrame
    neighbours: np.ndarray
    distances: np.ndarray
    relevant: np.ndarray
    categories: np.ndarray
    confusion: np.ndarray
    n_gallery: int
    n_asked: int
    n_lone: int
    n_missing: int
    facts: dict
    excluding_group: EvaluationReport | None = None

    def __post_init__(self) -> None:
        for array in (self.neighbours, self.distances, self.relevant, self.confusion):
            array.flags.writeable = False

    @property
    def n_judged(self) -> int:
        """How many queries the means are over."""
        return len(self.queries)

    @property
    def n_counted(self) -> int:
        """How many categories the macro means are over."""
        return int(((self.table["n_queries"] > 0) & (self.table["n"] > self.k)).sum())

    @property
    def hit_distances(self) -> np.ndarray:
        """Distances of the relevant neighbours among the first k: (h,) float32."""
        return self.distances[self.relevant]

    @property
    def miss_distances(self) -> np.ndarray:
        """Distances of the other neighbours among the first k: (m,) float32."""
        return self.distances[~self.relevant & np.isfinite(self.distances)]

    def best(self, n: int = 5) -> pd.DataFrame:
        """The n best queries, of different categories while there are enough."""
        return self._rank_queries(ascending=False).head(n)

    def worst(self, n: int = 5) -> pd.DataFrame:
        """The n worst queries, of different categories while there are enough."""
        return self._rank_queries(ascending=True).head(n)

    def weakest(self, *, at_least: int = 10) -> pd.DataFrame:
        """Rows of ``table`` by rising precision, of categories with ``at_least`` queries.

        All judged categories where none has so many.
        """
        judged = self.table[self.table["n_queries"] > 0]
        enough = judged[judged["n_queries"] >= at_least]
        return (enough if len(enough) else judged).sort_values("precision", ignore_index=True)

    def answer(self, item_id: str) -> pd.DataFrame:
        """The k neighbours of one judged query: columns ``item_id, distance, relevant``."""
        row = int(np.flatnonzero(self.queries["item_id"] == item_id)[0])
        columns = (self.neighbours[row], self.distances[row], self.relevant[row])
        answer = pd.DataFrame(dict(zip(("item_id", "distance", "relevant"), columns, strict=True)))
        return answer[np.isfinite(answer["distance"])]

    def confusions(self, n: int = 20) -> pd.DataFrame:
        """The n most frequent wrong pairs: ``query, neighbour, count, share`` of the query's."""
        wrong = self.confusion * ~np.eye(len(self.confusion), dtype=bool)
        order = np.argsort(-wrong, axis=None, kind="stable")[:n]
        rows, columns = np.unravel_index(order[wrong.ravel()[order] > 0], wrong.shape)
        return pd.DataFrame(
            {
                "query": self.categories[rows],
                "neighbour": self.categories[columns],
                "count": wrong[rows, columns],
                "share": wrong[rows, columns] / self.confusion.sum(axis=1)[rows],
            }
        )

    @property
    def summary(self) -> str:
        """Two or three sentences with the figures that matter."""
        micro, k = self.micro, self.k
        drawn = "all" if self.n_asked == self.n_gallery else f"{self.n_asked:,} asked"
        found = (
            f"{self.level}: precision@{k} {self.format_mean('micro')} micro, {self._format_macro()}"
        )
        if self.excluding_group is not None:
            excluded = self.excluding_group
            found += (
                f"; without the query's copies and variants {excluded.format_mean('micro')} micro, "
                f"{excluded.format_mean('macro')} macro"
            )
        return (
            f"{found}; chance gives {micro['chance']:.3f}. "
            f"Hit rate@{k} {micro['hit_rate']:.3f}, MAP@{self.depth} {micro['map']:.3f}, "
            f"MAP@R {micro['map_at_r']:.3f}, nDCG@{self.depth} {micro['ndcg']:.3f}. "
            f"{self.n_judged:,} queries of {drawn} in a gallery of {self.n_gallery:,}; "
            f"{self.n_lone} lone and {self.n_missing} without a label left out."
        )

    def conclusions(self) -> list[str]:
        """What the figures say, as sentences."""
        name, micro = self.level.replace("_", " "), self.micro
        rows = self.weakest(at_least=5)
        low, high = rows.iloc[0], rows.iloc[-1]
        found = [
            f"Of {self.k} neighbours {self.k * micro['precision']:.1f} share the query's {name} "
            f"({self.format_mean('micro')}); at random it would be "
            f"{self.k * micro['chance']:.1f}.",
            f"Every {name} counted alike, precision is {self._format_macro()}.",
            f"Answered best is {high['category']} ({high['precision']:.2f}), worst "
            f"{low['category']} ({low['precision']:.2f}).",
        ]
        if self.excluding_group is not None:
            excluded = self.excluding_group.format_mean("micro")
            found.insert(1, f"Without the query's copies and variants precision is {excluded}.")
        wrong = self.confusions(1)
        if len(wrong):
            pair = wrong.iloc[0]
            found.append(
                f"The most frequent mistake: {pair['share']:.0%} of the neighbours of "
                f"{pair['query']} are {pair['neighbour']}."
            )
        return found

    def format_mean(self, mean: str, measure: str = "precision") -> str:
        """``0.790 [0.781, 0.799]``: a mean with its interval; ``undefined`` without one."""
        value, (low, high) = getattr(self, mean)[measure], self.intervals[mean][measure]
        if math.isnan(value):
            return "undefined"
        return f"{value:.3f}" + ("" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]")

    def _format_macro(self) -> str:
        # A sample seldom meets rare, hard categories, which flatters the macro mean: say so.
        categories = f"{self.n_counted} of {len(self.table)} categories"
        return f"{self.format_mean('macro')} macro (over {categories})"

    def to_dict(self) -> dict:
        """Everything but the per-query rows, as plain JSON values; undefined is None."""
        counts = ("n_gallery", "n_asked", "n_judged", "n_lone", "n_missing")
        facts = {name: getattr(self, name) for name in ("level", "k", "depth", *counts)}
        tables = {"table": self.table, "curve": self.curve, "standard": self.standard}
        tables |= {"confusions": self.confusions()}
        tables |= {"best": self.best(), "worst": self.worst()}
        return to_plain(
            facts
            | {"micro": self.micro, "macro": self.macro, "intervals": self.intervals}
            | {"n_counted": self.n_counted}
            | {name: frame.to_dict("records") for name, frame in tables.items()}
            | {
                "facts": self.facts,
                "excluding_group": self.excluding_group and self.excluding_group.to_dict(),
            }
        )

    def to_json(self, path: str | Path | None = None) -> str:
        """``to_dict`` as JSON text, written to ``path`` too when one is given."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            Path(path).expanduser().write_text(text + "\n", encoding="utf-8")
        return text

    def _rank_queries(self, *, ascending: bool) -> pd.DataFrame:
        """Queries by precision, MAP, then distance: one per category first, then the others."""
        ordered = self.queries.sort_values(
            ["precision", "map", "nearest", "item_id"],
            ascending=[ascending, ascending, True, True],
            kind="stable",
        )
        again = ordered.duplicated("label")
        return pd.concat([ordered[~again], ordered[again]], ignore_index=True)
