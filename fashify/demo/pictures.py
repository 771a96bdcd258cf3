"""Pictures inside the page: ``data:`` URLs, so that no file of this machine is served."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from fashify.io.images import encode_jpeg, thumbnail

#: Longer side of a picture on a card, pixels; small catalogue pictures stay as they are.
CARD_SIDE = 320
EXAMPLE_SIDE = 160
QUERY_SIDE = 640


def contact_sheet(pictures: Sequence[np.ndarray], side: int) -> str:
    """Pictures (h, w, 3) uint8 as one JPEG ``data:`` URL of square tiles, row by row.

    A row holds ``sheet_columns`` of them; each picture is whole, on white.
    """
    columns = sheet_columns(len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * side, columns * side, 3), 255, np.uint8)
    for place, picture in enumerate(pictures):
        small = thumbnail(picture, side)
        top = place // columns * side + (side - small.shape[0]) // 2
        left = place % columns * side + (side - small.shape[1]) // 2
        sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(sheet)).decode("ascii")


def sheet_columns(n: int) -> int:
    """Tiles in a row of a sheet of ``n``: about as many as there are rows."""
    return max(1, math.isqrt(n))


@cache
def missing_url() -> str:
    """Stands for a picture that cannot be read: plain grey."""
    return data_url(np.full((80, 60, 3), 222, np.uint8), CARD_SIDE)


def data_url(picture: np.ndarray, side: int) -> str:
    """(height, width, 3) uint8 as a JPEG ``data:`` URL, the longer side at most ``side``."""
    jpeg = encode_jpeg(thumbnail(picture, side))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
