"""Pictures inside the page: ``data:`` URLs, so that no file of this machine is served."""

from __future__ import annotations

import base64
from functools import cache

import numpy as np

from fashify.io.images import encode_jpeg, thumbnail

#: Longer side of a picture on a card, pixels; small catalogue pictures stay as they are.
CARD_SIDE = 320
EXAMPLE_SIDE = 160
QUERY_SIDE = 640


@cache
def missing_url() -> str:
    """Stands for a picture that cannot be read: plain grey."""
    return data_url(np.full((80, 60, 3), 222, np.uint8), CARD_SIDE)


def data_url(picture: np.ndarray, side: int) -> str:
    """(height, width, 3) uint8 as a JPEG ``data:`` URL, the longer side at most ``side``."""
    jpeg = encode_jpeg(thumbnail(picture, side))
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
