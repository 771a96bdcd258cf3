"""Batch normalisation as one kernel where PyTorch is Keras' backend and trains.

Importing this module imports Keras.
"""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("fashify")
class FusedNormalization(keras.layers.BatchNormalization):
    """Keras' own layer, over the last axis; in training on PyTorch the backend's single kernel.

    Keras composes the layer of a dozen operations in float32 there, each of which reads and
    writes the whole map. The kernel's running variance is the unbiased one, larger by n / (n - 1)
    for n values a channel.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        fused = training and self.trainable and keras.backend.backend() == "torch"
        if not fused or isinstance(inputs, keras.KerasTensor):
            return super().call(inputs, training=training, mask=mask)
        from torch.nn.functional import batch_norm

        found = batch_norm(
            inputs.movedim(-1, 1),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value,
            self.beta.value,
            training=True,
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return found.movedim(1, -1)
