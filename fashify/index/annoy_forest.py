"""Approximate search in a forest of random projection trees: Annoy, as first planned."""

from __future__ import annotations

from typing import Any

import numpy as np

from fashify.errors import MissingExtraError, StoreCorruptError
from fashify.index.approximate import ApproximateIndex
from fashify.index.gallery import Gallery
from fashify.index.scan import Pairs
from fashify.io.artefact import ArtefactReader, ArtefactWriter

_METRICS = {"cosine": "angular", "euclidean": "euclidean"}


def _annoy() -> Any:
    try:
        import annoy
    except ImportError as error:
        raise MissingExtraError.of("annoy", "annoy") from error
    return annoy


class AnnoyIndex(ApproximateIndex):
    """Parameters: ``trees``, and ``search_k``: the nodes looked at for one query."""

    name = "annoy"
    defaults = {"trees": 100, "search_k": 20_000, "seed": 0}  # noqa: RUF012
    tunable = ("search_k",)

    def __init__(self, **options: Any) -> None:
        _annoy()
        super().__init__(**options)

    def _make_forest(self, gallery: Gallery) -> Any:
        return _annoy().AnnoyIndex(gallery.dim, _METRICS[self.metric])

    def _build(self, gallery: Gallery) -> Any:
        forest = self._make_forest(gallery)
        forest.set_seed(self.params["seed"])
        for slot, vector in enumerate(gallery.base):
            forest.add_item(slot, vector)
        forest.build(self.params["trees"], n_jobs=-1)
        return forest

    def _find_near(self, queries: np.ndarray, m: int) -> Pairs:
        search_k = max(self.params["search_k"], m)
        found = [self._structure.get_nns_by_vector(one, m, search_k) for one in queries]
        rows = np.repeat(np.arange(len(found)), [len(slots) for slots in found])
        return rows, np.concatenate([np.asarray(slots, dtype=np.int64) for slots in found])

    def _dump(self, writer: ArtefactWriter) -> None:
        writer.write("forest.annoy", lambda path: self._structure.save(str(path)))

    def _restore(self, reader: ArtefactReader, gallery: Gallery) -> Any:
        forest, path = self._make_forest(gallery), reader.path("forest.annoy")
        try:
            forest.load(str(path))
        except OSError as error:
            raise StoreCorruptError(
                f"a forest Annoy can read at {path}", str(error), "build the index again"
            ) from error
        if forest.get_n_items() != len(gallery.base):
            raise StoreCorruptError(
                f"a forest of {len(gallery.base)} vectors", f"{forest.get_n_items()}", "rebuild it"
            )
        return forest
