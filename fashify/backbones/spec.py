"""What must be equal for two features to be comparable."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class BackboneSpec:
    """Identity of a backbone; two equal specs give comparable features.

    Attributes:
        name: as in ``list_backbones()``.
        dim: length of a feature.
        input_size: (height, width) in pixels.
        preprocessing: what the graph does to raw RGB 0..255, with its version.
        pooling: how the (h, w, dim) map becomes one vector.
        weights: label, ``imagenet``, ``random`` or ``file:PATH``; not part of equality.
        weights_hash: sha256 over the loaded arrays, whatever file they came from.
        reason: why this backbone was chosen; not part of equality.

    >>> from fashify import load_backbone
    >>> spec = load_backbone("fashify-lite").spec
    >>> spec.name, spec.dim, spec.input_size
    ('fashify-lite', 1280, (160, 120))
    """

    name: str
    dim: int
    input_size: tuple[int, int]
    preprocessing: str
    pooling: str
    weights: str = field(compare=False)
    weights_hash: str = ""
    reason: str = field(default="", compare=False)

    def to_dict(self) -> dict[str, Any]:
        """The spec as JSON-ready values."""
        return {**asdict(self), "input_size": list(self.input_size)}
