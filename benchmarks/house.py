"""Two commits of Fashify beside one another: what a store costs on disk, in time and in memory.

Each figure is taken in a fresh process with one checkout's package on ``PYTHONPATH``, old and
new in turn, so that whatever else the machine does hits both alike. Pictures are embedded once
by each; vectors come from the backbone, so both stores hold the same numbers.

    python benchmarks/house.py --old CHECKOUT --catalogue ARCHIVE.zip --products 10000
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NEW = Path(__file__).resolve().parents[1]

#: Backbone and engine of both, by name: what is asked for may have changed between them.
NETWORK = {"backbone": "efficientnet-lite0", "engine": "openvino", "precision": "fp32"}

#: Times each quick figure is taken.
ROUNDS = 5


def build(store: Path, catalogue: str, products: int) -> dict[str, float]:
    """Seconds of building the first ``products`` of a shuffled catalogue, with an index."""
    import numpy as np

    from fashify import extract_features, load_catalogue

    whole = load_catalogue(catalogue)
    order = np.random.default_rng(0).permutation(np.flatnonzero(whole.table["has_image"]))
    part = whole.take(np.sort(order[:products]))
    begin = time.perf_counter()
    extract_features(
        part, NETWORK["backbone"], store, engine=NETWORK["engine"],
        precision=NETWORK["precision"], index="exact", progress=False,
    )  # fmt: skip
    return {"seconds": time.perf_counter() - begin}


def serve(store: Path) -> dict[str, float]:
    """Opening a store, one search, a batch of 256, and what memory that takes."""
    import numpy as np

    from fashify import Retriever

    begin = time.perf_counter()
    opened = Retriever.open(store)
    seconds = {"open": time.perf_counter() - begin}
    ids = opened.store.item_ids[np.linspace(0, len(opened.store) - 1, 256).astype(int)]
    vectors = np.stack([opened.feature(item_id) for item_id in ids])
    opened.by_features(vectors[:2], 5)
    seconds["search"] = _median(lambda: opened.by_feature(vectors[7], 5))
    seconds["batch"] = _median(lambda: opened.by_features(vectors, 5))
    status = Path("/proc/self/status").read_text().splitlines()
    kept = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in status if "kB" in line}
    return seconds | {"private MB": kept["RssAnon"], "mapped MB": kept["RssFile"]}


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def run(checkout: Path, what: str, *words: object) -> dict[str, float]:
    """One of the above in a process of its own, with a checkout's package."""
    command = [sys.executable, __file__, "--run", what, *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def size(folder: Path) -> float:
    """Megabytes of a folder's files; one of two names counts once."""
    files = {p.stat().st_ino: p.stat().st_size for p in folder.rglob("*") if p.is_file()}
    return sum(files.values()) / 1e6


def compare(old: Path, catalogue: str, products: int, added: int, folder: Path) -> dict[str, Any]:
    """The table: figure -> (old, new)."""
    checkouts = {"old": old, "new": NEW}
    rows: dict[str, dict[str, float]] = {}

    def note(name: str, side: str, value: float) -> None:
        rows.setdefault(name, {})[side] = value

    for side, checkout in checkouts.items():
        store = folder / side
        found = run(checkout, "build", store, catalogue, products - added)
        note(f"building {products - added:,} products, s", side, found["seconds"])
    for side, checkout in checkouts.items():
        found = run(checkout, "build", folder / side, catalogue, products)
        note(f"adding {added:,}, s", side, found["seconds"])
        note(f"store of {products:,} on disk, MB", side, size(folder / side))
    served: dict[str, list[dict[str, float]]] = {"old": [], "new": []}
    for _ in range(ROUNDS):
        for side, checkout in checkouts.items():
            served[side].append(run(checkout, "serve", folder / side))
    names = {
        "open": ("opening it, ms", 1000),
        "search": ("one search, ms", 1000),
        "batch": ("a batch of 256, ms", 1000),
        "private MB": ("private memory of a served store, MB", 1),
        "mapped MB": ("files mapped into it, MB", 1),
    }
    for key, (name, factor) in names.items():
        for side in checkouts:
            note(name, side, factor * statistics.median(one[key] for one in served[side]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", type=Path, help="a checkout of the commit compared with")
    parser.add_argument("--catalogue", default="sample")
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--added", type=int, default=1_000, help="of these, in a second build")
    parser.add_argument("--folder", type=Path, help="where the stores go; default: removed again")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        what, store, *rest = options.run
        found = build(Path(store), rest[0], int(rest[1])) if what == "build" else serve(Path(store))
        print(json.dumps(found))
        return
    if options.old is None:
        parser.error("--old is needed: git worktree add ../old COMMIT")
    folder = options.folder or Path(tempfile.mkdtemp())
    try:
        arguments = (options.catalogue, options.products, options.added, folder)
        rows = compare(options.old, *arguments)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)
    print("| | old | new | new / old |\n|---|---|---|---|")
    for name, row in rows.items():
        old, new = row["old"], row["new"]
        print(f"| {name} | {old:,.1f} | {new:,.1f} | {new / old:.2f} |")


if __name__ == "__main__":
    main()
