"""Who may ask, how often, how much at once, and from which pages."""

from __future__ import annotations

import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from fashify.demo.launching import is_switched_on
from fashify.errors import ConfigError

#: Largest body of a request: a photo of 25 MB as a data URL, and what stands around it.
MAX_BODY_BYTES = 36_000_000

#: Clients whose rate is remembered; the one unseen longest is forgotten.
_MAX_CLIENTS = 10_000


@dataclass(frozen=True)
class Access:
    """The terms of the REST API.

    Attributes:
        keys: one of them is asked for with every request, as ``Authorization: Bearer KEY`` or
            ``X-API-Key: KEY``; none means that anyone may ask.
        rate: requests a minute of each client, told by key or else by address; 0 for any number.
        origins: web pages of these origins may ask from a browser, ``*`` for all.
        urls: whether a query may name a picture by its address on the web.
        max_body_bytes: of one request.
    """

    keys: frozenset[str] = frozenset()
    rate: int = 0
    origins: tuple[str, ...] = ()
    urls: bool = False
    max_body_bytes: int = MAX_BODY_BYTES

    def __post_init__(self) -> None:
        if self.rate < 0:
            raise ConfigError("a rate of 0 or more requests a minute", str(self.rate), "use 600")
        if any(len(key) < 8 for key in self.keys):
            raise ConfigError(
                "API keys of 8 characters or more", "a shorter one", f"use {secrets.token_hex(16)}"
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Access:
        """As ``FASHIFY_API_KEYS``, ``FASHIFY_RATE``, ``FASHIFY_ORIGINS``, ``FASHIFY_URLS`` say.

        >>> Access.from_environment({"FASHIFY_RATE": "60", "FASHIFY_ORIGINS": "https://a.b"})
        Access(keys=frozenset(), rate=60, origins=('https://a.b',), urls=False, \
max_body_bytes=36000000)

        Raises:
            ConfigError: a rate that is no number, or a key that is too short.
        """
        rate = environment.get("FASHIFY_RATE", "") or "0"
        if not rate.isdecimal():
            raise ConfigError("requests a minute", repr(rate), "set FASHIFY_RATE=600")
        return cls(
            keys=frozenset(_split(environment.get("FASHIFY_API_KEYS", ""))),
            rate=int(rate),
            origins=tuple(_split(environment.get("FASHIFY_ORIGINS", ""))),
            urls=is_switched_on("FASHIFY_URLS", environment),
        )

    def knows(self, key: str) -> bool:
        """Whether a key is one of ``keys``; every one is compared, in constant time."""
        found = [secrets.compare_digest(key.encode(), one.encode()) for one in self.keys]
        return any(found)


class Rates:
    """A bucket of tokens for each client, filled steadily, one taken by each request.

    Args:
        rate: tokens a minute; also as many as a bucket holds.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, client: str, now: float | None = None) -> float:
        """Seconds until the client may ask; 0 takes a token."""
        now = time.monotonic() if now is None else now
        with self._lock:
            tokens, then = self._buckets.pop(client, (float(self._rate), now))
            tokens = min(self._rate, tokens + (now - then) * self._rate / 60)
            seconds = 0.0 if tokens >= 1 else (1 - tokens) * 60 / self._rate
            self._buckets[client] = (tokens if seconds else tokens - 1, now)
            if len(self._buckets) > _MAX_CLIENTS:
                self._buckets.popitem(last=False)
        return seconds


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
