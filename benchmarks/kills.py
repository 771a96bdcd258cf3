"""Extraction killed again and again: nothing that was committed is lost, the end is the same.

Builds are killed with signal 9 at random moments and started again until they are finished,
alternately from nothing and from a finished store of half the products. A moment is any time of
the build, or shortly after a shard was written, or shortly after its end has begun. After every
kill the shards written so far must still be there, and the store must be the old one, whole, or
the new one; in the end it must be equal, byte for byte, to that of a build nobody interrupted.

    python benchmarks/kills.py --catalogue ARCHIVE.zip
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path

import numpy as np

from fashify.store import verify_store

#: ``command(out, whole)`` builds the store at ``out``, of all the products or of half of them.
Command = Callable[[Path, bool], list[str]]


@dataclass
class Tally:
    """What happened. ``trouble`` is empty when every promise was kept."""

    kills: int = 0
    finished: int = 0
    moments: dict[str, int] = field(default_factory=dict)
    shards_kept: int = 0
    seconds_uninterrupted: float = 0.0
    trouble: list[str] = field(default_factory=list)


def hashes(folder: Path) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def torture(command: Command, folder: Path, kills: int, rng: np.random.Generator) -> Tally:
    """Kills builds ``kills`` times and compares what comes out.

    Args:
        command: how a build is started.
        folder: an empty one, for the stores.
        kills: how many builds are killed.
        rng: chooses the moments.
    """
    tally = Tally()
    old = _built(command, folder / "old", whole=False)
    start = time.monotonic()
    fresh = hashes(_built(command, folder / "fresh", whole=True))
    tally.seconds_uninterrupted = round(time.monotonic() - start, 1)
    shutil.copytree(old, folder / "grown")
    grown = hashes(_built(command, folder / "grown", whole=True))
    for base, wanted in cycle(((None, fresh), (old, grown))):
        _one_store(command, folder, base, wanted, kills, rng, tally)
        if tally.kills >= kills or tally.trouble:
            return tally


def _built(command: Command, out: Path, *, whole: bool) -> Path:
    subprocess.run(command(out, whole), check=True)
    return out


def _one_store(
    command: Command,
    folder: Path,
    base: Path | None,
    wanted: dict[str, str],
    kills: int,
    rng: np.random.Generator,
    tally: Tally,
) -> None:
    """One store from its beginning to its end, through as many kills as it takes."""
    out = folder / "tortured"
    for left in (out, _staging(out)):
        shutil.rmtree(left, ignore_errors=True)
    if base is not None:
        shutil.copytree(base, out)
    before = hashes(out)
    kept: dict[str, str] = {}
    while not tally.trouble:
        due = _moment(out, tally, rng) if tally.kills < kills else ("never", lambda: False)
        finished = _run(command(out, True), due[1])
        now = hashes(out)
        if finished or now == wanted:
            _count(tally, due[0], not finished)
            tally.finished += 1
            _check(now == wanted, "a finished store differs from an uninterrupted one", tally)
            return
        _count(tally, due[0])
        _check(now == before, "an unfinished build changed the store there was", tally)
        _check(not before or not verify_store(out), "the store there was is not whole", tally)
        shards = hashes(_staging(out) / "shards")
        shards = {name: sha for name, sha in shards.items() if not name.startswith(".")}
        _check(kept.items() <= shards.items(), "a committed shard was lost or changed", tally)
        kept, tally.shards_kept = shards, tally.shards_kept + len(shards)


def _moment(out: Path, tally: Tally, rng: np.random.Generator) -> tuple[str, Callable[[], bool]]:
    """When to kill: a name for it, and a question to be asked again and again."""
    kind = ("at any time", "after a shard", "near the end")[rng.integers(3)]
    wait = rng.uniform(0, tally.seconds_uninterrupted if kind == "at any time" else 0.5)
    shards, end = _staging(out) / "shards", _staging(out) / "next"
    enough = len(list(shards.glob("*.safetensors"))) + int(rng.integers(1, 4))
    reached: list[float] = []

    def begun() -> bool:
        if kind == "after a shard" and len(list(shards.glob("*.safetensors"))) >= enough:
            return True
        return kind == "at any time" or end.exists()

    def due() -> bool:
        if not reached and begun():
            reached.append(time.monotonic())
        return bool(reached) and time.monotonic() - reached[0] >= wait

    return kind, due


def _run(command: list[str], due: Callable[[], bool]) -> bool:
    """Runs a build and kills it when ``due``; whether it came to its end."""
    process = subprocess.Popen(command)
    while process.poll() is None:
        if due():
            process.kill()
            process.wait()
            return False
        time.sleep(0.01)
    if process.returncode != 0:
        raise SystemExit(f"a build ended with exit code {process.returncode}")
    return True


def _count(tally: Tally, kind: str, killed: bool = True) -> None:
    if killed:
        tally.kills += 1
        tally.moments[kind] = tally.moments.get(kind, 0) + 1


def _staging(out: Path) -> Path:
    return out.with_name(f".{out.name}.building")


def _check(kept: bool, broken: str, tally: Tally) -> None:
    if not kept:
        tally.trouble.append(f"after {tally.kills} kills: {broken}")


def build(catalogue: str, out: str, products: int, shard: int) -> None:
    """What the killed processes do: a build with small shards, so that there are many."""
    from fashify import extract_features, load_catalogue
    from fashify.features import plan

    plan.SHARD_IMAGES = shard
    extract_features(
        load_catalogue(catalogue).sample(products),
        "efficientnet-lite0",
        out,
        engine="openvino",
        precision="fp32",
        index="exact",
        progress=False,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--catalogue", default="sample")
    parser.add_argument("--products", type=int, default=600, help="in the whole store")
    parser.add_argument("--shard", type=int, default=50, help="pictures a shard")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--build", metavar="OUT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(options.catalogue, options.build, options.products, options.shard)
        return

    def command(out: Path, whole: bool) -> list[str]:
        products = options.products if whole else options.products // 2
        words = [sys.executable, __file__, "--catalogue", options.catalogue, "--build", out]
        return [*map(str, words), "--products", str(products), "--shard", str(options.shard)]

    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(options.seed)
        tally = torture(command, Path(folder), options.kills, rng)
    print(json.dumps(asdict(tally), indent=1))
    sys.exit(bool(tally.trouble))


if __name__ == "__main__":
    main()
