"""``load_backbone``: a record and its weights become a compiled network."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashify.backbones.backbone import Backbone
from fashify.backbones.efficientnet_lite import arrange_weights, build_lite
from fashify.backbones.network_file import SUFFIX, NetworkTensors, parse_network, read_shipped
from fashify.backbones.preprocessing import reverse_kernel_channels
from fashify.backbones.pretrained import find_imagenet_file
from fashify.backbones.quiet import import_tensorflow
from fashify.backbones.records import (
    DEFAULT,
    BackboneRecord,
    KerasSource,
    ShippedSource,
    find_record,
)
from fashify.backbones.spec import BackboneSpec
from fashify.backbones.torch_file import read_torch_file
from fashify.backbones.weights import TORCH, fill_random, hash_weights, load_file
from fashify.errors import BackboneError, FashifyWarning

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

#: Labels of a record's own weights: by ImageNet, or those that ship with the package.
IMAGENET, SHIPPED = "imagenet", "shipped"


def load_backbone(name: str = "auto", *, weights: str | Path | None = None) -> Backbone:
    """Builds a network with its weights and preprocessing.

    Args:
        name: one of ``list_backbones()``; ``auto``: ``fashify-lite``, whose weights ship with
            the package; or ``FILE.onnx``, a network with a record beside it, see
            ``fashify.backbones.onnx_file``.
        weights: ``None`` for the network's own: those that ship with ``fashify-lite``, of every
            other ``imagenet``; ``random`` (for tests, seeded); or a file: ``.h5``,
            ``.weights.h5``, ``.keras``, ``.pth`` for the EfficientNet-Lites, or a
            ``.safetensors`` of ``fashify train``, which brings its own input size.

    Raises:
        BackboneError: unknown name, weights that cannot be had or do not fit.

    >>> from fashify import load_backbone
    >>> load_backbone("fashify-lite").spec.dim
    1280
    """
    from fashify.backbones.onnx_file import SUFFIX as ONNX
    from fashify.backbones.onnx_file import load_onnx

    for file in (weights, name):
        if file is not None and str(file).endswith(ONNX):
            return load_onnx(file)
    record = find_record(DEFAULT if name == "auto" else name)
    reason = "auto: the network that ships with Fashify" if name == "auto" else "asked for"
    weights = own_weights(record) if weights is None else weights
    trained = _read_trained(record, weights)
    if trained is not None:
        record = replace(record, input_size=trained.input_size)
    _check_own(record, weights)
    arrays = _read_arrays(record, weights, trained)
    build: Callable[[], keras.Model]
    if arrays is None:
        network = _load_network(record, weights)
        hashed, build = hash_weights(network.get_weights()), lambda: network
        reverse_kernel_channels(network, record.preprocessing)
    else:
        hashed, build = hash_weights(arrays), partial(_fill_network, record, arrays)
    spec = BackboneSpec(
        name=record.name,
        dim=record.dim,
        input_size=record.input_size,
        preprocessing=record.preprocessing,
        pooling=record.pooling,
        weights=_label_weights(weights),
        weights_hash=hashed,
        reason=reason,
    )
    logger.info("backbone %s, weights %s: %s", spec.name, spec.weights, reason)
    return Backbone(spec, build)


def own_weights(record: BackboneRecord) -> str:
    """The label of the weights a network has when none are named."""
    return SHIPPED if isinstance(record.source, ShippedSource) else IMAGENET


def _read_trained(record: BackboneRecord, weights: str | Path) -> NetworkTensors | None:
    """The network in a file of ``fashify train``; None for any other weights."""
    path = Path(weights).expanduser()
    if path.suffix != SUFFIX or not path.is_file():
        return None
    found = parse_network(path.read_bytes(), path.name)
    if found.backbone != record.name:
        raise BackboneError(
            f"weights of {record.name}", f"those of {found.backbone}", "name its backbone"
        )
    return found


def _read_arrays(
    record: BackboneRecord, weights: str | Path, trained: NetworkTensors | None
) -> list[np.ndarray] | None:
    """A Lite's arrays, in its network's order; None where Keras alone can read the weights."""
    source, path = record.source, Path(weights).expanduser()
    if isinstance(source, KerasSource):
        return None
    if trained is not None:
        return arrange_weights(source, trained.tensors)
    if weights == SHIPPED and isinstance(source, ShippedSource):
        data = read_shipped(source.file, source.sha256)
        return arrange_weights(source, parse_network(data, source.file).tensors)
    if weights == IMAGENET:
        path = find_imagenet_file(record)
    if path.suffix in TORCH and path.is_file():
        return arrange_weights(source, read_torch_file(path))
    return None


def _fill_network(record: BackboneRecord, arrays: list[np.ndarray]) -> keras.Model:
    network = _build_network(record)
    network.set_weights(arrays)
    return network


def _load_network(record: BackboneRecord, weights: str | Path) -> keras.Model:
    network = _build_network(record)
    if weights == "random":
        warnings.warn(
            f"{record.name} has random weights: its features mean nothing, they are for tests",
            FashifyWarning,
            stacklevel=3,
        )
        fill_random(network)
    else:
        load_file(network, find_imagenet_file(record) if weights == IMAGENET else weights)
    return network


def _build_network(record: BackboneRecord) -> keras.Model:
    """The network from preprocessed images to its map, weights not yet loaded."""
    import_tensorflow()
    import keras

    if not isinstance(record.source, KerasSource):
        return build_lite(record.source, find_record(record.name).input_size[0])
    function = getattr(keras.applications, record.source.function)
    return function(
        include_top=False, weights=None, pooling=None, input_shape=(*record.input_size, 3)
    )


def _label_weights(weights: str | Path) -> str:
    known = weights in (IMAGENET, SHIPPED, "random")
    return str(weights) if known else f"file:{Path(weights).resolve()}"


def _check_own(record: BackboneRecord, weights: str | Path) -> None:
    if weights in (IMAGENET, SHIPPED) and weights != own_weights(record):
        raise BackboneError(
            f"{own_weights(record)} weights for {record.name}",
            repr(str(weights)),
            "leave the weights out, or use efficientnet-lite0 with those of ImageNet",
        )
