"""What each network wants done to raw RGB 0..255, as part of its graph.

Inside the graph every engine gets the same, and nothing can write over the caller's array
(``keras.applications.resnet.preprocess_input`` does when given floats). The number after
the name is a version: it changes when the result does, so that old stores are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fashify.errors import ConfigError, join_names

if TYPE_CHECKING:
    import keras

_CAFFE_RGB_MEAN = (123.68, 116.779, 103.939)
_RGB_MEAN = (123.675, 116.28, 103.53)
_RGB_STD = (58.395, 57.12, 57.375)


def _centre_caffe(x: keras.KerasTensor) -> keras.KerasTensor:
    """Minus ImageNet's mean colour; ``reverse_kernel_channels`` lets the network read RGB."""
    import keras

    return keras.layers.Normalization(axis=-1, mean=_CAFFE_RGB_MEAN, variance=(1, 1, 1))(x)


def _standardise_torch(x: keras.KerasTensor) -> keras.KerasTensor:
    """Zero mean and unit spread of each ImageNet channel."""
    import keras

    variance = tuple(std**2 for std in _RGB_STD)
    return keras.layers.Normalization(axis=-1, mean=_RGB_MEAN, variance=variance)(x)


def _scale_signed(x: keras.KerasTensor) -> keras.KerasTensor:
    """To -1..1."""
    import keras

    return keras.layers.Rescaling(1 / 127.5, offset=-1.0)(x)


def _scale_lite(x: keras.KerasTensor) -> keras.KerasTensor:
    """(x - 127) / 128."""
    import keras

    return keras.layers.Rescaling(1 / 128, offset=-127 / 128)(x)


def _pass_through(x: keras.KerasTensor) -> keras.KerasTensor:
    """Nothing: the network's first layers do it."""
    return x


_STEPS = {
    "caffe-1": _centre_caffe,
    "torch-1": _standardise_torch,
    "signed-1": _scale_signed,
    "lite-1": _scale_lite,
    "included-1": _pass_through,
}


def preprocess(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Symbolic (b, H, W, 3) raw RGB to what the network was trained on."""
    if name not in _STEPS:
        raise ConfigError("a preprocessing", repr(name), f"choose one of {join_names(_STEPS)}")
    return _STEPS[name](x)


def reverse_kernel_channels(network: keras.Model, name: str) -> None:
    """Lets a network trained on BGR read RGB, by reversing its first kernel's channels.

    Exactly what turning every image round would give, without the time it takes: for
    ResNet50 in OpenVINO that was 2 % of the whole.
    """
    if name != "caffe-1":
        return
    first = next(layer for layer in network.layers if layer.weights)
    kernel, *rest = first.get_weights()
    first.set_weights([kernel[:, :, ::-1], *rest])
