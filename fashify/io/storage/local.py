"""A folder or a zip on this machine."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from fashify.errors import StorageAwayError, StorageError, is_lack
from fashify.io.storage.base import Stat

#: Reading costs little here, decoding keeps a core busy.
READERS = os.cpu_count() or 1


class LocalFolder:
    """A folder and everything below it."""

    readers = READERS

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.url = str(self.root)

    def names(self) -> list[str]:
        found = (path for path in self.root.rglob("*") if path.is_file())
        try:
            return sorted(path.relative_to(self.root).as_posix() for path in found)
        except OSError as error:
            raise (_lacking if is_lack(error) else _unlisted)(self.root, error) from error

    def read(self, name: str) -> bytes:
        path = (self.root / PurePosixPath(name)).resolve()
        if not path.is_relative_to(self.root):
            raise StorageError(f"a file below {self.root}", f"{name!r}", "use a name inside it")
        try:
            return path.read_bytes()
        except OSError as error:
            if is_lack(error):
                raise _lacking(path, error) from error
            if not self.root.is_dir():
                raise _gone(self.root) from error
            raise StorageError(
                "a readable file", f"{path}: {error.strerror or error}", "check the file"
            ) from error

    def stats(self, names: Iterable[str]) -> dict[str, Stat]:
        found = {}
        for name in names:
            try:
                stat = (self.root / PurePosixPath(name)).stat()
            except OSError:
                continue
            found[name] = Stat(f"{stat.st_size}:{stat.st_mtime_ns}", str(stat.st_size))
        return found


class ZipArchive:
    """A zip read in place; every thread has a handle of its own, as seeks are not shared."""

    readers = READERS

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.url = str(self.path)
        self._local = threading.local()
        self._infos = {
            info.filename: info for info in self._handle().infolist() if not info.is_dir()
        }

    def _handle(self) -> zipfile.ZipFile:
        if not hasattr(self._local, "zip"):
            try:
                self._local.zip = zipfile.ZipFile(self.path)
            except FileNotFoundError as error:
                raise _gone(self.path) from error
            except (OSError, zipfile.BadZipFile) as error:
                raise StorageAwayError(
                    "a folder or a zip archive", f"{self.path} ({error})", "download it again"
                ) from error
        return self._local.zip

    def names(self) -> list[str]:
        return sorted(self._infos)

    def read(self, name: str) -> bytes:
        if name not in self._infos:
            raise StorageError(
                f"a member of {self.path.name}", f"{name!r}, which is not in it", "check the name"
            )
        handle = self._handle()
        try:
            return handle.read(self._infos[name])
        except Exception as error:  # zlib.error, BadZipFile, RuntimeError: no common base.
            raise StorageError(
                "a readable zip member", f"{name!r} ({error})", "download the archive again"
            ) from error

    def stats(self, names: Iterable[str]) -> dict[str, Stat]:
        infos = ((name, self._infos[name]) for name in names if name in self._infos)
        keys = ((name, f"{info.file_size}:{info.CRC:08x}") for name, info in infos)
        return {name: Stat(key, key) for name, key in keys}


def _lacking(path: Path, error: OSError) -> StorageAwayError:
    return StorageAwayError(
        "file handles and memory to read with",
        f"{path}: {error.strerror}",
        "allow more (ulimit -n), or close other programs, and run again; finished work is kept",
    )


def _unlisted(root: Path, error: OSError) -> StorageAwayError:
    return StorageAwayError("a folder whose files can be listed", f"{root}: {error}", "check it")


def _gone(root: Path) -> StorageAwayError:
    return StorageAwayError(
        f"{root} to stay while it is read",
        "nothing there any more",
        "bring it back and run again; finished work is kept",
    )
