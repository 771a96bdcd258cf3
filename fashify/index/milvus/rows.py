"""What a Milvus collection stores of each item: keys, filter columns, a digest, the vector."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fashify.config import LEVELS
from fashify.index.gallery import Places

#: What a missing number becomes: a column of a collection holds no missing one.
MISSING_NUMBER = -1

#: Catalogue columns kept beside the vectors, so that filters run where the data is.
TEXT_COLUMNS, NUMBER_COLUMNS = LEVELS, ("year",)


@dataclass(frozen=True)
class Roster(Places):
    """Ids and slots of the rows in a collection, without their vectors."""

    order: np.ndarray
    item_ids: np.ndarray
    n_slots: int
    dim: int

    @property
    def pristine(self) -> bool:
        """Never taken for granted: a collection may hold the rows in any order."""
        return False


def rows_of(
    features: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    slots: np.ndarray,
    items: pd.DataFrame | None,
    columns: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """What is stored of each item: id, slot, digest of everything else, columns, vector."""
    facts = _facts(items, columns, len(features))
    for vector, item_id, slot, fact in zip(features, item_ids, slots, facts, strict=True):
        keys = {"item_id": str(item_id), "slot": int(slot), "digest": _digest(vector, fact)}
        yield {**keys, **fact, "vector": np.asarray(vector, dtype=np.float32)}


def digests_of(
    features: np.ndarray, items: pd.DataFrame | None, columns: Sequence[str]
) -> list[str]:
    """What `rows_of` would store as digests: they tell whether vector or facts changed."""
    facts = _facts(items, columns, len(features))
    return [_digest(vector, fact) for vector, fact in zip(features, facts, strict=True)]


def _digest(vector: np.ndarray, facts: dict[str, Any]) -> str:
    digest = hashlib.blake2b(np.ascontiguousarray(vector, np.float32).tobytes(), digest_size=16)
    digest.update(json.dumps(facts, sort_keys=True).encode())
    return digest.hexdigest()


def columns_in(items: pd.DataFrame | None) -> list[str]:
    """The filter columns a catalogue table has."""
    return [] if items is None else [c for c in (*TEXT_COLUMNS, *NUMBER_COLUMNS) if c in items]


def _facts(items: pd.DataFrame | None, columns: Sequence[str], rows: int) -> list[dict[str, Any]]:
    values: dict[str, list[Any]] = {}
    if items is not None:
        for column in columns:
            missing, read = (MISSING_NUMBER, int) if column in NUMBER_COLUMNS else ("", str)
            values[column] = [read(one) for one in items[column].fillna(missing)]
    return [{name: column[row] for name, column in values.items()} for row in range(rows)]
