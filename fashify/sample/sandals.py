"""Heels, flats, flip flops and sandals.

Units are centimetres. Heels, flats and sandals are seen from the side with the floor at
y = 0; flip flops from above.
"""

from __future__ import annotations

import numpy as np

from . import fabric, prints
from .canvas import Canvas
from .graphics import logo
from .looks import Look, cloth, fit
from .palette import Colour, bright, darker, jittered, lighter, lightness, metal, mixed, rgb
from .shapes import band, box, curve, ellipse, shape
from .shoes import stand

_TAN = np.array([0.78, 0.62, 0.45], np.float32)


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
    paint = _material(look)
    line = _sole_line(heel)
    _heel(canvas, kind, heel, look)
    sole = band(line, 0.7)
    canvas.part(
        canvas.mask(sole),
        _TAN if look.chance(0.6) else darker(look.colour, 0.4),
        fabric.LEATHER.but(depth=0.4),
    )
    if kind in ("pump", "sling"):
        _pump(canvas, heel, look, paint, leather, closed=kind == "pump")
    else:
        _straps(canvas, heel, look, paint, leather)
    if kind in ("strappy", "sling", "wedge"):
        _ankle(canvas, heel, look, paint)


def _material(look: Look):
    metallic = look.colour_name in ("Gold", "Silver", "Bronze", "Copper")
    if metallic or look.chance(0.12):
        noise = fabric.Noise(look.rng, 0.16)
        return lambda x, y: np.clip(look.colour * (1 + 0.22 * noise(x, y)[..., None]), 0, 1)
    if look.chance(0.12):
        return prints.animal(look.colour, look.rng, 0.8)
    return prints.solid(look.colour)


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
        canvas.part(canvas.mask(inner), _TAN, fabric.LEATHER.but(bulge=-0.5))
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


def flats(canvas: Canvas, look: Look) -> None:
    """Ballerinas, pointed flats, flat slides and T-bars."""
    if look.chance(0.4):
        _slide(canvas, look)
        return
    stand(canvas, half=13.0, top=-9)
    paint = _material(look)
    leather = fabric.PATENT if look.chance(0.35) else fabric.LEATHER
    inner = shape(
        [(-11.4, -5.8), (-6, -4.8), (0, -4.6), (4.6, -4.4), (3, -2), (-6, -1.6), (-11, -2)]
    )
    canvas.part(canvas.mask(inner), _TAN, fabric.LEATHER.but(bulge=-0.5))
    toe = look.rng.uniform(11.6, 13.2)
    outline = shape([(-12.0, -0.7, 1), (-12.4, -3.4), (-11.7, -6.2, 1), (-8.6, -4.2), (-3.4, -3.0), (1.6, -3.2), (4.6, -4.4, 1), (7.6, -4.2), (10.2, -3.0), (toe, -1.0), (toe - 0.6, -0.5, 1)])  # fmt: skip
    canvas.part(canvas.mask(outline), paint, leather.but(depth=1.8))
    edge = curve([(-11.6, -5.9), (-8.6, -4.0), (-3.4, -2.8), (1.6, -3.0), (4.6, -4.2)])
    canvas.part(canvas.line(edge, 0.4), darker(look.colour, 0.2), fabric.CANVAS.but(depth=0.2))
    sole = shape([(-12.0, -0.9, 1), (-11.6, 0, 1), (10.6, 0), (toe, -0.8, 1)])
    canvas.part(canvas.mask(sole), rgb("Coffee Brown"), fabric.RUBBER.but(depth=0.4))
    detail = look.pick("bow", "buckle", "cap", "strap")
    if detail == "bow":
        for side in (-1, 1):
            loop = shape([(5.6, -4.3), (5.6 + side * 1.6, -5.6), (5.6 + side * 2.1, -3.7)])
            canvas.part(canvas.mask(loop), look.second, fabric.SATIN.but(depth=0.6, shadow=0.35))
    elif detail == "buckle":
        canvas.part(canvas.mask(box(4.4, -4.9, 7.2, -3.6, 0.4)), metal(look.rng), fabric.METAL)
    elif detail == "cap":
        cap = shape(
            [(8.4, -4.0, 1), (10.4, -2.9), (toe, -1.0), (toe - 0.6, -0.5, 1), (8.6, -0.6, 1)]
        )
        canvas.part(canvas.mask(cap).within(canvas.alpha), look.second, leather.but(depth=0.9))
    else:
        strap = curve([(-5.4, -2.8), (-4.2, -6.0), (-1.6, -6.4), (0.2, -3.2)])
        canvas.part(canvas.line(strap, 0.9), paint, fabric.LEATHER.but(depth=0.4, shadow=0.3))


