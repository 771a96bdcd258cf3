"""What a match's distance means: the probability that it shares the query's article type.

Distances of different catalogues and heads mean different things, and a photo from a phone lies
farther from every product than products do from each other. Two more things are known of a match
and hardly change from a shop's picture to a phone's: how many of the nearest products are of its
type, and how sure the network is what the query shows. Both stretch the distance, as much as a
logistic regression finds; isotonic regression on validation queries then maps it to what a person
can use: of such matches, the share that was of the query's own type (Zadrozny and Elkan,
*Transforming classifier scores into accurate multiclass probability estimates*, KDD 2002).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fashify.errors import QueryError, StoreCorruptError

FORMAT, VERSION = "fashify-strength", 3

#: A curve of version 1 knows nothing of photos, nor of types the gallery lacks; one of version 2
#: goes by the distance alone.
READABLE = (1, 2, VERSION)

#: Nearest products that are asked whether they are of a match's type.
NEIGHBOURS = 5

#: Most that disagreement or doubt may stretch a distance, as a factor's logarithm.
_MOST = 5.0

#: Of queries whose first match is right, at most this share may be told "nothing similar".
MOST_ALARMS = 0.1

#: From which probability each word is used.
BANDS = (0.25, 0.50, 0.75, 0.90)
WORDS = ("nothing similar", "loosely similar", "similar", "close", "very close")


class Evidence(NamedTuple):
    """What is known of the matches of q queries.

    Attributes:
        distances: (q, k).
        relevant: (q, k) bool, of the query's own type.
        agreement: (q, k) as ``measure_agreement`` gives it.
        confidence: (q, k) as ``Head.confidence`` gives it, the same for all matches of a query.
    """

    distances: np.ndarray
    relevant: np.ndarray
    agreement: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Strength:
    """A falling curve from distance to probability.

    Attributes:
        distances: (m,) ascending corners of the curve, stretched by disagreement and doubt.
        probabilities: (m,) in [0, 1], not rising.
        nothing_beyond: stretched distance beyond which nothing is called similar.
        precision: measured share of relevant matches among those within ``nothing_beyond``.
        n: matches it was fitted on.
        false_alarms: measured share of queries, of those whose first match is relevant, that are
            told "nothing similar"; ``None`` where not measured.
        absent_found: measured share of queries, of a type that is taken out of the gallery, that
            are told "nothing similar"; ``None`` where not measured.
        photos: the same for photos, which are farther from every product than products are from
            each other; ``None`` where not measured.
        dissent: a match that none of the other nearest products agrees with counts as
            ``exp(dissent)`` times as far.
        doubt: so does one of a query that the network knows nothing of, ``exp(doubt)`` times.
        others_found: measured share of pictures without any product that are told "nothing
            similar"; ``None`` where not measured.
        basis: what it was measured with, in words.
    """

    distances: np.ndarray
    probabilities: np.ndarray
    nothing_beyond: float
    precision: float
    n: int
    false_alarms: float | None = None
    absent_found: float | None = None
    photos: Strength | None = None
    dissent: float = 0.0
    doubt: float = 0.0
    others_found: float | None = None
    basis: str = ""

    def curve(self, *, photo: bool) -> Strength | None:
        """The curve of a kind of query; ``None`` of photos where none was measured with them."""
        return self.photos if photo else self

    def stretch(
        self,
        distance: float | np.ndarray,
        agreement: float | np.ndarray = 1.0,
        confidence: float | np.ndarray = 1.0,
    ) -> np.ndarray:
        """Distances made longer by what speaks against their matches."""
        against = self.dissent * (1 - np.asarray(agreement)) + self.doubt * (
            1 - np.asarray(confidence)
        )
        return np.asarray(distance) * np.exp(against)

    def probability(
        self,
        distance: float | np.ndarray,
        agreement: float | np.ndarray = 1.0,
        confidence: float | np.ndarray = 1.0,
    ) -> np.ndarray:
        """Of a match at ``distance``; constant beyond both ends of the curve."""
        stretched = self.stretch(distance, agreement, confidence)
        return np.interp(stretched, self.distances, self.probabilities)

    def words(self, distance: float, agreement: float = 1.0, confidence: float = 1.0) -> str:
        """One of ``WORDS``."""
        if self.stretch(distance, agreement, confidence) > self.nothing_beyond:
            return WORDS[0]
        likely = self.probability(distance, agreement, confidence)
        return WORDS[max(1, sum(likely >= band for band in BANDS))]

    def scale(self, factor: float) -> Strength:
        """The curve of queries ``factor`` times as far as those that it was fitted on."""
        beyond = self.nothing_beyond * factor
        return replace(self, distances=self.distances * factor, nothing_beyond=beyond)

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
        for name in _NUMBERS:
            value = getattr(self, name)
            about[name] = None if value is None else round(value, 6)
        return about | {
            "basis": self.basis,
            "photos": None if self.photos is None else self.photos._to_dict(),
        }

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
        numbers = {name: about[name] for name in _NUMBERS if about.get(name) is not None}
        return cls(
            np.array(about["distances"], float),
            np.array(about["probabilities"], float),
            n=int(about["n"]),
            photos=None if photos is None else cls._of_dict(photos),
            basis=str(about.get("basis", "")),
            **{name: float(value) for name, value in numbers.items()},
        )


#: Fields of a curve that are a number or unknown.
_NUMBERS = (
    *("nothing_beyond", "precision", "false_alarms", "absent_found", "others_found"),
    *("dissent", "doubt"),
)


def measure_agreement(types: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """How many of the other nearest products are of each match's type, a share.

    Args:
        types: (n,) of the products, "" where not known.
        positions: (q, k) of matches, the nearest first; -1 where there is none.

    Returns:
        (q, k) from 0 to 1 among the other of the first ``NEIGHBOURS``; 1 where there is no
        other, or where the type is not known.

    >>> import numpy as np
    >>> measure_agreement(np.array(["Hat", "Bag", "Hat"]), np.array([[0, 1, 2]])).tolist()
    [[0.5, 0.0, 0.5]]
    """
    found = np.where(positions >= 0, types[positions], "")
    near = found[:, :NEIGHBOURS]
    same = (found[:, :, None] == near[:, None, :]) & (near != "")[:, None, :]
    others = np.broadcast_to((near != "")[:, None, :], same.shape).copy()
    own = np.arange(near.shape[1])
    same[:, own, own] = others[:, own, own] = False
    counted = others.sum(axis=2)
    shares = same.sum(axis=2) / np.maximum(counted, 1)
    return np.where((counted == 0) | (found == ""), 1.0, shares)


def fit_strength(
    distances: np.ndarray,
    relevant: np.ndarray,
    agreement: np.ndarray | None = None,
    confidence: np.ndarray | None = None,
    *,
    least: float = 0.5,
) -> Strength:
    """Isotonic regression of relevance on distance, stretched by disagreement and doubt.

    Args:
        distances, relevant, agreement, confidence: of validation queries, see ``Evidence``.
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
    whole = np.ones(distances.shape)
    agreement = whole if agreement is None else agreement
    confidence = whole if confidence is None else confidence
    hit = relevant.ravel().astype(float)
    dissent, doubt = _fit_stretch(distances, agreement, confidence, hit)
    bare = Strength(
        np.zeros(1), np.zeros(1), 0.0, 0.0, distances.size, dissent=dissent, doubt=doubt
    )
    near = bare.stretch(distances, agreement, confidence).ravel().astype(float)
    curve = IsotonicRegression(y_min=0, y_max=1, increasing=False, out_of_bounds="clip")
    curve.fit(near, hit)
    x, y = curve.X_thresholds_, curve.y_thresholds_
    worth = x[y >= least]
    beyond = float(worth.max()) if len(worth) else float(x.min())
    within = near <= beyond
    precision = float(hit[within].mean()) if within.any() else 0.0
    return replace(bare, distances=x, probabilities=y, nothing_beyond=beyond, precision=precision)


