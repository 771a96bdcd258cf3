"""The answer of every index: one validated, read-only object between search and metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Position of an empty place: fewer items were left than asked for.
NONE = -1

#: Stands for the positions themselves.
_SAME = np.empty((0, 0), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest gallery items of each of q queries, nearest first.

    Attributes:
        positions: (q, k) int64 rows of the gallery, -1 where there are no more items.
        distances: (q, k) float32, ascending along each row, inf where there are no more.
        item_ids: (q, k) str, "" where there are no more.
        views: (q, k) int64, the view of each product that is nearest, -1 where there are no
            more; the positions themselves where every product has one view, the default.

    Raises:
        ValueError: shapes differ, distances descend or are NaN, a position comes twice.
    """

    positions: np.ndarray
    distances: np.ndarray
    item_ids: np.ndarray
    views: np.ndarray = field(default_factory=lambda: _SAME)

    def __post_init__(self) -> None:
        if self.views is _SAME:
            object.__setattr__(self, "views", self.positions)
        for name, kind in (
            ("positions", np.int64),
            ("views", np.int64),
            ("distances", np.float32),
        ):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=kind))
        object.__setattr__(self, "item_ids", np.asarray(self.item_ids))
        self._check()
        for array in (self.positions, self.distances, self.item_ids, self.views):
            array.flags.writeable = False

    def _check(self) -> None:
        arrays = (self.positions, self.distances, self.item_ids, self.views)
        shapes = {array.shape for array in arrays}
        if len(shapes) != 1 or self.positions.ndim != 2:
            raise ValueError(f"neighbours need four (q, k) arrays, received shapes {shapes}")
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
