"""What a user's own columns hold: numbers, prices, dates, links ..., inferred from their text.

A type is given only where every filled cell agrees with it; one cell that does not leaves the
column as text. Nothing is lost: where typed values say less than the text, the text is kept in a
column beside (``price`` and ``price_text``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

KINDS = ("number", "price", "date", "boolean", "link", "list", "text", "category")

#: Distinct values up to which a text column is one of categories, and the rows each needs.
MAX_CATEGORIES, ROWS_A_CATEGORY = 50, 2

#: Cells tried before a whole column is.
TRIED = 200

_NUMBER = r"[-+−]?(?:\d{1,3}(?:[ \u00a0\u202f.,'’]\d{3})+|\d+)(?:[.,]\d+)?"
_PLAIN_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_LOCAL_NUMBER = re.compile(_NUMBER)
_CODES = (
    "AED ARS AUD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR JPY KRW KWD MAD "
    "MXN MYR NGN NOK NZD PEN PHP PKR PLN QAR RMB RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
).split()
_SIGNS = {
    "€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB",
    "₺": "TRY", "₴": "UAH", "₫": "VND", "฿": "THB", "₪": "ILS", "₱": "PHP", "zł": "PLN",
    "kr": "SEK", "Rs.": "INR", "Rs": "INR", "R$": "BRL", "US$": "USD", "C$": "CAD", "A$": "AUD",
    "HK$": "HKD", "元": "CNY", "円": "JPY", "CN¥": "CNY", "Kč": "CZK", "Ft": "HUF", "Fr.": "CHF",
}  # fmt: skip
_CURRENCY = "|".join(re.escape(sign) for sign in sorted([*_CODES, *_SIGNS], key=len, reverse=True))
_PRICE = re.compile(
    rf"(?:(?P<before>{_CURRENCY})\s*)?(?P<number>{_NUMBER})(?:\s*(?P<after>{_CURRENCY}))?",
    re.IGNORECASE,
)
_CURRENCIES = {code.casefold(): code for code in _CODES} | {
    sign.casefold(): code for sign, code in _SIGNS.items()
}
_PRICE_WORDS = re.compile(
    r"(^|_)(prices?|preis|prix|precio|prezzo|mrp|msrp|rrp|uvp|cost|价格|售价|価格|कीमत|मूल्य)(_|$)",
    re.IGNORECASE,
)
_LIST_WORDS = re.compile(
    r"tags?$|sizes|colou?rs|materials|keywords|categories|collections|features|labels|"
    r"schlagw|größen|farben|étiquettes|etiquetas|tallas|标签|タグ|サイズ",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_BOOLEANS = {
    "true": True, "false": False, "yes": True, "no": False, "y": True, "n": False,
    "ja": True, "nein": False, "oui": True, "non": False, "sí": True, "si": True,
    "sì": True, "是": True, "否": False, "はい": True, "いいえ": False, "हाँ": True, "नहीं": False,
    "wahr": True, "falsch": False, "vrai": True, "faux": False,
}  # fmt: skip
#: What people write where there is no value.
_NOTHING = ("-", "--", "—", "–", "n/a", "n.a.", "na", "nan", "none", "null", "k.a.", "#n/a", "?")
_TIME = r"([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?"
_DATES = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})" + _TIME), "ymd"),
    (re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})"), "ymd"),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})"), "dmy"),
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


@dataclass(frozen=True)
class ColumnType:
    """What one of a catalogue's own columns holds.

    Attributes:
        kind: one of ``KINDS``. In ``Catalogue.table`` a number is float64, or Int64 where all
            are whole; a price float64; a date text ``YYYY-MM-DD``; a boolean ``boolean``; all
            others are str, with "" for nothing.
        unit: a price's currency (``EUR``), a list's separator (``|``, or ``json``), else "".
        source: the column's name in the file.
    """

    kind: str
    unit: str = ""
    source: str = ""

    def to_dict(self) -> dict[str, str]:
        """The type as JSON-ready values.

        >>> ColumnType("price", "EUR", "Preis").to_dict()
        {'kind': 'price', 'unit': 'EUR', 'source': 'Preis'}
        """
        return {"kind": self.kind, "unit": self.unit, "source": self.source}


@dataclass(frozen=True)
class TypedColumn:
    """A column's values as its type has them; ``lossy`` where the text says more."""

    values: pd.Series
    type: ColumnType
    lossy: bool = False


