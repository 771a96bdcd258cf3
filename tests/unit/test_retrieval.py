"""Five matches with their facts: from a picture, from an item, never the item itself."""

from __future__ import annotations

import datetime
import json
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
from fakes import GridBackbone, GridEngine

from fashify.errors import (
    CatalogueError,
    FashifyWarning,
    ImageReadError,
    QueryError,
    StoreError,
    StoreMismatchError,
)
from fashify.features import Embedder, extract_features
from fashify.index import make_index
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore


@pytest.fixture
def store_path(toy_catalogue, tmp_path):
    return extract_features(
        toy_catalogue, GridBackbone(), tmp_path / "s", engine=GridEngine(), index="exact"
    ).path


@pytest.fixture
def retriever(store_path, toy_catalogue):
    opened = Retriever.open(store_path)
    embedder = Embedder(GridBackbone(), engine=GridEngine())
    return Retriever(opened.store, opened.index, embedder=embedder)


def test_by_image_finds_the_same_picture_first(retriever, toy):
    matches = retriever.by_image(toy / "images" / "4.jpg")
    assert [match.rank for match in matches] == [1, 2, 3, 4, 5]
    assert matches[0].item_id == "4"
    assert matches[0].distance == pytest.approx(0, abs=1e-6)
    assert matches[0].article_type == "Heels"
    distances = [match.distance for match in matches]
    assert distances == sorted(distances)
    json.dumps([match.to_dict() for match in matches])


def test_by_item_excludes_self_by_id(retriever):
    """By item leaves out itself and not its copy."""
    ids = [match.item_id for match in retriever.by_item("1")]
    assert "1" not in ids
    assert ids[0] == "6"


def test_a_missing_year_is_none(retriever):
    assert retriever.by_item("1")[0].year == 2012


def test_a_mask_limits_the_answers(retriever):
    mask = retriever.store.labels("article_type") == "Heels"
    assert {m.article_type for m in retriever.by_item("1", 3, where=mask)} == {"Heels"}


def test_batch_equals_single(retriever):
    """Many features at once are answered as alone."""
    features = np.stack([retriever.feature(item_id) for item_id in "1234"])
    together = retriever.by_features(features, 3, exclude=["1", None, ("3", "4"), None])
    alone = [retriever.by_item("1", 3), *(retriever.by_feature(row, 3) for row in features[1:])]
    assert together[:2] == alone[:2]
    assert not {"3", "4"} & {match.item_id for match in together[2]}
    assert together[3] == alone[3]


@pytest.mark.parametrize("k", [0, -1, True, 2.5, "5", None])
def test_k_that_is_no_number_of_matches(retriever, toy, k):
    with pytest.raises(QueryError, match="k as a whole number of at least 1"):
        retriever.by_image(toy / "images" / "1.jpg", k)


def test_k_is_cut_to_the_gallery_and_said_so(retriever, toy):
    """Fewer products than were asked for are all answered."""
    with pytest.warns(FashifyWarning, match="k = 9 cut to 8: the gallery has no more products"):
        assert len(retriever.by_image(toy / "images" / "1.jpg", 9)) == 8
    with pytest.warns(FashifyWarning, match="k = 8 cut to 7: .* no more other products"):
        assert len(retriever.by_item("1", 8)) == 7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(retriever.by_image(toy / "images" / "1.jpg", 8)) == 8


def test_one_product_is_searchable(retriever, toy):
    """A picture finds the only product; the product itself has no other like it."""
    raw = retriever.store
    alone = FeatureStore(raw.features[:1], raw.item_ids[:1], raw.meta, items=raw.items[:1])
    index = make_index("exact").fit(alone.vectors, alone.item_ids)
    single = Retriever(alone, index, embedder=retriever.embedder)
    with pytest.warns(FashifyWarning, match="k = 5 cut to 1"):
        assert [m.item_id for m in single.by_image(toy / "images" / "1.jpg")] == ["1"]
    with pytest.warns(FashifyWarning, match="k = 5 cut to 0"):
        assert single.by_item("1") == []


def test_unknown_item_and_bad_image(retriever, tmp_path):
    with pytest.raises(QueryError, match="'77'"):
        retriever.by_item("77")
    (tmp_path / "x.jpg").write_text("text")
    with pytest.raises(ImageReadError):
        retriever.by_image(tmp_path / "x.jpg")


