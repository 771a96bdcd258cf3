"""The one way an image enters: bytes of any kind to a plain RGB array.

Catalogue pictures and uploads take the same path, so that what is measured in the
notebooks is what the demo does. The header is read and judged before a pixel is
decoded; whatever is wrong becomes an :class:`ImageReadError` with the cure in it.
"""

from __future__ import annotations

import io
import os
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fashify.errors import ConfigError, ImageReadError

#: Formats that Pillow decodes in-process; no PostScript, no external program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")

#: File endings worth trying when a plain folder is listed.
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .gif .bmp .dib .tif .tiff .ppm .pgm .mpo .avif".split()
)

WHITE = (255, 255, 255)


@dataclass(frozen=True)
class ImageLimits:
    """What is refused before decoding.

    Attributes:
        max_bytes: size of the encoded file, bytes.
        max_pixels: width x height of one frame, pixels.
        max_side: the longer side, pixels.
    """

    max_bytes: int = 30_000_000
    max_pixels: int = 50_000_000
    max_side: int = 30_000


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


def image_size(data: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> tuple[int, int, str]:
    """Height and width in pixels and Pillow's mode, from the header alone.

    Raises:
        ImageReadError: not an image, or over a limit.
    """
    with _open(data, limits, "bytes") as image:
        return image.height, image.width, image.mode


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


def _read(source: str | Path | bytes | BinaryIO, limits: ImageLimits) -> tuple[bytes, str]:
    """The encoded bytes and a name for messages; never more than the limit in memory."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        data, name = bytes(source), "the bytes"
    elif isinstance(source, (str, Path)):
        data, name = _read_path(Path(source), limits), Path(source).name
    elif hasattr(source, "read"):
        data, name = source.read(limits.max_bytes + 1), "the file"
    else:
        raise ImageReadError(
            "a path, bytes, a binary file, a Pillow image or an array",
            type(source).__name__,
            "pass the picture in one of these forms",
        )
    if len(data) > limits.max_bytes:
        raise _too_large(name, f"more than {limits.max_bytes:,} bytes", limits)
    if not data:
        raise ImageReadError("an image file", f"{name}, which is empty", "save the picture again")
    return data, name


def _read_path(path: Path, limits: ImageLimits) -> bytes:
    try:
        if not path.is_file():
            raise ImageReadError("an image file", f"no file at {path}", "check the path")
        size = os.path.getsize(path)
        if size > limits.max_bytes:
            raise _too_large(path.name, f"{size:,} bytes", limits)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, ImageReadError):
            raise
        raise ImageReadError("a readable image file", f"{path}: {error}", "check it") from error


def _too_large(name: str, size: str, limits: ImageLimits) -> ImageReadError:
    return ImageReadError(
        f"an image of at most {limits.max_bytes:,} bytes, {limits.max_pixels:,} pixels "
        f"and {limits.max_side:,} pixels a side",
        f"{name} with {size}",
        "make the picture smaller and try again",
    )


def _open(data: bytes, limits: ImageLimits, name: str) -> Image.Image:
    """Reads the header only and refuses what is no image or too large."""
    try:
        image = Image.open(io.BytesIO(data), formats=_formats())
    except Image.DecompressionBombError as error:
        raise _too_large(name, "far more pixels", limits) from error
    except UnidentifiedImageError as error:
        raise ImageReadError(
            f"an image ({', '.join(FORMATS)})",
            f"{name}, which is not one",
            "save the picture as JPEG or PNG",
        ) from error
    except Exception as error:  # Pillow's plugins raise many kinds on hostile headers.
        raise _damaged(name, error) from error
    _check_size(image, limits, name)
    return image


@cache
def _formats() -> tuple[str, ...]:
    """Of our formats those this Pillow was built with; it fails on a name it lacks."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _check_size(image: Image.Image, limits: ImageLimits, name: str) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise _damaged(name, ValueError(f"size {width} x {height}"))
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise _too_large(name, f"{width:,} x {height:,} pixels", limits)


def _damaged(name: str, error: BaseException) -> ImageReadError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return ImageReadError(
        "a whole image", f"{name}, which is damaged ({reason})", "save the picture again"
    )


def _decode_bytes(data: bytes, limits: ImageLimits, name: str) -> np.ndarray:
    with _open(data, limits, name) as image:
        if image.format == "JPEG" and image.mode == "RGB" and not image.info.get("exif"):
            # The common case, and the hot path of extraction: nothing to convert.
            try:
                return np.array(image)
            except Exception as error:
                raise _damaged(name, error) from error
        return _decode(image, limits, name)


def _decode(image: Image.Image, limits: ImageLimits, name: str) -> np.ndarray:
    _check_size(image, limits, name)
    try:
        if getattr(image, "n_frames", 1) > 1:
            image.seek(0)
        image = _oriented(image)
        return np.array(_to_rgb(image))
    except Exception as error:
        raise _damaged(name, error) from error


def _oriented(image: Image.Image) -> Image.Image:
    """Turned as EXIF says; a broken EXIF block is no reason to lose the picture."""
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = _sixteen_to_eight(image)
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (*WHITE, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _sixteen_to_eight(image: Image.Image) -> Image.Image:
    """Pillow clips deep greys at 255 when converting; scale them instead."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0.0, neginf=0.0)
    top = float(values.max(initial=0.0))
    full = 1.0 if top <= 1.0 and image.mode == "F" else 255.0 if top <= 255 else 65535.0
    scaled = np.clip(values / full * 255.0, 0, 255).round().astype(np.uint8)
    return Image.fromarray(scaled)


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
