"""Forward speed of every engine against the usual ``model.predict`` for each image.

Contenders take turns on the same images, so that other work on the machine meets all of
them alike. Per contender: median images per second over the rounds, the ratio to the
baseline, least cosine and top-5 agreement with the fp32 reference. The matmul limit is what
this processor's fp32 matrix product would allow the network's operations.

    python benchmarks/engines.py --backbone resnet50 --weights random --images CATALOGUE
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
import warnings
from collections.abc import Callable

import numpy as np

from fashify import load_catalogue
from fashify.backbones import load_backbone
from fashify.engines import make_engine, top_k_agreement
from fashify.engines.fidelity import least_cosine
from fashify.images import resize


def read_images(source: str, size: tuple[int, int], n: int) -> np.ndarray:
    """(n, H, W, 3) uint8 of a catalogue, by a fixed seed."""
    catalogue = load_catalogue(source)
    with_image = catalogue.select(catalogue.table.item_id[catalogue.table.has_image])
    chosen = with_image.sample(n)
    return np.stack([resize(chosen.image(item), size) for item in chosen.item_ids])


def matmul_gflops(n: int = 2048) -> float:
    """fp32 matrix product, billions of operations a second, best of ten."""
    import tensorflow as tf

    a = tf.random.normal((n, n))
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        tf.matmul(a, a).numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * n**3 / min(seconds) / 1e9


def gflops_per_image(model) -> float:
    """Operations of the network's graph for one image, billions, as TensorFlow counts them."""
    import tensorflow as tf

    shape = (1, *model.input_shape[1:])
    graph = tf.function(model).get_concrete_function(tf.TensorSpec(shape, tf.float32)).graph
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    silent = builder(builder.float_operation()).with_empty_output().build()
    return tf.compat.v1.profiler.profile(graph, options=silent).total_float_ops / 1e9


def per_image(backbone) -> Callable[[np.ndarray], np.ndarray]:
    """What fashion recommenders usually do: one ``predict`` for each image."""

    def run(batch: np.ndarray) -> np.ndarray:
        rows = [backbone.keras_model.predict(image[None], verbose=0)[0] for image in batch]
        return np.stack(rows)

    return run


def contenders(backbone, images: np.ndarray, cache: str) -> dict[str, Callable]:
    """Name -> (b, H, W, 3) uint8 to (b, dim)."""
    model = backbone.keras_model
    runs = {
        "predict, each image": per_image(backbone),
        "predict, batches of 32": lambda batch: model.predict(batch, batch_size=32, verbose=0),
    }
    for name, precision in (
        ("tensorflow", "fp32"),
        ("openvino", "fp32"),
        ("openvino", "bf16"),
        ("openvino", "int8"),
    ):
        try:
            engine = make_engine(
                name,
                model,
                spec=backbone.spec,
                precision=precision,
                cache_dir=cache,
                calibration=images,
            )
        except Exception as error:  # an engine this machine cannot run is left out, and said
            print(f"left out: {name} {precision}: {error}")
            continue
        runs[f"{name} {precision}"] = engine.run
    return runs


def measure(runs: dict[str, Callable], images: np.ndarray, rounds: int) -> dict[str, list[float]]:
    """Images per second of each contender, a list over the rounds."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(images[:32])
    for number in range(rounds):
        part = np.roll(images, -32 * number, axis=0)
        for name, run in runs.items():
            n = 32 if "each" in name else 64
            start = time.perf_counter()
            run(part[:n])
            rates[name].append(n / (time.perf_counter() - start))
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="auto")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--images", default="sample", help="a catalogue")
    parser.add_argument("--n", type=int, default=512, help="images")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    backbone = load_backbone(options.backbone, weights=options.weights)
    images = read_images(options.images, backbone.spec.input_size, options.n)
    with tempfile.TemporaryDirectory() as cache:
        runs = contenders(backbone, images, cache)
        rates = measure(runs, images, options.rounds)
        reference = runs["tensorflow fp32"](images)
        rows = {}
        for name, run in runs.items():
            features = reference if "predict" in name else run(images)
            ratios = np.array(rates[name]) / np.array(rates["predict, each image"])
            rows[name] = {
                "images_per_second": round(float(np.median(rates[name])), 1),
                "ratio": round(float(np.median(ratios)), 2),
                "ratio_least": round(float(ratios.min()), 2),
                "least_cosine": round(least_cosine(features, reference), 5),
                "top5_agreement": round(top_k_agreement(features, reference), 3),
            }
    limit = matmul_gflops()
    answer = {
        "backbone": backbone.spec.name,
        "weights": backbone.spec.weights,
        "matmul_gflops": round(limit, 1),
        "matmul_limit_images_per_second": round(limit / gflops_per_image(backbone.keras_model), 1),
        "engines": rows,
    }
    if options.json:
        print(json.dumps(answer, indent=1))
        return
    for key in list(answer)[:-1]:
        print(f"{key}: {answer[key]}")
    print(f"{'':24} img/s  ratio  least ratio  least cosine  top-5 agreement")
    for name, row in rows.items():
        print(f"{name:24}" + "  ".join(f"{value:>8}" for value in row.values()))


if __name__ == "__main__":
    main()
