"""The parts of a cosine add up to the whole, by hand and in a real network."""

from __future__ import annotations

import numpy as np
import pytest

from fashify.backbones import load_backbone
from fashify.errors import QueryError
from fashify.retrieval.explanation import draw_overlay, explain_images, explain_maps


@pytest.fixture(scope="module")
def backbone():
    return load_backbone("efficientnet-lite0")


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """A red square on white, left in one picture and right in the other."""
    left = np.full((120, 160, 3), 255, np.uint8)
    right = left.copy()
    left[40:90, 10:60] = right[40:90, 100:150] = (200, 20, 30)
    return left, right


def test_by_hand() -> None:
    query = np.array([[[2.0, 0.0], [0.0, 0.0]]], np.float32)
    match = np.array([[[1.0, 0.0], [0.0, 1.0]]], np.float32)
    found = explain_maps(query, match)
    assert found.cosine == pytest.approx(np.sqrt(0.5))
    assert found.query == pytest.approx(np.array([[np.sqrt(0.5), 0.0]]))
    assert found.match == pytest.approx(np.array([[np.sqrt(0.5), 0.0]]))


@pytest.mark.parametrize("shapes", [((7, 7), (7, 7)), ((3, 5), (7, 2))])
def test_parts_add_up(shapes) -> None:
    rng = np.random.default_rng(0)
    query, match = (rng.normal(size=(*shape, 64)).astype(np.float32) for shape in shapes)
    found = explain_maps(query, match)
    pooled = [places.mean(axis=(0, 1)) for places in (query, match)]
    cosine = pooled[0] @ pooled[1] / np.prod([np.linalg.norm(one) for one in pooled])
    assert found.cosine == pytest.approx(cosine, abs=1e-5)
    assert found.query.shape == shapes[0]
    assert found.match.shape == shapes[1]
    assert found.query.sum() == pytest.approx(found.cosine, abs=1e-5)
    assert found.match.sum() == pytest.approx(found.cosine, abs=1e-5)


def test_parts_add_up_in_a_network(backbone, pictures) -> None:
    from fashify.io.images import resize

    found = explain_images(backbone, *pictures)
    size = backbone.spec.input_size
    features = backbone.embed(np.stack([resize(one, size) for one in pictures]))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    assert found.cosine == pytest.approx(float(unit[0] @ unit[1]), abs=1e-5)
    assert found.query.sum() == pytest.approx(found.cosine, abs=1e-5)
    assert found.match.sum() == pytest.approx(found.cosine, abs=1e-5)


def test_the_heat_lies_on_the_thing(backbone, pictures) -> None:
    found = explain_images(backbone, *pictures)
    middle = found.query.shape[1] // 2
    assert found.query[:, :middle].sum() > found.query[:, -middle:].sum()
    assert found.match[:, :middle].sum() < found.match[:, -middle:].sum()


@pytest.mark.parametrize(
    "maps",
    [
        (np.ones((2, 2, 3)), np.ones((2, 2, 4))),
        (np.ones((2, 3)), np.ones((2, 3))),
        (np.zeros((2, 2, 3)), np.ones((2, 2, 3))),
    ],
)
def test_unusable_maps(maps) -> None:
    with pytest.raises(QueryError):
        explain_maps(*maps)


def test_overlay_paints_where_it_is_hot() -> None:
    image = np.full((64, 64, 3), 200, np.uint8)
    parts = np.zeros((4, 4), np.float32)
    parts[0, 0], parts[3, 3] = 1, -5
    painted = draw_overlay(image, parts)
    assert painted.shape == image.shape
    assert painted.dtype == np.uint8
    assert painted[2, 2, 0] > painted[2, 2, 1] + 80
    assert np.ptp(painted[60, 60]) == 0
    assert (image == 200).all()


def test_overlay_of_nothing_is_the_picture_faded() -> None:
    image = np.full((8, 8, 3), (200, 100, 0), np.uint8)
    assert (draw_overlay(image, np.zeros((2, 2))) == draw_overlay(image, -np.ones((2, 2)))).all()
