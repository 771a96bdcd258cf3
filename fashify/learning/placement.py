"""Where a picture lies within a view: affine maps drawn in NumPy, applied by the backend.

What is random is drawn on the host by a NumPy generator, a few numbers per picture, so that a run
repeats from its seed whatever the backend; what costs time, the sampling of pixels, is done in
``keras.ops`` and runs where the network runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Placement:
    """How far a picture may be moved.

    Attributes:
        scale: smallest and largest factor on its size.
        turn: standard deviation of its rotation, degrees.
        shift: largest shift, as a share of half the view's side; a picture made smaller may move
            by four fifths of the room it leaves as well.
        stretch: standard deviation of the logarithm of its aspect ratio.
        shear: standard deviation of both shears.
        flip: whether half of the pictures are mirrored.
    """

    scale: tuple[float, float]
    turn: float
    shift: float
    stretch: float = 0.12
    shear: float = 0.06
    flip: bool = True


def draw_maps(
    rng: np.random.Generator, n: int, placement: Placement, size: tuple[int, int]
) -> np.ndarray:
    """Affine maps from places of the view to places of the picture.

    Args:
        rng: source of chance.
        n: how many.
        placement: how far.
        size: (height, width) of the view; only its proportions count.

    Returns:
        (n, 2, 3) float32: the view's (x, y, 1), each side from -1 to 1, to the picture's (x, y).
    """
    scale = rng.uniform(*placement.scale, n)
    angle = np.radians(rng.normal(0, placement.turn, n))
    stretch = np.exp(rng.normal(0, placement.stretch, n) / 2)
    mirror = np.where(rng.random(n) < 0.5, -1.0, 1.0) if placement.flip else np.ones(n)
    room = placement.shift + 0.8 * np.maximum(1 - scale, 0)
    shift = rng.uniform(-1, 1, (n, 2)) * room[:, None]
    ratio = size[1] / size[0]
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.empty((n, 2, 2))
    linear[:, 0, 0] = mirror * cos / (scale * stretch)
    linear[:, 0, 1] = mirror * sin / (scale * stretch) / ratio
    linear[:, 1, 0] = -sin / (scale / stretch) * ratio
    linear[:, 1, 1] = cos / (scale / stretch)
    offset = -np.einsum("nij,nj->ni", linear, shift)
    linear[:, 0, 1] += rng.normal(0, placement.shear, n)
    linear[:, 1, 0] += rng.normal(0, placement.shear, n)
    return np.concatenate([linear, offset[..., None]], axis=2).astype(np.float32)


def sample(pictures: Any, maps: Any, size: tuple[int, int], *, outside: str = "zero") -> Any:
    """Pictures seen through affine maps, bilinear between pixels.

    ``keras.ops.image.affine_transform`` keeps the picture's size and takes one picture after the
    other on PyTorch; this takes any size and all at once.

    Args:
        pictures: (n, h, w, c) float32.
        maps: (n, 2, 3) as ``draw_maps`` gives.
        size: (height, width) of the views.
        outside: what lies beyond the picture's edge: ``zero``, its ``edge``, or its ``mirror``
            image.

    Returns:
        (n, height, width, c) float32.
    """
    from keras import ops

    n, h, w, c = ops.shape(pictures)
    x, y = _places(maps, size)
    x, y = ((x + 1) * w - 1) / 2, ((y + 1) * h - 1) / 2
    if outside == "mirror":
        x, y = _fold_places(x, w), _fold_places(y, h)
    left, top = ops.floor(x), ops.floor(y)
    rows = ops.reshape(pictures, (n * h * w, c))
    first = ops.reshape(ops.arange(n, dtype="int32") * (h * w), (n, 1, 1))
    total = 0.0
    for down in (0, 1):
        for right in (0, 1):
            column, line = left + right, top + down
            weight = (1 - ops.abs(x - column)) * (1 - ops.abs(y - line))
            if outside == "zero":
                inside = (column >= 0) & (column < w) & (line >= 0) & (line < h)
                weight = weight * ops.cast(inside, "float32")
            column = ops.cast(ops.clip(column, 0, w - 1), "int32")
            line = ops.cast(ops.clip(line, 0, h - 1), "int32")
            found = ops.take(rows, first + line * w + column, axis=0)
            total = total + found * ops.expand_dims(weight, -1)
    return total


def _places(maps: Any, size: tuple[int, int]) -> tuple[Any, Any]:
    """(n, height, width) x and y in the picture, -1 to 1, of every pixel of the view."""
    from keras import ops

    height, width = size
    x = ((np.arange(width) + 0.5) * 2 / width - 1).astype(np.float32)[None, None, :]
    y = ((np.arange(height) + 0.5) * 2 / height - 1).astype(np.float32)[None, :, None]
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
    found = [
        maps[:, row, 0][:, None, None] * x
        + maps[:, row, 1][:, None, None] * y
        + maps[:, row, 2][:, None, None]
        for row in (0, 1)
    ]
    return found[0], found[1]


def _fold_places(place: Any, length: int) -> Any:
    """Pixel places beyond an edge to where their mirror image lies, -0.5 to length - 0.5."""
    from keras import ops

    within = ops.mod(place + 0.5, 2.0 * length)
    return ops.minimum(within, 2.0 * length - within) - 0.5
