"""Flats, flip flops and sandals.

Units are centimetres. Flats and sandals are seen from the side with the floor at y = 0;
flip flops from above.
"""

from __future__ import annotations

import numpy as np

from . import fabric, prints
from .canvas import Canvas, Paint, Relief
from .graphics import logo
from .looks import Look, cloth, fit
from .palette import Colour, bright, darker, jittered, lighter, metal, mixed, rgb
from .shapes import band, box, curve, ellipse, moved, shape, shifted
from .shoes import stand, thread_for

FOOTBED = np.array([0.78, 0.62, 0.45], np.float32)


def upper_material(look: Look) -> Paint:
    """Leather, glitter or animal print: the paint of a light shoe."""
    metallic = look.colour_name in ("Gold", "Silver", "Bronze", "Copper")
    if metallic or look.chance(0.12):
        noise = fabric.Noise(look.rng, 0.16)
        return lambda x, y: np.clip(look.colour * (1 + 0.22 * noise(x, y)[..., None]), 0, 1)
    if look.chance(0.12):
        return prints.animal(look.colour, look.rng, 0.8)
    return prints.solid(look.colour)


def flats(canvas: Canvas, look: Look) -> None:
    """Ballerinas, pointed flats, flat slides and T-bars."""
    if look.chance(0.4):
        _slide(canvas, look)
        return
    stand(canvas, half=13.0, top=-9)
    paint = upper_material(look)
    leather = fabric.PATENT if look.chance(0.35) else fabric.LEATHER
    inner = shape(
        [(-11.4, -5.8), (-6, -4.8), (0, -4.6), (4.6, -4.4), (3, -2), (-6, -1.6), (-11, -2)]
    )
    canvas.part(canvas.mask(inner), FOOTBED, fabric.LEATHER.but(bulge=-0.5))
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
    _flat_bed(canvas, look, 1.3, jittered(look.rng, FOOTBED))
    paint, relief = upper_material(look), fabric.LEATHER.but(depth=0.6, shadow=0.4)
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
    relief = (fabric.LEATHER if look.usage != "Sports" else fabric.CANVAS).but(
        depth=0.7, bulge=0.7, shadow=0.4
    )
    thick = rng.uniform(1.7, 2.6)
    bed = mixed(jittered(rng, FOOTBED), darker(look.colour, 0.2), rng.uniform(0, 0.9))
    _far_straps(canvas, look, thick)
    _flat_bed(canvas, look, thick, bed)
    kind = str(look.pick("fisher", "wide", "thin", "sport"))
    width = {"fisher": 1.4, "wide": 3.4, "thin": 1.0, "sport": 2.2}[kind]
    for line, size in _strap_lines(kind, width):
        _sandal_strap(canvas, moved(line, 0, -thick), size, look, relief)
    _sandal_closure(canvas, look, thick, kind, relief)


def _strap_lines(kind: str, width: float) -> list[tuple[np.ndarray, float]]:
    """The near straps and their widths, from the toe to the heel; y = 0 is the foot's bed."""
    toe = curve([(10.6, 0.3), (9.8, -1.9), (8.0, -3.3), (6.2, -3.9)])
    arch = curve([(3.4, 0.3), (4.0, -2.4), (5.8, -4.0), (7.8, -4.2)])
    instep = curve([(-1.8, 0.3), (-1.6, -3.0), (-0.2, -5.6), (2.2, -6.8)])
    heel = curve([(-10.2, 0.3), (-11.6, -2.6), (-11.8, -5.6)])
    ankle = curve([(-11.9, -5.2), (-7.6, -4.6), (-2.6, -5.4), (2.0, -6.8)])
    lines = [(toe, width), (arch, width), (instep, width), (heel, width), (ankle, width * 0.8)]
    if kind == "wide":
        return [(curve([(7.0, 0.3), (6.8, -2.2), (7.6, -4.0)]), width * 1.5), *lines[2:]]
    if kind == "fisher":
        weave = [
            (curve([(x, 0.3), (x - 1.4 + 0.6 * i, -2.2), (7.6 - 1.6 * i, -4.4 - 0.7 * i)]), width)
            for i, x in enumerate((11.4, 8.0, 4.6, 1.2))
        ]
        spine = curve([(11.6, -1.6), (7.6, -4.2), (2.2, -6.8)])
        return [*weave, (spine, width), *lines[3:]]
    return lines


def _sandal_strap(
    canvas: Canvas, line: np.ndarray, width: float, look: Look, relief: Relief
) -> None:
    canvas.part(canvas.mask(band(line, width)), look.colour, relief)
    if width < 0.9:
        return
    for offset in (-0.36, 0.36):
        edge = shifted(line, offset * width)[1:-1]
        canvas.flat(canvas.dashes(edge, 0.11, 0.3, 0.22), thread_for(look.colour), 0.65)


def _sandal_closure(canvas: Canvas, look: Look, thick: float, kind: str, relief: Relief) -> None:
    x, y = -5.0, -thick - 4.8
    if kind == "sport" or look.chance(0.3):
        tone = look.second if look.chance(0.4) else darker(look.colour, 0.2)
        canvas.part(canvas.mask(box(x - 2.2, y - 1.1, x + 2.2, y + 1.1, 0.5)), tone, relief)
        return
    outer, inner = (
        box(x - 1.3, y - 1.3, x + 1.3, y + 1.3, 0.4),
        box(x - 0.8, y - 0.8, x + 0.8, y + 0.8, 0.2),
    )
    canvas.part(canvas.mask(outer, holes=(inner,)), metal(look.rng), fabric.METAL.but(depth=0.25))
    prong = np.array([(x - 0.2, y), (x + 1.2, y - 0.1)])
    canvas.part(canvas.line(prong, 0.3), metal(look.rng), fabric.METAL.but(depth=0.1))


def _far_straps(canvas: Canvas, look: Look, thick: float) -> None:
    tone = darker(look.colour, 0.45)
    lines = (
        curve([(9.4, 0), (9.2, -2.6), (7.0, -4.2)]),
        curve([(-2.2, -3.6), (0.2, -6.4), (2.6, -7.0)]),
        curve([(-11.8, -5.4), (-8, -6.6), (-3, -7.4), (2.4, -7.0)]),
    )
    for line in lines:
        canvas.part(
            canvas.mask(band(moved(line, 0, -thick), 1.3)), tone, fabric.LEATHER.but(depth=0.5)
        )
