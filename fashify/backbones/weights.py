"""Fills a network with weights: a file's, or random ones for tests."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fashify.backbones.efficientnet_lite import load_torch_weights
from fashify.backbones.network_file import SUFFIX, parse_network
from fashify.backbones.torch_file import read_torch_file
from fashify.config import SEED
from fashify.errors import BackboneError

if TYPE_CHECKING:
    import keras

TORCH = (".pth", ".pt")
_KERAS = (".h5", ".keras")


def load_file(network: keras.Model, path: str | Path) -> None:
    """Loads ``.h5``, ``.weights.h5``, ``.keras``, a Lite's ``.pth`` or a trained ``.safetensors``.

    Only numbers are read, never code or a pickle.

    Raises:
        BackboneError: no such file, another format, or weights that do not fit.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise BackboneError("a weights file", f"{path}, which is no file", "check the path")
    if path.suffix not in (*TORCH, *_KERAS, SUFFIX):
        raise BackboneError(
            f"a weights file ending in {', '.join((*_KERAS, *TORCH, SUFFIX))}",
            path.name,
            "rename or convert",
        )
    if path.suffix == SUFFIX:
        load_torch_weights(network, parse_network(path.read_bytes(), path.name).tensors)
    elif path.suffix in TORCH:
        load_torch_weights(network, read_torch_file(path))
    else:
        _load_keras(network, path)


def _load_keras(network: keras.Model, path: Path) -> None:
    try:
        network.load_weights(str(path))
    # h5py and Keras raise nearly every builtin for a file that is cut short or does not fit.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BackboneError(
            f"weights of {network.name} without its classifier",
            f"{path.name}, which does not fit: {reason}",
            "name the 'notop' weights of the same network",
        ) from error


def fill_random(network: keras.Model, seed: int = SEED) -> None:
    """Replaces every kernel by normal numbers of variance one over the fan-in.

    The same seed gives the same weights on every machine; biases and normalisation stay
    as built. Larger numbers would grow without bound through the residual sums.
    """
    rng = np.random.default_rng(seed)
    for variable in network.weights:
        shape = tuple(variable.shape)
        if len(shape) < 2:
            continue
        is_depthwise = "depthwise" in variable.path
        fan_in = math.prod(shape[:2] if is_depthwise else shape[:-1])
        variable.assign(rng.standard_normal(shape, np.float32) * math.sqrt(1 / fan_in))


def hash_weights(arrays: Iterable[np.ndarray]) -> str:
    """sha256 over every array's shape and bytes, in the network's order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
