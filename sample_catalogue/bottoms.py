"""Jeans, trousers, shorts, track pants and leggings.

Units are centimetres; (0, 0) is the middle of the waist.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import fabric, necks, prints
from .canvas import Canvas, Paint, Relief
from .fabric import Noise
from .looks import Look, cloth, fit
from .palette import darker, lighter, lightness, rgb
from .shapes import band, box, curve, flipped, shifted
from .tops import draw_rib

BRASS = np.array([0.74, 0.55, 0.3], np.float32)


@dataclass(frozen=True)
class Legs:
    """Half widths and heights of a pair of trousers in cm."""

    waist: float = 19.0
    hip: float = 25.5
    knee: float = 10.2
    ankle: float = 9.0
    rise: float = 25.0
    length: float = 104.0
    spread: float = 12.5

    def centre(self, y: float) -> float:
        """Where the middle of the right leg is at height y."""
        return self.hip * 0.52 + (self.spread - self.hip * 0.52) * np.clip(
            (y - self.rise) / 40, 0, 1
        )


def leg_outline(legs: Legs) -> np.ndarray:
    """The right leg from the waist down, (n, 2)."""
    knee = legs.rise + (legs.length - legs.rise) * 0.45
    low, mid = legs.centre(legs.length), legs.centre(knee)
    short = legs.length < 70
    outer = [] if short else [(mid + legs.knee, knee)]
    inner = [] if short else [(mid - legs.knee, knee)]
    points = [
        (-0.4, 0.8, 1),
        (legs.waist, -0.6, 1),
        (legs.hip - 1.4, legs.rise * 0.5),
        (legs.hip, legs.rise * 0.95),
        *outer,
        (low + legs.ankle, legs.length - 0.8, 1),
        (low, legs.length + 0.4),
        (low - legs.ankle, legs.length - 0.3, 1),
        *inner,
        (0.8, legs.rise + 2.4),
        (-0.4, legs.rise, 1),
    ]
    return curve(points, closed=True)


def _leg_folds(legs: Legs, look: Look, side: int, crumple: float) -> fabric.Folds:
    ridges = []
    rng = look.rng
    for _ in range(4):
        y = legs.rise - rng.uniform(-1, 5)
        reach = rng.uniform(0.4, 0.9) * legs.hip
        ridges.append(
            (
                0.0,
                y,
                side * reach,
                y + rng.uniform(-6, 5),
                rng.uniform(0.7, 1.1),
                rng.uniform(0.4, 0.8),
            )
        )
    low = legs.centre(legs.length)
    spots = (0.5, 0.85, 0.94) if legs.length > 70 else (0.6,)
    start, end = (side * legs.centre(legs.rise), legs.rise), (side * low, legs.length)
    ridges += fabric.limb_folds(rng, start, end, legs.knee, at=spots, strength=0.55)
    return fabric.folds(ridges, noise=Noise(rng, 4, 13), crumple=crumple)


def draw_legs(
    canvas: Canvas, legs: Legs, paint: Paint, relief: Relief, look: Look, crumple: float = 0.25
) -> None:
    """Both legs, the waist's inside and the seat seam."""
    back = curve([(-legs.waist, -0.4, 1), (0, -2.2), (legs.waist, -0.4, 1), (0, 4, 1)], closed=True)
    canvas.part(canvas.mask(back), darker(look.colour, 0.4), fabric.FLAT)
    outline = leg_outline(legs)
    for side in (-1, 1):
        line = outline if side > 0 else flipped(outline)
        folds = _leg_folds(legs, look, side, crumple)
        canvas.part(canvas.mask(line), paint, relief.but(folds=folds, shadow=0.2))
    seam = np.array([(0, 1), (0, legs.rise + 1)], float)
    canvas.tint(canvas.line(seam, 0.3), 0.72)


