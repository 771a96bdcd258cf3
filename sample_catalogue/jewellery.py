"""Earrings, necklaces, bracelets and rings. Units are centimetres."""

from __future__ import annotations

import numpy as np

from . import fabric
from .canvas import Canvas
from .looks import Look, fit
from .palette import Colour, bright, darker, lighter, metal, rgb
from .shapes import band, curve, ellipse, resampled, shape, turned

_SHINE = fabric.METAL.but(depth=0.12, shadow=0.3, reach=0.15)
_PEARL = np.array([0.94, 0.91, 0.87], np.float32)


def _stone(canvas: Canvas, x: float, y: float, radius: float, colour: Colour, tone: Colour) -> None:
    """A cut stone in its setting."""
    canvas.part(canvas.mask(ellipse(x, y, radius * 1.18)), tone, _SHINE.but(depth=radius * 0.2))
    canvas.part(
        canvas.mask(ellipse(x, y, radius)),
        darker(colour, 0.1),
        fabric.PLASTIC.but(depth=radius * 0.5, gloss=0.6),
    )
    facets = turned(ellipse(0, 0, radius * 0.6)[::6], 12) + (x, y)
    canvas.flat(canvas.mask(facets), lighter(colour, 0.35), 0.75)
    spark = ellipse(x - radius * 0.3, y - radius * 0.35, radius * 0.16)
    canvas.flat(canvas.mask(spark), (1, 1, 1), 0.9)


def _pearl(canvas: Canvas, x: float, y: float, radius: float, tone: Colour) -> None:
    canvas.part(
        canvas.mask(ellipse(x, y, radius)),
        tone,
        fabric.PLASTIC.but(depth=radius * 0.7, gloss=0.45, shadow=0.25, reach=0.1),
    )


def _gem(look: Look) -> Colour:
    options = [rgb("Red"), rgb("Green"), rgb("Blue"), rgb("Purple"), rgb("Turquoise Blue")]
    return (
        options[int(look.rng.integers(5))]
        if look.chance(0.7)
        else np.array([0.9, 0.93, 0.97], np.float32)
    )


def earrings(canvas: Canvas, look: Look) -> None:
    """Studs, hoops, drops, chandeliers or jhumkas, as a pair."""
    kind = str(look.pick("stud", "hoop", "drop", "chandelier", "jhumka"))
    tone = metal(look.rng, look.colour_name)
    gem = _gem(look)
    tall = {"stud": 1.6, "hoop": 4.6, "drop": 5.0, "chandelier": 6.2, "jhumka": 5.4}[kind]
    fit(canvas, -4.4, -1.2, 4.4, tall + 0.6, width=140, height=150)
    for x in (-2.3, 2.3):
        canvas.ground(canvas.mask(ellipse(x + 0.3, tall * 0.55, 0.8, tall * 0.4)), 0.5, 0.12)
        _EARRINGS[kind](canvas, x, tone, gem, look)


def _hook(canvas: Canvas, x: float, tone: Colour) -> None:
    hook = curve([(x + 0.35, -0.2), (x + 0.3, -0.9), (x - 0.05, -1.1), (x - 0.2, -0.7), (x, 0.2)])
    canvas.part(canvas.line(hook, 0.11), tone, _SHINE.but(depth=0.04))


def _stud(canvas: Canvas, x: float, tone: Colour, gem: Colour, look: Look) -> None:
    petals = 6
    for i in range(petals):
        px, py = turned(np.array([(0, -0.75)]), i * 60)[0]
        canvas.part(canvas.mask(ellipse(x + px, 0.5 + py, 0.42)), tone, _SHINE)
    _stone(canvas, x, 0.5, 0.6, gem, tone)


def _hoop(canvas: Canvas, x: float, tone: Colour, gem: Colour, look: Look) -> None:
    ring = ellipse(x, 2.2, 1.75, 2.2)
    canvas.part(canvas.line(ring, 0.28), tone, _SHINE)
    for i in range(0, 48, 4):
        if i < 26:
            canvas.part(
                canvas.mask(ellipse(*ring[i], 0.13)), lighter(gem, 0.4), _SHINE.but(depth=0.06)
            )
    canvas.part(canvas.mask(ellipse(x, 0, 0.22)), tone, _SHINE)


def _drop(canvas: Canvas, x: float, tone: Colour, gem: Colour, look: Look) -> None:
    _hook(canvas, x, tone)
    canvas.part(canvas.line(np.array([(x, 0.2), (x, 2.0)]), 0.1), tone, _SHINE.but(depth=0.04))
    drop = shape(
        [(x, 1.8, 1), (x + 0.85, 3.6), (x + 0.5, 4.7), (x, 4.95), (x - 0.5, 4.7), (x - 0.85, 3.6)]
    )
    canvas.part(canvas.mask(drop), tone, _SHINE)
    inner = drop + (drop.mean(axis=0) - drop) * 0.25
    canvas.part(canvas.mask(inner), gem, fabric.PLASTIC.but(depth=0.4, gloss=0.6, shadow=0))
    canvas.part(canvas.mask(ellipse(x, 0.9, 0.26)), gem, fabric.PLASTIC.but(depth=0.15))


