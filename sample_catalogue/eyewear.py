"""Sunglasses: six shapes of frame with graded lenses. Units are centimetres."""

from __future__ import annotations

import numpy as np

from . import fabric, prints
from .canvas import Canvas
from .looks import Look, fit
from .palette import Colour, darker, jittered, lighter, metal, rgb
from .shapes import Points, band, curve, ellipse, flipped, shape

_LENSES: dict[str, Points] = {
    "aviator": [(1.0, -1.6), (3.6, -2.2), (6.0, -1.6), (6.3, 0.4), (4.6, 2.9), (2.4, 2.6), (1.0, 0.4)],
    "wayfarer": [(1.0, -1.8, 1), (4.0, -2.2), (6.6, -2.1, 1), (6.1, 0.6), (4.4, 2.2), (2.2, 1.9), (1.1, 0.2)],
    "round": [(1.0, 0), (1.8, -1.8), (3.6, -2.5), (5.4, -1.8), (6.2, 0), (5.4, 1.8), (3.6, 2.5), (1.8, 1.8)],
    "oversize": [(0.8, -1.4), (2.4, -2.7), (5.2, -2.7), (6.9, -1.2), (6.4, 1.6), (4.2, 2.9), (1.8, 2.2)],
    "sport": [(0.5, -1.2, 1), (3.4, -1.7), (7.0, -1.4, 1), (6.4, 0.5), (3.9, 1.6), (1.4, 1.2)],
    "cat": [(1.0, -1.3), (3.6, -2.0), (7.0, -2.9, 1), (6.3, 0.2), (4.4, 2.0), (2.2, 1.8)],
}  # fmt: skip


def sunglasses(canvas: Canvas, look: Look) -> None:
    """Aviator, wayfarer, round, oversized, sports or cat-eye; graded lenses with a glare."""
    rng = look.rng
    kind = str(rng.choice(list(_LENSES)))
    fit(canvas, -8, -4, 8, 4, width=160)
    canvas.ground(canvas.mask(ellipse(0.4, 3.5, 6.6, 0.35)), 0.5, 0.3)
    wired = kind in ("aviator", "round") and look.chance(0.75)
    frame = metal(rng, look.colour_name) if wired else look.colour
    relief = fabric.METAL.but(depth=0.12) if wired else fabric.PLASTIC.but(depth=0.35)
    lens = jittered(
        rng, rgb(str(look.pick("Charcoal", "Brown", "Charcoal", "Olive", "Navy Blue", "Purple")))
    )
    _temples(canvas, frame, kind, look)
    outline = shape(_LENSES[kind])
    for line in (outline, flipped(outline)):
        _lens(canvas, line, lens, look)
        rim = 0.22 if wired else rng.uniform(0.4, 0.7)
        if kind != "sport":
            canvas.part(canvas.line(np.vstack([line, line[:2]]), rim), frame, relief)
    _bridge(canvas, kind, frame, relief, wired)


def _temples(canvas: Canvas, frame: Colour, kind: str, look: Look) -> None:
    for side in (-1, 1):
        arm = curve(
            [
                (side * 6.6, -1.6),
                (side * 7.5, -1.7),
                (side * 7.4, -0.4),
                (side * 6.2, 2.6),
                (side * 5.4, 3.3),
            ]
        )
        wide = np.linspace(0.7, 0.4, len(arm)) * (1.0 if kind not in ("aviator", "round") else 0.45)
        canvas.part(
            canvas.mask(band(arm, wide)), darker(frame, 0.15), fabric.PLASTIC.but(depth=0.15)
        )
        if look.chance(0.3):
            canvas.part(
                canvas.mask(ellipse(side * 7.1, -1.6, 0.25)),
                metal(look.rng),
                fabric.METAL.but(depth=0.1),
            )


def _lens(canvas: Canvas, outline: np.ndarray, lens: Colour, look: Look) -> None:
    top, low = outline[:, 1].min(), outline[:, 1].max()
    graded = prints.ombre(darker(lens, 0.25), lighter(lens, 0.35), top, low + 0.6)
    canvas.part(
        canvas.mask(outline),
        graded,
        fabric.PLASTIC.but(depth=0.5, bulge=0.5, gloss=0.2, shadow=0.15),
    )
    middle = outline.mean(axis=0)
    inner = middle + (outline - middle) * 0.86
    glare = np.array(
        [
            (middle[0] - 2.4, top),
            (middle[0] - 0.6, top),
            (middle[0] - 2.0, low),
            (middle[0] - 3.4, low),
        ]
    )
    cover = np.zeros_like(canvas.alpha)
    inside = canvas.mask(inner)
    rows, columns = inside.values.shape
    cover[inside.top : inside.top + rows, inside.left : inside.left + columns] = inside.values
    canvas.flat(canvas.mask(glare).within(cover), (0.95, 0.97, 1.0), 0.2)
    thin = glare[[1, 1, 2, 2]] + np.array([(0.3, 0), (0.6, 0), (0.6, 0), (0.3, 0)])
    canvas.flat(canvas.mask(thin).within(cover), (0.95, 0.97, 1.0), 0.16)


def _bridge(canvas: Canvas, kind: str, frame: Colour, relief, wired: bool) -> None:
    if wired:
        for y in (-1.7, -0.7) if kind == "aviator" else (-0.9,):
            line = curve([(-1.2, y), (0, y - 0.35), (1.2, y)])
            canvas.part(canvas.line(line, 0.2), frame, relief)
    elif kind == "sport":
        top = curve([(-7.0, -1.5), (-3.4, -1.9), (0, -1.35), (3.4, -1.9), (7.0, -1.5)])
        canvas.part(canvas.line(top, 0.5), frame, relief)
    else:
        line = curve([(-1.25, -0.9), (0, -1.35), (1.25, -0.9)])
        canvas.part(canvas.line(line, 0.6), frame, relief)
    for side in (-1, 1):
        pad = ellipse(side * 0.95, 0.5, 0.16, 0.4)
        canvas.part(canvas.mask(pad), (0.86, 0.84, 0.8), fabric.PLASTIC.but(depth=0.1, shadow=0.1))
