"""Verifies a store: every file of it and of its index, and that they belong together."""

from __future__ import annotations

from pathlib import Path

from fashify.errors import FashifyError, StoreCorruptError, StoreError, StoreMismatchError
from fashify.io.artefact import MANIFEST, ArtefactReader, verify_artefact
from fashify.store.formats import check_format
from fashify.store.layout import HEAD, INDEX, INDEX_KIND, STORE, STRENGTH
from fashify.store.store import FeatureStore, find_store_folder


def verify_store(path: str | Path) -> list[tuple[str, str]]:
    """Reads every file of a store and of its index, and sees whether they belong together.

    Args:
        path: the store's folder, or its ``s3://`` url.

    Returns:
        ``(file, what is wrong)``, empty for a whole store.

    Raises:
        StoreError: there is no store.

    >>> from fashify import verify_store
    >>> verify_store("data/sample-store")
    []
    """
    path = find_store_folder(path)
    try:
        check_format(path)
    except StoreMismatchError as error:
        return [(MANIFEST, error.received)]
    found = list(verify_artefact(path, STORE))
    if (path / INDEX).is_dir():
        try:
            problems = list(verify_artefact(path / INDEX, INDEX_KIND))
        except StoreError as error:
            problems = [(MANIFEST, error.received)]
        found += [(f"{INDEX}/{name}", problem) for name, problem in problems]
    return found or _find_misplaced(path)


def _find_misplaced(path: Path) -> list[tuple[str, str]]:
    """Files that are whole, but of another release or of another store."""
    store = FeatureStore.load(path, verify=False)
    for name, part in ((HEAD, "head"), (STRENGTH, "strength")):
        try:
            getattr(store, part)
        except FashifyError as error:
            return [(name, error.received)]
    if not (path / INDEX).is_dir():
        return []
    try:
        index = ArtefactReader(path / INDEX, INDEX_KIND)
        same = index.array("item_ids").tolist() == store.item_ids.tolist()
    except (StoreCorruptError, StoreMismatchError) as error:
        return [(f"{INDEX}/{MANIFEST}", error.received)]
    # An index on a server has vectors of its own, and names none of the store's.
    if same and index.facts.get("column", store.vectors_checksum) == store.vectors_checksum:
        return []
    return [(f"{INDEX}/{MANIFEST}", "an index of other items or vectors")]
