"""Formal shoes: derby, oxford, brogue, loafer and monk strap, seen from the side.

Units are centimetres; the toe points to the right, the floor is y = 0, up is negative.
"""

from __future__ import annotations

import numpy as np

from . import fabric, prints
from .canvas import Canvas, Relief
from .looks import Look
from .palette import Colour, darker, jittered, lighter, mixed, rgb
from .shapes import box, curve, shape, shifted
from .shoes import creases, laces_on, opening, stand, stitch, thread_for


def formal(canvas: Canvas, look: Look) -> None:
    """Derby, oxford with cap or brogue holes, loafer, monk strap; polished leather."""
    rng = look.rng
    kind = str(look.pick("derby", "oxford", "loafer", "monk", "brogue"))
    high = 7.8 if kind == "loafer" else rng.uniform(8.6, 9.6)
    stand(canvas, half=15.0, top=-11.5)
    opening(canvas, high, mixed(rgb("Tan"), rgb("Beige"), 0.5))
    upper = shape([(-13.2, -1.5, 1), (-13.7, -5), (-12.9, -high * 0.85), (-13.0, -high, 1), (-10.5, -high + 1.2), (-7.4, -high + 1.7), (-4.4, -high + 0.1), (-3.0, -high - 0.8, 1), (0.8, -7.4), (5.4, -5.0), (10.0, -4.0), (13.6, -3.2), (15.0, -2.0), (14.6, -1.2, 1)])  # fmt: skip
    polish = fabric.PATENT if look.chance(0.35) else fabric.LEATHER.but(gloss=0.42, polish=14)
    polish = fabric.SUEDE if look.colour_name in ("Tan", "Beige") and look.chance(0.4) else polish
    tip = prints.ombre(look.colour, darker(look.colour, 0.25), -6, -1)
    canvas.part(canvas.mask(upper), tip, polish.but(depth=2.4, folds=creases(look)))
    _formal_panels(canvas, kind, high, look, polish.but(depth=0.7, shadow=0.3))
    _heeled_sole(
        canvas, darker(look.colour, 0.6) if look.chance(0.6) else jittered(rng, rgb("Coffee Brown"))
    )


def _formal_panels(canvas: Canvas, kind: str, high: float, look: Look, relief: Relief) -> None:
    thread, tone = thread_for(look.colour), darker(look.colour, 0.08)
    counter = shape(
        [(-13.5, -1.8, 1), (-13.6, -5.5), (-13.0, -high * 0.75, 1), (-10.2, -5.4), (-8.8, -1.8, 1)]
    )
    canvas.part(canvas.mask(counter).within(canvas.alpha), tone, relief)
    if kind == "loafer":
        strap = shape([(-2.4, -high + 1.2, 1), (1.6, -7.0), (4.4, -5.4), (3.4, -2.2, 1),
            (0.4, -2.2, 1), (0.2, -4.8)])  # fmt: skip
        canvas.part(canvas.mask(strap), tone, relief)
        if look.chance(0.5):
            canvas.part(
                canvas.mask(box(-0.2, -6.6, 2.8, -5.4, 0.4)), (0.78, 0.64, 0.36), fabric.METAL
            )
    else:
        quarter = shape([(-3.6, -high - 0.4, 1), (2.8, -6.4), (4.8, -5.2), (3.4, -3.6),
            (0.6, -1.8, 1), (-7.5, -1.8, 1), (-6.4, -high + 1.6, 1)])  # fmt: skip
        canvas.part(canvas.mask(quarter).within(canvas.alpha), look.colour, relief)
        edge = curve([(2.8, -6.0), (4.2, -5.0), (3.0, -3.6), (0.4, -2.0)])
        stitch(canvas, shifted(edge, -0.35), thread)
    if kind in ("oxford", "brogue"):
        cap = curve([(9.0, -4.4), (9.6, -3.0), (8.8, -1.4)])
        canvas.tint(canvas.line(cap, 0.25), 0.55)
        stitch(canvas, cap + (0.5, 0), thread)
    if kind == "brogue":
        for line in (
            curve([(8.3, -4.6), (8.9, -3.0), (8.1, -1.6)]),
            curve([(-8.4, -2.0), (-9.6, -5.0), (-12.4, -6.4)]),
        ):
            canvas.flat(canvas.dashes(line, 0.3, 0.25, 0.35), darker(look.colour, 0.75))
    if kind == "monk":
        band = shape([(-5.4, -6.6, 1), (1.2, -7.2), (4.6, -6.0), (4.8, -4.6, 1), (0.8, -5.6),
            (-5.2, -4.6, 1)])  # fmt: skip
        canvas.part(canvas.mask(band), tone, relief)
        canvas.part(canvas.mask(box(-3.4, -7.0, -1.2, -4.4, 0.3),
            holes=(box(-2.9, -6.5, -1.7, -4.9, 0.2),)), (0.76, 0.76, 0.79),
            fabric.METAL.but(depth=0.3))  # fmt: skip
    elif kind != "loafer":
        laces_on(canvas, high - 0.6, darker(look.colour, 0.45), 4)


def _heeled_sole(canvas: Canvas, colour: Colour) -> None:
    sole = shape([(-13.6, -1.9, 1), (-13.9, -1.0, 1), (-5.4, -0.9, 1), (2, -0.35), (9, -0.2), (14.2, -0.8), (15.4, -1.7), (15.2, -2.1, 1), (8, -1.7), (-4, -1.8)])  # fmt: skip
    heel = np.array([(-13.9, -1.2), (-5.2, -1.1), (-5.7, 0.35), (-13.6, 0.35)])
    canvas.part(canvas.mask(heel), darker(colour, 0.15), fabric.RUBBER.but(depth=0.6))
    canvas.part(canvas.mask(sole), colour, fabric.LEATHER.but(depth=0.5))
    stitch(canvas, curve([(-13, -1.6), (0, -1.5), (14.6, -1.7)]), lighter(colour, 0.4))
