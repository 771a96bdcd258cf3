"""Fetches the pictures that a table links to, into the folder beside it.

Bounded in size, number and rate, and resumable: what lies there already is not fetched again, and
a file takes its name only when it is whole. A table is untrusted input: addresses within this
machine's own network are refused, whatever name or redirect leads to them.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from tqdm import tqdm

from fashify.catalogue.files import sort_files, suffix_of
from fashify.catalogue.mapping import map_columns
from fashify.catalogue.options import Options
from fashify.catalogue.picture_names import folder_of, split_cell
from fashify.catalogue.readers import reader_of
from fashify.catalogue.tables import find_table
from fashify.errors import CatalogueError, ImageReadError
from fashify.io.addresses import Address, is_public, resolve
from fashify.io.artefact import write_bytes
from fashify.io.images import SUFFIXES, is_picture
from fashify.io.storage import open_storage

logger = logging.getLogger(__name__)

#: Where pictures are put, beside the table.
FOLDER = "images"

#: Fetches under way at once, and redirects followed by each.
AT_ONCE, REDIRECTS = 4, 3

#: Failures to connect at the beginning after which the machine counts as offline.
HOPELESS = 3

_UNSAFE = re.compile(r"[\x00-\x1f<>:\"\\|?*]")


@dataclass(frozen=True)
class DownloadLimits:
    """What is fetched at most.

    Attributes:
        pictures: how many.
        picture_bytes: of one picture.
        total_bytes: of all that is fetched now.
        per_second: requests to one host in a second.
        seconds: for one answer.
        attempts: at one address, where the server is busy or the connection breaks.
    """

    pictures: int = 200_000
    picture_bytes: int = 30_000_000
    total_bytes: int = 50_000_000_000
    per_second: float = 10.0
    seconds: float = 20.0
    attempts: int = 3


@dataclass
class Downloads:
    """The result of a download.

    Attributes:
        fetched: pictures fetched now; ``kept``: those that were there already.
        failed: address -> why.
    """

    fetched: int = 0
    kept: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.fetched:,} pictures fetched, {self.kept:,} were there"
        if self.failed:
            address, why = next(iter(self.failed.items()))
            text += f", {len(self.failed):,} failed ({address}: {why})"
        return text


def addresses_in(cells: Iterable[str]) -> list[str]:
    """The http(s) addresses that cells name, each once, in order."""
    parts = (part.strip() for cell in cells for part in split_cell(cell))
    return list(dict.fromkeys(p for p in parts if re.match(r"https?://\S", p, re.IGNORECASE)))


def file_names(addresses: Sequence[str]) -> dict[str, str]:
    """Address -> file name, so that a table's cell finds it by the address's last parts.

    >>> file_names(["https://a.test/x/1.jpg?v=2", "https://a.test/2/main.jpg"])
    {'https://a.test/x/1.jpg?v=2': '1.jpg', 'https://a.test/2/main.jpg': 'main.jpg'}
    """
    bases = {
        address: _clean_name(urlsplit(address).path.rpartition("/")[2]) for address in addresses
    }
    counted = Counter(name.casefold() for name in bases.values())
    names = {
        address: name
        if counted[name.casefold()] == 1
        else "/".join(map(_clean_name, urlsplit(address).path.strip("/").split("/")))
        for address, name in bases.items()
    }
    again = Counter(name.casefold() for name in names.values())
    return {
        # Addresses that differ by their query alone: no cell could find them by name.
        address: name if again[name.casefold()] == 1 else f"{_digest(address)}-{name}"
        for address, name in names.items()
    }


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:10]


def _clean_name(part: str) -> str:
    """A part of an address as a file's name; never a way out of the folder."""
    name = _UNSAFE.sub("_", unquote(part)).replace("/", "_").strip(". ")[:150]
    return name or "picture"


