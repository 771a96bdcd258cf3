"""Colour features: known Lab values, background left out, likeness by colour alone."""

from __future__ import annotations

import numpy as np
import pytest

from fashify.features.colour import (
    COLOUR_DIM,
    _codes,
    _weights,
    colour_features,
    prototypes,
    rgb_to_lab,
)


def product(rgb: tuple[int, int, int], background: tuple[int, int, int] = (255, 255, 255)):
    image = np.empty((80, 60, 3), np.uint8)
    image[:] = background
    image[20:60, 15:45] = rgb
    return image


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        # CIE 15 and IEC 61966-2-1, as tables of sRGB's primaries give them.
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_lab_of_known_colours(rgb, lab) -> None:
    np.testing.assert_allclose(rgb_to_lab(np.array(rgb)), lab, atol=0.05)


def test_features_unit_length_and_independent() -> None:
    """Features are of unit length and depend on one picture alone."""
    batch = np.stack([product((200, 0, 0)), product((0, 0, 200)), product((255, 255, 255))])
    features = colour_features(batch)
    assert features.shape == (3, COLOUR_DIM) == (3, len(prototypes()))
    assert features.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)
    assert np.array_equal(colour_features(batch[1:2])[0], features[1])
    assert colour_features(batch[:0]).shape == (0, COLOUR_DIM)


def test_same_colour_is_nearer() -> None:
    """The same colour is nearer than another whatever the shape or ground."""
    red, wide = product((190, 20, 30)), product((190, 20, 30))
    wide[10:30, 5:55] = (190, 20, 30)
    on_grey, blue = product((190, 20, 30), (225, 225, 225)), product((20, 30, 190))
    one, same, grey, other = colour_features(np.stack([red, wide, on_grey, blue]))
    assert one @ same > 0.98
    assert one @ grey > 0.9
    assert one @ other < 0.4


def test_ground_counts_little() -> None:
    """The ground counts little and white on white something."""
    weights = _weights(_codes(product((10, 10, 10))[None])[0])
    assert weights[40, 30] == 1
    assert weights[2, 2] == pytest.approx(0.03)
    assert np.linalg.norm(colour_features(product((255, 255, 255))[None])) == pytest.approx(1)
