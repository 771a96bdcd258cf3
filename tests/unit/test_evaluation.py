"""Reports worked out by hand on a line of seven items, then the promises around them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fashify.catalogue.groups import SPLITS, split_by_group
from fashify.config import LEVELS
from fashify.errors import FashifyError, QueryError
from fashify.evaluation import (
    compare_levels,
    evaluate,
    evaluate_levels,
    example_rows,
    feature_norms,
    pca_spectrum,
    project,
)
from fashify.evaluation.search import choose_queries
from fashify.index import make_index
from fashify.store import FeatureStore

#: id, place on a line, label. By hand, the two nearest of each by Euclidean distance:
#: a0: a1 b0 | a1: a0 b0 | b0: a1 a2 | a2: b0 b1 | b1: a2 b0 | lone and "" are no queries.
LINE = [
    ("a0", 0.0, "a"),
    ("a1", 1.0, "a"),
    ("b0", 2.2, "b"),
    ("a2", 3.6, "a"),
    ("b1", 6.0, "b"),
    ("c0", 10.0, "c"),
    ("n0", 20.0, ""),
]


def store_of(features: np.ndarray, labels: list[str], item_ids: list[str]) -> FeatureStore:
    items = pd.DataFrame({"item_id": item_ids}).assign(**{level: "" for level in LEVELS})
    items["article_type"] = labels
    items["gender"] = "Men"
    return FeatureStore(
        features.astype(np.float32), item_ids, {"backbone": {"name": "toy"}}, items=items
    )


class Grouped(FeatureStore):
    """A store whose groups are set by hand; its split follows from them."""

    def __init__(self, store: FeatureStore, groups: np.ndarray) -> None:
        super().__init__(store.features, store.item_ids, store.meta, items=store.items)
        self.groups = np.asarray(groups)


@pytest.fixture
def line() -> FeatureStore:
    ids, places, labels = zip(*LINE, strict=True)
    features = np.stack([np.array(places), np.zeros(len(places))], axis=1)
    return store_of(features, list(labels), list(ids))


@pytest.fixture
def report(line):
    return evaluate(line, metric="euclidean", k=2)


def test_micro_and_macro_by_hand(report):
    # Precision@2: a0 1/2, a1 1/2, b0 0, a2 0, b1 1/2.
    assert report.queries.set_index("item_id")["precision"].to_dict() == {
        "a0": 0.5, "a1": 0.5, "b0": 0.0, "a2": 0.0, "b1": 0.5,
    }  # fmt: skip
    assert report.micro["precision"] == pytest.approx(1.5 / 5)
    # "a" alone has k + 1 items.
    assert report.macro["precision"] == pytest.approx(1 / 3)
    assert report.n_counted == 1


def test_macro_needs_large_category(line):
    """No macro mean without a category of k more."""
    report = evaluate(line, metric="euclidean", k=3)
    assert np.isnan(report.macro["precision"])
    assert "undefined macro (over 0 of 3 categories)" in report.summary
    assert json.loads(report.to_json())["macro"]["precision"] is None


def test_excluding_group_by_hand(line):
    """excluding_group leaves the query's group out by hand."""
    # a0 and a1 are variants. Apart, a0 is answered b0 a2 and a1 b0 a2: 1/2 each, 1 relevant.
    groups = np.array([1, 1, 2, 3, 4, 5, 6])
    excluding_group = evaluate(Grouped(line, groups), metric="euclidean", k=2).excluding_group
    assert excluding_group.answer("a0")["item_id"].tolist() == ["b0", "a2"]
    assert excluding_group.answer("a1")["item_id"].tolist() == ["b0", "a2"]
    assert excluding_group.queries.set_index("item_id")["recall"].to_dict() == {
        "a0": 1.0, "a1": 1.0, "b0": 0.0, "a2": 0.0, "b1": 1.0,
    }  # fmt: skip
    assert excluding_group.micro["chance"] == pytest.approx(
        (1 / 5 + 1 / 5 + 2 / 6 + 1 / 6 + 1 / 6) / 5
    )
    assert excluding_group.excluding_group is None
    assert excluding_group.facts["left_out"] == "the query's group"


