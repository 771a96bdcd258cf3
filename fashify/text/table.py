"""The table of words: what a word of eight languages means, as colour, type, gender and so on.

``fashify/data/words.csv`` has a line for each concept: its kind, its English name, its words in
each language, and the concepts that are narrower.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from fashify.text.words import normalise, stem, tokenise

#: English first: a word that is English too is taken as such.
LANGUAGES = ("en", "de", "fr", "es", "it", "hi", "zh", "ja")

#: Kinds of concepts whose labels a catalogue has in a column of its own.
LEVEL_OF = {
    "colour": "base_colour",
    "type": "article_type",
    "gender": "gender",
    "usage": "usage",
    "season": "season",
}

#: The longest phrase of the table or of a label that is looked for, in words.
LONGEST = 4

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Concept:
    """What a word means, whatever its language.

    Attributes:
        kind: ``colour``, ``type``, ``gender``, ``usage``, ``season``, ``pattern``, ``material``;
            ``negation`` and ``stop`` are words of grammar.
        name: in English.
        narrower: names of concepts of the kind that it includes, as blue includes navy blue.
    """

    kind: str
    name: str
    narrower: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """All concepts by their words.

    Attributes:
        concepts: (kind, name) -> concept.
        phrases: language -> the stems of a word or phrase -> its concept.
    """

    concepts: dict[tuple[str, str], Concept]
    phrases: dict[str, dict[Phrase, Concept]]
    scripts: dict[str, Concept] = field(default_factory=dict)

    def words_of(self, concept: Concept, languages: Iterable[str]) -> list[Phrase]:
        """A concept's phrases in some languages, those of the narrower ones included."""
        wanted = {concept.name, *concept.narrower}
        return [
            phrase
            for language in languages
            for phrase, found in self.phrases[language].items()
            if found.kind == concept.kind and found.name in wanted
        ]

    def find(self, phrase: Phrase, languages: Iterable[str]) -> Concept | None:
        """The concept of a phrase in the first of the languages that has it."""
        found = (self.phrases[language].get(phrase) for language in languages)
        return next((concept for concept in found if concept is not None), None)

    def cut(self, run: str) -> list[str]:
        """Words of a run of Chinese or Japanese, which leaves no blanks: the longest first."""
        words, start = [], 0
        while start < len(run):
            ends = range(min(len(run), start + 8), start, -1)
            end = next((end for end in ends if run[start:end] in self.scripts), start + 1)
            words.append(run[start:end])
            start = end
        return words


@lru_cache(maxsize=1)
def load_table() -> Table:
    """The table shipped with Fashify, read once."""
    text = files("fashify").joinpath("data/words.csv").read_text(encoding="utf-8")
    concepts: dict[tuple[str, str], Concept] = {}
    phrases: dict[str, dict[Phrase, Concept]] = {language: {} for language in LANGUAGES}
    scripts: dict[str, Concept] = {}
    for row in csv.DictReader(text.splitlines()):
        narrower = tuple(filter(None, row["narrower"].split("|")))
        concept = Concept(row["kind"], row["concept"], narrower)
        concepts[concept.kind, concept.name] = concept
        for language in LANGUAGES:
            for word in filter(None, row[language].split("|")):
                plain = normalise(word)
                phrases[language].setdefault(_phrase(plain), concept)
                if language in ("zh", "ja"):
                    scripts.setdefault(plain, concept)
    return Table(concepts, phrases, scripts)


def split_words(text: str) -> list[str]:
    """Words of a normalised text; runs of Chinese and Japanese are cut by the table.

    >>> split_words("黑色连衣裙")
    ['黑色', '连衣裙']
    """
    words: list[str] = []
    for word in tokenise(text):
        words += load_table().cut(word) if _east_asian(word) else [word]
    return words


def phrase_at(words: Sequence[str], start: int, length: int) -> Phrase:
    """The stems of ``length`` words from ``start``."""
    return tuple(words[start : start + length])


def _phrase(plain: str) -> Phrase:
    words = [plain] if _east_asian(plain) else tokenise(plain)
    return tuple(stem(word) for word in words)


def _east_asian(word: str) -> bool:
    return any("\u3040" <= sign <= "\u30ff" or "\u3400" <= sign <= "\u9fff" for sign in word)
