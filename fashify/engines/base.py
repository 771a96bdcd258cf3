"""The protocol every engine keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import numpy as np

from fashify.errors import EngineError


class ModelSpec(Protocol):
    """What an engine needs to know of a network; a ``BackboneSpec`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def input_size(self) -> tuple[int, int]: ...
    @property
    def preprocessing(self) -> str: ...
    @property
    def pooling(self) -> str: ...
    @property
    def weights_hash(self) -> str: ...


class Engine(ABC):
    """Runs one network.

    Attributes:
        name: ``tensorflow`` or ``openvino``.
        precision: ``fp32``, ``bf16`` or ``int8``.
        fingerprint: what made the features, for the manifest: engine, precision, and for
            int8 the calibration.
        version: of the library that runs the network.
        reason: why it was chosen.
        report: what was measured when it was made, e.g. cosine to the reference, images
            per second, top-5 agreement with fp32.
    """

    name: str
    precision: str
    version: str
    #: Images handed to ``_infer`` at once, at most.
    chunk: int

    def __init__(self, spec: ModelSpec) -> None:
        self._input, self._dim = (*spec.input_size, 3), spec.dim
        self.fingerprint: dict[str, str] = {"engine": self.name, "precision": self.precision}
        self.reason = "asked for"
        self.report: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"Engine({self.name} {self.version}, {self.precision})"

    def run(self, batch: np.ndarray) -> np.ndarray:
        """One feature per image; the same bytes whenever the same engine runs them.

        Args:
            batch: (b, H, W, 3) uint8 RGB at the network's input size; b may be 0.

        Returns:
            (b, dim) float32.

        Raises:
            EngineError: another shape or dtype.
        """
        self._check(batch)
        features = np.empty((len(batch), self._dim), np.float32)
        for start in range(0, len(batch), self.chunk):
            part = slice(start, start + self.chunk)
            features[part] = self._infer(np.ascontiguousarray(batch[part]))
        return features

    def run_map(self, batch: np.ndarray) -> np.ndarray | None:
        """The features before pooling, (b, h, w, dim) float32; None of an engine without them."""
        return None

    @abstractmethod
    def _infer(self, batch: np.ndarray) -> Any:
        """(b, H, W, 3) uint8, 1 <= b <= chunk, to (b, dim)."""

    def _check(self, batch: np.ndarray) -> None:
        is_array = isinstance(batch, np.ndarray)
        if is_array and batch.dtype == np.uint8 and batch.shape[1:] == self._input:
            return
        height, width, _ = self._input
        raise EngineError(
            f"a (b, {height}, {width}, 3) array of uint8 RGB",
            f"{batch.shape} {batch.dtype}" if is_array else type(batch).__name__,
            f"resize each image to {height} by {width} and stack them as uint8",
        )
