"""Search benchmark: python benchmarks/search.py STORE [--growth] [--fashion-mnist] [--memory].

Prints the tables and, with --json FILE, writes everything that was measured.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

from fashify.index import bench, make_index
from fashify.store import FeatureStore

#: What one serving process does, in a process of its own so that nothing else counts.
_SERVE = """
import sys, time, numpy as np
from fashify.index import load_index
def resident():
    lines = open('/proc/self/status').read().splitlines()
    return {l.split(':')[0]: int(l.split()[1]) / 1024 for l in lines if l.startswith('Rss')}
import sklearn.neighbors, fashify.index.scan, fashify.index.registry
before = resident()
begin = time.perf_counter()
index = load_index(sys.argv[1])
opened = 1000 * (time.perf_counter() - begin)
queries = np.ascontiguousarray(index._gallery.base[:256])
for row in range(50):
    index.search(queries[row:row + 1], 5)
index.search(queries, 5)
after = resident()
anonymous = after['RssAnon'] - before['RssAnon']
print(opened, anonymous, anonymous + after['RssFile'] - before['RssFile'])
"""


def memory(store: str, names: list[str]) -> None:
    """Opening time and resident memory of a fresh process that serves each saved index."""
    opened = FeatureStore.load(store)
    raw = opened.features.nbytes / 2**20
    print(f"\nserving {opened.features.shape}, raw vectors {raw:.0f} MB")
    print("index        open ms   private MB   resident MB   resident / raw")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            make_index(name).fit(opened.features, opened.item_ids).save(folder)
            command = [sys.executable, "-c", _SERVE, folder]
            line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        milliseconds, private, resident = map(float, line.split())
        ratio = resident / raw
        print(f"{name:10} {milliseconds:9.1f} {private:12.0f} {resident:13.0f} {ratio:14.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="a store built with fashify build")
    parser.add_argument("--metric", default="cosine")
    parser.add_argument("--growth", type=int, nargs="*", help="gallery sizes; none: 10k to 1M")
    parser.add_argument("--fashion-mnist", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path, help="write everything measured to this file")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    sizes = () if options.growth is None else options.growth or bench.GROWTH
    result = bench.run(
        options.store,
        metric=options.metric,
        growth=sizes,
        fashion_mnist=options.fashion_mnist,
    )
    print(result.to_text())
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    if options.memory:
        memory(options.store, ["exact", "two-stage", "hnsw"])


if __name__ == "__main__":
    main()
