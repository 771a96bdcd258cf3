"""Small files that want much memory or time, and the largest pictures that are allowed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from harden.specimens import ANY, BOMB, WHOLE, Specimen, encoded

#: The most pixels there may be, and the most of formats whose decoders copy the frame.
FULL, FULL_COPIED = (7000, 7142), (4472, 4472)


def zeros(length: int) -> bytes:
    """Deflated zeros, a thousandth of their ``length``."""
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    parts = [packer.compress(block) for _ in range(length >> 20)]
    return b"".join([*parts, packer.compress(bytes(length & 0xFFFFF)), packer.flush()])


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that says it is of this size, whatever its chunks hold."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def tiff(entries: dict[int, tuple[int, int]], tail: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory: tag -> (type, value); ``tail`` lies behind it."""
    rows = [struct.pack("<HHII", tag, kind, 1, v) for tag, (kind, v) in sorted(entries.items())]
    directory = struct.pack("<H", len(rows)) + b"".join(rows) + struct.pack("<I", following)
    return b"II*\x00\x08\x00\x00\x00" + directory + tail


def grey_tiff(width: int, height: int, data: bytes, compression: int = 8, **more: int) -> bytes:
    """A grey TIFF of one strip that holds ``data``."""
    entries = {256: (4, width), 257: (4, height), 258: (3, 8), 259: (3, compression), 262: (3, 1)}
    entries |= {273: (4, 8 + 2 + 12 * 9 + 4), 277: (3, 1), 278: (4, height), 279: (4, len(data))}
    return tiff(entries, data, **more)


def gif(screen: tuple[int, int], frame: tuple[int, int], frames: int = 1) -> bytes:
    """A GIF of empty frames; screen and frames may differ."""
    head = b"GIF89a" + struct.pack("<HH", *screen) + b"\x80\x00\x00" + bytes(6)
    one = b"\x2c" + struct.pack("<HHHH", 0, 0, *frame) + b"\x00\x02\x02\x44\x01\x00"
    return head + one * frames + b"\x3b"


