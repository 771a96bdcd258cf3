"""The search benchmark: every backend swept on a store, on growing galleries, on Fashion-MNIST.

The way of ann-benchmarks (Aumüller, Bernhardsson and Faithfull, 2018): recall against queries
a second, parameters swept, everything on the same machine in the same run.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from fashify.bench.tables import (
    Result,
    compare_times,
    curve,
    fit_growth_rates,
    frame,
    machine,
    reference_frame,
)
from fashify.bench.trials import Questions, build_and_try, is_installed, measure_speeds
from fashify.bench.vectors import (
    FASHION_MNIST,
    grow_gallery,
    load_fashion_mnist,
    project_principal,
    sizes,
)
from fashify.errors import ConfigError, join_names
from fashify.index.registry import list_indexes, make_index

__all__ = [
    "BACKENDS",
    "FASHION_MNIST",
    "GROWTH",
    "PARTS",
    "Result",
    "compare",
    "curve",
    "fit_growth_rates",
    "frame",
    "grow_gallery",
    "load_fashion_mnist",
    "machine",
    "measure",
    "measure_fashion_mnist",
    "measure_growth",
    "needs_store",
    "project_principal",
    "reference_frame",
    "run",
    "sizes",
]

log = logging.getLogger(__name__)

PARTS = ("store", "growth", "fashion-mnist")
OF_STORE = frozenset({"store", "growth"})
BACKENDS = ("exact", "sklearn", "hnsw", "annoy", "milvus")
GROWTH_BACKENDS = ("exact", "hnsw")
GROWTH = (10_000, 30_000, 100_000, 300_000, 1_000_000)

#: Neighbours that the public ann-benchmarks plot of Fashion-MNIST asks for.
PUBLIC_K = 10

OnStep = Callable[[str], None]


class VectorSource(Protocol):
    """What is measured: a FeatureStore, or anything with its three arrays."""

    item_ids: np.ndarray

    @property
    def vectors(self) -> np.ndarray: ...
    @property
    def view_items(self) -> np.ndarray: ...


def run(
    store: VectorSource | None,
    *,
    parts: Sequence[str] = PARTS,
    metric: str = "cosine",
    k: int = 5,
    backends: Sequence[str] = BACKENDS,
    n_queries: int = 512,
    growth: Sequence[int] = GROWTH,
    growth_dims: int = 256,
    uri: str | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Result:
    """Measure search on a built store.

    Args:
        store: vectors (v, dim), item_ids (n,) and view_items (v,); None where no part of
            `OF_STORE` is asked for.
        parts: of `PARTS`: the store itself, growing galleries, Fashion-MNIST.
        metric: "cosine" or "euclidean", for the store. k: neighbours, except of Fashion-MNIST,
            which is asked for 10 as in the public benchmark.
        backends: which to measure; those not installed are left out.
        n_queries: gallery items that ask for their neighbours, themselves excluded.
        growth: gallery sizes, see `grow_gallery`. growth_dims: principal components kept for them.
        uri: of the Milvus to measure; by default one embedded in a temporary folder.
        seed: of the queries and of the growth.
        progress: show a bar of the indexes measured.

    Raises:
        ConfigError: an unknown part or backend. StorageError: Fashion-MNIST is asked for and
            not installed, or Milvus is away.
    """
    if needs_store(parts) and store is None:
        raise ConfigError("a store for these parts", "none", "give one, or ask for fashion-mnist")
    _check_known(backends, list_indexes(), "index")
    images = load_fashion_mnist() if "fashion-mnist" in parts else None
    common: dict[str, Any] = {"n_queries": n_queries, "seed": seed}
    result = Result(machine=machine())
    with _show_progress(parts, backends, growth, progress) as on_step:
        swept: dict[str, Any] = {"backends": backends, "uri": uri, "on_step": on_step}
        if store is not None and "store" in parts:
            part = measure_store(store, metric=metric, k=k, **swept, **common)
            result |= {"store": part, "ratios": _speed_ratios(part)}
        if store is not None and "growth" in parts:
            options = {
                "k": k,
                "on_step": on_step,
                "backends": _growing_backends(backends),
                **common,
            }
            result["growth"] = measure_growth(store.vectors, growth, growth_dims, **options)
        if images is not None:
            train, test = images
            result["fashion_mnist"] = measure_fashion_mnist(train, test, **swept, **common)
    missing = [name for name in backends if not is_installed(name)]
    if missing:
        result["skipped"] = [f"not installed: {', '.join(missing)}"]
    return result


def needs_store(parts: Sequence[str]) -> bool:
    """Whether any of ``parts`` is measured on a store.

    Raises:
        ConfigError: an unknown part.
    """
    _check_known(parts, PARTS, "part")
    return not OF_STORE.isdisjoint(parts)


def measure(
    data: str, store: VectorSource, *, metric: str, k: int, **options: Any
) -> dict[str, Any]:
    """One part by its name, "store" or "fashion-mnist", which has a metric and k of its own."""
    _check_known([data], ("store", "fashion-mnist"), "part")
    if data == "store":
        return measure_store(store, metric=metric, k=k, **options)
    train, test = load_fashion_mnist()
    return measure_fashion_mnist(train, test, **options)


def measure_store(store: VectorSource, *, metric: str, k: int, **options: Any) -> dict[str, Any]:
    """A store's own vectors, asked by its own items; options as for `compare`.

    Milvus, which holds one view per product, is left out where products have several.
    """
    features, item_ids = store.vectors, store.item_ids
    if len(features) > len(item_ids):
        backends = options.get("backends", BACKENDS)
        options |= {"backends": [name for name in backends if name != "milvus"]}
    title = f"store: {len(features):,} x {features.shape[1]}, {metric}, k = {k}"
    views = store.view_items
    return compare(features, item_ids, title, metric=metric, k=k, view_items=views, **options)


def compare(
    features: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    title: str,
    *,
    metric: str,
    view_items: np.ndarray | None = None,
    backends: Sequence[str] = BACKENDS,
    k: int = 5,
    n_queries: int = 512,
    seed: int = 0,
    questions: Questions | None = None,
    uri: str | None = None,
    on_step: OnStep = log.info,
) -> dict[str, Any]:
    """Sweep backends over one gallery, scikit-learn called plainly before them."""
    gallery: dict[str, Any] = {"metric": metric, "view_items": view_items}
    questions = questions or Questions.draw(
        features, item_ids, k=k, n=n_queries, seed=seed, **gallery
    )
    on_step("scikit-learn")
    plain = [reference(features, questions, one) for one in ("euclidean", "cosine")]
    trials = []
    for name in filter(is_installed, backends):
        on_step(name)
        with _temporary_milvus(name, uri) as placed:
            options = gallery | placed
            index, measured = build_and_try(name, features, item_ids, questions, **options)
            index.discard()
        trials += [one.to_dict() for one in measured]
    return {"title": title, "metric": metric, "trials": trials, "reference": plain}


def reference(features: np.ndarray, questions: Questions, metric: str) -> dict[str, Any]:
    """scikit-learn's brute force as a user would call it, without any of this package."""
    from sklearn.neighbors import NearestNeighbors

    brute = NearestNeighbors(algorithm="brute", metric=metric).fit(np.asarray(features))

    def answer(rows: slice) -> object:
        return brute.kneighbors(questions.queries[rows], questions.k)

    label = f"scikit-learn, {metric}"
    facts = {"label": label, "metric": metric, "setting": "plain", "recall": None}
    return facts | measure_speeds(answer, len(questions.queries))


