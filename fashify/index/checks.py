"""What an index accepts: arrays, k, ids, exclusions and masks, each refused by name."""

from __future__ import annotations

import operator
from collections.abc import Collection, Sequence

import numpy as np

from fashify.errors import ConfigError, QueryError, join_names

METRICS = ("cosine", "euclidean")

#: Larger vectors would overflow single precision when squared.
LARGEST_NORM = 1e15

#: Rows whose norms are taken at once: bounds the double precision copy.
_NORM_BLOCK = 4096


def metric(name: str) -> str:
    """``name`` when it is a known metric; ConfigError otherwise."""
    if name not in METRICS:
        raise ConfigError(
            "a known metric", f"metric={name!r}", f"choose from: {join_names(METRICS)}"
        )
    return name


def vectors(array: np.ndarray, what: str, dim: int | None = None) -> np.ndarray:
    """``array`` as (rows, dim) float32, C order; no copy when it is so already.

    Raises:
        QueryError: not a numeric (rows, dim) array, or of another dimension.
    """
    array = np.asanyarray(array)
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise QueryError(
            f"{what} as a numeric array of shape (rows, {dim or 'dim'})",
            f"shape {array.shape}, dtype {array.dtype}",
            "pass one vector as a row: vector[None, :]",
        )
    if array.shape[1] == 0 or (dim is not None and array.shape[1] != dim):
        raise QueryError(
            f"{what} of {dim or 'at least 1'} dimensions",
            f"{array.shape[1]} dimensions",
            "extract them with the backbone the index was built with",
        )
    return np.ascontiguousarray(array, dtype=np.float32)


def norms(array: np.ndarray, what: str) -> np.ndarray:
    """(rows,) float32 Euclidean norms of a checked array.

    Raises:
        QueryError: a NaN, an infinity, or a vector too long for single precision.
    """
    lengths = np.empty(len(array), dtype=np.float64)
    for start in range(0, len(array), _NORM_BLOCK):
        block = array[start : start + _NORM_BLOCK].astype(np.float64)
        lengths[start : start + _NORM_BLOCK] = np.sqrt(np.einsum("ij,ij->i", block, block))
    bad = np.flatnonzero(~(lengths < LARGEST_NORM))
    if len(bad):
        raise QueryError(
            f"{what} with finite values and norms below {LARGEST_NORM:.0e}",
            f"{len(bad)} bad rows, the first at row {bad[0]}",
            "drop these rows, or extract them again",
        )
    return lengths.astype(np.float32)


def item_ids(ids: Sequence[str] | np.ndarray, rows: int) -> np.ndarray:
    """(rows,) array of str.

    Raises:
        QueryError: another number of ids than rows, an empty id or one that comes twice.
    """
    array = np.asarray(ids)
    if array.ndim != 1 or len(array) != rows:
        raise QueryError(
            f"one item id for each of {rows} rows", f"shape {array.shape}", "pass ids and rows"
        )
    array = array.astype(str) if len(array) else np.empty(0, dtype="<U1")
    values, counts = np.unique(array, return_counts=True)
    if np.any(counts > 1):
        twice = values[counts > 1]
        raise QueryError(
            "every item id once",
            f"{len(twice)} ids that come more than once, the first {str(twice[0])!r}",
            "drop the copies, or use update for an item that is there already",
        )
    if rows and values[0] == "":
        raise QueryError("item ids with at least one character", "an empty id", "name every row")
    return array


def view_items(owners: np.ndarray | None, rows: int, items: int) -> np.ndarray | None:
    """(rows,) int64 position of each view's product, None where each has just one.

    Raises:
        QueryError: not ascending from 0 to ``items`` - 1, or of another length.
    """
    if owners is None:
        return None
    array = np.asarray(owners, dtype=np.int64)
    steps = np.diff(array, prepend=-1)
    if array.shape != (rows,) or not np.isin(steps, (0, 1)).all() or int(steps.sum()) != items:
        raise QueryError(
            f"the product of each of {rows} views, ascending from 0 to {items - 1}",
            f"shape {array.shape}",
            "pass store.view_items",
        )
    return None if rows == items else array


def count(k: int, available: int) -> int:
    """``k`` as an int from 1 to ``available``; QueryError otherwise."""
    try:
        number = operator.index(k)
    except TypeError:
        number = 0
    if isinstance(k, bool) or not 1 <= number <= available:
        raise QueryError(
            f"k as a whole number from 1 to {available}, the items in the index",
            f"k={k!r}",
            "ask for fewer neighbours" if number > available else "ask for at least one neighbour",
        )
    return number


def mask(where: np.ndarray | None, rows: int) -> np.ndarray | None:
    """``where`` as a boolean mask over the gallery; QueryError when it is none."""
    if where is None:
        return None
    array = np.asarray(where)
    if array.dtype != bool or array.shape != (rows,):
        raise QueryError(
            f"where as a boolean mask of shape ({rows},)",
            f"shape {array.shape}, dtype {array.dtype}",
            "make it with Filter.parse(text).mask(store.items)",
        )
    return array


def exclusions(exclude: Sequence | np.ndarray | None, rows: int) -> list[Collection[str]]:
    """For each of ``rows`` queries the item ids it must not be answered with.

    Args:
        exclude: None, or a sequence as long as the queries, each None, one id or several.

    Raises:
        QueryError: not a sequence of that length.
    """
    if exclude is None:
        return []
    if isinstance(exclude, str) or not hasattr(exclude, "__len__") or len(exclude) != rows:
        size = len(exclude) if hasattr(exclude, "__len__") else type(exclude).__name__
        raise QueryError(
            f"exclude as a sequence of {rows}, one entry for each query",
            repr(exclude) if isinstance(exclude, str) else f"{size}",
            "pass [item_id] for one query",
        )
    return [() if one is None else _ids(one) for one in exclude]


def _ids(one: object) -> Collection[str]:
    if isinstance(one, Collection) and not isinstance(one, str):
        return [str(item) for item in one]
    return (str(one),)
