"""Heads: small trained maps from what a store holds to what its index serves.

A head is made of parts, each of its own kind of likeness: ``shape``, ``category``, ``colour``.
Every part gives a vector of unit length; a served vector is their concatenation, part i scaled
by the square root of its weight w_i. With weights that sum to 1 the cosine of two served
vectors is then the weighted mean of the parts' cosines, so one plain index answers under any
weights: those of a query are put into the query alone.

Applying a head is plain NumPy; training is in ``fashify.learning``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fashify.errors import (
    ConfigError,
    QueryError,
    StoreCorruptError,
    StoreMismatchError,
    join_names,
)

FORMAT, VERSION = "fashify-head", 4

#: A head of version 3 has no basis and takes no raw features.
READABLE = (3, VERSION)

#: What a part may take: the backbone's feature and the colour feature, each at unit length, and
#: the backbone's feature as it is.
INPUTS = ("deep", "colour", "raw")

#: Least weight of a served part: with less, a query could not weigh it up again.
LEAST_WEIGHT = 0.01

#: Rows computed at a time, which bounds the memory it takes.
BLOCK = 4096

Layer = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Posterior:
    """How probable each class of a level is, served as the square roots of the probabilities.

    The dot product of two such vectors is the Bhattacharyya coefficient of the distributions: 1
    for equal ones, 0 where they have no class in common (Jebara, Kondor and Howard,
    *Probability product kernels*, JMLR 2004). Of two products surely of one type it is 1
    whatever else sets them apart, so that other kinds of likeness may decide among those.

    Attributes:
        level: whose classes.
        share: of the part's squared length, in (0, 1).
        proxies: (length of the embedding, classes) float32; the dot products of an embedding of
            unit length with them, plus the bias, are the logits.
        bias: (classes,) float32.
    """

    level: str
    share: float
    proxies: np.ndarray
    bias: np.ndarray

    def __call__(self, embedded: np.ndarray) -> np.ndarray:
        """``(n, classes)`` of unit length from ``(n, d)`` embeddings of unit length."""
        logits = embedded @ self.proxies + self.bias
        logits -= logits.max(axis=1, keepdims=True)
        return unit_length(np.exp(logits / 2))


@dataclass(frozen=True)
class Part:
    """One kind of likeness.

    Attributes:
        name: such as ``shape``.
        takes: of ``INPUTS``; several are put side by side.
        layers: ``(kernel (in, out), bias (out,))`` float32, with ReLU between them; what the
            last gives, at unit length, is the embedding.
        posteriors: follow the embedding in the part's vector; their shares sum to less than 1,
            the embedding has the rest.
        basis: (length of the embedding, d) float32; where given, the posteriors go by the whole
            embedding and the part's vector has but its d coordinates in this basis, at unit
            length: shorter, and nearly the same cosines.
    """

    name: str
    takes: tuple[str, ...]
    layers: tuple[Layer, ...]
    posteriors: tuple[Posterior, ...] = ()
    basis: np.ndarray | None = None

    @property
    def dim(self) -> int:
        """Length of the part's vectors."""
        last = self.layers[-1][0] if self.basis is None else self.basis
        return last.shape[1] + sum(one.proxies.shape[1] for one in self.posteriors)

    def __call__(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """``(n, dim)`` float32 of unit length from inputs of unit length."""
        x = np.concatenate([inputs[name] for name in self.takes], axis=1)
        for number, (kernel, bias) in enumerate(self.layers):
            x = x @ kernel + bias
            if number + 1 < len(self.layers):
                np.maximum(x, 0, out=x)
        embedded = unit_length(x)
        short = embedded if self.basis is None else unit_length(embedded @ self.basis)
        if not self.posteriors:
            return short
        rest = 1 - sum(one.share for one in self.posteriors)
        blocks = [np.float32(np.sqrt(one.share)) * one(embedded) for one in self.posteriors]
        return np.concatenate([np.float32(np.sqrt(rest)) * short, *blocks], axis=1)


@dataclass(frozen=True)
class Head:
    """Parts with their default weights, bound to one backbone.

    Attributes:
        parts: in the order of the served vector.
        weights: part -> default weight; they sum to 1.
        backbone: identity of the features it was made for (name, weights hash ...).
        provenance: how it came about: method, split, seed, levels, measures.
    """

    parts: tuple[Part, ...]
    weights: dict[str, float]
    backbone: dict[str, Any]
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        if not names or len(set(names)) < len(names) or set(self.weights) != set(names):
            raise ConfigError(
                "parts with different names and one weight each",
                f"parts {names} and weights {sorted(self.weights)}",
                "make the head anew with fashify build --head",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts."""
        return tuple(part.name for part in self.parts)

    @property
    def dim(self) -> int:
        """Length of a served vector."""
        return sum(part.dim for part in self.parts)

    @property
    def takes(self) -> frozenset[str]:
        """What its parts need, of ``INPUTS``."""
        return frozenset(name for part in self.parts for name in part.takes)

    @cached_property
    def columns(self) -> dict[str, slice]:
        """Where each part lies in a served vector."""
        ends = np.cumsum([part.dim for part in self.parts])
        return {
            part.name: slice(int(end) - part.dim, int(end))
            for part, end in zip(self.parts, ends, strict=True)
        }

    def __call__(self, deep: np.ndarray, colour: np.ndarray | None = None) -> np.ndarray:
        """Served vectors.

        Args:
            deep: (n, dim of the backbone) float32.
            colour: (n, COLOUR_DIM) float32; may be None where no part takes it.

        Returns:
            (n, dim) float32 of unit length.

        Raises:
            StoreMismatchError: inputs of other lengths than the head was made for.
        """
        if "colour" in self.takes and colour is None:
            raise StoreMismatchError(
                "features with colour", "none", "build the store with this release of Fashify"
            )
        self._check(deep, colour)
        served = np.empty((len(deep), self.dim), np.float32)
        for start in range(0, len(deep), BLOCK):
            rows = slice(start, start + BLOCK)
            inputs = {"deep": unit_length(deep[rows]), "raw": deep[rows]}
            if colour is not None:
                inputs["colour"] = unit_length(colour[rows])
            for part in self.parts:
                scale = np.float32(np.sqrt(self.weights[part.name]))
                served[rows, self.columns[part.name]] = scale * part(inputs)
        return served

    def _check(self, deep: np.ndarray, colour: np.ndarray | None) -> None:
        own = deep.shape[1]
        widths = {"deep": own, "raw": own, "colour": 0 if colour is None else colour.shape[1]}
        for part in self.parts:
            found = sum(widths[name] for name in part.takes)
            if found != part.layers[0][0].shape[0]:
                raise StoreMismatchError(
                    f"inputs of {part.layers[0][0].shape[0]} numbers for the head's {part.name}",
                    f"{found}",
                    "use the head of this backbone, or train one with fashify build --head",
                )

    def confidence(self, served: np.ndarray, level: str = "article_type") -> np.ndarray:
        """How sure the head is what a query shows: the largest probability of any class.

        Args:
            served: (n, dim) served.
            level: of the classes.

        Returns:
            (n,) from 0 to 1; 1 for all where no part has a posterior of that level.
        """
        for part in self.parts:
            end = self.columns[part.name].stop
            for one in reversed(part.posteriors):
                start = end - one.proxies.shape[1]
                if one.level == level:
                    # The posterior is served as roots, at the length that its weight gives it.
                    shares = np.square(served[:, start:end], dtype=np.float64)
                    return shares.max(axis=1) / np.maximum(shares.sum(axis=1), 1e-12)
                end = start
        return np.ones(len(served))

    def weigh_query(self, served: np.ndarray, weights: Mapping[str, float]) -> np.ndarray:
        """A served query (dim,) under other weights; not of unit length any more.

        Its dot product with a gallery vector is the weighted mean of the parts' cosines.

        Raises:
            QueryError: an unknown part, a negative weight, or nothing but zeros.
        """
        wanted = self.check_weights(weights)
        scaled = np.array(served, np.float32)
        for name, columns in self.columns.items():
            scaled[columns] *= wanted[name] / self.weights[name]
        return scaled

    def check_weights(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Every part's weight, summing to 1; parts not named weigh 0. Errors as ``query``."""
        unknown = [name for name in weights if name not in self.names]
        values = [float(value) for value in weights.values()]
        total = sum(values)
        if unknown or not all(0 <= value < float("inf") for value in values) or total <= 0:
            raise QueryError(
                f"weights of 0 or more, not all 0, for parts of {join_names(self.names)}",
                f"{dict(weights)}",
                f"name parts of this head, such as {self.names[0]}=1",
            )
        return {name: float(weights.get(name, 0.0)) / total for name in self.names}

    def part_distances(self, query: np.ndarray, gallery: np.ndarray) -> dict[str, np.ndarray]:
        """Each part's cosine distance, (m,) float32.

        Args:
            query: (dim,) served, under the default weights.
            gallery: (m, dim) served.
        """
        return {
            name: 1 - gallery[:, columns] @ query[columns] / np.float32(self.weights[name])
            for name, columns in self.columns.items()
        }

    def check_backbone(self, backbone: Mapping[str, Any]) -> None:
        """Raises ``StoreMismatchError`` unless the head was made for these features."""
        for name in ("name", "weights_hash", "dim"):
            if name in self.backbone and self.backbone[name] != backbone.get(name):
                raise StoreMismatchError(
                    f"a head for {name} {backbone.get(name)}",
                    f"one for {name} {self.backbone[name]}",
                    "train a head on this store with fashify build --head",
                )

    @property
    def facts(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            "sha256": hashlib.sha256(self.to_bytes()).hexdigest(),
            "dim": self.dim,
            "parts": {
                part.name: {
                    "dim": part.dim,
                    "takes": part.takes,
                    "posteriors": {one.level: one.share for one in part.posteriors},
                }
                for part in self.parts
            },
            "weights": self.weights,
            "provenance": self.provenance,
        }

    def to_bytes(self) -> bytes:
        """The head as a safetensors file; equal heads give equal bytes."""
        arrays = {
            f"{part.name}.{number}.{kind}": np.ascontiguousarray(array, np.float32)
            for part in self.parts
            for number, layer in enumerate(part.layers)
            for kind, array in zip(("kernel", "bias"), layer, strict=True)
        }
        arrays |= {
            f"{part.name}.{one.level}.{kind}": np.ascontiguousarray(array, np.float32)
            for part in self.parts
            for one in part.posteriors
            for kind, array in (("proxies", one.proxies), ("bias", one.bias))
        }
        arrays |= {
            f"{part.name}.basis": np.ascontiguousarray(part.basis, np.float32)
            for part in self.parts
            if part.basis is not None
        }
        about = {
            "format": FORMAT,
            "version": VERSION,
            "backbone": self.backbone,
            "parts": [
                {
                    "name": part.name,
                    "takes": part.takes,
                    "layers": len(part.layers),
                    "posteriors": [[one.level, one.share] for one in part.posteriors],
                }
                for part in self.parts
            ],
            "weights": self.weights,
            "provenance": self.provenance,
        }
        # One key: safetensors keeps metadata in a hash map without a fixed order.
        return save(arrays, metadata={"fashify": json.dumps(about, sort_keys=True)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Head:
        """The head that ``to_bytes`` wrote.

        Raises:
            StoreCorruptError: not a head, or a damaged one.
            StoreMismatchError: one of another release's format.
        """
        try:
            size = int.from_bytes(data[:8], "little")
            about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["fashify"])
            arrays = load(data)
            if about["format"] != FORMAT or about["version"] not in READABLE:
                raise StoreMismatchError(
                    f"a head of format {FORMAT} version {VERSION}",
                    f"{about['format']} version {about['version']}",
                    "train the head again with this release of Fashify",
                )
            parts = tuple(_read_parts(about["parts"], arrays))
            return cls(parts, about["weights"], about["backbone"], about["provenance"])
        except (SafetensorError, KeyError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, StoreMismatchError):
                raise
            raise StoreCorruptError(
                "a head as it was written", f"another file ({error})", "train the head again"
            ) from error


def _read_parts(listed: list[dict], arrays: dict[str, np.ndarray]) -> Iterator[Part]:
    for record in listed:
        name = record["name"]
        layers = tuple(
            (arrays[f"{name}.{number}.kernel"], arrays[f"{name}.{number}.bias"])
            for number in range(record["layers"])
        )
        posteriors = tuple(
            Posterior(
                level,
                float(share),
                arrays[f"{name}.{level}.proxies"],
                arrays[f"{name}.{level}.bias"],
            )
            for level, share in record["posteriors"]
        )
        basis = arrays.get(f"{name}.basis")
        yield Part(name, tuple(record["takes"]), layers, posteriors, basis)


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Rows at unit length; a row of zeros stays one."""
    if vectors.ndim == 2 and len(vectors) > BLOCK:
        scaled = np.empty(vectors.shape, np.result_type(vectors, np.float32))
        for start in range(0, len(vectors), BLOCK):
            scaled[start : start + BLOCK] = unit_length(vectors[start : start + BLOCK])
        return scaled
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, np.float32(1e-12))
