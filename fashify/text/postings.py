"""Making the word index: from the words of a gallery to what each adds to a score."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from fashify.config import LEVELS
from fashify.text.spelling import bigrams
from fashify.text.words import normalise, stem, tokenise

FORMAT = "fashify-words 2"

#: BM25's saturation and length normalisation, Robertson and Zaragoza, *The probabilistic relevance
#: framework: BM25 and beyond*, 2009; and what a word counts for in each field (BM25F).
K1, B = 1.2, 0.5
FIELDS = {"name": 1.0, "labels": 0.8, "text": 0.4}

#: Longest prefix whose best completions are kept ready, and how many of them.

#: Longest prefix whose best completions are kept ready, and how many of them.
READY, COMPLETIONS = 3, 16

_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE terms(term TEXT PRIMARY KEY, word TEXT, df INT, at INT) WITHOUT ROWID;
CREATE TABLE postings(at INTEGER PRIMARY KEY, positions BLOB, scores BLOB);
CREATE TABLE prefixes(prefix TEXT PRIMARY KEY, terms TEXT) WITHOUT ROWID;
CREATE TABLE bigrams(bigram TEXT, term TEXT, PRIMARY KEY (bigram, term)) WITHOUT ROWID;
"""


def field_columns(items: pd.DataFrame) -> dict[str, list[str]]:
    """The columns whose words make up each field of ``FIELDS``."""
    levels = [level for level in LEVELS if level in items]
    kept = {"item_id", "path", "name", "has_image", *levels}
    others = [
        str(name)
        for name in items
        if name not in kept and not str(name).startswith("_") and _is_text(items[name])
    ]
    return {"name": ["name"] if "name" in items else [], "labels": levels, "text": others}


def field_texts(items: pd.DataFrame) -> dict[str, list[str]]:
    """The words of each field of ``FIELDS``, a text per product."""
    return {field: _join_texts(items, columns) for field, columns in field_columns(items).items()}


def _is_text(column: pd.Series) -> bool:
    return pd.api.types.is_string_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)


def _join_texts(items: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    texts = [items[name].fillna("").astype(str).to_list() for name in columns]
    return [" ".join(row) for row in zip(*texts, strict=True)] if texts else [""] * len(items)


def fill(database: sqlite3.Connection, items: pd.DataFrame, key: str) -> None:
    """Makes the tables of an empty database and fills them with the words of a gallery."""
    database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {_SCHEMA}")
    n, vocabulary = len(items), Vocabulary()
    forms, products, weights = _weigh_words(field_texts(items), vocabulary)
    numbers, named = vocabulary.terms(forms, weights)
    terms, positions, scores = _impacts(numbers, products, weights, n)
    ends = np.searchsorted(terms, np.arange(len(named) + 1)).tolist()
    database.executemany(
        "INSERT INTO postings VALUES (?, ?, ?)",
        (
            (at, positions[start:end].tobytes(), scores[start:end].tobytes())
            for at, (start, end) in enumerate(pairwise(ends))
        ),
    )
    rows = sorted((*pair, ends[at + 1] - ends[at], at) for at, pair in enumerate(named))
    database.executemany("INSERT INTO terms VALUES (?, ?, ?, ?)", rows)
    database.executemany("INSERT INTO prefixes VALUES (?, ?)", _prefixes(rows))
    pairs = sorted((pair, row[0]) for row in rows if row[0].isalpha() for pair in bigrams(row[0]))
    database.executemany("INSERT INTO bigrams VALUES (?, ?)", pairs)
    database.executemany(
        "INSERT INTO meta VALUES (?, ?)", [("format", FORMAT), ("n", str(n)), ("key", key)]
    )
    database.commit()


class Vocabulary:
    """The word forms of many texts, and the terms they are forms of, numbered as they are met."""

    def __init__(self) -> None:
        self._forms: dict[str, int] = {}

    def numbers(self, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """(m,) word forms of all texts in a row, and (n,) how many are each text's."""
        forms, found, lengths = self._forms, [], []
        read: dict[str, list[int]] = {}
        for text in texts:
            numbers = read.get(text)
            if numbers is None:
                words = tokenise(normalise(text))
                numbers = read[text] = [forms.setdefault(word, len(forms)) for word in words]
            found += numbers
            lengths.append(len(numbers))
        return np.array(found, np.int64), np.array(lengths, np.int64)

    def terms(
        self, forms: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, list[tuple[str, str]]]:
        """(m,) the term of each form, and each term with its form of most weight."""
        counts = np.bincount(forms, weights, minlength=len(self._forms)).tolist()
        numbers: dict[str, int] = {}
        best: dict[str, tuple[float, str]] = {}
        of_form = []
        for word, count in zip(self._forms, counts, strict=True):
            term = stem(word)
            of_form.append(numbers.setdefault(term, len(numbers)))
            best[term] = max(best.get(term, (-1, "")), (count, word))
        named = [(term, best[term][1]) for term in numbers]
        return np.array(of_form, np.int64)[forms] if len(forms) else forms, named


def _weigh_words(
    fields: dict[str, list[str]], vocabulary: Vocabulary
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Form, product and weight of every word of every field."""
    forms, products, weights = [], [], []
    for name, texts in fields.items():
        found, lengths = vocabulary.numbers(texts)
        mean = max(len(found) / max(len(texts), 1), 1e-9)
        share = FIELDS[name] / (1 - B + B * lengths / mean)
        product = np.repeat(np.arange(len(texts)), lengths)
        forms.append(found)
        products.append(product)
        weights.append(share[product])
    return np.concatenate(forms), np.concatenate(products), np.concatenate(weights)


def _impacts(
    terms: np.ndarray, products: np.ndarray, weights: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Term, product and BM25 of every pair of the two that occurs, terms in order."""
    pairs, inverse = np.unique(terms * n + products, return_inverse=True)
    frequency = np.bincount(inverse, weights, minlength=len(pairs))
    terms, products = pairs // max(n, 1), pairs % max(n, 1)
    df = np.bincount(terms)[terms] if len(terms) else terms
    scores = idf(df, n) * frequency * (K1 + 1) / (frequency + K1)
    return terms, products.astype(np.int32), scores.astype(np.float32)


def idf(df: int | np.ndarray, n: int) -> np.ndarray:
    """What a term is worth that ``df`` of ``n`` products have."""
    return np.log1p((n - df + 0.5) / (df + 0.5))


def _prefixes(rows: Sequence[tuple[str, str, int, int]]) -> list[tuple[str, str]]:
    best: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for term, _, df, _ in rows:
        for length in range(1, min(READY, len(term)) + 1):
            best[term[:length]].append((-df, term))
    return [
        (prefix, " ".join(term for _, term in sorted(found)[:COMPLETIONS]))
        for prefix, found in sorted(best.items())
    ]
