"""A folder with a manifest that names each of its files, with size and checksum.

Stores, indexes and converted networks are such folders. They are written file by file into a
folder beside, the manifest last, and put in place in one step; they are read through their
manifest, every file checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fashify.errors import StoreCorruptError, StoreError, StoreMismatchError
from fashify.io.artefact.files import (
    canonical_json,
    check_readable,
    link_file,
    replace_folder,
    sha256_file,
    staging_of,
    write_bytes,
    write_error,
    write_file,
)

MANIFEST = "manifest.json"

#: Files up to this size have their checksum compared whenever they are read; larger ones
#: their size, unless the reader asks for more.
ALWAYS_HASHED = 4 << 20


@dataclass(frozen=True)
class ArtefactKind:
    """What a manifest says of the folder it lies in.

    Attributes:
        format: its name.
        version: raised when an older release could not read what is written.
        noun: what to call it in a message.
        cure: the command that makes it again; ``{folder}`` stands for the folder.
        readable: older versions that can be read, too.
    """

    format: str
    version: int
    noun: str
    cure: str
    readable: tuple[int, ...] = ()


class ArtefactWriter:
    """Collects the files of an artefact in ``staging`` and seals them with a manifest.

    Args:
        staging: the folder, made where missing; see ``staging_of``.
        kind: of the artefact.

    Raises:
        StoreError: the folder cannot be made.
    """

    def __init__(self, staging: Path, kind: ArtefactKind) -> None:
        self.staging, self.kind = staging, kind
        self.files: dict[str, dict[str, Any]] = {}
        try:
            staging.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(staging, error) from error

    def write(self, name: str, write: Callable[[Path], object]) -> str:
        """Lets ``write(path)`` make one file; returns its checksum. ``StoreError`` on failure."""
        write_file(self.staging / name, write)
        return self._record(name)

    def take(self, name: str) -> str:
        """Takes in a file that lies in the staging folder already, as ``write``."""
        path = self.staging / name
        try:
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise write_error(path, error) from error
        return self._record(name)

    def _record(self, name: str) -> str:
        path = self.staging / name
        self.files[name] = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
        return self.files[name]["sha256"]

    def add(self, name: str, data: bytes) -> str:
        """Writes one file of these bytes, as ``write``."""
        write_bytes(self.staging / name, data)
        checksum = hashlib.sha256(data).hexdigest()
        self.files[name] = {"bytes": len(data), "sha256": checksum}
        return checksum

    def add_array(self, name: str, array: np.ndarray) -> str:
        """Writes one array as ``name`` + ".npy", as ``write``."""

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.save(file, array, allow_pickle=False)

        return self.write(f"{name}.npy", write)

    def keep(self, reader: ArtefactReader, name: str) -> str:
        """Takes a file over from another artefact, unread where the disk can link."""
        link_file(reader.folder / name, self.staging / name)
        self.files[name] = dict(reader.files[name])
        return self.files[name]["sha256"]

    def seal(self, facts: Mapping[str, Any]) -> None:
        """Writes the manifest; of what the staging folder holds beside it nothing is removed."""
        manifest = {**facts, "format": self.kind.format, "version": self.kind.version}
        manifest["files"] = self.files
        manifest["sha256"] = self_checksum(manifest)
        write_bytes(self.staging / MANIFEST, canonical_json(manifest))


def write_artefact(
    folder: Path,
    kind: ArtefactKind,
    facts: Mapping[str, Any],
    fill: Callable[[ArtefactWriter], None],
    *,
    staging: Path | None = None,
) -> Path:
    """Writes a whole artefact at ``folder`` in one step; one there before is replaced.

    Args:
        folder: where it shall be.
        kind: of the artefact.
        facts: what the manifest says beside the files.
        fill: adds the files.
        staging: where it grows; beside the folder by default.

    Raises:
        StoreError: it cannot be written; what was there before stays.
    """
    staging = staging or staging_of(folder)
    shutil.rmtree(staging, ignore_errors=True)
    try:
        writer = ArtefactWriter(staging, kind)
        fill(writer)
        writer.seal(facts)
        replace_folder(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return folder


class ArtefactReader:
    """An artefact opened through its manifest; every file is checked before it is used.

    Args:
        folder: where it lies.
        kind: which it must be.
        verify: compare the checksum of large files too, not their size alone.

    Attributes:
        facts: the manifest.
        files: name -> ``bytes``, ``sha256``.

    Raises:
        StoreError: none there. StoreMismatchError: of another format or version.
        StoreCorruptError: the manifest is not as it was written.
    """

    def __init__(self, folder: Path, kind: ArtefactKind, *, verify: bool = False) -> None:
        self.folder, self.kind, self.verify = folder, kind, verify
        self.facts = read_manifest(folder, kind)
        self.files: dict[str, dict[str, Any]] = self.facts["files"]
        self._checked: dict[str, Path] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def path(self, name: str) -> Path:
        """The checked path of one file; ``StoreCorruptError`` when it is not as written."""
        if name not in self._checked:
            self._checked[name] = self._check(name)
        return self._checked[name]

    def read(self, name: str) -> bytes:
        """A file's bytes, their checksum compared; errors as ``path``."""
        path = self._locate(name)
        try:
            data = path.read_bytes()
        except OSError as error:
            check_readable(path, error)
            raise self._corrupt(name, "missing") from error
        if hashlib.sha256(data).hexdigest() != self.files[name]["sha256"]:
            raise self._corrupt(name, "its checksum differs")
        return data

    def array(self, name: str, *, mapped: bool = False) -> np.ndarray:
        """The array ``name`` + ".npy", memory mapped on request; errors as ``path``."""
        path = self.path(f"{name}.npy")
        try:
            return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            check_readable(path, error)
            raise self._corrupt(path.name, str(error)) from error

    def _locate(self, name: str) -> Path:
        if name not in self.files:
            raise self._corrupt(MANIFEST, f"it names no {name}")
        # The name comes from a file: it may not lead out of the folder.
        return self.folder / Path(name).name

    def _check(self, name: str) -> Path:
        path, record = self._locate(name), self.files[name]
        try:
            size = path.stat().st_size
            whole = size == record["bytes"]
            if whole and (self.verify or size <= ALWAYS_HASHED):
                whole = sha256_file(path) == record["sha256"]
        except (OSError, ValueError) as error:
            check_readable(path, error)
            raise self._corrupt(name, "missing" if not path.is_file() else str(error)) from error
        if size != record["bytes"]:
            raise self._corrupt(name, f"{size} bytes instead of {record['bytes']}")
        if not whole:
            raise self._corrupt(name, "its checksum differs")
        return path

    def _corrupt(self, name: str, reason: str) -> StoreCorruptError:
        return corrupt(self.kind, self.folder, name, reason)


