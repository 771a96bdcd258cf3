"""The upper garment: body, sleeves, hems. Necks and collars are in ``necks``.

Units are centimetres; (0, 0) lies between the shoulders at the height of the neck.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import fabric, prints
from .canvas import Canvas, Paint, Relief
from .fabric import Noise
from .looks import Look, fit
from .palette import darker
from .shapes import Points, band, curve, flipped, mirrored, shifted


@dataclass(frozen=True)
class Cut:
    """The pattern of a top: half widths and lengths in cm.

    ``sleeve`` is the length of the sleeve (0 = none), ``lift`` its angle from upright in
    degrees, ``cuff`` the half width of its end; ``hem_shape`` one of straight, tail, rib, flare.
    """

    shoulder: float = 21.0
    chest: float = 24.0
    waist: float = 22.8
    hem: float = 23.5
    length: float = 72.0
    sleeve: float = 20.0
    lift: float = 34.0
    cuff: float = 9.0
    neck: float = 8.5
    neck_depth: float = 9.0
    neck_shape: str = "crew"
    hem_shape: str = "straight"
    rib_cuff: float = 0.0
    slope: float = 5.0

    def but(self, **changes: object) -> Cut:
        """The same with some measures changed."""
        return replace(self, **changes)


def standard(look: Look) -> Cut:
    """Measures for the look's gender, a little different each time."""
    rng = look.rng
    if look.kid:
        cut = Cut(18, 21, 20.5, 21.5, 54, sleeve=14, neck=7.6)
    elif look.female:
        cut = Cut(17.5, 20.5, rng.uniform(17.5, 19.5), 21, 62, sleeve=14, cuff=7.5, neck=8.6)
    else:
        cut = Cut()
    loose = rng.normal(0, 0.8)
    return cut.but(
        chest=cut.chest + loose,
        waist=cut.waist + loose + rng.normal(0, 0.5),
        hem=cut.hem + loose + rng.normal(0, 0.5),
        length=cut.length * rng.normal(1, 0.025),
        lift=rng.uniform(22, 34),
    )


def neckline(cut: Cut) -> np.ndarray:
    """The front neckline from left to right, (n, 2)."""
    w, d = cut.neck, cut.neck_depth
    shapes: dict[str, Points] = {
        "v": [(-w, 0, 1), (-w * 0.5, d * 0.48), (0, d, 1), (w * 0.5, d * 0.48), (w, 0, 1)],
        "square": [(-w, 0, 1), (-w * 0.92, d, 1), (w * 0.92, d, 1), (w, 0, 1)],
        "sweetheart": [(-w, 0, 1), (-w * 0.9, d * 0.7), (-w * 0.5, d * 0.8), (0, d, 1),
                       (w * 0.5, d * 0.8), (w * 0.9, d * 0.7), (w, 0, 1)],
    }  # fmt: skip
    round_neck = [(-w, 0, 1), (-w * 0.82, d * 0.55), (-w * 0.45, d * 0.9), (0, d),
                  (w * 0.45, d * 0.9), (w * 0.82, d * 0.55), (w, 0, 1)]  # fmt: skip
    return curve(shapes.get(cut.neck_shape, round_neck))


def hem_line(cut: Cut) -> list[tuple]:
    """The right half of the hem, from the side to the middle."""
    h, bottom = cut.hem, cut.length
    if cut.hem_shape == "rib":
        bottom -= 4.0  # the ribbed band goes on below
    if cut.hem_shape == "tail":
        return [(h, bottom - 8, 1), (h * 0.8, bottom - 3.5), (h * 0.45, bottom), (0, bottom + 0.5)]
    if cut.hem_shape == "flare":
        return [(h, bottom - 2.5, 1), (h * 0.6, bottom + 0.6), (0, bottom + 1.8)]
    return [(h, bottom - 0.6, 1), (h * 0.5, bottom + 0.3), (0, bottom + 0.5)]


