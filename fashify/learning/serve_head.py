"""Puts a head, its strength curve and an index of its vectors into a store, in one step."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from fashify import metrics
from fashify.catalogue import Catalogue
from fashify.heads.head import Head, unit_length
from fashify.heads.strength import Strength, add_alarms, fit_strength
from fashify.index import Index, make_index
from fashify.io.artefact import lock_folder
from fashify.io.storage import is_url
from fashify.learning.material import Material, collect_material
from fashify.learning.methods import MAIN_LEVEL, is_trained, train_head
from fashify.learning.photo_views import compose_views
from fashify.store import FeatureStore
from fashify.store.bucket import present_copy, push_store
from fashify.store.layout import CARRIED
from fashify.store.store import find_store_folder
from fashify.store.writer import ServedThrough, replace_store, write_store

logger = logging.getLogger(__name__)

#: Validation queries and places that the strength curve is fitted on.
QUERIES, K = 2_000, 5

#: Queries whose own type is taken out of the gallery, to see how often "nothing similar" is said.
ABSENT = 500


def learn_head(
    store: str | Path,
    *,
    method: str = "auto",
    seed: int = 0,
    index: str | None = "exact",
    catalogue: Catalogue | None = None,
) -> FeatureStore:
    """Trains a head on a store's own features and serves the store through it from now on.

    Features stay as they are; the head, what its distances say, and an index of its vectors
    are put beside them. Some products are composed into photos: a head learns from these too,
    is chosen by both kinds of query, and what a distance says is found out for both. With ``none``
    nothing is trained, with ``raw`` the store serves raw features.

    Args:
        store: the store's folder, or its ``s3://`` url.
        method: see ``train_head``.
        seed: of everything drawn at random.
        index: the backend to fit, or ``None``; its metric is cosine.
        catalogue: where the pictures are; the one the store was built from by default. Where they
            cannot be had, heads and strength know shop pictures only, which is logged.

    Returns:
        the store as it is now.

    Raises:
        StoreError: no store there, or it cannot be written.
        QueryError: an unknown method, or labels that cannot teach it.

    >>> from fashify import learn_head
    >>> store = learn_head("data/to-learn", method="pca")
    >>> "colour" in store.head.names
    True
    """
    path = present_copy(store) if is_url(store) else find_store_folder(store)
    empty = make_index(index) if index is not None else None
    with lock_folder(path):
        found = FeatureStore.load(path)
        material = collect_material(found)
        if _wants_views(material):
            trains = is_trained(method, material, found.meta["backbone"])
            splits = ("train", "validation") if trains else ("validation",)
            views = compose_views(found, material, splits=splits, catalogue=catalogue, seed=seed)
            material = replace(material, views=views)
        head = train_head(material, found.meta["backbone"], method=method, seed=seed)
        vectors = found.features if head is None else head(found.features, found.colour)
        # An exact index measures the strength before it is served; another is fitted afterwards.
        exact = None
        if empty is not None and index == "exact":
            exact = empty.fit(vectors, found.item_ids, view_items=found.view_items)
        strength = measure_strength(vectors, material, head=head, seed=seed, exact=exact)
        if empty is not None and exact is None:
            empty.fit(vectors, found.item_ids, view_items=found.view_items)
        served = None if head is None else vectors
        serving = ServedThrough(head, strength, served, None if empty is None else empty.save)
        replace_store(path, partial(write_store, store=found, serving=serving), carried=CARRIED)
        method = "raw features" if head is None else head.provenance["method"]
        logger.info("%s serves %d numbers by %s", path, vectors.shape[1], method)
    if is_url(store):
        push_store(path, str(store))
    return FeatureStore.load(path)


def _wants_views(material: Material) -> bool:
    """Views teach and calibrate by labels; without any they would be composed for nothing."""
    return len(material.rows("validation")) > 0 and bool(material.find_teachable())


def measure_strength(
    vectors: np.ndarray,
    material: Material,
    *,
    head: Head | None = None,
    seed: int = 0,
    exact: Index | None = None,
) -> Strength | None:
    """What a cosine distance says, from validation queries; ``None`` without labels to judge by.

    Args:
        vectors: (v, d), as served.
        material: of the same pictures; its composed views tell what a photo's distance says.
        head: what made the vectors, to take the views through; ``None`` for raw features.
        seed: of the draw of queries.
        exact: an exact cosine index of these vectors, where there is one already.
    """
    rows = _draw_queries(material, "validation", seed)
    if rows is None:
        return None
    exact = exact or _fit_exact(vectors, material)
    found = _fit_curve(vectors, vectors[rows], rows, material, exact)
    if found is None or material.views is None:
        return found
    views = material.views.select(material.views.split == "validation")
    judged = metrics.count_relevant(material.labels[MAIN_LEVEL], views.rows) > 0
    views = views.select(judged)
    if not len(views.rows):
        return found
    taken = views.inputs["raw"]
    if head is not None:
        taken = head(taken, views.inputs.get("colour"))
    return replace(found, photos=_fit_curve(vectors, taken, views.rows, material, exact))


def _fit_curve(
    vectors: np.ndarray,
    queries: np.ndarray,
    rows: np.ndarray,
    material: Material,
    exact: Index,
) -> Strength | None:
    """The curve of queries (q, d) that show the pictures ``rows``, their own items left out."""
    labels = material.labels[MAIN_LEVEL]
    near, relevant = _find_matches(queries, rows, material, exact)
    if not near.size:
        return None
    first = near[relevant[:, 0], 0]
    absent = _nearest_of_others(vectors, queries[:ABSENT], labels[rows[:ABSENT]], labels)
    return add_alarms(fit_strength(near, relevant), first, absent)


def _find_matches(
    queries: np.ndarray, rows: np.ndarray, material: Material, exact: Index
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (q, k) of the items nearest to queries, and whether they share the type."""
    owners = material.owners
    first = np.unique(owners, return_index=True)[1]
    labels, items = material.labels[MAIN_LEVEL][first], owners[rows]
    k = min(K, len(first) - 1)
    if k < 1:
        return np.empty((len(rows), 0)), np.empty((len(rows), 0), bool)
    found = exact.search(queries, k, exclude=list(exact.item_ids[items]))
    return found.distances, metrics.relevance(labels, items, found.positions)


def _nearest_of_others(
    vectors: np.ndarray, queries: np.ndarray, own: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Distances of the nearest product of another type: of a gallery without the query's."""
    near = unit_length(queries) @ unit_length(vectors).T
    near[own[:, None] == labels[None, :]] = -np.inf
    best = near.max(axis=1)
    return np.asarray(1 - best[np.isfinite(best)])


def _fit_exact(vectors: np.ndarray, material: Material) -> Index:
    owners = material.owners
    names = np.arange(owners[-1] + 1).astype(str)
    return make_index("exact").fit(vectors, names, view_items=owners)


def _draw_queries(material: Material, part: str, seed: int) -> np.ndarray | None:
    """First pictures of a split's items, at most ``QUERIES``, whose type others share."""
    labels, queries = material.labels.get(MAIN_LEVEL), material.first_rows(part)
    if labels is None or not len(queries):
        return None
    if len(queries) > QUERIES:
        queries = np.sort(np.random.default_rng(seed).choice(queries, QUERIES, replace=False))
    queries = queries[metrics.count_relevant(labels, queries) > 0]
    return queries if len(queries) else None


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
    rows = _draw_queries(material, part, seed)
    if rows is None:
        return None
    found = _find_matches(vectors[rows], rows, material, exact or _fit_exact(vectors, material))
    return found if found[0].size else None
