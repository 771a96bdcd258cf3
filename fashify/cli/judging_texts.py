"""What ``fashify evaluate --queries FILE`` does: texts judged against a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fashify.cli.console import emit, store_path, table

#: Asks for the gallery's labels and their combinations instead of a table's texts.
LABELS = "labels"

#: The published model that names are compared with, where the table has its ranks.
PUBLISHED = "fashionsiglip"

if TYPE_CHECKING:
    import pandas as pd

TextsOption = Annotated[
    str | None,
    typer.Option(
        help="How many products, drawn by --seed; default: every one. Or texts to judge: a CSV "
        "table query, item_ids, or labels for those of the gallery."
    ),
]


def judge_texts(store: Path | None, queries: str, *, split: str, as_json: bool) -> None:
    """Prints the figures of texts; with a split only its products can be answered."""
    from fashify.evaluation.text_gains import compare_texts
    from fashify.evaluation.texts import evaluate_texts
    from fashify.io.plain import to_plain
    from fashify.store import FeatureStore

    opened = FeatureStore.load(store_path(store))
    asked = None if queries == LABELS else queries
    part = None if split == "all" else opened.split == split
    by_labels = asked is None
    found = evaluate_texts(
        opened,
        asked,
        gallery=part if by_labels else None,
        held_out=None if by_labels else part,
        progress=not as_json,
    )
    rows = [
        (row.protocol, row.method, row.measure, f"{row.value:.3f} [{row.low:.3f}, {row.high:.3f}]")
        + (f"{row.n:,}",)
        for row in found.table.itertuples()
    ]
    header = ("protocol", "method", "measure", "value", "queries")
    first = f"{found.facts['n_gallery']:,} products may be answered; 95 % intervals in brackets"
    gains = compare_texts(found, PUBLISHED)
    text = [first, "", *table(rows, header)]
    if len(gains):
        text += ["", f"beside {PUBLISHED}, query by query:", "", *_tabulate_gains(gains)]
    answer = found.to_dict() | {"beside": {PUBLISHED: to_plain(gains.to_dict("records"))}}
    emit(answer, as_json, text)


def _tabulate_gains(gains: pd.DataFrame) -> list[str]:
    rows = [
        (row.protocol, row.method, row.measure)
        + (f"{row.gain:+.3f} [{row.low:+.3f}, {row.high:+.3f}]", f"{row.p:.4f}")
        for row in gains.itertuples()
    ]
    return table(rows, ("protocol", "method", "measure", "gain", "p"))
