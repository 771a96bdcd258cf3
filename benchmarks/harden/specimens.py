"""Pictures as hostile as they come, the same for the same seed.

Some forty whole pictures of every format and mode; damaged copies of each; and files made by
hand that say one thing and are another. Nothing is read from anywhere.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

WHOLE, REFUSED, BOMB, ANY = "whole", "refused", "bomb", "any"

SIZE = (40, 30)

#: First bytes of each format, to be put where they do not belong.
MAGICS = {
    "png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "gif": b"GIF89a\x28\x00\x1e\x00",
    "webp": b"RIFF\xff\xff\x00\x00WEBPVP8 ",
    "bmp": b"BM\xff\xff\x00\x00\x00\x00",
    "tif": b"II*\x00\x08\x00\x00\x00",
    "ppm": b"P6\n40 30\n255\n",
    "avif": b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00",
}


@dataclass(frozen=True)
class Specimen:
    """One file.

    Attributes:
        expect: ``whole`` must be decoded, to ``size`` (width, height) where that is given;
            ``refused`` must not; a ``bomb`` must not, and no pixel of it may be allocated;
            ``any`` may be either.
    """

    name: str
    data: bytes
    expect: str = ANY
    size: tuple[int, int] | None = None


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file of ``kind``."""
    buffer = io.BytesIO()
    # Copies: Pillow leaves one encoder's settings on a picture, where the next trips over them.
    if "append_images" in options:
        options["append_images"] = [frame.copy() for frame in options["append_images"]]
    image.copy().save(buffer, kind, **options)
    return buffer.getvalue()


def picture(rng: np.random.Generator, size: tuple[int, int] = SIZE) -> Image.Image:
    """Coarse noise made smooth, RGB: something for every encoder to do."""
    noise = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def bases(rng: np.random.Generator) -> dict[str, bytes]:
    """File name -> a whole picture of ``SIZE``, every format in its modes."""
    rgb = picture(rng)
    alpha = rgb.convert("L").resize(SIZE)
    rgba, la = rgb.copy(), rgb.convert("LA")
    rgba.putalpha(alpha)
    la.putalpha(alpha)
    deep = Image.fromarray(rng.integers(0, 65536, SIZE[::-1]).astype(np.uint16))
    real = Image.fromarray(rng.random(SIZE[::-1]).astype(np.float32))
    frames = {"save_all": True, "append_images": [picture(rng) for _ in range(3)]}
    fading = bytes(range(0, 255, 15))
    return {
        "plain.jpg": encoded(rgb, "JPEG"),
        "progressive.jpg": encoded(rgb, "JPEG", progressive=True),
        "444.jpg": encoded(rgb, "JPEG", subsampling=0, quality=95),
        "grey.jpg": encoded(rgb.convert("L"), "JPEG"),
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG"),
        "restarts.jpg": encoded(rgb, "JPEG", restart_marker_blocks=1),
        "several.mpo": encoded(rgb, "MPO", **frames),
        "rgb.png": encoded(rgb, "PNG"),
        "rgba.png": encoded(rgba, "PNG"),
        "grey.png": encoded(rgb.convert("L"), "PNG"),
        "grey-alpha.png": encoded(la, "PNG"),
        "palette.png": encoded(rgb.quantize(17), "PNG"),
        "palette-alpha.png": encoded(rgb.quantize(17), "PNG", transparency=fading),
        "key.png": encoded(rgb, "PNG", transparency=(0, 0, 0)),
        "bits.png": encoded(rgb.convert("1"), "PNG"),
        "deep.png": encoded(deep, "PNG"),
        "animated.png": encoded(rgb, "PNG", **frames),
        "plain.gif": encoded(rgb, "GIF"),
        "see-through.gif": encoded(rgb.quantize(9), "GIF", transparency=3),
        "animated.gif": encoded(rgb, "GIF", **frames),
        "lossy.webp": encoded(rgb, "WEBP"),
        "lossless.webp": encoded(rgb, "WEBP", lossless=True),
        "alpha.webp": encoded(rgba, "WEBP"),
        "animated.webp": encoded(rgb, "WEBP", **frames),
        "rgb.bmp": encoded(rgb, "BMP"),
        "palette.bmp": encoded(rgb.quantize(9), "BMP"),
        "bits.bmp": encoded(rgb.convert("1"), "BMP"),
        "raw.tif": encoded(rgb, "TIFF"),
        "lzw.tif": encoded(rgba, "TIFF", compression="tiff_lzw"),
        "deflate.tif": encoded(rgb.convert("L"), "TIFF", compression="tiff_deflate"),
        "packbits.tif": encoded(rgb.quantize(9), "TIFF", compression="packbits"),
        "jpeg.tif": encoded(rgb, "TIFF", compression="jpeg"),
        "fax.tif": encoded(rgb.convert("1"), "TIFF", compression="group4"),
        "cmyk.tif": encoded(rgb.convert("CMYK"), "TIFF"),
        "lab.tif": encoded(rgb.convert("LAB"), "TIFF"),
        "deep.tif": encoded(deep, "TIFF"),
        "real.tif": encoded(real, "TIFF"),
        "pages.tif": encoded(rgb, "TIFF", **frames),
        "rgb.ppm": encoded(rgb, "PPM"),
        "grey.pgm": encoded(rgb.convert("L"), "PPM"),
        "bits.pbm": encoded(rgb.convert("1"), "PPM"),
        "deep.pgm": encoded(deep, "PPM"),
        "plain.avif": encoded(rgb, "AVIF", speed=10),
        "alpha.avif": encoded(rgba, "AVIF", speed=10),
    }


