"""What a distance means: the probability that a match shares the query's article type.

Distances of different catalogues and heads mean different things. Isotonic regression on
validation queries maps them to what a person can use: of matches at this distance, the share
that was of the query's own type (Zadrozny and Elkan, *Transforming classifier scores into
accurate multiclass probability estimates*, KDD 2002). It assumes nothing but that nearer is
not worse.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from fashify.errors import QueryError, StoreCorruptError

FORMAT, VERSION = "fashify-strength", 2

#: A curve of version 1 knows nothing of photos, nor of types the gallery lacks.
READABLE = (1, VERSION)

#: From which probability each word is used.
BANDS = (0.25, 0.50, 0.75, 0.90)
WORDS = ("nothing similar", "loosely similar", "similar", "close", "very close")


@dataclass(frozen=True)
class Strength:
    """A falling curve from distance to probability.

    Attributes:
        distances: (m,) ascending corners of the curve.
        probabilities: (m,) in [0, 1], not rising.
        nothing_beyond: distance beyond which nothing is called similar.
        precision: measured share of relevant matches among those within ``nothing_beyond``.
        n: matches it was fitted on.
        false_alarms: measured share of queries, of those whose first match is relevant, that are
            told "nothing similar"; ``None`` where not measured.
        absent_found: measured share of queries, of a type that is taken out of the gallery, that
            are told "nothing similar"; ``None`` where not measured.
        photos: the same for photos, which are farther from every product than products are from
            each other; ``None`` where not measured.
    """

    distances: np.ndarray
    probabilities: np.ndarray
    nothing_beyond: float
    precision: float
    n: int
    false_alarms: float | None = None
    absent_found: float | None = None
    photos: Strength | None = None

    def curve(self, *, photo: bool) -> Strength | None:
        """The curve of a kind of query; ``None`` of photos where none was measured with them."""
        return self.photos if photo else self

    def probability(self, distance: float | np.ndarray) -> np.ndarray:
        """Of a match at ``distance``; constant beyond both ends of the curve."""
        return np.interp(distance, self.distances, self.probabilities)

    def words(self, distance: float) -> str:
        """One of ``WORDS``."""
        if distance > self.nothing_beyond:
            return WORDS[0]
        return WORDS[max(1, sum(self.probability(distance) >= band for band in BANDS))]

    def to_json(self) -> bytes:
        """The curve as a file; equal curves give equal bytes."""
        about = {"format": FORMAT, "version": VERSION, **self._to_dict()}
        return (json.dumps(about, indent=1, sort_keys=True) + "\n").encode()

    def _to_dict(self) -> dict[str, Any]:
        about: dict[str, Any] = {
            "distances": [round(float(value), 6) for value in self.distances],
            "probabilities": [round(float(value), 6) for value in self.probabilities],
            "n": self.n,
        }
        for name in ("nothing_beyond", "precision", "false_alarms", "absent_found"):
            value = getattr(self, name)
            about[name] = None if value is None else round(value, 6)
        return about | {"photos": None if self.photos is None else self.photos._to_dict()}

    @classmethod
    def from_json(cls, data: bytes) -> Strength:
        """The curve that ``to_json`` wrote; ``StoreCorruptError`` for anything else."""
        try:
            about = json.loads(data)
            if about["format"] != FORMAT or about["version"] not in READABLE:
                raise ValueError(f"{about['format']} version {about['version']}")
            return cls._of_dict(about)
        except (KeyError, TypeError, ValueError) as error:
            raise StoreCorruptError(
                "a strength curve as it was written", f"another file ({error})", "build it again"
            ) from error

    @classmethod
    def _of_dict(cls, about: dict[str, Any]) -> Strength:
        photos = about.get("photos")
        alarms, absent = (about.get(name) for name in ("false_alarms", "absent_found"))
        return cls(
            np.array(about["distances"], float),
            np.array(about["probabilities"], float),
            float(about["nothing_beyond"]),
            float(about["precision"]),
            int(about["n"]),
            None if alarms is None else float(alarms),
            None if absent is None else float(absent),
            None if photos is None else cls._of_dict(photos),
        )


def fit_strength(distances: np.ndarray, relevant: np.ndarray, *, least: float = 0.5) -> Strength:
    """Isotonic regression of relevance on distance.

    Args:
        distances: (q, k) of validation queries' matches.
        relevant: (q, k) bool, of the query's own type.
        least: "nothing similar" begins where the probability falls below this.

    Raises:
        QueryError: no match to learn from.
    """
    from sklearn.isotonic import IsotonicRegression

    if distances.shape != relevant.shape or not distances.size:
        raise QueryError(
            "distances and relevance of one shape, not empty",
            f"{distances.shape} and {relevant.shape}",
            "pass the matches of at least one query",
        )
    near, hit = distances.ravel().astype(float), relevant.ravel().astype(float)
    curve = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
    curve.fit(near, hit)
    x, y = curve.X_thresholds_, curve.y_thresholds_
    worth = x[y >= least]
    beyond = float(worth.max()) if len(worth) else float(x.min())
    within = near <= beyond
    precision = float(hit[within].mean()) if within.any() else 0.0
    return Strength(x, y, beyond, precision, len(near))


def add_alarms(strength: Strength, first: np.ndarray, absent: np.ndarray) -> Strength:
    """The curve with what "nothing similar" is worth.

    Args:
        strength: fitted.
        first: (q,) distances of first matches that are relevant.
        absent: (r,) distances of the first match of queries whose own type is left out.
    """
    alarms, found = (
        float((near > strength.nothing_beyond).mean()) if len(near) else None
        for near in (first, absent)
    )
    return replace(strength, false_alarms=alarms, absent_found=found)


def measure_reliability(
    strength: Strength, distances: np.ndarray, relevant: np.ndarray, *, bins: int = 10
) -> pd.DataFrame:
    """Is the probability true? Matches in bins of equal size by what was predicted of them.

    Niculescu-Mizil and Caruana, *Predicting good probabilities with supervised learning*, ICML
    2005.

    Args:
        strength: fitted on other queries.
        distances: (q, k) of matches.
        relevant: (q, k) bool.
        bins: at most.

    Returns:
        a row a bin, ascending: ``predicted`` and ``observed`` shares, ``n`` matches.
    """
    predicted = strength.probability(distances.ravel())
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    hit = relevant.ravel()
    return pd.DataFrame(
        {
            "predicted": [float(predicted[part].mean()) for part in parts],
            "observed": [float(hit[part].mean()) for part in parts],
            "n": [len(part) for part in parts],
        }
    )
