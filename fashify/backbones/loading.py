"""``load_backbone``: a record and its weights become a compiled network."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fashify.backbones.backbone import Backbone
from fashify.backbones.efficientnet_lite import build_lite, load_torch_weights
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
from fashify.backbones.weights import fill_random, hash_weights, load_file
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
    import_tensorflow()
    trained = _read_trained(record, weights)
    if trained is not None:
        record = replace(record, input_size=trained.input_size)
    network = _build_network(record)
    label = _load_weights(network, record, weights)
    spec = BackboneSpec(
        name=record.name,
        dim=record.dim,
        input_size=record.input_size,
        preprocessing=record.preprocessing,
        pooling=record.pooling,
        weights=label,
        weights_hash=hash_weights(network),
        reason=reason,
    )
    reverse_kernel_channels(network, record.preprocessing)
    logger.info("backbone %s, weights %s: %s", spec.name, spec.weights, reason)
    return Backbone(spec, network)


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


def _build_network(record: BackboneRecord) -> keras.Model:
    """The network from preprocessed images to its map, weights not yet loaded."""
    import keras

    if not isinstance(record.source, KerasSource):
        return build_lite(record.source, find_record(record.name).input_size[0])
    function = getattr(keras.applications, record.source.function)
    return function(
        include_top=False, weights=None, pooling=None, input_shape=(*record.input_size, 3)
    )


def _load_weights(network: keras.Model, record: BackboneRecord, weights: str | Path) -> str:
    """Fills the network and returns the label of what it was filled with."""
    if weights == "random":
        warnings.warn(
            f"{record.name} has random weights: its features mean nothing, they are for tests",
            FashifyWarning,
            stacklevel=3,
        )
        fill_random(network)
        return "random"
    if weights in (IMAGENET, SHIPPED):
        _load_own(network, record, str(weights))
        return str(weights)
    load_file(network, weights)
    return f"file:{Path(weights).resolve()}"


def _load_own(network: keras.Model, record: BackboneRecord, label: str) -> None:
    if label != own_weights(record):
        raise BackboneError(
            f"{own_weights(record)} weights for {record.name}",
            repr(label),
            "leave the weights out, or use efficientnet-lite0 with those of ImageNet",
        )
    if isinstance(record.source, ShippedSource):
        data = read_shipped(record.source.file, record.source.sha256)
        load_torch_weights(network, parse_network(data, record.source.file).tensors)
    else:
        load_file(network, find_imagenet_file(record))
