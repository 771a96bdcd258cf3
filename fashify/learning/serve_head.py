"""Puts a head, its strength curve and an index of its vectors into a store, in one step."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from fashify.catalogue import Catalogue
from fashify.catalogue.photos import PhotoSet
from fashify.errors import BackboneError, StoreMismatchError
from fashify.features.embedder import embedder_of
from fashify.index import Index, make_index
from fashify.io.artefact import lock_folder
from fashify.io.storage import is_url
from fashify.learning.calibrate import PhotoQueries, embed_queries, measure_strength
from fashify.learning.material import Material, collect_material
from fashify.learning.methods import MAIN_LEVEL, check_method, is_trained, train_head
from fashify.learning.photo_views import compose_views
from fashify.learning.tower import improve_words
from fashify.store import FeatureStore
from fashify.store.bucket import present_copy, push_store
from fashify.store.store import find_store_folder
from fashify.store.writer import ServedThrough, replace_store, write_store

logger = logging.getLogger(__name__)


def learn_head(
    store: str | Path,
    *,
    method: str = "auto",
    seed: int = 0,
    index: str | None = "exact",
    catalogue: Catalogue | None = None,
    photos: PhotoSet | None = None,
) -> FeatureStore:
    """Trains a head on a store's own features and serves the store through it from now on.

    Features stay as they are; the head, what its distances say, and an index of its vectors
    are put beside them. Some products are composed into photos: a head learns from these too,
    is chosen by both kinds of query, and what a distance says is found out for both. With ``none``
    nothing is trained, with ``raw`` the store serves raw features; with ``auto`` a text tower
    learns the products' names too, see ``improve_words``.

    Args:
        store: the store's folder, or its ``s3://`` url.
        method: see ``train_head``.
        seed: of everything drawn at random.
        index: the backend to fit, or ``None``; its metric is cosine.
        catalogue: where the pictures are; the one the store was built from by default. Where they
            cannot be had, heads and strength know shop pictures only, which is logged.
        photos: people's photos to find out by what a photo's distance says; by default composed
            photos of the catalogue's products.

    Returns:
        the store as it is now.

    Raises:
        StoreError: no store there, or it cannot be written.
        QueryError: an unknown method, or labels that cannot teach it.
        NoLabelsError: no photo whose label an article type of the store answers.

    >>> from fashify import learn_head
    >>> store = learn_head("data/to-learn", method="pca")
    >>> "colour" in store.head.names
    True
    """
    check_method(method)
    path = present_copy(store) if is_url(store) else find_store_folder(store)
    empty = make_index(index) if index is not None else None
    with lock_folder(path):
        _serve_head(path, method, seed, empty, catalogue, photos)
        if method == "auto":
            improve_words(FeatureStore.load(path), seed=seed, progress=False)
    if is_url(store):
        push_store(path, str(store))
    return FeatureStore.load(path)


def _serve_head(
    path: Path,
    method: str,
    seed: int,
    empty: Index | None,
    catalogue: Catalogue | None,
    photos: PhotoSet | None,
) -> None:
    """Trains, measures and writes; all that was held in memory for it is free again afterwards."""
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
    if empty is not None and empty.name == "exact":
        exact = empty.fit(vectors, found.item_ids, view_items=found.view_items)
    asked = _find_queries(found, material, photos)
    strength = measure_strength(vectors, material, head=head, seed=seed, exact=exact, photos=asked)
    if empty is not None and exact is None:
        empty.fit(vectors, found.item_ids, view_items=found.view_items)
    served = None if head is None else vectors
    serving = ServedThrough(head, strength, served, None if empty is None else empty.save)
    replace_store(path, partial(write_store, store=found, serving=serving))
    way = "raw features" if head is None else head.provenance["method"]
    logger.info("%s serves %d numbers by %s", path, vectors.shape[1], way)


def _wants_views(material: Material) -> bool:
    """Views teach and calibrate by labels; without any they would be composed for nothing."""
    return len(material.rows("validation")) > 0 and bool(material.find_teachable())


def _find_queries(
    store: FeatureStore, material: Material, photos: PhotoSet | None
) -> PhotoQueries | None:
    """What photos are calibrated with; ``None`` where there is nothing to do it with."""
    if photos is not None:
        photos = photos.with_answers(set(store.labels(MAIN_LEVEL)) - {""})
    elif material.views is None:
        return None
    try:
        return embed_queries(embedder_of(store.meta), photos)
    except (BackboneError, StoreMismatchError) as error:
        logger.warning("what a photo's distance says is not measured: %s", error)
        return None
