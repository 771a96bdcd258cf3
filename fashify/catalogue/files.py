"""What each file of a source is: a picture, a table, or left out for a reason."""

from __future__ import annotations

import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from fashify.catalogue.readers import reader_of
from fashify.catalogue.reading import Count
from fashify.errors import FashifyError
from fashify.io.images import SUFFIXES, is_picture
from fashify.io.storage import Storage

IGNORED_PARTS = ("__MACOSX", ".ipynb_checkpoints", "@eaDir", "Thumbs.db", "desktop.ini")

#: The user's choice of columns, kept beside the data.
SETTINGS = "catalogue.toml"

#: Files whose ending says nothing that are opened to look; a bucket answers one by one.
MAX_OPENED = 20_000

#: More texts or XML files than this are no tables.
MAX_TEXTS = 20

#: A table that is packed alone, ``products.csv.gz``.
PACKED = ".gz"

#: Reasons for which files are left out, as the reading says them.
NOTHING = "files that are no picture and no table"
UNREADABLE_TABLES = "tables in a format that is not read"

_OTHERS = {
    "films": ".mp4 .mov .avi .mkv .webm .m4v .3gp",
    "drawings and documents that hold no photo": ".svg .ai .eps .ps .psd .cdr .pdf .indd .xcf",
    "raw pictures of a camera (export them as JPEG)": (
        ".cr2 .cr3 .nef .arw .dng .raf .orf .rw2 .srw .pef"
    ),
    "archives inside the catalogue (unpack them)": ".zip .7z .rar .tar .tgz .gz .bz2 .xz",
    UNREADABLE_TABLES: (
        ".xls .xlsb .ods .numbers .sqlite .sqlite3 .db .mdb .accdb .pkl .pickle .npy .npz .h5 "
        ".hdf5 .dta .sav .sql .rds .rdata .avro .orc .mat"
    ),
    "texts and programs": (
        ".md .rst .html .htm .py .ipynb .toml .yml .yaml .ini .cfg .log .doc .docx .css .js .sh "
        ".php .rtf .lock .sha256 .md5 .torrent .exe"
    ),
}  # fmt: skip
_KIND_OF = {suffix: kind for kind, suffixes in _OTHERS.items() for suffix in suffixes.split()}

_README = re.compile(r"^(readme|license|licence|copying|notes?|changelog|attribution|info)\b", re.I)


@dataclass
class Files:
    """A source's files by what they are.

    Attributes:
        pictures: names, sorted.
        tables: names of files that a reader may read; ``.txt`` among them only may be one.
        others: reason -> names of what is neither.
    """

    pictures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    others: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def count_left_out(self) -> list[Count]:
        """The files that are neither, counted by reason."""
        return [Count.of(reason, names) for reason, names in self.others.items() if names]

    def drop(self, names: set[str], reason: str) -> None:
        """Takes names out of pictures and tables, with a reason."""
        if not names:
            return
        self.others[reason] += sorted(names.intersection([*self.pictures, *self.tables]))
        self.pictures = [name for name in self.pictures if name not in names]
        self.tables = [name for name in self.tables if name not in names]


def is_hidden(name: str) -> bool:
    """Whether the file is hidden or a system's own."""
    return (
        name[:1] in ".~" or "/." in name or "/~" in name or any(p in name for p in IGNORED_PARTS)
    ) and any(part.startswith((".", "~$")) or part in IGNORED_PARTS for part in name.split("/"))


def suffix_of(name: str) -> str:
    """The ending in lower case with its dot, "" for none.

    >>> suffix_of("a/B.JPG"), suffix_of("a.b/c")
    ('.jpg', '')
    """
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return f".{ending.lower()}" if dot and stem else ""


def sort_files(storage: Storage, names: list[str]) -> Files:
    """Sorts names by their endings, and by their first bytes where those say nothing."""
    found, unknown = Files(), []
    for name in names:
        suffix = suffix_of(name)
        if is_hidden(name):
            found.others["hidden files of a system"].append(name)
        elif suffix in SUFFIXES:
            found.pictures.append(name)
        elif name.rpartition("/")[2] == SETTINGS:
            found.others["settings"].append(name)
        elif _is_table(name, suffix):
            found.tables.append(name)
        elif suffix in _KIND_OF:
            found.others[_KIND_OF[suffix]].append(name)
        elif _README.match(name.rpartition("/")[2]) or suffix == ".txt":
            found.others["texts and programs"].append(name)
        else:
            unknown.append(name)
    _look_into(storage, unknown, found)
    _drop_captions(found)
    return found


def _drop_captions(found: Files) -> None:
    """Drops text and XML files that describe one picture each: they are no table of products."""
    beside = [name for name in found.tables if suffix_of(name) in (".txt", ".xml")]
    if not beside:
        return
    stems = {name.rpartition(".")[0].rpartition("/")[2] for name in found.pictures}
    own = {name for name in beside if name.rpartition(".")[0].rpartition("/")[2] in stems}
    if len(beside) - len(own) > MAX_TEXTS:
        own.update(beside)
    found.drop(own, "texts beside single pictures")


def _is_table(name: str, suffix: str) -> bool:
    if suffix == PACKED:
        return reader_of(name[: -len(PACKED)]) is not None
    if suffix == ".txt":
        return not _README.match(name.rpartition("/")[2])
    return reader_of(name) is not None


def _look_into(storage: Storage, names: list[str], found: Files) -> None:
    def look(name: str) -> bool:
        try:
            return is_picture(storage.head(name, 32))
        except FashifyError:
            return False

    with ThreadPoolExecutor(storage.readers) as pool:
        pictures = list(pool.map(look, names[:MAX_OPENED]))
    pictures += [False] * (len(names) - len(pictures))
    for name, picture in zip(names, pictures, strict=True):
        if picture:
            found.pictures.append(name)
        else:
            found.others[NOTHING].append(name)
    found.pictures.sort()