def _slide(canvas: Canvas, look: Look) -> None:
    stand(canvas, half=13.0, top=-8)
    _flat_bed(canvas, look, 1.3, jittered(look.rng, _TAN))
    paint, relief = _material(look), fabric.LEATHER.but(depth=0.6, shadow=0.4)
    kind = look.pick("cross", "tbar", "wide")
    if kind == "wide":
        strap = shape(
            [(1.4, -1.8, 1), (3.0, -5.6), (6.4, -6.2), (9.4, -4.4), (10.2, -1.6, 1), (6, -3.2)]
        )
        canvas.part(canvas.mask(strap), paint, relief.but(depth=1.2))
    elif kind == "cross":
        for a, b in (((1.6, -1.4), (9.0, -3.8)), ((9.8, -1.2), (2.6, -4.8))):
            middle = ((a[0] + b[0]) / 2 + 0.5, (a[1] + b[1]) / 2 - 2.6)
            canvas.part(canvas.mask(band(curve([a, middle, b]), 1.6)), paint, relief)
    else:
        bar = curve([(8.4, -1.6), (5.8, -4.4), (0.4, -5.6), (-5.4, -5.0)])
        canvas.part(canvas.line(bar, 0.9), paint, relief)
        canvas.part(
            canvas.line(
                curve([(-8.6, -1.6), (-6.8, -4.8), (-3.4, -6.4), (-1.6, -4.6), (-2.0, -1.6)]), 0.9
            ),
            paint,
            relief,
        )
    for i in range(4):
        if look.chance(0.6):
            stone = ellipse(4.0 + 1.1 * i, -4.9 + 0.25 * i, 0.36)
            canvas.part(
                canvas.mask(stone), lighter(bright(look.rng), 0.3), fabric.METAL.but(depth=0.25)
            )


def _flat_bed(canvas: Canvas, look: Look, thick: float, colour: Colour) -> None:
    bed = shape([(-12.2, -thick, 1), (-12.6, -thick - 0.9), (-6, -thick - 1.1), (4, -thick - 0.7), (12.0, -thick - 0.6), (12.8, -thick + 0.2, 1), (0, -thick + 0.3)])  # fmt: skip
    sole = shape(
        [
            (-12.4, -thick - 0.4, 1),
            (-12.2, 0, 1),
            (11.8, 0, 1),
            (13.0, -thick - 0.1, 1),
            (0, -thick - 0.2),
        ]
    )
    canvas.part(
        canvas.mask(sole),
        darker(rgb("Coffee Brown"), 0.2) if look.chance(0.6) else look.colour,
        fabric.RUBBER.but(depth=0.6),
    )
    canvas.part(canvas.mask(bed), colour, fabric.SUEDE.but(depth=0.6))


def flip_flops(canvas: Canvas, look: Look) -> None:
    """A pair from above: printed or plain beds, a forked strap."""
    rng = look.rng
    fit(canvas, -14.5, -16, 14.5, 16, width=150)
    bed = cloth(look, 0.5)
    if look.chance(0.35):
        bed = prints.stripes(look.colour, [look.second], 3.0, 0.5, float(rng.choice((0, 30, -30))))
    strap = look.second if look.chance(0.6) else darker(look.colour, 0.35)
    rim = darker(look.colour, 0.3) if look.chance(0.5) else look.second
    for side in (1, -1):
        outline = shape([(1.6, -12.8), (4.6, -14.6), (8.8, -13.4), (11.4, -8.6), (10.8, -2), (9.6, 4), (9.8, 10), (7.2, 14.0), (3.8, 13.2), (2.4, 8), (2.6, 1), (1.2, -6)]) * (side, 1)  # fmt: skip
        canvas.ground(canvas.mask(outline + (0.5, 0.9)), 0.8, 0.4)
        canvas.part(canvas.mask(outline + (0, 0.5)), rim, fabric.RUBBER)
        foot = outline.mean(axis=0)
        canvas.part(
            canvas.mask(foot + (outline - foot) * 0.97),
            bed,
            fabric.RUBBER.but(depth=0.8, bulge=0.5),
        )
        mark = prints.placed(bed, logo(rng, strap), side * 6.2 - 1.6, 6.4, 3.2)
        canvas.part(
            canvas.mask(ellipse(side * 6.2, 8, 1.9)),
            mark,
            fabric.FLAT.but(shadow=0, edge=0, bulge=0),
        )
        peg = (side * 5.0, -8.6)
        for end in ((side * 10.2, 0.4), (side * 2.6, 1.6)):
            middle = ((peg[0] + end[0]) / 2 + (0.9 if end[0] > peg[0] else -0.9), -5.4)
            line = curve([peg, middle, end])
            wide = np.linspace(0.9, 2.0, len(line))
            canvas.part(
                canvas.mask(band(line, wide)),
                strap,
                fabric.PLASTIC.but(depth=0.6, gloss=0.3, shadow=0.5, reach=0.8),
            )
        canvas.part(
            canvas.mask(ellipse(*peg, 0.75)), strap, fabric.PLASTIC.but(depth=0.4, shadow=0.4)
        )


