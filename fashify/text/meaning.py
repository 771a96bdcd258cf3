"""What was understood of a text: colours, types, genders, patterns, and what is not wanted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import pandas as pd

from fashify.config import LEVELS
from fashify.errors import QueryError
from fashify.text.table import (
    LANGUAGES,
    LEVEL_OF,
    LONGEST,
    Concept,
    Phrase,
    load_table,
    phrase_at,
    split_words,
)
from fashify.text.words import STOP, check_text, normalise, stem, stems

_KIND_OF = {level: kind for kind, level in LEVEL_OF.items()}

#: Kind of a label of another level.
_BROADER = {"sub_category": "type", "master_category": "type"}

#: A word that the gallery's own names have counts this much for English when the language of a
#: text is told, and another language must be ahead by this much.
_OWN, _AHEAD = 0.6, 0.5

_MINUS = re.compile(r"(?<!\S)[-−–](?=\w)")
_OR = frozenset(("or", "nor"))


@dataclass(frozen=True)
class Term:
    """One thing that was understood.

    Attributes:
        kind: see ``Concept``; a level's name for a label of another level; ``word`` for the rest.
        name: in English, or the gallery's label.
        said: the words of the text that say it.
        level: the column in which ``labels`` are, "" for none.
        labels: the gallery's labels that answer it.
        excluded: it is not wanted.
    """

    kind: str
    name: str
    said: str
    level: str = ""
    labels: tuple[str, ...] = ()
    excluded: bool = False


@dataclass(frozen=True)
class Meaning:
    """A parsed text.

    Attributes:
        text: as given.
        terms: in the order of the text.
        corrections: misspelt word -> the word it was taken for.
        unknown: words that neither the gallery nor the table knows.
        language: of the table's words that are not English, else ``en``.
    """

    text: str
    terms: tuple[Term, ...]
    corrections: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    language: str = "en"

    def of(self, kind: str, *, excluded: bool = False) -> list[Term]:
        """Terms of a kind, those wanted or those not."""
        return [term for term in self.terms if term.kind == kind and term.excluded == excluded]

    @property
    def wanted(self) -> list[Term]:
        """All terms but the excluded."""
        return [term for term in self.terms if not term.excluded]

    @property
    def excluded(self) -> list[Term]:
        """The terms that are not wanted."""
        return [term for term in self.terms if term.excluded]

    @property
    def english(self) -> str:
        """What is wanted, in English words: the text for a tower."""
        return " ".join(term.name for term in self.wanted)


class Labels:
    """The labels of a gallery by the words that say them.

    Args:
        items: rows of the gallery; its columns of ``LEVELS`` are read.
    """

    def __init__(self, items: pd.DataFrame) -> None:
        self._exact: dict[Phrase, tuple[str, str]] = {}
        self._meant: dict[Concept, tuple[str, ...]] = {}
        for level in (*_KIND_OF, *(name for name in LEVELS if name not in _KIND_OF)):
            if level not in items:
                continue
            values = {value: tuple(stems(value)) for value in _list_distinct(items[level])}
            for value, phrase in values.items():
                if 0 < len(phrase) <= LONGEST:
                    self._exact.setdefault(phrase, (level, value))
            if level in _KIND_OF:
                self._meant |= _map_concepts(_KIND_OF[level], values)

    def exact(self, phrase: Phrase) -> tuple[str, str] | None:
        """``(level, label)`` of a label in these very words."""
        return self._exact.get(phrase)

    def of(self, concept: Concept) -> tuple[str, ...]:
        """Labels that a concept means: those that end with one of its words."""
        return self._meant.get(concept, ())


def _list_distinct(column: pd.Series) -> list[str]:
    return sorted(set(column.dropna().astype(str).unique()) - {"", "NA"})


def _map_concepts(kind: str, values: Mapping[str, Phrase]) -> dict[Concept, tuple[str, ...]]:
    """Concept -> labels; by its English words, or by all languages' where these name nothing."""
    table = load_table()
    concepts = [concept for concept in table.concepts.values() if concept.kind == kind]
    for languages in (LANGUAGES[:1], LANGUAGES):
        found = {}
        for concept in concepts:
            phrases = table.words_of(concept, languages)
            meant = [v for v, words in values.items() if any(_ends(words, p) for p in phrases)]
            if meant:
                found[concept] = tuple(meant)
        if found:
            return found
    return {}


