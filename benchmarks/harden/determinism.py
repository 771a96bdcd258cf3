"""The same twice over: bytes of a store for one seed, five matches whatever the circumstances.

    python benchmarks/harden determinism

Stores of the drawn catalogue are built in processes of their own: twice alike, in batches of 1
and of 32, with the products shuffled, on one processor and on all. The first two must be equal
byte for byte, head and index included. The others must give every product the same five
matches. Rounding differs with the batch, and ties go by position, so matches may change places
where their distances are within ``TIE`` of each other; those are counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from kills import hashes

from fashify import extract_features, load_catalogue
from fashify.catalogue import Catalogue
from fashify.retrieval.retriever import Retriever
from harden.script import main

ROOT = Path(__file__).resolve().parents[2]

#: Cosine distances that are taken for equal.
TIE = 1e-5

#: Places looked at beyond the five, to find a match that a tie has moved down.
MORE = 15

#: Name -> how that store is built, where it differs from ``batch 32``.
CIRCUMSTANCES: dict[str, dict[str, Any]] = {
    "again": {},
    "batch 1": {"batch_size": 1},
    "shuffled": {"shuffled": True},
    "one thread": {"one_thread": True},
}


def ordered(catalogue: Catalogue, shuffled: bool, seed: int) -> Catalogue:
    """The catalogue as it is, or in an order of the seed's."""
    if not shuffled:
        return catalogue
    return catalogue.take(np.random.default_rng(seed).permutation(len(catalogue)))


def build(out: str, products: int, seed: int, shuffled: bool, batch_size: int, head: bool) -> None:
    """One store with its index, in a process of its own; with a head on request."""
    catalogue = load_catalogue("sample").sample(products, seed=seed)
    extract_features(
        ordered(catalogue, shuffled, seed),
        "efficientnet-lite0",
        out,
        batch_size=batch_size,
        index="exact",
        progress=False,
    )
    if head:
        from fashify.learning import learn_head

        learn_head(out, seed=seed)


def started(out: Path, products: int, seed: int, **options: Any) -> Path:
    """Builds a store elsewhere; ``one_thread`` keeps that process on one processor."""
    one_thread = options.pop("one_thread", False)
    told = {"shuffled": False, "batch_size": 32, "head": False, **options}
    told |= {"out": str(out), "products": products, "seed": seed}
    paths = [str(ROOT), str(ROOT / "benchmarks")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    if one_thread:
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    pinned = hasattr(os, "sched_setaffinity") and one_thread
    code = (
        "import json, os, sys; options = json.loads(sys.argv[1]);"
        + ("os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});" if pinned else "")
        + "from harden.determinism import build; build(**options)"
    )
    command = [sys.executable, "-c", code, json.dumps(told)]
    subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
    return out


def matches(path: Path) -> dict[str, list[tuple[str, float]]]:
    """Item -> its nearest items with their distances, ``5 + MORE`` of them."""
    index = Retriever.open(path).index
    ids = list(index.item_ids)
    k = min(5 + MORE, len(ids) - 1)
    found = index.search(index.vectors_of(ids), k, exclude=ids)
    names, distances = found.item_ids.tolist(), found.distances.tolist()
    rows = (zip(*row, strict=True) for row in zip(names, distances, strict=True))
    return {item_id: list(row) for item_id, row in zip(ids, rows, strict=True)}


def compared(
    first: dict[str, list[tuple[str, float]]], other: dict[str, list[tuple[str, float]]]
) -> tuple[Counter[str], list[str]]:
    """How many products have the ``same`` five, or the same but for ``ties``; and the others."""
    counts, different = Counter[str](), []
    for item_id, row in first.items():
        mine, theirs = [name for name, _ in row[:5]], [name for name, _ in other[item_id][:5]]
        if mine == theirs:
            counts["same"] += 1
            continue
        known = dict(row)
        apart = [
            abs(known.get(b, np.inf) - known[a])
            for a, b in zip(mine, theirs, strict=True)
            if a != b
        ]
        if max(apart) <= TIE:
            counts["ties"] += 1
        else:
            different.append(f"{item_id}: {mine} became {theirs}, {max(apart):.2g} apart")
    return counts, different


def unequal(first: Path, other: Path) -> list[str]:
    """Files of two stores that differ."""
    mine, theirs = hashes(first), hashes(other)
    return sorted(name for name in mine | theirs if mine.get(name) != theirs.get(name))


def run(seed: int, folder: Path, *, products: int = 240) -> dict[str, Any]:
    """Five stores, and two with a head."""
    first = started(folder / "batch 32", products, seed)
    wanted, counts, failures = matches(first), {}, []
    for name, options in CIRCUMSTANCES.items():
        out = started(folder / name, products, seed, **options)
        found, different = compared(wanted, matches(out))
        counts[name] = dict(found)
        failures += [f"{name}, {line}" for line in different]
        if name == "again":
            failures += [f"another file in another run: {file}" for file in unequal(first, out)]
    heads = [started(folder / f"head {n}", products, seed, head=True) for n in (1, 2)]
    failures += [f"another file with a head: {file}" for file in unequal(*heads)]
    files = {"files": len(hashes(first)), "files_with_a_head": len(hashes(heads[0]))}
    return {"products": products, **files, **counts, "failures": failures}


if __name__ == "__main__":
    main(run, __doc__)
