"""Leather of bags; backpacks, clutches, wallets and duffel bags.

Units are centimetres; (0, 0) is the middle of the bag's body, y grows downwards.
"""

from __future__ import annotations

import numpy as np

from . import fabric, prints
from .canvas import Canvas, Paint, Relief
from .graphics import logo
from .looks import Look, cloth, fit
from .palette import Colour, darker, lighter, lightness, metal, rgb
from .shapes import box, curve, ellipse, shape


def thread_for(look: Look) -> Colour:
    """A stitching colour that shows on the hide."""
    return lighter(look.colour, 0.45) if lightness(look.colour) < 0.5 else darker(look.colour, 0.35)


def stand_bag(canvas: Canvas, x0: float, y0: float, x1: float, y1: float, **frame: float) -> None:
    """Frame the box of a bag and lay its shadow on the floor."""
    fit(canvas, x0, y0, x1, y1 + 1, **frame)
    half = (x1 - x0) / 2
    canvas.ground(canvas.mask(ellipse(0, y1 - 0.2, half * 0.9, 0.8)), 0.8, 0.45)
    canvas.ground(canvas.mask(ellipse(0.8, y1 + 0.3, half, 1.6)), 2.4, 0.22)


def hide(look: Look) -> tuple[Paint, Relief]:
    """Leather for bags: grained, embossed, woven or quilted."""
    kind = look.pick("grain", "grain", "smooth", "croco", "quilt", "weave")
    base = prints.solid(look.colour)
    soft = fabric.LEATHER.but(depth=3.2, bulge=0.8, hem=0.8)
    if look.chance(0.15):
        base = prints.animal(look.colour, look.rng, 1.8)
    if kind == "quilt":
        return base, soft.but(folds=fabric.folds([], extra=_diamonds(4.0, 0.5)))
    if kind == "croco":
        noise = fabric.Noise(look.rng, 1.6, 1.1)
        scales = fabric.folds([], extra=lambda x, y: 0.3 * np.abs(noise(x, y)))
        return base, soft.but(folds=scales, gloss=0.4)
    if kind == "weave":
        return base, soft.but(folds=fabric.folds([], extra=_basket(1.6, 0.22)))
    crumple = 0.35 if kind == "grain" else 0.12
    wide = fabric.Noise(look.rng, 6, 7)
    return prints.grained(base, look.rng, 0.03), soft.but(
        folds=fabric.folds([], noise=wide, crumple=crumple)
    )


