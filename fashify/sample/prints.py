"""What is woven into or printed on a cloth: paints, functions of the product's (x, y)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Paint
from .fabric import Noise, units_per_pixel
from .palette import Colour, bright, darker, lighter, lightness, mixed, partner


def _stripe(t: np.ndarray, period: float, width: float, soft: float) -> np.ndarray:
    """1 on a stripe of ``width`` every ``period``, 0 beside it, edges ``soft`` units wide."""
    away = np.abs((t / period) % 1 - 0.5) * period
    return np.clip((width / 2 - away) / soft + 0.5, 0, 1)


def _blend(base: np.ndarray, colour: Colour, share: np.ndarray) -> np.ndarray:
    return base + (colour - base) * share[..., None]


def _flat(x: np.ndarray, colour: Colour) -> np.ndarray:
    return np.broadcast_to(colour, (*x.shape, 3)).astype(np.float32)


def _turned(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    if not angle:
        return x, y
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return x * cosine + y * sine, y * cosine - x * sine


def at_angle(paint: Paint, angle: float) -> Paint:
    """The same cloth turned, as on a sleeve."""
    return lambda x, y: paint(*_turned(x, y, angle))


def grained(paint: Paint, rng: np.random.Generator, strength: float = 0.02) -> Paint:
    """A paint with the fine unevenness of real cloth."""
    seed = int(rng.integers(2**31))

    def grain(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(seed).standard_normal(x.shape, dtype=np.float32)
        return paint(x, y) * (1 + strength * noise[..., None])

    return grain


def solid(colour: Colour) -> Paint:
    """One colour."""
    return lambda x, y: _flat(x, colour)


def stripes(base: Colour, others: list[Colour], period: float, share: float, angle: float) -> Paint:
    """Stripes in turn of the other colours; angle 0 = horizontal."""

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        soft, out = units_per_pixel(x, y), _flat(x, base)
        _, t = _turned(x, y, angle)
        for i, colour in enumerate(others):
            shift = t + i * period
            out = _blend(out, colour, _stripe(shift, period * len(others), period * share, soft))
        return out

    return paint


def checks(base: Colour, others: list[Colour], period: float, rng: np.random.Generator) -> Paint:
    """Crossing bands: gingham with one other colour, plaid with more."""
    bands = [
        (others[i % len(others)], rng.uniform(0.08, 0.5), rng.uniform(0, 1))
        for i in range(max(1, 2 * (len(others) - 1)))
    ]

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        soft, out = units_per_pixel(x, y), _flat(x, base)
        for colour, width, shift in bands:
            for t in (x, y):
                share = _stripe(t + shift * period, period, width * period, soft)
                out = _blend(out, colour, share * (0.55 if width > 0.15 else 0.8))
        return out

    return paint


def dots(base: Colour, other: Colour, period: float, radius: float) -> Paint:
    """Polka dots in offset rows."""

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        row = np.floor(y / (period * 0.87))
        u = (x / period + 0.5 * (row % 2)) % 1 - 0.5
        v = y / (period * 0.87) - row - 0.5
        away = np.hypot(u * period, v * period * 0.87)
        share = np.clip((radius - away) / units_per_pixel(x, y) + 0.5, 0, 1)
        return _blend(_flat(x, base), other, share)

    return paint


def camouflage(colours: list[Colour], rng: np.random.Generator, size: float) -> Paint:
    """Irregular blotches, one colour over the other."""
    layers = [Noise(rng, size, size * 0.6) for _ in colours[1:]]

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = _flat(x, colours[0])
        for noise, colour in zip(layers, colours[1:], strict=True):
            out = _blend(out, colour, np.clip((noise(x, y) - 0.35) * 12, 0, 1))
        return out

    return paint


def melange(colour: Colour, rng: np.random.Generator, strength: float = 0.07) -> Paint:
    """Yarn of two tones, as sweat cloth has."""
    noise = Noise(rng, 1.4, 0.28)
    return lambda x, y: _flat(x, colour) * (1 + strength * noise(x, y)[..., None])


def denim(colour: Colour, rng: np.random.Generator, fade: Paint | None = None) -> Paint:
    """Twill with a light thread and a worn look where ``fade`` (x, y) -> 0..1 is high."""
    slub, cloud = Noise(rng, 0.5, 5.0), Noise(rng, 9.0, 14.0)
    worn = lighter(colour, 0.55)

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        wear = 0.10 * cloud(x, y) + 0.05 * slub(x, y)
        if fade is not None:
            wear = wear + fade(x, y)
        return _blend(_flat(x, colour), worn, np.clip(wear, -0.15, 0.95))

    return paint


def blocks(colours: list[Colour], cuts: list[float], angle: float = 0.0) -> Paint:
    """Panels of cloth: colour i + 1 below ``cuts[i]``."""

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        soft, out = units_per_pixel(x, y), _flat(x, colours[0])
        _, t = _turned(x, y, angle)
        for cut, colour in zip(cuts, colours[1:], strict=True):
            out = _blend(out, colour, np.clip((t - cut) / soft + 0.5, 0, 1))
        return out

    return paint


def ombre(top: Colour, bottom: Colour, y0: float, y1: float) -> Paint:
    """A soft change of colour from y0 down to y1."""

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        along = np.clip((y - y0) / (y1 - y0), 0, 1)
        return _blend(_flat(x, top), bottom, along * along * (3 - 2 * along))

    return paint


def chevron(base: Colour, others: list[Colour], period: float) -> Paint:
    """Zigzag bands."""
    flat = stripes(base, others, period, 0.5, 0)
    return lambda x, y: flat(x, y + np.abs((x / period) % 2 - 1) * period * 0.9)


def tiled(tile: Image.Image, size: float) -> Paint:
    """A repeating square picture, ``size`` units wide and high, sampled bilinearly."""

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        count = max(8, round(size / units_per_pixel(x, y)))
        scaled = tile.resize((count, count), Image.Resampling.BOX)
        return _sampled(np.asarray(scaled, np.float32) / 255, x / size % 1, y / size % 1)

    return paint


def _sampled(texels: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Bilinear look-up in a wrapped picture (h, w, c); u across and v down in 0..1."""
    height, width, channels = texels.shape
    flat = texels.reshape(-1, channels)
    u, v = np.maximum(u * width - 0.5, 0), np.maximum(v * height - 0.5, 0)
    i, j = u.astype(np.int32) % width, v.astype(np.int32) % height
    u, v = (u % 1)[..., None], (v % 1)[..., None]
    i1, j1 = (i + 1) % width, (j + 1) % height
    top = flat[j * width + i] * (1 - u) + flat[j * width + i1] * u
    low = flat[j1 * width + i] * (1 - u) + flat[j1 * width + i1] * u
    return top * (1 - v) + low * v


