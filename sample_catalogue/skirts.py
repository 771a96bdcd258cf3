"""Skirts: pencil, flared, pleated, tiered and denim. Units are centimetres."""

from __future__ import annotations

from . import fabric, necks, prints
from .bottoms import BRASS, Legs, fly_seam, scoop_pockets, waistband
from .canvas import Canvas
from .fabric import Noise
from .looks import Look, cloth, fit
from .palette import darker
from .shapes import curve, mirrored


def skirt(canvas: Canvas, look: Look) -> None:
    """Pencil, A-line, pleated or tiered; mini to maxi."""
    rng = look.rng
    kind = look.pick("pencil", "flared", "pleated", "tiered", "denim")
    length = float(rng.choice((42.0, 55.0, 62.0, 88.0)))
    hem = {"pencil": 21.0, "denim": 25.0}.get(str(kind), rng.uniform(32, 42))
    waist, hip = 17.0, 22.0 if kind in ("pencil", "denim") else 24.0
    drop = 1.0 if kind in ("pencil", "denim") else 3.5
    outline = mirrored(
        [(0, 0.8), (waist, -0.6, 1), (hip, 20), (hem, length - drop, 1), (hem * 0.55, length), (0, length + drop * 0.3)]
    )  # fmt: skip
    if kind == "denim" and not look.pattern:
        paint, relief = prints.denim(look.colour, rng), fabric.DENIM
    else:
        paint, relief = cloth(look), fabric.WOVEN
    fit(canvas, -hem - 1, -3, hem + 1, length + 3, width=138, height=200)
    folds = _skirt_folds(str(kind), look, hem, length)
    back = curve([(-waist, -0.4, 1), (0, -2.0), (waist, -0.4, 1), (0, 3, 1)], closed=True)
    canvas.part(canvas.mask(back), darker(look.colour, 0.4), fabric.FLAT)
    canvas.part(canvas.mask(outline), paint, relief.but(folds=folds))
    if kind == "tiered":
        for share in (0.36, 0.68):
            y = length * share
            wide = waist + (hem - waist) * share + 3
            seam = curve([(-wide, y - 1), (0, y + 1), (wide, y - 1)])
            canvas.tint(canvas.line(seam, 0.9).within(canvas.alpha), 0.72)
    legs = Legs(waist=waist, hip=hip)
    if kind == "denim":
        scoop_pockets(canvas, legs, look, BRASS)
        fly_seam(canvas, legs, BRASS)
        necks.button(canvas, 0, 3, 0.9, BRASS)
    waistband(canvas, legs, paint, look, loops=kind == "denim")


def _skirt_folds(kind: str, look: Look, hem: float, length: float) -> fabric.Folds:
    rng = look.rng
    noise = Noise(rng, 6, 18)
    if kind == "pleated":
        extra = fabric.pleats(float(rng.choice((3.0, 4.2))), 1.1, 17, hem, 3, length)
        return fabric.folds([], noise=noise, crumple=0.12, extra=extra)
    if kind in ("pencil", "denim"):
        return fabric.folds(fabric.torso_folds(rng, hem, 8, length)[:6], noise=noise, crumple=0.25)
    ridges = fabric.flare_folds(rng, 17, hem, 3, length, count=7, strength=1.7)
    return fabric.folds(ridges, noise=noise, crumple=0.25)
