"""What tables of products are drawn from, by the rules of CSV or with anything in a cell."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

HEADER = (
    "id gender masterCategory subCategory articleType baseColour season year usage"
    " productDisplayName"
).split()
OURS = (
    "item_id gender master_category sub_category article_type base_colour season year usage name"
).split()

#: Pieces that cells are made of: delimiters, line ends of many kinds, formulas, "no value".
PIECES = [
    *("Shirt", "blue", "42", "1,2", "7,", ",", '"', "'", ";", "\t", " ", "\\", "|"),
    *("\n", "\r\n", "\r", "\u2028", "\u0085", "\x0b", "\x0c", "\x1c", "\ufeff", "\u00a0"),
    *("é", "ß", "€", "日本", "😀", "NA", "nan", "null", "None", "#N/A", "-", "0", "1e400"),
    *("=SUM(A1:A9)", "+1", "@x", "=cmd|' /C calc'!A0", "../../etc/passwd", "<b>", "%s", "{0}"),
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "cp1252"]

cells = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
flat = cells.map(lambda text: " ".join(text.split())).map(lambda text: text.replace('"', "″"))
numbers = st.lists(st.integers(1, 60), min_size=1, max_size=8, unique=True)
years = st.sampled_from(["2012", "2012.0", "", "NA", "1e400", "99999999999999999999", "-3", "x"])


def quoted(cell: str, always: bool) -> str:
    """A cell by RFC 4180."""
    needed = always or any(mark in cell for mark in ',"\r\n')
    return '"' + cell.replace('"', '""') + '"' if needed else cell


@st.composite
def products(draw: Callable, texts: st.SearchStrategy[str] = cells) -> list[list[str]]:
    """Rows of text in the order of ``HEADER``, every id once."""
    ids = draw(numbers)
    return [
        [str(n), *(draw(texts) for _ in range(6)), draw(years), *(draw(texts) for _ in range(2))]
        for n in ids
    ]


def as_meant(rows: list[list[str]]) -> list[list[str]]:
    """What a catalogue's text columns shall hold, the year left out."""
    return [[cell.strip() for cell in (*row[:7], *row[8:])] for row in rows]
