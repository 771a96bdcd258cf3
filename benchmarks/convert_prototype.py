"""Converts the prototype's weights into the two files that ship as ``fashify-lite``.

Run: python benchmarks/convert_prototype.py ../shared/photo_network [STORE]

The folder holds ``weights.npz`` (the network under its published names, and ``head.*``) and
``classes.json``. Normalisations are folded into the kernels before them, which are written in
float16; the projections are written in int8. With STORE, a store of the Kaggle catalogue built by
the network so converted, the embeddings are shortened along the principal directions of its
training products (``split.csv``); without it the bases of the file there is are kept. What comes
out is compared with ``reference.npz`` by ``tests/unit/test_fashify_lite.py``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from fashify.backbones.network_file import (
    NetworkTensors,
    Projections,
    find_shipped_file,
    fold,
    network_bytes,
    parse_projections,
    projections_bytes,
)
from fashify.backbones.records import RECORDS
from fashify.heads.head import unit_length
from fashify.store import FeatureStore

NAME = "fashify-lite"

PROVENANCE = {
    "made_by": "the prototype's training program (PyTorch), converted; not by fashify train",
    "start": "EfficientNet-Lite0, ImageNet weights as published (Apache 2.0)",
    "catalogue": "30,865 products of the Kaggle catalogue's training split",
    "photos": "3,849 photos of the Clothing dataset (CC0 1.0), by coarse label",
    "views": "1.3 million, 24 epochs",
}


#: Lengths of the shortened embeddings: with the posteriors a served vector has 504 numbers.
LENGTHS = {"cat": 96, "col": 32, "ins": 192}


def main(folder: Path, store: Path | None = None) -> None:
    """Writes both files and prints their names, sizes and checksums."""
    tensors = dict(np.load(folder / "weights.npz"))
    network = {name: array for name, array in tensors.items() if not name.startswith("head.")}
    size = RECORDS[NAME].input_size
    folded = fold(network, dict(_pairs(network)))
    _write(
        "fashify-lite.safetensors", network_bytes(NetworkTensors(NAME, size, folded, PROVENANCE))
    )
    found = _projections(tensors, folder)
    name = "fashify-lite-projections.safetensors"
    bases = _bases(found, folder, store) if store else parse_projections(_there(name)).bases
    _write(name, projections_bytes(replace(found, bases=bases)))


def _pairs(network: dict[str, np.ndarray]):
    """Each convolution with the normalisation that follows it."""
    after = {
        "_conv_stem": "_bn0",
        "_conv_head": "_bn1",
        "_expand_conv": "_bn0",
        "_depthwise_conv": "_bn1",
        "_project_conv": "_bn2",
    }
    for name, array in network.items():
        if array.ndim == 4:
            prefix, _, last = name.removesuffix(".weight").rpartition(".")
            dot = "." if prefix else ""
            yield f"{prefix}{dot}{last}", f"{prefix}{dot}{after[last]}"


def _projections(tensors: dict[str, np.ndarray], folder: Path) -> Projections:
    classes = json.loads((folder / "classes.json").read_text())
    parts = ("cat", "col", "ins", "txt")
    proxies = {level: tensors[f"head.prox.{level}"].astype(np.float32) for level in classes}
    return Projections(
        NAME,
        {part: tensors[f"head.{part}.weight"].astype(np.float32).T for part in parts},
        {part: tensors[f"head.{part}.bias"].astype(np.float32) for part in parts},
        {k: p / np.linalg.norm(p, axis=1, keepdims=True) for k, p in proxies.items()},
        {level: tuple(names) for level, names in classes.items()},
        provenance=PROVENANCE,
    )


def _bases(found: Projections, folder: Path, store: Path) -> dict[str, np.ndarray]:
    """The principal directions, not centred, of the training products' embeddings."""
    opened = FeatureStore.load(store)
    split = pd.read_csv(folder / "split.csv", dtype=str).set_index("item_id")["split"]
    features = opened.features[(split.reindex(opened.item_ids) == "train").to_numpy()]
    bases = {}
    for name, length in LENGTHS.items():
        embedded = unit_length(features @ found.kernels[name] + found.biases[name]).astype(
            np.float64
        )
        _, vectors = np.linalg.eigh(embedded.T @ embedded)
        bases[name] = vectors[:, ::-1][:, :length].astype(np.float32)
    return bases


def _there(name: str) -> bytes:
    return find_shipped_file(name).read_bytes()


def _write(name: str, data: bytes) -> None:
    path = find_shipped_file(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    print(f"{name}  {len(data):,} bytes  sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
