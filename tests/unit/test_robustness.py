"""Spoiled pictures keep their promises; what is measured of them is worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from fashify.catalogue import load_catalogue
from fashify.config import LEVELS
from fashify.errors import QueryError
from fashify.evaluation.robustness import (
    PERTURBATIONS,
    Remedy,
    list_remedies,
    measure_robustness,
    perturb_image_rows,
)
from fashify.evaluation.robustness.measure import RobustnessReport
from fashify.features.framing import product_mask
from fashify.index import make_index
from fashify.io.images import resize
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore
from fashify.store.items import make_views


@pytest.fixture
def shirt() -> np.ndarray:
    image = np.full((80, 60, 3), 255, np.uint8)
    image[10:70, 12:48] = (30, 60, 120)
    image[30:40, 25:35] = 255
    return image


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbations_follow_seed(name, shirt):
    """Every perturbation gives a picture the same for the same seed."""
    one, before = PERTURBATIONS[name], shirt.copy()
    for strength in one.strengths:
        spoiled = one(shirt, strength, (1, 2))
        assert spoiled.dtype == np.uint8
        assert spoiled.shape[2:] == (3,)
        assert min(spoiled.shape[:2]) >= 30
        np.testing.assert_array_equal(spoiled, one(shirt, strength, (1, 2)))
    np.testing.assert_array_equal(shirt, before)


@pytest.mark.parametrize("name", ["blur", "JPEG", "rotation", "light", "crop"])
def test_more_strength_does_more_harm(name, shirt):
    one = PERTURBATIONS[name]
    gaps = [
        np.abs(resize(one(shirt, s, 0), (80, 60)).astype(int) - shirt).mean()
        for s in one.strengths[:4]
    ]
    assert gaps[0] > 0
    assert gaps == sorted(gaps)


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3)])
def test_odd_sizes_are_spoiled_too(name, size):
    one = PERTURBATIONS[name]
    assert one(np.full((*size, 3), 90, np.uint8), one.strengths[-1], 0).size


def test_screens_frames_and_turns_by_hand(shirt):
    """The picture itself is in each of them, at the place and in the size that were asked for."""
    screen = PERTURBATIONS["dark screenshot"](shirt, 20, 0)
    assert screen.shape[1] == 360
    assert (screen[0] == 18).all()
    columns = np.flatnonzero((screen[200] != 18).any(axis=1))
    assert len(columns) == 288
    framed = PERTURBATIONS["frame"](shirt, 10, 0)
    np.testing.assert_array_equal(framed[6:-6, 6:-6], shirt)
    assert len(np.unique(framed[:6].reshape(-1, 3), axis=0)) == 1
    turned = PERTURBATIONS["quarter turns"](shirt, 90, 0)
    np.testing.assert_array_equal(turned, np.rot90(shirt, -1))


def test_mask_keeps_inner_white(shirt):
    """The mask leaves out the white around but not the white inside."""
    mask = product_mask(shirt)
    assert mask[0, 0] == 0
    assert mask[35, 30] == 255
    assert (mask > 0).sum() == 60 * 36


def test_backdrop_keeps_colour(shirt):
    """A product before a backdrop keeps its colour."""
    photo = PERTURBATIONS["background"](shirt, 30, 3)
    assert photo.shape == (480, 360, 3)
    assert (np.abs(photo.astype(int) - (30, 60, 120)).max(axis=2) < 4).mean() > 0.1
    assert (photo > 250).all(axis=2).mean() < 0.1


def test_strengths_spread():
    """Some strengths are spread and hold the largest."""
    one = PERTURBATIONS["blur"]
    assert one.choose_strengths(1) == (8,)
    assert one.choose_strengths(3) == (1, 4, 8)
    assert one.choose_strengths(9) == one.strengths


def colours(images) -> np.ndarray:
    """(n, 3): the mean colour of the product, as a feature that minds neither size nor frame."""
    return np.stack([255.0 - image.reshape(-1, 3).min(axis=0) + 1 for image in images]).astype(
        np.float32
    )


def blind(images) -> np.ndarray:
    return np.ones((len(images), 3), np.float32)


@pytest.fixture
def asked(toy_catalogue):
    items = toy_catalogue.table[toy_catalogue.table["has_image"]].reset_index(drop=True)
    features = colours([toy_catalogue.image(i) for i in items["item_id"]])
    store = FeatureStore(features, items["item_id"], {}, items=items)
    index = make_index("exact").fit(features, store.item_ids)
    return store, toy_catalogue, {"sees": Remedy(colours, index), "blind": Remedy(blind, index)}


def test_blind_remedy_fails(asked):
    """A remedy that sees finds the product and a blind one does not."""
    report = measure_robustness(*asked, split="all", names=["size", "framing"], strengths=2, k=2)
    assert len(report.table) == 2 * (1 + 2 + 2)
    assert set(report.table["n"]) == {7}  # The watch has nobody of its type.
    means = report.means().set_index("remedy")
    assert means.loc["sees", "hit_k"] > 0.7
    assert means.loc["blind", "hit_1"] <= 2 / 7
    edges = report.table["hit_k_low"], report.table["hit_k"], report.table["hit_k_high"]
    assert (edges[0] <= edges[1]).all()
    assert (edges[1] <= edges[2]).all()
    json.dumps(report.to_dict(), allow_nan=False)


class Grouped(FeatureStore):
    groups = np.array([1, 1, 2, 3, 4])


def test_measures_by_hand():
    # Five items on a line of angles, asked with their own vectors: p and q share a file's group.
    angles = np.radians([0, 1, 3, 6, 50])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    items = pd.DataFrame({"item_id": list("pqrst")}).assign(**{level: "" for level in LEVELS})
    items["article_type"] = ["a", "a", "b", "a", "b"]

    class Pictures:
        def image(self, item_id):
            return np.full((2, 2, 3), "pqrst".index(item_id), np.uint8)

    def next_one(images):
        return features[[min(4, int(image[0, 0, 0]) + 1) for image in images]]

    store = Grouped(features, items["item_id"], {}, items=items)
    index = make_index("exact").fit(features, store.item_ids)
    own = Remedy(lambda images: features[[int(i[0, 0, 0]) for i in images]], index)
    options = {"split": "all", "names": [], "k": 2}
    report = measure_robustness(
        store, Pictures(), {"own": own, "next": Remedy(next_one, index)}, **options
    )
    table = report.table.set_index("remedy")
    assert table.loc["own", ["hit_1", "hit_k"]].tolist() == [1, 1]
    # Apart, the two nearest of p: r s, of q: r s, of r: q p, of s: r q, of t: s r.
    assert table.loc["own", "precision"] == pytest.approx((0.5 + 0.5 + 0 + 0.5 + 0.5) / 5)
    # Asked one farther: p finds q p, q finds r q, r finds s r, s finds t s, t finds t.
    assert table.loc["next", ["hit_1", "hit_k"]].tolist() == pytest.approx([1 / 5, 1])


def test_conclusions_name_best_remedy_and_hardest_perturbation():
    names = ("as it comes", "framed")
    rows = [
        {"remedy": remedy, "perturbation": what, "strength": strength, "hit_1": hit, "hit_k": 1.0,
         "precision": 0.5}
        for remedy, worth in zip(names, (0.0, 0.2), strict=True)
        for what, strength, hit in (("none", 0, 1), ("blur", 1, 0.6 + worth), ("light", 9, 0.8))
    ]  # fmt: skip
    found = RobustnessReport(pd.DataFrame(rows), 5, "article_type", 10).conclusions()
    assert "70% are found first with as it comes, 80% with framed" in found[0]
    assert found[1] == "Among the first 5 are 100% and 100% of them."
    assert "blur does most harm, with 80% found first by framed, and light" in found[3]


def test_a_copy_of_the_very_file_counts_as_found(asked):
    store, catalogue, remedies = asked
    views = make_views(store.items).assign(sha256=list("abcdeagh"))  # Items 1 and 6: one file.
    one = FeatureStore(store.features, store.item_ids, {}, items=store.items, views=views)
    first, alike = (
        measure_robustness(s, catalogue, remedies, split="all", names=[], k=2) for s in (store, one)
    )
    assert alike.table["hit_1"].iloc[0] > first.table["hit_1"].iloc[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 0}, "k from 1 to 7"),
        ({"k": 8}, "k from 1 to 7"),
        ({"n": 0}, "n = 0"),
        ({"names": ["hail"]}, "'hail'"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, options, words):
    with pytest.raises(QueryError, match=words):
        measure_robustness(*asked, **{"split": "all", "k": 2} | options)


def test_an_empty_split_is_refused(asked):
    asked[0].split = np.full(8, "train")
    with pytest.raises(QueryError, match="of the test split"):
        measure_robustness(*asked, split="test", k=2)


def test_no_remedy_is_refused(asked):
    with pytest.raises(QueryError, match="list_remedies"):
        measure_robustness(asked[0], asked[1], {})


def test_rows_for_a_figure(shirt):
    rows = perturb_image_rows(shirt, names=["size", "blur"], n=2)
    assert [words for words, _ in rows] == ["size: times the size", "blur: sigma, % of the width"]
    assert [caption for _, caption in rows[0][1]] == ["as it is", "0.5", "8"]


def test_remedies_of_sample_store(sample_store):
    """The sample store's remedies search with its own network."""
    catalogue = load_catalogue("sample")
    retriever = Retriever.open(sample_store, catalogue=catalogue)
    remedies = list_remedies(retriever)
    assert list(remedies) == [
        *("as it comes", "gallery's frame", "product cut out", "way of a photo")
    ]
    report = measure_robustness(
        retriever.store, catalogue, remedies, n=6, names=["framing", "background"], strengths=1
    )
    table = report.table.set_index(["remedy", "perturbation"])["hit_1"]
    spoiled = table.xs("background", level="perturbation")
    assert spoiled["gallery's frame"] <= spoiled["product cut out"]
    assert table["as it comes", "none"] == 1
    assert table["gallery's frame", "none"] == 1
    # The margins go before anything is made smaller.
    assert table["as it comes", "framing"] < table["gallery's frame", "framing"] == 1
