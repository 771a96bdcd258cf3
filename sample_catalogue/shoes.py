"""Sneakers and running shoes, seen from the side.

Units are centimetres; the toe points to the right, the floor is y = 0, up is negative.
"""

from __future__ import annotations

import numpy as np

from . import fabric, prints
from .canvas import Canvas, Paint, Relief
from .graphics import logo
from .looks import Look, cloth, fit
from .palette import Colour, bright, darker, jittered, lighter, lightness, rgb
from .shapes import Points, curve, ellipse, shape

_WHITE = np.array([0.94, 0.94, 0.93], np.float32)


def stand(canvas: Canvas, half: float = 14.5, top: float = -13.0) -> None:
    """Frame a shoe and lay its shadow on the floor."""
    fit(canvas, -half - 1, top - 1, half + 1, 1, width=158, drop=-6)
    canvas.ground(canvas.mask(ellipse(0.3, -0.1, half * 0.98, 0.9)), 0.8, 0.42)
    canvas.ground(canvas.mask(ellipse(0.8, 0.3, half * 1.02, 1.3)), 2.0, 0.2)


def stitch(canvas: Canvas, line: np.ndarray, colour: Colour) -> None:
    """A fine line of stitches."""
    canvas.flat(canvas.dashes(line, 0.11, 0.3, 0.2), colour, 0.7)


def thread_for(colour: Colour) -> Colour:
    """A stitching colour that shows on a shoe of this colour."""
    return lighter(colour, 0.5) if lightness(colour) < 0.5 else darker(colour, 0.4)


def _upper(high: float, toe: float) -> np.ndarray:
    """The upper of a laced shoe; ``high`` is the collar above the floor, ``toe`` the toe's."""
    return shape(
        [
            (-13.6, -1.8, 1),
            (-13.9, -5.0),
            (-13.2, -high * 0.82),
            (-13.5, -high, 1),
            (-11.5, -high + 0.9),
            (-8.2, -high + 1.8),
            (-5.0, -high + 0.2),
            (-3.4, -high - 1.3, 1),
            (0.8, -high * 0.35 - 5.2),
            (4.6, -6.1),
            (8.2, -toe - 0.5),
            (11.6, -toe + 0.4),
            (13.7, -2.9),
            (14.0, -1.6, 1),
        ]
    )


def opening(canvas: Canvas, high: float, lining: Colour) -> None:
    """The far side of the collar with the lining."""
    far = shape([(-13.2, -high, 1), (-10, -high - 0.9), (-5.2, -high - 1.2), (-3.2, -high - 1.6, 1), (-5, -high + 1.8), (-10, -high + 2.6)])  # fmt: skip
    canvas.part(canvas.mask(far), darker(lining, 0.25), fabric.CANVAS.but(depth=1.2, bulge=-0.5))


def _tongue(canvas: Canvas, high: float, paint: Paint | Colour, look: Look) -> None:
    tongue = shape([(-5.2, -high + 0.6, 1), (-5.6, -high - 1.8), (-4.0, -high - 2.8), (-2.0, -high - 2.0), (2.6, -7.6, 1), (0.5, -6.4)])  # fmt: skip
    canvas.part(canvas.mask(tongue), paint, fabric.CANVAS.but(depth=1.0))
    label = np.array(
        [(-4.7, -high - 1.6), (-3.2, -high - 1.9), (-2.6, -high - 0.9), (-4.1, -high - 0.6)]
    )
    canvas.part(canvas.mask(label), look.second, fabric.FLAT)


