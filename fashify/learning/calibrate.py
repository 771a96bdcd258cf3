"""What a store's distances say: curves fitted on validation products and on photos of products."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fashify import metrics
from fashify.catalogue.photos import PhotoSet
from fashify.data import read_backdrops
from fashify.errors import FashifyError, QueryError
from fashify.features.colour import colour_features
from fashify.features.embedder import Embedder
from fashify.heads.head import Head, unit_length
from fashify.heads.shipped import PHOTO_DISTANCE
from fashify.heads.strength import (
    Evidence,
    Strength,
    choose_threshold,
    count_alarms,
    fit_strength,
    measure_agreement,
)
from fashify.index import Index, make_index
from fashify.index.neighbours import Neighbours
from fashify.learning.material import Material
from fashify.learning.methods import MAIN_LEVEL

logger = logging.getLogger(__name__)

#: Validation queries and places that the strength curve is fitted on.
QUERIES, K = 2_000, 5

#: Queries whose own type is taken out of the gallery, to see how often "nothing similar" is said.
ABSENT = 500

#: Pictures without a product, to see whether "nothing similar" is said of them.
SCENES = 100

#: Photos embedded, and queries compared with the whole gallery, at once.
_BATCH = 64

Inputs = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class PhotoQueries:
    """What to calibrate photos with beside the composed views of a material.

    Attributes:
        inputs: ``raw`` (q, dim) and ``colour`` (q, c) of people's photos, which then take the
            views' place; or ``None``.
        answers: of each of these photos the article types that answer it.
        scenes: the same inputs of pictures that show no product; or ``None``.
        factor: how much farther than composed views people's photos are.
    """

    inputs: Inputs | None = None
    answers: Sequence[tuple[str, ...]] = ()
    scenes: Inputs | None = None
    factor: float = 1.0


def embed_queries(
    embedder: Embedder, photos: PhotoSet | None = None, *, seed: int = 0
) -> PhotoQueries:
    """Scenes, and a photo set's pictures as a search embeds them; unreadable ones are left out.

    Args:
        embedder: of the store.
        photos: people's photos, where there are some.
        seed: of the scenes.
    """
    scenes = embed_scenes(embedder, seed=seed)
    if photos is None:
        factor = PHOTO_DISTANCE.get(embedder.spec.name, 1.0)
        return PhotoQueries(scenes=scenes, factor=factor)
    pictures, answers = [], []
    for place, label in enumerate(photos.table["label"]):
        try:
            pictures.append(embedder.prepare(photos.image(place)))
        except FashifyError as error:
            logger.warning("a photo is left out: %s", error)
        else:
            answers.append(photos.answers[label])
    if not pictures:
        raise QueryError("a photo that can be read", f"none in {photos.source}", "mend them")
    return PhotoQueries(_embed(np.stack(pictures), embedder), answers, scenes)


def embed_scenes(embedder: Embedder, *, seed: int) -> Inputs:
    """Parts of drawn backdrops, as photos that show no product."""
    rng, found = np.random.default_rng(seed), []
    backdrops = list(read_backdrops().values())
    for place in rng.integers(0, len(backdrops), SCENES):
        scene = backdrops[place]
        height, width = (int(side * rng.uniform(0.4, 1)) for side in scene.shape[:2])
        top = rng.integers(0, scene.shape[0] - height + 1)
        left = rng.integers(0, scene.shape[1] - width + 1)
        found.append(embedder.prepare(scene[top : top + height, left : left + width]))
    return _embed(np.stack(found), embedder)


def _embed(prepared: np.ndarray, embedder: Embedder) -> Inputs:
    return {"raw": embedder.embed_prepared(prepared), "colour": colour_features(prepared)}


def measure_strength(
    vectors: np.ndarray,
    material: Material,
    *,
    head: Head | None = None,
    seed: int = 0,
    exact: Index | None = None,
    photos: PhotoQueries | None = None,
) -> Strength | None:
    """What a cosine distance says, from validation queries; ``None`` without labels to judge by.

    Args:
        vectors: (v, d), as served.
        material: of the same pictures; its composed views tell what a photo's distance says.
        head: what made the vectors, to take the views through; ``None`` for raw features.
        seed: of the draw of queries.
        exact: an exact cosine index of these vectors, where there is one already.
        photos: of ``embed_queries``.
    """
    photos = photos or PhotoQueries()
    rows = draw_queries(material, "validation", seed)
    if rows is None:
        return None
    gallery = CurveFitter(vectors, material, head, exact or _fit_exact(vectors, material))
    found = gallery.fit_products(vectors[rows], rows)
    if found is None:
        return None
    if photos.inputs is None:
        curve = gallery.fit_views(photos.factor)
    else:
        curve = gallery.fit_photos(photos.inputs, photos.answers)
    if curve is None:
        return found
    return replace(found, photos=gallery.count_scenes(curve, photos.scenes))


@dataclass(frozen=True)
class CurveFitter:
    """What is searched while a curve is fitted: served vectors (v, d), and what they show."""

    vectors: np.ndarray
    material: Material
    head: Head | None
    exact: Index

    @cached_property
    def types(self) -> np.ndarray:
        """(n,) of the items."""
        first = np.unique(self.material.owners, return_index=True)[1]
        return self.material.labels[MAIN_LEVEL][first].astype(str)

    def serve(self, inputs: Inputs) -> np.ndarray:
        """(q, d) of queries."""
        return inputs["raw"] if self.head is None else self.head(inputs["raw"], inputs["colour"])

    def fit_products(
        self, queries: np.ndarray, rows: np.ndarray, factor: float = 1.0
    ) -> Strength | None:
        """The curve of queries (q, d) that show the pictures ``rows``, their items left out."""
        known = self.find_evidence(queries, rows)
        few = slice(None, ABSENT)
        own = self.material.labels[MAIN_LEVEL][rows[few]].astype(str)
        return self._fit(known, queries[few], self.types[None, :] == own[:, None], factor)

    def fit_views(self, factor: float) -> Strength | None:
        """The curve of photos ``factor`` times as far as composed ones of validation products."""
        material = self.material
        if material.views is None:
            return None
        views = material.views.select(material.views.split == "validation")
        views = views.select(metrics.count_relevant(material.labels[MAIN_LEVEL], views.rows) > 0)
        if not len(views.rows):
            return None
        curve = self.fit_products(self.serve(views.inputs), views.rows, factor)
        basis = "composed photos" + ("" if factor == 1 else f", {factor:g} times as far")
        return None if curve is None else replace(curve, basis=basis)

    def fit_photos(self, inputs: Inputs, answers: Sequence[tuple[str, ...]]) -> Strength | None:
        """The curve of people's photos; right is a type that answers the photo's label."""
        queries, answered = self.find_answered(self.serve(inputs), answers)
        if not len(queries):
            return None
        known = self.find_photo_evidence(queries, answered)
        curve = self._fit(known, queries[:ABSENT], answered[:ABSENT])
        return None if curve is None else replace(curve, basis="people's photos")

    def find_answered(
        self, queries: np.ndarray, answers: Sequence[tuple[str, ...]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Those queries (q, d) that a product answers, and which of the n products: (q, n)."""
        answered = np.stack([np.isin(self.types, types) for types in answers])
        able = answered.any(axis=1)
        return queries[able], answered[able]

    def find_photo_evidence(self, queries: np.ndarray, answered: np.ndarray) -> Evidence:
        """What is known of the matches of photos (q, d) that products (q, n) answer."""
        found = self.exact.search(queries, min(K, len(self.types)))
        relevant = np.take_along_axis(answered, found.positions, axis=1)
        return self._know(queries, found, relevant)

    def find_evidence(self, queries: np.ndarray, rows: np.ndarray) -> Evidence:
        """What is known of the items nearest to queries (q, d) that show pictures ``rows``."""
        items, k = self.material.owners[rows], min(K, len(self.types) - 1)
        if k < 1:
            none = np.empty((len(rows), 0))
            return Evidence(none, none.astype(bool), none, none)
        found = self.exact.search(queries, k, exclude=list(self.exact.item_ids[items]))
        return self._know(queries, found, metrics.relevance(self.types, items, found.positions))

    def count_scenes(self, curve: Strength, scenes: Inputs | None) -> Strength:
        """The curve with how many pictures without a product it finds out."""
        if scenes is None:
            return curve
        queries = self.serve(scenes)
        found = self.exact.search(queries, min(K, len(self.types)))
        near = self._stretch_first(curve, queries, found.distances[:, 0], found.positions)
        return replace(curve, others_found=float((near > curve.nothing_beyond).mean()))

    def _know(self, queries: np.ndarray, found: Neighbours, relevant: np.ndarray) -> Evidence:
        sure = np.repeat(self._confidence(queries)[:, None], relevant.shape[1], axis=1)
        agreement = measure_agreement(self.types, found.positions)
        return Evidence(np.asarray(found.distances), relevant, agreement, sure)

    def _fit(
        self, known: Evidence, queries: np.ndarray, own: np.ndarray, factor: float = 1.0
    ) -> Strength | None:
        """The curve, and "nothing similar" by queries whose ``own`` items (q, n) are left out."""
        if not known.distances.size:
            return None
        fitted = fit_strength(*known)
        first, beyond = self._stretch_queries(fitted, known, queries, own)
        return count_alarms(choose_threshold(fitted, first, beyond).scale(factor), first, beyond)

    def count_alarms(
        self, curve: Strength, known: Evidence, queries: np.ndarray, own: np.ndarray
    ) -> Strength:
        """A curve with what its "nothing similar" is worth for other queries; as ``_fit``."""
        return count_alarms(curve, *self._stretch_queries(curve, known, queries, own))

    def _stretch_queries(
        self, curve: Strength, known: Evidence, queries: np.ndarray, own: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Stretched distances of first matches that are right, and of those of ``queries`` without
        their ``own``.
        """
        near = curve.stretch(known.distances, known.agreement, known.confidence)[:, 0]
        distances, positions = self._nearest_of_others(queries, own)
        beyond = self._stretch_first(curve, queries, distances, positions)
        return near[known.relevant[:, 0]], beyond[np.isfinite(beyond)]

    def _stretch_first(
        self, curve: Strength, queries: np.ndarray, distances: np.ndarray, positions: np.ndarray
    ) -> np.ndarray:
        """(q,) stretched distances of first matches."""
        agreement = measure_agreement(self.types, positions)[:, 0]
        return curve.stretch(distances, agreement, self._confidence(queries))

    def _confidence(self, queries: np.ndarray) -> np.ndarray:
        if self.head is None:
            return np.ones(len(queries))
        return self.head.confidence(queries, MAIN_LEVEL)

    def _nearest_of_others(
        self, queries: np.ndarray, own: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Distance (q,) of the first and positions (q, k) of the first k items that are not
        ``own`` (q, n); infinite and -1 where there is none.
        """
        owners, gallery = self.material.owners, unit_length(self.vectors)
        k = min(K, len(gallery))
        first, nearest = np.empty(len(queries), np.float32), np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries), _BATCH):
            block = slice(start, start + _BATCH)
            near = unit_length(queries[block]) @ gallery.T
            near[own[block][:, owners]] = -np.inf
            found = np.argpartition(-near, k - 1, axis=1)[:, :k]
            cosines = np.take_along_axis(near, found, axis=1)
            order = np.argsort(-cosines, axis=1, kind="stable")
            cosines, found = (np.take_along_axis(one, order, axis=1) for one in (cosines, found))
            first[block] = 1 - cosines[:, 0]
            nearest[block] = np.where(np.isfinite(cosines), owners[found], -1)
        return first, nearest


