"""The text tower: a text and a picture as vectors of one space, by plain NumPy.

A text is the sum of the vectors of its hashed words, word pairs and letter n-grams, normalised,
and taken through one hidden layer, and so is the root of a picture's feature.
Both end at unit length, so that their cosine says how well a picture fits a text. It is trained
by ``fashify.learning.tower``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save
from scipy.special import erf

from fashify.errors import StoreCorruptError, StoreMismatchError
from fashify.text.words import BUCKETS, pieces, stem, tokenise

FORMAT, OLDER = "fashify-tower 3", "fashify-tower 2"

#: Layers by name, each ``(in, out)`` with a bias: straight and hidden, then the picture's, which
#: may have a hidden layer of its own.
LAYERS = ("straight", "hidden", "out", "picture")
MORE_LAYERS = ("looks", "seen")

_EPSILON = np.float32(1e-5)


class TextEncoder(Protocol):
    """What a gallery asks of a text tower, a learned one or a user's own."""

    scale: ClassVar[np.float32]

    @property
    def facts(self) -> dict[str, Any]:
        """What it is, and the backbone that it belongs to."""

    def __call__(self, text: str) -> np.ndarray:
        """(dim,) float32 of unit length."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32 of unit length."""

    def pictures(self, features: np.ndarray) -> np.ndarray:
        """(n, dim) float32 of unit length."""

    def knows(self, word: str) -> bool:
        """Whether it can read a stem."""

    def fits(self, backbone: Mapping[str, Any]) -> bool:
        """Whether it belongs to the features of a backbone."""


