"""Index files: NumPy arrays and backend files beside a manifest with their checksums.

Every write names the files by their content and then replaces ``manifest.json`` in one
step, so a reader sees the old index or the new one, never a mixture, readers that have the
old files mapped keep them until they let go, and the same index gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fashify.errors import StoreCorruptError, StoreError, StoreMismatchError
from fashify.store.files import check_let

FORMAT = "fashify-index"
VERSION = 1
MANIFEST = "manifest.json"

#: Files up to this size have their checksum compared on every load; larger ones their size.
_ALWAYS_HASHED = 4 << 20


#: Names that a writer gives: of an array or backend file, or of a manifest not in place yet.
_WRITTEN = re.compile(r".+\.[0-9a-f]{12}(\.\w+)?")


class IndexWriter:
    """Collects the files of one index version in ``folder`` and commits them at once."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._stamp = uuid.uuid4().hex[:12]
        self._files: dict[str, dict[str, Any]] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                "a folder that can be written to", f"{self.folder}: {error}", "choose another"
            ) from error

    def array(self, name: str, array: np.ndarray) -> None:
        """Write one array under ``name``."""
        self.file(name, ".npy", lambda path: np.save(path, array, allow_pickle=False))

    def file(self, name: str, suffix: str, write: Callable[[str], object]) -> None:
        """Let ``write(path)`` make the file of ``name``."""
        fresh = self.folder / f"{name}.{self._stamp}{suffix}"
        with self._whole_or_nothing():
            write(str(fresh))
            with fresh.open("rb+") as handle:
                os.fsync(handle.fileno())
            record = {"bytes": fresh.stat().st_size, "sha256": _sha256(fresh)}
            path = fresh.with_name(f"{name}.{record['sha256'][:12]}{suffix}")
            os.replace(fresh, path)
        self._files[name] = {"file": path.name, **record}

    def commit(self, facts: dict[str, Any]) -> Path:
        """Put the manifest in place, then drop the files of the version before."""
        manifest = {"format": FORMAT, "version": VERSION, **facts}
        manifest["files"] = self._files
        manifest["sha256"] = _self_checksum(manifest)
        fresh = self.folder / f"{MANIFEST}.{self._stamp}"
        with self._whole_or_nothing():
            with fresh.open("wb") as handle:
                handle.write(_spelled(manifest))
                handle.flush()
                os.fsync(handle.fileno())
            before = _listed(self.folder)
            os.replace(fresh, self.folder / MANIFEST)
        for name in before - {record["file"] for record in self._files.values()}:
            (self.folder / name).unlink(missing_ok=True)
        return self.folder

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        """A failed write leaves the index before as it was, and nothing else."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            # FAISS and Annoy have errors of their own for a full disk.
            inside = _listed(self.folder)
            for path in self.folder.iterdir():
                mine = path.name in {record["file"] for record in self._files.values()}
                if self._stamp in path.name or (mine and path.name not in inside):
                    path.unlink(missing_ok=True)
            raise StoreError(
                f"room to write an index into {self.folder}",
                str(error),
                "free some disk space; the index before is still there",
            ) from error


def drop_unlisted(folder: Path) -> None:
    """Removes what writers that were killed left in an index folder.

    Only for one who holds the folder for writing: another's unfinished files look the same.
    """
    listed = _listed(folder)
    for path in folder.iterdir():
        if path.name not in listed and _WRITTEN.fullmatch(path.name):
            path.unlink(missing_ok=True)


class IndexReader:
    """An index folder opened for reading; every file is checked before it is used.

    Args:
        folder: where the index was saved.
        verify: compare the checksum of large files too, not their size alone.

    Raises:
        StoreError: no index there. StoreMismatchError: of another format or version.
        StoreCorruptError: the manifest is no manifest.
    """

    def __init__(self, folder: str | Path, *, verify: bool = False) -> None:
        self.folder, self._verify = Path(folder), verify
        self.facts = _manifest(self.folder)

    def has(self, name: str) -> bool:
        return name in self.facts["files"]

    def path(self, name: str) -> Path:
        """The checked path of one file; StoreCorruptError when it is not as written."""
        record = self.facts["files"].get(name)
        if record is None:
            raise _corrupt(self.folder, f"no file for {name!r} in the manifest")
        # The name comes from a file: it may not lead out of the folder.
        path = self.folder / Path(record["file"]).name
        if not path.is_file():
            raise _corrupt(path, "a file that is not there")
        size = path.stat().st_size
        if size != record["bytes"]:
            raise _corrupt(path, f"{size} bytes instead of {record['bytes']}")
        if (self._verify or size <= _ALWAYS_HASHED) and _sha256(path) != record["sha256"]:
            raise _corrupt(path, "another checksum than in the manifest")
        return path

    def array(self, name: str, *, mapped: bool = False) -> np.ndarray:
        """The array of ``name``, memory mapped on request."""
        path = self.path(name)
        try:
            return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            check_let(path, error)
            raise _corrupt(path, str(error)) from error


def verify_index(folder: str | Path) -> list[tuple[str, str]]:
    """Reads every file of a saved index, the manifest byte for byte.

    Returns:
        ``(file name, what is wrong)``; empty when all are as written.
    """
    try:
        reader = IndexReader(folder, verify=True)
    except (StoreError, StoreCorruptError, StoreMismatchError) as error:
        return [(MANIFEST, error.received)]
    found = []
    for name, record in reader.facts["files"].items():
        try:
            reader.path(name)
        except StoreCorruptError as error:
            found.append((record["file"], error.received))
    return found


def sample_digest(features: np.ndarray, rows: int = 64) -> str:
    """sha256 over evenly spaced rows: tells other features apart without reading all."""
    places = np.unique(np.linspace(0, len(features) - 1, min(rows, len(features))).astype(int))
    return hashlib.sha256(np.ascontiguousarray(features[places]).tobytes()).hexdigest()


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        written = path.read_bytes()
        facts = json.loads(written)
    except OSError as error:
        check_let(path, error)
        raise StoreError("an index folder", f"no {path}", "build it: fashify build") from error
    except ValueError as error:
        raise _corrupt(path, f"no JSON ({error})") from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise StoreMismatchError(
            f"an index manifest ({FORMAT})", f"{path} of another kind", "name an index folder"
        )
    if facts.get("version") != VERSION:
        raise StoreMismatchError(
            f"an index of format version {VERSION}",
            f"version {facts.get('version')!r} in {folder}",
            "build it again: fashify build",
        )
    # A flipped bit may give another spelling of the same values: \u00e9 and \u00E9.
    signed = facts.get("sha256") == _self_checksum(facts) and written == _spelled(facts)
    if not signed or not isinstance(facts.get("files"), dict):
        raise _corrupt(path, "its checksum differs, or it has none")
    return facts


def _listed(folder: Path) -> set[str]:
    """Names of the files the present manifest holds; none when there is no readable one."""
    try:
        return {Path(record["file"]).name for record in _manifest(folder)["files"].values()}
    except (StoreError, StoreCorruptError, StoreMismatchError, KeyError, TypeError):
        return set()


def _spelled(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1).encode()


def _self_checksum(manifest: dict[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(_spelled(rest)).hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        # In one piece, without the interpreter: whoever opens a store goes on beside it.
        # A mapping takes a second file handle, and may be refused after the first was given.
        with path.open("rb") as handle:
            if path.stat().st_size:
                with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                    digest.update(whole)
    except (OSError, ValueError) as error:
        check_let(path, error)
        raise _corrupt(path, str(error)) from error
    return digest.hexdigest()


def _corrupt(path: Path, received: str) -> StoreCorruptError:
    return StoreCorruptError(
        f"an intact index file {path}", received, "build the index again: fashify build"
    )
