"""Images a second on the accelerator that Keras' backend finds, beside what its products allow.

Run where Keras has JAX or PyTorch; TensorFlow and OpenVINO are not needed. A batch of
pictures, uint8, lies on the device already (``on_device``) or comes from this computer's memory
each time (``from_memory``); features stay on the device but for the last. The limit is the
device's own matrix product of the same type, against a network's operations for one image. bf16 is
Keras' ``mixed_bfloat16``; its features are held against fp32's on the engines' own probe pictures.

    KERAS_BACKEND=jax python benchmarks/gpu.py --networks resnet50 fashify-lite
    KERAS_BACKEND=torch python benchmarks/gpu.py --networks fashify-lite --batches 256

A processor alone is slow: ``--batches 8 --side 512 --seconds 0.2`` tries the script there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from fashify.backbones import Backbone, load_backbone
from fashify.engines.fidelity import draw_probe_images, find_least_cosine

#: Keras' policy of each precision.
POLICIES = {"fp32": "float32", "bf16": "mixed_bfloat16"}

ROUNDS = 5


class JaxDevice:
    """JAX's first device."""

    def __init__(self) -> None:
        import jax

        self._jax, self.name = jax, str(jax.devices()[0].device_kind)

    def put(self, array: np.ndarray) -> Any:
        """The array on the device."""
        return self._jax.device_put(array)

    def wait(self, result: Any) -> None:
        """Returns when the result is there."""
        self._jax.block_until_ready(result)

    def compile(self, model: keras.Model) -> Callable[[Any], Any]:
        """The network as one compiled function of a batch on the device."""
        state = (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )

        def run(trained: Any, other: Any, batch: Any) -> Any:
            images = batch.astype("float32")
            return model.stateless_call(trained, other, images, training=False)[0]

        compiled = self._jax.jit(run)
        return lambda batch: compiled(*state, batch)

    def product(self, side: int, precision: str) -> Callable[[], Any]:
        """One (side, side) matrix product."""
        jax = self._jax
        kind = jax.numpy.bfloat16 if precision == "bf16" else jax.numpy.float32
        a = jax.random.normal(jax.random.key(0), (side, side)).astype(kind)
        multiply = jax.jit(lambda x: x @ x)
        return lambda: multiply(a)


class TorchDevice:
    """PyTorch's GPU, or the processor without one."""

    def __init__(self) -> None:
        import torch

        self._torch = torch
        self._kind = "cuda" if torch.cuda.is_available() else "cpu"
        self.name = torch.cuda.get_device_name() if self._kind == "cuda" else "cpu"
        # As JAX does unasked, for products and convolutions alike.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True

    def put(self, array: np.ndarray) -> Any:
        """The array on the device."""
        return self._torch.from_numpy(array).to(self._kind)

    def wait(self, result: Any) -> None:
        """Returns when the result is there."""
        if self._kind == "cuda":
            self._torch.cuda.synchronize()

    def compile(self, model: keras.Model) -> Callable[[Any], Any]:
        """The network, layer after layer: Keras' own graph breaks under ``torch.compile``."""

        def run(batch: Any) -> Any:
            with self._torch.inference_mode():
                return model(batch.float(), training=False)

        return run

    def product(self, side: int, precision: str) -> Callable[[], Any]:
        """One (side, side) matrix product."""
        kind = self._torch.bfloat16 if precision == "bf16" else self._torch.float32
        a = self._torch.randn(side, side, device=self._kind, dtype=kind)
        return lambda: a @ a


Device = JaxDevice | TorchDevice


def find_device() -> Device:
    """Of the backend that Keras has."""
    makers = {"jax": JaxDevice, "torch": TorchDevice}
    name = keras.backend.backend()
    if name not in makers:
        raise SystemExit(f"Expected jax or torch. Received {name}. Fix: set KERAS_BACKEND=jax")
    return makers[name]()


def load(name: str, precision: str) -> Backbone:
    """A backbone in a precision: ``resnet50`` with random weights, others with their own."""
    keras.config.set_dtype_policy(POLICIES[precision])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_backbone(name, weights="random" if name == "resnet50" else None)