def test_excluding_group_is_none_within_group(line):
    """excluding_group is None where no label leaves its group."""
    groups = np.array([1, 1, 2, 1, 2, 5, 6])
    report = evaluate(Grouped(line, groups), metric="euclidean", k=2)
    assert report.excluding_group is None
    assert report.micro["precision"] == pytest.approx(1.5 / 5)


def test_large_group_leaves_k():
    """A group larger than the depth still leaves k neighbours."""
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 0.01, (150, 4)) + 1, rng.normal(0, 1, (60, 4))])
    labels = ["x"] * 155 + ["y"] * 55
    ids = [f"i{n:03}" for n in range(210)]
    groups = np.r_[np.zeros(150, int), np.arange(1, 61)]
    excluding_group = evaluate(
        Grouped(store_of(features, labels, ids), groups), k=5, depth=20
    ).excluding_group
    first = excluding_group.neighbours[:150]
    assert not set(first.ravel()) & set(ids[:150])
    assert (first != "").all()
    # The definition, by distances to all others.
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    nearest = 150 + np.argsort(-(unit[:150] @ unit[150:].T), axis=1)[:, :5]
    np.testing.assert_array_equal(first, np.array(ids)[nearest])


def test_recall_chance_and_ceiling_by_hand(report):
    # Recall@2: each a has 2 others, each b has 1.
    assert report.micro["recall"] == pytest.approx((1 / 2 + 1 / 2 + 0 + 0 + 1) / 5)
    assert report.micro["hit_rate"] == pytest.approx(3 / 5)
    assert report.micro["chance"] == pytest.approx((3 * 2 / 6 + 2 * 1 / 6) / 5)
    assert report.micro["ceiling"] == pytest.approx((3 * 1 + 2 * 0.5) / 5)


def test_lone_queries_counted(report):
    """Lone and missing queries are counted not judged."""
    assert (report.n_gallery, report.n_asked, report.n_judged) == (7, 7, 5)
    assert (report.n_lone, report.n_missing) == (1, 1)


def test_table_holds_categories(report):
    """The table holds every category the largest first."""
    assert report.table["category"].tolist() == ["a", "b", "c"]
    assert report.table["n"].tolist() == [3, 2, 1]
    assert report.table["n_queries"].tolist() == [3, 2, 0]
    assert report.table["n_lone"].tolist() == [0, 0, 1]
    assert np.isnan(report.table["precision"].iloc[2])


def test_the_curve_and_the_confusion_by_hand(report):
    # At k = 1: a0 and a1 are each other's nearest, nobody else's nearest shares the label.
    assert report.curve["micro"].iloc[:2].tolist() == pytest.approx([2 / 5, 1.5 / 5])
    np.testing.assert_array_equal(report.confusion[:2, :2], [[2, 4], [3, 1]])
    assert report.confusions(1).iloc[0].to_dict() == pytest.approx(
        {"query": "a", "neighbour": "b", "count": 4, "share": 4 / 6}
    )


def test_best_and_worst_vary_categories(report):
    """Best and worst take different categories first."""
    # Average precision: a0 (1/1 + 2/3) / 2, b1 1/2.
    assert report.best(2)["item_id"].tolist() == ["a0", "b1"]
    assert set(report.worst(2)["item_id"]) == {"b0", "a2"}


def test_answer_names_hits(report):
    """An answer names neighbours with hit or miss."""
    answer = report.answer("a0")
    assert answer["item_id"].tolist() == ["a1", "b0"]
    assert answer["relevant"].tolist() == [True, False]
    np.testing.assert_allclose(answer["distance"], [1.0, 2.2], rtol=1e-6)


def test_distances_of_hits_and_misses_add_up(report):
    assert len(report.hit_distances) == 3
    assert len(report.miss_distances) == 7


def test_the_arrays_are_read_only(report):
    with pytest.raises(ValueError, match="read-only"):
        report.distances[0, 0] = 1