def download_pictures(
    addresses: Sequence[str],
    folder: Path,
    *,
    limits: DownloadLimits | None = None,
    allowed: Callable[[Address], bool] = is_public,
    progress: bool = False,
) -> Downloads:
    """Fetches pictures into a folder.

    Args:
        addresses: of the pictures.
        folder: made where it is not there.
        limits: what is fetched at most.
        allowed: which network addresses may be connected to.
        progress: show a bar.

    Raises:
        CatalogueError: too many pictures; nothing answers; the folder cannot be written.
    """
    limits = limits or DownloadLimits()
    if len(addresses) > limits.pictures:
        raise CatalogueError(
            f"at most {limits.pictures:,} pictures to fetch",
            f"{len(addresses):,}",
            "fetch them with a tool of your own, into a folder images/ beside the table",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogueError(
            f"a folder that can be written, {folder}", f"{error.strerror}", "choose another place"
        ) from error
    with _client(limits, allowed) as client:
        run = _Run(client, folder, limits)
        names = file_names(addresses)
        run.size = len(names)
        with (
            ThreadPoolExecutor(AT_ONCE) as pool,
            tqdm(total=len(names), unit="picture", desc="fetching", disable=not progress) as bar,
        ):
            for _ in pool.map(lambda pair: run.fetch(*pair), names.items()):
                bar.update()
    if run.hopeless:
        address, why = next(iter(run.found.failed.items()))
        raise CatalogueError(
            "the pictures' addresses within reach",
            f"{address}: {why}",
            "go online and run again with --download; what was fetched is kept",
        )
    return run.found


def _client(limits: DownloadLimits, allowed: Callable[[Address], bool]) -> httpx.Client:
    return httpx.Client(
        transport=GuardedTransport(httpx.HTTPTransport(retries=0), allowed),
        timeout=limits.seconds,
        follow_redirects=True,
        max_redirects=REDIRECTS,
        headers={"User-Agent": "fashify", "Accept": "image/*"},
        trust_env=False,
    )


class GuardedTransport(httpx.BaseTransport):
    """Connects to the very address that was checked, under the name that was asked for.

    Args:
        inner: the transport that sends requests.
        allowed: which addresses may be connected to; of a name's addresses all must be.
    """

    def __init__(self, inner: httpx.BaseTransport, allowed: Callable[[Address], bool]) -> None:
        self.inner, self.allowed = inner, allowed

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Resolves, checks and forwards one request; redirects come here again."""
        host, scheme = request.url.host, request.url.scheme
        port = request.url.port or (443 if scheme == "https" else 80)
        try:
            found = resolve(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"no address of {host} is known ({error})") from error
        if not found or not all(map(self.allowed, found)):
            raise PermissionError(f"{host} is inside a private network")
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=str(found[0])),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self.inner.handle_request(pinned)

    def close(self) -> None:
        """Closes the connections."""
        self.inner.close()


class BusyError(httpx.HTTPError):
    """A busy server, to be asked again in ``pause`` seconds."""

    def __init__(self, answer: httpx.Response, attempt: int) -> None:
        super().__init__(f"it answers {answer.status_code}")
        said = answer.headers.get("retry-after", "")
        self.pause = min(float(said), 30.0) if said.isdecimal() else 0.5 * attempt


class _Run:
    """One run over all addresses, from several threads."""

    def __init__(self, client: httpx.Client, folder: Path, limits: DownloadLimits) -> None:
        self.client, self.folder, self.limits = client, folder, limits
        self.found = Downloads()
        self.size = 0
        self.hopeless = False
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._bytes = self._unreached = 0

    def fetch(self, address: str, name: str) -> None:
        """Fetches one picture, or notes why not."""
        path = self.folder / (name if suffix_of(name) in SUFFIXES else f"{name}.jpg")
        if path.is_file():
            with self._lock:
                self.found.kept += 1
            return
        if self.hopeless:
            return
        try:
            data = self._read(address)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ImageReadError, ValueError) as error:
            self._fail(address, error)
        else:
            with self._lock:
                self.found.fetched += 1

    def _fail(self, address: str, error: Exception) -> None:
        why = " ".join(str(error).split())[:120] or type(error).__name__
        logger.info("not fetched: %s (%s)", address, why)
        with self._lock:
            self.found.failed[address] = why
            if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                self._unreached += 1
            nothing = not (self.found.fetched or self.found.kept)
            self.hopeless = nothing and self._unreached >= min(HOPELESS, self.size)

    def _read(self, address: str) -> bytes:
        """The picture's bytes; a busy server is asked again after the pause it names."""
        for attempt in range(1, self.limits.attempts):
            try:
                return self._ask(address, attempt)
            except (BusyError, httpx.ReadError, httpx.ReadTimeout) as error:
                time.sleep(getattr(error, "pause", 0.5 * attempt))
        return self._ask(address, self.limits.attempts)

    def _ask(self, address: str, attempt: int) -> bytes:
        self._wait(urlsplit(address).netloc)
        with self.client.stream("GET", address) as answer:
            if answer.status_code in (429, 500, 502, 503, 504):
                raise BusyError(answer, attempt)
            answer.raise_for_status()
            return self._read_body(answer)

    def _read_body(self, answer: httpx.Response) -> bytes:
        data = bytearray()
        for chunk in answer.iter_bytes():
            data += chunk
            if len(data) > self.limits.picture_bytes:
                raise ImageReadError(
                    f"a picture of at most {self.limits.picture_bytes:,} bytes", "more", "skip it"
                )
        with self._lock:
            self._bytes += len(data)
            if self._bytes > self.limits.total_bytes:
                raise ImageReadError(
                    f"at most {self.limits.total_bytes:,} bytes in all", "more", "fetch in parts"
                )
        if not is_picture(bytes(data[:32])):
            kind = answer.headers.get("content-type", "of no type")
            raise ImageReadError("a picture", f"something else ({kind})", "check the address")
        return bytes(data)

    def _wait(self, host: str) -> None:
        """Keeps the rate of requests to one host."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next.get(host, 0.0))
            self._next[host] = turn + 1 / self.limits.per_second
        time.sleep(max(0.0, turn - now))


def download_catalogue(
    source: str | Path,
    *,
    table: str | None = None,
    columns: Mapping[str, str] | None = None,
    limits: DownloadLimits | None = None,
    allowed: Callable[[Address], bool] = is_public,
    progress: bool = False,
) -> Downloads:
    """Fetches the pictures that a catalogue's table links to, into ``images/`` beside it.

    Args:
        source: the catalogue's folder, or the table in it.
        table: as ``load_catalogue``'s.
        columns: as ``load_catalogue``'s.
        limits: what is fetched at most.
        allowed: which network addresses may be connected to.
        progress: show a bar.

    Raises:
        CatalogueError: no folder, no table, none with addresses; or as ``download_pictures``.
    """
    path = Path(source).expanduser()
    if path.is_file() and reader_of(path.name):
        path, table = path.parent, table or path.name
    if not path.is_dir():
        raise CatalogueError(
            "a folder with a table, to fetch its pictures into", f"{source}", "unpack it first"
        )
    storage = open_storage(path)
    names = storage.names()
    options, _ = Options(table=table, columns=dict(columns or {})).with_settings(storage, names)
    found = find_table(sort_files(storage, names), storage, options)
    if found.raw is None:
        raise CatalogueError(f"a table in {path}", "none", "put the feed there")
    chosen = map_columns(found.raw, options.columns).choices("path")
    addresses = addresses_in(cell for c in chosen for cell in found.raw.cells(c.column))
    if not addresses:
        tried = ", ".join(choice.source for choice in chosen) or "no column of pictures"
        raise CatalogueError(
            f"addresses of pictures in {found.raw.name}",
            f"none ({tried})",
            "name their column with --columns image=...",
        )
    folder = path / folder_of(found.raw.name) / FOLDER
    return download_pictures(addresses, folder, limits=limits, allowed=allowed, progress=progress)
