"""``fashify report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import JsonOption, emit, pairs
from fashify.config import settings


def report(
    notebooks: Annotated[
        list[str] | None, typer.Argument(help="Notebooks to run, by name; default: all.")
    ] = None,
    catalogue: Annotated[str, typer.Option(help="Folder, zip, url, sample or kaggle.")] = "sample",
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="Notebook parameter, name=value.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Reports folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the notebooks and write their reports and the index page."""
    from fashify.reports import run_reports

    runs = run_reports(
        notebooks or None,
        catalogue=catalogue,
        parameters=pairs(param or [], "-p"),
        out=out or settings().reports,
    )
    emit([run.to_dict() for run in runs], as_json, [str(run.html) for run in runs])
