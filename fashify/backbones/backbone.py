"""A network without its classifier, compiled."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.backbones.preprocessing import preprocess
from fashify.backbones.spec import BackboneSpec
from fashify.errors import BackboneError

if TYPE_CHECKING:
    import keras


class Backbone:
    """A network without its classifier, with its preprocessing, dimension and weights.

    The network is built when it is first asked for: whoever has it converted already, as an engine
    has from its second start on, never waits for TensorFlow.

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

    def __init__(self, spec: BackboneSpec, build: Callable[[], keras.Model]) -> None:
        self.spec, self._build = spec, build

    def __repr__(self) -> str:
        return f"Backbone({self.spec.name}, dim={self.spec.dim}, weights={self.spec.weights})"

    def embed(self, batch: np.ndarray) -> np.ndarray:
        """One feature per image.

        Args:
            batch: (b, H, W, 3) RGB 0..255 at ``spec.input_size``; uint8, or float without
                NaN. It is not changed.

        Returns:
            (b, dim) float32.

        Raises:
            BackboneError: another shape or dtype, or values outside 0..255.
        """
        return self._run(batch)[0]

    def embed_map(self, batch: np.ndarray) -> np.ndarray:
        """The features before pooling; their mean over h and w is ``embed``.

        Args:
            batch: as for ``embed``.

        Returns:
            (b, h, w, dim) float32.
        """
        return self._run(batch)[1]

    def _run(self, batch: np.ndarray) -> list[np.ndarray]:
        """Features and maps of a batch."""
        checked = check_batch(batch, self.spec)
        if not len(checked):
            shapes = ((self.spec.dim,), self._map_model.output_shape[1:])
            return [np.zeros((0, *shape), np.float32) for shape in shapes]
        compiled = self._compiled
        import tensorflow as tf

        return [found.numpy() for found in compiled(tf.constant(checked))]

    @cached_property
    def network(self) -> keras.Model:
        return self._build()

    @cached_property
    def _map_model(self) -> keras.Model:
        network = self.network
        import keras

        inputs = keras.Input((*self.spec.input_size, 3), name="image")
        return keras.Model(inputs, network(preprocess(inputs, self.spec.preprocessing)))

    @cached_property
    def keras_model(self) -> keras.Model:
        map_model = self._map_model
        import keras

        pooled = keras.layers.GlobalAveragePooling2D(name="feature")(map_model.output)
        return keras.Model(map_model.input, pooled, name=self.spec.name)

    @cached_property
    def _compiled(self) -> Any:
        """Both outputs as one TensorFlow graph for batches of any length: tracing takes seconds."""
        model, map_model = self.keras_model, self._map_model
        import keras
        import tensorflow as tf

        both = keras.Model(map_model.input, [model.output, map_model.output])
        signature = [tf.TensorSpec((None, *both.input_shape[1:]), tf.float32)]
        function = tf.function(lambda batch: both(batch, training=False), input_signature=signature)
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
