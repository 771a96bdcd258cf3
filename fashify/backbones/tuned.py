"""Weights files of networks tuned here: safetensors that know their network and input size."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from fashify.errors import BackboneError

if TYPE_CHECKING:
    import keras

SUFFIX = ".safetensors"
FORMAT, VERSION = "fashify-network", 1


@dataclass(frozen=True)
class NetworkFile:
    """What a file says of itself.

    Attributes:
        backbone: name of the record it is a version of.
        input_size: (height, width) it was tuned at, pixels.
        provenance: how it came about.
    """

    backbone: str
    input_size: tuple[int, int]
    provenance: dict[str, Any] = field(default_factory=dict)


def write_network(path: Path, about: NetworkFile, network: keras.Model) -> None:
    """Writes every array of ``network``, in its order."""
    arrays = {f"{n:04d}": np.ascontiguousarray(a) for n, a in enumerate(network.get_weights())}
    told = {
        "format": FORMAT,
        "version": VERSION,
        "backbone": about.backbone,
        "input_size": list(about.input_size),
        "provenance": about.provenance,
    }
    beside = path.with_name(f".{path.name}.part")
    save_file(arrays, beside, metadata={"fashify": json.dumps(told, sort_keys=True)})
    beside.replace(path)


def read_about(path: Path) -> NetworkFile:
    """What the file says of itself, without reading its arrays.

    Raises:
        BackboneError: no such file, or not one of ours.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            told = json.loads(file.metadata()["fashify"])
        if (told["format"], told["version"]) != (FORMAT, VERSION):
            raise ValueError(f"format {told['format']} version {told['version']}")
        height, width = told["input_size"]
        return NetworkFile(told["backbone"], (int(height), int(width)), told["provenance"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise BackboneError(
            "a weights file written by fashify finetune", f"{path.name}: {error}", "tune again"
        ) from error


def load_network(network: keras.Model, path: Path) -> None:
    """Fills a network; ``BackboneError`` where the arrays are not its own."""
    read_about(path)
    with safe_open(path, framework="numpy") as file:
        arrays = [file.get_tensor(name) for name in sorted(file.keys())]
    try:
        network.set_weights(arrays)
    except ValueError as error:
        raise BackboneError(
            f"weights of {network.name}", f"{path.name}, which does not fit", "name its backbone"
        ) from error
