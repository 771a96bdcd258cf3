"""Joins rows to their pictures: exactly first, then by looser rules, one at a time.

A rule joins a row only to a picture that it alone fits; where several pictures fit, a looser rule
can but find more of them, so that nothing is ever guessed. What remains is named as ambiguous.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from fashify.catalogue.picture_names import (
    base_name,
    base_stem,
    file_stem,
    normalise_slashes,
    path_stem,
    split_cell,
    split_view,
    without_ending,
)

Key = Callable[[str], str]

#: ``(name, key of a cell, name of the key of a picture)``.
Rule = tuple[str, Key, str]

_MARKED = re.compile(r"[\\:/.]").search


def _fold_name(path: str) -> str:
    return base_name(path).casefold()


def _fold_stem(path: str) -> str:
    return base_stem(path).casefold()


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def _compose_stem(path: str) -> str:
    return _nfc(_fold_stem(path))


def _unquote_name(path: str) -> str:
    name = base_name(path)
    return _nfc(unquote(name).rpartition("/")[2] if "%" in name else name).casefold()


def _unquote_stem(path: str) -> str:
    return without_ending(_unquote_name(path))


def _without_zeros(path: str) -> str:
    stem = _unquote_stem(path)
    return (stem.lstrip("0") or "0") if stem.isdecimal() else stem


#: The stricter first; a rule's pictures are looked up by a key of the same name in ``_KEYS``.
RULES: tuple[Rule, ...] = (
    ("path", str, "path"),
    ("path, other separators", normalise_slashes, "path"),
    ("file name", base_name, "base"),
    ("path without its ending", path_stem, "path stem"),
    ("file name without its ending", base_stem, "stem"),
    ("letter case", _fold_name, "folded"),
    ("letter case, without its ending", _fold_stem, "folded stem"),
    ("Unicode form", _compose_stem, "composed stem"),
    ("percent-encoding", _unquote_name, "unquoted"),
    ("percent-encoding, without its ending", _unquote_stem, "unquoted stem"),
    ("leading zeros", _without_zeros, "without zeros"),
)

#: Keys of pictures by name.
_KEYS: dict[str, Key] = {
    "path": str,
    "base": base_name,
    "path stem": without_ending,
    "stem": file_stem,
    "folded": _fold_name,
    "folded stem": _fold_stem,
    "composed stem": _compose_stem,
    "unquoted": _unquote_name,
    "unquoted stem": _unquote_stem,
    "without zeros": _without_zeros,
}

#: From this rule on two cells that name different files may not claim one picture.
EXCLUSIVE = 2


@dataclass
class Joined:
    """Pictures found for a list of cells.

    Attributes:
        pictures: (n,) place of the picture in the finder's list, -1 for none.
        rules: (n,) place of the rule in ``RULES``, -1 for none.
        ambiguous: row -> the pictures that fit it.
    """

    pictures: list[int]
    rules: list[int]
    ambiguous: dict[int, list[int]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(picture >= 0 for picture in self.pictures)


class PictureFinder:
    """Finds pictures by what cells of a table call them.

    Args:
        paths: of all pictures.
        folder: of the table, with ``/`` at its end: cells are relative to it first.
    """

    def __init__(self, paths: Sequence[str], folder: str = "") -> None:
        self.paths, self.folder = list(paths), folder
        self._lookups: dict[str, dict[str, int | list[int]]] = {}
        self._names = [path.rpartition("/")[2] for path in self.paths]
        self._same = self._same_keys()

    def _same_keys(self) -> dict[str, str]:
        """Looser keys of all pictures that are no other than stricter ones: most names are plain.

        Each saves a table of all pictures.
        """
        names = self._names
        same: dict[str, str] = {}
        if not any(name.startswith("0") for name in names):
            same["without zeros"] = "unquoted stem"
        if all(name.isascii() and "%" not in name for name in names):
            same |= {"unquoted stem": "composed stem", "unquoted": "folded"}
            same["composed stem"] = "folded stem"
        if all(name == name.casefold() for name in names):
            same |= {"folded stem": "stem", "folded": "base"}
        return same

    def _first_rule(self, cells: Sequence[str]) -> int:
        """Where to begin: a cell without mark or ending is no path and no file's name."""
        marked = any(map(_MARKED, cells))
        named = not marked and all("." in name for name in self._names)
        named = named and all("/" in path for path in self.paths)
        return 4 if named else 0

    def find(self, cells: Sequence[str], *, folders: Sequence[str] | None = None) -> Joined:
        """The picture of each cell, "" cells aside.

        Args:
            cells: (n,) paths, file names, addresses or ids.
            folders: (n,) the folder of the table each row is from; default the one folder.
        """
        found = Joined([-1] * len(cells), [-1] * len(cells))
        left = [row for row, cell in enumerate(cells) if cell]
        taken: dict[int, str] = {}
        for rule in range(self._first_rule(cells), len(RULES)):
            if not left:
                break
            hits = self._by_rule(rule, cells, left, folders, found)
            if rule >= EXCLUSIVE:
                hits = _keep_unclaimed(hits, cells, taken)
            for row, picture in hits.items():
                found.pictures[row], found.rules[row] = picture, rule
                taken.setdefault(picture, normalise_slashes(cells[row]))
            left = [row for row in left if found.pictures[row] < 0]
        for row in [row for row in found.ambiguous if found.pictures[row] >= 0]:
            del found.ambiguous[row]
        return found

    def is_name(self, cell: str) -> bool:
        """Whether a picture is called exactly so, by its path or its file name."""
        base = "/" not in cell and cell in self._lookup("base")
        return base or cell in self._lookup("path") or self.folder + cell in self._lookup("path")

    def find_any(self, cells: Sequence[str], folders: Sequence[str]) -> list[int | str]:
        """(n,) the picture of each cell, or the key of its views; 0 for none, places from 1.

        A quick look for measuring a column: cells with several pictures are split, views of
        ``<cell>_1`` and pictures in a folder ``<cell>`` count.
        """
        first = [split_cell(cell)[0] if cell else "" for cell in cells]
        found = self.find(first, folders=folders)
        keys = self.view_keys
        return [
            picture + 1 if picture >= 0 else (cell if cell in keys else 0)
            for picture, cell in zip(found.pictures, first, strict=True)
        ]

    @cached_property
    def view_keys(self) -> dict[str, list[int]]:
        """What pictures may be views of -> their places: ``12790`` of ``12790_2.jpg``, and the
        folder they are in."""
        keys: dict[str, list[int]] = {}
        for place, path in enumerate(self.paths):
            found = split_view(base_stem(path))
            names = [found[0]] if found else []
            folder = path.rpartition("/")[0].rpartition("/")[2]
            if folder:
                names.append(folder)
            for name in dict.fromkeys(names):
                keys.setdefault(name, []).append(place)
        return keys

    def _by_rule(
        self,
        rule: int,
        cells: Sequence[str],
        left: list[int],
        folders: Sequence[str] | None,
        found: Joined,
    ) -> dict[int, int]:
        """Row -> picture of the rows that one picture alone fits."""
        key, hits = RULES[rule][1], {}
        lookup = self._lookup(RULES[rule][2])
        inner = rule <= 1 and bool(self.folder or folders)
        for row in left:
            text = key(cells[row])
            place = None
            if inner:
                place = lookup.get((folders[row] if folders else self.folder) + text)
            if place is None:
                place = lookup.get(text)
            if isinstance(place, list):
                best = self._find_longest(normalise_slashes(cells[row]), place)
                if best is None:
                    found.ambiguous[row] = place
                    continue
                place = best
            if place is not None:
                hits[row] = place
        return hits

    def _lookup(self, name: str) -> dict[str, int | list[int]]:
        """Key -> the picture, or all of them where several have it."""
        while name in self._same:
            name = self._same[name]
        if name not in self._lookups:
            lookup: dict[str, int | list[int]] = {}
            keys = self.paths if name.startswith("path") else self._names
            for place, text in enumerate(map(_KEYS[name], keys)):
                before = lookup.setdefault(text, place)
                if isinstance(before, list):
                    before.append(place)
                elif before != place:
                    lookup[text] = [before, place]
            lookup.pop("", None)
            self._lookups[name] = lookup
        return self._lookups[name]

    def _find_longest(self, cell: str, places: list[int]) -> int | None:
        """Of pictures of one name the one whose folders agree with the cell's furthest up."""
        wanted = cell.split("/")[:-1][::-1]
        if not wanted:
            return None
        depths = [_agreement(wanted, self.paths[place]) for place in places]
        best = max(depths)
        return places[depths.index(best)] if best and depths.count(best) == 1 else None


def _agreement(folders: list[str], path: str) -> int:
    """How many folders from the file upwards are the same."""
    own = path.split("/")[:-1][::-1]
    depth = 0
    for mine, theirs in zip(own, folders, strict=False):
        if mine.casefold() != theirs.casefold():
            break
        depth += 1
    return depth


def _keep_unclaimed(
    hits: dict[int, int], cells: Sequence[str], taken: dict[int, str]
) -> dict[int, int]:
    """Hits whose picture no other cell has, by this rule or a stricter one."""
    claims: dict[int, str | None] = {}
    for row, picture in hits.items():
        cell = normalise_slashes(cells[row])
        if claims.setdefault(picture, taken.get(picture, cell)) != cell:
            claims[picture] = None
    return {
        row: picture
        for row, picture in hits.items()
        if claims[picture] is not None and taken.get(picture, claims[picture]) == claims[picture]
    }
