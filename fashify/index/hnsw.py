"""Approximate search in a navigable small world graph: FAISS, half precision codes.

Chosen over USearch and hnswlib by measurement on 44k x 1280 features: at equal recall FAISS
answers in about half the time, and its half precision codes halve the memory of hnswlib.

Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using
Hierarchical Navigable Small World graphs", 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fashify.errors import MissingExtraError, StoreCorruptError
from fashify.index.approximate import ApproximateIndex, pad_ragged
from fashify.index.gallery import Gallery
from fashify.index.scan import Pairs
from fashify.io.artefact import ArtefactReader, ArtefactWriter

#: Rows converted and added at once.
_BLOCK = 8192


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError.of("faiss-cpu", "hnsw") from error
    return faiss


class HnswIndex(ApproximateIndex):
    """A graph over half precision copies of the vectors.

    Parameters: ``links`` a node (M), ``ef_build`` and ``ef_search``: nodes kept in view while
    building and searching. More of each is slower and more exact.
    """

    name = "hnsw"
    defaults = {"links": 16, "ef_build": 100, "ef_search": 64}  # noqa: RUF012
    tunable = ("ef_search",)

    def __init__(self, **options: Any) -> None:
        _faiss()
        super().__init__(**options)

    def _build(self, gallery: Gallery) -> Any:
        faiss = _faiss()
        graph = faiss.IndexHNSWSQ(
            gallery.dim, faiss.ScalarQuantizer.QT_fp16, self.params["links"], faiss.METRIC_L2
        )
        graph.hnsw.efConstruction = self.params["ef_build"]
        scale = self._scale(gallery)
        for start, block in gallery.blocks(_BLOCK):
            scaled = block * scale[start : start + len(block), None]
            if not graph.is_trained:
                graph.train(scaled)
            graph.add(scaled)
        return graph

    def _scale(self, gallery: Gallery) -> np.ndarray:
        """(n_base,) factors that bring the vectors into the range of half precision."""
        norms = gallery.norms
        if self.metric == "cosine":
            return np.divide(1, norms, out=np.zeros_like(norms), where=norms > 0)
        return np.full(len(norms), 1 / max(norms.max(), np.float32(1e-30)), dtype=np.float32)

    def _find_near(self, queries: np.ndarray, m: int) -> Pairs:
        faiss, gallery = _faiss(), self._require_gallery()
        if self.metric == "cosine":
            lengths = np.linalg.norm(queries, axis=1, keepdims=True)
            queries = queries / np.maximum(lengths, np.float32(1e-30))
        else:
            queries = queries * self._scale(gallery)[0]
        wide = faiss.SearchParametersHNSW(efSearch=max(self.params["ef_search"], m))
        return pad_ragged(self._structure.search(queries, m, params=wide)[1])

    def _dump(self, writer: ArtefactWriter) -> None:
        writer.write("graph.faiss", lambda path: _faiss().write_index(self._structure, str(path)))

    def _restore(self, reader: ArtefactReader, gallery: Gallery) -> Any:
        faiss, path = _faiss(), reader.path("graph.faiss")
        try:
            graph = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise StoreCorruptError(
                f"a graph FAISS can read at {path}", "one it cannot", "build the index again"
            ) from error
        if graph.ntotal != len(gallery.base) or graph.d != gallery.dim:
            raise StoreCorruptError(
                f"a graph of {len(gallery.base)} vectors", f"{graph.ntotal}", "build it again"
            )
        return graph
