"""Parts in closed form: principal components and linear discriminants."""

from __future__ import annotations

import numpy as np

from fashify.errors import QueryError
from fashify.heads.head import Part
from fashify.learning.material import Material

#: Shrinkage of the within-class covariance towards a multiple of the identity.
SHRINKAGE = 0.1


def fit_pca_part(
    name: str, material: Material, takes: tuple[str, ...], dim: int, *, whiten: float = 0.5
) -> Part:
    """Principal components of the training split, each divided by its spread to ``whiten``.

    Jégou and Chum, *Negative evidences and co-occurrences in image retrieval: the benefit of
    PCA and whitening*, ECCV 2012. 0 keeps the spreads, 1 makes them equal.

    Args:
        name: of the part.
        material: n items.
        takes: inputs, see ``fashify.heads.head.INPUTS``.
        dim: components, cut to what the training split can give.
    """
    x = material.take(takes, material.rows("train")).astype(np.float64)
    mean = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(x.T, bias=True))
    dim = max(1, min(dim, len(x) - 1, x.shape[1]))
    values, vectors = values[::-1][:dim], vectors[:, ::-1][:, :dim]
    floor = max(values[0], 1e-12) * 1e-6
    return _affine_part(name, takes, vectors / np.maximum(values, floor) ** (whiten / 2), mean)


def fit_lda_part(name: str, material: Material, takes: tuple[str, ...], level: str) -> Part:
    """Linear discriminants of one level, at most classes - 1 of them.

    Fisher 1936, for many classes Rao 1948; the within-class covariance is shrunk, since some
    classes hold fewer items than there are inputs.

    Raises:
        QueryError: fewer than two classes with two items in the training split.
    """
    from scipy.linalg import eigh

    codes, n_classes = material.codes(level)
    rows = material.rows("train")
    rows = rows[codes[rows] >= 0]
    if n_classes < 2:
        raise QueryError(
            f"a {level} with two classes of two items", f"{n_classes}", "choose another level"
        )
    x, y = material.take(takes, rows).astype(np.float64), codes[rows]
    counts = np.bincount(y, minlength=n_classes)
    means = np.stack([np.bincount(y, column, n_classes) for column in x.T], axis=1)
    means = np.divide(means, counts[:, None])
    centred = x - means[y]
    within = centred.T @ centred / len(x)
    within += SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
    centred = (means - x.mean(axis=0)) * np.sqrt(counts / len(x))[:, None]
    _, vectors = eigh(centred.T @ centred, within)
    dim = min(n_classes - 1, x.shape[1])
    return _affine_part(name, takes, vectors[:, ::-1][:, :dim], x.mean(axis=0))


def _affine_part(name: str, takes: tuple[str, ...], kernel: np.ndarray, mean: np.ndarray) -> Part:
    layer = kernel.astype(np.float32), (-mean @ kernel).astype(np.float32)
    return Part(name, takes, (layer,))
