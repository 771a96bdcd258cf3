"""The evaluate tab: how good the neighbours are here, and the reports at hand."""

from __future__ import annotations

import json
import logging
import threading
import time
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from fashify.config import settings
from fashify.demo.pictures import QUERY_SIDE, data_url
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

    def panel(self) -> str:
        """The tab as HTML."""
        with self._lock:
            measured = self._measured
        return f'<section class="fx-judged">{measured}{self._reports()}</section>'

    @cached_property
    def _measured(self) -> str:
        begin = time.perf_counter()
        try:
            found = evaluate_levels(
                self.service.store,
                index=self.service.retriever.index,
                n_queries=QUERIES,
                **self._unlearned(),
            )
        except FashifyError as error:
            return f'<p class="fx-empty">{escape(str(error))}</p>'
        seconds = time.perf_counter() - begin
        first = next(iter(found.values()))
        rows = "".join(
            _row(level, report.micro["precision"], report.micro["chance"])
            for level, report in found.items()
        )
        return (
            '<header class="fx-results-head"><h2>Do neighbours share their label?</h2>'
            f'<p class="fx-time">{first.n_asked:,} products{self._which()} searched in '
            f"{seconds:.1f} s, each left out of its own answer</p></header>"
            '<table class="fx-table"><thead><tr><th scope="col">Level</th><th scope="col">'
            f'Precision@{first.k}</th><th scope="col">Chance</th><th scope="col"><span '
            f'class="fx-sr">As a bar</span></th></tr></thead><tbody>{rows}</tbody></table>'
        )

    def _unlearned(self) -> dict[str, Any]:
        """Queries that the head has not learned from; all of them where there is no head."""
        return {} if self.service.store.head is None else {"split": "test"}

    def _which(self) -> str:
        return "" if self.service.store.head is None else " the head has not learned from,"

    def _reports(self) -> str:
        runs = latest_runs(settings().reports)
        if not runs:
            return (
                '<p class="fx-empty">No reports here yet: <code>fashify report</code> runs the '
                "notebooks and writes them.</p>"
            )
        return '<h2 class="fx-subhead">Latest reports</h2>' + "".join(map(_report, runs))

    def page(self, name: str) -> str:
        """The self-contained page of a report shown here, "" for any other name."""
        for folder, run in latest_runs(settings().reports):
            if run["notebook"] == name:
                return (folder / "report.html").read_text(encoding="utf-8")
        return ""


def latest_runs(reports: Path) -> list[tuple[Path, dict]]:
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


def _row(level: str, precision: float, chance: float) -> str:
    return (
        f'<tr><th scope="row">{level.replace("_", " ")}</th><td>{precision:.3f}</td>'
        f'<td>{chance:.3f}</td><td class="fx-scale" aria-hidden="true">'
        f'<i style="width:{100 * precision:.1f}%"></i><b style="left:{100 * chance:.1f}%"></b>'
        "</td></tr>"
    )


def _report(found: tuple[Path, dict]) -> str:
    folder, run = found
    numbers = "".join(
        f"<dt>{escape(str(name))}</dt><dd>{_number(value)}</dd>"
        for name, value in list(run["metrics"].items())[:HEADLINES]
    )
    name = escape(run["notebook"], quote=True)
    return (
        f'<article class="fx-report">{_cover(folder, run)}<div><h3>{escape(run["title"])}</h3>'
        f'<p class="fx-time">{escape(run["started"][:16].replace("T", " "))} UTC, '
        f"{run['seconds']:.0f} s</p><dl>{numbers}</dl>"
        f'<button type="button" class="fx-button" data-do="report" data-name="{name}">'
        "Open the full page</button></div></article>"
    )


def _cover(folder: Path, run: dict) -> str:
    try:
        url = data_url(load_image(folder / (run["thumbnail"] or "none")), QUERY_SIDE)
    except FashifyError:
        return ""
    return f'<img src="{url}" alt="A figure of the report">'


def _number(value: object) -> str:
    return (
        f"{value:,.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(f"{value}")
    )
