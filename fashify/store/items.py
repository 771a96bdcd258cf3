"""``items.parquet``: the products, and beside each where its vector lies.

It is read quickly, for a serving process waits for it when it starts.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fashify.config import LEVELS
from fashify.errors import StoreError

#: Which image an item has, by content; the file's version; the row of its vector.
LOCATION = ("identity", "version", "row")

#: What they are called in the file: no column of a catalogue begins with an underscore, so a
#: catalogue may have a ``version`` or a ``row`` of its own.
_OWN = {name: f"_{name}" for name in LOCATION}

#: Columns that hold the same few values over and over; a store of format 2 has a bare version.
_FEW = (*LEVELS, "version", _OWN["version"])


def read_items(data: bytes) -> pd.DataFrame:
    """The rows of an items file, text as objects, as a catalogue's table has them.

    Columns of few values are read as such: each value becomes one str, not one for each row,
    which takes a third of the time. One thread, for two of them wait for each other longer.

    Args:
        data: the bytes of ``items.parquet``.
    """
    source = pa.BufferReader(data)
    few = [name for name in pq.read_schema(source).names if name in _FEW]
    table = pq.ParquetFile(source, read_dictionary=few).read(use_threads=False)
    columns = zip(table.column_names, table.columns, strict=True)
    items = pd.DataFrame({name: _series(column) for name, column in columns}, copy=False)
    if "year" in items:
        items["year"] = items["year"].astype("Int64")
    return items


def with_location(items: pd.DataFrame, location: pd.DataFrame) -> pd.DataFrame:
    """The columns of an items file.

    Args:
        items: n products, columns of any name.
        location: n rows of ``LOCATION``, in the same order.

    Raises:
        StoreError: a column of ``items`` is named as one of the file's own.
    """
    taken = [name for name in _OWN.values() if name in items]
    if taken:
        raise StoreError(
            f"columns named other than {', '.join(_OWN.values())}", taken[0], "rename it"
        )
    return items.assign(**{own: location[name].array for name, own in _OWN.items()})


def split_location(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``items, location`` as ``with_location`` took them, or as a store of format 2 has them."""
    own = _OWN if set(_OWN.values()) <= set(table) else dict(zip(LOCATION, LOCATION, strict=True))
    location = table[list(own.values())].set_axis(LOCATION, axis=1)
    return table.drop(columns=list(own.values())), location


def _series(column: pa.ChunkedArray) -> pd.Series:
    if pa.types.is_dictionary(column.type):
        return pd.Series(_spread(column), dtype=object, copy=False)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pd.Series(column.to_numpy(), dtype=object, copy=False)
    series = column.to_pandas()
    if column.null_count and (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
        # As the catalogue had them: pandas would make floats and objects of them.
        return series.astype("Int64" if pa.types.is_integer(column.type) else "boolean")
    return series


def _spread(column: pa.ChunkedArray) -> np.ndarray:
    """(n,) object: every row's value, the same object wherever it is the same value."""
    parts = [
        np.asarray([*chunk.dictionary.to_pylist(), None], dtype=object)[
            chunk.indices.fill_null(len(chunk.dictionary)).to_numpy(zero_copy_only=False)
        ]
        for chunk in column.chunks
    ]
    return np.concatenate(parts) if parts else np.empty(0, dtype=object)
