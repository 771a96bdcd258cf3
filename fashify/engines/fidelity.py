"""How far an engine's features are from the reference's."""

from __future__ import annotations

import numpy as np

from fashify.config import SEED
from fashify.engines.base import ModelSpec

#: Full fidelity: least cosine between an engine's feature and the reference's.
FIDELITY = 0.999

_ROWS = 1024


def normalise_rows(features: np.ndarray) -> np.ndarray:
    """(n, dim) scaled to length one; rows of zeros stay zeros."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.where(norms > 0, norms, 1)


def find_least_cosine(features: np.ndarray, reference: np.ndarray) -> float:
    """Smallest cosine between matching rows of two (n, dim) arrays; NaN counts as -1."""
    cosines = np.einsum("ij,ij->i", normalise_rows(features), normalise_rows(reference))
    return float(np.nan_to_num(cosines, nan=-1.0).min())


def measure_agreement(a: np.ndarray, b: np.ndarray, k: int = 5) -> float:
    """Share of each row's k nearest other rows that two sets of features have in common.

    Args:
        a, b: (n, dim) features of the same n images, n > k.
        k: neighbours looked at, by cosine.

    Returns:
        mean overlap over the n images, 0..1.
    """
    pairs = zip(_find_neighbours(a, k), _find_neighbours(b, k), strict=True)
    return float(np.mean([len(np.intersect1d(x, y)) / k for x, y in pairs]))


def _find_neighbours(features: np.ndarray, k: int) -> np.ndarray:
    """(n, k) positions of the nearest other rows, unordered."""
    unit = normalise_rows(features)
    found = []
    for start in range(0, len(unit), _ROWS):
        cosines = unit[start : start + _ROWS] @ unit.T
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -np.inf
        found.append(np.argpartition(-cosines, k - 1, axis=1)[:, :k])
    return np.concatenate(found)


def draw_probe_images(spec: ModelSpec, n: int = 8) -> np.ndarray:
    """(n, H, W, 3) uint8: coloured patches on white, the same on every machine."""
    height, width = spec.input_size
    rng = np.random.default_rng(SEED)
    images = np.full((n, height, width, 3), 255, np.uint8)
    top, left = height // 6, width // 4
    rows, columns = height - 2 * top, width - 2 * left
    patches = rng.integers(0, 256, (n, 6, 6, 3), dtype=np.uint8)
    y, x = np.arange(rows) * 6 // rows, np.arange(columns) * 6 // columns
    images[:, top : height - top, left : width - left] = patches[:, y][:, :, x]
    return images
