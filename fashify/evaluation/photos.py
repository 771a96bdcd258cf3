"""How good the answers to people's photos are: a photo set judged against a store's products."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tqdm import tqdm

from fashify.catalogue.photos import PhotoSet, load_photos
from fashify.config import SEED
from fashify.errors import FashifyError, FewProductsError, QueryError
from fashify.evaluation.intervals import Intervals, bootstrap
from fashify.index import make_index
from fashify.io.plain import to_plain
from fashify.retrieval.photo_way import WHOLE, PhotoReading, read_photo_batch
from fashify.retrieval.retriever import Retriever

if TYPE_CHECKING:
    from fashify.catalogue import Catalogue
    from fashify.store import FeatureStore

__all__ = ["PhotoReport", "PhotoSet", "evaluate_photos", "load_photos"]

#: What is measured of every photo.
MEASURES = ("precision", "hit_1", "chance")

#: Photos decoded and embedded at once.
_BATCH = 64

LEVEL = "article_type"


@dataclass(frozen=True, eq=False)
class PhotoReport:
    """How a store answers people's photos.

    A neighbour is relevant when its article type answers the photo's label.

    Attributes:
        k: places a precision looks at.
        vectors: "served" or "raw".
        micro, macro: mean over the photos of counted labels, and over those labels' means, of
            ``precision`` (at k), ``hit_1`` (the first is relevant), ``chance`` (the share of
            the gallery that is relevant); fractions.
        intervals: of the same means, ``intervals["micro"]["precision"] == (low, high)``: 95 %
            cluster bootstrap by person; NaN where it was not asked for.
        table: one row per label: ``label, n`` photos, ``people, precision, precision_low,
            precision_high, hit_1, chance, counted``, the counted first, n descending.
        photos: one row a judged photo: ``image, label, person, place`` in the set,
            ``precision, hit_1, chance, nearest`` (distance of the first neighbour), ``cut``
            (out of a frame or screenshot) and ``turn`` (degrees anticlockwise).
        neighbours: (q, k) item ids, nearest first.
        distances: (q, k) float32.
        relevant: (q, k) bool.
        confusion: one row per label and article type found for it: ``label, article_type, count,
            share`` of the label's neighbours, ``relevant``; most frequent first.
        unread: photos that could not be read, ``image, reason``.
        n_unanswered: photos whose label no article type of the gallery answers; left out.
        facts: photo set, part, gallery, backbone, as plain values.
    """

    k: int
    vectors: str
    micro: dict[str, float]
    macro: dict[str, float]
    intervals: dict[str, dict[str, tuple[float, float]]]
    table: pd.DataFrame
    photos: pd.DataFrame
    neighbours: np.ndarray
    distances: np.ndarray
    relevant: np.ndarray
    confusion: pd.DataFrame
    unread: pd.DataFrame
    n_unanswered: int
    facts: dict

    def __post_init__(self) -> None:
        for array in (self.neighbours, self.distances, self.relevant):
            array.flags.writeable = False

    @property
    def n_judged(self) -> int:
        """How many photos the micro mean is over."""
        return int(self.table.loc[self.table["counted"], "n"].sum())

    def best(self, n: int = 5) -> pd.DataFrame:
        """The n best rows of ``photos``, of different labels while there are enough."""
        return self._rank_queries(ascending=False).head(n)

    def worst(self, n: int = 5) -> pd.DataFrame:
        """The n worst rows of ``photos``, of different labels while there are enough."""
        return self._rank_queries(ascending=True).head(n)

    def confusions(self, n: int = 20) -> pd.DataFrame:
        """The n most frequent wrong pairs of label and article type, by share of the label's."""
        return self.confusion[~self.confusion["relevant"]].head(n).reset_index(drop=True)

    def mean_text(self, mean: str, measure: str = "precision") -> str:
        """``0.790 [0.781, 0.799]``: a mean with its interval."""
        value, (low, high) = getattr(self, mean)[measure], self.intervals[mean][measure]
        return f"{value:.3f}" + ("" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]")

    @property
    def summary(self) -> str:
        """Two sentences with the figures that matter."""
        n_counted = int(self.table["counted"].sum())
        other = len(self.photos) - self.n_judged
        beside = f"; {other} of other labels are in the table alone" if other else ""
        return (
            f"Photos: precision@{self.k} {self.mean_text('micro')} micro, "
            f"{self.mean_text('macro')} macro over {n_counted} labels; chance gives "
            f"{self.micro['chance']:.3f} and {self.macro['chance']:.3f}. "
            f"{self.n_judged:,} photos of {self.facts['people']} people against "
            f"{self.facts['n_gallery']:,} products{beside}; {self.n_unanswered} whose label "
            f"nothing answers and {len(self.unread)} unreadable left out. {self._describe_way()}"
        )

    def _describe_way(self) -> str:
        """What was done to the photos before they were searched with."""
        if self.facts["as_it_is"]:
            return "Each was searched as it is."
        cut, turned = int(self.photos["cut"].sum()), int((self.photos["turn"] > 0).sum())
        return (
            f"Each went the way of a photo in a search: {cut} were cut out of a frame or "
            f"screenshot, {turned} turned."
        )

    def conclusions(self) -> list[str]:
        """What the figures say, as sentences."""
        judged = self.table[self.table["counted"]].sort_values("precision", ignore_index=True)
        low, high = judged.iloc[0], judged.iloc[-1]
        found = [
            f"Of {self.k} answers to a photo {self.micro['precision'] * self.k:.1f} are of the "
            f"right kind ({self.mean_text('micro')}); at random it would be "
            f"{self.micro['chance'] * self.k:.1f}.",
            f"Best answered is {high['label']} ({high['precision']:.3f}), worst "
            f"{low['label']} ({low['precision']:.3f}).",
        ]
        wrong = self.confusions(1)
        if len(wrong):
            row = wrong.iloc[0]
            found.append(
                f"The most frequent mistake: {row['share']:.0%} of what is shown for "
                f"{row['label']} is {row['article_type']}."
            )
        return found

    def to_dict(self) -> dict:
        """Everything but the per-photo rows, as plain JSON values; undefined is None."""
        tables = {"table": self.table, "confusions": self.confusions(), "unread": self.unread}
        tables |= {"best": self.best(), "worst": self.worst()}
        return to_plain(
            {
                "k": self.k,
                "vectors": self.vectors,
                "micro": self.micro,
                "macro": self.macro,
                "intervals": self.intervals,
                "n_judged": self.n_judged,
                "n_unanswered": self.n_unanswered,
                "facts": self.facts,
            }
            | {name: table.to_dict("records") for name, table in tables.items()}
        )

    def _rank_queries(self, *, ascending: bool) -> pd.DataFrame:
        ordered = self.photos.sort_values(
            ["precision", "nearest"], ascending=[ascending, not ascending], kind="stable"
        )
        again = ordered.duplicated("label")
        return pd.concat([ordered[~again], ordered[again]])


