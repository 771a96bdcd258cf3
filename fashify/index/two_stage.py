"""Two stages: compressed vectors choose candidates, the full ones rank them.

The first stage holds each vector's main components, in 32, 16 or 8 bits, and estimates
|x - q|^2 as |x|^2 - 2 Px.Pq: the part left out is taken to be at right angles. It reads a
fraction of the bytes an exact scan reads; the full vectors can stay on disk, mapped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fashify.errors import ConfigError
from fashify.index.approximate import ApproximateIndex
from fashify.index.exact.components import components, flat
from fashify.index.files import IndexReader, IndexWriter
from fashify.index.gallery import Gallery
from fashify.index.scan import Pairs, scan

CODES = ("float32", "float16", "int8")

#: Rows the components are fitted on, and rows encoded at once.
_SAMPLE, _BLOCK = 20_000, 8192


@dataclass(frozen=True)
class Codes:
    """The first stage.

    Attributes:
        mean: (dim,) float32. axes: (dims, dim) float32, orthonormal rows.
        step: what one unit of a code is worth.
        rows: the (n, dims) codes as a gallery, with the norms of the whole centred vectors.
    """

    mean: np.ndarray
    axes: np.ndarray
    step: float
    rows: Gallery


class TwoStageIndex(ApproximateIndex):
    """Parameters: ``dims`` components, ``code`` their type, ``candidates`` measured exactly."""

    name = "two-stage"
    defaults = {"dims": 128, "code": "float32", "candidates": 100}  # noqa: RUF012
    tunable = ("candidates",)

    def __init__(self, **options) -> None:
        super().__init__(**options)
        if self.params["code"] not in CODES:
            raise ConfigError(
                f"code as one of {', '.join(CODES)}", repr(self.params["code"]), "choose one"
            )

    def _build(self, gallery: Gallery) -> Codes:
        n, dims = len(gallery.base), min(self.params["dims"], gallery.dim)
        sample = np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.int64)
        mean, axes = components(flat(gallery.base[sample], self.metric), dims)
        short, norms = np.empty((n, dims), dtype=np.float32), np.empty(n, dtype=np.float32)
        for start in range(0, n, _BLOCK):
            block = flat(gallery.base[start : start + _BLOCK], self.metric) - mean
            short[start : start + _BLOCK] = block @ axes.T
            norms[start : start + _BLOCK] = np.linalg.norm(block, axis=1)
        step = float(np.abs(short).max() / 127 or 1) if self.params["code"] == "int8" else 1.0
        rows = short if step == 1.0 else np.rint(short / step)
        rows = rows.astype(self.params["code"], copy=False)
        return _codes(mean, axes, step, rows, norms / np.float32(step))

    def _near(self, queries: np.ndarray, m: int) -> Pairs:
        codes: Codes = self._structure
        short = (flat(queries, self.metric) - codes.mean) @ codes.axes.T / np.float32(codes.step)
        wanted = min(max(m, self.params["candidates"]), len(codes.rows))
        none = np.empty(0, dtype=np.int64)
        return scan(
            codes.rows, short, wanted, metric="euclidean", allowed=None, excluded=(none, none)
        )

    def _dump(self, writer: IndexWriter) -> None:
        codes: Codes = self._structure
        writer.array("codes", codes.rows.base)
        writer.array("code_norms", codes.rows.norms)
        writer.array("axes", codes.axes)
        writer.array("mean", codes.mean)
        writer.array("step", np.array([codes.step]))

    def _restore(self, reader: IndexReader, gallery: Gallery) -> Codes:
        mean, axes, step, norms = (reader.array(n) for n in ("mean", "axes", "step", "code_norms"))
        return _codes(mean, axes, float(step[0]), reader.array("codes", mapped=True), norms)


def _codes(
    mean: np.ndarray, axes: np.ndarray, step: float, rows: np.ndarray, norms: np.ndarray
) -> Codes:
    slots, none = np.arange(len(rows)), rows[:0]
    return Codes(mean, axes, step, Gallery(rows, none, norms, slots, slots))
