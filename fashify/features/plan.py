"""What an extraction has to do: which images are new, which vectors can be kept.

The plan is made from the catalogue's listing. Only files that might be copies of one
another, by size or checksum, are read for it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fashify.catalogue import Catalogue
from fashify.errors import FashifyError, StorageAwayError
from fashify.io.storage import Storage
from fashify.store import FeatureStore

#: Images per shard: what a crash can cost, some seconds of work.
SHARD_IMAGES = 1024


@dataclass(frozen=True)
class Task:
    """One image to embed: its identity and where it lies."""

    identity: str
    path: str


@dataclass(frozen=True)
class Plan:
    """The work of one run.

    Attributes:
        rows: DataFrame ``item_id, path, version, identity``, one row per picture, in the
            catalogue's order.
        kept: identity -> row of the previous store's columns.
        chunks: the new images, one list per shard, each image once.
    """

    rows: pd.DataFrame
    kept: dict[str, int]
    chunks: list[list[Task]]

    @property
    def n_new(self) -> int:
        """How many images have to be embedded."""
        return sum(map(len, self.chunks))


def make_plan(catalogue: Catalogue, previous: FeatureStore | None) -> Plan:
    """Compares a catalogue with the store there is.

    Args:
        catalogue: the products as they are now.
        previous: a finished store of the same embedding, or ``None``.
    """
    rows = identify(catalogue)
    kept = _keep_rows(rows, previous)
    is_new = [identity not in kept for identity in rows["identity"]]
    new = rows[np.array(is_new, dtype=bool)].drop_duplicates("identity")
    tasks = [Task(*pair) for pair in new[["identity", "path"]].itertuples(index=False, name=None)]
    chunks = [tasks[at : at + SHARD_IMAGES] for at in range(0, len(tasks), SHARD_IMAGES)]
    return Plan(rows, kept, chunks)


def identify(catalogue: Catalogue) -> pd.DataFrame:
    """``item_id, path, version, identity``, one row per picture.

    Two rows share an identity exactly when their files are equal to the byte.
    """
    places = catalogue.views["item_id"].map(catalogue.position)
    rows = catalogue.views.iloc[np.argsort(places.to_numpy(), kind="stable")]
    rows = rows[["item_id", "path"]].reset_index(drop=True)
    paths = rows["path"].tolist()
    stats = catalogue.storage.stats(paths)
    counted = Counter(stats[path].twin for path in set(paths) & stats.keys())
    twins = [p for p in dict.fromkeys(paths) if p in stats and counted[stats[p].twin] > 1]
    hashes = _hashes(catalogue.storage, twins)
    versions = [stats[path].version if path in stats else "gone" for path in paths]
    pairs = zip(paths, versions, strict=True)
    identities = [hashes.get(path) or f"{path}@{version}" for path, version in pairs]
    return rows.assign(version=versions, identity=identities)


def _hashes(storage: Storage, paths: list[str]) -> dict[str, str | None]:
    def digest(path: str) -> str | None:
        try:
            return hashlib.sha256(storage.read(path)).hexdigest()
        except StorageAwayError:
            raise
        except FashifyError:
            return None  # The pipeline will meet it again and put it in quarantine.

    with ThreadPoolExecutor() as pool:
        return dict(zip(paths, pool.map(digest, paths, chunksize=256), strict=True))


def _keep_rows(rows: pd.DataFrame, previous: FeatureStore | None) -> dict[str, int]:
    """Rows of pictures that have not changed since."""
    if previous is None:
        return {}
    old = previous.views
    known = {pair: row for row, pair in enumerate(zip(old["path"], old["version"], strict=True))}
    kept: dict[str, int] = {}
    for path, version, identity in zip(
        rows["path"], rows["version"], rows["identity"], strict=True
    ):
        row = known.get((path, version))
        if row is not None:
            kept.setdefault(identity, row)
    return kept
