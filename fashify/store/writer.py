"""The one way a store is written: columns, tables, head and index, the manifest last."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fashify.errors import StoreError
from fashify.heads.head import Head
from fashify.heads.strength import Strength
from fashify.io.artefact import ArtefactWriter, lock_folder, replace_folder, staging_of
from fashify.io.storage import is_url
from fashify.store.bucket import push_store
from fashify.store.items import VIEW_COLUMNS, to_parquet
from fashify.store.layout import (
    COLOUR,
    DEEP,
    HEAD,
    INDEX,
    ITEMS,
    NEXT,
    QUARANTINE,
    SERVED,
    SIGNATURE,
    STORE,
    STRENGTH,
    VIEWS,
)

if TYPE_CHECKING:
    from fashify.store.store import FeatureStore

#: What a store's manifest gets from its writer, whatever its facts said before.
_OWN = ("format", "version", "files", "sha256", "head", "n_items", "n_views", "n_quarantined")

#: Saves an index into a folder: ``save(folder, column=checksum)``, as ``Index.save``.
SaveIndex = Callable[..., object]


def replace_store(path: Path, fill: Callable[[ArtefactWriter], None]) -> None:
    """Writes a store beside ``path`` and puts it there in one step.

    An interrupted build's shards, in the same staging folder, stay.

    Args:
        path: of the store.
        fill: writes it.

    Raises:
        StoreError: it cannot be written; a store there before stays as it was.
    """
    staging = staging_of(path)
    fresh = staging / NEXT
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fill(ArtefactWriter(fresh, STORE))
        replace_folder(fresh, path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    finally:
        with suppress(OSError):
            staging.rmdir()


def write_tables(
    writer: ArtefactWriter,
    meta: Mapping[str, Any],
    items: pd.DataFrame,
    views: pd.DataFrame,
    quarantine: pd.DataFrame,
    *,
    head: Head | None = None,
    strength: Strength | None = None,
) -> None:
    """Writes all but the columns, which are there already, and seals the store.

    Args:
        writer: of the staging folder.
        meta: facts to keep.
        items: n products. views: of ``VIEW_COLUMNS``. quarantine: ``item_id, path, reason``.
        head: what made the served column, if anything.
        strength: what the head's distances say, if that was measured.
    """
    facts = {name: value for name, value in meta.items() if name not in _OWN}
    writer.add(ITEMS, to_parquet(items))
    writer.add(VIEWS, to_parquet(views[list(VIEW_COLUMNS)]))
    writer.add(QUARANTINE, quarantine.to_csv(index=False, lineterminator="\n").encode())
    if head is not None:
        writer.add(HEAD, head.to_bytes())
        facts["head"] = head.facts
    if strength is not None:
        writer.add(STRENGTH, strength.to_json())
    counts = {"n_items": len(items), "n_views": len(views), "n_quarantined": len(quarantine)}
    writer.seal({**facts, **counts})


@dataclass(frozen=True)
class ServedThrough:
    """The head and index that a store is served with.

    Attributes:
        head, strength: see ``write_tables``.
        vectors: (v, d) float32, what the head makes of the columns; None without a head.
        save_index: of an index fitted on the served vectors, or None.
    """

    head: Head | None = None
    strength: Strength | None = None
    vectors: np.ndarray | None = None
    save_index: SaveIndex | None = None


def write_store(writer: ArtefactWriter, store: FeatureStore, serving: ServedThrough) -> None:
    """Writes a store of the same pictures, served in another way.

    Args:
        writer: of the staging folder.
        store: whose pictures and products they are; columns on disk are linked, not copied.
        serving: by which head, with which index.
    """
    columns = {DEEP: store.features, COLOUR: store.colour, SIGNATURE: store.signatures}
    column = ""
    for name, array in columns.items():
        if array is not None:
            checksum = add_column(writer, store, name, array)
            column = checksum if name == DEEP else column
    if serving.vectors is not None:
        column = writer.add_array(SERVED, np.ascontiguousarray(serving.vectors, np.float32))
    if serving.save_index is not None:
        serving.save_index(writer.staging / INDEX, column=column)
    write_tables(
        writer,
        store.meta,
        store.items,
        store.views,
        store.quarantine,
        head=serving.head,
        strength=serving.strength,
    )


def replace_index(store: FeatureStore, save: SaveIndex, named: str | Path) -> None:
    """Puts another index into a store on disk, and on into its bucket when it has one.

    Args:
        store: whose served vectors the index was fitted on.
        save: of the index.
        named: the store as the user named it, a folder or a url.

    Raises:
        StoreError: it cannot be written, or another process is writing the store.
    """
    if store.path is None:
        raise StoreError("a store on disk", "one in memory", "save it first")
    with lock_folder(store.path):
        save(store.path / INDEX, column=store.vectors_checksum)
    if is_url(named):
        push_store(store.path, str(named))


def add_column(writer: ArtefactWriter, store: FeatureStore, name: str, array: np.ndarray) -> str:
    """Writes a column, or links it where the store has it on disk; returns its checksum."""
    if store.files is not None and f"{name}.npy" in store.files:
        return writer.keep(store.files, f"{name}.npy")
    return writer.add_array(name, np.ascontiguousarray(array))
