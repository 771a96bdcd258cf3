"""A trained network as files: the weights and, beside them, the projections."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from fashify.backbones.efficientnet_lite import published_name
from fashify.backbones.network_file import (
    NetworkTensors,
    Projections,
    fold,
    network_bytes,
    projections_beside,
    projections_bytes,
)
from fashify.io.artefact import write_bytes
from fashify.learning.recipe import BASES

#: The record that a trained network fills.
BACKBONE = "fashify-lite"

_NORM = ("weight", "bias", "running_mean", "running_var")


def write_trained(
    out: Path,
    model: Any,
    classes: Mapping[str, tuple[str, ...]],
    provenance: dict[str, Any],
    embeddings: Mapping[str, np.ndarray],
) -> list[Path]:
    """Writes the files of a trained model.

    Args:
        out: the weights file; the projections lie beside it.
        model: a ``PhotoNetwork``.
        classes: level -> names, in the order of the proxies.
        provenance: how it came about.
        embeddings: projection -> (m, d) of training products at unit length, for their bases.

    Returns:
        the files written.
    """
    tensors = network_tensors(model.network)
    folded = fold(tensors, _pairs(model.network))
    network = NetworkTensors(BACKBONE, tuple(model.plan.input_size), folded, provenance)
    written = [_write(out, network_bytes(network))]
    found = Projections(
        BACKBONE,
        {name: _array(layer.kernel) for name, layer in model.projections.items()},
        {name: _array(layer.bias) for name, layer in model.projections.items()},
        {level: _unit(_array(proxies)) for level, proxies in model.proxies.items()},
        dict(classes),
        {name: find_basis(embedded, BASES[name]) for name, embedded in embeddings.items()},
        provenance,
    )
    written.append(_write(projections_beside(out), projections_bytes(found)))
    return written


def find_basis(embedded: np.ndarray, length: int) -> np.ndarray:
    """(d, length) directions, not centred, in which embeddings (m, d) are longest."""
    whole = embedded.astype(np.float64)
    _, vectors = np.linalg.eigh(whole.T @ whole)
    return vectors[:, ::-1][:, :length].astype(np.float32)


def network_tensors(network: Any) -> dict[str, np.ndarray]:
    """The arrays of an EfficientNet-Lite under their published names and layouts."""
    found: dict[str, np.ndarray] = {}
    for layer in network.layers:
        arrays, name = layer.get_weights(), published_name(layer)
        if len(arrays) == 4:
            found |= {f"{name}.{part}": one for part, one in zip(_NORM, arrays, strict=True)}
        elif arrays:
            # Keras has spatial axes first; the published layout has output channels first.
            axes = (2, 3, 0, 1) if name.endswith("_depthwise_conv") else (3, 2, 0, 1)
            found[f"{name}.weight"] = arrays[0].transpose(axes)
    return found


def code_version() -> str:
    """The package's version and, from a checkout, its commit."""
    try:
        found = [version("fashify")]
    except PackageNotFoundError:
        found = ["a checkout"]
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    try:
        answer = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=5)
        found.append(answer.stdout.strip())
    except (OSError, subprocess.SubprocessError):
        pass
    return " ".join(found)


def _pairs(network: Any) -> dict[str, str]:
    """Each convolution and the normalisation after it, which is the next with weights."""
    names = [published_name(layer) for layer in network.layers if layer.weights]
    return dict(zip(names[::2], names[1::2], strict=True))


def _write(path: Path, data: bytes) -> Path:
    write_bytes(path, data)
    return path


def _array(variable: Any) -> np.ndarray:
    from keras import ops

    return np.array(ops.convert_to_numpy(variable), np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
