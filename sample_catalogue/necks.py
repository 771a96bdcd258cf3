"""Necks, collars, hoods, plackets, buttons, pockets and zips of upper garments."""

from __future__ import annotations

import numpy as np

from . import fabric
from .canvas import Canvas, Paint
from .looks import Look
from .palette import darker, lighter, lightness, mixed
from .shapes import band, box, curve, ellipse, flipped, shifted
from .tops import Cut, draw_inside, neckline


def thread(colour: np.ndarray) -> np.ndarray:
    """A stitching colour that shows on a cloth."""
    away = lighter(colour, 0.45) if lightness(colour) < 0.5 else darker(colour, 0.35)
    return mixed(colour, away, 0.75)


def rib_neck(canvas: Canvas, cut: Cut, look: Look, colour: np.ndarray, width: float = 2.2) -> None:
    """The knitted band along the neckline."""
    line = neckline(cut)
    outline = band(line, width, offset=-width * 0.3)
    relief = fabric.KNIT.but(depth=1.2, shadow=0.2, reach=0.6)
    canvas.part(canvas.mask(outline), colour, relief)
    canvas.flat(canvas.dashes(shifted(line, -width * 1.05), 0.2, 0.6, 0.4), thread(colour), 0.45)


def button(canvas: Canvas, x: float, y: float, radius: float, colour: np.ndarray) -> None:
    """A sewn button."""
    canvas.part(
        canvas.mask(ellipse(x, y, radius)),
        colour,
        fabric.PLASTIC.but(depth=0.4, shadow=0.5, reach=0.4),
    )
    for dx in (-0.25, 0.25):
        hole = ellipse(x + dx * radius, y, radius * 0.16)
        canvas.flat(canvas.mask(hole), darker(colour, 0.6))


def placket(
    canvas: Canvas, look: Look, paint: Paint, top: float, bottom: float, *, width: float = 3.2,
    count: int = 7, buttons: np.ndarray | None = None, x: float = 0.0,
) -> None:  # fmt: skip
    """The buttoned strip down the front."""
    outline = box(x - width / 2, top, x + width / 2, bottom, 0.4)
    canvas.part(canvas.mask(outline), paint, fabric.WOVEN.but(depth=0.8, bulge=0.5, shadow=0.28))
    for side in (-1, 1):
        edge = np.array(
            [(x + side * (width / 2 - 0.4), top), (x + side * (width / 2 - 0.4), bottom)]
        )
        canvas.flat(canvas.dashes(edge, 0.16, 0.6, 0.4), thread(look.colour), 0.45)
    tone = np.array([0.9, 0.88, 0.83], np.float32) if buttons is None else buttons
    for y in np.linspace(top + 1.6, bottom - max(2.0, (bottom - top) * 0.09), count):
        button(canvas, x, float(y), 0.8, tone)


