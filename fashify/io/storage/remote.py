"""A catalogue or store in a bucket, read through fsspec: S3, Google Cloud or Azure storage.

Credentials, region and endpoint come from where each provider's tools look for them: the
environment (``AWS_PROFILE``, ``GOOGLE_APPLICATION_CREDENTIALS``,
``AZURE_STORAGE_CONNECTION_STRING`` ...), the shared configuration, or the machine's role.
``FASHIFY_S3_ANONYMOUS=1``, ``FASHIFY_GS_ANONYMOUS=1`` and ``FASHIFY_AZ_ANONYMOUS=1`` read public
buckets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fashify.errors import MissingExtraError, StorageAwayError, StorageError
from fashify.io.storage.base import Stat

CONNECT_SECONDS = 5
READ_SECONDS = 20
ATTEMPTS = 4

#: Requests under way at once: an answer takes some ten milliseconds, whatever the processor.
READERS = 16

T = TypeVar("T")


@dataclass(frozen=True)
class Provider:
    """One kind of bucket.

    Attributes:
        package: that fsspec speaks to it through; also the extra's, by the scheme's name.
        connect: makes the file system, with short time-outs and bounded retries.
        probe: one small request that fails where the prefix cannot be reached any more.
        credentials: how to give them.
        permission: what reading needs.
        endpoint: the setting that names another server.
    """

    package: str
    connect: Callable[[], Any]
    probe: Callable[[Any, str], object]
    credentials: str
    permission: str
    endpoint: str


def open_bucket(url: str) -> BucketFolder:
    """Opens ``s3://bucket/prefix``, ``gs://`` or ``az://``; the listing is fetched at once.

    Raises:
        StorageError: another protocol, no credentials, no such bucket or prefix, refused,
            or no answer in time.
        MissingExtraError: the provider's package is not installed.
    """
    return BucketFolder(url.rstrip("/"))


def open_filesystem(url: str) -> tuple[Any, str]:
    """The fsspec file system of a url, and the url's bucket and prefix there; as open_bucket."""
    provider, root = _provider(url), url.partition("://")[2].strip("/")
    try:
        return provider.connect(), root
    except ImportError:
        scheme = url.partition("://")[0]
        raise MissingExtraError.of(provider.package, scheme) from None


def _provider(url: str) -> Provider:
    scheme, _, rest = url.partition("://")
    if scheme not in PROVIDERS or not rest.strip("/"):
        raise StorageError(
            "a url s3://bucket/prefix, gs://bucket/prefix or az://container/prefix",
            repr(url),
            "name the bucket and prefix",
        )
    return PROVIDERS[scheme]


def _anonymous(scheme: str) -> bool:
    return os.environ.get(f"FASHIFY_{scheme.upper()}_ANONYMOUS") == "1"


def _connect_s3() -> Any:
    import s3fs

    filesystem = s3fs.S3FileSystem(
        # More would ask for an object's length first: two requests a picture.
        max_concurrency=1,
        anon=_anonymous("s3"),
        config_kwargs={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            "retries": {"max_attempts": ATTEMPTS, "mode": "standard"},
            "max_pool_connections": 32,
        },
        **_FRESH,
    )
    # botocore tries again already; both together would multiply the wait.
    filesystem.retries = 1
    return filesystem


def _connect_gs() -> Any:
    # The plain file system: gcsfs's usual one asks a second service what kind a bucket is.
    from gcsfs.core import GCSFileSystem

    return GCSFileSystem(
        token="anon" if _anonymous("gs") else None, requests_timeout=READ_SECONDS, **_FRESH
    )


def _connect_az() -> Any:
    from adlfs import AzureBlobFileSystem

    names = ("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_NAME")
    if not any(os.environ.get(name) for name in names):
        raise StorageError("an account of Azure storage", "none", PROVIDERS["az"].credentials)
    return AzureBlobFileSystem(
        anon=_anonymous("az"),
        connection_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        **_FRESH,
    )


def _probe_s3(filesystem: Any, root: str) -> object:
    bucket, _, prefix = root.partition("/")
    return filesystem.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1)


def _probe_by_listing(filesystem: Any, root: str) -> object:
    return filesystem.ls(root, detail=False)


#: Listings of a catalogue that is being extended must not be stale.
_FRESH: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}

#: By the scheme of their urls; the extra that installs one has the scheme's name.
PROVIDERS = {
    "s3": Provider(
        "s3fs",
        _connect_s3,
        _probe_s3,
        "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or FASHIFY_S3_ANONYMOUS=1 for a public bucket",
        "allow s3:GetObject and ListBucket",
        "AWS_ENDPOINT_URL",
    ),
    "gs": Provider(
        "gcsfs",
        _connect_gs,
        _probe_by_listing,
        "run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS, "
        "or FASHIFY_GS_ANONYMOUS=1 for a public bucket",
        "allow storage.objects.get and storage.objects.list",
        "STORAGE_EMULATOR_HOST",
    ),
    "az": Provider(
        "adlfs",
        _connect_az,
        _probe_by_listing,
        "set AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with "
        "AZURE_STORAGE_ACCOUNT_KEY, or FASHIFY_AZ_ANONYMOUS=1 for a public container",
        "give the role Storage Blob Data Reader",
        "AZURE_STORAGE_CONNECTION_STRING",
    ),
}


