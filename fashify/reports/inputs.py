"""What a notebook works on: the store of its catalogue, opened or built."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pandas as pd

from fashify.backbones.pretrained import is_at_hand
from fashify.backbones.records import DEFAULT, find_record
from fashify.catalogue import Catalogue
from fashify.config import SEED, settings
from fashify.errors import FewProductsError, StoreMismatchError
from fashify.features import extract_features
from fashify.io.artefact import sha256_file
from fashify.store import FeatureStore
from fashify.store.layout import STORE

logger = logging.getLogger(__name__)


def open_store(
    catalogue: Catalogue,
    path: str | Path = "",
    *,
    backbone: str = "auto",
    limit: int = 0,
    seed: int = SEED,
    at_least: int = 1,
) -> FeatureStore:
    """The features of a catalogue: the store at ``path``, built first where there is none.

    Args:
        catalogue: products with images.
        path: the store's folder; "" means one in the cache, kept for this catalogue,
            backbone, limit and seed.
        backbone: name for ``load_backbone``, used when the store has to be built.
        limit: build with this many products only, drawn by ``seed``; 0 means all.
        at_least: products that the notebook compares.

    Raises:
        FewProductsError: fewer products than that; the report ends there, in words.
        StoreMismatchError: the store holds products that are not in the catalogue.
    """
    part = catalogue.sample(limit, seed=seed) if limit else catalogue
    folder = Path(path) if str(path) else _cached_store_path(part, backbone)
    if (folder / "manifest.json").is_file():
        store = FeatureStore.load(folder)
    else:
        logger.info("no store at %s yet: building it", folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        store = extract_features(part, backbone, folder, progress=False)
    _check_same_products(store, catalogue, folder)
    if len(store) < at_least:
        raise FewProductsError(
            f"a catalogue of {at_least} products or more",
            f"{len(store)} in {folder}",
            "add products with pictures, or leave out the parameter limit",
        )
    return store


def open_reference(
    catalogue: Catalogue, backbone: str, *, limit: int = 0, seed: int = SEED
) -> FeatureStore | None:
    """The features by a network to compare with; None where there is none, or not its weights.

    Args:
        backbone: by name, such as ``resnet50``, the original design's; "" for none.
        catalogue, limit, seed: as for ``open_store``.
    """
    if not backbone or not is_at_hand(find_record(backbone)):
        return None
    return open_store(catalogue, backbone=backbone, limit=limit, seed=seed)


def describe_store(store: FeatureStore) -> pd.DataFrame:
    """What the features were made with: one row a fact, columns ``fact`` and ``value``."""
    spec, engine = store.meta["backbone"], store.meta.get("engine", {})
    facts = {
        "backbone": f"{spec['name']}, {spec['weights']} weights",
        "why": spec.get("reason") or "asked for by name",
        "input (height, width)": " × ".join(str(side) for side in spec["input_size"]),
        "preprocessing": spec["preprocessing"],
        "pooling": spec["pooling"],
        "dimensions": str(spec["dim"]),
        "weights hash": spec["weights_hash"][:16],
        "engine": ", ".join(str(engine[key]) for key in ("engine", "precision") if key in engine),
        "items": f"{len(store):,}, and {len(store.quarantine):,} in quarantine",
    }
    return pd.DataFrame({"fact": list(facts), "value": list(facts.values())})


def _cached_store_path(part: Catalogue, backbone: str) -> Path:
    """The folder of such a store: another one for other weights, and for another format."""
    made_by = f"{STORE.version} {_describe_network(backbone)}"
    name = Path(backbone).stem
    key = hashlib.sha256(f"{part.fingerprint} {made_by}".encode()).hexdigest()[:16]
    return settings().cache / "report-stores" / f"{key}-{name}"


def _describe_network(backbone: str) -> str:
    """Its record, which holds the checksum of shipped weights; of a file, that of the file."""
    file = Path(backbone).expanduser()
    if file.is_file():
        return sha256_file(file)
    return repr(find_record(DEFAULT if backbone == "auto" else backbone))


def _check_same_products(store: FeatureStore, catalogue: Catalogue, folder: Path) -> None:
    strangers = set(store.item_ids) - set(catalogue.item_ids)
    if strangers:
        raise StoreMismatchError(
            f"a store of products of {catalogue.source}",
            f"{folder} with {len(strangers):,} others, such as {min(strangers)!r}",
            "name the catalogue it was built from, or another store",
        )
