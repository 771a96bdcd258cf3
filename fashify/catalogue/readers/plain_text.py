"""Cells of typed formats as the text a CSV would hold; types are inferred later, from text."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

#: Keys under which an object names a picture or a value of its own.
_ADDRESS_KEYS = ("src", "url", "path", "file_name", "filename", "file", "link", "href", "image")


def as_text(value: Any) -> str:
    """One cell as text: "" for nothing, whole floats without ``.0``, lists as JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, np.generic):
        return _numpy_text(value)
    if isinstance(value, list | tuple | np.ndarray):
        return _list_text(list(value))
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return _scalar_text(value)


def _scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _numpy_text(value: np.generic) -> str:
    if isinstance(value, np.floating):
        # The shortest text of its own width: 9.9 of a float32 is not 9.899999618530273.
        plain = "" if np.isnan(value) else str(value)
        return plain.removesuffix(".0")
    if isinstance(value, np.datetime64):
        return "" if np.isnat(value) else str(value)
    return as_text(value.item())


def _list_text(values: list[Any]) -> str:
    """ "" for none, the element for one, else a JSON list of texts."""
    texts = [_address(value) if isinstance(value, Mapping) else as_text(value) for value in values]
    texts = [text for text in texts if text]
    if len(texts) == 1:
        return texts[0]
    return json.dumps(texts, ensure_ascii=False) if texts else ""


def _address(value: Mapping[str, Any]) -> str:
    named = (value[key] for key in _ADDRESS_KEYS if isinstance(value.get(key), str))
    return next(named, as_text(value))


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """An object as one row: inner objects under ``outer.inner``, everything as text."""
    flat: dict[str, str] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{name}.")
        else:
            flat[name] = as_text(value)
    return flat
