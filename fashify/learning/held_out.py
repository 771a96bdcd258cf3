"""Products and photos held out of training, and how a network in training answers them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fashify.catalogue import Catalogue
from fashify.catalogue.photos import PhotoSet
from fashify.heads.head import unit_length
from fashify.io.images import resize
from fashify.learning.lesson import Lesson, read_photos, read_pictures
from fashify.learning.material import Material
from fashify.learning.recipe import BASES, BASIS_PRODUCTS, TYPE_LEVEL

#: Held-out products and photos that an epoch's figures are of, at most.
_HELD_OUT = 2_000

#: Pictures that pass through the network at once when it is judged.
_BATCH = 128


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a network is judged by while it is trained: never trained on.

    Attributes:
        pictures: (n, h, w, 3) uint8 of the validation split.
        types: (n,) int, class of their article type, -1 for none.
        photos: (p, h, w, 3) uint8 of people who validate.
        labels: (p,) their labels.
        answers: (p, types) bool.
    """

    pictures: np.ndarray
    types: np.ndarray
    photos: np.ndarray
    labels: np.ndarray
    answers: np.ndarray


def judge(model: Any, held_out: HeldOut) -> dict[str, float]:
    """How often the likeliest article type is right, on held-out products and photos.

    Returns:
        ``type_micro, type_macro`` of products, ``photo_micro, photo_macro`` (the likeliest type
        answers the photo's label), as far as there are any.
    """
    found: dict[str, float] = {}
    if len(held_out.pictures):
        likely = predict_types(model, held_out.pictures)
        right = (likely == held_out.types).astype(float)
        found |= _micro_macro("type", right, held_out.types)
    if len(held_out.photos):
        likely = predict_types(model, held_out.photos)
        right = held_out.answers[np.arange(len(likely)), likely].astype(float)
        found |= _micro_macro("photo", right, held_out.labels)
    return found


def predict_types(model: Any, pictures: np.ndarray) -> np.ndarray:
    """(n,) class of each picture's likeliest article type, the classes' frequencies set aside."""
    from keras import ops

    logits = (model.logits(features)[TYPE_LEVEL] for features in _features(model, pictures))
    return np.concatenate([ops.convert_to_numpy(ops.argmax(one, axis=1)) for one in logits])


def embed_products(model: Any, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Projection -> (m, d) at unit length of some of the products, evenly chosen."""
    from keras import ops

    chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), BASIS_PRODUCTS)).astype(int)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in BASES}
    for features in _features(model, pictures[chosen]):
        for name, found in parts.items():
            found.append(ops.convert_to_numpy(model.projections[name](features)))
    return {name: unit_length(np.concatenate(found)) for name, found in parts.items()}


def _features(model: Any, pictures: np.ndarray) -> Iterator[Any]:
    """Features (b, dim) of pictures as they are, a batch after the other."""
    from keras import ops

    size = model.plan.input_size
    for start in range(0, len(pictures), _BATCH):
        batch = np.stack([resize(one, size) for one in pictures[start : start + _BATCH]])
        # One shape, so that the backend compiles one program.
        views = np.zeros((_BATCH, *batch.shape[1:]), np.float32)
        views[: len(batch)] = (batch.astype(np.float32) - 127) / 128
        maps = model.network.predict_on_batch(views)[: len(batch)]
        yield ops.convert_to_tensor(maps.astype(np.float32).mean(axis=(1, 2)))


def _micro_macro(name: str, right: np.ndarray, kinds: np.ndarray) -> dict[str, float]:
    means = [right[kinds == kind].mean() for kind in np.unique(kinds)]
    return {
        f"{name}_micro": round(float(right.mean()), 4),
        f"{name}_macro": round(float(np.mean(means)), 4),
    }


def select_held_out(
    catalogue: Catalogue,
    item_ids: np.ndarray,
    material: Material,
    photos: PhotoSet | None,
    lesson: Lesson,
    people: str,
    size: tuple[int, int],
) -> HeldOut:
    """Validation products whose type is a class, and photos of validation people."""
    rows, types = np.zeros(0, int), np.zeros(0, int)
    if TYPE_LEVEL in lesson.classes:
        codes, _ = material.codes(TYPE_LEVEL)
        rows = np.flatnonzero((material.split == "validation") & (codes >= 0))
        rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), _HELD_OUT)).astype(int)]
        types = codes[rows]
    pictures = np.zeros((0, *size, 3), np.uint8)
    if len(rows):
        pictures = read_pictures(catalogue, item_ids[rows], size, progress=False)
    shown, labels = np.zeros((0, *size, 3), np.uint8), np.zeros(0, str)
    answers = np.zeros((0, 1), bool)
    if photos is not None and people == "train" and TYPE_LEVEL in lesson.classes:
        asked = photos.part("validation").with_answers(lesson.classes[TYPE_LEVEL])
        shown, kept = read_photos(asked, size, progress=False)
        labels = asked.table["label"].to_numpy(str)[kept]
        names = lesson.classes[TYPE_LEVEL]
        answers = np.stack([np.isin(names, asked.answers[label]) for label in labels])
    return HeldOut(pictures, types, shown, labels, answers)
