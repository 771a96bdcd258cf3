"""Values as JSON knows them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def to_plain(value: Any) -> Any:
    """``value`` with NumPy scalars as Python's and what JSON has no number for as None."""
    if isinstance(value, dict):
        return {str(key): to_plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def format_count(n: int, noun: str) -> str:
    """A count with its noun.

    >>> format_count(1, "image size"), format_count(1200, "category")
    ('1 image size', '1,200 categories')
    """
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{n:,} {noun if n == 1 else plural}"