def collar(
    canvas: Canvas, cut: Cut, look: Look, paint: Paint, *, spread: float = 1.0, open_by: float = 0.0
) -> None:
    """A turned-down shirt or polo collar; ``open_by`` cm of the front left open."""
    w = cut.neck
    back = curve([(-w, 1.5, 1), (-w * 0.75, -3.0), (0, -4.2), (w * 0.75, -3.0), (w, 1.5, 1), (0, 5 + open_by, 1)], closed=True)  # fmt: skip
    canvas.part(canvas.mask(back), darker(look.colour, 0.32), fabric.FLAT)
    label = box(-1.8, -1.6, 1.8, 0.6, 0.2)
    canvas.part(canvas.mask(label), (0.93, 0.92, 0.9), fabric.FLAT)
    inner = open_by * 0.3
    leaf = curve(
        [
            (0.15 + inner, 4.4 + open_by, 1),
            (4.6 * spread + inner, 11.2 + open_by * 0.5, 1),
            (w + 1.6, 4.4),
            (w + 1.4, -0.6),
            (w * 0.72, -3.9, 1),
            (w * 0.62, -1.2),
            (w * 0.42 + inner, 1.8),
        ],
        closed=True,
    )
    relief = fabric.WOVEN.but(depth=1.6, bulge=0.8, shadow=0.34, reach=1.1)
    for line in (leaf, flipped(leaf)):
        canvas.part(canvas.mask(line), paint, relief)
        stitched = line[:: max(1, len(line) // 60)]
        inside = stitched + (stitched.mean(axis=0) - stitched) * 0.13
        canvas.flat(
            canvas.dashes(inside[: len(inside) * 2 // 3], 0.15, 0.5, 0.4), thread(look.colour), 0.35
        )


def mandarin(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    """A low upright collar."""
    w = cut.neck
    back = curve([(-w, 0.5, 1), (0, -3.4), (w, 0.5, 1), (0, 4.6, 1)], closed=True)
    canvas.part(canvas.mask(back), darker(look.colour, 0.34), fabric.FLAT)
    for side in (1, -1):
        line = curve([(0.3, 5.4), (w * 0.55, 3.6), (w * 0.98, -0.6)]) * (side, 1)
        relief = fabric.WOVEN.but(depth=1.0, shadow=0.3)
        canvas.part(canvas.mask(band(line, 3.0, offset=0.6 * side)), paint, relief)


def hood(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    """A hood lying on the shoulders, with its cords."""
    w = cut.neck + 3.0
    outer = curve([(-w - 1.5, 6, 1), (-w - 2, -2), (-w * 0.7, -9.5), (0, -11.5), (w * 0.7, -9.5), (w + 2, -2), (w + 1.5, 6, 1), (0, 14.5, 1)], closed=True)  # fmt: skip
    inner = curve([(-w + 2.2, 2), (-w * 0.62, -5), (0, -7), (w * 0.62, -5), (w - 2.2, 2), (0, 11.5, 1)], closed=True)  # fmt: skip
    canvas.part(canvas.mask(outer), paint, fabric.KNIT.but(depth=3.5, shadow=0.35, reach=1.6))
    canvas.part(
        canvas.mask(inner), darker(look.colour, 0.45), fabric.JERSEY.but(bulge=-0.8, shadow=0)
    )
    tone = lighter(look.colour, 0.6) if lightness(look.colour) < 0.7 else darker(look.colour, 0.3)
    for side in (-1, 1):
        cord = curve(
            [(side * 2.2, 10.5), (side * 3.0, 17), (side * (2.4 + look.rng.uniform(0, 2)), 24)]
        )
        canvas.part(canvas.line(cord, 0.8), tone, fabric.RUBBER.but(depth=0.4, shadow=0.35))
        end = cord[-1]
        canvas.part(
            canvas.line(np.array([end, end + (0, 1.4)]), 1.0), (0.75, 0.75, 0.78), fabric.METAL
        )


def roll_neck(canvas: Canvas, cut: Cut, look: Look) -> None:
    """A turtle neck."""
    w = cut.neck * 0.86
    outline = curve([(-w, -6.5, 1), (0, -7.6), (w, -6.5, 1), (w + 0.8, 1), (w * 0.6, 3.8), (0, 4.8), (-w * 0.6, 3.8), (-w - 0.8, 1)], closed=True)  # fmt: skip
    relief = fabric.KNIT.but(
        depth=3, folds=fabric.folds([], extra=fabric.ribs(1.1, 0.12)), shadow=0.3
    )
    canvas.part(canvas.mask(outline), look.colour, relief)
    hole = ellipse(0, -6.6, w * 0.93, 0.9)
    canvas.part(canvas.mask(hole), darker(look.colour, 0.5), fabric.FLAT)


def patch_pocket(
    canvas: Canvas,
    look: Look,
    paint: Paint,
    x: float,
    y: float,
    width: float,
    *,
    flap: bool = False,
) -> None:
    """A sewn-on pocket whose upper edge is centred on (x, y)."""
    h, tall = width / 2, width * 1.12
    outline = np.array(
        [(x - h, y), (x + h, y), (x + h, y + tall - 2), (x, y + tall), (x - h, y + tall - 2)]
    )
    canvas.part(
        canvas.mask(outline), paint, fabric.WOVEN.but(depth=0.8, bulge=0.45, shadow=0.25, reach=0.5)
    )
    inside = outline + (outline.mean(axis=0) - outline) * 0.08
    canvas.flat(canvas.dashes(inside[1:], 0.16, 0.6, 0.4), thread(look.colour), 0.5)
    if flap:
        lid = np.array([(x - h - 0.3, y - 0.8), (x + h + 0.3, y - 0.8), (x + h + 0.3, y + 3), (x, y + 4.4), (x - h - 0.3, y + 3)])  # fmt: skip
        canvas.part(canvas.mask(lid), paint, fabric.WOVEN.but(depth=0.9, shadow=0.35))
        button(canvas, x, y + 2.6, 0.6, darker(look.colour, 0.4))
    else:
        top = np.array([(x - h, y + 1.6), (x + h, y + 1.6)])
        canvas.flat(canvas.dashes(top, 0.16, 0.6, 0.4), thread(look.colour), 0.5)


def zipper(canvas: Canvas, top: float, bottom: float, tape: np.ndarray, x: float = 0.0) -> None:
    """A metal zip with its slider near the top."""
    canvas.part(canvas.mask(box(x - 1.1, top, x + 1.1, bottom)), tape, fabric.FLAT.but(shadow=0.3))
    middle = np.array([(x, top), (x, bottom)])
    canvas.part(canvas.line(middle, 0.9), (0.66, 0.67, 0.7), fabric.METAL.but(depth=0.3))
    canvas.flat(canvas.dashes(middle, 0.9, 0.25, 0.3), (0.25, 0.25, 0.28), 0.8)
    canvas.part(
        canvas.mask(box(x - 0.7, top + 3, x + 0.7, top + 7, 0.6)), (0.72, 0.73, 0.76), fabric.METAL
    )


def crew(canvas: Canvas, cut: Cut, look: Look) -> None:
    """What is seen behind the front of a collarless neck."""
    draw_inside(canvas, cut, look)
    back = curve(
        [
            (-cut.neck, 0, 1),
            (-cut.neck * 0.5, 1.5),
            (0, 2.0),
            (cut.neck * 0.5, 1.5),
            (cut.neck, 0, 1),
        ]
    )
    canvas.part(canvas.line(back, 1.5), darker(look.colour, 0.12), fabric.KNIT.but(depth=0.8))
