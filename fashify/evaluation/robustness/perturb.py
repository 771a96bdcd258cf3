"""What happens to a picture on its way to a search: twelve ways, each in several strengths.

In the manner of Hendrycks and Dietterich, *Benchmarking neural network robustness to common
corruptions and perturbations*, ICLR 2019: fixed kinds, rising strengths, one curve per kind. The
kinds are those of photos and screenshots of products.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

from fashify.data import read_backdrops
from fashify.errors import QueryError, join_names
from fashify.features.framing import product_mask
from fashify.io.images import WHITE, encode_jpeg, resize

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]

#: Longer side, in pixels, of a photo that a product is set into.
PHOTO_SIDE = 480

#: Width, in pixels, of a drawn phone's screen.
SCREEN_WIDTH = 360


@dataclass(frozen=True)
class Perturbation:
    """One kind of damage.

    Attributes:
        unit: what a strength means, for an axis.
        strengths: ascending; 0 would leave the picture as it is.
        change: ``(image (h, w, 3) uint8, strength, rng) -> (h', w', 3) uint8``.
    """

    unit: str
    strengths: tuple[float, ...]
    change: Change

    def __call__(self, image: np.ndarray, strength: float, seed: int | Sequence[int]) -> np.ndarray:
        """The damaged picture; the same seed (an integer or several) damages it alike."""
        return self.change(image, strength, np.random.default_rng(seed))

    def choose_strengths(self, n: int) -> tuple[float, ...]:
        """``n`` of the strengths, evenly, the largest among them."""
        places = np.unique(np.linspace(len(self.strengths) - 1, 0, max(1, n)).round().astype(int))
        return tuple(self.strengths[place] for place in places)


def _blur(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    radius = strength / 100 * image.shape[1]
    return np.array(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def _jpeg(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(encode_jpeg(image, int(100 - strength)))))


def _rotate(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    angle = strength * rng.choice((-1, 1))
    turned = Image.fromarray(image).rotate(angle, Image.Resampling.BICUBIC, fillcolor=WHITE)
    return np.array(turned)


def _crop(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    kept = 1 - strength / 100
    height, width = (max(1, round(side * kept)) for side in image.shape[:2])
    top = rng.integers(0, image.shape[0] - height + 1)
    left = rng.integers(0, image.shape[1] - width + 1)
    return image[top : top + height, left : left + width].copy()


def _relight(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    height, width = image.shape[:2]
    turn, warm = rng.uniform(0, 2 * np.pi), rng.uniform(-1, 1) * strength / 100
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    across = (x * np.cos(turn) + y * np.sin(turn)) / 2**0.5
    light = 1 - strength / 100 * (0.5 + 0.5 * across)
    tint = np.array((1 + 0.15 * warm, 1.0, 1 - 0.15 * warm))
    return np.clip(image * light[..., None] * tint, 0, 255).astype(np.uint8)


def _set_into_photo(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """The product on a drawn backdrop, with a soft shadow, so that a margin is around it."""
    size = (PHOTO_SIDE, PHOTO_SIDE * 3 // 4)
    scale = (1 - strength / 100) * min(s / i for s, i in zip(size, image.shape[:2], strict=True))
    inner = tuple(max(2, round(side * scale)) for side in image.shape[:2])
    large = resize(image, inner).astype(np.float32)
    cover = resize(np.repeat(product_mask(image)[..., None], 3, axis=2), inner)[..., :1] / 255.0
    backdrops = read_backdrops()
    names = sorted(backdrops)
    scene = backdrops[names[rng.integers(len(names))]].astype(np.float32)
    scene = scene[:, ::-1].copy() if rng.random() < 0.5 else scene.copy()
    top, left = (int(rng.integers(0, s - i + 1)) for s, i in zip(size, inner, strict=True))
    place = (slice(top, top + inner[0]), slice(left, left + inner[1]))
    shadow = np.zeros(size, np.float32)
    shadow[place] = cover[..., 0]
    scene *= 1 - 0.45 * gaussian_filter(np.roll(shadow, (8, 6), axis=(0, 1)), 7)[..., None]
    scene[place] = large * cover + scene[place] * (1 - cover)
    return np.clip(scene, 0, 255).astype(np.uint8)


def _rescale(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return resize(image, tuple(max(2, round(side * strength)) for side in image.shape[:2]))


def _reframe(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """White at the sides, as a square or wide picture has it, and the size of a photo."""
    added = round(image.shape[1] * strength / 100 / 2)
    wide = np.pad(image, ((0, 0), (added, added), (0, 0)), constant_values=255)
    return _rescale(wide, PHOTO_SIDE / max(image.shape[:2]), rng)


def _screenshot(
    image: np.ndarray,
    strength: float,
    rng: np.random.Generator,
    *,
    page: tuple[int, int, int],
    ink: tuple[int, int, int],
) -> np.ndarray:
    """The picture on a phone's screen, with lines of text and a button."""
    width, height = SCREEN_WIDTH, int(SCREEN_WIDTH * rng.uniform(1.9, 2.17))
    screen = Image.new("RGB", (width, height), page)
    pen = ImageDraw.Draw(screen)
    pen.text((20, 8), "9:41", fill=ink)
    pen.text((20, 40), "< Shop   Search   Bag (2)", fill=ink)
    top, ratio = 70 + int(rng.integers(0, 40)), image.shape[0] / image.shape[1]
    wide = width * (1 - strength / 100)
    high = min(wide * ratio, height - top - 140)
    wide, high = max(1, round(min(wide, high / ratio))), max(1, round(high))
    screen.paste(Image.fromarray(image).resize((wide, high)), ((width - wide) // 2, top))
    for line in range(int(rng.integers(2, 5))):
        words = "Product name and a line of text "[: int(rng.integers(12, 32))]
        pen.text((20, top + high + 20 + 22 * line), words, fill=ink)
    pen.rounded_rectangle((20, height - 60, width - 20, height - 20), 8, fill=(230, 60, 90))
    return np.array(screen)


def _frame(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """A frame of one colour around the picture."""
    edge, colour = max(1, round(image.shape[1] * strength / 100)), rng.integers(0, 256, 3)
    framed = np.empty((image.shape[0] + 2 * edge, image.shape[1] + 2 * edge, 3), np.uint8)
    framed[:] = colour
    framed[edge:-edge, edge:-edge] = image
    return framed


def _turn(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(image, -round(strength / 90)))


#: The kinds by name.
PERTURBATIONS: dict[str, Perturbation] = {
    "blur": Perturbation("sigma, % of the width", (1, 2, 4, 6, 8), _blur),
    "JPEG": Perturbation("100 minus JPEG quality", (20, 40, 60, 80, 95), _jpeg),
    "rotation": Perturbation("degrees", (5, 10, 20, 45, 90), _rotate),
    "crop": Perturbation("% of each side cut off", (5, 10, 20, 30, 40), _crop),
    "light": Perturbation("% of the light lost at the dark end", (20, 40, 60, 80, 90), _relight),
    "background": Perturbation(
        "% of each side that is margin", (0, 15, 30, 45, 60), _set_into_photo
    ),
    "framing": Perturbation("% of the width added in white", (10, 33, 66, 100, 150), _reframe),
    "size": Perturbation("times the size", (0.5, 1.5, 2.5, 3.75, 8), _rescale),
    "light screenshot": Perturbation(
        "% of the screen's width beside the picture",
        (0, 10, 20, 30, 45),
        partial(_screenshot, page=(255, 255, 255), ink=(30, 30, 30)),
    ),
    "dark screenshot": Perturbation(
        "% of the screen's width beside the picture",
        (0, 10, 20, 30, 45),
        partial(_screenshot, page=(18, 18, 18), ink=(235, 235, 235)),
    ),
    "frame": Perturbation("edge, % of the width", (3, 6, 10, 15, 25), _frame),
    "quarter turns": Perturbation("degrees clockwise", (90, 180, 270), _turn),
}


def select_perturbations(names: Iterable[str] | None = None) -> dict[str, Perturbation]:
    """Those of ``PERTURBATIONS`` that are named, all for None; QueryError for an unknown one."""
    names = list(PERTURBATIONS) if names is None else list(names)
    for name in names:
        if name not in PERTURBATIONS:
            raise QueryError(
                f"a perturbation of {join_names(PERTURBATIONS)}", f"{name!r}", "use these"
            )
    return {name: PERTURBATIONS[name] for name in names}


def perturb_image_rows(
    image: np.ndarray, *, names: Iterable[str] | None = None, n: int = 3, seed: int = 0
) -> list[tuple[str, list[tuple[np.ndarray, str]]]]:
    """One picture, spoiled in every way, as ``fashify.plots.picture_rows`` draws it."""
    return [
        (
            f"{name}: {one.unit}",
            [(image, "as it is")]
            + [(one(image, s, seed), f"{s:g}") for s in one.choose_strengths(n)],
        )
        for name, one in select_perturbations(names).items()
    ]
