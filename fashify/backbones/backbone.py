"""``load_backbone``: a record and its weights become a compiled network."""

from __future__ import annotations

import logging
import warnings
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.backbones.efficientnet_lite import build_lite
from fashify.backbones.preprocessing import adapt, preprocess
from fashify.backbones.pretrained import cached_file, imagenet_file, seconds_to_download
from fashify.backbones.quiet import import_tensorflow
from fashify.backbones.records import (
    FALLBACK,
    RECORDS,
    REFERENCE,
    BackboneRecord,
    LiteSource,
    find_record,
)
from fashify.backbones.spec import BackboneSpec
from fashify.backbones.tuned import SUFFIX, NetworkFile, branched, read_about
from fashify.backbones.weights import fill_random, hash_weights, load_file
from fashify.errors import BackboneError, FashifyWarning

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

#: ``auto`` downloads the reference's weights when that takes no longer, seconds.
AUTO_SECONDS = 20.0


class Backbone:
    """A network without its classifier, with its preprocessing, dimension and weights.

    Attributes:
        spec: identity of the features it gives.
        network: from preprocessed images to the (b, h, w, dim) map.
        keras_model: (b, H, W, 3) raw RGB 0..255 float -> (b, dim) float32, preprocessing
            inside the graph, for the engines.
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
        return self._run(self._embed_compiled, batch, (self.spec.dim,))

    def embed_map(self, batch: np.ndarray) -> np.ndarray:
        """The features before pooling; their mean over h and w is ``embed``.

        Args:
            batch: as for ``embed``.

        Returns:
            (b, h, w, dim) float32.
        """
        return self._run(self._map_compiled, batch, self._map_model.output_shape[1:])

    def _run(self, function: Any, batch: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        import tensorflow as tf

        checked = _check_batch(batch, self.spec)
        if not len(checked):
            return np.zeros((0, *shape), np.float32)
        return function(tf.constant(checked)).numpy()

    @cached_property
    def _embed_compiled(self) -> Any:
        return _compile(self.keras_model)

    @cached_property
    def _map_compiled(self) -> Any:
        return _compile(self._map_model)


def load_backbone(name: str = "auto", *, weights: str | Path = "imagenet") -> Backbone:
    """Builds a network with its weights and preprocessing.

    Args:
        name: one of ``list_backbones()``, or ``auto``: ``resnet50`` where its weights are
            at hand or can be had within seconds, else ``efficientnet-lite0``; which and
            why stands in ``spec.reason`` and in the log.
        weights: ``imagenet``; ``random`` (for tests, seeded); or a file: ``.h5``,
            ``.weights.h5``, ``.keras``, ``.pth`` for the EfficientNet-Lites, or the
            ``.safetensors`` of ``fashify finetune``, which brings its own input size.

    Raises:
        BackboneError: unknown name, weights that cannot be had or do not fit.
    """
    asked = None if name == "auto" else find_record(name)
    import_tensorflow()
    record, reason = (asked, "asked for") if asked else _choose(weights)
    tuned, original_dim = _tuned(record, weights, asked=asked is not None), None
    if tuned is not None:
        record = find_record(tuned.backbone)
        original_dim = record.dim
        record = replace(record, input_size=tuned.input_size, dim=2 * original_dim)
    network = _build(record)
    if tuned is not None:
        network = branched(network, tuned.first_block)
    label = _load(network, record, weights)
    spec = BackboneSpec(
        name=record.name,
        dim=record.dim,
        input_size=record.input_size,
        preprocessing=record.preprocessing,
        pooling=record.pooling,
        weights=label,
        weights_hash=hash_weights(network),
        reason=reason,
        original_dim=original_dim,
    )
    adapt(network, record.preprocessing)
    logger.info("backbone %s, weights %s: %s", spec.name, spec.weights, reason)
    return Backbone(spec, network)


def _choose(weights: str | Path) -> tuple[BackboneRecord, str]:
    """The record ``auto`` stands for, and why."""
    record = RECORDS[REFERENCE]
    if weights != "imagenet":
        return record, f"{REFERENCE} is the default, and its weights were given"
    if cached_file(record.source).is_file():
        return record, f"the ImageNet weights of {REFERENCE} are in Keras' cache"
    missing = f"the ImageNet weights of {REFERENCE} are not cached and cannot be"
    seconds = seconds_to_download(record.source)
    if seconds is None:
        return RECORDS[FALLBACK], f"{missing} reached"
    if seconds > AUTO_SECONDS:
        return RECORDS[FALLBACK], f"{missing} had within {AUTO_SECONDS:g} s"
    try:
        imagenet_file(record)
    except BackboneError as error:
        logger.warning("%s", error)
        return RECORDS[FALLBACK], f"the download of {REFERENCE}'s ImageNet weights failed"
    return record, f"the ImageNet weights of {REFERENCE} were downloaded"


def _tuned(record: BackboneRecord, weights: str | Path, *, asked: bool) -> NetworkFile | None:
    """What a file tuned here says of itself; ``auto`` takes the file's network."""
    path = Path(weights).expanduser()
    if path.suffix != SUFFIX or not path.is_file():
        return None
    about = read_about(path)
    if asked and about.backbone != record.name:
        raise BackboneError(
            f"weights of {record.name}", f"those of {about.backbone}", "name its backbone"
        )
    return about


def _build(record: BackboneRecord) -> keras.Model:
    """The network from preprocessed images to its map, weights not yet loaded."""
    import keras

    if isinstance(record.source, LiteSource):
        return build_lite(record.source, find_record(record.name).input_size[0])
    function = getattr(keras.applications, record.source.function)
    return function(
        include_top=False, weights=None, pooling=None, input_shape=(*record.input_size, 3)
    )


def _load(network: keras.Model, record: BackboneRecord, weights: str | Path) -> str:
    """Fills the network and returns the label of what it was filled with."""
    if weights == "random":
        warnings.warn(
            f"{record.name} has random weights: its features mean nothing, they are for tests",
            FashifyWarning,
            stacklevel=3,
        )
        fill_random(network)
        return "random"
    if weights == "imagenet":
        load_file(network, imagenet_file(record))
        return "imagenet"
    load_file(network, weights)
    return f"file:{Path(weights).resolve()}"


def _compile(model: keras.Model) -> Any:
    """The model as one TensorFlow graph for batches of any length."""
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)]
    function = tf.function(lambda batch: model(batch, training=False), input_signature=signature)
    return function.get_concrete_function()


def _check_batch(batch: np.ndarray, spec: BackboneSpec) -> np.ndarray:
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
