"""A catalogue's own columns on a card: which are shown, and how a value reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fashify.config import LEVELS
from fashify.errors import ConfigError, join_names
from fashify.index.filters.columns import Typed, split_cell

#: Columns that cards and menus have a place of their own for, or that mean nothing to a visitor.
STANDARD = ("item_id", *LEVELS, "year", "name", "path", "has_image")

#: What a column is called that holds a price or a maker, in the languages that feeds come in.
_PRICE = re.compile(r"price|preis|prix|precio|prezzo|mrp|msrp|价格|価格|कीमत", re.IGNORECASE)
_BRAND = re.compile(
    r"brand|marke|hersteller|marque|marca|vendor|maker|manufacturer|designer|label|品牌|ブランド",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"\.(jpe?g|png|webp|gif|avif|heic)(\?.*)?$", re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)

#: Characters of a text on a card; the whole of it is the title.
MAX_TEXT = 60


@dataclass(frozen=True)
class Detail:
    """One value of a product as a card shows it.

    Attributes:
        name: of the column.
        text: the value as people read it.
        href: where a link leads, http or https; "" for every other value.
        plain: whether the value says by itself what it is, as a price and a brand do.
    """

    name: str
    text: str
    href: str = ""
    plain: bool = False


def choose_columns(types: Mapping[str, Typed], facts: Mapping[str, Iterable[Any]]) -> list[str]:
    """The columns a card shows unless told otherwise: price, brand and link, as far as there are.

    Args:
        types: what the own columns hold.
        facts: their values; a link to pictures is no link to a product.
    """
    prices = [name for name, typed in types.items() if typed.kind == "price"]
    prices += [name for name, typed in types.items() if _is_number(typed) and _PRICE.search(name)]
    texts = [name for name, typed in types.items() if typed.kind in ("text", "category")]
    brands = [name for name in texts if _BRAND.search(name)]
    links = [
        name
        for name, typed in types.items()
        if typed.kind == "link" and not any(_PICTURE.search(str(value)) for value in facts[name])
    ]
    return [*prices[:1], *brands[:1], *links[:1]]


def read_columns(show: str, types: Mapping[str, Typed]) -> list[str]:
    """The columns that ``--show price,brand,link`` names, in any case; none for "none".

    Raises:
        ConfigError: a column the catalogue does not have.
    """
    if show.strip().casefold() in ("", "none"):
        return []
    spelt = {name.casefold(): name for name in types}
    names = [name.strip() for name in show.split(",") if name.strip()]
    unknown = [name for name in names if name.casefold() not in spelt]
    if unknown:
        raise ConfigError(
            "columns of the catalogue to show on cards",
            join_names(unknown),
            f"choose from: {join_names(types) or 'none, it has no columns of its own'}",
        )
    return [spelt[name.casefold()] for name in names]


def describe_details(
    facts: Mapping[str, Any], names: Sequence[str], types: Mapping[str, Typed]
) -> list[Detail]:
    """A product's values of some columns as its card shows them, those it lacks left out."""
    details = (describe_value(name, facts.get(name), types[name]) for name in names)
    return [detail for detail in details if detail is not None]


def describe_value(name: str, value: Any, typed: Typed) -> Detail | None:
    """A value of a column as people read it; None where there is none."""
    if value is None or value == "" or value == []:
        return None
    if typed.kind == "link":
        text = str(value)
        is_web = _WEB.fullmatch(text) is not None
        return Detail(name, "To the product" if is_web else text, text if is_web else "")
    if typed.kind == "boolean":
        return Detail(name, "yes" if value else "no")
    if typed.kind == "list":
        return Detail(name, ", ".join(split_cell(value, typed.unit)))
    if isinstance(value, int | float):
        is_price = typed.kind == "price" or _PRICE.search(name) is not None
        return Detail(name, format_amount(value, typed.unit, is_price), plain=is_price)
    return Detail(name, str(value), plain=_BRAND.search(name) is not None)


def format_amount(value: float, unit: str = "", is_price: bool = False) -> str:
    """A number with thousands separated, a price with its cents and currency.

    >>> format_amount(1299.5, "EUR", is_price=True), format_amount(1200), format_amount(0.25)
    ('1,299.50 EUR', '1,200', '0.25')
    """
    if is_price:
        number = f"{value:,.0f}" if float(value).is_integer() and value >= 1000 else f"{value:,.2f}"
        return f"{number} {unit}".strip()
    return f"{value:,.10g}" if abs(value) < 1e15 else f"{value:g}"


def _is_number(typed: Typed) -> bool:
    return typed.kind == "number"
