"""The feature store: vectors of a catalogue, with everything needed to trust them."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fashify.catalogue.groups import group_ids, split_by_group
from fashify.catalogue.likeness import SIZE, look_alikes
from fashify.config import LEVELS
from fashify.errors import (
    CatalogueError,
    StoreCorruptError,
    StoreError,
    StoreMismatchError,
    known,
)
from fashify.heads.head import Head
from fashify.heads.strength import Strength
from fashify.io.images import ImageFacts
from fashify.io.storage import is_url
from fashify.store.files import (
    canonical_json,
    check_let,
    locked,
    sha256_file,
    swap_in,
    write_bytes,
    write_error,
)
from fashify.store.items import read_items, split_location, with_location
from fashify.store.shards import Shard, gathered, read_shard, shard_name, write_shard

FORMAT = "fashify-store"
VERSION = 4

#: A store of format 2 names its own columns of ``items.parquet`` otherwise; one of format 3
#: has no signatures.
READABLE = (2, 3, VERSION)

#: Of an image whose file is not known.
NO_FACTS = ImageFacts(0, 0, "", "", 0, "")

MANIFEST = "manifest.json"
ITEMS = "items.parquet"
QUARANTINE = "quarantine.csv"
SHARDS = "shards"
INDEX = "index"
HEAD = "head.safetensors"
STRENGTH = "strength.json"

#: Fields of a backbone spec that must be equal for two features to be comparable.
IDENTITY = ("name", "dim", "input_size", "preprocessing", "pooling", "weights_hash")


class FeatureStore:
    """Features of the gallery, aligned with its products.

    A row of the shards is the backbone's feature followed by the colour feature. What an index
    holds is ``vectors``: the features, or what a head makes of both.

    Attributes:
        item_ids: ``(n,)`` object array of str.
        items: DataFrame of n rows, the catalogue's columns, in the same order.
        meta: the manifest: catalogue, backbone spec, engine, shards.
        path: the folder it was loaded from, or ``None``.

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
        path: Path | None = None,
        location: pd.DataFrame | None = None,
        colour: np.ndarray | None = None,
        signatures: np.ndarray | None = None,
        head: Head | None = None,
    ) -> None:
        self.item_ids = np.array(list(item_ids), dtype=object)
        if features is not None and (features.ndim != 2 or len(features) != len(self.item_ids)):
            raise StoreMismatchError(
                f"features of shape ({len(self.item_ids)}, dim), one row an item_id",
                f"shape {features.shape}",
                "pass both in the same order",
            )
        self._features, self._colour, self._head = features, colour, head
        self._signatures = signatures
        self._vectors: np.ndarray | None = None
        self.items = items if items is not None else pd.DataFrame({"item_id": self.item_ids})
        self.meta = dict(meta)
        self.path = path
        self._location = location

    def __len__(self) -> int:
        return len(self.item_ids)

    def __repr__(self) -> str:
        backbone = self.meta.get("backbone", {}).get("name", "unknown backbone")
        return f"FeatureStore({len(self):,} x {self.dim}, {backbone}, path={self.path})"

    @property
    def dim(self) -> int:
        """Length of one feature."""
        if self._features is not None:
            return self._features.shape[1]
        return int(self.meta["backbone"]["dim"])

    @property
    def features(self) -> np.ndarray:
        """``(n, dim)`` float32; gathered from the shards at the first use, then kept.

        Raises:
            StoreCorruptError: a shard is missing or damaged.
        """
        if self._features is None:
            self._features = self._gather(slice(0, self.dim))
        return self._features

    @property
    def colour(self) -> np.ndarray | None:
        """``(n, c)`` float32 colour features, ``None`` where there are none; kept as gathered."""
        if self._colour is None and self.path is not None and "colour" in self.meta:
            self._colour = self._gather(slice(self.dim, None))
        return self._colour

    @property
    def signatures(self) -> np.ndarray | None:
        """``(n, 16, 12, 3)`` uint8, what tells look-alikes; ``None`` where there are none.

        Raises:
            StoreMismatchError: the store is of a format that had none.
        """
        if self._signatures is None and self.path is not None and "signature" in self.meta:
            parts = (shard.signatures for shard in self._shards())
            self._signatures = gathered(self.location["row"].to_numpy(), parts)
        if self._signatures is None and self.meta.get("version", VERSION) < VERSION:
            raise StoreMismatchError(
                f"a store of format {VERSION}, which knows its look-alikes",
                f"one of format {self.meta['version']} at {self.path}",
                f"run: fashify build --out {self.path}",
            )
        return self._signatures

    @property
    def facts(self) -> pd.DataFrame:
        """The files of the n images: ``width, height, mode, format, bytes, sha256``."""
        found = [facts for shard in self._shards() for facts in shard.facts]
        rows = self.location["row"].to_numpy()
        return pd.DataFrame(found, columns=ImageFacts._fields).iloc[rows].reset_index(drop=True)

    @cached_property
    def groups(self) -> np.ndarray:
        """``(n,)`` int64: products of one number are copies or variants of one another.

        They share name and type, have files that are equal to the byte, or look alike; see
        :func:`fashify.catalogue.groups.group_ids`. Errors as ``signatures``.
        """
        keys = self._location["identity"] if self._location is not None else None
        alike = None if self.signatures is None else look_alikes(self.signatures)
        return group_ids(self.items, keys, alike)

    @property
    def group_basis(self) -> str:
        """What ``groups`` go by, in words."""
        known_files = self._location is not None
        return ", ".join(
            ["name and type"]
            + ["equal files"] * known_files
            + ["look-alikes"] * (self.signatures is not None)
        )

    @cached_property
    def split(self) -> np.ndarray:
        """``(n,)`` of ``train``, ``validation`` and ``test``: 70, 15 and 15 % of the groups.

        A head learns from the first, is chosen by the second and judged by the third; no group
        lies in two of them. Errors as ``signatures``.
        """
        return split_by_group(self.groups)

    @property
    def head(self) -> Head | None:
        """The map from features to ``vectors``; ``None`` where features are served raw.

        Raises:
            StoreCorruptError: its file is missing or damaged.
            StoreMismatchError: it was made for another backbone.
        """
        if self._head is None and "head" in self.meta:
            self._head = Head.from_bytes(self._vouched(HEAD))
            self._head.check_backbone(self.meta["backbone"])
        return self._head

    @property
    def strength(self) -> Strength | None:
        """What a distance says of the match, as calibrated; ``None`` without calibration."""
        if self.path is None or STRENGTH not in self.meta.get("files", {}):
            return None
        return Strength.from_json(self._vouched(STRENGTH))

    @property
    def vectors(self) -> np.ndarray:
        """``(n, d)`` float32: what an index of this store holds; errors as ``features``."""
        if self.head is None:
            return self.features
        if self._vectors is None:
            self._vectors = self.head(self.features, self.colour)
        return self._vectors

    def with_head(self, head: Head | None) -> FeatureStore:
        """The same features in memory, served through another head or none."""
        self.groups, self.features, self.colour  # noqa: B018  Read once for all copies.
        other = copy.copy(self)
        other.meta = {k: v for k, v in self.meta.items() if k not in ("head", "files")}
        other.path, other._head, other._vectors = None, head, None
        return other

    @property
    def quarantine(self) -> pd.DataFrame:
        """Products that could not be embedded: ``item_id, path, reason``; errors as ``head``."""
        if self.path is None:
            return pd.DataFrame(columns=["item_id", "path", "reason"])
        data = io.BytesIO(self._vouched(QUARANTINE))
        return pd.read_csv(data, dtype=str, keep_default_na=False)

    def labels(self, level: str) -> np.ndarray:
        """``(n,)`` object array of str, ``""`` where missing; ``CatalogueError`` if unknown."""
        if level not in LEVELS or level not in self.items:
            raise CatalogueError(f"a level of {known(LEVELS)}", f"{level!r}", "use one of these")
        return self.items[level].to_numpy(dtype=object)

    def _gather(self, columns: slice) -> np.ndarray:
        parts = (shard.features[:, columns] for shard in self._shards())
        return gathered(self.location["row"].to_numpy(), parts)

    def _shards(self) -> Iterator[Shard]:
        assert self.path is not None
        for record in self.meta["shards"]:
            yield read_shard(self.path / SHARDS / record["file"])

    def _vouched(self, name: str) -> bytes:
        """A file of the store, its checksum compared with the manifest's."""
        assert self.path is not None
        return _read_vouched(self.path, self.meta, name)

    def save(self, path: str | Path) -> FeatureStore:
        """Writes the store as a folder, in one step; a store there before is replaced.

        Returns:
            The store as loaded from ``path``.

        Raises:
            StoreError: the place cannot be written, or another process is writing it.
        """
        path = Path(path)
        with locked(path):
            staging = fresh_staging(path)
            fingerprint = str(self.meta.get("fingerprint", "in memory"))
            identities = [f"item:{item_id}" for item_id in self.item_ids]
            name = shard_name(fingerprint, identities)
            drop_leftovers(staging, {name})
            parts = [part for part in (self.features, self.colour) if part is not None]
            rows = np.concatenate(parts, axis=1, dtype=np.float32)
            signatures, facts = self.signatures, (NO_FACTS,) * len(self)
            if signatures is None:
                signatures = np.zeros((len(self), *SIZE, 3), np.uint8)
            shard = Shard(tuple(identities), rows, signatures, facts)
            write_shard(staging / SHARDS / name, shard)
            location = {"identity": identities, "version": "", "row": np.arange(len(self))}
            items = with_location(self.items, pd.DataFrame(location))
            meta = {k: v for k, v in self.meta.items() if k not in ("shards", "files")}
            meta.setdefault("backbone", {"name": "unknown", "dim": self.dim})
            if self.colour is not None:
                meta.setdefault("colour", {"dim": self.colour.shape[1]})
            shards = [(name, len(self))]
            write_manifest(staging, meta, shards, items, self.quarantine, self.head, self.strength)
            swap_in(staging, path)
        return FeatureStore.load(path)

    @classmethod
    def load(cls, path: str | Path, *, expect: Any = None) -> FeatureStore:
        """Opens a store; vectors are read when first asked for.

        Args:
            path: the store's folder, or its ``s3://`` url.
            expect: a ``BackboneSpec`` (or its dict) the features must come from.

        Raises:
            StoreError: no store there, or an unfinished one.
            StoreMismatchError: another format version, or another backbone than expected.
            StoreCorruptError: a file does not match its checksum.
        """
        path = located(path)
        meta = read_manifest(path)
        check_retired(meta.get("backbone", {}), path)
        if expect is not None:
            check_backbone(meta["backbone"], expect, path)
        items, location = split_location(_read_items(path, meta))
        return cls(None, items["item_id"], meta, items=items, path=path, location=location)

    @property
    def location(self) -> pd.DataFrame:
        """``identity, version, row`` of each item: which image, which vector."""
        if self._location is None:
            raise StoreError("a store on disk", "one in memory", "save it first")
        return self._location

    def verify(self) -> list[tuple[str, str]]:
        """``(file, what is wrong)`` for every file that is not as it was written."""
        if self.path is None:
            raise StoreError("a store on disk", "one in memory", "save it first")
        return verify_store(self.path)


