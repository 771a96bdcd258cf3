"""Pictures that look alike: the same photo saved anew, enlarged, or of the next shade.

A picture is reduced to 12 x 16 pixels of colour, small enough for recompression and scaling to
vanish, and two are alike when their difference is a small share of their own contrast. Contrast
matters: two thin earrings on white differ little in absolute terms and are not alike.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.fft import dctn
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from tqdm import tqdm

from fashify.catalogue import Catalogue, load_catalogue
from fashify.catalogue.groups import group_ids
from fashify.config import settings
from fashify.errors import FashifyError
from fashify.io.images import resize

log = logging.getLogger(__name__)

#: Height and width of a signature.
SIZE = (16, 12)

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


def item_groups(
    store, catalogue: Catalogue | None = None, *, progress: bool = False
) -> tuple[np.ndarray, str]:
    """The groups of a store's products, by all that can be known of them.

    Args:
        store: a FeatureStore of n items.
        catalogue: where their pictures are; None opens the one the store was built from.
        progress: show a progress bar while the pictures are read.

    Returns:
        ``(n,)`` int64 as :func:`fashify.catalogue.groups.group_ids`, and in words what they go by.
        Where the pictures are not at hand the groups go by name, type and equal files alone.
    """
    identities = store.location["identity"] if store.path else None
    try:
        hashes = _hashes_of(store, catalogue, progress)
    except FashifyError as error:
        log.warning("groups go without look-alikes: %s", error)
        return group_ids(store.items, identities), "name and type, equal files"
    groups = group_ids(store.items, identities, hashes)
    return groups, "name and type, equal files, look-alikes"


def _hashes_of(store, catalogue: Catalogue | None, progress: bool) -> np.ndarray:
    if catalogue is None:
        facts = store.meta.get("catalogue", {})
        catalogue = load_catalogue(facts.get("source", ""), kind=facts.get("kind", "auto"))
    return look_alikes(catalogue.select(store.item_ids), progress=progress)


def look_alikes(catalogue: Catalogue, *, progress: bool = False) -> np.ndarray:
    """A key for each product: equal for those whose pictures look alike, at one remove or more.

    Every picture is read once; the answer is kept in the cache for a catalogue that has not
    changed since.

    Returns:
        (n,) object array of str; "" where there is nothing to compare or nothing alike.
    """
    file = settings().cache / "look-alikes" / f"{_version(catalogue)}.npy"
    codes = _cached(file, len(catalogue))
    if codes is None:
        codes = alike_codes(signatures(catalogue, progress=progress))
        _keep(file, codes)
    return np.where(codes >= 0, codes.astype(str), "").astype(object)


def signatures(catalogue: Catalogue, *, progress: bool = False) -> np.ndarray:
    """(n, 16, 12, 3) uint8: every picture made small; zeros where there is none to read."""

    def one(item_id: str) -> np.ndarray:
        try:
            return resize(catalogue.image(item_id), SIZE)
        except FashifyError:
            return np.zeros((*SIZE, 3), np.uint8)

    with ThreadPoolExecutor() as pool:
        found = pool.map(one, catalogue.item_ids, chunksize=64)
        bar = tqdm(found, "looking", len(catalogue), unit="image", disable=not progress)
        return np.array(list(bar), np.uint8).reshape(-1, *SIZE, 3)


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


def _version(catalogue: Catalogue) -> str:
    """Changes with the products, their files and the way they are compared."""
    stats = catalogue.storage.stats(catalogue.table.loc[catalogue.table["has_image"], "path"])
    facts: Sequence = (catalogue.fingerprint, SIZE, THRESHOLD, MIN_CONTRAST, _CANDIDATES, _LOW)
    listing = sorted((name, stat.version) for name, stat in stats.items())
    return hashlib.sha256(repr((facts, listing)).encode()).hexdigest()[:32]


def _cached(file: Path, n: int) -> np.ndarray | None:
    try:
        codes = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return codes if codes.shape == (n,) and codes.dtype == np.int64 else None


def _keep(file: Path, codes: np.ndarray) -> None:
    """Written beside and renamed; a cache that cannot be written costs time, not the answer."""
    beside = file.with_name(f".{file.stem}.{os.getpid()}.npy")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(beside, codes, allow_pickle=False)
        os.replace(beside, file)
    except OSError as error:
        log.warning("look-alikes are not kept for the next time: %s", error)
