"""Metric values worked out by hand, then checked against scikit-learn on random input."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, ndcg_score

from fashify import metrics
from fashify.errors import QueryError

# Seven items; "c" is lone, "" has no label.
LABELS = np.array(["a", "a", "a", "b", "b", "c", ""])
QUERIES = np.array([0, 3, 5, 6])
NEIGHBOURS = np.array([[1, 3, 2, 4], [0, 4, 1, 2], [0, 1, 2, 3], [5, 4, 3, -1]])
# Worked out by eye from the two arrays above.
RELEVANT = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], dtype=bool)
N_RELEVANT = np.array([2, 1, 0, 0])


def test_relevance_compares_labels():
    """Relevance compares labels and the missing label matches nothing."""
    found = metrics.relevance(LABELS, QUERIES, NEIGHBOURS)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, RELEVANT)


def test_missing_labels_not_relevant():
    """Two items without label are not relevant to each other."""
    labels = np.array(["", "", "a"])
    assert not metrics.relevance(labels, np.array([0]), np.array([[1, 2]])).any()


def test_count_relevant_excludes_query():
    """Count relevant leaves the query out and marks missing labels."""
    np.testing.assert_array_equal(metrics.count_relevant(LABELS, QUERIES), [2, 1, 0, -1])


def test_count_relevant_excludes_group():
    """Count relevant leaves the query's group out."""
    # Items 0 and 1 are one group, and 2 and 3, though of two labels; 6 has no label.
    groups = np.array([5, 5, 7, 7, 1, 2, 5])
    queries = np.array([0, 2, 3, 4, 6])
    np.testing.assert_array_equal(metrics.count_relevant(LABELS, queries, groups), [1, 2, 1, 1, -1])


def test_precision_at_k():
    np.testing.assert_allclose(metrics.precision_at_k(RELEVANT, 1), [1, 0, 0, 0])
    np.testing.assert_allclose(metrics.precision_at_k(RELEVANT, 3), [2 / 3, 1 / 3, 0, 0])


def test_recall_is_undefined_for_a_lone_query():
    np.testing.assert_allclose(
        metrics.recall_at_k(RELEVANT, N_RELEVANT, 2), [0.5, 1, np.nan, np.nan]
    )


def test_hit_rate():
    np.testing.assert_allclose(metrics.hit_rate_at_k(RELEVANT, 1), [1, 0, 0, 0])
    np.testing.assert_allclose(metrics.hit_rate_at_k(RELEVANT, 2), [1, 1, 0, 0])


def test_precision_curve_is_precision_at_every_k():
    np.testing.assert_allclose(metrics.precision_curve(RELEVANT, 4)[0], [1, 1 / 2, 2 / 3, 1 / 2])


def test_average_precision_by_hand():
    # Query 0: relevant at ranks 1 and 3 -> (1/1 + 2/3) / 2. Query 1: at rank 2 -> 1/2.
    found = metrics.average_precision(RELEVANT, N_RELEVANT)
    np.testing.assert_allclose(found, [(1 + 2 / 3) / 2, 0.5, np.nan, np.nan])


def test_average_precision_of_cut_list():
    """Average precision of a cut perfect list is one."""
    relevant = np.ones((1, 3), dtype=bool)
    assert metrics.average_precision(relevant, np.array([50]), depth=2)[0] == 1.0


def test_map_at_r_by_hand():
    # Query 0: R = 2, of ranks 1 and 2 only rank 1 is relevant -> (1/1) / 2. Query 1: R = 1 -> 0.
    np.testing.assert_allclose(metrics.map_at_r(RELEVANT, N_RELEVANT), [0.5, 0, np.nan, np.nan])


def test_map_at_r_of_the_papers_example_orders():
    # R = 4, d = 4: relevant at 1, 2, 4 -> (1 + 1 + 3/4) / 4.
    relevant = np.array([[1, 1, 0, 1]], dtype=bool)
    assert metrics.map_at_r(relevant, np.array([4]))[0] == pytest.approx(2.75 / 4)


