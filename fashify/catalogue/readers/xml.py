"""XML product feeds: Google Merchant's RSS and Atom, and lists of one element per product."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from fashify.catalogue.readers.table import RawTable, table_of_records
from fashify.errors import CatalogueError

SUFFIXES = (".xml", ".rss", ".atom")

#: Names under which feeds list their products.
PRODUCTS = ("item", "entry", "product", "offer", "shopitem", "article", "artikel", "produit")


def read_xml(data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]:
    """One row per product element; a child that comes several times is a JSON list.

    Raises:
        CatalogueError: no XML (documents that define entities are refused), or no products.
    """
    from defusedxml import ElementTree

    try:
        root = ElementTree.fromstring(data)
    except Exception as error:  # The parser's own, and defusedxml's refusals.
        reason = " ".join(str(error).split())[:80]
        raise CatalogueError(
            f"XML in {name}", f"a file that is none ({reason})", "export the feed again"
        ) from error
    elements = _products(root)
    if not elements:
        raise CatalogueError(
            f"elements item, entry or product in {name}", f"<{_name(root)}>", "export it as CSV"
        )
    chosen = elements if rows is None else elements[:rows]
    table = table_of_records(name, [_record(element) for element in chosen])
    table.form = f"XML, <{_name(elements[0])}>"
    return [table]


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _products(root: Any) -> list[Any]:
    """Elements of the name that is a product's, or that repeats most with children of its own."""
    counted = Counter(_name(element) for element in root.iter() if len(element))
    named = [name for name in counted if name.casefold() in PRODUCTS]
    repeated = [name for name, count in counted.most_common(1) if count > 1]
    best = next(iter(sorted(named, key=lambda name: -counted[name]) or repeated), None)
    return [element for element in root.iter() if _name(element) == best and len(element)]


def _record(element: Any) -> dict[str, str]:
    found: dict[str, list[str]] = {key: [value] for key, value in element.attrib.items()}
    for child in element:
        if len(child):
            for key, value in _record(child).items():
                found.setdefault(f"{_name(child)}.{key}", []).append(value)
            continue
        # Atom's links stand in an attribute.
        text = (child.text or "").strip() or child.attrib.get("href", "")
        found.setdefault(_name(child), []).append(text)
    return {key: _join_values(values) for key, values in found.items()}


def _join_values(values: list[str]) -> str:
    kept = [value for value in values if value]
    return kept[0] if len(kept) == 1 else json.dumps(kept, ensure_ascii=False) if kept else ""
