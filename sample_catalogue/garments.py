"""Recipes of the upper garments: T-shirts, shirts, tops, knitwear, jackets, kurtas."""

from __future__ import annotations

import numpy as np

from . import fabric, necks, prints
from .canvas import Canvas, Paint
from .graphics import logo
from .looks import Look, cloth
from .palette import darker, lighter, lightness
from .shapes import band, box, curve, flipped
from .tops import (
    Cut,
    cuff_outline,
    draw_body,
    draw_rib,
    draw_sleeves,
    neckline,
    place,
    standard,
)

_WHITE = np.array([0.95, 0.95, 0.94], np.float32)


def _trim(look: Look) -> np.ndarray:
    """The colour of ribs and edges: tone in tone, or contrasting."""
    return look.second if look.chance(0.25) else darker(look.colour, 0.1)


def tshirt(canvas: Canvas, look: Look) -> None:
    """Crew, V or scoop neck, polo or henley; short or long sleeves."""
    cut = standard(look)
    neck = look.pick("crew", "crew", "crew", "v", "polo", "henley", "scoop")
    if look.pattern == "Graphic" and neck in ("polo", "henley"):
        neck = "crew"
    depth = {"v": 15.0, "scoop": 13.0}.get(neck, 8.5) + look.rng.uniform(-1, 1.5)
    cut = cut.but(neck_shape=neck, neck_depth=depth)
    if look.chance(0.16):
        cut = cut.but(sleeve=55.0, lift=look.rng.uniform(12, 20), cuff=5.5)
    paint = cloth(look)
    sleeves = prints.solid(look.second) if look.chance(0.12) else paint
    if look.pattern == "Graphic":
        sleeves = prints.solid(look.second if look.chance(0.2) else look.colour)
    place(canvas, cut)
    trim = _trim(look)
    if neck != "polo":
        necks.crew(canvas, cut, look)
    draw_sleeves(canvas, cut, sleeves, fabric.JERSEY, look)
    chest = paint
    if look.pattern in ("", "Colourblocked", "Striped") and look.chance(0.5):
        mark = _WHITE if lightness(look.colour) < 0.55 else darker(look.colour, 0.75)
        chest = prints.placed(paint, logo(look.rng, mark), 8, 20, 5)
    draw_body(canvas, cut, chest, fabric.JERSEY, look)
    if neck == "polo":
        _polo(canvas, cut, look, paint, trim)
        return
    necks.rib_neck(canvas, cut, look, trim, 2.0 if neck == "crew" else 1.5)
    if neck == "henley":
        necks.placket(canvas, look, prints.solid(trim), depth - 0.2, depth + 12, count=3)


def _polo(canvas: Canvas, cut: Cut, look: Look, paint: Paint, trim: np.ndarray) -> None:
    necks.placket(canvas, look, paint, 4.5, 20, count=3)
    solid = trim if look.chance(0.5) else look.colour
    necks.collar(canvas, cut.but(neck=8.0), look, prints.solid(solid), spread=1.15)
    if look.chance(0.5):
        for flip in (1, -1):
            hem = cuff_outline(cut, 2.4)
            draw_rib(canvas, hem if flip > 0 else flipped(hem), solid, -cut.lift * flip)


def shirt(canvas: Canvas, look: Look) -> None:
    """Collar, placket, pockets, long sleeves with cuffs, or short ones."""
    cut = standard(look).but(hem_shape="tail", neck=7.6, neck_depth=5.0, length=74.0)
    if look.female:
        cut = cut.but(length=66.0)
    long = look.usage == "Formal" or look.chance(0.62)
    if long:
        cut = cut.but(sleeve=57.0, lift=look.rng.uniform(10, 17), cuff=6.0)
    else:
        cut = cut.but(sleeve=cut.sleeve + 5, cuff=9.5)
    paint = cloth(look)
    contrast = prints.solid(look.second if look.chance(0.15) else darker(look.colour, 0.03))
    upper = contrast if look.pattern == "" else paint
    place(canvas, cut, above=5)
    draw_sleeves(canvas, cut, paint, fabric.WOVEN, look)
    if long:
        _shirt_cuffs(canvas, cut, look, upper)
    draw_body(canvas, cut, paint, fabric.WOVEN, look)
    dark = lightness(look.colour) < 0.5 and look.chance(0.6)
    buttons = darker(look.colour, 0.3) if dark else None
    _yoke(canvas, cut)
    if look.chance(0.75):
        necks.patch_pocket(canvas, look, paint, 12, 23, 11, flap=look.chance(0.2))
        if look.chance(0.25):
            necks.patch_pocket(canvas, look, paint, -12, 23, 11, flap=True)
    necks.placket(canvas, look, paint, 4.0, cut.length + 0.2, buttons=buttons)
    necks.collar(canvas, cut, look, upper, spread=look.rng.uniform(0.9, 1.3))
    necks.button(canvas, 0, 5.2, 0.7, _WHITE if buttons is None else buttons)


