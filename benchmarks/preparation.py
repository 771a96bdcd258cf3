"""How a picture is best brought to the network: input size, fit, interpolation, cropping.

Every way embeds the same drawn products anew; validation products are the queries, the others
drawn the gallery, their own group left out. What the project does by default is chosen by it.

    python benchmarks/preparation.py STORE --catalogue ARCHIVE.zip
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from fashify import load_backbone, load_catalogue, metrics
from fashify.backbones import Backbone
from fashify.catalogue import Catalogue
from fashify.engines import make_engine
from fashify.heads.head import unit_length
from fashify.index import make_index
from fashify.io.images import WHITE
from fashify.store import FeatureStore

LEVELS, K = ("article_type", "base_colour", "gender"), 5

#: Brighter than this in every channel counts as white margin, 0..255.
MARGIN = 245

Prepare = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


def stretched(image: np.ndarray, size: tuple[int, int], *, by: str = "BICUBIC") -> np.ndarray:
    """Filling the input whatever its proportions."""
    return np.array(Image.fromarray(image).resize(size[::-1], Image.Resampling[by]))


def letterboxed(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Proportions kept, on white."""
    picture = Image.fromarray(image)
    return np.array(ImageOps.pad(picture, size[::-1], Image.Resampling.BICUBIC, WHITE))


def cropped(image: np.ndarray, size: tuple[int, int], *, then: Prepare = stretched) -> np.ndarray:
    """White margins cut off, a twentieth left."""
    inside = image.min(axis=2) < MARGIN
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if len(rows) and len(columns):
        (top, bottom), (left, right) = rows[[0, -1]], columns[[0, -1]]
        more = max(1, (bottom - top) // 20), max(1, (right - left) // 20)
        image = image[
            max(0, top - more[0]) : bottom + 1 + more[0],
            max(0, left - more[1]) : right + 1 + more[1],
        ]
    return then(image, size)


WAYS: dict[str, tuple[tuple[int, int], Prepare]] = {
    "stretch, 224 x 224, bicubic": ((224, 224), stretched),
    "stretch, 224 x 224, bilinear": ((224, 224), partial(stretched, by="BILINEAR")),
    "stretch, 224 x 224, Lanczos": ((224, 224), partial(stretched, by="LANCZOS")),
    "letterbox, 224 x 224": ((224, 224), letterboxed),
    "cropped, 224 x 224": ((224, 224), cropped),
    "cropped, letterbox, 224 x 224": ((224, 224), partial(cropped, then=letterboxed)),
    "stretch, 224 x 160": ((224, 160), stretched),
    "stretch, 192 x 144": ((192, 144), stretched),
    "stretch, 160 x 128": ((160, 128), stretched),
    "stretch, 128 x 96": ((128, 96), stretched),
}


def embedded(
    backbone: Backbone, catalogue: Catalogue, item_ids: np.ndarray, way: tuple
) -> tuple[np.ndarray, float]:
    """(n, dim) features at unit length, and the seconds they took."""
    size, prepare = way
    resized = Backbone(replace(backbone.spec, input_size=size), lambda: backbone.network)
    engine = make_engine("auto", resized.keras_model, spec=resized.spec)
    start, parts = time.perf_counter(), []
    with ThreadPoolExecutor(2) as pool:
        for at in range(0, len(item_ids), 512):
            pictures = pool.map(
                lambda item_id: prepare(catalogue.image(item_id), size), item_ids[at : at + 512]
            )
            parts.append(engine.run(np.stack(list(pictures))))
    return unit_length(np.concatenate(parts)), time.perf_counter() - start


def judged(
    features: np.ndarray, asked: np.ndarray, groups: np.ndarray, labels: dict[str, np.ndarray]
) -> dict[str, float]:
    """Precision@5 by level, micro, and macro for the first; groups left out of the answers."""
    names = np.arange(len(features)).astype(str)
    found = make_index("exact").fit(features, names).search(features[asked], 60)
    near = np.stack(
        [row[groups[row] != groups[query]][:K]
         for row, query in zip(found.positions, asked, strict=True)]
    )  # fmt: skip
    told = {}
    for level, values in labels.items():
        told[level], macro = metrics.precision_means(values, asked, near, K)
        if level == LEVELS[0]:
            told[f"{level}, macro"] = macro
    return {level: round(float(value), 4) for level, value in told.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--catalogue", required=True)
    parser.add_argument("--items", type=int, default=8000, help="drawn, queries among them")
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--way", action="append", choices=list(WAYS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    store, catalogue = FeatureStore.load(options.store), load_catalogue(options.catalogue)
    groups = store.groups
    rng = np.random.default_rng(options.seed)
    held_out = np.flatnonzero(store.split == "validation")
    queries = rng.choice(held_out, min(options.queries, len(held_out)), replace=False)
    others = np.setdiff1d(np.arange(len(groups)), queries)
    rest = rng.choice(others, min(options.items - len(queries), len(others)), replace=False)
    rows = np.concatenate([queries, rest])
    labels = {level: store.labels(level)[rows] for level in LEVELS}
    backbone = load_backbone(store.meta["backbone"]["name"])
    for name in options.way or WAYS:
        features, seconds = embedded(backbone, catalogue, store.item_ids[rows], WAYS[name])
        told = judged(features, np.arange(len(queries)), groups[rows], labels)
        rate = round(len(rows) / seconds, 1)
        print(json.dumps({"way": name, **told, "images_per_second": rate}), flush=True)


if __name__ == "__main__":
    main()
