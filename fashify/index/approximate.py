"""What approximate backends share: candidates from a structure, filters, always k answers.

Distances are always measured on the full vectors, so they mean the same as those of `exact`.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np

from fashify.index.base import Index
from fashify.index.gallery import Gallery
from fashify.index.scan import Pairs, drop_excluded, rescan, scan

#: Candidates asked for beyond those needed: they are measured exactly, which mends the order
#: that half precision or hashing got wrong.
_SPARE = 10

#: When candidates would be more than this share of the base, scanning it exactly is cheaper.
_SCAN_SHARE = 0.02

#: Galleries small enough that this many candidates cost less than a scan.
_ALWAYS_NEAR = 64


class ApproximateIndex(Index):
    """A backend whose structure names candidates, completed to always k results."""

    @abstractmethod
    def _find_near(self, queries: np.ndarray, m: int) -> Pairs:
        """(query rows, base slots) of about ``m`` candidates a query, each pair once."""

    @abstractmethod
    def _build(self, gallery: Gallery) -> Any:
        """The structure over ``gallery.base``."""

    def _candidates(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, excluded: Pairs
    ) -> Pairs:
        gallery = self._require_gallery()
        options: dict[str, Any] = {"metric": self.metric, "allowed": allowed}
        base = len(gallery.base)
        m = _has_enough(k, base, allowed, excluded)
        if not len(queries) or m > max(_ALWAYS_NEAR, _SCAN_SHARE * base):
            return scan(gallery, queries, k, excluded=excluded, **options)
        rows, slots = _keep_permitted(self._find_near(queries, m), allowed, excluded)
        parts = [(rows, slots)]
        short = np.bincount(rows, minlength=len(queries)) < k
        return rescan(gallery, queries, k, parts, short, excluded=excluded, **options)


def _has_enough(k: int, base: int, allowed: np.ndarray | None, excluded: Pairs) -> int:
    """Candidates to ask for so that k should be left after filter and exclusion."""
    most = int(np.bincount(excluded[0], minlength=1).max())
    share = 1.0 if allowed is None else np.count_nonzero(allowed) / base
    return min(base, math.ceil((k + most) / share) + _SPARE) if share else base + _ALWAYS_NEAR


def _keep_permitted(pairs: Pairs, allowed: np.ndarray | None, excluded: Pairs) -> Pairs:
    if allowed is not None:
        keep = allowed[pairs[1]]
        pairs = pairs[0][keep], pairs[1][keep]
    return drop_excluded(pairs, excluded)


def pad_ragged(found: np.ndarray) -> Pairs:
    """Pairs of a (q, m) table of slots in which -1 stands for none."""
    places = np.flatnonzero(found >= 0)
    return places // found.shape[1], found.reshape(-1)[places].astype(np.int64)
