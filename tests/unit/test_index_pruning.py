"""Pruned exact search: what the bounds rule out is never among the nearest."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from fashify.index import load_index, make_index
from fashify.index.exact import pruning

N, DIM, K = 9_000, 64, 5
TURNED = np.linalg.qr(np.random.default_rng(0).normal(size=(DIM, DIM)))[0]


def photographs(n: int = N, seed: int = 0, scale: float = 1.0) -> np.ndarray:
    """(n, DIM) float32 with a few strong directions, as features of pictures have; the last
    40 rows are copies of the first."""
    rng = np.random.default_rng(seed)
    strength = 1 / (1 + np.arange(DIM)) ** 1.2
    features = 0.3 + rng.normal(size=(n, DIM)) * strength
    features = (scale * features @ TURNED).astype(np.float32)
    features[-40:] = features[0]
    return features


IDS = np.arange(N).astype(str)


def scanning(index):
    """The same index without its sketch."""
    other = copy.copy(index)
    other._structure = None
    return other


def same(index, queries, k=K, **options) -> None:
    mine = index.search(queries, k, **options)
    theirs = scanning(index).search(queries, k, **options)
    np.testing.assert_array_equal(mine.positions, theirs.positions)
    np.testing.assert_array_equal(mine.distances, theirs.distances)


@pytest.fixture(scope="module", params=["cosine", "euclidean"])
def index(request):
    fitted = make_index("exact", metric=request.param).fit(photographs(), IDS)
    assert fitted._structure is not None
    return fitted


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_the_answers_of_a_scan(metric, scale):
    fitted = make_index("exact", metric=metric).fit(photographs(scale=scale), IDS)
    assert fitted._structure is not None
    others = photographs(300, seed=5, scale=scale)
    queries = np.concatenate([fitted._gallery.base[:100], others, 40 * others[:9]])
    same(fitted, queries)
    same(fitted, queries[:1])
    same(fitted, queries[:20], k=100)
    same(fitted, queries[:3], k=pruning.FEWEST)


@pytest.fixture
def read(monkeypatch) -> list[int]:
    """How many rows each query has read in full so far."""
    counts, nearest = [], pruning._Full.nearest

    def counted(self, rows, slots, k, slack):
        counts.extend(np.bincount(rows, minlength=len(slack)).tolist())
        return nearest(self, rows, slots, k, slack)

    monkeypatch.setattr(pruning._Full, "nearest", counted)
    return counts


def test_rows_are_ruled_out(index, read):
    index.search(photographs(100, seed=3), K)
    assert len(read) == 100
    assert K <= np.mean(read) < 0.05 * N
    assert index._structure.rows.nbytes < 0.2 * index._gallery.base.nbytes


def test_exact_copies_beyond_k_go_by_position(index):
    found = index.search(index._gallery.base[:1], 8)
    np.testing.assert_array_equal(found.positions[0], [0, *range(N - 40, N - 33)])
    same(index, index._gallery.base[-2:], exclude=[IDS[0], {IDS[-1], IDS[-2]}])


@pytest.mark.parametrize("share", [0.9, 0.3, 0.05, 0.0005])
def test_filters(index, share):
    where = np.random.default_rng(1).random(N) < share
    same(index, photographs(70, seed=2), where=where, exclude=IDS[:70])


def test_zero_vector_distance():
    """The zero vector is at one from everything."""
    index = make_index("exact").fit(photographs(), IDS)
    queries = np.stack([np.zeros(DIM, np.float32), photographs(1, seed=4)[0]])
    same(index, queries)
    np.testing.assert_array_equal(index.search(queries, 2).distances[0], [1, 1])
    features = photographs()
    features[7] = 0
    assert make_index("exact").fit(features, IDS)._structure is None


def test_a_query_with_too_much_left_is_scanned(index, read, monkeypatch):
    queries = photographs(60, seed=6)
    index.search(queries, K)
    monkeypatch.setattr(pruning, "_MOST_LEFT", np.median(read) / N)
    _, given_up = pruning.search_pruned(
        index._gallery, index._structure, queries, K, metric=index.metric, allowed=None,
        excluded=(np.empty(0, np.int64), np.empty(0, np.int64)),
    )  # fmt: skip
    assert 10 < given_up.sum() < 50
    same(index, queries, exclude=IDS[:60])


def test_isotropic_vectors_scanned():
    """Vectors without main directions are scanned."""
    noise = np.random.default_rng(0).normal(size=(N, DIM)).astype(np.float32)
    assert make_index("exact").fit(noise, IDS)._structure is None
    assert make_index("exact").fit(photographs()[:100], IDS[:100])._structure is None


def test_the_sketch_survives_saving(tmp_path):
    index = make_index("exact").fit(photographs(), IDS)
    loaded = load_index(index.save(tmp_path), verify=True)
    assert loaded._structure.rows.shape == index._structure.rows.shape
    same(loaded, photographs(30, seed=7))
