"""A picture from an address on the web, fetched without being led astray.

Off unless switched on: a server that fetches what a stranger names can be made to look into its
own network (server-side request forgery). Here a name is resolved once, every address it has must
be public, and the connection goes to the very address that was checked, so that a name which
answers otherwise the next time (DNS rebinding) gains nothing. Redirects take the same way. Bytes,
time and the number of fetches at once are bounded.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import SplitResult, urljoin, urlsplit

from fashify.errors import ImageReadError
from fashify.io.addresses import Address, is_public, resolve

logger = logging.getLogger(__name__)

#: Seconds for one fetch, redirects included.
SECONDS = 10.0

#: Redirects followed, and fetches under way at once.
REDIRECTS, AT_ONCE = 3, 4

#: Addresses of one name that are tried.
ADDRESSES = 3

PORTS = {"http": 80, "https": 443}


class Fetcher:
    """Fetches pictures for visitors, from any number of threads.

    Args:
        max_bytes: largest picture.
        seconds: for one fetch.
        ports: of each scheme.
        resolver: name and port to addresses.
        allowed: which addresses may be talked to.
    """

    def __init__(
        self,
        max_bytes: int,
        *,
        seconds: float = SECONDS,
        ports: Mapping[str, int] = PORTS,
        resolver: Callable[[str, int], list[Address]] = resolve,
        allowed: Callable[[Address], bool] = is_public,
    ) -> None:
        self.max_bytes, self.seconds, self.ports = max_bytes, seconds, dict(ports)
        self._resolve, self._allowed = resolver, allowed
        self._slots = threading.BoundedSemaphore(AT_ONCE)

    def fetch(self, url: str) -> bytes:
        """The bytes at ``url``, whatever they are.

        Raises:
            ImageReadError: no address of the open web, too large, too slow, or not to be had.
        """
        if not self._slots.acquire(blocking=False):
            raise ImageReadError(
                "a free moment", "several fetches under way", "try again in a few seconds"
            )
        deadline = Deadline(self.seconds)
        try:
            return self._follow(url.strip(), deadline)
        except (OSError, HTTPException, ValueError) as error:
            if isinstance(error, ImageReadError):
                raise
            logger.info("a picture could not be fetched: %s", type(error).__name__)
            received = "one that was too slow" if deadline.over else "one that does not answer"
            raise _refusal(received, "check it, or save the picture and upload it") from error
        finally:
            deadline.cancel()
            self._slots.release()

    def _follow(self, url: str, deadline: Deadline) -> bytes:
        for _ in range(REDIRECTS + 1):
            with self._answer(url, deadline) as answer:
                if answer.status not in (301, 302, 303, 307, 308):
                    return self._read_body(answer, deadline)
                url = urljoin(url, answer.getheader("Location") or "")
        raise _refusal("one that leads on and on", "use the picture's own address")

    def _read_body(self, answer: HTTPResponse, deadline: Deadline) -> bytes:
        if answer.status != 200:
            raise _refusal(f"one that answers {answer.status}", "check it")
        length = answer.getheader("Content-Length") or "0"
        if not length.isdecimal() or int(length) > self.max_bytes:
            raise self._size_error()
        data = answer.read(self.max_bytes + 1)
        if deadline.over:
            raise TimeoutError
        if len(data) > self.max_bytes:
            raise self._size_error()
        return data

    def _size_error(self) -> ImageReadError:
        most = f"{self.max_bytes / 1e6:.0f} MB"
        return ImageReadError(f"a picture of at most {most}", "a larger one", "use a smaller one")

    @contextmanager
    def _answer(self, url: str, deadline: Deadline) -> Iterator[HTTPResponse]:
        """The response of the server at ``url``, its body not read yet."""
        parts = self._check_url(url)
        host, port = parts.hostname or "", self.ports[parts.scheme]
        connection = _Pinned(host, port, self._addresses(host, port), parts.scheme, deadline)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"User-Agent": "fashify", "Accept": "image/*", "Accept-Encoding": "identity"}
            connection.request("GET", path, headers=headers)
            yield connection.getresponse()
        finally:
            connection.close()

    def _check_url(self, url: str) -> SplitResult:
        parts = urlsplit(url)
        if parts.scheme not in self.ports or not parts.hostname or len(url) > 2000:
            raise _refusal("something else", "copy it from the browser's address bar")
        if parts.username or parts.password or parts.port not in (None, self.ports[parts.scheme]):
            raise _refusal("one with a password or a port of its own", "use a plain address")
        if any(ord(letter) <= 32 or ord(letter) > 126 for letter in parts.path + parts.query):
            raise _refusal("one with spaces or letters to be escaped", "copy it from the browser")
        return parts

    def _addresses(self, host: str, port: int) -> list[Address]:
        """The addresses to connect to; refused if any of the name's is not public."""
        addresses = self._resolve(host, port)
        if not addresses or not all(map(self._allowed, addresses)):
            raise _refusal("one inside a private network", "use a picture of the open web")
        return addresses


class Deadline:
    """Closes the socket in use when the time is over, however slowly bytes drip in."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def guard(self, connected: socket.socket) -> None:
        """``connected`` is the socket in use from now on."""
        self._socket = connected
        if self.over:
            raise TimeoutError

    def cancel(self) -> None:
        """There is nothing more to guard."""
        self._timer.cancel()

    def _expire(self) -> None:
        self.over = True
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                logger.debug("already closed")


class _Pinned(HTTPConnection):
    """A connection to addresses that were checked, speaking to them under the name asked for."""

    def __init__(
        self, host: str, port: int, addresses: list[Address], scheme: str, deadline: Deadline
    ) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self._addresses, self._scheme, self._deadline = addresses, scheme, deadline

    def connect(self) -> None:
        self.sock = self._open_socket()
        self._deadline.guard(self.sock)
        if self._scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)
            self._deadline.guard(self.sock)

    def _open_socket(self) -> socket.socket:
        """A socket to the first address that answers; OSError if none does."""
        for address in self._addresses[:ADDRESSES]:
            if self._deadline.over:
                break
            try:
                return socket.create_connection((str(address), self.port), timeout=self.timeout)
            except OSError:
                logger.debug("no answer at %s", address)
        raise TimeoutError


def _refusal(received: str, cure: str) -> ImageReadError:
    return ImageReadError(
        "the address of a picture, such as https://shop.example/shirt.jpg", received, cure
    )
