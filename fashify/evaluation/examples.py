"""Queries with their answers as pictures, ready to be drawn."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fashify.catalogue import Catalogue
from fashify.evaluation.report import EvaluationReport

Pictured = tuple[np.ndarray, str]


def example_rows(
    report: EvaluationReport, catalogue: Catalogue, item_ids: Iterable[str]
) -> list[tuple[Pictured, list[tuple[np.ndarray, str, bool]]]]:
    """For each query its picture and caption, and those of its neighbours with hit or miss.

    Args:
        report: where the answers come from.
        catalogue: where the pictures come from.
        item_ids: of judged queries, such as ``report.worst(4)["item_id"]``.

    Returns:
        What ``fashify.plots.matches`` draws: ``((image, caption), [(image, caption, hit)])``
        with images (height, width, 3) uint8.
    """
    rows = []
    for item_id in item_ids:
        answer = report.answer(item_id)
        found = [
            (
                catalogue.image(near),
                f"{_describe_label(catalogue, near, report)}\n{distance:.3f}",
                bool(hit),
            )
            for near, distance, hit in answer.itertuples(index=False)
        ]
        caption = (
            f"{_describe_label(catalogue, item_id, report)}\n{catalogue.facts(item_id)['name']}"
        )
        rows.append(((catalogue.image(item_id), caption), found))
    return rows


def compare_levels(reports: dict[str, EvaluationReport]) -> pd.DataFrame:
    """One row a level: categories, queries judged, lone, missing, and the main measures.

    Precisions come as text with their intervals, ``0.790 [0.781, 0.799]``; ``excluding group``
    marks those with the query's group left out.
    """
    rows = []
    for level, report in reports.items():
        excluded = report.excluding_group or report
        rows.append(
            {
                "level": level,
                "categories": int((report.table["n_queries"] > 0).sum()),
                "queries": report.n_judged,
                "lone": report.n_lone,
                "missing": report.n_missing,
                f"P@{report.k} micro": report.format_mean("micro"),
                "excluding group": excluded.format_mean("micro"),
                f"P@{report.k} macro": report.format_mean("macro"),
                "macro, excluding group": excluded.format_mean("macro"),
                "chance": report.micro["chance"],
                f"hit rate@{report.k}": report.micro["hit_rate"],
                "MAP@R": report.micro["map_at_r"],
                f"nDCG@{report.depth}": report.micro["ndcg"],
            }
        )
    return pd.DataFrame(rows)


def _describe_label(catalogue: Catalogue, item_id: str, report: EvaluationReport) -> str:
    return catalogue.facts(item_id)[report.level] or f"no {report.level.replace('_', ' ')}"
