"""Uploads: one guarded way from the browser's file to pixels, nothing kept on disk."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fashify.errors import FashifyError, ImageReadError
from fashify.io.images import ImageLimits, is_animated, load_image, thumbnail

try:
    import fcntl
except ImportError:  # Windows.
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

#: How the names of folders for uploads begin.
PREFIX = "fashify-uploads-"

#: A photo is kept in memory at this many pixels on its longer side: networks look at
#: a few hundred, and a session should not hold a camera's fifty million.
WORKING_SIDE = 1024

#: Largest upload the server takes, in bytes.
MAX_UPLOAD_BYTES = 25_000_000
UPLOAD_LIMITS = ImageLimits(max_bytes=MAX_UPLOAD_BYTES)


#: A picture whose colours stray less from their mean, of 255, shows nothing.
EVEN = 3.0


def upload_folder() -> Path:
    """The only folder a visitor's file may come from; see :func:`make_own_folder`."""
    configured = os.environ.get("GRADIO_TEMP_DIR")
    return Path(configured or Path(tempfile.gettempdir()) / "gradio").resolve()


@contextmanager
def make_own_folder() -> Iterator[Path]:
    """Inside, uploads lie in a private folder of this process alone; none is left afterwards.

    Gradio names an upload by its bytes: in one folder, two demos given the same photo would
    delete it for each other. The folder is made below ``GRADIO_TEMP_DIR`` if that is set. It
    stays locked while its process lives, so that what a killed one left is recognised and cleared.
    Two visitors of this demo with one photo are kept separate by a salt.
    """
    parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()).resolve()
    parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(parent)
    folder, lock = _make_locked_folder(parent)
    try:
        with _point_gradio_to(folder), _salt_uploads():
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _make_locked_folder(parent: Path) -> tuple[Path, int | None]:
    """A new private folder and its lock, None on a system without locks."""
    for _ in range(3):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = _lock(folder)
        if lock is not None:
            return folder, lock
        # Or another start took it for a leftover, just before it was locked.
        shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)), None


def _lock(folder: Path) -> int | None:
    """A descriptor that holds this user's ``folder``; None where a living process holds it."""
    if fcntl is None:
        return None
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = os.fstat(lock)
        if held.st_uid == os.getuid() and os.path.samestat(held, os.stat(folder)):
            return lock
    except OSError:
        logger.debug("%s cannot be locked", folder, exc_info=True)
    os.close(lock)
    return None


def _clear_leftovers(parent: Path) -> None:
    """Deletes what dead processes of this user left; nothing where locks do not tell."""
    for folder in parent.glob(f"{PREFIX}*"):
        lock = _lock(folder)
        if lock is not None:
            logger.info("clearing %s, whose process is gone", folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


@contextmanager
def _point_gradio_to(folder: Path) -> Iterator[None]:
    """Gradio's uploads go to ``folder``; of its modules one read the setting long ago."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    tools: Any = sys.modules.get("gradio.mcp")
    tools_before = getattr(tools, "DEFAULT_TEMP_DIR", None)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    if tools_before is not None:
        tools.DEFAULT_TEMP_DIR = str(folder)
    try:
        yield
    finally:
        if tools_before is not None:
            tools.DEFAULT_TEMP_DIR = tools_before
        if before is None:
            del os.environ["GRADIO_TEMP_DIR"]
        else:
            os.environ["GRADIO_TEMP_DIR"] = before


@contextmanager
def _salt_uploads() -> Iterator[None]:
    """Gradio hashes a salt with each upload, so that no two are one file."""
    from gradio import route_utils
    from gradio.route_utils import GradioUploadFile

    class Salted(GradioUploadFile):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.sha.update(secrets.token_bytes(16))

    module: Any = route_utils
    module.GradioUploadFile = Salted
    try:
        yield
    finally:
        module.GradioUploadFile = GradioUploadFile


def read_upload(path: str | Path, *, working_side: int | None = WORKING_SIDE) -> np.ndarray:
    """Decode an uploaded file and delete it, whatever comes of it.

    Args:
        path: as for :func:`open_upload`.
        working_side: most pixels of the longer side; None keeps them all.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ImageReadError: another folder, no such file, or bytes that are no picture.
    """
    with open_upload(path) as file:
        return read_picture(file, working_side=working_side)


@contextmanager
def open_upload(path: str | Path) -> Iterator[Path]:
    """An uploaded file for as long as it is needed; deleted afterwards.

    Args:
        path: where the web server put the file; the browser names it, so it is checked
            to lie in :func:`upload_folder`.

    Raises:
        ImageReadError: another folder, or no such file.
    """
    file = Path(str(path)).resolve()
    if not file.is_relative_to(upload_folder()) or not file.is_file():
        raise ImageReadError(
            "a file uploaded on this page", "a path that is none", "choose the photo again"
        )
    try:
        yield file
    finally:
        _forget(file)


def read_picture(source: Path | bytes, *, working_side: int | None = WORKING_SIDE) -> np.ndarray:
    """Decode a visitor's picture within the limits; arguments and errors as ``read_upload``."""
    picture = load_image(source, limits=UPLOAD_LIMITS)
    return picture if working_side is None else thumbnail(picture, working_side)


def describe_preparation(source: Path | bytes, picture: np.ndarray) -> str:
    """What a visitor should know of a whole picture that answers little, "" for any other.

    Args:
        source: the encoded picture.
        picture: the same decoded, (height, width, 3) uint8.
    """
    if picture[::4, ::4].std(axis=(0, 1)).max() < EVEN:
        return (
            "This picture is of one even colour, so there is nothing on it to look for. "
            "Try a photo that shows the product."
        )
    if is_animated(source, limits=UPLOAD_LIMITS):
        return "This is an animation. Its first picture was searched with."
    return ""


def _forget(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
        file.parent.rmdir()
    except OSError:
        logger.debug("left %s behind", file.parent, exc_info=True)


async def check_uploaded(path: str | Path | None) -> str | None:
    """Stands for Gradio's own way of a file into a component, which fetches addresses too.

    What comes here lies in the upload folder already, unless it is an address.

    Raises:
        ImageReadError: an address; only the page's own field may name one, where switched on.
    """
    if path is not None and str(path).lower().startswith(("http:", "https:")):
        raise ImageReadError("an uploaded file", "an address", "send the file itself")
    return None if path is None else str(path)


def format_error(error: FashifyError) -> str:
    """An error as a sentence for a visitor: what was needed, what came, what to do."""
    cure = error.fix[:1].upper() + error.fix[1:]
    return f"We need {error.expected} and were given {error.received}. {cure}."
