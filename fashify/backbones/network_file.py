"""Networks trained here as files: safetensors whose arrays have their published names.

The kernels are float16 or float32, laid out as in the published checkpoint (output channels
first). A normalisation has its four arrays or, folded into the kernel before it, a bias alone.

A second file may hold the projections trained along with the network: matrices in int8 with one
scale a row, and one vector (a proxy) for every class they were trained on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fashify.errors import BackboneError

SUFFIX = ".safetensors"
FORMAT, VERSION = "fashify-network", 3
PROJECTIONS_FORMAT, PROJECTIONS_VERSION = "fashify-projections", 1

#: Of a batch normalisation: added to the variance before its root is taken.
EPSILON = 1e-3


@dataclass(frozen=True)
class NetworkTensors:
    """What a network's file holds.

    Attributes:
        backbone: name of the record it fills.
        input_size: (height, width) it was trained at, pixels.
        tensors: published name -> float32 array.
        provenance: how it came about.
    """

    backbone: str
    input_size: tuple[int, int]
    tensors: dict[str, np.ndarray]
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Projections:
    """Maps trained along with a network, from its features.

    Attributes:
        backbone: name of the record whose features they take.
        kernels: name -> (dim, d) float32; ``feature @ kernel + bias``, at unit length, is the
            embedding.
        biases: name -> (d,) float32.
        proxies: level -> (classes, d) float32 at unit length.
        classes: level -> names, in the order of the proxies.
        bases: name -> (d, d') float32, the directions in which the embeddings of training
            products are longest; a shorter embedding is the coordinates in them.
        provenance: how they came about.
    """

    backbone: str
    kernels: dict[str, np.ndarray]
    biases: dict[str, np.ndarray]
    proxies: dict[str, np.ndarray]
    classes: dict[str, tuple[str, ...]]
    bases: dict[str, np.ndarray] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


def fold(tensors: Mapping[str, np.ndarray], pairs: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Every normalisation multiplied into the kernel before it; its bias is what is left.

    Args:
        tensors: published names, with ``weight, bias, running_mean, running_var`` of each
            normalisation.
        pairs: convolution -> the normalisation after it.

    Returns:
        ``CONVOLUTION.weight`` float16 and ``NORMALISATION.bias`` float32.
    """
    folded = {}
    for kernel, norm in pairs.items():
        weight, bias, mean, variance = (
            np.asarray(tensors[f"{norm}.{part}"], np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = weight / np.sqrt(variance + EPSILON)
        whole = np.asarray(tensors[f"{kernel}.weight"], np.float64) * scale[:, None, None, None]
        folded[f"{kernel}.weight"] = whole.astype(np.float16)
        folded[f"{norm}.bias"] = (bias - mean * scale).astype(np.float32)
    return folded


def network_bytes(network: NetworkTensors) -> bytes:
    """The file's bytes; arrays are written in the type they have."""
    about = {
        "format": FORMAT,
        "version": VERSION,
        "backbone": network.backbone,
        "input_size": list(network.input_size),
        "provenance": network.provenance,
    }
    return _pack_tensors(network.tensors, about)


def parse_network(data: bytes, name: str = "the file") -> NetworkTensors:
    """The network that ``network_bytes`` wrote, in float32, every normalisation whole.

    Args:
        data: the file's bytes.
        name: what to call it in an error.

    Raises:
        BackboneError: not such a file, or a damaged one.
    """
    about, arrays = _unpack_tensors(data, name, (FORMAT, VERSION))
    tensors = {key: np.asarray(value, np.float32) for key, value in arrays.items()}
    for key in [key for key in tensors if key.endswith(".bias")]:
        norm = key.removesuffix(".bias")
        if f"{norm}.running_mean" not in tensors:
            one = np.ones_like(tensors[key])
            tensors |= {f"{norm}.weight": one, f"{norm}.running_mean": one * 0}
            tensors[f"{norm}.running_var"] = one - np.float32(EPSILON)
    try:
        height, width = about["input_size"]
        size = int(height), int(width)
        return NetworkTensors(about["backbone"], size, tensors, about["provenance"])
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign_error(name, (FORMAT, VERSION), error) from error


def projections_bytes(projections: Projections) -> bytes:
    """The file's bytes: kernels and proxies in int8 with one float16 scale a row."""
    arrays: dict[str, np.ndarray] = {}
    for key, kernel in projections.kernels.items():
        _put_rows(arrays, f"{key}.kernel", kernel.T)
        arrays[f"{key}.bias"] = projections.biases[key].astype(np.float32)
    for level, proxies in projections.proxies.items():
        _put_rows(arrays, f"{level}.proxies", proxies)
    for key, basis in projections.bases.items():
        _put_rows(arrays, f"{key}.basis", basis.T)
    about = {
        "format": PROJECTIONS_FORMAT,
        "version": PROJECTIONS_VERSION,
        "backbone": projections.backbone,
        "classes": {level: list(names) for level, names in projections.classes.items()},
        "provenance": projections.provenance,
    }
    return _pack_tensors(arrays, about)


def parse_projections(data: bytes, name: str = "the file") -> Projections:
    """The projections that ``projections_bytes`` wrote; errors as ``parse_network``."""
    expected = (PROJECTIONS_FORMAT, PROJECTIONS_VERSION)
    about, arrays = _unpack_tensors(data, name, expected)
    try:
        rows = {
            key.removesuffix(".rows"): np.asarray(value, np.float32)
            * np.asarray(arrays[key.removesuffix(".rows") + ".scale"], np.float32)[:, None]
            for key, value in arrays.items()
            if key.endswith(".rows")
        }
        ends = {key: key.rpartition(".") for key in rows}
        kernels = {end[0]: rows[key].T for key, end in ends.items() if end[2] == "kernel"}
        proxies = {end[0]: _unit(rows[key]) for key, end in ends.items() if end[2] == "proxies"}
        bases = {end[0]: rows[key].T for key, end in ends.items() if end[2] == "basis"}
        biases = {key: np.asarray(arrays[f"{key}.bias"], np.float32) for key in kernels}
        classes = {level: tuple(about["classes"][level]) for level in proxies}
        return Projections(
            about["backbone"], kernels, biases, proxies, classes, bases, about["provenance"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _foreign_error(name, expected, error) from error


def projections_beside(path: Path) -> Path:
    """Where the projections of a network's file lie."""
    return path.with_name(f"{path.stem}-projections{path.suffix}")


@lru_cache(maxsize=8)
def read_shipped(file: str, sha256: str) -> bytes:
    """A file of ``fashify/data``, its checksum compared.

    Raises:
        BackboneError: it is missing, or not as it was shipped.
    """
    path = find_shipped_file(file)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BackboneError(
            f"the weights that ship with Fashify, {file}",
            f"{error.strerror or error}",
            "install fashify again",
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BackboneError(
            f"{file} as it was shipped", "another checksum", "install fashify again"
        )
    return data


def find_shipped_file(file: str) -> Path:
    """Where a data file of the package lies."""
    return Path(__file__).parent.parent / "data" / file


def _put_rows(arrays: dict[str, np.ndarray], name: str, rows: np.ndarray) -> None:
    scale = np.maximum(np.abs(rows).max(axis=1) / 127, 1e-8).astype(np.float16)
    whole = np.round(rows / scale.astype(np.float32)[:, None])
    arrays[f"{name}.rows"] = np.clip(whole, -127, 127).astype(np.int8)
    arrays[f"{name}.scale"] = scale


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.float32(1e-12))


def _pack_tensors(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> bytes:
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # One key: safetensors keeps metadata in a hash map without a fixed order.
    return save(whole, metadata={"fashify": json.dumps(about, sort_keys=True)})


def _unpack_tensors(
    data: bytes, name: str, expected: tuple[str, int]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        size = int.from_bytes(data[:8], "little")
        about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["fashify"])
        if (about["format"], about["version"]) != expected:
            raise ValueError(f"format {about['format']} version {about['version']}")
        return about, load(data)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _foreign_error(name, expected, error) from error


def _foreign_error(name: str, expected: tuple[str, int], error: Exception) -> BackboneError:
    return BackboneError(
        f"a file of format {expected[0]} version {expected[1]}",
        f"{name}: {error}",
        "name a file that this release of Fashify wrote",
    )
