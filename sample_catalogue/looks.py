"""One product's design: what it is, in which colour and cloth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import motifs, prints
from .canvas import FRAME, Canvas, Paint
from .fabric import Noise
from .graphics import graphic
from .palette import Colour, bright, darker, jittered, lighter, mixed, partner, rgb


@dataclass(frozen=True)
class Look:
    """What a drawing function needs to know.

    Attributes:
        article_type, gender, colour_name, pattern, usage: as in the catalogue row.
        rng: the design's own source of variation; the same seed gives the same design.
        colour: the dye, (3,) float32 in 0..1.
        second: a colour that goes along with it.
    """

    article_type: str
    gender: str
    colour_name: str
    pattern: str
    usage: str
    rng: np.random.Generator
    colour: Colour
    second: Colour

    @classmethod
    def of(cls, facts: dict, rng: np.random.Generator) -> Look:
        """The look of a planned product."""
        colour = jittered(rng, rgb(facts["colour"]))
        return cls(
            facts["article_type"], facts["gender"], facts["colour"], facts["pattern"],
            facts["usage"], rng, colour, partner(rng, colour),
        )  # fmt: skip

    @property
    def kid(self) -> bool:
        """Whether it is for boys or girls."""
        return self.gender in ("Boys", "Girls")

    @property
    def female(self) -> bool:
        """Whether it is for women or girls."""
        return self.gender in ("Women", "Girls")

    def pick(self, *options: object) -> object:
        """One of the options, each as likely."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        """True in ``share`` of the designs."""
        return bool(self.rng.random() < share)


def fit(
    canvas: Canvas, x0: float, y0: float, x1: float, y1: float, *, width: float = 150.0,
    height: float = 206.0, drop: float = 0.0,
) -> None:  # fmt: skip
    """Frame the box (x0, y0, x1, y1) of product units as large as width and height allow."""
    scale = min(width / (x1 - x0), height / (y1 - y0), FRAME[0] / (x1 - x0))
    canvas.frame(scale, cx=(x0 + x1) / 2, cy=(y0 + y1) / 2 - drop / scale)


def cloth(look: Look, size: float = 1.0) -> Paint:
    """The paint for the look's pattern; ``size`` scales the pattern."""
    weave = _WEAVES.get(look.pattern, _plain)
    return prints.grained(weave(look, size), look.rng, 0.018)


def _plain(look: Look, size: float) -> Paint:
    return prints.solid(look.colour)


def _striped(look: Look, size: float) -> Paint:
    rng = look.rng
    period, share = float(rng.choice((1.6, 2.6, 4.0, 6.5))), float(rng.uniform(0.25, 0.6))
    others = [look.second]
    if rng.random() < 0.4:
        others.append(bright(rng))
    upright = look.article_type in ("Shirts", "Trousers", "Ties") and rng.random() < 0.8
    angle = 90.0 if upright else 0.0
    if look.article_type == "Ties":
        angle = float(rng.choice((-40, 40)))
    if upright:
        period, share = float(rng.choice((0.9, 1.4, 2.4))), float(rng.uniform(0.15, 0.45))
    return prints.stripes(look.colour, others, period * size, share, angle)


def _pinstriped(look: Look, size: float) -> Paint:
    line = lighter(look.colour, 0.45)
    return prints.stripes(look.colour, [line], 1.7 * size, 0.12, 90)


def _checked(look: Look, size: float) -> Paint:
    rng = look.rng
    others = [look.second]
    for _ in range(int(rng.integers(0, 3))):
        others.append(look.pick(bright(rng), darker(look.colour, 0.45), lighter(look.colour, 0.5)))
    return prints.checks(look.colour, others, float(rng.choice((1.6, 3.2, 5.5, 8.0))) * size, rng)


def _dotted(look: Look, size: float) -> Paint:
    period = float(look.rng.choice((1.8, 3.0, 4.6))) * size
    return prints.dots(look.colour, look.second, period, period * look.rng.uniform(0.15, 0.3))


def _camouflage(look: Look, size: float) -> Paint:
    tones = [look.colour, darker(look.colour, 0.35), lighter(look.colour, 0.25)]
    tones.append(mixed(darker(look.colour, 0.6), rgb("Coffee Brown"), 0.4))
    return prints.camouflage(tones, look.rng, 6.0 * size)


def _ombre(look: Look, size: float) -> Paint:
    return prints.ombre(look.colour, mixed(look.second, look.colour, 0.2), 10, 60)


def _blocked(look: Look, size: float) -> Paint:
    rng = look.rng
    tones = [look.colour, look.second, bright(rng)]
    cut = rng.uniform(18, 34)
    return prints.blocks(tones, [cut, cut + rng.uniform(3, 12)], float(rng.choice((0, 0, 25, -25))))


def _tie_dyed(look: Look, size: float) -> Paint:
    noise, dye = Noise(look.rng, 9 * size), look.second

    def paint(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        wave = np.sin(np.hypot(x - 2, y - 32) / (4.5 * size) + 1.6 * noise(x, y))
        share = np.clip(0.5 + 0.75 * wave, 0, 1)[..., None]
        return look.colour * (1 - share) + dye * share

    return paint


def _chest_print(look: Look, size: float) -> Paint:
    base = prints.melange(look.colour, look.rng, 0.035) if look.chance(0.25) else _plain(look, 1)
    width = look.rng.uniform(19, 27) * (0.85 if look.female else 1.0)
    picture = graphic(look.rng, look.colour)
    return prints.placed(base, picture, -width / 2, look.rng.uniform(15, 20), width)


_WEAVES = {
    "Striped": _striped,
    "Pinstriped": _pinstriped,
    "Checked": _checked,
    "Polka Dot": _dotted,
    "Camouflage": _camouflage,
    "Ombre": _ombre,
    "Colourblocked": _blocked,
    "Tie-Dye": _tie_dyed,
    "Graphic": _chest_print,
    "Floral": lambda look, size: motifs.floral(
        look.colour, look.rng, size * look.rng.uniform(14, 24)
    ),
    "Ethnic Print": lambda look, size: motifs.ethnic(
        look.colour, look.rng, size * look.rng.uniform(9, 15)
    ),
    "Geometric": lambda look, size: motifs.geometric(
        look.colour, look.rng, size * look.rng.uniform(10, 20)
    ),
    "Animal Print": lambda look, size: prints.animal(look.colour, look.rng, size * 2.2),
    "Chevron": lambda look, size: prints.chevron(
        look.colour, [look.second, lighter(look.colour, 0.4)], size * 4.0
    ),
    "Melange": lambda look, size: prints.melange(look.colour, look.rng),
}
