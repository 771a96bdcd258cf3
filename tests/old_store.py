"""Stores as formats 2 and 3 had them: shards, and beside each product the row of its vector."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import save

from fashify.io.artefact import canonical_json, self_checksum
from fashify.store import FeatureStore


def write_old_store(store: FeatureStore, folder: Path, version: int, shard: int = 3) -> Path:
    """The products of ``store`` in an older format; equal pictures share a row, as they did."""
    (folder / "shards").mkdir(parents=True)
    views = store.views
    sums = views["sha256"].to_numpy()
    copied = pd.Series(sums).duplicated(keep=False).to_numpy()
    identity = np.where(copied, sums, views["path"] + "@" + views["version"])
    codes, names = pd.factorize(identity)
    first = np.unique(codes, return_index=True)[1]
    rows = np.concatenate([store.features, store.colour], axis=1, dtype=np.float32)[first]
    records = []
    for at in range(0, len(rows), shard):
        part, known = rows[at : at + shard], list(names[at : at + shard])
        header = {"fashify": json.dumps({"failed": {}, "identities": known})}
        data = save({"features": np.ascontiguousarray(part)}, metadata=header)
        name = f"{hashlib.sha256(data).hexdigest()[:40]}.safetensors"
        (folder / "shards" / name).write_bytes(data)
        checksum = hashlib.sha256(data).hexdigest()
        records.append({"file": name, "rows": len(part), "sha256": checksum})
    mark = "_" if version == 3 else ""
    own = {"identity": identity, "version": views["version"].to_numpy(), "row": codes}
    table = store.items.assign(**{f"{mark}{name}": values for name, values in own.items()})
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    quarantine = store.quarantine.to_csv(index=False).encode()
    files = {"items.parquet": buffer.getvalue(), "quarantine.csv": quarantine}
    if store.head is not None:
        files["head.safetensors"] = store.head.to_bytes()
    if store.strength is not None:
        files["strength.json"] = store.strength.to_json()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    meta = {k: v for k, v in store.meta.items() if k not in ("signature", "n_views", "files")}
    manifest = {
        **meta,
        "version": version,
        "shards": records,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    manifest["sha256"] = self_checksum(manifest)
    (folder / "manifest.json").write_bytes(canonical_json(manifest))
    return folder
