"""Decodes a picture's bytes within limits: its header is judged before a pixel is decoded."""

from __future__ import annotations

import io
import logging
import re
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from PIL import Image, UnidentifiedImageError

from fashify.errors import ImageReadError
from fashify.io.jxl import jxl_size
from fashify.io.pixels import STRIP_PIXELS, upright_rgb
from fashify.io.profiles import has_foreign_profile

logger = logging.getLogger(__name__)

#: Formats that Pillow and its plug-ins decode in-process; no PostScript, no external program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "HEIF", "JXL")

#: Other files often taken for pictures, by their first bytes, so that the error names them.
_OTHERS = {
    b"....ftyp(heic|heix|hevc|mif1|msf1)": "a damaged HEIC picture",
    rb"\x00\x00\x00\x0cJXL |\xff\x0a": "a damaged JPEG XL picture",
    rb"....ftyp(isom|mp4|qt  |M4V|3gp)": "a film",
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg": "an SVG drawing",
    b"%!PS|\xc5\xd0\xd3\xc6": "a PostScript file",
    b"%PDF": "a PDF file",
}

#: Formats whose frame is not decoded once but copied from buffer to buffer.
COPIED = ("WEBP", "AVIF", "HEIF", "JXL")


@dataclass(frozen=True)
class ImageLimits:
    """What is refused before decoding.

    Attributes:
        max_bytes: size of the encoded file, bytes.
        max_pixels: width x height of one frame, pixels.
        max_pixels_copied: the same for WebP, AVIF, HEIC and JPEG XL, whose decoders hold the
            frame four times.
        max_side: the longer side, pixels.
        max_scans: of a JPEG that large; a smaller one may have more, as many times the pixels.
        max_plain_bytes: of a PPM, PGM or PBM whose numbers are written out.
    """

    max_bytes: int = 30_000_000
    max_pixels: int = 50_000_000
    max_pixels_copied: int = 20_000_000
    max_side: int = 30_000
    max_scans: int = 15
    max_plain_bytes: int = 2_000_000


DEFAULT_LIMITS = ImageLimits()


def size_error(name: str, size: str, limits: ImageLimits) -> ImageReadError:
    return ImageReadError(
        f"an image of at most {limits.max_bytes:,} bytes, {limits.max_pixels:,} pixels "
        f"and {limits.max_side:,} pixels a side",
        f"{name} with {size}",
        "make the picture smaller and try again",
    )


def open_image(data: bytes, limits: ImageLimits, name: str) -> Image.Image:
    """Reads the header only and refuses what is no image or too large."""
    # Pillow's plug-in for JPEG XL decodes as it opens: too late to refuse a size.
    announced = jxl_size(data)
    if announced is not None:
        _check_announced(announced, limits, name)
    try:
        image = Image.open(_file(data), formats=_formats())
    except Image.DecompressionBombError as error:
        raise size_error(name, "far more pixels", limits) from error
    except UnidentifiedImageError as error:
        raise ImageReadError(
            f"an image ({', '.join(FORMATS)})",
            f"{name}, which is {_describe_format(data)}",
            "save the picture as JPEG or PNG",
        ) from error
    except Exception as error:  # Pillow's plugins raise many kinds on hostile headers.
        raise _damage_error(name, error) from error
    _check_size(image, limits, name)
    return image


class _FewReads(io.BytesIO):
    """A file that can be read from so many times; each read is a turn of some loop in Python.

    Pillow walks through chunks, markers and comments one read after the other, and through
    millions of them if a file has as many. Pixels are read in large pieces.
    """

    left = 500_000

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise ValueError("made of far too many pieces")
        return super().read(size)


def _file(data: bytes) -> io.BytesIO:
    # A small file ends before it has cost anything, and most are small.
    return _FewReads(data) if len(data) > 200_000 else io.BytesIO(data)


def _describe_format(data: bytes) -> str:
    """Names the kind of a file that is no supported picture."""
    names = (name for start, name in _OTHERS.items() if re.match(start, data[:1000], re.DOTALL))
    return next(names, "not one")


@cache
def _formats() -> tuple[str, ...]:
    """Of our formats those this Pillow was built with; it fails on a name it lacks."""
    Image.init()
    for register in (_register_heif, _register_jxl):
        try:
            register()
        except ImportError:  # A platform without a wheel of it: such files are named then.
            logger.info("a picture format is missing: %s", register.__name__)
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)


def _register_jxl() -> None:
    import pillow_jxl  # noqa: F401  Importing registers it.


def _check_announced(size: tuple[int, int], limits: ImageLimits, name: str) -> None:
    width, height = size
    most = min(limits.max_pixels, limits.max_pixels_copied)
    if width * height > most or max(width, height) > limits.max_side:
        received = f"{width:,} x {height:,} pixels of JXL"
        raise size_error(name, received, replace(limits, max_pixels=most))


def _check_size(image: Image.Image, limits: ImageLimits, name: str) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise _damage_error(name, ValueError(f"size {width} x {height}"))
    copied = image.format in COPIED
    most = min(limits.max_pixels, limits.max_pixels_copied) if copied else limits.max_pixels
    if width * height > most or max(width, height) > limits.max_side:
        kind = f" of {image.format}" if copied else ""
        received = f"{width:,} x {height:,} pixels{kind}"
        raise size_error(name, received, replace(limits, max_pixels=most))


def _check_effort(image: Image.Image, data: bytes, limits: ImageLimits, name: str) -> None:
    """Refuses what is quick to send and slow to decode: scans of a JPEG, numbers in plain text.

    A progressive JPEG may go over all its pixels again for every few bytes; Pillow reads the
    plain kinds of PPM number by number in Python.
    """
    if image.format == "PPM" and data[1:2] in b"123" and len(data) > limits.max_plain_bytes:
        raise size_error(name, f"{len(data):,} bytes of plain text", limits)
    # Within a scan every FF is followed by 00: the marker stands for itself.
    scans = data.count(b"\xff\xda") if image.format in ("JPEG", "MPO") else 0
    most = limits.max_scans * limits.max_pixels
    if scans > limits.max_scans and scans * image.width * image.height > most:
        raise size_error(name, f"{scans:,} scans of {image.width:,} x {image.height:,}", limits)


def _damage_error(name: str, error: BaseException) -> ImageReadError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return ImageReadError(
        "a whole image", f"{name}, which is damaged ({reason})", "save the picture again"
    )


def decode_bytes(data: bytes, limits: ImageLimits, name: str) -> np.ndarray:
    with open_image(data, limits, name) as image:
        _check_effort(image, data, limits, name)
        plain = image.format == "JPEG" and image.mode == "RGB" and not image.info.get("exif")
        small = image.width * image.height <= STRIP_PIXELS
        if small and plain and not has_foreign_profile(image):
            # The common case, and the hot path of extraction: nothing to convert.
            try:
                return np.array(image)
            except Exception as error:
                raise _damage_error(name, error) from error
        return decode_image(image, limits, name)


def decode_image(image: Image.Image, limits: ImageLimits, name: str) -> np.ndarray:
    _check_size(image, limits, name)
    try:
        # Not n_frames, which reads an animation to its end.
        if image.tell():
            image.seek(0)
            _check_size(image, limits, name)
        image.load()
        return upright_rgb(image)
    except ImageReadError:
        raise
    except Exception as error:
        raise _damage_error(name, error) from error