def _yoke(canvas: Canvas, cut: Cut) -> None:
    for side in (-1, 1):
        seam = curve([(side * cut.neck, 2.5), (side * cut.shoulder * 0.97, 8.5)])
        canvas.tint(canvas.line(seam, 0.25), 0.8)


def _shirt_cuffs(canvas: Canvas, cut: Cut, look: Look, paint: Paint) -> None:
    cuff = cuff_outline(cut, 6.5)
    for flip in (1, -1):
        line = cuff if flip > 0 else flipped(cuff)
        turned = prints.at_angle(paint, -cut.lift * flip)
        canvas.part(canvas.mask(line), turned, fabric.WOVEN.but(depth=1.4, shadow=0.3))
        x, y = line.mean(axis=0)
        necks.button(canvas, x + 2.6 * flip, y, 0.7, _WHITE)


def top(canvas: Canvas, look: Look) -> None:
    """Women's and girls' tops: sleeveless, cap or flutter sleeves, many necks and hems."""
    rng = look.rng
    neck = look.pick("crew", "scoop", "v", "square", "sweetheart", "boat")
    depth = {"crew": 8, "boat": 5, "scoop": 15, "v": 17, "square": 11, "sweetheart": 14}[neck]
    cut = standard(look).but(neck_shape=neck, neck_depth=depth, slope=4.0)
    cut = cut.but(neck=14 if neck == "boat" else rng.uniform(9.5, 12.5), length=rng.uniform(55, 66))
    flare = look.chance(0.45)
    cut = cut.but(hem_shape="flare" if flare else "straight", hem=cut.hem + (4.5 if flare else 0))
    sleeve = look.pick(0.0, 0.0, 8.0, 12.0, 34.0)
    cut = cut.but(sleeve=sleeve, cuff=9.5 if sleeve < 13 else 7.0, lift=rng.uniform(18, 40))
    if not sleeve:
        cut = cut.but(shoulder=rng.uniform(14.5, 17))
    satin = look.pattern == "" and look.chance(0.4)
    relief = fabric.SATIN if satin else fabric.JERSEY
    paint = cloth(look)
    place(canvas, cut)
    necks.crew(canvas, cut, look)
    draw_sleeves(canvas, cut, paint, relief, look)
    draw_body(canvas, cut, paint, relief, look)
    line = neckline(cut)
    edge = look.second if look.chance(0.2) else darker(look.colour, 0.12)
    canvas.part(canvas.mask(band(line, 1.1, offset=-0.3)), edge, fabric.WOVEN.but(depth=0.6))
    if not sleeve:
        _armholes(canvas, cut, edge)
    _top_detail(canvas, cut, look, edge)


def _armholes(canvas: Canvas, cut: Cut, colour: np.ndarray) -> None:
    points = [
        (cut.shoulder, cut.slope),
        (cut.shoulder - 1.6, cut.slope + 9),
        (cut.chest - 1.2, cut.slope + 17.2),
        (cut.chest, cut.slope + 19.5),
    ]
    for flip in (-1, 1):
        line = curve([(flip * x, y) for x, y in points])
        canvas.part(canvas.line(line, 0.9), colour, fabric.WOVEN.but(depth=0.6, shadow=0.15))


