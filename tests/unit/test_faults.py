"""Full and read-only disks, no file handles, clocks that jump: small versions of make harden."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from fakes import GridBackbone, GridEngine
from harden import disks, faults, signals, workbench

from fashify import Retriever, extract_features, load_catalogue
from fashify.engines.processor import cores, peak_mb, processor
from fashify.errors import StorageAwayError, StoreCorruptError, StoreError
from fashify.io.artefact import files as artefact_files
from fashify.io.artefact import staging_of
from fashify.io.storage.local import is_outside
from fashify.store import FeatureStore, verify_store
from fashify.store.shards import make_journal, read_shard
from fashify.store.writer import NEXT


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> workbench.Bench:
    return workbench.Bench(tmp_path_factory.mktemp("faults"), products=16)


@pytest.fixture
def kept(bench: workbench.Bench):
    """Runs one fault; it skips where the fault cannot be made here."""

    def run(fault, *options) -> None:
        before = len(bench.counts)
        bench.failures.clear()
        fault(bench, *options)
        assert bench.failures == []
        told = list(bench.counts.values())[before:]
        if told and all(str(one).startswith("skipped") for one in told):
            pytest.skip(str(told[0]))
        assert told

    return run


def test_a_full_disk(kept) -> None:
    kept(disks.disk_full, (0.5,))


def test_where_nothing_may_be_written(kept) -> None:
    kept(disks.read_only)


def test_out_of_file_handles(kept) -> None:
    kept(faults.out_of_handles, 5)


def test_clocks_that_jump(kept) -> None:
    kept(faults.clock_jumps, (-faults.YEAR, faults.YEAR))


def test_a_demo_that_is_told_to_end(sample_store: Path, tmp_path: Path) -> None:
    # How soon it ends is measured by make harden, not here.
    assert signals.demo_ended(sample_store, tmp_path, prompt=120)["failures"] == []


@pytest.fixture
def store(toy: Path, tmp_path: Path) -> Path:
    options = {"engine": GridEngine(), "index": "exact", "progress": False}
    return extract_features(load_catalogue(toy), GridBackbone(), tmp_path / "store", **options).path


def failing(number: int):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_lack_of_handles_blames_no_picture(toy: Path, tmp_path: Path, monkeypatch) -> None:
    catalogue, opened = load_catalogue(toy), Path.open

    def refuse(path: Path, *words: object, **options: object) -> object:
        if path.is_relative_to(toy):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return opened(path, *words, **options)

    monkeypatch.setattr(Path, "open", refuse)
    options = {"engine": GridEngine(), "progress": False}
    with pytest.raises(StorageAwayError, match="ulimit"):
        extract_features(catalogue, GridBackbone(), tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EACCES])
def test_unreadable_not_damaged(store: Path, number, monkeypatch) -> None:
    """What may not be read is not called damaged."""
    opened = FeatureStore.load(store)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", failing(number))
        with pytest.raises(StoreError, match="readable file"):
            opened.features  # noqa: B018
    monkeypatch.setattr(Path, "read_bytes", failing(number))
    with pytest.raises(StoreError, match="readable file"):
        FeatureStore.load(store)


def test_unmappable_index_not_damaged(store: Path, monkeypatch) -> None:
    """A mapping takes a handle of its own: the last one may have gone to the file itself."""
    monkeypatch.setattr(artefact_files.mmap, "mmap", failing(errno.EMFILE))
    with pytest.raises(StoreError, match="ulimit"):
        Retriever.open(store)


def test_unreadable_shard_not_damaged(tmp_path: Path, monkeypatch) -> None:
    """A shard that may not be read is not called damaged."""
    with pytest.raises(StoreCorruptError):
        read_shard(tmp_path / "missing.safetensors")
    monkeypatch.setattr(Path, "open", failing(errno.EMFILE))
    with pytest.raises(StoreError, match="readable file"):
        read_shard(tmp_path / "missing.safetensors")


def test_what_is_missing_is_still_called_damaged(store: Path) -> None:
    (store / "deep.npy").unlink()
    with pytest.raises(StoreCorruptError):
        FeatureStore.load(store).features  # noqa: B018


def test_killed_writer_leftovers_ignored(toy: Path, store: Path) -> None:
    """What a killed writer left does not come into the store."""
    before = sorted(path.relative_to(store) for path in store.rglob("*"))
    shards = make_journal(staging_of(store))
    (shards.parent / "next").mkdir()
    (shards.parent / "next" / ".items.parquet.123.part").write_bytes(b"half")
    (shards / ".0.safetensors.123.part").write_bytes(b"half")
    options = {"engine": GridEngine(), "index": "exact", "progress": False}
    extract_features(load_catalogue(toy), GridBackbone(), store, **options)
    assert sorted(path.relative_to(store) for path in store.rglob("*")) == before


def test_new_index_clears_leftovers(store: Path) -> None:
    """An index put in clears what a killed one left."""
    left = store / ".index.building" / "norms.npy"
    left.parent.mkdir()
    left.write_bytes(b"half")
    assert verify_store(store) == []
    workbench.reindex(store)
    assert not left.parent.exists()
    assert verify_store(store) == []


def test_replace_without_exchange(store: Path, monkeypatch) -> None:
    """As on macOS and Windows, and on a Linux whose C library has no renameat2."""

    class Bare:
        """A C library without the function."""

    monkeypatch.setattr(artefact_files.ctypes, "CDLL", lambda *_, **__: Bare())
    again = FeatureStore.load(store).save(store)
    assert len(again) == 8
    monkeypatch.setattr(sys, "platform", "darwin")
    assert len(again.save(store)) == 8
    assert [path.name for path in store.parent.glob(f".{store.name}.*")] == [f".{store.name}.lock"]


@pytest.mark.parametrize("moved", ["store", NEXT])
def test_a_store_that_is_open_elsewhere_stays(store: Path, moved: str, monkeypatch) -> None:
    """As on Windows, which moves no folder with an open file: the old one is where it was."""
    opened, rename = FeatureStore.load(store), os.rename

    def refuse(source: Path, target: Path) -> None:
        if Path(source).name == moved:
            raise PermissionError(errno.EACCES, "Access is denied")
        rename(source, target)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(StoreError, match="close the programs"):
        opened.save(store)
    assert verify_store(store) == []
    assert [path.name for path in store.parent.glob(f".{store.name}.*")] == [f".{store.name}.lock"]


@pytest.mark.parametrize(
    ("name", "posix", "windows"),
    [
        ("images/1.jpg", False, False),
        ("../1.jpg", True, True),
        ("/etc/1.jpg", True, True),
        (r"..\1.jpg", False, True),
        (r"C:\1.jpg", False, True),
        ("C:1.jpg", False, True),
        (r"\\server\share\1.jpg", False, True),
    ],
)
def test_names_that_lead_out_on_each_system(name: str, posix: bool, windows: bool) -> None:
    assert is_outside(name, PurePosixPath) is posix
    assert is_outside(name, PureWindowsPath) is windows


def test_without_hard_links_files_are_copied(toy: Path, store: Path, monkeypatch) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    options = {"engine": GridEngine(), "index": "exact", "progress": False}
    assert len(extract_features(load_catalogue(toy), GridBackbone(), store, **options)) == 8
    assert verify_store(store) == []


def test_facts_of_a_machine_that_is_not_linux(monkeypatch) -> None:
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert cores() >= 1
    assert processor()["name"]
    assert peak_mb() > 1
    monkeypatch.setitem(sys.modules, "resource", None)
    assert peak_mb() is None
