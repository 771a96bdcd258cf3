"""Dresses: a bodice and a skirt in one, from mini to maxi."""

from __future__ import annotations

import numpy as np

from . import fabric, necks
from .canvas import Canvas, Relief
from .fabric import Noise
from .looks import Look, cloth, fit
from .palette import darker
from .shapes import band, box, curve, mirrored
from .tops import Cut, draw_inside, draw_sleeves, neckline, reach

_ROUND = ("crew", 9.0), ("scoop", 14.0), ("v", 18.0), ("square", 12.0), ("sweetheart", 15.0)


def dress(canvas: Canvas, look: Look) -> None:
    """Sheath, shift, A-line, fit-and-flare or maxi; straps or sleeves."""
    rng = look.rng
    kind = str(look.pick("sheath", "shift", "flare", "flare", "maxi", "wrap"))
    neck, depth = _ROUND[int(rng.integers(len(_ROUND)))]
    if kind == "wrap":
        neck, depth = "v", 22.0
    length = {"maxi": 126.0, "sheath": 92.0, "shift": 84.0}.get(kind, 90.0) * rng.normal(1, 0.04)
    small = 0.82 if look.kid else 1.0
    hem = {"sheath": 21.0, "shift": 26.0, "flare": 38.0, "maxi": 36.0, "wrap": 33.0}[kind]
    straps = look.chance(0.3) and kind != "shift"
    sleeve = 0.0 if straps else float(look.pick(0.0, 0.0, 12.0, 36.0, 52.0))
    cut = Cut(
        shoulder=11.5 if straps else (15.0 if not sleeve else 17.5), chest=20.5, waist=16.5, hem=hem,
        length=length * small, sleeve=sleeve, lift=rng.uniform(12, 24), cuff=8.0 if sleeve < 20 else 6.0,
        neck=9.6 if straps else rng.uniform(8.6, 11), neck_depth=depth, neck_shape=neck, slope=2.0 if straps else 4.2,
    )  # fmt: skip
    relief = (
        fabric.SATIN
        if look.usage == "Party" or (look.pattern == "" and look.chance(0.35))
        else fabric.JERSEY
    )
    paint = cloth(look)
    fit(canvas, -max(hem, reach(cut)), -2, max(hem, reach(cut)), cut.length + 4, height=212)
    draw_inside(canvas, cut, look, label=not straps)
    draw_sleeves(canvas, cut, paint, relief, look)
    canvas.part(canvas.mask(_outline(cut, kind)), paint, relief.but(folds=_folds(cut, kind, look)))
    edge = look.second if look.chance(0.2) else darker(look.colour, 0.14)
    line = neckline(cut)
    canvas.part(canvas.mask(band(line, 0.9, offset=-0.2)), edge, fabric.WOVEN.but(depth=0.5))
    _details(canvas, cut, kind, look, edge, relief)


def _outline(cut: Cut, kind: str) -> np.ndarray:
    neck = neckline(cut)
    right = neck[len(neck) // 2 :]
    waist = 42.0 if kind != "shift" else 50.0
    waist_half = cut.waist + (3.5 if kind == "shift" else 0)
    hip = 20.5 if kind in ("sheath", "shift") else cut.waist + (cut.hem - cut.waist) * 0.42
    side = [
        (cut.neck, 0, 1),
        (cut.shoulder, cut.slope, 1),
        (cut.shoulder - 0.8, cut.slope + 8),
        (cut.chest - 1.4, cut.slope + 16),
        (cut.chest, cut.slope + 18.5, 1),
        (waist_half, waist),
        (hip, waist + 19),
        (cut.hem, cut.length - (3 if cut.hem > 28 else 0.6), 1),
        (cut.hem * 0.55, cut.length + 0.2),
        (0, cut.length + (1.6 if cut.hem > 28 else 0.4)),
    ]
    return mirrored([*[(x, y, 1) for x, y in right[:-1]], *side])


def _folds(cut: Cut, kind: str, look: Look) -> fabric.Folds:
    rng = look.rng
    ridges = fabric.torso_folds(rng, cut.chest, cut.slope + 17, 46)[:6]
    extra = None
    if kind == "flare" and look.chance(0.35):
        extra = _below(44, fabric.pleats(3.4, 0.9, cut.waist, cut.hem, 44, cut.length))
    elif cut.hem > 25:
        ridges += fabric.flare_folds(rng, cut.waist, cut.hem, 44, cut.length, count=6, strength=1.5)
    return fabric.folds(ridges, noise=Noise(rng, 7, 17), crumple=0.25, extra=extra)


def _below(y0: float, folds: fabric.Folds) -> fabric.Folds:
    return lambda x, y: folds(x, y) * np.clip((y - y0) / 3, 0, 1)


def _details(
    canvas: Canvas, cut: Cut, kind: str, look: Look, edge: np.ndarray, relief: Relief
) -> None:
    if kind == "wrap":
        for start, end in (((cut.neck, 0.5), (-cut.waist + 2, 42)), ((-2, 24), (4, cut.length))):
            middle = ((start[0] + end[0]) / 2 - 1.5, (start[1] + end[1]) / 2 + 2)
            canvas.tint(canvas.line(curve([start, middle, end]), 0.7).within(canvas.alpha), 0.7)
    if kind in ("flare", "wrap", "maxi") and look.chance(0.75):
        wide = cut.waist + 0.8
        belt = box(-wide, 40.4, wide, 44)
        colour = edge if look.chance(0.6) else look.second
        canvas.part(canvas.mask(belt), colour, fabric.SATIN.but(depth=1.2, shadow=0.3))
        if look.chance(0.5):
            _bow(canvas, colour)
    if look.chance(0.3) and kind != "wrap":
        for i in range(4):
            necks.button(canvas, 0, cut.neck_depth + 2.5 + 4.4 * i, 0.7, edge)
    if look.chance(0.25):
        y = cut.length - 6
        hem = box(-cut.hem - 2, y, cut.hem + 2, y + 2.2)
        canvas.part(canvas.mask(hem).within(canvas.alpha), edge, relief.but(depth=1.0, shadow=0.1))


def _bow(canvas: Canvas, colour: np.ndarray) -> None:
    silk = fabric.SATIN.but(depth=1.2, shadow=0.35)
    for side in (-1, 1):
        tail = curve([(4, 42.5), (4 + side * 1.8, 49), (4 + side * 2.4, 56)])
        canvas.part(canvas.line(tail, 1.5), colour, silk.but(depth=0.6))
        loop = curve(
            [(4, 42.3), (4 + side * 4, 39.6), (4 + side * 6, 42), (4 + side * 4, 44.6)], closed=True
        )
        canvas.part(canvas.mask(loop), colour, silk)
    canvas.part(canvas.mask(box(3.2, 41, 4.8, 43.8, 0.6)), darker(colour, 0.1), silk.but(depth=0.6))