def placed(paint: Paint, picture: Image.Image, x0: float, y0: float, width: float) -> Paint:
    """A cloth with one RGBA picture printed on it, its upper left corner at (x0, y0)."""
    tall = width * picture.height / picture.width

    def printed(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = paint(x, y)
        u, v = (x - x0) / width, (y - y0) / tall
        inside = (u > 0) & (u < 1) & (v > 0) & (v < 1)
        if not inside.any():
            return out
        across = max(8, round(width / units_per_pixel(x, y)))
        size = (across, max(8, round(across * tall / width)))
        texels = np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32) / 255
        ink = _sampled(texels, u[inside], v[inside])
        share = ink[:, 3:] * 0.94
        out = np.array(out)
        out[inside] = out[inside] * (1 - share) + ink[:, :3] * share
        return out

    return printed


_TILE = 384


def _fill(colour: Colour) -> tuple[int, int, int]:
    return tuple(int(round(float(c) * 255)) for c in np.clip(colour, 0, 1))


def _wrapped(draw_at: Callable, x: float, y: float, reach: float) -> None:
    """Draw a motif at every place where the tile's edge would cut it."""
    for ox in (-_TILE, 0, _TILE):
        for oy in (-_TILE, 0, _TILE):
            if -reach < x + ox < _TILE + reach and -reach < y + oy < _TILE + reach:
                draw_at(x + ox, y + oy)


def _flower(
    pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, looks: tuple
) -> None:
    petals, petal, heart, leaf = looks
    for side in (0.4, 2.7):
        a = turn + side
        lx, ly = x + np.cos(a) * r * 1.25, y + np.sin(a) * r * 1.25
        pen.ellipse((lx - r * 0.5, ly - r * 0.28, lx + r * 0.5, ly + r * 0.28), fill=_fill(leaf))
    for i in range(petals):
        a = turn + i * 2 * np.pi / petals
        px, py = x + np.cos(a) * r * 0.58, y + np.sin(a) * r * 0.58
        s = r * (0.46 if petals > 5 else 0.52)
        pen.ellipse((px - s, py - s, px + s, py + s), fill=_fill(petal))
        s *= 0.5
        pen.ellipse((px - s, py - s, px + s, py + s), fill=_fill(darker(petal, 0.14)))
    pen.ellipse((x - r * 0.3, y - r * 0.3, x + r * 0.3, y + r * 0.3), fill=_fill(heart))


