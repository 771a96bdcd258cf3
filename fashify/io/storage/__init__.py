"""Where the bytes of a catalogue lie: a folder, a zip or a bucket, behind one protocol."""

from __future__ import annotations

from pathlib import Path

from fashify.errors import StorageError
from fashify.io.storage.base import Stat, Storage
from fashify.io.storage.local import LocalFolder, ZipArchive

__all__ = ["Stat", "Storage", "is_url", "open_storage"]


def is_url(source: str | Path) -> bool:
    """Whether a source names a place on the network, ``s3://bucket/prefix``."""
    return "://" in str(source)


def open_storage(source: str | Path) -> Storage:
    """Opens a folder, a zip archive, or ``s3://bucket/prefix``.

    Raises:
        StorageError: nothing there, refused, or none of these.
        MissingExtraError: ``s3://`` without the extra ``s3``.
    """
    if is_url(source):
        from fashify.io.storage.remote import open_bucket

        return open_bucket(str(source))
    path = Path(source).expanduser()
    if path.is_dir():
        return LocalFolder(path)
    if path.is_file():
        return ZipArchive(path)
    raise StorageError(
        "a folder of images, a zip archive or s3://bucket/prefix",
        f"nothing at {source}",
        "check the path",
    )