def evaluate_photos(
    store: FeatureStore,
    photos: PhotoSet,
    *,
    k: int = 5,
    vectors: str = "served",
    retriever: Retriever | None = None,
    intervals: bool = True,
    seed: int = SEED,
    progress: bool = False,
    as_it_is: bool = False,
) -> PhotoReport:
    """Search a store with people's photos and judge the kinds of product found.

    A photo goes the very way it goes in a search: out of its frame or screenshot, and upright
    (``Retriever.read_photo``).

    Args:
        store: a FeatureStore with article types.
        photos: of ``load_photos``, or a ``.part`` of them.
        k: places a precision looks at, 1 to the size of the gallery.
        vectors: "served", what the store's index holds; or "raw", the backbone's features.
        retriever: of the same store, where one is open: its backbone is used.
        intervals: bootstrap people; needs two of them.
        seed: of the intervals.
        progress: show a progress bar.
        as_it_is: search the photos neither cut out nor turned.

    Raises:
        NoLabelsError: no label that an article type of the store answers.
        QueryError: no photo that can be read, one person alone, or k out of range.

    >>> from fashify import FeatureStore, evaluate_photos, load_photos
    >>> report = evaluate_photos(FeatureStore.load("data/sample-store"), load_photos("sample"))
    >>> len(report.photos) + report.n_unanswered
    8
    """
    types = np.asarray(store.labels(LEVEL)).astype(str)
    _check_question(store, photos, k, vectors, intervals)
    able = photos.with_answers(set(types) - {""})
    retriever = retriever or Retriever(
        store, make_index("exact").fit(store.vectors, store.item_ids, view_items=store.view_items)
    )
    places, found, unread = _embed_photos(retriever, able, vectors, as_it_is, progress)
    index = retriever.index
    if vectors == "raw" and store.vectors is not store.features:
        index = make_index("exact").fit(store.features, store.item_ids, view_items=store.view_items)
    answer = index.search(found, k)
    asked = able.table.iloc[places["place"]].reset_index(drop=True)
    relevant = _relevant(able, asked["label"], types, answer.positions)
    asked = asked.assign(**places)
    judged = _judge_answers(able, asked, types, relevant, answer.distances)
    table, micro, macro, spread = _means(judged, able.counted, intervals, seed)
    return PhotoReport(
        k=k,
        vectors=vectors,
        micro=micro,
        macro=macro,
        intervals=spread,
        table=table,
        photos=judged,
        neighbours=np.asarray(store.item_ids).astype(str)[answer.positions],
        distances=np.asarray(answer.distances),
        relevant=relevant,
        confusion=_confusion(asked["label"], types[answer.positions], relevant),
        unread=unread,
        n_unanswered=len(photos) - len(able),
        facts=_facts(store, photos, judged, seed) | {"as_it_is": as_it_is},
    )


