"""A store in a bucket: a local copy to work on, the manifest always last.

Readers fetch what the bucket's manifest vouches for and open the copy; writers build the
copy and upload it. Files that are in the copy already with the same checksum or name do
not travel again.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

from fashify.config import settings
from fashify.errors import StorageError, StoreError
from fashify.io.storage import is_url
from fashify.io.storage.remote import ask_s3, s3_filesystem
from fashify.store.files import link_file, locked, swap_in
from fashify.store.store import MANIFEST, fresh_staging, read_manifest

logger = logging.getLogger(__name__)


def local_path(store: str | Path) -> Path:
    """Where a store is, or its local copy will be; nothing is fetched."""
    if not is_url(store):
        return Path(store)
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
    filesystem, root = s3_filesystem(), url.removeprefix("s3://").rstrip("/")
    try:
        manifest = ask_s3(lambda: filesystem.cat_file(f"{root}/{MANIFEST}"), url)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise StoreError(
                "a finished feature store", f"none at {url}", f"run: fashify build --out {url}"
            ) from error
        raise
    if (copy / MANIFEST).is_file() and (copy / MANIFEST).read_bytes() == manifest:
        return copy
    with locked(copy):
        staging = fresh_staging(copy)
        for name in ask_s3(lambda: filesystem.find(root), url):
            _bring(filesystem, name, staging / name[len(root) + 1 :], copy, url)
        swap_in(staging, copy)
    return copy


def present_copy(store: str | Path) -> Path:
    """The folder to build a store in, holding what there is of it already."""
    if is_url(store):
        try:
            return fetch_store(str(store))
        except StoreError:
            logger.info("no store at %s yet", store)
    return local_path(store)


def _bring(filesystem: Any, name: str, target: Path, copy: Path, url: str) -> None:
    """One object; a shard that is in the old copy is taken from there, its name is enough."""
    target.parent.mkdir(parents=True, exist_ok=True)
    known = copy / "shards" / target.name
    if target.parent.name == "shards" and known.is_file():
        link_file(known, target)
        return
    ask_s3(lambda: filesystem.get_file(name, str(target)), url)


def push_store(store: Path, url: str) -> None:
    """Uploads a finished store; the manifest goes last, leftovers of an older one go away.

    Raises:
        StoreError: ``store`` is not finished.
        StorageError: no credentials, refused, or no answer; the bucket's old manifest
            then still stands.
    """
    read_manifest(store)
    filesystem, root = s3_filesystem(), url.rstrip("/").removeprefix("s3://")
    there = set(ask_s3(lambda: filesystem.find(root), url))
    files = sorted(path for path in store.rglob("*") if path.is_file())
    files.sort(key=lambda path: (path.name == MANIFEST, path.parent == store))
    wanted = set()
    for path in files:
        name = f"{root}/{path.relative_to(store).as_posix()}"
        wanted.add(name)
        if path.parent.name == "shards" and name in there:
            continue
        ask_s3(lambda path=path, name=name: filesystem.put_file(str(path), name), url)
    for name in there - wanted:
        ask_s3(lambda name=name: filesystem.rm_file(name), url)
