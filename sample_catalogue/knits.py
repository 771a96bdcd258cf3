"""Recipes of the warm tops: sweatshirts, sweaters, jackets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import fabric, necks, prints
from .canvas import Canvas, Paint, Relief
from .looks import Look, cloth
from .palette import darker, lighter, lightness
from .shapes import box, curve, shape
from .tops import Cut, body_outline, draw_body, draw_inside, draw_sleeves, place, standard


def _warm_cut(look: Look, sleeve: float = 56.0) -> Cut:
    cut = standard(look)
    short = 0.72 if look.kid else 1.0
    return cut.but(
        sleeve=sleeve * short, lift=look.rng.uniform(11, 17), cuff=5.6, length=cut.length * 0.95,
        waist=cut.waist + 1.2,
    )  # fmt: skip


def sweatshirt(canvas: Canvas, look: Look) -> None:
    """Crew neck or hood, ribbed hems, kangaroo pocket, zip or print."""
    cut = _warm_cut(look).but(hem_shape="rib", rib_cuff=5.5, neck=8.5, neck_depth=8.5)
    hooded, zipped = look.chance(0.55), look.pattern != "Graphic" and look.chance(0.4)
    paint = cloth(look)
    place(canvas, cut, above=12 if hooded else 3)
    raglan = prints.solid(look.second) if look.chance(0.2) else paint
    plain = prints.solid(look.colour) if look.pattern == "Graphic" else paint
    if not hooded:
        necks.crew(canvas, cut, look)
    draw_sleeves(canvas, cut, plain if raglan is paint else raglan, fabric.KNIT, look)
    draw_body(canvas, cut, paint, fabric.KNIT, look)
    if hooded or look.chance(0.3):
        _kangaroo(canvas, cut, look, plain)
    if zipped:
        necks.zipper(canvas, 7, cut.length, darker(look.colour, 0.3))
    if hooded:
        necks.hood(canvas, cut, look, plain)
    else:
        necks.rib_neck(canvas, cut, look, darker(look.colour, 0.08), 2.8)


def _kangaroo(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    low = cut.length - 5.4
    half = [
        (-9, low - 17, 1),
        (9, low - 17, 1),
        (15.5, low - 6, 1),
        (15.5, low, 1),
        (-15.5, low, 1),
        (-15.5, low - 6, 1),
    ]
    outline = curve(half, closed=True)
    canvas.part(canvas.mask(outline), paint, fabric.KNIT.but(depth=1.4, bulge=0.5, shadow=0.3))
    for side in (-1, 1):
        edge = np.array([(side * 8.4, low - 16), (side * 14.6, low - 5.6)])
        canvas.flat(canvas.dashes(edge, 0.2, 0.6, 0.4), necks.thread(look.colour), 0.6)


def sweater(canvas: Canvas, look: Look) -> None:
    """Pullover or cardigan in plain, ribbed or cable knit."""
    shape_of = look.pick("crew", "v", "v", "roll", "cardigan")
    depth = {"v": 19.0, "cardigan": 30.0}.get(str(shape_of), 7.5)
    cut = _warm_cut(look).but(
        hem_shape="rib", rib_cuff=6.0, neck=7.8, neck_depth=depth,
        neck_shape="v" if shape_of in ("v", "cardigan") else "crew",
    )  # fmt: skip
    paint = prints.grained(cloth(look), look.rng, 0.035)
    place(canvas, cut, above=8 if shape_of == "roll" else 3)
    necks.crew(canvas, cut, look)
    knit = _knit(look)
    draw_sleeves(canvas, cut, paint, fabric.KNIT, look)
    mask = canvas.mask(body_outline(cut))
    draw_body(canvas, cut, paint, fabric.KNIT, look)
    if look.pattern in ("", "Melange"):
        # A second, almost clear pass lays the stitches of the knit over the body.
        stitches = prints.solid(look.colour)
        flat = mask.within(np.full_like(canvas.alpha, 0.5))
        canvas.part(flat, stitches, fabric.KNIT.but(bulge=0.3, shadow=0, edge=0, folds=knit))
    trim = look.second if look.chance(0.2) else darker(look.colour, 0.08)
    if shape_of == "roll":
        necks.roll_neck(canvas, cut, look)
    else:
        necks.rib_neck(canvas, cut, look, trim, 2.8)
    if shape_of == "cardigan":
        tone = (
            darker(look.colour, 0.5) if lightness(look.colour) > 0.4 else lighter(look.colour, 0.5)
        )
        necks.placket(canvas, look, prints.solid(trim), depth, cut.length, count=5, buttons=tone)


def _knit(look: Look) -> fabric.Folds:
    kind = look.pick("cable", "rib", "plain")
    if kind == "plain":
        return fabric.folds([], extra=fabric.ribs(0.9, 0.06, 90))
    if kind == "rib":
        return fabric.folds([], extra=fabric.ribs(2.0, 0.22))

    def cable(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        lane = np.abs(((x + 4.5) / 9) % 1 - 0.5) * 9
        rope = np.exp(-((lane - 1.2 * np.sin(y * 0.8)) ** 2) / 0.8)
        rope += np.exp(-((lane + 1.2 * np.sin(y * 0.8)) ** 2) / 0.8)
        return (0.55 * rope).astype(np.float32)

    return fabric.folds([], extra=cable)


def jacket(canvas: Canvas, look: Look) -> None:
    """Bomber, biker, puffer, denim jacket or blazer."""
    kind = look.pick("bomber", "biker", "puffer", "denim", "blazer", "track")
    if look.usage == "Sports":
        kind = look.pick("track", "puffer")
    cut = _warm_cut(look).but(neck=8.2, neck_depth=7.0)
    if kind == "blazer":
        _blazer(canvas, cut.but(length=cut.length + 6), look)
        return
    ribbed = kind in ("bomber", "track")
    cut = cut.but(hem_shape="rib" if ribbed else "straight", rib_cuff=5.0 if ribbed else 0.0)
    if kind in ("denim", "biker"):
        cut = cut.but(length=cut.length * 0.9)
    relief, paint = _shell(str(kind), look)
    place(canvas, cut, above=5)
    draw_inside(canvas, cut, look)
    sleeves = prints.solid(look.second) if kind == "track" and look.chance(0.6) else paint
    draw_sleeves(canvas, cut, sleeves, _quilted(relief, 6.5) if kind == "puffer" else relief, look)
    if kind == "puffer":
        canvas.part(canvas.mask(body_outline(cut)), paint, _quilted(relief, 7.5))
    else:
        draw_body(canvas, cut, paint, relief, look)
    _JACKET_DETAILS[str(kind)](canvas, cut, look, paint)


def _shell(kind: str, look: Look) -> tuple[Relief, Paint]:
    if kind == "biker":
        return fabric.LEATHER.but(depth=4.5, gloss=0.35, polish=12), prints.solid(look.colour)
    if kind == "puffer":
        return fabric.PUFFER, prints.solid(look.colour)
    if kind == "denim":
        return fabric.DENIM, prints.denim(look.colour, look.rng)
    return fabric.SATIN.but(gloss=0.1), cloth(look)


def _quilted(relief: Relief, height: float) -> Relief:
    """Down chambers, one above the other."""

    def chambers(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        phase = ((y + 0.05 * np.abs(x)) / height) % 1
        return (1.3 * np.sqrt(np.clip(1 - (2 * phase - 1) ** 2, 0, 1))).astype(np.float32)

    return relief.but(folds=fabric.folds([], extra=chambers))


def _slant_pockets(canvas: Canvas, cut: Cut, look: Look) -> None:
    for side in (-1, 1):
        edge = np.array([(side * 11.5, cut.length * 0.66), (side * 16, cut.length * 0.82)])
        canvas.part(canvas.line(edge, 1.6), darker(look.colour, 0.15), fabric.WOVEN.but(depth=0.7))
        canvas.flat(canvas.line(edge, 0.5), (0.62, 0.63, 0.66))


def _zipped(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    _slant_pockets(canvas, cut, look)
    necks.zipper(canvas, 3, cut.length, darker(look.colour, 0.35))
    necks.mandarin(canvas, cut, look, paint)


def _track(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    for side in (-1, 1):
        for i in range(2):
            line = curve(
                [
                    (side * (12 + 2 * i), 3.5 + i * 0.8),
                    (side * (13.6 + 2 * i), 20),
                    (side * (15.4 + 2 * i), 38),
                ]
            )
            canvas.flat(canvas.line(line, 0.9), look.second, 0.95)
    _zipped(canvas, cut, look, paint)


def _biker(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    _slant_pockets(canvas, cut, look)
    necks.mandarin(canvas, cut, look, paint)
    line = np.array([(3.0, 9.0), (6.5, cut.length)])
    canvas.part(canvas.line(line, 1.4), darker(look.colour, 0.4), fabric.FLAT)
    canvas.part(canvas.line(line, 0.7), (0.7, 0.71, 0.74), fabric.METAL.but(depth=0.3))
    relief = fabric.LEATHER.but(depth=1.6, shadow=0.4, reach=1.2)
    for side in (1, -1):
        lapel = curve([(side * 7.6, -0.6, 1), (side * 10.8, 2.4, 1), (side * 13.5, 14, 1), (side * 3.2, 24, 1), (side * 1.2, 8, 1)], closed=True)  # fmt: skip
        canvas.part(canvas.mask(lapel), paint, relief)
        necks.button(canvas, side * 11.4, 13.2, 0.6, np.array([0.72, 0.73, 0.76], np.float32))
    belt = box(-cut.hem, cut.length - 5, cut.hem, cut.length - 0.4)
    canvas.part(canvas.mask(belt).within(canvas.alpha), paint, relief.but(shadow=0.2))


def _denim_jacket(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    gold = np.array([0.78, 0.55, 0.28], np.float32)
    for side in (-1, 1):
        for points in (
            [(4, 18), (20, 18)],
            [(7, 19), (6, cut.length - 5)],
            [(13, 25), (10, cut.length - 5)],
        ):
            line = np.array(points, float) * (side, 1)
            canvas.tint(canvas.line(line, 0.35), 0.75)
            canvas.flat(canvas.dashes(line + (0.6, 0), 0.2, 0.7, 0.45), gold, 0.9)
        necks.patch_pocket(canvas, look, paint, side * 11, 18.5, 10, flap=True)
    waist = box(-cut.hem, cut.length - 4.6, cut.hem, cut.length)
    canvas.part(canvas.mask(waist).within(canvas.alpha), paint, fabric.DENIM.but(depth=1.2))
    bronze = np.array([0.66, 0.5, 0.32], np.float32)
    necks.placket(canvas, look, paint, 4, cut.length, count=6, width=4.0, buttons=bronze)
    necks.collar(canvas, cut, look, paint, spread=1.25)


def _blazer(canvas: Canvas, cut: Cut, look: Look) -> None:
    paint = cloth(look) if look.pattern else prints.melange(look.colour, look.rng, 0.04)
    place(canvas, cut, above=4)
    draw_sleeves(canvas, cut, paint, fabric.WOVEN, look)
    shirt = np.array([(-9, -2), (9, -2), (9, 30), (0, 38), (-9, 30)], float)
    canvas.part(canvas.mask(shirt), (0.94, 0.94, 0.95), fabric.WOVEN.but(depth=2))
    necks.collar(
        canvas,
        cut.but(neck=7.2),
        _in_white(look),
        prints.solid(np.array([0.95, 0.95, 0.95], np.float32)),
    )
    deep = cut.but(neck_shape="v", neck_depth=36.0, neck=8.6)
    draw_body(canvas, deep, paint, fabric.WOVEN, look)
    relief = fabric.WOVEN.but(depth=1.6, shadow=0.4, reach=1.3)
    for side in (1, -1):
        lapel = [
            (7.4, -2.4),
            (9.8, -0.4),
            (12.4, 13),
            (9.2, 12.4),
            (13.0, 15.5),
            (0.4, 38),
            (4.2, 20),
        ]
        outline = np.array([(x * side, y) for x, y in lapel])
        canvas.part(canvas.mask(outline), paint, relief)
        flap = shape(
            [(side * 8, 50, 1), (side * 19, 51, 1), (side * 19.4, 56, 1), (side * 8, 55, 1)]
        )
        canvas.part(canvas.mask(flap), paint, relief.but(shadow=0.3))
    edge = curve([(0.4, 38), (0.8, cut.length * 0.75), (2.5, cut.length)])
    canvas.tint(canvas.line(edge, 0.5), 0.6)
    for y in (40, 50):
        necks.button(canvas, -1.6, y, 1.0, darker(look.colour, 0.45))
    canvas.part(
        canvas.mask(box(7, 24, 15, 25.6)), darker(look.colour, 0.1), fabric.WOVEN.but(depth=0.6)
    )


def _in_white(look: Look) -> Look:
    """The same look in shirt white, for what is worn beneath."""
    return replace(look, colour=np.array([0.93, 0.93, 0.94], np.float32))


_JACKET_DETAILS = {
    "bomber": _zipped,
    "puffer": _zipped,
    "track": _track,
    "biker": _biker,
    "denim": _denim_jacket,
}
