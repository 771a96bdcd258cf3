"""A small catalogue, an engine that is warm and a count of promises: what faults are tried on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zipfile import ZipFile

from kills import hashes
from typer.testing import CliRunner

from fashify import Retriever, extract_features, load_backbone, load_catalogue
from fashify.catalogue import Catalogue
from fashify.cli import app
from fashify.data import SAMPLE
from fashify.engines import Engine
from fashify.errors import FashifyError
from fashify.features import Embedder, plan
from fashify.store import FeatureStore, verify_store

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
        """A store of all the products or the first few, eight pictures per shard."""
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
    with ZipFile(SAMPLE) as archive:
        lines = archive.read("styles.csv").decode().splitlines()[: products + 1]
        for line in lines[1:]:
            archive.extract(f"images/{line.split(',', 1)[0]}.jpg", folder)
    (folder / "styles.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def reindex(out: Path, name: str = "exact") -> None:
    """What ``fashify index`` does, said in one call."""
    done = CliRunner().invoke(app, ["index", "--store", str(out), "--name", name])
    if isinstance(done.exception, Exception) and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        raise FashifyError("an index", done.output, "see the fault")


def same(out: Path, wanted: dict[str, str]) -> bool:
    """Whether the vectors, items and index are those of a store that met no fault.

    One that grew has its shards cut otherwise; what is in them counts.
    """
    found = FeatureStore.load(out)
    items = (out / "items.parquet").exists() and len(found) == len(found.vectors)
    index = {name: sha for name, sha in wanted.items() if name.startswith("index/")}
    mine = {name: sha for name, sha in hashes(out).items() if name.startswith("index/")}
    return items and index == mine and not verify_store(out)


def answers(out: Path) -> list[list[str]]:
    """Three matches of each of a store's first four products, by id."""
    opened = Retriever.open(out)
    ids = opened.store.item_ids[:4]
    return [[match.item_id for match in opened.by_item(item, 3)] for item in ids]
