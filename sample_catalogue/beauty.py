"""Perfume, deodorant, nail polish and lipstick. Units are centimetres; the floor is y = 0."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from . import fabric, prints
from .canvas import Canvas, Paint
from .graphics import ink, logo, words
from .looks import Look, fit
from .palette import Colour, darker, lighter, lightness, metal, mixed, rgb
from .shapes import box, ellipse, shape

_GLASS = fabric.PLASTIC.but(depth=0.7, bulge=0.9, gloss=0.55, polish=18, edge=0.3)


def _round(paint: Paint | Colour, half: float, middle: float = 0.0, dark: float = 0.42) -> Paint:
    """A paint turned into a standing cylinder: dark flanks, a bright streak on the left."""
    base = paint if callable(paint) else prints.solid(np.asarray(paint, np.float32))

    def paint_round(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u = np.clip((x - middle) / half, -1, 1)
        shade = 1 - dark * np.abs(u) ** 2.2 - 0.12 * u
        streak = 0.42 * np.exp(-(((u + 0.5) / 0.1) ** 2)) + 0.16 * np.exp(
            -(((u - 0.66) / 0.07) ** 2)
        )
        return np.clip(base(x, y) * shade[..., None] + streak[..., None] * 0.6, 0, 1)

    return paint_round


def _floor(canvas: Canvas, half: float) -> None:
    canvas.ground(canvas.mask(ellipse(0.1, 0, half * 1.02, half * 0.1)), 0.16, 0.5)
    canvas.ground(
        canvas.mask(ellipse(half * 0.25, half * 0.06, half * 1.25, half * 0.2)), 0.5, 0.25
    )


def _label(text: str, small: str, colour: Colour) -> Image.Image:
    page = Image.new("RGBA", (400, 240), (255, 255, 255, 0))
    pen = ImageDraw.Draw(page)
    words(pen, text, (200, 80), 360, ink(colour), 0.02)
    pen.rectangle((90, 136, 310, 141), fill=ink(colour))
    words(pen, small, (200, 180), 240, ink(colour))
    return page


def _title(look: Look) -> str:
    return str(look.pick("AMBRE", "LUNE", "VERDE", "NOIR 7", "MIRA", "SOLEA", "FJORD", "OUDA"))


def perfume(canvas: Canvas, look: Look) -> None:
    """A glass flacon, its liquid, collar and cap; round, square, tall or curved."""
    rng = look.rng
    kind = str(look.pick("square", "tall", "round", "curved"))
    half = {"square": 3.4, "tall": 2.3, "round": 3.5, "curved": 3.0}[kind] * rng.uniform(0.92, 1.08)
    tall = {"square": 7.2, "tall": 9.0, "round": 7.2, "curved": 8.0}[kind] * rng.uniform(0.95, 1.05)
    fit(canvas, -half - 1, -tall - 4.2, half + 1, 0.6, height=176, width=120)
    _floor(canvas, half)
    body = {
        "square": box(-half, -tall, half, 0, 0.5),
        "tall": box(-half, -tall, half, 0, 0.9),
        "round": ellipse(0, -tall / 2, half, tall / 2),
        "curved": shape([(-half * 0.5, -tall, 1), (half * 0.5, -tall, 1), (half * 0.62, -tall * 0.7), (half, -tall * 0.35), (half * 0.86, 0, 1), (-half * 0.86, 0, 1), (-half, -tall * 0.35), (-half * 0.62, -tall * 0.7)]),
    }[kind]  # fmt: skip
    glass = lighter(look.colour, 0.62)
    canvas.part(canvas.mask(body), prints.ombre(lighter(glass, 0.4), glass, -tall, 0), _GLASS)
    middle = body.mean(axis=0) if kind == "round" else np.array([0, -tall * 0.48])
    inner = middle + (body - middle) * (0.84, 0.86)
    level = -tall * rng.uniform(0.72, 0.86)
    liquid = prints.ombre(lighter(look.colour, 0.25), darker(look.colour, 0.12), level, 0)
    canvas.part(
        canvas.mask(np.column_stack([inner[:, 0], np.maximum(inner[:, 1], level)])),
        liquid,
        _GLASS.but(shadow=0.1, gloss=0.3),
    )
    _perfume_top(canvas, tall, half, look)
    tone = rgb("White") if lightness(look.colour) < 0.5 else rgb("Charcoal")
    wide = half * 1.3
    page = _label(_title(look), "EAU DE TOILETTE", tone)
    sticker = box(-wide / 2, -tall * 0.62, wide / 2, -tall * 0.62 + wide * 0.6)
    if look.chance(0.4):
        paint = prints.placed(
            prints.solid(rgb("Cream")),
            _label(_title(look), "PARFUM", rgb("Charcoal")),
            -wide / 2,
            -tall * 0.62,
            wide,
        )
        canvas.part(canvas.mask(sticker), paint, fabric.FLAT)
    else:
        paint = prints.placed(liquid, page, -wide / 2, -tall * 0.62, wide)
        canvas.part(canvas.mask(sticker), paint, fabric.FLAT.but(shadow=0, edge=0, bulge=0))
    glare = box(-half * 0.78, -tall * 0.9, -half * 0.62, -tall * 0.15, 0.1)
    canvas.flat(canvas.mask(glare).within(canvas.alpha), (1, 1, 1), 0.45)


def _perfume_top(canvas: Canvas, tall: float, half: float, look: Look) -> None:
    tone = metal(look.rng)
    neck = half * 0.3
    canvas.part(
        canvas.mask(box(-neck, -tall - 0.9, neck, -tall + 0.1)),
        _round(tone, neck),
        fabric.METAL.but(depth=0.1, gloss=0.2),
    )
    wide = half * look.rng.uniform(0.42, 0.62)
    colour = look.pick(tone, rgb("Charcoal"), darker(look.colour, 0.3), rgb("White"))
    lid = look.pick("block", "ball", "drum")
    if lid == "ball":
        canvas.part(
            canvas.mask(ellipse(0, -tall - 0.9 - wide * 0.85, wide * 0.95)),
            colour,
            fabric.PLASTIC.but(depth=wide * 0.6),
        )
    else:
        cap = box(-wide, -tall - 3.4, wide, -tall - 0.7, 0.2 if lid == "block" else 0.8)
        canvas.part(
            canvas.mask(cap), _round(colour, wide), fabric.PLASTIC.but(depth=0.2, gloss=0.2)
        )


def deodorant(canvas: Canvas, look: Look) -> None:
    """A spray can or a roll-on stick with its printed label."""
    rng = look.rng
    tall, half = rng.uniform(12.5, 15), rng.uniform(2.0, 2.4)
    colour = rgb("Charcoal") if look.colour_name == "NA" else look.colour
    fit(canvas, -4.5, -tall - 4, 4.5, 0.6, height=200)
    _floor(canvas, half)
    paint: Paint = (
        prints.ombre(colour, mixed(colour, look.second, 0.7), -tall, 0)
        if look.chance(0.4)
        else prints.solid(colour)
    )
    if look.chance(0.6):
        cuts = sorted(rng.uniform(-tall * 0.9, -tall * 0.15, 2).tolist())
        paint = prints.blocks([colour, look.second, colour], cuts, float(rng.choice((0, 25, -25))))
    tone = rgb("White") if lightness(colour) < 0.55 else rgb("Charcoal")
    wide = half * 1.5
    paint = prints.placed(
        paint, _label(_title(look), "DEO 150 ML", tone), -wide / 2, -tall * 0.6, wide
    )
    paint = prints.placed(paint, logo(rng, tone), -0.9, -tall * 0.8, 1.8)
    body = shape([(-half, -0.3, 1), (-half, -tall + 1.2, 1), (-half * 0.86, -tall + 0.3), (-half * 0.7, -tall, 1), (half * 0.7, -tall, 1), (half * 0.86, -tall + 0.3), (half, -tall + 1.2, 1), (half, -0.3, 1), (0, 0.15)])  # fmt: skip
    canvas.part(canvas.mask(body), _round(paint, half), fabric.PLASTIC.but(depth=0.2, gloss=0.1))
    for y in (-0.5, -tall + 1.1):
        canvas.part(
            canvas.mask(box(-half - 0.04, y - 0.2, half + 0.04, y + 0.1, 0.1)),
            _round(rgb("Silver"), half),
            fabric.METAL.but(depth=0.08, gloss=0.2),
        )
    lid = look.pick(rgb("Charcoal"), look.second, rgb("Silver"), colour)
    cap = shape([(-half * 0.82, -tall + 0.2, 1), (-half * 0.82, -tall - 2.4), (-half * 0.5, -tall - 3.2), (half * 0.5, -tall - 3.2), (half * 0.82, -tall - 2.4), (half * 0.82, -tall + 0.2, 1)])  # fmt: skip
    canvas.part(
        canvas.mask(cap), _round(lid, half * 0.82), fabric.PLASTIC.but(depth=0.3, gloss=0.15)
    )


def nail_polish(canvas: Canvas, look: Look) -> None:
    """A small bottle of lacquer with a tall cap."""
    rng = look.rng
    half, tall = rng.uniform(1.35, 1.7), rng.uniform(2.8, 3.4)
    high = rng.uniform(3.4, 4.4)
    fit(canvas, -3.4, -tall - high - 0.4, 3.4, 0.4, height=170)
    _floor(canvas, half)
    round_body = look.chance(0.5)
    body = shape([(-half * 0.5, -tall, 1), (half * 0.5, -tall, 1), (half, -tall * 0.66), (half, -0.3), (half * 0.7, 0, 1), (-half * 0.7, 0, 1), (-half, -0.3), (-half, -tall * 0.66)]) if round_body else box(-half, -tall, half, 0, 0.35)  # fmt: skip
    canvas.part(canvas.mask(body), lighter(look.colour, 0.5), _GLASS.but(depth=0.3))
    middle = np.array([0, -tall * 0.5])
    inner = middle + (body - middle) * 0.88
    glitter = fabric.Noise(rng, 0.09)
    shimmer = look.chance(0.35)

    def lacquer(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        base = np.broadcast_to(look.colour, (*x.shape, 3))
        return np.clip(base * (1 + 0.25 * glitter(x, y)[..., None]), 0, 1) if shimmer else base

    canvas.part(
        canvas.mask(inner),
        _round(lacquer, half, dark=0.3),
        _GLASS.but(depth=0.3, shadow=0, gloss=0.3),
    )
    tone = rgb("White") if lightness(look.colour) < 0.6 else rgb("Charcoal")
    wide = half * 1.3
    page = _label(_title(look), "LACQUER", tone)
    here = box(-wide / 2, -tall * 0.66, wide / 2, -tall * 0.66 + wide * 0.6)
    paint = prints.placed(_round(lacquer, half, dark=0.3), page, -wide / 2, -tall * 0.66, wide)
    canvas.part(canvas.mask(here), paint, fabric.FLAT.but(shadow=0, edge=0, bulge=0))
    cap_half = half * rng.uniform(0.5, 0.62)
    lid = look.pick(rgb("Charcoal"), rgb("Charcoal"), metal(rng), rgb("White"))
    cap = shape([(-cap_half, -tall + 0.1, 1), (-cap_half * 0.86, -tall - high + 0.3), (-cap_half * 0.6, -tall - high), (cap_half * 0.6, -tall - high), (cap_half * 0.86, -tall - high + 0.3), (cap_half, -tall + 0.1, 1)])  # fmt: skip
    canvas.part(canvas.mask(cap), _round(lid, cap_half), fabric.PLASTIC.but(depth=0.15, gloss=0.15))


def lipstick(canvas: Canvas, look: Look) -> None:
    """An open lipstick; sometimes with its cap beside it."""
    rng = look.rng
    half = rng.uniform(0.95, 1.1)
    shell = look.pick(rgb("Charcoal"), metal(rng), darker(look.colour, 0.55), rgb("White"))
    ring = metal(rng)
    beside = look.chance(0.55)
    fit(canvas, -1.8, -8.2, 4.4 if beside else 1.8, 0.3, height=178, width=110)
    _floor(canvas, half)
    canvas.part(canvas.mask(box(-half, -3.4, half, 0, 0.12)), _round(shell, half),
        fabric.PLASTIC.but(depth=0.12, gloss=0.15))  # fmt: skip
    inner = half * 0.86
    canvas.part(canvas.mask(box(-inner, -4.9, inner, -3.3, 0.06)), _round(ring, inner),
        fabric.METAL.but(depth=0.08, gloss=0.2))  # fmt: skip
    stick = half * 0.7
    bullet = shape([(-stick, -4.8, 1), (-stick, -6.4), (-stick * 0.8, -7.2),
        (stick * 0.3, -8.0), (stick, -7.3), (stick, -4.8, 1)])  # fmt: skip
    canvas.part(canvas.mask(bullet), _round(look.colour, stick, dark=0.34),
        fabric.PLASTIC.but(depth=0.3, gloss=0.3))  # fmt: skip
    slope = shape([(-stick * 0.85, -6.9), (stick * 0.2, -7.9), (stick * 0.9, -7.3), (0, -6.4)])
    canvas.part(canvas.mask(slope).within(canvas.alpha), lighter(look.colour, 0.2),
        fabric.PLASTIC.but(depth=0.2, shadow=0))  # fmt: skip
    canvas.part(canvas.mask(box(-half - 0.03, -3.6, half + 0.03, -3.2)), _round(ring, half),
        fabric.METAL.but(depth=0.05, gloss=0.2))  # fmt: skip
    if beside:
        canvas.ground(canvas.mask(ellipse(3.0, 0, half * 1.1, 0.14)), 0.2, 0.45)
        x0, x1 = 3.0 - half, 3.0 + half
        canvas.part(canvas.mask(box(x0, -4.4, x1, 0, 0.25)), _round(shell, half, 3.0),
            fabric.PLASTIC.but(depth=0.15, gloss=0.15))  # fmt: skip
        canvas.part(canvas.mask(box(x0, -0.6, x1, -0.3)), _round(ring, half, 3.0),
            fabric.METAL.but(depth=0.05, gloss=0.2))  # fmt: skip
