"""Main components of vectors, in the space where plain distances order as the metric does."""

from __future__ import annotations

import numpy as np

from fashify.index import checks


def flat(vectors: np.ndarray, metric: str) -> np.ndarray:
    """(rows, dim) float32 whose plain distances order as the metric: unit length for cosine."""
    if metric == "euclidean":
        return np.asarray(vectors)
    lengths = checks.norms(vectors, "vectors")[:, None]
    return vectors / np.where(lengths > 0, lengths, 1)


def components(sample: np.ndarray, dims: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (dim,) and the ``dims`` directions of most variance, (dims, dim) float32."""
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    centred = sample - mean
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return mean, np.ascontiguousarray(vectors[:, ::-1][:, :dims].T, dtype=np.float32)
