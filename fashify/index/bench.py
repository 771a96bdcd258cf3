"""The search benchmark: every backend swept on a store, on growing galleries, on Fashion-MNIST.

The way of ann-benchmarks (Aumüller, Bernhardsson and Faithfull, 2018): recall against queries
a second, parameters swept, everything on the same machine in the same run.
"""

from __future__ import annotations

import gzip
import logging
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashify.errors import StorageError
from fashify.index.registry import make_index
from fashify.index.trials import (
    Questions,
    build_and_try,
    installed,
    latencies,
    throughput,
)

log = logging.getLogger(__name__)

BACKENDS = ("exact", "two-stage", "hnsw", "annoy")
GROWTH_BACKENDS = ("exact", "two-stage", "hnsw")
GROWTH = (10_000, 30_000, 100_000, 300_000, 1_000_000)

#: Where Debian's package dataset-fashion-mnist puts its files.
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")

_PACKAGES = ("numpy", "scikit-learn", "faiss-cpu", "annoy")
_COLUMNS = ("name", "setting", "n", "recall", "p50_ms", "p95_ms", "p99_ms", "qps 1", "qps 256")
_COSTS = ("build_s", "open_ms", "bytes_per_item", "structure_bytes_per_item")


class Result(dict):
    """What `run` measured: plain values, ready for JSON, and `to_text` for people."""

    def to_text(self) -> str:
        """One table for each part."""
        lines = [", ".join(f"{name} {value}" for name, value in self["machine"].items())]
        for part in ("store", "growth", "fashion_mnist"):
            if part in self:
                lines += ["", self[part]["title"], *_table(self[part]["trials"])]
                lines += [
                    f"scikit-learn brute, {one['metric']}: {one['p50_ms']:.2f} ms a query, "
                    f"{one['qps'].get(256, 0):,.0f} a second in batches of 256"
                    for one in self[part].get("reference", ())
                ]
        lines += [f"{name}: {value:g}" for name, value in self.get("ratios", {}).items()]
        return "\n".join(lines)


def run(
    store: str | Path,
    *,
    metric: str = "cosine",
    k: int = 5,
    backends: Sequence[str] = BACKENDS,
    n_queries: int = 300,
    growth: Sequence[int] = (),
    growth_dims: int = 256,
    fashion_mnist: bool = False,
    seed: int = 0,
) -> Result:
    """Measure search on a built store.

    Args:
        store: its directory.
        metric: "cosine" or "euclidean". k: neighbours.
        backends: which to measure; those not installed are left out.
        n_queries: gallery items that ask for their neighbours, themselves excluded.
        growth: gallery sizes to measure as well, see `grown`; `GROWTH` is the full row.
        growth_dims: principal components kept for those.
        fashion_mnist: measure Debian's dataset-fashion-mnist too.
        seed: of the queries and of the growth.

    Raises:
        StoreError: no store there. StorageError: Fashion-MNIST is not installed.
    """
    from fashify.store import FeatureStore

    opened = FeatureStore.load(store)
    features, item_ids = opened.vectors, opened.item_ids
    common = {"k": k, "n_queries": n_queries, "seed": seed}
    title = f"store: {len(features):,} x {features.shape[1]}, {metric}, k = {k}"
    part = compare(features, item_ids, title, metric=metric, backends=backends, **common)
    result = Result(machine=machine(), store=part, ratios=_ratios(part))
    if growth:
        result["growth"] = measure_growth(features, growth, growth_dims, **common)
    if fashion_mnist:
        result["fashion_mnist"] = measure_fashion_mnist(backends, **common)
    return result


def compare(
    features: np.ndarray,
    item_ids: Sequence[str],
    title: str,
    *,
    metric: str,
    backends: Sequence[str] = BACKENDS,
    k: int = 5,
    n_queries: int = 300,
    seed: int = 0,
    questions: Questions | None = None,
) -> dict[str, Any]:
    """Sweep backends over one gallery, scikit-learn called plainly beside them."""
    questions = questions or Questions.drawn(
        features, item_ids, metric=metric, k=k, n=n_queries, seed=seed
    )
    trials = []
    for name in filter(installed, backends):
        log.info("%s: measuring %s", title, name)
        trials += build_and_try(name, features, item_ids, questions, metric=metric)[1]
    return {
        "title": title,
        "metric": metric,
        "trials": [trial.to_dict() for trial in trials],
        "reference": [reference(features, questions, one) for one in ("euclidean", "cosine")],
    }


