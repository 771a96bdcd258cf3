"""Pictures that look alike: the same photo saved anew, enlarged, or of the next shade.

A picture is reduced to 12 x 16 pixels of colour, small enough for recompression and scaling to
vanish, and two are alike when their difference is a small share of their own contrast. Contrast
matters: two thin earrings on white differ little in absolute terms and are not alike.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from fashify.io.images import resize

#: Height and width of a signature.
SIZE = (16, 12)

#: Raised when a picture gets another signature than before.
SIGNATURE_VERSION = 1

#: Root mean square difference over contrast, below which two pictures are alike. On the Kaggle
#: catalogue a copy enlarged to 224 pixels and saved anew stays below 0.03 (99 of 100), one
#: saved anew at JPEG quality 75 below 0.045 (90 of 100); and the number of pairs a hundredth is
#: level up to here and doubles beyond 0.06, where different wallets begin to meet.
THRESHOLD = 0.05

#: Pictures of less contrast, in grey levels, hold nothing to compare.
MIN_CONTRAST = 2.0

#: How many candidates each picture is compared with, the nearest first.
_CANDIDATES = 64

#: Lowest frequencies, down and across, in which candidates are looked for.
_LOW = (4, 3)


def make_signature(image: np.ndarray) -> np.ndarray:
    """(16, 12, 3) uint8: what is kept of a picture (h, w, 3) uint8 to compare it with others."""
    return resize(image, SIZE)


def look_alikes(signatures: np.ndarray) -> np.ndarray:
    """A key for each picture: equal for those that look alike, at one remove or more.

    Args:
        signatures: (n, 16, 12, 3) uint8, see :func:`make_signature`; zeros where there is none.

    Returns:
        (n,) object array of str; "" where there is nothing to compare or nothing alike.

    >>> import numpy as np
    >>> shirt = np.full((80, 60, 3), 255, np.uint8)
    >>> shirt[10:70, 15:45] = 30, 60, 120
    >>> pictures = [shirt, shirt[::2, ::2], np.full_like(shirt, 255)]
    >>> keys = look_alikes(np.stack([make_signature(picture) for picture in pictures]))
    >>> bool(keys[0] == keys[1]), keys[2]
    (True, '')
    """
    codes = alike_codes(signatures)
    return np.where(codes >= 0, codes.astype(str), "").astype(object)


def alike_codes(small: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """(n,) int64: number of each picture's component of look-alikes, -1 for one that is alone.

    Args:
        small: (n, height, width, 3) uint8 signatures.
        threshold: of :func:`difference`.
    """
    if not len(small):
        return np.empty(0, np.int64)
    distinct, inverse = np.unique(small.reshape(len(small), -1), axis=0, return_inverse=True)
    pairs = _alike_pairs(distinct.reshape(-1, *small.shape[1:]), threshold)
    n = len(distinct)
    graph = coo_matrix((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    component = connected_components(graph, directed=False)[1][inverse]
    blank = contrast(small) < MIN_CONTRAST
    sizes = np.bincount(component[~blank], minlength=n)
    return np.where(blank | (sizes[component] < 2), -1, component).astype(np.int64)


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(m,) float32: root mean square difference of signatures over the lesser contrast.

    Args:
        one, other: (m, height, width, 3) uint8.
    """
    gap = one.astype(np.float32) - other
    lesser = np.minimum(contrast(one), contrast(other))
    return np.sqrt((gap**2).mean(axis=(1, 2, 3))) / np.maximum(lesser, MIN_CONTRAST)


def contrast(small: np.ndarray) -> np.ndarray:
    """(n,) float32: standard deviation of each picture's values, in grey levels."""
    return small.std(axis=(1, 2, 3), dtype=np.float32)


def _alike_pairs(small: np.ndarray, threshold: float) -> np.ndarray:
    """(m, 2) rows of pictures that are alike, found through their lowest frequencies.

    Pictures brought to one contrast differ by no more than :func:`difference` says, for
    drawing two vectors in to the length of the shorter one brings them nearer; and a few
    coefficients of an orthonormal transform lie no farther apart than the whole (Faloutsos,
    Ranganathan, Manolopoulos, SIGMOD 1994). So nothing is missed by looking there first.
    """
    if len(small) < 2:
        return np.empty((0, 2), np.int64)
    values = small.astype(np.float32)
    values -= values.mean(axis=(1, 2, 3), keepdims=True)
    values /= np.maximum(contrast(small), MIN_CONTRAST)[:, None, None, None]
    low = dctn(values, axes=(1, 2), norm="ortho")[:, : _LOW[0], : _LOW[1]].reshape(len(small), -1)
    low /= np.sqrt(values[0].size)
    tree = cKDTree(low)
    count = min(_CANDIDATES, len(small) - 1) + 1
    near = tree.query(low, count, distance_upper_bound=threshold * 1.0001, workers=-1)[1]
    rows, places = np.nonzero(near < len(small))
    pairs = np.stack([rows, near[rows, places]], axis=1)
    pairs = np.unique(np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1), axis=0)
    alike = [
        difference(small[part[:, 0]], small[part[:, 1]]) <= threshold
        for part in np.array_split(pairs, len(pairs) // 8192 + 1)
    ]
    pairs = pairs[np.concatenate(alike)]
    seen = (contrast(small) >= MIN_CONTRAST)[pairs].all(axis=1)
    return pairs[seen]
