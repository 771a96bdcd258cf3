"""Two finished runs on one page: their figures in pairs, and the queries gained and lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashify.catalogue import Catalogue, load_catalogue
from fashify.config import settings
from fashify.errors import FashifyError, ReportError, join_names
from fashify.evaluation import EvaluationRun, compare_categories, compare_runs, keep_shared
from fashify.evaluation.compare import COMMON
from fashify.evaluation.examples import describe_item
from fashify.io.artefact import write_bytes
from fashify.reports.export import make_environment
from fashify.reports.index_page import BETWEEN, COMPARISONS, QUERIES, read_runs, write_index

logger = logging.getLogger(__name__)

#: Queries shown among those gained, and among those lost.
SHOWN = 10

#: Queries a category needs for a row of its own.
ENOUGH = 5

#: The measures set side by side at the level most is said of, and what they are called.
MEASURES = {
    "precision": "precision@{k}",
    "hit_rate": "hit rate@{k}",
    "map": "MAP@{depth}",
    "map_at_r": "MAP@R",
    "ndcg": "nDCG@{depth}",
}


@dataclass(frozen=True)
class Comparison:
    """A page of two runs.

    Attributes:
        page: the self-contained page.
        first, second: names of the runs.
        table: as ``fashify.evaluation.compare_runs``, with the column ``measure``.
    """

    page: Path
    first: str
    second: str
    table: pd.DataFrame


def compare_reports(first: str, second: str, *, out: str | Path | None = None) -> Comparison:
    """Set one finished run against another over the queries both judged.

    Args:
        first, second: names of runs as the index page has them, ``03_knn_evaluation/RUN``; a
            run's id or folder, or the beginning of a name that fits no other run, will do.
        out: the reports' folder; default ``settings().reports``.

    Returns:
        The page, ``out/comparisons/FIRST--SECOND.html``. The index page is renewed.

    Raises:
        ReportError: an unknown run, or one that judged no queries.
        QueryError: runs that share no query, or of another number of places.
        StoreError: the page cannot be written.
    """
    out = Path(out).expanduser() if out is not None else settings().reports
    records = [find_run(out, name) for name in (first, second)]
    runs = [
        replace(EvaluationRun.load(out / r["folder"] / QUERIES), name=r["name"]) for r in records
    ]
    one, other = keep_shared(*runs)
    level = _choose_level(one, records)
    table = pd.concat([_compare_levels(one, other, measure, level) for measure in MEASURES])
    table = table.sort_values("level", key=lambda found: found != level, kind="stable")
    table = table.reset_index(drop=True)
    page = (
        make_environment()
        .get_template("comparison.html.j2")
        .render(
            runs=records,
            unlike=_list_unlike(runs, records),
            table=table.to_dict("records"),
            csv=table.to_csv(index=False, float_format="%.6g"),
            k=one.facts["k"],
            names={name: text.format(**one.facts) for name, text in MEASURES.items()},
            level=level,
            **_compare_queries(one, other, level, _Shelf(records)),
        )
    )
    target = out / COMPARISONS / f"{records[0]['run_id']}{BETWEEN}{records[1]['run_id']}.html"
    _write_page(target, page)
    write_index(out)
    return Comparison(target, records[0]["name"], records[1]["name"], table)


def find_run(out: Path, name: str) -> dict[str, Any]:
    """The record of one finished run that judged queries.

    Raises:
        ReportError: none has this name, several have, or it judged no queries.
    """
    runs = read_runs(out)
    wanted = str(name).rstrip("/")
    for attempt in (_is_named, _begins):
        found = [run for run in runs if attempt(run, wanted, out)]
        if found:
            break
    comparable = [run["name"] for run in runs if run["comparable"]]
    choose = f"choose from: {join_names(comparable)}" if comparable else "run: fashify report 03"
    if len(found) != 1:
        received = f"{len(found)} that begin with {name!r}" if found else repr(str(name))
        raise ReportError(f"the name of one run in {out}", received, choose)
    if not found[0]["comparable"]:
        raise ReportError(
            "a run that judged queries", f"{found[0]['name']}, which kept none", choose
        )
    return found[0]


def _is_named(run: dict, wanted: str, out: Path) -> bool:
    folder = Path(wanted).expanduser()
    same = folder.is_dir() and folder.resolve() == (out / run["folder"]).resolve()
    return wanted in (run["name"], run["run_id"]) or same


def _begins(run: dict, wanted: str, out: Path) -> bool:
    return bool(wanted) and (run["name"].startswith(wanted) or run["run_id"].startswith(wanted))


def _choose_level(run: EvaluationRun, records: list[dict]) -> str:
    """What the first run gave most room to, where both judged it."""
    level = records[0]["parameters"].get("level", "")
    return level if level in run.levels else run.levels[0]


def _compare_levels(
    one: EvaluationRun, other: EvaluationRun, measure: str, level: str
) -> pd.DataFrame:
    """Every level for precision, the one of the page for the other measures."""
    if measure != "precision":
        one = replace(one, queries={key: q for key, q in one.queries.items() if key[0] == level})
    found = compare_runs(one, other, measure=measure)
    found.insert(0, "measure", measure)
    return found


def _list_unlike(runs: list[EvaluationRun], records: list[dict]) -> list[tuple]:
    """(fact, first, second) of everything in which the two runs differ."""
    facts = [{name: run.facts.get(name) for name in COMMON} for run in runs]
    pairs = [
        fact | {"backbone": record["facets"]["backbone"]} | record["parameters"]
        for fact, record in zip(facts, records, strict=True)
    ]
    names = dict.fromkeys([*pairs[0], *pairs[1]])
    values = [(name, pairs[0].get(name, ""), pairs[1].get(name, "")) for name in names]
    return [(name, a, b) for name, a, b in values if a != b]


def _compare_queries(
    one: EvaluationRun, other: EvaluationRun, level: str, shelf: _Shelf
) -> dict[str, Any]:
    """Categories by gain, and the queries that gained and lost most, with their answers."""
    key = (level, "as found")
    before, after = one.queries[key], other.queries[key]
    pairs = before.merge(after[["item_id", "precision", "map"]], on="item_id", suffixes=("", "_2"))
    pairs["gain"] = pairs["precision_2"] - pairs["precision"]
    pairs["also"] = pairs["map_2"] - pairs["map"]
    order = pairs.sort_values(["gain", "also", "item_id"], ascending=[False, False, True])
    gained, lost = order[order["gain"] > 0], order[order["gain"] < 0][::-1]
    answers = [run.answers.get("as found", pd.DataFrame()) for run in (one, other)]
    categories = compare_categories(before, after, at_least=ENOUGH)
    rows = {
        name: [shelf.describe(row, level, answers) for row in part.head(SHOWN).itertuples()]
        for name, part in (("gained", gained), ("lost", lost))
    }
    return rows | {
        "counts": {"gained": len(gained), "lost": len(lost), "queries": len(pairs)},
        "categories": [row | _place_gain(row) for row in categories.to_dict("records")],
        "categories_csv": categories.to_csv(index=False, float_format="%.6g"),
        "enough": ENOUGH,
        "missing": shelf.problem,
    }


def _place_gain(row: dict[str, Any]) -> dict[str, float]:
    """Where gain and interval lie on a line of 0 to 100 for -1 to 1."""
    ends = [row["gain"] if np.isnan(row[name]) else row[name] for name in ("low", "high")]
    names = ("at", "from_", "to")
    return {n: round(50 + 50 * v, 1) for n, v in zip(names, (row["gain"], *ends), strict=True)}


class _Shelf:
    """Pictures and facts of products, from the catalogues the two runs name."""

    def __init__(self, records: list[dict]) -> None:
        self.problem = ""
        self._catalogues: list[Catalogue] = []
        for source in dict.fromkeys(str(r["parameters"].get("catalogue", "")) for r in records):
            try:
                self._catalogues.append(load_catalogue(source))
            except FashifyError as error:
                self.problem = str(error)
        self.picture = cache(self._picture)

    def describe(self, row: Any, level: str, answers: list[pd.DataFrame]) -> dict[str, Any]:
        """One query as the page shows it: its picture, and the answers of both runs."""
        return {
            "query": self.picture(row.item_id, level),
            "numbers": (row.precision, row.precision_2),
            "answers": [
                [
                    {
                        **self.picture(near, level),
                        "hit": self.picture(near, level)["label"] == row.label,
                    }
                    for near in (found.loc[row.item_id] if row.item_id in found.index else ())
                    if near
                ]
                for found in answers
            ],
        }

    def _picture(self, item_id: str, level: str) -> dict[str, str]:
        for catalogue in self._catalogues:
            try:
                return describe_item(catalogue, item_id, level)
            except FashifyError as error:
                logger.debug("no picture of %s: %s", item_id, error)
        return {"item_id": item_id, "source": "", "label": "", "name": ""}


def _write_page(target: Path, page: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReportError(
            "a reports folder that can be written",
            f"{target.parent}: {error.strerror or error}",
            "name another: --out FOLDER, or set FASHIFY_REPORTS",
        ) from error
    write_bytes(target, page.encode())
