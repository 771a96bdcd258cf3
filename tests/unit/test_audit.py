"""The toy catalogue has one copied image, one row without image, and one repaired row."""

from __future__ import annotations

import pytest

from fashify.audit import duplicate_images, gaps, image_facts, level_counts
from fashify.catalogue import load_catalogue


@pytest.fixture
def facts(toy_catalogue):
    return image_facts(toy_catalogue)


def test_image_facts_come_from_the_headers(facts):
    assert len(facts) == 8
    assert set(facts["width"]) == {60}
    assert set(facts["height"]) == {80}
    assert set(facts["mode"]) == {"RGB"}
    assert (facts["bytes"] > 300).all()


def test_an_unreadable_image_is_named_not_dropped(toy):
    (toy / "images" / "3.jpg").write_text("no picture")
    facts = image_facts(load_catalogue(toy)).set_index("item_id")
    assert facts.loc["3", "mode"] == "unreadable"
    assert len(facts) == 8


def test_duplicates_are_items_with_the_same_bytes(facts):
    found = duplicate_images(facts)
    assert found.to_dict("list") == {"group": [0, 0], "item_id": ["1", "6"], "copies": [2, 2]}


def test_gaps_count_what_is_missing(toy_catalogue, facts):
    found = gaps(toy_catalogue, facts).set_index("what")["n"]
    assert found["no image"] == 1
    assert found["malformed row, repaired"] == 1
    assert found["further copy of another's image"] == 1
    assert found["no season"] == 1
    assert found["no year"] == 1
    assert found["no usage"] == 0


def test_level_counts_name_the_largest_label(toy_catalogue):
    found = level_counts(toy_catalogue).set_index("level").loc["article_type"]
    assert (found["labels"], found["used_once"], found["largest"]) == (3, 1, "Shirts")
    assert found["share"] == pytest.approx(5 / 9)
