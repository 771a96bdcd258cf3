"""Data shipped with the package: the sample catalogue, its photos, and drawn backdrops.

All of it is drawn by the program in the repository's ``sample_catalogue/``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np

from fashify.io.images import load_image
from fashify.io.storage.local import ZipArchive

#: The sample: 600 products in Kaggle's layout and, in ``queries/``, eight photos of some of them.
SAMPLE = Path(__file__).with_name("sample.zip")

#: One picture of each backdrop of those photos.
BACKDROPS = Path(__file__).with_name("backdrops.zip")


def read_photos() -> dict[str, bytes]:
    """The sample's eight phone-like photos by file name: JPEG of 640 x 480 pixels.

    >>> list(read_photos())[:2]
    ['query-1-tshirts.jpg', 'query-2-shirts.jpg']
    """
    archive = ZipArchive(SAMPLE)
    names = (PurePosixPath(name) for name in archive.names())
    photos = (name for name in names if name.parent.name == "queries" and name.suffix == ".jpg")
    return {name.name: archive.read(str(name)) for name in photos}


@cache
def read_backdrops() -> dict[str, np.ndarray]:
    """A floor, a lawn and the like by name, each (480, 360, 3) uint8 RGB; not to be written to.

    >>> read_backdrops()["grass"].shape
    (480, 360, 3)
    """
    archive = ZipArchive(BACKDROPS)
    found = {PurePosixPath(name).stem: load_image(archive.read(name)) for name in archive.names()}
    for picture in found.values():
        picture.setflags(write=False)
    return found
