"""Stores of formats 2 to 4, which ``fashify build`` turns into today's without embedding again.

They kept vectors in shards, and beside each product the row of its vector.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from fashify.errors import StoreCorruptError
from fashify.heads.head import Head
from fashify.heads.strength import Strength
from fashify.io.artefact import corrupt, read_manifest
from fashify.store.formats import OLD
from fashify.store.items import make_views, read_items
from fashify.store.layout import HEAD, ITEMS, SHARDS, STRENGTH
from fashify.store.store import FeatureStore

#: Own columns of ``items.parquet``, as format 2 named them; later ones begin with an underscore.
_LOCATION = ("identity", "version", "row")


def read_old_store(folder: Path) -> FeatureStore:
    """A store of an older format, in memory.

    Returns:
        the store; one without signatures has none, and knows no facts of its files.

    Raises:
        StoreCorruptError: a file is not as it was written.
        StoreMismatchError: not a store of these formats.
    """
    meta = read_manifest(folder, OLD)
    table = read_items(_read(folder, meta, ITEMS))
    own = [f"_{name}" for name in _LOCATION]
    own = own if set(own) <= set(table) else list(_LOCATION)
    location = table[own].set_axis(list(_LOCATION), axis=1)
    items = table.drop(columns=own)
    features = np.concatenate([_shard(folder, record) for record in meta["shards"]])
    rows = features[location["row"].to_numpy()]
    dim = int(meta["backbone"]["dim"])
    head = Head.from_bytes(_read(folder, meta, HEAD)) if HEAD in meta["files"] else None
    strength = None
    if STRENGTH in meta["files"]:
        strength = Strength.from_json(_read(folder, meta, STRENGTH))
    kept = {name: value for name, value in meta.items() if name not in ("shards", "files", "head")}
    return FeatureStore(
        rows[:, :dim],
        items["item_id"],
        kept,
        items=items,
        views=make_views(items).assign(version=location["version"]),
        colour=rows[:, dim:] if "colour" in meta else None,
        head=head,
        strength=strength,
    )


def _read(folder: Path, meta: dict[str, Any], name: str) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise corrupt(OLD, folder, name, "missing") from error
    if hashlib.sha256(data).hexdigest() != meta["files"].get(name):
        raise corrupt(OLD, folder, name, "its checksum differs")
    return data


def _shard(folder: Path, record: dict[str, Any]) -> np.ndarray:
    """(rows, dim + colour) float32 of one shard, its checksum compared."""
    name = f"{SHARDS}/{record['file']}"
    path = folder / SHARDS / Path(record["file"]).name
    try:
        with path.open("rb") as file:
            whole = hashlib.file_digest(file, "sha256").hexdigest() == record["sha256"]
        if not whole:
            raise corrupt(OLD, folder, name, "its checksum differs")
        with safe_open(path, framework="numpy") as file:
            return file.get_tensor("features")
    except (OSError, SafetensorError, KeyError) as error:
        if isinstance(error, StoreCorruptError):
            raise
        raise corrupt(OLD, folder, name, str(error)) from error
