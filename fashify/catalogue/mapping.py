"""Which of a table's columns is which of ours: as asked for, by its own name, or as a guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from fashify.catalogue.readers import RawTable
from fashify.catalogue.synonyms import LANGUAGES, OWN, SYNONYMS
from fashify.config import LEVELS
from fashify.errors import CatalogueError, join_names

#: Ours that a table's column can become; ``path`` is the picture.
FIELDS = ("item_id", *LEVELS, "year", "name", "path")

#: Fields that several columns may stand for: the rows decide which.
SEVERAL = ("item_id", "path")

#: Other words for ours in ``--columns``.
_FIELD_WORDS = {"id": "item_id", "image": "path", "picture": "path", "title": "name"}

#: Names of ours that a table's own column must not take.
RESERVED = (*FIELDS, "image", "has_image")

#: What shop systems write in a column "type" that says nothing of the garment.
_SHOP_TYPES = frozenset(
    "simple variable variation grouped external configurable virtual downloadable bundle "
    "product physical".split()
)


@dataclass(frozen=True)
class Choice:
    """One column of a table and what it became.

    Attributes:
        column: its place in the table.
        source: its name in the file.
        field: which of ours.
        why: ``asked for``, ``its own name``, or ``guess, German``.
    """

    column: int
    source: str
    field: str
    why: str

    @property
    def guess(self) -> bool:
        """Whether it was guessed."""
        return self.why.startswith("guess")


@dataclass
class ColumnMap:
    """What the columns of one table became.

    Attributes:
        chosen: field -> columns, the weightier first; one but for ``item_id`` and ``path``.
    """

    chosen: dict[str, list[Choice]] = field(default_factory=dict)

    def choices(self, name: str) -> list[Choice]:
        """The columns that may be ``name``."""
        return self.chosen.get(name, [])

    def column(self, name: str) -> int | None:
        """Place of the column that is ``name``, or ``None``."""
        found = self.chosen.get(name, [])
        return found[0].column if found else None


def map_columns(raw: RawTable, asked: Mapping[str, str] | None = None) -> ColumnMap:
    """Finds ours among a table's columns.

    Args:
        raw: the table.
        asked: ours -> the table's name, as the user said it; "" for none.

    Raises:
        CatalogueError: ``asked`` names a field or a column there is not.
    """
    ordered = _read_asked(raw, asked or {})
    none = {field for field, source in _index_spellings(asked or {}).items() if not source}
    taken = {choice.column for choices in ordered.values() for choice in choices}
    for field_name, choices in _recognise_fields(raw, taken).items():
        if field_name not in ordered and field_name not in none:
            ordered[field_name] = choices
    found = ColumnMap()
    for field_name, choices in ordered.items():
        found.chosen[field_name] = choices if field_name in SEVERAL else choices[:1]
    return found


def _index_spellings(asked: Mapping[str, str]) -> dict[str, str]:
    spelled = {}
    for key, source in asked.items():
        name = _FIELD_WORDS.get(key.strip(), key.strip())
        if name not in FIELDS:
            raise CatalogueError(
                f"a column of ours ({join_names(FIELDS)})", repr(key), "write ours=theirs"
            )
        spelled[name] = source.strip()
    return spelled


def _read_asked(raw: RawTable, asked: Mapping[str, str]) -> dict[str, list[Choice]]:
    found = {}
    for name, source in _index_spellings(asked).items():
        if source:
            place = find_column(raw, source)
            found[name] = [Choice(place, raw.columns[place], name, "asked for")]
    return found


def find_column(raw: RawTable, source: str) -> int:
    """Place of a column by its name, exactly or in another spelling.

    Raises:
        CatalogueError: the table has none of this name.
    """
    spellings = (str, str.strip, snake_name, fold_name)
    for spell in spellings:
        places = [at for at, name in enumerate(raw.columns) if spell(name) == spell(source)]
        if places:
            return places[0]
    raise CatalogueError(
        f"a column of {raw.name} ({', '.join(filter(None, raw.columns))})",
        repr(source),
        "name one of these",
    )


def _recognise_fields(raw: RawTable, taken: set[int]) -> dict[str, list[Choice]]:
    """Field -> its columns by weight, filled ones first."""
    weighed: dict[str, list[tuple[tuple[bool, int, int], Choice]]] = {}
    for place, source in enumerate(raw.columns):
        found = _recognise(source) if place not in taken else None
        if found is None or (found[1] and _says_nothing(raw.cells(place), found[0])):
            continue
        field_name, weight, why = found
        empty = not (raw.cells(place) != "").any()
        choice = Choice(place, source, field_name, why)
        weighed.setdefault(field_name, []).append(((empty, weight, place), choice))
    return {
        name: [choice for _, choice in sorted(pairs, key=lambda pair: pair[0])]
        for name, pairs in weighed.items()
    }


def _says_nothing(cells: pd.Series, field_name: str) -> bool:
    """Whether a "type" column holds the shop system's own kinds of products."""
    if field_name != "article_type":
        return False
    values = {text.casefold() for text in cells.drop_duplicates() if text}
    return bool(values) and values <= _SHOP_TYPES


