"""The rows of an index: where each vector lies, and whose it is.

A *slot* is where a vector lies: the row of a view. A *position* is the row number a user sees,
that of a product. Where every product has one view they are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fashify.errors import QueryError
from fashify.index import checks


class Places:
    """Which slot lies at which position, and which item that is.

    For subclasses that have ``order`` ((n,) int64 slots by position), ``item_ids`` ((n,) str)
    and ``n_slots``.
    """

    order: np.ndarray
    item_ids: np.ndarray
    n_slots: int

    def __len__(self) -> int:
        return len(self.order)

    @property
    def pristine(self) -> bool:
        """Whether slots are positions: slots are never reused, so counting is enough."""
        return len(self.order) == self.n_slots

    @cached_property
    def position_of_slot(self) -> np.ndarray:
        """(n_slots,) int64, -1 for tombstones."""
        table = np.full(self.n_slots, -1, dtype=np.int64)
        table[self.order] = np.arange(len(self.order))
        return table

    @cached_property
    def position_of_id(self) -> dict[str, int]:
        return {item: position for position, item in enumerate(self.item_ids.tolist())}

    def positions(self, slots: np.ndarray) -> np.ndarray:
        """Positions of slots, the same shape; -1 for tombstones."""
        return slots if self.pristine else self.position_of_slot[slots]

    def mask_slots(self, where: np.ndarray | None) -> np.ndarray | None:
        """(n_slots,) bool: living slots that pass the mask over positions; None for all."""
        where = checks.mask(where, len(self))
        if self.pristine:
            return where
        slots = np.zeros(self.n_slots, dtype=bool)
        slots[self.order if where is None else self.order[where]] = True
        return slots

    def find_excluded(
        self, exclude: Sequence | np.ndarray | None, queries: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(query row, slot) pairs that may not be answered, int64; unknown ids exclude nothing."""
        rows, positions = self.find_excluded_positions(exclude, queries)
        return rows, self.order[positions]

    def find_excluded_positions(
        self, exclude: Sequence | np.ndarray | None, queries: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As ``excluded``, of products."""
        table = self.position_of_id if exclude is not None else {}
        pairs = [
            (row, table[item])
            for row, items in enumerate(checks.exclusions(exclude, queries))
            for item in items
            if item in table
        ]
        rows, positions = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return rows, positions

    def locate(self, item_ids: Sequence[str] | np.ndarray) -> np.ndarray:
        """(m,) int64 positions of ids; QueryError naming the first that is not there."""
        missing = [item for item in item_ids if item not in self.position_of_id]
        if missing:
            raise QueryError(
                "ids of items in the index",
                f"{len(missing)} unknown, the first {str(missing[0])!r}",
                "leave them out, or build the index of a store that has them",
            )
        return np.array([self.position_of_id[item] for item in item_ids], dtype=np.int64)


@dataclass(frozen=True)
class Gallery(Places):
    """The rows of an index: v views of n products, never written to.

    Attributes:
        base: (v, dim) float32, possibly memory mapped; not copied.
        norms: (v,) float32 Euclidean norms of the rows.
        item_ids: (n,) str, the id of each position.
        view_items: (v,) int64, ascending: the position of each view's product; None where
            every product has one view, so that slots are positions.
    """

    base: np.ndarray
    norms: np.ndarray
    item_ids: np.ndarray
    view_items: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        features: np.ndarray,
        item_ids: Sequence[str] | np.ndarray,
        view_items: np.ndarray | None = None,
    ) -> Gallery:
        """A gallery of (v, dim) features; QueryError when they are empty or not usable."""
        base = checks.vectors(features, "features")
        if not len(base):
            raise QueryError("at least one feature row", "an empty array", "extract features first")
        owners = checks.view_items(view_items, len(base), len(item_ids))
        ids = checks.item_ids(item_ids, len(base) if owners is None else len(item_ids))
        return cls(base, checks.norms(base, "features"), ids, owners)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def dim(self) -> int:
        return self.base.shape[1]

    @property
    def n_slots(self) -> int:  # type: ignore[override]
        return len(self.base)

    @cached_property
    def longest(self) -> float:
        """The largest norm of any row."""
        return float(self.norms.max())

    @cached_property
    def _edges(self) -> np.ndarray:
        """(n + 1,) int64: the views of position p are the slots from edge p to edge p + 1."""
        owners = np.arange(len(self)) if self.view_items is None else self.view_items
        return np.searchsorted(owners, np.arange(len(self) + 1))

    def first_slots(self, positions: np.ndarray) -> np.ndarray:
        """The slot of each product's first view."""
        return positions if self.view_items is None else self._edges[positions]

    def count_enough_views(self, k: int) -> int:
        """How many views are enough for k different products, whichever they are; at most v."""
        if self.view_items is None:
            return k
        most = np.sort(np.diff(self._edges))[::-1][: k - 1]
        return min(self.n_slots, int(most.sum()) + 1)

    def positions(self, slots: np.ndarray) -> np.ndarray:
        """The product of each slot, the same shape."""
        return slots if self.view_items is None else self.view_items[slots]

    def mask_slots(self, where: np.ndarray | None) -> np.ndarray | None:
        """(v,) bool: the views of products that pass the mask over positions; None for all."""
        where = checks.mask(where, len(self))
        return where if where is None or self.view_items is None else where[self.view_items]

    def find_excluded(
        self, exclude: Sequence | np.ndarray | None, queries: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(query row, slot) pairs that may not be answered, int64; unknown ids exclude nothing."""
        rows, positions = self.find_excluded_positions(exclude, queries)
        if self.view_items is None:
            return rows, positions
        starts, counts = self._edges[positions], np.diff(self._edges)[positions]
        rows, starts = np.repeat(rows, counts), np.repeat(starts, counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows, starts + within

    def take(self, slots: np.ndarray) -> np.ndarray:
        """(c, dim) float32 vectors of the given slots, a copy."""
        return np.asarray(self.base[slots])

    def blocks(self, rows: int) -> Iterator[tuple[int, np.ndarray]]:
        """(first slot, (up to ``rows``, dim) view) over all slots."""
        for start in range(0, len(self.base), rows):
            yield start, np.asarray(self.base[start : start + rows])
