"""A backbone on an engine: pictures in, features out, the same for gallery and query.

A picture is first brought to the gallery's own resolution and proportions, then to the
network's input. For a picture of the gallery the first step does nothing; for a query it takes
away what the gallery cannot have: a sharp photo and a thumbnail of one product are far apart
otherwise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fashify.backbones import Backbone, BackboneSpec, load_backbone
from fashify.backbones.onnx_file import OnnxBackbone
from fashify.catalogue.likeness import SIGNATURE_VERSION, SIZE, make_signature
from fashify.engines import Engine, make_engine
from fashify.errors import QueryError
from fashify.features.colour import COLOUR_DIM, COLOUR_VERSION, colour_features
from fashify.features.framing import Frame, fit_to_frame
from fashify.io.images import ImageFacts, load_image, read_facts, resize
from fashify.store.store import check_backbone

#: How a picture is brought to the gallery's frame and from there to the backbone's input.
PREPARATION = {
    "to_frame": "plain margins trimmed to its proportions, then letterbox",
    "photo": "in the frame's proportions, as sharp as the network sees",
    "to_input": "stretch",
    "interpolation": "bicubic, antialiased",
    "version": 4,
}


def prepare(image: np.ndarray, spec: BackboneSpec, frame: Frame | None = None) -> np.ndarray:
    """A picture as the network takes it; calibration pictures are prepared the same way.

    Args:
        image: (h, w, 3) uint8 of any size.
        spec: of the backbone.
        frame: (height, width) of the gallery's pictures; ``None`` leaves that step out.

    Returns:
        ``(H, W, 3)`` uint8.
    """
    if frame is not None:
        image = fit_to_frame(image, frame, seen=spec.input_size)
    return resize(image, spec.input_size, fit=str(PREPARATION["to_input"]))


def find_weights_source(label: str) -> str:
    """What ``load_backbone`` takes for the weights that a spec's label names."""
    return label.removeprefix("file:")


class Picture(NamedTuple):
    """What is read of one picture before the network sees it.

    Attributes:
        prepared: ``(H, W, 3)`` uint8, as the network takes it.
        colour: ``(COLOUR_DIM,)`` float32.
        signature: ``(16, 12, 3)`` uint8, see ``fashify.catalogue.likeness``.
        facts: of the file.
    """

    prepared: np.ndarray
    colour: np.ndarray
    signature: np.ndarray
    facts: ImageFacts


def embedder_of(meta: Mapping[str, Any]) -> Embedder:
    """The embedder a store was built with, from its manifest.

    Raises:
        BackboneError: its weights cannot be had.
        StoreMismatchError: the weights at hand are others.
    """
    spec, engine = meta["backbone"], meta["engine"]
    backbone = load_backbone(spec["name"], weights=find_weights_source(spec["weights"]))
    check_backbone(spec, backbone.spec, Path("the store"))
    return Embedder(
        backbone,
        engine=engine["engine"],
        precision=engine["precision"],
        calibration=engine.get("calibration"),
        frame=meta["preparation"]["frame"],
    )


@dataclass(frozen=True)
class EmbedderRecipe:
    """An embedder that is not made yet: small and picklable, for workers elsewhere.

    Attributes:
        backbone: a ``Backbone``, or its name and weights.
        engine: a name, or an ``Engine``.
    """

    backbone: Backbone | tuple[str, str]
    engine: str | Engine
    precision: str
    batch_size: int
    calibration: np.ndarray | str | None
    frame: Frame | None = None

    def __call__(self) -> Embedder:
        """Makes the embedder."""
        backbone = self.backbone
        if isinstance(backbone, tuple):
            backbone = load_backbone(backbone[0], weights=backbone[1])
        return Embedder(
            backbone,
            engine=self.engine,
            precision=self.precision,
            batch_size=self.batch_size,
            calibration=self.calibration,
            frame=self.frame,
        )