def _check_question(
    store: FeatureStore, photos: PhotoSet, k: int, vectors: str, intervals: bool
) -> None:
    if vectors not in ("served", "raw"):
        raise QueryError("vectors served or raw", repr(vectors), "use one of these")
    if not 1 <= k <= len(store):
        raise (FewProductsError if k >= 1 else QueryError)(
            f"k from 1 to {len(store):,}", f"k = {k}", "choose k within the gallery"
        )
    if intervals and photos.people < 2:
        one = "one person alone" if photos.people else "a table without people"
        raise QueryError(
            "photos of two people or more, for intervals draw people",
            one,
            "name each photo's person, or go without: intervals=False, on the command line "
            "--no-intervals",
        )


def _embed_photos(
    retriever: Retriever, photos: PhotoSet, vectors: str, as_it_is: bool, progress: bool
) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """``place, cut, turn`` of those q that could be read, (q, d) their vectors, and the others."""
    rows: list[tuple[int, bool, int]] = []
    found: list[np.ndarray] = []
    unread: list[tuple[str, str]] = []
    for start, images in _batches(photos, progress):
        good = [n for n, image in enumerate(images) if not isinstance(image, FashifyError)]
        readable = [image for image in images if not isinstance(image, FashifyError)]
        for n, image in enumerate(images):
            if isinstance(image, FashifyError):
                unread.append((photos.table["image"].iloc[start + n], str(image)))
        readings = read_photo_batch(retriever, readable, as_it_is=as_it_is)
        found += [_vector(retriever, reading, vectors) for reading in readings]
        rows += [
            (start + n, reading.box != WHOLE, reading.turn)
            for n, reading in zip(good, readings, strict=True)
        ]
    if not rows:
        raise QueryError(
            "a photo that can be read", f"{len(unread)} that cannot: {unread[0][1]}", "mend them"
        )
    return (
        pd.DataFrame(rows, columns=["place", "cut", "turn"]),
        np.stack(found),
        pd.DataFrame(unread, columns=["image", "reason"]),
    )


def _vector(retriever: Retriever, reading: PhotoReading, vectors: str) -> np.ndarray:
    """(d,) of a photo as read: served, or the backbone's bare feature."""
    if vectors == "served":
        return reading.vector
    embedder = retriever.embedder
    return embedder.embed_prepared(embedder.prepare(reading.image)[None])[0]


def _batches(
    photos: PhotoSet, progress: bool
) -> Iterator[tuple[int, Sequence[np.ndarray | FashifyError]]]:
    """(first row, photos or why not) of ``_BATCH`` rows each."""

    def read(place: int) -> np.ndarray | FashifyError:
        try:
            return photos.image(place)
        except FashifyError as error:
            return error

    bar = tqdm(total=len(photos), desc="photos", unit="photo", disable=not progress)
    with ThreadPoolExecutor() as pool, bar:
        for start in range(0, len(photos), _BATCH):
            batch = list(pool.map(read, range(start, min(start + _BATCH, len(photos)))))
            yield start, batch
            bar.update(len(batch))


def _relevant(
    photos: PhotoSet, labels: pd.Series, types: np.ndarray, positions: np.ndarray
) -> np.ndarray:
    """(q, k) bool: the neighbour's article type answers the photo's label."""
    found = types[positions]
    rows = [np.isin(row, photos.answers[label]) for label, row in zip(labels, found, strict=True)]
    return np.stack(rows) & (positions >= 0)


def _judge_answers(
    photos: PhotoSet,
    asked: pd.DataFrame,
    types: np.ndarray,
    relevant: np.ndarray,
    distances: np.ndarray,
) -> pd.DataFrame:
    chance = {
        label: float(np.isin(types, photos.answers[label]).mean()) for label in set(asked["label"])
    }
    return asked.assign(
        precision=relevant.mean(axis=1),
        hit_1=relevant[:, 0].astype(float),
        chance=asked["label"].map(chance),
        nearest=np.asarray(distances)[:, 0],
    )


