"""``fashify serve``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from fashify.cli.console import StoreOption, store_path


def serve(
    store: StoreOption = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on, 0.0.0.0 for all; default: 127.0.0.1."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: 7860.")] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Serve the page, too.")] = True,
    rate: Annotated[
        int | None, typer.Option(help="Requests a minute of each client; default: any number.")
    ] = None,
    origins: Annotated[
        str | None,
        typer.Option(help="Origins of web pages that may ask, with commas between; * for all."),
    ] = None,
    urls: Annotated[
        bool | None,
        typer.Option("--urls/--no-urls", help="Let queries name a picture by its address."),
    ] = None,
    catalogue: Annotated[
        str | None,
        typer.Option(help="Where the pictures are now, if they have moved since the build."),
    ] = None,
) -> None:
    """Serve the search to programs over REST, with the page beside it.

    What is not given here is read from the environment as for fashify demo, and FASHIFY_RATE,
    FASHIFY_ORIGINS and FASHIFY_API_KEYS: keys never stand on a command line.
    """
    from fashify.demo.launching import Serving
    from fashify.server import Access, serve

    shared = {"urls": urls}
    own = {"rate": rate, "origins": origins and tuple(origins.replace(" ", "").split(","))}
    places = {"host": host, "port": port, "catalogue": catalogue}
    serving = replace(Serving.from_environment(), **_given(places | shared))
    access = replace(Access.from_environment(), **_given(own | shared))
    serve(
        store and store_path(store), page=page, access=access, serving=serving, announce=typer.echo
    )


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
