"""The pictures of each product, in order: those its rows name, and those that belong to them."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pandas as pd

from fashify.catalogue.folders import GENERIC, MAX_VIEWS
from fashify.catalogue.joining import PictureFinder
from fashify.catalogue.matching import Matches
from fashify.catalogue.picture_names import base_stem, split_view, view_order
from fashify.catalogue.reading import JoinReading


def pictures_of_products(ids: list[str], of_row: np.ndarray, matches: Matches) -> list[list[int]]:
    """(p,) lists of the places of each product's pictures, in the order of its rows."""
    found: list[list[int]] = [[] for _ in ids]
    main, more = matches.main.tolist(), matches.more
    for row, product in enumerate(of_row.tolist()):
        if main[row] >= 0:
            own = found[product]
            for place in (main[row], *more.get(row, ())):
                if place not in own:
                    own.append(place)
    return found


def add_views(
    ids: list[str], pictures: list[list[int]], finder: PictureFinder, doubtful: set[int]
) -> list[JoinReading]:
    """Gives pictures that no row names to the product they are a view of, in place.

    ``12790_2.jpg`` belongs to the product 12790, or to the one whose picture is ``12790.jpg`` or
    ``12790_1.jpg``; so does what lies in a folder that is this product's alone.

    Args:
        ids: (p,) the products' ids.
        pictures: (p,) their pictures so far.
        finder: of all pictures.
        doubtful: pictures that fit a row as well as others do; they stay out.
    """
    free = _find_unused(pictures, finder, doubtful)
    if not free:
        return []
    owners = _owners(ids, pictures, finder)
    joins = [_give(free, pictures, finder, owners, by_name=True)]
    free = _find_unused(pictures, finder, doubtful)
    if free:
        owners = _folder_owners(ids, pictures, finder)
        joins.append(_give(free, pictures, finder, owners, by_name=False))
    return [join for join in joins if join.rows]


def _find_unused(pictures: list[list[int]], finder: PictureFinder, doubtful: set[int]) -> list[int]:
    taken = np.zeros(len(finder.paths), dtype=bool)
    taken[list(doubtful)] = True
    for places in pictures:
        taken[places] = True
    return np.flatnonzero(~taken).tolist()


def _owners(ids: list[str], pictures: list[list[int]], finder: PictureFinder) -> dict[str, int]:
    """What a view's name may begin with -> the product; -1 where it is of several."""
    owners: dict[str, int] = {}

    def claim(key: str, product: int) -> None:
        if key and owners.setdefault(key, product) != product:
            owners[key] = -1

    for product, item_id in enumerate(ids):
        claim(item_id.casefold(), product)
    for product, places in enumerate(pictures):
        for place in places[:1]:
            stem = base_stem(finder.paths[place]).casefold()
            claim(stem, product)
            found = split_view(stem)
            if found:
                claim(found[0], product)
    return owners


def _folder_owners(
    ids: list[str], pictures: list[list[int]], finder: PictureFinder
) -> dict[str, int]:
    """Folder -> the one product whose pictures are in it, or that it is named after."""
    inside: dict[str, set[int]] = defaultdict(set)
    for product, places in enumerate(pictures):
        for place in places:
            inside[finder.paths[place].rpartition("/")[0]].add(product)
    by_id = {item_id.casefold(): product for product, item_id in enumerate(ids)}
    sizes = Counter(path.rpartition("/")[0] for path in finder.paths)
    several = len(inside) > 1 or len(ids) == 1
    owners = {}
    for folder, size in sizes.items():
        name = folder.rpartition("/")[2].casefold()
        if name in by_id and inside[folder] <= {by_id[name]}:
            owners[folder] = by_id[name]
        elif len(inside[folder]) == 1 and several and size <= MAX_VIEWS and name not in GENERIC:
            owners[folder] = next(iter(inside[folder]))
    return owners


def _give(
    free: list[int],
    pictures: list[list[int]],
    finder: PictureFinder,
    owners: dict[str, int],
    *,
    by_name: bool,
) -> JoinReading:
    given: dict[int, list[int]] = defaultdict(list)
    for place in free:
        path = finder.paths[place]
        product = _owner_by_name(path, owners) if by_name else owners.get(path.rpartition("/")[0])
        if product is not None and product >= 0:
            given[product].append(place)
    new, example = 0, ""
    for product, places in given.items():
        new += not pictures[product]
        places.sort(key=lambda place: view_order(finder.paths[place]))
        pictures[product] += places
        example = example or finder.paths[places[0]]
    total = sum(map(len, given.values()))
    rule = "view's name" if by_name else "product's folder"
    what = f"{total:,} pictures, {new:,} of them a product's first: {example}"
    return JoinReading("further views", rule, total, what)


def _owner_by_name(path: str, owners: dict[str, int]) -> int | None:
    """The product of a view's name; of ``1_2_3`` first ``1_2``, then ``1``."""
    found = split_view(base_stem(path).casefold())
    for _ in range(3):
        if found is None:
            return None
        if owners.get(found[0], -1) >= 0:
            return owners[found[0]]
        found = split_view(found[0])
    return None


def views_frame(ids: list[str], pictures: list[list[int]], paths: list[str]) -> pd.DataFrame:
    """``item_id, path``, a row per picture."""
    counts = [len(places) for places in pictures]
    return pd.DataFrame(
        {
            "item_id": np.repeat(np.array(ids, dtype=object), counts),
            "path": [paths[place] for places in pictures for place in places],
        },
        dtype=object,
    )
