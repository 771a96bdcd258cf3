"""Milvus embedded and over TCP: filters on the server, sync, resuming, and a server that is away.

The server is Milvus Lite's own, bound to the loopback address. It speaks the protocol of a
cluster, so this proves the client's side: schema, batches, expressions, swaps, errors. It
does not prove how a real cluster indexes, replicates or loads.
"""

from __future__ import annotations

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from milvus_server import MilvusServer, free_port

from fashify.errors import ConfigError, QueryError, StorageError, StoreMismatchError
from fashify.index import load_index, make_index
from fashify.index.filters.filter import Filter
from fashify.index.milvus.expressions import expression_of

pytest.importorskip("milvus_lite")
pytest.importorskip("pymilvus")

N, DIM = 300, 24


def store_of(n: int = N, seed: int = 0) -> SimpleNamespace:
    """Features, ids and catalogue rows, as a FeatureStore has them."""
    rng = np.random.default_rng(seed)
    items = pd.DataFrame(
        {
            "item_id": [f"item-{number}" for number in range(n)],
            "gender": rng.choice(["Men", "Women", "Unisex"], n),
            "article_type": rng.choice(["Shirts", "Bath and Body", 'a "quoted" one', ""], n),
            "base_colour": rng.choice(["Black", "Red"], n),
            "year": pd.array(rng.choice([2010, 2012, None], n), dtype="Int64"),
            "name": "not a filter column",
        }
    )
    features = rng.normal(size=(n, DIM)).astype(np.float32)
    ids = items.item_id.to_numpy(str)
    return SimpleNamespace(vectors=features, item_ids=ids, items=items, view_items=np.arange(n))


@pytest.fixture(scope="module", params=["embedded", "tcp"])
def uri(request, tmp_path_factory) -> str:
    if request.param == "tcp":
        return request.getfixturevalue("milvus_server")
    return str(tmp_path_factory.mktemp("lite") / "milvus.db")


def agrees(index, store, **options) -> None:
    """The same answers as an exact index over the store."""
    exact = make_index("exact", metric=index.metric).fit(store.vectors, store.item_ids)
    queries = store.vectors[:20]
    mine = index.search(queries, 5, **options)
    if "where" in options and not isinstance(options["where"], np.ndarray):
        options["where"] = Filter.parse(options["where"]).mask(store.items)
    theirs = exact.search(queries, 5, **options)
    np.testing.assert_array_equal(mine.item_ids, theirs.item_ids)
    np.testing.assert_array_equal(mine.positions, theirs.positions)
    np.testing.assert_array_equal(mine.distances, theirs.distances)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("target", ["lite", "standalone"])
def test_answers_as_exact(uri, metric, target):
    store = store_of()
    index = make_index("milvus", metric=metric, uri=uri, target=target)
    index.fit(store.vectors, store.item_ids, items=store.items)
    agrees(index, store)
    agrees(index, store, exclude=store.item_ids[:20])
    agrees(index, store, where=np.arange(N) % 50 == 0)
    agrees(index, store, where=np.arange(N) % 50 != 0)


@pytest.mark.parametrize(
    "where",
    [
        "gender = Women",
        'article_type in ("Bath and Body", "a \\"quoted\\" one") and not base_colour = Black',
        "year <= 2011",
        "not year <= 2011",
        'article_type = "" or year in 2012..2013',
        {"gender": ["Men", "Unisex"], "year": {">": 2000}},
    ],
)
def test_filters_run_on_the_server_as_here(uri, where):
    store = store_of()
    name = "filters"
    index = _synced(store, uri, name).index
    agrees(index, store, where=where)


def _synced(store, uri, name, **params):
    from fashify.index.milvus.sync import sync

    return sync(store, uri=uri, collection=name, **params)


def test_filter_on_a_column_that_was_not_uploaded(uri):
    index = _synced(store_of(), uri, "filters").index
    with pytest.raises(QueryError, match=r"collection's columns.*gender"):
        index.search(store_of().vectors[:1], 1, where="name = x")


