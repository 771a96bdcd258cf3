"""Is a product found by its own picture, enlarged or set into a photo?

Run: python benchmarks/known_items.py STORE [--products 300] [--photos PHOTOS.zip] [--seed 0]

Products of the test split are drawn. Each is asked for by its picture brought to 224 x 224, and by
a composed view of it (on crops of the photos, where a zip of photos is given, else on drawn
backdrops), of the size that the network sees, for a phone's photo has more pixels than a shop's
thumbnail, and of the gallery's own size: under the head's own weights and by its instance part
alone. A byte-identical copy counts as the product itself. Prints one line of JSON a kind of query:
the share first, among five, and the share of the first five that have the product's article type.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections.abc import Iterator, Mapping

import numpy as np

from fashify.features.framing import fit_to_frame
from fashify.io.images import load_image, resize
from fashify.learning.views import compose
from fashify.retrieval.retriever import Retriever

#: Height and width of composed views where a gallery has no common size.
BACKDROP = (80, 60)


def main() -> None:
    """Measures and prints."""
    asked = _arguments()
    rng, retriever = np.random.default_rng(asked.seed), Retriever.open(asked.store)
    items = retriever.store.items
    rows = np.flatnonzero(retriever.store.split == "test")
    rows = np.sort(rng.choice(rows, min(asked.products, len(rows)), replace=False))
    ids = [str(items["item_id"].iloc[row]) for row in rows]
    frame = retriever.embedder.frame or BACKDROP
    pictures = [retriever.picture(item_id) for item_id in ids]
    small = np.stack([fit_to_frame(picture, frame) for picture in pictures])
    queries = {"own picture at 224 x 224": [resize(picture, (224, 224)) for picture in pictures]}
    for size in (retriever.embedder.spec.input_size, frame):
        sized = np.stack([resize(picture, size) for picture in small])
        backdrops = None if asked.photos is None else list(_photos(asked.photos, rng, size))
        told = "composed, {} x {}".format(*size)
        queries[told] = list(compose(sized, rng, backdrops))
    for name, images in queries.items():
        vectors = np.stack([retriever.embed(image) for image in images])
        for weights in (None, {"instance": 1.0}):
            if weights is None or "instance" in retriever.parts:
                told = _measure(retriever, rows, vectors, weights)
                print(json.dumps({"query": name, "weights": weights, "n": len(rows)} | told))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("--products", type=int, default=300)
    parser.add_argument("--photos")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _photos(
    path: str, rng: np.random.Generator, size: tuple[int, int], n: int = 400
) -> Iterator[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        for place in rng.choice(len(names), min(n, len(names)), replace=False):
            yield fit_to_frame(load_image(archive.read(names[place])), size)


def _measure(
    retriever: Retriever,
    rows: np.ndarray,
    vectors: np.ndarray,
    weights: Mapping[str, float] | None,
) -> dict[str, float]:
    """Shares of queries whose own product is first and among five, and of types that agree."""
    store = retriever.store
    same = store.facts["sha256"].to_numpy(dtype=object)[store.first_views]
    types = store.labels("article_type")
    answers = retriever.by_features(vectors, 5, weights=weights)
    found = np.array([[match.position for match in matches] for matches in answers])
    own = same[found] == same[rows][:, None]
    right = types[found] == types[rows][:, None]
    shares = {"first": own[:, 0], "among_five": own.any(axis=1), "type_at_5": right}
    return {name: round(float(values.mean()), 3) for name, values in shares.items()}


if __name__ == "__main__":
    main()