@dataclass(frozen=True)
class Tower:
    """Both sides of one space of words and pictures.

    Attributes:
        buckets: (b,) int32 numbers of the buckets that have a vector, rising.
        rows: (b, d) int8 vectors of the buckets.
        scales: (b,) float32; ``rows * scales`` are the vectors.
        norm: (2, d) float32, scale and shift of the layer normalisation.
        layers: of ``LAYERS`` and ``MORE_LAYERS``, kernel ``(in, out)`` and bias ``(out,)`` float32.
        words: stems of the texts that it was trained on, most frequent first.
        facts: backbone and how it came about.
        scale: what its cosines are multiplied with, to say how probable a class is.
    """

    scale: ClassVar[np.float32] = np.float32(20)

    buckets: np.ndarray
    rows: np.ndarray
    scales: np.ndarray
    norm: np.ndarray
    layers: dict[str, tuple[np.ndarray, np.ndarray]]
    words: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def __call__(self, text: str) -> np.ndarray:
        """(dim,) float32 of unit length; zeros for a text without a piece that it knows."""
        return self.embed([text])[0]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, dim) float32 of unit length; a row of zeros as in ``__call__``."""
        sums = np.stack([self._sum(text) for text in texts])
        known = np.any(sums != 0, axis=1, keepdims=True)
        centred = sums - sums.mean(axis=1, keepdims=True)
        normal = centred / np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + _EPSILON)
        x = normal * self.norm[0] + self.norm[1]
        embedded = _affine(x, self.layers["straight"])
        embedded += _affine(_gelu(_affine(x, self.layers["hidden"])), self.layers["out"])
        return _unit(embedded) * known

    def pictures(self, features: np.ndarray) -> np.ndarray:
        """(n, dim) float32 of unit length from (n, dim of the backbone) features.

        Raises:
            StoreMismatchError: features of another length.
        """
        wanted = self.layers["picture"][0].shape[0]
        if features.shape[-1] != wanted:
            raise StoreMismatchError(
                f"features of {wanted} numbers for the text tower",
                f"{features.shape[-1]}",
                "train one on this store: fashify learn --text",
            )
        x = root(features)
        embedded = _affine(x, self.layers["picture"])
        if "looks" in self.layers:
            embedded += _affine(_gelu(_affine(x, self.layers["looks"])), self.layers["seen"])
        return _unit(embedded)

    def knows(self, word: str) -> bool:
        """Whether a stem was in the texts that it was trained on."""
        return word in self._keep_known

    def knows_any(self, text: str) -> bool:
        """Whether any of a text's words was."""
        return any(self.knows(stem(word)) for word in tokenise(text))

    def fits(self, backbone: Mapping[str, Any]) -> bool:
        """Whether it was trained on the features of a backbone."""
        return fits_backbone(self.facts, backbone)

    @cached_property
    def _keep_known(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def _place(self) -> np.ndarray:
        place = np.full(BUCKETS, -1, np.int32)
        place[self.buckets] = np.arange(len(self.buckets))
        return place

    def _sum(self, text: str) -> np.ndarray:
        places = self._place[pieces(text)]
        places = places[places >= 0]
        return self.scales[places] @ self.rows[places].astype(np.float32)

    def to_bytes(self) -> bytes:
        """The tower as a safetensors file; kernels are int8 with a scale for each row."""
        arrays = {
            "buckets": self.buckets.astype(np.int32),
            "rows": self.rows,
            "scales": self.scales.astype(np.float16),
            "norm": self.norm.astype(np.float16),
            "words": np.frombuffer(" ".join(self.words).encode(), np.uint8),
        }
        for name, (kernel, bias) in self.layers.items():
            rows, scales = quantise_rows(kernel)
            arrays |= {f"{name}.kernel": rows, f"{name}.scales": scales.astype(np.float16)}
            arrays[f"{name}.bias"] = bias.astype(np.float16)
        about = json.dumps({"format": FORMAT, "facts": self.facts}, sort_keys=True)
        # safetensors takes an array's memory as it lies, whatever its order.
        arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        return save(arrays, metadata={"fashify": about})

    @classmethod
    def from_bytes(cls, data: bytes) -> Tower:
        """The tower that ``to_bytes`` wrote.

        Raises:
            StoreCorruptError: not a tower, or a damaged one.
        """
        try:
            size = int.from_bytes(data[:8], "little")
            about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["fashify"])
            if about["format"] not in (FORMAT, OLDER):
                raise ValueError(f"format {about['format']}")
            a = load(data)
            layers = {
                name: (
                    a[f"{name}.kernel"] * a[f"{name}.scales"].astype(np.float32)[:, None],
                    a[f"{name}.bias"].astype(np.float32),
                )
                for name in (*LAYERS, *MORE_LAYERS)
                if name in LAYERS or f"{name}.kernel" in a
            }
            words = tuple(a["words"].tobytes().decode().split())
            scales, norm = a["scales"].astype(np.float32), a["norm"].astype(np.float32)
            return cls(a["buckets"], a["rows"], scales, norm, layers, words, about["facts"])
        except (SafetensorError, KeyError, TypeError, ValueError, IndexError) as error:
            raise StoreCorruptError(
                "a text tower as it was written",
                f"another file ({error})",
                "train one: fashify learn --text",
            ) from error


def fits_backbone(facts: Mapping[str, Any], backbone: Mapping[str, Any]) -> bool:
    """Whether a tower's facts name a backbone and its weights."""
    mine = facts.get("backbone", {})
    return all(mine.get(name) == backbone.get(name) for name in ("name", "weights_hash"))


def root(features: np.ndarray) -> np.ndarray:
    """Features by the square roots of their numbers, signs kept, float32.

    Perronnin et al., *Improving the Fisher kernel*, ECCV 2010: few strong numbers no longer drown
    the rest.
    """
    x = np.asarray(features, np.float32)
    return np.sign(x) * np.sqrt(np.abs(x))


def quantise_rows(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 rows and the (n,) float32 scale of each: ``rows * scales`` is nearly the matrix."""
    top = np.abs(matrix).max(axis=1, initial=0)
    scales = np.where(top > 0, top / 127, 1).astype(np.float16).astype(np.float32)
    return np.clip(np.round(matrix / scales[:, None]), -127, 127).astype(np.int8), scales


def _affine(x: np.ndarray, layer: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return x @ layer[0] + layer[1]


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + erf(x / np.sqrt(np.float32(2))))


def _unit(x: np.ndarray) -> np.ndarray:
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), np.float32(1e-12))
