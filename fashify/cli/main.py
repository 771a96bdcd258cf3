"""The command group and its entry point."""

from __future__ import annotations

from typing import Annotated

import typer

from fashify.cli import (
    auditing,
    benching,
    building,
    indexing,
    info,
    judging,
    judging_photos,
    reporting,
    searching,
    serving,
    teaching,
)
from fashify.cli.console import Commands, set_up_logging

app = typer.Typer(
    name="fashify",
    cls=Commands,
    help="Reverse image search for fashion: a photo in, the products most like it out.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say on stderr what is being done.")
    ] = False,
) -> None:
    set_up_logging(verbose)


app.command()(building.build)
app.command()(teaching.learn)
app.command()(teaching.train)
app.command()(searching.search)
app.command()(serving.serve)
app.command()(auditing.audit)
app.command()(judging.evaluate)
app.command()(judging.compare)
app.command()(judging_photos.photos)
app.command()(reporting.report)
app.command()(reporting.notebooks)
app.add_typer(benching.app, name="bench")
app.add_typer(indexing.app, name="index")
app.command()(serving.demo)
app.command()(info.info)
app.command()(info.verify)


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    app()
