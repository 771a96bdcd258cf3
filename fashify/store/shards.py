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
from fashify.io.images import ImageFacts
from fashify.store.files import check_let, write_bytes

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Contents:
    """What a shard holds, without the vectors: ``identities`` and ``failed`` as ``Shard``."""

    identities: tuple[str, ...]
    failed: dict[str, str]


@dataclass(frozen=True)
class Shard:
    """Rows of some images: all that a store keeps of each.

    Attributes:
        identities: of each image's bytes.
        features: ``(rows, dim + colour)`` float32: what the backbone gave, then the colour
            feature.
        signatures: ``(rows, 16, 12, 3)`` uint8, see ``fashify.catalogue.likeness``.
        facts: of each image's file.
        failed: identity -> reason, of images that could not be read.
    """

    identities: tuple[str, ...]
    features: np.ndarray
    signatures: np.ndarray
    facts: tuple[ImageFacts, ...]
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def contents(self) -> Contents:
        """All but the vectors."""
        return Contents(self.identities, self.failed)

    def take(self, rows: np.ndarray) -> Shard:
        """The shard of some of the rows; of failed images it holds none."""
        facts = tuple(self.facts[row] for row in rows)
        identities = tuple(self.identities[row] for row in rows)
        return Shard(identities, self.features[rows], self.signatures[rows], facts)


def shard_name(fingerprint: str, identities: list[str]) -> str:
    """File name of the shard that holds these images, read ones and failed ones alike."""
    digest = hashlib.sha256(json.dumps([fingerprint, identities]).encode())
    return digest.hexdigest()[:40] + SUFFIX


def _checksum(shard: Shard) -> str:
    facts = [list(shard.identities), sorted(shard.failed.items()), shard.facts]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(np.ascontiguousarray(shard.features).data)
    digest.update(np.ascontiguousarray(shard.signatures).data)
    return digest.hexdigest()


def write_shard(path: Path, shard: Shard) -> None:
    """Writes a shard atomically; the same shard gives the same bytes."""
    header = {
        # One key: safetensors keeps metadata in a hash map without a fixed order.
        "fashify": json.dumps(
            {
                "checksum": _checksum(shard),
                "failed": dict(sorted(shard.failed.items())),
                "facts": shard.facts,
                "identities": list(shard.identities),
            },
            sort_keys=True,
        )
    }
    features = np.ascontiguousarray(shard.features, dtype=np.float32)
    signatures = np.ascontiguousarray(shard.signatures, dtype=np.uint8)
    tensors = {"features": features, "signatures": signatures}
    write_bytes(path, save(tensors, metadata=header))


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
            features, signatures = file.get_tensor("features"), file.get_tensor("signatures")
        facts = tuple(ImageFacts(*found) for found in header["facts"])
        identities = tuple(header["identities"])
        shard = Shard(identities, features, signatures, facts, header["failed"])
        whole = header["checksum"] == _checksum(shard)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        check_let(path, error)
        raise _corrupt(path, str(error)) from error
    if not whole or {len(features), len(signatures), len(facts)} != {len(identities)}:
        raise _corrupt(path, "its checksum differs")
    return shard


def gathered(rows: np.ndarray, parts: Iterable[np.ndarray]) -> np.ndarray:
    """Rows of many shards as one array.

    Args:
        rows: ``(n,)`` int, row numbers counted through all parts.
        parts: the shards' rows in that order; each may be let go after its turn.

    Returns:
        ``(n, ...)``, in the order of ``rows``.
    """
    features, start = np.empty((0, 0), np.float32), 0
    for part in parts:
        if not start:
            features = np.empty((len(rows), *part.shape[1:]), part.dtype)
        mine = np.flatnonzero((rows >= start) & (rows < start + len(part)))
        features[mine] = part[rows[mine] - start]
        start += len(part)
    return features


def _corrupt(path: Path, reason: str) -> StoreCorruptError:
    return StoreCorruptError(
        "a whole feature shard", f"{path.name} ({reason})", "run the same fashify build again"
    )
