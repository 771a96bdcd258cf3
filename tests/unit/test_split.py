"""One store, one split: whoever asks, the very same queries."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import SHARED
from fakes import GridBackbone, GridEngine
from toy import grow
from typer.testing import CliRunner

from fashify.catalogue import load_catalogue
from fashify.cli.main import app
from fashify.demo.judged import Judge
from fashify.evaluation import evaluate, evaluate_levels
from fashify.evaluation.audit import audit
from fashify.evaluation.audit.facts import read_pictures
from fashify.evaluation.robustness import Remedy, measure_robustness
from fashify.features import extract_features
from fashify.learning import collect_material, learn_head
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore
from fashify.store.items import make_views


@pytest.fixture
def store(toy, tmp_path) -> FeatureStore:
    """About a hundred products, some of them saved anew as others; served by a head."""
    catalogue = load_catalogue(grow(toy, 60, copies=30))
    extract_features(
        catalogue, GridBackbone(), tmp_path / "store", engine=GridEngine(), index="exact"
    )
    return learn_head(tmp_path / "store", method="lda")


def test_split_keeps_groups_whole(store):
    assert pd.Series(store.split).groupby(store.groups).nunique().max() == 1
    assert set(store.split) == {"train", "validation", "test"}
    assert len(np.unique(store.groups)) <= len(store) - 30


def test_split_is_the_same_for_everybody(store, tmp_path, monkeypatch):
    """Python, command line, notebook and page ask the same queries, none of them trained on."""
    wanted = set(store.item_ids[store.split == "test"])
    trained = set(store.item_ids[collect_material(store).rows("train")])
    assert wanted
    assert not wanted & trained
    options = {"level": "gender", "split": "test"}
    assert set(evaluate(store, **options).queries["item_id"]) == wanted
    by_level = evaluate_levels(store, levels=["gender"], split="test")
    assert set(by_level["gender"].queries["item_id"]) == wanted
    assert _robustness_queries(store) <= wanted
    catalogue = load_catalogue(store.meta["catalogue"]["source"])
    items = audit(catalogue).items.set_index("item_id")
    assert set(items.index[items["split"] == "test"]) & set(store.item_ids) == wanted
    out = tmp_path / "run.npz"
    words = ["evaluate", "--store", store.path, "--level", "gender", "--out", out]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    with np.load(out) as run:
        assert set(run["gender|as found|item_id"]) == wanted
    assert _page_queries(store, monkeypatch) == wanted


def _robustness_queries(store: FeatureStore) -> set[str]:
    asked = []

    class Pictures:
        def image(self, item_id):
            asked.append(item_id)
            return np.zeros((16, 16, 3), np.uint8)

    remedy = Remedy(
        lambda images: np.ones((len(images), store.vectors.shape[1]), np.float32),
        Retriever.open(store.path).index,
    )
    measure_robustness(store, Pictures(), {"any": remedy}, names=[], level="gender")
    return set(asked)


def _page_queries(store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    found = {}

    def recorded(*args, **options):
        found.update(evaluate_levels(*args, **options))
        return found

    monkeypatch.setattr("fashify.demo.judged.evaluate_levels", recorded)
    service = SimpleNamespace(store=store, retriever=Retriever.open(store.path))
    Judge(service).panel()
    return set(found["gender"].queries["item_id"])


def test_nothing_decoded_again(store, toy):
    """What they need of the pictures is in the store: the catalogue may be gone."""
    seen = audit(load_catalogue(toy)).items.set_index("item_id").loc[store.item_ids]
    toy.rename(toy.parent / "elsewhere")
    found = audit(FeatureStore.load(store.path))
    items = found.items.set_index("item_id")
    for name in ("copy", "variant", "group", "split"):
        assert (items[name] == seen[name]).all()
    gaps = found.gaps.set_index("what")["n"]
    assert (gaps["no image, or an unreadable one"], gaps["further copy of another's image"]) == (
        1,
        1,
    )
    words = ["audit", "--store", store.path, "--json"]
    assert CliRunner().invoke(app, [str(word) for word in words]).exit_code == 0
    fresh = FeatureStore.load(store.path)
    assert fresh.groups.tolist() == store.groups.tolist()
    assert learn_head(store.path, method="lda").split.tolist() == store.split.tolist()
    assert evaluate(store, level="gender", split="test").n_asked > 0


def test_store_keeps_the_facts_of_its_pictures(store, toy):
    expected = read_pictures(load_catalogue(toy))[0].set_index("item_id").loc[store.item_ids]
    pd.testing.assert_frame_equal(store.facts, expected.reset_index(drop=True), check_dtype=False)


def test_split_is_published(kaggle_zip):
    """By the signatures of all 44,441 pictures: the split of every network and figure."""
    table = SHARED / "photo_network" / "split.csv"
    if not table.is_file():
        pytest.skip("the published split is not beside this checkout")
    published = pd.read_csv(table, dtype=str, index_col="item_id")["split"]
    catalogue = load_catalogue(kaggle_zip)
    catalogue = catalogue.take(np.flatnonzero(catalogue.table["has_image"]))
    facts, signatures = read_pictures(catalogue)
    views = make_views(catalogue.table).assign(sha256=facts["sha256"])
    store = FeatureStore(
        np.zeros((len(catalogue), 1), np.float32), catalogue.item_ids, {},
        items=catalogue.table, signatures=signatures, views=views,
    )  # fmt: skip
    split = pd.Series(store.split, store.item_ids)
    assert split.sort_index().equals(published.sort_index())
