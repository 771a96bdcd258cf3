"""The last cell of a notebook: what was seen, in computed words and as numbers for the report."""

from __future__ import annotations

import base64
import html
import math
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fashify.errors import ReportError
from fashify.evaluation import EvaluationReport, EvaluationRun

#: Under this type the numbers travel inside the executed notebook, next to what people read.
MIME = "application/vnd.fashify.metrics+json"

#: Under this one what every query got, an ``EvaluationRun`` file as base64.
QUERIES_MIME = "application/vnd.fashify.queries"


class Findings:
    """Sentences for readers and numbers for ``metrics.json``; shows itself in a notebook."""

    def __init__(
        self,
        sentences: Iterable[str],
        metrics: Mapping,
        details: Mapping,
        cover: str,
        judged: Mapping[str, EvaluationReport],
    ) -> None:
        self.sentences = list(sentences)
        self.metrics = {name: _check_finite(name, value) for name, value in metrics.items()}
        self.details, self.cover, self.judged = dict(details), cover, judged

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        items = "".join(f"<li>{html.escape(text)}</li>" for text in self.sentences)
        bundle = {
            # Pairs, for notebooks are stored with sorted keys and the order has a meaning.
            MIME: {
                "metrics": [list(pair) for pair in self.metrics.items()],
                "details": self.details,
                "cover": self.cover,
            },
            "text/html": f'<ul class="findings">{items}</ul>',
            "text/plain": "\n".join(f"- {text}" for text in self.sentences),
        }
        return bundle | ({QUERIES_MIME: _pack_queries(self.judged)} if self.judged else {})


def conclude_report(
    *sentences: str,
    metrics: Mapping[str, float | int | str],
    details: Mapping | None = None,
    cover: str = "",
    judged: Mapping[str, EvaluationReport] | None = None,
) -> Findings:
    """The closing words of a notebook, and the numbers its report is known by.

    Args:
        sentences: computed sentences, one per line.
        metrics: readable name -> value, in the order of importance; the first ones are the
            headline on the index page. Fractions as fractions.
        details: further plain values for ``metrics.json``.
        cover: name of the figure that stands for the run on the index page.
        judged: level -> report, whose queries and answers are kept with the run, so that
            ``fashify report --compare`` can set it against another.

    Raises:
        ReportError: a metric that is neither a finite number nor text.
    """
    return Findings(sentences, metrics, details or {}, cover, judged or {})


def _pack_queries(judged: Mapping[str, EvaluationReport]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = EvaluationRun.from_reports(judged, "run").save(Path(folder) / "queries.npz")
        return base64.b64encode(path.read_bytes()).decode("ascii")


def _check_finite(name: str, value: Any) -> float | int | str:
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ReportError(
        "finite numbers or texts as metrics", f"{name} = {value!r}", "leave out what is undefined"
    )
