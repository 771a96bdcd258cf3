"""Colour profiles: the same colours whatever the file's space; broken profiles lose nothing."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from fashify.io.images import load_image

CASES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "wide-gamut-photos"


@pytest.mark.parametrize(("name", "most"), [("adobe", 0.8), ("p3", 0.8), ("prophoto", 1.0)])
def test_wide_gamut(name, most):
    """One drawn product in three wide spaces: nearly the sRGB picture, whole and in strips."""
    if not CASES.is_dir():
        pytest.skip("the shared cases are not beside this checkout")
    wanted = load_image(CASES / "srgb.png").astype(int)
    found = load_image(CASES / f"{name}.jpg").astype(int)
    assert np.abs(found - wanted).mean() < most
    plain = Image.open(CASES / f"{name}.jpg")
    untouched = np.abs(np.asarray(plain).astype(int) - wanted).mean()
    assert np.abs(found - wanted).mean() < 0.4 * untouched


def saved(profile: bytes, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (8, 6), (200, 40, 60) if mode == "RGB" else 90).save(
        buffer, "PNG", icc_profile=profile
    )
    return buffer.getvalue()


def test_srgb_untouched():
    """A picture that says it is sRGB keeps its numbers."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (load_image(saved(profile)) == (200, 40, 60)).all()


@pytest.mark.parametrize("profile", [b"no profile at all", b"\x00" * 200])
def test_broken_profile(profile):
    """A profile that cannot be read: the picture as it is."""
    assert (load_image(saved(profile)) == (200, 40, 60)).all()


def test_grey_with_rgb_profile():
    """A profile for another number of channels is not applied wrongly."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (load_image(saved(profile, "L")) == 90).all()
