"""What is woven into or printed on a cloth: paints, functions of the product's (x, y)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .canvas import Paint
from .fabric import Noise, units_per_pixel
from .palette import Colour, darker, lighter


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
