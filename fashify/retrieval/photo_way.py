"""The way of a photo: out of its frame or screen, turned upright, one garment at a time.

What is done is chosen by the answers: a turn or a cut is taken only where the gallery then has
clearly nearer products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fashify.features.framing import is_photo
from fashify.io.images import load_image, resize
from fashify.retrieval.region import Box
from fashify.retrieval.screen import find_picture

if TYPE_CHECKING:
    from fashify.retrieval.match import Match
    from fashify.retrieval.retriever import Retriever

#: Of prepared pictures (n, H, W, 3) the served vectors (n, d), and how far each one's nearest
#: product is, (n,).
Look = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

WHOLE = Box(0.0, 0.0, 1.0, 1.0)

#: A first answer farther than this is weak, and turns are tried: cosine distance.
WEAK = 0.2

#: A turn is taken when its first answer is at this share of the distance. Of a photo it is the
#: largest that costs upright photos of validation people nothing; a shop's picture, turned upright,
#: is found nearly as it was.
NEARER_PHOTO, NEARER_PRODUCT = 0.4, 0.7

#: A photo holds two garments when the first answers to its parts, in the mean, are no farther than
#: this share of the whole's distance, and neither is farther than the other share. Chosen on 120
#: photos of validation people alone and 120 pairs side by side: who asks expects two.
APART, FARTHEST = 1.05, 1.3

#: Where between two garments a photo may be cut, as shares of its side.
_MIDDLE = (0.3, 0.7)


@dataclass(frozen=True, eq=False)
class PhotoReading:
    """What is searched of a photo.

    Attributes:
        image: (height, width, 3) uint8, cut out and upright.
        box: the part of the photo that it is, before turning.
        turn: degrees it was turned anticlockwise: 0, 90, 180 or 270.
        vector: (d,) float32 of ``image``, served.
    """

    image: np.ndarray
    box: Box
    turn: int = 0
    vector: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32), repr=False)

    @property
    def changed(self) -> bool:
        """Whether anything was cut off or turned."""
        return self.turn != 0 or self.box != WHOLE


def read_photo(retriever: Retriever, image: Any, *, as_it_is: bool = False) -> PhotoReading:
    """The picture within a photo, upright.

    Args:
        retriever: of the gallery that answers.
        image: whatever ``load_image`` reads; a ``PhotoReading`` is given back.
        as_it_is: neither cut it out nor turn it.

    Raises:
        ImageReadError: not an image.
    """
    if isinstance(image, PhotoReading):
        return image
    return read_photo_batch(retriever, [load_image(image)], as_it_is=as_it_is)[0]


def read_photo_batch(
    retriever: Retriever,
    photos: Sequence[np.ndarray],
    *,
    as_it_is: bool = False,
    look: Look | None = None,
) -> list[PhotoReading]:
    """As ``read_photo`` for photos (h, w, 3) uint8, embedded together.

    ``look`` takes the place of ``look_at``, to be answered together with what others ask.
    """
    if not photos:
        return []
    boxes = [WHOLE if as_it_is else find_picture(photo) for photo in photos]
    pictures = [
        photo if box == WHOLE else box.crop_image(photo)
        for photo, box in zip(photos, boxes, strict=True)
    ]
    return _read_upright(retriever, pictures, boxes, not as_it_is, look)


def read_garments(retriever: Retriever, image: Any) -> list[PhotoReading]:
    """The garments of a photo, from left to right or from top to bottom: one or two.

    The photo is cut in the middle and where the network sees least between its halves, and the
    best cut is kept where the parts' products are about as near as the whole's, or nearer.

    Args, errors: as ``read_photo``.
    """
    photo = load_image(image)
    frame = find_picture(photo)
    picture = photo if frame == WHOLE else frame.crop_image(photo)
    first = float(_look(retriever, [picture])[1][0])
    tried = []
    for boxes in _halves(retriever, picture):
        parts = [box.crop_image(picture) for box in boxes]
        distances = _look(retriever, parts)[1]
        tried.append((float(np.mean(distances)), float(np.max(distances)), parts, boxes))
    mean, farthest, parts, boxes = min(tried, key=lambda found: found[0])
    if mean > APART * first or farthest > FARTHEST * first:
        return [read_photo(retriever, photo)]
    return _read_upright(retriever, parts, [_nest_box(box, frame) for box in boxes], True)


def search_garments(
    retriever: Retriever, image: Any, k: int = 5, **options: Any
) -> list[tuple[PhotoReading, list[Match]]]:
    """A row of matches for each garment of a photo.

    Args:
        retriever: of the gallery.
        image: whatever ``load_image`` reads.
        k: matches for each.
        **options: of ``Retriever.by_reading``.
    """
    found = read_garments(retriever, image)
    return [(one, retriever.by_reading(one, k, **options)) for one in found]


def _read_upright(
    retriever: Retriever,
    pictures: Sequence[np.ndarray],
    boxes: Sequence[Box],
    turns: bool,
    look: Look | None = None,
) -> list[PhotoReading]:
    """Each picture with its vector, turned where its first answer is weak and a turn helps."""
    vectors, near = _look(retriever, pictures, look)
    rows = zip(pictures, boxes, vectors, strict=True)
    found = [PhotoReading(picture, box, 0, vector) for picture, box, vector in rows]
    if not turns or retriever.index.metric != "cosine":
        return found
    for row in np.flatnonzero(near > WEAK):
        found[row] = _try_turns(retriever, found[row], float(near[row]), look)
    return found


def _try_turns(
    retriever: Retriever, reading: PhotoReading, near: float, look: Look | None
) -> PhotoReading:
    """The picture turned, where products are then clearly nearer; else as it is."""
    turned = [_turn_picture(reading.image, turn) for turn in (90, 180, 270)]
    vectors, distances = _look(retriever, turned, look)
    best = int(np.argmin(distances))
    share = NEARER_PHOTO if is_photo(reading.image) else NEARER_PRODUCT
    if distances[best] >= share * near:
        return reading
    return PhotoReading(turned[best], reading.box, 90 * (best + 1), vectors[best])


def look_at(retriever: Retriever, prepared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Served vectors of prepared pictures, and how far the nearest products are; see ``Look``."""
    vectors = retriever.embed_prepared(prepared)
    return vectors, np.asarray(retriever.index.search(vectors, 1).distances)[:, 0]


def _look(
    retriever: Retriever, pictures: Sequence[np.ndarray], look: Look | None = None
) -> tuple[np.ndarray, np.ndarray]:
    prepared = np.stack([retriever.embedder.prepare(picture) for picture in pictures])
    return look_at(retriever, prepared) if look is None else look(prepared)


def _turn_picture(picture: np.ndarray, turn: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(picture, turn // 90)) if turn else picture


def _halves(retriever: Retriever, photo: np.ndarray) -> list[tuple[Box, Box]]:
    """Left and right, top and bottom: cut in the middle, and where the network sees least."""
    embedder = retriever.embedder
    places = embedder.embed_map(resize(photo, embedder.spec.input_size)[None])[0]
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
