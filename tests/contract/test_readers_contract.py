"""What every table reader promises: the same cells as text, whatever file they lie in."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest

from fashify.catalogue.readers import READERS, RawTable, reader_of
from fashify.errors import CatalogueError

COLUMNS = ["id", "title", "price", "note"]
ROWS = [
    ["0108775015", "Größe S, rot", "9.9", "zwei\nZeilen"],
    ['o\'neill "7"', "红色连衣裙", "", "NA"],
    ["3", "<b>fett</b> & mehr", "1200.5", "x" * 200_000],
]


def as_csv() -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([COLUMNS, *ROWS])
    return text.getvalue().encode()


def as_excel() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    # Excel itself takes 32,767 characters a cell.
    for row in [COLUMNS, *ROWS]:
        book.active.append([cell[:32_767] for cell in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def as_parquet() -> bytes:
    return pd.DataFrame(ROWS, columns=COLUMNS, dtype=object).to_parquet()


def objects() -> list[dict[str, str]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def as_json() -> bytes:
    return json.dumps({"count": 3, "products": objects()}).encode()


def as_jsonl() -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in objects()).encode()


def as_xml() -> bytes:
    from xml.sax.saxutils import escape

    items = "".join(
        "<item>" + "".join(f"<g:{k}>{escape(v)}</g:{k}>" for k, v in row.items()) + "</item>"
        for row in objects()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss xmlns:g="http://base.google.com/ns/1.0">'
        f"<channel><title>shop</title>{items}</channel></rss>"
    ).encode()


FILES = {
    "CSV": as_csv,
    "Excel": as_excel,
    "Parquet": as_parquet,
    "JSON": as_json,
    "JSON Lines": as_jsonl,
    "XML": as_xml,
}


@pytest.fixture(params=[reader.name for reader in READERS])
def written(request) -> tuple[RawTable, str]:
    reader = next(reader for reader in READERS if reader.name == request.param)
    name = f"products{reader.suffixes[0]}"
    (table,) = reader.read(FILES[reader.name](), name)
    return table, reader.name


def test_the_same_cells_from_every_format(written):
    table, form = written
    assert table.columns == COLUMNS
    limit = 32_767 if form == "Excel" else None
    assert table.frame.to_numpy().tolist() == [[cell[:limit] for cell in row] for row in ROWS]
    assert len(table.lines) == len(table) == 3
    assert table.form.split(",")[0].startswith(form)
    assert table.mended == []


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_a_sample_is_the_beginning(reader):
    (table,) = reader.read(FILES[reader.name](), f"t{reader.suffixes[0]}", rows=2)
    assert table.cells(0).tolist() == [row[0] for row in ROWS[:2]]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
@pytest.mark.parametrize("data", [b"", b"\x00\x01\x02\xff" * 40, b"PK..not really"])
def test_unreadable_names_file(reader, data):
    """What cannot be read is one line that names the file."""
    name = f"shop{reader.suffixes[0]}"
    if reader.name == "CSV" and data.startswith(b"PK"):
        assert reader.read(data, name)[0].columns == ["PK..not really"]
        return
    with pytest.raises(CatalogueError, match=rf"^Expected .*{name}.* Fix: ") as caught:
        reader.read(data, name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_each_ending_finds_its_reader(reader):
    for suffix in reader.suffixes:
        assert reader_of(f"a/b{suffix.upper()}") is reader
    assert reader_of("a.jpg") is None
