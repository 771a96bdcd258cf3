"""What a visitor's program may cost: bytes of a request, room for uploads, patience.

Gradio bounds one uploaded file and the queue. It reads any other body whole, keeps uploads that
nobody asks about for ten minutes however many they are, and waits forever for a client that
sends its request a byte at a time. Here each of these ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

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
            await self.app(scope, TimedBody(receive, most, _refuse).receive, noted)
        except _Refused as refused:
            if not begun:
                await _answer(send, *refused.args)

    def _limit_body(self, scope: Scope) -> int:
        """Bytes that this request's body may have; refuses what says it has more."""
        upload = scope["path"].rstrip("/").endswith("/upload")
        most = MAX_CALL_BYTES + (MAX_UPLOAD_BYTES if upload else 0)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > most:
            raise _Refused(413, f"Please send at most {most / 1e6:.0f} MB at once.")
        if upload and _bytes_below(self._uploads) > MAX_WAITING_BYTES:
            raise _Refused(503, "Too many uploads are waiting. Please try again in a few minutes.")
        return most


class TimedBody:
    """The messages of one request, counted and timed.

    Args:
        receive: where they come from.
        most: bytes that they may have together.
        refuse: what is raised for a status, 408 of a body too slow or 413 of one too large.
    """

    def __init__(self, receive: Receive, most: int, refuse: Callable[[int], Exception]) -> None:
        self._receive, self._left, self._refuse = receive, most, refuse
        self._until, self._whole = time.monotonic() + BODY_SECONDS, False

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message; once the body is whole there is no hurry any more."""
        if self._whole:
            return await self._receive()
        patience = min(PIECE_SECONDS, self._until - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, patience))
        except TimeoutError:
            raise self._refuse(408) from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._refuse(413)
        self._whole = not message.get("more_body", False)
        return message


def _refuse(status: int) -> _Refused:
    texts = {
        408: "The request did not arrive in time.",
        413: "The request is larger than it may be.",
    }
    return _Refused(status, texts[status])


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


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """HTTP connections that are closed when a request's head does not arrive in time.

    For ``uvicorn.Config(http=PatientProtocol)``. Uvicorn itself waits forever for the end of a
    head, and closes a connection only when nothing at all comes after an answer.
    """

    #: Seconds from a connection's beginning, or a head's first byte, to the head's end.
    patience = HEAD_SECONDS

    def __init__(
        self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None
    ):
        super().__init__(config, server_state, app_state, _loop)
        self._answering, self.app = config.loaded_app, self._answer_request
        self._loop = _loop or asyncio.get_running_loop()
        self._under_way = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._peer = transport
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        if not self._under_way and self._timer is None:
            self._wait_for_head()
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What cannot be read as HTTP is refused as everything else is, as a problem document."""
        problem = {"expected": "a request in HTTP, its address and each header below 64 kB"}
        problem |= {"received": "something else, or more", "fix": "send less in the address"}
        detail = "Expected {expected}. Received {received}. Fix: {fix}.".format(**problem)
        problem |= {"type": "urn:fashify:problem:http", "title": "Http", "detail": detail}
        body = json.dumps(problem | {"status": 400}).encode()
        head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"
        head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self._peer.write(head.encode() + body)
        self._peer.close()

    async def _answer_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, whichever it is: it is called when a head has arrived whole."""
        self._stop_waiting()
        self._under_way += 1
        try:
            await self._answering(scope, receive, send)
        finally:
            self._under_way -= 1

    def _wait_for_head(self) -> None:
        self._timer = self._loop.call_later(self.patience, self._give_up)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        logger.info("closing a connection that asks nothing")
        self._peer.close()
