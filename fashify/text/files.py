"""What a store keeps for words, in a folder of its own: the word index and a trained tower.

Both bind themselves to what they were made of, so that nothing stale is served: the index to the
words of the products, the tower to the backbone.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from fashify.errors import StoreCorruptError, StoreMismatchError
from fashify.io.artefact import write_bytes, write_file
from fashify.text.index import WORDS, WordIndex
from fashify.text.onnx_tower import OnnxTower
from fashify.text.postings import field_columns
from fashify.text.tower import Tower

logger = logging.getLogger(__name__)

FOLDER, TOWER, NAMED = "words", "tower.safetensors", "tower.json"

#: The tower shipped for fashify-lite's features.
SHIPPED = "data/fashify-lite-words.safetensors"

_NAME_AGAIN = "name it again: fashify learn --text --tower FILE.onnx"


def open_index(store: Path | None, items: pd.DataFrame) -> WordIndex:
    """The word index of a gallery: the one kept in its store, else made anew and kept there.

    Args:
        store: the store's folder; None for one in memory.
        items: the gallery's table.
    """
    if store is None:
        return WordIndex.build(items)
    key, path = digest_words(items), store / FOLDER / WORDS
    try:
        kept = WordIndex.load(path)
        if kept.key == key:
            return kept
    except StoreCorruptError:
        pass
    try:
        return _rebuild(path, items, key)
    except (OSError, sqlite3.Error) as error:
        # A store that may only be read is searched all the same.
        logger.info("the word index stays in memory: %s", error)
        return WordIndex.build(items, key=key)


def _rebuild(path: Path, items: pd.DataFrame, key: str) -> WordIndex:
    path.parent.mkdir(exist_ok=True)
    write_file(path, lambda beside: WordIndex.build(items, beside, key=key).close())
    return WordIndex.load(path)


def digest_words(items: pd.DataFrame) -> str:
    """A checksum of all the words of a gallery and their order."""
    columns = [name for names in field_columns(items).values() for name in names]
    texts = items[columns].fillna("").astype(str)
    hashed = pd.util.hash_pandas_object(texts, index=False).to_numpy()
    return hashlib.sha256(repr((columns, len(items))).encode() + hashed.tobytes()).hexdigest()


def save_tower(store: Path, tower: Tower | OnnxTower) -> None:
    """Puts a tower into a store, in one step; the one before is replaced.

    Of a user's own the store keeps where it is and what it was: it may be large.
    """
    folder = store / FOLDER
    folder.mkdir(exist_ok=True)
    if isinstance(tower, OnnxTower):
        write_bytes(folder / NAMED, json.dumps(tower.facts, indent=2).encode())
        (folder / TOWER).unlink(missing_ok=True)
    else:
        write_bytes(folder / TOWER, tower.to_bytes())
        (folder / NAMED).unlink(missing_ok=True)


def load_tower(store: Path | None) -> Tower | OnnxTower | None:
    """The tower kept in a store; None where there is none.

    Raises:
        StoreCorruptError: it is damaged.
        StoreMismatchError, BackboneError: a user's own is no longer what or where it was.
    """
    if store is None:
        return None
    if (store / FOLDER / NAMED).is_file():
        return _open_named(store / FOLDER / NAMED)
    path = store / FOLDER / TOWER
    return Tower.from_bytes(path.read_bytes()) if path.is_file() else None


def find_tower(store: Path | None, backbone: Mapping[str, Any]) -> Tower | OnnxTower | None:
    """The tower for a backbone's features: the store's own, else the one shipped; None for none.

    Raises: as ``load_tower``.
    """
    for found in (load_tower(store), load_shipped_tower()):
        if found is not None and found.fits(backbone):
            return found
    return None


@lru_cache(maxsize=1)
def load_shipped_tower() -> Tower | None:
    """The tower shipped with Fashify; None in a copy without it."""
    place = files("fashify").joinpath(SHIPPED)
    return Tower.from_bytes(place.read_bytes()) if place.is_file() else None


def _open_named(record: Path) -> OnnxTower:
    try:
        facts = dict(json.loads(record.read_text(encoding="utf-8")))
        file, wanted = Path(facts["file"]), facts["hash"]
    except (KeyError, TypeError, ValueError) as error:
        raise StoreCorruptError(
            "a text tower's record as it was written", f"{record} ({error})", _NAME_AGAIN
        ) from error
    tower = OnnxTower(file)
    if tower.facts["hash"] != wanted:
        raise StoreMismatchError(
            f"the text tower that was named for the store, {wanted[:12]}",
            f"another file at {file}",
            _NAME_AGAIN,
        )
    tower.facts |= facts
    return tower
