"""Watches: round, square, cushion and digital; straps, bracelets, subdials.

Units are centimetres; (0, 0) is the middle of the dial.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from . import fabric, prints
from .canvas import Canvas
from .graphics import ink, words
from .looks import Look, fit
from .palette import Colour, darker, jittered, lighter, lightness, metal, rgb
from .shapes import band, box, ellipse, turned

_DIALS = (
    "White",
    "Black",
    "Navy Blue",
    "Cream",
    "Silver",
    "Charcoal",
    "Brown",
    "Teal",
    "Pink",
    "Maroon",
)


def watch(canvas: Canvas, look: Look) -> None:
    """One of the shapes above with its strap."""
    rng = look.rng
    digital = look.usage == "Sports" or look.chance(0.12)
    radius = rng.uniform(1.6, 2.0) if look.female else rng.uniform(1.95, 2.35)
    fit(canvas, -3.0, -5.6, 3.0, 5.6, height=216)
    metallic = look.colour_name in ("Silver", "Gold", "Steel")
    case = metal(rng, look.colour_name) if metallic or look.chance(0.8) else rgb("Charcoal")
    wide = radius * rng.uniform(0.55, 0.68)
    if metallic and look.chance(0.75):
        _bracelet(canvas, wide, case, look)
    else:
        strap = jittered(rng, rgb("Brown")) if metallic else look.colour
        _strap(canvas, wide, strap, case, look)
    if digital:
        _digital(canvas, radius, look)
        return
    dial = rgb(_DIALS[int(rng.integers(len(_DIALS)))])
    round_case = look.chance(0.75)
    _case(canvas, radius, case, round_case, look)
    _dial(canvas, radius * 0.8, dial, case, round_case, look)


def _strap(canvas: Canvas, wide: float, colour: Colour, case: Colour, look: Look) -> None:
    croco = look.chance(0.4)
    noise = fabric.Noise(look.rng, 0.3, 0.2)
    folds = fabric.folds([], extra=lambda x, y: 0.02 * np.abs(noise(x, y))) if croco else None
    relief = fabric.LEATHER.but(depth=0.35, folds=folds, shadow=0.2)
    for side in (-1, 1):
        outline = np.array(
            [
                (-wide, side * 1.2),
                (wide, side * 1.2),
                (wide * 0.84, side * 5.3),
                (-wide * 0.84, side * 5.3),
            ]
        )
        if side > 0:
            outline[2:, 1] = 5.1
            outline = np.vstack([outline[:3], [(0, 5.5)], outline[3:]])
        canvas.part(canvas.mask(outline), colour, relief)
        thread = lighter(colour, 0.55) if lightness(colour) < 0.6 else darker(colour, 0.35)
        for edge in (-1, 1):
            seam = np.array([(edge * wide * 0.86, side * 1.6), (edge * wide * 0.72, side * 5.0)])
            canvas.flat(canvas.dashes(seam, 0.05, 0.14, 0.1), thread, 0.85)
    for i in range(4):
        canvas.flat(canvas.mask(ellipse(0, 3.2 + 0.5 * i, 0.09)), darker(colour, 0.75))
    buckle = canvas.mask(
        box(-wide * 1.05, -5.5, wide * 1.05, -4.7, 0.15),
        holes=(box(-wide * 0.75, -5.35, wide * 0.75, -4.85, 0.1),),
    )
    canvas.part(buckle, case, fabric.METAL.but(depth=0.12))
    canvas.part(
        canvas.line(np.array([(0, -5.4), (0, -4.7)]), 0.14), case, fabric.METAL.but(depth=0.05)
    )


def _bracelet(canvas: Canvas, wide: float, case: Colour, look: Look) -> None:
    rows = look.rng.uniform(0.42, 0.56)
    second = metal(look.rng, "Gold") if look.chance(0.25) else case
    relief = fabric.METAL.but(depth=0.1, shadow=0.3, reach=0.06, gloss=0.5)
    for side in (-1, 1):
        for i in range(int(4.2 / rows)):
            y = side * (1.35 + (i + 0.5) * rows)
            half = wide * (1 - 0.045 * i)
            for x0, x1, tone in ((-1, -0.36, case), (0.36, 1, case), (-0.34, 0.34, second)):
                link = box(x0 * half, y - rows * 0.46, x1 * half, y + rows * 0.46, 0.08)
                canvas.part(canvas.mask(link), darker(tone, 0.06), relief)


def _case(canvas: Canvas, radius: float, case: Colour, round_case: bool, look: Look) -> None:
    shiny = fabric.METAL.but(depth=0.2, shadow=0.4, reach=0.25)
    for side in (-1, 1):
        for end in (-1, 1):
            lug = box(side * radius * 0.62 - 0.22, end * radius * 1.08 - 0.35,
                side * radius * 0.62 + 0.22, end * radius * 1.08 + 0.3, 0.12)  # fmt: skip
            canvas.part(canvas.mask(lug), case, shiny)
    canvas.part(canvas.mask(box(radius * 0.98, -0.28, radius * 1.2, 0.28, 0.08)),
        case, shiny.but(depth=0.08))  # fmt: skip
    if look.chance(0.4):
        for turn in (-32, 32):
            pusher = turned(box(radius * 0.98, -0.16, radius * 1.18, 0.16, 0.05), turn)
            canvas.part(canvas.mask(pusher), case, shiny.but(depth=0.08))
    body = (ellipse(0, 0, radius) if round_case else box(-radius * 0.92, -radius,
        radius * 0.92, radius, look.rng.uniform(0.2, 0.8)))  # fmt: skip
    canvas.part(canvas.mask(body), case, shiny)
    if round_case and look.chance(0.4):
        dark = rgb("Charcoal") if look.chance(0.6) else look.colour
        canvas.part(canvas.mask(ellipse(0, 0, radius * 0.95)),
            dark, fabric.PLASTIC.but(depth=0.15, shadow=0.1))  # fmt: skip
        for i in range(12):
            tick = turned(np.array([(0, -radius * 0.93), (0, -radius * 0.86)]), i * 30)
            canvas.flat(canvas.line(tick, 0.06), (0.92, 0.92, 0.9))
    elif look.female and look.chance(0.5):
        for i in range(28):
            x, y = turned(np.array([(0, -radius * 0.9)]), i * 360 / 28)[0]
            if round_case:
                canvas.part(canvas.mask(ellipse(x, y, 0.11)), (0.93, 0.94, 0.97),
                    fabric.METAL.but(depth=0.06))  # fmt: skip


def _dial(
    canvas: Canvas, radius: float, dial: Colour, case: Colour, round_case: bool, look: Look
) -> None:
    rng = look.rng
    face = (
        ellipse(0, 0, radius)
        if round_case
        else box(-radius * 0.9, -radius, radius * 0.9, radius, 0.15)
    )
    mark = rgb("Charcoal") if lightness(dial) > 0.5 else np.array([0.95, 0.95, 0.93], np.float32)
    hand = mark if look.chance(0.5) else case
    centre = lighter(dial, 0.14)

    def sunray(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        away = np.clip(np.hypot(x, y) / radius, 0, 1)[..., None]
        rays = 1 + 0.06 * np.cos(4 * np.arctan2(y, x) + 0.8)[..., None]
        return (centre + (dial - centre) * away) * rays

    canvas.part(canvas.mask(face), sunray, fabric.FLAT.but(bulge=-0.6, shadow=0, edge=0.3))
    if look.chance(0.4):
        _subdials(canvas, radius, dial, mark, rng)
    _indices(canvas, radius, mark, round_case, rng)
    _words(canvas, radius, sunray, mark)
    if look.chance(0.4):
        date = box(radius * 0.5, -0.14, radius * 0.72, 0.14, 0.03)
        canvas.flat(canvas.mask(date), (0.95, 0.95, 0.95))
    _hands(canvas, radius, hand, rng)
    canvas.tint(
        canvas.mask(
            turned(box(-radius * 0.55, -radius * 0.9, -radius * 0.1, radius * 0.9), 35)
        ).within(canvas.alpha),
        1.07,
    )


def _subdials(
    canvas: Canvas, radius: float, dial: Colour, mark: Colour, rng: np.random.Generator
) -> None:
    places = [(0, 0.46), (-0.46, 0), (0.46, 0)][: int(rng.integers(1, 4))]
    for x, y in places:
        ring = ellipse(x * radius, y * radius, radius * 0.25)
        canvas.part(
            canvas.mask(ring), darker(dial, 0.15), fabric.FLAT.but(depth=0.1, bulge=-0.8, shadow=0)
        )
        canvas.flat(canvas.line(ring, 0.04), mark, 0.7)
        needle = turned(
            np.array([(x * radius, y * radius), (x * radius, y * radius - radius * 0.19)]),
            rng.uniform(0, 360),
            (x * radius, y * radius),
        )
        canvas.flat(canvas.line(needle, 0.05), mark)


def _indices(
    canvas: Canvas, radius: float, mark: Colour, round_case: bool, rng: np.random.Generator
) -> None:
    bars, minutes = rng.random() < 0.7, rng.random() < 0.6
    for i in range(60 if minutes else 12):
        hour = i % 5 == 0 if minutes else True
        angle = i * (6 if minutes else 30)
        reach = radius * (0.93 if round_case else 0.84)
        if hour and not bars:
            x, y = turned(np.array([(0.0, -reach * 0.92)]), angle)[0]
            canvas.flat(canvas.mask(ellipse(x, y, radius * 0.06)), mark)
            continue
        long = radius * (0.16 if hour else 0.05)
        tick = turned(np.array([(0, -reach), (0, -reach + long)]), angle)
        canvas.flat(canvas.line(tick, 0.11 if hour else 0.035), mark, 1.0 if hour else 0.7)


def _words(canvas: Canvas, radius: float, paint, mark: Colour) -> None:
    page = Image.new("RGBA", (240, 80), (255, 255, 255, 0))
    words(ImageDraw.Draw(page), "MERIDIA", (120, 40), 220, ink(mark))
    wide = radius * 0.6
    printed = prints.placed(paint, page, -wide / 2, -radius * 0.52, wide)
    label = box(-wide / 2, -radius * 0.52, wide / 2, -radius * 0.52 + wide / 3)
    canvas.part(canvas.mask(label), printed, fabric.FLAT.but(shadow=0, edge=0, bulge=0))


def _hands(canvas: Canvas, radius: float, hand: Colour, rng: np.random.Generator) -> None:
    hour = rng.uniform(0, 12)
    relief = fabric.METAL.but(depth=0.05, shadow=0.4, reach=0.08)
    for angle, long, wide in ((hour * 30, 0.5, 0.15), (hour * 360 % 360, 0.76, 0.11)):
        line = turned(np.array([(0, radius * 0.12), (0, -radius * long)]), angle)
        shape_of = band(np.linspace(line[0], line[1], 8), np.linspace(wide, wide * 0.45, 8))
        canvas.part(canvas.mask(shape_of), hand, relief)
    second = turned(np.array([(0, radius * 0.2), (0, -radius * 0.84)]), rng.uniform(0, 360))
    canvas.flat(canvas.line(second, 0.04), (0.78, 0.2, 0.18))
    canvas.part(canvas.mask(ellipse(0, 0, 0.1)), hand, relief)


def _digital(canvas: Canvas, radius: float, look: Look) -> None:
    rng = look.rng
    shell = look.colour if lightness(look.colour) < 0.9 else rgb("Charcoal")
    rubber = fabric.PLASTIC.but(depth=0.35, gloss=0.25, shadow=0.4)
    half = radius * 1.05
    canvas.part(canvas.mask(box(-half, -half * 1.1, half, half * 1.1, 0.9)), shell, rubber)
    for side in (-1, 1):
        for y in (-0.8, 0.8):
            canvas.part(
                canvas.mask(box(side * half - 0.18, y - 0.25, side * half + 0.18, y + 0.25, 0.08)),
                metal(rng),
                fabric.METAL.but(depth=0.08),
            )
    ring = darker(shell, 0.35) if look.chance(0.5) else look.second
    canvas.part(
        canvas.mask(box(-half * 0.8, -half * 0.86, half * 0.8, half * 0.86, 0.5)),
        ring,
        rubber.but(depth=0.15),
    )
    lit = np.array([0.69, 0.75, 0.64], np.float32)
    screen = box(-half * 0.66, -half * 0.5, half * 0.66, half * 0.5, 0.15)
    page = Image.new("RGBA", (400, 300), (255, 255, 255, 0))
    pen = ImageDraw.Draw(page)
    hours, minutes = int(rng.integers(1, 13)), int(rng.integers(0, 60))
    words(pen, f"{hours}:{minutes:02d}", (200, 170), 350, (28, 34, 30, 255), 0.03)
    words(pen, "TU 14", (130, 50), 170, (28, 34, 30, 255))
    wide = half * 1.28
    paint = prints.placed(prints.solid(lit), page, -wide / 2, -wide * 0.375, wide)
    canvas.part(canvas.mask(screen), paint, fabric.FLAT.but(bulge=-0.6, edge=0.3, shadow=0))
