"""The one way an image enters: bytes of any kind to a plain RGB array.

Catalogue pictures and uploads take the same path, so that what is measured in the
notebooks is what the demo does. The header is read and judged before a pixel is
decoded; whatever is wrong becomes an :class:`ImageReadError` with the cure in it.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import warnings
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fashify.errors import ConfigError, ImageReadError
from fashify.io.jxl import jxl_size
from fashify.io.pixels import STRIP_PIXELS, WHITE, upright_rgb
from fashify.io.profiles import has_foreign_profile

logger = logging.getLogger(__name__)

#: Formats that Pillow and its plug-ins decode in-process; no PostScript, no external program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "HEIF", "JXL")

_FILMS = ("GIF", "WEBP", "PNG", "AVIF")

#: Other files often taken for pictures, by their first bytes, so that the error names them.
_OTHERS = {
    b"....ftyp(heic|heix|hevc|mif1|msf1)": "a damaged HEIC picture",
    rb"\x00\x00\x00\x0cJXL |\xff\x0a": "a damaged JPEG XL picture",
    rb"....ftyp(isom|mp4|qt  |M4V|3gp)": "a film",
    rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg": "an SVG drawing",
    b"%!PS|\xc5\xd0\xd3\xc6": "a PostScript file",
    b"%PDF": "a PDF file",
}

#: File endings worth trying when a plain folder is listed.
SUFFIXES = frozenset(
    (
        ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .dib .tif .tiff .ppm .pgm .mpo .avif "
        ".heic .heif .hif .jxl"
    ).split()
)

#: First bytes of the pictures we read, to know one whose ending says nothing.
_SIGNATURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|BM....\x00\x00\x00\x00|II\*\x00|MM\x00\*"
    rb"|....ftyp(avi[fs]|hei[cxms]|hev[cm]|mif1|msf1)|\xff\x0a|\x00\x00\x00\x0cJXL ",
    re.DOTALL,
)

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


def load_image(
    source: str | Path | bytes | BinaryIO | Image.Image | np.ndarray,
    *,
    limits: ImageLimits = DEFAULT_LIMITS,
) -> np.ndarray:
    """Reads one picture of any size and mode.

    Grey, CMYK, palette and 16-bit pictures become RGB; transparency is laid on white;
    the EXIF orientation is applied; of an animation the first frame is taken.

    Args:
        source: a path, encoded bytes, a binary file, a Pillow image or an array
            ``(h, w)``, ``(h, w, 1 | 3 | 4)`` of uint8.
        limits: what to refuse before decoding.

    Returns:
        ``(height, width, 3)`` uint8 RGB, contiguous, owned by the caller.

    Raises:
        ImageReadError: missing file, not an image, truncated, or over a limit.

    >>> import numpy as np
    >>> from fashify import load_image
    >>> load_image(np.zeros((4, 3), np.uint8)).shape
    (4, 3, 3)
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, limits)
    if isinstance(source, Image.Image):
        return _decode(source, limits, "a Pillow image")
    data, name = _read(source, limits)
    with warnings.catch_warnings():
        # Pillow's own bomb warning comes at half our limit and would be noise.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        return _decode_bytes(data, limits, name)


def is_picture(head: bytes) -> bool:
    """Whether a file's first 32 bytes are those of a picture, whatever its name.

    >>> is_picture(b"\\xff\\xd8\\xff\\xe0" + bytes(28)), is_picture(b"id,title")
    (True, False)
    """
    return _SIGNATURES.match(head) is not None


