"""How fast pictures become features on this machine."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from fashify.features import Embedder


def measure_throughput(
    embedder: Embedder,
    images: Sequence[np.ndarray],
    *,
    batch_sizes: Sequence[int] = (1, 8, 32),
    seconds: float = 1.5,
) -> pd.DataFrame:
    """Images a second through the network at several batch sizes, resizing excluded.

    Each size is run once to warm up, then for at least ``seconds``; the median run counts.

    Args:
        embedder: backbone on its engine.
        images: pictures (h, w, 3) uint8, repeated as needed.
        batch_sizes: images per batch.
        seconds: how long each size is measured.

    Returns:
        ``batch_size, images_per_second, milliseconds_per_image``.
    """
    prepared = np.stack([embedder.prepare(image) for image in images])
    rows = []
    for size in batch_sizes:
        batch = prepared[np.arange(size) % len(prepared)]
        rate = size / _median_seconds(embedder, batch, seconds)
        rows.append((size, rate, 1000 / rate))
    return pd.DataFrame(rows, columns=["batch_size", "images_per_second", "milliseconds_per_image"])


def _median_seconds(embedder: Embedder, batch: np.ndarray, seconds: float) -> float:
    embedder.engine.run(batch)
    taken: list[float] = []
    while sum(taken) < seconds:
        start = time.perf_counter()
        embedder.engine.run(batch)
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))
