"""Heels: pumps, sling-backs, straps, wedges and mules, seen from the side.

Units are centimetres; the floor is y = 0, up is negative.
"""

from __future__ import annotations

import numpy as np

from . import fabric
from .canvas import Canvas
from .looks import Look
from .palette import bright, darker, lighter, metal, rgb
from .sandals import FOOTBED, upper_material
from .shapes import band, box, curve, ellipse, shape
from .shoes import stand


def _sole_line(heel: float) -> np.ndarray:
    """The foot's bed from heel to toe for a heel of the given height."""
    return curve(
        [(-9.6, -heel - 0.6), (-7.2, -heel - 0.5), (-3.4, -heel * 0.78 - 0.6), (1.6, -heel * 0.28 - 0.8), (5.4, -1.0), (9.2, -0.7), (11.6, -0.9)]
    )  # fmt: skip


def heels(canvas: Canvas, look: Look) -> None:
    """Pumps, peep toes, ankle straps, wedges, platforms, mules."""
    rng = look.rng
    kind = str(look.pick("pump", "pump", "strappy", "wedge", "sling", "mule"))
    heel = rng.uniform(6.5, 10.5)
    stand(canvas, half=13.5, top=-17.5)
    leather = fabric.PATENT if look.chance(0.4) else fabric.LEATHER
    if look.chance(0.25):
        leather = fabric.SUEDE
    paint = upper_material(look)
    line = _sole_line(heel)
    _heel(canvas, kind, heel, look)
    sole = band(line, 0.7)
    canvas.part(
        canvas.mask(sole),
        FOOTBED if look.chance(0.6) else darker(look.colour, 0.4),
        fabric.LEATHER.but(depth=0.4),
    )
    if kind in ("pump", "sling"):
        _pump(canvas, heel, look, paint, leather, closed=kind == "pump")
    else:
        _straps(canvas, heel, look, paint, leather)
    if kind in ("strappy", "sling", "wedge"):
        _ankle(canvas, heel, look, paint)


def _heel(canvas: Canvas, kind: str, heel: float, look: Look) -> None:
    cork = np.array([0.74, 0.56, 0.38], np.float32)
    if kind == "wedge":
        noise = fabric.Noise(look.rng, 0.5)
        outline = shape(
            [
                (-9.8, -heel - 0.4, 1),
                (-3.2, -heel * 0.78),
                (2, -heel * 0.28 - 0.4),
                (6, -0.9),
                (11.6, -0.8, 1),
                (10.8, 0, 1),
                (-8.8, 0, 1),
            ]
        )

        def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            return cork * (1 + 0.12 * noise(x, y)[..., None])

        canvas.part(canvas.mask(outline), paint, fabric.SUEDE.but(depth=1.4))
        return
    slim = look.rng.choice((0.45, 0.7, 1.5))
    outline = shape([(-9.9, -heel - 0.6, 1), (-10.0, -heel * 0.7), (-8.9 - slim * 0.2, 0, 1), (-8.6 + slim, 0, 1), (-7.6 + slim * 0.7, -heel * 0.55), (-4.4, -heel * 0.8 - 0.2, 1), (-7, -heel - 0.4)])  # fmt: skip
    tone = look.colour if look.chance(0.7) else rgb("Coffee Brown")
    canvas.part(canvas.mask(outline), darker(tone, 0.06), fabric.PATENT.but(depth=0.8))
    canvas.part(
        canvas.mask(box(-9.0 - slim * 0.2, -0.5, -8.5 + slim, 0.02)),
        (0.15, 0.15, 0.16),
        fabric.FLAT,
    )


