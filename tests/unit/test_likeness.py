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
from fashify.catalogue.likeness import (
    SIZE,
    THRESHOLD,
    alike_codes,
    contrast,
    difference,
    look_alikes,
)
from fashify.evaluation.audit.facts import read_pictures
from fashify.io.images import resize
from fashify.store import FeatureStore


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


def test_resaved_copy_is_alike(folder):
    """A copy saved again or enlarged is alike and another product is not."""
    keys = dict(zip("abcdefgh", look_alikes(read_pictures(load_catalogue(folder))[1]), strict=True))
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


def test_search_misses_no_pair():
    """The search misses no pair that comparing all would find."""
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


def test_an_unreadable_picture_is_like_nothing(folder):
    (folder / "d.jpg").write_text("no picture")
    facts, signatures = read_pictures(load_catalogue(folder))
    assert facts["mode"].tolist().count("unreadable") == 1
    assert not signatures[3].any()
    keys = look_alikes(signatures)
    assert keys[0] == keys[1] != "" == keys[3]


def test_store_groups_basis(folder):
    """Groups of a store take all three and say so."""
    catalogue = load_catalogue(folder)
    names = catalogue.table.assign(name=["A", "B", "C", "A", *"EFGH"], article_type="x")
    _, signatures = read_pictures(catalogue)
    features = np.eye(8, dtype=np.float32)
    store = FeatureStore(features, names["item_id"], {}, items=names, signatures=signatures)
    assert store.group_basis == "name and type, look-alikes"
    assert len(set(store.groups[:4])) == 1
    assert len(set(store.groups)) == 5
    without = FeatureStore(features, names["item_id"], {}, items=names)
    np.testing.assert_array_equal(without.groups, group_ids(names))
    assert without.group_basis == "name and type"
