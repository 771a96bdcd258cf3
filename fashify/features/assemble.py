"""From finished shards to a store: columns in the catalogue's order, index, tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashify.catalogue import Catalogue
from fashify.errors import CatalogueError, FashifyError
from fashify.features.colour import COLOUR_DIM
from fashify.features.plan import Plan
from fashify.heads.head import Head
from fashify.heads.shipped import own_head
from fashify.heads.strength import Strength
from fashify.index import Index
from fashify.io.artefact import ArtefactWriter, write_error
from fashify.io.images import ImageFacts
from fashify.store import FeatureStore
from fashify.store.columns import ColumnFile, rows_within
from fashify.store.layout import COLOUR, DEEP, INDEX, SERVED, SIGNATURE
from fashify.store.shards import Contents, read_shard
from fashify.store.writer import add_column, replace_store, write_tables

_FACTS = list(ImageFacts._fields)


@dataclass(frozen=True)
class Journal:
    """The shards of a build.

    Attributes:
        folder: where they lie.
        shards: (file name, what it holds) in the order in which rows are counted.
    """

    folder: Path
    shards: Sequence[tuple[str, Contents]]

    @property
    def identities(self) -> list[str]:
        """Of every row, in order."""
        return [one for _, contents in self.shards for one in contents.identities]

    @property
    def failed(self) -> dict[str, str]:
        """identity -> reason, of pictures that could not be read."""
        return {key: why for _, contents in self.shards for key, why in contents.failed.items()}


@dataclass(frozen=True)
class Rows:
    """What one source has of some pictures: its part of each column, and their facts."""

    columns: Mapping[str, np.ndarray]
    facts: pd.DataFrame


@dataclass(frozen=True)
class Build:
    """All that a store is put together from.

    Attributes:
        plan: which picture belongs to which product, and which rows are kept.
        journal: what was embedded now.
        catalogue: the products.
        meta: what the manifest says of how the features came about.
        index: empty, to be fitted into the store; or None.
        previous: the store there was, or None.
    """

    plan: Plan
    journal: Journal
    catalogue: Catalogue
    meta: Mapping[str, Any]
    index: Index | None
    previous: FeatureStore | None

    def replace(self, out: Path, staging: Path) -> None:
        """Writes the store beside, puts it at ``out`` in one step and drops the journal.

        Raises:
            CatalogueError: no readable image at all.
            StoreError: it cannot be written; the journal and the store before stay.
        """
        replace_store(out, self._write)
        shutil.rmtree(staging, ignore_errors=True)

    @property
    def _kept(self) -> FeatureStore | None:
        """The store whose rows come before the journal's."""
        return self.previous if self.plan.kept else None

    def _choose_head(self) -> tuple[Head | None, Strength | None]:
        """The previous store's head, or the one that comes with the network."""
        if self.previous is not None:
            return self.previous.head, self.previous.strength
        return own_head(self.meta["backbone"]), None

    def _write(self, writer: ArtefactWriter) -> None:
        placed, lost = _place_pictures(self.plan, self.journal, self._kept)
        if not len(placed):
            raise CatalogueError(
                "at least one readable image",
                f"none in {self.catalogue.source}",
                "see Catalogue.problems",
            )
        head, strength = self._choose_head()
        codes, names = pd.factorize(placed["item_id"])
        items, owners = list(names), codes.astype(np.int64)
        wanted = placed["row"].to_numpy(np.int64)
        facts = _write_columns(writer, wanted, self.journal, self._kept, head)
        if self.index is not None:
            column = f"{DEEP if head is None else SERVED}.npy"
            vectors = np.load(writer.staging / column, mmap_mode="r", allow_pickle=False)
            self.index.fit(vectors, items, view_items=owners)
            self.index.save(writer.staging / INDEX, column=writer.files[column]["sha256"])
        write_tables(
            writer,
            self.meta,
            self.catalogue.select(items).table,
            pd.concat([placed[["path", "version"]].assign(item=owners), facts], axis=1),
            _list_quarantine(self.catalogue, lost, self.journal.failed),
            head=head,
            strength=strength,
        )


