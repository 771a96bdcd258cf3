"""The one way in: every mode becomes RGB, everything else a named error."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from fashify.errors import ConfigError, ImageReadError
from fashify.io.images import (
    ImageLimits,
    encode_jpeg,
    is_animated,
    load_image,
    resize,
    thumbnail,
)

RED = (200, 30, 40)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(mode: str = "RGB", colour=RED, size=(6, 4)) -> Image.Image:
    return Image.new(mode, size, colour)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF", "PPM", "AVIF"])
def test_formats_become_rgb(kind):
    """Every format becomes RGB of the same colour."""
    image = load_image(encoded(plain(), kind))
    assert image.shape == (4, 6, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - RED).max() <= 12


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 90, (90, 90, 90)),
        ("1", 1, (255, 255, 255)),
        ("RGBA", (200, 30, 40, 255), RED),
        ("RGBA", (200, 30, 40, 0), (255, 255, 255)),
        ("LA", (0, 0), (255, 255, 255)),
        ("I;16", 0x8080, (128, 128, 128)),
    ],
)
def test_modes(mode, colour, expected):
    assert load_image(encoded(plain(mode, colour))).reshape(-1, 3).tolist() == [list(expected)] * 24


def test_cmyk_is_converted():
    image = load_image(encoded(plain().convert("CMYK"), "JPEG", quality=95))
    assert np.abs(image.astype(int) - RED).max() <= 12


def test_half_transparent_red_is_laid_on_white():
    assert load_image(encoded(plain("RGBA", (255, 0, 0, 128))))[0, 0].tolist() == [255, 127, 127]


def test_transparent_palette_on_white():
    """Palette with transparency is laid on white."""
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    loaded = load_image(encoded(image, "PNG", transparency=0))
    assert loaded[0].tolist() == [[255, 255, 255], [200, 100, 50]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    image = Image.new("RGB", (40, 20), "white")
    image.paste((255, 0, 0), (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = orientation
    loaded = load_image(encoded(image, "JPEG", exif=exif, quality=95))
    tall = orientation >= 5
    assert loaded.shape[:2] == ((40, 20) if tall else (20, 40))
    corner = {
        1: (0, 0),
        2: (0, 1),
        3: (1, 1),
        4: (1, 0),
        5: (0, 0),
        6: (0, 1),
        7: (1, 1),
        8: (1, 0),
    }
    top, left = corner[orientation]
    height, width = loaded.shape[:2]
    row, column = (2, height - 3)[top], (2, width - 3)[left]
    assert loaded[row, column, 0] > 200
    assert loaded[row, column, 1] < 80


def test_of_an_animation_the_first_frame_is_taken():
    frames = [plain(colour=RED), plain(colour=(0, 0, 255))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert np.abs(load_image(data).astype(int) - RED).max() <= 12


@pytest.mark.parametrize(("kind", "film"), [("GIF", True), ("WEBP", True), ("TIFF", False)])
def test_a_film_is_told_from_a_picture(kind, film, tmp_path):
    frames = [plain(colour=RED), plain(colour=(0, 0, 255))]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    (tmp_path / "film").write_bytes(data)
    assert is_animated(data) == is_animated(tmp_path / "film") == film
    assert not is_animated(encoded(frames[0], kind))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(400), "a damaged HEIC picture"),
        (b'<?xml version="1.0"?>\n<!-- drawn --><svg width="9"/>', "an SVG drawing"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript file"),
        (b"\xc5\xd0\xd3\xc6" + bytes(40), "a PostScript file"),
        (b"%PDF-1.7\n", "a PDF file"),
        (b"Dear shop, here is my <svg", "not one"),
    ],
)
def test_what_is_no_picture_is_called_by_its_name(data, kind):
    with pytest.raises(ImageReadError, match=f"which is {kind}"):
        load_image(data)


def test_sources_are_equivalent(tmp_path):
    """Paths files arrays and Pillow images are the same."""
    data = encoded(plain())
    (tmp_path / "a.png").write_bytes(data)
    expected = load_image(data)
    for source in (
        tmp_path / "a.png",
        str(tmp_path / "a.png"),
        io.BytesIO(data),
        plain(),
        expected.copy(),
    ):
        assert np.array_equal(load_image(source), expected)


def test_the_array_returned_is_the_callers_own():
    array = np.full((3, 3, 3), 7, np.uint8)
    load_image(array)[:] = 0
    assert array.min() == 7


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"hello, I am text",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        encoded(plain(size=(200, 200)), "JPEG")[:200],
        encoded(plain())[:40],
        np.zeros((3, 3, 3), np.float32),
        np.zeros((3, 3, 5), np.uint8),
        np.zeros((0, 3, 3), np.uint8),
        "no/such/file.jpg",
        42,
    ],
)
def test_what_is_no_image_gets_one_clear_line(source):
    with pytest.raises(ImageReadError, match=r"^Expected .* Received .* Fix: ") as caught:
        load_image(source)
    assert "\n" not in str(caught.value)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size it does not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(b"\x00" * 64)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


@pytest.mark.parametrize("size", [(30_000, 30_000), (30_001, 1), (1, 40_000)])
def test_pixel_limit_from_header(size):
    """Too many pixels are refused from the header."""
    with pytest.raises(ImageReadError, match="pixels"):
        load_image(png_header(*size))


def test_too_many_bytes_are_refused(tmp_path):
    limits = ImageLimits(max_bytes=100)
    (tmp_path / "big.png").write_bytes(b"x" * 101)
    for source in (b"x" * 101, tmp_path / "big.png", io.BytesIO(b"x" * 101)):
        with pytest.raises(ImageReadError, match="100 bytes"):
            load_image(source, limits=limits)


def test_resize_antialiased():
    """Resize is antialiased and has the size asked for."""
    checker = np.indices((64, 64)).sum(0) % 2 * np.uint8(255)
    image = np.repeat(checker[:, :, None], 3, axis=2).astype(np.uint8)
    small = resize(image, (8, 16))
    assert small.shape == (8, 16, 3)
    # Nearest neighbour would give pure black or white here; an average is grey.
    assert abs(int(small.mean()) - 127) < 4
    assert small[1:-1, 1:-1].std() < 10


def test_letterbox_keeps_the_proportions_on_white():
    image = np.zeros((10, 20, 3), np.uint8)
    boxed = resize(image, (40, 40), fit="letterbox")
    assert boxed[20, 20].tolist() == [0, 0, 0]
    assert boxed[2, 20].tolist() == [255, 255, 255]


@pytest.mark.parametrize(("size", "fit"), [((0, 5), "stretch"), ((5, 5), "magic")])
def test_resize_refuses_nonsense(size, fit):
    with pytest.raises(ConfigError):
        resize(np.zeros((4, 4, 3), np.uint8), size, fit=fit)


def test_thumbnail_never_enlarges():
    """Thumbnail never enlarges and JPEG round trips."""
    image = np.full((40, 20, 3), 99, np.uint8)
    assert thumbnail(image, 10).shape == (10, 5, 3)
    assert thumbnail(image, 100).shape == (40, 20, 3)
    assert np.abs(load_image(encode_jpeg(image)).astype(int) - 99).max() <= 2


MODES = ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "F"]


def noisy(mode: str, size=(50, 40)) -> Image.Image:
    rng = np.random.default_rng(4)
    width, height = size
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (height, width)).astype(np.uint16))
    if mode == "F":
        return Image.fromarray(rng.random((height, width)).astype(np.float32))
    image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    if mode in ("RGBA", "LA"):
        image.putalpha(image.convert("L"))
    return image.convert(mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("orientation", [1, 6, 7])
def test_a_picture_in_strips_is_that_picture(monkeypatch, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(noisy(mode), "TIFF", exif=exif)
    whole = load_image(data)
    monkeypatch.setattr("fashify.io.pixels.STRIP_PIXELS", 350)
    assert np.array_equal(load_image(data), whole)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_as_pillow_turns_them(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(noisy("RGB"), "PNG", exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        assert np.array_equal(load_image(data), np.array(ImageOps.exif_transpose(image)))


@pytest.mark.parametrize(("kind", "refused"), [("WEBP", True), ("AVIF", True), ("PNG", False)])
def test_copied_formats_have_lower_limit(kind, refused):
    """Formats whose frame is copied may have fewer pixels."""
    limits = ImageLimits(max_pixels=100, max_pixels_copied=20)
    data = encoded(plain(), kind)
    if not refused:
        assert load_image(data, limits=limits).shape == (4, 6, 3)
        return
    with pytest.raises(ImageReadError, match=rf"at most .* 20 pixels .* 6 x 4 pixels of {kind}"):
        load_image(data, limits=limits)


def test_jpeg_with_many_scans_refused():
    """A JPEG that goes over its pixels again and again is refused."""
    data = encoded(noisy("RGB", (64, 64)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    bomb = data[:last] + data[last:-2] * 40 + data[-2:]
    assert load_image(bomb).shape == (64, 64, 3)
    with pytest.raises(ImageReadError, match="scans of 64 x 64"):
        load_image(bomb, limits=ImageLimits(max_pixels=64 * 64))


def test_plain_text_pictures_limited():
    """Plain text pictures are read while they are small."""
    data = b"P3 2 1 255\n200 30 40 0 0 0\n"
    assert load_image(data)[0, 0].tolist() == list(RED)
    with pytest.raises(ImageReadError, match="bytes of plain text"):
        load_image(data, limits=ImageLimits(max_plain_bytes=10))


@pytest.mark.parametrize(
    "data",
    [
        png_header(1, 1)[:33]
        + (b"\x00\x00\x00\x00abCd" + struct.pack(">I", zlib.crc32(b"abCd"))) * 30_000,
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 60_000,
        b"P6 #" + b"x" * 300_000,
    ],
    ids=["chunks", "markers", "comment"],
)
def test_a_file_of_endless_pieces_is_given_up(monkeypatch, data):
    monkeypatch.setattr("fashify.io.decoding._FewReads.left", 5_000)
    with pytest.raises(ImageReadError, match="far too many pieces"):
        load_image(data)


def test_a_path_may_begin_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    Image.new("RGB", (4, 3), "red").save(tmp_path / "a.png")
    assert load_image("~/a.png").shape == (3, 4, 3)
