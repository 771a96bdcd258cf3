"""What the way of a photo gains: screenshots, frames, turned pictures, two garments in one photo.

    python benchmarks/photo_way.py STORE --photos SET [--n 150]

Products of the validation split are shown in drawn screens and frames, or turned, and searched as
they come and after ``Retriever.read_photo``; photos of validation people are set side by side, and
searched whole and by ``Retriever.by_garments``. All photos of validation people are searched as
sharp as the network sees and coarser; and upright and turned, for each share of the distance at
which a turn might be taken (``fashify.retrieval.photo_way.NEARER_PHOTO``).
"""

from __future__ import annotations

import argparse

import numpy as np
from PIL import Image

from fashify import Retriever, load_photos
from fashify.evaluation.robustness import PERTURBATIONS
from fashify.heads.head import unit_length
from fashify.io.images import resize
from fashify.retrieval.photo_way import WEAK, WHOLE

#: Photos that the network sees at once.
BATCH = 64

#: Sizes that photos are brought to before the network's own, as shares of it.
SHARPNESS = (0.5, 0.625, 0.75, 1.0)

#: Shares of the first answer's distance at which a turn might be taken; 0 takes none.
SHARES = (0.0, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)


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


class Judge:
    """Photos of validation people that have an answer, and how right a search's answers are."""

    def __init__(self, retriever: Retriever, source: str) -> None:
        self.retriever, self.types = retriever, retriever.store.labels("article_type")
        photos = load_photos(source).part("validation").with_answers(self.types)
        rows = np.flatnonzero(photos.table["label"].isin(photos.counted))
        self.photos = photos
        self.images = [photos.image(row) for row in rows]
        self.labels = photos.table["label"].to_numpy(str)[rows]

    def look(self, images: list[np.ndarray]) -> np.ndarray:
        """(n, d) served vectors."""
        prepared = np.stack([self.retriever.embedder.prepare(image) for image in images])
        parts = np.split(prepared, range(BATCH, len(prepared), BATCH))
        return np.concatenate([self.retriever.embed_prepared(part) for part in parts])

    def ask(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n,) precision@5 of each photo, and how far its first answer is."""
        found = self.retriever.index.search(vectors, 5)
        right = [
            np.isin(self.types[near], self.photos.answers[label]).mean()
            for near, label in zip(found.positions, self.labels, strict=True)
        ]
        return np.array(right), np.asarray(found.distances)[:, 0]

    def show(self, right: np.ndarray) -> str:
        """Micro and macro mean."""
        macro = np.mean([right[self.labels == label].mean() for label in np.unique(self.labels)])
        return f"{right.mean():.3f} / {macro:.3f}"


def measure_sharpness(judge: Judge) -> None:
    """Prints the precision of photos made coarser before the network sees them."""
    height, width = judge.retriever.embedder.spec.input_size
    for share in SHARPNESS:
        size = round(height * share), round(width * share)
        coarse = [resize(image, size, fit="letterbox") for image in judge.images]
        shown = [resize(image, (height, width)) for image in coarse]
        print(f"photos at {size[0]} x {size[1]}: {judge.show(judge.ask(judge.look(shown))[0])}")


def measure_means(judge: Judge) -> None:
    """Prints the precision of the mean of a photo, its mirror image and closer crops of both."""
    crops = []
    for image in judge.images:
        height, width = (round(side / 12) for side in image.shape[:2])
        crops.append(image[height : image.shape[0] - height, width : image.shape[1] - width])
    views = [judge.look(judge.images)]
    for name, added in {
        "alone": [],
        "and its mirror image": [[image[:, ::-1].copy() for image in judge.images]],
        "and its mirror image and closer crops of both": [
            crops,
            [image[:, ::-1].copy() for image in crops],
        ],
    }.items():
        views += [judge.look(images) for images in added]
        print(f"a photo {name}: {judge.show(judge.ask(unit_length(sum(views)))[0])}")


def measure_turns(judge: Judge) -> None:
    """Prints the precision of photos upright and turned, by the share at which turns are taken."""
    asked = [
        judge.ask(judge.look([np.rot90(image, turn).copy() for image in judge.images]))
        for turn in range(4)
    ]
    for share in SHARES:
        shown = []
        for start in (0, 1, 2):
            right, near = (np.stack(one) for one in zip(*np.roll(asked, -start, 0), strict=True))
            best = near.argmin(axis=0)
            taken = (near[0] > WEAK) & (near.min(axis=0) < share * near[0])
            chosen = np.where(taken, best, 0)
            shown.append(judge.show(right[chosen, np.arange(len(chosen))]))
        print(f"turned at {share:.2f}: upright, by 90, by 180 degrees: {', '.join(shown)}")


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
        judge = Judge(retriever, asked.photos)
        measure_sharpness(judge)
        measure_means(judge)
        measure_turns(judge)


if __name__ == "__main__":
    main()
