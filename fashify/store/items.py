"""``items.parquet``, one row per product, and ``views.parquet``, one row per picture.

Items are read quickly, for a serving process waits for them when it starts.
"""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fashify.config import LEVELS
from fashify.io.images import ImageFacts

#: Columns of the views: whose picture it is, where it lies, what changes when it does, and the
#: facts of its file.
VIEW_COLUMNS = ("item", "path", "version", *ImageFacts._fields)

#: Columns of a catalogue that hold the same few values over and over.
_FEW = LEVELS


def read_items(data: bytes) -> pd.DataFrame:
    """The rows of an items file, text as objects, as a catalogue's table has them.

    Columns of few values are read as such: each value becomes one str, not one for each row,
    which takes a third of the time. One thread: two would wait for each other longer.

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


def to_parquet(table: pd.DataFrame) -> bytes:
    """A table as the bytes of a Parquet file; equal tables give equal bytes."""
    buffer = io.BytesIO()
    columns = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(columns.replace_schema_metadata(None), buffer, compression="zstd")
    return buffer.getvalue()


def make_views(items: pd.DataFrame, view_items: np.ndarray | None = None) -> pd.DataFrame:
    """Views of products of whose files nothing is known.

    Args:
        items: n products.
        view_items: (v,) int64 position of each view's product; one view each by default.
    """
    owners = np.arange(len(items)) if view_items is None else np.asarray(view_items, np.int64)
    paths = items["path"].to_numpy()[owners] if "path" in items else ""
    unknown = ImageFacts(0, 0, "", "", 0, "")._asdict()
    return pd.DataFrame({"item": owners, "path": paths, "version": "", **unknown})


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
