"""What the features look like as a whole: their spectrum, and a flat map of them."""

from __future__ import annotations

import numpy as np

from fashify.config import SEED
from fashify.errors import FewProductsError


def feature_norms(features: np.ndarray) -> np.ndarray:
    """Euclidean length of every feature: (n, dim) -> (n,) float32."""
    return np.linalg.norm(np.asarray(features, dtype=np.float32), axis=1)


def pca_spectrum(features: np.ndarray, *, n_components: int = 64, seed: int = SEED) -> np.ndarray:
    """Share of the variance along each principal axis: (c,) descending, c <= n_components.

    Args:
        features: (n, dim) float32, n >= 2; centred here.
        n_components: how many axes at most; cut to min(n - 1, dim).
        seed: of the randomised solver (Halko, Martinsson, Tropp 2011).
    """
    from sklearn.decomposition import PCA

    features = _check_features(features)
    count = min(n_components, len(features) - 1, features.shape[1])
    return (
        PCA(count, svd_solver="randomized", random_state=seed)
        .fit(features)
        .explained_variance_ratio_
    )


def project(
    features: np.ndarray, *, n: int = 2_000, perplexity: float = 30.0, seed: int = SEED
) -> tuple[np.ndarray, np.ndarray]:
    """A flat map of features that keeps near things near: t-SNE after PCA to 50 axes.

    van der Maaten and Hinton, *Visualizing data using t-SNE*, JMLR 2008. Neighbourhoods mean
    something on such a map; sizes of, and gaps between, clusters do not.

    Args:
        features: (m, dim) float32, scaled to length 1 here, so that near means cosine.
        n: rows drawn when there are more.
        perplexity: about how many neighbours a point minds; cut to a third of the points.
        seed: of the draw, PCA and t-SNE.

    Returns:
        positions (n,) int64 of the rows drawn, ascending, and places (n, 2) float32.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    features = _check_features(features)
    rng = np.random.default_rng(seed)
    drawn = np.sort(rng.choice(len(features), min(n, len(features)), replace=False))
    vectors = features[drawn]
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    axes = min(50, len(vectors) - 1, vectors.shape[1])
    reduced = PCA(axes, svd_solver="randomized", random_state=seed).fit_transform(vectors)
    perplexity = min(perplexity, max(1.0, (len(vectors) - 1) / 3))
    # Its threads meet a thousand times a second: beside other work they mostly wait for each other.
    with threadpool_limits(1):
        map_ = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
        placed = map_.fit_transform(reduced)
    return drawn, placed


def _check_features(features: np.ndarray) -> np.ndarray:
    features = np.asarray(features, dtype=np.float32)
    if features.ndim != 2 or len(features) < 4:
        raise FewProductsError(
            "features of shape (n, dim) with n >= 4", f"shape {features.shape}", "use more items"
        )
    return features
