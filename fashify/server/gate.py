"""What a request must pass before it is answered: key, rate, size; and what is counted of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fashify.demo.guard import TimedBody
from fashify.server.access import Access, Rates
from fashify.server.counters import Counters
from fashify.server.problems import ProblemError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Paths below the API's own that need no key: the description of the API.
_OPEN = ("/docs", "/openapi.json")


class Gate:
    """ASGI middleware over the API.

    Args:
        app: what answers.
        access: the terms.
        counters: what is counted.
    """

    def __init__(self, app: App, access: Access, counters: Counters) -> None:
        self.app, self._access, self._counters = app, access, counters
        self._rates = Rates(access.rate) if access.rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 500
        self._counters.note_begin()

        async def note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._admit(scope, receive, note)
        finally:
            seconds = time.perf_counter() - begin
            self._counters.count(scope["method"], _route(scope), status, seconds)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on; a refusal is the answer, whatever the application made of it."""
        begun, most = False, self._access.max_body_bytes
        refusal: ProblemError | None = None

        def refuse(status: int) -> ProblemError:
            nonlocal refusal
            refusal = _too_late_error() if status == 408 else _too_large_error(most, "more")
            return refusal

        async def note(message: Message) -> None:
            nonlocal begun
            if refusal is None or begun:
                begun = True
                await send(message)

        try:
            self._check(scope)
            await self.app(scope, TimedBody(receive, most, refuse).receive, note)
        except ProblemError as problem:
            refusal = problem
        if refusal is not None and not begun:
            await refusal.response()(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        client = scope["client"][0] if scope.get("client") else "unknown"
        inner = scope["path"].removeprefix(scope.get("root_path", ""))
        if self._access.keys and scope["method"] != "OPTIONS" and inner not in _OPEN:
            client = self._check_key(headers)
        seconds = self._rates.wait(client) if self._rates else 0
        if seconds:
            raise ProblemError(
                429,
                f"at most {self._access.rate} requests a minute",
                "more of them",
                f"wait {seconds:.1f} seconds",
                retry_after=str(int(seconds) + 1),
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self._access.max_body_bytes:
            raise _too_large_error(self._access.max_body_bytes, f"{length} bytes")

    def _check_key(self, headers: dict[str, str]) -> str:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")
        if self._access.knows(key):
            return key
        raise ProblemError(
            401,
            "an API key of this server",
            "another one" if key else "none",
            "send it as Authorization: Bearer KEY",
            www_authenticate="Bearer",
        )


def _too_late_error() -> ProblemError:
    return ProblemError(
        408, "a request that arrives in time", "a part of it", "send a smaller picture"
    )


def _too_large_error(most: int, received: str) -> ProblemError:
    fix = "send a smaller picture; a thousand pixels are enough"
    return ProblemError(413, f"a request of at most {most:,} bytes", received, fix)


def _route(scope: Scope) -> str:
    """The path as it is declared, so that counts do not grow with every item id."""
    return getattr(scope.get("route"), "path", "none")
