"""Why two pictures match: the cosine of two features, split by place.

A feature of an average-pooled network is the mean of its map: q = mean of a_i over the
places i of the query, m = mean of b_j over the places j of the match. The cosine is linear
in each of them, so it splits exactly, with no gradients and no approximation:

    cos(q, m) = sum_i (a_i . m) / (n |q| |m|) = sum_j (q . b_j) / (n |q| |m|)

The idea is that of Stylianou et al., *Visualizing deep similarity networks*, WACV 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashify.backbones import Backbone
from fashify.errors import QueryError
from fashify.features import Embedder
from fashify.io.images import resize

#: Heat is laid over the picture in this colour, RGB.
HEAT_COLOUR = (214, 36, 84)


@dataclass(frozen=True)
class Explanation:
    """Where the likeness of two pictures lies.

    Attributes:
        query: (h, w) float32, each place's part of the cosine; sums to ``cosine``.
        match: (h, w) float32, the same for the match; sums to ``cosine``.
        cosine: of the two features, -1 to 1.
    """

    query: np.ndarray
    match: np.ndarray
    cosine: float


def explain_maps(query: np.ndarray, match: np.ndarray) -> Explanation:
    """Both maps of one cosine.

    Args:
        query, match: (h, w, dim) float32, the features before pooling.

    Raises:
        QueryError: maps of other shapes, or one that is zero everywhere.
    """
    if query.ndim != 3 or match.ndim != 3 or query.shape[-1] != match.shape[-1]:
        raise QueryError(
            "two maps (h, w, dim) of one dim", f"{query.shape}, {match.shape}", "use embed_map"
        )
    pooled = [places.mean(axis=(0, 1), dtype=np.float64) for places in (query, match)]
    scale = float(np.prod([np.linalg.norm(feature) for feature in pooled]))
    if scale == 0:
        raise QueryError("pictures the network sees something in", "a zero feature", "use another")
    parts = [
        (places @ other / (places.shape[0] * places.shape[1] * scale)).astype(np.float32)
        for places, other in zip((query, match), reversed(pooled), strict=True)
    ]
    return Explanation(parts[0], parts[1], float(pooled[0] @ pooled[1] / scale))


def explain_images(
    backbone: Backbone | Embedder, query: np.ndarray, match: np.ndarray
) -> Explanation:
    """Why two pictures match, in the eyes of a backbone.

    Args:
        backbone: average pooled; or an embedder, whose engine may be quicker to start.
        query, match: (height, width, 3) uint8 RGB of any size.

    Raises:
        QueryError: see :func:`explain_maps`.
    """
    size = backbone.spec.input_size
    maps = backbone.embed_map(np.stack([resize(query, size), resize(match, size)]))
    return explain_maps(maps[0], maps[1])


def draw_overlay(image: np.ndarray, parts: np.ndarray, *, strength: float = 0.75) -> np.ndarray:
    """A picture greyed, with the places that speak for the match in colour.

    Args:
        image: (height, width, 3) uint8 RGB.
        parts: (h, w) float32; the largest is painted at ``strength``, zero and below not.
        strength: opacity of the strongest place, 0 to 1.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    heat = np.clip(parts, 0, None)
    heat = heat / heat.max() if heat.max() > 0 else heat
    grey = np.repeat(np.round(heat * 255).astype(np.uint8)[..., None], 3, axis=2)
    smooth = resize(grey, image.shape[:2])[..., :1] / 255
    # Squared, so that the strong places stand out from the merely warm ones.
    opacity = strength * smooth**2
    faded = 0.35 * image + 0.65 * image.mean(axis=2, keepdims=True)
    painted = (1 - opacity) * faded + opacity * np.array(HEAT_COLOUR)
    return np.clip(np.round(painted), 0, 255).astype(np.uint8)
