"""The demo under load: many clients at once, how fast, how steady, and what it costs in memory.

A server is started in a process of its own; the clients ask it as any program would. In rounds
that take turns with them, this process does the same work without a server, in batches of 32, so
that whatever else the machine does weighs on both. Measured: errors, searches a second, their
times, processor time a search (server, clients, without a server), the ratio of both rates, and
the growth of the server's memory.

    python benchmarks/load.py --store data/sample-store --clients 16 --searches 1000
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from fashify import Retriever
from fashify.io.images import encode_jpeg, load_image

ROUNDS = 5


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_demo(store: str, **options: Any) -> Iterator[tuple[int, psutil.Process]]:
    """Port and process of a demo over ``store``, ended afterwards; options as ``Popen``."""
    port = free_port()
    command = [sys.executable, "-m", "fashify", "demo", "--store", store, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if "Fashify is at" not in line:
            raise SystemExit(f"the demo did not start: {line}")
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(30)


def photos(retriever: Retriever, n: int) -> list[bytes]:
    """``n`` different pictures of the catalogue as JPEG."""
    rows = np.linspace(0, len(retriever.store) - 1, n).astype(int)
    return [encode_jpeg(retriever.picture(retriever.store.item_ids[row])) for row in rows]


class Client:
    """One visitor's program with one connection.

    Args:
        port: of the demo on this machine.
        way: a key of ``WAYS``.
    """

    def __init__(self, port: int, way: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self._way, self._session = WAYS[way], secrets.token_hex(8)

    def search(self, photo: bytes) -> None:
        """One search from upload to five matches; raises for anything else."""
        if len(self._way(self, photo)) != 5:
            raise ValueError("not five matches")

    def post(self, path: str, body: bytes, kind: str) -> bytes:
        """The answer's body; raises ValueError for another status than 200."""
        return self._asked("POST", path, body, {"Content-Type": kind})

    def _asked(self, method: str, path: str, body: bytes | None, headers: dict) -> bytes:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status != 200:
            raise ValueError(f"{answer.status} {told[:80]!r}")
        return told

    def upload(self, photo: bytes) -> bytes:
        """The body of a search with a photo that is uploaded now."""
        head = b'--cut\r\nContent-Disposition: form-data; name="files"; filename="q.jpg"\r\n\r\n'
        body = head + photo + b"\r\n--cut--\r\n"
        told = self.post("/gradio_api/upload", body, "multipart/form-data; boundary=cut")
        image = {"path": json.loads(told)[0], "meta": {"_type": "gradio.FileData"}}
        return json.dumps({"data": [image, 5, ""], "session_hash": self._session}).encode()

    def queued(self, photo: bytes) -> list:
        """As gradio_client does: upload, join the queue, read the event stream."""
        told = self.post("/gradio_api/call/search", self.upload(photo), "application/json")
        event = json.loads(told)["event_id"]
        stream = self._asked("GET", f"/gradio_api/call/search/{event}", None, {}).decode()
        return json.loads(stream.split("event: complete\ndata: ")[1].split("\n")[0])[0]

    def direct(self, photo: bytes) -> list:
        """Upload, then an answer without the queue's event stream."""
        return self.found(self.upload(photo))

    def found(self, call: bytes) -> list:
        """The matches of a search whose photo was uploaded before."""
        told = self.post("/gradio_api/run/search", call, "application/json")
        return json.loads(told)["data"][0]


WAYS: dict[str, Callable[[Client, bytes], list]] = {
    "queue": Client.queued,
    "run": Client.direct,
}


@dataclass
class Tally:
    """What the rounds of one way came to."""

    searches: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    times: list[float] = field(default_factory=list)
    errors: Counter = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Searches a second."""
        return self.searches / self.wall

    @contextmanager
    def measuring(self, searches: int) -> Iterator[None]:
        """Adds the wall time and this process's processor time of what runs inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu
        self.searches += searches


