"""The demo and the REST API under load: many clients at once, how fast, how steady, at what cost.

A server is started in a process of its own; the clients ask it as any program would. In rounds
that take turns with them, one client asks alone, and this process does the same work without a
server, in batches of 32, so that whatever else the machine does weighs on all three. Measured:
errors, searches a second, their times, processor time a search (server, clients, without a
server), the ratio of both rates, the slow ones beside one client alone, and the growth of the
server's memory.

    python benchmarks/load.py --store data/sample-store --way rest --clients 16 --drift 10000
    python benchmarks/load.py --store data/sample-store --way queue
    python benchmarks/load.py --store data/sample-store --way text
"""

from __future__ import annotations

import argparse
import json
import os
import re
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
from fashify.features.framing import is_photo
from fashify.io.images import encode_jpeg, load_image
from fashify.retrieval import Match
from fashify.retrieval.photo_way import read_photo_batch

ROUNDS = 5


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_demo(
    store: str, command: str = "demo", **options: Any
) -> Iterator[tuple[int, psutil.Process]]:
    """Port and process of a demo over ``store``, ended afterwards; options as ``Popen``."""
    port = free_port()
    started = [sys.executable, "-m", "fashify", command, "--store", store, "--port", str(port)]
    server = subprocess.Popen(started, stdout=subprocess.PIPE, text=True, **options)
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


def questions(retriever: Retriever, way: str, n: int) -> list[bytes]:
    """What is asked: ``n`` pictures, texts such as "Black Heels", or item ids."""
    rows = np.linspace(0, len(retriever.store) - 1, n).astype(int)
    if way == "item":
        return [str(item_id).encode() for item_id in retriever.store.item_ids[rows]]
    if way == "text":
        items = retriever.store.items.iloc[rows]
        return [f"{row.base_colour} {row.article_type}".encode() for row in items.itertuples()]
    return photos(retriever, n)


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
        body = head + photo + END
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

    def rest(self, photo: bytes) -> list:
        """The photo as multipart/form-data, as ``curl -F`` sends it."""
        head = b'--cut\r\nContent-Disposition: form-data; name="image"; filename="q.jpg"\r\n\r\n'
        return self._rest("image", "multipart/form-data; boundary=cut", head + photo + END)

    def rest_parts(self, part: str, value: bytes) -> list:
        """A text or a product, as JSON."""
        body = json.dumps({part: value.decode()}).encode()
        return self._rest("", "application/json", body)

    def _rest(self, path: str, kind: str, body: bytes) -> list:
        """By a plain socket: Python's own client takes as long as a tenth of a search."""
        head = f"POST /v1/search/{path}".rstrip("/") + " HTTP/1.1\r\nHost: load\r\n"
        head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        if self._connection.sock is None:
            self._connection.connect()
        self._connection.sock.sendall(head.encode() + body)
        return json.loads(self._read_answer())["matches"]

    def _read_answer(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._receive()
        head, _, body = received.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])  # type: ignore[index]
        while len(body) < length:
            body += self._receive()
        if b" 200 " not in head[:16]:
            raise ValueError(f"{head[:16]!r} {body[:200]!r}")
        return body

    def _receive(self) -> bytes:
        received = self._connection.sock.recv(65536)
        if not received:
            raise OSError("the server closed the connection")
        return received

    def found(self, call: bytes) -> list:
        """The matches of a search whose photo was uploaded before."""
        told = self.post("/gradio_api/run/search", call, "application/json")
        return json.loads(told)["data"][0]


#: The end of a form.
END = b"\r\n--cut--\r\n"

WAYS: dict[str, Callable[[Client, bytes], list]] = {
    "queue": Client.queued,
    "run": Client.direct,
    "rest": Client.rest,
    "text": lambda client, text: client.rest_parts("text", text),
    "item": lambda client, item_id: client.rest_parts("item_id", item_id),
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


def in_process(
    retriever: Retriever, asked: list[bytes], n: int, tally: Tally, way: str = "rest"
) -> None:
    """``n`` searches in batches of 32, without a server."""
    todo = [asked[number % len(asked)] for number in range(n)]
    answer = {"text": answer_texts, "item": answer_items}.get(way, answer_photos)
    with tally.measuring(n):
        for start in range(0, n, 32):
            answer(retriever, todo[start : start + 32])


def answer_photos(retriever: Retriever, photos: list[bytes]) -> list[list[Match]]:
    """Five matches for each photo, read as the server reads it, embedded and searched together."""
    readings = read_photo_batch(retriever, [load_image(photo) for photo in photos])
    vectors = np.stack([reading.vector for reading in readings])
    return retriever.by_features(vectors, 5, photo=[is_photo(one.image) for one in readings])


def answer_items(retriever: Retriever, item_ids: list[bytes]) -> list[list[Match]]:
    """Five matches for each product, itself left out."""
    ids = [item_id.decode() for item_id in item_ids]
    rows = [retriever.store.position(item_id) for item_id in ids]
    return retriever.by_features(retriever.vectors_at(rows), 5, exclude=ids)


def answer_texts(retriever: Retriever, texts: list[bytes]) -> list[list[Match]]:
    """Five matches for each text, one after the other."""
    return [retriever.by_text(text.decode()) for text in texts]


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time of a process so far."""
    times = process.cpu_times()
    return times.user + times.system


def load(store: str, way: str, clients: int, searches: int, drift: int) -> dict:
    """All that is measured of one way to ask."""
    retriever = Retriever.open(store)
    asked = questions(retriever, way, 64)
    crowded, alone, without, server = Tally(), Tally(), Tally(), 0.0
    in_process(retriever, asked, 64, Tally(), way)
    command = "demo" if way in ("queue", "run") else "serve"
    with running_demo(store, command) as (port, process):
        crowd(port, way, asked, clients, 200, Tally())
        for _ in range(ROUNDS):
            before = cpu_seconds(process)
            crowd(port, way, asked, clients, searches // ROUNDS, crowded)
            server += cpu_seconds(process) - before
            crowd(port, way, asked, 1, max(20, searches // ROUNDS // 5), alone)
            in_process(retriever, asked, searches // ROUNDS, without, way)
        memory = growth(port, process, way, asked, clients, drift) if drift else None
    median, slow = np.median(alone.times), np.quantile(crowded.times, 0.95)
    return {
        "way": way,
        "searches": crowded.searches,
        "clients": clients,
        "errors": dict(crowded.errors + alone.errors),
        "per_second": round(crowded.rate, 1),
        "p50_ms": round(1000 * float(np.median(crowded.times)), 1),
        "p95_ms": round(1000 * float(slow), 1),
        "alone_p50_ms": round(1000 * float(median), 1),
        "p95_of_alone": round(float(slow / median), 2),
        "in_process_per_second": round(without.rate, 1),
        "ratio": round(crowded.rate / without.rate, 3),
        "cpu_ms_a_search": {
            "server": round(1000 * server / crowded.searches, 2),
            "clients": round(1000 * crowded.cpu / crowded.searches, 2),
            "in_process": round(1000 * without.cpu / without.searches, 2),
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
