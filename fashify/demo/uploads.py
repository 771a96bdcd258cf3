"""Uploads: one guarded way from the browser's file to pixels, nothing kept on disk."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import numpy as np

from fashify.errors import FashifyError, ImageReadError
from fashify.images import ImageLimits, load_image, thumbnail

logger = logging.getLogger(__name__)

#: A photo is kept in memory at this many pixels on its longer side: networks look at
#: a few hundred, and a session should not hold a camera's fifty million.
WORKING_SIDE = 1024

#: Largest upload the server takes, in bytes.
MAX_UPLOAD_BYTES = 25_000_000
UPLOAD_LIMITS = ImageLimits(max_bytes=MAX_UPLOAD_BYTES)


def upload_folder() -> Path:
    """The only folder a visitor's file may come from; private to this process's user."""
    configured = os.environ.get("GRADIO_TEMP_DIR")
    return Path(configured or Path(tempfile.gettempdir()) / "gradio").resolve()


def read_upload(path: str | Path, *, working_side: int | None = WORKING_SIDE) -> np.ndarray:
    """Decode an uploaded file and delete it, whatever comes of it.

    Args:
        path: where the web server put the file; the browser names it, so it is checked
            to lie in :func:`upload_folder`.
        working_side: most pixels of the longer side; None keeps them all.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ImageReadError: another folder, no such file, or bytes that are no picture.
    """
    file = Path(str(path)).resolve()
    if not file.is_relative_to(upload_folder()) or not file.is_file():
        raise ImageReadError(
            "a file uploaded on this page", "a path that is none", "choose the photo again"
        )
    try:
        return read_picture(file, working_side=working_side)
    finally:
        _forget(file)


def read_picture(source: Path | bytes, *, working_side: int | None = WORKING_SIDE) -> np.ndarray:
    """Decode a visitor's picture within the limits; arguments and errors as ``read_upload``."""
    picture = load_image(source, limits=UPLOAD_LIMITS)
    return picture if working_side is None else thumbnail(picture, working_side)


def _forget(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
        file.parent.rmdir()
    except OSError:
        logger.debug("left %s behind", file.parent, exc_info=True)


async def uploaded_only(path: str | Path | None) -> str | None:
    """Stands for Gradio's own way of a file into a component, which fetches addresses too.

    What comes here lies in the upload folder already, unless it is an address.

    Raises:
        ImageReadError: an address; only the page's own field may name one, where switched on.
    """
    if path is not None and str(path).lower().startswith(("http:", "https:")):
        raise ImageReadError("an uploaded file", "an address", "send the file itself")
    return None if path is None else str(path)


def friendly(error: FashifyError) -> str:
    """An error as a sentence for a visitor: what was needed, what came, what to do."""
    cure = error.fix[:1].upper() + error.fix[1:]
    return f"We need {error.expected} and were given {error.received}. {cure}."
