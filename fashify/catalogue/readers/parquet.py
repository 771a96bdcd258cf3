"""Parquet, and Arrow's own files beside it (Feather, IPC)."""

from __future__ import annotations

from typing import Any

from fashify.catalogue.readers.plain_text import as_text, flatten
from fashify.catalogue.readers.table import RawTable, make_table, table_of_records
from fashify.errors import CatalogueError

SUFFIXES = (".parquet", ".pq", ".feather", ".arrow")


def read_parquet(data: bytes, name: str, *, rows: int | None = None) -> list[RawTable]:
    """Reads one table; lists become JSON texts, structs ``outer.inner``.

    Raises:
        CatalogueError: damaged, empty, or with the pictures' bytes inside a column.
    """
    table = _open_table(data, name)
    _refuse_pictures_inside(table, name)
    if rows is not None:
        table = table.slice(0, rows)
    named = [field for field in table.schema.names if not field.startswith("__index_level_")]
    table = table.select(named)
    if any(_is_nested(field.type) for field in table.schema):
        raw = table_of_records(name, [flatten(record) for record in table.to_pylist()])
    else:
        columns = [_texts(column) for column in table.columns]
        raw = make_table(name, named, zip(*columns, strict=True), range(1, len(table) + 1))
    raw.form = "Parquet" if name.lower().endswith((".parquet", ".pq")) else "Arrow"
    return [raw]


def _open_table(data: bytes, name: str) -> Any:
    import pyarrow
    from pyarrow import feather, parquet

    source = pyarrow.BufferReader(data)
    try:
        if name.lower().endswith((".parquet", ".pq")):
            return parquet.ParquetFile(source).read()
        if data.startswith(b"ARROW1"):
            return feather.read_table(source)
        return pyarrow.ipc.open_stream(source).read_all()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise CatalogueError(
            f"a Parquet table in {name}", f"a file that is none ({reason})", "export it again"
        ) from error


def _texts(column: Any) -> list[str]:
    import pyarrow.types as types

    if types.is_string(column.type) or types.is_large_string(column.type):
        return [value or "" for value in column.to_pylist()]
    if types.is_float32(column.type) or types.is_float16(column.type):
        return [as_text(value) for value in column.to_numpy()]
    return [as_text(value) for value in column.to_pylist()]


def _is_nested(kind: Any) -> bool:
    import pyarrow.types as types

    return types.is_struct(kind) or types.is_map(kind)


def _refuse_pictures_inside(table: Any, name: str) -> None:
    """Data sets on the Hugging Face hub often carry the pictures' bytes in the table."""
    import pyarrow.types as types

    def binary(kind: Any) -> bool:
        return types.is_binary(kind) or types.is_large_binary(kind)

    for field in table.schema:
        inner = field.type if types.is_struct(field.type) else []
        holds = binary(field.type) or any(binary(part.type) for part in inner)
        values = table.column(field.name)
        if holds and _has_bytes(values):
            raise CatalogueError(
                "pictures as files, named by the table",
                f"pictures inside column {field.name!r} of {name}",
                "write each of them to a file (datasets.load_dataset(...), then "
                "row['image'].save(...)), with the file's name in the table",
            )


def _has_bytes(values: Any) -> bool:
    for value in values.slice(0, 20).to_pylist():
        parts = value.values() if isinstance(value, dict) else [value]
        if any(isinstance(part, bytes) and part for part in parts):
            return True
    return False
