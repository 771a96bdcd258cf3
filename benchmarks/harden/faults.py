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
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from kills import hashes
from typer.testing import CliRunner

from fashify import Retriever, extract_features, load_backbone, load_catalogue
from fashify.catalogue import Catalogue
from fashify.cli import app
from fashify.engines import Engine
from fashify.errors import FashifyError
from fashify.features import Embedder, plan
from fashify.index import make_index
from fashify.sample import sample_folder
from fashify.store import FeatureStore, verify_store
from fashify.store.store import INDEX
from harden import script, signals, swaps

NOBODY = 65534
NETWORK = "efficientnet-lite0"


@dataclass
class Bench:
    """A small catalogue, an engine that is warm, and what was found out.

    Attributes:
        folder: an empty one, for everything.
        counts: what was tried, by name.
        failures: a line for each broken promise.
    """

    folder: Path
    products: int = 24
    counts: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = small_catalogue(self.folder / "catalogue", self.products)

    @property
    def catalogue(self) -> Catalogue:
        """Read afresh each time, as a new process would."""
        return load_catalogue(self.source)

    @cached_property
    def embedder(self) -> Embedder:
        """The network on OpenVINO, made once."""
        return Embedder(load_backbone(NETWORK), engine="openvino", precision="fp32")

    @property
    def engine(self) -> Engine:
        return self.embedder.engine

    def build(self, out: Path, products: int | None = None) -> FeatureStore:
        """A store of all the products or the first few, eight pictures a shard."""
        chosen = self.catalogue
        chosen = chosen if products is None else chosen.take(range(products))
        with patch.object(plan, "SHARD_IMAGES", 8):
            options = {"engine": self.engine, "index": "exact", "progress": False}
            return extract_features(chosen, self.embedder.backbone, out, **options)

    def check(self, kept: bool, broken: str) -> None:
        """Notes a promise that was not kept."""
        if not kept:
            self.failures.append(broken)

    def counted(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def tried(self, name: str, call: Callable[[], Any]) -> bool:
        """Whether ``call`` came to its end; an error must be one of ours, or the system's own."""
        try:
            call()
        except FashifyError:
            self.counted(f"{name}, refused")
            return False
        except Exception as error:
            self.failures.append(f"{name}: {type(error).__name__} instead of one of ours: {error}")
            return False
        self.counted(f"{name}, done")
        return True


def small_catalogue(folder: Path, products: int) -> Path:
    """The first products of the drawn sample, in a folder of their own."""
    lines = (sample_folder() / "styles.csv").read_text("utf-8").splitlines()[: products + 1]
    (folder / "images").mkdir(parents=True)
    for line in lines[1:]:
        name = f"{line.split(',', 1)[0]}.jpg"
        shutil.copy(sample_folder() / "images" / name, folder / "images" / name)
    (folder / "styles.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


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
    bench.check(_same(out, wanted), f"{what}: with room again, something else came out")


def _bytes(folder: Path) -> int:
    """Room that the files below a folder take, in whole pages."""
    sizes = (file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return sum(-(-size // 4096) * 4096 for size in sizes)


def reindex(out: Path, name: str = "exact") -> None:
    """What ``fashify index`` does, said in one call."""
    done = CliRunner().invoke(app, ["index", "--store", str(out), "--name", name])
    if isinstance(done.exception, Exception) and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        raise FashifyError("an index", done.output, "see the fault")


def _same(out: Path, wanted: dict[str, str]) -> bool:
    """Whether the vectors, items and index are those of a store that met no fault.

    One that grew has its shards cut otherwise; what is in them counts.
    """
    found = FeatureStore.load(out)
    items = (out / "items.parquet").exists() and len(found) == len(found.vectors)
    index = {name: sha for name, sha in wanted.items() if name.startswith("index/")}
    mine = {name: sha for name, sha in hashes(out).items() if name.startswith("index/")}
    return items and index == mine and not verify_store(out)


def read_only(bench: Bench) -> None:
    """A disk mounted read-only, and a folder that belongs to somebody else."""
    if os.geteuid() != 0:
        bench.counts["read-only"] = "skipped, needs root to mount a disk or become nobody"
        return
    out = bench.build(bench.folder / "theirs" / "store").path
    # Once with all rights: nobody may not even read what is imported at the first use.
    reindex(out)
    search = _answers(bench, out)
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


def _answers(bench: Bench, out: Path) -> list[list[str]]:
    opened = Retriever.open(out)
    ids = opened.store.item_ids[:4]
    return [[match.item_id for match in opened.by_item(item, 3)] for item in ids]


def _refuses_writes(bench: Bench, out: Path, search: list, what: str) -> None:
    """Reading goes on, every way of writing is refused, nothing changes."""
    before = hashes(out)
    bench.check(_answers(bench, out) == search, f"{what}: other answers")
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
            bench.tried("open short of handles", lambda: _answers(bench, before))
            bench.tried("index short of handles", lambda: make_index_of(before, out))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        what = f"{spare} handles"
        bench.check(not verify_store(out), f"{what}: the store is not whole")
        found = FeatureStore.load(out)
        bench.check(len(found) == (bench.products if done else 8), f"{what}: products were lost")
        bench.check(not len(found.quarantine), f"{what}: good pictures went into quarantine")
        bench.build(out)
        bench.check(_same(out, wanted), f"{what}: later, something else came out")


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
        bench.check(_same(out, wanted), f"file times {jump:+.0f} s: something else came out")


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
