"""Groups of products that are one another's copies or variants, and splits that keep them whole.

Trained on one variant of a shirt and tested on another, a search looks better than it is. So
whatever is learned or measured goes by groups: no group lies on both sides of a split, and
confidence intervals draw groups, not products.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from fashify.errors import ConfigError

#: Parts of the usual split, in the order of its fractions.
SPLITS = ("train", "validation", "test")

FRACTIONS = (0.7, 0.15, 0.15)


def group_ids(
    items: pd.DataFrame,
    identities: Sequence[str] | np.ndarray | None = None,
    hashes: Sequence | np.ndarray | None = None,
    view_items: np.ndarray | None = None,
) -> np.ndarray:
    """The group of each product: the connected components of all that joins two of them.

    Joined are products of one name (letter case and spaces aside) and article type, of one
    identity, and of one hash.

    Args:
        items: n rows with ``item_id`` and, to join variants, ``name`` and ``article_type``.
        identities: (v,) keys, equal for pictures that are equal to the byte, such as the sha256
            of their files; "" joins with nothing.
        hashes: (v,) keys, equal for pictures that look alike, as
            ``fashify.catalogue.likeness.look_alikes`` gives them; "" joins with nothing.
        view_items: (v,) int64, whose picture each is; one per product by default.

    Returns:
        (n,) int64, equal within a group and different between groups. A group's number comes
        from its smallest item_id alone, so neither the order of the rows nor products that
        are added elsewhere change it. The numbers are large; count with ``np.unique``.
    """
    ids = items["item_id"].to_numpy(dtype=object)
    everyone = np.arange(len(ids))
    owners = everyone if view_items is None else view_items
    joined = [(_codes(variant_keys(items)), everyone)]
    joined += [(_codes(keys), owners) for keys in (identities, hashes) if keys is not None]
    component = _components(joined, len(ids))
    first = pd.Series(ids).groupby(component).min()
    return first.map(_number).to_numpy(np.int64)[component]


def variant_keys(items: pd.DataFrame) -> np.ndarray:
    """(n,) str: equal for products of one name and article type; "" where there is no name."""
    if "name" not in items or "article_type" not in items:
        return np.full(len(items), "", dtype=object)
    names = items["name"].str.casefold().str.split().str.join(" ")
    keys = names + "\x00" + items["article_type"]
    return keys.where(names != "", "").to_numpy(dtype=object)


def split_by_group(
    groups: np.ndarray,
    fractions: Sequence[float] = FRACTIONS,
    seed: int = 0,
    labels: Sequence[str] | np.ndarray | None = None,
) -> np.ndarray:
    """Which of ``train``, ``validation`` and ``test`` each product belongs to.

    Args:
        groups: (n,) from :func:`group_ids`.
        fractions: shares of the three, adding up to 1.
        seed: another seed, another split.
        labels: (n,) to spread evenly, a group counting under its most frequent one; None
            lets chance do it, and then a group's part depends on nothing but its number and
            the seed: it stays when the catalogue grows.

    Returns:
        (n,) array of str.

    Raises:
        ConfigError: fractions that are no shares.
    """
    if len(fractions) != len(SPLITS):
        raise ConfigError("three fractions", str(tuple(fractions)), "give train, validation, test")
    return np.array(SPLITS)[parts_by_group(groups, fractions, seed, labels)]


def parts_by_group(
    groups: np.ndarray,
    fractions: Sequence[float],
    seed: int = 0,
    labels: Sequence[str] | np.ndarray | None = None,
) -> np.ndarray:
    """(n,) int: as :func:`split_by_group`, for any number of parts 0, 1, ...."""
    shares = np.asarray(fractions, dtype=float)
    if not (shares >= 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ConfigError(
            "fractions of 0 or more that add up to 1", str(tuple(fractions)), "try 0.7, 0.15, 0.15"
        )
    names, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    place = np.array([_draw_lot(name, seed) for name in names])
    if labels is not None:
        place = _spread(place, sizes, _main_labels(inverse, labels))
    # The last part takes what rounding leaves.
    part = np.searchsorted(np.cumsum(shares)[:-1], place, side="right")
    return part[inverse]


def _spread(lots: np.ndarray, sizes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(g,) in [0, 1): within each label, groups in the order of their lots, by their sizes."""
    place = np.empty(len(lots))
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        mine = mine[np.argsort(lots[mine], kind="stable")]
        ends = np.cumsum(sizes[mine])
        # Shifted by the first lot: else the one group of a rare label were always in one part.
        place[mine] = ((ends - sizes[mine] / 2) / ends[-1] + lots[mine[0]]) % 1
    return place


def _main_labels(inverse: np.ndarray, labels: Sequence[str] | np.ndarray) -> np.ndarray:
    """(g,) the most frequent label of each group, the first in the alphabet among equals."""
    counted = pd.DataFrame({"group": inverse, "label": np.asarray(labels, dtype=str)})
    counted = counted.value_counts().reset_index()
    counted = counted.sort_values(["group", "count", "label"], ascending=[True, False, True])
    return counted.drop_duplicates("group")["label"].to_numpy()


def _draw_lot(group: int, seed: int) -> float:
    """A number in [0, 1) drawn by hashing."""
    return _digest(f"{seed}:{group}") / 2**63


def _number(item_id: str) -> int:
    return _digest(str(item_id))


def _digest(text: str) -> int:
    """The first 63 bits of BLAKE2b."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _codes(keys: Sequence | np.ndarray) -> np.ndarray:
    """(r,) int below 2 r: equal for equal keys; rows without a key get a code of their own."""
    series = pd.Series(np.asarray(keys, dtype=object))
    codes = pd.factorize(series)[0]
    free = (series == "").to_numpy() | (codes < 0)
    return np.where(free, len(keys) + np.arange(len(keys)), codes)


def _components(joined: list[tuple[np.ndarray, np.ndarray]], n: int) -> np.ndarray:
    """(n,) int: components of the graph of items on one side and all their keys on the other.

    Args:
        joined: for each kind of key (codes (r,), items (r,)).
        n: items.
    """
    width = 2 * max(len(codes) for codes, _ in joined)
    columns = np.concatenate([width * place + codes for place, (codes, _) in enumerate(joined)])
    columns = n + np.unique(columns, return_inverse=True)[1]
    rows = np.concatenate([items for _, items in joined])
    size = n + len(columns)
    graph = coo_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(size, size))
    return pd.factorize(connected_components(graph, directed=False)[1][:n])[0]
