"""The head that comes with a network: category, colour and instance, learned together with it.

No label of the catalogue at hand is needed: a folder of images has parts to weigh, and "this very
product" to search for, from the first minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from fashify.backbones.loading import SHIPPED
from fashify.backbones.network_file import (
    SUFFIX,
    Projections,
    parse_projections,
    projections_beside,
    read_shipped,
)
from fashify.backbones.records import RECORDS, ShippedSource
from fashify.heads.head import Head, Part, Posterior

#: Name of the method in the provenance of a head that nothing was trained for here.
METHOD = "shipped"

#: What cosines to the proxies were multiplied with when the projections were trained.
SCALE = 16.0

#: Weight of each part, and shares of a part's vector that the posteriors of levels get.
WEIGHTS = {"category": 0.7, "colour": 0.2, "instance": 0.1}
SHARES = {
    "category": {"article_type": 0.5, "gender": 1 / 7},
    "colour": {"base_colour": 0.6},
    "instance": {},
}

#: How much farther from every product people's photos are than composed photos of products with
#: the same chance of a right match, by network. Measured by ``benchmarks/photo_strength.py`` on
#: photos of people that the weights never saw.
PHOTO_DISTANCE = {"fashify-lite": 1.5}

#: Projection of each part.
KERNELS = {"category": "cat", "colour": "col", "instance": "ins"}


def own_projections(backbone: Mapping[str, Any]) -> Projections | None:
    """The projections trained along with a network, shipped or beside its weights file; ``None``
    where it has none.

    Args:
        backbone: a spec as a store's manifest has it.

    Raises:
        BackboneError: their file is missing or changed.
    """
    record = RECORDS.get(str(backbone.get("name")))
    if record is None or not isinstance(record.source, ShippedSource):
        return None
    if backbone.get("weights") == SHIPPED:
        return _read(record.source.projections, record.source.projections_sha256)
    path = Path(str(backbone.get("weights", "")).removeprefix("file:"))
    beside = projections_beside(path)
    if path.suffix != SUFFIX or not beside.is_file():
        return None
    return parse_projections(beside.read_bytes(), beside.name)


def own_head(backbone: Mapping[str, Any]) -> Head | None:
    """The parts that come with a network, as a head; ``None`` where there are none.

    Args, errors: as ``own_projections``.

    >>> head = own_head({"name": "fashify-lite", "weights": "shipped"})
    >>> head.names, head.dim
    (('category', 'colour', 'instance'), 504)
    """
    found = own_projections(backbone)
    if found is None:
        return None
    parts = tuple(own_part(found, name) for name in WEIGHTS)
    identity = {
        name: backbone[name] for name in ("name", "weights_hash", "dim") if name in backbone
    }
    return Head(parts, dict(WEIGHTS), identity, {"method": METHOD, **found.provenance})


def own_part(found: Projections, name: str) -> Part:
    """One part of ``own_head``: its embedding, shortened, and the posteriors of its levels."""
    key = KERNELS[name]
    posteriors = tuple(
        Posterior(
            level,
            share,
            np.float32(SCALE) * found.proxies[level].T,
            np.zeros(len(found.proxies[level]), np.float32),
        )
        for level, share in SHARES[name].items()
    )
    layer = np.ascontiguousarray(found.kernels[key]), found.biases[key]
    return Part(name, ("raw",), (layer,), posteriors, found.bases[key])


@lru_cache(maxsize=2)
def _read(file: str, sha256: str) -> Projections:
    return parse_projections(read_shipped(file, sha256), file)
