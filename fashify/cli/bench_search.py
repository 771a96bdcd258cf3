"""``fashify bench search``: what each index costs and finds on a store's own vectors."""

from __future__ import annotations

from typing import Annotated

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, store_path
from fashify.config import SEED


def search(
    store: StoreOption = None,
    index: Annotated[
        str | None, typer.Option(help="Search backend; default: the store's own.")
    ] = None,
    k: Annotated[int, typer.Option("-k", "--k", help="Neighbours a query.", min=1)] = 5,
    queries: Annotated[int, typer.Option(help="How many to time.", min=1)] = 500,
    as_json: JsonOption = False,
) -> None:
    """Queries a second, latency, and overlap with the exact answer on a store's features."""
    import time

    import numpy as np

    from fashify.index import make_index
    from fashify.retrieval import Retriever

    retriever = Retriever.open(store_path(store), index=index)
    features, item_ids = retriever.store.vectors, retriever.store.item_ids
    rows = np.random.default_rng(SEED).integers(0, len(features), queries)
    tested = retriever.index

    def _timed(action):
        begin = time.perf_counter()
        action()
        return time.perf_counter() - begin

    tested.search(features[rows[:1]], k)
    singles = [_timed(lambda row=row: tested.search(features[row : row + 1], k)) for row in rows]
    batch_seconds = _timed(lambda: tested.search(features[rows], k))
    exact = make_index("exact", metric=tested.metric).fit(features, item_ids)
    found, wanted = (one.search(features[rows], k).positions for one in (tested, exact))
    overlap = [len(set(a) & set(b)) / k for a, b in zip(found, wanted, strict=True)]
    answer = {
        "index": tested.name,
        "metric": tested.metric,
        "n_items": len(features),
        "k": k,
        "queries": queries,
        "p50_ms": round(1000 * float(np.median(singles)), 3),
        "p95_ms": round(1000 * float(np.quantile(singles, 0.95)), 3),
        "batched_queries_per_second": round(queries / batch_seconds, 1),
        f"index_recall_at_{k}": round(float(np.mean(overlap)), 4),
    }
    emit(answer, as_json, [f"{name}  {value}" for name, value in answer.items()])
