"""Disks that are full, and places where nothing may be written."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kills import hashes

from fashify.store import FeatureStore, verify_store
from harden.workbench import Bench, answers, reindex, same

NOBODY = 65534


@contextmanager
def small_disk(at: Path, kilobytes: int) -> Iterator[Callable[[str], None]]:
    """A file system of that size at ``at``; the callable mounts it again with other options.

    Raises:
        OSError: it cannot be mounted here.
    """
    at.mkdir(parents=True, exist_ok=True)

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(at)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise OSError(done.stderr.strip() or "mount failed")

    mount(f"size={kilobytes}k")
    try:
        yield lambda options: mount(f"remount,{options}")
    finally:
        # A store that was opened there, mapped and in a reference cycle, keeps the disk busy.
        gc.collect()
        subprocess.run(["umount", str(at)], check=True)


def disk_full(bench: Bench, shares: tuple[float, ...] = (0.02, 0.3, 0.6, 0.9)) -> None:
    """A build onto a disk with room for a share of it, then again with room enough."""
    roomy = bench.build(bench.folder / "roomy").path
    wanted, whole = hashes(roomy), _bytes(roomy)
    before = hashes(bench.build(bench.folder / "few", 8).path)
    for size in (max(4, int(share * whole / 1024)) for share in shares):
        place = bench.folder / f"disk-{size}"
        try:
            with small_disk(place, size) as again:
                _fill_up(bench, place, before, wanted, again)
        except OSError as error:
            bench.counts["disk full"] = f"skipped, no small disk to be had: {error}"
            return


def _fill_up(bench: Bench, place: Path, before: dict, wanted: dict, again: Callable) -> None:
    out = place / "store"
    what = f"full disk of {place.name.split('-')[1]} kB"
    if bench.tried("build on a full disk", lambda: bench.build(out)):
        bench.failures.append(f"{what}: the build should not have had room")
    bench.check(not out.exists(), f"{what}: a store is there that was never finished")
    again("size=8m")
    bench.build(out, 8)
    bench.check(hashes(out) == before, f"{what}: the next build came to something else")
    again(f"size={_bytes(place) // 1024 + 40}k")
    bench.tried("build on a full disk", lambda: bench.build(out))
    bench.tried("index on a full disk", lambda: reindex(out))
    bench.check(hashes(out) == before, f"{what}: the store there was is another one")
    bench.check(not verify_store(out), f"{what}: the store there was is not whole")
    again("size=8m")
    bench.build(out)
    bench.check(same(out, wanted), f"{what}: with room again, something else came out")


def _bytes(folder: Path) -> int:
    """Room that the files below a folder take, in whole pages."""
    sizes = (file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return sum(-(-size // 4096) * 4096 for size in sizes)


def read_only(bench: Bench) -> None:
    """A disk mounted read-only, and a folder that belongs to somebody else."""
    if os.geteuid() != 0:
        bench.counts["read-only"] = "skipped, needs root to mount a disk or become nobody"
        return
    out = bench.build(bench.folder / "theirs" / "store").path
    # Once with all rights: nobody may not even read what is imported at the first use.
    reindex(out)
    search = answers(out)
    for folder in (bench.folder, *bench.folder.parents):
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o111)
    with as_nobody():
        _refuses_writes(bench, out, search, "somebody else's folder")
    place = bench.folder / "disk-ro"
    try:
        with small_disk(place, 8192) as again:
            shutil.copytree(out, place / "store")
            again("ro")
            _refuses_writes(bench, place / "store", search, "a read-only disk")
    except OSError as error:
        bench.counts["read-only disk"] = f"skipped, no small disk to be had: {error}"


@contextmanager
def as_nobody() -> Iterator[None]:
    """This process without its rights: root may write everywhere."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _refuses_writes(bench: Bench, out: Path, search: list, what: str) -> None:
    """Reading goes on, every way of writing is refused, nothing changes."""
    before = hashes(out)
    bench.check(answers(out) == search, f"{what}: other answers")
    bench.check(not verify_store(out), f"{what}: cannot be verified")
    writes = {
        "build": lambda: bench.build(out, 8),
        "index": lambda: reindex(out),
        "save": lambda: FeatureStore.load(out).save(out),
    }
    for name, call in writes.items():
        if bench.tried(f"{name} where nothing may be written", call):
            bench.failures.append(f"{what}: {name} was not refused")
    bench.check(hashes(out) == before, f"{what}: something changed")
