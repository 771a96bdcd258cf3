"""Views to train on: what is drawn repeats, what is sampled lands where it should."""

from __future__ import annotations

import numpy as np
import pytest

from fashify.backbones.quiet import import_tensorflow
from fashify.learning.placement import Placement, draw_maps, sample
from fashify.learning.views import (
    clean_view,
    compose,
    draw_clean,
    draw_erased,
    erase,
    product_masks,
)

SIZE = (80, 60)


@pytest.fixture(scope="module", autouse=True)
def _quiet() -> None:
    import_tensorflow()


@pytest.fixture
def shirts() -> np.ndarray:
    """Three red squares on white, (3, 80, 60, 3)."""
    pictures = np.full((3, *SIZE, 3), 255, np.uint8)
    pictures[:, 20:60, 15:45] = (200, 30, 40)
    return pictures


def test_sample_identity(shirts):
    """The map that moves nothing gives the picture, at another size the picture enlarged."""
    still = np.tile(np.eye(2, 3, dtype=np.float32), (3, 1, 1))
    pictures = shirts.astype(np.float32)
    assert np.allclose(sample(pictures, still, SIZE), pictures, atol=1e-3)
    large = np.asarray(sample(pictures, still, (160, 120)))
    assert np.allclose(large[:, 60:100, 50:70], (200, 30, 40), atol=1e-2)


@pytest.mark.parametrize(("outside", "found"), [("zero", 0), ("edge", 9), ("mirror", 4)])
def test_sample_outside(outside, found):
    """A view shifted wholly beyond the right edge: nothing, the last column, or its mirror."""
    row = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9], np.float32)[None, None, :, None]
    away = np.array([[[1, 0, 2], [0, 1, 0]]], np.float32)
    view = np.asarray(sample(row, away, (1, 9), outside=outside))
    assert view[0, 0, 5, 0] == pytest.approx(found)


def test_maps_shrink():
    """A product at half its size: the view's corners see what lies twice as far out."""
    half = Placement((0.5, 0.5), turn=0, shift=0, stretch=0, shear=0, flip=False)
    maps = draw_maps(np.random.default_rng(0), 4, half, SIZE)
    assert np.allclose(maps[:, 0, 0], 2)
    assert np.allclose(maps[:, 1, 1], 2)
    assert np.allclose(maps[:, 0, 1], 0)


def test_compose_repeats(shirts):
    """One state of chance, one picture; another state, another; the product stays in sight."""
    first = compose(shirts, np.random.default_rng(3))
    assert first.dtype == np.uint8
    assert first.shape == shirts.shape
    assert np.array_equal(first, compose(shirts, np.random.default_rng(3)))
    assert not np.array_equal(first, compose(shirts, np.random.default_rng(4)))
    signed = first.astype(int)
    red = (signed[..., 0] - signed[..., 1] > 40) & (signed[..., 0] - signed[..., 2] > 30)
    assert (red.mean(axis=(1, 2)) > 0.05).all()


def test_compose_photos(shirts):
    """Crops of the photos given lie behind about half of the products."""
    green = np.zeros((1, 40, 30, 3), np.uint8)
    green[..., 1] = 200
    made = compose(np.repeat(shirts, 20, axis=0), np.random.default_rng(0), green).astype(int)
    behind = made[:, 2, 2, 1] - made[:, 2, 2, [0, 2]].max(axis=1) > 80
    assert 0.25 < behind.mean() < 0.6


def test_masks_blank(shirts):
    """A picture with nothing but white is taken whole."""
    shirts[0] = 255
    masks = product_masks(shirts)
    assert masks[0].min() == 255
    assert masks[1].mean() / 255 == pytest.approx(0.25)


def test_clean_stays_clean(shirts):
    """The clean view keeps a light ground and the product's colour."""
    rng = np.random.default_rng(1)
    view = np.asarray(clean_view(shirts.astype(np.float32), draw_clean(rng, 3, SIZE), SIZE))
    assert view[:, 1, 1].min() > 180
    assert (view[:, 40, 30, 0] > view[:, 40, 30, 1] + 80).all()


def test_erase_share():
    """A quarter of the pictures lose a rectangle, the others nothing."""
    blank = np.full((200, *SIZE, 3), -1, np.float32)
    view = np.asarray(erase(blank, draw_erased(np.random.default_rng(0), 200, SIZE)))
    touched = (view != blank).any(axis=(1, 2, 3))
    assert 0.15 < touched.mean() < 0.35
    shares = (view != blank).any(axis=3).mean(axis=(1, 2))[touched]
    assert shares.min() > 0.003
    assert shares.max() < 0.1
