"""The network in training: EfficientNet-Lite0, its projections and proxies, the text tower.

One Keras model whose call makes the views, runs the network and gives every loss, so that all of
it is one compiled step on whichever backend Keras has: TensorFlow, JAX or PyTorch. Importing this
module imports Keras.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from fashify.backbones.efficientnet_lite import build_lite, load_torch_weights
from fashify.backbones.pretrained import find_imagenet_file
from fashify.backbones.records import LiteSource, find_record
from fashify.backbones.torch_file import read_torch_file
from fashify.learning.photo_losses import instance_loss, label_loss, photo_loss, text_loss
from fashify.learning.recipe import COLOUR_LEVEL, LENGTHS, TYPE_LEVEL, TrainingPlan
from fashify.learning.views import clean_view, compose_views, erase, photo_view
from fashify.text.words import BUCKETS

#: The network that is trained and where its first weights are.
BASE = "efficientnet-lite0"

#: Length of a hashed piece's vector, and of the tower's hidden layer.
_PIECE, _HIDDEN = 128, 768

#: The scale of texts' cosines, to begin with and at most.
_FIRST_SCALE, _LAST_SCALE = 14.0, 60.0


def on_gpu() -> bool:
    """Whether Keras' backend has a GPU."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if backend == "jax":
        import jax

        return jax.default_backend() != "cpu"
    import torch

    return torch.cuda.is_available()


def make_network(plan: TrainingPlan, tensors: Mapping[str, np.ndarray] | None = None) -> Any:
    """EfficientNet-Lite0 with stochastic depth, from its ImageNet weights or others.

    Args:
        plan: drop and frozen layers.
        tensors: published names -> arrays to begin with; ImageNet's by default.

    Returns:
        a ``keras.Model`` from preprocessed (b, h, w, 3) to its map; bfloat16 on a GPU.
    """
    source, before = find_record(BASE).source, keras.config.dtype_policy()
    assert isinstance(source, LiteSource)
    keras.config.set_dtype_policy("mixed_bfloat16" if on_gpu() else "float32")
    try:
        network = build_lite(source, 224, drop=plan.drop)
    finally:
        keras.config.set_dtype_policy(before)
    if tensors is None:
        tensors = read_torch_file(find_imagenet_file(find_record(BASE)))
    load_torch_weights(network, dict(tensors))
    for layer in network.layers[: plan.frozen]:
        layer.trainable = False
    return network


class TextTower(keras.layers.Layer):
    """(b, n) numbers of hashed pieces, -1 for none, to (b, 256) of unit length."""

    def __init__(self) -> None:
        super().__init__(name="text_tower")
        start = keras.initializers.RandomNormal(stddev=0.03)
        self.pieces = layers.Embedding(BUCKETS, _PIECE, start, name="pieces")
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.straight = layers.Dense(LENGTHS["txt"], name="straight")
        self.hidden = layers.Dense(_HIDDEN, name="hidden")
        self.dropout = layers.Dropout(0.2)
        self.out = layers.Dense(LENGTHS["txt"], name="out")

    def build(self, input_shape: Any) -> None:
        self.pieces.build(input_shape)
        for layer in (self.norm, self.straight, self.hidden):
            layer.build((None, _PIECE))
        self.out.build((None, _HIDDEN))
        self.built = True

    def call(self, pieces: Any, training: bool = False) -> Any:
        known = ops.expand_dims(ops.cast(pieces >= 0, "float32"), -1)
        normal = self.norm(ops.sum(self.pieces(ops.maximum(pieces, 0)) * known, axis=1))
        hidden = ops.gelu(self.hidden(normal), approximate=False)
        hidden = self.dropout(hidden, training=training)
        return _unit(self.straight(normal) + self.out(hidden))


