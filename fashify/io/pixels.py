"""A decoded picture of any mode to upright RGB, one strip of rows after the other.

At 50 megapixels every mode a picture passes costs 200 MB in Pillow. Converted by strips it is
held twice, as decoded and as RGB, whatever lies between.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import ExifTags, Image

from fashify.io.profiles import to_srgb

WHITE = (255, 255, 255)

#: Pixels that are converted at once.
STRIP_PIXELS = 1_000_000


def upright_rgb(image: Image.Image) -> np.ndarray:
    """(h, w, 3) uint8 sRGB, turned as EXIF says, converted one strip of rows after the other."""
    turned = _orientation(image)
    size = image.size if turned >= 5 else image.size[::-1]
    upright = np.empty((*size, 3), np.uint8)
    as_stored = _undo_orientation(upright, turned)
    full = _full_scale(image) if _is_deep(image) else 255.0
    for top, strip in _iter_strips(image):
        rgb = to_srgb(_to_rgb(strip, full), image)
        as_stored[top : top + strip.height] = np.asarray(rgb)
    return upright


def _iter_strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """(first row, the rows from there) of at most ``STRIP_PIXELS`` each."""
    width, height = image.size
    rows = max(1, STRIP_PIXELS // width)
    if rows >= height:
        yield 0, image
        return
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(top + rows, height)))


def _orientation(image: Image.Image) -> int:
    """1 to 8 as in EXIF; a broken EXIF block is no reason to lose the picture."""
    try:
        found = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _undo_orientation(upright: np.ndarray, orientation: int) -> np.ndarray:
    """A view of the upright picture whose rows and columns are those of the file."""
    down, right = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    view = upright[:: -1 if down else 1, :: -1 if right else 1]
    return view.swapaxes(0, 1) if orientation >= 5 else view


def _to_rgb(image: Image.Image, full: float) -> Image.Image:
    if _is_deep(image):
        image = Image.fromarray(_to_eight_bits(image, full))
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (*WHITE, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    """Greys of more than 8 bits; Pillow clips them at 255 when converting."""
    return image.mode.startswith(("I", "F"))


def _full_scale(image: Image.Image) -> float:
    """The value of white in deep greys."""
    top = max(float(_replace_infinite(strip).max(initial=0.0)) for _, strip in _iter_strips(image))
    return 1.0 if top <= 1.0 and image.mode == "F" else 255.0 if top <= 255 else 65535.0


def _to_eight_bits(image: Image.Image, full: float) -> np.ndarray:
    """(h, w) uint8 of deep greys, ``full`` becoming 255."""
    return np.clip(_replace_infinite(image) / full * 255.0, 0, 255).round().astype(np.uint8)


def _replace_infinite(image: Image.Image) -> np.ndarray:
    return np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
