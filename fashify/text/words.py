"""From a text to words: letters made plain, plurals folded, and hashed pieces for the tower."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from itertools import pairwise

from fashify.errors import QueryError

#: Characters of a text that are read at most; more is a mistake or an attack.
MAX_TEXT = 1_000

#: Buckets that the pieces of a text are hashed into.
BUCKETS = 1 << 15

#: Lengths of the letter n-grams of a word, its ends marked.
GRAMS = (3, 4, 5)

#: Words that say nothing of a product.
STOP = frozenset(
    "a an and any are as at but by can find for from give have i in is it like looking me more my "
    "of on one or please search show similar some something than that the them these this to "
    "want wear wearing which with you".split()
)

_WORD = re.compile(r"[a-z0-9]+")
_SIGNS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "’": "'", "`": "'"}
_TEE = re.compile(r"\bt[\s-]*shirt|\btee[\s-]+shirt")
_OWNER = re.compile(r"'s\b")


def normalise(text: str) -> str:
    """A text in small letters without accents, one blank between its words.

    Latin letters lose their marks, those of other scripts keep them: in Devanagari they are
    vowels.

    >>> normalise("  Men’s ÉTÉ  T-Shirt ")
    'men ete tshirt'
    """
    if text.isascii():
        return _fold_word(text.lower())
    small = "".join(_SIGNS.get(sign, sign) for sign in unicodedata.normalize("NFKC", text).lower())
    return _fold_word("".join(_drop_marks(small)))


def _fold_word(plain: str) -> str:
    if "'" in plain:
        plain = _OWNER.sub("", plain)
    return " ".join(_TEE.sub("tshirt", plain).split())


def _drop_marks(text: str) -> Iterator[str]:
    latin = False
    for sign in unicodedata.normalize("NFD", text):
        if unicodedata.category(sign) == "Mn" and latin:
            continue
        latin = sign.isascii()
        yield sign


def tokenise(text: str) -> list[str]:
    """Words of letters and digits, in every script, of a normalised text.

    >>> tokenise("red, floral-print dress 36")
    ['red', 'floral', 'print', 'dress', '36']
    """
    if text.isascii():
        return _WORD.findall(text)
    kept = (sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text)
    return "".join(kept).split()


def stem(word: str) -> str:
    """An English word without its plural.

    The S-stemmer of Harman, *How effective is suffixing?*, JASIS 1991, with -es after a hiss.

    >>> [stem(word) for word in ("shirts", "dresses", "watches", "ladies", "shoes", "dress")]
    ['shirt', 'dress', 'watch', 'lady', 'shoe', 'dress']
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def stems(text: str) -> list[str]:
    """The words of any text, as the word index keeps them."""
    return [stem(word) for word in tokenise(normalise(text))]


def pieces(text: str) -> list[int]:
    """Buckets of a text's words, word pairs and letter n-grams, as the tower sums them.

    Weinberger et al., *Feature hashing for large scale multitask learning*, ICML 2009; the
    n-grams after Bojanowski et al., *Enriching word vectors with subword information*, TACL 2017.

    Returns:
        numbers from 0 to ``BUCKETS - 1``, a piece as often as it occurs; empty without a word in
        Latin letters or digits.
    """
    words = _WORD.findall(text.lower())
    found = [f"w:{word}" for word in words]
    for word in words:
        ends = f"<{word}>"
        found += [f"g:{ends[i : i + n]}" for n in GRAMS for i in range(len(ends) - n + 1)]
    found += [f"b:{first} {second}" for first, second in pairwise(words)]
    return [zlib.crc32(piece.encode()) % BUCKETS for piece in found]


def check_text(text: object) -> str:
    """The text of a query.

    Raises:
        QueryError: no text, none but blanks and signs, or one beyond ``MAX_TEXT``.
    """
    if not isinstance(text, str):
        raise QueryError("a text", type(text).__name__, 'say it like text="red floral dress"')
    if len(text) > MAX_TEXT:
        raise QueryError(
            f"a text of at most {MAX_TEXT:,} characters", f"{len(text):,}", "say it shorter"
        )
    if not tokenise(normalise(text)):
        raise QueryError(
            "a text with at least one word", repr(text), 'say it like "red floral dress"'
        )
    return text
