"""What a phone sees behind a product: floors, walls, cloth, grass; (h, w, 3) float32 in 0..1."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .canvas import blur
from .fabric import Noise

Size = tuple[int, int]


def _plane(size: Size, angle: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates (x, y), turned by ``angle`` degrees."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
    turn = np.float32(np.radians(angle))
    return x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)


def _toned(tone: tuple, value: np.ndarray) -> np.ndarray:
    return np.asarray(tone, np.float32) * value[..., None]


def _lit(height: np.ndarray, strength: float) -> np.ndarray:
    """Light and shade of a height field, around 1."""
    slope_y, slope_x = np.gradient(height)
    return np.clip(1 + strength * (0.6 * slope_x + 0.8 * slope_y), 0.3, 1.5)


def wooden_floor(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Planks with grain and dark joints."""
    x, y = _plane(size, rng.uniform(-12, 12) + 90 * int(rng.integers(2)))
    wide = rng.uniform(70, 110)
    row = np.floor(y / wide).astype(int)
    tones = rng.normal(1, 0.1, 64).astype(np.float32)
    shift = rng.uniform(0, 400, 64).astype(np.float32)
    plank = np.floor((x + shift[row % 64]) / 330).astype(int)
    grain = Noise(rng, 60, 2.2)(x + 91 * (row % 7), y) * 0.06 + Noise(rng, 170, 9)(x, y) * 0.09
    joint = np.minimum(y % wide, (x + shift[row % 64]) % 330)
    value = (tones[(row * 5 + plank * 3) % 64] + grain) * np.clip(0.45 + joint / 4, 0, 1)
    base = ((0.62, 0.43, 0.27), (0.5, 0.33, 0.2), (0.72, 0.56, 0.38))[rng.integers(3)]
    return _toned(base, value)


