"""``load_backbone``: a record and its weights become a compiled network."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.backbones.efficientnet_lite import build_lite, load_torch_weights
from fashify.backbones.network_file import SUFFIX, NetworkTensors, parse_network, read_shipped
from fashify.backbones.preprocessing import preprocess, reverse_kernel_channels
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


class Backbone:
    """A network without its classifier, with its preprocessing, dimension and weights.

    Attributes:
        spec: identity of the features it gives.
        network: from preprocessed images to the (b, h, w, dim) map.
        keras_model: (b, H, W, 3) raw RGB 0..255 float -> (b, dim) float32, preprocessing
            inside the graph, for the engines.

    >>> import numpy as np
    >>> from fashify import load_backbone
    >>> backbone = load_backbone("fashify-lite")
    >>> height, width = backbone.spec.input_size
    >>> white = np.full((2, height, width, 3), 255, np.uint8)
    >>> backbone.embed(white).shape
    (2, 1280)
    """

    def __init__(self, spec: BackboneSpec, network: keras.Model) -> None:
        import keras

        self.spec, self.network = spec, network
        inputs = keras.Input((*spec.input_size, 3), name="image")
        map_ = network(preprocess(inputs, spec.preprocessing))
        self._map_model = keras.Model(inputs, map_)
        pooled = keras.layers.GlobalAveragePooling2D(name="feature")(map_)
        self.keras_model = keras.Model(inputs, pooled, name=spec.name)

    def __repr__(self) -> str:
        return f"Backbone({self.spec.name}, dim={self.spec.dim}, weights={self.spec.weights})"

    def embed(self, batch: np.ndarray) -> np.ndarray:
        """One feature an image.

        Args:
            batch: (b, H, W, 3) RGB 0..255 at ``spec.input_size``; uint8, or float without
                NaN. It is not changed.

        Returns:
            (b, dim) float32.

        Raises:
            BackboneError: another shape or dtype, or values outside 0..255.
        """
        return self._run(self._compiled_embed, batch, (self.spec.dim,))

    def embed_map(self, batch: np.ndarray) -> np.ndarray:
        """The features before pooling; their mean over h and w is ``embed``.

        Args:
            batch: as for ``embed``.

        Returns:
            (b, h, w, dim) float32.
        """
        return self._run(self._compiled_map, batch, self._map_model.output_shape[1:])

    def _run(self, function: Any, batch: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        import tensorflow as tf

        checked = check_batch(batch, self.spec)
        if not len(checked):
            return np.zeros((0, *shape), np.float32)
        return function(tf.constant(checked)).numpy()

    @cached_property
    def _compiled_embed(self) -> Any:
        return _compile(self.keras_model)

    @cached_property
    def _compiled_map(self) -> Any:
        return _compile(self._map_model)


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


def _compile(model: keras.Model) -> Any:
    """The model as one TensorFlow graph for batches of any length."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    function = tf.function(lambda batch: model(batch, training=False), input_signature=signature)
    return function.get_concrete_function()


def check_batch(batch: np.ndarray, spec: BackboneSpec) -> np.ndarray:
    """The batch as float32, refused unless it is (b, H, W, 3) within 0..255."""
    wanted = (*spec.input_size, 3)
    expected = f"a (b, {wanted[0]}, {wanted[1]}, 3) array of RGB 0..255, uint8 or float"
    fix = f"resize each image to {wanted[0]} by {wanted[1]} and stack them"
    if not isinstance(batch, np.ndarray) or batch.shape[1:] != wanted:
        shape = batch.shape if isinstance(batch, np.ndarray) else type(batch).__name__
        raise BackboneError(expected, str(shape), fix)
    if batch.dtype != np.uint8 and not np.issubdtype(batch.dtype, np.floating):
        raise BackboneError(expected, f"dtype {batch.dtype}", "convert it with .astype('uint8')")
    # Written so that NaN, which compares false with everything, is refused as well.
    if batch.dtype != np.uint8 and batch.size and not (batch.min() >= 0 and batch.max() <= 255):
        raise BackboneError(expected, "values outside 0..255 or NaN", "pass raw RGB values")
    return batch.astype(np.float32)
