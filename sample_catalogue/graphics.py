"""Pictures and words printed on the chest of a T-shirt, all drawn here."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .palette import Colour, bright, lightness, partner

_SIZE = 480
_WORDS = (
    "NORTH", "ROAM", "WAVES", "SUMMIT", "DRIFT", "NOMAD", "SOLAR", "PULSE", "ECHO", "WILD",
    "ORBIT", "COAST", "RIDERS", "HARBOUR", "STUDIO", "ATLAS", "LUNA", "VOLT",
)  # fmt: skip
_LINES = ("SINCE NINETY SIX", "MADE FOR OUTSIDE", "NO MAPS NEEDED", "CLUB & SONS", "SLOW DAYS")

Ink = tuple[int, int, int, int]


def ink(colour: Colour) -> Ink:
    """A colour as Pillow's opaque RGBA."""
    return (*(int(round(float(c) * 255)) for c in np.clip(colour, 0, 1)), 255)


def words(
    pen: ImageDraw.ImageDraw, text: str, centre: tuple[float, float], width: float, fill: Ink,
    bold: float = 0.03,
) -> float:  # fmt: skip
    """Write ``text`` centred and ``width`` pixels wide; the height it takes is returned."""
    trial = ImageFont.load_default(100)
    size = max(8, int(100 * width / max(trial.getlength(text), 1)))
    size = min(size, int(width * 0.6))
    font = ImageFont.load_default(size)
    pen.text(
        centre,
        text,
        fill=fill,
        font=font,
        anchor="mm",
        stroke_width=int(size * bold),
        stroke_fill=fill,
    )
    return size * 0.75


def _page() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("RGBA", (_SIZE, _SIZE), (255, 255, 255, 0))
    return page, ImageDraw.Draw(page)


def _slogan(rng: np.random.Generator, tones: list[Ink]) -> Image.Image:
    page, pen = _page()
    y = 70.0
    for i in range(int(rng.integers(2, 4))):
        word = _WORDS[rng.integers(len(_WORDS))]
        height = words(pen, word, (_SIZE / 2, y + 50), _SIZE * 0.9, tones[i % 2], 0.06)
        y += height + 34
    pen.rectangle((30, y + 20, _SIZE - 30, y + 30), fill=tones[2])
    words(pen, _LINES[rng.integers(len(_LINES))], (_SIZE / 2, y + 60), _SIZE * 0.7, tones[0])
    return page


