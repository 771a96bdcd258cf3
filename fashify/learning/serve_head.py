"""Puts a head, its strength curve and an index of its vectors into a store, in one step."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import numpy as np

from fashify import metrics
from fashify.heads.strength import Strength, fit_strength
from fashify.index import Index, make_index
from fashify.io.artefact import lock_folder
from fashify.io.storage import is_url
from fashify.learning.material import Material, collect_material
from fashify.learning.methods import MAIN_LEVEL, train_head
from fashify.store import FeatureStore
from fashify.store.remote import present_copy, push_store
from fashify.store.store import located
from fashify.store.writer import Serving, replace_store, write_store

logger = logging.getLogger(__name__)

#: Validation queries and places that the strength curve is fitted on.
QUERIES, K = 2_000, 5


def learn(
    store: str | Path,
    *,
    method: str = "auto",
    seed: int = 0,
    index: str | None = "exact",
) -> FeatureStore:
    """Trains a head on a store's own features and serves the store through it from now on.

    Features stay as they are; the head, what its distances say, and an index of its vectors
    are put beside them. With ``none`` the store serves raw features again.

    Args:
        store: the store's folder, or its ``s3://`` url.
        method: see ``train_head``.
        seed: of everything drawn at random.
        index: the backend to fit, or ``None``; its metric is cosine.

    Returns:
        the store as it is now.

    Raises:
        StoreError: no store there, or it cannot be written.
        QueryError: an unknown method, or labels that cannot teach it.

    >>> from fashify.learning import learn
    >>> store = learn("data/to-learn", method="pca")
    >>> store.head.names
    ('shape', 'colour')
    """
    path = present_copy(store) if is_url(store) else located(store)
    empty = make_index(index) if index is not None else None
    with lock_folder(path):
        found = FeatureStore.load(path)
        material = collect_material(found)
        head = train_head(material, found.meta["backbone"], method=method, seed=seed)
        vectors = found.features if head is None else head(found.features, found.colour)
        # An exact index measures the strength before it is served; another is fitted afterwards.
        exact = None
        if empty is not None and index == "exact":
            exact = empty.fit(vectors, found.item_ids, view_items=found.view_items)
        strength = measure_strength(vectors, material, seed=seed, exact=exact)
        if empty is not None and exact is None:
            empty.fit(vectors, found.item_ids, view_items=found.view_items)
        served = None if head is None else vectors
        serving = Serving(head, strength, served, None if empty is None else empty.save)
        replace_store(path, partial(write_store, store=found, serving=serving))
        method = "raw features" if head is None else head.provenance["method"]
        logger.info("%s serves %d numbers by %s", path, vectors.shape[1], method)
    if is_url(store):
        push_store(path, str(store))
    return FeatureStore.load(path)


def measure_strength(
    vectors: np.ndarray, material: Material, *, seed: int = 0, exact: Index | None = None
) -> Strength | None:
    """What a cosine distance says, from validation queries; ``None`` without labels to judge by.

    Args:
        vectors: (n, d), as served.
        material: of the same items.
        seed: of the draw of queries.
        exact: an exact cosine index of these vectors, where there is one already.
    """
    matches = collect_matches(vectors, material, seed=seed, exact=exact)
    return None if matches is None else fit_strength(*matches)


def collect_matches(
    vectors: np.ndarray,
    material: Material,
    *,
    part: str = "validation",
    seed: int = 0,
    exact: Index | None = None,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Distances (q, k) of a split's matches, and whether they share their query's type.

    At most ``QUERIES`` are drawn; ``None`` where no query can be judged. ``exact`` as for
    :func:`measure_strength`.
    """
    owners = material.owners
    first = np.unique(owners, return_index=True)[1]
    labels, queries = material.labels.get(MAIN_LEVEL), np.flatnonzero(material.split[first] == part)
    if labels is None or not len(queries):
        return None
    labels = labels[first]
    if len(queries) > QUERIES:
        queries = np.sort(np.random.default_rng(seed).choice(queries, QUERIES, replace=False))
    queries = queries[metrics.count_relevant(labels, queries) > 0]
    k = min(K, len(labels) - 1)
    if not len(queries) or k < 1:
        return None
    if exact is None:
        names = np.arange(len(first)).astype(str)
        exact = make_index("exact").fit(vectors, names, view_items=owners)
    found = exact.search(vectors[first[queries]], k, exclude=list(exact.item_ids[queries]))
    return found.distances, metrics.relevance(labels, queries, found.positions)
