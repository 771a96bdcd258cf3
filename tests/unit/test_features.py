"""Extraction: each image once, nothing lost, the same bytes however it got there."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fakes import GridBackbone, GridEngine
from kills import torture
from toy import draw

from fashify import verify_store
from fashify.catalogue import load_catalogue
from fashify.errors import (
    CatalogueError,
    ConfigError,
    FashifyError,
    StorageAwayError,
    StoreMismatchError,
)
from fashify.features import Embedder, extract_features
from fashify.features import plan as plan_module
from fashify.features.pipeline import prepare_images
from fashify.io.images import load_image, resize
from fashify.retrieval.retriever import Retriever

TESTS = Path(__file__).resolve().parents[1]


def build(catalogue, out, **options):
    engine = options.pop("engine", None) or GridEngine()
    store = extract_features(catalogue, GridBackbone(), out, engine=engine, **options)
    return store, engine.images


def tree(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*") if p.is_file()
    }


def test_each_row_is_its_own_pictures_feature(toy_catalogue, tmp_path):
    store, _ = build(toy_catalogue, tmp_path / "s", batch_size=3)
    engine = GridEngine()
    for row, item_id in enumerate(store.item_ids):
        image = resize(toy_catalogue.image(item_id), (16, 16))
        assert np.array_equal(store.features[row], engine.run(image[None])[0])


def test_identical_images_are_embedded_once(toy_catalogue, tmp_path):
    store, images = build(toy_catalogue, tmp_path / "s", batch_size=1)
    assert len(store) == 8
    assert images == 7
    assert np.array_equal(store.features[0], store.features[5])


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_batch_size_changes_nothing(toy_catalogue, tmp_path, batch_size):
    store, _ = build(toy_catalogue, tmp_path / "s", batch_size=batch_size)
    reference, _ = build(toy_catalogue, tmp_path / "r", batch_size=8)
    assert tree(store.path) == tree(reference.path)


def test_unreadable_quarantined(toy, tmp_path):
    """Unreadable images go to quarantine and good ones stay."""
    (toy / "images" / "4.jpg").write_text("text")
    catalogue = load_catalogue(toy)
    store, _ = build(catalogue, tmp_path / "s", batch_size=2)
    assert store.item_ids.tolist() == ["1", "2", "3", "5", "6", "7", "8"]
    assert store.quarantine["item_id"].tolist() == ["9", "4"]
    assert store.quarantine["reason"].iloc[1].startswith("Expected an image")
    assert catalogue.problems["item_id"].tolist() == ["9", "4"]


def test_pictures_are_read_ahead_but_not_far(toy_catalogue, monkeypatch):
    read, storage = [], toy_catalogue.storage
    monkeypatch.setattr(storage, "read", lambda name: read.append(name) or b"no picture")
    tasks = [plan_module.Task(str(n), f"{n}.jpg") for n in range(100)]
    images = prepare_images(storage, tasks, load_image, ahead=7)
    for taken in range(1, 21):
        assert isinstance(next(images), FashifyError)
        assert len(read) <= taken + 7
    images.close()
    assert len(read) <= 20 + 7


def test_moved_zip_is_read_to_its_end(toy, tmp_path):
    """A zip that is moved during a build stays open and is read to its end."""
    source = Path(shutil.make_archive(str(tmp_path / "toy"), "zip", toy))
    catalogue = load_catalogue(source)
    source.rename(tmp_path / "elsewhere")
    store, _ = build(catalogue, tmp_path / "s")
    assert len(store) == catalogue.table["has_image"].sum()


def test_vanished_catalogue_keeps_products(toy, tmp_path):
    """A catalogue that goes away costs no product."""
    before, _ = build(load_catalogue(toy), tmp_path / "s")
    catalogue = load_catalogue(toy)
    toy.rename(tmp_path / "elsewhere")
    (before.path / "items.parquet").unlink()  # so that everything is embedded anew
    with pytest.raises(StorageAwayError, match="finished work is kept"):
        build(catalogue, tmp_path / "s")


def test_unreadable_catalogue_refused(tmp_path):
    """A catalogue of nothing readable is refused."""
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "a.jpg").write_text("text")
    with pytest.raises(CatalogueError, match="readable image"):
        build(load_catalogue(folder), tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_incremental_cost(toy, tmp_path):
    """Adding changing and removing cost what they are."""
    store, _ = build(load_catalogue(toy), tmp_path / "s", batch_size=1, index="exact")
    before = store.features.copy()
    draw(toy / "images" / "9.jpg", "white", "ring")
    draw(toy / "images" / "3.jpg", "purple", "ring")
    (toy / "images" / "8.jpg").unlink()
    store, images = build(load_catalogue(toy), tmp_path / "s", batch_size=1, index="exact")
    assert images == 2
    assert store.item_ids.tolist() == ["1", "2", "3", "4", "5", "6", "7", "9"]
    assert np.array_equal(store.features[[0, 1, 3]], before[[0, 1, 3]])
    fresh, _ = build(load_catalogue(toy), tmp_path / "fresh", batch_size=1)
    assert np.array_equal(store.features, fresh.features)
    assert len(store.features) == 8, "vectors of changed and removed images are gone"
    _, images = build(load_catalogue(toy), tmp_path / "s", batch_size=1)
    assert images == 0


def test_copies_not_embedded_again(toy, tmp_path):
    """Copies of known images are not embedded again."""
    build(load_catalogue(toy), tmp_path / "s", batch_size=1)
    shutil.copy(toy / "images" / "7.jpg", toy / "images" / "9.jpg")
    store, images = build(load_catalogue(toy), tmp_path / "s", batch_size=1)
    assert images == 0
    assert np.array_equal(store.features[6], store.features[8])


def test_unchanged_store_untouched(toy, tmp_path):
    """A store that has not changed is neither computed nor copied."""
    store, _ = build(load_catalogue(toy), tmp_path / "s")
    before = {file.name: file.stat().st_ino for file in store.path.glob("*.npy")}
    store, images = build(load_catalogue(toy), tmp_path / "s", batch_size=1)
    after = {file.name: file.stat().st_ino for file in store.path.glob("*.npy")}
    assert images == 0
    assert before == after


def test_nothing_of_the_journal_is_left(toy, tmp_path):
    store, _ = build(load_catalogue(toy), tmp_path / "s")
    assert not (store.path / "shards").exists()
    assert [path.name for path in tmp_path.iterdir() if "building" in path.name] == []


def test_a_damaged_column_is_embedded_again(toy, tmp_path):
    whole, _ = build(load_catalogue(toy), tmp_path / "s", batch_size=1)
    expected = np.array(whole.features)
    rotten = whole.path / "deep.npy"
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"?")
    store, images = build(load_catalogue(toy), tmp_path / "s", batch_size=1)
    assert images == 7
    assert np.array_equal(store.features, expected)
    assert verify_store(store.path) == []


class DyingEngine(GridEngine):
    """Fails after some pictures, as a machine does."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def run(self, batch):
        if self.images >= self.after:
            raise KeyboardInterrupt
        return super().run(batch)