class BucketFolder:
    """Objects under one prefix."""

    readers = READERS

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs, self.root = open_filesystem(url)
        found = ask_bucket(lambda: self._fs.find(self.root, detail=True), self.url)
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
            return ask_bucket(
                lambda: self._fs.cat_file(path, start=start, end=size), f"{self.url}/{name}"
            )
        except StorageAwayError:
            raise
        except StorageError:
            # Missing or refused: this object alone, or has the bucket gone, have the keys expired?
            self._check_still_there()
            raise

    def _check_still_there(self) -> None:
        try:
            ask_bucket(lambda: _provider(self.url).probe(self._fs, self.root), self.url)
        except StorageError as error:
            raise StorageAwayError(error.expected, error.received, error.fix) from error

    def stats(self, names: Iterable[str]) -> dict[str, Stat]:
        # Where a provider gives no checksum of the bytes (S3 of uploads in parts), two equal
        # objects may differ here and are then embedded twice, which saves downloading both.
        keys = {n: _version(self._infos[n]) for n in names if n in self._infos}
        return {name: Stat(key, key) for name, key in keys.items()}


class Bucket:
    """The objects below a url, to read and to write, by their names relative to it.

    Raises:
        StorageError: as ``open_bucket``.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs, self.root = open_filesystem(url)
        found = ask_bucket(lambda: self._fs.find(self.root), url)
        self.names = {name[len(self.root) + 1 :] for name in found} - {""}

    def read(self, name: str) -> bytes:
        return ask_bucket(lambda: self._fs.cat_file(f"{self.root}/{name}"), self.url)

    def get(self, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        source = f"{self.root}/{name}"
        ask_bucket(lambda: self._fs.get_file(source, str(target)), self.url)

    def put(self, path: Path, name: str) -> None:
        ask_bucket(lambda: self._fs.put_file(str(path), f"{self.root}/{name}"), self.url)

    def remove(self, name: str) -> None:
        ask_bucket(lambda: self._fs.rm_file(f"{self.root}/{name}"), self.url)


class ObjectWatch:
    """Looks at one object of a bucket; errors as ``open_bucket``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs, self._name = open_filesystem(url)

    def version(self) -> str:
        """What tells one upload of it from the next, by one small request."""
        info = ask_bucket(lambda: self._fs.info(self._name), self.url)
        when = (info.get(name) for name in ("LastModified", "updated", "last_modified"))
        return f"{_version(info)}:{next(filter(None, when), '')}"


def _version(info: dict[str, Any]) -> str:
    """Size and checksum: of S3 the ETag, of Google and Azure the MD5 that the listing has."""
    settings = info.get("content_settings") or {}
    checksum = info.get("ETag") or info.get("md5Hash") or settings.get("content_md5")
    if isinstance(checksum, bytes | bytearray):
        checksum = checksum.hex()
    return f"{info['size']}:{str(checksum or info.get('etag', '')).strip(chr(34))}"


def ask_bucket(call: Callable[[], T], url: str) -> T:
    """Runs one request and turns whatever goes wrong into a ``StorageError``."""
    try:
        return call()
    except Exception as error:  # botocore, aiohttp, azure and fsspec share no base class.
        raise _explain_error(error, url) from error


#: Errors of the providers' packages that mean: no credentials were found, or they are void.
_NO_CREDENTIALS = frozenset(
    "NoCredentialsError DefaultCredentialsError RefreshError ClientAuthenticationError".split()
)


def _explain_error(error: Exception, url: str) -> StorageError:
    kind, text = type(error).__name__, " ".join(str(error).split())[:160]
    provider = _provider(url)
    if isinstance(error, StorageError):
        return error
    if kind in _NO_CREDENTIALS:
        return StorageError(f"credentials for {url}", "none that count", provider.credentials)
    if isinstance(error, FileNotFoundError):
        return StorageError(f"an object at {url}", f"none ({text})", "check bucket and key")
    if _is_refusal(error):
        return StorageError(f"permission to read {url}", f"a refusal ({text})", provider.permission)
    return StorageAwayError(
        f"an answer from {url} within {READ_SECONDS} s and {ATTEMPTS} attempts",
        f"{kind}: {text}",
        f"check the network and {provider.endpoint}, then run again; finished work is kept",
    )


def _is_refusal(error: Exception) -> bool:
    code = getattr(error, "status_code", None) or getattr(error, "code", None)
    return isinstance(error, PermissionError) or str(code) in ("401", "403")
