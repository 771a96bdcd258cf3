"""The feature store: vectors of a catalogue, with everything needed to trust them."""

from __future__ import annotations

import copy
import io
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fashify.catalogue.groups import group_ids, split_by_group
from fashify.catalogue.likeness import look_alikes
from fashify.config import LEVELS
from fashify.errors import CatalogueError, QueryError, StoreMismatchError, join_names
from fashify.heads.head import Head
from fashify.heads.strength import Strength
from fashify.io.artefact import ArtefactReader, lock_folder
from fashify.io.images import ImageFacts
from fashify.io.storage import is_url
from fashify.store.formats import check_format
from fashify.store.items import make_views, read_items
from fashify.store.layout import (
    COLOUR,
    DEEP,
    HEAD,
    ITEMS,
    QUARANTINE,
    SERVED,
    SIGNATURE,
    STORE,
    STRENGTH,
    VIEWS,
)

#: Fields of a backbone spec that must be equal for two features to be comparable.
IDENTITY = ("name", "dim", "input_size", "preprocessing", "pooling", "weights_hash")


class FeatureStore:
    """Features of the gallery, aligned with its products.

    A product has one picture or several, its views; ``features``, ``colour``, ``signatures``
    and ``vectors`` have one row per view, in the order of the products. With one view each, which
    is the rule, they have one row per product.

    What an index holds is ``vectors``: the features, or what a head makes of both features.

    Args:
        features: ``(v, dim)`` float32; ``None`` of a store on disk.
        item_ids: n ids.
        meta: the manifest: catalogue, backbone spec, engine.
        items: DataFrame of n rows, the catalogue's columns; ids alone by default.
        views: DataFrame of v rows, ``fashify.store.items.VIEW_COLUMNS``; one per product by
            default.
        colour: ``(v, c)`` float32. signatures: ``(v, 16, 12, 3)`` uint8.
        head: what makes ``vectors``. strength: what its distances say.
        files: of a store on disk.

    Attributes:
        item_ids: ``(n,)`` object array of str.
        items, meta: as given.
        files: the folder's reader, ``None`` in memory.

    Raises:
        StoreMismatchError: features of another length than the views.

    >>> from fashify import FeatureStore
    >>> store = FeatureStore.load("data/sample-store")
    >>> store.features.shape, store.labels("gender").shape, len(store.items)
    ((120, 1280), (120,), 120)
    """

    def __init__(
        self,
        features: np.ndarray | None,
        item_ids: Sequence[str] | np.ndarray,
        meta: Mapping[str, Any],
        *,
        items: pd.DataFrame | None = None,
        views: pd.DataFrame | None = None,
        colour: np.ndarray | None = None,
        signatures: np.ndarray | None = None,
        head: Head | None = None,
        strength: Strength | None = None,
        files: ArtefactReader | None = None,
    ) -> None:
        self.item_ids = np.array(list(item_ids), dtype=object)
        self.items = items if items is not None else pd.DataFrame({"item_id": self.item_ids})
        self.meta, self.files = dict(meta), files
        self._head, self._strength = head, strength
        given = {DEEP: features, COLOUR: colour, SIGNATURE: signatures}
        self._columns = {name: array for name, array in given.items() if array is not None}
        if files is None:
            self.views = views if views is not None else make_views(self.items)
            self._check_features(features)

    def _check_features(self, features: np.ndarray | None) -> None:
        rows = len(self.views)
        if features is None or features.ndim != 2 or len(features) != rows:
            raise StoreMismatchError(
                f"features of shape ({rows}, dim), one row an item_id",
                f"shape {None if features is None else features.shape}",
                "pass both in the same order",
            )

    def __len__(self) -> int:
        return len(self.item_ids)

    def __repr__(self) -> str:
        backbone = self.meta.get("backbone", {}).get("name", "unknown backbone")
        return f"FeatureStore({len(self):,} x {self.dim}, {backbone}, path={self.path})"

    @property
    def path(self) -> Path | None:
        """The folder it was loaded from, or ``None``."""
        return None if self.files is None else self.files.folder

    @property
    def dim(self) -> int:
        """Length of one feature."""
        if DEEP in self._columns:
            return self._columns[DEEP].shape[1]
        return int(self.meta["backbone"]["dim"])

    @property
    def features(self) -> np.ndarray:
        """``(v, dim)`` float32; of a store on disk memory mapped, checked at the first use.

        Raises:
            StoreCorruptError: the file is missing or damaged.
        """
        found = self._column(DEEP)
        assert found is not None
        return found

    @property
    def colour(self) -> np.ndarray | None:
        """``(v, c)`` float32 colour features, ``None`` where there are none; as ``features``."""
        return self._column(COLOUR)

    @property
    def signatures(self) -> np.ndarray | None:
        """``(v, 16, 12, 3)`` uint8, what tells look-alikes, or ``None``; as ``features``."""
        return self._column(SIGNATURE)

    @property
    def vectors(self) -> np.ndarray:
        """``(v, d)`` float32: what an index of this store holds; as ``features``."""
        if self.head is None:
            return self.features
        found = self._column(SERVED)
        if found is None:
            found = self._columns[SERVED] = self.head(self.features, self.colour)
        return found

    @property
    def vectors_checksum(self) -> str:
        """Of the file that holds ``vectors``; "" in memory."""
        if self.files is None:
            return ""
        return self.files.files[name_served_file(self.files)]["sha256"]

    def _column(self, name: str) -> np.ndarray | None:
        if name not in self._columns and self.files is not None and f"{name}.npy" in self.files:
            self._columns[name] = self.files.array(name, mapped=True)
        return self._columns.get(name)

    @cached_property
    def views(self) -> pd.DataFrame:
        """One row per picture: ``fashify.store.items.VIEW_COLUMNS``; errors as ``features``."""
        assert self.files is not None
        return read_items(self.files.read(VIEWS))

    @cached_property
    def view_items(self) -> np.ndarray:
        """``(v,)`` int64, ascending: the position of each view's product."""
        if self.files is not None and self.meta["n_views"] == len(self):
            return np.arange(len(self))
        return self.views["item"].to_numpy(np.int64)

    @property
    def view_paths(self) -> np.ndarray:
        """``(v,)`` object array of str: where each view lies in the catalogue's storage."""
        return self.views["path"].to_numpy(dtype=object)

    @cached_property
    def first_views(self) -> np.ndarray:
        """``(n,)`` int64: the row of each product's first view."""
        return np.searchsorted(self.view_items, np.arange(len(self)))

    @property
    def facts(self) -> pd.DataFrame:
        """The files of the v pictures: ``width, height, mode, format, bytes, sha256``."""
        return self.views[list(ImageFacts._fields)]

    @property
    def head(self) -> Head | None:
        """The map from features to ``vectors``; ``None`` where features are served raw.

        Raises:
            StoreCorruptError: its file is missing or damaged.
            StoreMismatchError: it was made for another backbone.
        """
        if self._head is None and self.files is not None and HEAD in self.files:
            self._head = Head.from_bytes(self.files.read(HEAD))
            self._head.check_backbone(self.meta["backbone"])
        return self._head

    @property
    def strength(self) -> Strength | None:
        """What a distance says of the match, as calibrated; ``None`` without calibration."""
        if self._strength is None and self.files is not None and STRENGTH in self.files:
            self._strength = Strength.from_json(self.files.read(STRENGTH))
        return self._strength

    @cached_property
    def groups(self) -> np.ndarray:
        """``(n,)`` int64: products of one number are copies or variants of one another.

        They share name and type, have files that are equal to the byte, or look alike; see
        :func:`fashify.catalogue.groups.group_ids`. Errors as ``features``.
        """
        alike = None if self.signatures is None else look_alikes(self.signatures)
        return group_ids(self.items, self.views["sha256"].to_numpy(), alike, self.view_items)

    @property
    def group_basis(self) -> str:
        """What ``groups`` go by, in words."""
        words = ["name and type"]
        words += ["equal files"] if (self.views["sha256"] != "").any() else []
        words += ["look-alikes"] if self.signatures is not None else []
        return ", ".join(words)

    @cached_property
    def split(self) -> np.ndarray:
        """``(n,)`` of ``train``, ``validation`` and ``test``: 70, 15 and 15 % of the groups.

        A head learns from the first, is chosen by the second and judged by the third; no group
        lies in two of them. Errors as ``features``.
        """
        return split_by_group(self.groups)

    @property
    def quarantine(self) -> pd.DataFrame:
        """Pictures that could not be embedded: ``item_id, path, reason``; as ``head``."""
        if self.files is None:
            return pd.DataFrame(columns=["item_id", "path", "reason"])
        data = io.BytesIO(self.files.read(QUARANTINE))
        return pd.read_csv(data, dtype=str, keep_default_na=False)

    def labels(self, level: str) -> np.ndarray:
        """``(n,)`` object array of str, ``""`` where missing; ``CatalogueError`` if unknown."""
        if level not in LEVELS or level not in self.items:
            raise CatalogueError(
                f"a level of {join_names(LEVELS)}", f"{level!r}", "use one of these"
            )
        return self.items[level].to_numpy(dtype=object)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {item_id: position for position, item_id in enumerate(self.item_ids)}

    def position(self, item_id: str) -> int:
        """A product's row among ``items``; ``QueryError`` for one that is not in the gallery."""
        try:
            return self._positions[item_id]
        except KeyError:
            raise QueryError(
                f"an item_id of the {len(self):,} in the gallery",
                f"{item_id!r}",
                "take one from items.parquet or from a match",
            ) from None

    def with_head(self, head: Head | None) -> FeatureStore:
        """The same features in memory, served through another head or none."""
        # Read once for all copies.
        self.groups, self.features, self.colour, self.signatures, self.views  # noqa: B018
        other = copy.copy(self)
        other.meta = {name: value for name, value in self.meta.items() if name != "head"}
        other._columns = {name: one for name, one in self._columns.items() if name != SERVED}
        other.files, other._head, other._strength = None, head, None
        return other

    def save(self, path: str | Path) -> FeatureStore:
        """Writes the store as a folder, in one step; a store there before is replaced.

        Returns:
            The store as loaded from ``path``.

        Raises:
            StoreError: the place cannot be written, or another process is writing it.
        """
        from fashify.store.writer import ServedThrough, replace_store, write_store

        path = Path(path).expanduser()
        unnamed = {} if "backbone" in self.meta else {"backbone": {"name": "unknown"}}
        meta = {**self.meta, **unnamed}
        meta["backbone"] = {**meta["backbone"], "dim": self.dim}
        with lock_folder(path):
            written = copy.copy(self)
            written.meta = meta
            vectors = None if self.head is None else self.vectors
            serving = ServedThrough(self.head, self.strength, vectors)
            replace_store(path, partial(write_store, store=written, serving=serving))
        return FeatureStore.load(path)

    @classmethod
    def load(cls, path: str | Path, *, expect: Any = None, verify: bool = True) -> FeatureStore:
        """Opens a store; columns are mapped when first asked for.

        Args:
            path: the store's folder, or its ``s3://`` url.
            expect: a ``BackboneSpec`` (or its dict) the features must come from.
            verify: compare a column's checksum before its first use, about a second for a
                gigabyte; without it one of more than 4 MB is known by its size alone.

        Raises:
            StoreError: no store there, or an unfinished one.
            StoreMismatchError: another format version, or another backbone than expected.
            StoreCorruptError: a file does not match its checksum.
        """
        files = open_files(find_store_folder(path), verify=verify)
        if expect is not None:
            check_backbone(files.facts["backbone"], expect, files.folder)
        return cls.from_files(files)

    @classmethod
    def from_files(cls, files: ArtefactReader) -> FeatureStore:
        """The store whose files ``open_files`` gave; errors as ``load``."""
        items = read_items(files.read(ITEMS))
        return cls(None, items["item_id"], files.facts, items=items, files=files)


