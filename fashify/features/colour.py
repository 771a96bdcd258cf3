"""What colours a product has: a soft histogram of its foreground in CIE Lab.

A network trained to name things learns to look past colour. This feature looks at nothing
else: every pixel is shared out among fixed prototypes of Lab, pixels like the border of the
picture count little, and the square roots of the shares are compared, which makes the dot
product of two features the Bhattacharyya coefficient of two histograms (Bhattacharyya 1943;
Arandjelović and Zisserman, *Three things everyone should know*, CVPR 2012, for the root).
"""

from __future__ import annotations

from functools import cache

import numpy as np

#: Lightness of the prototypes, and the chroma and number of hues of each ring around grey.
LIGHTNESS = (8.0, 30.0, 52.0, 74.0, 96.0)
RINGS = ((22.0, 8), (52.0, 8))

#: Length of a colour feature.
COLOUR_DIM = len(LIGHTNESS) * (1 + sum(hues for _, hues in RINGS))

#: Raised when the result changes, so that old stores are refused.
COLOUR_VERSION = 1

#: Spread of a prototype, in units of Lab (CIE76).
SPREAD = 11.0

#: A pixel nearer to the border's colour than the first is background, farther than the
#: second foreground; background counts ``FLOOR``, so that white on white has a colour too.
NEAR, FAR, FLOOR = 4.0, 14.0, 0.03

#: Every how many pixels a picture is looked at, at most, along each side.
GRID = 64

_BITS = 5


def colour_features(images: np.ndarray) -> np.ndarray:
    """Colour features of pictures of one size.

    Args:
        images: (b, H, W, 3) uint8 RGB.

    Returns:
        (b, COLOUR_DIM) float32 of unit length.
    """
    height, width = images.shape[1:3]
    small = images[:, :: -(-height // GRID), :: -(-width // GRID)]
    codes = _codes(small)
    return np.stack([_histogram(picture) for picture in codes]) if len(codes) else _empty_features()


def _histogram(codes: np.ndarray) -> np.ndarray:
    counts = np.bincount(codes.ravel(), _weights(codes).ravel(), 1 << 3 * _BITS)
    present = np.flatnonzero(counts > 0)
    shares = counts[present] @ _shares()[present]
    return np.sqrt(shares / shares.sum()).astype(np.float32)


def _weights(codes: np.ndarray) -> np.ndarray:
    """How much each pixel belongs to the product: (H, W) float32, ``FLOOR`` to 1."""
    lab = _lab_table()[codes]
    edge = np.concatenate([lab[0], lab[:, 0], lab[:, -1]])
    away = np.linalg.norm(lab - np.median(edge, axis=0), axis=-1)
    return np.clip((away - NEAR) / (FAR - NEAR), FLOOR, 1.0).astype(np.float32)


def _codes(images: np.ndarray) -> np.ndarray:
    """RGB in five bits a channel as one number per pixel."""
    red, green, blue = (images[..., c].astype(np.int32) >> (8 - _BITS) for c in range(3))
    return (red << 2 * _BITS) | (green << _BITS) | blue


def _empty_features() -> np.ndarray:
    return np.empty((0, COLOUR_DIM), np.float32)


@cache
def _lab_table() -> np.ndarray:
    """(32768, 3) float32: Lab of every code's middle."""
    levels = (np.arange(1 << _BITS) + 0.5) * (256 >> _BITS)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return rgb_to_lab(grid.reshape(-1, 3)).astype(np.float32)


@cache
def _shares() -> np.ndarray:
    """(32768, COLOUR_DIM) float32: how a pixel of each code is shared out; rows sum to 1."""
    offsets = _lab_table()[:, None] - prototypes()[None]
    closeness = np.exp(-np.square(offsets).sum(axis=-1) / (2 * SPREAD**2)) + 1e-12
    return (closeness / closeness.sum(axis=1, keepdims=True)).astype(np.float32)


@cache
def prototypes() -> np.ndarray:
    """(COLOUR_DIM, 3) float32: the Lab colours that pixels are shared out among."""
    greys = [(0.0, 0.0)]
    for chroma, hues in RINGS:
        angles = 2 * np.pi * np.arange(hues) / hues
        greys += list(zip(chroma * np.cos(angles), chroma * np.sin(angles), strict=True))
    return np.array([(light, *ab) for light in LIGHTNESS for ab in greys], np.float32)


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB 0..255 to CIE Lab under D65, (..., 3) float64; IEC 61966-2-1 and CIE 15."""
    value = np.asarray(rgb, np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _TO_XYZ.sum(axis=1)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
