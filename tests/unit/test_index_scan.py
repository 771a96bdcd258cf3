"""The exact scan against the definition, where single precision alone would go wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fashify.errors import ConfigError
from fashify.index import Neighbours, make_index, scan
from fashify.index.gallery import Gallery


def by_definition(queries, features, metric):
    """(q, n) float32 distances by direct difference in double precision."""
    queries, features = queries.astype(np.float64), features.astype(np.float64)
    if metric == "cosine":
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
        features = features / np.linalg.norm(features, axis=1, keepdims=True)
    squares = np.square(queries[:, None] - features[None]).sum(axis=2)
    return (np.sqrt(squares) if metric == "euclidean" else squares / 2).astype(np.float32)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("offset", [0, 1000])
def test_near_duplicates_far_from_the_origin(metric, offset):
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(500, 64)) + offset).astype(np.float32)
    features[250:] = features[:250] + rng.normal(scale=1e-3, size=(250, 64)).astype(np.float32)
    index = make_index("exact", metric=metric).fit(features, range(500))
    found = index.search(features, 4)
    table = by_definition(features, features, metric)
    order = np.argsort(table, axis=1, kind="stable")[:, :4]
    np.testing.assert_allclose(
        found.distances, np.take_along_axis(table, order, axis=1), rtol=1e-4, atol=1e-9
    )
    assert (found.distances[:, 0] < 1e-9).all()
    np.testing.assert_array_equal(found.positions[:, 0], np.arange(500))


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 90),
    dim=st.integers(1, 9),
    metric=st.sampled_from(["cosine", "euclidean"]),
    block=st.integers(3, 100),
)
@settings(max_examples=80, deadline=None)
def test_agrees_with_scikit_learn(seed, n, dim, metric, block):
    """Same ids as scikit-learn with ties filters and exclusion."""
    rng = np.random.default_rng(seed)
    features = rng.integers(-2, 3, size=(n, dim)).astype(np.float32)
    queries = features[rng.integers(n, size=5)]
    k = int(rng.integers(1, n + 1))
    options = {
        "where": rng.random(n) < rng.random(),
        "exclude": [rng.integers(n, size=3).astype(str).tolist() for _ in range(5)],
    }
    ids = np.arange(n).astype(str)
    answers = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "BLOCK_ROWS", block)
        for name in ("exact", "sklearn"):
            answers.append(
                make_index(name, metric=metric).fit(features, ids).search(queries, k, **options)
            )
    np.testing.assert_array_equal(answers[0].positions, answers[1].positions)
    np.testing.assert_array_equal(answers[0].distances, answers[1].distances)


def test_blocks_change_nothing(monkeypatch):
    """Blocks of queries and rows change nothing."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(700, 12)).astype(np.float32)
    index = make_index("exact").fit(features, range(700))
    whole = index.search(features, 6, exclude=list(range(700)))
    monkeypatch.setattr(scan, "BLOCK_ROWS", 64)
    monkeypatch.setattr("fashify.index.base.BLOCK_QUERIES", 50)
    parts = index.search(features, 6, exclude=list(range(700)))
    np.testing.assert_array_equal(whole.positions, parts.positions)
    np.testing.assert_array_equal(whole.distances, parts.distances)


def test_zero_vector_cosine_distance():
    """The zero vector is at cosine distance one."""
    features = np.array([[1, 0], [0, 0], [-1, 0]], dtype=np.float32)
    found = make_index("exact").fit(features, list("abc")).search(features[:2], 3)
    np.testing.assert_array_equal(found.distances, [[0, 1, 2], [1, 1, 1]])
    np.testing.assert_array_equal(found.positions, [[0, 1, 2], [0, 1, 2]])


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12])
def test_very_short_and_long_vectors(scale):
    features = (np.random.default_rng(2).normal(size=(50, 8)) * scale).astype(np.float32)
    for metric in ("cosine", "euclidean"):
        found = make_index("exact", metric=metric).fit(features, range(50)).search(features, 3)
        order = np.argsort(by_definition(features, features, metric), axis=1, kind="stable")
        np.testing.assert_array_equal(found.positions, order[:, :3])


def test_fit_keeps_float32():
    """Fit keeps float32 features without copying."""
    features = np.ones((5, 3), dtype=np.float32)
    assert Gallery.of(features, list("abcde")).base is features
    assert Gallery.of(features.astype(np.float16), list("abcde")).base.dtype == np.float32


@pytest.mark.parametrize(
    ("positions", "distances", "message"),
    [
        ([[0, 1]], [[1, 0.5]], "ascend"),
        ([[0, 1]], [[0.5, np.nan]], "ascend"),
        ([[0, 0]], [[0, 1]], "twice"),
        ([[0, -1]], [[0, 1]], "exactly where"),
        ([0, 1], [0, 1], "four"),
    ],
)
def test_neighbours_are_validated(positions, distances, message):
    with pytest.raises(ValueError, match=message):
        Neighbours(np.array(positions), np.array(distances), np.full(np.shape(positions), "a"))


def test_only_search_parameters_can_be_tuned():
    features = np.random.default_rng(3).normal(size=(300, 8)).astype(np.float32)
    pytest.importorskip("faiss")
    index = make_index("hnsw", ef_search=16).fit(features, range(300))
    wide = index.with_params(ef_search=300)
    exact = make_index("exact").fit(features, range(300))
    np.testing.assert_array_equal(
        wide.search(features, 5).positions, exact.search(features, 5).positions
    )
    assert index.params["ef_search"] == 16
    with pytest.raises(ConfigError, match="build another"):
        index.with_params(links=3)