def count_gflops(network: keras.Model) -> float:
    """Operations of the convolutions for one image, billions: a multiplication and an addition."""
    total = 0
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None and len(kernel.shape) == 4:
            # What one channel of the output reads, for each of its places and channels.
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            reads = math.prod(kernel.shape[:2] if depthwise else kernel.shape[:3])
            total += 2 * reads * math.prod(layer.output.shape[1:])
    return total / 1e9


def measure_rate(action: Callable[[], Any], device: Device, seconds: float) -> list[float]:
    """Calls a second, ``ROUNDS`` times over, each for about ``seconds``."""
    device.wait(action())
    begin = time.perf_counter()
    device.wait(action())
    calls = max(2, math.ceil(seconds / max(time.perf_counter() - begin, 1e-5)))
    rates = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        result = None
        for _ in range(calls):
            result = action()
        device.wait(result)
        rates.append(calls / (time.perf_counter() - begin))
    return rates


def measure_network(
    name: str, precision: str, batches: list[int], tflops: float, device: Device, seconds: float
) -> list[dict[str, Any]]:
    """One record a batch size."""
    backbone = load(name, precision)
    run, spec = device.compile(backbone.keras_model), backbone.spec
    gflops = count_gflops(resize_network(backbone))
    rng = np.random.default_rng(0)
    facts = {"network": name, "precision": precision, "gflops_per_image": round(gflops, 3)}
    records = []
    for size in batches:
        batch = rng.integers(0, 256, (size, *spec.input_size, 3), np.uint8)
        rates = measure_batch(run, batch, device, seconds)
        share = rates["on_device"] * gflops / 1000 / tflops
        records.append(facts | {"batch": size} | rates | {"of_matmul_limit": round(share, 4)})
        print(json.dumps(records[-1]), flush=True)
    return records


def measure_batch(
    run: Callable[[Any], Any], batch: np.ndarray, device: Device, seconds: float
) -> dict[str, float]:
    """Images a second with the batch on the device and from memory; seconds of the first call."""
    there, begin = device.put(batch), time.perf_counter()
    device.wait(run(there))
    first = time.perf_counter() - begin
    ways = {"on_device": lambda: run(there), "from_memory": lambda: run(device.put(batch))}
    found = {
        name: round(len(batch) * float(np.median(measure_rate(way, device, seconds))), 1)
        for name, way in ways.items()
    }
    return found | {"first_call_s": round(first, 1)}


def resize_network(backbone: Backbone) -> keras.Model:
    """The network for its own input size alone, so that each layer's output has one shape."""
    network = backbone.network
    inputs = keras.Input((*backbone.spec.input_size, 3))
    return keras.models.clone_model(network, input_tensors=inputs)


def find_cosine(name: str, device: Device) -> float:
    """Least cosine between the bf16 and the fp32 features of the engines' probe pictures."""
    features = []
    for precision in POLICIES:
        backbone = load(name, precision)
        probes = device.put(draw_probe_images(backbone.spec))
        result = device.compile(backbone.keras_model)(probes)
        features.append(keras.ops.convert_to_numpy(result).astype(np.float32))
    return round(find_least_cosine(features[1], features[0]), 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--networks", nargs="+", default=["resnet50", "fashify-lite"])
    parser.add_argument("--precisions", nargs="+", choices=POLICIES, default=["bf16", "fp32"])
    parser.add_argument("--batches", nargs="+", type=int, default=[64, 256, 1024])
    parser.add_argument("--side", type=int, default=8192, help="of the matrix product")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each of five rounds")
    chosen = parser.parse_args()
    device = find_device()
    limits, records = {}, []
    for precision in chosen.precisions:
        product = device.product(chosen.side, precision)
        rate = float(np.median(measure_rate(product, device, chosen.seconds)))
        limits[precision] = round(2 * chosen.side**3 * rate / 1e12, 3)
    for name in chosen.networks:
        for precision in chosen.precisions:
            limit = limits[precision]
            records += measure_network(
                name, precision, chosen.batches, limit, device, chosen.seconds
            )
    cosines = {name: find_cosine(name, device) for name in chosen.networks}
    found = {"device": device.name, "backend": keras.backend.backend(), "keras": keras.__version__}
    found |= {"matmul_tflops": limits, "bf16_least_cosine": cosines, "records": records}
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
