"""The one way an image enters: bytes of any kind to a plain RGB array.

Catalogue pictures and uploads take the same path, so that what is measured in the
notebooks is what the demo does. The header is read and judged before a pixel is
decoded; whatever is wrong becomes an :class:`ImageReadError` with the cure in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import warnings
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from fashify.errors import ConfigError, ImageReadError
from fashify.io.decoding import (
    DEFAULT_LIMITS,
    ImageLimits,
    decode_bytes,
    decode_image,
    open_image,
    size_error,
)
from fashify.io.pixels import WHITE

_FILMS = ("GIF", "WEBP", "PNG", "AVIF")

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
        return decode_image(source, limits, "a Pillow image")
    data, name = _read(source, limits)
    with warnings.catch_warnings():
        # Pillow's own bomb warning comes at half our limit and would be noise.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        return decode_bytes(data, limits, name)


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
    with open_image(data, limits, "bytes") as image:
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
    with open_image(data, limits, name) as image:
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
        raise size_error(name, f"more than {limits.max_bytes:,} bytes", limits)
    if not data:
        raise ImageReadError("an image file", f"{name}, which is empty", "save the picture again")
    return data, name


def _read_path(path: Path, limits: ImageLimits) -> bytes:
    try:
        if not path.is_file():
            raise ImageReadError("an image file", f"no file at {path}", "check the path")
        size = os.path.getsize(path)
        if size > limits.max_bytes:
            raise size_error(path.name, f"{size:,} bytes", limits)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ImageReadError):
            raise
        raise ImageReadError("a readable image file", f"{path}: {error}", "check it") from error


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
    return decode_image(Image.fromarray(array), limits, "the array")
