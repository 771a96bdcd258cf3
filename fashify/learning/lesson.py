"""What a network for photos learns from, in batches that depend on seed and step alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.catalogue import Catalogue
from fashify.catalogue.photos import PhotoSet
from fashify.errors import FashifyError, QueryError
from fashify.io.images import resize
from fashify.learning.material import Material
from fashify.learning.recipe import TYPE_LEVEL, TrainingPlan
from fashify.learning.views import (
    draw_clean,
    draw_composed,
    draw_erased,
    draw_photo,
    product_masks,
)
from fashify.text.words import pieces

logger = logging.getLogger(__name__)

#: Levels that texts are made of, alone, in pairs and in threes.
_TOLD = ("gender", "base_colour", "article_type", "usage", "season")

#: Hashed pieces of a text that are read at most.
MOST_PIECES = 256

#: Separate from the streams of the steps.
_ORDER = 1


@dataclass(frozen=True, eq=False)
class Lesson:
    """Pictures, masks, labels and texts of n products to train on, and photos.

    Attributes:
        pictures: (n, h, w, 3) uint8.
        masks: (n, h, w) uint8, 255 on the product.
        codes: level -> (n,) int32 class, -1 for none.
        classes: level -> names of the classes.
        groups: (n,) int64, what is one product's copies and variants.
        texts: one row per product: ``name`` and the labels of ``_TOLD`` that there are.
        photos: (p, h, w, 3) uint8, of all people who train; crops of them are backgrounds.
        photo_labels: (p,) their labels.
        answers: (p, types) float32, 1 for a type that answers; rows of zeros teach nothing.
        plan: the recipe.
    """

    pictures: np.ndarray
    masks: np.ndarray
    codes: dict[str, np.ndarray]
    classes: dict[str, tuple[str, ...]]
    groups: np.ndarray
    texts: pd.DataFrame
    photos: np.ndarray
    photo_labels: np.ndarray
    answers: np.ndarray
    plan: TrainingPlan

    @property
    def n_products(self) -> int:
        """Products per step: as planned, or all of fewer."""
        return min(self.plan.products, len(self.pictures))

    @property
    def n_composed(self) -> int:
        """Composed views per step."""
        return self.n_products // 2

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return len(self.pictures) // self.n_products

    @property
    def n_views(self) -> int:
        """Views per step."""
        photos = self.plan.photos if len(self._able) else 0
        return self.n_products + self.n_composed + photos

    def batch(self, step: int) -> dict[str, Any]:
        """What ``PhotoNetwork`` takes at one step; the same step, the same batch."""
        rng = np.random.default_rng((self.plan.seed, step))
        rows = self._rows(step)
        n, size = len(rows), self.plan.input_size
        few = rows[: self.n_composed]
        backgrounds = self.photos if len(self.photos) else None
        batch: dict[str, Any] = {
            "pictures": self.pictures[rows],
            "masks": self.masks[few],
            "clean": draw_clean(rng, n, size),
            "composed": draw_composed(rng, len(few), size, backgrounds),
            "groups": self._small_groups[rows],
            "codes": {level: codes[rows] for level, codes in self.codes.items()},
        }
        if TYPE_LEVEL in self.codes:
            batch["log_prior"] = self._log_prior
        if len(self._able):
            chosen = rng.choice(self._able, self.plan.photos, p=self._chances)
            batch["photos"], batch["answers"] = self.photos[chosen], self.answers[chosen]
            batch["photo"] = draw_photo(rng, len(chosen), size)
        batch["erased"] = draw_erased(rng, self.n_views, size)
        if self._has_texts:
            batch |= self._tell_products(rng, rows)
        return batch

    def _rows(self, step: int) -> np.ndarray:
        epoch, place = divmod(step, self.steps)
        order = np.random.default_rng((self.plan.seed, _ORDER, epoch)).permutation(
            len(self.pictures)
        )
        return order[place * self.n_products : (place + 1) * self.n_products]

    @cached_property
    def _small_groups(self) -> np.ndarray:
        return np.unique(self.groups, return_inverse=True)[1].astype(np.int32)

    @cached_property
    def _log_prior(self) -> np.ndarray:
        codes = self.codes[TYPE_LEVEL]
        counts = np.bincount(codes[codes >= 0], minlength=len(self.classes[TYPE_LEVEL]))
        return np.log(np.maximum(counts, 1) / max(1, counts.sum())).astype(np.float32)

    @cached_property
    def _able(self) -> np.ndarray:
        """Photos that a type answers; none where the plan gives them no weight."""
        return np.flatnonzero(self.answers.any(axis=1)) if self.plan.photo else np.zeros(0, int)

    @cached_property
    def _chances(self) -> np.ndarray:
        """Of the photos that teach: labels are drawn by the root of their number."""
        _, codes, counts = np.unique(
            self.photo_labels[self._able], return_inverse=True, return_counts=True
        )
        chances = 1 / np.sqrt(counts[codes])
        return chances / chances.sum()

    @cached_property
    def _kinds(self) -> list[tuple[np.ndarray, list[list[int]]]]:
        """Each kind of text: (n,) which text a product has, -1 for none, and the texts' pieces.

        The first is the name; the others are labels, alone, in pairs and in threes.
        """
        levels = [level for level in _TOLD if level in self.texts]
        groups: list[tuple[str, ...]] = [("name",)] if "name" in self.texts else []
        groups += [told for n in (1, 2, 3) for told in combinations(levels, n)]
        return [_text_kind(self.texts, told) for told in groups]

    @property
    def _has_texts(self) -> bool:
        return bool(self.plan.names) and any((codes >= 0).any() for codes, _ in self._kinds)

    def _tell_products(self, rng: np.random.Generator, rows: np.ndarray) -> dict[str, np.ndarray]:
        """A text for each product of a batch, and which views it fits."""
        n, has_names = len(rows), "name" in self.texts
        first = int(has_names)
        kind = rng.integers(first, max(first + 1, len(self._kinds)), n)
        by_name = has_names & (rng.random(n) < self.plan.named)
        kind = np.where(by_name, 0, np.minimum(kind, len(self._kinds) - 1))
        shown = np.concatenate([rows, rows[: self.n_composed]])
        tokens = np.full((n, MOST_PIECES), -1, np.int32)
        fits = np.zeros((n, len(shown)), np.float32)
        for place, (row, one) in enumerate(zip(rows, kind, strict=True)):
            codes, texts = self._kinds[one]
            if codes[row] >= 0:
                found = texts[codes[row]][:MOST_PIECES]
                tokens[place, : len(found)] = found
                fits[place] = codes[shown] == codes[row]
        named = (by_name & fits.any(axis=1)).astype(np.float32)
        return {"tokens": tokens, "fits": fits, "named": named}


def make_lesson(
    catalogue: Catalogue,
    item_ids: np.ndarray,
    material: Material,
    photos: PhotoSet | None,
    plan: TrainingPlan,
    *,
    size: tuple[int, int],
    progress: bool = True,
) -> Lesson:
    """Reads the training split's pictures and the photos.

    Args:
        catalogue: where the pictures are.
        item_ids: (n,) products, in the order of ``material``.
        material: labels, split and groups.
        photos: of the people who train; None for none.
        plan: the recipe.
        size: (height, width) that pictures and photos are kept at.
        progress: show bars.

    Raises:
        QueryError: no level with two classes to learn from.
    """
    rows = material.rows("train")
    codes, classes = {}, {}
    for level in plan.tasks:
        if level in material.labels and material.codes(level)[1] >= 2:
            found, _ = material.codes(level)
            codes[level] = found[rows].astype(np.int32)
            classes[level] = _class_names(material.labels[level][rows], codes[level])
    if not codes:
        raise QueryError(
            "a level with two classes of two products", "none", "label the catalogue first"
        )
    pictures = read_pictures(catalogue, item_ids[rows], size, progress=progress)
    known = {level: material.labels[level][rows] for level in _TOLD if level in material.labels}
    table = catalogue.table.drop_duplicates("item_id").set_index("item_id").loc[item_ids[rows]]
    if "name" in table and (table["name"].fillna("") != "").any():
        known["name"] = table["name"].fillna("").to_numpy(object)
    shown, labels, answers = _photo_arrays(photos, classes.get(TYPE_LEVEL, ()), size, progress)
    return Lesson(
        pictures,
        product_masks(pictures),
        codes,
        classes,
        material.groups[rows],
        pd.DataFrame(known),
        shown,
        labels,
        answers,
        plan,
    )


def read_pictures(
    catalogue: Catalogue, item_ids: np.ndarray, size: tuple[int, int], *, progress: bool
) -> np.ndarray:
    """(n, height, width, 3) uint8 pictures of products, letterboxed; errors as the catalogue's."""

    def read(item_id: str) -> np.ndarray:
        return resize(catalogue.image(str(item_id)), size, fit="letterbox")

    return _read_all(read, item_ids, "pictures", progress)


