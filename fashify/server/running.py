"""``fashify serve``: page and API in one process, until it is told to end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fashify.demo.launching import Serving, end_orderly, limit_blas_threads
from fashify.demo.page_server import PageServer, check_address
from fashify.demo.service import ensure_default_store
from fashify.demo.uploads import make_own_folder
from fashify.server.access import Access
from fashify.server.application import make_app


def serve(
    store: Path | str | None = None,
    *,
    page: bool = True,
    access: Access | None = None,
    serving: Serving | None = None,
    announce: Callable[[str], Any] = print,
) -> None:
    """Serves the API, and the page beside it, until interrupted or told to end.

    Requests under way are answered before the process ends, within some seconds.

    Args:
        store: folder or url; without one the settings' store, else the sample's.
        page: whether the page is served, too.
        access: keys, rate and origins; default: as the environment says.
        serving: where, and for whom the page is; default: as the environment says.
        announce: is told the address.

    Raises:
        ConfigError: the address cannot be listened on, or a setting is out of its range.
        StoreError: a store was named and is not there.
    """
    serving, access = serving or Serving.from_environment(), access or Access.from_environment()
    # Before the store is opened, which takes longer than to learn that the port is taken.
    check_address(serving)
    limit_blas_threads()
    with end_orderly(), make_own_folder():
        app = make_app(store or ensure_default_store(), page=page, access=access, serving=serving)
        server = PageServer(app, serving)
        try:
            # Who reads the address may tell the server to end at once.
            announce(f"Fashify is at {server.url}, its API at {server.url}v1/docs")
            server.wait()
        finally:
            server.drain(lambda: app.state.fashify_counters.under_way)
