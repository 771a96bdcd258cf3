"""Options for reading a catalogue, and the lines that show how it was read."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fashify.errors import ConfigError

if TYPE_CHECKING:
    from fashify.catalogue import Catalogue

logger = logging.getLogger(__name__)

TableOption = Annotated[
    str | None,
    typer.Option(
        "--table", help="File (or file#sheet) with the products; none: go by folders alone."
    ),
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        help="ours=theirs, such as article_type=product_type,base_colour=colour_name.",
    ),
]
UnmatchedOption = Annotated[
    bool,
    typer.Option(
        "--allow-unmatched", help="Build although many rows lack a picture, or pictures a row."
    ),
]
LinksOption = Annotated[
    bool, typer.Option("--follow-links", help="Follow links out of the catalogue's folder.")
]
DownloadOption = Annotated[
    bool,
    typer.Option("--download", help="Fetch the pictures that the table links to, beside it."),
]
KeepColumnsOption = Annotated[
    bool,
    typer.Option("--keep-columns", help="Write --table and --columns to its catalogue.toml."),
]


def parse_columns(values: list[str] | None) -> dict[str, str]:
    """``["a=b,c=d"]`` to ``{"a": "b", "c": "d"}``; a comma within a name is kept.

    >>> parse_columns(["article_type=Type, or kind,name=Title"])
    {'article_type': 'Type, or kind', 'name': 'Title'}

    Raises:
        ConfigError: a part without ``=``.
    """
    found = {}
    for value in values or []:
        for part in re.split(r",(?=\s*[a-z_]+=)", value):
            ours, equals, theirs = part.partition("=")
            if not equals or not ours.strip():
                raise ConfigError(
                    "--columns ours=theirs", repr(part), "write article_type=product_type"
                )
            found[ours.strip()] = theirs.strip()
    return found


def read_catalogue(
    source: str,
    *,
    table: str | None = None,
    columns: list[str] | None = None,
    keep_columns: bool = False,
    download: bool = False,
    flags: Mapping[str, Any],
) -> Catalogue:
    """The catalogue as the options have it; its choice of columns is kept where asked for.

    With ``download`` its pictures are fetched first, those that are there already aside.

    Raises:
        CatalogueError: as ``load_catalogue``; no folder to keep the choice in.
    """
    from fashify.catalogue import load_catalogue, write_settings

    named = parse_columns(columns)
    if download:
        from fashify.catalogue.download import download_catalogue

        fetched = download_catalogue(source, table=table, columns=named, progress=True)
        logger.warning("%s", fetched) if fetched.failed else logger.info("%s", fetched)
    products = load_catalogue(source, table=table, columns=named, **flags)
    if keep_columns:
        write_settings(Path(source), table, named)
    return products
