"""EfficientNet-Lite in Keras: EfficientNet without squeeze-and-excitation, with ReLU6.

Architecture: Tan & Le 2019, arXiv:1905.11946; the Lite changes (stem, head, first and last
stage are not scaled) are those of the TensorFlow authors' Lite models.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fashify.backbones.records import LiteSource, ShippedSource
from fashify.errors import BackboneError

if TYPE_CHECKING:
    import keras

_STEM, _HEAD = 32, 1280
_NORM = ("weight", "bias", "running_mean", "running_var")


class _Stage(NamedTuple):
    kernel: int
    repeats: int
    expansion: int
    channels: int
    stride: int


_STAGES = (
    _Stage(3, 1, 1, 16, 1),
    _Stage(3, 2, 6, 24, 2),
    _Stage(5, 2, 6, 40, 2),
    _Stage(3, 3, 6, 80, 2),
    _Stage(5, 3, 6, 112, 1),
    _Stage(5, 4, 6, 192, 2),
    _Stage(3, 1, 6, 320, 1),
)


class _Block(NamedTuple):
    """One inverted residual; ``size`` is the side of its input at the native image size."""

    kernel: int
    stride: int
    expansion: int
    channels: int
    size: int


def build_lite(
    source: LiteSource | ShippedSource, native_size: int, *, drop: float = 0.0
) -> keras.Model:
    """The network from preprocessed (b, H, W, 3) to its map (b, h, w, 1280).

    It takes images of any size, but pads as at its native one, as it was trained: where
    a side is odd there, TensorFlow's "same" rule pads another size differently.

    Args:
        source: its scaling.
        native_size: side of the images it was trained on, pixels.
        drop: in training, how often the last block is skipped; earlier ones are in proportion
            (stochastic depth, Huang et al., ECCV 2016).
    """
    import keras

    inputs = keras.Input((None, None, 3))
    x = _add_padding(inputs, 3, 2, native_size)
    x = keras.layers.Conv2D(_STEM, 3, strides=2, use_bias=False, name="_conv_stem")(x)
    x = _add_norm(x, "_bn0")
    blocks = _list_blocks(source, -(-native_size // 2))
    for number, block in enumerate(blocks):
        rate = drop * number / len(blocks)
        x = _add_inverted_residual(x, block, f"_blocks-{number}-", rate)
    x = keras.layers.Conv2D(_HEAD, 1, use_bias=False, name="_conv_head")(x)
    return keras.Model(inputs, _add_norm(x, "_bn1"), name="efficientnet_lite")


def _list_blocks(source: LiteSource | ShippedSource, size: int) -> list[_Block]:
    blocks = []
    for number, stage in enumerate(_STAGES):
        is_edge = number in (0, len(_STAGES) - 1)
        repeats = stage.repeats if is_edge else math.ceil(stage.repeats * source.depth)
        channels = _round_channels(stage.channels * source.width)
        for repeat in range(repeats):
            stride = stage.stride if repeat == 0 else 1
            blocks.append(_Block(stage.kernel, stride, stage.expansion, channels, size))
            size = -(-size // stride)
    return blocks


def _round_channels(channels: float, divisor: int = 8) -> int:
    """To the nearest multiple of 8, but never down by more than a tenth."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def _add_inverted_residual(
    x: keras.KerasTensor, block: _Block, prefix: str, drop: float
) -> keras.KerasTensor:
    """Expand, filter each channel, project back; added to the input where shapes allow."""
    import keras

    entry, n_in = x, x.shape[-1]
    if block.expansion != 1:
        width = n_in * block.expansion
        x = keras.layers.Conv2D(width, 1, use_bias=False, name=f"{prefix}_expand_conv")(x)
        x = _add_norm(x, f"{prefix}_bn0")
    if block.stride > 1:
        x = _add_padding(x, block.kernel, block.stride, block.size)
    x = keras.layers.DepthwiseConv2D(
        block.kernel,
        strides=block.stride,
        padding="same" if block.stride == 1 else "valid",
        use_bias=False,
        name=f"{prefix}_depthwise_conv",
    )(x)
    x = _add_norm(x, f"{prefix}_bn1")
    x = keras.layers.Conv2D(block.channels, 1, use_bias=False, name=f"{prefix}_project_conv")(x)
    x = _add_norm(x, f"{prefix}_bn2", active=False)
    if block.stride != 1 or n_in != x.shape[-1]:
        return x
    if drop:
        x = keras.layers.Dropout(drop, noise_shape=(None, 1, 1, 1))(x)
    return keras.layers.Add()([entry, x])


