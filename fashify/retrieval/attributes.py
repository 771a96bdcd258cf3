"""What a network sees in each picture of a gallery: how probable each class of a level is.

No label of the gallery is read, so that "in black" or "for women" can be asked of a folder of
pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fashify.backbones.network_file import Projections
from fashify.heads.shipped import own_projections
from fashify.text.table import LEVEL_OF, Concept, load_table
from fashify.text.tower import TextEncoder
from fashify.text.words import stems

#: What cosines to proxies are multiplied with, as the projections were trained.
SCALE = np.float32(16)

#: Projection that each level's proxies belong to.
_KERNELS = {"base_colour": "col"}

#: The kind, and level, of patterns: no projection and no column has them.
PATTERN = "pattern"

#: No class is held for less likely than this, natural logarithm.
FLOOR = np.float32(-9)


@dataclass(frozen=True)
class Attributes:
    """Log probabilities of a gallery's pictures.

    Attributes:
        logs: level -> (n, classes) float32, none below ``FLOOR``.
        classes: level -> names, in the order of the columns.
    """

    logs: dict[str, np.ndarray]
    classes: dict[str, tuple[str, ...]]

    def log_probability(self, level: str, names: Sequence[str]) -> np.ndarray | None:
        """(n,) that a picture is of one of some classes; None where the level lacks them all.

        Args:
            names: of classes, in any case.
        """
        wanted = {name.casefold() for name in names}
        at = [i for i, c in enumerate(self.classes.get(level, ())) if c.casefold() in wanted]
        if not at:
            return None
        return np.log(np.exp(self.logs[level][:, at]).sum(axis=1))

    def log_of(self, kind: str, level: str, name: str, labels: Sequence[str]) -> np.ndarray | None:
        """(n,) log probability of what a text named; None where no class is it.

        Args:
            kind, name: of a concept of the table.
            level, labels: the gallery's own for it, "" and empty where it has none.
        """
        found = self.log_probability(level, labels) if labels else None
        concept = load_table().concepts.get((kind, name))
        if found is not None or concept is None:
            return found
        if kind == PATTERN:
            return self.log_probability(PATTERN, (name,))
        return self.log_probability(LEVEL_OF.get(kind, ""), self._classes_of(concept))

    def _classes_of(self, concept: Concept) -> tuple[str, ...]:
        level = LEVEL_OF.get(concept.kind, "")
        phrases = load_table().words_of(concept, ("en",))
        words = {name: tuple(stems(name)) for name in self.classes.get(level, ())}
        return tuple(n for n, w in words.items() if any(w[-len(p) :] == p for p in phrases))


def see_attributes(
    features: np.ndarray, backbone: Mapping[str, Any], tower: TextEncoder | None = None
) -> Attributes | None:
    """The attributes of pictures, by the projections that came with the backbone.

    Where it has none, and for patterns, by a text tower: the cosines to the names of the table's
    concepts.

    Args:
        features: (n, dim) of the backbone.
        backbone: the manifest's facts of it.
        tower: for these features, if there is one.
    """
    found = own_projections(backbone)
    if tower is None:
        return None if found is None else _by_projections(features, found)
    pictures = tower.pictures(features)
    if found is None:
        return _by_tower(pictures, tower, {**LEVEL_OF, PATTERN: PATTERN})
    own, more = _by_projections(features, found), _by_tower(pictures, tower, {PATTERN: PATTERN})
    return Attributes(own.logs | more.logs, own.classes | more.classes)


def _by_projections(features: np.ndarray, found: Projections) -> Attributes:
    logs, embedded = {}, {}
    for level, proxies in found.proxies.items():
        kernel = _KERNELS.get(level, "cat")
        if kernel not in embedded:
            rows = features @ found.kernels[kernel] + found.biases[kernel]
            embedded[kernel] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        logs[level] = _log_softmax(SCALE * embedded[kernel] @ proxies.T)
    return Attributes(logs, dict(found.classes))


def _by_tower(pictures: np.ndarray, tower: TextEncoder, levels: Mapping[str, str]) -> Attributes:
    logs, classes = {}, {}
    for kind, level in levels.items():
        names = [name for of_kind, name in load_table().concepts if of_kind == kind]
        if kind == PATTERN:
            # Of a pattern that it never read its vector says something else.
            names = [name for name in names if all(map(tower.knows, stems(name)))]
        if not names:
            continue
        logs[level] = _log_softmax(tower.scale * pictures @ tower.embed(names).T)
        classes[level] = tuple(names)
    return Attributes(logs, classes)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return np.maximum(logs, FLOOR, dtype=np.float32)
