"""A query brought to the gallery's frame: what may be cut off, and what may not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fashify.features.framing import fit_to_frame, trim_margins
from fashify.io.images import resize

FRAME = (80, 60)
RNG = np.random.default_rng(0)


def product(height: int = 80, width: int = 60, margin: int = 6) -> np.ndarray:
    """A busy product with its own white margin."""
    image = np.full((height, width, 3), 255, np.uint8)
    inner = (slice(margin, height - margin), slice(margin, width - margin))
    image[inner] = RNG.integers(0, 200, image[inner].shape)
    return image


@pytest.mark.parametrize(("left", "right"), [(20, 20), (0, 40), (31, 9), (90, 0)])
def test_white_at_the_sides_is_taken_away_again(left: int, right: int) -> None:
    image = product()
    wide = np.pad(image, ((0, 0), (left, right), (0, 0)), constant_values=255)
    got = trim_margins(wide, FRAME)
    assert got.shape == image.shape
    # Cut evenly where both sides are plain, so the product may stand beside where it stood.
    assert (got.min(axis=2) < 255).sum() == (image.min(axis=2) < 255).sum()
    if left == right:
        np.testing.assert_array_equal(got, image)


def test_margins_removed() -> None:
    """Margins above and below go likewise and in any colour."""
    image = product()
    image[image.min(axis=2) == 255] = (20, 60, 90)
    high = np.pad(image, ((50, 50), (0, 0), (0, 0)))
    high[:50], high[-50:] = (20, 60, 90), (20, 60, 90)
    np.testing.assert_array_equal(trim_margins(high, FRAME), image)


def test_full_side_is_no_margin() -> None:
    """A product that fills one side is no margin."""
    image = np.full((80, 120, 3), 255, np.uint8)
    image[:, :50] = 20
    np.testing.assert_array_equal(trim_margins(image, FRAME), image)


def test_busy_margin_letterboxed() -> None:
    """What is not plain stays and is letterboxed."""
    busy = RNG.integers(0, 255, (80, 100, 3)).astype(np.uint8)
    np.testing.assert_array_equal(trim_margins(busy, FRAME), busy)
    np.testing.assert_array_equal(fit_to_frame(busy, FRAME), resize(busy, FRAME, fit="letterbox"))


def test_margins_that_the_proportions_allow_stay() -> None:
    image = product(160, 120, margin=40)
    np.testing.assert_array_equal(trim_margins(image, FRAME), image)


def test_plain_pictures_pass() -> None:
    """Plain pictures and lines of one pixel come through."""
    for shape in ((1, 1), (1, 500), (500, 1), (80, 200)):
        plain = np.full((*shape, 3), 255, np.uint8)
        assert fit_to_frame(plain, FRAME).shape == (*FRAME, 3)
        assert (fit_to_frame(plain, FRAME) == 255).all()


def test_a_large_picture_is_looked_at_by_steps() -> None:
    image = np.full((3000, 6000, 3), 255, np.uint8)
    image[:, 2500:4000] = RNG.integers(0, 200, (3000, 1500, 3))
    got = trim_margins(image, FRAME)
    assert got.shape == (3000, 2250, 3)
    assert (got.min(axis=2) < 255).sum() == (image.min(axis=2) < 255).sum()


def test_a_picture_in_the_frame_is_left_alone() -> None:
    image = product()
    assert fit_to_frame(image, FRAME, seen=(8, 8)) is image
    assert fit_to_frame(product(81, 60), FRAME, seen=(20, 15)).shape == (20, 15, 3)


def test_photos_stay_sharp() -> None:
    """A photo comes to the frame's proportions at the size that the network sees, no coarser."""
    photo = RNG.integers(0, 120, (400, 300, 3)).astype(np.uint8)
    seen = fit_to_frame(photo, FRAME, seen=(160, 120))
    np.testing.assert_array_equal(seen, resize(photo, (160, 120), fit="letterbox"))
    assert fit_to_frame(product(400, 300), FRAME, seen=(160, 120)).shape == (*FRAME, 3)
    assert fit_to_frame(photo, (800, 600), seen=(160, 120)).shape == (160, 120, 3)


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    box=st.tuples(*[st.integers(0, 59)] * 4),
    frame=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_no_pixel_of_a_product_is_ever_cut_off(height, width, box, frame) -> None:
    image = np.full((height, width, 3), 250, np.uint8)
    top, bottom, left, right = box
    image[min(top, bottom) : max(top, bottom) + 1, min(left, right) : max(left, right) + 1] = 10
    assume((image == 250).any())
    got = trim_margins(image, frame)
    assert (got == 10).sum() == (image == 10).sum()
    assert min(got.shape[:2]) >= 1
    # Only the longer way is cut, and no further than the frame's proportions, to the pixel.
    if width * frame[0] > height * frame[1]:
        assert got.shape[0] == height
        assert got.shape[1] >= round(height * frame[1] / frame[0])
    else:
        assert got.shape[1] == width
        assert got.shape[0] >= round(width * frame[0] / frame[1])