def sandals(canvas: Canvas, look: Look) -> None:
    """Open shoes with wide or thin straps, buckles or touch tape, on a moulded sole."""
    rng = look.rng
    stand(canvas, half=14.0, top=-11.5)
    thick = rng.uniform(1.8, 2.8)
    relief = (fabric.LEATHER if look.usage != "Sports" else fabric.CANVAS).but(
        depth=0.8, shadow=0.4
    )
    _far_straps(canvas, look)
    _flat_bed(
        canvas,
        look,
        thick,
        mixed(jittered(rng, _TAN), darker(look.colour, 0.2), rng.uniform(0, 0.9)),
    )
    wide = rng.uniform(1.7, 3.0)
    straps = [
        curve([(10.4, -thick), (9.2, -thick - 2.6), (6.6, -thick - 4.0)]),
        curve([(3.0, -thick), (4.2, -thick - 3.4), (7.4, -thick - 4.4)]),
        curve([(-1.2, -thick), (-0.8, -thick - 4.4), (1.8, -thick - 7.0)]),
        curve([(-11.6, -thick), (-12.4, -thick - 3.6), (-11.6, -thick - 6.4)]),
        curve([(-11.8, -thick - 5.6), (-6, -thick - 6.0), (1.8, -thick - 6.8)]),
    ]
    if look.chance(0.4):
        straps.insert(2, curve([(-5.4, -thick), (-4.2, -thick - 3.2), (-1.0, -thick - 5.0)]))
    for i, line in enumerate(straps):
        strap = band(line, wide * (0.8 if i > 3 else 1))
        canvas.part(canvas.mask(strap), look.colour, relief)
        inside = line[1:-1]
        thread = (
            lighter(look.colour, 0.5) if lightness(look.colour) < 0.5 else darker(look.colour, 0.4)
        )
        for offset in (-0.38, 0.38):
            edge = band(inside, 0.02, offset=offset * wide * (0.8 if i > 3 else 1))[: len(inside)]
            canvas.flat(canvas.dashes(edge, 0.12, 0.3, 0.2), thread, 0.7)
    if look.chance(0.6):
        ring = canvas.mask(box(-5.4, -thick - 7.4, -2.6, -thick - 4.6, 0.4), holes=(box(-4.8, -thick - 6.8, -3.2, -thick - 5.2, 0.2),))  # fmt: skip
        canvas.part(ring, metal(rng), fabric.METAL.but(depth=0.3))
    else:
        tab = box(-5.8, -thick - 7.2, -1.4, -thick - 4.9, 0.5)
        canvas.part(
            canvas.mask(tab), look.second if look.chance(0.4) else darker(look.colour, 0.2), relief
        )


def _far_straps(canvas: Canvas, look: Look) -> None:
    tone = darker(look.colour, 0.45)
    for line in (
        curve([(8.4, -2.4), (9.4, -4.4), (7.4, -6.2)]),
        curve([(-8.4, -3), (-9.4, -6.6), (-11.4, -8.6)]),
        curve([(1.8, -9.0), (-3, -9.6), (-11.6, -8.8)]),
    ):
        canvas.part(canvas.mask(band(line, 1.8)), tone, fabric.LEATHER.but(depth=0.6))