def waistband(canvas: Canvas, legs: Legs, paint: Paint, look: Look, *, loops: bool = True) -> None:
    """The band with its loops and button."""
    top = curve([(-legs.waist - 0.2, -0.6), (0, 0.9), (legs.waist + 0.2, -0.6)])
    relief = fabric.WOVEN.but(depth=0.9, shadow=0.25, reach=0.5)
    canvas.part(canvas.mask(band(top, 4.2, offset=-1.9)), paint, relief)
    if loops:
        for share in (-0.78, -0.4, 0.4, 0.78):
            x = share * legs.waist
            loop = box(x - 0.55, -0.4 + 1.0 * (1 - share * share), x + 0.55, 5.6, 0.2)
            canvas.part(
                canvas.mask(loop), paint, fabric.WOVEN.but(depth=0.4, shadow=0.35, reach=0.4)
            )


def fly_seam(canvas: Canvas, legs: Legs, thread: np.ndarray) -> None:
    """The stitched curve beside the fly."""
    fly = curve([(3.4, 4.4), (3.4, 12), (2.2, 17), (0, 18.6)])
    canvas.flat(canvas.dashes(fly, 0.2, 0.7, 0.4), thread, 0.85)


def scoop_pockets(canvas: Canvas, legs: Legs, look: Look, thread: np.ndarray) -> None:
    """The curved front pockets of jeans."""
    for side in (-1, 1):
        line = curve(
            [
                (side * legs.waist * 0.52, 4.2),
                (side * legs.waist * 0.6, 9.5),
                (side * (legs.hip - 2.0), 12.5),
            ]
        )
        canvas.tint(canvas.line(line, 0.45), 0.62)
        canvas.flat(canvas.dashes(shifted(line, side * 0.8), 0.2, 0.7, 0.4), thread, 0.8)