def located(store: str | Path) -> Path:
    """The folder of a store; one in a bucket is fetched first."""
    if not is_url(store):
        return Path(store)
    from fashify.store.remote import fetch_store

    return fetch_store(str(store))


def fresh_staging(store: Path) -> Path:
    """The folder beside a store where the next one grows; kept from an interrupted run."""
    staging = store.parent / f".{store.name}.building"
    try:
        (staging / SHARDS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(staging, error) from error
    return staging


def drop_leftovers(staging: Path, keep: set[str]) -> None:
    """Removes an interrupted run's index, head and the shards that the next store leaves out."""
    for path in (staging / SHARDS).iterdir():
        if path.name not in keep:
            path.unlink(missing_ok=True)
    for path in (staging / HEAD, staging / STRENGTH, *staging.glob(".*.part")):
        path.unlink(missing_ok=True)
    shutil.rmtree(staging / INDEX, ignore_errors=True)


def write_manifest(
    folder: Path,
    meta: Mapping[str, Any],
    shards: Iterable[tuple[str, int]],
    items: pd.DataFrame,
    quarantine: pd.DataFrame,
    head: Head | None = None,
    strength: Strength | None = None,
) -> None:
    """Writes items, quarantine, head and, last, the manifest that vouches for every file.

    Args:
        folder: where the shards already lie.
        meta: facts to keep.
        shards: ``(file name, rows)`` in the order in which rows are counted.
        items: the gallery, ``with_location``.
        quarantine: ``item_id, path, reason``.
        head: what stands between the shards and the index, if anything.
        strength: what the head's distances say, if that was measured.
    """
    contents = {ITEMS: _parquet(items)}
    contents[QUARANTINE] = quarantine.to_csv(index=False, lineterminator="\n").encode()
    meta = {name: value for name, value in meta.items() if name != "head"}
    if head is not None:
        contents[HEAD], meta["head"] = head.to_bytes(), head.facts
    if strength is not None:
        contents[STRENGTH] = strength.to_json()
    for name, data in contents.items():
        write_bytes(folder / name, data)
    records = [
        {"file": name, "rows": rows, "sha256": sha256_file(folder / SHARDS / name)}
        for name, rows in shards
    ]
    files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    manifest = {
        **meta,
        "format": FORMAT,
        "version": VERSION,
        "n_items": len(items),
        "n_quarantined": len(quarantine),
        "shards": records,
        "files": files,
    }
    manifest["sha256"] = _self_checksum(manifest)
    write_bytes(folder / MANIFEST, canonical_json(manifest))


def _parquet(items: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table = pa.Table.from_pandas(items, preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), buffer, compression="zstd")
    return buffer.getvalue()


def _self_checksum(manifest: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(canonical_json(rest)).hexdigest()


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest, checked byte for byte; errors as ``FeatureStore.load``."""
    file = path / MANIFEST
    try:
        data = file.read_bytes()
    except OSError as error:
        check_let(file, error)
        raise StoreError(
            "a finished feature store",
            f"{path} without {MANIFEST}",
            f"run: fashify build --out {path}",
        ) from error
    try:
        manifest = json.loads(data)
        found = manifest["format"], manifest["version"]
    except (ValueError, KeyError, TypeError) as error:
        raise _corrupt(MANIFEST, f"not readable: {error}") from error
    if found[0] != FORMAT or found[1] not in READABLE:
        raise StoreMismatchError(
            f"a store of format {FORMAT} version {VERSION}",
            f"{found[0]} version {found[1]} in {path}",
            "build the store again with this release of Fashify",
        )
    if manifest.get("sha256") != _self_checksum(manifest) or canonical_json(manifest) != data:
        raise _corrupt(MANIFEST, "its checksum differs")
    return manifest


def _corrupt(name: str, reason: str) -> StoreCorruptError:
    return StoreCorruptError(
        "a store as it was written", f"{name} ({reason})", "run the same fashify build again"
    )


def _read_vouched(path: Path, meta: Mapping[str, Any], name: str) -> bytes:
    """A file's bytes, whose checksum is the manifest's."""
    try:
        data = (path / name).read_bytes()
    except OSError as error:
        check_let(path / name, error)
        raise _corrupt(name, "missing") from error
    if hashlib.sha256(data).hexdigest() != meta["files"].get(name):
        raise _corrupt(name, "its checksum differs")
    return data


def _read_items(path: Path, meta: Mapping[str, Any]) -> pd.DataFrame:
    return read_items(_read_vouched(path, meta, ITEMS))


def check_backbone(found: Mapping[str, Any], expect: Any, path: Path) -> None:
    """Raises ``StoreMismatchError`` naming the first field in which two specs differ."""
    wanted = expect if isinstance(expect, Mapping) else expect.to_dict()
    for name in IDENTITY:
        if _plain(found.get(name)) != _plain(wanted.get(name)):
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


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value


def verify_store(path: str | Path) -> list[tuple[str, str]]:
    """Reads every file a store vouches for.

    Returns:
        ``(file, what is wrong)``, empty for a whole store. The index has its own check.

    Raises:
        StoreError: there is no store.

    >>> from fashify import verify_store
    >>> verify_store("data/sample-store")
    []
    """
    path = located(path)
    try:
        manifest = read_manifest(path)
    except (StoreCorruptError, StoreMismatchError) as error:
        return [(MANIFEST, error.received)]
    wanted = dict(manifest["files"])
    wanted |= {f"{SHARDS}/{record['file']}": record["sha256"] for record in manifest["shards"]}
    found = []
    for name, checksum in sorted(wanted.items()):
        try:
            if sha256_file(path / name) != checksum:
                found.append((name, "its checksum differs"))
        except OSError as error:
            found.append((name, f"not readable: {error.strerror or error}"))
    return found
