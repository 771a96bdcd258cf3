"""What the way of a photo gains: screenshots, frames, turned pictures, two garments in one photo.

    python benchmarks/photo_way.py STORE --photos SET [--n 150]

Products of the validation split are shown in drawn screens and frames, or turned, and searched as
they come and after ``Retriever.read_photo``; photos of validation people are set side by side, and
searched whole and by ``Retriever.by_garments``.
"""

from __future__ import annotations

import argparse

import numpy as np
from PIL import Image, ImageDraw

from fashify import Retriever, load_photos
from fashify.retrieval.photo_way import WHOLE

#: (page, text) of a light and of a dark screen.
LIGHT, DARK = ((255, 255, 255), (30, 30, 30)), ((18, 18, 18), (235, 235, 235))


def draw_screenshot(image: np.ndarray, colours: tuple, rng: np.random.Generator) -> np.ndarray:
    """A phone's screen with the picture, lines of text and a button."""
    width, height = 360, int(360 * rng.uniform(1.9, 2.17))
    screen = Image.new("RGB", (width, height), colours[0])
    pen = ImageDraw.Draw(screen)
    pen.text((20, 8), "9:41", fill=colours[1])
    pen.text((20, 40), "< Shop   Search   Bag (2)", fill=colours[1])
    top = 70 + int(rng.integers(0, 40))
    wide = width if rng.random() < 0.5 else int(width * rng.uniform(0.7, 0.95))
    high = min(int(wide * image.shape[0] / image.shape[1]), height - top - 140)
    wide = min(wide, int(high * image.shape[1] / image.shape[0]))
    screen.paste(Image.fromarray(image).resize((wide, high)), ((width - wide) // 2, top))
    for line in range(int(rng.integers(2, 5))):
        words = "Product name and a line of text "[: int(rng.integers(12, 32))]
        pen.text((20, top + high + 20 + 22 * line), words, fill=colours[1])
    pen.rounded_rectangle((20, height - 60, width - 20, height - 20), 8, fill=(230, 60, 90))
    return np.array(screen)


def draw_frame(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A frame of one colour, 4 to 13 pixels wide."""
    edge, colour = int(rng.integers(4, 14)), rng.integers(0, 256, 3)
    framed = np.empty((image.shape[0] + 2 * edge, image.shape[1] + 2 * edge, 3), np.uint8)
    framed[:] = colour
    framed[edge:-edge, edge:-edge] = image
    return framed


def measure_products(retriever: Retriever, n: int, rng: np.random.Generator) -> None:
    """Prints, for each kind of picture, how often the product itself comes first."""
    store = retriever.store
    rows = rng.permutation(np.flatnonzero(store.split == "validation"))[:n]
    images = [retriever.picture(store.item_ids[row]) for row in rows]
    kinds = {
        "as it is": lambda image: image,
        "light screenshot": lambda image: draw_screenshot(image, LIGHT, rng),
        "dark screenshot": lambda image: draw_screenshot(image, DARK, rng),
        "frame": lambda image: draw_frame(image, rng),
        "turned by 90": lambda image: np.rot90(image).copy(),
        "turned by 180": lambda image: np.rot90(image, 2).copy(),
    }
    for name, change in kinds.items():
        shown = [change(image) for image in images]
        read = [retriever.read_photo(image) for image in shown]
        found = [
            np.mean([retriever.by_image(image, 1)[0].position for image in some] == rows)
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
        together = retriever.by_image(photo, 5)
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
