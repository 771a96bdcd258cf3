"""A store of an older format: its pictures are decoded once more, and none is embedded again."""

from __future__ import annotations

import logging

import numpy as np
from tqdm import tqdm

from fashify.catalogue.likeness import SIZE, make_signature
from fashify.errors import FashifyError
from fashify.features.pipeline import prepare_images
from fashify.features.plan import Task
from fashify.io.images import ImageFacts, load_image, read_facts
from fashify.io.storage import Storage
from fashify.store import FeatureStore

logger = logging.getLogger(__name__)

#: Pictures read early.
_AHEAD = 128


def add_signatures(
    store: FeatureStore, storage: Storage, *, progress: bool = False
) -> FeatureStore:
    """The store with the signature and the file's facts of each of its pictures.

    Args:
        store: in memory, without signatures.
        storage: of the catalogue.
        progress: show a bar.

    Returns:
        the same features with both; a picture that has changed since, or cannot be read any
        more, has lost its ``version`` and matches nothing.
    """
    views = store.views.copy()
    stats = storage.stats(views["path"])
    same = [
        row
        for row, (path, version) in enumerate(zip(views["path"], views["version"], strict=True))
        if path in stats and stats[path].version == version
    ]
    tasks = [Task(str(row), views["path"].iloc[row]) for row in same]
    found = prepare_images(storage, tasks, _read, ahead=_AHEAD)
    signatures = np.zeros((len(views), *SIZE, 3), np.uint8)
    facts = [ImageFacts(0, 0, "", "", 0, "")] * len(views)
    version = np.full(len(views), "", dtype=object)
    bar = tqdm(found, "signatures", len(same), unit="img", delay=1, disable=not progress)
    for row, one in zip(same, bar, strict=True):
        if isinstance(one, FashifyError):
            logger.warning("%s cannot be read any more: %s", views["path"].iloc[row], one)
            continue
        signatures[row], facts[row] = one
        version[row] = views["version"].iloc[row]
    views[list(ImageFacts._fields)] = facts
    return FeatureStore(
        store.features,
        store.item_ids,
        store.meta,
        items=store.items,
        views=views.assign(version=version),
        colour=store.colour,
        signatures=signatures,
        head=store.head,
        strength=store.strength,
    )


def _read(data: bytes) -> tuple[np.ndarray, ImageFacts]:
    return make_signature(load_image(data)), read_facts(data)