def _chandelier(canvas: Canvas, x: float, tone: Colour, gem: Colour, look: Look) -> None:
    _hook(canvas, x, tone)
    plate = shape(
        [
            (x, 0.2, 1),
            (x + 1.0, 1.6),
            (x + 1.5, 3.0, 1),
            (x, 2.6),
            (x - 1.5, 3.0, 1),
            (x - 1.0, 1.6),
        ]
    )
    canvas.part(canvas.mask(plate), tone, _SHINE.but(depth=0.2))
    _stone(canvas, x, 1.7, 0.38, gem, tone)
    for i in range(5):
        px = x - 1.3 + 0.65 * i
        low = 4.6 + 0.9 * (1 - abs(i - 2) / 2)
        canvas.part(
            canvas.line(np.array([(px, 2.8), (px, low)]), 0.08), tone, _SHINE.but(depth=0.03)
        )
        _pearl(canvas, px, low, 0.27, gem if i % 2 else _PEARL)


def _jhumka(canvas: Canvas, x: float, tone: Colour, gem: Colour, look: Look) -> None:
    _stone(canvas, x, 0.3, 0.55, gem, tone)
    canvas.part(canvas.line(np.array([(x, 0.9), (x, 2.0)]), 0.12), tone, _SHINE.but(depth=0.04))
    bell = shape(
        [(x - 1.5, 4.2, 1), (x - 1.2, 2.7), (x, 1.8), (x + 1.2, 2.7), (x + 1.5, 4.2, 1), (x, 4.5)]
    )
    filigree = fabric.folds([], extra=lambda u, v: 0.04 * np.sin(u * 14) * np.sin(v * 11))
    canvas.part(canvas.mask(bell), tone, _SHINE.but(depth=0.6, folds=filigree))
    canvas.part(
        canvas.line(curve([(x - 1.4, 4.0), (x, 4.3), (x + 1.4, 4.0)]), 0.16), gem, fabric.FLAT
    )
    for i in range(6):
        _pearl(canvas, x - 1.35 + 0.54 * i, 4.7, 0.2, _PEARL)


_EARRINGS = {
    "stud": _stud, "hoop": _hoop, "drop": _drop, "chandelier": _chandelier, "jhumka": _jhumka,
}  # fmt: skip


def necklace(canvas: Canvas, look: Look) -> None:
    """A chain, pearls or a bib, with or without a pendant."""
    rng = look.rng
    tone, gem = metal(rng, look.colour_name), _gem(look)
    kind = str(look.pick("chain", "pearls", "bib", "pendant", "layers"))
    fit(canvas, -9, -10, 9, 12, height=200)
    deep = rng.uniform(5.5, 8.5)
    arc = curve(
        [
            (-6.4, -9),
            (-7.2, -4),
            (-4.8, deep * 0.5),
            (0, deep),
            (4.8, deep * 0.5),
            (7.2, -4),
            (6.4, -9),
        ]
    )
    canvas.ground(canvas.line(arc + (0.4, 0.5), 0.5), 0.4, 0.2)
    if kind == "pearls":
        for i, (x, y) in enumerate(resampled(arc, 0.95)):
            _pearl(canvas, x, y, 0.36 + 0.18 * np.exp(-(x * x) / 14), _PEARL if i % 6 else gem)
        return
    for step in range(2 if kind == "layers" else 1):
        line = arc * (1, 1 - 0.25 * step) if step else arc
        _chain(canvas, line, tone, 0.5)
    if kind in ("bib", "layers"):
        for x, y in resampled(arc, 1.25):
            if y > deep * 0.2:
                _stone(canvas, x, y + 0.4, 0.42 if kind == "layers" else 0.55, gem, tone)
                if kind == "bib":
                    _pearl(canvas, x, y + 1.5, 0.3, bright(rng) if abs(x) > 2 else _PEARL)
    if kind == "pendant":
        _pendant(canvas, deep, tone, gem, look)


def _chain(canvas: Canvas, line: np.ndarray, tone: Colour, step: float) -> None:
    canvas.part(canvas.line(line, 0.12), darker(tone, 0.25), _SHINE.but(depth=0.04))
    for i, (x, y) in enumerate(resampled(line, step)):
        link = ellipse(x, y, 0.22, 0.14) if i % 2 else ellipse(x, y, 0.14, 0.22)
        canvas.part(canvas.mask(link), tone, _SHINE.but(depth=0.06, shadow=0.1))