def corrupt(kind: ArtefactKind, folder: Path, name: str, reason: str) -> StoreCorruptError:
    """The error for a file that is not as it was written."""
    cure = kind.cure.format(folder=folder)
    return StoreCorruptError(f"{kind.noun} as it was written", f"{name} ({reason})", cure)


def read_manifest(folder: Path, kind: ArtefactKind) -> dict[str, Any]:
    """The manifest, checked byte for byte; errors as ``ArtefactReader``."""
    file = folder / MANIFEST
    cure = kind.cure.format(folder=folder)
    try:
        data = file.read_bytes()
    except OSError as error:
        check_readable(file, error)
        raise StoreError(f"{kind.noun}, finished", f"{folder} without {MANIFEST}", cure) from error
    try:
        manifest = json.loads(data)
        found = manifest["format"], manifest["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise corrupt(kind, folder, MANIFEST, f"not readable: {error}") from error
    if found[0] != kind.format or found[1] not in (kind.version, *kind.readable):
        raise StoreMismatchError(
            f"{kind.noun} of format {kind.format} version {kind.version}",
            f"{found[0]} version {found[1]} in {folder}",
            cure,
        )
    # A flipped bit may give another spelling of the same values, or a name of its own.
    signed = manifest.get("sha256") == self_checksum(manifest) and canonical_json(manifest) == data
    if not signed or not isinstance(manifest.get("files"), dict):
        raise corrupt(kind, folder, MANIFEST, "its checksum differs")
    return manifest


def self_checksum(manifest: Mapping[str, Any]) -> str:
    """The manifest's own checksum, over everything else in it."""
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(canonical_json(rest)).hexdigest()


def verify_artefact(folder: Path, kind: ArtefactKind) -> Iterator[tuple[str, str]]:
    """``(file, what is wrong)`` of every file that is not as it was written.

    Raises:
        StoreError: there is no artefact.
    """
    try:
        reader = ArtefactReader(folder, kind, verify=True)
    except (StoreCorruptError, StoreMismatchError) as error:
        yield MANIFEST, error.received
        return
    for name in sorted(reader.files):
        try:
            reader.path(name)
        except (StoreError, StoreCorruptError) as error:
            yield name, error.received