def body_outline(cut: Cut) -> np.ndarray:
    """The front of the body, (n, 2)."""
    neck = neckline(cut)
    right = neck[len(neck) // 2 :]
    side = [
        (cut.neck, 0, 1),
        (cut.shoulder, cut.slope, 1),
        (cut.shoulder - 1.6, cut.slope + 9),
        (cut.chest - (2.2 if cut.sleeve else 1.0), cut.slope + 17),
        (cut.chest, cut.slope + 19.5, 1),
        (cut.waist, cut.slope + 19.5 + (cut.length - 24.5) * 0.42),
        *hem_line(cut),
    ]
    half = [*[(x, y, 1) for x, y in right[:-1]], *side]
    return mirrored(half)


def sleeve_frame(cut: Cut) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The right sleeve's start, direction and side: (2,) vectors in cm."""
    turn = np.radians(cut.lift)
    along = np.array([np.sin(turn), np.cos(turn)])
    side = np.array([np.cos(turn), -np.sin(turn)])
    start = np.array([(cut.shoulder + cut.chest) / 2 - 1.0, cut.slope + 9.5])
    return start, along, side


def sleeve_outline(cut: Cut) -> np.ndarray:
    """The right sleeve, tucked a little under the body, (n, 2)."""
    start, along, side = sleeve_frame(cut)
    end = start + along * cut.sleeve
    half_way = start + along * cut.sleeve * 0.5
    wide = (cut.cuff + 10.0) / 2 if cut.sleeve > 30 else (cut.cuff + 10.5) / 2
    outer, inner = end + side * cut.cuff, end - side * cut.cuff
    points = [
        (cut.shoulder - 6, cut.slope - 1.0, 1),
        (cut.shoulder - 1.5, cut.slope - 1.1),
        (cut.shoulder + 1.9, cut.slope + 1.0),
        tuple(half_way + side * wide),
        (*outer, 1),
        (*(end + along * 0.7), 0),
        (*inner, 1),
        tuple(half_way - side * wide * 0.92),
        (cut.chest - 0.6, cut.slope + 20.5, 1),
        (cut.shoulder - 7, cut.slope + 16, 1),
    ]
    return curve(points, closed=True)


def cuff_outline(cut: Cut, width: float) -> np.ndarray:
    """A band across the end of the right sleeve, (n, 2)."""
    start, along, side = sleeve_frame(cut)
    end = start + along * (cut.sleeve - width / 2)
    half = cut.cuff * (0.92 if cut.rib_cuff else 1.04)
    arch = [tuple(end - side * half), tuple(end + along * 0.5), tuple(end + side * half)]
    return band(curve(arch), width)


def reach(cut: Cut) -> float:
    """How far the garment extends from its middle, cm."""
    if not cut.sleeve:
        return max(cut.chest, cut.hem, cut.shoulder)
    start, along, side = sleeve_frame(cut)
    end = start + along * cut.sleeve + side * cut.cuff
    return max(end[0], (end - 2 * side * cut.cuff)[0], cut.hem, cut.chest)


def place(canvas: Canvas, cut: Cut, above: float = 3.0) -> None:
    """Frame the garment."""
    wide = reach(cut)
    low = cut.length + 1
    if cut.sleeve:
        start, along, _ = sleeve_frame(cut)
        low = max(low, (start + along * cut.sleeve)[1] + 2)
    fit(canvas, -wide, -above, wide, low)


def _seam(canvas: Canvas, line: np.ndarray, colour: np.ndarray, inset: float = 1.6) -> None:
    canvas.tint(canvas.line(shifted(line, -inset), 0.18), 0.82)
    canvas.flat(canvas.dashes(shifted(line, -inset - 0.5), 0.2, 0.6, 0.4), colour, 0.5)


def draw_sleeves(canvas: Canvas, cut: Cut, paint: Paint, relief: Relief, look: Look) -> None:
    """Both sleeves with their creases, hems or ribbed cuffs."""
    if not cut.sleeve:
        return
    start, along, _ = sleeve_frame(cut)
    end = start + along * cut.sleeve
    spots = (0.3, 0.5, 0.72) if cut.sleeve > 30 else (0.4,)
    outline = sleeve_outline(cut)
    hem = cuff_outline(cut.but(rib_cuff=0.0), 0.2)
    for flip in (1, -1):
        ridges = fabric.limb_folds(
            look.rng, (flip * start[0], start[1]), (flip * end[0], end[1]), cut.cuff, at=spots
        )
        folds = fabric.folds(ridges, noise=Noise(look.rng, 5, 9), crumple=0.18)
        line = outline if flip > 0 else flipped(outline)
        turned = prints.at_angle(paint, -cut.lift * flip)
        canvas.part(canvas.mask(line), turned, relief.but(folds=folds))
        if cut.rib_cuff:
            cuff = cuff_outline(cut, cut.rib_cuff)
            draw_rib(canvas, cuff if flip > 0 else flipped(cuff), look.colour, -cut.lift * flip)
        else:
            middle = hem[: len(hem) // 2] - along * (2.0 if cut.sleeve < 30 else 1.4)
            middle = middle if flip > 0 else flipped(middle)
            canvas.tint(canvas.line(middle, 0.22), 0.84)


def draw_rib(canvas: Canvas, outline: np.ndarray, colour: np.ndarray, angle: float = 0) -> None:
    """A ribbed cuff, hem or collar."""
    relief = fabric.KNIT.but(
        depth=1.4, folds=fabric.folds([], extra=fabric.ribs(0.95, 0.10, angle)), shadow=0.15
    )
    canvas.part(canvas.mask(outline), darker(colour, 0.06), relief)


def draw_inside(canvas: Canvas, cut: Cut, look: Look, label: bool = True) -> None:
    """The inner back seen through the neck, with its label."""
    w, d = cut.neck, cut.neck_depth
    inner = mirrored(
        [(0, 1.9), (w * 0.6, 1.3), (w + 0.4, -0.1, 1), (w + 0.6, d * 0.6, 1), (w * 0.7, d + 1.5), (0, d + 2.5)]
    )  # fmt: skip
    canvas.part(canvas.mask(inner), darker(look.colour, 0.38), fabric.FLAT.but(contrast=0.3))
    if label and d > 5:
        tag = np.array([(-1.9, 2.6), (1.9, 2.6), (1.9, 5.0), (-1.9, 5.0)])
        canvas.part(canvas.mask(tag), (0.93, 0.93, 0.91), fabric.FLAT)
        canvas.flat(canvas.line(np.array([(-1.2, 3.7), (1.2, 3.7)]), 0.4), (0.3, 0.3, 0.33), 0.8)


def draw_body(canvas: Canvas, cut: Cut, paint: Paint, relief: Relief, look: Look) -> np.ndarray:
    """The body with its creases and hem; its mask (h, w) is returned."""
    ridges = fabric.torso_folds(look.rng, cut.chest, cut.slope + 18, cut.length)
    if cut.hem_shape == "flare":
        ridges += fabric.flare_folds(
            look.rng, cut.waist, cut.hem, cut.slope + 26, cut.length, count=5
        )
    folds = fabric.folds(ridges, noise=Noise(look.rng, 9, 16), crumple=0.28)
    mask = canvas.mask(body_outline(cut))
    canvas.part(mask, paint, relief.but(folds=folds))
    if cut.hem_shape == "rib":
        bottom = cut.length
        half = [(cut.hem, bottom - 5.5, 1), (cut.hem - 1.2, bottom, 1), (0, bottom + 0.6, 0)]
        outline = mirrored([(0, bottom - 5.0), *half])
        draw_rib(canvas, outline, look.colour)
    else:
        hem = hem_line(cut)
        whole = curve([*hem, *[(-x, y, *rest) for x, y, *rest in reversed(hem[:-1])]])
        _seam(canvas, whole, np.array([0.5, 0.5, 0.5], np.float32) * 0.6 + look.colour * 0.5)
    return mask