def type_column(cells: pd.Series, name: str, source: str) -> TypedColumn:
    """Finds the type that all filled cells agree with, and converts them.

    Args:
        cells: (n,) object of str, "" for nothing.
        name: the column's name here; a plain number in a column called price is a price.
        source: its name in the file.

    >>> type_column(pd.Series(["9.90 EUR", "1.200,00 EUR"], dtype=object), "price", "Price").type
    ColumnType(kind='price', unit='EUR', source='Price')
    """
    filled = cells[cells != ""]
    distinct = filled.drop_duplicates()
    blank = distinct.str.casefold().isin(_NOTHING)
    distinct = distinct[~blank]
    if len(distinct):
        for convert in (_booleans, _numbers, _prices, _dates, _links, _lists):
            # Most columns are of no such type, and their first cells say so.
            if convert(distinct.iloc[:TRIED], name) is None:
                continue
            found = convert(distinct, name)
            if found is not None:
                kind, unit, converted, lossy = found
                typed = _spread(cells, distinct, converted, kind)
                unit = unit or (_currency_in(source) if kind == "price" else "")
                lossy = lossy or (blank.any() and kind not in ("link", "list"))
                return TypedColumn(typed, ColumnType(kind, unit, source), bool(lossy))
    few = 0 < len(distinct) <= MAX_CATEGORIES and len(distinct) * ROWS_A_CATEGORY <= len(filled)
    short = bool(few) and distinct.str.len().max() <= 60
    return TypedColumn(cells, ColumnType("category" if few and short else "text", "", source))


def _currency_in(source: str) -> str:
    """``EUR`` of a header such as ``Price (EUR)`` or ``price_eur``."""
    words = re.split(r"[^\w€$£¥₹]+|_", source.casefold())
    return next((_CURRENCIES[word] for word in words if word in _CURRENCIES), "")


Found = tuple[str, str, list, bool] | None


def _spread(cells: pd.Series, distinct: pd.Series, converted: list, kind: str) -> pd.Series:
    """Values of the distinct cells at every row."""
    if kind in ("link", "list"):
        return cells
    by_text = dict(zip(distinct, converted, strict=True))
    if kind == "date":
        return cells.map(lambda text: by_text.get(text, "")).astype(object)
    values = [by_text.get(text) for text in cells]
    if kind == "boolean":
        return pd.Series(values, index=cells.index, dtype="boolean")
    numbers = pd.Series(
        np.array([np.nan if value is None else value for value in values], dtype=float),
        index=cells.index,
    )
    if kind == "number" and all(isinstance(value, int) for value in converted):
        return numbers.astype("Int64")
    return numbers


def _booleans(cells: pd.Series, name: str) -> Found:
    values = [_BOOLEANS.get(text.casefold()) for text in cells]
    return None if None in values else ("boolean", "", values, False)


def _numbers(cells: pd.Series, name: str) -> Found:
    """Plain numbers; a leading zero makes a code of one, and so do more digits than fit."""
    if all(_PLAIN_NUMBER.fullmatch(text) and len(text) <= 15 for text in cells):
        values = [float(text) if re.search(r"[.eE]", text) else int(text) for text in cells]
        if not np.isfinite(np.array(values, dtype=float)).all():
            return None
        return ("price" if _PRICE_WORDS.search(name) else "number"), "", values, False
    if any(re.match(r"0\d", text) for text in cells):
        return None
    comma = _decimal_comma(cells)
    if comma is None or not all(_LOCAL_NUMBER.fullmatch(text) for text in cells):
        return None
    if not _PRICE_WORDS.search(name) and not any("," in text for text in cells):
        return None
    values = [_number(text, comma) for text in cells]
    return ("price" if _PRICE_WORDS.search(name) else "number"), "", values, False


def _prices(cells: pd.Series, name: str) -> Found:
    """Numbers with a currency on one side; of two currencies the text is kept, too."""
    found = [_PRICE.fullmatch(text) for text in cells]
    if not all(found):
        return None
    signs = [(match["before"] or match["after"] or "") for match in found if match]
    currencies = {_CURRENCIES[sign.casefold()] for sign in signs if sign}
    if not currencies:
        return None
    numbers = pd.Series([match["number"] for match in found if match], dtype=object)
    comma = _decimal_comma(numbers)
    values = [_number(text, bool(comma)) for text in numbers]
    unit = currencies.pop() if len(currencies) == 1 else ""
    return "price", unit, values, not unit