def test_sync_sends_only_what_differs(uri):
    store = store_of()
    first = _synced(store, uri, "steps")
    assert first.to_dict() == {"added": N, "changed": 0, "removed": 0, "unchanged": 0}
    assert _synced(store, uri, "steps").unchanged == N
    keep = np.r_[5:200, 210:N]
    store.vectors[7] += 1
    store.items.loc[9, "base_colour"] = "Green"
    changed = SimpleNamespace(
        vectors=np.concatenate([store.vectors[keep], np.ones((2, DIM), np.float32)]),
        item_ids=np.concatenate([store.item_ids[keep], ["new-1", "new-2"]]),
        items=pd.concat([store.items.iloc[keep], store.items.iloc[:2]], ignore_index=True),
        view_items=np.arange(len(keep) + 2),
    )
    second = _synced(changed, uri, "steps")
    assert second.to_dict() == {"added": 2, "changed": 2, "removed": 15, "unchanged": 283}
    agrees(second.index, changed)
    agrees(second.index, changed, where="base_colour = Green")
    reordered = SimpleNamespace(
        vectors=changed.vectors[::-1].copy(),
        item_ids=changed.item_ids[::-1],
        items=changed.items[::-1].reset_index(drop=True),
        view_items=changed.view_items,
    )
    third = _synced(reordered, uri, "steps")
    assert third.unchanged == 287
    agrees(third.index, reordered)


def test_an_upload_that_was_cut_off_goes_on(uri, monkeypatch):
    from fashify.index.milvus.collection import Collection

    store, sent = store_of(), []
    write = Collection._write

    def breaks(self, batch, progress):
        if len(sent) == 2:
            raise KeyboardInterrupt
        sent.append(len(batch))
        write(self, batch, progress)

    monkeypatch.setattr(Collection, "_write", breaks)
    with pytest.raises(KeyboardInterrupt):
        _synced(store, uri, "cut", batch_bytes=100_000)
    monkeypatch.undo()
    done = _synced(store, uri, "cut", batch_bytes=100_000)
    assert done.unchanged == sum(sent) > 0
    assert done.added == N - sum(sent)
    agrees(done.index, store)


