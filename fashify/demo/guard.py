"""What a visitor's program may cost: bytes of a request, room for uploads, patience.

Gradio bounds one uploaded file and the queue. It reads any other body whole, keeps uploads that
nobody asks about for ten minutes however many they are, and waits forever for a client that
sends its request a byte at a time. Here each of these ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from fashify.demo.uploads import MAX_UPLOAD_BYTES, upload_folder

logger = logging.getLogger(__name__)

#: Largest body of a call that is no upload, and what the wrapping of an upload may add.
MAX_CALL_BYTES = 1_000_000

#: Bytes of uploads on disk beyond which no more are taken until some are gone.
MAX_WAITING_BYTES = 1_000_000_000

#: Seconds for a request's head to arrive, for each piece of its body, and for the whole body.
HEAD_SECONDS, PIECE_SECONDS, BODY_SECONDS = 15.0, 15.0, 120.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Refused(Exception):
    """A request that is not read any further: a status and a sentence."""


class Guard:
    """ASGI middleware that refuses bodies that are too large or too slow.

    Args:
        app: what answers.
        uploads: where uploads wait to be read.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], uploads: Path | None = None) -> None:
        self.app, self._uploads = app, uploads or upload_folder()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            most = self._limit_body(scope)
            await self.app(scope, _Body(receive, most).receive, noted)
        except _Refused as refused:
            if not begun:
                await _answer(send, *refused.args)

    def _limit_body(self, scope: Scope) -> int:
        """Bytes that this request's body may have; refuses what says it has more."""
        upload = scope["path"].rstrip("/").endswith("/upload")
        most = MAX_CALL_BYTES + (MAX_UPLOAD_BYTES if upload else 0)
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or int(told) > most:
            raise _Refused(413, f"Please send at most {most / 1e6:.0f} MB at once.")
        if upload and _bytes_below(self._uploads) > MAX_WAITING_BYTES:
            raise _Refused(503, "Too many uploads are waiting. Please try again in a few minutes.")
        return most


class _Body:
    """The messages of one request, counted and timed."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._left = receive, most
        self._until, self._whole = time.monotonic() + BODY_SECONDS, False

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message; once the body is whole there is no hurry any more."""
        if self._whole:
            return await self._receive()
        patience = min(PIECE_SECONDS, self._until - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, patience))
        except TimeoutError:
            raise _Refused(408, "The request did not arrive in time.") from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _Refused(413, "The request is larger than it may be.")
        self._whole = not message.get("more_body", False)
        return message


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _bytes_below(folder: Path) -> int:
    """What lies there now; files and folders are read and deleted in the meantime."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total


class Doorkeeper:
    """Closes connections whose next request does not come, or not to the end of its head.

    Args:
        server: a running ``uvicorn.Server``.
        seconds: of patience.
    """

    def __init__(self, server: Any, seconds: float = HEAD_SECONDS) -> None:
        self._server, self._seconds = server, seconds
        self._seen: WeakKeyDictionary[Any, tuple[int, float]] = WeakKeyDictionary()
        threading.Thread(target=self._watch, name="doorkeeper", daemon=True).start()

    def _watch(self) -> None:
        while not self._server.should_exit:
            time.sleep(min(1.0, self._seconds / 3))
            try:
                loop = self._server.servers[0].get_loop()
                loop.call_soon_threadsafe(self._look)
            except (AttributeError, IndexError, RuntimeError):
                return  # The server has ended.

    def _look(self) -> None:
        """In the server's own loop, where its connections live."""
        now = time.monotonic()
        for connection in list(self._server.server_state.connections):
            # Of HTTP connections: the request being answered, or the last one that was.
            last = getattr(connection, "cycle", None)
            if not hasattr(connection, "cycle") or (last and not last.response_complete):
                continue
            answered, since = self._seen.get(connection, (None, now))
            if answered != id(last):
                since = now
            self._seen[connection] = id(last), since
            if now - since > self._seconds:
                logger.info("closing a connection that asks nothing")
                connection.transport.close()
