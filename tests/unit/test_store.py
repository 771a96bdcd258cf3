"""A store is whole, or it says which file is not."""

from __future__ import annotations

import hashlib
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
from PIL import Image

from fashify.catalogue import load_catalogue
from fashify.errors import (
    CatalogueError,
    StoreCorruptError,
    StoreError,
    StoreMismatchError,
)
from fashify.features import extract_features
from fashify.index import make_index
from fashify.learning import learn
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore
from fashify.store.files import canonical_json, locked
from fashify.store.store import _parquet, _self_checksum


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


def test_columns_of_the_users_own_are_kept_whatever_their_names(toy, tmp_path):
    path, names = toy / "styles.csv", ["identity", "version", "row"]
    first, *rows = path.read_text().replace(", with", " with").splitlines()
    wanted = {
        line.split(",")[0]: [f"{name} of {n}" for name in names] for n, line in enumerate(rows)
    }
    mine = [",".join([line, *wanted[line.split(",")[0]]]) for line in rows]
    path.write_text("\n".join([",".join([first, *names]), *mine]) + "\n")
    catalogue = load_catalogue(toy)
    store = extract_features(catalogue, GridBackbone(), tmp_path / "store", engine=GridEngine())
    learned = learn(store.path, method="none", index=None)
    for kept in (store, learned, learned.save(tmp_path / "again")):
        found = kept.items.set_index("item_id")[names]
        assert found.loc["4"].tolist() == wanted["4"]
        assert found.loc["6"].tolist() == wanted["6"]
        assert np.array_equal(kept.features, store.features)
    assert store.location["row"].tolist() == [0, 1, 2, 3, 4, 0, 5, 6]


def test_a_column_named_as_one_of_the_files_own_is_refused(store, tmp_path):
    store.items["_row"] = 0
    with pytest.raises(StoreError, match=r"_identity, _version, _row.*Received _row"):
        store.save(tmp_path / "again")


def test_a_store_of_format_2_is_read_and_becomes_one_of_today(store, tmp_path):
    """Its own columns in items.parquet had no underscore."""
    items = pd.read_parquet(store.path / "items.parquet")
    data = _parquet(items.rename(columns=lambda name: name.removeprefix("_")))
    (store.path / "items.parquet").write_bytes(data)
    manifest = json.loads((store.path / "manifest.json").read_text())
    manifest["version"], manifest["files"]["items.parquet"] = 2, hashlib.sha256(data).hexdigest()
    manifest["sha256"] = _self_checksum(manifest)
    (store.path / "manifest.json").write_bytes(canonical_json(manifest))
    old = FeatureStore.load(store.path)
    assert old.verify() == []
    assert old.location.equals(store.location)
    assert old.items.equals(store.items)
    assert [m.item_id for m in Retriever.open(store.path).by_item("1", 1)] == ["6"]
    assert old.features.tolist() == store.features.tolist()


def test_a_store_made_in_memory_can_be_saved_and_replaced(tmp_path):
    for n in (3, 5):
        features = np.arange(n * 4, dtype=np.float32).reshape(n, 4)
        made = FeatureStore(features, [f"i{row}" for row in range(n)], {"note": "by hand"})
        saved = made.save(tmp_path / "mine")
        assert np.array_equal(saved.features, features)
        assert saved.verify() == []
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
def test_a_store_of_another_backbone_is_refused_by_name(store, field, value):
    other = replace(GridBackbone().spec, **{field: value})
    with pytest.raises(StoreMismatchError, match=field):
        FeatureStore.load(store.path, expect=other)


def test_another_version_is_refused(store):
    file = store.path / "manifest.json"
    manifest = json.loads(file.read_bytes()) | {"version": 99}
    manifest["sha256"] = _self_checksum(manifest)
    file.write_bytes(canonical_json(manifest))
    with pytest.raises(StoreMismatchError, match="version 99"):
        FeatureStore.load(store.path)


