"""Belts, caps, ties, socks, scarves and an umbrella. Units are centimetres."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from . import fabric, prints
from .canvas import Canvas
from .graphics import logo
from .looks import Look, cloth, fit
from .palette import Colour, darker, jittered, lighter, lightness, metal, mixed, rgb
from .shapes import band, box, curve, ellipse, shape, shifted
from .tops import draw_rib


def belt(canvas: Canvas, look: Look) -> None:
    """A coiled leather belt with its buckle, or one laid straight in a curve."""
    rng = look.rng
    wide = rng.uniform(2.0, 2.8) if look.female else rng.uniform(3.0, 3.8)
    fit(canvas, -14, -12, 14, 12, width=152)
    leather = (fabric.PATENT if look.chance(0.25) else fabric.LEATHER).but(
        depth=0.8, shadow=0.4, reach=0.9
    )
    tone = metal(rng)
    braided = look.chance(0.2)
    if braided:
        leather = leather.but(folds=fabric.folds([], extra=fabric.ribs(1.2, 0.2, 45)))
    lower = ellipse(0, 1.0, 10.4, 4.9)
    canvas.ground(canvas.mask(lower + (0.6, 4.2)), 1.6, 0.3)
    inner = band(ellipse(0, -1.4, 9.6, 4.0, start=180, end=360), wide * 0.95)
    canvas.part(canvas.mask(inner), darker(mixed(look.colour, rgb("Tan"), 0.35), 0.3), leather)
    for dy, size in ((-0.2, 9.0), (1.4, 10.4)):
        arc = ellipse(0, dy, size, 4.6, start=-25, end=205)
        canvas.part(canvas.mask(band(arc, wide)), look.colour, leather)
        if not braided:
            for offset in (-0.4, 0.4):
                edge = shifted(arc, offset * wide)
                thread = (
                    lighter(look.colour, 0.45)
                    if lightness(look.colour) < 0.6
                    else darker(look.colour, 0.3)
                )
                canvas.flat(canvas.dashes(edge, 0.12, 0.42, 0.28), thread, 0.7)
    end = curve([(-8.2, 4.6), (-2, 6.2), (5, 6.0), (12.5, 3.2)])
    canvas.part(canvas.mask(band(end, wide)), look.colour, leather)
    for i in range(5):
        x, y = end[-3 - 3 * i]
        canvas.flat(canvas.mask(ellipse(x, y, 0.24, 0.3)), darker(look.colour, 0.8))
    _buckle(canvas, wide, tone, look)


def _buckle(canvas: Canvas, wide: float, tone: Colour, look: Look) -> None:
    half = wide * 0.78
    centre = np.array([-4.2, 5.9])
    shine = fabric.METAL.but(depth=0.3, shadow=0.45, reach=0.6)
    if look.chance(0.25):
        plate = box(-half * 1.3, -half * 0.9, half * 1.3, half * 0.9, 0.4) + centre
        canvas.part(canvas.mask(plate), tone, shine.but(depth=0.5))
        mark = prints.placed(
            prints.solid(tone),
            logo(look.rng, darker(tone, 0.5)),
            centre[0] - half * 0.7,
            centre[1] - half * 0.7,
            half * 1.4,
        )
        canvas.part(
            canvas.mask(ellipse(*centre, half * 0.7)),
            mark,
            fabric.FLAT.but(shadow=0, edge=0, bulge=0),
        )
        return
    rounded = half if look.chance(0.3) else 0.6
    outer = box(-half * 1.1, -half, half * 1.1, half, rounded) + centre
    hole = box(-half * 0.7, -half * 0.62, half * 0.7, half * 0.62, rounded * 0.6) + centre
    canvas.part(canvas.mask(outer, holes=(hole,)), tone, shine)
    prong = np.array([(-half * 1.0, 0), (half * 1.0, 0)]) + centre
    canvas.part(canvas.line(prong, 0.5), tone, shine.but(depth=0.15))


def cap(canvas: Canvas, look: Look) -> None:
    """A baseball cap: panels, eyelets, button, curved peak, badge."""
    fit(canvas, -14, -12, 14, 9, width=140)
    paint = cloth(look, 0.5)
    peak_paint = prints.solid(look.second) if look.chance(0.4) else paint
    canvas.ground(canvas.mask(ellipse(1, 7.6, 11, 0.9)), 1.6, 0.3)
    crown = shape([(-10.6, 3.2, 1), (-10.4, -3.5), (-6.2, -9.4), (0, -11), (6.2, -9.4),
        (10.4, -3.5), (10.6, 3.2, 1), (0, 4.6)])  # fmt: skip
    relief = fabric.CANVAS.but(
        depth=4.2, folds=fabric.folds([], noise=fabric.Noise(look.rng, 4), crumple=0.15)
    )
    canvas.part(canvas.mask(crown), paint, relief)
    thread = lighter(look.colour, 0.3) if lightness(look.colour) < 0.5 else darker(look.colour, 0.3)
    for x, bend in ((-6.4, -2.4), (0, 0), (6.4, 2.4)):
        seam = curve([(0, -10.8), (x * 0.7 + bend * 0.3, -6), (x, 3.2)])
        canvas.tint(canvas.line(seam, 0.22), 0.75)
        for side in (-0.35, 0.35):
            canvas.flat(canvas.dashes(seam + (side, 0), 0.12, 0.4, 0.3), thread, 0.55)
    for x in (-4.4, 4.4):
        canvas.part(canvas.mask(ellipse(x, -6.6, 0.34)), darker(look.colour, 0.3),
            fabric.CANVAS.but(depth=0.15))  # fmt: skip
    canvas.part(canvas.mask(ellipse(0, -11, 0.8, 0.5)), look.second, fabric.CANVAS.but(depth=0.3))
    peak = shape([(-10.4, 2.6, 1), (-5.4, 1.0), (0, 0.6), (5.4, 1.0), (10.4, 2.6, 1),
        (11.4, 5.4), (6.4, 7.4), (0, 8.1), (-6.4, 7.4), (-11.4, 5.4)])  # fmt: skip
    canvas.part(canvas.mask(peak), peak_paint, fabric.CANVAS.but(depth=1.6, shadow=0.45, reach=1.0))
    for i in range(3):
        line = curve(
            [(-9.4 + i * 0.5, 4.2 - 0.7 * i), (0, 6.6 - 1.3 * i), (9.4 - i * 0.5, 4.2 - 0.7 * i)]
        )
        canvas.flat(canvas.dashes(line, 0.12, 0.4, 0.3), thread, 0.5)
    mark = rgb("White") if lightness(look.colour) < 0.6 else rgb("Navy Blue")
    badge = prints.placed(
        paint, logo(look.rng, look.second if look.chance(0.4) else mark), -2.6, -5.6, 5.2
    )
    canvas.part(canvas.mask(ellipse(0, -3, 2.7)), badge, fabric.FLAT.but(shadow=0, edge=0, bulge=0))


def tie(canvas: Canvas, look: Look) -> None:
    """A tied tie, hanging; wide or slim."""
    rng = look.rng
    half = rng.uniform(2.4, 3.0) if look.chance(0.3) else rng.uniform(3.6, 4.6)
    fit(canvas, -12, -25, 12, 25, height=220)
    paint = cloth(look, 0.55)
    silk = fabric.SATIN.but(depth=1.4, bulge=0.7, gloss=0.12)
    loop = curve(
        [
            (-1.6, -20.5),
            (-5.6, -22.4),
            (-4.4, -24.6),
            (0, -25),
            (4.4, -24.6),
            (5.6, -22.4),
            (1.6, -20.5),
        ]
    )
    canvas.part(canvas.line(loop, 2.0), darker(look.colour, 0.15), silk.but(depth=0.6))
    tail = np.array([(1.0, -17), (3.4, -17), (4.8, 14), (3.2, 17.4), (1.4, 14)])
    canvas.part(canvas.mask(tail), prints.at_angle(paint, 6), silk)
    blade = np.array([(-1.6, -18), (1.6, -18), (half, 18.4), (0, 24), (-half, 18.4)])
    ridges = [(-0.6, -17.5, -1.2, -4, 0.4, 0.4), (0.7, -17.5, 1.4, -6, 0.35, 0.35)]
    canvas.part(canvas.mask(blade), paint, silk.but(folds=fabric.folds(ridges), shadow=0.35))
    knot = shape([(-2.4, -22, 1), (2.4, -22, 1), (1.8, -17.4, 1), (0, -16.9), (-1.8, -17.4, 1)])
    canvas.part(canvas.mask(knot), prints.at_angle(paint, -60), silk.but(depth=0.9, shadow=0.4))


def socks(canvas: Canvas, look: Look) -> None:
    """A pair: ankle, crew or knee length, contrasting heel, toe and cuff."""
    rng = look.rng
    tall = float(rng.choice((6.0, 14.0, 22.0)))
    fit(canvas, -13, -tall - 3, 15, 9, width=130, height=200)
    paint = cloth(look, 0.5)
    contrast = look.chance(0.55)
    trim = look.second if contrast else darker(look.colour, 0.12)
    knit = fabric.KNIT.but(
        depth=1.8, folds=fabric.folds([], noise=fabric.Noise(rng, 2, 3), crumple=0.12)
    )
    for dx, dy in ((4.4, -1.6), (-3.4, 0.8)):
        leg = shape([(-4.2, -tall, 1), (3.6, -tall, 1), (3.2, -4), (4.4, 0.2), (9.2, 1.8), (11.8, 4.2), (10.4, 6.6), (4, 7.0), (-2.2, 6.6), (-5.0, 3.8), (-4.4, -2)]) + (dx, dy)  # fmt: skip
        canvas.part(canvas.mask(leg), paint, knit.but(shadow=0.35, reach=1.0))
        heel = shape([(-4.6, 0.6, 1), (-1.4, 3.2), (-0.6, 6.8, 1), (-3.4, 6.2), (-5.0, 3.8)]) + (
            dx,
            dy,
        )
        toe = shape([(8.0, 1.2, 1), (11.8, 4.0), (10.4, 6.7), (7.6, 6.9, 1), (8.8, 4)]) + (dx, dy)
        for part in (heel, toe):
            canvas.part(
                canvas.mask(part).within(canvas.alpha),
                trim,
                knit.but(shadow=0, edge=0.1, depth=0.8),
            )
        cuff = box(-4.4, -tall - 0.2, 3.8, -tall + 3.4, 0.5) + (dx, dy)
        draw_rib(canvas, cuff, trim if contrast else look.colour)


def scarf(canvas: Canvas, look: Look) -> None:
    """A knotted scarf with fringes."""
    rng = look.rng
    fit(canvas, -15, -22, 15, 25, height=210)
    paint = cloth(look, 0.8)
    relief = fabric.KNIT.but(depth=2.6, shadow=0.4, reach=1.4)
    back = fabric.folds([], noise=fabric.Noise(rng, 2.5, 5), crumple=0.4)
    canvas.part(
        canvas.line(ellipse(0, -13, 8.2, 7, start=180, end=360), 6.0),
        darker(look.colour, 0.3),
        relief,
    )
    for x0, x1, low in ((2.2, 6.6, 18.0), (-2.0, -5.6, 22.0)):
        tail = np.array([(x0 - 3.0, -7), (x0 + 3.0, -7), (x1 + 4.6, low), (x1 - 4.6, low)])
        ridges = [(x0 + i, -7, x1 + 1.8 * i, low - 4, 0.5, 0.6) for i in (-1.4, 0.2, 1.6)]
        for i in range(15):
            x = x1 - 4.3 + 0.62 * i
            fringe = curve(
                [
                    (x, low - 0.4),
                    (x + rng.normal(0, 0.2), low + 1.4),
                    (x + rng.normal(0, 0.4), low + 3.0),
                ]
            )
            canvas.part(
                canvas.line(fringe, 0.32),
                look.colour if i % 2 else look.second,
                fabric.CANVAS.but(depth=0.15),
            )
        canvas.part(
            canvas.mask(tail),
            prints.at_angle(paint, (x0 - x1) * 2),
            relief.but(folds=fabric.folds(ridges)),
        )
    front = curve([(-8.6, -13), (-7.0, -7.4), (0, -4.6), (7.0, -7.4), (8.6, -13)])
    canvas.part(canvas.mask(band(front, 6.4)), prints.at_angle(paint, 25), relief.but(folds=back))
    knot = shape([(-3.6, -9.4), (0, -11), (3.6, -9.4), (3.4, -3.4), (0, -2.4), (-3.4, -3.4)])
    ridges = [(-2, -9.5, -1.2, -3, 0.5, 0.7), (1.6, -9.6, 1.0, -3, 0.5, 0.7)]
    canvas.part(
        canvas.mask(knot),
        prints.at_angle(paint, 70),
        relief.but(folds=fabric.folds(ridges), depth=1.6),
    )


def umbrella(canvas: Canvas, look: Look) -> None:
    """An open umbrella with scalloped canopy and crook handle."""
    fit(canvas, -24, -22, 24, 28, width=158)
    canvas.part(
        canvas.line(np.array([(0, -20), (0, 22)]), 0.8), rgb("Steel"), fabric.METAL.but(depth=0.2)
    )
    crook = curve([(0, 18), (0, 24), (1.6, 26.6), (4.2, 26.4), (5.2, 23.6)])
    canvas.part(
        canvas.line(crook, 1.7), jittered(look.rng, rgb("Brown")), fabric.PLASTIC.but(depth=0.5)
    )
    ribs_at = [-23.0, -13.5, -4.8, 4.8, 13.5, 23.0]
    for i, (a, b) in enumerate(pairwise(ribs_at)):
        panel = curve(
            [
                (0, -19.4, 1),
                (a * 0.62, -14.6),
                (a, 1.0, 1),
                ((a + b) / 2, -2.2),
                (b, 1.0, 1),
                (b * 0.62, -14.6),
            ],
            closed=True,
        )
        tone = look.colour if i % 2 == 0 else mixed(look.colour, look.second, 0.85)
        canvas.part(canvas.mask(panel), tone, fabric.SATIN.but(depth=2.4, shadow=0.12))
    canvas.part(
        canvas.line(np.array([(0, -21.6), (0, -19)]), 0.7),
        rgb("Steel"),
        fabric.METAL.but(depth=0.2),
    )
