"""A catalogue's own products as a user's photos: composed views and what the network makes of them.

A head that learns from shop pictures alone gets better at shop pictures and worse at photos. So
some products are cut out and set on backdrops; a head is trained on these views too, chosen on
both kinds of query, and what a distance says is found out for both.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fashify.catalogue import Catalogue, load_catalogue
from fashify.errors import FashifyError
from fashify.features.colour import colour_features
from fashify.features.embedder import Embedder, embedder_of
from fashify.features.framing import cover_size, fit_to_frame
from fashify.heads.head import unit_length
from fashify.io.images import resize
from fashify.learning.material import ComposedViews, Material
from fashify.learning.views import compose
from fashify.store import FeatureStore

logger = logging.getLogger(__name__)

#: Products composed at most, of each split: to learn from, and to choose and calibrate by.
MOST = {"train": 6_000, "validation": 1_000}

#: Pictures composed at once; they are drawn from one stream of chance each.
_BLOCK = 256


def compose_views(
    store: FeatureStore,
    material: Material,
    *,
    splits: tuple[str, ...] = ("train", "validation"),
    catalogue: Catalogue | None = None,
    embedder: Embedder | None = None,
    seed: int = 0,
) -> ComposedViews | None:
    """Composes views of a store's products and embeds them as a query would be.

    Args:
        store: on disk.
        material: of the same items.
        splits: whose products are taken, at most ``MOST`` of each.
        catalogue: where the pictures are; the one the store was built from by default.
        embedder: of the store; made from its manifest by default.
        seed: of products, backdrops and light.

    Returns:
        the views; ``None`` where the pictures or the network cannot be had any more, which is
        logged.
    """
    rng = np.random.default_rng(seed)
    drawn = {split: _draw(material.first_rows(split), MOST[split], rng) for split in splits}
    rows = np.concatenate([*drawn.values(), np.empty(0, np.int64)])
    if not len(rows):
        return None
    try:
        facts = store.meta["catalogue"]
        catalogue = catalogue or load_catalogue(facts["source"], kind=facts["kind"])
        embedder = embedder or embedder_of(store.meta)
    except (FashifyError, KeyError) as error:
        logger.warning("no composed views, heads and strength know shop pictures only: %s", error)
        return None
    split = np.concatenate([np.full(len(found), name) for name, found in drawn.items()])
    kept, made = [], []
    for places, block in _views(catalogue, store.item_ids[material.owners[rows]], embedder, rng):
        kept.append(places)
        made.append(_embed_views(block, embedder))
    if not kept:
        return None
    places = np.concatenate(kept)
    inputs = {name: np.concatenate([one[name] for one in made]) for name in made[0]}
    return ComposedViews(rows[places], split[places], inputs)


def _draw(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _views(
    catalogue: Catalogue,
    item_ids: np.ndarray,
    embedder: Embedder,
    rng: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places in ``item_ids`` and their (b, h, w, 3) uint8 views; unreadable ones are left out."""
    # No larger than what the network sees of it: composing takes its time by the pixel.
    frame = embedder.frame or embedder.spec.input_size
    size = cover_size(frame, embedder.spec.input_size)

    def read(item_id: str) -> np.ndarray | None:
        try:
            return resize(fit_to_frame(catalogue.image(item_id), frame, seen=size), size)
        except FashifyError as error:
            logger.warning("%s is not composed: %s", item_id, error)
            return None

    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(item_ids), _BLOCK):
            pictures = pool.map(read, item_ids[start : start + _BLOCK])
            found = [(place, one) for place, one in enumerate(pictures, start) if one is not None]
            if found:
                places, block = zip(*found, strict=True)
                yield np.array(places), compose(np.stack(block), rng)


def _embed_views(views: np.ndarray, embedder: Embedder) -> dict[str, np.ndarray]:
    prepared = np.stack([resize(view, embedder.spec.input_size) for view in views])
    features = embedder.embed_prepared(prepared)
    return {
        "deep": unit_length(features),
        "colour": unit_length(colour_features(prepared)),
        "raw": features,
    }