def test_json_has_no_number_json_does_not_know(report, tmp_path):
    text = report.to_json(tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text() == text + "\n"
    assert "NaN" not in text
    read = json.loads(text)
    assert read["micro"]["precision"] == pytest.approx(0.3)
    assert read["table"][2]["precision"] is None
    assert read["facts"]["index"] == {"name": "exact", "metric": "euclidean", "n": 7}


def test_the_summary_says_what_was_measured(report):
    low, high = report.intervals["micro"]["precision"]
    assert f"precision@2 0.300 [{low:.3f}, {high:.3f}] micro, 0.333" in report.summary
    assert "macro (over 1 of 3 categories); without the query's copies" in report.summary
    assert "1 lone and 1 without a label" in report.summary


def test_evaluation_excludes_self_by_id():
    """Self is left out by id even among exact duplicates."""
    features = np.tile([1.0, 2.0, 3.0], (4, 1))
    store = store_of(features, ["x", "x", "x", "y"], ["p", "q", "r", "s"])
    report = evaluate(store, k=3)
    for item_id in ("p", "q", "r"):
        found = report.answer(item_id)
        assert set(found["item_id"]) == {"p", "q", "r", "s"} - {item_id}
    assert report.micro["precision"] == pytest.approx(2 / 3)


def test_levels_share_one_search(line):
    """Levels come from one search and skip those without labels."""
    reports = evaluate_levels(line, k=2)
    assert list(reports) == ["gender", "article_type"]
    assert reports["gender"].micro["precision"] == 1.0
    table = compare_levels(reports)
    assert table["level"].tolist() == ["gender", "article_type"]
    assert table["queries"].tolist() == [7, 5]
    with pytest.raises(QueryError, match=r"'brand'\. Fix: choose from: gender, article_type"):
        reports["brand"]


def test_a_fitted_index_gives_the_same_report(line):
    fitted = make_index("exact", metric="euclidean").fit(line.features, line.item_ids)
    reference = evaluate(line, metric="euclidean", k=2)
    found = evaluate(line, index=fitted, k=2)
    pd.testing.assert_frame_equal(found.table, reference.table)


def test_an_index_of_other_items_is_refused(line):
    other = make_index("exact").fit(line.features, [f"x{n}" for n in range(7)])
    with pytest.raises(QueryError, match="other items"):
        evaluate(line, index=other)


def test_catalogue_labels_win(line, toy_catalogue):
    """Labels of a catalogue win over the store's."""
    # None of the store's ids is in the toy catalogue, so nothing is left to judge.
    with pytest.raises(QueryError, match="two gallery items share"):
        evaluate(line, toy_catalogue)


@pytest.mark.parametrize("k", [0, 7, -1])
def test_k_outside_the_gallery_is_refused(line, k):
    with pytest.raises(QueryError, match=f"k = {k}"):
        evaluate(line, k=k)


@pytest.mark.parametrize(("level", "words"), [("brand", "gender"), ("season", "no such labels")])
def test_unjudgeable_level_refused(line, level, words):
    """A level that cannot be judged is refused by name."""
    with pytest.raises(FashifyError, match=words):
        evaluate(line, level=level)


def test_a_sample_of_lone_queries_is_refused(line):
    only_lone = next(seed for seed in range(200) if choose_queries(np.arange(7), 1, seed)[0] == 5)
    with pytest.raises(QueryError, match="all lone"):
        evaluate(line, n_queries=1, seed=only_lone)


def test_queries_are_drawn_by_seed_and_reported():
    assert len(choose_queries(np.arange(10_000), None, 0)) == 10_000
    drawn = choose_queries(np.arange(44_441), None, 0)
    assert len(drawn) == 4_000
    assert len(np.unique(drawn)) == 4_000
    np.testing.assert_array_equal(drawn, choose_queries(np.arange(44_441), None, 0))
    assert not np.array_equal(drawn, choose_queries(np.arange(44_441), None, 1))
    with pytest.raises(QueryError, match="n_queries"):
        choose_queries(np.arange(10), 0, 0)


def test_split_asked_whole():
    """A split is asked whole and groups stay in it."""
    groups = np.random.default_rng(0).integers(0, 9_000, 20_000)
    parts = split_by_group(groups)
    asked = {name: choose_queries(parts, split=name) for name in SPLITS}
    assert len(np.unique(np.concatenate(list(asked.values())))) == 20_000
    assert not set(groups[asked["train"]]) & set(groups[asked["test"]])
    assert 2_500 < len(asked["test"]) < 3_500
    assert len(choose_queries(parts, 100, split="test")) == 100
    with pytest.raises(QueryError, match="split all, test, train, validation"):
        choose_queries(parts, split="holdout")


def test_an_empty_split_is_an_error(line):
    with pytest.raises(QueryError, match="items in the test split"):
        evaluate(Grouped(line, _group_in("train", 7)), split="test")


def _group_in(split: str, n: int) -> np.ndarray:
    groups = np.arange(500)
    return groups[split_by_group(groups) == split][:n]


def test_split_meets_whole_gallery(line):
    """The queries of a split meet the whole gallery."""
    groups = np.r_[_group_in("test", 2), _group_in("train", 5)]
    report = evaluate(Grouped(line, groups), metric="euclidean", k=2, split="test")
    assert report.queries["item_id"].tolist() == ["a0", "a1"]
    assert report.n_gallery == 7
    assert report.facts["split"] == "test"


def test_lone_levels_left_out(line):
    """Levels whose queries are all lone are left out unless asked for."""
    groups = np.r_[_group_in("train", 5), _group_in("test", 1), _group_in("train", 6)[5:]]
    reports = evaluate_levels(Grouped(line, groups), k=2, split="test")
    assert list(reports) == ["gender"]
    with pytest.raises(QueryError, match="all lone"):
        evaluate_levels(Grouped(line, groups), k=2, split="test", levels=["article_type"])


def test_raw_and_served_vectors_are_told_apart(line):
    class Turned(FeatureStore):
        vectors = property(lambda self: self.features[:, ::-1] * [-1, 1] + [0, 30])

    store = Turned(line.features, line.item_ids, {}, items=line.items)
    served, raw = (evaluate(store, vectors=name, k=2) for name in ("served", "raw"))
    assert (served.facts["vectors"], raw.facts["vectors"]) == ("served", "raw")
    assert not np.array_equal(served.distances, raw.distances)
    with pytest.raises(QueryError, match="served or raw"):
        evaluate(store, vectors="cooked")


def test_depth_is_cut_to_the_gallery_and_stated(report):
    assert report.depth == 6
    assert "MAP@6" in report.summary


def test_examples_pair_pictures_with_hit_or_miss(toy_catalogue):
    items = toy_catalogue.table[toy_catalogue.table["has_image"]]
    features = np.stack([toy_catalogue.image(i).mean((0, 1)) for i in items["item_id"]])
    store = FeatureStore(features.astype(np.float32), items["item_id"], {}, items=items)
    report = evaluate(store, toy_catalogue, k=3)
    ((query, found),) = example_rows(report, toy_catalogue, ["1"])
    assert query[0].shape == (80, 60, 3)
    assert query[1].startswith("Shirts")
    assert len(found) == 3
    # Item 6 is the byte-identical copy of item 1.
    assert found[0][1] == "Shirts\n0.000"
    assert found[0][2] is True


def test_pca_spectrum_finds_axes():
    """PCA spectrum finds the two axes that vary."""
    rng = np.random.default_rng(0)
    features = np.zeros((200, 10))
    features[:, 3], features[:, 7] = rng.normal(0, 3, 200), rng.normal(0, 1, 200)
    ratios = pca_spectrum(features, n_components=5)
    assert ratios[0] == pytest.approx(0.9, abs=0.03)
    assert ratios[:2].sum() == pytest.approx(1.0)


def test_map_separates_groups():
    """The map keeps two far groups apart and repeats itself."""
    rng = np.random.default_rng(0)
    groups = np.repeat([[10.0, 0, 0, 0], [0, 10.0, 0, 0]], 30, axis=0)
    features = groups + rng.normal(0, 0.1, groups.shape)
    drawn, places = project(features, n=40)
    again = project(features, n=40)[1]
    np.testing.assert_array_equal(places, again)
    assert drawn.shape == (40,)
    first = drawn < 30
    gap = np.linalg.norm(places[first].mean(0) - places[~first].mean(0))
    assert gap > 2 * np.linalg.norm(places[first] - places[first].mean(0), axis=1).mean()


def test_too_few_features_for_a_map_are_refused():
    with pytest.raises(QueryError, match="n >= 4"):
        project(np.zeros((3, 2)))


def test_norms():
    np.testing.assert_allclose(feature_norms([[3.0, 4.0], [0.0, 0.0]]), [5.0, 0.0])
