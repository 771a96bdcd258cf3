"""The toy catalogue has one copied image, one row without image, and one repaired row."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from toy import write_toy

from fashify.catalogue import load_catalogue
from fashify.config import LEVELS
from fashify.evaluation.audit import (
    audit,
    count_labels,
    estimate_label_noise,
    find_duplicate_images,
    find_gaps,
    measure_resaving,
    picture_rows,
    read_image_facts,
)


@pytest.fixture
def facts(toy_catalogue):
    return read_image_facts(toy_catalogue)


def test_image_facts_come_from_the_headers(facts):
    assert len(facts) == 8
    assert set(facts["width"]) == {60}
    assert set(facts["height"]) == {80}
    assert set(facts["mode"]) == {"RGB"}
    assert (facts["bytes"] > 300).all()


def test_an_unreadable_image_is_named_not_dropped(toy):
    (toy / "images" / "3.jpg").write_text("no picture")
    facts = read_image_facts(load_catalogue(toy)).set_index("item_id")
    assert facts.loc["3", "mode"] == "unreadable"
    assert len(facts) == 8


def test_duplicates_are_items_with_the_same_bytes(facts):
    found = find_duplicate_images(facts)
    assert found.to_dict("list") == {"group": [0, 0], "item_id": ["1", "6"], "copies": [2, 2]}


def test_gaps_count_what_is_missing(toy_catalogue, facts):
    found = find_gaps(toy_catalogue, facts).set_index("what")["n"]
    assert found["no image"] == 1
    assert found["malformed row, repaired"] == 1
    assert found["further copy of another's image"] == 1
    assert found["no season"] == 1
    assert found["no year"] == 1
    assert found["no usage"] == 0


def test_level_counts_name_the_largest_label(toy_catalogue):
    found = count_labels(toy_catalogue).set_index("level").loc["article_type"]
    assert (found["labels"], found["used_once"], found["largest"]) == (3, 1, "Shirts")
    assert found["share"] == pytest.approx(5 / 9)


#: Copies "p" (three), "q" (two) and "r" (two); the last product is nobody's copy.
KEYS = np.array(["p", "p", "p", "q", "q", "r", "r", ""], dtype=object)


def noise(labels: list[str]) -> pd.Series:
    items = pd.DataFrame({level: "" for level in LEVELS}, index=range(8)).assign(usage=labels)
    return estimate_label_noise(items, KEYS).set_index("level").loc["usage"]


def test_label_noise_by_hand():
    # Of the three pairs of p two differ, q's does not, and r has one label only.
    found = noise(["a", "a", "b", "c", "c", "d", "", "a"])
    assert (found["groups"], found["disagree"], found["share"]) == (2, 1, 0.5)
    assert found["differ"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["noise"] == pytest.approx(1 - np.sqrt(2 / 3))
    assert found["low"] <= found["noise"] <= found["high"]


def test_agreeing_labels_have_no_noise():
    """Labels that agree have no noise and missing ones tell nothing."""
    assert noise(["a", "a", "a", "b", "b", "c", "c", "d"])["noise"] == 0
    assert np.isnan(noise([""] * 8)["noise"])
    assert noise([""] * 8)["groups"] == 0


def test_estimate_finds_noise():
    """The estimate finds the noise that was put in."""
    rng = np.random.default_rng(0)
    truth = np.repeat(rng.integers(0, 40, 3_000), 2)
    wrong = rng.random(6_000) < 0.05
    labels = np.where(wrong, rng.integers(0, 40, 6_000), truth).astype(str)
    items = pd.DataFrame({level: labels for level in LEVELS})
    keys = np.repeat(np.arange(3_000), 2).astype(str).astype(object)
    found = estimate_label_noise(items, keys).iloc[0]
    assert found["low"] < wrong.mean() * 39 / 40 < found["high"]
    assert found["high"] - found["low"] < 0.02


@pytest.fixture
def audited(tmp_path, monkeypatch):
    """The toy with 2 saved anew as 3, and 4 and 5 of one name."""
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "cache"))
    folder = write_toy(tmp_path / "toy")
    Image.open(folder / "images" / "2.jpg").save(folder / "images" / "3.jpg", quality=80)
    table = folder / "styles.csv"
    table.write_text(table.read_text().replace("Acme Blue Heels", "Acme Red Heels"))
    return audit(load_catalogue(folder)), load_catalogue(folder)


def test_audit_joins_kinds(audited):
    """An audit joins equal files look-alikes and variants."""
    found, catalogue = audited
    kinds = found.kinds.set_index("kind")
    # 1 and 6 are one file and one name; the cut-off bar of 9 has no image.
    assert kinds["products"].to_dict() == {
        "equal files": 2, "look-alikes": 4, "variants": 4, "groups": 6,
    }  # fmt: skip
    assert kinds.loc["groups", ["groups", "largest"]].tolist() == [3, 2]
    groups = found.items.set_index("item_id")["group"]
    assert groups["1"] == groups["6"]
    assert groups["2"] == groups["3"]
    assert groups["4"] == groups["5"]
    assert groups.nunique() == 6
    assert found.items.groupby("group")["split"].nunique().max() == 1
    assert found.splits["products"].sum() == len(catalogue) == 9


def test_groups_come_as_picture_rows(audited):
    found, catalogue = audited
    assert found.largest("equal files") == [["1", "6"]]
    rows = picture_rows(catalogue, found.largest("equal files"), level="base_colour")
    words, pictures = rows[0]
    assert words == "2 products: Acme Red Shirts"
    assert [caption for _, caption in pictures] == ["Red", "Red"]
    assert pictures[0][0].shape == (80, 60, 3)
    assert len(found.largest("groups", n=2, seed=1)) == 2


def test_audit_writes_json_and_csv(audited, tmp_path):
    """An audit is plain JSON and one CSV line per product."""
    found, _ = audited
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert {row["kind"] for row in read["noise"]} == {"equal files", "look-alikes", "variants"}
    assert found.conclusions()[1].startswith("2 share their file, ")
    found.to_csv(tmp_path / "audit.csv")
    table = pd.read_csv(tmp_path / "audit.csv", dtype=str)
    assert table["item_id"].tolist() == [str(n) for n in range(1, 10)]
    assert found.describe_noise.startswith("In 1 group of equal files no two products disagree")


def test_audit_without_copies_or_labels(tmp_path, monkeypatch):
    """A catalogue without copies or labels is audited too."""
    monkeypatch.setenv("FASHIFY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "shop").mkdir()
    for name, colour in (("a", "red"), ("b", "blue")):
        Image.new("RGB", (30, 40), colour).save(tmp_path / "shop" / f"{name}.png")
    found = audit(load_catalogue(tmp_path / "shop"))
    assert found.kinds["groups"].tolist() == [0, 0, 0, 0]
    assert found.largest() == []
    assert "nothing tells" in found.describe_noise
    json.dumps(found.to_dict(), allow_nan=False)


def test_resaved_pictures_stay_below_threshold(toy_catalogue):
    """Pictures saved again stay below the threshold and others above."""
    found = measure_resaving(toy_catalogue.select(["1", "4", "8"]), n=3).set_index("what")
    assert found.loc["twice the size", "alike"] == 1
    assert found.loc["JPEG quality 90", "p99"] < 0.05
    assert found.loc["nearest other picture", "alike"] == 0