@cache
def _recognise(source: str) -> tuple[str, int, str] | None:
    """``(field, weight, why)`` of a header; the lighter weight counts more."""
    key = fold_name(source)
    if key in _list_known():
        return _list_known()[key]
    numbered = re.fullmatch(r"(\D+?)(\d{1,2})(\D*)", key)
    if numbered:
        found = _list_known().get(numbered[1] + numbered[3])
        if found is not None and found[0] == "path":
            return "path", 500 + int(numbered[2]), found[2].replace("its own name", "guess")
    return None


@cache
def _list_known() -> dict[str, tuple[str, int, str]]:
    names: dict[str, tuple[str, int, str]] = {}
    for field_name, own in OWN.items():
        for name in own:
            names.setdefault(fold_name(name), (field_name, 0, "its own name"))
    for field_name, languages in SYNONYMS.items():
        for language, listed in languages.items():
            for weight, name in enumerate(listed, start=1):
                why = f"guess, {LANGUAGES[language]}"
                names.setdefault(fold_name(name), (field_name, weight, why))
    return names


def fold_name(name: str) -> str:
    """A header without case, accents, spaces and marks, to compare by.

    >>> fold_name("Sous-catégorie") == fold_name("SOUS CATEGORIE")
    True
    """
    plain = re.sub(r"^[a-z]{1,3}:(?=\w)", "", name.strip())  # g:price of Google's feeds.
    letters = unicodedata.normalize("NFKD", plain.casefold())
    return "".join(letter for letter in letters if letter.isalnum())


def snake_name(name: str) -> str:
    """A header as a column is called here: lower case, words joined by ``_``.

    >>> snake_name("In Stock"), snake_name("masterCategory"), snake_name("g:price")
    ('in_stock', 'master_category', 'price')
    """
    text = re.sub(r"^[a-z]{1,3}:(?=\w)", "", unicodedata.normalize("NFC", name.strip()))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    # Vowel signs of Indian scripts are marks, not letters, and belong to the word.
    kept = [c if c.isalnum() or unicodedata.category(c)[0] == "M" else "_" for c in text]
    return re.sub(r"_+", "_", "".join(kept)).strip("_").lower()


def name_own(raw: RawTable, used: set[int]) -> tuple[dict[int, str], list[str]]:
    """Names for the columns that are none of ours; none is lost, none overwritten.

    Args:
        raw: the table.
        used: places of the columns that became ours.

    Returns:
        place -> name, and what was renamed, as sentences.
    """
    names: dict[int, str] = {}
    notes: list[str] = []
    for place, source in enumerate(raw.columns):
        if place in used or not (source or (raw.cells(place) != "").any()):
            continue
        plain = snake_name(source) or f"column_{place + 1}"
        name = unique = f"own_{plain}" if plain in RESERVED else plain
        number = 2
        while unique in names.values():
            unique, number = f"{name}_{number}", number + 1
        names[place] = unique
        if unique != plain:
            notes.append(f"column {source!r} is kept as {unique}")
    return names, notes