def reference(features: np.ndarray, questions: Questions, metric: str) -> dict[str, Any]:
    """scikit-learn's brute force as a user would call it, without any of this package."""
    from sklearn.neighbors import NearestNeighbors

    brute = NearestNeighbors(algorithm="brute", metric=metric).fit(np.asarray(features))

    def answer(rows: slice) -> object:
        return brute.kneighbors(questions.queries[rows], questions.k)

    times = 1000 * latencies(answer, min(50, len(questions.queries)))
    rows = len(questions.queries)
    return {"metric": metric, "p50_ms": float(np.median(times)), "qps": throughput(answer, rows)}


def measure_growth(
    features: np.ndarray,
    sizes: Sequence[int],
    dims: int,
    *,
    k: int = 5,
    n_queries: int = 300,
    seed: int = 0,
    sweep: bool = True,
) -> dict[str, Any]:
    """Cost against the size of the gallery; ``sweep`` tries several settings of each index."""
    trials = []
    reduced = principal(features, dims)
    for n in sizes:
        rows, jittered = grown(reduced, n, seed=seed)
        ids = np.arange(n).astype(str)
        questions = Questions.drawn(rows, ids, metric="cosine", k=k, n=n_queries, seed=seed)
        for name in filter(installed, GROWTH_BACKENDS):
            log.info("growth: %s at %d", name, n)
            tried = build_and_try(name, rows, ids, questions, metric="cosine", sweep=sweep)[1]
            trials += [one.to_dict() | {"n_jittered": jittered} for one in tried]
    title = f"growth: {reduced.shape[1]} components, cosine, k = {k}, real features then jittered"
    return {"title": title, "metric": "cosine", "trials": trials}


def frame(part: dict[str, Any]) -> pd.DataFrame:
    """The trials of one part as a table, a row a setting."""
    rows = [
        {
            "index": one["name"],
            "setting": _cell(one, "setting"),
            **{name: one[name] for name in one if name not in ("name", "params", "qps")},
            **{f"qps_{size}": rate for size, rate in one["qps"].items()},
        }
        for one in part["trials"]
    ]
    return pd.DataFrame(rows)


def reference_frame(part: dict[str, Any]) -> pd.DataFrame:
    """Plain scikit-learn as a table: metric, median milliseconds, queries a second."""
    return pd.DataFrame(
        [
            {"metric": one["metric"], "p50_ms": one["p50_ms"]}
            | {f"qps_{size}": rate for size, rate in one["qps"].items()}
            for one in part["reference"]
        ]
    )


def sizes(largest: int, *, smallest: int = 100, steps: int = 5) -> list[int]:
    """Up to ``steps`` gallery sizes in equal ratios, ``largest`` the last."""
    return np.unique(np.geomspace(min(smallest, largest), largest, steps).astype(int)).tolist()


def principal(features: np.ndarray, dims: int) -> np.ndarray:
    """(n, min(dims, dim)) float32: unit vectors on their directions of most energy."""
    units = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    _, axes = np.linalg.eigh((units.T @ units).astype(np.float64))
    return np.ascontiguousarray(units @ axes[:, ::-1][:, :dims].astype(np.float32))