def _fit_exact(vectors: np.ndarray, material: Material) -> Index:
    owners = material.owners
    names = np.arange(owners[-1] + 1).astype(str)
    return make_index("exact").fit(vectors, names, view_items=owners)


def draw_queries(material: Material, part: str, seed: int) -> np.ndarray | None:
    """First pictures of a split's items, or of "all", at most ``QUERIES``, whose type others
    share.
    """
    labels = material.labels.get(MAIN_LEVEL)
    first = np.unique(material.owners, return_index=True)[1]
    queries = first if part == "all" else material.first_rows(part)
    if labels is None or not len(queries):
        return None
    if len(queries) > QUERIES:
        queries = np.sort(np.random.default_rng(seed).choice(queries, QUERIES, replace=False))
    queries = queries[metrics.count_relevant(labels, queries) > 0]
    return queries if len(queries) else None


def collect_matches(
    vectors: np.ndarray,
    material: Material,
    *,
    head: Head | None = None,
    part: str = "validation",
    seed: int = 0,
    exact: Index | None = None,
) -> Evidence | None:
    """What is known of the matches of a split's products, to fit a curve to or to judge it by.

    At most ``QUERIES`` are drawn; ``None`` where no query can be judged. ``head`` and ``exact`` as
    for :func:`measure_strength`.
    """
    rows = draw_queries(material, part, seed)
    if rows is None:
        return None
    gallery = CurveFitter(vectors, material, head, exact or _fit_exact(vectors, material))
    found = gallery.find_evidence(vectors[rows], rows)
    return found if found.distances.size else None
