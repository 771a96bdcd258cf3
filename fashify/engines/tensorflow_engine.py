"""TensorFlow: the network as one compiled graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.engines.base import Engine, ModelSpec
from fashify.errors import EngineError

if TYPE_CHECKING:
    import keras

PRECISIONS = ("fp32", "bf16")


class TensorFlowEngine(Engine):
    """Runs the Keras network in fp32, or with bfloat16 arithmetic on fp32 weights."""

    name = "tensorflow"
    #: Larger ones gain no speed and take more memory.
    chunk = 16

    def __init__(self, model: keras.Model, spec: ModelSpec, precision: str) -> None:
        import tensorflow as tf

        if precision not in PRECISIONS:
            raise EngineError(
                f"a precision of TensorFlow: {', '.join(PRECISIONS)}", repr(precision),
                "use the engine openvino",
            )  # fmt: skip
        self.precision, self.version = precision, tf.__version__
        super().__init__(spec)
        self._tf = tf
        self._call = _compile(convert_to_bf16(model) if precision == "bf16" else model, self._input)

    def _infer(self, batch: np.ndarray) -> Any:
        n, short = len(batch), self.chunk - len(batch)
        if n > 1 and short:
            # Filled up with copies: the sums of a row depend on how many rows there are.
            batch = np.concatenate([batch, np.repeat(batch[-1:], short, axis=0)])
        return self._call(self._tf.constant(batch)).numpy()[:n]


def convert_to_bf16(model: keras.Model) -> keras.Model:
    """A copy that computes in bfloat16; the weights stay as they are."""
    import keras

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for layer in copy._flatten_layers(include_self=False):
        layer.dtype_policy = keras.DTypePolicy("mixed_bfloat16")
    return copy


def _compile(model: keras.Model, shape: tuple[int, int, int]) -> Any:
    import tensorflow as tf

    def forward(batch: Any) -> Any:
        features = model(tf.cast(batch, tf.float32), training=False)
        return tf.cast(features, tf.float32)

    signature = [tf.TensorSpec((None, *shape), tf.uint8)]
    return tf.function(forward, input_signature=signature, autograph=False).get_concrete_function()
