"""Runs damaged queries through several searches: how often is the product still found?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify import metrics
from fashify.config import SEED
from fashify.errors import FewProductsError, NoLabelsError, QueryError
from fashify.evaluation.intervals import bootstrap
from fashify.evaluation.robustness.perturb import select_perturbations
from fashify.features import Embedder
from fashify.index import Index, make_index
from fashify.io.plain import to_plain
from fashify.retrieval.photo_way import read_photo_batch
from fashify.retrieval.region import find_products

if TYPE_CHECKING:
    from fashify.catalogue import Catalogue
    from fashify.retrieval import Retriever
    from fashify.store import FeatureStore

#: What is measured of every query: the shares found, and precision@k excluding its group.
MEASURES = ("hit_1", "hit_k", "precision")

#: Pictures embedded at once.
_BATCH = 64


@dataclass(frozen=True)
class Remedy:
    """One way to search.

    Attributes:
        embed: ``(n) pictures (h, w, 3) uint8 of any sizes -> (n, d)`` float32.
        index: fitted on the gallery, in the order of the store.
    """

    embed: Callable[[Sequence[np.ndarray]], np.ndarray]
    index: Index


@dataclass(frozen=True, eq=False)
class RobustnessReport:
    """How well a search answers damaged queries.

    Attributes:
        table: one row per remedy, perturbation and strength: ``remedy, perturbation, unit,
            strength, n`` queries, and for each of ``MEASURES`` the mean and its 95 % interval
            (``hit_1, hit_1_low, hit_1_high`` ...). ``hit_1`` and ``hit_k``: the query's own
            product, or one with the very same file, is the first, or among the first k.
            ``precision``: the share of the first k, without the query's group, that share its
            label. The perturbation "none" has strength 0.
        k: places looked at.
        level: whose label makes a neighbour relevant.
        n_gallery: products searched.
    """

    table: pd.DataFrame
    k: int
    level: str
    n_gallery: int

    @property
    def worst(self) -> pd.DataFrame:
        """The row of each remedy and perturbation at its largest strength."""
        order = self.table[self.table["perturbation"] != "none"].sort_values("strength")
        return order.drop_duplicates(["remedy", "perturbation"], keep="last").sort_index()

    def means(self) -> pd.DataFrame:
        """One row per remedy: its measures over all perturbations and strengths, alike."""
        spoiled = self.table[self.table["perturbation"] != "none"]
        return spoiled.groupby("remedy", sort=False)[list(MEASURES)].mean().reset_index()

    def conclusions(self) -> list[str]:
        """What the figures say, as sentences."""
        means = self.means()
        plain, best = means.iloc[0], means.loc[means["hit_1"].idxmax()]
        kind = means.loc[means["precision"].idxmax()]
        worst = self.worst[self.worst["remedy"] == best["remedy"]].sort_values("hit_1")
        low, high = worst.iloc[0], worst.iloc[-1]
        return [
            f"Of the products whose picture was spoiled {plain['hit_1']:.0%} are found first with "
            f"{plain['remedy']}, {best['hit_1']:.0%} with {best['remedy']}, which finds most.",
            f"Among the first {self.k} are {plain['hit_k']:.0%} and {best['hit_k']:.0%} of them.",
            f"Of the other answers {kind['precision']:.0%} are of the query's "
            f"{self.level.replace('_', ' ')} with {kind['remedy']}, {plain['precision']:.0%} with "
            f"{plain['remedy']}.",
            f"At its strongest {low['perturbation']} does most harm, with {low['hit_1']:.0%} found "
            f"first by {best['remedy']}, and {high['perturbation']} least, with "
            f"{high['hit_1']:.0%}.",
        ]

    def to_dict(self) -> dict:
        """Plain JSON values."""
        facts = {"k": self.k, "level": self.level, "n_gallery": self.n_gallery}
        return to_plain(facts | {"table": self.table.to_dict("records")})


def measure_robustness(
    store: FeatureStore,
    catalogue: Catalogue,
    remedies: Mapping[str, Remedy],
    *,
    n: int = 200,
    split: str = "test",
    names: Iterable[str] | None = None,
    strengths: int = 5,
    k: int = 5,
    level: str = "article_type",
    seed: int = SEED,
    progress: bool = False,
) -> RobustnessReport:
    """The same spoiled pictures through every remedy.

    Args:
        store: a FeatureStore, of whose products n are the queries.
        catalogue: where their pictures are.
        remedies: name -> how to search.
        n: queries, drawn from those of the split that have a label others share.
        split: as ``fashify.evaluation``: "test", "validation", "train" or "all".
        names: of ``PERTURBATIONS``; None for all.
        strengths: how many of each perturbation's.
        k: places looked at.
        level: whose label makes a neighbour relevant.
        seed: of the draw, the perturbations and the intervals.
        progress: show a progress bar.

    Raises:
        QueryError: no remedy, no product to ask for, k or a name out of range.
    """
    if not remedies:
        raise QueryError("at least one remedy", "none", "pass list_remedies(retriever)")
    files = store.views["sha256"].to_numpy()[store.first_views]
    identities = np.where(files == "", store.item_ids, files)
    if not 1 <= k < len(store):
        raise (FewProductsError if k >= 1 else QueryError)(
            f"k from 1 to {len(store) - 1:,}, the other products",
            f"k = {k}",
            "choose k within these",
        )
    labels = np.asarray(store.labels(level)).astype(str)
    queries = _draw_queries(store, labels, n, split, seed, level)
    asked = _QuerySet(queries, labels, store.groups, pd.factorize(identities)[0], k, seed)
    images = [catalogue.image(item_id) for item_id in store.item_ids[queries]]
    rows = []
    conditions = list(_list_conditions(names, strengths))
    for name, unit, strength, change in tqdm(conditions, "spoiling", disable=not progress):
        spoiled = [
            change(image, strength, (seed, int(query)))
            for image, query in zip(images, queries, strict=True)
        ]
        for remedy, search in remedies.items():
            facts = {"remedy": remedy, "perturbation": name, "unit": unit, "strength": strength}
            rows.append(facts | {"n": len(queries)} | asked.judge(search, spoiled))
    return RobustnessReport(pd.DataFrame(rows), k, level, len(store))


def list_remedies(retriever: Retriever) -> dict[str, Remedy]:
    """What a store offers, one remedy after the other added.

    Args:
        retriever: a ``fashify.Retriever``.

    Returns:
        ``as it comes`` (raw features, the picture stretched to the network's input),
        ``gallery's frame`` (the picture first brought to the size and proportions of the
        gallery's) where the gallery has one, ``frame and head`` where there is a head,
        ``product cut out``: as the store serves, of the part of the picture where the network
        sees the product; and ``way of a photo``: as a search does, out of frames and screenshots
        and upright.
    """
    embedder, store = retriever.embedder, retriever.store
    bare = Embedder(embedder.backbone, engine=embedder.engine, batch_size=embedder.batch_size)
    raw = retriever.index
    if store.head is not None:
        raw = make_index("exact").fit(store.features, store.item_ids, view_items=store.view_items)
    found = {"as it comes": Remedy(bare.embed_images, raw)}
    if embedder.frame is not None:
        found["gallery's frame"] = Remedy(embedder.embed_images, raw)
    if store.head is not None:
        found["frame and head"] = Remedy(_embed_served(retriever), retriever.index)
    found["product cut out"] = Remedy(_embed_products(retriever), retriever.index)
    found["way of a photo"] = Remedy(_read_photos(retriever), retriever.index)
    return found


def _embed_served(retriever: Retriever) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    def embed(images: Sequence[np.ndarray]) -> np.ndarray:
        prepare = retriever.embedder.prepare
        return retriever.embed_prepared(np.stack([prepare(image) for image in images]))

    return embed


def _read_photos(retriever: Retriever) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    def embed(images: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack([one.vector for one in read_photo_batch(retriever, images)])

    return embed


def _embed_products(retriever: Retriever) -> Callable[[Sequence[np.ndarray]], np.ndarray]:
    served = _embed_served(retriever)

    def embed(images: Sequence[np.ndarray]) -> np.ndarray:
        boxes = find_products(retriever.embedder, images)
        return served([box.crop_image(image) for box, image in zip(boxes, images, strict=True)])

    return embed


@dataclass(frozen=True, eq=False)
class _QuerySet:
    """The queries, and what is needed to judge their answers."""

    queries: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    files: np.ndarray
    k: int
    seed: int

    def judge(self, search: Remedy, images: Sequence[np.ndarray]) -> dict[str, float]:
        parts = [images[at : at + _BATCH] for at in range(0, len(images), _BATCH)]
        vectors = np.concatenate([np.asarray(search.embed(part), np.float32) for part in parts])
        # So deep that k remain when the query's whole group is dropped from the list.
        codes, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)[1:]
        depth = min(len(self.groups), self.k + int(sizes[codes[self.queries]].max()))
        positions = search.index.search(vectors, depth).positions
        found = self.files[positions] == self.files[self.queries][:, None]
        found &= positions >= 0
        values = np.column_stack(
            [found[:, 0], found[:, : self.k].any(axis=1), self._precision(positions)]
        ).astype(float)
        return self._mean_intervals(values)

    def _precision(self, positions: np.ndarray) -> np.ndarray:
        kin = self.groups[positions] == self.groups[self.queries][:, None]
        order = np.argsort(kin | (positions < 0), axis=1, kind="stable")[:, : self.k]
        excluding_group = np.take_along_axis(np.where(kin, -1, positions), order, axis=1)
        relevant = metrics.relevance(self.labels, self.queries, excluding_group)
        return metrics.precision_at_k(relevant, self.k)

    def _mean_intervals(self, values: np.ndarray) -> dict[str, float]:
        groups, one = self.groups[self.queries], np.zeros(len(values), dtype=int)
        edges = bootstrap(values, one, groups, np.ones(1, bool), seed=self.seed).micro
        found = dict(zip(MEASURES, values.mean(axis=0).tolist(), strict=True))
        for name, (low, high) in zip(MEASURES, edges.tolist(), strict=True):
            found |= {f"{name}_low": low, f"{name}_high": high}
        return found


def _list_conditions(
    names: Iterable[str] | None, strengths: int
) -> Iterator[tuple[str, str, float, Callable[..., np.ndarray]]]:
    yield "none", "", 0.0, lambda image, strength, seed: image
    for name, one in select_perturbations(names).items():
        for strength in one.choose_strengths(strengths):
            yield name, one.unit, float(strength), one


def _draw_queries(
    store: FeatureStore, labels: np.ndarray, n: int, split: str, seed: int, level: str
) -> np.ndarray:
    everyone = np.arange(len(labels))
    usable = metrics.count_relevant(labels, everyone, store.groups) > 0
    if split != "all":
        usable &= store.split == split
    pool = np.flatnonzero(usable)
    if not (labels != "").any():
        raise NoLabelsError(
            f"products with a {level}",
            "none in this catalogue, so which matches are right cannot be known",
            f"add a column {level} to its table, or judge by another level",
        )
    if n < 1 or not len(pool):
        raise (QueryError if n < 1 else FewProductsError)(
            f"a product of the {split} split whose {level} another group shares",
            f"n = {n} of {len(pool)} such products",
            "ask for one or more, of split all, or judge by another level",
        )
    return np.sort(np.random.default_rng(seed).permutation(pool)[:n])