def _fit_stretch(
    distances: np.ndarray, agreement: np.ndarray, confidence: np.ndarray, hit: np.ndarray
) -> tuple[float, float]:
    """How much disagreement and doubt count beside the logarithm of the distance."""
    from sklearn.linear_model import LogisticRegression

    columns = [np.log(np.maximum(distances, 1e-6)), 1 - agreement, 1 - confidence]
    told = np.stack([column.ravel() for column in columns], axis=1)
    if hit.min() == hit.max() or not np.ptp(told[:, 1:]):
        return 0.0, 0.0
    slope, *others = LogisticRegression(C=100.0).fit(told, hit).coef_[0]
    if slope >= -1e-3:
        # Nearer says nothing here: what is left is as much as either may count.
        slope = -1e-3
    dissent, doubt = np.clip(np.array(others) / slope, 0, _MOST)
    return float(dissent), float(doubt)


def choose_threshold(strength: Strength, first: np.ndarray, absent: np.ndarray) -> Strength:
    """The curve with "nothing similar" where it is worth most, and what it is worth.

    Chosen is where the most queries of a missing type are found out beyond those that are told so
    wrongly, of which there may be ``MOST_ALARMS`` at most.

    Args:
        strength: fitted.
        first: (q,) stretched distances of first matches that are relevant.
        absent: (r,) those of the first match of queries whose own type is left out.
    """
    if not len(first) or not len(absent):
        return count_alarms(strength, first, absent)
    tried = np.unique(np.concatenate([first, absent]))
    alarms = 1 - np.searchsorted(np.sort(first), tried, side="right") / len(first)
    found = 1 - np.searchsorted(np.sort(absent), tried, side="right") / len(absent)
    gain = np.where(alarms <= MOST_ALARMS, found - alarms, -1.0)
    beyond = float(tried[int(np.argmax(gain))])
    return count_alarms(replace(strength, nothing_beyond=beyond), first, absent)


def count_alarms(
    strength: Strength, first: np.ndarray, absent: np.ndarray, others: np.ndarray | None = None
) -> Strength:
    """The curve with what its "nothing similar" is worth.

    Args:
        strength: fitted.
        first, absent: as of ``choose_threshold``.
        others: (s,) the same of pictures without any product.
    """
    alarms, found, strange = (
        None if near is None or not len(near) else float((near > strength.nothing_beyond).mean())
        for near in (first, absent, others)
    )
    return replace(strength, false_alarms=alarms, absent_found=found, others_found=strange)


def measure_reliability(
    strength: Strength,
    distances: np.ndarray,
    relevant: np.ndarray,
    agreement: np.ndarray | float = 1.0,
    confidence: np.ndarray | float = 1.0,
    *,
    bins: int = 10,
) -> pd.DataFrame:
    """Is the probability true? Matches in bins of equal size by what was predicted of them.

    Niculescu-Mizil and Caruana, *Predicting good probabilities with supervised learning*, ICML
    2005.

    Args:
        strength: fitted on other queries.
        distances, relevant, agreement, confidence: see ``Evidence``.
        bins: at most.

    Returns:
        a row a bin, ascending: ``predicted`` and ``observed`` shares, ``n`` matches.
    """
    predicted = strength.probability(distances, agreement, confidence).ravel()
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
