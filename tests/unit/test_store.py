"""A store is whole, or it says which file is not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import flips
import numpy as np
import pandas as pd
import pytest
from fakes import GridBackbone, GridEngine
from kills import hashes
from old_store import write_old_store
from PIL import Image
from toy import draw

from fashify.catalogue import load_catalogue
from fashify.errors import (
    CatalogueError,
    StoreCorruptError,
    StoreError,
    StoreMismatchError,
)
from fashify.features import extract_features
from fashify.index import make_index
from fashify.io.artefact import canonical_json, lock_folder, self_checksum
from fashify.learning import learn_head
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore, verify_store
from fashify.store.items import make_views


@pytest.fixture
def store(toy_catalogue, tmp_path):
    return extract_features(
        toy_catalogue, GridBackbone(), tmp_path / "store", engine=GridEngine(), index="exact"
    )


def test_what_is_loaded_is_what_was_saved(store):
    again = FeatureStore.load(store.path, expect=GridBackbone().spec)
    assert again.item_ids.tolist() == [str(n) for n in range(1, 9)]
    assert again.features.dtype == np.float32
    assert np.array_equal(again.features, store.features)
    assert again.items["usage"].tolist() == ["NA"] * 8
    assert str(again.items["year"].dtype) == "Int64"
    assert again.labels("article_type").tolist()[-1] == "Watches"
    assert again.quarantine["item_id"].tolist() == ["9"]
    assert again.meta["n_items"] == 8


def test_own_columns_kept(toy, tmp_path):
    """Columns of the user's own are kept whatever their names."""
    path, names = toy / "styles.csv", ["identity", "version", "row"]
    first, *rows = path.read_text().replace(", with", " with").splitlines()
    wanted = {
        line.split(",")[0]: [f"{name} of {n}" for name in names] for n, line in enumerate(rows)
    }
    mine = [",".join([line, *wanted[line.split(",")[0]]]) for line in rows]
    path.write_text("\n".join([",".join([first, *names]), *mine]) + "\n")
    catalogue = load_catalogue(toy)
    store = extract_features(catalogue, GridBackbone(), tmp_path / "store", engine=GridEngine())
    learned = learn_head(store.path, method="none", index=None)
    for kept in (store, learned, learned.save(tmp_path / "again")):
        found = kept.items.set_index("item_id")[names]
        assert found.loc["4"].tolist() == wanted["4"]
        assert found.loc["6"].tolist() == wanted["6"]
        assert np.array_equal(kept.features, store.features)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("head", [False, True])
def test_build_turns_an_old_store_into_a_new_one(toy, toy_catalogue, tmp_path, version, head):
    """Nothing is embedded again; one picture is new, and the head stays."""
    path = tmp_path / "store"
    options = {"index": "exact", "batch_size": 1}
    fresh = extract_features(toy_catalogue, GridBackbone(), path, engine=GridEngine(), **options)
    if head:
        fresh = learn_head(path, method="pca")
    old = write_old_store(fresh, tmp_path / "old", version)
    with pytest.raises(StoreMismatchError, match=f"fashify build --catalogue {toy} --out {old}"):
        FeatureStore.load(old)
    with pytest.raises(StoreMismatchError, match="embeds nothing again"):
        Retriever.open(old)
    assert [name for name, _ in verify_store(old)] == ["manifest.json"]
    draw(toy / "images" / "9.jpg", "white", "ring")
    engine = GridEngine()
    new = extract_features(load_catalogue(toy), GridBackbone(), old, engine=engine, **options)
    assert engine.images == 1
    assert verify_store(new.path) == []
    assert np.array_equal(new.features[:8], fresh.features)
    assert np.array_equal(new.signatures[:8], fresh.signatures)
    assert new.facts[:8].equals(fresh.facts)
    assert np.allclose(new.vectors[:8], fresh.vectors, atol=1e-6)
    assert (new.head is not None) == head
    assert Retriever.open(old).by_item("1", 1)[0].item_id == "6"


