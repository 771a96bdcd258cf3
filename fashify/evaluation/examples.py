"""Queries with their answers as pictures, ready to be drawn."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from fashify.catalogue import Catalogue
from fashify.errors import FashifyError
from fashify.evaluation.report import EvaluationReport
from fashify.io.images import encode_webp, thumbnail

#: Under this type examples with their pictures travel inside an executed notebook.
EXAMPLES_MIME = "application/vnd.fashify.examples+json"

#: Longer side of a picture of an example, pixels.
SIDE = 112

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


class CategoryExamples:
    """Best and worst queries of categories; a report shows them at a click on a bar.

    Attributes:
        level: the level judged.
        categories: one a category: ``name, anchor, best, worst``; each of the two a list of
            ``{"query": item, "precision": p, "answers": [item | {"hit": bool}]}`` with items
            ``item_id, label, name, source`` (a WebP as ``data:`` URL, "" where there is none).
    """

    def __init__(self, level: str, categories: list[dict[str, Any]]) -> None:
        self.level, self.categories = level, categories

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        texts = [
            f"{html.escape(one['name'])}: best {_list_precisions(one['best'])}, "
            f"worst {_list_precisions(one['worst'])}"
            for one in self.categories
        ]
        return {
            EXAMPLES_MIME: {"level": self.level, "categories": self.categories},
            "text/plain": "precision of the queries shown\n" + "\n".join(texts),
        }


def examples_by_category(
    report: EvaluationReport, catalogue: Catalogue, *, n: int = 2, top: int = 30
) -> CategoryExamples:
    """The best and the worst queries of each category, with their answers and pictures.

    Args:
        report: where the answers come from.
        catalogue: where the pictures come from.
        n: of each kind; a query is shown once.
        top: categories, the largest first, as ``fashify.plots.precision_by_category``.
    """
    judged = report.table[report.table["n_queries"] > 0].head(top)
    ranked = report.queries.sort_values(["precision", "map", "item_id"], ascending=False)
    pictures: dict[str, dict] = {}
    found = []
    for category in judged["category"]:
        ids = list(ranked["item_id"][ranked["label"] == category].astype(str))
        kinds = {"best": ids[:n], "worst": ids[n:][::-1][:n]}
        rows = {
            kind: [_describe_example(report, catalogue, one, pictures) for one in shown]
            for kind, shown in kinds.items()
        }
        found.append({"name": category, "anchor": name_anchor(report.level, category)} | rows)
    return CategoryExamples(report.level, found)


def name_anchor(level: str, category: str) -> str:
    """What the examples of a category are linked by inside a page."""
    return "examples-" + re.sub(r"[^\w-]+", "-", f"{level}-{category}".lower())


def describe_item(catalogue: Catalogue, item_id: str, level: str) -> dict[str, str]:
    """A product with its picture: ``item_id, label, name, source``.

    Raises:
        FashifyError: it is not in the catalogue, or its picture cannot be read.
    """
    facts = catalogue.facts(item_id)
    picture = encode_webp(thumbnail(catalogue.image(item_id), SIDE))
    source = "data:image/webp;base64," + base64.b64encode(picture).decode("ascii")
    label, name = str(facts.get(level) or ""), str(facts.get("name") or "")
    return {"item_id": item_id, "label": label, "name": name, "source": source}


def _describe_example(
    report: EvaluationReport, catalogue: Catalogue, item_id: str, pictures: dict[str, dict]
) -> dict[str, Any]:
    answer = report.answer(item_id)
    for one in (item_id, *answer["item_id"]):
        if one not in pictures:
            try:
                pictures[one] = describe_item(catalogue, one, report.level)
            except FashifyError:
                pictures[one] = {"item_id": one, "label": "", "name": "", "source": ""}
    pairs = zip(answer["item_id"], answer["relevant"], strict=True)
    return {
        "query": pictures[item_id],
        "precision": float(answer["relevant"].sum() / report.k),
        "answers": [pictures[one] | {"hit": bool(hit)} for one, hit in pairs],
    }


def _list_precisions(rows: list[dict[str, Any]]) -> str:
    return ", ".join(f"{row['precision']:.1f}" for row in rows) or "none"


def compare_levels(reports: dict[str, EvaluationReport]) -> pd.DataFrame:
    """One row per level: categories, queries judged, lone, missing, and the main measures.

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
