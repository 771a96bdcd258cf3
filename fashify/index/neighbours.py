"""The answer of every index: one validated, read-only object between search and metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Position of an empty place: fewer items were left than asked for.
NONE = -1


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest gallery items of each of q queries, nearest first.

    Attributes:
        positions: (q, k) int64 rows of the gallery, -1 where there are no more items.
        distances: (q, k) float32, ascending along each row, inf where there are no more.
        item_ids: (q, k) str, "" where there are no more.

    Raises:
        ValueError: shapes differ, distances descend or are NaN, a position comes twice.
    """

    positions: np.ndarray
    distances: np.ndarray
    item_ids: np.ndarray

    def __post_init__(self) -> None:
        for name, kind in (("positions", np.int64), ("distances", np.float32)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=kind))
        object.__setattr__(self, "item_ids", np.asarray(self.item_ids))
        self._check()
        for array in (self.positions, self.distances, self.item_ids):
            array.flags.writeable = False

    def _check(self) -> None:
        shapes = {self.positions.shape, self.distances.shape, self.item_ids.shape}
        if len(shapes) != 1 or self.positions.ndim != 2:
            raise ValueError(f"neighbours need three (q, k) arrays, received shapes {shapes}")
        if ((self.positions == NONE) != np.isinf(self.distances)).any():
            raise ValueError("a neighbour has distance inf exactly where its position is -1")
        # `not >=` also catches NaN, which `<` would let through; inf - inf is never taken.
        if not (self.distances[:, 1:] >= self.distances[:, :-1]).all():
            raise ValueError("distances must ascend along each row")
        ordered = np.sort(self.positions, axis=1)
        if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NONE)).any():
            raise ValueError("a position comes twice in one row")

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def k(self) -> int:
        """How many neighbours were asked for."""
        return self.positions.shape[1]

    @property
    def found(self) -> np.ndarray:
        """(q,) int64: how many neighbours each query really has."""
        return (self.positions != NONE).sum(axis=1)
