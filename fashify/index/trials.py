"""Measuring an index: build, size, opening, latency, throughput and index recall.

Recall is computed from stored results, never inside the timed part, and strictly: an item
counts only when the exact index answers it too, even where others are equally near.
"""

from __future__ import annotations

import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fashify.index.base import Index
from fashify.index.neighbours import Neighbours
from fashify.index.registry import load_index, make_index

#: Packages that optional backends need.
_NEEDS = {"hnsw": "faiss", "annoy": "annoy", "milvus": "pymilvus"}

#: Search parameters tried for each backend, fast to exact.
SWEEPS: dict[str, tuple[str, Sequence[int]]] = {
    "hnsw": ("ef_search", (16, 32, 64, 128, 256)),
    "annoy": ("search_k", (1_000, 3_000, 10_000, 20_000, 50_000)),
    "two-stage": ("candidates", (20, 50, 100, 200, 500)),
}

BATCHES = (1, 32, 256)


@dataclass(frozen=True)
class Trial:
    """What one index with one setting costs and finds.

    Attributes:
        name, params: the backend and its setting.
        n, dim, k: size of the gallery, of a vector, and neighbours asked for.
        build_s: seconds to fit. open_ms: to open the saved index, memory mapped.
        bytes_per_item: on disk with the vectors; structure_bytes_per_item without them.
        p50_ms, p95_ms, p99_ms: one query at a time.
        qps: queries a second by batch size.
        recall: index recall@k, overlap with the exact answer divided by k.
    """

    name: str
    params: dict[str, Any]
    n: int
    dim: int
    k: int
    build_s: float
    open_ms: float
    bytes_per_item: float
    structure_bytes_per_item: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    qps: dict[int, float]
    recall: float

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Questions:
    """What every index of one comparison is asked.

    Attributes:
        queries: (q, dim). exclude: (q,) ids they are not to be answered with, or None.
        k: neighbours wanted. truth: the exact answer.
    """

    queries: np.ndarray
    exclude: Sequence | None
    k: int
    truth: Neighbours

    @classmethod
    def drawn(
        cls,
        features: np.ndarray,
        item_ids: Sequence[str],
        *,
        metric: str,
        k: int = 5,
        n: int = 300,
        seed: int = 0,
    ) -> Questions:
        """``n`` items of the gallery, each asking for its neighbours without itself."""
        rows = np.random.default_rng(seed).choice(len(features), min(n, len(features)), False)
        queries, exclude = np.ascontiguousarray(features[rows]), np.asarray(item_ids)[rows]
        exact = make_index("exact", metric=metric).fit(features, item_ids)
        return cls(queries, exclude, k, exact.search(queries, k, exclude=exclude))

    def asked(self, index: Index, rows: slice = slice(None)) -> Neighbours:
        """The answer of ``index`` to some of the queries."""
        exclude = None if self.exclude is None else self.exclude[rows]
        return index.search(self.queries[rows], self.k, exclude=exclude)


def installed(name: str) -> bool:
    """Whether a backend's package is there."""
    return name not in _NEEDS or importlib.util.find_spec(_NEEDS[name]) is not None


def index_recall(found: Neighbours, truth: Neighbours) -> float:
    """Mean share of the true neighbours that were found, 0 to 1."""
    hits = [
        len(np.intersect1d(mine[mine >= 0], theirs)) / max(1, np.count_nonzero(theirs >= 0))
        for mine, theirs in zip(found.positions, truth.positions, strict=True)
    ]
    return float(np.mean(hits))


def latencies(answer: Callable[[slice], object], rows: int, *, seconds: float = 4) -> np.ndarray:
    """Seconds each of up to ``rows`` single queries took, within a time limit, warmed up."""
    for row in range(min(3, rows)):
        answer(slice(row, row + 1))
    times, end = [], time.perf_counter() + seconds
    for row in range(rows):
        begin = time.perf_counter()
        answer(slice(row, row + 1))
        times.append(time.perf_counter() - begin)
        if time.perf_counter() > end:
            break
    return np.array(times)


def throughput(
    answer: Callable[[slice], object], rows: int, batches: Sequence[int] = BATCHES
) -> dict[int, float]:
    """Queries a second by batch size; the best of three runs."""
    result = {}
    for size in (size for size in batches if size <= rows):
        seconds = []
        for _ in range(3):
            begin = time.perf_counter()
            answer(slice(0, size))
            seconds.append(time.perf_counter() - begin)
        result[size] = round(size / min(seconds), 1)
    return result


def build_and_try(
    name: str,
    features: np.ndarray,
    item_ids: Sequence[str],
    questions: Questions,
    *,
    metric: str,
    sweep: bool = True,
    **params: Any,
) -> tuple[Index, list[Trial]]:
    """Build one index, then measure it at each setting of its sweep.

    Args:
        name: the backend. **params: what it is built with.
        features: (n, dim). item_ids: (n,).
        questions: asked of it.
        metric: "cosine" or "euclidean".
        sweep: False for the backend's own setting alone.
    """
    begin = time.perf_counter()
    index = make_index(name, metric=metric, **params).fit(features, item_ids)
    facts = {"build_s": round(time.perf_counter() - begin, 3), **_on_disk(index)}
    parameter, values = SWEEPS.get(name, ("", ()))
    settings = [{parameter: value} for value in values] if sweep and values else [{}]
    return index, [tried(index.tuned(**one), questions, facts) for one in settings]


def tried(index: Index, questions: Questions, facts: dict[str, float]) -> Trial:
    """Measure one index as it is; ``facts`` are those that do not depend on the setting."""

    def answer(rows: slice) -> Neighbours:
        return questions.asked(index, rows)

    times = 1000 * latencies(answer, len(questions.queries))
    p50, p95, p99 = (round(float(np.quantile(times, q)), 4) for q in (0.5, 0.95, 0.99))
    return Trial(
        name=index.name,
        params=index.params,
        n=len(index),
        dim=index.dim,
        k=questions.k,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        qps=throughput(answer, len(questions.queries)),
        recall=round(index_recall(answer(slice(None)), questions.truth), 4),
        **facts,
    )


def _on_disk(index: Index) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        index.save(folder)
        sizes = {path.name: path.stat().st_size for path in Path(folder).iterdir()}
        begin = time.perf_counter()
        opened = load_index(folder)
        milliseconds = 1000 * (time.perf_counter() - begin)
        del opened
    everything = sum(sizes.values())
    vectors = sum(size for name, size in sizes.items() if name.startswith("base."))
    return {
        "open_ms": round(milliseconds, 2),
        "bytes_per_item": round(everything / len(index), 1),
        "structure_bytes_per_item": round((everything - vectors) / len(index), 1),
    }
