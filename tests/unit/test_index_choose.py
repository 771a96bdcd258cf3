"""Choosing and benchmarking: what is cheapest, said in one sentence, from real trials."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fashify.bench import choose
from fashify.bench import search as bench
from fashify.bench.choose import choose_index
from fashify.bench.trials import Questions, Trial, index_recall
from fashify.errors import ConfigError, StorageError
from fashify.index import make_index

N = 600


@pytest.fixture(scope="module")
def features() -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(12, 32))
    return (centres[rng.integers(12, size=N)] + 0.3 * rng.normal(size=(N, 32))).astype(np.float32)


IDS = np.arange(N).astype(str)


def trial(name: str, p50: float, recall: float, size: float = 100) -> Trial:
    numbers = {"build_s": 1.0, "open_ms": 1.0, "bytes_per_item": 5000.0, "batch_ms": {}}
    return Trial(
        name, name, "-", {}, 44_000, 1280, 5, **numbers, structure_bytes_per_item=size, p50_ms=p50,
        p95_ms=p50, p99_ms=p50, qps={1: 1000 / p50}, recall=recall,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("trials", "name", "reason"),
    [
        ([("exact", 2, 1), ("hnsw", 0.3, 1)], "exact", "nothing to gain from hnsw"),
        ([("exact", 2, 1), ("hnsw", 0.3, 0.9)], "exact", "2.00 ms a query; nothing to gain"),
        ([("exact", 80, 1), ("hnsw", 0.8, 0.995)], "hnsw", "100 times faster than exact"),
        ([("exact", 80, 1), ("hnsw", 86, 1, 10)], "hnsw", "1.1 times slower than exact"),
        ([("exact", 80, 1), ("hnsw", 0.8, 0.98)], "exact", "ms a query at recall 1.0000, 100 byt"),
        ([("exact", 80, 1), ("hnsw", 1.05, 1, 10), ("annoy", 1, 1, 20)], "hnsw", "10 bytes"),
        ([("hnsw", 1, 0.5), ("annoy", 9, 0.7)], "annoy", "none reached 0.99"),
    ],
)
def test_the_cheapest_that_finds_enough(trials, name, reason):
    measured = [trial(*one) for one in trials]
    best = choose._find_cheapest(measured, 0.99, 20)
    assert best.name == name
    assert reason in choose._explain_choice(best, measured, 0.99, 20)


def test_small_galleries_stay_exact(features):
    chosen = choose_index(features, IDS, n_queries=40, candidates=("exact", "sklearn"))
    assert chosen.index.name == "exact"
    assert chosen.reason.startswith("600 items: exact")
    assert {one.name for one in chosen.trials} == {"exact", "sklearn"}
    assert json.loads(json.dumps(chosen.to_dict()))["index"] == "exact"
    assert chosen.index.search(features[:1], 1).item_ids[0, 0] == "0"


def test_the_chosen_index_is_set_as_measured(features, monkeypatch):
    # 0 ms is never fast enough, so the sweep alone decides.
    pytest.importorskip("faiss")
    chosen = choose_index(
        features, IDS, n_queries=40, candidates=("hnsw",), fast_enough_ms=0, recall=0.99
    )
    best = next(one for one in chosen.trials if one.params == chosen.index.params)
    assert best.recall >= 0.99


def test_unknown_candidates_are_refused(features):
    with pytest.raises(ConfigError, match=r"choose from: .*exact"):
        choose_index(features, IDS, candidates=("exact", "nothing"))


def test_choose_index_answers_products_by_their_views(features):
    owners = np.repeat(np.arange(N // 3), 3)
    options = {"view_items": owners, "n_queries": 40, "candidates": ("exact", "sklearn")}
    chosen = choose_index(features, IDS[: N // 3], **options)
    assert len(chosen.index) == N // 3
    assert [trial.recall for trial in chosen.trials] == [1.0, 1.0]


def test_bench_search_of_a_store_with_views(features):
    store = SimpleNamespace(
        vectors=features, item_ids=IDS[: N // 2], view_items=np.repeat(np.arange(N // 2), 2)
    )
    options = {"parts": ["store"], "backends": ["exact", "milvus"], "n_queries": 20}
    part = bench.run(store, **options)["store"]
    assert [(one["name"], one["n"], one["recall"]) for one in part["trials"]] == [
        ("exact", N // 2, 1.0)
    ]


def test_recall_is_the_share_of_true_neighbours(features):
    questions = Questions.draw(features, IDS, metric="cosine", k=4, n=10)
    truth = questions.truth
    assert index_recall(truth, truth) == 1
    positions = truth.positions.copy()
    positions[:, 3] = -1
    distances = truth.distances.copy()
    distances[:, 3] = np.inf
    assert index_recall(replace(truth, positions=positions, distances=distances), truth) == 0.75
    exact = make_index("exact").fit(features, IDS)
    assert index_recall(questions.ask(exact), truth) == 1


def test_growth_is_real_first_and_jittered_after(features):
    rows, jittered = bench.grow_gallery(features, 400)
    assert (len(rows), jittered) == (400, 0)
    rows, jittered = bench.grow_gallery(features, 1500)
    assert (rows.shape, jittered) == ((1500, 32), 900)
    known = {row.tobytes() for row in features}
    assert sum(row.tobytes() in known for row in rows) == N
    again, _ = bench.grow_gallery(features, 1500)
    np.testing.assert_array_equal(rows, again)


def test_growth_is_measured(features):
    options = {"backends": ("exact", "sklearn"), "k": 3, "n_queries": 20, "seed": 0}
    part = bench.measure_growth(features, (300, 900), 8, sweep=False, **options)
    assert [(one["n"], one["label"], one["n_jittered"]) for one in part["trials"]] == [
        (300, "exact", 0),
        (300, "sklearn", 0),
        (900, "exact", 300),
        (900, "sklearn", 300),
    ]
    assert {(one["dim"], one["recall"]) for one in part["trials"]} == {(8, 1.0)}
    text = bench.Result(machine={}, growth=part).to_text()
    assert "time grows as" in text
    assert "of them jittered" in text


def test_curve_takes_fastest():
    """The curve takes the fastest that finds enough."""
    found = [(10, 1.0, 5.0), (10, 0.96, 2.0), (10, 0.5, 1.0), (20, 0.9, 3.0), (20, 0.8, 1.0)]
    trials = [trial("hnsw", p50, recall).to_dict() | {"n": n} for n, recall, p50 in found]
    assert list(bench.curve({"trials": trials})["p50_ms"]) == [2.0, 3.0]


def test_a_whole_run(features, tmp_path):
    result = bench.run(
        SimpleNamespace(vectors=features, item_ids=IDS, view_items=np.arange(N)),
        parts=("store", "growth"), backends=("exact", "sklearn"), k=5,
        n_queries=33, growth=(200, 400), growth_dims=8,
    )  # fmt: skip
    assert json.loads(json.dumps(result))["store"]["trials"]
    labels = {one["label"] for one in result["store"]["trials"]}
    assert labels == {"exact", "sklearn"}
    assert {one["recall"] for one in result["store"]["trials"] if one["name"] == "sklearn"} == {1}
    one = result["store"]["trials"][0]
    assert one["p50_ms"] <= one["p95_ms"] <= one["p99_ms"]
    assert list(one["batch_ms"]) == [32]
    assert one["batch_ms"][32] == sorted(one["batch_ms"][32])
    text = result.to_text()
    assert f"store: {N} x 32, cosine, k = 5" in text
    assert "scikit-learn, euclidean" in text
    assert re.search("exact, one query, times (faster|slower) than scikit-learn brute", text)


def test_ratios_say_which_way():
    """A ratio below 1 reads as slower and is turned about."""
    exact = {"name": "exact", "recall": 1, "p50_ms": 4, "qps": {256: 9000}}
    plain = {"metric": "cosine", "p50_ms": 2, "qps": {256: 3000}}
    assert bench._speed_ratios({"trials": [exact], "reference": [plain]}) == {
        "exact, one query, times slower than scikit-learn brute (cosine)": 2,
        "exact, batches of 256, times faster than scikit-learn brute (cosine)": 3,
    }


def test_milvus_measured_in_temporary_file(features):
    """Milvus is measured apart and leaves nothing."""
    pytest.importorskip("milvus_lite")
    part = bench.compare(features, IDS, "toy", metric="cosine", backends=("milvus",), n_queries=4)
    (one,) = part["trials"]
    assert one["recall"] == 1
    assert one["bytes_per_item"] > 4 * 32
    assert not Path(one["params"]["uri"]).exists()


@pytest.mark.parametrize("options", [{"parts": ("moon",)}, {"backends": ("moon",)}])
def test_unknown_parts_and_backends_are_refused(features, options):
    with pytest.raises(ConfigError, match="choose from"):
        bench.run(
            SimpleNamespace(vectors=features, item_ids=IDS, view_items=np.arange(N)), **options
        )


def test_a_store_is_needed_for_its_parts():
    with pytest.raises(ConfigError, match="a store for these parts"):
        bench.run(None, parts=("growth",), backends=("exact",))


def test_principal_components_keep_angles(features):
    reduced = bench.project_principal(features, 64)
    units = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(reduced @ reduced.T, units @ units.T, atol=1e-5)


def test_fashion_mnist_missing(tmp_path):
    with pytest.raises(StorageError, match="apt install dataset-fashion-mnist"):
        bench.load_fashion_mnist(tmp_path)


def test_fashion_mnist_as_debian_installs_it():
    if not bench.FASHION_MNIST.is_dir():
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    train, test = bench.load_fashion_mnist()
    assert (train.shape, test.shape, train.dtype) == ((60_000, 784), (10_000, 784), np.float32)
    assert (train.min(), train.max()) == (0, 255)
    found = bench.measure_fashion_mnist(
        train[:2000], test, n_queries=20, seed=0, backends=("exact",)
    )
    assert [one["k"] for one in found["trials"]] == [10]
    assert "20 queries from its test set" in found["title"]
