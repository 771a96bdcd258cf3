"""How much farther than composed photos do people's own lie, and is the match strength true?

    python benchmarks/photo_strength.py STORE --photos SET [--people validation]

For several factors (see ``fashify.heads.shipped.PHOTO_DISTANCE``) the curve of photos is fitted on
composed photos of validation products and held against the photos of the people named: what it
promises, what came true, and how often "nothing similar" is said, wrongly and rightly. Last the
same with a curve fitted on the photos of the set's other people. Of photos that the network was
trained on the figures flatter: choose the factor with weights that never saw the people asked.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from fashify import Retriever, load_photos
from fashify.evaluation.trust import measure_trust
from fashify.learning import collect_material, measure_strength
from fashify.learning.calibrate import embed_queries
from fashify.learning.photo_views import compose_views

FACTORS = (1.0, 1.25, 1.5, 1.75, 2.0)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--photos", required=True)
    parser.add_argument("--people", default="validation")
    asked = parser.parse_args()
    retriever, photos = Retriever.open(asked.store), load_photos(asked.photos)
    store, material = retriever.store, collect_material(retriever.store)
    views = compose_views(store, material, splits=("validation",), embedder=retriever.embedder)
    material, vectors = replace(material, views=views), np.asarray(store.vectors)
    composed = embed_queries(retriever.embedder)
    kinds = {f"{factor:g} times": replace(composed, factor=factor) for factor in FACTORS}
    others = photos.part("train" if asked.people == "validation" else "validation")
    kinds["people's photos"] = embed_queries(retriever.embedder, others)
    for name, queries in kinds.items():
        fitted = measure_strength(
            vectors, material, head=store.head, exact=retriever.index, photos=queries
        )
        retriever.__dict__["strength"] = fitted
        print(name)
        print(measure_trust(retriever, photos.part(asked.people)).alarms.round(3).to_string())


if __name__ == "__main__":
    main()
