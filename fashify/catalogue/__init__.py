"""Loading a catalogue, whatever it comes as."""

from __future__ import annotations

from pathlib import Path

from fashify.catalogue.kaggle import fetch_kaggle
from fashify.catalogue.layouts import find_kaggle_root, read_folder, read_kaggle
from fashify.catalogue.model import COLUMNS, Catalogue
from fashify.data import SAMPLE
from fashify.errors import CatalogueError, StorageError
from fashify.io.storage import open_storage

__all__ = ["COLUMNS", "Catalogue", "load_catalogue"]

KINDS = ("auto", "kaggle", "folder")


def load_catalogue(source: str | Path, *, kind: str = "auto") -> Catalogue:
    """Reads the product table and finds the images; no picture is decoded yet.

    Args:
        source: a folder or a zip in Kaggle's layout (``styles.csv`` + ``images/``) or of
            plain images (with or without one CSV); ``s3://bucket/prefix`` of either layout;
            ``"sample"`` for the drawn catalogue; ``"kaggle"`` to fetch the public one.
        kind: ``kaggle`` or ``folder`` to insist on a layout; ``auto`` looks.

    Raises:
        CatalogueError: nothing usable there; the text names what is missing.

    >>> from fashify import load_catalogue
    >>> catalogue = load_catalogue("sample")
    >>> len(catalogue), catalogue.kind
    (600, 'kaggle')
    """
    if kind not in KINDS:
        raise CatalogueError(f"kind {', '.join(KINDS)}", f"{kind!r}", "use one of these")
    try:
        storage = open_storage(_locate(source))
    except StorageError as error:
        raise CatalogueError(error.expected, error.received, error.fix) from error
    names = storage.names()
    root = find_kaggle_root(names) if kind != "folder" else None
    if kind == "kaggle" and root is None:
        raise CatalogueError(
            "styles.csv with images/ beside it", f"no styles.csv in {source}", "use kind='folder'"
        )
    catalogue = read_folder(storage, names) if root is None else read_kaggle(storage, names, root)
    if str(source) == "sample":
        # The word, not the archive's path: it means the same on every machine.
        catalogue.source = "sample"
    return catalogue


def _locate(source: str | Path) -> str | Path:
    if str(source) == "sample":
        return SAMPLE
    return fetch_kaggle() if str(source) == "kaggle" else source
