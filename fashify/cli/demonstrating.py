"""``fashify demo``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from fashify.cli.console import StoreOption, store_path


def demo(
    store: StoreOption = None,
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on, 0.0.0.0 for all; default: 127.0.0.1."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: 7860.")] = None,
    mcp: Annotated[
        bool | None, typer.Option("--mcp/--no-mcp", help="Also serve the endpoints over MCP.")
    ] = None,
    urls: Annotated[
        bool | None,
        typer.Option("--urls/--no-urls", help="Let visitors name a picture by its address."),
    ] = None,
    catalogue: Annotated[
        str | None,
        typer.Option(help="Where the pictures are now, if they have moved since the build."),
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            help='Columns that cards show, such as "price,brand,link", or "none"; '
            "default: these, where they are."
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window.")
    ] = False,
) -> None:
    """Open the search page; without a store, the sample's is built first.

    What is not given here is read from FASHIFY_HOST, FASHIFY_PORT, FASHIFY_ROOT_PATH,
    FASHIFY_USER, FASHIFY_PASSWORD, FASHIFY_MCP, FASHIFY_URLS, FASHIFY_SHOW and FASHIFY_CATALOGUE.
    """
    from fashify.demo.launching import Serving
    from fashify.demo.page_server import serve

    given: dict[str, Any] = {"host": host, "port": port, "mcp": mcp, "urls": urls, "show": show}
    given["catalogue"] = catalogue
    given = {name: value for name, value in given.items() if value is not None}
    serving = replace(Serving.from_environment(), **given)
    serve(store and store_path(store), serving=serving, browser=browser, announce=typer.echo)
