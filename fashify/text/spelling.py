"""Misspelt words: how many slips of the hand lie between two."""

from __future__ import annotations

from collections.abc import Iterable

#: Slips allowed in a word of at least so many letters.
SLIPS = ((8, 2), (4, 1))


def slips_between(first: str, second: str, most: int) -> int:
    """Letters to insert, leave out, change or swap with their neighbour, ``most + 1`` if more.

    The optimal string alignment distance (Damerau, *A technique for computer detection and
    correction of spelling errors*, CACM 1964).

    >>> slips_between("tshrit", "tshirt", 2), slips_between("addidas", "adidas", 2)
    (1, 1)
    """
    if abs(len(first) - len(second)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            swapped = i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other
            row.append(min(cost, earlier[j - 2] + 1) if swapped else cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def slips_allowed(word: str) -> int:
    """How many slips a word of its length may have; 0 for one too short to tell."""
    return next((slips for letters, slips in SLIPS if len(word) >= letters), 0)


def bigrams(word: str) -> set[str]:
    """Pairs of letters, the ends marked."""
    ends = f"^{word}$"
    return {ends[i : i + 2] for i in range(len(ends) - 1)}


def find_best(word: str, candidates: Iterable[tuple[str, int]]) -> str | None:
    """Of ``(word, frequency)`` the nearest within the slips allowed, the most frequent of equals.

    A swap of two letters is likelier than another slip, a word's first letter mostly right.
    """
    most = slips_allowed(word)
    judged = []
    for other, frequency in candidates:
        slips = slips_between(word, other, most)
        if slips <= most:
            swapped = sorted(word) == sorted(other)
            judged.append((slips - 0.5 * swapped + 0.5 * (word[0] != other[0]), -frequency, other))
    return min(judged)[2] if judged else None
