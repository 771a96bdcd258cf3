"""Too much for the demo: bodies, uploads and waiting requests, and clients that never finish."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx

from fashify.demo.uploads import MAX_UPLOAD_BYTES
from harden.attack import API, Attack


def oversized(attack: Attack, process: Any, megabytes: int = 60) -> None:
    """Bodies far above what anybody needs; the server's memory is looked at."""
    before = process.memory_info().rss
    huge = b'{"data": ["' + b"a" * (megabytes << 20) + b'", 5, ""]}'
    kind = {"Content-Type": "application/json"}

    def piecewise() -> Iterator[bytes]:
        for start in range(0, len(huge), 1 << 16):
            yield huge[start : start + (1 << 16)]

    for path in (
        "run/similar",
        "call/similar",
        "call/v2/similar",
        "queue/join",
        "component_server",
    ):
        for body in (huge, piecewise()):
            status = 0
            with suppress(httpx.TransportError):  # Closed before all of it was sent.
                answer = attack.client.post(f"{API}/{path}", content=body, headers=kind)
                status = answer.status_code
            attack.counts[f"oversized, {status or 'closed'}"] += 1
            attack.check(status in (0, 400, 413), f"oversized body at {path}: {status}")
    large = bytes(MAX_UPLOAD_BYTES + (5 << 20))
    many = [("files", (f"{n}.jpg", bytes(1 << 20))) for n in range(len(large) >> 20)]
    for files in ([("files", ("a.jpg", large))], many):
        status = attack.ask("oversized upload", "POST", f"{API}/upload", files=files)
        attack.check(status in (0, 400, 413), f"oversized upload: {status}")
    attack.ask("oversized head", "GET", "/config", headers={"X-Long": "a" * 200_000})
    attack.ask("oversized head", "GET", "/config?" + "a" * 60_000)
    grown = (process.memory_info().rss - before) >> 20
    attack.counts["oversized, server grew MB"] = grown
    # In a test the server is this very process, which holds what it sends.
    elsewhere = process.pid != os.getpid()
    attack.check(
        not elsewhere or grown < 60 + megabytes, f"oversized bodies: the server grew by {grown} MB"
    )


def flood(attack: Attack, item_id: str, calls: int = 600, at_once: int = 48) -> None:
    """More calls than may wait, all at once and nobody listening for the answers."""
    body = {"data": [item_id, 20, ""], "session_hash": "flood"}
    url = f"http://127.0.0.1:{attack.port}{API}/call/similar"
    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(at_once) as pool:
        statuses = Counter(
            pool.map(lambda _: client.post(url, json=body).status_code, range(calls))
        )
    for status, count in statuses.items():
        attack.counts[f"flood, {status}"] += count
    attack.check(set(statuses) <= {200, 503}, f"flood: {dict(statuses)}")


class Slow:
    """Clients that never finish their request: heads without an end, bodies by the byte."""

    def __init__(self, port: int, heads: int = 300, bodies: int = 20) -> None:
        head = b"GET /config HTTP/1.1\r\nHost: here\r\nX-Slow: "
        post = b"POST /gradio_api/run/similar HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n"
        post += b"Content-Type: application/json\r\n\r\n{"
        self.begin = time.monotonic()
        self.sockets = [self._open(port, head) for _ in range(heads)]
        self.sockets += [self._open(port, post) for _ in range(bodies)]

    def _open(self, port: int, first: bytes) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", port), timeout=5)
        opened.sendall(first)
        return opened

    def let_go(self, within: float) -> int:
        """How many the server has let go by then; each sends a byte now and then until it is."""
        alive = list(self.sockets)
        while alive and time.monotonic() - self.begin < within:
            alive = [one for one in alive if self._dripped(one)]
            time.sleep(0.5)
        for one in self.sockets:
            one.close()
        return len(self.sockets) - len(alive)

    def _dripped(self, one: socket.socket) -> bool:
        try:
            one.settimeout(0.001)
            if one.recv(4096) == b"":
                return False
        except TimeoutError:
            pass
        except OSError:
            return False
        try:
            one.sendall(b"a")
        except OSError:
            return False
        return True
