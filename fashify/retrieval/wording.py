"""How well each product of a gallery answers a text: by its words, and by its picture.

Both are log odds. That of the words comes from BM25 and from the labels that the text names,
that of the picture from the text tower and from the classes that the network sees. The
coefficients were chosen on names and attributes of the Kaggle catalogue's validation products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd

from fashify.config import LEVELS
from fashify.errors import NoWordsError, QueryError
from fashify.retrieval.attributes import PATTERN, Attributes, see_attributes
from fashify.store import FeatureStore
from fashify.text.files import find_tower, open_index
from fashify.text.index import WordIndex
from fashify.text.meaning import Labels, Meaning, Term, understand
from fashify.text.table import LEVEL_OF
from fashify.text.tower import TextEncoder
from fashify.text.words import stem, stems

#: Log odds: constant, of the share of the words that a product has, and of the share of the
#: named labels that are its own.
WORDS = (-16.0, 24.0, 8.0)

#: Log odds of the share of the named labels where labels are all that a text names.
LABELS_ALONE = 32.0

#: Log odds: constant, of the tower's cosine in standard deviations over the gallery, and of the
#: mean log probability of the named classes, times the sixth power of their share of the words.
PICTURE = (-8.0, 1.5, 4.0)

#: Numbers of a picture that a search by text reads.
SHORT = 96

#: Kinds of labels that an item keeps where the text beside it names none.
KEPT = ("type", "gender")

#: A picture is taken to show an excluded class from this probability on.
SHOWN = 0.4


@dataclass(frozen=True)
class Scores:
    """Log odds that each product answers a text.

    Attributes:
        words: (n,) by names and labels; None in a gallery without any.
        picture: (n,) by the picture; None without a tower and without attributes.
        allowed: (n,) bool, False for what the text excludes.
    """

    words: np.ndarray | None
    picture: np.ndarray | None
    allowed: np.ndarray


class Wording:
    """A gallery that can be asked in words; what it needs is made at the first use and kept.

    Args:
        store: the gallery.
        tower: for its features; the store's own, or the one shipped for its backbone, by default.
    """

    def __init__(self, store: FeatureStore, tower: TextEncoder | None = None) -> None:
        self.store, self._tower = store, tower

    @cached_property
    def index(self) -> WordIndex:
        """Names, labels and text columns."""
        return open_index(self.store.path, self.store.items)

    @cached_property
    def labels(self) -> Labels:
        """The labels of the gallery by their words."""
        return Labels(self.store.items)

    @cached_property
    def tower(self) -> TextEncoder | None:
        """The text tower of these features; None where there is none."""
        if self._tower is not None:
            return self._tower
        return find_tower(self.store.path, self.store.meta.get("backbone", {}))

    @cached_property
    def pictures(self) -> np.ndarray | None:
        """(n, dim) float32, the pictures in the tower's space."""
        return None if self.tower is None else self.tower.pictures(first_features(self.store))

    @cached_property
    def attributes(self) -> Attributes | None:
        """What the network sees in each picture."""
        backbone = self.store.meta.get("backbone", {})
        return see_attributes(first_features(self.store), backbone, self.tower)

    @cached_property
    def has_words(self) -> bool:
        """Whether any product has a name or a label."""
        return self.index.has_any

    def understand(self, text: str) -> Meaning:
        """What a text means in this gallery; errors as ``fashify.text.meaning.understand``.

        Raises:
            QueryError: nothing here can answer a text, or none of its words is known.
        """
        if not self.has_words and self.tower is None:
            raise NoWordsError(
                "a gallery with names, labels or a text tower",
                "a text for one without any",
                "build it with a table of names, or with the backbone fashify-lite",
            )
        meaning = understand(text, self.labels, knows=self.knows, spell=self.index.spell)
        known = [term for term in meaning.terms if term.said not in meaning.unknown]
        if not known:
            said = ", ".join(meaning.unknown) or text
            raise QueryError(
                "a word that the gallery, its tower or the table of words knows",
                f"{said!r}, which nothing here answers",
                "use other words, such as a colour and a kind of garment",
            )
        return meaning

    def knows(self, word: str) -> bool:
        """Whether the gallery's words, or those the tower learned, include a stem."""
        return self.index.knows(word) or (self.tower is not None and self.tower.knows(word))

    def score(
        self,
        meaning: Meaning,
        *,
        labels: bool = True,
        beside: bool = False,
        item: int | None = None,
        cosines: np.ndarray | None = None,
    ) -> Scores:
        """How well each product answers.

        Args:
            meaning: from ``understand``.
            labels: whether names and labels are read; else the pictures alone.
            beside: the text stands beside an image, of which it changes something.
            item: row of the product that the image is of, if it is one of the gallery.
            cosines: (n,) of the pictures to the text, where ``compare_texts`` found them already.
        """
        wanted, words = meaning.wanted, None
        if labels and wanted and self.has_words:
            words = self._by_words(meaning, beside, item)
        picture = self._by_picture(meaning, cosines) if wanted else None
        allowed = np.ones(len(self.store), bool)
        for term in meaning.excluded:
            allowed &= ~self._mask_shown(term, labels)
        return Scores(words, picture, allowed)

    def _by_words(self, meaning: Meaning, beside: bool, item: int | None) -> np.ndarray:
        constant, of_share, of_labels = WORDS
        named = [term for term in meaning.wanted if term.labels]
        agreed = [self._has_label(term) for term in named]
        if item is not None:
            agreed += self._keep_labels(meaning, item)
        # Beside an image the words of a label say no more than the label itself.
        said = [term for term in meaning.wanted if not (beside and term.labels)]
        share = self.index.scores(self._stems_of(said))
        if not agreed:
            # What no label can say is left to the words of the name.
            return constant + (of_share + of_labels) * share
        if len(named) == len(meaning.wanted) and not beside:
            of_labels = LABELS_ALONE
        if not said:
            of_share, of_labels = 0.0, of_share + of_labels
        return constant + of_share * share + of_labels * np.mean(agreed, axis=0)

    def _keep_labels(self, meaning: Meaning, item: int) -> list[np.ndarray]:
        """(n,) float32 for each of ``KEPT`` that the text leaves as the item has it."""
        kept = []
        for kind in KEPT:
            codes, _ = self._codes.get(LEVEL_OF[kind], (None, None))
            label = self.store.items.get(LEVEL_OF[kind])
            if codes is None or meaning.of(kind) or not label.iloc[item]:
                continue
            kept.append((codes == codes[item]).astype(np.float32))
        return kept

    def query_stems(self, meaning: Meaning) -> list[str]:
        """Stems of what is wanted, as the gallery's own words say it."""
        return self._stems_of(meaning.wanted)

    def count_labels(self, meaning: Meaning) -> np.ndarray:
        """(n,) float32: how many of the named labels each product has."""
        named = [self._has_label(term) for term in meaning.wanted if term.labels]
        return np.array(named, np.float32).reshape(-1, len(self.store)).sum(axis=0)

    def _stems_of(self, terms: Sequence[Term]) -> list[str]:
        found: list[str] = []
        for term in terms:
            said = [stem(word) for word in term.said.split()]
            known = all(self.index.knows(word) for word in said)
            found += said if known or term.kind == "word" else stems(term.name)
        return found

    def _by_picture(self, meaning: Meaning, cosines: np.ndarray | None) -> np.ndarray | None:
        constant, of_tower, of_classes = PICTURE
        logs = [self._log_seen(term) for term in meaning.wanted]
        seen = [log for log in logs if log is not None]
        if self.pictures is None and not seen:
            return None
        score = np.full(len(self.store), constant, np.float32)
        if cosines is None:
            (cosines,) = self.compare_texts([meaning])
        if cosines is not None:
            score += of_tower * standardise(cosines)
        if seen:
            # A class says little of a name of many words, and nearly all of "black shirts".
            words = [len(term.said.split()) for term in meaning.wanted]
            named = sum(n for n, log in zip(words, logs, strict=True) if log is not None)
            share = np.float32((named / sum(words)) ** 6)
            score += of_classes * share * np.mean(seen, axis=0, dtype=np.float32)
        return score

    def compare_texts(self, meanings: Sequence[Meaning]) -> list[np.ndarray | None]:
        """For each text (n,) float32 cosines to the pictures, read once for all; None without them.

        A text of which nothing is wanted has none either.
        """
        found: list[np.ndarray | None] = [None] * len(meanings)
        asked = [row for row, meaning in enumerate(meanings) if meaning.wanted]
        if not asked or self.pictures is None or self.tower is None:
            return found
        short, basis = self._short
        texts = self.tower.embed([self._tower_text(meanings[row]) for row in asked])
        for row, cosines in zip(asked, (texts @ basis) @ short.T, strict=True):
            found[row] = cosines
        return found

    @cached_property
    def _short(self) -> tuple[np.ndarray, np.ndarray]:
        """(n, ``SHORT``) the pictures along their longest directions, and these (dim, ``SHORT``).

        A query reads all of them, and takes as long as that: fewer numbers, less time. Of
        291 held-out names 0.433 are found among the first ten with 96, 0.423 with all 256.
        """
        assert self.pictures is not None
        _, directions = np.linalg.eigh(self.pictures.T @ self.pictures)
        basis = np.ascontiguousarray(directions[:, ::-1][:, :SHORT])
        return self.pictures @ basis, basis

    def without_patterns(self, similarity: np.ndarray) -> np.ndarray:
        """(n,) what is left of a likeness when all that goes with patterns is taken out of it.

        Its residual after a regression on the log probabilities of the patterns.
        """
        basis = self._pattern_basis
        return similarity if basis is None else similarity - basis @ (basis.T @ similarity)

    @cached_property
    def _pattern_basis(self) -> np.ndarray | None:
        """(n, patterns) orthonormal: what is seen of each pattern, about its mean."""
        seen = self.attributes
        logs = None if seen is None else seen.logs.get(PATTERN)
        return None if logs is None else np.linalg.qr(logs - logs.mean(axis=0))[0]

    def _tower_text(self, meaning: Meaning) -> str:
        """The text as it was said, where the tower read such words; else in the table's English."""
        assert self.tower is not None
        if meaning.language != "en" or meaning.excluded or meaning.corrections:
            return meaning.english
        replaced = [term for term in meaning.wanted if term.kind != "word"]
        words = [stem(word) for term in replaced for word in term.said.split()]
        return meaning.text if all(map(self.tower.knows, words)) else meaning.english

    def _log_seen(self, term: Term) -> np.ndarray | None:
        """(n,) log probability that a picture shows a term; None where no class is it."""
        return self._log_cached(term.kind, term.level, term.name, term.labels)

    @lru_cache(maxsize=64)  # noqa: B019  A wording lives as long as its gallery.
    def _log_cached(
        self, kind: str, level: str, name: str, labels: tuple[str, ...]
    ) -> np.ndarray | None:
        if self.attributes is None:
            return None
        return self.attributes.log_of(kind, level, name, labels)

    def _has_label(self, term: Term) -> np.ndarray:
        """(n,) float32: 1 for a product with one of the labels, what is seen where it has none."""
        own = self._codes[term.level]
        at = [own[1][label] for label in term.labels if label in own[1]]
        asked = np.zeros(len(own[1]), np.float32)
        asked[at] = 1
        has = asked[own[0]]
        missing = own[0] == own[1].get("", -1)
        if missing.any() and (log := self._log_seen(term)) is not None:
            has[missing] = np.exp(log[missing])
        return has

    @cached_property
    def _codes(self) -> dict[str, tuple[np.ndarray, dict[str, int]]]:
        """Level -> (n,) number of each product's label, and the labels' numbers."""
        found = {}
        for level in (level for level in LEVELS if level in self.store.items):
            labels = self.store.items[level].fillna("").astype(str)
            codes, values = pd.factorize(labels)
            found[level] = codes, {str(value): at for at, value in enumerate(values)}
        return found

    def _mask_shown(self, term: Term, labels: bool) -> np.ndarray:
        """(n,) bool: products that an excluded term holds for."""
        if labels and term.labels:
            return self._has_label(term) >= 0.5
        shown = np.zeros(len(self.store), bool)
        if labels:
            shown |= self.index.has(self._stems_of([term]))
        log = self._log_seen(term)
        if log is not None and not (labels and shown.any()):
            shown |= np.exp(log) >= SHOWN
        return shown


def first_features(store: FeatureStore) -> np.ndarray:
    """(n, dim) features of each product's first picture."""
    one_each = len(store.features) == len(store)
    return store.features if one_each else store.features[store.first_views]


def standardise(values: np.ndarray) -> np.ndarray:
    """(n,) less their mean, over their standard deviation; zeros where all are equal."""
    return (values - values.mean()) / max(float(values.std()), 1e-6)
