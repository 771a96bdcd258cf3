"""Every index keeps the same promises, whichever backend answers."""

from __future__ import annotations

import json
import re
import resource
import sys

import numpy as np
import pytest

from fashify.errors import (
    ConfigError,
    FashifyError,
    IndexNotFittedError,
    MissingExtraError,
    QueryError,
    StoreCorruptError,
    StoreError,
    StoreMismatchError,
)
from fashify.index import list_indexes, load_index, make_index
from fashify.index.exact import pruning

N, DIM, K = 240, 16, 5
METRICS = ("cosine", "euclidean")
OPTIONAL = {"annoy": "annoy", "hnsw": "faiss", "milvus": "milvus_lite"}

#: Milvus as everybody else has it: a server in another process.
TCP = "milvus over TCP"

#: Exact search as it is in a gallery large enough for a sketch.
PRUNED = "exact, pruned"


def drawn(n: int = N, dim: int = DIM, seed: int = 0) -> np.ndarray:
    """(n, dim) float32 in clusters; rows 20 to 24 are exact copies of row 3."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(8, dim))
    features = centres[rng.integers(8, size=n)] + 0.4 * rng.normal(size=(n, dim))
    features = (features * rng.uniform(0.5, 2, size=(n, 1))).astype(np.float32)
    features[20:25] = features[3]
    return features


def by_hand(queries: np.ndarray, features: np.ndarray, metric: str) -> np.ndarray:
    """(q, n) distances from the definitions, in double precision."""
    queries, features = queries.astype(np.float64), features.astype(np.float64)
    if metric == "euclidean":
        return np.linalg.norm(queries[:, None] - features[None], axis=2)
    units = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (queries, features)]
    return 1 - units[0] @ units[1].T


FEATURES = drawn()
IDS = [f"item-{number}" for number in range(N)]


@pytest.fixture(params=[*list_indexes(), TCP, PRUNED])
def case(request) -> str:
    return request.param


@pytest.fixture
def name(case, request, tmp_path_factory, monkeypatch) -> str:
    """Of the backend; its collections are on a server or in a file, as the case says."""
    if case == TCP:
        monkeypatch.setenv("FASHIFY_MILVUS_URI", request.getfixturevalue("milvus_server"))
        return "milvus"
    if case == PRUNED:
        for limit, value in {"FEWEST": 1, "LARGEST_SHARE": 0.7, "_WORTH": 1e9}.items():
            monkeypatch.setattr(pruning, limit, value)
        return "exact"
    if case in OPTIONAL:
        pytest.importorskip(OPTIONAL[case])
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    return case


@pytest.fixture(params=METRICS)
def metric(request) -> str:
    return request.param


@pytest.fixture
def index(name, metric):
    """One to change."""
    return make_index(name, metric=metric).fit(FEATURES, IDS)


@pytest.fixture(scope="module")
def shared() -> dict:
    return {}


@pytest.fixture
def fitted(case, name, metric, shared):
    """One that all tests share and none changes."""
    if (case, metric) not in shared:
        shared[case, metric] = make_index(name, metric=metric).fit(FEATURES, IDS)
    return shared[case, metric]


def same(left, right) -> None:
    np.testing.assert_array_equal(left.positions, right.positions)
    np.testing.assert_allclose(left.distances, right.distances, atol=1e-6)
    np.testing.assert_array_equal(left.item_ids, right.item_ids)


def test_shapes_and_dtypes(fitted):
    found = fitted.search(FEATURES[:7], K)
    assert found.positions.shape == found.distances.shape == found.item_ids.shape == (7, K)
    assert found.positions.dtype == np.int64
    assert found.distances.dtype == np.float32
    assert found.item_ids.dtype.kind == "U"
    assert (fitted.name in list_indexes(), len(fitted), fitted.dim) == (True, N, DIM)
    np.testing.assert_array_equal(fitted.item_ids, IDS)


def test_nearest_by_definition(fitted, metric):
    found = fitted.search(FEATURES[:40], K)
    table = by_hand(FEATURES[:40], FEATURES, metric)
    expected = np.sort(table, axis=1)[:, :K]
    np.testing.assert_allclose(found.distances, expected, atol=2e-6)
    np.testing.assert_allclose(
        np.take_along_axis(table, found.positions, axis=1), found.distances, atol=2e-6
    )


def test_distances_ascend_and_ties_go_by_position(fitted):
    found = fitted.search(FEATURES[3:4], 6)
    np.testing.assert_array_equal(found.positions[0], [3, 20, 21, 22, 23, 24])
    np.testing.assert_allclose(found.distances[0], 0, atol=1e-6)
    assert np.all(np.diff(fitted.search(FEATURES, K).distances, axis=1) >= 0)


def test_search_excludes_self_by_id(fitted):
    """Self is excluded by id even among duplicates."""
    rows = [3, 20, 22, 24, 50]
    found = fitted.search(FEATURES[rows], K, exclude=[IDS[row] for row in rows])
    assert all(IDS[row] not in ids for row, ids in zip(rows, found.item_ids, strict=True))
    np.testing.assert_array_equal(found.positions[0], [20, 21, 22, 23, 24])
    np.testing.assert_array_equal(found.positions[1], [3, 21, 22, 23, 24])


def test_several_none_and_unknown_ids_excluded(fitted):
    exclude = [{IDS[3], IDS[20]}, None, "not in the index"]
    found = fitted.search(FEATURES[[3, 3, 3]], 4, exclude=exclude)
    np.testing.assert_array_equal(found.positions[0], [21, 22, 23, 24])
    np.testing.assert_array_equal(found.positions[1:], [[3, 20, 21, 22]] * 2)


def test_where_is_applied_before_ranking(fitted, metric):
    where = np.arange(N) % 7 == 2
    found = fitted.search(FEATURES[:9], K, where=where)
    table = np.where(where, by_hand(FEATURES[:9], FEATURES, metric), np.inf)
    np.testing.assert_allclose(found.distances, np.sort(table, axis=1)[:, :K], atol=2e-6)
    assert where[found.positions].all()


def test_fewer_left_than_asked(fitted):
    where = np.zeros(N, dtype=bool)
    where[[3, 40]] = True
    found = fitted.search(FEATURES[[3, 9]], K, where=where, exclude=[IDS[3], None])
    np.testing.assert_array_equal(found.found, [1, 2])
    np.testing.assert_array_equal(found.positions[0], [40, -1, -1, -1, -1])
    assert np.isinf(found.distances[0, 1:]).all()
    assert (found.item_ids[0, 1:] == "").all()
    nothing = fitted.search(FEATURES[:2], K, where=np.zeros(N, dtype=bool))
    assert (nothing.positions == -1).all()


def test_all_items_may_be_asked_for(name, metric):
    index = make_index(name, metric=metric).fit(FEATURES[:30], IDS[:30])
    found = index.search(FEATURES[:2], 30)
    np.testing.assert_array_equal(np.sort(found.positions, axis=1), [np.arange(30)] * 2)


@pytest.mark.parametrize("k", [0, -1, N + 1, 2.5, True, None])
def test_k_out_of_range(fitted, k):
    with pytest.raises(QueryError, match="k as a whole number from 1 to 240"):
        fitted.search(FEATURES[:1], k)


@pytest.mark.parametrize(
    "queries",
    [FEATURES[0], FEATURES[:2, :3], np.full((1, DIM), np.nan), np.array([["a"] * DIM])],
    ids=["one-dimensional", "wrong-dim", "nan", "text"],
)
def test_unusable_queries(fitted, queries):
    with pytest.raises(QueryError):
        fitted.search(queries, K)


def test_no_queries_no_rows(fitted):
    assert fitted.search(np.empty((0, DIM), dtype=np.float32), K).positions.shape == (0, K)


@pytest.mark.parametrize(
    "options",
    [
        {"exclude": "item-3"},
        {"exclude": ["item-3"]},
        {"where": [0, 1]},
        {"where": np.ones(N)},
        {"where": np.ones(N - 1, dtype=bool)},
    ],
    ids=["str", "short", "list", "numbers", "short-mask"],
)
def test_unusable_options(fitted, options):
    with pytest.raises(QueryError):
        fitted.search(FEATURES[:2], K, **options)


def test_before_fit(name, tmp_path):
    index = make_index(name)
    for call in (
        lambda: index.search(FEATURES[:1], K),
        lambda: index.save(tmp_path),
        lambda: index.item_ids,
    ):
        with pytest.raises(IndexNotFittedError):
            call()
    assert len(index) == 0


def _with(row: int, value: float) -> np.ndarray:
    features = FEATURES.copy()
    features[row, 1] = value
    return features


@pytest.mark.parametrize(
    ("features", "ids"),
    [
        (_with(7, np.nan), IDS),
        (_with(7, np.inf), IDS),
        (_with(7, 1e30), IDS),
        (FEATURES[:0], []),
        (FEATURES[:, :0], IDS),
        (FEATURES, IDS[:-1]),
        (FEATURES, [*IDS[:-1], IDS[0]]),
        (FEATURES, [*IDS[:-1], ""]),
    ],
    ids=["nan", "inf", "overflow", "empty", "no-dim", "few-ids", "duplicate", "empty-id"],
)
def test_a_failed_fit_leaves_the_old_index_usable(index, features, ids):
    before = index.search(FEATURES[:3], K)
    with pytest.raises(QueryError):
        index.fit(features, ids)
    same(index.search(FEATURES[:3], K), before)


def test_inputs_are_not_changed(name, metric):
    features, queries, ids = FEATURES.copy(), FEATURES[:9].copy(), list(IDS)
    for array in (features, queries):
        array.flags.writeable = False
    index = make_index(name, metric=metric).fit(features, ids)
    index.search(queries, K, exclude=ids[:9])
    assert ids == IDS
    np.testing.assert_array_equal(features, FEATURES)


def test_result_is_read_only(fitted):
    found = fitted.search(FEATURES[:1], K)
    for array in (found.positions, found.distances, found.item_ids):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = array[0, 1]


def test_a_batch_of_one_equals_its_row(fitted):
    batch = fitted.search(FEATURES[:30], K, exclude=IDS[:30])
    for row in (0, 3, 29):
        one = fitted.search(FEATURES[row : row + 1], K, exclude=[IDS[row]])
        np.testing.assert_array_equal(one.positions[0], batch.positions[row])
        np.testing.assert_array_equal(one.distances[0], batch.distances[row])


def test_features_of_items_come_back_as_they_are(fitted):
    some = [IDS[-1], IDS[0], IDS[5]]
    found = fitted.vectors_of(some)
    np.testing.assert_array_equal(found, FEATURES[[IDS.index(item) for item in some]])
    with pytest.raises(QueryError, match="unknown"):
        fitted.vectors_of(["nothing"])


def test_views_answer_by_nearest(name, metric):
    """Views 0, 1 and 2 are the first product's, 3 and 4 the second's, and so on in turn."""
    if name == "milvus":
        with pytest.raises(QueryError, match="one view each"):
            make_index(name).fit(FEATURES[:3], ["a", "b"], view_items=[0, 0, 1])
        return
    owners = np.repeat(np.arange(N), np.resize([3, 2, 1], N))[:N]
    ids = IDS[: owners[-1] + 1]
    index = make_index(name, metric=metric).fit(FEATURES, ids, view_items=owners)
    plain = make_index("exact", metric=metric).fit(FEATURES, IDS)
    where = np.arange(len(ids)) % 3 != 1
    for options in ({}, {"exclude": ids[:9]}, {"where": where}):
        found = index.search(FEATURES[:9], K, **options)
        views = plain.search(FEATURES[:9], N)
        for row in range(9):
            left_out = {ids[row]} if "exclude" in options else set()
            nearest: dict[int, int] = {}
            for view in views.positions[row]:
                owner = int(owners[view])
                if ids[owner] not in left_out and ("where" not in options or where[owner]):
                    nearest.setdefault(owner, int(view))
            assert found.positions[row].tolist() == list(nearest)[:K]
            assert found.views[row].tolist() == list(nearest.values())[:K]
            assert found.item_ids[row].tolist() == [ids[owner] for owner in list(nearest)[:K]]
    for bad in (owners[::-1], owners[:-1], owners + 1):
        with pytest.raises(QueryError, match="product of each"):
            index.fit(FEATURES, ids, view_items=bad)


def test_views_survive_saving(name, tmp_path):
    if name == "milvus":
        pytest.skip("a collection holds one view a product")
    owners = np.arange(N) // 2
    index = make_index(name).fit(FEATURES, IDS[: owners[-1] + 1], view_items=owners)
    before = index.search(FEATURES[:9], K)
    after = load_index(index.save(tmp_path / "index")).search(FEATURES[:9], K)
    same(after, before)
    np.testing.assert_array_equal(after.views, before.views)


def test_save_and_load_give_the_same_answer(fitted, tmp_path):
    before = fitted.search(FEATURES[:20], K)
    loaded = load_index(fitted.save(tmp_path / "index"), verify=True)
    assert (type(loaded), loaded.metric, loaded.params) == (
        type(fitted),
        fitted.metric,
        fitted.params,
    )
    same(loaded.search(FEATURES[:20], K), before)
    same(type(fitted).load(tmp_path / "index").search(FEATURES[:20], K), before)


def test_features_can_stay_in_the_store(fitted, name, tmp_path):
    if name == "milvus":
        pytest.skip("a collection holds its own vectors")
    before = fitted.search(FEATURES[:20], K)
    fitted.save(tmp_path, column="a" * 64)
    assert not (tmp_path / "features.npy").exists()
    loaded = load_index(tmp_path, features=FEATURES, column="a" * 64)
    same(loaded.search(FEATURES[:20], K), before)
    with pytest.raises(StoreMismatchError, match="saved without them"):
        load_index(tmp_path)
    with pytest.raises(StoreMismatchError, match="others"):
        load_index(tmp_path, features=FEATURES[::-1], column="b" * 64)
    with pytest.raises(StoreMismatchError, match="others"):
        load_index(tmp_path, features=FEATURES[1:])


def test_saving_again_leaves_no_old_files(fitted, tmp_path):
    fitted.save(tmp_path)
    count = len(list(tmp_path.iterdir()))
    fitted.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == count
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".pkl", ".joblib")]


def test_every_file_is_checked(fitted, tmp_path):
    fitted.save(tmp_path)
    files = json.loads((tmp_path / "manifest.json").read_text())["files"]
    for file in files:
        path = tmp_path / file
        good = path.read_bytes()
        for bad in (good[:-1], good[:-1] + bytes([good[-1] ^ 1])):
            path.write_bytes(bad)
            with pytest.raises(StoreCorruptError, match="as it was written"):
                load_index(tmp_path, verify=True)
        path.unlink()
        with pytest.raises(StoreCorruptError, match="missing"):
            load_index(tmp_path)
        path.write_bytes(good)
    same(load_index(tmp_path).search(FEATURES[:3], K), fitted.search(FEATURES[:3], K))


def test_other_files_are_refused(fitted, tmp_path):
    with pytest.raises(StoreError):
        load_index(tmp_path / "nothing")
    manifest = fitted.save(tmp_path) / "manifest.json"
    facts = json.loads(manifest.read_text())
    other = "sklearn" if fitted.name == "exact" else "exact"
    with pytest.raises(StoreMismatchError, match=f"backend '{other}'"):
        type(make_index(other)).load(tmp_path)
    for text, error in (
        (json.dumps(facts | {"version": 99}), StoreMismatchError),
        (json.dumps(facts | {"format": "else"}), StoreMismatchError),
        (json.dumps(facts | {"backend": "else"}), StoreCorruptError),
        (json.dumps(facts)[:-20], StoreCorruptError),
        (json.dumps(facts | {"files": {}}), (StoreCorruptError, StoreMismatchError)),
    ):
        manifest.write_text(text)
        with pytest.raises(error) as caught:
            load_index(tmp_path)
        assert isinstance(caught.value, FashifyError)


def test_a_full_disk_leaves_the_index_before(index, name, tmp_path):
    if name == "milvus":
        pytest.skip("what is written here is smaller than any disk")
    index.save(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    answer = index.search(FEATURES[:9], K)
    index.fit(FEATURES[::-1], IDS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        with pytest.raises(StoreError, match="a place to write"):
            index.save(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    same(load_index(tmp_path, verify=True).search(FEATURES[:9], K), answer)


@pytest.mark.parametrize(
    ("name", "module"), [("annoy", "annoy"), ("hnsw", "faiss"), ("milvus", "pymilvus")]
)
def test_missing_package_names_install(name, module, monkeypatch):
    """A missing package is named with its install line."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=re.escape(f"fashify[{name}]")):
        make_index(name)


def test_unknown_names_and_parameters(name):
    with pytest.raises(ConfigError, match=f"choose from: .*{name}"):
        make_index("nothing")
    with pytest.raises(ConfigError, match="cosine, euclidean"):
        make_index(name, metric="manhattan")
    with pytest.raises(ConfigError, match="parameter of the"):
        make_index(name, no_such_parameter=1)
