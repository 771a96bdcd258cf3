"""Columns on disk: arrays of one row per picture, filled from one source after the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

#: Rows copied at once.
_BLOCK = 4096


class ColumnFile:
    """An ``.npy`` file that is filled row by row, in any order.

    Written, not mapped: a full disk is then an error and not a signal.

    Args:
        path: the file.
        shape: of the whole column, rows first.
        dtype: of its numbers.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: np.dtype | type) -> None:
        self._dtype, self._rows = np.dtype(dtype), shape[0]
        self._size = self._dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
        descr = np.lib.format.dtype_to_descr(self._dtype)
        self._file = path.open("wb")
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        self._start = self._file.tell()

    def put(self, array: np.ndarray, rows: np.ndarray, targets: np.ndarray) -> None:
        """Writes rows of an array to rows of the column.

        Args:
            array: (m, ...).
            rows: (r,) int64, which of them.
            targets: (r,) int64, ascending: where each goes.
        """
        for part in _runs(targets):
            self._file.seek(self._start + int(targets[part.start]) * self._size)
            self._file.write(np.ascontiguousarray(array[rows[part]], self._dtype).data)

    def close(self) -> None:
        self._file.truncate(self._start + self._rows * self._size)
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
            return
        with suppress(OSError):
            # What is still in its buffer may not fit any more than what came before.
            self._file.close()


def _runs(rows: np.ndarray) -> Iterator[slice]:
    """Slices of an ascending array in which every number is one more than the last."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    edges = [0, *breaks.tolist(), len(rows)]
    for low, end in pairwise(edges):
        for at in range(low, end, _BLOCK):
            yield slice(at, min(at + _BLOCK, end))


def rows_within(wanted: np.ndarray, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of a column's rows those that come from one source.

    Args:
        wanted: (v,) int64, for each row of the column a row number counted through all sources.
        start: the number of the source's first row.
        count: how many it has.

    Returns:
        (row of the source, row of the column), two (r,) int64 arrays, the second ascending.
    """
    mine = np.flatnonzero((wanted >= start) & (wanted < start + count))
    return wanted[mine] - start, mine
