"""What the way of a photo gains: screenshots, frames, turned pictures, two garments in one photo.

    python benchmarks/photo_way.py STORE --photos SET [--n 150]

Products of the validation split are shown in drawn screens and frames, or turned, and searched as
they come and after ``Retriever.read_photo``; photos of validation people are set side by side, and
searched whole and by ``Retriever.by_garments``.
"""

from __future__ import annotations

import argparse

import numpy as np
from PIL import Image

from fashify import Retriever, load_photos
from fashify.evaluation.robustness import PERTURBATIONS
from fashify.retrieval.photo_way import WHOLE


def measure_products(retriever: Retriever, n: int, rng: np.random.Generator) -> None:
    """Prints, for each kind of picture, how often the product itself comes first."""
    store = retriever.store
    rows = rng.permutation(np.flatnonzero(store.split == "validation"))[:n]
    images = [retriever.picture(store.item_ids[row]) for row in rows]

    def share() -> float:
        return 0.0 if rng.random() < 0.5 else rng.uniform(5, 30)

    def seed() -> int:
        return int(rng.integers(1 << 30))

    kinds = {
        "as it is": lambda image: image,
        "light screenshot": lambda image: PERTURBATIONS["light screenshot"](image, share(), seed()),
        "dark screenshot": lambda image: PERTURBATIONS["dark screenshot"](image, share(), seed()),
        "frame": lambda image: PERTURBATIONS["frame"](image, rng.uniform(7, 22), seed()),
        "turned by 90": lambda image: np.rot90(image).copy(),
        "turned by 180": lambda image: np.rot90(image, 2).copy(),
    }
    for name, change in kinds.items():
        shown = [change(image) for image in images]
        read = [retriever.read_photo(image) for image in shown]
        found = [
            np.mean(
                [retriever.by_image(image, 1, as_it_is=True)[0].position for image in some] == rows
            )
            for some in (shown, [one.image for one in read])
        ]
        cut = np.mean([one.box != WHOLE for one in read])
        turned = np.mean([one.turn > 0 for one in read])
        print(
            f"{name:17} itself first {found[0]:.3f} as it comes, {found[1]:.3f} read; "
            f"cut {cut:.2f}, turned {turned:.2f}"
        )


def measure_pairs(retriever: Retriever, source: str, n: int, rng: np.random.Generator) -> None:
    """Prints how often two garments are told apart, and the precision of each one's matches."""
    types = retriever.store.labels("article_type")
    photos = load_photos(source).part("validation").with_answers(types)
    chosen = rng.permutation(len(photos))[: 2 * n].reshape(-1, 2)
    single = [len(retriever.by_garments(photos.image(one), 5)) for one, _ in chosen]
    print(f"one garment: taken for two in {np.mean(np.array(single) == 2):.3f} of {len(chosen)}")
    apart, whole, two = [], [], 0
    for pair in chosen.tolist():
        sides = [np.array(Image.fromarray(photos.image(p)).resize((180, 240))) for p in pair]
        photo = np.hstack(sides)
        found = [matches for _, matches in retriever.by_garments(photo, 5)]
        two += len(found) == 2
        together = retriever.by_image(photo, 5, as_it_is=True)
        for place, matches in zip(pair, (found * 2)[:2] if len(found) == 1 else found, strict=True):
            right = photos.answers[photos.table["label"].iloc[place]]
            apart.append(np.mean([m.article_type in right for m in matches]))
            whole.append(np.mean([m.article_type in right for m in together]))
    print(
        f"two side by side: told apart in {two / len(chosen):.3f} of {len(chosen)}; precision@5 of "
        f"each garment {np.mean(apart):.3f}, of the whole photo {np.mean(whole):.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--photos")
    parser.add_argument("--n", type=int, default=150)
    asked = parser.parse_args()
    retriever, rng = Retriever.open(asked.store), np.random.default_rng(0)
    print(f"{len(retriever.store):,} products, {retriever.backbone_note}")
    measure_products(retriever, asked.n, rng)
    if asked.photos:
        measure_pairs(retriever, asked.photos, max(1, asked.n // 5), rng)


if __name__ == "__main__":
    main()
