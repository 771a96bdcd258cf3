"""The way of a photo: out of its frame or screen, turned upright, one garment at a time.

What is done is chosen by the answers: a turn or a cut is taken only where the gallery then has
clearly nearer products.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.io.images import load_image, resize
from fashify.retrieval.region import Box
from fashify.retrieval.screen import find_picture

if TYPE_CHECKING:
    from fashify.retrieval.match import Match
    from fashify.retrieval.retriever import Retriever

WHOLE = Box(0.0, 0.0, 1.0, 1.0)

#: A first answer farther than this is weak, and turns are tried: cosine distance. One of them is
#: taken when its first answer is at this share of the distance. Both chosen on photos of
#: validation people, upright and turned.
WEAK, NEARER = 0.2, 0.7

#: A photo holds two garments when the first answers to its parts are nearer than the whole's, in
#: the mean at this share of its distance, and neither is farther than this share.
APART, FARTHEST = 0.95, 1.1

#: Where between two garments a photo may be cut, as shares of its side.
_MIDDLE = (0.3, 0.7)


@dataclass(frozen=True, eq=False)
class PhotoReading:
    """What is searched of a photo.

    Attributes:
        image: (height, width, 3) uint8, cut out and upright.
        box: the part of the photo that it is, before turning.
        turn: degrees it was turned anticlockwise: 0, 90, 180 or 270.
    """

    image: np.ndarray
    box: Box
    turn: int = 0


def read_photo(retriever: Retriever, image: Any, *, turns: bool = True) -> PhotoReading:
    """The picture within a photo, upright.

    Args:
        retriever: of the gallery that answers.
        image: whatever ``load_image`` reads.
        turns: try quarter turns where the first answer is weak.

    Raises:
        ImageReadError: not an image.
    """
    photo = load_image(image)
    box = find_picture(photo)
    picture = photo if box == WHOLE else box.crop_image(photo)
    turn = _find_turn(retriever, picture) if turns else 0
    return PhotoReading(_turn_picture(picture, turn), box, turn)


def read_garments(retriever: Retriever, image: Any) -> list[PhotoReading]:
    """The garments of a photo, from left to right or from top to bottom: one or two.

    The photo is cut in the middle and where the network sees least between its halves, and the
    best cut is kept where the parts have clearly nearer products than the whole.

    Args, errors: as ``read_photo``.
    """
    photo = load_image(image)
    frame = find_picture(photo)
    picture = photo if frame == WHOLE else frame.crop_image(photo)
    first = float(_first_distances(retriever, [picture])[0])
    tried = []
    for boxes in _halves(retriever, picture):
        parts = [box.crop_image(picture) for box in boxes]
        distances = _first_distances(retriever, parts)
        tried.append((float(np.mean(distances)), float(np.max(distances)), parts, boxes))
    mean, farthest, parts, boxes = min(tried, key=lambda found: found[0])
    if mean > APART * first or farthest > FARTHEST * first:
        return [read_photo(retriever, photo)]
    turns = [_find_turn(retriever, part) for part in parts]
    return [
        PhotoReading(_turn_picture(part, turn), _nest_box(box, frame), turn)
        for part, box, turn in zip(parts, boxes, turns, strict=True)
    ]


def search_garments(
    retriever: Retriever, image: Any, k: int = 5, **options: Any
) -> list[tuple[PhotoReading, list[Match]]]:
    """A row of matches for each garment of a photo.

    Args:
        retriever: of the gallery.
        image: whatever ``load_image`` reads.
        k: matches for each.
        **options: of ``Retriever.by_image``.
    """
    found = read_garments(retriever, image)
    return [(one, retriever.by_image(one.image, k, **options)) for one in found]


def _find_turn(retriever: Retriever, picture: np.ndarray) -> int:
    if retriever.index.metric != "cosine":
        return 0
    first = float(_first_distances(retriever, [picture])[0])
    if first <= WEAK:
        return 0
    tried = _first_distances(retriever, [_turn_picture(picture, turn) for turn in (90, 180, 270)])
    best = int(np.argmin(tried))
    return 90 * (best + 1) if tried[best] < NEARER * first else 0


def _first_distances(retriever: Retriever, pictures: list[np.ndarray]) -> np.ndarray:
    """(n,) distance of each picture's nearest product."""
    prepared = np.stack([retriever.embedder.prepare(picture) for picture in pictures])
    found = retriever.index.search(retriever.embed_prepared(prepared), 1)
    return np.asarray(found.distances)[:, 0]


def _turn_picture(picture: np.ndarray, turn: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(picture, turn // 90)) if turn else picture


def _halves(retriever: Retriever, photo: np.ndarray) -> list[tuple[Box, Box]]:
    """Left and right, top and bottom: cut in the middle, and where the network sees least."""
    backbone = retriever.embedder.backbone
    places = backbone.embed_map(resize(photo, backbone.spec.input_size)[None])[0]
    energy = np.linalg.norm(places, axis=2)
    across = dict.fromkeys((0.5, _valley(energy.sum(axis=0))))
    down = dict.fromkeys((0.5, _valley(energy.sum(axis=1))))
    beside = [(Box(0.0, 0.0, 1.0, x), Box(0.0, x, 1.0, 1.0)) for x in across]
    return beside + [(Box(0.0, 0.0, y, 1.0), Box(y, 0.0, 1.0, 1.0)) for y in down]


def _nest_box(box: Box, frame: Box) -> Box:
    """A box within a frame, as shares of the whole."""
    height, width = frame.bottom - frame.top, frame.right - frame.left
    return Box(
        frame.top + box.top * height,
        frame.left + box.left * width,
        frame.top + box.bottom * height,
        frame.left + box.right * width,
    )


def _valley(profile: np.ndarray) -> float:
    """The middle place where the profile is least, as a share of its length."""
    fine = np.interp(
        np.linspace(*_MIDDLE, 41), (np.arange(len(profile)) + 0.5) / len(profile), profile
    )
    # Of equal valleys the one nearest to the middle.
    away = np.abs(np.linspace(-1, 1, 41)) * 1e-3 * max(float(fine.mean()), 1e-9)
    return float(np.linspace(*_MIDDLE, 41)[int(np.argmin(fine + away))])