def laces_on(canvas: Canvas, high: float, colour: Colour, count: int = 5) -> None:
    """Eyelets, crossing laces and a bow along the instep."""
    top, low = np.array([-2.6, -high - 0.2]), np.array([5.0, -6.0])
    relief = fabric.CANVAS.but(depth=0.35, shadow=0.45, reach=0.3)
    for share in np.linspace(0.06, 0.94, count):
        x, y = top + (low - top) * share
        eyelet = ellipse(x - 0.9, y + 1.4, 0.27)
        canvas.part(canvas.mask(eyelet), (0.55, 0.55, 0.58), fabric.METAL.but(depth=0.2))
        lace = curve([(x - 0.9, y + 1.4), (x + 0.1, y + 0.2), (x + 1.0, y - 0.9)])
        canvas.part(canvas.line(lace, 0.72), colour, relief)
    bow = curve(
        [(-2.4, -high - 0.3), (-4.4, -high + 1.6), (-3.2, -high + 2.9), (-2.0, -high + 0.5)]
    )
    canvas.part(canvas.line(bow, 0.5), colour, relief)
    end = curve([(-2.2, -high), (-0.6, -high + 2.6), (0.2, -high + 4.4)])
    canvas.part(canvas.line(end, 0.45), colour, relief)


def _rubber_sole(canvas: Canvas, thick: float, colour: Colour, look: Look) -> None:
    outline = shape([(-14.2, -thick, 1), (-14.5, -0.6), (-13.6, 0, 1), (11.0, 0, 1), (13.8, -0.5), (15.0, -thick * 0.75), (14.6, -thick - 0.2, 1), (0, -thick - 0.1)])  # fmt: skip
    canvas.part(canvas.mask(outline), colour, fabric.RUBBER.but(shadow=0.3))
    line = curve([(-14.2, -thick * 0.5), (0, -thick * 0.45), (14.6, -thick * 0.62)])
    if look.chance(0.6):
        tone = look.second if lightness(colour) > 0.6 else _WHITE
        canvas.flat(canvas.line(line, 0.34).within(canvas.alpha), tone, 0.9)
    stitch(
        canvas,
        curve([(-14, -thick + 0.4), (0, -thick + 0.4), (14.4, -thick + 0.2)]),
        darker(colour, 0.3),
    )
    for x in np.arange(-13, 11, 1.1):
        canvas.tint(canvas.line(np.array([(x, -0.5), (x, -0.05)]), 0.25), 0.6)


def casual(canvas: Canvas, look: Look) -> None:
    """Canvas sneakers, low or high, court shoes, slip-ons."""
    kind = str(look.pick("canvas", "canvas", "court", "slip-on", "high"))
    high = {"high": 14.5, "slip-on": 8.2}.get(kind, look.rng.uniform(8.8, 10.2))
    toe = look.rng.uniform(4.2, 5.2)
    leather = kind == "court"
    relief = fabric.LEATHER if leather else fabric.CANVAS
    paint = cloth(look, 0.35)
    stand(canvas, top=-max(high + 3, 12))
    lining = _WHITE if look.chance(0.5) else look.second
    opening(canvas, high, lining)
    if kind != "slip-on":
        _tongue(canvas, high, paint, look)
    upper = _upper(high, toe)
    canvas.part(canvas.mask(upper), paint, relief.but(folds=creases(look)))
    _panels(canvas, kind, high, toe, look, relief)
    sole = (
        _WHITE
        if look.chance(0.65)
        else jittered(look.rng, rgb(str(look.pick("Tan", "Cream", "Black"))))
    )
    _rubber_sole(canvas, look.rng.uniform(2.2, 3.1), sole, look)
    if kind != "slip-on":
        laces = _WHITE if look.chance(0.7) else look.second
        laces_on(canvas, high, laces, 7 if kind == "high" else 5)


def creases(look: Look) -> fabric.Folds:
    """Where a shoe bends: at the toes and the heel."""
    rng = look.rng
    ridges = [
        (6.6 + i * 0.9, -5.2, 5.4 + i * 1.0, -2.6, 0.25, rng.uniform(0.1, 0.22)) for i in range(3)
    ]
    ridges += [(-12.5, -7 + i, -9.5, -6 + i, 0.3, 0.15) for i in range(2)]
    return fabric.folds(ridges, noise=fabric.Noise(rng, 3), crumple=0.05)


