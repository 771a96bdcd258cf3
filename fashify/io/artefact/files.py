"""Single files that are whole or absent: written beside, synchronised, renamed, checksummed."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import mmap
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from fashify.errors import StoreError, is_lack

AT_FDCWD = -100
RENAME_EXCHANGE = 2

#: How a file that is being written ends; no reader looks at one.
UNFINISHED = ".part"


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file, without the interpreter: whoever opens a store goes on beside it."""
    digest = hashlib.sha256()
    # A mapping takes a second file handle, and may be refused after the first was given.
    with path.open("rb") as handle:
        if os.fstat(handle.fileno()).st_size:
            with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                digest.update(whole)
    return digest.hexdigest()


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Lets ``write`` make a file under another name, then puts it at ``path`` in one step.

    Raises:
        StoreError: disk full, read-only, or no such folder; nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        write(beside)
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    except (OSError, RuntimeError) as error:
        # FAISS and Annoy have errors of their own for a full disk.
        raise write_error(path, error) from error
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file in one step; errors as ``write_file``."""
    write_file(path, lambda beside: beside.write_bytes(data))


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Writes arrays as one compressed ``.npz`` file, without pickles; errors as ``write_file``."""

    def write(beside: Path) -> None:
        with beside.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    write_file(path, write)


def link_file(source: str | Path, target: str | Path) -> None:
    """Gives a file that is never changed in place a second name; copies where links cannot be.

    Raises:
        StoreError: the target cannot be written.
    """
    target = Path(target)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        write_file(target, lambda beside: shutil.copyfile(source, beside))


def write_error(path: Path, error: Exception) -> StoreError:
    """The error of a failed write, with what the user can do."""
    fixes = {
        errno.ENOSPC: "free some disk space and run again; finished shards are kept",
        errno.EDQUOT: "free some of your quota and run again; finished shards are kept",
        errno.EROFS: "choose an --out on a disk that can be written",
        errno.EACCES: "choose an --out that you may write to",
        errno.EPERM: "choose an --out that you may write to",
        errno.EMFILE: "allow more file handles (ulimit -n) and run again",
        errno.ENFILE: "close other programs and run again",
    }
    number, reason = getattr(error, "errno", None), getattr(error, "strerror", None)
    fix = fixes.get(number or 0, "check the disk and run again; finished shards are kept")
    return StoreError("a place to write", f"{path}: {reason or error}", fix)


def check_readable(path: Path, error: BaseException) -> None:
    """Raises ``StoreError`` for a file that we may not read, or not just now: it may be whole."""
    if is_lack(error) or isinstance(error, PermissionError):
        lack = is_lack(error)
        fix = "allow more file handles (ulimit -n)" if lack else "ask for the right to read it"
        raise StoreError(
            "a readable file", f"{path}: {getattr(error, 'strerror', error)}", fix
        ) from error


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder durable; a no-op where folders cannot be opened."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def canonical_json(values: Any) -> bytes:
    """The one spelling of a JSON document, so that its bytes can be compared."""
    return (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


#: Folder of an artefact that whoever replaces it leaves as it is: a store's word index and text
#: tower. They check by themselves that they belong to its products and backbone.
WORDS = "words"


def replace_folder(fresh: Path, final: Path) -> None:
    """Puts folder ``fresh`` at ``final`` and removes what was there.

    On Linux the two are exchanged in one system call; elsewhere the old one steps aside
    first. Whoever has the old files open or mapped keeps them.

    Raises:
        StoreError: the place cannot be written.
    """
    if (final / WORDS).is_dir() and not (fresh / WORDS).exists():
        shutil.copytree(final / WORDS, fresh / WORDS, copy_function=link_file)
    try:
        if not final.exists():
            os.rename(fresh, final)
        else:
            _exchange(fresh, final)
    except PermissionError as error:
        raise StoreError(
            "a folder that can be replaced",
            f"{final}: {error.strerror}",
            # Windows moves no folder of which a file is open or mapped.
            "close the programs that have it open, or choose an --out that you may write to",
        ) from error
    except OSError as error:
        raise write_error(final, error) from error
    sync_folder(final.parent)
    shutil.rmtree(fresh, ignore_errors=True)


def _exchange(fresh: Path, final: Path) -> None:
    if sys.platform == "linux":
        # Older musl has no such function, and some file systems do not know the flag.
        renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        names = os.fsencode(fresh), os.fsencode(final)
        if renameat2 and renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0:
            return
    aside = final.with_name(f".{final.name}.old")
    shutil.rmtree(aside, ignore_errors=True)
    os.rename(final, aside)
    try:
        os.rename(fresh, final)
    except OSError:
        os.rename(aside, final)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def staging_of(folder: Path) -> Path:
    """Where the next version of an artefact grows, beside it."""
    return folder.parent / f".{folder.name}.building"


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Holds an artefact for writing; the system lets go when its owner dies, however it dies.

    Raises:
        StoreError: another process is writing it, or its folder cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.parent / f".{folder.name}.lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise StoreError(
            f"{folder} to ourselves",
            "another process that is writing it",
            "wait for it, or choose another --out",
        ) from None
    except OSError as error:
        raise write_error(folder, error) from error
    try:
        yield
    finally:
        lock.release()