def test_interrupted_run_continues(toy, tmp_path, monkeypatch):
    """An interrupted run continues and ends with the same bytes."""
    monkeypatch.setattr(plan_module, "SHARD_IMAGES", 2)
    (toy / "images" / "2.jpg").write_text("text")
    catalogue = load_catalogue(toy)
    whole, _ = build(catalogue, tmp_path / "whole", batch_size=1, index="exact")
    for after in (0, 1, 1, 2):
        with pytest.raises(KeyboardInterrupt):
            build(catalogue, tmp_path / "cut", engine=DyingEngine(after), batch_size=1)
        assert not (tmp_path / "cut").exists()
    kept = list((tmp_path / ".cut.building" / "shards").iterdir())
    kept[0].write_bytes(kept[0].read_bytes()[:50])
    store, images = build(catalogue, tmp_path / "cut", batch_size=1, index="exact")
    assert images < 6
    assert tree(store.path) == tree(whole.path)


def test_killed_builds_lose_nothing(toy, tmp_path):
    """The short version of ``python benchmarks/kills.py``."""
    script = """
import sys, time
sys.path.insert(0, sys.argv[4])
from fakes import GridBackbone, GridEngine
from fashify.catalogue import load_catalogue
from fashify.features import extract_features, plan
plan.SHARD_IMAGES = 1
class Slow(GridEngine):
    def run(self, batch):
        time.sleep(0.1)
        return super().run(batch)
extract_features(load_catalogue(sys.argv[1]).sample(int(sys.argv[3])), GridBackbone(), sys.argv[2],
                 engine=Slow(), batch_size=1, progress=False, index="exact")
"""

    def command(out: Path, whole: bool) -> list[str]:
        words = [sys.executable, "-c", script, toy, out, 9 if whole else 4, TESTS]
        return [str(word) for word in words]

    tally = torture(command, tmp_path, 5, np.random.default_rng(0))
    assert tally.trouble == []
    assert tally.kills >= 5
    assert tally.finished >= 1
    assert tally.shards_kept >= 1


def test_the_stores_own_engine_is_kept(toy_catalogue, tmp_path):
    class Other(GridEngine):
        name = "other"

    build(toy_catalogue, tmp_path / "s")
    with pytest.raises(StoreMismatchError, match="engine other"):
        build(toy_catalogue, tmp_path / "s", engine=Other())
    with pytest.raises(StoreMismatchError, match="name"):
        extract_features(
            toy_catalogue, GridBackbone().named(name="x"), tmp_path / "s", engine=GridEngine()
        )


def test_batch_size_zero_is_refused(toy_catalogue, tmp_path):
    with pytest.raises(ConfigError, match="batch size"):
        build(toy_catalogue, tmp_path / "s", batch_size=0)


def test_embedder_takes_pictures_of_any_size(toy):
    embedder = Embedder(GridBackbone(), engine=GridEngine(), batch_size=2)
    image = load_image(toy / "images" / "1.jpg")
    features = embedder.embed_images([image, image[:40], np.zeros((3, 900, 3), np.uint8)])
    assert features.shape == (3, 48)
    assert features[2].max() == 0


def test_a_product_with_several_views(toy_catalogue, tmp_path):
    """The first product has the watch's picture too: both have the watch's vector."""
    watch = toy_catalogue.views.set_index("item_id").loc["8", "path"]
    more = pd.DataFrame({"item_id": ["1"], "path": [watch]})
    toy_catalogue.views = pd.concat([toy_catalogue.views, more], ignore_index=True)
    store, images = build(toy_catalogue, tmp_path / "s", batch_size=1, index="exact")
    assert images == 7
    assert len(store) == 8
    assert store.view_items.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert store.view_paths[1] == watch
    assert np.array_equal(store.features[1], store.features[8])
    assert store.groups[0] == store.groups[7]
    nearest = Retriever.open(store.path).by_item("8", 1)[0]
    assert (nearest.item_id, nearest.distance) == ("1", 0)
    again, images = build(toy_catalogue, tmp_path / "s", batch_size=1)
    assert images == 0
    assert again.view_items.tolist() == store.view_items.tolist()
