"""OpenVINO: the same network through Intel's CPU runtime."""

from __future__ import annotations

import logging
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.backbones.backbone import Backbone
from fashify.backbones.quiet import import_openvino
from fashify.engines.base import Engine, ModelSpec
from fashify.engines.cache import ModelCache
from fashify.engines.convert import load_converted
from fashify.engines.processor import cores
from fashify.engines.quantise import load_quantised
from fashify.errors import EngineError

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

PRECISIONS = ("fp32", "bf16", "int8")


class OpenVINOEngine(Engine):
    """Runs a network compiled for this processor; conversions are kept in the cache.

    Of several images each core takes one after the other for itself: what a layer leaves for
    the next stays in that core's cache, and no core waits for another. A lone image has all
    cores. As each is computed alone, a feature does not depend on its company to the last bit.
    """

    name = "openvino"
    chunk = 1024

    def __init__(
        self,
        model: keras.Model | Backbone,
        spec: ModelSpec,
        precision: str,
        *,
        cache: ModelCache,
        calibration: np.ndarray | str | None = None,
        threads: int | None = None,
    ) -> None:
        ov = import_openvino()
        self.precision, self.version = precision, _version(ov)
        super().__init__(spec)
        _check_precision(ov, precision)
        if precision == "int8":
            run_on = partial(self.from_network, spec=spec)
            network, facts = load_quantised(model, spec, calibration, cache, run_on)
            self.fingerprint["calibration"] = str(facts["calibration"])
            self.report = facts["report"]
        else:
            network = load_converted(model, spec, cache)
        self._adopt(network, threads)

    @classmethod
    def from_network(cls, network: Any, spec: ModelSpec) -> OpenVINOEngine:
        """An engine on a network in memory, to measure it before it is kept."""
        ov = import_openvino()
        engine = cls.__new__(cls)
        engine.precision, engine.version = "fp32", _version(ov)
        Engine.__init__(engine, spec)
        engine._adopt(network, None)
        return engine

    def _adopt(self, network: Any, threads: int | None) -> None:
        # Of known shape: some per cent faster than of any.
        network.reshape([1, *self._input])
        self._network, self._threads, self._turn = network, threads, Lock()

    def _infer(self, batch: np.ndarray) -> Any:
        # Requests are few and kept; those of another thread would be mixed with ours.
        with self._turn:
            if len(batch) == 1:
                return self._single_request(batch, share_inputs=True)[0]
            features = np.empty((len(batch), self._dim), np.float32)
            for row in range(len(batch)):
                self._queue.start_async({0: batch[row : row + 1]}, (features, row), True)
            self._queue.wait_all()
            return features

    def run_map(self, batch: np.ndarray) -> np.ndarray | None:
        """In fp32 whatever the precision; int8 has rounded the map as well, and so has none."""
        if self._unpooled is None:
            return None
        self._check(batch)
        compiled, channels = self._unpooled
        with self._turn:
            maps = [compiled(batch[row : row + 1])[0] for row in range(len(batch))]
        return np.moveaxis(np.concatenate(maps), channels, -1) if maps else None

    @cached_property
    def _unpooled(self) -> tuple[Any, int] | None:
        """The network up to what it pools, and the axis of its channels."""
        network = self._network.clone()
        pooling = network.output(0).get_node().input_value(0).get_node()
        if self.precision == "int8" or pooling.get_type_name() != "ReduceMean":
            return None
        places = pooling.input_value(1).get_node().data.tolist()
        (channels,) = {1, 2, 3} - set(places)
        unpooled = import_openvino().Model([pooling.input_value(0)], network.get_parameters())
        return _compile(unpooled, "fp32", self._threads, streams=1), channels

    @cached_property
    def _single_request(self) -> Any:
        """The network for one image at a time, all cores on it."""
        return _compile(self._network, self.precision, self._threads, streams=1)

    @cached_property
    def _queue(self) -> Any:
        """The network for many images, one per core."""
        threads = self._threads or cores()
        compiled = _compile(self._network, self.precision, threads, streams=threads)
        queue = import_openvino().AsyncInferQueue(compiled, threads)
        queue.set_callback(_store_result)
        return queue


def _store_result(request: Any, place: tuple[np.ndarray, int]) -> None:
    features, row = place
    features[row] = request.get_output_tensor().data[0]


def supports_bf16() -> bool:
    """Whether OpenVINO computes in bfloat16 on this processor."""
    core = import_openvino().Core()
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _version(ov: Any) -> str:
    return ov.__version__.split("-")[0]


def _check_precision(ov: Any, precision: str) -> None:
    if precision not in PRECISIONS:
        raise EngineError(
            f"a precision of OpenVINO: {', '.join(PRECISIONS)}", repr(precision), "use fp32"
        )
    if precision == "bf16" and not supports_bf16():
        raise EngineError(
            "a processor with bfloat16 arithmetic", "one without it", "use fp32 or int8"
        )


def _compile(network: Any, precision: str, threads: int | None, *, streams: int) -> Any:
    ov = import_openvino()
    properties, hint = ov.properties, ov.properties.hint
    settings = {
        properties.streams.num: streams,
        # Stated, since OpenVINO rounds to bfloat16 unasked wherever the processor can.
        hint.inference_precision: ov.Type.bf16 if precision == "bf16" else ov.Type.f32,
    }
    if threads is not None:
        settings[properties.inference_num_threads] = threads
    return ov.Core().compile_model(network, "CPU", settings)
