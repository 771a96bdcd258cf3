"""Photo sets: what people photographed, what it is, who took it, and which types answer it.

A set is a folder or a zip with a table of photos (``image, label, person``) and a table of
answers (``label, article_types``): the article types of the catalogue that a photo of that label
is rightly answered with, separated by ``;``. A table of photos that names an ``article_type``
instead of a label needs no table of answers. The answers for the Clothing dataset ship with the
package.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from fashify.catalogue.readers.csv import read_csv
from fashify.errors import CatalogueError, NoLabelsError, StorageError, join_names
from fashify.io.images import load_image
from fashify.io.storage import Storage, open_storage

#: What the columns of a table of photos may be called.
_IMAGE = ("image", "file", "filename", "path", "photo")
_PERSON = ("person", "sender", "sender_id", "user", "photographer")
_LABEL, _TYPE = ("label", "class", "category"), ("article_type", "articleType")

#: File names of the two tables; of the first any other CSV with its columns will do.
_PHOTOS, _ANSWERS = "photos.csv", "labels.csv"

#: People of a part: those whose number is divisible by this validate, the others train.
_EVERY = 5

PARTS = ("all", "train", "validation")


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """Photos with their labels, and the article types that answer each label.

    Attributes:
        table: one row per photo: ``image`` (name in ``storage``), ``label``, ``person`` ("" where
            it is not known).
        answers: label -> article types, empty where nothing in a catalogue answers it.
        counted: labels that count in means; photos of others are judged by label alone.
        storage: where the photos are.
        source: what was opened.
        basis: where the answers come from, in words.
    """

    table: pd.DataFrame
    answers: Mapping[str, tuple[str, ...]]
    counted: frozenset[str]
    storage: Storage
    source: str
    basis: str

    def __len__(self) -> int:
        return len(self.table)

    def image(self, place: int) -> np.ndarray:
        """The photo of one row, (height, width, 3) uint8.

        Raises:
            ImageReadError, StorageError: it cannot be read.
        """
        return load_image(self.storage.read(self.table["image"].iloc[place]))

    @property
    def people(self) -> int:
        """How many people took the photos; 0 where the table does not say."""
        names = self.table["person"]
        return int(names[names != ""].nunique())

    def part(self, name: str) -> PhotoSet:
        """The photos of some people: photos of one person share room, light and camera.

        Args:
            name: "validation", the people whose number is divisible by five (of a name: its
                checksum); "train", the others; or "all".

        Raises:
            CatalogueError: an unknown part, or one without photos.
        """
        if name not in PARTS:
            raise CatalogueError(f"people {join_names(PARTS)}", f"{name!r}", "use one of these")
        if name == "all":
            return self
        held_out = np.array([_number(person) % _EVERY == 0 for person in self.table["person"]])
        return self._keep_rows(held_out == (name == "validation"), f"people of the {name} part")

    def with_answers(self, types: Iterable[str]) -> PhotoSet:
        """The photos that a catalogue with these article types can answer.

        Raises:
            NoLabelsError: there are none.
        """
        there = set(types)
        found = {
            label: tuple(one for one in wanted if one in there)
            for label, wanted in self.answers.items()
        }
        able = self.table["label"].map(lambda label: bool(found.get(label))).to_numpy(bool)
        if not able.any():
            labels, types = sorted(set(self.table["label"]))[:8], join_names(sorted(there)[:8])
            raise NoLabelsError(
                f"photo labels that an article type of the catalogue answers ({types or '-'})",
                f"none among {', '.join(labels)}",
                f"name the catalogue's own article types in {_ANSWERS}",
            )
        return replace(self._keep_rows(able, "labels with an answer"), answers=found)

    def _keep_rows(self, mask: np.ndarray, what: str) -> PhotoSet:
        if not mask.any():
            raise CatalogueError(
                f"photos of {what}", f"none of {len(self)} in {self.source}", "use all people"
            )
        return replace(self, table=self.table[mask].reset_index(drop=True))


def load_photos(source: str | Path, *, labels: str | Path | None = None) -> PhotoSet:
    """Opens a photo set; no photo is read yet.

    Args:
        source: a folder or zip; a folder may hold the photos in one zip. ``"sample"``: the drawn
            photos that come with the sample; ``"clothing"``: the Clothing dataset, fetched.
        labels: the table of answers. By default ``labels.csv`` in the set or beside it, else
            the one of the Clothing dataset where it knows every label.

    Raises:
        CatalogueError: no such set, no table of photos or of answers, or photos that are not
            there.

    >>> photos = load_photos("sample")
    >>> len(photos), photos.answers["Jeans"]
    (8, ('Jeans',))
    """
    place, storage = _open(source)
    names = storage.names()
    table, named = _photo_table(storage, names, str(source))
    found = _answers_of(place, storage, names, labels) if named == "label" else None
    if named == "type":
        kinds = sorted(set(table["label"]) - {""})
        basis = "each photo names its article type"
        found = ({kind: (kind,) for kind in kinds}, frozenset(kinds), basis)
    answers, counted, basis = found or _read_shipped_answers(set(table["label"]), str(source))
    _check_labels(table, answers, str(source))
    if str(source) == "sample":
        # Each is drawn by a hand of its own.
        table["person"] = [str(number) for number in range(1, len(table) + 1)]
    return PhotoSet(table, answers, counted, storage, str(source), basis)


def _open(source: str | Path) -> tuple[Path, Storage]:
    """The place itself, and where its photos are: the only zip of a folder without pictures."""
    if str(source) == "sample":
        from fashify.data import SAMPLE

        source = SAMPLE
    elif str(source) == "clothing":
        from fashify.catalogue.kaggle import fetch_photos

        source = fetch_photos()
    path = Path(source).expanduser()
    try:
        zips = sorted(path.glob("*.zip")) if path.is_dir() else []
        has_table = path.is_dir() and any(one.name != _ANSWERS for one in path.glob("*.csv"))
        return path, open_storage(zips[0] if len(zips) == 1 and not has_table else path)
    except StorageError as error:
        raise CatalogueError(error.expected, error.received, error.fix) from error


def _photo_table(storage: Storage, names: Sequence[str], source: str) -> tuple[pd.DataFrame, str]:
    """The photos, and whether they are named by "label" or by "type"."""
    csvs = [name for name in names if name.lower().endswith(".csv")]
    csvs = [name for name in csvs if PurePosixPath(name).name != _ANSWERS]
    csvs.sort(key=lambda name: (PurePosixPath(name).name != _PHOTOS, name.count("/"), name))
    seen = []
    for name in csvs:
        rows = pd.DataFrame(read_csv(storage.read(name), name)[0].rows)
        image, label = _column(rows, _IMAGE), _column(rows, _LABEL)
        kind = _column(rows, _TYPE) if label is None else None
        if image is None or (label is None and kind is None):
            seen.append(f"{name} ({', '.join(map(str, rows)) or 'no rows'})")
            continue
        person = _column(rows, _PERSON)
        table = pd.DataFrame(
            {
                "image": _locate_photos(rows[image], name, names, source),
                "label": rows[kind if label is None else label],
                "person": "" if person is None else rows[person],
            }
        )
        return table, "type" if label is None else "label"
    raise CatalogueError(
        f"a table of photos with the columns image, label and person, such as {_PHOTOS}",
        f"{source} with {', '.join(seen[:3]) or 'no CSV'}",
        "add the table, one row a photo",
    )


def _column(rows: pd.DataFrame, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in rows), None)


def _locate_photos(wanted: pd.Series, table: str, names: Sequence[str], source: str) -> list[str]:
    """Each photo's name in the storage: beside the table, or by its file name or stem anywhere."""
    home = str(PurePosixPath(table).parent)
    there, by_stem = set(names), {}
    for name in sorted(names, key=lambda name: ("original" in name, name), reverse=True):
        path = PurePosixPath(name)
        by_stem[path.name], by_stem[path.stem] = name, name
    found = []
    for text in wanted:
        beside = text if home == "." else f"{home}/{text}"
        place = beside if beside in there else by_stem.get(PurePosixPath(text).name)
        if place is None or place.lower().endswith(".csv"):
            raise CatalogueError(
                f"the photos that {table} names", f"no {text!r} in {source}", "add the photo"
            )
        found.append(place)
    return found