def test_old_store_with_lost_pictures(toy, store, tmp_path):
    """Pictures of an old store that are gone cost themselves alone."""
    old = write_old_store(store, tmp_path / "old", 3)
    (toy / "images" / "3.jpg").unlink()
    draw(toy / "images" / "4.jpg", "purple", "ring")
    engine = GridEngine()
    catalogue = load_catalogue(toy, allow_unmatched=True)
    new = extract_features(catalogue, GridBackbone(), old, engine=engine, batch_size=1)
    assert engine.images == 1
    assert new.item_ids.tolist() == ["1", "2", "4", "5", "6", "7", "8"]


def test_a_text_tower_outlives_a_build_and_a_head(toy_catalogue, store):
    tower = store.path / "words" / "tower.safetensors"
    tower.parent.mkdir()
    tower.write_bytes(b"a tower")
    learn_head(store.path, method="pca")
    extract_features(toy_catalogue, GridBackbone(), store.path, engine=GridEngine(), index="exact")
    assert tower.read_bytes() == b"a tower"


def test_a_damaged_old_store_is_built_anew(toy_catalogue, store, tmp_path):
    old = write_old_store(store, tmp_path / "old", 3)
    shard = next((old / "shards").iterdir())
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    engine = GridEngine()
    new = extract_features(toy_catalogue, GridBackbone(), old, engine=engine, batch_size=1)
    assert engine.images == 7
    assert np.array_equal(new.features, store.features)


def test_products_with_several_views(tmp_path):
    """A store whose second product has two views: one row per view, and the product they are of."""
    features = np.eye(4, dtype=np.float32)
    views = make_views(pd.DataFrame({"item_id": list("abc")}), np.array([0, 1, 1, 2]))
    views["path"] = ["a.jpg", "b.jpg", "b-back.jpg", "c.jpg"]
    views["sha256"] = ["1", "2", "3", "3"]
    made = FeatureStore(features, list("abc"), {}, views=views)
    store = made.save(tmp_path / "views")
    assert verify_store(store.path) == []
    assert store.view_items.tolist() == [0, 1, 1, 2]
    assert store.view_paths.tolist() == views["path"].tolist()
    assert store.first_views.tolist() == [0, 1, 3]
    assert store.groups[1] == store.groups[2] != store.groups[0]
    assert np.array_equal(store.features, features)
    found = Retriever.open(store.path).by_feature(features[2], 3)
    assert [match.item_id for match in found] == ["b", "a", "c"]
    assert found[0].distance == pytest.approx(0)


def test_memory_store_saved(tmp_path):
    """A store made in memory can be saved and replaced."""
    for n in (3, 5):
        features = np.arange(n * 4, dtype=np.float32).reshape(n, 4)
        made = FeatureStore(features, [f"i{row}" for row in range(n)], {"note": "by hand"})
        saved = made.save(tmp_path / "mine")
        assert np.array_equal(saved.features, features)
        assert verify_store(saved.path) == []
        assert saved.meta["note"] == "by hand"
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == ["mine"]


def test_features_and_ids_must_be_of_one_length():
    with pytest.raises(StoreMismatchError, match=r"\(2, dim\)"):
        FeatureStore(np.zeros((3, 4), np.float32), ["a", "b"], {})


def test_no_store_and_unknown_level(tmp_path, store):
    with pytest.raises(StoreError, match="fashify build"):
        FeatureStore.load(tmp_path / "nothing")
    with pytest.raises(CatalogueError, match="article_type"):
        store.labels("colour")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "resnet50"),
        ("dim", 2048),
        ("input_size", (8, 8)),
        ("preprocessing", "other"),
        ("weights_hash", "f" * 64),
    ],
)
def test_other_backbone_refused(store, field, value):
    """A store of another backbone is refused by name."""
    other = replace(GridBackbone().spec, **{field: value})
    with pytest.raises(StoreMismatchError, match=field):
        FeatureStore.load(store.path, expect=other)


