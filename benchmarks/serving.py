"""What serving processes cost: python benchmarks/serving.py STORE [--workers 3] [--index hnsw].

Each worker is a process of its own that opens the store and answers 250 queries. Then all of
them are looked at together: pages of the index's files that several map count once in the sum.
Needs Linux (/proc). With --index the store's own index is left alone, another one of that
name is built and served from a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from fashify.index import make_index
from fashify.store import FeatureStore
from fashify.store.layout import INDEX

#: A worker: opens, answers, tells, and stays until its standard input is closed.
_WORKER = """
import json, sys, time
import numpy as np
from fashify.retrieval.retriever import Retriever
from fashify.index import load_index
from fashify.index.registry import backend
import fashify.index.scan, sklearn.neighbors
def private():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024
store, folder, name = sys.argv[1:]
backend(name)(metric="cosine")
before, begin = private(), time.perf_counter()
opened = Retriever.open(store)
store_ms = 1000 * (time.perf_counter() - begin)
products = private() - before
begin = time.perf_counter()
index = load_index(folder)
index_ms = 1000 * (time.perf_counter() - begin)
ids, opening = opened.store.item_ids, private() - before - products
queries = index.vectors_of(ids[np.linspace(0, len(ids) - 1, 250).astype(int)])
times, asking = [], private()
for row in range(len(queries)):
    begin = time.perf_counter()
    index.search(queries[row:row + 1], 5)
    times.append(1000 * (time.perf_counter() - begin))
index.search(queries, 5)
search = opening + private() - asking
print(json.dumps([store_ms, index_ms, float(np.median(times)), products, search]), flush=True)
sys.stdin.read()
"""


def mapped(pid: int, folder: Path) -> tuple[float, float]:
    """Resident MB of the files in ``folder`` that a process maps, and its share of them."""
    resident = shared = 0
    inside = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            inside = bool(rest) and rest[-1].startswith(f"{folder.resolve()}/")
        elif inside and first == "Rss:":
            resident += int(rest[0])
        elif inside and first == "Pss:":
            shared += int(rest[0])
    return resident / 1024, shared / 1024


def serve(store: Path, folder: Path, name: str, workers: int, raw: float) -> None:
    """Start the workers one after another, then print what each takes and what all take."""
    command = [sys.executable, "-c", _WORKER, str(store), str(folder), name]
    running, told = [], []
    for _ in range(workers):
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        running.append(process)
        told.append(json.loads(process.stdout.readline()))
    pages = [mapped(process.pid, folder) for process in running]
    for process in running:
        process.communicate()
    print(f"\n{name}: raw vectors {raw:.0f} MB")
    print("                                              private to it     index files")
    print("worker  store opened  index opened  one query  products  search  mapped  its share")
    for number, (facts, page) in enumerate(zip(told, pages, strict=True), start=1):
        opened, index, query, products, search = facts
        print(
            f"{number:6}  {opened:9.0f} ms  {index:9.1f} ms  {query:6.2f} ms  {products:5.0f} MB"
            f"  {search:3.0f} MB  {page[0]:3.0f} MB  {page[1]:6.0f} MB"
        )
    alone = told[0][4] + pages[0][0]
    together = sum(facts[4] for facts in told) + sum(share for _, share in pages)
    print(
        f"the index in one worker {alone:.0f} MB, {alone / raw:.2f} times the raw vectors;"
        f" in {workers} together {together:.0f} MB, {together / raw:.2f} times"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path, help="a store built with fashify build")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--index", nargs="*", default=[], help="backends to build and serve")
    options = parser.parse_args()
    opened = FeatureStore.load(options.store)
    vectors, item_ids = opened.vectors, opened.item_ids
    raw = vectors.nbytes / 2**20
    own = json.loads((options.store / INDEX / "manifest.json").read_text())["backend"]
    if not options.index:
        serve(options.store, options.store / INDEX, own, options.workers, raw)
    for name in options.index:
        with tempfile.TemporaryDirectory() as folder:
            make_index(name).fit(vectors, item_ids).save(folder)
            serve(options.store, Path(folder), name, options.workers, raw)


if __name__ == "__main__":
    main()
