"""Handbags: tote, satchel, hobo, bowling and flap bag.

Units are centimetres; (0, 0) is the middle of the bag's body, y grows downwards.
"""

from __future__ import annotations

import numpy as np

from . import fabric
from .bags import hide, plate_with_name, stand_bag, thread_for
from .canvas import Canvas, Paint, Relief
from .looks import Look
from .palette import Colour, darker, metal
from .shapes import box, curve, ellipse, shape, shifted


def _handle(canvas: Canvas, line: np.ndarray, width: float, colour: Colour, look: Look) -> None:
    canvas.part(
        canvas.line(line, width),
        colour,
        fabric.LEATHER.but(depth=width * 0.35, bulge=1.2, shadow=0.25),
    )
    if width > 1.0:
        canvas.flat(
            canvas.dashes(shifted(line, width * 0.3), 0.14, 0.5, 0.35), thread_for(look), 0.5
        )


def _ring(canvas: Canvas, x: float, y: float, radius: float, tone: Colour) -> None:
    hoop = canvas.mask(ellipse(x, y, radius), holes=(ellipse(x, y, radius * 0.6),))
    canvas.part(hoop, tone, fabric.METAL.but(depth=radius * 0.25, shadow=0.4))


def handbag(canvas: Canvas, look: Look) -> None:
    """Tote, satchel, hobo, bucket, bowling or flap bag."""
    kind = str(look.pick("tote", "satchel", "hobo", "bowling", "flap", "tote"))
    paint, relief = hide(look)
    trim = look.second if look.chance(0.3) else darker(look.colour, 0.22)
    tone = metal(look.rng)
    _HANDBAGS[kind](canvas, look, paint, relief, trim, tone)


def _tote(
    canvas: Canvas, look: Look, paint: Paint, relief: Relief, trim: Colour, tone: Colour
) -> None:
    top, low = look.rng.uniform(15, 19), look.rng.uniform(12, 16)
    stand_bag(canvas, -20, -30, 20, 15, height=190)
    for depth, shade in ((-1.5, 0.35), (0.0, 0.0)):
        lift = -29 + depth * 0.8 + look.rng.uniform(0, 1)
        line = curve([(-8.4, -8), (-8.0, -18), (-4.6, lift + 2), (0, lift), (4.6, lift + 2),
            (8.0, -18), (8.4, -8)])  # fmt: skip
        _handle(canvas, line + (0, depth), 1.5, darker(trim, shade), look)
        if depth < 0:
            body = shape(
                [(-top, -12, 1), (top, -12, 1), (low + 1.4, 14, 1), (0, 14.8), (-low - 1.4, 14, 1)]
            )
            canvas.part(canvas.mask(body), paint, relief)
            band_top = np.array([(-top, -12), (top, -12), (top - 0.3, -9.4), (-top + 0.3, -9.4)])
            canvas.part(canvas.mask(band_top), trim, relief.but(depth=0.8, folds=None))
    if look.chance(0.5):
        panel = shape([(-low - 2.6, 5, 1), (low + 2.6, 5, 1), (low + 1.4, 14, 1), (0, 14.8),
            (-low - 1.4, 14, 1)])  # fmt: skip
        canvas.part(
            canvas.mask(panel).within(canvas.alpha), trim, relief.but(depth=1.2, folds=None)
        )
    for x in (-8.4, 8.4):
        canvas.part(canvas.mask(box(x - 1.3, -10, x + 1.3, -4.5, 0.6)),
            trim, relief.but(depth=0.6, folds=None))  # fmt: skip
        _ring(canvas, x, -9.6, 0.9, tone)
    plate_with_name(canvas, look, tone, 0, -2)


def _satchel(
    canvas: Canvas, look: Look, paint: Paint, relief: Relief, trim: Colour, tone: Colour
) -> None:
    stand_bag(canvas, -19, -22, 19, 13, height=170)
    line = curve(
        [(-6, -11), (-6.4, -17), (-3, -20.5), (0, -21.2), (3, -20.5), (6.4, -17), (6, -11)]
    )
    _handle(canvas, line, 1.6, trim, look)
    body = shape(
        [
            (-15.5, -9, 1),
            (-14, -11.5),
            (0, -12.2),
            (14, -11.5),
            (15.5, -9, 1),
            (17.5, 12, 1),
            (0, 13),
            (-17.5, 12, 1),
        ]
    )
    canvas.part(canvas.mask(body), paint, relief)
    flap = shape(
        [(-15.8, -9.5, 1), (0, -12.8), (15.8, -9.5, 1), (16.4, 1, 1), (0, 3.6), (-16.4, 1, 1)]
    )
    canvas.part(canvas.mask(flap), paint, relief.but(shadow=0.45, reach=1.4, depth=2.0))
    edge = curve([(-15.8, 0.2), (0, 2.8), (15.8, 0.2)])
    canvas.flat(canvas.dashes(edge, 0.2, 0.7, 0.45), thread_for(look), 0.7)
    for x in (-8.5, 8.5):
        canvas.part(
            canvas.mask(box(x - 1.3, -8.5, x + 1.3, 7.5, 0.8)),
            trim,
            fabric.LEATHER.but(depth=0.5, shadow=0.35),
        )
        buckle = canvas.mask(
            box(x - 1.9, 2.2, x + 1.9, 5.6, 0.4), holes=(box(x - 1.1, 3.0, x + 1.1, 4.8, 0.2),)
        )
        canvas.part(buckle, tone, fabric.METAL.but(depth=0.3, shadow=0.35))
        _ring(canvas, np.sign(x) * 6.1, -11.2, 0.9, tone)


