"""Every file of a store cut, flipped, emptied, lost, swapped and dated forward.

    python benchmarks/harden artefacts

Each time three things must happen: ``fashify verify`` finds it and names the file; a reader
that asks for everything is refused with an error of Fashify's; and nobody is told anything but
what the whole store says. The other store is the worst there can be: same products, same
backbone, same sizes, other vectors.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fashify import extract_features, load_catalogue
from fashify.errors import FashifyError
from fashify.heads import head as heads
from fashify.heads import strength as curve
from fashify.index import make_index
from fashify.io.artefact import MANIFEST, canonical_json, self_checksum, sha256_file
from fashify.learning import learn_head
from fashify.retrieval.retriever import Retriever
from fashify.store import FeatureStore, layout, verify_store
from harden.script import main

#: Products asked for.
ASKED = 12

Damage = Callable[[Path], None]


def answers(path: Path) -> Any:
    """All that a store can be asked: matches, features, labels, quarantine, as JSON values."""
    opened = Retriever.open(path)
    store = opened.store
    matches = [
        [match.to_dict() for match in opened.by_item(item_id, 5)]
        for item_id in store.item_ids[:ASKED]
    ]
    facts = store.items.astype(str).to_numpy().tolist(), store.quarantine.to_numpy().tolist()
    return json.loads(json.dumps([matches, store.features.tolist(), *facts]))


def twin(store: FeatureStore, path: Path) -> FeatureStore:
    """A store of the same items whose vectors are those of other products."""
    order = np.roll(np.arange(len(store)), 1)
    head = store.head
    other = FeatureStore(
        store.features[order],
        store.item_ids,
        store.meta,
        items=store.items,
        colour=store.colour[order],
        signatures=store.signatures[order],
        views=store.views,
        head=head,
    ).save(path)
    index = make_index("exact").fit(other.vectors, other.item_ids)
    index.save(other.path / layout.INDEX, column=other.vectors_checksum)
    return other


def damages(file: Path, flips: int, rng: np.random.Generator) -> Iterator[tuple[str, Damage]]:
    """``(name, what to do to the file)``."""
    data = file.read_bytes()
    for part in (0, 1, 8, 15):
        cut = data[: len(data) * part // 16]
        yield f"cut to {part}/16", lambda path, cut=cut: path.write_bytes(cut)
    yield "one byte short", lambda path: path.write_bytes(data[:-1])
    yield "one byte more", lambda path: path.write_bytes(data + b"\x00")
    yield "zeros", lambda path: path.write_bytes(bytes(len(data)))
    yield "lost", lambda path: path.unlink()
    yield "a folder", lambda path: (path.unlink(), path.mkdir())
    for _ in range(flips):
        spoiled = bytearray(data)
        spoiled[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        yield "flipped", lambda path, spoiled=bytes(spoiled): path.write_bytes(spoiled)


def swaps(store: Path, other: Path) -> Iterator[tuple[str, str, Damage]]:
    """``(name, file that must be named or "", what to do to the store)``: the other one's files."""
    for file in sorted(path for path in store.rglob("*") if path.is_file()):
        name = file.relative_to(store).as_posix()
        source = other / name
        if source.is_file() and source.read_bytes() != file.read_bytes():
            # A manifest of another store vouches for other files: then those are named.
            named = "" if file.name == "manifest.json" else name
            yield "swapped", named, lambda path, n=name, s=source: shutil.copy(s, path / n)
    yield "whole index", "index/manifest.json", lambda path: _replaced(path, other, "index")


def _replaced(store: Path, other: Path, folder: str) -> None:
    shutil.rmtree(store / folder)
    shutil.copytree(other / folder, store / folder)


