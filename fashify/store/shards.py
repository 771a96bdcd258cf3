"""Shards, the journal of a build: what each run of the network over some hundred images gave.

A shard names itself by what went in (the embedding's fingerprint and the identity of each
image), so that a run that starts again knows it without a list; and it carries the
checksum of what came out, so that a torn or rotten one is never taken for whole.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fashify.errors import StoreCorruptError
from fashify.io.artefact import check_readable, write_bytes, write_error
from fashify.io.artefact.files import UNFINISHED
from fashify.io.images import ImageFacts
from fashify.store.layout import SHARDS

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


def make_journal(staging: Path) -> Path:
    """The folder of a build's shards, made where missing; an interrupted run's are kept.

    Raises:
        StoreError: it cannot be made.
    """
    folder = staging / SHARDS
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(staging, error) from error
    for left in folder.glob(f".*{UNFINISHED}"):
        left.unlink(missing_ok=True)
    return folder


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
    tensors: dict[str, np.ndarray] = {"features": features, "signatures": signatures}
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
        check_readable(path, error)
        raise _corrupt(path, str(error)) from error
    if not whole or {len(features), len(signatures), len(facts)} != {len(identities)}:
        raise _corrupt(path, "its checksum differs")
    return shard


def _corrupt(path: Path, reason: str) -> StoreCorruptError:
    return StoreCorruptError(
        "a whole feature shard", f"{path.name} ({reason})", "run the same fashify build again"
    )