def _decimal_comma(cells: pd.Series) -> bool | None:
    """Whether a comma begins the decimals; ``None`` where cells disagree."""
    comma = point = False
    for text in cells:
        last_comma, last_point = text.rfind(","), text.rfind(".")
        if last_comma >= 0 and last_point >= 0:
            comma |= last_comma > last_point
            point |= last_point > last_comma
        elif last_comma >= 0:
            grouped = re.search(r",\d{3}$", text) and not re.match(r"[-+]?0,", text)
            comma |= text.count(",") == 1 and not grouped
            point |= text.count(",") > 1
        elif last_point >= 0:
            point |= text.count(".") == 1 and not re.search(r"\.\d{3}$", text)
            comma |= text.count(".") > 1
    return None if comma and point else comma


def _number(text: str, comma: bool) -> float:
    kept = re.sub(r"[ \u00a0\u202f'’]", "", text).replace("−", "-")
    kept = kept.replace(".", "").replace(",", ".") if comma else kept.replace(",", "")
    return float(kept)


def _dates(cells: pd.Series, name: str) -> Found:
    """Days as ``YYYY-MM-DD``; a time of day is kept beside. 3/4/2024 alone could be two days."""
    slashed = [_SLASHED.fullmatch(text) for text in cells]
    if all(slashed):
        order = _slash_order([match for match in slashed if match])
        values = [_day(match.groups(), order) for match in slashed if match] if order else [None]
        return None if None in values else ("date", "", values, False)
    for pattern, order in _DATES:
        matches = [pattern.fullmatch(text) for text in cells]
        if all(matches):
            values = [_day(match.groups()[:3], order) for match in matches if match]
            timed = any(len(match.groups()) > 3 and match[4] for match in matches if match)
            return None if None in values else ("date", "", values, timed)
    return None


def _slash_order(matches: list[re.Match[str]]) -> str:
    first = max(int(match[1]) for match in matches)
    second = max(int(match[2]) for match in matches)
    if first > 12 >= second:
        return "dmy"
    return "mdy" if second > 12 >= first else ""


def _day(parts: tuple[str, ...], order: str) -> str | None:
    by_letter = dict(zip(order, map(int, parts), strict=True))
    year, month, day = by_letter["y"], by_letter["m"], by_letter["d"]
    try:
        return np.datetime64(f"{year:04}-{month:02}-{day:02}").astype(str)
    except ValueError:
        return None


def _links(cells: pd.Series, name: str) -> Found:
    return ("link", "", [], False) if all(map(_LINK.fullmatch, cells)) else None


def _lists(cells: pd.Series, name: str) -> Found:
    """Cells of several short values between the same marks."""
    if all(text.startswith("[") and text.endswith("]") for text in cells):
        return "list", "json", [], False
    if any(re.search(r"[<>\n\"]", text) for text in cells):
        return None
    for mark in ("|", ";", ","):
        split = [[part.strip() for part in text.split(mark)] for text in cells]
        parts = [part for cell in split for part in cell]
        several = sum(len(cell) > 1 for cell in split)
        short = all(part and len(part) <= 30 and len(part.split()) <= 3 for part in parts)
        # A comma is punctuation, too: it lists where values come again or the header says so.
        again = len(parts) >= 8 and len(set(parts)) * 2 <= len(parts)
        lists = (
            mark == "|" or bool(_LIST_WORDS.search(name)) or (again and several * 2 >= len(split))
        )
        if several and short and lists:
            return "list", mark, [], False
    return None


def is_amount(text: str) -> bool:
    """Whether a cell is a number or a price.

    >>> is_amount("1.299,00 EUR"), is_amount("S0-M")
    (True, False)
    """
    return _PRICE.fullmatch(text) is not None or _PLAIN_NUMBER.fullmatch(text) is not None


def split_list(cell: str, unit: str) -> list[str]:
    """The values of a list cell, by its type's ``unit``.

    >>> split_list("Red | Blue", "|")
    ['Red', 'Blue']
    """
    if unit == "json":
        import json

        try:
            return [str(value) for value in json.loads(cell.replace("'", '"'))]
        except ValueError:
            return [part.strip(" '\"") for part in cell.strip("[]").split(",") if part.strip()]
    return [part.strip() for part in cell.split(unit) if part.strip()] if unit else [cell]
