"""Disks that are full or cannot be written, handles that run out, clocks that jump, signals.

What is promised: one clear error instead of a wrong or half answer, the store there was stays
as it was, and once the fault is over the same call comes to the same bytes as one that never
met it. What needs root (mounting a small disk, becoming nobody) is skipped without it, and says
so.

    python benchmarks/harden faults
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kills import hashes

from fashify.index import make_index
from fashify.store import FeatureStore, verify_store
from fashify.store.layout import INDEX
from harden import script, signals, swaps
from harden.disks import disk_full, read_only
from harden.workbench import Bench, answers, same


def out_of_handles(bench: Bench, most: int = 14) -> None:
    """Every call with 0, 1, 2 ... more file handles than are open already."""
    try:
        import resource
    except ImportError:
        bench.counts["handles"] = "skipped, no limit of handles on this system"
        return
    wanted = hashes(bench.build(bench.folder / "handles" / "wanted").path)
    before = bench.build(bench.folder / "handles" / "before", 8).path
    out = bench.folder / "handles" / "store"
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for spare in range(most):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(before, out)
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_first_free() + spare, hard))
        try:
            done = bench.tried("build short of handles", lambda: bench.build(out))
            bench.tried("open short of handles", lambda: answers(before))
            bench.tried("index short of handles", lambda: make_index_of(before, out))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        what = f"{spare} handles"
        bench.check(not verify_store(out), f"{what}: the store is not whole")
        found = FeatureStore.load(out)
        bench.check(len(found) == (bench.products if done else 8), f"{what}: products were lost")
        bench.check(not len(found.quarantine), f"{what}: good pictures went into quarantine")
        bench.build(out)
        bench.check(same(out, wanted), f"{what}: later, something else came out")


def make_index_of(store: Path, out: Path) -> None:
    """Saves an index of one store's vectors beside another store."""
    opened = FeatureStore.load(store)
    make_index("exact").fit(opened.vectors, opened.item_ids).save(out.parent / INDEX)


def _first_free() -> int:
    handle = os.open(os.devnull, os.O_RDONLY)
    os.close(handle)
    return handle


#: A year, in seconds.
YEAR = 365 * 24 * 3600.0


def clock_jumps(bench: Bench, jumps: tuple[float, ...] = (-YEAR, YEAR, -1.0, 50 * YEAR)) -> None:
    """Interrupted builds that go on in another year, by the clock and by the files' times."""
    wanted = hashes(bench.build(bench.folder / "clock" / "wanted").path)
    for jump in jumps:
        out = bench.folder / "clock" / f"store{jump:+.0f}"
        _interrupted(bench, out)
        staging = out.with_name(f".{out.name}.building")
        for path in staging.rglob("*"):
            os.utime(path, (time.time() + jump,) * 2)
        now = time.time
        with patch("time.time", lambda now=now, jump=jump: now() + jump):
            bench.build(out)
        bench.counted("clock jumps")
        bench.check(hashes(out) == wanted, f"clock {jump:+.0f} s: something else came out")
    for jump in jumps[:2]:
        for picture in (bench.source / "images").iterdir():
            os.utime(picture, (time.time() + jump,) * 2)
        bench.build(out)
        bench.counted("file times moved")
        bench.check(same(out, wanted), f"file times {jump:+.0f} s: something else came out")


class _Stop(Exception):
    """The end of an interrupted build."""


def _interrupted(bench: Bench, out: Path) -> None:
    """A build that ends after its first shard."""
    from fashify.features import extract

    written, write = [], extract.write_shard

    def once(path: Path, shard: Any) -> None:
        if written:
            raise _Stop
        written.append(write(path, shard))

    try:
        with patch.object(extract, "write_shard", once):
            bench.build(out)
    except _Stop:
        return
    bench.failures.append("a build could not be interrupted")


def run(seed: int, folder: Path) -> dict[str, Any]:
    """All faults, one after the other."""
    bench = Bench(folder)
    for fault in (disk_full, read_only, out_of_handles, clock_jumps):
        fault(bench)
    for more in (signals.run, swaps.run):
        found = more(seed, folder)
        bench.failures += found.pop("failures")
        bench.counts |= found
    return {**bench.counts, "failures": bench.failures}


if __name__ == "__main__":
    script.main(run, __doc__)
