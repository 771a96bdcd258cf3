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
}

#: Queries asked at once, and how often at most and at least.
BATCHES = (32, 256)
_MOST, _LEAST = 10, 3

_PERCENTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Trial:
    """Cost and recall of one index at one setting.

    Attributes:
        name, params: the backend and all its parameters.
        label, setting: how it was built and what was swept, in words.
        n, dim, k: size of the gallery, of a vector, and neighbours asked for.
        build_s: seconds to fit. open_ms: to open the saved index, memory mapped.
        bytes_per_item: on disk with the vectors; structure_bytes_per_item without them. None
            where another machine keeps them.
        p50_ms, p95_ms, p99_ms: one query at a time.
        batch_ms: the same three for a whole batch, by its size.
        qps: queries a second by batch size, from the median.
        recall: index recall@k, overlap with the exact answer divided by k.
    """

    name: str
    label: str
    setting: str
    params: dict[str, Any]
    n: int
    dim: int
    k: int
    build_s: float
    open_ms: float
    bytes_per_item: float | None
    structure_bytes_per_item: float | None
    p50_ms: float
    p95_ms: float
    p99_ms: float
    batch_ms: dict[int, list[float]]
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
    exclude: Sequence[str] | np.ndarray | None
    k: int
    truth: Neighbours

    @classmethod
    def draw(
        cls,
        features: np.ndarray,
        item_ids: Sequence[str] | np.ndarray,
        *,
        metric: str,
        view_items: np.ndarray | None = None,
        k: int = 5,
        n: int = 300,
        seed: int = 0,
    ) -> Questions:
        """``n`` items of the gallery, the first view of each asking for its neighbours."""
        rows = np.random.default_rng(seed).choice(len(item_ids), min(n, len(item_ids)), False)
        first = rows if view_items is None else np.searchsorted(view_items, rows)
        queries, exclude = np.ascontiguousarray(features[first]), np.asarray(item_ids)[rows]
        exact = make_index("exact", metric=metric).fit(features, item_ids, view_items=view_items)
        return cls(queries, exclude, k, exact.search(queries, k, exclude=exclude))

    def ask(self, index: Index, rows: slice = slice(None)) -> Neighbours:
        """The answer of ``index`` to some of the queries."""
        exclude = None if self.exclude is None else self.exclude[rows]
        return index.search(self.queries[rows], self.k, exclude=exclude)


def is_installed(name: str) -> bool:
    """Whether a backend's package is there."""
    return name not in _NEEDS or importlib.util.find_spec(_NEEDS[name]) is not None


def index_recall(found: Neighbours, truth: Neighbours) -> float:
    """Mean share of the true neighbours that were found, 0 to 1."""
    hits = [
        len(np.intersect1d(mine[mine >= 0], theirs)) / max(1, int(np.count_nonzero(theirs >= 0)))
        for mine, theirs in zip(found.positions, truth.positions, strict=True)
    ]
    return float(np.mean(hits))


def time_queries(answer: Callable[[slice], object], rows: int, *, seconds: float = 4) -> np.ndarray:
    """Seconds each of up to ``rows`` single queries took, within a time limit, warmed up."""
    for row in range(min(3, rows)):
        answer(slice(row, row + 1))
    return _time_slices(answer, [slice(row, row + 1) for row in range(rows)], seconds, 1)


def time_batches(
    answer: Callable[[slice], object], rows: int, *, seconds: float = 2
) -> dict[int, np.ndarray]:
    """Seconds of repeated batches, by batch size; sizes above ``rows`` are left out."""
    found = {}
    for size in (size for size in BATCHES if size <= rows):
        starts = np.arange(_MOST) % (rows // size) * size
        slices = [slice(int(start), int(start) + size) for start in starts]
        found[size] = _time_slices(answer, slices, seconds, _LEAST)
    return found


def _time_slices(
    answer: Callable[[slice], object], slices: Sequence[slice], seconds: float, least: int
) -> np.ndarray:
    """Seconds for each of ``slices``, stopping at the limit once ``least`` are done."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    for rows in slices:
        begin = time.perf_counter()
        answer(rows)
        times.append(time.perf_counter() - begin)
        if time.perf_counter() > end and len(times) >= least:
            break
    return np.array(times)


def measure_speeds(answer: Callable[[slice], object], rows: int) -> dict[str, Any]:
    """The timed fields of a `Trial`: percentiles and rates, one at a time and in batches."""
    single, batches = time_queries(answer, rows), time_batches(answer, rows)
    p50, p95, p99 = _to_milliseconds(single)
    times = {1: single, **batches}
    return {
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "batch_ms": {size: _to_milliseconds(seconds) for size, seconds in batches.items()},
        "qps": {
            size: round(size / float(np.median(seconds)), 1) for size, seconds in times.items()
        },
    }


def _to_milliseconds(seconds: np.ndarray) -> list[float]:
    return [round(1000 * float(np.quantile(seconds, q)), 4) for q in _PERCENTILES]


def build_and_try(
    name: str,
    features: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    questions: Questions,
    *,
    metric: str,
    view_items: np.ndarray | None = None,
    sweep: bool = True,
    **params: Any,
) -> tuple[Index, list[Trial]]:
    """Build one index, then measure it at each setting of its sweep.

    Args:
        name: the backend. **params: what it is built with.
        features: (v, dim). item_ids: (n,).
        questions: asked of it.
        metric: "cosine" or "euclidean".
        view_items: (v,) int64, the product of each row; one row per product by default.
        sweep: False for the backend's own setting alone.
    """
    begin = time.perf_counter()
    index = make_index(name, metric=metric, **params)
    index.fit(features, item_ids, view_items=view_items)
    facts: dict[str, Any] = {
        "build_s": round(time.perf_counter() - begin, 3),
        **_measure_disk(index),
    }
    facts["label"] = name
    parameter, values = SWEEPS.get(name, ("", ()))
    settings = [{parameter: value} for value in values] if sweep and values else [{}]
    return index, [
        measure_index(index.with_params(**one), questions, facts, one) for one in settings
    ]


def measure_index(
    index: Index, questions: Questions, facts: dict[str, Any], setting: dict[str, Any]
) -> Trial:
    """Measure one index as it is; ``facts`` are those that do not depend on the setting."""

    def answer(rows: slice) -> Neighbours:
        return questions.ask(index, rows)

    return Trial(
        name=index.name,
        setting=", ".join(f"{name} {value}" for name, value in setting.items()) or "-",
        params=index.params,
        n=len(index),
        dim=index.dim,
        k=questions.k,
        recall=round(index_recall(answer(slice(None)), questions.truth), 4),
        **measure_speeds(answer, len(questions.queries)),
        **facts,
    )


def _measure_disk(index: Index) -> dict[str, float | None]:
    with tempfile.TemporaryDirectory() as folder:
        index.save(folder)
        saved = sum(path.stat().st_size for path in Path(folder).iterdir())
        begin = time.perf_counter()
        opened = load_index(folder)
        milliseconds = 1000 * (time.perf_counter() - begin)
        del opened
    outside = index.bytes_outside()
    each = None if outside is None else (saved + outside) / len(index)
    return {
        "open_ms": round(milliseconds, 2),
        "bytes_per_item": None if each is None else round(each, 1),
        "structure_bytes_per_item": None if each is None else round(each - 4 * index.dim, 1),
    }
