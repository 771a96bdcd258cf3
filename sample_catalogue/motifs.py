"""Repeating prints drawn motif by motif: flowers, paisleys, rhombs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Paint
from .palette import Colour, bright, darker, lighter, lightness, mixed, partner
from .prints import tiled

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
