"""``fashify report`` and ``fashify notebooks``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fashify.cli.console import JsonOption, StoreOption, emit, parse_pairs


def report(
    notebooks: Annotated[
        list[str] | None, typer.Argument(help="Notebooks, by name or number; default: all.")
    ] = None,
    catalogue: Annotated[
        str | None, typer.Option(help="Folder, zip, url, sample or kaggle; default: sample.")
    ] = None,
    store: StoreOption = None,
    param: Annotated[
        list[str] | None, typer.Option("-p", "--param", help="Notebook parameter, name=value.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Reports folder; default: $FASHIFY_REPORTS.")
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Run nothing: set two finished runs against each other, by name."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the notebooks and write their reports and the index page.

    One that fails stops no other; the exit code is 1 then. With --compare A B two finished runs
    become one page: figures in pairs, and the queries gained and lost.
    """
    from fashify.reports import compare_reports, run_reports
    from fashify.reports.runner import check_runs

    if compare is not None:
        found = compare_reports(*compare, out=out)
        told = {"page": str(found.page), "first": found.first, "second": found.second}
        emit(told | {"rows": found.table.to_dict("records")}, as_json, [str(found.page)])
        return
    runs = run_reports(
        notebooks or (),
        catalogue=catalogue,
        store=store,
        parameters=parse_pairs(param or [], "-p"),
        out=out,
        progress=not as_json,
        strict=False,
    )
    answer = [{"page": str(run.page), **run.record} for run in runs]
    emit(answer, as_json, [str(run.page) for run in runs])
    check_runs(runs)


def notebooks(
    folder: Annotated[Path, typer.Argument(help="Where they are copied to; made when needed.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over notebooks there that were edited.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy the notebooks into a folder, to be opened there with JupyterLab."""
    from fashify.reports import copy_notebooks

    paths = [str(path) for path in copy_notebooks(folder, replace=replace)]
    emit(paths, as_json, [*paths, f"Open them with: jupyter lab {folder}"])
