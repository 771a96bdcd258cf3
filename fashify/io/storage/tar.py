"""A tar archive, packed or not: unpacked once into the cache, then read as a folder.

A packed tar can only be read from its beginning, so that one picture would cost all before it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from pathlib import Path

from fashify.config import settings
from fashify.errors import StorageError
from fashify.io.artefact import replace_folder
from fashify.io.storage.local import LocalFolder

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

#: What an archive may unpack to, as a share of the free disk, and its files.
MAX_DISK_SHARE, MAX_MEMBERS = 0.5, 5_000_000


class TarArchive(LocalFolder):
    """A tar that lies unpacked in the cache; ``url`` stays the archive's path."""

    def __init__(self, path: Path) -> None:
        super().__init__(_find_unpacked(path.resolve()))
        self.url = str(path.resolve())


def is_tar(path: Path) -> bool:
    """Whether a file is a tar by its name and its content."""
    return path.name.lower().endswith(SUFFIXES) and tarfile.is_tarfile(path)


def _find_unpacked(path: Path) -> Path:
    """The cache's folder of this very file, made where it is not there yet."""
    stat = path.stat()
    key = hashlib.sha256(f"{path}:{stat.st_size}:{stat.st_mtime_ns}".encode()).hexdigest()[:24]
    folder = settings().cache / "unpacked" / key
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = folder.parent / f"{key}.{os.getpid()}"
    shutil.rmtree(staging, ignore_errors=True)
    try:
        _unpack(path, staging)
        replace_folder(staging, folder)
    except (tarfile.TarError, OSError, EOFError) as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(
            "a tar archive that can be unpacked", f"{path.name} ({error})", "download it again"
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def _unpack(path: Path, folder: Path) -> None:
    """Plain files and folders alone: no links, no devices, nothing outside the folder."""
    most = int(MAX_DISK_SHARE * shutil.disk_usage(folder.parent).free)
    folder.mkdir(parents=True)
    size = 0
    with tarfile.open(path) as archive:
        for count, member in enumerate(archive, start=1):
            if not (member.isfile() or member.isdir()):
                continue
            size += member.size
            if size > most or count > MAX_MEMBERS:
                raise StorageError(
                    f"an archive of at most {most:,} bytes unpacked, half the free disk",
                    f"{path.name}, which is larger",
                    "make room, or unpack it elsewhere and name the folder",
                )
            archive.extract(member, folder, filter="data")