def _hobo(
    canvas: Canvas, look: Look, paint: Paint, relief: Relief, trim: Colour, tone: Colour
) -> None:
    stand_bag(canvas, -20, -28, 20, 14, height=185)
    line = curve([(-14, -7), (-11, -19), (-4, -26.5), (0, -27.4), (4, -26.5), (11, -19), (14, -7)])
    _handle(canvas, line, 2.2, trim, look)
    body = shape(
        [
            (-16, -8, 1),
            (-9, -4.6),
            (0, -3.4),
            (9, -4.6),
            (16, -8, 1),
            (19, 3),
            (15.5, 12.5),
            (0, 14.4),
            (-15.5, 12.5),
            (-19, 3),
        ]
    )
    ridges = [(-13 + i * 6.5, -5, -9 + i * 4.4, 9, 1.0, 0.8) for i in range(5)]
    slouch = fabric.folds(ridges, noise=fabric.Noise(look.rng, 7), crumple=0.5)
    canvas.part(canvas.mask(body), paint, relief.but(folds=slouch, depth=4))
    canvas.part(
        canvas.line(curve([(-14, -6.4), (0, -2.2), (14, -6.4)]), 0.8),
        tone,
        fabric.METAL.but(depth=0.3),
    )
    for x in (-14.6, 14.6):
        _ring(canvas, x, -7.6, 1.4, tone)
    if look.chance(0.6):
        for i in range(6):
            tassel = np.array([(9 + 0.45 * i, -3), (8.2 + 0.75 * i, 6)])
            canvas.part(canvas.line(tassel, 0.5), trim, fabric.LEATHER.but(depth=0.2, shadow=0.25))
        canvas.part(canvas.mask(box(9, -4.4, 11.6, -2, 0.5)), tone, fabric.METAL)


def _bowling(
    canvas: Canvas, look: Look, paint: Paint, relief: Relief, trim: Colour, tone: Colour
) -> None:
    stand_bag(canvas, -20, -22, 20, 12, height=165)
    for dy, shade in ((-0.8, 0.3), (0.6, 0.0)):
        line = curve(
            [(-8, -5), (-8.4, -13), (-5, -19.4), (0, -20.8), (5, -19.4), (8.4, -13), (8, -5)]
        ) + (0, dy)
        _handle(canvas, line, 1.3, darker(trim, shade), look)
        if dy < 0:
            body = shape(
                [
                    (-18.6, 10.5, 1),
                    (-18.8, 0),
                    (-13, -9.5),
                    (0, -12),
                    (13, -9.5),
                    (18.8, 0),
                    (18.6, 10.5, 1),
                    (0, 12),
                ]
            )
            canvas.part(canvas.mask(body), paint, relief)
            zip_line = curve([(-16.4, -4), (-10, -9.4), (0, -11), (10, -9.4), (16.4, -4)])
            canvas.part(canvas.line(zip_line, 0.9), tone, fabric.METAL.but(depth=0.3))
    for side in (-1, 1):
        gusset = shape(
            [
                (side * 18.6, 10.8, 1),
                (side * 18.8, 0),
                (side * 15.4, -6.6, 1),
                (side * 13.6, 4),
                (side * 14, 11.4, 1),
            ]
        )
        canvas.part(
            canvas.mask(gusset).within(canvas.alpha), trim, relief.but(depth=1.0, folds=None)
        )
        canvas.part(
            canvas.mask(box(side * 8 - 1.3, -7, side * 8 + 1.3, -0.5, 1.2)),
            trim,
            relief.but(depth=0.6, folds=None),
        )
    plate_with_name(canvas, look, tone, 0, 3)


def _flap_bag(
    canvas: Canvas, look: Look, paint: Paint, relief: Relief, trim: Colour, tone: Colour
) -> None:
    stand_bag(canvas, -15, -26, 15, 10, height=186)
    line = curve([(-12, -6), (-9, -18), (-3, -24.6), (0, -25.2), (3, -24.6), (9, -18), (12, -6)])
    if look.chance(0.5):
        canvas.part(
            canvas.dashes(line, 0.9, 0.55, 0.35), tone, fabric.METAL.but(depth=0.3, shadow=0.2)
        )
    else:
        _handle(canvas, line, 0.9, trim, look)
    canvas.part(canvas.mask(box(-13.5, -8, 13.5, 9.5, 2)), paint, relief)
    flap = shape(
        [(-13.8, -8.4, 1), (13.8, -8.4, 1), (13.4, 0), (8, 3.4), (0, 4.4), (-8, 3.4), (-13.4, 0)]
    )
    canvas.part(canvas.mask(flap), paint, relief.but(shadow=0.45, reach=1.2))
    lock = canvas.mask(ellipse(0, 3.2, 1.8), holes=(ellipse(0, 3.2, 0.8),))
    canvas.part(lock, tone, fabric.METAL.but(depth=0.4, shadow=0.4))


_HANDBAGS = {
    "tote": _tote, "satchel": _satchel, "hobo": _hobo, "bowling": _bowling, "flap": _flap_bag,
}  # fmt: skip