def _top_detail(canvas: Canvas, cut: Cut, look: Look, edge: np.ndarray) -> None:
    detail = look.pick("none", "bow", "belt", "buttons", "lace", "none")
    y = cut.neck_depth
    if detail == "bow":
        for side in (-1, 1):
            loop = curve(
                [(0, y + 2), (side * 4, y - 0.6), (side * 5, y + 3.6), (0, y + 2.4)], closed=True
            )
            tail = curve([(0, y + 2.4), (side * 1.6, y + 7), (side * 3, y + 12)])
            canvas.part(canvas.line(tail, 1.2), edge, fabric.SATIN.but(depth=0.5))
            canvas.part(canvas.mask(loop), edge, fabric.SATIN.but(depth=1.2))
    elif detail == "belt":
        waist = cut.length * 0.58
        belt = box(-cut.waist - 0.6, waist, cut.waist + 0.6, waist + 2.6)
        canvas.part(canvas.mask(belt), edge, fabric.SATIN.but(depth=1.0, shadow=0.3))
    elif detail == "buttons":
        for i in range(4):
            necks.button(canvas, 0, y + 3 + 4.5 * i, 0.7, _WHITE)
    elif detail == "lace":
        for i in range(3):
            line = curve([(-11 + i, y + 5 + 3 * i), (0, y + 6.4 + 3 * i), (11 - i, y + 5 + 3 * i)])
            canvas.flat(canvas.dashes(line, 0.7, 0.9, 0.5), lighter(look.colour, 0.6), 0.8)


def kurta(canvas: Canvas, look: Look) -> None:
    """A long tunic with an embroidered neck, side slits and borders."""
    rng = look.rng
    men = not look.female
    cut = standard(look).but(
        length=rng.uniform(92, 108), hem=27 if men else rng.uniform(25, 31), waist=24 if men else 20.5,
        sleeve=float(rng.choice((56.0, 38.0) if men else (0.0, 18.0, 38.0, 52.0))), cuff=6.5,
        lift=rng.uniform(10, 15), neck=7.5, neck_depth=rng.uniform(6, 9) if men else rng.uniform(9, 15),
        neck_shape=str(rng.choice(("crew", "v"))),
    )  # fmt: skip
    if 0 < cut.sleeve < 30:
        cut = cut.but(cuff=8.5, lift=18)
    paint = cloth(look)
    place(canvas, cut)
    draw_sleeves(canvas, cut, paint, fabric.WOVEN, look)
    necks.crew(canvas, cut, look)
    draw_body(canvas, cut, paint, fabric.WOVEN, look)
    _slits(canvas, cut)
    gold = np.array([0.85, 0.68, 0.33], np.float32)
    thread = gold if look.chance(0.6) else look.second
    if men or look.chance(0.35):
        necks.placket(
            canvas, look, paint, cut.neck_depth, cut.neck_depth + 24, count=4, buttons=gold
        )
        necks.mandarin(canvas, cut.but(neck=8.2), look, paint)
    else:
        _embroidery(canvas, cut, look, thread)
    if not men:
        _borders(canvas, cut, look, thread)


def _slits(canvas: Canvas, cut: Cut) -> None:
    for side in (-1, 1):
        x = side * (cut.hem - 0.9)
        slit = curve([(x - side * 1.2, cut.length * 0.7), (x, cut.length - 1)])
        canvas.tint(canvas.line(slit, 0.35), 0.6)


def _embroidery(canvas: Canvas, cut: Cut, look: Look, thread: np.ndarray) -> None:
    line = neckline(cut)
    relief = fabric.WOVEN.but(depth=0.8, shadow=0.2)
    yoke = band(line, 4.2, offset=-2.0)
    canvas.part(canvas.mask(yoke), look.second, relief)
    for offset, width in ((-0.4, 0.5), (-3.6, 0.5)):
        canvas.part(canvas.mask(band(line, width, offset=offset)), thread, relief.but(depth=0.3))
    middle = band(line, 0.1, offset=-2.0)[: len(line)]
    canvas.flat(canvas.dashes(middle, 1.1, 0.8, 1.0), thread)


def _borders(canvas: Canvas, cut: Cut, look: Look, thread: np.ndarray) -> None:
    y, h = cut.length - 5.5, cut.hem
    outline = np.array(
        [(-h + 0.3, y), (h - 0.3, y), (h - 0.1, y + 4.4), (0, y + 5.3), (-h + 0.1, y + 4.4)]
    )
    canvas.flat(canvas.mask(outline).within(canvas.alpha), look.second, 0.75)
    for dy in (0.0, 4.0):
        edge = curve([(-h + 0.5, y + dy), (0, y + dy + 0.8), (h - 0.5, y + dy)])
        canvas.flat(canvas.line(edge, 0.55), thread)
    zigzag = np.array(
        [(x, y + (1.4 if i % 2 else 3.2)) for i, x in enumerate(np.arange(-h + 1, h, 1.6))]
    )
    canvas.flat(canvas.line(zigzag, 0.4), thread)