def image_size(data: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> tuple[int, int, str]:
    """Height and width in pixels and Pillow's mode, from the header alone.

    Raises:
        ImageReadError: not an image, or over a limit.
    """
    with _open(data, limits, "bytes") as image:
        return image.height, image.width, image.mode


class ImageFacts(NamedTuple):
    """What a picture's file is.

    Attributes:
        width, height: pixels as stored; 0 where the header cannot be read.
        mode: Pillow's, "unreadable" where the header cannot be read.
        format: Pillow's name of it, "" where the header cannot be read.
        bytes: size of the file.
        sha256: hex checksum of the file.
    """

    width: int
    height: int
    mode: str
    format: str
    bytes: int
    sha256: str


def read_facts(data: bytes) -> ImageFacts:
    """A file's facts, from its header alone; of no picture, too."""
    checksum = hashlib.sha256(data).hexdigest()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                found = (*image.size, image.mode, image.format or "")
    except Exception:  # Pillow's plugins raise many kinds on hostile headers.
        found = (0, 0, "unreadable", "")
    return ImageFacts(*found, len(data), checksum)


def is_animated(source: Path | bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> bool:
    """Whether a file holds a film of which ``load_image`` takes the first frame alone.

    Raises:
        ImageReadError: not an image, or over a limit.
    """
    data, name = _read(source, limits)
    with _open(data, limits, name) as image:
        try:
            # A phone's JPEG may carry a second view of the same moment, a TIFF its further pages.
            return image.format in _FILMS and bool(getattr(image, "is_animated", False))
        except Exception:  # The first frame may be whole and what follows it broken.
            return False


def resize(image: np.ndarray, size: tuple[int, int], *, fit: str = "stretch") -> np.ndarray:
    """Resizes with antialiased bicubic interpolation.

    Args:
        image: ``(h, w, 3)`` uint8 RGB.
        size: ``(height, width)`` in pixels.
        fit: ``stretch`` fills the frame; ``letterbox`` keeps the proportions on white.

    Returns:
        ``(height, width, 3)`` uint8.

    Raises:
        ConfigError: an unknown fit or an empty size.
    """
    height, width = size
    if min(height, width) < 1:
        raise ConfigError("a size of at least 1 x 1", f"{height} x {width}", "give a larger size")
    if fit not in ("stretch", "letterbox"):
        raise ConfigError("fit 'stretch' or 'letterbox'", f"{fit!r}", "use one of the two")
    picture = Image.fromarray(image)
    if fit == "letterbox":
        picture = ImageOps.pad(picture, (width, height), Image.Resampling.BICUBIC, WHITE)
    elif picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BICUBIC)
    return np.array(picture)


def thumbnail(image: np.ndarray, max_side: int) -> np.ndarray:
    """The picture with its longer side at most ``max_side`` pixels; never enlarged."""
    picture = Image.fromarray(image)
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return np.array(picture)


def encode_jpeg(image: np.ndarray, quality: int = 88) -> bytes:
    """``(h, w, 3)`` uint8 to JPEG bytes, quality 1 to 95."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_webp(image: np.ndarray, quality: int = 75) -> bytes:
    """``(h, w, 3)`` uint8 to WebP bytes, half of what JPEG needs for small pictures on pages."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=quality)
    return buffer.getvalue()


def _read(source: str | Path | bytes | BinaryIO, limits: ImageLimits) -> tuple[bytes, str]:
    """The encoded bytes and a name for messages; never more than the limit in memory."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), "the bytes"
    elif isinstance(source, (str, Path)):
        path = Path(source).expanduser()
        data, name = _read_path(path, limits), path.name
    elif hasattr(source, "read"):
        data, name = source.read(limits.max_bytes + 1), "the file"
    else:
        raise ImageReadError(
            "a path, bytes, a binary file, a Pillow image or an array",
            type(source).__name__,
            "pass the picture in one of these forms",
        )
    if len(data) > limits.max_bytes:
        raise _size_error(name, f"more than {limits.max_bytes:,} bytes", limits)
    if not data:
        raise ImageReadError("an image file", f"{name}, which is empty", "save the picture again")
    return data, name


def _read_path(path: Path, limits: ImageLimits) -> bytes:
    try:
        if not path.is_file():
            raise ImageReadError("an image file", f"no file at {path}", "check the path")
        size = os.path.getsize(path)
        if size > limits.max_bytes:
            raise _size_error(path.name, f"{size:,} bytes", limits)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ImageReadError):
            raise
        raise ImageReadError("a readable image file", f"{path}: {error}", "check it") from error


def _size_error(name: str, size: str, limits: ImageLimits) -> ImageReadError:
    return ImageReadError(
        f"an image of at most {limits.max_bytes:,} bytes, {limits.max_pixels:,} pixels "
        f"and {limits.max_side:,} pixels a side",
        f"{name} with {size}",
        "make the picture smaller and try again",
    )


def _open(data: bytes, limits: ImageLimits, name: str) -> Image.Image:
    """Reads the header only and refuses what is no image or too large."""
    # Pillow's plug-in for JPEG XL decodes as it opens: too late to refuse a size.
    announced = jxl_size(data)
    if announced is not None:
        _check_announced(announced, limits, name)
    try:
        image = Image.open(_file(data), formats=_formats())
    except Image.DecompressionBombError as error:
        raise _size_error(name, "far more pixels", limits) from error
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
        raise _size_error(name, received, replace(limits, max_pixels=most))


def _check_size(image: Image.Image, limits: ImageLimits, name: str) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise _damage_error(name, ValueError(f"size {width} x {height}"))
    copied = image.format in COPIED
    most = min(limits.max_pixels, limits.max_pixels_copied) if copied else limits.max_pixels
    if width * height > most or max(width, height) > limits.max_side:
        kind = f" of {image.format}" if copied else ""
        received = f"{width:,} x {height:,} pixels{kind}"
        raise _size_error(name, received, replace(limits, max_pixels=most))


def _check_effort(image: Image.Image, data: bytes, limits: ImageLimits, name: str) -> None:
    """Refuses what is quick to send and slow to decode: scans of a JPEG, numbers in plain text.

    A progressive JPEG may go over all its pixels again for every few bytes; Pillow reads the
    plain kinds of PPM number by number in Python.
    """
    if image.format == "PPM" and data[1:2] in b"123" and len(data) > limits.max_plain_bytes:
        raise _size_error(name, f"{len(data):,} bytes of plain text", limits)
    # Within a scan every FF is followed by 00: the marker stands for itself.
    scans = data.count(b"\xff\xda") if image.format in ("JPEG", "MPO") else 0
    most = limits.max_scans * limits.max_pixels
    if scans > limits.max_scans and scans * image.width * image.height > most:
        raise _size_error(name, f"{scans:,} scans of {image.width:,} x {image.height:,}", limits)


def _damage_error(name: str, error: BaseException) -> ImageReadError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return ImageReadError(
        "a whole image", f"{name}, which is damaged ({reason})", "save the picture again"
    )


def _decode_bytes(data: bytes, limits: ImageLimits, name: str) -> np.ndarray:
    with _open(data, limits, name) as image:
        _check_effort(image, data, limits, name)
        plain = image.format == "JPEG" and image.mode == "RGB" and not image.info.get("exif")
        small = image.width * image.height <= STRIP_PIXELS
        if small and plain and not has_foreign_profile(image):
            # The common case, and the hot path of extraction: nothing to convert.
            try:
                return np.array(image)
            except Exception as error:
                raise _damage_error(name, error) from error
        return _decode(image, limits, name)


def _decode(image: Image.Image, limits: ImageLimits, name: str) -> np.ndarray:
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


def _from_array(array: Any, limits: ImageLimits) -> np.ndarray:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ImageReadError(
            "an array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4) of uint8",
            f"shape {array.shape} of {array.dtype}",
            "scale it to 0..255 and convert it to uint8",
        )
    if array.size == 0:
        raise ImageReadError("at least one pixel", f"shape {array.shape}", "pass a picture")
    if array.ndim == 3 and channels == 1:
        array = array[:, :, 0]
    return _decode(Image.fromarray(array), limits, "the array")
