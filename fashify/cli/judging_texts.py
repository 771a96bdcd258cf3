"""What ``fashify evaluate --queries FILE`` does: texts judged against a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import emit, store_path, table

#: Asks for the gallery's labels and their combinations instead of a table's texts.
LABELS = "labels"

TextsOption = Annotated[
    str | None,
    typer.Option(
        help="How many products, drawn by --seed; default: every one. Or texts to judge: a CSV "
        "table query, item_ids, or labels for those of the gallery."
    ),
]


def judge_texts(store: Path | None, queries: str, *, split: str, as_json: bool) -> None:
    """Prints the figures of texts; with a split only its products can be answered."""
    from fashify.evaluation.texts import evaluate_texts
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
    emit(found.to_dict(), as_json, [first, "", *table(rows, header)])