def find_store_folder(store: str | Path) -> Path:
    """The folder of a store; one in a bucket is fetched first."""
    if not is_url(store):
        return Path(store).expanduser()
    from fashify.store.bucket import fetch_store

    return fetch_store(str(store))


def open_files(path: Path, *, verify: bool = True) -> ArtefactReader:
    """A store's manifest, checked, and its files still to be read; errors as ``load``."""
    check_format(path)
    files = ArtefactReader(path, STORE, verify=verify)
    check_retired(files.facts.get("backbone", {}), path)
    return files


def name_served_file(files: ArtefactReader) -> str:
    """Name of the file that holds what an index of the store is made of."""
    served = f"{SERVED}.npy"
    return served if served in files else f"{DEEP}.npy"


def check_backbone(found: Mapping[str, Any], expect: Any, path: Path) -> None:
    """Raises ``StoreMismatchError`` naming the first field in which two specs differ."""
    wanted = expect if isinstance(expect, Mapping) else expect.to_dict()
    for name in IDENTITY:
        if _to_plain(found.get(name)) != _to_plain(wanted.get(name)):
            raise StoreMismatchError(
                f"features with {name} {wanted.get(name)} ({wanted.get('name')})",
                f"{name} {found.get(name)} ({found.get('name')}) in {path}",
                "open it with that backbone, or build another store with --out",
            )


def check_retired(found: Mapping[str, Any], path: Path) -> None:
    """Raises ``StoreMismatchError`` for features of a two-branch network, which is gone."""
    if found.get("original_dim"):
        raise StoreMismatchError(
            "features of a network that this release has",
            f"those of a two-branch network of fashify finetune in {path}",
            "build the store anew: fashify build, with weights of fashify train where wanted",
        )


def _to_plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value
