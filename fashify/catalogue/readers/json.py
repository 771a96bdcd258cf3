"""JSON: a list of objects, such a list under a name, objects by id, or columns of values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fashify.catalogue.readers.encoding import decode_text
from fashify.catalogue.readers.plain_text import flatten
from fashify.catalogue.readers.table import RawTable, table_of_records
from fashify.errors import CatalogueError

SUFFIXES = (".json",)


def read_json(data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]:
    """Reads the products of one JSON file.

    Raises:
        CatalogueError: no JSON, or none that holds a list of products.
    """
    text, encoding = decode_text(data, name)
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise CatalogueError(
            f"JSON in {name}", f"text that is none ({error})", "export it again, or as CSV"
        ) from error
    records, form = _records(content)
    if not records:
        raise CatalogueError(
            f"a list of products in {name}",
            f"a JSON {type(content).__name__} without one",
            "write [{...}, {...}], one object a product",
        )
    flat = [flatten(record) for record in (records if rows is None else records[:rows])]
    table = table_of_records(name, flat)
    table.form = f"JSON, {form}, {encoding}"
    return [table]


def _records(content: Any) -> tuple[list[Mapping[str, Any]], str]:
    """The objects that are the rows, and how they lay in the file."""
    if isinstance(content, list):
        return _objects(content), "a list of objects"
    if not isinstance(content, Mapping):
        return [], ""
    lists = {key: _objects(value) for key, value in content.items() if isinstance(value, list)}
    best = max(lists, key=lambda key: len(lists[key]), default=None)
    if best is not None and lists[best]:
        return lists[best], f"the list {best!r}"
    if content and all(isinstance(value, list) for value in content.values()):
        lengths = {len(value) for value in content.values()}
        if len(lengths) == 1:
            keys = list(content)
            return [
                dict(zip(keys, row, strict=True)) for row in zip(*content.values(), strict=True)
            ], "lists, one a column"
    if content and all(isinstance(value, Mapping) and value for value in content.values()):
        return _by_key(content)
    inner = [value for value in content.values() if isinstance(value, Mapping)]
    found = [_records(value) for value in inner]
    return max(found, key=lambda pair: len(pair[0]), default=([], ""))


def _objects(values: list[Any]) -> list[Mapping[str, Any]]:
    objects = [value for value in values if isinstance(value, Mapping)]
    return objects if len(objects) == len(values) else []


def _by_key(content: Mapping[str, Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], str]:
    """Objects by id, or pandas' columns of values by row."""
    inner = list(content.values())
    same = all(set(value) == set(inner[0]) for value in inner)
    scalars = not any(isinstance(cell, Mapping) for value in inner for cell in value.values())
    if same and scalars and all(key.isdecimal() for key in inner[0]):
        rows: list[Mapping[str, Any]] = [
            {column: content[column][key] for column in content} for key in inner[0]
        ]
        return rows, "columns of values by row"
    return [{"id": key, **value} for key, value in content.items()], "objects by id"


def read_record(data: bytes) -> dict[str, str] | None:
    """The one product of a file, out of the objects it is wrapped in; ``None`` for no object."""
    try:
        content = json.loads(decode_text(data, "a JSON file")[0])
    except (json.JSONDecodeError, RecursionError, CatalogueError):
        return None
    while isinstance(content, Mapping):
        inner = [value for value in content.values() if isinstance(value, Mapping)]
        plain = [value for value in content.values() if not isinstance(value, Mapping | list)]
        # Wrapped as {"meta": {...}, "data": {...}}: the largest is the product.
        if inner and not plain:
            content = max(inner, key=len)
            continue
        return flatten(content)
    return None
