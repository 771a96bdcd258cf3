"""Where in a photo is the product? The region in which the network sees most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fashify.backbones import Backbone
from fashify.errors import QueryError
from fashify.features import Embedder
from fashify.io.images import resize

#: A place belongs to the product when its activation is this share of the strongest.
THRESHOLD = 0.25

#: The map is smoothed to this many places a side before its edges are read.
_FINE = 56


@dataclass(frozen=True)
class Box:
    """A region as fractions of the picture's height and width, 0 to 1.

    Raises:
        QueryError: no region inside the picture, or one thinner than a fiftieth of it.
    """

    top: float
    left: float
    bottom: float
    right: float

    def __post_init__(self) -> None:
        inside = 0 <= self.top < self.bottom <= 1 and 0 <= self.left < self.right <= 1
        if not inside or min(self.bottom - self.top, self.right - self.left) < 0.02:
            raise QueryError(
                "a region inside the picture", f"{self}", "draw it from corner to corner"
            )

    def crop_image(self, image: np.ndarray) -> np.ndarray:
        """The region of ``image``, (height, width, 3) uint8, as an array of its own."""
        height, width = image.shape[:2]
        top, left = int(self.top * height), int(self.left * width)
        bottom = max(top + 1, round(self.bottom * height))
        right = max(left + 1, round(self.right * width))
        return image[top:bottom, left:right].copy()


def find_product(backbone: Backbone | Embedder, image: np.ndarray) -> Box:
    """The box around the product in one picture, (height, width, 3) uint8 RGB.

    See :func:`find_products`.
    """
    return find_products(backbone, [image])[0]


def find_products(backbone: Backbone | Embedder, images: Sequence[np.ndarray]) -> list[Box]:
    """In each picture the box around the places where the network is most active.

    The length of the feature at a place, above the median over all places: networks
    trained to name things are loud on things and quiet on what lies behind them.

    Args:
        backbone: average pooled; or an embedder, whose engine may be quicker to start.
        images: (height, width, 3) uint8 RGB each, of any sizes.
    """
    if not len(images):
        return []
    size = backbone.spec.input_size
    maps = backbone.embed_map(np.stack([resize(image, size) for image in images]))
    return [_bound_energy(places) for places in maps]


def _bound_energy(places: np.ndarray) -> Box:
    energy = np.linalg.norm(places, axis=2)
    energy = np.clip(energy - np.median(energy), 0, None)
    if energy.max() == 0:
        return Box(0.0, 0.0, 1.0, 1.0)
    grey = np.round(255 * energy / energy.max()).astype(np.uint8)
    fine = resize(np.repeat(grey[..., None], 3, axis=2), (_FINE, _FINE))[..., 0]
    rows, columns = np.nonzero(fine >= THRESHOLD * 255)
    ends = np.array([rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]) / _FINE
    return Box(*map(float, ends))
