"""Products and photos held out of training, and how a network in training answers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fashify.catalogue import Catalogue
from fashify.catalogue.photos import PhotoSet
from fashify.heads.head import unit_length
from fashify.io.images import resize
from fashify.learning.lesson import MOST_PIECES, Lesson, read_photos, read_pictures
from fashify.learning.material import Material
from fashify.learning.recipe import BASES, BASIS_PRODUCTS, TYPE_LEVEL
from fashify.learning.views import compose
from fashify.text.words import pieces

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
        composed: (n, h', w', 3) uint8, the products set on drawn backdrops.
        groups: (n,) int, what is one product's copies and variants.
        tokens: (n, t) int32, hashed pieces of the products' names, -1 for none.
    """

    pictures: np.ndarray
    types: np.ndarray
    photos: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    composed: np.ndarray
    groups: np.ndarray
    tokens: np.ndarray


def judge(model: Any, held_out: HeldOut) -> dict[str, float]:
    """What a network in training answers for held-out products and photos.

    Returns:
        as far as there are any: ``type_micro, type_macro``, how often a product's likeliest
        article type is its own; ``photo_micro, photo_macro``, the likeliest type answers the
        photo's label; ``instance_first``, a composed view finds its own product, or another of
        its group, first among the held-out ones; ``names_ten``, a name finds it among ten.
    """
    found: dict[str, float] = {}
    if len(held_out.pictures):
        features = embed_pictures(model, held_out.pictures)
        right = (predict_types(model, features) == held_out.types).astype(float)
        found |= _micro_macro("type", right, held_out.types)
        if model.plan.instance:
            views = embed_pictures(model, held_out.composed)
            composed, clean = (project(model, "ins", one) for one in (views, features))
            found["instance_first"] = _share_found(composed, clean, held_out.groups, 1)
        if model.plan.names and (held_out.tokens >= 0).any():
            asked = np.flatnonzero((held_out.tokens >= 0).any(axis=1))
            texts = _read(model.tower(held_out.tokens[asked]))
            side = project(model, "txt", features)
            found["names_ten"] = _share_found(texts, side, held_out.groups, 10, asked)
    if len(held_out.photos):
        likely = predict_types(model, embed_pictures(model, held_out.photos))
        right = held_out.answers[np.arange(len(likely)), likely].astype(float)
        found |= _micro_macro("photo", right, held_out.labels)
    return found


def predict_types(model: Any, features: np.ndarray) -> np.ndarray:
    """(n,) likeliest article type of each feature (n, dim), the classes' frequencies set aside."""
    return _read(model.logits(features)[TYPE_LEVEL]).argmax(axis=1)


def embed_products(model: Any, pictures: np.ndarray) -> dict[str, np.ndarray]:
    """Projection -> (m, d) at unit length of some of the products, evenly chosen."""
    chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), BASIS_PRODUCTS)).astype(int)
    features = embed_pictures(model, pictures[chosen])
    return {name: project(model, name, features) for name in BASES}


def project(model: Any, name: str, features: np.ndarray) -> np.ndarray:
    """(n, d) at unit length of features (n, dim), by one of the model's projections."""
    return unit_length(_read(model.projections[name](features)))


def _share_found(
    queries: np.ndarray,
    gallery: np.ndarray,
    groups: np.ndarray,
    k: int,
    rows: np.ndarray | None = None,
) -> float:
    """Share of queries (q, d), of the gallery's ``rows``, with one of their group among k."""
    rows = np.arange(len(queries)) if rows is None else rows
    k = min(k, len(gallery))
    best = np.argpartition(-(queries @ gallery.T), k - 1, axis=1)[:, :k]
    found = (groups[best] == groups[rows][:, None]).any(axis=1)
    return round(float(found.mean()), 4)


def _read(tensor: Any) -> np.ndarray:
    from keras import ops

    return np.asarray(ops.convert_to_numpy(tensor), np.float32)


def embed_pictures(model: Any, pictures: np.ndarray) -> np.ndarray:
    """Features (n, dim) float32 of pictures as they are."""
    size = model.plan.input_size
    found = []
    for start in range(0, len(pictures), _BATCH):
        batch = np.stack([resize(one, size) for one in pictures[start : start + _BATCH]])
        # One shape, so that the backend compiles one program.
        views = np.zeros((_BATCH, *batch.shape[1:]), np.float32)
        views[: len(batch)] = (batch.astype(np.float32) - 127) / 128
        maps = model.network.predict_on_batch(views)[: len(batch)]
        found.append(maps.astype(np.float32).mean(axis=(1, 2)))
    return np.concatenate(found)


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
    pictures, composed = (np.zeros((0, *size, 3), np.uint8) for _ in range(2))
    if len(rows):
        pictures = read_pictures(catalogue, item_ids[rows], size, progress=False)
        larger = np.stack([resize(picture, lesson.plan.input_size) for picture in pictures])
        composed = compose(larger, np.random.default_rng(lesson.plan.seed))
    tokens = np.full((len(rows), MOST_PIECES), -1, np.int32)
    if "name" in lesson.texts:
        table = catalogue.table.drop_duplicates("item_id").set_index("item_id")
        for place, name in enumerate(table["name"].fillna("").loc[item_ids[rows]]):
            told = pieces(name)[:MOST_PIECES]
            tokens[place, : len(told)] = told
    shown, labels = np.zeros((0, *size, 3), np.uint8), np.zeros(0, str)
    answers = np.zeros((0, 1), bool)
    if photos is not None and people == "train" and TYPE_LEVEL in lesson.classes:
        asked = photos.part("validation").with_answers(lesson.classes[TYPE_LEVEL])
        shown, kept = read_photos(asked, size, progress=False)
        labels = asked.table["label"].to_numpy(str)[kept]
        names = lesson.classes[TYPE_LEVEL]
        answers = np.stack([np.isin(names, asked.answers[label]) for label in labels])
    return HeldOut(pictures, types, shown, labels, answers, composed, material.groups[rows], tokens)