def _add_padding(x: keras.KerasTensor, kernel: int, stride: int, size: int) -> keras.KerasTensor:
    """Zeros as TensorFlow's "same" rule adds them to a side of ``size``: extra ones after."""
    import keras

    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    sides = (total // 2, total - total // 2)
    return keras.layers.ZeroPadding2D((sides, sides))(x)


def _add_norm(x: keras.KerasTensor, name: str, active: bool = True) -> keras.KerasTensor:
    import keras

    from fashify.backbones.norm import FusedNormalization

    x = FusedNormalization(epsilon=1e-3, momentum=0.99, name=name)(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if active else x


def published_name(layer: keras.Layer) -> str:
    """A layer's name in the published checkpoint.

    Dots are dashes in the network's own names, for PyTorch as Keras' backend allows none in the
    name of a parameter.
    """
    return layer.name.replace("-", ".")


def load_torch_weights(network: keras.Model, tensors: dict[str, np.ndarray]) -> None:
    """Copies the tensors of a PyTorch checkpoint into ``build_lite``'s network.

    Raises:
        BackboneError: a tensor is missing or has another shape.
    """
    try:
        for layer in network.layers:
            if layer.weights:
                layer.set_weights(_convert_arrays(published_name(layer), tensors))
    except (KeyError, ValueError) as error:
        raise _misfit_error(error) from error


def arrange_weights(
    source: LiteSource | ShippedSource, tensors: dict[str, np.ndarray]
) -> list[np.ndarray]:
    """The arrays of ``build_lite``'s network in its order, from a PyTorch checkpoint's tensors.

    Raises:
        BackboneError: a tensor is missing or has another shape.
    """
    arrays: list[np.ndarray] = []
    try:
        for kernel, norm, shape in _list_convolutions(source):
            arrays += _convert_arrays(kernel, tensors) + _convert_arrays(norm, tensors)
            width = shape[2] if shape[3] == 1 else shape[3]
            wanted = [shape, *[(width,)] * len(_NORM)]
            found = [array.shape for array in arrays[-len(wanted) :]]
            if found != wanted:
                raise ValueError(f"{kernel} of shapes {found}, not {wanted}")
    except (KeyError, ValueError) as error:
        raise _misfit_error(error) from error
    return [np.asarray(array, np.float32) for array in arrays]


def _list_convolutions(
    source: LiteSource | ShippedSource,
) -> Iterator[tuple[str, str, tuple[int, int, int, int]]]:
    """Published names of each convolution and of the normalisation after it, and its shape."""
    yield "_conv_stem", "_bn0", (3, 3, 3, _STEM)
    n_in = _STEM
    for number, block in enumerate(_list_blocks(source, 1)):
        name, width, side = f"_blocks.{number}.", n_in * block.expansion, block.kernel
        if block.expansion != 1:
            yield f"{name}_expand_conv", f"{name}_bn0", (1, 1, n_in, width)
        yield f"{name}_depthwise_conv", f"{name}_bn1", (side, side, width, 1)
        yield f"{name}_project_conv", f"{name}_bn2", (1, 1, width, block.channels)
        n_in = block.channels
    yield "_conv_head", "_bn1", (1, 1, n_in, _HEAD)


def _misfit_error(error: Exception) -> BackboneError:
    return BackboneError(
        "weights of the same EfficientNet-Lite",
        f"a file that does not fit: {error}",
        "name the weights of the same network",
    )


def _convert_arrays(name: str, tensors: dict[str, np.ndarray]) -> list[np.ndarray]:
    if f"{name}.running_mean" in tensors:
        return [tensors[f"{name}.{part}"] for part in _NORM]
    kernel = tensors[f"{name}.weight"]
    # PyTorch: (out, in, h, w), depthwise (channels, 1, h, w). Keras: spatial axes first.
    is_depthwise = name.endswith("_depthwise_conv")
    return [kernel.transpose((2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0))]
