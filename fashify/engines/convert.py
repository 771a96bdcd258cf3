"""A Keras network in OpenVINO's form, kept in the cache of converted networks."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fashify.backbones.backbone import Backbone
from fashify.backbones.onnx_file import OnnxBackbone, OnnxNetwork
from fashify.backbones.quiet import import_openvino
from fashify.engines.base import ModelSpec
from fashify.engines.cache import ModelCache

if TYPE_CHECKING:
    import keras

#: Name of the network's description in a cache entry; its weights lie beside it.
MODEL = "model.xml"


def as_model(model: keras.Model | Backbone) -> Any:
    """The network itself, of a backbone too; there it may have to be built for this."""
    return model.keras_model if isinstance(model, Backbone) else model


def load_converted(model: keras.Model | Backbone, spec: ModelSpec, cache: ModelCache) -> Any:
    """The network in OpenVINO's form, from the cache or converted now."""
    if isinstance(model, OnnxBackbone | OnnxNetwork):
        return as_model(model).to_openvino()
    ov = import_openvino()
    key = cache_key(spec, precision="fp32")
    found = cache.find(key)
    if found is not None:
        return ov.Core().read_model(found / MODEL)
    network = _convert(ov, as_model(model))
    cache.keep(key, lambda folder: save_network(network, folder))
    return network


def cache_key(spec: ModelSpec, **more: str) -> dict[str, Any]:
    """All that a converted network depends on."""
    facts = ("name", "dim", "input_size", "preprocessing", "pooling", "weights_hash")
    version = import_openvino().__version__
    return {fact: getattr(spec, fact) for fact in facts} | {"openvino": version} | more


def save_network(network: Any, folder: Path) -> None:
    """Writes the network with its weights as they are, not rounded to 16 bits."""
    import_openvino().save_model(network, folder / MODEL, compress_to_fp16=False)


def _convert(ov: Any, model: keras.Model) -> Any:
    """The Keras network as an OpenVINO one that takes bytes."""
    from openvino.preprocess import PrePostProcessor

    if sys.version_info >= (3, 13):
        _tell_tensorflow_version()
    with warnings.catch_warnings():
        # The converter hands the input over in a tuple, which Keras remarks on.
        warnings.filterwarnings("ignore", message="The structure of `inputs`")
        steps = PrePostProcessor(ov.convert_model(model))
    steps.input().tensor().set_element_type(ov.Type.u8)
    steps.input().preprocess().convert_element_type(ov.Type.f32)
    return steps.build()


def _tell_tensorflow_version() -> None:
    """Lets the converter know TensorFlow's version, at which it fails from Python 3.13 on.

    It deletes a name that it thinks ``exec`` has left in its function; see PEP 667.
    """
    import tensorflow
    from openvino.frontend.tensorflow import utils

    utils.get_environment_setup = lambda _: {"tensorflow": tensorflow.__version__}
