"""The default: exact search in NumPy, single precision with cached norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from fashify.index.base import Index
from fashify.index.exact.pruning import Sketch, search_pruned, sketch
from fashify.index.gallery import Gallery
from fashify.index.scan import Pairs, rescan, scan
from fashify.io.artefact import ArtefactReader, ArtefactWriter

#: More neighbours than this are found by a scan.
_MOST_K = 100

#: Below this share of allowed rows a scan of those alone is quicker.
_SPARSE = 0.2


class ExactIndex(Index):
    """Scores every row with one matrix product, then measures the few that can matter.

    In larger galleries the product is with a sketch of the rows, which rules most of them
    out for certain (see `fashify.index.exact.pruning`).
    """

    name = "exact"
    exact = True

    def _build(self, gallery: Gallery) -> Sketch | None:
        return sketch(gallery, self.metric)

    def _candidates(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, excluded: Pairs
    ) -> Pairs:
        gallery, known = self._require_gallery(), self._structure
        options: dict[str, Any] = {"metric": self.metric, "allowed": allowed}
        if known is None or not len(queries) or not _is_worth_pruning(gallery, k, allowed):
            return scan(gallery, queries, k, excluded=excluded, **options)
        pairs, given_up = search_pruned(gallery, known, queries, k, excluded=excluded, **options)
        if self.metric == "cosine":
            # The zero vector is at 1 from everything, which its bounds do not say.
            given_up |= ~queries.any(axis=1)
        parts = [pairs]
        return rescan(gallery, queries, k, parts, given_up, excluded=excluded, **options)

    def _dump(self, writer: ArtefactWriter) -> None:
        known: Sketch | None = self._structure
        if known is not None:
            writer.add_array("sketch", known.rows)
            writer.add_array("sketch_axes", known.axes)
            writer.add_array("sketch_mean", known.mean)
            writer.add_array("sketch_reach", np.array([known.reach]))

    def _restore(self, reader: ArtefactReader, gallery: Gallery) -> Sketch | None:
        if "sketch.npy" not in reader:
            return None
        mean, axes, reach = (reader.array(f"sketch_{name}") for name in ("mean", "axes", "reach"))
        return Sketch(mean, axes, reader.array("sketch", mapped=True), float(reach[0]))


def _is_worth_pruning(gallery: Gallery, k: int, allowed: np.ndarray | None) -> bool:
    """Whether the gallery is large enough for pruning to pay."""
    n = len(gallery.base) if allowed is None else int(np.count_nonzero(allowed))
    return k <= min(n, _MOST_K) and n > _SPARSE * len(gallery.base)
