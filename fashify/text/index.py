"""Which products' words fit a text: BM25 over names, labels and text columns, in SQLite.

Each term's products and what it adds to their scores are kept ready, as in BM25S (Lù 2024), so
that a query reads a few rows of a table and adds them up: below a millisecond where FTS5's own
``bm25`` takes 30 for three frequent words of 44,441 products (``benchmarks/words.py``).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from fashify.errors import StoreCorruptError
from fashify.text.postings import COMPLETIONS, FORMAT, K1, READY, fill, idf
from fashify.text.spelling import bigrams, find_best, slips_allowed
from fashify.text.words import normalise, stem, tokenise

#: The file in a store.
WORDS = "words.sqlite"

#: Candidates whose spelling is compared.
_SPELT = 40


class WordIndex:
    """An inverted index over a gallery's words.

    Args:
        database: with the tables above; read only, from any thread.

    Attributes:
        n: products.
        key: of what it was made.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database, self._lock = database, threading.Lock()
        facts = dict(self._rows("SELECT key, value FROM meta"))
        if facts.get("format") != FORMAT:
            raise sqlite3.DatabaseError(f"format {facts.get('format')}")
        self.n, self.key = int(facts["n"]), facts["key"]
        self.postings = lru_cache(maxsize=512)(self._postings)

    @classmethod
    def build(cls, items: pd.DataFrame, path: Path | None = None, *, key: str = "") -> WordIndex:
        """The index of a gallery's table.

        Args:
            items: ``name``, the columns of ``LEVELS`` and any text columns, as far as it has
                them.
            path: the file to write; in memory by default.
            key: of what it was made, to be kept.
        """
        database = sqlite3.connect(path or ":memory:", check_same_thread=False)
        fill(database, items, key)
        return cls(database)

    @classmethod
    def load(cls, path: Path) -> WordIndex:
        """Opens the file that ``build`` wrote.

        Raises:
            StoreCorruptError: it is missing or another file.
        """
        try:
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            return cls(sqlite3.connect(uri, uri=True, check_same_thread=False))
        except (sqlite3.Error, KeyError, ValueError) as error:
            raise StoreCorruptError(
                "an index of words as it was written",
                f"{path} ({error})",
                "run: fashify learn --text",
            ) from error

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def scores(self, words: Iterable[str]) -> np.ndarray:
        """(n,) float32: how much of a text each product's words answer, 0 to 1.

        BM25 divided by what a product would get that had nothing but these words.

        Args:
            words: stems; those that no product has count as unanswered.
        """
        total, best = np.zeros(self.n, np.float32), 0.0
        for word in dict.fromkeys(words):
            positions, scores = self.postings(word)
            total[positions] += scores
            best += float(idf(len(positions), self.n)) * (K1 + 1)
        return total / np.float32(best) if best else total

    def knows(self, word: str) -> bool:
        """Whether a product has this stem."""
        return bool(self._rows("SELECT 1 FROM terms WHERE term = ?", word))

    @property
    def has_any(self) -> bool:
        """Whether any product has a word."""
        return bool(self._rows("SELECT 1 FROM terms LIMIT 1"))

    def has(self, words: Sequence[str]) -> np.ndarray:
        """(n,) bool: the products that have all of these stems."""
        mask = np.ones(self.n, bool)
        for word in words:
            found = np.zeros(self.n, bool)
            found[self.postings(word)[0]] = True
            mask &= found
        return mask

    def spell(self, word: str) -> str | None:
        """The word of the gallery that a misspelt one was meant for; None where none is near."""
        # A slip may lie in the plural: both forms are tried.
        found = (self._find_near(form) for form in dict.fromkeys((stem(word), word)))
        return next((other for other in found if other is not None), None)

    def _find_near(self, word: str) -> str | None:
        if not slips_allowed(word) or not word.isalpha():
            return None
        pairs = sorted(bigrams(word))
        marks = ", ".join("?" * len(pairs))
        near = self._rows(
            f"SELECT term, df, word FROM (SELECT term, COUNT(*) AS shared FROM bigrams "
            f"WHERE bigram IN ({marks}) GROUP BY term) JOIN terms USING (term) "
            "WHERE ABS(LENGTH(term) - ?) <= 2 "
            f"ORDER BY 2.0 * shared / (LENGTH(term) + ?) DESC, df DESC LIMIT {_SPELT}",
            *pairs,
            len(word),
            len(word),
        )
        best = find_best(word, ((term, df) for term, df, _ in near))
        return next((form for term, _, form in near if term == best), None)

    def suggest(self, text: str, limit: int = 8) -> list[str]:
        """Texts that begin like this one and that products answer, the most answered first.

        Args:
            text: as far as it has been typed; its last word may be unfinished.
            limit: how many at most.
        """
        words = tokenise(normalise(text))
        if not words:
            return []
        *before, last = words
        mask = self.has([stem(word) for word in before])
        counted = []
        for term, word in self._completions(last):
            count = (
                int(mask[self.postings(term)[0]].sum()) if before else len(self.postings(term)[0])
            )
            if count and term not in before:
                counted.append((-count, word))
        return [" ".join((*before, word)) for _, word in sorted(counted)[:limit]]

    def _completions(self, prefix: str) -> list[tuple[str, str]]:
        """(term, its commonest form) of the most frequent terms that begin so."""
        if len(prefix) <= READY:
            ready = self._rows("SELECT terms FROM prefixes WHERE prefix = ?", prefix)
            terms = ready[0][0].split() if ready else []
            marks = ", ".join("?" * len(terms))
            return self._rows(f"SELECT term, word FROM terms WHERE term IN ({marks})", *terms)
        return self._rows(
            "SELECT term, word FROM terms WHERE term >= ? AND term < ? "
            f"ORDER BY df DESC LIMIT {COMPLETIONS}",
            stem(prefix),
            stem(prefix) + "\U0010ffff",
        )

    def _postings(self, word: str) -> tuple[np.ndarray, np.ndarray]:
        found = self._rows(
            "SELECT positions, scores FROM postings JOIN terms USING (at) WHERE term = ?", word
        )
        positions, scores = found[0] if found else (b"", b"")
        return np.frombuffer(positions, np.int32), np.frombuffer(scores, np.float32)

    def _rows(self, statement: str, *values: str | int) -> list[tuple]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()