def _pump(canvas: Canvas, heel: float, look: Look, paint, leather, *, closed: bool) -> None:
    inner = shape([(-9.2, -heel - 4.6), (-5, -heel - 2.2), (1.0, -heel * 0.4 - 3.4), (4.6, -3.2), (2.4, -1.6), (-4, -heel * 0.8 - 0.9), (-9, -heel - 1.2)])  # fmt: skip
    if closed:
        canvas.part(canvas.mask(inner), FOOTBED, fabric.LEATHER.but(bulge=-0.5))
    toe = look.rng.uniform(10.8, 12.6)
    front = [
        (4.6, -3.9, 1),
        (7.4, -3.7),
        (9.6, -2.6),
        (toe, -0.8, 1),
        (8.4, -0.5),
        (5.2, -0.8),
        (1.4, -heel * 0.28 - 0.7, 1),
    ]
    if closed:
        points = [(-9.9, -heel - 0.4, 1), (-10.3, -heel - 2.6), (-9.5, -heel - 5.0, 1), (-6.4, -heel - 2.6), (-2.2, -heel * 0.7 - 2.2), (1.6, -heel * 0.34 - 2.4), *front, (-3.4, -heel * 0.78 - 0.4), (-7.2, -heel - 0.2)]  # fmt: skip
    else:
        points = [*front, (0.8, -heel * 0.34 - 2.6, 1), (2.6, -heel * 0.26 - 3.0)]
    outline = shape(points)
    canvas.part(canvas.mask(outline), paint, leather.but(depth=1.8))
    detail = look.pick("bow", "none", "buckle", "cap", "none")
    if detail == "bow":
        for side in (-1, 1):
            loop = shape([(5.2, -3.8), (5.2 + side * 1.6, -5.0), (5.2 + side * 2.0, -3.4)])
            canvas.part(
                canvas.mask(loop),
                darker(look.colour, 0.08),
                fabric.SATIN.but(depth=0.6, shadow=0.35),
            )
    elif detail == "buckle":
        ring = canvas.mask(box(4.4, -4.4, 7.0, -2.6, 0.5), holes=(box(5.0, -3.9, 6.4, -3.1, 0.3),))
        canvas.part(ring, metal(look.rng), fabric.METAL.but(depth=0.3))
    elif detail == "cap":
        cap = shape([(8.6, -3.3, 1), (10.2, -2.2), (toe, -0.8, 1), (8.6, -0.5, 1), (8.9, -1.9)])
        canvas.part(
            canvas.mask(cap).within(canvas.alpha), look.second, leather.but(depth=0.9, shadow=0.15)
        )


def _straps(canvas: Canvas, heel: float, look: Look, paint, leather) -> None:
    count = int(look.rng.integers(1, 4))
    wide = (3.6, 1.6, 1.0)[count - 1]
    for i in range(count):
        x = 5.6 + (i - (count - 1) / 2) * 2.4
        strap = curve([(x - 2.2, -1.2), (x - 1.6, -3.6), (x + 0.3, -4.9), (x + 1.8, -4.3)])
        canvas.part(canvas.mask(band(strap, wide)), paint, leather.but(depth=0.6, shadow=0.4))
    if look.chance(0.4):
        for i in range(5):
            stone = ellipse(4.2 + 0.8 * i, -4.1 - 0.2 * np.sin(i), 0.32)
            canvas.part(
                canvas.mask(stone), lighter(bright(look.rng), 0.4), fabric.METAL.but(depth=0.25)
            )


def _ankle(canvas: Canvas, heel: float, look: Look, paint) -> None:
    relief = fabric.LEATHER.but(depth=0.4, shadow=0.35)
    back = curve([(-9.4, -heel - 0.9), (-9.9, -heel - 3.6), (-9.2, -heel - 6.4)])
    canvas.part(canvas.line(back, 1.3), paint, relief)
    loop = ellipse(-6.0, -heel - 6.2, 3.9, 1.25)
    canvas.part(canvas.line(loop, 0.8), paint, relief)
    buckle = canvas.mask(box(-4.2, -heel - 6.0, -2.8, -heel - 4.4, 0.25), holes=(box(-3.9, -heel - 5.6, -3.1, -heel - 4.8, 0.1),))  # fmt: skip
    canvas.part(buckle, metal(look.rng), fabric.METAL.but(depth=0.25))
