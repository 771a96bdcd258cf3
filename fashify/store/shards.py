"""Feature shards: what one run of the backbone over some hundred images left behind.

A shard names itself by what went in (the embedding's fingerprint and the identity of each
image), so that a run that starts again knows it without a list; and it carries the
checksum of what came out, so that a torn or rotten one is never taken for whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fashify.errors import StoreCorruptError
from fashify.store.files import check_let, write_bytes

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Contents:
    """What a shard holds, without the vectors: ``identities`` and ``failed`` as ``Shard``."""

    identities: tuple[str, ...]
    failed: dict[str, str]


@dataclass(frozen=True)
class Shard:
    """Rows of some images: what the backbone gave, and beside it the colour feature.

    Attributes:
        identities: one a row of ``features``, the identity of the image's bytes.
        features: ``(len(identities), dim + colour)`` float32, see ``FeatureStore``.
        failed: identity -> reason, of images that could not be read.
    """

    identities: tuple[str, ...]
    features: np.ndarray
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def contents(self) -> Contents:
        """All but the vectors."""
        return Contents(self.identities, self.failed)


def shard_name(fingerprint: str, identities: list[str]) -> str:
    """File name of the shard that holds these images, read ones and failed ones alike."""
    digest = hashlib.sha256(json.dumps([fingerprint, identities]).encode())
    return digest.hexdigest()[:40] + SUFFIX


def _checksum(shard: Shard) -> str:
    facts = json.dumps([list(shard.identities), sorted(shard.failed.items())])
    digest = hashlib.sha256(facts.encode())
    digest.update(np.ascontiguousarray(shard.features).data)
    return digest.hexdigest()


def write_shard(path: Path, shard: Shard) -> None:
    """Writes a shard atomically; the same shard gives the same bytes."""
    header = {
        # One key: safetensors keeps metadata in a hash map without a fixed order.
        "fashify": json.dumps(
            {
                "checksum": _checksum(shard),
                "failed": dict(sorted(shard.failed.items())),
                "identities": list(shard.identities),
            },
            sort_keys=True,
        )
    }
    features = np.ascontiguousarray(shard.features, dtype=np.float32)
    write_bytes(path, save({"features": features}, metadata=header))


def read_shard(path: Path) -> Shard:
    """Reads a shard and compares its checksum.

    Raises:
        StoreCorruptError: missing, truncated, or not what was written.
        StoreError: the system does not let it be read, such as for want of file handles.
    """
    try:
        # safetensors calls every file that it cannot open missing.
        path.open("rb").close()
        with safe_open(path, framework="numpy") as file:
            header = json.loads(file.metadata()["fashify"])
            features = file.get_tensor("features")
        shard = Shard(tuple(header["identities"]), features, header["failed"])
        whole = header["checksum"] == _checksum(shard)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        check_let(path, error)
        raise _corrupt(path, str(error)) from error
    if not whole or len(shard.identities) != len(features):
        raise _corrupt(path, "its checksum differs")
    return shard


def gathered(rows: np.ndarray, parts: Iterable[np.ndarray]) -> np.ndarray:
    """Rows of many shards as one array.

    Args:
        rows: ``(n,)`` int, row numbers counted through all parts.
        parts: the shards' rows in that order; each may be let go after its turn.

    Returns:
        ``(n, dim)`` float32, in the order of ``rows``.
    """
    features, start = np.empty((0, 0), np.float32), 0
    for part in parts:
        if not start:
            features = np.empty((len(rows), part.shape[1]), np.float32)
        mine = np.flatnonzero((rows >= start) & (rows < start + len(part)))
        features[mine] = part[rows[mine] - start]
        start += len(part)
    return features


def _corrupt(path: Path, reason: str) -> StoreCorruptError:
    return StoreCorruptError(
        "a whole feature shard", f"{path.name} ({reason})", "run the same fashify build again"
    )
