"""Options for reading a catalogue, from the command line or a file beside the data."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fashify.catalogue.files import SETTINGS
from fashify.errors import CatalogueError, FashifyError
from fashify.io.storage import Storage

#: ``--table none``: go by folders and names alone.
NO_TABLE = "none"


@dataclass(frozen=True)
class Options:
    """How a catalogue is to be read; defaults look for themselves.

    Attributes:
        kind: ``auto``, ``kaggle`` or ``folder``.
        table: name of the table's file, ``file#sheet``, or ``none``.
        columns: ours -> theirs, such as ``{"article_type": "product_type"}``.
        allow_unmatched: build although many rows lack a picture or many pictures a row.
    """

    kind: str = "auto"
    table: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    allow_unmatched: bool = False

    def to_dict(self) -> dict[str, Any]:
        """What ``load_catalogue`` needs besides source and kind to read the same again."""
        said = {
            "table": self.table,
            "columns": dict(self.columns),
            "allow_unmatched": self.allow_unmatched,
        }
        return {name: value for name, value in said.items() if value}

    def with_settings(self, storage: Storage, names: list[str]) -> tuple[Options, str]:
        """Adds what ``catalogue.toml`` says; what was said here counts more.

        Returns:
            the options, and the file's name or "".

        Raises:
            CatalogueError: the file is no TOML or sets what there is not.
        """
        found = [name for name in names if name.rpartition("/")[2] == SETTINGS]
        if not found:
            return self, ""
        name = min(found, key=lambda name: (name.count("/"), name))
        content = _parse_options(storage, name)
        table = self.table if self.table is not None else content.get("table")
        columns = {**content.get("columns", {}), **self.columns}
        return replace(self, table=table, columns=columns), name


def _parse_options(storage: Storage, name: str) -> dict[str, Any]:
    try:
        content = tomllib.loads(storage.read(name).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, FashifyError) as error:
        raise CatalogueError(
            f"TOML in {name}", f"a file that is none ({error})", "mend or remove it"
        ) from error
    columns = content.get("columns", {})
    unknown = sorted(set(content) - {"table", "columns"})
    texts = isinstance(columns, dict) and all(isinstance(v, str) for v in columns.values())
    if unknown or not texts or not isinstance(content.get("table", ""), str):
        raise CatalogueError(
            f"table = '...' and [columns] ours = 'theirs' in {name}",
            f"{unknown[0]!r}" if unknown else "other values",
            "see docs/catalogues.md",
        )
    return content


def write_settings(source: Path, table: str | None, columns: Mapping[str, str]) -> Path:
    """Keeps the choice of table and columns in ``catalogue.toml``, read at the next time.

    Args:
        source: the catalogue's folder, or the table in it.
        table: as ``load_catalogue``'s.
        columns: as ``load_catalogue``'s.

    Raises:
        CatalogueError: no folder, or none that can be written.
    """
    folder = source.expanduser()
    folder = folder if folder.is_dir() else folder.parent
    # A TOML basic string is written as JSON writes it.
    lines = [f"table = {json.dumps(table)}"] if table else []
    lines += ["[columns]"] if columns else []
    lines += [f"{json.dumps(ours)} = {json.dumps(theirs)}" for ours, theirs in columns.items()]
    path = folder / SETTINGS
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise CatalogueError(
            f"a folder that can be written, {folder}", f"{error.strerror}", "leave the option out"
        ) from error
    return path
