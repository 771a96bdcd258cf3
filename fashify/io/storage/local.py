"""A folder, a zip or a tar on this machine."""

from __future__ import annotations

import os
import threading
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from fashify.errors import StorageAwayError, StorageError, is_lack
from fashify.io.storage.base import Stat

#: Reading costs little here, decoding keeps a core busy.
READERS = os.cpu_count() or 1


def is_outside(name: str, flavour: type[PurePath] = PurePath) -> bool:
    """Whether a name leads out of the folder it is read in, as this system reads it.

    Args:
        name: of a file, with slashes.
        flavour: how a system reads paths; Windows' knows drives and backslashes, too.
    """
    path = flavour(name)
    return bool(path.anchor) or ".." in path.parts


class LocalFolder:
    """A folder and everything below it.

    Links that stay below the folder are followed. One that leads out of it is followed only
    with ``follow_links``: what somebody else has packed must not name files of this machine.

    Args:
        root: the folder.
        follow_links: follow links out of it, too.

    Attributes:
        links: name -> the name of the same file without a link, for links inside the root.
        refused: links that lead out of the root and were not followed, each with its target.
    """

    readers = READERS

    def __init__(self, root: Path, *, follow_links: bool = False) -> None:
        self.root = root.resolve()
        self.url = str(self.root)
        self.follow_links = follow_links
        self.links: dict[str, str] = {}
        self.refused: dict[str, str] = {}

    def names(self) -> list[str]:
        self.links, self.refused = {}, {}
        try:
            return sorted(self._list_below(str(self.root), "", frozenset({str(self.root)})))
        except OSError as error:
            raise (_lack_error if is_lack(error) else _listing_error)(self.root, error) from error

    def _list_below(self, folder: str, prefix: str, above: frozenset[str]) -> Iterator[str]:
        """Names of files; a folder that a link leads back into is not entered again."""
        with os.scandir(folder) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_symlink():
                    yield from self._follow_link(entry.path, name, above)
                elif entry.is_dir(follow_symlinks=False):
                    yield from self._list_below(entry.path, f"{name}/", above | {entry.path})
                elif entry.is_file(follow_symlinks=False):
                    yield name

    def _follow_link(self, path: str, name: str, above: frozenset[str]) -> Iterator[str]:
        target = os.path.realpath(path)
        inside = Path(target).is_relative_to(self.root)
        if not inside and not self.follow_links:
            self.refused[name] = target
            return
        if os.path.isfile(target):
            found = [name]
        elif os.path.isdir(target) and target not in above:
            found = list(self._list_below(target, f"{name}/", above | {target}))
        else:
            return
        if inside:
            straight = Path(target).relative_to(self.root).as_posix()
            self.links |= {each: straight + each[len(name) :] for each in found}
        yield from found

    def _path(self, name: str) -> Path:
        path = self.root / name
        leads_out = is_outside(name)
        if leads_out or not (self.follow_links or path.resolve().is_relative_to(self.root)):
            raise StorageError(f"a file below {self.root}", f"{name!r}", "use a name inside it")
        return path

    def read(self, name: str) -> bytes:
        return self._read(name, -1)

    def head(self, name: str, size: int) -> bytes:
        return self._read(name, size)

    def _read(self, name: str, size: int) -> bytes:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                return file.read(size)
        except OSError as error:
            if is_lack(error):
                raise _lack_error(path, error) from error
            if not self.root.is_dir():
                raise _gone_error(self.root) from error
            raise StorageError(
                "a readable file", f"{path}: {error.strerror or error}", "check the file"
            ) from error

    def stats(self, names: Iterable[str]) -> dict[str, Stat]:
        found = {}
        for name in names:
            try:
                stat = (self.root / name).stat()
            except OSError:
                continue
            found[name] = Stat(f"{stat.st_size}:{stat.st_mtime_ns}", str(stat.st_size))
        return found


class ZipArchive:
    """A zip read in place; its directory, seconds of work for a large one, is read once."""

    readers = READERS

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.url = str(self.path)
        self._zip = self._open()
        # zipfile counts its open members without a lock, but reads them under one of its own.
        self._counting = threading.Lock()
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        self._refuse_locked(infos)
        self._infos = dict(zip(_member_names(infos), infos, strict=True))

    def _refuse_locked(self, infos: list[zipfile.ZipInfo]) -> None:
        locked = sum(info.flag_bits & 1 for info in infos)
        if locked:
            raise StorageError(
                "an archive without a password",
                f"{self.path.name}, of whose {len(infos)} files {locked} are encrypted",
                "unpack it with its password and name the folder instead",
            )

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except FileNotFoundError as error:
            raise _gone_error(self.path) from error
        except (OSError, zipfile.BadZipFile) as error:
            raise StorageAwayError(
                "a folder or a zip archive", f"{self.path} ({error})", "download it again"
            ) from error

    def names(self) -> list[str]:
        return sorted(self._infos)

    def read(self, name: str) -> bytes:
        return self._read(name, -1)

    def head(self, name: str, size: int) -> bytes:
        return self._read(name, size)

    def _read(self, name: str, size: int) -> bytes:
        if name not in self._infos:
            raise StorageError(
                f"a member of {self.path.name}", f"{name!r}, which is not in it", "check the name"
            )
        try:
            with self._counting:
                member = self._zip.open(self._infos[name])
            try:
                return member.read(size)
            finally:
                with self._counting:
                    member.close()
        except Exception as error:  # zlib.error, BadZipFile, RuntimeError: no common base.
            raise StorageError(
                "a readable zip member", f"{name!r} ({error})", "download the archive again"
            ) from error

    def stats(self, names: Iterable[str]) -> dict[str, Stat]:
        infos = ((name, self._infos[name]) for name in names if name in self._infos)
        keys = ((name, f"{info.file_size}:{info.CRC:08x}") for name, info in infos)
        return {name: Stat(key, key) for name, key in keys}


def _member_names(infos: list[zipfile.ZipInfo]) -> list[str]:
    """Names with ``/`` between the parts, and in the letters that were meant.

    Some programs on Windows write backslashes; many write UTF-8 without saying so, and
    zipfile then reads it as code page 437.
    """
    names = [info.filename for info in infos]
    if not any("/" in name for name in names):
        names = [name.replace("\\", "/") for name in names]
    return [
        name if info.flag_bits & 0x800 or name.isascii() else _repair_name(name)
        for name, info in zip(names, infos, strict=True)
    ]


def _repair_name(name: str) -> str:
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _lack_error(path: Path, error: OSError) -> StorageAwayError:
    return StorageAwayError(
        "file handles and memory to read with",
        f"{path}: {error.strerror}",
        "allow more (ulimit -n), or close other programs, and run again; finished work is kept",
    )


def _listing_error(root: Path, error: OSError) -> StorageAwayError:
    return StorageAwayError("a folder whose files can be listed", f"{root}: {error}", "check it")


def _gone_error(root: Path) -> StorageAwayError:
    return StorageAwayError(
        f"{root} to stay while it is read",
        "nothing there any more",
        "bring it back and run again; finished work is kept",
    )
