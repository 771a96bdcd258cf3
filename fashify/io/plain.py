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
