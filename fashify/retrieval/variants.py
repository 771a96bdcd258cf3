"""Variants of one product: names that differ in colours alone, or pictures that are copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from fashify.retrieval.match import Match
from fashify.store import FeatureStore
from fashify.text.table import LANGUAGES, load_table
from fashify.text.words import normalise, stem, tokenise

#: Matches looked at for each set of variants wanted; as many times more where these are too few.
POOL = 4


def drop_colours(name: str, colours: frozenset[str] | None = None) -> str:
    """A name without its colour words.

    >>> drop_colours("Puma Men Navy Blue T-shirt")
    'puma men tshirt'
    """
    taken = colour_words() if colours is None else colours
    return " ".join(word for word in tokenise(normalise(name)) if stem(word) not in taken)


def colour_words() -> frozenset[str]:
    """Stems of all the words of the table that say a colour."""
    phrases = load_table().phrases
    return frozenset(
        word
        for language in LANGUAGES[:1]
        for phrase, concept in phrases[language].items()
        if concept.kind == "colour"
        for word in phrase
    )


def name_stems(items: pd.DataFrame) -> np.ndarray:
    """(n,) str: a product's name without its colour words and its article type; "" without a name.

    Products of one stem are siblings: "... Black Shirt" and "... Blue Shirt".
    """
    if "name" not in items:
        return np.full(len(items), "", dtype=object)
    colours = colour_words()
    names = items["name"].fillna("").astype(str)
    short = {name: drop_colours(name, colours) for name in names.unique()}
    types = items["article_type"].astype(str) if "article_type" in items else [""] * len(items)
    pairs = zip(map(short.__getitem__, names), types, strict=True)
    return np.array([f"{name}\x00{kind}" if name else "" for name, kind in pairs], dtype=object)


def variant_ids(store: FeatureStore) -> np.ndarray:
    """(n,) int: equal for products that are one another's variants or copies."""
    stems = name_stems(store.items)
    alone = np.array([f"\x00{row}" for row in range(len(stems))], dtype=object)
    by_name = pd.factorize(np.where(stems == "", alone, stems))[0]
    by_group = np.unique(store.groups, return_inverse=True)[1]
    n, names = len(stems), int(by_name.max(initial=-1)) + 1
    size = names + int(by_group.max(initial=-1)) + 1
    edges = coo_matrix((np.ones(n, np.int8), (by_name, names + by_group)), (size, size))
    return connected_components(edges, directed=False)[1][by_name]


def find_collapsed(
    find: Callable[[int], list[Match]],
    variants: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    k: int,
    most: int,
    *,
    found: list[Match] | None = None,
) -> list[Match]:
    """k sets of variants, of as many matches as that takes.

    Args:
        find: the nearest matches, as many as it is asked for or all there are.
        variants, item_ids: as for ``collapse_matches``.
        k: how many sets.
        most: how many matches there can be.
        found: the nearest ``POOL * k``, where they are known already.
    """
    pool = min(POOL * k, most)
    while True:
        matches, found = find(pool) if found is None else found, None
        kept = collapse_matches(matches, variants, item_ids, k)
        if len(kept) >= k or len(matches) < pool or pool >= most:
            return kept
        pool = min(POOL * pool, most)


def collapse_matches(
    matches: Sequence[Match], variants: np.ndarray, item_ids: Sequence[str] | np.ndarray, k: int
) -> list[Match]:
    """The first of each set of variants, the others of the gallery inside it.

    Args:
        matches: the nearest first, more than k where there are.
        variants: (n,) from ``variant_ids``.
        item_ids: (n,) of the gallery.
        k: how many to keep.
    """
    kept: dict[int, Match] = {}
    for match in matches:
        kept.setdefault(int(variants[match.position]), match)
    first = list(kept.items())[:k]
    return [
        replace(match, rank=rank, variants=_list_others(variants, which, match.position, item_ids))
        for rank, (which, match) in enumerate(first, start=1)
    ]


def _list_others(
    variants: np.ndarray, which: int, position: int, item_ids: Sequence[str] | np.ndarray
) -> tuple[str, ...]:
    rows = np.flatnonzero(variants == which).tolist()
    return tuple(str(item_ids[row]) for row in rows if row != position)
