"""Photo queries: products of the sample as a phone would see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageFilter

from .backdrops import BACKDROPS
from .canvas import Shot, blur
from .drawing import draw
from .plan import Product

#: The columns of queries.csv.
QUERY_COLUMNS = ("file", "item_id", "article_type", "product_name", "backdrop")
_SIZE = (640, 480)
_PX = 640 / 240
#: What lies where; the first type of each line is on the first backdrop.
_SETTINGS = (
    ("Tshirts", "bed linen"),
    ("Shirts", "sofa"),
    ("Dresses", "brick wall"),
    ("Jeans", "carpet"),
    ("Casual Shoes", "wooden floor"),
    ("Handbags", "pavement"),
    ("Watches", "desk"),
    ("Backpacks", "grass"),
)


@dataclass(frozen=True)
class Query:
    """One photo query: its row of queries.csv and how to take the photo."""

    row: dict
    photo: partial


def photo_queries(products: list[Product], seed: int) -> list[Query]:
    """Eight queries, each a product of another type on another backdrop."""
    queries = []
    for number, (article_type, backdrop) in enumerate(_SETTINGS):
        rng = np.random.default_rng([seed, number, 7])
        able = [p for p in products if p.row["articleType"] == article_type]
        product = able[int(rng.integers(len(able)))]
        name = article_type.lower().replace(" ", "-")
        row = {
            "file": f"query-{number + 1}-{name}.jpg",
            "item_id": product.item_id,
            "article_type": article_type,
            "product_name": product.row["productDisplayName"],
            "backdrop": backdrop,
        }
        queries.append(Query(row, partial(_photo, product, backdrop, (seed, number, 8))))
    return queries


def _photo(product: Product, backdrop: str, seed: tuple[int, ...]) -> np.ndarray:
    """The finished photo, (640, 480, 3) uint8."""
    rng = np.random.default_rng(seed)
    shot = Shot(
        zoom=float(rng.uniform(0.98, 1.16)),
        dx=float(rng.normal(0, 9)),
        dy=float(rng.normal(0, 9)),
        angle=float(rng.choice((-1, 1)) * rng.uniform(4, 15)),
    )
    canvas = draw(product, px=_PX, shot=shot)
    scene = BACKDROPS[backdrop](rng, _SIZE)
    near = np.roll(blur(canvas.alpha, 5), (9, 7), axis=(0, 1))
    wide = np.roll(blur(canvas.alpha, 22), (20, 14), axis=(0, 1))
    dark = (1 - 0.42 * near) * (1 - 0.3 * wide) * (1 - canvas.shadow)
    scene = np.clip(scene, 0, 1) * dark[..., None]
    cover = canvas.alpha[..., None]
    return _as_phone(canvas.rgb * 0.96 + scene * (1 - cover), rng)


def _as_phone(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Uneven, tinted light, a soft lens and sensor noise."""
    height, width = scene.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    light = 0.92 + rng.uniform(0.1, 0.22) * (x * np.cos(turn) + y * np.sin(turn))
    light -= rng.uniform(0.05, 0.14) * (x * x + y * y)
    warm = rng.uniform(-0.05, 0.07)
    tint = np.array((1 + warm, 1.0, 1 - warm), np.float32)
    picture = np.clip(scene * light[..., None].astype(np.float32) * tint, 0, 1)
    soft = Image.fromarray((picture * 255).astype(np.uint8))
    soft = soft.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.1))))
    grain = blur(rng.standard_normal((height, width), dtype=np.float32), 0.7)
    noisy = np.asarray(soft, np.float32) + 7 * grain[..., None]
    noisy += rng.standard_normal(noisy.shape, dtype=np.float32) * 2.5
    return np.clip(noisy, 0, 255).astype(np.uint8)
