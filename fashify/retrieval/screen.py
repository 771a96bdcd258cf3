"""The picture within a picture: a photo in a frame, a product within a screenshot."""

from __future__ import annotations

import numpy as np

from fashify.retrieval.region import Box

#: A pixel is of the page's colour when each channel is this close to it.
_PLAIN = 14

#: A picture in a frame fills this share of each edge of its box, as few products on white do; and
#: the box has this share of both sides: a square purse on white is no picture in a frame.
_FILLED, _FRAMED = 0.8, 0.7

#: Longer side over shorter one from which on a picture may be a screen.
_SCREEN = 1.6

#: On a screen the picture's rows are so many times as high as any other block of content.
_TALLER = 2.0

#: White or page that is left around a product, as a share of its block.
_AIR = 0.06

#: Longer side that is looked at, and how often a frame may lie within a frame.
_LOOKED_AT, _FRAMES = 512, 2


def find_picture(image: np.ndarray) -> Box:
    """Where the picture is within its frame or screen; all of it where there is neither.

    A frame is one colour around a box whose edges the picture fills. A screen is long and narrow,
    and rows of one colour part its picture from lines of text.

    Args:
        image: (height, width, 3) uint8 RGB.
    """
    step = max(1, -(-max(image.shape[:2]) // _LOOKED_AT))
    small = image[::step, ::step]
    top, left, bottom, right = 0, 0, *small.shape[:2]
    for _ in range(_FRAMES):
        found = _within_frame(small[top:bottom, left:right])
        if found is None:
            break
        bottom, right = top + found[2], left + found[3]
        top, left = top + found[0], left + found[1]
    found = _within_screen(small[top:bottom, left:right])
    if found is not None:
        bottom, right = top + found[2], left + found[3]
        top, left = top + found[0], left + found[1]
        inner = _within_frame(small[top:bottom, left:right])
        if inner is not None:
            bottom, right = top + inner[2], left + inner[3]
            top, left = top + inner[0], left + inner[1]
    height, width = small.shape[:2]
    if min((bottom - top) / height, (right - left) / width) < 0.1:
        return Box(0.0, 0.0, 1.0, 1.0)
    return Box(top / height, left / width, bottom / height, right / width)


Edges = tuple[int, int, int, int]


def _within_frame(image: np.ndarray) -> Edges | None:
    """The box within one colour that fills its own edges; None without a frame."""
    content = _content(image)
    if content is None or content.all():
        return None
    rows, columns = np.flatnonzero(content.any(axis=1)), np.flatnonzero(content.any(axis=0))
    if not len(rows):
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    box = content[top:bottom, left:right]
    if min(box.shape[0] / content.shape[0], box.shape[1] / content.shape[1]) < _FRAMED:
        return None
    # A pixel inwards, for scaling blurs an edge.
    inside = 1 if min(box.shape) > 8 else 0
    edges = (box[inside], box[-1 - inside], box[:, inside], box[:, -1 - inside])
    if min(edge.mean() for edge in edges) < _FILLED or box.shape == content.shape:
        return None
    return int(top), int(left), int(bottom), int(right)


def _within_screen(image: np.ndarray) -> Edges | None:
    """The highest block of content of a long picture, where other blocks are separate from it."""
    height, width = image.shape[:2]
    if height < _SCREEN * width:
        return None
    content = _content(image)
    if content is None:
        return None
    runs = _runs(np.asarray(content.any(axis=1)))
    if len(runs) < 2:
        return None
    sizes = sorted((end - start for start, end in runs), reverse=True)
    top, bottom = max(runs, key=lambda run: run[1] - run[0])
    if bottom - top < 0.15 * height or sizes[0] < _TALLER * sizes[1]:
        return None
    columns = np.flatnonzero(content[top:bottom].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    air = round(_AIR * max(bottom - top, right - left))
    above = max((end for _, end in runs if end <= top), default=0)
    below = min((start for start, _ in runs if start >= bottom), default=height)
    return (
        max(above, top - air),
        max(0, left - air),
        min(below, bottom + air),
        min(width, right + air),
    )


def _content(image: np.ndarray) -> np.ndarray | None:
    """(h, w) bool: what is not of the page's colour; None where the corners do not agree."""
    corners = image[[0, 0, -1, -1], [0, -1, 0, -1]].astype(np.int16)
    page = np.median(corners, axis=0).astype(np.int16)
    if np.abs(corners - page).max() > _PLAIN:
        return None
    return np.abs(image.astype(np.int16) - page).max(axis=2) > _PLAIN


def _runs(rows: np.ndarray) -> list[tuple[int, int]]:
    """(start, end) of each run of True; gaps of a hundredth of the whole are bridged."""
    padded = np.concatenate([[False], rows, [False]]).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1)
    runs: list[tuple[int, int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if runs and start - runs[-1][1] <= max(1, len(rows) // 100):
            runs[-1] = runs[-1][0], end
        else:
            runs.append((start, end))
    return runs