def webp_canvas(width: int, height: int, inner: bytes) -> bytes:
    """An extended WebP whose canvas is not that of the picture inside."""
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size + inner[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def scans(image: Image.Image, n: int) -> bytes:
    """A progressive JPEG that goes ``n`` times over its pixels, for some bytes each."""
    data = encoded(image, "JPEG", progressive=True, quality=50)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * n + b"\xff\xd9"


def avif_sized(width: int, height: int) -> bytes:
    """An AVIF that says it is larger than it is."""
    data = bytearray(encoded(Image.new("RGB", (40, 30)), "AVIF", speed=10))
    at = data.index(b"ispe") + 8
    data[at : at + 8] = struct.pack(">II", width, height)
    return bytes(data)


def huge() -> Iterator[Specimen]:
    """More pixels than are allowed, said so in the header, and hardly any of them there."""
    for side in (7_100, 29_999, 30_001, 65_536, 2**31 - 1):
        yield Specimen(f"header{side}.png", png(side, side, chunk(b"IDAT", zeros(64))), BOMB)
    yield Specimen("canvas.gif", gif((65_535, 65_535), (1, 1)), BOMB)
    yield Specimen("frame.gif", gif((1, 1), (65_535, 65_535)), BOMB)
    yield Specimen("both.gif", gif((65_535, 65_535), (65_535, 65_535)), BOMB)
    for side in (7_100, 65_536, 2**31, 2**32 - 1):
        yield Specimen(f"header{side}.tif", grey_tiff(side, side, b"\x00" * 64, 1), BOMB)
        yield Specimen(f"lzw{side}.tif", grey_tiff(side, side, b"\x80\x00" * 32, 5), BOMB)
    small = encoded(Image.new("RGB", (40, 30)), "WEBP", lossless=True)
    yield Specimen("canvas.webp", webp_canvas(16_384, 16_384, small), BOMB)
    yield Specimen("16383.webp", _webp_16383(), BOMB)
    yield Specimen("header.bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 40_000,
                   -40_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(40), BOMB)  # fmt: skip
    yield Specimen("header.ppm", b"P6 100000 100000 255\n" + bytes(100), BOMB)
    yield Specimen("header.pbm", b"P4 29999 29999\n" + bytes(100), BOMB)
    jpeg = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    yield Specimen("header.jpg", bytes(jpeg), BOMB)
    for side in (4_473, 30_001, 2**31):
        yield Specimen(f"header{side}.avif", avif_sized(side, side), BOMB)


def _webp_16383() -> bytes:
    """VP8L of the greatest size it can say, with hardly a pixel in it."""
    bits = struct.pack("<BI", 0x2F, 16_382 | 16_382 << 14) + bytes(30)
    body = b"WEBPVP8L" + struct.pack("<I", len(bits)) + bits + b"\x00" * (len(bits) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def costly() -> Iterator[Specimen]:
    """Pixels that are really there, few pixels and much else."""
    packed = zeros(20_000 * 20_001)
    idat = chunk(b"IDAT", packed)
    yield Specimen("400-megapixels.png", png(20_000, 20_000, idat, colour=0), BOMB)
    yield Specimen("400-megapixels.tif", grey_tiff(20_000, 20_000, packed), BOMB)
    pixel = chunk(b"IDAT", zlib.compress(b"\x00\x00\x00\x00"))
    text = chunk(b"zTXt", b"Comment\x00\x00" + zeros(1 << 30))
    yield Specimen("text-1gb.png", png(1, 1, text, pixel))
    text = chunk(b"zTXt", b"Comment\x00\x00" + zeros(900_000))
    yield Specimen("text-900-times.png", png(1, 1, text * 900, pixel))
    yield Specimen("text-20mb.png", png(1, 1, chunk(b"tEXt", b"a\x00" + b"x" * 20_000_000), pixel))
    profile = chunk(b"iCCP", b"p\x00\x00" + zeros(1 << 29))
    yield Specimen("profile-512mb.png", png(1, 1, profile, pixel))
    yield Specimen("pixels-1gb.png", png(1, 1, chunk(b"IDAT", zeros(1 << 30))))
    yield Specimen("chunks.png", png(1, 1, chunk(b"abCd", b"") * 1_000_000, pixel))
    yield Specimen("frames.gif", gif((40, 30), (40, 30), 1_000_000))
    loop = grey_tiff(40, 30, zeros(1200), following=8)
    yield Specimen("loop.tif", loop, WHOLE, (40, 30))
    pages = grey_tiff(40, 30, zeros(1200))
    yield Specimen("count.tif", pages.replace(struct.pack("<HHI", 273, 4, 1),
                   struct.pack("<HHI", 273, 4, 2**28)))  # fmt: skip
    black = Image.new("RGB", FULL)
    yield Specimen("scans300.jpg", scans(black, 300), BOMB)
    yield Specimen("scans-small.jpg", scans(Image.new("RGB", (800, 600)), 900), WHOLE, (800, 600))
    yield Specimen("scans-few.jpg", scans(black, 5), WHOLE, FULL)
    yield Specimen("plain.ppm", b"P3 500 500 255\n" + b"1 " * 750_000, WHOLE, (500, 500))
    yield Specimen("plain-24mb.ppm", b"P3 2000 2000 255\n" + b"1 " * 12_000_000, BOMB)
    yield Specimen("token.ppm", b"P3 " + b"9" * 20_000_000)
    yield Specimen("comment.ppm", b"P6 #" + b"x" * 20_000_000)
    for magic in (b"\xff\xd8", b"GIF89a\x01\x00\x01\x00\x00\x00\x00"):
        yield Specimen(f"long{len(magic)}.jpg", magic + b"\xff" * 29_000_000, ANY)
        yield Specimen(f"comments{len(magic)}.jpg", magic + b"\xff\xfe\x00\x02" * 7_000_000, ANY)
        yield Specimen(f"extensions{len(magic)}.gif", magic + b"\x21\xfe\x00" * 9_000_000, ANY)


def largest(rng: np.random.Generator) -> Iterator[Specimen]:
    """Just what is allowed, in the modes that cost most."""
    coarse = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    rgb = coarse.resize(FULL, Image.Resampling.NEAREST)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = FULL[::-1]
    yield Specimen("full.jpg", encoded(rgb, "JPEG"), WHOLE, FULL)
    yield Specimen("full-turned.jpg", encoded(rgb, "JPEG", exif=exif), WHOLE, turned)
    yield Specimen("full-progressive.jpg", encoded(rgb, "JPEG", progressive=True), WHOLE, FULL)
    yield Specimen("full-cmyk.jpg", encoded(rgb.convert("CMYK"), "JPEG"), WHOLE, FULL)
    fast = {"compress_level": 1}
    yield Specimen("full.png", encoded(rgb, "PNG", **fast), WHOLE, FULL)
    yield Specimen("full-rgba.png", encoded(rgb.convert("RGBA"), "PNG", **fast), WHOLE, FULL)
    yield Specimen("full-key.png", encoded(rgb, "PNG", transparency=(0, 0, 0), **fast), WHOLE, FULL)
    few = coarse.quantize(25).resize(FULL, Image.Resampling.NEAREST)
    yield Specimen("full-palette.png", encoded(few, "PNG", transparency=0, **fast), WHOLE, FULL)
    yield Specimen("full.gif", encoded(few, "GIF"), WHOLE, FULL)
    deep = chunk(b"IDAT", zeros((FULL[0] * 2 + 1) * FULL[1]))
    yield Specimen("full-deep.png", png(*FULL, deep, depth=16, colour=0), WHOLE, FULL)
    yield Specimen("full-deep-rgb.png", png(*FULL, chunk(b"IDAT", zeros((FULL[0] * 6 + 1)
                   * FULL[1])), depth=16, colour=2), WHOLE, FULL)  # fmt: skip
    yield Specimen("full.tif", encoded(rgb, "TIFF", compression="tiff_deflate"), WHOLE, FULL)
    yield Specimen("full-turned.tif", encoded(rgb, "TIFF", compression="tiff_deflate", exif=exif),
                   WHOLE, turned)  # fmt: skip
    copied = rgb.resize(FULL_COPIED)
    yield Specimen("full.webp", encoded(copied, "WEBP", method=0), WHOLE, FULL_COPIED)
    yield Specimen("full.avif", encoded(copied, "AVIF", speed=10), WHOLE, FULL_COPIED)


def bombs(seed: int) -> Iterator[Specimen]:
    """All of the above, some 80 files."""
    yield from huge()
    yield from costly()
    yield from largest(np.random.default_rng(seed))
