"""The ways of embedding that the benchmark compares, each from files and from arrays.

The baseline is what fashion recommenders usually do: for each picture one
``load_img(target_size=...)``, which takes the nearest pixels, and one ``model.predict``.
"""

from __future__ import annotations

import io
import logging
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from fashify.backbones import Backbone, load_backbone
from fashify.bench.limit import gflops_per_image, matmul_gflops
from fashify.catalogue import Catalogue, load_catalogue
from fashify.engines.processor import peak_mb
from fashify.features.embedder import Embedder
from fashify.features.pipeline import embed_locally
from fashify.features.plan import Task
from fashify.features.samples import find_common_frame, prepare_sample, select_with_picture
from fashify.io.storage import Storage

BASELINE = "predict, each image"
BATCHED = "predict, batches of 32"
REFERENCE = "tensorflow fp32"

#: Engines that are compared where the processor has them, beside the baselines.
ENGINES = (REFERENCE, "openvino fp32", "openvino bf16", "openvino int8")


@dataclass(frozen=True)
class Subject:
    """What is embedded with what; small, to be sent to another process.

    Attributes:
        source: the catalogue, as ``load_catalogue`` takes it.
        n: pictures drawn from it.
        backbone, weights: as ``load_backbone`` takes them.
    """

    source: str
    n: int
    backbone: str
    weights: str | None


class Contender(ABC):
    """One way of embedding.

    Attributes:
        report: what making it found out, e.g. int8's own agreement with fp32.
    """

    def __init__(self, backbone: Backbone, storage: Storage) -> None:
        self.backbone, self.storage = backbone, storage
        self.report: dict[str, float] = {}

    @abstractmethod
    def forward(self, batch: np.ndarray) -> np.ndarray:
        """(b, H, W, 3) uint8, prepared, to (b, dim): the network alone."""

    @abstractmethod
    def from_files(self, paths: list[str]) -> np.ndarray:
        """Pictures of the catalogue to (n, dim): read, decoded, resized, embedded."""


class PerImage(Contender):
    """Everything for one picture, then everything for the next."""

    def forward(self, batch: np.ndarray) -> np.ndarray:
        model = self.backbone.keras_model
        return np.stack([model.predict(image[None], verbose=0)[0] for image in batch])

    def from_files(self, paths: list[str]) -> np.ndarray:
        return np.stack([self.forward(self._load(path)[None])[0] for path in paths])

    def _load(self, path: str) -> np.ndarray:
        height, width = self.backbone.spec.input_size
        with Image.open(io.BytesIO(self.storage.read(path))) as image:
            small = image.convert("RGB").resize((width, height), Image.Resampling.NEAREST)
            return np.asarray(small)


class Batched(PerImage):
    """The same with one ``predict`` for all pictures, 32 at a time."""

    def forward(self, batch: np.ndarray) -> np.ndarray:
        return self.backbone.keras_model.predict(batch, batch_size=32, verbose=0)

    def from_files(self, paths: list[str]) -> np.ndarray:
        return self.forward(np.stack([self._load(path) for path in paths]))


class OnEngine(Contender):
    """Fashify's own way, on one engine."""

    def __init__(self, backbone: Backbone, catalogue: Catalogue, engine: str) -> None:
        super().__init__(backbone, catalogue.storage)
        name, precision = engine.split()
        frame = find_common_frame(catalogue)
        calibration = None
        if precision == "int8":
            calibration = prepare_sample(catalogue, backbone.spec, frame)
        self.embedder = Embedder(
            backbone, engine=name, precision=precision, calibration=calibration, frame=frame
        )
        self.report = dict(self.embedder.engine.report)

    def forward(self, batch: np.ndarray) -> np.ndarray:
        return self.embedder.embed_prepared(batch)

    def from_files(self, paths: list[str]) -> np.ndarray:
        tasks = [Task(path, path) for path in paths]
        ((_, shard),) = embed_locally(self.storage, self.embedder, [tasks])
        return shard.features[:, : self.backbone.spec.dim]


class Bench:
    """One contender with the pictures it is measured on, in whatever process it lives."""

    def __init__(self, name: str, subject: Subject) -> None:
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
        warnings.simplefilter("ignore")
        catalogue = load_catalogue(subject.source)
        backbone = _load_backbone(subject.backbone, subject.weights)
        self.contender = _make_contender(name, backbone, catalogue)
        part = select_with_picture(catalogue, subject.n)
        self.paths = list(part.table["path"])
        self.images = prepare_sample(part, backbone.spec, find_common_frame(catalogue), subject.n)

    def forward_seconds(self, start: int, n: int) -> float:
        """How long the network takes for ``n`` images, in a ring from ``start``."""
        batch = self.images[np.arange(start, start + n) % len(self.images)]
        return _time_action(lambda: self.contender.forward(batch))

    def from_files_seconds(self, start: int, n: int) -> float:
        """The same with everything from the file on."""
        paths = [self.paths[at % len(self.paths)] for at in range(start, start + n)]
        return _time_action(lambda: self.contender.from_files(paths))

    def features(self) -> np.ndarray:
        """(n, dim) of all images, by the network alone."""
        return self.contender.forward(self.images)

    def facts(self) -> dict[str, Any]:
        """The backbone, and what making the contender found out."""
        spec = self.contender.backbone.spec
        return {"backbone": spec.name, "weights": spec.weights, "report": self.contender.report}

    def gflops_per_image(self) -> float:
        """See ``engines.limit``."""
        return gflops_per_image(self.contender.backbone.keras_model)

    def matmul_gflops(self) -> float:
        """See ``engines.limit``."""
        return matmul_gflops()

    def peak_mb(self) -> float | None:
        """See ``engines.processor``."""
        return peak_mb()


@lru_cache(maxsize=1)
def _load_backbone(name: str, weights: str | None) -> Backbone:
    """Contenders in one process share it: to build and trace a network takes seconds."""
    return load_backbone(name, weights=weights)


def _make_contender(name: str, backbone: Backbone, catalogue: Catalogue) -> Contender:
    if name == BASELINE:
        return PerImage(backbone, catalogue.storage)
    if name == BATCHED:
        return Batched(backbone, catalogue.storage)
    return OnEngine(backbone, catalogue, name)


def _time_action(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