def _place_pictures(
    plan: Plan, journal: Journal, previous: FeatureStore | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The plan's pictures with the ``row`` of each over all sources, and those without one.

    The rows of the previous store come before those of the journal.
    """
    first, own = 0, {}
    if previous is not None:
        first, old = len(previous.views), previous.views
        own = {pair: row for row, pair in enumerate(zip(old["path"], old["version"], strict=True))}
    rows = {identity: first + row for row, identity in enumerate(journal.identities)}
    rows |= plan.kept
    pictures = plan.rows[["path", "version", "identity"]].itertuples(index=False, name=None)
    # A picture's own row before that of its copy: a store that has not changed is not copied.
    found = [own.get((path, version), rows.get(key, -1)) for path, version, key in pictures]
    placed = plan.rows.assign(row=np.array(found, np.int64))
    there = placed["row"] >= 0
    return placed[there].reset_index(drop=True), placed[~there]


def _write_columns(
    writer: ArtefactWriter,
    wanted: np.ndarray,
    journal: Journal,
    previous: FeatureStore | None,
    head: Head | None,
) -> pd.DataFrame:
    """Writes every column; returns the facts of the v pictures, in order."""
    if previous is not None and np.array_equal(wanted, np.arange(len(previous.views))):
        for name, array in _columns_of(previous, head).items():
            add_column(writer, previous, name, array)
        return previous.facts.reset_index(drop=True)
    try:
        names, facts = _fill_columns(writer, wanted, _sources(journal, previous, head))
    except OSError as error:
        if isinstance(error, FashifyError):
            raise
        raise write_error(writer.staging, error) from error
    for name in names:
        writer.take(f"{name}.npy")
    return facts.iloc[wanted].reset_index(drop=True)


def _fill_columns(
    writer: ArtefactWriter, wanted: np.ndarray, sources: Iterator[Rows]
) -> tuple[list[str], pd.DataFrame]:
    """Names of the columns written, and the facts of every row of every source."""
    facts, first = [], 0
    with ExitStack() as stack:
        files: dict[str, ColumnFile] = {}
        for rows in sources:
            for name, array in rows.columns.items():
                if name not in files:
                    column = _new_column(writer, name, len(wanted), array)
                    files[name] = stack.enter_context(column)
                files[name].put(array, *rows_within(wanted, first, len(rows.facts)))
            facts.append(rows.facts)
            first += len(rows.facts)
    return list(files), pd.concat(facts, ignore_index=True)


def _new_column(writer: ArtefactWriter, name: str, rows: int, like: np.ndarray) -> ColumnFile:
    path, shape = writer.staging / f"{name}.npy", (rows, *like.shape[1:])
    return ColumnFile(path, shape, like.dtype)


def _sources(journal: Journal, previous: FeatureStore | None, head: Head | None) -> Iterator[Rows]:
    """The store there was, then one shard after the other, each in memory in its turn."""
    dim = None
    if previous is not None:
        yield Rows(_columns_of(previous, head), previous.facts)
        dim = previous.features.shape[1]
    for name, _ in journal.shards:
        shard = read_shard(journal.folder / name)
        if not len(shard.identities):
            continue
        dim = dim or shard.features.shape[1] - COLOUR_DIM
        deep, colour = shard.features[:, :dim], shard.features[:, dim:]
        columns = {DEEP: deep, COLOUR: colour, SIGNATURE: shard.signatures}
        if head is not None:
            columns[SERVED] = head(deep, colour)
        yield Rows(columns, pd.DataFrame(list(shard.facts), columns=_FACTS))


def _columns_of(store: FeatureStore, head: Head | None) -> dict[str, np.ndarray]:
    found = {DEEP: store.features, COLOUR: store.colour, SIGNATURE: store.signatures}
    columns = {name: array for name, array in found.items() if array is not None}
    return columns if head is None else columns | {SERVED: store.vectors}


def _list_quarantine(
    catalogue: Catalogue, lost: pd.DataFrame, failed: Mapping[str, str]
) -> pd.DataFrame:
    reasons = [failed.get(identity, "not readable") for identity in lost["identity"]]
    unread = pd.DataFrame(
        {"item_id": lost["item_id"].array, "path": lost["path"].array, "reason": reasons}
    )
    catalogue.note_image_problems(unread.itertuples(index=False, name=None))
    return pd.concat([catalogue.row_problems, unread], ignore_index=True)
