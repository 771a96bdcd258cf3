"""Finding the product in a photo."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from fashify.backbones import load_backbone
from fashify.data import SAMPLE, read_photos
from fashify.errors import QueryError
from fashify.io.images import load_image
from fashify.io.storage.local import ZipArchive
from fashify.retrieval.region import Box, find_product
from fashify.retrieval.retriever import Retriever


@pytest.fixture(scope="module")
def backbone():
    return load_backbone("efficientnet-lite0")


def test_the_box_lies_round_the_thing(backbone) -> None:
    image = np.full((200, 300, 3), 245, np.uint8)
    rng = np.random.default_rng(0)
    image[100:180, 190:280] = rng.integers(0, 256, (80, 90, 3), np.uint8)
    box = find_product(backbone, image)
    assert box.left > 0.4
    assert box.top > 0.25
    middle = (box.top + box.bottom) / 2, (box.left + box.right) / 2
    assert middle == pytest.approx((0.7, 0.783), abs=0.15)


def test_a_blank_picture_has_a_box(backbone) -> None:
    box = find_product(backbone, np.full((50, 50, 3), 128, np.uint8))
    assert box.bottom > box.top


@pytest.mark.parametrize(
    "ends", [(0, 0, 0, 1), (0.5, 0, 0.4, 1), (-0.1, 0, 1, 1), (0, 0, 1, 1.2), (0.5, 0, 0.51, 1)]
)
def test_regions_that_are_none(ends) -> None:
    with pytest.raises(QueryError):
        Box(*ends)


def test_not_a_number_is_no_region() -> None:
    with pytest.raises(QueryError):
        Box(float("nan"), 0, 1, 1)


def test_cut_by_hand() -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    cut = Box(0.25, 0.5, 0.75, 1).crop_image(image)
    assert (cut == image[1:3, 2:4]).all()
    assert cut.base is None


def test_cropping_helps_the_sample_photos(sample_store: Path) -> None:
    """Searched with the region, every photo's own product comes among the first two."""
    retriever = Retriever.open(sample_store)
    photos = read_photos()
    for row in csv.DictReader(io.StringIO(ZipArchive(SAMPLE).read("queries/queries.csv").decode())):
        photo = load_image(photos[row["file"]])
        region = find_product(retriever.embedder.backbone, photo).crop_image(photo)
        found = [match.item_id for match in retriever.by_image(region, 2)]
        assert row["item_id"] in found, row["file"]