def test_a_failed_fit_keeps_the_collection_before(uri, monkeypatch):
    from fashify.index.milvus.collection import Collection

    store = store_of()
    index = make_index("milvus", uri=uri, collection="kept")
    index.fit(store.vectors, store.item_ids)
    monkeypatch.setattr(Collection, "settle", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        index.fit(store_of(seed=1).vectors, store.item_ids)
    monkeypatch.undo()
    agrees(index, store)
    names = index.collection._client.list_collections()
    assert sum(name.startswith("kept_") for name in names) == 1


def test_saved_and_found_again(uri, tmp_path):
    store = store_of()
    index = _synced(store, uri, "saved").index
    index.save(tmp_path)
    again = load_index(tmp_path)
    agrees(again, store, where="gender = Women")
    again.collection.delete(np.array([3]))
    with pytest.raises(StoreMismatchError, match="fashify index sync"):
        load_index(tmp_path)
    again.collection.drop()
    with pytest.raises(StoreMismatchError, match="a server without it"):
        load_index(tmp_path)


def test_collections_of_another_kind_are_refused(uri):
    store = store_of()
    _synced(store, uri, "kind")
    with pytest.raises(StoreMismatchError, match="euclidean"):
        _synced(store, uri, "kind", metric="euclidean")
    store.vectors = store.vectors[:, :5].copy()
    with pytest.raises(StoreMismatchError, match="dimension 5"):
        _synced(store, uri, "kind")


def test_handlers_of_others_stay_open(tmp_path):
    code = f"""
import logging
handler = logging.FileHandler({str(tmp_path / "log")!r})
from fashify.index import make_index
make_index("milvus", uri={str(tmp_path / "m.db")!r})
print(handler.stream.closed, handler in [ref() for ref in logging._handlerList])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_server_that_is_away():
    away = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StorageError, match=re.escape(away)) as caught:
        make_index("milvus", uri=away, timeout=2)
    assert "Fix: start the server" in str(caught.value)


@pytest.fixture
def mortal(tmp_path):
    """A server of one's own."""
    server = MilvusServer(tmp_path / "server")
    yield server
    server.stop()


def test_server_death_and_return(mortal, tmp_path):
    """A server that dies is named and found again."""
    server, store = mortal, store_of()
    index = _synced(store, server.uri, "dies", timeout=2).index
    index.save(tmp_path / "index")
    server.stop()
    for call in (
        lambda: index.search(store.vectors[:1], 1),
        lambda: index.fit(store.vectors, store.item_ids),
        lambda: load_index(tmp_path / "index"),
    ):
        with pytest.raises(StorageError, match=re.escape(server.uri)):
            call()
    server.start()
    agrees(load_index(tmp_path / "index"), store)


def test_upload_after_sync_and_back(uri):
    """A whole upload can follow a sync and the other way round."""
    store, other = store_of(), store_of(seed=1)
    _synced(store, uri, "both")
    index = make_index("milvus", uri=uri, collection="both")
    agrees(index.fit(other.vectors, other.item_ids, items=other.items), other)
    done = _synced(store, uri, "both")
    assert (done.changed, done.added) == (N, 0)
    agrees(done.index, store)
    done.index.collection.drop()
    assert not [name for name in index.collection.call("list_collections") if "both" in name]


def test_a_name_that_is_taken_is_refused(uri):
    store = store_of()
    index = make_index("milvus", uri=uri, collection="taken")
    index.collection.create(DIM, [])
    with pytest.raises(StoreMismatchError, match="a collection of that very name"):
        index.fit(store.vectors, store.item_ids)


def test_a_wider_search_is_a_setting(uri):
    store = store_of()
    index = make_index("milvus", uri=uri, target="standalone").fit(store.vectors, store.item_ids)
    agrees(index.with_params(width=64), store)


@pytest.mark.parametrize("options", [{"uri": "no-ending"}, {"uri": "x.db", "target": "moon"}])
def test_bad_parameters(options):
    with pytest.raises(ConfigError):
        make_index("milvus", **options)


#: Ids and labels that would end a literal, or begin something else, where they were pasted in.
HOSTILE = (
    "it's", 'a 7" bag', "back\\slash", "both ' and \"", "\\", "'", '"', "new\nline", "tab\there",
    "' or slot >= 0 or item_id == '", '"] or slot in [0', "{value0}", "{slots}", "%s", "größe 衣",
)  # fmt: skip


def hostile_store() -> SimpleNamespace:
    """Items whose ids and labels are hostile text, each in both."""
    store = store_of(len(HOSTILE) + 20)
    ids = [*HOSTILE, *store.item_ids[len(HOSTILE) :]]
    store.items = store.items.assign(item_id=ids, article_type=[*HOSTILE, *["plain"] * 20])
    store.item_ids = np.array(ids, dtype=object)
    return store


def test_ids_with_quotes(uri):
    """They are stored, filtered on, fetched, changed and removed like any others."""
    store = hostile_store()
    index = _synced(store, uri, "hostile").index
    agrees(index, store)
    agrees(index, store, exclude=store.item_ids[:20])
    np.testing.assert_array_equal(index.vectors_of(HOSTILE), store.vectors[: len(HOSTILE)])
    for label in HOSTILE:
        agrees(index, store, where={"article_type": [label]})
    agrees(index, store, where={"article_type": list(HOSTILE)})
    index.collection.delete(np.arange(2, len(HOSTILE)))
    assert index.collection.count() == 22
    store.vectors = store.vectors.copy()
    store.vectors[:2] += 1
    assert _synced(store, uri, "hostile").to_dict() == {
        "added": len(HOSTILE) - 2,
        "changed": 2,
        "removed": 0,
        "unchanged": 20,
    }


def test_more_rows_than_a_page(uri, monkeypatch):
    """Rosters and filters are read page by page, by slot, gaps included."""
    from fashify.index.milvus import collection

    monkeypatch.setattr(collection, "_ROWS_A_PAGE", 50)
    store = store_of()
    index = _synced(store, uri, "pages").index
    index.collection.delete(np.arange(60, 170))
    assert index.collection.roster()["item_id"].tolist() == [
        *store.item_ids[:60],
        *store.item_ids[170:],
    ]
    passing = Filter.parse("gender = Men").mask(store.items).copy()
    passing[60:170] = False
    expression = expression_of(Filter.parse("gender = Men").root)
    found = index.collection.matching(expression, N)
    np.testing.assert_array_equal(found, np.flatnonzero(passing))


def test_server_gets_filter_values(uri, monkeypatch):
    """Milvus Lite takes none apart; any other server does, and the text holds no value."""
    from fashify.index.milvus.collection import Collection

    store, asked = hostile_store(), []
    index = _synced(store, uri, "beside").index
    monkeypatch.setitem(index.collection.__dict__, "_is_lite", False)
    monkeypatch.setattr(
        Collection, "call", lambda self, method, *_, **options: asked.append(options) or []
    )
    wanted = Filter.parse({"article_type": HOSTILE[0]})
    index.collection.matching(expression_of(wanted.root), 10)
    (options,) = asked
    assert HOSTILE[0] not in options["filter"]
    assert [HOSTILE[0]] in options["filter_params"].values()
