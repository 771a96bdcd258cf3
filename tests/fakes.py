"""A backbone and engine without TensorFlow: colours of a 4 x 4 grid, exact and quick."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from fashify.backbones import BackboneSpec

GRID = 4


class GridEngine:
    """Mean colour of each cell of a grid: (b, 16, 16, 3) uint8 -> (b, 48) float32."""

    name, precision = "grid", "fp32"

    def __init__(self) -> None:
        self.images = 0

    @property
    def fingerprint(self) -> dict[str, str]:
        return {"engine": self.name, "precision": self.precision}

    def run_map(self, batch: np.ndarray) -> None:
        return None

    def run(self, batch: np.ndarray) -> np.ndarray:
        self.images += len(batch)
        cells = batch.reshape(len(batch), GRID, 16 // GRID, GRID, 16 // GRID, 3)
        return cells.mean(axis=(2, 4)).reshape(len(batch), -1).astype(np.float32)


SPEC = BackboneSpec(
    name="grid",
    dim=GRID * GRID * 3,
    input_size=(16, 16),
    preprocessing="none-1",
    pooling="avg",
    weights="none",
    weights_hash="0" * 64,
)


@dataclass
class GridBackbone:
    """Stands where a ``Backbone`` stands when an engine is given ready-made."""

    spec: BackboneSpec = SPEC

    def named(self, **changes: object) -> GridBackbone:
        return GridBackbone(replace(self.spec, **changes))

    def embed_map(self, batch: np.ndarray) -> np.ndarray:
        """A grid's colours as a map (b, 4, 4, 3): white places are quiet."""
        side = batch.shape[1] // GRID
        cells = 255.0 - batch.reshape(len(batch), GRID, side, GRID, side, 3)
        return cells.mean(axis=(2, 4))