def test_ndcg_by_hand():
    # Query 0, k = 3: 1/log2(2) + 1/log2(4) = 1.5 over 1 + 1/log2(3).
    found = metrics.ndcg_at_k(RELEVANT, N_RELEVANT, 3)
    np.testing.assert_allclose(found[:2], [1.5 / (1 + 1 / np.log2(3)), 1 / np.log2(3)])
    assert np.isnan(found[2:]).all()


def test_chance_level_and_ceiling():
    np.testing.assert_allclose(metrics.chance_level(N_RELEVANT, 6), [2 / 6, 1 / 6, 0, 0])
    left = np.array([4, 5, 6, 6])
    np.testing.assert_allclose(metrics.chance_level(N_RELEVANT, left), [2 / 4, 1 / 5, 0, 0])
    np.testing.assert_allclose(metrics.precision_ceiling(N_RELEVANT, 5), [0.4, 0.2, 0, 0])
    with pytest.raises(QueryError, match="2 items or more"):
        metrics.chance_level(N_RELEVANT, 0)


def test_micro_and_macro():
    """Micro weighs queries and macro weighs categories."""
    values, labels = np.array([1.0, 1.0, 1.0, 0.0, np.nan]), np.array(list("aaabb"))
    assert metrics.micro_mean(values) == pytest.approx(0.75)
    assert metrics.macro_mean(values, labels) == pytest.approx(0.5)


def test_means_of_nothing_are_undefined():
    assert np.isnan(metrics.micro_mean(np.array([np.nan])))
    assert np.isnan(metrics.macro_mean(np.array([np.nan]), np.array(["a"])))


def test_confusion_counts_pairs():
    """Confusion counts pairs and leaves missing labels out."""
    names, counts = metrics.confusion(LABELS, QUERIES, NEIGHBOURS)
    assert names.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(counts, [[2, 2, 0], [3, 1, 0], [3, 1, 0]])


@pytest.mark.parametrize("k", [0, 5])
def test_k_outside_the_list_is_refused(k):
    with pytest.raises(QueryError, match="1 <= k <= d"):
        metrics.precision_at_k(RELEVANT, k)


@pytest.fixture
def ranked():
    """60 queries whose full ranking of 25 items is relevant at random, none of them lone."""
    relevant = np.random.default_rng(3).random((60, 25)) < 0.3
    relevant[:, 7] = True
    return relevant, relevant.sum(axis=1)


def test_average_precision_reference(ranked):
    """Average precision agrees with scikit-learn."""
    relevant, n_relevant = ranked
    scores = -np.arange(relevant.shape[1])
    expected = [average_precision_score(row, scores) for row in relevant]
    np.testing.assert_allclose(metrics.average_precision(relevant, n_relevant), expected)


@pytest.mark.parametrize("k", [1, 5, 25])
def test_ndcg_agrees_with_scikit_learn(ranked, k):
    relevant, n_relevant = ranked
    scores = -np.arange(relevant.shape[1])[None]
    expected = [ndcg_score(row[None].astype(int), scores, k=k) for row in relevant]
    np.testing.assert_allclose(metrics.ndcg_at_k(relevant, n_relevant, k), expected)


def test_confusion_agrees_with_scikit_learn():
    rng = np.random.default_rng(5)
    labels = rng.choice(list("pqrs"), 40)
    queries, neighbours = np.arange(40), rng.integers(0, 40, (40, 3))
    _, counts = metrics.confusion(labels, queries, neighbours)
    expected = confusion_matrix(np.repeat(labels, 3), labels[neighbours].ravel())
    np.testing.assert_array_equal(counts, expected)


def test_precision_means_by_hand():
    """Precision means are micro and macro over what k others share."""
    labels = np.array(["a", "a", "a", "b", "b"])
    queries, near = np.array([0, 3]), np.array([[1, 2], [4, 0]])
    # a: 2 of 2, two others; b: 1 of 2, but one other only, so it is not in the macro mean.
    assert metrics.precision_means(labels, queries, near, 2) == (0.75, 1.0)