def damaged(
    name: str, data: bytes, others: dict[str, bytes], rng: np.random.Generator
) -> Iterator[Specimen]:
    """About a hundred broken copies of one whole file."""
    stem, ending = name.rsplit(".", 1)
    for part in range(16):
        cut = len(data) * part // 16
        yield Specimen(f"{stem}-cut{part}.{ending}", data[:cut], ANY if part else REFUSED)
    for turn in range(40):
        yield Specimen(f"{stem}-flip{turn}.{ending}", _flipped(data, rng, turn))
    for turn in range(16):
        yield Specimen(f"{stem}-number{turn}.{ending}", _extreme(data, rng, turn))
    for turn in range(8):
        yield Specimen(f"{stem}-zeros{turn}.{ending}", _zeroed(data, rng))
    for kind, magic in MAGICS.items():
        yield Specimen(f"{stem}-head-{kind}.{ending}", magic + data[len(magic) :])
        wrong = f"{stem}-really-{ending}.{kind}"
        yield Specimen(wrong, data, WHOLE, SIZE)
    other = list(others.values())[int(rng.integers(len(others)))]
    half = len(data) // 2
    yield Specimen(f"{stem}-spliced.{ending}", data[:half] + other[len(other) // 2 :])
    yield Specimen(f"{stem}-twice.{ending}", data + data, WHOLE, SIZE)
    yield Specimen(f"{stem}-tail.{ending}", data + b"\x00" * 5000 + b"<script>", WHOLE, SIZE)
    yield Specimen(f"{stem}-led.{ending}", b"\x00" + data, REFUSED)


def _flipped(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """One bit turned, or several; every other time in the header, where it hurts most."""
    spoiled, reach = bytearray(data), min(len(data), 120) if turn % 2 else len(data)
    for _ in range(1 + turn // 8):
        spoiled[rng.integers(reach)] ^= 1 << int(rng.integers(8))
    return bytes(spoiled)


def _extreme(data: bytes, rng: np.random.Generator, turn: int) -> bytes:
    """Lengths and counts at their limits: 2 or 4 bytes become the largest or smallest number."""
    width = 2 if turn % 2 else 4
    number = (b"\xff" * width, b"\x00" * width, b"\x7f" + b"\xff" * (width - 1))[turn % 3]
    at = int(rng.integers(max(1, min(len(data), 200) - width)))
    return data[:at] + number + data[at + width :]


def _zeroed(data: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(data)))
    length = int(rng.integers(1, 1 + len(data) // 4))
    return data[:start] + b"\x00" * len(data[start : start + length]) + data[start + length :]


def oriented(rng: np.random.Generator) -> Iterator[Specimen]:
    """Every orientation EXIF knows and some it does not, and blocks that are no EXIF."""
    image, (width, height) = picture(rng), SIZE
    for kind, ending in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tif")):
        for turn in (*range(10), 255, 65535):
            exif = Image.Exif()
            exif[0x0112] = turn
            size = (height, width) if turn in (5, 6, 7, 8) else SIZE
            data = encoded(image, kind, exif=exif)
            yield Specimen(f"exif{turn}.{ending}", data, WHOLE, size)
    for number in range(24):
        block = b"Exif\x00\x00" + rng.bytes(int(rng.integers(0, 400)))
        if number % 2:
            block = b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xff" + rng.bytes(300)
        yield Specimen(f"exif-broken{number}.jpg", encoded(image, "JPEG", exif=block), WHOLE)


def shaped() -> Iterator[Specimen]:
    """One pixel, one row, one column, and one more than is allowed."""
    kinds = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "AVIF")
    for kind in kinds:
        yield Specimen(
            f"one.{kind.lower()}", encoded(Image.new("RGB", (1, 1)), kind), WHOLE, (1, 1)
        )
        if kind not in ("WEBP", "AVIF"):  # These end at 16,383 and 65,536 pixels a side.
            for size in ((30_000, 1), (1, 30_000)):
                name = f"{size[0]}x{size[1]}.{kind.lower()}"
                yield Specimen(name, encoded(Image.new("RGB", size), kind), WHOLE, size)
            data = encoded(Image.new("RGB", (30_001, 1)), kind)
            yield Specimen(f"30001x1.{kind.lower()}", data, BOMB)


def small_specimens(seed: int) -> Iterator[Specimen]:
    """Some 4,900 files, each small; the bombs are in ``harden.bombs``."""
    rng = np.random.default_rng(seed)
    whole = bases(rng)
    for name, data in whole.items():
        yield Specimen(name, data, WHOLE, SIZE)
        yield from damaged(name, data, whole, rng)
    yield from oriented(rng)
    yield from shaped()
    for length in (0, 1, 2, 16, 1000, 100_000):
        yield Specimen(f"zeros{length}.jpg", b"\x00" * length, REFUSED)
        yield Specimen(f"noise{length}.png", rng.bytes(length), REFUSED)