def dated(store: Path) -> Iterator[tuple[str, str, Damage]]:
    """Each file that has a version, of the next one, everything else in order."""

    def manifest(path: Path) -> None:
        _signed(path, {"version": layout.STORE.version + 1})

    def index(path: Path) -> None:
        _signed(path / layout.INDEX, {"version": layout.INDEX_KIND.version + 1})

    def head(path: Path) -> None:
        file = path / layout.HEAD
        before, after = (
            rb"\"version\": %d, \"weights\"" % n for n in (heads.VERSION, heads.VERSION + 1)
        )
        file.write_bytes(file.read_bytes().replace(before, after))
        _signed(path)

    def strength(path: Path) -> None:
        file = path / layout.STRENGTH
        before, after = (f'"version": {n}' for n in (curve.VERSION, curve.VERSION + 1))
        file.write_text(file.read_text().replace(before, after))
        _signed(path)

    yield "next version", "manifest.json", manifest
    yield "next version", "index/manifest.json", index
    for name, change in ((layout.HEAD, head), (layout.STRENGTH, strength)):
        if (store / name).is_file():
            yield "next version", name, change


def _signed(path: Path, changes: dict[str, Any] | None = None) -> None:
    """The manifest with these changes, its checksums those of the files as they are."""
    file = path / MANIFEST
    facts = json.loads(file.read_bytes()) | (changes or {})
    for name, record in facts["files"].items():
        record |= {"bytes": (path / name).stat().st_size, "sha256": sha256_file(path / name)}
    facts["sha256"] = self_checksum(facts)
    file.write_bytes(canonical_json(facts))


def attack(
    store: Path, other: Path, folder: Path, flips: int, seed: int, *, every: int = 1
) -> dict[str, Any]:
    """Does all of it to copies of ``store``.

    Args:
        store: a whole one. other: its ``twin``.
        folder: an empty one, for the copies.
        flips: bits flipped in each file, one at a time.
        every: of cuts and flips only each so-manyth, for a quick look.
    """
    rng, whole = np.random.default_rng(seed), answers(store)
    counts, failures = Counter[str](), []
    files = sorted(path for path in store.rglob("*") if path.is_file())
    trials: list[tuple[str, str, Damage]] = []
    for file in files:
        name = file.relative_to(store).as_posix()
        for what, damage in damages(file, flips, rng):
            trials.append((what, name, lambda path, d=damage, n=name: d(path / n)))
    trials = [*trials[::every], *swaps(store, other), *dated(store)]
    copy = folder / "copy"
    for what, name, damage in trials:
        shutil.copytree(store, copy)
        damage(copy)
        counts["attacks"] += 1
        failures += [f"{name or 'store'}, {what}: {text}" for text in broken(copy, name, whole)]
        counts[what] += 1
        shutil.rmtree(copy)
    return {"files": len(files), **counts, "failures": failures}


#: Columns that a search through a head does not read: a right answer beside their damage, which
#: verify names all the same, is no failure.
UNREAD = ("colour.npy", "signature.npy", "deep.npy", "views.parquet")


def broken(store: Path, name: str, whole: Any) -> Iterator[str]:
    """Each promise that a damaged store does not keep."""
    named = verify_names(store)
    if not named or (name and name not in named):
        yield f"verify names {named}"
    try:
        found = answers(store)
    except FashifyError as error:
        if "\n" in str(error):
            yield "an error of several lines"
    except Exception as error:  # A foreign one is what is looked for.
        yield f"{type(error).__name__}: {error}"[:200]
    else:
        if found != whole:
            yield "A WRONG ANSWER"
        elif name not in UNREAD:
            yield "answered, rightly"


def verify_names(store: Path) -> list[str]:
    """The files that ``fashify verify`` names; without a manifest it finds no store at all."""
    if not (store / "manifest.json").is_file():
        return ["manifest.json"]
    return [file for file, _ in verify_store(store)]


def run(seed: int, folder: Path, *, flips: int = 40) -> dict[str, Any]:
    """A store of drawn products with head, strength and index, and all that can befall it."""
    catalogue = load_catalogue("sample").sample(160, seed=seed)
    extract_features(catalogue, "efficientnet-lite0", folder / "store", progress=False)
    store = learn_head(folder / "store", method="lda", index="exact")
    other = twin(store, folder / "other")
    return attack(store.path, other.path, folder, flips, seed)


if __name__ == "__main__":
    main(run, __doc__)