def bed_linen(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A rumpled sheet, plain or striped."""
    x, y = _plane(size, rng.uniform(0, 60))
    height = Noise(rng, 110, 60)(x, y) * 26 + Noise(rng, 40, 190)(x, y) * 14
    height += 9 * np.abs(Noise(rng, 90, 45)(x, y))
    value = _lit(blur(height.astype(np.float32), 3), 0.35)
    sheet = np.broadcast_to(np.array((0.83, 0.84, 0.87), np.float32), (*size, 3)).copy()
    if rng.random() < 0.6:
        stripe = np.clip(8 - np.abs((x + height * 0.3) % 46 - 23), 0, 1)[..., None] * 0.6
        sheet = sheet * (1 - stripe) + stripe * np.array((0.45, 0.56, 0.72), np.float32)
    return sheet * value[..., None]


def brick_wall(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A street wall of bricks."""
    x, y = _plane(size, rng.uniform(-3, 3))
    high, wide = 38.0, 92.0
    row = np.floor(y / high).astype(int)
    column = np.floor((x + (row % 2) * wide / 2) / wide).astype(int)
    away = np.minimum(
        np.minimum(y % high, high - y % high),
        np.minimum((x + (row % 2) * wide / 2) % wide, wide - (x + (row % 2) * wide / 2) % wide),
    )
    brick = np.clip((away - 2.6) / 2.5, 0, 1)
    tones = rng.normal(1, 0.14, 97).astype(np.float32)
    rough = 1 + 0.1 * Noise(rng, 3)(x, y) + 0.1 * Noise(rng, 26)(x, y)
    colour = _toned((0.56, 0.3, 0.23), tones[(row * 31 + column * 17) % 97] * rough)
    mortar = _toned((0.63, 0.6, 0.56), rough)
    wall = mortar + (colour - mortar) * brick[..., None]
    return wall * _lit(blur(brick.astype(np.float32), 1.2) * 3, 0.22)[..., None]


def carpet(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A woven rug with a pattern of rhombs."""
    x, y = _plane(size, rng.uniform(-25, 25))
    fibre = 1 + 0.16 * Noise(rng, 2.2)(x, y) + 0.08 * Noise(rng, 14)(x, y)
    u, v = np.abs((x / 120) % 1 - 0.5), np.abs((y / 150) % 1 - 0.5)
    ring = np.sin((u + v + 0.02 * Noise(rng, 6)(x, y)) * 30)
    tones = np.array(((0.45, 0.14, 0.16), (0.78, 0.68, 0.52), (0.16, 0.2, 0.3)), np.float32)
    index = np.where(ring > 0.55, 1, np.where(ring < -0.72, 2, 0))
    return tones[index] * fibre[..., None]


def grass(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A lawn, blade by blade."""
    page = Image.new("RGB", (size[1], size[0]), (48, 66, 30))
    pen = ImageDraw.Draw(page)
    count = 5200
    x, y = rng.uniform(-10, size[1] + 10, count), rng.uniform(0, size[0] + 30, count)
    lean, tall = rng.normal(0, 7, count), rng.uniform(9, 26, count)
    bright = rng.uniform(0.45, 1.15, count)
    tint = rng.uniform(0, 1, count)
    for i in range(count):
        tone = np.array((78 + 60 * tint[i], 126 + 22 * tint[i], 52)) * bright[i]
        pen.line(
            (x[i], y[i], x[i] + lean[i] * 0.4, y[i] - tall[i] * 0.6, x[i] + lean[i], y[i] - tall[i]),
            fill=tuple(int(c) for c in tone), width=2,
        )  # fmt: skip
    page = page.filter(ImageFilter.GaussianBlur(0.7))
    return np.asarray(page, np.float32) / 255


def desk(rng: np.random.Generator, size: Size) -> np.ndarray:
    """A desk top with papers, a pen and the ring of a cup."""
    surface = wooden_floor(rng, (size[0] * 2, size[1] * 2))[: size[0], : size[1]] * 0.9
    page = Image.fromarray((np.clip(surface, 0, 1) * 255).astype(np.uint8))
    pen = ImageDraw.Draw(page)
    for _ in range(2):
        x, y, turn = (
            rng.uniform(-60, size[1] - 120),
            rng.uniform(-80, size[0] - 160),
            rng.uniform(-0.5, 0.5),
        )
        corner = np.array([(0, 0), (250, 0), (250, 330), (0, 330)], float)
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        pen.polygon(
            [tuple(p) for p in (corner @ spin + (x + 6, y + 8)).tolist()], fill=(70, 52, 38)
        )
        pen.polygon([tuple(p) for p in (corner @ spin + (x, y)).tolist()], fill=(232, 230, 222))
        for i in range(14):
            line = np.array([(24, 40 + 19 * i), (rng.uniform(130, 226), 40 + 19 * i)]) @ spin + (
                x,
                y,
            )
            pen.line([tuple(p) for p in line.tolist()], fill=(142, 146, 158), width=3)
    x, y = rng.uniform(40, size[1] - 80), rng.uniform(30, 120)
    pen.ellipse((x - 46, y - 46, x + 46, y + 46), outline=(96, 62, 40), width=4)
    pen.line((size[1] - 60, size[0] - 200, size[1] - 20, size[0] - 20), fill=(30, 44, 92), width=11)
    page = page.filter(ImageFilter.GaussianBlur(0.8))
    return np.asarray(page, np.float32) / 255


def pavement(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Concrete slabs with stains and grit."""
    x, y = _plane(size, rng.uniform(-20, 20))
    grit = (
        1 + 0.09 * Noise(rng, 1.6)(x, y) + 0.07 * Noise(rng, 40)(x, y) + 0.05 * Noise(rng, 9)(x, y)
    )
    joint = np.minimum(np.minimum(x % 260, 260 - x % 260), np.minimum(y % 260, 260 - y % 260))
    return _toned((0.58, 0.57, 0.55), grit * np.clip(0.4 + joint / 7, 0, 1))


def sofa(rng: np.random.Generator, size: Size) -> np.ndarray:
    """Coarse upholstery with a seam and the shade of a cushion."""
    x, y = _plane(size, rng.uniform(-8, 8))
    weave = 1 + 0.1 * np.sin(x * 1.6) * np.sin(y * 1.6) + 0.07 * Noise(rng, 3)(x, y)
    seam = size[0] * rng.uniform(0.25, 0.4)
    shade = np.clip(0.5 + np.abs(y - seam) / 60, 0, 1) * (1 + 0.08 * Noise(rng, 150)(x, y))
    tone = ((0.36, 0.45, 0.47), (0.55, 0.5, 0.43), (0.42, 0.37, 0.46))[rng.integers(3)]
    return _toned(tone, weave * shade)


#: Every backdrop by its name in queries.csv.
BACKDROPS = {
    "bed linen": bed_linen,
    "wooden floor": wooden_floor,
    "brick wall": brick_wall,
    "carpet": carpet,
    "grass": grass,
    "desk": desk,
    "pavement": pavement,
    "sofa": sofa,
}
