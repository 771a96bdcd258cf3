"""Learning on drawn vectors: every method, what it may not do, and the way into a store."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashify import verify_store
from fashify.errors import QueryError, StoreMismatchError
from fashify.features.colour import COLOUR_DIM
from fashify.heads.head import Head, unit_length
from fashify.index import Index
from fashify.learning import METHODS, Material, learn_head, train_head
from fashify.learning import methods as learning_heads
from fashify.learning.linear import fit_lda_part, fit_pca_part
from fashify.learning.losses import SCALE
from fashify.learning.network import SHARPNESS, sharpen_posterior
from fashify.learning.weights import choose_weights
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore

BACKBONE = {"name": "toy", "weights_hash": "0" * 64, "dim": 24}
TYPES, COLOURS = ("Shirts", "Shoes", "Bags"), ("Red", "Blue")


def drawn(n: int = 360, seed: int = 0, noise: float = 1.0) -> FeatureStore:
    """Types and colours hidden in noise; a third of the columns say nothing."""
    rng = np.random.default_rng(seed)
    types, colours = rng.integers(0, 3, n), rng.integers(0, 2, n)
    deep = rng.normal(size=(n, 24)).astype(np.float32) * noise
    deep[:, :3] += 1.5 * np.eye(3)[types]
    deep[:, 16:] *= 3
    colour = rng.random((n, COLOUR_DIM)).astype(np.float32)
    colour[:, :2] += np.eye(2, dtype=np.float32)[colours]
    items = pd.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(n)],
            "name": [f"thing {k}" for k in range(n)],
            "article_type": np.array(TYPES, object)[types],
            "base_colour": np.array(COLOURS, object)[colours],
            "gender": "Women",
        }
    )
    return FeatureStore(deep, items["item_id"], {"backbone": BACKBONE}, items=items, colour=colour)


@pytest.fixture(scope="module")
def material() -> Material:
    store = drawn()
    labels = {name: store.labels(name) for name in ("article_type", "base_colour", "gender")}
    split = np.array(["train"] * 240 + ["validation"] * 60 + ["test"] * 60)
    inputs = {"deep": unit_length(store.features), "colour": unit_length(store.colour)}
    return Material(inputs, labels, split, np.arange(len(store)))


@pytest.fixture(scope="module")
def heads(material) -> dict[str, Head]:
    """One trained head for each method, as tests come to ask for it."""

    class Trained(dict):
        def __missing__(self, method: str) -> Head:
            self[method] = train_head(material, BACKBONE, method=method)
            return self[method]

    return Trained()


def precision(vectors: np.ndarray, material: Material, level: str = "article_type") -> float:
    labels, rows = material.labels[level], material.rows("test")
    cosines = unit_length(vectors[rows]) @ unit_length(vectors).T
    cosines[np.arange(len(rows)), rows] = -9
    near = np.argsort(-cosines, axis=1)[:, :5]
    return float((labels[near] == labels[rows][:, None]).mean())


@pytest.mark.parametrize("adjusted", [0.0, 0.5, 1.0])
def test_posterior_sharpened(adjusted: float) -> None:
    """A posterior is sharpened and its prior taken back."""
    proxies, embedded = np.eye(2, dtype=np.float32), unit_length(np.array([[0.6, 0.5]], np.float32))
    found = sharpen_posterior("article_type", 0.5, proxies, np.array([90, 10]), adjusted)(embedded)
    prior = np.array([0.9, 0.1])
    odds = np.exp(SCALE * embedded.astype(float)) / prior**adjusted
    odds = odds**SHARPNESS
    np.testing.assert_allclose(found**2, odds / odds.sum(), rtol=1e-4)


def test_only_levels_with_two_classes_teach(material) -> None:
    assert material.find_teachable() == ("article_type", "base_colour")
    assert material.codes("gender")[1] == 1


def test_unseen_labels_are_no_class(material) -> None:
    """Labels unseen in training and missing ones are no class."""
    labels = material.labels["article_type"].copy()
    labels[0], labels[299] = "", "Hats"
    codes, n = Material(material.inputs, {"x": labels}, material.split, material.groups).codes("x")
    assert n == 3
    assert codes[0] == codes[299] == -1


def test_whitened_components(material) -> None:
    """Whitened components are uncorrelated and equally spread."""
    part = fit_pca_part("shape", material, ("deep",), 8, whiten=1.0)
    kernel, bias = part.layers[0]
    x = material.inputs["deep"][material.rows("train")] @ kernel + bias
    np.testing.assert_allclose(np.cov(x.T, bias=True), np.eye(8), atol=1e-3)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-4)


def test_discriminants_separate(material) -> None:
    """Discriminants separate what components do not."""
    lda = fit_lda_part("category", material, ("deep",), "article_type")
    assert lda.dim == 2
    raw = precision(material.inputs["deep"], material)
    assert precision(lda(material.inputs), material) > raw + 0.1
    with pytest.raises(QueryError, match="gender"):
        fit_lda_part("category", material, ("deep",), "gender")


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"none", "raw", "pca"}))
def test_learned_heads_find_both_labels_better(material, heads, method) -> None:
    head = heads[method]
    vectors = head(material.inputs["deep"], material.inputs["colour"])
    assert vectors.shape[1] <= 512
    assert sum(head.weights.values()) == pytest.approx(1)
    for level in ("article_type", "base_colour"):
        assert precision(vectors, material, level) > precision(
            material.inputs["deep"], material, level
        )
    assert head.provenance["method"] == method
    assert Head.from_bytes(head.to_bytes()).names == head.names


def test_the_same_seed_gives_the_same_head(material, heads) -> None:
    again = train_head(material, BACKBONE, method="softmax")
    assert again.to_bytes() == heads["softmax"].to_bytes()


def test_auto_without_labels_serves_raw_features(material) -> None:
    bare = Material(material.inputs, {}, material.split, material.groups)
    assert train_head(bare, BACKBONE, method="auto") is None
    assert train_head(bare, BACKBONE, method="pca").names == ("shape", "colour")
    with pytest.raises(QueryError, match="two classes"):
        train_head(bare, BACKBONE, method="lda")
    with pytest.raises(QueryError, match="a head of auto"):
        train_head(material, BACKBONE, method="magic")


@pytest.mark.parametrize("swapped", [False, True])
def test_auto_keeps_better_head(material, heads, monkeypatch, swapped) -> None:
    """Auto keeps the better head of few products."""
    names = ("lda", "softmax")
    worth = {name: choose_weights(heads[name].parts, material).worth for name in names}
    assert worth["lda"] != worth["softmax"]
    for name, source in zip(names, reversed(names) if swapped else names, strict=True):
        made = [(part, {}) for part in heads[source].parts[1:]]
        monkeypatch.setitem(METHODS, name, lambda *_, made=made: made)
    best = heads[max(worth, key=worth.get)]
    served = train_head(material, BACKBONE, method="auto")(*material.inputs.values())
    np.testing.assert_array_equal(served, best(*material.inputs.values()))
    monkeypatch.setattr(learning_heads, "FEW", 10)
    many = train_head(material, BACKBONE, method="auto")
    assert many.provenance["method"] == "softmax"


def test_weights_prefer_the_part_that_knows(material) -> None:
    good = fit_lda_part("good", material, ("deep",), "article_type")
    noise = fit_pca_part("noise", material, ("deep",), 3)
    only = Material(
        material.inputs,
        {"article_type": material.labels["article_type"]},
        material.split,
        material.groups,
    )
    chosen = choose_weights([noise, good], only)
    weights, measured = chosen.weights, chosen.measured
    assert weights["good"] > weights["noise"]
    assert measured["article_type"] > 0.6


@pytest.fixture(scope="module")
def taught(tmp_path_factory) -> FeatureStore:
    path = tmp_path_factory.mktemp("learned") / "store"
    drawn().save(path)
    return learn_head(path, method="lda")


def test_served_index_measures_strength(taught, tmp_path, monkeypatch) -> None:
    """The index that is served also measures the strength."""
    fitted, fit = [], Index.fit

    def counted(self: Index, *arrays: object, **options: object) -> Index:
        fitted.append(self.name)
        return fit(self, *arrays, **options)

    monkeypatch.setattr(Index, "fit", counted)
    for index in ("exact", "sklearn", None):
        drawn().save(tmp_path / str(index))
        again = learn_head(tmp_path / str(index), method="lda", index=index)
        assert again.strength.to_json() == taught.strength.to_json()
        assert (again.path / "index").exists() == (index is not None)
    assert fitted == ["exact", "exact", "sklearn", "exact"]


def test_a_store_is_served_through_its_head(taught) -> None:
    assert verify_store(taught.path) == []
    assert taught.vectors.shape == (360, taught.head.dim)
    np.testing.assert_array_equal(taught.features, drawn().features)
    retriever = Retriever.open(taught.path)
    assert retriever.parts == ("shape", "category", "colour")
    nearest = retriever.by_item("i0", 3)
    whole = sum(taught.head.weights[name] * part for name, part in nearest[0].parts.items())
    assert nearest[0].distance == pytest.approx(whole, abs=1e-5)
    assert 0 <= nearest[0].probability <= 1
    assert nearest[0].strength


def test_query_weights_reorder(taught) -> None:
    """Weights at query time reorder and tell their own distance."""
    retriever = Retriever.open(taught.path)
    by_colour = retriever.by_item("i0", 5, weights={"colour": 1})
    for match in by_colour:
        assert match.distance == pytest.approx(match.parts["colour"], abs=1e-5)
    assert [m.distance for m in by_colour] == sorted(m.distance for m in by_colour)
    with pytest.raises(QueryError, match="weights"):
        retriever.by_item("i0", 5, weights={"sleeve": 1})


def test_none_serves_raw_features_again(taught, tmp_path) -> None:
    path = tmp_path / "store"
    drawn().save(path)
    learn_head(path, method="lda")
    store = learn_head(path, method="none")
    assert store.head is None
    np.testing.assert_array_equal(store.vectors, store.features)
    with pytest.raises(QueryError, match="a store with a head"):
        Retriever.open(path).by_item("i0", 3, weights={"colour": 1})


def test_a_head_of_another_backbone_is_refused(taught, tmp_path) -> None:
    store = drawn()
    meta = {"backbone": {**BACKBONE, "weights_hash": "f" * 64}}
    other = FeatureStore(
        store.features, store.item_ids, meta, items=store.items, colour=store.colour,
        head=taught.head,
    )  # fmt: skip
    saved = other.save(tmp_path / "other")
    with pytest.raises(StoreMismatchError, match="weights_hash"):
        _ = saved.vectors
