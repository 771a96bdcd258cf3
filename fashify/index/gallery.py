"""The rows of an index: an immutable base, a tail of additions, and what became of each.

A *slot* is where a vector lies: base rows first, then the tail, in the order they came;
a slot is never reused. A *position* is the row number a user sees, as if the gallery had
been built anew: removing an item moves later ones up, updating keeps an item's place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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

    def allowed(self, where: np.ndarray | None) -> np.ndarray | None:
        """(n_slots,) bool: living slots that pass the mask over positions; None for all."""
        where = checks.mask(where, len(self))
        if self.pristine:
            return where
        slots = np.zeros(self.n_slots, dtype=bool)
        slots[self.order if where is None else self.order[where]] = True
        return slots

    def excluded(
        self, exclude: Sequence | np.ndarray | None, queries: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(query row, slot) pairs that may not be answered, int64; unknown ids exclude nothing."""
        table = self.position_of_id if exclude is not None else {}
        pairs = [
            (row, table[item])
            for row, items in enumerate(checks.exclusions(exclude, queries))
            for item in items
            if item in table
        ]
        rows, positions = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return rows, self.order[positions]

    def locate(self, item_ids: Sequence[str] | np.ndarray) -> np.ndarray:
        """(m,) int64 positions of ids; QueryError naming the first that is not there."""
        missing = [item for item in item_ids if item not in self.position_of_id]
        if missing:
            raise QueryError(
                "ids of items in the index",
                f"{len(missing)} unknown, the first {str(missing[0])!r}",
                "add the items first, or leave them out",
            )
        return np.array([self.position_of_id[item] for item in item_ids], dtype=np.int64)

    def unknown(self, item_ids: Sequence[str] | np.ndarray, rows: int) -> np.ndarray:
        """(rows,) str ids, checked to be new; QueryError naming the first that is not."""
        ids = checks.item_ids(item_ids, rows)
        present = [item for item in ids.tolist() if item in self.position_of_id]
        if present:
            raise QueryError(
                "ids that are not in the index yet",
                f"{len(present)} that are, the first {present[0]!r}",
                "use update for these",
            )
        return ids


@dataclass(frozen=True)
class Gallery(Places):
    """One immutable state of the rows; a change returns another one that shares the base.

    Attributes:
        base: (n_base, dim) float32, possibly memory mapped; never copied or written to.
        tail: (n_tail, dim) float32 added after the base was built.
        norms: (n_base + n_tail,) float32 Euclidean norms of all slots.
        order: (n,) int64, the slot of each position.
        item_ids: (n,) str, the id of each position.
    """

    base: np.ndarray
    tail: np.ndarray
    norms: np.ndarray
    order: np.ndarray
    item_ids: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray, item_ids: Sequence[str] | np.ndarray) -> Gallery:
        """A gallery of (n, dim) features; QueryError when they are empty or not usable."""
        base = checks.vectors(features, "features")
        if not len(base):
            raise QueryError("at least one feature row", "an empty array", "extract features first")
        ids = checks.item_ids(item_ids, len(base))
        tail = np.empty((0, base.shape[1]), dtype=np.float32)
        return cls(base, tail, checks.norms(base, "features"), np.arange(len(base)), ids)

    @property
    def dim(self) -> int:
        return self.base.shape[1]

    @property
    def n_slots(self) -> int:  # type: ignore[override]
        return len(self.norms)

    @property
    def n_stale(self) -> int:
        """Tail rows and tombstones of the base: what compaction would fold in."""
        return len(self.tail) + self.n_slots - len(self.order)

    @cached_property
    def longest(self) -> float:
        """The largest norm of any slot."""
        return float(self.norms.max())

    def take(self, slots: np.ndarray) -> np.ndarray:
        """(c, dim) float32 vectors of the given slots, a copy."""
        if not len(self.tail):
            return np.asarray(self.base[slots])
        rows = np.empty((len(slots), self.dim), dtype=np.float32)
        late = slots >= len(self.base)
        rows[~late] = self.base[slots[~late]]
        rows[late] = self.tail[slots[late] - len(self.base)]
        return rows

    def blocks(self, rows: int, first: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """(first slot, (up to ``rows``, dim) view) over all slots from ``first`` on."""
        for offset, part in ((0, self.base), (len(self.base), self.tail)):
            for start in range(max(0, first - offset), len(part), rows):
                yield offset + start, np.asarray(part[start : start + rows])

    def added(self, features: np.ndarray, item_ids: Sequence[str] | np.ndarray) -> Gallery:
        """With new items at the end; QueryError when an id is there already."""
        features, lengths = self._checked(features)
        ids = self.unknown(item_ids, len(features))
        slots = np.arange(self.n_slots, self.n_slots + len(features))
        return replace(
            self,
            tail=np.concatenate([self.tail, features]),
            norms=np.concatenate([self.norms, lengths]),
            order=np.concatenate([self.order, slots]),
            item_ids=np.concatenate([self.item_ids, ids]),
        )

    def removed(self, item_ids: Sequence[str] | np.ndarray) -> Gallery:
        """Without the given items; QueryError when one is unknown or comes twice."""
        ids = checks.item_ids(item_ids, len(item_ids))
        gone = self.locate(ids.tolist())
        return replace(
            self, order=np.delete(self.order, gone), item_ids=np.delete(self.item_ids, gone)
        )

    def updated(self, features: np.ndarray, item_ids: Sequence[str] | np.ndarray) -> Gallery:
        """With new vectors for given items, which keep their positions."""
        features, lengths = self._checked(features)
        places = self.locate(checks.item_ids(item_ids, len(features)).tolist())
        order = self.order.copy()
        order[places] = np.arange(self.n_slots, self.n_slots + len(features))
        return replace(
            self,
            tail=np.concatenate([self.tail, features]),
            norms=np.concatenate([self.norms, lengths]),
            order=order,
        )

    def compacted(self) -> Gallery:
        """The same items in one base without tail or tombstones, as a full rebuild has them."""
        if not self.n_stale:
            return self
        return replace(
            self,
            base=self.take(self.order),
            tail=self.tail[:0],
            norms=self.norms[self.order],
            order=np.arange(len(self)),
        )

    def _checked(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = checks.vectors(features, "features", self.dim)
        return features, checks.norms(features, "features")
