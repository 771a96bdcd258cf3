"""``fashify demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from fashify.cli.console import StoreOption


def demo(
    store: StoreOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 7860,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window.")
    ] = False,
) -> None:
    """Open the search page; without a store, the sample's is built first."""
    from gradio_app import serve

    serve(store, host=host, port=port, browser=browser)
