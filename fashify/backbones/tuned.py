"""Networks tuned here, and their weights files: safetensors that know network and input size.

A tuned network keeps what it was: from the first tuned block on there are two branches, the
original one and the tuned one, and the feature is both side by side. What a catalogue's labels
teach and what ImageNet taught err on different products; together they find more than either.
"""

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
FORMAT, VERSION = "fashify-network", 2

#: Name of the tuned branch, a model within the network.
BRANCH = "tuned"


@dataclass(frozen=True)
class NetworkFile:
    """What a file says of itself.

    Attributes:
        backbone: name of the record it is a version of.
        input_size: (height, width) it was tuned at, pixels.
        first_block: the tuned branch begins here.
        provenance: how it came about.
    """

    backbone: str
    input_size: tuple[int, int]
    first_block: int
    provenance: dict[str, Any] = field(default_factory=dict)


def entry(network: keras.Model, block: int) -> Any:
    """The symbolic map that block ``block`` of an EfficientNet-Lite takes.

    Raises:
        BackboneError: the network has no such block.
    """
    try:
        return network.get_layer(f"_blocks.{block}._expand_conv").input
    except ValueError as error:
        raise BackboneError(
            f"an EfficientNet-Lite with a block {block}", network.name, "use efficientnet-lite0"
        ) from error


def build_branched(network: keras.Model, first_block: int) -> keras.Model:
    """The network with a second branch from ``first_block`` on, to begin with a copy.

    Args:
        network: an EfficientNet-Lite, (b, H, W, 3) to a (b, h, w, dim) map.

    Returns:
        (b, H, W, 3) to (b, h, w, 2 dim): the original branch's map, then the other's; the other
        is its layer ``BRANCH``.

    Raises:
        BackboneError: the network has no such block.
    """
    import keras

    cut = entry(network, first_block)
    original = keras.Model(cut, network.output, name=BRANCH)
    branch = keras.models.clone_model(original)
    branch.set_weights(original.get_weights())
    both = keras.layers.Concatenate(name="branches")([network.output, branch(cut)])
    return keras.Model(network.inputs, both, name=network.name)


def write_network(path: Path, about: NetworkFile, network: keras.Model) -> None:
    """Writes every array of ``network``, in its order."""
    arrays = {f"{n:04d}": np.ascontiguousarray(a) for n, a in enumerate(network.get_weights())}
    told = {
        "format": FORMAT,
        "version": VERSION,
        "backbone": about.backbone,
        "input_size": list(about.input_size),
        "first_block": about.first_block,
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
        size, first = (int(height), int(width)), int(told["first_block"])
        return NetworkFile(told["backbone"], size, first, told["provenance"])
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