class Embedder:
    """Turns pictures of any size into features.

    Args:
        backbone: network with its preprocessing.
        engine: a name of ``list_engines()``, ``auto`` for the fastest faithful one, or an
            ``Engine`` made already.
        precision: ``auto``, ``fp32``, ``bf16`` or ``int8``.
        batch_size: pictures per call of the network.
        calibration: ``(m, H, W, 3)`` uint8 pictures an int8 engine is calibrated on, or
            the hash of those it was calibrated on before, from its fingerprint.
        frame: ``(height, width)`` of the gallery's pictures, to which every other is brought
            first; ``None`` where they have no common one.

    >>> from fashify import Embedder, load_backbone, load_catalogue
    >>> catalogue = load_catalogue("sample")
    >>> embedder = Embedder(load_backbone("fashify-lite"))
    >>> embedder.embed_images([catalogue.image(catalogue.item_ids[0])]).shape
    (1, 1280)
    """

    def __init__(
        self,
        backbone: Backbone,
        *,
        engine: str | Engine = "auto",
        precision: str = "auto",
        batch_size: int = 32,
        calibration: np.ndarray | str | None = None,
        frame: Frame | None = None,
    ) -> None:
        self.backbone, self.spec, self.batch_size = backbone, backbone.spec, batch_size
        self.frame = None if frame is None else (int(frame[0]), int(frame[1]))
        self._recipe = EmbedderRecipe(
            backbone, engine, precision, batch_size, calibration, self.frame
        )
        if isinstance(engine, str):
            engine = make_engine(
                engine,
                backbone,
                spec=backbone.spec,
                precision=precision,
                calibration=calibration,
            )
        self.engine = engine

    @property
    def facts(self) -> dict[str, Any]:
        """What the features depend on, for the manifest: backbone, engine, preparation."""
        frame = None if self.frame is None else list(self.frame)
        return {
            "backbone": self.spec.to_dict(),
            "engine": dict(self.engine.fingerprint),
            "preparation": PREPARATION | {"frame": frame},
            "colour": {"dim": COLOUR_DIM, "version": COLOUR_VERSION},
            "signature": {"size": list(SIZE), "version": SIGNATURE_VERSION},
        }

    @property
    def fingerprint(self) -> str:
        """sha256 over all that must be equal for features to be mixed."""
        facts = self.facts
        for free in ("reason", "weights"):
            facts["backbone"].pop(free, None)
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def recipe(self) -> EmbedderRecipe:
        """How to make this embedder again in another process, engine and precision fixed."""
        recipe = self._recipe
        if not isinstance(recipe.engine, str):
            return recipe
        return replace(
            recipe,
            backbone=(self.spec.name, find_weights_source(self.spec.weights)),
            engine=self.engine.name,
            precision=self.engine.precision,
        )

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """``(h, w, 3)`` uint8 of any size to ``(H, W, 3)`` uint8 as the network takes it."""
        return prepare(image, self.spec, self.frame)

    @property
    def row_dim(self) -> int:
        """Length of a row of a shard: the backbone's feature, then the colour feature."""
        return self.spec.dim + COLOUR_DIM

    def read_picture(self, data: bytes) -> Picture:
        """All that a store keeps of an encoded picture, decoded once.

        Raises:
            ImageReadError: not an image.
        """
        image = load_image(data)
        prepared = self.prepare(image)
        colour = colour_features(prepared[None])[0]
        return Picture(prepared, colour, make_signature(image), read_facts(data))

    def embed_prepared(self, batch: np.ndarray) -> np.ndarray:
        """``(b, H, W, 3)`` uint8 to ``(b, dim)`` float32, ``batch_size`` at a time."""
        starts = range(0, len(batch), self.batch_size)
        parts = [self.engine.run(batch[at : at + self.batch_size]) for at in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.spec.dim), np.float32)

    def embed_map(self, batch: np.ndarray) -> np.ndarray:
        """As ``Backbone.embed_map``, by the engine where it can: no second network is started.

        Args:
            batch: ``(b, H, W, 3)`` uint8, as the network takes it.
        """
        found = None if isinstance(self.backbone, OnnxBackbone) else self.engine.run_map(batch)
        return self.backbone.embed_map(batch) if found is None else found

    def embed_images(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Pictures ``(h, w, 3)`` uint8 of any size to ``(n, dim)`` float32.

        Raises:
            QueryError: no picture.
        """
        if not len(images):
            raise QueryError("at least one picture", "none", "pass one")
        return self.embed_prepared(np.stack([self.prepare(image) for image in images]))