def _panels(canvas: Canvas, kind: str, high: float, toe: float, look: Look, relief: Relief) -> None:
    second = look.second if look.chance(0.5) else darker(look.colour, 0.12)
    thread = thread_for(look.colour)
    counter = shape(
        [(-13.6, -2, 1), (-13.8, -6), (-13.3, -high * 0.8, 1), (-10.8, -high * 0.72), (-9.2, -2, 1)]
    )
    canvas.part(
        canvas.mask(counter).within(canvas.alpha), second, relief.but(shadow=0.25, depth=0.8)
    )
    if kind == "slip-on":
        gore = shape([(-4.6, -high + 0.6, 1), (-1.0, -7.4), (-0.2, -5.2), (-3.4, -5.0)])
        canvas.part(canvas.mask(gore), darker(look.colour, 0.3), fabric.CANVAS.but(depth=0.7))
        seam = curve([(-2.2, -high - 0.4), (2.0, -6.2), (2.8, -2.6)])
        stitch(canvas, seam, thread)
        return
    stay = shape([(-4.0, -high - 0.9, 1), (5.4, -6.2), (6.4, -5.0), (4.6, -4.4),
        (-2.6, -high + 2.6), (-4.6, -high + 1.2)])  # fmt: skip
    canvas.part(canvas.mask(stay).within(canvas.alpha),
        second if look.chance(0.5) else look.colour, relief.but(depth=0.6, shadow=0.25))  # fmt: skip
    stitch(canvas, curve([(-3.6, -high + 2.0), (1, -5.9), (4.8, -4.6)]), thread)
    if kind in ("canvas", "high") and look.chance(0.6):
        cap = shape([(8.6, -toe - 0.2, 1), (11.8, -toe + 0.4), (13.9, -2.6), (14.0, -1.6, 1),
            (9.4, -1.8, 1), (8.4, -3.4)])  # fmt: skip
        canvas.part(canvas.mask(cap), _WHITE, fabric.RUBBER.but(shadow=0.25))
    mark = look.rng.random()
    if kind == "high" or mark < 0.3:
        centre = (-8.6, -high * 0.62)
        canvas.part(canvas.mask(ellipse(*centre, 1.7)), _WHITE, fabric.FLAT)
        star = logo(look.rng, look.second if lightness(look.second) < 0.7 else rgb("Red"))
        patch = prints.placed(prints.solid(_WHITE), star, centre[0] - 1.3, centre[1] - 1.3, 2.6)
        canvas.part(canvas.mask(ellipse(*centre, 1.45)), patch, fabric.FLAT.but(shadow=0))
    elif mark < 0.7:
        for i in range(int(look.rng.integers(1, 4))):
            line = curve([(-7.4 + i * 2.2, -2.2), (-5.4 + i * 2.2, -4.6), (-3.4 + i * 2.2, -6.6)])
            canvas.part(canvas.line(line, 0.9), look.second, relief.but(depth=0.3, shadow=0.2))


def sports(canvas: Canvas, look: Look) -> None:
    """Running and training shoes: mesh, overlays, a swoop, a foamed sole."""
    rng = look.rng
    high, toe = rng.uniform(8.8, 10.4), rng.uniform(4.4, 5.4)
    stand(canvas)
    accent = bright(rng) if look.chance(0.6) else look.second
    opening(canvas, high, accent if look.chance(0.5) else rgb("Charcoal"))
    _tongue(canvas, high, look.colour, look)
    mesh = prints.dots(look.colour, darker(look.colour, 0.45), 0.62, 0.17)
    upper = _upper(high, toe)
    canvas.part(
        canvas.mask(upper), mesh, fabric.CANVAS.but(depth=2.6, sheen=0.15, folds=creases(look))
    )
    _overlays(canvas, look, high, toe, accent)
    _foam_sole(canvas, look, accent)
    laces_on(canvas, high, _WHITE if look.chance(0.5) else accent, 6)