def read_photos(
    photos: PhotoSet, size: tuple[int, int], *, progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(p, height, width, 3) uint8 photos that can be read, letterboxed, and their rows."""

    def read(place: int) -> np.ndarray | None:
        try:
            return resize(photos.image(place), size, fit="letterbox")
        except FashifyError as error:
            logger.warning("left out: %s: %s", photos.table["image"].iloc[place], error)
            return None

    with ThreadPoolExecutor() as pool:
        found = list(
            tqdm(
                pool.map(read, range(len(photos))),
                "photos",
                total=len(photos),
                unit="photo",
                disable=not progress,
            )
        )
    rows = [place for place, image in enumerate(found) if image is not None]
    kept = [found[place] for place in rows]
    return np.stack(kept) if kept else np.zeros((0, *size, 3), np.uint8), np.array(rows, int)


def _photo_arrays(
    photos: PhotoSet | None, types: Sequence[str], size: tuple[int, int], progress: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if photos is None:
        return np.zeros((0, *size, 3), np.uint8), np.zeros(0, str), np.zeros((0, len(types)), "f")
    shown, rows = read_photos(photos, size, progress=progress)
    labels = photos.table["label"].to_numpy(str)[rows]
    answers = np.stack([np.isin(types, photos.answers[label]) for label in labels])
    return shown, labels, answers.astype(np.float32)


def _read_all(read: Any, places: np.ndarray, what: str, progress: bool) -> np.ndarray:
    with ThreadPoolExecutor() as pool:
        found = pool.map(read, places)
        bar = tqdm(found, what, total=len(places), unit="picture", disable=not progress)
        return np.stack(list(bar))


def _class_names(labels: np.ndarray, codes: np.ndarray) -> tuple[str, ...]:
    """Names in the order of the codes."""
    known = codes >= 0
    found = dict(zip(codes[known].tolist(), labels[known].astype(str), strict=True))
    return tuple(found[code] for code in range(len(found)))


def _text_kind(texts: pd.DataFrame, columns: tuple[str, ...]) -> tuple[np.ndarray, list[list[int]]]:
    """(n,) number of each product's text of these columns, -1 where one is empty; the pieces."""
    whole = texts[list(columns)].astype(str)
    told = whole.agg(" ".join, axis=1)
    codes, names = pd.factorize(told.where((whole != "").all(axis=1)))
    return codes, [pieces(name) or [0] for name in names]
