"""A toy catalogue of drawn images: a lone item, an exact duplicate, a row without image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HEADER = (
    "id,gender,masterCategory,subCategory,articleType,baseColour,"
    "season,year,usage,productDisplayName"
)

#: id, type, colour, shape; 6 is a copy of 1, 8 is the only watch, 9 has no image.
ITEMS = [
    ("1", "Shirts", "Red", "box"),
    ("2", "Shirts", "Blue", "box"),
    ("3", "Shirts", "Green", "box"),
    ("4", "Heels", "Red", "disc"),
    ("5", "Heels", "Blue", "disc"),
    ("6", "Shirts", "Red", "box"),
    ("7", "Heels", "Green", "disc"),
    ("8", "Watches", "Black", "ring"),
]


def draw(path: Path, colour: str, shape: str) -> None:
    image = Image.new("RGB", (60, 80), "white")
    pen = ImageDraw.Draw(image)
    if shape == "box":
        pen.rectangle((12, 8, 48, 72), fill=colour)
    elif shape == "disc":
        pen.ellipse((6, 30, 54, 66), fill=colour)
    else:
        pen.ellipse((10, 20, 50, 60), outline=colour, width=6)
    image.save(path, quality=92)


def write_toy(folder: Path) -> Path:
    (folder / "images").mkdir(parents=True)
    lines = [HEADER]
    for item_id, kind, colour, shape in ITEMS:
        draw(folder / "images" / f"{item_id}.jpg", colour.lower(), shape)
        name = f"Acme {colour} {kind}" + (", with a comma" if item_id == "2" else "")
        lines.append(f"{item_id},Men,Apparel,Topwear,{kind},{colour},Fall,2012,NA,{name}")
    lines.append("9,Women,Apparel,Topwear,Shirts,White,,,Casual,Acme White Shirts")
    (folder / "styles.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def grow(folder: Path, n: int, copies: int = 0) -> Path:
    """``n`` more products, each with a picture of its own; then ``copies`` of them saved anew."""
    rng, table = np.random.default_rng(1), folder / "styles.csv"
    lines = table.read_text(encoding="utf-8")
    kinds = [(kind, colour) for _, kind, colour, _ in ITEMS]
    for number in range(100, 100 + n + copies):
        picture = folder / "images" / f"{number}.jpg"
        if number < 100 + n:
            Image.fromarray(rng.integers(0, 256, (8, 6, 3), dtype=np.uint8)).resize((60, 80)).save(
                picture, quality=95
            )
        else:
            Image.open(folder / "images" / f"{number - n}.jpg").save(picture, quality=85)
        kind, colour = kinds[number % len(kinds)]
        lines += f"{number},Men,Apparel,Topwear,{kind},{colour},Fall,2012,NA,Piece {number}\n"
    table.write_text(lines, encoding="utf-8")
    return folder