def _answers_of(
    place: Path, storage: Storage, names: Sequence[str], labels: str | Path | None
) -> tuple[dict[str, tuple[str, ...]], frozenset[str], str] | None:
    """The table of answers given, in the set, or beside it; None where there is none."""
    if labels is not None:
        path = Path(labels).expanduser()
        if not path.is_file():
            raise CatalogueError("a table of answers", f"no file {path}", "check the path")
        return _read_answers(path.read_bytes(), path.name)
    inside = [name for name in names if PurePosixPath(name).name == _ANSWERS]
    if inside:
        return _read_answers(storage.read(inside[0]), _ANSWERS)
    beside = (place if place.is_dir() else place.parent) / _ANSWERS
    return _read_answers(beside.read_bytes(), _ANSWERS) if beside.is_file() else None


def _read_answers(data: bytes, name: str) -> tuple[dict[str, tuple[str, ...]], frozenset[str], str]:
    """label -> article types, the labels that count, and what the table is called.

    Without a column ``counted`` every label counts; of the Clothing dataset's own labels and
    answers those ten that it counts itself.
    """
    rows = pd.DataFrame(read_csv(data, name)[0].rows)
    if "label" not in rows or "article_types" not in rows:
        raise CatalogueError(
            f"the columns label and article_types in {name}",
            ", ".join(map(str, rows.columns)) or "an empty table",
            "name the article types that answer each label, separated by ;",
        )
    types = [tuple(filter(None, map(str.strip, t.split(";")))) for t in rows["article_types"]]
    answers = dict(zip(rows["label"], types, strict=True))
    if "counted" in rows:
        yes = rows["counted"].str.lower().isin(("yes", "true", "1"))
        return answers, frozenset(rows["label"][yes]), name
    ours, counted, basis = _read_answers(_read_shipped_table(), "the Clothing dataset's")
    if all(ours.get(label) == wanted for label, wanted in answers.items()):
        return answers | ours, counted, f"{name}, as of {basis}"
    return answers, frozenset(answers), name


def _read_shipped_table() -> bytes:
    return (resources.files("fashify") / "data" / "clothing_labels.csv").read_bytes()


def _read_shipped_answers(labels: set[str], source: str) -> tuple[dict, frozenset[str], str]:
    answers, counted, basis = _read_answers(_read_shipped_table(), "the Clothing dataset's answers")
    unknown = sorted(labels - set(answers))
    if unknown:
        raise CatalogueError(
            f"a table of answers ({_ANSWERS} with the columns label and article_types)",
            f"none in or beside {source}, whose labels are {', '.join(unknown[:5])}",
            f"add {_ANSWERS}, or name it: labels=FILE, on the command line --photo-labels FILE",
        )
    return answers, counted, basis


def _check_labels(table: pd.DataFrame, answers: Mapping, source: str) -> None:
    unknown = sorted(set(table["label"]) - set(answers))
    if unknown:
        raise CatalogueError(
            f"every label of {source} in its table of answers",
            f"none for {', '.join(map(repr, unknown[:5]))}",
            "add a line for each; without article types where nothing answers it",
        )


def _number(person: str) -> int:
    return int(person) if person.isdecimal() else zlib.crc32(person.encode())
