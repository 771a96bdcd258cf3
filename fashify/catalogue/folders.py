"""Pictures without a table: what their folders and names say of them, and what they do not.

A folder may be an article type, a product with its views, a part of a split, or just a shard of
many files. Everything taken from names is marked as a guess.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pandas as pd

from fashify.catalogue.picture_names import (
    VIEW_WORDS,
    base_stem,
    split_view,
    view_order,
    without_ending,
)

SPLITS = frozenset(
    "train training val valid validation dev test testing eval query gallery holdout".split()
)

#: Folders that say no more than that pictures are in them.
GENERIC = frozenset(
    "image images img imgs photo photos picture pictures pics pic data dataset files media upload "
    "uploads assets raw original originals all jpg jpeg png bilder fotos photos imagenes immagini "
    "foto 图片 画像".split()
)

GENDERS = frozenset(
    "men women man woman male female mens womens boys girls boy girl unisex kids ladies gents "
    "damen herren kinder femme homme femmes hommes enfant hombre mujer hombres mujeres uomo donna "
    "男 女 男装 女装 メンズ レディース".split()
)

#: Pictures of one product at most.
MAX_VIEWS = 30

_SHARD = re.compile(
    r"^(\d{1,4}|[0-9a-f]{1,3}|(part|shard|batch|chunk|dir|folder|set|vol|page|group|p)[-_ ]?\d+"
    r"|\d{3}[A-Za-z_]{5}|\d{4}-\d{2}(-\d{2})?)$",
    re.IGNORECASE,
)
_CAMERA = re.compile(r"^(img|dsc|dscn|dscf|pxl|photo|picture|image|scan|screenshot|whatsapp)", re.I)


@dataclass
class FolderReading:
    """Products inferred from pictures alone.

    Attributes:
        table: ``item_id, path, article_type``, and ``gender``, ``split``, ``folder`` where known.
        views: ``item_id, path`` of every picture, the first of a product its main one.
        notes: what was guessed, as sentences.
    """

    table: pd.DataFrame
    views: pd.DataFrame
    notes: list[str] = field(default_factory=list)


def read_folders(pictures: list[str]) -> FolderReading:
    """Products of a source that has no table.

    Args:
        pictures: names of the pictures, sorted.
    """
    reader = _Folders(pictures)
    reader.drop_generic()
    reader.find_split()
    reader.find_products()
    reader.drop_shards()
    reader.find_gender()
    reader.find_types()
    reader.find_suffix_views()
    return reader.finish()


class _Folders:
    """Takes level after level off the folders of each picture."""

    def __init__(self, pictures: list[str]) -> None:
        self.pictures = pictures
        self.dirs = [name.split("/")[:-1] for name in pictures]
        self.product: list[str] = [""] * len(pictures)
        self.columns: dict[str, list[str]] = {}
        self.notes: list[str] = []

    def drop_generic(self) -> None:
        """Folders that all share, or that only say ``images``."""
        while all(self.dirs) and len({dirs[0] for dirs in self.dirs}) == 1:
            for dirs in self.dirs:
                del dirs[0]
        for dirs in self.dirs:
            while dirs and dirs[0].casefold() in GENERIC:
                del dirs[0]

    def find_split(self) -> None:
        tops = {dirs[0].casefold() for dirs in self.dirs if dirs}
        if not all(self.dirs) or len(tops) < 2 or not tops <= SPLITS:
            return
        self.columns["split"] = [dirs.pop(0) for dirs in self.dirs]
        self.notes.append(f"guess: folders {', '.join(sorted(tops))} are parts of a split")
        self.drop_generic()

    def find_products(self) -> None:
        """The deepest folders, where each holds the views of one product."""
        groups: dict[str, list[int]] = defaultdict(list)
        for row, dirs in enumerate(self.dirs):
            if dirs:
                groups["/".join(dirs)].append(row)
        if len(groups) < 2 or not self._are_products(groups):
            return
        for folder, rows in groups.items():
            for row in rows:
                self.product[row] = folder
                self.dirs[row].pop()
        views = sum(map(len, groups.values()))
        self.notes.append(f"guess: {len(groups)} folders are products, with {views} pictures")

    def _are_products(self, groups: dict[str, list[int]]) -> bool:
        sizes = [len(rows) for rows in groups.values()]
        if max(sizes) > MAX_VIEWS or max(sizes) < 2 or sum(sizes) > 12 * len(sizes):
            return False
        stems = {
            g: [base_stem(self.pictures[r]).casefold() for r in rs] for g, rs in groups.items()
        }
        names = {group: group.rpartition("/")[2].casefold() for group in groups}
        every = [(names[group], stem) for group, inner in stems.items() for stem in inner]
        named = sum(_has_view_word(stem) for _, stem in every)
        own = sum(stem == name or (split_view(stem) or ("",))[0] == name for name, stem in every)
        coded = sum(any(c.isdigit() for c in name) for name in names.values()) >= 0.9 * len(names)
        short = all(re.fullmatch(r"\d{1,2}", stem) for _, stem in every)
        counted = Counter(stem for _, stem in every)
        shared = sum(count for count in counted.values() if count * 2 >= len(groups))
        repeated = len(groups) >= 3 and shared >= 0.8 * len(every)
        long = all(len(name) >= 5 for name in names.values())
        return (
            named >= 0.8 * len(every)
            or own >= 0.9 * len(every)
            or (coded and short)
            or (coded and repeated and long)
        )

    def drop_shards(self) -> None:
        """Folders that only spread many files: numbers, or the beginnings of the names in them."""
        names = {dirs[-1] for dirs in self.dirs if dirs}
        begin = sum(
            bool(dirs) and base_stem(name).startswith(dirs[-1])
            for dirs, name in zip(self.dirs, self.pictures, strict=True)
        )
        prefixes = begin >= 0.9 * len(self.pictures) and all(
            re.fullmatch(r"\w{1,3}", name) for name in names
        )
        if names and (prefixes or all(_SHARD.match(name) for name in names)):
            for dirs in self.dirs:
                while dirs and (_SHARD.match(dirs[-1]) or (prefixes and dirs[-1] in names)):
                    dirs.pop()
            shown = ", ".join(sorted(names)[:3])
            self.notes.append(f"guess: folders {shown} only spread the files, they are no types")

    def find_gender(self) -> None:
        tops = {dirs[0].casefold() for dirs in self.dirs if dirs}
        if all(self.dirs) and len(tops) >= 2 and tops <= GENDERS:
            self.columns["gender"] = [dirs.pop(0) for dirs in self.dirs]
            self.notes.append(f"guess: folders {', '.join(sorted(tops))} are the gender")

    def find_types(self) -> None:
        last = [dirs[-1] if dirs else "" for dirs in self.dirs]
        if len(set(last) - {""}) < 2:
            last = [""] * len(last)
        else:
            self.notes.append(f"guess: {len(set(last) - {''})} folders are article types")
        self.columns["article_type"] = last
        above = ["/".join(dirs[:-1]) for dirs in self.dirs]
        if len(set(above)) > 1:
            self.columns["folder"] = above

    def find_suffix_views(self) -> None:
        """``12790_1`` and ``12790_2``, ``shirt_front`` and ``shirt_back`` are one product."""
        by_folder: dict[str, list[int]] = defaultdict(list)
        for row, name in enumerate(self.pictures):
            if not self.product[row]:
                by_folder[name.rpartition("/")[0]].append(row)
        merged = 0
        for folder, rows in by_folder.items():
            for key, members in self._suffix_groups(rows).items():
                merged += 1
                for row in members:
                    self.product[row] = f"{folder}/{key}".lstrip("/")
        if merged:
            self.notes.append(f"guess: pictures of {merged} names with numbers or views are views")

    def _suffix_groups(self, rows: list[int]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = defaultdict(list)
        views: dict[str, list[str]] = defaultdict(list)
        plain = {base_stem(self.pictures[row]): row for row in rows}
        for row in rows:
            found = split_view(base_stem(self.pictures[row]))
            if found:
                groups[found[0]].append(row)
                views[found[0]].append(found[1].casefold())
        for key in groups:
            if key in plain and plain[key] not in groups[key]:
                groups[key].append(plain[key])
        words = {k: r for k, r in groups.items() if len(r) > 1 and set(views[k]) <= set(VIEW_WORDS)}
        numbered = {k: r for k, r in groups.items() if len(r) > 1 and _counts_up(k, views[k])}
        covered = len({row for members in numbered.values() for row in members})
        enough = len(numbered) >= 2 and covered >= 0.8 * len(rows)
        return words | (numbered if enough else {})

    def finish(self) -> FolderReading:
        table = pd.DataFrame({"path": self.pictures, **self.columns}, dtype=object)
        ids = _ids(self.pictures)
        folders = {folder: folder.rpartition("/")[2] for folder in set(self.product) - {""}}
        counted = Counter(folders.values())
        taken = {ids[row] for row in range(len(ids)) if not self.product[row]}
        names = {
            folder: short if counted[short] == 1 and short not in taken else folder
            for folder, short in folders.items()
        }
        table["item_id"] = [
            names[folder] if folder else ids[row] for row, folder in enumerate(self.product)
        ]
        order = sorted(range(len(table)), key=lambda row: view_order(self.pictures[row]))
        views = table.loc[order, ["item_id", "path"]]
        first = views.drop_duplicates("item_id").index.sort_values()
        products = table.loc[first].reset_index(drop=True)
        rank = {item_id: place for place, item_id in enumerate(products["item_id"])}
        views = views.iloc[views["item_id"].map(rank).argsort(kind="stable")]
        return FolderReading(products, views.reset_index(drop=True), self.notes)


def _has_view_word(stem: str) -> bool:
    tokens = [token for token in re.split(r"[^\w]+|_|\d+", stem) if token]
    return bool(tokens) and tokens[-1] in VIEW_WORDS


def _counts_up(key: str, views: list[str]) -> bool:
    """Whether views are 1, 2, 3 of something with a code of its own, not of a camera's roll."""
    numbers = sorted(int(view) for view in views if view.isdecimal())
    runs = numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
    coded = any(letter.isdigit() for letter in key) and not _CAMERA.match(key)
    return len(numbers) == len(views) and runs and numbers[0] in (0, 1, 2) and coded


def _ids(pictures: list[str]) -> list[str]:
    """The shortest of stem, path without its ending and path that is of one picture alone."""
    stems = [without_ending(name) for name in pictures]
    short = [stem.rpartition("/")[2] for stem in stems]
    counted, full = Counter(short), Counter(stems)
    return [
        short[i] if counted[short[i]] == 1 else stems[i] if full[stems[i]] == 1 else pictures[i]
        for i in range(len(pictures))
    ]