def measure_growth(
    features: np.ndarray,
    sizes: Sequence[int],
    dims: int,
    *,
    backends: Sequence[str] = GROWTH_BACKENDS,
    k: int = 5,
    n_queries: int = 300,
    seed: int = 0,
    sweep: bool = True,
    on_step: OnStep = log.info,
) -> dict[str, Any]:
    """Cost against the size of the gallery; ``sweep`` tries several settings of each index."""
    trials = []
    reduced = project_principal(features, dims)
    for n in sizes:
        rows, jittered = grow_gallery(reduced, n, seed=seed)
        ids = np.arange(n).astype(str)
        questions = Questions.draw(rows, ids, metric="cosine", k=k, n=n_queries, seed=seed)
        for name in filter(is_installed, backends):
            on_step(f"{name} at {n:,}")
            tried = build_and_try(name, rows, ids, questions, metric="cosine", sweep=sweep)[1]
            trials += [one.to_dict() | {"n_jittered": jittered} for one in tried]
    title = f"growth: {reduced.shape[1]} components, cosine, k = {k}, real features then jittered"
    return {"title": title, "metric": "cosine", "trials": trials}


def measure_fashion_mnist(
    train: np.ndarray, test: np.ndarray, *, n_queries: int, seed: int, **options: Any
) -> dict[str, Any]:
    """Fashion-MNIST 784 Euclidean: the public benchmark's data, split and number of neighbours.

    Args:
        train, test: (n, 784) float32 as `load_fashion_mnist` gives. options: as for `compare`.
    """
    ids = np.arange(len(train)).astype(str)
    queries = test[np.random.default_rng(seed).choice(len(test), min(n_queries, len(test)), False)]
    exact = make_index("exact", metric="euclidean").fit(train, ids)
    questions = Questions(queries, None, PUBLIC_K, exact.search(queries, PUBLIC_K))
    title = f"Fashion-MNIST: {len(train):,} x {train.shape[1]}, euclidean, k = {PUBLIC_K}, "
    title += f"{len(queries):,} queries from its test set"
    return compare(train, ids, title, metric="euclidean", questions=questions, **options)