def test_another_version_is_refused(store):
    file = store.path / "manifest.json"
    manifest = json.loads(file.read_bytes()) | {"version": 99}
    manifest["sha256"] = self_checksum(manifest)
    file.write_bytes(canonical_json(manifest))
    with pytest.raises(StoreMismatchError, match="version 99"):
        FeatureStore.load(store.path)


def test_flipped_bits_found(store):
    """The short version of ``python benchmarks/flips.py STORE``: the same flips, a small store."""
    answer = flips.flip_bits(store.path, 200, np.random.default_rng(0))
    assert answer["missed"] == []
    assert answer["found"] == 200
    assert set(answer["hit"]) == {
        "manifest.json", "items.parquet", "views.parquet", "quarantine.csv", "index/",
        "deep.npy", "colour.npy", "signature.npy",
    }  # fmt: skip


def test_damaged_column_named(store):
    """A truncated or missing column is named not answered from."""
    column = store.path / "deep.npy"
    column.write_bytes(column.read_bytes()[:-100])
    with pytest.raises(StoreCorruptError, match=r"deep\.npy"):
        FeatureStore.load(store.path).features  # noqa: B018
    column.unlink()
    assert [name for name, _ in verify_store(store.path)] == ["deep.npy"]
    with pytest.raises(StoreCorruptError, match=r"deep\.npy"):
        Retriever.open(store.path)


def test_a_damaged_store_is_built_anew(store, toy_catalogue):
    (store.path / "items.parquet").write_bytes(b"x")
    with pytest.raises(StoreCorruptError, match=r"items\.parquet"):
        FeatureStore.load(store.path)
    again = extract_features(
        toy_catalogue, GridBackbone(), store.path, engine=GridEngine(), index="exact"
    )
    assert verify_store(again.path) == []
    assert len(again) == 8


def test_the_second_writer_is_refused(store, toy_catalogue):
    with lock_folder(store.path), pytest.raises(StoreError, match="another process"):
        extract_features(toy_catalogue, GridBackbone(), store.path, engine=GridEngine())