def _pendant(canvas: Canvas, y: float, tone: Colour, gem: Colour, look: Look) -> None:
    kind = look.pick("heart", "drop", "coin", "cross")
    if kind == "heart":
        outline = shape([(0, y + 0.8, 1), (0.9, y + 0.1), (1.7, y + 0.8), (1.1, y + 2.0), (0, y + 3.0, 1), (-1.1, y + 2.0), (-1.7, y + 0.8), (-0.9, y + 0.1)])  # fmt: skip
    elif kind == "drop":
        outline = shape(
            [(0, y, 1), (1.2, y + 2.2), (0.7, y + 3.3), (-0.7, y + 3.3), (-1.2, y + 2.2)]
        )
    elif kind == "coin":
        outline = ellipse(0, y + 1.6, 1.5)
    else:
        outline = np.array([(-0.4, y), (0.4, y), (0.4, y + 0.9), (1.3, y + 0.9), (1.3, y + 1.7), (0.4, y + 1.7), (0.4, y + 3.6), (-0.4, y + 3.6), (-0.4, y + 1.7), (-1.3, y + 1.7), (-1.3, y + 0.9), (-0.4, y + 0.9)])  # fmt: skip
    canvas.part(canvas.mask(outline), tone, _SHINE.but(depth=0.3))
    if kind != "cross":
        _stone(canvas, 0, y + 1.6, 0.6, gem, tone)


def bracelet(canvas: Canvas, look: Look) -> None:
    """Bangles, a charm chain, beads or a cuff."""
    tone, gem = metal(look.rng, look.colour_name), _gem(look)
    kind = look.pick("bangles", "charms", "beads", "cuff")
    fit(canvas, -5, -4.6, 5, 5, width=136)
    canvas.ground(canvas.line(ellipse(0.2, 0.6, 3.7, 3.2), 0.5), 0.5, 0.25)
    ring = ellipse(0, 0, 3.7, 3.2)
    if kind == "bangles":
        for i in range(3):
            loop = ellipse(0, -0.5 + 0.5 * i, 3.7, 3.0)
            canvas.part(canvas.line(loop, 0.34), tone if i != 1 else gem, _SHINE)
            for x, y in loop[::3]:
                canvas.part(
                    canvas.mask(ellipse(x, y, 0.1)),
                    (0.96, 0.96, 0.98),
                    _SHINE.but(depth=0.05, shadow=0),
                )
    elif kind == "cuff":
        canvas.part(
            canvas.line(ellipse(0, -0.7, 3.6, 2.4, start=200, end=340), 1.6),
            darker(tone, 0.35),
            _SHINE,
        )
        canvas.part(
            canvas.mask(band(ellipse(0, 0.2, 3.8, 2.9, start=-12, end=192), 1.8)),
            tone,
            _SHINE.but(depth=0.5),
        )
        _stone(canvas, 0, 3.1, 0.6, gem, tone)
    else:
        _chain(canvas, ring, tone, 0.42)
        for i, (x, y) in enumerate(resampled(ring, 0.86 if kind == "beads" else 2.4)):
            if kind == "beads":
                _pearl(canvas, x, y, 0.44, gem if i % 2 else lighter(gem, 0.5))
            else:
                canvas.part(
                    canvas.line(np.array([(x, y), (x, y + 0.7)]), 0.1), tone, _SHINE.but(depth=0.04)
                )
                _stone(canvas, x, y + 1.0, 0.36, bright(look.rng), tone)


def ring(canvas: Canvas, look: Look) -> None:
    """A band with one stone, a cluster, or a plain pair."""
    tone, gem = metal(look.rng, look.colour_name), _gem(look)
    fit(canvas, -1.8, -2.3, 1.8, 1.7, width=104, height=130)
    canvas.ground(canvas.mask(ellipse(0.1, 1.5, 1.2, 0.16)), 0.25, 0.35)
    wide = look.rng.uniform(0.22, 0.42)
    canvas.part(canvas.line(ellipse(0, 0.05, 1.22, 1.32), wide * 1.1), darker(tone, 0.3), _SHINE)
    canvas.part(canvas.line(ellipse(0, 0.18, 1.3, 1.34), wide), tone, _SHINE.but(depth=0.1))
    kind = look.pick("solitaire", "cluster", "band")
    if kind == "band":
        for i in range(9):
            x, y = ellipse(0, 0.18, 1.3, 1.34, start=210, end=330)[5 * i + 4]
            _stone(canvas, x, y, 0.13, gem, tone)
    else:
        if kind == "cluster":
            for i in range(8):
                x, y = turned(np.array([(0, -0.62)]), i * 45)[0]
                _stone(canvas, x, y - 1.3, 0.18, (0.95, 0.96, 1.0) * np.ones(3, np.float32), tone)
        _stone(canvas, 0, -1.35, 0.5, gem, tone)
