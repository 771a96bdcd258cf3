"""Names of pictures as cells and files have them: paths, endings, views, several in one cell."""

from __future__ import annotations

import ast
import json
import re
from urllib.parse import urlsplit

from fashify.io.images import SUFFIXES

#: Signs of a path that is not written as those of pictures are.
_UNUSUAL = re.compile(r"[\\:]|//|^[./]")


def normalise_slashes(cell: str) -> str:
    """A path as this machine writes it: ``/`` between the parts, no ``./`` before them.

    >>> normalise_slashes(".\\\\images\\\\a.jpg"), normalise_slashes("https://x.test/f/a%20b.jpg?v=1")
    ('images/a.jpg', 'f/a%20b.jpg')
    """
    if cell.isalnum() or not _UNUSUAL.search(cell):
        return cell
    if "://" in cell or cell.startswith("//"):
        try:
            return urlsplit(cell).path.lstrip("/")
        except ValueError:
            return cell
    path = cell.replace("\\", "/")
    if re.match(r"[A-Za-z]:/", path):
        path = path[3:]
    while path.startswith(("./", "/")):
        path = path.lstrip("/").removeprefix("./")
    return re.sub(r"/{2,}", "/", path)


def base_name(cell: str) -> str:
    """The last part of a path or address.

    >>> base_name("https://cdn.test/files/p0.jpg?v=1")
    'p0.jpg'
    """
    return normalise_slashes(cell).rpartition("/")[2]


def without_ending(name: str) -> str:
    """``a.b`` of ``a.b.jpg`` and of ``a.b``: only a picture's ending is one."""
    head, dot, tail = name.rpartition(".")
    return head if dot and head and f".{tail.lower()}" in SUFFIXES else name


def file_stem(path: str) -> str:
    """The file name of a picture without its ending, whatever that is.

    >>> file_stem("images/2.dat"), file_stem("a.b.jpg")
    ('2', 'a.b')
    """
    name = path.rpartition("/")[2]
    head, dot, ending = name.rpartition(".")
    return head if dot and head and len(ending) <= 5 and ending.isalnum() else name


def path_stem(path: str) -> str:
    return without_ending(normalise_slashes(path))


def base_stem(path: str) -> str:
    return without_ending(base_name(path))


#: What the words of views look like in file names, in the order in which they are shown.
VIEW_WORDS = (
    "main primary front full hero cover default model flat packshot vorne face frente fronte 正面 "
    "side left right seite profil lado lato 侧面 back rear hinten rueckseite dos espalda retro "
    "背面 additional alt alternate detail details zoom close closeup macro texture fabric label "
    "tag top bottom inside outside sole lifestyle look outfit worn swatch"
).split()

_VIEW = re.compile(
    r"^(?P<key>.+?)(?:[_\-. ]+(?P<view>(?:img|image|pic|photo|view|v|p)?\d{1,2}|[a-h]|"
    + "|".join(VIEW_WORDS)
    + r")|\s?\((?P<number>\d{1,2})\))$",
    re.IGNORECASE,
)


def split_view(stem: str) -> tuple[str, str] | None:
    """``(key, view)`` of a stem that ends in a view's number or word, or ``None``.

    >>> split_view("12790_2"), split_view("shirt-back"), split_view("12790")
    (('12790', '2'), ('shirt', 'back'), None)
    """
    match = _VIEW.match(stem)
    return (match["key"], match["view"] or match["number"]) if match else None


def view_order(path: str) -> tuple:
    """Sorts the views of a product: the plain name, then words of the front, then numbers."""
    stem = base_stem(path).casefold()
    found = split_view(stem)
    view = found[1] if found else stem
    digits = re.findall(r"\d+", view)
    word = VIEW_WORDS.index(view) if view in VIEW_WORDS else len(VIEW_WORDS)
    bare = found is None and view not in VIEW_WORDS
    number = int(digits[-1]) if digits else 0
    return (not bare, word, len(stem) if bare else 0, number, path)


def may_list(cell: str) -> bool:
    """Whether a cell has a mark that may stand between several names."""
    return _SEVERAL.search(cell) is not None


def split_cell(cell: str) -> list[str]:
    """The pictures that one cell names, in their order.

    A mark splits only where every part is a picture's name or address: names may hold commas.

    >>> split_cell("a.jpg, b.jpg"), split_cell("red, blue.jpg")
    (['a.jpg', 'b.jpg'], ['red, blue.jpg'])
    >>> split_cell('["a.jpg", "b.jpg"]'), split_cell("https://x.test/w_2,h_3/a.jpg")
    (['a.jpg', 'b.jpg'], ['https://x.test/w_2,h_3/a.jpg'])
    """
    text = cell.strip()
    if text and text[0] in "[{" and text[-1:] in "]}":
        inner = _json_list(text)
        if inner:
            return inner
    if not may_list(text):
        return [cell]
    for mark in ("|", ";", "\n", ",", " "):
        pattern = r"[, ]\s*(?=https?://)" if "://" in text and mark in ", " else re.escape(mark)
        parts = [part.strip() for part in re.split(pattern, text) if part.strip()]
        if len(parts) > 1 and all(_names_picture(part, mark) for part in parts):
            return parts
    return [cell]


_SEVERAL = re.compile(r"[|;,\n]|^\s*[\[{]|\s\S*(://|\.[A-Za-z]{3,4}$)")


def _names_picture(part: str, mark: str) -> bool:
    ending = base_name(part).rpartition(".")
    has_ending = bool(ending[1]) and f".{ending[2].lower()}" in SUFFIXES
    return has_ending or part.startswith(("http://", "https://")) or mark in "|"


def _json_list(text: str) -> list[str]:
    """Names in a JSON list, or in a list as Python prints it."""
    for read in (json.loads, ast.literal_eval):
        try:
            values = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        values = values if isinstance(values, list | tuple) else [values]
        names = [_find_named(value) for value in values]
        return [name for name in names if name]
    return []


def _find_named(value: object) -> str:
    if isinstance(value, dict):
        texts = [value.get(key) for key in ("src", "url", "path", "file_name", "filename", "file")]
        return next((text for text in texts if isinstance(text, str)), "")
    return str(value).strip() if isinstance(value, str | int) else ""


def folder_of(path: str) -> str:
    """The folder of a file with ``/`` at its end; "" at the root.

    >>> folder_of("images/010/a.jpg"), folder_of("a.jpg")
    ('images/010/', '')
    """
    head, slash, _ = path.rpartition("/")
    return head + slash