def floral(base: Colour, rng: np.random.Generator, size: float) -> Paint:
    """Scattered flowers and leaves."""
    tile = Image.new("RGB", (_TILE, _TILE), _fill(base))
    pen = ImageDraw.Draw(tile)
    petals = int(rng.integers(5, 8))
    tones = [partner(rng, base), bright(rng), lighter(bright(rng), 0.4)]
    leaf = mixed(darker(base, 0.3), np.array([0.25, 0.45, 0.25], np.float32), 0.7)
    places = _scattered(rng, 9)
    for i, (x, y) in enumerate(places):
        r = _TILE * rng.uniform(0.07, 0.13)
        looks = (petals, tones[i % 3], tones[(i + 1) % 3], leaf)
        turn = rng.uniform(0, 6)
        _wrapped(lambda px, py, r=r, t=turn, k=looks: _flower(pen, px, py, r, t, k), x, y, r * 2)
    return tiled(tile, size)


def _scattered(rng: np.random.Generator, count: int) -> list[tuple[float, float]]:
    """Places on the tile that keep apart from one another."""
    places: list[tuple[float, float]] = []
    for _ in range(count * 12):
        x, y = rng.uniform(0, _TILE, 2)
        gaps = [
            np.hypot(min(abs(x - a), _TILE - abs(x - a)), min(abs(y - b), _TILE - abs(y - b)))
            for a, b in places
        ]
        if not gaps or min(gaps) > _TILE * 0.78 / np.sqrt(count):
            places.append((x, y))
    return places[:count]


def _paisley(
    pen: ImageDraw.ImageDraw, x: float, y: float, r: float, turn: float, tones: list
) -> None:
    t = np.linspace(0, 2 * np.pi, 40)
    drop = np.column_stack([np.cos(t) * (1 - 0.45 * np.sin(t)), 1.35 * np.sin(t)])
    drop[:, 0] += 0.35 * np.clip(drop[:, 1], 0, 2) ** 2
    cosine, sine = np.cos(turn), np.sin(turn)
    drop = drop @ np.array([[cosine, sine], [-sine, cosine]])
    for size, tone in zip((1.0, 0.78, 0.45), tones, strict=True):
        points = [tuple(p) for p in (drop * r * size + (x, y)).tolist()]
        pen.polygon(points, fill=_fill(tone))


def ethnic(base: Colour, rng: np.random.Generator, size: float) -> Paint:
    """Block print: paisleys or small blossoms in regular rows."""
    tile = Image.new("RGB", (_TILE, _TILE), _fill(base))
    pen = ImageDraw.Draw(tile)
    gold = np.array([0.86, 0.68, 0.32], np.float32)
    tones = [partner(rng, base), gold if lightness(base) < 0.6 else bright(rng), bright(rng)]
    step = _TILE / 2
    paisley = rng.random() < 0.55
    for row in range(2):
        for column in range(2):
            x, y = (column + 0.25 + 0.5 * row) * step, (row + 0.5) * step
            if paisley:
                _wrapped(
                    lambda px, py, s=row: _paisley(pen, px, py, step * 0.2, 0.5 - s, tones),
                    x, y, step * 0.5,
                )  # fmt: skip
            else:
                looks = (8, tones[0], tones[1], tones[1])
                _wrapped(lambda px, py, k=looks: _flower(pen, px, py, step * 0.2, 0, k), x, y, step)
            dot = step * 0.035
            for ox in (0.0, 0.5):
                cx, cy = (column + ox) * step + step * 0.02, row * step + step * 0.02
                pen.ellipse((cx, cy, cx + 2 * dot, cy + 2 * dot), fill=_fill(tones[1]))
    return tiled(tile, size)


def geometric(base: Colour, rng: np.random.Generator, size: float) -> Paint:
    """Rhombs or triangles in a few tones."""
    tile = Image.new("RGB", (_TILE, _TILE), _fill(base))
    pen = ImageDraw.Draw(tile)
    tones = [partner(rng, base), mixed(base, partner(rng, base), 0.5), bright(rng)]
    count = int(rng.integers(3, 5))
    step = _TILE / count
    rhomb = rng.random() < 0.5
    for row in range(count):
        for column in range(count):
            x, y = column * step, row * step
            tone = _fill(tones[int(rng.integers(3))])
            if rhomb:
                points = [(x + step / 2, y), (x + step, y + step / 2), (x + step / 2, y + step)]
                pen.polygon([*points, (x, y + step / 2)], fill=tone)
            else:
                pen.polygon([(x, y + step), (x + step / 2, y), (x + step, y + step)], fill=tone)
    return tiled(tile, size)


def animal(base: Colour, rng: np.random.Generator, size: float) -> Paint:
    """Leopard-like spots."""
    noise, inner = Noise(rng, size), Noise(rng, size * 0.5)
    dark, mid = darker(base, 0.75), darker(base, 0.3)

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        value = noise(x, y) + 0.35 * inner(x, y)
        ring = np.clip((0.28 - np.abs(value - 0.75)) * 9, 0, 1)
        out = _blend(_flat(x, base), mid, np.clip((value - 0.8) * 9, 0, 1))
        return _blend(out, dark, ring)

    return paint
