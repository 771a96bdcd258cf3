"""``fashify demo`` and ``fashify serve``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from fashify.cli.console import PicturesOption, StoreOption, store_path

HostOption = Annotated[
    str | None, typer.Option(help="Address to listen on, 0.0.0.0 for all; default: 127.0.0.1.")
]
PortOption = Annotated[int | None, typer.Option(help="Port to listen on; default: 7860.")]
UrlsOption = Annotated[
    bool | None,
    typer.Option("--urls/--no-urls", help="Let visitors name a picture by its address."),
]


def demo(
    store: StoreOption = None,
    host: HostOption = None,
    port: PortOption = None,
    mcp: Annotated[
        bool | None, typer.Option("--mcp/--no-mcp", help="Also serve the endpoints over MCP.")
    ] = None,
    urls: UrlsOption = None,
    catalogue: PicturesOption = None,
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
    from fashify.demo.page_server import serve as serve_page

    places = {"host": host, "port": port, "catalogue": catalogue, "urls": urls}
    serving = _settle(Serving, **places, mcp=mcp, show=show)
    serve_page(store and store_path(store), serving=serving, browser=browser, announce=typer.echo)


def serve(
    store: StoreOption = None,
    host: HostOption = None,
    port: PortOption = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Serve the page, too.")] = True,
    rate: Annotated[
        int | None, typer.Option(help="Requests a minute of each client; default: any number.")
    ] = None,
    origins: Annotated[
        str | None,
        typer.Option(help="Origins of web pages that may ask, with commas between; * for all."),
    ] = None,
    urls: UrlsOption = None,
    catalogue: PicturesOption = None,
) -> None:
    """Serve the search to programs over REST, with the page beside it.

    What is not given here is read from the environment as for fashify demo, and FASHIFY_RATE,
    FASHIFY_ORIGINS and FASHIFY_API_KEYS: keys never stand on a command line.
    """
    from fashify.demo.launching import Serving
    from fashify.server import Access
    from fashify.server import serve as serve_api

    places = {"host": host, "port": port, "catalogue": catalogue, "urls": urls}
    listed = origins and tuple(origins.replace(" ", "").split(","))
    serving = _settle(Serving, **places)
    access = _settle(Access, rate=rate, origins=listed, urls=urls)
    serve_api(
        store and store_path(store), page=page, access=access, serving=serving, announce=typer.echo
    )


def _settle(kind: Any, **options: Any) -> Any:
    """What the environment says, but for the options that were given."""
    given = {name: value for name, value in options.items() if value is not None}
    return replace(kind.from_environment(), **given)