def test_pictures_from_manifest(retriever, toy):
    """Pictures come from the catalogue in the manifest."""
    assert retriever.picture("1").shape == (80, 60, 3)
    shutil.move(toy, toy.with_name("moved"))
    with pytest.raises(CatalogueError, match="nothing at"):
        Retriever(retriever.store, retriever.index).picture("1")


def test_open_names_what_is_wrong(store_path, tmp_path):
    with pytest.raises(StoreError):
        Retriever.open(tmp_path / "nothing")
    features = np.eye(3, dtype=np.float32)
    make_index("exact").fit(features, ["a", "b", "c"]).save(store_path / "index")
    with pytest.raises(StoreMismatchError, match="own items"):
        Retriever.open(store_path)


def test_an_index_can_be_chosen_at_opening(store_path):
    opened = Retriever.open(store_path, index="sklearn")
    assert opened.index.name == "sklearn"
    assert [m.item_id for m in opened.by_item("1")] == [
        m.item_id for m in Retriever.open(store_path).by_item("1")
    ]


def test_other_embedder_refused(store_path, toy):
    """An embedder of another backbone is refused."""
    store = FeatureStore.load(store_path)
    other = Embedder(GridBackbone().named(weights_hash="1" * 64), engine=GridEngine())
    index = make_index("exact").fit(store.features, store.item_ids)
    with pytest.raises(StoreMismatchError, match="weights_hash"):
        Retriever(store, index, embedder=other).by_image(toy / "images" / "1.jpg")


def with_columns(retriever, **columns) -> Retriever:
    """The same gallery with more columns of its own."""
    raw = retriever.store
    store = FeatureStore(raw.features, raw.item_ids, raw.meta, items=raw.items.assign(**columns))
    return Retriever(store, retriever.index)


def test_columns_keep_types(retriever):
    """Numbers stay numbers, a date is a date, a missing one None, and JSON takes them all."""
    days = pd.to_datetime(["2024-05-01", None] * 4)
    mine = with_columns(
        retriever,
        price=[19.5, np.nan] * 4,
        stock=np.arange(8),
        sale=[True, False] * 4,
        since=days,
        tags=[np.array(["a", "b"]), None] * 4,
        link=["https://example.org/<1>"] * 8,
    )
    first, second = (mine.by_item(item_id, 7)[0] for item_id in ("6", "1"))
    assert (first.item_id, second.item_id) == ("1", "6")
    wanted = {
        "price": 19.5,
        "stock": 0,
        "sale": True,
        "since": datetime.date(2024, 5, 1),
        "tags": ["a", "b"],
        "link": "https://example.org/<1>",
        "article_type": "Shirts",
        "year": 2012,
    }
    assert {name: first.facts[name] for name in wanted} == wanted
    assert {type(first.facts[name]) for name in ("price", "stock", "sale")} == {float, int, bool}
    assert [second.facts[name] for name in ("price", "since", "tags")] == [None, None, None]
    written = json.loads(json.dumps(first.to_dict(), allow_nan=False))
    assert written["facts"]["since"] == "2024-05-01"
    assert "item_id" not in first.facts
    assert "has_image" not in first.facts


def test_filters_ask_for_own_columns(retriever):
    """A price and a brand of the user's own table narrow the answers."""
    mine = with_columns(
        retriever, Price=[10.0, 30.0] * 4, brand=["Acme", "Acme", "O'Neill", ""] * 2
    )
    found = mine.by_item("8", 7, where='price < 20 and brand = "O\'Neill"')
    assert {match.item_id for match in found} == {"3", "7"}
    with pytest.raises(QueryError, match=r"choose from: Price, .*brand"):
        mine.by_item("8", where="cost < 20")


def test_column_named_like_field(retriever):
    """A catalogue's own ``rank`` neither replaces the match's rank nor is lost."""
    found = with_columns(retriever, rank=list("abcdefgh"), distance=["far"] * 8).by_item("1", 1)[0]
    assert (found.rank, found.facts["rank"]) == (1, "f")
    row = found.to_row()
    assert (row["rank"], row["fact_rank"], row["fact_distance"]) == (1, "f", "far")


def test_a_gallery_without_labels_has_empty_ones(retriever):
    """In memory a store may have ids alone."""
    store = FeatureStore(retriever.store.features, retriever.store.item_ids, retriever.store.meta)
    found = Retriever(store, retriever.index).by_item("1", 1)[0]
    assert (found.name, found.article_type, found.year, found.facts) == ("", "", None, {})