def _overlays(canvas: Canvas, look: Look, high: float, toe: float, accent: Colour) -> None:
    rng = look.rng
    second = look.second if look.chance(0.6) else darker(look.colour, 0.35)
    skin = fabric.PLASTIC.but(depth=0.7, gloss=0.25, shadow=0.25)
    parts: list[tuple[Points, Colour]] = [
        ([(-13.7, -2.4, 1), (-13.8, -5.5), (-13.2, -high * 0.84, 1), (-11.4, -high * 0.8), (-8.4, -5.0), (-6.8, -2.4, 1)], second),
        ([(8.8, -toe - 0.1, 1), (11.8, -toe + 0.5), (13.9, -2.6), (14.0, -1.8, 1), (6.0, -2.0, 1), (9.2, -3.2)], second),
    ]  # fmt: skip
    for points, colour in parts:
        canvas.part(canvas.mask(shape(points)).within(canvas.alpha), colour, skin)
    kind = int(rng.integers(4))
    if kind == 0:
        swoop = shape(
            [(-9.5, -2.6, 1), (-4, -3.4), (2, -5.2), (5.2, -6.2, 1), (2, -3.6), (-4, -2.2)]
        )
        canvas.part(canvas.mask(swoop), accent, skin)
    elif kind == 1:
        for i in range(3):
            bar = [
                (-5 + 2.4 * i, -2.4),
                (-2.8 + 2.4 * i, -6.6 + 0.5 * i),
                (-1.9 + 2.4 * i, -6.2 + 0.5 * i),
                (-3.9 + 2.4 * i, -2.4),
            ]
            canvas.part(canvas.mask(np.array(bar)), accent, skin)
    elif kind == 2:
        wave = curve([(-9.5, -4), (-6, -5.8), (-2.4, -3.4), (1, -5.6), (4.4, -3.6), (7.6, -4.4)])
        canvas.part(canvas.line(wave, 0.8), accent, skin)
        canvas.part(canvas.line(wave + (0, 1.2), 0.45), second, skin)
    else:
        for end in ((-9.4, -2.6), (-5.2, -2.4), (-1.2, -2.4), (3.4, -2.6)):
            line = curve([(-0.5 + end[0] * 0.2, -7.0), (end[0] * 0.6 + 0.4, -4.8), end])
            canvas.part(canvas.line(line, 0.5), accent, skin.but(depth=0.3))
    stay = shape(
        [
            (-4.0, -high - 0.9, 1),
            (5.4, -6.2),
            (6.4, -5.2),
            (4.4, -4.8),
            (-2.6, -high + 2.2),
            (-4.4, -high + 1.0),
        ]
    )
    canvas.part(canvas.mask(stay).within(canvas.alpha), second, skin)


def _foam_sole(canvas: Canvas, look: Look, accent: Colour) -> None:
    rng = look.rng
    thick = rng.uniform(2.6, 3.4)
    foam = _WHITE if look.chance(0.7) else lighter(look.colour, 0.2)
    middle = shape([(-14.2, -thick - 1.0, 1), (-15.0, -1.6), (-14.0, -0.7, 1), (11.0, -0.6, 1), (14.2, -1.4), (15.3, -2.9), (14.6, -3.2, 1), (6, -2.6), (-4, -thick + 0.2)])  # fmt: skip
    canvas.part(canvas.mask(middle), foam, fabric.RUBBER.but(depth=1.0, shadow=0.3))
    if look.chance(0.5):
        for i in range(5):
            canvas.tint(canvas.mask(ellipse(-11.8 + 1.7 * i, -1.9, 0.5, 0.42)), 0.55)
    else:
        groove = curve([(-14.4, -2.2), (-6, -1.7), (4, -1.6), (14.4, -2.4)])
        canvas.part(canvas.line(groove, 0.4), accent, fabric.FLAT)
    tread = accent if look.chance(0.5) else rgb("Charcoal")
    outer = shape([(-14.2, -0.9, 1), (-13.4, 0, 1), (10.6, 0, 1), (14.6, -1.8, 1), (10.8, -0.8, 1)])
    canvas.part(canvas.mask(outer), tread, fabric.RUBBER.but(depth=0.4))
    for x in np.arange(-12.6, 10.5, 1.7):
        canvas.tint(canvas.line(np.array([(x, -0.35), (x, 0.0)]), 0.4), 0.4)
