"""The evaluate tab: how good the neighbours are here, and the reports at hand."""

from __future__ import annotations

import json
import logging
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fashify.config import settings
from fashify.demo.pictures import QUERY_SIDE, data_url
from fashify.demo.rendering import render
from fashify.demo.service import DemoService
from fashify.errors import FashifyError
from fashify.evaluation import evaluate_levels
from fashify.io.images import load_image

logger = logging.getLogger(__name__)

#: Items searched with; each is left out of its own answer.
QUERIES = 1_000

#: Headline numbers shown of a report.
HEADLINES = 6


class Judge:
    """Evaluates the opened store when first asked, and finds the latest reports."""

    def __init__(self, service: DemoService) -> None:
        self.service = service
        self._lock = threading.Lock()

    def panel(self) -> Markup:
        """The tab as HTML."""
        with self._lock:
            measured = self._evaluation_html
        reports = [_report(*found) for found in find_latest_runs(settings().reports)]
        return render("judged.html", reports=reports, **measured)

    @cached_property
    def _evaluation_html(self) -> dict[str, Any]:
        """What the template says of the store; ``problem`` alone where nothing can be said."""
        begin = time.perf_counter()
        try:
            found = evaluate_levels(
                self.service.store,
                index=self.service.retriever.index,
                n_queries=QUERIES,
                **self._unseen_queries(),
            )
        except FashifyError as error:
            return {"problem": str(error)}
        first = next(iter(found.values()))
        return {
            "problem": "",
            "seconds": time.perf_counter() - begin,
            "n_asked": first.n_asked,
            "which": self._describe_queries(),
            "k": first.k,
            "rows": [
                (level, report.micro["precision"], report.micro["chance"])
                for level, report in found.items()
            ],
        }

    def _unseen_queries(self) -> dict[str, Any]:
        """Queries that the head has not learned from; all of them where there is no head."""
        return {} if self.service.store.head is None else {"split": "test"}

    def _describe_queries(self) -> str:
        return "" if self.service.store.head is None else " the head has not learned from,"

    def page(self, name: str) -> str:
        """The self-contained page of a report shown here, "" for any other name."""
        for folder, run in find_latest_runs(settings().reports):
            if run["notebook"] == name:
                return (folder / "report.html").read_text(encoding="utf-8")
        return ""


def find_latest_runs(reports: Path) -> list[tuple[Path, dict]]:
    """The newest whole run of each notebook: its folder and its ``run.json``."""
    found: dict[str, tuple[Path, dict]] = {}
    for path in reports.glob("*/*/run.json"):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            logger.warning("no run to be read at %s", path)
            continue
        newest = found.get(run["notebook"])
        if run["status"] == "done" and (newest is None or run["started"] > newest[1]["started"]):
            found[run["notebook"]] = path.parent, run
    return [found[name] for name in sorted(found)]


def _report(folder: Path, run: dict) -> dict[str, Any]:
    """A run as its card shows it."""
    metrics = list(run["metrics"].items())[:HEADLINES]
    numbers = [(name, _number(value)) for name, value in metrics]
    return run | {"cover": _cover(folder, run), "numbers": numbers}


def _cover(folder: Path, run: dict) -> str:
    """The ``data:`` URL of a figure of the report, "" where there is none."""
    try:
        return data_url(load_image(folder / (run["thumbnail"] or "none")), QUERY_SIDE)
    except FashifyError:
        return ""


def _number(value: object) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