def understand(
    text: str,
    labels: Labels | None = None,
    *,
    knows: Callable[[str], bool] = lambda stem: False,
    spell: Callable[[str], str | None] = lambda word: None,
) -> Meaning:
    """Parses a text.

    Args:
        text: what a person wants, in words.
        labels: the gallery's, if it has any.
        knows: whether the gallery's own words include a stem.
        spell: the word that a misspelt one was meant for.

    Raises:
        QueryError: no words, or some that contradict one another.

    >>> found = understand("red floral dress for women, not striped")
    >>> [(term.kind, term.name, term.excluded) for term in found.terms]
    [('colour', 'red', False), ('pattern', 'floral', False), ('type', 'dress', False), \
('gender', 'women', False), ('pattern', 'striped', True)]
    >>> understand("schwarze Schuhe").english
    'black shoe'
    """
    check_text(text)
    said = split_words(normalise(_MINUS.sub("not ", text)))
    reader = _Reader(labels, knows)
    words: list[str] = []
    corrections: dict[str, str] = {}
    for word in said:
        better = None if reader.knows_any(stem(word)) else spell(word)
        corrections |= {word: better} if better else {}
        words.append(better or word)
    terms = tuple(reader.read(words))
    _check_terms(terms, text)
    unknown = tuple(
        term.said for term in terms if term.kind == "word" and not knows(stem(term.said))
    )
    return Meaning(text, terms, corrections, unknown, reader.language)


class _Reader:
    def __init__(self, labels: Labels | None, knows: Callable[[str], bool]) -> None:
        self.labels, self.knows, self.table = labels, knows, load_table()
        self.language = "en"

    def knows_any(self, word: str) -> bool:
        """Whether a stem occurs anywhere: names, labels, or the table in any language."""
        if self.knows(word) or word in STOP or word.isdigit():
            return True
        if self.labels is not None and self.labels.exact((word,)):
            return True
        return word in _table_words()

    def read(self, words: Sequence[str]) -> Iterator[Term]:
        stemmed = [stem(word) for word in words]
        self.language = self._language(stemmed)
        spoken = tuple(dict.fromkeys(("en", self.language)))
        if self.language != "en":
            spoken = spoken[::-1]
        start, negative, after = 0, False, False
        while start < len(words):
            found, length = self._find_longest(stemmed, start, spoken)
            said = " ".join(words[start : start + length])
            start += length
            if isinstance(found, Concept) and found.kind == "negation":
                negative, after = True, False
                continue
            if words[start - 1] in _OR:
                negative = after
                continue
            if isinstance(found, Concept) and found.kind == "stop":
                continue
            if found is None and stem(said) in STOP:
                continue
            yield self._term(found, said, negative)
            negative, after = False, negative

    def _language(self, words: Sequence[str]) -> str:
        """The language whose words of the table cover most of a text."""
        covered = {language: 0.0 for language in LANGUAGES}
        for language in LANGUAGES:
            start = 0
            while start < len(words):
                found, length = self._of_table(words, start, (language,))
                covered[language] += length if found is not None else 0
                if language == "en" and found is None and self.knows(words[start]):
                    covered[language] += _OWN
                start += length
        best = max(LANGUAGES, key=lambda language: covered[language])
        return best if covered[best] > covered["en"] + _AHEAD else "en"

    def _of_table(
        self, words: Sequence[str], start: int, languages: Sequence[str]
    ) -> tuple[Concept | None, int]:
        for length in range(min(LONGEST, len(words) - start), 0, -1):
            found = self.table.find(phrase_at(words, start, length), languages)
            if found is not None:
                return found, length
        return None, 1

    def _find_longest(
        self, words: Sequence[str], start: int, languages: Sequence[str]
    ) -> tuple[Concept | tuple[str, str] | None, int]:
        """The longest label or concept from ``start``; a label before a concept."""
        found, length = self._of_table(words, start, languages)
        if self.labels is None:
            return found, length
        for longer in range(min(LONGEST, len(words) - start), length - 1, -1):
            label = self.labels.exact(phrase_at(words, start, longer))
            if label is not None and not (isinstance(found, Concept) and found.kind == "stop"):
                return label, longer
        return found, length

    def _term(self, found: Concept | tuple[str, str] | None, said: str, excluded: bool) -> Term:
        if found is None:
            return Term("word", said, said, excluded=excluded)
        if isinstance(found, tuple):
            level, value = found
            kind = _KIND_OF.get(level) or _BROADER.get(level, level)
            return Term(kind, value.lower(), said, level, (value,), excluded)
        values = self.labels.of(found) if self.labels is not None else ()
        level = LEVEL_OF.get(found.kind, "") if values else ""
        return Term(found.kind, found.name, said, level, values, excluded)


def _check_terms(terms: Sequence[Term], text: str) -> None:
    wanted = {(term.kind, term.name) for term in terms if not term.excluded}
    twice = [term for term in terms if term.excluded and (term.kind, term.name) in wanted]
    if twice:
        name = twice[0].name
        raise QueryError(
            "words that can hold together",
            f"{name!r} wanted and not wanted in {text!r}",
            f"leave out one of them: {name}, or not {name}",
        )


@lru_cache(maxsize=1)
def _table_words() -> frozenset[str]:
    phrases = load_table().phrases.values()
    return frozenset(word for language in phrases for phrase in language for word in phrase)


def _ends(words: Phrase, phrase: Phrase) -> bool:
    return words[-len(phrase) :] == phrase