def _mountains(rng: np.random.Generator, tones: list[Ink]) -> Image.Image:
    page, pen = _page()
    pen.ellipse((60, 30, 420, 390), fill=tones[1])
    sun = rng.uniform(130, 320)
    pen.ellipse((sun - 45, 80, sun + 45, 170), fill=tones[2])
    for shade, base in ((0.75, 230), (0.5, 290)):
        peaks = [(40, 420)]
        for x in range(40, 460, 70):
            peaks.append((x, base - (x // 70 % 2) * 90 - rng.uniform(0, 50)))
        tone = tuple(int(c * shade) for c in tones[2][:3])
        pen.polygon([*peaks, (450, 420)], fill=(*tone, 255))
    cut = Image.new("L", page.size)
    ImageDraw.Draw(cut).ellipse((60, 30, 420, 390), fill=255)
    page.putalpha(cut)
    pen = ImageDraw.Draw(page)
    words(pen, _WORDS[rng.integers(len(_WORDS))], (_SIZE / 2, 438), 330, tones[0], 0.05)
    return page


def _number(rng: np.random.Generator, tones: list[Ink]) -> Image.Image:
    page, pen = _page()
    words(pen, _WORDS[rng.integers(len(_WORDS))], (_SIZE / 2, 70), 400, tones[1], 0.05)
    font = ImageFont.load_default(330)
    number = str(int(rng.integers(7, 99)))
    pen.text(
        (_SIZE / 2, 290), number, fill=tones[0], font=font, anchor="mm", stroke_width=22,
        stroke_fill=tones[2],
    )  # fmt: skip
    return page


def _waves(rng: np.random.Generator, tones: list[Ink]) -> Image.Image:
    page, pen = _page()
    x = np.linspace(40, 440, 80)
    for i in range(7):
        y = 90 + 42 * i + 20 * np.sin(x / rng.uniform(30, 55) + rng.uniform(0, 6))
        pen.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill=tones[i % 3], width=17)
    words(pen, _WORDS[rng.integers(len(_WORDS))], (_SIZE / 2, 432), 320, tones[0], 0.05)
    return page


def _badge(rng: np.random.Generator, tones: list[Ink]) -> Image.Image:
    page, pen = _page()
    centre = np.array([_SIZE / 2, _SIZE / 2])
    points = int(rng.choice((5, 6, 8)))
    pen.ellipse((40, 40, 440, 440), outline=tones[0], width=16)
    pen.ellipse((70, 70, 410, 410), outline=tones[1], width=6)
    angles = np.arange(points * 2) * np.pi / points - np.pi / 2
    radii = np.where(np.arange(points * 2) % 2, 70, 150)[:, None]
    star = centre + np.column_stack([np.cos(angles), np.sin(angles)]) * radii
    pen.polygon([tuple(p) for p in star.tolist()], fill=tones[2])
    pen.rectangle((50, 205, 430, 280), fill=tones[0])
    dark = (30, 30, 34, 255) if sum(tones[0][:3]) > 380 else (245, 245, 243, 255)
    words(pen, _WORDS[rng.integers(len(_WORDS))], (_SIZE / 2, 243), 300, dark, 0.04)
    return page


def _palms(rng: np.random.Generator, tones: list[Ink]) -> Image.Image:
    page, pen = _page()
    for i in range(8):
        pen.rectangle((90, 60 + i * 40, 390, 60 + i * 40 + 34 - i * 3), fill=tones[2])
    cut = Image.new("L", page.size)
    ImageDraw.Draw(cut).ellipse((90, 55, 390, 355), fill=255)
    stripes = np.minimum(np.asarray(cut), np.asarray(page.getchannel("A")))
    page.putalpha(Image.fromarray(stripes))
    pen = ImageDraw.Draw(page)
    for foot, top in (((150, 420), (190, 170)), ((330, 420), (300, 220))):
        pen.line((foot, top), fill=tones[0], width=12)
        for angle in np.linspace(-2.9, 0.2, 7):
            end = (top[0] + 95 * np.cos(angle), top[1] + 60 * np.sin(angle) + 30)
            middle = (top[0] + 55 * np.cos(angle), top[1] + 50 * np.sin(angle) - 12)
            pen.line((top, middle, end), fill=tones[0], width=13, joint="curve")
    words(pen, _WORDS[rng.integers(len(_WORDS))], (_SIZE / 2, 448), 300, tones[1], 0.05)
    return page


def _blocks(rng: np.random.Generator, tones: list[Ink]) -> Image.Image:
    page, pen = _page()
    for _ in range(14):
        x, y = rng.uniform(30, 330, 2)
        w, h = rng.uniform(40, 150), rng.uniform(14, 60)
        tone = (*tones[int(rng.integers(3))][:3], 225)
        if rng.random() < 0.5:
            pen.rectangle((x, y, x + w, y + h), fill=tone)
        else:
            pen.ellipse((x, y, x + w, y + w), fill=tone)
    words(pen, _WORDS[rng.integers(len(_WORDS))], (_SIZE / 2, 430), 400, tones[0], 0.06)
    return page


_ALL = (_slogan, _slogan, _mountains, _number, _waves, _badge, _palms, _blocks)


def graphic(rng: np.random.Generator, cloth: Colour) -> Image.Image:
    """A chest print in colours that show on ``cloth``: square, RGBA, transparent around."""
    main = np.full(3, 0.95 if lightness(cloth) < 0.5 else 0.14, np.float32)
    if rng.random() < 0.35:
        main = partner(rng, cloth)
    tones = [ink(main), ink(partner(rng, cloth)), ink(bright(rng))]
    return _ALL[rng.integers(len(_ALL))](rng, tones)


def logo(rng: np.random.Generator, colour: Colour) -> Image.Image:
    """A small invented mark for a chest, tongue or label."""
    page, pen = _page()
    fill = ink(colour)
    kind = int(rng.integers(4))
    if kind == 0:
        pen.polygon([(60, 330), (180, 130), (260, 260), (320, 170), (430, 330)], fill=fill)
    elif kind == 1:
        pen.ellipse((110, 110, 370, 370), outline=fill, width=50)
        pen.rectangle((215, 60, 265, 420), fill=fill)
    elif kind == 2:
        for i in range(3):
            pen.polygon(
                [
                    (80 + i * 110, 350),
                    (170 + i * 110, 130),
                    (230 + i * 110, 130),
                    (140 + i * 110, 350),
                ],
                fill=fill,
            )
    else:
        pen.polygon([(240, 80), (400, 240), (240, 400), (80, 240)], fill=fill)
        pen.polygon([(240, 170), (310, 240), (240, 310), (170, 240)], fill=(255, 255, 255, 0))
    return page