def test_every_flipped_bit_is_found_and_its_file_named(store):
    """The short version of ``python benchmarks/flips.py STORE``: the same flips, a small store."""
    answer = flips.flip_bits(store.path, 200, np.random.default_rng(0))
    assert answer["missed"] == []
    assert answer["found"] == 200
    assert set(answer["hit"]) == {
        "manifest.json", "items.parquet", "quarantine.csv", "index/", "shards/",
    }  # fmt: skip


def test_a_truncated_or_missing_shard_is_named_not_answered_from(store):
    shard = next((store.path / "shards").iterdir())
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(StoreCorruptError, match=shard.name[:20]):
        FeatureStore.load(store.path).features  # noqa: B018
    shard.unlink()
    assert [name for name, _ in store.verify()] == [f"shards/{shard.name}"]


def test_a_damaged_store_is_built_anew(store, toy_catalogue):
    (store.path / "items.parquet").write_bytes(b"x")
    with pytest.raises(StoreCorruptError, match=r"items\.parquet"):
        FeatureStore.load(store.path)
    again = extract_features(
        toy_catalogue, GridBackbone(), store.path, engine=GridEngine(), index="exact"
    )
    assert again.verify() == []
    assert len(again) == 8


def test_the_second_writer_is_refused(store, toy_catalogue):
    with locked(store.path), pytest.raises(StoreError, match="another process"):
        extract_features(toy_catalogue, GridBackbone(), store.path, engine=GridEngine())


def test_another_process_is_refused_and_its_death_lets_go(toy, toy_catalogue, tmp_path):
    script = """
import sys
from pathlib import Path
from fashify.store.files import locked
with locked(Path(sys.argv[1])):
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
def test_a_full_disk_is_named_and_the_store_stays_as_it_was(toy, mounted, free):
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


def test_a_read_only_disk_is_named_and_the_store_stays_as_it_was(toy_catalogue, mounted):
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


def test_saving_takes_nothing_over_from_an_interrupted_run(tmp_path):
    left = tmp_path / ".mine.building"
    (left / "index").mkdir(parents=True)
    (left / "index" / "manifest.json").write_text("{}")
    (left / "shards").mkdir()
    (left / "shards" / "old.safetensors").write_bytes(b"x")
    saved = FeatureStore(np.eye(2, dtype=np.float32), ["a", "b"], {}).save(tmp_path / "mine")
    assert not (saved.path / "index").exists()
    assert len(list((saved.path / "shards").iterdir())) == 1


def test_an_index_of_another_store_of_the_same_items_is_refused_and_named(store, tmp_path):
    order = np.roll(np.arange(len(store)), 1)
    other = make_index("exact").fit(store.features[order], store.item_ids)
    shutil.rmtree(store.path / "index")
    other.save(store.path / "index")
    with pytest.raises(StoreMismatchError, match="the store's own vectors"):
        Retriever.open(store.path)
    assert flips.verified(store.path) == ["index/manifest.json"]


def test_a_damaged_quarantine_is_named_not_read(store):
    (store.path / "quarantine.csv").write_bytes(b"")
    with pytest.raises(StoreCorruptError, match=r"quarantine\.csv"):
        store.quarantine  # noqa: B018


def test_large_index_files_are_read_through_before_they_answer(store, monkeypatch):
    monkeypatch.setattr("fashify.index.files._ALWAYS_HASHED", 0)
    norms = next((store.path / "index").glob("norms.*"))
    data = bytearray(norms.read_bytes())
    data[-1] ^= 1
    norms.write_bytes(data)
    Retriever.open(store.path, verify=False)
    with pytest.raises(StoreCorruptError, match=r"norms\."):
        Retriever.open(store.path)


@pytest.mark.parametrize("change", [(b'"metric"', b'"metrik"'), (b'"cosine"', b'"euclidean"')])
def test_an_index_manifest_that_was_edited_is_refused(store, change):
    file = store.path / "index" / "manifest.json"
    file.write_bytes(file.read_bytes().replace(*change))
    with pytest.raises(StoreCorruptError, match="checksum"):
        Retriever.open(store.path)