def grown(features: np.ndarray, n: int, *, seed: int = 0) -> tuple[np.ndarray, int]:
    """``n`` rows made of real features, and of jittered copies once those are used up.

    A copy lies at half the median distance to a nearest neighbour from its original, in a
    random direction.

    Returns:
        (n, dim) float32, and how many of the rows are jittered.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(features))[: min(n, len(features))]
    extra = n - len(order)
    if extra <= 0:
        return np.ascontiguousarray(features[order]), 0
    ids, some = np.arange(len(features)).astype(str), order[:500]
    nearest = make_index("exact", metric="euclidean").fit(features, ids)
    away = nearest.search(features[some], 1, exclude=ids[some]).distances
    rows = np.empty((n, features.shape[1]), dtype=np.float32)
    rows[: len(order)] = features[order]
    rows[len(order) :] = features[rng.integers(len(features), size=extra)]
    scale = np.float32(0.5 * np.median(away) / np.sqrt(features.shape[1]))
    for start in range(len(order), n, 50_000):
        block = rows[start : start + 50_000]
        block += scale * rng.standard_normal(block.shape, dtype=np.float32)
    return rows, extra


def fashion_mnist(folder: Path = FASHION_MNIST) -> tuple[np.ndarray, np.ndarray]:
    """(60000, 784) training and (10000, 784) test images as float32.

    Raises:
        StorageError: Debian's package is not installed.
    """
    return _images(folder / "train-images-idx3-ubyte.gz"), _images(
        folder / "t10k-images-idx3-ubyte.gz"
    )


def _images(path: Path) -> np.ndarray:
    try:
        raw = gzip.decompress(path.read_bytes())
    except OSError as error:
        raise StorageError(
            "Fashion-MNIST as Debian installs it", str(error), "apt install dataset-fashion-mnist"
        ) from error
    # The idx header is 16 bytes: magic, count, height, width.
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784).astype(np.float32)


def measure_fashion_mnist(
    backends: Sequence[str] = BACKENDS, *, k: int, n_queries: int, seed: int
) -> dict[str, Any]:
    """Fashion-MNIST 784 Euclidean, the public benchmark's data and split."""
    train, test = fashion_mnist()
    ids = np.arange(len(train)).astype(str)
    queries = test[np.random.default_rng(seed).choice(len(test), n_queries, False)]
    exact = make_index("exact", metric="euclidean").fit(train, ids)
    questions = Questions(queries, None, k, exact.search(queries, k))
    title = f"Fashion-MNIST: {len(train):,} x 784, euclidean, k = {k}, queries from its test set"
    common = {"k": k, "n_queries": n_queries, "seed": seed, "questions": questions}
    return compare(train, ids, title, metric="euclidean", backends=backends, **common)


def machine() -> dict[str, str]:
    """Processor, cores and versions, as they stand beside every figure."""
    facts = {"processor": _processor(), "cores": str(os.cpu_count())}
    for package in _PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _ratios(part: dict[str, Any]) -> dict[str, float]:
    """How many times faster than plain scikit-learn, in this very run."""
    ratios = {}
    exact = next((one for one in part["trials"] if one["name"] == "exact"), None)
    good = [one for one in part["trials"] if one["recall"] >= 0.99 and one["name"] != "exact"]
    for plain in part["reference"]:
        against = f"than scikit-learn brute ({plain['metric']})"
        if exact:
            ratios[f"exact, one query, times faster {against}"] = plain["p50_ms"] / exact["p50_ms"]
            if 256 in exact["qps"] and 256 in plain["qps"]:
                ratio = exact["qps"][256] / plain["qps"][256]
                ratios[f"exact, batches of 256, times faster {against}"] = ratio
        if good:
            best = min(good, key=lambda one: one["p50_ms"])
            ratios[f"{best['name']} at recall {best['recall']:.4f}, times faster {against}"] = (
                plain["p50_ms"] / best["p50_ms"]
            )
    return {name: round(value, 2) for name, value in ratios.items()}


def _table(trials: Sequence[dict[str, Any]]) -> list[str]:
    header = [*_COLUMNS, *_COSTS]
    rows = [
        [_cell(trial, column) for column in header]
        for trial in sorted(trials, key=lambda one: (one["n"], one["name"], one["recall"]))
    ]
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in (header, *rows)
    ]


def _cell(trial: dict[str, Any], column: str) -> str:
    if column == "setting":
        return " ".join(f"{name}={value}" for name, value in trial["params"].items()) or "-"
    if column.startswith("qps "):
        return f"{trial['qps'].get(int(column[4:]), float('nan')):,.0f}"
    value = trial[column]
    return f"{value:,.4g}" if isinstance(value, float) else f"{value}"
