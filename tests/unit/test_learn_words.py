"""Training a text tower, and what a store keeps for words."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fashify import FeatureStore, Retriever
from fashify.cli import app
from fashify.errors import QueryError, StoreCorruptError
from fashify.learning import learn_head
from fashify.learning.tower import (
    TowerRecipe,
    TowerTrainer,
    bag_of_pieces,
    find_names,
    improve_words,
    learn_words,
    make_lesson,
    train_tower,
)
from fashify.retrieval.wording import Wording
from fashify.store.writer import ServedThrough, replace_store, write_store
from fashify.text.files import FOLDER, TOWER, load_tower, open_index
from fashify.text.index import WORDS

SMALL = TowerRecipe(width=16, hidden=16, dim=16, batch=32, epochs=60, drop=0.1, rate=1e-2)


@pytest.fixture
def store(sample_store: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample_store, tmp_path / "store"))


def drop_labels(store: Path) -> None:
    """Leaves names alone: what else a head learns takes a minute and is tested elsewhere."""
    whole = FeatureStore.load(store)
    items = whole.items[["item_id", "name"]]
    named = FeatureStore(whole.features, whole.item_ids, whole.meta, items=items)
    replace_store(store, partial(write_store, store=named, serving=ServedThrough()))


def test_gradients() -> None:
    """Every slope is that of the loss, by central differences."""
    recipe = TowerRecipe(width=8, hidden=6, dim=5, looks=4, drop=0.0, tau=5.0)
    trainer = TowerTrainer(7, recipe, 0)
    bags = bag_of_pieces(["red dress", "blue shirt", "red shirt", "green bag"]).astype(float)
    pictures, fits = np.random.default_rng(1).normal(size=(4, 7)), np.eye(4, dtype=bool)
    fits[0, 2] = True
    named = np.array([True, True, False, True])
    for parameter in trainer.p.values():
        parameter.value = parameter.value.astype(float)
    _, gradients = trainer.loss(bags, pictures, fits, named)
    for name, parameter in trainer.p.items():
        at = np.unravel_index(np.argmax(np.abs(gradients[name])), gradients[name].shape)
        before, sides = parameter.value[at], []
        for step in (1e-4, -1e-4):
            parameter.value[at] = before + step
            sides.append(trainer.loss(bags, pictures, fits, named)[0])
        parameter.value[at] = before
        assert gradients[name][at] == pytest.approx((sides[0] - sides[1]) / 2e-4, rel=1e-3)


def test_a_tower_learns() -> None:
    """Four kinds of pictures and their names: a name unseen, of words seen, finds its kind."""
    rng = np.random.default_rng(0)
    kinds = np.arange(160) % 4
    names = np.array(["red dress", "blue dress", "red shirt", "blue shirt"])
    items = pd.DataFrame({"name": [f"{names[kind]} {n}" for n, kind in enumerate(kinds)]})
    features = np.eye(4, dtype=np.float32)[kinds] + rng.normal(0, 0.02, (160, 4)).astype("f4")
    tower = train_tower(make_lesson(features, items), recipe=SMALL, progress=False)
    scores = tower.embed([f"{name} 999" for name in names]) @ tower.pictures(features).T
    for kind in range(4):
        best = np.argsort(-scores[kind])[:20]
        assert (kinds[best] == kind).mean() >= 0.9
    assert {"red", "blue", "dress", "shirt"} <= set(tower.words)
    again = train_tower(make_lesson(features, items), recipe=SMALL, progress=False)
    assert again.to_bytes() == tower.to_bytes()


def test_learn_words(store: Path) -> None:
    """The tower is kept in the store, answers by pictures alone, and outlives another head."""
    tower = learn_words(store, recipe=SMALL, progress=False)
    kept = load_tower(store)
    assert kept is not None
    assert kept.to_bytes() == tower.to_bytes()
    drop_labels(store)
    learn_head(store, method="pca")
    found = Retriever.open(store).by_text("dress", 5, labels=False)
    assert len(found) == 5
    assert "picture" in found[0].parts
    assert load_tower(store) is not None


def test_learn_words_by_the_command_line(store: Path) -> None:
    answer = CliRunner().invoke(app, ["learn", "--text", "--store", str(store), "--json"])
    assert answer.exit_code == 0, answer.stderr
    assert (store / FOLDER / TOWER).is_file()


def test_words_are_part_of_the_automatic_head(store: Path) -> None:
    """Where names exist a tower is trained, kept if it is better; then it knows them all."""
    (store / FOLDER / TOWER).unlink(missing_ok=True)
    drop_labels(store)
    learn_head(store, method="auto")
    tower = load_tower(store)
    assert tower is not None
    assert "training split" in tower.facts["products"]
    found = FeatureStore.load(store)
    assert tower.fits(found.meta["backbone"])
    assert improve_words(found, progress=False) is None
    by_own = find_names(tower, found.features, *_validation(found))
    assert by_own > 10 / len(found)


def _validation(found: FeatureStore) -> tuple:
    lesson = make_lesson(found.features, found.items)
    return lesson, np.flatnonzero((lesson.texts[0] >= 0) & (found.split == "validation"))


def test_too_few_names(tmp_path: Path) -> None:
    items = pd.DataFrame({"item_id": list("abc"), "name": ["one", "two", "three"]})
    meta = {"backbone": {"name": "none", "dim": 2}}
    few = FeatureStore(np.ones((3, 2), np.float32), items["item_id"], meta, items=items)
    few.__dict__["split"] = np.array(["train"] * 3)
    with pytest.raises(QueryError, match="at least 100 named products"):
        learn_words(few)


def test_index_is_kept_and_renewed(store: Path) -> None:
    items = FeatureStore.load(store).items
    first = open_index(store, items)
    path = store / FOLDER / WORDS
    made = path.stat().st_mtime_ns
    assert open_index(store, items).key == first.key
    assert path.stat().st_mtime_ns == made
    changed = items.assign(name=items["name"].astype(str) + " zanzibar")
    assert open_index(store, changed).knows("zanzibar")
    path.write_bytes(b"damaged")
    assert not open_index(store, items).knows("zanzibar")


def test_index_of_a_store_that_may_only_be_read(store: Path) -> None:
    """Where a file is in the folder's place nothing can be kept; the search works all the same."""
    shutil.rmtree(store / FOLDER, ignore_errors=True)
    (store / FOLDER).write_bytes(b"")
    assert open_index(store, FeatureStore.load(store).items).has_any


def test_damaged_tower(store: Path) -> None:
    (store / FOLDER).mkdir(exist_ok=True)
    (store / FOLDER / TOWER).write_bytes(b"nothing")
    with pytest.raises(StoreCorruptError, match="text tower"):
        _ = Wording(FeatureStore.load(store)).tower
