"""Does the match strength keep its word, for products and for photos alike?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fashify.catalogue.photos import PhotoSet
from fashify.config import SEED
from fashify.errors import FashifyError, QueryError
from fashify.heads.strength import Evidence, Strength, measure_reliability
from fashify.io.plain import to_plain
from fashify.learning.calibrate import (
    ABSENT,
    CurveFitter,
    draw_queries,
    embed_queries,
    embed_scenes,
    measure_strength,
)
from fashify.learning.material import collect_material
from fashify.learning.methods import MAIN_LEVEL
from fashify.learning.photo_views import compose_views
from fashify.retrieval.photo_way import read_photo_batch
from fashify.retrieval.retriever import Retriever


@dataclass(frozen=True, eq=False)
class TrustReport:
    """Predicted against observed, and what "nothing similar" is worth.

    Attributes:
        reliability: one row a kind of query and bin: ``kind, predicted, observed, n`` matches.
        alarms: one row a kind: ``kind, queries, predicted, observed`` of all its matches, ``off``
            (mean gap of the bins), ``false_alarms``, ``absent_found``, ``others_found`` as of
            ``Strength``, and ``basis`` of its curve.
    """

    reliability: pd.DataFrame
    alarms: pd.DataFrame

    def conclusions(self) -> list[str]:
        """What the figures say, as sentences."""
        return [
            f"Of the matches of {row.kind} {row.predicted:.0%} are promised to be right and "
            f"{row.observed:.0%} are; bins are {row.off:.3f} off on average. "
            f'"Nothing similar" is said wrongly of {row.false_alarms:.0%}, and rightly of '
            f"{row.absent_found:.0%} whose type was taken out of the gallery."
            for row in self.alarms.itertuples()
        ]

    def to_dict(self) -> dict:
        """Plain JSON values."""
        tables = {"reliability": self.reliability, "alarms": self.alarms}
        return to_plain({name: table.to_dict("records") for name, table in tables.items()})


def measure_curve(retriever: Retriever, *, seed: int = SEED) -> Strength | None:
    """The curves that ``fashify learn`` would put into a store, which stays as it is.

    Args:
        retriever: of the store and its catalogue; its index measures cosine.
        seed: of the draw of products, backdrops and light.

    Returns:
        of products, and of photos by composed ones; None without types to judge by.
    """
    store, embedder = retriever.store, retriever.embedder
    material, catalogue = collect_material(store), retriever.catalogue
    views = compose_views(
        store, material, splits=("validation",), catalogue=catalogue, embedder=embedder, seed=seed
    )
    return measure_strength(
        store.vectors,
        replace(material, views=views),
        head=store.head,
        exact=retriever.index,
        photos=embed_queries(embedder, seed=seed),
        seed=seed,
    )


def measure_trust(
    retriever: Retriever,
    photos: PhotoSet | None = None,
    *,
    strength: Strength | None = None,
    split: str = "test",
    seed: int = SEED,
) -> TrustReport:
    """Holds a store's strength curves against products, and photos, that they were not fitted on.

    Args:
        retriever: of the store; its index measures cosine.
        photos: people's photos, the types that answer a label as of ``load_photos``.
        strength: the curves; those of the store by default.
        split: whose products are asked.
        seed: of the draw of products.

    Raises:
        QueryError: a store without a curve, or no product of the split to ask with.
    """
    store, strength = retriever.store, strength or retriever.strength
    if strength is None:
        raise QueryError(
            "a store whose match strength is calibrated", "one without", "run: fashify learn"
        )
    material = collect_material(store)
    fitter = CurveFitter(store.vectors, material, store.head, retriever.index)
    rows = draw_queries(material, split, seed)
    if rows is None:
        raise QueryError(
            f"products of the {split} split with a type", "none", "use a larger catalogue"
        )
    queries = np.asarray(store.vectors[rows])
    own = fitter.types[None, :] == material.labels[MAIN_LEVEL][rows].astype(str)[:, None]
    known = fitter.find_evidence(queries, rows)
    judged = [_judge("products", fitter, strength, queries, own, known)]
    if photos is not None:
        curve = strength.photos or strength
        queries, own = fitter.find_answered(*_read(retriever, photos))
        curve = fitter.count_scenes(curve, embed_scenes(retriever.embedder, seed=seed + 1))
        known = fitter.find_photo_evidence(queries, own)
        judged.append(_judge("photos", fitter, curve, queries, own, known))
    return TrustReport(
        pd.concat([table for table, _ in judged], ignore_index=True),
        pd.DataFrame([row for _, row in judged]),
    )


def _read(retriever: Retriever, photos: PhotoSet) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """(q, d) of the photos that can be read, each by the way of a photo, and their answers."""
    able = photos.with_answers(set(retriever.store.labels(MAIN_LEVEL)) - {""})
    vectors, answers = [], []
    for place, label in enumerate(able.table["label"]):
        try:
            image = able.image(place)
        except FashifyError:
            continue
        vectors.append(read_photo_batch(retriever, [image])[0].vector)
        answers.append(able.answers[label])
    return np.stack(vectors), answers


def _judge(
    kind: str,
    fitter: CurveFitter,
    curve: Strength,
    queries: np.ndarray,
    own: np.ndarray,
    known: Evidence,
) -> tuple[pd.DataFrame, dict]:
    table = measure_reliability(curve, *known)
    weights = table["n"] / table["n"].sum()
    some = np.random.default_rng(SEED).permutation(len(queries))[:ABSENT]
    counted = fitter.count_alarms(curve, known, queries[some], own[some])
    row = {
        "kind": kind,
        "queries": len(queries),
        "predicted": float((weights * table["predicted"]).sum()),
        "observed": float((weights * table["observed"]).sum()),
        "off": float((weights * (table["predicted"] - table["observed"]).abs()).sum()),
        "false_alarms": counted.false_alarms,
        "absent_found": counted.absent_found,
        "others_found": curve.others_found,
        "basis": curve.basis,
    }
    return table.assign(kind=kind)[["kind", *table.columns]], row
