"""Where the bytes of a catalogue lie: a folder, a zip or a bucket, behind one protocol."""

from __future__ import annotations

from pathlib import Path

from fashify.errors import StorageError
from fashify.io.images import is_picture
from fashify.io.storage.base import Stat, Storage
from fashify.io.storage.local import LocalFolder, ZipArchive
from fashify.io.storage.tar import TarArchive, is_tar

__all__ = ["Stat", "Storage", "is_url", "open_storage"]


def is_url(source: str | Path) -> bool:
    """Whether a source names a place on the network, ``s3://bucket/prefix``."""
    return "://" in str(source)


def open_storage(source: str | Path, *, follow_links: bool = False) -> Storage:
    """Opens a folder, a zip or tar archive, or a bucket by ``s3://``, ``gs://`` or ``az://``.

    Args:
        source: its path or url.
        follow_links: of a folder, follow links that lead out of it, too.

    Raises:
        StorageError: nothing there, refused, or none of these.
        MissingExtraError: a bucket without the extra of its scheme.
    """
    if is_url(source):
        from fashify.io.storage.remote import open_bucket

        return open_bucket(str(source))
    path = Path(source).expanduser()
    if path.is_dir():
        return LocalFolder(path, follow_links=follow_links)
    if path.is_file():
        if is_tar(path):
            return TarArchive(path)
        _refuse_other_files(path)
        return ZipArchive(path)
    raise StorageError(
        "a folder of images, a zip archive, or s3://, gs:// or az:// with bucket and prefix",
        f"nothing at {source}",
        "check the path",
    )


#: Archives of other programs, by their first bytes.
_ARCHIVES = {b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!": "a RAR archive", b"\x1f\x8b": "gzip"}


def _refuse_other_files(path: Path) -> None:
    """Names a file that is no archive of ours for what it is."""
    try:
        with path.open("rb") as file:
            head = file.read(32)
    except OSError as error:
        raise StorageError("a readable file", f"{path} ({error})", "check it") from error
    if is_picture(head):
        raise StorageError(
            "a folder or an archive of pictures",
            f"one picture, {path.name}",
            f"name its folder: {path.parent}",
        )
    for start, what in _ARCHIVES.items():
        if head.startswith(start):
            raise StorageError(
                "a folder, a zip or a tar archive",
                f"{path.name}, {what}",
                "unpack it and name the folder instead",
            )