def _growing_backends(backends: Sequence[str]) -> list[str]:
    return [name for name in backends if name in GROWTH_BACKENDS]


def _check_known(wanted: Sequence[str], names: Sequence[str], what: str) -> None:
    unknown = [one for one in wanted if one not in names]
    if unknown:
        raise ConfigError(
            f"a known {what}", ", ".join(unknown), f"choose from: {join_names(names)}"
        )


@contextmanager
def _show_progress(
    parts: Sequence[str], backends: Sequence[str], growth: Sequence[int], progress: bool
) -> Iterator[OnStep]:
    """A bar of the indexes measured; what it gives names the one that comes next."""
    builds = 1 + len([*filter(is_installed, backends)])
    total = builds * len({"store", "fashion-mnist"} & set(parts))
    if "growth" in parts:
        total += len(growth) * len([*filter(is_installed, _growing_backends(backends))])
    with tqdm(total=total, unit="index", delay=1, disable=None if progress else True) as bar:
        begun = False

        def on_step(label: str) -> None:
            nonlocal begun
            bar.update(int(begun))
            begun = True
            bar.set_description(label)

        yield on_step
        bar.update(1)


@contextmanager
def _temporary_milvus(name: str, uri: str | None) -> Iterator[dict[str, Any]]:
    """Parameters of a Milvus collection in a temporary file, never the user's own."""
    if name != "milvus" or uri is not None:
        yield {"uri": uri} if name == "milvus" else {}
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield {"uri": f"{folder}/bench.db"}


def _speed_ratios(part: dict[str, Any]) -> dict[str, float]:
    """How many times faster, or slower, than plain scikit-learn, in this very run."""
    ratios = {}

    def add(what: str, plain: dict[str, Any], before: float, after: float) -> None:
        times, word = compare_times(before, after)
        name = f"{what}, {word} than scikit-learn brute ({plain['metric']})"
        ratios[name] = round(times, 2)

    exact = next((one for one in part["trials"] if one["name"] == "exact"), None)
    good = [one for one in part["trials"] if one["recall"] >= 0.99 and one["name"] != "exact"]
    for plain in part["reference"]:
        if exact:
            add("exact, one query", plain, plain["p50_ms"], exact["p50_ms"])
            if 256 in exact["qps"] and 256 in plain["qps"]:
                add("exact, batches of 256", plain, 1 / plain["qps"][256], 1 / exact["qps"][256])
        if good:
            best = min(good, key=lambda one: one["p50_ms"])
            what = f"{best['label']} at recall {best['recall']:.4f}"
            add(what, plain, plain["p50_ms"], best["p50_ms"])
    return ratios
