"""The demo under load: many clients at once, how fast, how steady, and what it costs in memory.

A server is started in a process of its own; the clients upload a photo and ask the ``search``
endpoint, as any program would. Measured: errors, searches a second, their times, the ratio to
the same work done in one process in batches, and the growth of the server's memory.

    python benchmarks/load.py --store data/sample-store --clients 16 --searches 1000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil

from fashify import Retriever
from fashify.images import encode_jpeg, load_image


@contextmanager
def running_demo(store: str) -> Iterator[tuple[str, psutil.Process]]:
    """Address and process of a demo over ``store``, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "fashify", "demo", "--store", store, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if "Fashify is at" not in line:
            raise SystemExit(f"the demo did not start: {line}")
        yield f"http://127.0.0.1:{port}/gradio_api", psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(30)


def photos(store: str, n: int) -> list[bytes]:
    """``n`` different pictures of the catalogue as JPEG."""
    retriever = Retriever.open(store)
    rows = np.linspace(0, len(retriever.store) - 1, n).astype(int)
    return [encode_jpeg(retriever.picture(retriever.store.item_ids[row])) for row in rows]


async def search(client: httpx.AsyncClient, url: str, photo: bytes, session: str) -> float:
    """One search from upload to answer, seconds; raises for anything but five matches."""
    begin = time.perf_counter()
    (path,) = (await client.post(f"{url}/upload", files={"files": ("q.jpg", photo)})).json()
    image = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [image, 5, ""], "session_hash": session}
    asked = await client.post(f"{url}/call/search", json=body)
    answer = await client.get(f"{url}/call/search/{asked.json()['event_id']}")
    rows = json.loads(answer.text.split("event: complete\ndata: ")[1])[0]
    assert len(rows) == 5
    return time.perf_counter() - begin


async def crowd(url: str, pictures: list[bytes], clients: int, searches: int) -> dict:
    """``searches`` searches by ``clients`` at once: errors and times."""
    todo = iter(range(searches))
    times, errors = [], []

    async def visitor(session: str) -> None:
        async with httpx.AsyncClient(timeout=120) as client:
            for n in todo:
                try:
                    times.append(await search(client, url, pictures[n % len(pictures)], session))
                except (httpx.HTTPError, LookupError, ValueError, AssertionError) as error:
                    errors.append(repr(error))

    begin = time.perf_counter()
    await asyncio.gather(*(visitor(secrets.token_hex(8)) for _ in range(clients)))
    seconds = time.perf_counter() - begin
    return {
        "searches": searches,
        "clients": clients,
        "errors": len(errors),
        "first_error": errors[0] if errors else "",
        "per_second": round(searches / seconds, 1),
        "p50_ms": round(1000 * float(np.median(times)), 1) if times else None,
        "p95_ms": round(1000 * float(np.quantile(times, 0.95)), 1) if times else None,
    }


def in_process(store: str, pictures: list[bytes], searches: int, batch: int = 32) -> float:
    """Searches a second of the same work in batches, without a server."""
    retriever = Retriever.open(store)
    todo = [pictures[n % len(pictures)] for n in range(searches)]
    retriever.embed(pictures[0])
    begin = time.perf_counter()
    for start in range(0, searches, batch):
        images = [load_image(photo) for photo in todo[start : start + batch]]
        retriever.index.search(retriever.embedder.embed_images(images), 5)
    return searches / (time.perf_counter() - begin)


def drift(url: str, process: psutil.Process, pictures: list[bytes], clients: int, n: int) -> dict:
    """The server's resident memory before and after ``n`` more searches, megabytes."""
    before = process.memory_info().rss / 1e6
    asyncio.run(crowd(url, pictures, clients, n))
    after = process.memory_info().rss / 1e6
    percent = round(100 * (after / before - 1), 2)
    return {"searches": n, "before_mb": round(before), "after_mb": round(after), "percent": percent}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--store", default="data/sample-store")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--searches", type=int, default=1_000)
    parser.add_argument("--drift", type=int, default=5_000, help="0 to leave it out")
    chosen = parser.parse_args()
    if not (Path(chosen.store) / "manifest.json").is_file():
        raise SystemExit(f"no store at {chosen.store}: run fashify build --out {chosen.store}")
    pictures = photos(chosen.store, 64)
    found = {"cores": os.cpu_count()}
    with running_demo(chosen.store) as (url, process):
        asyncio.run(crowd(url, pictures, chosen.clients, 200))
        found["load"] = asyncio.run(crowd(url, pictures, chosen.clients, chosen.searches))
        if chosen.drift:
            asyncio.run(crowd(url, pictures, chosen.clients, 1_000))
            found["memory"] = drift(url, process, pictures, chosen.clients, chosen.drift)
    found["in_process_per_second"] = round(in_process(chosen.store, pictures, chosen.searches), 1)
    found["ratio"] = round(found["load"]["per_second"] / found["in_process_per_second"], 3)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
