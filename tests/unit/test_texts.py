"""Judging what a gallery answers to texts: figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fashify import FeatureStore
from fashify.errors import CatalogueError, QueryError
from fashify.evaluation.text_gains import compare_texts, describe_gains
from fashify.evaluation.texts import TextQuery, _first_place, _judge, _precision, evaluate_texts


@pytest.fixture(scope="module")
def store() -> FeatureStore:
    """Twelve black shirts and ten white dresses."""
    kinds = [("Black", "Shirts", "Men")] * 12 + [("White", "Dresses", "Women")] * 10
    items = pd.DataFrame(kinds, columns=["base_colour", "article_type", "gender"])
    items["item_id"] = [f"i{row}" for row in range(22)]
    items["name"] = [f"Maker{row} {' '.join(kind)}" for row, kind in enumerate(kinds)]
    meta = {"backbone": {"name": "none", "dim": 2}}
    return FeatureStore(np.ones((22, 2), np.float32), items["item_id"], meta, items=items)


def test_place_with_ties() -> None:
    """One ahead, then three alike of which one is right: places 2, 3 or 4, 3 on average."""
    scores = np.array([9.0, 5, 5, 5, 1])
    assert _first_place(scores, np.array([2])) == 3
    assert _first_place(scores, np.array([0, 4])) == 1
    assert _first_place(scores, np.array([1, 3])) == 1 + 4 / 3


def test_precision_with_ties() -> None:
    """Of the first two the one is right, the other one of three alike of which one is right."""
    right = np.array([True, False, True, False, True])
    assert _precision(np.array([9.0, 5, 5, 5, 1]), right, 2) == pytest.approx((1 + 1 / 3) / 2)


def test_judge_a_name() -> None:
    scores = np.array([0.1, 0.9, 0.5])
    found = _judge(TextQuery("x", np.array([2])), lambda text: scores, np.ones(3, bool), ("mrr",))
    assert (found["recall@1"], found["recall@10"], found["mrr"]) == (False, True, 0.5)


def test_labels_and_attributes(store: FeatureStore) -> None:
    found = evaluate_texts(store, methods=("joined", "words", "filter"), progress=False)
    for protocol in ("labels: article_type", "labels: base_colour", "attributes"):
        for method in ("joined", "words", "filter"):
            assert found.value(protocol, method, "precision@10") == 1
    assert found.value("labels: base_colour", "chance", "precision@10") == pytest.approx(0.5)
    assert found.table["n"].tolist() == [2] * len(found.table)
    assert found.to_dict()["facts"]["n_gallery"] == 22


def test_names_beside_published_ranks(store: FeatureStore) -> None:
    table = pd.DataFrame({"query": ["Maker3 Black Shirts Men", "Maker15 White Dresses Women", "x"]})
    table["item_ids"] = ["i3", "i15 none", "elsewhere"]
    table["rank_model"] = [1, 101, 1]
    found = evaluate_texts(store, table, methods=("words",), progress=False)
    assert found.value("names", "words", "recall@1") == 1
    assert found.value("names", "model", "recall@10") == 0.5
    assert found.table["n"].tolist() == [2] * len(found.table)
    assert found.worst("names", "words", 1)["text"].iloc[0] in set(table["query"])


def test_paired_with_a_published_model(store: FeatureStore) -> None:
    """Of 16 names all are found first here, none by the model: a gain of 1, by no chance."""
    names = store.items["name"].iloc[:16]
    table = pd.DataFrame({"query": names, "item_ids": store.item_ids[:16], "rank_model": 101})
    found = evaluate_texts(store, table, methods=("words",), progress=False)
    gains = compare_texts(found, "model").set_index("measure")
    assert gains.loc["recall@10", "gain"] == 1
    assert gains.loc["recall@10", "p"] < 0.001
    assert gains["n"].tolist() == [16] * 3
    (said,) = describe_gains(compare_texts(found, "model"), "model", method="words")
    assert said.startswith("names, query by query over 16: recall@10 of words +1.000 [+1.000,")
    assert compare_texts(found, "another").empty


def test_held_out_names(store: FeatureStore) -> None:
    table = pd.DataFrame({"query": ["Maker3", "Maker15"], "item_ids": ["i3", "i15"]})
    part = np.arange(22) > 10
    found = evaluate_texts(store, table, held_out=part, methods=("words",), progress=False)
    held = found.table[found.table["protocol"] == "names, held out"]
    assert set(held["n"]) == {1}
    assert found.value("names, held out", "words", "recall@1") == 1


def test_refused(store: FeatureStore, tmp_path) -> None:
    with pytest.raises(QueryError, match="methods of"):
        evaluate_texts(store, methods=("magic",))
    with pytest.raises(QueryError, match="query, item_ids"):
        evaluate_texts(store, pd.DataFrame({"text": ["a"]}))
    with pytest.raises(QueryError, match="CSV"):
        evaluate_texts(store, tmp_path / "none.csv")
    with pytest.raises(CatalogueError, match="item_ids of the gallery"):
        evaluate_texts(store, pd.DataFrame({"query": ["a"], "item_ids": ["zz"]}), progress=False)
