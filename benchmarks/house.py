"""Two commits of Fashify beside one another: what a store costs on disk, in time and in memory.

Each figure is taken in a fresh process with one checkout's package on ``PYTHONPATH``, old and
new in turn, so that whatever else the machine does hits both alike. What stands for the network
is a random projection of each picture to 1,280 numbers: it costs next to nothing, so what is
measured is all the rest, and both stores hold the same numbers. ``--network`` takes a real one.

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
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np

NEW = Path(__file__).resolve().parents[1]

#: Times each quick figure is taken.
ROUNDS = 3

#: Length of a feature.
DIM = 1280


class Projection:
    """Stands where an engine stands: (b, 16, 16, 3) uint8 to (b, DIM) float32."""

    name, precision = "projection", "fp32"
    fingerprint: ClassVar[dict[str, str]] = {"engine": name, "precision": precision}

    def __init__(self) -> None:
        import numpy as np

        drawn = np.random.default_rng(0).normal(size=(16 * 16 * 3, DIM))
        self._map = (drawn / 16).astype(np.float32)

    def run(self, batch: np.ndarray) -> np.ndarray:
        return (batch.reshape(len(batch), -1) / 255.0).astype("float32") @ self._map


def make_network(name: str) -> tuple[Any, dict[str, Any]]:
    """Backbone, and how to run it, as ``extract_features`` takes them."""
    if name != "projection":
        return name, {"engine": "openvino", "precision": "fp32"}
    from fashify.backbones import BackboneSpec

    spec = BackboneSpec(
        name=name, dim=DIM, input_size=(16, 16), preprocessing="none-1", pooling="avg",
        weights="none", weights_hash="0" * 64,
    )  # fmt: skip
    return SimpleNamespace(spec=spec), {"engine": Projection()}


def build(store: Path, catalogue: str, products: int, network: str) -> dict[str, float]:
    """Seconds of building the first ``products`` of a shuffled catalogue, with an index."""
    import numpy as np

    from fashify import extract_features, load_catalogue

    whole = load_catalogue(catalogue)
    order = np.random.default_rng(0).permutation(np.flatnonzero(whole.table["has_image"]))
    part = whole.take(np.sort(order[:products]))
    backbone, options = make_network(network)
    begin = time.perf_counter()
    extract_features(part, backbone, store, index="exact", progress=False, **options)
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


def compare(
    old: Path, catalogue: str, products: int, added: int, folder: Path, network: str
) -> dict[str, Any]:
    """The table: figure -> (old, new)."""
    checkouts = {"old": old, "new": NEW}
    rows: dict[str, dict[str, float]] = {}

    def note(name: str, side: str, value: float) -> None:
        rows.setdefault(name, {})[side] = value

    for side, checkout in checkouts.items():
        store = folder / side
        found = run(checkout, "build", store, catalogue, products - added, network)
        note(f"building {products - added:,} products, s", side, found["seconds"])
    for side, checkout in checkouts.items():
        found = run(checkout, "build", folder / side, catalogue, products, network)
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
    parser.add_argument("--network", default="projection", help="or a backbone's name")
    parser.add_argument("--folder", type=Path, help="where the stores go; default: removed again")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        what, store, *rest = options.run
        found = (
            build(Path(store), rest[0], int(rest[1]), rest[2])
            if what == "build"
            else serve(Path(store))
        )
        print(json.dumps(found))
        return
    if options.old is None:
        parser.error("--old is needed: git worktree add ../old COMMIT")
    folder = options.folder or Path(tempfile.mkdtemp())
    try:
        arguments = (options.catalogue, options.products, options.added, folder)
        rows = compare(options.old, *arguments, options.network)
    finally:
        if options.folder is None:
            shutil.rmtree(folder)
    print("| | old | new | new / old |\n|---|---|---|---|")
    for name, row in rows.items():
        old, new = row["old"], row["new"]
        print(f"| {name} | {old:,.1f} | {new:,.1f} | {new / old:.2f} |")


if __name__ == "__main__":
    main()
