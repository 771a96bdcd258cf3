"""What others publish, worked out by hand on three queries of a gallery of twelve."""

from __future__ import annotations

import numpy as np
import pytest

from fashify import FeatureStore, evaluate, metrics
from fashify.evaluation.search import Searched
from fashify.evaluation.standard import tabulate_standard

#: Six shirts, four shoes, a watch alone, and an item without a label.
TYPES = np.array(["shirt"] * 6 + ["shoe"] * 4 + ["watch", ""])
BOTH = np.array([
    "shirt / red", "shirt / red", "shirt / blue", "shirt / blue", "shirt / red", "shirt / green",
    "shoe / red", "shoe / red", "shoe / red", "shoe / blue", "watch / red", "",
])  # fmt: skip

#: Queries 0 (a shirt), 6 (a shoe), 10 (the watch), with ten neighbours each.
QUERIES = np.array([0, 6, 10])
NEAR = np.array([
    [6, 1, 2, 7, 11, 3, 4, 5, 8, 9],
    [0, 1, 10, 2, 3, 7, 4, 5, 8, 9],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
])  # fmt: skip


def tabulate(left_out=None, near=NEAR, both=BOTH, groups=None):
    found = Searched(QUERIES, near, np.zeros(near.shape, np.float32), 0.0, {})
    groups = np.arange(12) if groups is None else groups
    return tabulate_standard(found, TYPES, both, groups, left_out, 0).set_index("measure")


def test_standard_measures_by_hand():
    """The watch is lone: the means are over queries 0 and 6."""
    found = tabulate()
    assert found["value"].to_dict() == pytest.approx(
        {
            "P@1": 0.0,  # a shoe before the shirt's five, a shirt before the shoe's three
            "P@10": (5 / 10 + 3 / 10) / 2,
            "hit rate@5": 1 / 2,  # the shoe's first relevant one is sixth
            "hit rate@10": 1.0,
            # Types of more than five products are shirts alone; its five nearest vote shoe,
            # shirt, shirt, shoe: two each, and the nearest is a shoe.
            "accuracy (1-NN)": 0.0,
            "accuracy (5-NN)": 0.0,
            # 0 is a red shirt: 1 and 4; 6 a red shoe: 7 and 8.
            "type and colour P@10": (2 / 10 + 2 / 10) / 2,
        }
    )
    assert found["n_queries"].to_dict() == {
        "P@1": 2, "P@10": 2, "hit rate@5": 2, "hit rate@10": 2,
        "accuracy (1-NN)": 1, "accuracy (5-NN)": 1, "type and colour P@10": 2,
    }  # fmt: skip
    assert (found["low"] <= found["value"])[:4].all()
    assert (found["value"] <= found["high"])[:4].all()


def test_knn_vote_takes_majority_then_nearest():
    near = np.array([[1, 6, 7, 2, 3], [7, 8, 0, 9, 1], [0, 1, 6, 7, 11]])
    votes = metrics.knn_accuracy(TYPES, np.array([0, 6, 9]), near, 5)
    # Three of five are shirts; three are shoes; two each, and the nearest is a shirt.
    assert votes.tolist() == [1, 1, 0]
    # With the first neighbour alone it is precision@1.
    relevant = metrics.relevance(TYPES, np.array([0, 6, 9]), near)
    one = metrics.knn_accuracy(TYPES, np.array([0, 6, 9]), near, 1)
    assert one.tolist() == metrics.precision_at_k(relevant, 1).tolist()
    # Nobody votes: neighbours without a label, or none at all.
    assert metrics.knn_accuracy(TYPES, np.array([0]), np.array([[11, -1]]), 2).tolist() == [0]


def test_categories_of_a_hundred_rule_accuracy():
    """Where one category has a hundred items, smaller ones do not count in accuracies."""
    labels = np.array(["many"] * 100 + ["few"] * 20)
    queries = np.array([0, 100])
    near = np.array([np.arange(1, 11), np.arange(10)])
    found = Searched(queries, near, np.zeros(near.shape, np.float32), 0.0, {})
    table = tabulate_standard(found, labels, None, np.arange(120), None, 0).set_index("measure")
    assert table.loc["accuracy (5-NN)", ["value", "n_queries"]].tolist() == [1, 1]
    assert table.loc["P@1", ["value", "n_queries"]].tolist() == [0.5, 2]


def test_rows_need_their_places():
    """Nothing is said of ten places where six were searched, or of colours without them."""
    assert list(tabulate(near=NEAR[:, :6], both=None).index) == [
        "P@1", "hit rate@5", "accuracy (1-NN)", "accuracy (5-NN)",
    ]  # fmt: skip


def test_variants_left_out_do_not_count_as_relevant():
    """Shoe 6 with its whole type as one group has nothing to find; shirt 0 stays."""
    groups = np.array([0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 7, 8])
    found = tabulate(left_out=groups, groups=groups)
    assert found.loc["P@10", ["value", "n_queries"]].tolist() == [0.5, 1]


def test_report_of_a_store_agrees_with_its_curve(sample_store):
    """P@1 and P@10 are the first and tenth point of the curve; one search, both views."""
    report = evaluate(sample_store, split="all")
    for view in (report, report.excluding_group):
        standard = view.standard.set_index("measure")["value"]
        curve = view.curve.set_index("k")["micro"]
        assert standard["P@1"] == pytest.approx(curve[1])
        assert standard["P@10"] == pytest.approx(curve[10])
        assert standard["hit rate@5"] == pytest.approx(view.micro["hit_rate"])
        assert 0 < standard["type and colour P@10"] < standard["P@10"]
    assert report.to_dict()["standard"][0]["measure"] == "P@1"
    assert "type and colour P@10" not in set(
        evaluate(sample_store, level="gender", split="all").standard["measure"]
    )


@pytest.fixture(scope="module")
def sample_store(tmp_path_factory) -> FeatureStore:
    """A drawn store of 60 products: three types, two colours, features that tell types a bit."""
    import pandas as pd

    from fashify.config import LEVELS

    rng = np.random.default_rng(3)
    kinds, paints = rng.integers(0, 3, 60), rng.integers(0, 2, 60)
    features = rng.normal(0, 1, (60, 8)).astype(np.float32)
    features[:, 0] += 2.0 * kinds
    ids = [f"i{n:02}" for n in range(60)]
    items = pd.DataFrame({"item_id": ids}).assign(**{level: "" for level in LEVELS})
    items["article_type"] = np.array(["shirt", "shoe", "bag"])[kinds]
    items["base_colour"] = np.array(["red", "blue"])[paints]
    items["gender"] = "Men"
    items.loc[0, "gender"] = items.loc[1, "gender"] = "Women"
    items["name"] = [f"piece {n // 2}" for n in range(60)]
    return FeatureStore(features, ids, {"backbone": {"name": "toy"}}, items=items)
