"""Pictures that look alike are found whatever they were saved as, and others are left apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from fashify.catalogue import load_catalogue
from fashify.catalogue.groups import group_ids
from fashify.features.likeness import (
    SIZE,
    THRESHOLD,
    alike_codes,
    contrast,
    difference,
    item_groups,
    look_alikes,
    signatures,
)
from fashify.io.images import resize
from fashify.store import FeatureStore


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "cache"))


def shirt(colour: str) -> Image.Image:
    image = Image.new("RGB", (60, 80), "white")
    ImageDraw.Draw(image).polygon([(14, 10), (46, 10), (52, 70), (8, 70)], colour)
    return image


def earring(left: int) -> Image.Image:
    image = Image.new("RGB", (60, 80), "white")
    ImageDraw.Draw(image).line((left, 30, left, 50), fill="silver", width=2)
    return image


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "shop").mkdir()
    pictures = {
        "a": (shirt("navy"), {"quality": 95}),
        "b": (shirt("navy"), {"quality": 60}),
        "c": (shirt("navy").resize((240, 320)), {"quality": 90}),
        "d": (shirt("green"), {"quality": 95}),
        "e": (earring(20), {"quality": 95}),
        "f": (earring(26), {"quality": 95}),
        "g": (Image.new("RGB", (60, 80), "white"), {"quality": 95}),
        "h": (Image.new("RGB", (61, 80), "white"), {"quality": 95}),
    }
    for name, (image, how) in pictures.items():
        image.save(tmp_path / "shop" / f"{name}.jpg", **how)
    return tmp_path / "shop"


def test_a_copy_saved_anew_or_enlarged_is_alike_and_another_product_is_not(folder):
    keys = dict(zip("abcdefgh", look_alikes(load_catalogue(folder)), strict=True))
    assert keys["a"] == keys["b"] == keys["c"] != ""
    assert {keys[name] for name in "defgh"} == {""}


def test_the_difference_by_hand():
    # Half black, half 100: contrast 50; the other has 104 there: mean square 8, over contrast 50.
    one = np.zeros((1, 2, 2, 3), np.uint8)
    one[0, 0] = 100
    other = one.copy()
    other[0, 0] = 104
    assert contrast(one)[0] == pytest.approx(50)
    assert difference(one, other)[0] == pytest.approx(np.sqrt(8) / 50)
    assert difference(other, one)[0] == difference(one, other)[0]


def test_the_search_misses_no_pair_that_comparing_all_would_find():
    rng = np.random.default_rng(0)
    drawn = [resize(rng.integers(0, 256, (3, 3, 3), np.uint8), SIZE) for _ in range(60)]
    base = np.repeat(drawn, 4, axis=0).astype(int)
    noise = rng.normal(0, np.tile([0.0, 2.0, 3.0, 6.0], 60)[:, None, None, None], base.shape)
    small = np.clip(base + noise, 0, 255).astype(np.uint8)
    n = len(small)
    alike = [difference(small, np.repeat(one[None], n, axis=0)) <= THRESHOLD for one in small]
    expected = connected_components(coo_matrix(np.array(alike)), directed=False)[1]
    found = alike_codes(small)
    alone = pd.Series(expected).groupby(expected).transform("size").to_numpy() == 1
    assert 0.1 < alone.mean() < 0.9
    np.testing.assert_array_equal(found < 0, alone)
    together = pd.DataFrame({"found": found[~alone], "expected": expected[~alone]})
    assert len(together.drop_duplicates()) == together["found"].nunique()
    assert together["found"].nunique() == together["expected"].nunique()


@pytest.mark.parametrize("n", [0, 1])
def test_a_picture_alone_is_like_nothing(n):
    assert alike_codes(np.full((n, *SIZE, 3), 9, np.uint8)).tolist() == [-1] * n


def test_the_answer_is_kept_until_a_picture_changes(folder, monkeypatch):
    catalogue = load_catalogue(folder)
    first = look_alikes(catalogue)
    with monkeypatch.context() as patched:
        patched.setattr(
            "fashify.features.likeness.signatures", lambda *_, **__: pytest.fail("read again")
        )
        assert look_alikes(catalogue).tolist() == first.tolist()
    shirt("red").save(folder / "b.jpg")
    assert look_alikes(load_catalogue(folder)).tolist() != first.tolist()


def test_a_damaged_cache_and_an_unreadable_picture_harm_nothing(folder, tmp_path):
    first = look_alikes(load_catalogue(folder))
    (kept,) = (tmp_path / "cache" / "look-alikes").glob("*.npy")
    kept.write_bytes(b"no array")
    assert look_alikes(load_catalogue(folder)).tolist() == first.tolist()
    (folder / "d.jpg").write_text("no picture")
    assert not signatures(load_catalogue(folder))[3].any()
    assert look_alikes(load_catalogue(folder)).tolist() == first.tolist()


def test_a_cache_that_cannot_be_written_costs_no_answer(folder, tmp_path, caplog):
    (tmp_path / "cache").write_text("in the way")
    assert look_alikes(load_catalogue(folder))[0] != ""
    assert "not kept" in caplog.text


def test_groups_of_a_store_take_all_three_and_say_so(folder):
    catalogue = load_catalogue(folder)
    names = catalogue.table.assign(name=["A", "B", "C", "A", *"EFGH"], article_type="x")
    store = FeatureStore(np.eye(8, dtype=np.float32), names["item_id"], {}, items=names)
    groups, basis = item_groups(store, catalogue)
    assert basis.endswith("look-alikes")
    assert len(set(groups[:4])) == 1
    assert len(set(groups)) == 5


def test_groups_go_without_look_alikes_where_the_pictures_are_gone(folder, caplog):
    catalogue = load_catalogue(folder)
    meta = {"catalogue": {"source": str(folder / "moved"), "kind": "folder"}}
    store = FeatureStore(
        np.eye(8, dtype=np.float32), catalogue.item_ids, meta, items=catalogue.table
    )
    groups, basis = item_groups(store)
    np.testing.assert_array_equal(groups, group_ids(catalogue.table))
    assert "look-alikes" not in basis
    assert "without look-alikes" in caplog.text
