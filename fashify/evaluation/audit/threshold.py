"""Is the look-alike threshold a good one? Pictures saved anew must be found again."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
from PIL import Image

from fashify.catalogue import Catalogue
from fashify.catalogue.likeness import THRESHOLD, difference, make_signature
from fashify.config import SEED
from fashify.evaluation.audit.facts import read_pictures
from fashify.io.images import encode_jpeg, resize


def measure_resaving(catalogue: Catalogue, *, n: int = 300, seed: int = SEED) -> pd.DataFrame:
    """How far pictures drift from themselves when they are saved anew, and other pictures are.

    Args:
        catalogue: where n pictures are drawn from.
        n: how many.
        seed: of the draw.

    Returns:
        One row a way of saving, and a last one for the most similar other picture among the
        n: ``what``, quantiles ``median, p90, p99`` of the ``difference`` of
        ``fashify.catalogue.likeness``, and ``alike``, the share within the threshold.
    """
    drawn = catalogue.take(np.flatnonzero(catalogue.table["has_image"])).sample(n, seed=seed)
    facts, small = read_pictures(drawn)
    whole = small.any(axis=(1, 2, 3)) & ~facts["item_id"].duplicated().to_numpy()
    images = [drawn.image(item_id) for item_id in facts["item_id"][whole]]
    small, rows = small[whole], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for what, change in _CHANGES.items():
            changed = np.stack(list(pool.map(partial(_sign_changed, change), images)))
            rows.append({"what": what, **_summarise_quantiles(difference(small, changed))})
    rows.append(
        {"what": "nearest other picture", **_summarise_quantiles(_nearest_difference(small))}
    )
    return pd.DataFrame(rows)


def _sign_changed(change: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    return make_signature(change(image))


def _nearest_difference(small: np.ndarray) -> np.ndarray:
    """(n,) difference of each picture from the most similar other one."""
    n = len(small)
    rows = [difference(small, np.broadcast_to(one, small.shape)) for one in small]
    differences = np.stack(rows)
    differences[np.arange(n), np.arange(n)] = np.inf
    return differences.min(axis=1)


def _summarise_quantiles(values: np.ndarray) -> dict[str, float]:
    median, p90, p99 = np.quantile(values, (0.5, 0.9, 0.99))
    return {"median": median, "p90": p90, "p99": p99, "alike": float((values <= THRESHOLD).mean())}


def _resave(quality: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: np.array(Image.open(io.BytesIO(encode_jpeg(image, quality))))


def _rescale(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: resize(image, tuple(max(1, round(s * factor)) for s in image.shape[:2]))


_CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "JPEG quality 90": _resave(90),
    "JPEG quality 75": _resave(75),
    "twice the size": _rescale(2.0),
    "3.7 times the size, JPEG quality 85": lambda image: _resave(85)(_rescale(3.73)(image)),
    "0.7 times the size, JPEG quality 75": lambda image: _resave(75)(_rescale(0.7)(image)),
}