def _worn(look: Look, legs: Legs, strength: float):
    knee = legs.rise + 16

    def fade(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        across = (np.abs(x) - legs.spread) / 6.5
        down = (y - knee) / 26
        return strength * np.exp(-(across**2) - down**2).astype(np.float32)

    return fade


def jeans(canvas: Canvas, look: Look) -> None:
    """Skinny, straight, boot cut; raw, washed or torn."""
    rng = look.rng
    shapes = {
        "skinny": (8.2, 6.0),
        "straight": (10.4, 9.8),
        "boot": (10.0, 12.4),
        "slim": (9.4, 8.0),
    }
    knee, ankle = shapes[str(look.pick(*shapes))]
    legs = Legs(
        waist=18.5 if look.female else 19.5, knee=knee, ankle=ankle, length=rng.uniform(98, 106)
    )
    fade = (
        _worn(look, legs, rng.choice((0.12, 0.45, 0.7))) if lightness(look.colour) > 0.14 else None
    )
    paint = prints.grained(prints.denim(look.colour, rng, fade), rng, 0.04)
    fit(canvas, -legs.hip - 1, -3, legs.hip + 1, legs.length + 1)
    draw_legs(canvas, legs, paint, fabric.DENIM, look, 0.3)
    thread = BRASS if look.chance(0.7) else lighter(look.colour, 0.5)
    scoop_pockets(canvas, legs, look, thread)
    fly_seam(canvas, legs, thread)
    waistband(canvas, legs, prints.denim(darker(look.colour, 0.08), rng), look)
    necks.button(canvas, 0, 3.0, 1.0, BRASS)
    _denim_hems(canvas, legs, look, thread)
    if look.chance(0.22):
        _torn(canvas, legs, look)


def _denim_hems(canvas: Canvas, legs: Legs, look: Look, thread: np.ndarray) -> None:
    low = legs.centre(legs.length)
    rolled = look.chance(0.25)
    for side in (-1, 1):
        y = legs.length - (5 if rolled else 2)
        ends = [(side * low - legs.ankle, y), (side * low + legs.ankle, y)]
        if rolled:
            cuff = box(ends[0][0] - 0.4, y, ends[1][0] + 0.4, legs.length + 0.4)
            canvas.part(canvas.mask(cuff), lighter(look.colour, 0.4), fabric.DENIM.but(depth=1.2))
        else:
            canvas.flat(
                canvas.dashes(np.array(ends), 0.22, 0.7, 0.4).within(canvas.alpha), thread, 0.8
            )


def _torn(canvas: Canvas, legs: Legs, look: Look) -> None:
    for _ in range(int(look.rng.integers(2, 5))):
        side, y = look.rng.choice((-1, 1)), look.rng.uniform(35, 70)
        x, half = side * legs.spread + look.rng.uniform(-2, 2), look.rng.uniform(2, 4)
        for i in range(5):
            line = np.array(
                [(x - half, y + i * 0.6), (x + half, y + i * 0.6 + look.rng.normal(0, 0.2))]
            )
            canvas.flat(canvas.line(line, 0.3), (0.93, 0.93, 0.92), 0.85)


def trousers(canvas: Canvas, look: Look) -> None:
    """Chinos and formal trousers with a crease."""
    rng = look.rng
    legs = Legs(
        waist=18 if look.female else 19.5, knee=rng.uniform(9.4, 11.6), ankle=rng.uniform(7.6, 10.6),
        length=rng.uniform(100, 107),
    )  # fmt: skip
    paint = cloth(look, 0.7)
    fit(canvas, -legs.hip - 1, -3, legs.hip + 1, legs.length + 1)
    draw_legs(canvas, legs, paint, fabric.WOVEN, look, 0.16)
    formal = look.usage == "Formal" or look.chance(0.4)
    for side in (-1, 1):
        pocket = np.array([(side * (legs.waist - 4), 4.2), (side * (legs.hip - 1.2), 17)])
        canvas.tint(canvas.line(pocket, 0.4), 0.66)
        if formal:
            low = legs.centre(legs.length)
            crease = curve(
                [
                    (side * legs.waist * 0.5, 6),
                    (side * legs.centre(50), 50),
                    (side * low, legs.length - 1),
                ]
            )
            canvas.tint(canvas.line(crease, 0.5), 1.16)
            canvas.tint(canvas.line(crease + (0.7, 0), 0.4), 0.84)
    fly_seam(canvas, legs, necks.thread(look.colour))
    waistband(canvas, legs, paint, look)
    necks.button(canvas, 0.4, 3.0, 0.8, darker(look.colour, 0.4))


def _drawn_waist(canvas: Canvas, legs: Legs, look: Look, cord: np.ndarray) -> None:
    """An elastic waist with its cord."""
    top = curve([(-legs.waist - 0.2, -0.6), (0, 0.9), (legs.waist + 0.2, -0.6)])
    draw_rib(canvas, band(top, 4.4, offset=-2.0), look.colour)
    for side in (-1, 1):
        line = curve([(side * 0.8, 3.2), (side * 2.0, 8), (side * look.rng.uniform(1, 3.2), 14)])
        canvas.part(canvas.line(line, 0.65), cord, fabric.RUBBER.but(depth=0.4, shadow=0.35))


def track_pants(canvas: Canvas, look: Look) -> None:
    """Loose or tapered, side stripes, elastic cuffs."""
    rng = look.rng
    cuffed = look.chance(0.5)
    legs = Legs(
        waist=18.5, hip=26, knee=11.8, ankle=6.4 if cuffed else rng.uniform(9.5, 11.5), length=101
    )
    paint = cloth(look)
    fit(canvas, -legs.hip - 1, -3, legs.hip + 1, legs.length + 1)
    draw_legs(canvas, legs, paint, fabric.JERSEY.but(gloss=0.06), look, 0.4)
    side_line = leg_outline(legs)
    outer = side_line[(side_line[:, 0] > legs.centre(60)) & (side_line[:, 1] > 4)]
    outer = outer[np.argsort(outer[:, 1])]
    for i in range(int(rng.integers(0, 4))):
        for side in (-1, 1):
            stripe = (outer - (1.4 + 1.7 * i, 0)) * (side, 1)
            canvas.flat(canvas.line(stripe, 0.85).within(canvas.alpha), look.second, 0.92)
    for side in (-1, 1):
        pocket = np.array([(side * (legs.waist - 1), 7), (side * (legs.hip - 1.6), 20)])
        canvas.tint(canvas.line(pocket, 0.5), 0.6)
        if cuffed:
            low = side * legs.centre(legs.length)
            draw_rib(
                canvas,
                box(low - 6.2, legs.length - 6, low + 6.2, legs.length + 0.4, 0.8),
                look.colour,
            )
    _drawn_waist(canvas, legs, look, look.second)


def shorts(canvas: Canvas, look: Look) -> None:
    """Cargo, chino, denim or sports shorts."""
    rng = look.rng
    sport = look.usage == "Sports"
    length = rng.uniform(34, 42) if look.female else rng.uniform(46, 56)
    legs = Legs(waist=19, hip=26.5, knee=13, ankle=rng.uniform(11.6, 13.4),
        rise=26, length=length, spread=14.4)  # fmt: skip
    kind = "sport" if sport else look.pick("cargo", "chino", "denim")
    if kind == "denim" and not look.pattern:
        paint, relief = prints.grained(prints.denim(look.colour, rng), rng, 0.04), fabric.DENIM
    else:
        paint, relief = cloth(look), fabric.JERSEY if sport else fabric.WOVEN
    fit(canvas, -legs.hip - 2, -3, legs.hip + 2, legs.length + 1, width=132)
    draw_legs(canvas, legs, paint, relief, look, 0.35)
    thread = BRASS if kind == "denim" else necks.thread(look.colour)
    low = legs.centre(legs.length)
    for side in (-1, 1):
        hem = np.array(
            [(side * low - legs.ankle, length - 2.4), (side * low + legs.ankle, length - 2.4)]
        )
        canvas.flat(canvas.dashes(hem, 0.2, 0.7, 0.4).within(canvas.alpha), thread, 0.7)
        if kind == "cargo":
            necks.patch_pocket(
                canvas, look, paint, side * (legs.hip - 6.2), length * 0.56, 10, flap=True
            )
        if sport:
            panel = curve([(side * (legs.hip - 0.5), 8), (side * (legs.hip - 2.4), 26),
                (side * (low + legs.ankle - 2.6), length - 1)])  # fmt: skip
            canvas.flat(canvas.line(panel, 1.8).within(canvas.alpha), look.second, 0.95)
    if sport:
        _drawn_waist(canvas, legs, look, rgb("White"))
        return
    scoop_pockets(canvas, legs, look, thread)
    fly_seam(canvas, legs, thread)
    waistband(canvas, legs, paint, look)
    necks.button(canvas, 0, 3, 0.9, BRASS if kind == "denim" else darker(look.colour, 0.4))


def leggings(canvas: Canvas, look: Look) -> None:
    """Close-fitting, ankle or calf length."""
    length = float(look.rng.choice((94.0, 90.0, 66.0)))
    legs = Legs(waist=15.5, hip=19.5, knee=6.6, ankle=4.9, rise=24, length=length, spread=10)
    paint = cloth(look, 0.7)
    fit(canvas, -legs.hip - 4, -3, legs.hip + 4, legs.length + 1)
    draw_legs(canvas, legs, paint, fabric.JERSEY.but(sheen=0.2), look, 0.12)
    top = curve([(-legs.waist - 0.2, -0.6), (0, 0.9), (legs.waist + 0.2, -0.6)])
    canvas.part(canvas.mask(band(top, 4.0, offset=-1.8)), paint, fabric.JERSEY.but(depth=1.4))
