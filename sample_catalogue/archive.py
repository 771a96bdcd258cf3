"""What is drawn, as the zip archives that the package ships."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .backdrops import BACKDROPS
from .writer import encode_picture, write_photo_queries, write_sample

#: Height and width in pixels of a shipped backdrop.
BACKDROP_SIZE = (480, 360)

#: JPEG quality of a shipped backdrop.
BACKDROP_QUALITY = 95

_BACKDROP_SEED = 7

#: The oldest date that a zip can hold: the same drawing gives the same bytes on any day.
_DATE = (1980, 1, 1, 0, 0, 0)


def write_catalogue(path: Path, *, n: int = 600, seed: int = 0) -> Path:
    """Draws the sample into a zip: styles.csv, images/<id>.jpg, and queries/ with its photos.

    Raises:
        ConfigError: n or seed out of range.
        StorageError: no room for the drawing.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = write_sample(Path(folder) / "sample", n=n, seed=seed)
        write_photo_queries(home / "queries", seed=seed)
        files = sorted(file for file in home.rglob("*") if file.is_file())
        members = ((file.relative_to(home).as_posix(), file.read_bytes()) for file in files)
        return _write_zip(path, members)


def write_backdrops(path: Path) -> Path:
    """Draws one picture of every backdrop into a zip, ``<name>.jpg``."""
    members = (
        (f"{name}.jpg", encode_picture(backdrop(name), BACKDROP_QUALITY))
        for name in sorted(BACKDROPS)
    )
    return _write_zip(path, members)


def backdrop(name: str) -> np.ndarray:
    """The shipped drawing of a backdrop, (480, 360, 3) uint8 RGB."""
    scene = BACKDROPS[name](np.random.default_rng(_BACKDROP_SEED), BACKDROP_SIZE)
    return (np.clip(scene, 0, 1) * 255).astype(np.uint8)


def _write_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, _DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, data, compresslevel=9)
    return path