class PhotoNetwork(keras.Model):
    """See the module; ``call`` takes a batch of ``Lesson`` and gives its losses."""

    def __init__(self, plan: TrainingPlan, sizes: Mapping[str, int], network: Any) -> None:
        super().__init__(name="photo_network")
        self.plan, self.network = plan, network
        dim = network.output_shape[-1]
        dense = keras.layers.Dense
        self.dropout = keras.layers.Dropout(plan.dropout)
        self.projections = {name: dense(n, name=name) for name, n in LENGTHS.items()}
        for name, layer in self.projections.items():
            layer.build((None, dim))
            setattr(self, f"projection_{name}", layer)
        self.proxies = {
            level: self.add_weight(
                shape=(n, LENGTHS["col" if level == COLOUR_LEVEL else "cat"]),
                initializer="random_normal",
                name=f"proxies_{level}",
            )
            for level, n in sizes.items()
        }
        self.tower = TextTower()
        self.tower.build((None, None))
        self.text_scale = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant(math.log(_FIRST_SCALE)),
            name="text_scale",
        )
        self.trackers: dict[str, Any] = {}
        self.built = True

    def call(self, batch: dict, training: bool = False) -> dict:
        views, counts = self.views(batch)
        features = ops.mean(ops.cast(self.network(views, training=training), "float32"), (1, 2))
        features = self.dropout(features, training=training)
        return self.losses_of(features, batch, counts, training)

    def views(self, batch: dict) -> tuple[Any, tuple[int, int, int]]:
        """Preprocessed views (n, h, w, 3): clean, composed, photos; and how many of each."""
        size = self.plan.input_size
        pictures = ops.cast(batch["pictures"], "float32")
        made = [clean_view(pictures, batch["clean"], size)]
        n_composed = batch["masks"].shape[0]
        if n_composed:
            masks = ops.cast(batch["masks"], "float32") / 255
            made.append(compose_views(pictures[:n_composed], masks, batch["composed"], size))
        if "photos" in batch:
            photos = ops.cast(batch["photos"], "float32")
            made.append(photo_view(photos, batch["photo"], size))
        n_photos = batch["photos"].shape[0] if "photos" in batch else 0
        counts = (pictures.shape[0], n_composed, n_photos)
        views = erase(ops.concatenate(made), batch["erased"])
        return ops.stop_gradient((views - 127) / 128), counts

    def logits(self, features: Any) -> dict[str, Any]:
        """level -> (n, classes) scaled cosines to its proxies."""
        sides = {name: _unit(self.projections[name](features)) for name in ("cat", "col")}
        return {
            level: self.plan.scale
            * ops.matmul(
                sides["col" if level == COLOUR_LEVEL else "cat"], ops.transpose(_unit(proxies))
            )
            for level, proxies in self.proxies.items()
        }

    def losses_of(
        self, features: Any, batch: dict, counts: tuple[int, int, int], training: bool
    ) -> dict:
        """name -> scalar; weights are applied in ``compute_loss``."""
        n, n_composed, n_photos = counts
        products = n + n_composed
        logits = self.logits(features)
        found = {}
        for level, codes in batch["codes"].items():
            own = logits[level][:products]
            if level == TYPE_LEVEL:
                own = own + self.plan.prior * batch["log_prior"]
            found[level] = label_loss(own, ops.concatenate([codes, codes[:n_composed]]))
        if n_photos and TYPE_LEVEL in logits:
            found["photo"] = photo_loss(logits[TYPE_LEVEL][products:], batch["answers"])
        if n_composed:
            views = _unit(self.projections["ins"](features[:products]))
            found["instance"] = instance_loss(
                views[:n], views[n:], batch["groups"], self.plan.temperature
            )
        if "tokens" in batch:
            texts = self.tower(batch["tokens"], training=training)
            views = _unit(self.projections["txt"](features[:products]))
            scale = ops.minimum(ops.exp(self.text_scale), _LAST_SCALE)
            found["names"] = text_loss(texts, views, batch["fits"], batch["named"], scale)
        return found

    def weight_of(self, loss: str) -> float:
        """What a loss counts in the sum."""
        own = {"photo": self.plan.photo, "instance": self.plan.instance}
        own["names"] = self.plan.names
        return own.get(loss, self.plan.tasks.get(loss, 0.0))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The losses' weighted sum; ``y_pred`` are they, the other arguments are Keras'."""
        for name, value in y_pred.items():
            self.trackers[name].update_state(value)
        return sum(self.weight_of(name) * value for name, value in y_pred.items())

    def track(self, names: list[str]) -> None:
        """Keeps each loss of a step for the log."""
        self.trackers = {name: keras.metrics.Mean(name=name) for name in names}

    @property
    def metrics(self) -> list:
        return [*super().metrics, *self.trackers.values()]


def make_model(
    plan: TrainingPlan,
    sizes: Mapping[str, int],
    tensors: Mapping[str, np.ndarray] | None = None,
) -> Any:
    """The whole model.

    Args:
        plan: the recipe.
        sizes: level -> classes.
        tensors: as of ``make_network``.
    """
    return PhotoNetwork(plan, sizes, make_network(plan, tensors))


def _unit(vectors: Any) -> Any:
    return ops.normalize(vectors, axis=-1, order=2)
