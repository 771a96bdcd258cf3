"""What the search benchmark asks besides a store: galleries that grow, and Fashion-MNIST."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from fashify.errors import StorageError
from fashify.index.registry import make_index

#: Where Debian's package dataset-fashion-mnist puts its files.
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")


def sizes(largest: int, *, smallest: int = 100, steps: int = 5) -> list[int]:
    """Up to ``steps`` gallery sizes in equal ratios, ``largest`` the last."""
    return np.unique(np.geomspace(min(smallest, largest), largest, steps).astype(int)).tolist()


def project_principal(features: np.ndarray, dims: int) -> np.ndarray:
    """(n, min(dims, dim)) float32: unit vectors on their directions of most energy."""
    units = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    _, axes = np.linalg.eigh((units.T @ units).astype(np.float64))
    return np.ascontiguousarray(units @ axes[:, ::-1][:, :dims].astype(np.float32))


def grow_gallery(features: np.ndarray, n: int, *, seed: int = 0) -> tuple[np.ndarray, int]:
    """``n`` rows made of real features, and of jittered copies once those are used up.

    A copy lies at half the median distance to a nearest neighbour from its original, in a
    random direction.

    Returns:
        (n, dim) float32, and how many of the rows are jittered.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(features))[: min(n, len(features))]
    extra = n - len(order)
    if extra <= 0:
        return np.ascontiguousarray(features[order]), 0
    ids, some = np.arange(len(features)).astype(str), order[:500]
    nearest = make_index("exact", metric="euclidean").fit(features, ids)
    away = nearest.search(features[some], 1, exclude=ids[some]).distances
    rows = np.empty((n, features.shape[1]), dtype=np.float32)
    rows[: len(order)] = features[order]
    rows[len(order) :] = features[rng.integers(len(features), size=extra)]
    scale = np.float32(0.5 * np.median(away) / np.sqrt(features.shape[1]))
    for start in range(len(order), n, 50_000):
        block = rows[start : start + 50_000]
        block += scale * rng.standard_normal(block.shape, dtype=np.float32)
    return rows, extra


def load_fashion_mnist(folder: Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(60000, 784) training and (10000, 784) test images as float32.

    Args:
        folder: of the idx files; ``FASHION_MNIST`` by default.

    Raises:
        StorageError: Debian's package is not installed.
    """
    folder = folder or FASHION_MNIST
    return _read_images(folder / "train-images-idx3-ubyte.gz"), _read_images(
        folder / "t10k-images-idx3-ubyte.gz"
    )


def _read_images(path: Path) -> np.ndarray:
    try:
        raw = gzip.decompress(path.read_bytes())
    except OSError as error:
        raise StorageError(
            "Fashion-MNIST as Debian installs it", str(error), "apt install dataset-fashion-mnist"
        ) from error
    # The idx header is 16 bytes: magic, count, height, width.
    return np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 784).astype(np.float32)
