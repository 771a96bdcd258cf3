"""A store in a bucket: a local copy to work on, the manifest always last.

Readers fetch what the bucket's manifest names and open the copy; writers build the copy and
upload it. An object is called by its file's name and checksum, so that a new version never
writes over the one that somebody is fetching, and what is there already does not travel again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fashify.config import settings
from fashify.errors import FashifyError, StorageError, StoreError
from fashify.io.artefact import (
    MANIFEST,
    WORDS,
    ArtefactKind,
    ArtefactReader,
    link_file,
    lock_folder,
    read_manifest,
    replace_folder,
    staging_of,
)
from fashify.io.storage import is_url
from fashify.io.storage.remote import Bucket, ObjectWatch
from fashify.store.formats import is_old
from fashify.store.layout import INDEX, INDEX_KIND, NEXT, STORE

logger = logging.getLogger(__name__)

#: Seconds between two looks at a bucket: of S3, 8,640 requests a day.
FOLLOW_SECONDS = 10.0

#: Characters of a checksum in an object's name.
_MARK = 16


def local_path(store: str | Path) -> Path:
    """Where a store is, or its local copy will be; nothing is fetched."""
    if not is_url(store):
        return Path(store).expanduser()
    key = hashlib.sha256(str(store).rstrip("/").encode()).hexdigest()[:16]
    return settings().cache / "stores" / key


def fetch_store(url: str) -> Path:
    """Brings the local copy of a store in a bucket up to date.

    Returns:
        the copy's folder.

    Raises:
        StoreError: there is no finished store at the url.
        StorageError: no credentials, refused, or no answer.
    """
    url, copy = url.rstrip("/"), local_path(url)
    bucket = Bucket(url)
    try:
        manifest = bucket.read(MANIFEST)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise StoreError(
                "a finished feature store", f"none at {url}", f"run: fashify build --out {url}"
            ) from error
        raise
    index = bucket.read(f"{INDEX}/{MANIFEST}") if f"{INDEX}/{MANIFEST}" in bucket.names else b""
    if _is(copy / MANIFEST, manifest) and _is(copy / INDEX / MANIFEST, index):
        _fetch_words(bucket, copy, copy)
        return copy
    with lock_folder(copy):
        fresh = staging_of(copy) / NEXT
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        (fresh / MANIFEST).write_bytes(manifest)
        if is_old(fresh):
            _fetch_objects(bucket, fresh)
        else:
            _fetch_artefact(bucket, fresh, copy, STORE)
            if index:
                (fresh / INDEX).mkdir()
                (fresh / INDEX / MANIFEST).write_bytes(index)
                _fetch_artefact(bucket, fresh / INDEX, copy / INDEX, INDEX_KIND, f"{INDEX}/")
            _fetch_words(bucket, fresh, copy)
        replace_folder(fresh, copy)
    return copy


class BucketFollower:
    """Keeps the local copy of a store in a bucket up to date while it is served.

    Called, it looks, at most every ``FOLLOW_SECONDS``, at the bucket's manifest, which a writer
    puts there last, and fetches the store when that is another one; errors as ``fetch_store``.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._watch = ObjectWatch(f"{self._url}/{MANIFEST}")
        self._version, self._due = "", 0.0

    def __call__(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + FOLLOW_SECONDS
        version = self._watch.version()
        if version != self._version:
            fetch_store(self._url)
            self._version = version


def present_copy(store: str | Path) -> Path:
    """The folder to build a store in, holding what there is of it already."""
    if is_url(store):
        try:
            return fetch_store(str(store))
        except StoreError:
            logger.info("no store at %s yet", store)
    return local_path(store)


def push_store(store: Path, url: str) -> None:
    """Uploads a finished store; the manifest goes last, leftovers of an older one go away.

    Raises:
        StoreError: ``store`` is not finished.
        StorageError: no credentials, refused, or no answer; the bucket's old manifest
            then still stands.
    """
    bucket = Bucket(url.rstrip("/"))
    wanted = dict(_objects(store, STORE))
    if (store / INDEX).is_dir():
        wanted |= {f"{INDEX}/{name}": path for name, path in _objects(store / INDEX, INDEX_KIND)}
        wanted[f"{INDEX}/{MANIFEST}"] = store / INDEX / MANIFEST
    wanted |= {f"{WORDS}/{_object_name(p.name, _hash(p))}": p for p in _list_words(store)}
    wanted[MANIFEST] = store / MANIFEST
    for name, path in wanted.items():
        if PurePosixPath(name).name == MANIFEST or name not in bucket.names:
            bucket.put(path, name)
    for name in bucket.names - set(wanted):
        bucket.remove(name)


def _objects(folder: Path, kind: ArtefactKind) -> Iterator[tuple[str, Path]]:
    """(name of the object, file) of every file an artefact's manifest names."""
    for name, record in read_manifest(folder, kind)["files"].items():
        yield _object_name(name, record["sha256"]), folder / name


def _object_name(name: str, checksum: str) -> str:
    path = PurePosixPath(name)
    return f"{path.stem}.{checksum[:_MARK]}{path.suffix}"


def _list_words(store: Path) -> list[Path]:
    """The word index and the text tower, as far as a store has them."""
    folder = store / WORDS
    return sorted(p for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []


def _hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is(file: Path, data: bytes) -> bool:
    return file.read_bytes() == data if file.is_file() else not data


def _fetch_artefact(
    bucket: Bucket, fresh: Path, copy: Path, kind: ArtefactKind, prefix: str = ""
) -> None:
    """Fetches the files that the manifest in ``fresh`` names, or links those of ``copy``."""
    try:
        known = ArtefactReader(copy, kind).files
    except FashifyError:
        known = {}
    for name, record in read_manifest(fresh, kind)["files"].items():
        if known.get(name) == record and (copy / name).is_file():
            link_file(copy / name, fresh / name)
        else:
            bucket.get(prefix + _object_name(name, record["sha256"]), fresh / name)


def _fetch_words(bucket: Bucket, fresh: Path, copy: Path) -> None:
    """Fetches the word index and the text tower, or links those of ``copy``."""
    for name in (name for name in bucket.names if name.startswith(f"{WORDS}/")):
        stem, mark, suffix = PurePosixPath(name).name.split(".")
        own, target = copy / WORDS / f"{stem}.{suffix}", fresh / WORDS / f"{stem}.{suffix}"
        if not own.is_file() or _hash(own)[:_MARK] != mark:
            # Who reads the old one keeps it.
            bucket.get(name, target.with_suffix(".part"))
            os.replace(target.with_suffix(".part"), target)
        elif own != target:
            target.parent.mkdir(exist_ok=True)
            link_file(own, target)


def _fetch_objects(bucket: Bucket, fresh: Path) -> None:
    """Fetches every object by its own name, as stores of older formats have them."""
    for name in bucket.names - {MANIFEST}:
        bucket.get(name, fresh / name)