def crowd(port: int, way: str, pictures: list[bytes], clients: int, n: int, tally: Tally) -> None:
    """``n`` searches by ``clients`` at once."""
    todo, lock = iter(range(n)), threading.Lock()

    def visitor() -> None:
        client = Client(port, way)
        while True:
            with lock:
                number = next(todo, None)
            if number is None:
                return
            begin = time.perf_counter()
            try:
                client.search(pictures[number % len(pictures)])
                tally.times.append(time.perf_counter() - begin)
            except (HTTPException, OSError, LookupError, ValueError) as error:
                tally.errors[repr(error)] += 1
                client = Client(port, way)

    threads = [threading.Thread(target=visitor) for _ in range(clients)]
    with tally.measuring(n):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def in_process(retriever: Retriever, pictures: list[bytes], n: int, tally: Tally) -> None:
    """``n`` searches in batches of 32, without a server."""
    todo = [pictures[number % len(pictures)] for number in range(n)]
    with tally.measuring(n):
        for start in range(0, n, 32):
            images = [load_image(photo) for photo in todo[start : start + 32]]
            prepared = np.stack([retriever.embedder.prepare(image) for image in images])
            retriever.index.search(retriever.embed_prepared(prepared), 5)


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time of a process so far."""
    times = process.cpu_times()
    return times.user + times.system


def load(store: str, way: str, clients: int, searches: int, drift: int) -> dict:
    """All that is measured of one way to ask."""
    retriever = Retriever.open(store)
    pictures = photos(retriever, 64)
    asked, alone, server = Tally(), Tally(), 0.0
    in_process(retriever, pictures, 64, Tally())
    with running_demo(store) as (port, process):
        crowd(port, way, pictures, clients, 200, Tally())
        for _ in range(ROUNDS):
            before = cpu_seconds(process)
            crowd(port, way, pictures, clients, searches // ROUNDS, asked)
            server += cpu_seconds(process) - before
            in_process(retriever, pictures, searches // ROUNDS, alone)
        memory = growth(port, process, way, pictures, clients, drift) if drift else None
    return {
        "way": way,
        "searches": asked.searches,
        "clients": clients,
        "errors": dict(asked.errors),
        "per_second": round(asked.rate, 1),
        "p50_ms": round(1000 * float(np.median(asked.times)), 1),
        "p95_ms": round(1000 * float(np.quantile(asked.times, 0.95)), 1),
        "in_process_per_second": round(alone.rate, 1),
        "ratio": round(asked.rate / alone.rate, 3),
        "cpu_ms_a_search": {
            "server": round(1000 * server / asked.searches, 1),
            "clients": round(1000 * asked.cpu / asked.searches, 1),
            "in_process": round(1000 * alone.cpu / alone.searches, 1),
        },
        "memory": memory,
    }


def growth(
    port: int, process: psutil.Process, way: str, pictures: list[bytes], clients: int, n: int
) -> dict:
    """The server's resident memory before and after ``n`` more searches, megabytes."""
    crowd(port, way, pictures, clients, 1_000, Tally())
    before, tally = process.memory_info().rss / 1e6, Tally()
    crowd(port, way, pictures, clients, n, tally)
    after = process.memory_info().rss / 1e6
    percent = round(100 * (after / before - 1), 2)
    facts = {"searches": n, "errors": dict(tally.errors), "per_second": round(tally.rate, 1)}
    return facts | {"before_mb": round(before), "after_mb": round(after), "percent": percent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--store", default="data/sample-store")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--searches", type=int, default=1_000)
    parser.add_argument("--drift", type=int, default=5_000, help="0 to leave it out")
    parser.add_argument("--way", choices=sorted(WAYS), default="queue")
    chosen = parser.parse_args()
    if not (Path(chosen.store) / "manifest.json").is_file():
        raise SystemExit(f"no store at {chosen.store}: run fashify build --out {chosen.store}")
    found = load(chosen.store, chosen.way, chosen.clients, chosen.searches, chosen.drift)
    print(json.dumps({"cores": os.cpu_count()} | found, indent=2))


if __name__ == "__main__":
    main()
