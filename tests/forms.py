"""Catalogues in the forms that shops, feeds, exports and data sets have, made anew, small."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = ("red", "blue", "green", "black", "orange", "purple", "brown", "grey")

#: id, title, category of the products of most forms.
PRODUCTS = [
    ("40979", "Black Polka Dot Dress", "Dresses"),
    ("23345", "Printed Dress", "Dresses"),
    ("12790", "Slim Fit Shirt", "Shirts"),
    ("22463", "Striped Shirt", "Shirts"),
]
IDS = [item_id for item_id, _, _ in PRODUCTS]


def picture(number: int, size: tuple[int, int] = (48, 64)) -> Image.Image:
    """A drawn picture that no other number has."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    width, height = size
    box = (width * 0.1, height * 0.1, width * (0.5 + number % 5 / 10), height * 0.9)
    shape = pen.rectangle if number % 2 else pen.ellipse
    shape(box, fill=COLOURS[number % len(COLOURS)])
    return image


def draw_all(folder: Path, names: Iterable[str], kind: str = "JPEG") -> Path:
    """Draws a picture under each name, whatever its ending."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            picture(number).save(file, kind)
    return folder


def csv_text(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    """Rows as a CSV that is quoted as RFC 4180 has it."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def product_rows(header: Sequence[str] = ("id", "title", "category")) -> list[Sequence[str]]:
    """The table most forms have."""
    return [header, *PRODUCTS]


def write(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    """Writes a file below a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def write_json(folder: Path, name: str, content: object) -> Path:
    """Writes JSON below a folder."""
    return write(folder, name, json.dumps(content, ensure_ascii=False))


def write_excel(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> Path:
    """A real workbook."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path
