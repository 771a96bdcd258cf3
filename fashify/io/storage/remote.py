"""A catalogue in an S3 bucket, read through fsspec and s3fs.

Credentials, region and endpoint come from where the AWS tools look for them: the
environment (``AWS_PROFILE``, ``AWS_ACCESS_KEY_ID``, ``AWS_ENDPOINT_URL`` ...), the shared
configuration, or the machine's role. ``FASHIFY_S3_ANONYMOUS=1`` reads public buckets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from fashify.errors import MissingExtraError, StorageAwayError, StorageError
from fashify.io.storage.base import Stat

CONNECT_SECONDS = 5
READ_SECONDS = 20
ATTEMPTS = 4

#: Requests under way at once: an answer takes some ten milliseconds, whatever the processor.
READERS = 16

T = TypeVar("T")


def open_bucket(url: str) -> S3Folder:
    """Opens ``s3://bucket/prefix``; the listing is fetched at once.

    Raises:
        StorageError: another protocol, no credentials, no such bucket or prefix, refused,
            or no answer in time.
        MissingExtraError: s3fs is not installed.
    """
    scheme, _, rest = url.partition("://")
    if scheme != "s3" or not rest.strip("/"):
        raise StorageError("a url s3://bucket/prefix", repr(url), "name the bucket and prefix")
    return S3Folder(url.rstrip("/"), s3_filesystem())


def s3_filesystem() -> Any:
    """An s3fs file system with short time-outs and bounded retries."""
    try:
        import s3fs
    except ImportError:
        raise MissingExtraError.of("s3fs", "s3") from None
    filesystem = s3fs.S3FileSystem(
        # More would ask for an object's length first: two requests a picture.
        max_concurrency=1,
        anon=os.environ.get("FASHIFY_S3_ANONYMOUS") == "1",
        config_kwargs={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"max_attempts": ATTEMPTS, "mode": "standard"},
            "max_pool_connections": 32,
        },
        # Listings of a catalogue that is being extended must not be stale.
        use_listings_cache=False,
        skip_instance_cache=True,
    )
    # botocore tries again already; both together would multiply the wait.
    filesystem.retries = 1
    return filesystem


class S3Folder:
    """Objects under one prefix."""

    readers = READERS

    def __init__(self, url: str, filesystem: Any) -> None:
        self.url, self._fs = url, filesystem
        self.root = url.removeprefix("s3://")
        found = self._ask(lambda: filesystem.find(self.root, detail=True), self.url)
        start = len(self.root) + 1
        self._infos = {name[start:]: info for name, info in found.items() if name[start:]}
        if not self._infos:
            raise StorageError(
                f"objects under {url}", "none", "check bucket and prefix, they are case-sensitive"
            )

    def names(self) -> list[str]:
        return sorted(self._infos)

    def read(self, name: str) -> bytes:
        return self._read(name, None)

    def head(self, name: str, size: int) -> bytes:
        return self._read(name, size)

    def _read(self, name: str, size: int | None) -> bytes:
        path, start = f"{self.root}/{name}", 0 if size is not None else None
        if size is not None and self._infos.get(name, {}).get("size") == 0:
            return b""  # A range of nothing is refused by S3.
        try:
            return self._ask(
                lambda: self._fs.cat_file(path, start=start, end=size), f"{self.url}/{name}"
            )
        except StorageAwayError:
            raise
        except StorageError:
            # Missing or refused: this object alone, or has the bucket gone, have the keys expired?
            self._check_still_there()
            raise

    def _check_still_there(self) -> None:
        bucket, _, prefix = self.root.partition("/")
        where = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 1}
        try:
            self._ask(lambda: self._fs.call_s3("list_objects_v2", **where), self.url)
        except StorageError as error:
            raise StorageAwayError(error.expected, error.received, error.fix) from error

    def stats(self, names: Iterable[str]) -> dict[str, Stat]:
        # An ETag is the checksum of the bytes but for uploads in parts: two equal objects
        # may differ in it and are then embedded twice, which saves downloading both.
        keys = {n: _version(self._infos[n]) for n in names if n in self._infos}
        return {name: Stat(key, key) for name, key in keys.items()}

    def _ask(self, call: Callable[[], T], url: str) -> T:
        return ask_s3(call, url)


def _version(info: dict[str, Any]) -> str:
    return f"{info['size']}:{str(info.get('ETag', '')).strip(chr(34))}"


def ask_s3(call: Callable[[], T], url: str) -> T:
    """Runs one request and turns whatever goes wrong into a ``StorageError``."""
    try:
        return call()
    except Exception as error:  # botocore, aiohttp and s3fs share no base class.
        raise _explain_error(error, url) from error


def _explain_error(error: Exception, url: str) -> StorageError:
    kind, text = type(error).__name__, " ".join(str(error).split())[:160]
    if isinstance(error, StorageError):
        return error
    if kind == "NoCredentialsError":
        return StorageError(
            f"credentials for {url}",
            "none",
            "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or FASHIFY_S3_ANONYMOUS=1 for a public bucket",
        )
    if isinstance(error, FileNotFoundError):
        return StorageError(f"an object at {url}", f"none ({text})", "check bucket and key")
    if isinstance(error, PermissionError):
        return StorageError(
            f"permission to read {url}", f"a refusal ({text})", "allow s3:GetObject and ListBucket"
        )
    return StorageAwayError(
        f"an answer from {url} within {READ_SECONDS} s and {ATTEMPTS} attempts",
        f"{kind}: {text}",
        "check the network and AWS_ENDPOINT_URL, then run again; finished work is kept",
    )