def test_lock_released_on_death(toy, toy_catalogue, tmp_path):
    """Another process is refused and its death lets go."""
    script = """
import sys
from pathlib import Path
from fashify.io.artefact import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""
    out = tmp_path / "s"
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(out)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert owner.stdout.readline() == b"mine\n"
        with pytest.raises(StoreError, match="another process"):
            extract_features(toy_catalogue, GridBackbone(), out, engine=GridEngine())
    finally:
        owner.kill()
        owner.wait()
        owner.stdin.close()
        owner.stdout.close()
    assert len(extract_features(toy_catalogue, GridBackbone(), out, engine=GridEngine())) == 8


def test_a_place_that_cannot_be_written_is_named(toy_catalogue, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="a place to write"):
        extract_features(
            toy_catalogue, GridBackbone(), tmp_path / "file" / "store", engine=GridEngine()
        )


@pytest.fixture
def mounted(tmp_path):
    """Mounts a small file system in memory; only root may, elsewhere its tests are skipped."""
    places = []

    def mount(name: str, options: str) -> Path:
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        again = ["remount"] if place in places else []
        command = ["mount", "-t", "tmpfs", "-o", ",".join([*again, options]), "tmpfs", str(place)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting a small disk takes root")
        places.append(place)
        return place

    yield mount
    for place in set(places):
        subprocess.run(["umount", "-l", str(place)], check=True)


def grow(toy: Path, n: int) -> None:
    """More products, each with a picture of its own."""
    rng = np.random.default_rng(1)
    lines = (toy / "styles.csv").read_text()
    for number in range(100, 100 + n):
        noise = rng.integers(0, 256, (80, 60, 3), dtype=np.uint8)
        Image.fromarray(noise).save(toy / "images" / f"{number}.jpg")
        lines += f"{number},Men,Apparel,Topwear,Shirts,Red,Fall,2012,NA,Shirt {number}\n"
    (toy / "styles.csv").write_text(lines)


@pytest.mark.parametrize("free", [24, 40, 56, 72, 88])
def test_full_disk_named(toy, mounted, free):
    """However far the build gets before the disk is full: shard, items, index, manifest."""
    disk = mounted("disk", "size=4m")
    options = {"engine": GridEngine(), "index": "exact"}
    store = extract_features(load_catalogue(toy), GridBackbone(), disk / "s", **options)
    before = hashes(store.path)
    grow(toy, 64)
    used = shutil.disk_usage(disk).used
    mounted("disk", f"size={used // 1024 + free}k")
    with pytest.raises(StoreError, match=r"No space left on device.*free some disk space"):
        extract_features(load_catalogue(toy), GridBackbone(), disk / "s", **options)
    assert hashes(store.path) == before
    mounted("disk", "size=4m")
    assert len(extract_features(load_catalogue(toy), GridBackbone(), disk / "s", **options)) == 72
    assert flips.verified(disk / "s") == []


def test_read_only_disk_named(toy_catalogue, mounted):
    """A read-only disk is named and the store stays as it was."""
    disk = mounted("disk", "size=4m")
    store = extract_features(toy_catalogue, GridBackbone(), disk / "s", engine=GridEngine())
    before = hashes(store.path)
    mounted("disk", "ro")
    with pytest.raises(StoreError, match=r"Read-only file system.*can be written"):
        extract_features(toy_catalogue, GridBackbone(), disk / "s", engine=GridEngine())
    assert hashes(store.path) == before
    assert len(FeatureStore.load(store.path).features) == 8


def test_a_moved_store_still_opens(store, tmp_path):
    shutil.move(store.path, tmp_path / "elsewhere")
    assert len(FeatureStore.load(tmp_path / "elsewhere")) == 8


def test_save_ignores_interrupted_run(tmp_path):
    """Saving takes nothing over from an interrupted run."""
    left = tmp_path / ".mine.building"
    (left / "next" / "index").mkdir(parents=True)
    (left / "next" / "index" / "manifest.json").write_text("{}")
    (left / "shards").mkdir()
    (left / "shards" / "old.safetensors").write_bytes(b"x")
    saved = FeatureStore(np.eye(2, dtype=np.float32), ["a", "b"], {}).save(tmp_path / "mine")
    names = sorted(path.name for path in saved.path.iterdir())
    assert names == [
        "deep.npy",
        "items.parquet",
        "manifest.json",
        "quarantine.csv",
        "views.parquet",
    ]
    assert (left / "shards" / "old.safetensors").exists(), "the journal is the build's"


def test_other_stores_index_refused(store, tmp_path):
    """An index of another store of the same items is refused and named."""
    order = np.roll(np.arange(len(store)), 1)
    other = make_index("exact").fit(store.features[order], store.item_ids)
    other.save(store.path / "index", column="0" * 64)
    with pytest.raises(StoreMismatchError, match="the store's own vectors"):
        Retriever.open(store.path)
    assert flips.verified(store.path) == ["index/manifest.json"]


def test_a_damaged_quarantine_is_named_not_read(store):
    (store.path / "quarantine.csv").write_bytes(b"")
    with pytest.raises(StoreCorruptError, match=r"quarantine\.csv"):
        store.quarantine  # noqa: B018


def test_large_index_files_verified(store, monkeypatch):
    """Large index files are read through before they answer."""
    monkeypatch.setattr("fashify.io.artefact.folder.ALWAYS_HASHED", 0)
    norms = store.path / "index" / "norms.npy"
    data = bytearray(norms.read_bytes())
    data[-1] ^= 1
    norms.write_bytes(data)
    Retriever.open(store.path, verify=False)
    with pytest.raises(StoreCorruptError, match=r"norms\."):
        Retriever.open(store.path)


@pytest.mark.parametrize("change", [(b'"metric"', b'"metrik"'), (b'"cosine"', b'"euclidean"')])
def test_edited_index_manifest_refused(store, change):
    """An index manifest that was edited is refused."""
    file = store.path / "index" / "manifest.json"
    file.write_bytes(file.read_bytes().replace(*change))
    with pytest.raises(StoreCorruptError, match="checksum"):
        Retriever.open(store.path)
