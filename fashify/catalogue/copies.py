"""Files stored twice: second copies of a whole set, links, thumbnails, other sizes."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np

from fashify.catalogue.files import Files
from fashify.catalogue.picture_names import base_stem, file_stem, folder_of
from fashify.errors import FashifyError
from fashify.io.images import load_image, resize
from fashify.io.storage import Storage

#: Share of names that must agree before a folder is a copy of another.
AGREE = 0.8

#: Pairs of pictures compared before two folders are called sizes of the same.
COMPARED = 3

_THUMB_FOLDER = re.compile(
    r"^(.*[-_ ])?(thumb(nail)?s?|thumbs?[-_]?\d*|small|mini(s|atures?)?|previews?|icons?|tiny|"
    r"low[-_]?res|\d{2,4}x\d{2,4}|\d{2,3}px|xs|resized|vignettes?|vorschau(bilder)?|miniaturas?|"
    r"miniature|缩略图|サムネイル)$",
    re.IGNORECASE,
)
_SIZED = re.compile(
    r"^(?P<key>.+?)([-_](\d{2,4}x\d{0,4}|x\d{2,4}|thumb(nail)?|tn|small|scaled|mini|preview|medium|"
    r"large|grande|compact|pico|icon|\d{2,4}px)|@[23]x)$",
    re.IGNORECASE,
)


def drop_copies(files: Files, storage: Storage) -> None:
    """Drops files stored a second time; the reasons are kept in ``files.others``."""
    links = getattr(storage, "links", {})
    listed = set(files.pictures) | set(files.tables)
    doubled = {name for name in listed if links.get(name) in listed}
    files.drop(doubled, "links to files that are listed themselves")
    for folder, names in _second_sets(files):
        files.drop(names, f"files of a second copy in {folder}")
    files.drop(_thumbnails(files.pictures), "thumbnails of other pictures")
    files.drop(_find_sized(files.pictures), "smaller copies of other pictures")
    for folder, names in _other_sizes(files.pictures, storage):
        files.drop(names, f"pictures in {folder} that are smaller copies of others")


def _second_sets(files: Files) -> list[tuple[str, set[str]]]:
    """Folders with a table of a name that a folder above has, and with the same files."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for name in files.tables:
        by_name[name.rpartition("/")[2]].append(folder_of(name))
    everything = files.pictures + files.tables
    listed = set(everything)
    found = []
    for folders in by_name.values():
        top = min(folders, key=lambda folder: (folder.count("/"), folder))
        for folder in folders:
            if folder == top or not folder.startswith(top):
                continue
            inside = [name for name in everything if name.startswith(folder)]
            same = sum(top + name[len(folder) :] in listed for name in inside)
            if len(inside) > 1 and same > 0.9 * len(inside):
                found.append((folder, set(inside)))
    return found


def _thumbnails(pictures: list[str]) -> set[str]:
    """Pictures in a folder called so that another folder has under the same name."""
    folders = {name.rpartition("/")[0] for name in pictures}
    small = {f for f in folders if any(_THUMB_FOLDER.match(part) for part in f.split("/"))}
    if not small or small == folders:
        return set()
    originals = {base_stem(n).casefold() for n in pictures if n.rpartition("/")[0] not in small}
    found = set()
    for name in pictures:
        if name.rpartition("/")[0] in small:
            stem = base_stem(name).casefold()
            sized = _SIZED.match(stem)
            if stem in originals or (sized and sized["key"] in originals):
                found.add(name)
    return found


def _find_sized(pictures: list[str]) -> set[str]:
    """``p0-150x150.jpg`` and the like beside ``p0.jpg``."""
    stems = {name: file_stem(name) for name in pictures}
    matches = {n: _SIZED.match(stem) for n, stem in stems.items() if not stem.isalnum()}
    if not any(matches.values()):
        return set()
    listed = {folder_of(name) + base_stem(name) for name in pictures}
    return {
        name
        for name, match in matches.items()
        if match and folder_of(name) + match["key"] in listed
    }


def _other_sizes(pictures: list[str], storage: Storage) -> list[tuple[str, set[str]]]:
    """Top folders with the same names whose pictures are the same but for their size."""
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    start = len(_common_folder(pictures))
    for name in pictures:
        top, slash, rest = name[start:].partition("/")
        if slash:
            groups[name[:start] + top + "/"][rest.rpartition(".")[0]] = name
    if not 2 <= len(groups) <= 12:
        return []
    found = []
    kept = dict(groups)
    for folder in sorted(groups, key=lambda folder: len(groups[folder])):
        for other in kept:
            shared = kept[other].keys() & groups[folder].keys()
            if other == folder or len(shared) < max(2, AGREE * len(groups[folder])):
                continue
            pairs = [(groups[folder][key], kept[other][key]) for key in sorted(shared)[:COMPARED]]
            if _smaller_copies(pairs, storage):
                found.append((folder, {groups[folder][key] for key in shared}))
                del kept[folder]
                break
    return found


def _common_folder(pictures: list[str]) -> str:
    """The folder that all are in, with its ``/``."""
    if not pictures:
        return ""
    first, last = folder_of(min(pictures)), folder_of(max(pictures))
    parts = []
    for mine, theirs in zip(first.split("/")[:-1], last.split("/")[:-1], strict=False):
        if mine != theirs:
            break
        parts.append(mine + "/")
    return "".join(parts)


def _smaller_copies(pairs: list[tuple[str, str]], storage: Storage) -> bool:
    """Whether of every pair the first shows the same as the second, in no more pixels."""
    try:
        loaded = [(load_image(storage.read(a)), load_image(storage.read(b))) for a, b in pairs]
    except FashifyError:
        return False
    return all(a.size <= b.size and _show_the_same(a, b) for a, b in loaded)


def _show_the_same(one: np.ndarray, other: np.ndarray) -> bool:
    small = [resize(image, (24, 18)).astype(np.int16) for image in (one, other)]
    return float(np.abs(small[0] - small[1]).mean()) < 6