def _diamonds(size: float, height: float) -> fabric.Folds:
    def quilt(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = np.abs(np.sin((x + y) * np.pi / size)), np.abs(np.sin((x - y) * np.pi / size))
        return (height * np.sqrt(np.minimum(u, v))).astype(np.float32)

    return quilt


def _basket(size: float, height: float) -> fabric.Folds:
    def weave(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        odd = (np.floor(x / size) + np.floor(y / size)) % 2
        across, along = np.abs(np.sin(x * np.pi / size)), np.abs(np.sin(y * np.pi / size))
        return (height * np.where(odd > 0, across, along)).astype(np.float32)

    return weave


def plate_with_name(canvas: Canvas, look: Look, tone: Colour, x: float, y: float) -> None:
    """A small metal plate with an engraved line, centred on (x, y)."""
    plate = box(x - 2.2, y - 1.2, x + 2.2, y + 1.2, 0.3)
    canvas.part(canvas.mask(plate), tone, fabric.METAL.but(depth=0.4, shadow=0.4))
    canvas.flat(canvas.line(np.array([(x - 1.4, y), (x + 1.4, y)]), 0.4), darker(tone, 0.55), 0.8)


def backpack(canvas: Canvas, look: Look) -> None:
    """School, roll-top and laptop rucksacks with pockets, zips and straps."""
    rng = look.rng
    stand_bag(canvas, -17, -25, 17, 23, height=206)
    paint = prints.grained(cloth(look, 0.7), rng, 0.035)
    trim = look.second if look.chance(0.6) else darker(look.colour, 0.35)
    relief = fabric.CANVAS.but(
        depth=4.0, folds=fabric.folds([], noise=fabric.Noise(rng, 6, 8), crumple=0.4)
    )
    for side in (-1, 1):
        strap = curve([(side * 9, -19), (side * 16, -12), (side * 16.6, 2), (side * 14, 14)])
        canvas.part(canvas.line(strap, 2.6), darker(look.colour, 0.4), fabric.CANVAS.but(depth=0.8))
    loop = curve([(-3, -21), (-2.6, -24), (0, -24.8), (2.6, -24), (3, -21)])
    canvas.part(canvas.line(loop, 1.1), darker(trim, 0.2), fabric.CANVAS.but(depth=0.4))
    body = shape([(-13.8, 22, 1), (-14.8, 2), (-13.6, -14), (-8, -21), (0, -22.4), (8, -21),
        (13.6, -14), (14.8, 2), (13.8, 22, 1), (0, 22.8)])  # fmt: skip
    canvas.part(canvas.mask(body), paint, relief)
    zip_line = curve([(-12.8, 2), (-11.8, -12.5), (-6.8, -18.8), (0, -20), (6.8, -18.8),
        (11.8, -12.5), (12.8, 2)])  # fmt: skip
    canvas.part(canvas.line(zip_line, 0.8), darker(look.colour, 0.6), fabric.FLAT)
    canvas.flat(canvas.dashes(zip_line, 0.4, 0.3, 0.3), (0.7, 0.7, 0.72), 0.7)
    upper = look.chance(0.6)
    if upper:
        _bag_pocket(
            canvas, look, trim if look.chance(0.4) else look.colour, -9.5, -11, 9.5, 0, relief
        )
    _bag_pocket(
        canvas, look, trim if look.chance(0.5) else look.colour, -11.5, 2.5, 11.5, 19.5, relief
    )
    mark = rgb("White") if lightness(look.colour) < 0.6 else rgb("Charcoal")
    badge = prints.placed(prints.solid(trim), logo(rng, mark), -2, 8, 4)
    canvas.part(canvas.mask(box(-2.6, 7.6, 2.6, 12.4, 0.4)), badge, fabric.FLAT)
    for side in (-1, 1):
        canvas.part(canvas.mask(box(side * 13.3 - 1.1, 10, side * 13.3 + 1.1, 20, 0.5)),
            darker(look.colour, 0.45), fabric.CANVAS.but(depth=0.6))  # fmt: skip


def _bag_pocket(
    canvas: Canvas,
    look: Look,
    colour: Colour,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    relief: Relief,
) -> None:
    canvas.part(
        canvas.mask(box(x0, y0, x1, y1, 3)),
        prints.grained(prints.solid(colour), look.rng, 0.035),
        relief.but(depth=2.0, shadow=0.4, reach=1.2),
    )
    rim = curve([(x0 + 1.2, y0 + 2.6), (0, y0 + 1.6), (x1 - 1.2, y0 + 2.6)])
    canvas.part(canvas.line(rim, 0.7), darker(colour, 0.6), fabric.FLAT)
    canvas.flat(canvas.dashes(rim, 0.35, 0.3, 0.3), (0.7, 0.7, 0.72), 0.7)
    pull = np.array([(x1 - 2.2, y0 + 2.4), (x1 - 2.8, y0 + 5.2)])
    canvas.part(canvas.line(pull, 0.7), look.second, fabric.RUBBER.but(depth=0.2, shadow=0.4))


def clutch(canvas: Canvas, look: Look) -> None:
    """Envelope, frame clutch or box with stones."""
    kind = look.pick("envelope", "frame", "box")
    paint, relief = hide(look)
    tone = metal(look.rng)
    if look.usage == "Party" or look.colour_name in ("Gold", "Silver"):
        noise = fabric.Noise(look.rng, 0.35)
        paint = lambda x, y: np.clip(look.colour * (1 + 0.25 * noise(x, y)[..., None]), 0, 1)  # noqa: E731
    tall = look.rng.uniform(6.2, 8.5)
    stand_bag(canvas, -15, -tall - 5, 15, tall, height=150)
    if kind == "envelope":
        canvas.part(canvas.mask(box(-14, -tall, 14, tall, 0.8)), paint, relief.but(depth=2))
        flap = np.array(
            [(-14.1, -tall - 0.1), (14.1, -tall - 0.1), (1.2, tall * 0.4), (-1.2, tall * 0.4)]
        )
        canvas.part(canvas.mask(flap), paint, relief.but(depth=1.2, shadow=0.5, reach=1.2))
        canvas.part(
            canvas.mask(ellipse(0, tall * 0.3, 0.9)), tone, fabric.METAL.but(depth=0.4, shadow=0.4)
        )
        return
    body = box(-13, -tall + 1, 13, tall, 2) if kind == "box" else shape([(-11.5, -tall + 1, 1), (11.5, -tall + 1, 1), (14, tall * 0.5), (10.5, tall), (0, tall + 0.2), (-10.5, tall), (-14, tall * 0.5)])  # fmt: skip
    ridges = [(-9 + 3.6 * i, -tall, -11 + 4.4 * i, tall, 0.7, 0.5) for i in range(6)]
    folds = fabric.folds(ridges if kind == "frame" else [])
    canvas.part(
        canvas.mask(body), paint, relief.but(folds=folds if kind == "frame" else relief.folds)
    )
    frame = box(-12.6, -tall, 12.6, -tall + 1.7, 0.8)
    canvas.part(canvas.mask(frame), tone, fabric.METAL.but(depth=0.5, shadow=0.4))
    for x in (-0.7, 0.7):
        canvas.part(
            canvas.mask(ellipse(x, -tall - 0.5, 0.85)),
            tone,
            fabric.METAL.but(depth=0.4, shadow=0.3),
        )
    if look.chance(0.6):
        for i in range(9):
            canvas.part(
                canvas.mask(ellipse(-9.6 + 2.4 * i, -tall + 0.85, 0.5)),
                lighter(look.second, 0.5),
                fabric.METAL.but(depth=0.3),
            )


def wallet(canvas: Canvas, look: Look) -> None:
    """Bi-fold, half open with cards, long zip-around or continental purse."""
    paint, relief = hide(look)
    relief = relief.but(depth=1.4)
    tone = metal(look.rng)
    if look.female or look.chance(0.25):
        stand_bag(canvas, -10.5, -5.6, 10.5, 5.6, height=120)
        canvas.part(canvas.mask(box(-10, -5.2, 10, 5.4, 0.9)), paint, relief)
        if look.chance(0.5):
            rim = box(-9.6, -4.8, 9.6, 5.0, 0.8)
            canvas.part(
                canvas.line(np.vstack([rim, rim[:1]]), 0.5), tone, fabric.METAL.but(depth=0.2)
            )
            canvas.part(canvas.line(np.array([(9.2, -4.4), (11.0, -1.8)]), 0.6), tone, fabric.METAL)
        else:
            flap = shape([(-10.1, -5.3, 1), (10.1, -5.3, 1), (10, 0.6, 1), (0, 1.8), (-10, 0.6, 1)])
            canvas.part(canvas.mask(flap), paint, relief.but(shadow=0.45))
            canvas.part(
                canvas.mask(ellipse(0, 0.9, 0.8)), tone, fabric.METAL.but(depth=0.3, shadow=0.4)
            )
        plate_with_name(canvas, look, tone, -6.6, 3.4)
        return
    stand_bag(canvas, -7, -6, 7, 6.2, width=126, height=130)
    if look.chance(0.45):
        back = np.array([(-6, -5.2), (6.4, -6.2), (6.2, 4.4), (-6, 5.2)])
        canvas.part(canvas.mask(back), darker(look.colour, 0.3), fabric.LEATHER.but(depth=0.8))
        for i, card in enumerate((rgb("Blue"), rgb("Mustard"), rgb("Red"))):
            y = -4.6 + 0.9 * i
            canvas.part(canvas.mask(box(-4.8, y, 4.6, y + 4, 0.4)),
                card, fabric.PLASTIC.but(depth=0.3, shadow=0.3))  # fmt: skip
    front = np.array([(-6, -2.6 if look.chance(0.3) else -5.0), (6, -4.8), (6, 5.4), (-6, 5.4)])
    canvas.part(canvas.mask(front), paint, relief.but(shadow=0.4))
    inside = front + (front.mean(axis=0) - front) * 0.06
    canvas.flat(
        canvas.dashes(np.vstack([inside, inside[:1]]), 0.1, 0.35, 0.22), thread_for(look), 0.8
    )
    if look.chance(0.5):
        canvas.part(canvas.mask(np.array([(1, -4.7), (3, -4.8), (3, 5.4), (1, 5.4)])),
            look.second, relief.but(depth=0.4, shadow=0.1))  # fmt: skip
    mark = prints.placed(paint, logo(look.rng, darker(look.colour, 0.5)), 2.2, 2.2, 2.4)
    canvas.part(
        canvas.mask(ellipse(3.4, 3.4, 1.3)), mark, fabric.FLAT.but(shadow=0, edge=0, bulge=0)
    )


def duffel(canvas: Canvas, look: Look) -> None:
    """A sports bag: barrel body, end panels, webbing handles, pocket."""
    rng = look.rng
    stand_bag(canvas, -26, -22, 26, 14, width=160)
    trim = look.second if look.chance(0.6) else darker(look.colour, 0.4)
    relief = fabric.CANVAS.but(
        depth=5, folds=fabric.folds([], noise=fabric.Noise(rng, 9, 7), crumple=0.6)
    )
    strap = curve([(-22, -7), (-14, -19), (0, -21), (14, -19), (22, -7)])
    canvas.part(canvas.line(strap, 1.2), darker(trim, 0.35), fabric.CANVAS.but(depth=0.4))
    body = shape([(-24, 12.5, 1), (-25.4, 2), (-23, -9), (-16, -12), (0, -12.8), (16, -12),
        (23, -9), (25.4, 2), (24, 12.5, 1), (0, 13.4)])  # fmt: skip
    canvas.part(canvas.mask(body), prints.grained(prints.solid(look.colour), rng, 0.035), relief)
    for side in (-1, 1):
        end = shape([(side * 24, 12.8, 1), (side * 25.6, 2), (side * 23, -9.2),
            (side * 18.4, -11.6, 1), (side * 17.6, 2), (side * 18, 13, 1)])  # fmt: skip
        canvas.part(canvas.mask(end).within(canvas.alpha), trim, relief.but(depth=2))
    zip_line = curve([(-19, -10.6), (0, -11.6), (19, -10.6)])
    canvas.part(canvas.line(zip_line, 0.9), darker(look.colour, 0.6), fabric.FLAT)
    canvas.part(canvas.mask(box(-9, -3, 9, 10, 2)), look.colour, relief.but(depth=2, shadow=0.35))
    for side in (-1, 1):
        web = np.array([(side * 11.5, 13.2), (side * 11.5, -9)])
        canvas.part(
            canvas.line(web, 1.7), darker(trim, 0.1), fabric.CANVAS.but(depth=0.4, shadow=0.35)
        )
    loop = curve([(-11.5, -8), (-9, -16), (0, -18), (9, -16), (11.5, -8)])
    canvas.part(canvas.line(loop, 1.6), darker(trim, 0.1), fabric.CANVAS.but(depth=0.5, shadow=0.3))
    mark = rgb("White") if lightness(look.colour) < 0.6 else rgb("Charcoal")
    paint = prints.placed(prints.solid(look.colour), logo(rng, mark), -4, 0, 8)
    canvas.part(canvas.mask(box(-4.4, -0.4, 4.4, 8.4, 0.5)),
        paint, fabric.FLAT.but(shadow=0, edge=0, bulge=0))  # fmt: skip