def _means(
    judged: pd.DataFrame, counted: frozenset[str], intervals: bool, seed: int
) -> tuple[pd.DataFrame, dict, dict, dict]:
    """The table by label, the means, and their intervals."""
    inside = judged["label"].isin(counted)
    # Where none of the labels that count is there, all that are there do.
    inside = inside if inside.any() else ~inside
    rows = judged[inside]
    names = sorted(set(judged["label"]))
    codes = np.searchsorted(names, judged["label"])
    is_counted = np.isin(names, sorted(set(rows["label"])))
    means = judged.groupby("label")[list(MEASURES)].mean()
    micro = rows[list(MEASURES)].mean().to_dict()
    macro = means[is_counted].mean().to_dict()
    edges = np.full((len(names), 2), np.nan)
    spread = {mean: dict.fromkeys(MEASURES, (math.nan, math.nan)) for mean in ("micro", "macro")}
    if intervals:
        edges = _spread(judged, codes, is_counted, seed).categories[:, 0]
        within = _spread(rows, codes[inside], is_counted, seed)
        for mean in ("micro", "macro"):
            pairs = map(tuple, getattr(within, mean).tolist())
            spread[mean] = dict(zip(MEASURES, pairs, strict=True))
        if rows.groupby("label")["person"].nunique().max() < 2:
            # One person a label: drawing people moves no label's mean, which tells nothing.
            spread["macro"] = dict.fromkeys(MEASURES, (math.nan, math.nan))
    table = means.assign(
        n=judged.groupby("label").size(),
        people=judged.groupby("label")["person"].nunique(),
        precision_low=edges[:, 0],
        precision_high=edges[:, 1],
        counted=is_counted,
    ).reset_index()
    order = ["counted", "n", "label"]
    table = table.sort_values(order, ascending=[False, False, True], ignore_index=True)
    columns = "label n people precision precision_low precision_high hit_1 chance counted"
    return table[columns.split()], micro, macro, spread


def _spread(rows: pd.DataFrame, codes: np.ndarray, counted: np.ndarray, seed: int) -> Intervals:
    values = rows[list(MEASURES)].to_numpy(float)
    return bootstrap(values, codes, rows["person"].to_numpy(str), counted, seed=seed)


def _confusion(labels: pd.Series, found: np.ndarray, relevant: np.ndarray) -> pd.DataFrame:
    pairs = pd.DataFrame(
        {
            "label": np.repeat(labels.to_numpy(str), found.shape[1]),
            "article_type": found.ravel(),
            "relevant": relevant.ravel(),
        }
    )
    counts = pairs.groupby(["label", "article_type", "relevant"]).size().rename("count")
    table = counts.reset_index()
    table["share"] = table["count"] / table.groupby("label")["count"].transform("sum")
    order = ["share", "label", "article_type"]
    table = table.sort_values(order, ascending=[False, True, True], ignore_index=True)
    return table[["label", "article_type", "count", "share", "relevant"]]


def _facts(store: FeatureStore, photos: PhotoSet, judged: pd.DataFrame, seed: int) -> dict:
    facts = {name: store.meta[name] for name in ("backbone", "engine") if name in store.meta}
    return facts | {
        "photos": photos.source,
        "answers": photos.basis,
        "people": int(judged["person"].nunique()),
        "n_photos": len(photos),
        "n_gallery": len(store),
        "seed": seed,
    }


def list_photo_rows(
    report: PhotoReport, photos: PhotoSet, catalogue: Catalogue, rows: pd.DataFrame
) -> list[tuple[tuple[np.ndarray, str], list[tuple[np.ndarray, str, bool]]]]:
    """Photos beside their matches, as ``fashify.plots.matches`` draws them.

    Args:
        report: of these photos.
        photos: the set that was judged.
        catalogue: where the products' pictures are.
        rows: of ``report.photos``, such as ``report.worst(4)``.
    """
    place_of = {image: place for place, image in enumerate(photos.table["image"])}
    shown = []
    for row, photo in rows.iterrows():
        picture = photos.image(place_of[photo["image"]])
        found = []
        for near, distance, hit in islice(
            zip(report.neighbours[row], report.distances[row], report.relevant[row], strict=True),
            report.k,
        ):
            caption = f"{catalogue.facts(near)[LEVEL]}\n{distance:.3f}"
            found.append((catalogue.image(near), caption, bool(hit)))
        shown.append(((picture, f"{photo['label']}\nperson {photo['person']}"), found))
    return shown
