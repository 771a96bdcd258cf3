"""Colour profiles: pictures in Adobe RGB, Display P3 and the like become sRGB.

A phone's photo in P3 shown as if it were sRGB is too pale, and so its colours are searched wrongly.
"""

from __future__ import annotations

import io
import logging
from functools import lru_cache
from typing import Any

from PIL import Image, ImageCms

logger = logging.getLogger(__name__)

#: Profiles kept converted; a camera or shop puts the same one into every picture.
_KEPT = 32


def has_foreign_profile(image: Image.Image) -> bool:
    """Whether a picture carries a colour profile other than sRGB."""
    return _transform_of(image) is not None


def to_srgb(rgb: Image.Image, source: Image.Image) -> Image.Image:
    """The RGB picture, decoded from ``source``, in sRGB by the profile that ``source`` carries."""
    transform = _transform_of(source)
    return rgb if transform is None else ImageCms.applyTransform(rgb, transform) or rgb


def _transform_of(image: Image.Image) -> Any:
    profile = image.info.get("icc_profile")
    return _make_transform(profile) if isinstance(profile, bytes) and profile else None


@lru_cache(maxsize=_KEPT)
def _make_transform(profile: bytes) -> Any:
    """From an RGB profile to sRGB; None for sRGB itself, other spaces and broken profiles."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(found)
        if found.profile.xcolor_space.strip() != "RGB" or "srgb" in name.lower():
            return None
        return ImageCms.buildTransform(found, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError) as error:
        # A broken profile is no reason to lose the picture.
        logger.info("a colour profile that cannot be used: %s", error)
        return None
